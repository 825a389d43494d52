//! Builds what a compensation extension sees of a component: a row per payee and period, or per credit.

mod facts;

use crate::Run;
use crate::attain::attainment;
use crate::credits::Scratch;
use crate::measure::{period_column, sums_where};
use crate::relief::{Leaves, Relief, What};
use crate::spans::{Assignment, Parameters, assigned_days, last_within, spans};
use crate::terms::{Part, Stay};
use attain_domain::fixed::from_decimal_rounded;
use attain_domain::plan::{Accumulate, Component, Proration, QuotaBasis};
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, RATE_SCALE, Severity, Table};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of one component in order of payee, period and transaction. Numbers may be null as their contract says.
#[derive(Debug, Default)]
pub struct Rows {
    pub payee: Vec<u32>,
    pub period: Vec<u32>,
    /// `NULL_CODE` unless per transaction.
    pub transaction: Vec<u32>,
    pub prior: Vec<i64>,
    pub to_date: Vec<i64>,
    pub quota: Vec<i64>,
    pub target: Vec<i64>,
    /// The day on which parameters, teams and positions are read.
    pub day: Vec<i32>,
    pub slice: Vec<Slice>,
    /// The base credit and how many managers it passed, of a row that is one credit; empty otherwise.
    pub credit: Vec<(usize, u8)>,
    pub inputs: Vec<(String, Vec<i64>)>,
    pub params: Vec<(String, Vec<i64>)>,
    /// For each fact of the subject its value in each row.
    pub facts: Vec<Vec<Fact>>,
    /// Names of what gave a rate, and of each row which; empty where nothing is looked up.
    pub rate_labels: (Vec<String>, Vec<u32>),
}

impl Rows {
    pub fn len(&self) -> usize {
        self.payee.len()
    }

    pub fn attainment(&self, row: usize) -> i64 {
        attainment(self.to_date[row], Some(self.quota[row]).filter(|quota| *quota != NULL_NUMBER))
    }

    /// The values of a parameter, to be filled.
    pub fn param(&mut self, name: &str) -> &mut Vec<i64> {
        let place = match self.params.iter().position(|(own, _)| own == name) {
            Some(place) => place,
            None => {
                self.params.push((name.to_owned(), vec![NULL_NUMBER; self.payee.len()]));
                self.params.len() - 1
            }
        };
        &mut self.params[place].1
    }

    /// Rows `range` as the table `rows` of the compensation contract.
    pub fn table(&self, run: &Run<'_>, range: std::ops::Range<usize>, scratch: &mut Scratch) -> Table {
        let money = |values: &[i64]| Column::money(values[range.clone()].to_vec());
        let mut table = Table::new("rows")
            .with("payee_id", scratch.picker.pick(&run.book.payees.0, self.payee[range.clone()].iter().copied()))
            .with("period_id", period_column(&run.book, &mut scratch.picker, self.period[range.clone()].iter().copied()))
            .with("transaction_id", scratch.transactions.pick(&run.book.transactions, &self.transaction[range.clone()]))
            .with("credited", Column::money(range.clone().map(|row| self.to_date[row].saturating_sub(self.prior[row])).collect()))
            .with("prior", money(&self.prior))
            .with("to_date", money(&self.to_date))
            .with("quota", money(&self.quota))
            .with("attainment", Column::rate(range.clone().map(|row| self.attainment(row)).collect()))
            .with("target", money(&self.target));
        for (name, values) in &self.inputs {
            table = table.with(&format!("inputs.{name}"), money(values));
        }
        for (name, values) in &self.params {
            table = table.with(&format!("params.{name}"), Column::rate(values[range.clone()].to_vec()));
        }
        if !self.rate_labels.1.is_empty() {
            table = table.with("rate_label", scratch.picker.pick(&self.rate_labels.0, self.rate_labels.1[range].iter().copied()));
        }
        table
    }
}

/// The days that a row is about where a period is cut, and the part of the component that it is calculated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slice {
    pub from: i32,
    pub part: u32,
    /// The first day whose results count with its own; `i32::MIN` for the start of its span.
    pub since: i32,
}

impl Default for Slice {
    fn default() -> Slice {
        Slice { from: i32::MIN, part: 0, since: i32::MIN }
    }
}

