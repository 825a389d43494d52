//! A calculation that stopped before `earn`: what was credited and measured, to be paid again and again under other formulas,
//! plans or suppositions, at the price of the last stages alone.

use crate::attain::Quotas;
use crate::book::Book;
use crate::credits::Credits;
use crate::findings::Findings;
use crate::measure::Measures;
use crate::outcome::{self, Outcome, Used};
use crate::{Inputs, Run, STAGES, assign};
use attain_domain::ids::PeriodId;
use attain_domain::plan::{Plan, looks_at_others};
use attain_domain::point::{Extensions, Point};
use attain_domain::{NULL_CODE, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first stage that reads plans, assignments, parameters and the periods that are settled.
const FIRST_OF_PAY: &str = "earn";

/// See the module. Clones share what was credited.
#[derive(Debug, Clone)]
pub struct Prepared {
    inputs: Arc<Inputs>,
    findings: Findings,
    used: BTreeMap<(Point, String), Used>,
    book: Arc<Book>,
    credits: Arc<Credits>,
    measures: Arc<Measures>,
    quotas: Arc<Quotas>,
    more: Option<Supposed>,
    expected: Arc<Expectation>,
    tables: BTreeMap<&'static str, Table>,
}

/// An amount on top of what a payee's measure came to in a period, in the measure's own unit (10⁻⁴).
#[derive(Debug, Clone, Copy)]
pub struct More<'a> {
    pub payee_id: &'a str,
    pub measure_id: &'a str,
    pub period_id: &'a str,
    pub amount: i64,
}

/// [`More`] with its names resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Supposed {
    pub payee: u32,
    pub measure: usize,
    pub period: usize,
    pub amount: i64,
}

/// By plan and component, then by payee: amounts on top of what the component's measure came to in a period.
pub(crate) type Expectation = BTreeMap<(String, String), BTreeMap<u32, Vec<(usize, i64)>>>;

/// As [`Expectation`], by payee id.
pub(crate) type NamedExpectation = BTreeMap<(String, String), BTreeMap<String, Vec<(usize, i64)>>>;

fn before_pay() -> usize {
    STAGES.iter().position(|stage| stage.name == FIRST_OF_PAY).expect("the stage is in the list")
}

impl Prepared {
    /// Goes through the stages before pay.
    pub fn new(inputs: Arc<Inputs>, extensions: &dyn Extensions) -> Prepared {
        let mut run = Run::new(&inputs, extensions);
        run.pass(&STAGES[..before_pay()], &mut |_| {});
        let Run { findings, used, book, credits, measures, quotas, tables, .. } = run;
        Prepared { findings, used, book, credits, measures, quotas, more: None, expected: Arc::default(), tables, inputs }
    }

    pub fn inputs(&self) -> &Arc<Inputs> {
        &self.inputs
    }

    /// The stages that are left. With the extensions that it was prepared with, the result is that of [`crate::calculate`].
    pub fn pay(&self, extensions: &dyn Extensions) -> Outcome {
        let mut run = Run::new(&self.inputs, extensions);
        run.findings = self.findings.clone();
        run.used.clone_from(&self.used);
        run.book = Arc::clone(&self.book);
        run.credits = Arc::clone(&self.credits);
        run.measures = Arc::clone(&self.measures);
        run.quotas = Arc::clone(&self.quotas);
        run.more = self.more;
        run.expected = Arc::clone(&self.expected);
        run.tables.clone_from(&self.tables);
        run.pass(&STAGES[before_pay()..], &mut |_| {});
        outcome::gather(run)
    }

    fn with(&self, change: impl FnOnce(&mut Inputs)) -> Prepared {
        let mut inputs = Inputs::clone(&self.inputs);
        change(&mut inputs);
        Prepared { inputs: Arc::new(inputs), ..self.clone() }
    }

    /// Under other plans.
    #[must_use]
    pub fn with_plans(&self, plans: Vec<Plan>) -> Prepared {
        self.with(|inputs| inputs.plans = plans)
    }

    /// With statements for these periods.
    #[must_use]
    pub fn with_periods(&self, periods: Vec<PeriodId>) -> Prepared {
        self.with(|inputs| inputs.periods = Some(periods))
    }

    /// Paying nobody but this payee; everybody still, where his pay hangs on that of others.
    #[must_use]
    pub fn for_payee(&self, payee_id: &str) -> Prepared {
        if looks_at_others(&self.inputs.plans, &self.inputs.settings.measures) {
            return self.clone();
        }
        let own = assign::as_own(&self.inputs, payee_id);
        self.with(|inputs| {
            inputs.tables.insert("plan_assignments".to_owned(), Arc::new(own));
            inputs.tables.remove("plan_rules");
            let Some(table) = inputs.tables.get("parameters") else { return };
            let Some(payees) = table.texts("payee_id") else { return };
            let own: Vec<usize> = (0..table.row_count()).filter(|row| payees.get(*row) == Some(payee_id)).collect();
            let own = table.take(&own);
            inputs.tables.insert("parameters".to_owned(), Arc::new(own));
        })
    }

    /// As if a payee had measured more in a period, whatever it is that counts there. Nothing changes where a name is not known.
    #[must_use]
    pub fn with_more(&self, more: &More<'_>) -> Prepared {
        let payee = self.book.payees.code(more.payee_id);
        let (measure, period) = (self.measures.find(more.measure_id), self.book.calendar.index_of(more.period_id));
        let supposed = match (measure, period) {
            (Some(measure), Some(period)) if payee != NULL_CODE => Some(Supposed { payee, measure, period, amount: more.amount }),
            _ => None,
        };
        Prepared { more: supposed, ..self.clone() }
    }

    /// As if components had measured more (or less) of payees in periods. By plan and component, then by payee id.
    #[must_use]
    pub(crate) fn expecting(&self, supposed: &NamedExpectation) -> Prepared {
        let coded = |payees: &BTreeMap<String, Vec<(usize, i64)>>| {
            payees.iter().map(|(payee, own)| (self.book.payees.code(payee), own.clone())).collect()
        };
        let expected = supposed.iter().map(|(component, payees)| (component.clone(), coded(payees))).collect();
        Prepared { expected: Arc::new(expected), ..self.clone() }
    }
}
