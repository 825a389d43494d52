//! Credits as compact columns: base credits in order of transaction, and payee-major lines that point at them. A rolled-up
//! line is a base credit seen from `level` managers above, so five levels cost five bytes a line.

use crate::book::{Book, Transactions};
use crate::hierarchy::Chains;
use crate::lookup::{ONE, Step};
use crate::names::{Names, Picker, View, ViewColumn};
use attain_domain::plan::CreditKind;
use attain_domain::{Column, MONEY_SCALE, NULL_NUMBER, RATE_SCALE, Table, cut};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;

/// What crediting extensions gave, in order of transaction, payee and kind.
#[derive(Debug, Default)]
pub struct Base {
    pub transaction: Vec<u32>,
    pub payee: Vec<u32>,
    pub kind: Vec<CreditKind>,
    pub rule: Vec<u16>,
    pub amount: Vec<i64>,
    pub share: Vec<i64>,
}

impl Base {
    pub fn len(&self) -> usize {
        self.transaction.len()
    }

    pub fn reserve(&mut self, count: usize) {
        self.transaction.reserve(count);
        self.payee.reserve(count);
        self.kind.reserve(count);
        self.rule.reserve(count);
        self.amount.reserve(count);
        self.share.reserve(count);
    }

    pub fn push(&mut self, transaction: u32, payee: u32, kind: CreditKind, rule: u16, amount: i64, share: i64) {
        self.transaction.push(transaction);
        self.payee.push(payee);
        self.kind.push(kind);
        self.rule.push(rule);
        self.amount.push(amount);
        self.share.push(share);
    }

    pub fn append(&mut self, mut other: Base) {
        self.transaction.append(&mut other.transaction);
        self.payee.append(&mut other.payee);
        self.kind.append(&mut other.kind);
        self.rule.append(&mut other.rule);
        self.amount.append(&mut other.amount);
        self.share.append(&mut other.share);
    }
}

/// What a level leaves to the level above; nothing is taken where credit rolls up gross.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// One less the rate that each level keeps.
    pub left: i64,
    pub step: Step,
}

/// All credit lines of a run.
#[derive(Debug, Default)]
pub struct Credits {
    pub(crate) base: Base,
    /// Labels of rules; ascending.
    pub(crate) rules: Names,
    /// The lines of payee `p` are `starts[p]..starts[p + 1]`, in order of base credit.
    pub(crate) starts: Vec<usize>,
    /// Of each line its base credit.
    pub(crate) lines: Vec<u32>,
    /// Of each line how many managers it has passed; 0 is the base credit itself.
    pub(crate) levels: Vec<u8>,
    pub(crate) difference: Option<Difference>,
    pub(crate) chains: Chains,
    /// Of each base credit the number of the chain that it rolls up; `NO_CHAIN` where it does not.
    pub(crate) chain: Vec<u32>,
    /// Whether lines that the chains would give are left out, so that only lines can be added up.
    pub(crate) uneven: bool,
    /// Rows of the transactions that are windfalls nobody has decided about, ascending.
    pub(crate) windfall: Vec<u32>,
}

/// The number of no chain.
pub(crate) const NO_CHAIN: u32 = u32::MAX;

