//! What became of periods: every step from one state to the next, and the run whose statements stand for one that is approved or closed.

use attain_database::sqlx;
use attain_database::{Connection, Tx};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodEvent {
    pub period_id: String,
    pub sequence: i64,
    pub from_state: String,
    pub to_state: String,
    /// The run that stands from this step on.
    pub run_id: Option<String>,
    pub actor: String,
    pub reason: String,
    pub recorded_at: i64,
}

type EventRow = (String, i64, String, String, Option<String>, String, String, i64);

/// All steps, by period and in order.
pub async fn events(connection: &mut Connection) -> anyhow::Result<Vec<PeriodEvent>> {
    let sql = "select period_id, sequence, from_state, to_state, run_id, actor, reason, recorded_at from period_events \
               order by period_id, sequence";
    let rows: Vec<EventRow> = sqlx::query_as(sql).fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|(period_id, sequence, from_state, to_state, run_id, actor, reason, recorded_at)| PeriodEvent {
            period_id,
            sequence,
            from_state,
            to_state,
            run_id,
            actor,
            reason,
            recorded_at,
        })
        .collect())
}

/// Adds a step; its number follows the last one of the period.
pub async fn add(tx: &mut Tx, event: &PeriodEvent) -> anyhow::Result<()> {
    sqlx::query(
        "insert into period_events (period_id, sequence, from_state, to_state, run_id, actor, reason, recorded_at) \
         select $1, coalesce(max(sequence), 0) + 1, $2, $3, $4, $5, $6, $7 from period_events where period_id = $1",
    )
    .bind(event.period_id.clone())
    .bind(event.from_state.clone())
    .bind(event.to_state.clone())
    .bind(event.run_id.clone())
    .bind(event.actor.clone())
    .bind(event.reason.clone())
    .bind(event.recorded_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// When rows or documents last changed, leaving out the states of periods themselves; 0 where nothing was loaded.
pub async fn last_change(connection: &mut Connection) -> anyhow::Result<i64> {
    let rows: i64 = sqlx::query_scalar("select coalesce(max(recorded_at), 0) from import_batches where entity <> 'periods'")
        .fetch_one(&mut *connection)
        .await?;
    let documents: i64 = sqlx::query_scalar("select coalesce(max(recorded_at), 0) from documents").fetch_one(&mut *connection).await?;
    let gone: i64 = sqlx::query_scalar("select coalesce(max(superseded_at), 0) from documents").fetch_one(connection).await?;
    Ok(rows.max(documents).max(gone))
}

/// The last complete run.
pub async fn last_complete_run(connection: &mut Connection) -> anyhow::Result<Option<(String, i64)>> {
    let sql = "select run_id, created_at from runs where status = 'complete' order by created_at desc, run_id limit 1";
    Ok(sqlx::query_as(sql).fetch_optional(connection).await?)
}
