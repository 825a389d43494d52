//! The product from nothing to a served, explained pay: one command, the second time much faster.

use crate::{flags, plugins, root, say, setup, target};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What the loaded record depends on, beside the plugins.
const INPUTS: [&str; 3] = ["examples/meridian", "migrations", "scripts"];
const LISTEN: &str = "127.0.0.1:8080";

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    flags(arguments, &["--no-serve", "--reset"])?;
    let has = |flag: &str| arguments.iter().any(|own| own == flag);
    setup::compiler()?;
    let toolchain = setup::wasm(None)?;
    let attain = plugins::binary()?;
    plugins::build(&attain, toolchain, false)?;
    let demo = Demo { attain, folder: target().join("demo") };
    let built = plugins::folder().join("sources.stamp");
    let stamp = format!("{:032x}\n", plugins::content_hash(&[&INPUTS.map(|input| root().join(input))[..], &[built]].concat())?);
    let stamp_file = demo.folder.join("demo.stamp");
    let is_loaded = demo.folder.join("attain.db").exists() && std::fs::read_to_string(&stamp_file).is_ok_and(|last| last == stamp);
    if is_loaded && !has("--reset") {
        say("demo: the record is loaded and calculated; --reset starts anew");
    } else {
        demo.fill()?;
        std::fs::write(&stamp_file, stamp).with_context(|| format!("`{}` could not be written", stamp_file.display()))?;
    }
    demo.attain(&["summary"])?;
    if has("--no-serve") {
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("\ndemo: serving at http://{LISTEN}; stop with Ctrl-C"));
    let status = demo.command(&["serve", "--listen", LISTEN]).status().context("the server could not be started")?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(0)).unwrap_or(1)))
}

struct Demo {
    attain: PathBuf,
    folder: PathBuf,
}

impl Demo {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.attain);
        command
            .current_dir(root())
            .stdin(Stdio::null())
            .args(["--database", &format!("sqlite:{}", self.folder.join("attain.db").display())]);
        command.arg("--home").arg(&self.folder).args(words);
        let folders = [plugins::folder(), root().join("scripts")].map(|folder| folder.display().to_string());
        command.env("ATTAIN_PLUGINS", folders.join(":"));
        command
    }

    fn attain(&self, words: &[&str]) -> Result<()> {
        say(&format!("\n$ attain {}", words.join(" ")));
        let status = self.command(words).status().context("`attain` could not be started")?;
        anyhow::ensure!(status.success(), "`attain {}` failed", words.join(" "));
        Ok(())
    }

    /// Territories, quotas, credits, pay and forecast of the demo company, in a new record.
    fn fill(&self) -> Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder).with_context(|| format!("`{}` could not be removed", self.folder.display()))?;
        }
        std::fs::create_dir_all(&self.folder).with_context(|| format!("`{}` could not be made", self.folder.display()))?;
        let company = Path::new("examples/meridian").display().to_string();
        self.attain(&["load", &company])?;
        self.attain(&["plan", "territories", "--from", "2026-10-01", "--apply"])?;
        // Quotas of the coming year follow from results, so pay is calculated first.
        self.attain(&["run"])?;
        self.attain(&["plan", "quotas", "--measure", "bookings", "--year", "2027", "--base-year", "2026", "--apply"])?;
        self.attain(&["run"])?;
        self.attain(&["forecast", "--measure", "bookings", "--steps", "6"])
    }
}
