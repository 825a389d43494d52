//! Exact numbers: amounts as integers of 10^-12, rounded once and where it is declared. No floating point.

use serde::{Deserialize, Deserializer};
use std::ops::{Add, AddAssign, Neg, Sub};

const SCALE: u32 = 12;
/// From money (10^-4) to an exact amount (10^-12), and the same from 10^-8 to 10^-12 is `PER_RATE`.
const PER_MONEY: i128 = 100_000_000;
const PER_RATE: i128 = 10_000;

/// How a number that lies between two steps is moved to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Default)]
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

impl RoundingMode {
    pub const ALL: [RoundingMode; 7] = [
        RoundingMode::HalfEven,
        RoundingMode::HalfUp,
        RoundingMode::HalfDown,
        RoundingMode::Up,
        RoundingMode::Down,
        RoundingMode::Ceiling,
        RoundingMode::Floor,
    ];

    pub fn name(self) -> &'static str {
        match self {
            RoundingMode::HalfEven => "half-even",
            RoundingMode::HalfUp => "half-up",
            RoundingMode::HalfDown => "half-down",
            RoundingMode::Up => "up",
            RoundingMode::Down => "down",
            RoundingMode::Ceiling => "ceiling",
            RoundingMode::Floor => "floor",
        }
    }

    pub fn from_name(name: &str) -> Option<RoundingMode> {
        RoundingMode::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// `numerator / denominator` rounded to an integer. `denominator` must be positive.
#[inline]
pub fn divide(numerator: i128, denominator: i128, mode: RoundingMode) -> i128 {
    // 64-bit division is several times faster in the sandbox, and nearly all amounts fit.
    if let (Ok(small), Ok(divisor)) = (i64::try_from(numerator), i64::try_from(denominator)) {
        let (quotient, rest) = (small.div_euclid(divisor), small.rem_euclid(divisor));
        return i128::from(quotient) + i128::from(goes_up(i128::from(rest), denominator, quotient & 1 != 0, small < 0, mode));
    }
    let (quotient, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    quotient + i128::from(goes_up(rest, denominator, quotient & 1 != 0, numerator < 0, mode))
}

#[inline]
fn goes_up(rest: i128, denominator: i128, odd: bool, negative: bool, mode: RoundingMode) -> bool {
    if rest == 0 {
        return false;
    }
    match mode {
        RoundingMode::Floor => false,
        RoundingMode::Ceiling => true,
        RoundingMode::Down => negative,
        RoundingMode::Up => !negative,
        RoundingMode::HalfEven => rest > denominator - rest || (rest == denominator - rest && odd),
        RoundingMode::HalfUp => rest > denominator - rest || (rest == denominator - rest && !negative),
        RoundingMode::HalfDown => rest > denominator - rest || (rest == denominator - rest && negative),
    }
}

/// An amount as an integer of 10^-12: the product of money and a rate fits without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Exact(pub i128);

impl Exact {
    pub const ZERO: Exact = Exact(0);

    #[inline]
    pub fn money(value: i64) -> Exact {
        Exact(i128::from(value) * PER_MONEY)
    }

    #[inline]
    pub fn rate(value: i64) -> Exact {
        Exact(i128::from(value) * PER_RATE)
    }

    /// Money (10^-4) times a rate (10^-8).
    #[inline]
    pub fn product(money: i64, rate: i64) -> Exact {
        Exact(i128::from(money) * i128::from(rate))
    }

    /// `mantissa × 10^-scale`, rounded half-even where `scale` is above 12; `None` when it does not fit.
    pub fn from_parts(mantissa: i128, scale: u32) -> Option<Exact> {
        if scale <= SCALE {
            mantissa.checked_mul(10i128.checked_pow(SCALE - scale)?).map(Exact)
        } else {
            Some(Exact(divide(mantissa, 10i128.checked_pow(scale - SCALE)?, RoundingMode::HalfEven)))
        }
    }

    /// The amount in 10^-4, rounded as said; `None` when it does not fit.
    #[inline]
    pub fn to_money(self, mode: RoundingMode) -> Option<i64> {
        fits(divide(self.0, PER_MONEY, mode))
    }

    /// The amount in 10^-8, rounded as said; `None` when it does not fit.
    #[inline]
    pub fn to_rate(self, mode: RoundingMode) -> Option<i64> {
        fits(divide(self.0, PER_RATE, mode))
    }

    pub fn checked_add(self, other: Exact) -> Option<Exact> {
        self.0.checked_add(other.0).map(Exact)
    }
}

fn fits(value: i128) -> Option<i64> {
    i64::try_from(value).ok().filter(|value| *value != crate::NULL)
}

impl Add for Exact {
    type Output = Exact;
    fn add(self, other: Exact) -> Exact {
        Exact(self.0 + other.0)
    }
}

impl AddAssign for Exact {
    fn add_assign(&mut self, other: Exact) {
        self.0 += other.0;
    }
}

impl Sub for Exact {
    type Output = Exact;
    fn sub(self, other: Exact) -> Exact {
        Exact(self.0 - other.0)
    }
}

impl Neg for Exact {
    type Output = Exact;
    fn neg(self) -> Exact {
        Exact(-self.0)
    }
}

/// Rounding as a batch declares it. A step of zero leaves a number as it is, to the last digit that its column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    pub mode: RoundingMode,
    /// Results are multiples of it.
    pub step: Exact,
}

impl Rounding {
    #[inline]
    pub fn apply(self, amount: Exact) -> Exact {
        if self.step.0 <= 0 { amount } else { Exact(divide(amount.0, self.step.0, self.mode) * self.step.0) }
    }

    /// Rounds to a step and gives money (10^-4); `None` when it does not fit.
    #[inline]
    pub fn to_money(self, amount: Exact) -> Option<i64> {
        self.apply(amount).to_money(self.mode)
    }
}

/// Parses plain decimal notation; `None` for anything else or more than `scale` digits after the point.
pub fn parse(text: &str, scale: u8) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || (digits.contains('.') && fraction.is_empty()) || !digits.is_ascii() {
        return None;
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(usize::from(scale)));
    if rest.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let mut value: i64 = 0;
    for digit in whole.bytes().chain(kept.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    for _ in kept.len()..usize::from(scale) {
        value = value.checked_mul(10)?;
    }
    let value = if negative { value } else { value.checked_neg()? };
    (value != crate::NULL).then_some(value)
}

/// Plain decimal notation without trailing zeros; the inverse of [`parse`].
pub fn format(value: i64, scale: u8) -> String {
    let factor = 10u64.pow(u32::from(scale));
    let (whole, fraction) = (value.unsigned_abs() / factor, value.unsigned_abs() % factor);
    let sign = if value < 0 { "-" } else { "" };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = usize::from(scale));
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D, scale: u8) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Whole(i64),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Whole(whole) => whole.to_string(),
    };
    parse(&text, scale).ok_or_else(|| {
        serde::de::Error::custom(format!("`{text}` is not a decimal of at most {scale} digits after the point; write one like \"0.05\""))
    })
}

