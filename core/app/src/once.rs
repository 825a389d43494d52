//! Requests that are answered once: the key that a client chose, the content it came with, the answer it got.

use crate::{Instance, now_ms};
use anyhow::Result;
use attain_store::once;

/// An answer is kept so long.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// A request that has been at work so long may be cut off by a crash: the same content may be sent again, and takes the claim. Should the
/// first one still be at work after all, it cannot commit any more.
const CUT_OFF_MS: i64 = 20_000;

/// What is known about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Nothing came before. What is made must be committed under this rider.
    New(attain_database::Rider),
    Running,
    /// It was done, but the server died before it could answer.
    Lost,
    /// The key was used with other content.
    Other,
    Answered {
        status: u16,
        answer: String,
    },
}

impl Instance {
    /// Takes the key for this content, or says what became of it before.
    pub async fn begin_once(&self, user_id: &str, route: &str, key: &str, content: &[u8]) -> Result<Kept> {
        let hash = attain_store::digest(content);
        let now = now_ms();
        let claim = crate::users::new_id("claim")?;
        let rider = || {
            let values = [&claim, user_id, route, key].map(str::to_owned).to_vec();
            Kept::New(attain_database::Rider { sql: once::EFFECT, values })
        };
        let mut tx = self.database.begin().await?;
        once::forget_before(&mut tx, now - KEPT_MS).await?;
        let is_new = once::take(&mut tx, user_id, route, key, &hash, &claim, now).await?;
        let kept = match once::get(&mut tx, user_id, route, key).await? {
            _ if is_new => rider(),
            None => Kept::Running,
            Some(answer) if answer.request_hash != hash => Kept::Other,
            Some(answer) => match answer.status {
                Some(status) => Kept::Answered { status: u16::try_from(status)?, answer: answer.answer.unwrap_or_default() },
                None if answer.created_at >= now - CUT_OFF_MS => Kept::Running,
                None if answer.effect => Kept::Lost,
                None => {
                    once::forget(&mut tx, user_id, route, key).await?;
                    once::take(&mut tx, user_id, route, key, &hash, &claim, now).await?;
                    rider()
                }
            },
        };
        tx.commit().await?;
        Ok(kept)
    }

    pub async fn end_once(&self, user_id: &str, route: &str, key: &str, status: u16, answer: &str) -> Result<()> {
        let mut tx = self.database.begin().await?;
        once::end(&mut tx, user_id, route, key, i64::from(status), answer).await?;
        tx.commit().await
    }

    /// Frees the key: the request may be sent again as if it were new.
    pub async fn forget_once(&self, user_id: &str, route: &str, key: &str) -> Result<()> {
        let mut tx = self.database.begin().await?;
        once::forget(&mut tx, user_id, route, key).await?;
        tx.commit().await
    }
}
