//! The company's own settings, as written in `company.toml`.

use crate::calendar::CalendarSettings;
use crate::fixed::Rounding;
use crate::payouts::Payouts;
use crate::plan::Measure;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Which day of a transaction decides its period, its owner, its hierarchy and its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum TestedDate {
    #[default]
    Order,
    Booking,
    Invoice,
    Payment,
}

impl TestedDate {
    pub fn field(self) -> &'static str {
        match self {
            TestedDate::Order => "ordered_on",
            TestedDate::Booking => "booked_on",
            TestedDate::Invoice => "invoiced_on",
            TestedDate::Payment => "paid_on",
        }
    }
}

/// Which rate converts an amount to the company's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum FxPolicy {
    /// The `spot` rate in force on the tested date.
    #[default]
    TransactionDate,
    /// The `average` rate in force on the first day of the period.
    PeriodAverage,
    /// The `plan` rate in force on the first day of the fiscal year.
    PlanRate,
}

/// How credit goes up the hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rollup {
    #[default]
    None,
    /// Every level is credited the whole amount.
    Gross,
    /// Every level is credited what the level below leaves: its credit less `rate` of it, rounded to the company's step.
    Difference { rate: Decimal },
}

/// An extension by name with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub extension: String,
    #[serde(default = "empty_object")]
    pub settings: serde_json::Value,
}

pub fn empty_object() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crediting {
    #[serde(default)]
    pub date: TestedDate,
    /// Crediting extensions in order; of two credits with the same key the one of the earlier rule stays.
    pub rules: Vec<Step>,
    #[serde(default)]
    pub rollup: Rollup,
    /// Whether direct and split credit of one transaction may differ from its amount.
    #[serde(default)]
    pub allow_over_allocation: bool,
}

/// `company.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Version of the folder's format: 1.
    pub format: u32,
    pub name: String,
    /// ISO 4217 code of the currency that everything is measured and paid in.
    pub currency: String,
    /// Rounding of converted amounts, split parts and roll-up differences.
    #[serde(default)]
    pub rounding: Rounding,
    #[serde(default)]
    pub fx: FxPolicy,
    pub calendar: CalendarSettings,
    pub crediting: Crediting,
    #[serde(default)]
    pub measures: Vec<Measure>,
    #[serde(default)]
    pub kpis: Vec<Step>,
    #[serde(default)]
    pub territory: Option<Step>,
    #[serde(default)]
    pub quota: Option<Step>,
    #[serde(default)]
    pub forecast: Option<Step>,
    #[serde(default)]
    pub insights: Vec<Step>,
    #[serde(default)]
    pub payouts: Payouts,
}
