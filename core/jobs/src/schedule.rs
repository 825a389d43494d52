//! Schedules: which jobs come by themselves, and when.

use crate::Timetable;
use crate::queue::{self, Job};
use attain_database::sqlx::any::AnyRow;
use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Kind, Tx};
use serde_json::Value;

/// A slot that is late by up to so many milliseconds gets a job of its own. Later ones were missed while no node ran: all
/// of them together become one job, in the latest slot.
pub const LATE_MS: i64 = 10_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    pub schedule_id: String,
    pub kind: String,
    pub cron: String,
    pub zone: String,
    pub payload: Value,
    pub lane: Option<String>,
    pub paused: bool,
    pub next_at: i64,
    /// Grows with every edit.
    pub version: i64,
    pub created_by: String,
    pub created_at: i64,
}

/// What an edit changes; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct ScheduleEdit {
    pub paused: Option<bool>,
    pub cron: Option<String>,
    pub zone: Option<String>,
    pub payload: Option<Value>,
}

/// How an edit that names a version went.
#[derive(Debug, Clone, PartialEq)]
pub enum Edited {
    Done(Schedule),
    NotThere,
    /// The version is another one by now.
    Stale(i64),
}

const COLUMNS_LIVE: &str = "select schedule_id, kind, cron, zone, payload, lane, paused, next_at, version, created_by, created_at \
     from schedules where removed_at is null order by schedule_id";
const COLUMNS_ONE: &str = "select schedule_id, kind, cron, zone, payload, lane, paused, next_at, version, created_by, created_at \
     from schedules where schedule_id = $1 and removed_at is null";
const COLUMNS_DUE: &str = "select schedule_id, kind, cron, zone, payload, lane, paused, next_at, version, created_by, created_at \
     from schedules where removed_at is null and paused = 0 and next_at <= $1 order by next_at, schedule_id";
const COLUMNS_DUE_POSTGRES: &str = "select schedule_id, kind, cron, zone, payload, lane, paused, next_at, version, created_by, created_at \
     from schedules where removed_at is null and paused = 0 and next_at <= $1 order by next_at, schedule_id for update skip locked";

fn read(row: &AnyRow) -> anyhow::Result<Schedule> {
    Ok(Schedule {
        schedule_id: row.try_get("schedule_id")?,
        kind: row.try_get("kind")?,
        cron: row.try_get("cron")?,
        zone: row.try_get("zone")?,
        payload: serde_json::from_str(&row.try_get::<String, _>("payload")?)?,
        lane: row.try_get("lane")?,
        paused: row.try_get::<i64, _>("paused")? == 1,
        next_at: row.try_get("next_at")?,
        version: row.try_get("version")?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
    })
}

/// A schedule of jobs like `job`; its key is not used: a slot is what makes a scheduled job one.
pub async fn add(tx: &mut Tx, job: &Job, cron: &str, zone: &str, now: i64) -> anyhow::Result<Schedule> {
    let next_at = Timetable::new(cron, zone)?.after(now)?;
    let own = fresh(crate::new_id(now)?, job, cron, zone, next_at, now);
    write(tx, &own).await?;
    Ok(own)
}

/// A schedule that every record has, under an id that stays the same; its first slot has come. `None` where the record knows it already:
/// one that somebody changed, paused or removed stays so.
pub async fn add_standing(tx: &mut Tx, schedule_id: &str, job: &Job, cron: &str, now: i64) -> anyhow::Result<Option<Schedule>> {
    anyhow::ensure!(crate::is_id(schedule_id), "`{schedule_id}` is no id");
    Timetable::new(cron, "UTC")?;
    let own = fresh(schedule_id.to_owned(), job, cron, "UTC", now, now);
    Ok((write(tx, &own).await? == 1).then_some(own))
}

/// Whether the record knows a schedule, also one that was removed.
pub async fn is_known(connection: &mut Connection, schedule_id: &str) -> anyhow::Result<bool> {
    let sql = "select count(*) from schedules where schedule_id = $1";
    let count: i64 = sqlx::query_scalar(sql).bind(schedule_id.to_owned()).fetch_one(connection).await?;
    Ok(count > 0)
}

fn fresh(schedule_id: String, job: &Job, cron: &str, zone: &str, next_at: i64, now: i64) -> Schedule {
    Schedule {
        schedule_id,
        kind: job.kind.clone(),
        cron: cron.to_owned(),
        zone: zone.to_owned(),
        payload: job.payload.clone(),
        lane: job.lane.clone(),
        paused: false,
        next_at,
        version: 1,
        created_by: job.requested_by.clone(),
        created_at: now,
    }
}

