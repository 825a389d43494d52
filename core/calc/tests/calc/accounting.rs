//! Laws of what finance books, tried on random small companies.

use crate::company::{Company, Native, run, shuffled};
use attain_calc::{Inputs, analyse};
use attain_domain::Table;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const SETTINGS: &str = r#"
format = 1
name = "Random"
currency = "USD"
calendar = { pattern = "months", first = "2026-01-01", years = 1 }
measures = [{ id = "bookings" }]
[crediting]
rules = [{ extension = "own" }]
[accounting]
accruals = "run-rate"
renewals = "extend"
convention = "daily"
margins = "with-commissions"
shares = "states"
"#;

/// By month, by quarter at two rates, by transaction.
const PLAN: &str = r#"
id = "plan"
[[components]]
id = "monthly"
measure = "bookings"
formula = "tiers"
settings = { tiers = [{ from = "0", rate = "0.013" }, { from = "300", rate = "0.031" }] }
[[components]]
id = "quarterly"
measure = "bookings"
accumulate = "quarter"
true_up = true
formula = "tiers"
settings = { tiers = [{ from = "0", rate = "0.07" }, { from = "500", rate = "0.11" }] }
[[components]]
id = "yearly"
measure = "bookings"
accumulate = "year"
formula = "tiers"
settings = { tiers = [{ from = "0", rate = "0.02" }, { from = "900", rate = "0.05" }] }
[[components]]
id = "each"
measure = "bookings"
accumulate = "transaction"
formula = "tiers"
settings = { tiers = [{ from = "0", rate = "0.015" }] }
"#;

#[derive(Debug, Clone)]
struct Sale {
    month: u8,
    day: u8,
    payee: u8,
    cents: i64,
    /// The sale that it takes back, where there is one of that number.
    reverses: Option<usize>,
}

fn sale() -> impl Strategy<Value = Sale> {
    let reverses = prop_oneof![3 => Just(None), 1 => (0usize..12).prop_map(Some)];
    (1u8..=12, 1u8..=28, 0u8..2, 1i64..90_000, reverses).prop_map(|(month, day, payee, cents, reverses)| Sale {
        month,
        day,
        payee,
        cents,
        reverses,
    })
}

/// Every sale that takes nothing back has a contract; some renew the one before, some have an event.
fn company(sales: &[Sale], lives: &[(u8, u8)]) -> Inputs {
    let mut company = Company::new(SETTINGS, &[PLAN])
        .add("payees", "payee_id=p0\npayee_id=p1")
        .add("plan_assignments", "payee_id=p0 plan_id=plan from_on=2026-01-01\npayee_id=p1 plan_id=plan from_on=2026-01-01");
    let mut last: Option<(u8, u8, usize)> = None;
    for (number, sale) in sales.iter().enumerate() {
        let Sale { month, day, payee, cents, reverses } = sale;
        let reversed = reverses.filter(|reversed| *reversed < number && sales[*reversed].reverses.is_none());
        let (kind, sign) = if reversed.is_some() { ("return", "-") } else { ("order", "") };
        let mut line = format!(
            "transaction_id=x{number} kind={kind} ordered_on=2026-{month:02}-{day:02} amount={sign}{}.{:02} currency=USD payee_id=p{payee}",
            cents / 100,
            cents % 100
        );
        if let Some(reversed) = reversed {
            line.push_str(&format!(" reverses_id=x{reversed}"));
        } else {
            let (life, event) = lives[number % lives.len()];
            let life = 1 + life % 30;
            let mut contract =
                format!("contract_id=c{number} transaction_id=x{number} start_on=2026-{month:02}-{day:02} life_months={life}");
            if let Some((_, _, old)) = last.filter(|(m, d, _)| (m, d) < (month, day)) {
                contract.push_str(&format!(" renews_id=c{old}"));
            }
            last = Some((*month, *day, number));
            company = company.add("contracts", &contract);
            let on = format!("happened_on=2026-{:02}-15", 1 + event % 12);
            if event % 5 == 0 {
                company = company.add("contract_events", &format!("contract_id=c{number} {on} kind=churn"));
            } else if event % 5 == 1 {
                company = company.add("contract_events", &format!("contract_id=c{number} {on} kind=estimate life_months={}", 1 + life / 2));
            }
        }
        company = company.add("transactions", &line);
    }
    company.inputs()
}

