//! Stage 5: asks the compensation extensions what each payee earns, checks the answers, subtracts what was already earned
//! where a component is trued up, and applies caps.

mod modify;
mod together;

use crate::book::Book;
use crate::cap::{Limit, Running};
use crate::credit::mode_name;
use crate::credits::Scratch;
use crate::earned::{Earned, Reports};
use crate::earning_rows::{NO_MEASURE, Rows, Slice, Subject, build};
use crate::lookup::Step;
use crate::names::Names;
use crate::order::{Pay, order};
use crate::relief::Leaves;
use crate::spans::{Assignment, Parameters, parameters, spans};
use crate::terms::{Line, PlanTerms, Terms};
use crate::{Inputs, Run, fault_finding, rates, slices};
use attain_domain::component::EarnedOf;
use attain_domain::fixed::{from_decimal, split};
use attain_domain::lint::lint;
use attain_domain::plan::{Cap, Component, Plan};
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
    fn credited(&self) -> i64 {
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
    let terms = Terms::new(run.inputs, &run.book, &mut run.findings);
    let parameters = parameters(run.inputs, &run.book);
    let leaves = Leaves::new(run.inputs, &run.book);
    let settled = settled_periods(run.inputs, &run.book);
    for plan in &terms.missing {
        let message = "payees are assigned to it, but there is no such plan; add it or correct the assignments";
        run.findings.add(Severity::Warning, "plan-missing", "plan_assignments", plan, message);
    }
    report_unassigned(run, &terms.assignments);
    let mut plans: Vec<&Plan> = run.inputs.plans.iter().collect();
    plans.sort_by(|left, right| (&left.id, left.from).cmp(&(&right.id, right.from)));
    let plan_ids: BTreeSet<&str> = plans.iter().map(|plan| plan.id.as_str()).collect();
    let plan_names = Names(plan_ids.into_iter().map(str::to_owned).collect());
    let components: BTreeSet<&str> = plans.iter().flat_map(|plan| plan.components.iter().map(|component| component.id.as_str())).collect();
    let component_names = Names(components.into_iter().map(str::to_owned).collect());
    for plan in &plans {
        for own in lint(plan) {
            run.findings.add(own.severity, own.code, "plans", &format!("{}, {}", plan.id, own.place), own.message);
        }
    }
    let all: Vec<(&String, &PlanTerms)> = terms.plans.iter().collect();
    let whole: Vec<Plan> = all.iter().map(|(id, own)| own.whole(id)).collect();
    let mut paying = Paying::of(&plan_names, &component_names);
    for step in order(&whole.iter().collect::<Vec<_>>(), &mut run.findings) {
        match step {
            Pay::Component(plan, component) => {
                let (plan_id, plan) = all[plan];
                let line = &plan.lines[component];
                let codes = (plan_names.code(plan_id), component_names.code(&line.component_id));
                let first = paying.draft.rows.len();
                earn(run, (plan_id, plan), line, codes, &leaves, &parameters, &settled, &mut paying);
                paying.earned.add(codes.0, codes.1, first..paying.draft.rows.len());
            }
            Pay::Caps(plan) => cap_plan(run, all[plan].0, all[plan].1, &mut paying),
        }
    }
    let mut draft = paying.draft;
    draft.plans = plan_names;
    draft.components = component_names;
    run.terms = Arc::new(terms);
    run.row_count = draft.rows.len();
    run.earnings = draft;
}

/// What the stage has made so far, and by what it finds its way in it.
struct Paying<'a> {
    plans: &'a Names,
    components: &'a Names,
    draft: Earnings,
    earned: Earned,
    reports: Reports,
}

impl<'a> Paying<'a> {
    fn of(plans: &'a Names, components: &'a Names) -> Paying<'a> {
        Paying { plans, components, draft: Earnings::default(), earned: Earned::default(), reports: Reports::default() }
    }

    /// What is meant by `earned` in each row of a component: over its span up to and with the period, or of its own transaction.
    fn earned_of(&mut self, run: &mut Run<'_>, component: &Component, plan: u32, earned: &EarnedOf, rows: &Rows) -> Vec<i64> {
        self.earned_up_to(run, component, plan, earned, rows, 1)
    }

    /// As [`Paying::earned_of`], of the periods before the row's own where `own_periods` is 0.
    fn earned_up_to(
        &mut self,
        run: &mut Run<'_>,
        component: &Component,
        plan: u32,
        earned: &EarnedOf,
        rows: &Rows,
        own_periods: usize,
    ) -> Vec<i64> {
        let spans = spans(&run.book, component.accumulate);
        let meant = self.earned.meant(earned, plan, self.plans, self.components);
        let by_transaction: Vec<bool> = meant.iter().map(|codes| self.earned.is_by_transaction(&self.draft.rows, *codes)).collect();
        let book = std::sync::Arc::clone(&run.book);
        let mut values = Vec::with_capacity(rows.len());
        for row in 0..rows.len() {
            let (payee, period) = (rows.payee[row], rows.period[row] as usize);
            let is_credit = rows.transaction[row] != NULL_CODE && !component.stacked;
            let mut sum = 0i64;
            for at in if is_credit { period } else { spans[period].0 }..period + own_periods {
                let day = if at == period { rows.day[row] } else { book.calendar.periods[at].until.0 - 1 };
                for own in self.reports.of(&book, &mut run.findings, payee, day, earned.of) {
                    for (codes, by_transaction) in meant.iter().zip(&by_transaction) {
                        let transaction = if is_credit && *by_transaction { rows.transaction[row] } else { NULL_CODE };
                        sum = sum.saturating_add(self.earned.sum(&self.draft.rows, *codes, own, (at, at), transaction));
                    }
                }
            }
            values.push(sum);
        }
        values
    }
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

