//! The queue on both databases.

use crate::*;
use attain_database::trial::Trial;
use attain_database::{Database, Tx, sqlx};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Of the year 2026.
const START: i64 = 1_772_323_200_000;
const LEASE: i64 = 30_000;

async fn put(database: &Database, job: Job, now: i64) -> anyhow::Result<Enqueued> {
    let mut tx = database.begin().await?;
    let enqueued = enqueue(&mut tx, &job, now).await?;
    tx.commit().await?;
    Ok(enqueued)
}

async fn take(database: &Database, node: &str, now: i64) -> anyhow::Result<Option<Claimed>> {
    let mut tx = database.begin().await?;
    let claimed = claim(&mut tx, node, &["count", "run"], LEASE, now).await?;
    tx.commit().await?;
    Ok(claimed)
}

async fn found(database: &Database, job_id: &str) -> anyhow::Result<JobRecord> {
    let mut read = database.read().await?;
    Ok(job(&mut read, job_id).await?.expect("the job is kept"))
}

async fn end(database: &Database, lease: &Lease, now: i64) -> anyhow::Result<()> {
    let mut tx = database.begin().await?;
    finish(&mut tx, lease, &json!({}), now).await?;
    tx.commit().await
}

fn is_lost<T>(result: &anyhow::Result<T>) -> bool {
    result.as_ref().err().is_some_and(|error| error.is::<Lost>())
}

fn count() -> Job {
    Job::new("count", json!({}), "somebody")
}

