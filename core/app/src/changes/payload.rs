//! What a change holds, by kind: how it is read, what it replaces, what the company is with it.

use super::lines::{Line, document_lines, row_lines};
use crate::Instance;
use crate::company::{merged, refused};
use crate::folder::{self, Canonical, Company, Tables};
use crate::formulas;
use crate::refusal::Refusal;
use anyhow::Result;
use attain_domain::Table;
use attain_domain::schema::{self, Entity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const PAYLOAD_BYTES_MAX: usize = 1 << 20;
const COMPANY_BYTES_MAX: usize = 64 << 20;

/// What a change can be about. To add one: add it here, its payload to [`Payload`], and its arms in `impl Instance` below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    Formula,
    Plan,
    Extension,
    Import,
    Company,
    Table,
}

impl ChangeKind {
    pub const ALL: [ChangeKind; 6] =
        [ChangeKind::Formula, ChangeKind::Plan, ChangeKind::Extension, ChangeKind::Import, ChangeKind::Company, ChangeKind::Table];

    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Formula => "formula",
            ChangeKind::Plan => "plan",
            ChangeKind::Extension => "extension",
            ChangeKind::Import => "import",
            ChangeKind::Company => "company",
            ChangeKind::Table => "table",
        }
    }

    pub fn from_name(name: &str) -> Option<ChangeKind> {
        ChangeKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the payload holds rows of entities.
    pub fn holds_rows(self) -> bool {
        matches!(self, ChangeKind::Import | ChangeKind::Company | ChangeKind::Table)
    }
}

