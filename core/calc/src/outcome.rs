//! What a calculation hands out: result tables by name, findings, and which extensions it used.

use crate::Run;
use crate::book::Book;
use crate::credits::{CHUNK_ROWS, Credits, Scratch, TransactionForm};
use attain_domain::point::Identity;
use attain_domain::{Column, Finding, NULL_CODE, Severity, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The names of the result tables. Those with a `payee_id` are sorted by payee.
pub const RESULTS: [&str; 9] = ["credits", "measures", "attainments", "earnings", "slices", "postings", "statements", "findings", "totals"];

/// An extension that answered, and at what cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    pub identity: Identity,
    pub call_count: u64,
    /// Fuel or operations; the same in every run of the same digests on the same inputs.
    pub fuel_used: u64,
}

#[derive(Debug)]
pub struct Outcome {
    /// Whether nothing makes the result unreliable. An incomplete outcome has no postings.
    pub complete: bool,
    /// In a fixed order.
    pub findings: Vec<Finding>,
    /// In order of point and name.
    pub used: Vec<Used>,
    book: Arc<Book>,
    credits: Arc<Credits>,
    tables: BTreeMap<&'static str, Table>,
}

pub(crate) fn gather(run: Run<'_>) -> Outcome {
    let complete = run.findings.complete();
    let findings = run.findings.finish();
    let mut tables = run.tables;
    tables.insert("findings", findings_table(&findings));
    if !complete {
        tables.remove("postings");
    }
    Outcome { complete, findings, used: run.used.into_values().collect(), book: run.book, credits: run.credits, tables }
}

pub(crate) fn findings_table(findings: &[Finding]) -> Table {
    let severity = |severity: Severity| match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let text = |value: fn(&Finding) -> &str| Column::text(&findings.iter().map(|finding| Some(value(finding))).collect::<Vec<_>>());
    Table::new("findings")
        .with("severity", Column::text(&findings.iter().map(|finding| Some(severity(finding.severity))).collect::<Vec<_>>()))
        .with("code", text(|finding| &finding.code))
        .with("entity", text(|finding| &finding.entity))
        .with("record", text(|finding| &finding.record))
        .with("message", text(|finding| &finding.message))
}

impl Outcome {
    /// Rows of a result; 0 for one that was not made.
    pub fn row_count(&self, name: &str) -> usize {
        if name == "credits" { self.credits.len() } else { self.tables.get(name).map_or(0, Table::row_count) }
    }

    /// A result in chunks of [`CHUNK_ROWS`] rows, the last one shorter; none for one without rows. Credits are built chunk by
    /// chunk as they are asked for. Text columns hold the used values in ascending order.
    pub fn chunks(&self, name: &str) -> Chunks<'_> {
        self.chunks_as(name, TransactionForm::Id)
    }

    /// Like [`Outcome::chunks`], in the form to store: credits have `transaction_row` in place of `transaction_id`; see
    /// [`crate::with_transaction_ids`].
    pub fn stored(&self, name: &str) -> Chunks<'_> {
        self.chunks_as(name, TransactionForm::Row)
    }

    fn chunks_as(&self, name: &str, form: TransactionForm) -> Chunks<'_> {
        Chunks {
            outcome: self,
            form,
            table: self.tables.get(name),
            next: 0,
            count: self.row_count(name).div_ceil(CHUNK_ROWS),
            scratch: Scratch::default(),
        }
    }

    /// A result as one table. Use [`Outcome::chunks`] for `credits` of a large company.
    pub fn table(&self, name: &str) -> Table {
        if name != "credits" {
            return self.tables.get(name).cloned().unwrap_or_else(|| Table::new(name));
        }
        let whole = self.credits.chunk(&self.book, 0..self.credits.len(), TransactionForm::Id, &mut Scratch::default()).into_table();
        if whole.row_count() == 0 { Table::new(name) } else { whole }
    }

    /// The credits of one payee: the rows that [`Outcome::table`] of `credits` has for her.
    pub fn credits_of(&self, payee_id: &str) -> Table {
        let payee = self.book.payees.code(payee_id);
        let lines = if payee == NULL_CODE { 0..0 } else { self.credits.of_payee(payee as usize) };
        if lines.is_empty() {
            return Table::new("credits");
        }
        self.credits.chunk(&self.book, lines, TransactionForm::Id, &mut Scratch::default()).into_table()
    }

    /// What resolving made.
    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    /// The credit lines in their compact form.
    pub fn credits(&self) -> &Credits {
        &self.credits
    }
}

/// See [`Outcome::chunks`].
pub struct Chunks<'a> {
    outcome: &'a Outcome,
    form: TransactionForm,
    table: Option<&'a Table>,
    next: usize,
    count: usize,
    scratch: Scratch,
}

impl Chunks<'_> {
    fn build(&mut self, index: usize) -> Table {
        let rows = index * CHUNK_ROWS..((index + 1) * CHUNK_ROWS);
        match self.table {
            None => {
                let credits = &self.outcome.credits;
                credits.chunk(&self.outcome.book, rows.start..rows.end.min(credits.len()), self.form, &mut self.scratch).into_table()
            }
            Some(table) if self.count == 1 => table.clone(),
            Some(table) => {
                let end = rows.end.min(table.row_count());
                table.take(&(rows.start..end).collect::<Vec<_>>())
            }
        }
    }
}

impl Iterator for Chunks<'_> {
    type Item = Table;

    fn next(&mut self) -> Option<Table> {
        self.nth(0)
    }

    /// Passes over chunks without building them, so that threads can share the work.
    fn nth(&mut self, skipped: usize) -> Option<Table> {
        let index = self.next.saturating_add(skipped);
        self.next = index.saturating_add(1);
        (index < self.count).then(|| self.build(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count.saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Chunks<'_> {}
