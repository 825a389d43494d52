//! Credit that no rule gives: of named payees of the house, and by hand from `manual_credits`.
//!
//! Credits by hand of one transaction count together or not at all: with what the rules give they come to the transaction, unless
//! over-allocation is allowed. Rounding leaves nothing over: what is given and what is taken away are each divided by largest
//! remainder.

use crate::book::{Book, NO_PERIOD};
use crate::credits::Base;
use crate::findings::Findings;
use crate::house;
use crate::lookup::{ONE, Step};
use crate::names::{number, numbers, texts};
use attain_domain::fixed;
use attain_domain::plan::CreditKind;
use attain_domain::settings::Settings;
use attain_domain::{NULL_CODE, Severity, Table};
use std::collections::BTreeMap;

/// A credit by hand may be at most this many times the transaction.
const SHARE_MAX: i64 = 10 * ONE;

/// One row of `manual_credits` with its names resolved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Given {
    transaction: u32,
    /// Decides between equals.
    credit_id: String,
    payee: u32,
    kind: CreditKind,
    replaces: bool,
    share: i64,
    label: String,
}

/// What there is beside the credits of rules.
#[derive(Debug, Default)]
pub struct ByHand {
    given: Vec<Given>,
    /// Payee by entry of `crediting.house`; `NULL_CODE` for nobody.
    houses: Vec<u32>,
}

impl ByHand {
    pub fn new(settings: &Settings, table: &Table, book: &Book, findings: &mut Findings) -> ByHand {
        let houses = settings.crediting.house.iter().map(|house| book.payees.code_of(house.payee.as_deref())).collect();
        if table.row_count() == 0 {
            return ByHand { given: Vec::new(), houses };
        }
        let (ids, payees, kinds) = (texts(table, "transaction_id"), texts(table, "payee_id"), texts(table, "kind"));
        let (credit_ids, modes, reasons) = (texts(table, "credit_id"), texts(table, "mode"), texts(table, "reason"));
        let shares = numbers(table, "share");
        let found = crate::resolve::rows_of(ids, &book.transactions);
        let mut given = Vec::with_capacity(table.row_count());
        for row in 0..table.row_count() {
            let transaction = ids.codes.get(row).and_then(|code| found.get(*code as usize)).copied().unwrap_or(NULL_CODE);
            let payee = book.payees.code_of(payees.get(row));
            let kind = kinds.get(row).and_then(CreditKind::from_name).filter(|kind| *kind != CreditKind::Rollup);
            // Whoever looks at a part of the transactions has credits of others too.
            let (Some(kind), false) = (kind, transaction == NULL_CODE || payee == NULL_CODE) else { continue };
            let credit_id = credit_ids.get(row).unwrap_or_default();
            if book.transactions.period[transaction as usize] == NO_PERIOD {
                let message = "its transaction is set aside, so that it credits nobody; correct the transaction first";
                findings.add(Severity::Warning, "manual-without-transaction", "manual_credits", credit_id, message);
                continue;
            }
            let share = number(shares, row).unwrap_or(0);
            if share.unsigned_abs() > SHARE_MAX.unsigned_abs() {
                let message = "its share is more than ten times the transaction; correct it";
                findings.add(Severity::Warning, "manual-share", "manual_credits", credit_id, message);
                continue;
            }
            given.push(Given {
                transaction,
                credit_id: credit_id.to_owned(),
                payee,
                kind,
                replaces: modes.get(row) == Some("replace"),
                share,
                label: format!("manual:{}", reasons.get(row).unwrap_or_default()),
            });
        }
        given.sort_unstable();
        ByHand { given, houses }
    }

