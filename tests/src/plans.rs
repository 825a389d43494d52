//! What is to be looked at in plans, where people see it: at the load, beside the plan, before a change is approved. And whether the last
//! run is of what is there.

use crate::http::Server;
use crate::program::run as attain;
use crate::stage::{Stage, small_company, write};
use attain_app::access::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A plan whose tiers have a gap, and a jump at 1,000.
const GAP: &str = "id = \"seller\"\nname = \"Seller\"\n\n[[components]]\nid = \"commission\"\nmeasure = \"bookings\"\nformula = \"comp-tiered\"\n\n\
                   [components.settings]\nmethod = \"whole-amount\"\n\
                   tiers = [{ from = \"0\", until = \"999.99\", rate = \"0.05\" }, { from = \"1000\", rate = \"0.10\" }]\n";

fn company() -> BTreeMap<&'static str, String> {
    let mut files = small_company();
    files.insert("plans/seller.toml", GAP.to_owned());
    files
}

fn codes(lints: &Value) -> Vec<(String, bool)> {
    let of = |own: &Value| (own["code"].as_str().expect("a code").to_owned(), own["known"].as_bool().expect("a flag"));
    lints.as_array().expect("lints").iter().map(of).collect()
}

fn both(known: bool) -> Vec<(String, bool)> {
    ["tier-gap", "pay-falls", "pay-cliff"].map(|code| (code.to_owned(), known)).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn lints_are_told_at_the_load_beside_the_plan_and_with_a_change() {
    for stage in Stage::each().await {
        let receipt = stage.instance.load(write(&company()).path()).await.expect("lints refuse nothing");
        assert_eq!(receipt.lints.iter().map(|own| own.code.as_str()).collect::<Vec<_>>(), ["tier-gap", "pay-falls", "pay-cliff"]);
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let seller = server.token_of("ana", &[Role::Seller], Some("ana")).await;
        assert_eq!(server.get(&seller, "/plans").status, 403);
        let plans = server.get(&admin, "/plans").expect(200);
        let first = &plans["items"][0];
        assert_eq!(
            (first["plan_id"].as_str(), first["warning_count"].as_u64(), first["note_count"].as_u64()),
            (Some("seller"), Some(2), Some(1))
        );
        let plan = server.get(&admin, "/plans/seller").expect(200);
        assert_eq!(codes(&plan["versions"][0]["lints"]), both(true));
        assert_eq!(plan["versions"][0]["text"], GAP);
        assert_eq!(server.get(&admin, "/plans/none").status, 404);

        // A text that somebody writes: what is wrong, and what is new in it.
        let check = |text: &str| server.post(&admin, "/plan-checks", &json!({ "file": "seller.toml", "text": text })).expect(200);
        let same = check(GAP);
        assert_eq!((codes(&same["lints"]), same["problems"].as_array().map(Vec::len)), (both(true), Some(0)));
        let mended = GAP.replace("until = \"999.99\", ", "");
        assert_eq!(codes(&check(&mended)["lints"]), [("pay-cliff".to_owned(), false)], "at the same bound, from another height");
        let falls = mended.replace("0.10", "0.01");
        assert_eq!(codes(&check(&falls)["lints"]), [("pay-falls".to_owned(), false)]);
        let broken = check("id = \"seller\"\nmeasure = 1\n");
        assert!(broken["problems"][0].as_str().is_some_and(|text| text.starts_with("plans/seller.toml")), "{broken}");
        let no_formula = check(&GAP.replace("comp-tiered", "comp-unheard-of"));
        assert!(no_formula["problems"][0].as_str().is_some_and(|text| text.contains("comp-unheard-of")), "{no_formula}");

        // Whoever decides on a change sees what it brings.
        let new =
            json!({ "kind": "plan", "object": "seller.toml", "payload": { "file": "seller.toml", "text": falls }, "comment": "lower" });
        let change = server.post(&admin, "/changes", &new).expect(201);
        assert_eq!(codes(&change["lints"]), [("pay-falls".to_owned(), false)]);
        let formula = json!({ "kind": "table", "object": "quotas", "payload": { "entity": "quotas", "csv": "payee_id,measure_id,period_id,amount\n" } });
        assert_eq!(server.post(&admin, "/changes", &formula).expect(201)["lints"], json!([]));
        server.stop().await;
        stage.remove().await;
    }
}

#[test]
fn the_command_line_tells_lints_and_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    let company = write(&company());
    let loaded = attain(folder.path(), &["load", &company.path().display().to_string()]);
    assert!(loaded.status.success(), "{loaded:?}");
    let said = String::from_utf8_lossy(&loaded.stdout);
    assert!(said.contains("warning: plans/seller.toml, commission: what lies between 999.99 and 1000 is in no tier"), "{said}");
    assert!(said.contains("note: plans/seller.toml, commission: at 1000 pay jumps"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_current_until_something_that_it_read_is_otherwise() {
    for stage in Stage::each().await {
        let mut files = small_company();
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let seller = server.token_of("ana", &[Role::Seller], Some("ana")).await;
        assert_eq!(server.get(&seller, "/run-standing").status, 403);
        let standing = || server.get(&admin, "/run-standing").expect(200);
        assert_eq!(standing()["state"], "none");
        let run = stage.instance.run(&|_| {}).await.expect("a run");
        let now = standing();
        assert_eq!((now["state"].as_str(), now["run_id"].as_str()), (Some("current"), Some(run.run_id.as_str())));

        // What no run reads makes none stale: names, states of periods.
        let people = files["people.csv"].replace("Ana Torres", "Ana Lind");
        assert_ne!(people, files["people.csv"]);
        files.insert("people.csv", people);
        stage.instance.apply(write(&files).path()).await.expect("applied");
        assert_eq!(standing()["state"], "current");
        server.post(&admin, "/periods/2026-01/state", &json!({ "to": "in-review" })).expect(200);
        assert_eq!(standing()["state"], "current");

        let before = files.clone();
        files.insert("periods.csv", "period_id,state\n2026-01,in-review\n".to_owned());
        files.insert("quotas.csv", "payee_id,measure_id,period_id,amount\nana,bookings,2026-01,1100\n".to_owned());
        stage.instance.apply(write(&files).path()).await.expect("applied");
        files.insert("plans/seller.toml", files["plans/seller.toml"].replace("0.08", "0.09"));
        stage.instance.apply(write(&files).path()).await.expect("applied");
        let stale = standing();
        assert_eq!((stale["state"].as_str(), stale["change_count"].as_u64()), (Some("stale"), Some(2)));
        let objects: Vec<&str> =
            stale["changes"].as_array().expect("changes").iter().map(|own| own["object"].as_str().expect("a name")).collect();
        assert_eq!(objects, ["quotas", "plans/seller.toml"], "oldest first");
        assert_eq!(stale["since"], stale["changes"][0]["at"]);
        assert!(stale["changes"][0]["source"].is_string());

        // Taken back it is current again; so it is after a new run.
        let mut back = before;
        back.insert("periods.csv", files["periods.csv"].clone());
        stage.instance.apply(write(&back).path()).await.expect("applied");
        assert_eq!(standing()["state"], "current");
        stage.instance.apply(write(&files).path()).await.expect("applied");
        assert_eq!(standing()["state"], "stale");
        stage.instance.run(&|_| {}).await.expect("a run");
        assert_eq!(standing()["state"], "current");

        // The session says how far each period's close is.
        let session = server.get(&seller, "/session").expect(200);
        let close = |id: &str| {
            let all = session["periods"].as_array().expect("periods");
            all.iter().find(|own| own["period_id"] == id).expect("a period")["close"].clone()
        };
        assert_eq!((close("2026-01"), close("2026-02")), (json!("in-review"), json!("open")));
        server.stop().await;
        stage.remove().await;
    }
}
