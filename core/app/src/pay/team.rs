//! A manager's team on one page: attainment rolled up the tree, who is at risk, the leaderboard.

use super::home::{measure_name, ratio};
use super::{AsOf, as_of, money, number, sum, text, title};
use crate::access::{Action, Caller, Visible};
use crate::refusal::Refusal;
use crate::view::{RunView, View};
use attain_domain::calendar::Period;
use attain_domain::{Day, fixed};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Below this share of the quota so far somebody is at risk, in per cent.
const AT_RISK_PERCENT: i64 = 80;
const SPARK_PERIODS: usize = 12;
const DEPTH_MAX: usize = 20;
const DISTRIBUTION_STEP_PERCENT: i64 = 20;
const DISTRIBUTION_STEPS: i64 = 9;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TeamNode {
    pub payee_id: String,
    pub name: String,
    pub title: Option<String>,
    pub measure_id: Option<String>,
    pub measure: Option<String>,
    /// So far in the fiscal year.
    pub value: Option<String>,
    /// Of the periods gone by in the fiscal year.
    pub quota: Option<String>,
    pub attainment: Option<String>,
    /// In the fiscal year so far; only where the caller may see this person's pay.
    pub earned: Option<String>,
    #[schema(no_recursion)]
    pub reports: Vec<TeamNode>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LeaderboardLine {
    pub rank: usize,
    pub payee_id: String,
    pub name: String,
    pub attainment: String,
    /// Ranks gained since the period before; negative for lost ones.
    pub change: i64,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttainmentBand {
    pub from: String,
    /// `null` for the last band.
    pub until: Option<String>,
    pub count: usize,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Team {
    pub period_id: String,
    pub currency: String,
    pub as_of: AsOf,
    pub tree: TeamNode,
    /// Everybody below, by attainment of the fiscal year so far.
    pub leaderboard: Vec<LeaderboardLine>,
    pub at_risk: Vec<String>,
    pub distribution: Vec<AttainmentBand>,
    /// Attainment of the last periods by payee.
    #[schema(value_type = Object)]
    pub spark: BTreeMap<String, Vec<Option<String>>>,
}

/// Somebody whose pay the caller may see.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayeeHead {
    pub payee_id: String,
    pub name: String,
    pub title: Option<String>,
    pub plan_ids: Vec<String>,
    pub reports_to: Option<String>,
}

/// Value and quota of a payee's first measure with a quota, over some periods.
fn attained(run: &RunView, payee_id: &str, measure: &str, periods: &[&str]) -> (i64, i64) {
    let Some(table) = run.table("attainments") else { return (0, 0) };
    let mut sums = (0i64, 0i64);
    for row in run.rows("attainments", payee_id) {
        let fits = text(table, "measure_id", row) == Some(measure) && text(table, "period_id", row).is_some_and(|id| periods.contains(&id));
        if let Some(quota) = number(table, "quota", row).filter(|_| fits) {
            sums.0 = sums.0.saturating_add(number(table, "value", row).unwrap_or(0));
            sums.1 = sums.1.saturating_add(quota);
        }
    }
    sums
}

/// The measure that a payee is measured by: the quota of the first component of her plan that has one.
fn own_measure<'a>(run: &'a RunView, payee_id: &str, period_id: &str) -> Option<&'a str> {
    let table = run.table("earnings")?;
    run.rows("earnings", payee_id).filter(|row| text(table, "period_id", *row) == Some(period_id)).find_map(|row| {
        let plan = run.company.plan_in(text(table, "plan_id", row)?, period_id)?;
        let component = plan.plan.components.iter().find(|own| Some(own.id.as_str()) == text(table, "component_id", row))?;
        component.quota.as_deref()
    })
}

/// What one page looks at.
struct Scope<'a> {
    view: &'a View,
    run: &'a RunView,
    visible: &'a Visible,
    period: &'a Period,
    day: Day,
    /// The periods of the fiscal year up to this one, and up to the one before.
    year: Vec<&'a str>,
}

