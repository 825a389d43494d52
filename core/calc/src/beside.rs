//! Claims that follow from other claims: who stands beside a position under a name of the company's own, and who owned a deal in
//! which of its stages.

use crate::book::Transactions;
use crate::findings::Findings;
use crate::hierarchy::{Hierarchy, days_of};
use crate::names::{Names, number, numbers, texts};
use attain_domain::settings::OWN_ROLES;
use attain_domain::{NULL_CODE, NULL_NUMBER, Severity, Table};

/// One row of `relationships`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Relation {
    role: u32,
    payee: u32,
    from: i32,
    until: i32,
    share: i64,
}

/// Relationships by position, in order of name, payee and first day.
#[derive(Debug, Default)]
pub struct Relationships {
    starts: Vec<u32>,
    rows: Vec<Relation>,
}

impl Relationships {
    pub fn new(table: &Table, hierarchy: &Hierarchy, roles: &Names, payees: &Names, findings: &mut Findings) -> Relationships {
        let (positions, role_names, payee_ids) = (texts(table, "position_id"), texts(table, "name"), texts(table, "payee_id"));
        let (from_on, until_on, shares) = (numbers(table, "from_on"), numbers(table, "until_on"), numbers(table, "share"));
        for name in role_names.dictionary.iter().filter(|name| OWN_ROLES.contains(&name.as_str())) {
            let message = "a relationship cannot have this name, which stands for what a transaction says itself; choose another";
            findings.add(Severity::Warning, "relationship-name", "relationships", name, message);
        }
        let mut rows: Vec<(u32, Relation)> = Vec::with_capacity(table.row_count());
        for row in 0..table.row_count() {
            let position = hierarchy.positions.code_of(positions.get(row));
            let (role, payee) = (roles.code_of(role_names.get(row)), payees.code_of(payee_ids.get(row)));
            let reserved = role_names.get(row).is_some_and(|name| OWN_ROLES.contains(&name));
            if let Some((from, until)) = days_of(from_on, until_on, row)
                && ![position, role, payee].contains(&NULL_CODE)
                && !reserved
            {
                rows.push((position, Relation { role, payee, from, until, share: number(shares, row).unwrap_or(NULL_NUMBER) }));
            }
        }
        rows.sort_unstable();
        let mut starts = vec![0u32; hierarchy.positions.len() + 1];
        for (position, _) in &rows {
            starts[*position as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        Relationships { starts, rows: rows.into_iter().map(|(_, relation)| relation).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Calls `claim(role, payee, share)` for everybody who stands beside the position on that day.
    pub fn of(&self, position: u32, day: i32, mut claim: impl FnMut(u32, u32, i64)) {
        let (Some(start), Some(end)) = (self.starts.get(position as usize), self.starts.get(position as usize + 1)) else { return };
        for row in &self.rows[*start as usize..*end as usize] {
            if row.from <= day && day < row.until {
                claim(row.role, row.payee, row.share);
            }
        }
    }
}

/// One row of `transaction_stages`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stage {
    pub transaction: u32,
    pub entered_on: i32,
    /// A code of [`Stages::names`].
    pub stage: u32,
    pub payee: u32,
}

/// Stages by transaction, in the order in which they were entered.
#[derive(Debug, Default)]
pub struct Stages {
    pub names: Names,
    pub rows: Vec<Stage>,
}

impl Stages {
    pub fn new(table: &Table, transactions: &Transactions, payees: &Names) -> Stages {
        let (ids, stages, payee_ids) = (texts(table, "transaction_id"), texts(table, "stage"), texts(table, "payee_id"));
        let entered_on = numbers(table, "entered_on");
        if table.row_count() == 0 {
            return Stages::default();
        }
        let names = Names::union(&[stages]);
        let found = crate::resolve::rows_of(ids, transactions);
        let mut rows = Vec::with_capacity(table.row_count());
        for row in 0..table.row_count() {
            let transaction = ids.codes.get(row).and_then(|code| found.get(*code as usize)).copied().unwrap_or(NULL_CODE);
            let (stage, payee) = (names.code_of(stages.get(row)), payees.code_of(payee_ids.get(row)));
            if let Some(day) = number(entered_on, row)
                && ![transaction, stage, payee].contains(&NULL_CODE)
            {
                rows.push(Stage { transaction, entered_on: day as i32, stage, payee });
            }
        }
        rows.sort_unstable();
        Stages { names, rows }
    }

    /// The stages of a transaction.
    pub fn of(&self, transaction: u32) -> &[Stage] {
        let start = self.rows.partition_point(|row| row.transaction < transaction);
        let end = start + self.rows[start..].partition_point(|row| row.transaction == transaction);
        &self.rows[start..end]
    }
}
