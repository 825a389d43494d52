//! Behind a line of a statement: the credits it adds up, the rule and the formula it was computed by; and the open pipeline.

use super::{ComponentLine, component_name, lookup, money, number, text};
use crate::access::Caller;
use crate::explain::Node;
use crate::refusal::Refusal;
use crate::runs::inputs_of;
use crate::view::{RunView, View};
use crate::{Instance, folder::Company};
use anyhow::Result;
use attain_domain::calendar::Calendar;
use attain_domain::plan::{Accumulate, Component};
use attain_domain::table::Table;
use attain_domain::{Day, NULL_NUMBER, RATE_SCALE, fixed};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One credit of a payee.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreditLine {
    pub transaction_id: String,
    /// The day that decided the period.
    pub on: Option<String>,
    pub account_id: Option<String>,
    pub account: Option<String>,
    pub product_id: Option<String>,
    pub amount: String,
    /// `direct`, `split`, `overlay`, `rollup`
    pub kind: String,
    pub rule: String,
    pub share: Option<String>,
    pub origin_payee_id: Option<String>,
    /// Of the transaction, in its own currency.
    pub transaction_amount: Option<String>,
    pub currency: Option<String>,
}

/// Where the text of a formula came from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FormulaSource {
    pub name: String,
    /// `rhai`, `wasm`
    pub origin: String,
    pub version: String,
    pub digest: String,
    /// `null` for Wasm.
    pub source: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Rule {
    pub plan_id: String,
    pub component_id: String,
    pub name: String,
    pub clause: Option<String>,
    pub plan_file: String,
    pub plan_text: String,
    pub plan_digest: String,
    pub formula: FormulaSource,
}

/// An open deal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PipelineItem {
    pub opportunity_id: String,
    pub account: Option<String>,
    pub product_id: Option<String>,
    pub amount: String,
    pub currency: String,
    pub stage: String,
    pub close_on: Option<String>,
}

/// The credits of one payee in a run, and for each measure which of them count.
pub struct Lines {
    pub credits: Table,
    pub counted: BTreeMap<String, Vec<bool>>,
}

/// The periods whose credits an earning of `period_id` adds up.
fn span(calendar: &Calendar, period_id: &str, component: &Component) -> Vec<String> {
    let Some(at) = calendar.index_of(period_id) else { return Vec::new() };
    let own = &calendar.periods[at];
    let inside = |period: &&attain_domain::calendar::Period| match component.accumulate {
        Accumulate::Transaction | Accumulate::Period => period.id == own.id,
        Accumulate::Quarter => period.quarter == own.quarter && period.year == own.year,
        Accumulate::Year => period.year == own.year,
    };
    calendar.periods[..=at].iter().filter(inside).map(|period| period.id.0.clone()).collect()
}

fn component<'a>(company: &'a Company, plan_id: &str, component_id: &str, period_id: &str) -> Option<&'a Component> {
    let plan = company.plan_in(plan_id, period_id)?;
    plan.plan.components.iter().find(|own| own.id == component_id)
}

fn shown_day(day: i64) -> Option<String> {
    if day == NULL_NUMBER { None } else { i32::try_from(day).ok().map(|day| Day(day).to_string()) }
}

/// Rows of transactions by id.
pub(super) fn places(transactions: &Table) -> BTreeMap<&str, usize> {
    let ids = transactions.texts("transaction_id");
    (0..transactions.row_count()).filter_map(|row| Some((ids?.get(row)?, row))).collect()
}

