//! Expected results: which columns result tables have, and how they are compared with what a run computed.

use attain_domain::schema::{Field, Kind};
use attain_domain::{Column, NULL_NUMBER, RATE_SCALE, Table};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

const fn text(name: &'static str) -> Field {
    Field { name, kind: Kind::Text, required: false }
}

const fn money(name: &'static str) -> Field {
    Field { name, kind: Kind::Money, required: false }
}

const fn rate(name: &'static str) -> Field {
    Field { name, kind: Kind::Rate, required: false }
}

/// The result tables that `expected/` may name, with their columns: those of a run, and those of payouts (see [`crate::check`]). Whole
/// numbers are written like amounts.
pub const RESULTS: &[(&str, &[Field])] = &[
    (
        "credits",
        &[
            text("payee_id"),
            text("transaction_id"),
            text("kind"),
            text("rule"),
            text("origin_payee_id"),
            text("period_id"),
            money("amount"),
            rate("share"),
        ],
    ),
    ("measures", &[text("payee_id"), text("measure_id"), text("period_id"), money("value")]),
    ("attainments", &[text("payee_id"), text("measure_id"), text("period_id"), money("value"), money("quota"), rate("attainment")]),
    (
        "earnings",
        &[
            text("payee_id"),
            text("period_id"),
            text("plan_id"),
            text("component_id"),
            text("transaction_id"),
            text("kind"),
            text("origin_period_id"),
            money("credited"),
            money("prior"),
            money("to_date"),
            money("quota"),
            rate("attainment"),
            money("target"),
            money("formula_amount"),
            money("amount"),
        ],
    ),
    (
        "slices",
        &[
            text("payee_id"),
            text("period_id"),
            text("plan_id"),
            text("component_id"),
            text("transaction_id"),
            text("kind"),
            text("origin_period_id"),
            money("position"),
            text("label"),
            rate("input"),
            rate("rate"),
            rate("amount"),
        ],
    ),
    (
        "postings",
        &[
            text("payee_id"),
            text("period_id"),
            text("origin_period_id"),
            text("plan_id"),
            text("component_id"),
            text("account"),
            money("revision"),
            money("amount"),
        ],
    ),
    (
        "statements",
        &[
            text("payee_id"),
            text("period_id"),
            money("earned"),
            money("held"),
            money("carried"),
            money("drawn"),
            money("paid"),
            money("held_balance"),
            money("carried_balance"),
        ],
    ),
    ("findings", &[text("severity"), text("code"), text("entity"), text("record"), text("message")]),
    ("totals", &[text("name"), money("value")]),
    (
        "amortization",
        &[
            text("contract_id"),
            text("period_id"),
            money("opening"),
            money("addition"),
            money("amortized"),
            money("impaired"),
            money("closing"),
        ],
    ),
    (
        "accruals",
        &[
            text("payee_id"),
            text("period_id"),
            text("plan_id"),
            text("component_id"),
            money("earned"),
            money("expected"),
            money("accrual"),
            money("reversal"),
            text("basis"),
            money("result"),
            money("quota"),
            rate("attainment"),
            money("by_the_end"),
            rate("elapsed"),
        ],
    ),
    (
        "margins",
        &[
            text("transaction_id"),
            text("period_id"),
            money("quantity"),
            money("revenue"),
            money("cost"),
            money("commission"),
            rate("commission_per_unit"),
            money("cost_with_commission"),
            money("margin"),
        ],
    ),
    (
        "shares",
        &[
            text("payee_id"),
            text("plan_id"),
            text("component_id"),
            text("transaction_id"),
            text("state"),
            text("move"),
            text("happened_on"),
            text("period_id"),
            money("amount"),
        ],
    ),
    (
        "payouts",
        &[
            text("batch"),
            text("batch_state"),
            text("pay_group_id"),
            text("period_id"),
            text("payee_id"),
            text("state"),
            text("currency"),
            text("flags"),
            money("company_amount"),
            money("amount"),
            money("left_amount"),
            money("before_amount"),
            rate("residue"),
        ],
    ),
    (
        "payout_parts",
        &[
            text("batch"),
            text("payee_id"),
            text("plan_id"),
            text("component_id"),
            text("policy"),
            text("rate_on"),
            text("quote"),
            rate("rate"),
            money("company_amount"),
            rate("converted"),
        ],
    ),
    ("kpis", &[text("payee_id"), text("period_id"), text("kpi"), rate("value")]),
];

/// The columns of a result table; `None` where there is no such table.
pub fn fields(table: &str) -> Option<&'static [Field]> {
    RESULTS.iter().find(|(name, _)| *name == table).map(|(_, fields)| *fields)
}

/// One value that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    pub table: String,
    /// The row's texts, in the order of the expected file's columns.
    pub key: String,
    pub column: String,
    pub expected: String,
    pub actual: String,
}

/// A sum in 10⁻⁸ for each number column, and the number of rows.
type Sums = BTreeMap<Vec<Option<String>>, (Vec<i128>, u64)>;

