//! The tables of a company in memory: canonical (see [`canonical`]), shared by all who hold them, never changed in place. A table
//! that was made from another by a few rows knows which of its chunks are those of the other.

use super::canonical;
use anyhow::Result;
use attain_domain::schema::{self, Entity};
use attain_domain::{Column, NULL_CODE, Table, TextColumn, cut};
use attain_store::chunks::{self, Chunk};
use attain_store::entities::Changes;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Deref, Index, Range};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of one entity in canonical form.
#[derive(Debug, Clone, Default)]
pub struct Canonical {
    table: Arc<Table>,
    /// The chunks of the table; `None` where nothing is known of one.
    known: Arc<Mutex<Vec<Piece>>>,
}

/// Rows of a table and the chunk that they are, without its body.
type Piece = (Range<usize>, Option<Chunk>);

impl Deref for Canonical {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.table
    }
}

impl PartialEq for Canonical {
    fn eq(&self, other: &Canonical) -> bool {
        Arc::ptr_eq(&self.table, &other.table) || self.table == other.table
    }
}

impl Eq for Canonical {}

impl From<Table> for Canonical {
    /// A table that is of no entity stays as it is.
    fn from(table: Table) -> Canonical {
        match schema::entity(&table.name) {
            Some(entity) => Canonical::trusted(canonical(entity, &table)),
            None => Canonical::trusted(table),
        }
    }
}

impl Canonical {
    /// A table that is known to be canonical.
    pub(super) fn trusted(table: Table) -> Canonical {
        Canonical { table: Arc::new(table), known: Arc::default() }
    }

    /// The table itself, where nobody else holds it; otherwise a copy.
    pub(super) fn into_table(self) -> Table {
        Arc::unwrap_or_clone(self.table)
    }

    pub fn shared(&self) -> &Arc<Table> {
        &self.table
    }

    pub fn is(&self, other: &Canonical) -> bool {
        Arc::ptr_eq(&self.table, &other.table)
    }

    fn pieces(&self) -> std::sync::MutexGuard<'_, Vec<Piece>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A digest of the rows: that of the only chunk, or one over those of all.
    pub fn digest(&self) -> Result<String> {
        let mut pieces = self.pieces().clone();
        if pieces.is_empty() {
            pieces = cut::of_table(&self.table).into_iter().map(|rows| (rows, None)).collect();
        }
        let mut digests = Vec::with_capacity(pieces.len());
        for (rows, chunk) in pieces {
            digests.push(match chunk {
                Some(chunk) => chunk.digest.0,
                None if rows.len() == self.table.row_count() => chunks::digest(&self.table)?.0,
                None => chunks::digest(&self.table.take(&rows.collect::<Vec<_>>()))?.0,
            });
        }
        Ok(match digests.as_slice() {
            [] => chunks::digest(&self.table)?.0,
            [one] => one.clone(),
            all => attain_store::digest(all.join("\n").as_bytes()),
        })
    }

    /// The chunks of the table; those that are known come without a body.
    pub fn chunks(&self) -> Result<Vec<Chunk>> {
        let mut pieces = self.pieces().clone();
        if pieces.is_empty() {
            pieces = cut::of_table(&self.table).into_iter().map(|rows| (rows, None)).collect();
        }
        let unknown: Vec<Range<usize>> = pieces.iter().filter(|(_, chunk)| chunk.is_none()).map(|(rows, _)| rows.clone()).collect();
        let mut encoded = chunks::encode_pieces(&self.table, &unknown, |_| false)?.into_iter();
        let chunks = pieces.into_iter().map(|(_, chunk)| chunk.or_else(|| encoded.next()));
        Ok(chunks.flatten().collect())
    }

    /// From now on the record holds these chunks, which are those of the table.
    pub fn know(&self, chunks: &[Chunk]) {
        let mut from = 0;
        let piece = |chunk: &Chunk| {
            let rows = from..from + chunk.row_count as usize;
            from = rows.end;
            (rows, Some(chunk.head()))
        };
        *self.pieces() = chunks.iter().map(piece).collect();
    }

    /// The record may no longer hold the chunks.
    pub fn forget(&self) {
        self.pieces().clear();
    }

