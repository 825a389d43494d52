//! What is unusual in the statements of a period, to be looked at before the period is approved. Everything is compared exactly, in
//! integers; what was looked at stays looked at for as long as its figures stay.

use crate::access::{Action, Caller};
use crate::changes::hash;
use crate::pay::money;
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::view::{RunView, View};
use crate::work_policy::{AnomalySettings, amount, in_force};
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_domain::calendar::Period;
use attain_domain::table::{NULL_NUMBER, Table};
use attain_domain::{MONEY_SCALE, fixed};
use attain_store::teamwork::{self as store, Review};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

const COMMENT_LENGTH_MAX: usize = 1_000;
/// At once.
const REVIEWED_MAX: usize = 1_000;
/// Periods before, of which the median is taken.
const TRAILING: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnomalyKind {
    /// Far from the median of the periods before.
    OffTrend,
    /// Nothing is paid, where something was in the period before.
    ZeroAfterPay,
    /// Many times the target.
    AboveTarget,
    /// Somebody who came in this period and is on no plan.
    WithoutPlan,
    /// Earned or paid below zero.
    Negative,
    /// A large adjustment.
    LargeAdjustment,
}

impl AnomalyKind {
    pub fn name(self) -> &'static str {
        match self {
            AnomalyKind::OffTrend => "off-trend",
            AnomalyKind::ZeroAfterPay => "zero-after-pay",
            AnomalyKind::AboveTarget => "above-target",
            AnomalyKind::WithoutPlan => "without-plan",
            AnomalyKind::Negative => "negative",
            AnomalyKind::LargeAdjustment => "large-adjustment",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnomalyReview {
    pub reviewed_by: String,
    pub reviewed_at: String,
    pub comment: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Anomaly {
    pub payee_id: String,
    pub payee_name: String,
    pub period_id: String,
    pub kind: AnomalyKind,
    /// What is compared: the statement's figure, and what it stands against.
    pub value: Option<String>,
    pub against: Option<String>,
    /// A hash of the figures: a review counts for these alone.
    pub fact: String,
    pub review: Option<AnomalyReview>,
}

/// Thresholds in place of the policy's.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Thresholds {
    pub percent: Option<i64>,
    pub target_times: Option<String>,
    pub adjustment_at_least: Option<String>,
}

/// One anomaly as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnomalyKey {
    pub payee_id: String,
    pub kind: AnomalyKind,
    pub fact: String,
}

/// One review of one anomaly or of several.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnomalyReview {
    pub anomalies: Vec<AnomalyKey>,
    /// What was found.
    pub comment: String,
}

/// Thresholds as numbers.
#[derive(Debug, Clone, Copy)]
struct Limits {
    percent: i64,
    /// Of 10⁻⁴.
    target_times: i64,
    adjustment: i64,
}

impl Limits {
    fn new(settings: &AnomalySettings) -> Result<Limits, Refusal> {
        settings.check()?;
        Ok(Limits {
            percent: settings.percent,
            target_times: amount("`target_times`", &settings.target_times)?,
            adjustment: amount("`adjustment_at_least`", &settings.adjustment_at_least)?,
        })
    }
}

/// Twice the median, so that the middle of two stays an integer; `None` of nothing.
fn doubled_median(values: &mut [i64]) -> Option<i128> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let at = |place: usize| values.get(place).copied().map(i128::from);
    if values.len() % 2 == 1 { at(middle).map(|value| 2 * value) } else { Some(at(middle.checked_sub(1)?)? + at(middle)?) }
}

/// Whether `value` lies further than `percent` of the median from it.
fn is_off(value: i64, doubled: i128, percent: i64) -> bool {
    (2 * i128::from(value) - doubled).abs() * 100 > i128::from(percent) * doubled.abs()
}

/// Whether `value` is at least `times` (of 10⁻⁴) the target.
fn is_above(value: i64, target: i64, times: i64) -> bool {
    target > 0 && i128::from(value) * i128::from(10i64.pow(u32::from(MONEY_SCALE))) >= i128::from(target) * i128::from(times)
}

