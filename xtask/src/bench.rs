//! Measures the product against budgets and yardsticks.

use crate::postgres::Postgres;
use crate::{plugins, process, root, say, setup, target};
use anyhow::{Result, bail};
use std::process::{Command, ExitCode};

/// `run [COUNT]`: the reference workload, 1,000,000 transactions unless `COUNT` says otherwise.
/// `serve [SECONDS]`: the statement endpoint on SQLite and PostgreSQL, each figure measured so long.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    match arguments {
        [what] if what == "run" || what == "serve" => {}
        [what, _] if what == "run" || what == "serve" => {}
        [] => bail!("name a benchmark: run or serve"),
        [what, ..] => bail!("`{what}` is no benchmark; write `bench run`, `bench run COUNT`, `bench serve` or `bench serve SECONDS`"),
    }
    setup::compiler()?;
    let serves = arguments[0] == "serve";
    let programs = if serves { Some(setup::postgres()?) } else { None };
    let toolchain = setup::wasm(None)?;
    let attain = plugins::binary()?;
    plugins::build(&attain, toolchain, false)?;
    say("build: the benchmark, optimised (many minutes the first time)");
    // In one selection, so that both share what they are built on.
    let packages: &[&str] =
        if serves { &["--package", "attain-bench", "--package", "attain-server"] } else { &["--package", "attain-bench"] };
    process::run(process::cargo().args(["build", "--release"]).args(packages))?;
    let mut command = Command::new(target().join("release/attain-bench"));
    command.current_dir(target());
    let mut postgres = None;
    if let Some(programs) = programs {
        let own = Postgres::start(&programs)?;
        let folders = [plugins::folder(), root().join("scripts")].map(|folder| folder.display().to_string());
        command.args(arguments).env("ATTAIN_PLUGINS", folders.join(":"));
        command.env("ATTAIN_BINARY", target().join("release/attain")).env("ATTAIN_BENCH_POSTGRES", &own.url);
        postgres = Some(own);
    } else {
        command.args(&arguments[1..]).env("ATTAIN_PLUGINS", plugins::folder());
    }
    let status = command.status()?;
    drop(postgres);
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
