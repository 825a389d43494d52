//! The audit trail: append-only, hash-chained over the stored bytes, sealed by signed Merkle roots that are also kept outside
//! the database. Knows nothing of sales: an entry is who did what to which object, and why.

mod merkle;
mod seal;
mod verify;

pub use merkle::{Hash, inclusion_root};
pub use seal::{Checkpoint, Seal, write_once};
pub use verify::{Fault, Report, verify};

use anyhow::{Context, ensure};
use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Database, Kind, Tx};

/// Version of the stored bytes; it is their first byte.
const FORMAT: u8 = 1;

/// What is to be recorded. Texts stay as they are given: they hold ids and digests, never personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    pub actor: String,
    pub action: String,
    pub object: String,
    /// The object before and after: a digest or a short text.
    pub before: Option<String>,
    pub after: Option<String>,
    pub reason: String,
}

impl Entry {
    pub fn new(actor: &str, action: &str, object: &str) -> Entry {
        Entry { actor: actor.to_owned(), action: action.to_owned(), object: object.to_owned(), ..Entry::default() }
    }

    #[must_use]
    pub fn before(mut self, state: &str) -> Entry {
        self.before = Some(state.to_owned());
        self
    }

    #[must_use]
    pub fn after(mut self, state: &str) -> Entry {
        self.after = Some(state.to_owned());
        self
    }

    #[must_use]
    pub fn reason(mut self, reason: &str) -> Entry {
        self.reason = reason.to_owned();
        self
    }
}

/// An entry of the trail. Sequences start at 1 and have no gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub sequence: i64,
    pub recorded_at: i64,
    pub entry: Entry,
}

/// The bytes that are stored and hashed: format, sequence, hash of the entry before, instant, then the texts with their
/// lengths. Integers are little-endian; a text that may be missing has one byte more, 0 or 1.
fn encode(sequence: i64, previous: &Hash, recorded_at: i64, entry: &Entry) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(previous);
    bytes.extend_from_slice(&recorded_at.to_le_bytes());
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    for part in [&entry.actor, &entry.action, &entry.object] {
        text(&mut bytes, part);
    }
    for part in [&entry.before, &entry.after] {
        bytes.push(u8::from(part.is_some()));
        if let Some(part) = part {
            text(&mut bytes, part);
        }
    }
    text(&mut bytes, &entry.reason);
    bytes
}

/// Adds an entry in the transaction of the change that it tells of. Answers its sequence.
pub async fn append(tx: &mut Tx, entry: Entry, now: i64) -> anyhow::Result<i64> {
    lock(tx).await?;
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("select sequence, hash from audit_entries order by sequence desc limit 1").fetch_optional(&mut **tx).await?;
    let (sequence, previous) = match last {
        None => (1, [0; 32]),
        Some((sequence, hash)) => {
            let hash: Hash = hash.try_into().ok().context("the last audit entry is damaged: run `attain audit verify`")?;
            (sequence + 1, hash)
        }
    };
    let body = encode(sequence, &previous, now, &entry);
    let hash = merkle::leaf(&body);
    sqlx::query(
        "insert into audit_entries (sequence, actor, action, object, before_state, after_state, reason, recorded_at, body, hash) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(sequence)
    .bind(entry.actor)
    .bind(entry.action)
    .bind(entry.object)
    .bind(entry.before)
    .bind(entry.after)
    .bind(entry.reason)
    .bind(now)
    .bind(body)
    .bind(hash.to_vec())
    .execute(&mut **tx)
    .await?;
    Ok(sequence)
}

/// On SQLite there is one writer anyway.
async fn lock(tx: &mut Tx) -> anyhow::Result<()> {
    if Kind::of(tx) == Kind::Postgres {
        sqlx::query("select pg_advisory_xact_lock(4120210002)").execute(&mut **tx).await?;
    }
    Ok(())
}

/// Entries after sequence `after`, in order, at most `limit`.
pub async fn entries(connection: &mut Connection, after: i64, limit: i64) -> anyhow::Result<Vec<Recorded>> {
    let rows = sqlx::query(
        "select sequence, recorded_at, actor, action, object, before_state, after_state, reason from audit_entries \
         where sequence > $1 order by sequence limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(recorded).collect()
}

fn recorded(row: &sqlx::any::AnyRow) -> anyhow::Result<Recorded> {
    Ok(Recorded {
        sequence: row.try_get(0)?,
        recorded_at: row.try_get(1)?,
        entry: Entry {
            actor: row.try_get(2)?,
            action: row.try_get(3)?,
            object: row.try_get(4)?,
            before: row.try_get(5)?,
            after: row.try_get(6)?,
            reason: row.try_get(7)?,
        },
    })
}

/// What to look for; an empty text lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    pub actor: String,
    pub action: String,
    pub object: String,
    /// Contained in the object or the reason, in upper or lower case.
    pub containing: String,
}

/// Entries before sequence `before`, newest first, at most `limit`.
pub async fn search(connection: &mut Connection, search: &Search, before: i64, limit: i64) -> anyhow::Result<Vec<Recorded>> {
    let needle = search.containing.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    // SQLite lowers ASCII only, on both sides then.
    let needle = if Kind::of(connection) == Kind::Sqlite { needle.to_ascii_lowercase() } else { needle.to_lowercase() };
    let rows = sqlx::query(
        "select sequence, recorded_at, actor, action, object, before_state, after_state, reason from audit_entries \
         where sequence < $1 and ($2 = '' or actor = $2) and ($3 = '' or action = $3) and ($4 = '' or object = $4) \
         and ($5 = '%%' or lower(object) like $5 escape '!' or lower(reason) like $5 escape '!') order by sequence desc limit $6",
    )
    .bind(before)
    .bind(search.actor.clone())
    .bind(search.action.clone())
    .bind(search.object.clone())
    .bind(format!("%{needle}%"))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(recorded).collect()
}

/// Entries of one instant, in order.
pub async fn recorded_at(connection: &mut Connection, at: i64) -> anyhow::Result<Vec<Recorded>> {
    let rows = sqlx::query(
        "select sequence, recorded_at, actor, action, object, before_state, after_state, reason from audit_entries \
         where recorded_at = $1 order by sequence",
    )
    .bind(at)
    .fetch_all(connection)
    .await?;
    rows.iter().map(recorded).collect()
}

/// An entry with its hash.
pub async fn entry(connection: &mut Connection, sequence: i64) -> anyhow::Result<Option<(Recorded, Vec<u8>)>> {
    let row = sqlx::query(
        "select sequence, recorded_at, actor, action, object, before_state, after_state, reason, hash from audit_entries where sequence = $1",
    )
    .bind(sequence)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| Ok((recorded(row)?, row.try_get(8)?))).transpose()
}