    /// The labels that its credits have.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        let house = self.houses.iter().any(|payee| *payee != NULL_CODE).then_some(house::LABEL);
        self.given.iter().map(|own| own.label.as_str()).chain(house)
    }

    /// The credits of rules with these among them; `labels` are the codes of all labels.
    pub fn merge(&self, book: &Book, settings: &Settings, base: Base, labels: &BTreeMap<String, u16>, findings: &mut Findings) -> Base {
        let house_label = labels.get(house::LABEL).copied().unwrap_or_default();
        let of_house = |row: usize| {
            let payee = book.house(row).and_then(|entry| self.houses.get(entry)).copied().unwrap_or(NULL_CODE);
            (payee != NULL_CODE).then_some(payee)
        };
        if self.given.is_empty() && self.houses.iter().all(|payee| *payee == NULL_CODE) {
            return base;
        }
        let mut merged = Base::default();
        merged.reserve(base.len() + self.given.len());
        let mut desk =
            Desk { book, allow: settings.crediting.allow_over_allocation, step: Step::new(&settings.rounding), lines: Vec::new() };
        let (mut next, mut next_given) = (0, 0);
        for row in 0..book.transactions.len() {
            desk.lines.clear();
            while base.transaction.get(next) == Some(&(row as u32)) {
                desk.lines.push(Line {
                    payee: base.payee[next],
                    kind: base.kind[next],
                    rule: base.rule[next],
                    amount: base.amount[next],
                    share: base.share[next],
                });
                next += 1;
            }
            if let Some(payee) = of_house(row) {
                let amount = book.transactions.amount[row];
                desk.lines.push(Line { payee, kind: CreditKind::Direct, rule: house_label, amount, share: ONE });
            }
            let first = next_given;
            while self.given.get(next_given).is_some_and(|own| own.transaction as usize == row) {
                next_given += 1;
            }
            if first < next_given {
                desk.add(row, &self.given[first..next_given], labels, findings);
            }
            for line in &desk.lines {
                merged.push(row as u32, line.payee, line.kind, line.rule, line.amount, line.share);
            }
        }
        merged
    }
}

#[derive(Debug, Clone, Copy)]
struct Line {
    payee: u32,
    kind: CreditKind,
    rule: u16,
    amount: i64,
    share: i64,
}

/// The credits of one transaction at a time.
struct Desk<'a> {
    book: &'a Book,
    allow: bool,
    step: Step,
    lines: Vec<Line>,
}

impl Desk<'_> {
    fn add(&mut self, row: usize, given: &[Given], labels: &BTreeMap<String, u16>, findings: &mut Findings) {
        let amount = self.book.transactions.amount[row];
        let replaces = given.iter().any(|own| own.replaces);
        let stays = |line: &&Line| !replaces || !divides(line.kind);
        let by_rule: i128 = self.lines.iter().filter(stays).filter(|line| divides(line.kind)).map(|line| i128::from(line.amount)).sum();
        let dividing: Vec<&Given> = given.iter().filter(|own| divides(own.kind)).collect();
        let shares: Vec<i64> = dividing.iter().map(|own| own.share).collect();
        let parts = parts(amount, &shares, self.step);
        let beside: Option<Vec<(&Given, i64)>> =
            given.iter().filter(|own| !divides(own.kind)).map(|own| Some((own, self.step.scale(amount, own.share)?))).collect();
        let refuse = |message: String, findings: &mut Findings| {
            findings.add(Severity::Warning, "manual-not-100", "transactions", self.book.transactions.id(row as u32), message);
        };
        let (Some(parts), Some(beside)) = (parts, beside) else {
            return refuse("its credits by hand do not fit an amount and were left out; correct their shares".to_owned(), findings);
        };
        let total = by_rule + parts.iter().map(|part| i128::from(*part)).sum::<i128>();
        let is_divided = !dividing.is_empty() || by_rule != 0;
        if is_divided && total != i128::from(amount) && !self.allow {
            let shown = i64::try_from(total).map_or_else(|_| "too much".to_owned(), |total| fixed::format(total, fixed::MONEY_SCALE));
            let message = format!(
                "with its credits by hand direct and split credit would come to {shown}, its amount is {}; they were left out: correct \
                 their shares, or allow over-allocation",
                fixed::format(amount, fixed::MONEY_SCALE)
            );
            return refuse(message, findings);
        }
        self.lines.retain(|line| stays(&line));
        for (own, amount) in dividing.into_iter().zip(parts).chain(beside) {
            let rule = labels.get(&own.label).copied().unwrap_or_default();
            self.lines.push(Line { payee: own.payee, kind: own.kind, rule, amount, share: own.share });
        }
        // Rules before hands, hands by id.
        self.lines.sort_by_key(|line| (line.payee, line.kind));
    }
}

