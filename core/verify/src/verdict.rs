//! What checking a bundle came to, in words and as an exit code.

use crate::compare::Difference;
use serde::Serialize;

/// What the program's exit code says; the numbers are those of `attain` and are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Yes: everything was found again.
    Yes = 0,
    /// No: there is a difference.
    No = 1,
    Usage = 2,
    /// The file is no bundle, or not a whole one.
    Malformed = 3,
    /// The file cannot be read.
    Unreadable = 4,
    /// The bundle is of another version of the calculation; use the program of that version.
    OtherVersion = 5,
}

/// Why a bundle could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    #[error("this is not a bundle, or not a whole one: {0}")]
    Malformed(String),
    #[error("the bundle was made by {0}; verify it with the program of that version")]
    OtherVersion(String),
}

impl Unfit {
    pub fn exit(&self) -> Exit {
        match self {
            Unfit::Unreadable(_) => Exit::Unreadable,
            Unfit::Malformed(_) => Exit::Malformed,
            Unfit::OtherVersion(_) => Exit::OtherVersion,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What names the run.
    pub root: String,
    pub engine_version: String,
    pub payee_id: Option<String>,
    /// How many values of results were computed again and found to be equal.
    pub values_compared: u64,
    /// The first one; `None` where there is none.
    pub difference: Option<Difference>,
}

impl Verdict {
    pub fn exit(&self) -> Exit {
        if self.difference.is_none() { Exit::Yes } else { Exit::No }
    }

    /// The verdict on whether it is that run, named by its root hash or the beginning of it.
    #[must_use]
    pub fn of_run(mut self, root: &str) -> Verdict {
        if self.difference.is_none() && (root.is_empty() || !self.root.starts_with(root)) {
            self.difference = Some(Difference::of("manifest.json, root", root, &self.root));
        }
        self
    }

    /// `yes` or `no` first, for people and for scripts.
    pub fn text(&self) -> String {
        let whose = self.payee_id.as_ref().map_or_else(String::new, |payee| format!(" of payee {payee}"));
        match &self.difference {
            None => format!("yes {}\n{} values{whose} were computed again and are equal", self.root, self.values_compared),
            Some(difference) => format!("no {}\n{difference}", self.root),
        }
    }
}
