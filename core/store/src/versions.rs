//! How often a part of the record was changed, so that what is kept in memory is known to be current.

use attain_database::sqlx;
use attain_database::{Connection, Tx};

/// The parts that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Entities and documents.
    Company,
    Runs,
    Extensions,
    /// What people work on: changes that wait, disputes, imports, schedules.
    Work,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Company => "company",
            Part::Runs => "runs",
            Part::Extensions => "extensions",
            Part::Work => "work",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub struct Versions {
    pub company: i64,
    pub runs: i64,
    pub extensions: i64,
    pub work: i64,
}

/// Counts one more change of a part, in the transaction that makes it, and stamps it.
pub async fn bump(tx: &mut Tx, part: Part) -> anyhow::Result<()> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    // 0 is that of a record in which nothing was changed yet.
    let stamp = i64::from_le_bytes(bytes) | 1;
    sqlx::query("update record_versions set version = version + 1, stamp = $2 where part = $1")
        .bind(part.name())
        .bind(stamp)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The stamp of the last change of a part: a number that no other change gets, not even one that gets the same version because this
/// one was rolled back.
pub async fn stamp(connection: &mut Connection, part: Part) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("select stamp from record_versions where part = $1").bind(part.name()).fetch_one(connection).await?)
}

/// Lets no other transaction change that part before this one ends; whoever compares and then writes holds it from the start.
pub async fn hold(tx: &mut Tx, part: Part) -> anyhow::Result<()> {
    sqlx::query("update record_versions set version = version where part = $1").bind(part.name()).execute(&mut **tx).await?;
    Ok(())
}

pub async fn current(connection: &mut Connection) -> anyhow::Result<Versions> {
    let rows: Vec<(String, i64)> = sqlx::query_as("select part, version from record_versions").fetch_all(connection).await?;
    let of = |part: Part| rows.iter().find(|(name, _)| name == part.name()).map_or(0, |(_, version)| *version);
    Ok(Versions { company: of(Part::Company), runs: of(Part::Runs), extensions: of(Part::Extensions), work: of(Part::Work) })
}
