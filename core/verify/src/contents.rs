//! What is in a bundle and in which order: written by the server, read and judged here.

use crate::canon::{blob_digest, chunk_digest, digests, root};
use crate::compare::{self, Difference};
use crate::container::{self, Reader};
use crate::manifest::{FORMAT, Manifest, TableManifest};
use crate::recompute::{self, Pinned, Recomputed, rows_of_payee};
use crate::text;
use crate::verdict::{Unfit, Verdict};
use attain_calc::Inputs;
use attain_domain::{ENGINE_VERSION, Table};
use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

const MANIFEST: &str = "manifest.json";
const README: &str = "README.txt";
/// Stands in every bundle, so that it can be checked without this program.
const README_TEXT: &str = include_str!("README.txt");
/// The input that is not an entity: what earlier runs posted.
const POSTED: &str = "posted";

const MANIFEST_BYTES_MAX: u64 = 64 << 20;
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
const EXTENSION_BYTES_MAX: u64 = 32 << 20;
/// Of the whole file.
const BUNDLE_BYTES_MAX: u64 = 16 << 30;
/// Documents, extensions and tables.
const LISTED_MAX: usize = 10_000;

/// Where a document lies. A path that no archive can hold is named by its digest.
fn document_path(path: &str, digest: &str) -> String {
    let own = format!("documents/{path}");
    if container::fits(&own) { own } else { format!("documents/by-digest/{digest}") }
}

fn extension_path(digest: &str) -> String {
    format!("extensions/{digest}")
}

fn table_path(kind: &str, name: &str) -> String {
    format!("{kind}/{name}.tsv")
}

/// Writes a bundle. The parts come in the order of the manifest; what has no rows is left out.
pub struct Writer<W> {
    out: W,
    documents: BTreeMap<String, String>,
}

impl<W: Write> Writer<W> {
    pub fn new(mut out: W, manifest: &Manifest) -> std::io::Result<Writer<W>> {
        container::put(&mut out, MANIFEST, manifest.text().as_bytes())?;
        container::put(&mut out, README, README_TEXT.as_bytes())?;
        Ok(Writer { out, documents: manifest.documents.clone() })
    }

    pub fn document(&mut self, path: &str, text: &str) -> std::io::Result<()> {
        let digest = self.documents.get(path).map_or("", String::as_str);
        container::put(&mut self.out, &document_path(path, digest), text.as_bytes())
    }

    /// In the order of names, each digest once.
    pub fn extension(&mut self, digest: &str, bytes: &[u8]) -> std::io::Result<()> {
        container::put(&mut self.out, &extension_path(digest), bytes)
    }

    pub fn input(&mut self, table: &Table) -> std::io::Result<()> {
        self.table("inputs", table)
    }

    pub fn result(&mut self, table: &Table) -> std::io::Result<()> {
        self.table("results", table)
    }

    fn table(&mut self, kind: &str, table: &Table) -> std::io::Result<()> {
        if table.row_count() == 0 {
            return Ok(());
        }
        container::put(&mut self.out, &table_path(kind, &table.name), &text::write(table))
    }

    pub fn finish(mut self) -> std::io::Result<W> {
        container::end(&mut self.out)?;
        Ok(self.out)
    }
}

/// Judges the bundle in a file.
pub fn verify_file(path: &Path) -> Result<Verdict, Unfit> {
    let file = std::fs::File::open(path).map_err(|error| Unfit::Unreadable(error.to_string()))?;
    verify(BufReader::with_capacity(1 << 20, file))
}

/// Judges a bundle: the hashes of what went in, the calculation done again and compared value by value, the hashes of what came out,
/// the root. The first difference ends it.
pub fn verify(source: impl Read) -> Result<Verdict, Unfit> {
    let mut reader = Reader::new(source.take(BUNDLE_BYTES_MAX));
    let manifest = manifest(&reader.need(MANIFEST, MANIFEST_BYTES_MAX)?)?;
    if reader.need(README, README_TEXT.len() as u64)? != README_TEXT.as_bytes() {
        return Err(Unfit::Malformed(format!("{README} is not the one of this form")));
    }
    let mut verdict = Verdict {
        root: manifest.root.clone(),
        engine_version: manifest.engine_version.clone(),
        payee_id: manifest.payee_id.clone(),
        values_compared: 0,
        difference: None,
    };
    // A difference ends the judgement, so what is damaged behind it may stay unread.
    match judge(reader, &manifest, &mut verdict.values_compared)? {
        Ok(()) => {}
        Err(difference) => verdict.difference = Some(*difference),
    }
    Ok(verdict)
}

