//! The record's rows as tables to look through: filtered, sorted, in pages, as a file; and the history of one of them. Answers
//! come from the view in memory; only a history reads the record.

use crate::access::{Action, Caller};
use crate::folder;
use crate::refusal::Refusal;
use crate::view::View;
use crate::{Instance, shown_ms};
use anyhow::Result;
use attain_domain::schema::{self, ENTITIES, Entity, Field, Kind, Use};
use attain_domain::{Column, NULL_NUMBER, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Parts the fields of a key in an id.
const KEY_SEPARATOR: char = '~';
const NEEDLE_LENGTH_MAX: usize = 200;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldView {
    pub name: &'static str,
    /// `text`, `id`, `reference`, `choice`, `day`, `money`, `rate` or `flag`.
    pub kind: &'static str,
    pub required: bool,
    /// The entity that it names a record of.
    pub reference: Option<&'static str>,
    /// The words that it can be; empty for all but choices.
    pub choices: Vec<&'static str>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntityView {
    pub name: &'static str,
    pub row_count: usize,
    pub fields: Vec<FieldView>,
    /// The fields that identify a record.
    pub key: Vec<&'static str>,
    /// Whether it holds personal data.
    pub personal: bool,
    /// Whether an import of it waits for a second person.
    pub needs_approval: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Row {
    /// The key as one text, for the address of the row's history: its fields joined by `~`.
    pub id: String,
    pub key: Vec<String>,
    /// Every field, as it is written in a file; `null` for no value.
    pub values: BTreeMap<&'static str, Option<String>>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RowsPage {
    pub items: Vec<Row>,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
    /// Rows that the filters let through, on all pages.
    pub total: usize,
}

/// Which rows, in which order.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Field and its value as in a file, an empty text for no value; all must fit.
    pub filters: Vec<(String, String)>,
    /// Contained in one of the texts of a row, in upper or lower case.
    pub containing: Option<String>,
    /// A field, with `-` in front for the other direction; by key where `None`. Rows without a value come last.
    pub sort: Option<String>,
}

/// Where a page ends: the values of its last row, so that the next one begins there even when rows came or went.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    sort: String,
    value: Option<String>,
    key: Vec<String>,
}

/// How an import came into the record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BatchView {
    pub batch_id: i64,
    pub source: String,
    pub entity: String,
    /// Of the entity's rows as they were after it.
    pub digest: String,
    pub inserted: u64,
    pub changed: u64,
    pub removed: u64,
    pub unchanged: u64,
    /// Control totals over the entity after it, by name.
    pub totals: BTreeMap<String, String>,
    pub recorded_at: String,
    /// The import that was sent, where it came by one.
    pub import_id: Option<String>,
}

/// The entry of the audit trail that tells of a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Mention {
    pub sequence: i64,
    pub actor: String,
    pub action: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VersionView {
    pub version: i64,
    pub source: String,
    pub batch_id: Option<i64>,
    pub recorded_at: String,
    pub recorded_by: Option<Mention>,
    /// `null` for the version in force.
    pub superseded_at: Option<String>,
    pub superseded_by: Option<Mention>,
    pub values: BTreeMap<&'static str, Option<String>>,
    pub batch: Option<BatchView>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct History {
    pub entity: &'static str,
    pub key: Vec<String>,
    /// Oldest first.
    pub versions: Vec<VersionView>,
}

/// The entity, or the refusal that lists those that there are.
pub fn known_entity(name: &str) -> Result<&'static Entity, Refusal> {
    schema::entity(name).ok_or_else(|| {
        let names: Vec<&str> = ENTITIES.iter().map(|entity| entity.name).collect();
        Refusal::not_found(format!("`{name}` is no entity; there are {}", names.join(", ")))
    })
}

