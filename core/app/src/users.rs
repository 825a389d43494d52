//! People who sign in: setting up, passwords, sessions, API tokens, sign-in links. A secret is shown once and kept as a hash.

use crate::access::{Action, Caller, Role};
use crate::refusal::Refusal;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use attain_audit::Entry;
use attain_store::users::{self, Bearer, Token, User};
use attain_store::versions::{Part, Versions, bump};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// A session ends so long after it began.
const SESSION_MS: i64 = 12 * 3_600_000;
const LINK_MS: i64 = 7 * 24 * 3_600_000;
const TOKEN_DAYS_MAX: i64 = 365;
const DAY_MS: i64 = 24 * 3_600_000;
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 12..=200;
const NAME_LENGTH_MAX: usize = 200;
/// Hashing costs 19 MiB and a core for some 20 ms; more at once would starve those who are signed in.
const HASHING_AT_ONCE: usize = 2;
const TOKEN_PREFIX: &str = "att_";

/// A user as an administrator sees her.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    pub user_id: String,
    pub login: String,
    pub name: String,
    pub payee_id: Option<String>,
    pub roles: Vec<String>,
    pub disabled: bool,
    pub has_password: bool,
    pub created_at: String,
    pub version: i64,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    pub login: String,
    pub name: String,
    #[serde(default)]
    pub payee_id: Option<String>,
    pub roles: Vec<Role>,
}

/// Fields that are not given stay as they are.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserEdit {
    pub name: Option<String>,
    /// An empty text for none.
    pub payee_id: Option<String>,
    pub roles: Option<Vec<Role>>,
    pub disabled: Option<bool>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    pub token: String,
    pub login: String,
    pub name: String,
    pub password: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    pub name: String,
    /// What it may do, of what its owner may; all of it where empty.
    #[serde(default)]
    pub scopes: Vec<Action>,
    /// Days until it ends, 1 to 365.
    pub days: i64,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenView {
    pub token_id: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_at: String,
    pub expires_at: String,
    pub revoked_at: Option<String>,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A new session: the cookie's value, which is nowhere else, and who it is.
#[derive(Debug)]
pub struct Session {
    pub secret: String,
    pub caller: Caller,
    pub versions: Versions,
}

/// 256 bits from the system, as 64 hexadecimal digits.
pub(crate) fn new_secret() -> Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A random secret needs no salt and no slow hash.
pub(crate) fn secret_hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// An id that sorts by the time it was made.
pub(crate) fn new_id(prefix: &str) -> Result<String> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    Ok(format!("{prefix}-{:011x}-{:016x}", now_ms(), u64::from_le_bytes(bytes)))
}

fn argon2() -> Argon2<'static> {
    // 19 MiB, 2 passes, 1 lane: the least that OWASP asks for.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

async fn hashing<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    static TURNS: Semaphore = Semaphore::const_new(HASHING_AT_ONCE);
    let _turn = TURNS.acquire().await?;
    Ok(tokio::task::spawn_blocking(work).await?)
}

async fn hash_password(password: &str) -> Result<String> {
    if !PASSWORD_LENGTH.contains(&password.chars().count()) {
        return Err(Refusal::invalid(format!("a password has {} to {} characters", PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end())).into());
    }
    let password = password.to_owned();
    let hashed = hashing(move || argon2().hash_password(password.as_bytes()).map(|hash| hash.to_string())).await?;
    hashed.map_err(|error| anyhow::anyhow!("a password could not be hashed: {error}"))
}

/// Takes the same time whether there is a hash or not.
async fn password_fits(password: &str, hash: Option<String>) -> Result<bool> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    let password = password.to_owned();
    hashing(move || {
        let nobody = || argon2().hash_password(b"nobody has this password").map(|hash| hash.to_string()).unwrap_or_default();
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.get_or_init(nobody).clone());
        let parsed = argon2::PasswordHash::new(&hash);
        is_known & parsed.is_ok_and(|parsed| argon2().verify_password(password.as_bytes(), &parsed).is_ok())
    })
    .await
}

