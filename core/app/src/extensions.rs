//! Extensions of an instance: the bundled ones, those in watched folders, those installed in the record, and the company's own
//! scripts. Later ones take the place of earlier ones with the same point and name.

use crate::Instance;
use crate::answers::Answers;
use crate::company::Receipt;
use crate::extension_logs::{Listening, Logs};
use crate::fetch;
use crate::folder::Company;
use crate::instance::{host_key, now_ms};
use crate::refusal::Refusal;
use anyhow::{Context, Result};
use attain_audit::Entry;
use attain_domain::point::{Call, Extension, Extensions, Fault, Identity, Origin, Point, check_answer};
use attain_domain::schema;
use attain_domain::settings::Step;
use attain_domain::table::{Column, Table};
use attain_extend::wasm::{Cache, Fetch, Fetched, Grant, Host, HostOptions};
use attain_extend::watch::{self, Event, Watcher};
use attain_extend::{Kind, Loaded, Pinned, Registry};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

macro_rules! bundled_scripts {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../scripts/", $name, ".rhai")), include_str!(concat!("../../../scripts/", $name, ".cases.toml")))),+]
    };
}

/// Name, source and cases of the scripts that the binary carries.
pub const SCRIPTS: &[(&str, &str, &str)] = bundled_scripts![
    "credit-direct",
    "credit-split",
    "credit-overlay",
    "credit-relationship",
    "credit-handoff",
    "comp-flat",
    "comp-tiered",
    "comp-threshold-bonus",
    "comp-accelerator",
    "comp-table",
    "comp-rules",
    "comp-rank",
    "comp-pool",
    "comp-objectives",
    "comp-difference",
    "kpi-attainment",
    "kpi-win-rate",
    "kpi-average-deal",
    "kpi-cycle-length",
    "payroll-csv",
];

/// What can be called: the host, what is active, and where each came from. Clones share it.
#[derive(Clone)]
pub struct Bundle {
    host: Arc<Host>,
    pub(crate) registry: Arc<Registry>,
    /// Point and name to `bundled`, a path, or `record`.
    pub(crate) sources: Arc<Mutex<BTreeMap<(Point, String), String>>>,
    pub(crate) logs: Arc<Logs>,
    /// The version of the record's extensions that is loaded.
    seen: Arc<AtomicI64>,
}

/// How connectors get out.
struct Outgoing;

impl Fetch for Outgoing {
    fn get(&self, url: &str, headers: &[(String, String)], grant: &Grant, timeout: Duration) -> Result<Fetched, String> {
        let fetched = fetch::get(url, headers, &grant.hosts, timeout)?;
        Ok(Fetched { status: fetched.status, body: fetched.body })
    }
}

/// The folders as configured, or `plugins` beside the binary or one above it.
pub fn folders(configured: &[PathBuf]) -> Vec<PathBuf> {
    if !configured.is_empty() {
        return configured.to_vec();
    }
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let above = beside.as_ref().and_then(|folder| folder.parent().map(Path::to_owned));
    [beside, above].into_iter().flatten().map(|folder| folder.join("plugins")).find(|folder| folder.is_dir()).into_iter().collect()
}

/// The scripts of the binary and the files in `configured` folders, with a cache of compiled components that ends with the process.
pub fn bundled(configured: &[PathBuf]) -> Result<Bundle> {
    assemble(configured, None)
}

/// Like [`bundled`], keeping compiled components in `folder`.
pub fn bundled_with_cache(configured: &[PathBuf], folder: &Path) -> Result<Bundle> {
    attain_extend::wasm::tell_steps(attain_database::crash_point);
    let cache = Cache::new(folder, host_key(folder)?);
    assemble(configured, Some(cache))
}

