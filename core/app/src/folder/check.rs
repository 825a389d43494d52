//! What rows must be to each other: references, spans, trees, and the settings and plans they name.

use super::problem::{Problem, Problems, advice};
use super::rows::Sheet;
use super::{PlanFile, cell};
use attain_domain::plan::Measure;
use attain_domain::schema::{ENTITIES, Entity, Kind, entity};
use attain_domain::settings::{FxPolicy, OWN_ROLES, Settings};
use attain_domain::{Calendar, Column, Day, NULL_CODE, NULL_NUMBER, TextColumn};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

type Sheets = BTreeMap<&'static str, Sheet>;

/// Every check of rows. Plans are `None` where one of them could not be read: then nothing is held against them.
pub(super) fn tables(sheets: &Sheets, settings: Option<&Settings>, plans: Option<&[PlanFile]>, problems: &mut Problems) {
    for entity in ENTITIES {
        let Some(sheet) = sheets.get(entity.name) else { continue };
        references(entity, sheet, sheets, problems);
        spans(entity, &file(entity.name), sheet, problems);
    }
    hierarchy(&sheets["hierarchy"], problems);
    tree("families", "family_id", &sheets["families"], problems);
    tree("territories", "territory_id", &sheets["territories"], problems);
    ranges(sheets, problems);
    relationship_names(&sheets["relationships"], problems);
    if let Some(settings) = settings {
        let measures: BTreeSet<&str> = settings.measures.iter().map(|measure: &Measure| measure.id.as_str()).collect();
        known("quotas", "measure_id", &measures, "measure in company.toml", sheets, problems);
        if let Ok(calendar) = Calendar::new(&settings.calendar) {
            let periods = calendar.periods.iter().map(|period| period.id.as_str()).collect();
            known("quotas", "period_id", &periods, "period of the calendar in company.toml", sheets, problems);
        }
        rates(sheets, settings, problems);
    }
    if let Some(plans) = plans {
        super::plan_checks::rows(sheets, settings, plans, problems);
        let plans = plans.iter().map(|file| file.plan.id.as_str()).collect();
        for entity in ["plan_assignments", "parameters", "plan_rules", "plan_overrides"] {
            known(entity, "plan_id", &plans, "plan in plans/", sheets, problems);
        }
    }
}

/// A relationship under the name of what a transaction says itself could not be told from it.
fn relationship_names(sheet: &Sheet, problems: &mut Problems) {
    let Some(names) = sheet.table.texts("name") else { return };
    for row in 0..sheet.table.row_count() {
        if let Some(name) = names.get(row).filter(|name| OWN_ROLES.contains(name)) {
            let message = "stands for what a transaction says itself; choose another name for the relationship";
            problems.push(problem(sheet, row, "name", name, message));
        }
    }
}

fn file(entity: &str) -> String {
    format!("{entity}.csv")
}

pub(super) fn problem(sheet: &Sheet, row: usize, column: &str, value: &str, message: impl Into<String>) -> Problem {
    Problem::new(&file(&sheet.table.name), message).at(sheet.line(row)).column(column, sheet.position(column)).value(value)
}

/// Looking for what was meant costs more than finding that it is wrong, so it is done for a few different values only.
#[derive(Default)]
struct Advised<'a>(HashMap<&'a str, String>);

impl<'a> Advised<'a> {
    const MAX: usize = 100;

    fn advice<'b>(&mut self, value: &'a str, candidates: impl Iterator<Item = &'b str>, otherwise: &str) -> String {
        if self.0.len() >= Advised::MAX && !self.0.contains_key(value) {
            return format!("; {otherwise}");
        }
        self.0.entry(value).or_insert_with(|| advice(value, candidates, otherwise)).clone()
    }
}

fn references(entity: &Entity, sheet: &Sheet, sheets: &Sheets, problems: &mut Problems) {
    for field in entity.fields {
        let Kind::Reference(target) = field.kind else { continue };
        let Some(Sheet { complete: true, table, .. }) = sheets.get(target) else { continue };
        // Dictionaries of canonical tables hold exactly the values that are used, in ascending order.
        let ids = table.columns.first().and_then(|(name, _)| table.texts(name)).map_or(&[] as &[String], |column| &column.dictionary);
        let Some(column) = sheet.table.texts(field.name) else { continue };
        let known: Vec<bool> = column.dictionary.iter().map(|value| ids.binary_search(value).is_ok()).collect();
        if known.iter().all(|known| *known) {
            continue;
        }
        let mut advised = Advised::default();
        for (row, code) in column.codes.iter().enumerate().filter(|(_, code)| **code != NULL_CODE && !known[**code as usize]) {
            let value = &column.dictionary[*code as usize];
            let advice = advised.advice(value, ids.iter().map(String::as_str), &format!("add it to {}", file(target)));
            problems.push(problem(sheet, row, field.name, value, format!("is not in {}{advice}", file(target))));
        }
    }
}

