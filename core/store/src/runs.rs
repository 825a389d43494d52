//! Runs: what each read, what it made, and by which versions. The root hash of the manifest names the result.

use crate::chunks::{self, Chunk, Written};
use crate::ledger;
use anyhow::{Context, ensure};
use attain_database::sqlx;
use attain_database::{Connection, Tx, Value, insert};
use attain_domain::ids::{ChunkDigest, RunId};
use attain_domain::{Finding, Severity, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One table of a run: its chunks in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableManifest {
    pub name: String,
    pub row_count: u64,
    pub chunks: Vec<ChunkDigest>,
}

impl TableManifest {
    pub fn of(name: &str, chunks: &[Chunk]) -> TableManifest {
        TableManifest {
            name: name.to_owned(),
            row_count: chunks.iter().map(|chunk| chunk.row_count).sum(),
            chunks: chunks.iter().map(|chunk| chunk.digest.clone()).collect(),
        }
    }
}

/// Everything that a result depends on, and the result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    pub engine_version: String,
    /// What was asked for, for example which periods.
    pub options: BTreeMap<String, String>,
    /// Path and digest of the settings and plans; see [`crate::documents::by_digest`].
    pub documents: BTreeMap<String, String>,
    /// Name and digest of the extensions; see [`crate::extensions::blob`].
    pub extensions: BTreeMap<String, String>,
    pub inputs: Vec<TableManifest>,
    pub results: Vec<TableManifest>,
}

impl Manifest {
    /// blake3 over a canonical form: every list with its length, every text with its length, in the order of the fields.
    pub fn root(&self) -> RunId {
        let mut bytes = b"attain-manifest\x01".to_vec();
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        text(&mut bytes, &self.engine_version);
        for map in [&self.options, &self.documents, &self.extensions] {
            bytes.extend_from_slice(&(map.len() as u64).to_le_bytes());
            for (name, value) in map {
                text(&mut bytes, name);
                text(&mut bytes, value);
            }
        }
        for tables in [&self.inputs, &self.results] {
            bytes.extend_from_slice(&(tables.len() as u64).to_le_bytes());
            for table in tables {
                text(&mut bytes, &table.name);
                bytes.extend_from_slice(&table.row_count.to_le_bytes());
                bytes.extend_from_slice(&(table.chunks.len() as u64).to_le_bytes());
                for chunk in &table.chunks {
                    text(&mut bytes, chunk.as_str());
                }
            }
        }
        RunId(crate::digest(&bytes))
    }

    pub fn input(&self, name: &str) -> Option<&TableManifest> {
        self.inputs.iter().find(|table| table.name == name)
    }

    pub fn result(&self, name: &str) -> Option<&TableManifest> {
        self.results.iter().find(|table| table.name == name)
    }
}

