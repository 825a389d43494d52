//! The result `accruals`: what a component that adds up over a quarter or a year will have paid by its end, at expected results, spread
//! over the days of that span, against what was earned so far. What differs is accrued and turned back in the next period, so that
//! at the end of the span everything is as earned.

use crate::earn::EarningKind;
use crate::lookup::{ONE, Step};
use crate::names::{number, numbers, texts};
use crate::{Inputs, Outcome, Prepared};
use attain_domain::accounting::Accruals;
use attain_domain::fixed::divide;
use attain_domain::plan::Accumulate;
use attain_domain::{Calendar, Column, Finding, RoundingMode, Severity, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Plan, component, payee and the first period of the span.
type Key = (String, String, String, usize);

/// What a component says of a payee's period.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    to_date: i64,
    quota: Option<i64>,
    amount: i128,
}

/// By period, in order.
type Results = BTreeMap<Key, BTreeMap<usize, Reached>>;

/// First period and end of the span that a period lies in; `None` for what does not add up over periods.
fn span(calendar: &Calendar, accumulate: Accumulate, period: usize) -> Option<(usize, usize)> {
    let name = |index: usize| match accumulate {
        Accumulate::Quarter => Some(&calendar.periods[index].quarter),
        Accumulate::Year => Some(&calendar.periods[index].year),
        Accumulate::Transaction | Accumulate::Period => None,
    };
    let own = name(period)?;
    let start = (0..period).rev().take_while(|index| name(*index) == Some(own)).last().unwrap_or(period);
    let end = (period..calendar.periods.len()).take_while(|index| name(*index) == Some(own)).last().unwrap_or(period) + 1;
    Some((start, end))
}

struct Calendars<'a> {
    calendar: &'a Calendar,
    accumulate: BTreeMap<(&'a str, &'a str), Accumulate>,
}

impl Calendars<'_> {
    fn span(&self, plan: &str, component: &str, period: usize) -> Option<(usize, usize)> {
        span(self.calendar, *self.accumulate.get(&(plan, component))?, period)
    }

    /// Days of a span gone by at the end of a period, and all of them, from the first period with a result on.
    fn elapsed(&self, first: usize, period: usize, end: usize) -> (i128, i128) {
        let periods = &self.calendar.periods;
        let from = periods[first].from.0;
        (i128::from(periods[period].until.0 - from), i128::from(periods[end - 1].until.0 - from))
    }

    fn results(&self, outcome: &Outcome) -> Results {
        let earnings = outcome.table("earnings");
        let [payees, periods, plans, components, kinds] =
            ["payee_id", "period_id", "plan_id", "component_id", "kind"].map(|name| texts(&earnings, name));
        let [to_date, quotas, amounts] = ["to_date", "quota", "amount"].map(|name| numbers(&earnings, name));
        let mut results = Results::new();
        for row in 0..earnings.row_count() {
            let (Some(payee), Some(plan), Some(component), Some(EARNED)) =
                (payees.get(row), plans.get(row), components.get(row), kinds.get(row))
            else {
                continue;
            };
            let Some(period) = periods.get(row).and_then(|id| self.calendar.index_of(id)) else { continue };
            let Some((start, _)) = self.span(plan, component, period) else { continue };
            let key = (plan.to_owned(), component.to_owned(), payee.to_owned(), start);
            let own = results.entry(key).or_default().entry(period).or_default();
            own.to_date = number(to_date, row).unwrap_or(0);
            own.quota = number(quotas, row);
            own.amount += i128::from(number(amounts, row).unwrap_or(0));
        }
        results
    }
}

const EARNED: &str = "formula";

/// By payee and plan: first day, end and value.
type DatedValues<'a> = BTreeMap<(&'a str, &'a str), Vec<(i64, i64, i64)>>;

/// Payee, period, plan, component, and the amounts of a row.
type Row<'a> = (&'a str, usize, &'a str, &'a str, [i64; 4]);

/// The payees' expected attainment on a day, by payee and plan.
struct Expected<'a> {
    rows: DatedValues<'a>,
}