pub(super) fn credit_line(company: &Company, credits: &Table, row: usize, transaction: Option<usize>) -> CreditLine {
    let transactions = &company.tables["transactions"];
    let of = |name: &str| transaction.and_then(|at| text(transactions, name, at)).map(str::to_owned);
    let account_id = of("account_id");
    let field = company.settings.crediting.date.field();
    CreditLine {
        transaction_id: text(credits, "transaction_id", row).unwrap_or_default().to_owned(),
        on: transaction.and_then(|at| shown_day(transactions.numbers(field)?[at])),
        account: account_id.as_deref().and_then(|id| lookup(&company.tables["accounts"], "account_id", id, "name")),
        account_id,
        product_id: of("product_id"),
        amount: money(number(credits, "amount", row).unwrap_or(0)),
        kind: text(credits, "kind", row).unwrap_or_default().to_owned(),
        rule: text(credits, "rule", row).unwrap_or_default().to_owned(),
        share: number(credits, "share", row).map(|share| fixed::format(share, RATE_SCALE)),
        origin_payee_id: text(credits, "origin_payee_id", row).map(str::to_owned),
        transaction_amount: transaction.and_then(|at| number(transactions, "amount", at)).map(money),
        currency: of("currency"),
    }
}

/// How many credits a line adds up, and the `count_max` largest of them, largest first.
pub(crate) fn credits_of(
    view: &View,
    run: &RunView,
    lines: &Lines,
    own: &ComponentLine,
    period_id: &str,
    count_max: usize,
) -> (usize, Vec<CreditLine>) {
    let Some(component) = component(&run.company, &own.plan_id, &own.component_id, period_id) else { return (0, Vec::new()) };
    let periods = span(&view.company.calendar, period_id, component);
    let nothing = Vec::new();
    let counted = lines.counted.get(&component.measure).unwrap_or(&nothing);
    let mut rows: Vec<usize> = (0..lines.credits.row_count())
        .filter(|row| counted.get(*row).copied().unwrap_or(false))
        .filter(|row| text(&lines.credits, "period_id", *row).is_some_and(|period| periods.iter().any(|own| own == period)))
        .filter(|row| own.transaction_id.as_deref().is_none_or(|id| text(&lines.credits, "transaction_id", *row) == Some(id)))
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(number(&lines.credits, "amount", *row).map(i64::unsigned_abs)), *row));
    let places = places(&run.company.tables["transactions"]);
    let place = |row: usize| text(&lines.credits, "transaction_id", row).and_then(|id| places.get(id)).copied();
    let shown = rows.iter().take(count_max).map(|row| credit_line(&run.company, &lines.credits, *row, place(*row)));
    (rows.len(), shown.collect())
}

impl Instance {
    /// The credits of one payee in a run. The caller has asked the view whether they may be seen.
    pub(crate) async fn lines_of(&self, run: &RunView, payee_id: &str, period_id: &str) -> Result<Lines> {
        let mut read = self.database.read().await?;
        let run_id = attain_domain::ids::RunId(run.run_of(period_id).to_owned());
        let credits = attain_store::runs::read_payee_slice(&mut read, &run_id, "credits", payee_id).await?;
        // The run that stands for a closed period may have seen another company than the last one.
        let older = if run_id.as_str() == run.run_id { None } else { attain_store::runs::load(&mut read, &run_id).await? };
        let company = match older {
            Some(saved) => Some(crate::runs::pinned_company(&mut read, &saved.manifest).await?),
            None => None,
        };
        drop(read);
        let company = company.as_ref().unwrap_or(&run.company);
        let credits = attain_calc::with_transaction_ids(&credits);
        let counted = attain_calc::counted(&inputs_of(company, Table::new("posted")), &credits);
        Ok(Lines { credits, counted })
    }

    /// The credits that a line of a statement adds up, largest first.
    pub async fn line_credits(
        &self,
        view: &View,
        caller: &Caller,
        payee_id: &str,
        period_id: &str,
        line: usize,
    ) -> Result<Vec<CreditLine>> {
        let statement = view.statement(caller, payee_id, period_id)?;
        let run = view.run()?;
        let own = statement.components.get(line.wrapping_sub(1)).ok_or_else(|| no_line(line, statement.components.len()))?;
        let lines = self.lines_of(run, payee_id, period_id).await?;
        Ok(credits_of(view, run, &lines, own, period_id, usize::MAX).1)
    }

