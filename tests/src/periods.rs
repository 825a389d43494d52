//! A period goes from state to state by two people, and once it is closed nothing changes it: not an import, not an apply, not an approved
//! change, not SQL. What is late goes to the next one, and opening it again takes two people.

use crate::changes::person;
use crate::stage::{Stage, small_company, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::anomalies::{AnomalyKey, NewAnomalyReview, Thresholds};
use attain_app::changes::{Approval, ChangeKind, NewChange};
use attain_app::periods::{PeriodState, Reopening, Step};
use attain_app::refusal::{Refusal, RefusalKind};
use serde_json::json;

fn kind(error: &anyhow::Error) -> RefusalKind {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}")).kind
}

async fn step(instance: &Instance, caller: &Caller, period: &str, to: PeriodState) -> anyhow::Result<()> {
    instance.step_period(caller, period, &Step { to, reason: "month end".to_owned() }).await.map(drop)
}

/// Looks at everything unusual, as somebody who may approve.
pub async fn look_at_all(instance: &Instance, caller: &Caller, period: &str) {
    let view = instance.view().await.expect("a view");
    for own in instance.unreviewed_anomalies(&view, period).await.expect("anomalies") {
        let key = AnomalyKey { payee_id: own.payee_id, kind: own.kind, fact: own.fact };
        let new = NewAnomalyReview { anomalies: vec![key], comment: "as expected".to_owned() };
        instance.review_anomalies(&view, caller, period, &Thresholds::default(), &new).await.expect("a review");
    }
}

async fn close(instance: &Instance, admin: &Caller, finance: &Caller, period: &str) {
    step(instance, admin, period, PeriodState::InReview).await.expect("a review");
    look_at_all(instance, finance, period).await;
    step(instance, finance, period, PeriodState::Approved).await.expect("an approval");
    step(instance, finance, period, PeriodState::Closed).await.expect("closed");
}

