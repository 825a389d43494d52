//! One round: the work is done by a server that dies once, and by the one that is started after it. What there is in the end must be what
//! undisturbed work gives.

use super::plan::End;
use super::server::{Request, Server, ask, asked};
use super::stage::{Place, Stage};
use super::work::{Body, Step, WORK, Who, deals};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

const JOB_WAIT_MAX: Duration = Duration::from_secs(120);
const TRIES_MAX: u32 = 400;

/// What became of a round.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Whether its server died.
    pub ended: bool,
    /// Whether a write transaction was open then, by the mark that it left.
    pub in_transaction: bool,
    pub state: String,
    /// Of all payees and periods, in ten-thousandths.
    pub paid: i128,
    /// Of work and waits, without the checks.
    pub seconds: f64,
    /// Messages that were sent once more under their own id, because the first server died before it could mark them.
    pub sent_again: u64,
    /// How often each point was passed; only where it was asked for.
    pub passed: BTreeMap<String, u64>,
}

struct Round<'a> {
    stage: &'a Stage,
    place: &'a Place,
    kept: Vec<(String, String)>,
    starts: u32,
}

/// Does all of the work.
pub fn play(stage: &Stage, place: &Place, end: &End) -> Result<Outcome> {
    let (mark, log) = (place.home.join("mark"), place.home.join("points"));
    let mut outcome = Outcome::default();
    let mut round = Round { stage, place, kept: Vec::new(), starts: 0 };
    let started = Instant::now();
    let mut server = round.start(Some((end, &mark, &log)))?;
    let killer = match end {
        End::After(millis) => Some(server.kill_after(*millis)),
        _ => None,
    };
    let died = |outcome: &mut Outcome| {
        outcome.ended = true;
        outcome.in_transaction |= std::fs::read(&mark).is_ok_and(|byte| byte == b"1");
    };
    for step in WORK {
        let mut tries = 0;
        loop {
            tries += 1;
            ensure!(tries < TRIES_MAX, "`{}` does not end", step.name);
            match round.take(server.address, step) {
                Ok(()) => break,
                Err(_) if server.is_gone() => {
                    died(&mut outcome);
                    // What died is not started again with the same end.
                    server = round.start(None)?;
                }
                // The first request with this key died with the server; its claim runs out.
                Err(error) if error.to_string().contains("still-running") => std::thread::sleep(Duration::from_millis(200)),
                Err(error) => return Err(error.context(step.name)),
            }
        }
    }
    // What is to be sent is sent after the work.
    loop {
        match round.settled(server.address) {
            Ok(()) => break,
            Err(_) if server.is_gone() => {
                died(&mut outcome);
                server = round.start(None)?;
            }
            Err(error) => return Err(error),
        }
    }
    outcome.seconds = started.elapsed().as_secs_f64();
    drop(killer);
    if server.is_gone() {
        died(&mut outcome);
        server = round.start(None)?;
    }
    (outcome.state, outcome.paid) = round.state(server.address)?;
    outcome.state.push_str(&round.told(server.address)?);
    outcome.sent_again = round.sent(server.address)?;
    drop(server);
    stage.attain(place, &["audit", "verify"])?;
    let again: Value = serde_json::from_str(&stage.attain(place, &["--json", "run"])?)?;
    ensure!(again["posted_count"] == 0, "running again posts something: {again}");
    if *end == End::Never {
        for line in std::fs::read_to_string(&log)?.lines() {
            *outcome.passed.entry(line.to_owned()).or_default() += 1;
        }
    }
    Ok(outcome)
}

