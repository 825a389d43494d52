//! Extensions as people see them: what is active and installed, what each may and did; uploads and grants.

use crate::access::{Action, Caller};
use crate::changes::{ChangeKind, NewChange};
use crate::extensions::{SCRIPTS, origin_name};
use crate::refusal::Refusal;
use crate::{Instance, now_ms, shown_ms};
use anyhow::{Context as _, Result};
use attain_audit::Entry;
use attain_domain::point::{Identity, Origin, Point};
use attain_extend::manifest::Capability;
use attain_extend::wasm::{self, Grant};
use attain_extend::{Limits, Loaded, Manifest, cases, script};
use attain_store::extensions::Installed;
use attain_store::versions::Part;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use utoipa::ToSchema;

/// An uploaded file has at most so many bytes.
pub const UPLOAD_BYTES_MAX: usize = 16 << 20;

/// What one batch may use, besides what grows with its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExtensionLimits {
    /// Fuel of a component, operations of a script.
    pub fuel: u64,
    /// `null` for scripts: what they hold is limited by number and length.
    pub memory_bytes: Option<u64>,
    pub wall_ms: u64,
}

/// What the last complete run asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastUse {
    pub run_id: String,
    pub calls: i64,
    pub fuel: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExtensionLine {
    pub point: String,
    pub name: String,
    pub version: String,
    /// `wasm` or `rhai`.
    pub origin: String,
    /// `bundled`, a path, `company` or `record`.
    pub source: String,
    pub active: bool,
    pub digest: String,
    /// Always `unsigned`: signatures are not checked yet.
    pub signature: String,
    /// Hosts that its manifest asks for; `*` where its settings name them.
    pub asks_for: Vec<String>,
    pub granted: Vec<String>,
    pub limits: ExtensionLimits,
    #[serde(rename = "use")]
    pub last_use: Option<LastUse>,
    pub case_count: usize,
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExtensionVersion {
    pub version: String,
    pub digest: String,
    pub origin: String,
    pub source: String,
    pub active: bool,
    /// `null` for what is not in the record.
    pub installed_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseResult {
    pub name: String,
    pub passed: bool,
    pub differences: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogLine {
    pub at: String,
    /// `log`, `fault` or `reload`.
    pub kind: String,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExtensionDetail {
    #[serde(flatten)]
    pub line: ExtensionLine,
    pub versions: Vec<ExtensionVersion>,
    #[schema(value_type = Object)]
    pub manifest: serde_json::Value,
    pub cases: Vec<CaseResult>,
    /// Interfaces that a component imports.
    pub imports: Vec<String>,
    /// The last 200 lines of this node since its start. What an extension wrote may tell what somebody is paid: whoever may not
    /// see all pay sees of it only which versions came.
    pub logs: Vec<LogLine>,
}

/// A file that was taken in. It is not active: that is a change, which a second person approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Uploaded {
    pub point: String,
    pub name: String,
    pub version: String,
    pub digest: String,
    pub origin: String,
    pub signature: String,
    pub asks_for: Vec<String>,
    pub cases: Vec<CaseResult>,
    /// Whether these bytes were there already.
    pub known_already: bool,
    /// The change that waits for approval.
    pub change_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// `host` or `host:port`, without scheme.
    #[schema(max_length = 253)]
    pub host: String,
}

fn limits_of(point: Point, origin: Origin) -> ExtensionLimits {
    match origin {
        Origin::Wasm => {
            let own = Limits::of(point);
            let wall_ms = u64::try_from(own.wall.as_millis()).unwrap_or(u64::MAX);
            ExtensionLimits { fuel: own.fuel, memory_bytes: Some(own.memory_bytes as u64), wall_ms }
        }
        Origin::Rhai => {
            let own = script::ScriptLimits::of(point);
            ExtensionLimits { fuel: own.operations, memory_bytes: None, wall_ms: own.wall_ms }
        }
    }
}

/// An extension with its file: all that is told of it is read from there.
struct Known {
    identity: Identity,
    source: String,
    active: bool,
    bytes: Arc<[u8]>,
    /// Of a script: the file beside it.
    cases: String,
}

impl Known {
    fn about(&self) -> (Option<Manifest>, usize) {
        let (manifest, cases_text) = match self.identity.origin {
            Origin::Wasm => {
                let own = wasm::sections(&self.bytes).unwrap_or_default();
                (own.manifest.and_then(|text| Manifest::parse(&text).ok()), own.cases.unwrap_or_default())
            }
            Origin::Rhai => (std::str::from_utf8(&self.bytes).ok().and_then(|text| Manifest::of_script(text).ok()), self.cases.clone()),
        };
        (manifest, cases::parse(&cases_text).map_or(0, |cases| cases.len()))
    }
}

fn asks_for(manifest: &Manifest) -> Vec<String> {
    if manifest.hosts.is_empty() && manifest.capabilities.contains(&Capability::Http) {
        vec!["*".to_owned()]
    } else {
        manifest.hosts.clone()
    }
}

fn results(loaded: &Loaded) -> Vec<CaseResult> {
    let outcomes = cases::run(loaded.extension.as_ref(), &loaded.cases);
    outcomes.into_iter().map(|own| CaseResult { name: own.name.clone(), passed: own.passed(), differences: own.differences }).collect()
}

/// Letters, digits and what parts of a host's name are joined by; names of extensions are of this form too.
fn is_host(text: &str) -> bool {
    (1..=253).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
}

fn origin_of(bytes: &[u8]) -> Origin {
    if bytes.starts_with(b"\0asm") { Origin::Wasm } else { Origin::Rhai }
}

/// The cases beside a script that is bundled or lies in a folder.
fn cases_beside(name: &str, source: &str) -> String {
    if source == "bundled" {
        return SCRIPTS.iter().find(|(own, ..)| *own == name).map_or_else(String::new, |(_, _, cases)| (*cases).to_owned());
    }
    // Without the file there are no cases.
    std::fs::read_to_string(Path::new(source).with_extension("cases.toml")).unwrap_or_default()
}

impl Instance {
    /// Every extension that is active here, the company's own scripts, and the inactive versions of the record.
    async fn known_extensions(&self, read: &mut attain_database::Connection) -> Result<Vec<Known>> {
        let company = self.company_at(read).await?;
        let mut all: BTreeMap<(Point, String, String), Known> = BTreeMap::new();
        let sources = self.bundle.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for extension in self.bundle.registry.pin().iter() {
            let identity = extension.identity().clone();
            let source = sources.get(&(identity.point, identity.name.clone())).cloned().unwrap_or_default();
            let bytes = self.bundle.registry.file(&identity.digest).unwrap_or_else(|| Arc::from([]));
            let cases = if identity.origin == Origin::Rhai { cases_beside(&identity.name, &source) } else { String::new() };
            let key = (identity.point, identity.name.clone(), String::new());
            all.insert(key, Known { identity, source, active: true, bytes, cases });
        }
        for (name, own) in company.iter().flat_map(|company| &company.scripts) {
            // One that does not load is refused where it is used.
            let Ok(loaded) = Loaded::script(&own.source, "") else { continue };
            let identity = loaded.extension.identity().clone();
            let key = (identity.point, name.clone(), String::new());
            let cases = own.cases.clone().unwrap_or_default();
            all.insert(key, Known { identity, source: "company".to_owned(), active: true, bytes: loaded.bytes, cases });
        }
        for own in attain_store::extensions::list(read).await?.into_iter().filter(|own| !own.active) {
            let Some(point) = Point::from_name(&own.point) else { continue };
            let bytes = attain_store::extensions::blob(read, &own.digest).await?.unwrap_or_default();
            let origin = if own.origin == "wasm" { Origin::Wasm } else { Origin::Rhai };
            let identity = Identity { name: own.name, version: own.version, point, origin, digest: own.digest };
            let key = (point, identity.name.clone(), identity.digest.0.clone());
            all.insert(key, Known { identity, source: "record".to_owned(), active: false, bytes: bytes.into(), cases: String::new() });
        }
        Ok(all.into_values().collect())
    }

    pub async fn extension_lines(&self, caller: &Caller) -> Result<Vec<ExtensionLine>> {
        caller.require(Action::SeeExtensions)?;
        let mut read = self.database.read().await?;
        let known = self.known_extensions(&mut read).await?;
        self.lines(&mut read, &known).await
    }

    async fn lines(&self, read: &mut attain_database::Connection, known: &[Known]) -> Result<Vec<ExtensionLine>> {
        let last = attain_store::runs::list(read).await?.into_iter().find(|head| head.complete).map(|head| head.run_id.0);
        let uses = match &last {
            Some(run_id) => attain_store::run_facts::uses(read, run_id).await?,
            None => Vec::new(),
        };
        let mut lines = Vec::new();
        for own in known {
            let (manifest, case_count) = own.about();
            let grants = if own.identity.point == Point::Connector {
                attain_store::extensions::grants(read, &own.identity.name).await?
            } else {
                Vec::new()
            };
            let used = uses.iter().find(|used| used.point == own.identity.point.name() && used.name == own.identity.name);
            let used = used.filter(|used| used.digest == own.identity.digest.as_str());
            lines.push(ExtensionLine {
                point: own.identity.point.name().to_owned(),
                name: own.identity.name.clone(),
                version: own.identity.version.clone(),
                origin: origin_name(own.identity.origin).to_owned(),
                source: own.source.clone(),
                active: own.active,
                digest: own.identity.digest.0.clone(),
                signature: "unsigned".to_owned(),
                asks_for: manifest.as_ref().map(asks_for).unwrap_or_default(),
                granted: grants.into_iter().map(|grant| grant.subject).collect(),
                limits: limits_of(own.identity.point, own.identity.origin),
                last_use: used.zip(last.as_ref()).map(|(used, run_id)| LastUse {
                    run_id: run_id.clone(),
                    calls: used.calls,
                    fuel: used.fuel,
                }),
                case_count,
                description: manifest.map(|own| own.description).unwrap_or_default(),
            });
        }
        Ok(lines)
    }

    /// The active version, or the newest one in the record where none is active. Its cases are run.
    pub async fn extension_detail(&self, caller: &Caller, point: &str, name: &str) -> Result<ExtensionDetail> {
        caller.require(Action::SeeExtensions)?;
        let no_such = || Refusal::not_found(format!("there is no extension `{name}` at point `{point}`"));
        let wanted = Point::from_name(point).ok_or_else(no_such)?;
        let mut read = self.database.read().await?;
        let mut known = self.known_extensions(&mut read).await?;
        known.retain(|own| own.identity.point == wanted && own.identity.name == name);
        let installed: Vec<Installed> =
            attain_store::extensions::list(&mut read).await?.into_iter().filter(|own| own.point == point && own.name == name).collect();
        let newest = installed.first().map(|own| own.digest.clone());
        let at =
            known.iter().position(|own| own.active).or_else(|| known.iter().position(|own| Some(&own.identity.digest) == newest.as_ref()));
        let chosen = &known[at.ok_or_else(no_such)?];
        let line = self.lines(&mut read, std::slice::from_ref(chosen)).await?.pop().context("one line was asked for")?;
        drop(read);
        let installed_at = |digest: &str| installed.iter().find(|own| own.digest.as_str() == digest).map(|own| own.installed_at);
        let mut versions: Vec<(Option<i64>, ExtensionVersion)> = known
            .iter()
            .map(|own| {
                let at = installed_at(own.identity.digest.as_str());
                let version = ExtensionVersion {
                    version: own.identity.version.clone(),
                    digest: own.identity.digest.0.clone(),
                    origin: origin_name(own.identity.origin).to_owned(),
                    source: own.source.clone(),
                    active: own.active,
                    installed_at: at.map(shown_ms),
                };
                (at, version)
            })
            .collect();
        versions.sort_by_key(|(at, version)| (!version.active, std::cmp::Reverse(*at)));
        let (manifest, _) = chosen.about();
        let loaded = tokio::task::block_in_place(|| match chosen.identity.origin {
            Origin::Wasm => self.bundle.load(Origin::Wasm, &chosen.bytes, Grant::default()),
            Origin::Rhai => Loaded::script(std::str::from_utf8(&chosen.bytes).unwrap_or_default(), &chosen.cases),
        })
        .map_err(|fault| Refusal::extension(name, &fault))?;
        let imports = match chosen.identity.origin {
            Origin::Wasm => wasm::imports(&chosen.bytes).map_err(|fault| Refusal::extension(name, &fault))?,
            Origin::Rhai => Vec::new(),
        };
        let shown = caller.may(Action::SeeAllPay);
        let lines = self.bundle.logs.of(wanted, name).into_iter().filter(|own| shown || own.kind == "reload");
        Ok(ExtensionDetail {
            line,
            versions: versions.into_iter().map(|(_, version)| version).collect(),
            manifest: serde_json::to_value(manifest)?,
            cases: tokio::task::block_in_place(|| results(&loaded)),
            imports,
            logs: lines.map(|own| LogLine { at: shown_ms(own.at), kind: own.kind.to_owned(), message: own.message }).collect(),
        })
    }

    /// Takes a file into the record without making it active. One with a red case is refused.
    pub async fn install_inactive(&self, caller: &Caller, bytes: &[u8]) -> Result<Uploaded> {
        caller.require(Action::ManageExtensions)?;
        if bytes.len() > UPLOAD_BYTES_MAX {
            return Err(Refusal::invalid(format!("the file has more than {} MiB", UPLOAD_BYTES_MAX >> 20)).into());
        }
        let origin = origin_of(bytes);
        let loaded = tokio::task::block_in_place(|| self.bundle.load(origin, bytes, Grant::default()));
        let loaded = loaded.map_err(|fault| Refusal::extension("uploaded", &fault))?;
        let identity = loaded.extension.identity().clone();
        let cases = tokio::task::block_in_place(|| results(&loaded));
        let red: Vec<String> =
            cases.iter().filter(|own| !own.passed).map(|own| format!("case `{}`: {}", own.name, own.differences.join("; "))).collect();
        if !red.is_empty() {
            return Err(Refusal::invalid(format!("cases of `{}` are red; nothing was changed", identity.name)).with_details(red).into());
        }
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let known = attain_store::extensions::list(&mut tx).await?;
        if let Some(other) = known.iter().find(|own| own.name == identity.name && own.point != identity.point.name()) {
            let message = format!("`{}` is an extension of point `{}` already; give it another name", identity.name, other.point);
            return Err(Refusal::conflict(message).into());
        }
        let installed = Installed {
            name: identity.name.clone(),
            point: identity.point.name().to_owned(),
            digest: identity.digest.clone(),
            origin: origin_name(origin).to_owned(),
            version: identity.version.clone(),
            manifest: serde_json::to_string(&loaded.manifest)?,
            active: false,
            installed_at: now,
        };
        let is_new = attain_store::extensions::install(&mut tx, &installed, &loaded.bytes).await?;
        if is_new {
            let entry = Entry::new(&self.actor, "install", &identity.name).after(identity.digest.as_str()).reason("uploaded, not active");
            attain_store::versions::bump(&mut tx, Part::Extensions).await?;
            attain_audit::append(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        self.seal().await?;
        let is_active = known.iter().any(|own| own.active && own.digest == identity.digest);
        let change_id =
            if is_active { None } else { Some(self.submit_activation(caller, &identity.name, identity.digest.as_str()).await?) };
        Ok(Uploaded {
            point: identity.point.name().to_owned(),
            name: identity.name,
            version: identity.version,
            digest: identity.digest.0,
            origin: origin_name(origin).to_owned(),
            signature: "unsigned".to_owned(),
            asks_for: asks_for(&loaded.manifest),
            cases,
            known_already: !is_new,
            change_id,
        })
    }

    /// Asks a second person to make a version the active one.
    async fn submit_activation(&self, caller: &Caller, name: &str, digest: &str) -> Result<String> {
        let payload = serde_json::json!({ "name": name, "digest": digest });
        let comment = format!("activate {name} {}", digest.get(..12).unwrap_or(digest));
        let new = NewChange { kind: ChangeKind::Extension, object: name.to_owned(), payload, comment, base_digest: None };
        Ok(self.submit_new_change(caller, new).await?.head.change_id)
    }

    /// Lets a connector reach a host that its manifest asks for.
    pub async fn grant_host(&self, caller: &Caller, name: &str, new: &NewGrant) -> Result<()> {
        caller.require(Action::ManageExtensions)?;
        let host = new.host.trim().to_ascii_lowercase();
        if !is_host(&host) {
            return Err(Refusal::invalid(format!("`{}` is no host; write `host` or `host:port`, without scheme and path", new.host)).into());
        }
        let mut read = self.database.read().await?;
        let known = self.known_extensions(&mut read).await?;
        drop(read);
        let connector = known.iter().find(|own| own.identity.point == Point::Connector && own.identity.name == name);
        let connector = connector.ok_or_else(|| Refusal::not_found(format!("there is no connector `{name}`")))?;
        let asked = connector.about().0.as_ref().map(asks_for).unwrap_or_default();
        if !asked.iter().any(|own| own == "*" || own.eq_ignore_ascii_case(&host)) {
            let all = if asked.is_empty() { "no host".to_owned() } else { format!("`{}`", asked.join("`, `")) };
            return Err(Refusal::invalid(format!("`{name}` does not ask for `{host}`; its manifest asks for {all}")).into());
        }
        self.grant(name, &host).await
    }

    /// Takes a host away; the next call of the connector, even of a pull under way, is refused it.
    pub async fn revoke_host(&self, caller: &Caller, name: &str, host: &str) -> Result<()> {
        caller.require(Action::ManageExtensions)?;
        if !is_host(host) || !is_host(name) {
            return Err(Refusal::not_found(format!("`{name}` was not granted `{host}`")).into());
        }
        self.revoke(name, host).await
    }
}