#[tokio::test]
async fn a_job_is_taken_once_and_done() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        let job_id = put(database, Job::new("count", json!({"to": 3}), "dana"), START).await?.job_id;
        let claimed = take(database, "left", START).await?.expect("it waits");
        assert_eq!((claimed.lease.job_id.as_str(), claimed.attempt, claimed.payload), (job_id.as_str(), 1, json!({"to": 3})));
        assert!(take(database, "right", START).await?.is_none(), "it is in hand");
        let mut tx = database.begin().await?;
        progress(&mut tx, &claimed.lease, "adding", 2, 3).await?;
        tx.commit().await?;
        assert_eq!(found(database, &job_id).await?.progress, Some(Progress { stage: "adding".to_owned(), done: 2, stages: 3 }));
        end(database, &claimed.lease, START + 5).await?;
        let own = found(database, &job_id).await?;
        assert_eq!((own.state, own.node.as_deref(), own.ended_at, own.requested_by.as_str()), (State::Done, Some("left"), Some(START + 5), "dana"));
        assert!(is_lost(&end(database, &claimed.lease, START + 6).await), "what is over is over");
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_expired_lease_is_taken_over_and_the_zombie_writes_nothing() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        let mut tx = database.begin().await?;
        sqlx::query("create table effects (who text not null)").execute(&mut *tx).await?;
        tx.commit().await?;
        let effect = async |lease: &Lease, who: &str, now: i64| -> anyhow::Result<()> {
            let mut tx = database.begin().await?;
            fence(&mut tx, lease).await?;
            sqlx::query("insert into effects (who) values ($1)").bind(who.to_owned()).execute(&mut *tx).await?;
            finish(&mut tx, lease, &json!(who), now).await?;
            tx.commit().await
        };
        put(database, count(), START).await?;
        let zombie = take(database, "zombie", START).await?.expect("it waits").lease;
        assert!(take(database, "other", START + LEASE - 1).await?.is_none(), "the lease still holds");
        let mut tx = database.begin().await?;
        renew(&mut tx, &zombie, START + LEASE - 1).await?;
        tx.commit().await?;
        assert!(take(database, "other", START + LEASE).await?.is_none(), "it was renewed");
        let other = take(database, "other", START + 2 * LEASE).await?.expect("it has expired");
        assert_eq!((other.attempt, other.lease.fence), (2, zombie.fence + 1));
        assert!(is_lost(&effect(&zombie, "zombie", START + 2 * LEASE).await));
        let mut tx = database.begin().await?;
        assert!(is_lost(&renew(&mut tx, &zombie, START + 2 * LEASE).await));
        assert!(is_lost(&progress(&mut tx, &zombie, "late", 1, 1).await));
        assert!(is_lost(&fail(&mut tx, &zombie, "late", true, START + 2 * LEASE).await));
        assert!(is_lost(&release(&mut tx, &zombie, START + 2 * LEASE).await));
        drop(tx);
        effect(&other.lease, "other", START + 2 * LEASE + 1).await?;
        assert!(is_lost(&effect(&zombie, "zombie", START + 2 * LEASE + 2).await), "nor after the end");
        let mut read = database.read().await?;
        let written: Vec<String> = sqlx::query_scalar("select who from effects").fetch_all(&mut *read).await?;
        assert_eq!(written, ["other"]);
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_holder_that_is_late_but_not_replaced_may_still_write() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        put(&trial.database, count(), START).await?;
        let lease = take(&trial.database, "slow", START).await?.expect("it waits").lease;
        end(&trial.database, &lease, START + 10 * LEASE).await?;
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_attempt_waits_longer_each_time_and_then_fails_for_good() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        let job_id = put(database, count(), START).await?.job_id;
        let mut now = START;
        for attempt in 1..=ATTEMPTS_MAX {
            let claimed = take(database, "node", now).await?.expect("it waits");
            assert_eq!(claimed.attempt, attempt);
            let mut tx = database.begin().await?;
            let state = fail(&mut tx, &claimed.lease, "the other side is away", true, now).await?;
            tx.commit().await?;
            assert_eq!(state, if attempt < ATTEMPTS_MAX { State::Waiting } else { State::Failed });
            assert!(take(database, "node", now + backoff(attempt) - 1).await?.is_none(), "too early after attempt {attempt}");
            now += backoff(attempt);
        }
        assert!(take(database, "node", now + BACKOFF_MAX).await?.is_none());
        let own = found(database, &job_id).await?;
        assert_eq!((own.state, own.error.as_deref()), (State::Failed, Some("the other side is away")));
        let waits: Vec<i64> = (1..=6).map(backoff).collect();
        assert_eq!(waits, [5_000, 20_000, 80_000, 320_000, BACKOFF_MAX, BACKOFF_MAX]);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_not_tried_again_and_a_job_that_kills_its_nodes_is_buried() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        put(database, count(), START).await?;
        let refused = take(database, "node", START).await?.expect("it waits").lease;
        let mut tx = database.begin().await?;
        assert_eq!(fail(&mut tx, &refused, "no company", false, START).await?, State::Failed);
        tx.commit().await?;

        let deadly = put(database, count(), START).await?.job_id;
        let mut now = START;
        for attempt in 1..=ATTEMPTS_MAX {
            assert_eq!(take(database, "node", now).await?.map(|own| own.attempt), Some(attempt));
            now += LEASE;
        }
        assert!(take(database, "node", now).await?.is_none());
        assert_eq!(found(database, &deadly).await?.state, State::Failed);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn of_one_key_only_one_waits_and_of_one_lane_only_one_runs() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        let run = || Job::new("run", json!({}), "dana").key("run").lane("run");
        let first = put(database, run(), START).await?;
        let again = put(database, run(), START).await?;
        assert_eq!((first.is_new, again.is_new, &again.job_id), (true, false, &first.job_id));
        let running = take(database, "left", START).await?.expect("it waits").lease;
        let next = put(database, run(), START + 1).await?;
        assert!(next.is_new, "the one that runs may have missed what is new");
        assert!(take(database, "right", START + 1).await?.is_none(), "the lane is busy");
        let mut tx = database.begin().await?;
        let state = fail(&mut tx, &running, "broken", true, START + 2).await?;
        tx.commit().await?;
        assert_eq!(state, State::Failed, "another one waits to do the same");
        assert_eq!(take(database, "right", START + 2).await?.map(|own| own.lease.job_id), Some(next.job_id));
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_enqueue_one_key_at_once_get_one_job() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let mut tasks = Vec::new();
        for _ in 0..16 {
            let database = trial.database.clone();
            tasks.push(tokio::spawn(async move { put(&database, count().key("one"), START).await }));
        }
        let mut ids = BTreeSet::new();
        let mut new = 0;
        for task in tasks {
            let enqueued = task.await??;
            new += usize::from(enqueued.is_new);
            ids.insert(enqueued.job_id);
        }
        assert_eq!((ids.len(), new), (1, 1));
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_job_that_is_given_back_is_taken_by_another_without_losing_an_attempt() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        put(database, count(), START).await?;
        let lease = take(database, "stopping", START).await?.expect("it waits").lease;
        let mut tx = database.begin().await?;
        release(&mut tx, &lease, START + 1).await?;
        tx.commit().await?;
        assert!(is_lost(&end(database, &lease, START + 2).await));
        assert_eq!(take(database, "other", START + 2).await?.map(|own| own.attempt), Some(1));
        trial.remove().await?;
    }
    Ok(())
}

