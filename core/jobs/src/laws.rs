//! The life of jobs against a model of it, in random histories.

use crate::*;
use attain_database::Database;
use attain_database::trial::Trial;
use proptest::prelude::*;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

const LEASE: i64 = 100;

#[derive(Debug, Clone)]
enum Step {
    Enqueue { key: Option<u8>, lane: bool },
    Claim,
    /// These name one of the leases ever given, by its number.
    Renew(usize),
    Finish(usize),
    Fail(usize, bool),
    Release(usize),
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (proptest::option::of(0u8..2), any::<bool>()).prop_map(|(key, lane)| Step::Enqueue { key, lane }),
        4 => Just(Step::Claim),
        1 => (0usize..8).prop_map(Step::Renew),
        2 => (0usize..8).prop_map(Step::Finish),
        2 => (0usize..8, any::<bool>()).prop_map(|(at, again)| Step::Fail(at, again)),
        1 => (0usize..8).prop_map(Step::Release),
        3 => prop_oneof![Just(1i64), Just(LEASE), Just(5_000), Just(20_000)].prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 1..40)
}

#[derive(Debug, Clone)]
struct Known {
    job_id: String,
    key: Option<String>,
    lane: bool,
    state: State,
    fence: i64,
    attempt: i64,
    run_at: i64,
    lease_until: i64,
}

const MOST: i64 = 2;

#[derive(Default)]
struct Model {
    jobs: Vec<Known>,
    leases: Vec<Lease>,
    now: i64,
}

impl Model {
    fn holder(&mut self, lease: &Lease) -> Option<&mut Known> {
        self.jobs.iter_mut().find(|own| own.job_id == lease.job_id && own.fence == lease.fence && own.state == State::Running)
    }

    /// What a claim must take, after the hopeless are buried.
    fn candidate(&mut self) -> Option<usize> {
        let now = self.now;
        for own in &mut self.jobs {
            if own.state == State::Running && own.lease_until <= now && own.attempt >= MOST {
                own.state = State::Failed;
            }
        }
        let busy: Vec<String> =
            self.jobs.iter().filter(|own| own.lane && own.state == State::Running).map(|own| own.job_id.clone()).collect();
        let fits = |own: &Known| match own.state {
            State::Waiting => own.run_at <= now,
            State::Running => own.lease_until <= now,
            State::Done | State::Failed => false,
        };
        let free = |own: &Known| !own.lane || busy.iter().all(|id| *id == own.job_id);
        let mut fitting: Vec<usize> = (0..self.jobs.len()).filter(|at| fits(&self.jobs[*at]) && free(&self.jobs[*at])).collect();
        fitting.sort_by_key(|at| (self.jobs[*at].run_at, self.jobs[*at].job_id.clone()));
        fitting.first().copied()
    }
}

