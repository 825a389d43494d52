//! Files of rows that were sent: what became of each, and the text of those that were refused.

use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Tx};

/// A file that was sent. `errors` and `receipt` are JSON that the caller understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub import_id: String,
    pub entity: String,
    pub source: String,
    /// Of the file as it came.
    pub digest: String,
    pub byte_count: i64,
    /// `applied`, `unchanged`, `refused`, `waiting-for-approval` or `rejected`.
    pub state: String,
    pub error_count: i64,
    pub errors: String,
    pub receipt: Option<String>,
    pub batch_id: Option<i64>,
    pub change_id: Option<String>,
    /// The first attempt, where this is a mended file.
    pub first_id: Option<String>,
    /// The import that was taken in its place.
    pub mended_by: Option<String>,
    pub sent_by: String,
    pub sent_at: i64,
}

fn import(row: &sqlx::any::AnyRow) -> anyhow::Result<Import> {
    Ok(Import {
        import_id: row.try_get(0)?,
        entity: row.try_get(1)?,
        source: row.try_get(2)?,
        digest: row.try_get(3)?,
        byte_count: row.try_get(4)?,
        state: row.try_get(5)?,
        error_count: row.try_get(6)?,
        errors: row.try_get(7)?,
        receipt: row.try_get(8)?,
        batch_id: row.try_get(9)?,
        change_id: row.try_get(10)?,
        first_id: row.try_get(11)?,
        mended_by: row.try_get(12)?,
        sent_by: row.try_get(13)?,
        sent_at: row.try_get(14)?,
    })
}

pub async fn add(tx: &mut Tx, import: &Import) -> anyhow::Result<()> {
    sqlx::query(
        "insert into imports (import_id, entity, source, digest, byte_count, state, error_count, errors, receipt, batch_id, change_id, \
         first_id, mended_by, sent_by, sent_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(import.import_id.clone())
    .bind(import.entity.clone())
    .bind(import.source.clone())
    .bind(import.digest.clone())
    .bind(import.byte_count)
    .bind(import.state.clone())
    .bind(import.error_count)
    .bind(import.errors.clone())
    .bind(import.receipt.clone())
    .bind(import.batch_id)
    .bind(import.change_id.clone())
    .bind(import.first_id.clone())
    .bind(import.mended_by.clone())
    .bind(import.sent_by.clone())
    .bind(import.sent_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn keep_file(tx: &mut Tx, import_id: &str, body: &[u8]) -> anyhow::Result<()> {
    sqlx::query("insert into import_files (import_id, body) values ($1, $2)")
        .bind(import_id.to_owned())
        .bind(body.to_vec())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Keeps the newest files, at most `count_max` and `bytes_max` together; the newest one always.
pub async fn drop_old_files(tx: &mut Tx, count_max: usize, bytes_max: i64) -> anyhow::Result<()> {
    let kept: Vec<(String, i64)> = sqlx::query_as(
        "select f.import_id, i.byte_count from import_files f join imports i on i.import_id = f.import_id order by f.import_id desc",
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut bytes = 0i64;
    for (index, (import_id, byte_count)) in kept.into_iter().enumerate() {
        bytes = bytes.saturating_add(byte_count);
        if index > 0 && (index >= count_max || bytes > bytes_max) {
            sqlx::query("delete from import_files where import_id = $1").bind(import_id).execute(&mut **tx).await?;
        }
    }
    Ok(())
}

/// The text of a refused file, while it is kept.
pub async fn file(connection: &mut Connection, import_id: &str) -> anyhow::Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar("select body from import_files where import_id = $1")
        .bind(import_id.to_owned())
        .fetch_optional(connection)
        .await?)
}

pub async fn by_id(connection: &mut Connection, import_id: &str) -> anyhow::Result<Option<Import>> {
    let row = sqlx::query(
        "select import_id, entity, source, digest, byte_count, state, error_count, errors, receipt, batch_id, change_id, first_id, \
         mended_by, sent_by, sent_at from imports where import_id = $1",
    )
    .bind(import_id.to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(import).transpose()
}

/// The newest import of that very file that was applied or waits.
pub async fn taken(connection: &mut Connection, entity: &str, digest: &str) -> anyhow::Result<Option<Import>> {
    let row = sqlx::query(
        "select import_id, entity, source, digest, byte_count, state, error_count, errors, receipt, batch_id, change_id, first_id, \
         mended_by, sent_by, sent_at from imports where entity = $1 and digest = $2 and state in ('applied', 'waiting-for-approval') order by import_id desc limit 1",
    )
    .bind(entity.to_owned())
    .bind(digest.to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(import).transpose()
}

/// Imports older than `before`, newest first; the newest ones where it is empty.
pub async fn list(connection: &mut Connection, before: &str, limit: i64) -> anyhow::Result<Vec<Import>> {
    let rows = sqlx::query(
        "select import_id, entity, source, digest, byte_count, state, error_count, errors, receipt, batch_id, change_id, first_id, \
         mended_by, sent_by, sent_at from imports where $1 = '' or import_id < $1 order by import_id desc limit $2",
    )
    .bind(before.to_owned())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(import).collect()
}

/// Every attempt of a file is settled by the one that was taken.
pub async fn mended(tx: &mut Tx, first_id: &str, by: &str) -> anyhow::Result<()> {
    sqlx::query("update imports set mended_by = $1 where state = 'refused' and (import_id = $2 or first_id = $2)")
        .bind(by.to_owned())
        .bind(first_id.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What became of the import that waited as a change: `applied` with its batch, or `rejected`.
pub async fn decide(tx: &mut Tx, change_id: &str, state: &str, batch_id: Option<i64>) -> anyhow::Result<()> {
    sqlx::query("update imports set state = $1, batch_id = $2 where change_id = $3 and state = 'waiting-for-approval'")
        .bind(state.to_owned())
        .bind(batch_id)
        .bind(change_id.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The import that a batch came by.
pub async fn of_batch(connection: &mut Connection, batch_id: i64) -> anyhow::Result<Option<String>> {
    Ok(sqlx::query_scalar("select import_id from imports where batch_id = $1").bind(batch_id).fetch_optional(connection).await?)
}