fn manifest(bytes: &[u8]) -> Result<Manifest, Unfit> {
    let malformed = |what: String| Unfit::Malformed(format!("{MANIFEST} {what}"));
    let version: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| malformed(format!("cannot be read: {error}")))?;
    match version.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => return Err(Unfit::OtherVersion(format!("a program that writes form {format}; this one reads form {FORMAT}"))),
        None => return Err(malformed("does not say its format".to_owned())),
    }
    let engine = version.get("engine_version").and_then(serde_json::Value::as_str).unwrap_or_default();
    if engine != ENGINE_VERSION {
        return Err(Unfit::OtherVersion(format!("engine {engine}; this is engine {ENGINE_VERSION}")));
    }
    let manifest: Manifest = serde_json::from_value(version).map_err(|error| malformed(format!("cannot be read: {error}")))?;
    if manifest.text().as_bytes() != bytes {
        return Err(malformed("is not written in the one form".to_owned()));
    }
    let listed = manifest.documents.len() + manifest.extensions.len() + manifest.inputs.len() + manifest.results.len();
    if listed > LISTED_MAX {
        return Err(malformed(format!("lists {listed} parts; at most {LISTED_MAX} are read")));
    }
    if let Some(option) = manifest.options.keys().next() {
        return Err(Unfit::OtherVersion(format!("a program that knows the option `{option}`")));
    }
    Ok(manifest)
}

type Judged = Result<(), Box<Difference>>;

fn digest_difference(place: &str, expected: &str, found: &str) -> Box<Difference> {
    Box::new(Difference::of(place, format!("content with the hash {expected}"), format!("content with the hash {found}")))
}

/// Whether a table has the rows and the chunks that the manifest lists.
fn as_listed(place: &str, listed: &TableManifest, rows: u64, found: &[String]) -> Judged {
    if rows != listed.row_count {
        return Err(Box::new(Difference::of(place, format!("{} rows", listed.row_count), format!("{rows} rows"))));
    }
    for (index, digest) in listed.chunks.iter().enumerate() {
        let own = found.get(index).map_or("none", String::as_str);
        if own != digest {
            return Err(digest_difference(&format!("{place}, chunk {}", index + 1), digest, own));
        }
    }
    if found.len() > listed.chunks.len() {
        return Err(Box::new(Difference::of(place, format!("{} chunks", listed.chunks.len()), format!("{} chunks", found.len()))));
    }
    Ok(())
}

/// The outer error is about the file, the inner one is the first difference.
fn judge(mut reader: Reader<impl Read>, manifest: &Manifest, values_compared: &mut u64) -> Result<Judged, Unfit> {
    let mut texts = BTreeMap::new();
    for (path, digest) in &manifest.documents {
        let place = document_path(path, digest);
        let bytes = reader.need(&place, DOCUMENT_BYTES_MAX)?;
        let found = blob_digest(&bytes);
        if found != *digest {
            return Ok(Err(digest_difference(&place, digest, &found)));
        }
        let text = String::from_utf8(bytes).map_err(|_| Unfit::Malformed(format!("`{place}` is not UTF-8 text")))?;
        texts.insert(path.clone(), text);
    }
    let mut pinned = Pinned::default();
    let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (name, digest) in &manifest.extensions {
        if !files.contains_key(digest.as_str()) {
            let place = extension_path(digest);
            let bytes = reader.need(&place, EXTENSION_BYTES_MAX)?;
            let found = blob_digest(&bytes);
            if found != *digest {
                return Ok(Err(digest_difference(&place, digest, &found)));
            }
            files.insert(digest, bytes);
        }
        pinned.add(name, &files[digest.as_str()])?;
    }
    let mut tables = BTreeMap::new();
    let mut posted = Table::new(POSTED);
    for listed in &manifest.inputs {
        let table = read_table(&mut reader, "inputs", &listed.name)?.unwrap_or_else(|| Table::new(&listed.name));
        if let Err(difference) = as_listed(&table_path("inputs", &listed.name), listed, table.row_count() as u64, &digests(&table)) {
            return Ok(Err(difference));
        }
        if listed.name == POSTED {
            posted = table;
        } else if tables.insert(listed.name.clone(), Arc::new(table)).is_some() {
            return Err(Unfit::Malformed(format!("{MANIFEST} lists input `{}` twice", listed.name)));
        }
    }
    let (settings, plans) = recompute::documents(&texts)?;
    let again = recompute::calculate(&Inputs::new(settings, plans, tables, posted), &pinned)?;
    judge_results(reader, manifest, &again, values_compared)
}