impl Credits {
    /// The number of credit lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn of_payee(&self, payee: usize) -> Range<usize> {
        match (self.starts.get(payee), self.starts.get(payee + 1)) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..0,
        }
    }

    pub(crate) fn kind(&self, base: usize, level: u8) -> CreditKind {
        if level == 0 { self.base.kind[base] } else { CreditKind::Rollup }
    }

    pub(crate) fn amount(&self, base: usize, level: u8) -> i64 {
        match &self.difference {
            Some(difference) if level > 0 => (0..level).fold(self.base.amount[base], |amount, _| {
                difference.step.scale(amount, difference.left).expect("a part of an amount that fits, fits")
            }),
            _ => self.base.amount[base],
        }
    }

    pub(crate) fn share(&self, base: usize, level: u8) -> i64 {
        match &self.difference {
            Some(difference) if level > 0 => {
                let exact = Step { mode: difference.step.mode, step: 1 };
                (0..level)
                    .fold(self.base.share[base], |share, _| exact.scale(share, difference.left).expect("a part of a share that fits, fits"))
            }
            _ => self.base.share[base],
        }
    }

    /// Some lines as rows of the result `credits`.
    pub(crate) fn chunk<'a>(&'a self, book: &'a Book, range: Range<usize>, form: TransactionForm<'a>, scratch: &mut Scratch) -> View<'a> {
        let (first, end) = (range.start, range.end);
        let lines = &self.lines[first..end];
        let levels = &self.levels[first..end];
        let mut payees = Vec::with_capacity(lines.len());
        let mut payee = self.starts.partition_point(|start| *start <= first).saturating_sub(1);
        for line in first..end {
            while self.starts[payee + 1] <= line {
                payee += 1;
            }
            payees.push(payee as u32);
        }
        let base = &self.base;
        let each = || lines.iter().zip(levels).map(|(line, level)| (*line as usize, *level));
        let transactions: Vec<u32> = lines.iter().map(|line| base.transaction[*line as usize]).collect();
        let picker = &mut scratch.picker;
        let mut payee_column =
            |codes: &mut dyn Iterator<Item = u32>| picker.view(book.payees.len(), |code| book.payees.0[code].as_str(), codes);
        let payee = payee_column(&mut payees.iter().copied());
        let origin = payee_column(&mut lines.iter().map(|line| base.payee[*line as usize]));
        let kinds = each().map(|(line, level)| self.kind(line, level) as u32);
        let kind = picker.view(CreditKind::ALL.len(), |code| CreditKind::ALL[code].name(), kinds);
        let rules = lines.iter().map(|line| u32::from(base.rule[*line as usize]));
        let rule = picker.view(self.rules.len(), |code| self.rules.0[code].as_str(), rules);
        let periods = transactions.iter().map(|row| u32::from(book.transactions.period[*row as usize]));
        let period = picker.view(book.calendar.periods.len(), |code| book.calendar.periods[code].id.as_str(), periods);
        let mut columns = vec![("payee_id", payee)];
        match form {
            TransactionForm::Whole => columns.push(("transaction_id", scratch.transactions.view(&book.transactions, &transactions))),
            TransactionForm::Parts(ids) => {
                let stems = transactions.iter().map(|row| ids.stem[*row as usize]);
                columns.push((STEM, picker.view(ids.stems.len(), |code| ids.stems.0[code].as_str(), stems)));
                let numbers = transactions.iter().map(|row| ids.number[*row as usize]).collect();
                columns.push((NUMBER, ViewColumn::Number { scale: 0, values: numbers }));
            }
        }
        columns.extend([
            ("kind", kind),
            ("rule", rule),
            ("origin_payee_id", origin),
            ("period_id", period),
            ("amount", ViewColumn::Number { scale: MONEY_SCALE, values: each().map(|(line, level)| self.amount(line, level)).collect() }),
            ("share", ViewColumn::Number { scale: RATE_SCALE, values: each().map(|(line, level)| self.share(line, level)).collect() }),
        ]);
        View { name: "credits", columns }
    }

    /// The lines of each stored chunk; where [`cut::of_table`] would cut the whole.
    pub(crate) fn cuts(&self, book: &Book, ids: &SplitIds) -> Vec<Range<usize>> {
        let payees: Vec<u64> = book.payees.0.iter().map(|payee| cut::of_text(0, payee)).collect();
        // Lines are asked for in their order.
        let payee = Cell::new(0);
        cut::pieces(self.len(), |line| {
            while self.starts[payee.get() + 1] <= line {
                payee.set(payee.get() + 1);
            }
            let transaction = self.base.transaction[self.lines[line] as usize] as usize;
            cut::ends(payees[payee.get()].wrapping_add(ids.mark[transaction]))
        })
    }

    /// Appends all that a base credit is made of, each text with its length before it.
    pub(crate) fn tell_base(&self, book: &Book, index: usize, bytes: &mut Vec<u8>) {
        let base = &self.base;
        let transaction = base.transaction[index];
        let period = usize::from(book.transactions.period[transaction as usize]);
        let texts = [
            book.transactions.id(transaction),
            book.payees.get(base.payee[index]),
            self.rules.get(u32::from(base.rule[index])),
            book.calendar.periods.get(period).map_or("", |period| period.id.as_str()),
        ];
        for text in texts {
            bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.push(base.kind[index] as u8);
        bytes.extend_from_slice(&base.amount[index].to_le_bytes());
        bytes.extend_from_slice(&base.share[index].to_le_bytes());
    }

    /// What a line is made of besides its payee, its base credit and its level.
    pub(crate) fn tell_rollup(&self) -> String {
        self.difference.map_or_else(String::new, |taken| format!("{} {:?} {}", taken.left, taken.step.mode, taken.step.step))
    }

    /// Lines of one payee after the other: who it is, and of each line its base credit and its level.
    pub(crate) fn by_payee<'a>(&'a self, book: &'a Book, range: Range<usize>) -> impl Iterator<Item = (&'a str, &'a [u32], &'a [u8])> {
        let mut payee = self.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        let mut line = range.start;
        std::iter::from_fn(move || {
            if line >= range.end {
                return None;
            }
            while self.starts[payee + 1] <= line {
                payee += 1;
            }
            let lines = line..self.starts[payee + 1].min(range.end);
            line = lines.end;
            Some((book.payees.get(payee as u32), &self.lines[lines.clone()], &self.levels[lines]))
        })
    }
}

