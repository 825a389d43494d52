//! The file that payroll gets: laid out by an extension, written and guarded here.

use super::PayoutLine;
use crate::refusal::Refusal;
use anyhow::{Context, Result};
use attain_domain::point::Answer;
use attain_domain::table::{Column, Table};
use attain_domain::{MONEY_SCALE, fixed, payouts::digits};
use attain_store::payouts::{Batch, Line};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// An amount with all digits of its currency.
pub(super) fn shown(amount: i64, currency: &str) -> String {
    let places = usize::from(digits(currency));
    let value: Decimal = fixed::to_decimal(amount, MONEY_SCALE);
    format!("{value:.places$}")
}

/// What the extension is given: the lines that are paid, in order of payee. Names only where the company grants them.
pub(super) fn input(batch: &Batch, pay_on: &str, lines: &[Line], names: Option<&BTreeMap<String, String>>) -> Table {
    let due: Vec<&Line> = lines.iter().filter(|line| line.state == "due").collect();
    let same = |text: &str| Column::text(&vec![Some(text.to_owned()); due.len()]);
    let each = |value: &dyn Fn(&Line) -> Option<String>| Column::text(&due.iter().map(|line| value(line)).collect::<Vec<_>>());
    Table::new("lines")
        .with("batch_id", same(&batch.batch_id))
        .with("pay_group_id", same(&batch.pay_group_id))
        .with("period_id", same(&batch.period_id))
        .with("pay_on", same(pay_on))
        .with("payee_id", each(&|line| Some(line.payee_id.clone())))
        .with("name", each(&|line| names.and_then(|names| names.get(&line.payee_id)).cloned()))
        .with("currency", same(&batch.currency))
        .with("amount", Column::money(due.iter().map(|line| line.amount).collect()))
        .with("shown", each(&|line| Some(shown(line.amount, &batch.currency))))
        .with("reference", each(&|line| Some(line.reference.clone())))
}

/// A cell that no spreadsheet runs as a formula. Plain numbers stay numbers.
fn guarded(text: &str) -> String {
    if fixed::parse(text, attain_domain::RATE_SCALE).is_some() { text.to_owned() } else { attain_print::guarded(text) }
}

/// The bytes of the file. Refuses an answer that would lose a payee.
pub(super) fn bytes(mapping: &str, answer: &Answer, line_count: usize) -> Result<Vec<u8>> {
    let wrong = |message: String| Refusal::invalid(format!("the payout mapping `{mapping}` {message}; correct it"));
    let table = |name: &str| answer.table(name).with_context(|| format!("`{mapping}` gave no `{name}`"));
    let (columns, records, form) = (table("columns")?, table("records")?, table("form")?);
    let text = |table: &Table, name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).unwrap_or_default().to_owned();
    if form.row_count() != 1 {
        return Err(wrong(format!("gave {} rows of `form`, not one", form.row_count())).into());
    }
    let delimiter = text(form, "delimiter", 0);
    let delimiter = match delimiter.as_bytes() {
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') && !one.is_ascii_alphanumeric() => *one,
        _ => return Err(wrong(format!("wants `{delimiter}` between cells; one character such as `,` or `;` can stand there")).into()),
    };
    let terminator = match text(form, "line_end", 0).as_str() {
        "lf" => csv::Terminator::Any(b'\n'),
        "crlf" => csv::Terminator::CRLF,
        other => return Err(wrong(format!("ends lines with `{other}`; write `lf` or `crlf`")).into()),
    };
    if columns.row_count() == 0 {
        return Err(wrong("has no columns".to_owned()).into());
    }
    if records.row_count() < line_count {
        return Err(wrong(format!("gave {} records for {line_count} lines", records.row_count())).into());
    }
    let mut cells = Vec::with_capacity(columns.row_count());
    for row in 0..columns.row_count() {
        let name = text(columns, "name", row);
        let Some(column) = records.texts(&name) else {
            return Err(wrong(format!("names a column `{name}` that `records` do not have")).into());
        };
        cells.push(column);
    }
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
    if form.numbers("header").and_then(|own| own.first()).is_some_and(|header| *header != 0) {
        writer.write_record((0..columns.row_count()).map(|row| guarded(&text(columns, "title", row))))?;
    }
    for row in 0..records.row_count() {
        writer.write_record(cells.iter().map(|column| guarded(column.get(row).unwrap_or_default())))?;
    }
    writer.into_inner().context("the file could not be written")
}

/// A name that every system takes.
pub(super) fn name(batch: &Batch) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|own| if own.is_ascii_alphanumeric() || matches!(own, '-' | '_' | '.') { own } else { '_' }).collect()
    };
    let tail = batch.batch_id.rsplit('-').next().unwrap_or_default();
    format!("payout-{}-{}-{tail}.csv", plain(&batch.pay_group_id), plain(&batch.period_id))
}

/// The sum of what is paid; lines are checked to fit when they are written.
pub(super) fn sum(lines: &[PayoutLine], value: impl Fn(&PayoutLine) -> i64) -> i128 {
    lines.iter().filter(|line| line.state == "due").map(|line| i128::from(value(line))).sum()
}
