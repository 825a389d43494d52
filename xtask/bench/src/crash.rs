//! Kills the server at every step of imports, runs, approvals and closings, and at random moments; starts it again and finishes the work.
//! In the end nothing acknowledged is lost, nothing is posted twice, and the trail verifies.

use anyhow::{Context, Result, bail, ensure};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const START_WAIT_MAX: Duration = Duration::from_secs(60);
const JOB_WAIT_MAX: Duration = Duration::from_secs(120);
/// As long as another node would wait for a job of one that died.
const LEASE_SECONDS: &str = "3";
const ROUNDS: usize = 200;

/// One request of the work. What is in brackets is taken from an earlier answer.
struct Step {
    name: &'static str,
    who: Who,
    method: &'static str,
    path: &'static str,
    kind: &'static str,
    body: Body,
    /// A field of the answer to remember, under its name.
    keep: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Who {
    Admin,
    Finance,
}

enum Body {
    None,
    Text(&'static str),
    /// Deals of a number, with a first day of January plus so many days.
    Deals(u32, u32),
}

const JSON: &str = "application/json";
const CSV: &str = "text/csv";

const fn step(
    name: &'static str,
    who: Who,
    method: &'static str,
    path: &'static str,
    kind: &'static str,
    body: Body,
    keep: &'static [&'static str],
) -> Step {
    Step { name, who, method, path, kind, body, keep }
}

/// The work of a month, in order.
const WORK: &[Step] = &[
    step("import", Who::Admin, "POST", "/api/v1/imports?entity=transactions", CSV, Body::Deals(0, 0), &[]),
    step("run", Who::Admin, "POST", "/api/v1/runs", JSON, Body::Text("{}"), &["job_id"]),
    step(
        "adjust",
        Who::Admin,
        "POST",
        "/api/v1/imports?entity=adjustments",
        CSV,
        Body::Text("adjustment_id,payee_id,period_id,amount,reason\nA1,ana,2026-01,12.5,goodwill\n"),
        &["change_id"],
    ),
    step("read the change", Who::Finance, "GET", "/api/v1/changes/{change_id}", JSON, Body::None, &["content_hash"]),
    step(
        "approve the change",
        Who::Finance,
        "POST",
        "/api/v1/changes/{change_id}/approval",
        JSON,
        Body::Text("{\"content_hash\":\"{content_hash}\"}"),
        &["job_id"],
    ),
    step("import again", Who::Admin, "POST", "/api/v1/imports?entity=transactions", CSV, Body::Deals(1, 20), &[]),
    step("run again", Who::Admin, "POST", "/api/v1/runs", JSON, Body::Text("{}"), &["job_id"]),
    step("review", Who::Admin, "POST", "/api/v1/periods/2026-01/state", JSON, Body::Text("{\"to\":\"in-review\"}"), &[]),
    step("approve", Who::Finance, "POST", "/api/v1/periods/2026-01/state", JSON, Body::Text("{\"to\":\"approved\"}"), &[]),
    step("close", Who::Finance, "POST", "/api/v1/periods/2026-01/state", JSON, Body::Text("{\"to\":\"closed\"}"), &[]),
    step(
        "draft a payout",
        Who::Admin,
        "POST",
        "/api/v1/payouts",
        JSON,
        Body::Text("{\"period_id\":\"2026-01\",\"pay_on\":\"2026-02-10\"}"),
        &["batch_id", "content_hash"],
    ),
    step("review the payout", Who::Admin, "POST", "/api/v1/payouts/{batch_id}/review", JSON, Body::Text("{}"), &[]),
    step(
        "approve the payout",
        Who::Finance,
        "POST",
        "/api/v1/payouts/{batch_id}/approval",
        JSON,
        Body::Text("{\"content_hash\":\"{content_hash}\"}"),
        &[],
    ),
    step("export the payout", Who::Finance, "POST", "/api/v1/payouts/{batch_id}/export", JSON, Body::Text("{}"), &[]),
    step(
        "confirm the payout",
        Who::Finance,
        "POST",
        "/api/v1/payouts/{batch_id}/confirmation",
        JSON,
        Body::Text("{\"reference\":\"bank 1\",\"paid_on\":\"2026-02-10\"}"),
        &[],
    ),
    step("import late", Who::Admin, "POST", "/api/v1/imports?entity=transactions", CSV, Body::Deals(2, 5), &[]),
    step("run at last", Who::Admin, "POST", "/api/v1/runs", JSON, Body::Text("{}"), &["job_id"]),
];

/// What ends the server in a round.
#[derive(Debug, Clone)]
enum End {
    /// The n-th time that a write transaction passes the point.
    At(&'static str, u64),
    /// After so many milliseconds.
    After(u64),
    /// Nothing; the yardstick.
    Never,
}

struct Stage {
    name: &'static str,
    attain: PathBuf,
    folder: PathBuf,
    postgres: Option<(String, PathBuf)>,
    tokens: (String, String),
}

/// A place of a record: a database and a home.
struct Place {
    database: String,
    home: PathBuf,
}

/// What became of a round.
#[derive(Default)]
struct Outcome {
    ended: bool,
    in_transaction: bool,
    state: String,
    seconds: f64,
}

/// What became of all rounds.
#[derive(Default)]
struct Tally {
    rounds: usize,
    survived: usize,
    /// Somebody is paid otherwise than by undisturbed work: something was lost or done twice.
    elsewhere: usize,
    /// A step was refused, the trail does not verify, or running again posts something.
    failed: usize,
    killed: usize,
    open: usize,
}

/// `[ROUNDS]`: over both databases; half of them at enumerated points.
pub fn run(arguments: &[String]) -> Result<()> {
    let rounds = arguments.first().map_or(Ok(ROUNDS), |count| count.parse()).context("write `torture crash` or `torture crash ROUNDS`")?;
    let attain = PathBuf::from(std::env::var_os("ATTAIN_BINARY").context("set ATTAIN_BINARY to a debug build of the server")?);
    let folder = tempfile::Builder::new().prefix("attain-crash").tempdir_in(std::env::current_dir()?)?;
    let postgres = std::env::var("ATTAIN_BENCH_POSTGRES").ok();
    let programs = std::env::var_os("ATTAIN_POSTGRES_PROGRAMS").map(PathBuf::from);
    let mut names = vec!["SQLite"];
    names.extend(postgres.as_ref().map(|_| "PostgreSQL"));
    let mut all = Tally::default();
    for name in &names {
        let postgres = if *name == "SQLite" { None } else { postgres.clone().zip(programs.clone()) };
        let stage = Stage::new(name, &attain, &folder.path().join(name), postgres)?;
        stage.rounds(rounds.div_ceil(names.len()), &mut all)?;
    }
    println!(
        "torture crash: {}/{} survived on {}, {} paid otherwise than undisturbed work, {} failed a check (nonvacuous: {} killed, {} in an open \
         transaction)",
        all.survived,
        all.rounds,
        names.join(" and "),
        all.elsewhere,
        all.failed,
        all.killed,
        all.open
    );
    ensure!(all.survived == all.rounds, "{} rounds did not survive", all.rounds - all.survived);
    Ok(())
}

impl Stage {
    /// A record with a company, and two people with tokens.
    fn new(name: &'static str, attain: &Path, folder: &Path, postgres: Option<(String, PathBuf)>) -> Result<Stage> {
        std::fs::create_dir_all(folder.join("company/plans"))?;
        let write = |path: &str, text: &str| std::fs::write(folder.join("company").join(path), text);
        write(
            "company.toml",
            "format = 1\nname = \"Crash\"\ncurrency = \"USD\"\n[calendar]\npattern = \"months\"\nfirst = \"2026-01-01\"\nyears = 1\n[crediting]\nrules = [{ extension = \"credit-direct\" }]\n[[measures]]\nid = \"sales\"\n",
        )?;
        write(
            "plans/plan.toml",
            "id = \"plan\"\n[[components]]\nid = \"commission\"\nmeasure = \"sales\"\nformula = \"comp-flat\"\nsettings = { rate = \"0.0731\" }\npay = [{ share = \"1\", installments = 3 }]\n[[draws]]\nid = \"draw\"\namount = \"400\"\nrecoverable = true\n",
        )?;
        write("payees.csv", "payee_id\nana\nben\ncem\n")?;
        write("plan_assignments.csv", "payee_id,plan_id,from_on\nana,plan,2026-01-01\nben,plan,2026-01-01\ncem,plan,2026-02-01\n")?;
        let mut stage = Stage { name, attain: attain.to_owned(), folder: folder.to_owned(), postgres, tokens: Default::default() };
        stage.create("template", None)?;
        let place = stage.place("template");
        stage.attain(&place, &["load", &folder.join("company").display().to_string()])?;
        stage.tokens = (stage.token(&place, "cora", "comp-admin")?, stage.token(&place, "fin", "finance")?);
        Ok(stage)
    }

