//! CSV files as tables, read as a stream: one line is one record, memory is bounded by the limits below.

use super::problem::{Problem, Problems, advice};
use super::tables::Canonical;
use super::value;
use attain_domain::schema::{Field, Kind};
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Table, TextColumn};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;

pub const LINE_BYTES_MAX: usize = 1 << 20;
pub const ROWS_MAX: usize = 5_000_000;

/// A table in canonical order and the line of each of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sheet {
    pub table: Canonical,
    /// Empty where the rows come from no file, 0 for a row that does not.
    pub lines: Vec<u32>,
    /// The line of the file's header and the position of each column in it.
    pub positions: HashMap<&'static str, u64>,
    /// Whether all records of the file are in the table. References to an incomplete one are not judged.
    pub complete: bool,
}

impl Sheet {
    pub fn line(&self, row: usize) -> Option<u64> {
        self.lines.get(row).filter(|line| **line > 0).map(|line| u64::from(*line))
    }

    pub fn position(&self, column: &str) -> Option<u64> {
        self.positions.get(column).copied()
    }
}

/// What a file is read as: its name in messages, its columns, and how many of them identify a row (0: rows stay in order).
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    pub file: &'a str,
    pub table: &'a str,
    pub fields: &'static [Field],
    pub key_count: usize,
    /// Whether columns that the file does not have are left out of the table.
    pub only_given: bool,
    /// Whether texts may carry the guard that exports put before what looks like a formula; it is taken off.
    pub may_be_guarded: bool,
}

enum Cells {
    Text { codes_of: HashMap<String, u32>, codes: Vec<u32> },
    Number { known_days: HashMap<String, i64>, values: Vec<i64> },
}

struct Builder {
    field: &'static Field,
    /// Index in the file's lines; `None` where the file has no such column.
    index: Option<usize>,
    cells: Cells,
}

