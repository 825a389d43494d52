//! Who decides: adjustments, what the policy gives to a role, who acts for whom, what waits for too long.

use super::{a_day_passes, agree, approval, job, kind, record, told};
use crate::changes::person;
use crate::stage::{Stage, cell, small_company, write};
use attain_app::Instance;
use attain_app::access::{Action, Caller, Role};
use attain_app::adjustments::{AdjustmentFilter, AdjustmentReason, NewAdjustment};
use attain_app::changes::{Approval, ChangeEdit, ChangeKind, Rejection};
use attain_app::delegations::NewDelegation;
use attain_app::refusal::RefusalKind;
use attain_app::users::{NewToken, UserEdit};
use attain_app::work_policy::{ApprovalRule, WorkPolicy};
use attain_database::sqlx;
use serde_json::json;

fn adjustment(amount: &str) -> NewAdjustment {
    NewAdjustment {
        payee_id: "ana".to_owned(),
        period_id: "2026-01".to_owned(),
        amount: amount.to_owned(),
        reason: AdjustmentReason::Goodwill,
        note: Some("for the, \"long\"\nwait".to_owned()),
        plan_id: None,
        component_id: None,
        transaction_id: None,
    }
}

/// Drafts an adjustment; answers its change.
async fn adjusted(instance: &Instance, caller: &Caller, amount: &str) -> String {
    let view = instance.view().await.expect("a view");
    instance.adjust(&view, caller, &adjustment(amount)).await.expect("an adjustment").change_id.expect("a change")
}