async fn live(database: &Database, number: usize, steps: Vec<Step>) -> anyhow::Result<()> {
    let kind = format!("law-{number}");
    let mut model = Model { now: 1, ..Model::default() };
    for step in steps {
        let now = model.now;
        let mut tx = database.begin().await?;
        match step {
            Step::Pass(millis) => model.now += millis,
            Step::Enqueue { key, lane } => {
                let key = key.map(|key| format!("{kind}-{key}"));
                let job = Job {
                    key: key.clone(),
                    lane: lane.then(|| kind.clone()),
                    attempts_max: MOST,
                    ..Job::new(&kind, json!({}), "law")
                };
                let done = enqueue(&mut tx, &job, now).await?;
                let rival = model.jobs.iter().find(|own| own.state == State::Waiting && key.is_some() && own.key == key);
                match rival {
                    Some(own) => anyhow::ensure!(!done.is_new && done.job_id == own.job_id, "a second one with the key was taken in"),
                    None => {
                        anyhow::ensure!(done.is_new, "a job was not taken in");
                        let job_id = done.job_id;
                        model.jobs.push(Known { job_id, key, lane, state: State::Waiting, fence: 0, attempt: 0, run_at: now, lease_until: 0 });
                    }
                }
            }
            Step::Claim => {
                let claimed = claim(&mut tx, "node", &[&kind], LEASE, now).await?;
                match model.candidate() {
                    None => anyhow::ensure!(claimed.is_none(), "{claimed:?} was taken"),
                    Some(at) => {
                        let own = &mut model.jobs[at];
                        let claimed = claimed.ok_or_else(|| anyhow::anyhow!("{own:?} was not taken"))?;
                        (own.fence, own.attempt, own.state, own.lease_until) = (own.fence + 1, own.attempt + 1, State::Running, now + LEASE);
                        anyhow::ensure!(claimed.lease.job_id == own.job_id && claimed.lease.fence == own.fence, "{claimed:?} for {own:?}");
                        anyhow::ensure!(claimed.attempt == own.attempt, "{claimed:?} for {own:?}");
                        model.leases.push(claimed.lease);
                    }
                }
            }
            Step::Renew(at) | Step::Finish(at) | Step::Fail(at, _) | Step::Release(at) if model.leases.is_empty() => {
                let _ = at;
            }
            Step::Renew(at) => {
                let lease = model.leases[at % model.leases.len()].clone();
                let done = renew(&mut tx, &lease, now).await;
                let holder = model.holder(&lease);
                anyhow::ensure!(done.is_ok() == holder.is_some(), "renewed: {done:?}, {holder:?}");
                if let Some(own) = holder {
                    own.lease_until = now + LEASE;
                }
            }
            Step::Finish(at) => {
                let lease = model.leases[at % model.leases.len()].clone();
                let done = finish(&mut tx, &lease, &json!({}), now).await;
                let holder = model.holder(&lease);
                anyhow::ensure!(done.is_ok() == holder.is_some(), "finished: {done:?}, {holder:?}");
                if let Some(own) = holder {
                    own.state = State::Done;
                }
            }
            Step::Fail(at, again) => {
                let lease = model.leases[at % model.leases.len()].clone();
                let done = fail(&mut tx, &lease, "law", again, now).await;
                let rivals = model.jobs.clone();
                let holder = model.holder(&lease);
                anyhow::ensure!(done.is_ok() == holder.is_some(), "failed: {done:?}, {holder:?}");
                if let Some(own) = holder {
                    let rival = rivals.iter().any(|other| other.state == State::Waiting && own.key.is_some() && other.key == own.key);
                    own.state = if again && own.attempt < MOST && !rival { State::Waiting } else { State::Failed };
                    own.run_at = now + backoff(own.attempt);
                    anyhow::ensure!(done? == own.state, "{own:?}");
                }
            }
            Step::Release(at) => {
                let lease = model.leases[at % model.leases.len()].clone();
                let done = release(&mut tx, &lease, now).await;
                let holder = model.holder(&lease);
                anyhow::ensure!(done.is_ok() == holder.is_some(), "released: {done:?}, {holder:?}");
                if let Some(own) = holder {
                    (own.state, own.attempt, own.run_at, own.key) = (State::Waiting, own.attempt - 1, now, None);
                }
            }
        }
        tx.commit().await?;
    }
    let mut read = database.read().await?;
    for own in &model.jobs {
        let there = job(&mut read, &own.job_id).await?.ok_or_else(|| anyhow::anyhow!("{own:?} is gone"))?;
        anyhow::ensure!((there.state, there.attempt) == (own.state, own.attempt), "{there:?} should be {own:?}");
    }
    Ok(())
}

#[test]
fn every_history_of_jobs_is_the_one_of_the_model() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for trial in runtime.block_on(Trial::each())? {
        let number = AtomicUsize::new(0);
        let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(steps in steps())| {
            let case = live(&trial.database, number.fetch_add(1, Ordering::Relaxed), steps);
            runtime.block_on(case).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        });
        runtime.block_on(trial.remove())?;
    }
    Ok(())
}
