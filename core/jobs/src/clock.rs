//! The one clock of the queue.

use attain_database::{Database, Kind, sqlx};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a worker takes the time from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// PostgreSQL's, so that nodes with different clocks agree on slots and leases; the machine's for SQLite.
    OfDatabase,
    /// As it is set from outside.
    Given(Arc<AtomicI64>),
}

impl Clock {
    pub async fn now(&self, database: &Database) -> anyhow::Result<i64> {
        match self {
            Clock::Given(at) => Ok(at.load(Ordering::SeqCst)),
            Clock::OfDatabase if database.kind() == Kind::Postgres => {
                let mut connection = database.glance().await?;
                let sql = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)";
                Ok(sqlx::query_scalar(sql).fetch_one(&mut *connection).await?)
            }
            Clock::OfDatabase => Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?),
        }
    }
}
