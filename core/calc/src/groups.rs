//! What a payee is among others: the rank in a period, and the share of a pool. Who is under other terms is among them all the same, each under
//! the options of his own terms, as long as they are measured alike.

use crate::Run;
use crate::earn::PartRows;
use crate::earning_rows::{Fact, FactOf};
use crate::spans::assigned_days;
use attain_domain::component::{Among, Best, JudgedBy, Pool, PoolShare, Rank, Ties};
use attain_domain::fixed::{Rounding, from_decimal, from_decimal_rounded, split, to_decimal};
use attain_domain::plan::Proration;
use attain_domain::{MONEY_SCALE, NULL_NUMBER, Severity};
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A row among those of several parts.
struct Member {
    part: usize,
    row: usize,
    payee: u32,
    period: u32,
    day: i32,
    target: i64,
    fact: Fact,
}

/// The parts that say the same, with what they say.
fn alike<'p, S: PartialEq>(parts: &'p [PartRows<'_>], says: impl Fn(&'p PartRows<'_>) -> Option<S>) -> Vec<(S, Vec<usize>)> {
    let mut all: Vec<(S, Vec<usize>)> = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let Some(own) = says(part) else { continue };
        match all.iter_mut().find(|(other, _)| *other == own) {
            Some((_, places)) => places.push(place),
            None => all.push((own, vec![place])),
        }
    }
    all
}

/// The rows of the parts that look at a fact, with its values, in order of payee and period.
fn members(parts: &[PartRows<'_>], of: FactOf, looks_at: impl Fn(&PartRows<'_>) -> Option<usize>) -> Vec<Member> {
    let mut members = Vec::new();
    for (part, own) in parts.iter().enumerate() {
        let Some(fact) = looks_at(own).filter(|fact| own.looks.of[*fact] == of) else { continue };
        let rows = &own.rows;
        members.extend((0..rows.len()).map(|row| Member {
            part,
            row,
            payee: rows.payee[row],
            period: rows.period[row],
            day: rows.day[row],
            target: rows.target[row],
            fact: rows.facts[fact][row],
        }));
    }
    members.sort_by_key(|own| (own.payee, own.period));
    members
}

/// Members of one period that are compared or share: all of them, or those of one team.
fn groups(run: &Run<'_>, members: &[Member], among: Among, each_team: bool) -> Vec<(u32, Vec<usize>)> {
    let mut groups: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (place, member) in members.iter().enumerate() {
        match among {
            Among::Plan => groups.entry((member.period, 0)).or_default().push(place),
            Among::Team => {
                let mut last = None;
                for own in run.measures.teams.on(member.payee, member.day) {
                    if last != Some(own.team) && (each_team || last.is_none()) {
                        groups.entry((member.period, own.team)).or_default().push(place);
                    }
                    last = Some(own.team);
                }
            }
        }
    }
    groups.into_iter().map(|((_, team), places)| (team, places)).collect()
}

/// Gives the rows of these parts an input.
fn give(parts: &mut [PartRows<'_>], places: &[usize], members: &[Member], name: &str, values: &[i64]) {
    for place in places {
        let rows = &mut parts[*place].rows;
        let mut own = vec![NULL_NUMBER; rows.len()];
        for (member, value) in members.iter().zip(values).filter(|(member, _)| member.part == *place) {
            own[member.row] = *value;
        }
        rows.inputs.push((name.to_owned(), own));
    }
}

/// Adds `inputs.rank` and `inputs.rank_count`. In a team the first of a payee's teams counts.
pub fn rank(run: &Run<'_>, parts: &mut [PartRows<'_>]) {
    let says = |own: &PartRows<'_>| Some((own.subject.component.rank.clone()?, own.looks.of[own.looks.rank?]));
    for ((rank, of), places) in alike(parts, says) {
        let members = members(parts, of, |own| own.looks.rank);
        let (ranks, counts) = ranks(run, &rank, &members);
        give(parts, &places, &members, "rank", &ranks);
        give(parts, &places, &members, "rank_count", &counts);
    }
}

fn ranks(run: &Run<'_>, rank: &Rank, members: &[Member]) -> (Vec<i64>, Vec<i64>) {
    let is_ranked = |place: &usize| rank.by == JudgedBy::Value || members[*place].fact.quota > 0;
    let better = |left: &usize, right: &usize| {
        let ascending = compare(rank.by, &members[*left].fact, &members[*right].fact);
        if rank.best == Best::Highest { ascending.reverse() } else { ascending }
    };
    let (mut ranks, mut counts) = (vec![NULL_NUMBER; members.len()], vec![NULL_NUMBER; members.len()]);
    for (_, mut group) in groups(run, members, rank.among, false) {
        group.retain(is_ranked);
        group.sort_by(better);
        let mut own = 0i64;
        for (place, member) in group.iter().enumerate() {
            let ties = place > 0 && better(&group[place - 1], member) == Ordering::Equal;
            if !ties {
                own = match rank.ties {
                    Ties::Dense => own + 1,
                    Ties::Competition => place as i64 + 1,
                };
            }
            ranks[*member] = own * crate::measure::UNIT;
            counts[*member] = group.len() as i64 * crate::measure::UNIT;
        }
    }
    (ranks, counts)
}

