//! Objectives agreed with payees: the sum of scores times weights, and what is missing or odd about them.

use crate::book::Book;
use crate::findings::Findings;
use crate::lookup::ONE;
use crate::names::{number, numbers, texts};
use crate::{Inputs, earn::settled_periods};
use attain_domain::fixed::{divide, from_decimal_rounded, to_decimal};
use attain_domain::plan::Measure;
use attain_domain::{NULL_CODE, RATE_SCALE, RoundingMode, Severity};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Objective {
    id: String,
    plan: Option<String>,
    weight: i64,
    score: Option<i64>,
}

/// Objectives by payee and period, in order of their id.
#[derive(Debug, Default)]
pub struct Objectives(BTreeMap<(u32, usize), Vec<Objective>>);

impl Objectives {
    pub fn new(inputs: &Inputs, book: &Book) -> Objectives {
        let table = inputs.table("objectives");
        let (payees, periods, ids) = (texts(table, "payee_id"), texts(table, "period_id"), texts(table, "objective_id"));
        let (plans, weights, scores) = (texts(table, "plan_id"), numbers(table, "weight"), numbers(table, "score"));
        let mut all: BTreeMap<(u32, usize), Vec<Objective>> = BTreeMap::new();
        for row in 0..table.row_count() {
            let payee = book.payees.code_of(payees.get(row));
            let period = periods.get(row).and_then(|id| book.calendar.index_of(id));
            if let (Some(period), Some(weight), true) = (period, number(weights, row), payee != NULL_CODE) {
                all.entry((payee, period)).or_default().push(Objective {
                    id: ids.get(row).unwrap_or_default().to_owned(),
                    plan: plans.get(row).map(str::to_owned),
                    weight,
                    score: number(scores, row),
                });
            }
        }
        for list in all.values_mut() {
            list.sort_by(|left, right| left.id.cmp(&right.id));
        }
        Objectives(all)
    }

    /// What the objectives of a period come to in the unit of the measure, in `plan` or whatever the plan; `None` where there are none.
    pub fn value(&self, full: i64, payee: u32, period: usize, plan: Option<&str>) -> Option<i128> {
        let list = self.0.get(&(payee, period))?;
        let counts = |own: &&Objective| plan.is_none() || own.plan.is_none() || own.plan.as_deref() == plan;
        let mut sum = None;
        for own in list.iter().filter(counts) {
            *sum.get_or_insert(0) += i128::from(own.weight) * i128::from(own.score.unwrap_or(0));
        }
        // Weight × score is at 10⁻¹⁶; one rounding to the measure's own digits.
        let one = i128::from(ONE) * i128::from(ONE);
        sum.map(|sum| {
            let (whole, rest) = (sum.div_euclid(one), sum.rem_euclid(one));
            whole * i128::from(full) + divide(rest * i128::from(full), one, RoundingMode::HalfEven)
        })
    }

    /// What a fully reached set comes to, as a column's number.
    pub fn full(measure: &Measure) -> i64 {
        from_decimal_rounded(measure.full.unwrap_or(Decimal::ONE), attain_domain::MONEY_SCALE).unwrap_or(crate::measure::UNIT)
    }

    /// Objectives that nobody has judged, and weights that do not total 1, of the periods that get a statement.
    pub fn judge(&self, inputs: &Inputs, book: &Book, findings: &mut Findings) {
        let settled = settled_periods(inputs, book);
        for ((payee, period), list) in &self.0 {
            if !settled[*period] {
                continue;
            }
            let record = format!("{}, {}", book.payees.get(*payee), book.calendar.periods[*period].id);
            for own in list.iter().filter(|own| own.score.is_none()) {
                let message = "it is not judged yet and counts as nothing; add its `score`";
                findings.add(Severity::Info, "objective-not-judged", "objectives", &format!("{record}, {}", own.id), message);
            }
            let common: i128 = list.iter().filter(|own| own.plan.is_none()).map(|own| i128::from(own.weight)).sum();
            let mut by_plan: BTreeMap<&str, i128> = BTreeMap::new();
            for own in list {
                if let Some(plan) = &own.plan {
                    *by_plan.entry(plan).or_insert(common) += i128::from(own.weight);
                }
            }
            if by_plan.is_empty() {
                by_plan.insert("", common);
            }
            for (plan, total) in by_plan.into_iter().filter(|(_, total)| *total != i128::from(ONE)) {
                let total = i64::try_from(total).map_or_else(|_| "too much".to_owned(), |total| to_decimal(total, RATE_SCALE).to_string());
                let on = if plan.is_empty() { String::new() } else { format!(" on plan `{plan}`") };
                let message = format!("the weights{on} total {total}, not 1; correct `weight`");
                findings.add(Severity::Warning, "objective-weights", "objectives", &record, message);
            }
        }
    }
}
