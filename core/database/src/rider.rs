//! What is written with the next commit of a task, whoever commits: so that a request's key and what the request makes are one.

use sqlx::{Any, Transaction};
use std::cell::RefCell;

/// A statement that must change one row, in the transaction that the task commits first. Where it does not, nothing is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rider {
    pub sql: &'static str,
    pub values: Vec<String>,
}

tokio::task_local! {
    static RIDER: RefCell<Option<Rider>>;
}

impl Rider {
    /// Does the work with the rider waiting for its first commit.
    pub async fn under<F: Future>(self, work: F) -> F::Output {
        RIDER.scope(RefCell::new(Some(self)), work).await
    }
}

/// Writes the rider of this task, where one waits.
pub(crate) async fn write(transaction: &mut Transaction<'static, Any>) -> anyhow::Result<()> {
    let Ok(Some(rider)) = RIDER.try_with(|waiting| waiting.borrow_mut().take()) else { return Ok(()) };
    let mut query = sqlx::query(rider.sql);
    for value in rider.values {
        query = query.bind(value);
    }
    let done = query.execute(&mut **transaction).await?;
    anyhow::ensure!(done.rows_affected() == 1, "the request was sent again meanwhile, and the later one does it");
    Ok(())
}
