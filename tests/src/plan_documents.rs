//! Plans as documents: who reads which, what is accepted word by word, and pay that waits for it. On every database.

use crate::http::Server;
use crate::stage::{Stage, small_company, write};
use attain_app::access::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn company() -> BTreeMap<&'static str, String> {
    let mut company = small_company();
    let plan = format!("name = \"Seller 2026\"\nrequires_acceptance = true\n{}", company["plans/seller.toml"]);
    let plan =
        plan.replace("id = \"commission\"", "id = \"commission\"\nname = \"Commission\"\nclause = \"3.1\"\ncap = { amount = \"500\" }");
    company.insert("plans/seller.toml", plan);
    company
}

async fn run(stage: &Stage) {
    let report = stage.instance.run(&|_| ()).await.expect("it is calculated");
    assert!(report.complete, "{:?}", report.findings);
}

async fn holds(stage: &Stage) -> Vec<(String, String, Option<String>)> {
    let company = stage.instance.company().await.expect("a company");
    let table = &company.tables["holds"];
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).unwrap_or_default().to_owned();
    let rows = (0..table.row_count()).map(|row| {
        assert_eq!((text("plan_id", row).as_str(), text("reason", row).as_str()), ("seller", "plan-not-accepted"));
        let until = table.column("until_on").and_then(|own| own.show(row));
        (text("payee_id", row), table.column("from_on").and_then(|own| own.show(row)).unwrap_or_default(), until)
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

/// Held and paid of a payee in January.
fn pay(server: &Server, token: &str, payee: &str) -> (String, String) {
    let statement = server.get(token, &format!("/payees/{payee}/periods/2026-01/statement")).expect(200);
    let of = |name: &str| statement["totals"][name].as_str().expect("an amount").to_owned();
    (of("held"), of("paid"))
}

fn items(answer: &Value) -> Vec<(String, String)> {
    let text = |own: &Value, name: &str| own[name].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> =
        answer["items"].as_array().expect("items").iter().map(|own| (text(own, "payee_id"), text(own, "state"))).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_sent_read_and_accepted_and_pay_waits_for_it() {
    for stage in Stage::each().await {
        stage.instance.load(write(&company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let ana = server.token_of("ana", &[Role::Seller], Some("ana")).await;
        let ben = server.token_of("ben", &[Role::Seller], Some("ben")).await;
        let mia = server.token_of("mia", &[Role::Manager], Some("mia")).await;

        // What she would read is what she gets.
        let draft = server.get(&admin, "/payees/ana/plans/seller/document").expect(200);
        let sent = server.post(&admin, "/plan-documents", &json!({ "plan_id": "seller" })).expect(201);
        assert_eq!((sent["documents"].as_array().map(Vec::len), sent["unchanged_count"].as_u64()), (Some(3), Some(0)));
        let first_days: Vec<String> =
            holds(&stage).await.into_iter().map(|(payee, from, until)| format!("{payee} {from} {until:?}")).collect();
        assert_eq!(first_days, ["ana 20454 None", "ben 20454 None", "mia 20454 None"], "held from the plan's first day");
        let again = server.post(&admin, "/plan-documents", &json!({ "plan_id": "seller" })).expect(201);
        assert_eq!((again["documents"].as_array().map(Vec::len), again["unchanged_count"].as_u64()), (Some(0), Some(3)));

        // Everybody sees her own, a manager those of her team, nobody else's.
        assert_eq!(items(&server.get(&ana, "/plan-documents").expect(200)), [("ana".to_owned(), "sent".to_owned())]);
        assert_eq!(server.get(&mia, "/plan-documents").expect(200)["items"].as_array().map(Vec::len), Some(3));
        let own = server.get(&ana, "/plan-documents?state=sent").expect(200)["items"][0].clone();
        let path = format!("/plan-documents/{}", own["document_id"].as_str().expect("an id"));
        assert_eq!(server.get(&ben, &path).status, 404);
        let shown = server.get(&ana, &path).expect(200);
        assert_eq!((&shown["text"], &shown["sha256"]), (&draft["text"], &draft["sha256"]));
        let text = shown["text"].as_str().expect("a text").replace(['\u{a0}', '\u{202f}'], " ");
        for words in [
            "# Seller 2026",
            "## Commission (clause 3.1)",
            "Ana Torres",
            "| 2 | 100 % |  | 8 % |",
            "at most 500 USD a period",
            "| bookings | 2026-01 | 1,000.00 |",
            "held until you have accepted",
        ] {
            assert!(text.contains(words), "`{words}` is not in {text}");
        }
        let pdf = server.get(&ana, &format!("{path}/document.pdf"));
        assert!(pdf.status == 200 && pdf.body.starts_with(b"%PDF-"));
        assert_eq!(pdf.header("content-disposition"), Some("attachment; filename=\"plan-seller-ana.pdf\""));
        assert!(pdf.body == server.get(&mia, &format!("{path}/document.pdf")).body, "the same bytes every time");
        assert_eq!(server.get(&ben, &format!("{path}/document.pdf")).status, 404);

        run(&stage).await;
        let (held, paid) = pay(&server, &ana, "ana");
        assert_eq!(paid, "0");
        assert_ne!(held, "0");

        // Only she, only this text, only once.
        let accept = format!("{path}/accept");
        assert_eq!(server.post(&mia, &accept, &json!({ "sha256": shown["sha256"] })).status, 403, "her manager");
        assert_eq!(server.post(&ben, &accept, &json!({ "sha256": shown["sha256"] })).status, 404, "a peer");
        assert_eq!(server.post(&ana, &accept, &json!({ "sha256": "0".repeat(64) })).status, 409, "another text");
        let accepted = server.post(&ana, &accept, &json!({ "sha256": shown["sha256"] })).expect(200);
        assert_eq!(accepted["state"], "accepted");
        assert_eq!(server.post(&ana, &accept, &json!({ "sha256": shown["sha256"] })).status, 409, "twice");
        let after = holds(&stage).await;
        assert!(after.iter().any(|(payee, _, until)| payee == "ana" && until.is_some()), "{after:?}");
        assert!(after.iter().any(|(payee, _, until)| payee == "ben" && until.is_none()), "{after:?}");

        // Returned with a comment: it still holds, and is asked again.
        let bens = server.get(&ben, "/plan-documents").expect(200)["items"][0]["document_id"].as_str().expect("an id").to_owned();
        assert_eq!(server.post(&ben, &format!("/plan-documents/{bens}/return"), &json!({ "comment": " " })).status, 422);
        let returned = server.post(&ben, &format!("/plan-documents/{bens}/return"), &json!({ "comment": "my quota is wrong" })).expect(200);
        assert_eq!((returned["state"].as_str(), returned["comment"].as_str()), (Some("returned"), Some("my quota is wrong")));
        let resent = server.post(&admin, "/plan-documents", &json!({ "plan_id": "seller", "payee_ids": ["ana", "ben"] })).expect(201);
        assert_eq!((resent["documents"][0]["payee_id"].as_str(), resent["unchanged_count"].as_u64()), (Some("ben"), Some(1)));
        assert_eq!(holds(&stage).await.iter().filter(|(payee, ..)| payee == "ben").count(), 1, "one hold is enough");
        assert_eq!(server.post(&admin, "/plan-documents", &json!({ "plan_id": "seller", "payee_ids": ["nobody"] })).status, 422);
        assert_eq!(server.post(&admin, "/plan-documents", &json!({ "plan_id": "none" })).status, 404);
        assert_eq!(server.post(&ana, "/plan-documents", &json!({ "plan_id": "seller" })).status, 403);

        // Another text asks again, and holds from now on, not what was paid.
        let mut changed = company();
        let plan = changed["plans/seller.toml"].replace("0.08", "0.09");
        changed.insert("plans/seller.toml", plan);
        let table = stage.instance.company().await.expect("a company").tables["holds"].clone();
        let schema = attain_domain::schema::entity("holds").expect("holds");
        changed.insert("holds.csv", attain_app::folder::csv_text(schema, &table));
        stage.instance.apply(write(&changed).path()).await.expect("applied");
        let asked = server.post(&admin, "/plan-documents", &json!({ "plan_id": "seller", "payee_ids": ["ana"] })).expect(201);
        assert_eq!(asked["documents"][0]["state"], "sent");
        assert_ne!(asked["documents"][0]["sha256"], shown["sha256"]);
        let of_ana: Vec<_> = holds(&stage).await.into_iter().filter(|(payee, ..)| payee == "ana").collect();
        assert_eq!(of_ana.len(), 2);
        assert!(of_ana[1].1 > of_ana[0].1 && of_ana[1].2.is_none(), "{of_ana:?}");
        assert_eq!(items(&server.get(&admin, "/plan-documents?payee=ana").expect(200)).len(), 2);

        let report = stage.instance.verify_audit().await.expect("a report");
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_after_a_plan_was_sent_gets_it_with_its_hold() {
    for stage in Stage::each().await {
        let mut files = company();
        files.insert("plan_assignments.csv", "payee_id,plan_id,from_on\nana,seller,2026-01-01\n".to_owned());
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let ben = server.token_of("ben", &[Role::Seller], Some("ben")).await;
        // Before it is sent, nobody is asked by coming.
        let with = |rows: &str| format!("payee_id,plan_id,from_on\nana,seller,2026-01-01\n{rows}");
        files.insert("plan_assignments.csv", with("mia,seller,2026-01-01\n"));
        stage.instance.apply(write(&files).path()).await.expect("applied");
        assert!(holds(&stage).await.is_empty());
        server.post(&admin, "/plan-documents", &json!({ "plan_id": "seller", "payee_ids": ["ana"] })).expect(201);
        assert_eq!(holds(&stage).await.len(), 1);

        // Ben comes by an import; Mia, who was on it already and was left out, is not asked by that.
        let rows = "payee_id,plan_id,from_on\nben,seller,2026-01-10\n";
        let import = |rows: &str| {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), rows).expect("written");
            file
        };
        let file = import(rows);
        stage.instance.import("plan_assignments", file.path(), "joins").await.expect("imported");
        let of_ben: Vec<_> = holds(&stage).await.into_iter().filter(|(payee, ..)| payee == "ben").collect();
        assert_eq!(of_ben, [("ben".to_owned(), "20463".to_owned(), None)], "from her first day on the plan: 2026-01-10");
        assert_eq!(holds(&stage).await.len(), 2);
        assert_eq!(items(&server.get(&ben, "/plan-documents").expect(200)), [("ben".to_owned(), "sent".to_owned())]);
        let file = import(rows);
        stage.instance.import("plan_assignments", file.path(), "again").await.expect("nothing new");
        assert_eq!(holds(&stage).await.len(), 2, "once");

        run(&stage).await;
        let (held, paid) = pay(&server, &ben, "ben");
        assert_eq!(paid, "0");
        assert_ne!(held, "0");
        let own = server.get(&ben, "/plan-documents").expect(200)["items"][0].clone();
        let path = format!("/plan-documents/{}/accept", own["document_id"].as_str().expect("an id"));
        server.post(&ben, &path, &json!({ "sha256": own["sha256"] })).expect(200);
        let of_ben: Vec<_> = holds(&stage).await.into_iter().filter(|(payee, ..)| payee == "ben").collect();
        assert!(of_ben.len() == 1 && of_ben[0].2.is_some(), "accepted, it ends: {of_ben:?}");
        let report = stage.instance.verify_audit().await.expect("a report");
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_which_plan_is_told_to_those_who_may_know() {
    let stage = Stage::sqlite().await;
    let mut files = small_company();
    files.insert("plans/contest.toml", files["plans/seller.toml"].replace("id = \"seller\"", "id = \"contest\""));
    files.insert("teams.csv", "team_id\nnorth\n".to_owned());
    files.insert("team_members.csv", "team_id,payee_id,from_on\nnorth,ana,2026-01-01\n".to_owned());
    files.insert("plan_rules.csv", "rule_id,plan_id,team_id,from_on\nr1,contest,north,2026-01-01\n".to_owned());
    files.insert(
        "plan_overrides.csv",
        "payee_id,plan_id,path,from_on,value\nana,seller,commission.settings.tiers.1.rate,2026-01-01,0.06\n".to_owned(),
    );
    stage.instance.load(write(&files).path()).await.expect("the company loads");
    run(&stage).await;
    let server = Server::start(&stage).await;
    let ana = server.token_of("ana", &[Role::Seller], Some("ana")).await;
    let ben = server.token_of("ben", &[Role::Seller], Some("ben")).await;
    let reasons = server.get(&ana, "/payees/ana/plans?on=2026-02-01").expect(200);
    assert_eq!(reasons["plans"][0]["plan_id"], "seller");
    assert_eq!(
        reasons["plans"][0]["overrides"][0],
        json!({ "path": "commission.settings.tiers.1.rate", "value": "0.06", "otherwise": "0.05" })
    );
    assert_eq!(reasons["plans"][1]["why_not"], "the payee’s own assignment to plan `seller` is more specific");
    assert_eq!(server.get(&ben, "/payees/ana/plans?on=2026-02-01").status, 404);
    assert_eq!(server.get(&ana, "/payees/ana/plans?on=tomorrow").status, 422);
    // 6 % up to the quota of 1,000 and 8 % of the 800.01 above it.
    let statement = server.get(&ana, "/payees/ana/periods/2026-01/statement").expect(200);
    assert_eq!(statement["components"][0]["amount"], "124");
    server.stop().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_advice() {
    let refused = |change: &[(&'static str, &str)]| {
        let mut files = small_company();
        change.iter().for_each(|(path, text)| drop(files.insert(path, (*text).to_owned())));
        attain_app::folder::read(write(&files).path()).expect_err("it is refused").lines().join("\n")
    };
    let plan = &small_company()["plans/seller.toml"];
    assert!(
        refused(&[("plans/other.toml", plan)])
            .contains("`seller` is the id of the plan in `plans/other.toml` too; choose another, or write `from`")
    );
    let head = "payee_id,plan_id,path,from_on,value\n";
    let row = |path: &str, value: &str| format!("{head}ana,seller,{path},2026-01-01,{value}\n");
    assert!(
        refused(&[("plan_overrides.csv", &row("commission.settings.tiers.1.rat", "0.1"))])
            .contains("is no value of plan `seller`; did you mean `commission.settings.tiers.1.rate`?")
    );
    assert!(
        refused(&[("plan_overrides.csv", &row("commission.settings.tiers.2.from", "0"))]).contains("tier 2 starts at or before tier 1")
    );
    assert!(refused(&[("plan_overrides.csv", &row("commission.measure", "booking"))]).contains("`booking` is no measure"));
    assert!(
        refused(&[("plan_rules.csv", "rule_id,plan_id,from_on\nr1,seller,2026-01-01\n")])
            .contains("names nobody; write a position, a role or a team")
    );
    assert!(refused(&[("plan_rules.csv", "rule_id,plan_id,role,from_on\nr1,seler,rep,2026-01-01\n")]).contains("did you mean `seller`?"));
    assert!(refused(&[("leaves.csv", "payee_id,from_on,kind,quota_relief\nana,2026-01-01,x,2\n")]).contains("write a share from 0 to 1"));
    let ramp = format!("ramp = {{ factors = [] }}\n{plan}");
    assert!(refused(&[("plans/seller.toml", &ramp)]).contains("the ramp has no factors"));
}
