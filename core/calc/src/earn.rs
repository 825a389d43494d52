//! Stage 5: asks the compensation extensions what each payee earns, checks the answers, subtracts what was already earned
//! where a component is trued up, and applies caps.

mod caps;
mod modify;

use crate::assign::versions;
use crate::book::Book;
use crate::credit::mode_name;
use crate::credits::Scratch;
use crate::earned::{Earned, Reports, first_counted};
use crate::earning_rows::{NO_MEASURE, Rows, Slice, Subject, build};
use crate::names::Names;
use crate::order::{Pay, Sequence, order};
use crate::relief::Leaves;
use crate::spans::{Assignment, Parameters, last_assigned, parameters, spans};
use crate::terms::{Line, Stay, Terms};
use crate::{Inputs, Run, fault_finding, groups, rates, slices};
use attain_domain::component::EarnedOf;
use attain_domain::fixed::from_decimal;
use attain_domain::lint::lint;
use attain_domain::plan::Plan;
use attain_domain::point::{Answer, Call, Fault, FaultKind, Point, check_answer};
use attain_domain::{Column, MONEY_SCALE, NULL_CODE, NULL_NUMBER, RATE_SCALE, Severity, Table};
use modify::{Judging, Looks};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows handed to an extension at once.
const BATCH_ROWS: usize = 100_000;

/// What no single earning exceeds: ten million millions. It keeps sums of earnings far from the end of a column's range.
const AMOUNT_MAX: i64 = 100_000_000_000_000_000;

/// What an earning comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EarningKind {
    Formula,
    Adjustment,
    Guarantee,
    Clawback,
    /// What was not paid yet and never will be.
    Lapse,
    /// A draw that need not be given back any more.
    Forgiven,
    /// What a closed period would be, less what was posted for it.
    Retro,
}

impl EarningKind {
    pub const ALL: [EarningKind; 7] = [
        EarningKind::Formula,
        EarningKind::Adjustment,
        EarningKind::Guarantee,
        EarningKind::Clawback,
        EarningKind::Lapse,
        EarningKind::Forgiven,
        EarningKind::Retro,
    ];

    pub fn name(self) -> &'static str {
        match self {
            EarningKind::Formula => "formula",
            EarningKind::Adjustment => "adjustment",
            EarningKind::Guarantee => "guarantee",
            EarningKind::Clawback => "clawback",
            EarningKind::Lapse => "lapse",
            EarningKind::Forgiven => "forgiven",
            EarningKind::Retro => "retro",
        }
    }
}

/// What one component pays one payee for one period or credit.
#[derive(Debug, Clone, Copy)]
pub struct Earning {
    pub payee: u32,
    pub period: u32,
    /// The period whose result it corrects; `period` itself but for what concerns an earlier one.
    pub origin: u32,
    pub plan: u32,
    pub component: u32,
    pub kind: EarningKind,
    pub transaction: u32,
    pub prior: i64,
    pub to_date: i64,
    pub quota: i64,
    pub attainment: i64,
    pub target: i64,
    pub formula_amount: i64,
    /// What multipliers, gates and the like leave of it, before it is trued up and capped.
    pub result: i64,
    pub amount: i64,
    /// How much of the amount a refundable cap holds back; negative where it gives back.
    pub withheld: i64,
    /// What it is about where a period is cut.
    pub slice: Slice,
}

impl Earning {
    /// One that no formula computed.
    pub fn other(payee: u32, period: u32, kind: EarningKind, amount: i64) -> Earning {
        Earning {
            payee,
            period,
            origin: period,
            plan: NULL_CODE,
            component: NULL_CODE,
            kind,
            transaction: NULL_CODE,
            prior: NULL_NUMBER,
            to_date: NULL_NUMBER,
            quota: NULL_NUMBER,
            attainment: NULL_NUMBER,
            target: NULL_NUMBER,
            formula_amount: NULL_NUMBER,
            result: NULL_NUMBER,
            amount,
            withheld: 0,
            slice: Slice::default(),
        }
    }
}

/// A line of an earning's trace; `earning` is the place of its row.
#[derive(Debug, Clone, Copy)]
pub struct SliceRow {
    pub earning: u32,
    pub label: u32,
    pub input: i64,
    pub rate: i64,
    pub amount: i64,
}

impl Earning {
    /// What the row itself adds to its result to date.
    pub fn credited(&self) -> i64 {
        self.to_date.saturating_sub(self.prior)
    }
}

