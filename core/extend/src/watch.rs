//! Hot reload: a saved script or component is loaded, its cases are run, and it is swapped in. A broken one stays out and the
//! old one stays in.

use crate::registry::{Kind, Loaded, Registry, Swap};
use crate::wasm::{Grant, Host};
use attain_domain::point::{Fault, FaultKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// A file is read when nothing happened to any file for so long.
const SETTLE: Duration = Duration::from_millis(70);
/// How often a file that cannot be loaded is read again, in case that it was still being written.
const ATTEMPTS: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Swapped(Swap),
    Refused { path: PathBuf, line: Option<usize>, column: Option<usize>, message: String },
}

/// Grants by name of connector.
pub type Grants = BTreeMap<String, Grant>;

/// Watches until it is dropped.
pub struct Watcher {
    _watcher: RecommendedWatcher,
}

impl Watcher {
    /// `report` is called from the watching thread.
    pub fn start(
        folders: &[PathBuf],
        host: Arc<Host>,
        registry: Arc<Registry>,
        grants: Grants,
        report: impl Fn(Event) + Send + 'static,
    ) -> anyhow::Result<Watcher> {
        let (sender, receiver) = channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event
                && !event.kind.is_access()
            {
                for path in event.paths {
                    // The receiver is gone only when the watcher is being dropped.
                    let _ = sender.send(path);
                }
            }
        })?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        std::thread::Builder::new().name("extension-reload".to_owned()).spawn(move || {
            follow(&receiver, &|path| reload(path, &host, &registry, &grants, &report));
        })?;
        Ok(Watcher { _watcher: watcher })
    }
}

fn follow(changes: &Receiver<PathBuf>, reload: &dyn Fn(&Path)) {
    let mut changed = BTreeSet::new();
    loop {
        let next =
            if changed.is_empty() { changes.recv().map_err(|_| RecvTimeoutError::Disconnected) } else { changes.recv_timeout(SETTLE) };
        match next {
            Ok(path) => changed.extend(extension_of(&path)),
            Err(RecvTimeoutError::Timeout) => std::mem::take(&mut changed).iter().for_each(|path: &PathBuf| reload(path)),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The file to load when `path` changed: for the cases of a script, the script.
fn extension_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    if name.starts_with('.') {
        return None;
    }
    if let Some(stem) = name.strip_suffix(".cases.toml") {
        return Some(path.with_file_name(format!("{stem}.rhai")));
    }
    kind_of(path).map(|_| path.to_owned())
}

/// By the ending of the file's name.
pub fn kind_of(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()? {
        "rhai" => Some(Kind::Rhai),
        "wasm" => Some(Kind::Wasm),
        _ => None,
    }
}

/// Loads a file and runs its cases. A script's cases are in `<name>.cases.toml` beside it.
pub fn load_file(path: &Path, host: &Host, grants: &Grants) -> Result<Loaded, Fault> {
    load_unchecked(path, host, grants)?.checked()
}

/// Like [`load_file`], without running the cases.
pub fn load_unchecked(path: &Path, host: &Host, grants: &Grants) -> Result<Loaded, Fault> {
    let unreadable = |error: std::io::Error| Fault::new(FaultKind::NotAnExtension, format!("it cannot be read: {error}"));
    let kind = kind_of(path).ok_or_else(|| Fault::new(FaultKind::NotAnExtension, "its name ends neither in `.rhai` nor in `.wasm`"))?;
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let cases = match std::fs::read_to_string(path.with_extension("cases.toml")) {
        Ok(cases) if kind == Kind::Rhai => cases,
        Err(error) if kind == Kind::Rhai && error.kind() != std::io::ErrorKind::NotFound => return Err(unreadable(error)),
        _ => String::new(),
    };
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    Loaded::load(host, kind, &bytes, &cases, grants.get(name).cloned().unwrap_or_default())
}

fn reload(path: &Path, host: &Host, registry: &Registry, grants: &Grants, report: &dyn Fn(Event)) {
    let mut attempt = 1;
    let loaded = loop {
        // A file that is removed stays active: taking an extension out is a decision, not a side effect.
        if !path.exists() {
            return;
        }
        match load_file(path, host, grants) {
            Err(_) if attempt < ATTEMPTS => {
                attempt += 1;
                std::thread::sleep(SETTLE);
            }
            result => break result,
        }
    };
    match loaded {
        Ok(loaded) => {
            let swap = registry.activate_file(&loaded);
            if swap.old.as_ref() == Some(&swap.new) {
                return;
            }
            let old = swap.old.as_ref().map_or("none", |old| old.as_str());
            tracing::info!(point = %swap.point, name = swap.name, old, new = swap.new.as_str(), "an extension was swapped");
            report(Event::Swapped(swap));
        }
        Err(fault) => {
            tracing::warn!(path = %path.display(), line = fault.line, column = fault.column, message = fault.message, "a changed extension stays out");
            report(Event::Refused { path: path.to_owned(), line: fault.line, column: fault.column, message: fault.message });
        }
    }
}