/// One part of a component, ready to be asked for: what it is about and its rows.
struct Built<'a> {
    place: usize,
    subject: Subject<'a>,
    looks: Looks,
    /// The rounding step as money and as a rate.
    steps: (i64, i64),
    rows: Rows,
}

/// Pays a component in all its forms.
#[expect(clippy::too_many_arguments, reason = "one call, from the loop over components")]
fn earn(
    run: &mut Run<'_>,
    (plan_id, plan): (&str, &PlanTerms),
    line: &Line,
    codes: (u32, u32),
    leaves: &Leaves,
    parameters: &Parameters,
    settled: &[bool],
    paying: &mut Paying<'_>,
) {
    let record = format!("{plan_id}, {}", line.component_id);
    let mut parts: Vec<Built<'_>> = Vec::with_capacity(line.parts.len());
    for place in 0..line.parts.len() {
        let Some(mut built) = prepare(run, plan_id, line, place, leaves, parameters, settled) else { return };
        add_earnings(run, line, &mut built, codes.0, paying);
        parts.push(built);
    }
    together::add(run, line, &mut parts);
    let first = paying.draft.rows.len();
    for mut built in parts {
        let document = &plan.documents[line.parts[built.place].document];
        rates::fill(run, document, &built.subject, &mut built.rows);
        modify::hurdle(built.subject.component, &mut built.rows);
        if !ask(run, document, &built, &record, codes, paying) {
            return;
        }
    }
    let draft = &mut paying.draft;
    slices::sort(draft, first);
    modify::once(run, line, first, draft);
    true_up_and_cap(run, line, &record, first, draft);
    slices::join(draft, first, line);
}

/// The measures of a part and its rows; `None` where it cannot be paid, which is found.
fn prepare<'a>(
    run: &mut Run<'_>,
    plan_id: &'a str,
    line: &'a Line,
    place: usize,
    leaves: &'a Leaves,
    parameters: &Parameters,
    settled: &'a [bool],
) -> Option<Built<'a>> {
    let part = &line.parts[place];
    let component = &part.component;
    let record = format!("{plan_id}, {}", component.id);
    let find = |run: &mut Run<'_>, id: &str| {
        let found = run.measures.find(id);
        if found.is_none() {
            run.findings.add(
                Severity::Error,
                "measure-missing",
                "plans",
                &record,
                format!("there is no measure `{id}`; add it to `company.toml` or correct the component"),
            );
        }
        found
    };
    let measure = match &component.earnings {
        Some(_) => NO_MEASURE,
        None => find(run, &component.measure)?,
    };
    let quota = match &component.quota {
        None => None,
        Some(id) => Some(find(run, id)?),
    };
    let mut inputs = Vec::with_capacity(component.inputs.len());
    for id in component.inputs.values() {
        inputs.push(find(run, id)?);
    }
    let looks = Looks::new(component, |id| find(run, id))?;
    let (Some(step), Some(wide_step)) =
        (from_decimal(component.rounding.step, MONEY_SCALE), from_decimal(component.rounding.step, RATE_SCALE))
    else {
        run.findings.add(Severity::Error, "rounding-step", "plans", &record, "the rounding step has more than four digits; shorten it");
        return None;
    };
    let until = settled.iter().rposition(|settled| *settled).map_or(0, |last| last + 1);
    let facts = looks.of.clone();
    let subject = Subject { plan_id, component, part, place, leaves, measure, quota, inputs, facts, until, settled };
    let rows = build(run, &subject, &line.stays[place], parameters);
    Some(Built { place, subject, looks, steps: (step, wide_step), rows })
}