impl<'a> Expected<'a> {
    fn new(inputs: &'a Inputs) -> Expected<'a> {
        let mut rows = DatedValues::new();
        if inputs.settings.accounting.accruals == Accruals::Expected {
            let table = inputs.table("parameters");
            let [payees, plans, names] = ["payee_id", "plan_id", "name"].map(|name| texts(table, name));
            let [from, until, values] = ["from_on", "until_on", "value"].map(|name| numbers(table, name));
            for row in (0..table.row_count()).filter(|row| names.get(*row) == Some(&inputs.settings.accounting.expected)) {
                if let (Some(payee), Some(plan), Some(from), Some(value)) =
                    (payees.get(row), plans.get(row), number(from, row), number(values, row))
                {
                    rows.entry((payee, plan)).or_default().push((from, number(until, row).unwrap_or(i64::MAX), value));
                }
            }
        }
        Expected { rows }
    }

    fn on(&self, payee: &str, plan: &str, day: i64) -> Option<i64> {
        self.rows.get(&(payee, plan))?.iter().find(|(from, until, _)| *from <= day && day < *until).map(|(_, _, value)| *value)
    }
}

/// What is supposed: by plan and component, then by payee.
type Supposed = BTreeMap<(String, String), BTreeMap<String, Vec<(usize, i64)>>>;

/// `None` where nothing is to be accrued.
pub fn accruals(inputs: &Inputs, outcome: &Outcome, extensions: &dyn attain_domain::point::Extensions) -> Option<(Table, Vec<Finding>)> {
    debug_assert_eq!(EARNED, EarningKind::Formula.name());
    let settings = &inputs.settings.accounting;
    if settings.accruals == Accruals::None {
        return None;
    }
    let calendar = Calendar::new(&inputs.settings.calendar).ok()?;
    // Of several versions the latest counts.
    let components = crate::assign::versions(&inputs.plans)
        .into_values()
        .flatten()
        .flat_map(|plan| plan.components.iter().map(|own| (plan.id.as_str(), own)));
    let accumulate = components.map(|(plan, own)| ((plan, own.id.as_str()), own.accumulate)).collect();
    let calendars = Calendars { calendar: &calendar, accumulate };
    let results = calendars.results(outcome);
    let wanted: BTreeSet<&str> = inputs.periods.iter().flatten().map(|id| id.as_str()).collect();
    let settled = |period: usize| inputs.periods.is_none() || wanted.contains(calendar.periods[period].id.as_str());
    let expected = Expected::new(inputs);
    let step = Step::new(&settings.rounding);

    // Up to the end of the last year that has begun.
    let last = (0..calendar.periods.len()).rev().find(|period| settled(*period))?;
    let (_, end) = span(&calendar, Accumulate::Year, last)?;
    let all = calendar.periods[..end].iter().map(|period| period.id.clone()).collect();
    let prepared = Prepared::new(Arc::new(inputs.clone()), extensions).with_periods(all);
    let mut findings = Vec::new();
    let mut balances: BTreeMap<(&Key, usize), i128> = BTreeMap::new();
    // As of the first period of every span at once, then of the second, and so on.
    for place in 0.. {
        let mut supposed = Supposed::new();
        let mut asked: Vec<(&Key, usize, usize)> = Vec::new();
        let mut is_over = true;
        for (key, own) in &results {
            let (plan, component, payee, start) = key;
            let Some((_, end)) = calendars.span(plan, component, *start) else { continue };
            let period = start + place;
            if period + 1 >= end {
                continue;
            }
            is_over = false;
            let Some(so_far) = own.get(&period).filter(|_| settled(period)) else { continue };
            let first = *own.keys().next().expect("a group has a result");
            let (gone, whole) = calendars.elapsed(first, period, end);
            let day = i64::from(calendar.periods[period].until.0) - 1;
            let at_quota = so_far.quota.and_then(|quota| Some((quota, expected.on(payee, plan, day)?)));
            let total = match at_quota {
                Some((quota, attainment)) => divide(i128::from(quota) * i128::from(attainment), i128::from(ONE), RoundingMode::HalfEven),
                None => divide(i128::from(so_far.to_date) * whole, gone, RoundingMode::HalfEven),
            };
            let mut before = so_far.to_date;
            let mut changes = Vec::new();
            for (later, result) in own.range(period + 1..) {
                changes.push((*later, before.saturating_sub(result.to_date)));
                before = result.to_date;
            }
            changes.push((end - 1, i64::try_from(total - i128::from(so_far.to_date)).unwrap_or(0)));
            supposed.entry((plan.clone(), component.clone())).or_default().entry(payee.clone()).or_default().extend(changes);
            asked.push((key, period, end));
        }
        if is_over {
            break;
        }
        if asked.is_empty() {
            continue;
        }
        let pass = prepared.expecting(&supposed).pay(extensions);
        if !pass.complete {
            let message = format!("what is expected cannot be calculated: {}", pass.findings.last().map_or("", |own| own.message.as_str()));
            findings.push(Finding::new(Severity::Warning, "accrual-not-calculated", "plans", "-", message));
            break;
        }
        let then = calendars.results(&pass);
        for (key, period, end) in asked {
            let own = &results[key];
            let first = *own.keys().next().expect("a group has a result");
            let (gone, whole) = calendars.elapsed(first, period, end);
            let sum = |all: &BTreeMap<usize, Reached>, until: usize| all.range(..until).map(|(_, own)| own.amount).sum::<i128>();
            let by_the_end = then.get(key).map_or(0, |all| sum(all, end));
            let steps = divide(by_the_end * gone, whole * i128::from(step.step), step.mode);
            balances.insert((key, period), steps * i128::from(step.step) - sum(own, period + 1));
        }
    }
    Some((table(&calendar, &results, &balances, &settled), findings))
}

fn table(calendar: &Calendar, results: &Results, balances: &BTreeMap<(&Key, usize), i128>, settled: &dyn Fn(usize) -> bool) -> Table {
    let narrow = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (key, own) in results {
        let (plan, component, payee, _) = key;
        let balance = |period: Option<usize>| period.and_then(|period| balances.get(&(key, period))).copied().unwrap_or(0);
        for (period, result) in own.iter().filter(|(period, _)| settled(**period)) {
            let (accrual, reversal) = (balance(Some(*period)), -balance(period.checked_sub(1)));
            let values = [result.amount, result.amount + accrual + reversal, accrual, reversal].map(narrow);
            if values != [0; 4] {
                rows.push((payee, *period, plan, component, values));
            }
        }
    }
    rows.sort_unstable();
    let text = |value: &dyn Fn(&Row<'_>) -> String| Column::text(&rows.iter().map(|row| Some(value(row))).collect::<Vec<_>>());
    let money = |place: usize| Column::money(rows.iter().map(|row| row.4[place]).collect());
    Table::new("accruals")
        .with("payee_id", text(&|row| row.0.to_owned()))
        .with("period_id", text(&|row| calendar.periods[row.1].id.0.clone()))
        .with("plan_id", text(&|row| row.2.to_owned()))
        .with("component_id", text(&|row| row.3.to_owned()))
        .with("earned", money(0))
        .with("expected", money(1))
        .with("accrual", money(2))
        .with("reversal", money(3))
}
