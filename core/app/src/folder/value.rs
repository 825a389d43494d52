//! One cell: from text to a value of its kind and back, and what to write instead where it is none.

use super::problem::nearest;
use attain_domain::schema::Kind;
use attain_domain::{Day, fixed};
use rust_decimal::Decimal;

const ID_LENGTH_MAX: usize = 100;
const TEXT_LENGTH_MAX: usize = 500;

/// What is wrong with a text value and what to do; `None` when it may be kept as it is.
pub(super) fn text_defect(kind: Kind, text: &str) -> Option<String> {
    if let Kind::Choice(words) = kind {
        if words.contains(&text) {
            return None;
        }
        let near = nearest(text.trim(), words.iter().copied()).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Some(format!("is not one of {}{near}", quoted(words)));
    }
    if let Some(character) = text.chars().find(|character| character.is_control()) {
        return Some(format!("contains the control character U+{:04X}; remove it", character as u32));
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Some("has a space before or after it; remove the space".to_owned());
    }
    let length_max = if kind == Kind::Text { TEXT_LENGTH_MAX } else { ID_LENGTH_MAX };
    let length = text.chars().count();
    (length > length_max).then(|| format!("is {length} characters long; write at most {length_max}"))
}

/// The stored number of a day, flag, amount or rate, or what is wrong with `text` and what to do.
pub(crate) fn number(kind: Kind, text: &str) -> Result<i64, String> {
    match kind {
        Kind::Flag => match text {
            "true" => Ok(1),
            "false" => Ok(0),
            _ => Err("is not a flag; write `true` or `false`".to_owned()),
        },
        Kind::Day => text.parse::<Day>().map(|day| i64::from(day.0)).map_err(|()| day_advice(text)),
        _ => {
            let scale = kind.scale().unwrap_or_default();
            fixed::parse(text, scale).ok_or_else(|| number_advice(text, scale))
        }
    }
}

/// The value as it is written in a file.
pub(crate) fn shown(kind: Kind, value: i64) -> String {
    match kind {
        Kind::Flag => if value == 0 { "false" } else { "true" }.to_owned(),
        Kind::Day => i32::try_from(value).map_or_else(|_| value.to_string(), |day| Day(day).to_string()),
        _ => fixed::format(value, kind.scale().unwrap_or_default()),
    }
}

pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn day_advice(text: &str) -> String {
    let trimmed = text.trim();
    if trimmed != text && trimmed.parse::<Day>().is_ok() {
        return "has a space before or after it; remove the space".to_owned();
    }
    let digits = trimmed.as_bytes();
    let shaped = digits.len() == 10 && digits[4] == b'-' && digits[7] == b'-' && trimmed.bytes().filter(u8::is_ascii_digit).count() == 8;
    if shaped { "is no day of the calendar from 1900 to 2199; correct it" } else { "is not a day; write it as YYYY-MM-DD" }.to_owned()
}

/// What is wrong with a text that is no number of this scale.
fn number_advice(text: &str, scale: u8) -> String {
    if text.trim() != text {
        return "has a space before or after it; remove the space".to_owned();
    }
    if ["nan", "inf", "-inf", "infinity", "-infinity", "null", "none", "n/a", "na", "#n/a", "-"].contains(&text.to_lowercase().as_str()) {
        return "is not a number; write one, or nothing where the column may be empty".to_owned();
    }
    if text.contains(['e', 'E'])
        && let Ok(value) = Decimal::from_scientific(text)
    {
        return format!("is written with an exponent; write {}", value.normalize());
    }
    let plain = text.strip_prefix('-').unwrap_or(text);
    let is_plain = plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && plain.matches('.').count() <= 1;
    if is_plain && plain.starts_with(|first: char| first.is_ascii_digit()) && !plain.ends_with('.') {
        let places = plain.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
        return if places > usize::from(scale) {
            format!("has {places} digits after the point; round it to {scale}")
        } else {
            format!("is out of range; the largest number is {}", fixed::format(i64::MAX, scale))
        };
    }
    match suggestion(text, scale) {
        Some(number) => format!("is not a number; write {number}"),
        None => "is not a number; write digits with a point, for example 1234.56".to_owned(),
    }
}

/// The number that was probably meant: without separators, signs of currency, brackets for minus, or a sign of per cent.
fn suggestion(text: &str, scale: u8) -> Option<String> {
    let bracketed = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let negative = bracketed.is_some() || text.starts_with(['-', '−']) || text.ends_with('-');
    let percent = text.ends_with('%');
    let mut digits: String =
        bracketed.unwrap_or(text).chars().filter(|character| !character.is_whitespace() && !"'’_+-−%$€£¥".contains(*character)).collect();
    match (digits.rfind(','), digits.rfind('.')) {
        (Some(comma), Some(point)) if comma > point => digits = digits.replace('.', "").replace(',', "."),
        (Some(comma), None) if digits.matches(',').count() == 1 && digits.len() - comma != 4 => digits = digits.replace(',', "."),
        _ => digits = digits.replace(',', ""),
    }
    if digits.starts_with('.') {
        digits.insert(0, '0');
    }
    let mut value: Decimal = digits.trim_end_matches('.').parse().ok()?;
    if percent {
        value /= Decimal::ONE_HUNDRED;
    }
    if negative {
        value = -value;
    }
    fixed::from_decimal(value, scale).map(|_| value.normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_was_meant_is_proposed() {
        for (written, proposed) in [
            ("1,234.56", "1234.56"),
            ("1.234,56", "1234.56"),
            ("12,5", "12.5"),
            ("1 234", "1234"),
            ("$5", "5"),
            ("(5.00)", "-5"),
            ("4%", "0.04"),
            ("+7", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("12-", "-12"),
        ] {
            let message = number(Kind::Money, written).expect_err("no number");
            assert_eq!(message, format!("is not a number; write {proposed}"), "{written}");
        }
    }

    #[test]
    fn every_other_form_says_what_is_wrong_with_it() {
        for (written, part) in [
            ("NaN", "nothing where the column may be empty"),
            ("-inf", "nothing where"),
            ("1.5e3", "exponent; write 1500"),
            (" 5", "space"),
            ("1.00001", "5 digits after the point; round it to 4"),
            ("99999999999999999999", "out of range; the largest number is 922337203685477.5807"),
            ("abc", "for example 1234.56"),
        ] {
            let message = number(Kind::Money, written).expect_err("no number");
            assert!(message.contains(part), "{written}: {message}");
        }
        assert!(number(Kind::Day, "2026-02-30").is_err_and(|message| message.contains("no day of the calendar")));
        assert!(number(Kind::Day, "02/03/2026").is_err_and(|message| message.contains("YYYY-MM-DD")));
        assert!(number(Kind::Flag, "yes").is_err_and(|message| message.contains("`true` or `false`")));
    }
}
