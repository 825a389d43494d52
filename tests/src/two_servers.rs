//! Two servers on one PostgreSQL: each slot is done once, and a job whose node is killed or frozen is done by the other.

use crate::stage::{plugins, root};
use crate::walkthrough::binary;
use attain_database::trial::Trial;
use attain_database::{Database, sqlx};
use attain_jobs::{Filter, JobRecord, ScheduleEdit, State};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const LEASE_SECONDS: u64 = 3;
const ROUNDS: usize = 3;

struct Node {
    name: String,
    child: Child,
    lines: Receiver<String>,
}

fn attain(url: &str, home: &Path) -> Command {
    let mut command = Command::new(binary());
    command
        .current_dir(home)
        .env("ATTAIN_DATABASE", url)
        .env("ATTAIN_HOME", home)
        .env("ATTAIN_PLUGINS", plugins())
        .env("ATTAIN_LOG", "attain_jobs=debug,warn")
        .stdin(Stdio::null());
    command
}

impl Node {
    fn start(name: &str, url: &str, home: &Path) -> Node {
        let lease = LEASE_SECONDS.to_string();
        let mut child = attain(url, home)
            .args(["serve", "--listen", "127.0.0.1:0", "--node", name, "--lease", &lease])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let (sender, lines) = channel();
        let reader = BufReader::new(child.stderr.take().expect("standard error"));
        std::thread::spawn(move || reader.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let node = Node { name: name.to_owned(), child, lines };
        node.wait_for("serving on http://");
        node
    }

    fn wait_for(&self, text: &str) {
        loop {
            let line =
                self.lines.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|_| panic!("{} wrote no line with `{text}`", self.name));
            if line.contains(text) {
                return;
            }
        }
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill is there");
        assert!(done.success(), "{signal} to {}", self.name);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that is gone already is what this test is about.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The calculations; a record has jobs of its own beside them.
async fn jobs(database: &Database) -> Vec<JobRecord> {
    let mut read = database.read().await.expect("a snapshot");
    let all = attain_jobs::list(&mut read, Filter::default(), 10_000).await.expect("the jobs");
    all.into_iter().filter(|own| own.kind == "run").collect()
}

/// Asks for a job of which that is true, for at most three minutes.
async fn wait(database: &Database, what: &str, is: impl Fn(&JobRecord) -> bool) -> JobRecord {
    let began = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    loop {
        if let Some(found) = jobs(database).await.into_iter().find(&is) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(180), "waited in vain until {what}");
        tick.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_slot_is_done_once_while_one_node_is_frozen_and_one_is_killed() {
    let Some(trial) = Trial::postgres().await.expect("PostgreSQL") else {
        eprintln!("two servers: left out, `ATTAIN_TEST_POSTGRES` does not name a server");
        return;
    };
    let home = tempfile::tempdir().expect("a folder");
    let company = root().join("examples/meridian");
    let loaded = attain(&trial.url, home.path()).args(["--quiet", "load"]).arg(&company).status().expect("the program starts");
    assert!(loaded.success());
    let database = &trial.database;
    let now = attain_jobs::Clock::OfDatabase.now(database).await.expect("the time");
    let mut tx = database.begin().await.expect("a transaction");
    let job = attain_jobs::Job::new("run", serde_json::json!({}), "operator").lane("run");
    let schedule = attain_jobs::add(&mut tx, &job, "*/2 * * * * *", "UTC", now).await.expect("a schedule");
    tx.commit().await.expect("committed");
    let mut nodes: BTreeMap<String, Node> =
        ["left", "right"].into_iter().map(|name| (name.to_owned(), Node::start(name, &trial.url, home.path()))).collect();

    // Frozen for longer than its lease: the other does the job, and what the frozen one still wants to write is refused.
    let (mut seen, mut frozen) = (BTreeSet::new(), Vec::new());
    for _ in 0..ROUNDS {
        let job = wait(database, "a job runs", |own| own.state == State::Running && !seen.contains(&own.job_id)).await;
        seen.insert(job.job_id.clone());
        let zombie = job.node.clone().expect("a node");
        nodes[&zombie].signal("-STOP");
        let over = wait(database, "the frozen node's job is over", |own| own.job_id == job.job_id && own.state == State::Done).await;
        nodes[&zombie].signal("-CONT");
        if over.node.as_ref() != Some(&zombie) {
            assert_eq!(over.attempt, 2);
            nodes[&zombie].wait_for("lost to another worker");
            frozen.push(zombie);
        }
    }

    // Killed while it works; another one takes its place.
    let mut killed = Vec::new();
    for round in 0..ROUNDS {
        let job = wait(database, "a job runs", |own| own.state == State::Running && !seen.contains(&own.job_id)).await;
        seen.insert(job.job_id.clone());
        let victim = job.node.clone().expect("a node");
        nodes.remove(&victim).expect("the node").signal("-KILL");
        let name = format!("spare-{round}");
        nodes.insert(name.clone(), Node::start(&name, &trial.url, home.path()));
        let over = wait(database, "the killed node's job is over", |own| own.job_id == job.job_id && own.state == State::Done).await;
        if over.node.as_ref() != Some(&victim) {
            assert_eq!(over.attempt, 2);
            killed.push(victim);
        }
    }

    let now = attain_jobs::Clock::OfDatabase.now(database).await.expect("the time");
    let mut tx = database.begin().await.expect("a transaction");
    let pause = ScheduleEdit { paused: Some(true), ..ScheduleEdit::default() };
    attain_jobs::change(&mut tx, &schedule.schedule_id, 1, &pause, now).await.expect("paused");
    tx.commit().await.expect("committed");
    let began = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    while jobs(database).await.iter().any(|own| matches!(own.state, State::Waiting | State::Running)) {
        assert!(began.elapsed() < Duration::from_secs(240), "the queue does not become empty");
        tick.tick().await;
    }

    let all = jobs(database).await;
    let mut slots: Vec<i64> = all.iter().map(|own| own.scheduled_for / 2_000).collect();
    slots.sort_unstable();
    let consecutive: Vec<i64> = (slots[0]..slots[0] + slots.len() as i64).collect();
    assert_eq!(slots, consecutive, "each slot has one job and none is missing");
    assert!(all.iter().all(|own| own.state == State::Done), "{all:?}");
    let mut read = database.read().await.expect("a snapshot");
    let doubly: i64 =
        sqlx::query_scalar("select count(*) from (select job_id from run_facts group by job_id having count(*) > 1) as twice")
            .fetch_one(&mut *read)
            .await
            .expect("a count");
    assert_eq!(doubly, 0, "a job saved two runs");
    drop(read);
    // A job may be over in the moment before its node is stopped; then that round shows nothing.
    assert!(!frozen.is_empty() && !killed.is_empty(), "no node was frozen or killed within a job");
    eprintln!(
        "two servers: {} slots done once, 0 missed, 0 double (nonvacuous: {} of {ROUNDS} frozen, {} of {ROUNDS} killed within a job; \
         every one taken over, 0 stale writes)",
        slots.len(),
        frozen.len(),
        killed.len()
    );
    drop(nodes);
    trial.remove().await.expect("removed");
}
