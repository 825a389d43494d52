//! People who sign in: their roles, sessions, tokens and links. Secrets come in as hashes and are never kept otherwise.

use crate::versions::Versions;
use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Tx};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub user_id: String,
    pub login: String,
    pub name: String,
    pub payee_id: Option<String>,
    pub password_hash: Option<String>,
    pub disabled: bool,
    pub version: i64,
    pub created_at: i64,
    pub roles: Vec<String>,
}

/// Who a secret belongs to, with the versions of the record at the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    pub user_id: String,
    pub name: String,
    pub payee_id: Option<String>,
    pub roles: Vec<String>,
    /// Of an API token; `None` for a session.
    pub scopes: Option<String>,
    pub versions: Versions,
}

fn words(joined: Option<String>) -> Vec<String> {
    joined.unwrap_or_default().split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn bearer(row: &sqlx::any::AnyRow, scopes: Option<String>) -> anyhow::Result<Bearer> {
    Ok(Bearer {
        user_id: row.try_get(0)?,
        name: row.try_get(1)?,
        payee_id: row.try_get(2)?,
        roles: words(row.try_get(3)?),
        scopes,
        versions: Versions { company: row.try_get(4)?, runs: row.try_get(5)?, extensions: row.try_get(6)?, work: row.try_get(7)? },
    })
}

/// The user of a session that has not ended.
pub async fn of_session(connection: &mut Connection, secret_hash: &str, now: i64) -> anyhow::Result<Option<Bearer>> {
    let row = sqlx::query(
        "select u.user_id, u.name, u.payee_id, \
             (select string_agg(r.role, ',') from user_roles r where r.user_id = u.user_id), \
             (select version from record_versions where part = 'company'), (select version from record_versions where part = 'runs'), \
             (select version from record_versions where part = 'extensions'), (select version from record_versions where part = 'work') \
         from sessions s join users u on u.user_id = s.user_id where s.secret_hash = $1 and s.expires_at > $2 and u.disabled = 0",
    )
    .bind(secret_hash.to_owned())
    .bind(now)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| bearer(row, None)).transpose()
}

/// The user of an API token that has not ended.
pub async fn of_token(connection: &mut Connection, secret_hash: &str, now: i64) -> anyhow::Result<Option<Bearer>> {
    let row = sqlx::query(
        "select u.user_id, u.name, u.payee_id, \
             (select string_agg(r.role, ',') from user_roles r where r.user_id = u.user_id), \
             (select version from record_versions where part = 'company'), (select version from record_versions where part = 'runs'), \
             (select version from record_versions where part = 'extensions'), (select version from record_versions where part = 'work'), t.scopes \
         from api_tokens t join users u on u.user_id = t.user_id \
         where t.secret_hash = $1 and t.expires_at > $2 and t.revoked_at is null and u.disabled = 0",
    )
    .bind(secret_hash.to_owned())
    .bind(now)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| bearer(row, Some(row.try_get(8)?))).transpose()
}

type UserRow = (String, String, String, Option<String>, Option<String>, i64, i64, i64, Option<String>);

fn user((user_id, login, name, payee_id, password_hash, disabled, version, created_at, roles): UserRow) -> User {
    User { user_id, login, name, payee_id, password_hash, disabled: disabled != 0, version, created_at, roles: words(roles) }
}

/// All users by login.
pub async fn list(connection: &mut Connection) -> anyhow::Result<Vec<User>> {
    let rows: Vec<UserRow> = sqlx::query_as(
        "select user_id, login, name, payee_id, password_hash, disabled, version, created_at, \
         (select string_agg(r.role, ',') from user_roles r where r.user_id = users.user_id) from users order by login",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(user).collect())
}

pub async fn by_login(connection: &mut Connection, login: &str) -> anyhow::Result<Option<User>> {
    let row: Option<UserRow> = sqlx::query_as(
        "select user_id, login, name, payee_id, password_hash, disabled, version, created_at, \
         (select string_agg(r.role, ',') from user_roles r where r.user_id = users.user_id) from users where login = $1",
    )
    .bind(login.to_owned())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(user))
}

