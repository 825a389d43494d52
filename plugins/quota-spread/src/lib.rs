//! Spreads a total over people and periods by weights and seasons, within floors and ceilings, to the last step.

pub mod spread;

use attain_sdk::exact::format;
use attain_sdk::{NULL, Quota, QuotaBatch, Quotas};
use serde::Deserialize;

/// One, at 10⁻⁸.
pub const WHOLE: i64 = 100_000_000;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default, deserialize_with = "attain_sdk::exact::rate")]
    equal_share: i64,
}

pub struct QuotaSpread(Settings);

impl Quota for QuotaSpread {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<QuotaSpread, String> {
        if (0..=WHOLE).contains(&settings.equal_share) {
            Ok(QuotaSpread(settings))
        } else {
            Err("`equal_share` is not between 0 and 1; write for example \"0.2\"".to_owned())
        }
    }

    fn spread(&mut self, batch: &QuotaBatch, quotas: &mut Quotas) -> Result<(), String> {
        let nodes: Vec<spread::Node> = batch
            .nodes
            .iter()
            .map(|node| spread::Node {
                name: node.payee_id().unwrap_or_default().to_owned(),
                weight: node.weight().unwrap_or(NULL),
                floor: node.floor().unwrap_or(NULL),
                ceiling: node.ceiling().unwrap_or(NULL),
            })
            .collect();
        let seasons: Vec<i64> = batch.periods.iter().map(|period| period.season().unwrap_or(NULL)).collect();
        if let Some(period) = batch.periods.iter().find(|period| period.season().is_some_and(|season| season < 0)) {
            return Err(format!("period `{}` has a negative season; a season is zero or more", period.period_id().unwrap_or_default()));
        }
        let show = |amount: i128| i64::try_from(amount).map_or_else(|_| "more than an amount holds".to_owned(), |amount| format(amount, 4));
        let rows = spread::spread(&nodes, &seasons, batch.total, batch.step, self.0.equal_share, show)?;
        for (node, row) in rows.iter().enumerate() {
            for (period, amount) in row.iter().enumerate() {
                quotas.set(node, period, *amount);
            }
        }
        Ok(())
    }
}

attain_sdk::register!(quota: QuotaSpread);

#[cfg(test)]
attain_sdk::test_cases!(quota: QuotaSpread);
