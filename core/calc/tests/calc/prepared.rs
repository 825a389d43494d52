//! A calculation that stopped before pay and went on gives what a whole one gives.

use crate::company::{Company, Native, SETTINGS, rows};
use attain_calc::{More, Outcome, Prepared, RESULTS, calculate, reference};
use attain_domain::ids::PeriodId;
use std::sync::Arc;

const TIERS: &str = r#"settings = { tiers = [{ from = "0", rate = "0.1" }, { from = "1000", rate = "0.2" }] }"#;

fn company(component: &str) -> Company {
    let plan =
        format!("id = \"plan\"\n[[components]]\nid = \"commission\"\nmeasure = \"bookings\"\nformula = \"tiers\"\n{component}\n{TIERS}");
    Company::new(&SETTINGS.replace("credit-standard", "own"), &[&plan])
        .add("payees", "payee_id=ana\npayee_id=ben")
        .add("plan_assignments", "payee_id=ana plan_id=plan from_on=2026-01-01\npayee_id=ben plan_id=plan from_on=2026-01-16")
        .add(
            "transactions",
            "transaction_id=t1 kind=order ordered_on=2026-01-10 amount=900 currency=USD payee_id=ana
             transaction_id=t2 kind=order ordered_on=2026-01-20 amount=300 currency=USD payee_id=ben
             transaction_id=t3 kind=order ordered_on=2026-02-20 amount=500 currency=USD payee_id=ben",
        )
}

fn all(outcome: &Outcome) -> Vec<attain_domain::Table> {
    RESULTS.iter().map(|name| outcome.table(name)).collect()
}

#[test]
fn pay_after_preparing_equals_the_whole_calculation() {
    let inputs = Arc::new(reference::inputs(10_000));
    let extensions = reference::Native::default();
    let whole = calculate(&inputs, &extensions, &mut |_| {});
    let prepared = Prepared::new(Arc::clone(&inputs), &extensions);
    for _ in 0..2 {
        let again = prepared.pay(&extensions);
        assert!(again.complete);
        assert_eq!(all(&again), all(&whole));
        assert_eq!((again.findings, again.used), (whole.findings.clone(), whole.used.clone()));
    }
    let credits = whole.table("credits");
    let payee = credits.texts("payee_id").and_then(|column| column.get(credits.row_count() / 2)).expect("a payee").to_owned();
    let own: Vec<usize> =
        (0..credits.row_count()).filter(|row| credits.texts("payee_id").and_then(|column| column.get(*row)) == Some(&payee)).collect();
    assert_eq!(whole.credits_of(&payee), credits.take(&own));
    assert_eq!(whole.credits_of("nobody").row_count(), 0);
}

#[test]
fn other_plans_other_periods_and_one_payee_equal_a_calculation_of_those() {
    let company = company("");
    let prepared = Prepared::new(Arc::new(company.inputs()), &Native::default());
    let mut other = company.inputs();
    other.plans[0].components[0].settings["tiers"][0]["rate"] = "0.3".into();
    other.periods = Some(vec![PeriodId("2026-01".to_owned())]);
    let expected = calculate(&other, &Native::default(), &mut |_| {});
    let changed = prepared.with_plans(other.plans.clone()).with_periods(vec![PeriodId("2026-01".to_owned())]);
    let outcome = changed.pay(&Native::default());
    assert_eq!(all(&outcome), all(&expected));
    assert_eq!(rows(&outcome, "earnings", "payee_id period_id amount"), ["ana 2026-01 270", "ben 2026-01 90"]);
    assert_eq!(rows(&changed.for_payee("ben").pay(&Native::default()), "statements", "payee_id earned"), ["ben 90"]);
}

#[test]
fn what_is_supposed_on_top_of_a_measure_pays_at_the_next_rate() {
    for (component, expected) in [
        ("", ["ana 2026-01 110", "ben 2026-01 30", "ben 2026-02 50"]),
        ("accumulate = \"quarter\"", ["ana 2026-01 110", "ben 2026-01 30", "ben 2026-02 50"]),
        ("accumulate = \"transaction\"", ["ana 2026-01 110", "ben 2026-01 30", "ben 2026-02 50"]),
    ] {
        let prepared = Prepared::new(Arc::new(company(component).inputs()), &Native::default());
        let paid = |prepared: &Prepared| {
            let outcome = prepared.pay(&Native::default());
            let lines = rows(&outcome, "earnings", "payee_id period_id amount");
            lines.into_iter().filter(|line| !line.ends_with(" 0")).collect::<Vec<_>>()
        };
        // 100 of the 150 at 10 %, 50 at 20 %.
        let more = More { payee_id: "ana", measure_id: "bookings", period_id: "2026-01", amount: 1_500_000 };
        assert_eq!(paid(&prepared.with_more(&more)), expected, "{component}");
        // Ben is assigned to a part of January only.
        let more = More { payee_id: "ben", measure_id: "bookings", period_id: "2026-01", amount: 100_000 };
        assert_eq!(paid(&prepared.with_more(&more))[1], "ben 2026-01 31", "{component}");
        let unknown = More { payee_id: "zoe", measure_id: "bookings", period_id: "2026-01", amount: 100_000 };
        assert_eq!(paid(&prepared.with_more(&unknown)), paid(&prepared), "{component}");
    }
}
