//! Who may do something next: what the lists say is what the rules do.

use super::kind;
use crate::changes::person;
use crate::stage::{Stage, small_company, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::adjustments::{AdjustmentReason, NewAdjustment};
use attain_app::delegations::NewDelegation;
use attain_app::disputes::{DisputeAssignment, DisputeKind, NewDispute};
use attain_app::refusal::RefusalKind;
use attain_app::who_may::Deed;
use std::time::{SystemTime, UNIX_EPOCH};

/// `name`, or `name for giver`.
async fn who(instance: &Instance, caller: &Caller, deed: Deed, object: Option<&str>) -> Vec<String> {
    let found = instance.who_may(caller, deed, object).await.expect("a list");
    let shown = |own: attain_app::who_may::Candidate| match own.on_behalf_of {
        Some(_) => format!("{} for another", own.name),
        None => own.name,
    };
    found.into_iter().map(shown).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_hold_who_has_the_right_and_is_not_the_maker() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let nell = person(instance, "nell", Some("ana"), &[Role::Finance]).await;
        let otto = person(instance, "otto", None, &[Role::Auditor]).await;
        let view = instance.view().await.expect("a view");

        // Who looks at a dispute: not the payee, whatever account she uses.
        let new = NewDispute {
            kind: DisputeKind::Dispute,
            line: None,
            transaction_id: None,
            subject: "all of it".to_owned(),
            body: "too little".to_owned(),
            expected: None,
        };
        let dispute = instance.raise_dispute(&view, &ana, "ana", "2026-01", &new).await.expect("a dispute");
        let id = dispute.head.dispute_id.as_str();
        assert_eq!(who(instance, &finn, Deed::AssignDispute, Some(id)).await, ["ada", "finn"]);
        let refused = instance.who_may(&ana, Deed::AssignDispute, Some(id)).await.expect_err("not by a seller");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        for (user, fits) in [(&ada, true), (&nell, false), (&otto, false)] {
            let given = DisputeAssignment { user_id: user.user_id.clone(), due_on: None };
            let version = instance.dispute(&view, &ada, id).await.expect("a dispute").version;
            assert_eq!(instance.assign_dispute(&view, &finn, id, version, &given).await.is_ok(), fits, "{}", user.name);
        }

        // Who decides on a change: not its author, not whose pay it is; who acts for somebody says for whom.
        let adjustment = NewAdjustment {
            payee_id: "ana".to_owned(),
            period_id: "2026-01".to_owned(),
            amount: "100".to_owned(),
            reason: AdjustmentReason::Goodwill,
            note: None,
            plan_id: None,
            component_id: None,
            transaction_id: None,
        };
        let change = instance.adjust(&view, &ada, &adjustment).await.expect("an adjustment").change_id.expect("a change");
        assert_eq!(who(instance, &ada, Deed::DecideChange, Some(&change)).await, ["finn"]);
        assert_eq!(who(instance, &finn, Deed::ReceiveApprovals, None).await, ["ada", "nell", "otto"]);
        assert_eq!(who(instance, &finn, Deed::GiveApprovals, None).await, ["finn"]);
        let today = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs() / 86_400;
        let day = |own: u64| attain_domain::Day(i32::try_from(own).expect("a day"));
        let given = NewDelegation {
            to: otto.user_id.clone(),
            from_on: day(today),
            until_on: day(today + 3),
            reason: "away".to_owned(),
            from: None,
        };
        instance.delegate(&finn, &given).await.expect("given");
        assert_eq!(who(instance, &ada, Deed::DecideChange, Some(&change)).await, ["finn", "otto for another"]);
        assert_eq!(kind(&instance.who_may(&ada, Deed::DecideChange, Some("none")).await.expect_err("none")), RefusalKind::NotFound);
        assert_eq!(kind(&instance.who_may(&ada, Deed::DecideChange, None).await.expect_err("which?")), RefusalKind::Invalid);

        // Who approves a period: not who asked for its review.
        assert_eq!(who(instance, &ada, Deed::ApprovePeriod, Some("2026-01")).await, ["ada", "finn", "nell"]);
        let review = attain_app::periods::Step { to: attain_app::periods::PeriodState::InReview, reason: String::new() };
        instance.step_period(&finn, "2026-01", &review).await.expect("a review");
        assert_eq!(who(instance, &ada, Deed::ApprovePeriod, Some("2026-01")).await, ["ada", "nell"]);
        stage.remove().await;
    }
}
