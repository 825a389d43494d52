//! `attain test`: each company folder is loaded into a throw-away database, calculated and compared with its `expected/`.

pub(crate) mod payouts;

use crate::expected::{self, Difference};
use crate::{Config, Instance, folder};
use anyhow::Result;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What became of one folder. It passed when nothing is listed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CaseOutcome {
    pub folder: String,
    pub problems: Vec<String>,
    pub differences: Vec<Difference>,
}

impl CaseOutcome {
    pub fn passed(&self) -> bool {
        self.problems.is_empty() && self.differences.is_empty()
    }
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub cases: Vec<CaseOutcome>,
}

impl Report {
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.passed()).count()
    }

    pub fn failed(&self) -> usize {
        self.cases.len() - self.passed()
    }
}

/// Tests every folder, in a database of its own below a temporary folder. `done` is called after each with its name.
pub async fn test(config: &Config, dirs: &[PathBuf], done: &(dyn Fn(&str) + Sync)) -> Result<Report> {
    let scratch = tempfile::tempdir()?;
    let registry = crate::extensions::bundled(&config.plugins)?;
    let mut cases = Vec::new();
    for (index, dir) in dirs.iter().enumerate() {
        let own = Config {
            database: format!("sqlite:{}", scratch.path().join(format!("{index}.db")).display()),
            home: Some(scratch.path().join(format!("{index}.home"))),
            plugins: config.plugins.clone(),
            actor: config.actor.clone(),
            oidc: None,
            outward: crate::outbox::OutwardConfig::default(),
        };
        let name = dir.display().to_string();
        cases.push(test_one(&own, registry.clone(), dir, name.clone()).await);
        done(&name);
    }
    Ok(Report { cases })
}

async fn test_one(config: &Config, registry: crate::extensions::Bundle, dir: &Path, name: String) -> CaseOutcome {
    let mut outcome = CaseOutcome { folder: name, problems: Vec::new(), differences: Vec::new() };
    let company = match folder::read(dir) {
        Ok(company) => company,
        Err(problems) => {
            outcome.problems = problems.lines();
            return outcome;
        }
    };
    if company.expected.is_empty() {
        outcome.problems.push(NOTHING_EXPECTED.to_owned());
        return outcome;
    }
    if let Err(error) = run_steps(config, registry, dir, &company, &mut outcome).await {
        outcome.problems.push(format!("{error:#}"));
    }
    outcome
}

/// The name of the folder with what happens afterwards: each of its folders, in order of name, holds files that replace those of the
/// company, and what is expected then.
pub(crate) const THEN: &str = "then";

/// Calculates the company, then what it is after each step of `then/`.
async fn run_steps(
    config: &Config,
    registry: crate::extensions::Bundle,
    dir: &Path,
    company: &folder::Company,
    outcome: &mut CaseOutcome,
) -> Result<()> {
    let instance = Instance::open_with(config, registry).await?;
    instance.load_company(company, &outcome.folder).await?;
    let mut payroll = payouts::Payroll::default();
    outcome.differences = differences(&instance, company, Some((&mut payroll, dir))).await?;
    let mut steps: Vec<PathBuf> = dir.join(THEN).read_dir().map(|all| all.flatten().map(|own| own.path()).collect()).unwrap_or_default();
    steps.sort();
    let state = tempfile::tempdir()?;
    if !steps.is_empty() {
        overlay(dir, state.path())?;
    }
    for step in steps {
        let name = step.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let before = state.path().join("expected");
        if before.exists() {
            std::fs::remove_dir_all(before)?;
        }
        let taken = state.path().join(payouts::FILE);
        if taken.exists() {
            std::fs::remove_file(taken)?;
        }
        overlay(&step, state.path())?;
        match folder::read(state.path()) {
            Err(problems) => outcome.problems.extend(problems.lines().into_iter().map(|line| format!("{THEN}/{name}: {line}"))),
            Ok(company) => {
                // Nobody is paid here: a step closes periods without those who would have to.
                instance.apply_by(state.path(), crate::periods::Door::Decided).await?;
                let found = differences(&instance, &company, Some((&mut payroll, state.path()))).await?;
                outcome
                    .differences
                    .extend(found.into_iter().map(|own| Difference { table: format!("{THEN}/{name}/{}", own.table), ..own }));
            }
        }
    }
    instance.close().await;
    Ok(())
}

/// Copies the files of a company folder over another; `then/` stays out.
fn overlay(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from.read_dir()?.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if name != THEN {
                overlay(&path, &to.join(name))?;
            }
        } else {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Tests a company that is in memory, with extensions that are loaded already.
pub(crate) async fn test_company(bundle: crate::extensions::Bundle, company: &folder::Company) -> Result<CaseOutcome> {
    let scratch = tempfile::tempdir()?;
    let config = Config {
        database: format!("sqlite:{}", scratch.path().join("test.db").display()),
        home: Some(scratch.path().join("home")),
        plugins: Vec::new(),
        actor: "test".to_owned(),
        oidc: None,
        outward: crate::outbox::OutwardConfig::default(),
    };
    let name = company.settings.name.clone();
    let mut outcome = CaseOutcome { folder: name.clone(), problems: Vec::new(), differences: Vec::new() };
    if company.expected.is_empty() {
        outcome.problems.push(NOTHING_EXPECTED.to_owned());
        return Ok(outcome);
    }
    match run_one(&config, bundle, company, &name).await {
        Ok(differences) => outcome.differences = differences,
        Err(error) => outcome.problems.push(format!("{error:#}")),
    }
    Ok(outcome)
}

const NOTHING_EXPECTED: &str = "has no expected/*.csv; add at least expected/earnings.csv";

async fn run_one(config: &Config, registry: crate::extensions::Bundle, company: &folder::Company, source: &str) -> Result<Vec<Difference>> {
    let instance = Instance::open_with(config, registry).await?;
    instance.load_company(company, source).await?;
    let differences = differences(&instance, company, None).await?;
    instance.close().await;
    Ok(differences)
}

/// Runs what the record holds, takes the steps that the folder has for payouts, and compares.
async fn differences(
    instance: &Instance,
    company: &folder::Company,
    payroll: Option<(&mut payouts::Payroll, &Path)>,
) -> Result<Vec<Difference>> {
    let report = instance.run(&|_| {}).await?;
    let mut tables = instance.results(&report.run_id).await?;
    if let Some((payroll, dir)) = payroll {
        payroll.walk(instance, dir).await?;
        tables.extend(payroll.tables(instance).await?);
    }
    Ok(company.expected.iter().flat_map(|(name, expected)| expected::compare(&expected.table, tables.get(name))).collect())
}
