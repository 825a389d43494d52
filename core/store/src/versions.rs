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

/// Counts one more change of a part, in the transaction that makes it.
pub async fn bump(tx: &mut Tx, part: Part) -> anyhow::Result<()> {
    sqlx::query("update record_versions set version = version + 1 where part = $1").bind(part.name()).execute(&mut **tx).await?;
    Ok(())
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
