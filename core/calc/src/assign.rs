//! Who is on which plan on which day, and why not on another: assignments by name, position, role and team, the most specific
//! first; plans and their versions; employment. The same judgement gives the days that are paid and their explanation.

use crate::hierarchy::days_of;
use crate::names::{number, numbers, texts};
use attain_domain::plan::Plan;
use attain_domain::terms::{AfterLeaving, Stands};
use attain_domain::{Column, Day, NULL_NUMBER, Table};
use std::collections::{BTreeMap, BTreeSet};

/// The tables of a company, by entity name.
pub type Tables<'a> = dyn Fn(&str) -> Option<&'a Table> + 'a;

/// How a payee comes under a plan, the most specific first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Own,
    Position,
    Role,
    Team,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Own => "own",
            Level::Position => "position",
            Level::Role => "role",
            Level::Team => "team",
        }
    }
}

/// One claim of a plan on a payee: an assignment of her own, or days on which a rule finds her.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    pub level: Level,
    pub plan_id: String,
    /// The rule; empty for an assignment of her own.
    pub rule_id: String,
    pub from: i32,
    pub until: i32,
    pub target: Option<i64>,
}

/// Why a claim does not apply on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNot {
    OtherDays,
    NotHired(i32),
    Left(i32),
    NoPlan,
    /// The plan's first version starts on that day.
    NoVersion(i32),
    /// Place of the claim that is more specific.
    MoreSpecific(usize),
    /// Place of the claim that gives the same plan.
    SamePlan(usize),
}

/// Days on which a claim holds, with all that follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    pub from: i32,
    pub until: i32,
    pub target: Option<i64>,
    /// After leaving, only transactions count that were booked before this day.
    pub booked_before: Option<i32>,
}

/// An answer to "which plans is this payee on": a claim, and whether it applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub plan_id: String,
    pub level: Level,
    /// The rule; `None` for an assignment of her own.
    pub rule_id: Option<String>,
    pub from: Day,
    /// `None` for no end.
    pub until: Option<Day>,
    pub target: Option<i64>,
    /// In force on the day, by its first day; `None` for the only or the earliest version without one.
    pub version: Option<Day>,
    pub applied: bool,
    /// In words; `None` where it applies.
    pub why_not: Option<String>,
    /// Path and value of what is another one for this payee on that day.
    pub overrides: Vec<(String, String)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Employment {
    hired_on: Option<i32>,
    left_on: Option<i32>,
}

/// What a plan says about its assignments, by version in order of time.
#[derive(Debug, Clone, Copy)]
struct Version {
    from: i32,
    stands: Stands,
    after_leaving: AfterLeaving,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Assignments {
    /// By payee, in order.
    claims: BTreeMap<String, Vec<Claim>>,
    employment: BTreeMap<String, Employment>,
    versions: BTreeMap<String, Vec<Version>>,
}

/// The first day of a version; one without holds from the beginning.
pub fn start(plan: &Plan) -> i32 {
    plan.from.map_or(i32::MIN, |day| day.0)
}

/// The versions of each plan in order of time.
pub fn versions(plans: &[Plan]) -> BTreeMap<&str, Vec<&Plan>> {
    let mut all: BTreeMap<&str, Vec<&Plan>> = BTreeMap::new();
    for plan in plans {
        all.entry(&plan.id).or_default().push(plan);
    }
    for list in all.values_mut() {
        list.sort_by_key(|plan| start(plan));
    }
    all
}

impl Assignments {
    pub fn new(plans: &[Plan], tables: &Tables<'_>) -> Assignments {
        static NONE: Table = Table { name: String::new(), columns: Vec::new() };
        let table = |name: &str| tables(name).unwrap_or(&NONE);
        let version = |plan: &&Plan| Version { from: start(plan), stands: plan.stands, after_leaving: plan.after_leaving };
        let versions = versions(plans).into_iter().map(|(id, list)| (id.to_owned(), list.iter().map(version).collect())).collect();
        let mut claims = own_claims(table("plan_assignments"));
        let rules = table("plan_rules");
        if rules.row_count() > 0 {
            rule_claims(rules, table("positions"), table("occupancies"), table("team_members"), &mut claims);
        }
        claims.values_mut().for_each(|list| list.sort_unstable());
        let payees = table("payees");
        let (ids, hired, left) = (texts(payees, "payee_id"), numbers(payees, "hired_on"), numbers(payees, "left_on"));
        let employment = (0..payees.row_count()).filter_map(|row| {
            let day = |values: &[i64]| number(values, row).map(|day| day as i32);
            let own = Employment { hired_on: day(hired), left_on: day(left) };
            (own.hired_on.is_some() || own.left_on.is_some()).then_some(())?;
            Some((ids.get(row)?.to_owned(), own))
        });
        Assignments { claims, employment: employment.collect(), versions }
    }