/// Compares on the columns that `expected` has: its texts are the key, numbers of equal keys are added up, no value counts as
/// zero, and a row of zeros may be absent. Without number columns (findings, above all) equal rows are counted.
pub fn compare(expected: &Table, actual: Option<&Table>) -> Vec<Difference> {
    let texts: Vec<&str> = named(expected, |column| matches!(column, Column::Text(_)));
    let numbers: Vec<&str> = named(expected, |column| matches!(column, Column::Number { .. }));
    let difference = |key: &[Option<String>], column: &str, expected_value: String, actual_value: String| Difference {
        table: expected.name.clone(),
        key: key.iter().map(|text| text.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(", "),
        column: column.to_owned(),
        expected: expected_value,
        actual: actual_value,
    };
    let empty = Table::default();
    let actual = actual.unwrap_or(&empty);
    if actual.row_count() > 0 {
        let missing: Vec<&&str> = texts.iter().chain(&numbers).filter(|name| actual.column(name).is_none()).collect();
        if !missing.is_empty() {
            return missing.iter().map(|name| difference(&[], name, "a column".to_owned(), "no such column".to_owned())).collect();
        }
    }
    let (wanted, found) = (sums(expected, &texts, &numbers), sums(actual, &texts, &numbers));
    let keys: std::collections::BTreeSet<&Vec<Option<String>>> = wanted.keys().chain(found.keys()).collect();
    let mut differences = Vec::new();
    for key in keys {
        let (want, have) = (wanted.get(key), found.get(key));
        if numbers.is_empty() {
            let count = |side: Option<&(Vec<i128>, u64)>| side.map_or(0, |(_, count)| *count);
            if count(want) != count(have) {
                differences.push(difference(key, "count", count(want).to_string(), count(have).to_string()));
            }
            continue;
        }
        for (index, column) in numbers.iter().enumerate() {
            let value = |side: Option<&(Vec<i128>, u64)>| side.map_or(0, |(sums, _)| sums[index]);
            if value(want) != value(have) {
                let shown = |side: Option<&(Vec<i128>, u64)>| side.map_or_else(|| "no row".to_owned(), |(sums, _)| decimal(sums[index]));
                differences.push(difference(key, column, shown(want), shown(have)));
            }
        }
    }
    differences
}

fn named(table: &Table, fits: fn(&Column) -> bool) -> Vec<&str> {
    table.columns.iter().filter(|(_, column)| fits(column)).map(|(name, _)| name.as_str()).collect()
}

fn sums(table: &Table, texts: &[&str], numbers: &[&str]) -> Sums {
    let texts: Vec<_> = texts.iter().filter_map(|name| table.texts(name)).collect();
    let numbers: Vec<(&[i64], i128)> = numbers
        .iter()
        .filter_map(|name| match table.column(name)? {
            Column::Number { scale, values } => Some((values.as_slice(), 10i128.pow(u32::from(RATE_SCALE.saturating_sub(*scale))))),
            Column::Text(_) => None,
        })
        .collect();
    let mut sums = Sums::new();
    for row in 0..table.row_count() {
        let key = texts.iter().map(|column| column.get(row).map(str::to_owned)).collect();
        let (own, count) = sums.entry(key).or_insert_with(|| (vec![0; numbers.len()], 0));
        *count += 1;
        for (sum, (values, factor)) in own.iter_mut().zip(&numbers) {
            if values[row] != NULL_NUMBER {
                *sum += i128::from(values[row]) * factor;
            }
        }
    }
    sums
}

fn decimal(sum: i128) -> String {
    match Decimal::try_from_i128_with_scale(sum, u32::from(RATE_SCALE)) {
        Ok(value) => value.normalize().to_string(),
        Err(_) => format!("{sum}e-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(rows: &[(&str, i64)]) -> Table {
        Table::new("statements")
            .with("payee_id", Column::text(&rows.iter().map(|(payee, _)| Some(*payee)).collect::<Vec<_>>()))
            .with("earned", Column::money(rows.iter().map(|(_, amount)| *amount).collect()))
    }

    #[test]
    fn rows_of_one_key_are_added_up_and_zeros_may_be_absent() {
        let expected = statements(&[("ana", 30_000), ("ben", 0)]);
        let actual = statements(&[("ana", 10_000), ("ana", 20_000), ("cem", 0)]);
        assert_eq!(compare(&expected, Some(&actual)), []);
        assert_eq!(compare(&statements(&[("ben", 0)]), None), []);
    }

    #[test]
    fn both_what_is_missing_and_what_is_too_much_is_a_difference() {
        let differences = compare(&statements(&[("ana", 30_000), ("ben", 10_000)]), Some(&statements(&[("ana", 29_999), ("cem", 5)])));
        let rows: Vec<_> = differences.iter().map(|row| (row.key.as_str(), row.expected.as_str(), row.actual.as_str())).collect();
        assert_eq!(rows, [("ana", "3", "2.9999"), ("ben", "1", "no row"), ("cem", "no row", "0.0005")]);
    }

    #[test]
    fn only_the_columns_that_are_expected_count_whatever_their_scale() {
        let expected = Table::new("slices").with("amount", Column::money(vec![25_000]));
        let actual = Table::new("slices")
            .with("label", Column::text(&[Some("tier 1"), Some("tier 2")]))
            .with("amount", Column::rate(vec![100_000_000, 150_000_000]));
        assert_eq!(compare(&expected, Some(&actual)), []);
    }

    #[test]
    fn findings_are_counted() {
        let findings =
            |codes: &[&str]| Table::new("findings").with("code", Column::text(&codes.iter().map(|code| Some(*code)).collect::<Vec<_>>()));
        let differences = compare(&findings(&["a", "a", "b"]), Some(&findings(&["a", "b", "b"])));
        let rows: Vec<_> =
            differences.iter().map(|row| (row.key.as_str(), row.column.as_str(), row.expected.as_str(), row.actual.as_str())).collect();
        assert_eq!(rows, [("a", "count", "2", "1"), ("b", "count", "1", "2")]);
    }

    #[test]
    fn a_column_that_the_result_does_not_have_is_named() {
        let expected = statements(&[("ana", 1)]);
        let actual = Table::new("statements").with("payee_id", Column::text(&[Some("ana")]));
        assert_eq!(compare(&expected, Some(&actual)).first().map(|row| row.column.clone()), Some("earned".to_owned()));
    }
}
