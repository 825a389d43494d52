//! A dispute from the seller to the second person, with everybody who must not.

use super::{approval, kind, told};
use crate::changes::person;
use crate::http::Server;
use crate::stage::{Stage, cell, small_company, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::changes::Rejection;
use attain_app::disputes::{
    DisputeAssignment, DisputeFilter, DisputeKind, DisputeOutcome, DisputeResolution, DisputeState, DisputeStep, DisputeView, NewDispute,
};
use attain_app::formulas::CheckRequest;
use attain_app::refusal::RefusalKind;
use serde_json::json;

fn about_line(line: usize, expected: &str) -> NewDispute {
    NewDispute {
        kind: DisputeKind::Dispute,
        line: Some(line),
        transaction_id: None,
        subject: "the large deal".to_owned(),
        body: "t1 was sold at the higher rate".to_owned(),
        expected: Some(expected.to_owned()),
    }
}

fn granted(amount: &str) -> DisputeResolution {
    DisputeResolution {
        outcome: DisputeOutcome::Partly,
        amount: Some(amount.to_owned()),
        period_id: None,
        comment: "half of it".to_owned(),
    }
}

async fn raised(instance: &Instance, caller: &Caller, new: &NewDispute) -> DisputeView {
    let view = instance.view().await.expect("a view");
    instance.raise_dispute(&view, caller, "ana", "2026-01", new).await.expect("a dispute")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_goes_to_a_second_person_and_ends_with_the_approval() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ben = person(instance, "ben", Some("ben"), &[Role::Seller]).await;
        let mia = person(instance, "mia", Some("mia"), &[Role::Manager]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let view = instance.view().await.expect("a view");

        let dispute = raised(instance, &ana, &about_line(1, "200")).await;
        let id = dispute.head.dispute_id.clone();
        let statement = view.statement(&ana, "ana", "2026-01").expect("a statement");
        assert_eq!(dispute.head.paid.as_ref(), Some(&statement.components[0].amount));
        assert_eq!((dispute.head.state.as_str(), dispute.head.expected.as_deref()), ("open", Some("200")));
        assert_eq!((dispute.head.component_id.as_deref(), dispute.messages.len(), dispute.head.overdue), (Some("commission"), 1, false));
        assert!(dispute.trace.is_some());

        // Who sees the statement sees the dispute; nobody else knows of it.
        for (who, seen) in [(&ana, 1), (&ben, 0), (&mia, 1), (&ada, 1), (&finn, 1)] {
            let list = instance.disputes(&view, who, &DisputeFilter::default()).await.expect("a list");
            assert_eq!(list.len(), seen, "{}", who.name);
        }
        assert_eq!(kind(&instance.dispute(&view, &ben, &id).await.expect_err("unknown")), RefusalKind::NotFound);
        let refused = instance.raise_dispute(&view, &ben, "ana", "2026-01", &about_line(1, "1")).await;
        assert_eq!(kind(&refused.expect_err("unknown")), RefusalKind::NotFound);
        let both = NewDispute { transaction_id: Some("t1".to_owned()), ..about_line(1, "1") };
        let refused = instance.raise_dispute(&view, &ana, "ana", "2026-01", &both).await;
        assert_eq!(kind(&refused.expect_err("one of both")), RefusalKind::Invalid);

        // Those who can answer are told; the seller is told of the answer.
        assert_eq!(told(instance, &ada).await[0].kind, "dispute-raised");
        assert_eq!(told(instance, &finn).await.len(), 1);
        assert!(told(instance, &mia).await.is_empty());
        let assignment = DisputeAssignment { user_id: mia.user_id.clone(), due_on: None };
        let refused = instance.assign_dispute(&view, &ada, &id, dispute.version, &assignment).await;
        assert_eq!(kind(&refused.expect_err("a manager decides nothing")), RefusalKind::Invalid);
        let assignment = DisputeAssignment { user_id: ada.user_id.clone(), due_on: Some("2026-01-31".parse().expect("a day")) };
        let refused = instance.assign_dispute(&view, &ana, &id, dispute.version, &assignment).await;
        assert_eq!(kind(&refused.expect_err("not by the seller")), RefusalKind::Forbidden);
        let dispute = instance.assign_dispute(&view, &finn, &id, dispute.version, &assignment).await.expect("assigned");
        assert_eq!((dispute.head.state.as_str(), dispute.head.overdue), ("assigned", true));
        assert_eq!(told(instance, &ada).await[0].kind, "dispute-assigned");
        instance.answer_dispute(&view, &ada, &id, "which deal is it?").await.expect("an answer");
        let dispute = instance.answer_dispute(&view, &ana, &id, "the one of January").await.expect("an answer");
        assert_eq!(dispute.messages.iter().map(|own| own.author_name.as_str()).collect::<Vec<_>>(), ["ana", "ada", "ana"]);
        assert_eq!(told(instance, &ana).await[0].kind, "dispute-answered");

        // Finance cannot draft, the seller cannot decide, and neither can somebody else who is the payee.
        let second_ana = person(instance, "ana-admin", Some("ana"), &[Role::CompAdmin]).await;
        for who in [&ana, &finn, &second_ana] {
            let refused = instance.resolve_dispute(&view, who, &id, dispute.version, &granted("50")).await.expect_err("refused");
            assert_eq!(kind(&refused), RefusalKind::Forbidden, "{}: {refused:#}", who.name);
        }
        let dispute = instance.resolve_dispute(&view, &ada, &id, dispute.version, &granted("50.25")).await.expect("resolved");
        assert_eq!((dispute.head.state.as_str(), dispute.head.outcome.as_deref()), ("resolved", Some("partly")));
        assert_eq!((dispute.head.granted.as_deref(), dispute.change_state.as_deref()), (Some("50.25"), Some("submitted")));
        let change_id = dispute.change_id.clone().expect("a change");
        assert!(instance.company().await.expect("a company").tables["adjustments"].row_count() == 0, "nothing is adjusted yet");
        let step = DisputeStep { state: DisputeState::Open, comment: String::new() };
        let refused = instance.move_dispute(&view, &ana, &id, dispute.version, &step).await;
        assert_eq!(kind(&refused.expect_err("it waits for the second person")), RefusalKind::Conflict);

        // Rejected, it is open again; granted anew and approved, it is closed and the row is there.
        let no = Rejection { comment: "not by half".to_owned(), on_behalf_of: None };
        instance.reject_change(&finn, &change_id, &no).await.expect("rejected");
        let dispute = instance.dispute(&view, &ana, &id).await.expect("a dispute");
        assert_eq!((dispute.head.state.as_str(), &dispute.change_id, &dispute.head.granted), ("assigned", &None, &None));
        assert!(dispute.messages.last().is_some_and(|own| own.body.contains("not by half")), "{:?}", dispute.messages);
        let dispute = instance.resolve_dispute(&view, &ada, &id, dispute.version, &granted("85.98")).await.expect("resolved");
        let change_id = dispute.change_id.clone().expect("a change");
        let change = instance.change(&finn, &change_id).await.expect("a change");
        let refused = instance.approve_change(&ada, &change_id, &approval(&change)).await;
        assert_eq!(kind(&refused.expect_err("a second person")), RefusalKind::Forbidden);
        let refused = instance.approve_change(&second_ana, &change_id, &approval(&change)).await;
        assert_eq!(kind(&refused.expect_err("not the payee herself")), RefusalKind::Forbidden);
        instance.approve_change(&finn, &change_id, &approval(&change)).await.expect("approved");
        let dispute = instance.dispute(&view, &ana, &id).await.expect("a dispute");
        assert_eq!((dispute.head.state.as_str(), dispute.change_state.as_deref()), ("closed", Some("approved")));
        let company = instance.company().await.expect("a company");
        let key = [("dispute_id", id.as_str())];
        let of = |column: &str| cell(&company.tables["adjustments"], &key, column);
        assert_eq!((of("payee_id"), of("period_id")), (Some("ana".to_owned()), Some("2026-01".to_owned())));
        assert_eq!((of("amount"), of("reason")), (Some("85.98".to_owned()), Some("dispute".to_owned())));
        assert_eq!(told(instance, &ana).await[0].kind, "dispute-resolved");
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_credit_is_disputed_withdrawn_and_rejected() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let view = instance.view().await.expect("a view");
        let missing = NewDispute { line: None, transaction_id: Some("t9".to_owned()), ..about_line(1, "35") };
        // There is no statement of that month at all.
        let dispute = instance.raise_dispute(&view, &ana, "ana", "2026-05", &missing).await.expect("a dispute");
        assert_eq!((dispute.head.about.as_str(), dispute.head.transaction_id.as_deref()), ("credit", Some("t9")));
        assert_eq!(dispute.head.paid, None);
        let step = |state| DisputeStep { state, comment: "found it".to_owned() };
        let id = dispute.head.dispute_id.clone();
        let refused = instance.move_dispute(&view, &ada, &id, dispute.version, &step(DisputeState::Withdrawn)).await;
        assert_eq!(kind(&refused.expect_err("only by who raised it")), RefusalKind::Forbidden);
        let dispute = instance.move_dispute(&view, &ana, &id, dispute.version, &step(DisputeState::Withdrawn)).await.expect("withdrawn");
        assert_eq!(dispute.head.state, "withdrawn");
        let refused = instance.answer_dispute(&view, &ada, &id, "why?").await;
        assert_eq!(kind(&refused.expect_err("over")), RefusalKind::Conflict);
        let dispute = instance.move_dispute(&view, &ana, &id, dispute.version, &step(DisputeState::Open)).await.expect("open again");
        let no = DisputeResolution { outcome: DisputeOutcome::Rejected, amount: None, period_id: None, comment: "it is Ben's".to_owned() };
        let refused = instance.resolve_dispute(&view, &ada, &id, dispute.version - 1, &no).await;
        assert_eq!(kind(&refused.expect_err("stale")), RefusalKind::Stale);
        let dispute = instance.resolve_dispute(&view, &ada, &id, dispute.version, &no).await.expect("resolved");
        assert_eq!((dispute.head.state.as_str(), &dispute.change_id), ("resolved", &None));
        let dispute = instance.move_dispute(&view, &ana, &id, dispute.version, &step(DisputeState::Closed)).await.expect("closed");
        assert_eq!(dispute.head.state, "closed");
        // What the seller must not do: dispute a line that is not there.
        let refused = instance.raise_dispute(&view, &ana, "ana", "2026-01", &about_line(99, "1")).await;
        assert_eq!(kind(&refused.expect_err("no such line")), RefusalKind::NotFound);
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disputed_line_becomes_a_red_case_of_its_formula() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let mut files = small_company();
        files.insert("plans/seller.toml", files["plans/seller.toml"].replace("comp-tiered", "house-rate"));
        let script = "//! name = \"house-rate\"\n//! point = \"compensation\"\n//! version = \"1.0.0\"\n\nslice(\"all\", credited, 0.10)\n";
        files.insert("scripts/house-rate.rhai", script.to_owned());
        let cases = "[[cases]]\nname = \"a thousand\"\n[cases.input.rows]\npayee_id = [\"ana\"]\ncredited = [\"1000\"]\n\
                     [cases.answer.earnings]\namount = [\"100\"]\n";
        files.insert("scripts/house-rate.cases.toml", cases.to_owned());
        instance.load(write(&files).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let view = instance.view().await.expect("a view");
        let dispute = raised(instance, &ana, &about_line(1, "216")).await;
        let id = &dispute.head.dispute_id;
        assert_eq!(kind(&instance.case_of_dispute(&view, &ana, id).await.expect_err("not by the seller")), RefusalKind::Forbidden);
        let dispute = instance.case_of_dispute(&view, &ada, id).await.expect("a case");
        let change = instance.change(&ada, dispute.case_change_id.as_deref().expect("a change")).await.expect("a change");
        assert_eq!((change.head.state.as_str(), change.head.kind.as_str()), ("draft", "formula"));
        let text = change.payload["cases"].as_str().expect("cases").to_owned();
        assert!(text.starts_with(cases), "{text}");
        let credited = view.statement(&ana, "ana", "2026-01").expect("a statement").components[0].credited.clone().expect("credited");
        assert!(text.contains(&format!("credited = [\"{credited}\"]")), "{text}");
        // The old case is green, the new one is red: the formula pays a tenth, twelve hundredths were expected.
        let request = CheckRequest { source: script.to_owned(), cases: text.clone() };
        let check = instance.check_formula(&ada, "house-rate", &request).await.expect("a check");
        assert_eq!(check.cases.iter().map(|own| own.passed).collect::<Vec<_>>(), [true, false], "{check:?}");
        let dearer = CheckRequest { source: script.replace("0.10", "0.12"), cases: text };
        let check = instance.check_formula(&ada, "house-rate", &dearer).await.expect("a check");
        let differences = &check.cases[1].differences;
        let twelve = credited.parse::<rust_decimal::Decimal>().expect("a decimal") * rust_decimal::Decimal::new(12, 2);
        let twelve = twelve.round_dp(2).normalize().to_string();
        assert!(check.cases[1].passed || differences.iter().all(|own| own.contains(&twelve)), "{twelve} {differences:?}");
        assert_eq!(kind(&instance.case_of_dispute(&view, &ada, id).await.expect_err("once")), RefusalKind::Conflict);
        // Of a whole statement there is no case.
        let whole = NewDispute { line: None, ..about_line(1, "1") };
        let whole = raised(instance, &ana, &whole).await;
        let refused = instance.case_of_dispute(&view, &ada, &whole.head.dispute_id).await.expect_err("no case");
        assert_eq!(kind(&refused), RefusalKind::Invalid);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_case_of_a_wasm_plugin_is_refused_in_words() {
    let stage = Stage::sqlite().await;
    let instance = &stage.instance;
    let mut files = small_company();
    files.insert(
        "plans/seller.toml",
        files["plans/seller.toml"]
            .replace("comp-tiered\"", "comp-tiers\"")
            .replace("by = ", "formula = \"tiered\"\nmethod = \"marginal\"\nby = "),
    );
    instance.load(write(&files).path()).await.expect("the company loads");
    instance.run(&|_| {}).await.expect("a run");
    let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
    let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
    let dispute = raised(instance, &ana, &about_line(1, "200")).await;
    let view = instance.view().await.expect("a view");
    let refused = instance.case_of_dispute(&view, &ada, &dispute.head.dispute_id).await.expect_err("a plugin");
    assert!(refused.to_string().contains("is a Wasm plugin"), "{refused:#}");
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_attached_within_limits_and_given_out_to_be_saved() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        stage.instance.run(&|_| {}).await.expect("a run");
        let server = Server::start(&stage).await;
        let ana = server.token_of("ana", &[Role::Seller], Some("ana")).await;
        let ben = server.token_of("ben", &[Role::Seller], Some("ben")).await;
        let new = json!({ "subject": "all of it", "body": "see the contract" });
        let made = server.post(&ana, "/payees/ana/periods/2026-01/disputes", &new).expect(201);
        let path = format!("/disputes/{}", made["dispute_id"].as_str().expect("an id"));
        let attach = |token: &str, name: &str, bytes: &[u8]| {
            let to = format!("{path}/attachments?name={name}");
            server.send("POST", &to, token, &[("content-type", "application/octet-stream")], Some(bytes))
        };
        let pdf = b"%PDF-1.7 contract";
        let added = attach(&ana, "contract.pdf", pdf).expect(201);
        assert_eq!(added["sha256"], "096d13eda09b562b3eaa39836d9d553d25c07a1d4877f59445bd0b0ed77a9745");
        assert_eq!((added["size"].as_u64(), added["media_type"].as_str()), (Some(17), Some("application/pdf")));
        assert_eq!(attach(&ben, "contract.pdf", pdf).status, 404, "who does not see the statement");
        assert_eq!(attach(&ana, "page.html", b"<script>alert(1)</script>").status, 422);
        assert_eq!(attach(&ana, "contract.pdf", b"<html>").status, 422);
        assert_eq!(attach(&ana, "long.txt", &vec![b'a'; (2 << 20) + 1]).status, 413);
        assert_eq!(attach(&ana, "longer.txt", &vec![b'a'; 3 << 20]).status, 413);
        for number in 0..4 {
            attach(&ana, &format!("{number}.txt"), &vec![b'a'; 2 << 20]).expect(201);
        }
        assert_eq!(attach(&ana, "5.txt", &vec![b'a'; 2 << 20]).status, 409, "ten MiB in all");

        let file = format!("{path}/attachments/{}", added["attachment_id"].as_str().expect("an id"));
        let given = server.get(&ana, &file);
        assert_eq!((given.status, given.body.as_slice()), (200, pdf.as_slice()));
        assert_eq!(given.header("content-disposition"), Some("attachment; filename=\"contract.pdf\""));
        assert_eq!((given.header("x-content-type-options"), given.header("content-type")), (Some("nosniff"), Some("application/pdf")));
        assert_eq!(server.get(&ben, &file).status, 404);
        let shown = server.get(&ana, &path).expect(200);
        assert_eq!(shown["attachments"].as_array().map(Vec::len), Some(5));
        server.stop().await;
        stage.remove().await;
    }
}
