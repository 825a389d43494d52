//! Why a payee of a batch should be looked at before she is paid, from what people and data say elsewhere: disputes that are not settled,
//! and holds on her pay. A dispute that holds pay keeps a batch that pays her from being approved and exported.

use super::store;
use crate::refusal::Refusal;
use crate::view::View;
use anyhow::Result;
use attain_database::Connection;
use attain_domain::Day;
use attain_domain::calendar::Period;
use attain_domain::table::{NULL_NUMBER, Table};
use attain_store::disputes::{self, Dispute};
use attain_store::payouts::{Batch, Line};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Something that a reviewer of a payout should know of a payee.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct PayoutReason {
    /// `dispute` or `hold`.
    pub kind: String,
    /// The dispute's or the hold's.
    pub id: String,
    /// In words.
    pub text: String,
    /// Whether the batch waits for it: the dispute holds pay.
    pub blocks: bool,
}

pub(super) type Reasons = BTreeMap<String, Vec<PayoutReason>>;

fn of_dispute(own: &Dispute) -> PayoutReason {
    let about = match (own.about.as_str(), own.line, &own.transaction_id) {
        ("line", Some(line), _) => format!("line {line}"),
        ("credit", _, Some(id)) => format!("a missing credit for {id}"),
        _ => "the whole statement".to_owned(),
    };
    let holds = if own.holds_pay { ", and pay is held for it" } else { "" };
    PayoutReason {
        kind: "dispute".to_owned(),
        id: own.dispute_id.clone(),
        text: format!("{} of {} is disputed{holds}: {}", about, own.period_id, own.subject),
        blocks: own.holds_pay,
    }
}

/// Payee, or `None` for a hold on a whole plan, to its plan and reason.
fn of_holds(table: &Table, period: &Period) -> Vec<(Option<String>, Option<String>, PayoutReason)> {
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).map(str::to_owned);
    let day = |name: &str, row: usize| {
        let own = table.numbers(name).and_then(|own| own.get(row)).copied().filter(|own| *own != NULL_NUMBER)?;
        i32::try_from(own).ok().map(Day)
    };
    let meets = |row: &usize| {
        day("from_on", *row).is_some_and(|from| from < period.until) && day("until_on", *row).is_none_or(|until| period.from < until)
    };
    (0..table.row_count())
        .filter(meets)
        .map(|row| {
            let (plan, component) = (text("plan_id", row), text("component_id", row));
            let what = match (text("transaction_id", row), plan.as_deref(), component) {
                (Some(id), ..) => format!("pay for {id}"),
                (None, Some(plan), Some(component)) => format!("pay by {plan}/{component}"),
                (None, Some(plan), None) => format!("pay by {plan}"),
                (None, None, Some(component)) => format!("pay by {component}"),
                (None, None, None) => "all pay".to_owned(),
            };
            let from = day("from_on", row).map_or_else(String::new, |day| day.to_string());
            let until = day("until_on", row).map_or_else(String::new, |day| format!(" until {day}"));
            let reason = PayoutReason {
                kind: "hold".to_owned(),
                id: text("hold_id", row).unwrap_or_default(),
                text: format!("{what} is held from {from}{until}: {}", text("reason", row).unwrap_or_default()),
                blocks: false,
            };
            (text("payee_id", row), plan, reason)
        })
        .collect()
}

/// Whether a payee earns something by a plan in the last run.
fn is_on(view: &View, payee_id: &str, plan_id: &str) -> bool {
    let Some(run) = &view.run else { return false };
    let plans = run.table("earnings").and_then(|table| table.texts("plan_id"));
    run.rows("earnings", payee_id).any(|row| plans.and_then(|own| own.get(row)) == Some(plan_id))
}

/// The reasons of the payees of a batch, those that it waits for first.
pub(super) async fn of_batch(connection: &mut Connection, view: &View, batch: &Batch, lines: &[Line]) -> Result<Reasons> {
    let calendar = &view.company.calendar;
    let last = calendar.index_of(&batch.period_id);
    let mut found: Reasons = lines.iter().map(|line| (line.payee_id.clone(), Vec::new())).collect();
    let is_unsettled = |own: &&Dispute| own.kind == "dispute" && matches!(own.state.as_str(), "open" | "assigned" | "resolved");
    let is_of_batch = |own: &&Dispute| calendar.index_of(&own.period_id).is_some_and(|at| Some(at) <= last);
    for own in disputes::list(connection).await?.iter().filter(is_unsettled).filter(is_of_batch) {
        if let Some(reasons) = found.get_mut(&own.payee_id) {
            reasons.push(of_dispute(own));
        }
    }
    if let (Some(table), Some(at)) = (view.company.company.tables.get("holds"), last) {
        for (payee, plan, reason) in of_holds(table, &calendar.periods[at]) {
            for (own, reasons) in &mut found {
                let concerns = match (&payee, &plan) {
                    (Some(payee), _) => payee == own,
                    (None, Some(plan)) => reason.text.starts_with("pay by") && is_on(view, own, plan),
                    (None, None) => false,
                };
                if concerns {
                    reasons.push(reason.clone());
                }
            }
        }
    }
    for reasons in found.values_mut() {
        reasons.sort_by(|left, right| (!left.blocks, left).cmp(&(!right.blocks, right)));
    }
    Ok(found)
}

/// What a review names of those who are paid: `payee: reason`.
pub(super) fn named(reasons: &Reasons, lines: &[Line], is_wanted: impl Fn(&PayoutReason) -> bool) -> Vec<String> {
    let due = lines.iter().filter(|line| line.state == "due");
    due.flat_map(|line| reasons.get(&line.payee_id).into_iter().flatten().map(move |own| (line, own)))
        .filter(|(_, own)| is_wanted(own))
        .map(|(line, own)| format!("{}: {}", line.payee_id, own.text))
        .collect()
}

/// Refuses a batch that pays somebody whose dispute holds pay.
pub(super) async fn check(connection: &mut Connection, view: &View, batch: &Batch) -> Result<()> {
    let lines = store::lines(connection, &batch.batch_id).await?;
    let reasons = of_batch(connection, view, batch, &lines).await?;
    let open = named(&reasons, &lines, |own| own.blocks);
    if open.is_empty() {
        return Ok(());
    }
    let refusal = Refusal::conflict("disputes hold the pay of payees of the payout; settle them, release the pay, or exclude the payees");
    Err(refusal.with_details(open).into())
}
