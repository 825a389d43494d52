//! Planning: territories, quotas and forecasts. The core builds the tables, an extension decides, the core checks the answer.
//! A proposal changes nothing until it is applied.

use crate::folder::Tables;
use crate::refusal::Refusal;
use attain_domain::fixed::{self, MONEY_SCALE, RATE_SCALE};
use attain_domain::point::{Call, Extensions, Identity, Point, check_answer};
use attain_domain::settings::{Settings, Step};
use attain_domain::table::{Column, NULL_NUMBER, Table, TextColumn};
use attain_domain::{Calendar, Day};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Scale of one whole in money columns.
const ONE: i64 = 10_000;

/// One account that would change its territory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub account_id: String,
    pub from: Option<String>,
    pub to: String,
}

/// The load of one territory before and after, per measure in the order of `TerritoryProposal::measures`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerritoryLoad {
    pub territory_id: String,
    pub accounts_before: usize,
    pub accounts_after: usize,
    pub before: Vec<i64>,
    pub after: Vec<i64>,
}

#[derive(Debug, Clone)]
pub struct TerritoryProposal {
    pub by: Identity,
    pub from: Day,
    pub measures: Vec<String>,
    pub moves: Vec<Move>,
    pub loads: Vec<TerritoryLoad>,
    /// `account_territories` as it would be.
    pub wanted: Table,
}

impl TerritoryProposal {
    /// The largest load over the mean load for each measure, in per mille, before and after.
    pub fn imbalance(&self) -> Vec<(String, i64, i64)> {
        let per_mille = |values: Vec<i64>| {
            let total: i128 = values.iter().map(|value| i128::from(*value)).sum();
            let largest = values.iter().copied().max().unwrap_or(0);
            if total == 0 { 0 } else { (i128::from(largest) * values.len() as i128 * 1000 / total) as i64 }
        };
        let load =
            |index: usize, after: bool| self.loads.iter().map(|load| if after { load.after[index] } else { load.before[index] }).collect();
        self.measures
            .iter()
            .enumerate()
            .map(|(index, name)| (name.clone(), per_mille(load(index, false)), per_mille(load(index, true))))
            .collect()
    }
}

fn table<'a>(tables: &'a Tables, name: &str) -> Result<&'a Table, Refusal> {
    tables.get(name).ok_or_else(|| Refusal::invalid(format!("there is no `{name}` yet; load a company first")))
}

fn texts<'a>(table: &'a Table, name: &str) -> Result<&'a TextColumn, Refusal> {
    table.texts(name).ok_or_else(|| Refusal::invalid(format!("table `{}` has no text column `{name}`", table.name)))
}

fn numbers<'a>(table: &'a Table, name: &str) -> Result<&'a [i64], Refusal> {
    table.numbers(name).ok_or_else(|| Refusal::invalid(format!("table `{}` has no number column `{name}`", table.name)))
}

/// Calls the extension of `step` and checks the form of its answer.
pub(crate) fn call(extensions: &dyn Extensions, point: Point, step: &Step, input: &[Table]) -> Result<(Identity, Vec<Table>), Refusal> {
    let failed = |fault| Refusal::extension(&step.extension, &fault);
    let extension = extensions.get(point, &step.extension).map_err(failed)?;
    let answer = extension.run(&Call { settings: &step.settings, input }).map_err(failed)?;
    check_answer(point.contract(), &answer.tables).map_err(failed)?;
    Ok((extension.identity().clone(), answer.tables))
}

fn answer_table<'a>(tables: &'a [Table], name: &str) -> Result<&'a Table, Refusal> {
    tables.iter().find(|table| table.name == name).ok_or_else(|| Refusal::invalid(format!("the answer has no table `{name}`")))
}

