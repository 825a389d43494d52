//! In which order components are paid: whatever a component looks at comes before it, through all plans, and a plan's caps come
//! before what another plan looks at.

use crate::findings::Findings;
use attain_domain::Severity;
use attain_domain::component::EarnedBy;
use attain_domain::plan::Plan;
use std::collections::BTreeSet;

/// One step: a component of a plan, or the caps of a plan; indexes of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pay {
    Component(usize, usize),
    Caps(usize),
}

/// Steps in order. Without dependences that is the order in which the plans and their components stand. Components that wait for each other
/// are left out and named.
pub fn order(plans: &[&Plan], findings: &mut Findings) -> Vec<Pay> {
    let mut steps = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        steps.extend((0..plan.components.len()).map(|component| Pay::Component(index, component)));
        steps.push(Pay::Caps(index));
    }
    let waits: Vec<Vec<Pay>> = steps.iter().map(|step| waits_for(plans, *step)).collect();
    let mut done: BTreeSet<Pay> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(steps.len());
    while ordered.len() < steps.len() {
        let before = ordered.len();
        for (step, waits) in steps.iter().zip(&waits) {
            if !done.contains(step) && waits.iter().all(|other| done.contains(other)) {
                done.insert(*step);
                ordered.push(*step);
            }
        }
        if ordered.len() == before {
            refuse(plans, &steps, &done, findings);
            break;
        }
    }
    ordered
}

fn waits_for(plans: &[&Plan], step: Pay) -> Vec<Pay> {
    let (plan, component) = match step {
        Pay::Caps(plan) => return (0..plans[plan].components.len()).map(|component| Pay::Component(plan, component)).collect(),
        Pay::Component(plan, component) => (plan, &plans[plan].components[component]),
    };
    let place = |plan: usize, id: &str| plans[plan].components.iter().position(|own| own.id == id).map(|at| Pay::Component(plan, at));
    let mut waits: Vec<Pay> = plans[plan].waits_for(component).iter().filter_map(|id| place(plan, id)).collect();
    let below = component.uses.values().map(|uses| uses.earned()).chain(component.earnings.clone());
    for earned in below.filter(|earned| earned.of != EarnedBy::Payee) {
        for (other, own) in plans.iter().enumerate() {
            let is_meant = earned.plan.as_ref().is_none_or(|id| *id == own.id) && own.components.iter().any(|own| own.id == earned.component);
            if is_meant && other != plan {
                waits.push(Pay::Caps(other));
            }
        }
    }
    waits
}

fn refuse(plans: &[&Plan], steps: &[Pay], done: &BTreeSet<Pay>, findings: &mut Findings) {
    let left = steps.iter().filter(|step| !done.contains(step));
    let named: Vec<String> = left
        .filter_map(|step| match step {
            Pay::Component(plan, component) => Some(format!("`{}, {}`", plans[*plan].id, plans[*plan].components[*component].id)),
            Pay::Caps(_) => None,
        })
        .collect();
    let first = steps.iter().find_map(|step| match step {
        Pay::Component(plan, _) | Pay::Caps(plan) if !done.contains(step) => Some(plans[*plan].id.as_str()),
        _ => None,
    });
    let message = format!("components wait for each other and cannot be paid: {}; let one of them do without another's earnings", named.join(", "));
    findings.add(Severity::Error, "component-cycle", "plans", first.unwrap_or_default(), message);
}
