//! The statement endpoint under load: 2,000 payees × 12 periods, each request signed in and checked for who may see whom.

mod company;
mod load;

use anyhow::{Context, Result, ensure};
use company::{HEAD, PAYEE_COUNT, PERIOD_COUNT, mixed, payee_id, period_id};
use load::{Connection, Measured, Requests, Until, closed, open};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const CONNECTION_COUNT: usize = 16;
const OPEN_RATE: u32 = 1_000;
/// Made beforehand; each asks for another payee and period.
const REQUEST_COUNT: u64 = 20_000;
/// Sellers who sign in and look at their own; the others are looked at by the head.
const SELLER_COUNT: u32 = 24;
const WARM_UP: Duration = Duration::from_secs(2);
const SECONDS: u64 = 10;
const START_WAIT_MAX: Duration = Duration::from_secs(60);
/// Of the whole machine.
const CALCULATION_WAIT_MAX: Duration = Duration::from_secs(120);
/// What `/proc` counts in; the kernel's interface to programs has it fixed.
const TICKS_PER_SECOND: f64 = 100.0;

/// Requests a second and the 99th percentile in milliseconds that the closed loop should reach.
const AIMS: [(&str, f64, f64); 2] = [("SQLite", 6_000.0, 10.0), ("PostgreSQL", 3_500.0, 15.0)];

/// `[SECONDS]`: how long each figure is measured.
pub async fn run(arguments: &[String]) -> Result<()> {
    let seconds = arguments.first().map_or(Ok(SECONDS), |seconds| seconds.parse()).context("write `serve` or `serve SECONDS`")?;
    let attain = PathBuf::from(std::env::var_os("ATTAIN_BINARY").context("set ATTAIN_BINARY to the server to measure")?);
    let folder = tempfile::Builder::new().prefix("attain-bench").tempdir_in(std::env::current_dir()?)?;
    company::write(&folder.path().join("company"))?;
    let postgres = std::env::var("ATTAIN_BENCH_POSTGRES").ok();
    let sqlite = format!("sqlite:{}", folder.path().join("attain.db").display());
    for (aim, database) in AIMS.iter().zip([Some(sqlite), postgres]) {
        match database {
            Some(database) => {
                let home = folder.path().join(aim.0);
                let stage = Stage { attain: attain.clone(), database, home, company: folder.path().join("company") };
                stage.measure(*aim, Duration::from_secs(seconds)).await.with_context(|| aim.0.to_owned())?;
            }
            None => println!("{}: not measured, ATTAIN_BENCH_POSTGRES is not set", aim.0),
        }
    }
    Ok(())
}

struct Stage {
    attain: PathBuf,
    database: String,
    home: PathBuf,
    company: PathBuf,
}

impl Stage {
    async fn measure(&self, (name, rate_aim, p99_aim): (&str, f64, f64), time: Duration) -> Result<()> {
        std::fs::create_dir_all(&self.home)?;
        println!("{name}: loading {PAYEE_COUNT} payees × {PERIOD_COUNT} periods and calculating");
        self.attain(&["load", &self.company.display().to_string()])?;
        self.attain(&["run"])?;
        let requests = self.requests()?;
        let admin = self.token("bench-admin", "comp-admin", None)?;
        let server = Server::start(self.command(&["serve"]), &self.home.join("server.log"))?;
        let first = closed(server.address, &requests, CONNECTION_COUNT, &Until::after(WARM_UP)).await?;
        ensure!(first.other_count == 0, "{} answers had status {:?}, not 200", first.other_count, first.other);
        ensure!(!first.latencies.is_empty(), "no answer in {} s", WARM_UP.as_secs());
        println!("{name}: an answer has {} bytes on average", first.answer_bytes / first.latencies.len());
        println!("  {:<38} {:>10} {:>9} {:>9} {:>13} {:>15}", "", "requests/s", "p50 ms", "p99 ms", "server µs/req", "load gen. share");

        let what = format!("closed loop, {CONNECTION_COUNT} connections");
        let quiet = server.watched(closed(server.address, &requests, CONNECTION_COUNT, &Until::after(time))).await?;
        quiet.print(&what);
        let what = format!("open loop, {OPEN_RATE} requests/s");
        server.watched(open(server.address, &requests, OPEN_RATE, &Until::after(time))).await?.print(&what);
        let until = Until::after(CALCULATION_WAIT_MAX);
        let busy = server.watched(closed(server.address, &requests, CONNECTION_COUNT, &until));
        let (busy, calculated) = tokio::join!(busy, calculation(server.address, &admin, until.clone()));
        match calculated {
            Ok(seconds) => busy?.print(&format!("closed loop during a calculation ({seconds:.1} s)")),
            Err(error) => println!("  during a calculation: not measured: {error:#}"),
        }
        let reached = quiet.measured.per_second() >= rate_aim && quiet.measured.quantile(0.99) <= p99_aim;
        let verdict = if reached { "reached" } else { "NOT REACHED" };
        println!("{name}: aim of the closed loop {rate_aim:.0} requests/s, p99 ≤ {p99_aim:.0} ms: {verdict}\n");
        Ok(())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.attain);
        command.args(["--database", &self.database, "--quiet", "--home"]).arg(&self.home).args(words).stdin(Stdio::null());
        command
    }

    fn attain(&self, words: &[&str]) -> Result<String> {
        let output = self.command(words).output().context("`attain` could not be started")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "`attain {}` failed: {said}{}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        Ok(said)
    }

    fn token(&self, login: &str, role: &str, payee: Option<&str>) -> Result<String> {
        let mut words = vec!["user", "add", login, "--role", role];
        words.extend(payee.iter().flat_map(|payee| ["--payee", payee]));
        self.attain(&words)?;
        let said = self.attain(&["user", "token", login, "--days", "1"])?;
        let start = said.find("att_").with_context(|| format!("`attain user token {login}` gave no token: {said}"))?;
        Ok(said[start..].chars().take_while(|own| own.is_ascii_alphanumeric() || "_-".contains(*own)).collect())
    }

    /// Every second one is a seller's own statement, the others the head's look at anybody's.
    fn requests(&self) -> Result<Requests> {
        let head = self.token("bench-head", "manager", Some(&payee_id(HEAD)))?;
        let sellers = (0..SELLER_COUNT)
            .map(|index| {
                let payee = payee_id(PAYEE_COUNT - index * 70);
                let token = self.token(&format!("bench-{payee}"), "seller", Some(&payee))?;
                Ok((payee, token))
            })
            .collect::<Result<Vec<(String, String)>>>()?;
        let pick = |seed: u64, index: u64, count: u32| (mixed(seed, index) % u64::from(count)) as u32;
        let all = (0..REQUEST_COUNT).map(|index| {
            let period = period_id(1 + pick(7, index, PERIOD_COUNT));
            let (payee, token) = if index % 2 == 0 {
                sellers[pick(8, index, SELLER_COUNT) as usize].clone()
            } else {
                (payee_id(1 + pick(9, index, PAYEE_COUNT)), head.clone())
            };
            request("GET", &format!("/api/v1/payees/{payee}/periods/{period}/statement"), &token)
        });
        Ok(Arc::new(all.collect()))
    }
}

