//! What a draft would change in money: the record calculated in memory, once as it is and once with the draft. Nothing is stored.

use crate::Instance;
use crate::access::{Action, Caller};
use crate::explain::{self, Node, Subject};
use crate::extensions::Set;
use crate::folder::Company;
use crate::runs::inputs_of;
use crate::view::View;
use anyhow::Result;
use attain_calc::{Conversion, Outcome, Prepared};
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::point::{Extensions, Identity, Point};
use attain_domain::{Finding, Severity, Table};
use attain_extend::Loaded;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// Bars on each side of zero.
const BARS: i128 = 10;
const LARGEST: usize = 10;
const FINDINGS_SHOWN: usize = 50;
/// Calculations for screens that run at once; more would only share the cores.
const AT_ONCE: usize = 2;

/// A finding as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    pub severity: String,
    pub code: String,
    pub record: String,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImpactTotals {
    pub before: String,
    pub after: String,
    pub difference: String,
    pub gain_count: usize,
    pub loss_count: usize,
    pub same_count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComponentImpact {
    pub plan_id: String,
    pub component_id: String,
    pub before: String,
    pub after: String,
    pub difference: String,
}

/// How many payees' difference lies from `from` up to `until`. Payees without a difference are in no bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bar {
    pub from: String,
    pub until: String,
    pub count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayeeComponent {
    pub plan_id: String,
    pub component_id: String,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayeeImpact {
    pub payee_id: String,
    pub name: String,
    pub before: String,
    pub after: String,
    pub difference: String,
    pub components: Vec<PayeeComponent>,
}

/// What is earned before and after, on the same record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Impact {
    /// `null` for all periods with statements.
    pub period: Option<String>,
    /// Whether a run with the draft could be posted; if not, `findings` say why and there are no figures.
    pub complete: bool,
    pub findings: Vec<FindingView>,
    pub currency: String,
    pub totals: ImpactTotals,
    pub components: Vec<ComponentImpact>,
    pub histogram: Vec<Bar>,
    pub largest: Vec<PayeeImpact>,
    pub millis: u64,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImpactRequest {
    pub source: String,
    #[serde(default)]
    pub cases: Option<String>,
    /// One period; all with statements where it is left out.
    #[serde(default)]
    pub period: Option<String>,
    /// These payees only.
    #[serde(default)]
    pub payees: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TracesRequest {
    pub source: String,
    pub payee_id: String,
    pub period: String,
}

/// Both explanations of one payee's period.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Traces {
    #[schema(value_type = Object)]
    pub before: Node,
    #[schema(value_type = Object)]
    pub after: Node,
}

/// The record calculated as it is, kept until it or an extension changes.
pub(crate) struct Base {
    key: (i64, String),
    pub prepared: Prepared,
    pub outcome: Outcome,
}

/// What differs from the record.
pub(crate) enum Draft<'a> {
    Formula(Box<Loaded>),
    Company(&'a Company),
}

/// Which amounts are compared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope<'a> {
    pub period: Option<&'a str>,
    pub payees: Option<&'a [String]>,
}

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Calculates on this thread when it is its turn.
pub(crate) async fn in_turn<T>(work: impl FnOnce() -> T) -> Result<T> {
    let _turn = TURNS.acquire().await?;
    Ok(tokio::task::block_in_place(work))
}

pub(crate) fn money(value: i128) -> String {
    i64::try_from(value).map_or_else(|_| format!("{value}e-4"), |value| fixed::format(value, MONEY_SCALE))
}

pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

pub(crate) fn finding_view(finding: &Finding) -> FindingView {
    FindingView {
        severity: severity_name(finding.severity).to_owned(),
        code: finding.code.clone(),
        record: finding.record.clone(),
        message: finding.message.clone(),
    }
}

impl Instance {
    /// The record of `view` calculated as it is, under the extensions that are active now.
    pub(crate) async fn base(&self, view: &View, set: &Set) -> Result<Arc<Base>> {
        let key = (view.versions.company, set.fingerprint());
        let kept = || {
            let kept = self.live.base.lock().unwrap_or_else(PoisonError::into_inner);
            kept.as_ref().filter(|base| base.key == key).cloned()
        };
        if let Some(base) = kept() {
            return Ok(base);
        }
        let _turn = self.live.calculating.lock().await;
        if let Some(base) = kept() {
            return Ok(base);
        }
        let base = in_turn(|| {
            let inputs = Arc::new(inputs_of(&view.company.company, view.posted()));
            let prepared = Prepared::new(inputs, set);
            let outcome = prepared.pay(set);
            Arc::new(Base { key: key.clone(), prepared, outcome })
        })
        .await?;
        *self.live.base.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&base));
        Ok(base)
    }

    /// What a draft of a formula would change.
    pub async fn impact(&self, caller: &Caller, name: &str, request: &ImpactRequest) -> Result<Impact> {
        caller.require(Action::SeeRules)?;
        caller.require(Action::SeeAllPay)?;
        let view = self.view().await?;
        if let Some(period) = &request.period {
            view.company.period(period)?;
        }
        let loaded = crate::formulas::load_draft(name, &request.source, request.cases.as_deref().unwrap_or_default())?;
        let scope = Scope { period: request.period.as_deref(), payees: request.payees.as_deref() };
        self.impact_of(&view, Draft::Formula(Box::new(loaded)), scope).await
    }

    pub(crate) async fn impact_of(&self, view: &View, draft: Draft<'_>, scope: Scope<'_>) -> Result<Impact> {
        let mut set = self.extensions_for(&view.company.company)?;
        let base = self.base(view, &set).await?;
        let started = Instant::now();
        let after = in_turn(|| self.with_draft(&base, &mut set, &draft)).await??;
        let mut impact = compare(&base.outcome, &after, view, scope);
        impact.millis = started.elapsed().as_millis() as u64;
        Ok(impact)
    }

    /// The result with the draft. What only pays anew is not credited anew.
    fn with_draft(&self, base: &Base, set: &mut Set, draft: &Draft<'_>) -> Result<Outcome> {
        match draft {
            Draft::Formula(loaded) => {
                let point = loaded.extension.identity().point;
                set.add((**loaded).clone());
                Ok(match point {
                    Point::Crediting => attain_calc::calculate(base.prepared.inputs(), &*set, &mut |_| {}),
                    _ => base.prepared.pay(&*set),
                })
            }
            Draft::Company(company) => {
                let set = self.extensions_for(company)?;
                let inputs = inputs_of(company, base.prepared.inputs().posted.clone());
                let own = base.prepared.inputs();
                let credited_alike = inputs.settings == own.settings
                    && inputs.tables.iter().all(|(name, table)| own.tables.get(name).is_some_and(|own| own == table))
                    && inputs.settings.crediting.rules.iter().all(|rule| {
                        let digest =
                            |set: &dyn Extensions| set.get(Point::Crediting, &rule.extension).map(|own| own.identity().digest.clone()).ok();
                        let before = base
                            .outcome
                            .used
                            .iter()
                            .find(|used| used.identity.point == Point::Crediting && used.identity.name == rule.extension);
                        digest(&set) == before.map(|used| used.identity.digest.clone())
                    });
                Ok(if credited_alike {
                    base.prepared.with_plans(inputs.plans).pay(&set)
                } else {
                    attain_calc::calculate(&inputs, &set, &mut |_| {})
                })
            }
        }
    }

    /// Why a payee is paid what she is, and why with a draft she would be paid what she would; down to the transaction.
    pub async fn traces(&self, caller: &Caller, name: &str, request: &TracesRequest) -> Result<Traces> {
        caller.require(Action::SeeRules)?;
        let view = self.view().await?;
        view.visible_period(caller, &request.payee_id, &request.period)?;
        let loaded = crate::formulas::load_draft(name, &request.source, "")?;
        let mut set = self.extensions_for(&view.company.company)?;
        let base = self.base(&view, &set).await?;
        in_turn(|| {
            let after = self.with_draft(&base, &mut set, &Draft::Formula(Box::new(loaded)))?;
            let trace = |outcome: &Outcome| trace(&view, base.prepared.inputs(), outcome, &request.payee_id, &request.period);
            Ok(Traces { before: trace(&base.outcome), after: trace(&after) })
        })
        .await?
    }
}