/// Reads `reader` to its end or to the first defect after which lines cannot be told apart.
pub(super) fn read(form: &Form<'_>, reader: impl Read, problems: &mut Problems) -> Sheet {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut sheet = Sheet { complete: true, ..Sheet::default() };
    let mut builders: Option<Vec<Builder>> = None;
    let mut width = 0;
    let mut buffer = Vec::new();
    let mut cells = Cut::default();
    let mut line = 0u32;
    loop {
        buffer.clear();
        match reader.by_ref().take(LINE_BYTES_MAX as u64 + 2).read_until(b'\n', &mut buffer) {
            Ok(0) => break,
            Ok(_) => line += 1,
            Err(error) => {
                problems.push(Problem::new(form.file, format!("could not be read: {error}")).at(Some(u64::from(line) + 1)));
                sheet.complete = false;
                break;
            }
        }
        let problem = |message: String| Problem::new(form.file, message).at(Some(u64::from(line)));
        if buffer.last() == Some(&b'\n') {
            buffer.pop();
            if buffer.last() == Some(&b'\r') {
                buffer.pop();
            }
        }
        if buffer.len() > LINE_BYTES_MAX {
            problems
                .push(problem(format!("the line is longer than {LINE_BYTES_MAX} bytes; is this a CSV file? Nothing after it was read")));
            sheet.complete = false;
            break;
        }
        let mut bytes = buffer.as_slice();
        if line == 1 {
            if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                problems.push(problem("the file is UTF-16; save it as UTF-8".to_owned()));
                sheet.complete = false;
                break;
            }
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            let place = at + 1;
            problems.push(problem(format!("byte {place} of the line is NUL; save the file as UTF-8 text. Nothing after it was read")));
            sheet.complete = false;
            break;
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                problems.push(problem(format!("byte {} of the line, 0x{:02X}, is not UTF-8; save the file as UTF-8", at + 1, bytes[at])));
                sheet.complete = false;
                if builders.is_none() {
                    break;
                }
                continue;
            }
        };
        if text.is_empty() {
            continue;
        }
        if let Err((at, message)) = cells.cut(text) {
            problems.push(Problem { position: Some(at as u64 + 1), ..problem(message.to_owned()) });
            sheet.complete = false;
            if builders.is_none() {
                break;
            }
            continue;
        }
        let Some(builders) = &mut builders else {
            width = cells.ranges.len();
            builders = Some(header(form, text, &cells, &mut sheet, line, problems));
            continue;
        };
        if sheet.lines.len() == ROWS_MAX {
            problems.push(problem(format!("the file has more than {ROWS_MAX} rows; split the company or leave out old rows")));
            sheet.complete = false;
            break;
        }
        let count = cells.ranges.len();
        let ragged = count != width;
        if ragged {
            problems.push(problem(format!(
                "the line has {count} values, the header has {width}; {}",
                if count > width {
                    "put a value that contains a comma into double quotes"
                } else {
                    "write every column, with nothing between the commas where there is no value"
                }
            )));
        }
        sheet.lines.push(line);
        let source = cells.source(text);
        for builder in builders {
            let Some(index) = builder.index else { continue };
            let cell = cells.ranges.get(index).map_or("", |range| &source[range.clone()]);
            let is_text = builder.field.kind.scale().is_none();
            let cell = if form.may_be_guarded && is_text { attain_print::unguarded(cell) } else { cell };
            let defect = builder.push(cell);
            if let Some(message) = defect.filter(|_| !ragged) {
                let problem = problem(message).column(builder.field.name, Some(index as u64 + 1));
                problems.push(if cell.is_empty() { problem } else { problem.value(cell) });
            }
        }
    }
    match builders {
        Some(builders) => finish(form, builders, &mut sheet, problems),
        None => {
            if sheet.complete {
                let names: Vec<&str> = form.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
                problems.push(Problem::new(
                    form.file,
                    format!("the file is empty; write a header such as `{}`, or remove the file", names.join(",")),
                ));
            }
            sheet.complete = false;
            finish(form, builders_without_file(form.fields), &mut sheet, problems);
        }
    }
    sheet
}

/// Where the values of a line begin and end, in the line itself or, where it has quotes, in its unquoted form.
#[derive(Default)]
struct Cut {
    ranges: Vec<Range<usize>>,
    unquoted: String,
    has_quotes: bool,
}

impl Cut {
    /// Errors are the index of the value and what is wrong with it.
    fn cut(&mut self, line: &str) -> Result<(), (usize, &'static str)> {
        self.ranges.clear();
        self.unquoted.clear();
        self.has_quotes = line.contains('"');
        if !self.has_quotes {
            let mut start = 0;
            for (at, _) in line.match_indices(',') {
                self.ranges.push(start..at);
                start = at + 1;
            }
            self.ranges.push(start..line.len());
            return Ok(());
        }
        let mut rest = line;
        loop {
            let number = self.ranges.len();
            let start = self.unquoted.len();
            let after = match rest.strip_prefix('"') {
                Some(inner) => self
                    .quoted(inner)
                    .ok_or((number, "a quote is opened and not closed on this line; a value cannot contain a line break"))?,
                None => {
                    let end = rest.find(',').unwrap_or(rest.len());
                    if rest[..end].contains('"') {
                        return Err((
                            number,
                            "a quote stands inside a value; put the whole value into double quotes and double the quote inside",
                        ));
                    }
                    self.unquoted.push_str(&rest[..end]);
                    &rest[end..]
                }
            };
            self.ranges.push(start..self.unquoted.len());
            if after.is_empty() {
                return Ok(());
            }
            rest =
                after.strip_prefix(',').ok_or((number, "something follows the closing quote; put the whole value into double quotes"))?;
        }
    }

