//! The schedule of one contract, month by month: straight line over its expected life. What changes it (more or less cost, another
//! life, its end) changes the months from then on and never one before.

use crate::lookup::Step;
use attain_domain::Day;
use attain_domain::accounting::Convention;
use attain_domain::fixed::divide;

/// Lives are counted in 10⁻⁴ months, as in columns.
pub const MONTH: i64 = 10_000;
/// A hundred years.
pub const LIFE_MAX: i64 = 1_200 * MONTH;

/// A calendar month, counted from January of the year 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i32);

const EPOCH: Day = Day(0);

impl Month {
    pub fn of(day: Day) -> Month {
        let near = (day.year() - 1970) * 12;
        // The month of the year is the last one that does not start after the day.
        (0..12).rev().map(|month| Month(near + month)).find(|month| month.first() <= day).unwrap_or(Month(near))
    }

    pub fn first(self) -> Day {
        EPOCH.plus_months(self.0)
    }

    pub fn next(self) -> Month {
        Month(self.0 + 1)
    }

    /// The fifteenth: the day by which a month belongs to a period.
    pub fn middle(self) -> Day {
        Day(self.first().0 + 14)
    }
}

/// When a contract starts and how long it is expected to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    pub start: Day,
    /// In 10⁻⁴ months, greater than zero, at most a hundred years.
    pub months: i64,
    pub convention: Convention,
}

impl Life {
    fn end(&self) -> Day {
        let whole = (self.months / MONTH) as i32;
        let end = self.start.plus_months(whole);
        let days = i64::from(self.start.plus_months(whole + 1).0 - end.0);
        Day(end.0 + (days * (self.months % MONTH) / MONTH) as i32)
    }

    /// From where to where it lasts, on a line on which `month` is the span `at..at + len`.
    fn place(&self, month: Month) -> (i64, i64, i64, i64) {
        match self.convention {
            Convention::Daily => {
                let first = i64::from(month.first().0);
                (i64::from(self.start.0), i64::from(self.end().0), first, i64::from(month.next().first().0) - first)
            }
            Convention::FullMonth | Convention::MidMonth => {
                let late = if self.convention == Convention::MidMonth { MONTH / 2 } else { 0 };
                (late, late + self.months, i64::from(month.0 - Month::of(self.start).0) * MONTH, MONTH)
            }
        }
    }

    /// How much of the life lies in the month.
    fn within(&self, month: Month) -> i64 {
        let (from, until, at, len) = self.place(month);
        (until.min(at + len) - from.max(at)).max(0)
    }

    /// How much of it lies in the month and after.
    fn left(&self, month: Month) -> i64 {
        let (from, until, at, _) = self.place(month);
        (until - from.max(at)).max(0)
    }

    /// How much of it lies in the month of `day` and before that day.
    fn before(&self, day: Day) -> i64 {
        let month = Month::of(day);
        match self.convention {
            Convention::FullMonth => 0,
            Convention::MidMonth => self.within(month) / 2,
            Convention::Daily => {
                let (from, until, at, _) = self.place(month);
                (until.min(i64::from(day.0)) - from.max(at)).max(0)
            }
        }
    }
}

/// What happens to a contract's asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// Cost that is capitalised, or taken back.
    Addition(i64),
    /// Another expected life, in 10⁻⁴ months from the start.
    Estimate(Day, i64),
    /// What is left goes to the renewal.
    HandOver,
    /// The customer left.
    Churn(Day),
}

/// `closing = opening + addition - amortized - impaired`, and the next month opens with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub month: Month,
    pub opening: i64,
    pub addition: i64,
    pub amortized: i64,
    pub impaired: i64,
    pub closing: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// From the first month with anything to the last; without gaps.
    pub lines: Vec<Line>,
    /// What went to the renewal.
    pub handed_over: i64,
}

/// What a month takes: a fixed share of what was to be spread when it was last planned.
#[derive(Debug, Clone, Copy)]
struct Spread {
    amount: i64,
    weight: i64,
}

impl Spread {
    /// Never more than is held, so that rounding cannot turn an asset into a debt.
    fn share(&self, within: i64, held: i64, step: &Step) -> Option<i64> {
        let exact = i128::from(self.amount) * i128::from(within);
        let steps = divide(exact, i128::from(self.weight) * i128::from(step.step), step.mode);
        let share = i64::try_from(steps * i128::from(step.step)).ok()?;
        Some(if held < 0 { share.clamp(held, 0) } else { share.clamp(0, held) })
    }
}

