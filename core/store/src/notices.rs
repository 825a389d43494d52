//! What people are told, what they have read of it, and where they get mail.

use attain_database::sqlx;
use attain_database::{Connection, Tx};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub notice_id: String,
    pub user_id: String,
    pub kind: String,
    pub object: String,
    pub body: String,
    pub link: String,
    pub once_key: Option<String>,
    pub created_at: i64,
    pub read_at: Option<i64>,
}

/// Where a user gets mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailPreference {
    pub address: Option<String>,
    pub opted_out: bool,
    /// 0 where nothing was set yet.
    pub version: i64,
}

/// Answers whether it is new: one with the same `once_key` is not made twice.
pub async fn add(tx: &mut Tx, own: &Notice) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "insert into notices (notice_id, user_id, kind, object, body, link, once_key, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict do nothing",
    )
    .bind(own.notice_id.clone())
    .bind(own.user_id.clone())
    .bind(own.kind.clone())
    .bind(own.object.clone())
    .bind(own.body.clone())
    .bind(own.link.clone())
    .bind(own.once_key.clone())
    .bind(own.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

type NoticeRow = (String, String, String, String, String, String, Option<String>, i64, Option<i64>);

fn notice((notice_id, user_id, kind, object, body, link, once_key, created_at, read_at): NoticeRow) -> Notice {
    Notice { notice_id, user_id, kind, object, body, link, once_key, created_at, read_at }
}

/// Of one user, newest first, after the one with the id `after`; `is_unread` leaves out what was read.
pub async fn list(connection: &mut Connection, user_id: &str, unread: bool, after: &str, limit: i64) -> anyhow::Result<Vec<Notice>> {
    let rows: Vec<NoticeRow> = sqlx::query_as(
        "select notice_id, user_id, kind, object, body, link, once_key, created_at, read_at from notices \
         where user_id = $1 and ($2 = '' or notice_id < $2) and ($3 = 0 or read_at is null) order by notice_id desc limit $4",
    )
    .bind(user_id.to_owned())
    .bind(after.to_owned())
    .bind(i64::from(unread))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(notice).collect())
}

pub async fn unread_count(connection: &mut Connection, user_id: &str) -> anyhow::Result<i64> {
    let sql = "select count(*) from notices where user_id = $1 and read_at is null";
    Ok(sqlx::query_scalar(sql).bind(user_id.to_owned()).fetch_one(connection).await?)
}

/// Answers whether it was unread and the user's own.
pub async fn mark_read(tx: &mut Tx, user_id: &str, notice_id: &str, now: i64) -> anyhow::Result<bool> {
    let sql = "update notices set read_at = $1 where user_id = $2 and notice_id = $3 and read_at is null";
    let done = sqlx::query(sql).bind(now).bind(user_id.to_owned()).bind(notice_id.to_owned()).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

/// Answers how many were unread.
pub async fn mark_all_read(tx: &mut Tx, user_id: &str, now: i64) -> anyhow::Result<u64> {
    let sql = "update notices set read_at = $1 where user_id = $2 and read_at is null";
    Ok(sqlx::query(sql).bind(now).bind(user_id.to_owned()).execute(&mut **tx).await?.rows_affected())
}

pub async fn mail_preference(connection: &mut Connection, user_id: &str) -> anyhow::Result<MailPreference> {
    let sql = "select address, opted_out, version from mail_preferences where user_id = $1";
    let row: Option<(Option<String>, i64, i64)> = sqlx::query_as(sql).bind(user_id.to_owned()).fetch_optional(connection).await?;
    Ok(row.map_or_else(MailPreference::default, |(address, opted_out, version)| MailPreference {
        address,
        opted_out: opted_out != 0,
        version,
    }))
}

/// Answers whether `version` was still the current one.
pub async fn set_mail_preference(tx: &mut Tx, user_id: &str, own: &MailPreference) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "insert into mail_preferences (user_id, address, opted_out, version) values ($1, $2, $3, $4) \
         on conflict (user_id) do update set address = excluded.address, opted_out = excluded.opted_out, version = excluded.version \
         where mail_preferences.version = excluded.version - 1",
    )
    .bind(user_id.to_owned())
    .bind(own.address.clone())
    .bind(i64::from(own.opted_out))
    .bind(own.version + 1)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The address that is kept with a person of the company.
pub async fn address_of_payee(connection: &mut Connection, payee_id: &str) -> anyhow::Result<Option<String>> {
    let sql = "select email from people where payee_id = $1 and superseded_at is null";
    let row: Option<Option<String>> = sqlx::query_scalar(sql).bind(payee_id.to_owned()).fetch_optional(connection).await?;
    Ok(row.flatten())
}
