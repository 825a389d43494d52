//! The company in the record: load, compare, apply, export, import. Every change goes through here, in one transaction with
//! its history and its audit entry.

use crate::folder::{self, Canonical, Change, Company};
use crate::periods::{self, Door};
use crate::plan_lint::{self, PlanLint};
use crate::refusal::Refusal;
use crate::{Instance, now_ms};
use anyhow::{Context, Result};
use attain_audit::Entry;
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::schema::{self, ENTITIES};
use attain_domain::{NULL_NUMBER, Table};
use attain_store::entities::Changes;
use attain_store::row_hashes::Digested;
use attain_store::versions::{self, Part};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use utoipa::ToSchema;

/// What a change did to one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntityCount {
    pub entity: String,
    pub inserted: u64,
    pub changed: u64,
    pub removed: u64,
    pub unchanged: u64,
}

/// What a change did. The control totals of `changes` tie: rows given = inserted + changed + unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    pub changes: Vec<EntityCount>,
    pub documents: Vec<String>,
    /// What is to be looked at in the plans of a company that was loaded or applied; it refused nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lints: Vec<PlanLint>,
}

impl Receipt {
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.changes.iter().all(|own| own.inserted + own.changed + own.removed == 0)
    }
}

/// How a change comes.
pub(crate) struct Way {
    pub door: Door,
    /// What differs in the rows of an entity, where that is known already.
    pub known: Option<(&'static str, Changes)>,
}

impl From<Door> for Way {
    fn from(door: Door) -> Way {
        Way { door, known: None }
    }
}

/// What the trail keeps of a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ToldChange {
    #[serde(flatten)]
    pub receipt: Receipt,
    /// By table: which rows were written and superseded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<BTreeMap<String, Digested>>,
}

/// A refusal that lists what is wrong with a folder or a file.
pub fn refused(what: &str, problems: &folder::Problems) -> Refusal {
    Refusal::invalid(format!("{what} was refused; nothing was changed")).with_details(problems.lines())
}

impl Instance {
    /// Loads a folder into a record that holds no company yet.
    pub async fn load(&self, dir: &Path) -> Result<Receipt> {
        let company = folder::read(dir).map_err(|problems| refused(&dir.display().to_string(), &problems))?;
        self.load_company(&company, &dir.display().to_string()).await
    }

