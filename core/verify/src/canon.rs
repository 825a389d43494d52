//! The hashes of a run, written from their description and not from the store's code: of a chunk over the canonical form of its
//! columns, of a run over the canonical form of its manifest.

use crate::manifest::{Manifest, TableManifest};
use attain_domain::{Column, NULL_NUMBER, Table, cut};
use std::collections::BTreeSet;

const CHUNK_MAGIC: &[u8] = b"attain-chunk\x01";
const MANIFEST_MAGIC: &[u8] = b"attain-manifest\x01";

fn hex(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex().to_string()
}

pub fn blob_digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The fewest bytes of 1, 2, 4 and 8 in which a number and its negative fit, the smallest of the width excepted: it is no value.
fn number_width(values: &[i64]) -> u8 {
    let largest = values.iter().filter(|value| **value != NULL_NUMBER).map(|value| value.unsigned_abs()).max().unwrap_or(0);
    match largest {
        0..=0x7f => 1,
        0x80..=0x7fff => 2,
        0x8000..=0x7fff_ffff => 4,
        _ => 8,
    }
}

/// The fewest bytes of 1, 2 and 4 in which so many codes fit, the largest of the width excepted: it is no value.
fn code_width(words: usize) -> u8 {
    match words {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    }
}

/// blake3 over: `attain-chunk` and the byte 1; rows (8 bytes) and columns (4); of each column the name (length in 4 bytes, text),
/// then a text column as the byte 0, its distinct values in ascending order (count in 4 bytes, each with its length in 4), the
/// width of codes (1) and a code a row; a number column as the byte 1, its scale (1), the width of its numbers (1) and a number a
/// row. Everything is little-endian.
pub fn chunk_digest(table: &Table) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = CHUNK_MAGIC.to_vec();
    bytes.extend_from_slice(&(table.row_count() as u64).to_le_bytes());
    bytes.extend_from_slice(&(table.columns.len() as u32).to_le_bytes());
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    for (name, column) in &table.columns {
        text(&mut bytes, name);
        match column {
            Column::Text(own) => {
                let values = || (0..own.codes.len()).map(|row| own.get(row));
                let words: Vec<&str> = values().flatten().collect::<BTreeSet<&str>>().into_iter().collect();
                bytes.push(0);
                bytes.extend_from_slice(&(words.len() as u32).to_le_bytes());
                for word in &words {
                    text(&mut bytes, word);
                }
                let width = code_width(words.len());
                bytes.push(width);
                for value in values() {
                    let code = value.map_or(u32::MAX, |value| words.binary_search(&value).expect("every value is a word") as u32);
                    bytes.extend_from_slice(&code.to_le_bytes()[..usize::from(width)]);
                }
            }
            Column::Number { scale, values } => {
                let width = number_width(values);
                bytes.extend_from_slice(&[1, *scale, width]);
                for value in values {
                    // The smallest number of the width, whose only bit is the highest.
                    let stored = if *value == NULL_NUMBER { i64::MIN >> (64 - 8 * u32::from(width)) } else { *value };
                    bytes.extend_from_slice(&stored.to_le_bytes()[..usize::from(width)]);
                }
            }
        }
        hasher.update(&bytes);
        bytes.clear();
    }
    hasher.update(&bytes);
    hex(&hasher)
}

/// The digests of a table's chunks, in order.
pub fn digests(table: &Table) -> Vec<String> {
    let pieces = cut::of_table(table);
    match pieces.len() {
        1 => vec![chunk_digest(table)],
        _ => pieces.into_iter().map(|rows| chunk_digest(&table.take(&rows.collect::<Vec<_>>()))).collect(),
    }
}

/// blake3 over: `attain-manifest` and the byte 1; the engine's version; options, documents and extensions, each a count and pairs;
/// inputs and results, each a count and of every table its name, its rows, and a count and the digests of its chunks. Counts,
/// lengths and rows have 8 bytes, little-endian; every text stands after its length.
pub fn root(manifest: &Manifest) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(MANIFEST_MAGIC);
    let count = |hasher: &mut blake3::Hasher, count: u64| {
        hasher.update(&count.to_le_bytes());
    };
    let text = |hasher: &mut blake3::Hasher, text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    text(&mut hasher, &manifest.engine_version);
    for map in [&manifest.options, &manifest.documents, &manifest.extensions] {
        count(&mut hasher, map.len() as u64);
        for (name, value) in map {
            text(&mut hasher, name);
            text(&mut hasher, value);
        }
    }
    for tables in [&manifest.inputs, &manifest.results] {
        count(&mut hasher, tables.len() as u64);
        for TableManifest { name, row_count, chunks } in tables {
            text(&mut hasher, name);
            count(&mut hasher, *row_count);
            count(&mut hasher, chunks.len() as u64);
            for chunk in chunks {
                text(&mut hasher, chunk);
            }
        }
    }
    hex(&hasher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::{NULL_CODE, TextColumn};

    #[test]
    fn what_is_not_used_and_in_which_order_words_stand_makes_no_difference() {
        let one = Table::new("t").with("a", Column::text(&[Some("x"), None, Some("y")]));
        let dictionary = ["z", "y", "x"].map(str::to_owned).to_vec();
        let other = Table::new("u").with("a", Column::Text(TextColumn { dictionary, codes: vec![2, NULL_CODE, 1] }));
        assert_eq!(chunk_digest(&one), chunk_digest(&other));
        assert_ne!(chunk_digest(&one), chunk_digest(&Table::new("t").with("a", Column::text(&[Some("x"), Some(""), Some("y")]))));
    }

    #[test]
    fn a_number_and_no_number_are_two_things_at_every_width() {
        for edge in [0x7f, 0x80, 0x7fff, 0x8000, 0x7fff_ffff, 0x8000_0000, i64::MAX] {
            let digest = |value: i64| chunk_digest(&Table::new("t").with("n", Column::money(vec![edge, value])));
            let distinct: BTreeSet<String> = [NULL_NUMBER, -edge, edge, 0].into_iter().map(digest).collect();
            assert_eq!(distinct.len(), 4, "{edge}");
        }
    }
}
