//! Crediting over the record: who would be credited and who may see it, and credit by hand through two people.

use crate::changes::person;
use crate::stage::{Stage, cell, root, small_company, write};
use attain_app::access::{Caller, Role};
use attain_app::changes::{Approval, ChangeView};
use attain_app::credit_preview::{CreditPreview, CreditPreviewRequest, PreviewSplit};
use attain_app::manual_credits::{NewManualCredit, NewWindfallRelease};
use attain_app::refusal::{Refusal, RefusalKind};
use std::collections::BTreeMap;
use std::time::Instant;

/// Ana and Ben report to Mia. Mo mentors Ana's seat; deals of 500 and more are windfalls; account `own` is the house's.
fn company() -> BTreeMap<&'static str, String> {
    let mut files = small_company();
    let text = |text: &str| text.to_owned();
    let settings = files["company.toml"].replace(
        r#"rules = [{ extension = "credit-direct" }, { extension = "credit-split" }]"#,
        r#"rules = [{ extension = "credit-direct" }, { extension = "credit-split" }, { extension = "credit-relationship", settings = { name = "mentor", share = "0.1" } }]
house = [{ where = [{ field = "account", in = ["own"] }] }]
windfall = { at_least = "500" }"#,
    );
    files.insert("company.toml", settings);
    files.insert("payees.csv", format!("{}mo\n", files["payees.csv"]));
    files.insert("accounts.csv", text("account_id\nacme\nown\n"));
    files.insert("relationships.csv", text("position_id,name,payee_id,from_on\nseat-1,mentor,mo,2026-01-01\n"));
    files.insert(
        "coverage.csv",
        text(
            "coverage_id,position_id,role,account_id,from_on,until_on\nc1,seat-1,owner,acme,2026-01-01,\n\
             c2,seat-2,owner,acme,2026-06-01,\n",
        ),
    );
    files
}

fn deal(account: Option<&str>, amount: &str) -> CreditPreviewRequest {
    CreditPreviewRequest {
        on: "2026-02-03".to_owned(),
        amount: amount.to_owned(),
        account_id: account.map(str::to_owned),
        ..CreditPreviewRequest::default()
    }
}

fn credits(preview: &CreditPreview) -> Vec<String> {
    let shown = |own: &attain_app::credit_preview::CreditView| {
        let via: Vec<&str> = own.via.iter().map(|path| path.kind.as_str()).collect();
        format!("{} {} {} {}", own.payee_id.as_deref().unwrap_or("-"), own.kind, own.amount, via.join("+"))
    };
    preview.credits.iter().map(shown).collect()
}

