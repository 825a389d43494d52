//! Tables as content-addressed columnar chunks. The digest is over a canonical form of the columns; what is stored is Arrow
//! IPC with zstd, and may change without changing a digest.

use anyhow::{Context, bail, ensure};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{UInt8Type, UInt16Type, UInt32Type};
use arrow_array::{Array as _, ArrayRef, DictionaryArray, Int8Array, Int16Array, Int32Array, Int64Array};
use arrow_array::{RecordBatch, StringArray, UInt8Array, UInt16Array, UInt32Array};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{Field, Schema};
use attain_database::sqlx;
use attain_database::{Connection, Kind, Tx, Value, insert, placeholders};
use attain_domain::ids::ChunkDigest;
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Table, TextColumn, cut};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Version of the canonical form; it is hashed, so another form gives other digests.
pub const FORMAT: u8 = 1;
const SCALE: &str = "attain:scale";

/// A table, hashed and encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub digest: ChunkDigest,
    pub row_count: u64,
    /// The first and the last payee where the rows are sorted by `payee_id`.
    pub payees: Option<(String, String)>,
    /// `None` where the record is known to hold it already, see [`Chunk::head`].
    pub body: Option<Body>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub bytes: Vec<u8>,
    /// Digest of `bytes`.
    pub digest: String,
}

impl Chunk {
    /// The same without what is stored: for a chunk that an earlier run has put there.
    #[must_use]
    pub fn head(&self) -> Chunk {
        Chunk { digest: self.digest.clone(), row_count: self.row_count, payees: self.payees.clone(), body: None }
    }
}

/// A chunk was taken for one that the record holds, and it does not.
#[derive(Debug, thiserror::Error)]
#[error("chunk `{0}` is not in the record: it was removed while the server ran")]
pub struct Missing(pub ChunkDigest);

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

/// Codes or numbers in the fewest bytes of 1, 2, 4 and 8 that hold all of them. No code is the largest of its width, no
/// number the smallest.
enum Codes<'a> {
    One(Vec<u8>),
    Two(Vec<u16>),
    Four(&'a [u32]),
}

enum Numbers<'a> {
    One(Vec<i8>),
    Two(Vec<i16>),
    Four(Vec<i32>),
    Eight(&'a [i64]),
}

fn narrow_codes(words: usize, codes: &[u32]) -> Codes<'_> {
    // Cutting off the upper bytes turns the largest code, which is no value, into the largest of the width.
    if words <= usize::from(u8::MAX) {
        Codes::One(codes.iter().map(|code| *code as u8).collect())
    } else if words <= usize::from(u16::MAX) {
        Codes::Two(codes.iter().map(|code| *code as u16).collect())
    } else {
        Codes::Four(codes)
    }
}

fn narrow_numbers(values: &[i64]) -> Numbers<'_> {
    // The magnitude of a number that is there; none has that of the smallest of a width.
    let largest = values.iter().map(|value| if *value == NULL_NUMBER { 0 } else { value.unsigned_abs() }).max().unwrap_or(0);
    macro_rules! narrow {
        ($width:ty) => {
            values.iter().map(|value| if *value == NULL_NUMBER { <$width>::MIN } else { *value as $width }).collect()
        };
    }
    if largest <= i8::MAX as u64 {
        Numbers::One(narrow!(i8))
    } else if largest <= i16::MAX as u64 {
        Numbers::Two(narrow!(i16))
    } else if largest <= i32::MAX as u64 {
        Numbers::Four(narrow!(i32))
    } else {
        Numbers::Eight(values)
    }
}

enum CanonicalColumn<'a> {
    Text(Cow<'a, TextColumn>),
    Number(u8, &'a [i64], Numbers<'a>),
}

