//! Tables of rates or amounts in any number of dimensions, and how a result is found in them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which of several rows that match gives the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    #[default]
    First,
    /// The one that says most about the first dimension, then about the second and so on; of equals the first.
    Narrowest,
    /// All: their results are added up.
    All,
}

/// What it means that no row matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum NoMatch {
    /// The result is zero and a finding says so.
    #[default]
    Finding,
    /// The result is zero.
    Zero,
    /// The run is incomplete.
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum DimensionKind {
    /// A text that is equal.
    #[default]
    Value,
    /// A number between two bounds.
    Range,
    /// A family or territory, or any below it.
    Tree,
}

/// Which bounds of a range belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum RangeBound {
    /// `from`, but not `until`.
    #[default]
    LowerInclusive,
    /// `until`, but not `from`.
    UpperInclusive,
    BothInclusive,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    pub name: String,
    /// What it is read from, in the calculation; the field of the same name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default)]
    pub kind: DimensionKind,
    #[serde(default)]
    pub bound: RangeBound,
    /// Numbers are multiples of it: between 30 and 31 there is then nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Decimal>,
}

impl Dimension {
    pub fn field(&self) -> &str {
        self.field.as_deref().unwrap_or(&self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellRange {
    /// No bound below where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Decimal>,
}

/// What a row asks of one dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    One(String),
    AnyOf(Vec<String>),
    Range(CellRange),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRow {
    /// A dimension that is not named matches whatever it is.
    #[serde(default)]
    pub when: BTreeMap<String, Cell>,
    pub result: Decimal,
    /// What the statement calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateTable {
    pub dimensions: Vec<Dimension>,
    #[serde(default)]
    pub lookup: Choice,
    #[serde(default)]
    pub no_match: NoMatch,
    pub rows: Vec<TableRow>,
}

/// What is looked up in one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key<'a> {
    /// No value: matches only rows that ask nothing.
    Nothing,
    Number(Decimal),
    Text(&'a str),
    Owned(String),
    /// A node of a tree and its ancestors, nearest first.
    Lineage(Vec<&'a str>),
    OwnedLineage(Vec<String>),
}

/// How much a row says about a dimension; the smaller the more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Width {
    Bounded(Decimal),
    HalfOpen,
    Any,
}

/// What was found: the rows that count, in order, and the sum of their results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    pub rows: Vec<usize>,
    pub result: Decimal,
}

impl RangeBound {
    pub fn contains(self, range: &CellRange, value: Decimal) -> bool {
        let above = range.from.is_none_or(|from| if self == RangeBound::UpperInclusive { from < value } else { from <= value });
        above && range.until.is_none_or(|until| if self == RangeBound::LowerInclusive { value < until } else { value <= until })
    }
}

impl Cell {
    /// How narrowly the cell holds `key`; `None` where it does not.
    fn width(&self, dimension: &Dimension, key: &Key<'_>) -> Option<Width> {
        let words = match self {
            Cell::One(word) => std::slice::from_ref(word),
            Cell::AnyOf(words) => words.as_slice(),
            Cell::Range(range) => {
                let Key::Number(value) = key else { return None };
                return dimension.bound.contains(range, *value).then(|| match (range.from, range.until) {
                    (Some(from), Some(until)) => until.checked_sub(from).map_or(Width::HalfOpen, Width::Bounded),
                    (None, None) => Width::Any,
                    _ => Width::HalfOpen,
                });
            }
        };
        let number;
        let text = match key {
            Key::Nothing => return None,
            Key::Text(text) => *text,
            Key::Owned(text) => text.as_str(),
            Key::OwnedLineage(lineage) => {
                let distance = lineage.iter().position(|node| words.contains(node))?;
                return Some(Width::Bounded(Decimal::from(distance as u64)));
            }
            Key::Number(value) => {
                number = value.normalize().to_string();
                number.as_str()
            }
            Key::Lineage(lineage) => {
                let distance = lineage.iter().position(|node| words.iter().any(|word| word == node))?;
                return Some(Width::Bounded(Decimal::from(distance as u64)));
            }
        };
        words.iter().any(|word| word == text).then(|| Width::Bounded(Decimal::from(words.len() as u64)))
    }
}

impl TableRow {
    pub(crate) fn width(&self, dimensions: &[Dimension], keys: &[Key<'_>]) -> Option<Vec<Width>> {
        let each = dimensions.iter().enumerate().map(|(place, dimension)| match self.when.get(&dimension.name) {
            None => Some(Width::Any),
            Some(cell) => cell.width(dimension, keys.get(place).unwrap_or(&Key::Nothing)),
        });
        each.collect()
    }
}

impl RateTable {
    /// Every defect of the table, in words for whoever wrote it.
    pub fn defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        let mut names = BTreeSet::new();
        for dimension in &self.dimensions {
            if dimension.name.is_empty() || !names.insert(dimension.name.as_str()) {
                defects.push(format!("two dimensions are called `{}`; give each its own name", dimension.name));
            }
            if dimension.step.is_some_and(|step| step <= Decimal::ZERO) {
                defects.push(format!("the step of `{}` is not above zero", dimension.name));
            }
        }
        if self.dimensions.is_empty() {
            defects.push("the table has no dimensions; write at least one".to_owned());
        }
        for (index, row) in self.rows.iter().enumerate() {
            let number = index + 1;
            for (name, cell) in &row.when {
                let Some(dimension) = self.dimensions.iter().find(|dimension| dimension.name == *name) else {
                    defects.push(format!("row {number} names `{name}`, which is no dimension of the table"));
                    continue;
                };
                match (cell, dimension.kind) {
                    (Cell::Range(range), DimensionKind::Range) => {
                        let empty = match (range.from, range.until) {
                            (Some(from), Some(until)) if dimension.bound == RangeBound::BothInclusive => from > until,
                            (Some(from), Some(until)) => from >= until,
                            _ => false,
                        };
                        if empty {
                            defects.push(format!("row {number} holds nothing of `{name}`; its `from` is not below its `until`"));
                        }
                    }
                    (Cell::Range(_), _) => defects.push(format!("row {number} gives `{name}` bounds; its kind is not `range`")),
                    (_, DimensionKind::Range) => {
                        defects.push(format!("row {number} gives `{name}` a text; a range is written {{ from = \"0\", until = \"10\" }}"))
                    }
                    _ => {}
                }
            }
        }
        defects
    }

    /// The rows that match, whatever the table chooses of them.
    pub fn matching(&self, keys: &[Key<'_>]) -> Vec<usize> {
        (0..self.rows.len()).filter(|row| self.rows[*row].width(&self.dimensions, keys).is_some()).collect()
    }

    /// `None` where no row matches or the sum does not fit.
    pub fn look(&self, keys: &[Key<'_>]) -> Option<Looked> {
        let mut best: Option<(Vec<Width>, usize)> = None;
        let mut all = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let Some(width) = row.width(&self.dimensions, keys) else { continue };
            match self.lookup {
                Choice::First => return Some(Looked { rows: vec![index], result: row.result }),
                Choice::Narrowest => {
                    if best.as_ref().is_none_or(|(own, _)| width < *own) {
                        best = Some((width, index));
                    }
                }
                Choice::All => all.push(index),
            }
        }
        if let Some((_, index)) = best {
            return Some(Looked { rows: vec![index], result: self.rows[index].result });
        }
        if all.is_empty() {
            return None;
        }
        let result = all.iter().try_fold(Decimal::ZERO, |sum, index| sum.checked_add(self.rows[*index].result))?;
        Some(Looked { rows: all, result })
    }

    /// What the statement calls the rows.
    pub fn label(&self, name: &str, rows: &[usize]) -> String {
        let each: Vec<String> = rows
            .iter()
            .map(|row| match self.rows[*row].label.as_str() {
                "" => format!("{name} {}", row + 1),
                label => label.to_owned(),
            })
            .collect();
        each.join(" + ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    fn table(toml: &str) -> RateTable {
        toml::from_str(toml).expect("a table")
    }

    const TREE: &str = r#"
        dimensions = [{ name = "family", kind = "tree" }, { name = "amount", kind = "range" }]
        rows = [
            { result = "0.01" },
            { when = { family = "hardware" }, result = "0.02" },
            { when = { family = "laptops", amount = { from = "1000" } }, result = "0.03" },
            { when = { family = ["hardware", "software"], amount = { from = "0", until = "500" } }, result = "0.04", label = "small" },
        ]
    "#;

    #[test]
    fn the_first_the_narrowest_or_all_rows_count() {
        let keys = |lineage: &[&'static str], amount: &str| [Key::Lineage(lineage.to_vec()), Key::Number(dec(amount))];
        let found = |choice: &str, keys: &[Key<'_>]| {
            let looked = table(&format!("lookup = \"{choice}\"\n{TREE}")).look(keys).expect("found");
            (looked.rows, looked.result)
        };
        let laptops = keys(&["laptops", "hardware"], "2000");
        assert_eq!(found("first", &laptops), (vec![0], dec("0.01")));
        assert_eq!(found("narrowest", &laptops), (vec![2], dec("0.03")));
        assert_eq!(found("all", &laptops), (vec![0, 1, 2], dec("0.06")));
        let small = keys(&["laptops", "hardware"], "100");
        assert_eq!(found("narrowest", &small), (vec![3], dec("0.04")));
        assert_eq!(found("narrowest", &keys(&["books"], "100")), (vec![0], dec("0.01")));
        assert_eq!(table(TREE).label("rates", &[1, 3]), "rates 2 + small");
    }

    #[test]
    fn bounds_belong_where_the_dimension_says() {
        let on = |bound: &str, value: &str| {
            let table = table(&format!(
                "dimensions = [{{ name = \"x\", kind = \"range\", bound = \"{bound}\" }}]\nrows = [{{ when = {{ x = {{ from = \"0\", until = \"10\" }} }}, result = \"1\" }}]"
            ));
            table.look(&[Key::Number(dec(value))]).is_some()
        };
        assert_eq!([on("lower-inclusive", "0"), on("lower-inclusive", "10")], [true, false]);
        assert_eq!([on("upper-inclusive", "0"), on("upper-inclusive", "10")], [false, true]);
        assert_eq!([on("both-inclusive", "0"), on("both-inclusive", "10")], [true, true]);
    }

    #[test]
    fn what_has_no_value_matches_only_rows_that_ask_nothing() {
        assert_eq!(table(TREE).matching(&[Key::Nothing, Key::Nothing]), [0]);
    }

    #[test]
    fn defects_are_named() {
        let table = table(
            r#"
            dimensions = [{ name = "x", kind = "range" }, { name = "x" }]
            rows = [{ when = { x = "word", y = "word" }, result = "1" }, { when = { x = { from = "5", until = "5" } }, result = "1" }]
            "#,
        );
        assert_eq!(table.defects().len(), 4);
    }

    proptest! {
        /// A lookup is what going through all rows by hand finds.
        #[test]
        fn a_lookup_is_a_scan(
            rows in proptest::collection::vec((proptest::option::of(0usize..3), proptest::option::of((0i64..20, 1i64..20))), 1..8),
            word in 0usize..4,
            number in 0i64..40,
        ) {
            let words = ["a", "b", "c", "d"];
            let table = |lookup| RateTable {
                dimensions: vec![
                    Dimension { name: "w".into(), field: None, kind: DimensionKind::Value, bound: RangeBound::default(), step: None },
                    Dimension { name: "n".into(), field: None, kind: DimensionKind::Range, bound: RangeBound::default(), step: None },
                ],
                lookup,
                no_match: NoMatch::Zero,
                rows: rows.iter().enumerate().map(|(index, (word, range))| {
                    let mut when = BTreeMap::new();
                    if let Some(word) = word {
                        when.insert("w".to_owned(), Cell::One(words[*word].to_owned()));
                    }
                    if let Some((from, length)) = range {
                        let (from, until) = (Decimal::from(*from), Decimal::from(from + length));
                        when.insert("n".to_owned(), Cell::Range(CellRange { from: Some(from), until: Some(until) }));
                    }
                    TableRow { when, result: Decimal::from(1u64 << index), label: String::new() }
                }).collect(),
            };
            let holds: Vec<usize> = (0..rows.len()).filter(|index| {
                let (own, range) = &rows[*index];
                own.is_none_or(|own| own == word) && range.is_none_or(|(from, length)| from <= number && number < from + length)
            }).collect();
            let keys = [Key::Text(words[word]), Key::Number(Decimal::from(number))];
            prop_assert_eq!(table(Choice::First).look(&keys).map(|looked| looked.rows), holds.first().map(|first| vec![*first]));
            let all = (!holds.is_empty()).then(|| Looked { rows: holds.clone(), result: holds.iter().map(|index| Decimal::from(1u64 << index)).sum() });
            prop_assert_eq!(table(Choice::All).look(&keys), all);
            let rank = |index: usize| {
                let (own, range) = &rows[index];
                (own.is_none(), range.is_none(), range.map_or(0, |(_, length)| length), index)
            };
            let narrowest = holds.iter().copied().min_by_key(|index| rank(*index)).map(|index| vec![index]);
            prop_assert_eq!(table(Choice::Narrowest).look(&keys).map(|looked| looked.rows), narrowest);
        }
    }
}
