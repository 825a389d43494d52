//! Who gets what from which route: every route × role × relation against a golden table that is read in review. A route without
//! a body in [`BODIES`] that needs one, or without a line in the table, fails.
//!
//! After adding a route: `ATTAIN_UPDATE_GOLDEN=1 cargo nextest run …`, then read what changed in `tests/golden/access.csv`.

use crate::http::Server;
use crate::stage::{Stage, root, small_company, write};
use attain_app::access::Role;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// `vp` leads `mia`, `fred` and `otto`. `mia` leads `ana` (since March, before that `fred` did), `ben` and `tom`, who leads `dora`.
/// `otto` leads `cleo`.
fn company() -> BTreeMap<&'static str, String> {
    let mut files = small_company();
    let text = |text: &str| text.to_owned();
    files.insert("payees.csv", text("payee_id\nana\nben\ncleo\ndora\nfred\nmia\notto\ntom\nvp\n"));
    files.insert("people.csv", text("payee_id,name\nana,Ana Torres\nben,Ben Okafor\ncleo,Cleo Dunn\nmia,Mia Lind\n"));
    files.insert("positions.csv", text("position_id\np-ana\np-ben\np-cleo\np-dora\np-fred\np-mia\np-otto\np-tom\np-vp\n"));
    let mut seats = text("position_id,payee_id,from_on\n");
    let mut plans = text("payee_id,plan_id,from_on\n");
    let mut transactions = text("transaction_id,kind,ordered_on,amount,currency,payee_id\n");
    for payee in ["ana", "ben", "cleo", "dora", "fred", "mia", "otto", "tom", "vp"] {
        writeln!(seats, "p-{payee},{payee},2026-01-01").expect("a line");
        writeln!(plans, "{payee},seller,2026-01-01").expect("a line");
        for (month, amount) in [("01", 100), ("03", 300)] {
            writeln!(transactions, "{payee}-{month},order,2026-{month}-05,{amount},USD,{payee}").expect("a line");
        }
    }
    files.insert("occupancies.csv", seats);
    files.insert("plan_assignments.csv", plans);
    files.insert("transactions.csv", transactions);
    files.insert(
        "hierarchy.csv",
        text(
            "position_id,from_on,manager_position_id,until_on\np-ana,2026-01-01,p-fred,2026-03-01\np-ana,2026-03-01,p-mia,\n\
             p-ben,2026-01-01,p-mia,\np-tom,2026-01-01,p-mia,\np-dora,2026-01-01,p-tom,\np-cleo,2026-01-01,p-otto,\n\
             p-mia,2026-01-01,p-vp,\np-fred,2026-01-01,p-vp,\np-otto,2026-01-01,p-vp,\n",
        ),
    );
    files.remove("quotas.csv");
    files.remove("splits.csv");
    files
}

/// Name, caller's payee, whose pay, period. The caller sits where a manager sits, whatever her role.
const RELATIONS: &[(&str, &str, &str, &str)] = &[
    ("self", "mia", "mia", "2026-03"),
    ("report", "mia", "ana", "2026-03"),
    ("indirect-report", "mia", "dora", "2026-03"),
    ("peer", "mia", "otto", "2026-03"),
    ("own-manager", "mia", "vp", "2026-03"),
    ("other-branch", "mia", "cleo", "2026-03"),
    ("former-manager-now", "fred", "ana", "2026-03"),
    ("former-manager-then", "fred", "ana", "2026-01"),
    ("new-manager-before", "mia", "ana", "2026-01"),
    ("no-such-payee", "mia", "nobody", "2026-03"),
];

/// A body that a route understands; what it names does not have to exist.
const BODIES: &[(&str, &str)] = &include!("../golden/bodies.in");

/// Routes that everybody may ask a few times only, whoever she is, and the stream, which does not end: asked once, without a name.
const LIMITED: &[&str] = &[
    "GET /events",
    "POST /session",
    "POST /session/link",
    "POST /setup",
    "PUT /session/password",
    "GET /oidc/start",
    "GET /oidc/callback",
];

const HEADERS_OF_EDITS: &[(&str, &str)] = &[("if-match", "\"1\"")];

fn body(method: &str, path: &str) -> Option<(&'static str, &'static str)> {
    let key = format!("{method} {path}");
    BODIES.iter().find(|(route, _)| *route == key).map(|(_, body)| {
        let kind = if path.starts_with("/imports") {
            "text/csv"
        } else if path == "/extensions" {
            "text/x-rhai"
        } else {
            "application/json"
        };
        (kind, *body)
    })
}

