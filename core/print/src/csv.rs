//! Rows as CSV that a spreadsheet can open without running anything.

use crate::{Column, cell, check_row_count, check_rows};
use anyhow::{Context, Result};

/// UTF-8, a header, commas, one line feed after each row. Text is guarded, amounts, rates and days stay as they are.
pub fn csv(columns: &[Column], rows: &[Vec<Option<String>>]) -> Result<Vec<u8>> {
    check_row_count(rows.len())?;
    check_rows(columns, rows.iter())?;
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| cell::guarded(&column.name)))?;
    for row in rows {
        let cells = columns.iter().zip(row).map(|(column, own)| match own {
            Some(text) if cell::is_of_kind(column.kind, text) => text.clone(),
            Some(text) => cell::guarded(text),
            None => String::new(),
        });
        writer.write_record(cells)?;
    }
    writer.into_inner().context("the rows could not be written")
}
