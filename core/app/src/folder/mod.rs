//! The company folder: a company as plain files, read with every problem named, written back the same, compared.
//! The format is described in `docs/company-folder.md`. Knows no database.

mod check;
mod diff;
mod documents;
mod plan_checks;
mod problem;
mod rows;
mod tables;
mod value;
mod write;

pub use diff::{Change, FieldChange, RowChanges, diff, row_changes};
pub use problem::{Problem, Problems};
pub use rows::{LINE_BYTES_MAX, ROWS_MAX};
pub use tables::{Canonical, Tables};
pub(crate) use value::{number, shown};
pub use write::{csv_text, write};

#[cfg(test)]
mod tests;

use crate::expected;
use attain_domain::plan::Plan;
use attain_domain::schema::{self, ENTITIES, Entity, Field};
use attain_domain::settings::Settings;
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Table};
use attain_store::entities::Changes;
use problem::advice;
use rows::{Form, Sheet};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// A TOML file, a script or a file of expected results is at most this long.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
const ROWS_FILE_BYTES_MAX: u64 = 2 << 30;
const SETTINGS_FILE: &str = "company.toml";
const NAME_LENGTH_MAX: usize = 100;
const NOT_OF_THE_FORMAT: &str = "is not a file of the format; docs/company-folder.md lists them";

/// A plan as its author wrote it and as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFile {
    /// File name in `plans/`, with its extension.
    pub file: String,
    pub text: String,
    pub plan: Plan,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub source: String,
    pub cases: Option<String>,
}

/// Expected rows of one result table; only the columns that the file lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub text: String,
    pub table: Table,
}

/// A whole company. `tables` holds every entity of the schema in canonical form (see [`canonical`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    pub settings_text: String,
    pub settings: Settings,
    /// In the order of file names.
    pub plans: Vec<PlanFile>,
    /// By name, without extension.
    pub scripts: BTreeMap<String, Script>,
    pub tables: Tables,
    /// By name of the result table.
    pub expected: BTreeMap<String, Expected>,
}

impl Company {
    /// Every file but the rows of entities: path in the folder (with `/`) to text, as it was written.
    pub fn documents(&self) -> BTreeMap<String, String> {
        let mut documents = BTreeMap::from([(SETTINGS_FILE.to_owned(), self.settings_text.clone())]);
        documents.extend(self.plans.iter().map(|plan| (format!("plans/{}", plan.file), plan.text.clone())));
        for (name, script) in &self.scripts {
            documents.insert(format!("scripts/{name}.rhai"), script.source.clone());
            if let Some(cases) = &script.cases {
                documents.insert(format!("scripts/{name}.cases.toml"), cases.clone());
            }
        }
        documents.extend(self.expected.iter().map(|(name, expected)| (format!("expected/{name}.csv"), expected.text.clone())));
        documents
    }

    /// A company from its documents (see [`Company::documents`]) and tables, checked like one that is read from files.
    pub fn assemble<T: Into<Canonical>>(
        documents: &BTreeMap<String, String>,
        tables: impl IntoIterator<Item = T>,
    ) -> Result<Company, Problems> {
        let mut sheets = BTreeMap::new();
        let mut problems = Problems::default();
        for table in tables {
            let table = table.into();
            match schema::entity(&table.name) {
                Some(entity) => _ = sheets.insert(entity.name, Sheet { table, complete: true, ..Sheet::default() }),
                None => problems.push(Problem::new(&table.name, "is not an entity of a company")),
            }
        }
        checked(documents, sheets, problems)
    }

    /// The company with rows put in place of those with the same key, or added, and what that changes (see [`Canonical::upsert`]);
    /// everything is checked again, and problems name the lines that the rows came from. `problems` are those that reading the rows
    /// has found.
    pub fn merged(&self, rows: &Rows, problems: Problems) -> Result<(Company, Option<Changes>), Problems> {
        let entity = rows.entity;
        let mut sheets: BTreeMap<&'static str, Sheet> = BTreeMap::new();
        for own in ENTITIES {
            if let Some(table) = self.tables.canonical(own.name) {
                sheets.insert(own.name, Sheet { table: table.clone(), complete: true, ..Sheet::default() });
            }
        }
        let upsert = self.table_of(entity).upsert(entity, &rows.sheet.table);
        let mut lines = vec![0; upsert.after.row_count()];
        for (place, row) in upsert.lines {
            // Line 0 is none.
            lines[place] = rows.sheet.lines.get(row).copied().unwrap_or(0);
        }
        let positions = rows.sheet.positions.clone();
        sheets.insert(entity.name, Sheet { table: upsert.after, lines, positions, complete: rows.sheet.complete });
        Ok((checked(&self.documents(), sheets, problems)?, upsert.changes))
    }