impl Scope<'_> {
    fn node(&self, payee_id: &str, depth: usize) -> TeamNode {
        let company = &self.view.company;
        let measure = own_measure(self.run, payee_id, self.period.id.as_str());
        let sums = measure.map(|measure| attained(self.run, payee_id, measure, &self.year)).filter(|(_, quota)| *quota > 0);
        let sees = self.visible.sees(payee_id, self.period.from, self.period.until);
        let reports = if depth < DEPTH_MAX { company.hierarchy.direct_reports(payee_id, self.day) } else { Default::default() };
        TeamNode {
            payee_id: payee_id.to_owned(),
            name: company.name(payee_id).to_owned(),
            title: title(company, payee_id, self.day),
            measure_id: measure.map(str::to_owned),
            measure: measure.map(|measure| measure_name(&self.run.company, measure)),
            value: sums.map(|(value, _)| money(value)),
            quota: sums.map(|(_, quota)| money(quota)),
            attainment: sums.map(|(value, quota)| ratio(value, quota)),
            earned: sees.then(|| money(self.earned(payee_id))),
            reports: reports.iter().map(|own| self.node(own, depth + 1)).collect(),
        }
    }

    /// Earned in the periods of the fiscal year that the caller may see.
    fn earned(&self, payee_id: &str) -> i64 {
        let periods = &self.view.company.calendar.periods;
        let seen: Vec<&str> = periods
            .iter()
            .filter(|own| self.year.contains(&own.id.as_str()) && self.visible.sees(payee_id, own.from, own.until))
            .map(|own| own.id.as_str())
            .collect();
        sum(self.run, "statements", payee_id, "earned", |id| seen.contains(&id))
    }
}

fn below<'a>(node: &'a TeamNode, all: &mut Vec<&'a TeamNode>) {
    for own in &node.reports {
        all.push(own);
        below(own, all);
    }
}

/// By attainment, best first; those without a quota have no rank.
fn ranked<'a>(run: &RunView, payees: &[&'a TeamNode], periods: &[&str]) -> Vec<(&'a TeamNode, (i64, i64))> {
    let mut ranked: Vec<(&TeamNode, (i64, i64))> = payees
        .iter()
        .filter_map(|node| Some((*node, attained(run, &node.payee_id, node.measure_id.as_deref()?, periods))))
        .filter(|(_, (_, quota))| *quota > 0)
        .collect();
    let share = |(value, quota): (i64, i64)| fixed::divide(i128::from(value) * 1_000_000, i128::from(quota), fixed::RoundingMode::HalfEven);
    ranked.sort_by(|left, right| share(right.1).cmp(&share(left.1)).then_with(|| left.0.payee_id.cmp(&right.0.payee_id)));
    ranked
}

