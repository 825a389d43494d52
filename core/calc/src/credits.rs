//! Credits as compact columns: base credits in order of transaction, and payee-major lines that point at them. A rolled-up
//! line is a base credit seen from `level` managers above, so five levels cost five bytes a line.

use crate::book::{Book, Transactions};
use crate::hierarchy::Chains;
use crate::lookup::{ONE, Step};
use crate::names::{Names, Picker, View, ViewColumn};
use attain_domain::plan::CreditKind;
use attain_domain::{Column, MONEY_SCALE, NULL_CODE, RATE_SCALE, Table, TextColumn};

/// Rows of a chunk of a result.
pub const CHUNK_ROWS: usize = 65_536;

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

    pub(crate) fn of_payee(&self, payee: usize) -> std::ops::Range<usize> {
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
    pub(crate) fn chunk<'a>(
        &'a self,
        book: &'a Book,
        range: std::ops::Range<usize>,
        form: TransactionForm,
        scratch: &mut Scratch,
    ) -> View<'a> {
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
        let transaction = match form {
            TransactionForm::Id => ("transaction_id", scratch.transactions.view(&book.transactions, &transactions)),
            TransactionForm::Row => {
                (TRANSACTION_ROW, ViewColumn::Number { scale: 0, values: transactions.iter().map(|row| i64::from(*row)).collect() })
            }
        };
        let columns = vec![
            ("payee_id", payee),
            transaction,
            ("kind", kind),
            ("rule", rule),
            ("origin_payee_id", origin),
            ("period_id", period),
            ("amount", ViewColumn::Number { scale: MONEY_SCALE, values: each().map(|(line, level)| self.amount(line, level)).collect() }),
            ("share", ViewColumn::Number { scale: RATE_SCALE, values: each().map(|(line, level)| self.share(line, level)).collect() }),
        ];
        View { name: "credits", columns }
    }
}

/// The column that stands for `transaction_id` in stored credits.
pub const TRANSACTION_ROW: &str = "transaction_row";

/// How a credit names its transaction. Millions of lines repeat a text that the pinned transactions hold already, so what is
/// stored has the row, counted in the order of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionForm {
    Id,
    Row,
}

/// Stored credits with the ids of their transactions in place of rows. `transactions` is the pinned input.
pub fn with_transaction_ids(credits: &Table, transactions: &Table) -> Table {
    let mut named = credits.clone();
    let (Some(place), Some(ids)) =
        (credits.columns.iter().position(|(name, _)| name == TRANSACTION_ROW), transactions.texts("transaction_id"))
    else {
        return named;
    };
    let ascending = TextColumn { dictionary: ids.dictionary.clone(), codes: ids.codes.clone() }.canonical();
    let mut codes = ascending.codes;
    codes.sort_unstable();
    let Column::Number { values: rows, .. } = &credits.columns[place].1 else { return named };
    let codes = rows.iter().map(|row| usize::try_from(*row).ok().and_then(|row| codes.get(row).copied()).unwrap_or(NULL_CODE)).collect();
    let text = TextColumn { dictionary: ascending.dictionary, codes }.canonical();
    named.columns[place] = ("transaction_id".to_owned(), Column::Text(text));
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
