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

fn is_share(value: Decimal) -> bool {
    value >= Decimal::ZERO && value <= Decimal::ONE
}

/// Every defect of a list of shares, in words for whoever wrote it.
pub fn pay_defects(shares: &[PayShare]) -> Vec<String> {
    let mut defects = Vec::new();
    let total: Decimal = shares.iter().map(|own| own.share).sum();
    if !shares.is_empty() && total != Decimal::ONE {
        defects.push(format!("the shares add up to {}, not 1", total.normalize()));
    }
    if shares.iter().any(|own| !is_share(own.share)) {
        defects.push("a share lies between 0 and 1".to_owned());
    }
    if shares.iter().any(|own| !(1..=600).contains(&own.installments)) {
        defects.push("`installments` is 1 to 600".to_owned());
    }
    defects
}

impl Draw {
    /// Every defect, in words for whoever wrote it.
    pub fn defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        if [self.amount.is_some(), self.rate.is_some(), self.param.is_some()].iter().all(|given| !given) {
            defects.push("the draw pays nothing; write `amount`, `rate` or `param`".to_owned());
        }
        if self.amount.or(self.rate).is_some_and(|own| own < Decimal::ZERO) {
            defects.push("a draw is not negative".to_owned());
        }
        if self.recover_share.is_some_and(|own| !is_share(own)) {
            defects.push("`recover_share` lies between 0 and 1".to_owned());
        }
        let recovers = self.recover_after > 0 || self.recover_for.is_some() || self.recover_share.is_some() || self.at_end != DrawEnd::Keep;
        if recovers && !self.recoverable {
            defects.push("it is not recoverable, so nothing is recovered; write `recoverable = true` or leave out how".to_owned());
        }
        if self.at_end == DrawEnd::Forgive && self.recover_for.is_none() {
            defects.push("`at_end` needs an end; write `recover_for`".to_owned());
        }
        defects
    }
}

impl Clawback {
    /// Every defect, in words for whoever wrote it.
    pub fn defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        const KINDS: [&str; 5] = ["order", "invoice", "payment", "return", "cancellation"];
        if self.kinds.is_empty() || self.kinds.iter().any(|own| !KINDS.contains(&own.as_str())) {
            defects.push(format!("`kinds` names kinds of transactions: {}", KINDS.join(", ")));
        }
        if self.bands.iter().map(|band| band.rate).chain(self.rate).any(|rate| !is_share(rate)) {
            defects.push("a rate of clawback lies between 0 and 1: no more is taken back than was paid".to_owned());
        }
        match self.method {
            ClawbackMethod::Bands if self.bands.is_empty() => defects.push("`bands` are missing".to_owned()),
            ClawbackMethod::ProRata if self.until <= self.full_until => {
                defects.push("`until` must be greater than `full_until`".to_owned());
            }
            _ => {}
        }
        if self.method != ClawbackMethod::Bands && !self.bands.is_empty() {
            defects.push("`bands` belong to `method = \"bands\"`".to_owned());
        }
        if self.method != ClawbackMethod::Full && self.rate.is_some() {
            defects.push("`rate` belongs to `method = \"full\"`".to_owned());
        }
        defects
    }
}
