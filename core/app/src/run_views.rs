//! Runs as people see them: lists, details, findings, what a run recalculated against another and why.

use crate::access::{Action, Caller};
use crate::folder::Company;
use crate::refusal::Refusal;
use crate::{Instance, runs, shown_ms};
use anyhow::Result;
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::schema::ENTITIES;
use attain_domain::{Calendar, NULL_CODE, Table};
use attain_store::run_facts::{Facts, Posting};
use attain_store::runs::{Manifest, SavedRun, TableManifest};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;
use utoipa::ToSchema;

/// A receipt lists so many statements and postings, the largest differences first; it counts all.
const LISTED_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunLine {
    pub run_id: String,
    pub complete: bool,
    pub recorded_at: String,
    pub engine_version: String,
    pub note: String,
    /// Of all statements; `null` for a run of before it was kept.
    pub earned: Option<String>,
    pub posted_count: Option<i64>,
    pub finding_count: Option<i64>,
    /// `command`, `request`, `schedule` or `change`.
    pub trigger: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageTime {
    pub name: String,
    pub millis: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ControlTotal {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PinnedExtension {
    /// `<point>/<name>`
    pub name: String,
    pub digest: String,
    /// `null` where it was not counted.
    pub calls: Option<i64>,
    pub fuel: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PinnedTable {
    pub name: String,
    pub row_count: u64,
    /// Digests in order.
    pub chunks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingCount {
    pub severity: String,
    pub code: String,
    pub count: usize,
    pub example: String,
}

/// Where to read what the run recalculated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptLink {
    pub previous_run_id: Option<String>,
    pub href: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunDetail {
    pub run_id: String,
    pub root: String,
    pub complete: bool,
    pub recorded_at: String,
    pub engine_version: String,
    pub note: String,
    pub trigger: Option<String>,
    pub requested_by: Option<String>,
    pub job_id: Option<String>,
    pub published_at: Option<String>,
    pub stages: Vec<StageTime>,
    pub totals: Vec<ControlTotal>,
    /// Path to digest.
    pub documents: BTreeMap<String, String>,
    pub extensions: Vec<PinnedExtension>,
    pub inputs: Vec<PinnedTable>,
    pub results: Vec<PinnedTable>,
    pub findings: Vec<FindingCount>,
    pub receipt: ReceiptLink,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingView {
    pub severity: String,
    pub code: String,
    pub entity: String,
    pub record: String,
    pub message: String,
}

/// What differs between what two runs read: `plan`, `formula`, `extension`, `settings`, `engine`, or the name of an entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct CauseChange {
    pub kind: String,
    pub object: String,
    /// A digest, or how many rows with which digest; `null` where there was none.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Why one statement differs. Besides the kinds of [`CauseChange`]: `earlier-period` for a balance that was carried,
/// `first-run`, and `other inputs` where nothing that names the payee differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Because {
    pub kind: String,
    pub object: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recalculated {
    pub payee_id: String,
    pub name: String,
    pub period_id: String,
    /// Of what is earned.
    pub difference: String,
    pub causes: Vec<Because>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PostedLine {
    pub payee_id: String,
    pub name: String,
    pub period_id: String,
    /// The period whose result it corrects: another one than `period_id` where that was closed.
    pub origin_period_id: String,
    pub plan_id: Option<String>,
    pub component_id: Option<String>,
    pub account: String,
    pub revision: i64,
    pub amount: String,
}

/// What a run recalculated against another. A statement is recalculated where any of its rows differs; all others are equal
/// to the byte, which the two hashes over them show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Comparison {
    pub run_id: String,
    pub previous_run_id: Option<String>,
    /// At most 1,000, the largest differences first.
    pub recalculated: Vec<Recalculated>,
    pub recalculated_count: usize,
    pub unchanged_count: usize,
    /// Whether the rows of all statements that are not listed have one hash on both sides.
    pub unchanged_hash_equal: bool,
    /// That hash, of this run's side.
    pub unchanged_hash: String,
    /// Chunks of all that the run read and made, and how many of them are those of the other run: they were not stored again.
    pub chunk_count: usize,
    pub chunk_count_as_before: usize,
    pub causes: Vec<CauseChange>,
    /// What this run added to the ledger; at most 1,000, the largest amounts first.
    pub posted: Vec<PostedLine>,
    pub posted_count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReplayVerdict {
    pub run_id: String,
    pub recomputed: String,
    pub equal: bool,
    pub differences: Vec<String>,
    pub millis: u64,
}

/// One replay at a time: it takes as much of the machine as a calculation.
static REPLAYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn money(amount: i128) -> String {
    i64::try_from(amount).map_or_else(|_| format!("{amount}e-4"), |amount| fixed::format(amount, MONEY_SCALE))
}

fn pinned(tables: &[TableManifest]) -> Vec<PinnedTable> {
    let chunks = |own: &TableManifest| own.chunks.iter().map(|chunk| chunk.0.clone()).collect();
    tables.iter().map(|own| PinnedTable { name: own.name.clone(), row_count: own.row_count, chunks: chunks(own) }).collect()
}

impl Instance {
    /// All runs, newest first.
    pub async fn run_lines(&self, caller: &Caller) -> Result<Vec<RunLine>> {
        caller.require(Action::SeeRuns)?;
        let mut read = self.database.read().await?;
        let heads = attain_store::runs::list(&mut read).await?;
        let mut facts = attain_store::run_facts::all(&mut read).await?;
        let line = |head: attain_store::RunSummary| {
            let own = facts.remove(head.run_id.as_str());
            let own = own.as_ref();
            RunLine {
                earned: own.map(|own| money(i128::from(own.earned))),
                posted_count: own.map(|own| own.posted_count),
                finding_count: own.map(|own| own.finding_count),
                trigger: own.map(|own| own.trigger.clone()),
                run_id: head.run_id.0,
                complete: head.complete,
                recorded_at: shown_ms(head.created_at),
                engine_version: head.engine_version,
                note: head.note,
            }
        };
        Ok(heads.into_iter().map(line).collect())
    }

    pub async fn run_detail(&self, caller: &Caller, run: &str) -> Result<RunDetail> {
        caller.require(Action::SeeRuns)?;
        let mut read = self.database.read().await?;
        let saved = self.saved(&mut read, run).await?;
        let run_id = saved.summary.run_id.0.clone();
        let facts = attain_store::run_facts::of(&mut read, &run_id).await?;
        let published = attain_store::run_facts::publication(&mut read, &run_id).await?;
        let totals = match saved.manifest.result("totals") {
            Some(table) => runs::pairs(&attain_store::runs::read_table(&mut read, table).await?),
            None => Vec::new(),
        };
        let previous = self.before(&mut read, &saved).await?;
        let known = facts.as_ref();
        let used: BTreeMap<String, (i64, i64)> = known
            .map(|own| own.uses.iter().map(|own| (format!("{}/{}", own.point, own.name), (own.calls, own.fuel))).collect())
            .unwrap_or_default();
        let extension = |(name, digest): (&String, &String)| PinnedExtension {
            name: name.clone(),
            digest: digest.clone(),
            calls: used.get(name).map(|own| own.0),
            fuel: used.get(name).map(|own| own.1),
        };
        let findings = runs::grouped(&saved.findings).into_iter();
        Ok(RunDetail {
            root: saved.summary.root.0,
            complete: saved.summary.complete,
            recorded_at: shown_ms(saved.summary.created_at),
            engine_version: saved.summary.engine_version,
            note: saved.summary.note,
            trigger: known.map(|own| own.trigger.clone()),
            requested_by: known.map(|own| own.requested_by.clone()),
            job_id: known.and_then(|own| own.job_id.clone()),
            published_at: published.map(|(at, _)| shown_ms(at)),
            stages: stages(known),
            totals: totals.into_iter().map(|(name, value)| ControlTotal { name, value }).collect(),
            extensions: saved.manifest.extensions.iter().map(extension).collect(),
            documents: saved.manifest.documents,
            inputs: pinned(&saved.manifest.inputs),
            results: pinned(&saved.manifest.results),
            findings: findings
                .map(|own| FindingCount { severity: own.severity, code: own.code, count: own.count, example: own.example })
                .collect(),
            receipt: ReceiptLink { previous_run_id: previous, href: format!("/api/v1/runs/{run_id}/receipt") },
            run_id,
        })
    }

    /// The findings of a run in their order, all or those with one code.
    pub async fn run_findings(&self, caller: &Caller, run: &str, code: Option<&str>) -> Result<Vec<FindingView>> {
        caller.require(Action::SeeRuns)?;
        let mut read = self.database.read().await?;
        let saved = self.saved(&mut read, run).await?;
        let shown = saved.findings.into_iter().filter(|own| code.is_none_or(|code| own.code == code)).map(|own| FindingView {
            severity: runs::severity_name(own.severity).to_owned(),
            code: own.code,
            entity: own.entity,
            record: own.record,
            message: own.message,
        });
        Ok(shown.collect())
    }

    /// What a run recalculated against the complete run before it.
    pub async fn receipt(&self, caller: &Caller, run: &str) -> Result<Comparison> {
        may_compare(caller)?;
        let mut read = self.database.read().await?;
        let saved = complete(self.saved(&mut read, run).await?)?;
        let previous = match self.before(&mut read, &saved).await? {
            Some(id) => Some(self.saved(&mut read, &id).await?),
            None => None,
        };
        compare(&mut read, previous, saved).await
    }

    /// What run `after` has otherwise than run `before`; what was posted is that of `after`.
    pub async fn compare_runs(&self, caller: &Caller, before: &str, after: &str) -> Result<Comparison> {
        may_compare(caller)?;
        let mut read = self.database.read().await?;
        let before = complete(self.saved(&mut read, before).await?)?;
        let after = complete(self.saved(&mut read, after).await?)?;
        compare(&mut read, Some(before), after).await
    }

    /// Computes a run again; one at a time.
    pub async fn replay_run(&self, caller: &Caller, run: &str) -> Result<ReplayVerdict> {
        caller.require(Action::SeeRuns)?;
        let _turn = REPLAYING.try_lock().map_err(|_| Refusal::limited("another replay is under way; ask again when it has ended"))?;
        let started = Instant::now();
        let verdict = self.replay(run).await?;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(ReplayVerdict {
            run_id: verdict.run_id,
            recomputed: verdict.recomputed,
            equal: verdict.equal,
            differences: verdict.differences,
            millis,
        })
    }

    /// The newest complete run that is older.
    async fn before(&self, read: &mut attain_database::Connection, run: &SavedRun) -> Result<Option<String>> {
        let heads = attain_store::runs::list(read).await?;
        let older = heads.into_iter().skip_while(|head| head.run_id != run.summary.run_id).skip(1).find(|head| head.complete);
        Ok(older.map(|head| head.run_id.0))
    }
}

/// A comparison shows what people are paid.
fn may_compare(caller: &Caller) -> Result<(), Refusal> {
    caller.require(Action::SeeRuns)?;
    caller.require(Action::SeeAllPay)
}

fn complete(run: SavedRun) -> Result<SavedRun, Refusal> {
    if run.summary.complete {
        return Ok(run);
    }
    Err(Refusal::conflict(format!("run {} is incomplete: it recalculated and posted nothing; its findings say why", run.summary.run_id)))
}

fn stages(facts: Option<&Facts>) -> Vec<StageTime> {
    let own = facts.map(|own| own.stages.as_slice()).unwrap_or_default();
    own.iter().map(|(name, millis)| StageTime { name: name.clone(), millis: *millis }).collect()
}

/// Payee and period.
type Key = (String, String);

/// One run's side of a comparison.
struct Side {
    manifest: Manifest,
    company: Company,
    statements: Table,
    earnings: Table,
}

impl Side {
    async fn read(read: &mut attain_database::Connection, manifest: Manifest) -> Result<Side> {
        let company = runs::pinned_company(read, &manifest).await?;
        let mut tables = Vec::new();
        for name in ["statements", "earnings"] {
            tables.push(match manifest.result(name) {
                Some(table) => attain_store::runs::read_table(read, table).await?,
                None => Table::new(name),
            });
        }
        let [statements, earnings] = <[Table; 2]>::try_from(tables).map_err(|_| anyhow::anyhow!("two tables were read"))?;
        Ok(Side { manifest, company, statements, earnings })
    }

    /// The canonical bytes of each statement: its row and the rows of its earnings.
    fn statements(&self) -> BTreeMap<Key, Statement> {
        let mut found: BTreeMap<Key, Statement> = BTreeMap::new();
        for table in [&self.statements, &self.earnings] {
            let (Some(payees), Some(periods)) = (table.texts("payee_id"), table.texts("period_id")) else { continue };
            let earned = (table.name == "statements").then(|| table.numbers("earned")).flatten();
            let (plans, components) = (table.texts("plan_id"), table.texts("component_id"));
            for row in 0..table.row_count() {
                let key = (payees.get(row).unwrap_or_default().to_owned(), periods.get(row).unwrap_or_default().to_owned());
                let own = found.entry(key).or_default();
                append_row(&mut own.bytes, table, row);
                own.earned += earned.map_or(0, |earned| i128::from(earned[row]));
                if let Some((plan, component)) = plans.and_then(|own| own.get(row)).zip(components.and_then(|own| own.get(row))) {
                    own.components.insert((plan.to_owned(), component.to_owned()));
                }
            }
        }
        found
    }
}

#[derive(Debug, Default, PartialEq)]
struct Statement {
    bytes: Vec<u8>,
    earned: i128,
    components: BTreeSet<(String, String)>,
}

/// Every column with its name, so that rows of two tables are equal only where all is.
fn append_row(bytes: &mut Vec<u8>, table: &Table, row: usize) {
    bytes.push(b'\n');
    for (name, column) in &table.columns {
        bytes.extend_from_slice(name.as_bytes());
        match column.show(row) {
            Some(value) => {
                bytes.push(b'=');
                bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
                bytes.extend_from_slice(value.as_bytes());
            }
            None => bytes.push(b'-'),
        }
    }
}

async fn compare(read: &mut attain_database::Connection, before: Option<SavedRun>, after: SavedRun) -> Result<Comparison> {
    let run_id = after.summary.run_id.0.clone();
    let previous_run_id = before.as_ref().map(|own| own.summary.run_id.0.clone());
    let names = runs::names(read).await?;
    let name = |payee: &str| names.get(payee).cloned().unwrap_or_default();
    let mut posted: Vec<Posting> = attain_store::run_facts::posted_by(read, &run_id).await?;
    let posted_count = posted.len();
    posted.sort_by_key(|own| std::cmp::Reverse(own.7.unsigned_abs()));
    posted.truncate(LISTED_MAX);
    let after = Side::read(read, after.manifest).await?;
    let before = match before {
        Some(run) => Some(Side::read(read, run.manifest).await?),
        None => None,
    };
    let (old, new) = (before.as_ref().map(Side::statements).unwrap_or_default(), after.statements());
    let keys: BTreeSet<&Key> = old.keys().chain(new.keys()).collect();
    let (unchanged, differing): (Vec<&Key>, Vec<&Key>) = keys.into_iter().partition(|key| {
        let (left, right) = (old.get(*key), new.get(*key));
        left.zip(right).is_some_and(|(left, right)| left.bytes == right.bytes)
    });
    let unchanged: BTreeSet<&Key> = unchanged.into_iter().collect();
    let causes = match &before {
        Some(before) => changed_inputs(&before.manifest, &after.manifest),
        None => Vec::new(),
    };
    let why = match &before {
        Some(before) => Some(Why::find(read, before, &after, &causes).await?),
        None => None,
    };
    let hash = rows_hash(&after, &unchanged);
    let unchanged_hash_equal = before.as_ref().map_or(unchanged.is_empty(), |before| rows_hash(before, &unchanged) == hash);
    let chunks = chunks_of(&after.manifest);
    let calendar = Calendar::new(&after.company.settings.calendar).map_err(Refusal::invalid)?;
    let differing: BTreeSet<&Key> = differing.into_iter().collect();
    let mut recalculated: Vec<(i128, &Key)> = differing
        .iter()
        .map(|key| {
            let earned = |side: &BTreeMap<Key, Statement>| side.get(*key).map_or(0, |own| own.earned);
            (earned(&new) - earned(&old), *key)
        })
        .collect();
    let recalculated_count = recalculated.len();
    recalculated.sort_by_key(|(difference, key)| (std::cmp::Reverse(difference.unsigned_abs()), *key));
    recalculated.truncate(LISTED_MAX);
    let because = |key: &Key| -> Vec<Because> {
        let Some(why) = &why else { return vec![because("first-run", "")] };
        let empty = BTreeSet::new();
        let components: BTreeSet<&(String, String)> =
            [&old, &new].into_iter().flat_map(|side| side.get(key).map_or(&empty, |own| &own.components)).collect();
        let earlier = differing.iter().filter(|own| own.0 == key.0);
        let mut earlier = earlier.filter(|own| calendar.index_of(&own.1) < calendar.index_of(&key.1)).map(|own| own.1.as_str());
        why.of(key, &components, earlier.next_back(), &calendar)
    };
    Ok(Comparison {
        recalculated: recalculated
            .into_iter()
            .map(|(difference, key)| Recalculated {
                payee_id: key.0.clone(),
                name: name(&key.0),
                period_id: key.1.clone(),
                difference: money(difference),
                causes: because(key),
            })
            .collect(),
        recalculated_count,
        unchanged_count: unchanged.len(),
        unchanged_hash_equal,
        unchanged_hash: hash,
        chunk_count: chunks.len(),
        chunk_count_as_before: before.as_ref().map_or(0, |before| chunks.intersection(&chunks_of(&before.manifest)).count()),
        causes,
        posted: posted
            .into_iter()
            .map(|(payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, amount)| PostedLine {
                name: name(&payee_id),
                payee_id,
                period_id,
                origin_period_id,
                plan_id: Some(plan_id).filter(|own| !own.is_empty()),
                component_id: Some(component_id).filter(|own| !own.is_empty()),
                account,
                revision,
                amount: money(i128::from(amount)),
            })
            .collect(),
        posted_count,
        run_id,
        previous_run_id,
    })
}

/// The chunks of all that a run read and made.
fn chunks_of(manifest: &Manifest) -> BTreeSet<&str> {
    let tables = manifest.inputs.iter().chain(&manifest.results);
    tables.flat_map(|table| &table.chunks).map(|chunk| chunk.as_str()).collect()
}

/// One hash over the rows of these statements as they lie in the run's tables, made without what the comparison made.
fn rows_hash(side: &Side, keys: &BTreeSet<&Key>) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut row_bytes = Vec::new();
    for table in [&side.statements, &side.earnings] {
        let (Some(payees), Some(periods)) = (table.texts("payee_id"), table.texts("period_id")) else { continue };
        for row in 0..table.row_count() {
            let key = (payees.get(row).unwrap_or_default().to_owned(), periods.get(row).unwrap_or_default().to_owned());
            if keys.contains(&key) {
                row_bytes.clear();
                append_row(&mut row_bytes, table, row);
                hasher.update(&row_bytes);
            }
        }
    }
    hasher.finalize().to_hex().to_string()
}

fn because(kind: &str, object: &str) -> Because {
    Because { kind: kind.to_owned(), object: object.to_owned() }
}

/// What differs between what two runs read. What was posted before is no cause: it changes what is posted, not what is earned.
fn changed_inputs(before: &Manifest, after: &Manifest) -> Vec<CauseChange> {
    let mut causes = Vec::new();
    let mut push = |kind: &str, object: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            causes.push(CauseChange { kind: kind.to_owned(), object: object.to_owned(), before, after });
        }
    };
    push("engine", "engine", Some(before.engine_version.clone()), Some(after.engine_version.clone()));
    let names = |left: &BTreeMap<String, String>, right: &BTreeMap<String, String>| -> BTreeSet<String> {
        left.keys().chain(right.keys()).cloned().collect()
    };
    for path in names(&before.documents, &after.documents) {
        let (old, new) = (before.documents.get(&path).cloned(), after.documents.get(&path).cloned());
        if let Some(file) = path.strip_prefix("plans/") {
            push("plan", file.trim_end_matches(".toml"), old, new);
        } else if !path.starts_with("scripts/") {
            push("settings", &path, old, new);
        }
    }
    for name in names(&before.extensions, &after.extensions) {
        let (old, new) = (before.extensions.get(&name).cloned(), after.extensions.get(&name).cloned());
        match name.strip_prefix("compensation/") {
            Some(formula) => push("formula", formula, old, new),
            None => push("extension", &name, old, new),
        }
    }
    for entity in ENTITIES {
        push(entity.name, entity.name, table_state(before.input(entity.name)), table_state(after.input(entity.name)));
    }
    causes
}

fn table_state(table: Option<&TableManifest>) -> Option<String> {
    let table = table?;
    let all: Vec<&str> = table.chunks.iter().map(|chunk| chunk.as_str()).collect();
    let digest = blake3::hash(all.join("\n").as_bytes()).to_hex().to_string();
    Some(format!("{} rows, {}", table.row_count, &digest[..16]))
}

/// Which causes touch whom.
struct Why {
    /// Causes that touch everybody: settings, crediting, the engine.
    all: Vec<Because>,
    plans: BTreeSet<String>,
    /// Plan and component, to the formula that changed.
    formulas: BTreeMap<(String, String), BTreeSet<String>>,
    /// Payee, to the entities of which a row that names her differs.
    rows: HashMap<String, BTreeSet<&'static str>>,
    /// Payee, to the periods in which she has or had credit for a transaction that differs.
    transactions: HashMap<String, BTreeSet<String>>,
}

impl Why {
    async fn find(read: &mut attain_database::Connection, before: &Side, after: &Side, causes: &[CauseChange]) -> Result<Why> {
        let mut why =
            Why { all: Vec::new(), plans: BTreeSet::new(), formulas: BTreeMap::new(), rows: HashMap::new(), transactions: HashMap::new() };
        let files = || before.company.plans.iter().chain(&after.company.plans);
        for cause in causes {
            match cause.kind.as_str() {
                "plan" => why
                    .plans
                    .extend(files().filter(|own| own.file.trim_end_matches(".toml") == cause.object).map(|own| own.plan.id.clone())),
                "formula" => {
                    for plan in files().map(|own| &own.plan) {
                        for component in plan.components.iter().filter(|own| own.formula == cause.object) {
                            let key = (plan.id.clone(), component.id.clone());
                            why.formulas.entry(key).or_default().insert(cause.object.clone());
                        }
                    }
                }
                "extension" if !cause.object.starts_with("crediting/") => {}
                "engine" | "settings" | "extension" => why.all.push(because(&cause.kind, &cause.object)),
                _ => {}
            }
        }
        for entity in ENTITIES.iter().filter(|entity| causes.iter().any(|cause| cause.kind == entity.name)) {
            let empty = Table::new(entity.name);
            let own = |side: &'_ Side| side.company.tables.get(entity.name).cloned().unwrap_or_else(|| empty.clone());
            let changes = attain_store::entities::diff(entity, &own(before), &own(after))?;
            let parts = [&changes.inserted, &changes.changed, &changes.before, &changes.removed];
            for payee in parts.into_iter().flat_map(|part| texts(part, "payee_id")) {
                why.rows.entry(payee.to_owned()).or_default().insert(entity.name);
            }
            // A split moves the credit of the whole transaction.
            if matches!(entity.name, "transactions" | "splits") {
                let ids: BTreeSet<&str> = parts.into_iter().flat_map(|part| texts(part, "transaction_id")).collect();
                for side in [before, after] {
                    why.credited(read, side, &ids).await?;
                }
            }
        }
        Ok(why)
    }

    /// Who has credit for these transactions in a run, and in which periods.
    async fn credited(&mut self, read: &mut attain_database::Connection, side: &Side, ids: &BTreeSet<&str>) -> Result<()> {
        let Some(table) = side.manifest.result("credits") else { return Ok(()) };
        // Chunk by chunk: the credits of a large company are not held at once.
        for chunk in &table.chunks {
            let part = attain_calc::with_transaction_ids(&attain_store::chunks::get(read, "credits", chunk).await?);
            let (Some(transactions), Some(payees), Some(periods)) =
                (part.texts("transaction_id"), part.texts("payee_id"), part.texts("period_id"))
            else {
                continue;
            };
            let wanted: Vec<bool> = transactions.dictionary.iter().map(|id| ids.contains(id.as_str())).collect();
            for row in 0..part.row_count() {
                let is_wanted = wanted.get(transactions.codes[row] as usize) == Some(&true);
                if let Some((payee, period)) = payees.get(row).zip(periods.get(row)).filter(|_| is_wanted) {
                    match self.transactions.get_mut(payee) {
                        Some(own) if own.contains(period) => {}
                        Some(own) => drop(own.insert(period.to_owned())),
                        None => drop(self.transactions.insert(payee.to_owned(), BTreeSet::from([period.to_owned()]))),
                    }
                }
            }
        }
        Ok(())
    }

    /// `earlier` is the last earlier period of the payee that differs.
    fn of(&self, key: &Key, components: &BTreeSet<&(String, String)>, earlier: Option<&str>, calendar: &Calendar) -> Vec<Because> {
        let (payee, period) = key;
        let mut causes: BTreeSet<Because> = self.all.iter().cloned().collect();
        for (plan, _) in components.iter().filter(|(plan, _)| self.plans.contains(plan)) {
            causes.insert(because("plan", plan));
        }
        for formula in components.iter().flat_map(|own| self.formulas.get(*own).into_iter().flatten()) {
            causes.insert(because("formula", formula));
        }
        for entity in self.rows.get(payee).into_iter().flatten().filter(|entity| **entity != "transactions") {
            causes.insert(because(entity, payee));
        }
        // Results add up over periods, so a transaction is a cause in its period and after it.
        let reached = |own: &&String| calendar.index_of(own.as_str()) <= calendar.index_of(period);
        if let Some(first) = self.transactions.get(payee).and_then(|own| own.iter().find(reached)) {
            causes.insert(because("transactions", first));
        }
        if causes.is_empty() {
            causes.insert(earlier.map_or_else(|| because("other inputs", ""), |period| because("earlier-period", period)));
        }
        causes.into_iter().collect()
    }
}

/// The values of a text column, each once.
fn texts<'a>(table: &'a Table, name: &str) -> Vec<&'a str> {
    let Some(column) = table.texts(name) else { return Vec::new() };
    let used: BTreeSet<u32> = column.codes.iter().copied().filter(|code| *code != NULL_CODE).collect();
    used.into_iter().filter_map(|code| column.dictionary.get(code as usize)).map(String::as_str).collect()
}
