//! The company's own settings, as written in `company.toml`.

use crate::accounting::Accounting;
use crate::calendar::CalendarSettings;
use crate::fixed::Rounding;
use crate::payouts::Payouts;
use crate::plan::{Condition, Measure};
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

/// How many credits of one transaction a payee may have, however many rows of coverage, relationships or rules lead to her.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// One of each kind; the first stays.
    #[default]
    Once,
    /// One of each kind and label of a rule; the first stays.
    OncePerRule,
    Each,
}

/// How often a manager is credited for one transaction that several chains lead up from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum RollupDuplicates {
    /// Once for every credit below her.
    #[default]
    Each,
    /// As long as she has no more than the whole transaction, her own direct and split credit with it.
    Once,
}

/// Transactions that belong to the house: no crediting rule sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct House {
    /// Conditions as of a measure; all must hold.
    #[serde(rename = "where")]
    pub conditions: Vec<Condition>,
    /// Who is credited in place of sellers; nobody where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
}

/// What makes a transaction a windfall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum WindfallOf {
    /// Its amount in company currency.
    #[default]
    Amount,
    /// A credit of it as a share of the credited payee's quota of the period.
    QuotaShare,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum WindfallThen {
    /// What is earned from it is held until somebody has looked at it.
    #[default]
    Hold,
    /// Only a finding.
    Flag,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windfall {
    pub at_least: Decimal,
    #[serde(default)]
    pub of: WindfallOf,
    /// The measure whose quota is meant; the first one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    #[serde(default)]
    pub then: WindfallThen,
}

/// The reason of a row of `holds` that is the decision about a windfall: its `until_on` is the day of release.
pub const WINDFALL_RELEASED: &str = "windfall-released";

/// Roles of claims that stand for a transaction's own payee, splits and stages; no relationship has one of these names.
pub const OWN_ROLES: [&str; 3] = ["payee", "split", "stage"];

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
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
    #[serde(default)]
    pub duplicates: Duplicates,
    #[serde(default)]
    pub rollup_duplicates: RollupDuplicates,
    /// The first whose conditions hold counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub house: Vec<House>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windfall: Option<Windfall>,
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
    pub accounting: Accounting,
    #[serde(default)]
    pub payouts: Payouts,
}
