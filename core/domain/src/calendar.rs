//! Fiscal calendars: half-open periods of any pattern, each in a quarter and a year.

use crate::date::Day;
use crate::ids::PeriodId;
use serde::{Deserialize, Serialize};

/// How the periods of a company follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "pattern", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CalendarSettings {
    /// Calendar months from the first day of the first fiscal year. Ids are `2026-01`.
    Months { first: Day, years: u32 },
    /// Spans of three months. Ids are `2026-Q1`.
    Quarters { first: Day, years: u32 },
    /// Quarters of 4, 4 and 5 weeks; a 53rd week goes to the last period of the years listed. Ids are `2026-P01`.
    #[serde(rename = "4-4-5")]
    Weeks445 {
        first: Day,
        years: u32,
        #[serde(default)]
        long_years: Vec<i32>,
    },
    /// The periods as listed; they must follow each other without gap or overlap.
    Custom { periods: Vec<CustomPeriod> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomPeriod {
    pub id: String,
    pub from: Day,
    pub until: Day,
    /// Names of the quarter and the year it belongs to; the period itself where absent.
    #[serde(default)]
    pub quarter: Option<String>,
    #[serde(default)]
    pub year: Option<String>,
}

/// One period: the days `from..until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub id: PeriodId,
    pub from: Day,
    pub until: Day,
    pub quarter: String,
    pub year: String,
}

impl Period {
    pub fn days(&self) -> i32 {
        self.until.0 - self.from.0
    }
}

/// The periods of a company in ascending order, without gap or overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub periods: Vec<Period>,
}

impl Calendar {
    /// Errors name what is wrong with the settings, in words for whoever wrote them.
    pub fn new(settings: &CalendarSettings) -> Result<Calendar, String> {
        let periods = match settings {
            CalendarSettings::Months { first, years } => by_months(*first, *years, 1)?,
            CalendarSettings::Quarters { first, years } => by_months(*first, *years, 3)?,
            CalendarSettings::Weeks445 { first, years, long_years } => by_weeks(*first, *years, long_years)?,
            CalendarSettings::Custom { periods } => custom(periods)?,
        };
        Ok(Calendar { periods })
    }

    /// Index of the period that `day` lies in.
    pub fn find(&self, day: Day) -> Option<usize> {
        let index = self.periods.partition_point(|period| period.until <= day);
        self.periods.get(index).filter(|period| period.from <= day).map(|_| index)
    }

    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.periods.iter().position(|period| period.id.0 == id)
    }
}

fn checked_years(years: u32) -> Result<u32, String> {
    if (1..=50).contains(&years) { Ok(years) } else { Err(format!("`years` is {years}; write a number from 1 to 50")) }
}

/// The fiscal year is named after the calendar year in which it ends, or starts when it starts on 1 January.
fn year_name(first: Day) -> i32 {
    Day(first.plus_months(12).0 - 1).year()
}

fn by_months(first: Day, years: u32, step: i32) -> Result<Vec<Period>, String> {
    let months = 12 * checked_years(years)? as i32;
    let mut periods = Vec::new();
    for start in (0..months).step_by(step as usize) {
        let from = first.plus_months(start);
        let year = year_name(first) + start / 12;
        let quarter = format!("{year}-Q{}", start % 12 / 3 + 1);
        let id = if step == 3 { quarter.clone() } else { from.date().format("%Y-%m").to_string() };
        periods.push(Period { id: PeriodId(id), from, until: first.plus_months(start + step), quarter, year: year.to_string() });
    }
    Ok(periods)
}

fn by_weeks(first: Day, years: u32, long_years: &[i32]) -> Result<Vec<Period>, String> {
    let mut periods = Vec::new();
    let mut from = first;
    for offset in 0..checked_years(years)? as i32 {
        let year = year_name(first) + offset;
        for number in 0..12 {
            let mut weeks = if number % 3 == 2 { 5 } else { 4 };
            if number == 11 && long_years.contains(&year) {
                weeks += 1;
            }
            let until = Day(from.0 + weeks * 7);
            periods.push(Period {
                id: PeriodId(format!("{year}-P{:02}", number + 1)),
                from,
                until,
                quarter: format!("{year}-Q{}", number / 3 + 1),
                year: year.to_string(),
            });
            from = until;
        }
    }
    Ok(periods)
}

fn custom(listed: &[CustomPeriod]) -> Result<Vec<Period>, String> {
    if listed.is_empty() {
        return Err("a custom calendar lists no `periods`; write at least one".to_owned());
    }
    let mut periods: Vec<Period> = Vec::with_capacity(listed.len());
    for own in listed {
        if own.from >= own.until {
            return Err(format!("period `{}` ends on {} and starts on {}; `until` must be later", own.id, own.until, own.from));
        }
        if let Some(last) = periods.last()
            && last.until != own.from
        {
            return Err(format!("period `{}` starts on {}, the one before ends before {}; they must meet", own.id, own.from, last.until));
        }
        if periods.iter().any(|period| period.id.0 == own.id) {
            return Err(format!("period `{}` is listed twice", own.id));
        }
        periods.push(Period {
            id: PeriodId(own.id.clone()),
            from: own.from,
            until: own.until,
            quarter: own.quarter.clone().unwrap_or_else(|| own.id.clone()),
            year: own.year.clone().unwrap_or_else(|| own.id.clone()),
        });
    }
    Ok(periods)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    #[test]
    fn every_day_of_a_fiscal_year_is_in_exactly_one_period() {
        for settings in [
            CalendarSettings::Months { first: day("2025-02-01"), years: 2 },
            CalendarSettings::Quarters { first: day("2024-07-01"), years: 1 },
            CalendarSettings::Weeks445 { first: day("2023-01-29"), years: 3, long_years: vec![2024] },
        ] {
            let calendar = Calendar::new(&settings).expect("valid");
            let first = calendar.periods.first().expect("one").from;
            let last = calendar.periods.last().expect("one").until;
            for number in first.0..last.0 {
                let index = calendar.find(Day(number)).expect("inside");
                assert!(calendar.periods[index].from.0 <= number && number < calendar.periods[index].until.0);
            }
            assert_eq!(calendar.find(Day(first.0 - 1)), None);
            assert_eq!(calendar.find(last), None);
        }
    }

    #[test]
    fn a_fiscal_year_is_named_after_the_year_in_which_it_ends() {
        let calendar = Calendar::new(&CalendarSettings::Quarters { first: day("2024-07-01"), years: 1 }).expect("valid");
        assert_eq!(
            calendar.periods.iter().map(|period| period.id.as_str()).collect::<Vec<_>>(),
            ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"]
        );
    }

    #[test]
    fn a_gap_between_custom_periods_is_refused() {
        let period = |id: &str, from: &str, until: &str| CustomPeriod {
            id: id.into(),
            from: day(from),
            until: day(until),
            quarter: None,
            year: None,
        };
        let gap =
            CalendarSettings::Custom { periods: vec![period("a", "2024-01-01", "2024-02-01"), period("b", "2024-02-02", "2024-03-01")] };
        assert!(Calendar::new(&gap).is_err_and(|message| message.contains("must meet")));
    }
}
