//! The seller's home page: what was earned, how far the quota is, where the next rate begins, what changed since the last visit.

use super::curve::{Curve, sentence};
use super::lines::{credit_line, places};
use super::{AsOf, PayeeName, as_of, component_name, money, number, payee_name, sum, text};
use crate::access::Caller;
use crate::view::{RunView, View};
use crate::{Instance, shown_ms};
use anyhow::Result;
use attain_domain::calendar::Period;
use attain_domain::ids::RunId;
use attain_domain::table::Table;
use attain_domain::{Day, RATE_SCALE, fixed};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

const CREDITS_SHOWN: usize = 8;
const MONTHS_SHOWN: usize = 12;
const CHANGES_SHOWN: usize = 50;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Bucket {
    pub earned: String,
    pub held: String,
    /// What this period pays.
    pub payable: String,
    /// What earlier periods of the fiscal year paid.
    pub paid: String,
    pub carried: String,
}

/// Earned in the period, and so far in its quarter and its fiscal year.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ToDate {
    pub period: String,
    pub quarter: String,
    pub year: String,
}

/// A measure against the quota of the fiscal year.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuotaProgress {
    pub measure_id: String,
    pub name: String,
    /// So far in the fiscal year.
    pub value: String,
    /// Of the whole year.
    pub quota: String,
    pub attainment: String,
    /// The quota of the periods gone by over the year's.
    pub pace: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MonthEarned {
    pub period_id: String,
    pub earned: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ComponentEarned {
    pub plan_id: String,
    pub component_id: String,
    pub name: String,
    pub earned: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RecentCredit {
    pub transaction_id: String,
    pub period_id: String,
    pub on: Option<String>,
    pub account: Option<String>,
    pub amount: String,
    pub kind: String,
    pub rule: String,
}

/// Pay that is other than at the last visit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangeItem {
    pub period_id: String,
    pub component_id: Option<String>,
    pub name: String,
    pub before: String,
    pub after: String,
    pub difference: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Changes {
    /// The last visit; `null` for the first.
    pub since: Option<String>,
    pub items: Vec<ChangeItem>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Home {
    pub payee: PayeeName,
    pub period_id: String,
    pub currency: String,
    pub as_of: AsOf,
    pub buckets: Bucket,
    pub to_date: ToDate,
    pub quotas: Vec<QuotaProgress>,
    pub curve: Option<Curve>,
    /// What one should know in one sentence; empty where nothing can be said.
    pub sentence: String,
    pub months: Vec<MonthEarned>,
    pub components: Vec<ComponentEarned>,
    pub recent_credits: Vec<RecentCredit>,
    pub changes: Changes,
}

impl Instance {
    pub async fn home(&self, view: &View, caller: &Caller, payee_id: &str, period_id: &str) -> Result<Home> {
        let period = view.visible_period(caller, payee_id, period_id)?;
        let run = view.run()?;
        let periods = &view.company.calendar.periods;
        let at = view.company.calendar.index_of(period_id).unwrap_or_default();
        // A manager's view of somebody who joined her later begins with the first period that she may see.
        let visible = view.known_payee(caller, payee_id)?;
        let gone_by: Vec<&Period> = periods[..=at].iter().filter(|own| visible.sees(payee_id, own.from, own.until)).collect();
        let year: Vec<&str> = gone_by.iter().filter(|own| own.year == period.year).map(|own| own.id.as_str()).collect();
        let quarter: Vec<&str> =
            gone_by.iter().filter(|own| own.year == period.year && own.quarter == period.quarter).map(|own| own.id.as_str()).collect();
        let earned = |ids: &[&str]| sum(run, "statements", payee_id, "earned", |id| ids.contains(&id));
        let this = |column: &str| sum(run, "statements", payee_id, column, |id| id == period_id);
        let earlier: Vec<&str> = year.iter().copied().filter(|id| *id != period_id).collect();
        let curve = tokio::task::block_in_place(|| self.curve(view, payee_id, period_id))?;
        let currency = run.company.settings.currency.clone();
        Ok(Home {
            payee: payee_name(&view.company, payee_id, Day(period.until.0 - 1)),
            period_id: period_id.to_owned(),
            as_of: as_of(run),
            buckets: Bucket {
                earned: money(this("earned")),
                held: money(this("held")),
                payable: money(this("paid")),
                paid: money(sum(run, "statements", payee_id, "paid", |id| earlier.contains(&id))),
                carried: money(this("carried")),
            },
            to_date: ToDate { period: money(this("earned")), quarter: money(earned(&quarter)), year: money(earned(&year)) },
            quotas: quotas(view, run, payee_id, period, &year),
            sentence: curve.as_ref().map_or_else(String::new, |curve| sentence(curve, &currency)),
            curve,
            currency,
            months: gone_by
                .iter()
                .rev()
                .take(MONTHS_SHOWN)
                .rev()
                .map(|own| MonthEarned { period_id: own.id.0.clone(), earned: money(earned(&[own.id.as_str()])) })
                .collect(),
            components: components(run, payee_id, period_id),
            recent_credits: self.recent_credits(run, payee_id, &year).await?,
            changes: self.changes_since_visit(run, caller, payee_id, &gone_by).await?,
        })
    }

    /// Remembers that the caller has seen the pay of the last run.
    pub async fn visit(&self, view: &View, caller: &Caller) -> Result<()> {
        let Some(run) = &view.run else { return Ok(()) };
        let mut tx = self.database.begin().await?;
        attain_store::users::visit(&mut tx, &caller.user_id, &run.run_id, crate::now_ms()).await?;
        tx.commit().await
    }

    async fn recent_credits(&self, run: &RunView, payee_id: &str, periods: &[&str]) -> Result<Vec<RecentCredit>> {
        let lines = self.lines_of(run, payee_id, "").await?;
        let credits = &lines.credits;
        let places = places(&run.company.tables["transactions"]);
        let days = run.company.tables["transactions"].numbers(run.company.settings.crediting.date.field()).unwrap_or(&[]);
        let place = |row: usize| text(credits, "transaction_id", row).and_then(|id| places.get(id)).copied();
        let mut rows: Vec<usize> =
            (0..credits.row_count()).filter(|row| text(credits, "period_id", *row).is_some_and(|id| periods.contains(&id))).collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(place(*row).map(|at| days[at])), *row));
        Ok(rows
            .into_iter()
            .take(CREDITS_SHOWN)
            .map(|row| {
                let line = credit_line(&run.company, credits, row, place(row));
                RecentCredit {
                    transaction_id: line.transaction_id,
                    period_id: text(credits, "period_id", row).unwrap_or_default().to_owned(),
                    on: line.on,
                    account: line.account,
                    amount: line.amount,
                    kind: line.kind,
                    rule: line.rule,
                }
            })
            .collect())
    }

    async fn changes_since_visit(&self, run: &RunView, caller: &Caller, payee_id: &str, periods: &[&Period]) -> Result<Changes> {
        let mut read = self.database.read().await?;
        let Some((before_id, visited_at)) = attain_store::users::visit_of(&mut read, &caller.user_id).await? else {
            return Ok(Changes { since: None, items: Vec::new() });
        };
        let since = Some(shown_ms(visited_at));
        if before_id == run.run_id {
            return Ok(Changes { since, items: Vec::new() });
        }
        let before_id = RunId(before_id);
        let Some(saved) = attain_store::runs::load(&mut read, &before_id).await? else {
            return Ok(Changes { since, items: Vec::new() });
        };
        let before = attain_store::runs::read_payee_slice(&mut read, &before_id, "earnings", payee_id).await?;
        drop(read);
        let after = run.table("earnings").map(|table| table.take(&run.rows("earnings", payee_id).collect::<Vec<_>>()));
        let (before, after) = (by_component(&before), after.as_ref().map(by_component).unwrap_or_default());
        let keys: BTreeSet<&(String, String, String)> = before.keys().chain(after.keys()).collect();
        let visible: BTreeSet<&str> = periods.iter().map(|period| period.id.as_str()).collect();
        let mut items = Vec::new();
        for key in keys {
            let amount = |own: &BTreeMap<(String, String, String), i64>| own.get(key).copied().unwrap_or(0);
            let (old, new) = (amount(&before), amount(&after));
            let (period_id, plan_id, component_id) = key;
            if old == new || !visible.contains(period_id.as_str()) {
                continue;
            }
            items.push(ChangeItem {
                period_id: period_id.clone(),
                component_id: Some(component_id.clone()),
                name: component_name(&run.company, plan_id, component_id),
                before: money(old),
                after: money(new),
                difference: money(new.saturating_sub(old)),
                reason: reason(&saved.manifest, run, plan_id, component_id),
            });
        }
        items.sort_by(|left, right| right.period_id.cmp(&left.period_id).then_with(|| left.name.cmp(&right.name)));
        items.truncate(CHANGES_SHOWN);
        Ok(Changes { since, items })
    }
}

/// Earned by period, plan and component.
fn by_component(earnings: &Table) -> BTreeMap<(String, String, String), i64> {
    let mut sums = BTreeMap::new();
    for row in 0..earnings.row_count() {
        let word = |name: &str| text(earnings, name, row).unwrap_or_default().to_owned();
        let own: &mut i64 = sums.entry((word("period_id"), word("plan_id"), word("component_id"))).or_default();
        *own = own.saturating_add(number(earnings, "amount", row).unwrap_or(0));
    }
    sums
}

/// What of a component's inputs is not as it was.
fn reason(before: &attain_store::Manifest, run: &RunView, plan_id: &str, component_id: &str) -> String {
    let versions = run.company.plan_versions(plan_id);
    let component = versions.iter().rev().find_map(|file| file.plan.components.iter().find(|own| own.id == component_id));
    let formula = component.map(|own| own.formula.as_str());
    let mut causes = Vec::new();
    let paths = versions.iter().map(|file| format!("plans/{}", file.file));
    if paths.into_iter().any(|path| before.documents.get(&path) != run.manifest.documents.get(&path)) {
        causes.push("the plan was changed".to_owned());
    }
    if let Some(key) = formula.map(|name| format!("compensation/{name}"))
        && before.extensions.get(&key) != run.manifest.extensions.get(&key)
    {
        causes.push(format!("the formula {} was changed", formula.unwrap_or_default()));
    }
    for name in ["transactions", "splits", "quotas", "plan_assignments", "plan_rules", "plan_overrides", "parameters", "fx_rates"] {
        if before.input(name) != run.manifest.input(name) {
            causes.push(format!("{} changed", name.replace('_', " ")));
        }
    }
    if causes.is_empty() { "other inputs changed".to_owned() } else { causes.join("; ") }
}

fn quotas(view: &View, run: &RunView, payee_id: &str, period: &Period, gone_by: &[&str]) -> Vec<QuotaProgress> {
    let year: Vec<&str> = view.company.calendar.periods.iter().filter(|own| own.year == period.year).map(|own| own.id.as_str()).collect();
    let Some(table) = run.table("attainments") else { return Vec::new() };
    // Measure to: value so far, quota so far, quota of the year.
    let mut sums: BTreeMap<&str, (i64, i64, i64)> = BTreeMap::new();
    for row in run.rows("attainments", payee_id) {
        let (Some(measure), Some(id)) = (text(table, "measure_id", row), text(table, "period_id", row)) else { continue };
        if !year.contains(&id) {
            continue;
        }
        let own = sums.entry(measure).or_default();
        let quota = number(table, "quota", row).unwrap_or(0);
        own.2 = own.2.saturating_add(quota);
        if gone_by.contains(&id) {
            own.0 = own.0.saturating_add(number(table, "value", row).unwrap_or(0));
            own.1 = own.1.saturating_add(quota);
        }
    }
    sums.into_iter()
        .filter(|(_, (_, _, quota))| *quota > 0)
        .map(|(measure, (value, so_far, quota))| QuotaProgress {
            measure_id: measure.to_owned(),
            name: measure_name(&run.company, measure),
            value: money(value),
            quota: money(quota),
            attainment: ratio(value, quota),
            pace: ratio(so_far, quota),
        })
        .collect()
}

pub(super) fn measure_name(company: &crate::folder::Company, measure_id: &str) -> String {
    let own = company.settings.measures.iter().find(|own| own.id == measure_id);
    own.map(|own| own.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| measure_id.to_owned())
}

/// A rate with six digits, as text.
pub(super) fn ratio(value: i64, of: i64) -> String {
    if of == 0 {
        return "0".to_owned();
    }
    let scaled = fixed::divide(i128::from(value) * 1_000_000, i128::from(of), fixed::RoundingMode::HalfEven);
    fixed::format(i64::try_from(scaled).unwrap_or(i64::MAX).saturating_mul(100), RATE_SCALE)
}

fn components(run: &RunView, payee_id: &str, period_id: &str) -> Vec<ComponentEarned> {
    let Some(table) = run.table("earnings") else { return Vec::new() };
    let own = table.take(&run.rows("earnings", payee_id).collect::<Vec<_>>());
    by_component(&own)
        .into_iter()
        .filter(|((period, _, _), _)| period == period_id)
        .map(|((_, plan_id, component_id), earned)| ComponentEarned {
            name: component_name(&run.company, &plan_id, &component_id),
            plan_id,
            component_id,
            earned: money(earned),
        })
        .collect()
}
