//! Runs: calculate, store everything that went in and came out, post the difference, and do it again years later.

use crate::company::no_company;
use crate::explain::{self, Node, SourceRow, Subject};
use crate::extensions::Set;
use crate::folder::{Canonical, Company};
use crate::kept::{Memory, Told};
use crate::refusal::Refusal;
use crate::summary::{self, Summary};
use crate::{Instance, now_ms, shown_ms};
use anyhow::{Context, Result};
use attain_audit::Entry;
use attain_calc::{Analysis, Conversion, Inputs, Outcome, RESULTS};
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::ids::{PeriodId, RunId};
use attain_domain::point::{Extensions, Identity, Origin};
use attain_domain::schema::{ENTITIES, Use};
use attain_domain::{Calendar, ENGINE_VERSION, Finding, NULL_NUMBER, Severity, Table};
use attain_store::chunks::{self, Chunk};
use attain_store::run_facts::{ExtensionUse, Facts};
use attain_store::runs::{Manifest, RunRecord, SavedRun, TableManifest};
use attain_store::versions::Part;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

/// Findings with one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingGroup {
    pub severity: String,
    pub code: String,
    pub count: usize,
    pub example: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    pub run_id: String,
    pub complete: bool,
    /// Whether this very run is in the record already.
    pub repeated: bool,
    pub currency: String,
    /// Milliseconds by stage; not part of the run.
    pub stages: Vec<(String, u64)>,
    pub totals: Vec<(String, String)>,
    pub findings: Vec<FindingGroup>,
    pub posted_count: usize,
    pub posted_amount: String,
    /// Rows of what went in and came out, and how many of them no earlier run had stored already.
    pub row_count: u64,
    pub written_row_count: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct RunHead {
    pub run_id: String,
    pub complete: bool,
    pub recorded_at: String,
}

/// Whether a run could be computed again.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub run_id: String,
    pub recomputed: String,
    pub equal: bool,
    pub differences: Vec<String>,
}

/// Why a run is made.
#[derive(Debug, Clone)]
pub struct Cause {
    /// `command`, `request`, `schedule` or `change`.
    pub trigger: &'static str,
    pub note: String,
    /// The job that it is, which is over with the transaction that saves the run.
    pub lease: Option<attain_jobs::Lease>,
}

impl Cause {
    pub fn command() -> Cause {
        Cause { trigger: "command", note: String::new(), lease: None }
    }
}

/// What one calculation made, before anything is stored.
struct Calculated {
    complete: bool,
    manifest: Manifest,
    used: Vec<Identity>,
    inputs: Vec<Vec<Chunk>>,
    results: Vec<Vec<Chunk>>,
    findings: Vec<Finding>,
    postings: Table,
    statements: Table,
    totals: Table,
    /// Every result but the credits.
    tables: Vec<Table>,
    /// By what each chunk of the credits is made of.
    told: Told,
    stages: Vec<(String, u64)>,
}

/// The number of steps that [`Instance::run`] reports.
pub fn stage_count() -> u64 {
    attain_calc::STAGES.len() as u64 + 2
}

/// Name of the pinned table of earlier postings.
const POSTED: &str = "posted";

