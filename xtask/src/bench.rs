//! Measures the product against budgets and yardsticks.

use crate::{plugins, process, say, setup};
use anyhow::{Result, bail};
use std::process::ExitCode;

/// `run [COUNT]`: the reference workload, 1,000,000 transactions unless `COUNT` says otherwise.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((what, rest)) = arguments.split_first() else { bail!("name a benchmark: run") };
    if what != "run" || rest.len() > 1 {
        bail!("`{what}` is no benchmark; write `bench run` or `bench run COUNT`");
    }
    setup::compiler()?;
    let toolchain = setup::wasm(None)?;
    let attain = plugins::binary()?;
    plugins::build(&attain, toolchain, false)?;
    say("build: the benchmark, optimised (many minutes the first time)");
    process::run(process::cargo().args(["build", "--release", "--package", "attain-bench"]))?;
    let status = std::process::Command::new(crate::target().join("release/attain-bench"))
        .args(rest)
        .current_dir(crate::target())
        .env("ATTAIN_PLUGINS", plugins::folder())
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
