//! Runs every test, on SQLite and on a private PostgreSQL, and the console in a browser. The runner's closing line comes last.

use crate::postgres::Postgres;
use crate::{browser, console, plugins, process, say, setup};
use anyhow::{Context, Result};
use std::process::ExitCode;

pub fn run(filters: &[String]) -> Result<ExitCode> {
    setup::compiler()?;
    let programs = setup::postgres()?;
    setup::hledger()?;
    let toolchain = setup::wasm(None)?;
    let has_nextest = setup::nextest();
    console::build(false)?;
    let attain = plugins::binary()?;
    plugins::build(&attain, toolchain, false)?;
    let mut command = process::cargo();
    if has_nextest {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]).args(filters);
        // Of a run that nobody watches the end is read: hundreds of passes must not push a failure of the console out of it.
        if std::env::var_os("CI").is_some() {
            command.args(["--status-level", "fail"]);
        }
    } else {
        command.args(["test", "--workspace", "--no-fail-fast"]);
        // cargo test takes one filter; further ones go to the runner of each binary.
        if let Some((first, rest)) = filters.split_first() {
            command.arg(first).arg("--").args(rest);
        }
    }
    say("build: the tests (some minutes the first time)");
    let mut build = process::cargo();
    build.args(if has_nextest { ["nextest", "run", "--workspace", "--no-run"] } else { ["test", "--workspace", "--no-run", "--quiet"] });
    process::run(&mut build)?;
    // Before the others, so that their runner has the last word.
    let console_works = if filters.is_empty() { console_tests()? } else { true };
    let postgres = Postgres::start(&programs)?;
    command.env("ATTAIN_TEST_POSTGRES", &postgres.url).env("ATTAIN_PLUGINS", plugins::folder()).env("ATTAIN_BINARY", &attain);
    say(&format!("  $ cargo {}", if has_nextest { "nextest run --workspace" } else { "test --workspace" }));
    let status = command.status().context("the test runner could not be started")?;
    drop(postgres);
    if status.success() && !console_works {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// The console's unit tests, then the browser's.
fn console_tests() -> Result<bool> {
    let node = console::packages()?;
    let units = process::passes(node.npm().current_dir(console::folder()).args(["run", "test"]))?;
    let browser = browser::tests(&[]).unwrap_or_else(|error| {
        say(&format!("browser: {error:#}"));
        false
    });
    if !units || !browser {
        say("console: its tests FAILED, see above; the others run now, and all of it counts as failed");
    }
    Ok(units && browser)
}