impl Instance {
    /// Calculates everything and, when complete, posts what differs from what was posted before.
    pub async fn run(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<RunReport> {
        self.run_for(&Cause::command(), progress).await
    }

    /// As [`Instance::run`]; a job whose lease was lost meanwhile saves nothing.
    pub(crate) async fn run_for(&self, cause: &Cause, progress: &(dyn Fn(&str) + Sync)) -> Result<RunReport> {
        match self.run_once(cause, progress).await {
            // Somebody removed what an earlier run had put into the record: then all of it is written again.
            Err(error) if error.downcast_ref::<chunks::Missing>().is_some() => self.run_once(cause, progress).await,
            done => done,
        }
    }

    async fn run_once(&self, cause: &Cause, progress: &(dyn Fn(&str) + Sync)) -> Result<RunReport> {
        let (company, posted) = {
            let mut read = self.database.read().await?;
            (self.company_at(&mut read).await?.ok_or_else(no_company)?, self.posted_at(&mut read).await?)
        };
        let kept = &self.live.kept;
        let pinned = self.extensions_for(&company)?.remembering(&kept.answers);
        let currency = company.settings.currency.clone();
        let mut calculated = tokio::task::block_in_place(|| calculate(&company, posted.clone(), &pinned, Some(kept), progress))?;
        progress("store");
        let root = calculated.manifest.root();
        let complete = calculated.complete;
        let earned = sum_of(&calculated.statements, "earned");
        let amounts = calculated.postings.numbers("amount").unwrap_or(&[]);
        let facts = Facts {
            trigger: cause.trigger.to_owned(),
            job_id: cause.lease.as_ref().map(|lease| lease.job_id.clone()),
            requested_by: self.actor.clone(),
            earned: i64::try_from(earned).unwrap_or(i64::MAX),
            posted_count: if complete { amounts.len() as i64 } else { 0 },
            finding_count: calculated.findings.len() as i64,
            stages: calculated.stages.iter().map(|(name, millis)| (name.clone(), *millis as i64)).collect(),
            uses: pinned
                .uses()
                .map(|(own, calls, fuel)| ExtensionUse {
                    point: own.point.name().to_owned(),
                    name: own.name.clone(),
                    digest: own.digest.0.clone(),
                    calls: i64::try_from(calls).unwrap_or(i64::MAX),
                    fuel: i64::try_from(fuel).unwrap_or(i64::MAX),
                })
                .collect(),
        };
        let mut tx = self.database.begin().await?;
        if let Some(lease) = &cause.lease {
            attain_jobs::fence(&mut tx, lease).await?;
        }
        for identity in &calculated.used {
            if let Some(file) = pinned.file(identity) {
                attain_store::extensions::keep(&mut tx, &identity.digest, &file).await?;
            }
        }
        let now = now_ms();
        let record = RunRecord {
            run_id: root.clone(),
            complete,
            manifest: calculated.manifest.clone(),
            note: cause.note.clone(),
            created_at: now,
            inputs: calculated.inputs.clone(),
            results: std::mem::take(&mut calculated.results),
            findings: calculated.findings.clone(),
            postings: complete.then(|| calculated.postings.clone()),
        };
        let saved = attain_store::runs::save(&mut tx, record).await;
        if saved.is_err() {
            kept.forget_chunks(&company);
        }
        let written = saved?;
        let is_new = written.is_some();
        let repeated = !is_new;
        if is_new {
            attain_store::run_facts::write(&mut tx, root.as_str(), &facts).await?;
            attain_store::versions::bump(&mut tx, Part::Runs).await?;
            let now_posted = if complete { attain_store::ledger::with(&posted, &calculated.postings) } else { posted };
            kept.keep_posted(attain_store::versions::stamp(&mut tx, Part::Runs).await?, now_posted);
            let state = if complete { "complete" } else { "incomplete" };
            attain_audit::append(&mut tx, Entry::new(&self.actor, "run", root.as_str()).reason(state).after(root.as_str()), now).await?;
        }
        let posted_count = if repeated || !complete { 0 } else { amounts.len() };
        if let Some(lease) = &cause.lease {
            let outcome =
                serde_json::json!({ "run_id": root.as_str(), "complete": complete, "repeated": repeated, "posted_count": posted_count });
            attain_jobs::finish(&mut tx, lease, &outcome, now).await?;
            attain_store::versions::bump(&mut tx, attain_store::versions::Part::Work).await?;
        }
        tx.commit().await?;
        let manifest = calculated.manifest;
        kept.keep_run(&manifest, &company, &calculated.inputs, calculated.tables, calculated.told);
        if is_new {
            self.seal().await?;
        }
        progress("done");
        let posted: i128 = match calculated.postings.texts("account") {
            Some(accounts) => {
                (0..amounts.len()).filter(|row| accounts.get(*row) == Some("earned")).map(|row| i128::from(amounts[row])).sum()
            }
            None => 0,
        };
        Ok(RunReport {
            run_id: root.0,
            complete,
            repeated,
            currency,
            stages: calculated.stages,
            totals: pairs(&calculated.totals),
            findings: grouped(&calculated.findings),
            posted_count,
            row_count: [&manifest.inputs, &manifest.results].into_iter().flatten().map(|table| table.row_count).sum(),
            written_row_count: written.unwrap_or_default().rows,
            posted_amount: i64::try_from(posted).map_or_else(|_| posted.to_string(), |posted| fixed::format(posted, MONEY_SCALE)),
        })
    }

    pub async fn runs(&self) -> Result<Vec<RunHead>> {
        let mut read = self.database.read().await?;
        let heads = attain_store::runs::list(&mut read).await?;
        Ok(heads
            .into_iter()
            .map(|head| RunHead { run_id: head.run_id.0, complete: head.complete, recorded_at: shown_ms(head.created_at) })
            .collect())
    }

    /// Computes a past run again from what it pinned and compares root hashes.
    pub async fn replay(&self, run: &str) -> Result<Verdict> {
        let mut read = self.database.read().await?;
        let saved = self.saved(&mut read, run).await?;
        let (run_id, manifest) = (saved.summary.run_id.0, saved.manifest);
        if manifest.engine_version != ENGINE_VERSION {
            let message = format!("the run was made by engine {}, this is engine {ENGINE_VERSION}", manifest.engine_version);
            return Err(Refusal::conflict(message).into());
        }
        let company = pinned_company(&mut read, &manifest).await?;
        let posted = pinned_table(&mut read, &manifest, POSTED).await?;
        let mut set = Set::empty();
        for (name, digest) in &manifest.extensions {
            set.add(self.pinned_extension(&mut read, name, digest).await?);
        }
        drop(read);
        let calculated = tokio::task::block_in_place(|| calculate(&company, posted, &set, None, &|_| {}))?;
        let recomputed = calculated.manifest.root().0;
        let again = &calculated.manifest;
        let mut differences = Vec::new();
        for (kind, before, after) in [("input", &manifest.inputs, &again.inputs), ("result", &manifest.results, &again.results)] {
            let names: BTreeSet<&str> = before.iter().chain(after).map(|table| table.name.as_str()).collect();
            let find = |tables: &[TableManifest], name: &str| tables.iter().find(|table| table.name == name).cloned();
            differences.extend(
                names.into_iter().filter(|name| find(before, name) != find(after, name)).map(|name| format!("{kind} `{name}` differs")),
            );
        }
        for (what, before, after) in
            [("documents", &manifest.documents, &again.documents), ("extensions", &manifest.extensions, &again.extensions)]
        {
            if before != after {
                differences.push(format!("{what} differ"));
            }
        }
        Ok(Verdict { equal: recomputed == run_id, run_id, recomputed, differences })
    }

    /// The very file that a run used; `name` is `<point>/<name>`.
    async fn pinned_extension(&self, read: &mut attain_database::Connection, name: &str, digest: &str) -> Result<attain_extend::Loaded> {
        let bytes = attain_store::extensions::blob(read, &digest.into()).await?;
        let bytes = bytes.ok_or_else(|| Refusal::not_found(format!("extension `{name}` {digest} is not in the record")))?;
        let origin = if bytes.starts_with(b"\0asm") { Origin::Wasm } else { Origin::Rhai };
        let loaded = self.bundle.load(origin, &bytes, attain_extend::wasm::Grant::default());
        Ok(loaded.map_err(|fault| Refusal::extension(name, &fault))?)
    }

    /// All result tables of a run.
    pub async fn results(&self, run: &str) -> Result<BTreeMap<String, Table>> {
        let mut read = self.database.read().await?;
        let saved = self.saved(&mut read, run).await?;
        results_of(&mut read, &saved.manifest).await
    }

    /// The explanation of a payee's period, from the last run or the one named.
    pub async fn explain(&self, payee: &str, period: &str, line: Option<usize>, run: Option<&str>) -> Result<Node> {
        let mut read = self.database.read().await?;
        let saved = match run {
            Some(run) => self.saved(&mut read, run).await?,
            None => self.last(&mut read).await?,
        };
        let (run_id, manifest) = (saved.summary.run_id, saved.manifest);
        let company = pinned_company(&mut read, &manifest).await?;
        let calendar = Calendar::new(&company.settings.calendar).map_err(Refusal::invalid)?;
        if calendar.index_of(period).is_none() {
            let (first, last) = (calendar.periods.first(), calendar.periods.last());
            let known = first.zip(last).map_or_else(String::new, |(first, last)| format!("; there are {} to {}", first.id, last.id));
            return Err(Refusal::not_found(format!("there is no period `{period}`{known}")).into());
        }
        let mut slices = BTreeMap::new();
        for name in ["statements", "earnings", "slices", "credits"] {
            slices.insert(name, attain_store::runs::read_payee_slice(&mut read, &run_id, name, payee).await?);
        }
        if let Some(credits) = slices.get_mut("credits") {
            *credits = attain_calc::with_transaction_ids(credits);
        }
        if slices.values().all(|table| table.row_count() == 0) {
            return Err(Refusal::not_found(format!("run {run_id} has nothing for payee `{payee}`")).into());
        }
        let names = names(&mut read).await?;
        let inputs = inputs_of(&company, Table::new(POSTED));
        let counted = attain_calc::counted(&inputs, &slices["credits"]);
        let conversion = Conversion::new(&inputs);
        let transactions = only_transactions(&company.tables["transactions"], &slices["credits"]);
        let mut sources = BTreeMap::new();
        let entity = attain_domain::schema::entity("transactions").context("transactions are an entity")?;
        for id in ids(&transactions, "transaction_id") {
            // The version that the run saw is the last one recorded before it.
            let versions = attain_store::entities::history(&mut read, entity, &[&id]).await?;
            if let Some(seen) = versions.into_iter().rfind(|version| version.recorded_at <= saved.summary.created_at) {
                sources.insert(
                    id,
                    SourceRow {
                        version: seen.version,
                        source: seen.source,
                        batch_id: seen.batch_id,
                        recorded_at: shown_ms(seen.recorded_at),
                    },
                );
            }
        }
        let mut used = Vec::new();
        for (name, digest) in &manifest.extensions {
            used.push(self.pinned_extension(&mut read, name, digest).await?.extension.identity().clone());
        }
        let periods: Vec<(String, String, String)> =
            calendar.periods.iter().map(|own| (own.id.0.clone(), own.quarter.clone(), own.year.clone())).collect();
        let subject = Subject {
            payee_id: payee,
            payee_name: names.get(payee).map_or("", String::as_str),
            period_id: period,
            company: &company,
            run_id: run_id.as_str(),
            complete: saved.summary.complete,
            statements: &slices["statements"],
            earnings: &slices["earnings"],
            slices: &slices["slices"],
            credits: &slices["credits"],
            counted: &counted,
            conversion: conversion.as_ref(),
            transactions: &transactions,
            used: &used,
            sources: &sources,
            periods: &periods,
        };
        let node = explain::explain(&subject, line);
        if line.is_some() && node.children.is_empty() {
            return Err(Refusal::not_found(format!("the statement has no line {}", line.unwrap_or_default())).into());
        }
        Ok(node)
    }

    /// The last run at a glance, with the largest payout of its last period explained.
    pub async fn summary(&self) -> Result<Summary> {
        let mut read = self.database.read().await?;
        let saved = self.last(&mut read).await?;
        let run_id = saved.summary.run_id.0.clone();
        let company = pinned_company(&mut read, &saved.manifest).await?;
        let names = names(&mut read).await?;
        let tables = results_of(&mut read, &saved.manifest).await?;
        drop(read);
        let mut summary = summary::summarize(&company, &run_id, saved.summary.complete, &tables, &names, grouped(&saved.findings));
        if let Some((payee, period)) = remarkable(&tables) {
            summary.example = Some(self.explain(&payee, &period, None, Some(&run_id)).await?);
        }
        Ok(summary)
    }

    /// The results of the last run.
    pub(crate) async fn last_results(&self) -> Result<BTreeMap<String, Table>> {
        let mut read = self.database.read().await?;
        let saved = self.last(&mut read).await?;
        results_of(&mut read, &saved.manifest).await
    }

    pub(crate) async fn last(&self, read: &mut attain_database::Connection) -> Result<SavedRun> {
        let head = attain_store::runs::list(read).await?.into_iter().next();
        let head = head.ok_or_else(|| Refusal::not_found("nothing was calculated yet; run `attain run`"))?;
        self.saved(read, head.run_id.as_str()).await
    }

    /// A run named by its id or the beginning of it.
    pub(crate) async fn saved(&self, read: &mut attain_database::Connection, run: &str) -> Result<SavedRun> {
        let matching: Vec<RunId> =
            attain_store::runs::list(read).await?.into_iter().map(|head| head.run_id).filter(|id| id.as_str().starts_with(run)).collect();
        match matching.as_slice() {
            [] => Err(Refusal::not_found(format!("there is no run `{run}`; `attain runs` lists them")).into()),
            [one] => attain_store::runs::load(read, one).await?.with_context(|| format!("run {one} vanished")),
            _ => Err(Refusal::conflict(format!("several runs begin with `{run}`; write more of it")).into()),
        }
    }
}

async fn results_of(read: &mut attain_database::Connection, manifest: &Manifest) -> Result<BTreeMap<String, Table>> {
    let mut tables = BTreeMap::new();
    for table in &manifest.results {
        tables.insert(table.name.clone(), attain_store::runs::read_table(read, table).await?);
    }
    if let Some(credits) = tables.get_mut("credits") {
        *credits = attain_calc::with_transaction_ids(credits);
    }
    Ok(tables)
}

/// The inputs of the calculation: everything but personal data.
pub fn inputs_of(company: &Company, posted: Table) -> Inputs {
    let tables = ENTITIES
        .iter()
        .filter(|entity| entity.used_by != Use::Personal)
        .filter_map(|entity| company.tables.canonical(entity.name).map(|table| (entity.name.to_owned(), Arc::clone(table.shared()))))
        .collect();
    Inputs::new(company.settings.clone(), company.plans.iter().map(|file| file.plan.clone()).collect(), tables, posted)
}

/// See [`attain_calc::begun`].
pub(crate) fn begun(company: &Company, posted: &Table) -> Option<i64> {
    attain_calc::begun(&company.settings, &|entity| company.tables.get(entity), posted)
}

/// The periods up to the one of a day.
pub(crate) fn settled_through(company: &Company, last: Option<i64>) -> Vec<PeriodId> {
    let Ok(calendar) = Calendar::new(&company.settings.calendar) else { return Vec::new() };
    calendar
        .periods
        .into_iter()
        .filter(|period| last.is_some_and(|last| i64::from(period.from.0) <= last))
        .map(|period| period.id)
        .collect()
}

/// A pure function of its arguments, but for the milliseconds it reports; what is kept saves work and changes nothing.
fn calculate(
    company: &Company,
    posted: Table,
    extensions: &dyn Extensions,
    kept: Option<&Memory>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Calculated> {
    let inputs = inputs_of(company, posted);
    let mut stages = Vec::new();
    let mut started = Instant::now();
    let outcome = attain_calc::calculate(&inputs, extensions, &mut |stage| {
        stages.push((stage.name.to_owned(), started.elapsed().as_millis() as u64));
        started = Instant::now();
        progress(stage.name);
    });
    let Analysis { tables: extra, findings, used, complete } = attain_calc::analyse(&inputs, &outcome, extensions);
    stages.push(("analyse".to_owned(), started.elapsed().as_millis() as u64));
    started = Instant::now();

    let mut manifest = Manifest { engine_version: ENGINE_VERSION.to_owned(), ..Manifest::default() };
    manifest.documents =
        company.documents().into_iter().filter(|(path, _)| is_input(path)).map(|(path, text)| (path, digest(&text))).collect();
    manifest.extensions = used.iter().map(|own| (format!("{}/{}", own.point, own.name), own.digest.0.clone())).collect();
    let mut input_chunks = Vec::new();
    let known = kept.map(Memory::chunks).unwrap_or_default();
    let encode_rows = |table: &Table| chunks::encode_pieces(table, &attain_domain::cut::of_table(table), |digest| known.contains(digest));
    let encode_input = |name: &str, table: &Table| match company.tables.canonical(name).filter(|_| kept.is_some()) {
        Some(own) => own.chunks(),
        None => encode_rows(table),
    };
    for (name, table) in inputs.tables.iter().map(|(name, table)| (name.as_str(), table.as_ref())).chain([(POSTED, &inputs.posted)]) {
        let own = encode_input(name, table)?;
        manifest.inputs.push(TableManifest::of(name, &own));
        input_chunks.push(own);
    }
    let mut results = Vec::new();
    let mut told = Told::default();
    for name in RESULTS.iter().filter(|name| **name != "findings") {
        let own = match kept.filter(|_| *name == "credits") {
            Some(kept) => {
                let (chunks, own) = kept.credits_of(&outcome)?;
                told = own;
                chunks
            }
            None if *name == "credits" => encode(&outcome, name)?,
            None => encode_rows(&outcome.table(name))?,
        };
        manifest.results.push(TableManifest::of(name, &own));
        results.push(own);
    }
    let mut tables: Vec<Table> =
        RESULTS.iter().filter(|name| !matches!(**name, "findings" | "credits")).map(|name| outcome.table(name)).collect();
    for table in extra {
        let own = encode_rows(&table)?;
        manifest.results.push(TableManifest::of(&table.name, &own));
        results.push(own);
        tables.push(table);
    }
    stages.push(("encode".to_owned(), started.elapsed().as_millis() as u64));
    let (postings, statements, totals) = (outcome.table("postings"), outcome.table("statements"), outcome.table("totals"));
    Ok(Calculated { complete, manifest, used, inputs: input_chunks, results, findings, postings, statements, totals, tables, told, stages })
}

/// A result as chunks, in the form in which it is stored.
pub fn encode(outcome: &Outcome, name: &str) -> Result<Vec<Chunk>> {
    // Each thread builds and encodes every other chunk; passing over one costs nothing.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(outcome.stored(name).len().max(1));
    let parts: Vec<Result<Vec<Chunk>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || outcome.stored(name).skip(first).step_by(threads).map(|table| chunks::encode(&table)).collect())
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("encoding a chunk does not panic")).collect()
    });
    let mut queues = parts.into_iter().map(|part| part.map(Vec::into_iter)).collect::<Result<Vec<_>>>()?;
    let mut all = Vec::new();
    while let Some(chunk) = queues[all.len() % threads].next() {
        all.push(chunk);
    }
    Ok(all)
}