    fn place(&self, name: &str) -> Place {
        let home = self.folder.join(name);
        let database = match &self.postgres {
            None => format!("sqlite:{}", home.join("attain.db").display()),
            Some((url, _)) => format!("{}/crash_{name}", url.rsplit_once('/').map_or(url.as_str(), |(server, _)| server)),
        };
        Place { database, home }
    }

    /// A new place, or a copy of another one.
    fn create(&self, name: &str, template: Option<&str>) -> Result<()> {
        match template {
            None => std::fs::create_dir_all(self.folder.join(name))?,
            Some(template) => copy(&self.folder.join(template), &self.folder.join(name))?,
        }
        if let Some((url, programs)) = &self.postgres {
            let mut words = vec!["--maintenance-db".to_owned(), url.clone()];
            words.extend(template.iter().flat_map(|own| ["-T".to_owned(), format!("crash_{own}")]));
            let address = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).context("the URL names no server")?;
            let (user, server) = address;
            let (host, port) = server.split('/').next().and_then(|own| own.split_once(':')).context("the URL names no port")?;
            let done = Command::new(programs.join("createdb"))
                .args(["-h", host, "-p", port, "-U", user])
                .args(&words[2..])
                .arg(format!("crash_{name}"))
                .output()?;
            ensure!(done.status.success(), "createdb: {}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(())
    }

    fn remove(&self, name: &str) {
        let _ = std::fs::remove_dir_all(self.folder.join(name));
        if let Some((url, programs)) = &self.postgres
            && let Some((user, server)) = url.split_once("://").and_then(|(_, rest)| rest.split_once('@'))
            && let Some((host, port)) = server.split('/').next().and_then(|own| own.split_once(':'))
        {
            let _ =
                Command::new(programs.join("dropdb")).args(["-f", "-h", host, "-p", port, "-U", user, &format!("crash_{name}")]).output();
        }
    }

    fn command(&self, place: &Place, words: &[&str]) -> Command {
        let mut command = Command::new(&self.attain);
        command.args(["--database", &place.database, "--quiet", "--home"]).arg(&place.home).args(words).stdin(Stdio::null());
        command
    }

    fn attain(&self, place: &Place, words: &[&str]) -> Result<String> {
        let output = self.command(place, words).output().context("`attain` could not be started")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "`attain {}` failed: {said}{}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        Ok(said)
    }

    fn token(&self, place: &Place, login: &str, role: &str) -> Result<String> {
        self.attain(place, &["user", "add", login, "--role", role])?;
        let said = self.attain(place, &["user", "token", login, "--days", "1"])?;
        let start = said.find("att_").with_context(|| format!("`attain user token {login}` gave no token: {said}"))?;
        Ok(said[start..].chars().take_while(|own| own.is_ascii_alphanumeric() || "_-".contains(*own)).collect())
    }

    fn rounds(&self, count: usize, all: &mut Tally) -> Result<()> {
        let yardstick = self.round("yardstick", &End::Never)?;
        println!("{}: the work takes {:.1} s undisturbed", self.name, yardstick.seconds);
        let mut dice = 0x5EED_u64;
        let mut roll = move || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            dice >> 33
        };
        let points = ["before-commit", "after-commit", "after-begin"];
        for round in 0..count {
            let end = if round % 2 == 0 {
                End::At(points[round / 2 % points.len()], 1 + (round / 2 / points.len()) as u64)
            } else {
                End::After(roll() % (yardstick.seconds * 1_000.0) as u64)
            };
            all.rounds += 1;
            match self.round(&format!("r{round}"), &end) {
                Ok(outcome) if outcome.state == yardstick.state => {
                    all.survived += 1;
                    all.killed += usize::from(outcome.ended);
                    all.open += usize::from(outcome.ended && outcome.in_transaction);
                }
                Ok(outcome) => {
                    all.elsewhere += 1;
                    println!("{}: round {round} ({end:?}) ended elsewhere:\n{}\nnot\n{}", self.name, outcome.state, yardstick.state);
                }
                Err(error) => {
                    all.failed += 1;
                    println!("{}: round {round} ({end:?}) failed: {error:#}", self.name);
                }
            }
            if round % 10 == 9 {
                println!("{}: {} of {count} rounds; {} survived so far, {} killed", self.name, round + 1, all.survived, all.killed);
            }
        }
        Ok(())
    }

