//! Imports that were taken in: where from, what, how many rows and with which control totals.

use crate::entities::Counts;
use attain_database::sqlx;
use attain_database::{Connection, Tx};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub batch_id: i64,
    pub source: String,
    pub entity: String,
    /// Digest of the file or answer as it came.
    pub digest: String,
    pub counts: Counts,
    /// Control totals by name, in plain notation.
    pub totals: BTreeMap<String, String>,
    pub recorded_at: i64,
}

/// The number to write rows under before [`write`] closes the batch.
pub async fn next_id(tx: &mut Tx) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("select cast(coalesce(max(batch_id), 0) + 1 as bigint) from import_batches").fetch_one(&mut **tx).await?)
}

pub async fn write(tx: &mut Tx, batch: &Batch) -> anyhow::Result<()> {
    sqlx::query(
        "insert into import_batches (batch_id, source, entity, digest, inserted_count, changed_count, removed_count, unchanged_count, \
         totals, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(batch.batch_id)
    .bind(batch.source.clone())
    .bind(batch.entity.clone())
    .bind(batch.digest.clone())
    .bind(batch.counts.inserted as i64)
    .bind(batch.counts.changed as i64)
    .bind(batch.counts.removed as i64)
    .bind(batch.counts.unchanged as i64)
    .bind(serde_json::to_string(&batch.totals)?)
    .bind(batch.recorded_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn by_id(connection: &mut Connection, batch_id: i64) -> anyhow::Result<Option<Batch>> {
    type Row = (String, String, String, i64, i64, i64, i64, String, i64);
    let row: Option<Row> = sqlx::query_as(
        "select source, entity, digest, inserted_count, changed_count, removed_count, unchanged_count, totals, recorded_at \
         from import_batches where batch_id = $1",
    )
    .bind(batch_id)
    .fetch_optional(connection)
    .await?;
    let batch = |(source, entity, digest, inserted, changed, removed, unchanged, totals, recorded_at): Row| {
        let counts = Counts { inserted: inserted as u64, changed: changed as u64, removed: removed as u64, unchanged: unchanged as u64 };
        anyhow::Ok(Batch { batch_id, source, entity, digest, counts, totals: serde_json::from_str(&totals)?, recorded_at })
    };
    row.map(batch).transpose()
}

/// All batches, newest first.
pub async fn list(connection: &mut Connection) -> anyhow::Result<Vec<Batch>> {
    type Row = (i64, String, String, String, i64, i64, i64, i64, String);
    let rows: Vec<Row> = sqlx::query_as(
        "select batch_id, source, entity, digest, inserted_count, changed_count, removed_count, unchanged_count, totals \
         from import_batches order by batch_id desc",
    )
    .fetch_all(&mut *connection)
    .await?;
    let times: Vec<i64> = sqlx::query_scalar("select recorded_at from import_batches order by batch_id desc").fetch_all(connection).await?;
    rows.into_iter()
        .zip(times)
        .map(|((batch_id, source, entity, digest, inserted, changed, removed, unchanged, totals), recorded_at)| {
            let counts =
                Counts { inserted: inserted as u64, changed: changed as u64, removed: removed as u64, unchanged: unchanged as u64 };
            Ok(Batch { batch_id, source, entity, digest, counts, totals: serde_json::from_str(&totals)?, recorded_at })
        })
        .collect()
}
