//! Checking the whole trail against its own chain, its checkpoints and the anchor.

use crate::merkle::{self, Growing, Hash};
use crate::seal::{Checkpoint, Seal};
use crate::{Entry, encode};
use anyhow::Context as _;
use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Database};
use futures_util::TryStreamExt as _;

/// Something that is not as it was written. `sequence` is the entry where it shows, or the size of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub sequence: i64,
    pub what: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub entries: i64,
    pub checkpoints: i64,
    /// Entries after the last checkpoint: chained, but not yet signed.
    pub unsealed: i64,
    pub faults: Vec<Fault>,
}

impl Report {
    pub fn clean(&self) -> bool {
        self.faults.is_empty()
    }
}

pub(crate) async fn checkpoints(connection: &mut Connection) -> anyhow::Result<Vec<Checkpoint>> {
    type Row = (i64, Vec<u8>, i64, String, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as("select size, root, recorded_at, key_id, signature from audit_checkpoints order by size")
        .fetch_all(connection)
        .await?;
    // Bytes of a wrong length become a signature that fits nothing.
    let checkpoint = |(size, root, recorded_at, key_id, signature): Row| Checkpoint {
        size,
        root: root.try_into().unwrap_or([0; 32]),
        recorded_at,
        key_id,
        signature: signature.try_into().unwrap_or([0; 64]),
    };
    Ok(rows.into_iter().map(checkpoint).collect())
}

/// Checks every entry, every checkpoint in the database and every one in the anchor file. A fault is a finding, not an error.
pub async fn verify(database: &Database, seal: &Seal) -> anyhow::Result<Report> {
    // The anchor first: what is in it was committed before, so a trail that grows meanwhile raises no false alarm.
    let anchored = seal.anchored().context("the trail cannot be checked")?;
    let mut read = database.read().await?;
    let known = checkpoints(&mut read).await?;
    let mut report = Report { checkpoints: known.len() as i64, ..Report::default() };
    let fault = |report: &mut Report, sequence: i64, what: String| report.faults.push(Fault { sequence, what });

    let mut wanted: Vec<&Checkpoint> = Vec::new();
    for checkpoint in &known {
        if seal.signed(checkpoint) {
            wanted.push(checkpoint);
        } else {
            fault(&mut report, checkpoint.size, "the checkpoint was not signed with this key".into());
        }
    }
    for checkpoint in &anchored {
        if !known.contains(checkpoint) {
            fault(&mut report, checkpoint.size, "the checkpoint is in the anchor but not in the database".into());
            wanted.push(checkpoint);
        }
    }
    wanted.sort_by_key(|checkpoint| checkpoint.size);

    let mut growing = Growing::default();
    let mut previous: Hash = [0; 32];
    let mut wanted = wanted.into_iter().peekable();
    let mut last = 0;
    let mut rows = sqlx::query(
        "select sequence, recorded_at, actor, action, object, before_state, after_state, reason, body, hash from audit_entries order by sequence",
    )
    .fetch(&mut *read);
    while let Some(row) = rows.try_next().await? {
        report.entries += 1;
        let sequence: i64 = row.try_get(0)?;
        if sequence != last + 1 {
            fault(&mut report, sequence, format!("the entry before it has sequence {last}"));
        }
        last = sequence;
        let entry = Entry {
            actor: row.try_get(2)?,
            action: row.try_get(3)?,
            object: row.try_get(4)?,
            before: row.try_get(5)?,
            after: row.try_get(6)?,
            reason: row.try_get(7)?,
        };
        let body: Vec<u8> = row.try_get(8)?;
        let hash = merkle::leaf(&body);
        if row.try_get::<Vec<u8>, _>(9)? != hash {
            fault(&mut report, sequence, "its hash is not that of its stored bytes".into());
        }
        if body != encode(sequence, &previous, row.try_get(1)?, &entry) {
            fault(&mut report, sequence, "its stored bytes do not fit its columns and the entry before".into());
        }
        previous = hash;
        growing.push(hash);
        while let Some(checkpoint) = wanted.next_if(|checkpoint| checkpoint.size <= report.entries) {
            if checkpoint.size < report.entries || growing.root() != checkpoint.root {
                fault(&mut report, checkpoint.size, "the entries up to here are not those that were sealed".into());
            }
        }
    }
    for checkpoint in wanted {
        let what = format!("{} entries were sealed, {} are left", checkpoint.size, report.entries);
        fault(&mut report, checkpoint.size, what);
    }
    let sealed = known.iter().chain(&anchored).map(|checkpoint| checkpoint.size).max().unwrap_or(0);
    report.unsealed = (report.entries - sealed).max(0);
    Ok(report)
}
