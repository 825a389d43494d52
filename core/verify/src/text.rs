//! A table as text: a line of columns, a line a row, tabs between values. `\N` is no value; `\\`, `\t`, `\n` and `\r` stand in texts
//! (the form of PostgreSQL's COPY). There is one way to write a table.

use attain_domain::{Column, Day, NULL_NUMBER, Table, TextColumn, fixed};
use std::borrow::Cow;
use std::collections::BTreeMap;

const NONE: &str = "\\N";
const COLUMNS_MAX: usize = 1_000;

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '\t', '\n', '\r']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 4);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(Cow::Owned(out))
}

fn shown_day(value: i64) -> Option<String> {
    let day = Day(i32::try_from(value).ok()?);
    let text = day.to_string();
    (text.parse() == Ok(day)).then_some(text)
}

/// Whether the numbers of a column are days: it says so by its name, and every one of them is.
fn is_of_days(name: &str, scale: u8, values: &[i64]) -> bool {
    scale == 0 && name.ends_with("_on") && values.iter().all(|value| *value == NULL_NUMBER || shown_day(*value).is_some())
}

pub fn write(table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    let of_days: Vec<bool> = table
        .columns
        .iter()
        .map(|(name, column)| matches!(column, Column::Number { scale, values } if is_of_days(name, *scale, values)))
        .collect();
    for (index, (name, column)) in table.columns.iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        let kind = match column {
            Column::Text(_) => "text".to_owned(),
            Column::Number { .. } if of_days[index] => "day".to_owned(),
            Column::Number { scale, .. } => format!("number{scale}"),
        };
        out.extend_from_slice(format!("{}:{kind}", escaped(name)).as_bytes());
    }
    out.push(b'\n');
    for row in 0..table.row_count() {
        for (index, (_, column)) in table.columns.iter().enumerate() {
            if index > 0 {
                out.push(b'\t');
            }
            match column {
                Column::Text(text) => match text.get(row) {
                    Some(value) => out.extend_from_slice(escaped(value).as_bytes()),
                    None => out.extend_from_slice(NONE.as_bytes()),
                },
                Column::Number { scale, values } => match values[row] {
                    NULL_NUMBER => out.extend_from_slice(NONE.as_bytes()),
                    value if of_days[index] => out.extend_from_slice(shown_day(value).unwrap_or_default().as_bytes()),
                    value => out.extend_from_slice(fixed::format(value, *scale).as_bytes()),
                },
            }
        }
        out.push(b'\n');
    }
    out
}

enum Kind {
    Text,
    Day,
    Number(u8),
}

/// A column while it is read.
struct Growing<'a> {
    name: Cow<'a, str>,
    kind: Kind,
    numbers: Vec<i64>,
    words: BTreeMap<Cow<'a, str>, u32>,
    codes: Vec<u32>,
}

impl<'a> Growing<'a> {
    fn new(head: &'a str) -> Option<Growing<'a>> {
        let (name, kind) = head.rsplit_once(':')?;
        let kind = match kind {
            "text" => Kind::Text,
            "day" => Kind::Day,
            number => Kind::Number(number.strip_prefix("number")?.parse().ok().filter(|scale| *scale <= 18)?),
        };
        Some(Growing { name: unescaped(name)?, kind, numbers: Vec::new(), words: BTreeMap::new(), codes: Vec::new() })
    }

    fn push(&mut self, value: &'a str) -> Option<()> {
        match self.kind {
            Kind::Text if value == NONE => self.codes.push(attain_domain::NULL_CODE),
            Kind::Text => {
                let next = u32::try_from(self.words.len()).ok()?;
                self.codes.push(*self.words.entry(unescaped(value)?).or_insert(next));
            }
            Kind::Day | Kind::Number(_) if value == NONE => self.numbers.push(NULL_NUMBER),
            Kind::Day => self.numbers.push(i64::from(value.parse::<Day>().ok()?.0)),
            Kind::Number(scale) => self.numbers.push(fixed::parse(value, scale)?),
        }
        Some(())
    }

    fn finish(self) -> (String, Column) {
        let column = match self.kind {
            Kind::Text => {
                let mut dictionary = vec![String::new(); self.words.len()];
                for (word, code) in self.words {
                    dictionary[code as usize] = word.into_owned();
                }
                Column::Text(TextColumn { dictionary, codes: self.codes }.canonical())
            }
            Kind::Day => Column::Number { scale: 0, values: self.numbers },
            Kind::Number(scale) => Column::Number { scale, values: self.numbers },
        };
        (self.name.into_owned(), column)
    }
}

/// The table that [`write`] wrote; anything else is refused, in words.
pub fn read(name: &str, bytes: &[u8]) -> Result<Table, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    let mut lines = text.strip_suffix('\n').ok_or("does not end with a line end")?.split('\n');
    let head = lines.next().unwrap_or_default();
    let mut columns = Vec::new();
    for own in head.split('\t') {
        columns.push(Growing::new(own).ok_or_else(|| format!("has a column `{own}` of no known kind"))?);
        if columns.len() > COLUMNS_MAX {
            return Err(format!("has more than {COLUMNS_MAX} columns"));
        }
    }
    for (index, line) in lines.enumerate() {
        let mut values = line.split('\t');
        for column in &mut columns {
            let value = values.next().ok_or_else(|| format!("has too few values in row {}", index + 1))?;
            column.push(value).ok_or_else(|| format!("has `{value}` in row {}, column {}", index + 1, column.name))?;
        }
        if values.next().is_some() {
            return Err(format!("has too many values in row {}", index + 1));
        }
    }
    let table = Table { name: name.to_owned(), columns: columns.into_iter().map(Growing::finish).collect() };
    // `1.50` and `1.5` are the same number; only one of them is how it is written.
    if write(&table) == bytes { Ok(table) } else { Err("is not written in the one form".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> impl Strategy<Value = Table> {
        let text = proptest::option::of("[a-z\\\\\t\n\r\"N,é]{0,6}");
        let number = prop_oneof![Just(NULL_NUMBER), -50_000i64..80_000, any::<i64>()];
        proptest::collection::vec((text, number.clone(), number), 1..20).prop_map(|rows| {
            Table::new("t")
                .with("words", Column::text(&rows.iter().map(|row| row.0.as_deref()).collect::<Vec<_>>()))
                .with("held_on", Column::integer(rows.iter().map(|row| row.1).collect()))
                .with("amount", Column::money(rows.iter().map(|row| row.2).collect()))
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(table in table()) {
            let bytes = write(&table);
            prop_assert_eq!(read("t", &bytes), Ok(table));
        }

        #[test]
        fn another_byte_is_another_table_or_none(table in table(), at in any::<prop::sample::Index>(), flip in 1u8..=255) {
            let mut bytes = write(&table);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_ne!(read("t", &bytes), Ok(table));
        }
    }

    #[test]
    fn a_number_has_one_form() {
        assert!(read("t", b"a:number4\n1.5\n").is_ok());
        for odd in ["1.50", "01.5", "-0", "1.", "1e1", "", "\\n"] {
            assert!(read("t", format!("a:number4\n{odd}\n").as_bytes()).is_err(), "{odd}");
        }
    }
}
