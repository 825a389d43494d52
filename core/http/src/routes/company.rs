//! The company as the files of its folder, and the last run at a glance.

use crate::ask::{Asked, Json};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::check::CaseOutcome;
use attain_app::company::Receipt;
use attain_app::parity::{Files, Lines, SummaryView};
use axum::http::StatusCode;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(company, load)).routes(routes!(diff)).routes(routes!(test)).routes(routes!(summary))
}

/// The whole company as files
#[utoipa::path(get, path = "/company", tag = "company", responses(
    (status = 200, body = Files), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no company was loaded yet", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "it is too large for one answer", body = Problem, content_type = "application/problem+json")))]
async fn company(asked: Asked) -> Result<Json<Files>, Problem> {
    Ok(Json(asked.instance.company_files(&asked.caller).await?))
}

/// Load a company into a record that holds none
///
/// At most 64 MiB. A company that is there already is changed by a change of kind `company`.
#[utoipa::path(post, path = "/company", tag = "company", request_body = Files, responses(
    (status = 201, body = Receipt), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn load(asked: Asked, Json(files): Json<Files>) -> Result<(StatusCode, Json<Receipt>), Problem> {
    Ok((StatusCode::CREATED, Json(asked.instance.load_files(&asked.caller, &files).await?)))
}

/// What would change if the record became this company
#[utoipa::path(post, path = "/company/diff", tag = "company", request_body = Files, responses(
    (status = 200, body = Lines), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn diff(asked: Asked, Json(files): Json<Files>) -> Result<Json<Lines>, Problem> {
    Ok(Json(asked.instance.diff_files(&asked.caller, &files).await?))
}

/// Calculate a company beside the record and compare with what it expects
#[utoipa::path(post, path = "/company/test", tag = "company", request_body = Files, responses(
    (status = 200, description = "passed where nothing is listed", body = CaseOutcome),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn test(asked: Asked, Json(files): Json<Files>) -> Result<Json<CaseOutcome>, Problem> {
    Ok(Json(asked.instance.test_files(&asked.caller, &files).await?))
}

/// The last run at a glance
#[utoipa::path(get, path = "/summary", tag = "company", responses(
    (status = 200, body = SummaryView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "nothing was calculated yet", body = Problem, content_type = "application/problem+json")))]
async fn summary(asked: Asked) -> Result<Json<SummaryView>, Problem> {
    Ok(Json(asked.instance.summary_view(&asked.caller).await?))
}