/// The newest checkpoint.
pub async fn last_checkpoint(connection: &mut Connection) -> anyhow::Result<Option<Checkpoint>> {
    Ok(verify::checkpoints(connection).await?.pop())
}

async fn leaves(connection: &mut Connection) -> anyhow::Result<Vec<Hash>> {
    let bodies: Vec<Vec<u8>> = sqlx::query_scalar("select body from audit_entries order by sequence").fetch_all(connection).await?;
    Ok(bodies.iter().map(|body| merkle::leaf(body)).collect())
}

/// Seals the trail as it is: signs its size and Merkle root, keeps that in the database and appends it to the anchor file.
/// `None` where nothing was added since the last one.
pub async fn checkpoint(database: &Database, seal: &Seal, now: i64) -> anyhow::Result<Option<Checkpoint>> {
    let mut tx = database.begin().await?;
    lock(&mut tx).await?;
    let known = verify::checkpoints(&mut tx).await?;
    seal.catch_up(&known)?;
    let leaves = leaves(&mut tx).await?;
    let size = leaves.len() as i64;
    let sealed = known.last().map_or(0, |checkpoint| checkpoint.size);
    ensure!(size >= sealed, "the trail has {size} entries but {sealed} were sealed: run `attain audit verify`");
    if size == sealed {
        return Ok(None);
    }
    let checkpoint = seal.sign(size, merkle::root(&leaves), now);
    sqlx::query("insert into audit_checkpoints (size, root, recorded_at, key_id, signature) values ($1, $2, $3, $4, $5)")
        .bind(checkpoint.size)
        .bind(checkpoint.root.to_vec())
        .bind(checkpoint.recorded_at)
        .bind(checkpoint.key_id.clone())
        .bind(checkpoint.signature.to_vec())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    // After the commit: a crash in between leaves a checkpoint that the next one catches up on, never an anchor without one.
    seal.anchor(&checkpoint)?;
    Ok(Some(checkpoint))
}

/// What proves that an entry is in the trail of `size` entries: the hashes beside its way to the root, lowest first. With
/// the entry's stored bytes, [`inclusion_root`] gives the root that a checkpoint of that size holds.
pub async fn proof(connection: &mut Connection, sequence: i64, size: i64) -> anyhow::Result<(Vec<u8>, Vec<Hash>)> {
    let leaves = leaves(&mut *connection).await?;
    let (index, size) = (usize::try_from(sequence - 1)?, usize::try_from(size)?);
    ensure!(index < size && size <= leaves.len(), "entry {sequence} is not in a trail of {size} entries");
    let body: Vec<u8> =
        sqlx::query_scalar("select body from audit_entries where sequence = $1").bind(sequence).fetch_one(connection).await?;
    Ok((body, merkle::path(index, &leaves[..size])))
}

#[cfg(test)]
mod tests;