fn caller(bearer: &Bearer) -> Caller {
    let roles = bearer.roles.iter().filter_map(|name| Role::from_name(name));
    let scopes: Option<Vec<Action>> = bearer
        .scopes
        .as_deref()
        .filter(|scopes| !scopes.is_empty())
        .map(|scopes| scopes.split(',').filter_map(Action::from_name).collect());
    Caller::new(&bearer.user_id, &bearer.name, bearer.payee_id.as_deref(), roles, scopes.as_deref())
}

fn shown(user: User) -> UserView {
    UserView {
        user_id: user.user_id,
        login: user.login,
        name: user.name,
        payee_id: user.payee_id,
        roles: user.roles,
        disabled: user.disabled,
        has_password: user.password_hash.is_some(),
        created_at: shown_ms(user.created_at),
        version: user.version,
    }
}

fn token_view(token: Token, secret: Option<String>) -> TokenView {
    TokenView {
        token_id: token.token_id,
        name: token.name,
        scopes: token.scopes.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        created_at: shown_ms(token.created_at),
        expires_at: shown_ms(token.expires_at),
        revoked_at: token.revoked_at.map(shown_ms),
        secret,
    }
}

/// Logins are kept in lower case, so that `Ana` and `ana` are one.
fn login_of(text: &str) -> Result<String, Refusal> {
    let login = text.trim().to_lowercase();
    let fits = (1..=NAME_LENGTH_MAX).contains(&login.chars().count()) && !login.chars().any(|own| own.is_control() || own.is_whitespace());
    if fits {
        Ok(login)
    } else {
        Err(Refusal::invalid(format!("`{text}` is no login; write 1 to {NAME_LENGTH_MAX} characters without spaces")))
    }
}

fn name_of(text: &str) -> Result<String, Refusal> {
    let name = text.trim().to_owned();
    let fits = (1..=NAME_LENGTH_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(Refusal::invalid(format!("a name has 1 to {NAME_LENGTH_MAX} characters"))) }
}

fn role_names(roles: &[Role]) -> Vec<String> {
    let distinct: std::collections::BTreeSet<Role> = roles.iter().copied().collect();
    distinct.into_iter().map(|role| role.name().to_owned()).collect()
}

fn wrong_sign_in() -> Refusal {
    Refusal::unauthenticated("login or password is wrong")
}

impl Instance {
    /// Whose session it is, if it has not ended. One query; the answer counts for this request only.
    pub async fn caller_of_session(&self, secret: &str) -> Result<Option<(Caller, Versions)>> {
        let mut connection = self.database.glance().await?;
        let found = users::of_session(&mut connection, &secret_hash(secret), now_ms()).await?;
        Ok(found.map(|bearer| (caller(&bearer), bearer.versions)))
    }

    /// Whose API token it is.
    pub async fn caller_of_token(&self, secret: &str) -> Result<Option<(Caller, Versions)>> {
        if !secret.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let mut connection = self.database.glance().await?;
        let found = users::of_token(&mut connection, &secret_hash(secret), now_ms()).await?;
        Ok(found.map(|bearer| (caller(&bearer), bearer.versions)))
    }

    /// Whether nobody can sign in yet.
    pub async fn needs_setup(&self) -> Result<bool> {
        let mut connection = self.database.glance().await?;
        Ok(users::list(&mut connection).await?.is_empty())
    }

    /// The secret of a new set-up link; earlier ones end. `None` where somebody can sign in already.
    pub async fn new_setup_link(&self) -> Result<Option<String>> {
        let secret = new_secret()?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        if !users::list(&mut tx).await?.is_empty() {
            return Ok(None);
        }
        users::drop_setup_links(&mut tx).await?;
        users::add_link(&mut tx, &secret_hash(&secret), None, false, now, now + LINK_MS).await?;
        tx.commit().await?;
        Ok(Some(secret))
    }