    fn round(&self, name: &str, end: &End) -> Result<Outcome> {
        self.create(name, Some("template"))?;
        let place = self.place(name);
        let mark = place.home.join("mark");
        let mut outcome = Outcome::default();
        let started = Instant::now();
        let mut server = Some(self.start(&place, Some((end, &mark)))?);
        let killer = match (end, &server) {
            (End::After(millis), Some(server)) => Some(server.kill_after(*millis)),
            _ => None,
        };
        let mut kept: Vec<(String, String)> = Vec::new();
        for step in WORK {
            let mut tries = 0;
            loop {
                tries += 1;
                ensure!(tries < 400, "`{}` does not end", step.name);
                let running = server.as_mut().context("a server runs")?;
                match self.take(running.address, step, &mut kept) {
                    Ok(()) => break,
                    Err(_) if running.is_gone() => {
                        outcome.ended = true;
                        outcome.in_transaction |= std::fs::read(&mark).is_ok_and(|byte| byte == b"1");
                        // What died is not started again with the same end.
                        server = Some(self.start(&place, None)?);
                    }
                    // The first request with this key died with the server; its claim runs out.
                    Err(error) if error.to_string().contains("still-running") => std::thread::sleep(Duration::from_millis(500)),
                    Err(error) => return Err(error.context(step.name)),
                }
            }
        }
        outcome.seconds = started.elapsed().as_secs_f64();
        if let Some(running) = server.as_mut()
            && running.is_gone()
        {
            outcome.ended = true;
            server = Some(self.start(&place, None)?);
        }
        drop(killer);
        outcome.state = self.state(server.as_ref().context("a server runs")?.address)?;
        drop(server);
        self.attain(&place, &["audit", "verify"])?;
        let again = self.attain(&place, &["--json", "run"])?;
        ensure!(again.replace(' ', "").contains("\"posted_count\":0"), "running again posts something: {again}");
        let periods = self.attain(&place, &["period", "list"])?;
        ensure!(periods.contains("closed"), "January is not closed: {periods}");
        self.remove(name);
        Ok(outcome)
    }

