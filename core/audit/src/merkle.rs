//! The Merkle tree of RFC 6962 with SHA-256: leaves are hashed with a 0 byte in front, nodes with a 1.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

pub(crate) fn leaf(body: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over a growing list of leaves, in memory that grows with the logarithm of their number.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    /// Complete subtrees with their sizes, largest first.
    parts: Vec<(u64, Hash)>,
}

impl Growing {
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut part = (1, leaf);
        while self.parts.last().is_some_and(|(size, _)| *size == part.0) {
            let (size, left) = self.parts.pop().unwrap_or(part);
            part = (size * 2, node(&left, &part.1));
        }
        self.parts.push(part);
    }

    pub(crate) fn root(&self) -> Hash {
        let mut parts = self.parts.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = parts.next() else { return Sha256::digest([]).into() };
        parts.fold(last, |right, left| node(&left, &right))
    }
}

pub(crate) fn root(leaves: &[Hash]) -> Hash {
    let mut growing = Growing::default();
    for leaf in leaves {
        growing.push(*leaf);
    }
    growing.root()
}

/// The largest power of two below `size`.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, beside) =
        if index < left.len() { (path(index, left), root(right)) } else { (path(index - left.len(), right), root(left)) };
    path.push(beside);
    path
}

/// The root that the stored bytes of entry `index` (from 0) of `size` and its proof give; `None` where the proof is of
/// another length than the place asks for.
pub fn inclusion_root(index: usize, size: usize, body: &[u8], path: &[Hash]) -> Option<Hash> {
    fn climb(index: usize, size: usize, leaf: Hash, path: &[Hash]) -> Option<Hash> {
        if size == 1 {
            return path.is_empty().then_some(leaf);
        }
        let (beside, rest) = path.split_last()?;
        let left = split(size);
        Some(if index < left {
            node(&climb(index, left, leaf, rest)?, beside)
        } else {
            node(beside, &climb(index - left, size - left, leaf, rest)?)
        })
    }
    if index >= size { None } else { climb(index, size, leaf(body), path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_that_of_rfc_6962() {
        // The test vectors of certificate-transparency, `merkle_tree_test`.
        let leaves: Vec<Hash> = [&b""[..], &[0x00], &[0x10], &[0x20, 0x21], &[0x30, 0x31]].iter().map(|body| leaf(body)).collect();
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(root(&leaves[..1])), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(hex(root(&leaves[..2])), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
        assert_eq!(hex(root(&leaves[..3])), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
    }

    #[test]
    fn every_proof_leads_to_the_root_and_no_other_entry_does() {
        let bodies: Vec<Vec<u8>> = (0..21u8).map(|number| vec![number; 3]).collect();
        let leaves: Vec<Hash> = bodies.iter().map(|body| leaf(body)).collect();
        for size in 1..=bodies.len() {
            for (index, body) in bodies[..size].iter().enumerate() {
                let path = path(index, &leaves[..size]);
                assert_eq!(inclusion_root(index, size, body, &path), Some(root(&leaves[..size])));
                assert_ne!(inclusion_root(index, size, b"other", &path), Some(root(&leaves[..size])));
            }
        }
    }
}
