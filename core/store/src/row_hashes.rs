//! Whether the rows of the record are those that its changes wrote. A change leaves a hash of each of its rows here and their digest in
//! its audit entry, so that a row that was edited, removed or added past the trail is found, and named.

use anyhow::Context as _;
use attain_database::sqlx::any::AnyRow;
use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Tx, Value, insert};
use attain_domain::schema::{Entity, Field, Kind};
use attain_domain::{Day, fixed};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

const HASH_BYTES: usize = 16;
/// Hashes in one body.
const PART: usize = 65_536;
/// How the documents are called among the tables.
pub const DOCUMENTS: &str = "documents";

type Hash = [u8; HASH_BYTES];

/// What a change did to one table, as its audit entry says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    pub written: u64,
    pub superseded: u64,
    /// Over the hashes of the rows.
    pub digest: String,
}

/// A change that the trail tells of: the number of its entry, and what it did to the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub sequence: i64,
    pub digested: Digested,
}

/// Rows of one change to one table.
#[derive(Debug, Clone, Default)]
pub struct RowHashes {
    written: Vec<(Vec<u8>, Hash)>,
    superseded: Vec<(Vec<u8>, Hash)>,
}

/// Something that is not as the trail says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// The entry of the change; 0 where none tells of it.
    pub sequence: i64,
    pub table: String,
    /// The key of the first row concerned; empty where it is gone.
    pub record: String,
    pub what: String,
}

/// The bytes sort as the key does: numbers by value, texts by byte, nothing first.
fn key_bytes(key: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.len() * 12);
    for value in key {
        match value {
            Value::Integer(None) | Value::Text(None) => bytes.push(0),
            Value::Integer(Some(number)) => {
                bytes.push(1);
                bytes.extend_from_slice(&(*number ^ i64::MIN).to_be_bytes());
            }
            Value::Text(Some(text)) => {
                bytes.push(1);
                bytes.extend_from_slice(text.as_bytes());
                bytes.push(0);
            }
            Value::Bytes(own) => bytes.extend_from_slice(own),
        }
    }
    bytes
}

fn hash_of(values: &[Value]) -> Hash {
    let mut bytes = Vec::with_capacity(values.len() * 16);
    for value in values {
        match value {
            Value::Integer(None) | Value::Text(None) => bytes.push(0),
            Value::Integer(Some(number)) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            Value::Text(Some(text)) => {
                bytes.push(2);
                bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            Value::Bytes(own) => {
                bytes.push(3);
                bytes.extend_from_slice(&(own.len() as u64).to_le_bytes());
                bytes.extend_from_slice(own);
            }
        }
    }
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..HASH_BYTES]);
    hash
}

fn digest_of(written: u64, body: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"attain-rows\x01").update(&written.to_le_bytes()).update(body);
    hasher.finalize().to_hex().to_string()
}

impl RowHashes {
    /// A row as it is inserted; its key comes first.
    pub fn written(&mut self, row: &[Value], key_count: usize) {
        self.written.push((key_bytes(&row[..key_count]), hash_of(row)));
    }

    /// The key of a row that counts no more.
    pub fn superseded(&mut self, key: &[Value]) {
        self.superseded.push((key_bytes(key), hash_of(key)));
    }

    fn sorted(&mut self) {
        self.written.sort();
        self.superseded.sort();
    }

    fn body(&self) -> Vec<u8> {
        self.written.iter().chain(&self.superseded).flat_map(|(_, hash)| *hash).collect()
    }

    /// Keeps the hashes and answers their digest.
    pub async fn keep(mut self, tx: &mut Tx, table: &str, now: i64) -> anyhow::Result<Digested> {
        self.sorted();
        let body = self.body();
        let mut values = Vec::new();
        for (part, bytes) in body.chunks(PART * HASH_BYTES).enumerate() {
            values.extend([Value::from(now), Value::from(table), Value::from(part as i64), Value::Bytes(bytes.to_vec())]);
        }
        insert(tx, "row_hashes (recorded_at, table_name, part, body)", 4, values, "").await?;
        let (written, superseded) = (self.written.len() as u64, self.superseded.len() as u64);
        Ok(Digested { written, superseded, digest: digest_of(written, &body) })
    }
}

/// An instant for a change, later than that of every change before it: rows are told apart by it.
pub async fn instant(tx: &mut Tx, now: i64) -> anyhow::Result<i64> {
    let last: i64 = sqlx::query_scalar("select coalesce(max(recorded_at), 0) from row_hashes").fetch_one(&mut **tx).await?;
    Ok(now.max(last + 1))
}

