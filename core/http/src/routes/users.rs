//! People who sign in here, for who may manage them.

use crate::ask::{Asked, IfMatch, Json, Path, Versioned};
use crate::problem::Problem;
use crate::serve::{Options, Served, Shared};
use attain_app::users::{NewUser, UserEdit, UserView};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(users, add_user)).routes(routes!(user, edit_user)).routes(routes!(link))
}

#[derive(Debug, Serialize, ToSchema)]
struct Users {
    items: Vec<UserView>,
}

/// A link that signs its user in, once.
#[derive(Debug, Serialize, ToSchema)]
struct SignInLink {
    url: String,
    expires_at: String,
}

/// Everybody who can sign in, by login
#[utoipa::path(get, path = "/users", tag = "users", responses(
    (status = 200, body = Users), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn users(asked: Asked) -> Result<Json<Users>, Problem> {
    Ok(Json(Users { items: asked.instance.users(&asked.caller).await? }))
}

/// Add a user
///
/// She has no password yet: make her a link to sign in with.
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUser, responses(
    (status = 201, body = UserView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "there is no such payee", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "the login is taken", body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn add_user(asked: Asked, Json(new): Json<NewUser>) -> Result<(StatusCode, Versioned<UserView>), Problem> {
    let user = asked.instance.add_user(&asked.caller, &new).await?;
    Ok((StatusCode::CREATED, Versioned(user.version, user)))
}

/// One user
#[utoipa::path(get, path = "/users/{user_id}", tag = "users", params(("user_id" = String, Path)), responses(
    (status = 200, body = UserView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn user(asked: Asked, Path(user_id): Path<String>) -> Result<Versioned<UserView>, Problem> {
    let user = asked.instance.user(&asked.caller, &user_id).await?;
    Ok(Versioned(user.version, user))
}

/// Change a user
///
/// Fields that are not given stay. Her sessions end.
#[utoipa::path(patch, path = "/users/{user_id}", tag = "users", request_body = UserEdit,
    params(("user_id" = String, Path), ("if-match" = String, Header)), responses(
    (status = 200, body = UserView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn edit_user(
    asked: Asked,
    Path(user_id): Path<String>,
    IfMatch(version): IfMatch,
    Json(edit): Json<UserEdit>,
) -> Result<Versioned<UserView>, Problem> {
    let user = asked.instance.edit_user(&asked.caller, &user_id, version, &edit).await?;
    Ok(Versioned(user.version, user))
}

/// Make a link that signs a user in, once
#[utoipa::path(post, path = "/users/{user_id}/link", tag = "users", params(("user_id" = String, Path)), responses(
    (status = 201, body = SignInLink), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn link(
    State(served): Shared,
    asked: Asked,
    headers: HeaderMap,
    Path(user_id): Path<String>,
) -> Result<(StatusCode, Json<SignInLink>), Problem> {
    let (secret, expires_at) = asked.instance.new_link(&asked.caller, &user_id, false).await?;
    // What stands behind `#` never reaches a server's log.
    let url = format!("{}/sign-in#token={secret}", own_address(&served.options, &headers));
    Ok((StatusCode::CREATED, Json(SignInLink { url, expires_at })))
}

/// The server's address as the caller types it.
fn own_address(options: &Options, headers: &HeaderMap) -> String {
    if let Some(url) = &options.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or("localhost");
    // The guard has checked a browser's origin against the host already.
    let is_tls = text(header::ORIGIN).is_some_and(|origin| origin == format!("https://{host}"));
    format!("{}://{host}", if is_tls { "https" } else { "http" })
}
