//! How a total becomes quotas.

use super::rows;
use crate::column::take_table;
use crate::{Column, NULL, Table, TextColumn};

pub trait Quota: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Spreads the total of the batch over its nodes and periods.
    fn spread(&mut self, batch: &QuotaBatch, quotas: &mut Quotas) -> Result<(), String>;
}

rows! {
    /// Who receives; the bounds are for a node's sum over all periods.
    Nodes, Node, "nodes";
    text { payee_id = "payee_id" }
    numbers { weight = "weight": 4, floor = "floor": 4, ceiling = "ceiling": 4 }
}

rows! {
    /// When; `season` weighs a period against the others.
    Periods, PeriodRow, "periods";
    text { period_id = "period_id" }
    numbers { season = "season": 8 }
}

#[derive(Debug, Clone)]
pub struct QuotaBatch {
    pub nodes: Nodes,
    pub periods: Periods,
    /// 10^-4.
    pub total: i64,
    /// 10^-4; quotas should be multiples of it.
    pub step: i64,
}

impl QuotaBatch {
    pub fn read(mut input: Vec<Table>) -> Result<QuotaBatch, String> {
        let (nodes, _) = Nodes::read(take_table(&mut input, "nodes"))?;
        let (periods, _) = Periods::read(take_table(&mut input, "periods"))?;
        let mut total = take_table(&mut input, "total");
        let (amount, step) = (total.take_numbers("amount", 4)?, total.take_numbers("step", 4)?);
        let total = amount.get(0).ok_or("table `total` has no `amount`")?;
        Ok(QuotaBatch { nodes, periods, total, step: step.get(0).unwrap_or(1) })
    }
}

/// The amount (10^-4) of each node and period.
#[derive(Debug)]
pub struct Quotas {
    period_count: usize,
    amounts: Vec<i64>,
}

impl Quotas {
    /// Both are row numbers.
    pub fn set(&mut self, node: usize, period: usize, amount: i64) {
        if period < self.period_count
            && let Some(own) = self.amounts.get_mut(node * self.period_count + period)
        {
            *own = amount;
        }
    }
}

pub(crate) fn answer<T: Quota>(extension: &mut T, input: Vec<Table>) -> Result<Vec<Table>, String> {
    let batch = QuotaBatch::read(input)?;
    let (nodes, periods) = (batch.nodes.len(), batch.periods.len());
    let mut quotas = Quotas { period_count: periods, amounts: vec![NULL; nodes * periods] };
    extension.spread(&batch, &mut quotas)?;
    let repeated = batch.nodes.payee_id.codes.iter().flat_map(|code| std::iter::repeat_n(*code, periods)).collect();
    let cycled = (0..nodes).flat_map(|_| batch.periods.period_id.codes.iter().copied()).collect();
    Ok(vec![
        Table::new("quotas")
            .with("payee_id", Column::Text(TextColumn { dictionary: batch.nodes.payee_id.dictionary, codes: repeated }))
            .with("period_id", Column::Text(TextColumn { dictionary: batch.periods.period_id.dictionary, codes: cycled }))
            .with("amount", Column::number(4, quotas.amounts)),
    ])
}
