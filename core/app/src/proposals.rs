//! Planning over the record: proposals from what is loaded and from the last run.

use crate::Instance;
use crate::planning::{self, Forecast, QuotaProposal, QuotaRequest, TerritoryProposal};
use crate::refusal::Refusal;
use anyhow::Result;
use attain_domain::Day;
use std::collections::BTreeMap;

impl Instance {
    pub async fn propose_territories(&self, from: Day) -> Result<TerritoryProposal> {
        let company = self.company().await?;
        let set = self.extensions_for(&company)?;
        Ok(tokio::task::block_in_place(|| planning::territories(&company.settings, &company.tables, &set, from))?)
    }

    /// From the results of the last run.
    pub async fn propose_quotas(&self, request: &QuotaRequest) -> Result<QuotaProposal> {
        let company = self.company().await?;
        let set = self.extensions_for(&company)?;
        let results = self.last_results().await?;
        let measures = results.get("measures").ok_or_else(|| Refusal::not_found("the last run has no measures"))?;
        Ok(tokio::task::block_in_place(|| planning::quotas(&company.settings, &company.tables, measures, &set, request))?)
    }

    /// From the results of the last run.
    pub async fn forecast(&self, measure: &str, steps: usize) -> Result<Forecast> {
        let company = self.company().await?;
        let set = self.extensions_for(&company)?;
        let results = self.last_results().await?;
        let measures = results.get("measures").ok_or_else(|| Refusal::not_found("the last run has no measures"))?;
        // The company's own series counts every credit once: what was rolled up stays out.
        let mut company_series: BTreeMap<String, i64> = BTreeMap::new();
        if let Some(credits) = results.get("credits")
            && let (Some(kinds), Some(periods), Some(amounts)) =
                (credits.texts("kind"), credits.texts("period_id"), credits.numbers("amount"))
        {
            for row in 0..credits.row_count() {
                if let (Some("direct" | "split"), Some(period)) = (kinds.get(row), periods.get(row)) {
                    let sum = company_series.entry(period.to_owned()).or_default();
                    *sum = sum.saturating_add(amounts[row]);
                }
            }
        }
        let series: Vec<(String, i64)> = company_series.into_iter().collect();
        Ok(tokio::task::block_in_place(|| planning::forecast(&company.settings, &series, measures, &set, measure, steps))?)
    }

    /// `measure`, or the company's first one.
    pub async fn measure_or_first(&self, measure: Option<String>) -> Result<String> {
        let company = self.company().await?;
        let known: Vec<&str> = company.settings.measures.iter().map(|own| own.id.as_str()).collect();
        match measure {
            Some(measure) if known.contains(&measure.as_str()) => Ok(measure),
            Some(measure) => Err(Refusal::not_found(format!("there is no measure `{measure}`; there are {}", known.join(", "))).into()),
            None => Ok(known.first().ok_or_else(|| Refusal::invalid("company.toml has no measures"))?.to_string()),
        }
    }
}
