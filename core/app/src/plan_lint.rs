//! What is allowed in plans but seldom meant, where people see it: beside a plan, at the load of a company, before a change is approved. It
//! refuses nothing. What is looked for stands in `attain_domain::lint`.

use crate::Instance;
use crate::access::{Action, Caller};
use crate::changes::ChangeKind;
use crate::folder::{Company, PlanFile};
use crate::refusal::Refusal;
use attain_domain::finding::Severity;
use attain_domain::lint::lint;
use attain_domain::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const TEXT_BYTES_MAX: usize = 1 << 20;

/// Something to look at in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanLint {
    /// In `plans/`.
    pub file: String,
    pub plan_id: String,
    /// First day of the version; `null` for one that holds from the beginning.
    pub version: Option<String>,
    /// `info` or `warning`.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// Stable: `tier-hole`, `tier-gap`, `pay-cliff`, `pay-falls` and others.
    pub code: String,
    /// The component, or the table as `tables.<name>`.
    pub place: String,
    pub message: String,
    /// Whether the plan in force says the same already; so everywhere but in a change.
    pub known: bool,
}

impl std::fmt::Display for PlanLint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = if self.severity == Severity::Info { "note" } else { "warning" };
        write!(formatter, "{severity}: plans/{}, {}: {} ({})", self.file, self.place, self.message, self.code)
    }
}

/// A version of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanVersionView {
    /// In `plans/`.
    pub file: String,
    /// First day of the version; `null` for one that holds from the beginning.
    pub from: Option<String>,
    /// The first day on which another one holds; `null` for no end.
    pub until: Option<String>,
    pub text: String,
    pub lints: Vec<PlanLint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanSummary {
    pub plan_id: String,
    pub name: String,
    /// First days of its versions, oldest first.
    pub versions: Vec<Option<String>>,
    pub warning_count: usize,
    pub note_count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanView {
    pub plan_id: String,
    pub name: String,
    /// Oldest first.
    pub versions: Vec<PlanVersionView>,
}

/// The text of a plan that somebody writes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSource {
    /// In `plans/`; a new one makes a new version or a new plan.
    pub file: String,
    pub text: String,
}

/// What is wrong with a text, a line each, and what is to be looked at in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanCheck {
    /// Empty where the company can be calculated with it.
    pub problems: Vec<String>,
    pub lints: Vec<PlanLint>,
}

fn of_file(file: &str, plan: &Plan) -> Vec<PlanLint> {
    let shown = |own: attain_domain::lint::Lint| PlanLint {
        file: file.to_owned(),
        plan_id: plan.id.clone(),
        version: plan.from.map(|day| day.to_string()),
        severity: own.severity,
        code: own.code.to_owned(),
        place: own.place,
        message: own.message,
        known: true,
    };
    lint(plan).into_iter().map(shown).collect()
}

/// Of all plans of a company, in the order of their files.
pub(crate) fn of_company(company: &Company) -> Vec<PlanLint> {
    company.plans.iter().flat_map(|own| of_file(&own.file, &own.plan)).collect()
}

/// Of texts of plans by file, told apart from what the present company says already. What cannot be read is passed over: submitting it
/// says why.
fn of_texts<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>, have: &Company) -> Vec<PlanLint> {
    let before = of_company(have);
    let mut all: Vec<PlanLint> = texts
        .filter_map(|(file, text)| Some((file, toml::from_str::<Plan>(text).ok()?)))
        .flat_map(|(file, plan)| of_file(file, &plan))
        .collect();
    for own in &mut all {
        let is_same = |old: &PlanLint| (&old.file, &old.code, &old.place, &old.message) == (&own.file, &own.code, &own.place, &own.message);
        own.known = before.iter().any(is_same);
    }
    all
}

/// What is to be looked at in the plans that a change brings.
pub(crate) fn of_change(kind: ChangeKind, payload: &serde_json::Value, have: &Company) -> Vec<PlanLint> {
    match kind {
        ChangeKind::Plan => of_texts(payload["file"].as_str().zip(payload["text"].as_str()).into_iter(), have),
        ChangeKind::Company => {
            let files = payload["files"].as_object().into_iter().flatten();
            let plans = files.filter_map(|(path, text)| Some((path.strip_prefix("plans/")?, text.as_str()?)));
            of_texts(plans, have)
        }
        _ => Vec::new(),
    }
}

fn name_of(plan: &Plan) -> &str {
    if plan.name.is_empty() { &plan.id } else { &plan.name }
}

impl Instance {
    /// Every plan with how much there is to look at in it.
    pub async fn plans(&self, caller: &Caller) -> anyhow::Result<Vec<PlanSummary>> {
        caller.require(Action::SeeRules)?;
        let view = self.view().await?;
        let company = &view.company.company;
        let mut by_id: BTreeMap<&str, Vec<&PlanFile>> = BTreeMap::new();
        for own in &company.plans {
            by_id.entry(&own.plan.id).or_default();
        }
        for (id, versions) in &mut by_id {
            *versions = company.plan_versions(id);
        }
        let head = |(id, versions): (&str, Vec<&PlanFile>)| {
            let lints: Vec<PlanLint> = versions.iter().flat_map(|own| of_file(&own.file, &own.plan)).collect();
            let of = |severity: Severity| lints.iter().filter(|own| own.severity == severity).count();
            PlanSummary {
                plan_id: id.to_owned(),
                name: versions.last().map_or(id, |own| name_of(&own.plan)).to_owned(),
                versions: versions.iter().map(|own| own.plan.from.map(|day| day.to_string())).collect(),
                warning_count: of(Severity::Warning) + of(Severity::Error),
                note_count: of(Severity::Info),
            }
        };
        Ok(by_id.into_iter().map(head).collect())
    }

