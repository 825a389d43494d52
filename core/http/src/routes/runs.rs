//! Calculations: ask for one, look into one, compare two, compute one again.

use crate::ask::{Asked, Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::run_views::{Comparison, FindingView, ReplayVerdict, RunDetail, RunLine};
use attain_app::schedules::{Accepted, NewRun};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(runs, request_run))
        .routes(routes!(run))
        .routes(routes!(findings))
        .routes(routes!(receipt))
        .routes(routes!(comparison))
        .routes(routes!(replay))
        .routes(routes!(bundle))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FindingQuery {
    /// Only findings with this code.
    #[serde(rename = "filter[code]")]
    code: Option<String>,
    /// At most so many items, 1 to 1000; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BundleQuery {
    /// Whose results; everybody's by default. The inputs are whole in either case.
    payee: Option<String>,
}

/// Runs, newest first
#[utoipa::path(get, path = "/runs", tag = "runs", params(PageQuery), responses(
    (status = 200, body = Page<RunLine>), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn runs(asked: Asked, Query(query): Query<PageQuery>) -> Result<Json<Page<RunLine>>, Problem> {
    Ok(Json(query.cut(asked.instance.run_lines(&asked.caller).await?)?))
}

/// Ask for a calculation
///
/// The answer is a job; where one waits already it is that one.
#[utoipa::path(post, path = "/runs", tag = "runs", request_body = NewRun, responses(
    (status = 202, body = Accepted, headers(("location" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn request_run(asked: Asked, Json(new): Json<NewRun>) -> Result<impl IntoResponse, Problem> {
    let accepted = asked.instance.request_run(&asked.caller, &new).await?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/api/v1/jobs/{}", accepted.job_id))], Json(accepted)))
}

/// A run
#[utoipa::path(get, path = "/runs/{run_id}", tag = "runs", params(("run_id" = String, Path)), responses(
    (status = 200, body = RunDetail), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn run(asked: Asked, Path(run_id): Path<String>) -> Result<Json<RunDetail>, Problem> {
    Ok(Json(asked.instance.run_detail(&asked.caller, &run_id).await?))
}

/// Findings of a run
#[utoipa::path(get, path = "/runs/{run_id}/findings", tag = "runs", params(("run_id" = String, Path), FindingQuery), responses(
    (status = 200, body = Page<FindingView>), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn findings(asked: Asked, Path(run_id): Path<String>, Query(query): Query<FindingQuery>) -> Result<Json<Page<FindingView>>, Problem> {
    let findings = asked.instance.run_findings(&asked.caller, &run_id, query.code.as_deref()).await?;
    Ok(Json(PageQuery { limit: query.limit, cursor: query.cursor }.cut(findings)?))
}

/// What a run recalculated, against the complete run before it, and why
#[utoipa::path(get, path = "/runs/{run_id}/receipt", tag = "runs", params(("run_id" = String, Path)), responses(
    (status = 200, body = Comparison), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn receipt(asked: Asked, Path(run_id): Path<String>) -> Result<Json<Comparison>, Problem> {
    Ok(Json(asked.instance.receipt(&asked.caller, &run_id).await?))
}

/// What one run has otherwise than another, and why
#[utoipa::path(get, path = "/runs/{run_id}/comparison/{other_run_id}", tag = "runs",
    params(("run_id" = String, Path, description = "Before"), ("other_run_id" = String, Path, description = "After")), responses(
    (status = 200, body = Comparison), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn comparison(asked: Asked, Path((before, after)): Path<(String, String)>) -> Result<Json<Comparison>, Problem> {
    Ok(Json(asked.instance.compare_runs(&asked.caller, &before, &after).await?))
}

/// Compute a run again from what it pinned
#[utoipa::path(post, path = "/runs/{run_id}/replay", tag = "runs", params(("run_id" = String, Path)), responses(
    (status = 200, body = ReplayVerdict), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn replay(asked: Asked, Path(run_id): Path<String>) -> Result<Json<ReplayVerdict>, Problem> {
    Ok(Json(asked.instance.replay_run(&asked.caller, &run_id).await?))
}

/// A run as one file that `attain-verify` checks without the server
///
/// A tar archive of its inputs, documents, extensions, results and hashes. No personal names are in it.
#[utoipa::path(get, path = "/runs/{run_id}/bundle", tag = "runs", params(("run_id" = String, Path), BundleQuery), responses(
    (status = 200, body = Vec<u8>, content_type = "application/x-tar"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn bundle(asked: Asked, Path(run_id): Path<String>, Query(query): Query<BundleQuery>) -> Result<Response, Problem> {
    let own = asked.instance.run_bundle(&asked.caller, &run_id, query.payee.as_deref()).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", own.name)),
    ];
    Ok((headers, own.bytes).into_response())
}