    /// The rows of an entity.
    pub fn table_of(&self, entity: &Entity) -> Canonical {
        self.tables.canonical(entity.name).cloned().unwrap_or_else(|| Canonical::from(Table::new(entity.name)))
    }
}

/// Rows of one entity, each with the line that it came from.
#[derive(Debug, Clone)]
pub struct Rows {
    pub entity: &'static Entity,
    sheet: Sheet,
}

impl Rows {
    /// Reads what can be read of a CSV file, also of one that was exported for a spreadsheet, and every problem with it; at most `problems_max` are listed.
    pub fn read(entity: &'static Entity, reader: impl Read, problems_max: usize) -> (Rows, Problems) {
        let mut problems = Problems::listing(problems_max);
        let file = format!("{}.csv", entity.name);
        let form = Form { may_be_guarded: true, ..form(entity, &file) };
        let sheet = rows::read(&form, reader, &mut problems);
        (Rows { entity, sheet }, problems)
    }

    /// In the order of their keys.
    pub fn table(&self) -> &Table {
        &self.sheet.table
    }
}

/// A company from its files: path in the folder (with `/`) to text. The paths are names of the format and nothing else, so
/// that none leads out of a folder.
pub fn from_files(files: &BTreeMap<String, String>) -> Result<Company, Problems> {
    let mut problems = Problems::default();
    let mut documents = BTreeMap::new();
    let mut sheets = BTreeMap::new();
    for (path, text) in files {
        if let Some(entity) = path.strip_suffix(".csv").and_then(schema::entity) {
            sheets.insert(entity.name, read_sheet(entity, path, text.as_bytes(), &mut problems));
        } else if !is_document(path) {
            problems.push(Problem::new(&problem::shortened(path), NOT_OF_THE_FORMAT));
        } else if text.len() as u64 > DOCUMENT_BYTES_MAX {
            problems.push(Problem::new(path, format!("is {} bytes long; the limit is {DOCUMENT_BYTES_MAX}", text.len())));
        } else {
            documents.insert(path.clone(), text.clone());
        }
    }
    if !documents.contains_key(SETTINGS_FILE) && problems.is_empty() {
        problems.push(Problem::new(SETTINGS_FILE, "is missing; a company folder contains it"));
    }
    checked(&documents, sheets, problems)
}

/// Reads and checks a whole folder; the error lists everything that is wrong with it.
pub fn read(dir: &Path) -> Result<Company, Problems> {
    let mut problems = Problems::default();
    let mut found = Found::default();
    match fs::canonicalize(dir) {
        Ok(root) if root.is_dir() => found.walk(&root, &root, "", &mut problems),
        Ok(_) => problems.push(Problem::new(&dir.display().to_string(), "is not a folder; name the folder that contains company.toml")),
        Err(error) => problems.push(Problem::new(&dir.display().to_string(), format!("cannot be opened: {error}"))),
    }
    if !found.documents.contains_key(SETTINGS_FILE) && problems.is_empty() {
        problems.push(Problem::new(SETTINGS_FILE, "is missing; a company folder contains it"));
    }
    checked(&found.documents, found.sheets, problems)
}

/// Reads the rows of one entity from CSV, with every check that needs no other entity. `file` is its name in messages.
pub fn read_rows(entity: &'static Entity, file: &str, reader: impl Read) -> Result<Table, Problems> {
    let mut problems = Problems::default();
    let sheet = read_sheet(entity, file, reader, &mut problems);
    check::spans(entity, file, &sheet, &mut problems);
    problems.or(sheet.table.into_table())
}

/// The table with every column of its entity in the schema's order, rows in the order of their keys and sorted dictionaries.
/// Columns of another kind than the schema's and columns it does not know are left out.
pub fn canonical(entity: &Entity, table: &Table) -> Table {
    let rows = table.row_count();
    let mut own = Table::new(entity.name);
    for field in entity.fields {
        let column = match (table.column(field.name), field.kind.scale()) {
            (Some(Column::Text(text)), None) => Column::Text(text.canonical()),
            (Some(Column::Number { scale, values }), Some(wanted)) if *scale == wanted => {
                Column::Number { scale: wanted, values: values.clone() }
            }
            (_, None) => Column::Text(attain_domain::TextColumn { dictionary: Vec::new(), codes: vec![NULL_CODE; rows] }),
            (_, Some(scale)) => Column::Number { scale, values: vec![NULL_NUMBER; rows] },
        };
        own.columns.push((field.name.to_owned(), column));
    }
    if let Some(order) = rows::order(&own, entity.key_count) {
        rows::permute(&mut own, &order);
    }
    own
}

fn form<'a>(entity: &'static Entity, file: &'a str) -> Form<'a> {
    Form { file, table: entity.name, fields: entity.fields, key_count: entity.key_count, only_given: false, may_be_guarded: false }
}

