//! When what was earned is paid: shares that fall due later, draws and guarantees, and what is taken back. All of it is written in plans.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What makes a share of an earning due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Due {
    /// The period in which it was earned.
    #[default]
    Earned,
    /// The transaction's `booked_on`.
    Booked,
    /// The transaction's `invoiced_on`.
    Invoiced,
    /// The day on which the customer has paid all: `paid_on`, or the receipt that completes the amount.
    Paid,
    /// Each receipt of the customer, in proportion; `paid_on` completes it.
    Received,
    QuarterEnd,
    YearEnd,
}

fn one() -> u32 {
    1
}

/// A share of an earning and when it is due. The last of a list takes what rounding leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayShare {
    pub share: Decimal,
    #[serde(default)]
    pub when: Due,
    /// So many periods after that.
    #[serde(default)]
    pub after_periods: u32,
    /// In so many equal parts, a period apart.
    #[serde(default = "one")]
    pub installments: u32,
}

/// What a draw does in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum DrawPays {
    /// What is missing from the amount.
    #[default]
    Floor,
    /// The amount, beside everything else.
    OnTop,
}

/// What happens to a draw balance when its recovery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum DrawEnd {
    #[default]
    Keep,
    /// It becomes an earning.
    Forgive,
}

/// A draw against later pay, or a guarantee where it is not recoverable. Amounts are per period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// Of the target of the assignment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    /// A parameter of the payee that is the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    #[serde(default)]
    pub pays: DrawPays,
    /// Whether later pay gives it back.
    #[serde(default)]
    pub recoverable: bool,
    /// The first so many periods of the assignment; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u32>,
    /// By the days of the period on which the payee is assigned.
    #[serde(default)]
    pub prorate: crate::plan::Proration,
    /// Recovery starts so many periods after the assignment's first: 0 is at once.
    #[serde(default)]
    pub recover_after: u32,
    /// Recovery goes on for so many periods; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover_for: Option<u32>,
    /// The most of a period's pay that is recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover_share: Option<Decimal>,
    #[serde(default)]
    pub at_end: DrawEnd,
}

/// How much of what was paid is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum ClawbackMethod {
    /// All of it.
    #[default]
    Full,
    /// `rate` of the first band whose `until` the age does not exceed; nothing beyond the last.
    Bands,
    /// All up to `full_until`, then less by the day, nothing from `until` on.
    ProRata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AgeUnit {
    #[default]
    Days,
    /// Whole months.
    Months,
}

/// From which day the age of what is taken back counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AgeFrom {
    /// The tested date of the original transaction.
    #[default]
    Sale,
    /// The last day of the period in which it was first paid.
    Payout,
}

/// What happens to the part of an earning that is not paid yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Unpaid {
    #[default]
    Lapse,
    Keep,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClawbackBand {
    /// Inclusive, in the unit of the clawback.
    pub until: u32,
    pub rate: Decimal,
    /// Only for events with one of these tags; for all where empty.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What a component takes back when a transaction is reversed. The events are transactions of `kinds` with `reverses_id`; the component's
/// measure should leave these kinds out. An event with an amount takes back its share of the original amount, one without all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clawback {
    #[serde(default = "cancellation")]
    pub kinds: Vec<String>,
    #[serde(default)]
    pub method: ClawbackMethod,
    #[serde(default)]
    pub unit: AgeUnit,
    #[serde(default)]
    pub from: AgeFrom,
    #[serde(default)]
    pub bands: Vec<ClawbackBand>,
    /// The rate of a `full` clawback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    #[serde(default)]
    pub full_until: u32,
    #[serde(default)]
    pub until: u32,
    #[serde(default)]
    pub unpaid: Unpaid,
    /// Events with one of these tags give back what earlier ones took.
    #[serde(default)]
    pub revive: Vec<String>,
}

fn cancellation() -> Vec<String> {
    vec!["cancellation".to_owned()]
}
