//! Collects findings; of very many alike it keeps the first and says how many more there are.

use attain_domain::{Finding, Severity};
use std::collections::BTreeMap;

/// Findings of one code and entity that are kept one by one.
const KEPT_MAX: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    counts: BTreeMap<(Severity, String, String), usize>,
}

impl Findings {
    pub fn push(&mut self, finding: Finding) {
        let key = (finding.severity, finding.code.clone(), finding.entity.clone());
        let count = self.counts.entry(key).or_default();
        *count += 1;
        if *count <= KEPT_MAX {
            self.kept.push(finding);
        }
    }

    pub fn add(&mut self, severity: Severity, code: &str, entity: &str, record: &str, message: impl Into<String>) {
        self.push(Finding::new(severity, code, entity, record, message));
    }

    /// Takes over what another part of the same stage found; parts are merged in their order.
    pub fn append(&mut self, other: Findings) {
        let mut kept: BTreeMap<(Severity, String, String), usize> = BTreeMap::new();
        for finding in other.kept {
            let key = (finding.severity, finding.code.clone(), finding.entity.clone());
            *kept.entry(key).or_default() += 1;
            self.push(finding);
        }
        for (key, count) in other.counts {
            let beyond = count - kept.get(&key).copied().unwrap_or(0);
            *self.counts.entry(key).or_default() += beyond;
        }
    }

    pub fn count(&self) -> usize {
        self.counts.values().sum()
    }

    /// Whether no finding makes the result unreliable.
    pub fn complete(&self) -> bool {
        self.counts.keys().all(|(severity, _, _)| *severity != Severity::Error)
    }

    /// All findings in a fixed order.
    pub fn finish(mut self) -> Vec<Finding> {
        for ((severity, code, entity), count) in self.counts {
            if count > KEPT_MAX {
                let message = format!("{} more of this kind are not listed", count - KEPT_MAX);
                self.kept.push(Finding { severity, code, entity, record: String::new(), message });
            }
        }
        self.kept.sort();
        self.kept
    }
}
