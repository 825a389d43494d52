//! Compensation plans and measures, as written in `plans/*.toml` and `company.toml`.

use crate::component::{EarnedBy, EarnedOf, Floor, Gate, GroupCap, Hurdle, Multiplier, OncePer, Pool, Rank, RateRules, Uses};
use crate::date::Day;
use crate::fixed::Rounding;
use crate::rate_table::RateTable;
use crate::settings::empty_object;
use crate::settlement::{Clawback, Draw, PayShare};
use crate::terms::{AfterLeaving, OnStart, Ramp, Stands, TargetFrom};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a measure adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureValue {
    /// The credited amount in company currency.
    #[default]
    Amount,
    /// The transaction's quantity times the credit's share.
    Units,
    /// The transaction's amount less its cost, converted, times the credit's share.
    Margin,
    /// The number of credit lines.
    Count,
    /// The number of different transactions.
    Transactions,
    /// The scores of the payee's objectives, each times its weight; one that is not judged counts as nothing.
    Objectives,
}

/// Whose credits a measure adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureOf {
    #[default]
    Payee,
    /// Of everybody who is in a team with the payee on the tested date, the payee too; of each team where there are several.
    Team,
}

/// The kinds of credit, in the order of their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreditKind {
    Direct,
    Split,
    Overlay,
    Rollup,
}

impl CreditKind {
    pub const ALL: [CreditKind; 4] = [CreditKind::Direct, CreditKind::Split, CreditKind::Overlay, CreditKind::Rollup];

    pub fn name(self) -> &'static str {
        match self {
            CreditKind::Direct => "direct",
            CreditKind::Split => "split",
            CreditKind::Overlay => "overlay",
            CreditKind::Rollup => "rollup",
        }
    }

    pub fn from_name(name: &str) -> Option<CreditKind> {
        CreditKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A field of a credit or of its transaction that a condition can test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionField {
    /// Kind of the transaction: order, invoice, payment, return, cancellation.
    Kind,
    Account,
    Industry,
    Segment,
    Product,
    Family,
    Territory,
    Currency,
    Tag,
    /// Label of the crediting rule.
    Rule,
    /// Converted amount of the transaction.
    Amount,
    Quantity,
    Discount,
    /// Margin of the transaction as a fraction of its amount.
    MarginRate,
    /// Days from the invoice to the payment.
    DaysToPayment,
}

impl ConditionField {
    /// Whether it is tested with bounds and not with words.
    pub fn is_number(self) -> bool {
        use ConditionField::{Amount, DaysToPayment, Discount, MarginRate, Quantity};
        matches!(self, Amount | Quantity | Discount | MarginRate | DaysToPayment)
    }
}

/// A test that a credit must pass. All parts that are given must hold; a field without value passes only `not_in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub field: ConditionField,
    /// One of these; for `family` and `territory` their descendants too, unless `exact`.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_in: Option<Vec<String>>,
    #[serde(default)]
    pub exact: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Decimal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub value: MeasureValue,
    #[serde(default)]
    pub of: MeasureOf,
    /// What objectives that are all reached come to; 1 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<Decimal>,
    /// The kinds of credit that count; all where empty.
    #[serde(default)]
    pub credits: Vec<CreditKind>,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
}

/// Over which span results accumulate before the formula sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Accumulate {
    /// Every credit alone.
    Transaction,
    #[default]
    Period,
    Quarter,
    Year,
}

/// Which quota stands against a result that accumulates over a quarter or a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaBasis {
    /// The sum of the quotas of the whole quarter or year.
    #[default]
    Span,
    /// The sum of the quotas from its start up to and with the period.
    ToDate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Proration {
    #[default]
    None,
    /// By the days of the period on which the payee is assigned to the plan, over all its days.
    CalendarDays,
}

/// What a cap is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapOf {
    /// The quota that the formula sees.
    Quota,
    /// The target of the assignment.
    Target,
    /// What was credited, whatever its sign. Per transaction or period only.
    Credited,
}

/// An upper limit: `amount`, or `rate` of something. What exceeds it is not earned, unless refundable, and is shown as a slice of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// The span whose sum is limited. On a plan, the sum of all components.
    #[serde(default)]
    pub per: Accumulate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CapOf>,
    /// On a component: what exceeds it is earned all the same, held back, and paid in later spans that have room.
    #[serde(default)]
    pub refundable: bool,
}

