//! What a contract cost: everything that was earned from its transaction, by period, clawbacks included. A correction of a closed period
//! is in the rows of that period, where it belongs; what no transaction stands behind is expense, or spread.

use super::InForce;
use crate::earn::EarningKind;
use crate::lookup::Step;
use crate::names::{number, numbers, texts};
use crate::{Inputs, Outcome};
use attain_domain::accounting::WithoutTransaction;
use attain_domain::fixed::divide;
use attain_domain::{Calendar, NULL_NUMBER, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Reversals of reversals that are followed back to the transaction of a contract.
const CHAIN_MAX: usize = 100;

/// By transaction of a contract and period.
pub type Costs = BTreeMap<(String, usize), i64>;

/// Payee, period and measure to the credited amounts by transaction.
type Credited = BTreeMap<(String, String, String), BTreeMap<String, i128>>;

/// Payee and period to what she earned from each transaction.
type EarnedFrom = BTreeMap<(String, usize), BTreeMap<String, i128>>;

/// Adds to the costs; `None` where it does not fit.
fn add(costs: &mut Costs, root: &str, period: usize, amount: i64) -> Option<()> {
    let own = costs.entry((root.to_owned(), period)).or_insert(0);
    *own = own.checked_add(amount)?;
    Some(())
}

/// `amount` cut along one line of `parts`, so that all of them together are the whole; nothing where they sum to nothing.
fn cut(amount: i64, parts: &BTreeMap<String, i128>, step: Step) -> Option<Vec<(&str, i64)>> {
    let total: i128 = parts.values().sum();
    if total == 0 {
        return Some(Vec::new());
    }
    let until = |sum: i128| {
        let (sum, total) = if total < 0 { (-sum, -total) } else { (sum, total) };
        let steps = divide(i128::from(amount).checked_mul(sum)?, total.checked_mul(i128::from(step.step))?, step.mode);
        i64::try_from(steps * i128::from(step.step)).ok()
    };
    let mut sum = 0;
    let mut all = Vec::new();
    for (transaction, part) in parts {
        let before = until(sum)?;
        sum += part;
        // Not a multiple of the step: the last one takes what it is more.
        let end = if sum == total { amount } else { until(sum)? };
        all.push((transaction.as_str(), end.checked_sub(before)?));
    }
    Some(all)
}

/// Every transaction that belongs to one of `wanted`: itself, and what takes it back.
fn members(transactions: &Table, wanted: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let (ids, reversed) = (texts(transactions, "transaction_id"), texts(transactions, "reverses_id"));
    let takes_back: BTreeMap<&str, &str> =
        (0..transactions.row_count()).filter_map(|row| Some((ids.get(row)?, reversed.get(row)?))).collect();
    let root = |id: &str| {
        let mut at = id;
        for _ in 0..CHAIN_MAX {
            if let Some(own) = wanted.get(at) {
                return Some((*own).to_owned());
            }
            at = takes_back.get(at).copied()?;
        }
        None
    };
    wanted.iter().copied().chain(takes_back.keys().copied()).filter_map(|id| Some((id.to_owned(), root(id)?))).collect()
}

/// What was earned from each of `wanted`. A component that pays by transaction says it itself. One that pays what was added up pays
/// each transaction by its part of what the payee was credited in that period; the parts of all transactions sum to what was earned.
pub fn costs(inputs: &Inputs, outcome: &Outcome, calendar: &Calendar, wanted: &BTreeSet<&str>, step: Step) -> Option<Costs> {
    let mut costs = Costs::new();
    let members = members(inputs.table("transactions"), wanted);
    let earnings = outcome.table("earnings");
    let [payees, periods, plans_of, components, transactions, kinds] =
        ["payee_id", "period_id", "plan_id", "component_id", "transaction_id", "kind"].map(|name| texts(&earnings, name));
    let amounts = numbers(&earnings, "amount");
    let plans = InForce::new(&inputs.plans);
    let spreads = inputs.settings.accounting.without_transaction == WithoutTransaction::Spread;
    let (mut summed, mut without) = (Vec::new(), Vec::new());
    let mut earned_from = EarnedFrom::new();
    for row in 0..earnings.row_count() {
        let Some(amount) = number(amounts, row).filter(|amount| *amount != 0) else { continue };
        let Some(period) = periods.get(row).and_then(|id| calendar.index_of(id)) else { continue };
        let kind = kinds.get(row);
        let is_formula = kind == Some(EarningKind::Formula.name());
        match transactions.get(row) {
            Some(transaction) => {
                if let Some(root) = members.get(transaction) {
                    add(&mut costs, root, period, amount)?;
                }
                if let Some(payee) = payees.get(row).filter(|_| spreads && is_formula) {
                    let own = earned_from.entry((payee.to_owned(), period)).or_default();
                    *own.entry(transaction.to_owned()).or_default() += i128::from(amount);
                }
            }
            None if is_formula => summed.push((row, period, amount)),
            // A correction of a closed period is in the rows of that period already.
            None if kind == Some(EarningKind::Retro.name()) => {}
            None => without.push((row, period, amount)),
        }
    }
    let credited = credited(inputs, outcome, &members);
    for (row, period, amount) in summed {
        let (Some(payee), Some(id), Some(plan), Some(component)) =
            (payees.get(row), periods.get(row), plans_of.get(row), components.get(row))
        else {
            continue;
        };
        let last_day = calendar.periods[period].until.0 - 1;
        let measure = plans.component(plan, component, last_day).map_or("", |own| own.measure.as_str());
        let parts = credited.get(&(payee.to_owned(), id.to_owned(), measure.to_owned()));
        let parts = parts.map_or_else(|| Some(Vec::new()), |parts| cut(amount, parts, step))?;
        if parts.is_empty() {
            without.push((row, period, amount));
        }
        for (transaction, part) in parts {
            if let Some(root) = members.get(transaction) {
                add(&mut costs, root, period, part)?;
            }
            if spreads {
                let own = earned_from.entry((payee.to_owned(), period)).or_default();
                *own.entry(transaction.to_owned()).or_default() += i128::from(part);
            }
        }
    }
    for (row, period, amount) in without.into_iter().filter(|_| spreads) {
        let Some(earned) = payees.get(row).and_then(|payee| earned_from.get(&(payee.to_owned(), period))) else { continue };
        let earned: BTreeMap<String, i128> = earned.iter().filter(|(_, own)| **own > 0).map(|(id, own)| (id.clone(), *own)).collect();
        for (transaction, part) in cut(amount, &earned, step)? {
            if let Some(root) = members.get(transaction) {
                add(&mut costs, root, period, part)?;
            }
        }
    }
    Some(costs)
}

/// What the payees with credit from these transactions were credited for each measure. Only theirs is looked at.
fn credited(inputs: &Inputs, outcome: &Outcome, members: &BTreeMap<String, String>) -> Credited {
    let mut with_credit: BTreeSet<String> = BTreeSet::new();
    for chunk in outcome.chunks("credits") {
        let (transactions, payees) = (texts(&chunk, "transaction_id"), texts(&chunk, "payee_id"));
        let is_member: Vec<bool> = transactions.dictionary.iter().map(|id| members.contains_key(id)).collect();
        for row in 0..chunk.row_count() {
            if is_member.get(transactions.codes[row] as usize) == Some(&true)
                && let Some(payee) = payees.get(row)
                && !with_credit.contains(payee)
            {
                with_credit.insert(payee.to_owned());
            }
        }
    }
    let parts: Vec<Table> = with_credit.iter().map(|payee| outcome.credits_of(payee)).collect();
    let credits = Table::concat("credits", &parts.iter().collect::<Vec<_>>());
    let mut credited = Credited::new();
    let counted = crate::counted(inputs, &credits);
    let [payees, periods, transactions] = ["payee_id", "period_id", "transaction_id"].map(|name| texts(&credits, name));
    let amounts = numbers(&credits, "amount");
    for (measure, counts) in &counted {
        for row in (0..credits.row_count()).filter(|row| counts[*row]) {
            let (Some(payee), Some(period), Some(transaction)) = (payees.get(row), periods.get(row), transactions.get(row)) else {
                continue;
            };
            let amount = amounts.get(row).copied().filter(|amount| *amount != NULL_NUMBER).unwrap_or(0);
            let key = (payee.to_owned(), period.to_owned(), measure.clone());
            *credited.entry(key).or_default().entry(transaction.to_owned()).or_default() += i128::from(amount);
        }
    }
    credited
}
