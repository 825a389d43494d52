//! Stage 3: adds credits up to measures per payee and period.

use crate::Run;
use crate::book::Book;
use crate::condition::{self, Filter};
use crate::credits::{Credits, NO_CHAIN};
use crate::lookup::Step;
use crate::names::Picker;
use crate::objectives::Objectives;
use crate::teams::{TeamDays, Teams};
use attain_domain::plan::{CreditKind, Measure, MeasureOf, MeasureValue};
use attain_domain::{Column, NULL_NUMBER, RoundingMode, Severity, Table};
use std::sync::Arc;

/// One measured thing, as a column of money.
pub const UNIT: i64 = 10_000;
const THREADS: usize = 2;

/// A measure ready to be taken of any line.
#[derive(Debug)]
pub struct Meter {
    pub id: String,
    value: MeasureValue,
    kinds: [bool; 4],
    filter: Filter,
    /// What objectives that are all reached come to.
    full: i64,
    /// Of a measure of teams: what they bring in.
    days: Option<TeamDays>,
}

/// All measures with their values.
#[derive(Debug, Default)]
pub struct Measures {
    pub meters: Vec<Meter>,
    period_count: usize,
    /// By measure, then payee × period; null where the payee has no line that counts.
    values: Vec<Vec<i64>>,
    pub teams: Teams,
    objectives: Objectives,
}

impl Measures {
    pub fn find(&self, id: &str) -> Option<usize> {
        self.meters.iter().position(|meter| meter.id == id)
    }

    pub fn of_payee(&self, measure: usize, payee: u32) -> &[i64] {
        let start = payee as usize * self.period_count;
        &self.values[measure][start..start + self.period_count]
    }

    /// Per period what counts for a payee on a plan, of the days given where not all of them do.
    pub fn on_plan(
        &self,
        measure: usize,
        book: &Book,
        credits: &Credits,
        payee: u32,
        plan: &str,
        days: Option<&[(i32, i32)]>,
    ) -> Vec<Option<i128>> {
        let meter = &self.meters[measure];
        if meter.value == MeasureValue::Objectives {
            let periods = 0..self.period_count;
            return periods.map(|period| self.objectives.value(meter.full, payee, period, Some(plan))).collect();
        }
        match (&meter.days, days) {
            (Some(team), days) => team.of_payee(&self.teams, book, payee, days),
            (None, None) => {
                self.of_payee(measure, payee).iter().map(|value| (*value != NULL_NUMBER).then_some(i128::from(*value))).collect()
            }
            (None, days) => sums(std::slice::from_ref(meter), book, credits, payee, days),
        }
    }
}

pub fn stage(run: &mut Run<'_>) {
    let (measures, overflown) = measure(run);
    for (payee, meter) in overflown {
        run.findings.add(Severity::Error, "overflow", "measures", &payee, format!("measure `{meter}` does not fit; correct the amounts"));
    }
    let table = table(&run.book, &measures);
    run.row_count = table.row_count();
    run.tables.insert("measures", table);
    run.measures = Arc::new(measures);
}

