//! A run as one file that a program without access to the server can check: its inputs, plans, extensions, results and hashes.
//! Personal data is no input of a calculation, so none is in it.

use crate::Instance;
use crate::access::{Action, Caller};
use crate::refusal::Refusal;
use anyhow::{Context, Result};
use attain_domain::Table;
use attain_domain::ids::RunId;
use attain_store::runs::{Manifest, TableManifest};
use attain_verify::Writer;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::path::Path;

/// What may be handed out over the interface; the command line has no limit.
const ROWS_SENT_MAX: u64 = 5_000_000;

/// A bundle is held in memory until it is sent.
static SENDING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A file to take along.
pub struct BundleFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Instance {
    /// Writes the bundle of a run to a file that must not exist yet; `last` is the last run. With a payee its results are hers alone;
    /// its inputs are whole in either case, because nothing less can be shown to suffice: ranks, pools and roll-ups look at everybody.
    pub async fn write_bundle(&self, run: &str, payee: Option<&str>, file: &Path) -> Result<String> {
        let mut read = self.database.read().await?;
        let saved = if run == "last" { self.last(&mut read).await? } else { self.saved(&mut read, run).await? };
        let out = std::fs::File::create_new(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Refusal::conflict(format!("`{}` is there already; name another file", file.display())),
            _ => Refusal::invalid(format!("`{}` cannot be written: {error}", file.display())),
        })?;
        let written = self.put_bundle(&mut read, &saved.summary.run_id, &saved.manifest, payee, BufWriter::new(out)).await;
        match written.and_then(|out| Ok(out.into_inner()?.sync_all()?)) {
            Ok(()) => Ok(saved.summary.root.0),
            Err(error) => {
                // Half a bundle is none.
                let _ = std::fs::remove_file(file);
                Err(error)
            }
        }
    }

    /// The bundle of a run for who may see everybody's pay; one at a time.
    pub async fn run_bundle(&self, caller: &Caller, run: &str, payee: Option<&str>) -> Result<BundleFile> {
        caller.require(Action::SeeRuns)?;
        caller.require(Action::SeeAllPay)?;
        let _turn = SENDING.try_lock().map_err(|_| Refusal::limited("another bundle is being made; ask again when it is there"))?;
        let mut read = self.database.read().await?;
        let saved = self.saved(&mut read, run).await?;
        let rows: u64 = saved.manifest.inputs.iter().chain(&saved.manifest.results).map(|table| table.row_count).sum();
        if rows > ROWS_SENT_MAX {
            let message =
                format!("the run has {rows} rows, more than the {ROWS_SENT_MAX} that are sent; use `attain bundle` on the server");
            return Err(Refusal::conflict(message).into());
        }
        let bytes = self.put_bundle(&mut read, &saved.summary.run_id, &saved.manifest, payee, Vec::new()).await?;
        let root = saved.summary.root.0;
        Ok(BundleFile { name: format!("attain-run-{}.tar", root.get(..12).unwrap_or(&root)), bytes })
    }

    async fn put_bundle<W: Write>(
        &self,
        read: &mut attain_database::Connection,
        run_id: &RunId,
        manifest: &Manifest,
        payee: Option<&str>,
        out: W,
    ) -> Result<W> {
        let of_payee = match payee {
            Some(payee) => Some(payee_results(read, run_id, manifest, payee).await?),
            None => None,
        };
        let listed = listed(manifest, payee);
        let mut writer = Writer::new(out, &listed)?;
        for (path, digest) in &manifest.documents {
            let text = attain_store::documents::by_digest(read, digest).await?;
            writer.document(path, &text.with_context(|| format!("document {path} {digest} is not in the record"))?)?;
        }
        let mut written = BTreeSet::new();
        for (name, digest) in &manifest.extensions {
            if written.insert(digest) {
                let file = attain_store::extensions::blob(read, &digest.as_str().into()).await?;
                writer.extension(digest, &file.with_context(|| format!("extension {name} {digest} is not in the record"))?)?;
            }
        }
        for table in &manifest.inputs {
            writer.input(&attain_store::runs::read_table(read, table).await?)?;
        }
        match of_payee {
            Some(tables) => {
                for table in &tables {
                    writer.result(table)?;
                }
            }
            None => {
                for table in &manifest.results {
                    writer.result(&attain_store::runs::read_table(read, table).await?)?;
                }
            }
        }
        Ok(writer.finish()?)
    }
}

/// The payee's rows of every result that speaks of payees; a payee without any is not known to the run.
async fn payee_results(read: &mut attain_database::Connection, run_id: &RunId, manifest: &Manifest, payee: &str) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    for table in &manifest.results {
        let Some(first) = table.chunks.first() else { continue };
        if attain_store::chunks::get(read, &table.name, first).await?.column("payee_id").is_some() {
            tables.push(attain_store::runs::read_payee_slice(read, run_id, &table.name, payee).await?);
        }
    }
    if tables.iter().all(|table| table.row_count() == 0) {
        return Err(Refusal::not_found(format!("run {run_id} has nothing for payee `{payee}`")).into());
    }
    Ok(tables)
}

fn listed(manifest: &Manifest, payee: Option<&str>) -> attain_verify::Manifest {
    let tables = |tables: &[TableManifest]| {
        let one = |table: &TableManifest| attain_verify::TableManifest {
            name: table.name.clone(),
            row_count: table.row_count,
            chunks: table.chunks.iter().map(|chunk| chunk.0.clone()).collect(),
        };
        tables.iter().map(one).collect()
    };
    attain_verify::Manifest {
        format: attain_verify::FORMAT,
        root: manifest.root().0,
        payee_id: payee.map(str::to_owned),
        engine_version: manifest.engine_version.clone(),
        options: manifest.options.clone(),
        documents: manifest.documents.clone(),
        extensions: manifest.extensions.clone(),
        inputs: tables(&manifest.inputs),
        results: tables(&manifest.results),
    }
}