/// Earnings while they are made: in any order, with their slices. Later stages add theirs.
#[derive(Debug, Default)]
pub struct Earnings {
    pub rows: Vec<Earning>,
    pub slices: Vec<SliceRow>,
    pub labels: BTreeMap<String, u32>,
    pub plans: Names,
    pub components: Names,
}

impl Earnings {
    pub fn label(&mut self, label: &str) -> u32 {
        let next = self.labels.len() as u32;
        *self.labels.entry(label.to_owned()).or_insert(next)
    }

    /// A slice that the core itself adds: an amount of money at rate 1.
    pub fn explain(&mut self, earning: u32, label: &str, amount: i64) {
        if amount != 0 {
            self.explain_rate(earning, label, amount, crate::lookup::ONE, amount);
        }
    }

    /// As [`Earnings::explain`], of amounts of money at a rate.
    pub fn explain_rate(&mut self, earning: u32, label: &str, input: i64, rate: i64, amount: i64) {
        let label = self.label(label);
        let wide = |amount: i64| amount.checked_mul(10_000).unwrap_or(NULL_NUMBER);
        self.slices.push(SliceRow { earning, label, input: wide(input), rate, amount: wide(amount) });
    }

    /// Makes room for further names of plans and components; rows are coded anew.
    pub fn extend_names<'n>(&mut self, plans: &'n [String], components: impl IntoIterator<Item = &'n str>) {
        let plans = extended(&self.plans, plans.iter().map(String::as_str));
        let components = extended(&self.components, components);
        for row in &mut self.rows {
            row.plan = plans.code_of(self.plans.0.get(row.plan as usize).map(String::as_str));
            row.component = components.code_of(self.components.0.get(row.component as usize).map(String::as_str));
        }
        (self.plans, self.components) = (plans, components);
    }

    /// Adds a row and answers its place.
    pub fn push(&mut self, row: Earning) -> u32 {
        self.rows.push(row);
        (self.rows.len() - 1) as u32
    }
}

fn extended<'n>(names: &Names, more: impl IntoIterator<Item = &'n str>) -> Names {
    let mut all = names.0.clone();
    all.extend(more.into_iter().filter(|name| !name.is_empty()).map(str::to_owned));
    all.sort();
    all.dedup();
    Names(all)
}

pub fn stage(run: &mut Run<'_>) {
    let inputs = run.inputs;
    let terms = Arc::new(Terms::new(inputs, &run.book, &mut run.findings));
    run.terms = Arc::clone(&terms);
    for plan in &terms.missing {
        let message = "payees are assigned to it, but there is no such plan; add it or correct the assignments";
        run.findings.add(Severity::Warning, "plan-missing", "plan_assignments", plan, message);
    }
    report_unassigned(run, &terms.assignments);
    let versions = versions(&inputs.plans);
    let plan_names = Names(versions.keys().map(|id| (*id).to_owned()).collect());
    let components: BTreeSet<&str> = inputs.plans.iter().flat_map(|plan| plan.components.iter().map(|own| own.id.as_str())).collect();
    let component_names = Names(components.into_iter().map(str::to_owned).collect());
    for (id, list) in &versions {
        report_lint(run, id, list);
    }
    let sequences: Vec<Sequence<'_>> = versions
        .iter()
        .map(|(id, list)| {
            let held = terms.plans.get(*id).into_iter().flat_map(|own| &own.documents);
            Sequence::new(id, list.iter().copied().chain(held).collect())
        })
        .collect();
    let mut paying = Paying {
        plans: &plan_names,
        components: &component_names,
        leaves: Leaves::new(inputs, &run.book),
        parameters: parameters(inputs, &run.book),
        settled: settled_periods(inputs, &run.book),
        draft: Earnings::default(),
        earned: Earned::default(),
        reports: Reports::default(),
    };
    for step in order(&sequences, &mut run.findings) {
        let (Pay::Component(plan, _) | Pay::Caps(plan)) = step;
        let plan_id = sequences[plan].plan_id;
        // Without anybody on it, a plan pays nothing.
        let Some(plan) = terms.plans.get(plan_id) else { continue };
        match step {
            Pay::Component(of, component) => {
                if let Some(line) = plan.line(sequences[of].components[component]) {
                    earn(run, plan_id, line, &mut paying);
                }
            }
            Pay::Caps(_) => caps::of_plan(run, plan_id, plan, &mut paying),
        }
    }
    let mut draft = paying.draft;
    draft.plans = plan_names;
    draft.components = component_names;
    run.row_count = draft.rows.len();
    run.earnings = draft;
}

