//! What leaves the house: mails and webhooks that wait, where webhooks go, and how each attempt ended.

use attain_database::sqlx;
use attain_database::{Connection, Tx};

/// Something that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub outbox_id: String,
    /// `mail` or `webhook`.
    pub channel: String,
    pub user_id: Option<String>,
    pub webhook_id: Option<String>,
    pub kind: String,
    pub body: String,
    pub state: String,
    pub attempts: i64,
    pub next_at: i64,
    pub created_at: i64,
    pub ended_at: Option<i64>,
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub attempt: i64,
    pub attempted_at: i64,
    /// What the other side answered, where it did.
    pub status: Option<i64>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub webhook_id: String,
    pub url: String,
    /// Names parted by commas; empty for all.
    pub events: String,
    pub state: String,
    pub failures: i64,
    pub last_error: Option<String>,
    pub created_by: String,
    pub created_at: i64,
    pub version: i64,
}

/// What is kept of a webhook's secret: what it follows from, and a hash to know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookKey {
    pub key_id: String,
    pub secret_hash: String,
    pub created_at: i64,
    pub valid_until: Option<i64>,
}

type OutgoingRow = (String, String, Option<String>, Option<String>, String, String, String, i64, i64, i64, Option<i64>, Option<String>);

fn outgoing(row: OutgoingRow) -> Outgoing {
    let (outbox_id, channel, user_id, webhook_id, kind, body, state, attempts, next_at, created_at, ended_at, last_error) = row;
    Outgoing { outbox_id, channel, user_id, webhook_id, kind, body, state, attempts, next_at, created_at, ended_at, last_error }
}

pub async fn add(tx: &mut Tx, own: &Outgoing) -> anyhow::Result<()> {
    sqlx::query(
        "insert into outbox (outbox_id, channel, user_id, webhook_id, kind, body, state, attempts, next_at, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(own.outbox_id.clone())
    .bind(own.channel.clone())
    .bind(own.user_id.clone())
    .bind(own.webhook_id.clone())
    .bind(own.kind.clone())
    .bind(own.body.clone())
    .bind(own.state.clone())
    .bind(own.attempts)
    .bind(own.next_at)
    .bind(own.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What is due, oldest first; mails only where the server sends some.
pub async fn due(connection: &mut Connection, now: i64, limit: i64, with_mail: bool) -> anyhow::Result<Vec<Outgoing>> {
    let rows: Vec<OutgoingRow> = sqlx::query_as(
        "select outbox_id, channel, user_id, webhook_id, kind, body, state, attempts, next_at, created_at, ended_at, last_error from outbox \
         where state = 'waiting' and next_at <= $1 and ($2 = 1 or channel <> 'mail') order by next_at, outbox_id limit $3",
    )
    .bind(now)
    .bind(i64::from(with_mail))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(outgoing).collect())
}

/// When the next one is due of those that wait.
pub async fn next_due(connection: &mut Connection, with_mail: bool) -> anyhow::Result<Option<i64>> {
    let sql = "select min(next_at) from outbox where state = 'waiting' and ($1 = 1 or channel <> 'mail')";
    Ok(sqlx::query_scalar(sql).bind(i64::from(with_mail)).fetch_one(connection).await?)
}

pub async fn get(connection: &mut Connection, outbox_id: &str) -> anyhow::Result<Option<Outgoing>> {
    let row: Option<OutgoingRow> = sqlx::query_as(
        "select outbox_id, channel, user_id, webhook_id, kind, body, state, attempts, next_at, created_at, ended_at, last_error from outbox \
         where outbox_id = $1",
    )
    .bind(outbox_id.to_owned())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(outgoing))
}

/// Of one webhook, newest first, after the one with the id `after`.
pub async fn of_webhook(connection: &mut Connection, webhook_id: &str, after: &str, limit: i64) -> anyhow::Result<Vec<Outgoing>> {
    let rows: Vec<OutgoingRow> = sqlx::query_as(
        "select outbox_id, channel, user_id, webhook_id, kind, body, state, attempts, next_at, created_at, ended_at, last_error from outbox \
         where webhook_id = $1 and ($2 = '' or outbox_id < $2) order by outbox_id desc limit $3",
    )
    .bind(webhook_id.to_owned())
    .bind(after.to_owned())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(outgoing).collect())
}

pub async fn attempts(connection: &mut Connection, outbox_id: &str) -> anyhow::Result<Vec<Attempt>> {
    let sql = "select attempt, attempted_at, status, error from outbox_attempts where outbox_id = $1 order by attempt";
    let rows: Vec<(i64, i64, Option<i64>, Option<String>)> = sqlx::query_as(sql).bind(outbox_id.to_owned()).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(attempt, attempted_at, status, error)| Attempt { attempt, attempted_at, status, error }).collect())
}

