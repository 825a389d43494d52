//! Who gets credit for a transaction.

use super::rows;
use crate::column::{TextBuilder, take_table};
use crate::{Column, Exact, NULL, Rounding, RoundingMode, Table, Text, TextColumn};

pub trait Crediting: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Gives credit for the transactions of one batch.
    fn credit(&mut self, batch: &CreditingBatch, credits: &mut Credits) -> Result<(), String>;
}

rows! {
    /// The transactions of a batch.
    Transactions, TransactionRow, "transactions";
    text {
        transaction_id = "transaction_id", kind = "kind", account_id = "account_id", territory_id = "territory_id",
        product_id = "product_id", family_id = "family_id", tag = "tag",
    }
    numbers {
        tested_on = "tested_on": 0, amount = "amount": 4, quantity = "quantity": 4, margin = "margin": 4, discount = "discount": 8,
        claims_from = "claims_from": 0, claims_until = "claims_until": 0,
    }
}

rows! {
    /// The claims of all transactions of a batch.
    Claims, Claim, "claims";
    text { role = "role", payee_id = "payee_id" }
    numbers { share = "share": 8 }
}

impl Claim<'_> {
    /// For comparing with [`CreditingBatch::role`] without looking at the text.
    #[inline]
    pub fn role_text(self) -> Option<Text> {
        self.columns.role.text(self.index)
    }

    #[inline]
    pub fn payee(self) -> Option<Text> {
        self.columns.payee_id.text(self.index)
    }
}

#[derive(Debug, Clone)]
pub struct CreditingBatch {
    pub transactions: Transactions,
    pub claims: Claims,
    /// For parts of an amount.
    pub rounding: Rounding,
}

impl CreditingBatch {
    pub fn read(mut input: Vec<Table>) -> Result<CreditingBatch, String> {
        let (transactions, _) = Transactions::read(take_table(&mut input, "transactions"))?;
        let (claims, _) = Claims::read(take_table(&mut input, "claims"))?;
        let rounding = rounding(&mut take_table(&mut input, "rounding"), 4)?.first().copied().unwrap_or(UNROUNDED);
        Ok(CreditingBatch { transactions, claims, rounding })
    }

    /// Each transaction with its claims.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Transaction<'_>> {
        self.transactions.iter().map(|row| Transaction { row, batch: self })
    }

    /// The role of that name; `None` when no claim of the batch has it.
    pub fn role(&self, name: &str) -> Option<Text> {
        self.claims.role.find(name)
    }
}

/// A transaction and its claims; everything that its row has, it has too.
#[derive(Debug, Clone, Copy)]
pub struct Transaction<'a> {
    row: TransactionRow<'a>,
    batch: &'a CreditingBatch,
}

impl<'a> std::ops::Deref for Transaction<'a> {
    type Target = TransactionRow<'a>;

    fn deref(&self) -> &TransactionRow<'a> {
        &self.row
    }
}

impl<'a> Transaction<'a> {
    /// In the order of the contract: coverage, then explicit splits, then the transaction's own payee.
    #[inline]
    pub fn claims(self) -> impl ExactSizeIterator<Item = Claim<'a>> + Clone {
        let len = self.batch.claims.len();
        let from = self.row.claims_from().map_or(0, |from| usize::try_from(from).unwrap_or(len)).min(len);
        let until = self.row.claims_until().map_or(0, |until| usize::try_from(until).unwrap_or(0)).clamp(from, len);
        (from..until).map(|index| self.batch.claims.row(index))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditKind {
    Direct,
    Split,
    Overlay,
}

/// The credits of a batch, in the order given.
#[derive(Debug)]
pub struct Credits {
    rows: Vec<i64>,
    payees: Vec<u32>,
    kinds: Vec<u32>,
    amounts: Vec<i64>,
    shares: Vec<i64>,
    rules: TextBuilder,
}

impl Credits {
    pub fn with_capacity(capacity: usize) -> Credits {
        Credits {
            rows: Vec::with_capacity(capacity),
            payees: Vec::with_capacity(capacity),
            kinds: Vec::with_capacity(capacity),
            amounts: Vec::with_capacity(capacity),
            shares: Vec::with_capacity(capacity),
            rules: TextBuilder::default(),
        }
    }

    /// The name of a rule, to be looked up once and not for each credit.
    pub fn rule(&mut self, name: &str) -> Text {
        self.rules.code(name)
    }

    /// Gives `amount` (10^-4) of the transaction at `row` to `payee`, a payee of its claims; `share` (10^-8) says what part of
    /// the transaction that stands for. `rule` is from [`Credits::rule`].
    #[inline]
    pub fn credit(&mut self, row: usize, payee: Text, kind: CreditKind, rule: Text, amount: i64, share: i64) {
        self.rows.push(row as i64);
        self.payees.push(payee.0);
        self.kinds.push(kind as u32);
        self.rules.push_code(rule);
        self.amounts.push(amount);
        self.shares.push(share);
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn finish(self, payees: Vec<String>) -> Table {
        let kinds = ["direct", "split", "overlay"].map(str::to_owned).to_vec();
        Table::new("credits")
            .with("row", Column::number(0, self.rows))
            .with("payee_id", Column::Text(TextColumn { dictionary: payees, codes: self.payees }))
            .with("kind", Column::Text(TextColumn { dictionary: kinds, codes: self.kinds }))
            .with("rule", Column::Text(self.rules.finish()))
            .with("amount", Column::number(4, self.amounts))
            .with("share", Column::number(8, self.shares))
    }
}

pub(crate) const UNROUNDED: Rounding = Rounding { mode: RoundingMode::HalfEven, step: Exact::ZERO };

/// The rows of a `rounding` table whose steps have `scale`.
pub(crate) fn rounding(table: &mut Table, scale: u8) -> Result<Vec<Rounding>, String> {
    let (modes, steps) = (table.take_texts("mode")?, table.take_numbers("step", scale)?);
    (0..modes.codes.len().max(steps.values.len()))
        .map(|row| {
            let mode = match modes.get(row) {
                Some(name) => RoundingMode::from_name(name).ok_or_else(|| format!("`{name}` is no rounding mode of this version"))?,
                None => RoundingMode::HalfEven,
            };
            let step = steps.get(row).unwrap_or(0);
            Ok(Rounding { mode, step: if scale == 4 { Exact::money(step) } else { Exact::rate(step) } })
        })
        .collect()
}

pub(crate) fn answer<T: Crediting>(extension: &mut T, input: Vec<Table>) -> Result<Vec<Table>, String> {
    let batch = CreditingBatch::read(input)?;
    let mut credits = Credits::with_capacity(batch.transactions.len() + batch.transactions.len() / 4);
    extension.credit(&batch, &mut credits)?;
    Ok(vec![credits.finish(batch.claims.payee_id.dictionary)])
}

/// A part of an amount: `amount` (10^-4) times `share` (10^-8), rounded as said. `None` when it does not fit.
#[inline]
pub fn part(amount: i64, share: i64, rounding: Rounding) -> Option<i64> {
    if amount == NULL || share == NULL {
        return None;
    }
    rounding.to_money(Exact::product(amount, share))
}
