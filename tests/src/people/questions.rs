//! Questions: in the same queue and thread as disputes, answered and not decided, and made a dispute where the answer is not enough.

use super::{kind, told};
use crate::changes::person;
use crate::http::Server;
use crate::stage::{Stage, small_company, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::disputes::{
    DisputeAssignment, DisputeFilter, DisputeKind, DisputeOutcome, DisputeResolution, DisputeState, DisputeStep, DisputeView, Escalation,
    NewDispute, PayHold,
};
use attain_app::refusal::RefusalKind;
use serde_json::json;

fn question(line: Option<usize>) -> NewDispute {
    NewDispute {
        kind: DisputeKind::Question,
        line,
        transaction_id: None,
        subject: "the rate".to_owned(),
        body: "why is this so?".to_owned(),
        expected: None,
    }
}

fn step(state: DisputeState) -> DisputeStep {
    DisputeStep { state, comment: String::new() }
}

async fn ids(instance: &Instance, caller: &Caller, filter: &DisputeFilter<'_>) -> Vec<String> {
    let view = instance.view().await.expect("a view");
    let found = instance.disputes(&view, caller, filter).await.expect("a list");
    found.into_iter().map(|own| own.dispute_id).collect()
}

fn shown(own: &DisputeView) -> (&str, &str) {
    (own.head.kind.as_str(), own.head.state.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_opened_again_and_made_a_dispute() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ben = person(instance, "ben", Some("ben"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let view = instance.view().await.expect("a view");

        let expects = NewDispute { expected: Some("5".to_owned()), ..question(Some(1)) };
        let refused = instance.raise_dispute(&view, &ana, "ana", "2026-01", &expects).await.expect_err("a question expects nothing");
        assert_eq!(kind(&refused), RefusalKind::Invalid);
        let asked = instance.raise_dispute(&view, &ana, "ana", "2026-01", &question(Some(1))).await.expect("a question");
        let id = asked.head.dispute_id.clone();
        assert_eq!(shown(&asked), ("question", "open"));
        assert!(asked.trace.is_some() && id.starts_with("question-"));
        assert_eq!(asked.head.raised_by_name, "ana");
        assert_eq!(told(instance, &ada).await[0].text, "ana asks about 2026-01: the rate");
        let other = NewDispute { kind: DisputeKind::Dispute, ..question(None) };
        let other = instance.raise_dispute(&view, &ana, "ana", "2026-01", &other).await.expect("a dispute").head.dispute_id;

        // One queue, told apart where somebody wants that.
        assert_eq!(ids(instance, &ada, &DisputeFilter::default()).await, [other.clone(), id.clone()]);
        let of = |kind| DisputeFilter { kind: Some(kind), ..DisputeFilter::default() };
        assert_eq!(ids(instance, &ada, &of(DisputeKind::Question)).await, [id.as_str()]);
        assert_eq!(ids(instance, &ada, &of(DisputeKind::Dispute)).await, [other.as_str()]);
        let free = DisputeFilter { is_unassigned: true, ..DisputeFilter::default() };
        assert_eq!(ids(instance, &ada, &free).await.len(), 2);
        assert_eq!(ids(instance, &ada, &DisputeFilter { period_id: Some("2026-02"), ..DisputeFilter::default() }).await.len(), 0);
        assert!(ids(instance, &ben, &DisputeFilter::default()).await.is_empty(), "who does not see the statement");
        assert_eq!(kind(&instance.answer_dispute(&view, &ben, &id, "me too").await.expect_err("not his")), RefusalKind::NotFound);

        // Nothing of a decision fits it.
        let given = DisputeAssignment { user_id: ada.user_id.clone(), due_on: None };
        let given = instance.assign_dispute(&view, &ada, &id, asked.version, &given).await.expect("given");
        assert_eq!((shown(&given), given.head.assigned_to_name.as_deref()), (("question", "assigned"), Some("ada")));
        assert_eq!(ids(instance, &ada, &free).await, [other.as_str()]);
        let no = DisputeResolution { outcome: DisputeOutcome::Rejected, amount: None, period_id: None, comment: "no".to_owned() };
        let refused = instance.resolve_dispute(&view, &ada, &id, given.version, &no).await.expect_err("not decided");
        assert_eq!(kind(&refused), RefusalKind::Conflict);
        let hold = PayHold { holds_pay: true, reason: "wait".to_owned() };
        let refused = instance.hold_for_dispute(&view, &ada, &id, given.version, &hold).await.expect_err("holds nothing");
        assert_eq!(kind(&refused), RefusalKind::Conflict);

        // The answer, another word, the end, once more.
        let answered = instance.answer_dispute(&view, &ada, &id, "by the plan").await.expect("an answer");
        assert_eq!(shown(&answered), ("question", "answered"));
        assert_eq!(told(instance, &ana).await[0].kind, "dispute-answered");
        let again = instance.answer_dispute(&view, &ana, &id, "which rule?").await.expect("a word");
        assert_eq!(shown(&again), ("question", "assigned"), "whoever asked waits again");
        let answered = instance.answer_dispute(&view, &ada, &id, "clause 3").await.expect("an answer");
        let closed = instance.move_dispute(&view, &ana, &id, answered.version, &step(DisputeState::Closed)).await.expect("closed");
        assert_eq!(shown(&closed), ("question", "closed"));
        assert_eq!(kind(&instance.answer_dispute(&view, &ada, &id, "more").await.expect_err("over")), RefusalKind::Conflict);
        let wrong = Escalation { expected: Some("216".to_owned()), comment: "it is too little".to_owned() };
        let refused = instance.escalate_question(&view, &ana, &id, closed.version, &wrong).await.expect_err("over");
        assert_eq!(kind(&refused), RefusalKind::Conflict);
        let open = instance.move_dispute(&view, &ana, &id, closed.version, &step(DisputeState::Open)).await.expect("open again");

        // The thread goes on as a dispute.
        let refused = instance.escalate_question(&view, &ana, &id, closed.version, &wrong).await.expect_err("stale");
        assert_eq!(kind(&refused), RefusalKind::Stale);
        let dispute = instance.escalate_question(&view, &ana, &id, open.version, &wrong).await.expect("a dispute");
        assert_eq!((shown(&dispute), dispute.head.expected.as_deref()), (("dispute", "assigned"), Some("216")));
        let said: Vec<&str> = dispute.messages.iter().map(|own| own.body.as_str()).collect();
        assert_eq!(said, ["why is this so?", "by the plan", "which rule?", "clause 3", "it is too little"]);
        assert_eq!(told(instance, &ada).await[0].text, "ana disputes 2026-01: the rate");
        let written = instance.answer_dispute(&view, &ada, &id, "looking").await.expect("a word");
        assert_eq!(shown(&written), ("dispute", "assigned"), "a dispute is decided, not answered");
        let refused = instance.escalate_question(&view, &ana, &id, written.version, &wrong).await.expect_err("one already");
        assert_eq!(kind(&refused), RefusalKind::Conflict);
        let held = instance.hold_for_dispute(&view, &ada, &id, written.version, &hold).await.expect("held");
        assert!(held.head.holds_pay);
        let holding = DisputeFilter { is_holding: true, ..DisputeFilter::default() };
        assert_eq!(ids(instance, &ada, &holding).await, [id.as_str()]);
        let refused = instance.hold_for_dispute(&view, &ana, &id, held.version, &hold).await.expect_err("not by the seller");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        let decided = instance.resolve_dispute(&view, &ada, &id, held.version, &no).await.expect("decided");
        assert_eq!(
            (shown(&decided), decided.head.holds_pay),
            (("dispute", "resolved"), false),
            "decided without an amount, pay waits no longer"
        );
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_has_one_address_for_both() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        stage.instance.run(&|_| {}).await.expect("a run");
        let server = Server::start(&stage).await;
        let ana = server.token_of("ana", &[Role::Seller], Some("ana")).await;
        let ada = server.token_of("ada", &[Role::CompAdmin], None).await;
        let new = json!({ "kind": "question", "line": 1, "subject": "why", "body": "why is this so?" });
        let asked = server.post(&ana, "/payees/ana/periods/2026-01/disputes", &new).expect(201);
        assert_eq!((asked["kind"].as_str(), asked["state"].as_str()), (Some("question"), Some("open")));
        let path = format!("/disputes/{}", asked["dispute_id"].as_str().expect("an id"));
        let answered = server.post(&ada, &format!("{path}/messages"), &json!({ "body": "because" })).expect(201);
        assert_eq!(answered["state"], "answered");
        let list = server.get(&ana, "/disputes?kind=question&state=answered").expect(200);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(server.get(&ana, "/disputes?kind=dispute").expect(200)["items"].as_array().map(Vec::len), Some(0));
        assert_eq!(server.get(&ana, "/questions").status, 404);
        server.stop().await;
        stage.remove().await;
    }
}
