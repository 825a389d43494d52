//! The result `amortization`: the schedules of all contracts by period, renewals and events included.

use super::costs::{Costs, costs};
use super::schedule::{Happening, LIFE_MAX, Life, Line, Month, Schedule, schedule};
use crate::lookup::Step;
use crate::names::{number, numbers, texts};
use crate::{Inputs, Outcome};
use attain_domain::accounting::Renewals;
use attain_domain::{Calendar, Column, Day, Finding, Severity, Table};
use std::collections::{BTreeMap, BTreeSet};

/// A life within which the practical expedient holds: twelve months.
const YEAR: i64 = 12 * super::schedule::MONTH;

struct Contract {
    id: String,
    start: Day,
    months: i64,
    transaction: Option<String>,
    renews: Option<String>,
    cost: Option<i64>,
}

/// What is said of a contract; never an error: it stops no pay.
fn finding(code: &str, contract: &str, message: &str) -> Finding {
    Finding::new(Severity::Warning, code, "contracts", contract, message)
}

fn day(value: Option<i64>) -> Option<Day> {
    value.and_then(|value| i32::try_from(value).ok()).map(Day)
}

/// In order of start and id.
fn contracts(inputs: &Inputs, findings: &mut Vec<Finding>) -> Vec<Contract> {
    let table = inputs.table("contracts");
    let [ids, transactions, renewed] = ["contract_id", "transaction_id", "renews_id"].map(|name| texts(table, name));
    let [starts, months, given] = ["start_on", "life_months", "cost"].map(|name| numbers(table, name));
    let mut contracts = Vec::new();
    for row in 0..table.row_count() {
        let (Some(id), Some(start), Some(months)) = (ids.get(row), day(number(starts, row)), number(months, row)) else { continue };
        if !(1..=LIFE_MAX).contains(&months) {
            findings.push(finding("contract-life", id, "its life is not more than 0 and at most 1200 months; correct `life_months`"));
            continue;
        }
        let own = |column: &attain_domain::TextColumn| column.get(row).map(str::to_owned);
        let (transaction, renews, cost) = (own(transactions), own(renewed), number(given, row));
        contracts.push(Contract { id: id.to_owned(), start, months, transaction, renews, cost });
    }
    contracts.sort_by(|left, right| (left.start, &left.id).cmp(&(right.start, &right.id)));
    contracts
}

/// Events by contract.
fn events(inputs: &Inputs, findings: &mut Vec<Finding>) -> BTreeMap<String, Vec<(Month, Happening)>> {
    let table = inputs.table("contract_events");
    let (ids, kinds) = (texts(table, "contract_id"), texts(table, "kind"));
    let (days, lives) = (numbers(table, "happened_on"), numbers(table, "life_months"));
    let mut events: BTreeMap<String, Vec<(Month, Happening)>> = BTreeMap::new();
    for row in 0..table.row_count() {
        let (Some(id), Some(kind), Some(day)) = (ids.get(row), kinds.get(row), day(number(days, row))) else { continue };
        let happening = match (kind, number(lives, row)) {
            ("churn", _) => Happening::Churn(day),
            (_, Some(life)) if (1..=LIFE_MAX).contains(&life) => Happening::Estimate(day, life),
            _ => {
                findings.push(finding("contract-estimate", id, "an estimate needs a life of more than 0 and at most 1200 months"));
                continue;
            }
        };
        events.entry(id.to_owned()).or_default().push((Month::of(day), happening));
    }
    events
}

/// For each contract the one that takes over what is left of it, and when.
fn handovers(contracts: &[Contract], renewals: Renewals, findings: &mut Vec<Finding>) -> Vec<Option<(Month, usize)>> {
    let mut handovers = vec![None; contracts.len()];
    let place: BTreeMap<&str, usize> = contracts.iter().enumerate().map(|(index, own)| (own.id.as_str(), index)).collect();
    for (index, own) in contracts.iter().enumerate() {
        let Some(old) = own.renews.as_deref().and_then(|id| place.get(id)).copied() else { continue };
        if contracts[old].start >= own.start {
            findings.push(finding(
                "renewal-not-later",
                &own.id,
                "it does not start after the contract that it renews; correct one of them",
            ));
        } else if renewals == Renewals::Extend {
            if handovers[old].is_some() {
                findings.push(finding("renewed-twice", &own.id, "another contract has renewed that one already; it takes nothing over"));
            } else {
                handovers[old] = Some((Month::of(own.start), index));
            }
        }
    }
    handovers
}

/// Rows of one contract by period; a period in between in which nothing happens is there too.
fn by_period(lines: &[Line], calendar: &Calendar) -> Vec<(usize, Line)> {
    let mut rows: Vec<(usize, Line)> = Vec::new();
    for line in lines {
        let Some(period) = calendar.find(line.month.middle()) else { continue };
        if let Some((last, _)) = rows.last().filter(|(last, _)| *last != period) {
            for between in last + 1..period {
                rows.push((
                    between,
                    Line { opening: line.opening, addition: 0, amortized: 0, impaired: 0, closing: line.opening, ..*line },
                ));
            }
        }
        match rows.last_mut().filter(|(last, _)| *last == period) {
            Some((_, own)) => {
                own.addition = own.addition.saturating_add(line.addition);
                own.amortized = own.amortized.saturating_add(line.amortized);
                own.impaired = own.impaired.saturating_add(line.impaired);
                own.closing = line.closing;
            }
            None => rows.push((period, *line)),
        }
    }
    rows.retain(|(_, own)| [own.opening, own.addition, own.amortized, own.impaired, own.closing] != [0; 5]);
    rows
}

