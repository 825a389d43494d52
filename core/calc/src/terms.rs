//! Under which terms each payee is on each plan: its version, and the values that are others for her. Days under different terms
//! are calculated apart; payees with the same terms together. Terms that differ in nothing that a component reads are the same.

use crate::Inputs;
use crate::assign::{Assignments, Held, Tables, start, versions};
use crate::book::Book;
use crate::findings::Findings;
use crate::hierarchy::days_of;
use crate::names::{numbers, texts};
use crate::spans::{Assignment, PlanParameters, parameters};
use attain_domain::fixed::{from_decimal_rounded, to_decimal};
use attain_domain::overrides::with_value;
use attain_domain::plan::{Component, MeasureValue, Plan};
use attain_domain::rate_table::RateTable;
use attain_domain::terms::{OnStart, Ramp, TargetFrom};
use attain_domain::{MONEY_SCALE, NULL_CODE, Period, RATE_SCALE, Severity};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// A value that is another one for a payee.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Override {
    pub path: String,
    pub value: String,
    from: i32,
    until: i32,
}

impl Override {
    pub fn holds(&self, day: i32) -> bool {
        self.from <= day && day < self.until
    }
}

/// By payee and plan, in order of path and time.
pub fn overrides(tables: &Tables<'_>) -> BTreeMap<(String, String), Vec<Override>> {
    let mut all: BTreeMap<(String, String), Vec<Override>> = BTreeMap::new();
    let Some(table) = tables("plan_overrides") else { return all };
    let (payees, plans) = (texts(table, "payee_id"), texts(table, "plan_id"));
    let (paths, values) = (texts(table, "path"), texts(table, "value"));
    let (from_on, until_on) = (numbers(table, "from_on"), numbers(table, "until_on"));
    for row in 0..table.row_count() {
        let (Some(payee), Some(plan), Some(path), Some(value), Some((from, until))) =
            (payees.get(row), plans.get(row), paths.get(row), values.get(row), days_of(from_on, until_on, row))
        else {
            continue;
        };
        let own = Override { path: path.to_owned(), value: value.to_owned(), from, until };
        all.entry((payee.to_owned(), plan.to_owned())).or_default().push(own);
    }
    all.values_mut().for_each(|list| list.sort_unstable());
    all
}

/// Days of a payee under one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stint {
    pub from: i32,
    pub until: i32,
    pub document: usize,
}

/// A component as it is under some terms, with what its plan says about quotas and targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub component: Component,
    pub ramp: Option<Ramp>,
    target_from: Option<TargetFrom>,
    /// The tables that the component reads.
    pub tables: BTreeMap<String, RateTable>,
    /// Results of earlier days do not count.
    pub since: Option<i32>,
}

/// A payee's days on one component of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stay {
    pub assignments: Vec<Assignment>,
    /// Days on end under one part, in order of time; empty where there is one part for all of them.
    cuts: Vec<(i32, i32, usize)>,
}

/// A component in all the forms that it has for somebody.
#[derive(Debug, Default)]
pub struct Line {
    pub component_id: String,
    pub parts: Vec<Part>,
    /// By part, the payees who are ever under it.
    pub stays: Vec<BTreeMap<u32, Stay>>,
}

/// A plan in all the forms that it has for somebody.
#[derive(Debug, Default)]
pub struct PlanTerms {
    /// Versions, and versions with other values.
    pub documents: Vec<Plan>,
    /// In order of time.
    stints: BTreeMap<u32, Vec<Stint>>,
    /// In the order of components.
    pub lines: Vec<Line>,
}

/// The terms of everybody.
#[derive(Debug, Default)]
pub struct Terms {
    pub plans: BTreeMap<String, PlanTerms>,
    /// By plan and payee, in order of time, with the targets that follow from the plan.
    pub assignments: BTreeMap<String, BTreeMap<u32, Vec<Assignment>>>,
    /// Plans that somebody is assigned to and that are not there.
    pub missing: BTreeSet<String>,
}

impl PlanTerms {
    pub fn line(&self, component_id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.component_id == component_id)
    }

    /// Place of the document that holds for a payee on the last day of a period on which she is on the plan.
    pub fn document_in(&self, payee: u32, period: &Period) -> Option<usize> {
        let stints = self.stints.get(&payee)?;
        let last = stints.iter().rfind(|stint| stint.from < period.until.0 && stint.until > period.from.0)?;
        Some(last.document)
    }

    /// Places of the documents that ever hold for a payee, in the order in which they hold last.
    pub fn documents_of(&self, payee: u32) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::new();
        for stint in self.stints.get(&payee).into_iter().flatten() {
            places.retain(|place| *place != stint.document);
            places.push(stint.document);
        }
        places
    }
}

