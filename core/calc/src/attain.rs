//! Stage 4: sets measures against quotas.

use crate::Run;
use crate::book::Book;
use crate::measure::{Measures, period_column};
use crate::names::{Picker, number, numbers, texts};
use attain_domain::fixed::divide;
use attain_domain::{Column, NULL_NUMBER, RoundingMode, Severity, Table};
use std::sync::Arc;

/// Quotas by measure, payee and period; null where there is none.
#[derive(Debug, Default)]
pub struct Quotas {
    period_count: usize,
    values: Vec<Vec<i64>>,
}

impl Quotas {
    pub fn get(&self, measure: usize, payee: u32, period: usize) -> Option<i64> {
        self.values[measure].get(payee as usize * self.period_count + period).copied().filter(|quota| *quota != NULL_NUMBER)
    }
}

pub fn stage(run: &mut Run<'_>) {
    let quotas = read(run);
    let table = attain(&run.book, &run.measures, &quotas);
    run.row_count = table.row_count();
    run.tables.insert("attainments", table);
    run.quotas = Arc::new(quotas);
}

fn read(run: &mut Run<'_>) -> Quotas {
    let (book, measures) = (&run.book, &run.measures);
    let table = run.inputs.table("quotas");
    let period_count = book.calendar.periods.len();
    // Most measures have no quota: their list stays empty.
    let mut values: Vec<Vec<i64>> = vec![Vec::new(); measures.meters.len()];
    let (payee_ids, measure_ids, period_ids) = (texts(table, "payee_id"), texts(table, "measure_id"), texts(table, "period_id"));
    let amounts = numbers(table, "amount");
    for row in 0..table.row_count() {
        let (payee, measure, period) =
            (payee_ids.get(row).unwrap_or(""), measure_ids.get(row).unwrap_or(""), period_ids.get(row).unwrap_or(""));
        let record = || format!("{payee}, {measure}, {period}");
        let Some(measure) = measures.find(measure) else {
            run.findings.add(
                Severity::Warning,
                "quota-unknown-measure",
                "quotas",
                &record(),
                format!("there is no measure `{measure}`; correct `measure_id`"),
            );
            continue;
        };
        let Some(period) = book.calendar.index_of(period) else {
            run.findings.add(
                Severity::Warning,
                "quota-unknown-period",
                "quotas",
                &record(),
                format!("the calendar has no period `{period}`; correct `period_id`"),
            );
            continue;
        };
        let list = &mut values[measure];
        if list.is_empty() {
            list.resize(book.payees.len() * period_count, NULL_NUMBER);
        }
        if let Some(slot) = list.get_mut(book.payees.code(payee) as usize * period_count + period) {
            *slot = number(amounts, row).unwrap_or(NULL_NUMBER);
        }
    }
    Quotas { period_count, values }
}

/// `value ÷ quota` as a rate, half-even; null without a positive quota or where it does not fit.
pub fn attainment(value: i64, quota: Option<i64>) -> i64 {
    match quota.filter(|quota| *quota > 0) {
        None => NULL_NUMBER,
        Some(quota) => {
            let exact = divide(i128::from(value) * 100_000_000, i128::from(quota), RoundingMode::HalfEven);
            i64::try_from(exact).unwrap_or(NULL_NUMBER)
        }
    }
}

fn attain(book: &Book, measures: &Measures, quotas: &Quotas) -> Table {
    let (mut payees, mut ids, mut periods) = (Vec::new(), Vec::new(), Vec::new());
    let (mut values, mut targets, mut attainments) = (Vec::new(), Vec::new(), Vec::new());
    for payee in 0..book.payees.len() as u32 {
        for measure in 0..measures.meters.len() {
            let measured = measures.of_payee(measure, payee);
            for (period, value) in measured.iter().enumerate() {
                let Some(quota) = quotas.get(measure, payee, period) else { continue };
                let value = if *value == NULL_NUMBER { 0 } else { *value };
                payees.push(payee);
                ids.push(measure as u32);
                periods.push(period as u32);
                values.push(value);
                targets.push(quota);
                attainments.push(attainment(value, Some(quota)));
            }
        }
    }
    let mut picker = Picker::default();
    let names: Vec<String> = measures.meters.iter().map(|meter| meter.id.clone()).collect();
    Table::new("attainments")
        .with("payee_id", picker.pick(&book.payees.0, payees.into_iter()))
        .with("measure_id", picker.pick(&names, ids.into_iter()))
        .with("period_id", period_column(book, &mut picker, periods.into_iter()))
        .with("value", Column::money(values))
        .with("quota", Column::money(targets))
        .with("attainment", Column::rate(attainments))
}