/// The canonical form: a magic word and the format; rows and columns; then per column its name, kind, width and values.
/// Everything is little-endian; the count of rows has 8 bytes, other counts and lengths 4. Dictionaries are sorted, distinct
/// and free of unused words.
fn hash(rows: usize, columns: &[(&str, CanonicalColumn<'_>)]) -> ChunkDigest {
    let mut sink = Sink { hasher: blake3::Hasher::new(), buffer: Vec::with_capacity(1 << 19) };
    sink.bytes(b"attain-chunk");
    sink.bytes(&[FORMAT]);
    sink.bytes(&(rows as u64).to_le_bytes());
    sink.bytes(&(columns.len() as u32).to_le_bytes());
    macro_rules! fixed {
        ($width:literal, $values:expr) => {{
            sink.bytes(&[$width]);
            sink.fixed($values.iter().map(|value| value.to_le_bytes()));
        }};
    }
    for (name, column) in columns {
        sink.text(name);
        match column {
            CanonicalColumn::Text(text) => {
                sink.bytes(&[0]);
                sink.bytes(&(text.dictionary.len() as u32).to_le_bytes());
                for word in &text.dictionary {
                    sink.text(word);
                }
                match narrow_codes(text.dictionary.len(), &text.codes) {
                    Codes::One(codes) => fixed!(1, codes),
                    Codes::Two(codes) => fixed!(2, codes),
                    Codes::Four(codes) => fixed!(4, codes),
                }
            }
            CanonicalColumn::Number(scale, _, numbers) => {
                sink.bytes(&[1, *scale]);
                match numbers {
                    Numbers::One(values) => fixed!(1, values),
                    Numbers::Two(values) => fixed!(2, values),
                    Numbers::Four(values) => fixed!(4, values),
                    Numbers::Eight(values) => fixed!(8, values),
                }
            }
        }
    }
    sink.hasher.update(&sink.buffer);
    ChunkDigest(sink.hasher.finalize().to_hex().to_string())
}

fn canonical_columns(table: &Table) -> anyhow::Result<Vec<(&str, CanonicalColumn<'_>)>> {
    if let Some(defect) = table.defect() {
        bail!(defect);
    }
    let column = |column| match column {
        &Column::Number { scale, ref values } => CanonicalColumn::Number(scale, values, narrow_numbers(values)),
        Column::Text(text) => CanonicalColumn::Text(canonical(text)),
    };
    Ok(table.columns.iter().map(|(name, own)| (name.as_str(), column(own))).collect())
}

/// The digest of a table's columns; its name is not part of it.
pub fn digest(table: &Table) -> anyhow::Result<ChunkDigest> {
    Ok(hash(table.row_count(), &canonical_columns(table)?))
}

fn number_array(values: &[i64], numbers: &Numbers<'_>) -> ArrayRef {
    let nulls = values.contains(&NULL_NUMBER).then(|| values.iter().map(|value| *value != NULL_NUMBER).collect::<Vec<bool>>().into());
    match numbers {
        Numbers::One(values) => Arc::new(Int8Array::new(values.clone().into(), nulls)),
        Numbers::Two(values) => Arc::new(Int16Array::new(values.clone().into(), nulls)),
        Numbers::Four(values) => Arc::new(Int32Array::new(values.clone().into(), nulls)),
        Numbers::Eight(values) => Arc::new(Int64Array::new(values.to_vec().into(), nulls)),
    }
}

fn text_array(text: &TextColumn) -> anyhow::Result<ArrayRef> {
    let nulls = text.codes.contains(&NULL_CODE).then(|| text.codes.iter().map(|code| *code != NULL_CODE).collect::<Vec<bool>>().into());
    let words: ArrayRef = Arc::new(StringArray::from_iter_values(&text.dictionary));
    Ok(match narrow_codes(text.dictionary.len(), &text.codes) {
        Codes::One(codes) => Arc::new(DictionaryArray::<UInt8Type>::try_new(UInt8Array::new(codes.into(), nulls), words)?),
        Codes::Two(codes) => Arc::new(DictionaryArray::<UInt16Type>::try_new(UInt16Array::new(codes.into(), nulls), words)?),
        Codes::Four(codes) => Arc::new(DictionaryArray::<UInt32Type>::try_new(UInt32Array::new(codes.to_vec().into(), nulls), words)?),
    })
}

/// Hashes and encodes a table as one chunk.
pub fn encode(table: &Table) -> anyhow::Result<Chunk> {
    encode_unless(table, |_| false)
}

/// As [`encode`], without a body where the record is known to hold the chunk.
pub fn encode_unless(table: &Table, known: impl Fn(&ChunkDigest) -> bool) -> anyhow::Result<Chunk> {
    let columns = canonical_columns(table)?;
    let digest = hash(table.row_count(), &columns);
    let payees = columns.iter().find_map(|(name, column)| match column {
        CanonicalColumn::Text(text) if *name == "payee_id" && text.codes.is_sorted() => {
            Some((text.get(0)?.to_owned(), text.get(text.codes.len() - 1)?.to_owned()))
        }
        _ => None,
    });
    if known(&digest) {
        return Ok(Chunk { digest, row_count: table.row_count() as u64, payees, body: None });
    }
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for (name, column) in &columns {
        let (array, metadata) = match column {
            CanonicalColumn::Number(scale, values, numbers) => {
                (number_array(values, numbers), HashMap::from([(SCALE.to_owned(), scale.to_string())]))
            }
            CanonicalColumn::Text(text) => (text_array(text)?, HashMap::new()),
        };
        fields.push(Field::new(*name, array.data_type().clone(), true).with_metadata(metadata));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?.try_with_compression_level(Some(1))?;
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options)?;
    if !arrays.is_empty() {
        writer.write(&RecordBatch::try_new(schema, arrays)?)?;
    }
    writer.finish()?;
    let bytes = writer.into_inner()?;
    let body = Body { digest: crate::digest(&bytes), bytes };
    Ok(Chunk { digest, row_count: table.row_count() as u64, payees, body: Some(body) })
}

/// Encodes tables on all cores, in their order, see [`encode_unless`]. The tables are asked for one at a time, so they need not exist all at once.
pub fn encode_all(tables: impl Iterator<Item = Table> + Send, known: impl Fn(&ChunkDigest) -> bool + Sync) -> anyhow::Result<Vec<Chunk>> {
    let source = Mutex::new(tables.enumerate());
    let done: Mutex<Vec<(usize, anyhow::Result<Chunk>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = source.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, table)) = next else { return };
                    let chunk = encode_unless(&table, &known);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, chunk));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, chunk)| chunk).collect()
}

