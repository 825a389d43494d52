//! From what a script left behind to the tables of its point's contract.

use super::column::{Column, Value};
use super::host::{Credits, Host, Slices, Trouble};
use super::value;
use attain_domain::point::{ColumnKind, Contract, FaultKind, TableContract};
use attain_domain::{Column as TableColumn, MONEY_SCALE, NULL_NUMBER, RATE_SCALE, Rounding, Table, fixed};
use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

fn invalid(message: String) -> Trouble {
    Trouble { kind: FaultKind::InvalidAnswer, message }
}

/// The amount of each row, rounded once as the plan says. A row without amount is a fault: nobody can tell what it should pay.
pub(super) fn amounts(value: &Value, host: &mut Host, rows: &Table) -> Result<Vec<i64>, Trouble> {
    let count = rows.row_count();
    if let (Value::Column(Column::Scaled { scale, values }), Some(rounding)) = (value, host.common_rounding())
        && let Some(step) = fixed::from_decimal(rounding.step, RATE_SCALE).filter(|step| *step > 0)
        && let Some(amounts) = values.iter().map(|value| rounded(*value, *scale, step, rounding)).collect::<Option<Vec<i64>>>()
    {
        return Ok(amounts);
    }
    let mut amounts = Vec::with_capacity(count);
    for row in 0..count {
        host.row = row;
        let number =
            value.decimal(row).map_err(|message| invalid(format!("{message}; a formula ends in an amount{}", of_row(rows, row))))?;
        let number = number.ok_or_else(|| {
            invalid(format!(
                "no amount{}: something the formula uses is missing there; say what that means with `or(value, 0)`",
                of_row(rows, row)
            ))
        })?;
        let amount = host.rounding().apply(number).and_then(|amount| fixed::from_decimal(amount, MONEY_SCALE));
        amounts.push(amount.ok_or_else(|| {
            invalid(format!(
                "the amount `{}`{} does not fit; look at the rates and the rounding step",
                number.normalize(),
                of_row(rows, row)
            ))
        })?);
    }
    Ok(amounts)
}

/// `value / 10^scale` as a multiple of `step` (at 10⁻⁸), at 10⁻⁴. `None` where it does not fit, or the step is finer than amounts are.
fn rounded(value: i64, scale: u8, step: i64, rounding: Rounding) -> Option<i64> {
    if value == NULL_NUMBER {
        return None;
    }
    let scale = u32::from(scale);
    let to_eight = u32::from(RATE_SCALE);
    let numerator = i128::from(value).checked_mul(10i128.checked_pow(to_eight.saturating_sub(scale))?)?;
    let denominator = i128::from(step).checked_mul(10i128.checked_pow(scale.saturating_sub(to_eight))?)?;
    let steps = fixed::divide(numerator, denominator, rounding.mode);
    let eight = steps.checked_mul(i128::from(step))?;
    let digits = 10i128.pow(u32::from(RATE_SCALE - MONEY_SCALE));
    (eight % digits == 0).then_some(eight / digits).and_then(|amount| i64::try_from(amount).ok()).filter(|amount| *amount != NULL_NUMBER)
}

/// Whom a row is about, for messages.
pub(super) fn of_row(table: &Table, row: usize) -> String {
    let names = ["payee_id", "transaction_id", "period_id"];
    let parts: Vec<String> = names.iter().filter_map(|name| table.texts(name)?.get(row).map(|text| format!("`{text}`"))).take(2).collect();
    if parts.is_empty() { format!(" in row {}", row + 1) } else { format!(" for {}", parts.join(" in ")) }
}

/// Slices by row; a row that pays and explains nothing gets one slice that says so.
pub(super) fn slices(mut slices: Slices, amounts: &[i64]) -> Result<Table, Trouble> {
    let mut explained = vec![false; amounts.len()];
    for row in &slices.rows {
        explained[*row as usize] = true;
    }
    let label = slices.labels.code("formula");
    for (row, amount) in amounts.iter().enumerate().filter(|(row, amount)| !explained[*row] && **amount != 0) {
        let amount = amount.checked_mul(10i64.pow(u32::from(RATE_SCALE - MONEY_SCALE)));
        let amount = amount.ok_or_else(|| invalid(format!("the amount of row {} is too large for the trace", row + 1)))?;
        slices.rows.push(row as i64);
        slices.labels.push_code(label);
        slices.inputs.push(amount);
        slices.rates.push(10i64.pow(u32::from(RATE_SCALE)));
        slices.amounts.push(amount);
    }
    let order = by_row(&slices.rows);
    let take = |values: &[i64]| order.iter().map(|index| values[*index]).collect::<Vec<i64>>();
    Ok(Table::new("slices")
        .with("row", TableColumn::integer(take(&slices.rows)))
        .with("label", TableColumn::Text(slices.labels.take(&order)))
        .with("input", TableColumn::rate(take(&slices.inputs)))
        .with("rate", TableColumn::rate(take(&slices.rates)))
        .with("amount", TableColumn::rate(take(&slices.amounts))))
}

