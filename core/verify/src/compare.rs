//! Two tables, value by value, and the first difference in words.

use attain_domain::{Column, Table};
use serde::Serialize;
use std::fmt;

/// Text columns that a row is named by, at most.
const KEYS_MAX: usize = 6;
/// Columns that say nothing about which row it is.
const NOT_KEYS: [&str; 3] = ["message", "label", "note"];

/// The first thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which file of the bundle, for example `results/earnings`.
    pub place: String,
    /// The row, counted from 1, and the texts that name it.
    pub row: Option<u64>,
    pub key: Option<String>,
    pub column: Option<String>,
    /// What it should be: computed again, or listed in the manifest.
    pub expected: String,
    /// What the bundle holds.
    pub found: String,
}

impl Difference {
    pub(crate) fn of(place: &str, expected: impl Into<String>, found: impl Into<String>) -> Difference {
        Difference { place: place.to_owned(), row: None, key: None, column: None, expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place)?;
        if let Some(row) = self.row {
            write!(formatter, ", row {row}")?;
        }
        if let Some(key) = &self.key {
            write!(formatter, " ({key})")?;
        }
        if let Some(column) = &self.column {
            write!(formatter, ", column {column}")?;
        }
        write!(formatter, ": expected {}, found {}", self.expected, self.found)
    }
}

fn shape(table: &Table) -> Vec<(&str, Option<u8>)> {
    let kind = |column: &Column| match column {
        Column::Number { scale, .. } => Some(*scale),
        Column::Text(_) => None,
    };
    table.columns.iter().map(|(name, column)| (name.as_str(), kind(column))).collect()
}

fn key(table: &Table, row: usize) -> String {
    let texts = table.columns.iter().filter(|(name, column)| matches!(column, Column::Text(_)) && !NOT_KEYS.contains(&name.as_str()));
    let named = texts.filter_map(|(name, column)| Some(format!("{name} {}", column.show(row)?)));
    named.take(KEYS_MAX).collect::<Vec<_>>().join(", ")
}

fn same(left: &Column, left_row: usize, right: &Column, right_row: usize) -> bool {
    match (left, right) {
        (Column::Number { values: left, .. }, Column::Number { values: right, .. }) => left[left_row] == right[right_row],
        (Column::Text(left), Column::Text(right)) => left.get(left_row) == right.get(right_row),
        _ => false,
    }
}

/// Compares `expected` with the rows of `found` from `offset` on, as far as both go. `Err` is the first difference, `Ok` the
/// number of values that are equal.
pub fn rows(place: &str, expected: &Table, found: &Table, offset: usize) -> Result<u64, Box<Difference>> {
    if shape(expected) != shape(found) {
        let names = |table: &Table| shape(table).iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(Box::new(Difference::of(place, format!("the columns {}", names(expected)), format!("the columns {}", names(found)))));
    }
    let count = expected.row_count().min(found.row_count().saturating_sub(offset));
    for row in 0..count {
        for ((name, left), (_, right)) in expected.columns.iter().zip(&found.columns) {
            if !same(left, row, right, offset + row) {
                let shown = |value: Option<String>| value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
                return Err(Box::new(Difference {
                    place: place.to_owned(),
                    row: Some((offset + row) as u64 + 1),
                    key: Some(key(expected, row)),
                    column: Some(name.clone()),
                    expected: shown(left.show(row)),
                    found: shown(right.show(offset + row)),
                }));
            }
        }
    }
    Ok(count as u64 * expected.columns.len() as u64)
}

/// As [`rows`] for a table in pieces, and the counts of rows too.
pub fn tables(place: &str, expected: &[Table], found: &Table) -> Result<u64, Box<Difference>> {
    let mut equal = 0;
    let mut offset = 0;
    for piece in expected.iter().filter(|piece| piece.row_count() > 0) {
        if offset < found.row_count() {
            equal += rows(place, piece, found, offset)?;
        }
        offset += piece.row_count();
    }
    if offset != found.row_count() {
        return Err(Box::new(Difference::of(place, format!("{offset} rows"), format!("{} rows", found.row_count()))));
    }
    Ok(equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, i64)]) -> Table {
        Table::new("earnings")
            .with("payee_id", Column::text(&rows.iter().map(|(payee, _)| Some(*payee)).collect::<Vec<_>>()))
            .with("amount", Column::money(rows.iter().map(|(_, amount)| *amount).collect()))
    }

    #[test]
    fn the_first_difference_is_named_by_table_row_and_column() {
        let pieces = [table(&[("ana", 10_000)]), table(&[("ben", 20_000), ("cem", 30_000)])];
        assert_eq!(tables("results/earnings", &pieces, &table(&[("ana", 10_000), ("ben", 20_000), ("cem", 30_000)])), Ok(6));
        let words = |found: &Table| tables("results/earnings", &pieces, found).expect_err("a difference").to_string();
        assert_eq!(
            words(&table(&[("ana", 10_000), ("ben", 20_001), ("cem", 0)])),
            "results/earnings, row 2 (payee_id ben), column amount: expected `2`, found `2.0001`"
        );
        assert_eq!(words(&table(&[("ana", 10_000)])), "results/earnings: expected 3 rows, found 1 rows");
        assert!(words(&Table::new("earnings").with("payee_id", Column::text(&[Some("ana")]))).contains("columns payee_id, amount"));
    }
}
