//! What makes a quota or a target smaller: the days on which a payee is assigned, ramps and leaves, day by day.

use crate::book::Book;
use crate::hierarchy::days_of;
use crate::lookup::ONE;
use crate::names::{number, numbers, texts};
use crate::spans::{Assignment, days_within};
use crate::{Inputs, terms::Part};
use attain_domain::fixed::{divide, from_decimal_rounded};
use attain_domain::plan::Proration;
use attain_domain::terms::{Ramp, RampBy, RampFrom};
use attain_domain::{Day, RATE_SCALE, RoundingMode};
use std::collections::BTreeMap;

/// Days away, with the shares of quota and target that they do not need.
#[derive(Debug, Clone, Copy)]
struct Leave {
    from: i32,
    until: i32,
    quota: i64,
    target: i64,
}

/// By payee.
#[derive(Debug, Default)]
pub struct Leaves(BTreeMap<u32, Vec<Leave>>);

impl Leaves {
    pub fn new(inputs: &Inputs, book: &Book) -> Leaves {
        let table = inputs.table("leaves");
        let payees = texts(table, "payee_id");
        let (from_on, until_on) = (numbers(table, "from_on"), numbers(table, "until_on"));
        let (quota, target) = (numbers(table, "quota_relief"), numbers(table, "target_relief"));
        let mut leaves: BTreeMap<u32, Vec<Leave>> = BTreeMap::new();
        for row in 0..table.row_count() {
            let Some((from, until)) = days_of(from_on, until_on, row) else { continue };
            let leave = Leave { from, until, quota: number(quota, row).unwrap_or(ONE), target: number(target, row).unwrap_or(0) };
            leaves.entry(book.payees.code_of(payees.get(row))).or_default().push(leave);
        }
        Leaves(leaves)
    }
}

/// Which of the two is made smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Quota,
    Target,
}

/// What applies to one payee under one part of a component.
pub struct Relief<'a> {
    leaves: &'a [Leave],
    ramp: Option<&'a Ramp>,
    /// First days of the steps of the ramp and their factors, in 10⁻⁸; the last is 1.
    steps: Vec<(i32, i64)>,
}

impl<'a> Relief<'a> {
    pub fn new(leaves: &'a Leaves, part: &'a Part, payee: u32, assignments: &[Assignment], book: &Book) -> Relief<'a> {
        let leaves = leaves.0.get(&payee).map_or(&[][..], Vec::as_slice);
        let steps = part.ramp.as_ref().zip(assignments.first()).map(|(ramp, first)| steps(ramp, first, book)).unwrap_or_default();
        Relief { leaves, ramp: part.ramp.as_ref(), steps }
    }

    fn is_nothing(&self, what: What, from: i32, until: i32) -> bool {
        let ramps = self.ramp.is_some_and(|ramp| if what == What::Quota { ramp.of.quota() } else { ramp.of.target() });
        let steps = ramps && self.steps.last().is_some_and(|last| from < last.0);
        !steps && !self.leaves.iter().any(|leave| leave.from < until && from < leave.until)
    }

    /// What is left on a day, in 10⁻¹⁶.
    fn left(&self, what: What, day: i32) -> i128 {
        let ramps = self.ramp.is_some_and(|ramp| if what == What::Quota { ramp.of.quota() } else { ramp.of.target() });
        let factor = self.steps.iter().rfind(|(from, _)| *from <= day).or(self.steps.first()).filter(|_| ramps);
        let away = self.leaves.iter().find(|leave| leave.from <= day && day < leave.until);
        let relief = away.map_or(0, |leave| if what == What::Quota { leave.quota } else { leave.target });
        i128::from(factor.map_or(ONE, |(_, factor)| *factor)) * i128::from(ONE - relief)
    }

    /// `amount` of a whole period from `period.0` up to `period.1`, for the days from `from` up to `until` within it.
    pub fn share(
        &self,
        amount: i64,
        what: What,
        proration: Proration,
        assignments: &[Assignment],
        days: (i32, i32),
        period: (i32, i32),
    ) -> i128 {
        let all = i128::from((period.1 - period.0).max(1));
        let none = self.is_nothing(what, period.0, period.1);
        match proration {
            Proration::None if none => i128::from(amount),
            Proration::CalendarDays if none => {
                let days = i128::from(days_within(assignments, days.0, days.1)).min(all);
                divide(i128::from(amount) * days, all, RoundingMode::HalfEven)
            }
            _ => {
                let counts = |day: i32| proration == Proration::None || assignments.iter().any(|own| own.from <= day && day < own.until);
                let span = if proration == Proration::None { period } else { days };
                let left: i128 = (span.0..span.1).filter(|day| counts(*day)).map(|day| self.left(what, day)).sum();
                let one = i128::from(ONE) * i128::from(ONE);
                divide(i128::from(amount) * left, all * one, RoundingMode::HalfEven)
            }
        }
    }
}

fn steps(ramp: &Ramp, first: &Assignment, book: &Book) -> Vec<(i32, i64)> {
    let start = match ramp.from {
        RampFrom::Assignment => first.since,
        RampFrom::Hire => first.hired_on.unwrap_or(first.since),
    };
    let periods = &book.calendar.periods;
    // Periods before the calendar are not known: there a step is a month.
    let by = if periods.first().is_none_or(|period| start < period.from.0) { RampBy::Months } else { ramp.by };
    let starts: Vec<i32> = match by {
        RampBy::Months => (0..=ramp.factors.len()).map(|step| Day(start).plus_months(step as i32).0).collect(),
        RampBy::Periods | RampBy::FullPeriods => {
            let at = periods.partition_point(|period| period.until.0 <= start);
            let is_whole = periods.get(at).is_some_and(|period| period.from.0 == start);
            let first = if by == RampBy::FullPeriods && !is_whole { at + 1 } else { at };
            let end = periods.last().map_or(i32::MAX, |period| period.until.0);
            (0..=ramp.factors.len()).map(|step| periods.get(first + step).map_or(end, |period| period.from.0)).collect()
        }
    };
    let factors = ramp.factors.iter().map(|factor| from_decimal_rounded(*factor, RATE_SCALE).unwrap_or(ONE)).chain([ONE]);
    starts.into_iter().zip(factors).collect()
}
