//! Formulas: reading, checking and trying them; what changes them is a change.

use crate::ask::{Asked, Json, Path, Query, Versioned};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::changes::ChangeView;
use attain_app::formulas::{Check, CheckRequest, FormulaHead, FormulaVersion, FormulaView, LanguageName};
use attain_app::impact::{Impact, ImpactRequest, Traces, TracesRequest};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(formulas))
        .routes(routes!(formula))
        .routes(routes!(history))
        .routes(routes!(language))
        .routes(routes!(check))
        .routes(routes!(impact))
        .routes(routes!(traces))
        .routes(routes!(roll_back))
}

#[derive(Debug, Serialize, ToSchema)]
struct Formulas {
    items: Vec<FormulaHead>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FormulaHistory {
    /// Oldest first.
    items: Vec<FormulaVersion>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Language {
    names: Vec<LanguageName>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LanguageQuery {
    /// An extension point, for example `compensation`.
    point: String,
    /// The settings that this formula declares are listed too.
    formula: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EarlierText {
    digest: String,
}

/// All formulas
#[utoipa::path(get, path = "/formulas", tag = "formulas", responses(
    (status = 200, body = Formulas), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn formulas(asked: Asked) -> Result<Json<Formulas>, Problem> {
    Ok(Json(Formulas { items: asked.instance.formulas(&asked.caller).await? }))
}

/// A formula with its text and cases
#[utoipa::path(get, path = "/formulas/{name}", tag = "formulas", params(("name" = String, Path)), responses(
    (status = 200, body = FormulaView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn formula(asked: Asked, Path(name): Path<String>) -> Result<Json<FormulaView>, Problem> {
    Ok(Json(asked.instance.formula(&asked.caller, &name).await?))
}

/// The texts that a formula had
#[utoipa::path(get, path = "/formulas/{name}/history", tag = "formulas", params(("name" = String, Path)), responses(
    (status = 200, body = FormulaHistory), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn history(asked: Asked, Path(name): Path<String>) -> Result<Json<FormulaHistory>, Problem> {
    Ok(Json(FormulaHistory { items: asked.instance.formula_history(&asked.caller, &name).await? }))
}

/// The names that a formula can use
#[utoipa::path(get, path = "/formula-language", tag = "formulas", params(LanguageQuery), responses(
    (status = 200, body = Language), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn language(asked: Asked, Query(query): Query<LanguageQuery>) -> Result<Json<Language>, Problem> {
    let names = asked.instance.formula_language(&asked.caller, &query.point, query.formula.as_deref()).await?;
    Ok(Json(Language { names }))
}

/// Compile a text and run its cases
#[utoipa::path(post, path = "/formulas/{name}/check", tag = "formulas", params(("name" = String, Path)), request_body = CheckRequest, responses(
    (status = 200, body = Check), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn check(asked: Asked, Path(name): Path<String>, Json(request): Json<CheckRequest>) -> Result<Json<Check>, Problem> {
    Ok(Json(asked.instance.check_formula(&asked.caller, &name, &request).await?))
}

/// What a text would change, in money
///
/// Calculated on the record as it is now; nothing is stored.
#[utoipa::path(post, path = "/formulas/{name}/impact", tag = "formulas", params(("name" = String, Path)), request_body = ImpactRequest, responses(
    (status = 200, body = Impact), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn impact(asked: Asked, Path(name): Path<String>, Json(request): Json<ImpactRequest>) -> Result<Json<Impact>, Problem> {
    Ok(Json(asked.instance.impact(&asked.caller, &name, &request).await?))
}

/// Both explanations of a payee's period
#[utoipa::path(post, path = "/formulas/{name}/traces", tag = "formulas", params(("name" = String, Path)), request_body = TracesRequest, responses(
    (status = 200, body = Traces), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn traces(asked: Asked, Path(name): Path<String>, Json(request): Json<TracesRequest>) -> Result<Json<Traces>, Problem> {
    Ok(Json(asked.instance.traces(&asked.caller, &name, &request).await?))
}

/// Submit an earlier text
///
/// It needs a second person like every change.
#[utoipa::path(post, path = "/formulas/{name}/rollback", tag = "formulas", params(("name" = String, Path)), request_body = EarlierText, responses(
    (status = 201, body = ChangeView, headers(("etag" = String), ("location" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn roll_back(asked: Asked, Path(name): Path<String>, Json(earlier): Json<EarlierText>) -> Result<impl IntoResponse, Problem> {
    let change = asked.instance.roll_formula_back(&asked.caller, &name, &earlier.digest).await?;
    let place = format!("/api/v1/changes/{}", change.head.change_id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Versioned(change.head.version, change)))
}
