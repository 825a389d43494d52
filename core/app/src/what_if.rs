//! What a payee would be paid if: the real plan on the record with deals that are supposed. Nothing is stored.
//!
//! Credit is given transaction by transaction, so it is enough to credit what the payee is credited for anyway and what is supposed.

use crate::Instance;
use crate::access::Caller;
use crate::folder::Company;
use crate::impact::{Base, FindingView, finding_view, in_turn, money};
use crate::refusal::Refusal;
use crate::runs::{begun, inputs_of, settled_through};
use crate::view::View;
use anyhow::Result;
use attain_calc::{More, Outcome, Prepared};
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::plan::Plan;
use attain_domain::point::Extensions;
use attain_domain::{Column, Day, NULL_NUMBER, Severity, Table, schema};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;
use utoipa::ToSchema;

const DEALS_MAX: usize = 200;
const FINDINGS_SHOWN: usize = 20;
/// One unit of currency, as a column of money.
const UNIT: i64 = 10_000;

/// An opportunity of the payee's, as if it were won.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupposedOpportunity {
    pub opportunity_id: String,
    /// Its own where it is left out.
    #[serde(default)]
    pub amount: Option<String>,
    #[serde(default)]
    pub close_on: Option<String>,
}

/// A deal out of the blue, in the company's currency.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupposedDeal {
    pub amount: String,
    #[serde(default)]
    pub product_id: Option<String>,
    #[serde(default)]
    pub account_id: Option<String>,
    pub close_on: String,
}

