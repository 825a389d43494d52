//! Tables, columns and texts as they cross the border, and how they are read and written.

use std::collections::HashMap;

/// The number that stands for "no value".
pub const NULL: i64 = i64::MIN;
/// The code that stands for "no value".
pub const NULL_CODE: u32 = u32::MAX;

/// Text as a dictionary and a code for each row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextColumn {
    pub dictionary: Vec<String>,
    pub codes: Vec<u32>,
}

/// Integers of 10^-scale: money has scale 4, a rate 8, an integer or a day 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberColumn {
    pub scale: u8,
    pub values: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    Number(NumberColumn),
    Text(TextColumn),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumn {
    pub name: String,
    pub column: Column,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub name: String,
    pub columns: Vec<NamedColumn>,
}

/// One text of one column: comparing two of the same column compares their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(pub u32);

impl TextColumn {
    #[inline]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.dictionary.get(*self.codes.get(row)? as usize).map(String::as_str)
    }

    /// The text of a row as a code; `None` for no value.
    #[inline]
    pub fn text(&self, row: usize) -> Option<Text> {
        self.codes.get(row).filter(|code| **code != NULL_CODE).map(|code| Text(*code))
    }

    pub fn find(&self, text: &str) -> Option<Text> {
        self.dictionary.iter().position(|own| own == text).map(|code| Text(code as u32))
    }

    /// What a text of this column says; empty when it is of another one.
    #[inline]
    pub fn show(&self, text: Text) -> &str {
        self.dictionary.get(text.0 as usize).map_or("", String::as_str)
    }

    pub fn from_values<S: AsRef<str>>(values: &[Option<S>]) -> TextColumn {
        let mut builder = TextBuilder::default();
        for value in values {
            builder.push(value.as_ref().map(AsRef::as_ref));
        }
        builder.finish()
    }
}

impl NumberColumn {
    #[inline]
    pub fn get(&self, row: usize) -> Option<i64> {
        self.values.get(row).copied().filter(|value| *value != NULL)
    }
}

impl Column {
    pub fn number(scale: u8, values: Vec<i64>) -> Column {
        Column::Number(NumberColumn { scale, values })
    }

    pub fn len(&self) -> usize {
        match self {
            Column::Number(number) => number.values.len(),
            Column::Text(text) => text.codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    pub fn new(name: &str) -> Table {
        Table { name: name.to_owned(), columns: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, column: Column) -> Table {
        self.columns.push(NamedColumn { name: name.to_owned(), column });
        self
    }

    pub fn row_count(&self) -> usize {
        self.columns.iter().map(|named| named.column.len()).max().unwrap_or(0)
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|named| named.name == name).map(|named| &named.column)
    }

    /// Moves a column of text out; one without any value when it is not there.
    pub fn take_texts(&mut self, name: &str) -> Result<TextColumn, String> {
        match self.take(name) {
            None => Ok(TextColumn::default()),
            Some(Column::Text(text)) => Ok(text),
            Some(Column::Number(_)) => Err(format!("column `{name}` of table `{}` holds numbers, not text", self.name)),
        }
    }

    /// Moves a column of numbers out; one without any value when it is not there.
    pub fn take_numbers(&mut self, name: &str, scale: u8) -> Result<NumberColumn, String> {
        match self.take(name) {
            None => Ok(NumberColumn { scale, values: Vec::new() }),
            Some(Column::Number(number)) if number.scale == scale => Ok(number),
            Some(Column::Number(number)) => {
                Err(format!("column `{name}` of table `{}` has scale {}, not {scale}", self.name, number.scale))
            }
            Some(Column::Text(_)) => Err(format!("column `{name}` of table `{}` holds text, not numbers", self.name)),
        }
    }

    /// Moves all columns of numbers out whose names begin with `prefix`, under the rest of their names.
    pub fn take_prefixed(&mut self, prefix: &str) -> Vec<(String, NumberColumn)> {
        let (taken, kept) = std::mem::take(&mut self.columns)
            .into_iter()
            .partition(|named| named.name.starts_with(prefix) && matches!(named.column, Column::Number(_)));
        self.columns = kept;
        let taken: Vec<NamedColumn> = taken;
        taken
            .into_iter()
            .filter_map(|named| match named.column {
                Column::Number(number) => Some((named.name[prefix.len()..].to_owned(), number)),
                Column::Text(_) => None,
            })
            .collect()
    }

    fn take(&mut self, name: &str) -> Option<Column> {
        let index = self.columns.iter().position(|named| named.name == name)?;
        Some(self.columns.swap_remove(index).column)
    }
}

/// The table of that name; an empty one when it is not there.
pub(crate) fn take_table(input: &mut Vec<Table>, name: &str) -> Table {
    match input.iter().position(|table| table.name == name) {
        Some(index) => input.swap_remove(index),
        None => Table::new(name),
    }
}

/// Collects a column of text; each distinct text is kept once, in order of first use.
#[derive(Debug, Default)]
pub struct TextBuilder {
    column: TextColumn,
    known: HashMap<String, u32>,
}

impl TextBuilder {
    pub fn code(&mut self, text: &str) -> Text {
        if let Some(code) = self.known.get(text) {
            return Text(*code);
        }
        let code = self.column.dictionary.len() as u32;
        self.column.dictionary.push(text.to_owned());
        self.known.insert(text.to_owned(), code);
        Text(code)
    }

    pub fn push(&mut self, text: Option<&str>) {
        let code = text.map_or(NULL_CODE, |text| self.code(text).0);
        self.column.codes.push(code);
    }

    pub fn push_code(&mut self, text: Text) {
        self.column.codes.push(text.0);
    }

    pub fn finish(self) -> TextColumn {
        self.column
    }
}
