//! For crash tests of debug builds: ends the process at the n-th time that it passes a named point, and marks whether a write transaction
//! is open. `ATTAIN_CRASH_AT` is `before-commit:12`; `ATTAIN_CRASH_MARK` is a file of one byte; `ATTAIN_CRASH_LOG` is a file that gets a
//! line for each point that is passed, so that a driver knows how many there are.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

pub(crate) const AFTER_BEGIN: &str = "after-begin";
/// Before a statement of a write transaction.
pub(crate) const STATEMENT: &str = "statement";
pub(crate) const BEFORE_COMMIT: &str = "before-commit";
pub(crate) const AFTER_COMMIT: &str = "after-commit";

static MET: AtomicU64 = AtomicU64::new(0);
static OPEN: AtomicI64 = AtomicI64::new(0);

fn wanted() -> Option<&'static (String, u64)> {
    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    WANTED
        .get_or_init(|| {
            let text = std::env::var("ATTAIN_CRASH_AT").ok()?;
            let (name, count) = text.split_once(':')?;
            Some((name.to_owned(), count.parse().ok()?))
        })
        .as_ref()
}

fn log() -> Option<&'static Mutex<File>> {
    static LOG: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let path = std::env::var_os("ATTAIN_CRASH_LOG")?;
        std::fs::OpenOptions::new().append(true).create(true).open(path).ok().map(Mutex::new)
    })
    .as_ref()
}

/// Whether somebody asks what is passed.
pub(crate) fn is_watched() -> bool {
    wanted().is_some() || log().is_some()
}

fn mark(open: bool) {
    static MARK: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let file = MARK.get_or_init(|| {
        let path = std::env::var_os("ATTAIN_CRASH_MARK")?;
        std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).ok().map(Mutex::new)
    });
    if let Some(file) = file
        && let Ok(mut file) = file.lock()
    {
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(if open { b"1" } else { b"0" }));
    }
}

/// Whether this is the point, and the time, at which the process is to end.
pub(crate) fn is_due(name: &str) -> bool {
    if let Some(file) = log()
        && let Ok(mut file) = file.lock()
    {
        let _ = file.write_all(format!("{name}\n").as_bytes());
    }
    wanted().is_some_and(|(own, count)| own == name && MET.fetch_add(1, Ordering::SeqCst) + 1 == *count)
}

/// Passes a point; does not return where the process is to end there.
pub(crate) fn pass(name: &str) {
    if is_due(name) {
        std::process::abort();
    }
}

pub(crate) fn begun() {
    mark(OPEN.fetch_add(1, Ordering::SeqCst) + 1 > 0);
    pass(AFTER_BEGIN);
}

pub(crate) fn committed() {
    mark(OPEN.fetch_sub(1, Ordering::SeqCst) - 1 > 0);
    pass(AFTER_COMMIT);
}

/// A transaction ended without a commit.
pub(crate) fn dropped() {
    mark(OPEN.fetch_sub(1, Ordering::SeqCst) - 1 > 0);
}
