//! What is taken back when a transaction is reversed: only what was paid of it, by the component's own rule.

use crate::book::Book;
use crate::lookup::{ONE, Step};
use crate::names::texts;
use crate::settle::items::{Item, Piece, Terms};
use attain_domain::fixed::{divide, from_decimal_rounded};
use attain_domain::settlement::{AgeFrom, AgeUnit, Clawback, ClawbackMethod, Unpaid};
use attain_domain::{Day, NULL_CODE, NULL_NUMBER, RATE_SCALE};
use std::collections::{BTreeMap, BTreeSet};

/// One, as a share of an original whose amounts are too wide for one division.
const SHARE: i128 = 1_000_000_000_000;

/// A transaction that reverses another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    period: u32,
    day: i32,
    transaction: u32,
    /// How much of the original it reverses.
    amount: i128,
    of: i128,
}

/// All reversals by the transaction that they reverse, each list in order of time.
#[derive(Debug, Default)]
pub struct Events {
    by_original: BTreeMap<u32, Vec<Event>>,
}

/// What an event does to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The transaction that reverses.
    pub transaction: u32,
    pub period: u32,
    /// Paid of the item before, and the rate that is taken back of it.
    pub paid: i64,
    pub rate: i64,
    /// Negative where it gives back.
    pub clawed: i64,
    /// Not paid yet, and never will be; negative where it will be after all.
    pub lapsed: i64,
}

impl Events {
    pub fn new(book: &Book) -> Events {
        let reverses = texts(&book.transactions.source, "reverses_id");
        if reverses.dictionary.is_empty() {
            return Events::default();
        }
        let wanted: BTreeSet<&str> = reverses.dictionary.iter().map(String::as_str).collect();
        let originals: BTreeMap<&str, u32> =
            (0..book.transactions.len() as u32).map(|row| (book.transactions.id(row), row)).filter(|(id, _)| wanted.contains(id)).collect();
        let mut by_original: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
        for row in 0..book.transactions.len() {
            let source_row = book.transactions.order.as_ref().map_or(row, |order| order[row] as usize);
            let Some(original) = reverses.get(source_row).and_then(|id| originals.get(id)) else { continue };
            let period = book.transactions.period[row];
            if period == crate::book::NO_PERIOD {
                continue;
            }
            let (own, whole) = (book.transactions.recorded[row], book.transactions.recorded[*original as usize]);
            let partial = own != NULL_NUMBER && own != 0 && whole != NULL_NUMBER && whole != 0;
            let (amount, of) = if partial { (i128::from(own).abs().min(i128::from(whole).abs()), i128::from(whole).abs()) } else { (1, 1) };
            by_original.entry(*original).or_default().push(Event {
                period: u32::from(period),
                day: book.transactions.tested_on[row],
                transaction: row as u32,
                amount,
                of,
            });
        }
        by_original.values_mut().for_each(|list| list.sort_unstable());
        Events { by_original }
    }

    /// Takes back from an item what its component says, event by event. The pieces that are left are those that will be paid.
    pub fn apply(&self, book: &Book, item: &mut Item, terms: &Terms<'_>) -> Vec<Taken> {
        let Some(rule) = &terms.component.clawback else { return Vec::new() };
        let Some(events) = self.by_original.get(&item.transaction) else { return Vec::new() };
        let mut all = Vec::new();
        let mut clawed = 0i64;
        let mut set_aside: Vec<Piece> = Vec::new();
        for event in events {
            let kind = book.transactions.kinds.get(u32::from(book.transactions.kind[event.transaction as usize]));
            if !rule.kinds.iter().any(|own| own == kind) {
                continue;
            }
            let tag = book.transactions.tag.get(event.transaction as usize);
            let tagged = |tags: &[String]| tag != NULL_CODE && tags.iter().any(|own| own == book.tags.get(tag));
            let paid_before: i64 =
                item.pieces.iter().filter(|piece| piece.due.is_some_and(|due| due < event.period)).map(|own| own.amount).sum();
            let paid = paid_before.saturating_sub(clawed).max(0);
            if tagged(&rule.revive) {
                // What never fell due while it lay aside falls due now.
                let back: i64 = set_aside.iter().map(|piece| piece.amount).sum();
                item.pieces.extend(set_aside.drain(..).map(|piece| Piece { due: piece.due.map(|due| due.max(event.period)), ..piece }));
                if clawed != 0 || back != 0 {
                    all.push(Taken {
                        transaction: event.transaction,
                        period: event.period,
                        paid,
                        rate: ONE,
                        clawed: -clawed,
                        lapsed: -back,
                    });
                }
                clawed = 0;
                continue;
            }
            let (rate, of) = self.rate(book, rule, item, event, &tagged);
            let taken = portion(paid, rate, of, event, terms.step).min(paid);
            let mut lapsed = 0i64;
            if rule.unpaid == Unpaid::Lapse {
                for piece in &mut item.pieces {
                    if piece.due.is_none_or(|due| due >= event.period) {
                        let part = portion(piece.amount, 1, 1, event, terms.step);
                        piece.amount -= part;
                        lapsed += part;
                        set_aside.push(Piece { due: piece.due, amount: part });
                    }
                }
                item.pieces.retain(|piece| piece.amount != 0);
            }
            clawed += taken;
            if taken != 0 || lapsed != 0 {
                let shown = divide(rate * i128::from(ONE), of, attain_domain::RoundingMode::HalfEven) as i64;
                all.push(Taken { transaction: event.transaction, period: event.period, paid, rate: shown, clawed: taken, lapsed });
            }
        }
        all
    }

