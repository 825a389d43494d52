//! Taking jobs in, and the life of a job: waiting, running under a lease, done or failed.

use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Database, Kind, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How often a job is tried before it has failed for good.
pub const ATTEMPTS_MAX: i64 = 5;
const BACKOFF_FIRST: i64 = 5_000;
/// The longest wait between two attempts.
pub const BACKOFF_MAX: i64 = 900_000;
/// Of what is kept of an error and of a payload.
const ERROR_CHARS_MAX: usize = 4_000;
const PAYLOAD_BYTES_MAX: usize = 64 << 10;

/// Milliseconds to wait after the attempt of that number, counted from 1.
pub fn backoff(attempt: i64) -> i64 {
    let doublings = u32::try_from(attempt.clamp(1, 16) - 1).unwrap_or(0) * 2;
    BACKOFF_FIRST.saturating_mul(1 << doublings).min(BACKOFF_MAX)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Waiting,
    Running,
    Done,
    Failed,
}

impl State {
    pub const ALL: [State; 4] = [State::Waiting, State::Running, State::Done, State::Failed];

    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
        }
    }

    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A job to take in.
#[derive(Debug, Clone)]
pub struct Job {
    pub kind: String,
    pub payload: Value,
    /// While a job with this key waits, another is not taken in.
    pub key: Option<String>,
    /// Only one job of a lane runs at a time.
    pub lane: Option<String>,
    pub requested_by: String,
    pub attempts_max: i64,
}

impl Job {
    pub fn new(kind: &str, payload: Value, requested_by: &str) -> Job {
        Job {
            kind: kind.to_owned(),
            payload,
            key: None,
            lane: None,
            requested_by: requested_by.to_owned(),
            attempts_max: ATTEMPTS_MAX,
        }
    }

    #[must_use]
    pub fn key(mut self, key: &str) -> Job {
        self.key = Some(key.to_owned());
        self
    }

    #[must_use]
    pub fn lane(mut self, lane: &str) -> Job {
        self.lane = Some(lane.to_owned());
        self
    }
}

/// A job that was taken in, or the one with its key that waits already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    pub job_id: String,
    pub is_new: bool,
}

/// The right to do a job until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub job_id: String,
    pub fence: i64,
    /// How long it lasts from its beginning or its last renewal, in milliseconds.
    pub millis: i64,
}

/// The job was taken over, or is over: the holder of the lease must write nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the lease of job `{0}` was lost to another worker; nothing was written")]
pub struct Lost(pub String);

/// A job in the hands of a worker.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub lease: Lease,
    pub kind: String,
    pub payload: Value,
    pub requested_by: String,
    pub schedule_id: Option<String>,
    /// Counted from 1.
    pub attempt: i64,
}

/// Takes a job in, to be done from `run_at` on.
pub async fn enqueue(tx: &mut Tx, job: &Job, now: i64) -> anyhow::Result<Enqueued> {
    take_in(tx, job, None, now).await
}

/// `slot` is the schedule and its slot; a slot that has its job already gets no second one.
pub(crate) async fn take_in(tx: &mut Tx, job: &Job, slot: Option<(&str, i64)>, now: i64) -> anyhow::Result<Enqueued> {
    anyhow::ensure!(is_name(&job.kind), "`{}` is no kind of job: lower-case letters, digits and `-`", job.kind);
    let payload = job.payload.to_string();
    anyhow::ensure!(payload.len() <= PAYLOAD_BYTES_MAX, "the payload of a job has more than {PAYLOAD_BYTES_MAX} bytes");
    let job_id = crate::new_id(now)?;
    // The one with the key may begin between the two statements; then there is room for this one.
    for _ in 0..3 {
        let done = sqlx::query(
            "insert into jobs (job_id, kind, payload, unique_key, lane, state, attempt, attempts_max, fence, scheduled_for, run_at, \
             requested_by, schedule_id, slot_at, created_at) \
             values ($1, $2, $3, $4, $5, 'waiting', 0, $6, 0, $7, $8, $9, $10, $11, $12) on conflict do nothing",
        )
        .bind(job_id.clone())
        .bind(job.kind.clone())
        .bind(payload.clone())
        .bind(job.key.clone())
        .bind(job.lane.clone())
        .bind(job.attempts_max)
        .bind(slot.map_or(now, |(_, at)| at))
        .bind(now)
        .bind(job.requested_by.clone())
        .bind(slot.map(|(id, _)| id.to_owned()))
        .bind(slot.map(|(_, at)| at))
        .bind(now)
        .execute(&mut **tx)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(Enqueued { job_id, is_new: true });
        }
        let there: Option<String> = match slot {
            Some((schedule_id, slot_at)) => {
                sqlx::query_scalar("select job_id from jobs where schedule_id = $1 and slot_at = $2")
                    .bind(schedule_id.to_owned())
                    .bind(slot_at)
                    .fetch_optional(&mut **tx)
                    .await?
            }
            None => {
                sqlx::query_scalar("select job_id from jobs where unique_key = $1 and state = 'waiting'")
                    .bind(job.key.clone())
                    .fetch_optional(&mut **tx)
                    .await?
            }
        };
        if let Some(job_id) = there {
            return Ok(Enqueued { job_id, is_new: false });
        }
    }
    anyhow::bail!("jobs with the key `{}` come and go too fast; try again", job.key.as_deref().unwrap_or_default())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether a job or a schedule waits for somebody, so that looking costs no write transaction.