pub(super) fn credits(credits: Credits) -> Table {
    let order = by_row(&credits.rows);
    let take = |values: &[i64]| order.iter().map(|index| values[*index]).collect::<Vec<i64>>();
    Table::new("credits")
        .with("row", TableColumn::integer(take(&credits.rows)))
        .with("payee_id", TableColumn::Text(credits.payees.take(&order)))
        .with("kind", TableColumn::Text(credits.kinds.take(&order)))
        .with("rule", TableColumn::Text(credits.rules.take(&order)))
        .with("amount", TableColumn::money(take(&credits.amounts)))
        .with("share", TableColumn::rate(take(&credits.shares)))
}

/// Columns record statement by statement, rows record row by row: both come out by row, and within a row as they were recorded.
fn by_row(rows: &[i64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|index| rows[*index]);
    order
}

pub(super) fn earnings(amounts: Vec<i64>) -> Table {
    Table::new("earnings")
        .with("row", TableColumn::integer((0..amounts.len() as i64).collect()))
        .with("amount", TableColumn::money(amounts))
}

/// A figure per row at 8 digits; null where there is none.
pub(super) fn values(value: &Value, count: usize) -> Result<Table, Trouble> {
    let mut values = Vec::with_capacity(count);
    for row in 0..count {
        values.push(match value.decimal(row).map_err(invalid)? {
            None => NULL_NUMBER,
            Some(number) => scaled(number, RATE_SCALE)?,
        });
    }
    Ok(Table::new("values").with("row", TableColumn::integer((0..count as i64).collect())).with("value", TableColumn::rate(values)))
}

fn scaled(number: Decimal, scale: u8) -> Result<i64, Trouble> {
    fixed::from_decimal_rounded(number, scale).ok_or_else(|| invalid(format!("the number `{}` is too large", number.normalize())))
}

/// The tables that `run` gave back: a map of lists of maps, or the list alone where the contract has one table.
pub(super) fn tables(contract: &Contract, answer: &Dynamic, rows_max: usize) -> Result<Vec<Table>, Trouble> {
    let list_of = |wanted: &TableContract| -> Result<Array, Trouble> {
        if contract.answer.len() == 1
            && let Some(list) = answer.read_lock::<Array>()
        {
            return Ok(list.clone());
        }
        let map = answer.read_lock::<Map>().ok_or_else(|| {
            let names: Vec<String> = contract.answer.iter().map(|table| format!("`{}`", table.name)).collect();
            invalid(format!("`run` must give back a map with {}, not {}", names.join(", "), value::describe(answer)))
        })?;
        match map.get(wanted.name).and_then(|list| list.read_lock::<Array>()) {
            Some(list) => Ok(list.clone()),
            None => Err(invalid(format!("the answer has no list `{}`", wanted.name))),
        }
    };
    contract.answer.iter().map(|wanted| table(wanted, &list_of(wanted)?, rows_max)).collect()
}

/// A contract column `*` stands for all that the rows have, as text.
pub(super) fn table(wanted: &TableContract, list: &Array, rows_max: usize) -> Result<Table, Trouble> {
    if list.len() > rows_max {
        return Err(Trouble { kind: FaultKind::OutputSize, message: format!("table `{}` has more than {rows_max} rows", wanted.name) });
    }
    let rows = list
        .iter()
        .enumerate()
        .map(|(row, value)| value.read_lock::<Map>().ok_or_else(|| invalid(format!("row {} of `{}` is no map", row + 1, wanted.name))))
        .collect::<Result<Vec<_>, Trouble>>()?;
    let mut columns: Vec<(String, ColumnKind)> = Vec::new();
    for (name, kind) in wanted.columns {
        if *name == "*" {
            let all: BTreeSet<String> = rows.iter().flat_map(|row| row.keys().map(ToString::to_string)).collect();
            columns.extend(all.into_iter().map(|name| (name, *kind)));
        } else {
            columns.push(((*name).to_owned(), *kind));
        }
    }
    if let Some((row, name)) = rows.iter().enumerate().find_map(|(row, map)| {
        map.keys().find(|name| !columns.iter().any(|(own, _)| own == name.as_str())).map(|name| (row, name.to_string()))
    }) {
        let known: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        return Err(invalid(format!("row {} of `{}`: {}", row + 1, wanted.name, super::rows::unknown_name("column", &name, &known))));
    }
    let mut table = Table::new(wanted.name);
    for (name, kind) in columns {
        let cells = rows.iter().map(|row| row.get(name.as_str()).cloned().unwrap_or(Dynamic::UNIT));
        let column = match kind {
            ColumnKind::Text => {
                let texts: Vec<Option<String>> = cells.map(|cell| (!cell.is_unit()).then(|| value::show(&cell))).collect();
                TableColumn::text(&texts)
            }
            kind => {
                let scale = match kind {
                    ColumnKind::Money => MONEY_SCALE,
                    ColumnKind::Rate => RATE_SCALE,
                    _ => 0,
                };
                let number = |cell: Dynamic| match value::number(&cell) {
                    Ok(None) => Ok(NULL_NUMBER),
                    Ok(Some(number)) => scaled(number, scale),
                    Err(message) => Err(invalid(format!("column `{name}` of `{}`: {message}", wanted.name))),
                };
                TableColumn::Number { scale, values: cells.map(number).collect::<Result<Vec<i64>, Trouble>>()? }
            }
        };
        table = table.with(&name, column);
    }
    Ok(table)
}
