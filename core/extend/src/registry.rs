//! The active extensions. A swap is atomic, a calculation keeps what it pinned, and earlier versions stay at hand for rollback.

use crate::cases::{self, Case};
use crate::manifest::Manifest;
use crate::script;
use attain_domain::ids::ExtensionDigest;
use attain_domain::point::{Extension, Extensions, Fault, FaultKind, Point};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Wasm,
    Rhai,
}

/// An extension that could be loaded, with what it says about itself.
#[derive(Clone)]
pub struct Loaded {
    pub extension: Arc<dyn Extension>,
    pub manifest: Manifest,
    pub cases: Vec<Case>,
    /// The file as it was; its digest is the extension's.
    pub bytes: Arc<[u8]>,
}

impl Loaded {
    /// A script; `cases` is the text of `<name>.cases.toml`, empty without one.
    pub fn script(source: &str, cases: &str) -> Result<Loaded, Fault> {
        let manifest = Manifest::of_script(source)?;
        let script = script::compile(&manifest.name, source)?;
        Ok(Loaded { extension: Arc::new(script), manifest, cases: cases::parse(cases)?, bytes: source.as_bytes().into() })
    }

    #[cfg(feature = "wasm")]
    pub fn wasm(host: &crate::wasm::Host, bytes: &[u8], grant: crate::wasm::Grant) -> Result<Loaded, Fault> {
        let extension = host.load(bytes, grant)?;
        Ok(Loaded {
            manifest: extension.manifest().clone(),
            cases: cases::parse(extension.cases())?,
            extension: Arc::new(extension),
            bytes: bytes.into(),
        })
    }

    /// Loads a file by its kind; the grant is nothing to a script.
    #[cfg(feature = "wasm")]
    pub fn load(host: &crate::wasm::Host, kind: Kind, bytes: &[u8], cases: &str, grant: crate::wasm::Grant) -> Result<Loaded, Fault> {
        match kind {
            Kind::Wasm => Loaded::wasm(host, bytes, grant),
            Kind::Rhai => {
                let source =
                    std::str::from_utf8(bytes).map_err(|_| Fault::new(FaultKind::NotAnExtension, "the script is not UTF-8 text"))?;
                Loaded::script(source, cases)
            }
        }
    }

    /// Refuses a version with a red case, in words that name the first difference of each.
    pub fn checked(self) -> Result<Loaded, Fault> {
        let red: Vec<String> = cases::run(self.extension.as_ref(), &self.cases)
            .into_iter()
            .filter_map(|outcome| outcome.differences.first().map(|first| format!("case `{}`: {first}", outcome.name)))
            .collect();
        if red.is_empty() { Ok(self) } else { Err(Fault::new(FaultKind::Refused, red.join("; "))) }
    }
}

type Active = BTreeMap<(Point, String), Arc<dyn Extension>>;

/// The extensions that are active now, by point and name, and every version that ever was.
#[derive(Default)]
pub struct Registry {
    active: RwLock<Arc<Active>>,
    versions: RwLock<BTreeMap<String, Arc<dyn Extension>>>,
    files: RwLock<BTreeMap<String, Arc<[u8]>>>,
}

/// What an activation changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    pub point: Point,
    pub name: String,
    /// `None` when nothing had this name.
    pub old: Option<ExtensionDigest>,
    pub new: ExtensionDigest,
}

impl Registry {
    pub fn new() -> Registry {
        Registry::default()
    }