/// Cuts a table into chunks (see [`cut`]); none where it has no rows.
pub fn encode_table(table: &Table) -> anyhow::Result<Vec<Chunk>> {
    encode_pieces(table, &cut::of_table(table), |_| false)
}

/// The chunks of these rows of a table; without a body where the record is known to hold one.
pub fn encode_pieces(table: &Table, pieces: &[Range<usize>], known: impl Fn(&ChunkDigest) -> bool + Sync) -> anyhow::Result<Vec<Chunk>> {
    if let [one] = pieces
        && one.len() == table.row_count()
    {
        return Ok(vec![encode_unless(table, known)?]);
    }
    encode_all(pieces.iter().map(|rows| table.take(&rows.clone().collect::<Vec<_>>())), known)
}

fn numbers_of(array: &ArrayRef) -> Option<Vec<i64>> {
    macro_rules! wide {
        ($($kind:ty),+) => {$(
            if let Some(numbers) = array.as_any().downcast_ref::<$kind>() {
                return Some(numbers.values().iter().map(|value| i64::from(*value)).collect());
            }
        )+};
    }
    let wide = || -> Option<Vec<i64>> {
        wide!(Int8Array, Int16Array, Int32Array, Int64Array);
        None
    };
    let mut values = wide()?;
    if array.null_count() > 0 {
        for (_, value) in values.iter_mut().enumerate().filter(|(row, _)| array.is_null(*row)) {
            *value = NULL_NUMBER;
        }
    }
    Some(values)
}

fn text_of(array: &ArrayRef) -> Option<TextColumn> {
    let dictionary = array.as_any_dictionary_opt()?;
    let words = dictionary.values().as_any().downcast_ref::<StringArray>()?;
    let keys = dictionary.keys();
    macro_rules! wide {
        ($($kind:ty),+) => {$(
            if let Some(codes) = keys.as_any().downcast_ref::<$kind>() {
                return Some(codes.values().iter().map(|code| u32::from(*code)).collect());
            }
        )+};
    }
    let wide = || -> Option<Vec<u32>> {
        wide!(UInt8Array, UInt16Array, UInt32Array);
        None
    };
    let mut codes = wide()?;
    if keys.null_count() > 0 {
        for (_, code) in codes.iter_mut().enumerate().filter(|(row, _)| keys.is_null(*row)) {
            *code = NULL_CODE;
        }
    }
    Some(TextColumn { dictionary: words.iter().map(|word| word.unwrap_or_default().to_owned()).collect(), codes })
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
            let column = match field.metadata().get(SCALE) {
                Some(scale) => {
                    Column::Number { scale: scale.parse().ok().with_context(damaged)?, values: numbers_of(array).with_context(damaged)? }
                }
                None => Column::Text(text_of(array).with_context(damaged)?),
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

/// What of some chunks had to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    pub chunks: u64,
    pub rows: u64,
}

/// Keeps chunks; those that are there already are not written again. Fails with [`Missing`] where one without a body is not there.
pub async fn put(tx: &mut Tx, chunks: Vec<Chunk>) -> anyhow::Result<Written> {
    let digests: Vec<&ChunkDigest> = chunks.iter().map(|chunk| &chunk.digest).collect();
    let mut seen = present(tx, &digests).await?;
    let mut values = Vec::new();
    let mut written = Written::default();
    for chunk in chunks {
        if seen.insert(chunk.digest.0.clone()) {
            let body = chunk.body.ok_or_else(|| Missing(chunk.digest.clone()))?;
            written.chunks += 1;
            written.rows += chunk.row_count;
            values.extend([
                Value::from(chunk.digest.0),
                Value::from(i64::from(FORMAT)),
                Value::from(chunk.row_count as i64),
                Value::from(body.digest),
                Value::from(body.bytes),
            ]);
        }
    }
    insert(tx, "chunks (digest, format, row_count, body_digest, body)", 5, values, "on conflict do nothing").await?;
    Ok(written)
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
