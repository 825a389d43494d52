//! What one component pays.

use super::crediting::{UNROUNDED, rounding};
use super::rows;
use crate::column::{TextBuilder, take_table};
use crate::{Column, Exact, NULL, NumberColumn, Rounding, RoundingMode, Table, Text};

pub trait Compensation: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Pays each row of one batch once.
    fn pay(&mut self, batch: &CompensationBatch, earnings: &mut Earnings) -> Result<(), String>;
}

rows! {
    /// What stands against each row.
    Rows, Row, "rows";
    text { payee_id = "payee_id", period_id = "period_id", transaction_id = "transaction_id" }
    numbers {
        credited = "credited": 4, prior = "prior": 4, to_date = "to_date": 4, quota = "quota": 4, attainment = "attainment": 8,
        target = "target": 4,
    }
}

#[derive(Debug, Clone)]
pub struct CompensationBatch {
    pub rows: Rows,
    inputs: Vec<(String, NumberColumn)>,
    params: Vec<(String, NumberColumn)>,
    rounding: Vec<Rounding>,
}

impl CompensationBatch {
    pub fn read(mut input: Vec<Table>) -> Result<CompensationBatch, String> {
        let (rows, mut rest) = Rows::read(take_table(&mut input, "rows"))?;
        let rounding = rounding(&mut take_table(&mut input, "rounding"), 8)?;
        Ok(CompensationBatch { rows, inputs: rest.take_prefixed("inputs."), params: rest.take_prefixed("params."), rounding })
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> + Clone {
        self.rows.iter()
    }

    /// The values of `inputs.<name>` (10^-4); look it up once and not for each row.
    pub fn input(&self, name: &str) -> Option<&NumberColumn> {
        self.inputs.iter().find(|(own, _)| own == name).map(|(_, column)| column)
    }

    /// The values of `params.<name>` (10^-8); look it up once and not for each row.
    pub fn param(&self, name: &str) -> Option<&NumberColumn> {
        self.params.iter().find(|(own, _)| own == name).map(|(_, column)| column)
    }

    /// The rounding of a row: its own, or the one declared for all.
    pub fn rounding(&self, row: usize) -> Rounding {
        let index = if self.rounding.len() > 1 { row } else { 0 };
        self.rounding.get(index).copied().unwrap_or(UNROUNDED)
    }
}

/// The earnings of a batch and the slices that explain them.
#[derive(Debug)]
pub struct Earnings {
    rounding: Vec<Rounding>,
    rows: Vec<i64>,
    amounts: Vec<i64>,
    slice_rows: Vec<i64>,
    labels: TextBuilder,
    inputs: Vec<i64>,
    rates: Vec<i64>,
    slice_amounts: Vec<i64>,
}

impl Earnings {
    pub fn for_batch(batch: &CompensationBatch) -> Earnings {
        let capacity = batch.rows.len();
        Earnings {
            rounding: batch.rounding.clone(),
            rows: Vec::with_capacity(capacity),
            amounts: Vec::with_capacity(capacity),
            slice_rows: Vec::with_capacity(capacity * 2),
            labels: TextBuilder::default(),
            inputs: Vec::with_capacity(capacity * 2),
            rates: Vec::with_capacity(capacity * 2),
            slice_amounts: Vec::with_capacity(capacity * 2),
        }
    }

    /// The label of a slice, to be looked up once and not for each row.
    pub fn label(&mut self, label: &str) -> Text {
        self.labels.code(label)
    }

    /// Pays `amount` for `row`; it is rounded here, once, as the batch declares. An error when it does not fit.
    pub fn pay(&mut self, row: usize, amount: Exact) -> Result<(), String> {
        let index = if self.rounding.len() > 1 { row } else { 0 };
        let rounding = self.rounding.get(index).copied().unwrap_or(UNROUNDED);
        let money = rounding.to_money(amount).ok_or_else(|| format!("the amount of row {row} is too large"))?;
        self.pay_rounded(row, money);
        Ok(())
    }

    /// Pays an `amount` (10^-4) that is already a multiple of the rounding step.
    pub fn pay_rounded(&mut self, row: usize, amount: i64) {
        self.rows.push(row as i64);
        self.amounts.push(amount);
    }

    /// Explains a part of the amount of `row`: `input × rate = amount`, all kept to 10^-8.
    pub fn slice(&mut self, row: usize, label: Text, input: Exact, rate: Exact, amount: Exact) -> Result<(), String> {
        let keep = |value: Exact| value.to_rate(RoundingMode::HalfEven).ok_or_else(|| format!("a slice of row {row} is too large"));
        let (input, rate, amount) = (keep(input)?, keep(rate)?, keep(amount)?);
        self.slice_rates(row, label, input, rate, amount);
        Ok(())
    }

    /// As [`Earnings::slice`], with integers of 10^-8.
    pub fn slice_rates(&mut self, row: usize, label: Text, input: i64, rate: i64, amount: i64) {
        self.slice_rows.push(row as i64);
        self.labels.push_code(label);
        self.inputs.push(input);
        self.rates.push(rate);
        self.slice_amounts.push(amount);
    }

    fn finish(self) -> Vec<Table> {
        vec![
            Table::new("earnings").with("row", Column::number(0, self.rows)).with("amount", Column::number(4, self.amounts)),
            Table::new("slices")
                .with("row", Column::number(0, self.slice_rows))
                .with("label", Column::Text(self.labels.finish()))
                .with("input", Column::number(8, self.inputs))
                .with("rate", Column::number(8, self.rates))
                .with("amount", Column::number(8, self.slice_amounts)),
        ]
    }
}

pub(crate) fn answer<T: Compensation>(extension: &mut T, input: Vec<Table>) -> Result<Vec<Table>, String> {
    let batch = CompensationBatch::read(input)?;
    let mut earnings = Earnings::for_batch(&batch);
    extension.pay(&batch, &mut earnings)?;
    Ok(earnings.finish())
}

/// Money (10^-4) as a number of 10^-8, for slices; `None` when it does not fit.
pub fn money_as_rate(money: i64) -> Option<i64> {
    money.checked_mul(10_000).filter(|value| *value != NULL)
}
