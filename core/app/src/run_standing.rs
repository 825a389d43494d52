//! Whether the last run is of what the record holds now, and since which change it is not. The present company is held against the one that
//! the run pinned, so that a change that was taken back is none.

use crate::access::{Action, Caller};
use crate::extensions::Set;
use crate::folder::Company;
use crate::view::RunView;
use crate::{Instance, shown_ms};
use anyhow::Result;
use attain_database::Connection;
use attain_domain::point::{Extensions as _, Point};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// States of periods follow from what people decide on a run; they make none stale.
const NOT_COMPARED: &str = "periods";
const LISTED_MAX: usize = 50;

/// Something that a run did not see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct SinceRun {
    /// When it was changed last.
    pub at: String,
    /// `rows`, `document` or `extension`.
    pub kind: String,
    /// The entity, the path in the company folder, or `<point>/<name>`.
    pub object: String,
    /// Where rows came from: a file, a change.
    pub source: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunStanding {
    /// `current`, `stale`, or `none` where nothing was calculated yet.
    pub state: String,
    /// The last complete run.
    pub run_id: Option<String>,
    pub recorded_at: Option<String>,
    /// When the first of `changes` happened.
    pub since: Option<String>,
    /// Oldest first, at most 50.
    pub changes: Vec<SinceRun>,
    pub change_count: usize,
    /// A newer run that is incomplete: it posted nothing.
    pub incomplete_run_id: Option<String>,
}

/// Entities and documents that differ from what the run read.
fn differing(run: &RunView, now: &Company) -> (Vec<String>, Vec<String>) {
    let read = run.manifest.inputs.iter().map(|own| own.name.as_str()).filter(|name| *name != NOT_COMPARED);
    let tables =
        read.filter(|name| now.tables.canonical(name).is_some() && run.company.tables.canonical(name) != now.tables.canonical(name));
    let tables = tables.map(str::to_owned).collect();
    // Cases and expected results are read by no run.
    let is_read = |path: &String| !path.starts_with("expected/") && !path.ends_with(".cases.toml");
    let (before, after) = (run.company.documents(), now.documents());
    let mut paths: Vec<String> = before.keys().chain(after.keys()).filter(|path| is_read(path)).cloned().collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| before.get(path) != after.get(path));
    (tables, paths)
}

/// Extensions that are another version now, as `<point>/<name>`; those that a script of the company replaces are among its documents.
fn replaced(run: &RunView, set: &Set, now: &Company) -> Vec<String> {
    let is_other = |(name, digest): &(&String, &String)| {
        let Some((point, own)) = name.split_once('/') else { return false };
        let Some(point) = Point::ALL.into_iter().find(|known| known.to_string() == point) else { return false };
        !now.scripts.contains_key(own) && !set.get(point, own).is_ok_and(|found| found.identity().digest.as_str() == digest.as_str())
    };
    run.manifest.extensions.iter().filter(is_other).map(|(name, _)| name.clone()).collect()
}

/// The last write of each entity: when, and from where.
async fn last_writes(connection: &mut Connection) -> Result<BTreeMap<String, (i64, String)>> {
    let mut found = BTreeMap::new();
    for own in attain_store::batches::list(connection).await? {
        found.entry(own.entity).or_insert((own.recorded_at, own.source));
    }
    Ok(found)
}

impl Instance {
    pub async fn run_standing(&self, caller: &Caller) -> Result<RunStanding> {
        caller.require(Action::SeeRuns)?;
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let newest = attain_store::runs::list(&mut read).await?.into_iter().next();
        let incomplete_run_id = newest.filter(|run| !run.complete).map(|run| run.run_id.0);
        let Some(run) = &view.run else {
            return Ok(RunStanding {
                state: "none".to_owned(),
                run_id: None,
                recorded_at: None,
                since: None,
                changes: Vec::new(),
                change_count: 0,
                incomplete_run_id,
            });
        };
        let company = &view.company.company;
        let (tables, paths) = tokio::task::block_in_place(|| differing(run, company));
        let mut changes = Vec::new();
        if !tables.is_empty() {
            let writes = last_writes(&mut read).await?;
            for object in tables {
                let (at, source) = writes.get(&object).cloned().unwrap_or((run.recorded_at, String::new()));
                changes.push((at, "rows", object, Some(source).filter(|source| !source.is_empty())));
            }
        }
        for object in paths {
            let last = attain_store::documents::history(&mut read, &object).await?.pop();
            let at = last.map_or(run.recorded_at, |own| own.superseded_at.unwrap_or(own.recorded_at));
            changes.push((at, "document", object, None));
        }
        if let Ok(set) = self.extensions_for(company) {
            let known = attain_store::extensions::list(&mut read).await?;
            for object in tokio::task::block_in_place(|| replaced(run, &set, company)) {
                let name = object.split_once('/').map_or(object.as_str(), |(_, name)| name);
                let active = known.iter().find(|own| own.active && own.name == name);
                changes.push((active.map_or(run.recorded_at, |own| own.installed_at), "extension", object, None));
            }
        }
        drop(read);
        changes.sort();
        let change_count = changes.len();
        let shown = |(at, kind, object, source): (i64, &str, String, Option<String>)| SinceRun {
            at: shown_ms(at),
            kind: kind.to_owned(),
            object,
            source,
        };
        let changes: Vec<SinceRun> = changes.into_iter().take(LISTED_MAX).map(shown).collect();
        Ok(RunStanding {
            state: if change_count == 0 { "current" } else { "stale" }.to_owned(),
            run_id: Some(run.run_id.clone()),
            recorded_at: Some(shown_ms(run.recorded_at)),
            since: changes.first().map(|own| own.at.clone()),
            changes,
            change_count,
            incomplete_run_id,
        })
    }
}
