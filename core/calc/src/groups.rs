//! What a payee is among others: the rank in a period, and the share of a pool.

use crate::Run;
use crate::earning_rows::{Fact, Rows, Subject};
use crate::spans::{Assignment, assigned_days};
use attain_domain::component::{Among, Best, JudgedBy, Pool, PoolShare, Rank, Ties};
use attain_domain::fixed::{from_decimal, from_decimal_rounded, split, to_decimal};
use attain_domain::plan::Proration;
use attain_domain::{MONEY_SCALE, NULL_NUMBER, Severity};
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Rows of one period that are compared or share: all of them, or those of one team.
fn groups(run: &Run<'_>, rows: &Rows, among: Among, each_team: bool) -> Vec<(u32, Vec<usize>)> {
    let mut groups: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for row in 0..rows.len() {
        match among {
            Among::Plan => groups.entry((rows.period[row], 0)).or_default().push(row),
            Among::Team => {
                let mut last = None;
                for own in run.measures.teams.on(rows.payee[row], rows.day[row]) {
                    if last != Some(own.team) && (each_team || last.is_none()) {
                        groups.entry((rows.period[row], own.team)).or_default().push(row);
                    }
                    last = Some(own.team);
                }
            }
        }
    }
    groups.into_iter().map(|((_, team), rows)| (team, rows)).collect()
}

/// Adds `inputs.rank` and `inputs.rank_count`. In a team the first of a payee's teams counts.
pub fn rank(run: &Run<'_>, rank: &Rank, fact: usize, rows: &mut Rows) {
    let facts = &rows.facts[fact];
    let is_ranked = |row: &usize| rank.by == JudgedBy::Value || facts[*row].quota > 0;
    let better = |left: &usize, right: &usize| {
        let ascending = compare(rank.by, &facts[*left], &facts[*right]);
        if rank.best == Best::Highest { ascending.reverse() } else { ascending }
    };
    let (mut ranks, mut counts) = (vec![NULL_NUMBER; rows.len()], vec![NULL_NUMBER; rows.len()]);
    for (_, mut group) in groups(run, rows, rank.among, false) {
        group.retain(is_ranked);
        group.sort_by(better);
        let mut own = 0i64;
        for (place, row) in group.iter().enumerate() {
            let ties = place > 0 && better(&group[place - 1], row) == Ordering::Equal;
            if !ties {
                own = match rank.ties {
                    Ties::Dense => own + 1,
                    Ties::Competition => place as i64 + 1,
                };
            }
            ranks[*row] = own * crate::measure::UNIT;
            counts[*row] = group.len() as i64 * crate::measure::UNIT;
        }
    }
    rows.inputs.push(("rank".to_owned(), ranks));
    rows.inputs.push(("rank_count".to_owned(), counts));
}

/// Values, or attainments as exact fractions with a positive quota.
fn compare(by: JudgedBy, left: &Fact, right: &Fact) -> Ordering {
    match by {
        JudgedBy::Attainment => {
            (i128::from(left.value) * i128::from(right.quota)).cmp(&(i128::from(right.value) * i128::from(left.quota)))
        }
        _ => left.value.cmp(&right.value),
    }
}

/// Adds `inputs.pool` and `inputs.pool_total`. Of several teams a payee has a share in each.
pub fn pool(run: &mut Run<'_>, pool: &Pool, subject: &Subject<'_>, fact: usize, payees: &BTreeMap<u32, Vec<Assignment>>, rows: &mut Rows) {
    let rounding = &subject.component.rounding;
    let step = from_decimal(rounding.step, MONEY_SCALE).filter(|step| *step > 0).unwrap_or(1);
    let (mut shares, mut totals) = (vec![0i64; rows.len()], vec![0i64; rows.len()]);
    let mut troubles = Vec::new();
    for (team, group) in groups(run, rows, pool.among, true) {
        let period = rows.period[group[0]] as usize;
        let measured = group.iter().try_fold(0i64, |sum, row| sum.checked_add(rows.facts[fact][*row].value));
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
        let weigh = |row: &usize| {
            let payee = rows.payee[*row];
            let weight = match pool.share {
                PoolShare::Equal => 1,
                PoolShare::Target => rows.target[*row].max(0),
                PoolShare::Measure => rows.facts[fact][*row].value.max(0),
                PoolShare::TeamShare => {
                    let own = run.measures.teams.on(payee, rows.day[*row]).filter(|own| pool.among == Among::Plan || own.team == team);
                    own.map(|own| own.share.unwrap_or(0).max(0)).fold(0, i64::saturating_add)
                }
            };
            match pool.prorate {
                Proration::None => weight,
                Proration::CalendarDays => {
                    let days = payees.get(&payee).map_or(0, |assignments| assigned_days(assignments, &run.book, period));
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
        for (row, part) in group.iter().zip(split(total, &weights, step)) {
            shares[*row] = shares[*row].saturating_add(part);
            totals[*row] = totals[*row].saturating_add(total);
        }
    }
    for (severity, code, record, message) in troubles {
        run.findings.add(severity, code, "plans", &record, message);
    }
    rows.inputs.push(("pool".to_owned(), shares));
    rows.inputs.push(("pool_total".to_owned(), totals));
}
