//! Requests that are answered once: the key that a client chose, the content it came with, the answer it got.

use crate::Instance;
use anyhow::Result;
use attain_store::once;

/// An answer is kept so long.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// A request whose server has said nothing for so long was cut off by a crash: the same content may be sent again, and takes the claim.
/// Should the first one still be at work after all, it cannot commit any more.
const CUT_OFF_MS: i64 = 5_000;
/// A server says so often that a request is still at work.
const SAID_EVERY: std::time::Duration = std::time::Duration::from_millis(1_500);

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
        // Servers with clocks of their own agree on it.
        let now = self.job_now().await?;
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

    /// Says until it is dropped that the request under this rider is at work.
    pub async fn keep_once(&self, rider: &attain_database::Rider) {
        let [claim, user_id, route, key] = rider.values.as_slice() else { return };
        loop {
            tokio::time::sleep(SAID_EVERY).await;
            match self.renew_once(claim, user_id, route, key).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!("a request at work could not say so: {error:#}"),
            }
        }
    }

    async fn renew_once(&self, claim: &str, user_id: &str, route: &str, key: &str) -> Result<bool> {
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        let is_held = once::renew(&mut tx, claim, user_id, route, key, now).await?;
        tx.commit().await?;
        Ok(is_held)
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
