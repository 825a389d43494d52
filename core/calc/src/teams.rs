//! Who is in a team with whom on a day, and what teams bring in together.

use crate::Inputs;
use crate::book::Book;
use crate::credits::Credits;
use crate::hierarchy::days_of;
use crate::measure::Meter;
use crate::names::{Names, number, numbers, texts};
use attain_domain::NULL_CODE;
use std::collections::{BTreeMap, BTreeSet};

/// One span of days in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    pub team: u32,
    pub from: i32,
    pub until: i32,
    /// Of a pool, at 10⁻⁸.
    pub share: Option<i64>,
}

/// Memberships by payee, in order of team and day.
#[derive(Debug, Default)]
pub struct Teams {
    pub names: Names,
    of_payee: BTreeMap<u32, Vec<Membership>>,
}

impl Teams {
    pub fn new(inputs: &Inputs, book: &Book) -> Teams {
        let table = inputs.table("team_members");
        let (team_ids, payee_ids) = (texts(table, "team_id"), texts(table, "payee_id"));
        let (from_on, until_on, shares) = (numbers(table, "from_on"), numbers(table, "until_on"), numbers(table, "share"));
        let names = Names::union(&[team_ids]);
        let mut of_payee: BTreeMap<u32, Vec<Membership>> = BTreeMap::new();
        for row in 0..table.row_count() {
            let (team, payee) = (names.code_of(team_ids.get(row)), book.payees.code_of(payee_ids.get(row)));
            let Some((from, until)) = days_of(from_on, until_on, row) else { continue };
            if team != NULL_CODE && payee != NULL_CODE {
                of_payee.entry(payee).or_default().push(Membership { team, from, until, share: number(shares, row) });
            }
        }
        for list in of_payee.values_mut() {
            list.sort_unstable();
        }
        Teams { names, of_payee }
    }

    pub fn of(&self, payee: u32) -> &[Membership] {
        self.of_payee.get(&payee).map_or(&[], Vec::as_slice)
    }

    /// The memberships of a payee on a day, in order of team.
    pub fn on(&self, payee: u32, day: i32) -> impl Iterator<Item = Membership> + '_ {
        self.of(payee).iter().copied().filter(move |own| own.from <= day && day < own.until)
    }

    /// What each team brings in on each day: the lines of whoever is in it then. A meter of different transactions counts each once a team.
    pub fn daily(&self, meter: &Meter, book: &Book, credits: &Credits) -> TeamDays {
        let mut days: Vec<BTreeMap<i32, i128>> = vec![BTreeMap::new(); self.names.len()];
        let mut counted: BTreeSet<(u32, u32)> = BTreeSet::new();
        for (payee, memberships) in &self.of_payee {
            let range = credits.of_payee(*payee as usize);
            for (base, level) in credits.lines[range.clone()].iter().zip(&credits.levels[range]) {
                let Some(value) = meter.value(book, credits, *base as usize, *level) else { continue };
                let transaction = credits.base.transaction[*base as usize];
                let day = book.transactions.tested_on[transaction as usize];
                let mut last = NULL_CODE;
                for own in memberships.iter().filter(|own| own.from <= day && day < own.until) {
                    if own.team != last && (!meter.counts_transactions() || counted.insert((own.team, transaction))) {
                        *days[own.team as usize].entry(day).or_default() += i128::from(value);
                    }
                    last = own.team;
                }
            }
        }
        TeamDays(days)
    }
}

/// By team: what it brought in on each day.
#[derive(Debug, Default)]
pub struct TeamDays(Vec<BTreeMap<i32, i128>>);

impl TeamDays {
    /// Of each period the sum over the teams of a payee, of the days on which he is in the team and, where given, of `days`.
    pub fn of_payee(&self, teams: &Teams, book: &Book, payee: u32, days: Option<&[(i32, i32)]>) -> Vec<Option<i128>> {
        let mut sums = vec![None; book.calendar.periods.len()];
        for own in teams.of(payee) {
            for (sum, period) in sums.iter_mut().zip(&book.calendar.periods) {
                let (from, until) = (own.from.max(period.from.0), own.until.min(period.until.0));
                if from >= until {
                    continue;
                }
                for (day, value) in self.0[own.team as usize].range(from..until) {
                    if days.is_none_or(|days| days.iter().any(|(from, until)| from <= day && day < until)) {
                        *sum = Some(sum.unwrap_or(0) + value);
                    }
                }
            }
        }
        sums
    }
}