/// A transaction that the payee is credited for, on another day or of another amount.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupposedTransaction {
    pub transaction_id: String,
    #[serde(default)]
    pub ordered_on: Option<String>,
    #[serde(default)]
    pub amount: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfRequest {
    #[serde(default)]
    pub opportunities: Vec<SupposedOpportunity>,
    #[serde(default)]
    pub deals: Vec<SupposedDeal>,
    #[serde(default)]
    pub transactions: Vec<SupposedTransaction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pay {
    pub earned: String,
    pub held: String,
    pub carried: String,
    pub paid: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeriodPay {
    pub period_id: String,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComponentPay {
    pub plan_id: String,
    pub component_id: String,
    pub name: String,
    pub before: String,
    pub after: String,
}

/// `periods` goes from the first to the last period whose pay changes and holds the one asked for; `before`, `after`, `difference`
/// and `components` are sums over these periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WhatIf {
    pub before: Pay,
    pub after: Pay,
    /// Of what is earned.
    pub difference: String,
    pub periods: Vec<PeriodPay>,
    pub components: Vec<ComponentPay>,
    /// What one more unit of currency on the main measure would pay after all this, found by a second calculation with one unit
    /// more and four digits in place of the rounding. The main measure is that of the first component with a quota, else of the
    /// first, of the plan in the last period with a supposed deal, else in the period asked for. `null` without a plan.
    pub marginal_rate: Option<String>,
    /// What hinders the calculation or concerns the payee; records are named as in the request.
    pub findings: Vec<FindingView>,
    pub millis: u64,
}

/// One row of `transactions` that is supposed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Supposed {
    close_on: i64,
    amount: i64,
    currency: String,
    account_id: Option<String>,
    product_id: Option<String>,
    /// How the request names it.
    origin: String,
}

fn amount_of(text: &str) -> Result<i64, Refusal> {
    fixed::parse(text, MONEY_SCALE).ok_or_else(|| Refusal::invalid(format!("`{text}` is no amount; write for example `12500.00`")))
}

fn day_of(text: &str) -> Result<i64, Refusal> {
    text.parse::<Day>().map(|day| i64::from(day.0)).map_err(|()| Refusal::invalid(format!("`{text}` is no day; write YYYY-MM-DD")))
}

fn row_of(table: &Table, key: &str, id: &str) -> Option<usize> {
    let column = table.texts(key)?;
    let code = column.dictionary.iter().position(|own| own == id)?;
    column.codes.iter().position(|own| *own as usize == code)
}

fn text(table: &Table, name: &str, row: usize) -> Option<String> {
    table.texts(name).and_then(|column| column.get(row)).map(str::to_owned)
}

fn number(table: &Table, name: &str, row: usize) -> Option<i64> {
    table.numbers(name).map(|values| values[row]).filter(|value| *value != NULL_NUMBER)
}

/// The supposed deals of a request, in an order that does not depend on the request's.
fn supposed(company: &Company, payee_id: &str, request: &WhatIfRequest) -> Result<Vec<Supposed>, Refusal> {
    let mut found = Vec::new();
    let opportunities = &company.tables["opportunities"];
    for own in &request.opportunities {
        let row = row_of(opportunities, "opportunity_id", &own.opportunity_id)
            .filter(|row| text(opportunities, "payee_id", *row).as_deref() == Some(payee_id))
            .ok_or_else(|| Refusal::not_found(format!("there is no opportunity `{}` of `{payee_id}`", own.opportunity_id)))?;
        let close_on = match &own.close_on {
            Some(day) => day_of(day)?,
            None => number(opportunities, "close_on", row)
                .ok_or_else(|| Refusal::invalid(format!("opportunity `{}` has no day of close; give `close_on`", own.opportunity_id)))?,
        };
        let amount = own.amount.as_deref().map(amount_of).transpose()?;
        found.push(Supposed {
            close_on,
            amount: amount.or_else(|| number(opportunities, "amount", row)).unwrap_or_default(),
            currency: text(opportunities, "currency", row).unwrap_or_default(),
            account_id: text(opportunities, "account_id", row),
            product_id: text(opportunities, "product_id", row),
            origin: format!("opportunities/{}", own.opportunity_id),
        });
    }
    for (place, own) in request.deals.iter().enumerate() {
        for (entity, key, id) in [("accounts", "account_id", &own.account_id), ("products", "product_id", &own.product_id)] {
            if let Some(id) = id.as_ref().filter(|id| row_of(&company.tables[entity], key, id).is_none()) {
                return Err(Refusal::not_found(format!("there is no `{id}` among `{entity}`")));
            }
        }
        found.push(Supposed {
            close_on: day_of(&own.close_on)?,
            amount: amount_of(&own.amount)?,
            currency: company.settings.currency.clone(),
            account_id: own.account_id.clone(),
            product_id: own.product_id.clone(),
            origin: format!("deals/{place}"),
        });
    }
    found.sort();
    Ok(found)
}

/// The rows of `transactions` at `keep`, with the edits, and the supposed deals as orders of the payee under the ids given.
fn transactions(
    company: &Company,
    keep: &[usize],
    edits: &BTreeMap<String, (Option<i64>, Option<i64>)>,
    deals: &[(String, &Supposed)],
    payee_id: &str,
) -> Result<Table> {
    let entity = schema::entity("transactions").ok_or_else(|| anyhow::anyhow!("transactions are an entity"))?;
    let tested = company.settings.crediting.date.field();
    let mut table = company.tables["transactions"].take(keep);
    let ids: Vec<Option<String>> = (0..table.row_count()).map(|row| text(&table, "transaction_id", row)).collect();
    for (row, id) in ids.iter().enumerate() {
        let Some((day, amount)) = id.as_ref().and_then(|id| edits.get(id)) else { continue };
        let names = [("ordered_on", *day), (tested, *day), ("amount", *amount)];
        for (name, value) in names {
            let Some(value) = value else { continue };
            if let Some((_, Column::Number { values, .. })) = table.columns.iter_mut().find(|(own, _)| own == name) {
                values[row] = value;
            }
        }
    }
    let mut added = Table::new("transactions");
    for field in entity.fields {
        let column = match field.kind.scale() {
            Some(scale) => {
                let value = |own: &Supposed| match field.name {
                    "amount" => own.amount,
                    "ordered_on" => own.close_on,
                    name if name == tested => own.close_on,
                    _ => NULL_NUMBER,
                };
                Column::Number { scale, values: deals.iter().map(|(_, own)| value(own)).collect() }
            }
            None => {
                let value = |(id, own): &(String, &Supposed)| match field.name {
                    "transaction_id" => Some(id.clone()),
                    "kind" => Some("order".to_owned()),
                    "currency" => Some(own.currency.clone()),
                    "payee_id" => Some(payee_id.to_owned()),
                    "account_id" => own.account_id.clone(),
                    "product_id" => own.product_id.clone(),
                    _ => None,
                };
                Column::text(&deals.iter().map(value).collect::<Vec<_>>())
            }
        };
        added = added.with(field.name, column);
    }
    Ok(crate::folder::canonical(entity, &Table::concat("transactions", &[&table, &added])))
}

/// What a payee gets by period, and earns by period, plan and component.
#[derive(Default)]
struct Paid {
    statements: BTreeMap<String, [i128; 4]>,
    earned: BTreeMap<(String, String, String), i128>,
}

fn result(outcome: &Outcome, payee_id: &str) -> Paid {
    let mut found = Paid::default();
    let statements = outcome.table("statements");
    let own = |table: &Table, row: usize| text(table, "payee_id", row).as_deref() == Some(payee_id);
    for row in (0..statements.row_count()).filter(|row| own(&statements, *row)) {
        let values = ["earned", "held", "carried", "paid"].map(|name| i128::from(number(&statements, name, row).unwrap_or(0)));
        found.statements.insert(text(&statements, "period_id", row).unwrap_or_default(), values);
    }
    let earnings = outcome.table("earnings");
    for row in (0..earnings.row_count()).filter(|row| own(&earnings, *row)) {
        let key = ["period_id", "plan_id", "component_id"].map(|name| text(&earnings, name, row).unwrap_or_default());
        *found.earned.entry(key.into()).or_default() += i128::from(number(&earnings, "amount", row).unwrap_or(0));
    }
    found
}

impl Instance {
    /// Before and after, of a payee whose pay of the period the caller may see.
    pub async fn what_if(&self, caller: &Caller, payee_id: &str, period_id: &str, request: &WhatIfRequest) -> Result<WhatIf> {
        let view = self.view().await?;
        view.visible_period(caller, payee_id, period_id)?;
        let count = request.opportunities.len() + request.deals.len() + request.transactions.len();
        if count > DEALS_MAX {
            return Err(Refusal::invalid(format!("{count} deals are supposed; {DEALS_MAX} are allowed")).into());
        }
        let company = &view.company.company;
        let deals = supposed(company, payee_id, request)?;
        let set = self.extensions_for(company)?;
        let base = self.base(&view, &set).await?;
        let started = Instant::now();
        let mut answer = in_turn(|| estimate(&view, &base, &set, payee_id, period_id, request, &deals)).await??;
        answer.millis = started.elapsed().as_millis() as u64;
        Ok(answer)
    }
}

fn estimate(
    view: &View,
    base: &Base,
    set: &dyn Extensions,
    payee_id: &str,
    period_id: &str,
    request: &WhatIfRequest,
    deals: &[Supposed],
) -> Result<WhatIf> {
    let company = &view.company.company;
    let calendar = &view.company.calendar;
    let credits = base.outcome.credits_of(payee_id);
    let all = &company.tables["transactions"];
    let credited: BTreeSet<&str> =
        credits.texts("transaction_id").map(|column| column.dictionary.iter().map(String::as_str).collect()).unwrap_or_default();
    let mut edits = BTreeMap::new();
    for own in &request.transactions {
        if !credited.contains(own.transaction_id.as_str()) {
            let message = format!("there is no transaction `{}` that `{payee_id}` is credited for", own.transaction_id);
            return Err(Refusal::not_found(message).into());
        }
        let day = own.ordered_on.as_deref().map(day_of).transpose()?;
        let amount = own.amount.as_deref().map(amount_of).transpose()?;
        if edits.insert(own.transaction_id.clone(), (day, amount)).is_some() {
            return Err(Refusal::invalid(format!("transaction `{}` is named twice", own.transaction_id)).into());
        }
    }
    let ids = all.texts("transaction_id");
    // Where pay hangs on what others sold, their transactions are needed too.
    let others = attain_domain::plan::looks_at_others(company.plans.iter().map(|file| &file.plan), &company.settings.measures);
    let wanted: Vec<bool> =
        ids.map(|column| column.dictionary.iter().map(|id| others || credited.contains(id.as_str())).collect()).unwrap_or_default();
    let keep: Vec<usize> =
        (0..all.row_count()).filter(|row| ids.is_some_and(|column| wanted.get(column.codes[*row] as usize) == Some(&true))).collect();
    // Ids that nobody has.
    let mut prefix = "supposed-".to_owned();
    while ids.is_some_and(|column| column.dictionary.iter().any(|id| id.starts_with(&prefix))) {
        prefix.push('-');
    }
    let named: Vec<(String, &Supposed)> = deals.iter().enumerate().map(|(place, own)| (format!("{prefix}{place:04}"), own)).collect();

    let settled = settled(company, calendar, &edits, deals, &base.prepared.inputs().posted);
    let mut inputs = inputs_of(company, base.prepared.inputs().posted.clone());
    inputs.periods = Some(settled.clone());
    inputs.tables.insert("transactions".to_owned(), Arc::new(transactions(company, &keep, &edits, &named, payee_id)?));
    if let Some(splits) = company.tables.get("splits") {
        // Shares of transactions that are left out would be reported as shares of nothing.
        let rows: Vec<usize> = (0..splits.row_count())
            .filter(|row| text(splits, "transaction_id", *row).is_some_and(|id| others || credited.contains(id.as_str())))
            .collect();
        inputs.tables.insert("splits".to_owned(), Arc::new(splits.take(&rows)));
    }
    let prepared = Prepared::new(Arc::new(inputs), set).for_payee(payee_id);
    let outcome = prepared.pay(set);
    let is_alike = base.prepared.inputs().periods.as_ref() == Some(&settled);
    let before = if is_alike {
        result(&base.outcome, payee_id)
    } else {
        // Both sides have the same statements, so that what falls due with time alone is no effect of a deal.
        result(&base.prepared.with_periods(settled).for_payee(payee_id).pay(set), payee_id)
    };
    let after = if outcome.complete { result(&outcome, payee_id) } else { Paid::default() };
    let mut findings: Vec<FindingView> = Vec::new();
    for finding in &outcome.findings {
        let deal = named.iter().find(|(id, _)| *id == finding.record);
        let is_hers = finding.record == payee_id || finding.record.starts_with(&format!("{payee_id},"));
        if deal.is_some() || (is_hers && !base.outcome.findings.contains(finding)) || finding.severity == Severity::Error {
            let mut shown = finding_view(finding);
            if let Some((id, own)) = deal {
                shown.message = shown.message.replace(id.as_str(), &own.origin);
                shown.record.clone_from(&own.origin);
            }
            findings.push(shown);
        }
    }
    findings.truncate(FINDINGS_SHOWN);
    let last_deal = deals.iter().map(|own| own.close_on).chain(edits.values().filter_map(|(day, _)| *day)).max();
    let marginal_period = last_deal
        .and_then(|day| calendar.find(Day(i32::try_from(day).ok()?)))
        .or_else(|| calendar.index_of(period_id))
        .map(|at| &calendar.periods[at]);
    let marginal_rate = marginal_period
        .filter(|_| outcome.complete)
        .and_then(|period| marginal(company, &prepared, set, payee_id, period.id.as_str(), i64::from(period.until.0) - 1));
    Ok(answer(view, period_id, &before, &after, outcome.complete, marginal_rate, findings))
}

/// The periods with statements: those of the record with its edits, and up to the last supposed deal.
fn settled(
    company: &Company,
    calendar: &attain_domain::Calendar,
    edits: &BTreeMap<String, (Option<i64>, Option<i64>)>,
    deals: &[Supposed],
    posted: &Table,
) -> Vec<attain_domain::ids::PeriodId> {
    let all = &company.tables["transactions"];
    let days = all.numbers(company.settings.crediting.date.field()).unwrap_or(&[]);
    let last = days.iter().copied().filter(|day| *day != NULL_NUMBER);
    let end = calendar.periods.last().map_or(0, |period| i64::from(period.until.0) - 1);
    let supposed = deals.iter().map(|own| own.close_on).chain(edits.values().filter_map(|(day, _)| *day)).map(|day| day.min(end));
    settled_through(company, last.chain(supposed).chain(begun(company, posted)).max())
}

/// See [`WhatIf::marginal_rate`].
fn marginal(company: &Company, prepared: &Prepared, set: &dyn Extensions, payee_id: &str, period_id: &str, day: i64) -> Option<String> {
    let day = attain_domain::Day(i32::try_from(day).ok()?);
    let assignments = company.assignments();
    let plan = &company.plan_on(assignments.on(payee_id, day).first()?, day)?.plan;
    let main = plan.components.iter().find(|component| component.quota.is_some()).or_else(|| plan.components.first())?;
    // Rounded to cents, the pay of one unit would have two digits.
    let exact: Vec<Plan> = company
        .plans
        .iter()
        .map(|file| {
            let mut plan = file.plan.clone();
            for component in &mut plan.components {
                component.rounding.step = rust_decimal::Decimal::new(1, u32::from(MONEY_SCALE));
            }
            plan
        })
        .collect();
    let exact = prepared.with_plans(exact);
    let more = More { payee_id, measure_id: &main.measure, period_id, amount: UNIT };
    let earned = |prepared: &Prepared| {
        let outcome = prepared.pay(set);
        outcome.complete.then(|| result(&outcome, payee_id).statements.values().map(|own| own[0]).sum::<i128>())
    };
    Some(money(earned(&exact.with_more(&more))? - earned(&exact)?))
}

fn answer(
    view: &View,
    period_id: &str,
    before: &Paid,
    after: &Paid,
    complete: bool,
    marginal_rate: Option<String>,
    findings: Vec<FindingView>,
) -> WhatIf {
    let nothing = [0; 4];
    // Nothing is said about pay that cannot be calculated.
    let after = if complete { after } else { before };
    let pay = |side: &Paid, period: &str| side.statements.get(period).copied().unwrap_or(nothing);
    let periods = &view.company.calendar.periods;
    let touched: Vec<usize> = periods
        .iter()
        .enumerate()
        .filter(|(_, period)| {
            let id = period.id.as_str();
            id == period_id || pay(before, id) != pay(after, id)
        })
        .map(|(at, _)| at)
        .collect();
    let (first, last) = (touched.first().copied().unwrap_or(0), touched.last().copied().unwrap_or(0));
    let span: Vec<&str> = periods[first..=last].iter().map(|period| period.id.as_str()).collect();
    let total = |side: &Paid| {
        span.iter().fold(nothing, |mut total, period| {
            total.iter_mut().zip(pay(side, period)).for_each(|(total, own)| *total += own);
            total
        })
    };
    let shown = |total: [i128; 4]| {
        let [earned, held, carried, paid] = total.map(money);
        Pay { earned, held, carried, paid }
    };
    let mut components: BTreeMap<(&str, &str), [i128; 2]> = BTreeMap::new();
    for (place, side) in [before, after].into_iter().enumerate() {
        for ((period, plan, component), amount) in &side.earned {
            if span.contains(&period.as_str()) {
                components.entry((plan, component)).or_default()[place] += amount;
            }
        }
    }
    let name = |plan: &str, component: &str| {
        let plan = view.company.company.plans.iter().map(|file| &file.plan).find(|own| own.id == plan);
        let found = plan.and_then(|plan| plan.components.iter().find(|own| own.id == component));
        found.and_then(|own| Some(own.name.clone()).filter(|name| !name.is_empty())).unwrap_or_else(|| component.to_owned())
    };
    let (sum_before, sum_after) = (total(before), total(after));
    WhatIf {
        difference: money(sum_after[0] - sum_before[0]),
        before: shown(sum_before),
        after: shown(sum_after),
        periods: span
            .iter()
            .map(|period| PeriodPay {
                period_id: (*period).to_owned(),
                before: money(pay(before, period)[0]),
                after: money(pay(after, period)[0]),
            })
            .collect(),
        components: components
            .into_iter()
            .map(|((plan, component), sums)| ComponentPay {
                plan_id: plan.to_owned(),
                component_id: component.to_owned(),
                name: name(plan, component),
                before: money(sums[0]),
                after: money(sums[1]),
            })
            .collect(),
        marginal_rate,
        findings,
        millis: 0,
    }
}
