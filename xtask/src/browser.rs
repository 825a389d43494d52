//! What a browser does with the demo company: the console's own tests, and the pictures of the documentation.

use crate::demo::Demo;
use crate::personas::PERSONAS;
use crate::{console, flags, root, say, setup, target};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// `cargo xtask screenshots`: the pictures in `docs/images`, made anew.
pub fn screenshots(arguments: &[String]) -> Result<ExitCode> {
    flags(arguments, &[])?;
    let images = root().join("docs/images");
    std::fs::create_dir_all(&images).with_context(|| format!("`{}` could not be made", images.display()))?;
    let status = run("screenshots.mjs", |command| {
        command.env("ATTAIN_IMAGES", &images);
    })?;
    Ok(if status { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `cargo xtask browser`: the browser tests alone, or those with a part of their name.
pub fn chore(arguments: &[String]) -> Result<ExitCode> {
    console::build(false)?;
    Ok(if tests(arguments)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the browser tests pass.
pub fn tests(parts: &[String]) -> Result<bool> {
    say("browser: the console's tests on a copy of the demo");
    let all = |command: &mut Command| {
        command.args(parts);
    };
    if run("run.mjs", all)? {
        return Ok(true);
    }
    // A walk waits for what it wants to see, and a busy machine may show it too late. What is broken fails again.
    say("browser: a walk FAILED, see above; all of them once more, on a fresh copy");
    run("run.mjs", all)
}

/// Runs a script of the console's tests against a server of its own. The script prints one closing line.
fn run(name: &str, more: impl FnOnce(&mut Command)) -> Result<bool> {
    let path = console::folder().join("tests").join(name);
    anyhow::ensure!(path.exists(), "`console/tests/{name}` is missing");
    let chromium = setup::chromium()?;
    let node = console::packages()?;
    let demo = Demo::original()?.copy_to(&target().join("browser").join(name))?;
    let (server, links) = demo.served()?;
    let mut command = console::script(&node, name);
    command.env("ATTAIN_URL", server.url()).env("ATTAIN_LINKS", links_as_json(&links)).env("ATTAIN_CHROMIUM", &chromium);
    command.env("ATTAIN_BINARY", demo.program());
    more(&mut command);
    let status = command.status().context("node could not be started")?;
    if !status.success() {
        let log: PathBuf = demo.folder().join("server.log");
        say(&format!("browser: {name} failed ({status}); the server's log is in {}", log.display()));
    }
    Ok(status.success())
}

/// Persona to link. Neither holds what JSON would escape.
fn links_as_json(links: &[String]) -> String {
    let pairs: Vec<String> = PERSONAS.iter().zip(links).map(|(persona, link)| format!("\"{}\":\"{link}\"", persona.login)).collect();
    format!("{{{}}}", pairs.join(","))
}
