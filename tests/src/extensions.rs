//! Extensions in a whole instance: hostile guests end in an incomplete run, saved files are swapped in, a run under way keeps
//! what it pinned, installed versions can be rolled back, connectors reach granted hosts only.

use crate::stage::{Stage, cell, plugins, root, small_company, write};
use attain_app::refusal::{Refusal, RefusalKind};
use attain_domain::point::{Call, Extensions, Point};
use attain_domain::table::{Column, Table};
use attain_extend::package;
use attain_extend::watch::Event;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The misbehaving plugin, built from source once.
fn hostile() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let out = root().join("target/guests");
            package::build(&root().join("tests/guests/hostile"), &out).unwrap_or_else(|error| panic!("{error:#}"))
        })
        .clone()
}

/// A company whose crediting is done by the hostile guest in one of its moods.
fn company_credited_by(kind: &str) -> std::collections::BTreeMap<&'static str, String> {
    let mut files = small_company();
    let rules = format!("rules = [{{ extension = \"hostile\", settings = {{ kind = \"{kind}\" }} }}]");
    let text = files["company.toml"].replace("rules = [{ extension = \"credit-direct\" }, { extension = \"credit-split\" }]", &rules);
    assert!(text.contains("hostile"));
    files.insert("company.toml", text);
    files
}

/// Runs the company with that mood: the run must be incomplete with this finding, post nothing, and be over in time; afterwards
/// the same instance must calculate a good company.
async fn ends_incomplete(kind: &str, code: &str) {
    let stage = Stage::sqlite().await;
    stage.instance.install(&hostile()).await.expect("the guest can be installed; it is its moods that are bad");
    stage.instance.load(write(&company_credited_by(kind)).path()).await.expect("the company loads");
    let started = Instant::now();
    let report = stage.instance.run(&|_| {}).await.expect("the run is kept");
    let took = started.elapsed();
    assert!(!report.complete, "{kind}: {report:?}");
    assert!(report.findings.iter().any(|finding| finding.code == code && finding.severity == "error"), "{kind}: {:?}", report.findings);
    assert_eq!(report.posted_count, 0, "{kind} posted something");
    // The default budget of a batch is 2 seconds and a little for its rows; storing the run comes on top.
    assert!(took < Duration::from_secs(4), "{kind} took {took:?}");
    stage.instance.apply(write(&small_company()).path()).await.expect("a good company");
    let good = stage.instance.run(&|_| {}).await.expect("a good run");
    assert!(good.complete && good.posted_count > 0, "{kind}: {good:?}");
    stage.remove().await;
}

macro_rules! hostile_guests {
    ($($name:ident: $kind:literal => $code:literal;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            ends_incomplete($kind, $code).await;
        }
    )+};
}

hostile_guests! {
    an_endless_loop_posts_nothing: "loop" => "extension-out-of-fuel";
    a_memory_bomb_posts_nothing: "memory" => "extension-out-of-memory";
    a_stack_overflow_posts_nothing: "stack" => "extension-trap";
    a_trap_posts_nothing: "trap" => "extension-trap";
    a_panic_posts_nothing: "panic" => "extension-trap";
    lying_lengths_post_nothing: "lengths" => "extension-invalid-answer";
    codes_outside_of_their_dictionary_post_nothing: "codes" => "extension-invalid-answer";
    rows_that_were_not_given_post_nothing: "rows" => "extension-invalid-answer";
    invented_payees_post_nothing: "payees" => "invented-payee";
    unbalanced_money_posts_nothing: "unbalanced" => "unbalanced-credit";
    // Under the default budget the fuel to write it ends before the room for it.
    huge_output_posts_nothing: "output" => "extension-out-of-fuel";
    a_flood_of_host_calls_posts_nothing: "log-flood" => "extension-too-many-host-calls";
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_and_random_bytes_are_refused_and_the_instance_goes_on() {
    let stage = Stage::sqlite().await;
    let good = std::fs::read(plugins().join("comp-tiers.wasm")).expect("a plugin");
    let mut noise = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise
    };
    let file = stage.home.path().join("bad.wasm");
    for round in 0..24 {
        let mut bytes = match round % 3 {
            0 => good[..(next() as usize) % good.len()].to_vec(),
            1 => (0..4096).map(|_| next() as u8).collect(),
            _ => good.clone(),
        };
        if round % 3 == 2 {
            // Damage the code itself, not the text sections at the end.
            for _ in 0..64 {
                let at = (next() as usize) % (bytes.len() / 2);
                bytes[at] = next() as u8;
            }
        }
        std::fs::write(&file, bytes).expect("a file");
        let started = Instant::now();
        let error = stage.instance.install(&file).await.expect_err("damaged bytes");
        assert!(error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.kind == RefusalKind::Extension), "{error:#}");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
    stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
    assert!(stage.instance.run(&|_| {}).await.expect("a run").complete);
    stage.remove().await;
}

