//! A server that may die at any moment, and how it is spoken to.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A cold start compiles every extension.
const START_WAIT_MAX: Duration = Duration::from_secs(240);

/// A request; GET where there is a body or not.
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: &'a str,
    pub kind: &'a str,
    pub body: &'a str,
    /// Said with `Idempotency-Key`.
    pub key: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub fn get(path: &'a str, token: &'a str) -> Request<'a> {
        Request { method: "GET", path, token, kind: "application/json", body: "", key: None }
    }
}

/// Status and body.
pub fn ask(address: SocketAddr, request: &Request<'_>) -> Result<(u16, String)> {
    let Request { method, path, token, kind, body, key } = request;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let key = key.filter(|_| *method == "POST").map_or_else(String::new, |key| format!("idempotency-key: {}\r\n", key.replace(' ', "-")));
    let version = if *method == "PATCH" { "if-match: \"0\"\r\n" } else { "" };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\nconnection: close\r\ncontent-type: {kind}\r\n{key}{version}content-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).context("no HTTP answer")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an HTTP answer without its body")?;
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").and_then(|own| own.parse::<usize>().ok()));
    ensure!(length.is_none_or(|length| length == body.len()), "the answer was cut off");
    Ok((status, body.to_owned()))
}

/// What a request that must succeed is answered with.
pub fn asked(address: SocketAddr, request: &Request<'_>) -> Result<Value> {
    let (status, said) = ask(address, request)?;
    ensure!((200..300).contains(&status), "{} {} was answered with {status}: {said}", request.method, request.path);
    Ok(serde_json::from_str(&said)?)
}

pub struct Server {
    process: Child,
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Starts it and waits until it listens, or is dead.
    pub fn start(mut command: Command, log: &Path) -> Result<Server> {
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let output = std::fs::File::create(log)?;
        let process = command
            .args(["--listen", &address.to_string(), "--public-url", &format!("http://{address}")])
            .env("RUST_LOG", "warn")
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("the server could not be started")?;
        let mut server = Server { process, address, stop: Arc::default() };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if server.is_gone() {
                // A crash point may lie before the first request.
                if server.process.try_wait()?.is_some_and(|status| status.code().is_some()) {
                    bail!("the server ended at once: {}", std::fs::read_to_string(log).unwrap_or_default());
                }
                break;
            }
            ensure!(started.elapsed() < START_WAIT_MAX, "the server does not listen: {}", std::fs::read_to_string(log).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub fn is_gone(&mut self) -> bool {
        // The end of a connection may be seen before the end of the process.
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(500) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return true;
            }
            if started.elapsed() > Duration::from_millis(200) && TcpStream::connect(self.address).is_ok() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Kills the server from outside after a while, unless it is no longer needed.
    pub fn kill_after(&self, millis: u64) -> Killer {
        let (process, stop) = (self.process.id(), Arc::clone(&self.stop));
        let thread = std::thread::spawn(move || {
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(millis) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).output();
        });
        Killer { stop: Arc::clone(&self.stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub struct Killer {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
