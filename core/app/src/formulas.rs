//! Formulas: the scripts that decide pay, their texts and cases, who uses them, how they came to be, and what a draft of one says.

use crate::access::{Action, Caller};
use crate::changes::hash;
use crate::extensions::{SCRIPTS, origin_name};
use crate::folder::Company;
use crate::refusal::Refusal;
use crate::{Instance, shown_ms};
use anyhow::Result;
use attain_domain::point::{Fault, Identity, Origin, Point};
use attain_extend::script::language;
use attain_extend::{Loaded, Manifest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use utoipa::ToSchema;

const SOURCE_BYTES_MAX: usize = 64 << 10;
const CASES_BYTES_MAX: usize = 256 << 10;
const CASES_MAX: usize = 200;
/// Cases that would begin later are not run: somebody waits for the answer.
const CASES_WITHIN: Duration = Duration::from_secs(2);

/// Where a formula is used; `plan_id` and `component_id` for pay, else the place in `company.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsedBy {
    pub plan_id: Option<String>,
    pub component_id: Option<String>,
    /// `plan`, `crediting`, `kpis`, `insights`, `territory`, `quota`, `forecast` or `payouts`.
    pub place: &'static str,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FormulaHead {
    pub name: String,
    pub point: String,
    /// `rhai` or `wasm`.
    pub origin: String,
    pub version: String,
    pub digest: String,
    /// `company`, `bundled`, `record`, or the path of its file.
    pub source: String,
    pub used_by: Vec<UsedBy>,
    /// Whether a change can give the company its own text of it.
    pub editable: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DraftHead {
    pub change_id: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FormulaView {
    #[serde(flatten)]
    pub head: FormulaHead,
    /// `null` for a Wasm plugin.
    pub source_text: Option<String>,
    pub cases_text: Option<String>,
    #[schema(value_type = Object)]
    pub manifest: serde_json::Value,
    /// What a change of it replaces.
    pub base_digest: String,
    /// The newest change of it that is not decided.
    pub draft: Option<DraftHead>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FormulaVersion {
    /// 0 for the text that Attain came with.
    pub version: i64,
    pub digest: String,
    pub recorded_at: Option<String>,
    pub source_text: String,
    pub cases_text: Option<String>,
    /// `null` where the text was loaded with a company folder.
    pub author: Option<String>,
    pub change_id: Option<String>,
}

/// A name that a script can use.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LanguageName {
    pub name: String,
    /// `input`, `function`, `setting` or `keyword`.
    pub kind: &'static str,
    pub signature: String,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    pub source: String,
    #[serde(default)]
    pub cases: String,
}

/// What is wrong, and where: lines and columns count from one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckError {
    /// `source` or `cases`.
    pub file: &'static str,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CaseResult {
    pub name: String,
    pub passed: bool,
    pub differences: Vec<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Check {
    pub ok: bool,
    pub errors: Vec<CheckError>,
    pub cases: Vec<CaseResult>,
    pub millis: u64,
}

/// What is in force under a name.
pub(crate) struct Now {
    pub identity: Option<Identity>,
    pub place: String,
    pub source: Option<String>,
    pub cases: Option<String>,
}

impl Now {
    /// The digest that a change of it is based on.
    pub fn digest(&self) -> String {
        let wasm =
            self.identity.as_ref().filter(|identity| identity.origin == Origin::Wasm).map_or("", |identity| identity.digest.as_str());
        hash(&[self.source.as_deref().unwrap_or_default(), self.cases.as_deref().unwrap_or_default(), wasm])
    }

    /// Whether a script can take its place.
    pub fn check_successor(&self, name: &str, source: &str) -> Result<(), Refusal> {
        let Some(identity) = &self.identity else { return Ok(()) };
        if identity.origin == Origin::Wasm {
            return Err(Refusal::invalid(format!("`{name}` is a Wasm plugin; give the formula another name and name it in the plan")));
        }
        match Manifest::of_script(source) {
            Ok(manifest) if manifest.point != identity.point => Err(Refusal::invalid(format!(
                "`{name}` is a formula for point `{}`, the text is for point `{}`; give it another name",
                identity.point, manifest.point
            ))),
            _ => Ok(()),
        }
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=64).contains(&name.len()) && name.bytes().all(legal) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("`{name}` is no name of a formula; use up to 64 small letters, digits and hyphens")))
}