/// The columns that stand for `transaction_id` in stored credits.
const STEM: &str = "transaction_stem";
const NUMBER: &str = "transaction_number";

/// How a credit names its transaction. Millions of lines repeat an id, and most ids end in a number: what is stored has that number as
/// one, and what stands before it as a text of which there are few.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TransactionForm<'a> {
    Whole,
    Parts(&'a SplitIds),
}

/// The ids of all transactions in two parts.
#[derive(Debug, Default)]
pub(crate) struct SplitIds {
    stems: Names,
    stem: Vec<u32>,
    number: Vec<i64>,
    /// What both add to the sum of a row, see [`cut`].
    mark: Vec<u64>,
}

/// Digits that a number may have.
const DIGITS_MAX: usize = 18;

/// Where the number begins that an id ends in; its end where it ends in none.
fn number_from(id: &str) -> usize {
    let digits = id.bytes().rev().take(DIGITS_MAX).take_while(u8::is_ascii_digit).count();
    id.len() - digits
}

/// The digits of the number, a colon, and what stands before it.
fn stem(id: &str) -> String {
    let from = number_from(id);
    if from == id.len() { format!(":{id}") } else { format!("{}:{}", id.len() - from, &id[..from]) }
}

/// The id of a stem and a number; `None` where they are none.
fn whole(stem: &str, number: i64) -> Option<String> {
    let (digits, before) = stem.split_once(':')?;
    if digits.is_empty() {
        return Some(before.to_owned());
    }
    let width: usize = digits.parse().ok().filter(|width| *width <= DIGITS_MAX)?;
    (number >= 0).then(|| format!("{before}{number:0width$}"))
}

impl SplitIds {
    pub fn new(transactions: &Transactions) -> SplitIds {
        let count = transactions.len();
        let mut split = SplitIds { stem: Vec::with_capacity(count), number: Vec::with_capacity(count), ..SplitIds::default() };
        // In order of ids, so that the stem is nearly always that of the row before.
        let mut known: BTreeMap<String, u32> = BTreeMap::new();
        let mut last: Option<(&str, usize, u32)> = None;
        for row in 0..count as u32 {
            let id = transactions.id(row);
            let from = number_from(id);
            let code = match last {
                Some((before, digits, code)) if digits > 0 && before == &id[..from] && digits == id.len() - from => code,
                _ => {
                    let next = known.len() as u32;
                    *known.entry(stem(id)).or_insert(next)
                }
            };
            last = Some((&id[..from], id.len() - from, code));
            split.stem.push(code);
            split.number.push(id[from..].parse().unwrap_or(NULL_NUMBER));
        }
        let mut place = vec![0; known.len()];
        for (sorted, code) in known.values().enumerate() {
            place[*code as usize] = sorted as u32;
        }
        split.stems = Names(known.into_keys().collect());
        let marks: Vec<u64> = split.stems.0.iter().map(|stem| cut::of_text(1, stem)).collect();
        for code in &mut split.stem {
            *code = place[*code as usize];
        }
        let mark = |(stem, number): (&u32, &i64)| marks[*stem as usize].wrapping_add(cut::of_number(2, *number));
        split.mark = split.stem.iter().zip(&split.number).map(mark).collect();
        split
    }
}