/// What to look at in each version of a plan.
fn report_lint(run: &mut Run<'_>, plan_id: &str, versions: &[&Plan]) {
    for version in versions {
        let from = version.from.filter(|_| versions.len() > 1).map_or(String::new(), |day| format!(" from {day}"));
        for own in lint(version) {
            run.findings.add(own.severity, own.code, "plans", &format!("{plan_id}{from}, {}", own.place), own.message);
        }
    }
}

/// What the stage has made so far, and by what it finds its way in it.
struct Paying<'a> {
    plans: &'a Names,
    components: &'a Names,
    leaves: Leaves,
    parameters: Parameters,
    settled: Vec<bool>,
    draft: Earnings,
    earned: Earned,
    reports: Reports,
}

impl Paying<'_> {
    /// What is meant by `earned`, seen from a component of a plan.
    fn asked<'e>(&self, earned: &'e EarnedOf, plan: u32) -> Asked<'e> {
        let meant = self.earned.meant(earned, plan, self.plans, self.components);
        let meant = meant.into_iter().map(|codes| (codes, self.earned.is_by_transaction(&self.draft.rows, codes))).collect();
        Asked { earned, meant }
    }

    /// What was earned in periods `from..=until`, whose last day is `day`; with a transaction, from that one where earnings are of one.
    fn sum(&mut self, run: &mut Run<'_>, asked: &Asked<'_>, payee: u32, (from, until): (usize, usize), day: i32, transaction: u32) -> i64 {
        let book = Arc::clone(&run.book);
        let mut sum = 0i64;
        for at in from..=until {
            let day = if at == until { day } else { book.calendar.periods[at].until.0 - 1 };
            for own in self.reports.of(&book, &mut run.findings, payee, day, asked.earned.of) {
                for (codes, by_transaction) in &asked.meant {
                    let transaction = if *by_transaction { transaction } else { NULL_CODE };
                    sum = sum.saturating_add(self.earned.sum(&self.draft.rows, *codes, own, (at, at), transaction));
                }
            }
        }
        sum
    }

    /// What is meant by `earned` in each row of a component: over its span up to and with the period, or of its own transaction.
    fn earned_of(&mut self, run: &mut Run<'_>, subject: &Subject<'_>, plan: u32, earned: &EarnedOf, rows: &Rows) -> Vec<i64> {
        let component = subject.component;
        let spans = spans(&run.book, component.accumulate);
        let asked = self.asked(earned, plan);
        let mut values = Vec::with_capacity(rows.len());
        for row in 0..rows.len() {
            let period = rows.period[row] as usize;
            let is_credit = rows.transaction[row] != NULL_CODE && !component.stacked;
            let from = if is_credit { period } else { first_counted(&run.book, spans[period].0, component.accumulate, subject.part.since) };
            let transaction = if is_credit { rows.transaction[row] } else { NULL_CODE };
            values.push(self.sum(run, &asked, rows.payee[row], (from, period), rows.day[row], transaction));
        }
        values
    }

    /// Of a component that pays what was earned: what was earned before each row's period in its span. The period before may have been
    /// paid by another part of the component.
    fn earned_before(
        &mut self,
        run: &mut Run<'_>,
        own: (&Subject<'_>, &BTreeMap<u32, Stay>, u32),
        earned: &EarnedOf,
        rows: &Rows,
    ) -> Vec<i64> {
        let (subject, payees, plan) = own;
        let component = subject.component;
        let spans = spans(&run.book, component.accumulate);
        let asked = self.asked(earned, plan);
        let mut values = Vec::with_capacity(rows.len());
        for row in 0..rows.len() {
            let (payee, period) = (rows.payee[row], rows.period[row] as usize);
            let from = first_counted(&run.book, spans[period].0, component.accumulate, subject.part.since);
            let assignments = payees.get(&payee).map_or(&[][..], |stay| stay.assignments.as_slice());
            let last = (from..period).rev().find_map(|at| Some((at, last_assigned(assignments, &run.book, at)?.0)));
            values.push(match last {
                Some((at, _)) if row > 0 && rows.payee[row - 1] == payee && rows.period[row - 1] as usize == at => rows.to_date[row - 1],
                Some((at, day)) => self.sum(run, &asked, payee, (from, at), day, NULL_CODE),
                None => 0,
            });
        }
        values
    }
}

