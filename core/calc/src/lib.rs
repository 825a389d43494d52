//! The calculation of Attain: pure stages over whole batches. A result depends on [`Inputs`] and the extensions, on nothing else:
//! no clock, no randomness, no floating point near money, no order of input rows.

mod accounting;
mod adjust;
mod analysis;
mod assign;
mod attain;
mod begun;
mod beside;
mod book;
mod by_hand;
mod cap;
mod compare;
mod condition;
mod credit;
mod credits;
mod earn;
mod earned;
mod earning_rows;
mod earning_table;
mod explain;
mod findings;
mod groups;
mod hierarchy;
mod house;
mod lookup;
mod measure;
mod names;
mod objectives;
mod order;
mod outcome;
mod prepared;
mod preview;
mod rates;
#[cfg(feature = "reference")]
pub mod reference;
mod relief;
mod resolve;
#[cfg(feature = "reference")]
pub mod sequences;
mod settle;
mod slices;
mod spans;
mod teams;
mod terms;
mod windfall;

pub use analysis::{Analysis, analyse};
pub use assign::{Assignments, Explained, Held, Level, explain_assignment};
pub use begun::begun;
pub use credits::{Credits, with_transaction_ids};
pub use explain::{Conversion, counted};
pub use outcome::{Outcome, RESULTS, Used};
pub use prepared::{More, Prepared};
pub use preview::{NotCredited, Path, Preview, PreviewCredit, WhyNot, preview};

use attain_domain::ids::PeriodId;
use attain_domain::plan::Plan;
use attain_domain::point::{Extension, Extensions, Fault, Point};
use attain_domain::settings::Settings;
use attain_domain::{Finding, Severity, Table};
use findings::Findings;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything a run is a function of, besides its extensions and [`attain_domain::ENGINE_VERSION`].
#[derive(Debug, Clone)]
pub struct Inputs {
    pub settings: Settings,
    pub plans: Vec<Plan>,
    /// By entity name; an entity that is not there has no rows, a column that is not there has no values.
    pub tables: BTreeMap<String, Arc<Table>>,
    /// What earlier runs posted: the columns of the result `postings`. Rows with the same key are added up.
    pub posted: Table,
    /// The periods that get statements and postings; all of them where `None`.
    pub periods: Option<Vec<PeriodId>>,
}

impl Inputs {
    pub(crate) fn table(&self, entity: &str) -> &Table {
        static NONE: Table = Table { name: String::new(), columns: Vec::new() };
        self.tables.get(entity).map_or(&NONE, |table| table)
    }
}

/// One step of the calculation.
pub struct Stage {
    pub name: &'static str,
    run: fn(&mut Run<'_>),
}

/// The stages in order. Each is a pure function of what the stages before it made; its module holds that function.
pub const STAGES: &[Stage] = &[
    Stage { name: "resolve", run: resolve::stage },
    Stage { name: "credit", run: credit::stage },
    Stage { name: "measure", run: measure::stage },
    Stage { name: "attain", run: attain::stage },
    Stage { name: "earn", run: earn::stage },
    Stage { name: "adjust", run: adjust::stage },
    Stage { name: "settle", run: settle::stage },
    Stage { name: "compare", run: compare::stage },
];

/// What an observer is told after each stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageReport {
    pub name: &'static str,
    /// Rows that the stage made.
    pub row_count: usize,
    /// Findings of the run so far.
    pub finding_count: usize,
    /// Whether the run can still be posted.
    pub complete: bool,
}

/// A calculation under way: what the stages have made so far.
pub(crate) struct Run<'a> {
    pub inputs: &'a Inputs,
    pub extensions: &'a dyn Extensions,
    pub findings: Findings,
    pub used: BTreeMap<(Point, String), Used>,
    pub row_count: usize,
    pub book: Arc<book::Book>,
    pub credits: Arc<Credits>,
    pub measures: Arc<measure::Measures>,
    pub quotas: Arc<attain::Quotas>,
    /// Supposed on top of what was measured, see [`Prepared::with_more`].
    pub more: Option<prepared::Supposed>,
    /// Supposed for the components that are named, see [`Prepared::expecting`].
    pub expected: Arc<prepared::Expectation>,
    /// Who is on which plan under which terms; empty before pay.
    pub terms: Arc<terms::Terms>,
    pub earnings: earn::Earnings,
    pub ledger: settle::Ledger,
    pub shares: settle::Shares,
    pub tables: BTreeMap<&'static str, Table>,
}

impl<'a> Run<'a> {
    fn new(inputs: &'a Inputs, extensions: &'a dyn Extensions) -> Run<'a> {
        Run {
            inputs,
            extensions,
            findings: Findings::default(),
            used: BTreeMap::new(),
            row_count: 0,
            book: Arc::default(),
            credits: Arc::default(),
            measures: Arc::default(),
            quotas: Arc::default(),
            more: None,
            expected: Arc::default(),
            terms: Arc::default(),
            earnings: earn::Earnings::default(),
            ledger: settle::Ledger::default(),
            shares: settle::Shares::default(),
            tables: BTreeMap::new(),
        }
    }

    /// Goes through stages in their order, past those that an error makes pointless.
    fn pass(&mut self, stages: &[Stage], observe: &mut dyn FnMut(StageReport)) {
        for stage in stages {
            self.row_count = 0;
            if self.findings.complete() {
                (stage.run)(self);
            }
            observe(StageReport {
                name: stage.name,
                row_count: self.row_count,
                finding_count: self.findings.count(),
                complete: self.findings.complete(),
            });
        }
    }

    /// The extension of that name, or `None` and the finding that says why not.
    pub fn extension(&mut self, point: Point, name: &str) -> Option<&'a dyn Extension> {
        match self.extensions.get(point, name) {
            Ok(extension) => {
                let identity = extension.identity().clone();
                self.used.entry((point, name.to_owned())).or_insert(Used { identity, call_count: 0, fuel_used: 0 });
                Some(extension)
            }
            Err(fault) => {
                self.findings.push(fault_finding(name, &fault));
                None
            }
        }
    }

    pub fn account_for(&mut self, point: Point, name: &str, call_count: u64, fuel_used: u64) {
        if let Some(used) = self.used.get_mut(&(point, name.to_owned())) {
            used.call_count += call_count;
            used.fuel_used += fuel_used;
        }
    }
}

pub(crate) fn fault_finding(name: &str, fault: &Fault) -> Finding {
    Finding::new(Severity::Error, fault.kind.code(), "extensions", name, fault.to_string())
}

/// Calculates everything. `observe` is called after each stage; a clock is the observer's business. Once a finding of severity
/// error exists the run is incomplete: the stages that would build on it are passed over and nothing is posted.
pub fn calculate(inputs: &Inputs, extensions: &dyn Extensions, observe: &mut dyn FnMut(StageReport)) -> Outcome {
    let mut run = Run::new(inputs, extensions);
    run.pass(STAGES, observe);
    outcome::gather(run)
}