fn check_sizes(source: &str, cases: &str) -> Result<(), Refusal> {
    for (what, size, limit) in [("source", source.len(), SOURCE_BYTES_MAX), ("cases", cases.len(), CASES_BYTES_MAX)] {
        if size > limit {
            return Err(Refusal::invalid(format!("`{what}` has {size} bytes; {limit} are allowed")));
        }
    }
    Ok(())
}

/// Compiles the text of a formula; its manifest must say the name.
pub(crate) fn load_draft(name: &str, source: &str, cases: &str) -> Result<Loaded, Refusal> {
    check_name(name)?;
    check_sizes(source, cases)?;
    let loaded = Loaded::script(source, cases).map_err(|fault| Refusal::extension(name, &fault))?;
    if loaded.manifest.name != name {
        return Err(Refusal::invalid(format!(
            "the text calls itself `{}`, the formula is `{name}`; make them equal",
            loaded.manifest.name
        )));
    }
    Ok(loaded)
}

fn used_by(company: &Company, point: Point, name: &str) -> Vec<UsedBy> {
    let settings = &company.settings;
    let place = |place: &'static str| UsedBy { plan_id: None, component_id: None, place };
    match point {
        Point::Compensation => company
            .plans
            .iter()
            .flat_map(|file| file.plan.components.iter().map(move |component| (&file.plan, component)))
            .filter(|(_, component)| component.formula == name)
            // Several versions of a plan are one.
            .map(|(plan, component)| (plan.id.clone(), component.id.clone()))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|(plan, component)| UsedBy { plan_id: Some(plan), component_id: Some(component), place: "plan" })
            .collect(),
        Point::Crediting => settings.crediting.rules.iter().filter(|step| step.extension == name).map(|_| place("crediting")).collect(),
        Point::Kpi => settings.kpis.iter().filter(|step| step.extension == name).map(|_| place("kpis")).collect(),
        Point::Insight => settings.insights.iter().filter(|step| step.extension == name).map(|_| place("insights")).collect(),
        Point::Territory => settings.territory.iter().filter(|step| step.extension == name).map(|_| place("territory")).collect(),
        Point::Quota => settings.quota.iter().filter(|step| step.extension == name).map(|_| place("quota")).collect(),
        Point::Forecast => settings.forecast.iter().filter(|step| step.extension == name).map(|_| place("forecast")).collect(),
        Point::Payout if settings.payouts.export.extension == name => vec![place("payouts")],
        Point::Connector | Point::Payout => Vec::new(),
    }
}

fn head(company: &Company, identity: &Identity, place: String) -> FormulaHead {
    FormulaHead {
        name: identity.name.clone(),
        point: identity.point.name().to_owned(),
        origin: origin_name(identity.origin).to_owned(),
        version: identity.version.clone(),
        digest: identity.digest.0.clone(),
        source: place,
        used_by: used_by(company, identity.point, &identity.name),
        editable: identity.origin == Origin::Rhai,
    }
}

impl Instance {
    /// What is in force under a name: the company's own script, else the active extension. Nothing where the name is free.
    pub(crate) fn formula_now(&self, company: &Company, name: &str) -> Result<Now> {
        if let Some(script) = company.scripts.get(name) {
            let identity = Loaded::script(&script.source, "").map(|loaded| loaded.extension.identity().clone()).ok();
            return Ok(Now { identity, place: "company".to_owned(), source: Some(script.source.clone()), cases: script.cases.clone() });
        }
        let set = self.bundle.set();
        let identity = set.identities().into_iter().find(|((_, own), _)| own == name).map(|(_, identity)| identity.clone());
        let Some(identity) = identity else {
            return Ok(Now { identity: None, place: String::new(), source: None, cases: None });
        };
        let place = self.bundle.source_of(identity.point, name);
        let is_script = identity.origin == Origin::Rhai;
        let source = set.file(&identity).filter(|_| is_script).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        let cases = match place.as_str() {
            "bundled" => SCRIPTS.iter().find(|(own, _, _)| *own == name).map(|(_, _, cases)| (*cases).to_owned()),
            "record" => None,
            path => std::fs::read_to_string(std::path::Path::new(path).with_extension("cases.toml")).ok(),
        };
        Ok(Now { identity: Some(identity), place, source, cases: cases.filter(|_| is_script) })
    }

    /// All formulas and plugins that a calculation or a plan can use, by point and name.
    pub async fn formulas(&self, caller: &Caller) -> Result<Vec<FormulaHead>> {
        caller.require(Action::SeeRules)?;
        let view = self.view().await?;
        let company = &view.company.company;
        let set = self.extensions_for(company)?;
        let place = |identity: &Identity| {
            if company.scripts.contains_key(&identity.name) {
                "company".to_owned()
            } else {
                self.bundle.source_of(identity.point, &identity.name)
            }
        };
        Ok(set.identities().into_values().map(|identity| head(company, identity, place(identity))).collect())
    }

