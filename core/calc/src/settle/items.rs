//! When each part of an earning is due: the shares that the component names, and holds that defer them.

use crate::book::Book;
use crate::earn::{Earning, EarningKind};
use crate::hierarchy::days_of;
use crate::lookup::{ONE, Step};
use crate::measure::Measures;
use crate::names::{Names, number, numbers, texts};
use crate::{Inputs, Run};
use attain_domain::fixed::{divide, from_decimal_rounded, split};
use attain_domain::plan::Component;
use attain_domain::settlement::{Due, PayShare};
use attain_domain::{Day, NULL_CODE, NULL_NUMBER, RATE_SCALE};
use std::collections::{BTreeMap, BTreeSet};

/// A part of an item. `due` is the period in which it is paid; `None` where that is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub due: Option<u32>,
    pub amount: i64,
}

/// What one earning is made of: a transaction's part of it, or all of it.
#[derive(Debug, Clone)]
pub struct Item {
    /// `NULL_CODE` where no transaction stands behind it.
    pub transaction: u32,
    pub period: u32,
    pub origin: u32,
    pub plan: u32,
    pub component: u32,
    pub amount: i64,
    pub pieces: Vec<Piece>,
}

/// How a component pays.
pub struct Terms<'a> {
    pub component: &'a Component,
    pub step: Step,
    shares: Vec<i64>,
    /// Whether parts must be known by transaction.
    by_transaction: bool,
    measure: Option<usize>,
}

/// Payments of customers for one transaction: day and amount, ascending.
type Receipts = BTreeMap<u32, Vec<(i32, i64)>>;

/// A row of `holds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hold {
    from: i32,
    until: i32,
    payee: Option<u32>,
    transaction: Option<u32>,
    plan: Option<u32>,
    component: Option<u32>,
    share: Option<i64>,
}

/// What schedules depend on besides the earnings themselves.
pub struct Calendar<'a> {
    book: &'a Book,
    receipts: Receipts,
    holds: Vec<Hold>,
    held_transactions: BTreeSet<u32>,
    days: [Vec<i64>; 3],
    quarter_ends: Vec<u32>,
    year_ends: Vec<u32>,
}

/// Numbers of a transaction's column, in the order of the book.
pub fn gather(book: &Book, name: &str) -> Vec<i64> {
    let values = numbers(&book.transactions.source, name);
    let at = |row: usize| book.transactions.order.as_ref().map_or(row, |order| order[row] as usize);
    if values.is_empty() { Vec::new() } else { (0..book.transactions.len()).map(|row| values[at(row)]).collect() }
}

/// Transactions by id.
fn places<'a>(book: &'a Book, wanted: &BTreeSet<&str>) -> BTreeMap<&'a str, u32> {
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let rows = 0..book.transactions.len() as u32;
    rows.map(|row| (book.transactions.id(row), row)).filter(|(id, _)| wanted.contains(id)).collect()
}

