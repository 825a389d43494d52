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

#[test]
fn people_decide_with_one_another_on_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let company = write(&small_company());
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    let code = |arguments: &[&str]| run(arguments).status.code();
    let said = |arguments: &[&str]| -> String {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&said(&[arguments, &["--json"]].concat())).expect("one JSON document")
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
    said(&["load", company.path().to_str().expect("a path")]);
    said(&["run"]);
    for (login, role) in [("cora", "comp-admin"), ("fin", "finance")] {
        said(&["user", "add", login, "--role", role]);
    }
    let fin = said(&["user", "token", "fin"]).trim().to_owned();
    let cora = said(&["user", "token", "cora"]).trim().to_owned();

    let raised = json(&[
        "dispute",
        "raise",
        "ana",
        "2026-01",
        "--subject",
        "too little",
        "--body",
        "t3 is all mine",
        "--line",
        "1",
        "--expected",
        "150",
    ]);
    let dispute = text(&raised["dispute_id"]);
    assert_eq!(code(&["dispute", "assign", &dispute, "nobody"]), Some(4));
    said(&["dispute", "assign", &dispute, "cora"]);
    let shown = said(&["dispute", "answer", &dispute, "I look at it", "--token", &cora]);
    assert!(shown.contains("assigned") && shown.contains("cora: I look at it"), "{shown}");
    assert_eq!(code(&["dispute", "resolve", &dispute, "perhaps", "--comment", "x"]), Some(3));
    let resolved = said(&["dispute", "resolve", &dispute, "accepted", "--amount", "10", "--comment", "half of it", "--token", &cora]);
    assert!(resolved.contains("accepted, granted 10") && resolved.contains("is submitted"), "{resolved}");
    assert!(said(&["dispute", "list", "--state", "resolved"]).contains(&dispute));
    assert_eq!(json(&["dispute", "list", "--state", "open"]), serde_json::json!([]));

    let granted = text(&json(&["adjustment", "list"])[0]["adjustment_id"]);
    let hash = text(&json(&["adjustment", "show", &granted])["change"]["content_hash"]);
    let approve = |token: &str, hash: &str| code(&["adjustment", "approve", &granted, "--content-hash", hash, "--token", token]);
    assert_eq!(approve("att_nobody", &hash), Some(6));
    assert_eq!(approve(&cora, &hash), Some(6), "she decided on the dispute");
    assert_eq!(approve(&fin, "another"), Some(5));
    assert_eq!(approve(&fin, &hash), Some(0));
    assert_eq!(json(&["adjustment", "list", "--payee", "ana"])[0]["state"], "approved");
    assert!(said(&["dispute", "show", &dispute]).contains("is closed"));
    let proposed = json(&["adjustment", "propose", "ben", "2026-01", "-5", "--reason", "goodwill", "--note", "a round sum"]);
    let proposed = text(&proposed["adjustment"]["adjustment_id"]);
    said(&["adjustment", "reject", &proposed, "--comment", "no", "--token", &fin]);
    assert!(said(&["adjustment", "show", &proposed]).contains("is rejected: -5 to ben"));

    let given = json(&["delegation", "add", "fin", "cora", "--from-on", "2026-01-01", "--until-on", "2026-12-31", "--reason", "away"]);
    let ended = said(&["delegation", "end", &text(&given[0]["delegation_id"])]);
    assert!(ended.contains("revoked"), "{ended}");
    assert_eq!(json(&["webhook", "list"]), serde_json::json!([]));

    // A period is approved by two people, and opened again by two.
    said(&["run"]);
    said(&["period", "set", "2026-01", "in-review"]);
    assert_eq!(code(&["period", "set", "2026-01", "approved"]), Some(6), "nobody else has a say");
    assert_eq!(code(&["period", "set", "2026-01", "approved", "--actor", "somebody-else"]), Some(6), "a name is no second person");
    said(&["period", "set", "2026-01", "approved", "--token", &fin]);
    assert_eq!(code(&["period", "reopen", "2026-01", "--reason", "late"]), Some(6));
    said(&["period", "reopen", "2026-01", "--reason", "late", "--token", &fin]);
    assert_eq!(json(&["period", "list"])[0]["state"], "open");
    said(&["period", "set", "2026-01", "in-review"]);
    said(&["run"]);
    assert_eq!(code(&["period", "set", "2026-01", "approved", "--break-glass"]), Some(3), "without a reason");
    said(&["period", "set", "2026-01", "approved", "--break-glass", "--reason", "fin left the company"]);

    let draft = |day: &str| text(&json(&["payout", "draft", "2026-01", "--pay-on", day])["batch_id"]);
    let batch = draft("2026-02-10");
    let line = |payout: &serde_json::Value| -> serde_json::Value {
        payout["lines"].as_array().expect("lines").iter().find(|own| own["payee_id"] == "ana").expect("her line").clone()
    };
    assert_eq!(line(&json(&["payout", "mark", &batch, "ana", "excluded", "--reason", "leave"]))["state"], "excluded");
    assert_eq!(line(&json(&["payout", "unmark", &batch, "ana", "--reason", "back"]))["state"], "due");
    assert_eq!(json(&["payout", "cancel", &batch, "--reason", "another day"])["state"], "cancelled");
    let batch = draft("2026-02-12");
    said(&["payout", "review", &batch]);
    let hash = text(&json(&["payout", "show", &batch])["content_hash"]);
    said(&["payout", "approve", &batch, "--content-hash", &hash, "--token", &fin]);
    said(&["payout", "export", &batch, "--out", folder.path().to_str().expect("a path")]);
    said(&["payout", "confirm", &batch, "--reference", "bank 1", "--paid-on", "2026-02-12"]);
    let back = json(&["payout", "return", &batch, "ana", "--on", "2026-02-14", "--reason", "the account is closed"]);
    assert_eq!(line(&back)["state"], "returned");
    assert_eq!(code(&["audit", "verify"]), Some(0));
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
