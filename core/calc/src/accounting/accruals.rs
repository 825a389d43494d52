//! The result `accruals`: what a component that adds up over a quarter or a year will have paid by its end, at expected results, spread
//! over the days of that span, against what was earned so far. What differs is accrued and turned back in the next period, so that
//! at the end of the span everything is as earned.

use super::InForce;
use crate::earn::EarningKind;
use crate::lookup::{ONE, Step};
use crate::names::{number, numbers, texts};
use crate::{Inputs, Outcome, Prepared};
use attain_domain::accounting::Accruals;
use attain_domain::fixed::divide;
use attain_domain::plan::Accumulate;
use attain_domain::{Calendar, Column, Finding, NULL_NUMBER, RoundingMode, Severity, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Plan, component, payee, the first period of the span and the one after its last.
type Key = (String, String, String, usize, usize);

/// What a component says of a payee's period.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    prior: i64,
    to_date: i64,
    quota: Option<i64>,
    amount: i128,
}

/// By plan, component and period.
type Spans<'a> = BTreeMap<(&'a str, &'a str, usize), Option<(usize, usize)>>;

/// By period, in order.
type Results = BTreeMap<Key, BTreeMap<usize, Reached>>;

/// The name of the quarter or year that a period lies in; `None` for what does not add up over periods.
fn name(calendar: &Calendar, accumulate: Accumulate, period: usize) -> Option<&str> {
    match accumulate {
        Accumulate::Quarter => Some(&calendar.periods[period].quarter),
        Accumulate::Year => Some(&calendar.periods[period].year),
        Accumulate::Transaction | Accumulate::Period => None,
    }
}

struct Calendars<'a> {
    calendar: &'a Calendar,
    plans: InForce<'a>,
}