fn known(entity: &str, field: &str, ids: &BTreeSet<&str>, what: &str, sheets: &Sheets, problems: &mut Problems) {
    let sheet = &sheets[entity];
    let Some(column) = sheet.table.texts(field) else { return };
    let mut advised = Advised::default();
    for (row, code) in column.codes.iter().enumerate() {
        if let Some(value) = column.dictionary.get(*code as usize)
            && !ids.contains(value.as_str())
        {
            let advice = advised.advice(value, ids.iter().copied(), "add it or correct the value");
            problems.push(problem(sheet, row, field, value, format!("is no {what}{advice}")));
        }
    }
}

/// Spans that end before they start, and spans of one thing that overlap.
pub(super) fn spans(entity: &Entity, name: &str, sheet: &Sheet, problems: &mut Problems) {
    let (Some(from), Some(until)) = (sheet.table.numbers("from_on"), sheet.table.numbers("until_on")) else { return };
    let day = |value: i64| i32::try_from(value).map_or_else(|_| value.to_string(), |day| Day(day).to_string());
    let at = |row: usize, column: &str, value: String, message: String| {
        Problem::new(name, message).at(sheet.line(row)).column(column, sheet.position(column)).value(&value)
    };
    for row in 0..from.len() {
        if from[row] != NULL_NUMBER && until[row] != NULL_NUMBER && until[row] <= from[row] {
            let message = format!("is not after from_on {}; until_on is the first day that is no longer part of the span", day(from[row]));
            problems.push(at(row, "until_on", day(until[row]), message));
        }
    }
    if entity.exclusive_by == 0 {
        return;
    }
    let owners: Vec<&TextColumn> = entity.fields[..entity.exclusive_by].iter().filter_map(|field| sheet.table.texts(field.name)).collect();
    let owner = |row: usize| owners.iter().map(|column| column.codes[row]).collect::<Vec<u32>>();
    let mut order: Vec<(Vec<u32>, i64, usize)> = (0..from.len()).map(|row| (owner(row), from[row], row)).collect();
    order.retain(|(owner, from, _)| *from != NULL_NUMBER && !owner.contains(&NULL_CODE));
    order.sort_unstable();
    let end = |row: usize| if until[row] == NULL_NUMBER { i64::MAX } else { until[row] };
    let mut latest: Option<usize> = None;
    for (position, (owner, start, row)) in order.iter().enumerate() {
        if position == 0 || order[position - 1].0 != *owner {
            latest = None;
        }
        if let Some(other) = latest
            && *start < end(other)
        {
            let text = entity.fields[..entity.exclusive_by]
                .iter()
                .filter_map(|field| cell(&sheet.table, field, *row))
                .collect::<Vec<_>>()
                .join(", ");
            let place = sheet.line(other).map_or_else(String::new, |line| format!(" on line {line}"));
            let to = if end(other) == i64::MAX { "without end".to_owned() } else { format!("until {}", day(end(other))) };
            let message = if *start == from[other] {
                format!("of `{text}` overlaps the span{place} from {} {to}; correct one of them", day(from[other]))
            } else {
                format!("of `{text}` overlaps the span{place} from {} {to}; end that one with until_on {}", day(from[other]), day(*start))
            };
            problems.push(at(*row, "from_on", day(*start), message));
        }
        if latest.is_none_or(|other| end(*row) > end(other)) {
            latest = Some(*row);
        }
    }
}

/// Positions that report to each other on some day. A cycle appears on the day on which the last of its lines starts, so it is
/// enough to climb from every line on its first day.
fn hierarchy(sheet: &Sheet, problems: &mut Problems) {
    let (Some(positions), Some(managers)) = (sheet.table.texts("position_id"), sheet.table.texts("manager_position_id")) else { return };
    let (Some(from), Some(until)) = (sheet.table.numbers("from_on"), sheet.table.numbers("until_on")) else { return };
    let mut lines_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for row in 0..from.len() {
        if let Some(position) = positions.get(row) {
            lines_of.entry(position).or_default().push(row);
        }
    }
    let manager_on = |position: &str, day: i64| {
        let row = lines_of.get(position)?.iter().find(|row| from[**row] <= day && (until[**row] == NULL_NUMBER || day < until[**row]))?;
        managers.get(*row)
    };
    let mut named: HashSet<Vec<&str>> = HashSet::new();
    let mut rows: Vec<usize> = (0..from.len()).filter(|row| from[*row] != NULL_NUMBER).collect();
    rows.sort_by_key(|row| from[*row]);
    for row in rows {
        let (Some(position), Some(manager)) = (positions.get(row), managers.get(row)) else { continue };
        let mut path = vec![position];
        let mut next = Some(manager);
        // A climb longer than there are positions runs in a cycle further up, which its own lines report.
        while let Some(current) = next.filter(|current| *current != position && path.len() <= lines_of.len()) {
            path.push(current);
            next = manager_on(current, from[row]);
        }
        if next == Some(position) {
            let mut members = path.clone();
            members.sort_unstable();
            if named.insert(members) {
                let day = i32::try_from(from[row]).map_or_else(|_| String::new(), |day| Day(day).to_string());
                let message = format!("reports to itself on {day}: {}; correct one of these lines", chain(&path));
                problems.push(problem(sheet, row, "manager_position_id", manager, message));
            }
        }
    }
}

