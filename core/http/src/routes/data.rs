//! The record's rows as tables: what entities there are, their rows filtered, sorted and in pages, as a file, and the history of one.

use crate::ask::{Asked, Json, Path, Query};
use crate::page::{decode, encode, limit};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::rows::{EntityView, History, RowsPage, Selection};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use tokio::task::block_in_place;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(entities)).routes(routes!(rows)).routes(routes!(rows_csv)).routes(routes!(history))
}

#[derive(Debug, Serialize, ToSchema)]
struct Entities {
    items: Vec<EntityView>,
}

/// What a query asks for: `filter[field]` and `filter[q]`, `sort`, `limit`, `cursor`; fields are known by the schema.
#[derive(Default)]
struct RowsQuery {
    selection: Selection,
    limit: Option<usize>,
    cursor: Option<String>,
}

fn rows_query(pairs: Vec<(String, String)>) -> Result<RowsQuery, Problem> {
    let mut query = RowsQuery::default();
    for (name, value) in pairs {
        match name.as_str() {
            "limit" => {
                query.limit = Some(value.parse().map_err(|_| Problem::invalid(format!("`{value}` in `limit` is no whole number")))?);
            }
            "cursor" => query.cursor = Some(decode(&value)?),
            "sort" => query.selection.sort = Some(value),
            "filter[q]" => query.selection.containing = Some(value),
            _ => match name.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']')) {
                Some(field) => query.selection.filters.push((field.to_owned(), value)),
                None => {
                    let known = "`limit`, `cursor`, `sort`, `filter[q]` and `filter[field]` with a field of the entity";
                    return Err(Problem::invalid(format!("`{name}` is no parameter of this; there are {known}")));
                }
            },
        }
    }
    Ok(query)
}

/// Entities with their fields
#[utoipa::path(get, path = "/entities", tag = "data", responses(
    (status = 200, body = Entities), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no company was loaded yet", body = Problem, content_type = "application/problem+json")))]
async fn entities(asked: Asked) -> Result<Json<Entities>, Problem> {
    Ok(Json(Entities { items: asked.view().await?.entities(&asked.caller)? }))
}

/// Rows of an entity
///
/// `filter[field]` is exact, with an empty value for rows that have none; several must all fit. `filter[q]` is contained in one of a
/// row's texts. Rows without the sorted value come last.
#[utoipa::path(get, path = "/entities/{entity}/rows", tag = "data", params(
    ("entity" = String, Path), ("filter[q]" = Option<String>, Query),
    ("filter[field]" = Option<String>, Query, description = "any field of the entity in the place of `field`"),
    ("sort" = Option<String>, Query, description = "a field, with `-` in front for the other direction; by key where absent"),
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000), ("cursor" = Option<String>, Query)), responses(
    (status = 200, body = RowsPage), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn rows(asked: Asked, Path(entity): Path<String>, Query(pairs): Query<Vec<(String, String)>>) -> Result<Json<RowsPage>, Problem> {
    let query = rows_query(pairs)?;
    let (view, limit) = (asked.view().await?, limit(query.limit)?);
    let page = block_in_place(|| view.rows(&asked.caller, &entity, &query.selection, limit, query.cursor.as_deref()))?;
    Ok(Json(RowsPage { next_cursor: page.next_cursor.as_deref().map(encode), ..page }))
}

/// Rows of an entity as a CSV file
///
/// The same selection as the rows, on one page. Texts that a spreadsheet could take for a formula begin with `'`.
#[utoipa::path(get, path = "/entities/{entity}/rows.csv", tag = "data", params(
    ("entity" = String, Path), ("filter[q]" = Option<String>, Query),
    ("filter[field]" = Option<String>, Query, description = "any field of the entity in the place of `field`"),
    ("sort" = Option<String>, Query)), responses(
    (status = 200, body = String, content_type = "text/csv"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn rows_csv(asked: Asked, Path(entity): Path<String>, Query(pairs): Query<Vec<(String, String)>>) -> Result<Response, Problem> {
    let query = rows_query(pairs)?;
    let view = asked.view().await?;
    let text = block_in_place(|| view.rows_csv(&asked.caller, &entity, &query.selection))?;
    // The name is that of an entity by now, which no header can be broken with.
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{entity}.csv\"")),
    ];
    Ok((headers, text).into_response())
}

/// Every version of one record, with where it came from
#[utoipa::path(get, path = "/entities/{entity}/rows/{id}/history", tag = "data", params(
    ("entity" = String, Path), ("id" = String, Path, description = "`id` of the row: its key fields joined by `~`")), responses(
    (status = 200, body = History), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn history(asked: Asked, Path((entity, id)): Path<(String, String)>) -> Result<Json<History>, Problem> {
    Ok(Json(asked.instance.record_history(&asked.caller, &entity, &id).await?))
}
