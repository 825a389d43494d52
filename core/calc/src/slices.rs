//! A period that is cut where terms change: its slices are calculated one by one, in order, and shown as one earning.

use crate::attain::attainment;
use crate::earn::{Earning, Earnings};
use crate::terms::Line;
use attain_domain::plan::{Accumulate, Component, Proration};
use attain_domain::{Day, NULL_CODE, NULL_NUMBER};

/// Puts the rows of one component, which are those from `first` on, in order of payee, period and slice.
pub fn sort(draft: &mut Earnings, first: usize) {
    let key = |row: &Earning| (row.payee, row.period, row.slice.from);
    if draft.rows[first..].is_sorted_by_key(key) {
        return;
    }
    let mut order: Vec<usize> = (first..draft.rows.len()).collect();
    order.sort_by_key(|index| key(&draft.rows[*index]));
    let mut places: Vec<u32> = vec![0; order.len()];
    for (place, index) in order.iter().enumerate() {
        places[*index - first] = (first + place) as u32;
    }
    let rows: Vec<Earning> = order.iter().map(|index| draft.rows[*index]).collect();
    draft.rows.truncate(first);
    draft.rows.extend(rows);
    for slice in draft.slices.iter_mut().filter(|slice| slice.earning as usize >= first) {
        slice.earning = places[slice.earning as usize - first];
    }
}

/// Whether two rows are slices of one period of one payee.
pub fn are_one(left: &Earning, right: &Earning) -> bool {
    (left.payee, left.period) == (right.payee, right.period) && left.transaction == NULL_CODE && right.transaction == NULL_CODE
}

/// What a share of something is of.
#[derive(Debug, Clone, Copy)]
pub struct Basis {
    pub quota: i64,
    pub target: i64,
    pub credited: i64,
}

/// What a share cap or a floor of a row is of: where slices have their parts of it, that of the period so far.
pub fn basis(draft: &Earnings, first: usize, index: usize, component: &Component) -> Basis {
    let own = &draft.rows[index];
    let mut basis = Basis { quota: own.quota, target: own.target, credited: own.credited() };
    let earlier = draft.rows[first..index].iter().rev().take_while(|row| are_one(row, own));
    for row in earlier {
        let add = |sum: &mut i64, more: i64| {
            if *sum != NULL_NUMBER && more != NULL_NUMBER {
                *sum = sum.saturating_add(more);
            }
        };
        if stands_alone(component) && component.prorate_quota == Proration::CalendarDays {
            add(&mut basis.quota, row.quota);
        }
        if component.prorate_target == Proration::CalendarDays {
            add(&mut basis.target, row.target);
        }
        if !component.true_up || row.slice.since != own.slice.since {
            add(&mut basis.credited, row.credited());
        }
    }
    basis
}

/// Whether the slices of a period do not go on from each other.
pub fn stands_alone(component: &Component) -> bool {
    matches!(component.accumulate, Accumulate::Period | Accumulate::Transaction)
}

/// Makes one earning of the slices of each period. The lines of its trace say which slice they belong to.
pub fn join(draft: &mut Earnings, first: usize, line: &Line) {
    let is_cut = draft.rows[first..].windows(2).any(|pair| are_one(&pair[0], &pair[1]));
    if !is_cut {
        return;
    }
    let rows: Vec<Earning> = draft.rows.drain(first..).collect();
    // Of each row its new place, and whether it is a slice among others.
    let mut places: Vec<(u32, bool)> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let goes_on = at > 0 && are_one(&rows[at - 1], row);
        let is_slice = goes_on || rows.get(at + 1).is_some_and(|next| are_one(row, next));
        match draft.rows.last_mut() {
            Some(before) if goes_on => add(before, row, &line.parts[row.slice.part as usize].component),
            _ => draft.rows.push(*row),
        }
        places.push(((draft.rows.len() - 1) as u32, is_slice));
    }
    let names: Vec<String> = {
        let mut names = vec![String::new(); draft.labels.len()];
        draft.labels.iter().for_each(|(name, code)| names[*code as usize].clone_from(name));
        names
    };
    let mut slices = std::mem::take(&mut draft.slices);
    for slice in slices.iter_mut().filter(|slice| slice.earning as usize >= first) {
        let at = slice.earning as usize - first;
        let (place, is_slice) = places[at];
        slice.earning = place;
        if is_slice {
            let label = format!("{}, from {}", names[slice.label as usize], Day(rows[at].slice.from));
            slice.label = draft.label(&label);
        }
    }
    slices.sort_by_key(|slice| slice.earning);
    draft.slices = slices;
}

fn add(sum: &mut Earning, next: &Earning, component: &Component) {
    let plus = |left: i64, right: i64| match (left, right) {
        (NULL_NUMBER, other) | (other, NULL_NUMBER) => other,
        (left, right) => left.saturating_add(right),
    };
    let stands_alone = stands_alone(component);
    let goes_on = !stands_alone && next.slice.since == sum.slice.since;
    // What accumulates goes on where the slice before ended; slices that stand alone are added up.
    sum.to_date = if goes_on { next.to_date } else { plus(sum.to_date, next.to_date.saturating_sub(next.prior)) };
    sum.quota = if stands_alone && component.prorate_quota == Proration::CalendarDays { plus(sum.quota, next.quota) } else { next.quota };
    sum.target = if component.prorate_target == Proration::CalendarDays { plus(sum.target, next.target) } else { next.target };
    let replaces = component.true_up && goes_on;
    sum.formula_amount = if replaces { next.formula_amount } else { sum.formula_amount.saturating_add(next.formula_amount) };
    sum.result = if replaces { next.result } else { sum.result.saturating_add(next.result) };
    sum.amount = sum.amount.saturating_add(next.amount);
    sum.withheld = sum.withheld.saturating_add(next.withheld);
    sum.attainment = attainment(sum.to_date, Some(sum.quota).filter(|quota| *quota != NULL_NUMBER));
    sum.slice = next.slice;
}