    /// The first user, who may manage users and everything else that moves no money alone.
    pub async fn set_up(&self, setup: &Setup) -> Result<Session> {
        let password_hash = hash_password(&setup.password).await?;
        let (login, name) = (login_of(&setup.login)?, name_of(&setup.name)?);
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let used = users::use_link(&mut tx, &secret_hash(&setup.token), now).await?;
        if used != Some(None) || !users::list(&mut tx).await?.is_empty() {
            return Err(Refusal::unauthenticated("this set-up link was used or is over; restart the server for a new one").into());
        }
        let user = User {
            user_id: new_id("user")?,
            login,
            name,
            payee_id: None,
            password_hash: Some(password_hash),
            disabled: false,
            version: 1,
            created_at: now,
            roles: role_names(&[Role::CompAdmin, Role::Platform]),
        };
        users::add(&mut tx, &user).await?;
        attain_audit::append(&mut tx, Entry::new(&user.user_id, "set-up", &user.user_id), now).await?;
        let session = begin_session(&mut tx, &user.user_id, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.session(session).await
    }

    pub async fn sign_in(&self, login: &str, password: &str) -> Result<Session> {
        let mut connection = self.database.glance().await?;
        let user = users::by_login(&mut connection, &login.trim().to_lowercase()).await?.filter(|user| !user.disabled);
        drop(connection);
        let fits = password_fits(password, user.as_ref().and_then(|user| user.password_hash.clone())).await?;
        match user.filter(|_| fits) {
            Some(user) => self.begin_session_of(&user.user_id, "sign-in", "password").await,
            None => Err(wrong_sign_in().into()),
        }
    }

    /// Signs in by a link from [`Instance::new_link`].
    pub async fn sign_in_by_link(&self, token: &str) -> Result<Session> {
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let refused = || Refusal::unauthenticated("this sign-in link was used or is over; ask for a new one");
        let user_id = users::use_link(&mut tx, &secret_hash(token), now).await?.flatten().ok_or_else(refused)?;
        let user = users::by_id(&mut tx, &user_id).await?.filter(|user| !user.disabled).ok_or_else(refused)?;
        attain_audit::append(&mut tx, Entry::new(&user.user_id, "sign-in", &user.user_id).reason("link"), now).await?;
        let session = begin_session(&mut tx, &user.user_id, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.session(session).await
    }

    /// Begins a session for somebody whose identity was proved.
    pub(crate) async fn begin_session_of(&self, user_id: &str, action: &str, reason: &str) -> Result<Session> {
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        attain_audit::append(&mut tx, Entry::new(user_id, action, user_id).reason(reason), now).await?;
        let session = begin_session(&mut tx, user_id, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.session(session).await
    }

    async fn session(&self, secret: String) -> Result<Session> {
        let (caller, versions) = self.caller_of_session(&secret).await?.ok_or_else(wrong_sign_in)?;
        Ok(Session { secret, caller, versions })
    }

    pub async fn sign_out(&self, secret: &str) -> Result<()> {
        let mut tx = self.database.begin().await?;
        users::end_session(&mut tx, &secret_hash(secret)).await?;
        tx.commit().await
    }

    /// Ends every session of the caller; a new one begins.
    pub async fn change_password(&self, caller: &Caller, current: &str, new: &str) -> Result<Session> {
        let mut connection = self.database.glance().await?;
        let user = users::by_id(&mut connection, &caller.user_id).await?.ok_or_else(wrong_sign_in)?;
        drop(connection);
        // Who came by a link or a provider has none yet.
        if user.password_hash.is_some() && !password_fits(current, user.password_hash.clone()).await? {
            return Err(Refusal::invalid("the current password is wrong").into());
        }
        let password_hash = Some(hash_password(new).await?);
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        self.write_user(&mut tx, User { password_hash, ..user }, "password", "").await?;
        let session = begin_session(&mut tx, &caller.user_id, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.session(session).await
    }

    pub async fn users(&self, caller: &Caller) -> Result<Vec<UserView>> {
        caller.require(Action::ManageUsers)?;
        let mut connection = self.database.glance().await?;
        Ok(users::list(&mut connection).await?.into_iter().map(shown).collect())
    }

    pub async fn user(&self, caller: &Caller, user_id: &str) -> Result<UserView> {
        caller.require(Action::ManageUsers)?;
        let mut connection = self.database.glance().await?;
        Ok(users::by_id(&mut connection, user_id).await?.map(shown).ok_or_else(|| no_user(user_id))?)
    }

    pub async fn add_user(&self, caller: &Caller, new: &NewUser) -> Result<UserView> {
        caller.require(Action::ManageUsers)?;
        let now = now_ms();
        let user = User {
            user_id: new_id("user")?,
            login: login_of(&new.login)?,
            name: name_of(&new.name)?,
            payee_id: new.payee_id.clone().filter(|id| !id.is_empty()),
            password_hash: None,
            disabled: false,
            version: 1,
            created_at: now,
            roles: role_names(&new.roles),
        };
        let mut tx = self.database.begin().await?;
        check_payee(&mut tx, user.payee_id.as_deref()).await?;
        if !users::add(&mut tx, &user).await? {
            return Err(Refusal::conflict(format!("there is a user `{}` already", user.login)).into());
        }
        let entry = Entry::new(&self.actor, "add-user", &user.user_id).after(&user.roles.join(","));
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(shown(user))
    }

    /// Other roles and a disabled account end the user's sessions at once.
    pub async fn edit_user(&self, caller: &Caller, user_id: &str, version: i64, edit: &UserEdit) -> Result<UserView> {
        caller.require(Action::ManageUsers)?;
        let mut tx = self.database.begin().await?;
        let before = users::by_id(&mut tx, user_id).await?.ok_or_else(|| no_user(user_id))?;
        if before.version != version {
            return Err(stale_user(&before).into());
        }
        if user_id == caller.user_id
            && (edit.disabled == Some(true) || edit.roles.as_ref().is_some_and(|roles| !roles.contains(&Role::Platform)))
        {
            return Err(Refusal::conflict("you cannot take away your own access; somebody else has to").into());
        }
        let mut user = before.clone();
        if let Some(name) = &edit.name {
            user.name = name_of(name)?;
        }
        if let Some(payee_id) = &edit.payee_id {
            user.payee_id = Some(payee_id.clone()).filter(|id| !id.is_empty());
            check_payee(&mut tx, user.payee_id.as_deref()).await?;
        }
        if let Some(roles) = &edit.roles {
            user.roles = role_names(roles);
        }
        user.disabled = edit.disabled.unwrap_or(user.disabled);
        self.write_user(&mut tx, user, "edit-user", &before.roles.join(",")).await?;
        let after = users::by_id(&mut tx, user_id).await?.ok_or_else(|| no_user(user_id))?;
        tx.commit().await?;
        self.seal().await?;
        Ok(shown(after))
    }

    async fn write_user(&self, tx: &mut attain_database::Tx, user: User, action: &str, before: &str) -> Result<()> {
        let entry = Entry::new(&self.actor, action, &user.user_id).before(before).after(&user.roles.join(","));
        if !users::change(tx, &user).await? {
            return Err(stale_user(&user).into());
        }
        users::end_sessions_of(tx, &user.user_id).await?;
        bump(tx, Part::Work).await?;
        attain_audit::append(tx, entry, now_ms()).await.map(drop)
    }

    /// The secret of a link that signs a user in; once, or until it ends where `reusable`.
    pub async fn new_link(&self, caller: &Caller, user_id: &str, reusable: bool) -> Result<(String, String)> {
        caller.require(Action::ManageUsers)?;
        let secret = new_secret()?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let user = users::by_id(&mut tx, user_id).await?.filter(|user| !user.disabled).ok_or_else(|| no_user(user_id))?;
        users::add_link(&mut tx, &secret_hash(&secret), Some(&user.user_id), reusable, now, now + LINK_MS).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "sign-in-link", &user.user_id), now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok((secret, shown_ms(now + LINK_MS)))
    }

    /// The user with that login, for the command line.
    pub async fn user_by_login(&self, login: &str) -> Result<UserView> {
        let mut connection = self.database.glance().await?;
        Ok(users::by_login(&mut connection, &login.trim().to_lowercase()).await?.map(shown).ok_or_else(|| no_user(login))?)
    }

    pub async fn tokens(&self, caller: &Caller) -> Result<Vec<TokenView>> {
        let mut connection = self.database.glance().await?;
        Ok(users::tokens_of(&mut connection, &caller.user_id).await?.into_iter().map(|token| token_view(token, None)).collect())
    }

    /// A token of the caller's own. It can do no more than she, now and later.
    pub async fn add_token(&self, caller: &Caller, new: &NewToken) -> Result<TokenView> {
        self.add_token_for(caller, &caller.user_id, new).await
    }

    /// A token of somebody's, for the command line.
    pub async fn add_token_for(&self, caller: &Caller, user_id: &str, new: &NewToken) -> Result<TokenView> {
        if user_id != caller.user_id {
            caller.require(Action::ManageUsers)?;
        }
        if !(1..=TOKEN_DAYS_MAX).contains(&new.days) {
            return Err(Refusal::invalid(format!("`days` is {}; write 1 to {TOKEN_DAYS_MAX}", new.days)).into());
        }
        for scope in &new.scopes {
            caller.require(*scope)?;
        }
        let secret = format!("{TOKEN_PREFIX}{}", new_secret()?);
        let now = now_ms();
        let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.name()).collect();
        let token = Token {
            token_id: new_id("token")?,
            user_id: user_id.to_owned(),
            name: name_of(&new.name)?,
            scopes: scopes.join(","),
            created_at: now,
            expires_at: now + new.days * DAY_MS,
            revoked_at: None,
        };
        let mut tx = self.database.begin().await?;
        users::add_token(&mut tx, &token, &secret_hash(&secret)).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "add-token", &token.token_id).after(&token.scopes), now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(token_view(token, Some(secret)))
    }

    pub async fn revoke_token(&self, caller: &Caller, token_id: &str) -> Result<()> {
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        if !users::revoke_token(&mut tx, &caller.user_id, token_id, now).await? {
            return Err(Refusal::not_found(format!("you have no token `{token_id}` in use")).into());
        }
        attain_audit::append(&mut tx, Entry::new(&self.actor, "revoke-token", token_id), now).await?;
        tx.commit().await?;
        self.seal().await
    }
}

async fn begin_session(tx: &mut attain_database::Tx, user_id: &str, now: i64) -> Result<String> {
    let secret = new_secret()?;
    users::begin_session(tx, &secret_hash(&secret), user_id, now, now + SESSION_MS).await?;
    Ok(secret)
}

fn no_user(user: &str) -> Refusal {
    Refusal::not_found(format!("there is no user `{user}`"))
}

fn stale_user(user: &User) -> Refusal {
    Refusal::stale(format!("user `{}` was changed meanwhile; read her again", user.login))
}

async fn check_payee(tx: &mut attain_database::Tx, payee_id: Option<&str>) -> Result<()> {
    let Some(payee_id) = payee_id else { return Ok(()) };
    let payees = attain_domain::schema::entity("payees").ok_or_else(|| anyhow::anyhow!("payees are an entity"))?;
    if attain_store::entities::history(tx, payees, &[payee_id]).await?.iter().any(|version| version.superseded_at.is_none()) {
        return Ok(());
    }
    Err(Refusal::not_found(format!("there is no payee `{payee_id}`; load her first")).into())
}