/// Writes an attempt and what became of the message. `own.attempts` counts it already. Answers whether it still waited.
pub async fn attempted(tx: &mut Tx, own: &Outgoing, attempt: &Attempt) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update outbox set state = $1, attempts = $2, next_at = $3, ended_at = $4, last_error = $5 where outbox_id = $6 and state = 'waiting'",
    )
    .bind(own.state.clone())
    .bind(own.attempts)
    .bind(own.next_at)
    .bind(own.ended_at)
    .bind(own.last_error.clone())
    .bind(own.outbox_id.clone())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query("insert into outbox_attempts (outbox_id, attempt, attempted_at, status, error) values ($1, $2, $3, $4, $5)")
        .bind(own.outbox_id.clone())
        .bind(attempt.attempt)
        .bind(attempt.attempted_at)
        .bind(attempt.status)
        .bind(attempt.error.clone())
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// Lets what was sent, or was given up, wait again. Answers whether it did not wait already.
pub async fn again(tx: &mut Tx, outbox_id: &str, now: i64) -> anyhow::Result<bool> {
    let sql = "update outbox set state = 'waiting', next_at = $1, ended_at = null where outbox_id = $2 and state <> 'waiting'";
    let done = sqlx::query(sql).bind(now).bind(outbox_id.to_owned()).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

/// Gives up what waits for a webhook.
pub async fn drop_of_webhook(tx: &mut Tx, webhook_id: &str, why: &str, now: i64) -> anyhow::Result<()> {
    sqlx::query("update outbox set state = 'dropped', ended_at = $1, last_error = $2 where webhook_id = $3 and state = 'waiting'")
        .bind(now)
        .bind(why.to_owned())
        .bind(webhook_id.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn add_webhook(tx: &mut Tx, own: &Webhook) -> anyhow::Result<()> {
    sqlx::query(
        "insert into webhooks (webhook_id, url, events, state, failures, created_by, created_at, version) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(own.webhook_id.clone())
    .bind(own.url.clone())
    .bind(own.events.clone())
    .bind(own.state.clone())
    .bind(own.failures)
    .bind(own.created_by.clone())
    .bind(own.created_at)
    .bind(own.version)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

type WebhookRow = (String, String, String, String, i64, Option<String>, String, i64, i64);

fn webhook((webhook_id, url, events, state, failures, last_error, created_by, created_at, version): WebhookRow) -> Webhook {
    Webhook { webhook_id, url, events, state, failures, last_error, created_by, created_at, version }
}

/// Those that were not removed, oldest first.
pub async fn webhooks(connection: &mut Connection) -> anyhow::Result<Vec<Webhook>> {
    let rows: Vec<WebhookRow> = sqlx::query_as(
        "select webhook_id, url, events, state, failures, last_error, created_by, created_at, version from webhooks \
         where state <> 'removed' order by webhook_id",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(webhook).collect())
}

pub async fn webhook_of(connection: &mut Connection, webhook_id: &str) -> anyhow::Result<Option<Webhook>> {
    let all = webhooks(connection).await?;
    Ok(all.into_iter().find(|own| own.webhook_id == webhook_id))
}

pub async fn add_key(tx: &mut Tx, webhook_id: &str, own: &WebhookKey) -> anyhow::Result<()> {
    sqlx::query("insert into webhook_keys (webhook_id, key_id, secret_hash, created_at, valid_until) values ($1, $2, $3, $4, $5)")
        .bind(webhook_id.to_owned())
        .bind(own.key_id.clone())
        .bind(own.secret_hash.clone())
        .bind(own.created_at)
        .bind(own.valid_until)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Lets the secrets of a webhook count until then at most.
pub async fn end_keys(tx: &mut Tx, webhook_id: &str, valid_until: i64) -> anyhow::Result<()> {
    let sql = "update webhook_keys set valid_until = $1 where webhook_id = $2 and (valid_until is null or valid_until > $1)";
    sqlx::query(sql).bind(valid_until).bind(webhook_id.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

/// Those that count at `now`, the newest first.
pub async fn keys_of(connection: &mut Connection, webhook_id: &str, now: i64) -> anyhow::Result<Vec<WebhookKey>> {
    let rows: Vec<(String, String, i64, Option<i64>)> = sqlx::query_as(
        "select key_id, secret_hash, created_at, valid_until from webhook_keys \
         where webhook_id = $1 and (valid_until is null or valid_until > $2) \
         order by case when valid_until is null then 0 else 1 end, created_at desc, key_id",
    )
    .bind(webhook_id.to_owned())
    .bind(now)
    .fetch_all(connection)
    .await?;
    let key = |(key_id, secret_hash, created_at, valid_until)| WebhookKey { key_id, secret_hash, created_at, valid_until };
    Ok(rows.into_iter().map(key).collect())
}

/// Writes what can change of a webhook, whose `version` is the one that was read. Answers whether it was still the current one.
pub async fn replace_webhook(tx: &mut Tx, own: &Webhook) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update webhooks set url = $1, events = $2, state = $3, failures = $4, last_error = $5, version = version + 1 \
         where webhook_id = $6 and version = $7",
    )
    .bind(own.url.clone())
    .bind(own.events.clone())
    .bind(own.state.clone())
    .bind(own.failures)
    .bind(own.last_error.clone())
    .bind(own.webhook_id.clone())
    .bind(own.version)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A removed webhook has no secret any more.
pub async fn drop_keys(tx: &mut Tx, webhook_id: &str) -> anyhow::Result<()> {
    sqlx::query("delete from webhook_keys where webhook_id = $1").bind(webhook_id.to_owned()).execute(&mut **tx).await?;
    Ok(())
}
