//! Extensions of an instance: the bundled ones, those in watched folders, those installed in the record, and the company's own
//! scripts. Later ones take the place of earlier ones with the same point and name.

use crate::Instance;
use crate::company::Receipt;
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
    "comp-flat",
    "comp-tiered",
    "comp-threshold-bonus",
    "comp-accelerator",
    "kpi-attainment",
    "kpi-win-rate",
    "kpi-average-deal",
    "kpi-cycle-length",
];

/// What can be called: the host, what is active, and where each came from. Clones share it.
#[derive(Clone)]
pub struct Bundle {
    host: Arc<Host>,
    registry: Arc<Registry>,
    /// Point and name to `bundled`, a path, or `record`.
    sources: Arc<Mutex<BTreeMap<(Point, String), String>>>,
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
    let cache = Cache::new(folder, host_key(folder)?);
    assemble(configured, Some(cache))
}

fn assemble(configured: &[PathBuf], cache: Option<Cache>) -> Result<Bundle> {
    let host = Arc::new(Host::new(HostOptions { cache, fetch: Some(Arc::new(Outgoing)) })?);
    let bundle = Bundle { host, registry: Arc::new(Registry::new()), sources: Arc::default() };
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
        Bundle { host: Arc::clone(&self.host), registry: Arc::new(registry), sources: Arc::new(Mutex::new(sources)) }
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

/// The extensions that one calculation uses: what was active, under the company's own scripts.
pub struct Set {
    pinned: Pinned,
    registry: Arc<Registry>,
    own: BTreeMap<(Point, String), Loaded>,
}

impl Set {
    pub fn new(bundle: &Bundle) -> Set {
        Set { pinned: bundle.registry.pin(), registry: Arc::clone(&bundle.registry), own: BTreeMap::new() }
    }

    /// Nothing but what is added.
    pub fn empty() -> Set {
        let registry = Arc::new(Registry::new());
        Set { pinned: registry.pin(), registry, own: BTreeMap::new() }
    }

    pub fn add(&mut self, loaded: Loaded) {
        let identity = loaded.extension.identity();
        self.own.insert((identity.point, identity.name.clone()), loaded);
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
        match self.own.get(&(point, name.to_owned())) {
            Some(loaded) => Ok(loaded.extension.as_ref()),
            None => self.pinned.get(point, name),
        }
    }
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

fn origin_name(origin: Origin) -> &'static str {
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
        attain_store::extensions::install(&mut tx, &installed, &loaded.bytes).await?;
        attain_store::extensions::activate(&mut tx, &identity.name, &identity.digest).await?;
        let entry = Entry::new(&self.actor, "install", &identity.name).after(identity.digest.as_str()).reason(&file.display().to_string());
        attain_audit::append(&mut tx, entry, now).await?;
        attain_store::versions::bump(&mut tx, attain_store::versions::Part::Extensions).await?;
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
        let known = attain_store::extensions::list(&mut tx).await?;
        let matching: Vec<_> = known.iter().filter(|own| own.name == name && own.digest.as_str().starts_with(digest)).collect();
        let chosen = match matching.as_slice() {
            [] => return Err(Refusal::not_found(format!("no version of `{name}` in the record begins with `{digest}`")).into()),
            [one] => one.digest.clone(),
            _ => return Err(Refusal::conflict(format!("several versions of `{name}` begin with `{digest}`; write more of it")).into()),
        };
        let before = known.iter().find(|own| own.name == name && own.active).map(|own| own.digest.0.clone()).unwrap_or_default();
        attain_store::extensions::activate(&mut tx, name, &chosen).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "activate", name).before(&before).after(chosen.as_str()), now_ms()).await?;
        attain_store::versions::bump(&mut tx, attain_store::versions::Part::Extensions).await?;
        tx.commit().await?;
        self.seal().await?;
        self.load_installed().await?;
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
        tx.commit().await?;
        self.seal().await
    }

    /// All active extensions, and the inactive versions that the record keeps.
    pub async fn extensions(&self) -> Result<Vec<InstalledExtension>> {
        let mut read = self.database.read().await?;
        let company = crate::company::read_company(&mut read).await?;
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

    /// Activates what the record says is active, with its grants.
    pub(crate) async fn load_installed(&self) -> Result<()> {
        let mut read = self.database.read().await?;
        for own in attain_store::extensions::list(&mut read).await?.iter().filter(|own| own.active) {
            let bytes = attain_store::extensions::blob(&mut read, &own.digest).await?;
            let bytes = bytes.with_context(|| format!("the record lost the file of extension `{}`", own.name))?;
            let origin = if own.origin == "wasm" { Origin::Wasm } else { Origin::Rhai };
            let loaded = self.bundle.load(origin, &bytes, Grant::default()).map_err(|fault| Refusal::extension(&own.name, &fault))?;
            self.bundle.activate(&loaded, "record");
        }
        Ok(())
    }

    /// Reloads extensions as their files are saved, until the watcher is dropped.
    pub fn watch(&self) -> Result<Watcher> {
        self.watch_with(|_| {})
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
        let known = schema::entity(entity).ok_or_else(|| Refusal::invalid(format!("`{entity}` is no entity")))?;
        let text = self.pulled(connector, entity, settings).await?;
        let rows = crate::folder::read_rows(known, &format!("{connector}:{entity}"), text.as_bytes())
            .map_err(|problems| crate::company::refused(&format!("what `{connector}` pulled"), &problems))?;
        self.import_table(known, &rows, connector).await
    }

    /// All pages of an entity from a connector, as one CSV text.
    pub(crate) async fn pulled(&self, connector: &str, entity: &str, settings: &serde_json::Value) -> Result<String> {
        let mut read = self.database.read().await?;
        let grants = attain_store::extensions::grants(&mut read, connector).await?;
        drop(read);
        let hosts = grants.into_iter().filter(|grant| grant.capability == "http").map(|grant| grant.subject).collect();
        let failed = |fault: Fault| Refusal::extension(connector, &fault);
        let pinned = self.bundle.registry.pin();
        let identity = pinned.get(Point::Connector, connector).map_err(failed)?.identity().clone();
        let bytes = self.bundle.registry.file(&identity.digest).with_context(|| format!("the file of `{connector}` is gone"))?;
        let loaded = self.bundle.load(identity.origin, &bytes, Grant { hosts }).map_err(failed)?;
        let pages = tokio::task::block_in_place(|| pages(loaded.extension.as_ref(), entity, settings)).map_err(failed)?;
        Ok(csv_of(&pages))
    }
}

/// A connector may ask for so many pages in one pull.
const PAGES_MAX: usize = 10_000;

fn pages(extension: &dyn Extension, entity: &str, settings: &serde_json::Value) -> Result<Vec<Table>, Fault> {
    use attain_domain::point::FaultKind;
    let mut cursor = String::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut pages = Vec::new();
    loop {
        let request =
            Table::new("request").with("entity", Column::text(&[Some(entity)])).with("cursor", Column::text(&[Some(cursor.as_str())]));
        let answer = extension.run(&Call { settings, input: &[request] })?;
        check_answer(Point::Connector.contract(), &answer.tables)?;
        pages.extend(answer.table("records").cloned());
        let next =
            answer.table("next").and_then(|next| next.texts("cursor")).and_then(|column| column.get(0)).unwrap_or_default().to_owned();
        if next.is_empty() {
            return Ok(pages);
        }
        if !seen.insert(next.clone()) || pages.len() >= PAGES_MAX {
            return Err(Fault::new(
                FaultKind::InvalidAnswer,
                format!("the cursor `{next}` came twice, or there are more than {PAGES_MAX} pages"),
            ));
        }
        cursor = next;
    }
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
