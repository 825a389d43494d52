//! What one server remembers of the record, so that a change costs what it changes: the company at its last changes, the tables and
//! the chunks of the last run, and what crediting has answered. All of it can be forgotten at any time; none of it decides a result.

use crate::answers::Answers;
use crate::company::read_company;
use crate::folder::{Canonical, Company};
use crate::{Instance, runs};
use anyhow::Result;
use attain_calc::Outcome;
use attain_database::Connection;
use attain_domain::Table;
use attain_domain::ids::ChunkDigest;
use attain_store::chunks::{self, Chunk};
use attain_store::runs::{Manifest, TableManifest};
use attain_store::versions::{self, Part};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The company now, and as it would be if what is being written is committed.
const COMPANIES_MAX: usize = 2;

/// Chunks by all that they are made of.
pub(crate) type Told = HashMap<blake3::Hash, Chunk>;

#[derive(Default)]
pub(crate) struct Memory {
    /// By the stamp of the change that made it so.
    companies: Mutex<VecDeque<(i64, Company)>>,
    /// The inputs of the last run, by name.
    inputs: Mutex<BTreeMap<String, (TableManifest, Canonical)>>,
    credits: Mutex<Arc<Told>>,
    /// The chunks of the last run.
    chunks: Mutex<Arc<HashSet<ChunkDigest>>>,
    /// The results of the last run but its credits, by name.
    results: Mutex<BTreeMap<String, (TableManifest, Table)>>,
    /// The ledger, by the stamp of the last run.
    posted: Mutex<Option<(i64, Table)>>,
    pub answers: Arc<Answers>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    fn company(&self, stamp: i64) -> Option<Company> {
        let mut companies = held(&self.companies);
        let at = companies.iter().position(|(own, _)| *own == stamp)?;
        // The one that was asked for last is forgotten last.
        let found = companies.remove(at)?;
        companies.push_back(found.clone());
        Some(found.1)
    }

    /// The company as it is from the change with this stamp on, should that be committed.
    pub fn keep_company(&self, stamp: i64, company: &Company) {
        let mut companies = held(&self.companies);
        companies.retain(|(own, _)| *own != stamp);
        companies.push_back((stamp, company.clone()));
        while companies.len() > COMPANIES_MAX {
            companies.pop_front();
        }
    }

    /// An input of the last run, where it has exactly these chunks.
    pub fn input(&self, manifest: &TableManifest) -> Option<Canonical> {
        held(&self.inputs).get(&manifest.name).filter(|(own, _)| own == manifest).map(|(_, table)| table.clone())
    }

    /// A result of the last run, where it has exactly these chunks.
    pub fn result(&self, manifest: &TableManifest) -> Option<Table> {
        held(&self.results).get(&manifest.name).filter(|(own, _)| own == manifest).map(|(_, table)| table.clone())
    }

    /// The ledger as it is from the change with this stamp on, should that be committed.
    pub fn keep_posted(&self, stamp: i64, posted: Table) {
        *held(&self.posted) = Some((stamp, posted));
    }

    /// The chunks of the last run, which the record holds.
    pub fn chunks(&self) -> Arc<HashSet<ChunkDigest>> {
        Arc::clone(&held(&self.chunks))
    }

    /// A run was saved: the record holds its chunks.
    pub fn keep_run(&self, manifest: &Manifest, company: &Company, inputs: &[Vec<Chunk>], results: Vec<Table>, credits: Told) {
        let results = results.into_iter().filter_map(|table| Some((table.name.clone(), (manifest.result(&table.name)?.clone(), table))));
        *held(&self.results) = results.collect();
        let chunks = manifest.inputs.iter().chain(&manifest.results).flat_map(|table| table.chunks.iter().cloned());
        *held(&self.chunks) = Arc::new(chunks.collect());
        let mut kept = BTreeMap::new();
        for (table, chunks) in manifest.inputs.iter().zip(inputs) {
            if let Some(own) = company.tables.canonical(&table.name) {
                own.know(chunks);
                kept.insert(table.name.clone(), (table.clone(), own.clone()));
            }
        }
        *held(&self.inputs) = kept;
        *held(&self.credits) = Arc::new(credits);
        self.answers.turn();
    }

    /// Nothing is remembered any more; what is asked for next is read and calculated whole.
    pub fn forget(&self) {
        held(&self.companies).clear();
        self.answers.forget();
        held(&self.inputs).clear();
        held(&self.results).clear();
        *held(&self.posted) = None;
        *held(&self.chunks) = Arc::default();
        *held(&self.credits) = Arc::default();
    }

    /// The chunks of the last run may be gone.
    pub fn forget_chunks(&self, company: &Company) {
        company.tables.values().for_each(Canonical::forget);
        *held(&self.chunks) = Arc::default();
        held(&self.inputs).clear();
        *held(&self.credits) = Arc::default();
    }

