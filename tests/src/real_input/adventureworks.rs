//! AdventureWorks: 17 salespeople, 3,806 orders with amounts of four decimals, 163 person-quarters of quota, commission and bonus.

use super::{Result, Source, plain, write_csv, write_text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PLAN: &str = "sales";

/// What the formulas of the plan are written in. Both must pay the same to the cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Rhai,
    Wasm,
}

impl Engine {
    fn plan(self) -> String {
        let (flat, bonus) = match self {
            Engine::Rhai => ("formula = \"comp-flat\"", "formula = \"comp-threshold-bonus\"\n\n[components.settings]\nthreshold = \"1\""),
            Engine::Wasm => (
                "formula = \"comp-tiers\"\n\n[components.settings]\nformula = \"flat\"",
                "formula = \"comp-tiers\"\n\n[components.settings]\nformula = \"threshold-bonus\"\nthreshold = \"1\"",
            ),
        };
        let rounding = "rounding = { mode = \"half-up\", step = \"0.01\" }";
        format!(
            "id = \"{PLAN}\"\nname = \"Commission on sales and a bonus on quota\"\n\n\
             [[components]]\nid = \"commission\"\nmeasure = \"sales\"\n{rounding}\n{flat}\n\n\
             [[components]]\nid = \"bonus\"\nmeasure = \"sales\"\nquota = \"sales\"\n{rounding}\n{bonus}\n"
        )
    }
}

/// Writes the company folder `out` from the data set in `data`, with the person-quarters of `reference.csv` as `expected/`.
/// Returns how many of them there are.
pub fn write_company(data: &Path, out: &Path, engine: Engine) -> Result<usize> {
    let people = Source::open(data, "sales_person.csv")?;
    let people = people.select(["business_entity_id", "commission_pct", "bonus"])?;
    let quotas = Source::open(data, "quota_history.csv")?;
    let quotas = quotas.select(["business_entity_id", "quota_date", "sales_quota"])?;
    let orders = Source::open(data, "sales_orders.csv")?;
    let orders = orders.select(["sales_order_id", "order_date", "sales_person_id", "sub_total"])?;
    let reference = Source::open(data, "reference.csv")?;
    let reference =
        reference.select(["sales_person_id", "period_start", "period_end_exclusive", "sales", "quota", "commission", "bonus", "payout"])?;
    let periods = periods(&quotas, &reference)?;

    let mut company = "format = 1\nname = \"AdventureWorks\"\ncurrency = \"USD\"\n\n[calendar]\npattern = \"custom\"\n".to_owned();
    for (from, until) in &periods {
        company.push_str(&format!("\n[[calendar.periods]]\nid = \"{from}\"\nfrom = \"{from}\"\nuntil = \"{until}\"\n"));
    }
    company.push_str("\n[[crediting.rules]]\nextension = \"credit-direct\"\n\n[[measures]]\nid = \"sales\"\nname = \"Net sales\"\n");
    write_text(&out.join("company.toml"), &company)?;
    write_text(&out.join(format!("plans/{PLAN}.toml")), &engine.plan())?;

    write_csv(&out.join("payees.csv"), &["payee_id"], people.iter().map(|[id, ..]| [*id]))?;
    let transaction = |[id, on, payee, amount]: &[&str; 4]| [id, "order", on, payee, amount, "USD"].map(str::to_owned);
    let headers = ["transaction_id", "kind", "ordered_on", "payee_id", "amount", "currency"];
    write_csv(&out.join("transactions.csv"), &headers, orders.iter().map(transaction))?;
    let quota = |[id, from, amount]: &[&str; 3]| [id, "sales", from, amount].map(str::to_owned);
    write_csv(&out.join("quotas.csv"), &["payee_id", "measure_id", "period_id", "amount"], quotas.iter().map(quota))?;

    // A person is on the plan from the start of the first quota.
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for [id, from, _] in &quotas {
        let earliest = first.entry(id).or_insert(from);
        *earliest = (*earliest).min(from);
    }
    let assignments = first.iter().map(|(id, from)| [*id, PLAN, from]);
    write_csv(&out.join("plan_assignments.csv"), &["payee_id", "plan_id", "from_on"], assignments)?;
    let start = periods.keys().next().copied().unwrap_or_default();
    let parameters = people.iter().flat_map(|[id, rate, bonus]| {
        [("rate", plain(rate)), ("bonus", plain(bonus))]
            .map(|(name, value)| [id.to_string(), PLAN.to_owned(), name.to_owned(), start.to_owned(), value])
    });
    write_csv(&out.join("parameters.csv"), &["payee_id", "plan_id", "name", "from_on", "value"], parameters)?;

    let expected = out.join("expected");
    let earnings = reference.iter().flat_map(|[id, from, _, _, _, commission, bonus, _]| {
        [("commission", commission), ("bonus", bonus)].map(|(component, amount)| [id, from, component, amount].map(str::to_owned))
    });
    write_csv(&expected.join("earnings.csv"), &["payee_id", "period_id", "component_id", "amount"], earnings)?;
    let attainments = reference.iter().map(|[id, from, _, sales, quota, ..]| [id, "sales", from, sales, quota].map(str::to_owned));
    write_csv(&expected.join("attainments.csv"), &["payee_id", "measure_id", "period_id", "value", "quota"], attainments)?;
    let statements = reference.iter().map(|[id, from, .., payout]| [*id, *from, *payout].map(str::to_owned));
    write_csv(&expected.join("statements.csv"), &["payee_id", "period_id", "earned"], statements)?;
    Ok(reference.len())
}

