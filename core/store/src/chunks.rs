//! Tables as content-addressed columnar chunks. The digest is over a canonical form of the columns; what is stored is Arrow
//! IPC with zstd, and may change without changing a digest.

use anyhow::{Context, bail, ensure};
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{DataType, Field, Schema};
use attain_database::sqlx;
use attain_database::{Connection, Kind, Tx, Value, insert, placeholders};
use attain_domain::ids::ChunkDigest;
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Table, TextColumn};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Version of the canonical form; it is hashed, so another form gives other digests.
pub const FORMAT: u8 = 1;
/// Rows that a chunk holds at most, where a table is cut.
pub const CHUNK_ROWS: usize = 65_536;

const SCALE: &str = "attain:scale";

/// A table, hashed and encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub digest: ChunkDigest,
    pub row_count: u64,
    /// The first and the last payee where the rows are sorted by `payee_id`.
    pub payees: Option<(String, String)>,
    pub body: Vec<u8>,
}

fn canonical(text: &TextColumn) -> Cow<'_, TextColumn> {
    let mut used = vec![false; text.dictionary.len()];
    for code in &text.codes {
        if let Some(flag) = used.get_mut(*code as usize) {
            *flag = true;
        }
    }
    let already = used.iter().all(|used| *used) && text.dictionary.windows(2).all(|pair| pair[0] < pair[1]);
    if already { Cow::Borrowed(text) } else { Cow::Owned(text.canonical()) }
}

/// Feeds a hasher through a buffer: many small parts would be slow.
struct Sink {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl Sink {
    fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > 1 << 16 {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(&(text.len() as u32).to_le_bytes());
        self.bytes(text.as_bytes());
    }

    fn fixed<const N: usize>(&mut self, values: impl Iterator<Item = [u8; N]>) {
        self.hasher.update(&self.buffer);
        self.buffer.clear();
        for value in values {
            self.buffer.extend_from_slice(&value);
        }
        self.hasher.update(&self.buffer);
        self.buffer.clear();
    }
}

/// The canonical form: a magic word and the format; rows and columns; then per column its name, kind and values. Integers are
/// little-endian, lengths and codes 4 bytes, rows and numbers 8. Dictionaries are sorted, distinct and free of unused words.
fn hash<'a>(rows: usize, columns: impl ExactSizeIterator<Item = (&'a str, CanonicalColumn<'a>)>) -> ChunkDigest {
    let mut sink = Sink { hasher: blake3::Hasher::new(), buffer: Vec::with_capacity(1 << 19) };
    sink.bytes(b"attain-chunk");
    sink.bytes(&[FORMAT]);
    sink.bytes(&(rows as u64).to_le_bytes());
    sink.bytes(&(columns.len() as u32).to_le_bytes());
    for (name, column) in columns {
        sink.text(name);
        match column {
            CanonicalColumn::Text(text) => {
                sink.bytes(&[0]);
                sink.bytes(&(text.dictionary.len() as u32).to_le_bytes());
                for word in &text.dictionary {
                    sink.text(word);
                }
                sink.fixed(text.codes.iter().map(|code| code.to_le_bytes()));
            }
            CanonicalColumn::Number(scale, values) => {
                sink.bytes(&[1, scale]);
                sink.fixed(values.iter().map(|value| value.to_le_bytes()));
            }
        }
    }
    sink.hasher.update(&sink.buffer);
    ChunkDigest(sink.hasher.finalize().to_hex().to_string())
}