    /// The credits of a run as chunks. A chunk that is made of the same as one of the run before is that one and is not built again.
    pub fn credits_of(&self, outcome: &Outcome) -> Result<(Vec<Chunk>, Told)> {
        let known = Arc::clone(&held(&self.credits));
        let bases = base_digests(outcome);
        let rollup = outcome.tell_rollup();
        let pieces = outcome.stored("credits").pieces().to_vec();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(pieces.len().max(1));
        let (known, pieces, bases, rollup) = (&known, &pieces, &bases, &rollup);
        let work = |first: usize| -> Result<Vec<(blake3::Hash, Chunk)>> {
            let mut stored = outcome.stored("credits");
            let mut built = 0;
            let mut bytes = Vec::new();
            let mut done = Vec::new();
            for (index, rows) in pieces.iter().enumerate().skip(first).step_by(threads) {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&[chunks::FORMAT]);
                hasher.update(rollup.as_bytes());
                for (payee, lines, levels) in outcome.lines(rows.clone()) {
                    bytes.clear();
                    bytes.extend_from_slice(&(payee.len() as u64).to_le_bytes());
                    bytes.extend_from_slice(payee.as_bytes());
                    bytes.extend_from_slice(&(lines.len() as u64).to_le_bytes());
                    lines.iter().for_each(|base| bytes.extend_from_slice(&bases[*base as usize]));
                    bytes.extend_from_slice(levels);
                    hasher.update(&bytes);
                }
                let told = hasher.finalize();
                let chunk = match known.get(&told) {
                    Some(chunk) => chunk.clone(),
                    None => {
                        let table = stored.nth(index - built).expect("there is a chunk for each piece");
                        built = index + 1;
                        chunks::encode(&table)?
                    }
                };
                done.push((told, chunk));
            }
            Ok(done)
        };
        let parts: Vec<Result<Vec<(blake3::Hash, Chunk)>>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || work(first))).collect();
            workers.into_iter().map(|worker| worker.join().expect("encoding a chunk does not panic")).collect()
        });
        let mut queues = parts.into_iter().map(|part| part.map(Vec::into_iter)).collect::<Result<Vec<_>>>()?;
        let mut chunks = Vec::with_capacity(pieces.len());
        let mut told = Told::with_capacity(pieces.len());
        while let Some((own, chunk)) = queues[chunks.len() % threads].next() {
            told.insert(own, chunk.head());
            chunks.push(chunk);
        }
        Ok((chunks, told))
    }
}

/// Bytes of the digest of a base credit.
const BASE_BYTES: usize = 16;

/// A digest of all that each base credit is made of.
fn base_digests(outcome: &Outcome) -> Vec<[u8; BASE_BYTES]> {
    let mut digests = vec![[0; BASE_BYTES]; outcome.base_count()];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = digests.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (part, digests) in digests.chunks_mut(share).enumerate() {
            scope.spawn(move || {
                let mut bytes = Vec::new();
                for (place, digest) in digests.iter_mut().enumerate() {
                    bytes.clear();
                    outcome.tell_base(part * share + place, &mut bytes);
                    digest.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..BASE_BYTES]);
                }
            });
        }
    });
    digests
}

impl Instance {
    /// Forgets what is kept in memory to save work.
    pub fn forget(&self) {
        self.live.kept.forget();
        *held(&self.live.view) = None;
    }

    /// The company as the connection sees it; `None` where nothing was loaded yet. Read only where it is not remembered.
    pub(crate) async fn company_at(&self, connection: &mut Connection) -> Result<Option<Company>> {
        let stamp = versions::stamp(connection, Part::Company).await?;
        if let Some(company) = self.live.kept.company(stamp) {
            return Ok(Some(company));
        }
        let company = read_company(connection).await?;
        // A connection that sees what others commit may have seen something newer than the stamp.
        if let Some(company) = &company
            && stamp != 0
            && versions::stamp(connection, Part::Company).await? == stamp
        {
            self.live.kept.keep_company(stamp, company);
        }
        Ok(company)
    }

    /// What was posted so far, as the connection sees it.
    pub(crate) async fn posted_at(&self, connection: &mut Connection) -> Result<Table> {
        let stamp = versions::stamp(connection, Part::Runs).await?;
        if let Some((_, posted)) = held(&self.live.kept.posted).as_ref().filter(|(own, _)| *own == stamp) {
            return Ok(posted.clone());
        }
        attain_store::ledger::posted(connection).await
    }

    /// The company as a run saw it, without personal data; tables of the last run are not read again.
    pub(crate) async fn company_of(&self, read: &mut Connection, manifest: &Manifest) -> Result<Company> {
        runs::company_of(read, manifest, |table| self.live.kept.input(table)).await
    }
}
