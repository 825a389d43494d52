//! Statements whose number of values is known only at run time. The only place where SQL text is put together from parts;
//! the parts are names from this program, never values.

use crate::{Connection, Kind};
use sqlx::{Any, AssertSqlSafe};

/// A value for a column; `None` is null. The kind is needed even then: PostgreSQL types its nulls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Value {
        Value::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(Some(value))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Value {
        Value::Text(value.map(str::to_owned))
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(value)
    }
}

/// `(?, ?), (?, ?)` or `($1, $2), ($3, $4)`; numbers start at `first`. SQLite gets `?` because the time it takes to parse
/// numbered ones grows with the square of their count.
pub fn placeholders(kind: Kind, first: usize, rows: usize, width: usize) -> String {
    let mut text = String::with_capacity(rows * width * 4);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            if column > 0 {
                text.push_str(", ");
            }
            match kind {
                Kind::Sqlite => text.push('?'),
                Kind::Postgres => {
                    text.push('$');
                    text.push_str(&(first + row * width + column).to_string());
                }
            }
        }
        text.push(')');
    }
    text
}

/// Runs `sql`, which names its values in order with what [`placeholders`] gives; answers the number of rows touched.
pub async fn execute(connection: &mut Connection, sql: String, values: Vec<Value>) -> anyhow::Result<u64> {
    let mut query = sqlx::query::<Any>(AssertSqlSafe(sql));
    for value in values {
        query = match value {
            Value::Integer(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    Ok(query.execute(connection).await?.rows_affected())
}

/// Inserts rows of `width` values into `target`, `table (column, …)`, many at a time. `ending` follows the values, for
/// example `on conflict do nothing`; it may be empty. Answers the number of rows inserted.
pub async fn insert(connection: &mut Connection, target: &str, width: usize, values: Vec<Value>, ending: &str) -> anyhow::Result<u64> {
    debug_assert!(width > 0 && values.len().is_multiple_of(width), "`{target}` is given whole rows");
    let kind = Kind::of(connection);
    let batch = (8_000 / width).clamp(1, 500) * width;
    let mut inserted = 0;
    let mut values = values.into_iter();
    loop {
        let part: Vec<Value> = values.by_ref().take(batch).collect();
        if part.is_empty() {
            return Ok(inserted);
        }
        let sql = format!("insert into {target} values {} {ending}", placeholders(kind, 1, part.len() / width, width));
        inserted += execute(connection, sql, part).await?;
    }
}
