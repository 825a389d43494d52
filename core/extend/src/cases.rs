//! The cases that an extension carries: inputs and expected answers in TOML, run before a version becomes active.

use crate::manifest::place_of;
use attain_domain::fixed;
use attain_domain::point::{Call, ColumnKind, Contract, Extension, Fault, FaultKind, TableContract, check_answer};
use attain_domain::{Column, MONEY_SCALE, NULL_NUMBER, RATE_SCALE, Table};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Table to column to values: text as text, numbers as text or integers. An empty text in a column of numbers is no value.
type Tables = BTreeMap<String, BTreeMap<String, Vec<toml::Value>>>;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    settings: Option<toml::Value>,
    #[serde(default)]
    input: Tables,
    /// Only the columns named are compared, in order of rows.
    #[serde(default)]
    answer: Tables,
    /// A part of the message of the fault that is expected.
    #[serde(default)]
    refused: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(default)]
    cases: Vec<Case>,
}

/// How one case went: no difference is a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub name: String,
    pub differences: Vec<String>,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

pub fn parse(text: &str) -> Result<Vec<Case>, Fault> {
    toml::from_str::<Cases>(text).map(|cases| cases.cases).map_err(|error| {
        let place = error.span().map(|span| place_of(text, span.start));
        Fault {
            kind: FaultKind::NotAnExtension,
            message: format!("the cases are wrong: {}", error.message()),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
        }
    })
}

/// Runs every case; settings that a case leaves out are an empty object.
pub fn run(extension: &dyn Extension, cases: &[Case]) -> Vec<Outcome> {
    cases.iter().map(|case| Outcome { name: case.name.clone(), differences: differences(extension, case) }).collect()
}

fn differences(extension: &dyn Extension, case: &Case) -> Vec<String> {
    let contract = extension.identity().point.contract();
    let input = match input(contract, &case.input) {
        Ok(input) => input,
        Err(message) => return vec![message],
    };
    let settings = match &case.settings {
        None => serde_json::Value::Object(serde_json::Map::new()),
        Some(settings) => match serde_json::to_value(settings) {
            Ok(settings) => settings,
            Err(error) => return vec![format!("its settings cannot be handed over: {error}")],
        },
    };
    let answer = extension
        .run(&Call { settings: &settings, input: &input })
        .and_then(|answer| check_answer(contract, &answer.tables).map(|()| answer));
    match (answer, &case.refused) {
        (Err(fault), Some(part)) if fault.message.contains(part.as_str()) => Vec::new(),
        (Err(fault), Some(part)) => vec![format!("expected a refusal with `{part}`, got {fault}")],
        (Err(fault), None) => vec![fault.to_string()],
        (Ok(_), Some(part)) => vec![format!("expected a refusal with `{part}`, got an answer")],
        (Ok(answer), None) => case.answer.iter().flat_map(|(name, columns)| compare(answer.table(name), name, columns)).collect(),
    }
}

