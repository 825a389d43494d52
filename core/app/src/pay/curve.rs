//! The pay curve: what a component's own formula pays at other results. The formula is asked, nothing is approximated by us.

use super::{component_name, money, number, rows_of, text};
use crate::Instance;
use crate::view::{RunView, View};
use anyhow::Result;
use attain_domain::fixed::{self, MONEY_SCALE, RATE_SCALE, from_decimal};
use attain_domain::plan::{Component, Plan};
use attain_domain::point::{Call, Extensions as _, Point, check_answer};
use attain_domain::table::{Column, NULL_NUMBER, Table};
use serde::Serialize;
use utoipa::ToSchema;

/// The curve goes to this share of the quota, in per cent.
const UP_TO_PERCENT: i64 = 160;
const POINTS: i64 = 32;
/// The rate at a result is what the next so much pays, over so much.
const PROBE: i64 = 10_000 * 10i64.pow(MONEY_SCALE as u32);
/// Where the next rate begins is found to this part of the curve's length.
const STEPS: i64 = 400;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CurvePoint {
    /// The result of the measure in its span, for example bookings of the year.
    pub value: String,
    /// What the component pays for it in all.
    pub pay: String,
    /// What the next 10,000 pay, over 10,000.
    pub rate: String,
}

/// Where pay begins to grow faster.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NextTier {
    pub at: String,
    pub rate: String,
    /// How much is missing.
    pub distance: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Curve {
    pub plan_id: String,
    pub component_id: String,
    pub name: String,
    pub measure_id: String,
    pub quota: String,
    pub points: Vec<CurvePoint>,
    pub here: CurvePoint,
    /// `null` where no faster rate comes.
    pub next: Option<NextTier>,
}

/// Asks one component's formula about results of one payee.
struct Probe<'a> {
    extension: &'a dyn attain_domain::point::Extension,
    component: &'a Component,
    payee_id: &'a str,
    period_id: &'a str,
    quota: i64,
    target: i64,
    params: Vec<(String, i64)>,
    rounding: Table,
}

impl Probe<'_> {
    /// What each of these results pays. Null where the formula does not answer.
    fn pay(&self, values: &[i64]) -> Option<Vec<i64>> {
        let count = values.len();
        let same = |value: i64| vec![value; count];
        let attainment = |value: &i64| {
            let scaled = i128::from(*value) * 10i128.pow(u32::from(RATE_SCALE));
            i64::try_from(fixed::divide(scaled, i128::from(self.quota), fixed::RoundingMode::HalfEven)).unwrap_or(NULL_NUMBER)
        };
        let mut rows = Table::new("rows")
            .with("payee_id", Column::text(&vec![Some(self.payee_id); count]))
            .with("period_id", Column::text(&vec![Some(self.period_id); count]))
            .with("transaction_id", Column::text(&vec![None::<&str>; count]))
            .with("credited", Column::money(values.to_vec()))
            .with("prior", Column::money(same(0)))
            .with("to_date", Column::money(values.to_vec()))
            .with("quota", Column::money(same(self.quota)))
            .with("attainment", Column::rate(values.iter().map(attainment).collect()))
            .with("target", Column::money(same(self.target)));
        for (name, value) in &self.params {
            rows = rows.with(&format!("params.{name}"), Column::rate(same(*value)));
        }
        let answer = self.extension.run(&Call { settings: &self.component.settings, input: &[rows, self.rounding.clone()] }).ok()?;
        check_answer(Point::Compensation.contract(), &answer.tables).ok()?;
        let earnings = answer.table("earnings")?;
        let (numbers, amounts) = (earnings.numbers("row")?, earnings.numbers("amount")?);
        let mut pay = vec![NULL_NUMBER; count];
        for (row, amount) in numbers.iter().zip(amounts) {
            *pay.get_mut(usize::try_from(*row).ok()?)? = *amount;
        }
        pay.iter().all(|amount| *amount != NULL_NUMBER).then_some(pay)
    }

    /// Pay and rate at each of these results.
    fn points(&self, values: &[i64]) -> Option<Vec<(i64, i64, i64)>> {
        let further: Vec<i64> = values.iter().map(|value| value.saturating_add(PROBE)).collect();
        let (pay, more) = (self.pay(values)?, self.pay(&further)?);
        let rate = |row: usize| (more[row] - pay[row]).saturating_mul(10i64.pow(u32::from(RATE_SCALE)) / PROBE.max(1));
        Some((0..values.len()).map(|row| (values[row], pay[row], rate(row))).collect())
    }
}

fn point((value, pay, rate): (i64, i64, i64)) -> CurvePoint {
    CurvePoint { value: money(value), pay: money(pay), rate: fixed::format(rate, RATE_SCALE) }
}

