//! Jobs and schedules as people see and edit them.

use crate::access::{Action, Caller};
use crate::refusal::Refusal;
use crate::work::{self, Kind};
use crate::{Instance, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_jobs::{Edited, Filter, JobRecord, NotATime, ScheduleEdit, State};
use attain_store::versions::Part;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobProgress {
    pub stage: String,
    pub done: i64,
    pub stages: i64,
}

/// A job, waiting, under way or over.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JobView {
    pub job_id: String,
    pub kind: String,
    /// `waiting`, `running`, `done` or `failed`.
    pub state: String,
    pub attempt: i64,
    pub attempts_max: i64,
    /// The slot of its schedule, or when it was asked for.
    pub scheduled_for: String,
    /// When its last attempt began.
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    /// Of a waiting job after a failed attempt: when it is tried again.
    pub next_attempt_at: Option<String>,
    pub node: Option<String>,
    pub requested_by: String,
    pub schedule_id: Option<String>,
    #[schema(value_type = Object)]
    pub payload: Value,
    #[schema(value_type = Option<Object>)]
    pub outcome: Option<Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    pub progress: Option<JobProgress>,
}

impl From<JobRecord> for JobView {
    fn from(own: JobRecord) -> JobView {
        JobView {
            next_attempt_at: (own.state == State::Waiting && own.attempt > 0).then(|| shown_ms(own.run_at)),
            job_id: own.job_id,
            kind: own.kind,
            state: own.state.name().to_owned(),
            attempt: own.attempt,
            attempts_max: own.attempts_max,
            scheduled_for: shown_ms(own.scheduled_for),
            started_at: own.started_at.map(shown_ms),
            ended_at: own.ended_at.map(shown_ms),
            node: own.node,
            requested_by: own.requested_by,
            schedule_id: own.schedule_id,
            payload: own.payload,
            outcome: own.outcome,
            error: own.error,
            progress: own.progress.map(|own| JobProgress { stage: own.stage, done: own.done, stages: own.stages }),
        }
    }
}

/// The newest job of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastJob {
    pub job_id: String,
    pub state: String,
    pub ended_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScheduleView {
    pub schedule_id: String,
    pub kind: Kind,
    /// Minute, hour, day, month, weekday; or six fields with seconds in front.
    pub cron: String,
    /// `UTC` or a distance from it as `+02:00`, the same all year.
    pub zone: String,
    #[schema(value_type = Object)]
    pub payload: Value,
    pub paused: bool,
    pub next_at: String,
    pub created_by: String,
    pub last: Option<LastJob>,
    pub version: i64,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    pub kind: Kind,
    pub cron: String,
    /// `UTC` where it is left out.
    pub zone: Option<String>,
    /// Of an import: `{connector, entity, settings}`; of a run: `{note}`.
    #[serde(default = "nothing")]
    #[schema(value_type = Object)]
    pub payload: Value,
}

/// What is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleChange {
    pub paused: Option<bool>,
    pub cron: Option<String>,
    pub zone: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
}

fn nothing() -> Value {
    json!({})
}

/// A job that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Accepted {
    pub job_id: String,
    /// Whether one like it waited already; then it is that one.
    pub waited_already: bool,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    #[serde(default)]
    #[schema(max_length = 200)]
    pub note: String,
}

fn no_schedule(schedule_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no schedule `{schedule_id}`"))
}

/// What cannot be an id never reaches the database.
fn known_form(schedule_id: &str) -> Result<(), Refusal> {
    if attain_jobs::is_id(schedule_id) { Ok(()) } else { Err(no_schedule(schedule_id)) }
}

fn cursor(before: Option<&str>) -> Result<(), Refusal> {
    let legal = before.is_none_or(attain_jobs::is_id);
    if legal { Ok(()) } else { Err(Refusal::invalid("that is no cursor; take `next_cursor` of the page before as it is")) }
}

/// As the trail keeps it: settings of a connector stay out of it.
fn trailed(own: &attain_jobs::Schedule) -> String {
    let payload = blake3::hash(own.payload.to_string().as_bytes()).to_hex();
    let paused = if own.paused { " paused" } else { "" };
    format!("{} `{}` {}{paused} payload {payload}", own.kind, own.cron, own.zone)
}

/// A pattern that is no pattern is the caller's to mend.
fn refused(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<NotATime>() {
        Ok(why) => Refusal::invalid(why.to_string()).into(),
        Err(error) => error,
    }
}