/// What a component is about, with its names resolved.
pub struct Subject<'a> {
    pub plan_id: &'a str,
    pub component: &'a Component,
    pub part: &'a Part,
    /// Place of the part in its line.
    pub place: usize,
    pub leaves: &'a Leaves,
    /// [`NO_MEASURE`] where something else stands in its place.
    pub measure: usize,
    pub quota: Option<usize>,
    pub inputs: Vec<usize>,
    pub facts: Vec<FactOf>,
    /// Periods up to here are calculated.
    pub until: usize,
    /// Periods that get a statement; findings are about these only.
    pub settled: &'a [bool],
}

pub fn build(run: &mut Run<'_>, subject: &Subject<'_>, payees: &BTreeMap<u32, Stay>, parameters: &Parameters) -> Rows {
    let component = subject.component;
    let own = parameters.get(subject.plan_id);
    let mut names: BTreeSet<&str> = component.params.keys().map(String::as_str).collect();
    names.extend(own.into_iter().flat_map(|own| own.keys().map(|(_, name)| name.as_str())));
    let mut rows = Rows {
        inputs: component.inputs.keys().map(|name| (name.clone(), Vec::new())).collect(),
        params: names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect(),
        ..Rows::default()
    };
    let defaults: Vec<i64> = names
        .iter()
        .map(|name| component.params.get(*name).and_then(|value| from_decimal_rounded(*value, RATE_SCALE)).unwrap_or(NULL_NUMBER))
        .collect();
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let spans = spans(&run.book, component.accumulate);
    for (payee, stay) in payees {
        let assignments = stay.assignments.as_slice();
        let relief = Relief::new(subject.leaves, subject.part, *payee, assignments, &run.book);
        let mut builder = Builder { run, subject, payee: *payee, stay, assignments, relief, spans: &spans, restricted: BTreeMap::new() };
        let param = |name: &String, default: i64, day: i32| {
            let dated = own.and_then(|own| own.get(&(*payee, name.clone())));
            let value = dated.and_then(|dated| dated.iter().find(|(from, until, _)| *from <= day && day < *until));
            value.map_or(default, |(_, _, value)| *value)
        };
        let first = rows.len();
        let mut days = Vec::new();
        if component.accumulate == Accumulate::Transaction || component.stacked {
            builder.by_transaction(&mut rows, &mut days);
        } else {
            builder.by_period(&mut rows, &mut days);
        }
        builder.add_facts(&mut rows, first);
        rows.day.extend(&days);
        debug_assert_eq!(days.len(), rows.len() - first);
        for ((name, default), (_, values)) in names.iter().zip(&defaults).zip(&mut rows.params) {
            values.extend(days.iter().map(|day| param(name, *default, *day)));
        }
    }
    rows
}

/// The number of no measure.
pub const NO_MEASURE: usize = usize::MAX;

/// A measure over a span that gates, multipliers, ranks and pools look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactOf {
    pub measure: usize,
    pub over: Accumulate,
}

/// What a measure came to in the span, and the quota against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub value: i64,
    /// Null where there is none.
    pub quota: i64,
}

/// Days `from..until`, and the day on which they started again; `i32::MIN` where that is the start of their span.
#[derive(Debug, Clone, Copy)]
struct Reach {
    from: i32,
    until: i32,
    since: i32,
}

struct Builder<'a, 'b> {
    run: &'a mut Run<'b>,
    subject: &'a Subject<'a>,
    payee: u32,
    stay: &'a Stay,
    assignments: &'a [Assignment],
    relief: Relief<'a>,
    spans: &'a [(usize, usize)],
    /// By measure: sums per period of the days on which the payee is assigned.
    restricted: BTreeMap<usize, Vec<i64>>,
}

impl Builder<'_, '_> {
    /// `days` receives for each row the day on which parameters are read.
    fn by_period(&mut self, rows: &mut Rows, days: &mut Vec<i32>) {
        for period in 0..self.subject.until {
            for (from, until) in self.slices(period) {
                let Some((day, assignment)) = last_within(self.assignments, from, until) else { continue };
                let reach = self.reach(period, from, until);
                let prior = self.sum(self.subject.measure, &Reach { until: from, ..reach });
                let to_date = self.sum(self.subject.measure, &reach);
                rows.payee.push(self.payee);
                rows.period.push(period as u32);
                rows.transaction.push(NULL_CODE);
                rows.prior.push(if self.subject.component.true_up { 0 } else { prior });
                rows.to_date.push(to_date);
                let quota = self.quota(period, (from, until));
                self.judge(period, quota);
                rows.quota.push(quota.unwrap_or(NULL_NUMBER));
                rows.target.push(self.target(period, (from, until), &assignment));
                rows.slice.push(Slice { from, part: self.subject.place as u32, since: reach.since });
                for place in 0..self.subject.inputs.len() {
                    let value = self.sum(self.subject.inputs[place], &reach);
                    rows.inputs[place].1.push(value);
                }
                days.push(day);
            }
        }
    }