    pub async fn formula(&self, caller: &Caller, name: &str) -> Result<FormulaView> {
        caller.require(Action::SeeRules)?;
        let view = self.view().await?;
        let company = &view.company.company;
        let now = self.formula_now(company, name)?;
        let Some(identity) = &now.identity else { return Err(no_formula(name).into()) };
        let manifest = match (&now.source, identity.origin) {
            (Some(source), Origin::Rhai) => {
                serde_json::to_value(Manifest::of_script(source).map_err(|fault| Refusal::extension(name, &fault))?)?
            }
            _ => {
                let bytes = self.bundle.set().file(identity);
                let loaded = bytes.map(|bytes| {
                    tokio::task::block_in_place(|| self.bundle.load(identity.origin, &bytes, attain_extend::wasm::Grant::default()))
                });
                match loaded {
                    Some(Ok(loaded)) => serde_json::to_value(&loaded.manifest)?,
                    _ => serde_json::Value::Null,
                }
            }
        };
        let mut connection = self.database.glance().await?;
        let draft = attain_store::changes::open_of(&mut connection, "formula", name).await?;
        Ok(FormulaView {
            head: head(company, identity, now.place.clone()),
            base_digest: now.digest(),
            source_text: now.source,
            cases_text: now.cases,
            manifest,
            draft: draft.map(|change_id| DraftHead { change_id }),
        })
    }

    /// The texts that the formula had, oldest first. A version begins where the text or its cases changed.
    pub async fn formula_history(&self, caller: &Caller, name: &str) -> Result<Vec<FormulaVersion>> {
        caller.require(Action::SeeRules)?;
        let mut read = self.database.read().await?;
        let source_path = format!("scripts/{name}.rhai");
        let sources = attain_store::documents::history(&mut read, &source_path).await?;
        let cases_path = format!("scripts/{name}.cases.toml");
        let cases = attain_store::documents::history(&mut read, &cases_path).await?;
        let origins = attain_store::changes::origins(&mut read, &source_path).await?;
        let case_origins = attain_store::changes::origins(&mut read, &cases_path).await?;
        drop(read);
        let digest = |source: &str| attain_store::digest(source.as_bytes());
        let mut versions = Vec::new();
        if let Some((_, source, cases)) = SCRIPTS.iter().find(|(own, _, _)| *own == name) {
            versions.push(FormulaVersion {
                version: 0,
                digest: digest(source),
                recorded_at: None,
                source_text: (*source).to_owned(),
                cases_text: Some((*cases).to_owned()),
                author: None,
                change_id: None,
            });
        }
        let at: BTreeSet<i64> = sources.iter().chain(&cases).map(|own| own.recorded_at).collect();
        let mut number = 0;
        for at in at {
            let in_force = |own: &&attain_store::documents::Version| own.recorded_at <= at && own.superseded_at.is_none_or(|end| at < end);
            let Some(source) = sources.iter().rfind(in_force) else { continue };
            let own_cases = cases.iter().rfind(in_force);
            let origin = origins.iter().find(|own| own.version == source.version && source.recorded_at == at).or_else(|| {
                case_origins.iter().find(|own| own_cases.is_some_and(|cases| cases.version == own.version && cases.recorded_at == at))
            });
            number += 1;
            versions.push(FormulaVersion {
                version: number,
                digest: digest(&source.body),
                recorded_at: Some(shown_ms(at)),
                source_text: source.body.clone(),
                cases_text: own_cases.map(|own| own.body.clone()),
                author: origin.map(|own| own.author.clone()),
                change_id: origin.map(|own| own.change_id.clone()),
            });
        }
        if versions.is_empty() {
            return Err(no_formula(name).into());
        }
        Ok(versions)
    }