/// The first month of each period: what was earned in a period is added in it.
fn first_months(calendar: &Calendar) -> Vec<Month> {
    calendar
        .periods
        .iter()
        .enumerate()
        .map(|(index, period)| {
            let own = Month::of(period.from);
            if calendar.find(own.middle()) == Some(index) { own } else { own.next() }
        })
        .collect()
}

/// `None` where the company has no contracts.
pub fn amortization(inputs: &Inputs, outcome: &Outcome) -> Option<(Table, Vec<Finding>)> {
    let calendar = Calendar::new(&inputs.settings.calendar).ok()?;
    if inputs.table("contracts").row_count() == 0 {
        return None;
    }
    let settings = &inputs.settings.accounting;
    let step = Step::new(&settings.rounding);
    let mut findings = Vec::new();
    let contracts = contracts(inputs, &mut findings);
    let events = events(inputs, &mut findings);
    let handovers = handovers(&contracts, settings.renewals, &mut findings);
    let mut happenings: Vec<Vec<(Month, Happening)>> =
        contracts.iter().map(|own| events.get(&own.id).cloned().unwrap_or_default()).collect();

    let mut of_transaction: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, own) in contracts.iter().enumerate() {
        match (&own.transaction, own.cost) {
            (_, Some(_)) => {}
            (Some(transaction), None) => {
                if of_transaction.contains_key(transaction.as_str()) {
                    let message = "another contract has the cost of its transaction already; give each its `cost`";
                    findings.push(finding("contract-cost-twice", &own.id, message));
                } else {
                    of_transaction.insert(transaction, index);
                }
            }
            (None, None) => {
                let message = "it has neither a cost nor a transaction; add one of them";
                findings.push(finding("contract-without-cost", &own.id, message));
            }
        }
    }
    let wanted: BTreeSet<&str> = of_transaction.keys().copied().collect();
    let earned = if wanted.is_empty() { Some(Costs::new()) } else { costs(inputs, outcome, &calendar, &wanted, step) };
    let months = first_months(&calendar);
    // A cost that comes after the renewal is the renewal's.
    let holder = |contract: usize, month: Month| {
        let mut at = contract;
        while let Some((_, next)) = handovers[at].filter(|(from, _)| *from <= month) {
            at = next;
        }
        at
    };
    for (index, own) in contracts.iter().enumerate() {
        if let Some(cost) = own.cost {
            let month = Month::of(own.start);
            happenings[holder(index, month)].push((month, Happening::Addition(cost)));
        }
    }
    for ((transaction, period), amount) in earned.iter().flatten() {
        let index = of_transaction[transaction.as_str()];
        happenings[holder(index, months[*period])].push((months[*period], Happening::Addition(*amount)));
    }

    let [mut openings, mut additions, mut amortized, mut impaired, mut closings] = [const { Vec::new() }; 5];
    let (mut ids, mut periods) = (Vec::new(), Vec::new());
    let mut schedules: Vec<(&str, Vec<Line>)> = Vec::new();
    // A renewal starts after what it renews, so what it takes over is known when its turn comes.
    for (index, own) in contracts.iter().enumerate() {
        if let Some((month, _)) = handovers[index] {
            happenings[index].push((month, Happening::HandOver));
        }
        let life = Life { start: own.start, months: own.months, convention: settings.convention };
        let at_once = settings.expedient && own.months <= YEAR;
        let made = schedule(life, at_once, step, &happenings[index]).filter(|_| earned.is_some());
        let Some(Schedule { lines, handed_over }) = made else {
            findings.push(finding("overflow", &own.id, "its amounts do not fit; correct them"));
            continue;
        };
        if let Some((month, next)) = handovers[index]
            && handed_over != 0
        {
            happenings[next].push((month, Happening::Addition(handed_over)));
        }
        schedules.push((own.id.as_str(), lines));
    }
    schedules.sort_by(|left, right| left.0.cmp(right.0));
    for (id, lines) in &schedules {
        for (period, line) in by_period(lines, &calendar) {
            ids.push(Some(*id));
            periods.push(Some(calendar.periods[period].id.as_str()));
            openings.push(line.opening);
            additions.push(line.addition);
            amortized.push(line.amortized);
            impaired.push(line.impaired);
            closings.push(line.closing);
        }
    }
    let table = Table::new("amortization")
        .with("contract_id", Column::text(&ids))
        .with("period_id", Column::text(&periods))
        .with("opening", Column::money(openings))
        .with("addition", Column::money(additions))
        .with("amortized", Column::money(amortized))
        .with("impaired", Column::money(impaired))
        .with("closing", Column::money(closings));
    findings.sort();
    Some((table, findings))
}