/// An earning that is looked at: the components meant, and of each whether it pays every credit by itself.
struct Asked<'a> {
    earned: &'a EarnedOf,
    meant: Vec<((u32, u32), bool)>,
}

/// For each period whether it gets a statement.
pub fn settled_periods(inputs: &Inputs, book: &Book) -> Vec<bool> {
    let periods = book.calendar.periods.iter();
    periods.map(|period| inputs.periods.as_ref().is_none_or(|wanted| wanted.contains(&period.id))).collect()
}

/// Credit of payees who are on no plan on its day.
fn report_unassigned(run: &mut Run<'_>, assignments: &BTreeMap<String, BTreeMap<u32, Vec<Assignment>>>) {
    let book = &run.book;
    let mut days: BTreeMap<u32, Vec<(i32, i32)>> = BTreeMap::new();
    for (payee, list) in assignments.values().flatten() {
        days.entry(*payee).or_default().extend(list.iter().map(|assignment| (assignment.from, assignment.until)));
    }
    let first = book.calendar.periods.first().map_or(0, |period| period.from.0);
    let end = book.calendar.periods.last().map_or(0, |period| period.until.0);
    for payee in 0..book.payees.len() {
        let days = days.get(&(payee as u32)).map_or(&[][..], Vec::as_slice);
        let lines = run.credits.of_payee(payee);
        let count = if days.is_empty() {
            lines.len()
        } else if days.iter().any(|(from, until)| *from <= first && end <= *until) {
            0
        } else {
            let unassigned = |line: &usize| {
                let transaction = run.credits.base.transaction[run.credits.lines[*line] as usize];
                let day = book.transactions.tested_on[transaction as usize];
                !days.iter().any(|(from, until)| *from <= day && day < *until)
            };
            lines.filter(unassigned).count()
        };
        if count > 0 {
            let message = format!("{count} credits fall on days on which the payee is on no plan");
            run.findings.add(Severity::Info, "unassigned-credit", "payees", book.payees.get(payee as u32), message);
        }
    }
}

/// A part of a component with the rows that it pays.
pub struct PartRows<'a> {
    pub subject: Subject<'a>,
    pub looks: Looks,
    pub payees: &'a BTreeMap<u32, Stay>,
    pub rows: Rows,
}

/// Pays one component: each of its parts by itself, then what is about all of them together.
fn earn(run: &mut Run<'_>, plan_id: &str, line: &Line, paying: &mut Paying<'_>) {
    let codes = (paying.plans.code(plan_id), paying.components.code(&line.component_id));
    let record = format!("{plan_id}, {}", line.component_id);
    let first = paying.draft.rows.len();
    let (leaves, parameters, settled) =
        (std::mem::take(&mut paying.leaves), std::mem::take(&mut paying.parameters), std::mem::take(&mut paying.settled));
    let mut parts: Vec<PartRows<'_>> = Vec::with_capacity(line.parts.len());
    for place in 0..line.parts.len() {
        let Some((subject, looks)) = resolve(run, plan_id, line, place, &leaves, &settled, &record) else { continue };
        let payees = &line.stays[place];
        let mut rows = build(run, &subject, payees, &parameters);
        add_earnings(run, &subject, payees, codes.0, paying, &mut rows);
        parts.push(PartRows { subject, looks, payees, rows });
    }
    groups::rank(run, &mut parts);
    groups::pool(run, &mut parts);
    for PartRows { subject, looks, rows, .. } in &mut parts {
        rates::fill(run, subject, rows);
        modify::hurdle(subject.component, rows);
        ask(run, subject, looks, rows, codes, &record, paying);
    }
    drop(parts);
    (paying.leaves, paying.parameters, paying.settled) = (leaves, parameters, settled);
    let draft = &mut paying.draft;
    slices::sort(draft, first);
    modify::floors(line, first, draft);
    modify::once(run, line, first, draft);
    caps::true_up_and_cap(run, line, &record, first, draft);
    slices::join(draft, first, line);
    paying.earned.add(codes.0, codes.1, first..draft.rows.len());
}