    /// The days of a period that are calculated by themselves; all of it where no other terms begin or end in it.
    fn slices(&self, period: usize) -> Vec<(i32, i32)> {
        self.stay.slices(self.subject.place, &self.run.book.calendar.periods[period])
    }

    /// The days whose results a row of the slice sees.
    fn reach(&self, period: usize, from: i32, until: i32) -> Reach {
        let periods = &self.run.book.calendar.periods;
        let start = periods[self.spans[period].0].from.0;
        let since = match self.subject.component.accumulate {
            // Within a period every slice stands alone.
            Accumulate::Period | Accumulate::Transaction if from > start => Some(from),
            Accumulate::Period | Accumulate::Transaction => None,
            Accumulate::Quarter | Accumulate::Year => self.subject.part.since.filter(|since| *since > start),
        };
        Reach { from: since.unwrap_or(start), until, since: since.unwrap_or(i32::MIN) }
    }

    /// Of a part only its own credits become rows; where credits are stacked, those of other parts before them count too.
    fn by_transaction(&mut self, rows: &mut Rows, days: &mut Vec<i32>) {
        let meter = &self.run.measures.meters[self.subject.measure];
        let (book, credits) = (&self.run.book, &self.run.credits);
        let mut found: Vec<(usize, usize, i64, Assignment)> = Vec::new();
        for line in credits.of_payee(self.payee as usize) {
            let base = credits.lines[line] as usize;
            let Some(value) = meter.value(book, credits, base, credits.levels[line]) else { continue };
            let transaction = credits.base.transaction[base] as usize;
            let (day, period) = (book.transactions.tested_on[transaction], usize::from(book.transactions.period[transaction]));
            let assignment = self.assignments.iter().find(|assignment| assignment.from <= day && day < assignment.until);
            if let Some(assignment) = assignment.filter(|own| own.counts(book, transaction))
                && period < self.subject.until
            {
                found.push((period, line, value, *assignment));
            }
        }
        let day_of = |line: usize| book.transactions.tested_on[credits.base.transaction[credits.lines[line] as usize] as usize];
        let stacked = self.subject.component.stacked;
        // By day and then by id: what is first is paid first where a cap leaves room for some only.
        found.sort_by_key(|(period, line, _, _)| (*period, day_of(*line), *line));
        if let Some(more) = self.more_of(self.subject.measure)
            && let Some((_, _, value, _)) = found.iter_mut().rfind(|(period, _, _, _)| *period == more.period)
        {
            *value = value.saturating_add(more.amount);
        }
        let mut judged = None;
        let (mut start, mut before) = (i32::MIN, 0i64);
        let stacks = self.stacks();
        for (period, line, value, assignment) in found {
            let (base, level) = (self.run.credits.lines[line] as usize, self.run.credits.levels[line]);
            let transaction = self.run.credits.base.transaction[base];
            let day = self.run.book.transactions.tested_on[transaction as usize];
            let whole = &self.run.book.calendar.periods[period];
            let whole = (whole.from.0, whole.until.0);
            let own = self.stay.slice_on(self.subject.place, &self.run.book.calendar.periods[period], day);
            let slice = own.unwrap_or(whole);
            let reach = self.reach(period, slice.0, slice.1);
            if !stacked || start != reach.from {
                (start, before) = (reach.from, 0);
            }
            let prior = before;
            if day >= reach.from {
                before = before.saturating_add(value);
            }
            if own.is_none() {
                continue;
            }
            let quota = self.quota(period, slice);
            if judged != Some(period) {
                self.judge(period, quota);
                judged = Some(period);
            }
            rows.payee.push(self.payee);
            rows.period.push(period as u32);
            rows.transaction.push(transaction);
            rows.prior.push(prior);
            rows.to_date.push(before);
            rows.credit.push((base, level));
            rows.quota.push(quota.unwrap_or(NULL_NUMBER));
            rows.target.push(self.target(period, slice, &assignment));
            let since = if stacked { reach.since } else { i32::MIN };
            rows.slice.push(Slice { from: slice.0, part: self.subject.place as u32, since });
            for place in 0..self.subject.inputs.len() {
                let value = self.input_of_credit(place, &reach, (day, line), (base, level), &stacks);
                rows.inputs[place].1.push(value);
            }
            days.push(day);
        }
    }

