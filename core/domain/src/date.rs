//! Days and half-open spans of days. Instants belong to the rooms that have a clock.

use chrono::{Datelike, Duration, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A calendar day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("the epoch is a date");

impl Day {
    pub fn from_date(date: NaiveDate) -> Day {
        Day((date - EPOCH).num_days() as i32)
    }

    pub fn date(self) -> NaiveDate {
        EPOCH.checked_add_signed(Duration::days(i64::from(self.0))).unwrap_or(NaiveDate::MAX)
    }

    /// The same day of the month `months` later, or that month's last day where it is shorter.
    pub fn plus_months(self, months: i32) -> Day {
        let date = self.date();
        let moved = if months >= 0 {
            date.checked_add_months(chrono::Months::new(months.unsigned_abs()))
        } else {
            date.checked_sub_months(chrono::Months::new(months.unsigned_abs()))
        };
        Day::from_date(moved.unwrap_or(date))
    }

    pub fn year(self) -> i32 {
        self.date().year()
    }
}

impl FromStr for Day {
    type Err = ();

    /// Exactly `YYYY-MM-DD`, years 1900 to 2199.
    fn from_str(text: &str) -> Result<Day, ()> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        if !shape {
            return Err(());
        }
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| ())?;
        if !(1900..2200).contains(&date.year()) {
            return Err(());
        }
        Ok(Day::from_date(date))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.date().format("%Y-%m-%d"))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom(format!("`{text}` is not a day; write YYYY-MM-DD")))
    }
}

/// The days from `from` up to but without `until`; no `until` means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub from: Day,
    pub until: Option<Day>,
}

impl Span {
    pub fn contains(&self, day: Day) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }

    /// Days that `self` and the half-open span `from..until` have in common.
    pub fn overlap_days(&self, from: Day, until: Day) -> i32 {
        let start = self.from.max(from);
        let end = self.until.map_or(until, |own| own.min(until));
        (end.0 - start.0).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_days_in_one_form_are_days() {
        assert_eq!("2024-02-29".parse::<Day>().map(|day| day.to_string()), Ok("2024-02-29".to_owned()));
        for bad in ["2023-02-29", "2024-13-01", "2/3/26", "2024-1-01", "0001-01-01", "20240101", "2024-01-01T00:00"] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_month_later_keeps_the_day_or_takes_the_last_one() {
        let day: Day = "2024-01-31".parse().expect("a day");
        assert_eq!(day.plus_months(1).to_string(), "2024-02-29");
        assert_eq!(day.plus_months(-2).to_string(), "2023-11-30");
    }
}
