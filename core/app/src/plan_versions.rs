//! Plans as they hold on a day and for a payee: versions in force, assignments by name and by rule, other values for one payee,
//! and the explanation of which plan applies and which does not.

use crate::access::Caller;
use crate::folder::{Company, PlanFile};
use crate::refusal::Refusal;
use crate::view::View;
use attain_calc::{Assignments, explain_assignment};
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::overrides::{value_at, with_value};
use attain_domain::plan::Plan;
use attain_domain::{Calendar, Day};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A value of the plan that is another one for this payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OverrideView {
    pub path: String,
    pub value: String,
    /// What the plan says; `null` where it says nothing there.
    pub otherwise: Option<String>,
}

/// An assignment or a rule that puts a payee on a plan at some time, and what becomes of it on the day asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanReason {
    pub plan_id: String,
    pub plan_name: String,
    /// `own`, `position`, `role` or `team`; a more specific one replaces all that are less specific.
    pub level: String,
    /// `null` for an assignment of her own.
    pub rule_id: Option<String>,
    pub from: String,
    /// The first day on which it no longer holds; `null` for no end.
    pub until: Option<String>,
    /// In company currency.
    pub target: Option<String>,
    /// First day of the version in force; `null` for one that holds from the beginning.
    pub version: Option<String>,
    /// Its file in `plans/`; `null` where no version is in force.
    pub plan_file: Option<String>,
    pub applied: bool,
    /// `null` where it applies.
    pub why_not: Option<String>,
    pub overrides: Vec<OverrideView>,
}

/// Which plans a payee is on on a day, and why not on others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanReasons {
    pub payee_id: String,
    pub on: String,
    /// Those that apply first.
    pub plans: Vec<PlanReason>,
}

fn start(plan: &Plan) -> i32 {
    plan.from.map_or(i32::MIN, |day| day.0)
}

impl Company {
    /// The versions of a plan in order of time.
    pub fn plan_versions(&self, plan_id: &str) -> Vec<&PlanFile> {
        let mut versions: Vec<&PlanFile> = self.plans.iter().filter(|file| file.plan.id == plan_id).collect();
        versions.sort_by_key(|file| start(&file.plan));
        versions
    }

    /// The version of a plan in force on a day; the earliest where the day lies before all.
    pub fn plan_on(&self, plan_id: &str, day: Day) -> Option<&PlanFile> {
        let versions = self.plan_versions(plan_id);
        versions.iter().rfind(|file| start(&file.plan) <= day.0).or(versions.first()).copied()
    }

    /// The version of a plan in force on the last day of a period.
    pub fn plan_in(&self, plan_id: &str, period_id: &str) -> Option<&PlanFile> {
        match self.plan_versions(plan_id).as_slice() {
            [] => None,
            [only] => Some(only),
            _ => self.plan_on(plan_id, self.last_day(period_id)?),
        }
    }

    fn last_day(&self, period_id: &str) -> Option<Day> {
        let calendar = Calendar::new(&self.settings.calendar).ok()?;
        let period = &calendar.periods[calendar.index_of(period_id)?];
        Some(Day(period.until.0 - 1))
    }

    /// The plan as it holds for a payee on a day, with the values that are others for her.
    pub fn plan_for(&self, plan_id: &str, payee_id: &str, day: Day) -> Option<Plan> {
        let plan = &self.plan_on(plan_id, day)?.plan;
        let values = self.overrides_of(plan_id, payee_id, day);
        let put = |plan: Plan, (path, value): (String, String)| with_value(&plan, &path, &value).unwrap_or(plan);
        Some(values.into_iter().fold(plan.clone(), put))
    }

    /// As [`Company::plan_for`], on the last day of a period.
    pub fn plan_for_period(&self, plan_id: &str, payee_id: &str, period_id: &str) -> Option<Plan> {
        self.plan_for(plan_id, payee_id, self.last_day(period_id)?)
    }

    /// As [`Company::overrides_of`], on the days of a period.
    pub fn overrides_in(&self, plan_id: &str, payee_id: &str, period_id: &str) -> Vec<(String, String)> {
        let has_any = self.tables.get("plan_overrides").is_some_and(|table| table.row_count() > 0);
        let Some(calendar) = has_any.then(|| Calendar::new(&self.settings.calendar).ok()).flatten() else { return Vec::new() };
        let Some(period) = calendar.index_of(period_id).map(|at| &calendar.periods[at]) else { return Vec::new() };
        self.overrides_between(plan_id, payee_id, period.from, period.until)
    }

