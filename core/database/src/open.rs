//! Opening: what is asked of a database before anything is entrusted to it.

use crate::migrations::{self, SCHEMA_VERSION, schema_version};
use crate::{Access, Database, Kind, Refused};
use anyhow::Context as _;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection as _};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Earlier versions can corrupt a database in WAL mode when a checkpoint and a write meet.
const SQLITE_OLDEST: (u32, u32, u32) = (3, 51, 3);
const POSTGRES_OLDEST: i64 = 15;

/// `synchronous = full` makes every commit survive a power cut, `trusted_schema = off` keeps a hostile file from running code.
/// The write-ahead log may grow to 40 MB, so that the chunks of a large run are not written twice within its commit.
const SQLITE_SETTINGS: &str = "pragma busy_timeout = 30000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                               pragma trusted_schema = off; pragma mmap_size = 0; pragma cell_size_check = on; pragma wal_autocheckpoint = 10000;";

fn refuse<T>(message: String) -> anyhow::Result<T> {
    Err(Refused(message).into())
}

pub(crate) async fn open(url: &str, access: Access) -> anyhow::Result<Database> {
    sqlx::any::install_default_drivers();
    if let Some(path) = url.strip_prefix("sqlite:") {
        open_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path)), access).await
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        open_postgres(url).await
    } else {
        let scheme = url.split(':').next().unwrap_or_default();
        refuse(format!("database scheme `{scheme}` is not known: give `sqlite:<path>` or `postgres://<user>@<host>/<name>`"))
    }
}

async fn open_sqlite(path: &Path, access: Access) -> anyhow::Result<Database> {
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        return refuse("a SQLite database needs a file: give `sqlite:<path>`".into());
    }
    let path = std::path::absolute(path)?;
    let shown = path.display().to_string();
    let Some(folder) = path.parent().filter(|folder| folder.is_dir()) else {
        return refuse(format!("the folder of `{shown}` does not exist: create it or give another path"));
    };
    if let Some(system) = network_file_system(folder) {
        return refuse(format!("`{shown}` lies on a network file system (`{system}`), where locks do not hold: move it to a local disk"));
    }
    let mut lock = match access {
        Access::Server => Some(take_lock(&path)?),
        Access::Command => None,
    };
    let Some(text) = path.to_str() else {
        return refuse(format!("the path `{shown}` is not UTF-8: give another"));
    };
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23").replace(' ', "%20");
    let pool = AnyPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(|connection, _| Box::pin(async move { sqlx::raw_sql(SQLITE_SETTINGS).execute(connection).await.map(|_| ()) }))
        .connect(&format!("sqlite:{escaped}?mode=rwc"))
        .await
        .with_context(|| format!("cannot open `{shown}`"))?;
    let mut connection = pool.acquire().await?;
    check_sqlite(&mut connection).await?;
    let present = schema_version(&mut connection).await?;
    drop(connection);
    if present < SCHEMA_VERSION {
        let alone = match lock.take() {
            Some(lock) => lock,
            None => take_lock(&path)?,
        };
        migrations::migrate(&pool, Kind::Sqlite).await?;
        lock = (access == Access::Server).then_some(alone);
    }
    Ok(Database { pool, kind: Kind::Sqlite, writer: Arc::new(Mutex::new(())), _lock: lock.map(Arc::new) })
}

async fn open_postgres(url: &str) -> anyhow::Result<Database> {
    // Alone first: the pool would go on trying for its whole timeout where nobody listens.
    let reach = "cannot reach the PostgreSQL server: check the address, the user and that it runs";
    AnyConnection::connect(url).await.context(reach)?.close().await?;
    let pool: AnyPool =
        AnyPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(30)).connect(url).await.context(reach)?;
    let mut connection = pool.acquire().await?;
    check_postgres(&mut connection).await?;
    let present = schema_version(&mut connection).await?;
    drop(connection);
    if present < SCHEMA_VERSION {
        migrations::migrate(&pool, Kind::Postgres).await?;
    }
    Ok(Database { pool, kind: Kind::Postgres, writer: Arc::new(Mutex::new(())), _lock: None })
}

fn take_lock(path: &Path) -> anyhow::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .with_context(|| format!("cannot create the lock file `{}`", name.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            refuse(format!("`{}` is in use by a running server: stop it first (it holds `{}`)", path.display(), name.display()))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock `{}`", name.display())),
    }
}

/// The kind of the file system that holds `folder`, where it is one that other machines share.
fn network_file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let holding = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?.replace("\\040", " "), words.next()?))
        })
        .filter(|(place, _)| folder.starts_with(place))
        .max_by_key(|(place, _)| place.len())?;
    let shared = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "ceph", "glusterfs", "fuse.glusterfs", "afs", "lustre"];
    shared.contains(&holding.1).then(|| holding.1.to_owned())
}

async fn check_sqlite(connection: &mut AnyConnection) -> anyhow::Result<()> {
    let version: String = sqlx::query_scalar("select sqlite_version()").fetch_one(&mut *connection).await?;
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < SQLITE_OLDEST {
        return refuse(format!("this program was built with SQLite {version}: build it with 3.51.3 or newer"));
    }
    let journal: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&mut *connection).await?;
    if journal != "wal" {
        return refuse(format!("SQLite journal mode is `{journal}`, not `wal`: move the database to a file system that can hold a WAL"));
    }
    let wanted: [(&'static str, &str, i64); 3] = [
        ("pragma synchronous", "synchronous", 2),
        ("pragma foreign_keys", "foreign_keys", 1),
        ("pragma trusted_schema", "trusted_schema", 0),
    ];
    for (question, name, wanted) in wanted {
        let value: i64 = sqlx::query_scalar(question).fetch_one(&mut *connection).await?;
        if value != wanted {
            return refuse(format!(
                "SQLite did not take `{name} = {wanted}` (it is {value}): this program must be built with a SQLite that does"
            ));
        }
    }
    Ok(())
}

async fn check_postgres(connection: &mut AnyConnection) -> anyhow::Result<()> {
    let version: String = sqlx::query_scalar("select current_setting('server_version_num')").fetch_one(&mut *connection).await?;
    let major = version.parse::<i64>().unwrap_or(0) / 10_000;
    if major < POSTGRES_OLDEST {
        return refuse(format!("the server is PostgreSQL {major}: version {POSTGRES_OLDEST} or newer is needed"));
    }
    let questions = [
        ("fsync", "select current_setting('fsync')"),
        ("full_page_writes", "select current_setting('full_page_writes')"),
        ("synchronous_commit", "select current_setting('synchronous_commit')"),
    ];
    for (name, question) in questions {
        let value: String = sqlx::query_scalar(question).fetch_one(&mut *connection).await?;
        if value == "off" {
            return refuse(format!(
                "PostgreSQL has `{name} = off`, so a crash can lose what was committed: set `{name} = on` and restart it"
            ));
        }
    }
    Ok(())
}
