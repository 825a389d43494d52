//! What a payee is paid, as she and those above her may see it: statements, lines, the home page, the team. Every use case
//! here asks the view first whether the caller may know of the payee and the period.

mod curve;
mod home;
mod lines;
mod statement;
mod team;

pub use curve::{Curve, CurvePoint, NextTier};
pub use home::{Bucket, ChangeItem, Changes, Home, MonthEarned, QuotaProgress, RecentCredit, ToDate};
pub(crate) use lines::credits_of;
pub use lines::{CreditLine, FormulaSource, Lines, PipelineItem, Rule};
pub use statement::{ComponentLine, PlanHead, SliceLine, Statement, StatementHead, Totals};
pub use team::{LeaderboardLine, PayeeHead, Team, TeamNode};

use crate::view::{CompanyView, RunView, View};
use crate::{access::Caller, shown_ms};
use attain_domain::table::{NULL_NUMBER, Table};
use attain_domain::{Day, MONEY_SCALE, fixed};
use serde::Serialize;
use utoipa::ToSchema;

/// Who a statement is for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayeeName {
    pub payee_id: String,
    pub name: String,
    pub title: Option<String>,
}

/// How fresh figures are, and how final.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AsOf {
    pub run_id: String,
    pub recorded_at: String,
    /// The day of the last transaction that the run knows.
    pub data_through: Option<String>,
    /// `calculated`, `published`
    pub state: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeriodSpan {
    pub period_id: String,
    pub from: String,
    /// The first day after it.
    pub until: String,
}

pub(crate) fn as_of(run: &RunView) -> AsOf {
    AsOf {
        run_id: run.run_id.clone(),
        recorded_at: shown_ms(run.recorded_at),
        data_through: run.data_through.map(|day| day.to_string()),
        state: if run.published_at.is_some() { "published" } else { "calculated" }.to_owned(),
    }
}

pub(crate) fn payee_name(company: &CompanyView, payee_id: &str, day: Day) -> PayeeName {
    PayeeName { payee_id: payee_id.to_owned(), name: company.name(payee_id).to_owned(), title: title(company, payee_id, day) }
}

/// The title of the payee's position on a day.
fn title(company: &CompanyView, payee_id: &str, day: Day) -> Option<String> {
    let seat = company.hierarchy.seat_on(payee_id, day)?;
    lookup(&company.company.tables["positions"], "position_id", seat, "title")
}

/// The value of `wanted` in the first row whose `key` is `value`.
pub(crate) fn lookup(table: &Table, key: &str, value: &str, wanted: &str) -> Option<String> {
    let keys = table.texts(key)?;
    let code = keys.dictionary.iter().position(|own| own == value)?;
    let row = (0..table.row_count()).find(|row| keys.codes[*row] as usize == code)?;
    table.column(wanted)?.show(row)
}

pub(crate) fn money(value: i64) -> String {
    fixed::format(value, MONEY_SCALE)
}

fn number(table: &Table, name: &str, row: usize) -> Option<i64> {
    table.numbers(name).and_then(|values| values.get(row)).copied().filter(|value| *value != NULL_NUMBER)
}

fn text<'a>(table: &'a Table, name: &str, row: usize) -> Option<&'a str> {
    table.texts(name).and_then(|column| column.get(row))
}

fn is_period(table: &Table, row: usize, period_id: &str) -> bool {
    text(table, "period_id", row) == Some(period_id)
}

/// Rows of a payee in one period.
fn rows_of<'a>(run: &'a RunView, name: &'static str, payee_id: &str, period_id: &'a str) -> impl Iterator<Item = (&'a Table, usize)> {
    let table = run.table(name);
    run.rows(name, payee_id).filter_map(move |row| table.filter(|table| is_period(table, row, period_id)).map(|table| (table, row)))
}

/// The name of a component as its plan's author calls it.
fn component_name(company: &crate::folder::Company, plan_id: &str, component_id: &str) -> String {
    let versions = company.plan_versions(plan_id);
    let component = versions.iter().rev().find_map(|file| file.plan.components.iter().find(|own| own.id == component_id));
    component.map(|own| own.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| component_id.to_owned())
}

/// A sum of one number over a payee's rows of the periods that pass.
fn sum(run: &RunView, table: &'static str, payee_id: &str, column: &str, passes: impl Fn(&str) -> bool) -> i64 {
    let Some(own) = run.table(table) else { return 0 };
    run.rows(table, payee_id)
        .filter(|row| text(own, "period_id", *row).is_some_and(&passes))
        .filter_map(|row| number(own, column, row))
        .fold(0i64, i64::saturating_add)
}

/// The periods that the caller may see of a payee, in order.
fn visible_periods<'a>(
    view: &'a View,
    caller: &Caller,
    payee_id: &str,
) -> Result<Vec<&'a attain_domain::calendar::Period>, crate::refusal::Refusal> {
    let visible = view.known_payee(caller, payee_id)?;
    Ok(view.company.calendar.periods.iter().filter(|period| visible.sees(payee_id, period.from, period.until)).collect())
}