    /// The sum of a measure over some days, of those on which the payee is assigned.
    fn sum(&mut self, measure: usize, reach: &Reach) -> i64 {
        if reach.from >= reach.until {
            return 0;
        }
        let periods = &self.run.book.calendar.periods;
        let first = periods.partition_point(|period| period.from.0 < reach.from);
        let end = periods.partition_point(|period| period.until.0 <= reach.until);
        let is_whole =
            periods.get(first).is_some_and(|period| period.from.0 == reach.from) && end > first && periods[end - 1].until.0 == reach.until;
        let more = self.more_of(measure);
        let values = if is_whole {
            if !self.restricted.contains_key(&measure) {
                let mut values = self.restrict(measure);
                if let Some(more) = more
                    && let Some(value) = values.get_mut(more.period)
                {
                    *value = value.saturating_add(more.amount);
                }
                if measure == self.subject.measure {
                    for (period, amount) in self.expected() {
                        if let Some(value) = values.get_mut(*period) {
                            *value = value.saturating_add(*amount);
                        }
                    }
                }
                self.restricted.insert(measure, values);
            }
            self.restricted[&measure][first..end].to_vec()
        } else {
            let mut values = self.within(measure, reach.from, reach.until);
            // What is supposed comes on the last day of its period.
            let ends = |period: usize| {
                let period = self.run.book.calendar.periods.get(period);
                period.is_some_and(|period| reach.from < period.until.0 && period.until.0 <= reach.until)
            };
            values.extend(more.filter(|more| ends(more.period)).map(|more| more.amount));
            if measure == self.subject.measure {
                values.extend(self.expected().iter().filter(|(period, _)| ends(*period)).map(|(_, amount)| *amount));
            }
            values
        };
        let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
        i64::try_from(sum).unwrap_or_else(|_| {
            self.overflow();
            0
        })
    }

    /// What is supposed on top of this payee's measure.
    fn more_of(&self, measure: usize) -> Option<crate::prepared::Supposed> {
        self.run.more.filter(|more| more.payee == self.payee && more.measure == measure)
    }

    /// What is supposed of this payee for this component, by period.
    fn expected(&self) -> &[(usize, i64)] {
        if self.run.expected.is_empty() {
            return &[];
        }
        let key = (self.subject.plan_id.to_owned(), self.subject.component.id.clone());
        self.run.expected.get(&key).and_then(|payees| payees.get(&self.payee)).map_or(&[], Vec::as_slice)
    }

    fn overflow(&mut self) {
        let payee = self.run.book.payees.get(self.payee).to_owned();
        let message = format!("its results on plan `{}` do not fit; correct the amounts", self.subject.plan_id);
        self.run.findings.add(Severity::Error, "overflow", "payees", &payee, message);
    }

    fn restrict(&mut self, measure: usize) -> Vec<i64> {
        self.within(measure, i32::MIN, i32::MAX)
    }

    /// Sums per period of the days from `from` up to `until` on which the payee is assigned.
    fn within(&mut self, measure: usize, from: i32, until: i32) -> Vec<i64> {
        let (book, measures) = (&self.run.book, &self.run.measures);
        let periods = &book.calendar.periods;
        if measure == NO_MEASURE {
            return vec![0; periods.len()];
        }
        let assigned: Vec<i32> = (0..periods.len()).map(|period| assigned_days(self.assignments, book, period)).collect();
        let all_days = (from, until) == (i32::MIN, i32::MAX);
        let whole = all_days && assigned.iter().zip(periods).all(|(days, period)| *days == 0 || *days == period.days());
        let meter = &measures.meters[measure];
        let days: Vec<(i32, i32)> = self.assignments.iter().map(|own| (own.from.max(from), own.until.min(until))).collect();
        let only = if whole { None } else { Some(days.as_slice()) };
        let all_booked = self.assignments.iter().all(|own| own.booked_before.is_none());
        let summed = if meter.is_of_own_credits() && !all_booked {
            let counts = |transaction: u32| {
                let day = book.transactions.tested_on[transaction as usize];
                let on_it = |own: &&Assignment| own.from <= day && day < own.until;
                from <= day && day < until && self.assignments.iter().find(on_it).is_some_and(|own| own.counts(book, transaction as usize))
            };
            sums_where(&measures.meters[measure..=measure], book, &self.run.credits, self.payee, counts)
        } else {
            let mut summed = measures.on_plan(measure, book, &self.run.credits, self.payee, self.subject.plan_id, only);
            if !all_days {
                // What is known of whole periods only counts in each of their parts.
                for (sum, period) in summed.iter_mut().zip(periods) {
                    *sum = sum.filter(|_| from < period.until.0 && period.from.0 < until);
                }
            }
            summed
        };
        let mut values = Vec::with_capacity(summed.len());
        for (sum, days) in summed.into_iter().zip(&assigned) {
            match i64::try_from(if *days == 0 { 0 } else { sum.unwrap_or(0) }) {
                Ok(value) if value != NULL_NUMBER => values.push(value),
                _ => {
                    self.overflow();
                    values.push(0);
                }
            }
        }
        values
    }