/// Values, or attainments as exact fractions with a positive quota.
fn compare(by: JudgedBy, left: &Fact, right: &Fact) -> Ordering {
    match by {
        JudgedBy::Attainment => (i128::from(left.value) * i128::from(right.quota)).cmp(&(i128::from(right.value) * i128::from(left.quota))),
        _ => left.value.cmp(&right.value),
    }
}

/// Adds `inputs.pool` and `inputs.pool_total`. Of several teams a payee has a share in each.
pub fn pool(run: &mut Run<'_>, parts: &mut [PartRows<'_>]) {
    let says = |own: &PartRows<'_>| {
        let component = own.subject.component;
        Some((component.pool.clone()?, own.looks.of[own.looks.pool?], component.rounding))
    };
    for ((pool, of, rounding), places) in alike(parts, says) {
        let members = members(parts, of, |own| own.looks.pool);
        let (shares, totals) = shares(run, &pool, &rounding, parts, &places, &members);
        give(parts, &places, &members, "pool", &shares);
        give(parts, &places, &members, "pool_total", &totals);
    }
}

/// What each member would get of the pool, and the pool; for those of the parts in `places`.
fn shares(
    run: &mut Run<'_>,
    pool: &Pool,
    rounding: &Rounding,
    parts: &[PartRows<'_>],
    places: &[usize],
    members: &[Member],
) -> (Vec<i64>, Vec<i64>) {
    let step = from_decimal(rounding.step, MONEY_SCALE).filter(|step| *step > 0).unwrap_or(1);
    let (mut shares, mut totals) = (vec![0i64; members.len()], vec![0i64; members.len()]);
    let mut troubles = Vec::new();
    for (team, group) in groups(run, members, pool.among, true) {
        let Some(own) = group.iter().map(|place| members[*place].part).find(|part| places.contains(part)) else { continue };
        let subject = &parts[own].subject;
        let period = members[group[0]].period as usize;
        let measured = group.iter().try_fold(0i64, |sum, place| sum.checked_add(members[*place].fact.value));
        let exact = match (pool.amount, pool.rate) {
            (Some(amount), _) => Some(amount),
            (None, rate) => measured.and_then(|sum| to_decimal(sum, MONEY_SCALE).checked_mul(rate.unwrap_or(Decimal::ZERO))),
        };
        let total = exact.and_then(|exact| rounding.apply(exact)).and_then(|total| from_decimal_rounded(total, MONEY_SCALE));
        let record = || {
            let of = if pool.among == Among::Team { format!(", {}", run.measures.teams.names.get(team)) } else { String::new() };
            format!("{}, {}{of}, {}", subject.plan_id, subject.component.id, run.book.calendar.periods[period].id)
        };
        let Some(total) = total else {
            troubles.push((Severity::Error, "overflow", record(), "the pool does not fit; correct its rate".to_owned()));
            continue;
        };
        let weigh = |place: &usize| {
            let member = &members[*place];
            let weight = match pool.share {
                PoolShare::Equal => 1,
                PoolShare::Target => member.target.max(0),
                PoolShare::Measure => member.fact.value.max(0),
                PoolShare::TeamShare => {
                    let own = run.measures.teams.on(member.payee, member.day);
                    let own = own.filter(|own| pool.among == Among::Plan || own.team == team);
                    own.map(|own| own.share.unwrap_or(0).max(0)).fold(0, i64::saturating_add)
                }
            };
            match pool.prorate {
                Proration::None => weight,
                Proration::CalendarDays => {
                    let stay = parts[member.part].payees.get(&member.payee);
                    let days = stay.map_or(0, |stay| assigned_days(&stay.assignments, &run.book, period));
                    weight.saturating_mul(i64::from(days))
                }
            }
        };
        let weights: Vec<i64> = group.iter().map(weigh).collect();
        if total != 0 && weights.iter().all(|weight| *weight == 0) {
            if subject.settled[period] {
                let message = format!("nobody has a share of the pool of {}; it is not paid", to_decimal(total, MONEY_SCALE));
                troubles.push((Severity::Warning, "pool-without-shares", record(), message));
            }
            continue;
        }
        for (place, part) in group.iter().zip(split(total, &weights, step)) {
            shares[*place] = shares[*place].saturating_add(part);
            totals[*place] = totals[*place].saturating_add(total);
        }
    }
    for (severity, code, record, message) in troubles {
        run.findings.add(severity, code, "plans", &record, message);
    }
    (shares, totals)
}