/// For settings: `#[serde(deserialize_with = "attain_sdk::exact::money")] bonus: i64` reads `"250.00"` as 10^-4.
pub fn money<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    from_text(deserializer, 4)
}

/// For settings: `#[serde(deserialize_with = "attain_sdk::exact::rate")] rate: i64` reads `"0.05"` as 10^-8.
pub fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    from_text(deserializer, 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_treats_ties_and_signs_as_it_says() {
        use RoundingMode::*;
        let table = [
            (HalfEven, [2, 2, 4, -2, -4]),
            (HalfUp, [2, 3, 4, -3, -4]),
            (HalfDown, [2, 2, 3, -2, -3]),
            (Up, [3, 3, 4, -3, -4]),
            (Down, [2, 2, 3, -2, -3]),
            (Ceiling, [3, 3, 4, -2, -3]),
            (Floor, [2, 2, 3, -3, -4]),
        ];
        for (mode, expected) in table {
            for (value, result) in [21, 25, 35, -25, -35].into_iter().zip(expected) {
                assert_eq!(divide(value, 10, mode), result, "{mode:?} of {value}");
                let wide = 10i128.pow(25);
                assert_eq!(divide(value * wide, 10 * wide, mode), result, "{mode:?} of wide {value}");
            }
        }
    }

    #[test]
    fn an_amount_is_rounded_once_to_the_step() {
        let rounding = Rounding { mode: RoundingMode::HalfEven, step: Exact::money(100) };
        assert_eq!(rounding.to_money(Exact::product(1_000_000, 12_345_678)), Some(123_500));
        let unrounded = Rounding { mode: RoundingMode::Down, step: Exact::ZERO };
        assert_eq!(unrounded.to_money(Exact::product(1_000_000, 12_345_678)), Some(123_456));
        assert_eq!(Exact(i128::MAX).to_money(RoundingMode::Down), None);
    }

    #[test]
    fn text_and_number_are_the_same() {
        for value in [0, 5, -5, 10_000, -123_456_789, i64::MAX] {
            for scale in [0, 4, 8] {
                assert_eq!(parse(&format(value, scale), scale), Some(value));
            }
        }
        for bad in ["", "-", ".5", "5.", "1e5", "NaN", "1,5", " 5", "+5", "1.00001", "٣"] {
            assert_eq!(parse(bad, 4), None, "{bad}");
        }
    }
}
