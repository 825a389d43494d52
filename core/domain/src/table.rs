//! Batches of rows as columns: what is imported, pinned, handed to extensions and stored.

use crate::fixed;

/// The number that stands for "no value" in a number column.
pub const NULL_NUMBER: i64 = i64::MIN;
/// The code that stands for "no value" in a text column.
pub const NULL_CODE: u32 = u32::MAX;

/// Text as a dictionary and a code for each row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextColumn {
    pub dictionary: Vec<String>,
    pub codes: Vec<u32>,
}

impl TextColumn {
    /// Builds a column whose dictionary holds the distinct values in ascending order.
    pub fn from_values<S: AsRef<str>>(values: &[Option<S>]) -> TextColumn {
        let distinct: std::collections::BTreeSet<&str> = values.iter().flatten().map(AsRef::as_ref).collect();
        let index: std::collections::HashMap<&str, u32> = distinct.iter().enumerate().map(|(code, text)| (*text, code as u32)).collect();
        let codes = values.iter().map(|value| value.as_ref().map_or(NULL_CODE, |text| index[text.as_ref()])).collect();
        TextColumn { dictionary: distinct.into_iter().map(str::to_owned).collect(), codes }
    }

    pub fn get(&self, row: usize) -> Option<&str> {
        self.dictionary.get(*self.codes.get(row)? as usize).map(String::as_str)
    }

    /// The values of the rows at `order`, canonical (see [`TextColumn::canonical`]).
    fn take(&self, order: &[usize]) -> TextColumn {
        let codes: Vec<u32> = order.iter().map(|row| self.codes[*row]).collect();
        if order.len() >= self.dictionary.len() {
            return TextColumn { dictionary: self.dictionary.clone(), codes }.canonical();
        }
        // Few of many words: the others are not looked at.
        let mut used: Vec<u32> = codes.iter().copied().filter(|code| (*code as usize) < self.dictionary.len()).collect();
        used.sort_unstable();
        used.dedup();
        let place = |code: u32| used.binary_search(&code).map_or(NULL_CODE, |place| place as u32);
        let codes = codes.into_iter().map(place).collect();
        let few = TextColumn { dictionary: used.iter().map(|code| self.dictionary[*code as usize].clone()).collect(), codes };
        if few.dictionary.is_sorted_by(|left, right| left < right) { few } else { few.canonical() }
    }

    /// The same values with a dictionary that is sorted, distinct and free of unused entries.
    pub fn canonical(&self) -> TextColumn {
        let mut used = vec![false; self.dictionary.len()];
        for code in &self.codes {
            if let Some(flag) = used.get_mut(*code as usize) {
                *flag = true;
            }
        }
        let mut order: Vec<usize> = (0..self.dictionary.len()).filter(|index| used[*index]).collect();
        order.sort_by(|left, right| self.dictionary[*left].cmp(&self.dictionary[*right]));
        let mut mapping = vec![NULL_CODE; self.dictionary.len()];
        let mut dictionary: Vec<String> = Vec::with_capacity(order.len());
        for index in order {
            if dictionary.last() != Some(&self.dictionary[index]) {
                dictionary.push(self.dictionary[index].clone());
            }
            mapping[index] = (dictionary.len() - 1) as u32;
        }
        let codes = self.codes.iter().map(|code| mapping.get(*code as usize).copied().unwrap_or(NULL_CODE)).collect();
        TextColumn { dictionary, codes }
    }
}

/// One column. A number is `value / 10^scale`; days are numbers of scale 0 counted from 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    Number { scale: u8, values: Vec<i64> },
    Text(TextColumn),
}

impl Column {
    pub fn money(values: Vec<i64>) -> Column {
        Column::Number { scale: fixed::MONEY_SCALE, values }
    }

    pub fn rate(values: Vec<i64>) -> Column {
        Column::Number { scale: fixed::RATE_SCALE, values }
    }

    pub fn integer(values: Vec<i64>) -> Column {
        Column::Number { scale: 0, values }
    }

    pub fn text<S: AsRef<str>>(values: &[Option<S>]) -> Column {
        Column::Text(TextColumn::from_values(values))
    }

    pub fn len(&self) -> usize {
        match self {
            Column::Number { values, .. } => values.len(),
            Column::Text(text) => text.codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in plain notation; `None` for no value or a row that is not there.
    pub fn show(&self, row: usize) -> Option<String> {
        match self {
            Column::Number { scale, values } => {
                values.get(row).filter(|value| **value != NULL_NUMBER).map(|value| fixed::format(*value, *scale))
            }
            Column::Text(text) => text.get(row).map(str::to_owned),
        }
    }
}

/// A named set of columns of equal length. The order of columns is part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub name: String,
    pub columns: Vec<(String, Column)>,
}

impl Table {
    pub fn new(name: &str) -> Table {
        Table { name: name.to_owned(), columns: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, column: Column) -> Table {
        self.columns.push((name.to_owned(), column));
        self
    }

    pub fn row_count(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, column)| column)
    }

    /// The values of a number column, whatever its scale.
    pub fn numbers(&self, name: &str) -> Option<&[i64]> {
        match self.column(name)? {
            Column::Number { values, .. } => Some(values),
            Column::Text(_) => None,
        }
    }

