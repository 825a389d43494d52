//! What gates and other conditions of a row look at, and further measures of rows that are single credits.

use super::{Builder, Fact, Reach, Rows};
use crate::spans::spans;
use attain_domain::NULL_NUMBER;
use attain_domain::plan::Accumulate;
use std::collections::BTreeMap;

/// By input: its lines as the first day that counts with them, day, line and what they come to up to and with it in its span.
pub(super) type Stacks = Vec<Option<BTreeMap<(i32, i32, usize), i64>>>;

impl Builder<'_, '_> {
    /// The facts of the rows from `first` on, which are this payee's.
    pub(super) fn add_facts(&mut self, rows: &mut Rows, first: usize) {
        rows.facts.resize(self.subject.facts.len(), Vec::new());
        for place in 0..self.subject.facts.len() {
            let of = self.subject.facts[place];
            let over = if of.over == Accumulate::Transaction { Accumulate::Period } else { of.over };
            let spans = spans(&self.run.book, over);
            let mut known: BTreeMap<u32, Fact> = BTreeMap::new();
            for row in first..rows.len() {
                let period = rows.period[row];
                let fact = match known.get(&period) {
                    Some(fact) => *fact,
                    None => {
                        let reach = self.reach_over(over, &spans, period as usize);
                        let value = self.sum(of.measure, &reach);
                        let days = (reach.from, reach.until);
                        let quota = |measure| self.quota_of(measure, over, spans[period as usize], period as usize, days);
                        let quota = Some(of.measure).filter(|measure| *measure != super::NO_MEASURE).and_then(quota);
                        let fact = Fact { value, quota: quota.unwrap_or(NULL_NUMBER) };
                        known.insert(period, fact);
                        fact
                    }
                };
                rows.facts[place].push(fact);
            }
        }
    }

    /// The days that a fact of a period is about: all of the period, even where it is cut, and what of its span counts.
    fn reach_over(&self, over: Accumulate, spans: &[(usize, usize)], period: usize) -> Reach {
        let periods = &self.run.book.calendar.periods;
        let (start, until) = (periods[spans[period].0].from.0, periods[period].until.0);
        let since = match over {
            Accumulate::Period | Accumulate::Transaction => None,
            Accumulate::Quarter | Accumulate::Year => self.subject.part.since.filter(|since| start < *since && *since < until),
        };
        Reach { from: since.unwrap_or(start), until, since: since.unwrap_or(i32::MIN) }
    }

    /// For rows that are stacked: of each input that adds up credits, the running sums of its lines.
    pub(super) fn stacks(&self) -> Stacks {
        let (book, credits) = (&self.run.book, &self.run.credits);
        let of_input = |measure: &usize| {
            let meter = &self.run.measures.meters[*measure];
            if !self.subject.component.stacked || !meter.is_of_own_credits() {
                return None;
            }
            let mut lines = BTreeMap::new();
            for line in credits.of_payee(self.payee as usize) {
                let base = credits.lines[line] as usize;
                let transaction = credits.base.transaction[base] as usize;
                let (day, period) = (book.transactions.tested_on[transaction], usize::from(book.transactions.period[transaction]));
                let assignment = self.assignments.iter().find(|assignment| assignment.from <= day && day < assignment.until);
                let is_assigned = assignment.is_some_and(|own| own.counts(book, transaction));
                let whole = &book.calendar.periods[period];
                let own = self.stay.slice_on(self.subject.place, whole, day);
                let start = self.reach(period, own.map_or(whole.from.0, |own| own.0), whole.until.0).from;
                if let (Some(value), true) = (meter.value(book, credits, base, credits.levels[line]), is_assigned && start <= day) {
                    lines.insert((start, day, line), value);
                }
            }
            let (mut span, mut sum) = (i32::MIN, 0i64);
            for ((own, _, _), value) in &mut lines {
                if *own != span {
                    (span, sum) = (*own, 0);
                }
                sum = sum.saturating_add(*value);
                *value = sum;
            }
            Some(lines)
        };
        self.subject.inputs.iter().map(of_input).collect()
    }

    /// An input of a row that is one credit: what it comes to in that credit, or stacked up to and with it. A measure that has no
    /// credits of its own is that of the span.
    pub(super) fn input_of_credit(
        &mut self,
        place: usize,
        reach: &Reach,
        (day, line): (i32, usize),
        (base, level): (usize, u8),
        stacks: &Stacks,
    ) -> i64 {
        let measure = self.subject.inputs[place];
        if let Some(lines) = &stacks[place] {
            return lines.range((reach.from, i32::MIN, 0)..=(reach.from, day, line)).next_back().map_or(0, |(_, sum)| *sum);
        }
        let meter = &self.run.measures.meters[measure];
        if meter.is_of_own_credits() {
            return meter.value(&self.run.book, &self.run.credits, base, level).unwrap_or(0);
        }
        self.sum(measure, reach)
    }
}