    /// Takes a quoted value without its first quote; what follows its last one.
    fn quoted<'a>(&mut self, mut inner: &'a str) -> Option<&'a str> {
        loop {
            let end = inner.find('"')?;
            self.unquoted.push_str(&inner[..end]);
            inner = &inner[end + 1..];
            match inner.strip_prefix('"') {
                Some(rest) => {
                    self.unquoted.push('"');
                    inner = rest;
                }
                None => return Some(inner),
            }
        }
    }

    fn source<'a>(&'a self, line: &'a str) -> &'a str {
        if self.has_quotes { &self.unquoted } else { line }
    }
}

fn builders_without_file(fields: &'static [Field]) -> Vec<Builder> {
    fields.iter().map(|field| Builder { field, index: None, cells: Cells::new(field.kind) }).collect()
}

fn header(form: &Form<'_>, text: &str, cells: &Cut, sheet: &mut Sheet, line: u32, problems: &mut Problems) -> Vec<Builder> {
    let line = Some(u64::from(line));
    let mut builders = builders_without_file(form.fields);
    let source = cells.source(text);
    if cells.ranges.len() == 1 && form.fields.len() > 1 && source.contains([';', '\t', '|']) {
        problems.push(Problem::new(form.file, "the columns are not separated by commas; write `,` between values").at(line));
        sheet.complete = false;
        return builders;
    }
    for (index, range) in cells.ranges.iter().enumerate() {
        let name = &source[range.clone()];
        let position = index as u64 + 1;
        match builders.iter_mut().find(|builder| builder.field.name == name) {
            Some(Builder { index: Some(first), .. }) => {
                let message = format!("is a column twice, in positions {} and {position}; remove one", *first + 1);
                problems.push(Problem { position: Some(position), ..Problem::new(form.file, message).at(line).value(name) });
            }
            Some(builder) => {
                builder.index = Some(index);
                sheet.positions.insert(builder.field.name, position);
            }
            None => {
                let names = form.fields.iter().map(|field| field.name);
                let otherwise = format!("the columns are {}", value::quoted(&names.clone().collect::<Vec<_>>()));
                let message = format!("is not a column of this file{}", advice(name, names, &otherwise));
                problems.push(Problem { position: Some(position), ..Problem::new(form.file, message).at(line).value(name) });
            }
        }
    }
    for builder in &builders {
        if builder.field.required && builder.index.is_none() {
            problems.push(Problem::new(form.file, "is missing; add the column").at(line).value(builder.field.name));
            sheet.complete = false;
        }
    }
    builders
}

impl Cells {
    fn new(kind: Kind) -> Cells {
        match kind.scale() {
            None => Cells::Text { codes_of: HashMap::new(), codes: Vec::new() },
            Some(_) => Cells::Number { known_days: HashMap::new(), values: Vec::new() },
        }
    }
}

impl Builder {
    /// Adds a value and says what is wrong with it; a wrong value is added as none.
    fn push(&mut self, cell: &str) -> Option<String> {
        let mut defect = None;
        if cell.is_empty() && self.field.required {
            defect = Some("is required and empty; write a value".to_owned());
        }
        match &mut self.cells {
            Cells::Text { codes_of, codes } => {
                let code = if cell.is_empty() {
                    NULL_CODE
                } else if let Some(code) = codes_of.get(cell) {
                    *code
                } else if let Some(message) = value::text_defect(self.field.kind, cell) {
                    defect = Some(message);
                    NULL_CODE
                } else {
                    let code = codes_of.len() as u32;
                    codes_of.insert(cell.to_owned(), code);
                    code
                };
                codes.push(code);
            }
            Cells::Number { known_days, values } => {
                let value = if cell.is_empty() {
                    NULL_NUMBER
                } else if let Some(day) = known_days.get(cell) {
                    *day
                } else {
                    match value::number(self.field.kind, cell) {
                        Ok(value) => {
                            // Parsing a day costs more than finding it, and there are few different ones.
                            if self.field.kind == Kind::Day {
                                known_days.insert(cell.to_owned(), value);
                            }
                            value
                        }
                        Err(message) => {
                            defect = Some(message);
                            NULL_NUMBER
                        }
                    }
                };
                values.push(value);
            }
        }
        defect
    }