async fn scheduled(database: &Database, cron: &str) -> anyhow::Result<Schedule> {
    let mut tx = database.begin().await?;
    let own = add(&mut tx, &count(), cron, "UTC", START).await?;
    tx.commit().await?;
    Ok(own)
}

async fn tick(database: &Database, now: i64) -> anyhow::Result<usize> {
    let mut tx = database.begin().await?;
    let made = due(&mut tx, now).await?;
    tx.commit().await?;
    Ok(made.len())
}

async fn slots(database: &Database, schedule_id: &str) -> anyhow::Result<Vec<i64>> {
    let mut read = database.read().await?;
    let jobs = list(&mut read, Filter { schedule_id: Some(schedule_id), ..Filter::default() }, 1_000).await?;
    let mut slots: Vec<i64> = jobs.iter().map(|own| (own.scheduled_for - START) / 1_000).collect();
    slots.sort_unstable();
    Ok(slots)
}

#[tokio::test]
async fn a_slot_makes_one_job_and_slots_missed_while_down_make_one_together() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        let own = scheduled(database, "*/5 * * * *").await?;
        assert_eq!(own.next_at, START + 300_000);
        assert_eq!(tick(database, START + 299_999).await?, 0);
        assert_eq!(tick(database, START + 300_000).await?, 1);
        assert_eq!(tick(database, START + 300_001).await?, 0);
        assert_eq!(tick(database, START + 3_600_000).await?, 1, "an hour away");
        assert_eq!(slots(database, &own.schedule_id).await?, [300, 3_600]);
        let often = scheduled(database, "* * * * * *").await?;
        assert_eq!(tick(database, START + 4_500).await?, 4, "a little late is not down");
        assert_eq!(slots(database, &often.schedule_id).await?, [1, 2, 3, 4]);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_tick_at_once_make_each_slot_s_job_once() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let own = scheduled(&trial.database, "* * * * * *").await?;
        let other = Database::open(&trial.url, attain_database::Access::Command).await?;
        let mut tasks = Vec::new();
        for (database, skew) in [(trial.database.clone(), 0), (other.clone(), 400)] {
            tasks.push(tokio::spawn(async move {
                let mut made = 0;
                for step in 0..60 {
                    made += tick(&database, START + step * 500 + skew).await?;
                }
                anyhow::Ok(made)
            }));
        }
        let mut made = Vec::new();
        for task in tasks {
            made.push(task.await??);
        }
        let all: Vec<i64> = (1..=29).collect();
        assert_eq!(slots(&trial.database, &own.schedule_id).await?, all);
        assert_eq!(made.iter().sum::<usize>(), 29, "by node: {made:?}");
        other.close().await;
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_paused_schedule_makes_nothing_and_does_not_make_up_for_it() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        let own = scheduled(database, "*/5 * * * *").await?;
        let edit = async |version: i64, edit: ScheduleEdit, now: i64| -> anyhow::Result<Edited> {
            let mut tx = database.begin().await?;
            let edited = change(&mut tx, &own.schedule_id, version, &edit, now).await?;
            tx.commit().await?;
            Ok(edited)
        };
        let pause = ScheduleEdit { paused: Some(true), ..ScheduleEdit::default() };
        assert!(matches!(edit(1, pause.clone(), START).await?, Edited::Done(own) if own.paused && own.version == 2));
        assert_eq!(edit(1, pause, START).await?, Edited::Stale(2));
        assert_eq!(tick(database, START + 900_000).await?, 0);
        let resume = ScheduleEdit { paused: Some(false), ..ScheduleEdit::default() };
        let resumed = edit(2, resume, START + 900_001).await?;
        assert!(matches!(&resumed, Edited::Done(own) if own.next_at == START + 1_200_000), "{resumed:?}");
        assert_eq!(tick(database, START + 900_002).await?, 0);
        assert_eq!(tick(database, START + 1_200_000).await?, 1);
        let hourly = ScheduleEdit { cron: Some("0 * * * *".to_owned()), ..ScheduleEdit::default() };
        assert!(matches!(edit(3, hourly, START + 1_200_001).await?, Edited::Done(own) if own.next_at == START + 3_600_000));
        let wrong = ScheduleEdit { cron: Some("hourly".to_owned()), ..ScheduleEdit::default() };
        assert!(edit(4, wrong, START).await.is_err_and(|error| error.is::<NotATime>()));

        let mut tx = database.begin().await?;
        assert!(matches!(remove(&mut tx, &own.schedule_id, 4, START + 1_300_000).await?, Edited::Done(_)));
        assert_eq!(remove(&mut tx, &own.schedule_id, 4, START + 1_300_000).await?, Edited::NotThere);
        tx.commit().await?;
        assert_eq!(tick(database, START + 7_200_000).await?, 0);
        assert_eq!(slots(database, &own.schedule_id).await?, [1_200], "the history stays");
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_history_is_read_in_pages_newest_first() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let mut made = Vec::new();
        for number in 0..7 {
            made.push(put(&trial.database, count(), START + number).await?.job_id);
        }
        made.reverse();
        let mut read = trial.database.read().await?;
        let mut seen: Vec<String> = Vec::new();
        loop {
            let before = seen.last().cloned();
            let page = list(&mut read, Filter { before: before.as_deref(), ..Filter::default() }, 3).await?;
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|own| own.job_id));
        }
        assert_eq!(seen, made);
        assert!(list(&mut read, Filter { state: Some(State::Done), ..Filter::default() }, 3).await?.is_empty());
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

