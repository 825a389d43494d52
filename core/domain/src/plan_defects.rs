//! What is wrong with the options of a plan, in words for whoever wrote it, each with the path of keys at which it stands. Whether
//! its measures exist is judged by whoever knows the settings.

use crate::component::{EarnedBy, EarnedOf, Gate, JudgedBy, Multiplier, Otherwise, Pool};
use crate::plan::{Accumulate, CapOf, Component, Plan};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// One defect. Numbers in the path are indexes of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    pub path: Vec<String>,
    /// What was written there, where one value is wrong.
    pub value: Option<String>,
    pub message: String,
}

struct Judge<'a> {
    plan: &'a Plan,
    defects: Vec<Defect>,
    path: Vec<String>,
}

impl Plan {
    pub fn defects(&self) -> Vec<Defect> {
        let mut judge = Judge { plan: self, defects: Vec::new(), path: Vec::new() };
        for (index, component) in self.components.iter().enumerate() {
            judge.path = vec!["components".to_owned(), index.to_string()];
            judge.component(component);
        }
        judge.path = Vec::new();
        for (index, cap) in self.caps.iter().enumerate() {
            let place = index.to_string();
            if cap.components.is_empty() {
                judge.push(&["caps", &place, "components"], None, "the cap is of no components; name them");
            }
            for name in &cap.components {
                judge.known(&["caps", &place, "components"], name);
            }
            judge.one_of(&["caps", &place], cap.amount, cap.rate, "cap");
            if cap.rate.is_some() && cap.of.is_none() {
                judge.push(&["caps", &place], None, "the cap has a `rate` of nothing; write `of`");
            }
        }
        for (name, table) in &self.tables {
            for defect in table.defects() {
                judge.push(&["tables", name], None, &defect);
            }
        }
        if let Some(cycle) = self.cycle() {
            judge.push(&["components"], None, &cycle);
        }
        judge.defects
    }

    /// Names the components of the plan that wait for each other, where there are such.
    pub fn cycle(&self) -> Option<String> {
        let waits: BTreeMap<&str, Vec<String>> =
            self.components.iter().map(|component| (component.id.as_str(), self.waits_for(component))).collect();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        loop {
            let ready = |id: &&str| {
                !done.contains(*id) && waits[*id].iter().all(|other| done.contains(other.as_str()) || !waits.contains_key(other.as_str()))
            };
            match waits.keys().copied().find(|id| ready(id)) {
                Some(id) => _ = done.insert(id),
                None => break,
            }
        }
        // From any that is left one comes to a cycle by going on to what it waits for.
        let mut at = waits.keys().copied().find(|id| !done.contains(id))?;
        let mut walk: Vec<&str> = Vec::new();
        while !walk.contains(&at) {
            walk.push(at);
            at = waits[at].iter().find_map(|other| waits.keys().copied().find(|id| id == other && !done.contains(id)))?;
        }
        let start = walk.iter().position(|id| *id == at).unwrap_or(0);
        let named: Vec<String> = walk[start..].iter().chain([&at]).map(|id| format!("`{id}`")).collect();
        Some(format!("components wait for each other: {}; let one of them do without", named.join(" → ")))
    }

    /// The components of the plan that must be known before `component` is.
    pub fn waits_for(&self, component: &Component) -> Vec<String> {
        let own = |earned: &EarnedOf| {
            let is_here = earned.of == EarnedBy::Payee || earned.plan.as_ref().is_none_or(|plan| *plan == self.id);
            is_here.then(|| earned.component.clone())
        };
        let mut waits: Vec<String> = component.requires.clone();
        waits.extend(component.uses.values().filter_map(|uses| own(&uses.earned())));
        waits.extend(component.earnings.as_ref().and_then(own));
        waits.extend(component.gates.iter().filter_map(|gate| gate.component.clone()));
        waits.extend(component.multipliers.iter().filter_map(|multiplier| multiplier.component.clone()));
        waits.sort();
        waits.dedup();
        waits
    }
}