pub async fn by_id(connection: &mut Connection, user_id: &str) -> anyhow::Result<Option<User>> {
    let row: Option<UserRow> = sqlx::query_as(
        "select user_id, login, name, payee_id, password_hash, disabled, version, created_at, \
         (select string_agg(r.role, ',') from user_roles r where r.user_id = users.user_id) from users where user_id = $1",
    )
    .bind(user_id.to_owned())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(user))
}

/// Answers whether the login was free.
pub async fn add(tx: &mut Tx, user: &User) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "insert into users (user_id, login, name, payee_id, password_hash, disabled, version, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
    )
    .bind(user.user_id.clone())
    .bind(user.login.clone())
    .bind(user.name.clone())
    .bind(user.payee_id.clone())
    .bind(user.password_hash.clone())
    .bind(i64::from(user.disabled))
    .bind(user.version)
    .bind(user.created_at)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        set_roles(tx, &user.user_id, &user.roles).await?;
    }
    Ok(done.rows_affected() == 1)
}

/// Writes all but login and creation where `user.version` is still the current one, and counts it up. Answers whether it was.
pub async fn change(tx: &mut Tx, user: &User) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update users set name = $1, payee_id = $2, password_hash = $3, disabled = $4, version = version + 1 \
         where user_id = $5 and version = $6",
    )
    .bind(user.name.clone())
    .bind(user.payee_id.clone())
    .bind(user.password_hash.clone())
    .bind(i64::from(user.disabled))
    .bind(user.user_id.clone())
    .bind(user.version)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        sqlx::query("delete from user_roles where user_id = $1").bind(user.user_id.clone()).execute(&mut **tx).await?;
        set_roles(tx, &user.user_id, &user.roles).await?;
    }
    Ok(done.rows_affected() == 1)
}