/// Earned and paid by payee and period.
type Paid = BTreeMap<String, BTreeMap<String, (i64, i64)>>;

fn paid(run: &RunView) -> Paid {
    let mut found = Paid::new();
    let Some(table) = run.table("statements") else { return found };
    let (Some(payees), Some(periods)) = (table.texts("payee_id"), table.texts("period_id")) else { return found };
    let value =
        |name: &str, row: usize| table.numbers(name).and_then(|own| own.get(row)).copied().filter(|own| *own != NULL_NUMBER).unwrap_or(0);
    for row in 0..table.row_count() {
        if let (Some(payee), Some(period)) = (payees.get(row), periods.get(row)) {
            found.entry(payee.to_owned()).or_default().insert(period.to_owned(), (value("earned", row), value("paid", row)));
        }
    }
    found
}

/// Payee to the sum of her plans' targets in a period: the target is that of the assignment, which a plan's components share.
fn targets(run: &RunView, period_id: &str) -> BTreeMap<String, i64> {
    let mut found: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let Some(table) = run.table("earnings") else { return BTreeMap::new() };
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row));
    for row in (0..table.row_count()).filter(|row| text("period_id", *row) == Some(period_id)) {
        let target = table.numbers("target").and_then(|own| own.get(row)).copied().filter(|own| *own != NULL_NUMBER);
        if let (Some(payee), Some(plan), Some(target)) = (text("payee_id", row), text("plan_id", row), target) {
            found.entry(payee.to_owned()).or_default().insert(plan.to_owned(), target);
        }
    }
    found.into_iter().map(|(payee, own)| (payee, own.values().fold(0, |sum: i64, value| sum.saturating_add(*value)))).collect()
}

/// Whether a span of days in a row meets a period. `until` may be open.
fn meets(table: &Table, row: usize, period: &Period) -> bool {
    let number = |name: &str| table.numbers(name).and_then(|own| own.get(row)).copied().filter(|own| *own != NULL_NUMBER);
    number("from_on").is_some_and(|from| from < i64::from(period.until.0))
        && number("until_on").is_none_or(|until| i64::from(period.from.0) < until)
}

/// Payees who sit somewhere in the period and sat nowhere before it, and are on no plan in it.
fn without_plan(view: &View, run: &RunView, period: &Period) -> BTreeSet<String> {
    let tables = &view.company.company.tables;
    let payees_of = |name: &str, fits: &dyn Fn(&Table, usize) -> bool| -> BTreeSet<String> {
        let Some(table) = tables.get(name) else { return BTreeSet::new() };
        let Some(payees) = table.texts("payee_id") else { return BTreeSet::new() };
        (0..table.row_count()).filter(|row| fits(table, *row)).filter_map(|row| payees.get(row).map(str::to_owned)).collect()
    };
    let before = |table: &Table, row: usize| table.numbers("from_on").is_some_and(|own| own[row] < i64::from(period.from.0));
    let now = |table: &Table, row: usize| meets(table, row, period);
    let mut found = payees_of("occupancies", &now);
    for known in [payees_of("occupancies", &before), payees_of("plan_assignments", &now)] {
        found.retain(|payee| !known.contains(payee));
    }
    // Who is paid by a rule for a position or a team is on a plan too.
    found.retain(|payee| {
        !run.rows("earnings", payee).any(|row| {
            run.table("earnings").and_then(|table| table.texts("period_id")).and_then(|own| own.get(row)) == Some(period.id.as_str())
        })
    });
    found
}

