//! What earlier runs posted, by payee, with names as codes.

use crate::Run;
use crate::names::{number, numbers, texts};
use crate::settle::ACCOUNTS;
use attain_domain::{NULL_CODE, Severity};
use std::collections::BTreeMap;

/// One row of the ledger so far.
#[derive(Debug, Clone, Copy)]
pub struct PostedRow {
    pub period: u32,
    pub origin: u32,
    pub plan: u32,
    pub component: u32,
    pub account: u8,
    pub amount: i64,
}

#[derive(Debug, Default)]
pub struct Posted {
    pub by_payee: BTreeMap<u32, Vec<PostedRow>>,
    /// The last revision posted to each period.
    pub last_revision: Vec<i64>,
}

/// Reads the ledger. The names of earnings must contain those of the ledger.
pub fn read(run: &mut Run<'_>) -> Posted {
    let book = &run.book;
    let table = &run.inputs.posted;
    let (payee_ids, period_ids, origin_ids) = (texts(table, "payee_id"), texts(table, "period_id"), texts(table, "origin_period_id"));
    let (plan_ids, component_ids, accounts) = (texts(table, "plan_id"), texts(table, "component_id"), texts(table, "account"));
    let (amounts, revisions) = (numbers(table, "amount"), numbers(table, "revision"));
    let mut posted = Posted { by_payee: BTreeMap::new(), last_revision: vec![0; book.calendar.periods.len()] };
    let mut unknown = Vec::new();
    for row in 0..table.row_count() {
        let period = period_ids.get(row).and_then(|id| book.calendar.index_of(id));
        let origin = origin_ids.get(row).map_or(period, |id| book.calendar.index_of(id));
        let account = accounts.get(row).and_then(|name| ACCOUNTS.iter().position(|own| *own == name));
        let payee = book.payees.code_of(payee_ids.get(row));
        let (Some(period), Some(origin), Some(account)) = (period, origin, account) else {
            unknown.push(format!("{}, {}", payee_ids.get(row).unwrap_or_default(), period_ids.get(row).unwrap_or_default()));
            continue;
        };
        if payee == NULL_CODE {
            unknown.push(payee_ids.get(row).unwrap_or_default().to_owned());
            continue;
        }
        posted.last_revision[period] = posted.last_revision[period].max(number(revisions, row).unwrap_or(0));
        posted.by_payee.entry(payee).or_default().push(PostedRow {
            period: period as u32,
            origin: origin as u32,
            plan: run.earnings.plans.code_of(plan_ids.get(row)),
            component: run.earnings.components.code_of(component_ids.get(row)),
            account: account as u8,
            amount: number(amounts, row).unwrap_or(0),
        });
    }
    unknown.sort();
    unknown.dedup();
    for record in unknown {
        let message = "something was posted to a payee, a period or an account that does not exist; restore the payee or the calendar";
        run.findings.add(Severity::Error, "posted-unknown", "postings", &record, message);
    }
    posted
}