fn read_sheet(entity: &'static Entity, file: &str, reader: impl Read, problems: &mut Problems) -> Sheet {
    rows::read(&form(entity, file), reader, problems)
}

/// The key of a row as it is written in a file.
fn key_text(table: &Table, fields: &[Field], key_count: usize, row: usize) -> String {
    fields[..key_count].iter().map(|field| cell(table, field, row).unwrap_or_default()).collect::<Vec<_>>().join(", ")
}

/// A value as it is written in a file; `None` for no value.
pub(crate) fn cell(table: &Table, field: &Field, row: usize) -> Option<String> {
    match table.column(field.name)? {
        Column::Number { values, .. } => {
            values.get(row).filter(|value| **value != NULL_NUMBER).map(|value| value::shown(field.kind, *value))
        }
        Column::Text(text) => text.get(row).map(str::to_owned),
    }
}

/// What was found in a folder.
#[derive(Default)]
struct Found {
    documents: BTreeMap<String, String>,
    sheets: BTreeMap<&'static str, Sheet>,
}

impl Found {
    /// Visits `dir`, which is `prefix` within `root`.
    fn walk(&mut self, root: &Path, dir: &Path, prefix: &str, problems: &mut Problems) {
        let mut names = Vec::new();
        match fs::read_dir(dir) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => names.push(entry.file_name()),
                        Err(error) => problems.push(Problem::new(&format!("{prefix}."), format!("cannot be listed: {error}"))),
                    }
                }
            }
            Err(error) => problems.push(Problem::new(&format!("{prefix}."), format!("cannot be listed: {error}"))),
        }
        names.sort();
        for name in names {
            let Some(name) = name.to_str() else {
                problems.push(Problem::new(&format!("{prefix}{}", name.display()), "has a name that is not UTF-8; rename it"));
                continue;
            };
            if name.starts_with("README") || name.starts_with(".git") || name.ends_with(".md") {
                continue;
            }
            self.visit(root, &dir.join(name), &format!("{prefix}{name}"), problems);
        }
    }

    fn visit(&mut self, root: &Path, path: &Path, name: &str, problems: &mut Problems) {
        // The target's kind is asked before it is opened: opening a pipe would wait for ever.
        let target = match fs::canonicalize(path) {
            Ok(target) if target.starts_with(root) => target,
            Ok(_) => {
                problems.push(Problem::new(name, "is a link out of the folder; put the file itself there"));
                return;
            }
            Err(error) => {
                problems.push(Problem::new(name, format!("cannot be opened: {error}")));
                return;
            }
        };
        let metadata = match fs::metadata(&target) {
            Ok(metadata) => metadata,
            Err(error) => {
                problems.push(Problem::new(name, format!("cannot be opened: {error}")));
                return;
            }
        };
        if metadata.is_dir() {
            if matches!(name, "plans" | "scripts" | "expected") && target == path {
                self.walk(root, path, &format!("{name}/"), problems);
            } else if name == crate::check::THEN {
                // What `attain test` does afterwards is no part of the company.
            } else {
                problems.push(Problem::new(name, "is not a folder of the format; the folders are `plans`, `scripts` and `expected`"));
            }
            return;
        }
        if name == crate::check::payouts::FILE {
            // Nor is what it does with payouts.
            return;
        }
        let entity = name.strip_suffix(".csv").and_then(schema::entity);
        if entity.is_none() && !is_document(name) {
            let files = ENTITIES.iter().map(|entity| format!("{}.csv", entity.name)).chain([SETTINGS_FILE.to_owned()]).collect::<Vec<_>>();
            let message =
                format!("is not a file of the format{}", advice(name, files.iter().map(String::as_str), "remove it or correct its name"));
            problems.push(Problem::new(name, message));
            return;
        }
        if !metadata.is_file() {
            problems.push(Problem::new(name, "is not a regular file; put a file there"));
            return;
        }
        let limit = if entity.is_some() { ROWS_FILE_BYTES_MAX } else { DOCUMENT_BYTES_MAX };
        if metadata.len() > limit {
            problems.push(Problem::new(name, format!("is {} bytes long; the limit is {limit}", metadata.len())));
            return;
        }
        let file = match fs::File::open(&target) {
            Ok(file) => file,
            Err(error) => {
                problems.push(Problem::new(name, format!("cannot be opened: {error}")));
                return;
            }
        };
        if let Some(entity) = entity {
            self.sheets.insert(entity.name, read_sheet(entity, name, file, problems));
            return;
        }
        let mut bytes = Vec::new();
        // The file may grow while it is read.
        if let Err(error) = file.take(limit).read_to_end(&mut bytes) {
            problems.push(Problem::new(name, format!("could not be read: {error}")));
            return;
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                self.documents.insert(name.to_owned(), text);
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bytes = error.as_bytes();
                let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
                problems.push(
                    Problem::new(name, format!("contains the byte 0x{:02X}, which is not UTF-8; save the file as UTF-8", bytes[at]))
                        .at(Some(line)),
                );
            }
        }
    }
}

