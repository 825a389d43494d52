//! Kills the server at every step of imports, runs, approvals, closings and payouts, and at random moments; starts it again and finishes the
//! work. In the end nothing acknowledged is lost, nothing is posted twice, and the trail and the rows that it tells of verify.

mod plan;
mod round;
mod server;
mod sinks;
mod stage;
mod work;

use anyhow::{Context, Result, ensure};
use plan::{Dice, End};
use round::Outcome;
use stage::{Postgres, Stage};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const ROUNDS: usize = 200;
/// The waits of one round are the work of others.
const AT_ONCE: usize = 3;
const SEED: u64 = 0x5EED;
/// Of a hundred kills so many must hit an open write transaction.
const IN_TRANSACTION_MIN: usize = 50;

/// What became of all rounds.
#[derive(Default)]
struct Tally {
    rounds: usize,
    survived: usize,
    /// Less is there than undisturbed work gives, although it was acknowledged.
    lost: usize,
    /// More is paid than by undisturbed work.
    double: usize,
    /// A step was refused, the trail does not verify, or running again posts something.
    failed: usize,
    killed: usize,
    open: usize,
    sent_again: u64,
    /// Kills by what they were aimed at: how many, and how many of them in a transaction.
    aims: BTreeMap<&'static str, (usize, usize)>,
    /// How often undisturbed work passes each point, by database.
    passed: BTreeMap<String, BTreeMap<String, u64>>,
}

/// `[ROUNDS]` over both databases, or `every`: each point at each time that it is passed, until the work passes no new one.
pub fn run(arguments: &[String]) -> Result<()> {
    let is_every = arguments.first().is_some_and(|own| own == "every");
    let rounds = match arguments.first() {
        Some(count) if !is_every => count.parse().context("write `torture crash`, `torture crash ROUNDS` or `torture crash every`")?,
        _ => ROUNDS,
    };
    let attain = PathBuf::from(std::env::var_os("ATTAIN_BINARY").context("set ATTAIN_BINARY to a debug build of the server")?);
    let folder = tempfile::Builder::new().prefix("attain-crash").tempdir_in(std::env::current_dir()?)?;
    let url = std::env::var("ATTAIN_BENCH_POSTGRES").ok();
    let postgres = url.zip(std::env::var_os("ATTAIN_POSTGRES_PROGRAMS")).map(|(url, programs)| Postgres { url, programs: programs.into() });
    let mut kinds = vec![("SQLite", None)];
    kinds.extend(postgres.map(|own| ("PostgreSQL", Some(own))));
    let started = Instant::now();
    let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    let mut all = Tally::default();
    for (name, postgres) in kinds {
        let stage = Stage::new(name, &attain, &folder.path().join(name), postgres)?;
        let battery = Battery { stage, yardstick: Outcome::default(), all: Mutex::new(std::mem::take(&mut all)) };
        all = battery.play(rounds.div_ceil(names.len()), is_every)?;
    }
    let bad = all.rounds - all.survived;
    if bad > 0 {
        println!("the records and logs of what went wrong are kept in {}", folder.keep().display());
    }
    for (aim, (killed, open)) in &all.aims {
        println!("  {aim}: {killed} killed, {open} in a transaction");
    }
    println!(
        "crash: {}/{} survived, {} lost, {} double, {} failed a check (nonvacuous: {} in-tx of {} killed; {} messages sent again under \
         their id) on {}, seed {SEED:#x}, {} s",
        all.survived,
        all.rounds,
        all.lost,
        all.double,
        all.failed,
        all.open,
        all.killed,
        all.sent_again,
        names.join(" and "),
        started.elapsed().as_secs()
    );
    write_evidence(&all, &names, started.elapsed().as_secs())?;
    ensure!(bad == 0, "{bad} rounds did not survive");
    ensure!(
        is_every || all.open * 100 >= all.killed * IN_TRANSACTION_MIN,
        "only {} of {} kills hit an open transaction; that shows too little",
        all.open,
        all.killed
    );
    Ok(())
}

/// Appends a line to `evidence/reliability.jsonl`.
fn write_evidence(all: &Tally, databases: &[&str], seconds: u64) -> Result<()> {
    let folder = Path::new("evidence");
    std::fs::create_dir_all(folder)?;
    let aims: BTreeMap<&str, serde_json::Value> =
        all.aims.iter().map(|(aim, (killed, open))| (*aim, serde_json::json!({ "killed": killed, "in_tx": open }))).collect();
    let line = serde_json::json!({
        "battery": "crash", "at": SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(), "seed": SEED, "databases": databases,
        "rounds": all.rounds, "survived": all.survived, "lost": all.lost, "double": all.double, "failed": all.failed,
        "killed": all.killed, "in_tx": all.open, "sent_again": all.sent_again, "aims": aims, "passed": all.passed, "seconds": seconds,
    });
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(folder.join("reliability.jsonl"))?;
    writeln!(file, "{line}")?;
    println!("evidence: {}", folder.join("reliability.jsonl").display());
    Ok(())
}