fn own_rows(table: &Table, payee_id: &str) -> Table {
    let Some(payees) = table.texts("payee_id") else { return Table::new(&table.name) };
    let Some(code) = payees.dictionary.iter().position(|id| id == payee_id) else { return table.take(&[]) };
    table.take(&(0..table.row_count()).filter(|row| payees.codes[*row] as usize == code).collect::<Vec<_>>())
}

/// The explanation of a period of a result that is in memory only.
fn trace(view: &View, inputs: &attain_calc::Inputs, outcome: &Outcome, payee_id: &str, period_id: &str) -> Node {
    let company = &view.company.company;
    let rows = |name: &str| own_rows(&outcome.table(name), payee_id);
    let (statements, earnings, slices, credits) = (rows("statements"), rows("earnings"), rows("slices"), outcome.credits_of(payee_id));
    let counted = attain_calc::counted(inputs, &credits);
    let conversion = Conversion::new(inputs);
    let transactions = crate::runs::only_transactions(&company.tables["transactions"], &credits);
    let used: Vec<Identity> = outcome.used.iter().map(|used| used.identity.clone()).collect();
    let periods: Vec<(String, String, String)> =
        view.company.calendar.periods.iter().map(|own| (own.id.0.clone(), own.quarter.clone(), own.year.clone())).collect();
    let subject = Subject {
        payee_id,
        payee_name: view.company.name(payee_id),
        period_id,
        company,
        run_id: "",
        complete: outcome.complete,
        statements: &statements,
        earnings: &earnings,
        slices: &slices,
        credits: &credits,
        counted: &counted,
        conversion: conversion.as_ref(),
        transactions: &transactions,
        used: &used,
        sources: &BTreeMap::new(),
        periods: &periods,
    };
    explain::explain(&subject, None)
}

