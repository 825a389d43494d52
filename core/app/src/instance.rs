//! One running Attain: its database, its keys, its extensions.

use crate::access::Caller;
use crate::extensions::{self, Bundle};
use crate::live::{Event, Live};
use crate::oidc::OidcConfig;
use crate::outbox::{Outward, OutwardConfig};
use crate::refusal::Refusal;
use anyhow::{Context, Result};
use attain_audit::Seal;
use attain_database::{Access, Database};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Changes that another process made are told this much later at most.
const TOLD_EVERY: std::time::Duration = std::time::Duration::from_millis(300);

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`
    pub database: String,
    /// Folder of keys and caches; beside the database file where `None`.
    pub home: Option<PathBuf>,
    /// Folders of built plugins and of scripts.
    pub plugins: Vec<PathBuf>,
    /// Who acts, for the audit trail.
    pub actor: String,
    pub oidc: Option<OidcConfig>,
    pub outward: OutwardConfig,
}

impl Config {
    /// The folder of keys: as configured, else `<database file>.home`, else `attain.home`.
    pub fn home(&self) -> PathBuf {
        if let Some(home) = &self.home {
            return home.clone();
        }
        match self.database.strip_prefix("sqlite:") {
            Some(path) => PathBuf::from(format!("{}.home", path.trim_start_matches("//"))),
            None => PathBuf::from("attain.home"),
        }
    }
}

/// Clones share everything but who acts; see [`Instance::acting_as`].
#[derive(Clone)]
pub struct Instance {
    pub(crate) database: Database,
    pub(crate) bundle: Bundle,
    pub(crate) seal: Arc<Seal>,
    pub(crate) actor: String,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) live: Arc<Live>,
    pub(crate) oidc: Option<Arc<OidcConfig>>,
    pub(crate) outward: Arc<Outward>,
}

/// What checking the trail found.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AuditReport {
    pub entries: i64,
    pub checkpoints: i64,
    /// Rows and postings of the record that were compared with what the trail says of them.
    pub rows: u64,
    /// Empty when nothing was tampered with.
    pub faults: Vec<String>,
}

impl Instance {
    pub async fn open(config: &Config) -> Result<Instance> {
        let bundle = extensions::bundled_with_cache(&config.plugins, &cache_folder(config))?;
        Instance::open_as(config, bundle, Access::Command).await
    }

    /// Like [`Instance::open`], but holding the record as its one server.
    pub async fn open_server(config: &Config) -> Result<Instance> {
        let bundle = extensions::bundled_with_cache(&config.plugins, &cache_folder(config))?;
        Instance::open_as(config, bundle, Access::Server).await
    }

    /// With extensions that are loaded already.
    pub async fn open_with(config: &Config, bundle: Bundle) -> Result<Instance> {
        Instance::open_as(config, bundle, Access::Command).await
    }

    async fn open_as(config: &Config, bundle: Bundle, access: Access) -> Result<Instance> {
        let home = config.home();
        std::fs::create_dir_all(&home)
            .with_context(|| format!("`{}` could not be made; name another folder with --home", home.display()))?;
        let database = Database::open(&config.database, access).await?;
        let seal = Seal::open(&home)?;
        let instance = Instance {
            database,
            bundle: bundle.of_instance(),
            seal: Arc::new(seal),
            actor: config.actor.clone(),
            folders: extensions::folders(&config.plugins),
            live: Arc::default(),
            oidc: config.oidc.clone().map(Arc::new),
            outward: Arc::new(Outward::new(&config.outward, &home)?),
        };
        instance.load_installed().await?;
        if access == Access::Server && instance.database.kind() == attain_database::Kind::Sqlite {
            // The one server of this record starts: no request can be at work.
            let mut tx = instance.database.begin().await?;
            attain_store::once::forget_dead(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(instance)
    }

    /// The same instance in the name of somebody else, for the audit trail.
    pub fn acting_as(&self, caller: &Caller) -> Instance {
        Instance { actor: caller.user_id.clone(), ..self.clone() }
    }

    /// What happens from now on, in this process and, a second later, in others on the same record.
    pub fn listen(&self) -> tokio::sync::broadcast::Receiver<Event> {
        self.live.listen()
    }

    /// Who acts, as the trail will say.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The versions of now, as a listener is told them.
    pub async fn record_event(&self) -> Result<Event> {
        let mut connection = self.database.glance().await?;
        let versions = attain_store::versions::current(&mut connection).await?;
        Ok(Event::Record { company: versions.company, runs: versions.runs, extensions: versions.extensions, work: versions.work })
    }

    /// Tells listeners of changes of the record, whoever made them, until dropped.
    pub async fn tell_of_changes(&self) {
        let mut last = None;
        loop {
            match self.record_event().await {
                Ok(event) if last.as_ref() != Some(&event) => {
                    if let Err(error) = self.follow_extensions().await {
                        tracing::warn!("an extension of the record is not active here: {error:#}");
                    }
                    self.tell(event.clone());
                    last = Some(event);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!("the record's versions could not be read: {error:#}"),
            }
            tokio::time::sleep(TOLD_EVERY).await;
        }
    }

    pub fn tell(&self, event: Event) {
        self.live.tell(event);
    }

    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Whether the record answers.
    pub async fn ready(&self) -> Result<()> {
        self.database.read().await.map(drop)
    }

    /// Seals what is new in the trail; called after every change.
    pub(crate) async fn seal(&self) -> Result<()> {
        attain_audit::checkpoint(&self.database, &self.seal, now_ms()).await.map(drop)
    }

    /// Checks the trail, and that the rows of the record are those that the trail tells of.
    pub async fn verify_audit(&self) -> Result<AuditReport> {
        let report = attain_audit::verify(&self.database, &self.seal).await?;
        let mut faults: Vec<String> = report.faults.iter().map(|fault| format!("entry {}: {}", fault.sequence, fault.what)).collect();
        let (rows, altered) = self.altered_rows().await?;
        faults.extend(altered);
        Ok(AuditReport { entries: report.entries, checkpoints: report.checkpoints, rows, faults })
    }

    /// The versions of one record, oldest first; `key` as in the entity's file.
    pub async fn history(&self, entity: &str, key: &[&str]) -> Result<Vec<attain_store::entities::RecordVersion>> {
        let known = attain_domain::schema::entity(entity).ok_or_else(|| Refusal::not_found(format!("`{entity}` is no entity")))?;
        let mut read = self.database.read().await?;
        attain_store::entities::history(&mut read, known, key).await
    }
}

fn cache_folder(config: &Config) -> PathBuf {
    config.home().join("compiled")
}

/// A name under which a failure stands in the log and in the answer.
pub fn incident_id() -> String {
    format!("{:x}", SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()))
}

/// Milliseconds since 1970, for the record only.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// An instant as RFC 3339.
pub(crate) fn shown_ms(at: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at).map_or_else(|| at.to_string(), |at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// A key of the host, made on first use and readable by its owner only.
pub(crate) fn host_key(folder: &Path) -> Result<[u8; 32]> {
    std::fs::create_dir_all(folder)?;
    home_key(&folder.join("host.key"), "remove it and start again")
}

/// The key in a file, made on first use and readable by its owner only. `advice` is for one whose file is damaged.
pub(crate) fn home_key(path: &Path, advice: &str) -> Result<[u8; 32]> {
    use std::io::Read as _;
    let mut key = [0u8; 32];
    match std::fs::File::open(path) {
        Ok(mut file) => {
            file.read_exact(&mut key).with_context(|| format!("`{}` is damaged; {advice}", path.display()))?;
            return Ok(key);
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("`{}` cannot be read", path.display()));
        }
        Err(_) => {}
    }
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    let is_ours = attain_audit::write_once(path, &key).with_context(|| format!("`{}` cannot be written", path.display()))?;
    if is_ours { Ok(key) } else { home_key(path, advice) }
}
