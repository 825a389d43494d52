//! Where rounds happen: a company with three people on one kind of database, copied for each round.

use super::server::{Request, Server, asked};
use super::sinks::Sink;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// As long as another node would wait for a job of one that died.
const LEASE_SECONDS: &str = "3";
const TEMPLATE: &str = "template";
/// A copy of a database waits until nobody is in it any more.
const COPIES_MAX: u32 = 50;

pub struct Stage {
    pub name: &'static str,
    attain: PathBuf,
    folder: PathBuf,
    postgres: Option<Postgres>,
    pub hooks: Sink,
    pub mails: Sink,
    pub webhook: String,
    pub tokens: Tokens,
}

#[derive(Default)]
pub struct Tokens {
    pub admin: String,
    pub finance: String,
    pub platform: String,
}

/// A PostgreSQL server and the folder of its programs.
#[derive(Debug, Clone)]
pub struct Postgres {
    pub url: String,
    pub programs: PathBuf,
}

impl Postgres {
    fn program(&self, name: &str, words: &[&str]) -> Result<Output> {
        let (user, server) = self.url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).context("the URL names no server")?;
        let (host, port) = server.split('/').next().and_then(|own| own.split_once(':')).context("the URL names no port")?;
        Ok(Command::new(self.programs.join(name)).args(["-h", host, "-p", port, "-U", user]).args(words).output()?)
    }
}

/// A place of a record: a database and a home.
pub struct Place {
    pub name: String,
    pub database: String,
    pub home: PathBuf,
}

impl Stage {
    /// A record with a company, and three people with tokens.
    pub fn new(name: &'static str, attain: &Path, folder: &Path, postgres: Option<Postgres>) -> Result<Stage> {
        std::fs::create_dir_all(folder.join("company/plans"))?;
        let write = |path: &str, text: &str| std::fs::write(folder.join("company").join(path), text);
        write(
            "company.toml",
            "format = 1\nname = \"Crash\"\ncurrency = \"USD\"\n[calendar]\npattern = \"months\"\nfirst = \"2026-01-01\"\nyears = 1\n[crediting]\nrules = [{ extension = \"credit-direct\" }]\n[[measures]]\nid = \"sales\"\n",
        )?;
        write(
            "plans/plan.toml",
            "id = \"plan\"\n[[components]]\nid = \"commission\"\nmeasure = \"sales\"\nformula = \"comp-flat\"\nsettings = { rate = \"0.0731\" }\npay = [{ share = \"1\", installments = 3 }]\n[[draws]]\nid = \"draw\"\namount = \"400\"\nrecoverable = true\n",
        )?;
        write("payees.csv", "payee_id\nana\nben\ncem\n")?;
        write("plan_assignments.csv", "payee_id,plan_id,from_on\nana,plan,2026-01-01\nben,plan,2026-01-01\ncem,plan,2026-02-01\n")?;
        let mut stage = Stage {
            name,
            attain: attain.to_owned(),
            folder: folder.to_owned(),
            postgres,
            hooks: Sink::of_webhooks()?,
            mails: Sink::of_mails()?,
            webhook: String::new(),
            tokens: Tokens::default(),
        };
        std::fs::create_dir_all(folder.join(TEMPLATE))?;
        stage.create_database(TEMPLATE, None)?;
        let place = stage.place(TEMPLATE);
        stage.attain(&place, &["load", &folder.join("company").display().to_string()])?;
        stage.tokens = Tokens {
            admin: stage.token(&place, "cora", "comp-admin")?,
            finance: stage.token(&place, "fin", "finance")?,
            platform: stage.token(&place, "pia", "platform")?,
        };
        let server = Server::start(stage.serve(&place), &place.home.join("server.log"))?;
        let url = format!("{{\"url\":\"http://{}/\"}}", stage.hooks.address);
        let new = Request { method: "POST", body: &url, ..Request::get("/api/v1/webhooks", &stage.tokens.platform) };
        let webhook = asked(server.address, &new)?;
        for (login, token) in [("cora", &stage.tokens.admin), ("fin", &stage.tokens.finance)] {
            let address = format!("{{\"address\":\"{login}@example.com\"}}");
            asked(server.address, &Request { method: "PATCH", body: &address, ..Request::get("/api/v1/mail-preference", token) })?;
        }
        drop(server);
        webhook["webhook_id"].as_str().context("the webhook has no id")?.clone_into(&mut stage.webhook);
        Ok(stage)
    }

