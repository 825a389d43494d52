//! Tier tables: how a result is cut into slices and what each slice pays. Every disagreement between plans is an option.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How the tiers apply to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum TierMethod {
    /// Each slice of the result at the rate of its own tier.
    #[default]
    Marginal,
    /// The whole result at the rate of the tier it reaches.
    WholeAmount,
    /// Tiers carry amounts: all of those filled, and the filled part of the one reached.
    InterpolatedAmount,
    /// One rate for the whole result: the sum of the rates of all filled tiers and the filled part of the one reached.
    InterpolatedRate,
    /// Up to quota at `rate`; all above quota at `rate` times the `rate` (a multiplier) of the one tier reached.
    OverageMultiplier,
}

/// To which tier a result belongs that lies exactly on a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum TierBound {
    /// To the tier that starts there.
    #[default]
    LowerInclusive,
    /// To the tier that ends there.
    UpperInclusive,
}

/// What `from` and `until` are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum TierBy {
    #[default]
    Amount,
    /// Fractions of the quota: `1` is 100 %.
    Attainment,
}

/// What a result below zero pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum NegativeResult {
    /// The first tier's rate, so that a credit and its reversal cancel. Only where the first tier starts at zero.
    #[default]
    Reverse,
    /// Nothing.
    Zero,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub from: Decimal,
    /// The start of the next tier where absent; for ever on the last one. A tier that ends early leaves a hole that pays nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Decimal>,
    #[serde(default)]
    pub rate: Decimal,
    /// What a filled tier pays, for `interpolated-amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
}

/// A tier table as it stands in a component's settings; other settings beside it are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct TierTable {
    #[serde(default)]
    pub method: TierMethod,
    #[serde(default)]
    pub bound: TierBound,
    #[serde(default)]
    pub by: TierBy,
    #[serde(default)]
    pub negative: NegativeResult,
    /// The base rate, for `overage-multiplier`.
    #[serde(default)]
    pub rate: Decimal,
    #[serde(default)]
    pub tiers: Vec<Tier>,
}

/// One line of the trace of an earning: `amount = input × rate`, before rounding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    pub label: String,
    pub input: Decimal,
    pub rate: Decimal,
    pub amount: Decimal,
}

/// What a tier table pays and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tiered {
    pub amount: Decimal,
    pub slices: Vec<Slice>,
}

struct Bounds {
    from: Decimal,
    until: Option<Decimal>,
}