impl<'a> Calendar<'a> {
    /// `windfalls` are held until somebody has decided about them.
    pub fn new(inputs: &Inputs, book: &'a Book, plans: &Names, components: &Names, windfalls: &BTreeSet<u32>) -> Calendar<'a> {
        let (receipts, holds) = (inputs.table("receipts"), inputs.table("holds"));
        let (receipt_ids, hold_ids) = (texts(receipts, "transaction_id"), texts(holds, "transaction_id"));
        let wanted: BTreeSet<&str> = receipt_ids.dictionary.iter().chain(&hold_ids.dictionary).map(String::as_str).collect();
        let places = places(book, &wanted);
        let mut paid: Receipts = BTreeMap::new();
        let (received_on, amounts) = (numbers(receipts, "received_on"), numbers(receipts, "amount"));
        for row in 0..receipts.row_count() {
            let place = receipt_ids.get(row).and_then(|id| places.get(id));
            if let (Some(place), Some(day), Some(amount)) = (place, number(received_on, row), number(amounts, row)) {
                paid.entry(*place).or_default().push((day as i32, amount));
            }
        }
        paid.values_mut().for_each(|list| list.sort_unstable());
        let (payees, plan_ids, component_ids) = (texts(holds, "payee_id"), texts(holds, "plan_id"), texts(holds, "component_id"));
        let (from_on, until_on, shares) = (numbers(holds, "from_on"), numbers(holds, "until_on"), numbers(holds, "share"));
        let mut list: Vec<Hold> = (0..holds.row_count())
            .filter_map(|row| {
                let (from, until) = days_of(from_on, until_on, row)?;
                Some(Hold {
                    from,
                    until,
                    payee: payees.get(row).map(|id| book.payees.code(id)),
                    transaction: hold_ids.get(row).map(|id| places.get(id).copied().unwrap_or(NULL_CODE)),
                    plan: plan_ids.get(row).map(|id| plans.code(id)),
                    component: component_ids.get(row).map(|id| components.code(id)),
                    share: number(shares, row),
                })
            })
            .collect();
        list.extend(windfalls.iter().map(|row| Hold {
            from: i32::MIN,
            until: i32::MAX,
            payee: None,
            transaction: Some(*row),
            plan: None,
            component: None,
            share: None,
        }));
        list.sort_unstable();
        let last_alike = |same: fn(&attain_domain::calendar::Period, &attain_domain::calendar::Period) -> bool| {
            let periods = &book.calendar.periods;
            let mut ends: Vec<u32> = (0..periods.len() as u32).collect();
            for at in (0..periods.len().saturating_sub(1)).rev() {
                if same(&periods[at], &periods[at + 1]) {
                    ends[at] = ends[at + 1];
                }
            }
            ends
        };
        Calendar {
            book,
            receipts: paid,
            held_transactions: list.iter().filter_map(|hold| hold.transaction).collect(),
            holds: list,
            days: ["booked_on", "invoiced_on", "paid_on"].map(|name| gather(book, name)),
            quarter_ends: last_alike(|left, right| left.quarter == right.quarter && left.year == right.year),
            year_ends: last_alike(|left, right| left.year == right.year),
        }
    }

    pub fn has_holds(&self) -> bool {
        !self.holds.is_empty()
    }

    pub fn terms<'b>(&self, component: &'b Component, measures: &Measures) -> Terms<'b> {
        let waits = |share: &PayShare| matches!(share.when, Due::Booked | Due::Invoiced | Due::Paid | Due::Received);
        Terms {
            component,
            step: Step::new(&component.rounding),
            shares: component.pay.iter().map(|share| from_decimal_rounded(share.share, RATE_SCALE).unwrap_or(0)).collect(),
            by_transaction: component.clawback.is_some() || component.pay.iter().any(waits) || !self.held_transactions.is_empty(),
            measure: measures.find(&component.measure),
        }
    }

    fn period_of(&self, day: i32) -> Option<u32> {
        let first = self.book.calendar.periods.first()?;
        // What happened before the calendar begins is due as soon as it is earned.
        if day < first.from.0 { Some(0) } else { self.book.calendar.find(Day(day)).map(|period| period as u32) }
    }

    fn day(&self, which: usize, transaction: u32) -> Option<i32> {
        number(&self.days[which], transaction as usize).map(|day| day as i32)
    }

    /// Splits an earning into items. What the components pays for a whole period is shared out over its transactions by what each
    /// counted there, where anything depends on single transactions.
    pub fn items(&self, run: &Run<'_>, row: &Earning, terms: Option<&Terms<'_>>) -> Vec<Item> {
        let due_amount = row.amount.saturating_sub(row.withheld);
        let item = |transaction: u32, amount: i64| Item {
            transaction,
            period: row.period,
            origin: row.origin,
            plan: row.plan,
            component: row.component,
            amount,
            pieces: vec![Piece { due: Some(row.period), amount }],
        };
        let Some(terms) = terms.filter(|_| row.kind == EarningKind::Formula) else { return vec![item(row.transaction, due_amount)] };
        if row.transaction != NULL_CODE || !terms.by_transaction {
            return vec![item(row.transaction, due_amount)];
        }
        let weights = self.weights(run, row, terms);
        if weights.is_empty() {
            return vec![item(NULL_CODE, due_amount)];
        }
        let values: Vec<i64> = weights.iter().map(|(_, value)| *value).collect();
        let parts = split(due_amount, &values, terms.step.step);
        weights.iter().zip(parts).map(|((transaction, _), amount)| item(*transaction, amount)).collect()
    }

    /// What each transaction of the row's period counted for the component's measure, in order of transaction; none where nothing
    /// counted above zero.
    pub fn weights(&self, run: &Run<'_>, row: &Earning, terms: &Terms<'_>) -> Vec<(u32, i64)> {
        let Some(measure) = terms.measure else { return Vec::new() };
        let (book, credits, meter) = (&run.book, &run.credits, &run.measures.meters[measure]);
        let mut sums: BTreeMap<u32, i64> = BTreeMap::new();
        let lines = credits.of_payee(row.payee as usize);
        for (base, level) in credits.lines[lines.clone()].iter().zip(&credits.levels[lines]) {
            let base = *base as usize;
            let transaction = credits.base.transaction[base];
            if u32::from(book.transactions.period[transaction as usize]) == row.period
                && let Some(value) = meter.value(book, credits, base, *level)
            {
                let sum = sums.entry(transaction).or_default();
                *sum = sum.saturating_add(value);
            }
        }
        sums.into_iter().filter(|(_, value)| *value > 0).collect()
    }

    /// Sets the pieces of an item: when the component pays, then what holds defer.
    pub fn schedule(&self, payee: u32, item: &mut Item, terms: Option<&Terms<'_>>) {
        if let Some(terms) = terms.filter(|terms| !terms.shares.is_empty()) {
            item.pieces = self.shares(item, terms);
        }
        if !self.holds.is_empty() {
            self.hold(payee, item, terms.map_or(Step { mode: attain_domain::RoundingMode::HalfEven, step: 1 }, |terms| terms.step));
        }
        item.pieces.retain(|piece| piece.amount != 0);
    }

    fn shares(&self, item: &Item, terms: &Terms<'_>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut left = item.amount;
        let last = terms.shares.len() - 1;
        for (place, (share, rate)) in terms.component.pay.iter().zip(&terms.shares).enumerate() {
            let part = if place == last { left } else { terms.step.scale(item.amount, *rate).unwrap_or(0) };
            left = left.saturating_sub(part);
            let count = i64::from(share.installments.max(1));
            let each = divide(i128::from(part), i128::from(count) * i128::from(terms.step.step), terms.step.mode) as i64 * terms.step.step;
            for installment in 0..count {
                let amount = if installment + 1 == count { part - each * (count - 1) } else { each };
                self.due(item, share, amount, installment as u32, terms, &mut pieces);
            }
        }
        pieces
    }

    /// Adds what of `amount` is due when.
    fn due(&self, item: &Item, share: &PayShare, amount: i64, installment: u32, terms: &Terms<'_>, pieces: &mut Vec<Piece>) {
        let later = |period: u32| {
            let due = period.max(item.period).saturating_add(share.after_periods).saturating_add(installment);
            Some(due).filter(|due| (*due as usize) < self.book.calendar.periods.len())
        };
        let on = |day: Option<i32>| day.and_then(|day| self.period_of(day)).and_then(later);
        let transaction = item.transaction;
        let known = transaction != NULL_CODE;
        let due = match share.when {
            Due::Earned => later(item.period),
            Due::QuarterEnd => later(self.quarter_ends[item.period as usize]),
            Due::YearEnd => later(self.year_ends[item.period as usize]),
            Due::Booked | Due::Invoiced | Due::Paid | Due::Received if !known => later(item.period),
            Due::Booked => on(self.day(0, transaction)),
            Due::Invoiced => on(self.day(1, transaction)),
            Due::Paid => on(self.receipts_of(transaction).into_iter().find(|(_, share)| *share >= ONE).map(|(day, _)| day)),
            Due::Received => {
                let mut given = 0i64;
                for (day, share) in self.receipts_of(transaction) {
                    let to_date = if share >= ONE { amount } else { terms.step.scale(amount, share).unwrap_or(0) };
                    pieces.push(Piece { due: on(Some(day)), amount: to_date - given });
                    given = to_date;
                }
                pieces.push(Piece { due: None, amount: amount - given });
                return;
            }
        };
        pieces.push(Piece { due, amount });
    }

    /// Days on which a customer paid and the share of the amount that was paid by then, at most 1. A transaction that is not above
    /// zero needs no payment.
    fn receipts_of(&self, transaction: u32) -> Vec<(i32, i64)> {
        let recorded = self.book.transactions.recorded[transaction as usize];
        let tested = self.book.transactions.tested_on[transaction as usize];
        if recorded == NULL_NUMBER || recorded <= 0 {
            return vec![(tested, ONE)];
        }
        let paid_on = self.day(2, transaction);
        let mut sum = 0i128;
        let mut shares = Vec::new();
        for (day, amount) in self.receipts.get(&transaction).map_or(&[][..], Vec::as_slice) {
            if paid_on.is_some_and(|paid| paid <= *day) {
                break;
            }
            sum += i128::from(*amount);
            let share =
                divide(sum.clamp(0, i128::from(recorded)) * i128::from(ONE), i128::from(recorded), attain_domain::RoundingMode::Down);
            shares.push((*day, share as i64));
        }
        if let Some(day) = paid_on {
            shares.push((day, ONE));
        }
        shares
    }

    fn hold(&self, payee: u32, item: &mut Item, step: Step) {
        let matching = |hold: &&Hold| {
            let fits = |wanted: Option<u32>, own: u32| wanted.is_none_or(|wanted| wanted == own && own != NULL_CODE);
            let named = hold.payee.is_some() || hold.transaction.is_some() || hold.plan.is_some() || hold.component.is_some();
            named
                && fits(hold.payee, payee)
                && fits(hold.transaction, item.transaction)
                && fits(hold.plan, item.plan)
                && fits(hold.component, item.component)
        };
        let holds: Vec<Hold> = self.holds.iter().filter(matching).copied().collect();
        // A hold may defer a piece into another hold's span; each defers a piece once.
        let mut open: Vec<(Piece, Vec<bool>)> = item.pieces.iter().map(|piece| (*piece, vec![false; holds.len()])).collect();
        let mut done = Vec::new();
        while let Some((piece, mut met)) = open.pop() {
            let Some(due) = piece.due else {
                done.push(piece);
                continue;
            };
            let period = &self.book.calendar.periods[due as usize];
            let covers = |hold: &Hold| hold.from < period.until.0 && hold.until >= period.until.0;
            let Some(at) = (0..holds.len()).find(|at| !met[*at] && covers(&holds[*at])) else {
                done.push(piece);
                continue;
            };
            met[at] = true;
            let hold = &holds[at];
            let deferred = hold.share.map_or(piece.amount, |share| step.scale(piece.amount, share).unwrap_or(piece.amount));
            let release = if hold.until == i32::MAX { None } else { self.period_of(hold.until).map(|period| period.max(due)) };
            open.push((Piece { due: Some(due), amount: piece.amount - deferred }, met.clone()));
            open.push((Piece { due: release, amount: deferred }, met));
        }
        done.sort_by_key(|piece| (piece.due.map_or(u32::MAX, |due| due), piece.amount));
        item.pieces = done;
    }
}
