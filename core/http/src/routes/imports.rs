//! Files of rows that are sent in: taken, refused with their faults, mended and sent again.

use crate::ask::{Asked, Csv, Json, Path, Query};
use crate::page::{Page, PageQuery, decode, encode};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::imports::{ImportHead, ImportOutcome, ImportView, Sent};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(imports, send)).routes(routes!(import)).routes(routes!(resend)).routes(routes!(pull))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SendQuery {
    entity: String,
    /// The system that the rows come from; `file` where absent.
    source: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PullAsk {
    entity: String,
    /// Settings of the connector.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: serde_json::Map<String, serde_json::Value>,
}

/// Imports, newest first
#[utoipa::path(get, path = "/imports", tag = "imports", params(PageQuery), responses(
    (status = 200, body = Page<ImportHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn imports(asked: Asked, Query(query): Query<PageQuery>) -> Result<Json<Page<ImportHead>>, Problem> {
    let limit = query.limit()?;
    let before = query.cursor.as_deref().map(decode).transpose()?.unwrap_or_default();
    let mut items = asked.instance.imports(&asked.caller, &before, limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| encode(&last.import_id));
    Ok(Json(Page { items, next_cursor }))
}

/// Send a file of rows of one entity
///
/// A known record that differs gets a new version, others are added, and records that the file does not have stay. The file is taken
/// as a whole or refused as a whole with every fault; a refused one is kept to be mended, the last 200 of them. The same file sent
/// again changes nothing. What people are paid by decision waits for a second person.
#[utoipa::path(post, path = "/imports", tag = "imports", params(SendQuery),
    request_body(content = String, content_type = "text/csv", description = "at most 64 MiB; the header names the entity's fields"), responses(
    (status = 200, description = "taken or refused: see `state`", body = ImportOutcome),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn send(asked: Asked, Query(query): Query<SendQuery>, Csv(bytes): Csv) -> Result<Json<ImportOutcome>, Problem> {
    let source = query.source.as_deref().unwrap_or("file");
    let sent = Sent { entity: &query.entity, source, dry_run: query.dry_run, bytes: &bytes };
    Ok(Json(asked.instance.send_import(&asked.caller, sent).await?))
}

/// One import, with its errors and the text to mend
#[utoipa::path(get, path = "/imports/{import_id}", tag = "imports", params(("import_id" = String, Path)), responses(
    (status = 200, body = ImportView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn import(asked: Asked, Path(import_id): Path<String>) -> Result<Json<ImportView>, Problem> {
    Ok(Json(asked.instance.import_view(&asked.caller, &import_id).await?))
}

/// Send the mended text of a refused import
#[utoipa::path(post, path = "/imports/{import_id}/resend", tag = "imports", params(("import_id" = String, Path)),
    request_body(content = String, content_type = "text/csv", description = "all of its rows, at most 64 MiB"), responses(
    (status = 200, description = "taken or refused: see `state`", body = ImportOutcome),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it was not refused, or is mended already", body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn resend(asked: Asked, Path(import_id): Path<String>, Csv(bytes): Csv) -> Result<Json<ImportOutcome>, Problem> {
    Ok(Json(asked.instance.resend_import(&asked.caller, &import_id, &bytes).await?))
}

/// Pull an entity through a connector and take its rows in
#[utoipa::path(post, path = "/connectors/{name}/pulls", tag = "imports", params(("name" = String, Path)), request_body = PullAsk, responses(
    (status = 200, description = "taken or refused: see `state`", body = ImportOutcome),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn pull(asked: Asked, Path(name): Path<String>, Json(ask): Json<PullAsk>) -> Result<Json<ImportOutcome>, Problem> {
    let settings = serde_json::Value::Object(ask.settings);
    Ok(Json(asked.instance.send_pull(&asked.caller, &name, &ask.entity, &settings).await?))
}
