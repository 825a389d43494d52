//! Caps: what the sum of a span may not exceed. The sum is capped, not each result, so that a later reversal below the
//! cap is not taken twice.

use crate::book::Book;
use crate::lookup::Step;
use crate::spans::spans;
use attain_domain::fixed::from_decimal_rounded;
use attain_domain::plan::{Accumulate, Cap, CapOf};
use attain_domain::{MONEY_SCALE, NULL_NUMBER, RATE_SCALE};

/// A cap with the spans of its calendar.
pub struct Limit<'a> {
    cap: &'a Cap,
    step: Step,
    spans: Vec<(usize, usize)>,
}

/// What a payee had before and after the cap in the span so far.
#[derive(Debug, Default)]
pub struct Running {
    span: Option<usize>,
    wanted: i128,
    given: i128,
    /// Held back by a refundable cap, over all spans.
    withheld: i128,
}

impl<'a> Limit<'a> {
    pub fn new(cap: &'a Cap, step: Step, book: &Book) -> Limit<'a> {
        Limit { cap, step, spans: spans(book, cap.per) }
    }

    /// The limit where `quota`, `target` and `credited` stand; `None` where the cap has nothing to be a share of.
    pub fn amount(&self, quota: i64, target: i64, credited: i64) -> Option<i64> {
        let basis = match self.cap.of {
            Some(CapOf::Target) => target,
            Some(CapOf::Credited) => credited,
            Some(CapOf::Quota) | None => quota,
        };
        let fixed = self.cap.amount.and_then(|amount| from_decimal_rounded(amount, MONEY_SCALE));
        let share = match self.cap.rate.and_then(|rate| from_decimal_rounded(rate, RATE_SCALE)) {
            Some(rate) if basis != NULL_NUMBER => self.step.scale(basis, rate),
            _ => None,
        };
        match (fixed, share) {
            (Some(fixed), Some(share)) => Some(fixed.min(share)),
            (fixed, share) => fixed.or(share),
        }
    }

    pub fn is_per_transaction(&self) -> bool {
        self.cap.per == Accumulate::Transaction
    }

    /// What is given of `wanted` in `period`; every result is a span of its own where the cap is per transaction.
    pub fn apply(&self, running: &mut Running, period: usize, wanted: i64, limit: Option<i64>) -> i64 {
        let start = self.spans[period].0;
        if self.is_per_transaction() || running.span != Some(start) {
            *running = Running { span: Some(start), wanted: 0, given: 0, withheld: running.withheld };
        }
        running.wanted += i128::from(wanted);
        let is_return = self.cap.of == Some(CapOf::Credited) && limit.is_some_and(|limit| limit < 0);
        let bounded = |limit: i64| if is_return { running.wanted.max(i128::from(limit)) } else { running.wanted.min(i128::from(limit)) };
        let allowed = limit.map_or(running.wanted, bounded);
        let given = allowed - running.given;
        running.given = allowed;
        i64::try_from(given).unwrap_or(wanted)
    }
    pub fn is_refundable(&self) -> bool {
        self.cap.refundable
    }

    /// What is given in `period` of what is earned now and what was held back before; the rest stays held back.
    pub fn refund(&self, running: &mut Running, period: usize, wanted: i64, limit: Option<i64>) -> i64 {
        let start = self.spans[period].0;
        if self.is_per_transaction() || running.span != Some(start) {
            *running = Running { span: Some(start), wanted: 0, given: 0, withheld: running.withheld };
        }
        let all = running.withheld + i128::from(wanted);
        let given = limit.map_or(all, |limit| all.min(i128::from(limit) - running.given));
        running.given += given;
        running.withheld = all - given;
        i64::try_from(given).unwrap_or(wanted)
    }
}