impl Terms {
    pub fn new(inputs: &Inputs, book: &Book, findings: &mut Findings) -> Terms {
        let tables = |name: &str| inputs.tables.get(name).map(std::convert::AsRef::as_ref);
        let assignments = Assignments::new(&inputs.plans, &tables);
        let parameters = parameters(inputs, book);
        let overrides = overrides(&tables);
        let versions = versions(&inputs.plans);
        let mut held: BTreeMap<&str, BTreeMap<&str, Vec<Held>>> = BTreeMap::new();
        for payee in assignments.payees() {
            for (plan, list) in assignments.of(payee) {
                held.entry(plan).or_default().insert(payee, list);
            }
        }
        let mut terms = Terms { missing: assignments.missing_plans().into_iter().map(str::to_owned).collect(), ..Terms::default() };
        for (plan_id, payees) in held {
            let Some(versions) = versions.get(plan_id) else { continue };
            let mut maker = Maker::new(plan_id, versions, parameters.get(plan_id), Whole::new(inputs, book));
            for (payee_id, list) in payees {
                let payee = book.payees.code(payee_id);
                if payee == NULL_CODE {
                    continue;
                }
                let own = overrides.get(&(payee_id.to_owned(), plan_id.to_owned())).map_or(&[][..], Vec::as_slice);
                maker.add(payee, payee_id, &list, own, assignments.hired_on(payee_id), findings);
            }
            let (plan, own) = maker.finish();
            terms.plans.insert(plan_id.to_owned(), plan);
            terms.assignments.insert(plan_id.to_owned(), own);
        }
        terms
    }
}

/// A document by its version and what is another value in it.
type Key = (usize, Vec<(String, String)>);

struct Maker<'a> {
    plan_id: &'a str,
    versions: &'a [&'a Plan],
    parameters: Option<&'a PlanParameters>,
    whole: Whole<'a>,
    documents: BTreeMap<Key, Plan>,
    stints: BTreeMap<u32, Vec<(i32, i32, Key)>>,
    assignments: BTreeMap<u32, Vec<Assignment>>,
}

