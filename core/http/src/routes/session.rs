//! Signing in and out, and what a console has to know about who is signed in.

use crate::ask::{Asked, Json};
use crate::guard::cookie_name;
use crate::problem::Problem;
use crate::serve::{Served, Shared};
use attain_app::users::{NewToken, Session, Setup, TokenView};
use attain_app::whoami::SessionView;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(session, sign_in, sign_out))
        .routes(routes!(methods))
        .routes(routes!(sign_in_by_link))
        .routes(routes!(set_up))
        .routes(routes!(change_password))
        .routes(routes!(tokens, add_token))
        .routes(routes!(revoke_token))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    login: String,
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkToken {
    token: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// Empty where there was none yet.
    #[serde(default)]
    current: String,
    new: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct OidcMethod {
    name: String,
}

/// How somebody can sign in here.
#[derive(Debug, Serialize, ToSchema)]
struct Methods {
    password: bool,
    oidc: Option<OidcMethod>,
    /// Whether the set-up link that the server printed was not used yet.
    needs_setup: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct Tokens {
    items: Vec<TokenView>,
}

/// The cookie of a session; without `session` one that ends it.
pub fn cookie(served: &Served, secret: Option<String>) -> Cookie<'static> {
    let ends = secret.is_none();
    let mut cookie = Cookie::new(cookie_name(served.options.plain_cookies), secret.unwrap_or_default());
    cookie.set_http_only(true);
    cookie.set_secure(!served.options.plain_cookies);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    if ends {
        cookie.make_removal();
    }
    cookie
}

async fn begun(served: &Served, jar: CookieJar, session: Session) -> Result<(CookieJar, Json<SessionView>), Problem> {
    // A session that the browser brought along ends: nobody can fix a session for somebody else.
    if let Some(old) = jar.get(cookie_name(served.options.plain_cookies)) {
        served.instance.sign_out(old.value()).await?;
    }
    let view = served.instance.session_view(&session.caller, session.versions).await?;
    Ok((jar.add(cookie(served, Some(session.secret))), Json(view)))
}

/// Who is signed in
#[utoipa::path(get, path = "/session", tag = "session", responses(
    (status = 200, body = SessionView), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn session(asked: Asked) -> Result<Json<SessionView>, Problem> {
    Ok(Json(asked.instance.session_view(&asked.caller, asked.versions).await?))
}

/// Ways to sign in
#[utoipa::path(get, path = "/session/methods", tag = "session", responses((status = 200, body = Methods)))]
async fn methods(State(served): Shared) -> Result<Json<Methods>, Problem> {
    let oidc = served.instance.provider_name().map(|name| OidcMethod { name });
    Ok(Json(Methods { password: true, oidc, needs_setup: served.instance.needs_setup().await? }))
}

/// Sign in with a password
#[utoipa::path(post, path = "/session", tag = "session", request_body = Credentials, responses(
    (status = 200, body = SessionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn sign_in(
    State(served): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    Json(given): Json<Credentials>,
) -> Result<(CookieJar, Json<SessionView>), Problem> {
    served.limits.sign_in(from.ip(), &given.login)?;
    let session = served.instance.sign_in(&given.login, &given.password).await?;
    begun(&served, jar, session).await
}

/// Sign in with a link
#[utoipa::path(post, path = "/session/link", tag = "session", request_body = LinkToken, responses(
    (status = 200, body = SessionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn sign_in_by_link(
    State(served): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    Json(given): Json<LinkToken>,
) -> Result<(CookieJar, Json<SessionView>), Problem> {
    served.limits.sign_in_from(from.ip())?;
    let session = served.instance.sign_in_by_link(&given.token).await?;
    begun(&served, jar, session).await
}

/// Make the first user
///
/// With the token of the set-up link that the server prints at its first start.
#[utoipa::path(post, path = "/setup", tag = "session", request_body = Setup, responses(
    (status = 200, body = SessionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn set_up(
    State(served): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    Json(given): Json<Setup>,
) -> Result<(CookieJar, Json<SessionView>), Problem> {
    served.limits.sign_in_from(from.ip())?;
    let session = served.instance.set_up(&given).await?;
    begun(&served, jar, session).await
}

/// Sign out
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
async fn sign_out(State(served): Shared, jar: CookieJar) -> Result<(CookieJar, StatusCode), Problem> {
    if let Some(cookie) = jar.get(cookie_name(served.options.plain_cookies)) {
        served.instance.sign_out(cookie.value()).await?;
    }
    Ok((jar.add(cookie(&served, None)), StatusCode::NO_CONTENT))
}

/// Change one's own password
///
/// Every other session of the user ends.
#[utoipa::path(put, path = "/session/password", tag = "session", request_body = PasswordChange, responses(
    (status = 200, body = SessionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn change_password(
    State(served): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    asked: Asked,
    jar: CookieJar,
    Json(given): Json<PasswordChange>,
) -> Result<(CookieJar, Json<SessionView>), Problem> {
    served.limits.sign_in(from.ip(), &asked.caller.user_id)?;
    let session = asked.instance.change_password(&asked.caller, &given.current, &given.new).await?;
    let view = asked.instance.session_view(&session.caller, session.versions).await?;
    Ok((jar.add(cookie(&served, Some(session.secret))), Json(view)))
}

/// One's own API tokens
#[utoipa::path(get, path = "/tokens", tag = "session", responses(
    (status = 200, body = Tokens), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn tokens(asked: Asked) -> Result<Json<Tokens>, Problem> {
    Ok(Json(Tokens { items: asked.instance.tokens(&asked.caller).await? }))
}

/// Make an API token
///
/// Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/tokens", tag = "session", request_body = NewToken, responses(
    (status = 201, body = TokenView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn add_token(asked: Asked, Json(new): Json<NewToken>) -> Result<(StatusCode, Json<TokenView>), Problem> {
    Ok((StatusCode::CREATED, Json(asked.instance.add_token(&asked.caller, &new).await?)))
}

/// Revoke an API token
#[utoipa::path(delete, path = "/tokens/{token_id}", tag = "session", params(("token_id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn revoke_token(asked: Asked, crate::ask::Path(token_id): crate::ask::Path<String>) -> Result<StatusCode, Problem> {
    asked.instance.revoke_token(&asked.caller, &token_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