    pub fn payees(&self) -> impl Iterator<Item = &str> {
        self.claims.keys().map(String::as_str)
    }

    pub fn hired_on(&self, payee_id: &str) -> Option<i32> {
        self.employment.get(payee_id).and_then(|own| own.hired_on)
    }

    /// Plans that somebody is assigned to and that are not there.
    pub fn missing_plans(&self) -> BTreeSet<&str> {
        let named = self.claims.values().flatten().map(|claim| claim.plan_id.as_str());
        named.filter(|plan| !self.versions.contains_key(*plan)).collect()
    }

    fn version(&self, plan_id: &str, day: i32) -> Result<&Version, WhyNot> {
        let list = self.versions.get(plan_id).ok_or(WhyNot::NoPlan)?;
        let first = list.first().ok_or(WhyNot::NoPlan)?;
        list.iter().rfind(|version| version.from <= day).ok_or(WhyNot::NoVersion(first.from))
    }

    /// For each claim on a payee whether it applies on a day. The second part is the day before which a transaction has to be booked.
    fn judge(&self, payee_id: &str, claims: &[Claim], day: i32) -> Vec<Result<Option<i32>, WhyNot>> {
        let employed = self.employment.get(payee_id).copied().unwrap_or_default();
        let mut standing: Vec<Stands> = Vec::with_capacity(claims.len());
        let mut judged: Vec<Result<Option<i32>, WhyNot>> = Vec::with_capacity(claims.len());
        for claim in claims {
            let version = self.version(&claim.plan_id, day);
            standing.push(version.map_or(Stands::default(), |version| version.stands));
            let own = if day < claim.from || claim.until <= day {
                Err(WhyNot::OtherDays)
            } else {
                match (version, employed.hired_on, employed.left_on) {
                    (Err(why), ..) => Err(why),
                    (_, Some(hired), _) if day < hired => Err(WhyNot::NotHired(hired)),
                    (Ok(version), _, Some(left)) if left <= day => match version.after_leaving {
                        AfterLeaving::Stop => Err(WhyNot::Left(left)),
                        AfterLeaving::PayBooked => Ok(Some(left)),
                    },
                    _ => Ok(None),
                }
            };
            judged.push(own);
        }
        // The most specific of those that replace others; claims are in order of their level.
        let strongest = (0..claims.len()).find(|place| judged[*place].is_ok() && standing[*place] == Stands::Instead);
        for place in 0..claims.len() {
            if judged[place].is_err() {
                continue;
            }
            let same = (0..place).find(|other| judged[*other].is_ok() && claims[*other].plan_id == claims[place].plan_id);
            if let Some(other) = same {
                judged[place] = Err(WhyNot::SamePlan(other));
            } else if let Some(other) = strongest
                && standing[place] == Stands::Instead
                && claims[other].level < claims[place].level
            {
                judged[place] = Err(WhyNot::MoreSpecific(other));
            }
        }
        judged
    }