/// Method and path of every route below `/api/v1`, and whether it takes a body.
fn every_route() -> Vec<(String, String, bool)> {
    let document = serde_json::to_value(attain_http::openapi()).expect("the document");
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let path = path.strip_prefix("/api/v1").expect("a path of the interface").to_owned();
            routes.push((method.to_uppercase(), path, operation.get("requestBody").is_some()));
        }
    }
    routes.sort();
    routes
}

async fn observed(stage: &Stage) -> String {
    stage.instance.load(write(&company()).path()).await.expect("the company loads");
    stage.instance.run(&|_| {}).await.expect("it runs");
    let server = Server::start(stage).await;
    let mut table = String::from("method,path,relation,anonymous");
    for role in Role::ALL {
        write!(table, ",{}", role.name()).expect("a column");
    }
    table.push('\n');
    for (method, path, has_body) in every_route() {
        let sent = body(&method, &path);
        assert!(sent.is_some() || !has_body, "`{method} {path}` takes a body: add one to tests/golden/bodies.in");
        let relations: &[(&str, &str, &str, &str)] =
            if path.contains("{payee_id}") { RELATIONS } else { &[("-", "mia", "mia", "2026-03")] };
        for (relation, caller, subject, period) in relations {
            let asked = path.replace("{payee_id}", subject).replace("{period_id}", period).replace("{line}", "1");
            let asked = asked.replace("{entity}", "payees").replace("{point}", "compensation").replace("{name}", "comp-tiered");
            let mut asked: String =
                asked.split('/').map(|part| if part.starts_with('{') { "none" } else { part }).collect::<Vec<_>>().join("/");
            if path == "/team" {
                asked.push_str("?period=2026-03");
            } else if path == "/imports" && method == "POST" {
                asked.push_str("?entity=payees&source=test&dry_run=true");
            } else if path == "/forecasts" {
                asked.push_str("?steps=2");
            } else if path.ends_with("/attachments") {
                asked.push_str("?name=rows.csv");
            } else if path == "/who-may" {
                asked.push_str("?deed=receive-approvals");
            } else if path == "/formula-language" {
                asked.push_str("?point=compensation");
            }
            write!(table, "{method},{path},{relation}").expect("a line");
            let anonymous = std::iter::once(None);
            for role in anonymous.chain(Role::ALL.into_iter().map(Some)) {
                if role.is_some() && LIMITED.contains(&format!("{method} {path}").as_str()) {
                    table.push_str(",-");
                    continue;
                }
                let token = match role {
                    None => String::new(),
                    Some(role) => server.token_of(&format!("{caller}-{}", role.name()), &[role], Some(caller)).await,
                };
                let mut headers = vec![("x-attain", "console"), ("origin", server.url.as_str())];
                if matches!(method.as_str(), "PATCH" | "PUT" | "DELETE") {
                    headers.extend(HEADERS_OF_EDITS);
                }
                if let Some((kind, _)) = sent {
                    headers.push(("content-type", kind));
                }
                let ask = || server.send(&method, &asked, &token, &headers, sent.map(|(_, body)| body.as_bytes()));
                // A stranger may ask so often in a second; the table is about what she gets then.
                let until = Instant::now() + Duration::from_secs(30);
                let mut answer = ask();
                while answer.status == 429 && Instant::now() < until {
                    answer = ask();
                }
                assert!(answer.status < 500, "{method} {asked}: {}", answer.text());
                write!(table, ",{}", answer.status).expect("a cell");
            }
            table.push('\n');
        }
    }
    server.stop().await;
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_each_role_and_relation_as_the_table_says() {
    let stage = Stage::sqlite().await;
    let seen = observed(&stage).await;
    let path = root().join("tests/golden/access.csv");
    if std::env::var_os("ATTAIN_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &seen).expect("the table is written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let different: Vec<String> = seen
        .lines()
        .filter(|line| !golden.lines().any(|own| own == *line))
        .map(|line| format!("now {line}"))
        .chain(golden.lines().filter(|line| !seen.lines().any(|own| own == *line)).map(|line| format!("was {line}")))
        .collect();
    assert!(different.is_empty(), "read these, then correct tests/golden/access.csv:\n{}", different.join("\n"));
    let count = seen.lines().count();
    assert!(count > 50, "only {count} lines were seen");
    stage.remove().await;
}

#[test]
fn the_document_of_the_interface_is_as_it_was_reviewed() {
    let now = serde_json::to_string_pretty(&attain_http::openapi()).expect("the document") + "\n";
    let path = root().join("core/http/openapi.json");
    if std::env::var_os("ATTAIN_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).expect("the document is written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(now == golden, "core/http/openapi.json is out of date; write it with ATTAIN_UPDATE_GOLDEN=1 and read what changed");
}