    pub fn place(&self, name: &str) -> Place {
        let home = self.folder.join(name);
        let database = match &self.postgres {
            None => format!("sqlite:{}", home.join("attain.db").display()),
            Some(own) => format!("{}/{}", own.url.rsplit_once('/').map_or(own.url.as_str(), |(server, _)| server), database(name)),
        };
        Place { name: name.to_owned(), database, home }
    }

    /// A copy of the template; `is_cold` without what its first start wrote beside the trail's key.
    pub fn create(&self, name: &str, is_cold: bool) -> Result<Place> {
        let place = self.place(name);
        copy(&self.folder.join(TEMPLATE), &place.home)?;
        if is_cold {
            std::fs::remove_dir_all(place.home.join("compiled"))?;
        }
        self.create_database(name, Some(TEMPLATE))?;
        Ok(place)
    }

    fn create_database(&self, name: &str, template: Option<&str>) -> Result<()> {
        let Some(postgres) = &self.postgres else { return Ok(()) };
        let (template, name) = (template.map(database), database(name));
        let words: Vec<&str> = template.iter().flat_map(|own| ["-T", own.as_str()]).chain([name.as_str()]).collect();
        for tried in 1.. {
            let done = postgres.program("createdb", &words)?;
            if done.status.success() {
                break;
            }
            ensure!(tried < COPIES_MAX, "createdb: {}", String::from_utf8_lossy(&done.stderr));
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    pub fn remove(&self, place: &Place) {
        let _ = std::fs::remove_dir_all(&place.home);
        self.drop_database(&place.name);
    }

    fn drop_database(&self, name: &str) {
        if let Some(postgres) = &self.postgres {
            let _ = postgres.program("dropdb", &["-f", &database(name)]);
        }
    }

    /// Keeps the record of a round beside its logs.
    pub fn keep(&self, place: &Place) {
        if let Some(postgres) = &self.postgres {
            let file = place.home.join("record.sql").display().to_string();
            let _ = postgres.program("pg_dump", &["-f", &file, &database(&place.name)]);
            self.drop_database(&place.name);
        }
    }

    fn command(&self, place: &Place, words: &[&str]) -> Command {
        let mut command = Command::new(&self.attain);
        command.args(["--database", &place.database, "--quiet", "--home"]).arg(&place.home).args(words).stdin(Stdio::null());
        command
    }

    pub fn attain(&self, place: &Place, words: &[&str]) -> Result<String> {
        let output = self.command(place, words).output().context("`attain` could not be started")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "`attain {}` failed: {said}{}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        Ok(said)
    }

    /// A server that reaches the sinks; mails of this place have its name behind their `@`.
    pub fn serve(&self, place: &Place) -> Command {
        let mut command = self.command(place, &["serve", "--lease", LEASE_SECONDS]);
        command.args(["--webhook-host", &self.hooks.address, "--smtp-url", &format!("smtp://{}", self.mails.address)]);
        command.args(["--mail-from", &format!("Attain <pay@{}.example.com>", place.name)]);
        command
    }

    fn token(&self, place: &Place, login: &str, role: &str) -> Result<String> {
        self.attain(place, &["user", "add", login, "--role", role])?;
        let said = self.attain(place, &["user", "token", login, "--days", "1"])?;
        let start = said.find("att_").with_context(|| format!("`attain user token {login}` gave no token: {said}"))?;
        Ok(said[start..].chars().take_while(|own| own.is_ascii_alphanumeric() || "_-".contains(*own)).collect())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.drop_database(TEMPLATE);
    }
}

/// Other batteries may use the same server.
fn database(name: &str) -> String {
    format!("crash_{}_{name}", std::process::id())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from.read_dir()?.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
