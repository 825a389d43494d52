//! Over which periods results and caps accumulate, and when payees are assigned to plans.

use crate::Inputs;
use crate::book::Book;
use crate::hierarchy::days_of;
use crate::names::{number, numbers, texts};
use attain_domain::plan::Accumulate;
use std::collections::BTreeMap;

/// For each period the first period and the end of its span. Periods of a quarter or a year follow each other.
pub fn spans(book: &Book, accumulate: Accumulate) -> Vec<(usize, usize)> {
    let periods = &book.calendar.periods;
    let same = |left: usize, right: usize| match accumulate {
        Accumulate::Transaction | Accumulate::Period => left == right,
        Accumulate::Quarter => periods[left].quarter == periods[right].quarter,
        Accumulate::Year => periods[left].year == periods[right].year,
    };
    let mut spans = Vec::with_capacity(periods.len());
    let mut start = 0;
    while start < periods.len() {
        let mut end = start + 1;
        while end < periods.len() && same(start, end) {
            end += 1;
        }
        spans.extend((start..end).map(|_| (start, end)));
        start = end;
    }
    spans
}

/// One assignment of a payee to a plan, or a part of it with a target of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    pub from: i32,
    pub until: i32,
    pub target: Option<i64>,
    /// The first of the days on end on which the payee is on the plan.
    pub since: i32,
    pub hired_on: Option<i32>,
    /// After leaving, only transactions count that were booked before this day.
    pub booked_before: Option<i32>,
}

impl Assignment {
    /// Whether a transaction of its days counts: after leaving, only one that was booked before.
    pub fn counts(&self, book: &Book, transaction: usize) -> bool {
        let Some(left) = self.booked_before else { return true };
        let own = &book.transactions;
        let row = own.order.as_ref().map_or(transaction, |order| order[transaction] as usize);
        let day = |name: &str| number(numbers(&own.source, name), row);
        day("booked_on").or_else(|| day("ordered_on")).is_some_and(|day| day < i64::from(left))
    }
}

/// The days of a period on which one of the assignments holds. Assignments of a payee to a plan do not overlap.
pub fn assigned_days(assignments: &[Assignment], book: &Book, period: usize) -> i32 {
    let period = &book.calendar.periods[period];
    days_within(assignments, period.from.0, period.until.0).min(period.days())
}

/// The days from `from` up to `until` on which one of the assignments holds.
pub fn days_within(assignments: &[Assignment], from: i32, until: i32) -> i32 {
    assignments.iter().map(|own| (own.until.min(until) - own.from.max(from)).max(0)).sum()
}

/// The last day of the period on which one of the assignments holds, and that assignment.
pub fn last_assigned(assignments: &[Assignment], book: &Book, period: usize) -> Option<(i32, Assignment)> {
    let period = &book.calendar.periods[period];
    last_within(assignments, period.from.0, period.until.0)
}

/// The last of the days from `from` up to `until` on which one of the assignments holds, and that assignment.
pub fn last_within(assignments: &[Assignment], from: i32, until: i32) -> Option<(i32, Assignment)> {
    let last = assignments.iter().rfind(|assignment| assignment.from < until && assignment.until > from)?;
    Some((last.until.min(until) - 1, *last))
}

/// Payee parameters of a plan by payee and name: days and values.
pub type PlanParameters = BTreeMap<(u32, String), Vec<(i32, i32, i64)>>;

/// By plan.
pub type Parameters = BTreeMap<String, PlanParameters>;

pub fn parameters(inputs: &Inputs, book: &Book) -> Parameters {
    let table = inputs.table("parameters");
    let (payee_ids, plan_ids, names) = (texts(table, "payee_id"), texts(table, "plan_id"), texts(table, "name"));
    let (from_on, until_on, values) = (numbers(table, "from_on"), numbers(table, "until_on"), numbers(table, "value"));
    let mut all = Parameters::new();
    for row in 0..table.row_count() {
        let (Some(plan), Some(name), Some((from, until)), Some(value)) =
            (plan_ids.get(row), names.get(row), days_of(from_on, until_on, row), number(values, row))
        else {
            continue;
        };
        let key = (book.payees.code_of(payee_ids.get(row)), name.to_owned());
        all.entry(plan.to_owned()).or_default().entry(key).or_default().push((from, until, value));
    }
    for list in all.values_mut().flat_map(BTreeMap::values_mut) {
        list.sort_unstable();
    }
    all
}
