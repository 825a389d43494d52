//! Whether the rows of the record, its ledger and its payouts are those that the trail tells of: what somebody edited past every door is
//! found here.

use crate::Instance;
use crate::company::ToldChange;
use crate::payouts::check as payouts;
use anyhow::Result;
use attain_audit::Entry;
use attain_database::Connection;
use attain_domain::schema::ENTITIES;
use attain_store::row_hashes::{self, Altered, DOCUMENTS, Told};
use attain_store::{ledger, runs};
use std::collections::{BTreeMap, BTreeSet};

/// Entries read at once.
const PAGE: i64 = 1_000;
/// Of each table so many faults are named.
const NAMED_MAX: usize = 20;

/// What the trail says was done.
#[derive(Default)]
struct Trail {
    /// Table to instant to what a change did to it.
    changes: BTreeMap<String, BTreeMap<i64, Told>>,
    /// Instants of changes from before digests were kept.
    untold: BTreeSet<i64>,
    /// Run to its entry and instant.
    runs: BTreeMap<String, (i64, i64)>,
    payouts: payouts::Told,
}

impl Trail {
    async fn read(connection: &mut Connection) -> Result<Trail> {
        let mut trail = Trail::default();
        let mut after = 0;
        loop {
            let entries = attain_audit::entries(connection, after, PAGE).await?;
            let Some(last) = entries.last() else { return Ok(trail) };
            after = last.sequence;
            for own in entries {
                if own.entry.action == "run" {
                    trail.runs.insert(own.entry.object, (own.sequence, own.recorded_at));
                    continue;
                }
                if own.entry.action.ends_with("-payout") {
                    let Entry { action, object, after, reason, .. } = own.entry;
                    let content_hash = after.unwrap_or_default();
                    let done = payouts::Done { sequence: own.sequence, action, content_hash, reason };
                    trail.payouts.entry(object).or_default().push(done);
                    continue;
                }
                let told = own.entry.after.as_deref().and_then(|after| serde_json::from_str::<ToldChange>(after).ok());
                match told.map(|told| told.rows) {
                    Some(Some(rows)) => {
                        for (table, digested) in rows {
                            let told = Told { sequence: own.sequence, digested };
                            trail.changes.entry(table).or_default().insert(own.recorded_at, told);
                        }
                    }
                    Some(None) => {
                        trail.untold.insert(own.recorded_at);
                    }
                    None => {}
                }
            }
        }
    }
}

fn line(own: &Altered) -> String {
    let entry = if own.sequence == 0 { String::new() } else { format!("entry {}: ", own.sequence) };
    let record = if own.record.is_empty() { String::new() } else { format!(" `{}`", own.record) };
    format!("{entry}{}{record}: {}", own.table, own.what)
}

impl Instance {
    /// The number of rows that were compared, and a line for each change or run whose rows are not those that it wrote.
    pub(crate) async fn altered_rows(&self) -> Result<(u64, Vec<String>)> {
        let mut read = self.database.read().await?;
        let mut trail = Trail::read(&mut read).await?;
        let (mut count, mut faults) = (0, Vec::new());
        let mut collect = |(rows, altered): (u64, Vec<Altered>)| {
            count += rows;
            faults.extend(altered.iter().take(NAMED_MAX).map(line));
        };
        for entity in ENTITIES {
            let told = trail.changes.remove(entity.name).unwrap_or_default();
            collect(row_hashes::check(&mut read, entity, &told, &trail.untold).await?);
        }
        let told = trail.changes.remove(DOCUMENTS).unwrap_or_default();
        collect(row_hashes::check_documents(&mut read, &told, &trail.untold).await?);
        let (postings, altered) = altered_postings(&mut read, &trail.runs).await?;
        faults.extend(altered);
        faults.extend(payouts::altered(&mut read, &trail.payouts).await?);
        Ok((count + postings, faults))
    }
}

/// The ledger against the results of the runs that posted to it: a run's id is the hash of all that it made.
async fn altered_postings(connection: &mut Connection, told: &BTreeMap<String, (i64, i64)>) -> Result<(u64, Vec<String>)> {
    let mut faults = Vec::new();
    let mut compared = 0;
    let mut posted = ledger::counts(connection).await?;
    let known = runs::list(connection).await?;
    let there: BTreeSet<&str> = known.iter().map(|run| run.run_id.as_str()).collect();
    for (run, (sequence, _)) in told.iter().filter(|(run, _)| !there.contains(run.as_str())) {
        faults.push(format!("entry {sequence}: run {run} is gone"));
    }
    for run in &known {
        posted.remove(run.run_id.as_str());
        let Some((sequence, at)) = told.get(run.run_id.as_str()) else {
            faults.push(format!("run {}: no entry of the trail tells of it", run.run_id));
            continue;
        };
        let mut fault = |what: String| faults.push(format!("entry {sequence}: run {}: {what}", run.run_id));
        // What is damaged is said, and the next run is looked at.
        let made = match made_by(connection, run, *at).await {
            Ok(made) => made,
            Err(error) => {
                fault(format!("{error:#}"));
                continue;
            }
        };
        let stand = ledger::of_run(connection, &run.run_id).await?;
        compared += stand.len() as u64;
        if stand == made {
            continue;
        }
        let name = |(key, revision, ..): &ledger::PostingRow| {
            let [payee, period, _, plan, component, account] = key;
            format!("the posting of `{payee}` in {period}, {account} {plan} {component} revision {revision}")
        };
        let (is_made, stands): (BTreeSet<_>, BTreeSet<_>) = (made.iter().collect(), stand.iter().collect());
        match (stands.difference(&is_made).next(), is_made.difference(&stands).next()) {
            (Some(strange), Some(gone)) if strange.0 == gone.0 => fault(format!("{} is not as it was posted", name(strange))),
            (_, Some(gone)) => fault(format!("{} is gone or altered", name(gone))),
            (Some(strange), None) => fault(format!("{} was not posted by it", name(strange))),
            (None, None) => fault("a posting stands twice".to_owned()),
        }
    }
    faults.extend(posted.keys().map(|run| format!("run {run} is not in the record, but posted")));
    Ok((compared, faults))
}

/// What a run posted, by its own results.
async fn made_by(connection: &mut Connection, run: &runs::RunSummary, at: i64) -> Result<Vec<ledger::PostingRow>> {
    let saved = runs::load(connection, &run.run_id).await?.ok_or_else(|| anyhow::anyhow!("it is gone"))?;
    anyhow::ensure!(saved.manifest.root() == run.run_id, "its manifest is not the one that its id is the hash of");
    anyhow::ensure!(run.created_at == at, "its instant is not that of the trail");
    match saved.manifest.result("postings") {
        Some(postings) if run.complete => Ok(ledger::rows_of(&runs::read_table(connection, postings).await?, at)),
        _ => Ok(Vec::new()),
    }
}
