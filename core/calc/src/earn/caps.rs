//! What is left of results when what was already earned is subtracted and limits are kept: of a component, of some together, of a plan.

use super::{Earning, Earnings, Paying};
use crate::Run;
use crate::cap::{Limit, Running};
use crate::lookup::Step;
use crate::slices;
use crate::spans::spans;
use crate::terms::{Line, PlanTerms};
use attain_domain::fixed::split;
use attain_domain::plan::{Cap, Component};
use attain_domain::{NULL_NUMBER, Severity};
use std::sync::Arc;

/// The rows from `first` on are those of one component, in order of payee, period and slice.
pub fn true_up_and_cap(run: &mut Run<'_>, line: &Line, record: &str, first: usize, draft: &mut Earnings) {
    let components: Vec<&Component> = line.parts.iter().map(|part| &part.component).collect();
    let spans: Vec<Vec<(usize, usize)>> = components.iter().map(|own| spans(&run.book, own.accumulate)).collect();
    let limits: Vec<Option<Limit<'_>>> =
        components.iter().map(|own| own.cap.as_ref().map(|cap| Limit::new(cap, Step::new(&own.rounding), &run.book))).collect();
    let mut running = Running::default();
    let mut before: Option<(u32, usize, i32, i64)> = None;
    let mut payee = None;
    let mut without_basis = false;
    for index in first..draft.rows.len() {
        let row = draft.rows[index];
        let part = row.slice.part as usize;
        if payee != Some(row.payee) {
            running = Running::default();
            payee = Some(row.payee);
        }
        let mut amount = row.result;
        if components[part].true_up {
            let span = spans[part][row.period as usize].0;
            if let Some((own, known, since, earned)) = before
                && own == row.payee
                && known == span
                && since == row.slice.since
            {
                amount -= earned;
                draft.explain(index as u32, "already earned", -earned);
            }
            before = Some((row.payee, span, row.slice.since, row.result));
        }
        if let Some(limit) = &limits[part] {
            let basis = slices::basis(draft, first, index, components[part]);
            let most = limit.amount(basis.quota, basis.target, basis.credited);
            without_basis |= most.is_none();
            if limit.is_refundable() {
                let given = limit.refund(&mut running, row.period as usize, amount, most);
                draft.rows[index].withheld = amount - given;
            } else {
                let given = limit.apply(&mut running, row.period as usize, amount, most);
                draft.explain(index as u32, "cap", given - amount);
                amount = given;
            }
        }
        draft.rows[index].amount = amount;
    }
    if without_basis {
        report_without_basis(run, record);
    }
}

fn report_without_basis(run: &mut Run<'_>, record: &str) {
    let message = "for some payees there is nothing that the cap is a share of; they are not capped";
    run.findings.add(Severity::Warning, "cap-without-basis", "plans", record, message);
}

/// A cap on some components, or on all of a plan, in each document of the plan that has it.
struct Together {
    /// All of them where absent.
    components: Option<Vec<String>>,
    caps: Vec<Option<Cap>>,
}

/// The caps in the order in which they apply: those of some components, then that of the plan. Documents have the same cap where it is on
/// the same components.
fn together(plan: &PlanTerms) -> Vec<Together> {
    let mut all: Vec<Together> = Vec::new();
    let none = || vec![None; plan.documents.len()];
    for (place, document) in plan.documents.iter().enumerate() {
        for group in &document.caps {
            let free = all.iter_mut().find(|own| own.components.as_ref() == Some(&group.components) && own.caps[place].is_none());
            match free {
                Some(own) => own.caps[place] = Some(group.cap()),
                None => {
                    let mut caps = none();
                    caps[place] = Some(group.cap());
                    all.push(Together { components: Some(group.components.clone()), caps });
                }
            }
        }
    }
    all.push(Together { components: None, caps: plan.documents.iter().map(|document| document.cap.clone()).collect() });
    all.retain(|own| own.caps.iter().any(Option::is_some));
    all
}

/// Applies the caps of some components and then that of the plan.
pub fn of_plan(run: &mut Run<'_>, plan_id: &str, plan: &PlanTerms, paying: &mut Paying<'_>) {
    let code = paying.plans.code(plan_id);
    for own in together(plan) {
        let codes: Option<Vec<u32>> = own.components.as_ref().map(|ids| ids.iter().map(|id| paying.components.code(id)).collect());
        let is_meant = |component: &u32| codes.as_ref().is_none_or(|codes| codes.contains(component));
        let rows = paying.earned.rows(code).filter(|(component, _)| is_meant(component)).flat_map(|(_, rows)| rows).collect();
        let label = own.components.as_ref().map_or_else(|| "plan cap".to_owned(), |ids| format!("cap on {}", ids.join(", ")));
        cap(run, plan_id, plan, &own.caps, &label, rows, &mut paying.draft);
    }
}

/// Applies a cap to the sum of rows of several components, as it stands in the document in force on the payee's last day in the period. What
/// is cut is shared out by amount.
fn cap(run: &mut Run<'_>, plan_id: &str, plan: &PlanTerms, caps: &[Option<Cap>], label: &str, mut order: Vec<usize>, draft: &mut Earnings) {
    let book = Arc::clone(&run.book);
    let limits: Vec<Option<(Limit<'_>, Step)>> = plan
        .documents
        .iter()
        .zip(caps)
        .map(|(document, cap)| {
            let step = Step::new(&document.components.first().map(|own| own.rounding).unwrap_or_default());
            Some((Limit::new(cap.as_ref()?, step, &book), step))
        })
        .collect();
    let limit_of = |row: &Earning| {
        let document = plan.document_in(row.payee, &book.calendar.periods[row.period as usize])?;
        limits[document].as_ref()
    };
    let key = |row: &Earning| {
        let is_alone = limit_of(row).is_some_and(|(limit, _)| limit.is_per_transaction());
        (row.payee, row.period, if is_alone { row.transaction } else { 0 })
    };
    order.sort_unstable();
    order.sort_by_key(|index| key(&draft.rows[*index]));
    let mut running = Running::default();
    let mut payee = None;
    let mut without_basis = false;
    let groups: Vec<Vec<usize>> =
        order.chunk_by(|left, right| key(&draft.rows[*left]) == key(&draft.rows[*right])).map(<[usize]>::to_vec).collect();
    for group in groups {
        let rows: Vec<Earning> = group.iter().map(|index| draft.rows[*index]).collect();
        if payee != Some(rows[0].payee) {
            running = Running::default();
            payee = Some(rows[0].payee);
        }
        let Some((limit, step)) = limit_of(&rows[0]) else { continue };
        let first_of = |value: fn(&Earning) -> i64| rows.iter().map(value).find(|value| *value != NULL_NUMBER).unwrap_or(NULL_NUMBER);
        let most = limit.amount(first_of(|row| row.quota), first_of(|row| row.target), first_of(Earning::credited));
        without_basis |= most.is_none();
        let total = rows.iter().fold(0i64, |sum, row| sum.saturating_add(row.amount));
        let cut = total - limit.apply(&mut running, rows[0].period as usize, total, most);
        let weights: Vec<i64> = rows.iter().map(|row| row.amount.max(0)).collect();
        let parts =
            if cut > 0 { split(cut, &weights, step.step) } else { split(cut, &[vec![1], vec![0; rows.len() - 1]].concat(), step.step) };
        for (index, part) in group.iter().zip(parts) {
            draft.rows[*index].amount -= part;
            draft.explain(*index as u32, label, -part);
        }
    }
    if without_basis {
        report_without_basis(run, plan_id);
    }
}