fn measure(run: &mut Run<'_>) -> (Measures, Vec<(String, String)>) {
    let (book, credits) = (&run.book, &run.credits);
    let mut measures: Vec<&Measure> = run.inputs.settings.measures.iter().collect();
    measures.sort_by(|left, right| left.id.cmp(&right.id));
    let teams = Teams::new(run.inputs, book);
    let mut meters = Vec::with_capacity(measures.len());
    for measure in &measures {
        let filter = condition::compile(measure, run.inputs, book, credits, &mut run.findings);
        let kinds = CreditKind::ALL.map(|kind| measure.credits.is_empty() || measure.credits.contains(&kind));
        let full = Objectives::full(measure);
        let mut meter = Meter { id: measure.id.clone(), value: measure.value, kinds, filter, full, days: None };
        if measure.of == MeasureOf::Team {
            meter.days = Some(teams.daily(&meter, book, credits));
        }
        if measure.value == MeasureValue::Margin
            && credits.base.transaction.iter().any(|row| book.transactions.margin.get(*row as usize).is_none())
        {
            let message = "some credited transactions have no cost; their margin counts as nothing";
            run.findings.add(Severity::Warning, "margin-unknown", "measures", &measure.id, message);
        }
        meters.push(meter);
    }
    let objectives = Objectives::new(run.inputs, book);
    if measures.iter().any(|measure| measure.value == MeasureValue::Objectives) {
        objectives.judge(run.inputs, book, &mut run.findings);
    }
    let period_count = book.calendar.periods.len();
    let payee_count = book.payees.len();
    let mut values: Vec<Vec<i64>> = meters.iter().map(|_| vec![NULL_NUMBER; payee_count * period_count]).collect();
    // Each thread takes every other measure.
    let take = |values: Vec<(&Meter, &mut Vec<i64>)>| {
        let mut overflown = Vec::new();
        for (meter, values) in values {
            for (place, (slot, sum)) in values.iter_mut().zip(meter.all(book, credits)).enumerate() {
                match sum.map(i64::try_from) {
                    None => {}
                    Some(Ok(sum)) if sum != NULL_NUMBER => *slot = sum,
                    Some(_) => overflown.push((book.payees.get((place / period_count) as u32).to_owned(), meter.id.clone())),
                }
            }
        }
        overflown
    };
    let mut shares: [Vec<(&Meter, &mut Vec<i64>)>; THREADS] = Default::default();
    for (measure, pair) in meters.iter().zip(&mut values).enumerate() {
        shares[measure % THREADS].push(pair);
    }
    let take = &take;
    let overflown = std::thread::scope(|scope| {
        let threads = shares.map(|share| scope.spawn(move || take(share)));
        let all = threads.map(|thread| thread.join().expect("a panic in a sum is a defect of the calculation"));
        all.into_iter().flatten().collect()
    });
    let mut measures = Measures { meters, period_count, values, teams, objectives };
    let more = measures.add_others(book);
    (measures, [overflown, more].concat())
}

impl Measures {
    /// The values of measures that are no sums of the payee's own credits. Returns what does not fit.
    fn add_others(&mut self, book: &Book) -> Vec<(String, String)> {
        let mut overflown = Vec::new();
        for (measure, meter) in self.meters.iter().enumerate().filter(|(_, meter)| !meter.is_of_own_credits()) {
            for payee in 0..book.payees.len() as u32 {
                let sums = match &meter.days {
                    Some(days) => days.of_payee(&self.teams, book, payee, None),
                    None => (0..self.period_count).map(|period| self.objectives.value(meter.full, payee, period, None)).collect(),
                };
                for (period, sum) in sums.into_iter().enumerate() {
                    match sum.map(i64::try_from) {
                        None => {}
                        Some(Ok(sum)) if sum != NULL_NUMBER => {
                            self.values[measure][payee as usize * self.period_count + period] = sum;
                        }
                        Some(_) => overflown.push((book.payees.get(payee).to_owned(), meter.id.clone())),
                    }
                }
            }
        }
        overflown
    }
}

/// The sum of each meter and period, one meter after the other; `None` where no line counts. With `days`, only transactions
/// tested in one of these spans.
pub fn sums(meters: &[Meter], book: &Book, credits: &Credits, payee: u32, days: Option<&[(i32, i32)]>) -> Vec<Option<i128>> {
    match days {
        None => sums_where(meters, book, credits, payee, |_| true),
        Some(days) => sums_where(meters, book, credits, payee, |transaction| {
            let day = book.transactions.tested_on[transaction as usize];
            days.iter().any(|(from, until)| *from <= day && day < *until)
        }),
    }
}

/// The same of the transactions that `accept` accepts.
pub fn sums_where(meters: &[Meter], book: &Book, credits: &Credits, payee: u32, accept: impl Fn(u32) -> bool) -> Vec<Option<i128>> {
    let period_count = book.calendar.periods.len();
    let mut sums: Vec<Option<i128>> = vec![None; meters.len() * period_count];
    let mut last = vec![u32::MAX; meters.len()];
    let range = credits.of_payee(payee as usize);
    for (base, level) in credits.lines[range.clone()].iter().zip(&credits.levels[range]) {
        let base = *base as usize;
        let transaction = credits.base.transaction[base];
        if !accept(transaction) {
            continue;
        }
        let period = usize::from(book.transactions.period[transaction as usize]);
        for (measure, meter) in meters.iter().enumerate() {
            let Some(value) = meter.value(book, credits, base, *level) else { continue };
            if meter.value == MeasureValue::Transactions {
                if transaction == last[measure] {
                    continue;
                }
                last[measure] = transaction;
            }
            let sum = &mut sums[measure * period_count + period];
            *sum = Some(sum.unwrap_or(0) + i128::from(value));
        }
    }
    sums
}

impl Meter {
    /// Whether it adds up the payee's own credit lines.
    pub fn is_of_own_credits(&self) -> bool {
        self.days.is_none() && self.value != MeasureValue::Objectives
    }

