//! The audit trail: searched, one entry with its proof, the whole verified.

use crate::ask::{Asked, Json, Path, Query};
use crate::page::{Page, decode, encode, limit};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::AuditReport;
use attain_app::trail::{EntryHead, EntryView, Search};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(entries)).routes(routes!(entry)).routes(routes!(verify))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TrailQuery {
    /// A user's id, or the name that the command line was given.
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    object: String,
    /// Contained in the object or the reason, in upper or lower case.
    #[serde(default)]
    q: String,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Entries of the audit trail, newest first
#[utoipa::path(get, path = "/audit", tag = "audit", params(TrailQuery), responses(
    (status = 200, body = Page<EntryHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn entries(asked: Asked, Query(query): Query<TrailQuery>) -> Result<Json<Page<EntryHead>>, Problem> {
    let limit = limit(query.limit)?;
    let before = match &query.cursor {
        None => i64::MAX,
        Some(cursor) => decode(cursor)?.parse().map_err(|_| Problem::invalid("the cursor is damaged; begin without one"))?,
    };
    let search = Search { actor: query.actor, action: query.action, object: query.object, containing: query.q };
    let mut items = asked.instance.audit_entries(&asked.caller, &search, before, limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| encode(&last.sequence.to_string()));
    Ok(Json(Page { items, next_cursor }))
}

/// One entry, with what proves it
#[utoipa::path(get, path = "/audit/{sequence}", tag = "audit", params(("sequence" = i64, Path)), responses(
    (status = 200, body = EntryView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn entry(asked: Asked, Path(sequence): Path<i64>) -> Result<Json<EntryView>, Problem> {
    Ok(Json(asked.instance.audit_entry(&asked.caller, sequence).await?))
}

/// Verify the whole trail
///
/// Every entry against its hash and the one before, every checkpoint against the entries and the anchor outside the database.
#[utoipa::path(post, path = "/audit/verification", tag = "audit", responses(
    (status = 200, body = AuditReport), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn verify(asked: Asked) -> Result<Json<AuditReport>, Problem> {
    Ok(Json(asked.instance.verify_trail(&asked.caller).await?))
}