fn view(own: attain_jobs::Schedule, last: Option<LastJob>) -> Result<ScheduleView> {
    let kind = Kind::from_name(&own.kind).ok_or_else(|| anyhow::anyhow!("`{}` is no kind of job", own.kind))?;
    Ok(ScheduleView {
        schedule_id: own.schedule_id,
        kind,
        cron: own.cron,
        zone: own.zone,
        payload: own.payload,
        paused: own.paused,
        next_at: shown_ms(own.next_at),
        created_by: own.created_by,
        last,
        version: own.version,
    })
}

impl Instance {
    /// Asks for a calculation; where one waits already it is that one.
    pub async fn request_run(&self, caller: &Caller, new: &NewRun) -> Result<Accepted> {
        caller.require(Action::Calculate)?;
        if new.note.chars().count() > 200 || new.note.chars().any(char::is_control) {
            return Err(Refusal::invalid("a note is one line of at most 200 characters").into());
        }
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        let order = work::RunOrder { note: new.note.clone(), change_id: None };
        let enqueued = work::enqueue_run(&mut tx, &self.actor, &order, now).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "request-run", &enqueued.job_id).reason(&new.note), now).await?;
        tx.commit().await?;
        self.seal().await?;
        if enqueued.is_new {
            self.tell(crate::live::Event::Job { job_id: enqueued.job_id.clone(), state: State::Waiting.name().to_owned() });
        }
        Ok(Accepted { job_id: enqueued.job_id, waited_already: !enqueued.is_new })
    }

    /// Newest first, older than the job `before`. One more than `limit` is answered where there are more.
    pub async fn jobs(&self, caller: &Caller, state: Option<&str>, before: Option<&str>, limit: usize) -> Result<Vec<JobView>> {
        caller.require(Action::SeeJobs)?;
        let state =
            match state {
                None => None,
                Some(name) => Some(State::from_name(name).ok_or_else(|| {
                    Refusal::invalid(format!("`{name}` is no state of a job; there are waiting, running, done and failed"))
                })?),
            };
        cursor(before)?;
        let mut read = self.database.read().await?;
        let jobs = attain_jobs::list(&mut read, Filter { state, before, ..Filter::default() }, limit + 1).await?;
        Ok(jobs.into_iter().map(JobView::from).collect())
    }

    pub async fn job(&self, caller: &Caller, job_id: &str) -> Result<JobView> {
        caller.require(Action::SeeJobs)?;
        let no_job = || Refusal::not_found(format!("there is no job `{job_id}`"));
        if !attain_jobs::is_id(job_id) {
            return Err(no_job().into());
        }
        let mut read = self.database.read().await?;
        let job = attain_jobs::job(&mut read, job_id).await?;
        Ok(job.map(JobView::from).ok_or_else(no_job)?)
    }

    pub async fn schedules(&self, caller: &Caller) -> Result<Vec<ScheduleView>> {
        caller.require(Action::SeeJobs)?;
        let mut read = self.database.read().await?;
        let all = attain_jobs::schedules(&mut read).await?;
        let mut last: BTreeMap<String, LastJob> = attain_jobs::last_jobs(&mut read)
            .await?
            .into_iter()
            .map(|(schedule_id, job_id, state, ended_at)| (schedule_id, LastJob { job_id, state, ended_at: ended_at.map(shown_ms) }))
            .collect();
        all.into_iter()
            .map(|own| {
                let newest = last.remove(&own.schedule_id);
                view(own, newest)
            })
            .collect()
    }

    pub async fn schedule(&self, caller: &Caller, schedule_id: &str) -> Result<ScheduleView> {
        let all = self.schedules(caller).await?;
        Ok(all.into_iter().find(|own| own.schedule_id == schedule_id).ok_or_else(|| no_schedule(schedule_id))?)
    }

    /// Jobs of a schedule, newest first, as in [`Instance::jobs`]. A schedule that was removed has its history.
    pub async fn schedule_history(&self, caller: &Caller, schedule_id: &str, before: Option<&str>, limit: usize) -> Result<Vec<JobView>> {
        caller.require(Action::SeeJobs)?;
        known_form(schedule_id)?;
        cursor(before)?;
        let mut read = self.database.read().await?;
        let filter = Filter { schedule_id: Some(schedule_id), before, ..Filter::default() };
        let jobs = attain_jobs::list(&mut read, filter, limit + 1).await?;
        if jobs.is_empty() && before.is_none() && attain_jobs::schedule(&mut read, schedule_id).await?.is_none() {
            return Err(no_schedule(schedule_id).into());
        }
        Ok(jobs.into_iter().map(JobView::from).collect())
    }

    /// Whoever makes a schedule needs the permission for what it does, too: its jobs are done in her name.
    pub async fn add_schedule(&self, caller: &Caller, new: &NewSchedule) -> Result<ScheduleView> {
        caller.require(Action::ManageJobs)?;
        caller.require(new.kind.action())?;
        let payload = work::payload_of(new.kind, &new.payload)?;
        let now = self.job_now().await?;
        let job = work::job_of(new.kind, payload, &self.actor);
        let mut tx = self.database.begin().await?;
        let zone = new.zone.as_deref().unwrap_or("UTC");
        let own = attain_jobs::add(&mut tx, &job, &new.cron, zone, now).await.map_err(refused)?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "add-schedule", &own.schedule_id).after(&trailed(&own)), now).await?;
        attain_store::versions::bump(&mut tx, Part::Work).await?;
        tx.commit().await?;
        self.seal().await?;
        view(own, None)
    }

    /// Sees to it that the record has what it does by itself, unless somebody removed that.
    pub(crate) async fn add_standing_schedules(&self) -> Result<()> {
        let mut missing = Vec::new();
        let mut connection = self.database.glance().await?;
        for own in work::STANDING {
            if !attain_jobs::is_known(&mut connection, own.schedule_id).await? {
                missing.push(own);
            }
        }
        drop(connection);
        if missing.is_empty() {
            return Ok(());
        }
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        attain_store::versions::bump(&mut tx, Part::Work).await?;
        let mut added = Vec::new();
        for own in missing {
            let job = work::job_of(own.kind, json!({}), work::ITSELF);
            added.extend(attain_jobs::add_standing(&mut tx, own.schedule_id, &job, own.cron, now).await?);
        }
        for own in &added {
            let entry = Entry::new(work::ITSELF, "add-schedule", &own.schedule_id).after(&trailed(own));
            attain_audit::append(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        self.seal().await
    }

    /// Changes the version of it that the caller saw.
    pub async fn change_schedule(&self, caller: &Caller, schedule_id: &str, version: i64, wanted: &ScheduleChange) -> Result<ScheduleView> {
        caller.require(Action::ManageJobs)?;
        known_form(schedule_id)?;
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        let before = attain_jobs::schedule(&mut tx, schedule_id).await?.ok_or_else(|| no_schedule(schedule_id))?;
        let kind = Kind::from_name(&before.kind).ok_or_else(|| no_schedule(schedule_id))?;
        caller.require(kind.action())?;
        let edit = ScheduleEdit {
            paused: wanted.paused,
            cron: wanted.cron.clone(),
            zone: wanted.zone.clone(),
            payload: wanted.payload.as_ref().map(|payload| work::payload_of(kind, payload)).transpose()?,
        };
        let own = match attain_jobs::change(&mut tx, schedule_id, version, &edit, now).await.map_err(refused)? {
            Edited::Done(own) => own,
            Edited::NotThere => return Err(no_schedule(schedule_id).into()),
            Edited::Stale(_) => return Err(Refusal::stale("the schedule was changed by somebody else; read it again").into()),
        };
        let entry = Entry::new(&self.actor, "change-schedule", schedule_id).before(&trailed(&before)).after(&trailed(&own));
        attain_audit::append(&mut tx, entry, now).await?;
        attain_store::versions::bump(&mut tx, Part::Work).await?;
        tx.commit().await?;
        self.seal().await?;
        view(own, None)
    }

    /// Removes the version of it that the caller saw; its jobs stay in the history.
    pub async fn remove_schedule(&self, caller: &Caller, schedule_id: &str, version: i64) -> Result<()> {
        caller.require(Action::ManageJobs)?;
        known_form(schedule_id)?;
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        let own = match attain_jobs::remove(&mut tx, schedule_id, version, now).await? {
            Edited::Done(own) => own,
            Edited::NotThere => return Err(no_schedule(schedule_id).into()),
            Edited::Stale(_) => return Err(Refusal::stale("the schedule was changed by somebody else; read it again").into()),
        };
        attain_audit::append(&mut tx, Entry::new(&self.actor, "remove-schedule", schedule_id).before(&trailed(&own)), now).await?;
        attain_store::versions::bump(&mut tx, Part::Work).await?;
        tx.commit().await?;
        self.seal().await
    }
}