/// Whether a name means the same file on every system and none outside of its folder.
fn is_plain_name(name: &str) -> bool {
    (1..=NAME_LENGTH_MAX).contains(&name.len())
        && !name.starts_with('.')
        && !name.contains(|character: char| character.is_control() || "/\\:*?\"<>|".contains(character))
}

fn is_document(name: &str) -> bool {
    let stem = |folder: &str, ending: &str| name.strip_prefix(folder).and_then(|rest| rest.strip_suffix(ending)).is_some_and(is_plain_name);
    name == SETTINGS_FILE
        || stem("plans/", ".toml")
        || stem("scripts/", ".rhai")
        || stem("scripts/", ".cases.toml")
        || name.strip_prefix("expected/").and_then(|rest| rest.strip_suffix(".csv")).is_some_and(|table| expected::fields(table).is_some())
}

/// Parses the documents and holds everything against everything.
fn checked(
    documents: &BTreeMap<String, String>,
    mut sheets: BTreeMap<&'static str, Sheet>,
    mut problems: Problems,
) -> Result<Company, Problems> {
    for entity in ENTITIES {
        sheets.entry(entity.name).or_insert_with(|| Sheet {
            table: Canonical::from(Table::new(entity.name)),
            complete: true,
            ..Sheet::default()
        });
    }
    let mut settings = None;
    let mut plans = Vec::new();
    let mut scripts: BTreeMap<String, Script> = BTreeMap::new();
    let mut expected_rows = BTreeMap::new();
    for (path, text) in documents {
        if !is_document(path) {
            problems.push(Problem::new(&problem::shortened(path), "is not a document of the format"));
        } else if text.contains('\0') {
            problems.push(Problem::new(path, "contains the character NUL; save it as text"));
        } else if path == SETTINGS_FILE {
            settings = documents::settings(path, text, &sheets, &mut problems);
        } else if let Some(name) = path.strip_prefix("scripts/").and_then(|name| name.strip_suffix(".rhai")) {
            scripts.entry(name.to_owned()).or_insert_with(|| Script { source: String::new(), cases: None }).source.clone_from(text);
        } else if let Some(name) = path.strip_prefix("scripts/").and_then(|name| name.strip_suffix(".cases.toml")) {
            documents::syntax(path, text, &mut problems);
            if documents.contains_key(&format!("scripts/{name}.rhai")) {
                scripts.entry(name.to_owned()).or_insert_with(|| Script { source: String::new(), cases: None }).cases = Some(text.clone());
            } else {
                problems.push(Problem::new(path, format!("belongs to no script; add `scripts/{name}.rhai`")));
            }
        } else if let Some(name) = path.strip_prefix("expected/").and_then(|name| name.strip_suffix(".csv"))
            && let Some(fields) = expected::fields(name)
        {
            let form = Form { file: path, table: name, fields, key_count: 0, only_given: true, may_be_guarded: false };
            let table = rows::read(&form, text.as_bytes(), &mut problems).table.into_table();
            expected_rows.insert(name.to_owned(), Expected { text: text.clone(), table });
        }
    }
    // Plans refer to the measures of the settings, which may stand behind them in the order of paths.
    for (path, text) in documents {
        if let Some(file) = path.strip_prefix("plans/")
            && let Some(plan) = documents::plan(path, text, settings.as_ref(), &mut problems)
        {
            if let Some(problem) = plan_checks::same_version(path, &plan, &plans) {
                problems.push(problem);
            }
            plans.push(PlanFile { file: file.to_owned(), text: text.clone(), plan });
        }
    }
    let plans_complete = documents.keys().filter(|path| path.starts_with("plans/")).count() == plans.len();
    check::tables(&sheets, settings.as_ref(), plans_complete.then_some(plans.as_slice()), &mut problems);
    match (settings, documents.get(SETTINGS_FILE)) {
        (Some(settings), Some(text)) => {
            let tables = sheets.into_iter().map(|(name, sheet)| (name.to_owned(), sheet.table)).collect();
            problems.or(Company { settings_text: text.clone(), settings, plans, scripts, tables, expected: expected_rows })
        }
        _ => {
            if problems.is_empty() {
                problems.push(Problem::new(SETTINGS_FILE, "is missing; a company folder contains it"));
            }
            Err(problems.or(()).expect_err("there is at least one problem"))
        }
    }
}
