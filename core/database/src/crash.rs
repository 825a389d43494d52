//! For crash tests of debug builds: ends the process at the n-th begin or commit of a write transaction, and marks whether one is open.
//! `ATTAIN_CRASH_AT` is `before-commit:12`, `after-commit:12` or `after-begin:12`; `ATTAIN_CRASH_MARK` is a file of one byte.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

/// A place in the life of a write transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    AfterBegin,
    BeforeCommit,
    AfterCommit,
}

impl Point {
    fn name(self) -> &'static str {
        match self {
            Point::AfterBegin => "after-begin",
            Point::BeforeCommit => "before-commit",
            Point::AfterCommit => "after-commit",
        }
    }
}

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

fn mark(open: bool) {
    static MARK: OnceLock<Option<Mutex<std::fs::File>>> = OnceLock::new();
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

/// Passes a point; does not return where the process is to end there.
pub fn pass(point: Point) {
    let open = match point {
        Point::AfterBegin => OPEN.fetch_add(1, Ordering::SeqCst) + 1,
        Point::BeforeCommit => OPEN.load(Ordering::SeqCst),
        Point::AfterCommit => OPEN.fetch_sub(1, Ordering::SeqCst) - 1,
    };
    mark(open > 0);
    if let Some((name, count)) = wanted()
        && *name == point.name()
        && MET.fetch_add(1, Ordering::SeqCst) + 1 == *count
    {
        std::process::abort();
    }
}

/// A transaction ended without a commit.
pub fn dropped() {
    mark(OPEN.fetch_sub(1, Ordering::SeqCst) - 1 > 0);
}