/// Stored credits with the ids of their transactions as one column.
pub fn with_transaction_ids(credits: &Table) -> Table {
    let mut named = credits.clone();
    let place = |name: &str| credits.columns.iter().position(|(own, _)| own == name);
    let (Some(stem_at), Some(number_at), Some(stems), Some(numbers)) =
        (place(STEM), place(NUMBER), credits.texts(STEM), credits.numbers(NUMBER))
    else {
        return named;
    };
    let ids: Vec<Option<String>> = numbers.iter().enumerate().map(|(row, number)| whole(stems.get(row)?, *number)).collect();
    named.columns[stem_at] = ("transaction_id".to_owned(), Column::text(&ids));
    named.columns.remove(number_at);
    named
}

/// Buffers that building chunks one after another reuses.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub picker: Picker,
    pub transactions: TransactionPicker,
}

/// Builds columns of transaction ids from rows: a bit per transaction finds the used ones in ascending order without sorting.
#[derive(Debug, Default)]
pub(crate) struct TransactionPicker {
    bits: Vec<u64>,
    ranks: Vec<u32>,
}

impl TransactionPicker {
    pub fn pick(&mut self, transactions: &Transactions, rows: &[u32]) -> Column {
        self.view(transactions, rows).into_column()
    }

    /// The same without copying any text.
    pub fn view<'a>(&mut self, transactions: &'a Transactions, rows: &[u32]) -> ViewColumn<'a> {
        self.bits.clear();
        self.bits.resize(transactions.len().div_ceil(64), 0);
        for row in rows {
            if let Some(word) = self.bits.get_mut(*row as usize / 64) {
                *word |= 1 << (row % 64);
            }
        }
        self.ranks.clear();
        let mut dictionary = Vec::new();
        for (index, word) in self.bits.iter().enumerate() {
            self.ranks.push(dictionary.len() as u32);
            let mut rest = *word;
            while rest != 0 {
                dictionary.push(transactions.id(index as u32 * 64 + rest.trailing_zeros()));
                rest &= rest - 1;
            }
        }
        let code = |row: u32| match self.bits.get(row as usize / 64) {
            Some(word) => self.ranks[row as usize / 64] + (word & ((1u64 << (row % 64)) - 1)).count_ones(),
            None => attain_domain::NULL_CODE,
        };
        ViewColumn::Text { dictionary, codes: rows.iter().map(|row| code(*row)).collect() }
    }
}

/// Whether `rate` is a rate that a difference can be taken at.
pub(crate) fn difference(rate: i64, step: Step) -> Option<Difference> {
    (0..=ONE).contains(&rate).then_some(Difference { left: ONE - rate, step })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_whole_from_its_parts() {
        for id in [
            "",
            "7",
            "007",
            "T0000042",
            "INV-2026-000123",
            "a:b",
            "12:34",
            ":",
            "9f2c-x",
            "é9",
            "1234567890123456789012",
            "x18446744073709551616",
        ] {
            let from = number_from(id);
            assert_eq!(whole(&stem(id), id[from..].parse().unwrap_or(NULL_NUMBER)).as_deref(), Some(id));
        }
        assert_eq!(whole("no colon", 7), None);
        assert_eq!(whole("3:x", NULL_NUMBER), None);
    }
}
