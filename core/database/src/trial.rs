//! Throw-away databases for tests: a SQLite file, and a database of its own on the PostgreSQL server that
//! `ATTAIN_TEST_POSTGRES` names.

use crate::{Access, Database};
use sqlx::{AssertSqlSafe, Connection as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// A database that is removed with [`Trial::remove`].
#[derive(Debug)]
pub struct Trial {
    pub database: Database,
    pub url: String,
    folder: Option<PathBuf>,
}

fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("attain_trial_{}_{}_{nanos}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Trial {
    pub async fn sqlite() -> anyhow::Result<Trial> {
        let folder = std::env::temp_dir().join(unique());
        std::fs::create_dir(&folder)?;
        let url = format!("sqlite:{}", folder.join("attain.db").display());
        Ok(Trial { database: Database::open(&url, Access::Command).await?, url, folder: Some(folder) })
    }

    /// `None` where `ATTAIN_TEST_POSTGRES` is not set.
    pub async fn postgres() -> anyhow::Result<Option<Trial>> {
        let Some(admin) = admin_url() else { return Ok(None) };
        sqlx::any::install_default_drivers();
        let name = unique();
        let mut connection = sqlx::AnyConnection::connect(&admin).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await?;
        connection.close().await?;
        let url = database_url(&admin, &name);
        Ok(Some(Trial { database: Database::open(&url, Access::Command).await?, url, folder: None }))
    }

    /// One of each kind that there is; says so where PostgreSQL is left out.
    #[expect(clippy::print_stderr, reason = "a test that is left out must be seen")]
    pub async fn each() -> anyhow::Result<Vec<Trial>> {
        let mut trials = vec![Trial::sqlite().await?];
        match Trial::postgres().await? {
            Some(trial) => trials.push(trial),
            None => eprintln!("PostgreSQL is left out: `ATTAIN_TEST_POSTGRES` does not name a server"),
        }
        Ok(trials)
    }

    pub async fn remove(self) -> anyhow::Result<()> {
        self.database.close().await;
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder)?;
        } else if let Some(admin) = admin_url() {
            let name = self.url.rsplit('/').next().and_then(|rest| rest.split('?').next()).unwrap_or_default();
            let mut connection = sqlx::AnyConnection::connect(&admin).await?;
            sqlx::raw_sql(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&mut connection).await?;
            connection.close().await?;
        }
        Ok(())
    }
}

fn admin_url() -> Option<String> {
    std::env::var("ATTAIN_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// `admin` with another database name; the options after `?` stay.
fn database_url(admin: &str, name: &str) -> String {
    let (address, options) = admin.split_once('?').map_or((admin, String::new()), |(address, options)| (address, format!("?{options}")));
    let start = address.find("://").map_or(0, |index| index + 3);
    let end = address[start..].find('/').map_or(address.len(), |index| start + index);
    format!("{}/{name}{options}", &address[..end])
}