fn assemble(configured: &[PathBuf], cache: Option<Cache>) -> Result<Bundle> {
    let host = Arc::new(Host::new(HostOptions { cache, fetch: Some(Arc::new(Outgoing)) })?);
    let bundle = Bundle { host, registry: Arc::new(Registry::new()), sources: Arc::default(), logs: Arc::default(), seen: Arc::default() };
    for (name, source, cases) in SCRIPTS {
        let loaded = Loaded::script(source, cases).map_err(|fault| Refusal::extension(name, &fault))?;
        bundle.activate(&loaded, "bundled");
    }
    for folder in folders(configured) {
        for path in extension_files(&folder)? {
            let loaded = watch::load_file(&path, &bundle.host, &BTreeMap::new())
                .map_err(|fault| Refusal::extension(&path.display().to_string(), &fault))?;
            bundle.activate(&loaded, &path.display().to_string());
        }
    }
    Ok(bundle)
}

fn extension_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("the folder of extensions `{}` cannot be read", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| watch::kind_of(path).is_some()).collect();
    files.sort();
    Ok(files)
}

impl Bundle {
    fn activate(&self, loaded: &Loaded, source: &str) {
        let swap = self.registry.activate_file(loaded);
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).insert((swap.point, swap.name), source.to_owned());
    }

    /// The same host and extensions in a registry of its own, so that two instances do not see each other's.
    pub fn of_instance(&self) -> Bundle {
        let registry = Registry::new();
        for extension in self.registry.pin().iter() {
            registry.activate(Arc::clone(extension));
            if let Some(bytes) = self.registry.file(&extension.identity().digest) {
                registry.keep(&extension.identity().digest, bytes);
            }
        }
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Bundle {
            host: Arc::clone(&self.host),
            registry: Arc::new(registry),
            sources: Arc::new(Mutex::new(sources)),
            logs: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// Where an active extension came from: `bundled`, a path, or `record`.
    pub(crate) fn source_of(&self, point: Point, name: &str) -> String {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.get(&(point, name.to_owned())).cloned().unwrap_or_default()
    }

    /// The active extensions, whatever the company has of its own.
    pub(crate) fn set(&self) -> Set {
        Set::new(self)
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Loads a file of that origin without activating it.
    pub fn load(&self, origin: Origin, bytes: &[u8], grant: Grant) -> Result<Loaded, Fault> {
        let kind = match origin {
            Origin::Wasm => Kind::Wasm,
            Origin::Rhai => Kind::Rhai,
        };
        Loaded::load(&self.host, kind, bytes, "", grant)
    }
}

/// The extensions that one calculation uses: what was active, under the company's own scripts. What they are asked is counted.
pub struct Set {
    pinned: Pinned,
    registry: Arc<Registry>,
    own: BTreeMap<(Point, String), Loaded>,
    heard: BTreeMap<(Point, String), Listening>,
    logs: Arc<Logs>,
}

impl Set {
    pub fn new(bundle: &Bundle) -> Set {
        let pinned = bundle.registry.pin();
        let logs = Arc::clone(&bundle.logs);
        let heard = pinned.iter().map(|own| heard(own, &logs)).collect();
        Set { pinned, registry: Arc::clone(&bundle.registry), own: BTreeMap::new(), heard, logs }
    }

    /// Nothing but what is added.
    pub fn empty() -> Set {
        let registry = Arc::new(Registry::new());
        Set { pinned: registry.pin(), registry, own: BTreeMap::new(), heard: BTreeMap::new(), logs: Arc::default() }
    }

    pub fn add(&mut self, loaded: Loaded) {
        let (key, listening) = heard(&loaded.extension, &self.logs);
        self.heard.insert(key.clone(), listening);
        self.own.insert(key, loaded);
    }

    /// Asks crediting only what it has not answered before.
    #[must_use]
    pub(crate) fn remembering(mut self, answers: &Arc<Answers>) -> Set {
        for (_, own) in self.heard.iter_mut().filter(|((point, _), _)| *point == Point::Crediting) {
            own.answers = Some(Arc::clone(answers));
        }
        self
    }

    /// What each was asked since the set was made, and what it used; in order of point and name.
    pub fn uses(&self) -> impl Iterator<Item = (&Identity, u64, u64)> {
        self.heard
            .values()
            .map(|own| (own.identity(), own.used()))
            .filter(|(_, (calls, _))| *calls > 0)
            .map(|(own, (calls, fuel))| (own, calls, fuel))
    }

    /// What this set would call, by point and name.
    pub fn identities(&self) -> BTreeMap<(Point, String), &Identity> {
        let key = |identity: &Identity| (identity.point, identity.name.clone());
        let mut all: BTreeMap<(Point, String), &Identity> = self.pinned.iter().map(|own| (key(own.identity()), own.identity())).collect();
        all.extend(self.own.values().map(|own| (key(own.extension.identity()), own.extension.identity())));
        all
    }

    /// The same for two sets that would call the same.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for ((point, name), identity) in self.identities() {
            hasher.update(format!("{point}/{name} {}\n", identity.digest).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The file of an extension in this set.
    pub fn file(&self, identity: &Identity) -> Option<Arc<[u8]>> {
        match self.own.get(&(identity.point, identity.name.clone())) {
            Some(loaded) => Some(Arc::clone(&loaded.bytes)),
            None => self.registry.file(&identity.digest),
        }
    }
}

impl Extensions for Set {
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault> {
        match self.heard.get(&(point, name.to_owned())) {
            Some(listening) => Ok(listening),
            // For the words of its refusal.
            None => self.pinned.get(point, name),
        }
    }
}

fn heard(extension: &Arc<dyn Extension>, logs: &Arc<Logs>) -> ((Point, String), Listening) {
    let identity = extension.identity();
    ((identity.point, identity.name.clone()), Listening::new(Arc::clone(extension), Arc::clone(logs)))
}

/// How the cases of one file went.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    pub name: String,
    pub version: String,
    pub digest: String,
    pub passed: usize,
    pub failed: usize,
    pub failures: Vec<String>,
}

impl CaseReport {
    pub fn of(loaded: &Loaded) -> CaseReport {
        let identity = loaded.extension.identity();
        let outcomes = attain_extend::cases::run(loaded.extension.as_ref(), &loaded.cases);
        let failures: Vec<String> = outcomes
            .iter()
            .filter(|outcome| !outcome.passed())
            .map(|outcome| format!("{}: {}", outcome.name, outcome.differences.join("; ")))
            .collect();
        CaseReport {
            name: identity.name.clone(),
            version: identity.version.clone(),
            digest: identity.digest.0.clone(),
            passed: outcomes.len() - failures.len(),
            failed: failures.len(),
            failures,
        }
    }
}

/// One line of the list of extensions.
#[derive(Debug, Clone, Serialize)]
pub struct InstalledExtension {
    pub point: String,
    pub name: String,
    pub version: String,
    pub origin: String,
    /// `bundled`, a path, `company` or `record`.
    pub source: String,
    pub active: bool,
    pub digest: String,
}

pub(crate) fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Wasm => "wasm",
        Origin::Rhai => "rhai",
    }
}