/// A part with its names resolved; `None` where one of them is not known, which is told.
fn resolve<'a>(
    run: &mut Run<'_>,
    plan_id: &'a str,
    line: &'a Line,
    place: usize,
    leaves: &'a Leaves,
    settled: &'a [bool],
    record: &str,
) -> Option<(Subject<'a>, Looks)> {
    let part = &line.parts[place];
    let component = &part.component;
    let mut find = |id: &str| {
        let found = run.measures.find(id);
        if found.is_none() {
            let message = format!("there is no measure `{id}`; add it to `company.toml` or correct the component");
            run.findings.add(Severity::Error, "measure-missing", "plans", record, message);
        }
        found
    };
    let measure = if component.earnings.is_some() { NO_MEASURE } else { find(&component.measure)? };
    let quota = match &component.quota {
        None => None,
        Some(id) => Some(find(id)?),
    };
    let inputs = component.inputs.values().map(|id| find(id)).collect::<Option<Vec<usize>>>()?;
    let looks = Looks::new(component, find)?;
    let until = settled.iter().rposition(|settled| *settled).map_or(0, |last| last + 1);
    let facts = looks.of.clone();
    Some((Subject { plan_id, component, part, place, leaves, measure, quota, inputs, facts, until, settled }, looks))
}

/// What rows have of earnings beside their own measures.
fn add_earnings(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    payees: &BTreeMap<u32, Stay>,
    plan_code: u32,
    paying: &mut Paying<'_>,
    rows: &mut Rows,
) {
    let component = subject.component;
    if let Some(earned) = &component.earnings {
        rows.to_date = paying.earned_of(run, subject, plan_code, earned, rows);
        rows.prior = vec![0; rows.len()];
        if !component.true_up {
            rows.prior = paying.earned_before(run, (subject, payees, plan_code), earned, rows);
        }
    }
    for (name, uses) in &component.uses {
        let values = paying.earned_of(run, subject, plan_code, &uses.earned(), rows);
        rows.inputs.push((name.clone(), values));
    }
}

/// Asks the extension what the rows of a part earn, and adds the answers to the draft.
fn ask(run: &mut Run<'_>, subject: &Subject<'_>, looks: &Looks, rows: &Rows, codes: (u32, u32), record: &str, paying: &mut Paying<'_>) {
    let component = subject.component;
    let (Some(step), Some(wide_step)) =
        (from_decimal(component.rounding.step, MONEY_SCALE), from_decimal(component.rounding.step, RATE_SCALE))
    else {
        run.findings.add(Severity::Error, "rounding-step", "plans", record, "the rounding step has more than four digits; shorten it");
        return;
    };
    let settings = component.settings_with(&subject.part.tables);
    let rounding = Table::new("rounding")
        .with("mode", Column::text(&[Some(mode_name(component.rounding.mode))]))
        .with("step", Column::rate(vec![wide_step]));
    let Some(extension) = run.extension(Point::Compensation, &component.formula) else { return };
    let draft = &mut paying.draft;
    let first = draft.rows.len();
    let mut scratch = Scratch::default();
    for start in (0..rows.len()).step_by(BATCH_ROWS) {
        let range = start..(start + BATCH_ROWS).min(rows.len());
        let input = [rows.table(run, range.clone(), &mut scratch), rounding.clone()];
        let answer = extension.run(&Call { settings: &settings, input: &input }).and_then(|answer| {
            check_answer(Point::Compensation.contract(), &answer.tables)?;
            Ok(answer)
        });
        let read = answer.and_then(|answer| {
            run.account_for(Point::Compensation, &component.formula, 1, answer.fuel_used);
            read(&answer, rows, range, step, codes, draft)
        });
        match read {
            Ok(unexplained) => {
                for row in unexplained {
                    let record = format!(
                        "{}, {}, {record}",
                        run.book.payees.get(rows.payee[row]),
                        run.book.calendar.periods[rows.period[row] as usize].id
                    );
                    let message = format!("the slices of `{}` do not add up to its amount", component.formula);
                    run.findings.add(Severity::Warning, "slices-unexplained", "earnings", &record, message);
                }
            }
            Err(fault) => {
                run.findings.push(fault_finding(&component.formula, &fault));
                draft.rows.truncate(first);
                draft.slices.retain(|slice| (slice.earning as usize) < first);
                return;
            }
        }
    }
    let code = |id: &str| paying.components.code(id);
    let judging = Judging { component, since: subject.part.since, looks, rows, earned: &paying.earned, plan: codes.0, code: &code };
    modify::results(run, &judging, first, draft);
}

