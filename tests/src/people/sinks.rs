//! The other side: a server that takes mail by SMTP, and one that takes webhooks by HTTP. Each says what it is told to say.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message as it came over the wire.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub text: String,
}

impl Mail {
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

#[derive(Clone)]
pub struct SmtpSink {
    pub url: String,
    mails: Arc<Mutex<Vec<Mail>>>,
    /// What it says to the next recipients; 250 where none is left.
    replies: Arc<Mutex<VecDeque<&'static str>>>,
}

impl SmtpSink {
    pub fn start() -> SmtpSink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let sink = SmtpSink {
            url: format!("smtp://{}", listener.local_addr().expect("an address")),
            mails: Arc::default(),
            replies: Arc::default(),
        };
        let own = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up in the middle is no matter.
                let _ = own.talk(stream);
            }
        });
        sink
    }

    pub fn say(&self, replies: &[&'static str]) {
        held(&self.replies).extend(replies);
    }

    pub fn mails(&self) -> Vec<Mail> {
        held(&self.mails).clone()
    }

    fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        let (mut from, mut to) = (String::new(), String::new());
        write!(stream, "220 sink ESMTP\r\n")?;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            let address = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match line.get(..4).unwrap_or_default().to_uppercase().as_str() {
                "EHLO" => write!(stream, "250-sink\r\n250 8BITMIME\r\n")?,
                "MAIL" => {
                    from = address(line);
                    write!(stream, "250 ok\r\n")?;
                }
                "RCPT" => {
                    to = address(line);
                    let reply = held(&self.replies).pop_front().unwrap_or("250 ok");
                    write!(stream, "{reply}\r\n")?;
                }
                "DATA" => {
                    write!(stream, "354 go on\r\n")?;
                    let mut text = String::new();
                    while !text.ends_with("\r\n.\r\n") {
                        if lines.read_line(&mut text)? == 0 {
                            return Ok(());
                        }
                    }
                    text.truncate(text.len() - 3);
                    held(&self.mails).push(Mail { from: from.clone(), to: to.clone(), text });
                    write!(stream, "250 taken\r\n")?;
                }
                "QUIT" => {
                    write!(stream, "221 bye\r\n")?;
                    return Ok(());
                }
                _ => write!(stream, "250 ok\r\n")?,
            }
        }
    }
}

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Hook {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

#[derive(Clone)]
pub struct HookSink {
    /// `host:port`
    pub address: String,
    hooks: Arc<Mutex<Vec<Hook>>>,
    /// What it answers next; 204 where none is left.
    replies: Arc<Mutex<VecDeque<&'static str>>>,
}

impl HookSink {
    pub fn start() -> HookSink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let sink = HookSink { address, hooks: Arc::default(), replies: Arc::default() };
        let own = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = own.answer(stream);
            }
        });
        sink
    }

    pub fn say(&self, replies: &[&'static str]) {
        held(&self.replies).extend(replies);
    }

    pub fn hooks(&self) -> Vec<Hook> {
        held(&self.hooks).clone()
    }

    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        held(&self.hooks).push(Hook { path, headers, body: String::from_utf8_lossy(&body).into_owned() });
        let reply = held(&self.replies).pop_front().unwrap_or("204 No Content");
        write!(stream, "HTTP/1.1 {reply}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    }
}
