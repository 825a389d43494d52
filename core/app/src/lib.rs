//! The use cases: what a person can do with Attain. Knows no HTTP and no SQL text.

pub mod access;
pub mod analysis;
pub mod check;
pub mod company;
pub mod expected;
pub mod explain;
mod extension_logs;
pub mod extension_views;
pub mod extensions;
pub mod fetch;
pub mod folder;
mod instance;
pub mod live;
pub mod oidc;
mod once;
pub mod pay;
pub mod planning;
mod proposals;
pub mod questions;
pub mod refusal;
pub mod run_views;
pub mod runs;
pub mod schedules;
pub mod statement_document;
pub mod summary;
pub mod users;
pub mod view;
pub mod whoami;
pub mod work;

pub use attain_store::versions::Versions;
pub use instance::{AuditReport, Config, Instance, incident_id};
pub(crate) use instance::{now_ms, shown_ms};
pub use once::Kept;
