//! What gates and other conditions of a row look at, and further measures of rows that are single credits.

use super::{Builder, Fact, Rows};
use crate::spans::spans;
use attain_domain::NULL_NUMBER;
use attain_domain::plan::Accumulate;
use std::collections::BTreeMap;

/// By input: its lines as day, line and what they come to up to and with it in its span.
pub(super) type Stacks = Vec<Option<BTreeMap<(usize, i32, usize), i64>>>;

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
                        let span = spans[period as usize];
                        let value = self.sum(of.measure, span.0, period as usize + 1);
                        let quota = if of.measure == super::NO_MEASURE {
                            None
                        } else {
                            let own = &self.run.book.calendar.periods[period as usize];
                            self.quota_of(of.measure, span, period as usize, (own.from.0, own.until.0), over == Accumulate::Period)
                        };
                        let fact = Fact { value, quota: quota.unwrap_or(NULL_NUMBER) };
                        known.insert(period, fact);
                        fact
                    }
                };
                rows.facts[place].push(fact);
            }
        }
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
                let is_assigned = self.assignments.iter().any(|assignment| assignment.from <= day && day < assignment.until);
                if let (Some(value), true) = (meter.value(book, credits, base, credits.levels[line]), is_assigned) {
                    lines.insert((self.spans[period].0, day, line), value);
                }
            }
            let (mut span, mut sum) = (usize::MAX, 0i64);
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
        period: usize,
        (day, line): (i32, usize),
        (base, level): (usize, u8),
        stacks: &Stacks,
    ) -> i64 {
        let measure = self.subject.inputs[place];
        let start = self.spans[period].0;
        if let Some(lines) = &stacks[place] {
            return lines.range((start, i32::MIN, 0)..=(start, day, line)).next_back().map_or(0, |(_, sum)| *sum);
        }
        let meter = &self.run.measures.meters[measure];
        if meter.is_of_own_credits() {
            return meter.value(&self.run.book, &self.run.credits, base, level).unwrap_or(0);
        }
        self.sum(measure, start, period + 1)
    }
}
