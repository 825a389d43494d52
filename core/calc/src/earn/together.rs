//! Ranks and pools of a component that has several parts: all of its payees are compared and share together, each under the option of
//! her own part.

use super::Built;
use crate::Run;
use crate::earning_rows::{Rows, Subject};
use crate::groups;
use crate::spans::Assignment;
use crate::terms::Line;
use std::collections::BTreeMap;

/// Adds what ranks and pools give to the rows of every part.
pub fn add(run: &mut Run<'_>, line: &Line, parts: &mut [Built<'_>]) {
    let has_any = parts.iter().any(|own| own.looks.rank.is_some() || own.looks.pool.is_some());
    if !has_any {
        return;
    }
    let mut payees: BTreeMap<u32, Vec<Assignment>> = BTreeMap::new();
    for (payee, stay) in line.stays.iter().flatten() {
        payees.entry(*payee).or_insert_with(|| stay.assignments.clone());
    }
    let mut found: Vec<(usize, Vec<(String, Vec<i64>)>)> = Vec::new();
    for (place, own) in parts.iter().enumerate() {
        let component = own.subject.component;
        let mut inputs = Vec::new();
        if let (Some(rank), Some(_)) = (&component.rank, own.looks.rank) {
            let (mut all, at) = joined(parts, |built| built.looks.rank);
            groups::rank(run, rank, 0, &mut all);
            inputs.extend(taken(&all, &at, place, own.rows.len()));
        }
        if let (Some(pool), Some(_)) = (&component.pool, own.looks.pool) {
            let (mut all, at) = joined(parts, |built| built.looks.pool);
            let subject: &Subject<'_> = &own.subject;
            groups::pool(run, pool, subject, 0, &payees, &mut all);
            inputs.extend(taken(&all, &at, place, own.rows.len()));
        }
        found.push((place, inputs));
    }
    for (place, inputs) in found {
        parts[place].rows.inputs.extend(inputs);
    }
}

/// The rows of all parts in order of payee and period, with the one fact that is asked for; and of each its part and place there.
fn joined(parts: &[Built<'_>], fact: impl Fn(&Built<'_>) -> Option<usize>) -> (Rows, Vec<(usize, usize)>) {
    let mut at: Vec<(u32, u32, usize, usize)> = Vec::new();
    for (part, built) in parts.iter().enumerate().filter(|(_, built)| fact(built).is_some()) {
        at.extend((0..built.rows.len()).map(|row| (built.rows.payee[row], built.rows.period[row], part, row)));
    }
    at.sort_by_key(|(payee, period, ..)| (*payee, *period));
    let mut all = Rows { facts: vec![Vec::with_capacity(at.len())], ..Rows::default() };
    for (_, _, part, row) in &at {
        let built = &parts[*part];
        all.payee.push(built.rows.payee[*row]);
        all.period.push(built.rows.period[*row]);
        all.transaction.push(built.rows.transaction[*row]);
        all.target.push(built.rows.target[*row]);
        all.day.push(built.rows.day[*row]);
        all.facts[0].extend(fact(built).map(|fact| built.rows.facts[fact][*row]));
    }
    (all, at.into_iter().map(|(_, _, part, row)| (part, row)).collect())
}

/// The inputs that were added, for the rows of one part.
fn taken(all: &Rows, at: &[(usize, usize)], part: usize, count: usize) -> Vec<(String, Vec<i64>)> {
    let pick = |values: &[i64]| {
        let mut own = vec![attain_domain::NULL_NUMBER; count];
        for (value, (_, row)) in values.iter().zip(at).filter(|(_, (from, _))| *from == part) {
            own[*row] = *value;
        }
        own
    };
    all.inputs.iter().map(|(name, values)| (name.clone(), pick(values))).collect()
}
