//! What a plan and the rows about it must be: versions, ramps and targets, rules that name somebody, other values that fit.

use super::PlanFile;
use super::check::problem;
use super::problem::{Problem, Problems, advice};
use super::rows::Sheet;
use attain_domain::NULL_NUMBER;
use attain_domain::overrides::{Unfit, with_value};
use attain_domain::plan::Plan;
use attain_domain::settings::Settings;
use attain_domain::terms::OnStart;
use attain_domain::tiers::TierTable;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

type Sheets = BTreeMap<&'static str, Sheet>;

/// The problem of a plan that is the same version as one that was read before it.
pub(super) fn same_version(path: &str, plan: &Plan, others: &[PlanFile]) -> Option<Problem> {
    let other = others.iter().find(|other| other.plan.id == plan.id && other.plan.from == plan.from)?;
    let message = match plan.from {
        None => format!(
            "is the id of the plan in `plans/{}` too; choose another, or write `from`, the first day on which this version of it holds",
            other.file
        ),
        Some(day) => format!("has a version from {day} in `plans/{}` too; write another `from`", other.file),
    };
    Some(Problem::new(path, message).value(&plan.id))
}

/// What is wrong with versions, ramps and targets of a plan: path, value and message.
pub(super) fn terms(plan: &Plan) -> Vec<(Vec<&'static str>, Option<String>, String)> {
    let mut wrong: Vec<(Vec<&'static str>, Option<String>, String)> = Vec::new();
    if plan.on_start == OnStart::Restart && plan.from.is_none() {
        wrong.push((vec!["on_start"], None, "a version that starts again needs `from`, its first day".to_owned()));
    }
    if let Some(ramp) = &plan.ramp {
        if ramp.factors.is_empty() {
            wrong.push((vec!["ramp", "factors"], None, "the ramp has no factors; write one for each step".to_owned()));
        }
        let is_factor = |factor: &&Decimal| (Decimal::ZERO..=Decimal::TEN).contains(*factor);
        for factor in ramp.factors.iter().filter(|factor| !is_factor(factor)) {
            wrong.push((vec!["ramp", "factors"], Some(factor.to_string()), "is no factor; write a number from 0 to 10".to_owned()));
        }
    }
    if let Some(target) = &plan.target_from {
        if target.param.trim().is_empty() {
            wrong.push((vec!["target_from", "param"], None, "`param` is empty; write the name of a parameter".to_owned()));
        }
        if !(Decimal::ZERO..=Decimal::ONE).contains(&target.variable) {
            wrong.push((
                vec!["target_from", "variable"],
                Some(target.variable.to_string()),
                "is not a share; write a number from 0 to 1".to_owned(),
            ));
        }
        if target.periods_per_year == 0 {
            wrong.push((
                vec!["target_from", "periods_per_year"],
                Some("0".to_owned()),
                "is no number of periods; write 12 for months".to_owned(),
            ));
        }
    }
    wrong
}

/// Rules that find nobody by what they say, and other values that do not fit the plan on their days.
pub(super) fn rows(sheets: &Sheets, settings: Option<&Settings>, plans: &[PlanFile], problems: &mut Problems) {
    rules(sheets, problems);
    overrides(sheets, settings, plans, problems);
}

fn rules(sheets: &Sheets, problems: &mut Problems) {
    let sheet = &sheets["plan_rules"];
    let text = |name: &str, row: usize| sheet.table.texts(name).and_then(|own| own.get(row));
    let positions = &sheets["positions"];
    let roles: BTreeSet<&str> =
        positions.table.texts("role").map(|own| own.dictionary.iter().map(String::as_str).collect()).unwrap_or_default();
    for row in 0..sheet.table.row_count() {
        if ["position_id", "role", "team_id"].into_iter().all(|name| text(name, row).is_none()) {
            let id = text("rule_id", row).unwrap_or_default();
            problems.push(problem(sheet, row, "rule_id", id, "names nobody; write a position, a role or a team"));
        }
        if let Some(role) = text("role", row)
            && positions.complete
            && !roles.contains(role)
        {
            let advice = advice(role, roles.iter().copied(), "give it to a position in positions.csv");
            problems.push(problem(sheet, row, "role", role, format!("is the role of no position{advice}")));
        }
    }
}

fn overrides(sheets: &Sheets, settings: Option<&Settings>, plans: &[PlanFile], problems: &mut Problems) {
    let sheet = &sheets["plan_overrides"];
    let table = &sheet.table;
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).unwrap_or_default();
    let day = |name: &str, row: usize| {
        table.numbers(name).and_then(|own| own.get(row)).filter(|value| **value != NULL_NUMBER).and_then(|value| i32::try_from(*value).ok())
    };
    // The same value for many payees is looked at once.
    let mut known: BTreeMap<(String, usize, &str, &str), Result<(), Unfit>> = BTreeMap::new();
    for row in 0..table.row_count() {
        let (plan_id, path, value) = (text("plan_id", row), text("path", row), text("value", row));
        let (from, until) = (day("from_on", row).unwrap_or(i32::MIN), day("until_on", row).unwrap_or(i32::MAX));
        let mut versions: Vec<&Plan> = plans.iter().map(|file| &file.plan).filter(|plan| plan.id == plan_id).collect();
        versions.sort_by_key(|plan| plan.from);
        for (place, plan) in versions.iter().enumerate() {
            let start = plan.from.map_or(i32::MIN, |day| day.0);
            let end = versions.get(place + 1).and_then(|next| next.from).map_or(i32::MAX, |day| day.0);
            if until <= start || end <= from {
                continue;
            }
            let key = (plan_id.to_owned(), place, path, value);
            let judged = known.entry(key).or_insert_with(|| with_value(plan, path, value).and_then(|plan| sense(&plan, settings)));
            let version = plan.from.map_or_else(String::new, |day| format!(" from {day}"));
            match judged {
                Ok(()) => {}
                Err(Unfit::Path { known }) => {
                    let all = known.iter().map(String::as_str);
                    let otherwise = format!(
                        "a path is the id of a component and the keys below it, for example `{}`",
                        known.first().map_or("", String::as_str)
                    );
                    let advice = advice(path, all, &otherwise);
                    problems.push(problem(sheet, row, "path", path, format!("is no value of plan `{plan_id}`{version}{advice}")));
                    break;
                }
                Err(Unfit::Value { message }) => {
                    let message = format!("does not fit plan `{plan_id}`{version}: {message}");
                    problems.push(problem(sheet, row, "value", value, message));
                    break;
                }
            }
        }
    }
}