/// Expected results and cases do not enter a calculation.
fn is_input(path: &str) -> bool {
    !path.starts_with("expected/") && !path.ends_with(".cases.toml")
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// By code, most severe and most frequent first.
pub(crate) fn grouped(findings: &[Finding]) -> Vec<FindingGroup> {
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, String), (usize, String)> = BTreeMap::new();
    for finding in findings {
        let own = groups
            .entry((std::cmp::Reverse(finding.severity), finding.code.clone()))
            .or_insert_with(|| (0, format!("{}: {}", finding.record, finding.message)));
        own.0 += 1;
    }
    groups
        .into_iter()
        .map(|((severity, code), (count, example))| FindingGroup { severity: severity_name(severity.0).to_owned(), code, count, example })
        .collect()
}

/// The sum of a column; values that are not there are nothing.
pub(crate) fn sum_of(table: &Table, column: &str) -> i128 {
    table.numbers(column).unwrap_or(&[]).iter().filter(|value| **value != NULL_NUMBER).map(|value| i128::from(*value)).sum()
}

pub(crate) fn pairs(totals: &Table) -> Vec<(String, String)> {
    let (Some(names), Some(values)) = (totals.texts("name"), totals.numbers("value")) else { return Vec::new() };
    (0..totals.row_count()).map(|row| (names.get(row).unwrap_or_default().to_owned(), fixed::format(values[row], MONEY_SCALE))).collect()
}

