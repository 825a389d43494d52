//! The result `margins`: what was left of each sale, with what was earned from it as part of its cost where the company wants that.
//! Commissions that others owe (a negative rate) make it cheaper.

use super::costs::costs;
use crate::book::NO_PERIOD;
use crate::lookup::{ONE, Step};
use crate::{Inputs, Outcome};
use attain_domain::accounting::Margins;
use attain_domain::fixed::divide;
use attain_domain::{Calendar, Column, Finding, MONEY_SCALE, NULL_NUMBER, RoundingMode, Severity, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Quantity, revenue, cost, commission, commission of one unit, cost with commission, margin.
type Amounts = [i64; 7];

const NAMES: [&str; 7] = ["quantity", "revenue", "cost", "commission", "commission_per_unit", "cost_with_commission", "margin"];

/// `None` where the company does not want it.
pub fn margins(inputs: &Inputs, outcome: &Outcome) -> Option<(Table, Vec<Finding>)> {
    let settings = &inputs.settings.accounting;
    if settings.margins == Margins::None {
        return None;
    }
    let calendar = Calendar::new(&inputs.settings.calendar).ok()?;
    let transactions = &outcome.book().transactions;
    let mut findings = Vec::new();
    let earned = match settings.margins {
        Margins::WithCommissions => {
            let ids: BTreeSet<&str> = (0..transactions.len() as u32).map(|row| transactions.id(row)).collect();
            costs(inputs, outcome, &calendar, &ids, Step::new(&settings.rounding))
        }
        Margins::Plain | Margins::None => Some(BTreeMap::new()),
    };
    let Some(earned) = earned else {
        let message = "what was earned from transactions does not fit; correct the amounts";
        findings.push(Finding::new(Severity::Warning, "margin-not-calculated", "transactions", "-", message));
        return Some((table(&calendar, &[]), findings));
    };
    let mut commissions: BTreeMap<&str, i64> = BTreeMap::new();
    for ((transaction, _), amount) in &earned {
        let own = commissions.entry(transaction).or_default();
        *own = own.saturating_add(*amount);
    }
    let mut rows: Vec<(&str, usize, Amounts)> = Vec::new();
    for row in 0..transactions.len() {
        let period = transactions.period[row];
        if period == NO_PERIOD {
            continue;
        }
        let id = transactions.id(row as u32);
        let (revenue, quantity) = (transactions.amount[row], transactions.quantity.raw(row));
        let known = transactions.margin.get(row);
        let commission = commissions.get(id).copied().unwrap_or(0);
        let cost = known.map_or(NULL_NUMBER, |margin| revenue.saturating_sub(margin));
        let with = known.map_or(NULL_NUMBER, |_| cost.saturating_add(commission));
        let per_unit = if quantity == NULL_NUMBER || quantity == 0 { NULL_NUMBER } else { per_unit(commission, quantity) };
        let margin = known.map_or(NULL_NUMBER, |margin| margin.saturating_sub(commission));
        rows.push((id, usize::from(period), [quantity, revenue, cost, commission, per_unit, with, margin]));
    }
    Some((table(&calendar, &rows), findings))
}

/// In 10⁻⁸.
fn per_unit(commission: i64, quantity: i64) -> i64 {
    let (commission, quantity) =
        if quantity < 0 { (-i128::from(commission), -i128::from(quantity)) } else { (commission.into(), quantity.into()) };
    let exact = divide(commission * i128::from(ONE), quantity, RoundingMode::HalfEven);
    i64::try_from(exact).unwrap_or(NULL_NUMBER)
}

fn table(calendar: &Calendar, rows: &[(&str, usize, Amounts)]) -> Table {
    debug_assert_eq!(10i64.pow(u32::from(MONEY_SCALE)).pow(2), ONE);
    let mut table = Table::new("margins")
        .with("transaction_id", Column::text(&rows.iter().map(|row| Some(row.0)).collect::<Vec<_>>()))
        .with("period_id", Column::text(&rows.iter().map(|row| Some(calendar.periods[row.1].id.as_str())).collect::<Vec<_>>()));
    for (place, name) in NAMES.iter().enumerate() {
        let values = rows.iter().map(|row| row.2[place]).collect();
        table = table.with(name, if *name == "commission_per_unit" { Column::rate(values) } else { Column::money(values) });
    }
    table
}
