//! Sorted dictionaries shared by all stages: text is compared once per dictionary entry, rows carry codes.

use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Table, TextColumn};
use std::collections::BTreeSet;

/// Distinct names in ascending order; the code of a name is its place.
#[derive(Debug, Default, Clone)]
pub struct Names(pub Vec<String>);

impl Names {
    pub fn union(columns: &[&TextColumn]) -> Names {
        let distinct: BTreeSet<&str> = columns.iter().flat_map(|column| column.dictionary.iter().map(String::as_str)).collect();
        Names(distinct.into_iter().map(str::to_owned).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn get(&self, code: u32) -> &str {
        self.0.get(code as usize).map_or("", String::as_str)
    }

    /// `NULL_CODE` for a name that is not there.
    pub fn code(&self, name: &str) -> u32 {
        self.0.binary_search_by(|own| own.as_str().cmp(name)).map_or(NULL_CODE, |code| code as u32)
    }

    pub fn code_of(&self, name: Option<&str>) -> u32 {
        name.map_or(NULL_CODE, |name| self.code(name))
    }

    /// For each entry of the column's dictionary its code here.
    pub fn mapping(&self, column: &TextColumn) -> Vec<u32> {
        column.dictionary.iter().map(|name| self.code(name)).collect()
    }
}

/// Names in a tree; parents of unknown or cyclic descent end the climb.
#[derive(Debug, Default)]
pub struct Tree {
    pub names: Names,
    parents: Vec<u32>,
}

impl Tree {
    pub fn new(names: Names, table: &Table, id: &str) -> Tree {
        let mut parents = vec![NULL_CODE; names.len()];
        let (ids, parent_ids) = (texts(table, id), texts(table, "parent_id"));
        for row in 0..table.row_count() {
            if let Some(slot) = parents.get_mut(names.code_of(ids.get(row)) as usize) {
                *slot = names.code_of(parent_ids.get(row));
            }
        }
        Tree { names, parents }
    }

    /// The code itself and its ancestors, nearest first.
    pub fn lineage(&self, code: u32) -> Vec<u32> {
        let mut lineage = Vec::new();
        let mut next = code;
        while next != NULL_CODE && !lineage.contains(&next) {
            lineage.push(next);
            next = self.parents.get(next as usize).copied().unwrap_or(NULL_CODE);
        }
        lineage
    }
}

/// A text column of an input; one without rows where the table has none of that name.
pub fn texts<'a>(table: &'a Table, name: &str) -> &'a TextColumn {
    static NONE: TextColumn = TextColumn { dictionary: Vec::new(), codes: Vec::new() };
    table.texts(name).unwrap_or(&NONE)
}

/// A number column of an input; empty where the table has none of that name.
pub fn numbers<'a>(table: &'a Table, name: &str) -> &'a [i64] {
    table.numbers(name).unwrap_or(&[])
}

pub fn number(values: &[i64], row: usize) -> Option<i64> {
    values.get(row).copied().filter(|value| *value != NULL_NUMBER)
}

/// Builds text columns of results and batches from codes: their dictionaries hold the used names only, in ascending order,
/// whatever the order of the names. Keeps its scratch between uses.
#[derive(Debug, Default)]
pub struct Picker {
    marks: Vec<u32>,
}

impl Picker {
    pub fn pick(&mut self, names: &[String], codes: impl Iterator<Item = u32>) -> Column {
        self.view(names.len(), |code| names[code].as_str(), codes).into_column()
    }

    /// The same without copying any text. Names need not be in ascending order.
    pub fn view<'a>(&mut self, count: usize, name: impl Fn(usize) -> &'a str, codes: impl Iterator<Item = u32>) -> ViewColumn<'a> {
        let mut codes: Vec<u32> = codes.collect();
        self.marks.clear();
        self.marks.resize(count, NULL_CODE);
        for code in &codes {
            if let Some(mark) = self.marks.get_mut(*code as usize) {
                *mark = 0;
            }
        }
        let mut used: Vec<(&str, usize)> = (0..count).filter(|code| self.marks[*code] == 0).map(|code| (name(code), code)).collect();
        if !used.is_sorted() {
            used.sort_unstable();
        }
        for (place, (_, code)) in used.iter().enumerate() {
            self.marks[*code] = place as u32;
        }
        for code in &mut codes {
            *code = self.marks.get(*code as usize).copied().unwrap_or(NULL_CODE);
        }
        ViewColumn::Text { dictionary: used.into_iter().map(|(name, _)| name).collect(), codes }
    }
}

/// A column of a result whose text is borrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewColumn<'a> {
    Number {
        scale: u8,
        values: Vec<i64>,
    },
    /// The used values in ascending order, and a code for each row.
    Text {
        dictionary: Vec<&'a str>,
        codes: Vec<u32>,
    },
}

impl ViewColumn<'_> {
    pub fn into_column(self) -> Column {
        match self {
            ViewColumn::Number { scale, values } => Column::Number { scale, values },
            ViewColumn::Text { dictionary, codes } => {
                Column::Text(TextColumn { dictionary: dictionary.into_iter().map(str::to_owned).collect(), codes })
            }
        }
    }
}

/// A chunk of a result whose text is borrowed: for writers that copy it anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'a> {
    pub name: &'static str,
    pub columns: Vec<(&'static str, ViewColumn<'a>)>,
}

impl View<'_> {
    pub fn into_table(self) -> Table {
        let columns = self.columns.into_iter().map(|(name, column)| (name.to_owned(), column.into_column()));
        Table { name: self.name.to_owned(), columns: columns.collect() }
    }
}
