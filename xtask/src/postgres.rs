//! A PostgreSQL of our own for tests: private folder, free port of 127.0.0.1, durable as in production, gone afterwards.

use crate::process::{self, quiet};
use crate::{say, target};
use anyhow::{Context, Result};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Followed by the id of the process that made it.
const FOLDER_PREFIX: &str = "attain-postgres-";
const START_WAIT_MAX: Duration = Duration::from_secs(60);
const STOP_WAIT_MAX: Duration = Duration::from_secs(20);

pub struct Postgres {
    server: Child,
    folder: PathBuf,
    pub url: String,
}

impl Postgres {
    pub fn start(programs: &Path) -> Result<Postgres> {
        let as_user = other_user()?;
        let folder = private_folder(&as_user)?;
        let data = folder.join("data");
        say(&format!("postgres: a new one in {}", folder.display()));
        let init = ["--username=attain", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
        quiet(command(&as_user, &programs.join("initdb")).args(init).arg("-D").arg(&data).current_dir(&folder))?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|own| own.local_addr()).context("no free port on 127.0.0.1")?.port();
        let log = folder.join("log");
        let output = std::fs::File::create(&log).with_context(|| format!("`{}` could not be written", log.display()))?;
        // The server stays in our process group and dies with us: Ctrl-C reaches both, and the kernel tells it when we are killed.
        let mut own = command(&with_parent(&as_user), &programs.join("postgres"));
        own.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        for setting in ["unix_socket_directories=", "max_connections=200", "fsync=on", "synchronous_commit=on", "log_min_messages=fatal"] {
            own.args(["-c", setting]);
        }
        let server = own
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("the log could not be opened twice")?)
            .stderr(output)
            .spawn()
            .context("postgres could not be started")?;
        let mut postgres = Postgres { server, folder, url: format!("postgres://attain@127.0.0.1:{port}/attain") };
        postgres.wait(programs, port)?;
        let port = port.to_string();
        quiet(Command::new(programs.join("createdb")).args(["-h", "127.0.0.1", "-p", &port, "-U", "attain", "attain"]))?;
        Ok(postgres)
    }

    fn wait(&mut self, programs: &Path, port: u16) -> Result<()> {
        let started = Instant::now();
        let port = port.to_string();
        while quiet(Command::new(programs.join("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port])).is_err() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            if let Some(status) = self.server.try_wait().context("postgres cannot be watched")? {
                anyhow::bail!("postgres ended at once ({status}): {}", log());
            }
            anyhow::ensure!(started.elapsed() < START_WAIT_MAX, "postgres did not start in {} s: {}", START_WAIT_MAX.as_secs(), log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is the fast shutdown: it ends sessions and leaves.
        let id = self.server.id().to_string();
        let _ = quiet(Command::new("kill").args(["-INT", &id]));
        let started = Instant::now();
        while matches!(self.server.try_wait(), Ok(None)) {
            if started.elapsed() > STOP_WAIT_MAX {
                let _ = self.server.kill();
                let _ = self.server.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            say(&format!("postgres: `{}` could not be removed: {error}", self.folder.display()));
        }
    }
}

/// The words that run a program as somebody else: PostgreSQL refuses root.
fn other_user() -> Result<Vec<String>> {
    if !process::is_root() {
        return Ok(Vec::new());
    }
    let exists = |user: &str| quiet(Command::new("id").args(["-u", user])).is_ok();
    let user =
        ["postgres", "nobody"].into_iter().find(|user| exists(user)).context("no user `postgres` or `nobody` to run PostgreSQL as")?;
    anyhow::ensure!(process::find("setpriv").is_some(), "setpriv is needed to run PostgreSQL as `{user}`; install util-linux");
    let group = quiet(Command::new("id").args(["-g", user]))?;
    Ok(vec!["setpriv".to_owned(), format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()])
}

/// The same with the wish to be interrupted when this process ends, where that can be had.
fn with_parent(as_user: &[String]) -> Vec<String> {
    let knows = quiet(Command::new("setpriv").arg("--help")).is_ok_and(|help| help.contains("--pdeathsig"));
    if !knows {
        return as_user.to_vec();
    }
    let first = if as_user.is_empty() { vec!["setpriv".to_owned()] } else { as_user.to_vec() };
    [first, vec!["--pdeathsig=INT".to_owned()]].concat()
}

fn command(as_user: &[String], program: &Path) -> Command {
    match as_user.split_first() {
        None => Command::new(program),
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg("--").arg(program);
            command
        }
    }
}

/// Removes folders of earlier starts that were killed before they could do it.
fn remove_left_over(parent: &Path) {
    for folder in std::fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let owner = folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(FOLDER_PREFIX));
        if owner.is_some_and(|id| quiet(Command::new("kill").args(["-0", id])).is_err()) {
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

/// A folder under the target folder, or under the system's temporary one where the other user cannot go there.
fn private_folder(as_user: &[String]) -> Result<PathBuf> {
    for parent in [target().join("postgres"), std::env::temp_dir()] {
        remove_left_over(&parent);
        let name = format!("{FOLDER_PREFIX}{}", std::process::id());
        let folder = parent.join(&name);
        std::fs::create_dir_all(&folder).with_context(|| format!("`{}` could not be made", folder.display()))?;
        if let Some(user) = as_user.iter().find_map(|word| word.strip_prefix("--reuid=")) {
            quiet(Command::new("chown").arg(user).arg(&folder))?;
        }
        let reached = quiet(command(as_user, Path::new("/bin/sh")).args(["-c", "cd \"$0\" && test -w ."]).arg(&folder).current_dir("/"));
        if reached.is_ok() {
            return Ok(folder);
        }
        let _ = std::fs::remove_dir(&folder);
    }
    anyhow::bail!("no folder that PostgreSQL's user can write to; set TMPDIR to one")
}