fn kind(error: &anyhow::Error) -> RefusalKind {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}")).kind
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_tells_each_person_what_she_may_know() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&company()).path()).await.expect("the company loads");
        let admin = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ben = person(instance, "ben", Some("ben"), &[Role::Seller]).await;
        let mia = person(instance, "mia", Some("mia"), &[Role::Manager]).await;
        let platform = person(instance, "pat", None, &[Role::Platform]).await;
        let request = deal(Some("acme"), "100");
        let entries = instance.verify_audit().await.expect("a report").entries;

        let all = instance.who_is_credited(&admin, &request).await.expect("an answer");
        assert!(all.complete && !all.house && !all.windfall, "{all:?}");
        assert_eq!(credits(&all), ["ana direct 100 coverage", "mia rollup 100 hierarchy", "mo overlay 10 relationship"]);
        assert_eq!(all.credits[0].payee_name, "Ana Torres");
        assert_eq!(all.credits[2].via[0].from, [Some("ana".to_owned())]);
        assert_eq!(all.not_credited.len(), 1, "{:?}", all.not_credited);
        assert_eq!((all.not_credited[0].payee_id.as_deref(), all.not_credited[0].why.join(" ").as_str()), (Some("ben"), "not-yet"));

        let hers = instance.who_is_credited(&ana, &request).await.expect("an answer");
        assert_eq!(credits(&hers), ["ana direct 100 coverage", "- rollup 100 ", "- overlay 10 "]);
        assert!(hers.credits[1..].iter().all(|own| own.payee_name.is_empty()) && hers.not_credited.is_empty());
        let his = instance.who_is_credited(&ben, &request).await.expect("an answer");
        assert_eq!(credits(&his), ["- direct 100 ", "- rollup 100 ", "- overlay 10 "]);
        assert_eq!(his.not_credited.len(), 1);
        let of_team = instance.who_is_credited(&mia, &request).await.expect("an answer");
        assert_eq!(credits(&of_team), ["ana direct 100 coverage", "mia rollup 100 hierarchy", "- overlay 10 "]);
        let text = serde_json::to_string(&hers).expect("json");
        assert!(!text.contains("ben") && !text.contains("mia") && !text.contains("\"mo\""), "{text}");

        let split = |payee: &str, share: &str| PreviewSplit { payee_id: payee.to_owned(), share: share.to_owned() };
        let peer = CreditPreviewRequest { splits: vec![split("ana", "0.5"), split("ben", "0.5")], ..request.clone() };
        assert_eq!(kind(&instance.who_is_credited(&ana, &peer).await.expect_err("a peer")), RefusalKind::NotFound);
        let shared = instance.who_is_credited(&mia, &peer).await.expect("an answer");
        assert_eq!(credits(&shared)[..2], ["ana split 50 coverage+split", "ben split 50 split"]);
        let wrong = CreditPreviewRequest { splits: vec![split("ana", "0.5")], ..request.clone() };
        let wrong = instance.who_is_credited(&admin, &wrong).await.expect("an answer");
        assert_eq!((wrong.period_id, wrong.findings[0].code.as_str()), (None, "split-not-100"));

        let house = instance.who_is_credited(&admin, &deal(Some("own"), "100")).await.expect("an answer");
        assert!(house.house && house.credits.is_empty());
        assert!(instance.who_is_credited(&ana, &deal(Some("acme"), "500")).await.expect("an answer").windfall);
        for refused in [deal(Some("gone"), "1"), CreditPreviewRequest { about: Some("gone".to_owned()), ..request.clone() }] {
            assert_eq!(kind(&instance.who_is_credited(&admin, &refused).await.expect_err("unknown")), RefusalKind::NotFound);
        }
        for refused in [deal(None, "much"), CreditPreviewRequest { on: "soon".to_owned(), ..request.clone() }] {
            assert_eq!(kind(&instance.who_is_credited(&admin, &refused).await.expect_err("no form")), RefusalKind::Invalid);
        }
        assert_eq!(kind(&instance.who_is_credited(&platform, &request).await.expect_err("no pay")), RefusalKind::Forbidden);
        assert_eq!(instance.verify_audit().await.expect("a report").entries, entries, "nothing is stored");
        stage.remove().await;
    }
}

