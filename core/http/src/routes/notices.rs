//! What the caller was told, and where she gets mail.

use crate::ask::{Asked, IfMatch, Json, Query, Versioned};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::notices::{MailEdit, MailView, NoticeCount, NoticeView};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(notices))
        .routes(routes!(count))
        .routes(routes!(mark_read))
        .routes(routes!(mail_preference, edit_mail_preference))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoticesQuery {
    /// Only what was not read.
    #[serde(default)]
    unread: bool,
    /// At most so many items, 1 to 1000; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticesRead {
    /// All of the caller's where it is left out.
    #[serde(default)]
    notice_ids: Option<Vec<String>>,
}

/// What the caller was told, newest first
#[utoipa::path(get, path = "/notices", tag = "notices",
    params(NoticesQuery), responses(
    (status = 200, body = Page<NoticeView>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn notices(asked: Asked, Query(query): Query<NoticesQuery>) -> Result<Json<Page<NoticeView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(page::decode).transpose()?.unwrap_or_default();
    let mut items = asked.instance.notices(&asked.caller, query.unread, &after, limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| page::encode(&last.notice_id));
    Ok(Json(Page { items, next_cursor }))
}

/// How many notices of the caller are unread
///
/// It may have changed whenever the stream of events tells of a new version of `work`.
#[utoipa::path(get, path = "/notices/count", tag = "notices", responses(
    (status = 200, body = NoticeCount), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn count(asked: Asked) -> Result<Json<NoticeCount>, Problem> {
    Ok(Json(asked.instance.notice_count(&asked.caller).await?))
}

/// Mark notices as read
#[utoipa::path(post, path = "/notices/read", tag = "notices", request_body = NoticesRead, responses(
    (status = 200, body = NoticeCount), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn mark_read(asked: Asked, Json(read): Json<NoticesRead>) -> Result<Json<NoticeCount>, Problem> {
    Ok(Json(asked.instance.read_notices(&asked.caller, read.notice_ids.as_deref()).await?))
}

/// Where the caller gets mail
#[utoipa::path(get, path = "/mail-preference", tag = "notices", responses(
    (status = 200, body = MailView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn mail_preference(asked: Asked) -> Result<Versioned<MailView>, Problem> {
    let own = asked.instance.mail_preference(&asked.caller).await?;
    Ok(Versioned(own.version, own))
}

/// Change where the caller gets mail, or have none sent
#[utoipa::path(patch, path = "/mail-preference", tag = "notices",
    params(("if-match" = String, Header)), request_body = MailEdit, responses(
    (status = 200, body = MailView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn edit_mail_preference(asked: Asked, IfMatch(version): IfMatch, Json(edit): Json<MailEdit>) -> Result<Versioned<MailView>, Problem> {
    let own = asked.instance.edit_mail_preference(&asked.caller, version, &edit).await?;
    Ok(Versioned(own.version, own))
}