pub async fn anything_to_do(connection: &mut Connection, now: i64) -> anyhow::Result<bool> {
    let sql = "select (select count(*) from jobs where state = 'waiting' and run_at <= $1) \
               + (select count(*) from jobs where state = 'running' and lease_until <= $2) \
               + (select count(*) from schedules where removed_at is null and paused = 0 and next_at <= $3)";
    let count: i64 = sqlx::query_scalar(sql).bind(now).bind(now).bind(now).fetch_one(connection).await?;
    Ok(count > 0)
}

const CANDIDATE: &str = "select job_id, kind, payload, requested_by, schedule_id, attempt, fence from jobs as own \
     where ((state = 'waiting' and run_at <= $1) or (state = 'running' and lease_until <= $2)) and $3 like '% ' || kind || ' %' \
     and not exists (select 1 from jobs as other where other.lane = own.lane and other.state = 'running' and other.job_id <> own.job_id) \
     order by run_at, job_id limit 1";
// What somebody else has in hand at this moment is passed over.
const CANDIDATE_POSTGRES: &str = "select job_id, kind, payload, requested_by, schedule_id, attempt, fence from jobs as own \
     where ((state = 'waiting' and run_at <= $1) or (state = 'running' and lease_until <= $2)) and $3 like '% ' || kind || ' %' \
     and not exists (select 1 from jobs as other where other.lane = own.lane and other.state = 'running' and other.job_id <> own.job_id) \
     order by run_at, job_id limit 1 for update of own skip locked";
const BURY: &str = "update jobs set state = 'failed', ended_at = $1, lease_until = null, \
     error = 'the node was lost in the last attempt' where job_id in \
     (select job_id from jobs where state = 'running' and lease_until <= $2 and attempt >= attempts_max)";
const BURY_POSTGRES: &str = "update jobs set state = 'failed', ended_at = $1, lease_until = null, \
     error = 'the node was lost in the last attempt' where job_id in \
     (select job_id from jobs where state = 'running' and lease_until <= $2 and attempt >= attempts_max for update skip locked)";

