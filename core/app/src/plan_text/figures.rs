//! Figures of a plan as people read them: rates in per cent, amounts with their currency, thousands apart. What a setting is, its name says.

use rust_decimal::Decimal;
use serde_json::Value;

/// What a rate is a rate of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RateOf {
    /// A share of an amount.
    Amount,
    /// So much money for each of these.
    Each(&'static str),
}

/// A share in per cent, without zeros that say nothing.
pub(super) fn percent(share: Decimal) -> String {
    match share.checked_mul(Decimal::ONE_HUNDRED) {
        Some(own) => format!("{} %", number(own)),
        None => number(share),
    }
}

/// With its thousands apart, without zeros that say nothing.
pub(super) fn number(value: Decimal) -> String {
    let text = value.normalize().to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(whole, fraction)| (whole, fraction));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

/// An amount: no cents where there are none, else two digits of them at least.
pub(super) fn money(value: Decimal, currency: &str) -> String {
    let text = number(value);
    let text = match text.split_once('.') {
        Some((_, fraction)) if fraction.len() == 1 => format!("{text}0"),
        _ => text,
    };
    format!("{text} {currency}")
}

pub(super) fn rate(value: Decimal, of: &RateOf, currency: &str) -> String {
    match of {
        RateOf::Amount => percent(value),
        RateOf::Each(what) => format!("{} for each {what}", money(value, currency)),
    }
}

fn is_rate(key: &str) -> bool {
    key == "rate" || key.ends_with("_rate")
}

fn is_share(key: &str) -> bool {
    ["share", "percent", "threshold", "attainment", "discount", "margin"].iter().any(|word| key.contains(word))
}

fn is_money(key: &str) -> bool {
    ["amount", "bonus", "prize", "fee", "price", "target", "ote", "salary", "guarantee"].iter().any(|word| {
        // Whole words: a note is no on-target earnings.
        key.split(['_', '-', ' ']).any(|own| own == *word || own.strip_suffix('s') == Some(*word))
    })
}

/// The value of a setting or a parameter by its name.
pub(super) fn named(key: &str, value: Decimal, of: &RateOf, currency: &str) -> String {
    if is_rate(key) {
        rate(value, of, currency)
    } else if is_share(key) {
        percent(value)
    } else if is_money(key) {
        money(value, currency)
    } else {
        number(value)
    }
}

/// Any value of a setting in words.
pub(super) fn setting(key: &str, value: &Value, of: &RateOf, currency: &str) -> String {
    match value {
        Value::Bool(own) => if *own { "yes" } else { "no" }.to_owned(),
        Value::String(text) => match text.parse::<Decimal>() {
            Ok(own) => named(key, own, of, currency),
            Err(_) => text.replace('-', " "),
        },
        Value::Number(own) => own.to_string().parse::<Decimal>().map_or_else(|_| own.to_string(), |own| named(key, own, of, currency)),
        Value::Array(all) => all.iter().map(|own| setting(key, own, of, currency)).collect::<Vec<_>>().join("; "),
        Value::Object(all) => {
            let each = all.iter().map(|(name, own)| {
                // What has no name of its own is what the whole is: prizes by rank.
                let is_number = name.parse::<Decimal>().is_ok();
                let value = setting(if is_number { key } else { name }, own, of, currency);
                if is_number { format!("{name}: {value}") } else { format!("{} {value}", label(name)) }
            });
            each.collect::<Vec<_>>().join("; ")
        }
        Value::Null => "none".to_owned(),
    }
}

/// A name as it is read.
pub(super) fn label(key: &str) -> String {
    key.replace('_', " ")
}

/// The same at the start of a sentence.
pub(super) fn heading(key: &str) -> String {
    let text = label(key);
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dec(text: &str) -> Decimal {
        text.parse().expect("a number")
    }

    #[test]
    fn figures_are_written_as_people_read_them() {
        assert_eq!(percent(dec("0.0750")), "7.5 %");
        assert_eq!(percent(dec("12")), "1,200 %");
        assert_eq!(number(dec("-1234567.50")), "-1,234,567.5");
        assert_eq!(number(dec("999")), "999");
        assert_eq!(money(dec("60000"), "USD"), "60,000 USD");
        assert_eq!(money(dec("7.5"), "USD"), "7.50 USD");
        assert_eq!(money(dec("0.125"), "USD"), "0.125 USD");
        assert_eq!(rate(dec("1200"), &RateOf::Each("credit"), "USD"), "1,200 USD for each credit");
    }

    #[test]
    fn a_setting_is_what_its_name_says() {
        let said = |key: &str, value: Value| setting(key, &value, &RateOf::Amount, "EUR");
        assert_eq!(said("rate", json!("0.01")), "1 %");
        assert_eq!(said("extra_rate", json!("0.02")), "2 %");
        assert_eq!(said("extra_from", json!("150000")), "150,000");
        assert_eq!(said("threshold", json!("0.8")), "80 %");
        assert_eq!(said("amount", json!("2500")), "2,500 EUR");
        assert_eq!(said("bonus_amount", json!(2500)), "2,500 EUR");
        assert_eq!(said("notes", json!("3000")), "3,000", "no on-target earnings");
        assert_eq!(said("bound", json!("upper-inclusive")), "upper inclusive");
        assert_eq!(said("retroactive", json!(true)), "yes");
        assert_eq!(said("prizes", json!({ "1": "5000", "2": "3000" })), "1: 5,000 EUR; 2: 3,000 EUR");
        assert_eq!(said("steps", json!({ "base_rate": "0.1" })), "base rate 10 %");
        assert_eq!(heading("extra_from"), "Extra from");
    }
}
