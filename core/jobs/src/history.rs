//! What was and is done: jobs are kept for ever.

use crate::State;
use anyhow::Context as _;
use attain_database::Connection;
use attain_database::sqlx::any::AnyRow;
use attain_database::sqlx::{self, Row as _};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    pub job_id: String,
    pub kind: String,
    pub payload: Value,
    pub state: State,
    pub attempt: i64,
    pub attempts_max: i64,
    /// The slot, or the moment in which it was asked for.
    pub scheduled_for: i64,
    /// Of a waiting job: not before.
    pub run_at: i64,
    pub requested_by: String,
    pub schedule_id: Option<String>,
    pub node: Option<String>,
    /// Of the last attempt.
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub outcome: Option<Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    pub progress: Option<Progress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub stage: String,
    pub done: i64,
    pub stages: i64,
}

/// Which jobs; `None` for all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    pub state: Option<State>,
    pub schedule_id: Option<&'a str>,
    /// Only jobs that are older than this one.
    pub before: Option<&'a str>,
}

const ONE: &str = "select job_id, kind, payload, state, attempt, attempts_max, scheduled_for, run_at, requested_by, schedule_id, node, \
     started_at, ended_at, outcome, error, progress_stage, progress_done, progress_stages from jobs where job_id = $1";
const LIST: &str = "select job_id, kind, payload, state, attempt, attempts_max, scheduled_for, run_at, requested_by, schedule_id, node, \
     started_at, ended_at, outcome, error, progress_stage, progress_done, progress_stages from jobs \
     where ($1 = '' or state = $1) and ($2 = '' or schedule_id = $2) and ($3 = '' or job_id < $3) order by job_id desc limit $4";

fn read(row: &AnyRow) -> anyhow::Result<JobRecord> {
    let json = |text: String| serde_json::from_str(&text);
    let state: String = row.try_get("state")?;
    let stage: Option<String> = row.try_get("progress_stage")?;
    let (done, stages): (Option<i64>, Option<i64>) = (row.try_get("progress_done")?, row.try_get("progress_stages")?);
    Ok(JobRecord {
        job_id: row.try_get("job_id")?,
        kind: row.try_get("kind")?,
        payload: json(row.try_get("payload")?)?,
        state: State::from_name(&state).with_context(|| format!("`{state}` is no state of a job"))?,
        attempt: row.try_get("attempt")?,
        attempts_max: row.try_get("attempts_max")?,
        scheduled_for: row.try_get("scheduled_for")?,
        run_at: row.try_get("run_at")?,
        requested_by: row.try_get("requested_by")?,
        schedule_id: row.try_get("schedule_id")?,
        node: row.try_get("node")?,
        started_at: row.try_get("started_at")?,
        ended_at: row.try_get("ended_at")?,
        outcome: row.try_get::<Option<String>, _>("outcome")?.map(json).transpose()?,
        error: row.try_get("error")?,
        progress: stage.zip(done).zip(stages).map(|((stage, done), stages)| Progress { stage, done, stages }),
    })
}

pub async fn job(connection: &mut Connection, job_id: &str) -> anyhow::Result<Option<JobRecord>> {
    let row = sqlx::query(ONE).bind(job_id.to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Newest first.
pub async fn list(connection: &mut Connection, filter: Filter<'_>, limit: usize) -> anyhow::Result<Vec<JobRecord>> {
    let rows = sqlx::query(LIST)
        .bind(filter.state.map_or("", State::name))
        .bind(filter.schedule_id.unwrap_or_default().to_owned())
        .bind(filter.before.unwrap_or_default().to_owned())
        .bind(i64::try_from(limit)?)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}