/// Takes the oldest job of these kinds that waits, or whose lease has expired; `None` where there is none. A job that took its
/// node down at every attempt fails here.
pub async fn claim(tx: &mut Tx, node: &str, kinds: &[&str], lease_millis: i64, now: i64) -> anyhow::Result<Option<Claimed>> {
    let (candidate, bury) = match Kind::of(tx) {
        Kind::Sqlite => (CANDIDATE, BURY),
        Kind::Postgres => (CANDIDATE_POSTGRES, BURY_POSTGRES),
    };
    sqlx::query(bury).bind(now).bind(now).execute(&mut **tx).await?;
    let wanted = format!(" {} ", kinds.join(" "));
    let Some(row) = sqlx::query(candidate).bind(now).bind(now).bind(wanted).fetch_optional(&mut **tx).await? else { return Ok(None) };
    let (job_id, fence, attempt): (String, i64, i64) = (row.try_get("job_id")?, row.try_get("fence")?, row.try_get("attempt")?);
    let taken = sqlx::query(
        "update jobs set state = 'running', node = $1, lease_until = $2, started_at = $3, attempt = attempt + 1, fence = fence + 1, \
         error = null, progress_stage = null, progress_done = null, progress_stages = null where job_id = $4 and fence = $5",
    )
    .bind(node.to_owned())
    .bind(now + lease_millis)
    .bind(now)
    .bind(job_id.clone())
    .bind(fence)
    .execute(&mut **tx)
    .await;
    match taken {
        Ok(done) => anyhow::ensure!(done.rows_affected() == 1, "job `{job_id}` was taken while it was locked"),
        // Another node began a job of this lane in the same moment.
        Err(error) if error.as_database_error().is_some_and(|own| own.is_unique_violation()) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let payload: String = row.try_get("payload")?;
    Ok(Some(Claimed {
        lease: Lease { job_id, fence: fence + 1, millis: lease_millis },
        kind: row.try_get("kind")?,
        payload: serde_json::from_str(&payload)?,
        requested_by: row.try_get("requested_by")?,
        schedule_id: row.try_get("schedule_id")?,
        attempt: attempt + 1,
    }))
}

/// Prolongs the lease; [`Lost`] where somebody else has the job by now.
pub async fn renew(tx: &mut Tx, lease: &Lease, now: i64) -> anyhow::Result<()> {
    let done = sqlx::query("update jobs set lease_until = $1 where job_id = $2 and fence = $3 and state = 'running'")
        .bind(now + lease.millis)
        .bind(lease.job_id.clone())
        .bind(lease.fence)
        .execute(&mut **tx)
        .await?;
    held(lease, done.rows_affected())
}

/// Tells how far the job is.
pub async fn progress(tx: &mut Tx, lease: &Lease, stage: &str, done: i64, stages: i64) -> anyhow::Result<()> {
    let sql = "update jobs set progress_stage = $1, progress_done = $2, progress_stages = $3 \
               where job_id = $4 and fence = $5 and state = 'running'";
    let written = sqlx::query(sql)
        .bind(stage.to_owned())
        .bind(done)
        .bind(stages)
        .bind(lease.job_id.clone())
        .bind(lease.fence)
        .execute(&mut **tx)
        .await?;
    held(lease, written.rows_affected())
}

/// First in a transaction that writes what the job does: refuses with [`Lost`] where the job has passed to somebody else, and
/// keeps it from passing until the transaction is over. A transaction that then does nothing for as long as the lease lasts is
/// ended by PostgreSQL, so that a frozen node holds nobody up.
pub async fn fence(tx: &mut Tx, lease: &Lease) -> anyhow::Result<()> {
    if Kind::of(tx) == Kind::Postgres {
        sqlx::query("select set_config('idle_in_transaction_session_timeout', $1, true)")
            .bind(lease.millis.max(1_000).to_string())
            .execute(&mut **tx)
            .await?;
    }
    let done = sqlx::query("update jobs set fence = fence where job_id = $1 and fence = $2 and state = 'running'")
        .bind(lease.job_id.clone())
        .bind(lease.fence)
        .execute(&mut **tx)
        .await?;
    held(lease, done.rows_affected())
}

/// The job is done. In the transaction of its effect, the two happen together or not at all.
pub async fn finish(tx: &mut Tx, lease: &Lease, outcome: &Value, now: i64) -> anyhow::Result<()> {
    let done = sqlx::query(
        "update jobs set state = 'done', outcome = $1, ended_at = $2, lease_until = null where job_id = $3 and fence = $4 and state = 'running'",
    )
    .bind(outcome.to_string())
    .bind(now)
    .bind(lease.job_id.clone())
    .bind(lease.fence)
    .execute(&mut **tx)
    .await?;
    held(lease, done.rows_affected())
}

/// An attempt failed. With `again` the job waits for its next attempt, as long as it has one and no other waits with its key;
/// answers whether it waits or has failed.
pub async fn fail(tx: &mut Tx, lease: &Lease, error: &str, again: bool, now: i64) -> anyhow::Result<State> {
    let row = sqlx::query("select attempt, attempts_max, unique_key from jobs where job_id = $1 and fence = $2 and state = 'running'")
        .bind(lease.job_id.clone())
        .bind(lease.fence)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| Lost(lease.job_id.clone()))?;
    let (attempt, most): (i64, i64) = (row.try_get("attempt")?, row.try_get("attempts_max")?);
    let key: Option<String> = row.try_get("unique_key")?;
    let rivals: i64 = sqlx::query_scalar("select count(*) from jobs where unique_key = $1 and state = 'waiting'")
        .bind(key)
        .fetch_one(&mut **tx)
        .await?;
    let state = if again && attempt < most && rivals == 0 { State::Waiting } else { State::Failed };
    let short: String = error.chars().take(ERROR_CHARS_MAX).collect();
    let done = sqlx::query(
        "update jobs set state = $1, error = $2, ended_at = $3, run_at = $4, lease_until = null \
         where job_id = $5 and fence = $6 and state = 'running'",
    )
    .bind(state.name())
    .bind(short)
    .bind((state == State::Failed).then_some(now))
    .bind(now + backoff(attempt))
    .bind(lease.job_id.clone())
    .bind(lease.fence)
    .execute(&mut **tx)
    .await?;
    held(lease, done.rows_affected())?;
    Ok(state)
}

/// Gives the job back undone, for a node that stops; the attempt does not count. Its key is given up: another may wait with it.
pub async fn release(tx: &mut Tx, lease: &Lease, now: i64) -> anyhow::Result<()> {
    let done = sqlx::query(
        "update jobs set state = 'waiting', attempt = attempt - 1, run_at = $1, lease_until = null, node = null, \
         unique_key = null where job_id = $2 and fence = $3 and state = 'running'",
    )
    .bind(now)
    .bind(lease.job_id.clone())
    .bind(lease.fence)
    .execute(&mut **tx)
    .await?;
    held(lease, done.rows_affected())
}

fn held(lease: &Lease, rows: u64) -> anyhow::Result<()> {
    if rows == 1 { Ok(()) } else { Err(Lost(lease.job_id.clone()).into()) }
}

/// Claims in a transaction of its own.
pub(crate) async fn claim_now(
    database: &Database,
    node: &str,
    kinds: &[&str],
    lease_millis: i64,
    now: i64,
) -> anyhow::Result<Option<(Tx, Claimed)>> {
    let mut tx = database.begin().await?;
    let claimed = claim(&mut tx, node, kinds, lease_millis, now).await;
    match claimed {
        Ok(Some(claimed)) => Ok(Some((tx, claimed))),
        // A job may have been buried. After a lost race for a lane there is nothing to keep.
        Ok(None) => {
            let _ = tx.commit().await;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