    /// Days on which anything may change for a payee, ascending.
    fn cuts(&self, payee_id: &str, claims: &[Claim]) -> Vec<i32> {
        let mut cuts: Vec<i32> = claims.iter().flat_map(|claim| [claim.from, claim.until]).collect();
        let employed = self.employment.get(payee_id).copied().unwrap_or_default();
        cuts.extend(employed.hired_on);
        cuts.extend(employed.left_on);
        let plans: BTreeSet<&str> = claims.iter().map(|claim| claim.plan_id.as_str()).collect();
        cuts.extend(plans.iter().filter_map(|plan| self.versions.get(*plan)).flatten().map(|version| version.from));
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// The days of a payee on each plan, in order of time. Days on end under one claim are one.
    pub fn of(&self, payee_id: &str) -> BTreeMap<&str, Vec<Held>> {
        let claims = self.claims.get(payee_id).map_or(&[][..], Vec::as_slice);
        let mut held: BTreeMap<&str, Vec<(usize, Held)>> = BTreeMap::new();
        for days in self.cuts(payee_id, claims).windows(2) {
            for (place, own) in self.judge(payee_id, claims, days[0]).into_iter().enumerate() {
                let Ok(booked_before) = own else { continue };
                let list = held.entry(&claims[place].plan_id).or_default();
                let next = Held { from: days[0], until: days[1], target: claims[place].target, booked_before };
                match list.last_mut() {
                    Some((last, before)) if *last == place && before.until == next.from && before.booked_before == booked_before => {
                        before.until = next.until;
                    }
                    _ => list.push((place, next)),
                }
            }
        }
        held.into_iter().map(|(plan, list)| (plan, list.into_iter().map(|(_, own)| own).collect())).collect()
    }

    /// The plans of a payee on a day.
    pub fn on(&self, payee_id: &str, day: Day) -> Vec<&str> {
        let claims = self.claims.get(payee_id).map_or(&[][..], Vec::as_slice);
        let judged = self.judge(payee_id, claims, day.0);
        let mut plans: Vec<&str> = claims.iter().zip(judged).filter(|(_, own)| own.is_ok()).map(|(own, _)| own.plan_id.as_str()).collect();
        plans.sort_unstable();
        plans
    }

    /// Every claim on a payee with what becomes of it on a day: those that apply first, then the nearest to it.
    fn explain(&self, payee_id: &str, day: Day) -> Vec<Explained> {
        let claims = self.claims.get(payee_id).map_or(&[][..], Vec::as_slice);
        let judged = self.judge(payee_id, claims, day.0);
        let mut all: Vec<Explained> = claims
            .iter()
            .zip(judged)
            .map(|(claim, own)| {
                let version = self.version(&claim.plan_id, day.0).ok().filter(|version| version.from != i32::MIN);
                Explained {
                    plan_id: claim.plan_id.clone(),
                    level: claim.level,
                    rule_id: (!claim.rule_id.is_empty()).then(|| claim.rule_id.clone()),
                    from: Day(claim.from),
                    until: (claim.until != i32::MAX).then_some(Day(claim.until)),
                    target: claim.target,
                    version: version.map(|version| Day(version.from)),
                    applied: own.is_ok(),
                    why_not: own.err().map(|why| self.words(claims, claim, why)),
                    overrides: Vec::new(),
                }
            })
            .collect();
        all.sort_by_key(|own| !own.applied);
        all
    }

    fn words(&self, claims: &[Claim], claim: &Claim, why: WhyNot) -> String {
        let named = |place: usize| match claims[place].level {
            Level::Own => format!("the payee’s own assignment to plan `{}`", claims[place].plan_id),
            level => format!("rule `{}` for the {} with plan `{}`", claims[place].rule_id, level.name(), claims[place].plan_id),
        };
        match why {
            WhyNot::OtherDays if claim.until == i32::MAX => format!("it holds from {} on", Day(claim.from)),
            WhyNot::OtherDays => format!("it holds from {} until {}", Day(claim.from), Day(claim.until)),
            WhyNot::NotHired(day) => format!("the payee was hired on {}", Day(day)),
            WhyNot::Left(day) => format!("the payee left on {}", Day(day)),
            WhyNot::NoPlan => format!("there is no plan `{}`", claim.plan_id),
            WhyNot::NoVersion(day) => format!("the first version of plan `{}` starts on {}", claim.plan_id, Day(day)),
            WhyNot::MoreSpecific(place) => format!("{} is more specific", named(place)),
            WhyNot::SamePlan(place) => format!("{} gives the same plan and goes first", named(place)),
        }
    }
}

fn own_claims(table: &Table) -> BTreeMap<String, Vec<Claim>> {
    let (payee_ids, plan_ids) = (texts(table, "payee_id"), texts(table, "plan_id"));
    let (from_on, until_on, targets) = (numbers(table, "from_on"), numbers(table, "until_on"), numbers(table, "target"));
    let mut claims: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
    for row in 0..table.row_count() {
        let (Some(payee), Some(plan), Some((from, until))) = (payee_ids.get(row), plan_ids.get(row), days_of(from_on, until_on, row))
        else {
            continue;
        };
        let claim =
            Claim { level: Level::Own, plan_id: plan.to_owned(), rule_id: String::new(), from, until, target: number(targets, row) };
        claims.entry(payee.to_owned()).or_default().push(claim);
    }
    claims
}

/// Half-open days, in order and apart.
type Days = Vec<(i32, i32)>;

fn meet(left: &[(i32, i32)], right: &[(i32, i32)]) -> Days {
    let mut both: Days = left
        .iter()
        .flat_map(|one| right.iter().map(move |other| (one.0.max(other.0), one.1.min(other.1))))
        .filter(|(from, until)| from < until)
        .collect();
    both.sort_unstable();
    both
}

/// Days that overlap or follow each other become one.
fn union(mut days: Days) -> Days {
    days.sort_unstable();
    let mut joined: Days = Vec::with_capacity(days.len());
    for (from, until) in days {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => joined.push((from, until)),
        }
    }
    joined
}

fn rule_claims(rules: &Table, positions: &Table, occupancies: &Table, members: &Table, claims: &mut BTreeMap<String, Vec<Claim>>) {
    let (position_ids, roles) = (texts(positions, "position_id"), texts(positions, "role"));
    let role_of: BTreeMap<&str, &str> =
        (0..positions.row_count()).filter_map(|row| Some((position_ids.get(row)?, roles.get(row)?))).collect();
    // Position, payee and days; team, payee and days.
    let dated = |table: &'_ Table, key: &str| -> Vec<(String, String, (i32, i32))> {
        let (keys, payees) = (texts(table, key), texts(table, "payee_id"));
        let (from_on, until_on) = (numbers(table, "from_on"), numbers(table, "until_on"));
        let row = |row: usize| Some((keys.get(row)?.to_owned(), payees.get(row)?.to_owned(), days_of(from_on, until_on, row)?));
        (0..table.row_count()).filter_map(row).collect()
    };
    let (seats, teams) = (dated(occupancies, "position_id"), dated(members, "team_id"));
    let (ids, plan_ids) = (texts(rules, "rule_id"), texts(rules, "plan_id"));
    let (at_positions, with_roles, in_teams) = (texts(rules, "position_id"), texts(rules, "role"), texts(rules, "team_id"));
    let (from_on, until_on, targets) = (numbers(rules, "from_on"), numbers(rules, "until_on"), numbers(rules, "target"));
    for row in 0..rules.row_count() {
        let (Some(rule), Some(plan), Some(own)) = (ids.get(row), plan_ids.get(row), days_of(from_on, until_on, row)) else { continue };
        let (position, role, team) = (at_positions.get(row), with_roles.get(row), in_teams.get(row));
        let level = match (position, role, team) {
            (Some(_), ..) => Level::Position,
            (None, Some(_), _) => Level::Role,
            (None, None, Some(_)) => Level::Team,
            (None, None, None) => continue,
        };
        let mut found: BTreeMap<&str, Days> = BTreeMap::new();
        if level == Level::Team {
            for (_, payee, days) in teams.iter().filter(|(own, ..)| Some(own.as_str()) == team) {
                found.entry(payee).or_default().push(*days);
            }
        } else {
            let seated = seats.iter().filter(|(seat, ..)| {
                position.is_none_or(|own| own == seat) && role.is_none_or(|own| role_of.get(seat.as_str()) == Some(&own))
            });
            for (_, payee, days) in seated {
                found.entry(payee).or_default().push(*days);
            }
            if let Some(team) = team {
                for (payee, days) in &mut found {
                    let membership = teams.iter().filter(|(own, member, _)| own == team && member == payee).map(|(_, _, days)| *days);
                    *days = meet(&union(std::mem::take(days)), &union(membership.collect()));
                }
            }
        }
        for (payee, days) in found {
            for (from, until) in meet(&union(days), &[own]) {
                let claim = Claim { level, plan_id: plan.to_owned(), rule_id: rule.to_owned(), from, until, target: number(targets, row) };
                claims.entry(payee.to_owned()).or_default().push(claim);
            }
        }
    }
}

