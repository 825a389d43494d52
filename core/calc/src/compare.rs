//! Stage 8: compares the ledger with what was posted before and posts the difference, nothing else.

use crate::Run;
use crate::earn::settled_periods;
use crate::measure::period_column;
use crate::names::{Names, Picker, number, numbers, texts};
use crate::settle::{ACCOUNTS, Key};
use attain_domain::{Column, NULL_CODE, Severity, Table};
use std::collections::BTreeMap;

pub fn stage(run: &mut Run<'_>) {
    let book = &run.book;
    let posted = &run.inputs.posted;
    let settled = settled_periods(run.inputs, book);
    let (payee_ids, period_ids) = (texts(posted, "payee_id"), texts(posted, "period_id"));
    let (plan_ids, component_ids, accounts) = (texts(posted, "plan_id"), texts(posted, "component_id"), texts(posted, "account"));
    let (amounts, revisions) = (numbers(posted, "amount"), numbers(posted, "revision"));
    let union = |own: &Names, column| {
        let mut names = Names::union(&[column]);
        names.0.extend(own.0.iter().cloned());
        names.0.retain(|name| !name.is_empty());
        names.0.sort();
        names.0.dedup();
        names
    };
    let plans = union(&run.earnings.plans, plan_ids);
    let components = union(&run.earnings.components, component_ids);
    let plan_codes: Vec<u32> = run.earnings.plans.0.iter().map(|name| plans.code(name)).collect();
    let component_codes: Vec<u32> = run.earnings.components.0.iter().map(|name| components.code(name)).collect();
    let recoded = |codes: &[u32], code: u32| codes.get(code as usize).copied().unwrap_or(NULL_CODE);
    let mut differences: BTreeMap<Key, i128> = BTreeMap::new();
    for ((payee, period, plan, component, account), amount) in &run.ledger.balances {
        let key = (*payee, *period, recoded(&plan_codes, *plan), recoded(&component_codes, *component), *account);
        *differences.entry(key).or_default() += i128::from(*amount);
    }
    let mut last_revision = vec![0i64; book.calendar.periods.len()];
    let mut unknown = Vec::new();
    for row in 0..posted.row_count() {
        let period = period_ids.get(row).and_then(|id| book.calendar.index_of(id));
        let account = accounts.get(row).and_then(|name| ACCOUNTS.iter().position(|own| *own == name));
        let (Some(period), Some(account)) = (period, account) else {
            unknown.push(format!("{}, {}", payee_ids.get(row).unwrap_or_default(), period_ids.get(row).unwrap_or_default()));
            continue;
        };
        last_revision[period] = last_revision[period].max(number(revisions, row).unwrap_or(0));
        if settled[period] {
            let payee = book.payees.code_of(payee_ids.get(row));
            let key = (payee, period as u32, plans.code_of(plan_ids.get(row)), components.code_of(component_ids.get(row)), account as u8);
            *differences.entry(key).or_default() -= i128::from(number(amounts, row).unwrap_or(0));
        }
    }
    unknown.sort();
    for record in unknown {
        let message = "it was posted to a period or an account that does not exist; restore the calendar";
        run.findings.add(Severity::Error, "posted-unknown", "postings", &record, message);
    }
    let mut postings: Vec<(Key, i64)> = Vec::new();
    for (key, difference) in differences.into_iter().filter(|(_, difference)| *difference != 0) {
        match i64::try_from(difference) {
            Ok(difference) => postings.push((key, difference)),
            Err(_) => run.findings.add(Severity::Error, "overflow", "postings", run.book.payees.get(key.0), "a difference does not fit"),
        }
    }
    if !run.findings.complete() {
        return;
    }
    let mut picker = Picker::default();
    let account_names = ACCOUNTS.map(str::to_owned);
    let table = Table::new("postings")
        .with("payee_id", picker.pick(&book.payees.0, postings.iter().map(|(key, _)| key.0)))
        .with("period_id", period_column(book, &mut picker, postings.iter().map(|(key, _)| key.1)))
        .with("plan_id", picker.pick(&plans.0, postings.iter().map(|(key, _)| key.2)))
        .with("component_id", picker.pick(&components.0, postings.iter().map(|(key, _)| key.3)))
        .with("account", picker.pick(&account_names, postings.iter().map(|(key, _)| u32::from(key.4))))
        .with("revision", Column::integer(postings.iter().map(|(key, _)| last_revision[key.1 as usize] + 1).collect()))
        .with("amount", Column::money(postings.iter().map(|(_, amount)| *amount).collect()));
    run.row_count = postings.len();
    run.tables.insert("postings", table);
}
