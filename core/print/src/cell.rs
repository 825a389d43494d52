//! One cell: what it is, how it is printed, and how text is kept from being run as a formula.

use crate::Kind;

/// What a spreadsheet may take for the start of a formula, full-width forms included.
const FORMULA_STARTS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

/// A plain decimal in its parts: `-`, digits, a point and digits.
#[derive(Debug, PartialEq, Eq)]
pub struct Decimal<'a> {
    pub negative: bool,
    pub whole: &'a str,
    pub fraction: &'a str,
}

impl<'a> Decimal<'a> {
    pub fn read(text: &'a str) -> Option<Decimal<'a>> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = match rest.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (rest, ""),
        };
        let digits = |part: &str| part.bytes().all(|own| own.is_ascii_digit());
        (!whole.is_empty() && digits(whole) && digits(fraction)).then_some(Decimal { negative, whole, fraction })
    }

    fn is_zero(&self) -> bool {
        self.whole.bytes().chain(self.fraction.bytes()).all(|own| own == b'0')
    }

    /// With thousands separators and no zeros at the end beyond `places_min`.
    fn grouped(&self, places_min: usize) -> String {
        let whole = self.whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let mut shown = String::new();
        if self.negative && !self.is_zero() {
            shown.push('-');
        }
        for (index, digit) in whole.char_indices() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                shown.push(',');
            }
            shown.push(digit);
        }
        let fraction = format!("{:0<places_min$}", self.fraction.trim_end_matches('0'));
        if !fraction.is_empty() {
            shown.push('.');
            shown.push_str(&fraction);
        }
        shown
    }

    /// Without zeros that say nothing, as a number is written by a program.
    pub fn plain(&self) -> String {
        let whole = self.whole.trim_start_matches('0');
        let fraction = self.fraction.trim_end_matches('0');
        let sign = if self.negative && !self.is_zero() { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

/// Year, month and day of `YYYY-MM-DD`, where that is a day that spreadsheets know.
pub fn day(text: &str) -> Option<(u16, u8, u8)> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, own)| if matches!(index, 4 | 7) { *own == b'-' } else { own.is_ascii_digit() });
    if !shaped {
        return None;
    }
    let (year, month, day) = (text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?);
    let is_leap = u16::is_multiple_of(year, 4) && (!u16::is_multiple_of(year, 100) || u16::is_multiple_of(year, 400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    ((1900..=9999).contains(&year) && (1..=last).contains(&day)).then_some((year, month, day))
}

/// As a reader sees it on paper. Text that is not of the kind stays as it is.
pub fn printed(kind: Kind, text: &str) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    match kind {
        Kind::Text => None,
        Kind::Amount => Decimal::read(text).map(|own| own.grouped(2)),
        Kind::Rate => Decimal::read(text).map(|own| per_cent(&own)),
        Kind::Day => day(text).map(|(year, month, day)| format!("{day}\u{a0}{}\u{a0}{year}", MONTHS[usize::from(month) - 1])),
    }
    .unwrap_or_else(|| text.to_owned())
}

/// `0.042` is `4.2 %`: the point moves, nothing is computed.
fn per_cent(rate: &Decimal) -> String {
    let fraction = format!("{:0<2}", rate.fraction);
    let whole = format!("{}{}", rate.whole, &fraction[..2]);
    let moved = Decimal { negative: rate.negative, whole: &whole, fraction: &fraction[2..] };
    format!("{}\u{a0}%", moved.grouped(0))
}

/// Whether the cell is what its column says and so needs no guard.
pub fn is_of_kind(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Text => false,
        Kind::Amount | Kind::Rate => Decimal::read(text).is_some(),
        Kind::Day => day(text).is_some(),
    }
}

/// Text that no spreadsheet runs: what looks like the start of a formula gets a `'` before it. Text that begins with such a guard
/// gets one more, so that [`unguarded`] gives back every text.
pub fn guarded(text: &str) -> String {
    if text.trim_start_matches('\'').starts_with(FORMULA_STARTS) { format!("'{text}") } else { text.to_owned() }
}

/// The text that [`guarded`] was given.
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA_STARTS) => rest,
        _ => text,
    }
}
