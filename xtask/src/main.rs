//! Every chore of the repository. `cargo xtask` lists them; each is one entry of [`CHORES`].

mod bench;
mod browser;
mod check;
mod console;
mod demo;
mod demo_company;
mod fuzz;
mod personas;
mod plugins;
mod postgres;
mod process;
mod served;
mod setup;
mod test;
mod torture;

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

struct Chore {
    name: &'static str,
    arguments: &'static str,
    what: &'static str,
    run: fn(&[String]) -> Result<ExitCode>,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "demo",
        arguments: "[--no-serve] [--reset]",
        what: "build all, load the demo company, calculate, show and serve it",
        run: demo::run,
    },
    Chore {
        name: "test", arguments: "[FILTER…]", what: "every test, on SQLite, on a private PostgreSQL and in a browser", run: test::run
    },
    Chore { name: "check", arguments: "", what: "format, lints, house rules, licences; the one to run all day", run: check::run },
    Chore { name: "plugins", arguments: "[--toolchain auto|rustup|debian]", what: "build the bundled plugins", run: plugins::run },
    Chore {
        name: "demo-company",
        arguments: "",
        what: "write the rows of the demo company again from their seed",
        run: write_demo_company,
    },
    Chore { name: "console", arguments: "[--always]", what: "build the web console where its sources changed", run: console::run },
    Chore { name: "browser", arguments: "[PART OF A NAME]", what: "the console's tests in a browser", run: browser::chore },
    Chore { name: "screenshots", arguments: "", what: "make the pictures of the documentation anew", run: browser::screenshots },
    Chore {
        name: "fuzz",
        arguments: "api [--cases N] [--seconds N]",
        what: "requests that nobody thought of, made from the interface's own description",
        run: fuzz::run,
    },
    Chore {
        name: "torture",
        arguments: "money [COUNT] [SEED] | crash [ROUNDS | every] | oracle [PLANS] [SEED]",
        what: "random years of events against the laws of the ledger; a server killed at its work; a second implementation",
        run: torture::run,
    },
    Chore {
        name: "bench",
        arguments: "run [COUNT] | serve",
        what: "the reference workload, or the statement endpoint, with figures",
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        usage();
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "-h" | "--help") {
        usage();
        return ExitCode::SUCCESS;
    }
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        say(&format!("`{name}` is not a chore\n"));
        usage();
        return ExitCode::from(2);
    };
    match (chore.run)(rest) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn usage() {
    say("cargo xtask CHORE\n");
    for chore in CHORES {
        say(&format!("  {:<46} {}", format!("{} {}", chore.name, chore.arguments), chore.what));
    }
}

#[expect(clippy::print_stdout, reason = "chores talk to the terminal")]
pub fn say(line: &str) {
    println!("{line}");
}

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(own) => root().join(own),
        None => root().join("target"),
    }
}

/// Refuses what a chore does not know.
pub fn flags(arguments: &[String], known: &[&str]) -> Result<()> {
    match arguments.iter().find(|own| !known.contains(&own.as_str())) {
        None => Ok(()),
        Some(unknown) if known.is_empty() => anyhow::bail!("`{unknown}` is not known here; this chore takes no arguments"),
        Some(unknown) => anyhow::bail!("`{unknown}` is not known here; write {}", known.join(" or ")),
    }
}

fn write_demo_company(arguments: &[String]) -> Result<ExitCode> {
    flags(arguments, &[])?;
    demo_company::write(&root().join("examples/meridian"))?;
    Ok(ExitCode::SUCCESS)
}
