//! Where mails and webhooks go: each takes everything, and remembers under which id it came.

use anyhow::Result;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// What came, and how often.
pub type Taken = Arc<Mutex<BTreeMap<String, u64>>>;

pub struct Sink {
    /// `host:port`
    pub address: String,
    taken: Taken,
}

impl Sink {
    /// Webhooks, by `webhook-id`.
    pub fn of_webhooks() -> Result<Sink> {
        Sink::start(webhook)
    }

    /// Mails, by message id without its brackets.
    pub fn of_mails() -> Result<Sink> {
        Sink::start(mail)
    }

    fn start(talk: fn(TcpStream, &Taken) -> std::io::Result<()>) -> Result<Sink> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let sink = Sink { address: listener.local_addr()?.to_string(), taken: Taken::default() };
        let taken = Arc::clone(&sink.taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = Arc::clone(&taken);
                // A client that dies in the middle is what this is for.
                std::thread::spawn(move || drop(talk(stream, &taken)));
            }
        });
        Ok(sink)
    }

    pub fn count(&self, id: &str) -> u64 {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied().unwrap_or(0)
    }

    /// How many ids end like this, and how often those came beyond once.
    pub fn ending(&self, end: &str) -> (u64, u64) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.iter().filter(|(id, _)| id.ends_with(end));
        own.fold((0, 0), |(ids, again), (_, count)| (ids + 1, again + count - 1))
    }
}

fn take(taken: &Taken, id: &str) {
    *taken.lock().unwrap_or_else(PoisonError::into_inner).entry(id.to_owned()).or_default() += 1;
}

fn webhook(mut stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            match name.to_lowercase().as_str() {
                "webhook-id" => value.clone_into(&mut id),
                "content-length" => length = value.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
    lines.read_exact(&mut vec![0; length])?;
    take(taken, &id);
    write!(stream, "HTTP/1.1 204 No Content\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}

fn mail(mut stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    write!(stream, "220 sink ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => write!(stream, "250-sink\r\n250 8BITMIME\r\n")?,
            "DATA" => {
                write!(stream, "354 go on\r\n")?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if lines.read_line(&mut text)? == 0 {
                        return Ok(());
                    }
                }
                let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: "));
                take(taken, id.unwrap_or_default().trim_matches(['<', '>', ' ']));
                write!(stream, "250 taken\r\n")?;
            }
            "QUIT" => return write!(stream, "221 bye\r\n"),
            _ => write!(stream, "250 ok\r\n")?,
        }
    }
}
