//! What was earned so far: by component, payee, period and transaction, as further components look at it.

use crate::book::Book;
use crate::earn::Earning;
use crate::findings::Findings;
use crate::names::Names;
use attain_domain::NULL_CODE;
use attain_domain::component::{EarnedBy, EarnedOf};
use attain_domain::plan::Accumulate;
use std::collections::BTreeMap;
use std::ops::Range;

/// The first period whose earnings count with those of a period of a span that begins with `start`: where results started again on `since`,
/// the one of that day.
pub fn first_counted(book: &Book, start: usize, over: Accumulate, since: Option<i32>) -> usize {
    match (over, since) {
        (Accumulate::Quarter | Accumulate::Year, Some(since)) => {
            start.max(book.calendar.periods.partition_point(|period| period.until.0 <= since))
        }
        _ => start,
    }
}

/// Which rows of the draft are of which plan and component; within one, rows are in order of payee.
#[derive(Debug, Default)]
pub struct Earned {
    ranges: BTreeMap<(u32, u32), Vec<Range<usize>>>,
}

impl Earned {
    pub fn add(&mut self, plan: u32, component: u32, range: Range<usize>) {
        self.ranges.entry((plan, component)).or_default().push(range);
    }

    /// The components of a plan with the places of their rows.
    pub fn rows(&self, plan: u32) -> impl Iterator<Item = (u32, Vec<usize>)> {
        let own = self.ranges.iter().filter(move |((own, _), _)| *own == plan);
        own.map(|((_, component), ranges)| (*component, ranges.iter().cloned().flatten().collect()))
    }

    fn of_payee<'a>(&'a self, rows: &'a [Earning], codes: (u32, u32), payee: u32) -> impl Iterator<Item = &'a Earning> {
        self.ranges.get(&codes).into_iter().flatten().flat_map(move |range| {
            let own = &rows[range.clone()];
            let start = own.partition_point(|row| row.payee < payee);
            own[start..].iter().take_while(move |row| row.payee == payee)
        })
    }

    /// What one component earned a payee in periods `from..=until`; with a transaction, from that one.
    pub fn sum(&self, rows: &[Earning], codes: (u32, u32), payee: u32, (from, until): (usize, usize), transaction: u32) -> i64 {
        let counts = |row: &&Earning| {
            (from..=until).contains(&(row.period as usize)) && (transaction == NULL_CODE || row.transaction == transaction)
        };
        self.of_payee(rows, codes, payee).filter(counts).fold(0i64, |sum, row| sum.saturating_add(row.amount))
    }

    /// Whether the component pays each credit by itself.
    pub fn is_by_transaction(&self, rows: &[Earning], codes: (u32, u32)) -> bool {
        self.ranges.get(&codes).into_iter().flatten().any(|range| rows[range.clone()].iter().any(|row| row.transaction != NULL_CODE))
    }

    /// The components meant, seen from a component of `plan`.
    pub fn meant(&self, earned: &EarnedOf, plan: u32, plans: &Names, components: &Names) -> Vec<(u32, u32)> {
        let component = components.code(&earned.component);
        let wanted = earned.plan.as_deref().map(|id| plans.code(id));
        let is_meant = |own: u32| if earned.of == EarnedBy::Payee { own == plan } else { wanted.is_none_or(|wanted| wanted == own) };
        self.ranges.keys().copied().filter(|(own, id)| *id == component && is_meant(*own)).collect()
    }
}

/// Who reports to whom, by day.
#[derive(Debug, Default)]
pub struct Reports {
    direct: BTreeMap<i32, BTreeMap<u32, Vec<u32>>>,
    below: BTreeMap<i32, BTreeMap<u32, Vec<u32>>>,
}

impl Reports {
    /// Those under a payee on a day, in order of payee.
    pub fn of(&mut self, book: &Book, findings: &mut Findings, payee: u32, day: i32, by: EarnedBy) -> Vec<u32> {
        if by == EarnedBy::Payee {
            return vec![payee];
        }
        if let std::collections::btree_map::Entry::Vacant(unknown) = self.direct.entry(day) {
            let (mut direct, mut below): (BTreeMap<u32, Vec<u32>>, BTreeMap<u32, Vec<u32>>) = Default::default();
            for own in 0..book.payees.len() as u32 {
                for (level, manager) in book.hierarchy.managers(own, day, &book.payees, findings).into_iter().enumerate() {
                    if level == 0 {
                        direct.entry(manager).or_default().push(own);
                    }
                    below.entry(manager).or_default().push(own);
                }
            }
            unknown.insert(direct);
            self.below.insert(day, below);
        }
        let all = if by == EarnedBy::Reports { &self.direct } else { &self.below };
        all.get(&day).and_then(|own| own.get(&payee)).cloned().unwrap_or_default()
    }
}
