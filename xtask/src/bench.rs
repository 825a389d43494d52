//! Measures the product against budgets and yardsticks.

use anyhow::Result;
use std::process::ExitCode;

pub fn run(_arguments: &[String]) -> Result<ExitCode> {
    anyhow::bail!("there is no workload to run yet")
}
