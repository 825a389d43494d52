//! The canonical form of a company folder on disk.

use super::{Company, cell};
use attain_domain::schema::{self, ENTITIES, Entity, Field};
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Table};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::Path;

/// Writes the company to `dir`, which is new, empty or a company folder. Files of the format that are not part of the
/// company are removed; others are left alone.
pub fn write(company: &Company, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let is_company = dir.join("company.toml").is_file();
    if !is_company && fs::read_dir(dir)?.next().is_some() {
        let message = format!("`{}` is neither empty nor a company folder; name another folder", dir.display());
        return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, message));
    }
    let mut written: BTreeSet<String> = BTreeSet::new();
    for (path, text) in company.documents() {
        put(dir, &path, text.as_bytes())?;
        written.insert(path);
    }
    for entity in ENTITIES {
        if let Some(table) = company.tables.get(entity.name).filter(|table| table.row_count() > 0) {
            let path = format!("{}.csv", entity.name);
            put(dir, &path, csv_text(entity, table).as_bytes())?;
            written.insert(path);
        }
    }
    for folder in ["", "plans/", "scripts/", "expected/"] {
        let place = dir.join(folder);
        if !place.is_dir() {
            continue;
        }
        for entry in fs::read_dir(place)? {
            let name = format!("{folder}{}", entry?.file_name().display());
            let is_ours = super::is_document(&name) || name.strip_suffix(".csv").is_some_and(|entity| schema::entity(entity).is_some());
            if is_ours && !written.contains(&name) {
                fs::remove_file(dir.join(name))?;
            }
        }
    }
    Ok(())
}

fn put(dir: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let target = dir.join(path);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    // A link would lead the text out of the folder.
    if fs::symlink_metadata(&target).is_ok_and(|metadata| metadata.is_symlink()) {
        fs::remove_file(&target)?;
    }
    fs::write(target, bytes)
}

/// The rows of a canonical table as CSV: required columns and those with a value, quotes only where needed.
pub fn csv_text(entity: &Entity, table: &Table) -> String {
    let is_used = |field: &&Field| {
        field.required
            || match table.column(field.name) {
                Some(Column::Number { values, .. }) => values.iter().any(|value| *value != NULL_NUMBER),
                Some(Column::Text(text)) => text.codes.iter().any(|code| *code != NULL_CODE),
                None => false,
            }
    };
    let fields: Vec<&Field> = entity.fields.iter().filter(is_used).collect();
    let mut text = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(",");
    text.push('\n');
    // Dictionaries are quoted once; numbers repeat (days, above all), so their text is kept.
    let quoted: Vec<Vec<String>> = fields
        .iter()
        .map(|field| table.texts(field.name).map_or_else(Vec::new, |column| column.dictionary.iter().map(|value| quoted(value)).collect()))
        .collect();
    let mut shown: Vec<HashMap<i64, String>> = vec![HashMap::new(); fields.len()];
    for row in 0..table.row_count() {
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            match table.column(field.name) {
                Some(Column::Text(column)) => text.push_str(quoted[index].get(column.codes[row] as usize).map_or("", String::as_str)),
                Some(Column::Number { values, .. }) if field.kind == schema::Kind::Day => {
                    let shown = shown[index].entry(values[row]).or_insert_with(|| cell(table, field, row).unwrap_or_default());
                    text.push_str(shown);
                }
                _ => text.push_str(&cell(table, field, row).unwrap_or_default()),
            }
        }
        text.push('\n');
    }
    text
}

fn quoted(value: &str) -> String {
    if value.contains([',', '"', '\n', '\r']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}
