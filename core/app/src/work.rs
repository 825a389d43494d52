//! What the server does by itself: the kinds of jobs, and the worker that does them.
//!
//! To add a kind: add it to [`Kind`] with its name, and its body to [`Hand::body`]. A body that changes the record begins its
//! transaction with `attain_jobs::fence` and ends it with `attain_jobs::finish`.

use crate::Instance;
use crate::live::Event;
use crate::refusal::{Refusal, RefusalKind};
use crate::runs::Cause;
use anyhow::{Context as _, Result};
use attain_audit::Entry;
use attain_database::Tx;
use attain_jobs::{Claimed, Ended, Enqueued, Failure, Handler, Job, Lease, State};
use attain_store::versions::Part;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use utoipa::ToSchema;

/// What a job or a schedule can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Calculates everything.
    Run,
    /// Pulls an entity through a connector and imports it.
    Import,
    /// Publishes the statements of the last complete run.
    Publish,
    /// Loads again what the record says of extensions, and what was saved in watched folders.
    ReloadCheck,
    /// Sends mails and webhooks that wait.
    Deliver,
    /// Tells more people of what has waited for too long.
    Escalate,
}

impl Kind {
    pub const ALL: [Kind; 6] = [Kind::Run, Kind::Import, Kind::Publish, Kind::ReloadCheck, Kind::Deliver, Kind::Escalate];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Import => "import",
            Kind::Publish => "publish",
            Kind::ReloadCheck => "reload-check",
            Kind::Deliver => "deliver",
            Kind::Escalate => "escalate",
        }
    }

    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The action that a person needs to have one of these done.
    pub fn action(self) -> crate::access::Action {
        use crate::access::Action;
        match self {
            Kind::Run | Kind::Publish => Action::Calculate,
            Kind::Import => Action::Import,
            Kind::ReloadCheck => Action::ManageExtensions,
            Kind::Deliver | Kind::Escalate => Action::ManageJobs,
        }
    }
}

/// Who asks for what nobody asked for.
pub(crate) const ITSELF: &str = "attain";

/// What every record does by itself, from the first start of a worker on. People see it among the schedules, and can change, pause or
/// remove it.
pub(crate) struct Standing {
    pub kind: Kind,
    /// The same in every record.
    pub schedule_id: &'static str,
    pub cron: &'static str,
}

/// What is written to be sent asks for its own job; the schedule takes what was left behind, by a server without mail for example.
pub(crate) const STANDING: [Standing; 2] = [
    Standing { kind: Kind::Deliver, schedule_id: "000000000000000000000001", cron: "7 * * * *" },
    Standing { kind: Kind::Escalate, schedule_id: "000000000000000000000002", cron: "0 * * * *" },
];

/// What an import pulls. `settings` are the connector's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    pub connector: String,
    pub entity: String,
    #[serde(default = "no_settings")]
    pub settings: Value,
}

fn no_settings() -> Value {
    json!({})
}

/// What a calculation is made for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunOrder {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The change that was approved, where one asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
}

/// The payload of a kind, as it is written down; refuses what the kind does not take.
pub fn payload_of(kind: Kind, payload: &Value) -> Result<Value> {
    let wrong = |error: serde_json::Error| Refusal::invalid(format!("the payload of `{}` is wrong: {error}", kind.name()));
    match kind {
        Kind::Run => {
            let order: RunOrder = serde_json::from_value(payload.clone()).map_err(wrong)?;
            Ok(serde_json::to_value(order)?)
        }
        Kind::Import => {
            let pull: Pull = serde_json::from_value(payload.clone()).map_err(wrong)?;
            if attain_domain::schema::entity(&pull.entity).is_none() {
                return Err(Refusal::invalid(format!("`{}` is no entity", pull.entity)).into());
            }
            Ok(serde_json::to_value(pull)?)
        }
        Kind::Publish | Kind::ReloadCheck | Kind::Deliver | Kind::Escalate => match payload {
            Value::Object(fields) if fields.is_empty() => Ok(json!({})),
            _ => Err(Refusal::invalid(format!("`{}` takes no payload; write {{}}", kind.name())).into()),
        },
    }
}

/// A job of that kind; of each kind one at a time is done, on whichever node.
pub(crate) fn job_of(kind: Kind, payload: Value, requested_by: &str) -> Job {
    Job::new(kind.name(), payload, requested_by).lane(kind.name())
}

/// Asks for a calculation in a transaction of the caller. One that waits already is enough: it will see the same record.
pub(crate) async fn enqueue_run(tx: &mut Tx, requested_by: &str, order: &RunOrder, now: i64) -> Result<Enqueued> {
    let job = job_of(Kind::Run, serde_json::to_value(order)?, requested_by).key("run");
    let enqueued = attain_jobs::enqueue(tx, &job, now).await?;
    attain_store::versions::bump(tx, Part::Work).await?;
    Ok(enqueued)
}

impl Instance {
    /// Works on jobs and schedules of the record until `stop` becomes true, then ends or gives back what is in hand. `node`
    /// is a name that tells this process from others on the same record; one that is silent for as long as `lease` loses its
    /// jobs to another.
    pub async fn work(&self, node: &str, lease: std::time::Duration, stop: watch::Receiver<bool>) {
        let options = attain_jobs::Options { lease, ..attain_jobs::Options::new(node) };
        self.work_with(options, stop).await;
    }

    /// As [`Instance::work`].
    pub async fn work_with(&self, options: attain_jobs::Options, stop: watch::Receiver<bool>) {
        if let Err(error) = self.add_standing_schedules().await {
            tracing::warn!("the schedules that every record has could not be added: {error:#}");
        }
        let hand = Arc::new(Hand { instance: self.clone() });
        attain_jobs::work(self.database.clone(), hand, options, attain_jobs::Clock::OfDatabase, stop).await;
    }

