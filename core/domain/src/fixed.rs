//! Exact numbers: scaled integers for columns, `Decimal` for formulas, and the one place where rounding is defined.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Amounts and quantities in columns are integers of 10⁻⁴.
pub const MONEY_SCALE: u8 = 4;
/// Rates, shares and attainments in columns are integers of 10⁻⁸.
pub const RATE_SCALE: u8 = 8;

/// How a number that lies between two steps is moved to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum RoundingMode {
    /// To the nearest step; a tie goes to the even one.
    #[default]
    HalfEven,
    /// To the nearest step; a tie goes away from zero.
    HalfUp,
    /// To the nearest step; a tie goes towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards plus infinity.
    Ceiling,
    /// Towards minus infinity.
    Floor,
}

/// Rounding as declared by a plan: a mode and the step that results are multiples of, for example `0.01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    #[serde(default)]
    pub mode: RoundingMode,
    #[serde(default = "cent")]
    pub step: Decimal,
}

fn cent() -> Decimal {
    Decimal::new(1, 2)
}

impl Default for Rounding {
    fn default() -> Self {
        Rounding { mode: RoundingMode::HalfEven, step: cent() }
    }
}

impl Rounding {
    /// The multiple of `step` that `mode` chooses for `value`; `value` itself where the step is zero.
    /// `None` when the quotient does not fit a decimal.
    pub fn apply(&self, value: Decimal) -> Option<Decimal> {
        if self.step.is_zero() {
            return Some(value);
        }
        let quotient = value.checked_div(self.step)?;
        // The quotient of a non-power-of-ten step may be inexact, so the decision is made on the exact remainder.
        let lower = quotient.floor();
        let lower = [lower - Decimal::ONE, lower, lower + Decimal::ONE]
            .into_iter()
            .rfind(|candidate| candidate.checked_mul(self.step).is_some_and(|product| product <= value))?;
        let rest = value.checked_sub(lower.checked_mul(self.step)?)?;
        let up = if rest.is_zero() {
            false
        } else {
            let twice = rest.checked_add(rest)?;
            let negative = value.is_sign_negative();
            match self.mode {
                RoundingMode::Floor => false,
                RoundingMode::Ceiling => true,
                RoundingMode::Down => negative,
                RoundingMode::Up => !negative,
                RoundingMode::HalfEven => twice > self.step || (twice == self.step && !(lower % Decimal::TWO).is_zero()),
                RoundingMode::HalfUp => twice > self.step || (twice == self.step && !negative),
                RoundingMode::HalfDown => twice > self.step || (twice == self.step && negative),
            }
        };
        let steps = if up { lower.checked_add(Decimal::ONE)? } else { lower };
        steps.checked_mul(self.step).map(|rounded| rounded.normalize())
    }
}

/// `numerator / denominator` rounded to an integer. `denominator` must be positive.
pub fn divide(numerator: i128, denominator: i128, mode: RoundingMode) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    if rest == 0 {
        return quotient;
    }
    let negative = numerator < 0;
    let up = match mode {
        RoundingMode::Floor => false,
        RoundingMode::Ceiling => true,
        RoundingMode::Down => negative,
        RoundingMode::Up => !negative,
        RoundingMode::HalfEven => rest > denominator - rest || (rest == denominator - rest && quotient % 2 != 0),
        RoundingMode::HalfUp => rest > denominator - rest || (rest == denominator - rest && !negative),
        RoundingMode::HalfDown => rest > denominator - rest || (rest == denominator - rest && negative),
    };
    quotient + i128::from(up)
}

/// A scaled integer as a decimal without trailing zeros.
pub fn to_decimal(value: i64, scale: u8) -> Decimal {
    Decimal::new(value, u32::from(scale)).normalize()
}

/// A decimal as a scaled integer; `None` when it has more digits than `scale` keeps or does not fit.
pub fn from_decimal(value: Decimal, scale: u8) -> Option<i64> {
    let value = value.normalize();
    let missing = u32::from(scale).checked_sub(value.scale())?;
    let factor = 10i128.checked_pow(missing)?;
    i64::try_from(value.mantissa().checked_mul(factor)?).ok().filter(|scaled| *scaled != i64::MIN)
}

/// A decimal as a scaled integer, rounded half-even to `scale`; `None` when it does not fit.
pub fn from_decimal_rounded(value: Decimal, scale: u8) -> Option<i64> {
    from_decimal(value.round_dp(u32::from(scale)), scale)
}

/// Parses plain decimal notation (`-1234.5`): no exponent, no thousands separators, no surrounding space, no `NaN`.
/// `None` when `text` is anything else or has more than `scale` digits after the point.
pub fn parse(text: &str, scale: u8) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || (digits.contains('.') && fraction.is_empty()) {
        return None;
    }
    let fraction = if fraction.len() > usize::from(scale) {
        let (kept, rest) = fraction.split_at_checked(usize::from(scale))?;
        if rest.bytes().any(|digit| digit != b'0') {
            return None;
        }
        kept
    } else {
        fraction
    };
    let mut value: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    for _ in fraction.len()..usize::from(scale) {
        value = value.checked_mul(10)?;
    }
    let value = if negative { value } else { value.checked_neg()? };
    (value != i64::MIN).then_some(value)
}

