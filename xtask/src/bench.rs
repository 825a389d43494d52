//! Measures the product against budgets and yardsticks.

use crate::postgres::Postgres;
use crate::{plugins, process, root, say, setup, target};
use anyhow::{Result, bail};
use std::process::{Command, ExitCode};

/// `run [COUNT]`: the reference workload, 1,000,000 transactions unless `COUNT` says otherwise.
/// `incremental [COUNT]`: the same workload in the record of a server, and what one change of it costs against calculating everything.
/// `serve [SECONDS]`: the statement endpoint on SQLite and PostgreSQL, each figure measured so long.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    match arguments {
        [what] | [what, _] if matches!(what.as_str(), "run" | "incremental" | "serve") => {}
        [] => bail!("name a benchmark: run, incremental or serve"),
        [what, ..] => bail!("`{what}` is no benchmark; write `bench run [COUNT]`, `bench incremental [COUNT]` or `bench serve [SECONDS]`"),
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
        let words = if arguments[0] == "incremental" { arguments } else { &arguments[1..] };
        command.args(words).env("ATTAIN_PLUGINS", plugins::folder());
    }
    let status = command.status()?;
    drop(postgres);
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
