//! The schema's versions, forward only. A file of `migrations/` is one version; it is never edited once it has been released.
//!
//! To add one: add the file and its entry in [`MIGRATIONS`]. Statements are parted by blank lines; a paragraph that begins with
//! `-- only sqlite` or `-- only postgres` runs there alone.

use crate::{Kind, Refused};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection as _};

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "foundation", include_str!("../../../migrations/0001_foundation.sql")),
    (2, "access", include_str!("../../../migrations/0002_access.sql")),
    (3, "jobs", include_str!("../../../migrations/0003_jobs.sql")),
    (4, "changes", include_str!("../../../migrations/0004_changes.sql")),
    (5, "imports", include_str!("../../../migrations/0005_imports.sql")),
    (6, "settlement", include_str!("../../../migrations/0006_settlement.sql")),
    (7, "people", include_str!("../../../migrations/0007_people.sql")),
    (8, "payouts", include_str!("../../../migrations/0008_payouts.sql")),
    (9, "plan documents", include_str!("../../../migrations/0009_plan_documents.sql")),
    (10, "crediting", include_str!("../../../migrations/0010_crediting.sql")),
    (11, "once", include_str!("../../../migrations/0011_once.sql")),
    (12, "one thread", include_str!("../../../migrations/0012_one_thread.sql")),
    (13, "webhook keys", include_str!("../../../migrations/0013_webhook_keys.sql")),
    (14, "stamps", include_str!("../../../migrations/0014_stamps.sql")),
    (16, "row hashes", include_str!("../../../migrations/0016_row_hashes.sql")),
];

/// The newest version of the schema that this program knows.
pub const SCHEMA_VERSION: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// The version of the schema in the database; 0 for an empty one. Refuses what this program does not know.
pub async fn schema_version(connection: &mut AnyConnection) -> anyhow::Result<i64> {
    let tables: i64 = match Kind::of(connection) {
        Kind::Sqlite => sqlx::query_scalar("select count(*) from sqlite_master where type = 'table' and name = 'migrations'"),
        Kind::Postgres => sqlx::query_scalar(
            "select count(*) from information_schema.tables where table_schema = current_schema() and table_name = 'migrations'",
        ),
    }
    .fetch_one(&mut *connection)
    .await?;
    if tables == 0 {
        return Ok(0);
    }
    let applied: Vec<(i64, String)> =
        sqlx::query_as("select version, digest from migrations order by version").fetch_all(connection).await?;
    for (version, applied_digest) in &applied {
        match MIGRATIONS.iter().find(|(known, ..)| known == version) {
            None => {
                return Err(Refused(format!(
                    "the database has schema version {version}, this program knows up to {SCHEMA_VERSION}: start the newer program that \
                     made it, or restore a backup from before the upgrade"
                ))
                .into());
            }
            Some((_, name, sql)) if digest(sql) != *applied_digest => {
                return Err(Refused(format!(
                    "migration {version} `{name}` was applied with another text than this program has: start the program that applied it"
                ))
                .into());
            }
            Some(_) => {}
        }
    }
    Ok(applied.last().map_or(0, |(version, _)| *version))
}

/// Applies what is missing, all of it in one transaction.
pub(crate) async fn migrate(pool: &AnyPool, kind: Kind) -> anyhow::Result<()> {
    migrate_until(pool, kind, SCHEMA_VERSION).await
}

/// As [`migrate`], up to and with a version.
pub(crate) async fn migrate_until(pool: &AnyPool, kind: Kind, last: i64) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await?;
    let mut transaction = match kind {
        Kind::Sqlite => connection.begin_with("begin immediate").await?,
        Kind::Postgres => connection.begin().await?,
    };
    if kind == Kind::Postgres {
        // Several nodes may start at once.
        sqlx::query("select pg_advisory_xact_lock(4120210001)").execute(&mut *transaction).await?;
    }
    let present = schema_version(&mut transaction).await?;
    if present == 0 {
        let sql = "create table migrations (version bigint not null, name text not null, digest text not null, applied_at bigint not null, \
                   constraint migrations_pk primary key (version))";
        sqlx::query(sql).execute(&mut *transaction).await?;
    }
    for (version, name, sql) in MIGRATIONS.iter().filter(|(version, ..)| *version > present && *version <= last) {
        for paragraph in sql.split("\n\n").filter(|paragraph| runs_on(paragraph, kind)) {
            sqlx::raw_sql(AssertSqlSafe(paragraph.to_owned()))
                .execute(&mut *transaction)
                .await
                .map_err(|error| anyhow::anyhow!("migration {version} `{name}`: {error} in: {paragraph}"))?;
        }
        let applied_at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as i64;
        sqlx::query("insert into migrations (version, name, digest, applied_at) values ($1, $2, $3, $4)")
            .bind(*version)
            .bind(*name)
            .bind(digest(sql))
            .bind(applied_at)
            .execute(&mut *transaction)
            .await?;
        tracing::info!(version, name, "schema migrated");
    }
    transaction.commit().await?;
    Ok(())
}

fn runs_on(paragraph: &str, kind: Kind) -> bool {
    let only = paragraph.trim_start().lines().next().and_then(|line| line.strip_prefix("-- only "));
    let named = only.is_none_or(|name| name.trim() == if kind == Kind::Sqlite { "sqlite" } else { "postgres" });
    named && paragraph.lines().any(|line| !line.trim().is_empty() && !line.starts_with("--"))
}
