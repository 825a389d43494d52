//! Stage 5: asks the compensation extensions what each payee earns, checks the answers, subtracts what was already earned
//! where a component is trued up, and applies caps.

use crate::book::Book;
use crate::cap::{Limit, Running};
use crate::credit::mode_name;
use crate::credits::Scratch;
use crate::earning_rows::{Rows, Slice, Subject, build};
use crate::lookup::Step;
use crate::names::Names;
use crate::relief::Leaves;
use crate::slices;
use crate::spans::{Assignment, Parameters, parameters, spans};
use crate::terms::{Line, PlanTerms, Terms};
use crate::{Inputs, Run, fault_finding};
use attain_domain::fixed::{from_decimal, split};
use attain_domain::plan::Component;
use attain_domain::point::{Answer, Call, Fault, FaultKind, Point, check_answer};
use attain_domain::{Column, MONEY_SCALE, NULL_CODE, NULL_NUMBER, RATE_SCALE, Severity, Table};
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
    let plan_ids: BTreeSet<&str> = run.inputs.plans.iter().map(|plan| plan.id.as_str()).collect();
    let plan_names = Names(plan_ids.into_iter().map(str::to_owned).collect());
    let components: BTreeSet<&str> =
        run.inputs.plans.iter().flat_map(|plan| plan.components.iter().map(|component| component.id.as_str())).collect();
    let component_names = Names(components.into_iter().map(str::to_owned).collect());
    let mut draft = Earnings::default();
    for (plan_id, plan) in &terms.plans {
        let first = draft.rows.len();
        for line in &plan.lines {
            let codes = (plan_names.code(plan_id), component_names.code(&line.component_id));
            let start = draft.rows.len();
            for place in 0..line.parts.len() {
                earn(run, plan_id, line, place, codes, &leaves, &parameters, &settled, &mut draft);
            }
            slices::sort(&mut draft, start);
            let record = format!("{plan_id}, {}", line.component_id);
            true_up_and_cap(run, line, &record, start, &mut draft);
            slices::join(&mut draft, start, line);
        }
        cap_plan(run, plan_id, plan, first, &mut draft);
    }
    draft.plans = plan_names;
    draft.components = component_names;
    run.terms = Arc::new(terms);
    run.row_count = draft.rows.len();
    run.earnings = draft;
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

#[expect(clippy::too_many_arguments, reason = "one call, from the loop over the parts of components")]
fn earn(
    run: &mut Run<'_>,
    plan_id: &str,
    line: &Line,
    place: usize,
    codes: (u32, u32),
    leaves: &Leaves,
    parameters: &Parameters,
    settled: &[bool],
    draft: &mut Earnings,
) {
    let (part, payees) = (&line.parts[place], &line.stays[place]);
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
    let Some(measure) = find(run, &component.measure) else { return };
    let quota = match &component.quota {
        None => None,
        Some(id) => match find(run, id) {
            None => return,
            found => found,
        },
    };
    let mut inputs = Vec::with_capacity(component.inputs.len());
    for id in component.inputs.values() {
        match find(run, id) {
            None => return,
            Some(found) => inputs.push(found),
        }
    }
    let (Some(step), Some(wide_step)) =
        (from_decimal(component.rounding.step, MONEY_SCALE), from_decimal(component.rounding.step, RATE_SCALE))
    else {
        run.findings.add(Severity::Error, "rounding-step", "plans", &record, "the rounding step has more than four digits; shorten it");
        return;
    };
    let until = settled.iter().rposition(|settled| *settled).map_or(0, |last| last + 1);
    let subject = Subject { plan_id, component, part, place, leaves, measure, quota, inputs, until, settled };
    let rows = build(run, &subject, payees, parameters);
    let rounding = Table::new("rounding")
        .with("mode", Column::text(&[Some(mode_name(component.rounding.mode))]))
        .with("step", Column::rate(vec![wide_step]));
    let Some(extension) = run.extension(Point::Compensation, &component.formula) else { return };
    let first = draft.rows.len();
    let mut scratch = Scratch::default();
    for start in (0..rows.len()).step_by(BATCH_ROWS) {
        let range = start..(start + BATCH_ROWS).min(rows.len());
        let input = [rows.table(run, range.clone(), &mut scratch), rounding.clone()];
        let answer = extension.run(&Call { settings: &component.settings, input: &input }).and_then(|answer| {
            check_answer(Point::Compensation.contract(), &answer.tables)?;
            Ok(answer)
        });
        let read = answer.and_then(|answer| {
            run.account_for(Point::Compensation, &component.formula, 1, answer.fuel_used);
            read(&answer, &rows, range, step, codes, draft)
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
                return;
            }
        }
    }
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

/// The rows from `first` on are those of one component, in order of payee, period and slice.
fn true_up_and_cap(run: &mut Run<'_>, line: &Line, record: &str, first: usize, draft: &mut Earnings) {
    let components: Vec<&Component> = line.parts.iter().map(|part| &part.component).collect();
    let spans: Vec<Vec<(usize, usize)>> = components.iter().map(|own| spans(&run.book, own.accumulate)).collect();
    let limits: Vec<Option<Limit<'_>>> =
        components.iter().map(|own| own.cap.as_ref().map(|cap| Limit::new(cap, Step::new(&own.rounding), &run.book))).collect();
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
        let mut amount = row.formula_amount;
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
            before = Some((row.payee, span, row.slice.since, row.formula_amount));
        }
        if let Some(limit) = &limits[part] {
            let (quota, target) = slices::basis(draft, first, index, components[part]);
            let most = limit.amount(quota, target);
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

/// Applies a plan's cap to the sum of its components, which are the rows from `first` on. What is cut is shared out by amount.
fn cap_plan(run: &mut Run<'_>, plan_id: &str, plan: &PlanTerms, first: usize, draft: &mut Earnings) {
    if plan.documents.iter().all(|own| own.cap.is_none()) {
        return;
    }
    let book = Arc::clone(&run.book);
    let limits: Vec<Option<(Limit<'_>, Step)>> = plan
        .documents
        .iter()
        .map(|own| {
            let step = Step::new(&own.components.first().map(|own| own.rounding).unwrap_or_default());
            Some((Limit::new(own.cap.as_ref()?, step, &book), step))
        })
        .collect();
    // The cap of the document in force on the payee's last day in the period.
    let limit_of = |row: &Earning| {
        let document = plan.document_in(row.payee, &book.calendar.periods[row.period as usize])?;
        limits[document].as_ref()
    };
    let mut order: Vec<usize> = (first..draft.rows.len()).collect();
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
        let most = limit.amount(first_of(|row| row.quota), first_of(|row| row.target));
        without_basis |= most.is_none();
        let total = rows.iter().fold(0i64, |sum, row| sum.saturating_add(row.amount));
        let cut = total - limit.apply(&mut running, rows[0].period as usize, total, most);
        let weights: Vec<i64> = rows.iter().map(|row| row.amount.max(0)).collect();
        let parts =
            if cut > 0 { split(cut, &weights, step.step) } else { split(cut, &[vec![1], vec![0; rows.len() - 1]].concat(), step.step) };
        for (index, part) in group.iter().zip(parts) {
            draft.rows[*index].amount -= part;
            draft.explain(*index as u32, "plan cap", -part);
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
