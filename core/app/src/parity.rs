//! What the command line does with folders and plans, for callers that have no folder: companies as maps of files, proposals as
//! plain values. Everything here calls the use case that the command line calls.

use crate::Instance;
use crate::access::{Action, Caller};
use crate::check::{self, CaseOutcome};
use crate::company::{Receipt, refused};
use crate::folder::{self, Change, Company};
use crate::planning::{Forecast, QuotaProposal, QuotaRequest, TerritoryProposal};
use crate::refusal::Refusal;
use crate::summary::Summary;
use anyhow::Result;
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::point::Identity;
use attain_domain::schema::{self, ENTITIES};
use attain_domain::{Day, Table};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// A company of more text is exported by the command line.
const COMPANY_BYTES_MAX: usize = 64 << 20;
const FILES_MAX: usize = 1_000;
const STEPS_MAX: usize = 60;
/// A test is a calculation in a database of its own: one at a time.
static TESTING: Semaphore = Semaphore::const_new(1);

/// A company: path in its folder (with `/`) to text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub files: BTreeMap<String, String>,
}

/// What a company would change, a line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Lines {
    pub lines: Vec<String>,
}

/// Which extension answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct By {
    pub name: String,
    pub version: String,
    pub digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MoveView {
    pub account_id: String,
    /// `null` for an account that had no territory.
    pub from: Option<String>,
    pub to: String,
}

/// Amounts in the order of `measures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LoadView {
    pub territory_id: String,
    pub accounts_before: usize,
    pub accounts_after: usize,
    pub before: Vec<String>,
    pub after: Vec<String>,
}

/// The largest load over the mean load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Imbalance {
    pub measure: String,
    pub before: String,
    pub after: String,
}