pub(crate) async fn pinned_table(read: &mut attain_database::Connection, manifest: &Manifest, name: &str) -> Result<Table> {
    match manifest.input(name) {
        Some(table) => attain_store::runs::read_table(read, table).await,
        None => Ok(Table::new(name)),
    }
}

/// The company as a run saw it; without personal data. Every table is read.
pub(crate) async fn pinned_company(read: &mut attain_database::Connection, manifest: &Manifest) -> Result<Company> {
    company_of(read, manifest, |_| None).await
}

/// As [`pinned_company`]; a table that is known is not read.
pub(crate) async fn company_of(
    read: &mut attain_database::Connection,
    manifest: &Manifest,
    known: impl Fn(&TableManifest) -> Option<Canonical>,
) -> Result<Company> {
    let mut documents = BTreeMap::new();
    for (path, digest) in &manifest.documents {
        let text = attain_store::documents::by_digest(read, digest).await?;
        documents.insert(path.clone(), text.ok_or_else(|| Refusal::not_found(format!("document {path} {digest} is not in the record")))?);
    }
    let mut tables: Vec<Canonical> = Vec::new();
    for table in manifest.inputs.iter().filter(|table| table.name != POSTED) {
        tables.push(match known(table) {
            Some(own) => own,
            None => attain_store::runs::read_table(read, table).await?.into(),
        });
    }
    Ok(Company::assemble(&documents, tables).map_err(|problems| crate::company::refused("the pinned company", &problems))?)
}

