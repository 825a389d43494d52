//! Canonical CSV: rows in order of their key, plain numbers, quotes only where needed. And the days of the calendar.

use anyhow::{Context, Result};
use std::path::Path;

pub struct Sheet {
    name: &'static str,
    header: &'static str,
    key_count: usize,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    pub fn new(name: &'static str, key_count: usize, header: &'static str) -> Sheet {
        Sheet { name, header, key_count, rows: Vec::new() }
    }

    pub fn add(&mut self, row: &[&str]) {
        self.rows.push(row.iter().map(|cell| (*cell).to_owned()).collect());
    }

    /// Writes the file and says what it wrote.
    pub fn write(mut self, folder: &Path) -> Result<String> {
        let width = self.header.split(',').count();
        self.rows.sort_by(|left, right| left[..self.key_count].cmp(&right[..self.key_count]));
        let mut text = format!("{}\n", self.header);
        for (index, row) in self.rows.iter().enumerate() {
            anyhow::ensure!(row.len() == width, "row {row:?} of `{}` has {} cells instead of {width}", self.name, row.len());
            let twice = index > 0 && self.rows[index - 1][..self.key_count] == row[..self.key_count];
            anyhow::ensure!(!twice, "row {row:?} of `{}` is there twice", self.name);
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        let path = folder.join(format!("{}.csv", self.name));
        std::fs::write(&path, &text).with_context(|| format!("`{}` could not be written", path.display()))?;
        Ok(format!("{:>7} rows {:>9} bytes  {}.csv", self.rows.len(), text.len(), self.name))
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// `value / 10^scale` without trailing zeros.
pub fn number(value: i64, scale: usize) -> String {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Cents as an amount.
pub fn money(cents: i64) -> String {
    number(cents, 2)
}

/// Days since 1970-01-01 of a day of the Gregorian calendar.
pub fn day(year: i64, month: i64, of_month: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + of_month - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month, day of the month.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

pub fn iso(days: i64) -> String {
    let (year, month, of_month) = civil(days);
    format!("{year:04}-{month:02}-{of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_the_same() {
        assert_eq!((day(1970, 1, 1), iso(day(2024, 2, 29)).as_str()), (0, "2024-02-29"));
        for days in day(2024, 10, 1)..day(2027, 1, 1) {
            let (year, month, of_month) = civil(days);
            assert_eq!(day(year, month, of_month), days);
        }
    }

    #[test]
    fn numbers_have_no_trailing_zeros() {
        assert_eq!([money(-50), money(100), money(123_456), number(5_000_000, 8)], ["-0.5", "1", "1234.56", "0.05"]);
    }
}