    /// The names that a script can use at a point, with those that plans and the script named `formula` add.
    pub async fn formula_language(&self, caller: &Caller, point: &str, formula: Option<&str>) -> Result<Vec<LanguageName>> {
        caller.require(Action::SeeRules)?;
        let known = Point::from_name(point).ok_or_else(|| {
            let names: Vec<&str> = Point::ALL.into_iter().map(Point::name).collect();
            Refusal::invalid(format!("`{point}` is no point; write one of {}", names.join(", ")))
        })?;
        let view = self.view().await?;
        let company = &view.company.company;
        let mut names = language::language(known);
        if let Some(formula) = formula
            && let Some(source) = self.formula_now(company, formula)?.source
        {
            names.extend(language::settings(formula, &source).unwrap_or_default());
        }
        let mut names: Vec<LanguageName> = names
            .into_iter()
            .map(|own| LanguageName { name: own.name, kind: own.kind.name(), signature: own.signature, doc: own.doc })
            .collect();
        if known == Point::Compensation {
            let components = || company.plans.iter().flat_map(|file| &file.plan.components);
            let own: BTreeSet<(String, String)> = components()
                .flat_map(|component| {
                    let inputs = component
                        .inputs
                        .iter()
                        .map(|(name, measure)| (format!("inputs.{name}"), format!("The measure `{measure}`, to date.")));
                    let earned = component.uses.keys().map(|name| (format!("inputs.{name}"), "What another component earned.".to_owned()));
                    let made = [
                        (component.rank.is_some(), ["inputs.rank", "inputs.rank_count"].as_slice(), "The rank, and how many are ranked."),
                        (component.pool.is_some(), &["inputs.pool", "inputs.pool_total"], "The share of the pool, and the pool."),
                        (component.rates.is_some(), &["inputs.units"], "The units of the credit."),
                        (component.rates.is_some(), &["params.rate", "params.per_unit", "params.fee"], "What the rate rules give."),
                    ];
                    let made = made.into_iter().filter(|(is_there, ..)| *is_there);
                    let made = made.flat_map(|(_, names, doc)| names.iter().map(|name| ((*name).to_owned(), doc.to_owned())));
                    let looked = component
                        .lookups
                        .iter()
                        .map(|(name, table)| (format!("params.{name}"), format!("What the table `{table}` gives.")));
                    let inputs = inputs.chain(earned).chain(made.collect::<Vec<_>>()).chain(looked);
                    let params = component
                        .params
                        .keys()
                        .map(|name| (format!("params.{name}"), "A value of the payee, else of the component.".to_owned()));
                    inputs.chain(params).collect::<Vec<_>>()
                })
                .collect();
            names.extend(own.into_iter().map(|(name, doc)| LanguageName { signature: name.clone(), name, kind: "input", doc }));
        }
        Ok(names)
    }

    /// Compiles a text and runs its cases; nothing is stored.
    pub async fn check_formula(&self, caller: &Caller, name: &str, request: &CheckRequest) -> Result<Check> {
        caller.require(Action::SeeRules)?;
        check_name(name)?;
        check_sizes(&request.source, &request.cases)?;
        crate::impact::in_turn(|| checked(name, request)).await
    }
}

fn no_formula(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no formula `{name}`"))
}

fn checked(name: &str, request: &CheckRequest) -> Check {
    let started = Instant::now();
    let error = |file: &'static str, fault: &Fault| CheckError {
        file,
        line: fault.line.unwrap_or(1),
        column: fault.column.unwrap_or(1),
        message: fault.message.clone(),
    };
    let mut errors = Vec::new();
    let script = Loaded::script(&request.source, "");
    match &script {
        Err(fault) => errors.push(error("source", fault)),
        Ok(loaded) if loaded.manifest.name != name => {
            let message = format!("the text calls itself `{}`, the formula is `{name}`; make them equal", loaded.manifest.name);
            errors.push(CheckError { file: "source", line: 1, column: 1, message });
        }
        Ok(_) => {}
    }
    let cases = match attain_extend::cases::parse(&request.cases) {
        Ok(cases) if cases.len() <= CASES_MAX => cases,
        Ok(cases) => {
            let message = format!("there are {} cases; {CASES_MAX} are allowed", cases.len());
            errors.push(CheckError { file: "cases", line: 1, column: 1, message });
            Vec::new()
        }
        Err(fault) => {
            errors.push(error("cases", &fault));
            Vec::new()
        }
    };
    let mut results = Vec::new();
    if let Ok(loaded) = &script {
        for case in &cases {
            let late = started.elapsed() > CASES_WITHIN;
            let differences = if late {
                vec!["was not run: the cases before it took too long".to_owned()]
            } else {
                attain_extend::cases::run(loaded.extension.as_ref(), std::slice::from_ref(case))
                    .into_iter()
                    .flat_map(|own| own.differences)
                    .collect()
            };
            results.push(CaseResult { name: case.name.clone(), passed: differences.is_empty(), differences });
        }
    }
    Check {
        ok: errors.is_empty() && results.iter().all(|case| case.passed),
        errors,
        cases: results,
        millis: started.elapsed().as_millis() as u64,
    }
}
