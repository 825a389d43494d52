//! What is different between two companies, record by record and field by field.

use super::{Company, cell, key_text};
use attain_domain::schema::{ENTITIES, Entity};
use attain_domain::{Column, Table};
use serde::Serialize;
use std::cmp::Ordering;
use std::fmt;

/// Lines of a document that are shown on each side of a change.
const LINES_SHOWN_MAX: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// One difference. Texts of changed documents are the lines between their common beginning and end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    Inserted { entity: String, key: String, fields: Vec<FieldChange> },
    Changed { entity: String, key: String, fields: Vec<FieldChange> },
    Removed { entity: String, key: String },
    DocumentAdded { path: String },
    DocumentChanged { path: String, line: usize, old: Vec<String>, new: Vec<String> },
    DocumentRemoved { path: String },
}

/// Rows that differ between two canonical tables of one entity: `inserted` are rows of the wanted table, `removed` of the one
/// that is there, `changed` are pairs (there, wanted).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowChanges {
    pub inserted: Vec<usize>,
    pub changed: Vec<(usize, usize)>,
    pub removed: Vec<usize>,
}

/// What must change for `have` to become `want`: documents first, then records in the schema's order.
pub fn diff(have: &Company, want: &Company) -> Vec<Change> {
    let mut changes = Vec::new();
    let (old, new) = (have.documents(), want.documents());
    for (path, text) in &new {
        match old.get(path) {
            None => changes.push(Change::DocumentAdded { path: path.clone() }),
            Some(before) if before != text => changes.push(changed_lines(path, before, text)),
            Some(_) => {}
        }
    }
    changes.extend(old.keys().filter(|path| !new.contains_key(*path)).map(|path| Change::DocumentRemoved { path: path.clone() }));
    for entity in ENTITIES {
        let none = super::canonical(entity, &Table::new(entity.name));
        let (old, new) = (have.tables.get(entity.name).unwrap_or(&none), want.tables.get(entity.name).unwrap_or(&none));
        let rows = row_changes(entity, old, new);
        let key = |table: &Table, row: usize| key_text(table, entity.fields, entity.key_count, row);
        let name = || entity.name.to_owned();
        changes.extend(rows.inserted.iter().map(|row| {
            let values = entity.fields[entity.key_count..].iter().filter_map(|field| Some((field, cell(new, field, *row)?)));
            let fields = values.map(|(field, value)| FieldChange { field: field.name.to_owned(), old: None, new: Some(value) }).collect();
            Change::Inserted { entity: name(), key: key(new, *row), fields }
        }));
        changes.extend(rows.changed.iter().map(|(before, after)| {
            let values = entity.fields.iter().map(|field| (field, cell(old, field, *before), cell(new, field, *after)));
            let fields = values.filter(|(_, old, new)| old != new);
            let fields = fields.map(|(field, old, new)| FieldChange { field: field.name.to_owned(), old, new }).collect();
            Change::Changed { entity: name(), key: key(new, *after), fields }
        }));
        changes.extend(rows.removed.iter().map(|row| Change::Removed { entity: name(), key: key(old, *row) }));
    }
    changes
}

/// Compares two canonical tables (see [`super::canonical`]) by their keys.
pub fn row_changes(entity: &Entity, have: &Table, want: &Table) -> RowChanges {
    let mut changes = RowChanges::default();
    let (mut old, mut new) = (0, 0);
    while old < have.row_count() || new < want.row_count() {
        let ordering = if old == have.row_count() {
            Ordering::Greater
        } else if new == want.row_count() {
            Ordering::Less
        } else {
            compare(have, old, want, new, 0..entity.key_count)
        };
        match ordering {
            Ordering::Less => {
                changes.removed.push(old);
                old += 1;
            }
            Ordering::Greater => {
                changes.inserted.push(new);
                new += 1;
            }
            Ordering::Equal => {
                if compare(have, old, want, new, entity.key_count..entity.fields.len()) != Ordering::Equal {
                    changes.changed.push((old, new));
                }
                old += 1;
                new += 1;
            }
        }
    }
    changes
}

fn compare(have: &Table, old: usize, want: &Table, new: usize, columns: std::ops::Range<usize>) -> Ordering {
    for index in columns {
        let ordering = match (&have.columns[index].1, &want.columns[index].1) {
            (Column::Number { values: left, .. }, Column::Number { values: right, .. }) => left[old].cmp(&right[new]),
            (Column::Text(left), Column::Text(right)) => left.get(old).cmp(&right.get(new)),
            (Column::Number { .. }, Column::Text(_)) => Ordering::Less,
            (Column::Text(_), Column::Number { .. }) => Ordering::Greater,
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

fn changed_lines(path: &str, old: &str, new: &str) -> Change {
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let start = old_lines.iter().zip(&new_lines).take_while(|(left, right)| left == right).count();
    let end = old_lines[start..].iter().rev().zip(new_lines[start..].iter().rev()).take_while(|(left, right)| left == right).count();
    let between =
        |lines: &[&str]| lines[start..lines.len() - end].iter().map(|line| line.trim_end_matches(['\r', '\n']).to_owned()).collect();
    Change::DocumentChanged { path: path.to_owned(), line: start + 1, old: between(&old_lines), new: between(&new_lines) }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Inserted { entity, key, fields } => {
                write!(formatter, "+ {entity} {key}")?;
                for (index, change) in fields.iter().enumerate() {
                    let value = change.new.as_deref().unwrap_or_default();
                    write!(formatter, "{} {} {value}", if index == 0 { ":" } else { "," }, change.field)?;
                }
                Ok(())
            }
            Change::Changed { entity, key, fields } => {
                write!(formatter, "~ {entity} {key}")?;
                for (index, change) in fields.iter().enumerate() {
                    let (old, new) = (change.old.as_deref().unwrap_or("(empty)"), change.new.as_deref().unwrap_or("(empty)"));
                    write!(formatter, "{} {} {old} → {new}", if index == 0 { ":" } else { "," }, change.field)?;
                }
                Ok(())
            }
            Change::Removed { entity, key } => write!(formatter, "- {entity} {key}"),
            Change::DocumentAdded { path } => write!(formatter, "+ {path}"),
            Change::DocumentRemoved { path } => write!(formatter, "- {path}"),
            Change::DocumentChanged { path, line, old, new } => {
                write!(formatter, "~ {path} from line {line}")?;
                for (sign, lines) in [("-", old), ("+", new)] {
                    for line in lines.iter().take(LINES_SHOWN_MAX) {
                        write!(formatter, "\n    {sign} {line}")?;
                    }
                    if lines.len() > LINES_SHOWN_MAX {
                        write!(formatter, "\n    {sign} … {} more lines", lines.len() - LINES_SHOWN_MAX)?;
                    }
                }
                Ok(())
            }
        }
    }
}