/// What rows have of the earnings of others and of other components.
fn add_earnings(run: &mut Run<'_>, line: &Line, built: &mut Built<'_>, plan: u32, paying: &mut Paying<'_>) {
    let component = built.subject.component;
    let rows = &mut built.rows;
    if let Some(earned) = &component.earnings {
        rows.to_date = paying.earned_of(run, component, plan, earned, rows);
        let earlier = if component.true_up { Vec::new() } else { paying.earned_up_to(run, component, plan, earned, rows, 0) };
        let spans = spans(&run.book, component.accumulate);
        for row in 0..rows.len() {
            let (payee, period) = (rows.payee[row], rows.period[row] as usize);
            let goes_on = row > 0 && rows.payee[row - 1] == payee && spans[rows.period[row - 1] as usize].0 == spans[period].0;
            let periods = &run.book.calendar.periods;
            // The row before it may be of another part.
            let was_other = !goes_on
                && line.stays[built.place]
                    .get(&payee)
                    .is_some_and(|stay| stay.was_other(built.place, periods[spans[period].0].from.0, &periods[period]));
            rows.prior[row] = match (component.true_up, goes_on, was_other) {
                (false, true, _) => rows.to_date[row - 1],
                (false, false, true) => earlier[row],
                _ => 0,
            };
        }
    }
    for (name, uses) in &component.uses {
        let earned = uses.earned();
        let values = paying.earned_of(run, component, plan, &earned, rows);
        rows.inputs.push((name.clone(), values));
    }
}

/// Asks the extension what the rows of a part pay. Whether it could be asked.
fn ask(run: &mut Run<'_>, plan: &Plan, built: &Built<'_>, record: &str, codes: (u32, u32), paying: &mut Paying<'_>) -> bool {
    let (component, rows) = (built.subject.component, &built.rows);
    let draft = &mut paying.draft;
    let settings = plan.settings_of(component);
    let rounding = Table::new("rounding")
        .with("mode", Column::text(&[Some(mode_name(component.rounding.mode))]))
        .with("step", Column::rate(vec![built.steps.1]));
    let Some(extension) = run.extension(Point::Compensation, &component.formula) else { return false };
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
            read(&answer, rows, range, built.steps.0, codes, draft)
        });
        match read {
            Ok(unexplained) => {
                for row in unexplained {
                    let record = format!(
                        "{}, {}, {record}",
                        run.book.payees.get(rows.payee[row]),
                        run.book.calendar.periods[rows.period[row] as usize].id
                    );
                    run.findings.add(
                        Severity::Warning,
                        "slices-unexplained",
                        "earnings",
                        &record,
                        format!("the slices of `{}` do not add up to its amount", component.formula),
                    );
                }
            }
            Err(fault) => {
                run.findings.push(fault_finding(&component.formula, &fault));
                draft.rows.truncate(first);
                draft.slices.retain(|slice| (slice.earning as usize) < first);
                return false;
            }
        }
    }
    let code = |id: &str| paying.components.code(id);
    let judging = Judging { component, looks: &built.looks, rows, earned: &paying.earned, plan: codes.0, code: &code };
    let results = modify::results(run, &judging, first, draft);
    for (row, result) in draft.rows[first..].iter_mut().zip(results) {
        row.amount = result;
    }
    true
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

/// The rows from `first` on are those of one component, in order of payee, period and slice, with their results as amounts.
fn true_up_and_cap(run: &mut Run<'_>, line: &Line, record: &str, first: usize, draft: &mut Earnings) {
    let components: Vec<&Component> = line.parts.iter().map(|part| &part.component).collect();
    let spans: Vec<Vec<(usize, usize)>> = components.iter().map(|own| spans(&run.book, own.accumulate)).collect();
    let limits: Vec<Option<Limit<'_>>> = components
        .iter()
        .map(|own| own.cap.as_ref().map(|cap| Limit::new(cap, Step::new(&own.rounding), &run.book)))
        .collect();
    let mut running = Running::default();
    let mut before: Option<(u32, usize, i32, i64)> = None;
    let mut payee = None;
    let mut without_basis = false;
    for index in first..draft.rows.len() {
        let row = draft.rows[index];
        let part = row.slice.part as usize;
        if payee != Some(row.payee) {
            running = Running::default();
            payee = Some(row.payee);
        }
        let result = row.amount;
        let mut amount = result;
        if components[part].true_up {
            let span = spans[part][row.period as usize].0;
            if let Some((own, known, since, earned)) = before
                && own == row.payee
                && known == span
                && since == row.slice.since
            {
                amount -= earned;
                draft.explain(index as u32, "already earned", -earned);
            }
            before = Some((row.payee, span, row.slice.since, result));
        }
        if let Some(limit) = &limits[part] {
            let (quota, target, credited) = slices::basis(draft, first, index, components[part]);
            let most = limit.amount(quota, target, credited);
            without_basis |= most.is_none();
            if limit.is_refundable() {
                let given = limit.refund(&mut running, row.period as usize, amount, most);
                draft.rows[index].withheld = amount - given;
            } else {
                let given = limit.apply(&mut running, row.period as usize, amount, most);
                draft.explain(index as u32, "cap", given - amount);
                amount = given;
            }
        }
        draft.rows[index].amount = amount;
    }
    if without_basis {
        run.findings.add(
            Severity::Warning,
            "cap-without-basis",
            "plans",
            record,
            "for some payees there is nothing that the cap is a share of; they are not capped",
        );
    }
}

