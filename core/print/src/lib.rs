//! Documents that leave the house: a printed page (PDF), a workbook (XLSX) and rows (CSV) from the same plain value.
//! Nothing here knows the record or reads a clock: the same document gives the same bytes every time.

mod cell;
mod csv;
mod pdf;
mod xlsx;

#[cfg(test)]
mod tests;

pub use cell::{guarded, printed, unguarded};
pub use csv::csv;
pub use pdf::pdf;
pub use xlsx::xlsx;

use anyhow::{Result, ensure};

/// In all sections of one document together.
pub const ROW_COUNT_MAX: usize = 100_000;
pub const COLUMN_COUNT_MAX: usize = 200;

/// What one printed page or workbook holds. All values are given as text, amounts and rates as plain decimals (`-1234.5`).
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Who hands it out, such as the company's name; may be empty.
    pub issuer: String,
    pub title: String,
    pub subtitle: String,
    /// Label and value, in the order they are read.
    pub facts: Vec<(String, String)>,
    /// Label and amount; the last one is what counts and stands out.
    pub totals: Vec<(String, String)>,
    pub sections: Vec<Section>,
    /// Stands at the foot of every page.
    pub footer: String,
    /// Where the same can be looked at on screen; empty for nowhere.
    pub link: String,
    /// `YYYY-MM-DD` for the file's own properties. Never the clock's.
    pub dated_on: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Section {
    pub heading: String,
    /// Stands at the right of the heading, such as its amount; may be empty.
    pub aside: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
    /// The sum below the rows, one cell a column.
    pub total: Option<Vec<Option<String>>>,
    /// Stands below the rows; may be empty.
    pub note: String,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

impl Column {
    pub fn new(name: &str, kind: Kind) -> Column {
        Column { name: name.to_owned(), kind }
    }
}

/// How the cells of a column are read. A cell that is not of its column's kind is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A plain decimal; printed with thousands separators and at least two places.
    Amount,
    /// A plain decimal; printed as per cent.
    Rate,
    /// `YYYY-MM-DD`.
    Day,
}

fn check(document: &Document) -> Result<()> {
    let row_count: usize = document.sections.iter().map(|section| section.rows.len()).sum();
    check_row_count(row_count)?;
    for section in &document.sections {
        check_rows(&section.columns, section.rows.iter().chain(&section.total))?;
    }
    Ok(())
}

fn check_row_count(count: usize) -> Result<()> {
    ensure!(count <= ROW_COUNT_MAX, "{count} rows are more than the {ROW_COUNT_MAX} that one document may hold; choose fewer");
    Ok(())
}

fn check_rows<'a>(columns: &[Column], rows: impl Iterator<Item = &'a Vec<Option<String>>>) -> Result<()> {
    let count = columns.len();
    ensure!(count <= COLUMN_COUNT_MAX, "{count} columns are more than the {COLUMN_COUNT_MAX} that one table may hold; choose fewer");
    for (index, row) in rows.enumerate() {
        ensure!(row.len() == count, "row {} has {} cells for {count} columns", index + 1, row.len());
    }
    Ok(())
}