    pub fn counts_transactions(&self) -> bool {
        self.value == MeasureValue::Transactions
    }

    /// The sum of each payee and period, one payee after the other; `None` where no line counts.
    fn all(&self, book: &Book, credits: &Credits) -> Vec<Option<i128>> {
        let period_count = book.calendar.periods.len();
        if !self.is_of_own_credits() {
            return vec![None; book.payees.len() * period_count];
        }
        if credits.difference.is_some() || credits.uneven || self.value == MeasureValue::Transactions {
            let payees = 0..book.payees.len() as u32;
            return payees.flat_map(|payee| sums(std::slice::from_ref(self), book, credits, payee, None)).collect();
        }
        // Rolled up gross, a credit counts the same at every level: chains are climbed with sums, not with lines.
        let mut all: Vec<Option<i128>> = vec![None; book.payees.len() * period_count];
        let mut rolled: Vec<Option<i128>> = vec![None; credits.chains.len() * period_count];
        let add = |slot: &mut Option<i128>, value: i128| *slot = Some(slot.unwrap_or(0) + value);
        for (base, transaction) in credits.base.transaction.iter().enumerate() {
            let period = usize::from(book.transactions.period[*transaction as usize]);
            if let Some(value) = self.value(book, credits, base, 0) {
                add(&mut all[credits.base.payee[base] as usize * period_count + period], i128::from(value));
            }
            if credits.chain[base] != NO_CHAIN
                && let Some(value) = self.value(book, credits, base, 1)
            {
                add(&mut rolled[credits.chain[base] as usize * period_count + period], i128::from(value));
            }
        }
        for (chain, row) in rolled.chunks_exact(period_count.max(1)).enumerate() {
            for manager in credits.chains.get(chain as u32) {
                for (period, sum) in row.iter().enumerate() {
                    if let Some(sum) = sum {
                        add(&mut all[*manager as usize * period_count + period], *sum);
                    }
                }
            }
        }
        all
    }

    /// What base credit `base`, seen from `level` managers above, counts; `None` where it does not.
    #[inline]
    pub fn value(&self, book: &Book, credits: &Credits, base: usize, level: u8) -> Option<i64> {
        if !self.kinds[credits.kind(base, level) as usize] {
            return None;
        }
        let transaction = credits.base.transaction[base] as usize;
        if let Some(passing) = &self.filter.transactions
            && !passing[transaction]
        {
            return None;
        }
        if let Some(passing) = &self.filter.rules
            && !passing[usize::from(credits.base.rule[base])]
        {
            return None;
        }
        Some(match self.value {
            MeasureValue::Amount => credits.amount(base, level),
            MeasureValue::Units => part(book.transactions.quantity.get(transaction), credits.share(base, level)),
            MeasureValue::Margin => part(book.transactions.margin.get(transaction), credits.share(base, level)),
            MeasureValue::Count | MeasureValue::Transactions => UNIT,
            MeasureValue::Objectives => return None,
        })
    }
}

/// A share of a number of the transaction; nothing of what is not known.
pub fn part(value: Option<i64>, share: i64) -> i64 {
    let exact = Step { mode: RoundingMode::HalfEven, step: 1 };
    value.and_then(|value| exact.scale(value, share)).unwrap_or(0)
}

fn table(book: &Book, measures: &Measures) -> Table {
    let (mut payees, mut ids, mut periods, mut values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for payee in 0..book.payees.len() as u32 {
        for measure in 0..measures.meters.len() {
            for (period, value) in measures.of_payee(measure, payee).iter().enumerate() {
                if *value != NULL_NUMBER {
                    payees.push(payee);
                    ids.push(measure as u32);
                    periods.push(period as u32);
                    values.push(*value);
                }
            }
        }
    }
    let mut picker = Picker::default();
    let names: Vec<String> = measures.meters.iter().map(|meter| meter.id.clone()).collect();
    Table::new("measures")
        .with("payee_id", picker.pick(&book.payees.0, payees.into_iter()))
        .with("measure_id", picker.pick(&names, ids.into_iter()))
        .with("period_id", period_column(book, &mut picker, periods.into_iter()))
        .with("value", Column::money(values))
}

/// A column of period ids.
pub fn period_column(book: &Book, picker: &mut Picker, periods: impl Iterator<Item = u32>) -> Column {
    let names: Vec<String> = book.calendar.periods.iter().map(|period| period.id.0.clone()).collect();
    picker.pick(&names, periods)
}