/// Plain decimal notation without trailing zeros; the inverse of [`parse`].
pub fn format(value: i64, scale: u8) -> String {
    to_decimal(value, scale).to_string()
}

/// Splits `total` by `weights` so that the parts sum to `total` exactly. Every part is a multiple of `step` but for a
/// rest of `total` smaller than `step`, which goes to the first receiver. The largest remainders receive the steps that
/// are left over; equal remainders go to the earlier part. All weights zero gives everything to the first part.
pub fn split(total: i64, weights: &[i64], step: i64) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let mut parts = vec![0i64; weights.len()];
    if weights.is_empty() {
        return parts;
    }
    if sum <= 0 || weights.iter().any(|weight| *weight < 0) {
        parts[0] = total;
        return parts;
    }
    let step = i128::from(step.max(1));
    let sign = if total < 0 { -1 } else { 1 };
    let units = i128::from(total).abs() / step;
    let rest = i128::from(total).abs() % step;
    let mut given = 0i128;
    let mut order: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let exact = units * i128::from(*weight);
        let part = exact / sum;
        given += part;
        parts[index] = (part * step * sign) as i64;
        order.push((exact % sum, index));
    }
    order.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    let left_over = (units - given) as usize;
    for (_, index) in order.iter().take(left_over) {
        parts[*index] += (step * sign) as i64;
    }
    parts[order[0].1] += (rest * sign) as i64;
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn every_mode_treats_ties_and_signs_as_it_says() {
        use RoundingMode::*;
        let table = [
            (HalfEven, ["0.02", "0.02", "0.04", "-0.02", "-0.04"]),
            (HalfUp, ["0.02", "0.03", "0.04", "-0.03", "-0.04"]),
            (HalfDown, ["0.02", "0.02", "0.03", "-0.02", "-0.03"]),
            (Up, ["0.03", "0.03", "0.04", "-0.03", "-0.04"]),
            (Down, ["0.02", "0.02", "0.03", "-0.02", "-0.03"]),
            (Ceiling, ["0.03", "0.03", "0.04", "-0.02", "-0.03"]),
            (Floor, ["0.02", "0.02", "0.03", "-0.03", "-0.04"]),
        ];
        for (mode, expected) in table {
            let rounding = Rounding { mode, step: dec("0.01") };
            for (value, result) in ["0.021", "0.025", "0.035", "-0.025", "-0.035"].iter().zip(expected) {
                assert_eq!(rounding.apply(dec(value)), Some(dec(result)), "{mode:?} of {value}");
            }
        }
    }

    #[test]
    fn a_step_need_not_be_a_power_of_ten() {
        let rounding = Rounding { mode: RoundingMode::HalfUp, step: dec("0.05") };
        assert_eq!(rounding.apply(dec("1.025")), Some(dec("1.05")));
        let thirds = Rounding { mode: RoundingMode::Down, step: dec("3") };
        assert_eq!(thirds.apply(dec("8.9")), Some(dec("6")));
    }

    #[test]
    fn only_plain_decimals_are_numbers() {
        assert_eq!(parse("-1234.5", 4), Some(-12_345_000));
        for bad in ["", "-", ".5", "5.", "1e5", "NaN", "inf", "1,5", " 5", "5 ", "+5", "0x1", "1.00001", "٣", "(5.00)"] {
            assert_eq!(parse(bad, 4), None, "{bad}");
        }
        assert_eq!(parse("1.50000", 4), Some(15_000));
        assert_eq!(parse("99999999999999999999", 4), None);
    }

    #[test]
    fn an_odd_cent_goes_to_the_larger_remainder_and_then_to_the_first() {
        assert_eq!(split(1_000_000, &[1, 1, 1], 100), vec![333_400, 333_300, 333_300]);
        assert_eq!(split(-1_000_000, &[1, 1, 1], 100), vec![-333_400, -333_300, -333_300]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(total in -10_000_000_000i64..10_000_000_000, weights in proptest::collection::vec(0i64..1_000_000_000, 1..50)) {
            for step in [1, 100, 10_000] {
                prop_assert_eq!(split(total, &weights, step).iter().sum::<i64>(), total);
            }
        }

        #[test]
        fn text_and_number_are_the_same(value in any::<i64>().prop_filter("null", |value| *value != i64::MIN)) {
            for scale in [0u8, 4, 8] {
                prop_assert_eq!(parse(&format(value, scale), scale), Some(value));
            }
        }

        #[test]
        fn integer_and_decimal_rounding_agree(numerator in -1_000_000_000i64..1_000_000_000) {
            for mode in [RoundingMode::HalfEven, RoundingMode::HalfUp, RoundingMode::HalfDown, RoundingMode::Up, RoundingMode::Down, RoundingMode::Ceiling, RoundingMode::Floor] {
                let decimal = Rounding { mode, step: Decimal::ONE }.apply(Decimal::new(numerator, 4)).expect("fits");
                prop_assert_eq!(Decimal::from(divide(i128::from(numerator), 10_000, mode)), decimal);
            }
        }
    }
}