    /// The table with rows put in place of those with the same key, or added, and what that changes.
    pub fn upsert(&self, entity: &Entity, rows: &Canonical) -> Upsert {
        let edits = edits(entity, &self.table, &rows.table);
        let columns = self.table.columns.iter().zip(&rows.table.columns).map(|((name, own), (_, given))| {
            let column = match (own, given) {
                (Column::Number { scale, values }, Column::Number { values: given, .. }) => {
                    Column::Number { scale: *scale, values: spliced(values, &edits, |row| given[row]) }
                }
                (Column::Text(own), Column::Text(given)) => Column::Text(spliced_text(own, given, &edits)),
                _ => unreachable!("both are of one entity, so their columns are of one kind"),
            };
            (name.clone(), column)
        });
        let after = Canonical::trusted(Table { name: self.table.name.clone(), columns: columns.collect() });
        *after.pieces() = carried(&self.pieces(), &edits, &after.table);
        let rows_of = |wanted: fn(&Edit) -> Option<usize>| edits.iter().filter_map(wanted).collect::<Vec<usize>>();
        let inserted = rows_of(|edit| (edit.replaced.is_none()).then_some(edit.row));
        let changed = edits.iter().filter(|edit| edit.differs && edit.replaced.is_some());
        let (before, changed): (Vec<usize>, Vec<usize>) = changed.filter_map(|edit| Some((edit.replaced?, edit.row))).unzip();
        let changes = Changes {
            inserted: rows.table.take(&inserted),
            changed: rows.table.take(&changed),
            before: self.table.take(&before),
            removed: self.table.take(&[]),
            unchanged_count: self.table.row_count() - before.len(),
        };
        let keys = entity.key_count;
        let is_twice = (1..rows.row_count()).any(|row| compare(&rows.table, row - 1, &rows.table, row, keys).is_eq());
        Upsert { after, changes: (!is_twice).then_some(changes), lines: edits.iter().map(|edit| (edit.place, edit.row)).collect() }
    }
}

/// What came of [`Canonical::upsert`].
pub struct Upsert {
    pub after: Canonical,
    /// `None` where two of the rows have one key: then nothing can be written.
    pub changes: Option<Changes>,
    /// Of each row that was given, its place in the table and among the rows given.
    pub lines: Vec<(usize, usize)>,
}

/// One row given: where it stands now, and what it replaces.
struct Edit {
    /// Row of the table before, before or at which it stands.
    at: usize,
    replaced: Option<usize>,
    row: usize,
    /// Row of the table afterwards.
    place: usize,
    /// Whether it says something else than the row that it replaces.
    differs: bool,
}

fn compare(left_table: &Table, left: usize, right_table: &Table, right: usize, columns: usize) -> Ordering {
    let mut both = left_table.columns[..columns].iter().zip(&right_table.columns[..columns]);
    let ordering = both.find_map(|((_, own), (_, other))| {
        let ordering = match (own, other) {
            (Column::Number { values: own, .. }, Column::Number { values: other, .. }) => own[left].cmp(&other[right]),
            // No value stands last, as in a canonical table.
            (Column::Text(own), Column::Text(other)) => match (own.get(left), other.get(right)) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(own), Some(other)) => own.cmp(other),
            },
            _ => unreachable!("both are of one entity, so their columns are of one kind"),
        };
        ordering.is_ne().then_some(ordering)
    });
    ordering.unwrap_or(Ordering::Equal)
}

fn edits(entity: &Entity, table: &Table, rows: &Table) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::with_capacity(rows.row_count());
    let (mut from, mut added) = (0, 0);
    for row in 0..rows.row_count() {
        // Both are in order of the key, so the search begins where the last one ended.
        let (mut low, mut high) = (from, table.row_count());
        while low < high {
            let middle = low.midpoint(high);
            if compare(table, middle, rows, row, entity.key_count).is_lt() { low = middle + 1 } else { high = middle }
        }
        let is_known = low < table.row_count() && compare(table, low, rows, row, entity.key_count).is_eq();
        let taken = edits.last().is_some_and(|edit| edit.replaced == Some(low));
        let replaced = (is_known && !taken).then_some(low);
        let differs = replaced.is_none_or(|own| compare(table, own, rows, row, entity.fields.len()).is_ne());
        // A second row with the same key stands behind the first one.
        let at = if is_known && taken { low + 1 } else { low };
        edits.push(Edit { at, replaced, row, place: at + added, differs });
        added += usize::from(replaced.is_none());
        from = low;
    }
    edits
}

/// The values of a column with the edits made.
fn spliced<T: Copy>(values: &[T], edits: &[Edit], given: impl Fn(usize) -> T) -> Vec<T> {
    let mut all = Vec::with_capacity(values.len() + edits.len());
    let mut from = 0;
    for edit in edits {
        all.extend_from_slice(&values[from..edit.at]);
        all.push(given(edit.row));
        from = edit.at + usize::from(edit.replaced.is_some());
    }
    all.extend_from_slice(&values[from..]);
    all
}