/// Counts how often each job had its effect, and how many jobs ran beside another of the lane.
#[derive(Default)]
struct Counting {
    database: Option<Database>,
    effects: Mutex<BTreeMap<String, usize>>,
    begun: AtomicUsize,
    in_lane: AtomicUsize,
    crowded: AtomicBool,
    told: Mutex<Vec<(String, State)>>,
}

impl Handler for Counting {
    fn kinds(&self) -> &[&str] {
        &["count", "run"]
    }

    async fn run(&self, claimed: Claimed) -> Result<Ended, Failure> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let broken = |error: anyhow::Error| Failure { message: format!("{error:#}"), again: true };
        match claimed.payload.get("do").and_then(Value::as_str) {
            Some("panic") if claimed.attempt == 1 => panic!("as it was told to"),
            Some("refuse") => return Err(Failure { message: "refused".to_owned(), again: false }),
            Some("hang") => std::future::pending::<()>().await,
            _ => {}
        }
        if claimed.kind == "run" && self.in_lane.fetch_add(1, Ordering::SeqCst) > 0 {
            self.crowded.store(true, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
        let database = self.database.clone().expect("the test gives one");
        let write = async {
            let mut tx = database.begin().await?;
            fence(&mut tx, &claimed.lease).await?;
            *self.effects.lock().expect("not poisoned").entry(claimed.lease.job_id.clone()).or_default() += 1;
            if claimed.kind == "run" {
                self.in_lane.fetch_sub(1, Ordering::SeqCst);
            }
            finish(&mut tx, &claimed.lease, &json!({"attempt": claimed.attempt}), START).await?;
            tx.commit().await
        };
        write.await.map(|()| Ended::Finished).map_err(broken)
    }

    async fn changed(&self, _tx: &mut Tx) -> anyhow::Result<()> {
        Ok(())
    }

    fn told(&self, job_id: &str, state: State) {
        self.told.lock().expect("not poisoned").push((job_id.to_owned(), state));
    }
}

fn options(node: &str) -> Options {
    Options { poll: Duration::from_millis(10), lease: Duration::from_secs(30), grace: Duration::from_millis(50), at_once: 3, ..Options::new(node) }
}

/// Polls until `so`, for at most 30 seconds.
async fn until(what: &str, mut so: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let began = Instant::now();
    while !so().await? {
        anyhow::ensure!(began.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn open_jobs(database: &Database) -> anyhow::Result<usize> {
    let mut read = database.read().await?;
    let mut open = 0;
    for state in [State::Waiting, State::Running] {
        open += list(&mut read, Filter { state: Some(state), ..Filter::default() }, 1_000).await?.len();
    }
    Ok(open)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_workers_never_do_one_job_twice() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        for number in 0..60 {
            let job = if number % 3 == 0 { Job::new("run", json!({}), "somebody").lane("run") } else { count() };
            put(&trial.database, job, START).await?;
        }
        let clock = Clock::Given(Arc::new(AtomicI64::new(START)));
        let (tell, stop) = watch::channel(false);
        let handler = Arc::new(Counting { database: Some(trial.database.clone()), ..Counting::default() });
        let other = Database::open(&trial.url, attain_database::Access::Command).await?;
        let workers: Vec<_> = [("left", trial.database.clone()), ("right", other.clone())]
            .into_iter()
            .map(|(node, database)| tokio::spawn(work(database, Arc::clone(&handler), options(node), clock.clone(), stop.clone())))
            .collect();
        until("all jobs are over", async || Ok(open_jobs(&trial.database).await? == 0)).await?;
        tell.send(true)?;
        for worker in workers {
            worker.await?;
        }
        let effects = handler.effects.lock().expect("not poisoned").clone();
        assert_eq!(effects.len(), 60);
        assert!(effects.values().all(|times| *times == 1), "{effects:?}");
        assert!(!handler.crowded.load(Ordering::SeqCst), "two jobs of the lane ran at once");
        let mut read = trial.database.read().await?;
        let nodes: BTreeSet<Option<String>> = list(&mut read, Filter::default(), 100).await?.into_iter().map(|own| own.node).collect();
        drop(read);
        assert!(!nodes.contains(&None), "{nodes:?}");
        other.close().await;
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_survives_a_panic_and_gives_back_what_hangs_when_it_stops() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let told = |what: &str| Job::new("count", json!({ "do": what }), "somebody");
        let panics = put(&trial.database, told("panic"), START).await?.job_id;
        let refuses = put(&trial.database, told("refuse"), START).await?.job_id;
        let hangs = put(&trial.database, told("hang"), START).await?.job_id;
        let time = Arc::new(AtomicI64::new(START));
        let (tell, stop) = watch::channel(false);
        let handler = Arc::new(Counting { database: Some(trial.database.clone()), ..Counting::default() });
        let worker = tokio::spawn(work(trial.database.clone(), Arc::clone(&handler), options("node"), Clock::Given(Arc::clone(&time)), stop));
        until("the panic is on record", async || Ok(found(&trial.database, &panics).await?.error.is_some())).await?;
        time.fetch_add(backoff(1), Ordering::SeqCst);
        until("the second attempt is done", async || Ok(found(&trial.database, &panics).await?.state == State::Done)).await?;
        until("the refusal is on record", async || Ok(found(&trial.database, &refuses).await?.state == State::Failed)).await?;
        until("the third hangs", async || Ok(handler.begun.load(Ordering::SeqCst) == 4)).await?;
        tell.send(true)?;
        worker.await?;
        let given_back = found(&trial.database, &hangs).await?;
        assert_eq!((given_back.state, given_back.attempt), (State::Waiting, 0));
        let states: Vec<State> =
            handler.told.lock().expect("not poisoned").iter().filter(|(id, _)| *id == panics).map(|(_, state)| *state).collect();
        assert_eq!(states, [State::Running, State::Waiting, State::Running, State::Done]);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_renews_its_lease_while_it_works_and_does_what_is_due() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let own = scheduled(&trial.database, "* * * * * *").await?;
        let hangs = put(&trial.database, Job::new("count", json!({"do": "hang"}), "somebody"), START).await?.job_id;
        let time = Arc::new(AtomicI64::new(START));
        let (tell, stop) = watch::channel(false);
        let handler = Arc::new(Counting { database: Some(trial.database.clone()), ..Counting::default() });
        let short = Options { lease: Duration::from_millis(90), ..options("node") };
        let worker = tokio::spawn(work(trial.database.clone(), Arc::clone(&handler), short, Clock::Given(Arc::clone(&time)), stop));
        until("it has begun", async || Ok(found(&trial.database, &hangs).await?.state == State::Running)).await?;
        time.store(START + 80, Ordering::SeqCst);
        let lease_until = async || -> anyhow::Result<i64> {
            let mut read = trial.database.read().await?;
            Ok(sqlx::query_scalar("select lease_until from jobs where job_id = $1").bind(hangs.clone()).fetch_one(&mut *read).await?)
        };
        until("the lease is renewed", async || Ok(lease_until().await? == START + 170)).await?;
        assert!(take(&trial.database, "thief", START + 169).await?.is_none_or(|taken| taken.lease.job_id != hangs));
        time.store(START + 1_000, Ordering::SeqCst);
        until("the slot is done", async || Ok(slots(&trial.database, &own.schedule_id).await? == [1])).await?;
        tell.send(true)?;
        worker.await?;
        trial.remove().await?;
    }
    Ok(())
}
