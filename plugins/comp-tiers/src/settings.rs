//! The settings of a component as they are written, and everything that can be wrong with them.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum FormulaName {
    #[default]
    Tiered,
    Flat,
    ThresholdBonus,
    Accelerator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    #[default]
    Marginal,
    WholeAmount,
    InterpolatedAmount,
    InterpolatedRate,
    OverageMultiplier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    LowerInclusive,
    UpperInclusive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    #[default]
    Amount,
    Attainment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Negative {
    #[default]
    Reverse,
    Zero,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Pay {
    #[default]
    Credited,
    Target,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    #[serde(deserialize_with = "decimal")]
    pub from: Decimal,
    #[serde(default, deserialize_with = "some_decimal")]
    pub until: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal")]
    pub rate: Decimal,
    #[serde(default, deserialize_with = "some_decimal")]
    pub amount: Option<Decimal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    pub formula: FormulaName,
    #[serde(default)]
    pub method: Method,
    pub bound: Option<Bound>,
    #[serde(default)]
    pub by: By,
    #[serde(default)]
    pub negative: Negative,
    #[serde(default)]
    pub pay: Pay,
    #[serde(default)]
    pub tiers: Vec<Tier>,
    #[serde(default, deserialize_with = "some_decimal")]
    pub rate: Option<Decimal>,
    #[serde(default, deserialize_with = "some_decimal")]
    pub accelerated_rate: Option<Decimal>,
    #[serde(default, deserialize_with = "some_decimal")]
    pub threshold: Option<Decimal>,
    #[serde(default, deserialize_with = "some_decimal")]
    pub amount: Option<Decimal>,
    #[serde(default)]
    pub strictly: bool,
    #[serde(default)]
    pub retroactive: bool,
}

impl Settings {
    /// Every defect, in words for whoever wrote them.
    pub fn defects(&self) -> Vec<String> {
        match self.formula {
            FormulaName::Tiered => self.tier_defects(),
            FormulaName::Flat | FormulaName::ThresholdBonus => Vec::new(),
            FormulaName::Accelerator if self.threshold.is_some_and(|threshold| threshold <= Decimal::ZERO) => {
                vec!["`threshold` must be above zero; `1` is 100 % of quota".to_owned()]
            }
            FormulaName::Accelerator => Vec::new(),
        }
    }

    fn tier_defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        for (index, tier) in self.tiers.iter().enumerate() {
            let number = index + 1;
            let next = self.tiers.get(index + 1).map(|next| next.from);
            if next.is_some_and(|next| next <= tier.from) {
                defects.push(format!("tier {} starts at or before tier {number}; write tiers in ascending order", number + 1));
            }
            if let Some(until) = tier.until {
                if until <= tier.from {
                    defects.push(format!("tier {number} ends at {until}, before it starts at {}", tier.from));
                } else if next.is_some_and(|next| until > next) {
                    defects.push(format!("tier {number} ends at {until}, inside tier {}", number + 1));
                }
            }
            let interpolated = matches!(self.method, Method::InterpolatedAmount | Method::InterpolatedRate);
            if interpolated && next.is_none() && tier.until.is_none() {
                defects.push(format!("tier {number} has no end; an interpolated tier needs `until`"));
            }
            if self.method == Method::InterpolatedAmount && tier.amount.is_none() {
                defects.push(format!("tier {number} has no `amount`; `interpolated-amount` pays amounts, not rates"));
            }
        }
        defects
    }
}

/// A decimal in quotes or a whole number; floats are refused, because they are not what was written.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Whole(i64),
        Text(String),
        Float(f64),
    }
    match Written::deserialize(deserializer)
        .map_err(|_| D::Error::custom("a number is needed; write it in quotes, for example \"0.04\""))?
    {
        Written::Whole(value) => Ok(Decimal::from(value)),
        Written::Text(text) => Decimal::from_str_exact(&text)
            .map(|value| value.normalize())
            .map_err(|_| D::Error::custom(format!("`{text}` is no number; write for example \"0.04\""))),
        Written::Float(value) => Err(D::Error::custom(format!("`{value}` is not exact; write it in quotes"))),
    }
}

fn some_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    decimal(deserializer).map(Some)
}
