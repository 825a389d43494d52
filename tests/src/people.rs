//! People's work: disputes and questions, adjustments, delegations, notices with mail and webhooks, acknowledgements, anomalies; on both databases.

mod candidates;
mod decisions;
mod disputes;
mod outside;
mod questions;
mod sinks;
mod statements;

use crate::stage::Stage;
use attain_app::access::Caller;
use attain_app::changes::{Approval, ChangeView};
use attain_app::refusal::{Refusal, RefusalKind};
use attain_app::work_policy::{PolicyDecision, WorkPolicy};
use attain_app::{Instance, notices::NoticeView};
use attain_database::{Access, Database, sqlx};
use std::time::{Duration, Instant};

pub fn kind(error: &anyhow::Error) -> RefusalKind {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}")).kind
}

pub fn approval(change: &ChangeView) -> Approval {
    Approval { content_hash: change.head.content_hash.clone(), comment: String::new(), on_behalf_of: None }
}

/// The record itself, for what nobody can do through the door: to let time pass.
pub async fn record(stage: &Stage) -> Database {
    Database::open(&stage.config.database, Access::Command).await.expect("the database opens")
}

/// Moves what waits, and changes that were submitted, a day into the past.
pub async fn a_day_passes(stage: &Stage) {
    let database = record(stage).await;
    let mut tx = database.begin().await.expect("a transaction");
    for sql in ["update changes set submitted_at = submitted_at - 86400000", "update outbox set next_at = next_at - 86400000"] {
        sqlx::query(sql).execute(&mut *tx).await.expect("updated");
    }
    tx.commit().await.expect("committed");
    database.close().await;
}

/// Takes a job in and works until it is over; answers its outcome.
pub async fn job(stage: &Stage, name: &str) -> serde_json::Value {
    let database = record(stage).await;
    let mut tx = database.begin().await.expect("a transaction");
    let now = attain_jobs::Clock::OfDatabase.now(&database).await.expect("a time");
    let job = attain_jobs::Job::new(name, serde_json::json!({}), "tester").lane(name);
    let job_id = attain_jobs::enqueue(&mut tx, &job, now).await.expect("a job").job_id;
    tx.commit().await.expect("committed");
    let worker = Worker::start(&stage.instance);
    let until = Instant::now() + Duration::from_secs(60);
    let ended = loop {
        let mut read = database.read().await.expect("a connection");
        let job = attain_jobs::job(&mut read, &job_id).await.expect("a record").expect("a job");
        if matches!(job.state, attain_jobs::State::Done | attain_jobs::State::Failed) {
            break job;
        }
        assert!(Instant::now() < until, "job `{name}` is not over");
        drop(read);
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    worker.stop().await;
    database.close().await;
    assert_eq!(ended.state, attain_jobs::State::Done, "{:?}", ended.error);
    ended.outcome.expect("an outcome")
}

pub struct Worker {
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Worker {
    pub fn start(instance: &Instance) -> Worker {
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let mut options = attain_jobs::Options::new("worker");
        options.poll = Duration::from_millis(20);
        let instance = instance.clone();
        Worker { stop, task: tokio::spawn(async move { instance.work_with(options, stopping).await }) }
    }

    pub async fn stop(self) {
        self.stop.send(true).expect("the worker listens");
        self.task.await.expect("the worker ends");
    }
}

/// Waits for something that a worker does.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn told(instance: &Instance, caller: &Caller) -> Vec<NoticeView> {
    instance.notices(caller, true, "", 100).await.expect("notices")
}

/// Brings a policy into force by two people.
pub async fn agree(instance: &Instance, proposer: &Caller, other: &Caller, policy: &WorkPolicy) {
    let proposed = instance.propose_policy(proposer, policy).await.expect("a proposal");
    let version = proposed.versions[0].version;
    let refused = instance.decide_policy(proposer, version, &PolicyDecision { approve: true }).await.expect_err("a second person");
    assert_eq!(kind(&refused), RefusalKind::Forbidden);
    let now = instance.decide_policy(other, version, &PolicyDecision { approve: true }).await.expect("a decision");
    assert_eq!(now.in_force, *policy);
}