enum CanonicalColumn<'a> {
    Text(Cow<'a, TextColumn>),
    Number(u8, &'a [i64]),
}

fn canonical_columns(table: &Table) -> anyhow::Result<Vec<(&str, CanonicalColumn<'_>)>> {
    if let Some(defect) = table.defect() {
        bail!(defect);
    }
    let column = |column| match column {
        &Column::Number { scale, ref values } => CanonicalColumn::Number(scale, values),
        Column::Text(text) => CanonicalColumn::Text(canonical(text)),
    };
    Ok(table.columns.iter().map(|(name, own)| (name.as_str(), column(own))).collect())
}

/// The digest of a table's columns; its name is not part of it.
pub fn digest(table: &Table) -> anyhow::Result<ChunkDigest> {
    Ok(hash(table.row_count(), canonical_columns(table)?.into_iter()))
}

/// Hashes and encodes a table as one chunk.
pub fn encode(table: &Table) -> anyhow::Result<Chunk> {
    let columns = canonical_columns(table)?;
    let payees = columns.iter().find_map(|(name, column)| match column {
        CanonicalColumn::Text(text) if *name == "payee_id" && text.codes.is_sorted() => {
            Some((text.get(0)?.to_owned(), text.get(text.codes.len() - 1)?.to_owned()))
        }
        _ => None,
    });
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for (name, column) in &columns {
        match column {
            CanonicalColumn::Number(scale, values) => {
                let flags = values.contains(&NULL_NUMBER).then(|| values.iter().map(|value| *value != NULL_NUMBER).collect::<Vec<bool>>());
                arrays.push(Arc::new(Int64Array::new(values.to_vec().into(), flags.map(Into::into))));
                let scale = HashMap::from([(SCALE.to_owned(), scale.to_string())]);
                fields.push(Field::new(*name, DataType::Int64, true).with_metadata(scale));
            }
            CanonicalColumn::Text(text) => {
                let nulls = text.codes.contains(&NULL_CODE);
                let keys: UInt32Array = if nulls {
                    text.codes.iter().map(|code| Some(*code).filter(|code| *code != NULL_CODE)).collect()
                } else {
                    UInt32Array::new(text.codes.clone().into(), None)
                };
                let words: StringArray = text.dictionary.iter().map(|word| Some(word.as_str())).collect();
                arrays.push(Arc::new(DictionaryArray::<UInt32Type>::try_new(keys, Arc::new(words))?));
                fields.push(Field::new_dictionary(*name, DataType::UInt32, DataType::Utf8, true));
            }
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?.try_with_compression_level(Some(1))?;
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options)?;
    if !arrays.is_empty() {
        writer.write(&RecordBatch::try_new(schema, arrays)?)?;
    }
    writer.finish()?;
    let body = writer.into_inner()?;
    Ok(Chunk { digest: hash(table.row_count(), columns.into_iter()), row_count: table.row_count() as u64, payees, body })
}

/// Encodes tables on all cores, in their order. The tables are asked for one at a time, so they need not exist all at once.
pub fn encode_all(tables: impl Iterator<Item = Table> + Send) -> anyhow::Result<Vec<Chunk>> {
    let source = Mutex::new(tables.enumerate());
    let done: Mutex<Vec<(usize, anyhow::Result<Chunk>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = source.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, table)) = next else { return };
                    let chunk = encode(&table);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, chunk));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, chunk)| chunk).collect()
}

/// Cuts a table into chunks of [`CHUNK_ROWS`] rows; none where it has no rows.
pub fn encode_table(table: &Table) -> anyhow::Result<Vec<Chunk>> {
    let rows = table.row_count();
    if rows == 0 {
        return Ok(Vec::new());
    }
    if rows <= CHUNK_ROWS {
        return Ok(vec![encode(table)?]);
    }
    let parts = (0..rows).step_by(CHUNK_ROWS).map(|from| table.take(&(from..(from + CHUNK_ROWS).min(rows)).collect::<Vec<_>>()));
    encode_all(parts)
}

/// The table in bytes that [`encode`] made, text columns canonical. Fails where it is not the one with this digest.
pub fn decode(name: &str, wanted: &ChunkDigest, body: &[u8]) -> anyhow::Result<Table> {
    let damaged = || format!("chunk `{wanted}` is damaged: restore it from a backup");
    let mut reader = FileReader::try_new(std::io::Cursor::new(body), None).with_context(damaged)?;
    let schema = reader.schema();
    let mut table = Table::new(name);
    if let Some(batch) = reader.next() {
        let batch = batch.with_context(damaged)?;
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            let column = if let Some(numbers) = array.as_any().downcast_ref::<Int64Array>() {
                let scale = field.metadata().get(SCALE).and_then(|scale| scale.parse().ok()).with_context(damaged)?;
                let mut values = numbers.values().to_vec();
                if numbers.null_count() > 0 {
                    for (row, value) in values.iter_mut().enumerate() {
                        if numbers.is_null(row) {
                            *value = NULL_NUMBER;
                        }
                    }
                }
                Column::Number { scale, values }
            } else if let Some(text) = array.as_any().downcast_ref::<DictionaryArray<UInt32Type>>() {
                let words = text.values().as_any().downcast_ref::<StringArray>().with_context(damaged)?;
                let dictionary = words.iter().map(|word| word.unwrap_or_default().to_owned()).collect();
                let keys = text.keys();
                let codes =
                    if keys.null_count() > 0 { keys.iter().map(|key| key.unwrap_or(NULL_CODE)).collect() } else { keys.values().to_vec() };
                Column::Text(TextColumn { dictionary, codes })
            } else {
                bail!(damaged());
            };
            table = table.with(field.name(), column);
        }
    }
    ensure!(digest(&table)? == *wanted, damaged());
    Ok(table)
}