pub(crate) async fn names(read: &mut attain_database::Connection) -> Result<BTreeMap<String, String>> {
    let people = attain_domain::schema::entity("people").context("people are an entity")?;
    let table = attain_store::entities::load(read, people).await?;
    let (Some(ids), Some(names)) = (table.texts("payee_id"), table.texts("name")) else { return Ok(BTreeMap::new()) };
    Ok((0..table.row_count()).filter_map(|row| Some((ids.get(row)?.to_owned(), names.get(row)?.to_owned()))).collect())
}

fn ids(table: &Table, name: &str) -> Vec<String> {
    table
        .texts(name)
        .map(|column| (0..table.row_count()).filter_map(|row| column.get(row).map(str::to_owned)).collect())
        .unwrap_or_default()
}

/// The transactions that these credits are for.
pub(crate) fn only_transactions(transactions: &Table, credits: &Table) -> Table {
    let wanted: std::collections::BTreeSet<String> = ids(credits, "transaction_id").into_iter().collect();
    let Some(column) = transactions.texts("transaction_id") else { return transactions.clone() };
    let keep: Vec<bool> = column.dictionary.iter().map(|id| wanted.contains(id)).collect();
    transactions.take(
        &(0..transactions.row_count()).filter(|row| keep.get(column.codes[*row] as usize).copied().unwrap_or(false)).collect::<Vec<_>>(),
    )
}

/// The payee and period of the largest pay in the last period in which anything was earned.
fn remarkable(tables: &BTreeMap<String, Table>) -> Option<(String, String)> {
    let table = tables.get("statements")?;
    let (payees, periods, earned) = (table.texts("payee_id")?, table.texts("period_id")?, table.numbers("earned")?);
    let row = (0..table.row_count())
        .filter(|row| earned[*row] > 0)
        .max_by_key(|row| (periods.get(*row), earned[*row], std::cmp::Reverse(*row)))?;
    Some((payees.get(row)?.to_owned(), periods.get(row)?.to_owned()))
}
