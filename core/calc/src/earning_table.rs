//! The result tables `earnings` and `slices`, made when every stage has added its rows.

use crate::Run;
use crate::credits::Scratch;
use crate::earn::{Earning, EarningKind, SliceRow};
use crate::measure::period_column;
use attain_domain::{Column, NULL_NUMBER, Table};

/// Puts all earnings in order of payee, period, plan, component, transaction and kind, and makes the tables.
pub fn build(run: &mut Run<'_>) {
    let earnings = &run.earnings;
    let mut order: Vec<u32> = (0..earnings.rows.len() as u32).collect();
    let key = |row: &Earning| (row.payee, row.period, row.plan, row.component, row.transaction, row.kind, row.origin, row.amount);
    order.sort_by_key(|index| key(&earnings.rows[*index as usize]));
    let mut places = vec![0u32; order.len()];
    for (place, index) in order.iter().enumerate() {
        places[*index as usize] = place as u32;
    }
    let rows: Vec<Earning> = order.iter().map(|index| earnings.rows[*index as usize]).collect();
    let mut slices = earnings.slices.clone();
    for slice in &mut slices {
        slice.earning = places[slice.earning as usize];
    }
    slices.sort_by_key(|slice| slice.earning);
    let mut labels = vec![String::new(); earnings.labels.len()];
    for (label, code) in &earnings.labels {
        labels[*code as usize].clone_from(label);
    }
    let mut scratch = Scratch::default();
    let known = |value: i64| if value == NULL_NUMBER { 0 } else { value };
    let money = |value: fn(&Earning) -> i64| Column::money(rows.iter().map(value).collect());
    let kinds: Vec<String> = EarningKind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    let mut head = |name: &str, of: &dyn Fn() -> Vec<u32>| {
        let each: Vec<&Earning> = of().into_iter().map(|index| &rows[index as usize]).collect();
        let column = |scratch: &mut Scratch, names: &[String], value: fn(&Earning) -> u32| {
            scratch.picker.pick(names, each.iter().map(|row| value(row)))
        };
        let transactions: Vec<u32> = each.iter().map(|row| row.transaction).collect();
        Table::new(name)
            .with("payee_id", column(&mut scratch, &run.book.payees.0, |row| row.payee))
            .with("period_id", period_column(&run.book, &mut scratch.picker, each.iter().map(|row| row.period)))
            .with("plan_id", column(&mut scratch, &earnings.plans.0, |row| row.plan))
            .with("component_id", column(&mut scratch, &earnings.components.0, |row| row.component))
            .with("transaction_id", scratch.transactions.pick(&run.book.transactions, &transactions))
            .with("kind", scratch.picker.pick(&kinds, each.iter().map(|row| row.kind as u32)))
            .with("origin_period_id", period_column(&run.book, &mut scratch.picker, each.iter().map(|row| row.origin)))
    };
    let earning_table = head("earnings", &|| (0..rows.len() as u32).collect())
        .with("credited", Column::money(rows.iter().map(|row| known(row.to_date).saturating_sub(known(row.prior))).collect()))
        .with("prior", money(|row| row.prior))
        .with("to_date", money(|row| row.to_date))
        .with("quota", money(|row| row.quota))
        .with("attainment", Column::rate(rows.iter().map(|row| row.attainment).collect()))
        .with("target", money(|row| row.target))
        .with("formula_amount", money(|row| row.formula_amount))
        .with("amount", money(|row| row.amount));
    let mut positions = Vec::with_capacity(slices.len());
    let mut last = (u32::MAX, 0i64);
    for slice in &slices {
        last = if last.0 == slice.earning { (slice.earning, last.1 + 1) } else { (slice.earning, 0) };
        positions.push(last.1);
    }
    let rate = |value: fn(&SliceRow) -> i64| Column::rate(slices.iter().map(value).collect());
    let table = head("slices", &|| slices.iter().map(|slice| slice.earning).collect())
        .with("position", Column::integer(positions))
        .with("label", scratch.picker.pick(&labels, slices.iter().map(|slice| slice.label)))
        .with("input", rate(|slice| slice.input))
        .with("rate", rate(|slice| slice.rate))
        .with("amount", rate(|slice| slice.amount));
    run.tables.insert("earnings", earning_table);
    run.tables.insert("slices", table);
}