/// Balances accounts over the territories that a position owns, as of `from`.
pub fn territories(settings: &Settings, tables: &Tables, extensions: &dyn Extensions, from: Day) -> Result<TerritoryProposal, Refusal> {
    let step = settings.territory.as_ref().ok_or_else(|| {
        Refusal::invalid("company.toml names no territory extension; add `[territory]` with `extension = \"territory-balance\"`")
    })?;
    let accounts = table(tables, "accounts")?;
    let links = table(tables, "account_territories")?;
    let coverage = table(tables, "coverage")?;
    let owned: BTreeSet<&str> = {
        let (roles, territory) = (texts(coverage, "role")?, texts(coverage, "territory_id")?);
        let (starts, ends) = (numbers(coverage, "from_on")?, numbers(coverage, "until_on")?);
        (0..coverage.row_count())
            .filter(|row| roles.get(*row) == Some("owner") && holds(starts[*row], ends[*row], from))
            .filter_map(|row| territory.get(row))
            .collect()
    };
    if owned.is_empty() {
        return Err(Refusal::invalid(format!("no position owns a territory on {from}; add rows with role `owner` to coverage.csv")));
    }
    let (link_accounts, link_territories) = (texts(links, "account_id")?, texts(links, "territory_id")?);
    let (link_from, link_until) = (numbers(links, "from_on")?, numbers(links, "until_on")?);
    let present: BTreeMap<&str, usize> = (0..links.row_count())
        .filter(|row| holds(link_from[*row], link_until[*row], from))
        .filter_map(|row| link_accounts.get(row).map(|account| (account, row)))
        .collect();

    let ids = texts(accounts, "account_id")?;
    let count = accounts.row_count();
    let now: Vec<Option<&str>> =
        (0..count).map(|row| present.get(ids.get(row).unwrap_or_default()).and_then(|link| link_territories.get(*link))).collect();
    let mut locked: Vec<i64> = numbers(accounts, "locked")?.iter().map(|flag| i64::from(*flag == 1)).collect();
    // An account in a territory that nobody owns is not part of the plan and stays where it is.
    for row in 0..count {
        if now[row].is_some_and(|territory| !owned.contains(territory)) {
            locked[row] = 1;
        }
    }
    let measures = vec!["potential".to_owned(), "workload".to_owned()];
    let columns: Vec<Vec<i64>> = measures
        .iter()
        .map(|name| {
            numbers(accounts, name).map(|values| values.iter().map(|value| if *value == NULL_NUMBER { ONE } else { *value }).collect())
        })
        .collect::<Result<_, _>>()?;
    let in_plan: Vec<usize> = (0..count).filter(|row| now[*row].is_none_or(|territory| owned.contains(territory))).collect();
    let mut input = Table::new("accounts")
        .with("account_id", Column::text(&(0..count).map(|row| ids.get(row)).collect::<Vec<_>>()))
        .with("latitude", Column::rate(numbers(accounts, "latitude")?.to_vec()))
        .with("longitude", Column::rate(numbers(accounts, "longitude")?.to_vec()))
        .with("territory_id", Column::text(&now))
        .with("locked", Column::integer(locked.clone()));
    for (name, values) in measures.iter().zip(&columns) {
        input = input.with(&format!("measure.{name}"), Column::money(values.clone()));
    }
    let input = input.take(&in_plan);
    let territory_ids: Vec<Option<&str>> = owned.iter().map(|id| Some(*id)).collect();
    let unknown = vec![NULL_NUMBER; territory_ids.len()];
    let territory_table = Table::new("territories")
        .with("territory_id", Column::text(&territory_ids))
        .with("latitude", Column::rate(unknown.clone()))
        .with("longitude", Column::rate(unknown));
    let (by, answer) = call(extensions, Point::Territory, step, &[input, territory_table])?;

    let assignments = answer_table(&answer, "assignments")?;
    let (given_accounts, given_territories) = (texts(assignments, "account_id")?, texts(assignments, "territory_id")?);
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    for row in 0..assignments.row_count() {
        let (Some(account), Some(territory)) = (given_accounts.get(row), given_territories.get(row)) else {
            return Err(Refusal::invalid(format!("extension `{}` left row {row} of its assignments empty", step.extension)));
        };
        if !owned.contains(territory) {
            return Err(Refusal::invalid(format!(
                "extension `{}` assigned account `{account}` to the unknown territory `{territory}`",
                step.extension
            )));
        }
        if given.insert(account, territory).is_some() {
            return Err(Refusal::invalid(format!("extension `{}` assigned account `{account}` twice", step.extension)));
        }
    }
    if given.len() != in_plan.len() {
        return Err(Refusal::invalid(format!("extension `{}` assigned {} of {} accounts", step.extension, given.len(), in_plan.len())));
    }

    let mut moves = Vec::new();
    let mut loads: BTreeMap<&str, TerritoryLoad> = owned
        .iter()
        .map(|id| {
            let zero = vec![0; measures.len()];
            (
                *id,
                TerritoryLoad { territory_id: (*id).to_owned(), accounts_before: 0, accounts_after: 0, before: zero.clone(), after: zero },
            )
        })
        .collect();
    for row in in_plan {
        let account = ids.get(row).unwrap_or_default();
        let Some(to) = given.get(account).copied() else {
            return Err(Refusal::invalid(format!("extension `{}` did not assign account `{account}`", step.extension)));
        };
        if locked[row] == 1 && now[row].is_some_and(|territory| territory != to) {
            return Err(Refusal::invalid(format!("extension `{}` moved the locked account `{account}`", step.extension)));
        }
        if let Some(load) = now[row].and_then(|territory| loads.get_mut(territory)) {
            load.accounts_before += 1;
            for (sum, values) in load.before.iter_mut().zip(&columns) {
                *sum += values[row];
            }
        }
        if let Some(load) = loads.get_mut(to) {
            load.accounts_after += 1;
            for (sum, values) in load.after.iter_mut().zip(&columns) {
                *sum += values[row];
            }
        }
        if now[row] != Some(to) {
            moves.push(Move { account_id: account.to_owned(), from: now[row].map(str::to_owned), to: to.to_owned() });
        }
    }
    let wanted = moved(links, &moves, from)?;
    Ok(TerritoryProposal { by, from, measures, moves, loads: loads.into_values().collect(), wanted })
}

