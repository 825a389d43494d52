//! Tables and cases written as text, for the tests of scripts.

use attain_domain::point::{Answer, ColumnKind, Contract, TableContract};
use attain_domain::{Column, MONEY_SCALE, NULL_NUMBER, RATE_SCALE, Table, fixed};
use serde::Deserialize;
use std::collections::BTreeMap;

pub type Columns = BTreeMap<String, Vec<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    pub settings: serde_json::Value,
    #[serde(default)]
    pub input: BTreeMap<String, Columns>,
    #[serde(default)]
    pub answer: BTreeMap<String, Columns>,
    pub refused: Option<String>,
}

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

pub fn cases(text: &str) -> Vec<Case> {
    toml::from_str::<Cases>(text).expect("cases").cases
}

pub fn input(contract: &Contract, given: &BTreeMap<String, Columns>) -> Vec<Table> {
    let empty = Columns::new();
    contract.input.iter().map(|wanted| table(wanted, given.get(wanted.name).unwrap_or(&empty))).collect()
}

/// A table of the contract from texts; an empty text is no value, a missing column has none.
pub fn table(wanted: &TableContract, given: &Columns) -> Table {
    let count = given.values().map(Vec::len).max().unwrap_or(0);
    let mut table = Table::new(wanted.name);
    for (name, kind) in wanted.columns {
        if let Some(prefix) = name.strip_suffix('*') {
            for (name, values) in given.iter().filter(|(name, _)| name.starts_with(prefix)) {
                table = table.with(name, column(*kind, values));
            }
        } else {
            let values = given.get(*name).cloned().unwrap_or_else(|| vec![String::new(); count]);
            table = table.with(name, column(*kind, &values));
        }
    }
    table
}

fn column(kind: ColumnKind, values: &[String]) -> Column {
    let present = |text: &String| (!text.is_empty()).then(|| text.clone());
    let scale = match kind {
        ColumnKind::Text => return Column::text(&values.iter().map(present).collect::<Vec<_>>()),
        ColumnKind::Integer => 0,
        ColumnKind::Money => MONEY_SCALE,
        ColumnKind::Rate => RATE_SCALE,
    };
    let number =
        |text: &String| if text.is_empty() { NULL_NUMBER } else { fixed::parse(text, scale).unwrap_or_else(|| panic!("`{text}`")) };
    Column::Number { scale, values: values.iter().map(number).collect() }
}

/// What differs from the listed columns.
pub fn differences(answer: &Answer, wanted: &BTreeMap<String, Columns>) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, columns) in wanted {
        let Some(table) = answer.table(name) else {
            differences.push(format!("no table `{name}`"));
            continue;
        };
        for (column, values) in columns {
            let found: Vec<String> =
                (0..table.row_count()).map(|row| table.column(column).and_then(|column| column.show(row)).unwrap_or_default()).collect();
            if found != *values {
                differences.push(format!("`{name}.{column}` is {found:?}, not {values:?}"));
            }
        }
    }
    differences
}
