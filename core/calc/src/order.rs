//! In which order components are paid: whatever a component looks at comes before it, through all plans, and a plan's caps come
//! before what another plan looks at.

use crate::findings::Findings;
use attain_domain::Severity;
use attain_domain::component::{EarnedBy, Uses};
use attain_domain::plan::{Component, Plan};
use std::collections::BTreeSet;

/// A plan in all its forms: what a component waits for in any of them counts.
pub struct Sequence<'a> {
    pub plan_id: &'a str,
    documents: Vec<&'a Plan>,
    /// In the order in which they stand, through all forms.
    pub components: Vec<&'a str>,
}

impl<'a> Sequence<'a> {
    pub fn new(plan_id: &'a str, documents: Vec<&'a Plan>) -> Sequence<'a> {
        let mut components: Vec<&str> = Vec::new();
        for component in documents.iter().flat_map(|document| &document.components) {
            if !components.contains(&component.id.as_str()) {
                components.push(&component.id);
            }
        }
        Sequence { plan_id, documents, components }
    }

    /// One component in each form that has it.
    fn forms(&self, component: usize) -> impl Iterator<Item = (&'a Plan, &'a Component)> {
        let id = self.components[component];
        self.documents.iter().filter_map(move |document| Some((*document, document.components.iter().find(|own| own.id == id)?)))
    }
}

/// One step: a component of a plan, or the caps of a plan; indexes of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pay {
    Component(usize, usize),
    Caps(usize),
}

/// Steps in order. Without dependences that is the order in which the plans and their components stand. Components that wait for each other
/// are left out and named.
pub fn order(plans: &[Sequence<'_>], findings: &mut Findings) -> Vec<Pay> {
    let mut steps = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        steps.extend((0..plan.components.len()).map(|component| Pay::Component(index, component)));
        steps.push(Pay::Caps(index));
    }
    let waits: Vec<BTreeSet<Pay>> = steps.iter().map(|step| waits_for(plans, *step)).collect();
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

fn waits_for(plans: &[Sequence<'_>], step: Pay) -> BTreeSet<Pay> {
    let (plan, component) = match step {
        Pay::Caps(plan) => return (0..plans[plan].components.len()).map(|component| Pay::Component(plan, component)).collect(),
        Pay::Component(plan, component) => (plan, component),
    };
    let place = |id: &str| plans[plan].components.iter().position(|own| *own == id).map(|at| Pay::Component(plan, at));
    let mut waits = BTreeSet::new();
    for (document, component) in plans[plan].forms(component) {
        waits.extend(document.waits_for(component).iter().filter_map(|id| place(id)));
        let below = component.uses.values().map(Uses::earned).chain(component.earnings.clone());
        for earned in below.filter(|earned| earned.of != EarnedBy::Payee) {
            let is_meant = |own: &Sequence<'_>| {
                earned.plan.as_ref().is_none_or(|id| *id == own.plan_id) && own.components.contains(&earned.component.as_str())
            };
            waits.extend((0..plans.len()).filter(|other| *other != plan && is_meant(&plans[*other])).map(Pay::Caps));
        }
    }
    waits
}

fn refuse(plans: &[Sequence<'_>], steps: &[Pay], done: &BTreeSet<Pay>, findings: &mut Findings) {
    let left = steps.iter().filter(|step| !done.contains(step));
    let named: Vec<String> = left
        .filter_map(|step| match step {
            Pay::Component(plan, component) => Some(format!("`{}, {}`", plans[*plan].plan_id, plans[*plan].components[*component])),
            Pay::Caps(_) => None,
        })
        .collect();
    let first = steps.iter().find_map(|step| match step {
        Pay::Component(plan, _) | Pay::Caps(plan) if !done.contains(step) => Some(plans[*plan].plan_id),
        _ => None,
    });
    let message =
        format!("components wait for each other and cannot be paid: {}; let one of them do without another's earnings", named.join(", "));
    findings.add(Severity::Error, "component-cycle", "plans", first.unwrap_or_default(), message);
}