impl TierTable {
    /// Every defect of the table, in words for whoever wrote it.
    pub fn defects(&self) -> Vec<String> {
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
            let interpolated = matches!(self.method, TierMethod::InterpolatedAmount | TierMethod::InterpolatedRate);
            if interpolated && next.is_none() && tier.until.is_none() {
                defects.push(format!("tier {number} has no end; an interpolated tier needs `until`"));
            }
            if self.method == TierMethod::InterpolatedAmount && tier.amount.is_none() {
                defects.push(format!("tier {number} has no `amount`; `interpolated-amount` pays amounts, not rates"));
            }
        }
        defects
    }

    /// What the part of a result from `prior` to `to_date` pays when `quota` stands against the whole.
    /// Without a positive quota, tiers by attainment pay nothing. `None` when a product does not fit a decimal.
    pub fn pay(&self, prior: Decimal, to_date: Decimal, quota: Option<Decimal>) -> Option<Tiered> {
        let unit = match self.by {
            TierBy::Amount => Decimal::ONE,
            TierBy::Attainment => match quota.filter(|quota| *quota > Decimal::ZERO) {
                Some(quota) => quota,
                None => return Some(Tiered::default()),
            },
        };
        let (prior, to_date) = match self.negative {
            NegativeResult::Reverse => (prior, to_date),
            NegativeResult::Zero => (prior.max(Decimal::ZERO), to_date.max(Decimal::ZERO)),
        };
        let mut bounds = Vec::with_capacity(self.tiers.len());
        for (index, tier) in self.tiers.iter().enumerate() {
            let until = tier.until.or_else(|| self.tiers.get(index + 1).map(|next| next.from));
            bounds.push(Bounds {
                from: tier.from.checked_mul(unit)?,
                until: until.map_or(Some(None), |until| until.checked_mul(unit).map(Some))?,
            });
        }
        match self.method {
            TierMethod::Marginal => self.marginal(&bounds, prior, to_date),
            TierMethod::WholeAmount => {
                let Some(index) = self.reached(&bounds, to_date) else { return Some(Tiered::default()) };
                one_slice(tier_label(index), to_date - prior, self.tiers[index].rate)
            }
            TierMethod::InterpolatedAmount => self.interpolated_amount(&bounds, prior, to_date),
            TierMethod::InterpolatedRate => self.interpolated_rate(&bounds, prior, to_date),
            TierMethod::OverageMultiplier => self.overage(&bounds, prior, to_date, quota),
        }
    }

    fn marginal(&self, bounds: &[Bounds], prior: Decimal, to_date: Decimal) -> Option<Tiered> {
        let mut tiered = Tiered::default();
        for (index, bound) in bounds.iter().enumerate() {
            let open_below = index == 0 && bound.from.is_zero();
            let clamp = |value: Decimal| {
                let value = bound.until.map_or(value, |until| value.min(until));
                if open_below { value } else { value.max(bound.from) }
            };
            let input = clamp(to_date).checked_sub(clamp(prior))?;
            if !input.is_zero() {
                tiered.push(tier_label(index), input, self.tiers[index].rate)?;
            }
        }
        Some(tiered)
    }

    /// Divided last, so that what comes to a whole step is one.
    fn interpolated_amount(&self, bounds: &[Bounds], prior: Decimal, to_date: Decimal) -> Option<Tiered> {
        let mut tiered = Tiered::default();
        let mut exact = Ratio { of: Decimal::ZERO, by: Decimal::ONE };
        for (index, (tier, bound)) in self.tiers.iter().zip(bounds).enumerate() {
            let part = filled_part(bound, to_date)?.less(filled_part(bound, prior)?)?;
            if !part.of.is_zero() {
                let amount = tier.amount.unwrap_or_default();
                let paid = part.times(amount)?;
                exact = exact.plus(paid)?;
                tiered.push_paid(tier_label(index), part.value()?, amount, paid.value()?)?;
            }
        }
        tiered.amount = exact.value()?;
        Some(tiered)
    }

    fn interpolated_rate(&self, bounds: &[Bounds], prior: Decimal, to_date: Decimal) -> Option<Tiered> {
        let input = to_date.checked_sub(prior)?;
        let (mut rate, mut exact) = (Decimal::ZERO, Ratio { of: Decimal::ZERO, by: Decimal::ONE });
        for (tier, bound) in self.tiers.iter().zip(bounds) {
            let part = filled_part(bound, to_date)?;
            let own = part.times(tier.rate)?;
            rate = rate.checked_add(own.value()?)?;
            exact = exact.plus(own.times(input)?)?;
        }
        let mut tiered = Tiered::default();
        tiered.push_paid("interpolated".to_owned(), input, rate, exact.value()?)?;
        Some(tiered)
    }

    fn overage(&self, bounds: &[Bounds], prior: Decimal, to_date: Decimal, quota: Option<Decimal>) -> Option<Tiered> {
        let Some(quota) = quota.filter(|quota| *quota > Decimal::ZERO) else { return Some(Tiered::default()) };
        let mut tiered = Tiered::default();
        let within = to_date.min(quota).checked_sub(prior.min(quota))?;
        if !within.is_zero() {
            tiered.push("up to quota".to_owned(), within, self.rate)?;
        }
        let above = to_date.max(quota).checked_sub(prior.max(quota))?;
        if !above.is_zero() {
            let position = if self.by == TierBy::Attainment { to_date } else { to_date.checked_sub(quota)? };
            let index = self.reached(bounds, position);
            let multiplier = index.map_or(Decimal::ONE, |index| self.tiers[index].rate);
            let label = index.map_or_else(|| "above quota".to_owned(), |index| format!("above quota, {}", tier_label(index)));
            tiered.push(label, above, self.rate.checked_mul(multiplier)?)?;
        }
        Some(tiered)
    }

    /// Index of the tier that `position` belongs to.
    fn reached(&self, bounds: &[Bounds], position: Decimal) -> Option<usize> {
        bounds.iter().enumerate().position(|(index, bound)| {
            let open_below = index == 0 && bound.from.is_zero() && position <= Decimal::ZERO;
            match self.bound {
                TierBound::LowerInclusive => (bound.from <= position || open_below) && bound.until.is_none_or(|until| position < until),
                TierBound::UpperInclusive => (bound.from < position || open_below) && bound.until.is_none_or(|until| position <= until),
            }
        })
    }
}

impl Tiered {
    fn push(&mut self, label: String, input: Decimal, rate: Decimal) -> Option<()> {
        self.push_paid(label, input, rate, input.checked_mul(rate)?)
    }

    fn push_paid(&mut self, label: String, input: Decimal, rate: Decimal, amount: Decimal) -> Option<()> {
        self.amount = self.amount.checked_add(amount)?;
        self.slices.push(Slice { label, input: input.normalize(), rate: rate.normalize(), amount: amount.normalize() });
        Some(())
    }
}

fn one_slice(label: String, input: Decimal, rate: Decimal) -> Option<Tiered> {
    let mut tiered = Tiered::default();
    tiered.push(label, input, rate)?;
    Some(tiered)
}

fn tier_label(index: usize) -> String {
    format!("tier {}", index + 1)
}

/// `of ÷ by`, not divided yet; `by` is above zero.
#[derive(Debug, Clone, Copy)]
struct Ratio {
    of: Decimal,
    by: Decimal,
}

impl Ratio {
    fn value(self) -> Option<Decimal> {
        if self.by == Decimal::ONE { Some(self.of) } else { self.of.checked_div(self.by) }
    }

    /// Divided first where it would not fit a decimal otherwise.
    fn times(self, factor: Decimal) -> Option<Ratio> {
        let last = self.of.checked_mul(factor).map(|of| Ratio { of, by: self.by });
        last.or_else(|| Some(Ratio { of: self.value()?.checked_mul(factor)?, by: Decimal::ONE }))
    }