fn known_field(entity: &'static Entity, name: &str) -> Result<&'static Field, Refusal> {
    entity.field(name).ok_or_else(|| {
        let names: Vec<&str> = entity.fields.iter().map(|field| field.name).collect();
        Refusal::invalid(format!("`{name}` is no field of `{}`; there are {}", entity.name, names.join(", ")))
    })
}

fn field_view(field: &Field) -> FieldView {
    let (kind, reference, choices) = match field.kind {
        Kind::Text => ("text", None, Vec::new()),
        Kind::Id => ("id", None, Vec::new()),
        Kind::Reference(entity) => ("reference", Some(entity), Vec::new()),
        Kind::Choice(words) => ("choice", None, words.to_vec()),
        Kind::Day => ("day", None, Vec::new()),
        Kind::Money => ("money", None, Vec::new()),
        Kind::Rate => ("rate", None, Vec::new()),
        Kind::Flag => ("flag", None, Vec::new()),
    };
    FieldView { name: field.name, kind, required: field.required, reference, choices }
}

/// A key as one text. `~` and `%` within a field are written `%7E` and `%25`.
fn id_of(key: &[String]) -> String {
    let fields: Vec<String> = key.iter().map(|field| field.replace('%', "%25").replace(KEY_SEPARATOR, "%7E")).collect();
    fields.join("~")
}

/// The fields of a key from [`id_of`]; what is no such sequence stays as it is, so that a plain `~` between plain fields is enough.
fn key_of(id: &str) -> Vec<String> {
    id.split(KEY_SEPARATOR).map(|field| field.replace("%7E", "~").replace("%7e", "~").replace("%25", "%")).collect()
}

/// The place of a value in the order of a column: `(no value, rank)`. What is not in the column has a place too, between those
/// that are.
fn rank(column: &Column, kind: Kind, value: Option<&str>, descending: bool) -> Result<(bool, i128), String> {
    let Some(value) = value else { return Ok((true, 0)) };
    let rank = match column {
        Column::Number { .. } => i128::from(folder::number(kind, value)?) * 2,
        Column::Text(text) => match text.dictionary.binary_search_by(|own| own.as_str().cmp(value)) {
            Ok(at) => at as i128 * 2,
            Err(at) => at as i128 * 2 - 1,
        },
    };
    Ok((false, if descending { -rank } else { rank }))
}

fn rank_of_row(column: &Column, row: usize, descending: bool) -> (bool, i128) {
    let rank = match column {
        Column::Number { values, .. } if values[row] == NULL_NUMBER => return (true, 0),
        Column::Number { values, .. } => i128::from(values[row]) * 2,
        Column::Text(text) if text.get(row).is_none() => return (true, 0),
        Column::Text(text) => i128::from(text.codes[row]) * 2,
    };
    (false, if descending { -rank } else { rank })
}

/// What a row must be. Made once for a table, so that rows are compared by numbers.
enum Test<'a> {
    Number(&'a [i64], i64),
    Text(&'a [u32], u32),
    /// Codes of each text column, and which of them contain the needle.
    Containing(Vec<(&'a [u32], Vec<bool>)>),
    Never,
}

impl Test<'_> {
    fn fits(&self, row: usize) -> bool {
        match self {
            Test::Number(values, wanted) => values[row] == *wanted,
            Test::Text(codes, wanted) => codes[row] == *wanted,
            Test::Containing(columns) => columns.iter().any(|(codes, contain)| contain.get(codes[row] as usize).copied().unwrap_or(false)),
            Test::Never => false,
        }
    }
}

fn tests<'a>(entity: &'static Entity, table: &'a Table, selection: &Selection) -> Result<Vec<Test<'a>>, Refusal> {
    let mut tests = Vec::new();
    for (name, value) in &selection.filters {
        let field = known_field(entity, name)?;
        tests.push(match table.column(field.name) {
            None => Test::Never,
            Some(Column::Number { values, .. }) if value.is_empty() => Test::Number(values, NULL_NUMBER),
            Some(Column::Number { values, .. }) => {
                let wanted = folder::number(field.kind, value)
                    .map_err(|defect| Refusal::invalid(format!("`{value}` in `filter[{name}]` {defect}")))?;
                Test::Number(values, wanted)
            }
            Some(Column::Text(text)) if value.is_empty() => Test::Text(&text.codes, attain_domain::NULL_CODE),
            Some(Column::Text(text)) => match text.dictionary.binary_search(value) {
                Ok(code) => Test::Text(&text.codes, code as u32),
                Err(_) => Test::Never,
            },
        });
    }
    if let Some(needle) = selection.containing.as_deref().filter(|needle| !needle.is_empty()) {
        if needle.chars().count() > NEEDLE_LENGTH_MAX {
            return Err(Refusal::invalid(format!("`filter[q]` is longer than {NEEDLE_LENGTH_MAX} characters")));
        }
        let needle = needle.to_lowercase();
        let columns = table.columns.iter().filter_map(|(_, column)| match column {
            Column::Text(text) => {
                Some((text.codes.as_slice(), text.dictionary.iter().map(|own| own.to_lowercase().contains(&needle)).collect()))
            }
            Column::Number { .. } => None,
        });
        tests.push(Test::Containing(columns.collect()));
    }
    Ok(tests)
}

/// An entity's rows with a selection, ready to be walked.
struct Walk<'a> {
    entity: &'static Entity,
    table: &'a Table,
    /// Numbers of the rows that fit, in the order of their keys.
    fitting: Vec<usize>,
    /// `None` for the order of keys.
    sort: Option<(&'static Field, &'a Column)>,
    descending: bool,
}

impl<'a> Walk<'a> {
    fn new(entity: &'static Entity, table: &'a Table, selection: &Selection) -> Result<Walk<'a>, Refusal> {
        let tests = tests(entity, table, selection)?;
        let fitting = (0..table.row_count()).filter(|row| tests.iter().all(|test| test.fits(*row))).collect();
        let sort = selection.sort.as_deref().unwrap_or_default();
        let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
        let sort = if name.is_empty() {
            None
        } else {
            let field = known_field(entity, name)?;
            table.column(field.name).map(|column| (field, column))
        };
        Ok(Walk { entity, table, fitting, sort, descending })
    }

    /// Tables are in the order of keys, so a row's number settles between equal values.
    fn place(&self, row: usize) -> ((bool, i128), i128) {
        (self.sort.map_or((false, 0), |(_, column)| rank_of_row(column, row, self.descending)), row as i128)
    }

    fn order_name(&self) -> String {
        self.sort.map_or_else(String::new, |(field, _)| format!("{}{}", if self.descending { "-" } else { "" }, field.name))
    }

    fn position(&self, row: usize) -> Position {
        let value = self.sort.and_then(|(field, _)| folder::cell(self.table, field, row));
        Position { sort: self.order_name(), value, key: self.key(row) }
    }

    fn key(&self, row: usize) -> Vec<String> {
        self.entity.key().iter().map(|field| folder::cell(self.table, field, row).unwrap_or_default()).collect()
    }

    /// The place of the row that a cursor names, whether it is still there or not.
    fn place_of(&self, position: &Position) -> Result<((bool, i128), i128), Refusal> {
        let unfit = || Refusal::invalid("the cursor belongs to another list or order; begin without one");
        if position.sort != self.order_name() || position.key.len() != self.entity.key_count {
            return Err(unfit());
        }
        let mut wanted = Vec::new();
        for (field, value) in self.entity.key().iter().zip(&position.key) {
            let column = self.table.column(field.name).ok_or_else(unfit)?;
            wanted.push((column, rank(column, field.kind, Some(value), false).map_err(|_| unfit())?));
        }
        let compare = |row: usize| {
            let orders = wanted.iter().map(|(column, rank)| rank_of_row(column, row, false).cmp(rank));
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        };
        let (mut at, mut end) = (0, self.table.row_count());
        while at < end {
            let middle = at + (end - at) / 2;
            if compare(middle).is_lt() { at = middle + 1 } else { end = middle }
        }
        let is_there = at < self.table.row_count() && compare(at).is_eq();
        let first = match self.sort {
            None => (false, 0),
            Some((field, column)) => rank(column, field.kind, position.value.as_deref(), self.descending).map_err(|_| unfit())?,
        };
        Ok((first, if is_there { at as i128 } else { at as i128 - 1 }))
    }

    fn row(&self, row: usize) -> Row {
        let key = self.key(row);
        let values = self.entity.fields.iter().map(|field| (field.name, folder::cell(self.table, field, row)));
        Row { id: id_of(&key), key, values: values.collect() }
    }

    fn page(&self, limit: usize, cursor: Option<&str>) -> Result<RowsPage, Refusal> {
        let after = match cursor {
            None => None,
            Some(cursor) => {
                let position = serde_json::from_str(cursor).map_err(|_| Refusal::invalid("the cursor is damaged; begin without one"))?;
                Some(self.place_of(&position)?)
            }
        };
        let mut rows: Vec<usize> = match after {
            None => self.fitting.clone(),
            Some(after) => self.fitting.iter().copied().filter(|row| self.place(*row) > after).collect(),
        };
        let more = rows.len() > limit;
        if self.sort.is_some() {
            // Only the page is put in order; the rest is only known to come later.
            if more {
                rows.select_nth_unstable_by_key(limit, |row| self.place(*row));
            }
            rows.truncate(limit);
            rows.sort_unstable_by_key(|row| self.place(*row));
        }
        rows.truncate(limit);
        let next_cursor = match rows.last().filter(|_| more) {
            None => None,
            Some(last) => Some(serde_json::to_string(&self.position(*last)).map_err(|error| Refusal::invalid(error.to_string()))?),
        };
        Ok(RowsPage { items: rows.iter().map(|row| self.row(*row)).collect(), next_cursor, total: self.fitting.len() })
    }

    fn csv(&self) -> String {
        let mut rows = self.fitting.clone();
        if self.sort.is_some() {
            rows.sort_by_cached_key(|row| self.place(*row));
        }
        let mut text = self.entity.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(",");
        text.push_str("\r\n");
        for row in rows {
            for (index, field) in self.entity.fields.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                let value = folder::cell(self.table, field, row).unwrap_or_default();
                let is_text = field.kind.scale().is_none();
                text.push_str(&if is_text { safe_cell(&value) } else { value });
            }
            text.push_str("\r\n");
        }
        text
    }
}

