//! `manifest.json` of a bundle: what the run was made of and what it made, by hash.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the bundle's form.
pub const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableManifest {
    pub name: String,
    pub row_count: u64,
    /// Digests of the chunks in order.
    pub chunks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    /// What names the run: see [`crate::root`].
    pub root: String,
    /// Whose results are in the bundle; those of everybody where absent. The inputs are whole in either case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee_id: Option<String>,
    pub engine_version: String,
    pub options: BTreeMap<String, String>,
    /// Path and digest of the settings, plans and scripts.
    pub documents: BTreeMap<String, String>,
    /// `<point>/<name>` and digest.
    pub extensions: BTreeMap<String, String>,
    pub inputs: Vec<TableManifest>,
    pub results: Vec<TableManifest>,
}

impl Manifest {
    /// The one way to write it.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and numbers are JSON");
        text.push('\n');
        text
    }
}
