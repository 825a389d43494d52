//! What a component does beside its formula: what it waits for, multiplies, shares out, ranks by and pays at least. All of it is
//! written in plans; every disagreement between plans is an option.

use crate::plan::{Accumulate, Cap, CapOf, Condition};
use crate::rate_table::{Choice, NoMatch};
use crate::tiers::TierBound;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Whose earnings are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum EarnedBy {
    /// The payee of the row.
    #[default]
    Payee,
    /// Those who report to the payee directly; vacant positions are passed over.
    Reports,
    /// Everybody below the payee.
    Below,
}

/// What a component earned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarnedOf {
    pub component: String,
    /// Of payees below: every plan that has such a component where absent. Of the payee: the component's own plan, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    #[serde(default)]
    pub of: EarnedBy,
}

/// An earning as an input: the payee's own by the id of a component, or what `of` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Uses {
    Own(String),
    Of(EarnedOf),
}

impl Uses {
    pub fn earned(&self) -> EarnedOf {
        match self {
            Uses::Own(component) => EarnedOf { component: component.clone(), plan: None, of: EarnedBy::Payee },
            Uses::Of(earned) => earned.clone(),
        }
    }
}

/// Only what lies above counts: the formula sees the result less the hurdle. A share of the quota needs a positive quota; without one nothing counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hurdle {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_quota: Option<Decimal>,
    #[serde(default)]
    pub counts: HurdleCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum HurdleCounts {
    /// What lies above the hurdle.
    #[default]
    Above,
    /// Everything, from the first unit on, once the hurdle is reached.
    All,
}

/// In what a gate or a multiplier reads its measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// The measure over its quota.
    #[default]
    Attainment,
    /// The measure itself.
    Value,
    /// What another component of the plan earned.
    Earned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// Nothing is paid.
    #[default]
    Zero,
    /// `rate` of it is paid.
    Rate,
}

/// Pays in full only where something is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// For `attainment` and `value`; the component's own measure where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// For `earned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    #[serde(default)]
    pub by: JudgedBy,
    pub at_least: Decimal,
    /// The span that is judged, up to and with the period; that of the component where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Accumulate>,
    #[serde(default)]
    pub otherwise: Otherwise,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
}

/// How a multiplier reads its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Between {
    /// The factor of the step that is reached.
    #[default]
    Step,
    /// On the straight line between two steps, rounded half-even to eight digits; level beyond the last.
    Linear,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorStep {
    pub from: Decimal,
    pub factor: Decimal,
}

/// A factor on the result, by how another measure stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiplier {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    #[serde(default)]
    pub by: JudgedBy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Accumulate>,
    #[serde(default)]
    pub between: Between,
    #[serde(default)]
    pub bound: TierBound,
    /// Ascending.
    pub steps: Vec<FactorStep>,
    /// The factor below the first step, and where there is nothing to judge.
    #[serde(default = "one")]
    pub below: Decimal,
}

fn one() -> Decimal {
    Decimal::ONE
}

impl Multiplier {
    /// The factor at `position`; `None` when it does not fit.
    pub fn factor(&self, position: Option<Decimal>) -> Option<Decimal> {
        let Some(position) = position else { return Some(self.below) };
        let reached = |step: &FactorStep| match (self.between, self.bound) {
            (Between::Step, TierBound::UpperInclusive) => step.from < position,
            _ => step.from <= position,
        };
        let Some(index) = self.steps.iter().rposition(reached) else { return Some(self.below) };
        let own = &self.steps[index];
        match self.steps.get(index + 1) {
            Some(next) if self.between == Between::Linear => {
                let rise = next.factor.checked_sub(own.factor)?.checked_mul(position.checked_sub(own.from)?)?;
                Some(own.factor.checked_add(rise.checked_div(next.from.checked_sub(own.from)?)?)?.round_dp(8))
            }
            _ => Some(own.factor),
        }
    }
}