/// What writing the difference between these texts does to the documents; `None` where there is none.
pub async fn keep_documents(
    tx: &mut Tx,
    before: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
    now: i64,
) -> anyhow::Result<Option<Digested>> {
    let mut hashes = RowHashes::default();
    for (path, body) in wanted.iter().filter(|(path, body)| before.get(*path) != Some(*body)) {
        hashes.written(&document(path, &crate::digest(body.as_bytes()), body, now), 1);
    }
    for (path, _) in before.iter().filter(|(path, body)| wanted.get(*path) != Some(*body)) {
        hashes.superseded(&[Value::from(path.as_str())]);
    }
    if hashes.written.is_empty() && hashes.superseded.is_empty() {
        return Ok(None);
    }
    hashes.keep(tx, DOCUMENTS, now).await.map(Some)
}

fn document(path: &str, digest: &str, body: &str, recorded_at: i64) -> [Value; 4] {
    [Value::from(path), Value::from(digest), Value::from(body), Value::from(recorded_at)]
}

/// Compares every version of every row of an entity with what the trail says of the table, by instant. Rows of `untold` instants are of
/// changes from before there were digests. Answers the number of rows and what differs, first by the order of the trail.
pub async fn check(
    connection: &mut Connection,
    entity: &'static Entity,
    told: &BTreeMap<i64, Told>,
    untold: &BTreeSet<i64>,
) -> anyhow::Result<(u64, Vec<Altered>)> {
    let fields: Vec<&str> = entity.fields.iter().map(|field| field.name).collect();
    let sql = format!("select {}, version, source, batch_id, recorded_at, superseded_at from {}", fields.join(", "), entity.name);
    let mut found = Found::default();
    let width = fields.len();
    let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        let mut values = Vec::with_capacity(width + 4);
        for (index, field) in entity.fields.iter().enumerate() {
            values.push(value(&row, index, field)?);
        }
        let recorded_at: i64 = row.try_get(width + 3)?;
        values.push(Value::from(row.try_get::<i64, _>(width)?));
        values.push(Value::Text(Some(row.try_get(width + 1)?)));
        values.push(Value::Integer(row.try_get(width + 2)?));
        values.push(Value::from(recorded_at));
        found.add(&values, entity.key_count, recorded_at, row.try_get(width + 4)?);
    }
    drop(rows);
    let show = |key: &[u8]| shown(entity.key(), key);
    let count = found.count;
    Ok((count, found.judged(connection, entity.name, told, untold, &show).await?))
}

/// As [`check`], of the documents.
pub async fn check_documents(
    connection: &mut Connection,
    told: &BTreeMap<i64, Told>,
    untold: &BTreeSet<i64>,
) -> anyhow::Result<(u64, Vec<Altered>)> {
    let mut found = Found::default();
    let mut rows = sqlx::query("select path, digest, body, recorded_at, superseded_at from documents").fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        let recorded_at: i64 = row.try_get(3)?;
        let values = document(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, recorded_at);
        found.add(&values, 1, recorded_at, row.try_get(4)?);
    }
    drop(rows);
    let show = |key: &[u8]| String::from_utf8_lossy(key).trim_matches(['\0', '\u{1}']).to_owned();
    let count = found.count;
    Ok((count, found.judged(connection, DOCUMENTS, told, untold, &show).await?))
}

fn value(row: &AnyRow, index: usize, field: &Field) -> anyhow::Result<Value> {
    Ok(match field.kind.scale() {
        Some(_) => Value::Integer(row.try_get(index)?),
        None => Value::Text(row.try_get(index)?),
    })
}

/// A key in plain notation.
fn shown(fields: &[Field], key: &[u8]) -> String {
    let mut rest = key;
    let mut parts = Vec::new();
    for field in fields {
        let Some((mark, after)) = rest.split_first() else { break };
        rest = after;
        if *mark == 0 {
            parts.push(String::new());
            continue;
        }
        match field.kind.scale() {
            Some(scale) => {
                let Some((bytes, after)) = rest.split_first_chunk::<8>() else { break };
                rest = after;
                let number = i64::from_be_bytes(*bytes) ^ i64::MIN;
                let day = i32::try_from(number).ok().filter(|_| field.kind == Kind::Day);
                parts.push(day.map_or_else(|| fixed::format(number, scale), |day| Day(day).to_string()));
            }
            None => {
                let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
                parts.push(String::from_utf8_lossy(&rest[..end]).into_owned());
                rest = rest.get(end + 1..).unwrap_or_default();
            }
        }
    }
    parts.join(" ")
}