fn spliced_text(own: &TextColumn, given: &TextColumn, edits: &[Edit]) -> TextColumn {
    // Words that come and, of those that were replaced, words that go.
    let new: Vec<&String> = given.dictionary.iter().filter(|word| own.dictionary.binary_search(word).is_err()).collect();
    let mut gone: Vec<u32> =
        edits.iter().filter_map(|edit| own.codes.get(edit.replaced?).copied()).filter(|code| *code != NULL_CODE).collect();
    gone.sort_unstable();
    gone.dedup();
    if !gone.is_empty() {
        let mut left = vec![0usize; gone.len()];
        for code in &own.codes {
            if let Ok(place) = gone.binary_search(code) {
                left[place] += 1;
            }
        }
        for edit in edits {
            if let Some(place) = edit.replaced.and_then(|row| gone.binary_search(&own.codes[row]).ok()) {
                left[place] -= 1;
            }
        }
        let mut place = 0;
        gone.retain(|code| {
            place += 1;
            let is_given = given.dictionary.binary_search(&own.dictionary[*code as usize]).is_ok();
            left[place - 1] == 0 && !is_given
        });
    }
    if new.is_empty() && gone.is_empty() {
        let code = |row: usize| given.get(row).map_or(NULL_CODE, |word| code_of(&own.dictionary, word));
        return TextColumn { dictionary: own.dictionary.clone(), codes: spliced(&own.codes, edits, code) };
    }
    let mut dictionary = Vec::with_capacity(own.dictionary.len() + new.len());
    let mut mapping = vec![NULL_CODE; own.dictionary.len()];
    let (mut next_new, mut next_gone) = (0, 0);
    // Between the words that come and go, the others are taken over in runs.
    let mut start = 0;
    while start < own.dictionary.len() || next_new < new.len() {
        while new.get(next_new).is_some_and(|word| own.dictionary.get(start).is_none_or(|own| *word < own)) {
            dictionary.push(new[next_new].clone());
            next_new += 1;
        }
        if gone.get(next_gone) == Some(&(start as u32)) {
            next_gone += 1;
            start += 1;
            continue;
        }
        let to_new = new.get(next_new).map_or(own.dictionary.len(), |word| own.dictionary.partition_point(|own| own < *word));
        let end = to_new.min(gone.get(next_gone).map_or(own.dictionary.len(), |code| *code as usize));
        for (code, word) in mapping[start..end].iter_mut().zip(&own.dictionary[start..end]) {
            *code = dictionary.len() as u32;
            dictionary.push(word.clone());
        }
        start = end;
    }
    let kept: Vec<u32> = own.codes.iter().map(|code| mapping.get(*code as usize).copied().unwrap_or(NULL_CODE)).collect();
    let codes = spliced(&kept, edits, |row| given.get(row).map_or(NULL_CODE, |word| code_of(&dictionary, word)));
    TextColumn { dictionary, codes }
}

fn code_of(dictionary: &[String], word: &str) -> u32 {
    dictionary.binary_search_by(|own| own.as_str().cmp(word)).map_or(NULL_CODE, |code| code as u32)
}

/// The pieces of the table afterwards, with the chunks of those in which nothing was changed.
fn carried(before: &[Piece], edits: &[Edit], after: &Table) -> Vec<Piece> {
    if before.iter().all(|(_, chunk)| chunk.is_none()) {
        return Vec::new();
    }
    // The row before that a row afterwards was, where none was changed between the two ends of a piece.
    let same = |rows: &Range<usize>| -> Option<Range<usize>> {
        let next = edits.partition_point(|edit| edit.place < rows.start);
        // What replaces a row by the same row is no change.
        if edits[next..].iter().take_while(|edit| edit.place < rows.end).any(|edit| edit.differs) {
            return None;
        }
        let added = edits[..next].iter().filter(|edit| edit.replaced.is_none()).count();
        Some(rows.start - added..rows.end - added)
    };
    let chunk_of = |rows: &Range<usize>| {
        let was = same(rows)?;
        let place = before.binary_search_by_key(&was.start, |(own, _)| own.start).ok()?;
        before[place].1.clone().filter(|_| before[place].0 == was)
    };
    cut::of_table(after).into_iter().map(|rows| (rows.clone(), chunk_of(&rows))).collect()
}

/// The tables of a company by the name of their entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables(BTreeMap<String, Canonical>);

impl Tables {
    pub fn get(&self, entity: &str) -> Option<&Table> {
        self.0.get(entity).map(Deref::deref)
    }

    pub fn canonical(&self, entity: &str) -> Option<&Canonical> {
        self.0.get(entity)
    }