struct Battery {
    stage: Stage,
    yardstick: Outcome,
    all: Mutex<Tally>,
}

impl Battery {
    fn play(mut self, rounds: usize, is_every: bool) -> Result<Tally> {
        let name = self.stage.name;
        let place = self.stage.create("yardstick", false)?;
        self.yardstick = round::play(&self.stage, &place, &End::Never).context("undisturbed work")?;
        self.stage.remove(&place);
        let points: Vec<String> = self.yardstick.passed.iter().map(|(point, count)| format!("{point} {count}")).collect();
        println!("{name}: the work takes {:.1} s undisturbed and passes {}", self.yardstick.seconds, points.join(", "));
        if is_every {
            for point in plan::EVERY {
                self.every(point);
            }
        } else {
            let mut dice = Dice(SEED);
            let millis = (self.yardstick.seconds * 1_000.0) as u64;
            self.rounds(&plan::ends(rounds, &self.yardstick.passed, millis, &mut dice));
        }
        let mut all = self.all.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.passed.insert(name.to_owned(), self.yardstick.passed);
        Ok(all)
    }

    /// Ends at each time that the point is passed, until a round passes it no more.
    fn every(&self, point: &'static str) {
        let mut next = 1;
        loop {
            let ends: Vec<End> = (next..next + AT_ONCE as u64 * 4).map(|count| End::At(point, count)).collect();
            if self.rounds(&ends) < ends.len() {
                break;
            }
            next += ends.len() as u64;
        }
    }

    /// Plays them, some at once. Answers how many servers died.
    fn rounds(&self, ends: &[End]) -> usize {
        let (next, died) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(end) = ends.get(next.fetch_add(1, Ordering::SeqCst)) {
                        died.fetch_add(usize::from(self.round(end)), Ordering::SeqCst);
                    }
                });
            }
        });
        died.into_inner()
    }

    /// Answers whether the server died.
    fn round(&self, end: &End) -> bool {
        let number = {
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.rounds += 1;
            all.rounds
        };
        let name = format!("r{number}");
        let made = self.stage.create(&name, end.is_cold()).map(|place| (round::play(&self.stage, &place, end), place));
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let (outcome, place) = match made {
            Ok((Ok(outcome), place)) => (outcome, place),
            Ok((Err(error), place)) => {
                all.failed += 1;
                println!("{}: round {name} ({end:?}) failed: {error:#}", self.stage.name);
                drop(all);
                self.stage.keep(&place);
                return true;
            }
            Err(error) => {
                all.failed += 1;
                println!("{}: round {name} could not begin: {error:#}", self.stage.name);
                return true;
            }
        };
        all.sent_again += outcome.sent_again;
        if outcome.ended {
            all.killed += 1;
            all.open += usize::from(outcome.in_transaction);
            let aim = all.aims.entry(end.name()).or_default();
            aim.0 += 1;
            aim.1 += usize::from(outcome.in_transaction);
        }
        if outcome.state == self.yardstick.state {
            all.survived += 1;
        } else if outcome.paid > self.yardstick.paid {
            all.double += 1;
        } else {
            all.lost += 1;
        }
        if number.is_multiple_of(10) {
            println!(
                "{}: {} rounds, {} survived, {} killed, {} in a transaction",
                self.stage.name, all.rounds, all.survived, all.killed, all.open
            );
        }
        drop(all);
        if outcome.state == self.yardstick.state {
            self.stage.remove(&place);
        } else {
            println!("{}: round {name} ({end:?}) ended elsewhere: {}", self.stage.name, difference(&outcome.state, &self.yardstick.state));
            self.stage.keep(&place);
        }
        outcome.ended
    }
}

/// The lines that only one of two texts has.
fn difference(own: &str, other: &str) -> String {
    let only = |one: &str, two: &str| -> Vec<String> {
        let known: std::collections::BTreeSet<&str> = two.lines().collect();
        one.lines().filter(|line| !known.contains(line)).take(8).map(str::to_owned).collect()
    };
    format!("{:?} and not {:?}", only(own, other), only(other, own))
}