    /// Path and value of what is another one for a payee on a day.
    pub fn overrides_of(&self, plan_id: &str, payee_id: &str, day: Day) -> Vec<(String, String)> {
        self.overrides_between(plan_id, payee_id, day, Day(day.0 + 1))
    }

    fn overrides_between(&self, plan_id: &str, payee_id: &str, start: Day, end: Day) -> Vec<(String, String)> {
        let Some(table) = self.tables.get("plan_overrides") else { return Vec::new() };
        let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row));
        let number = |name: &str, row: usize| {
            table.numbers(name).and_then(|own| own.get(row)).copied().filter(|value| *value != attain_domain::NULL_NUMBER)
        };
        let holds = |row: &usize| {
            text("payee_id", *row) == Some(payee_id)
                && text("plan_id", *row) == Some(plan_id)
                && number("from_on", *row).is_some_and(|from| from < i64::from(end.0))
                && number("until_on", *row).is_none_or(|until| i64::from(start.0) < until)
        };
        let rows = (0..table.row_count()).filter(holds);
        rows.filter_map(|row| Some((text("path", row)?.to_owned(), text("value", row)?.to_owned()))).collect()
    }

    /// Who is on which plan when.
    pub fn assignments(&self) -> Assignments {
        let plans: Vec<Plan> = self.plans.iter().map(|file| file.plan.clone()).collect();
        Assignments::new(&plans, &|name| self.tables.get(name))
    }

    /// The plans of each payee on a day, for those who are on any.
    pub fn plans_on(&self, day: Day) -> BTreeMap<String, Vec<String>> {
        let assignments = self.assignments();
        let own = |payee: &str| assignments.on(payee, day).into_iter().map(str::to_owned).collect::<Vec<_>>();
        assignments.payees().map(|payee| (payee.to_owned(), own(payee))).filter(|(_, plans)| !plans.is_empty()).collect()
    }

    /// Which plans a payee is on on a day, which not, and why.
    pub fn explain_plans(&self, payee_id: &str, day: Day) -> PlanReasons {
        let plans: Vec<Plan> = self.plans.iter().map(|file| file.plan.clone()).collect();
        let reasons = explain_assignment(&plans, &|name| self.tables.get(name), payee_id, day).into_iter().map(|own| {
            let in_force = self.plan_on(&own.plan_id, day).filter(|file| start(&file.plan) <= day.0);
            PlanReason {
                plan_name: in_force
                    .map(|file| file.plan.name.clone())
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| own.plan_id.clone()),
                level: own.level.name().to_owned(),
                rule_id: own.rule_id,
                from: own.from.to_string(),
                until: own.until.map(|day| day.to_string()),
                target: own.target.map(|target| fixed::format(target, MONEY_SCALE)),
                version: own.version.map(|day| day.to_string()),
                plan_file: in_force.map(|file| file.file.clone()),
                applied: own.applied,
                why_not: own.why_not,
                overrides: own
                    .overrides
                    .into_iter()
                    .map(|(path, value)| {
                        let otherwise = in_force.and_then(|file| value_at(&file.plan, &path));
                        OverrideView { path, value, otherwise }
                    })
                    .collect(),
                plan_id: own.plan_id,
            }
        });
        PlanReasons { payee_id: payee_id.to_owned(), on: day.to_string(), plans: reasons.collect() }
    }
}

impl View {
    /// Which plans a payee is on on a day, where the caller may see her pay of that day.
    pub fn plan_reasons(&self, caller: &Caller, payee_id: &str, on: Option<Day>) -> Result<PlanReasons, Refusal> {
        let visible = self.known_payee(caller, payee_id)?;
        let today = || Day::from_date(chrono::Utc::now().date_naive());
        let day = on.unwrap_or_else(today);
        if !visible.sees(payee_id, day, Day(day.0 + 1)) {
            return Err(crate::view::unknown_payee(payee_id));
        }
        Ok(self.company.company.explain_plans(payee_id, day))
    }
}
