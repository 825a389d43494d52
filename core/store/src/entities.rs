//! Records of the entities in the schema list. A change supersedes, nothing is overwritten.

use crate::row_hashes::{Digested, RowHashes};
use anyhow::{Context, bail, ensure};
use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Kind, Tx, Value, execute, insert, placeholders};
use attain_domain::schema::Entity;
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Table, TextColumn};
use futures_util::TryStreamExt as _;
use std::cmp::Ordering;
use std::collections::HashMap;

/// What differs between two tables of one entity. `changed` has the rows after, `before` the same records before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    pub inserted: Table,
    pub changed: Table,
    pub before: Table,
    pub removed: Table,
    pub unchanged_count: usize,
}

/// Control totals of a change: inserted + changed + unchanged = rows wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    pub inserted: u64,
    pub changed: u64,
    pub removed: u64,
    pub unchanged: u64,
}

/// One version of a record, as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordVersion {
    pub version: i64,
    pub source: String,
    pub batch_id: Option<i64>,
    pub recorded_at: i64,
    /// `None` for the version in force.
    pub superseded_at: Option<i64>,
    /// In the order of the schema, in plain notation.
    pub values: Vec<(&'static str, Option<String>)>,
}

enum Builder {
    Number(u8, Vec<i64>),
    Text(TextColumn, HashMap<String, u32>),
}

fn builders(entity: &Entity) -> Vec<Builder> {
    let builder = |field: &attain_domain::schema::Field| match field.kind.scale() {
        Some(scale) => Builder::Number(scale, Vec::new()),
        None => Builder::Text(TextColumn::default(), HashMap::new()),
    };
    entity.fields.iter().map(builder).collect()
}

fn read_row(row: &sqlx::any::AnyRow, builders: &mut [Builder]) -> anyhow::Result<()> {
    for (index, builder) in builders.iter_mut().enumerate() {
        match builder {
            Builder::Number(_, values) => values.push(row.try_get::<Option<i64>, _>(index)?.unwrap_or(NULL_NUMBER)),
            Builder::Text(column, codes) => {
                let code = match row.try_get::<Option<&str>, _>(index)? {
                    None => NULL_CODE,
                    Some(text) => match codes.get(text) {
                        Some(code) => *code,
                        None => {
                            let code = column.dictionary.len() as u32;
                            column.dictionary.push(text.to_owned());
                            codes.insert(text.to_owned(), code);
                            code
                        }
                    },
                };
                column.codes.push(code);
            }
        }
    }
    Ok(())
}

fn finish(entity: &Entity, builders: Vec<Builder>) -> Table {
    let mut table = Table::new(entity.name);
    for (field, builder) in entity.fields.iter().zip(builders) {
        let column = match builder {
            Builder::Number(scale, values) => Column::Number { scale, values },
            Builder::Text(column, _) => Column::Text(column.canonical()),
        };
        table = table.with(field.name, column);
    }
    table
}

