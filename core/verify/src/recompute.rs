//! The calculation done again: settings and plans from their texts, the pinned extensions, the inputs as they are in the bundle.

use crate::verdict::Unfit;
use attain_calc::{Analysis, Inputs, RESULTS};
use attain_domain::plan::Plan;
use attain_domain::point::{Extension, Extensions, Fault, FaultKind, Point};
use attain_domain::settings::Settings;
use attain_domain::{Column, Table};
use attain_extend::wasm::{Grant, Host, HostOptions};
use attain_extend::{Kind, Loaded};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The extensions of one run and no other.
#[derive(Default)]
pub struct Pinned {
    /// By `<point>/<name>`.
    own: BTreeMap<String, Arc<dyn Extension>>,
    host: Option<Host>,
}

impl Pinned {
    /// Loads a file and holds it against the name that the manifest gives it.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Unfit> {
        let refused = |fault: &dyn std::fmt::Display| Unfit::Malformed(format!("extension `{name}` does not load: {fault}"));
        let kind = if bytes.starts_with(b"\0asm") { Kind::Wasm } else { Kind::Rhai };
        if self.host.is_none() {
            // Nothing is kept and nothing is reached.
            self.host = Some(Host::new(HostOptions::default()).map_err(|error| refused(&error))?);
        }
        let host = self.host.as_ref().expect("it was made above");
        let loaded = Loaded::load(host, kind, bytes, "", Grant::default()).map_err(|fault| refused(&fault))?;
        let identity = loaded.extension.identity();
        let own = format!("{}/{}", identity.point, identity.name);
        if own != name {
            return Err(Unfit::Malformed(format!("extension `{name}` calls itself `{own}`")));
        }
        self.own.insert(own, loaded.extension);
        Ok(())
    }
}

impl Extensions for Pinned {
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault> {
        let own = self.own.get(&format!("{point}/{name}")).map(AsRef::as_ref);
        own.ok_or_else(|| Fault::new(FaultKind::NotAnExtension, format!("extension `{point}/{name}` is not in the bundle")))
    }
}

/// Settings and plans as they were written.
pub fn documents(texts: &BTreeMap<String, String>) -> Result<(Settings, Vec<Plan>), Unfit> {
    let unreadable = |path: &str, error: toml::de::Error| Unfit::Malformed(format!("`{path}` cannot be read: {}", error.message()));
    let settings = texts.get("company.toml").ok_or_else(|| Unfit::Malformed("there is no company.toml in it".to_owned()))?;
    let settings: Settings = toml::from_str(settings).map_err(|error| unreadable("company.toml", error))?;
    let plans = texts.iter().filter(|(path, _)| path.starts_with("plans/"));
    let plans = plans.map(|(path, text)| toml::from_str(text).map_err(|error| unreadable(path, error)));
    Ok((settings, plans.collect::<Result<_, _>>()?))
}

/// What came out.
pub struct Recomputed {
    /// Name and chunks in the order of the manifest; a table without rows has none.
    pub results: Vec<(String, Vec<Table>)>,
    /// `<point>/<name>` and digest of what was used.
    pub extensions: BTreeMap<String, String>,
}

pub fn calculate(inputs: &Inputs, extensions: &Pinned) -> Result<Recomputed, Unfit> {
    // What the server calculates with was checked when it came in. This may be anything.
    let done = catch_unwind(AssertUnwindSafe(|| {
        let outcome = attain_calc::calculate(inputs, extensions, &mut |_| {});
        let analysis = attain_calc::analyse(inputs, &outcome, extensions);
        let Analysis { tables, used, .. } = analysis;
        let mut results: Vec<(String, Vec<Table>)> =
            RESULTS.iter().filter(|name| **name != "findings").map(|name| ((*name).to_owned(), outcome.stored(name).collect())).collect();
        results.extend(tables.into_iter().map(|table| (table.name.clone(), pieces(table))));
        Recomputed { results, extensions: used.iter().map(|own| (format!("{}/{}", own.point, own.name), own.digest.0.clone())).collect() }
    }));
    done.map_err(|_| Unfit::Malformed("nothing can be calculated from its inputs".to_owned()))
}

fn pieces(table: Table) -> Vec<Table> {
    let pieces = attain_domain::cut::of_table(&table);
    match pieces.len() {
        1 => vec![table],
        _ => pieces.into_iter().map(|rows| table.take(&rows.collect::<Vec<_>>())).collect(),
    }
}

/// The rows of one payee; `None` for a table that does not speak of payees.
pub fn rows_of_payee(table: &Table, payee_id: &str) -> Option<Table> {
    match table.column("payee_id")? {
        Column::Text(payees) => {
            Some(table.take(&(0..table.row_count()).filter(|row| payees.get(*row) == Some(payee_id)).collect::<Vec<_>>()))
        }
        Column::Number { .. } => None,
    }
}