/// Whether credit of this kind is a part of the transaction, not something beside it.
fn divides(kind: CreditKind) -> bool {
    matches!(kind, CreditKind::Direct | CreditKind::Split)
}

/// `amount` by shares, of which some may be negative: the parts sum to `amount × Σ shares`, rounded once. `None` where one does
/// not fit.
pub(crate) fn parts(amount: i64, shares: &[i64], step: Step) -> Option<Vec<i64>> {
    let total: i64 = i64::try_from(shares.iter().map(|share| i128::from(*share)).sum::<i128>()).ok()?;
    let taken: i64 = i64::try_from(shares.iter().filter(|share| **share < 0).map(|share| -i128::from(*share)).sum::<i128>()).ok()?;
    let whole = |share: i64| match share {
        0 => Some(0),
        ONE => Some(amount),
        share => step.scale(amount, share),
    };
    let taken_amount = if taken == 0 { 0 } else { step.scale(amount, taken)? };
    let given_amount = whole(total)?.checked_add(taken_amount)?;
    let mut parts = among(given_amount, shares.iter().map(|share| share.max(&0)), step);
    let taken = among(taken_amount, shares.iter().map(|share| share.min(&0)), step);
    for (part, taken) in parts.iter_mut().zip(taken) {
        *part = part.checked_sub(taken)?;
    }
    Some(parts)
}

/// `total` by the sizes of shares; whoever has none gets nothing.
fn among<'a>(total: i64, shares: impl Iterator<Item = &'a i64>, step: Step) -> Vec<i64> {
    let shares: Vec<i64> = shares.map(|share| share.saturating_abs()).collect();
    let places: Vec<usize> = (0..shares.len()).filter(|place| shares[*place] != 0).collect();
    let weights: Vec<i64> = places.iter().map(|place| shares[*place]).collect();
    let mut parts = vec![0; shares.len()];
    for (place, part) in places.into_iter().zip(fixed::split(total, &weights, step.step)) {
        parts[place] = part;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::RoundingMode;
    use proptest::prelude::*;

    const CENT: Step = Step { mode: RoundingMode::HalfEven, step: 100 };

    #[test]
    fn what_one_loses_the_others_get_to_the_cent() {
        assert_eq!(parts(1_000_000, &[-33_333_333, 16_666_667, 16_666_666], CENT), Some(vec![-333_300, 166_700, 166_600]));
        assert_eq!(parts(100, &[50_000_000, 50_000_000], CENT), Some(vec![100, 0]));
        assert_eq!(parts(100, &[-20_000_000], CENT), Some(vec![0]));
        assert_eq!(parts(100_000, &[0, 0], CENT), Some(vec![0, 0]));
    }

    proptest! {
        #[test]
        fn parts_sum_to_their_share_of_the_amount(
            amount in -10_000_000_000i64..10_000_000_000,
            shares in proptest::collection::vec(-200_000_000i64..200_000_000, 1..20),
            step in prop::sample::select(vec![1i64, 10, 100, 10_000]),
        ) {
            let step = Step { mode: RoundingMode::HalfEven, step };
            let total: i64 = shares.iter().sum();
            let parts = parts(amount, &shares, step).expect("fits");
            let expected = match total { 0 => 0, ONE => amount, total => step.scale(amount, total).expect("fits") };
            prop_assert_eq!(parts.iter().sum::<i64>(), expected);
        }
    }
}
