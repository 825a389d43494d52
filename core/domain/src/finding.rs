//! Findings: facts about data or a result that somebody should look at. A finding never stops a run.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Info,
    Warning,
    /// The result is not to be relied on; the run that has one is incomplete and posts nothing.
    Error,
}

/// One finding. `code` is kebab-case, stable and never reused; `entity` and `record` name what it concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    pub code: String,
    pub entity: String,
    pub record: String,
    pub message: String,
}

impl Finding {
    pub fn new(severity: Severity, code: &str, entity: &str, record: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding { severity, code: code.to_owned(), entity: entity.to_owned(), record: record.into(), message: message.into() }
    }
}