/// Payee, plan and component to what was earned before and after.
type Earned = BTreeMap<(String, String, String), [i128; 2]>;

/// Adds what one side earned within the scope; earnings exist for settled periods and those before them only.
fn add_earned(earned: &mut Earned, outcome: &Outcome, side: usize, scope: Scope<'_>) {
    let earnings = outcome.table("earnings");
    let (Some(payees), Some(periods), Some(plans), Some(components), Some(amounts)) = (
        earnings.texts("payee_id"),
        earnings.texts("period_id"),
        earnings.texts("plan_id"),
        earnings.texts("component_id"),
        earnings.numbers("amount"),
    ) else {
        return;
    };
    let wanted_period: Vec<bool> = periods.dictionary.iter().map(|id| scope.period.is_none_or(|period| period == id)).collect();
    let wanted_payee: Vec<bool> = payees.dictionary.iter().map(|id| scope.payees.is_none_or(|payees| payees.contains(id))).collect();
    // Sums by codes first: there are many rows and few keys.
    let mut sums: std::collections::HashMap<(u32, u32, u32), i128> = std::collections::HashMap::new();
    for row in 0..earnings.row_count() {
        if wanted_period[periods.codes[row] as usize] && wanted_payee[payees.codes[row] as usize] {
            *sums.entry((payees.codes[row], plans.codes[row], components.codes[row])).or_default() += i128::from(amounts[row]);
        }
    }
    for ((payee, plan, component), sum) in sums {
        // An adjustment may belong to no plan.
        let text = |column: &attain_domain::TextColumn, code: u32| column.dictionary.get(code as usize).cloned().unwrap_or_default();
        earned.entry((text(payees, payee), text(plans, plan), text(components, component))).or_default()[side] += sum;
    }
}