    pub fn insert(&mut self, entity: String, table: impl Into<Canonical>) {
        self.0.insert(entity, table.into());
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Canonical)> {
        self.0.iter().map(|(name, table)| (name.as_str(), table))
    }

    pub fn values(&self) -> impl Iterator<Item = &Canonical> {
        self.0.values()
    }

    pub fn into_values(self) -> impl Iterator<Item = Canonical> {
        self.0.into_values()
    }
}

impl Index<&str> for Tables {
    type Output = Table;

    fn index(&self, entity: &str) -> &Table {
        &self.0[entity]
    }
}

impl FromIterator<(String, Canonical)> for Tables {
    fn from_iter<I: IntoIterator<Item = (String, Canonical)>>(tables: I) -> Tables {
        Tables(tables.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entity() -> &'static Entity {
        schema::entity("transactions").expect("an entity")
    }

    fn table(rows: &[(u32, Option<u8>, i64)]) -> Canonical {
        let text = |values: Vec<Option<String>>| Column::text(&values);
        Canonical::from(
            Table::new("transactions")
                .with("transaction_id", text(rows.iter().map(|row| Some(format!("T{:06}", row.0))).collect()))
                .with("account_id", text(rows.iter().map(|row| row.1.map(|account| format!("A{account}"))).collect()))
                .with("amount", Column::money(rows.iter().map(|row| row.2).collect())),
        )
    }

    /// The same by the way of one row at a time.
    fn plainly(before: &[(u32, Option<u8>, i64)], rows: &[(u32, Option<u8>, i64)]) -> Canonical {
        let mut all: BTreeMap<u32, (u32, Option<u8>, i64)> = before.iter().map(|row| (row.0, *row)).collect();
        all.extend(rows.iter().map(|row| (row.0, *row)));
        table(&all.into_values().collect::<Vec<_>>())
    }

    fn distinct(rows: Vec<(u32, Option<u8>, i64)>) -> Vec<(u32, Option<u8>, i64)> {
        rows.into_iter().map(|row| (row.0, row)).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    proptest! {
        #[test]
        fn rows_put_in_are_as_if_they_had_been_there(
            before in proptest::collection::vec((0u32..40, proptest::option::of(0u8..6), 0i64..3), 0..40),
            rows in proptest::collection::vec((0u32..40, proptest::option::of(0u8..8), 0i64..3), 0..12),
        ) {
            let (before, rows) = (distinct(before), distinct(rows));
            let (old, given) = (table(&before), table(&rows));
            let done = old.upsert(entity(), &given);
            let want = plainly(&before, &rows);
            prop_assert_eq!(&*done.after, &*want);
            let changes = done.changes.expect("no key comes twice");
            let plain = attain_store::entities::diff(entity(), &old, &want).expect("comparable");
            prop_assert_eq!(changes, plain);
            for (place, row) in done.lines {
                prop_assert_eq!(want.columns[0].1.show(place), given.columns[0].1.show(row));
            }
        }
    }

    #[test]
    fn chunks_that_are_known_are_those_of_the_table() {
        let rows: Vec<(u32, Option<u8>, i64)> = (0..200_000).map(|row| (row * 2, Some((row % 7) as u8), i64::from(row))).collect();
        let mut now = table(&rows);
        now.know(&now.chunks().expect("chunks"));
        assert!(now.chunks().expect("chunks").iter().all(|chunk| chunk.body.is_none()));
        for given in [
            vec![(77_777, Some(1), 5)],
            vec![(3, Some(1), 5), (100_000, Some(9), 1), (399_998, None, 0), (500_000, None, 7)],
            vec![(3, Some(1), 5)],
            vec![(20, Some(3), 10)],
        ] {
            let after = now.upsert(entity(), &table(&given)).after;
            let (chunks, fresh) = (after.chunks().expect("chunks"), attain_store::chunks::encode_table(&after).expect("chunks"));
            assert_eq!(chunks.iter().map(Chunk::head).collect::<Vec<_>>(), fresh.iter().map(Chunk::head).collect::<Vec<_>>());
            let encoded = chunks.iter().filter(|chunk| chunk.body.is_some()).count();
            assert!(encoded <= 2 * given.len() && chunks.len() > 5, "{encoded} of {} were encoded", chunks.len());
            after.know(&chunks);
            now = after;
        }
        now.forget();
        assert!(now.chunks().expect("chunks").iter().all(|chunk| chunk.body.is_some()));
    }

    #[test]
    fn a_key_that_comes_twice_is_nothing_to_write() {
        let done = table(&[(1, None, 1)]).upsert(entity(), &table(&[(1, None, 2), (1, None, 3)]));
        assert!(done.changes.is_none());
        assert_eq!(done.after.row_count(), 2);
    }
}
