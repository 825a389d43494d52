//! Converters that turn real public data into company folders. The data stays outside of the repository; tests that need it are
//! skipped with a printed reason where it is absent.

pub mod adventureworks;
pub mod northwind;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The folder of data set `name`: under `$ATTAIN_SHARED/data`, else under `../shared/data` beside the repository. Prints why where it is absent.
pub fn data_folder(name: &str) -> Option<PathBuf> {
    let shared =
        std::env::var_os("ATTAIN_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("data").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: `{}` is absent; set ATTAIN_SHARED to the folder that holds `data/{name}`", folder.display());
    None
}

/// A CSV file read whole, with columns by name.
struct Source {
    name: String,
    headers: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Source {
    fn open(folder: &Path, name: &str) -> Result<Source> {
        let path = folder.join(name);
        let mut reader = csv::Reader::from_path(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let headers = reader.headers()?.clone();
        let rows = reader.records().collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(Source { name: name.to_owned(), headers, rows })
    }

    fn column(&self, name: &str) -> Result<usize> {
        let found = self.headers.iter().position(|header| header == name);
        found.ok_or_else(|| format!("`{}` has no column `{name}`", self.name).into())
    }

    /// The rows with the named columns in the order asked for.
    fn select<const N: usize>(&self, names: [&str; N]) -> Result<Vec<[&str; N]>> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            *place = self.column(name)?;
        }
        Ok(self.rows.iter().map(|row| places.map(|place| row.get(place).unwrap_or(""))).collect())
    }
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn write_csv<R>(path: &Path, headers: &[&str], rows: impl IntoIterator<Item = R>) -> Result<()>
where
    R: IntoIterator,
    R::Item: AsRef<[u8]>,
{
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(headers)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.flush()?;
    Ok(())
}

/// Plain decimal notation: the data writes `.0120`, a company folder needs `0.0120`.
fn plain(text: &str) -> String {
    if text.starts_with('.') { format!("0{text}") } else { text.to_owned() }
}

/// `text` × 10^`scale`; an error where it is no number or has more digits.
fn scaled(text: &str, scale: usize) -> Result<i128> {
    let plain = plain(text);
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    if fraction.len() > scale {
        return Err(format!("`{text}` has more than {scale} digits after the point").into());
    }
    if !whole.ends_with(|last: char| last.is_ascii_digit()) {
        return Err(format!("`{text}` is no number").into());
    }
    format!("{whole}{fraction:0<scale$}").parse().map_err(|_| format!("`{text}` is no number").into())
}

fn cents(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", value.abs() / 100, value.abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_written_exactly() -> Result<()> {
        assert_eq!((scaled(".0120", 4)?, scaled("14", 2)?, scaled("-9.8", 2)?), (120, 1400, -980));
        assert!(scaled("1.005", 2).is_err() && scaled("", 2).is_err() && scaled("1e3", 2).is_err());
        assert_eq!((cents(-980), cents(5), cents(-5)), ("-9.80".to_owned(), "0.05".to_owned(), "-0.05".to_owned()));
        Ok(())
    }
}
