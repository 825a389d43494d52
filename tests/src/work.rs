//! Jobs and schedules as people meet them: a run that is asked for, its receipt, what is scheduled, extensions that are sent.

use crate::extensions::pages;
use crate::http::Server;
use crate::stage::{Stage, plugins, small_company, write};
use attain_app::Instance;
use attain_app::access::Role;
use attain_app::live::Event;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A worker beside a server.
struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Worker {
    fn start(instance: &Instance, node: &str) -> Worker {
        let (stop, stopping) = watch::channel(false);
        let mut options = attain_jobs::Options::new(node);
        options.poll = Duration::from_millis(20);
        let instance = instance.clone();
        Worker { stop, task: tokio::spawn(async move { instance.work_with(options, stopping).await }) }
    }

    async fn stop(self) {
        self.stop.send(true).expect("the worker listens");
        self.task.await.expect("the worker ends");
    }
}

/// Asks until the answer is so, for at most a minute.
async fn until(what: &str, mut ask: impl FnMut() -> Option<Value>) -> Value {
    let began = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        tick.tick().await;
    }
}

async fn ended(server: &Server, token: &str, job_id: &str) -> Value {
    until("the job is over", || {
        let job = server.get(token, &format!("/jobs/{job_id}")).expect(200);
        ["done", "failed"].contains(&job["state"].as_str().expect("a state")).then_some(job)
    })
    .await
}

/// Asks for a calculation and waits for it; answers the run's id.
async fn calculated(server: &Server, token: &str) -> String {
    let accepted = server.post(token, "/runs", &json!({})).expect(202);
    let job = ended(server, token, accepted["job_id"].as_str().expect("an id")).await;
    assert_eq!(job["state"], "done", "{job}");
    job["outcome"]["run_id"].as_str().expect("a run").to_owned()
}