/// Tables with the same columns below each other; text columns canonical.
pub fn concat(name: &str, tables: &[Table]) -> anyhow::Result<Table> {
    let Some(first) = tables.first() else { return Ok(Table::new(name)) };
    let mut whole = Table::new(name);
    for (index, (column_name, column)) in first.columns.iter().enumerate() {
        let parts = tables.iter().map(|table| {
            table
                .columns
                .get(index)
                .filter(|(own, _)| own == column_name)
                .map(|(_, column)| column)
                .with_context(|| format!("parts of table `{name}` differ in column `{column_name}`"))
        });
        let joined = match column {
            Column::Number { scale, .. } => {
                let mut values = Vec::new();
                for part in parts {
                    match part? {
                        Column::Number { scale: own, values: part } if own == scale => values.extend_from_slice(part),
                        _ => bail!("parts of table `{name}` differ in column `{column_name}`"),
                    }
                }
                Column::Number { scale: *scale, values }
            }
            Column::Text(_) => {
                let mut columns = Vec::with_capacity(tables.len());
                for part in parts {
                    match part? {
                        Column::Text(text) => columns.push(text),
                        Column::Number { .. } => bail!("parts of table `{name}` differ in column `{column_name}`"),
                    }
                }
                let words: BTreeSet<&String> = columns.iter().flat_map(|column| &column.dictionary).collect();
                let rank: HashMap<&String, u32> = words.iter().enumerate().map(|(index, word)| (*word, index as u32)).collect();
                let mut codes = Vec::new();
                for column in columns {
                    let ranks: Vec<u32> = column.dictionary.iter().map(|word| rank[word]).collect();
                    codes.extend(column.codes.iter().map(|code| ranks.get(*code as usize).copied().unwrap_or(NULL_CODE)));
                }
                let text = TextColumn { dictionary: words.into_iter().cloned().collect(), codes };
                Column::Text(canonical(&text).into_owned())
            }
        };
        whole = whole.with(column_name, joined);
    }
    Ok(whole)
}

/// Keeps chunks; those that are there already are not written again. Answers how many were new.
pub async fn put(tx: &mut Tx, chunks: Vec<Chunk>) -> anyhow::Result<u64> {
    let digests: Vec<&ChunkDigest> = chunks.iter().map(|chunk| &chunk.digest).collect();
    let mut seen = present(tx, &digests).await?;
    let mut values = Vec::new();
    for chunk in chunks {
        if seen.insert(chunk.digest.0.clone()) {
            values.extend([
                Value::from(chunk.digest.0),
                Value::from(i64::from(FORMAT)),
                Value::from(chunk.row_count as i64),
                Value::from(crate::digest(&chunk.body)),
                Value::from(chunk.body),
            ]);
        }
    }
    insert(tx, "chunks (digest, format, row_count, body_digest, body)", 5, values, "on conflict do nothing").await
}

async fn present(connection: &mut Connection, digests: &[&ChunkDigest]) -> anyhow::Result<HashSet<String>> {
    let mut found = HashSet::new();
    let kind = Kind::of(connection);
    for part in digests.chunks(500) {
        let sql = format!("select digest from chunks where digest in {}", placeholders(kind, 1, 1, part.len()));
        let mut query = sqlx::query_scalar::<sqlx::Any, String>(sqlx::AssertSqlSafe(sql));
        for digest in part {
            query = query.bind(digest.0.clone());
        }
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// The table with this digest, checked against it.
pub async fn get(connection: &mut Connection, name: &str, digest: &ChunkDigest) -> anyhow::Result<Table> {
    let row: Option<(String, Vec<u8>)> =
        sqlx::query_as("select body_digest, body from chunks where digest = $1").bind(digest.0.clone()).fetch_optional(connection).await?;
    let (body_digest, body) = row.with_context(|| format!("chunk `{digest}` is missing: restore it from a backup"))?;
    // Before it is parsed: the reader of Arrow trusts its input.
    ensure!(crate::digest(&body) == body_digest, "chunk `{digest}` is damaged: restore it from a backup");
    decode(name, digest, &body)
}