    /// The active extensions as they are now, whatever is activated later.
    pub fn pin(&self) -> Pinned {
        Pinned { active: Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner)) }
    }

    /// Makes a loaded file the one of its point and name, and keeps its bytes for those who must store what they pinned.
    pub fn activate_file(&self, loaded: &Loaded) -> Swap {
        self.keep(&loaded.extension.identity().digest, Arc::clone(&loaded.bytes));
        self.activate(Arc::clone(&loaded.extension))
    }

    /// Keeps the file of a version.
    pub fn keep(&self, digest: &ExtensionDigest, file: Arc<[u8]>) {
        self.files.write().unwrap_or_else(PoisonError::into_inner).insert(digest.as_str().to_owned(), file);
    }

    /// The file of a version, if it was kept.
    pub fn file(&self, digest: &ExtensionDigest) -> Option<Arc<[u8]>> {
        self.files.read().unwrap_or_else(PoisonError::into_inner).get(digest.as_str()).cloned()
    }

    /// Makes `extension` the one of its point and name.
    pub fn activate(&self, extension: Arc<dyn Extension>) -> Swap {
        let identity = extension.identity().clone();
        self.versions.write().unwrap_or_else(PoisonError::into_inner).insert(identity.digest.as_str().to_owned(), Arc::clone(&extension));
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Active::clone(&active);
        let old = next.insert((identity.point, identity.name.clone()), extension);
        *active = Arc::new(next);
        Swap { point: identity.point, name: identity.name, old: old.map(|old| old.identity().digest.clone()), new: identity.digest }
    }

    /// Activates an earlier version again.
    pub fn roll_back(&self, digest: &ExtensionDigest) -> Result<Swap, Fault> {
        let known = self.versions.read().unwrap_or_else(PoisonError::into_inner).get(digest.as_str()).cloned();
        let message = || format!("no version `{digest}` was active here; load its file to activate it");
        Ok(self.activate(known.ok_or_else(|| Fault::new(FaultKind::NotAnExtension, message()))?))
    }

    /// Takes an extension out; those who pinned it keep it.
    pub fn deactivate(&self, point: Point, name: &str) -> Option<ExtensionDigest> {
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Active::clone(&active);
        let old = next.remove(&(point, name.to_owned()));
        *active = Arc::new(next);
        old.map(|old| old.identity().digest.clone())
    }
}

/// The extensions that one calculation uses from its start to its end.
#[derive(Clone)]
pub struct Pinned {
    active: Arc<Active>,
}

impl Pinned {
    /// In order of point and name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Extension>> {
        self.active.values()
    }
}

impl Extensions for Pinned {
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault> {
        if let Some(extension) = self.active.get(&(point, name.to_owned())) {
            return Ok(extension.as_ref());
        }
        let known: Vec<&str> = self.active.keys().filter(|(own, _)| *own == point).map(|(_, name)| name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
        let message = format!("there is no extension `{name}` at point `{point}`; active are {known}; add its file or correct the name");
        Err(Fault::new(FaultKind::NotAnExtension, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::point::{Answer, Call, Identity, Origin};

    struct Version(Identity);

    impl Extension for Version {
        fn identity(&self) -> &Identity {
            &self.0
        }

        fn run(&self, _: &Call<'_>) -> Result<Answer, Fault> {
            Ok(Answer::default())
        }
    }

    fn version(digest: &str) -> Arc<dyn Extension> {
        Arc::new(Version(Identity {
            name: "flat".to_owned(),
            version: "1".to_owned(),
            point: Point::Kpi,
            origin: Origin::Rhai,
            digest: ExtensionDigest::from(digest),
        }))
    }

    #[test]
    fn a_calculation_keeps_what_it_pinned_and_a_rollback_is_an_activation() {
        let registry = Registry::new();
        assert_eq!(registry.activate(version("one")).old, None);
        let pinned = registry.pin();
        let swap = registry.activate(version("two"));
        assert_eq!((swap.old, swap.new), (Some("one".into()), "two".into()));
        let digest = |pinned: &Pinned| pinned.get(Point::Kpi, "flat").map(|extension| extension.identity().digest.clone());
        assert_eq!(digest(&pinned), Ok("one".into()));
        assert_eq!(digest(&registry.pin()), Ok("two".into()));
        assert_eq!(registry.roll_back(&"one".into()).map(|swap| swap.new), Ok("one".into()));
        assert_eq!(digest(&registry.pin()), Ok("one".into()));
        assert!(registry.roll_back(&"three".into()).is_err());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let registry = Registry::new();
        registry.activate(version("one"));
        let Err(fault) = registry.pin().get(Point::Kpi, "flut").map(|_| ()) else { panic!("found") };
        assert!(fault.message.contains("`flat`"), "{fault}");
    }
}
