//! What somebody should look at.

use super::rows;
use crate::column::{TextBuilder, take_table};
use crate::{Column, Table};

pub trait Insight: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Points at rows of the batch.
    fn look(&mut self, batch: &InsightBatch, insights: &mut Insights) -> Result<(), String>;
}

rows! {
    /// Earnings and what stands behind them.
    InsightBatch, InsightRow, "rows";
    text { payee_id = "payee_id", period_id = "period_id", plan_id = "plan_id", component_id = "component_id" }
    numbers { credited = "credited": 4, quota = "quota": 4, attainment = "attainment": 8, earned = "earned": 4 }
}

#[derive(Debug, Default)]
pub struct Insights {
    rows: Vec<i64>,
    codes: TextBuilder,
    scores: Vec<i64>,
    messages: TextBuilder,
}

impl Insights {
    /// `code` is stable and kebab-case; `score` (10^-8) orders, larger first; `message` is for people.
    pub fn push(&mut self, row: usize, code: &str, score: i64, message: &str) {
        self.rows.push(row as i64);
        self.codes.push(Some(code));
        self.scores.push(score);
        self.messages.push(Some(message));
    }
}

pub(crate) fn answer<T: Insight>(extension: &mut T, mut input: Vec<Table>) -> Result<Vec<Table>, String> {
    let (batch, _) = InsightBatch::read(take_table(&mut input, "rows"))?;
    let mut insights = Insights::default();
    extension.look(&batch, &mut insights)?;
    Ok(vec![
        Table::new("insights")
            .with("row", Column::number(0, insights.rows))
            .with("code", Column::Text(insights.codes.finish()))
            .with("score", Column::number(8, insights.scores))
            .with("message", Column::Text(insights.messages.finish())),
    ])
}