impl InstalledExtension {
    fn of(identity: &Identity, source: &str) -> InstalledExtension {
        InstalledExtension {
            point: identity.point.name().to_owned(),
            name: identity.name.clone(),
            version: identity.version.clone(),
            origin: origin_name(identity.origin).to_owned(),
            source: source.to_owned(),
            active: true,
            digest: identity.digest.0.clone(),
        }
    }
}

impl Instance {
    /// The extensions of a calculation for `company`. Its scripts are compiled and their cases run.
    pub fn extensions_for(&self, company: &Company) -> Result<Set> {
        let mut set = Set::new(&self.bundle);
        for (name, script) in &company.scripts {
            let loaded = Loaded::script(&script.source, script.cases.as_deref().unwrap_or_default())
                .and_then(Loaded::checked)
                .map_err(|fault| Refusal::extension(&format!("scripts/{name}.rhai"), &fault))?;
            if loaded.manifest.name != *name {
                return Err(Refusal::invalid(format!(
                    "scripts/{name}.rhai calls itself `{}`; name and file must agree",
                    loaded.manifest.name
                ))
                .into());
            }
            set.add(loaded);
        }
        Ok(set)
    }

    /// Whether every extension that a company names is there; lists all that are not.
    pub(crate) fn check_extensions(&self, company: &Company) -> Result<()> {
        let set = self.extensions_for(company)?;
        let settings = &company.settings;
        let steps = |point: Point, steps: &[Step]| steps.iter().map(|step| (point, step.extension.clone())).collect::<Vec<_>>();
        let mut named = steps(Point::Crediting, &settings.crediting.rules);
        named.extend(steps(Point::Kpi, &settings.kpis));
        named.extend(steps(Point::Insight, &settings.insights));
        named.push((Point::Payout, settings.payouts.export.extension.clone()));
        for (point, step) in
            [(Point::Territory, &settings.territory), (Point::Quota, &settings.quota), (Point::Forecast, &settings.forecast)]
        {
            named.extend(step.iter().map(|step| (point, step.extension.clone())));
        }
        named.extend(
            company.plans.iter().flat_map(|file| file.plan.components.iter().map(|own| (Point::Compensation, own.formula.clone()))),
        );
        let mut missing: Vec<String> =
            named.iter().filter_map(|(point, name)| set.get(*point, name).err().map(|fault| fault.message)).collect();
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::invalid("the company names extensions that are not there; nothing was changed").with_details(missing).into())
    }

    /// Puts a file into the record and makes it the active one, if its cases pass.
    pub async fn install(&self, file: &Path) -> Result<serde_json::Value> {
        let loaded = watch::load_file(file, &self.bundle.host, &BTreeMap::new())
            .map_err(|fault| Refusal::extension(&file.display().to_string(), &fault))?;
        let identity = loaded.extension.identity().clone();
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let installed = attain_store::extensions::Installed {
            name: identity.name.clone(),
            point: identity.point.name().to_owned(),
            digest: identity.digest.clone(),
            origin: origin_name(identity.origin).to_owned(),
            version: identity.version.clone(),
            manifest: serde_json::to_string(&loaded.manifest)?,
            active: true,
            installed_at: now,
        };
        attain_store::versions::bump(&mut tx, attain_store::versions::Part::Extensions).await?;
        attain_store::extensions::install(&mut tx, &installed, &loaded.bytes).await?;
        attain_store::extensions::activate(&mut tx, &identity.name, &identity.digest).await?;
        let entry = Entry::new(&self.actor, "install", &identity.name).after(identity.digest.as_str()).reason(&file.display().to_string());
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.bundle.activate(&loaded, "record");
        Ok(serde_json::json!({
            "name": identity.name, "point": identity.point, "digest": identity.digest,
            "asks_for": loaded.manifest.hosts, "cases": loaded.cases.len(), "signed": false,
        }))
    }

    pub async fn activate(&self, name: &str, digest: &str) -> Result<String> {
        let mut tx = self.database.begin().await?;
        let chosen = self.activate_version(&mut tx, name, digest).await?;
        tx.commit().await?;
        self.seal().await?;
        self.load_installed().await?;
        Ok(chosen)
    }

    /// Makes an installed version the active one of its name in a transaction of the caller, who seals after it and then calls
    /// [`Instance::follow_extensions`]. Answers the whole digest.
    pub(crate) async fn activate_version(&self, tx: &mut attain_database::Tx, name: &str, digest: &str) -> Result<String> {
        let known = attain_store::extensions::list(tx).await?;
        let matching: Vec<_> = known.iter().filter(|own| own.name == name && own.digest.as_str().starts_with(digest)).collect();
        let chosen = match matching.as_slice() {
            [] => return Err(Refusal::not_found(format!("no version of `{name}` in the record begins with `{digest}`")).into()),
            [one] => one.digest.clone(),
            _ => return Err(Refusal::conflict(format!("several versions of `{name}` begin with `{digest}`; write more of it")).into()),
        };
        let before = known.iter().find(|own| own.name == name && own.active).map(|own| own.digest.0.clone()).unwrap_or_default();
        attain_store::versions::bump(tx, attain_store::versions::Part::Extensions).await?;
        attain_store::extensions::activate(tx, name, &chosen).await?;
        attain_audit::append(tx, Entry::new(&self.actor, "activate", name).before(&before).after(chosen.as_str()), now_ms()).await?;
        Ok(chosen.0)
    }

    /// Allows a connector to reach a host. The second key of a capability; the first is that its manifest asks for it.
    pub async fn grant(&self, name: &str, host: &str) -> Result<()> {
        let mut tx = self.database.begin().await?;
        let now = now_ms();
        let grant = attain_store::extensions::Grant {
            name: name.to_owned(),
            capability: "http".to_owned(),
            subject: host.to_owned(),
            granted_by: self.actor.clone(),
            granted_at: now,
        };
        attain_store::extensions::grant(&mut tx, &grant).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "grant", name).after(host), now).await?;
        attain_store::versions::bump(&mut tx, attain_store::versions::Part::Extensions).await?;
        tx.commit().await?;
        self.seal().await
    }

    /// Takes a host away again, from the next call of the connector on.
    pub async fn revoke(&self, name: &str, host: &str) -> Result<()> {
        let mut tx = self.database.begin().await?;
        if !attain_store::extensions::revoke(&mut tx, name, "http", host).await? {
            return Err(Refusal::not_found(format!("`{name}` was not granted `{host}`")).into());
        }
        attain_audit::append(&mut tx, Entry::new(&self.actor, "revoke", name).before(host), now_ms()).await?;
        attain_store::versions::bump(&mut tx, attain_store::versions::Part::Extensions).await?;
        tx.commit().await?;
        self.seal().await
    }

    /// All active extensions, and the inactive versions that the record keeps.
    pub async fn extensions(&self) -> Result<Vec<InstalledExtension>> {
        let mut read = self.database.read().await?;
        let company = self.company_at(&mut read).await?;
        let installed = attain_store::extensions::list(&mut read).await?;
        drop(read);
        let mut all: BTreeMap<(Point, String, String), InstalledExtension> = BTreeMap::new();
        let sources = self.bundle.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for extension in self.bundle.registry.pin().iter() {
            let identity = extension.identity();
            let source = sources.get(&(identity.point, identity.name.clone())).map_or("", String::as_str);
            all.insert((identity.point, identity.name.clone(), String::new()), InstalledExtension::of(identity, source));
        }
        if let Some(company) = company {
            for loaded in self.extensions_for(&company)?.own.values() {
                let identity = loaded.extension.identity();
                all.insert((identity.point, identity.name.clone(), String::new()), InstalledExtension::of(identity, "company"));
            }
        }
        for own in installed.iter().filter(|own| !own.active) {
            let Some(point) = Point::from_name(&own.point) else { continue };
            let line = InstalledExtension {
                point: own.point.clone(),
                name: own.name.clone(),
                version: own.version.clone(),
                origin: own.origin.clone(),
                source: "record".to_owned(),
                active: false,
                digest: own.digest.0.clone(),
            };
            all.insert((point, own.name.clone(), own.digest.0.clone()), line);
        }
        Ok(all.into_values().collect())
    }

    /// Activates what the record says is active. Answers the names of those that were not.
    pub(crate) async fn load_installed(&self) -> Result<Vec<String>> {
        let mut read = self.database.read().await?;
        let version = attain_store::versions::current(&mut read).await?.extensions;
        let mut swapped = Vec::new();
        for own in attain_store::extensions::list(&mut read).await?.iter().filter(|own| own.active) {
            let point = Point::from_name(&own.point).with_context(|| format!("`{}` is no point", own.point))?;
            let present = self.bundle.registry.pin();
            if present.get(point, &own.name).is_ok_and(|there| there.identity().digest == own.digest) {
                continue;
            }
            let bytes = attain_store::extensions::blob(&mut read, &own.digest).await?;
            let bytes = bytes.with_context(|| format!("the record lost the file of extension `{}`", own.name))?;
            let origin = if own.origin == "wasm" { Origin::Wasm } else { Origin::Rhai };
            let loaded = self.bundle.load(origin, &bytes, Grant::default()).map_err(|fault| Refusal::extension(&own.name, &fault))?;
            self.bundle.activate(&loaded, "record");
            swapped.push(own.name.clone());
        }
        self.bundle.seen.store(version, Ordering::SeqCst);
        Ok(swapped)
    }

    /// Loads what another node has made active since; one small query where nothing was.
    pub(crate) async fn follow_extensions(&self) -> Result<()> {
        let mut read = self.database.read().await?;
        let version = attain_store::versions::current(&mut read).await?.extensions;
        drop(read);
        if version != self.bundle.seen.load(Ordering::SeqCst) {
            self.load_installed().await?;
        }
        Ok(())
    }

    /// Reads the watched folders again, then what the record says is active. A file that cannot be loaded stays out and its
    /// log says why. Answers the names of those that were swapped in.
    pub(crate) async fn reload_extensions(&self) -> Result<Vec<String>> {
        let mut swapped = Vec::new();
        let held: std::collections::BTreeSet<(String, String)> = {
            let mut read = self.database.read().await?;
            let installed = attain_store::extensions::list(&mut read).await?;
            installed.into_iter().filter(|own| own.active).map(|own| (own.point, own.name)).collect()
        };
        for folder in &self.folders {
            for path in extension_files(folder)? {
                let loaded = match tokio::task::block_in_place(|| watch::load_file(&path, &self.bundle.host, &BTreeMap::new())) {
                    Ok(loaded) => loaded,
                    Err(fault) => {
                        let refused = Event::Refused { path, line: fault.line, column: fault.column, message: fault.message };
                        self.reloaded(&refused);
                        continue;
                    }
                };
                let identity = loaded.extension.identity();
                let present = self.bundle.registry.pin();
                let same = present.get(identity.point, &identity.name).is_ok_and(|there| there.identity().digest == identity.digest);
                // What the record holds stands above the folders.
                if !same && !held.contains(&(identity.point.name().to_owned(), identity.name.clone())) {
                    self.bundle.activate(&loaded, &path.display().to_string());
                    swapped.push(identity.name.clone());
                }
            }
        }
        swapped.extend(self.load_installed().await?);
        Ok(swapped)
    }

    /// Reloads extensions as their files are saved, until the watcher is dropped.
    pub fn watch(&self) -> Result<Watcher> {
        let instance = self.clone();
        self.watch_with(move |event| instance.reloaded(&event))
    }

    /// Tells and keeps what came of a saved file.
    fn reloaded(&self, event: &Event) {
        let (point, name, accepted, message) = match event {
            Event::Swapped(swap) => (Some(swap.point), swap.name.clone(), true, format!("version {} is active", swap.new)),
            Event::Refused { path, line, message, .. } => {
                let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
                let point = self.bundle.registry.pin().iter().map(|own| own.identity()).find(|own| own.name == name).map(|own| own.point);
                let at = line.map_or_else(String::new, |line| format!("line {line}: "));
                (point, name, false, format!("{at}{message}"))
            }
        };
        if let Some(point) = point {
            self.bundle.logs.add(point, &name, "reload", [message.clone()]);
        }
        self.tell(crate::live::Event::Reload { name, accepted, message });
    }

    /// Like [`Instance::watch`]; `report` is told of every swap and every refusal.
    pub fn watch_with(&self, report: impl Fn(Event) + Send + 'static) -> Result<Watcher> {
        for folder in &self.folders {
            tracing::info!("watching {}", folder.display());
        }
        Watcher::start(&self.folders, Arc::clone(&self.bundle.host), Arc::clone(&self.bundle.registry), BTreeMap::new(), report)
    }

    /// Pulls all pages of an entity through a connector and imports them as one batch.
    pub async fn pull(&self, connector: &str, entity: &str, settings: &serde_json::Value) -> Result<Receipt> {
        let (known, rows) = self.pulled(connector, entity, settings).await?;
        self.import_table(known, &rows, connector).await
    }

    /// The rows of an entity from a connector, not yet imported. What it may reach is read again before each page.
    pub(crate) async fn pulled(
        &self,
        connector: &str,
        entity: &str,
        settings: &serde_json::Value,
    ) -> Result<(&'static schema::Entity, Table)> {
        let known = schema::entity(entity).ok_or_else(|| Refusal::invalid(format!("`{entity}` is no entity")))?;
        let text = self.pulled_text(connector, entity, settings).await?;
        let rows = crate::folder::read_rows(known, &format!("{connector}:{entity}"), text.as_bytes())
            .map_err(|problems| crate::company::refused(&format!("what `{connector}` pulled"), &problems))?;
        Ok((known, rows))
    }

    /// All pages of an entity from a connector, as one CSV text.
    pub(crate) async fn pulled_text(&self, connector: &str, entity: &str, settings: &serde_json::Value) -> Result<String> {
        let failed = |fault: Fault| Refusal::extension(connector, &fault);
        let pinned = self.bundle.registry.pin();
        let identity = pinned.get(Point::Connector, connector).map_err(failed)?.identity().clone();
        let bytes = self.bundle.registry.file(&identity.digest).with_context(|| format!("the file of `{connector}` is gone"))?;
        let mut granted: Option<Vec<String>> = None;
        let mut opened: Option<Listening> = None;
        let mut cursor = String::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut pages: Vec<Table> = Vec::new();
        loop {
            let mut read = self.database.read().await?;
            let grants = attain_store::extensions::grants(&mut read, connector).await?;
            drop(read);
            let hosts: Vec<String> = grants.into_iter().filter(|grant| grant.capability == "http").map(|grant| grant.subject).collect();
            if granted.as_ref() != Some(&hosts) {
                let grant = Grant { hosts: hosts.clone() };
                let loaded = tokio::task::block_in_place(|| self.bundle.load(identity.origin, &bytes, grant)).map_err(failed)?;
                opened = Some(Listening::new(loaded.extension, Arc::clone(&self.bundle.logs)));
                granted = Some(hosts);
            }
            let extension = opened.as_ref().context("it was opened above")?;
            let (own, next) = tokio::task::block_in_place(|| page(extension, entity, settings, &cursor)).map_err(failed)?;
            pages.extend(own);
            if next.is_empty() {
                break;
            }
            if !seen.insert(next.clone()) || pages.len() >= PAGES_MAX {
                let message = format!("the cursor `{next}` came twice, or there are more than {PAGES_MAX} pages");
                return Err(failed(Fault::new(attain_domain::point::FaultKind::InvalidAnswer, message)).into());
            }
            cursor = next;
        }
        Ok(csv_of(&pages))
    }
}

/// A connector may ask for so many pages in one pull.
const PAGES_MAX: usize = 10_000;

/// One page and the cursor of the next.
fn page(extension: &dyn Extension, entity: &str, settings: &serde_json::Value, cursor: &str) -> Result<(Option<Table>, String), Fault> {
    let request = Table::new("request").with("entity", Column::text(&[Some(entity)])).with("cursor", Column::text(&[Some(cursor)]));
    let answer = extension.run(&Call { settings, input: &[request] })?;
    check_answer(Point::Connector.contract(), &answer.tables)?;
    let next = answer.table("next").and_then(|next| next.texts("cursor")).and_then(|column| column.get(0)).unwrap_or_default().to_owned();
    Ok((answer.table("records").cloned(), next))
}

/// Pages of text columns as the CSV that an import reads.
fn csv_of(pages: &[Table]) -> String {
    let Some(first) = pages.iter().find(|page| !page.columns.is_empty()) else { return String::new() };
    let names: Vec<&str> = first.columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = names.join(",");
    text.push('\n');
    for page in pages {
        for row in 0..page.row_count() {
            let cells: Vec<String> =
                names.iter().map(|name| quoted(&page.column(name).and_then(|column| column.show(row)).unwrap_or_default())).collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