fn booked(inputs: &Inputs) -> BTreeMap<String, Table> {
    let outcome = run(inputs);
    let analysis = analyse(inputs, &outcome, &Native::default());
    assert!(analysis.complete, "{:?}", analysis.findings);
    let own = analysis.tables.into_iter().map(|table| (table.name.clone(), table));
    own.chain(["earnings", "statements"].map(|name| (name.to_owned(), outcome.table(name)))).collect()
}

fn numbers<'a>(table: &'a Table, name: &str) -> &'a [i64] {
    table.numbers(name).unwrap_or_else(|| panic!("no column `{name}`"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn everything_that_was_earned_is_the_cost_of_some_contract_and_the_chain_ties(
        sales in proptest::collection::vec(sale(), 1..12),
        lives in proptest::collection::vec((any::<u8>(), any::<u8>()), 1..12),
        seed in any::<u64>(),
    ) {
        let inputs = company(&sales, &lives);
        let own = booked(&inputs);
        let earned: i64 = numbers(&own["earnings"], "amount").iter().sum();
        if let Some(table) = own.get("amortization") {
            // What goes over to a renewal is added there and taken away here.
            prop_assert_eq!(numbers(table, "addition").iter().sum::<i64>(), earned);
            let [opening, addition, amortized, impaired, closing] =
                ["opening", "addition", "amortized", "impaired", "closing"].map(|name| numbers(table, name));
            let contracts = table.texts("contract_id").expect("ids");
            for row in 0..table.row_count() {
                prop_assert_eq!(closing[row], opening[row] + addition[row] - amortized[row] - impaired[row]);
                let chained = row > 0 && contracts.get(row) == contracts.get(row - 1);
                prop_assert_eq!(opening[row], if chained { closing[row - 1] } else { 0 });
            }
        }
        // Sales bear all of it, and what is due and settled is what statements pay and carry.
        prop_assert_eq!(numbers(&own["margins"], "commission").iter().sum::<i64>(), earned);
        let (shares, statements) = (&own["shares"], &own["statements"]);
        let states = shares.texts("state").expect("states");
        let is_due = |row: &usize| matches!(states.get(*row), Some("due" | "settled"));
        let due: i64 = (0..shares.row_count()).filter(is_due).map(|row| numbers(shares, "amount")[row]).sum();
        let [paid, carried] = ["paid", "carried"].map(|name| numbers(statements, name).iter().sum::<i64>());
        prop_assert_eq!(due, paid + carried);
        let mut other = inputs.clone();
        for table in other.tables.values_mut() {
            *table = Arc::new(shuffled(table, seed));
        }
        prop_assert_eq!(booked(&other), own);
    }

    #[test]
    fn by_the_end_of_a_span_its_expense_is_what_was_earned(sales in proptest::collection::vec(sale(), 1..12)) {
        let own = booked(&company(&sales, &[(12, 2)]));
        let accruals = &own["accruals"];
        let sums = |table: &Table, column: &str, wanted: &dyn Fn(&str) -> bool| {
            let components = table.texts("component_id").expect("components");
            let rows = (0..table.row_count()).filter(|row| components.get(*row).is_some_and(wanted));
            rows.map(|row| numbers(table, column)[row]).sum::<i64>()
        };
        for component in ["quarterly", "yearly"] {
            let own_component = |name: &str| name == component;
            let earned = sums(&own["earnings"], "amount", &own_component);
            prop_assert_eq!(sums(accruals, "earned", &own_component), earned);
            prop_assert_eq!(sums(accruals, "expected", &own_component), earned);
            prop_assert_eq!(sums(accruals, "accrual", &own_component), -sums(accruals, "reversal", &own_component));
        }
        prop_assert_eq!(sums(accruals, "earned", &|name| name == "monthly" || name == "each"), 0);
    }
}