fn holds(from: i64, until: i64, day: Day) -> bool {
    from <= i64::from(day.0) && (until == NULL_NUMBER || i64::from(day.0) < until)
}

/// `account_territories` after the moves: the present span ends on `from`, a new one starts there.
fn moved(links: &Table, moves: &[Move], from: Day) -> Result<Table, Refusal> {
    let (accounts, territories) = (texts(links, "account_id")?, texts(links, "territory_id")?);
    let (starts, ends) = (numbers(links, "from_on")?, numbers(links, "until_on")?);
    let targets: BTreeMap<&str, &str> = moves.iter().map(|own| (own.account_id.as_str(), own.to.as_str())).collect();
    let day = i64::from(from.0);
    let mut rows: BTreeMap<(String, i64), (String, i64)> = BTreeMap::new();
    for row in 0..links.row_count() {
        let (account, territory) = (accounts.get(row).unwrap_or_default(), territories.get(row).unwrap_or_default());
        let mut until = ends[row];
        if targets.contains_key(account) {
            if starts[row] >= day {
                continue;
            }
            if until == NULL_NUMBER || until > day {
                until = day;
            }
        }
        rows.insert((account.to_owned(), starts[row]), (territory.to_owned(), until));
    }
    for (account, territory) in targets {
        rows.insert((account.to_owned(), day), (territory.to_owned(), NULL_NUMBER));
    }
    let keys: Vec<Option<&str>> = rows.keys().map(|(account, _)| Some(account.as_str())).collect();
    let values: Vec<Option<&str>> = rows.values().map(|(territory, _)| Some(territory.as_str())).collect();
    Ok(Table::new("account_territories")
        .with("account_id", Column::text(&keys))
        .with("from_on", Column::integer(rows.keys().map(|(_, start)| *start).collect()))
        .with("territory_id", Column::text(&values))
        .with("until_on", Column::integer(rows.values().map(|(_, until)| *until).collect())))
}

/// What quotas to spread.
#[derive(Debug, Clone)]
pub struct QuotaRequest {
    pub measure_id: String,
    /// Name of the fiscal year to plan.
    pub year: String,
    /// The year whose results give weights and seasonality.
    pub base_year: String,
    /// The total of the year; the base year's result times `growth` where absent.
    pub total: Option<Decimal>,
    pub growth: Decimal,
    /// What every quota is a multiple of.
    pub step: Decimal,
}

