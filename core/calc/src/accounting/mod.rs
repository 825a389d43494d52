//! What finance books: costs to obtain contracts spread over their lives (ASC 340-40), the expense of spans that are not over, and what is
//! left of each sale.

mod accruals;
mod contracts;
mod costs;
mod margins;
mod schedule;

pub(crate) use accruals::accruals;
pub(crate) use contracts::amortization;
pub(crate) use margins::margins;

use crate::assign::{start, versions};
use attain_domain::plan::{Component, Plan};
use std::collections::BTreeMap;

/// Components as the versions of their plans say.
pub(crate) struct InForce<'a> {
    versions: BTreeMap<&'a str, Vec<&'a Plan>>,
}

impl<'a> InForce<'a> {
    pub(crate) fn new(plans: &'a [Plan]) -> InForce<'a> {
        InForce { versions: versions(plans) }
    }

    /// The component in the version that holds on a day; one that is not in it, as it was last, else as it is first.
    pub(crate) fn component(&self, plan_id: &str, component_id: &str, day: i32) -> Option<&'a Component> {
        let versions = self.versions.get(plan_id)?;
        let find = |plan: &&'a Plan| plan.components.iter().find(|own| own.id == component_id);
        let held = versions.iter().filter(|plan| start(plan) <= day).rev().find_map(find);
        held.or_else(|| versions.iter().find_map(find))
    }
}
