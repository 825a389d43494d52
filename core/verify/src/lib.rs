//! Is a bundle true? Reads an exported run, checks every hash by code of its own, calculates everything again from the inputs, the
//! plans and the very extensions that the run used, and says yes or the first difference. Knows no database and no network.

mod canon;
mod compare;
mod container;
mod contents;
mod manifest;
mod recompute;
pub mod text;
mod verdict;

pub use canon::{chunk_digest, digests, root};
pub use compare::Difference;
pub use contents::{Writer, verify, verify_file};
pub use manifest::{FORMAT, Manifest, TableManifest};
pub use recompute::rows_of_payee;
pub use verdict::{Exit, Unfit, Verdict};