#[derive(Debug, Clone)]
pub struct QuotaProposal {
    pub by: Identity,
    pub measure_id: String,
    pub year: String,
    pub base_total: i64,
    pub total: i64,
    /// Payee, its result in the base year, its quota for the whole year.
    pub payees: Vec<(String, i64, i64)>,
    /// `quotas` as it would be.
    pub wanted: Table,
}

/// Spreads a total over the payees who had a quota for the measure in the base year, by their results of that year.
/// `measures` is the result table of a run.
pub fn quotas(
    settings: &Settings,
    tables: &Tables,
    measures: &Table,
    extensions: &dyn Extensions,
    request: &QuotaRequest,
) -> Result<QuotaProposal, Refusal> {
    let step = settings
        .quota
        .as_ref()
        .ok_or_else(|| Refusal::invalid("company.toml names no quota extension; add `[quota]` with `extension = \"quota-spread\"`"))?;
    let calendar = Calendar::new(&settings.calendar).map_err(Refusal::invalid)?;
    let periods_of = |year: &str| -> Vec<&str> {
        calendar.periods.iter().filter(|period| period.year == year).map(|period| period.id.as_str()).collect()
    };
    let (periods, base_periods) = (periods_of(&request.year), periods_of(&request.base_year));
    if periods.is_empty() || base_periods.is_empty() {
        let years: BTreeSet<&str> = calendar.periods.iter().map(|period| period.year.as_str()).collect();
        return Err(Refusal::invalid(format!(
            "the calendar has no year `{}` or no year `{}`; it has {years:?}",
            request.year, request.base_year
        )));
    }
    let quotas = table(tables, "quotas")?;
    let (quota_payees, quota_measures, quota_periods) =
        (texts(quotas, "payee_id")?, texts(quotas, "measure_id")?, texts(quotas, "period_id")?);
    let quota_amounts = numbers(quotas, "amount")?;
    let holders: BTreeSet<&str> = (0..quotas.row_count())
        .filter(|row| quota_measures.get(*row) == Some(request.measure_id.as_str()))
        .filter(|row| quota_periods.get(*row).is_some_and(|period| base_periods.contains(&period)))
        .filter_map(|row| quota_payees.get(row))
        .collect();
    if holders.is_empty() {
        return Err(Refusal::invalid(format!("nobody had a quota for `{}` in `{}`", request.measure_id, request.base_year)));
    }
    let mut results: BTreeMap<&str, i64> = holders.iter().map(|payee| (*payee, 0)).collect();
    let mut by_position = vec![0i64; base_periods.len()];
    let (own_payees, own_measures, own_periods) =
        (texts(measures, "payee_id")?, texts(measures, "measure_id")?, texts(measures, "period_id")?);
    let values = numbers(measures, "value")?;
    for row in 0..measures.row_count() {
        if own_measures.get(row) != Some(request.measure_id.as_str()) {
            continue;
        }
        let position = own_periods.get(row).and_then(|period| base_periods.iter().position(|own| *own == period));
        if let (Some(position), Some(sum)) = (position, own_payees.get(row).and_then(|payee| results.get_mut(payee))) {
            *sum += values[row];
            by_position[position] += values[row];
        }
    }
    let base_total: i64 = results.values().sum();
    let total = match request.total {
        Some(total) => fixed::from_decimal_rounded(total, MONEY_SCALE),
        None => fixed::to_decimal(base_total, MONEY_SCALE)
            .checked_mul(request.growth)
            .map(|grown| grown.round_dp(0))
            .and_then(|grown| fixed::from_decimal_rounded(grown, MONEY_SCALE)),
    }
    .filter(|total| *total > 0)
    .ok_or_else(|| {
        Refusal::invalid(format!("the total to spread is not positive; `{}` has no result in `{}`", request.measure_id, request.base_year))
    })?;
    let step_scaled = fixed::from_decimal(request.step, MONEY_SCALE)
        .filter(|step| *step > 0)
        .ok_or_else(|| Refusal::invalid("`step` must be positive"))?;
    let names: Vec<Option<&str>> = results.keys().map(|payee| Some(*payee)).collect();
    let no_bound = vec![NULL_NUMBER; names.len()];
    let nodes = Table::new("nodes")
        .with("payee_id", Column::text(&names))
        .with("weight", Column::money(results.values().map(|value| (*value).max(0)).collect()))
        .with("floor", Column::money(no_bound.clone()))
        .with("ceiling", Column::money(no_bound));
    // The season of a period is the share that the period at its place had in the base year.
    let season: Vec<i64> = (0..periods.len()).map(|position| by_position[position % by_position.len()].max(0)).collect();
    let period_names: Vec<Option<&str>> = periods.iter().map(|period| Some(*period)).collect();
    let period_table = Table::new("periods").with("period_id", Column::Text(in_order(&period_names))).with("season", Column::rate(season));
    let total_table = Table::new("total").with("amount", Column::money(vec![total])).with("step", Column::money(vec![step_scaled]));
    let (by, answer) = call(extensions, Point::Quota, step, &[nodes, period_table, total_table])?;

    let given = answer_table(&answer, "quotas")?;
    let (payees, given_periods, amounts) = (texts(given, "payee_id")?, texts(given, "period_id")?, numbers(given, "amount")?);
    let mut spread: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in 0..given.row_count() {
        let (Some(payee), Some(period)) = (payees.get(row), given_periods.get(row)) else {
            return Err(Refusal::invalid(format!("extension `{}` left row {row} of its quotas empty", step.extension)));
        };
        if !results.contains_key(payee) || !periods.contains(&period) || amounts[row] < 0 {
            return Err(Refusal::invalid(format!(
                "extension `{}` answered an unknown payee `{payee}`, period `{period}` or a negative quota",
                step.extension
            )));
        }
        if spread.insert((payee, period), amounts[row]).is_some() {
            return Err(Refusal::invalid(format!("extension `{}` answered `{payee}` in `{period}` twice", step.extension)));
        }
    }
    let sum: i128 = spread.values().map(|amount| i128::from(*amount)).sum();
    if sum != i128::from(total) || spread.len() != results.len() * periods.len() {
        return Err(Refusal::invalid(format!(
            "the quotas of extension `{}` do not cover everyone or do not sum to the total",
            step.extension
        )));
    }
    let mut rows: BTreeMap<(String, String, String), i64> = (0..quotas.row_count())
        .filter_map(|row| {
            let key = (quota_payees.get(row)?.to_owned(), quota_measures.get(row)?.to_owned(), quota_periods.get(row)?.to_owned());
            Some((key, quota_amounts[row]))
        })
        .collect();
    let mut yearly: BTreeMap<&str, i64> = BTreeMap::new();
    for ((payee, period), amount) in &spread {
        *yearly.entry(payee).or_default() += amount;
        rows.insert(((*payee).to_owned(), request.measure_id.clone(), (*period).to_owned()), *amount);
    }
    let column =
        |part: fn(&(String, String, String)) -> &String| Column::text(&rows.keys().map(|key| Some(part(key).as_str())).collect::<Vec<_>>());
    let wanted = Table::new("quotas")
        .with("payee_id", column(|key| &key.0))
        .with("measure_id", column(|key| &key.1))
        .with("period_id", column(|key| &key.2))
        .with("amount", Column::money(rows.values().copied().collect()));
    let per_payee = results.iter().map(|(payee, result)| ((*payee).to_owned(), *result, yearly.get(payee).copied().unwrap_or(0))).collect();
    Ok(QuotaProposal {
        by,
        measure_id: request.measure_id.clone(),
        year: request.year.clone(),
        base_total,
        total,
        payees: per_payee,
        wanted,
    })
}

