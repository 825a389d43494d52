//! Files of rows that somebody sends: checked as a whole, applied as a whole, or refused with every fault and kept to be mended.
//!
//! Facts from outside apply at once. What people are paid by decision waits for a second person: see [`needs_approval`].

use crate::access::{Action, Caller};
use crate::changes::{ChangeKind, NewChange};
use crate::company::{Way, control_totals, no_company};
use crate::folder::{Company, Problems, Rows};
use crate::periods::Door;
use crate::refusal::Refusal;
use crate::rows::known_entity;
use crate::users::new_id;
use crate::{Instance, now_ms, shown_ms};
use anyhow::{Context as _, Result};
use attain_audit::Entry;
use attain_domain::schema::Entity;
use attain_store::entities::Changes;
use attain_store::imports::{self, Import};
use attain_store::versions::{Part, bump, hold};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// What people are paid by decision rather than by what happened.
const DECIDED: [&str; 22] = [
    "account_territories",
    "adjustments",
    "contract_events",
    "contracts",
    "coverage",
    "fx_rates",
    "hierarchy",
    "holds",
    "leaves",
    "manual_credits",
    "objectives",
    "occupancies",
    "parameters",
    "pay_group_members",
    "plan_assignments",
    "plan_overrides",
    "plan_rules",
    "quotas",
    "relationships",
    "splits",
    "team_members",
    "transaction_stages",
];
/// As many row errors of one file are listed; the rest is counted.
const ERRORS_MAX: usize = 10_000;
/// Refused files that are kept in a record, the newest ones.
const FILES_KEPT: usize = 200;
const FILES_BYTES_MAX: i64 = 1 << 30;
/// So much of a kept file is shown, the rows with errors first.
const SHOWN_BYTES_MAX: usize = 1 << 20;
const SOURCE_LENGTH_MAX: usize = 100;

/// Whether an import of the entity waits for a second person.
pub fn needs_approval(entity: &str) -> bool {
    DECIDED.contains(&entity)
}

/// What is wrong in one place of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowError {
    /// From 1, the header's; `null` where it is wrong as a whole.
    pub line: Option<u64>,
    pub column: Option<String>,
    /// What stands there, shortened.
    pub value: Option<String>,
    pub message: String,
}