fn field_list(entity: &Entity) -> String {
    entity.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

fn key_list(entity: &Entity) -> String {
    entity.key().iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

/// The records in force, all columns of the schema, in order of the key, text columns canonical.
pub async fn load(connection: &mut Connection, entity: &Entity) -> anyhow::Result<Table> {
    let sql = format!("select {} from {} where superseded_at is null", field_list(entity), entity.name);
    let mut builders = builders(entity);
    let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        read_row(&row, &mut builders)?;
    }
    let table = finish(entity, builders);
    let order = key_order(entity, &table)?;
    Ok(if order.is_sorted() { table } else { table.take(&order) })
}

/// Every version of one record, oldest first. `key` holds the key fields in order, in plain notation.
pub async fn history(connection: &mut Connection, entity: &'static Entity, key: &[&str]) -> anyhow::Result<Vec<RecordVersion>> {
    ensure!(key.len() == entity.key_count, "a key of `{}` is {}: give {} values", entity.name, key_list(entity), entity.key_count);
    let tests: Vec<String> = entity.key().iter().enumerate().map(|(index, field)| format!("{} = ${}", field.name, index + 1)).collect();
    let sql = format!(
        "select {}, version, source, batch_id, recorded_at, superseded_at from {} where {} order by version",
        field_list(entity),
        entity.name,
        tests.join(" and ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for (field, text) in entity.key().iter().zip(key) {
        query = match field.kind.scale() {
            None => query.bind((*text).to_owned()),
            Some(scale) => {
                let value = match field.kind {
                    attain_domain::schema::Kind::Day => text.parse::<attain_domain::Day>().ok().map(|day| i64::from(day.0)),
                    _ => attain_domain::fixed::parse(text, scale),
                };
                query.bind(value.with_context(|| format!("`{text}` is no value of `{}.{}`", entity.name, field.name))?)
            }
        };
    }
    let mut versions = Vec::new();
    for row in query.fetch_all(connection).await? {
        let mut one = builders(entity);
        read_row(&row, &mut one)?;
        let table = finish(entity, one);
        let values = entity.fields.iter().zip(&table.columns).map(|(field, (_, column))| (field.name, column.show(0))).collect();
        let at = entity.fields.len();
        versions.push(RecordVersion {
            version: row.try_get(at)?,
            source: row.try_get(at + 1)?,
            batch_id: row.try_get(at + 2)?,
            recorded_at: row.try_get(at + 3)?,
            superseded_at: row.try_get(at + 4)?,
            values,
        });
    }
    Ok(versions)
}

/// The columns of two tables as numbers that compare alike: text columns get the codes of one common sorted dictionary.
fn comparable(entity: &Entity, current: &Table, wanted: &Table) -> anyhow::Result<Vec<[Vec<i64>; 2]>> {
    let mut columns = Vec::with_capacity(entity.fields.len());
    for field in entity.fields {
        let text = field.kind.scale().is_none();
        if text {
            let mut words: Vec<&str> = Vec::new();
            for table in [current, wanted] {
                if let Some(column) = table.texts(field.name) {
                    words.extend(column.dictionary.iter().map(String::as_str));
                }
            }
            words.sort_unstable();
            words.dedup();
            let rank: HashMap<&str, i64> = words.iter().enumerate().map(|(index, word)| (*word, index as i64)).collect();
            columns.push([current, wanted].map(|table| match table.texts(field.name) {
                Some(column) => {
                    let ranks: Vec<i64> = column.dictionary.iter().map(|word| rank[word.as_str()]).collect();
                    column.codes.iter().map(|code| ranks.get(*code as usize).copied().unwrap_or(NULL_NUMBER)).collect()
                }
                None => vec![NULL_NUMBER; table.row_count()],
            }));
        } else {
            columns.push([current, wanted].map(|table| match table.numbers(field.name) {
                Some(values) => values.to_vec(),
                None => vec![NULL_NUMBER; table.row_count()],
            }));
        }
        for table in [current, wanted] {
            let fits = match table.column(field.name) {
                None => true,
                Some(Column::Text(_)) => text,
                Some(Column::Number { scale, .. }) => field.kind.scale() == Some(*scale),
            };
            ensure!(fits, "column `{}` of `{}` is not of the kind that the schema says", field.name, entity.name);
        }
    }
    Ok(columns)
}

fn key_order(entity: &Entity, table: &Table) -> anyhow::Result<Vec<usize>> {
    let empty = Table::new(entity.name);
    let columns = comparable(entity, &empty, table)?;
    let mut order: Vec<usize> = (0..table.row_count()).collect();
    order.sort_by(|left, right| compare_keys(entity, &columns, (1, *left), (1, *right)));
    Ok(order)
}

fn compare_keys(entity: &Entity, columns: &[[Vec<i64>; 2]], left: (usize, usize), right: (usize, usize)) -> Ordering {
    columns[..entity.key_count]
        .iter()
        .map(|column| column[left.0][left.1].cmp(&column[right.0][right.1]))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// What it takes to turn `current` into `wanted`, in order of the key. A column that a table does not have holds no values.
/// Refuses two rows with one key.
pub fn diff(entity: &Entity, current: &Table, wanted: &Table) -> anyhow::Result<Changes> {
    for table in [current, wanted] {
        if let Some(defect) = table.defect() {
            bail!(defect);
        }
    }
    let columns = comparable(entity, current, wanted)?;
    let sorted = |side: usize, rows: usize| -> anyhow::Result<Vec<usize>> {
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|left, right| compare_keys(entity, &columns, (side, *left), (side, *right)));
        let twice = order.windows(2).find(|pair| compare_keys(entity, &columns, (side, pair[0]), (side, pair[1])).is_eq());
        if let Some(pair) = twice {
            let table = if side == 0 { current } else { wanted };
            let key: Vec<String> = entity
                .key()
                .iter()
                .map(|field| table.column(field.name).and_then(|column| column.show(pair[0])).unwrap_or_default())
                .collect();
            bail!("`{}` has two rows with the key `{}`: keep one", entity.name, key.join("`, `"));
        }
        Ok(order)
    };
    let (left, right) = (sorted(0, current.row_count())?, sorted(1, wanted.row_count())?);
    let (mut inserted, mut changed, mut before, mut removed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut unchanged_count = 0;
    let (mut at, mut to) = (0, 0);
    while at < left.len() || to < right.len() {
        let order = match (left.get(at), right.get(to)) {
            (Some(old), Some(new)) => compare_keys(entity, &columns, (0, *old), (1, *new)),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match order {
            Ordering::Less => {
                removed.push(left[at]);
                at += 1;
            }
            Ordering::Greater => {
                inserted.push(right[to]);
                to += 1;
            }
            Ordering::Equal => {
                if columns.iter().all(|column| column[0][left[at]] == column[1][right[to]]) {
                    unchanged_count += 1;
                } else {
                    before.push(left[at]);
                    changed.push(right[to]);
                }
                at += 1;
                to += 1;
            }
        }
    }
    Ok(Changes {
        inserted: wanted.take(&inserted),
        changed: wanted.take(&changed),
        before: current.take(&before),
        removed: current.take(&removed),
        unchanged_count,
    })
}

fn value(table: &Table, field: &attain_domain::schema::Field, row: usize) -> Value {
    match table.column(field.name) {
        Some(Column::Number { values, .. }) => Value::Integer(Some(values[row]).filter(|value| *value != NULL_NUMBER)),
        Some(Column::Text(text)) => Value::Text(text.get(row).map(str::to_owned)),
        None if field.kind.scale().is_some() => Value::Integer(None),
        None => Value::Text(None),
    }
}

/// Writes the difference between `before`, which must be what is in force, and `after`.
pub async fn write(tx: &mut Tx, entity: &Entity, before: &Table, after: &Table, source: &str, now: i64) -> anyhow::Result<Counts> {
    let changes = diff(entity, before, after)?;
    Ok(write_changes(tx, entity, &changes, source, None, now).await?.0)
}

/// Writes `changes` in one go: all or nothing with its transaction. Fails where the record is no longer as it was compared. The digest of
/// the rows goes into the audit entry of the change; there is none where nothing changed.
pub async fn write_changes(
    tx: &mut Tx,
    entity: &Entity,
    changes: &Changes,
    source: &str,
    batch_id: Option<i64>,
    now: i64,
) -> anyhow::Result<(Counts, Option<Digested>)> {
    let counts = Counts {
        inserted: changes.inserted.row_count() as u64,
        changed: changes.changed.row_count() as u64,
        removed: changes.removed.row_count() as u64,
        unchanged: changes.unchanged_count as u64,
    };
    if counts.inserted + counts.changed + counts.removed == 0 {
        return Ok((counts, None));
    }
    let mut hashes = RowHashes::default();
    let sql = format!("select cast(coalesce(max(version), 0) as bigint) from {}", entity.name);
    let version: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut **tx).await?;
    for gone in [&changes.before, &changes.removed] {
        supersede(tx, entity, gone, now).await?;
        for row in 0..gone.row_count() {
            let key: Vec<Value> = entity.key().iter().map(|field| value(gone, field, row)).collect();
            hashes.superseded(&key);
        }
    }
    let width = entity.fields.len() + 4;
    let target = format!("{} ({}, version, source, batch_id, recorded_at)", entity.name, field_list(entity));
    for table in [&changes.inserted, &changes.changed] {
        // A part at a time, so that a million rows are not held twice.
        for from in (0..table.row_count()).step_by(10_000) {
            let rows = from..(from + 10_000).min(table.row_count());
            let mut values = Vec::with_capacity(rows.len() * width);
            for row in rows {
                let start = values.len();
                values.extend(entity.fields.iter().map(|field| value(table, field, row)));
                values.extend([Value::from(version + 1), Value::from(source), Value::from(batch_id), Value::from(now)]);
                hashes.written(&values[start..], entity.key_count);
            }
            insert(tx, &target, width, values, "").await.with_context(|| format!("rows of `{}` could not be written", entity.name))?;
        }
    }
    let digested = hashes.keep(tx, entity.name, now).await?;
    Ok((counts, Some(digested)))
}

async fn supersede(tx: &mut Tx, entity: &Entity, gone: &Table, now: i64) -> anyhow::Result<()> {
    let width = entity.key_count;
    let kind = Kind::of(tx);
    for from in (0..gone.row_count()).step_by(500) {
        let rows = from..(from + 500).min(gone.row_count());
        let (keys, count) = (placeholders(kind, 2, rows.len(), width), rows.len() as u64);
        let first = if kind == Kind::Sqlite { "?" } else { "$1" };
        let sql = format!(
            "update {} set superseded_at = {first} where superseded_at is null and ({}) in (values {keys})",
            entity.name,
            key_list(entity)
        );
        let mut values = vec![Value::from(now)];
        for row in rows {
            values.extend(entity.key().iter().map(|field| value(gone, field, row)));
        }
        let touched = execute(tx, sql, values).await?;
        ensure!(touched == count, "records of `{}` were changed by somebody else meanwhile: read them again and repeat", entity.name);
    }
    Ok(())
}
