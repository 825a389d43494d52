//! The record's rows and files through the interface: pages, filters, exports, histories, imports, the audit trail, the folder.

use crate::http::Server;
use crate::stage::{Stage, root, small_company, write};
use attain_app::access::Role;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The small company with transactions whose values repeat, are missing, and look like formulas.
fn company() -> BTreeMap<&'static str, String> {
    let mut files = small_company();
    let mut sales = String::from("transaction_id,kind,ordered_on,amount,currency,payee_id,tag\n");
    for number in 0..137 {
        let payee = ["ana", "ben", "", "mia"][number % 4];
        let tag = ["=1+1", "-2", "plain", "", "Été"][number % 5];
        writeln!(sales, "t{number},order,2026-01-{:02},{},USD,{payee},{tag}", number % 28 + 1, number % 7 * 100).expect("a line");
    }
    files.insert("transactions.csv", sales);
    files.insert("splits.csv", "transaction_id,payee_id,share\nt3,ana,0.5\nt3,ben,0.5\n".to_owned());
    files
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().expect("items").iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

/// All pages of a list, by their items.
fn all(server: &Server, token: &str, path: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let page = server.get(token, &format!("{path}{sign}limit={limit}{cursor}")).expect(200);
        items.extend(page["items"].as_array().expect("items").clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_visit_every_row_once_in_every_order_and_keep_their_place() {
    for stage in Stage::each().await {
        stage.instance.load(write(&company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let token = server.token(Role::Auditor).await;
        let fields = server.get(&token, "/entities").expect(200);
        let entity =
            fields["items"].as_array().expect("items").iter().find(|own| own["name"] == "transactions").expect("transactions").clone();
        assert_eq!(
            (entity["row_count"].as_u64(), &entity["key"], &entity["personal"]),
            (Some(137), &json!(["transaction_id"]), &json!(false))
        );
        let names: Vec<&str> =
            entity["fields"].as_array().expect("fields").iter().map(|own| own["name"].as_str().expect("a name")).collect();
        for field in &names {
            for sign in ["", "-"] {
                let rows = all(&server, &token, &format!("/entities/transactions/rows?sort={sign}{field}"), 10);
                let seen: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
                assert_eq!((rows.len(), seen.len()), (137, 137), "{sign}{field}");
                let values: Vec<Option<&str>> = rows.iter().map(|row| row["values"][*field].as_str()).collect();
                let empty = values.iter().position(Option::is_none).unwrap_or(values.len());
                assert!(values[empty..].iter().all(Option::is_none), "{sign}{field}: rows without a value come last");
                let ordered = |pair: &[Option<&str>]| match *field {
                    "amount" => {
                        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
                        if sign.is_empty() { number(pair[0]) <= number(pair[1]) } else { number(pair[0]) >= number(pair[1]) }
                    }
                    _ if sign.is_empty() => pair[0] <= pair[1],
                    _ => pair[0] >= pair[1],
                };
                assert!(values[..empty].windows(2).all(ordered), "{sign}{field}");
            }
        }
        // Rows that come and go between two pages neither repeat nor hide others.
        let first = server.get(&token, "/entities/transactions/rows?sort=-amount&limit=50").expect(200);
        let last = ids(&first).pop().expect("a row");
        let importer = server.token(Role::CompAdmin).await;
        let head = "transaction_id,kind,ordered_on,amount,currency\n";
        let text = format!("{head}a0,order,2026-01-01,99999,USD\n{last},order,2026-01-01,0,USD\nz9,order,2026-01-01,1,USD\n");
        assert_eq!(server.post_csv(&importer, "/imports?entity=transactions", &text).expect(200)["state"], "applied");
        let cursor = first["next_cursor"].as_str().expect("a next page");
        let rest = server.get(&token, &format!("/entities/transactions/rows?sort=-amount&limit=1000&cursor={cursor}")).expect(200);
        let (before, after) = (ids(&first), ids(&rest));
        // Of 137 rows and two new ones, one new one stands before the place and one row moved behind it.
        assert_eq!(before.len() + after.len(), 137 + 1 + 1);
        let twice: Vec<&String> = before.iter().filter(|id| after.contains(id)).collect();
        assert_eq!(twice, [&last], "only the row that was moved is seen again");
        assert!(after.contains(&"z9".to_owned()) && !after.contains(&"a0".to_owned()));
        assert_eq!(server.get(&token, &format!("/entities/transactions/rows?sort=amount&cursor={cursor}")).status, 422);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_of_the_schema_and_a_file_holds_no_formula() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&company()).path()).await.expect("the company loads");
    let server = Server::start(&stage).await;
    let token = server.token(Role::Finance).await;
    let total = |query: &str| server.get(&token, &format!("/entities/transactions/rows?{query}")).expect(200)["total"].as_u64();
    assert_eq!(total("filter[payee_id]=ana"), Some(35));
    assert_eq!(total("filter[payee_id]="), Some(34), "no value");
    assert_eq!(total("filter[payee_id]=an"), Some(0), "exact");
    assert_eq!(total("filter[payee_id]=ana&filter[tag]=plain"), Some(7));
    assert_eq!(total("filter[amount]=600.00"), Some(19));
    assert_eq!(total("filter[ordered_on]=2026-01-28"), Some(4));
    assert_eq!(total("filter[q]=%C3%A9T%C3%89"), Some(27), "in upper or lower case");
    assert_eq!(total("filter[q]=T136"), Some(1));
    for (query, word) in [
        ("filter[amounts]=1", "transaction_id, kind"),
        ("sort=nothing", "transaction_id, kind"),
        ("filter[amount]=lots", "not a number"),
        ("filter[ordered_on]=2026-02-30", "no day"),
        ("where=1", "filter[field]"),
        ("limit=0", "1 to 1000"),
        ("cursor=zz", "cursor"),
        ("filter[payee_id]=%27%20or%201=1--&sort=amount;drop", "no field"),
    ] {
        let answer = server.get(&token, &format!("/entities/transactions/rows?{query}"));
        assert_eq!(answer.status, 422, "{query}");
        assert!(answer.text().contains(word), "{query}: {}", answer.text());
    }
    assert_eq!(server.get(&token, "/entities/audit_entries/rows").status, 404);
    assert_eq!(server.get(&token, "/entities/transactions/rows?filter[tag]=%00").status, 400);
    for role in [Role::Seller, Role::Manager, Role::Platform] {
        let other = server.token(role).await;
        for path in [
            "/entities",
            "/entities/people/rows",
            "/entities/people/rows.csv",
            "/entities/people/rows/ana/history",
            "/imports",
            "/audit",
            "/company",
        ] {
            assert_eq!(server.get(&other, path).status, 403, "{path} as {}", role.name());
        }
    }

    let file = server.get(&token, "/entities/transactions/rows.csv?sort=-amount");
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"transactions.csv\""));
    let mut reader = csv::Reader::from_reader(file.body.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("a CSV file");
    assert_eq!(rows.len(), 137);
    let cells = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    for row in &rows {
        assert!(cells(row).iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])), "{row:?}");
    }
    assert!(rows.iter().any(|row| cells(row).contains(&"'=1+1".to_owned())));
    // What was exported is imported as what it was.
    let importer = server.token(Role::CompAdmin).await;
    assert_eq!(server.post_csv(&importer, "/imports?entity=transactions", file.text()).expect(200)["state"], "unchanged");
    // A negative amount is a number and stays one.
    let head = "transaction_id,kind,ordered_on,amount,currency\n";
    server.post_csv(&importer, "/imports?entity=transactions", &format!("{head}t0,return,2026-01-01,-5,USD\n")).expect(200);
    let one = server.get(&token, "/entities/transactions/rows.csv?filter[transaction_id]=t0");
    assert!(one.text().contains(",-5,USD"), "{}", one.text());
    server.stop().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_is_kept_mended_and_applied_once() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let head = "transaction_id,kind,ordered_on,amount,currency,payee_id\n";
        let bad = format!("{head}n1,order,2026-01-20,10,USD,ana\nn2,order,2026-02-30,20,USD,ben\nn3,order,2026-01-21,30,USD,nobody\n");
        let count = || server.get(&admin, "/entities/transactions/rows?limit=1").expect(200)["total"].as_u64();
        let send = |text: &str| server.post_csv(&admin, "/imports?entity=transactions&source=crm", text).expect(200);
        let dry = server.post_csv(&admin, "/imports?entity=transactions&dry_run=true", &bad).expect(200);
        assert_eq!((&dry["state"], &dry["import_id"]), (&json!("refused"), &Value::Null));
        let refused = send(&bad);
        assert_eq!(refused["state"], "refused");
        let places: Vec<(u64, &str)> = refused["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|own| (own["line"].as_u64().expect("a line"), own["column"].as_str().expect("a column")))
            .collect();
        assert_eq!(places, [(3, "ordered_on"), (4, "payee_id")], "{refused}");
        assert_eq!(count(), Some(4), "nothing is half applied");

        let path = format!("/imports/{}", refused["import_id"].as_str().expect("an id"));
        let view = server.get(&admin, &path).expect(200);
        assert_eq!(view["csv_lines"], json!([1, 3, 4, 2]));
        assert_eq!((&view["csv_complete"], &view["errors"], &view["source"]), (&json!(true), &refused["errors"], &json!("crm")));
        let mended = view["csv"].as_str().expect("the text").replace("2026-02-30", "2026-02-28").replace("nobody", "mia");
        assert_eq!(server.send("POST", &format!("{path}/resend"), &admin, &[("content-type", "text/plain")], Some(b"x")).status, 415);
        let again = server.post_csv(&admin, &format!("{path}/resend"), &mended.replace("mia", "nobody")).expect(200);
        assert_eq!((again["state"].as_str(), again["error_count"].as_u64()), (Some("refused"), Some(1)));
        let taken = server.post_csv(&admin, &format!("{path}/resend"), &mended).expect(200);
        assert_eq!(taken["state"], "applied");
        assert_eq!(taken["receipt"]["inserted"], 3);
        assert_eq!(
            taken["receipt"]["totals"],
            json!({ "amount": "60", "cost": "0", "quantity": "0" }),
            "what came ties with what was loaded"
        );
        assert_eq!(count(), Some(7));
        let view = server.get(&admin, &path).expect(200);
        assert_eq!(view["mended_by"], taken["import_id"]);
        assert_eq!(server.post_csv(&admin, &format!("{path}/resend"), &mended).status, 409);

        let twice = send(&mended);
        assert_eq!((&twice["state"], &twice["import_id"]), (&json!("unchanged"), &taken["import_id"]));
        let listed = all(&server, &admin, "/imports", 1);
        let states: Vec<&str> = listed.iter().map(|own| own["state"].as_str().expect("a state")).collect();
        assert_eq!(states, ["applied", "refused", "refused"]);
        assert_eq!(listed[0]["first_id"], refused["import_id"]);

        let history = server.get(&admin, "/entities/transactions/rows/n2/history").expect(200);
        let version = &history["versions"][0];
        assert_eq!(version["values"]["ordered_on"], "2026-02-28");
        assert_eq!(version["source"], "crm");
        assert_eq!(version["batch"]["import_id"], taken["import_id"]);
        assert_eq!(version["batch"]["inserted"], 3);
        assert_eq!(version["recorded_by"]["action"], "import");
        assert_eq!(version["recorded_by"]["actor"], listed[0]["sent_by"]);
        assert_eq!(server.get(&admin, "/entities/transactions/rows/n9/history").status, 404);
        assert_eq!(server.get(&admin, "/entities/quotas/rows/ana/history").status, 404);
        let quota = server.get(&admin, "/entities/quotas/rows/ana~bookings~2026-01/history").expect(200);
        assert_eq!(quota["versions"][0]["values"]["amount"], "1000");

        for role in [Role::Seller, Role::Manager, Role::Finance, Role::Auditor, Role::Platform] {
            let token = server.token(role).await;
            assert_eq!(server.post_csv(&token, "/imports?entity=transactions", &mended).status, 403, "{}", role.name());
            assert_eq!(server.post_csv(&token, &format!("{path}/resend"), &mended).status, 403, "{}", role.name());
        }
        assert_eq!(server.post_csv(&admin, "/imports?entity=secrets", &mended).status, 404);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_by_decision_is_not_imported_by_one_person() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
    let server = Server::start(&stage).await;
    let admin = server.token(Role::CompAdmin).await;
    let text = "payee_id,measure_id,period_id,amount\nana,bookings,2026-01,1\n";
    assert_eq!(server.post_csv(&admin, "/imports?entity=quotas&dry_run=true", text).expect(200)["state"], "checked");
    let sent = server.post_csv(&admin, "/imports?entity=quotas", text);
    assert_eq!(sent.expect(200)["state"], "waiting-for-approval");
    let now = server.get(&admin, "/entities/quotas/rows?filter[payee_id]=ana").expect(200);
    assert_eq!(now["items"][0]["values"]["amount"], "1000");
    let entities = server.get(&admin, "/entities").expect(200);
    let waits: Vec<&str> = entities["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|own| own["needs_approval"] == true)
        .map(|own| own["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        waits,
        [
            "occupancies",
            "hierarchy",
            "account_territories",
            "coverage",
            "fx_rates",
            "splits",
            "quotas",
            "plan_assignments",
            "parameters",
            "adjustments",
            "holds",
            "manual_credits",
            "relationships",
            "transaction_stages",
            "team_members",
            "objectives",
            "leaves",
            "plan_rules",
            "plan_overrides",
            "pay_group_members",
            "contracts",
            "contract_events"
        ]
    );
    server.stop().await;
    stage.remove().await;
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_searched_and_every_entry_proves_itself() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let head = "transaction_id,kind,ordered_on,amount,currency\n";
        for number in 0..5 {
            let path = format!("/imports?entity=transactions&source=CRM_{number}%25");
            server.post_csv(&admin, &path, &format!("{head}x{number},order,2026-01-02,1,USD\n")).expect(200);
        }
        let auditor = server.token(Role::Auditor).await;
        let entries = all(&server, &auditor, "/audit", 3);
        let sequences: Vec<i64> = entries.iter().map(|own| own["sequence"].as_i64().expect("a sequence")).collect();
        let count = sequences.len() as i64;
        assert_eq!(sequences, (1..=count).rev().collect::<Vec<_>>(), "newest first, none twice");
        let found = |query: &str| server.get(&auditor, &format!("/audit?{query}")).expect(200)["items"].as_array().expect("items").len();
        assert_eq!(found("action=import"), 5);
        assert_eq!(found("action=load"), 1);
        assert_eq!(found("q=crm_3%25"), 1, "in upper or lower case; signs of patterns are themselves");
        assert_eq!(found("q=%25"), 5);
        assert_eq!(found("q=_"), 5);
        assert_eq!(found("action=import&q=nowhere"), 0);
        assert_eq!(found("object=Small&action=load"), 1);
        let actor = entries.iter().find(|own| own["action"] == "import").expect("an import")["actor"].as_str().expect("an actor");
        assert_eq!(found(&format!("actor={actor}")), 5);
        assert_eq!(server.get(&auditor, "/audit?wher=1").status, 400);

        for sequence in &sequences {
            let entry = server.get(&auditor, &format!("/audit/{sequence}")).expect(200);
            let proof = &entry["proof"];
            let path: Vec<attain_audit::Hash> = proof["path"]
                .as_array()
                .expect("a path")
                .iter()
                .map(|hash| bytes(hash.as_str().expect("a hash")).try_into().expect("32 bytes"))
                .collect();
            let (index, size) = (*sequence as usize - 1, proof["size"].as_u64().expect("a size") as usize);
            let body = bytes(entry["body"].as_str().expect("the bytes"));
            let root = attain_audit::inclusion_root(index, size, &body, &path).expect("a root");
            assert_eq!(bytes(proof["root"].as_str().expect("a root")), root);
            let mut forged = body.clone();
            forged.push(0);
            assert_ne!(attain_audit::inclusion_root(index, size, &forged, &path), Some(root));
        }
        assert_eq!(server.get(&auditor, "/audit/999999").status, 404);
        assert_eq!(server.get(&auditor, "/audit/0").status, 404);
        let report = server.post(&auditor, "/audit/verification", &json!({})).expect(200);
        assert_eq!((report["entries"].as_i64(), &report["faults"]), (Some(count), &json!([])));
        assert_eq!(server.post(&server.token(Role::Platform).await, "/audit/verification", &json!({})).status, 403);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_loaded_compared_and_tested_without_a_folder() {
    let stage = Stage::sqlite().await;
    let server = Server::start(&stage).await;
    let admin = server.token(Role::CompAdmin).await;
    let mut files: BTreeMap<String, String> = small_company().into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
    assert_eq!(server.get(&admin, "/company").status, 404, "nothing is loaded yet");
    for path in [
        "../plans/x.toml",
        "plans/../../x.toml",
        "/etc/passwd",
        "plans/..\\x.toml",
        "scripts/a/b.rhai",
        "C:plans/x.toml",
        "plans/.toml",
        "plans/.x.toml",
        "plans/a:b.toml",
        "plans/x.toml/",
        "secrets.csv",
        "expected/../x.csv",
        "plans/%2e%2e/x.toml",
        "\\\\host\\share.csv",
    ] {
        let mut bad = files.clone();
        bad.insert(path.to_owned(), "id = \"x\"\n".to_owned());
        let answer = server.post(&admin, "/company", &json!({ "files": bad }));
        assert_eq!(answer.status, 422, "{path}");
        assert!(answer.text().contains("not a file of the format"), "{path}: {}", answer.text());
    }
    let mut bad = files.clone();
    bad.insert("scripts/nul.rhai".to_owned(), "// \0".to_owned());
    assert_eq!(server.post(&admin, "/company", &json!({ "files": bad })).status, 422);
    assert_eq!(server.post(&server.token(Role::Finance).await, "/company", &json!({ "files": files })).status, 403);
    let receipt = server.post(&admin, "/company", &json!({ "files": files })).expect(201);
    assert!(receipt["changes"].as_array().expect("changes").iter().any(|own| own["entity"] == "transactions" && own["inserted"] == 4));
    assert_eq!(server.post(&admin, "/company", &json!({ "files": files })).status, 409);
    let shown = server.get(&admin, "/company").expect(200);
    assert_eq!(shown["files"]["company.toml"].as_str(), Some(files["company.toml"].as_str()));
    let diff = |files: &Value| server.post(&admin, "/company/diff", &json!({ "files": files })).expect(200)["lines"].clone();
    assert_eq!(diff(&shown["files"]), json!([]), "what is shown is what is there");
    files.insert("payees.csv".to_owned(), "payee_id\nana\nben\nmia\nzoe\n".to_owned());
    assert_eq!(diff(&json!(files)), json!(["+ payees zoe"]));

    let verdict = server.post(&admin, "/company/test", &json!({ "files": files })).expect(200);
    assert!(verdict["problems"][0].as_str().is_some_and(|problem| problem.contains("expected/")), "{verdict}");
    files.insert(
        "expected/earnings.csv".to_owned(),
        "payee_id,period_id,amount\nana,2026-01,114.00\nben,2026-01,10.00\nmia,2026-01,100.00\n".to_owned(),
    );
    let verdict = server.post(&admin, "/company/test", &json!({ "files": files })).expect(200);
    assert_eq!(verdict["problems"], json!([]), "{verdict}");
    let missed: Vec<&str> = verdict["differences"].as_array().expect("differences").iter().filter_map(|own| own["key"].as_str()).collect();
    assert!(!missed.iter().any(|key| key.contains("ana")), "{verdict}");
    assert_eq!(server.get(&admin, "/entities/payees/rows").expect(200)["total"], 3, "a test touches nothing");
    server.stop().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_proposed_and_nothing_is_changed() {
    let stage = Stage::sqlite().await;
    stage.instance.load(&root().join("examples/meridian")).await.expect("the demo company loads");
    let server = Server::start(&stage).await;
    let admin = server.token(Role::CompAdmin).await;
    assert_eq!(server.get(&admin, "/summary").status, 404, "nothing is calculated yet");
    stage.instance.run(&|_| {}).await.expect("a run");
    let summary = server.get(&admin, "/summary").expect(200);
    assert!(summary["payee_count"].as_u64().is_some_and(|count| count > 10) && summary["earned"].is_string(), "{summary}");
    assert_eq!(server.get(&server.token(Role::Manager).await, "/summary").status, 403);

    let company = server.get(&admin, "/company").expect(200);
    let territories = server.post(&admin, "/territory-proposals", &json!({ "from": "2026-07-01" })).expect(200);
    assert!(!territories["loads"].as_array().expect("loads").is_empty());
    assert!(territories["csv"].as_str().is_some_and(|text| text.starts_with("account_id,from_on,territory_id")));
    assert_eq!(server.post(&admin, "/territory-proposals", &json!({ "from": "soon" })).status, 422);
    let years: BTreeSet<String> =
        stage.instance.view().await.expect("a view").company.calendar.periods.iter().map(|own| own.year.clone()).collect();
    let year = years.first().expect("a year");
    let quotas = server.post(&admin, "/quota-proposals", &json!({ "year": year, "base_year": year, "total": "1000000" }));
    let quotas = quotas.expect(200);
    assert_eq!(quotas["total"], "1000000");
    for ask in [
        json!({ "year": year, "base_year": year, "step": "0" }),
        json!({ "year": "x", "base_year": year }),
        json!({ "year": year, "base_year": year, "total": "1e400" }),
    ] {
        assert_eq!(server.post(&admin, "/quota-proposals", &ask).status, 422, "{ask}");
    }
    let forecast = server.get(&admin, "/forecasts?steps=3").expect(200);
    assert!(forecast["steps"].as_array().expect("steps").iter().any(|own| own["series_id"] == "company"));
    assert_eq!(server.get(&admin, "/forecasts?steps=0").status, 422);
    assert_eq!(server.get(&admin, "/forecasts?measure=nothing").status, 404);
    assert_eq!(server.get(&admin, "/company").expect(200), company, "a proposal changes nothing");
    assert_eq!(server.post(&admin, "/connectors/nothing/pulls", &json!({ "entity": "transactions" })).status, 422);
    server.stop().await;
    stage.remove().await;
}
