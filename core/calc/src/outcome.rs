//! What a calculation hands out: result tables by name, findings, and which extensions it used.

use crate::Run;
use crate::book::Book;
use crate::credits::{Credits, Scratch, SplitIds, TransactionForm};
use attain_domain::point::Identity;
use attain_domain::{Column, Finding, NULL_CODE, Severity, Table, cut};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

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
    split: OnceLock<SplitIds>,
    cuts: OnceLock<Vec<Range<usize>>>,
}

pub(crate) fn gather(run: Run<'_>) -> Outcome {
    let complete = run.findings.complete();
    let findings = run.findings.finish();
    let mut tables = run.tables;
    tables.insert("findings", findings_table(&findings));
    if !complete {
        tables.remove("postings");
    }
    let used = run.used.into_values().collect();
    Outcome { complete, findings, used, book: run.book, credits: run.credits, tables, split: OnceLock::new(), cuts: OnceLock::new() }
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

    /// A result in chunks (see [`cut`]); none for one without rows. Credits are built chunk by chunk as they are asked for. Text
    /// columns hold the used values in ascending order.
    pub fn chunks(&self, name: &str) -> Chunks<'_> {
        Chunks { whole: true, ..self.stored(name) }
    }

    /// Like [`Outcome::chunks`], in the form to store: credits have `transaction_stem` and `transaction_number` in place of
    /// `transaction_id`; see [`crate::with_transaction_ids`].
    pub fn stored(&self, name: &str) -> Chunks<'_> {
        let table = self.tables.get(name);
        let pieces = match table {
            Some(table) => cut::of_table(table),
            None if name == "credits" => self.cuts.get_or_init(|| self.credits.cuts(&self.book, self.split())).clone(),
            None => Vec::new(),
        };
        Chunks { outcome: self, whole: false, table, pieces, next: 0, scratch: Scratch::default() }
    }

    /// Base credits, of which lines are made; see [`Outcome::tell_base`].
    pub fn base_count(&self) -> usize {
        self.credits.base.len()
    }

    /// Appends all that a base credit is made of.
    pub fn tell_base(&self, index: usize, bytes: &mut Vec<u8>) {
        self.credits.tell_base(&self.book, index, bytes);
    }

    /// What all lines have in common besides their base credits. Lines of the same payees, base credits and levels under the same roll-up
    /// are the same rows.
    pub fn tell_rollup(&self) -> String {
        self.credits.tell_rollup()
    }

    /// The lines `rows` of credits, one payee after the other: her id, and of each line its base credit and its level.
    pub fn lines(&self, rows: Range<usize>) -> impl Iterator<Item = (&str, &[u32], &[u8])> {
        self.credits.by_payee(&self.book, rows)
    }

    fn split(&self) -> &SplitIds {
        self.split.get_or_init(|| SplitIds::new(&self.book.transactions))
    }

    /// A result as one table. Use [`Outcome::chunks`] for `credits` of a large company.
    pub fn table(&self, name: &str) -> Table {
        if name != "credits" {
            return self.tables.get(name).cloned().unwrap_or_else(|| Table::new(name));
        }
        let whole = self.credits.chunk(&self.book, 0..self.credits.len(), TransactionForm::Whole, &mut Scratch::default()).into_table();
        if whole.row_count() == 0 { Table::new(name) } else { whole }
    }

    /// The credits of one payee: the rows that [`Outcome::table`] of `credits` has for her.
    pub fn credits_of(&self, payee_id: &str) -> Table {
        let payee = self.book.payees.code(payee_id);
        let lines = if payee == NULL_CODE { 0..0 } else { self.credits.of_payee(payee as usize) };
        if lines.is_empty() {
            return Table::new("credits");
        }
        self.credits.chunk(&self.book, lines, TransactionForm::Whole, &mut Scratch::default()).into_table()
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
    /// Whether ids of transactions are one column.
    whole: bool,
    table: Option<&'a Table>,
    pieces: Vec<Range<usize>>,
    next: usize,
    scratch: Scratch,
}

impl Chunks<'_> {
    /// The rows of each chunk.
    pub fn pieces(&self) -> &[Range<usize>] {
        &self.pieces
    }

    fn build(&mut self, index: usize) -> Table {
        let rows = self.pieces[index].clone();
        match self.table {
            None => {
                let outcome = self.outcome;
                let form = if self.whole { TransactionForm::Whole } else { TransactionForm::Parts(outcome.split()) };
                outcome.credits.chunk(&outcome.book, rows, form, &mut self.scratch).into_table()
            }
            Some(table) if self.pieces.len() == 1 => table.clone(),
            Some(table) => table.take(&rows.collect::<Vec<_>>()),
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
        (index < self.pieces.len()).then(|| self.build(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.pieces.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Chunks<'_> {}