    /// Over one denominator where that fits a decimal; else each divided by itself.
    fn plus(self, other: Ratio) -> Option<Ratio> {
        if self.by == other.by {
            return Some(Ratio { of: self.of.checked_add(other.of)?, by: self.by });
        }
        let together = || {
            let of = self.of.checked_mul(other.by)?.checked_add(other.of.checked_mul(self.by)?)?;
            Some(Ratio { of, by: self.by.checked_mul(other.by)? })
        };
        let apart = || Some(Ratio { of: self.value()?.checked_add(other.value()?)?, by: Decimal::ONE });
        together().or_else(apart)
    }

    fn less(self, other: Ratio) -> Option<Ratio> {
        self.plus(Ratio { of: -other.of, by: other.by })
    }
}

/// The part of a tier, 0 to 1, that lies below `position`. A tier without end is filled as soon as it is entered.
fn filled_part(bound: &Bounds, position: Decimal) -> Option<Ratio> {
    let whole = |of| Some(Ratio { of, by: Decimal::ONE });
    if position <= bound.from {
        return whole(Decimal::ZERO);
    }
    match bound.until {
        Some(until) if position < until => Some(Ratio { of: position.checked_sub(bound.from)?, by: until.checked_sub(bound.from)? }),
        _ => whole(Decimal::ONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    fn table(json: &str) -> TierTable {
        serde_json::from_str(json).expect("a table")
    }

    fn paid(table: &TierTable, prior: &str, to_date: &str, quota: Option<&str>) -> Decimal {
        table.pay(dec(prior), dec(to_date), quota.map(dec)).expect("fits").amount
    }

    #[test]
    fn a_result_on_the_bound_goes_where_the_option_says() {
        let json = |bound: &str| {
            format!(
                r#"{{"method":"whole-amount","bound":"{bound}","tiers":[{{"from":"0","rate":"0.05"}},{{"from":"10000","rate":"0.08"}}]}}"#
            )
        };
        assert_eq!(paid(&table(&json("lower-inclusive")), "0", "10000", None), dec("800"));
        assert_eq!(paid(&table(&json("upper-inclusive")), "0", "10000", None), dec("500"));
        assert_eq!(paid(&table(&json("upper-inclusive")), "0", "10000.01", None), dec("800.0008"));
    }

    #[test]
    fn marginal_parts_add_up_whatever_the_cuts() {
        let table =
            table(r#"{"by":"attainment","tiers":[{"from":"0","rate":"0.04"},{"from":"0.5","rate":"0.06"},{"from":"1","rate":"0.09"}]}"#);
        let whole = paid(&table, "0", "1500", Some("1000"));
        let parts =
            paid(&table, "0", "300", Some("1000")) + paid(&table, "300", "900", Some("1000")) + paid(&table, "900", "1500", Some("1000"));
        assert_eq!(whole, parts);
        assert_eq!(whole, dec("95"));
    }

    #[test]
    fn a_credit_and_its_reversal_cancel() {
        let table = table(r#"{"tiers":[{"from":"0","rate":"0.05"},{"from":"100","rate":"0.1"}]}"#);
        assert_eq!(paid(&table, "0", "-900", None), dec("-45"));
        assert_eq!(paid(&table, "0", "250", None) + paid(&table, "250", "0", None), Decimal::ZERO);
    }

    #[test]
    fn without_a_quota_tiers_by_attainment_pay_nothing() {
        let table = table(r#"{"by":"attainment","tiers":[{"from":"0","rate":"1"}]}"#);
        assert_eq!(paid(&table, "0", "5000", Some("0")), Decimal::ZERO);
        assert_eq!(paid(&table, "0", "5000", None), Decimal::ZERO);
    }

    #[test]
    fn a_hole_pays_nothing() {
        let table = table(r#"{"method":"whole-amount","tiers":[{"from":"15000","until":"16000","rate":"0.2"}]}"#);
        assert_eq!(paid(&table, "0", "5", None), Decimal::ZERO);
        assert_eq!(paid(&table, "0", "15500", None), dec("3100"));
        assert_eq!(paid(&table, "0", "17000", None), Decimal::ZERO);
    }

    #[test]
    fn interpolated_tiers_are_divided_last() {
        let rate = table(r#"{"method":"interpolated-rate","tiers":[{"from":"800","until":"8600","rate":"0.035"}]}"#);
        assert_eq!(paid(&rate, "0", "2600", None), dec("21"), "2,600 × 3.5 % × 1,800 ÷ 7,800");
        let json =
            r#"{"method":"interpolated-amount","tiers":[{"from":"0","until":"3","amount":"1"},{"from":"3","until":"6","amount":"1"}]}"#;
        assert_eq!(paid(&table(json), "1", "4", None), dec("1"), "two thirds of one tier and one of the other");
    }

    #[test]
    fn defects_are_named() {
        let table = table(r#"{"method":"interpolated-amount","tiers":[{"from":"5"},{"from":"5","until":"3"}]}"#);
        assert_eq!(table.defects().len(), 4);
    }
}