/// To which results a floor applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum FloorOn {
    /// To those that pay something. One below zero is lowered to minus the floor, so that a sale and its return cancel.
    #[default]
    Paying,
    /// To all.
    All,
}

/// What a result pays at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CapOf>,
    #[serde(default)]
    pub on: FloorOn,
}

/// In what span a component that pays once pays once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum OncePer {
    #[default]
    Year,
    Ever,
}

/// Among whom a rank or a pool is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Among {
    /// All payees on the plan in the period.
    #[default]
    Plan,
    /// Of these, those in one team with the payee.
    Team,
}

/// What equal results make of the ranks after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// 1, 1, 3: a rank is one more than the number of better ones.
    #[default]
    Competition,
    /// 1, 1, 2: a rank is one more than the number of better results.
    Dense,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Best {
    #[default]
    Highest,
    Lowest,
}

/// Gives the formula `inputs.rank` and `inputs.rank_count`. A payee without attainment has no rank by attainment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    /// The component's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// `attainment` or `value`.
    #[serde(default)]
    pub by: JudgedBy,
    #[serde(default)]
    pub among: Among,
    #[serde(default)]
    pub ties: Ties,
    #[serde(default)]
    pub best: Best,
}

/// By what a pool is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum PoolShare {
    #[default]
    Equal,
    /// The target of the assignment.
    Target,
    /// What each brought in of the pool's measure; less than nothing counts as nothing.
    Measure,
    /// `share` of `team_members`.
    TeamShare,
}

/// Gives the formula `inputs.pool`, the payee's share of a pool, and `inputs.pool_total`. The shares add up to the pool exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// Of the measure, added up over all who share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    /// The component's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    #[serde(default)]
    pub among: Among,
    #[serde(default)]
    pub share: PoolShare,
    /// Weights shares by the days of the period on which the payee is assigned.
    #[serde(default)]
    pub prorate: crate::plan::Proration,
}

/// A rate for what passes its conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateRule {
    /// What the statement calls it.
    #[serde(default)]
    pub label: String,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// Of what was credited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_per_unit: Option<Decimal>,
    /// For each credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
}

/// The rates of a component that pays each credit by itself: `params.rate`, `params.per_unit` and `params.fee` of the formula.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateRules {
    #[serde(default)]
    pub choice: Choice,
    #[serde(default)]
    pub no_match: NoMatch,
    pub rules: Vec<RateRule>,
}

/// A cap on the sum of several components of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupCap {
    pub components: Vec<String>,
    #[serde(default)]
    pub per: Accumulate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CapOf>,
}

impl GroupCap {
    pub fn cap(&self) -> Cap {
        Cap { per: self.per, amount: self.amount, rate: self.rate, of: self.of, ..Cap::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn a_factor_is_that_of_the_step_or_lies_on_the_line() {
        let json = |between: &str, bound: &str| {
            format!(
                r#"{{"between":"{between}","bound":"{bound}","below":"0.5","steps":[{{"from":"0.8","factor":"1"}},{{"from":"1","factor":"1.3"}}]}}"#
            )
        };
        let multiplier = |between, bound| serde_json::from_str::<Multiplier>(&json(between, bound)).expect("a multiplier");
        let stepped = multiplier("step", "lower-inclusive");
        let at = |own: &Multiplier, position: &str| own.factor(Some(dec(position))).expect("fits");
        assert_eq!([at(&stepped, "0.79"), at(&stepped, "0.8"), at(&stepped, "1")], [dec("0.5"), dec("1"), dec("1.3")]);
        assert_eq!(at(&multiplier("step", "upper-inclusive"), "1"), dec("1"));
        let linear = multiplier("linear", "lower-inclusive");
        assert_eq!([at(&linear, "0.9"), at(&linear, "2"), at(&linear, "0.7")], [dec("1.15"), dec("1.3"), dec("0.5")]);
        assert_eq!(linear.factor(None), Some(dec("0.5")));
    }
}
