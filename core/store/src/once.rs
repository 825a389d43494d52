//! Answers to requests that make something, kept by the key that the client chose.

use attain_database::sqlx;
use attain_database::{Connection, Tx};

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub request_hash: String,
    /// `None` while the first request is at work.
    pub status: Option<i64>,
    pub answer: Option<String>,
    /// When it was taken, or when who is at work last said so.
    pub created_at: i64,
    /// Whether what it makes is committed.
    pub effect: bool,
}

/// Marks that what a request makes is committed, by whoever holds the claim: parameters are the claim, the user, the route and the key.
pub const EFFECT: &str = "update idempotency_keys set effect = 1 where claim = $1 and user_id = $2 and route = $3 and idempotency_key = $4";

type AnswerRow = (String, Option<i64>, Option<String>, i64, i64);

/// Takes a key; answers whether it was free.
pub async fn take(tx: &mut Tx, user_id: &str, route: &str, key: &str, request_hash: &str, claim: &str, now: i64) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "insert into idempotency_keys (user_id, route, idempotency_key, request_hash, status, answer, created_at, effect, claim) \
         values ($1, $2, $3, $4, null, null, $5, 0, $6) on conflict do nothing",
    )
    .bind(user_id.to_owned())
    .bind(route.to_owned())
    .bind(key.to_owned())
    .bind(request_hash.to_owned())
    .bind(now)
    .bind(claim.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn get(connection: &mut Connection, user_id: &str, route: &str, key: &str) -> anyhow::Result<Option<Answer>> {
    let row: Option<AnswerRow> = sqlx::query_as(
        "select request_hash, status, answer, created_at, effect from idempotency_keys where user_id = $1 and route = $2 and idempotency_key = $3",
    )
    .bind(user_id.to_owned())
    .bind(route.to_owned())
    .bind(key.to_owned())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(request_hash, status, answer, created_at, effect)| Answer {
        request_hash,
        status,
        answer,
        created_at,
        effect: effect == 1,
    }))
}

pub async fn end(tx: &mut Tx, user_id: &str, route: &str, key: &str, status: i64, answer: &str) -> anyhow::Result<()> {
    sqlx::query("update idempotency_keys set status = $1, answer = $2 where user_id = $3 and route = $4 and idempotency_key = $5")
        .bind(status)
        .bind(answer.to_owned())
        .bind(user_id.to_owned())
        .bind(route.to_owned())
        .bind(key.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn forget(tx: &mut Tx, user_id: &str, route: &str, key: &str) -> anyhow::Result<()> {
    sqlx::query("delete from idempotency_keys where user_id = $1 and route = $2 and idempotency_key = $3")
        .bind(user_id.to_owned())
        .bind(route.to_owned())
        .bind(key.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Says that whoever holds the claim is still at work. Answers whether it still does.
pub async fn renew(tx: &mut Tx, claim: &str, user_id: &str, route: &str, key: &str, now: i64) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update idempotency_keys set created_at = $1 \
         where claim = $2 and user_id = $3 and route = $4 and idempotency_key = $5 and status is null",
    )
    .bind(now)
    .bind(claim.to_owned())
    .bind(user_id.to_owned())
    .bind(route.to_owned())
    .bind(key.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets all keys that were taken before an instant.
pub async fn forget_before(tx: &mut Tx, before: i64) -> anyhow::Result<()> {
    sqlx::query("delete from idempotency_keys where created_at < $1").bind(before).execute(&mut **tx).await?;
    Ok(())
}

/// Frees the keys of requests that died with the one server before they made anything.
pub async fn forget_dead(tx: &mut Tx) -> anyhow::Result<()> {
    sqlx::query("delete from idempotency_keys where status is null and effect = 0").execute(&mut **tx).await?;
    Ok(())
}