async fn approve(stage: &Stage, change: &ChangeView, caller: &Caller) -> anyhow::Result<()> {
    let approval = Approval { content_hash: change.head.content_hash.clone(), comment: String::new(), on_behalf_of: None };
    stage.instance.approve_change(caller, &change.head.change_id, &approval).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_by_hand_and_the_release_of_a_windfall_take_two_people() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let mut files = company();
        files.insert(
            "transactions.csv",
            "transaction_id,kind,ordered_on,amount,currency,payee_id\nd1,order,2026-01-05,600,USD,ana\n".to_owned(),
        );
        files.remove("splits.csv");
        instance.load(write(&files).path()).await.expect("the company loads");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let bea = person(instance, "bea", None, &[Role::CompAdmin]).await;
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let new = |payee: &str, share: &str| NewManualCredit {
            transaction_id: "d1".to_owned(),
            payee_id: payee.to_owned(),
            kind: "split".to_owned(),
            mode: "replace".to_owned(),
            share: share.to_owned(),
            reason: "agreed".to_owned(),
            note: "as agreed, \"in writing\"".to_owned(),
        };
        assert_eq!(kind(&instance.draft_manual_credit(&ana, &new("ben", "1")).await.expect_err("a seller")), RefusalKind::Forbidden);
        assert_eq!(kind(&instance.draft_manual_credit(&ada, &new("gone", "1")).await.expect_err("nobody")), RefusalKind::Invalid);
        assert_eq!(kind(&instance.draft_manual_credit(&ada, &new("ben", "all")).await.expect_err("no share")), RefusalKind::Invalid);
        let change = instance.draft_manual_credit(&ada, &new("ben", "1")).await.expect("a change");
        assert_eq!(change.head.state, "submitted");
        assert!(change.head.comment.contains("agreed"), "{}", change.head.comment);
        assert_eq!(kind(&approve(&stage, &change, &ada).await.expect_err("her own")), RefusalKind::Forbidden);
        let run = instance.run(&|_| {}).await.expect("a run");
        assert!(run.findings.iter().any(|own| own.code == "windfall"), "{:?}", run.findings);
        let before = instance.results(&run.run_id).await.expect("results");
        assert_eq!(cell(&before["credits"], &[("payee_id", "ana"), ("kind", "direct")], "amount").as_deref(), Some("600"));
        approve(&stage, &change, &bea).await.expect("a second person");

        let release = NewWindfallRelease { transaction_id: "d1".to_owned(), release_on: "2026-02-01".to_owned(), note: String::new() };
        let unknown = NewWindfallRelease { transaction_id: "gone".to_owned(), ..release.clone() };
        assert_eq!(kind(&instance.draft_windfall_release(&ada, &unknown).await.expect_err("unknown")), RefusalKind::NotFound);
        assert_eq!(kind(&instance.draft_windfall_release(&ana, &unknown).await.expect_err("a seller")), RefusalKind::Forbidden);
        let change = instance.draft_windfall_release(&bea, &release).await.expect("a change");
        approve(&stage, &change, &ada).await.expect("a second person");
        let run = instance.run(&|_| {}).await.expect("a run");
        assert!(run.findings.iter().all(|own| own.code != "windfall"), "{:?}", run.findings);
        let after = instance.results(&run.run_id).await.expect("results");
        let of_ben = [("payee_id", "ben"), ("rule", "manual:agreed"), ("kind", "split")];
        assert_eq!(cell(&after["credits"], &of_ben, "amount").as_deref(), Some("600"));
        assert_eq!(cell(&after["credits"], &[("payee_id", "ana"), ("kind", "direct")], "amount"), None);
        let trace = instance.explain("ben", "2026-01", None, None).await.expect("an explanation");
        let text = serde_json::to_string(&trace).expect("json");
        assert!(text.contains("given by hand as credit-") && text.contains("as agreed"), "{text}");
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_demo_company_a_preview_is_answered_at_once_and_credits_as_the_run_does() {
    let stage = Stage::sqlite().await;
    let instance = &stage.instance;
    instance.load(&root().join("examples/meridian")).await.expect("the demo company loads");
    let admin = person(instance, "ada", None, &[Role::CompAdmin]).await;
    let company = instance.company().await.expect("the company");
    let transactions = &company.tables["transactions"];
    let run = instance.run(&|_| {}).await.expect("a run");
    let credited = &instance.results(&run.run_id).await.expect("results")["credits"];
    let field = company.settings.crediting.date.field();
    let splits = company.tables["splits"].texts("transaction_id").map(|ids| ids.dictionary.clone()).unwrap_or_default();
    let show = |name: &str, row: usize| transactions.column(name).and_then(|column| column.show(row));
    let (mut compared, mut slowest) = (0, 0);
    for row in (0..transactions.row_count()).step_by(499) {
        let id = show("transaction_id", row).expect("an id");
        let Some(day) = transactions.numbers(field).map(|days| days[row]).filter(|day| *day != attain_domain::NULL_NUMBER) else {
            continue;
        };
        if splits.contains(&id) {
            continue;
        }
        let request = CreditPreviewRequest {
            on: attain_domain::Day(i32::try_from(day).expect("a day")).to_string(),
            amount: show("amount", row).expect("an amount"),
            currency: show("currency", row),
            kind: show("kind", row),
            account_id: show("account_id", row),
            product_id: show("product_id", row),
            payee_id: show("payee_id", row),
            tag: show("tag", row),
            quantity: show("quantity", row),
            discount: show("discount", row),
            ..CreditPreviewRequest::default()
        };
        let started = Instant::now();
        let found = instance.who_is_credited(&admin, &request).await.expect("an answer");
        slowest = slowest.max(started.elapsed().as_millis());
        let mut found: Vec<String> = found
            .credits
            .iter()
            .map(|own| format!("{} {} {} {}", own.payee_id.as_deref().unwrap_or("-"), own.kind, own.rule, own.amount))
            .collect();
        found.sort();
        let shown = |at: usize, name: &str| credited.column(name).and_then(|column| column.show(at)).unwrap_or_default();
        let mut expected: Vec<String> = (0..credited.row_count())
            .filter(|at| shown(*at, "transaction_id") == id)
            .map(|at| format!("{} {} {} {}", shown(at, "payee_id"), shown(at, "kind"), shown(at, "rule"), shown(at, "amount")))
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{id}");
        compared += usize::from(!found.is_empty());
    }
    #[expect(clippy::print_stderr, reason = "a figure for those who watch it")]
    {
        eprintln!("credit preview on the demo company: {compared} deals as in the run, the slowest {slowest} ms");
    }
    assert!(compared >= 5, "only {compared} deals were compared");
    assert!(slowest < 1_000, "{slowest} ms");
    stage.remove().await;
}
