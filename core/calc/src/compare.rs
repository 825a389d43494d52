//! Stage 8: compares the ledger with what was posted before and posts the difference, nothing else. Nothing is posted to a period that
//! is approved or closed.

use crate::Run;
use crate::earn::settled_periods;
use crate::measure::period_column;
use crate::names::Picker;
use crate::settle::{ACCOUNTS, Key};
use attain_domain::{Column, Severity, Table};
use std::collections::BTreeMap;

pub fn stage(run: &mut Run<'_>) {
    let book = run.book.clone();
    let settled = settled_periods(run.inputs, &book);
    let ledger = &run.ledger;
    let is_open = |period: u32| settled[period as usize] && !ledger.frozen[period as usize];
    let mut differences: BTreeMap<Key, i128> = BTreeMap::new();
    for (key, amount) in &ledger.balances {
        *differences.entry(*key).or_default() += i128::from(*amount);
    }
    for (payee, rows) in &ledger.posted.by_payee {
        for row in rows.iter().filter(|row| is_open(row.period)) {
            let key = (*payee, row.period, row.origin, row.plan, row.component, row.account);
            *differences.entry(key).or_default() -= i128::from(row.amount);
        }
    }
    let mut postings: Vec<(Key, i64)> = Vec::new();
    let mut overflown = Vec::new();
    for (key, difference) in differences.into_iter().filter(|(_, difference)| *difference != 0) {
        match i64::try_from(difference) {
            Ok(difference) => postings.push((key, difference)),
            Err(_) => overflown.push(key.0),
        }
    }
    for payee in overflown {
        run.findings.add(Severity::Error, "overflow", "postings", book.payees.get(payee), "a difference does not fit");
    }
    if !run.findings.complete() {
        return;
    }
    let (ledger, earnings) = (&run.ledger, &run.earnings);
    let mut picker = Picker::default();
    let account_names = ACCOUNTS.map(str::to_owned);
    let revisions = postings.iter().map(|(key, _)| ledger.posted.last_revision[key.1 as usize] + 1).collect();
    let table = Table::new("postings")
        .with("payee_id", picker.pick(&book.payees.0, postings.iter().map(|(key, _)| key.0)))
        .with("period_id", period_column(&book, &mut picker, postings.iter().map(|(key, _)| key.1)))
        .with("origin_period_id", period_column(&book, &mut picker, postings.iter().map(|(key, _)| key.2)))
        .with("plan_id", picker.pick(&earnings.plans.0, postings.iter().map(|(key, _)| key.3)))
        .with("component_id", picker.pick(&earnings.components.0, postings.iter().map(|(key, _)| key.4)))
        .with("account", picker.pick(&account_names, postings.iter().map(|(key, _)| u32::from(key.5))))
        .with("revision", Column::integer(revisions))
        .with("amount", Column::money(postings.iter().map(|(_, amount)| *amount).collect()));
    run.row_count = postings.len();
    run.tables.insert("postings", table);
}