/// Answers the number of rows written: none where its id is taken.
async fn write(tx: &mut Tx, own: &Schedule) -> anyhow::Result<u64> {
    let done = sqlx::query(
        "insert into schedules (schedule_id, kind, cron, zone, payload, lane, paused, next_at, version, created_by, created_at) \
         values ($1, $2, $3, $4, $5, $6, 0, $7, 1, $8, $9) on conflict do nothing",
    )
    .bind(own.schedule_id.clone())
    .bind(own.kind.clone())
    .bind(own.cron.clone())
    .bind(own.zone.clone())
    .bind(own.payload.to_string())
    .bind(own.lane.clone())
    .bind(own.next_at)
    .bind(own.created_by.clone())
    .bind(own.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

pub async fn schedules(connection: &mut Connection) -> anyhow::Result<Vec<Schedule>> {
    sqlx::query(COLUMNS_LIVE).fetch_all(connection).await?.iter().map(read).collect()
}

pub async fn schedule(connection: &mut Connection, schedule_id: &str) -> anyhow::Result<Option<Schedule>> {
    let row = sqlx::query(COLUMNS_ONE).bind(schedule_id.to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Slots that pass while a schedule is paused, or before its pattern is changed, are not made up for.
pub async fn change(tx: &mut Tx, schedule_id: &str, version: i64, edit: &ScheduleEdit, now: i64) -> anyhow::Result<Edited> {
    let Some(before) = schedule(tx, schedule_id).await? else { return Ok(Edited::NotThere) };
    if before.version != version {
        return Ok(Edited::Stale(before.version));
    }
    let mut own = before;
    let moves = edit.cron.is_some() || edit.zone.is_some() || (own.paused && edit.paused == Some(false));
    own.cron = edit.cron.clone().unwrap_or(own.cron);
    own.zone = edit.zone.clone().unwrap_or(own.zone);
    own.payload = edit.payload.clone().unwrap_or(own.payload);
    own.paused = edit.paused.unwrap_or(own.paused);
    own.version += 1;
    if moves {
        own.next_at = Timetable::new(&own.cron, &own.zone)?.after(now)?;
    }
    let done = sqlx::query(
        "update schedules set cron = $1, zone = $2, payload = $3, paused = $4, next_at = $5, version = $6 \
         where schedule_id = $7 and version = $8 and removed_at is null",
    )
    .bind(own.cron.clone())
    .bind(own.zone.clone())
    .bind(own.payload.to_string())
    .bind(i64::from(own.paused))
    .bind(own.next_at)
    .bind(own.version)
    .bind(schedule_id.to_owned())
    .bind(version)
    .execute(&mut **tx)
    .await?;
    Ok(if done.rows_affected() == 1 { Edited::Done(own) } else { Edited::Stale(version + 1) })
}

/// Its jobs stay in the history, those that wait are still done.
pub async fn remove(tx: &mut Tx, schedule_id: &str, version: i64, now: i64) -> anyhow::Result<Edited> {
    let Some(before) = schedule(tx, schedule_id).await? else { return Ok(Edited::NotThere) };
    let done = sqlx::query("update schedules set removed_at = $1 where schedule_id = $2 and version = $3 and removed_at is null")
        .bind(now)
        .bind(schedule_id.to_owned())
        .bind(version)
        .execute(&mut **tx)
        .await?;
    Ok(if done.rows_affected() == 1 { Edited::Done(before) } else { Edited::Stale(before.version) })
}

/// Makes the jobs of all slots that have come, each slot's once, however many nodes ask; see [`LATE_MS`]. Answers the jobs.
pub async fn due(tx: &mut Tx, now: i64) -> anyhow::Result<Vec<String>> {
    let sql = match Kind::of(tx) {
        Kind::Sqlite => COLUMNS_DUE,
        Kind::Postgres => COLUMNS_DUE_POSTGRES,
    };
    let mut made = Vec::new();
    for row in sqlx::query(sql).bind(now).fetch_all(&mut **tx).await? {
        let own = read(&row)?;
        let timetable = Timetable::new(&own.cron, &own.zone)?;
        let mut slot = if now - own.next_at <= LATE_MS { own.next_at } else { timetable.until(now)?.max(own.next_at) };
        let job = Job { lane: own.lane.clone(), ..Job::new(&own.kind, own.payload.clone(), &own.created_by) };
        while slot <= now {
            let enqueued = queue::take_in(tx, &job, Some((&own.schedule_id, slot)), now).await?;
            made.extend(enqueued.is_new.then_some(enqueued.job_id));
            slot = timetable.after(slot)?;
        }
        sqlx::query("update schedules set next_at = $1 where schedule_id = $2").bind(slot).bind(own.schedule_id).execute(&mut **tx).await?;
    }
    Ok(made)
}

/// The newest job of each schedule: schedule, job, state and end.
pub async fn last_jobs(connection: &mut Connection) -> anyhow::Result<Vec<(String, String, String, Option<i64>)>> {
    let sql = "select schedule_id, job_id, state, ended_at from jobs where job_id in \
               (select max(job_id) from jobs where schedule_id is not null group by schedule_id) order by schedule_id";
    Ok(sqlx::query_as(sql).fetch_all(connection).await?)
}
