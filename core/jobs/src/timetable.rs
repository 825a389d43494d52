//! When a pattern comes round.

use chrono::{DateTime, FixedOffset};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A cron pattern at a fixed distance from UTC. Five fields (minute, hour, day, month, day of the week), or six with seconds
/// in front. Zones with summer time are not known: a pattern stays at its distance from UTC all year.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    offset: FixedOffset,
}

/// Why a pattern or a zone is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotATime(pub String);

/// Of a pattern as it is stored.
const TEXT_MAX: usize = 100;

impl Timetable {
    /// `zone` is `UTC` or a distance from it as `+02:00`.
    pub fn new(cron: &str, zone: &str) -> Result<Timetable, NotATime> {
        let refuse = |why: String| NotATime(format!("`{cron}` is no schedule: {why}; write minute, hour, day, month and weekday, as `0 6 * * 1`"));
        if cron.len() > TEXT_MAX {
            return Err(NotATime(format!("the pattern has more than {TEXT_MAX} characters; write a shorter one")));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let parsed = parser.parse(cron).map_err(|error| refuse(error.to_string()))?;
        let offset = offset(zone).ok_or_else(|| NotATime(format!("`{zone}` is no zone; write `UTC` or a distance as `+02:00`")))?;
        let timetable = Timetable { cron: parsed, offset };
        // A pattern such as the 31st of February parses and never comes.
        timetable.after(0).map_err(|_| refuse("it never comes round".to_owned()))?;
        Ok(timetable)
    }

    /// The first slot later than `at`.
    pub fn after(&self, at: i64) -> Result<i64, NotATime> {
        self.near(at, |moment| self.cron.find_next_occurrence(moment, false))
    }

    /// The last slot not later than `at`.
    pub fn until(&self, at: i64) -> Result<i64, NotATime> {
        self.near(at, |moment| self.cron.find_previous_occurrence(moment, true))
    }

    fn near(
        &self,
        at: i64,
        find: impl FnOnce(&DateTime<FixedOffset>) -> Result<DateTime<FixedOffset>, croner::errors::CronError>,
    ) -> Result<i64, NotATime> {
        let wrong = || NotATime(format!("{at} is no moment"));
        // Slots are whole seconds.
        let moment = DateTime::from_timestamp(at.div_euclid(1_000), 0).ok_or_else(wrong)?.with_timezone(&self.offset);
        find(&moment).map(|slot| slot.timestamp_millis()).map_err(|error| NotATime(error.to_string()))
    }
}

fn offset(zone: &str) -> Option<FixedOffset> {
    if zone == "UTC" {
        return FixedOffset::east_opt(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |text: &str| (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 14 && minutes < 60).then(|| FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<DateTime<FixedOffset>>().expect("an instant").timestamp_millis()
    }

    #[test]
    fn a_pattern_comes_round_in_its_zone() {
        let six = Timetable::new("0 6 * * *", "+02:00").expect("a schedule");
        assert_eq!(six.after(at("2026-03-01T00:00:00Z")), Ok(at("2026-03-01T04:00:00Z")));
        assert_eq!(six.after(at("2026-03-01T04:00:00Z")), Ok(at("2026-03-02T04:00:00Z")), "later than a slot is the next one");
        assert_eq!(six.until(at("2026-03-01T04:00:00Z")), Ok(at("2026-03-01T04:00:00Z")));
        assert_eq!(six.until(at("2026-03-01T03:59:59.999Z")), Ok(at("2026-02-28T04:00:00Z")));
        let west = Timetable::new("30 23 * * 5", "-03:30").expect("a schedule");
        assert_eq!(west.after(at("2026-03-01T00:00:00Z")), Ok(at("2026-03-07T03:00:00Z")), "Friday there is Saturday here");
    }

    #[test]
    fn seconds_may_stand_in_front() {
        let often = Timetable::new("*/2 * * * * *", "UTC").expect("a schedule");
        assert_eq!(often.after(at("2026-03-01T00:00:00.500Z")), Ok(at("2026-03-01T00:00:02Z")));
    }

    #[test]
    fn a_leap_day_comes_round_after_years() {
        let leap = Timetable::new("0 0 29 2 *", "UTC").expect("a schedule");
        assert_eq!(leap.after(at("2026-03-01T00:00:00Z")), Ok(at("2028-02-29T00:00:00Z")));
    }

    #[test]
    fn what_never_comes_and_what_is_no_zone_is_refused() {
        for (cron, zone) in [("0 0 31 2 *", "UTC"), ("every day", "UTC"), ("", "UTC"), ("0 25 * * *", "UTC"), ("0 6 * * *", "Europe/Berlin"), ("0 6 * * *", "+2")] {
            let refused = Timetable::new(cron, zone).map(|_| ());
            assert!(refused.is_err(), "`{cron}` in `{zone}` was taken");
        }
    }
}