    /// The rule behind a line, word by word as the run read it.
    pub async fn line_rule(&self, view: &View, caller: &Caller, payee_id: &str, period_id: &str, line: usize) -> Result<Rule> {
        let statement = view.statement(caller, payee_id, period_id)?;
        let run = view.run()?;
        let own = statement.components.get(line.wrapping_sub(1)).ok_or_else(|| no_line(line, statement.components.len()))?;
        let plan = run.company.plan_in(&own.plan_id, period_id);
        let plan = plan.ok_or_else(|| Refusal::not_found(format!("plan `{}` is not in the run", own.plan_id)))?;
        let formula =
            component(&run.company, &own.plan_id, &own.component_id, period_id).map_or("", |component| component.formula.as_str());
        let digest = run.manifest.extensions.get(&format!("compensation/{formula}")).cloned().unwrap_or_default();
        let mut read = self.database.read().await?;
        let bytes = attain_store::extensions::blob(&mut read, &digest.as_str().into()).await?.unwrap_or_default();
        drop(read);
        let is_wasm = bytes.starts_with(b"\0asm");
        let source = if is_wasm { None } else { String::from_utf8(bytes).ok() };
        Ok(Rule {
            plan_id: own.plan_id.clone(),
            component_id: own.component_id.clone(),
            name: component_name(&run.company, &own.plan_id, &own.component_id),
            clause: own.clause.clone(),
            plan_file: format!("plans/{}", plan.file),
            plan_text: plan.text.clone(),
            plan_digest: blake3::hash(plan.text.as_bytes()).to_hex().to_string(),
            formula: FormulaSource {
                name: formula.to_owned(),
                origin: if is_wasm { "wasm" } else { "rhai" }.to_owned(),
                version: source.as_deref().and_then(version_of).unwrap_or_default(),
                digest,
                source,
            },
        })
    }

    /// The explanation of a payee's period, where the caller may see it.
    pub async fn explanation(&self, view: &View, caller: &Caller, payee_id: &str, period_id: &str, line: Option<usize>) -> Result<Node> {
        view.visible_period(caller, payee_id, period_id)?;
        let run_id = view.run()?.run_of(period_id).to_owned();
        self.explain(payee_id, period_id, line, Some(&run_id)).await
    }
}

/// The version in the header of a script.
fn version_of(source: &str) -> Option<String> {
    let line = source.lines().find_map(|line| line.strip_prefix("//! version = "))?;
    Some(line.trim().trim_matches('"').to_owned())
}

fn no_line(line: usize, count: usize) -> Refusal {
    Refusal::not_found(format!("the statement has no line {line}; it has {count}"))
}

impl View {
    /// The open deals of a payee, those that close first first, for who may see her pay on the last day that there is data of: a
    /// former manager does not see what is open now.
    pub fn pipeline(&self, caller: &Caller, payee_id: &str) -> Result<Vec<PipelineItem>, Refusal> {
        let visible = self.known_payee(caller, payee_id)?;
        if let Some(day) = self.run.as_ref().and_then(|run| run.data_through)
            && !visible.sees(payee_id, day, Day(day.0 + 1))
        {
            return Err(crate::view::unknown_payee(payee_id));
        }
        let company = &self.company.company;
        let deals = &company.tables["opportunities"];
        let mut items: Vec<PipelineItem> = (0..deals.row_count())
            .filter(|row| text(deals, "payee_id", *row) == Some(payee_id) && text(deals, "outcome", *row) == Some("open"))
            .map(|row| PipelineItem {
                opportunity_id: text(deals, "opportunity_id", row).unwrap_or_default().to_owned(),
                account: text(deals, "account_id", row).and_then(|id| lookup(&company.tables["accounts"], "account_id", id, "name")),
                product_id: text(deals, "product_id", row).map(str::to_owned),
                amount: money(number(deals, "amount", row).unwrap_or(0)),
                currency: text(deals, "currency", row).unwrap_or_default().to_owned(),
                stage: text(deals, "stage", row).unwrap_or_default().to_owned(),
                close_on: deals.numbers("close_on").and_then(|days| shown_day(days[row])),
            })
            .collect();
        items.sort_by(|left, right| (&left.close_on, &left.opportunity_id).cmp(&(&right.close_on, &right.opportunity_id)));
        Ok(items)
    }
}
