//! Where a long table is cut into chunks: at rows that say so themselves. A row more or less moves the cuts around it and no
//! others, so that two tables that differ in few rows share nearly all of their chunks.

use crate::table::{Column, NULL_CODE, Table, TextColumn};
use std::ops::Range;

/// Rows that a chunk holds at most; a table that is no longer is one chunk.
pub const CHUNK_ROWS: usize = 65_536;
/// Rows that a chunk holds at least, but for the last one.
const LEAST_ROWS: usize = 4_096;
/// One row in so many ends a chunk.
const ENDS_ONE_IN: u64 = 1 << 13;
/// Columns that a row is told by: the first ones, which hold the key or the beginning of it.
const TOLD_BY: usize = 3;
/// Odd numbers without pattern, one a column.
const FACTORS: [u64; TOLD_BY] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0xD6E8_FEB8_6659_FD93];

/// What the value of a text column adds to the sum of its row; FNV-1a, 64 bits.
pub fn of_text(place: usize, text: &str) -> u64 {
    let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    hash.wrapping_mul(FACTORS[place])
}

/// What the value of a number column adds to the sum of its row.
pub fn of_number(place: usize, value: i64) -> u64 {
    value.cast_unsigned().wrapping_mul(FACTORS[place])
}

/// Whether a row with this sum is the last of its chunk; the finalizer of SplitMix64.
pub fn ends(sum: u64) -> bool {
    let mixed = (sum ^ (sum >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)).is_multiple_of(ENDS_ONE_IN)
}

/// The rows of each chunk, in order; none where there are no rows. `ends_at` is asked for few rows only.
pub fn pieces(row_count: usize, ends_at: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < row_count {
        let longest = (from + CHUNK_ROWS).min(row_count);
        let until = if row_count <= CHUNK_ROWS {
            row_count
        } else {
            (from + LEAST_ROWS..longest).find(|row| ends_at(*row)).map_or(longest, |row| row + 1)
        };
        pieces.push(from..until);
        from = until;
    }
    pieces
}

/// The rows of each chunk of a table.
pub fn of_table(table: &Table) -> Vec<Range<usize>> {
    let rows = table.row_count();
    if rows <= CHUNK_ROWS {
        return pieces(rows, |_| false);
    }
    let columns: Vec<(usize, &Column, Vec<u64>)> = table
        .columns
        .iter()
        .take(TOLD_BY)
        .enumerate()
        .map(|(place, (_, column))| {
            let words = match column {
                Column::Text(TextColumn { dictionary, .. }) => dictionary.iter().map(|word| of_text(place, word)).collect(),
                Column::Number { .. } => Vec::new(),
            };
            (place, column, words)
        })
        .collect();
    let sum = |row: usize| {
        columns.iter().fold(0u64, |sum, (place, column, words)| {
            sum.wrapping_add(match column {
                Column::Number { values, .. } => of_number(*place, values[row]),
                Column::Text(text) => match text.codes[row] {
                    NULL_CODE => 0,
                    code => words[code as usize],
                },
            })
        })
    };
    pieces(rows, |row| ends(sum(row)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn table(ids: impl Iterator<Item = usize>) -> Table {
        let ids: Vec<usize> = ids.collect();
        Table::new("t")
            .with("id", Column::text(&ids.iter().map(|id| Some(format!("T{id:07}"))).collect::<Vec<_>>()))
            .with("amount", Column::money(ids.iter().map(|id| *id as i64 * 7).collect()))
    }

    fn chunks(table: &Table) -> BTreeSet<Vec<String>> {
        let ids = table.texts("id").expect("a column");
        of_table(table).into_iter().map(|rows| rows.map(|row| ids.get(row).unwrap_or_default().to_owned()).collect()).collect()
    }

    #[test]
    fn the_pieces_hold_every_row_once_and_none_too_many() {
        for rows in [0, 1, CHUNK_ROWS, CHUNK_ROWS + 1, 400_000] {
            for end in [1usize, 20_000, usize::MAX] {
                let pieces = pieces(rows, |row| row % end == end - 1);
                assert_eq!(pieces.iter().map(ExactSizeIterator::len).sum::<usize>(), rows);
                assert!(pieces.iter().all(|piece| (1..=CHUNK_ROWS).contains(&piece.len())));
                assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].len() >= LEAST_ROWS));
            }
        }
        assert_eq!(pieces(CHUNK_ROWS, |_| true).len(), 1, "a table that fits is one chunk");
    }

    #[test]
    fn a_row_more_leaves_nearly_all_chunks_as_they_are() {
        let (before, after) = (chunks(&table(0..300_000)), chunks(&table((0..120_000).chain(500_000..500_001).chain(120_000..300_000))));
        assert!(before.len() > 6);
        assert!(after.difference(&before).count() <= 3, "{} of {} differ", after.difference(&before).count(), after.len());
    }
}