/// The starts and ends of the company's periods: the union of all quota dates, the last period ending where the reference ends.
/// An error where these periods do not reproduce every person's own quota periods.
fn periods<'a>(quotas: &[[&'a str; 3]], reference: &[[&'a str; 8]]) -> Result<BTreeMap<&'a str, &'a str>> {
    let starts: BTreeSet<&str> = quotas.iter().map(|[_, from, _]| *from).collect();
    let end = reference.iter().map(|row| row[2]).max().ok_or("`reference.csv` has no rows")?;
    let ends = starts.iter().skip(1).copied().chain([end]);
    let periods: BTreeMap<&str, &str> = starts.iter().copied().zip(ends).collect();
    for [id, from, until, ..] in reference {
        if periods.get(from) != Some(until) {
            return Err(format!("the quota period {from} to {until} of `{id}` is none of the calendar made from all quota dates").into());
        }
    }
    let own: BTreeSet<(&str, &str)> = quotas.iter().map(|[id, from, _]| (*id, *from)).collect();
    let expected: BTreeSet<(&str, &str)> = reference.iter().map(|[id, from, ..]| (*id, *from)).collect();
    if own != expected || own.len() != quotas.len() {
        return Err("`quota_history.csv` and `reference.csv` are not about the same person-quarters".into());
    }
    Ok(periods)
}

#[cfg(test)]
mod tests {
    use super::super::scaled;
    use super::*;

    fn sum(source: &Source, column: &str, scale: usize) -> Result<i128> {
        source.select([column])?.iter().map(|[text]| scaled(text, scale)).sum()
    }

    #[test]
    fn the_folder_holds_every_order_and_every_person_quarter() -> Result<()> {
        let Some(data) = crate::real_input::data_folder("adventureworks") else { return Ok(()) };
        for engine in [Engine::Rhai, Engine::Wasm] {
            let out = tempfile::tempdir()?;
            assert_eq!(write_company(&data, out.path(), engine)?, 163);
            let transactions = Source::open(out.path(), "transactions.csv")?;
            assert_eq!((transactions.rows.len(), sum(&transactions, "amount", 4)?), (3_806, 804_877_041_832));
            let earnings = Source::open(out.path(), "expected/earnings.csv")?;
            assert_eq!((earnings.rows.len(), sum(&earnings, "amount", 4)?), (326, 11_016_434_300 + 355_000_000));
            let attainments = Source::open(out.path(), "expected/attainments.csv")?;
            assert_eq!(sum(&attainments, "value", 4)?, 804_877_041_832);
        }
        Ok(())
    }
}
