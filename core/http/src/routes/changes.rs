//! Changes that two people make.

use crate::ask::{Asked, IfMatch, Json, Path, Query, Versioned};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::changes::{Approval, Approved, ChangeEdit, ChangeHead, ChangeView, NewChange, Rejection};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(changes, draft))
        .routes(routes!(change, edit))
        .routes(routes!(submit))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(withdraw))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChangeQuery {
    /// `draft`, `submitted`, `approved`, `rejected` or `withdrawn`.
    state: Option<String>,
    /// At most so many items, 1 to 1000; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Changes, newest first
#[utoipa::path(get, path = "/changes", tag = "changes", params(ChangeQuery), responses(
    (status = 200, body = Page<ChangeHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn changes(asked: Asked, Query(query): Query<ChangeQuery>) -> Result<Json<Page<ChangeHead>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(page::decode).transpose()?;
    let mut items = asked.instance.changes(&asked.caller, query.state.as_deref(), after.as_deref(), limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| page::encode(&last.change_id));
    Ok(Json(Page { items, next_cursor }))
}

/// Draft a change
///
/// It changes nothing until somebody else has approved it.
#[utoipa::path(post, path = "/changes", tag = "changes", request_body = NewChange, responses(
    (status = 201, body = ChangeView, headers(("etag" = String), ("location" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn draft(asked: Asked, Json(new): Json<NewChange>) -> Result<impl IntoResponse, Problem> {
    let change = asked.instance.draft_change(&asked.caller, &new).await?;
    let place = format!("/api/v1/changes/{}", change.head.change_id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Versioned(change.head.version, change)))
}

/// A change
#[utoipa::path(get, path = "/changes/{change_id}", tag = "changes", params(("change_id" = String, Path)), responses(
    (status = 200, body = ChangeView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn change(asked: Asked, Path(change_id): Path<String>) -> Result<Versioned<ChangeView>, Problem> {
    let change = asked.instance.change(&asked.caller, &change_id).await?;
    Ok(Versioned(change.head.version, change))
}

/// Save an edit
///
/// By the author only; a submitted change is a draft again.
#[utoipa::path(put, path = "/changes/{change_id}", tag = "changes", params(("change_id" = String, Path), ("if-match" = String, Header)),
    request_body = ChangeEdit, responses(
    (status = 200, body = ChangeView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"), (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn edit(
    asked: Asked,
    Path(change_id): Path<String>,
    IfMatch(version): IfMatch,
    Json(edit): Json<ChangeEdit>,
) -> Result<Versioned<ChangeView>, Problem> {
    let change = asked.instance.edit_change(&asked.caller, &change_id, version, &edit).await?;
    Ok(Versioned(change.head.version, change))
}

/// Submit a draft to a second person
#[utoipa::path(post, path = "/changes/{change_id}/submission", tag = "changes", params(("change_id" = String, Path)), responses(
    (status = 200, body = ChangeView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn submit(asked: Asked, Path(change_id): Path<String>) -> Result<Versioned<ChangeView>, Problem> {
    let change = asked.instance.submit_change(&asked.caller, &change_id).await?;
    Ok(Versioned(change.head.version, change))
}

/// Approve a change
///
/// By a second person, for the content that she has read. It counts at once, and everything is calculated.
#[utoipa::path(post, path = "/changes/{change_id}/approval", tag = "changes", params(("change_id" = String, Path)), request_body = Approval,
    responses(
    (status = 200, body = Approved), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn approve(asked: Asked, Path(change_id): Path<String>, Json(approval): Json<Approval>) -> Result<Json<Approved>, Problem> {
    Ok(Json(asked.instance.approve_change(&asked.caller, &change_id, &approval).await?))
}

/// Reject a change
#[utoipa::path(post, path = "/changes/{change_id}/rejection", tag = "changes", params(("change_id" = String, Path)), request_body = Rejection,
    responses(
    (status = 200, body = ChangeView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn reject(asked: Asked, Path(change_id): Path<String>, Json(rejection): Json<Rejection>) -> Result<Versioned<ChangeView>, Problem> {
    let change = asked.instance.reject_change(&asked.caller, &change_id, &rejection).await?;
    Ok(Versioned(change.head.version, change))
}

/// Withdraw a change
#[utoipa::path(post, path = "/changes/{change_id}/withdrawal", tag = "changes", params(("change_id" = String, Path)), responses(
    (status = 200, body = ChangeView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 412, body = Problem, content_type = "application/problem+json")))]
async fn withdraw(asked: Asked, Path(change_id): Path<String>) -> Result<Versioned<ChangeView>, Problem> {
    let change = asked.instance.withdraw_change(&asked.caller, &change_id).await?;
    Ok(Versioned(change.head.version, change))
}