/// The schedule under what happened, in whatever order it is given. With `at_once` every cost is expense in its month. `None` where
/// an amount does not fit.
pub fn schedule(life: Life, at_once: bool, step: Step, happenings: &[(Month, Happening)]) -> Option<Schedule> {
    let mut happenings = happenings.to_vec();
    happenings.sort_unstable();
    let mut schedule = Schedule::default();
    let Some((first, _)) = happenings.first().copied() else { return Some(schedule) };
    let (mut life, mut balance, mut spread, mut is_over) = (life, 0i64, None::<Spread>, false);
    let (mut month, mut next) = (first, 0);
    while next < happenings.len() || balance != 0 {
        let opening = balance;
        let (mut addition, mut handed, mut left_on) = (0i64, false, None);
        while let Some((_, happening)) = happenings.get(next).filter(|(own, _)| *own == month) {
            match *happening {
                Happening::Addition(amount) => addition = addition.checked_add(amount)?,
                Happening::Estimate(_, months) => life.months = months,
                Happening::HandOver => handed = true,
                Happening::Churn(day) => left_on = left_on.or(Some(day)),
            }
            if !matches!(happening, Happening::Addition(0)) {
                spread = None;
            }
            next += 1;
        }
        if handed && !is_over {
            schedule.handed_over = opening.checked_add(addition)?;
            addition = opening.checked_neg()?;
            is_over = true;
        }
        let held = opening.checked_add(addition)?;
        let (mut amortized, mut impaired) = (0, 0);
        let left = life.left(month);
        if is_over || at_once || (left == 0 && left_on.is_none()) {
            // A cost that comes when there is nothing more to spread it over.
            amortized = held;
        } else {
            let within = left_on.map_or_else(|| life.within(month), |day| life.before(day));
            if within > 0 {
                let own = *spread.get_or_insert(Spread { amount: held, weight: left });
                amortized = if within == left && left_on.is_none() { held } else { own.share(within, held, &step)? };
            }
            if left_on.is_some() {
                impaired = held - amortized;
                is_over = true;
            }
        }
        balance = held - amortized - impaired;
        schedule.lines.push(Line { month, opening, addition, amortized, impaired, closing: balance });
        month = month.next();
    }
    Some(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::{Rounding, RoundingMode};
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn life(start: &str, months: i64, convention: Convention) -> Life {
        Life { start: day(start), months: months * MONTH, convention }
    }

    fn cents() -> Step {
        Step::new(&Rounding::default())
    }

    fn month(text: &str) -> Month {
        Month::of(day(text))
    }

    fn amounts(schedule: &Schedule) -> Vec<i64> {
        schedule.lines.iter().map(|line| line.amortized).collect()
    }

    #[test]
    fn a_month_is_the_one_that_its_days_lie_in() {
        for text in ["1969-12-31", "1970-01-01", "2024-02-29", "2026-12-31", "1900-01-01"] {
            let own = month(text);
            assert!(own.first() <= day(text) && day(text) < own.next().first(), "{text}");
        }
    }

    #[test]
    fn each_convention_has_its_share_of_the_first_and_the_last_month() {
        let whole = |convention| {
            let own = life("2026-01-16", 3, convention);
            let cost = [(month("2026-01-01"), Happening::Addition(9_000_000))];
            amounts(&schedule(own, false, cents(), &cost).expect("it fits"))
        };
        assert_eq!(whole(Convention::FullMonth), [3_000_000, 3_000_000, 3_000_000]);
        assert_eq!(whole(Convention::MidMonth), [1_500_000, 3_000_000, 3_000_000, 1_500_000]);
        // 16, 28, 31 and 15 of 90 days.
        assert_eq!(whole(Convention::Daily), [1_600_000, 2_800_000, 3_100_000, 1_500_000]);
    }

    #[test]
    fn the_last_month_takes_what_rounding_leaves() {
        let cost = [(month("2026-01-01"), Happening::Addition(1_000_000))];
        let thirds = schedule(life("2026-01-01", 3, Convention::FullMonth), false, cents(), &cost).expect("it fits");
        assert_eq!(amounts(&thirds), [333_300, 333_300, 333_400]);
        // A cent a month is more than there is: nothing is left for the last ones, and nothing is owed.
        let cent = [(month("2026-01-01"), Happening::Addition(10_000))];
        let small = schedule(life("2026-01-01", 60, Convention::FullMonth), false, cents(), &cent).expect("it fits");
        assert_eq!(amounts(&small).iter().sum::<i64>(), 10_000);
        assert!(amounts(&small).iter().all(|amount| (0..=200).contains(amount)));
    }

    #[test]
    fn a_late_cost_after_the_end_is_expense_at_once() {
        let own = life("2026-01-01", 2, Convention::FullMonth);
        let costs = [(month("2026-01-01"), Happening::Addition(20_000)), (month("2026-06-01"), Happening::Addition(-5_000))];
        let schedule = schedule(own, false, cents(), &costs).expect("it fits");
        assert_eq!(amounts(&schedule), [10_000, 10_000, 0, 0, 0, -5_000]);
    }

    fn happening() -> impl Strategy<Value = (Month, Happening)> {
        let at = 0i32..80;
        prop_oneof![
            4 => (at.clone(), -500_000i64..2_000_000).prop_map(|(at, amount)| (Month(670 + at), Happening::Addition(amount))),
            2 => (at.clone(), 0i32..28, 1i64..900_000).prop_map(|(at, days, months)| {
                (Month(670 + at), Happening::Estimate(Day(Month(670 + at).first().0 + days), months))
            }),
            1 => (at.clone(), 0i32..28).prop_map(|(at, days)| (Month(670 + at), Happening::Churn(Day(Month(670 + at).first().0 + days)))),
            1 => at.prop_map(|at| (Month(670 + at), Happening::HandOver)),
        ]
    }

    fn any_life() -> impl Strategy<Value = Life> {
        let conventions = prop_oneof![Just(Convention::FullMonth), Just(Convention::MidMonth), Just(Convention::Daily)];
        (0i32..1_500, 1i64..900_000, conventions).prop_map(|(days, months, convention)| Life {
            start: Day(Month(670).first().0 + days),
            months,
            convention,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_chain_ties_and_every_cost_is_expense_in_the_end(
            life in any_life(),
            at_once in any::<bool>(),
            happenings in proptest::collection::vec(happening(), 0..8),
            shuffle in any::<prop::sample::Index>(),
        ) {
            let own = schedule(life, at_once, cents(), &happenings).expect("it fits");
            let mut balance = 0;
            for (index, line) in own.lines.iter().enumerate() {
                prop_assert_eq!(line.opening, balance);
                prop_assert_eq!(line.closing, line.opening + line.addition - line.amortized - line.impaired);
                prop_assert!(index == 0 || line.month == own.lines[index - 1].month.next());
                balance = line.closing;
            }
            prop_assert_eq!(balance, 0);
            let sum = |value: fn(&Line) -> i64| own.lines.iter().map(value).sum::<i64>();
            prop_assert_eq!(sum(|line| line.addition), sum(|line| line.amortized) + sum(|line| line.impaired));
            // In any order the same.
            let mut other = happenings.clone();
            if !other.is_empty() {
                let at = shuffle.index(other.len());
                other.rotate_left(at);
                other.reverse();
            }
            prop_assert_eq!(schedule(life, at_once, cents(), &other), Some(own));
        }

        #[test]
        fn what_happens_later_never_changes_an_earlier_month(
            life in any_life(),
            happenings in proptest::collection::vec(happening(), 1..8),
            later in happening(),
        ) {
            let before = schedule(life, false, cents(), &happenings).expect("it fits");
            let with: Vec<_> = happenings.iter().copied().chain([later]).collect();
            let after = schedule(life, false, cents(), &with).expect("it fits");
            let past = |schedule: &Schedule| {
                let lines = schedule.lines.iter().filter(|line| line.month < later.0 && (line.opening, line.addition) != (0, 0));
                lines.copied().collect::<Vec<Line>>()
            };
            prop_assert_eq!(past(&before), past(&after));
        }

        #[test]
        fn without_change_every_month_but_the_last_is_the_same(months in 1i64..120, cost in 1i64..100_000_000) {
            let cost = cost * 100;
            let own = Life { start: Day(20_000), months: months * MONTH, convention: Convention::FullMonth };
            let own = schedule(own, false, cents(), &[(Month::of(Day(20_000)), Happening::Addition(cost))]).expect("it fits");
            let base = divide(i128::from(cost), i128::from(months) * 100, RoundingMode::HalfEven) as i64 * 100;
            let mut left = cost;
            for (index, amount) in amounts(&own).into_iter().enumerate() {
                let wanted = if index as i64 == months - 1 { left } else { base.min(left) };
                prop_assert_eq!(amount, wanted);
                left -= amount;
            }
            prop_assert_eq!(left, 0);
        }
    }
}