/// The table `plan_assignments` that puts this payee on the plans that she is on, by whatever rule, and nobody else on any.
pub fn as_own(inputs: &crate::Inputs, payee_id: &str) -> Table {
    let tables = |name: &str| inputs.tables.get(name).map(AsRef::as_ref);
    let assignments = Assignments::new(&inputs.plans, &tables);
    let held = assignments.of(payee_id);
    let rows: Vec<(&str, &Held)> = held.iter().flat_map(|(plan, list)| list.iter().map(|own| (*plan, own))).collect();
    let number = |value: fn(&Held) -> i64| rows.iter().map(|(_, own)| value(own)).collect::<Vec<i64>>();
    Table::new("plan_assignments")
        .with("payee_id", Column::text(&vec![Some(payee_id); rows.len()]))
        .with("plan_id", Column::text(&rows.iter().map(|(plan, _)| Some(*plan)).collect::<Vec<_>>()))
        .with("from_on", Column::integer(number(|own| i64::from(own.from))))
        .with("until_on", Column::integer(number(|own| if own.until == i32::MAX { NULL_NUMBER } else { i64::from(own.until) })))
        .with("target", Column::money(number(|own| own.target.unwrap_or(NULL_NUMBER))))
}

/// Which plans a payee is on on a day, which not, and why: every assignment and every rule that ever finds her.
pub fn explain_assignment(plans: &[Plan], tables: &Tables<'_>, payee_id: &str, day: Day) -> Vec<Explained> {
    let mut all = Assignments::new(plans, tables).explain(payee_id, day);
    let overrides = crate::terms::overrides(tables);
    for own in all.iter_mut().filter(|own| own.applied) {
        let dated = overrides.get(&(payee_id.to_owned(), own.plan_id.clone())).into_iter().flatten();
        own.overrides = dated.filter(|value| value.holds(day.0)).map(|value| (value.path.clone(), value.value.clone())).collect();
    }
    all
}