fn compare(found: Option<&Table>, name: &str, columns: &BTreeMap<String, Vec<toml::Value>>) -> Vec<String> {
    let Some(found) = found else { return vec![format!("the answer has no table `{name}`")] };
    let mut differences = Vec::new();
    for (column_name, expected) in columns {
        let Some(column) = found.column(column_name) else {
            differences.push(format!("table `{name}` has no column `{column_name}`"));
            continue;
        };
        if column.len() != expected.len() {
            differences.push(format!("`{name}.{column_name}`: expected {} rows, got {}", expected.len(), column.len()));
        }
        for (row, value) in expected.iter().enumerate().take(column.len()) {
            let shown = column.show(row);
            let same = match column {
                Column::Text(_) => shown.as_deref().unwrap_or_default() == plain(value),
                Column::Number { scale, values } => number(value, *scale).is_ok_and(|number| number == values[row]),
            };
            if !same {
                let shown = shown.unwrap_or_else(|| "no value".to_owned());
                differences.push(format!("`{name}.{column_name}` row {row}: expected `{}`, got `{shown}`", plain(value)));
            }
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

fn number(value: &toml::Value, scale: u8) -> Result<i64, String> {
    let text = plain(value);
    if text.is_empty() {
        return Ok(NULL_NUMBER);
    }
    fixed::parse(&text, scale).ok_or_else(|| format!("`{text}` is not a decimal of at most {scale} digits after the point"))
}

/// All tables and columns of the contract; what the case leaves out has no values.
fn input(contract: &Contract, given: &Tables) -> Result<Vec<Table>, String> {
    if let Some(name) = given.keys().find(|name| contract.input.iter().all(|table| table.name != name.as_str())) {
        return Err(format!("its input has a table `{name}`, which point `{}` does not have", contract.point));
    }
    let nothing = BTreeMap::new();
    contract.input.iter().map(|table| input_table(contract, table, given.get(table.name).unwrap_or(&nothing))).collect()
}

fn input_table(contract: &Contract, table: &TableContract, given: &BTreeMap<String, Vec<toml::Value>>) -> Result<Table, String> {
    let rows = given.values().map(Vec::len).max().unwrap_or(0);
    let mut built = Table::new(table.name);
    for (name, kind) in table.columns.iter().filter(|(name, _)| !name.ends_with('*')) {
        let column = match given.get(*name) {
            Some(values) => column(*kind, values, rows).map_err(|message| format!("its input `{}.{name}`: {message}", table.name))?,
            None => empty(*kind, rows),
        };
        built = built.with(name, column);
    }
    for (name, values) in given.iter().filter(|(name, _)| table.columns.iter().all(|(known, _)| known != name)) {
        let kind = table.columns.iter().find(|(known, _)| known.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix)));
        let Some((_, kind)) = kind else {
            return Err(format!("its input has a column `{}.{name}`, which point `{}` does not have", table.name, contract.point));
        };
        let column = column(*kind, values, rows).map_err(|message| format!("its input `{}.{name}`: {message}", table.name))?;
        built = built.with(name, column);
    }
    Ok(built)
}

fn scale(kind: ColumnKind) -> u8 {
    match kind {
        ColumnKind::Money => MONEY_SCALE,
        ColumnKind::Rate => RATE_SCALE,
        ColumnKind::Integer | ColumnKind::Text => 0,
    }
}

fn empty(kind: ColumnKind, rows: usize) -> Column {
    match kind {
        ColumnKind::Text => Column::text::<&str>(&vec![None; rows]),
        _ => Column::Number { scale: scale(kind), values: vec![NULL_NUMBER; rows] },
    }
}

fn column(kind: ColumnKind, values: &[toml::Value], rows: usize) -> Result<Column, String> {
    if values.len() != rows {
        return Err(format!("it has {} values, the longest column has {rows}", values.len()));
    }
    Ok(match kind {
        ColumnKind::Text => {
            let texts: Vec<Option<String>> = values.iter().map(|value| Some(plain(value)).filter(|text| !text.is_empty())).collect();
            Column::text(&texts)
        }
        _ => {
            let scale = scale(kind);
            Column::Number { scale, values: values.iter().map(|value| number(value, scale)).collect::<Result<_, _>>()? }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::ids::ExtensionDigest;
    use attain_domain::point::{Answer, Identity, Origin, Point};

    struct Doubled(Identity);

    impl Extension for Doubled {
        fn identity(&self) -> &Identity {
            &self.0
        }

        fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
            let attained = call.input[0].numbers("attained").expect("the column");
            if attained.contains(&NULL_NUMBER) {
                return Err(Fault::new(FaultKind::Refused, "nothing attained"));
            }
            let rows = (0..attained.len() as i64).collect();
            let values = attained.iter().map(|value| value * 20_000).collect();
            let table = Table::new("values").with("row", Column::integer(rows)).with("value", Column::rate(values));
            Ok(Answer { tables: vec![table], ..Answer::default() })
        }
    }

    fn outcomes(text: &str) -> Vec<Outcome> {
        let identity = Identity {
            name: "doubled".to_owned(),
            version: "1".to_owned(),
            point: Point::Kpi,
            origin: Origin::Rhai,
            digest: ExtensionDigest(String::new()),
        };
        run(&Doubled(identity), &parse(text).expect("cases"))
    }

    #[test]
    fn a_red_case_says_what_was_expected_and_what_came() {
        let outcomes = outcomes(
            r#"
            [[cases]]
            name = "twice"
            input.rows = { attained = ["2.5", 3] }
            answer.values = { value = ["5", "7"] }
            [[cases]]
            name = "refused"
            input.rows = { attained = [""] }
            refused = "nothing"
            [[cases]]
            name = "unknown column"
            input.rows = { attaind = ["1"] }
            "#,
        );
        assert_eq!(outcomes[0].differences, ["`values.value` row 1: expected `7`, got `6`"]);
        assert!(outcomes[1].passed());
        assert!(outcomes[2].differences[0].contains("`rows.attaind`"), "{:?}", outcomes[2]);
    }
}
