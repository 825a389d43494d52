//! The record of Attain: entities with their history, documents, extensions, chunks, runs and the pay ledger. All SQL about
//! them is here; reading takes a [`Connection`], changing a [`Tx`].

pub mod batches;
pub mod changes;
pub mod chunks;
pub mod disputes;
pub mod documents;
pub mod entities;
pub mod extensions;
pub mod imports;
pub mod ledger;
pub mod notices;
pub mod once;
pub mod outbox;
pub mod payouts;
pub mod periods;
pub mod plan_documents;
pub mod row_hashes;
pub mod run_facts;
pub mod runs;
pub mod teamwork;
pub mod users;
pub mod versions;

pub use attain_database::{Connection, Tx};

pub use chunks::Chunk;
pub use entities::{Changes, Counts};
pub use runs::{Manifest, RunRecord, RunSummary, TableManifest};

/// Digest of a text or of bytes that are kept as they are: blake3, lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests;