    /// The quota that stands against a slice of `period`.
    fn quota(&self, period: usize, slice: (i32, i32)) -> Option<i64> {
        self.quota_of(self.subject.quota?, self.subject.component.accumulate, self.spans[period], period, slice)
    }

    /// The quota of a measure over a span up to a slice of a period.
    fn quota_of(&self, measure: usize, over: Accumulate, (start, end): (usize, usize), period: usize, slice: (i32, i32)) -> Option<i64> {
        let component = self.subject.component;
        let range = match component.quota_basis {
            QuotaBasis::Span => start..end,
            QuotaBasis::ToDate => start..period + 1,
        };
        let stands_alone = matches!(over, Accumulate::Period | Accumulate::Transaction);
        let since = self.subject.part.since.filter(|_| !stands_alone).unwrap_or(i32::MIN);
        let mut sum: Option<i128> = None;
        for own in range {
            let whole = (self.run.book.calendar.periods[own].from.0, self.run.book.calendar.periods[own].until.0);
            if whole.1 <= since {
                continue;
            }
            let Some(quota) = self.run.quotas.get(measure, self.payee, own) else { continue };
            let days = match (own == period, stands_alone, component.quota_basis) {
                (true, true, _) => slice,
                (true, false, QuotaBasis::ToDate) => (whole.0.max(since), slice.1),
                _ => (whole.0.max(since), whole.1),
            };
            let part = self.relief.share(quota, What::Quota, component.prorate_quota, self.assignments, days, whole);
            sum = Some(sum.unwrap_or(0) + part);
        }
        i64::try_from(sum?).ok()
    }

    /// The target for a slice of `period`, of which `last` is the assignment on its last day.
    fn target(&self, period: usize, slice: (i32, i32), last: &Assignment) -> i64 {
        let period = &self.run.book.calendar.periods[period];
        let whole = (period.from.0, period.until.0);
        let share =
            |own: &[Assignment], target: i64, proration: Proration| self.relief.share(target, What::Target, proration, own, slice, whole);
        let sum = match self.subject.component.prorate_target {
            Proration::None => last.target.map(|target| share(self.assignments, target, Proration::None)),
            Proration::CalendarDays => {
                let known = self.assignments.iter().filter(|own| own.from < slice.1 && slice.0 < own.until && own.target.is_some());
                known
                    .map(|own| share(std::slice::from_ref(own), own.target.unwrap_or(0), Proration::CalendarDays))
                    .reduce(|one, other| one + other)
            }
        };
        sum.and_then(|sum| i64::try_from(sum).ok()).unwrap_or(NULL_NUMBER)
    }

    fn judge(&mut self, period: usize, quota: Option<i64>) {
        if self.subject.quota.is_none() || !self.subject.settled[period] {
            return;
        }
        let component = self.subject.component;
        let record = || format!("{}, {}", self.run.book.payees.get(self.payee), self.run.book.calendar.periods[period].id);
        let measure = component.quota.as_deref().unwrap_or("");
        let (code, message) = match quota {
            None => ("quota-missing", format!("there is no quota of `{measure}` for component `{}`; add one to `quotas`", component.id)),
            Some(quota) if quota <= 0 => {
                ("quota-zero", format!("the quota of `{measure}` for component `{}` is not above zero", component.id))
            }
            Some(_) => return,
        };
        let record = record();
        self.run.findings.add(Severity::Warning, code, "quotas", &record, message);
    }
}
