//! What the server refuses to do, in words the caller can act on. One list; the doors map it to exit codes and to HTTP.

use attain_domain::point::Fault;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The data or the plan is wrong.
    Invalid,
    NotFound,
    /// It clashes with what is there.
    Conflict,
    /// An extension failed.
    Extension,
    /// Who asks is not known.
    Unauthenticated,
    /// Who asks is known and may not.
    Forbidden,
    /// An edit names no version, or one that is not the current one.
    Stale,
    /// Too often.
    Limited,
}

/// A refusal: nothing was changed. `details` lists every problem found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub kind: RefusalKind,
    pub message: String,
    pub details: Vec<String>,
}

impl Refusal {
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::Invalid, message: message.into(), details: Vec::new() }
    }

    pub fn not_found(message: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::NotFound, message: message.into(), details: Vec::new() }
    }

    pub fn conflict(message: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::Conflict, message: message.into(), details: Vec::new() }
    }

    pub fn unauthenticated(message: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::Unauthenticated, message: message.into(), details: Vec::new() }
    }

    pub fn forbidden(message: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::Forbidden, message: message.into(), details: Vec::new() }
    }

    pub fn stale(message: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::Stale, message: message.into(), details: Vec::new() }
    }

    pub fn limited(message: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::Limited, message: message.into(), details: Vec::new() }
    }

    pub fn extension(name: &str, fault: &Fault) -> Refusal {
        Refusal { kind: RefusalKind::Extension, message: format!("extension `{name}`: {fault}"), details: Vec::new() }
    }

    #[must_use]
    pub fn with_details(mut self, details: Vec<String>) -> Refusal {
        self.details = details;
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        for detail in &self.details {
            write!(formatter, "\n  {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
