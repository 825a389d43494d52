//! The product from nothing to a served, explained pay: one command, the second time much faster.

use crate::personas::PERSONAS;
use crate::served::{Server, free_address};
use crate::{console, flags, plugins, process, root, say, setup, target};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What the loaded record depends on, beside the plugins.
const INPUTS: [&str; 4] = ["examples/meridian", "migrations", "scripts", "xtask/src/personas.rs"];
const LISTEN: &str = "127.0.0.1:8080";
const STAMP: &str = "demo.stamp";

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    flags(arguments, &["--no-serve", "--reset"])?;
    let has = |flag: &str| arguments.iter().any(|own| own == flag);
    let original = Demo::original()?;
    let folder = target().join("demo");
    let demo = if !has("--reset") && original.stamp()? == original.at(&folder).stamp().unwrap_or_default() {
        say("demo: the record is loaded and calculated; --reset starts anew");
        original.at(&folder)
    } else {
        original.copy_to(&folder)?
    };
    demo.attain(&["summary"])?;
    if has("--no-serve") {
        return Ok(ExitCode::SUCCESS);
    }
    let url = format!("http://{LISTEN}");
    say(&format!("\ndemo: serving at {url}; stop with Ctrl-C. Sign in as"));
    for (persona, link) in PERSONAS.iter().zip(demo.links(&url)?) {
        say(&format!("  {:<11} {} ({})", persona.login, link, persona.sees));
    }
    let status = demo.serve(LISTEN).status().context("the server could not be started")?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(0)).unwrap_or(1)))
}

/// A record of the demo company in a folder of its own.
pub struct Demo {
    attain: PathBuf,
    folder: PathBuf,
}

impl Demo {
    /// The record as it was filled, for copies: nobody serves it.
    pub fn original() -> Result<Demo> {
        setup::compiler()?;
        let toolchain = setup::wasm(None)?;
        console::build(false)?;
        let attain = plugins::binary()?;
        plugins::build(&attain, toolchain, false)?;
        let demo = Demo { attain, folder: target().join("demo-original") };
        let built = plugins::folder().join("sources.stamp");
        let stamp = format!("{:032x}\n", plugins::content_hash(&[&INPUTS.map(|input| root().join(input))[..], &[built]].concat())?);
        if !demo.stamp().is_ok_and(|last| last == stamp) {
            demo.fill()?;
            let file = demo.folder.join(STAMP);
            std::fs::write(&file, stamp).with_context(|| format!("`{}` could not be written", file.display()))?;
        }
        Ok(demo)
    }

    fn at(&self, folder: &Path) -> Demo {
        Demo { attain: self.attain.clone(), folder: folder.to_owned() }
    }

    /// What it was filled from.
    fn stamp(&self) -> Result<String> {
        std::fs::read_to_string(self.folder.join(STAMP)).with_context(|| format!("`{}` is no record of the demo", self.folder.display()))
    }

    /// A copy to change at will, in place of what was in `folder`.
    pub fn copy_to(&self, folder: &Path) -> Result<Demo> {
        empty(folder)?;
        process::quiet(Command::new("cp").arg("-a").arg(self.folder.join(".")).arg(folder))?;
        Ok(self.at(folder))
    }

    pub fn program(&self) -> &Path {
        &self.attain
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn command(&self, words: &[&str]) -> Command {
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

    fn serve(&self, listen: &str) -> Command {
        self.command(&["serve", "--listen", listen])
    }

    /// Serves it on a free port until the answer is dropped; the links sign in each of [`PERSONAS`] there.
    pub fn served(&self) -> Result<(Server, Vec<String>)> {
        let address: SocketAddr = free_address()?;
        let links = self.links(&format!("http://{address}"))?;
        let server = Server::start(self.serve(&address.to_string()), address, &self.folder.join("server.log"))?;
        Ok((server, links))
    }

    /// Links that sign in each of [`PERSONAS`], as often as they are opened.
    fn links(&self, url: &str) -> Result<Vec<String>> {
        const PATH: &str = "/sign-in#token=";
        let link = |login: &str| {
            let said = process::quiet(&mut self.command(&["--quiet", "user", "link", login, "--reusable"]))?;
            let token = said.split(PATH).nth(1).and_then(|rest| rest.split_whitespace().next());
            let token = token.with_context(|| format!("`attain user link {login}` gave no link: {said}"))?;
            Ok(format!("{url}{PATH}{token}"))
        };
        PERSONAS.iter().map(|persona| link(persona.login)).collect()
    }

    fn attain(&self, words: &[&str]) -> Result<()> {
        say(&format!("\n$ attain {}", words.join(" ")));
        let status = self.command(words).status().context("`attain` could not be started")?;
        anyhow::ensure!(status.success(), "`attain {}` failed", words.join(" "));
        Ok(())
    }

    /// Territories, quotas, credits, pay, forecast and people of the demo company, in a new record.
    fn fill(&self) -> Result<()> {
        empty(&self.folder)?;
        let company = Path::new("examples/meridian").display().to_string();
        self.attain(&["load", &company])?;
        self.attain(&["plan", "territories", "--from", "2026-10-01", "--apply"])?;
        // Quotas of the coming year follow from results, so pay is calculated first.
        self.attain(&["run"])?;
        self.attain(&["plan", "quotas", "--measure", "bookings", "--year", "2027", "--base-year", "2026", "--apply"])?;
        self.attain(&["run"])?;
        self.attain(&["forecast", "--measure", "bookings", "--steps", "6"])?;
        for persona in PERSONAS {
            let mut words = vec!["user", "add", persona.login];
            words.extend(persona.roles.iter().flat_map(|role| ["--role", role]));
            words.extend(persona.payee_id.iter().flat_map(|payee| ["--payee", payee]));
            self.attain(&words)?;
        }
        Ok(())
    }
}

/// A new folder in the place of an old one.
pub fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("`{}` could not be removed", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("`{}` could not be made", folder.display()))
}