impl Instance {
    /// The curve of the payee's first component that has a quota; `None` where there is none that stands alone on its result.
    pub(super) fn curve(&self, view: &View, payee_id: &str, period_id: &str) -> Result<Option<Curve>> {
        let run = view.run()?;
        let set = self.extensions_for(&view.company.company)?;
        let Some((plan, component, value, quota, target)) = subject(run, payee_id, period_id) else { return Ok(None) };
        let Ok(extension) = set.get(Point::Compensation, &component.formula) else { return Ok(None) };
        let mode = serde_json::to_value(component.rounding.mode)?;
        let Some(step) = from_decimal(component.rounding.step, RATE_SCALE) else { return Ok(None) };
        let rounding = Table::new("rounding").with("mode", Column::text(&[mode.as_str()])).with("step", Column::rate(vec![step]));
        let params = params(view, &plan, &component, payee_id, period_id);
        let probe = Probe { extension, component: &component, payee_id, period_id, quota, target, params, rounding };
        let end = (quota.max(value) / 100).saturating_mul(UP_TO_PERCENT);
        let mut values: Vec<i64> = (0..=POINTS).map(|part| end / POINTS * part).collect();
        values.push(value.max(0));
        values.sort_unstable();
        values.dedup();
        let (Some(points), Some(here)) = (probe.points(&values), probe.points(&[value.max(0)]).map(|own| own[0])) else { return Ok(None) };
        Ok(Some(Curve {
            plan_id: plan.id.clone(),
            component_id: component.id.clone(),
            name: component_name(&run.company, &plan.id, &component.id),
            measure_id: component.measure.clone(),
            quota: money(quota),
            next: next(&probe, here, end),
            points: points.into_iter().map(point).collect(),
            here: point(here),
        }))
    }
}

/// The first result beyond `here` from which pay grows faster.
fn next(probe: &Probe<'_>, here: (i64, i64, i64), end: i64) -> Option<NextTier> {
    let length = end.checked_sub(here.0).filter(|length| *length > 0)?;
    let step = (length / STEPS).max(1);
    let values: Vec<i64> = (1..=STEPS).map(|part| here.0 + step * part).collect();
    let faster = probe.points(&values)?.into_iter().find(|(_, _, rate)| *rate > here.2)?;
    // Rates look ahead, so the bound lies within one probe and one step after the last slow result.
    let (mut slow, mut fast) = (here.0.max(faster.0 - step), faster.0.saturating_add(PROBE));
    let rate = probe.points(&[fast])?[0].2;
    while fast - slow > 10i64.pow(u32::from(MONEY_SCALE)) {
        let middle = slow + (fast - slow) / 2;
        if probe.points(&[middle])?[0].2 >= rate { fast = middle } else { slow = middle }
    }
    let unit = 10i64.pow(u32::from(MONEY_SCALE));
    let at = fast.div_euclid(unit) * unit;
    (rate > here.2).then(|| NextTier { at: money(at), rate: fixed::format(rate, RATE_SCALE), distance: money((at - here.0).max(0)) })
}

/// The first component with a quota whose result alone decides its pay.
fn subject(run: &RunView, payee_id: &str, period_id: &str) -> Option<(Plan, Component, i64, i64, i64)> {
    rows_of(run, "earnings", payee_id, period_id).find_map(|(table, row)| {
        let plan = run.company.plan_for_period(text(table, "plan_id", row)?, payee_id, period_id)?;
        let component = plan.components.iter().find(|own| Some(own.id.as_str()) == text(table, "component_id", row))?.clone();
        let quota = number(table, "quota", row).filter(|quota| *quota > 0)?;
        let alone = component.stands_alone() && text(table, "transaction_id", row).is_none();
        let (value, target) = (number(table, "to_date", row)?, number(table, "target", row).unwrap_or(NULL_NUMBER));
        alone.then_some((plan, component, value, quota, target))
    })
}

/// The values that `params.<name>` has for the payee on the period's first day.
fn params(view: &View, plan: &Plan, component: &Component, payee_id: &str, period_id: &str) -> Vec<(String, i64)> {
    let table = &view.company.company.tables["parameters"];
    let from = view.company.period(period_id).map_or(0, |period| i64::from(period.from.0));
    let own = |name: &str| {
        (0..table.row_count()).find_map(|row| {
            let fits = text(table, "payee_id", row) == Some(payee_id)
                && text(table, "plan_id", row) == Some(plan.id.as_str())
                && text(table, "name", row) == Some(name)
                && number(table, "from_on", row).is_some_and(|start| start <= from)
                && number(table, "until_on", row).is_none_or(|until| from < until);
            fits.then(|| number(table, "value", row)).flatten()
        })
    };
    let given = component.params.iter().map(|(name, value)| (name.clone(), own(name).or_else(|| from_decimal(*value, RATE_SCALE))));
    given.map(|(name, value)| (name, value.unwrap_or(NULL_NUMBER))).collect()
}

/// An amount as people read it: thousands parted, without cents where there are none.
pub(super) fn spoken(amount: &str, currency: &str) -> String {
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut parted = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            parted.push(',');
        }
        parted.push(digit);
    }
    let cents = if cents.is_empty() { String::new() } else { format!(".{cents:0<2}") };
    format!("{sign}{parted}{cents} {currency}")
}

/// What the seller should know in one sentence.
pub(super) fn sentence(curve: &Curve, currency: &str) -> String {
    let percent = |rate: &str| {
        let rate: rust_decimal::Decimal = rate.parse().unwrap_or_default();
        (rate * rust_decimal::Decimal::ONE_HUNDRED).round_dp(2).normalize()
    };
    match &curve.next {
        Some(next) => format!(
            "Close {} more and every further {currency} 100 pays {currency} {} instead of {}.",
            spoken(&next.distance, currency),
            percent(&next.rate),
            percent(&curve.here.rate)
        ),
        None => format!("Every further {currency} 100 you close pays {currency} {}.", percent(&curve.here.rate)),
    }
}