/// All that is unusual in a period, in order of payee and kind.
fn found(view: &View, period_id: &str, limits: Limits) -> Result<Vec<Anomaly>, Refusal> {
    let run = view.run()?;
    let calendar = &view.company.calendar;
    let period = view.company.period(period_id)?;
    let at = calendar.index_of(period_id).unwrap_or(0);
    let earlier: Vec<&str> = calendar.periods[at.saturating_sub(TRAILING)..at].iter().map(|own| own.id.as_str()).collect();
    let mut all = Vec::new();
    let mut add = |payee_id: &str, kind: AnomalyKind, value: Option<i64>, against: Option<String>| {
        let value = value.map(money);
        let figures = [value.as_deref().unwrap_or("-"), against.as_deref().unwrap_or("-")];
        all.push(Anomaly {
            payee_id: payee_id.to_owned(),
            payee_name: view.company.name(payee_id).to_owned(),
            period_id: period_id.to_owned(),
            kind,
            fact: hash(&[payee_id, period_id, kind.name(), figures[0], figures[1]]),
            value,
            against,
            review: None,
        });
    };
    let targets = targets(run, period_id);
    for (payee_id, own) in paid(run) {
        let Some((earned, paid)) = own.get(period_id).copied() else { continue };
        let mut trailing: Vec<i64> = earlier.iter().filter_map(|id| own.get(*id)).map(|(earned, _)| *earned).collect();
        if let Some(doubled) = doubled_median(&mut trailing).filter(|doubled| is_off(earned, *doubled, limits.percent)) {
            // Shown to half a unit of the last digit, as it is compared.
            let shown = i64::try_from(doubled * 5).map_or_else(|_| format!("{doubled}/2"), |own| fixed::format(own, MONEY_SCALE + 1));
            add(&payee_id, AnomalyKind::OffTrend, Some(earned), Some(shown));
        }
        let last = earlier.last().and_then(|id| own.get(*id)).map(|(_, paid)| *paid);
        if let Some(last) = last.filter(|last| *last > 0 && paid == 0) {
            add(&payee_id, AnomalyKind::ZeroAfterPay, Some(paid), Some(money(last)));
        }
        if let Some(target) = targets.get(&payee_id).filter(|target| is_above(earned, **target, limits.target_times)) {
            add(&payee_id, AnomalyKind::AboveTarget, Some(earned), Some(money(*target)));
        }
        if earned < 0 || paid < 0 {
            add(&payee_id, AnomalyKind::Negative, Some(earned.min(paid)), None);
        }
    }
    for payee_id in without_plan(view, run, period) {
        add(&payee_id, AnomalyKind::WithoutPlan, None, None);
    }
    for own in crate::adjustments::loaded(view).into_iter().filter(|own| own.period_id == period_id) {
        let value = amount("an adjustment", &own.amount)?;
        if i128::from(value).abs() >= i128::from(limits.adjustment) {
            add(&own.payee_id, AnomalyKind::LargeAdjustment, Some(value), Some(own.adjustment_id));
        }
    }
    all.sort_by(|left, right| (&left.payee_id, left.kind, &left.fact).cmp(&(&right.payee_id, right.kind, &right.fact)));
    Ok(all)
}

impl Instance {
    /// What is unusual in the statements of a period by the last run, with what was said about it.
    async fn reviewed(&self, view: &View, period_id: &str, thresholds: &Thresholds) -> Result<Vec<Anomaly>> {
        let mut read = self.database.read().await?;
        let mut settings = in_force(&mut read).await?.anomalies;
        let reviews = store::reviews(&mut read, period_id).await?;
        drop(read);
        settings.percent = thresholds.percent.unwrap_or(settings.percent);
        for (own, given) in
            [(&mut settings.target_times, &thresholds.target_times), (&mut settings.adjustment_at_least, &thresholds.adjustment_at_least)]
        {
            if let Some(given) = given {
                own.clone_from(given);
            }
        }
        let mut all = found(view, period_id, Limits::new(&settings)?)?;
        for own in &mut all {
            // The newest word.
            let review = reviews.iter().rfind(|review| review.fact == own.fact);
            own.review = review.map(|review| AnomalyReview {
                reviewed_by: review.reviewed_by.clone(),
                reviewed_at: shown_ms(review.reviewed_at),
                comment: review.comment.clone(),
            });
        }
        Ok(all)
    }

    pub async fn anomalies(&self, view: &View, caller: &Caller, period_id: &str, thresholds: &Thresholds) -> Result<Vec<Anomaly>> {
        caller.require(Action::SeeAllPay)?;
        self.reviewed(view, period_id, thresholds).await
    }

