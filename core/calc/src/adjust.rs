//! Stage 6: amounts by hand, each with its reason, beside what the plans pay.

use crate::Run;
use crate::earn::{Earning, EarningKind};
use crate::names::{number, numbers, texts};
use attain_domain::{NULL_CODE, Severity};

/// The component of an adjustment that names none.
pub const ADJUSTMENT: &str = "adjustment";

pub fn stage(run: &mut Run<'_>) {
    let table = run.inputs.table("adjustments");
    if table.row_count() > 0 {
        add(run);
    }
    run.row_count = run.inputs.table("adjustments").row_count();
}

fn add(run: &mut Run<'_>) {
    let book = run.book.clone();
    let table = run.inputs.table("adjustments");
    let (ids, payees, periods) = (texts(table, "adjustment_id"), texts(table, "payee_id"), texts(table, "period_id"));
    let (reasons, plans, components) = (texts(table, "reason"), texts(table, "plan_id"), texts(table, "component_id"));
    let (transactions, amounts) = (texts(table, "transaction_id"), numbers(table, "amount"));
    run.earnings.extend_names(&plans.dictionary, components.dictionary.iter().map(String::as_str).chain([ADJUSTMENT]));
    let mut order: Vec<usize> = (0..table.row_count()).collect();
    order.sort_by_key(|row| ids.get(*row));
    for row in order {
        let (id, reason) = (ids.get(row).unwrap_or_default(), reasons.get(row).unwrap_or_default());
        let payee = book.payees.code_of(payees.get(row));
        let period = periods.get(row).and_then(|id| book.calendar.index_of(id));
        let (Some(period), Some(amount), true) = (period, number(amounts, row), payee != NULL_CODE) else {
            let message = format!("the calendar has no period `{}`; correct `period_id`", periods.get(row).unwrap_or_default());
            run.findings.add(Severity::Warning, "adjustment-unknown-period", "adjustments", id, message);
            continue;
        };
        let mut own = Earning::other(payee, period as u32, EarningKind::Adjustment, amount);
        own.plan = run.earnings.plans.code_of(plans.get(row));
        own.component = run.earnings.components.code(components.get(row).unwrap_or(ADJUSTMENT));
        own.transaction = transactions.get(row).map_or(NULL_CODE, |id| book.transactions.find(id));
        let place = run.earnings.push(own);
        run.earnings.explain(place, &format!("adjustment {id}: {reason}"), amount);
    }
}