/// A script and its cases; cases that are not given stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormulaPayload {
    pub source: String,
    #[serde(default)]
    pub cases: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanPayload {
    /// Its name in `plans/`.
    file: String,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtensionPayload {
    name: String,
    pub digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportPayload {
    entity: String,
    csv: String,
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompanyPayload {
    /// Path in the company folder to text: the whole folder.
    files: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TablePayload {
    entity: String,
    /// All rows that there are to be.
    csv: String,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Payload {
    Formula(FormulaPayload),
    Plan(PlanPayload),
    Extension(ExtensionPayload),
    Import(ImportPayload),
    Company(CompanyPayload),
    Table(TablePayload),
}

fn entity(name: &str) -> Result<&'static Entity, Refusal> {
    schema::entity(name).ok_or_else(|| {
        let names: Vec<&str> = schema::ENTITIES.iter().map(|entity| entity.name).collect();
        Refusal::invalid(format!("`{name}` is no entity; there are {}", names.join(", ")))
    })
}

fn rows(entity: &'static Entity, csv: &str) -> Result<Table, Refusal> {
    folder::read_rows(entity, entity.name, csv.as_bytes()).map_err(|problems| refused(&format!("the rows of `{}`", entity.name), &problems))
}

fn present(have: &Company, entity: &Entity) -> Canonical {
    have.table_of(entity)
}

/// A hash over texts, each with its length before it.
pub(crate) fn hash(texts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

impl Payload {
    /// Reads what came; `object` must be what the payload is about.
    pub fn read(kind: ChangeKind, object: &str, value: &serde_json::Value) -> Result<Payload, Refusal> {
        let limit = if kind == ChangeKind::Company { COMPANY_BYTES_MAX } else { PAYLOAD_BYTES_MAX };
        let size = value.to_string().len();
        if size > limit {
            return Err(Refusal::invalid(format!("the payload has {size} bytes; {limit} are allowed")));
        }
        let wrong = |error: serde_json::Error| Refusal::invalid(format!("this is no payload of kind `{}`: {error}", kind.name()));
        let value = value.clone();
        let payload = match kind {
            ChangeKind::Formula => Payload::Formula(serde_json::from_value(value).map_err(wrong)?),
            ChangeKind::Plan => Payload::Plan(serde_json::from_value(value).map_err(wrong)?),
            ChangeKind::Extension => Payload::Extension(serde_json::from_value(value).map_err(wrong)?),
            ChangeKind::Import => Payload::Import(serde_json::from_value(value).map_err(wrong)?),
            ChangeKind::Company => Payload::Company(serde_json::from_value(value).map_err(wrong)?),
            ChangeKind::Table => Payload::Table(serde_json::from_value(value).map_err(wrong)?),
        };
        let about = match &payload {
            Payload::Formula(_) => {
                formulas::check_name(object)?;
                object
            }
            Payload::Plan(plan) => &plan.file,
            Payload::Extension(extension) => &extension.name,
            Payload::Import(import) => entity(&import.entity)?.name,
            Payload::Table(table) => entity(&table.entity)?.name,
            Payload::Company(_) => object,
        };
        if object.is_empty() || object.chars().count() > 200 || object.chars().any(char::is_control) {
            return Err(Refusal::invalid("`object` has 1 to 200 characters: what the change is about"));
        }
        if about != object {
            return Err(Refusal::invalid(format!("`object` is `{object}`, the payload is about `{about}`; make them equal")));
        }
        Ok(payload)
    }

    pub fn parse(kind: ChangeKind, text: &str) -> Result<Payload> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        Ok(match kind {
            ChangeKind::Formula => Payload::Formula(serde_json::from_value(value)?),
            ChangeKind::Plan => Payload::Plan(serde_json::from_value(value)?),
            ChangeKind::Extension => Payload::Extension(serde_json::from_value(value)?),
            ChangeKind::Import => Payload::Import(serde_json::from_value(value)?),
            ChangeKind::Company => Payload::Company(serde_json::from_value(value)?),
            ChangeKind::Table => Payload::Table(serde_json::from_value(value)?),
        })
    }

    /// The canonical text that is stored and hashed.
    pub fn text(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// Where rows come from, for their history.
    pub fn source(&self, change_id: &str) -> String {
        match self {
            Payload::Import(import) => import.source.clone(),
            Payload::Table(table) if !table.reason.is_empty() => table.reason.clone(),
            _ => change_id.to_owned(),
        }
    }

    /// The company with the change, checked like one that is read from files.
    pub fn applied(&self, instance: &Instance, object: &str, have: &Company) -> Result<Company> {
        let assemble = |documents: &BTreeMap<String, String>, tables: Tables| {
            Company::assemble(documents, tables.into_values()).map_err(|problems| refused("the change", &problems))
        };
        Ok(match self {
            Payload::Formula(formula) => {
                let now = instance.formula_now(have, object)?;
                now.check_successor(object, &formula.source)?;
                let mut documents = have.documents();
                documents.insert(format!("scripts/{object}.rhai"), formula.source.clone());
                let path = format!("scripts/{object}.cases.toml");
                match formula.cases.clone().or(now.cases).filter(|cases| !cases.trim().is_empty()) {
                    Some(cases) => _ = documents.insert(path, cases),
                    None => _ = documents.remove(&path),
                }
                assemble(&documents, have.tables.clone())?
            }
            Payload::Plan(plan) => {
                let mut documents = have.documents();
                documents.insert(format!("plans/{}", plan.file), plan.text.clone());
                assemble(&documents, have.tables.clone())?
            }
            Payload::Extension(_) => have.clone(),
            Payload::Import(import) => {
                let entity = entity(&import.entity)?;
                let mut tables = have.tables.clone();
                tables.insert(entity.name.to_owned(), merged(entity, &present(have, entity), &rows(entity, &import.csv)?));
                assemble(&have.documents(), tables)?
            }
            Payload::Table(table) => {
                let entity = entity(&table.entity)?;
                let mut tables = have.tables.clone();
                tables.insert(entity.name.to_owned(), folder::canonical(entity, &rows(entity, &table.csv)?));
                assemble(&have.documents(), tables)?
            }
            Payload::Company(company) => folder::from_files(&company.files).map_err(|problems| refused("the company folder", &problems))?,
        })
    }

    /// The digest of what is in force now and would be replaced. `active` is the active version of an extension.
    pub fn base(&self, instance: &Instance, object: &str, have: &Company, active: Option<&str>) -> Result<String> {
        Ok(match self {
            Payload::Formula(_) => instance.formula_now(have, object)?.digest(),
            Payload::Plan(plan) => {
                let path = format!("plans/{}", plan.file);
                hash(&[have.documents().get(&path).map_or("", String::as_str)])
            }
            Payload::Extension(_) => hash(&[active.unwrap_or_default()]),
            Payload::Import(import) => {
                let entity = entity(&import.entity)?;
                let (now, given) = (present(have, entity), rows(entity, &import.csv)?);
                let changed = folder::row_changes(entity, &folder::canonical(entity, &given), &now);
                // Rows of the file that are there already, alike or not: those are what it would replace.
                let mut replaced: Vec<usize> = (0..now.row_count()).collect();
                let new: std::collections::BTreeSet<usize> = changed.inserted.iter().copied().collect();
                replaced.retain(|row| !new.contains(row));
                hash(&[attain_store::chunks::digest(&now.take(&replaced))?.as_str()])
            }
            Payload::Table(table) => {
                let entity = entity(&table.entity)?;
                hash(&[attain_store::chunks::digest(&present(have, entity))?.as_str()])
            }
            Payload::Company(_) => {
                let mut texts = Vec::new();
                for (path, text) in have.documents() {
                    texts.extend([path, text]);
                }
                for table in have.tables.values() {
                    texts.push(attain_store::chunks::digest(table)?.0);
                }
                hash(&texts.iter().map(String::as_str).collect::<Vec<_>>())
            }
        })
    }

    /// What differs from what is in force, as lines.
    pub fn lines(&self, instance: &Instance, object: &str, have: &Company, active: Option<&str>) -> Result<Vec<Line>> {
        Ok(match self {
            Payload::Formula(formula) => {
                let now = instance.formula_now(have, object)?;
                let mut lines = document_lines(now.source.as_deref().unwrap_or_default(), &formula.source);
                let before = now.cases.as_deref().unwrap_or_default();
                if let Some(cases) = formula.cases.as_deref().filter(|cases| *cases != before) {
                    lines.push(Line::same(""));
                    lines.push(Line::same(&format!("scripts/{object}.cases.toml")));
                    lines.extend(document_lines(before, cases));
                }
                lines
            }
            Payload::Plan(plan) => {
                let documents = have.documents();
                document_lines(documents.get(&format!("plans/{}", plan.file)).map_or("", String::as_str), &plan.text)
            }
            Payload::Extension(extension) => {
                let mut lines: Vec<Line> = active.map(|digest| Line::gone(&format!("{object} {digest}"))).into_iter().collect();
                lines.push(Line::new(&format!("{object} {}", extension.digest)));
                lines
            }
            Payload::Import(_) | Payload::Table(_) | Payload::Company(_) => row_lines(have, &self.applied(instance, object, have)?),
        })
    }
}