/// A text as a cell of a CSV file that no spreadsheet takes for a formula.
fn safe_cell(text: &str) -> String {
    let guarded = attain_print::guarded(text);
    if guarded.contains([',', '"', '\n', '\r', ';']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

impl View {
    /// Every entity with its fields and how many rows it has.
    pub fn entities(&self, caller: &Caller) -> Result<Vec<EntityView>, Refusal> {
        caller.require(Action::SeeData)?;
        let view = |entity: &'static Entity| EntityView {
            name: entity.name,
            row_count: self.company.company.tables.get(entity.name).map_or(0, Table::row_count),
            fields: entity.fields.iter().map(field_view).collect(),
            key: entity.key().iter().map(|field| field.name).collect(),
            personal: entity.used_by == Use::Personal,
            needs_approval: crate::imports::needs_approval(entity.name),
        };
        Ok(ENTITIES.iter().map(view).collect())
    }

    fn walk(&self, caller: &Caller, entity: &str, selection: &Selection) -> Result<Walk<'_>, Refusal> {
        caller.require(Action::SeeData)?;
        let entity = known_entity(entity)?;
        let table = self.company.company.tables.get(entity.name);
        Walk::new(entity, table.ok_or_else(|| Refusal::not_found(format!("the record has no `{}`", entity.name)))?, selection)
    }

    /// A page of an entity's rows; `cursor` is what the page before answered.
    pub fn rows(
        &self,
        caller: &Caller,
        entity: &str,
        selection: &Selection,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<RowsPage, Refusal> {
        self.walk(caller, entity, selection)?.page(limit, cursor)
    }

    /// All rows of a selection as a CSV file with every field, safe to open in a spreadsheet.
    pub fn rows_csv(&self, caller: &Caller, entity: &str, selection: &Selection) -> Result<String, Refusal> {
        Ok(self.walk(caller, entity, selection)?.csv())
    }
}

/// A value of the record's history, which shows days and flags as numbers, as it is written in a file.
fn shown(field: &Field, value: Option<String>) -> Option<String> {
    let value = value?;
    match (field.kind, value.parse::<i64>()) {
        (Kind::Day | Kind::Flag, Ok(number)) => Some(folder::shown(field.kind, number)),
        _ => Some(value),
    }
}

impl Instance {
    /// Every version of one record with where it came from and who brought it. `id` is [`Row::id`].
    pub async fn record_history(&self, caller: &Caller, entity: &str, id: &str) -> Result<History> {
        caller.require(Action::SeeData)?;
        let entity = known_entity(entity)?;
        let key = key_of(id);
        let missing = || {
            let names: Vec<&str> = entity.key().iter().map(|field| field.name).collect();
            Refusal::not_found(format!("`{}` has no record `{id}`; its key is {} joined by `~`", entity.name, names.join(", ")))
        };
        let is_key = |(field, value): (&Field, &String)| match field.kind.scale() {
            Some(_) => folder::number(field.kind, value).is_ok(),
            None => !value.contains('\0'),
        };
        if key.len() != entity.key_count || !entity.key().iter().zip(&key).all(is_key) {
            return Err(missing().into());
        }
        let mut read = self.database.read().await?;
        let fields: Vec<&str> = key.iter().map(String::as_str).collect();
        let found = attain_store::entities::history(&mut read, entity, &fields).await?;
        if found.is_empty() {
            return Err(missing().into());
        }
        let mut versions = Vec::with_capacity(found.len());
        for own in found {
            let batch = match own.batch_id {
                None => None,
                Some(batch_id) => match attain_store::batches::by_id(&mut read, batch_id).await? {
                    None => None,
                    Some(batch) => Some(BatchView {
                        batch_id,
                        source: batch.source,
                        entity: batch.entity,
                        digest: batch.digest,
                        inserted: batch.counts.inserted,
                        changed: batch.counts.changed,
                        removed: batch.counts.removed,
                        unchanged: batch.counts.unchanged,
                        totals: batch.totals,
                        recorded_at: shown_ms(batch.recorded_at),
                        import_id: attain_store::imports::of_batch(&mut read, batch_id).await?,
                    }),
                },
            };
            let superseded_by = match own.superseded_at {
                None => None,
                Some(at) => mention(&mut read, entity, at).await?,
            };
            versions.push(VersionView {
                version: own.version,
                source: own.source,
                batch_id: own.batch_id,
                recorded_at: shown_ms(own.recorded_at),
                recorded_by: mention(&mut read, entity, own.recorded_at).await?,
                superseded_at: own.superseded_at.map(shown_ms),
                superseded_by,
                values: entity.fields.iter().zip(own.values).map(|(field, (name, value))| (name, shown(field, value))).collect(),
                batch,
            });
        }
        Ok(History { entity: entity.name, key, versions })
    }
}

/// The entry that tells of a change of an entity at that instant: entries of changes list the entities that they touched.
async fn mention(connection: &mut attain_database::Connection, entity: &Entity, at: i64) -> Result<Option<Mention>> {
    let named = format!("\"entity\":\"{}\"", entity.name);
    let found = attain_audit::recorded_at(connection, at).await?;
    let found = found.into_iter().find(|own| own.entry.after.as_deref().is_some_and(|after| after.contains(&named)));
    Ok(found.map(|own| Mention { sequence: own.sequence, actor: own.entry.actor, action: own.entry.action, reason: own.entry.reason }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_id_whatever_is_in_it() {
        for key in [vec!["a".to_owned()], vec!["a~b".to_owned(), "~".to_owned(), "50%7E".to_owned()], vec![String::new(), "%".to_owned()]] {
            assert_eq!(key_of(&id_of(&key)), key);
        }
        assert_eq!(key_of("ana~bookings~2026-01"), ["ana", "bookings", "2026-01"]);
    }
}
