//! The last run at a glance: who earned what, one payout explained, findings, the hash.

use crate::explain::{Node, percent};
use crate::folder::Company;
use crate::runs::FindingGroup;
use attain_domain::table::{NULL_NUMBER, Table};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How many payees are listed.
const PAYEES_SHOWN: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayeeTotal {
    pub payee_id: String,
    pub name: String,
    pub plans: String,
    /// Over all periods, in per cent; the first measure with a quota.
    pub attainment: Option<String>,
    /// In 10⁻⁴ of the company's currency.
    pub earned_scaled: i64,
    pub paid_scaled: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub company: String,
    pub currency: String,
    pub run_id: String,
    pub complete: bool,
    pub payee_count: usize,
    pub period_count: usize,
    pub earned_scaled: i64,
    pub paid_scaled: i64,
    pub payees: Vec<PayeeTotal>,
    /// Median of each key figure in the last period with statements.
    pub kpis: Vec<(String, String)>,
    pub findings: Vec<FindingGroup>,
    pub example: Option<Node>,
}

/// `names` is the personal data: payee id to name.
pub fn summarize(
    company: &Company,
    run_id: &str,
    complete: bool,
    tables: &BTreeMap<String, Table>,
    names: &BTreeMap<String, String>,
    findings: Vec<FindingGroup>,
) -> Summary {
    let mut totals: BTreeMap<String, PayeeTotal> = BTreeMap::new();
    let mut periods = BTreeSet::new();
    if let Some(table) = tables.get("statements")
        && let (Some(payees), Some(period_ids)) = (table.texts("payee_id"), table.texts("period_id"))
        && let (Some(earned), Some(paid)) = (table.numbers("earned"), table.numbers("paid"))
    {
        for row in 0..table.row_count() {
            let Some(payee) = payees.get(row) else { continue };
            periods.extend(period_ids.get(row).map(str::to_owned));
            let own = totals.entry(payee.to_owned()).or_insert_with(|| PayeeTotal {
                payee_id: payee.to_owned(),
                name: names.get(payee).cloned().unwrap_or_default(),
                plans: String::new(),
                attainment: None,
                earned_scaled: 0,
                paid_scaled: 0,
            });
            own.earned_scaled = own.earned_scaled.saturating_add(earned[row]);
            own.paid_scaled = own.paid_scaled.saturating_add(paid[row]);
        }
    }
    for (payee, plans) in plans_of(company) {
        if let Some(own) = totals.get_mut(&payee) {
            own.plans = plans.into_iter().collect::<Vec<_>>().join(", ");
        }
    }
    for (payee, attainment) in attainments(tables, &periods) {
        if let Some(own) = totals.get_mut(&payee) {
            own.attainment = attainment;
        }
    }
    let payee_count = totals.len();
    let sum = |value: fn(&PayeeTotal) -> i64| totals.values().map(value).fold(0i64, i64::saturating_add);
    let (earned_scaled, paid_scaled) = (sum(|own| own.earned_scaled), sum(|own| own.paid_scaled));
    let mut payees: Vec<PayeeTotal> = totals.into_values().collect();
    payees.sort_by(|left, right| right.earned_scaled.cmp(&left.earned_scaled).then_with(|| left.payee_id.cmp(&right.payee_id)));
    payees.truncate(PAYEES_SHOWN);
    Summary {
        company: company.settings.name.clone(),
        currency: company.settings.currency.clone(),
        run_id: run_id.to_owned(),
        complete,
        payee_count,
        period_count: periods.len(),
        earned_scaled,
        paid_scaled,
        payees,
        kpis: medians(tables, periods.last().map(String::as_str)),
        findings,
        example: None,
    }
}

fn plans_of(company: &Company) -> BTreeMap<String, BTreeSet<String>> {
    let assignments = company.assignments();
    let plans = |payee: &str| assignments.of(payee).into_keys().map(str::to_owned).collect();
    assignments.payees().map(|payee| (payee.to_owned(), plans(payee))).collect()
}

fn attainments(tables: &BTreeMap<String, Table>, settled: &BTreeSet<String>) -> BTreeMap<String, Option<String>> {
    let mut sums: BTreeMap<(String, String), (i128, i128)> = BTreeMap::new();
    if let Some(table) = tables.get("attainments")
        && let (Some(payees), Some(measures), Some(periods)) =
            (table.texts("payee_id"), table.texts("measure_id"), table.texts("period_id"))
        && let (Some(values), Some(quotas)) = (table.numbers("value"), table.numbers("quota"))
    {
        for row in 0..table.row_count() {
            if let (Some(payee), Some(measure)) = (payees.get(row), measures.get(row))
                && quotas[row] != NULL_NUMBER
                && periods.get(row).is_some_and(|period| settled.contains(period))
            {
                let sum = sums.entry((payee.to_owned(), measure.to_owned())).or_default();
                sum.0 += i128::from(values[row]);
                sum.1 += i128::from(quotas[row]);
            }
        }
    }
    let mut result = BTreeMap::new();
    for ((payee, _), (value, quota)) in sums {
        let rate = (quota > 0).then(|| attain_domain::fixed::divide(value * 1_000, quota, attain_domain::RoundingMode::HalfEven));
        result.entry(payee).or_insert_with(|| rate.map(|rate| percent(i64::try_from(rate * 100_000).unwrap_or(i64::MAX))));
    }
    result
}

fn medians(tables: &BTreeMap<String, Table>, last: Option<&str>) -> Vec<(String, String)> {
    let mut figures: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    if let Some(table) = tables.get("kpis")
        && let (Some(names), Some(periods), Some(values)) = (table.texts("kpi"), table.texts("period_id"), table.numbers("value"))
    {
        for row in (0..table.row_count()).filter(|row| periods.get(*row) == last) {
            figures.entry(names.get(row).unwrap_or_default()).or_default().push(values[row]);
        }
    }
    figures
        .into_iter()
        .filter_map(|(name, mut values)| {
            values.sort_unstable();
            let middle = *values.get(values.len() / 2)?;
            let shown = attain_domain::fixed::to_decimal(middle, attain_domain::RATE_SCALE).round_dp(2).normalize();
            Some((name.to_owned(), shown.to_string()))
        })
        .collect()
}
