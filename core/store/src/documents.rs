//! Texts that are kept whole, by their path in the company folder: settings, plans, scripts, cases and expected results.

use crate::digest;
use anyhow::ensure;
use attain_database::sqlx;
use attain_database::{Connection, Tx};
use std::collections::BTreeMap;

/// The texts in force by path.
pub async fn current(connection: &mut Connection) -> anyhow::Result<BTreeMap<String, String>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select path, body from documents where superseded_at is null").fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

/// A text by its digest, in force or not.
pub async fn by_digest(connection: &mut Connection, digest: &str) -> anyhow::Result<Option<String>> {
    Ok(sqlx::query_scalar("select body from documents where digest = $1 limit 1").bind(digest).fetch_optional(connection).await?)
}

/// One version of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub version: i64,
    pub body: String,
    pub recorded_at: i64,
    pub superseded_at: Option<i64>,
}

/// All versions of a text, oldest first.
pub async fn history(connection: &mut Connection, path: &str) -> anyhow::Result<Vec<Version>> {
    let sql = "select version, body, recorded_at, superseded_at from documents where path = $1 order by version";
    let rows: Vec<(i64, String, i64, Option<i64>)> = sqlx::query_as(sql).bind(path.to_owned()).fetch_all(connection).await?;
    let version = |(version, body, recorded_at, superseded_at)| Version { version, body, recorded_at, superseded_at };
    Ok(rows.into_iter().map(version).collect())
}

/// Writes the difference between `before`, which must be what is in force, and `wanted`. Answers the paths that differ.
pub async fn write(
    tx: &mut Tx,
    before: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
    now: i64,
) -> anyhow::Result<Vec<String>> {
    let mut touched = Vec::new();
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(wanted.keys()).collect();
    for path in paths {
        let (old, new) = (before.get(path), wanted.get(path));
        if old == new {
            continue;
        }
        if old.is_some() {
            let gone = sqlx::query("update documents set superseded_at = $1 where path = $2 and superseded_at is null")
                .bind(now)
                .bind(path.clone())
                .execute(&mut **tx)
                .await?;
            ensure!(gone.rows_affected() == 1, "`{path}` was changed by somebody else meanwhile: read it again and repeat");
        }
        if let Some(body) = new {
            sqlx::query(
                "insert into documents (path, version, digest, body, recorded_at) \
                 select $1, cast(coalesce(max(version), 0) + 1 as bigint), $2, $3, $4 from documents where path = $1",
            )
            .bind(path.clone())
            .bind(digest(body.as_bytes()))
            .bind(body.clone())
            .bind(now)
            .execute(&mut **tx)
            .await?;
        }
        touched.push(path.clone());
    }
    Ok(touched)
}
