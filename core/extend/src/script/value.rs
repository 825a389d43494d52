//! What one value is and does: the meaning of every operator on single values. Columns and rows share it, so that they agree.
//!
//! Numbers are decimals; integers are kept as such while they fit. No value is `()`: arithmetic with it gives no value, an order
//! comparison with it is false, and it equals only itself.

use rhai::{Dynamic, ImmutableString};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// No text that a script makes is longer.
pub(super) const TEXT_BYTES_MAX: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    And,
    Or,
}

impl Operator {
    pub const ALL: [(&'static str, Operator); 13] = [
        ("+", Operator::Add),
        ("-", Operator::Subtract),
        ("*", Operator::Multiply),
        ("/", Operator::Divide),
        ("%", Operator::Remainder),
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<", Operator::Less),
        ("<=", Operator::AtMost),
        (">", Operator::Greater),
        (">=", Operator::AtLeast),
        ("&", Operator::And),
        ("|", Operator::Or),
    ];

    pub fn from_symbol(symbol: &str) -> Option<Operator> {
        Operator::ALL.iter().find(|(own, _)| *own == symbol).map(|(_, operator)| *operator)
    }

    pub fn symbol(self) -> &'static str {
        Operator::ALL[self as usize].0
    }

    pub fn is_arithmetic(self) -> bool {
        matches!(self, Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder)
    }

    /// `None` for an operator that does not compare.
    pub fn compares(self, ordering: std::cmp::Ordering) -> Option<bool> {
        Some(match self {
            Operator::Equal => ordering.is_eq(),
            Operator::Unequal => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::AtMost => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::AtLeast => ordering.is_ge(),
            _ => return None,
        })
    }
}

pub(super) fn arithmetic(operator: Operator, left: Decimal, right: Decimal) -> Result<Decimal, String> {
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide | Operator::Remainder if right.is_zero() => {
            return Err(format!("division of `{}` by zero; test the divisor first, for example `if quota > 0 {{ … }}`", left.normalize()));
        }
        Operator::Divide => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    result.ok_or_else(|| format!("`{} {} {}` does not fit a decimal of 28 digits", left.normalize(), operator.symbol(), right.normalize()))
}

/// The number in `value`; the error names what it is instead.
pub(super) fn number(value: &Dynamic) -> Result<Option<Decimal>, String> {
    if value.is_unit() {
        return Ok(None);
    }
    match as_number(value) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("{} is not a number", describe(value))),
    }
}

/// The number in `value`, if it is one.
pub(super) fn as_number(value: &Dynamic) -> Option<Decimal> {
    if let Ok(integer) = value.as_int() {
        return Some(Decimal::from(integer));
    }
    value.as_decimal().ok()
}

pub(super) fn of_number(value: Option<Decimal>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Dynamic::from_decimal)
}

pub(super) fn of_text(value: Option<&ImmutableString>) -> Dynamic {
    value.map_or(Dynamic::UNIT, |text| Dynamic::from(text.clone()))
}

pub(super) fn flag(value: &Dynamic) -> Result<bool, String> {
    value.as_bool().map_err(|_| format!("{} is neither true nor false", describe(value)))
}

/// The text in `value`; an error for anything that is not text.
pub(super) fn text(value: &Dynamic) -> Result<ImmutableString, String> {
    value.as_immutable_string_ref().map(|text| text.clone()).map_err(|_| format!("{} is not text", describe(value)))
}

/// How a value stands in text: decimals without trailing zeros, no value as nothing.
pub(super) fn show(value: &Dynamic) -> String {
    if value.is_unit() {
        return String::new();
    }
    match as_number(value) {
        Some(number) => number.normalize().to_string(),
        None => value.to_string(),
    }
}

pub(super) fn describe(value: &Dynamic) -> String {
    if value.is_unit() {
        "a missing value".to_owned()
    } else if let Ok(text) = value.as_immutable_string_ref() {
        format!("the text `{}`", text.chars().take(40).collect::<String>())
    } else if let Some(number) = as_number(value) {
        format!("the number `{}`", number.normalize())
    } else if let Ok(flag) = value.as_bool() {
        format!("`{flag}`")
    } else if value.is_array() {
        "a list".to_owned()
    } else {
        "a map".to_owned()
    }
}

fn is_text(value: &Dynamic) -> bool {
    value.is_string() || value.is_char()
}

pub(super) fn binary(operator: Operator, left: &Dynamic, right: &Dynamic) -> Result<Dynamic, String> {
    if operator.is_arithmetic() {
        if operator == Operator::Add && (is_text(left) || is_text(right)) {
            let joined = format!("{}{}", show(left), show(right));
            if joined.len() > TEXT_BYTES_MAX {
                return Err(format!("a text of {} bytes is too long; {TEXT_BYTES_MAX} are allowed", joined.len()));
            }
            return Ok(Dynamic::from(joined));
        }
        let (Some(first), Some(second)) = (number(left)?, number(right)?) else { return Ok(Dynamic::UNIT) };
        let result = arithmetic(operator, first, second)?;
        if operator != Operator::Divide
            && left.is_int()
            && right.is_int()
            && let Some(integer) = result.to_i64()
        {
            return Ok(Dynamic::from_int(integer));
        }
        return Ok(Dynamic::from_decimal(result));
    }
    if matches!(operator, Operator::And | Operator::Or) {
        let (first, second) = (flag(left)?, flag(right)?);
        return Ok(Dynamic::from_bool(if operator == Operator::And { first && second } else { first || second }));
    }
    let is_equality = matches!(operator, Operator::Equal | Operator::Unequal);
    if left.is_unit() || right.is_unit() {
        let same = left.is_unit() && right.is_unit();
        return Ok(Dynamic::from_bool(is_equality && same == (operator == Operator::Equal)));
    }
    let ordering = if let (Some(first), Some(second)) = (as_number(left), as_number(right)) {
        first.cmp(&second)
    } else if is_text(left) && is_text(right) {
        show(left).cmp(&show(right))
    } else if let (Ok(first), Ok(second), true) = (left.as_bool(), right.as_bool(), is_equality) {
        first.cmp(&second)
    } else {
        return Err(format!("{} and {} cannot be compared", describe(left), describe(right)));
    };
    Ok(Dynamic::from_bool(operator.compares(ordering).unwrap_or_default()))
}

pub(super) fn negate(value: &Dynamic) -> Result<Dynamic, String> {
    if let Some(integer) = value.as_int().ok().and_then(i64::checked_neg) {
        return Ok(Dynamic::from_int(integer));
    }
    Ok(of_number(number(value)?.map(|number| -number)))
}

pub(super) fn invert(value: &Dynamic) -> Result<Dynamic, String> {
    Ok(Dynamic::from_bool(!flag(value)?))
}
