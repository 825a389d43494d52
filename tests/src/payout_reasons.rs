//! What people and data say of a payee before she is paid: disputes that are not settled hold a payout where they are to, holds are named.

use crate::changes::person;
use crate::stage::{Stage, small_company, write};
use attain_app::access::Role;
use attain_app::changes::Approval;
use attain_app::disputes::{DisputeKind, DisputeState, DisputeStep, NewDispute, PayHold};
use attain_app::payouts::{MarkKind, NewMark, NewPayout, PayoutView};
use attain_app::refusal::{Refusal, RefusalKind};

fn refusal(error: &anyhow::Error) -> &Refusal {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}"))
}

fn approval(payout: &PayoutView) -> Approval {
    Approval { content_hash: payout.head.content_hash.clone(), comment: String::new(), on_behalf_of: None }
}

/// Kind and whether it blocks, of a payee.
fn reasons(payout: &PayoutView, payee: &str) -> Vec<(String, bool)> {
    let line = payout.lines.iter().find(|own| own.payee_id == payee).expect("a line");
    line.reasons.iter().map(|own| (own.kind.clone(), own.blocks)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_that_holds_pay_keeps_a_payout_from_leaving() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let mut files = small_company();
        files.insert("company.toml", format!("{}\n[payouts]\nrequires = \"none\"\n", files["company.toml"]));
        files.insert(
            "holds.csv",
            "hold_id,payee_id,plan_id,from_on,until_on,reason\nh1,ben,seller,2026-01-20,2026-01-21,looked-at\nh2,ben,,2027-01-01,,later\n"
                .to_owned(),
        );
        instance.load(write(&files).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let cora = person(instance, "cora", None, &[Role::CompAdmin]).await;
        let view = instance.view().await.expect("a view");
        let new = NewPayout { pay_group_id: "default".to_owned(), period_id: "2026-01".to_owned(), pay_on: "2026-02-10".to_owned() };
        let draft = instance.draft_payout(&finn, &new).await.expect("a draft");
        let id = draft.head.batch_id.clone();
        assert!(reasons(&draft, "ana").is_empty());
        assert_eq!(reasons(&draft, "ben"), [("hold".to_owned(), false)], "one that meets the period");

        // A dispute is named; it holds nothing before somebody says so.
        let dispute = NewDispute {
            kind: DisputeKind::Dispute,
            line: Some(1),
            transaction_id: None,
            subject: "the large deal".to_owned(),
            body: "it counts".to_owned(),
            expected: None,
        };
        let asked = NewDispute { kind: DisputeKind::Question, ..dispute.clone() };
        instance.raise_dispute(&view, &ana, "ana", "2026-01", &asked).await.expect("a question");
        let dispute = instance.raise_dispute(&view, &ana, "ana", "2026-01", &dispute).await.expect("a dispute");
        let later = NewDispute {
            kind: DisputeKind::Dispute,
            line: None,
            transaction_id: Some("t9".to_owned()),
            subject: "another month".to_owned(),
            body: "missing".to_owned(),
            expected: None,
        };
        instance.raise_dispute(&view, &ana, "ana", "2026-05", &later).await.expect("a later one");
        let seen = instance.payout(&cora, &id).await.expect("a payout");
        assert_eq!(reasons(&seen, "ana"), [("dispute".to_owned(), false)], "no question, and nothing of a later period");
        let reviewed = instance.review_payout(&finn, &id).await.expect("a review");
        let note = &reviewed.hands.last().expect("a hand").note;
        assert!(note.contains("ana: line 1 of 2026-01 is disputed: the large deal"), "{note}");
        assert!(note.contains("ben: pay by seller is held from 2026-01-20 until 2026-01-21: looked-at"), "{note}");

        let dispute_id = dispute.head.dispute_id.as_str();
        let hold = |holds_pay| PayHold { holds_pay, reason: "the contract is looked at".to_owned() };
        let held = instance.hold_for_dispute(&view, &cora, dispute_id, dispute.version, &hold(true)).await.expect("held");
        let refused = instance.approve_payout(&cora, &id, &approval(&reviewed)).await.expect_err("pay is held");
        assert_eq!(refusal(&refused).kind, RefusalKind::Conflict);
        assert_eq!(refusal(&refused).details, ["ana: line 1 of 2026-01 is disputed, and pay is held for it: the large deal"]);

        // Released it is approved; held again it is not exported; excluded, the others are paid.
        let free = instance.hold_for_dispute(&view, &cora, dispute_id, held.version, &hold(false)).await.expect("released");
        instance.approve_payout(&cora, &id, &approval(&reviewed)).await.expect("an approval");
        let held = instance.hold_for_dispute(&view, &cora, dispute_id, free.version, &hold(true)).await.expect("held again");
        assert_eq!(refusal(&instance.export_payout(&finn, &id).await.expect_err("pay is held")).kind, RefusalKind::Conflict);
        let out = NewMark { payee_id: "ana".to_owned(), kind: MarkKind::Excluded, reason: "her dispute".to_owned() };
        let without = instance.mark_payout(&finn, &id, &out).await.expect("excluded");
        assert_eq!(without.head.state, "draft");
        let reviewed = instance.review_payout(&finn, &id).await.expect("a review");
        instance.approve_payout(&cora, &id, &approval(&reviewed)).await.expect("the others are paid");
        let exported = instance.export_payout(&finn, &id).await.expect("a file");
        assert!(exported.lines.iter().all(|line| line.reasons.is_empty()), "what left is not looked at any more");

        // What is withdrawn holds nothing.
        let next = instance.draft_payout(&finn, &new).await.expect("hers alone");
        assert_eq!(reasons(&next, "ana"), [("dispute".to_owned(), true)]);
        let end = DisputeStep { state: DisputeState::Withdrawn, comment: String::new() };
        let gone = instance.move_dispute(&view, &ana, dispute_id, held.version, &end).await.expect("withdrawn");
        assert!(!gone.head.holds_pay);
        let reviewed = instance.review_payout(&finn, &next.head.batch_id).await.expect("a review");
        assert!(reasons(&reviewed, "ana").is_empty());
        instance.approve_payout(&cora, &next.head.batch_id, &approval(&reviewed)).await.expect("hers is paid");
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}