/// One earning rule of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// The measure that the formula sees as `credited`. Empty where `earnings` stands in its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub measure: String,
    /// What others earned, in place of a measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earnings: Option<EarnedOf>,
    /// The measure whose quota the formula sees as `quota`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<String>,
    #[serde(default)]
    pub accumulate: Accumulate,
    /// Over a quarter or year: every credit is a row of its own that starts where those before it, by day and then by id, left the span.
    #[serde(default)]
    pub stacked: bool,
    /// Whether earlier results of the span are recomputed at the rate now reached and the difference paid.
    #[serde(default)]
    pub true_up: bool,
    #[serde(default)]
    pub quota_basis: QuotaBasis,
    #[serde(default)]
    pub prorate_quota: Proration,
    /// The target of the assignment: as it stands on the last day of the period, or by the days on which it holds.
    #[serde(default)]
    pub prorate_target: Proration,
    /// Name of the compensation extension.
    pub formula: String,
    #[serde(default = "empty_object")]
    pub settings: serde_json::Value,
    /// Further measures of the row's span, by the name under which the formula sees them (`inputs.<name>`).
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// What other components earned over the row's span, as further inputs.
    #[serde(default)]
    pub uses: BTreeMap<String, Uses>,
    /// Results of the plan's tables, by the name of the table, as `params.<name>`.
    #[serde(default)]
    pub lookups: BTreeMap<String, String>,
    /// Tables of the plan that the formula itself looks into.
    #[serde(default)]
    pub tables: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<RateRules>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hurdle: Option<Hurdle>,
    /// Values that `params.<name>` has where a payee has none of their own.
    #[serde(default)]
    pub params: BTreeMap<String, Decimal>,
    /// Applied once, to the formula's result.
    #[serde(default)]
    pub rounding: Rounding,
    /// Applied to the formula's result in this order: multipliers, gates, requirements, the floor. Each rounds as `rounding` says.
    #[serde(default)]
    pub multipliers: Vec<Multiplier>,
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// Components of the plan that must have paid something over the row's span.
    #[serde(default)]
    pub requires: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Floor>,
    /// Whether only the first result of a span that pays anything is paid.
    #[serde(default)]
    pub once: bool,
    #[serde(default)]
    pub once_per: OncePer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// When what was earned is due; all in its own period where empty.
    #[serde(default)]
    pub pay: Vec<PayShare>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clawback: Option<Clawback>,
    /// The clause of the plan document that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub components: Vec<Component>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// Limits of the sums of some components; applied before the cap of the plan.
    #[serde(default)]
    pub caps: Vec<GroupCap>,
    #[serde(default)]
    pub draws: Vec<Draw>,
    /// By name.
    #[serde(default)]
    pub tables: BTreeMap<String, RateTable>,
    /// The share of the pay just below a bound by which it must rise there for the check to tell; a quarter where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cliff: Option<Decimal>,
    /// The first day on which this version of the plan holds; the earliest version needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    #[serde(default)]
    pub on_start: OnStart,
    #[serde(default)]
    pub stands: Stands,
    #[serde(default)]
    pub after_leaving: AfterLeaving,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Ramp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_from: Option<TargetFrom>,
    /// Whether pay of this plan is held until the payee has accepted its document.
    #[serde(default)]
    pub requires_acceptance: bool,
}

impl Component {
    /// Whether what it pays one payee hangs on what others sold or earned.
    pub fn looks_at_others(&self) -> bool {
        let below = self.uses.values().map(Uses::earned).chain(self.earnings.clone()).any(|earned| earned.of != EarnedBy::Payee);
        below || self.rank.is_some() || self.pool.is_some()
    }

    /// Whether what it pays is what the formula makes of its own result and nothing else.
    pub fn stands_alone(&self) -> bool {
        self.earnings.is_none()
            && self.inputs.is_empty()
            && self.uses.is_empty()
            && self.lookups.is_empty()
            && self.tables.is_empty()
            && self.rates.is_none()
            && self.rank.is_none()
            && self.pool.is_none()
            && self.hurdle.is_none()
            && self.multipliers.is_empty()
            && self.gates.is_empty()
            && self.requires.is_empty()
            && self.floor.is_none()
            && !self.once
            && !self.stacked
    }

    /// The tables of its plan that it reads.
    pub fn reads<'a>(&'a self, tables: &'a BTreeMap<String, RateTable>) -> impl Iterator<Item = (&'a String, &'a RateTable)> {
        tables.iter().filter(|(name, _)| self.tables.contains(name) || self.lookups.values().any(|own| own == *name))
    }

    /// The settings that the formula gets: its own, and the tables that it looks into as `tables`.
    pub fn settings_with(&self, tables: &BTreeMap<String, RateTable>) -> Cow<'_, serde_json::Value> {
        let mut settings = match &self.settings {
            serde_json::Value::Object(settings) if !self.tables.is_empty() => settings.clone(),
            _ => return Cow::Borrowed(&self.settings),
        };
        let known = self.tables.iter().filter_map(|name| Some((name.clone(), serde_json::to_value(tables.get(name)?).ok()?)));
        settings.insert("tables".to_owned(), serde_json::Value::Object(known.collect()));
        Cow::Owned(serde_json::Value::Object(settings))
    }
}

/// Whether what is paid to one payee hangs on what others sold or earned: he cannot be calculated alone then.
pub fn looks_at_others<'a>(plans: impl IntoIterator<Item = &'a Plan>, measures: &[Measure]) -> bool {
    let of_team = measures.iter().any(|measure| measure.of == MeasureOf::Team);
    of_team || plans.into_iter().any(|plan| plan.components.iter().any(Component::looks_at_others))
}

impl Plan {
    pub fn cliff_share(&self) -> Decimal {
        self.cliff.unwrap_or(Decimal::new(25, 2))
    }
}
