//! The program itself: exit codes, JSON, and the server with its token and its hot reload.

use crate::stage::{plugins, small_company, write};
use crate::walkthrough::binary;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn attain(folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command
        .current_dir(folder)
        .env("ATTAIN_DATABASE", "sqlite:attain.db")
        .env("ATTAIN_PLUGINS", plugins())
        .env_remove("ATTAIN_HOME")
        .env_remove("ATTAIN_LOG")
        .stdin(Stdio::null());
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    attain(folder).args(arguments).output().expect("the program starts")
}

#[test]
fn exit_codes_say_what_happened_and_json_is_one_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let company = write(&small_company());
    let dir = company.path().to_str().expect("a path");
    let code = |arguments: &[&str]| run(folder.path(), arguments).status.code();
    assert_eq!(code(&["frobnicate"]), Some(2));
    assert_eq!(code(&["run"]), Some(4), "there is no company yet");
    let broken = write(&small_company());
    std::fs::write(broken.path().join("quotas.csv"), "payee_id\n").expect("a file");
    assert_eq!(code(&["load", broken.path().to_str().expect("a path")]), Some(3));
    assert_eq!(code(&["load", dir]), Some(0));
    assert_eq!(code(&["load", dir]), Some(5), "a second load");
    let output = run(folder.path(), &["run", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(report["complete"], true);
    let id = report["run_id"].as_str().expect("an id");
    assert_eq!(code(&["replay", &id[..12]]), Some(0));
    assert_eq!(code(&["explain", "ana", "2026-01", "--line", "1"]), Some(0));
    assert_eq!(code(&["explain", "ana", "2026-01", "--line", "9"]), Some(4));
    assert_eq!(code(&["audit", "verify"]), Some(0));
    assert_eq!(code(&["test", dir]), Some(1), "a folder without expected results is a failure");
}

#[test]
fn credit_is_asked_about_and_given_on_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let company = write(&small_company());
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    assert!(run(&["load", company.path().to_str().expect("a path")]).status.success());
    let deal = ["credit", "who", "--on", "2026-02-03", "--amount", "100", "--split", "ana=0.6", "--split", "ben=0.4"];
    let shown = run(&deal);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.status.success() && text.contains("ana Ana Torres") && text.contains("hierarchy from ana"), "{text}");
    let json: serde_json::Value = serde_json::from_slice(&run(&[&deal[..], &["--json"]].concat()).stdout).expect("one JSON document");
    let amounts: Vec<&str> = json["credits"].as_array().expect("credits").iter().filter_map(|own| own["amount"].as_str()).collect();
    assert_eq!(amounts, ["60", "40", "60", "40"]);
    assert_eq!(run(&["credit", "who", "--on", "soon", "--amount", "100"]).status.code(), Some(3));
    assert_eq!(run(&["credit", "who", "--on", "2026-02-03", "--amount", "1", "--payee", "gone"]).status.code(), Some(4));
    let given = run(&["credit", "give", "t1", "ben", "-0.1", "--kind", "overlay", "--reason", "returned-part"]);
    assert!(String::from_utf8_lossy(&given.stdout).contains("waits for a second person"), "{}", String::from_utf8_lossy(&given.stderr));
    assert_eq!(run(&["credit", "give", "gone", "ben", "0.1", "--reason", "x"]).status.code(), Some(3));
    assert_eq!(run(&["credit", "release", "gone", "--on", "2026-03-01"]).status.code(), Some(4));
}

struct Served {
    child: Child,
    lines: Receiver<String>,
    address: String,
    token: String,
}

impl Served {
    fn start(folder: &Path, watched: &Path) -> Served {
        let plugins = format!("{}:{}", plugins().display(), watched.display());
        let mut child = attain(folder)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("ATTAIN_PLUGINS", plugins)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let (sender, lines) = channel();
        let reader = BufReader::new(child.stderr.take().expect("standard error"));
        std::thread::spawn(move || reader.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let mut served = Served { child, lines, address: String::new(), token: String::new() };
        let line = served.wait_for("serving on http://");
        served.address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address").to_owned();
        let line = served.wait_for("/setup#token=");
        assert!(line.contains(&served.address), "the link goes to this server: {line}");
        let added = run(folder, &["user", "add", "cora", "--role", "comp-admin"]);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        served.token = String::from_utf8(run(folder, &["user", "token", "cora"]).stdout).expect("text").trim().to_owned();
        served
    }

    fn wait_for(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no line with `{text}`"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Status and body.
    fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let token = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
        write!(stream, "GET {path} HTTP/1.1\r\nhost: attain\r\n{token}connection: close\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A server that is gone already is what this is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_server_shows_pay_to_the_token_alone_and_reloads_what_is_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let watched = tempfile::tempdir().expect("a folder");
    let company = write(&small_company());
    assert!(run(folder.path(), &["load", company.path().to_str().expect("a path")]).status.success());
    assert!(run(folder.path(), &["run"]).status.success());
    let server = Served::start(folder.path(), watched.path());
    assert_eq!(server.get("/health", None).0, 200);
    assert_eq!(server.get("/ready", None).0, 200);
    for path in ["/api/v1/summary", "/api/v1/runs", "/api/v1/payees/ana/periods/2026-01/explanation", "/api/v1/extensions"] {
        for token in [None, Some("wrong"), Some("")] {
            let (status, body) = server.get(path, token);
            assert_eq!(status, 401, "{path} with {token:?}");
            assert!(!body.contains("ana"), "{body}");
        }
        let (status, body) = server.get(path, Some(&server.token));
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str::<serde_json::Value>(&body).expect("JSON");
    }
    let (status, body) = server.get("/api/v1/payees/nobody/periods/2026-01/explanation", Some(&server.token));
    let problem: serde_json::Value = serde_json::from_str(&body).expect("a problem");
    assert_eq!((status, problem["code"].as_str()), (404, Some("not-found")));
    assert_eq!(server.get("/api/v1/nothing", Some(&server.token)).0, 404);

    let second = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!second.status.success(), "a second server on one record is refused");

    let script =
        |rate: &str| format!("//! name = \"house-rate\"\n//! point = \"compensation\"\n//! version = \"1.0.0\"\n\ncredited * {rate}\n");
    let path = watched.path().join("house-rate.rhai");
    std::fs::write(&path, script("0.1")).expect("a script");
    server.wait_for("an extension was swapped");
    std::fs::write(&path, script("0.2")).expect("a script");
    let line = server.wait_for("an extension was swapped");
    assert!(line.contains("house-rate") && line.contains("old") && line.contains("new"), "{line}");
    std::fs::write(&path, script("0.2 +")).expect("a script");
    let line = server.wait_for("stays out");
    assert!(line.contains("house-rate.rhai") && line.contains("line"), "{line}");
    assert_eq!(server.get("/health", None).0, 200);
}
