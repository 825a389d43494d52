//! The binary `attain`: the command line over the use cases, and the server.

mod cli;
mod credit;
mod payouts;
mod people;
mod serve;
mod show;
mod tools;

use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let watching = matches!(cli.command, cli::Command::Serve(_) | cli::Command::Watch);
    let default = match (cli.quiet, watching) {
        (true, _) => "error",
        (false, true) => "info",
        (false, false) => "warn",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("ATTAIN_LOG").unwrap_or_else(|_| EnvFilter::new(default)))
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let json = cli.json;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&anyhow::Error::new(error).context("the runtime could not be started"), json),
    };
    match runtime.block_on(cli::execute(cli)) {
        Ok(code) => code.into(),
        Err(error) => cli::fail(&error, json),
    }
}
