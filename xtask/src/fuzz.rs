//! Requests that nobody thought of, made by schemathesis from the interface's own description, against a throw-away record of the
//! demo company. A server error, a request without an answer or an answer that the description does not know is a failure.

use crate::demo::{Demo, empty};
use crate::{process, say, setup, target};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const TOOL: &str = "schemathesis==4.32.5";
/// Personas whose rights differ most: who sets up pay, who sees only her own, who runs the machine and sees none.
const LOGINS: [&str; 3] = ["cora", "ana", "pat"];
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance,response_headers_conformance";
/// For each persona.
const SECONDS: u64 = 120;
/// A request that takes longer has no answer.
const ANSWER_SECONDS: u64 = 20;
/// Reads the report: operations tested, requests made, kinds of server errors, of other failures, and errors such as no answer.
const READ_REPORT: &str = "import json, sys
own = json.load(open(sys.argv[1]))
server = [failure for failure in own['failures'] if failure['type'] == 'ServerError']
count = lambda failures: sum(failure['count'] for failure in failures)
print(own['operations']['tested'], own['test_cases']['generated'], count(server), count(own['failures']) - count(server), len(own['errors']))";

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let limit = limit(arguments)?;
    let folder = target().join("fuzz");
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}` could not be made", folder.display()))?;
    let python = setup::python(&folder.join("python"))?;
    install(&python)?;
    let demo = Demo::original()?.copy_to(&folder.join("record"))?;
    let secrets = LOGINS.iter().map(|login| secret(&demo, login)).collect::<Result<Vec<String>>>()?;
    let (mut server, _) = demo.served()?;
    let reports = folder.join("reports");
    empty(&reports)?;
    let mut sum = [0u64; 5];
    let mut cut_off = 0;
    for (login, secret) in LOGINS.iter().zip(&secrets) {
        say(&format!("fuzz: as {login}"));
        let report = reports.join(format!("{login}.json"));
        if !ended(attack(&python, &server.url(), secret, &limit, &report)?, limit.longest())? {
            say(&format!("fuzz: cut off after {} s", limit.longest().as_secs()));
            cut_off += 1;
            continue;
        }
        let said = process::quiet(Command::new(&python).args(["-c", READ_REPORT]).arg(&report))?;
        let counts: Vec<u64> = said.split_whitespace().flat_map(str::parse).collect();
        anyhow::ensure!(counts.len() == sum.len(), "the report of schemathesis has another form: {said}");
        for (sum, count) in sum.iter_mut().zip(counts) {
            *sum += count;
        }
        anyhow::ensure!(server.is_well(), "the server does not answer any more: {}", server.said());
    }
    let [operations, requests, server_errors, other_failures, unanswered] = sum;
    say(&format!(
        "fuzz api: {} personas, {operations} operations, {requests} requests, {server_errors} server errors, {} without an answer, \
         {other_failures} other failures; reports in {}",
        LOGINS.len(),
        unanswered + cut_off,
        reports.display()
    ));
    let failed = server_errors + unanswered + cut_off + other_failures > 0;
    anyhow::ensure!(failed || requests > 0, "no request was made");
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How long to go on with each persona.
enum Limit {
    Seconds(u64),
    /// Requests made up for one operation.
    Cases(u64),
}

impl Limit {
    /// After that it hangs.
    fn longest(&self) -> Duration {
        Duration::from_secs(match self {
            Limit::Seconds(seconds) => 2 * seconds + 300,
            Limit::Cases(cases) => 60 * cases + 600,
        })
    }
}

fn limit(arguments: &[String]) -> Result<Limit> {
    let number = |text: &String| text.parse::<u64>().ok().filter(|own| *own > 0).with_context(|| format!("`{text}` is no number"));
    match arguments {
        [what, ..] if what != "api" => bail!("`{what}` cannot be fuzzed; write `fuzz api`"),
        [_] => Ok(Limit::Seconds(SECONDS)),
        [_, flag, own] if flag == "--cases" => Ok(Limit::Cases(number(own)?)),
        [_, flag, own] if flag == "--seconds" => Ok(Limit::Seconds(number(own)?)),
        _ => bail!("write `fuzz api`, `fuzz api --cases N` (for each operation) or `fuzz api --seconds N` (for each persona)"),
    }
}

fn install(python: &Path) -> Result<()> {
    let version = TOOL.rsplit('=').next().unwrap_or_default();
    let tool = |command: &mut Command| process::quiet(command.args(["-m", "pip", "show", "schemathesis"]));
    if tool(&mut Command::new(python)).is_ok_and(|said| said.lines().any(|line| line == format!("Version: {version}"))) {
        say(&format!("set-up: {TOOL} is there"));
        return Ok(());
    }
    say(&format!("set-up: installing {TOOL} (a download, a minute or two)"));
    process::run(Command::new(python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOOL]))
}

/// A token with all that its owner may do, for one day.
fn secret(demo: &Demo, login: &str) -> Result<String> {
    const PREFIX: &str = "att_";
    let said = process::quiet(&mut demo.command(&["--quiet", "user", "token", login, "--days", "1"]))?;
    let start = said.find(PREFIX).with_context(|| format!("`attain user token {login}` gave no token"))?;
    Ok(said[start..].chars().take_while(|own| own.is_ascii_alphanumeric() || "_-".contains(*own)).collect())
}

fn attack(python: &Path, url: &str, secret: &str, limit: &Limit, report: &Path) -> Result<Child> {
    let program: PathBuf = python.with_file_name("st");
    let mut command = Command::new(program);
    command
        .current_dir(report.parent().unwrap_or(report))
        .stdin(Stdio::null())
        .arg("run")
        .arg(format!("{url}/api/openapi.json"))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color", "--no-shrink"])
        .args(["--workers", "1", "--seed", "1", "--generation-database", "none", "--warnings", "off"])
        // It does not end.
        .args(["--exclude-path", "/api/v1/events"])
        .args(["--request-timeout", &ANSWER_SECONDS.to_string()])
        .args(["--header", &format!("authorization: Bearer {secret}")])
        .args(["--report", "json", "--report-json-path"])
        .arg(report);
    match limit {
        Limit::Seconds(seconds) => command.args(["--max-time", &seconds.to_string()]),
        Limit::Cases(cases) => command.args(["--max-examples", &cases.to_string()]),
    };
    command.spawn().context("schemathesis could not be started")
}

/// Whether it ended by itself in time. What it found stands in its report.
fn ended(mut tool: Child, longest: Duration) -> Result<bool> {
    let started = Instant::now();
    while tool.try_wait().context("schemathesis cannot be watched")?.is_none() {
        if started.elapsed() > longest {
            tool.kill().and_then(|()| tool.wait()).context("schemathesis could not be stopped")?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(true)
}