    fn start(&self, place: &Place, end: Option<(&End, &Path)>) -> Result<Server> {
        let mut command = self.command(place, &["serve", "--lease", LEASE_SECONDS]);
        if let Some((end, mark)) = end {
            command.env("ATTAIN_CRASH_MARK", mark);
            if let End::At(point, count) = end {
                command.env("ATTAIN_CRASH_AT", format!("{point}:{count}"));
            }
        }
        Server::start(command, &place.home.join("server.log"))
    }

    /// Takes a step, and waits for the job that it asked for. The same step sent again does nothing twice.
    fn take(&self, address: SocketAddr, step: &Step, kept: &mut Vec<(String, String)>) -> Result<()> {
        let filled = |text: &str| kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        let token = match step.who {
            Who::Admin => &self.tokens.0,
            Who::Finance => &self.tokens.1,
        };
        let body = match &step.body {
            Body::None => String::new(),
            Body::Text(text) => filled(text),
            Body::Deals(batch, day) => deals(*batch, *day),
        };
        let path = filled(step.path);
        let (status, said) = ask(address, step.method, &path, token, step.kind, &body, Some(step.name))?;
        // A step between states that was taken before the answer was lost is taken.
        let is_taken =
            status == 409 && (step.path.contains("/state") || said.contains("answer-lost") || said.contains("is approved already"));
        ensure!((200..300).contains(&status) || is_taken, "{} was answered with {status}: {said}", step.name);
        let said = if is_taken && !step.keep.is_empty() {
            // It was done, but its answer was lost: what it made is the newest of its kind.
            let list = match step.keep[0] {
                "change_id" => "/api/v1/changes",
                "batch_id" => "/api/v1/payouts",
                _ => "/api/v1/jobs?limit=1",
            };
            ask(address, "GET", list, &self.tokens.0, JSON, "", None)?.1
        } else {
            said
        };
        for field in step.keep {
            let value = text_of(&said, field).with_context(|| format!("the answer names no `{field}`: {said}"))?;
            kept.retain(|(name, _)| name != field);
            kept.push(((*field).to_owned(), value));
        }
        if step.keep.contains(&"job_id") {
            let job = filled_job(kept)?;
            let started = Instant::now();
            loop {
                let (status, said) = ask(address, "GET", &format!("/api/v1/jobs/{job}"), &self.tokens.0, JSON, "", None)?;
                ensure!(status == 200, "the job was answered with {status}: {said}");
                match text_of(&said, "state").as_deref() {
                    Some("done") => break,
                    Some("failed") => bail!("the job failed: {said}"),
                    _ => ensure!(started.elapsed() < JOB_WAIT_MAX, "the job takes too long: {said}"),
                }
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        Ok(())
    }

    /// What everybody is paid, as the interface says it.
    fn state(&self, address: SocketAddr) -> Result<String> {
        let mut all = String::new();
        for payee in ["ana", "ben", "cem"] {
            let (status, said) = ask(address, "GET", &format!("/api/v1/payees/{payee}/statements"), &self.tokens.1, JSON, "", None)?;
            ensure!(status == 200, "the statements of {payee}: {status} {said}");
            let amounts: Vec<String> = said
                .split("\"period_id\":")
                .skip(1)
                .map(|own| {
                    let head = format!("{{\"period_id\":{own}");
                    let field = |name: &str| text_of(&head, name).unwrap_or_default();
                    format!(
                        "{} earned {} held {} carried {} paid {}",
                        field("period_id"),
                        field("earned"),
                        field("held"),
                        field("carried"),
                        field("paid")
                    )
                })
                .collect();
            all.push_str(&format!("{payee}: {}\n", amounts.join("; ")));
        }
        ensure!(all.contains("earned"), "nobody has a statement: {all}");
        Ok(all)
    }
}

fn filled_job(kept: &[(String, String)]) -> Result<String> {
    kept.iter().find(|(name, _)| name == "job_id").map(|(_, job)| job.clone()).context("a job was named")
}

/// Thirty deals of three sellers.
fn deals(batch: u32, first_day: u32) -> String {
    let mut csv = "transaction_id,kind,ordered_on,payee_id,amount,currency\n".to_owned();
    for index in 0..30 {
        let day = 1 + (first_day + index * 2) % 28;
        let month = 1 + index % 3;
        let payee = ["ana", "ben", "cem"][(index % 3) as usize];
        csv.push_str(&format!(
            "T{batch}-{index:02},order,2026-{month:02}-{day:02},{payee},{}.{:02},USD\n",
            100 + index * 37 + batch,
            index
        ));
    }
    csv
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from.read_dir()?.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn ask(address: SocketAddr, method: &str, path: &str, token: &str, kind: &str, body: &str, key: Option<&str>) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let key = key.filter(|_| method != "GET").map_or_else(String::new, |key| format!("idempotency-key: {}\r\n", key.replace(' ', "-")));
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\nconnection: close\r\ncontent-type: {kind}\r\n{key}content-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).context("no HTTP answer")?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}

/// The text of a field of a JSON object, where it holds nothing that JSON escapes.
fn text_of(json: &str, field: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{field}\":"))?;
    rest.trim_start().strip_prefix('"')?.split_once('"').map(|(own, _)| own.to_owned())
}

struct Server {
    process: Child,
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Server {
    fn start(mut command: Command, log: &Path) -> Result<Server> {
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let output = std::fs::File::create(log)?;
        let process = command
            .args(["--listen", &address.to_string()])
            .env("RUST_LOG", "warn")
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("the server could not be started")?;
        let mut server = Server { process, address, stop: Arc::default() };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if server.is_gone() {
                // A crash point may lie before the first request.
                if server.process.try_wait()?.is_some_and(|status| status.code().is_some()) {
                    bail!("the server ended at once: {}", std::fs::read_to_string(log).unwrap_or_default());
                }
                break;
            }
            ensure!(started.elapsed() < START_WAIT_MAX, "the server does not listen: {}", std::fs::read_to_string(log).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    fn is_gone(&mut self) -> bool {
        // The end of a connection may be seen before the end of the process.
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(500) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return true;
            }
            if started.elapsed() > Duration::from_millis(200) && TcpStream::connect(self.address).is_ok() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Kills the server from outside after a while, unless it is no longer needed.
    fn kill_after(&self, millis: u64) -> Killer {
        let (process, stop) = (self.process.id(), Arc::clone(&self.stop));
        let thread = std::thread::spawn(move || {
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(millis) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).output();
        });
        Killer { stop: Arc::clone(&self.stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Killer {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
