//! What to run all day: format, lints, house rules, licences. Every part runs; the ones that failed are named at the end.

use crate::{flags, process, say};
use anyhow::Result;
use std::process::ExitCode;
use std::time::Instant;

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    flags(arguments, &[])?;
    let mut parts: Vec<(&str, Vec<&str>)> = vec![
        ("format", vec!["fmt", "--all", "--check"]),
        ("lints", vec!["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
        ("house rules", vec!["test", "--quiet", "--package", "attain-house"]),
    ];
    if process::find("cargo-deny").is_some() {
        parts.push(("licences", vec!["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]));
    } else {
        say("licences: skipped, no cargo-deny (cargo install cargo-deny --locked)");
    }
    let mut failed = Vec::new();
    for (name, words) in parts {
        let started = Instant::now();
        let passed = process::passes(process::cargo().args(words))?;
        say(&format!("{name}: {} ({:.1} s)", if passed { "ok" } else { "FAILED" }, started.elapsed().as_secs_f32()));
        if !passed {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        say("check: all ok");
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("check: FAILED: {}", failed.join(", ")));
    Ok(ExitCode::FAILURE)
}