fn judge_results(
    mut reader: Reader<impl Read>,
    manifest: &Manifest,
    again: &Recomputed,
    values_compared: &mut u64,
) -> Result<Judged, Unfit> {
    let names = |names: Vec<&str>| format!("the results {}", names.join(", "));
    let (made, listed): (Vec<&str>, Vec<&str>) =
        (again.results.iter().map(|(name, _)| name.as_str()).collect(), manifest.results.iter().map(|table| table.name.as_str()).collect());
    if made != listed {
        return Ok(Err(Box::new(Difference::of(MANIFEST, names(made), names(listed)))));
    }
    let mut root_again = Manifest { extensions: again.extensions.clone(), results: Vec::new(), ..manifest.clone() };
    for ((name, pieces), listed) in again.results.iter().zip(&manifest.results) {
        let place = table_path("results", name);
        let found = read_table(&mut reader, "results", name)?;
        let whole = match (&manifest.payee_id, found) {
            (None, found) => {
                let found = found.unwrap_or_else(|| Table::new(name));
                match compare::tables(&place, pieces, &found) {
                    Ok(values) => *values_compared += values,
                    Err(difference) => return Ok(Err(difference)),
                }
                // Of what stands in the bundle, not of what was computed: both must be as listed.
                if let Err(difference) = as_listed(&place, listed, found.row_count() as u64, &digests(&found)) {
                    return Ok(Err(difference));
                }
                pieces
            }
            (Some(payee), found) => {
                let own: Vec<Table> = pieces.iter().filter_map(|piece| rows_of_payee(piece, payee)).collect();
                match compare::tables(&place, &own, &found.unwrap_or_else(|| Table::new(name))) {
                    Ok(values) => *values_compared += values,
                    Err(difference) => return Ok(Err(difference)),
                }
                pieces
            }
        };
        let chunks: Vec<String> = whole.iter().map(chunk_digest).collect();
        let rows = whole.iter().map(|piece| piece.row_count() as u64).sum();
        if let Err(difference) = as_listed(&place, listed, rows, &chunks) {
            return Ok(Err(difference));
        }
        root_again.results.push(TableManifest { name: name.clone(), row_count: rows, chunks });
    }
    reader.end()?;
    if manifest.payee_id.is_some() && *values_compared == 0 {
        return Err(Unfit::Malformed("it holds nothing of its payee".to_owned()));
    }
    if again.extensions != manifest.extensions {
        let shown = |all: &BTreeMap<String, String>| format!("the extensions {}", all.keys().cloned().collect::<Vec<_>>().join(", "));
        return Ok(Err(Box::new(Difference::of(MANIFEST, shown(&again.extensions), shown(&manifest.extensions)))));
    }
    let found = root(&root_again);
    if found != manifest.root {
        return Ok(Err(Box::new(Difference::of(&format!("{MANIFEST}, root"), found, &manifest.root))));
    }
    Ok(Ok(()))
}

fn read_table(reader: &mut Reader<impl Read>, kind: &str, name: &str) -> Result<Option<Table>, Unfit> {
    let place = table_path(kind, name);
    if !container::fits(&place) {
        return Err(Unfit::Malformed(format!("`{name}` is no name of a table")));
    }
    let Some(bytes) = reader.take(&place, container::ENTRY_BYTES_MAX)? else { return Ok(None) };
    text::read(name, &bytes).map(Some).map_err(|fault| Unfit::Malformed(format!("`{place}` {fault}")))
}
