//! The registry of identifiers. All are the customer's own text, kept as written.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $name(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    PayeeId,
    PeriodId,
    PlanId,
    ComponentId,
    MeasureId,
    TransactionId,
    /// The root hash of a run's manifest, in lower-case hexadecimal.
    RunId,
    /// blake3 over an extension's bytes, in lower-case hexadecimal.
    ExtensionDigest,
    /// blake3 over the canonical form of a chunk's columns, in lower-case hexadecimal.
    ChunkDigest,
}