impl Judge<'_> {
    fn push(&mut self, path: &[&str], value: Option<&str>, message: &str) {
        let path = self.path.iter().cloned().chain(path.iter().map(|part| (*part).to_owned())).collect();
        self.defects.push(Defect { path, value: value.map(str::to_owned), message: message.to_owned() });
    }

    fn known(&mut self, path: &[&str], component: &str) {
        if self.plan.components.iter().all(|own| own.id != component) {
            self.push(path, Some(component), "is no component of this plan; correct the name");
        }
    }

    fn one_of(&mut self, path: &[&str], amount: Option<Decimal>, rate: Option<Decimal>, what: &str) {
        if amount.is_some() == rate.is_some() {
            self.push(path, None, &format!("the {what} needs either an amount or a share; write one of them"));
        }
    }

    fn component(&mut self, component: &Component) {
        match (component.measure.is_empty(), component.earnings.is_some()) {
            (true, false) => self.push(&[], None, "the key `measure` is missing; add it"),
            (false, true) => self.push(&["earnings"], None, "the component has `measure` and `earnings`; write one of them"),
            _ => {}
        }
        let by_credit = component.accumulate == Accumulate::Transaction || component.stacked;
        if component.earnings.is_some() && by_credit {
            self.push(&["accumulate"], None, "what others earned is paid by period, quarter or year");
        }
        if component.stacked {
            if !matches!(component.accumulate, Accumulate::Quarter | Accumulate::Year) {
                self.push(&["stacked"], None, "credits are stacked over a quarter or a year; write `accumulate = \"year\"`");
            }
            if component.true_up {
                self.push(&["true_up"], None, "credits that are stacked are not trued up; remove one of the two");
            }
        }
        if component.once && component.true_up {
            self.push(&["once"], None, "what is trued up is not paid once; remove one of the two");
        }
        if component.earnings.as_ref().is_some_and(|earned| earned.of == EarnedBy::Payee) {
            let component = component.earnings.as_ref().map_or("", |earned| &earned.component).to_owned();
            self.known(&["earnings", "component"], &component);
        }
        for (name, uses) in &component.uses {
            let earned = uses.earned();
            if earned.of == EarnedBy::Payee {
                self.known(&["uses", name], &earned.component);
            }
        }
        let taken = |name: &str| match name {
            "rank" | "rank_count" => component.rank.is_some(),
            "pool" | "pool_total" => component.pool.is_some(),
            "units" => component.rates.is_some(),
            _ => false,
        };
        for name in component.inputs.keys().chain(component.uses.keys()) {
            if taken(name) || (component.inputs.contains_key(name) && component.uses.contains_key(name)) {
                self.push(&["inputs", name], Some(name), "is the name of two inputs; choose another");
            }
        }
        for (param, table) in &component.lookups {
            if component.params.contains_key(param) {
                self.push(&["lookups", param], Some(param), "is in `params` too; remove one of them");
            }
            if !self.plan.tables.contains_key(table) {
                self.push(&["lookups", param], Some(table), "is no table of this plan; add it under `tables`");
            }
        }
        for (index, table) in component.tables.iter().enumerate() {
            if !self.plan.tables.contains_key(table) {
                self.push(&["tables", &index.to_string()], Some(table), "is no table of this plan; add it under `tables`");
            }
        }
        if let Some(rates) = &component.rates {
            if !by_credit {
                self.push(&["rates"], None, "rate rules are for each credit; write `accumulate = \"transaction\"`");
            }
            for (index, rule) in rates.rules.iter().enumerate() {
                if rule.rate.is_none() && rule.amount_per_unit.is_none() && rule.amount.is_none() {
                    self.push(
                        &["rates", "rules", &index.to_string()],
                        None,
                        "the rule pays nothing; write `rate`, `amount_per_unit` or `amount`",
                    );
                }
            }
        }
        if let Some(rank) = &component.rank
            && rank.by == JudgedBy::Earned
        {
            self.push(&["rank", "by"], None, "a rank is by `attainment` or by `value`");
        }
        if component.rank.is_some() && by_credit {
            self.push(&["rank"], None, "ranks are of a period, quarter or year; no single credit has one");
        }
        if let Some(pool) = &component.pool {
            self.pool(pool, component, by_credit);
        }
        if let Some(hurdle) = &component.hurdle {
            self.one_of(&["hurdle"], hurdle.amount, hurdle.share_of_quota, "hurdle");
        }
        for (index, gate) in component.gates.iter().enumerate() {
            self.gate(&index.to_string(), gate);
        }
        for (index, multiplier) in component.multipliers.iter().enumerate() {
            self.multiplier(&index.to_string(), multiplier);
        }
        for (index, name) in component.requires.iter().enumerate() {
            self.known(&["requires", &index.to_string()], name);
        }
        if let Some(floor) = &component.floor {
            self.one_of(&["floor"], floor.amount, floor.rate, "floor");
            if floor.rate.is_some() && floor.of.is_none() {
                self.push(&["floor"], None, "the floor has a `rate` of nothing; write `of`");
            }
        }
        if let Some(cap) = &component.cap
            && cap.of == Some(CapOf::Credited)
            && !matches!(cap.per, Accumulate::Transaction | Accumulate::Period)
        {
            self.push(&["cap", "of"], Some("credited"), "limits one result; write `per = \"transaction\"` or `per = \"period\"`");
        }
    }

    fn pool(&mut self, pool: &Pool, component: &Component, by_credit: bool) {
        self.one_of(&["pool"], pool.amount, pool.rate, "pool");
        if by_credit {
            self.push(&["pool"], None, "a pool is shared out by period, quarter or year");
        }
        if matches!(component.accumulate, Accumulate::Quarter | Accumulate::Year) && !component.true_up {
            self.push(&["pool"], None, "a pool over a quarter or year is shared out to date; write `true_up = true`");
        }
    }

    fn gate(&mut self, index: &str, gate: &Gate) {
        self.judged(&["gates", index], gate.by, gate.component.as_deref(), gate.measure.is_some());
        if (gate.otherwise == Otherwise::Rate) != gate.rate.is_some() {
            self.push(&["gates", index], None, "`otherwise = \"rate\"` and `rate` belong together; write both or none");
        }
    }

    fn multiplier(&mut self, index: &str, multiplier: &Multiplier) {
        self.judged(&["multipliers", index], multiplier.by, multiplier.component.as_deref(), multiplier.measure.is_some());
        if multiplier.steps.is_empty() {
            self.push(&["multipliers", index, "steps"], None, "the multiplier has no steps; write at least one");
        }
        if multiplier.steps.windows(2).any(|pair| pair[1].from <= pair[0].from) {
            self.push(
                &["multipliers", index, "steps"],
                None,
                "a step starts at or before the one before it; write steps in ascending order",
            );
        }
    }

    fn judged(&mut self, path: &[&str], by: JudgedBy, component: Option<&str>, has_measure: bool) {
        match (by, component) {
            (JudgedBy::Earned, None) => self.push(path, None, "what was earned is that of a component; write `component`"),
            (JudgedBy::Earned, Some(name)) => self.known(&[path, &["component"]].concat(), name),
            (_, Some(_)) => self.push(path, None, "`component` belongs to `by = \"earned\"`"),
            (_, None) => {}
        }
        if by == JudgedBy::Earned && has_measure {
            self.push(path, None, "`measure` does not belong to `by = \"earned\"`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(toml: &str) -> Vec<String> {
        let plan: Plan = toml::from_str(toml).expect("a plan");
        plan.defects().into_iter().map(|defect| format!("{}: {}", defect.path.join("."), defect.message)).collect()
    }

    #[test]
    fn components_that_wait_for_each_other_are_refused_by_name() {
        let component = |id: &str, rest: &str| format!("[[components]]\nid = \"{id}\"\nmeasure = \"m\"\nformula = \"f\"\n{rest}\n");
        let plan = |parts: &[String]| format!("id = \"p\"\n{}", parts.concat());
        let chain = plan(&[component("a", "requires = [\"b\"]"), component("b", "uses = { x = \"c\" }"), component("c", "")]);
        assert!(messages(&chain).is_empty(), "{:?}", messages(&chain));
        let cycle =
            plan(&[component("a", "requires = [\"b\"]"), component("b", "uses = { x = \"c\" }"), component("c", "requires = [\"b\"]")]);
        assert_eq!(messages(&cycle), ["components: components wait for each other: `b` → `c` → `b`; let one of them do without"]);
        let itself = plan(&[component("a", "earnings = { component = \"a\", of = \"reports\" }")]);
        assert!(messages(&itself).iter().any(|message| message.contains("`a` → `a`")), "{:?}", messages(&itself));
    }

    #[test]
    fn options_that_make_no_sense_are_told_at_their_place() {
        let found = messages(
            r#"
            id = "p"
            caps = [{ components = ["x"], amount = "5" }]
            [[components]]
            id = "a"
            formula = "f"
            hurdle = { amount = "5", share_of_quota = "1" }
            gates = [{ at_least = "1", otherwise = "rate" }, { by = "earned", at_least = "1" }]
            lookups = { rate = "t" }
            multipliers = [{ measure = "m", steps = [{ from = "1", factor = "1" }, { from = "1", factor = "2" }] }]
            rank = { by = "earned" }
            "#,
        );
        let places: Vec<&str> = found.iter().filter_map(|message| message.split(':').next()).collect();
        assert_eq!(
            places,
            [
                "components.0",
                "components.0.lookups.rate",
                "components.0.rank.by",
                "components.0.hurdle",
                "components.0.gates.0",
                "components.0.gates.1",
                "components.0.multipliers.0.steps",
                "caps.0.components"
            ]
        );
    }
}