impl Calendars<'_> {
    fn accumulate(&self, plan: &str, component: &str, period: usize) -> Option<Accumulate> {
        let last_day = self.calendar.periods[period].until.0 - 1;
        Some(self.plans.component(plan, component, last_day)?.accumulate)
    }

    /// First period and end of the span that a period lies in, by the version of the plan that holds on the last day of each: a version
    /// that adds up over another span ends this one.
    fn span(&self, plan: &str, component: &str, period: usize) -> Option<(usize, usize)> {
        let own = self.accumulate(plan, component, period)?;
        let wanted = name(self.calendar, own, period)?;
        let alike =
            |index: &usize| self.accumulate(plan, component, *index) == Some(own) && name(self.calendar, own, *index) == Some(wanted);
        let start = (0..period).rev().take_while(alike).last().unwrap_or(period);
        let end = (period..self.calendar.periods.len()).take_while(alike).last().unwrap_or(period) + 1;
        Some((start, end))
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
        let [prior, to_date, quotas, amounts] = ["prior", "to_date", "quota", "amount"].map(|name| numbers(&earnings, name));
        let mut spans = Spans::new();
        let mut results = Results::new();
        for row in 0..earnings.row_count() {
            let (Some(payee), Some(plan), Some(component), Some(EARNED)) =
                (payees.get(row), plans.get(row), components.get(row), kinds.get(row))
            else {
                continue;
            };
            let Some(period) = periods.get(row).and_then(|id| self.calendar.index_of(id)) else { continue };
            let span = *spans.entry((plan, component, period)).or_insert_with(|| self.span(plan, component, period));
            let Some((start, end)) = span else { continue };
            let key = (plan.to_owned(), component.to_owned(), payee.to_owned(), start, end);
            let own = results.entry(key).or_default().entry(period).or_default();
            own.prior = number(prior, row).unwrap_or(0);
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

/// How the balance at the end of a period came about.
#[derive(Debug, Clone, Copy)]
struct Balance {
    amount: i128,
    basis: Accruals,
    /// The result that is supposed at the end of the span, and the quota and attainment that it comes from.
    result: i64,
    quota: Option<i64>,
    attainment: Option<i64>,
    /// What the component will have paid by the end of the span.
    by_the_end: i128,
    /// Of the days of the span, those that are gone by.
    gone: i128,
    whole: i128,
}

type Balances<'a> = BTreeMap<(&'a Key, usize), Balance>;

/// Payee, period, plan, component, the amounts of a row, and its balance.
type Row<'a> = (&'a str, usize, &'a str, &'a str, [i64; 4], Option<&'a Balance>);

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
    let calendars = Calendars { calendar: &calendar, plans: InForce::new(&inputs.plans) };
    let results = calendars.results(outcome);
    let wanted: BTreeSet<&str> = inputs.periods.iter().flatten().map(|id| id.as_str()).collect();
    let settled = |period: usize| inputs.periods.is_none() || wanted.contains(calendar.periods[period].id.as_str());
    let expected = Expected::new(inputs);
    let step = Step::new(&settings.rounding);

    // Up to the end of the last year that has begun.
    let last = (0..calendar.periods.len()).rev().find(|period| settled(*period))?;
    let year = &calendar.periods[last].year;
    let end = (last..calendar.periods.len()).take_while(|index| calendar.periods[*index].year == *year).last()? + 1;
    let all = calendar.periods[..end].iter().map(|period| period.id.clone()).collect();
    let prepared = Prepared::new(Arc::new(inputs.clone()), extensions).with_periods(all);
    let mut findings = Vec::new();
    let mut balances = Balances::new();
    // As of the first period of every span at once, then of the second, and so on.
    for place in 0.. {
        let mut supposed = Supposed::new();
        let mut asked: Vec<(&Key, usize, Balance)> = Vec::new();
        let mut is_over = true;
        for (key, own) in &results {
            let (plan, component, payee, start, end) = key;
            let (period, end) = (start + place, *end);
            if period + 1 >= end {
                continue;
            }
            is_over = false;
            let Some(so_far) = own.get(&period).filter(|_| settled(period)) else { continue };
            let (first, begun) = own.iter().next().expect("a group has a result");
            let (gone, whole) = calendars.elapsed(*first, period, end);
            let day = i64::from(calendar.periods[period].until.0) - 1;
            let at_quota = so_far.quota.and_then(|quota| Some((quota, expected.on(payee, plan, day)?)));
            let total = match at_quota {
                Some((quota, attainment)) => divide(i128::from(quota) * i128::from(attainment), i128::from(ONE), RoundingMode::HalfEven),
                None => {
                    // What was there before the span begins does not go on.
                    let before = i128::from(begun.prior);
                    before + divide((i128::from(so_far.to_date) - before) * whole, gone, RoundingMode::HalfEven)
                }
            };
            let supposed_end = i64::try_from(total).unwrap_or(so_far.to_date);
            let mut before = so_far.to_date;
            let mut changes = Vec::new();
            for (later, result) in own.range(period + 1..) {
                changes.push((*later, before.saturating_sub(result.to_date)));
                before = result.to_date;
            }
            changes.push((end - 1, supposed_end.saturating_sub(so_far.to_date)));
            supposed.entry((plan.clone(), component.clone())).or_default().entry(payee.clone()).or_default().extend(changes);
            let balance = Balance {
                amount: 0,
                basis: if at_quota.is_some() { Accruals::Expected } else { Accruals::RunRate },
                result: supposed_end,
                quota: so_far.quota,
                attainment: at_quota.map(|(_, attainment)| attainment),
                by_the_end: 0,
                gone,
                whole,
            };
            asked.push((key, period, balance));
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
        for (key, period, balance) in asked {
            let (own, Balance { gone, whole, .. }) = (&results[key], balance);
            let sum = |all: &BTreeMap<usize, Reached>, until: usize| all.range(..until).map(|(_, own)| own.amount).sum::<i128>();
            let by_the_end = then.get(key).map_or(0, |all| sum(all, key.4));
            let steps = divide(by_the_end * gone, whole * i128::from(step.step), step.mode);
            let amount = steps * i128::from(step.step) - sum(own, period + 1);
            balances.insert((key, period), Balance { amount, by_the_end, ..balance });
        }
    }
    Some((table(&calendar, &results, &balances, &settled), findings))
}

fn table(calendar: &Calendar, results: &Results, balances: &Balances<'_>, settled: &dyn Fn(usize) -> bool) -> Table {
    let narrow = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (key, own) in results {
        let (plan, component, payee, ..) = key;
        let balance = |period: Option<usize>| period.and_then(|period| balances.get(&(key, period)));
        for (period, result) in own.iter().filter(|(period, _)| settled(**period)) {
            let amount = |balance: Option<&Balance>| balance.map_or(0, |own| own.amount);
            let (accrual, reversal) = (amount(balance(Some(*period))), -amount(balance(period.checked_sub(1))));
            let values = [result.amount, result.amount + accrual + reversal, accrual, reversal].map(narrow);
            if values != [0; 4] {
                rows.push((payee, *period, plan, component, values, balance(Some(*period))));
            }
        }
    }
    rows.sort_by_key(|row| (row.0, row.1, row.2, row.3));
    let text = |value: &dyn Fn(&Row<'_>) -> String| Column::text(&rows.iter().map(|row| Some(value(row))).collect::<Vec<_>>());
    let money = |place: usize| Column::money(rows.iter().map(|row| row.4[place]).collect());
    let known = |value: &dyn Fn(&Balance) -> Option<i64>| -> Vec<i64> {
        rows.iter().map(|row| row.5.and_then(value).unwrap_or(NULL_NUMBER)).collect()
    };
    let basis = |row: &Row<'_>| row.5.map(|own| if own.basis == Accruals::Expected { "expected" } else { "run-rate" });
    let elapsed = |own: &Balance| i64::try_from(divide(own.gone * i128::from(ONE), own.whole, RoundingMode::HalfEven)).ok();
    Table::new("accruals")
        .with("payee_id", text(&|row| row.0.to_owned()))
        .with("period_id", text(&|row| calendar.periods[row.1].id.0.clone()))
        .with("plan_id", text(&|row| row.2.to_owned()))
        .with("component_id", text(&|row| row.3.to_owned()))
        .with("earned", money(0))
        .with("expected", money(1))
        .with("accrual", money(2))
        .with("reversal", money(3))
        .with("basis", Column::text(&rows.iter().map(basis).collect::<Vec<_>>()))
        .with("result", Column::money(known(&|own| Some(own.result))))
        .with("quota", Column::money(known(&|own| own.quota)))
        .with("attainment", Column::rate(known(&|own| own.attainment)))
        .with("by_the_end", Column::money(known(&|own| i64::try_from(own.by_the_end).ok())))
        .with("elapsed", Column::rate(known(&elapsed)))
}