/// What an import did. `row_count` = inserted + changed + unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReceipt {
    /// Rows in the file.
    pub row_count: u64,
    /// The sum over the file of each amount, by field.
    pub totals: BTreeMap<String, String>,
    pub inserted: u64,
    pub changed: u64,
    pub unchanged: u64,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportOutcome {
    /// `null` after a dry run. Where the very file was taken in before, that import.
    pub import_id: Option<String>,
    /// `applied`, `unchanged` (the record held these rows already), `refused`, `waiting-for-approval`, or `checked` by a dry run.
    pub state: String,
    pub receipt: Option<ImportReceipt>,
    pub errors: Vec<RowError>,
    /// How many there are; at most 10,000 are listed.
    pub error_count: u64,
    /// The change that waits for a second person.
    pub change_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportHead {
    pub import_id: String,
    pub entity: String,
    pub source: String,
    /// Of the file as it came: blake3.
    pub digest: String,
    pub byte_count: i64,
    pub state: String,
    pub receipt: Option<ImportReceipt>,
    pub error_count: u64,
    pub batch_id: Option<i64>,
    pub change_id: Option<String>,
    /// The first attempt, where this is a mended file.
    pub first_id: Option<String>,
    /// The import that was taken in the place of this refused one.
    pub mended_by: Option<String>,
    pub sent_by: String,
    /// The login's name, where it is still known.
    pub sent_by_name: String,
    pub sent_at: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportView {
    #[serde(flatten)]
    pub head: ImportHead,
    pub errors: Vec<RowError>,
    /// The refused text to mend: its header, the rows with errors, then the others. `null` when it was not refused or is no longer
    /// kept; a record keeps its last 200 refused files, at most 1 GiB of them.
    pub csv: Option<String>,
    /// The line of the sent file for each line of `csv`.
    pub csv_lines: Vec<u64>,
    /// Whether `csv` is the whole file; of a large one only the beginning is shown.
    pub csv_complete: bool,
}

/// What somebody sends.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    pub entity: &'a str,
    /// The system that the rows come from.
    pub source: &'a str,
    /// Only say what would happen.
    pub dry_run: bool,
    pub bytes: &'a [u8],
}

/// What a file would do to the record.
struct Checked {
    want: Company,
    receipt: ImportReceipt,
    /// Of the rows of the entity.
    changes: Changes,
}

fn row_errors(entity: &str, problems: &Problems) -> Vec<RowError> {
    let file = format!("{entity}.csv");
    let error = |own: &crate::folder::Problem| {
        // Merging shows faults of rows that the file does not have, for example a plan that is now missing: they name their file.
        let place = if own.file == file { String::new() } else { format!("{}: ", own.file) };
        RowError { line: own.line, column: own.column.clone(), value: own.value.clone(), message: format!("{place}{}", own.message) }
    };
    problems.listed.iter().map(error).collect()
}

fn source_of(text: &str) -> Result<String, Refusal> {
    let source = text.trim();
    if (1..=SOURCE_LENGTH_MAX).contains(&source.chars().count()) && !source.chars().any(char::is_control) {
        return Ok(source.to_owned());
    }
    Err(Refusal::invalid(format!("`source` has 1 to {SOURCE_LENGTH_MAX} characters; name the system that the rows come from")))
}

fn head(own: &Import, names: &BTreeMap<String, String>) -> Result<ImportHead> {
    Ok(ImportHead {
        import_id: own.import_id.clone(),
        entity: own.entity.clone(),
        source: own.source.clone(),
        digest: own.digest.clone(),
        byte_count: own.byte_count,
        state: own.state.clone(),
        receipt: own.receipt.as_deref().map(serde_json::from_str).transpose().context("a receipt is damaged")?,
        error_count: u64::try_from(own.error_count)?,
        batch_id: own.batch_id,
        change_id: own.change_id.clone(),
        first_id: own.first_id.clone(),
        mended_by: own.mended_by.clone(),
        sent_by: own.sent_by.clone(),
        sent_by_name: names.get(&own.sent_by).unwrap_or(&own.sent_by).clone(),
        sent_at: shown_ms(own.sent_at),
    })
}

/// The header, the lines with errors, then the others, each with its number, as far as they fit; and whether all did.
fn errors_first(text: &str, errors: &[RowError]) -> (String, Vec<u64>, bool) {
    let wrong: BTreeSet<u64> = errors.iter().filter_map(|error| error.line).filter(|line| *line > 1).collect();
    let numbered = || text.lines().zip(1u64..);
    let ordered = numbered()
        .take(1)
        .chain(numbered().skip(1).filter(|(_, line)| wrong.contains(line)))
        .chain(numbered().skip(1).filter(|(_, line)| !wrong.contains(line)));
    let (mut shown, mut lines) = (String::new(), Vec::new());
    for (row, line) in ordered {
        if shown.len() + row.len() > SHOWN_BYTES_MAX {
            return (shown, lines, false);
        }
        shown.push_str(row);
        shown.push('\n');
        lines.push(line);
    }
    (shown, lines, true)
}

impl Instance {
    /// Takes in a file of one entity: rows with a known key are superseded, others added, rows that the file does not have stay.
    pub async fn send_import(&self, caller: &Caller, sent: Sent<'_>) -> Result<ImportOutcome> {
        caller.require(Action::Import)?;
        self.take_in(caller, known_entity(sent.entity)?, &source_of(sent.source)?, sent.dry_run, sent.bytes, None).await
    }

    /// Sends the mended text of a refused import.
    pub async fn resend_import(&self, caller: &Caller, import_id: &str, bytes: &[u8]) -> Result<ImportOutcome> {
        caller.require(Action::Import)?;
        let mut read = self.database.read().await?;
        let refused = imports::by_id(&mut read, import_id).await?.ok_or_else(|| no_import(import_id))?;
        drop(read);
        if let Some(by) = &refused.mended_by {
            return Err(Refusal::conflict(format!("`{import_id}` was mended by `{by}` already; send a new import")).into());
        }
        if refused.state != "refused" {
            return Err(Refusal::conflict(format!("`{import_id}` was not refused; send a new import")).into());
        }
        let first = refused.first_id.as_deref().unwrap_or(import_id);
        self.take_in(caller, known_entity(&refused.entity)?, &refused.source, false, bytes, Some(first)).await
    }

    async fn take_in(
        &self,
        caller: &Caller,
        entity: &'static Entity,
        source: &str,
        dry_run: bool,
        bytes: &[u8],
        first: Option<&str>,
    ) -> Result<ImportOutcome> {
        if entity.name == "periods" {
            return Err(Refusal::invalid(
                "periods go from state to state and are not imported; see Periods in the console, or `attain period`",
            )
            .into());
        }
        let view = self.view().await?;
        let mut checked = tokio::task::block_in_place(|| check(&view.company.company, entity, bytes))?;
        let mut tx = self.database.begin().await?;
        hold(&mut tx, Part::Company).await?;
        let mut newer = None;
        if attain_store::versions::current(&mut tx).await?.company != view.company.version {
            // Somebody was faster: now nobody can be.
            let company = self.company_at(&mut tx).await?.ok_or_else(no_company)?;
            checked = tokio::task::block_in_place(|| check(&company, entity, bytes))?;
            newer = Some(company);
        }
        let have = newer.as_ref().unwrap_or(&view.company.company);
        let import = |state: &str| -> Result<Import> {
            Ok(Import {
                import_id: new_id("import")?,
                entity: entity.name.to_owned(),
                source: source.to_owned(),
                digest: attain_store::digest(bytes),
                byte_count: i64::try_from(bytes.len())?,
                state: state.to_owned(),
                error_count: 0,
                errors: "[]".to_owned(),
                receipt: None,
                batch_id: None,
                change_id: None,
                first_id: first.map(str::to_owned),
                mended_by: None,
                sent_by: self.actor.clone(),
                sent_at: now_ms(),
            })
        };
        let checked = match checked {
            Ok(checked) => checked,
            Err(problems) => return self.refuse(tx, import("refused")?, dry_run, bytes, &problems).await,
        };
        let receipt = checked.receipt.clone();
        let outcome = |import_id: Option<String>, state: &str, change_id: Option<String>| ImportOutcome {
            import_id,
            state: state.to_owned(),
            receipt: Some(receipt.clone()),
            errors: Vec::new(),
            error_count: 0,
            change_id,
        };
        if dry_run {
            return Ok(outcome(None, "checked", None));
        }
        let is_new = receipt.inserted + receipt.changed > 0;
        let before = imports::taken(&mut tx, entity.name, &attain_store::digest(bytes)).await?;
        if let Some(before) =
            before.filter(|before| if is_new { before.state == "waiting-for-approval" } else { before.state == "applied" })
        {
            // Sent again: the first one counts.
            let state = if is_new { "waiting-for-approval" } else { "unchanged" };
            return Ok(outcome(Some(before.import_id), state, before.change_id));
        }
        if is_new && needs_approval(entity.name) {
            // What a change costs is calculated first, in no transaction; SQLite has one at a time.
            tx.rollback().await?;
            let text = std::str::from_utf8(bytes).context("a file that was read is UTF-8")?;
            let payload = serde_json::json!({ "entity": entity.name, "csv": text, "source": source });
            let comment = format!("import of {} from {source}", entity.name);
            let new = NewChange { kind: ChangeKind::Import, object: entity.name.to_owned(), payload, comment, base_digest: None };
            let view = self.view().await?;
            let readied = self.ready_change(caller, &view, new).await?;
            let mut tx = self.database.begin().await?;
            bump(&mut tx, Part::Work).await?;
            let change = self.change_within(&mut tx, caller, &view.company.company, &readied, true, now_ms()).await?;
            let waiting = Import { change_id: Some(change.change_id.clone()), ..import("waiting-for-approval")? };
            self.keep(&mut tx, &waiting, &receipt).await?;
            self.note_new_change(&mut tx, caller, &change).await?;
            let entry = Entry::new(&self.actor, "import-for-approval", entity.name).reason(source).after(&change.change_id);
            attain_audit::append(&mut tx, entry, waiting.sent_at).await?;
            tx.commit().await?;
            self.seal().await?;
            return Ok(outcome(Some(waiting.import_id), "waiting-for-approval", Some(change.change_id)));
        }
        let mut import = import(if is_new { "applied" } else { "unchanged" })?;
        if is_new {
            let way = Way { door: Door::Usual, known: Some((entity.name, checked.changes)) };
            self.write_by(&mut tx, Some(have), &checked.want, "import", source, way).await?;
            // The batch that was just written: nobody else writes one meanwhile.
            import.batch_id = Some(attain_store::batches::next_id(&mut tx).await? - 1);
        } else {
            let entry = Entry::new(&self.actor, "import-unchanged", entity.name).reason(source).after(&import.digest);
            attain_audit::append(&mut tx, entry, import.sent_at).await?;
        }
        self.keep(&mut tx, &import, &receipt).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(outcome(Some(import.import_id), &import.state, None))
    }

    /// Keeps what a taken import did, and settles the attempts before it.
    async fn keep(&self, tx: &mut attain_database::Tx, import: &Import, receipt: &ImportReceipt) -> Result<()> {
        imports::add(tx, &Import { receipt: Some(serde_json::to_string(receipt)?), ..import.clone() }).await?;
        if let Some(first) = &import.first_id {
            imports::mended(tx, first, &import.import_id).await?;
        }
        bump(tx, Part::Work).await
    }

    async fn refuse(
        &self,
        mut tx: attain_database::Tx,
        import: Import,
        dry_run: bool,
        bytes: &[u8],
        problems: &Problems,
    ) -> Result<ImportOutcome> {
        let errors = row_errors(&import.entity, problems);
        let error_count = problems.count();
        let mut outcome =
            ImportOutcome { import_id: None, state: "refused".to_owned(), receipt: None, errors, error_count, change_id: None };
        if dry_run {
            return Ok(outcome);
        }
        let import = Import { error_count: i64::try_from(error_count)?, errors: serde_json::to_string(&outcome.errors)?, ..import };
        imports::add(&mut tx, &import).await?;
        imports::keep_file(&mut tx, &import.import_id, bytes).await?;
        imports::drop_old_files(&mut tx, FILES_KEPT, FILES_BYTES_MAX).await?;
        let entry = Entry::new(&self.actor, "import-refused", &import.entity).reason(&import.source).after(&import.digest);
        attain_audit::append(&mut tx, entry, import.sent_at).await?;
        bump(&mut tx, Part::Work).await?;
        tx.commit().await?;
        self.seal().await?;
        outcome.import_id = Some(import.import_id);
        Ok(outcome)
    }

    /// Imports older than the one named, newest first.
    pub async fn imports(&self, caller: &Caller, before: &str, limit: usize) -> Result<Vec<ImportHead>> {
        caller.require(Action::SeeData)?;
        let mut read = self.database.read().await?;
        let names = self.user_names(&mut read).await?;
        imports::list(&mut read, before, i64::try_from(limit)?).await?.iter().map(|own| head(own, &names)).collect()
    }

    /// One import, with its errors and, where it was refused, its text.
    pub async fn import_view(&self, caller: &Caller, import_id: &str) -> Result<ImportView> {
        caller.require(Action::SeeData)?;
        let mut read = self.database.read().await?;
        let own = imports::by_id(&mut read, import_id).await?.ok_or_else(|| no_import(import_id))?;
        let file = imports::file(&mut read, import_id).await?;
        let names = self.user_names(&mut read).await?;
        let errors: Vec<RowError> = serde_json::from_str(&own.errors).context("errors of an import are damaged")?;
        let shown = file.map(|bytes| errors_first(&String::from_utf8_lossy(&bytes), &errors));
        let (csv, csv_lines, csv_complete) = match shown {
            None => (None, Vec::new(), false),
            Some((csv, lines, complete)) => (Some(csv), lines, complete),
        };
        Ok(ImportView { head: head(&own, &names)?, errors, csv, csv_lines, csv_complete })
    }

    pub(crate) async fn user_names(&self, read: &mut attain_database::Connection) -> Result<BTreeMap<String, String>> {
        let users = attain_store::users::list(read).await?;
        Ok(users.into_iter().map(|user| (user.user_id, user.name)).collect())
    }

    /// Pulls an entity through a connector and takes the rows in as if they had been sent.
    pub async fn send_pull(&self, caller: &Caller, connector: &str, entity: &str, settings: &serde_json::Value) -> Result<ImportOutcome> {
        caller.require(Action::Import)?;
        let entity = known_entity(entity)?;
        let text = self.pulled_text(connector, entity.name, settings).await?;
        self.take_in(caller, entity, &source_of(connector)?, false, text.as_bytes(), None).await
    }
}

/// Every check of a file against the record, and what it would do.
fn check(have: &Company, entity: &'static Entity, bytes: &[u8]) -> Result<Result<Checked, Problems>> {
    let (rows, problems) = Rows::read(entity, bytes, ERRORS_MAX);
    let (want, changes) = match have.merged(&rows, problems) {
        Ok((want, Some(changes))) => (want, changes),
        Ok((_, None)) => anyhow::bail!("two rows with one key were taken for good"),
        Err(problems) => return Ok(Err(problems)),
    };
    let (inserted, changed) = (changes.inserted.row_count() as u64, changes.changed.row_count() as u64);
    let row_count = rows.table().row_count() as u64;
    let mut totals = control_totals(entity, rows.table());
    totals.remove("rows");
    let receipt = ImportReceipt { row_count, totals, inserted, changed, unchanged: row_count - inserted - changed };
    Ok(Ok(Checked { want, receipt, changes }))
}

fn no_import(import_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no import `{import_id}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_errors_stand_first_and_keep_their_numbers() {
        let error = |line| RowError { line: Some(line), column: None, value: None, message: String::new() };
        let (text, lines, complete) = errors_first("h\na\nb\r\nc\n", &[error(4), error(3), error(3)]);
        assert_eq!((text.as_str(), lines, complete), ("h\nb\nc\na\n", vec![1, 3, 4, 2], true));
        let long = format!("h\n{}\nlast\n", "x".repeat(SHOWN_BYTES_MAX));
        assert_eq!(errors_first(&long, &[error(3)]), ("h\nlast\n".to_owned(), vec![1, 3], false));
    }
}
