//! A server of our own on a free port, for what looks at it from outside. It is told to stop when it is no longer needed.

use crate::process::quiet;
use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const START_WAIT_MAX: Duration = Duration::from_secs(60);
const STOP_WAIT_MAX: Duration = Duration::from_secs(30);
const ASK_WAIT_MAX: Duration = Duration::from_secs(10);

pub struct Server {
    process: Child,
    address: SocketAddr,
    log: PathBuf,
}

/// An address that nobody listens on at this moment.
pub fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").and_then(|own| own.local_addr()).context("no free port on 127.0.0.1")
}

impl Server {
    /// `command` is `attain` with its arguments, told to listen on `address`; what it says goes to the file `log`.
    pub fn start(mut command: Command, address: SocketAddr, log: &Path) -> Result<Server> {
        let output = std::fs::File::create(log).with_context(|| format!("`{}` could not be written", log.display()))?;
        let process = command
            .stdout(output.try_clone().context("the log could not be opened twice")?)
            .stderr(output)
            .spawn()
            .context("the server could not be started")?;
        let mut server = Server { process, address, log: log.to_owned() };
        let started = Instant::now();
        while server.status("/ready").ok() != Some(200) {
            if let Some(status) = server.process.try_wait().context("the server cannot be watched")? {
                anyhow::bail!("the server ended at once ({status}): {}", server.said());
            }
            anyhow::ensure!(
                started.elapsed() < START_WAIT_MAX,
                "the server is not ready after {} s: {}",
                START_WAIT_MAX.as_secs(),
                server.said()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The end of its log.
    pub fn said(&self) -> String {
        let all = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&all[all.len().saturating_sub(4_000)..]).into_owned()
    }

    /// Whether it still runs and answers.
    pub fn is_well(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None)) && self.status("/health").ok() == Some(200)
    }

    fn status(&self, path: &str) -> Result<u16> {
        let mut stream = TcpStream::connect_timeout(&self.address, ASK_WAIT_MAX)?;
        stream.set_read_timeout(Some(ASK_WAIT_MAX))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address)?;
        let mut answer = String::new();
        stream.take(1_000).read_to_string(&mut answer)?;
        answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).context("no HTTP answer")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = quiet(Command::new("kill").args(["-TERM", &self.process.id().to_string()]));
        let started = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) {
            if started.elapsed() > STOP_WAIT_MAX {
                let _ = self.process.kill();
                let _ = self.process.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