/// Applies the caps of some components and then that of the plan, each as it stands in the document in force on the payee's last day in
/// a period.
fn cap_plan(run: &mut Run<'_>, plan_id: &str, plan: &PlanTerms, paying: &mut Paying<'_>) {
    let code = paying.plans.code(plan_id);
    let mut of_some: Vec<&Vec<String>> = Vec::new();
    for cap in plan.documents.iter().flat_map(|own| &own.caps) {
        if !of_some.contains(&&cap.components) {
            of_some.push(&cap.components);
        }
    }
    for components in of_some {
        let codes: Vec<u32> = components.iter().map(|id| paying.components.code(id)).collect();
        let rows = paying.earned.rows(code).filter(|(component, _)| codes.contains(component)).flat_map(|(_, rows)| rows).collect();
        let caps: Vec<Option<Cap>> =
            plan.documents.iter().map(|own| own.caps.iter().find(|cap| cap.components == *components).map(|cap| cap.cap())).collect();
        cap_together(run, (plan_id, plan), &caps, &format!("cap on {}", components.join(", ")), rows, &mut paying.draft);
    }
    if plan.documents.iter().any(|own| own.cap.is_some()) {
        let rows = paying.earned.rows(code).flat_map(|(_, rows)| rows).collect();
        let caps: Vec<Option<Cap>> = plan.documents.iter().map(|own| own.cap.clone()).collect();
        cap_together(run, (plan_id, plan), &caps, "plan cap", rows, &mut paying.draft);
    }
}

/// Applies a cap, given for each document, to the sum of rows of several components. What is cut is shared out by amount.
fn cap_together(
    run: &mut Run<'_>,
    (plan_id, plan): (&str, &PlanTerms),
    caps: &[Option<Cap>],
    label: &str,
    mut order: Vec<usize>,
    draft: &mut Earnings,
) {
    let book = Arc::clone(&run.book);
    let limits: Vec<Option<(Limit<'_>, Step)>> = plan
        .documents
        .iter()
        .zip(caps)
        .map(|(own, cap)| {
            let step = Step::new(&own.components.first().map(|own| own.rounding).unwrap_or_default());
            Some((Limit::new(cap.as_ref()?, step, &book), step))
        })
        .collect();
    let limit_of = |row: &Earning| {
        let document = plan.document_in(row.payee, &book.calendar.periods[row.period as usize])?;
        limits[document].as_ref()
    };
    order.sort_unstable();
    let key = |row: &Earning| {
        let is_alone = limit_of(row).is_some_and(|(limit, _)| limit.is_per_transaction());
        (row.payee, row.period, if is_alone { row.transaction } else { 0 })
    };
    order.sort_by_key(|index| key(&draft.rows[*index]));
    let mut running = Running::default();
    let mut payee = None;
    let mut without_basis = false;
    let groups: Vec<Vec<usize>> =
        order.chunk_by(|left, right| key(&draft.rows[*left]) == key(&draft.rows[*right])).map(<[usize]>::to_vec).collect();
    for group in groups {
        let rows: Vec<Earning> = group.iter().map(|index| draft.rows[*index]).collect();
        if payee != Some(rows[0].payee) {
            running = Running::default();
            payee = Some(rows[0].payee);
        }
        let Some((limit, step)) = limit_of(&rows[0]) else { continue };
        let first_of = |value: fn(&Earning) -> i64| rows.iter().map(value).find(|value| *value != NULL_NUMBER).unwrap_or(NULL_NUMBER);
        let most = limit.amount(first_of(|row| row.quota), first_of(|row| row.target), first_of(Earning::credited));
        without_basis |= most.is_none();
        let total = rows.iter().fold(0i64, |sum, row| sum.saturating_add(row.amount));
        let cut = total - limit.apply(&mut running, rows[0].period as usize, total, most);
        let weights: Vec<i64> = rows.iter().map(|row| row.amount.max(0)).collect();
        let parts =
            if cut > 0 { split(cut, &weights, step.step) } else { split(cut, &[vec![1], vec![0; rows.len() - 1]].concat(), step.step) };
        for (index, part) in group.iter().zip(parts) {
            draft.rows[*index].amount -= part;
            draft.explain(*index as u32, label, -part);
        }
    }
    if without_basis {
        run.findings.add(
            Severity::Warning,
            "cap-without-basis",
            "plans",
            plan_id,
            "for some payees there is nothing that the cap is a share of; they are not capped",
        );
    }
}
