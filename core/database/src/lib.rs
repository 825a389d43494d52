//! One SQL database, SQLite or PostgreSQL, opened only where it is durable: connections, transactions, bulk inserts and
//! migrations. Knows nothing of sales; the queries live with those who ask them.

#[cfg(debug_assertions)]
mod crash;
mod migrations;
mod open;
mod rider;
mod rows;
pub mod trial;

pub use migrations::{SCHEMA_VERSION, schema_version};
pub use rider::Rider;
pub use rows::{Value, execute, insert, placeholders};
pub use sqlx;

use sqlx::{Any, AnyPool, Transaction};
use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What queries run on. Both [`Read`] and [`Tx`] are one: `&mut read` and `&mut tx` fit where it is asked for.
pub type Connection = sqlx::AnyConnection;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub fn of(connection: &Connection) -> Kind {
        if connection.backend_name() == "SQLite" { Kind::Sqlite } else { Kind::Postgres }
    }
}

/// Who opens the database. A server holds `<file>.lock` of a SQLite database for as long as it lives, so a second server
/// on that file is refused. Commands do not take the lock: they read and write beside a server, through SQLite's own
/// locking. Only a migration needs the file alone: while a server runs, a command of a newer version is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Server,
    Command,
}

/// Why a database is not opened; the text says what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Cheap to clone; all clones share the connections and the lock.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    kind: Kind,
    writer: Arc<Mutex<()>>,
    /// Held, never read: the lock on the file ends with the last clone.
    _lock: Option<Arc<File>>,
}

impl Database {
    /// Opens `sqlite:<path>` (created if it is not there) or `postgres://…`, checks that commits are durable and brings the
    /// schema up to date.
    pub async fn open(url: &str, access: Access) -> anyhow::Result<Database> {
        open::open(url, access).await
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// One consistent view of the database that never waits for a writer and never makes one wait.
    pub async fn read(&self) -> anyhow::Result<Read> {
        let begin = match self.kind {
            Kind::Sqlite => "begin deferred",
            Kind::Postgres => "begin isolation level repeatable read read only",
        };
        Ok(Read { transaction: self.pool.begin_with(begin).await? })
    }

    /// A connection for one query that needs no snapshot: each statement sees what is committed when it starts.
    pub async fn glance(&self) -> anyhow::Result<sqlx::pool::PoolConnection<Any>> {
        Ok(self.pool.acquire().await?)
    }

    /// The transaction in which to change something; dropped without [`Tx::commit`] it changes nothing. SQLite has one at a
    /// time, and the next one waits its turn here.
    pub async fn begin(&self) -> anyhow::Result<Tx> {
        let (transaction, turn) = match self.kind {
            Kind::Sqlite => {
                let turn = self.writer.clone().lock_owned().await;
                (self.pool.begin_with("begin immediate").await?, Some(turn))
            }
            Kind::Postgres => (self.pool.begin_with("begin isolation level read committed").await?, None),
        };
        #[cfg(debug_assertions)]
        crash::begun();
        Ok(Tx { transaction: Some(transaction), _turn: turn })
    }

    /// Closes all connections; a SQLite file is then complete without its `-wal`.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A read-only snapshot; see [`Database::read`].
#[derive(Debug)]
pub struct Read {
    transaction: Transaction<'static, Any>,
}

impl Deref for Read {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}

/// A write transaction; see [`Database::begin`].
#[derive(Debug)]
pub struct Tx {
    /// Gone once it is over.
    transaction: Option<Transaction<'static, Any>>,
    // After the transaction: the turn passes on when it is over.
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Tx {
    /// Durable when it returns.
    pub async fn commit(mut self) -> anyhow::Result<()> {
        rider::write(self.transaction.as_mut().expect(OPEN)).await?;
        #[cfg(debug_assertions)]
        crash::pass(crash::BEFORE_COMMIT);
        let done = self.transaction.take().expect(OPEN).commit().await;
        #[cfg(debug_assertions)]
        match &done {
            Ok(()) => crash::committed(),
            Err(_) => crash::dropped(),
        }
        Ok(done?)
    }

    pub async fn rollback(mut self) -> anyhow::Result<()> {
        self.transaction.take().expect(OPEN).rollback().await?;
        #[cfg(debug_assertions)]
        crash::dropped();
        Ok(())
    }
}

/// Why a transaction is always there to be used.
const OPEN: &str = "only its end takes it, and consumes the whole";

#[cfg(debug_assertions)]
impl Drop for Tx {
    fn drop(&mut self) {
        if self.transaction.is_some() {
            crash::dropped();
        }
    }
}

impl Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.transaction.as_deref().expect(OPEN)
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        #[cfg(debug_assertions)]
        if crash::is_watched() {
            crash::pass(crash::STATEMENT);
        }
        self.transaction.as_deref_mut().expect(OPEN)
    }
}

/// A point at which a crash test of a debug build may end the process; nothing in another build. Name it after what is done or about to
/// be: `before-send`.
pub fn crash_point(name: &str) {
    #[cfg(debug_assertions)]
    crash::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// As [`crash_point`], where something is to be left half done first: the caller does that and aborts.
pub fn crash_is_due(name: &str) -> bool {
    #[cfg(debug_assertions)]
    return crash::is_due(name);
    #[cfg(not(debug_assertions))]
    {
        let _ = name;
        false
    }
}

/// Whether a crash test watches this process.
pub fn crash_is_watched() -> bool {
    #[cfg(debug_assertions)]
    return crash::is_watched();
    #[cfg(not(debug_assertions))]
    false
}

#[cfg(test)]
mod tests;