/// Whether the plan still makes sense with the value: its tier tables, measures and terms.
fn sense(plan: &Plan, settings: Option<&Settings>) -> Result<(), Unfit> {
    let wrong = |message: String| Err(Unfit::Value { message });
    if let Some((_, _, message)) = terms(plan).into_iter().next() {
        return wrong(message);
    }
    if let Some(defect) = plan.defects().into_iter().next() {
        return wrong(defect.message);
    }
    for component in &plan.components {
        if component.settings.get("tiers").is_some() {
            match serde_json::from_value::<TierTable>(component.settings.clone()) {
                Ok(table) => {
                    if let Some(defect) = table.defects().into_iter().next() {
                        return wrong(defect);
                    }
                }
                Err(error) => return wrong(error.to_string()),
            }
        }
        if let Some(settings) = settings {
            let measure = Some(&component.measure).filter(|measure| !measure.is_empty());
            let used = [measure, component.quota.as_ref()].into_iter().flatten().chain(component.inputs.values());
            for measure in used {
                if settings.measures.iter().all(|own| own.id != *measure) {
                    return wrong(format!("`{measure}` is no measure"));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::Day;

    #[test]
    fn versions_are_told_apart_by_their_first_day() {
        let plan =
            |from: Option<&str>| Plan { id: "p".to_owned(), from: from.map(|day| day.parse::<Day>().expect("a day")), ..Plan::default() };
        let file = |from| PlanFile { file: "a.toml".to_owned(), text: String::new(), plan: plan(from) };
        let problem = |own: Option<&str>, other| same_version("plans/b.toml", &plan(own), &[file(other)]).map(|own| own.to_string());
        assert_eq!(problem(Some("2026-07-01"), None), None);
        assert!(problem(None, None).is_some_and(|text| text.contains("`plans/a.toml` too; choose another, or write `from`")));
        assert!(problem(Some("2026-07-01"), Some("2026-07-01")).is_some_and(|text| text.contains("from 2026-07-01")));
    }
}