    fn column(self, rows: usize) -> Column {
        match self.cells {
            Cells::Text { codes_of, mut codes } => {
                codes.resize(rows, NULL_CODE);
                let mut entries: Vec<(String, u32)> = codes_of.into_iter().collect();
                entries.sort_unstable();
                let mut mapping = vec![NULL_CODE; entries.len()];
                for (new, (_, old)) in entries.iter().enumerate() {
                    mapping[*old as usize] = new as u32;
                }
                for code in &mut codes {
                    *code = mapping.get(*code as usize).copied().unwrap_or(NULL_CODE);
                }
                Column::Text(TextColumn { dictionary: entries.into_iter().map(|(text, _)| text).collect(), codes })
            }
            Cells::Number { mut values, .. } => {
                values.resize(rows, NULL_NUMBER);
                Column::Number { scale: self.field.kind.scale().unwrap_or_default(), values }
            }
        }
    }
}

/// Puts the columns into the table and its rows into the order of their keys; names keys that are there twice.
fn finish(form: &Form<'_>, builders: Vec<Builder>, sheet: &mut Sheet, problems: &mut Problems) {
    let rows = sheet.lines.len();
    let mut table = Table::new(form.table);
    for builder in builders {
        if builder.index.is_some() || !form.only_given {
            let name = builder.field.name.to_owned();
            table.columns.push((name, builder.column(rows)));
        }
    }
    if form.key_count > 0
        && let Some(order) = order(&table, form.key_count)
    {
        sheet.lines = order.iter().map(|row| sheet.lines[*row]).collect();
        permute(&mut table, &order);
    }
    sheet.table = Canonical::trusted(table);
    if form.key_count == 0 {
        return;
    }
    let key: Vec<&str> = form.fields[..form.key_count].iter().map(|field| field.name).collect();
    for row in 1..rows {
        if compare(&sheet.table, form.key_count, row - 1, row) == Ordering::Equal && !has_null(&sheet.table, form.key_count, row) {
            let message = format!("is on line {} too; keep one of them", sheet.lines[row - 1]);
            let value = super::key_text(&sheet.table, form.fields, form.key_count, row);
            problems
                .push(Problem::new(form.file, message).at(sheet.line(row)).column(&key.join(", "), sheet.position(key[0])).value(&value));
        }
    }
}

/// The rows in the order of the first `key_count` columns, whose dictionaries must be sorted; `None` where they are in it.
pub(super) fn order(table: &Table, key_count: usize) -> Option<Vec<usize>> {
    let rows = table.row_count();
    if (1..rows).all(|row| compare(table, key_count, row - 1, row) != Ordering::Greater) {
        return None;
    }
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|left, right| compare(table, key_count, *left, *right));
    Some(order)
}

pub(super) fn permute(table: &mut Table, order: &[usize]) {
    for (_, column) in &mut table.columns {
        match column {
            Column::Number { values, .. } => *values = order.iter().map(|row| values[*row]).collect(),
            Column::Text(text) => text.codes = order.iter().map(|row| text.codes[*row]).collect(),
        }
    }
}

fn compare(table: &Table, key_count: usize, left: usize, right: usize) -> Ordering {
    for (_, column) in &table.columns[..key_count] {
        let ordering = match column {
            Column::Number { values, .. } => values[left].cmp(&values[right]),
            Column::Text(text) => text.codes[left].cmp(&text.codes[right]),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

fn has_null(table: &Table, key_count: usize, row: usize) -> bool {
    table.columns[..key_count].iter().any(|(_, column)| match column {
        Column::Number { values, .. } => values[row] == NULL_NUMBER,
        Column::Text(text) => text.codes[row] == NULL_CODE,
    })
}