fn request(method: &str, path: &str, token: &str) -> Vec<u8> {
    let body = if method == "POST" { "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}" } else { "\r\n" };
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n{body}").into_bytes()
}

/// Has the server calculate everything; tells the load to stop when that is done. How long it took, in seconds.
async fn calculation(address: SocketAddr, token: &str, until: Until) -> Result<f64> {
    let done = calculated(address, token).await;
    until.told.store(true, Ordering::Relaxed);
    done
}

async fn calculated(address: SocketAddr, token: &str) -> Result<f64> {
    let mut connection = Connection::open(address).await?;
    let started = Instant::now();
    let (status, said) = connection.ask_for_text(&request("POST", "/api/v1/runs", token)).await?;
    ensure!(status == 202, "POST /api/v1/runs was answered with {status}: {said}");
    let job = text_of(&said, "job_id").context("the answer names no job")?;
    let look = request("GET", &format!("/api/v1/jobs/{job}"), token);
    loop {
        let (status, said) = connection.ask_for_text(&look).await?;
        ensure!(status == 200, "the job was answered with {status}: {said}");
        match text_of(&said, "state").as_deref() {
            Some("done") => return Ok(started.elapsed().as_secs_f64()),
            Some("failed") => anyhow::bail!("the calculation failed: {said}"),
            _ => ensure!(started.elapsed() < CALCULATION_WAIT_MAX, "the calculation took more than {} s", CALCULATION_WAIT_MAX.as_secs()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The text of a field of a JSON object, where it holds nothing that JSON escapes.
fn text_of(json: &str, field: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{field}\":"))?;
    rest.trim_start().strip_prefix('"')?.split_once('"').map(|(own, _)| own.to_owned())
}

struct Server {
    process: Child,
    address: SocketAddr,
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
        let mut server = Server { process, address };
        let started = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            let said = || std::fs::read_to_string(log).unwrap_or_default();
            ensure!(server.process.try_wait()?.is_none(), "the server ended at once: {}", said());
            ensure!(started.elapsed() < START_WAIT_MAX, "the server does not listen: {}", said());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Measures with what the server and this process spent on it.
    async fn watched(&self, load: impl Future<Output = Result<Measured>>) -> Result<Watched> {
        let server = self.process.id().to_string();
        let before = (cpu_seconds(&server)?, cpu_seconds("self")?);
        let measured = load.await?;
        ensure!(measured.other_count == 0, "{} answers had status {:?}, not 200", measured.other_count, measured.other);
        Ok(Watched { measured, server_seconds: cpu_seconds(&server)? - before.0, own_seconds: cpu_seconds("self")? - before.1 })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Watched {
    measured: Measured,
    server_seconds: f64,
    own_seconds: f64,
}

impl Watched {
    fn print(&self, what: &str) {
        let own = &self.measured;
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let micros = self.server_seconds * 1e6 / own.latencies.len().max(1) as f64;
        let share = 100.0 * self.own_seconds / (own.seconds * cores);
        let (p50, p99) = (own.quantile(0.5), own.quantile(0.99));
        println!("  {what:<38} {:>10.0} {p50:>9.2} {p99:>9.2} {micros:>13.0} {share:>14.0}%", own.per_second());
    }
}

/// User and system time of a process since it began.
fn cpu_seconds(process: &str) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("`{path}` could not be read"))?;
    // The name in brackets may hold blanks; what follows it does not.
    let fields: Vec<&str> = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |index: usize| fields.get(index).and_then(|own| own.parse::<f64>().ok());
    let sum = ticks(11).zip(ticks(12)).map(|(user, system)| user + system);
    Ok(sum.with_context(|| format!("`{path}` has another form"))? / TICKS_PER_SECOND)
}