/// Nothing is changed by it: submit `entity` and `csv` as a change of kind `table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TerritoryProposalView {
    pub by: By,
    pub from: String,
    pub measures: Vec<String>,
    pub moves: Vec<MoveView>,
    pub loads: Vec<LoadView>,
    pub imbalance: Vec<Imbalance>,
    pub entity: &'static str,
    /// All of the entity's rows as they would be.
    pub csv: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerritoryAsk {
    /// First day of the new assignment.
    #[schema(format = Date)]
    pub from: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaAsk {
    /// The company's first measure where absent.
    pub measure_id: Option<String>,
    /// Fiscal year to plan.
    pub year: String,
    /// Fiscal year that gives weights and seasonality.
    pub base_year: String,
    /// The total of the year; the base year's result times `growth` where absent.
    pub total: Option<String>,
    /// `1.08` where absent.
    pub growth: Option<String>,
    /// What every quota is a multiple of; `100` where absent.
    pub step: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuotaOfPayee {
    pub payee_id: String,
    pub name: String,
    /// Her result in the base year.
    pub base: String,
    /// Her quota for the whole year.
    pub quota: String,
}

/// Nothing is changed by it: submit `entity` and `csv` as a change of kind `table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuotaProposalView {
    pub by: By,
    pub measure_id: String,
    pub year: String,
    pub base_total: String,
    pub total: String,
    pub payees: Vec<QuotaOfPayee>,
    pub entity: &'static str,
    /// All of the entity's rows as they would be.
    pub csv: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ForecastStepView {
    /// `company`, or a payee.
    pub series_id: String,
    /// Id of the period, or `+n` beyond the calendar.
    pub period: String,
    pub value: String,
    /// Four of five values are expected between `low` and `high`.
    pub low: String,
    pub high: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ForecastView {
    pub by: By,
    pub measure_id: String,
    /// The last period with results.
    pub last_period: String,
    pub steps: Vec<ForecastStepView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayeeTotalView {
    pub payee_id: String,
    pub name: String,
    pub plans: String,
    /// Over all periods, in per cent; of the first measure with a quota.
    pub attainment: Option<String>,
    pub earned: String,
    pub paid: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KpiView {
    pub name: String,
    /// The median in the last period with statements.
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingsView {
    pub severity: String,
    pub code: String,
    pub count: usize,
    pub example: String,
}

/// The last run at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SummaryView {
    pub company: String,
    pub currency: String,
    pub run_id: String,
    pub complete: bool,
    pub payee_count: usize,
    pub period_count: usize,
    pub earned: String,
    pub paid: String,
    /// Who earned most.
    pub payees: Vec<PayeeTotalView>,
    pub kpis: Vec<KpiView>,
    pub findings: Vec<FindingsView>,
    /// One payout explained.
    #[schema(value_type = Option<Object>)]
    pub example: Option<serde_json::Value>,
}

fn money(value: i64) -> String {
    fixed::format(value, MONEY_SCALE)
}

fn per_mille(value: i64) -> String {
    fixed::format(value, 3)
}

fn by(identity: &Identity) -> By {
    By { name: identity.name.clone(), version: identity.version.clone(), digest: identity.digest.to_string() }
}

fn csv(entity: &'static str, table: &Table) -> Result<String> {
    let known = schema::entity(entity).ok_or_else(|| anyhow::anyhow!("`{entity}` is an entity"))?;
    Ok(folder::csv_text(known, &folder::canonical(known, table)))
}

fn decimal(name: &str, text: &str) -> Result<Decimal, Refusal> {
    text.parse().map_err(|_| Refusal::invalid(format!("`{text}` in `{name}` is no number; write digits with a point")))
}

fn understood(files: &Files) -> Result<Company, Refusal> {
    if files.files.len() > FILES_MAX {
        return Err(Refusal::invalid(format!("a company has at most {FILES_MAX} files")));
    }
    tokio::task::block_in_place(|| folder::from_files(&files.files)).map_err(|problems| refused("the company", &problems))
}

fn territories(own: &TerritoryProposal) -> Result<TerritoryProposalView> {
    let imbalance = own.imbalance().into_iter();
    let load = |load: &crate::planning::TerritoryLoad| LoadView {
        territory_id: load.territory_id.clone(),
        accounts_before: load.accounts_before,
        accounts_after: load.accounts_after,
        before: load.before.iter().map(|value| money(*value)).collect(),
        after: load.after.iter().map(|value| money(*value)).collect(),
    };
    let moved = |own: &crate::planning::Move| MoveView { account_id: own.account_id.clone(), from: own.from.clone(), to: own.to.clone() };
    Ok(TerritoryProposalView {
        by: by(&own.by),
        from: own.from.to_string(),
        measures: own.measures.clone(),
        moves: own.moves.iter().map(moved).collect(),
        loads: own.loads.iter().map(load).collect(),
        imbalance: imbalance
            .map(|(measure, before, after)| Imbalance { measure, before: per_mille(before), after: per_mille(after) })
            .collect(),
        entity: "account_territories",
        csv: csv("account_territories", &own.wanted)?,
    })
}

fn quotas(own: &QuotaProposal, names: &BTreeMap<String, String>) -> Result<QuotaProposalView> {
    let payee = |(payee_id, base, quota): &(String, i64, i64)| QuotaOfPayee {
        payee_id: payee_id.clone(),
        name: names.get(payee_id).cloned().unwrap_or_default(),
        base: money(*base),
        quota: money(*quota),
    };
    Ok(QuotaProposalView {
        by: by(&own.by),
        measure_id: own.measure_id.clone(),
        year: own.year.clone(),
        base_total: money(own.base_total),
        total: money(own.total),
        payees: own.payees.iter().map(payee).collect(),
        entity: "quotas",
        csv: csv("quotas", &own.wanted)?,
    })
}

fn forecast(own: Forecast) -> ForecastView {
    let step = |own: crate::planning::ForecastStep| ForecastStepView {
        series_id: own.series_id,
        period: own.period,
        value: money(own.value),
        low: money(own.low),
        high: money(own.high),
    };
    ForecastView {
        by: by(&own.by),
        measure_id: own.measure_id,
        last_period: own.last_period,
        steps: own.steps.into_iter().map(step).collect(),
    }
}

fn summary(own: Summary) -> Result<SummaryView> {
    let payee = |own: crate::summary::PayeeTotal| PayeeTotalView {
        payee_id: own.payee_id,
        name: own.name,
        plans: own.plans,
        attainment: own.attainment,
        earned: money(own.earned_scaled),
        paid: money(own.paid_scaled),
    };
    let group =
        |own: crate::runs::FindingGroup| FindingsView { severity: own.severity, code: own.code, count: own.count, example: own.example };
    Ok(SummaryView {
        company: own.company,
        currency: own.currency,
        run_id: own.run_id,
        complete: own.complete,
        payee_count: own.payee_count,
        period_count: own.period_count,
        earned: money(own.earned_scaled),
        paid: money(own.paid_scaled),
        payees: own.payees.into_iter().map(payee).collect(),
        kpis: own.kpis.into_iter().map(|(name, value)| KpiView { name, value }).collect(),
        findings: own.findings.into_iter().map(group).collect(),
        example: own.example.map(serde_json::to_value).transpose()?,
    })
}

impl Instance {
    /// The whole company as the files of its folder.
    pub async fn company_files(&self, caller: &Caller) -> Result<Files> {
        caller.require(Action::SeeRules)?;
        caller.require(Action::SeeData)?;
        let view = self.view().await?;
        let company = &view.company.company;
        let mut files = company.documents();
        let mut bytes: usize = files.values().map(String::len).sum();
        for entity in ENTITIES {
            let Some(table) = company.tables.get(entity.name).filter(|table| table.row_count() > 0) else { continue };
            let text = tokio::task::block_in_place(|| folder::csv_text(entity, table));
            bytes += text.len();
            if bytes > COMPANY_BYTES_MAX {
                let message = format!("the company is larger than {COMPANY_BYTES_MAX} bytes; export it with `attain export DIR`");
                return Err(Refusal::invalid(message).into());
            }
            files.insert(format!("{}.csv", entity.name), text);
        }
        Ok(Files { files })
    }

    /// Loads a company into a record that holds none yet.
    pub async fn load_files(&self, caller: &Caller, files: &Files) -> Result<Receipt> {
        caller.require(Action::Import)?;
        caller.require(Action::DraftChanges)?;
        self.load_company(&understood(files)?, "interface").await
    }

    /// What would change if the record became this company.
    pub async fn diff_files(&self, caller: &Caller, files: &Files) -> Result<Lines> {
        caller.require(Action::SeeRules)?;
        caller.require(Action::SeeData)?;
        let want = understood(files)?;
        let view = self.view().await?;
        let changes = tokio::task::block_in_place(|| folder::diff(&view.company.company, &want));
        Ok(Lines { lines: changes.iter().map(Change::to_string).collect() })
    }

    /// Calculates a company in a database of its own, with the extensions that are active here, and compares with what it expects.
    pub async fn test_files(&self, caller: &Caller, files: &Files) -> Result<CaseOutcome> {
        caller.require(Action::DraftChanges)?;
        let company = understood(files)?;
        let _turn = TESTING.acquire().await?;
        check::test_company(self.bundle.clone(), &company).await
    }

    pub async fn summary_view(&self, caller: &Caller) -> Result<SummaryView> {
        caller.require(Action::SeeAllPay)?;
        summary(self.summary().await?)
    }

    pub async fn territory_proposal(&self, caller: &Caller, ask: &TerritoryAsk) -> Result<TerritoryProposalView> {
        caller.require(Action::Plan)?;
        let from: Day = ask.from.parse().map_err(|()| Refusal::invalid(format!("`{}` is not a day; write YYYY-MM-DD", ask.from)))?;
        territories(&self.propose_territories(from).await?)
    }

    pub async fn quota_proposal(&self, caller: &Caller, ask: &QuotaAsk) -> Result<QuotaProposalView> {
        caller.require(Action::Plan)?;
        let request = QuotaRequest {
            measure_id: self.measure_or_first(ask.measure_id.clone()).await?,
            year: ask.year.clone(),
            base_year: ask.base_year.clone(),
            total: ask.total.as_deref().map(|text| decimal("total", text)).transpose()?,
            growth: decimal("growth", ask.growth.as_deref().unwrap_or("1.08"))?,
            step: decimal("step", ask.step.as_deref().unwrap_or("100"))?,
        };
        let proposal = self.propose_quotas(&request).await?;
        quotas(&proposal, &self.view().await?.company.names)
    }

    /// The measure of the whole company and of each payee, continued by 1 to 60 periods.
    pub async fn forecast_view(&self, caller: &Caller, measure: Option<String>, steps: usize) -> Result<ForecastView> {
        caller.require(Action::SeeAllPay)?;
        if !(1..=STEPS_MAX).contains(&steps) {
            return Err(Refusal::invalid(format!("`steps` is {steps}; write 1 to {STEPS_MAX}")).into());
        }
        let measure = self.measure_or_first(measure).await?;
        Ok(forecast(self.forecast(&measure, steps).await?))
    }
}