fn script(rate: &str) -> String {
    format!("//! name = \"house-rate\"\n//! point = \"compensation\"\n//! version = \"1.0.0\"\n\ncredited * {rate}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_script_is_active_at_once_a_broken_one_stays_out_and_a_run_keeps_what_it_pinned() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("house-rate.rhai");
    std::fs::write(&path, script("0.10")).expect("a script");
    let mut stage = Stage::sqlite().await;
    stage.config.plugins.push(folder.path().to_owned());
    let instance = attain_app::Instance::open(&stage.config).await.expect("the instance opens");
    let (sender, events) = channel();
    let watcher = instance.watch_with(move |event| drop(sender.send(event))).expect("a watcher");

    let mut files = small_company();
    files.insert("plans/seller.toml", files["plans/seller.toml"].replace("comp-tiered", "house-rate"));
    instance.load(write(&files).path()).await.expect("the company loads");
    let company = instance.company().await.expect("the company");
    let under_way = instance.extensions_for(&company).expect("a run pins its extensions");
    let earned = |set: &attain_app::extensions::Set| {
        let rows = Table::new("rows").with("payee_id", Column::text(&[Some("ana")])).with("credited", Column::money(vec![1_000_000]));
        let settings = serde_json::json!({});
        let extension = set.get(Point::Compensation, "house-rate").expect("there");
        let answer = extension.run(&Call { settings: &settings, input: &[rows] }).expect("an answer");
        answer.table("earnings").and_then(|table| table.numbers("amount")).expect("amounts")[0]
    };
    assert_eq!(earned(&under_way), 100_000);

    let wait = |events: &std::sync::mpsc::Receiver<Event>| events.recv_timeout(Duration::from_secs(20)).expect("an event");
    let saved = Instant::now();
    std::fs::write(&path, script("0.25")).expect("a script");
    let Event::Swapped(swap) = wait(&events) else { panic!("refused") };
    assert!(saved.elapsed() < Duration::from_secs(2), "active after {:?}", saved.elapsed());
    assert_ne!(swap.old.as_ref(), Some(&swap.new));
    assert_eq!(earned(&under_way), 100_000, "what is under way keeps its version");
    assert_eq!(earned(&instance.extensions_for(&company).expect("extensions")), 250_000);

    std::fs::write(&path, "//! name = \"house-rate\"\n//! point = \"compensation\"\n\nlet x = 1;\ncredited * ;\n").expect("a script");
    let Event::Refused { line, message, path: at, .. } = wait(&events) else { panic!("a broken script was swapped in") };
    assert_eq!((line, at.as_path()), (Some(5), path.as_path()), "{message}");
    assert_eq!(earned(&instance.extensions_for(&company).expect("extensions")), 250_000, "the old one stays in");

    // A red case keeps a version out as well.
    std::fs::write(
        folder.path().join("house-rate.cases.toml"),
        "[[cases]]\nname = \"a tenth\"\n[cases.input.rows]\ncredited = [\"10\"]\n[cases.answer.earnings]\namount = [\"1\"]\n",
    )
    .expect("cases");
    std::fs::write(&path, script("0.30")).expect("a script");
    let Event::Refused { message, .. } = wait(&events) else { panic!("a red case was swapped in") };
    assert!(message.contains("a tenth"), "{message}");
    drop(watcher);
    instance.close().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plugin_is_swapped_like_a_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("comp-tiers.wasm");
    let good = std::fs::read(plugins().join("comp-tiers.wasm")).expect("a plugin");
    std::fs::write(&path, &good).expect("a file");
    let mut stage = Stage::sqlite().await;
    stage.config.plugins = vec![folder.path().to_owned()];
    let instance = attain_app::Instance::open(&stage.config).await.expect("the instance opens");
    let (sender, events) = channel();
    let watcher = instance.watch_with(move |event| drop(sender.send(event))).expect("a watcher");
    let wait = || events.recv_timeout(Duration::from_secs(30)).expect("an event");
    std::fs::write(&path, &good[..good.len() / 2]).expect("a file");
    assert!(matches!(wait(), Event::Refused { .. }), "half a file stays out");
    // Another version: the same code with another number in its manifest.
    let mut other = good.clone();
    let number = b"version = \"0.1.0\"";
    let at = other.windows(number.len()).rposition(|window| window == number).expect("the manifest has a version");
    other[at + number.len() - 2] = b'9';
    std::fs::write(&path, &other).expect("a file");
    let Event::Swapped(swap) = wait() else { panic!("a good version stayed out") };
    assert!(swap.old.is_some() && swap.old.as_ref() != Some(&swap.new), "{swap:?}");
    drop(watcher);
    let installed = instance.extensions().await.expect("a list");
    assert!(installed.iter().any(|own| own.name == "comp-tiers" && own.active && own.version == "0.1.9"));
    instance.close().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installed_version_can_be_rolled_back_on_every_database() {
    for stage in Stage::each().await {
        let file = stage.home.path().join("house-rate.rhai");
        let mut digests = Vec::new();
        for rate in ["0.10", "0.20"] {
            std::fs::write(&file, script(rate)).expect("a script");
            let installed = stage.instance.install(&file).await.expect("installed");
            digests.push(installed["digest"].as_str().expect("a digest").to_owned());
        }
        let mut files = small_company();
        files.insert("plans/seller.toml", files["plans/seller.toml"].replace("comp-tiered", "house-rate"));
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        let amount = async |instance: &attain_app::Instance| {
            let run = instance.run(&|_| {}).await.expect("a run");
            let tables = instance.results(&run.run_id).await.expect("results");
            cell(&tables["earnings"], &[("payee_id", "ana")], "amount")
        };
        assert_eq!(amount(&stage.instance).await.as_deref(), Some("360"));
        stage.instance.activate("house-rate", &digests[0][..12]).await.expect("rolled back");
        assert_eq!(amount(&stage.instance).await.as_deref(), Some("180"));
        // Another process sees the same.
        assert_eq!(amount(&stage.again().await).await.as_deref(), Some("180"));
        assert!(stage.instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

/// A JSON interface with two pages, on a loopback port; answers how often it was asked.
pub fn pages() -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut request = [0u8; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            let second = String::from_utf8_lossy(&request[..read]).lines().next().is_some_and(|line| line.contains("cursor=two"));
            let body = if second {
                r#"{"deals":[{"id":"c2","day":"2026-01-21","value":20.5,"who":"ben"}],"next":null}"#
            } else {
                r#"{"deals":[{"id":"c1","day":"2026-01-20","value":10,"who":"ana"}],"next":"two"}"#
            };
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    (port, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_pages_through_a_granted_host_and_reaches_no_other() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
    let (port, asked) = pages();
    let settings = serde_json::json!({
        "url": format!("http://127.0.0.1:{port}/deals"),
        "cursor_parameter": "cursor",
        "cursor_path": "/next",
        "records_path": "/deals",
        "fields": { "transaction_id": "/id", "ordered_on": "/day", "amount": "/value", "payee_id": "/who" },
        "constants": { "kind": "order", "currency": "USD" },
    });
    let refused = stage.instance.pull("connector-http", "transactions", &settings).await.expect_err("no grant");
    assert!(refused.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.kind == RefusalKind::Extension), "{refused:#}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0, "nothing was asked without a grant");

    stage.instance.grant("connector-http", &format!("127.0.0.1:{port}")).await.expect("granted");
    let receipt = stage.instance.pull("connector-http", "transactions", &settings).await.expect("pulled");
    assert_eq!((receipt.changes[0].inserted, receipt.changes[0].changed), (2, 0));
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
    assert!(
        stage.instance.pull("connector-http", "transactions", &settings).await.expect("again").is_empty(),
        "a page that comes again changes nothing"
    );
    let history = stage.instance.history("transactions", &["c2"]).await.expect("a history");
    assert_eq!(history[0].source, "connector-http");
    stage.remove().await;
}
