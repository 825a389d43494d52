//! What is kept outside the database: the key that signs checkpoints and the anchor file with a copy of each. Whoever has the
//! database alone cannot rewrite or shorten the trail unseen; copy the anchor to another disk against one who has both.

use crate::Hash;
use anyhow::{Context, bail, ensure};
use attain_database::{crash_is_due, crash_point};
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const MAGIC: &str = "attain-checkpoint-1";
/// Marks what a crash left of a line.
const CUT_OFF: &str = " # cut off";

/// A signed statement that the trail had this size and this Merkle root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub size: i64,
    pub root: Hash,
    pub recorded_at: i64,
    pub key_id: String,
    pub signature: [u8; 64],
}

impl Checkpoint {
    fn signed_text(&self) -> String {
        format!("{MAGIC} {} {} {} {}", self.size, hex(&self.root), self.recorded_at, self.key_id)
    }

    fn line(&self) -> String {
        format!("{} {}\n", self.signed_text(), hex(&self.signature))
    }

    fn parse(line: &str) -> Option<Checkpoint> {
        let words: Vec<&str> = line.split(' ').collect();
        let [MAGIC, size, root, recorded_at, key_id, signature] = words[..] else { return None };
        Some(Checkpoint {
            size: size.parse().ok()?,
            root: unhex(root)?.try_into().ok()?,
            recorded_at: recorded_at.parse().ok()?,
            key_id: key_id.to_owned(),
            signature: unhex(signature)?.try_into().ok()?,
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Makes a file that only its owner can read, whole or not at all: a crash leaves no half of it. Answers whether it was made; another
/// process may have been first.
pub fn write_once(path: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    let own = format!("{}-{}.partial", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let partial = path.with_added_extension(own);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    crash_point("before-link");
    let linked = std::fs::hard_link(&partial, path);
    std::fs::remove_file(&partial)?;
    match linked {
        Ok(()) => {
            File::open(folder)?.sync_all()?;
            crash_point("after-link");
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// The signing key and the place of the anchor file.
pub struct Seal {
    key: SigningKey,
    anchor: PathBuf,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Seal").field("key_id", &self.key_id()).field("anchor", &self.anchor).finish()
    }
}

impl Seal {
    /// The key `audit.key` and the anchor `audit.anchor` in `folder`. The key is made on first use, readable by its owner alone.
    pub fn open(folder: &Path) -> anyhow::Result<Seal> {
        let (path, anchor) = (folder.join("audit.key"), folder.join("audit.anchor"));
        let shown = path.display();
        let seed: [u8; 32] = match std::fs::read_to_string(&path) {
            Ok(text) => {
                let mode = std::fs::metadata(&path)?.permissions().mode();
                ensure!(mode & 0o077 == 0, "the key `{shown}` can be read by others: run `chmod 600 {shown}`");
                unhex(text.trim()).and_then(|bytes| bytes.try_into().ok()).with_context(|| format!("`{shown}` is no key: restore it"))?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                ensure!(!anchor.exists(), "the key `{shown}` is gone but its anchor is there: restore the key");
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no random numbers for a key: {error}"))?;
                let is_ours = write_once(&path, format!("{}\n", hex(&seed)).as_bytes())
                    .with_context(|| format!("the key `{shown}` cannot be written"))?;
                if !is_ours {
                    return Seal::open(folder);
                }
                seed
            }
            Err(error) => return Err(error).with_context(|| format!("the key `{shown}` cannot be read")),
        };
        Ok(Seal { key: SigningKey::from_bytes(&seed), anchor })
    }

    /// The public key, in hexadecimal: who checks checkpoints elsewhere needs it.
    pub fn key_id(&self) -> String {
        hex(self.key.verifying_key().as_bytes())
    }

    pub(crate) fn sign(&self, size: i64, root: Hash, recorded_at: i64) -> Checkpoint {
        let mut checkpoint = Checkpoint { size, root, recorded_at, key_id: self.key_id(), signature: [0; 64] };
        checkpoint.signature = self.key.sign(checkpoint.signed_text().as_bytes()).to_bytes();
        checkpoint
    }

    pub(crate) fn signed(&self, checkpoint: &Checkpoint) -> bool {
        let signature = Signature::from_bytes(&checkpoint.signature);
        checkpoint.key_id == self.key_id()
            && self.key.verifying_key().verify_strict(checkpoint.signed_text().as_bytes(), &signature).is_ok()
    }

    /// The checkpoints in the anchor file. A last line without its end is one that was being written in a crash.
    pub(crate) fn anchored(&self) -> anyhow::Result<Vec<Checkpoint>> {
        let text = match std::fs::read_to_string(&self.anchor) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("the anchor `{}` cannot be read", self.anchor.display())),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut checkpoints = Vec::new();
        for line in whole.lines().filter(|line| line.starts_with(MAGIC) && !line.ends_with(CUT_OFF)) {
            match Checkpoint::parse(line) {
                Some(checkpoint) if self.signed(&checkpoint) => checkpoints.push(checkpoint),
                _ => bail!("the anchor `{}` has a line that was not signed with this key: `{line}`", self.anchor.display()),
            }
        }
        Ok(checkpoints)
    }

    pub(crate) fn anchor(&self, checkpoint: &Checkpoint) -> anyhow::Result<()> {
        let cut_off = std::fs::read(&self.anchor).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.anchor)
            .with_context(|| format!("the anchor `{}` cannot be written", self.anchor.display()))?;
        // The rest of a crash becomes a comment line, so that the file stays append-only.
        let start = if cut_off { format!("{CUT_OFF}\n") } else { String::new() };
        let line = format!("{start}{}", checkpoint.line());
        crash_point("before-anchor");
        if crash_is_due("half-anchor") {
            file.write_all(&line.as_bytes()[..line.len() / 2])?;
            std::process::abort();
        }
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        crash_point("after-anchor");
        Ok(())
    }

    /// Appends checkpoints of the database that a crash kept from the anchor.
    pub(crate) fn catch_up(&self, known: &[Checkpoint]) -> anyhow::Result<()> {
        let newest = self.anchored()?.last().map_or(0, |checkpoint| checkpoint.size);
        for checkpoint in known.iter().filter(|checkpoint| checkpoint.size > newest && self.signed(checkpoint)) {
            self.anchor(checkpoint)?;
        }
        Ok(())
    }
}