/// Takes over the answer for rows `range`. Returns the rows whose slices do not add up to their amount.
fn read(
    answer: &Answer,
    rows: &Rows,
    range: std::ops::Range<usize>,
    step: i64,
    codes: (u32, u32),
    draft: &mut Earnings,
) -> Result<Vec<usize>, Fault> {
    let invalid = |message: String| Fault::new(FaultKind::InvalidAnswer, message);
    let numbers = |table: &str, column: &str| {
        let found = answer.table(table).and_then(|table| table.numbers(column));
        found.ok_or_else(|| invalid(format!("the answer has no column `{column}` in table `{table}`")))
    };
    let count = range.len();
    let (row_numbers, answered) = (numbers("earnings", "row")?, numbers("earnings", "amount")?);
    let mut amounts = vec![NULL_NUMBER; count];
    for (row, amount) in row_numbers.iter().zip(answered) {
        let slot = usize::try_from(*row).ok().and_then(|row| amounts.get_mut(row));
        let Some(slot) = slot else { return Err(invalid(format!("an earning is for row {row}, there are {count} rows"))) };
        if *slot != NULL_NUMBER {
            return Err(invalid(format!("there are two earnings for row {row}")));
        }
        if !(-AMOUNT_MAX..=AMOUNT_MAX).contains(amount) {
            return Err(invalid(format!("the earning for row {row} has no amount or one that cannot be")));
        }
        if step > 0 && amount % step != 0 {
            let (amount, step) = (attain_domain::fixed::format(*amount, MONEY_SCALE), attain_domain::fixed::format(step, MONEY_SCALE));
            return Err(invalid(format!("the earning for row {row} is {amount}, no multiple of the rounding step {step}")));
        }
        *slot = *amount;
    }
    if let Some(row) = amounts.iter().position(|amount| *amount == NULL_NUMBER) {
        return Err(invalid(format!("there is no earning for row {row}")));
    }
    let first = draft.rows.len();
    for (amount, row) in amounts.iter().zip(range.clone()) {
        draft.rows.push(Earning {
            payee: rows.payee[row],
            period: rows.period[row],
            origin: rows.period[row],
            plan: codes.0,
            component: codes.1,
            kind: EarningKind::Formula,
            transaction: rows.transaction[row],
            prior: rows.prior[row],
            to_date: rows.to_date[row],
            quota: rows.quota[row],
            attainment: rows.attainment(row),
            target: rows.target[row],
            formula_amount: *amount,
            result: *amount,
            amount: *amount,
            withheld: 0,
            slice: rows.slice[row],
        });
    }
    let (slice_rows, inputs, rates, slice_amounts) =
        (numbers("slices", "row")?, numbers("slices", "input")?, numbers("slices", "rate")?, numbers("slices", "amount")?);
    let labels =
        answer.table("slices").and_then(|table| table.texts("label")).ok_or_else(|| invalid("the slices have no labels".to_owned()))?;
    let label_codes: Vec<u32> = labels.dictionary.iter().map(|label| draft.label(label)).collect();
    let no_label = draft.label("");
    let mut sums: Vec<Option<i128>> = vec![None; count];
    for at in 0..slice_rows.len() {
        let row = usize::try_from(slice_rows[at]).ok().filter(|row| *row < count);
        let Some(row) = row else { return Err(invalid(format!("slice {at} is for row {}, there are {count} rows", slice_rows[at]))) };
        if slice_amounts[at] == NULL_NUMBER {
            return Err(invalid(format!("slice {at} has no amount")));
        }
        sums[row] = Some(sums[row].unwrap_or(0) + i128::from(slice_amounts[at]));
        let label = label_codes.get(labels.codes[at] as usize).copied().unwrap_or(no_label);
        draft.slices.push(SliceRow { earning: (first + row) as u32, label, input: inputs[at], rate: rates[at], amount: slice_amounts[at] });
    }
    // Slices are cut to eight digits each; more than a step and a trifle apart they explain nothing.
    let allowed = i128::from(step.max(1)) * 10_000 + 1_000;
    let unexplained = sums.iter().zip(&amounts).enumerate().filter_map(|(row, (sum, amount))| {
        let difference = (*sum)? - i128::from(*amount) * 10_000;
        (difference.abs() > allowed).then_some(range.start + row)
    });
    Ok(unexplained.collect())
}
