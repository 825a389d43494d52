//! The loop of one node: makes the jobs of slots that have come, takes what waits, keeps its leases alive while handlers work.

use crate::queue::{self, Claimed, Lease, Lost, State};
use crate::{Clock, schedule};
use anyhow::Context as _;
use attain_database::{Database, Tx};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How a node works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name in the history.
    pub node: String,
    /// A node that is silent for so long loses its jobs.
    pub lease: Duration,
    /// How often it looks for something to do.
    pub poll: Duration,
    /// How long it waits for its jobs when it is told to stop; what is not ready by then is given back.
    pub grace: Duration,
    /// How many jobs it does at once.
    pub at_once: usize,
}

impl Options {
    pub fn new(node: &str) -> Options {
        Options {
            node: node.to_owned(),
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(500),
            grace: Duration::from_secs(20),
            at_once: 2,
        }
    }
}

/// How a handler's work ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// The worker is to finish the job with this outcome.
    With(Value),
    /// The handler finished it, in the transaction of its effect.
    Finished,
}

/// Why an attempt failed, and whether another may go better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    pub again: bool,
}

/// What the jobs are. A handler that has an effect begins its transaction with [`crate::fence`].
pub trait Handler: Send + Sync + 'static {
    /// The kinds of jobs it can do.
    fn kinds(&self) -> &[&str];

    fn run(&self, claimed: Claimed) -> impl Future<Output = Result<Ended, Failure>> + Send;

    /// In every transaction in which the worker changes jobs.
    fn changed(&self, tx: &mut Tx) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// After a job has come into a state.
    fn told(&self, job_id: &str, state: State);
}

/// Works until `stop` becomes true. A failure of the database is logged and tried again.
pub async fn work<H: Handler>(database: Database, handler: Arc<H>, options: Options, clock: Clock, mut stop: watch::Receiver<bool>) {
    let node = Arc::new(Node { database, handler, options, clock });
    let mut busy: JoinSet<()> = JoinSet::new();
    let (end, ending) = watch::channel(false);
    while !*stop.borrow() {
        if let Err(error) = node.look(&mut busy, &ending).await {
            tracing::warn!(node = node.options.node, "jobs: {error:#}");
        }
        tokio::select! {
            () = tokio::time::sleep(node.options.poll) => {}
            Some(_) = busy.join_next() => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    let all = async { while busy.join_next().await.is_some() {} };
    if tokio::time::timeout(node.options.grace, all).await.is_err() {
        // Each gives its job back now.
        let _ = end.send(true);
        let _ = tokio::time::timeout(Duration::from_secs(5), async { while busy.join_next().await.is_some() {} }).await;
    }
}

/// Done when the node's time is up; a sender that is gone says so as well.
async fn ended_by(ending: &mut watch::Receiver<bool>) {
    let _ = ending.wait_for(|end| *end).await;
}

struct Node<H> {
    database: Database,
    handler: Arc<H>,
    options: Options,
    clock: Clock,
}

impl<H: Handler> Node<H> {
    async fn now(&self) -> anyhow::Result<i64> {
        self.clock.now(&self.database).await
    }

    /// Makes what is due, and takes jobs for as long as there are some and hands are free.
    async fn look(self: &Arc<Self>, busy: &mut JoinSet<()>, ending: &watch::Receiver<bool>) -> anyhow::Result<()> {
        let now = self.now().await?;
        let mut connection = self.database.glance().await?;
        let anything = queue::anything_to_do(&mut connection, now).await?;
        drop(connection);
        if !anything {
            return Ok(());
        }
        let mut tx = self.database.begin().await?;
        let made = schedule::due(&mut tx, now).await?;
        if !made.is_empty() {
            self.handler.changed(&mut tx).await?;
        }
        tx.commit().await?;
        for job_id in &made {
            self.handler.told(job_id, State::Waiting);
        }
        let lease_millis = i64::try_from(self.options.lease.as_millis())?;
        while busy.len() < self.options.at_once {
            let claimed = queue::claim_now(&self.database, &self.options.node, self.handler.kinds(), lease_millis, now).await?;
            let Some((mut tx, claimed)) = claimed else { break };
            self.handler.changed(&mut tx).await?;
            tx.commit().await?;
            self.handler.told(&claimed.lease.job_id, State::Running);
            busy.spawn(Arc::clone(self).attend(claimed, ending.clone()));
        }
        Ok(())
    }

    async fn attend(self: Arc<Self>, claimed: Claimed, mut ending: watch::Receiver<bool>) {
        let (lease, kind, attempt) = (claimed.lease.clone(), claimed.kind.clone(), claimed.attempt);
        tracing::info!(job = lease.job_id, kind, attempt, "job begun");
        let handler = Arc::clone(&self.handler);
        let mut work = tokio::spawn(async move { handler.run(claimed).await });
        let mut beat = tokio::time::interval(self.options.lease / 3);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        beat.tick().await;
        let ended = loop {
            tokio::select! {
                ended = &mut work => break ended,
                _ = beat.tick() => if let Err(error) = self.renew(&lease).await {
                    tracing::warn!(job = lease.job_id, "lease not renewed: {error:#}");
                    if error.is::<Lost>() {
                        work.abort();
                        return;
                    }
                },
                () = ended_by(&mut ending) => {
                    work.abort();
                    let given = self.give_back(&lease).await;
                    tracing::info!(job = lease.job_id, given_back = given.is_ok(), "job left, the node stops");
                    return;
                }
            }
        };
        let ended = ended.unwrap_or_else(|error| {
            let message = if error.is_panic() { "the job panicked; the log says where" } else { "the job was aborted" };
            Err(Failure { message: message.to_owned(), again: true })
        });
        match self.close(&lease, ended).await {
            Ok(state) => {
                tracing::info!(job = lease.job_id, kind, state = state.name(), "job ended");
                self.handler.told(&lease.job_id, state);
            }
            Err(error) => tracing::warn!(job = lease.job_id, kind, "job not closed: {error:#}"),
        }
    }

    async fn renew(&self, lease: &Lease) -> anyhow::Result<()> {
        let now = self.now().await?;
        let mut tx = self.database.begin().await?;
        queue::renew(&mut tx, lease, now).await?;
        tx.commit().await
    }

    async fn give_back(&self, lease: &Lease) -> anyhow::Result<()> {
        let now = self.now().await?;
        let mut tx = self.database.begin().await?;
        queue::release(&mut tx, lease, now).await?;
        self.handler.changed(&mut tx).await?;
        tx.commit().await
    }

    async fn close(&self, lease: &Lease, ended: Result<Ended, Failure>) -> anyhow::Result<State> {
        let ended = match ended {
            Ok(Ended::Finished) => return Ok(State::Done),
            other => other,
        };
        let now = self.now().await.context("the time is not known")?;
        let mut tx = self.database.begin().await?;
        let state = match ended {
            Ok(Ended::With(outcome)) => queue::finish(&mut tx, lease, &outcome, now).await.map(|()| State::Done)?,
            Ok(Ended::Finished) => State::Done,
            Err(failure) => {
                tracing::warn!(job = lease.job_id, "job failed: {}", failure.message);
                queue::fail(&mut tx, lease, &failure.message, failure.again, now).await?
            }
        };
        self.handler.changed(&mut tx).await?;
        tx.commit().await?;
        Ok(state)
    }
}
