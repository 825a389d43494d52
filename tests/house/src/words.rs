//! Names, and the few things that are counted because each one was looked at.

use super::{files, read, shown};

const NAMELESS: &[&str] = &["common", "util", "utils", "helper", "helpers", "manager", "service", "base", "misc"];
const SOURCES: &[&str] = &["core", "sdk", "plugins", "tests", "xtask"];

/// How often each file runs SQL put together at run time. Every one was read: it holds names from `ENTITIES`, names made by the
/// program itself, files of the repository, and placeholders; never a value.
const ASSEMBLED_SQL_REVIEWED: &[(&str, usize)] = &[
    ("core/audit/src/tests.rs", 1),
    ("core/database/src/migrations.rs", 1),
    ("core/database/src/rows.rs", 1),
    ("core/database/src/tests.rs", 2),
    ("core/database/src/trial.rs", 2),
    ("core/store/src/chunks.rs", 1),
    ("core/store/src/entities.rs", 3),
    ("core/store/src/row_hashes.rs", 1),
    ("core/store/src/tests.rs", 2),
];

#[test]
fn no_module_is_called_after_nothing() {
    let sources = files(SOURCES, ".rs");
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    let nameless: Vec<String> = sources
        .iter()
        .filter(|path| {
            let own = path.strip_prefix(super::root()).unwrap_or(path).with_extension("");
            own.components().any(|part| NAMELESS.iter().any(|word| part.as_os_str() == *word))
        })
        .map(|path| shown(path))
        .collect();
    assert!(nameless.is_empty(), "say what they are about: {nameless:?}");
}

/// Statements without comments and without quoted text.
fn bare(sql: &str) -> String {
    let lines: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    lines.join("\n").split('\'').step_by(2).collect()
}

#[test]
fn sql_is_lower_case() {
    let migrations = files(&["migrations"], ".sql");
    assert!(!migrations.is_empty(), "no migrations were found");
    for path in migrations {
        let loud: Vec<String> = bare(&read(&path)).lines().filter(|line| line.chars().any(char::is_uppercase)).map(str::to_owned).collect();
        assert!(loud.is_empty(), "{}: {loud:?}", shown(&path));
    }
}

#[test]
fn every_assembled_sql_text_was_reviewed() {
    let counted: Vec<(String, usize)> = files(&["core"], ".rs")
        .iter()
        .map(|path| (shown(path), read(path).matches("AssertSqlSafe(").count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    let reviewed: Vec<(String, usize)> = ASSEMBLED_SQL_REVIEWED.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect();
    assert_eq!(counted, reviewed, "read what is new, then correct the list");
}

#[test]
fn a_script_has_its_cases_beside_it() {
    for path in files(&["scripts", "examples"], ".rhai") {
        assert!(path.with_extension("cases.toml").exists(), "{} has no cases", shown(&path));
    }
}