/// A run to save. `inputs` and `results` hold the chunks that the manifest lists, table by table in its order.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Usually the root; another text where one result is kept twice.
    pub run_id: RunId,
    pub complete: bool,
    pub manifest: Manifest,
    pub note: String,
    pub created_at: i64,
    pub inputs: Vec<Vec<Chunk>>,
    pub results: Vec<Vec<Chunk>>,
    pub findings: Vec<Finding>,
    /// What a complete run posts to the pay ledger.
    pub postings: Option<Table>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    pub run_id: RunId,
    pub root: RunId,
    pub complete: bool,
    pub engine_version: String,
    pub note: String,
    pub created_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRun {
    pub summary: RunSummary,
    pub manifest: Manifest,
    pub findings: Vec<Finding>,
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn severity_from(name: &str) -> anyhow::Result<Severity> {
    [Severity::Info, Severity::Warning, Severity::Error]
        .into_iter()
        .find(|severity| severity_name(*severity) == name)
        .with_context(|| format!("`{name}` is no severity"))
}

/// Saves a run with its chunks, findings and postings. Answers what of its chunks was new; `None` for a run that is there already: it
/// is left as it is and posts nothing again.
pub async fn save(tx: &mut Tx, run: RunRecord) -> anyhow::Result<Option<Written>> {
    ensure!(run.complete || run.postings.is_none(), "an incomplete run posts nothing");
    let mut listed = Vec::new();
    for (prefix, tables, stored) in [("input/", &run.manifest.inputs, run.inputs), ("", &run.manifest.results, run.results)] {
        ensure!(tables.len() == stored.len(), "the run has {} tables with chunks, its manifest {}", stored.len(), tables.len());
        for (table, chunks) in tables.iter().zip(stored) {
            ensure!(*table == TableManifest::of(&table.name, &chunks), "the chunks of `{}` are not those in the manifest", table.name);
            listed.push((format!("{prefix}{}", table.name), chunks));
        }
    }
    let done = sqlx::query(
        "insert into runs (run_id, root, status, manifest, engine_version, note, created_at) values ($1, $2, $3, $4, $5, $6, $7) \
         on conflict do nothing",
    )
    .bind(run.run_id.0.clone())
    .bind(run.manifest.root().0)
    .bind(if run.complete { "complete" } else { "incomplete" })
    .bind(serde_json::to_string(&run.manifest)?)
    .bind(run.manifest.engine_version.clone())
    .bind(run.note)
    .bind(run.created_at)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let mut rows = Vec::new();
    let mut bodies = Vec::new();
    for (name, chunks) in listed {
        for (position, chunk) in chunks.into_iter().enumerate() {
            let (first, last) = chunk.payees.as_ref().map_or((None, None), |(first, last)| (Some(first.as_str()), Some(last.as_str())));
            rows.extend([
                Value::from(run.run_id.as_str()),
                Value::from(name.as_str()),
                Value::from(position as i64),
                Value::from(chunk.digest.as_str()),
                Value::from(first),
                Value::from(last),
            ]);
            bodies.push(chunk);
        }
    }
    let written = chunks::put(tx, bodies).await?;
    insert(tx, "run_chunks (run_id, table_name, position, digest, first_payee_id, last_payee_id)", 6, rows, "").await?;
    let mut rows = Vec::with_capacity(run.findings.len() * 7);
    for (position, finding) in run.findings.iter().enumerate() {
        rows.extend([Value::from(run.run_id.as_str()), Value::from(position as i64), Value::from(severity_name(finding.severity))]);
        rows.extend([&finding.code, &finding.entity, &finding.record, &finding.message].map(|text| Value::from(text.as_str())));
    }
    insert(tx, "run_findings (run_id, position, severity, code, entity, record, message)", 7, rows, "").await?;
    if let Some(postings) = &run.postings {
        ledger::insert_postings(tx, &run.run_id, postings, run.created_at).await?;
    }
    Ok(Some(written))
}

type SummaryRow = (String, String, String, String, String, i64);

fn summary((run_id, root, status, engine_version, note, created_at): SummaryRow) -> RunSummary {
    RunSummary { run_id: RunId(run_id), root: RunId(root), complete: status == "complete", engine_version, note, created_at }
}

/// All runs, newest first.
pub async fn list(connection: &mut Connection) -> anyhow::Result<Vec<RunSummary>> {
    let rows: Vec<SummaryRow> =
        sqlx::query_as("select run_id, root, status, engine_version, note, created_at from runs").fetch_all(connection).await?;
    let mut list: Vec<RunSummary> = rows.into_iter().map(summary).collect();
    list.sort_by(|left, right| right.created_at.cmp(&left.created_at).then(left.run_id.cmp(&right.run_id)));
    Ok(list)
}

pub async fn load(connection: &mut Connection, run_id: &RunId) -> anyhow::Result<Option<SavedRun>> {
    let row: Option<SummaryRow> =
        sqlx::query_as("select run_id, root, status, engine_version, note, created_at from runs where run_id = $1")
            .bind(run_id.0.clone())
            .fetch_optional(&mut *connection)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let manifest: String =
        sqlx::query_scalar("select manifest from runs where run_id = $1").bind(run_id.0.clone()).fetch_one(&mut *connection).await?;
    let manifest: Manifest = serde_json::from_str(&manifest).with_context(|| format!("the manifest of run `{run_id}` cannot be read"))?;
    let summary = summary(row);
    ensure!(manifest.root() == summary.root, "the manifest of run `{run_id}` does not have its root hash: restore it from a backup");
    let rows: Vec<(String, String, String, String, String)> =
        sqlx::query_as("select severity, code, entity, record, message from run_findings where run_id = $1 order by position")
            .bind(run_id.0.clone())
            .fetch_all(connection)
            .await?;
    let finding = |(severity, code, entity, record, message): (String, String, String, String, String)| {
        Ok(Finding { severity: severity_from(&severity)?, code, entity, record, message })
    };
    let findings = rows.into_iter().map(finding).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Some(SavedRun { summary, manifest, findings }))
}

/// A table of a run as a whole. One without rows comes back without columns.
pub async fn read_table(connection: &mut Connection, table: &TableManifest) -> anyhow::Result<Table> {
    let mut parts = Vec::with_capacity(table.chunks.len());
    for digest in &table.chunks {
        parts.push(chunks::get(connection, &table.name, digest).await?);
    }
    if parts.len() == 1 {
        return Ok(parts.swap_remove(0));
    }
    chunks::concat(&table.name, &parts)
}

/// The rows of one payee in a result that is sorted by payee; reads only the chunks that hold them.
pub async fn read_payee_slice(connection: &mut Connection, run_id: &RunId, table_name: &str, payee_id: &str) -> anyhow::Result<Table> {
    let rows: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "select digest, first_payee_id, last_payee_id from run_chunks where run_id = $1 and table_name = $2 order by position",
    )
    .bind(run_id.0.clone())
    .bind(table_name)
    .fetch_all(&mut *connection)
    .await?;
    let mut parts = Vec::new();
    for (digest, first, last) in rows {
        // Compared here and not in SQL, where the order of texts depends on the database's locale.
        if first.is_some_and(|first| first.as_str() > payee_id) || last.is_some_and(|last| last.as_str() < payee_id) {
            continue;
        }
        let table = chunks::get(connection, table_name, &ChunkDigest(digest)).await?;
        let payees = table.texts("payee_id").with_context(|| format!("`{table_name}` has no payees"))?;
        let Ok(code) = payees.dictionary.binary_search_by(|word| word.as_str().cmp(payee_id)) else { continue };
        let order: Vec<usize> = (0..table.row_count()).filter(|row| payees.codes[*row] as usize == code).collect();
        parts.push(table.take(&order));
    }
    chunks::concat(table_name, &parts)
}
