//! Installed extensions by digest, which of them is active, and what an admin granted to them.

use anyhow::ensure;
use attain_database::sqlx;
use attain_database::{Connection, Tx};
use attain_domain::ids::ExtensionDigest;

/// One installed version. `origin` says where it came from, `manifest` is its own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub name: String,
    pub point: String,
    pub digest: ExtensionDigest,
    pub origin: String,
    pub version: String,
    pub manifest: String,
    pub active: bool,
    pub installed_at: i64,
}

/// Something an extension may do, for example capability `http` with a host as its subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    pub name: String,
    pub capability: String,
    pub subject: String,
    pub granted_by: String,
    pub granted_at: i64,
}

/// Keeps the bytes of what a run used, installed or not.
pub async fn keep(tx: &mut Tx, digest: &ExtensionDigest, bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(crate::digest(bytes) == digest.0, "a file does not have the digest {digest}");
    sqlx::query("insert into extension_blobs (digest, body) values ($1, $2) on conflict do nothing")
        .bind(digest.0.clone())
        .bind(bytes)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Keeps the bytes and the version, not active. Answers whether it was new; the same bytes under one name are one version.
pub async fn install(tx: &mut Tx, extension: &Installed, bytes: &[u8]) -> anyhow::Result<bool> {
    keep(tx, &extension.digest, bytes).await?;
    let done = sqlx::query(
        "insert into extensions (name, point, digest, origin, version, manifest, active, installed_at) \
         values ($1, $2, $3, $4, $5, $6, 0, $7) on conflict do nothing",
    )
    .bind(extension.name.clone())
    .bind(extension.point.clone())
    .bind(extension.digest.0.clone())
    .bind(extension.origin.clone())
    .bind(extension.version.clone())
    .bind(extension.manifest.clone())
    .bind(extension.installed_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes an installed version the active one of its name; rolling back is activating an earlier digest.
pub async fn activate(tx: &mut Tx, name: &str, digest: &ExtensionDigest) -> anyhow::Result<()> {
    deactivate(tx, name).await?;
    let done = sqlx::query("update extensions set active = 1 where name = $1 and digest = $2")
        .bind(name)
        .bind(digest.0.clone())
        .execute(&mut **tx)
        .await?;
    ensure!(done.rows_affected() == 1, "extension `{name}` has no version `{digest}`: install it first");
    Ok(())
}

/// Leaves no version of the name active.
pub async fn deactivate(tx: &mut Tx, name: &str) -> anyhow::Result<()> {
    sqlx::query("update extensions set active = 0 where name = $1 and active = 1").bind(name).execute(&mut **tx).await?;
    Ok(())
}

/// All versions in order of name, newest first.
pub async fn list(connection: &mut Connection) -> anyhow::Result<Vec<Installed>> {
    type Row = (String, String, String, String, String, String, i64, i64);
    let rows: Vec<Row> = sqlx::query_as("select name, point, digest, origin, version, manifest, active, installed_at from extensions")
        .fetch_all(connection)
        .await?;
    let mut list: Vec<Installed> = rows
        .into_iter()
        .map(|(name, point, digest, origin, version, manifest, active, installed_at)| Installed {
            name,
            point,
            digest: ExtensionDigest(digest),
            origin,
            version,
            manifest,
            active: active == 1,
            installed_at,
        })
        .collect();
    list.sort_by(|left, right| (&left.name, right.installed_at, &left.digest).cmp(&(&right.name, left.installed_at, &right.digest)));
    Ok(list)
}

/// The bytes of a version, active or not.
pub async fn blob(connection: &mut Connection, digest: &ExtensionDigest) -> anyhow::Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar("select body from extension_blobs where digest = $1").bind(digest.0.clone()).fetch_optional(connection).await?)
}

pub async fn grant(tx: &mut Tx, grant: &Grant) -> anyhow::Result<()> {
    sqlx::query(
        "insert into extension_grants (name, capability, subject, granted_by, granted_at) values ($1, $2, $3, $4, $5) on conflict do nothing",
    )
    .bind(grant.name.clone())
    .bind(grant.capability.clone())
    .bind(grant.subject.clone())
    .bind(grant.granted_by.clone())
    .bind(grant.granted_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn revoke(tx: &mut Tx, name: &str, capability: &str, subject: &str) -> anyhow::Result<bool> {
    let done = sqlx::query("delete from extension_grants where name = $1 and capability = $2 and subject = $3")
        .bind(name)
        .bind(capability)
        .bind(subject)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What was granted to an extension, in order.
pub async fn grants(connection: &mut Connection, name: &str) -> anyhow::Result<Vec<Grant>> {
    let rows: Vec<(String, String, String, String, i64)> =
        sqlx::query_as("select name, capability, subject, granted_by, granted_at from extension_grants where name = $1")
            .bind(name)
            .fetch_all(connection)
            .await?;
    let mut grants: Vec<Grant> = rows
        .into_iter()
        .map(|(name, capability, subject, granted_by, granted_at)| Grant { name, capability, subject, granted_by, granted_at })
        .collect();
    grants.sort();
    Ok(grants)
}