    pub(crate) async fn job_now(&self) -> Result<i64> {
        attain_jobs::Clock::OfDatabase.now(&self.database).await
    }

    /// Publishes the last complete run, within a job.
    async fn publish(&self, lease: &Lease) -> Result<()> {
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        attain_jobs::fence(&mut tx, lease).await?;
        let last = attain_store::runs::list(&mut tx).await?.into_iter().find(|head| head.complete);
        let last = last.ok_or_else(|| Refusal::not_found("there is no complete run to publish; calculate first"))?;
        let run_id = last.run_id.as_str();
        let is_new = attain_store::run_facts::publish(&mut tx, run_id, &self.actor, now).await?;
        if is_new {
            self.statements_published(&mut tx, &last.run_id, now).await?;
            attain_store::versions::bump(&mut tx, Part::Runs).await?;
            attain_audit::append(&mut tx, Entry::new(&self.actor, "publish", run_id), now).await?;
        }
        attain_jobs::finish(&mut tx, lease, &json!({ "run_id": run_id, "repeated": !is_new }), now).await?;
        attain_store::versions::bump(&mut tx, Part::Work).await?;
        tx.commit().await?;
        self.seal().await
    }

    /// Pulls and imports, within a job.
    async fn import_pulled(&self, lease: &Lease, pull: &Pull) -> Result<()> {
        let (entity, rows) = self.pulled(&pull.connector, &pull.entity, &pull.settings).await?;
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        attain_jobs::fence(&mut tx, lease).await?;
        let receipt = self.import_within(&mut tx, entity, &rows, &pull.connector).await?;
        attain_jobs::finish(&mut tx, lease, &serde_json::to_value(&receipt)?, now).await?;
        attain_store::versions::bump(&mut tx, Part::Work).await?;
        tx.commit().await?;
        self.seal().await
    }
}

/// The worker's hands: does each kind of job in the name of who asked for it.
struct Hand {
    instance: Instance,
}

impl Hand {
    async fn body(&self, claimed: &Claimed) -> Result<Ended> {
        let kind = Kind::from_name(&claimed.kind).with_context(|| format!("`{}` is no kind of job", claimed.kind))?;
        let instance = Instance { actor: claimed.requested_by.clone(), ..self.instance.clone() };
        instance.follow_extensions().await?;
        match kind {
            Kind::Run => {
                let order: RunOrder = serde_json::from_value(claimed.payload.clone())?;
                let trigger = match (&claimed.schedule_id, &order.change_id) {
                    (Some(_), _) => "schedule",
                    (None, Some(_)) => "change",
                    (None, None) => "request",
                };
                let cause = Cause { trigger, note: order.note, lease: Some(claimed.lease.clone()) };
                let (sender, receiver) = mpsc::unbounded_channel();
                let told = tokio::spawn(tell_progress(instance.clone(), claimed.lease.clone(), receiver));
                let run = instance.run_for(&cause, &|stage: &str| drop(sender.send(stage.to_owned()))).await;
                drop(sender);
                told.await?;
                run.map(|_| Ended::Finished)
            }
            Kind::Import => {
                let pull: Pull = serde_json::from_value(claimed.payload.clone())?;
                instance.import_pulled(&claimed.lease, &pull).await.map(|()| Ended::Finished)
            }
            Kind::Publish => instance.publish(&claimed.lease).await.map(|()| Ended::Finished),
            Kind::Deliver => instance.deliver(&claimed.lease).await.map(|()| Ended::Finished),
            Kind::Escalate => instance.escalate(&claimed.lease).await.map(|()| Ended::Finished),
            Kind::ReloadCheck => Ok(Ended::With(json!({ "reloaded": instance.reload_extensions().await? }))),
        }
    }
}

/// Writes down and tells how far a calculation is. Progress is a courtesy: that it cannot be written fails nothing.
async fn tell_progress(instance: Instance, lease: Lease, mut stages: mpsc::UnboundedReceiver<String>) {
    let all = crate::runs::stage_count();
    let mut done = 0;
    while let Some(stage) = stages.recv().await {
        done += 1;
        // The job is over by then, in the transaction of the run.
        if stage != "done" {
            let written = async {
                let mut tx = instance.database.begin().await?;
                attain_jobs::progress(&mut tx, &lease, &stage, done as i64, all as i64).await?;
                tx.commit().await
            };
            if let Err(error) = written.await {
                tracing::debug!(job = lease.job_id, "progress not written: {error:#}");
            }
        }
        instance.tell(Event::Progress { job_id: lease.job_id.clone(), stage, done, stages: all });
    }
}

impl Handler for Hand {
    fn kinds(&self) -> &[&str] {
        &["run", "import", "publish", "reload-check", "deliver", "escalate"]
    }

    async fn run(&self, claimed: Claimed) -> Result<Ended, Failure> {
        self.body(&claimed).await.map_err(|error| {
            // A refusal would be repeated; what an extension or the world did may go better.
            let again =
                error.downcast_ref::<Refusal>().is_none_or(|refusal| refusal.kind == RefusalKind::Extension && claimed.kind == "import");
            Failure { message: format!("{error:#}"), again }
        })
    }

    async fn changed(&self, tx: &mut Tx) -> Result<()> {
        attain_store::versions::bump(tx, Part::Work).await
    }

    fn told(&self, job_id: &str, state: State) {
        self.instance.tell(Event::Job { job_id: job_id.to_owned(), state: state.name().to_owned() });
    }
}