impl<'a> Maker<'a> {
    fn new(plan_id: &'a str, versions: &'a [&'a Plan], parameters: Option<&'a PlanParameters>, whole: Whole<'a>) -> Maker<'a> {
        let (documents, stints, assignments) = Default::default();
        Maker { plan_id, versions, parameters, whole, documents, stints, assignments }
    }

    fn add(&mut self, payee: u32, payee_id: &str, held: &[Held], overrides: &[Override], hired_on: Option<i32>, findings: &mut Findings) {
        let mut cuts: Vec<i32> = self.versions.iter().map(|version| start(version)).collect();
        cuts.extend(overrides.iter().flat_map(|own| [own.from, own.until]));
        cuts.sort_unstable();
        cuts.dedup();
        let mut stints: Vec<(i32, i32, Key)> = Vec::new();
        let mut assignments: Vec<Assignment> = Vec::new();
        for (own, since) in held.iter().zip(runs(held)) {
            let starts = [own.from].into_iter().chain(cuts.iter().copied().filter(|cut| own.from < *cut && *cut < own.until));
            let starts: Vec<i32> = starts.collect();
            for (place, from) in starts.iter().enumerate() {
                let until = starts.get(place + 1).copied().unwrap_or(own.until);
                let Some(version) = self.versions.iter().rposition(|version| start(version) <= *from) else { continue };
                let values = overrides.iter().filter(|own| own.holds(*from)).map(|own| (own.path.clone(), own.value.clone())).collect();
                let key: Key = (version, values);
                if !self.documents.contains_key(&key) {
                    let document = self.document(&key, payee_id, findings);
                    self.documents.insert(key.clone(), document);
                }
                let document = &self.documents[&key];
                let whole = Assignment { from: *from, until, target: own.target, since, hired_on, booked_before: own.booked_before };
                for part in with_target(whole, document.target_from.as_ref(), payee, self.parameters) {
                    match assignments.last_mut() {
                        // A cut that changes nothing is none; what was two assignments stays two.
                        Some(last)
                            if last.until == part.from
                                && part.from != own.from
                                && Assignment { until: part.until, ..*last } == Assignment { from: last.from, ..part } =>
                        {
                            last.until = part.until;
                        }
                        _ => assignments.push(part),
                    }
                }
                match stints.last_mut() {
                    Some(last) if last.1 == *from && last.2 == key => last.1 = until,
                    _ => stints.push((*from, until, key)),
                }
            }
        }
        self.stints.insert(payee, stints);
        self.assignments.insert(payee, assignments);
    }

    fn document(&self, key: &Key, payee_id: &str, findings: &mut Findings) -> Plan {
        let mut plan = self.versions[key.0].clone();
        for (path, value) in &key.1 {
            match with_value(&plan, path, value) {
                Ok(changed) => plan = changed,
                Err(unfit) => {
                    let record = format!("{payee_id}, {}, {path}", self.plan_id);
                    let message = format!("`{value}` {unfit}; correct the override or end it where another version starts");
                    findings.add(Severity::Error, "override-unfit", "plan_overrides", &record, message);
                }
            }
        }
        plan
    }

    fn finish(self) -> (PlanTerms, BTreeMap<u32, Vec<Assignment>>) {
        let places: BTreeMap<&Key, usize> = self.documents.keys().enumerate().map(|(place, key)| (key, place)).collect();
        let stints: BTreeMap<u32, Vec<Stint>> = self
            .stints
            .iter()
            .map(|(payee, list)| {
                (*payee, list.iter().map(|(from, until, key)| Stint { from: *from, until: *until, document: places[key] }).collect())
            })
            .collect();
        // The last version that starts again, up to each.
        let mut since = None;
        let restarts: Vec<Option<i32>> = self
            .versions
            .iter()
            .map(|version| {
                if version.on_start == OnStart::Restart && version.from.is_some() {
                    since = version.from.map(|day| day.0);
                }
                since
            })
            .collect();
        let restarts: Vec<Option<i32>> = self.documents.keys().map(|(version, _)| restarts[*version]).collect();
        let documents: Vec<Plan> = self.documents.into_values().collect();
        let mut ids: Vec<&str> = Vec::new();
        for component in documents.iter().flat_map(|document| &document.components) {
            if !ids.contains(&component.id.as_str()) {
                ids.push(&component.id);
            }
        }
        let lines = ids.into_iter().map(|id| line(id, &documents, &restarts, &stints, &self.assignments, &self.whole)).collect();
        (PlanTerms { documents, stints, lines }, self.assignments)
    }
}

/// For each of a payee's days on a plan the first of the days on end that they belong to.
fn runs(held: &[Held]) -> Vec<i32> {
    let mut since = Vec::with_capacity(held.len());
    for (place, own) in held.iter().enumerate() {
        let goes_on = place > 0 && held[place - 1].until == own.from;
        since.push(if goes_on { since[place - 1] } else { own.from });
    }
    since
}

/// The assignment in parts with the targets that follow from a parameter of the payee; itself where it has one of its own.
fn with_target(whole: Assignment, from: Option<&TargetFrom>, payee: u32, parameters: Option<&PlanParameters>) -> Vec<Assignment> {
    let Some(rule) = from.filter(|_| whole.target.is_none()) else { return vec![whole] };
    let dated = parameters.and_then(|own| own.get(&(payee, rule.param.clone()))).map_or(&[][..], Vec::as_slice);
    let target = |day: i32| {
        let (_, _, value) = dated.iter().find(|(from, until, _)| *from <= day && day < *until)?;
        let yearly = to_decimal(*value, RATE_SCALE).checked_mul(rule.variable)?;
        from_decimal_rounded(yearly.checked_div(Decimal::from(rule.periods_per_year))?, MONEY_SCALE)
    };
    let mut starts: Vec<i32> = dated.iter().flat_map(|(from, until, _)| [*from, *until]).collect();
    starts.retain(|cut| whole.from < *cut && *cut < whole.until);
    starts.push(whole.from);
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([whole.until]);
    starts.iter().zip(ends).map(|(from, until)| Assignment { from: *from, until, target: target(*from), ..whole }).collect()
}

/// Which components are paid for whole periods, under the terms of the last day of each: those whose pay hangs on what is known of a whole
/// period only, on what was earned in it, on others, or on objectives.
struct Whole<'a> {
    book: &'a Book,
    objectives: BTreeSet<&'a str>,
}

impl<'a> Whole<'a> {
    fn new(inputs: &'a Inputs, book: &'a Book) -> Whole<'a> {
        let measures = inputs.settings.measures.iter().filter(|measure| measure.value == MeasureValue::Objectives);
        Whole { book, objectives: measures.map(|measure| measure.id.as_str()).collect() }
    }

    fn is_paid_whole(&self, component: &Component) -> bool {
        component.earnings.is_some()
            || !component.uses.is_empty()
            || component.rank.is_some()
            || component.pool.is_some()
            || self.objectives.contains(component.measure.as_str())
    }

    /// The first day of the period of a day.
    fn start(&self, day: i32) -> i32 {
        let periods = &self.book.calendar.periods;
        let at = periods.partition_point(|period| period.until.0 <= day);
        periods.get(at).map_or(day, |period| period.from.0.min(day))
    }