    /// See [`Instance::load`].
    pub(crate) async fn load_company(&self, company: &Company, source: &str) -> Result<Receipt> {
        self.check_extensions(company)?;
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, Part::Company).await?;
        if !attain_store::documents::current(&mut tx).await?.is_empty() {
            return Err(Refusal::conflict("the record holds a company already; use `attain diff` and `attain apply`").into());
        }
        let receipt = self.write(&mut tx, None, company, "load", source).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(Receipt { lints: plan_lint::of_company(company), ..receipt })
    }

    /// What [`Instance::apply`] would change, a line each.
    pub async fn diff(&self, dir: &Path) -> Result<Vec<String>> {
        let want = folder::read(dir).map_err(|problems| refused(&dir.display().to_string(), &problems))?;
        let have = self.company().await?;
        Ok(folder::diff(&have, &want).iter().map(Change::to_string).collect())
    }

    /// Makes the record equal to the folder. Rows that changed or went keep their history.
    pub async fn apply(&self, dir: &Path) -> Result<Receipt> {
        self.apply_by(dir, Door::Usual).await
    }

    /// See [`Instance::apply`].
    pub(crate) async fn apply_by(&self, dir: &Path, door: Door) -> Result<Receipt> {
        let want = folder::read(dir).map_err(|problems| refused(&dir.display().to_string(), &problems))?;
        self.check_extensions(&want)?;
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, Part::Company).await?;
        let have = self.company_at(&mut tx).await?;
        let receipt = self.write_by(&mut tx, have.as_ref(), &want, "apply", &dir.display().to_string(), door).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(Receipt { lints: plan_lint::of_company(&want), ..receipt })
    }

    pub async fn export(&self, dir: &Path) -> Result<()> {
        let company = self.company().await?;
        if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Refusal::conflict(format!("`{}` is not empty; name a new folder", dir.display())).into());
        }
        folder::write(&company, dir).with_context(|| format!("`{}` could not be written", dir.display()))
    }

    /// Imports rows of one entity: known rows that differ are superseded, rows that are not in the file stay.
    pub async fn import(&self, entity: &str, file: &Path, source: &str) -> Result<Receipt> {
        let known = schema::entity(entity).ok_or_else(|| {
            let names: Vec<&str> = ENTITIES.iter().map(|entity| entity.name).collect();
            Refusal::invalid(format!("`{entity}` is no entity; there are {}", names.join(", ")))
        })?;
        let reader = File::open(file).map_err(|error| Refusal::not_found(format!("`{}` cannot be read: {error}", file.display())))?;
        let rows = folder::read_rows(known, &file.display().to_string(), reader)
            .map_err(|problems| refused(&file.display().to_string(), &problems))?;
        self.import_table(known, &rows, source).await
    }

    /// See [`Instance::import`].
    pub async fn import_table(&self, entity: &'static schema::Entity, rows: &Table, source: &str) -> Result<Receipt> {
        let mut tx = self.database.begin().await?;
        let receipt = self.import_within(&mut tx, entity, rows, source).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(receipt)
    }

    /// As [`Instance::import_table`], in a transaction of the caller, who seals after it.
    pub(crate) async fn import_within(
        &self,
        tx: &mut attain_database::Tx,
        entity: &'static schema::Entity,
        rows: &Table,
        source: &str,
    ) -> Result<Receipt> {
        versions::hold(tx, Part::Company).await?;
        let have = self.company_at(tx).await?.ok_or_else(no_company)?;
        let upsert = have.table_of(entity).upsert(entity, &folder::canonical(entity, rows).into());
        let mut tables = have.tables.clone();
        tables.insert(entity.name.to_owned(), upsert.after);
        let want = Company::assemble(&have.documents(), tables.into_values()).map_err(|problems| refused("the import", &problems))?;
        let way = Way { door: Door::Usual, known: upsert.changes.map(|changes| (entity.name, changes)) };
        self.write_by(tx, Some(&have), &want, "import", source, way).await
    }

    /// Replaces all rows of one entity, for planning proposals that were accepted.
    pub async fn apply_table(&self, entity: &str, wanted: &Table, reason: &str) -> Result<Receipt> {
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, Part::Company).await?;
        let have = self.company_at(&mut tx).await?.ok_or_else(no_company)?;
        let mut tables = have.tables.clone();
        tables.insert(entity.to_owned(), wanted.clone());
        let want = Company::assemble(&have.documents(), tables.into_values()).map_err(|problems| refused("the proposal", &problems))?;
        let receipt = self.write(&mut tx, Some(&have), &want, "apply", reason).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(receipt)
    }

    /// The company as the record holds it now.
    pub async fn company(&self) -> Result<Company> {
        let mut read = self.database.read().await?;
        Ok(self.company_at(&mut read).await?.ok_or_else(no_company)?)
    }

    /// Writes the difference between two companies with its history and its audit entry. Closed periods stay as they are.
    pub(crate) async fn write(
        &self,
        tx: &mut attain_database::Tx,
        have: Option<&Company>,
        want: &Company,
        action: &str,
        source: &str,
    ) -> Result<Receipt> {
        self.write_by(tx, have, want, action, source, Door::Usual).await
    }

    /// See [`Instance::write`].
    pub(crate) async fn write_by(
        &self,
        tx: &mut attain_database::Tx,
        have: Option<&Company>,
        want: &Company,
        action: &str,
        source: &str,
        way: impl Into<Way>,
    ) -> Result<Receipt> {
        let Way { door, mut known } = way.into();
        periods::guard(have, want, door)?;
        periods::record(tx, have, want, &self.actor, source).await?;
        let now = attain_store::row_hashes::instant(tx, now_ms()).await?;
        let mut receipt = Receipt::default();
        let mut rows = BTreeMap::new();
        for entity in ENTITIES {
            let before = have.map_or_else(|| Canonical::from(Table::new(entity.name)), |company| company.table_of(entity));
            let after = want.table_of(entity);
            if before == after {
                continue;
            }
            let changes = match known.take_if(|(name, _)| *name == entity.name) {
                Some((_, changes)) => changes,
                None => attain_store::entities::diff(entity, &before, &after)?,
            };
            let batch_id = attain_store::batches::next_id(tx).await?;
            let (counts, digested) = attain_store::entities::write_changes(tx, entity, &changes, source, Some(batch_id), now).await?;
            rows.extend(digested.map(|own| (entity.name.to_owned(), own)));
            let batch = attain_store::batches::Batch {
                batch_id,
                source: source.to_owned(),
                entity: entity.name.to_owned(),
                digest: after.digest()?,
                counts,
                totals: control_totals(entity, &after),
                recorded_at: now,
            };
            attain_store::batches::write(tx, &batch).await?;
            receipt.changes.push(EntityCount {
                entity: entity.name.to_owned(),
                inserted: counts.inserted,
                changed: counts.changed,
                removed: counts.removed,
                unchanged: counts.unchanged,
            });
        }
        let nothing = BTreeMap::new();
        let before = have.map_or(nothing, Company::documents);
        let after = want.documents();
        receipt.documents = attain_store::documents::write(tx, &before, &after, now).await?;
        let digested = attain_store::row_hashes::keep_documents(tx, &before, &after, now).await?;
        rows.extend(digested.map(|own| (attain_store::row_hashes::DOCUMENTS.to_owned(), own)));
        if !receipt.is_empty() {
            let after = serde_json::to_string(&ToldChange { receipt: receipt.clone(), rows: Some(rows) })?;
            let object = want.settings.name.clone();
            versions::bump(tx, Part::Company).await?;
            self.live.kept.keep_company(versions::stamp(tx, Part::Company).await?, want);
            if let Some(have) = have
                && let Some(with) = self.send_to_joiners(tx, have, want).await?
            {
                let why = "made by the system: who came onto a plan has its document to accept";
                Box::pin(self.write_by(tx, Some(want), &with, "plan-hold", why, Door::Usual)).await?;
            }
            attain_audit::append(tx, Entry::new(&self.actor, action, &object).reason(source).after(&after), now).await?;
        }
        Ok(receipt)
    }
}