async fn import(stage: &Stage, entity: &str, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, text).expect("a file");
    stage.instance.import(entity, &file, "test").await.expect("imported");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_for_twice_is_one_job_and_its_receipt_names_causes() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let first = server.post(&admin, "/runs", &json!({ "note": "first" }));
        let accepted = first.expect(202);
        let job_id = accepted["job_id"].as_str().expect("an id").to_owned();
        assert_eq!(first.header("location"), Some(format!("/api/v1/jobs/{job_id}").as_str()));
        let again = server.post(&admin, "/runs", &json!({ "note": "second" })).expect(202);
        assert_eq!((&again["job_id"], &again["waited_already"]), (&accepted["job_id"], &json!(true)));
        assert_eq!(server.get(&admin, "/jobs?state=waiting").expect(200)["items"].as_array().map(Vec::len), Some(1));

        let mut events = stage.instance.listen();
        let worker = Worker::start(&stage.instance, "one");
        let mut told = Vec::new();
        while told.len() < 10 {
            let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await.expect("it is told in time").expect("told");
            if let Event::Progress { done, stages, .. } = event {
                told.push((done, stages));
            }
        }
        assert_eq!(told, (1..=10).map(|done| (done, 10)).collect::<Vec<_>>());
        let job = ended(&server, &admin, &job_id).await;
        assert_eq!((&job["state"], &job["node"], &job["attempt"]), (&json!("done"), &json!("one"), &json!(1)));
        let run_id = job["outcome"]["run_id"].as_str().expect("a run").to_owned();

        let lines = server.get(&admin, "/runs").expect(200);
        assert_eq!(lines["items"].as_array().map(Vec::len), Some(1));
        let line = &lines["items"][0];
        assert_eq!((&line["trigger"], &line["note"], &line["complete"]), (&json!("request"), &json!("first"), &json!(true)));
        let detail = server.get(&admin, &format!("/runs/{run_id}")).expect(200);
        let names: Vec<&str> = detail["stages"].as_array().expect("stages").iter().filter_map(|own| own["name"].as_str()).collect();
        assert_eq!(names, ["resolve", "credit", "measure", "attain", "earn", "adjust", "settle", "compare", "analyse", "encode"]);
        let formula = detail["extensions"].as_array().expect("extensions").iter().find(|own| own["name"] == "compensation/comp-tiered");
        assert!(formula.is_some_and(|own| own["calls"].as_i64() > Some(0) && own["fuel"].as_i64() > Some(0)), "{formula:?}");
        let findings = server.get(&admin, &format!("/runs/{run_id}/findings?limit=1")).expect(200);
        if let Some(code) = findings["items"][0]["code"].as_str() {
            let some = server.get(&admin, &format!("/runs/{run_id}/findings?filter%5Bcode%5D={code}")).expect(200);
            assert!(some["items"].as_array().expect("items").iter().all(|own| own["code"] == code));
        }
        let receipt = server.get(&admin, &format!("/runs/{run_id}/receipt")).expect(200);
        assert_eq!((&receipt["previous_run_id"], &receipt["unchanged_count"]), (&Value::Null, &json!(0)));
        assert_eq!(receipt["recalculated"][0]["causes"][0]["kind"], "first-run");

        // A sale of ana: hers and her manager's statements differ, and nobody else's.
        import(&stage, "transactions", "transaction_id,kind,ordered_on,amount,currency,payee_id\nt9,order,2026-01-28,500,USD,ana\n").await;
        let second = calculated(&server, &admin).await;
        let receipt = server.get(&admin, &format!("/runs/{second}/receipt")).expect(200);
        assert_eq!(receipt["previous_run_id"], run_id.as_str());
        let mut whom: Vec<(&str, &str)> = receipt["recalculated"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|own| (own["payee_id"].as_str().expect("a payee"), own["causes"][0]["kind"].as_str().expect("a cause")))
            .collect();
        whom.sort_unstable();
        assert_eq!(whom, [("ana", "transactions"), ("mia", "transactions")], "{receipt}");
        assert_eq!((&receipt["unchanged_count"], &receipt["unchanged_hash_equal"]), (&json!(1), &json!(true)));
        assert_eq!(receipt["causes"].as_array().map(Vec::len), Some(1), "{receipt}");
        assert_eq!(receipt["causes"][0]["kind"], "transactions");
        let ana = receipt["recalculated"].as_array().expect("a list").iter().find(|own| own["payee_id"] == "ana").expect("ana");
        assert_eq!((&ana["name"], &ana["period_id"]), (&json!("Ana Torres"), &json!("2026-01")));
        let posted = receipt["posted"].as_array().expect("a list");
        assert!(
            posted.iter().any(|own| own["payee_id"] == "ana" && own["account"] == "earned" && own["amount"] == ana["difference"]),
            "{receipt}"
        );

        // Another rate: everybody on the plan, and the plan is named.
        let mut files = small_company();
        files.insert("plans/seller.toml", files["plans/seller.toml"].replace("0.05", "0.06"));
        let text = files["transactions.csv"].clone() + "t9,order,2026-01-28,500,USD,ana\n";
        files.insert("transactions.csv", text);
        stage.instance.apply(write(&files).path()).await.expect("applied");
        let third = calculated(&server, &admin).await;
        let receipt = server.get(&admin, &format!("/runs/{third}/receipt")).expect(200);
        assert_eq!(receipt["recalculated_count"], 3, "{receipt}");
        for own in receipt["recalculated"].as_array().expect("a list") {
            assert_eq!(own["causes"], json!([{ "kind": "plan", "object": "seller" }]), "{receipt}");
        }
        let wide = server.get(&admin, &format!("/runs/{run_id}/comparison/{third}")).expect(200);
        let kinds: Vec<&str> = wide["causes"].as_array().expect("causes").iter().filter_map(|own| own["kind"].as_str()).collect();
        assert_eq!(kinds, ["plan", "transactions"]);
        let same = server.get(&admin, &format!("/runs/{third}/comparison/{third}")).expect(200);
        assert_eq!((&same["recalculated_count"], &same["unchanged_count"]), (&json!(0), &json!(3)));

        let verdict = server.post(&admin, &format!("/runs/{second}/replay"), &json!({})).expect(200);
        assert_eq!((&verdict["equal"], &verdict["recomputed"]), (&json!(true), &json!(second)));
        assert_eq!(server.get(&admin, "/runs?limit=2").expect(200)["items"].as_array().map(Vec::len), Some(2));
        assert_eq!(server.get(&admin, "/runs/nothing").status, 404);

        for role in [Role::Seller, Role::Manager, Role::Platform] {
            let token = server.token(role).await;
            for path in ["/runs".to_owned(), format!("/runs/{third}"), format!("/runs/{third}/receipt"), format!("/runs/{third}/findings")]
            {
                assert_eq!(server.get(&token, &path).status, 403, "{} at {path}", role.name());
            }
            assert_eq!(server.post(&token, "/runs", &json!({})).status, 403);
        }
        worker.stop().await;
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_edited_by_who_may_and_their_jobs_publish_and_import() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let admin = server.token(Role::CompAdmin).await;
        let platform = server.token(Role::Platform).await;
        let wrong = [
            json!({ "kind": "run", "cron": "often" }),
            json!({ "kind": "run", "cron": "0 6 * * *", "zone": "Europe/Berlin" }),
            json!({ "kind": "run", "cron": "0 6 * * *", "payload": { "who": "me" } }),
            json!({ "kind": "import", "cron": "0 6 * * *" }),
            json!({ "kind": "import", "cron": "0 6 * * *", "payload": { "connector": "connector-http", "entity": "nothing" } }),
            json!({ "kind": "sleep", "cron": "0 6 * * *" }),
        ];
        for body in &wrong {
            assert_eq!(server.post(&admin, "/schedules", body).status, 422, "{body}");
        }
        let new = json!({ "kind": "publish", "cron": "0 6 * * *", "zone": "-05:00" });
        assert_eq!(server.post(&platform, "/schedules", &new).status, 403, "she may not calculate");
        assert_eq!(server.post(&server.token(Role::Auditor).await, "/schedules", &new).status, 403);
        let added = server.post(&admin, "/schedules", &new);
        let schedule = added.expect(201);
        assert!(schedule["next_at"].as_str().is_some_and(|at| at.ends_with("T11:00:00.000Z")), "{schedule}");
        let path = format!("/schedules/{}", schedule["schedule_id"].as_str().expect("an id"));
        let version = server.get(&admin, &path).header("etag").expect("a version").to_owned();
        assert_eq!(Some(version.as_str()), added.header("etag"));
        assert_eq!(server.send("PATCH", &path, &admin, &[("content-type", "application/json")], Some(b"{}")).status, 428);
        assert_eq!(server.patch(&admin, &path, &version, &json!({ "paused": true })).expect(200)["paused"], true);
        assert_eq!(server.patch(&admin, &path, &version, &json!({ "paused": false })).status, 412);
        assert_eq!(server.get(&admin, &format!("{path}/history")).expect(200)["items"], json!([]));
        assert_eq!(server.get(&admin, "/schedules/none/history").status, 404);

        let worker = Worker::start(&stage.instance, "one");
        calculated(&server, &admin).await;
        let statement = "/payees/ana/periods/2026-01/statement";
        let before = server.get(&admin, statement);
        assert_eq!(before.expect(200)["as_of"]["state"], "calculated");
        let now = server.patch(&admin, &path, "2", &json!({ "paused": false, "cron": "* * * * * *" }));
        assert_eq!(now.expect(200)["version"], 3);
        until("the statements are published", || {
            let answer = server.send("GET", statement, &admin, &[("if-none-match", before.header("etag").expect("a tag"))], None);
            (answer.status == 200).then(|| answer.json()).filter(|own| own["as_of"]["state"] == "published")
        })
        .await;
        let history = server.get(&admin, &format!("{path}/history")).expect(200);
        assert!(history["items"].as_array().is_some_and(|own| own.iter().all(|job| job["kind"] == "publish")), "{history}");
        let version = server.get(&admin, &path).header("etag").expect("a version").to_owned();
        assert_eq!(server.send("DELETE", &path, &admin, &[("if-match", "\"1\"")], None).status, 412);
        assert_eq!(server.send("DELETE", &path, &admin, &[("if-match", &version)], None).status, 204);
        assert_eq!(server.get(&admin, &path).status, 404);
        assert_eq!(server.get(&admin, &format!("{path}/history")).status, 200, "the history stays");

        let (port, asked) = pages();
        let settings = json!({
            "url": format!("http://127.0.0.1:{port}/deals"), "cursor_parameter": "cursor", "cursor_path": "/next", "records_path": "/deals",
            "fields": { "transaction_id": "/id", "ordered_on": "/day", "amount": "/value", "payee_id": "/who" },
            "constants": { "kind": "order", "currency": "USD" },
        });
        let host = format!("127.0.0.1:{port}");
        assert_eq!(server.post(&platform, "/extensions/connector-http/grants", &json!({ "host": host })).status, 204);
        let payload = json!({ "connector": "connector-http", "entity": "transactions", "settings": settings });
        let import = server.post(&admin, "/schedules", &json!({ "kind": "import", "cron": "* * * * * *", "payload": payload })).expect(201);
        let path = format!("/schedules/{}/history", import["schedule_id"].as_str().expect("an id"));
        let job = until("a pull is done", || {
            let history = server.get(&admin, &path).expect(200);
            history["items"].as_array().and_then(|jobs| jobs.iter().rfind(|job| job["state"] == "done").cloned())
        })
        .await;
        assert_eq!(job["outcome"]["changes"][0]["inserted"], 2, "{job}");
        assert!(asked.load(std::sync::atomic::Ordering::SeqCst) >= 2);
        assert_eq!(server.send("DELETE", &format!("/extensions/connector-http/grants/{host}"), &platform, &[], None).status, 204);
        assert_eq!(server.send("DELETE", &format!("/extensions/connector-http/grants/{host}"), &platform, &[], None).status, 404);
        let refused = until("a pull is refused its host", || {
            let history = server.get(&admin, &path).expect(200);
            history["items"].as_array().and_then(|jobs| jobs.iter().find(|job| !job["error"].is_null()).cloned())
        })
        .await;
        assert!(refused["error"].as_str().is_some_and(|error| error.contains("not granted")), "{refused}");
        assert!(stage.instance.verify_audit().await.expect("verified").faults.is_empty());
        worker.stop().await;
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_company_delivers_and_escalates_by_itself() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let (admin, platform) = (server.token(Role::CompAdmin).await, server.token(Role::Platform).await);
        let kinds = |list: &Value| -> Vec<String> {
            let items = list["items"].as_array().expect("a list");
            let mut kinds: Vec<String> = items.iter().map(|own| own["kind"].as_str().expect("a kind").to_owned()).collect();
            kinds.sort();
            kinds
        };
        assert_eq!(server.get(&admin, "/schedules").expect(200)["items"], json!([]), "nobody has added any");

        let worker = Worker::start(&stage.instance, "one");
        let done = until("both are done", || {
            let done = server.get(&admin, "/jobs?state=done").expect(200);
            (kinds(&done) == ["deliver", "escalate"]).then_some(done)
        })
        .await;
        assert!(done["items"].as_array().expect("a list").iter().all(|job| job["requested_by"] == "attain"), "{done}");
        let schedules = server.get(&admin, "/schedules").expect(200);
        assert_eq!(kinds(&schedules), ["deliver", "escalate"]);
        worker.stop().await;

        // Who removed one has the last word, and another start makes nothing twice.
        let escalate =
            &schedules["items"].as_array().expect("a list").iter().find(|own| own["kind"] == "escalate").expect("it")["schedule_id"];
        let path = format!("/schedules/{}", escalate.as_str().expect("an id"));
        let version = server.get(&platform, &path).header("etag").expect("a version").to_owned();
        assert_eq!(server.send("DELETE", &path, &platform, &[("if-match", &version)], None).status, 204);
        let worker = Worker::start(&stage.instance, "two");
        calculated(&server, &admin).await;
        assert_eq!(kinds(&server.get(&admin, "/schedules").expect(200)), ["deliver"]);
        worker.stop().await;
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_is_sent_is_kept_and_not_active() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
    stage.instance.run(&|_| {}).await.expect("calculated");
    let server = Server::start(&stage).await;
    let platform = server.token(Role::Platform).await;
    let send = |token: &str, kind: &str, bytes: &[u8]| server.send("POST", "/extensions", token, &[("content-type", kind)], Some(bytes));
    let good = std::fs::read(plugins().join("comp-tiers.wasm")).expect("a plugin");
    let mut other = good.clone();
    let number = b"version = \"0.1.0\"";
    let at = other.windows(number.len()).rposition(|window| window == number).expect("the manifest has a version");
    other[at + number.len() - 2] = b'9';

    assert_eq!(send(&server.token(Role::Auditor).await, "application/wasm", &other).status, 403);
    assert_eq!(send(&platform, "application/octet-stream", &other).status, 415);
    assert_eq!(send(&platform, "text/x-rhai", &other).status, 422);
    assert_eq!(send(&platform, "application/wasm", &good[..good.len() / 2]).status, 422);
    assert_eq!(send(&platform, "application/wasm", &vec![0; (16 << 20) + 1]).status, 413);
    let uploaded = send(&platform, "application/wasm", &other).expect(201);
    assert_eq!(
        (&uploaded["version"], &uploaded["signature"], &uploaded["known_already"]),
        (&json!("0.1.9"), &json!("unsigned"), &json!(false))
    );
    assert!(uploaded["cases"].as_array().is_some_and(|cases| !cases.is_empty() && cases.iter().all(|own| own["passed"] == true)));
    assert_eq!(send(&platform, "application/wasm", &other).expect(201)["known_already"], true);

    let list = server.get(&platform, "/extensions").expect(200);
    let own =
        |active: bool| list["items"].as_array().expect("a list").iter().find(|own| own["name"] == "comp-tiers" && own["active"] == active);
    assert_eq!(own(true).expect("the bundled one")["version"], "0.1.0");
    assert_eq!(own(false).expect("the uploaded one")["digest"], uploaded["digest"]);
    let used = list["items"].as_array().expect("a list").iter().find(|own| own["name"] == "comp-tiered").expect("a script");
    assert!(used["use"]["calls"].as_i64() > Some(0) && used["case_count"].as_u64() > Some(0), "{used}");
    let connector = list["items"].as_array().expect("a list").iter().find(|own| own["name"] == "connector-http").expect("a connector");
    assert_eq!((&connector["asks_for"], &connector["granted"]), (&json!(["*"]), &json!([])));

    let digest = uploaded["digest"].as_str().expect("a digest");
    stage.instance.activate("comp-tiers", digest).await.expect("activated");
    let detail = server.get(&platform, "/extensions/compensation/comp-tiers").expect(200);
    assert_eq!((&detail["digest"], &detail["source"], &detail["active"]), (&uploaded["digest"], &json!("record"), &json!(true)));
    let connector = server.get(&platform, "/extensions/connector/connector-http").expect(200);
    assert!(
        connector["imports"].as_array().is_some_and(|own| own.iter().any(|name| name.as_str().is_some_and(|name| name.contains("attain")))),
        "{connector}"
    );
    assert_eq!(detail["versions"][0]["active"], true);
    assert!(detail["cases"].as_array().is_some_and(|cases| cases.iter().all(|own| own["passed"] == true)));
    assert_eq!(server.get(&platform, "/extensions/compensation/none").status, 404);
    assert_eq!(server.post(&platform, "/extensions/comp-tiers/grants", &json!({ "host": "a.example" })).status, 404, "no connector");
    assert_eq!(server.post(&platform, "/extensions/connector-http/grants", &json!({ "host": "http://a.example/" })).status, 422);
    server.stop().await;
    stage.remove().await;
}
