//! Figures and hints over a finished calculation: key figures per payee and period, and what somebody should look at.

use crate::outcome::findings_table;
use crate::{Conversion, Inputs, Outcome, accounting};
use attain_domain::accounting::Shares;
use attain_domain::fixed::{self, RATE_SCALE};
use attain_domain::point::{Call, Extensions, Identity, Point, check_answer};
use attain_domain::settings::{Settings, Step};
use attain_domain::table::{Column, NULL_NUMBER, Table};
use attain_domain::{Calendar, Day, Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Tables = BTreeMap<String, Arc<Table>>;

/// What a calculation and the figures over it come to.
#[derive(Debug)]
pub struct Analysis {
    /// Beside the tables of the outcome; `findings`, the last of them, holds those of both.
    pub tables: Vec<Table>,
    pub findings: Vec<Finding>,
    /// Of both, in order of point and name.
    pub used: Vec<Identity>,
    pub complete: bool,
}

/// Key figures, hints and all findings as tables, and the extensions used by all of it. Of an outcome that is not complete only
/// its findings.
pub fn analyse(inputs: &Inputs, outcome: &Outcome, extensions: &dyn Extensions) -> Analysis {
    let mut findings = outcome.findings.clone();
    let mut used: Vec<Identity> = outcome.used.iter().map(|own| own.identity.clone()).collect();
    let mut tables = Vec::new();
    let mut complete = outcome.complete;
    if outcome.complete {
        let results: BTreeMap<String, Table> =
            ["attainments", "statements", "earnings"].iter().map(|name| ((*name).to_owned(), outcome.table(name))).collect();
        let rates = Conversion::new(inputs);
        let figures = kpis(&inputs.settings, &inputs.tables, &results, &|currency, day| rates.as_ref()?.rate(currency, day), extensions);
        let hints = insights(&inputs.settings, &results, extensions);
        let mut take = |failed: String| {
            complete = false;
            findings.push(Finding::new(Severity::Error, "analysis-failed", "extensions", "-", failed));
        };
        match figures {
            Ok((table, own)) => {
                tables.push(table);
                used.extend(own);
            }
            Err(failed) => take(failed),
        }
        match hints {
            Ok((own, by)) => {
                findings.extend(own);
                used.extend(by);
            }
            Err(failed) => take(failed),
        }
        if let Some((table, own)) = accounting::amortization(inputs, outcome) {
            tables.push(table);
            findings.extend(own);
        }
        if let Some((table, own)) = accounting::accruals(inputs, outcome, extensions) {
            tables.push(table);
            findings.extend(own);
        }
        if let Some((table, own)) = accounting::margins(inputs, outcome) {
            tables.push(table);
            findings.extend(own);
        }
        if inputs.settings.accounting.shares == Shares::States {
            tables.push(outcome.table("shares"));
        }
    }
    used.sort_by(|left, right| (left.point, &left.name).cmp(&(right.point, &right.name)));
    used.dedup();
    tables.push(findings_table(&findings));
    Analysis { tables, findings, used, complete }
}

/// Calls the extension of `step` and checks the form of its answer.
fn call(extensions: &dyn Extensions, point: Point, step: &Step, input: &[Table]) -> Result<(Identity, Vec<Table>), String> {
    let failed = |fault| format!("extension `{}`: {fault}", step.extension);
    let extension = extensions.get(point, &step.extension).map_err(failed)?;
    let answer = extension.run(&Call { settings: &step.settings, input }).map_err(failed)?;
    check_answer(point.contract(), &answer.tables).map_err(failed)?;
    Ok((extension.identity().clone(), answer.tables))
}

/// What one payee did in one period.
#[derive(Debug, Clone, Copy, Default)]
struct Activity {
    attained: i64,
    quota: Option<i64>,
    earned: i64,
    won_count: i64,
    won_amount: i64,
    won_days: i64,
    lost_count: i64,
    open_count: i64,
    open_amount: i64,
}

/// Rates for the pipeline: company currency for one unit, scaled 10⁻⁸.
type RateOf<'a> = &'a dyn Fn(&str, Day) -> Option<i64>;

/// The table `kpis`: payee_id, period_id, kpi, value (rate; no row where a figure has no value). Periods without statements
/// have figures of the pipeline only.
/// Won and lost deals count in the period of their close date, open ones in the period of their expected close date.
fn kpis(
    settings: &Settings,
    tables: &Tables,
    results: &BTreeMap<String, Table>,
    rate_of: RateOf<'_>,
    extensions: &dyn Extensions,
) -> Result<(Table, Vec<Identity>), String> {
    let calendar = Calendar::new(&settings.calendar)?;
    let activity = activities(tables, results, rate_of, &calendar);
    let keys: Vec<(&str, usize)> = activity.keys().map(|(payee, period)| (payee.as_str(), *period)).collect();
    let column = |value: fn(&Activity) -> i64| activity.values().map(value).collect::<Vec<i64>>();
    let rows = Table::new("rows")
        .with("payee_id", Column::text(&keys.iter().map(|(payee, _)| Some(*payee)).collect::<Vec<_>>()))
        .with("period_id", Column::text(&keys.iter().map(|(_, period)| Some(calendar.periods[*period].id.as_str())).collect::<Vec<_>>()))
        .with("attained", Column::money(column(|own| own.attained)))
        .with("quota", Column::money(column(|own| own.quota.unwrap_or(NULL_NUMBER))))
        .with("earned", Column::money(column(|own| own.earned)))
        .with("won_count", Column::integer(column(|own| own.won_count)))
        .with("won_amount", Column::money(column(|own| own.won_amount)))
        .with("won_days", Column::integer(column(|own| own.won_days)))
        .with("lost_count", Column::integer(column(|own| own.lost_count)))
        .with("open_count", Column::integer(column(|own| own.open_count)))
        .with("open_amount", Column::money(column(|own| own.open_amount)));
    let mut values: BTreeMap<(usize, String), i64> = BTreeMap::new();
    let mut used = Vec::new();
    for step in &settings.kpis {
        let (identity, answer) = call(extensions, Point::Kpi, step, std::slice::from_ref(&rows))?;
        let Some(table) = answer.iter().find(|table| table.name == "values") else { continue };
        if let (Some(row_numbers), Some(figures)) = (table.numbers("row"), table.numbers("value")) {
            for (row, figure) in row_numbers.iter().zip(figures) {
                let row = usize::try_from(*row)
                    .ok()
                    .filter(|row| *row < keys.len())
                    .ok_or_else(|| format!("extension `{}` answered row {row}, which it was not given", step.extension))?;
                if *figure != NULL_NUMBER {
                    values.insert((row, identity.name.clone()), *figure);
                }
            }
        }
        used.push(identity);
    }
    let table = Table::new("kpis")
        .with("payee_id", Column::text(&values.keys().map(|(row, _)| Some(keys[*row].0)).collect::<Vec<_>>()))
        .with(
            "period_id",
            Column::text(&values.keys().map(|(row, _)| Some(calendar.periods[keys[*row].1].id.as_str())).collect::<Vec<_>>()),
        )
        .with("kpi", Column::text(&values.keys().map(|(_, name)| Some(name.as_str())).collect::<Vec<_>>()))
        .with("value", Column::rate(values.values().copied().collect()));
    Ok((table, used))
}

fn activities(
    tables: &Tables,
    results: &BTreeMap<String, Table>,
    rate_of: RateOf<'_>,
    calendar: &Calendar,
) -> BTreeMap<(String, usize), Activity> {
    let mut activity: BTreeMap<(String, usize), Activity> = BTreeMap::new();
    let settled: BTreeSet<&str> = results
        .get("statements")
        .and_then(|table| table.texts("period_id"))
        .map(|periods| periods.dictionary.iter().map(String::as_str).collect())
        .unwrap_or_default();
    if let Some(table) = results.get("attainments")
        && let (Some(payees), Some(periods)) = (table.texts("payee_id"), table.texts("period_id"))
        && let (Some(values), Some(quotas)) = (table.numbers("value"), table.numbers("quota"))
    {
        for row in 0..table.row_count() {
            if let (Some(payee), Some(period)) = (payees.get(row), periods.get(row).and_then(|id| calendar.index_of(id)))
                && quotas[row] != NULL_NUMBER
                && settled.contains(calendar.periods[period].id.as_str())
            {
                let own = activity.entry((payee.to_owned(), period)).or_default();
                own.attained += values[row];
                own.quota = Some(own.quota.unwrap_or(0) + quotas[row]);
            }
        }
    }
    if let Some(table) = results.get("statements")
        && let (Some(payees), Some(periods), Some(earned)) = (table.texts("payee_id"), table.texts("period_id"), table.numbers("earned"))
    {
        for row in 0..table.row_count() {
            if let (Some(payee), Some(period)) = (payees.get(row), periods.get(row).and_then(|id| calendar.index_of(id))) {
                activity.entry((payee.to_owned(), period)).or_default().earned += earned[row];
            }
        }
    }
    if let Some(table) = tables.get("opportunities")
        && let (Some(payees), Some(outcomes), Some(currencies)) = (table.texts("payee_id"), table.texts("outcome"), table.texts("currency"))
        && let (Some(amounts), Some(created), Some(closed)) =
            (table.numbers("amount"), table.numbers("created_on"), table.numbers("close_on"))
    {
        for row in 0..table.row_count() {
            let close = i32::try_from(closed[row]).ok().map(Day);
            let (Some(payee), Some(close)) = (payees.get(row), close) else { continue };
            let Some(period) = calendar.find(close) else { continue };
            let rate = currencies.get(row).and_then(|currency| rate_of(currency, close));
            let one = 10i128.pow(u32::from(RATE_SCALE));
            let amount = rate.map_or(0, |rate| {
                let product = i128::from(amounts[row]) * i128::from(rate);
                i64::try_from(fixed::divide(product, one, fixed::RoundingMode::HalfEven)).unwrap_or(i64::MAX)
            });
            let own = activity.entry((payee.to_owned(), period)).or_default();
            match outcomes.get(row) {
                Some("won") => {
                    own.won_count += 1;
                    own.won_amount += amount;
                    own.won_days += (closed[row] - created[row]).max(0);
                }
                Some("lost") => own.lost_count += 1,
                _ => {
                    own.open_count += 1;
                    own.open_amount += amount;
                }
            }
        }
    }
    activity
}

/// Findings of severity info that the insight extensions make of the earnings, most remarkable first.
fn insights(
    settings: &Settings,
    results: &BTreeMap<String, Table>,
    extensions: &dyn Extensions,
) -> Result<(Vec<Finding>, Vec<Identity>), String> {
    let Some(earnings) = results.get("earnings") else { return Ok((Vec::new(), Vec::new())) };
    let mut rows = Table::new("rows");
    for (name, own) in [
        ("payee_id", "payee_id"),
        ("period_id", "period_id"),
        ("plan_id", "plan_id"),
        ("component_id", "component_id"),
        ("credited", "credited"),
        ("quota", "quota"),
        ("attainment", "attainment"),
        ("earned", "amount"),
    ] {
        let column = earnings.column(own).ok_or_else(|| format!("the earnings have no column `{own}`"))?;
        rows = rows.with(name, column.clone());
    }
    let mut hints: Vec<(i64, Finding)> = Vec::new();
    let mut used = Vec::new();
    for step in &settings.insights {
        let (identity, answer) = call(extensions, Point::Insight, step, std::slice::from_ref(&rows))?;
        let Some(table) = answer.iter().find(|table| table.name == "insights") else { continue };
        if let (Some(row_numbers), Some(codes), Some(scores), Some(messages)) =
            (table.numbers("row"), table.texts("code"), table.numbers("score"), table.texts("message"))
        {
            for at in 0..table.row_count() {
                let row = usize::try_from(row_numbers[at])
                    .ok()
                    .filter(|row| *row < rows.row_count())
                    .ok_or_else(|| format!("extension `{}` pointed at row {}, which it was not given", step.extension, row_numbers[at]))?;
                let record = ["payee_id", "period_id", "plan_id", "component_id"]
                    .iter()
                    .filter_map(|name| rows.column(name).and_then(|column| column.show(row)))
                    .collect::<Vec<_>>()
                    .join("/");
                let code = codes.get(at).unwrap_or("insight");
                hints.push((scores[at], Finding::new(Severity::Info, code, "earnings", record, messages.get(at).unwrap_or_default())));
            }
        }
        used.push(identity);
    }
    hints.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
    Ok((hints.into_iter().map(|(_, finding)| finding).collect(), used))
}