/// The rows that there are, by the instants at which they were written and superseded.
#[derive(Default)]
struct Found {
    count: u64,
    by_instant: HashMap<i64, RowHashes>,
}

impl Found {
    fn add(&mut self, row: &[Value], key_count: usize, recorded_at: i64, superseded_at: Option<i64>) {
        self.count += 1;
        self.by_instant.entry(recorded_at).or_default().written(row, key_count);
        if let Some(at) = superseded_at {
            self.by_instant.entry(at).or_default().superseded(&row[..key_count]);
        }
    }

    async fn judged(
        mut self,
        connection: &mut Connection,
        table: &str,
        told: &BTreeMap<i64, Told>,
        untold: &BTreeSet<i64>,
        show: &(dyn Fn(&[u8]) -> String + Sync),
    ) -> anyhow::Result<Vec<Altered>> {
        let mut altered = Vec::new();
        for (at, said) in told {
            let mut there = self.by_instant.remove(at).unwrap_or_default();
            there.sorted();
            let is_counted =
                (there.written.len() as u64, there.superseded.len() as u64) == (said.digested.written, said.digested.superseded);
            if is_counted && digest_of(said.digested.written, &there.body()) == said.digested.digest {
                continue;
            }
            altered.push(differing(connection, table, *at, said, &there, show).await?);
        }
        let mut strange: Vec<(i64, RowHashes)> = self.by_instant.into_iter().filter(|(at, _)| !untold.contains(at)).collect();
        strange.sort_by_key(|(at, _)| *at);
        for (_, mut rows) in strange {
            rows.sorted();
            let (first, what) = match (rows.written.first(), rows.superseded.first()) {
                (Some(first), _) => (first, "no entry of the trail tells of a change that wrote this row"),
                (None, Some(first)) => (first, "no entry of the trail tells of a change that superseded this row"),
                (None, None) => continue,
            };
            altered.push(Altered { sequence: 0, table: table.to_owned(), record: show(&first.0), what: what.to_owned() });
        }
        Ok(altered)
    }
}

/// Names the first row of a change that is not as it was written, with the help of the hashes that were kept.
async fn differing(
    connection: &mut Connection,
    table: &str,
    at: i64,
    said: &Told,
    there: &RowHashes,
    show: &(dyn Fn(&[u8]) -> String + Sync),
) -> anyhow::Result<Altered> {
    let answer = |record: String, what: String| Altered { sequence: said.sequence, table: table.to_owned(), record, what };
    let parts: Vec<Vec<u8>> = sqlx::query_scalar("select body from row_hashes where recorded_at = $1 and table_name = $2 order by part")
        .bind(at)
        .bind(table.to_owned())
        .fetch_all(connection)
        .await?;
    let body = parts.concat();
    if digest_of(said.digested.written, &body) != said.digested.digest {
        let record = there.written.first().map(|(key, _)| show(key)).unwrap_or_default();
        return Ok(answer(
            record,
            "this row or a later one of the change is not as it was written, and the kept hashes are altered too".into(),
        ));
    }
    let kept: Vec<Hash> = body.chunks_exact(HASH_BYTES).filter_map(|bytes| bytes.try_into().ok()).collect();
    let (written, superseded) =
        kept.split_at_checked(usize::try_from(said.digested.written)?).context("fewer hashes were kept than rows")?;
    for (kept, there, strange, gone) in [
        (written, &there.written, "the row is not as the change wrote it", "of the rows that the change wrote, the one after this is gone"),
        (
            superseded,
            &there.superseded,
            "the row is superseded, but not by the change whose instant it carries",
            "of the rows that the change superseded, the one after this is gone or in force again",
        ),
    ] {
        let known: HashSet<&Hash> = kept.iter().collect();
        if let Some((key, _)) = there.iter().find(|(_, hash)| !known.contains(hash)) {
            return Ok(answer(show(key), strange.to_owned()));
        }
        let own: HashMap<&Hash, &[u8]> = there.iter().map(|(key, hash)| (hash, key.as_slice())).collect();
        if let Some(place) = kept.iter().position(|hash| !own.contains_key(hash)) {
            let before = place.checked_sub(1).and_then(|place| own.get(&kept[place])).map(|key| show(key));
            return Ok(match before {
                Some(key) => answer(key, gone.to_owned()),
                None => answer(String::new(), gone.replace("the one after this is", "the first one is")),
            });
        }
        if let Some(pair) = there.windows(2).find(|pair| pair[0].1 == pair[1].1) {
            return Ok(answer(show(&pair[0].0), "the row is there twice".to_owned()));
        }
    }
    Ok(answer(String::new(), "the rows are not those that the change wrote".to_owned()))
}