    /// Days under one part, moved to where periods start; what no period ends in is left out.
    fn moved(&self, cuts: &[(i32, i32, usize)]) -> Vec<(i32, i32, usize)> {
        let mut moved: Vec<(i32, i32, usize)> = Vec::with_capacity(cuts.len());
        for (from, until, part) in cuts {
            let from = if moved.is_empty() { *from } else { self.start(*from) };
            while moved.last().is_some_and(|last| last.0 >= from) {
                moved.pop();
            }
            if let Some(last) = moved.last_mut() {
                last.1 = last.1.min(from);
            }
            match moved.last_mut() {
                Some(last) if last.2 == *part => last.1 = *until,
                _ => moved.push((from, *until, *part)),
            }
        }
        moved
    }
}

/// One component in all its forms. A payee's days on it are cut only where another form begins.
fn line(
    id: &str,
    documents: &[Plan],
    restarts: &[Option<i32>],
    stints: &BTreeMap<u32, Vec<Stint>>,
    assignments: &BTreeMap<u32, Vec<Assignment>>,
    whole: &Whole<'_>,
) -> Line {
    let mut line = Line { component_id: id.to_owned(), ..Line::default() };
    let is_whole = documents.iter().flat_map(|own| &own.components).any(|own| own.id == id && whole.is_paid_whole(own));
    let mut part_of: Vec<Option<usize>> = Vec::with_capacity(documents.len());
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (document, since) in documents.iter().zip(restarts) {
        let part = document.components.iter().find(|component| component.id == id).map(|component| Part {
            component: component.clone(),
            ramp: document.ramp.clone(),
            target_from: document.target_from.clone(),
            tables: component.reads(&document.tables).map(|(name, table)| (name.clone(), table.clone())).collect(),
            since: since.map(|day| if is_whole { whole.start(day) } else { day }),
        });
        part_of.push(part.map(|part| {
            *known.entry(paying(&part)).or_insert_with(|| {
                line.parts.push(part);
                line.parts.len() - 1
            })
        }));
    }
    line.stays = vec![BTreeMap::new(); line.parts.len()];
    for (payee, list) in stints {
        let mut cuts: Vec<(i32, i32, usize)> = Vec::new();
        let mut present: Vec<(i32, i32)> = Vec::new();
        for stint in list {
            let Some(part) = part_of[stint.document] else { continue };
            present.push((stint.from, stint.until));
            match cuts.last_mut() {
                // Days between that are not on the component do not part what is under the same terms.
                Some(last) if last.2 == part => last.1 = stint.until,
                _ => cuts.push((stint.from, stint.until, part)),
            }
        }
        if is_whole {
            cuts = whole.moved(&cuts);
        }
        let own = assignments.get(payee).map_or(&[][..], Vec::as_slice);
        let on_component = |one: &Assignment| {
            let days =
                present.iter().map(|(from, until)| (one.from.max(*from), one.until.min(*until))).filter(|(from, until)| from < until);
            days.map(|(from, until)| Assignment { from, until, ..*one }).collect::<Vec<_>>()
        };
        let assigned: Vec<Assignment> =
            if present.len() == list.len() { own.to_vec() } else { own.iter().flat_map(on_component).collect() };
        let parts: BTreeSet<usize> = cuts.iter().map(|cut| cut.2).collect();
        let is_uncut = parts.len() == 1 && parts.iter().all(|part| line.parts[*part].since.is_none());
        let stay = Stay { assignments: assigned, cuts: if is_uncut { Vec::new() } else { cuts } };
        for part in parts {
            line.stays[part].insert(*payee, stay.clone());
        }
    }
    line
}

/// All that decides what a component pays, as one text.
fn paying(part: &Part) -> String {
    let component = Component { name: String::new(), clause: None, ..part.component.clone() };
    serde_json::to_string(&(component, &part.ramp, &part.target_from, &part.tables, part.since)).unwrap_or_default()
}

impl Stay {
    /// The days of a period that are calculated by themselves under one part: all of the period where nothing else is between.
    pub fn slices(&self, part: usize, period: &Period) -> Vec<(i32, i32)> {
        let (from, until) = (period.from.0, period.until.0);
        let mut slices = Vec::new();
        for (place, (start, end, own)) in self.cuts.iter().enumerate() {
            if *own != part {
                continue;
            }
            // Up to the neighbours: days on no plan between belong to the earlier one.
            let first = if place == 0 { i32::MIN } else { *start };
            let last = self.cuts.get(place + 1).map_or(i32::MAX, |next| next.0);
            if *start < until && from < *end {
                slices.push((from.max(first), until.min(last)));
            }
        }
        if self.cuts.is_empty() { vec![(from, until)] } else { slices }
    }

    /// The slice that a day lies in.
    pub fn slice_on(&self, part: usize, period: &Period, day: i32) -> Option<(i32, i32)> {
        self.slices(part, period).into_iter().find(|(from, until)| *from <= day && day < *until)
    }
}
