//! For tests of an extension as ordinary Rust: tables from literals, a run without Wasm, and the cases of `cases.toml`.

use crate::guest::Extension;
use crate::{Column, NULL, Table, TextColumn, exact};
use std::collections::BTreeMap;

/// A number of `scale` for each literal; an empty literal is no value. Panics on what is no decimal.
pub fn numbers(scale: u8, literals: &[&str]) -> Column {
    Column::number(scale, literals.iter().map(|literal| number(literal, scale).unwrap_or_else(|message| panic!("{message}"))).collect())
}

pub fn money(literals: &[&str]) -> Column {
    numbers(4, literals)
}

pub fn rates(literals: &[&str]) -> Column {
    numbers(8, literals)
}

pub fn integers(literals: &[&str]) -> Column {
    numbers(0, literals)
}

/// An empty literal is no value.
pub fn texts(literals: &[&str]) -> Column {
    let values: Vec<Option<&str>> = literals.iter().map(|literal| Some(*literal).filter(|literal| !literal.is_empty())).collect();
    Column::Text(TextColumn::from_values(&values))
}

/// The values of a column in plain notation; nothing for no value. Empty when the table or the column is not there.
pub fn shown(tables: &[Table], table: &str, column: &str) -> Vec<String> {
    match tables.iter().find(|own| own.name == table).and_then(|own| own.column(column)) {
        Some(column) => (0..column.len()).map(|row| show(column, row)).collect(),
        None => Vec::new(),
    }
}

fn show(column: &Column, row: usize) -> String {
    match column {
        Column::Text(text) => text.get(row).unwrap_or_default().to_owned(),
        Column::Number(number) => number.get(row).map(|value| exact::format(value, number.scale)).unwrap_or_default(),
    }
}

/// Configures and runs once: `testkit::run::<attain_sdk::guest::adapter::crediting<MyType>>(…)`, or shorter by [`crate::run!`].
pub fn run<E: Extension>(settings: &str, input: Vec<Table>) -> Result<Vec<Table>, String> {
    E::configure(settings)?.run(input)
}

/// Runs an extension once, natively: `attain_sdk::run!(crediting: MyType, r#"{"role":"owner"}"#, tables)`.
#[macro_export]
macro_rules! run {
    ($point:ident : $extension:ty, $settings:expr, $input:expr) => {
        $crate::testkit::run::<$crate::guest::adapter::$point<$extension>>($settings, $input)
    };
}

/// Defines a test that runs the cases of `cases.toml` natively: `attain_sdk::test_cases!(crediting: MyType);`.
#[macro_export]
macro_rules! test_cases {
    ($point:ident : $extension:ty) => {
        #[test]
        fn every_case_passes() {
            let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/cases.toml"));
            let red = $crate::testkit::red_cases::<$crate::guest::adapter::$point<$extension>>(stringify!($point), text);
            assert!(red.is_empty(), "{}", red.join("\n"));
        }
    };
}

/// Runs the cases in `text` and says what differs. Panics when `text` is not of the form of `cases.toml`.
pub fn red_cases<E: Extension>(point: &str, text: &str) -> Vec<String> {
    let parsed: Cases = toml::from_str(text).unwrap_or_else(|error| panic!("cases.toml: {error}"));
    assert!(!parsed.cases.is_empty(), "cases.toml holds no case");
    parsed
        .cases
        .iter()
        .flat_map(|case| case.differences::<E>(point).into_iter().map(|difference| format!("{}: {difference}", case.name)))
        .collect()
}

type Tables = BTreeMap<String, BTreeMap<String, Vec<toml::Value>>>;

#[derive(serde::Deserialize)]
struct Cases {
    #[serde(default)]
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    settings: Option<toml::Value>,
    #[serde(default)]
    input: Tables,
    #[serde(default)]
    answer: Tables,
    refused: Option<String>,
}

impl Case {
    fn differences<E: Extension>(&self, point: &str) -> Vec<String> {
        let settings = self.settings.as_ref().map_or(Ok("{}".to_owned()), serde_json::to_string);
        let answer = settings.map_err(|error| error.to_string()).and_then(|settings| run::<E>(&settings, tables(point, &self.input)?));
        match (answer, &self.refused) {
            (Err(message), Some(part)) if message.contains(part.as_str()) => Vec::new(),
            (Err(message), Some(part)) => vec![format!("expected a refusal with `{part}`, got `{message}`")],
            (Err(message), None) => vec![message],
            (Ok(_), Some(part)) => vec![format!("expected a refusal with `{part}`, got an answer")],
            (Ok(answer), None) => self
                .answer
                .iter()
                .flat_map(|(table, columns)| {
                    columns.iter().flat_map(|(column, expected)| compare(&answer, table, column, expected)).collect::<Vec<_>>()
                })
                .collect(),
        }
    }
}

fn compare(answer: &[Table], table: &str, column: &str, expected: &[toml::Value]) -> Vec<String> {
    let Some(found) = answer.iter().find(|own| own.name == table).and_then(|own| own.column(column)) else {
        return vec![format!("the answer has no column `{table}.{column}`")];
    };
    let mut differences = Vec::new();
    if found.len() != expected.len() {
        differences.push(format!("`{table}.{column}`: expected {} rows, got {}", expected.len(), found.len()));
    }
    for (row, value) in expected.iter().enumerate().take(found.len()) {
        let wanted = plain(value);
        let same = match found {
            Column::Text(_) => show(found, row) == wanted,
            Column::Number(own) => number(&wanted, own.scale) == Ok(own.values[row]),
        };
        if !same {
            differences.push(format!("`{table}.{column}` row {row}: expected `{wanted}`, got `{}`", show(found, row)));
        }
    }
    differences
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn number(literal: &str, scale: u8) -> Result<i64, String> {
    if literal.is_empty() {
        return Ok(NULL);
    }
    exact::parse(literal, scale).ok_or_else(|| format!("`{literal}` is not a decimal of at most {scale} digits after the point"))
}

fn tables(point: &str, given: &Tables) -> Result<Vec<Table>, String> {
    given
        .iter()
        .map(|(name, columns)| {
            let mut table = Table::new(name);
            for (column, values) in columns {
                let literals: Vec<String> = values.iter().map(plain).collect();
                let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
                let built = match scale(point, name, column) {
                    None => texts(&literals),
                    Some(scale) => Column::number(scale, literals.iter().map(|literal| number(literal, scale)).collect::<Result<_, _>>()?),
                };
                table = table.with(column, built);
            }
            Ok(table)
        })
        .collect()
}

/// The scale of an input column, `None` for text: as the WIT packages say.
fn scale(point: &str, table: &str, column: &str) -> Option<u8> {
    match (point, table, column) {
        ("compensation", "rounding", "step") => Some(8),
        (_, _, "kind" | "tag" | "role" | "mode" | "entity" | "cursor") => None,
        (_, _, name) if name.ends_with("_id") => None,
        (_, _, "tested_on" | "claims_from" | "claims_until" | "locked" | "steps") => Some(0),
        ("forecast", "horizon", "season") => Some(0),
        (_, _, "won_count" | "won_days" | "lost_count" | "open_count") => Some(0),
        (_, _, "discount" | "share" | "attainment" | "latitude" | "longitude" | "season" | "coverage") => Some(8),
        (_, _, name) if name.starts_with("params.") => Some(8),
        _ => Some(4),
    }
}
