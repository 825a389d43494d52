//! The result `shares`: the states through which what a payee earns from a transaction goes, as a ledger to which is only ever added. A step
//! to the next state takes the amount out of the one before: ordered, booked, invoiced as the transaction does; beside that due, when
//! it is released, and settled, when the period that pays it is approved or closed.

use super::items::gather;
use crate::Run;
use crate::names::number;
use attain_domain::fixed::split;
use attain_domain::{Column, Day, NULL_CODE, NULL_NUMBER, Table};
use std::collections::BTreeMap;

const STATES: [&str; 5] = ["ordered", "booked", "invoiced", "due", "settled"];
const DUE: u8 = 3;
const SETTLED: u8 = 4;
const MOVES: [&str; 2] = ["enter", "leave"];
const ENTER: u8 = 0;
const LEAVE: u8 = 1;

/// Payee, plan, component and transaction; `NULL_CODE` where no single transaction stands behind it.
type Share = (u32, u32, u32, u32);

/// A share, its state, whether it enters or leaves it, and the day.
type Move = (Share, u8, u8, i32);

/// What was earned of each share, and what of it is released in which period.
#[derive(Debug, Default)]
pub struct Shares {
    wanted: bool,
    earned: BTreeMap<Share, i128>,
    due: BTreeMap<(Share, u32), i128>,
}

impl Shares {
    pub fn new(wanted: bool) -> Shares {
        Shares { wanted, ..Shares::default() }
    }

    pub fn wanted(&self) -> bool {
        self.wanted
    }

    pub fn earn(&mut self, share: Share, amount: i64) {
        if self.wanted {
            *self.earned.entry(share).or_default() += i128::from(amount);
        }
    }

    pub fn release(&mut self, share: Share, period: u32, amount: i128) {
        if self.wanted {
            *self.due.entry((share, period)).or_default() += amount;
        }
    }

    /// The same for what several transactions stand behind, by what each counted; `pieces` are the periods and amounts of its release.
    pub fn spread(&mut self, share: Share, weights: &[(u32, i64)], step: i64, earned: i64, pieces: &[(u32, i64)]) {
        let values: Vec<i64> = weights.iter().map(|(_, value)| *value).collect();
        for ((transaction, _), part) in weights.iter().zip(split(earned, &values, step)) {
            self.earn((share.0, share.1, share.2, *transaction), part);
        }
        // By what is released up to and with each piece, so that the parts of all pieces are the parts of the whole.
        let mut before = vec![0i64; weights.len()];
        let mut sum = 0i64;
        for (period, amount) in pieces {
            sum = sum.saturating_add(*amount);
            let parts = split(sum, &values, step);
            for (((transaction, _), part), before) in weights.iter().zip(parts).zip(&mut before) {
                self.release((share.0, share.1, share.2, *transaction), *period, i128::from(part) - i128::from(*before));
                *before = part;
            }
        }
    }

    /// The table; `frozen` and `settled` are by period.
    pub fn table(&self, run: &Run<'_>, frozen: &[bool], settled: &[bool]) -> Table {
        let book = &run.book;
        let days = ["ordered_on", "booked_on", "invoiced_on"].map(|name| gather(book, name));
        let mut ledger: BTreeMap<Move, i128> = BTreeMap::new();
        let mut add = |share: Share, state: u8, step: u8, day: i32, amount: i128| {
            let sign = if step == LEAVE { -1 } else { 1 };
            *ledger.entry((share, state, step, day)).or_default() += sign * amount;
        };
        for (share, amount) in self.earned.iter().filter(|(share, _)| share.3 != NULL_CODE) {
            let mut last = None;
            for (state, days) in (0u8..).zip(&days) {
                let Some(day) = number(days, share.3 as usize).and_then(|day| i32::try_from(day).ok()) else { continue };
                if let Some(last) = last {
                    add(*share, last, LEAVE, day, *amount);
                }
                add(*share, state, ENTER, day, *amount);
                last = Some(state);
            }
        }
        for ((share, period), amount) in &self.due {
            let period = *period as usize;
            if settled.get(period) != Some(&true) {
                continue;
            }
            let day = book.calendar.periods[period].until.0 - 1;
            add(*share, DUE, ENTER, day, *amount);
            if frozen[period] {
                add(*share, DUE, LEAVE, day, *amount);
                add(*share, SETTLED, ENTER, day, *amount);
            }
        }
        ledger.retain(|_, amount| *amount != 0);
        let rows: Vec<(&Move, i64)> = ledger.iter().map(|(key, amount)| (key, i64::try_from(*amount).unwrap_or(NULL_NUMBER))).collect();
        let text = |value: &dyn Fn(&Move) -> Option<String>| Column::text(&rows.iter().map(|(key, _)| value(key)).collect::<Vec<_>>());
        let named = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        let (plans, components) = (&run.earnings.plans, &run.earnings.components);
        Table::new("shares")
            .with("payee_id", text(&|key| named(book.payees.get(key.0.0))))
            .with("plan_id", text(&|key| named(plans.get(key.0.1))))
            .with("component_id", text(&|key| named(components.get(key.0.2))))
            .with("transaction_id", text(&|key| named(book.transactions.id(key.0.3))))
            .with("state", text(&|key| named(STATES[usize::from(key.1)])))
            .with("move", text(&|key| named(MOVES[usize::from(key.2)])))
            .with("happened_on", text(&|key| Some(Day(key.3).to_string())))
            .with("period_id", text(&|key| book.calendar.find(Day(key.3)).map(|period| book.calendar.periods[period].id.0.clone())))
            .with("amount", Column::money(rows.iter().map(|(_, amount)| *amount).collect()))
    }
}