async fn set_roles(tx: &mut Tx, user_id: &str, roles: &[String]) -> anyhow::Result<()> {
    for role in roles {
        sqlx::query("insert into user_roles (user_id, role) values ($1, $2)")
            .bind(user_id.to_owned())
            .bind(role.clone())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

pub async fn begin_session(tx: &mut Tx, secret_hash: &str, user_id: &str, now: i64, expires_at: i64) -> anyhow::Result<()> {
    sqlx::query("delete from sessions where expires_at <= $1").bind(now).execute(&mut **tx).await?;
    sqlx::query("insert into sessions (secret_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4)")
        .bind(secret_hash.to_owned())
        .bind(user_id.to_owned())
        .bind(now)
        .bind(expires_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn end_session(tx: &mut Tx, secret_hash: &str) -> anyhow::Result<()> {
    sqlx::query("delete from sessions where secret_hash = $1").bind(secret_hash.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

/// After a new password, other roles or a disabled account.
pub async fn end_sessions_of(tx: &mut Tx, user_id: &str) -> anyhow::Result<()> {
    sqlx::query("delete from sessions where user_id = $1").bind(user_id.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

/// An API token as its owner may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub token_id: String,
    pub user_id: String,
    pub name: String,
    pub scopes: String,
    pub created_at: i64,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
}

pub async fn add_token(tx: &mut Tx, token: &Token, secret_hash: &str) -> anyhow::Result<()> {
    sqlx::query(
        "insert into api_tokens (token_id, user_id, name, secret_hash, scopes, created_at, expires_at, revoked_at) \
         values ($1, $2, $3, $4, $5, $6, $7, null)",
    )
    .bind(token.token_id.clone())
    .bind(token.user_id.clone())
    .bind(token.name.clone())
    .bind(secret_hash.to_owned())
    .bind(token.scopes.clone())
    .bind(token.created_at)
    .bind(token.expires_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

type TokenRow = (String, String, String, String, i64, i64, Option<i64>);

/// Newest first.
pub async fn tokens_of(connection: &mut Connection, user_id: &str) -> anyhow::Result<Vec<Token>> {
    let rows: Vec<TokenRow> = sqlx::query_as(
        "select token_id, user_id, name, scopes, created_at, expires_at, revoked_at from api_tokens where user_id = $1 \
         order by created_at desc, token_id",
    )
    .bind(user_id.to_owned())
    .fetch_all(connection)
    .await?;
    let token = |(token_id, user_id, name, scopes, created_at, expires_at, revoked_at)| Token {
        token_id,
        user_id,
        name,
        scopes,
        created_at,
        expires_at,
        revoked_at,
    };
    Ok(rows.into_iter().map(token).collect())
}

/// Answers whether the user had such a token that was not revoked.
pub async fn revoke_token(tx: &mut Tx, user_id: &str, token_id: &str, now: i64) -> anyhow::Result<bool> {
    let done = sqlx::query("update api_tokens set revoked_at = $1 where token_id = $2 and user_id = $3 and revoked_at is null")
        .bind(now)
        .bind(token_id.to_owned())
        .bind(user_id.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// `user_id` is `None` for the link that sets the server up.
pub async fn add_link(
    tx: &mut Tx,
    secret_hash: &str,
    user_id: Option<&str>,
    reusable: bool,
    now: i64,
    expires_at: i64,
) -> anyhow::Result<()> {
    sqlx::query(
        "insert into sign_in_links (secret_hash, user_id, reusable, created_at, expires_at, used_at) values ($1, $2, $3, $4, $5, null)",
    )
    .bind(secret_hash.to_owned())
    .bind(user_id.map(str::to_owned))
    .bind(i64::from(reusable))
    .bind(now)
    .bind(expires_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Uses a link: the user it signs in, or `Some(None)` for the set-up link. `None` where it is not known, over, or used.
pub async fn use_link(tx: &mut Tx, secret_hash: &str, now: i64) -> anyhow::Result<Option<Option<String>>> {
    let row: Option<(Option<String>,)> = sqlx::query_as(
        "update sign_in_links set used_at = $1 where secret_hash = $2 and expires_at > $1 and (reusable = 1 or used_at is null) \
         returning user_id",
    )
    .bind(now)
    .bind(secret_hash.to_owned())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|(user_id,)| user_id))
}

/// Ends set-up links that were not used.
pub async fn drop_setup_links(tx: &mut Tx) -> anyhow::Result<()> {
    sqlx::query("delete from sign_in_links where user_id is null").execute(&mut **tx).await?;
    Ok(())
}

/// The user that a provider's subject was tied to.
pub async fn of_identity(connection: &mut Connection, issuer: &str, subject: &str) -> anyhow::Result<Option<String>> {
    Ok(sqlx::query_scalar("select user_id from user_identities where issuer = $1 and subject = $2")
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .fetch_optional(connection)
        .await?)
}

/// Ties a provider's subject to a user; one subject has one user.
pub async fn add_identity(tx: &mut Tx, issuer: &str, subject: &str, user_id: &str) -> anyhow::Result<()> {
    sqlx::query("insert into user_identities (issuer, subject, user_id) values ($1, $2, $3)")
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .bind(user_id.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The run whose pay the user has seen last, and when.
pub async fn visit_of(connection: &mut Connection, user_id: &str) -> anyhow::Result<Option<(String, i64)>> {
    Ok(sqlx::query_as("select run_id, visited_at from visits where user_id = $1")
        .bind(user_id.to_owned())
        .fetch_optional(connection)
        .await?)
}

pub async fn visit(tx: &mut Tx, user_id: &str, run_id: &str, now: i64) -> anyhow::Result<()> {
    sqlx::query(
        "insert into visits (user_id, run_id, visited_at) values ($1, $2, $3) \
         on conflict (user_id) do update set run_id = excluded.run_id, visited_at = excluded.visited_at",
    )
    .bind(user_id.to_owned())
    .bind(run_id.to_owned())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