    /// A plan with its texts and what is to be looked at in each.
    pub async fn plan(&self, caller: &Caller, plan_id: &str) -> anyhow::Result<PlanView> {
        caller.require(Action::SeeRules)?;
        let view = self.view().await?;
        let versions = view.company.company.plan_versions(plan_id);
        let last = versions.last().ok_or_else(|| Refusal::not_found(format!("there is no plan `{plan_id}`")))?;
        let shown = versions.iter().enumerate().map(|(place, own)| PlanVersionView {
            file: own.file.clone(),
            from: own.plan.from.map(|day| day.to_string()),
            until: versions.get(place + 1).and_then(|next| next.plan.from).map(|day| day.to_string()),
            text: own.text.clone(),
            lints: of_file(&own.file, &own.plan),
        });
        Ok(PlanView { plan_id: plan_id.to_owned(), name: name_of(&last.plan).to_owned(), versions: shown.collect() })
    }

    /// What is wrong with a text of a plan in this company, and what is to be looked at; nothing is stored.
    pub async fn check_plan(&self, caller: &Caller, text: &PlanSource) -> anyhow::Result<PlanCheck> {
        caller.require(Action::SeeRules)?;
        if text.text.len() > TEXT_BYTES_MAX {
            return Err(Refusal::invalid(format!("a plan has at most {TEXT_BYTES_MAX} bytes")).into());
        }
        let view = self.view().await?;
        let have = &view.company.company;
        let mut documents = have.documents();
        documents.insert(format!("plans/{}", text.file), text.text.clone());
        let assembled = tokio::task::block_in_place(|| Company::assemble(&documents, have.tables.values().cloned()));
        let problems = match assembled {
            Ok(with) => match self.check_extensions(&with) {
                Ok(()) => Vec::new(),
                Err(error) => match error.downcast::<Refusal>() {
                    Ok(refusal) if refusal.details.is_empty() => vec![refusal.message],
                    Ok(refusal) => refusal.details,
                    Err(error) => return Err(error),
                },
            },
            Err(problems) => problems.lines(),
        };
        Ok(PlanCheck { problems, lints: of_texts([(text.file.as_str(), text.text.as_str())].into_iter(), have) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIFF: &str = "id = \"p\"\n[[components]]\nid = \"c\"\nmeasure = \"m\"\nformula = \"f\"\n[components.settings]\nmethod = \"whole-amount\"\n\
                         tiers = [{ from = \"0\", until = \"9999.99\", rate = \"0.05\" }, { from = \"10000\", rate = \"0.10\" }]\n";

    const SETTINGS: &str = "format = 1\nname = \"Small\"\ncurrency = \"EUR\"\n[calendar]\npattern = \"months\"\nfirst = \"2026-01-01\"\n\
                            years = 1\n[crediting]\nrules = [{ extension = \"credit-direct\" }]\n[[measures]]\nid = \"m\"\n";

    fn codes(lints: &[PlanLint]) -> Vec<(&str, &str, bool)> {
        lints.iter().map(|own| (own.code.as_str(), own.place.as_str(), own.known)).collect()
    }

    #[test]
    fn what_a_change_brings_is_told_apart_from_what_was_there() {
        let files = BTreeMap::from([("company.toml".to_owned(), SETTINGS.to_owned()), ("plans/p.toml".to_owned(), CLIFF.to_owned())]);
        let have = crate::folder::from_files(&files).expect("a company");
        assert_eq!(codes(&of_company(&have)), [("tier-gap", "c", true), ("pay-falls", "c", true), ("pay-cliff", "c", true)]);
        let steeper = CLIFF.replace("0.10", "0.20").replace("9999.99", "10000");
        let payload = serde_json::json!({ "file": "p.toml", "text": steeper });
        assert_eq!(codes(&of_change(ChangeKind::Plan, &payload, &have)), [("pay-cliff", "c", false)]);
        let same = serde_json::json!({ "files": { "plans/p.toml": CLIFF, "company.toml": SETTINGS } });
        assert_eq!(
            codes(&of_change(ChangeKind::Company, &same, &have)),
            [("tier-gap", "c", true), ("pay-falls", "c", true), ("pay-cliff", "c", true)]
        );
        let broken = serde_json::json!({ "file": "p.toml", "text": "id = " });
        assert!(of_change(ChangeKind::Plan, &broken, &have).is_empty());
        assert!(of_change(ChangeKind::Formula, &payload, &have).is_empty());
        let shown = of_company(&have)[0].to_string();
        assert!(shown.starts_with("warning: plans/p.toml, c: what lies between 9999.99 and 10000 is in no tier"), "{shown}");
    }
}
