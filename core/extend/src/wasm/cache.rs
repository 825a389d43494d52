//! Compiled components on disk, so that a start does not compile them again. What is read is machine code: it is believed only
//! with a keyed hash that only this host can have made.

use std::path::PathBuf;
use std::sync::OnceLock;
use wasmtime::Engine;
use wasmtime::component::Component;

const TAG_BYTES: usize = blake3::OUT_LEN;

/// Is told before an entry is written and before it gets its name, so that a crash test can end the process there.
static STEPS: OnceLock<fn(&str)> = OnceLock::new();

/// See [`STEPS`]; the first one counts.
pub fn tell_steps(told: fn(&str)) {
    let _ = STEPS.set(told);
}

fn step(name: &str) {
    if let Some(told) = STEPS.get() {
        told(name);
    }
}

#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
}

impl Cache {
    /// `key` must be secret to this host and the folder writable by its user only.
    pub fn new(folder: impl Into<PathBuf>, key: [u8; 32]) -> Cache {
        Cache { folder: folder.into(), key }
    }

    /// The hash covers the name of the entry too, so that entries cannot be exchanged.
    fn tag(&self, entry: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(entry.len() as u64).to_le_bytes()).update(entry.as_bytes()).update(code);
        hasher.finalize()
    }

    fn entry(engine: &Engine, digest: &str) -> String {
        let mut hasher = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
        format!("{digest}-{:016x}", std::hash::Hasher::finish(&hasher))
    }

    /// `None` when the entry is not there, is damaged, or is of another engine.
    #[expect(unsafe_code, reason = "compiled code is checked against the keyed hash of this host before it is used")]
    pub(super) fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let entry = Cache::entry(engine, digest);
        let bytes = std::fs::read(self.folder.join(&entry)).ok()?;
        let (tag, code) = bytes.split_at_checked(TAG_BYTES)?;
        let tag: [u8; TAG_BYTES] = tag.try_into().ok()?;
        if self.tag(&entry, code) != blake3::Hash::from_bytes(tag) {
            tracing::warn!(entry, "a compiled extension is damaged or foreign; it is compiled again");
            return None;
        }
        // SAFETY: the keyed hash shows that these bytes came from `store` below, on this host, for an equal engine.
        unsafe { Component::deserialize(engine, code) }.ok()
    }

    /// Failing to store costs time at the next start and nothing else.
    pub(super) fn store(&self, engine: &Engine, digest: &str, component: &Component) {
        let entry = Cache::entry(engine, digest);
        let write = || -> anyhow::Result<()> {
            let code = component.serialize()?;
            std::fs::create_dir_all(&self.folder)?;
            let mut bytes = self.tag(&entry, &code).as_bytes().to_vec();
            bytes.extend_from_slice(&code);
            let partial = self.folder.join(format!("{entry}.{}.partial", std::process::id()));
            step("before-cache-write");
            std::fs::write(&partial, bytes)?;
            step("before-cache-rename");
            std::fs::rename(&partial, self.folder.join(&entry))?;
            Ok(())
        };
        if let Err(error) = write() {
            tracing::warn!(entry, %error, "a compiled extension could not be kept; it will be compiled at every start");
        }
    }
}