fn compare(before: &Outcome, after: &Outcome, view: &View, scope: Scope<'_>) -> Impact {
    let known: BTreeSet<&Finding> = before.findings.iter().collect();
    let mut findings: Vec<FindingView> =
        after.findings.iter().filter(|finding| finding.severity == Severity::Error || !known.contains(finding)).map(finding_view).collect();
    findings.sort_by_key(|finding| finding.severity != "error");
    findings.truncate(FINDINGS_SHOWN);
    let mut earned = Earned::new();
    add_earned(&mut earned, before, 0, scope);
    if after.complete {
        add_earned(&mut earned, after, 1, scope);
    } else {
        // Nothing is said about pay that cannot be calculated.
        earned.values_mut().for_each(|sums| sums[1] = sums[0]);
    }
    let mut payees: BTreeMap<&str, [i128; 2]> = BTreeMap::new();
    let mut components: BTreeMap<(&str, &str), [i128; 2]> = BTreeMap::new();
    for ((payee, plan, component), sums) in &earned {
        for (place, sum) in sums.iter().enumerate() {
            payees.entry(payee).or_default()[place] += sum;
            components.entry((plan, component)).or_default()[place] += sum;
        }
    }
    let difference = |sums: &[i128; 2]| sums[1] - sums[0];
    let total = payees.values().fold([0, 0], |total, sums| [total[0] + sums[0], total[1] + sums[1]]);
    let count = |wanted: fn(i128) -> bool| payees.values().filter(|sums| wanted(difference(sums))).count();
    let mut changed: Vec<(&str, [i128; 2])> =
        payees.iter().filter(|(_, sums)| difference(sums) != 0).map(|(payee, sums)| (*payee, *sums)).collect();
    let differences: Vec<i128> = changed.iter().map(|(_, sums)| difference(sums)).collect();
    changed.sort_by_key(|(payee, sums)| (std::cmp::Reverse(difference(sums).abs()), *payee));
    changed.truncate(LARGEST);
    let largest = changed.into_iter().map(|(payee, sums)| PayeeImpact {
        payee_id: payee.to_owned(),
        name: view.company.name(payee).to_owned(),
        before: money(sums[0]),
        after: money(sums[1]),
        difference: money(difference(&sums)),
        components: earned
            .iter()
            .filter(|((own, _, _), _)| own == payee)
            .map(|((_, plan, component), sums)| PayeeComponent {
                plan_id: plan.clone(),
                component_id: component.clone(),
                before: money(sums[0]),
                after: money(sums[1]),
            })
            .collect(),
    });
    Impact {
        period: scope.period.map(str::to_owned),
        complete: after.complete,
        findings,
        currency: view.company.company.settings.currency.clone(),
        totals: ImpactTotals {
            before: money(total[0]),
            after: money(total[1]),
            difference: money(difference(&total)),
            gain_count: count(|difference| difference > 0),
            loss_count: count(|difference| difference < 0),
            same_count: count(|difference| difference == 0),
        },
        components: components
            .into_iter()
            .map(|((plan, component), sums)| ComponentImpact {
                plan_id: plan.to_owned(),
                component_id: component.to_owned(),
                before: money(sums[0]),
                after: money(sums[1]),
                difference: money(difference(&sums)),
            })
            .collect(),
        histogram: histogram(&differences),
        largest: largest.collect(),
        millis: 0,
    }
}

/// Bars of one round width, as many below zero as above it; none where nothing differs.
fn histogram(differences: &[i128]) -> Vec<Bar> {
    let Some(most) = differences.iter().map(|difference| difference.abs()).max().filter(|most| *most > 0) else { return Vec::new() };
    // A bar ends before its bound, so the widest difference must stay below the last one.
    let mut width = None;
    let mut power: i128 = 100;
    while width.is_none() {
        width = [power, power * 2, power * 5 / 2, power * 5].into_iter().find(|width| width * BARS > most);
        power *= 10;
    }
    let width = width.unwrap_or(most + 1);
    let mut counts = vec![0; 2 * BARS as usize];
    for difference in differences {
        let bar = (difference.div_euclid(width) + BARS).clamp(0, 2 * BARS - 1);
        counts[bar as usize] += 1;
    }
    let bound = |bar: usize| money((bar as i128 - BARS) * width);
    counts.into_iter().enumerate().map(|(bar, count)| Bar { from: bound(bar), until: bound(bar + 1), count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_symmetric_round_and_hold_every_difference() {
        let differences = [-1_000_000, 1, 999_999, 1_000_000, -1];
        let bars = histogram(&differences);
        assert_eq!(bars.len(), 20);
        assert_eq!((bars[0].from.as_str(), bars[19].until.as_str()), ("-200", "200"));
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<usize>(), differences.len());
        // Half-open: -100 begins the bar from -100, 100 the bar from 100.
        assert_eq!((bars[5].from.as_str(), bars[5].count), ("-100", 1));
        assert_eq!((bars[15].from.as_str(), bars[15].count), ("100", 1));
        assert_eq!((bars[9].count, bars[10].count), (1, 1));
        assert!(histogram(&[]).is_empty());
    }
}