impl Round<'_> {
    fn start(&mut self, end: Option<(&End, &Path, &Path)>) -> Result<Server> {
        let mut command = self.stage.serve(self.place);
        if let Some((end, mark, log)) = end {
            command.env("ATTAIN_CRASH_MARK", mark);
            match end {
                End::At(point, count) => drop(command.env("ATTAIN_CRASH_AT", format!("{point}:{count}"))),
                End::Never => drop(command.env("ATTAIN_CRASH_LOG", log)),
                End::After(_) => {}
            }
        }
        self.starts += 1;
        Server::start(command, &self.place.home.join(format!("server-{}.log", self.starts)))
    }

    fn remember(&mut self, field: &str, value: &str) {
        self.kept.retain(|(name, _)| name != field);
        self.kept.push((field.to_owned(), value.to_owned()));
    }

    fn known(&self, field: &str) -> Result<&str> {
        self.kept.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str()).with_context(|| format!("no `{field}` is known"))
    }

    /// Takes a step, and waits for the job that it asked for. The same step sent again does nothing twice.
    fn take(&mut self, address: SocketAddr, step: &Step) -> Result<()> {
        let filled = |text: &str| self.kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        let token = match step.who {
            Who::Admin => &self.stage.tokens.admin,
            Who::Finance => &self.stage.tokens.finance,
        };
        let body = match &step.body {
            Body::None => String::new(),
            Body::Text(text) => filled(text),
            Body::Deals(batch, day) => deals(*batch, *day),
        };
        let path = filled(step.path);
        let request = Request { method: step.method, path: &path, token, kind: step.kind, body: &body, key: Some(step.name) };
        let (status, said) = ask(address, &request)?;
        // What was done although its answer was lost says so under its key, and nothing else does.
        let is_taken = status == 409 && said.contains("answer-lost");
        ensure!((200..300).contains(&status) || is_taken, "{} was answered with {status}: {said}", step.name);
        let said: Value = match (is_taken, step.keep.first()) {
            // It was done, but its answer was lost: what it made is the newest of its kind.
            (true, Some(&"change_id")) => self.newest(address, "/api/v1/changes", |_| true)?,
            (true, Some(&"batch_id")) => self.newest(address, "/api/v1/payouts", |_| true)?,
            (true, Some(_)) => self.newest(address, "/api/v1/jobs?limit=1000", |job| job["kind"] == "run")?,
            _ => serde_json::from_str(&said)?,
        };
        for field in step.keep {
            let value = said[field].as_str().with_context(|| format!("the answer names no `{field}`: {said}"))?.to_owned();
            self.remember(field, &value);
        }
        if step.keep.contains(&"job_id") {
            self.wait_for(address, &format!("/api/v1/jobs/{}", self.known("job_id")?))?;
        }
        Ok(())
    }

    fn newest(&self, address: SocketAddr, path: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let list = asked(address, &Request::get(path, &self.stage.tokens.admin))?;
        let items = list["items"].as_array().with_context(|| format!("{path} is no list"))?;
        items.iter().find(|own| fits(own)).cloned().with_context(|| format!("{path} has nothing of it"))
    }

    fn wait_for(&self, address: SocketAddr, path: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            let job = asked(address, &Request::get(path, &self.stage.tokens.admin))?;
            match job["state"].as_str() {
                Some("done") => return Ok(()),
                Some("failed") => bail!("the job failed: {job}"),
                _ => ensure!(started.elapsed() < JOB_WAIT_MAX, "the job takes too long: {job}"),
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until no job waits or runs; none may have failed.
    fn settled(&self, address: SocketAddr) -> Result<()> {
        let started = Instant::now();
        let has = |state: &str| -> Result<bool> {
            let list = asked(address, &Request::get(&format!("/api/v1/jobs?state={state}"), &self.stage.tokens.admin))?;
            Ok(list["items"].as_array().is_some_and(|items| !items.is_empty()))
        };
        while has("waiting")? || has("running")? {
            ensure!(started.elapsed() < JOB_WAIT_MAX, "jobs wait for ever");
            std::thread::sleep(Duration::from_millis(50));
        }
        ensure!(!has("failed")?, "a job has failed");
        Ok(())
    }

    /// All that the record says of pay, whatever its ids: statements, payouts and their file, the ledger, the company, what was told.
    fn state(&self, address: SocketAddr) -> Result<(String, i128)> {
        let mut all = String::new();
        let mut paid = 0;
        for payee in ["ana", "ben", "cem"] {
            let list = asked(address, &Request::get(&format!("/api/v1/payees/{payee}/statements"), &self.stage.tokens.finance))?;
            for own in list["items"].as_array().context("no list of statements")? {
                let field = |name: &str| own[name].as_str().unwrap_or_default().to_owned();
                paid += ten_thousandths(&field("paid"));
                let amounts = ["period_id", "earned", "held", "carried", "paid"].map(field).join(" ");
                all.push_str(&format!("{payee} {amounts}\n"));
            }
        }
        ensure!(!all.is_empty(), "nobody has a statement");
        let batch = self.known("batch_id")?;
        let list = asked(address, &Request::get("/api/v1/payouts", &self.stage.tokens.finance))?;
        for own in list["items"].as_array().context("no list of payouts")? {
            all.push_str(&format!("payout {} {} {} of {}\n", own["state"], own["amount"], own["currency"], own["payee_count"]));
        }
        let (status, file) = ask(address, &Request::get(&format!("/api/v1/payouts/{batch}/file"), &self.stage.tokens.finance))?;
        ensure!(status == 200, "the payout's file was answered with {status}");
        // The last column is a reference that follows from the batch's id.
        for line in file.lines() {
            all.push_str(&format!("{}\n", line.rsplit_once(',').map_or(line, |(own, _)| own)));
        }
        let periods = asked(address, &Request::get("/api/v1/periods", &self.stage.tokens.finance))?;
        ensure!(periods["items"][0]["state"] == "closed", "January is not closed: {periods}");

        let folder = self.place.home.join("export");
        self.stage.attain(self.place, &["export", &folder.display().to_string()])?;
        self.stage.attain(self.place, &["ledger", "export", "--format", "csv", &folder.display().to_string()])?;
        for (name, text) in files(&folder)? {
            all.push_str(&format!("--- {name}\n{}\n", text.replace(batch, "BATCH")));
        }
        Ok((all, paid))
    }

    /// Whether all that is marked as sent has come, and the same was told as without a crash. Answers how much came more than once.
    fn sent(&self, address: SocketAddr) -> Result<u64> {
        let path = format!("/api/v1/webhooks/{}/deliveries?limit=1000", self.stage.webhook);
        let list = asked(address, &Request::get(&path, &self.stage.tokens.platform))?;
        let mut again = 0;
        for own in list["items"].as_array().context("no list of deliveries")? {
            let id = own["delivery_id"].as_str().unwrap_or_default();
            let came = self.stage.hooks.count(id);
            ensure!(own["state"] == "sent" && came > 0, "a webhook came {came} times and is {}", own["state"]);
            again += came - 1;
        }
        let (_, mails) = self.stage.mails.ending(&format!("@{}.example.com", self.place.name));
        Ok(again + mails)
    }

    /// How many webhooks there are of each event, and how many mails came.
    fn told(&self, address: SocketAddr) -> Result<String> {
        let path = format!("/api/v1/webhooks/{}/deliveries?limit=1000", self.stage.webhook);
        let list = asked(address, &Request::get(&path, &self.stage.tokens.platform))?;
        let mut events: BTreeMap<String, u64> = BTreeMap::new();
        for own in list["items"].as_array().context("no list of deliveries")? {
            *events.entry(own["event"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        let (mails, _) = self.stage.mails.ending(&format!("@{}.example.com", self.place.name));
        Ok(format!("told {events:?}, {mails} mails\n"))
    }
}

fn ten_thousandths(amount: &str) -> i128 {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let part: i128 = format!("{part:0<4}").parse().unwrap_or(0);
    whole.parse::<i128>().unwrap_or(0) * 10_000 + sign * part
}

/// All files below a folder, by path.
fn files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in folder.read_dir()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(files(&entry.path())?.into_iter().map(|(path, text)| (format!("{name}/{path}"), text)));
        } else {
            found.insert(name, std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(found)
}