/// A text column whose dictionary keeps the order of the values.
fn in_order(values: &[Option<&str>]) -> TextColumn {
    TextColumn {
        dictionary: values.iter().map(|value| value.unwrap_or_default().to_owned()).collect(),
        codes: (0..values.len() as u32).collect(),
    }
}

/// One step of a forecast, in company currency or the measure's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastStep {
    pub series_id: String,
    /// Id of the period, or `+n` beyond the calendar.
    pub period: String,
    pub value: i64,
    pub low: i64,
    pub high: i64,
}

#[derive(Debug, Clone)]
pub struct Forecast {
    pub by: Identity,
    pub measure_id: String,
    /// The last period with results.
    pub last_period: String,
    pub steps: Vec<ForecastStep>,
}

/// The series of the whole company; payees have their own id.
pub const COMPANY_SERIES: &str = "company";

/// Continues the measure of the whole company (credit at its origin only) and of each payee by `steps` periods.
pub fn forecast(
    settings: &Settings,
    credits_by_period: &[(String, i64)],
    measures: &Table,
    extensions: &dyn Extensions,
    measure_id: &str,
    steps: usize,
) -> Result<Forecast, Refusal> {
    let step = settings.forecast.as_ref().ok_or_else(|| {
        Refusal::invalid("company.toml names no forecast extension; add `[forecast]` with `extension = \"forecast-combined\"`")
    })?;
    let calendar = Calendar::new(&settings.calendar).map_err(Refusal::invalid)?;
    let last = credits_by_period
        .iter()
        .filter(|(_, value)| *value != 0)
        .filter_map(|(period, _)| calendar.index_of(period))
        .max()
        .ok_or_else(|| Refusal::invalid(format!("`{measure_id}` has no results to continue; run a calculation first")))?;
    let mut series: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut add = |id: &str, period: &str, value: i64| {
        if let Some(index) = calendar.index_of(period).filter(|index| *index <= last) {
            series.entry(id.to_owned()).or_insert_with(|| vec![0; last + 1])[index] += value;
        }
    };
    for (period, value) in credits_by_period {
        add(COMPANY_SERIES, period, *value);
    }
    let (payees, ids, periods, values) =
        (texts(measures, "payee_id")?, texts(measures, "measure_id")?, texts(measures, "period_id")?, numbers(measures, "value")?);
    for row in 0..measures.row_count() {
        if let (Some(payee), Some(period)) = (payees.get(row), periods.get(row))
            && ids.get(row) == Some(measure_id)
        {
            add(payee, period, values[row]);
        }
    }
    let mut names: Vec<Option<&str>> = Vec::new();
    let mut observed: Vec<i64> = Vec::new();
    for (id, own) in &series {
        // A payee's series starts with the first period that has a result.
        let first = own.iter().position(|value| *value != 0).unwrap_or(0);
        for value in &own[first..] {
            names.push(Some(id));
            observed.push(*value);
        }
    }
    let per_year = calendar.periods.iter().filter(|period| period.year == calendar.periods[last].year).count();
    let input = [
        Table::new("series").with("series_id", Column::text(&names)).with("value", Column::money(observed)),
        Table::new("horizon")
            .with("steps", Column::integer(vec![steps as i64]))
            .with("season", Column::integer(vec![per_year as i64]))
            .with("coverage", Column::rate(vec![80 * 10i64.pow(u32::from(RATE_SCALE) - 2)])),
    ];
    let (by, answer) = call(extensions, Point::Forecast, step, &input)?;
    let given = answer_table(&answer, "forecast")?;
    let (ids, numbers_of) = (texts(given, "series_id")?, numbers(given, "step")?);
    let (middle, low, high) = (numbers(given, "value")?, numbers(given, "low")?, numbers(given, "high")?);
    let mut result = Vec::with_capacity(given.row_count());
    for row in 0..given.row_count() {
        let id = ids.get(row).unwrap_or_default();
        let ahead = usize::try_from(numbers_of[row]).unwrap_or(0);
        if !series.contains_key(id) || ahead == 0 || ahead > steps || low[row] > middle[row] || middle[row] > high[row] {
            return Err(Refusal::invalid(format!(
                "extension `{}` answered a step that was not asked for, or bounds out of order, for `{id}`",
                step.extension
            )));
        }
        let period = calendar.periods.get(last + ahead).map_or_else(|| format!("+{ahead}"), |period| period.id.0.clone());
        result.push(ForecastStep { series_id: id.to_owned(), period, value: middle[row], low: low[row], high: high[row] });
    }
    Ok(Forecast { by, measure_id: measure_id.to_owned(), last_period: calendar.periods[last].id.0.clone(), steps: result })
}
