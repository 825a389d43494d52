//! A figure for each payee and period.

use super::rows;
use crate::column::take_table;
use crate::{Column, NULL, Table};

pub trait Kpi: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Gives the figure of each row of the batch.
    fn measure(&mut self, batch: &KpiBatch, values: &mut Values) -> Result<(), String>;
}

rows! {
    /// What a figure is made of.
    KpiBatch, KpiRow, "rows";
    text { payee_id = "payee_id", period_id = "period_id" }
    numbers {
        attained = "attained": 4, quota = "quota": 4, earned = "earned": 4, won_count = "won_count": 0, won_amount = "won_amount": 4,
        won_days = "won_days": 0, lost_count = "lost_count": 0, open_count = "open_count": 0, open_amount = "open_amount": 4,
    }
}

/// The figure of each row; none until set.
#[derive(Debug)]
pub struct Values {
    values: Vec<i64>,
}

impl Values {
    /// `value` is an integer of 10^-8.
    pub fn set(&mut self, row: usize, value: Option<i64>) {
        if let Some(own) = self.values.get_mut(row) {
            *own = value.unwrap_or(NULL);
        }
    }
}

pub(crate) fn answer<T: Kpi>(extension: &mut T, mut input: Vec<Table>) -> Result<Vec<Table>, String> {
    let (batch, _) = KpiBatch::read(take_table(&mut input, "rows"))?;
    let mut values = Values { values: vec![NULL; batch.len()] };
    extension.measure(&batch, &mut values)?;
    let rows = (0..values.values.len() as i64).collect();
    Ok(vec![Table::new("values").with("row", Column::number(0, rows)).with("value", Column::number(8, values.values))])
}