    /// The share that is taken back, as a fraction.
    fn rate(&self, book: &Book, rule: &Clawback, item: &Item, event: &Event, tagged: &dyn Fn(&[String]) -> bool) -> (i128, i128) {
        let from = match rule.from {
            AgeFrom::Sale => Some(book.transactions.tested_on[item.transaction as usize]),
            AgeFrom::Payout => {
                let first = item.pieces.iter().filter_map(|piece| piece.due).min();
                first.map(|period| book.calendar.periods[period as usize].until.0 - 1)
            }
        };
        let Some(from) = from else { return (0, 1) };
        let age = match rule.unit {
            AgeUnit::Days => event.day - from,
            AgeUnit::Months => months(from, event.day),
        }
        .max(0) as u32;
        let scaled = |rate| (i128::from(from_decimal_rounded(rate, RATE_SCALE).unwrap_or(0)), i128::from(ONE));
        match rule.method {
            ClawbackMethod::Full => rule.rate.map_or((1, 1), scaled),
            ClawbackMethod::Bands => {
                let mut bands: Vec<_> = rule.bands.iter().filter(|band| band.tags.is_empty() || tagged(&band.tags)).collect();
                bands.sort_by_key(|band| band.until);
                bands.into_iter().find(|band| age <= band.until).map_or((0, 1), |band| scaled(band.rate))
            }
            ClawbackMethod::ProRata if age <= rule.full_until => (1, 1),
            ClawbackMethod::ProRata if age >= rule.until => (0, 1),
            ClawbackMethod::ProRata => (i128::from(rule.until - age), i128::from(rule.until - rule.full_until)),
        }
    }
}

/// Whole months from one day to another.
fn months(from: i32, until: i32) -> i32 {
    let mut months = 0;
    while Day(from).plus_months(months + 1).0 <= until && months < 12_000 {
        months += 1;
    }
    months
}

/// `amount × rate ÷ of`, of the event's share of the original; rounded once.
fn portion(amount: i64, rate: i128, of: i128, event: &Event, step: Step) -> i64 {
    let (amount, unit) = (i128::from(amount), i128::from(step.step));
    let exact = amount
        .checked_mul(rate)
        .and_then(|own| own.checked_mul(event.amount))
        .zip(of.checked_mul(event.of).and_then(|own| own.checked_mul(unit)));
    let steps = match exact {
        Some((numerator, denominator)) => divide(numerator, denominator, step.mode),
        // Too wide for one division: the share of the original first, to twelve digits.
        None => {
            let share = divide(event.amount * SHARE, event.of, step.mode);
            divide(amount * rate * share, of * SHARE * unit, step.mode)
        }
    };
    i64::try_from(steps * unit).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::RoundingMode;

    #[test]
    fn the_largest_amounts_are_taken_back_in_their_proportion() {
        let step = Step { mode: RoundingMode::HalfEven, step: 100 };
        let event = |amount, of| Event { period: 0, day: 0, transaction: 0, amount, of };
        let half = i128::from(ONE) / 2;
        assert_eq!(portion(1_000_000, half, i128::from(ONE), &event(1, 4), step), 125_000);
        let (paid, whole) = (80_000_000_000_000_000, 9_000_000_000_000_000_000);
        assert_eq!(portion(paid, half, i128::from(ONE), &event(whole / 4, whole), step), paid / 8);
        assert_eq!(portion(paid, i128::from(ONE), i128::from(ONE), &event(whole, whole), step), paid);
    }
}
