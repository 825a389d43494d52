//! Long tests that look for what breaks money: random years of events, a server that is killed at its work, and random plans against a
//! second implementation.

use crate::postgres::Postgres;
use crate::{plugins, process, root, say, setup, target};
use anyhow::{Context, Result, bail, ensure};
use std::process::{Command, ExitCode};

/// Sequences that `money` walks unless told otherwise.
const SEQUENCES: &str = "100000";

/// Plans that `oracle` makes unless told otherwise.
const PLANS: &str = "1000";

/// `money [COUNT] [FIRST SEED]`, `crash [ROUNDS | every]`, `oracle [PLANS] [SEED]`.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    match arguments {
        [what, rest @ ..] if what == "money" && rest.len() <= 2 => money(rest),
        [what, rest @ ..] if what == "crash" && rest.len() <= 1 => crash(rest),
        [what, rest @ ..] if what == "oracle" && rest.len() <= 2 => oracle(rest),
        _ => bail!("write `torture money [COUNT [SEED]]`, `torture crash [ROUNDS | every]` or `torture oracle [PLANS [SEED]]`"),
    }
}

/// Random sequences of events against the laws of the ledger; an independent double-entry checker reads the ledgers of some.
fn money(arguments: &[String]) -> Result<ExitCode> {
    setup::compiler()?;
    setup::hledger()?;
    say("build: the sequences, optimised");
    process::run(process::cargo().args([
        "build",
        "--release",
        "--package",
        "attain-calc",
        "--features",
        "reference",
        "--example",
        "sequences",
    ]))?;
    let journal = target().join("torture-money.journal");
    let count = arguments.first().map_or(SEQUENCES, String::as_str);
    let seed = arguments.get(1).map_or("0", String::as_str);
    let status = Command::new(target().join("release/examples/sequences")).args([count, seed]).arg(&journal).status()?;
    let hold = status.success();
    let read = |words: &[&str]| -> Result<String> {
        let output = Command::new("hledger").arg("-f").arg(&journal).args(words).output().context("hledger could not be started")?;
        ensure!(output.status.success(), "hledger: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).replace('"', ""))
    };
    read(&["check", "-s"])?;
    let mut theirs: Vec<String> = read(&["balance", "--flat", "-N", "-O", "csv"])?.lines().skip(1).map(str::to_owned).collect();
    let own = std::fs::read_to_string(target().join("torture-money.journal.balances"))?;
    let mut own: Vec<String> = own.lines().map(str::to_owned).collect();
    theirs.sort();
    own.sort();
    let differing = own.iter().filter(|line| theirs.binary_search(line).is_err()).count() + own.len().abs_diff(theirs.len());
    say(&format!("hledger: the journal passes its strict checks; {differing} differences over {} accounts", own.len()));
    Ok(if hold && differing == 0 && !own.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Random plans and deals as company folders, with what a second, naive implementation says that they pay: `attain test` must agree to the cent.
fn oracle(arguments: &[String]) -> Result<ExitCode> {
    setup::compiler()?;
    let attain = plugins::binary()?;
    let (count, seed) = (arguments.first().map_or(PLANS, String::as_str), arguments.get(1).map_or("0", String::as_str));
    let program = root().join("tests/oracle/oracle.py");
    let folders = [plugins::folder(), root().join("scripts")].map(|folder| folder.display().to_string());
    let mut command = Command::new("python3");
    command.arg("-B").arg(program).arg(&attain).args([count, seed]).env("ATTAIN_PLUGINS", folders.join(":"));
    let status = command.status().context("python3 could not be started")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Kills the server at every step of its work on both databases.
fn crash(arguments: &[String]) -> Result<ExitCode> {
    setup::compiler()?;
    let programs = setup::postgres()?;
    let toolchain = setup::wasm(None)?;
    let attain = plugins::binary()?;
    plugins::build(&attain, toolchain, false)?;
    say("build: the driver");
    process::run(process::cargo().args(["build", "--workspace", "--bin", "attain", "--bin", "attain-bench"]))?;
    let postgres = Postgres::start(&programs)?;
    let folders = [plugins::folder(), root().join("scripts")].map(|folder| folder.display().to_string());
    let status = Command::new(target().join("debug/attain-bench"))
        .arg("crash")
        .args(arguments)
        .current_dir(target())
        .env("ATTAIN_PLUGINS", folders.join(":"))
        .env("ATTAIN_BINARY", &attain)
        .env("ATTAIN_BENCH_POSTGRES", &postgres.url)
        .env("ATTAIN_POSTGRES_PROGRAMS", &programs)
        .status()?;
    drop(postgres);
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
