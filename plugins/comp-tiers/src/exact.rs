//! Exact products on scaled integers and the one rounding at their end.

use attain_sdk::exact::divide;
use attain_sdk::{NULL, RoundingMode};

pub const MONEY_SCALE: u32 = 4;
pub const RATE_SCALE: u32 = 8;

/// `numerator ÷ 10^scale ÷ divisor`; the divisor is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    pub numerator: i128,
    pub divisor: i128,
    pub scale: u32,
}

impl Fraction {
    pub fn new(numerator: i128, scale: u32) -> Fraction {
        Fraction { numerator, divisor: 1, scale }
    }

    /// As an integer of 10^-`scale`; `None` when it does not fit.
    pub fn rounded_to_scale(self, scale: u32, mode: RoundingMode) -> Option<i64> {
        self.steps(power(scale)?, 1, mode).and_then(|steps| i64::try_from(steps).ok()).filter(|value| *value != NULL)
    }

    /// As an amount that is a multiple of `step` (10⁻⁸; 0 is no rounding but that to four digits).
    pub fn rounded_to_step(self, step: i64, mode: RoundingMode) -> Option<i64> {
        if step <= 0 {
            return self.rounded_to_scale(MONEY_SCALE, RoundingMode::HalfEven);
        }
        let steps = self.steps(power(RATE_SCALE)?, i128::from(step), mode)?;
        Fraction::new(steps.checked_mul(i128::from(step))?, RATE_SCALE).rounded_to_scale(MONEY_SCALE, RoundingMode::HalfEven)
    }

    /// The value × `factor` ÷ `step`, rounded to an integer. `factor` is a power of ten.
    fn steps(self, factor: i128, step: i128, mode: RoundingMode) -> Option<i128> {
        let own = power(self.scale)?;
        // Powers of ten are cancelled first, so that all digits are left for the value.
        let (numerator, denominator) =
            if own >= factor { (self.numerator, own / factor) } else { (self.numerator.checked_mul(factor / own)?, 1) };
        Some(divide(numerator, denominator.checked_mul(step)?.checked_mul(self.divisor)?, mode))
    }
}

pub fn power(exponent: u32) -> Option<i128> {
    10i128.checked_pow(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_treats_ties_and_signs_as_it_says() {
        let table = [
            (RoundingMode::HalfEven, [200, 200, 400, -200, -400]),
            (RoundingMode::HalfUp, [200, 300, 400, -300, -400]),
            (RoundingMode::HalfDown, [200, 200, 300, -200, -300]),
            (RoundingMode::Up, [300, 300, 400, -300, -400]),
            (RoundingMode::Down, [200, 200, 300, -200, -300]),
            (RoundingMode::Ceiling, [300, 300, 400, -200, -300]),
            (RoundingMode::Floor, [200, 200, 300, -300, -400]),
        ];
        for (mode, expected) in table {
            for (value, result) in [210, 250, 350, -250, -350].into_iter().zip(expected) {
                assert_eq!(Fraction::new(value, 4).rounded_to_step(1_000_000, mode), Some(result), "{mode:?} of {value}");
                // The same value with digits that need 128 bits.
                let wide = Fraction::new(i128::from(value as i64) * 10i128.pow(24), 28);
                assert_eq!(wide.rounded_to_step(1_000_000, mode), Some(result), "{mode:?} of {value}");
            }
        }
    }

    #[test]
    fn a_step_need_not_be_a_power_of_ten() {
        assert_eq!(Fraction::new(1_025, 3).rounded_to_step(5_000_000, RoundingMode::HalfUp), Some(10_500));
        assert_eq!(Fraction::new(89, 1).rounded_to_step(300_000_000, RoundingMode::Down), Some(60_000));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert_eq!(Fraction::new(i128::MAX, 0).rounded_to_scale(4, RoundingMode::HalfEven), None);
        assert_eq!(Fraction::new(i128::from(i64::MIN), 4).rounded_to_scale(4, RoundingMode::HalfEven), None);
    }
}
