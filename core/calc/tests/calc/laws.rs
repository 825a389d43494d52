//! Laws that hold for every company, tried on random small ones.

use crate::company::{Company, run, shuffled};
use attain_calc::{Outcome, RESULTS};
use attain_domain::calendar::CalendarSettings;
use attain_domain::settings::Rollup;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

const SETTINGS: &str = r#"
format = 1
name = "Random"
currency = "USD"
calendar = { pattern = "months", first = "2026-01-01", years = 1 }
measures = [
    { id = "bookings" },
    { id = "hardware", where = [{ field = "family", in = ["hard"] }] },
    { id = "own", credits = ["direct", "split"] },
    { id = "units", value = "units" },
]
[crediting]
rules = [{ extension = "credit-standard" }, { extension = "own" }]
"#;

/// Tiers to date with quota and cap, a bonus per deal, and a cap on both.
const CAPPED: &str = r#"
id = "capped"
cap = { per = "quarter", amount = "900" }
[[components]]
id = "commission"
measure = "bookings"
quota = "bookings"
accumulate = "quarter"
prorate_quota = "calendar-days"
formula = "tiers"
settings = { by = "attainment", tiers = [{ from = "0", rate = "0.07" }, { from = "0.5", rate = "0.11" }] }
cap = { per = "quarter", rate = "0.2", of = "quota" }
[[components]]
id = "deals"
measure = "hardware"
accumulate = "transaction"
formula = "tiers"
settings = { tiers = [{ from = "0", rate = "0.015" }] }
"#;

/// Trued up over the year, so that its total does not depend on the cuts of the year.
const YEARLY: &str = r#"
id = "yearly"
[[components]]
id = "commission"
measure = "bookings"
accumulate = "year"
true_up = true
formula = "tiers"
settings = { tiers = [{ from = "0", rate = "0.07" }, { from = "500", rate = "0.11" }] }
"#;

#[derive(Debug, Clone)]
pub struct Sale {
    day: u32,
    cents: i64,
    currency: usize,
    account: u32,
    product: u32,
    payee: Option<u32>,
    split: Option<(u32, u32, u32)>,
}

pub fn sale() -> impl Strategy<Value = Sale> {
    let split = proptest::option::weighted(0.3, (0..5u32, 0..5u32, 0..120u32));
    (0..200u32, -80_000..200_000i64, 0..4usize, 0..4u32, 0..3u32, proptest::option::of(0..5u32), split)
        .prop_map(|(day, cents, currency, account, product, payee, split)| Sale { day, cents, currency, account, product, payee, split })
}

pub fn date(day: u32) -> String {
    attain_domain::Day("2026-01-01".parse::<attain_domain::Day>().expect("a day").0 + day as i32).to_string()
}

/// Five payees in a chain that changes on a day; the seats of two change hands on another.
pub fn company(sales: &[Sale], moved: u32, joined: u32, rollup: u8) -> Company {
    let mut company = Company::new(SETTINGS, &[CAPPED, YEARLY])
        .add("families", "family_id=hard\nfamily_id=chips parent_id=hard\nfamily_id=soft")
        .add("products", "product_id=g0 family_id=chips\nproduct_id=g1 family_id=soft\nproduct_id=g2")
        .add("territories", "territory_id=all\nterritory_id=west parent_id=all")
        .add("account_territories", &format!("account_id=a0 from_on=2026-01-01 territory_id=west\naccount_id=a1 from_on=2026-01-01 until_on={0} territory_id=all\naccount_id=a1 from_on={0} territory_id=west", date(moved)))
        .add("coverage", "coverage_id=c1 position_id=s0 role=owner territory_id=west from_on=2026-01-01\ncoverage_id=c2 position_id=s1 role=owner account_id=a2 from_on=2026-01-01\ncoverage_id=c3 position_id=s4 role=overlay family_id=hard from_on=2026-01-01")
        .add("fx_rates", &format!("kind=spot currency=EUR from_on=2026-01-01 rate=1.0843\nkind=spot currency=EUR from_on={} rate=1.13579", date(joined + 1)))
        .add("occupancies", &format!("position_id=s0 payee_id=p0 from_on=2026-01-01 until_on={0}\nposition_id=s0 payee_id=p1 from_on={0}\nposition_id=s1 payee_id=p1 from_on=2026-01-01\nposition_id=s2 payee_id=p2 from_on=2026-01-01\nposition_id=s3 payee_id=p3 from_on=2026-01-01\nposition_id=s4 payee_id=p4 from_on={0}", date(joined)));
    company.settings.crediting.rollup = match rollup {
        0 => Rollup::None,
        1 => Rollup::Gross,
        _ => Rollup::Difference { rate: Decimal::new(3, 1) },
    };
    for payee in 0..5 {
        company = company.add("payees", &format!("payee_id=p{payee}"));
        if payee < 4 {
            company = company.add(
                "hierarchy",
                &format!("position_id=s{payee} from_on=2026-01-01 until_on={0} manager_position_id=s{1}\nposition_id=s{payee} from_on={0} manager_position_id=s4", date(moved + 1), payee + 1),
            );
        }
        let plan = if payee % 2 == 0 { "capped" } else { "yearly" };
        company = company
            .add("plan_assignments", &format!("payee_id=p{payee} plan_id={plan} from_on={}", date(joined * payee / 3)))
            .add("quotas", &format!("payee_id=p{payee} measure_id=bookings period_id=2026-02 amount={}\npayee_id=p{payee} measure_id=bookings period_id=2026-05 amount=700", 300 * payee));
    }
    for (index, sale) in sales.iter().enumerate() {
        let sign = if sale.cents < 0 { "-" } else { "" };
        let payee = sale.payee.map_or_else(String::new, |payee| format!(" payee_id=p{payee}"));
        company = company.add(
            "transactions",
            &format!(
                "transaction_id=t{index:03} kind=order ordered_on={} account_id=a{} product_id=g{} currency={} quantity={sign}2.5 amount={sign}{}.{:02}{payee}",
                date(sale.day), sale.account, sale.product, ["USD", "EUR", "XXX", "USD"][sale.currency], sale.cents.abs() / 100, sale.cents.abs() % 100
            ),
        );
        if let Some((left, right, percent)) = sale.split
            && left != right
        {
            let rest = if percent > 100 { 50 } else { 100 - percent };
            company = company.add(
                "splits",
                &format!("transaction_id=t{index:03} payee_id=p{left} share={}.{:02}\ntransaction_id=t{index:03} payee_id=p{right} share={}.{:02}", percent / 100, percent % 100, rest / 100, rest % 100),
            );
        }
    }
    company
}