    pub fn texts(&self, name: &str) -> Option<&TextColumn> {
        match self.column(name)? {
            Column::Text(text) => Some(text),
            Column::Number { .. } => None,
        }
    }

    /// `None` when all columns have one length and every code is in its dictionary; otherwise what is wrong.
    pub fn defect(&self) -> Option<String> {
        let rows = self.row_count();
        for (name, column) in &self.columns {
            if column.len() != rows {
                return Some(format!("column `{name}` of table `{}` has {} rows, the first column has {rows}", self.name, column.len()));
            }
            if let Column::Text(text) = column {
                let size = text.dictionary.len();
                if let Some(code) = text.codes.iter().find(|code| **code != NULL_CODE && **code as usize >= size) {
                    return Some(format!("column `{name}` of table `{}` has code {code} in a dictionary of {size}", self.name));
                }
            }
        }
        None
    }

    /// The rows of all parts one after the other. Columns are those of the first part; one that a part lacks has no values there.
    pub fn concat(name: &str, parts: &[&Table]) -> Table {
        let mut whole = Table::new(name);
        let Some(first) = parts.first() else { return whole };
        for (column_name, kind) in &first.columns {
            let column = match kind {
                Column::Number { scale, .. } => {
                    let mut values = Vec::new();
                    for part in parts {
                        match part.numbers(column_name) {
                            Some(own) => values.extend_from_slice(own),
                            None => values.resize(values.len() + part.row_count(), NULL_NUMBER),
                        }
                    }
                    Column::Number { scale: *scale, values }
                }
                Column::Text(_) => {
                    let mut joined = TextColumn::default();
                    for part in parts {
                        let offset = joined.dictionary.len() as u32;
                        match part.texts(column_name) {
                            Some(own) => {
                                joined.dictionary.extend_from_slice(&own.dictionary);
                                joined
                                    .codes
                                    .extend(own.codes.iter().map(|code| if *code == NULL_CODE { NULL_CODE } else { code + offset }));
                            }
                            None => joined.codes.resize(joined.codes.len() + part.row_count(), NULL_CODE),
                        }
                    }
                    Column::Text(joined.canonical())
                }
            };
            whole.columns.push((column_name.clone(), column));
        }
        whole
    }

    /// The rows at `order`, in that order.
    pub fn take(&self, order: &[usize]) -> Table {
        let columns = self.columns.iter().map(|(name, column)| {
            let column = match column {
                Column::Number { scale, values } => {
                    Column::Number { scale: *scale, values: order.iter().map(|row| values[*row]).collect() }
                }
                Column::Text(text) => Column::Text(text.take(order)),
            };
            (name.clone(), column)
        });
        Table { name: self.name.clone(), columns: columns.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_column_shows_the_same_values() {
        let column = TextColumn { dictionary: vec!["b".into(), "x".into(), "a".into(), "b".into()], codes: vec![0, 2, NULL_CODE, 3] };
        let canonical = column.canonical();
        assert_eq!(canonical.dictionary, ["a", "b"]);
        assert_eq!((0..4).map(|row| canonical.get(row)).collect::<Vec<_>>(), [Some("b"), Some("a"), None, Some("b")]);
    }

    #[test]
    fn parts_put_together_show_their_rows_in_order() {
        let part =
            |texts: &[Option<&str>], numbers: Vec<i64>| Table::new("p").with("t", Column::text(texts)).with("n", Column::integer(numbers));
        let (first, second) = (part(&[Some("b"), None], vec![1, 2]), part(&[Some("a"), Some("b")], vec![3, 4]));
        let whole = Table::concat("w", &[&first, &second]);
        let shown: Vec<_> = (0..4).map(|row| whole.columns[0].1.show(row)).collect();
        assert_eq!(shown, [Some("b".into()), None, Some("a".into()), Some("b".into())]);
        assert_eq!(whole.take(&[0, 1]).columns, first.columns);
        assert_eq!(whole.take(&[2, 3]).columns, second.columns);
    }

    #[test]
    fn few_rows_of_many_words_are_canonical_too() {
        for dictionary in [["a", "b", "c", "d"], ["d", "b", "a", "b"]] {
            let codes = vec![3, NULL_CODE, 0, 1, 2];
            let table = Table::new("t").with("t", Column::Text(TextColumn { dictionary: dictionary.map(str::to_owned).to_vec(), codes }));
            for order in [vec![], vec![1], vec![0, 3], vec![3, 0, 1], vec![4, 3, 2, 1, 0]] {
                let few = table.take(&order);
                let shown: Vec<_> = order.iter().map(|row| table.columns[0].1.show(*row)).collect();
                assert_eq!(few, Table::new("t").with("t", Column::text(&shown)));
            }
        }
    }

    #[test]
    fn lying_lengths_and_codes_are_named() {
        let table = Table::new("t").with("a", Column::integer(vec![1, 2])).with("b", Column::integer(vec![1]));
        assert!(table.defect().is_some_and(|defect| defect.contains("`b`")));
        let table = Table::new("t").with("a", Column::Text(TextColumn { dictionary: vec![], codes: vec![0] }));
        assert!(table.defect().is_some_and(|defect| defect.contains("code 0")));
    }
}