    /// What nobody has looked at yet, by the company's own thresholds; whoever approves the period asks this first.
    pub async fn unreviewed_anomalies(&self, view: &View, period_id: &str) -> Result<Vec<Anomaly>> {
        let all = self.reviewed(view, period_id, &Thresholds::default()).await?;
        Ok(all.into_iter().filter(|own| own.review.is_none()).collect())
    }

    /// Says that the caller has looked at what is unusual in other people's statements: all that are named, or none. Answers the list as
    /// it is then.
    pub async fn review_anomalies(
        &self,
        view: &View,
        caller: &Caller,
        period_id: &str,
        thresholds: &Thresholds,
        new: &NewAnomalyReview,
    ) -> Result<Vec<Anomaly>> {
        caller.require(Action::SeeAllPay)?;
        caller.require(Action::ApproveChanges)?;
        let comment = new.comment.trim();
        if !(1..=COMMENT_LENGTH_MAX).contains(&comment.chars().count()) {
            return Err(Refusal::invalid(format!("say in 1 to {COMMENT_LENGTH_MAX} characters what you found")).into());
        }
        if !(1..=REVIEWED_MAX).contains(&new.anomalies.len()) {
            return Err(Refusal::invalid(format!("name 1 to {REVIEWED_MAX} anomalies")).into());
        }
        if new.anomalies.iter().any(|own| caller.payee_id.as_deref() == Some(own.payee_id.as_str())) {
            return Err(Refusal::forbidden("it is your own pay; somebody else has to look at it").into());
        }
        let wanted: BTreeSet<&AnomalyKey> = new.anomalies.iter().collect();
        let known = self.reviewed(view, period_id, thresholds).await?;
        let is_known =
            |key: &AnomalyKey| known.iter().any(|own| own.payee_id == key.payee_id && own.kind == key.kind && own.fact == key.fact);
        let unknown: Vec<String> =
            wanted.iter().filter(|key| !is_known(key)).map(|key| format!("{} {}", key.payee_id, key.kind.name())).collect();
        if !unknown.is_empty() {
            let refusal = Refusal::not_found("there is no such anomaly; its figures may have changed, so read the list again");
            return Err(refusal.with_details(unknown).into());
        }
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        for key in &wanted {
            let review = Review {
                review_id: new_id("review")?,
                period_id: period_id.to_owned(),
                payee_id: key.payee_id.clone(),
                kind: key.kind.name().to_owned(),
                fact: key.fact.clone(),
                comment: comment.to_owned(),
                reviewed_by: caller.user_id.clone(),
                reviewed_at: now,
            };
            store::add_review(&mut tx, &review).await?;
        }
        for key in &wanted {
            let object = format!("{}/{period_id}", key.payee_id);
            let entry = Entry::new(&caller.user_id, "review-anomaly", &object).after(&key.fact).reason(key.kind.name());
            attain_audit::append(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        self.seal().await?;
        self.reviewed(view, period_id, thresholds).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_two_is_their_exact_middle() {
        assert_eq!(doubled_median(&mut []), None);
        assert_eq!(doubled_median(&mut [7]), Some(14));
        assert_eq!(doubled_median(&mut [4, 1]), Some(5));
        assert_eq!(doubled_median(&mut [9, 1, 5]), Some(10));
    }

    #[test]
    fn a_bound_itself_is_not_off_trend_and_is_above_the_target() {
        // 150 lies exactly 50 % above 100.
        assert!(!is_off(150, 200, 50));
        assert!(is_off(151, 200, 50));
        assert!(!is_off(50, 200, 50));
        assert!(is_off(49, 200, 50));
        // After nothing, anything is off.
        assert!(is_off(1, 0, 50));
        assert!(!is_off(0, 0, 50));
        assert!(is_above(300, 100, 30_000));
        assert!(!is_above(299, 100, 30_000));
        assert!(!is_above(300, 0, 30_000));
    }

    #[test]
    fn no_figure_is_too_large_to_compare() {
        assert!(is_off(i64::MAX, i128::from(i64::MIN + 1) * 2, 100_000 / 1_000));
        assert!(!is_above(1, i64::MAX, i64::MAX));
    }
}