pub fn companies() -> impl Strategy<Value = Company> {
    (proptest::collection::vec(sale(), 0..40), 1..180u32, 1..120u32, 0..3u8)
        .prop_map(|(sales, moved, joined, rollup)| company(&sales, moved, joined, rollup))
}

pub fn numbers(outcome: &Outcome, table: &str, column: &str) -> Vec<i64> {
    outcome.table(table).numbers(column).map(<[i64]>::to_vec).unwrap_or_default()
}

/// Sums of a number column by a text column.
fn sums(outcome: &Outcome, table: &str, by: &str, column: &str) -> BTreeMap<String, i64> {
    let result = outcome.table(table);
    let mut sums = BTreeMap::new();
    for (row, value) in numbers(outcome, table, column).into_iter().enumerate() {
        *sums.entry(result.texts(by).and_then(|text| text.get(row)).unwrap_or("").to_owned()).or_default() += value;
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_in_is_credited_uncredited_or_quarantined(company in companies()) {
        let outcome = company.run();
        prop_assert!(outcome.complete, "{:?}", outcome.findings);
        let totals = numbers(&outcome, "totals", "value");
        prop_assert_eq!(totals[0], totals[2] + totals[4] + totals[6]);
        prop_assert_eq!(totals[1], totals[3] + totals[5] + totals[7]);
        let known = company.rows.get("transactions").map_or(0, Vec::len) as i64;
        prop_assert_eq!(totals[0], known * 10_000);
    }

    #[test]
    fn parts_of_a_transaction_add_up_to_its_amount(company in companies()) {
        let outcome = company.run();
        let credits = outcome.table("credits");
        let inputs = company.inputs();
        let mut parts: BTreeMap<String, i64> = BTreeMap::new();
        for row in 0..credits.row_count() {
            if ["direct", "split"].map(Some).contains(&credits.texts("kind").and_then(|kinds| kinds.get(row))) {
                let id = credits.texts("transaction_id").and_then(|ids| ids.get(row)).expect("an id");
                *parts.entry(id.to_owned()).or_default() += credits.numbers("amount").expect("amounts")[row];
            }
        }
        for (id, sum) in parts {
            let transactions = &inputs.tables["transactions"];
            let row = (0..transactions.row_count()).find(|row| transactions.texts("transaction_id").and_then(|ids| ids.get(*row)) == Some(id.as_str())).expect("credited");
            if transactions.texts("currency").and_then(|currencies| currencies.get(row)) == Some("USD") {
                prop_assert_eq!(sum, transactions.numbers("amount").expect("amounts")[row], "{}", id);
            }
        }
    }

    #[test]
    fn a_measure_is_the_sum_of_its_credits(company in companies()) {
        let outcome = company.run();
        let (credits, measures) = (outcome.table("credits"), outcome.table("measures"));
        let mut expected: BTreeMap<[String; 3], i64> = BTreeMap::new();
        let text = |table: &attain_domain::Table, name: &str, row: usize| table.texts(name).and_then(|text| text.get(row)).unwrap_or("").to_owned();
        for (row, amount) in numbers(&outcome, "credits", "amount").into_iter().enumerate() {
            let key = |measure: &str| [text(&credits, "payee_id", row), measure.to_owned(), text(&credits, "period_id", row)];
            *expected.entry(key("bookings")).or_default() += amount;
            if text(&credits, "kind", row) == "direct" || text(&credits, "kind", row) == "split" {
                *expected.entry(key("own")).or_default() += amount;
            }
        }
        let mut found: BTreeMap<[String; 3], i64> = BTreeMap::new();
        for (row, value) in numbers(&outcome, "measures", "value").into_iter().enumerate() {
            let measure = text(&measures, "measure_id", row);
            if measure == "bookings" || measure == "own" {
                found.insert([text(&measures, "payee_id", row), measure, text(&measures, "period_id", row)], value);
            }
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn shuffling_the_input_changes_no_byte(company in companies(), seed in any::<u64>()) {
        let inputs = company.inputs();
        let mut other = inputs.clone();
        for table in other.tables.values_mut() {
            *table = Arc::new(shuffled(table, seed));
        }
        other.plans.reverse();
        let (left, right) = (run(&inputs), run(&other));
        for name in RESULTS {
            prop_assert_eq!(left.table(name), right.table(name), "{}", name);
        }
        prop_assert_eq!(left.used, right.used);
    }

    #[test]
    fn running_twice_posts_nothing_new(company in companies()) {
        let mut again = company.clone();
        again.posted = company.run().table("postings");
        prop_assert_eq!(again.run().row_count("postings"), 0);
    }

    #[test]
    fn earned_is_paid_and_held_and_carried_from_period_to_period(company in companies()) {
        let outcome = company.run();
        let table = outcome.table("statements");
        let (earned, held, carried, paid) = (numbers(&outcome, "statements", "earned"), numbers(&outcome, "statements", "held"), numbers(&outcome, "statements", "carried"), numbers(&outcome, "statements", "paid"));
        let mut balances: BTreeMap<String, i64> = BTreeMap::new();
        for row in 0..table.row_count() {
            prop_assert_eq!(earned[row], paid[row] + held[row] + carried[row]);
            let balance = balances.entry(table.texts("payee_id").and_then(|ids| ids.get(row)).unwrap_or("").to_owned()).or_default();
            *balance += carried[row];
            prop_assert!(*balance <= 0 && paid[row] >= 0 && (paid[row] == 0 || *balance == 0));
        }
        prop_assert_eq!(sums(&outcome, "earnings", "payee_id", "amount"), sums(&outcome, "statements", "payee_id", "earned"));
        let accounts = sums(&outcome, "postings", "account", "amount");
        let of = |name: &str| accounts.get(name).copied().unwrap_or(0);
        prop_assert_eq!(of("earned"), of("paid") + of("held") + of("carried"));
    }

    #[test]
    fn slices_of_core_and_formula_add_up_to_the_earning(company in companies()) {
        let outcome = company.run();
        let (slices, earnings) = (sums(&outcome, "slices", "payee_id", "amount"), sums(&outcome, "earnings", "payee_id", "amount"));
        let rows = outcome.row_count("earnings") as i64;
        for (payee, earned) in earnings {
            let explained = slices.get(&payee).copied().unwrap_or(0);
            // Each earning is rounded once, by half a cent at most.
            prop_assert!((explained - earned * 10_000).abs() <= rows * 500_000 + rows * 100, "{} earns {}, explained {}", payee, earned, explained);
        }
    }

    #[test]
    fn splitting_periods_changes_no_total(company in companies()) {
        let mut quarters = company.clone();
        quarters.settings.calendar = CalendarSettings::Quarters { first: "2026-01-01".parse().expect("a day"), years: 1 };
        let (months, quarters) = (company.run(), quarters.run());
        prop_assert_eq!(sums(&months, "measures", "payee_id", "value"), sums(&quarters, "measures", "payee_id", "value"));
        let yearly = |outcome: &Outcome| {
            let mut earned = sums(outcome, "earnings", "payee_id", "amount");
            earned.retain(|payee, _| ["p1", "p3"].contains(&payee.as_str()));
            earned
        };
        prop_assert_eq!(yearly(&months), yearly(&quarters));
    }

    #[test]
    fn a_transaction_and_its_reversal_cancel(company in companies()) {
        let mut reversed = company.clone();
        for entity in ["transactions", "splits"] {
            let mirrored: Vec<String> = reversed.rows.get(entity).into_iter().flatten().map(|line| {
                let line = line.replace("transaction_id=t", "transaction_id=r").replace("=-", "=+");
                ["amount=", "quantity="].iter().fold(line, |line, field| line.replace(field, &format!("{field}-"))).replace("=-+", "=")
            }).collect();
            reversed = reversed.add(entity, &mirrored.join("\n"));
        }
        let outcome = reversed.run();
        for value in numbers(&outcome, "measures", "value") {
            prop_assert_eq!(value, 0);
        }
        prop_assert!(sums(&outcome, "earnings", "payee_id", "amount").values().all(|sum| *sum == 0));
    }
}
