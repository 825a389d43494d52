//! Direct, split and overlay credit in one pass: the fast twin of the scripts `credit-direct`, `credit-split` and `credit-overlay`.

pub mod crediting;

use attain_sdk::{CreditKind, Crediting, CreditingBatch, Credits, Text};
use crediting::{Batch, Residue, Rounding, Rules};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", default)]
pub struct Settings {
    residue: ResidueName,
    owner_role: String,
    overlay_role: String,
    #[serde(deserialize_with = "overlay_rate")]
    overlay_rate: i64,
    families: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ResidueName {
    LargestRemainder,
    Last,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            residue: ResidueName::LargestRemainder,
            owner_role: "owner".to_owned(),
            overlay_role: "overlay".to_owned(),
            overlay_rate: crediting::WHOLE,
            families: Vec::new(),
        }
    }
}

fn overlay_rate<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    attain_sdk::exact::rate(deserializer).map_err(|error| serde::de::Error::custom(format!("`overlay_rate`: {error}")))
}

pub struct CreditStandard(Settings);

impl Crediting for CreditStandard {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<CreditStandard, String> {
        Ok(CreditStandard(settings))
    }

    fn credit(&mut self, batch: &CreditingBatch, credits: &mut Credits) -> Result<(), String> {
        let settings = &self.0;
        let code = |role: &str| batch.role(role).map(|text| text.0);
        let families = &batch.transactions.family_id.dictionary;
        let rules = Rules {
            residue: match settings.residue {
                ResidueName::LargestRemainder => Residue::LargestRemainder,
                ResidueName::Last => Residue::Last,
            },
            rounding: Rounding {
                mode: batch.rounding.mode,
                step: batch.rounding.step.to_money(batch.rounding.mode).ok_or("the rounding step does not fit an amount")?,
            },
            overlay_rate: settings.overlay_rate,
            owner: code(&settings.owner_role),
            overlay: code(&settings.overlay_role),
            split: code("split"),
            payee: code("payee"),
            overlay_families: (!settings.families.is_empty())
                .then(|| families.iter().map(|family| settings.families.contains(family)).collect()),
        };
        let columns = Batch {
            amounts: &batch.transactions.amount.values,
            families: &batch.transactions.family_id.codes,
            claims_from: &batch.transactions.claims_from.values,
            claims_until: &batch.transactions.claims_until.values,
            roles: &batch.claims.role.codes,
            payees: &batch.claims.payee_id.codes,
            shares: &batch.claims.share.values,
        };
        let names = [CreditKind::Direct, CreditKind::Split, CreditKind::Overlay].map(|kind| {
            credits.rule(match kind {
                CreditKind::Direct => "direct",
                CreditKind::Split => "split",
                CreditKind::Overlay => "overlay",
            })
        });
        crediting::credit(&columns, &rules, |credit| {
            credits.credit(credit.row, Text(credit.payee), credit.kind, names[credit.kind as usize], credit.amount, credit.share);
        })
    }
}

attain_sdk::register!(crediting: CreditStandard);

#[cfg(test)]
attain_sdk::test_cases!(crediting: CreditStandard);