/// The rows that an entity holds after a change, and the sum of each of its amounts.
pub(crate) fn control_totals(entity: &schema::Entity, table: &Table) -> BTreeMap<String, String> {
    let mut totals = BTreeMap::from([("rows".to_owned(), table.row_count().to_string())]);
    for field in entity.fields.iter().filter(|field| field.kind == schema::Kind::Money) {
        let values = table.numbers(field.name).unwrap_or(&[]);
        let sum: i128 = values.iter().filter(|value| **value != NULL_NUMBER).map(|value| i128::from(*value)).sum();
        let shown = i64::try_from(sum).map_or_else(|_| format!("{sum}e-4"), |sum| fixed::format(sum, MONEY_SCALE));
        totals.insert(field.name.to_owned(), shown);
    }
    totals
}

/// The present rows with those of `rows` put in place of rows with the same key, or added.
pub(crate) fn merged(entity: &schema::Entity, present: &Canonical, rows: &Table) -> Canonical {
    present.upsert(entity, &folder::canonical(entity, rows).into()).after
}

pub fn no_company() -> Refusal {
    Refusal::not_found("the record holds no company yet; run `attain load DIR`")
}

/// `None` where nothing was loaded yet.
pub async fn read_company(connection: &mut attain_database::Connection) -> Result<Option<Company>> {
    let documents = attain_store::documents::current(connection).await?;
    if documents.is_empty() {
        return Ok(None);
    }
    let mut tables = Vec::with_capacity(ENTITIES.len());
    for entity in ENTITIES {
        tables.push(attain_store::entities::load(connection, entity).await?);
    }
    let company = Company::assemble(&documents, tables).map_err(|problems| refused("the record", &problems))?;
    Ok(Some(company))
}