impl View {
    /// The team of a payee: the caller's own with `see-team-pay`, anybody's with `see-all-pay`.
    pub fn team(&self, caller: &Caller, of: Option<&str>, period_id: &str) -> Result<Team, Refusal> {
        caller.require_one(&[Action::SeeTeamPay, Action::SeeAllPay])?;
        let top = of.or(caller.payee_id.as_deref()).ok_or_else(|| Refusal::invalid("name whose team with `of`"))?;
        let visible = self.known_payee(caller, top)?;
        let period = self.visible_period(caller, top, period_id)?;
        let run = self.run()?;
        let periods = &self.company.calendar.periods;
        let at = self.company.calendar.index_of(period_id).unwrap_or_default();
        let year = |until: usize| -> Vec<&str> {
            periods[..until].iter().filter(|own| own.year == period.year).map(|own| own.id.as_str()).collect()
        };
        let scope = Scope { view: self, run, visible: &visible, period, day: Day(period.until.0 - 1), year: year(at + 1) };
        let tree = scope.node(top, 0);
        let mut everybody = Vec::new();
        below(&tree, &mut everybody);
        // Who stands at the end of the tree sells; the others lead.
        let sellers: Vec<&TeamNode> = everybody.iter().copied().filter(|node| node.reports.is_empty()).collect();
        let (now, before) = (ranked(run, &sellers, &scope.year), ranked(run, &sellers, &year(at)));
        let rank_before = |payee: &str| before.iter().position(|(node, _)| node.payee_id == payee);
        let leaderboard = now
            .iter()
            .enumerate()
            .map(|(rank, (node, (value, quota)))| LeaderboardLine {
                rank: rank + 1,
                payee_id: node.payee_id.clone(),
                name: node.name.clone(),
                attainment: ratio(*value, *quota),
                change: rank_before(&node.payee_id).map_or(0, |earlier| earlier as i64 - rank as i64),
            })
            .collect();
        let percent = |(value, quota): (i64, i64)| fixed::divide(i128::from(value) * 100, i128::from(quota), fixed::RoundingMode::Floor);
        let bands = (0..DISTRIBUTION_STEPS).map(|band| {
            let from = band * DISTRIBUTION_STEP_PERCENT;
            let last = band + 1 == DISTRIBUTION_STEPS;
            let until = from + DISTRIBUTION_STEP_PERCENT;
            let inside = |share: i128| (share >= from.into() || band == 0) && (last || share < until.into());
            AttainmentBand {
                from: ratio(from, 100),
                until: (!last).then(|| ratio(until, 100)),
                count: now.iter().filter(|(_, sums)| inside(percent(*sums))).count(),
            }
        });
        let shown: Vec<&Period> = periods[..=at].iter().rev().take(SPARK_PERIODS).rev().collect();
        let spark = std::iter::once(&tree).chain(everybody.iter().copied()).filter_map(|node| {
            let measure = node.measure_id.as_deref()?;
            let line = shown.iter().map(|own| {
                let (value, quota) = attained(run, &node.payee_id, measure, &[own.id.as_str()]);
                let sees = visible.sees(&node.payee_id, own.from, own.until);
                (quota > 0 && sees).then(|| ratio(value, quota))
            });
            Some((node.payee_id.clone(), line.collect()))
        });
        Ok(Team {
            period_id: period_id.to_owned(),
            currency: run.company.settings.currency.clone(),
            as_of: as_of(run),
            leaderboard,
            at_risk: now
                .iter()
                .filter(|(_, sums)| percent(*sums) < AT_RISK_PERCENT.into())
                .map(|(node, _)| node.payee_id.clone())
                .collect(),
            distribution: bands.collect(),
            spark: spark.collect(),
            tree,
        })
    }

    /// Whom the caller may see in a period, by name; `words` must be in the name or the id.
    pub fn payees(&self, caller: &Caller, period_id: Option<&str>, words: &str) -> Result<Vec<PayeeHead>, Refusal> {
        use crate::access::Action::{SeeAllPay, SeeOwnPay, SeeTeamPay};
        caller.require_one(&[SeeOwnPay, SeeTeamPay, SeeAllPay])?;
        let company = &self.company;
        let last = || {
            let settled = self.run.as_ref()?.table("statements")?.texts("period_id")?;
            settled.dictionary.iter().filter(|id| company.calendar.index_of(id).is_some()).max_by_key(|id| company.calendar.index_of(id))
        };
        let Some(period_id) = period_id.or_else(|| last().map(String::as_str)) else { return Ok(Vec::new()) };
        let period = company.period(period_id)?;
        let visible = company.visible_to(caller);
        let day = Day(period.until.0 - 1);
        let words = words.to_lowercase();
        let ids = company.company.tables["payees"].texts("payee_id").map(|column| column.dictionary.clone()).unwrap_or_default();
        let plans = company.company.plans_on(day);
        let mut heads: Vec<PayeeHead> = ids
            .into_iter()
            .filter(|id| visible.sees(id, period.from, period.until))
            .filter(|id| words.is_empty() || id.to_lowercase().contains(&words) || company.name(id).to_lowercase().contains(&words))
            .map(|id| PayeeHead {
                name: company.name(&id).to_owned(),
                title: title(company, &id, day),
                plan_ids: plans.get(id.as_str()).cloned().unwrap_or_default(),
                // Whom she reports to is no secret to her, but further up is not this caller's business.
                reports_to: company.hierarchy.boss_on(&id, day).map(str::to_owned),
                payee_id: id,
            })
            .collect();
        heads.sort_by(|left, right| (&left.name, &left.payee_id).cmp(&(&right.name, &right.payee_id)));
        Ok(heads)
    }
}
