//! A small load generator: HTTP/1.1 on connections that stay open, requests made beforehand, every answer read to its end.

use anyhow::{Context, Result, bail, ensure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests as bytes; they are sent in turn and begin anew at the end.
pub type Requests = Arc<Vec<Vec<u8>>>;

#[derive(Debug, Default)]
pub struct Measured {
    /// In microseconds, of answers with status 200, ascending.
    pub latencies: Vec<u64>,
    /// Answers with another status, by the first of them.
    pub other_count: usize,
    pub other: Option<u16>,
    pub seconds: f64,
    pub answer_bytes: usize,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    /// In milliseconds; `share` of 0.99 is the latency that one in a hundred exceeds.
    pub fn quantile(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies.get(place.saturating_sub(1)).map_or(f64::NAN, |micros| *micros as f64 / 1_000.0)
    }

    fn add(&mut self, latency: Duration, answer: &Answer) {
        self.answer_bytes += answer.length;
        if answer.status == 200 {
            self.latencies.push(latency.as_micros() as u64);
        } else {
            self.other_count += 1;
            self.other.get_or_insert(answer.status);
        }
    }

    fn all(parts: Vec<Measured>, seconds: f64) -> Measured {
        let mut sum = Measured { seconds, ..Measured::default() };
        for part in parts {
            sum.latencies.extend(part.latencies);
            sum.other_count += part.other_count;
            sum.other = sum.other.or(part.other);
            sum.answer_bytes += part.answer_bytes;
        }
        sum.latencies.sort_unstable();
        sum
    }
}

/// When to stop: after a time, or when told, whichever is first.
#[derive(Clone)]
pub struct Until {
    pub at: Instant,
    pub told: Arc<AtomicBool>,
}

impl Until {
    pub fn after(time: Duration) -> Until {
        Until { at: Instant::now() + time, told: Arc::default() }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.at || self.told.load(Ordering::Relaxed)
    }
}

/// Each connection sends its next request when it has the answer to the last.
pub async fn closed(address: SocketAddr, requests: &Requests, connection_count: usize, until: &Until) -> Result<Measured> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..connection_count {
        let (requests, next, until) = (Arc::clone(requests), Arc::clone(&next), until.clone());
        workers.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut own = Measured::default();
            while !until.is_over() {
                let index = next.fetch_add(1, Ordering::Relaxed) % requests.len();
                let sent = Instant::now();
                let answer = connection.ask(&requests[index]).await?;
                own.add(sent.elapsed(), &answer);
            }
            anyhow::Ok(own)
        });
    }
    gathered(workers, started).await
}

/// Sends `rate` requests a second, however long answers take. Latency counts from when a request was meant to be sent.
pub async fn open(address: SocketAddr, requests: &Requests, rate: u32, until: &Until) -> Result<Measured> {
    // So many may be under way before a request waits for a connection, which its latency shows.
    const CONNECTION_COUNT: usize = 128;
    let (send, receive) = tokio::sync::mpsc::unbounded_channel::<(usize, Instant)>();
    let receive = Arc::new(tokio::sync::Mutex::new(receive));
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..CONNECTION_COUNT {
        let (requests, receive) = (Arc::clone(requests), Arc::clone(&receive));
        workers.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut own = Measured::default();
            loop {
                let due = receive.lock().await.recv().await;
                let Some((index, meant)) = due else { return anyhow::Ok(own) };
                let answer = connection.ask(&requests[index % requests.len()]).await?;
                own.add(meant.elapsed(), &answer);
            }
        });
    }
    // A thread of its own keeps time better than the runtime's timers of a millisecond.
    let until = until.clone();
    let pace = std::thread::spawn(move || {
        let started = Instant::now();
        for index in 0.. {
            let meant = started + Duration::from_secs_f64(index as f64 / f64::from(rate));
            std::thread::sleep(meant.saturating_duration_since(Instant::now()));
            if until.is_over() || send.send((index, meant)).is_err() {
                return;
            }
        }
    });
    let measured = gathered(workers, started).await;
    ensure!(pace.join().is_ok(), "the thread that keeps time failed");
    measured
}

async fn gathered(mut workers: tokio::task::JoinSet<Result<Measured>>, started: Instant) -> Result<Measured> {
    let mut parts = Vec::new();
    while let Some(done) = workers.join_next().await {
        parts.push(done.context("a connection's task failed")??);
    }
    Ok(Measured::all(parts, started.elapsed().as_secs_f64()))
}

pub struct Answer {
    pub status: u16,
    /// Of the whole answer, in bytes.
    length: usize,
}

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("`{address}` does not answer"))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Sends and reads one answer, whose length must be told.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        let (mut filled, mut whole) = (0, None);
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            if whole.is_none() {
                whole = head(&self.buffer[..filled])?;
            }
            if let Some((status, length)) = whole.filter(|(_, length)| filled >= *length) {
                ensure!(filled == length, "the answer is longer than it says");
                return Ok(Answer { status, length });
            }
        }
    }

    /// The same with the answer's body.
    pub async fn ask_for_text(&mut self, request: &[u8]) -> Result<(u16, String)> {
        let answer = self.ask(request).await?;
        let bytes = &self.buffer[..answer.length];
        let start = body_start(bytes).unwrap_or(bytes.len());
        Ok((answer.status, String::from_utf8_lossy(&bytes[start..]).into_owned()))
    }
}

fn body_start(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|own| own == b"\r\n\r\n").map(|place| place + 4)
}

/// Status and length of the whole answer, once its head is there.
fn head(bytes: &[u8]) -> Result<Option<(u16, usize)>> {
    let Some(start) = body_start(bytes) else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..start]).context("the answer's head is no text")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer has no status")?;
    for line in head.lines() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            let length: usize = value.trim().parse().context("the answer's length is no number")?;
            return Ok(Some((status, start + length)));
        }
    }
    if matches!(status, 204 | 304) {
        return Ok(Some((status, start)));
    }
    bail!("the answer does not tell its length: {head}")
}
