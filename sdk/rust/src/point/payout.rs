//! The file of a payout batch.

use super::rows;
use crate::column::{TextBuilder, take_table};
use crate::{Column, Table};

pub trait Payout: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Lays the lines of the batch out.
    fn lay_out(&mut self, batch: &PayoutBatch, file: &mut PayoutFile) -> Result<(), String>;
}

rows! {
    /// A line a payee. `shown` is `amount` with all digits of its currency.
    PayoutBatch, PayoutLine, "lines";
    text {
        batch_id = "batch_id", pay_group_id = "pay_group_id", period_id = "period_id", pay_on = "pay_on", payee_id = "payee_id",
        name = "name", currency = "currency", shown = "shown", reference = "reference",
    }
    numbers { amount = "amount": 4 }
}

/// Titles in order, and a cell for each in every record. The host quotes, and guards texts against being run as formulas.
#[derive(Debug)]
pub struct PayoutFile {
    pub delimiter: char,
    pub header: bool,
    /// Whether lines end in CR and LF.
    pub crlf: bool,
    titles: Vec<String>,
    columns: Vec<TextBuilder>,
}

impl PayoutFile {
    /// The columns of the file; called once, before the first record.
    pub fn columns(&mut self, titles: &[&str]) {
        self.titles = titles.iter().map(|title| (*title).to_owned()).collect();
        self.columns = titles.iter().map(|_| TextBuilder::default()).collect();
    }

    /// A record with a cell for each column, in their order.
    pub fn push<'a>(&mut self, record: impl IntoIterator<Item = Option<&'a str>>) {
        let mut cells = record.into_iter();
        for column in &mut self.columns {
            column.push(cells.next().flatten());
        }
    }
}

pub(crate) fn answer<T: Payout>(extension: &mut T, mut input: Vec<Table>) -> Result<Vec<Table>, String> {
    let (batch, _) = PayoutBatch::read(take_table(&mut input, "lines"))?;
    let mut file = PayoutFile { delimiter: ',', header: true, crlf: false, titles: Vec::new(), columns: Vec::new() };
    extension.lay_out(&batch, &mut file)?;
    let names: Vec<String> = (0..file.titles.len()).map(|index| format!("c{index}")).collect();
    let text = |values: Vec<&str>| {
        let mut builder = TextBuilder::default();
        values.into_iter().for_each(|value| builder.push(Some(value)));
        Column::Text(builder.finish())
    };
    let mut records = Table::new("records");
    for (name, column) in names.iter().zip(file.columns) {
        records = records.with(name, Column::Text(column.finish()));
    }
    Ok(vec![
        Table::new("columns")
            .with("name", text(names.iter().map(String::as_str).collect()))
            .with("title", text(file.titles.iter().map(String::as_str).collect())),
        records,
        Table::new("form")
            .with("delimiter", text(vec![&file.delimiter.to_string()]))
            .with("header", Column::number(0, vec![i64::from(file.header)]))
            .with("line_end", text(vec![if file.crlf { "crlf" } else { "lf" }])),
    ])
}