fn adjustment(period: &str) -> NewChange {
    let csv = format!("adjustment_id,payee_id,period_id,amount,reason\nA-{period},ana,{period},10,goodwill\n");
    let payload = json!({ "entity": "adjustments", "csv": csv, "source": "by hand" });
    NewChange { kind: ChangeKind::Import, object: "adjustments".to_owned(), payload, comment: "promised".to_owned(), base_digest: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_period_stays_as_it_is_by_every_way_and_what_is_late_goes_to_the_next() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let mut files = small_company();
        instance.load(write(&files).path()).await.expect("the company loads");
        let (admin, finance) =
            (person(instance, "cora", None, &[Role::CompAdmin]).await, person(instance, "fin", None, &[Role::Finance]).await);

        // In order, on what is there now, and by two people; no file does it.
        for state in ["approved", "closed"] {
            files.insert("periods.csv", format!("period_id,state\n2026-01,{state}\n"));
            assert_eq!(kind(&instance.apply(write(&files).path()).await.expect_err("a file")), RefusalKind::Conflict);
            let rows = attain_domain::Table::new("periods")
                .with("period_id", attain_domain::Column::text(&[Some("2026-01")]))
                .with("state", attain_domain::Column::text(&[Some(state)]));
            let entity = attain_domain::schema::entity("periods").expect("an entity");
            assert_eq!(kind(&instance.import_table(entity, &rows, "a file").await.expect_err("an import")), RefusalKind::Conflict);
        }
        files.remove("periods.csv");
        assert_eq!(kind(&step(instance, &admin, "2026-01", PeriodState::Approved).await.expect_err("not reviewed")), RefusalKind::Conflict);
        step(instance, &admin, "2026-01", PeriodState::InReview).await.expect("a review");
        assert_eq!(kind(&step(instance, &finance, "2026-01", PeriodState::Approved).await.expect_err("no run")), RefusalKind::Conflict);
        instance.run(&|_| {}).await.expect("a run");
        look_at_all(instance, &finance, "2026-01").await;
        assert_eq!(
            kind(&step(instance, &admin, "2026-01", PeriodState::Approved).await.expect_err("the same person")),
            RefusalKind::Forbidden
        );
        step(instance, &finance, "2026-01", PeriodState::Approved).await.expect("an approval");
        step(instance, &finance, "2026-01", PeriodState::Closed).await.expect("closed");

        let view = instance.view().await.expect("a view");
        let before = view.statement(&finance, "ana", "2026-01").expect("a statement");
        assert_eq!(before.period_state, PeriodState::Closed);

        // No adjustment, by import, apply or approved change; not open again by the usual ways.
        let drafted = instance.draft_change(&admin, &adjustment("2026-01")).await.expect("a draft");
        let submitted = instance.submit_change(&admin, &drafted.head.change_id).await;
        let refused = match submitted {
            Err(error) => error,
            Ok(change) => {
                let approval = Approval { content_hash: change.head.content_hash, comment: String::new(), on_behalf_of: None };
                instance.approve_change(&finance, &change.head.change_id, &approval).await.expect_err("the period is closed")
            }
        };
        assert_eq!(kind(&refused), RefusalKind::Conflict);
        files.insert("adjustments.csv", "adjustment_id,payee_id,period_id,amount,reason\nA1,ana,2026-01,10,goodwill\n".to_owned());
        files.insert("periods.csv", "period_id,state\n2026-01,closed\n".to_owned());
        assert_eq!(kind(&instance.apply(write(&files).path()).await.expect_err("the period is closed")), RefusalKind::Conflict);
        files.remove("adjustments.csv");
        files.insert("periods.csv", "period_id,state\n2026-01,open\n".to_owned());
        assert_eq!(kind(&instance.apply(write(&files).path()).await.expect_err("the period is closed")), RefusalKind::Conflict);
        files.remove("periods.csv");
        assert_eq!(kind(&instance.apply(write(&files).path()).await.expect_err("no row is open")), RefusalKind::Conflict);

        // A late correction: January stays, February tells.
        files.insert("periods.csv", "period_id,state\n2026-01,closed\n".to_owned());
        files.insert("transactions.csv", files["transactions.csv"].replace("t2,order,2026-01-09,700", "t2,order,2026-01-09,800"));
        instance.apply(write(&files).path()).await.expect("a fact from outside");
        let late = instance.run(&|_| {}).await.expect("a run");
        assert_eq!(late.posted_amount, "13");
        let view = instance.view().await.expect("a view");
        let after = view.statement(&finance, "ana", "2026-01").expect("a statement");
        assert_eq!(
            (&after.totals.paid, &after.run_id, after.components.len()),
            (&before.totals.paid, &before.run_id, before.components.len())
        );
        let next = view.statement(&finance, "ana", "2026-02").expect("a statement");
        let retro = next.components.iter().find(|line| line.kind == "retro").expect("a correction");
        assert_eq!((retro.amount.as_str(), retro.origin_period_id.as_deref()), ("8", Some("2026-01")));
        assert_eq!(instance.run(&|_| {}).await.expect("a run").posted_count, 0);

        // Two people open it again; then it is corrected itself and the next one is not.
        let asked = instance.draft_reopening(&admin, "2026-01", &Reopening { reason: "audit".to_owned() }).await.expect("a change");
        let approval = Approval { content_hash: asked.head.content_hash.clone(), comment: String::new(), on_behalf_of: None };
        let own = instance.approve_change(&admin, &asked.head.change_id, &approval).await.expect_err("the same person");
        assert_eq!(kind(&own), RefusalKind::Forbidden);
        instance.approve_change(&finance, &asked.head.change_id, &approval).await.expect("opened");
        let again = instance.run(&|_| {}).await.expect("a run");
        assert_eq!(again.posted_amount, "0", "what February had moves to January");
        assert!(again.posted_count > 0);
        let view = instance.view().await.expect("a view");
        assert!(view.statement(&finance, "ana", "2026-01").expect("a statement").totals.paid != before.totals.paid);
        close(instance, &admin, &finance, "2026-01").await;
        assert_eq!(instance.verify_audit().await.expect("a report").faults, Vec::<String>::new());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_the_server_can_break_the_glass_and_the_trail_says_so() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let operator = Caller::operator("operator");
        step(instance, &operator, "2026-01", PeriodState::InReview).await.expect("a review");
        assert_eq!(kind(&step(instance, &operator, "2026-01", PeriodState::Approved).await.expect_err("alone")), RefusalKind::Forbidden);
        let alone = |reason: &str| Step { to: PeriodState::Approved, reason: reason.to_owned() };
        let silent = instance.break_glass_on_period(&operator, "2026-01", &alone(" ")).await.expect_err("no reason");
        assert_eq!(kind(&silent), RefusalKind::Invalid);
        instance.break_glass_on_period(&operator, "2026-01", &alone("nobody is there")).await.expect("approved");
        instance.break_glass_to_reopen(&operator, "2026-01", "it was the wrong month").await.expect("open");
        let again = instance.break_glass_to_reopen(&operator, "2026-01", "again").await.expect_err("it is open");
        assert_eq!(kind(&again), RefusalKind::Conflict);
        let search = attain_app::trail::Search { action: "break-glass".to_owned(), ..Default::default() };
        let entries = instance.audit_entries(&operator, &search, i64::MAX, 10).await.expect("entries");
        let reasons: Vec<&str> = entries.iter().map(|own| own.reason.as_str()).collect();
        assert_eq!(reasons, ["it was the wrong month", "nobody is there"]);
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}
