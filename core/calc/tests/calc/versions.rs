//! Versions of plans, assignments by rule, values for one payee: laws on random companies, and what an explanation says.

use crate::company::{Company, Native, SETTINGS, codes, rows, run, shuffled};
use crate::laws::{companies, date};
use attain_calc::{Outcome, Prepared, RESULTS, explain_assignment};
use attain_domain::plan::Plan;
use attain_domain::{Day, Table};
use proptest::prelude::*;
use std::sync::Arc;

fn all(outcome: &Outcome) -> Vec<Table> {
    RESULTS.iter().map(|name| outcome.table(name)).collect()
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

/// The same plan again from another day on.
fn again(plan: &Plan, from: u32) -> Plan {
    Plan { from: Some(day(&date(from))), ..plan.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_version_that_changes_nothing_changes_no_byte(company in companies(), cuts in proptest::collection::btree_set(0..200u32, 1..4)) {
        let mut cut = company.clone();
        for plan in &company.plans {
            // A name and a clause pay nobody.
            cut.plans.extend(cuts.iter().map(|from| again(plan, *from)).map(|mut plan| { plan.name = "again".to_owned(); plan.components[0].clause = Some("7".to_owned()); plan }));
        }
        prop_assert_eq!(all(&company.run()), all(&cut.run()));
    }

    #[test]
    fn an_override_by_what_stands_there_changes_no_byte(company in companies(), from in 0..200u32, days in 1..60u32) {
        let same = company.clone().add("plan_overrides", &(0..5).map(|payee| {
            let (plan, path, value) = if payee % 2 == 0 { ("capped", "commission.settings.tiers.2.rate", "0.11") } else { ("yearly", "commission.settings.tiers.1.rate", "0.07") };
            format!("payee_id=p{payee} plan_id={plan} path={path} from_on={} until_on={} value={value}\n", date(from), date(from + days))
        }).collect::<String>());
        prop_assert_eq!(all(&company.run()), all(&same.run()));
    }

    #[test]
    fn the_order_of_rows_and_of_versions_changes_no_byte(company in companies(), from in 0..200u32, seed in any::<u64>()) {
        let mut company = company
            .add("plan_overrides", &format!("payee_id=p0 plan_id=capped path=commission.settings.tiers.1.rate from_on={} value=0.2\npayee_id=p2 plan_id=capped path=deals.settings.tiers.1.rate from_on={} value=0.3", date(from / 2), date(from)))
            .add("teams", "team_id=north")
            .add("team_members", "team_id=north payee_id=p1 from_on=2026-02-11\nteam_id=north payee_id=p4 from_on=2026-01-01")
            .add("plan_rules", "rule_id=r1 plan_id=capped team_id=north from_on=2026-01-01\nrule_id=r2 plan_id=yearly position_id=s4 from_on=2026-03-05")
            .add("leaves", "payee_id=p2 from_on=2026-02-03 until_on=2026-02-20 kind=x\npayee_id=p0 from_on=2026-05-03 kind=y");
        for place in 0..2 {
            let mut later = again(&company.plans[place], from);
            later.components[0].settings["tiers"][0]["rate"] = "0.09".into();
            later.cap = None;
            company.plans.push(later);
        }
        let first = company.run();
        prop_assert!(first.complete, "{:?}", first.findings);
        let mut other = company.inputs();
        for table in other.tables.values_mut() {
            *table = Arc::new(shuffled(table, seed));
        }
        other.plans.reverse();
        prop_assert_eq!(all(&first), all(&run(&other)));
    }

    #[test]
    fn a_version_pays_its_own_periods_as_if_it_had_always_held(company in companies(), month in 1..6u32) {
        // Within a period nothing is known of the ones before.
        let mut company = company;
        company.plans.truncate(1);
        company.plans[0].cap = None;
        company.plans[0].components[0].accumulate = attain_domain::plan::Accumulate::Period;
        company.plans[0].components[0].cap = None;
        let mut later = Plan { from: Some(day(&format!("2026-{month:02}-01"))), ..company.plans[0].clone() };
        later.components[0].settings["tiers"][0]["rate"] = "0.13".into();
        let (mut only_new, mut both) = (company.clone(), company.clone());
        only_new.plans = vec![Plan { from: None, ..later.clone() }];
        both.plans.push(later);
        let paid = |company: &Company| rows(&company.run(), "earnings", "period_id payee_id component_id transaction_id quota amount");
        let (old, new, cut) = (paid(&company), paid(&only_new), paid(&both));
        let bound = format!("2026-{month:02}");
        let expected: Vec<String> = {
            let mut expected: Vec<String> = old.into_iter().filter(|row| row[..7] < bound[..]).collect();
            expected.extend(new.into_iter().filter(|row| row[..7] >= bound[..]));
            expected.sort();
            expected
        };
        let mut cut = cut;
        cut.sort();
        prop_assert_eq!(expected, cut);
    }
}

fn small(plans: &[&str]) -> Company {
    Company::new(&SETTINGS.replace("credit-standard", "own"), plans)
        .add("payees", "payee_id=ana\npayee_id=ben")
        .add("transactions", "transaction_id=t1 kind=order ordered_on=2026-03-10 amount=1000 currency=USD payee_id=ana\ntransaction_id=t2 kind=order ordered_on=2026-03-20 amount=1000 currency=USD payee_id=ana")
}

fn plan(id: &str, head: &str, rate: &str) -> String {
    format!(
        "id = \"{id}\"\n{head}\n[[components]]\nid = \"c\"\nmeasure = \"bookings\"\nformula = \"tiers\"\nsettings = {{ tiers = [{{ from = \"0\", rate = \"{rate}\" }}] }}"
    )
}

#[test]
fn an_explanation_names_the_plan_that_applies_and_why_others_do_not() {
    let company = small(&[&plan("a", "", "0.1"), &plan("b", "from = \"2026-03-15\"", "0.2"), &plan("c", "stands = \"beside\"", "0.01"), &plan("d", "", "0.5")])
        .add("positions", "position_id=s1 role=rep")
        .add("occupancies", "position_id=s1 payee_id=ana from_on=2026-01-01")
        .add("teams", "team_id=north")
        .add("team_members", "team_id=north payee_id=ana from_on=2026-01-01 until_on=2026-06-01")
        .add("plan_assignments", "payee_id=ana plan_id=a from_on=2026-01-01 until_on=2026-03-16\npayee_id=ana plan_id=gone from_on=2026-01-01")
        .add("plan_rules", "rule_id=r1 plan_id=b role=rep from_on=2026-01-01\nrule_id=r2 plan_id=c team_id=north from_on=2026-01-01\nrule_id=r3 plan_id=d team_id=north from_on=2026-01-01\nrule_id=r4 plan_id=b position_id=s1 from_on=2026-03-20")
        .add("plan_overrides", "payee_id=ana plan_id=b path=c.settings.tiers.1.rate from_on=2026-03-01 value=0.3");
    let inputs = company.inputs();
    let tables = |name: &str| inputs.tables.get(name).map(AsRef::as_ref);
    let explained = |on: &str| -> Vec<String> {
        explain_assignment(&inputs.plans, &tables, "ana", day(on))
            .into_iter()
            .map(|own| {
                format!("{} {} {}", own.plan_id, own.level.name(), own.why_not.unwrap_or_else(|| format!("applies {:?}", own.overrides)))
            })
            .collect()
    };
    assert_eq!(
        explained("2026-03-10"),
        [
            "a own applies []",
            "c team applies []",
            "gone own there is no plan `gone`",
            "b position it holds from 2026-03-20 on",
            "b role the first version of plan `b` starts on 2026-03-15",
            "d team the payee’s own assignment to plan `a` is more specific",
        ]
    );
    let on = explained("2026-03-25");
    assert_eq!(on[0], "b position applies [(\"c.settings.tiers.1.rate\", \"0.3\")]");
    assert!(on.contains(&"b role rule `r4` for the position with plan `b` gives the same plan and goes first".to_owned()), "{on:?}");
    assert!(on.contains(&"a own it holds from 2026-01-01 until 2026-03-16".to_owned()), "{on:?}");
    let outcome = company.run();
    assert_eq!(
        rows(&outcome, "earnings", "period_id plan_id amount").into_iter().filter(|row| !row.ends_with(" 0")).collect::<Vec<_>>(),
        ["2026-03 a 100", "2026-03 b 300", "2026-03 c 20"]
    );
    assert!(codes(&outcome).contains(&"warning plan-missing gone".to_owned()));
    // Paying her alone gives the same.
    let alone = Prepared::new(Arc::new(company.inputs()), &Native::default()).for_payee("ana").pay(&Native::default());
    assert_eq!(rows(&alone, "earnings", "period_id plan_id amount"), rows(&outcome, "earnings", "period_id plan_id amount"));
}

#[test]
fn days_outside_employment_are_on_no_plan() {
    let mut company = small(&[&plan("a", "", "0.1")]).add("plan_assignments", "payee_id=ana plan_id=a from_on=2026-01-01");
    company.rows.insert("payees".to_owned(), vec!["payee_id=ana hired_on=2026-03-15 left_on=2026-03-18".to_owned()]);
    let outcome = company.run();
    assert_eq!(rows(&outcome, "earnings", "period_id amount"), ["2026-03 0"]);
    assert_eq!(codes(&outcome), ["info unassigned-credit ana"]);
}

#[test]
fn a_trued_up_year_goes_on_over_versions_or_starts_again() {
    let component = |rate: &str, head: &str| plan("a", head, rate).replace("formula", "accumulate = \"year\"\ntrue_up = true\nformula");
    let later = |on_start: &str| component("0.2", &format!("from = \"2026-03-15\"\non_start = \"{on_start}\""));
    let paid = |on_start: &str| {
        let company = small(&[&component("0.1", ""), &later(on_start)])
            .add("plan_assignments", "payee_id=ana plan_id=a from_on=2026-03-01 until_on=2026-04-01");
        rows(&company.run(), "earnings", "to_date formula_amount amount")
    };
    // 10 % of 1,000; then 20 % of 2,000 less what was earned: 100 + 300.
    assert_eq!(paid("continue"), ["2000 400 400"]);
    // 10 % of 1,000 and 20 % of the next 1,000.
    assert_eq!(paid("restart"), ["2000 300 300"]);
}

#[test]
fn a_cap_of_a_cut_period_is_that_of_the_period() {
    let component =
        |rate: &str, head: &str, cap: &str| format!("{}\nprorate_target = \"calendar-days\"\ncap = {cap}", plan("a", head, rate));
    let paid = |cap: &str| {
        let company = small(&[&component("0.1", "", cap), &component("0.2", "from = \"2026-03-16\"", cap)])
            .add("plan_assignments", "payee_id=ana plan_id=a from_on=2026-03-01 until_on=2026-04-01 target=310");
        rows(&company.run(), "earnings", "target amount")
    };
    assert_eq!(paid("{ amount = \"150\" }"), ["310 150"]);
    // Half of 150 until 15 March, of 310 after it.
    assert_eq!(paid("{ rate = \"0.5\", of = \"target\" }"), ["310 155"]);
}