async fn decide(instance: &Instance, caller: &Caller, change_id: &str, on_behalf_of: Option<&Caller>) -> anyhow::Result<String> {
    let change = instance.change(caller, change_id).await?;
    let own = Approval { on_behalf_of: on_behalf_of.map(|own| own.user_id.clone()), ..approval(&change) };
    Ok(instance.approve_change(caller, change_id, &own).await?.change.head.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_needs_two_people_and_neither_is_the_payee() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ben = person(instance, "ben", Some("ben"), &[Role::Seller]).await;
        let own = person(instance, "own", Some("ana"), &[Role::CompAdmin]).await;
        let view = instance.view().await.expect("a view");
        for (who, new) in [(&ana, adjustment("10")), (&finn, adjustment("10")), (&own, adjustment("10"))] {
            let refused = instance.adjust(&view, who, &new).await.expect_err("refused");
            assert_eq!(kind(&refused), RefusalKind::Forbidden, "{}", who.name);
        }
        let bad = [
            (adjustment("0"), RefusalKind::Invalid),
            (adjustment("1.23456"), RefusalKind::Invalid),
            (NewAdjustment { reason: AdjustmentReason::Dispute, ..adjustment("1") }, RefusalKind::Invalid),
            (NewAdjustment { payee_id: "nobody".to_owned(), ..adjustment("1") }, RefusalKind::NotFound),
            (NewAdjustment { period_id: "2031-01".to_owned(), ..adjustment("1") }, RefusalKind::NotFound),
            (NewAdjustment { transaction_id: Some("t99".to_owned()), ..adjustment("1") }, RefusalKind::Invalid),
        ];
        for (new, expected) in bad {
            let refused = instance.adjust(&view, &ada, &new).await.expect_err("refused");
            assert_eq!(kind(&refused), expected, "{new:?}: {refused:#}");
        }
        let made = instance.adjust(&view, &ada, &adjustment("-12.50")).await.expect("an adjustment");
        assert_eq!((made.state.as_str(), made.amount.as_str(), made.reason.as_str()), ("submitted", "-12.5", "goodwill"));
        let change_id = made.change_id.clone().expect("a change");
        assert_eq!(told(instance, &finn).await[0].kind, "change-waiting");
        assert!(told(instance, &ada).await.is_empty(), "its author is not asked");
        assert!(told(instance, &own).await.is_empty(), "nor the payee");
        for (who, seen) in [(&ana, 0), (&ben, 0), (&finn, 1)] {
            let view = instance.view().await.expect("a view");
            assert_eq!(instance.adjustments(&view, who, &AdjustmentFilter::default()).await.expect("a list").len(), seen, "{}", who.name);
        }
        let change = instance.change(&ada, &change_id).await.expect("a change");
        let edit = ChangeEdit { payload: change.payload.clone(), comment: String::new(), base_digest: None };
        let refused = instance.edit_change(&ada, &change_id, change.head.version, &edit).await.expect_err("not edited");
        assert_eq!(kind(&refused), RefusalKind::Conflict);
        for who in [&ada, &own, &ana] {
            assert!(decide(instance, who, &change_id, None).await.is_err(), "{}", who.name);
        }
        assert_eq!(decide(instance, &finn, &change_id, None).await.expect("an approval"), "approved");
        assert_eq!(told(instance, &ada).await[0].kind, "change-decided");
        let company = instance.company().await.expect("a company");
        let of = |column: &str| cell(&company.tables["adjustments"], &[("adjustment_id", made.adjustment_id.as_str())], column);
        assert_eq!((of("amount").as_deref(), of("note").as_deref()), (Some("-12.5"), Some("for the, \"long\" wait")));
        let view = instance.view().await.expect("a view");
        for (who, seen) in [(&ana, 1), (&ben, 0)] {
            assert_eq!(instance.adjustments(&view, who, &AdjustmentFilter::default()).await.expect("a list").len(), seen, "{}", who.name);
        }
        let of = AdjustmentFilter { payee_id: Some("ana"), period_id: Some("2026-01"), ..AdjustmentFilter::default() };
        let list = instance.adjustments(&view, &finn, &of).await.expect("a list");
        assert_eq!((list.len(), list[0].state.as_str()), (1, "approved"), "once, though it is in the record too");
        assert_eq!((list[0].author_name.as_deref(), list[0].decided_by_name.as_deref()), (Some("ada"), Some("finn")));
        let rejected = AdjustmentFilter { state: Some("rejected"), ..of.clone() };
        assert!(instance.adjustments(&view, &finn, &rejected).await.expect("a list").is_empty());
        let goodwill = AdjustmentFilter { reason: Some(AdjustmentReason::Goodwill), ..AdjustmentFilter::default() };
        let other = AdjustmentFilter { reason: Some(AdjustmentReason::Referral), ..AdjustmentFilter::default() };
        let counts = [instance.adjustments(&view, &finn, &goodwill).await, instance.adjustments(&view, &finn, &other).await];
        let counts: Vec<usize> = counts.into_iter().map(|own| own.expect("a list").len()).collect();
        assert_eq!(counts, [1, 0]);
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_gives_large_changes_to_a_role() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let bea = person(instance, "bea", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let sally = person(instance, "sally", Some("ana"), &[Role::Seller]).await;
        let rule = |role, at_least: &str| ApprovalRule {
            kind: Some(ChangeKind::Import),
            object: Some("adjustments".to_owned()),
            at_least: Some(at_least.to_owned()),
            role,
        };
        let policy = |role| WorkPolicy { approvals: vec![rule(role, "500")], ..WorkPolicy::default() };
        assert_eq!(kind(&instance.propose_policy(&sally, &policy(Role::Finance)).await.expect_err("no")), RefusalKind::Forbidden);
        assert_eq!(kind(&instance.propose_policy(&ada, &policy(Role::Seller)).await.expect_err("no")), RefusalKind::Invalid);
        agree(instance, &ada, &finn, &policy(Role::Finance)).await;
        let small = adjusted(instance, &ada, "499.99").await;
        assert_eq!(decide(instance, &bea, &small, None).await.expect("anybody who may"), "approved");
        let large = adjusted(instance, &ada, "-500").await;
        assert!(told(instance, &bea).await.iter().all(|own| own.object != large), "only finance is asked");
        assert!(told(instance, &finn).await.iter().any(|own| own.object == large));
        let refused = decide(instance, &bea, &large, None).await.expect_err("not her role");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        assert!(refused.to_string().contains("`finance`"), "{refused:#}");
        assert_eq!(decide(instance, &finn, &large, None).await.expect("finance"), "approved");
        // A change of something else is nobody's in particular.
        let plan = instance.company().await.expect("a company").documents()["plans/seller.toml"].replace("0.08", "0.09");
        let payload = json!({ "file": "seller.toml", "text": plan });
        let kind = ChangeKind::Plan;
        let new =
            attain_app::changes::NewChange { kind, object: "seller.toml".to_owned(), payload, comment: String::new(), base_digest: None };
        let draft = instance.draft_change(&ada, &new).await.expect("a draft");
        instance.submit_change(&ada, &draft.head.change_id).await.expect("submitted");
        assert_eq!(decide(instance, &bea, &draft.head.change_id, None).await.expect("an approval"), "approved");
        stage.remove().await;
    }
}

fn days(to: &Caller, from_on: &str, until_on: &str) -> NewDelegation {
    NewDelegation {
        to: to.user_id.clone(),
        from_on: from_on.parse().expect("a day"),
        until_on: until_on.parse().expect("a day"),
        reason: "on leave".to_owned(),
        from: None,
    }
}

/// From yesterday for ten days.
fn now_for(to: &Caller) -> NewDelegation {
    let today = i32::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs() / 86_400);
    let today = attain_domain::Day(today.expect("a day"));
    let day = |days: i32| attain_domain::Day(today.0 + days).to_string();
    days(to, &day(-1), &day(9))
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_are_given_for_days_and_never_to_who_wrote_a_part() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let bea = person(instance, "bea", Some("ben"), &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let otto = person(instance, "otto", None, &[Role::Auditor]).await;
        let olga = person(instance, "olga", None, &[Role::Auditor]).await;
        let mia = person(instance, "mia", Some("mia"), &[Role::Manager]).await;
        let rule = ApprovalRule { kind: None, object: None, at_least: None, role: Role::Finance };
        agree(instance, &ada, &finn, &WorkPolicy { approvals: vec![rule], ..WorkPolicy::default() }).await;

        // An auditor reads changes and approves none, but for somebody else.
        let first = adjusted(instance, &ada, "10").await;
        assert!(decide(instance, &otto, &first, None).await.is_err());
        assert_eq!(kind(&decide(instance, &otto, &first, Some(&finn)).await.expect_err("not given")), RefusalKind::Forbidden);
        for (who, new, expected) in [
            (&otto, now_for(&olga), RefusalKind::Forbidden),
            (&finn, now_for(&mia), RefusalKind::Invalid),
            (&finn, now_for(&finn), RefusalKind::Invalid),
            (&finn, days(&otto, "2026-01-10", "2026-01-10"), RefusalKind::Invalid),
            (&finn, days(&otto, "2020-01-10", "2020-01-20"), RefusalKind::Invalid),
            (&finn, days(&otto, "2020-01-10", "2099-01-20"), RefusalKind::Invalid),
        ] {
            let refused = instance.delegate(who, &new).await.expect_err("refused");
            assert_eq!(kind(&refused), expected, "{new:?}: {refused:#}");
        }
        let given = instance.delegate(&finn, &now_for(&otto)).await.expect("given");
        assert_eq!(given.state, "in-force");
        assert_eq!(instance.delegations(&otto).await.expect("a list").len(), 1);
        // A change that waited before is decided for finance, with finance's role, and the trail says so.
        assert_eq!(decide(instance, &otto, &first, Some(&finn)).await.expect("on behalf"), "approved");
        let second = adjusted(instance, &ada, "11").await;
        assert!(told(instance, &otto).await.iter().any(|own| own.object == second), "who acts is asked too");
        // It cannot be given on, and a token that may only read cannot use it.
        let refused = instance.delegate(&otto, &now_for(&olga)).await.expect_err("not on");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        let token = NewToken { name: "reader".to_owned(), scopes: vec![Action::SeeRules, Action::SeeData, Action::SeeAllPay], days: 1 };
        let secret = instance.add_token_for(&Caller::operator("tester"), &otto.user_id, &token).await.expect("a token").secret;
        let (reader, _) = instance.caller_of_token(&secret.expect("a secret")).await.expect("a caller").expect("a caller");
        assert_eq!(kind(&decide(instance, &reader, &second, Some(&finn)).await.expect_err("limited")), RefusalKind::Forbidden);

        // Both identities: neither who acts nor for whom she does may have written it, nor may it be the pay of one of them.
        let given = instance.delegate(&finn, &now_for(&ada)).await.expect("given");
        let refused = decide(instance, &ada, &second, Some(&finn)).await.expect_err("her own work");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        instance.revoke_delegation(&finn, &given.delegation_id).await.expect("revoked");
        let given = instance.delegate(&ada, &now_for(&bea)).await.expect("given");
        let refused = decide(instance, &bea, &second, Some(&ada)).await.expect_err("the work of whom she acts for");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        instance.revoke_delegation(&bea, &given.delegation_id).await.expect("revoked by who received it");
        instance.delegate(&finn, &now_for(&bea)).await.expect("given");
        let view = instance.view().await.expect("a view");
        let of_ben = NewAdjustment { payee_id: "ben".to_owned(), ..adjustment("12") };
        let third = instance.adjust(&view, &ada, &of_ben).await.expect("an adjustment").change_id.expect("a change");
        let refused = decide(instance, &bea, &third, Some(&finn)).await.expect_err("her own pay");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);

        // Over with the role of who gave it, and when it is taken back.
        let no = Rejection { comment: "twice".to_owned(), on_behalf_of: Some(finn.user_id.clone()) };
        let rejected = instance.reject_change(&otto, &second, &no).await.expect("rejected on behalf");
        assert_eq!(rejected.head.state, "rejected");
        let operator = Caller::operator("tester");
        let user = instance.user(&operator, &finn.user_id).await.expect("a user");
        let edit = UserEdit { roles: Some(vec![Role::Auditor]), ..UserEdit::default() };
        instance.edit_user(&operator, &finn.user_id, user.version, &edit).await.expect("another role");
        assert_eq!(kind(&decide(instance, &otto, &third, Some(&finn)).await.expect_err("no role")), RefusalKind::Forbidden);
        let search = attain_app::trail::Search { action: "approve-change".to_owned(), ..attain_app::trail::Search::default() };
        let trail = instance.audit_entries(&ada, &search, i64::MAX, 100).await.expect("entries");
        let said = format!("on behalf of {}", finn.user_id);
        assert!(trail.iter().any(|own| own.actor == otto.user_id && own.reason == said), "{trail:?}");
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

/// Looks for what waits for too long; how many were told of it so far, by this and by the schedule that every record has.
async fn told_of_late(stage: &Stage) -> i64 {
    job(stage, "escalate").await;
    let database = record(stage).await;
    let mut read = database.read().await.expect("a connection");
    let outcomes: Vec<String> = sqlx::query_scalar("select outcome from jobs where kind = 'escalate' and state = 'done'")
        .fetch_all(&mut *read)
        .await
        .expect("jobs");
    drop(read);
    database.close().await;
    let told = |outcome: &String| serde_json::from_str::<serde_json::Value>(outcome).expect("JSON")["told"].as_i64().expect("a number");
    outcomes.iter().map(told).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_too_long_is_told_once_a_day() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let bea = person(instance, "bea", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let rule = ApprovalRule { kind: None, object: None, at_least: None, role: Role::Finance };
        let policy = WorkPolicy { approvals: vec![rule], escalate_after_days: 2, ..WorkPolicy::default() };
        agree(instance, &ada, &finn, &policy).await;
        let change_id = adjusted(instance, &ada, "10").await;
        assert_eq!(told_of_late(&stage).await, 0);
        a_day_passes(&stage).await;
        a_day_passes(&stage).await;
        assert_eq!(told_of_late(&stage).await, 3, "who was asked, who else may, and the author");
        for who in [&ada, &bea, &finn] {
            assert_eq!(told(instance, who).await[0].kind, "approval-overdue", "{}", who.name);
        }
        assert_eq!(told_of_late(&stage).await, 3, "once a day");
        decide(instance, &finn, &change_id, None).await.expect("decided");
        a_day_passes(&stage).await;
        assert_eq!(told_of_late(&stage).await, 3);
        stage.remove().await;
    }
}