fn tree(entity: &str, id: &str, sheet: &Sheet, problems: &mut Problems) {
    let (Some(ids), Some(parents)) = (sheet.table.texts(id), sheet.table.texts("parent_id")) else { return };
    let parent_of: HashMap<&str, &str> = (0..ids.codes.len()).filter_map(|row| Some((ids.get(row)?, parents.get(row)?))).collect();
    let mut named: HashSet<Vec<&str>> = HashSet::new();
    for row in 0..ids.codes.len() {
        let (Some(own), Some(parent)) = (ids.get(row), parents.get(row)) else { continue };
        let mut path = vec![own];
        let mut next = Some(parent);
        while let Some(current) = next.filter(|current| *current != own && path.len() <= parent_of.len()) {
            path.push(current);
            next = parent_of.get(current).copied();
        }
        if next == Some(own) {
            let mut members = path.clone();
            members.sort_unstable();
            if named.insert(members) {
                problems.push(problem(
                    sheet,
                    row,
                    "parent_id",
                    parent,
                    format!("makes a circle of {entity}: {}; correct one of these lines", chain(&path)),
                ));
            }
        }
    }
}

/// A circle in words, shortened in the middle.
fn chain(path: &[&str]) -> String {
    let mut shown: Vec<&str> = path.iter().copied().take(8).collect();
    if path.len() > 8 {
        shown.push("…");
    }
    shown.push(path[0]);
    shown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ")
}

/// Numbers that cannot be: places off the globe and rates that are not positive.
fn ranges(sheets: &Sheets, problems: &mut Problems) {
    const DEGREE: i64 = 100_000_000;
    for (entity_name, field, least, most, advice) in [
        ("accounts", "latitude", -90 * DEGREE, 90 * DEGREE, "write degrees from -90 to 90"),
        ("accounts", "longitude", -180 * DEGREE, 180 * DEGREE, "write degrees from -180 to 180"),
        ("fx_rates", "rate", 1, i64::MAX, "write company currency for one unit, greater than 0"),
        ("leaves", "quota_relief", 0, 100_000_000, "write a share from 0 to 1"),
        ("leaves", "target_relief", 0, 100_000_000, "write a share from 0 to 1"),
    ] {
        let sheet = &sheets[entity_name];
        let kind = entity(entity_name).and_then(|entity| entity.field(field));
        let (Some(values), Some(kind)) = (sheet.table.numbers(field), kind) else { continue };
        for (row, value) in values.iter().enumerate().filter(|(_, value)| **value != NULL_NUMBER && !(least..=most).contains(*value)) {
            problems.push(problem(sheet, row, field, &super::value::shown(kind.kind, *value), format!("is out of range; {advice}")));
        }
    }
}

/// Currencies that have no rate of the kind that the company converts with. A rate that starts too late is a finding of a run.
fn rates(sheets: &Sheets, settings: &Settings, problems: &mut Problems) {
    let wanted = match settings.fx {
        FxPolicy::TransactionDate => "spot",
        FxPolicy::PeriodAverage => "average",
        FxPolicy::PlanRate => "plan",
    };
    let rates = &sheets["fx_rates"];
    let (true, Some(kinds), Some(currencies)) = (rates.complete, rates.table.texts("kind"), rates.table.texts("currency")) else { return };
    let rows = 0..rates.table.row_count();
    let known: BTreeSet<&str> = rows.filter(|row| kinds.get(*row) == Some(wanted)).filter_map(|row| currencies.get(row)).collect();
    for entity in ["transactions", "opportunities"] {
        let sheet = &sheets[entity];
        let Some(Column::Text(column)) = sheet.table.column("currency") else { continue };
        let mut named = HashSet::new();
        for (row, code) in column.codes.iter().enumerate() {
            let Some(currency) = column.dictionary.get(*code as usize) else { continue };
            if *currency != settings.currency && !known.contains(currency.as_str()) && named.insert(*code) {
                let message = format!("has no `{wanted}` rate to {}; add one to fx_rates.csv or correct the currency", settings.currency);
                problems.push(problem(sheet, row, "currency", currency, message));
            }
        }
    }
}
