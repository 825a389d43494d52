//! What a payee is paid: the home page, statements, and what stands behind their lines.

use crate::ask::{Asked, Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::explain::Node;
use attain_app::pay::{CreditLine, Home, PayeeHead, PipelineItem, Rule, Statement, StatementHead};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(payees))
        .routes(routes!(home))
        .routes(routes!(visit))
        .routes(routes!(statements))
        .routes(routes!(statement))
        .routes(routes!(explanation))
        .routes(routes!(line_credits))
        .routes(routes!(line_rule))
        .routes(routes!(pipeline))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PayeesQuery {
    /// In which period; the last with statements by default.
    period: Option<String>,
    /// Words in the name or the id.
    #[serde(rename = "filter[q]")]
    words: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LineQuery {
    /// Only this line, with all of its credits.
    #[param(minimum = 1)]
    line: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Statements {
    items: Vec<StatementHead>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Pipeline {
    items: Vec<PipelineItem>,
}

/// Whose pay one may see
#[utoipa::path(get, path = "/payees", tag = "pay", params(PayeesQuery), responses(
    (status = 200, body = Page<PayeeHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn payees(asked: Asked, Query(query): Query<PayeesQuery>) -> Result<Json<Page<PayeeHead>>, Problem> {
    let view = asked.view().await?;
    let all = view.payees(&asked.caller, query.period.as_deref(), query.words.as_deref().unwrap_or_default())?;
    Ok(Json(PageQuery { limit: query.limit, cursor: query.cursor }.cut(all)?))
}

/// The home page of a payee
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/home", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), responses(
    (status = 200, body = Home), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn home(asked: Asked, Path((payee, period)): Path<(String, String)>) -> Result<Json<Home>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.home(&view, &asked.caller, &payee, &period).await?))
}

/// Remember that the pay of the last run was seen
///
/// What changes after it is shown on the home page.
#[utoipa::path(post, path = "/visits", tag = "pay", responses(
    (status = 204), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn visit(asked: Asked) -> Result<StatusCode, Problem> {
    let view = asked.view().await?;
    asked.instance.visit(&view, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The statements of a payee, newest first
#[utoipa::path(get, path = "/payees/{payee_id}/statements", tag = "pay", params(("payee_id" = String, Path)), responses(
    (status = 200, body = Statements), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn statements(asked: Asked, Path(payee): Path<String>) -> Result<Json<Statements>, Problem> {
    let view = asked.view().await?;
    Ok(Json(Statements { items: view.statements(&asked.caller, &payee)? }))
}

/// A statement
///
/// It never mixes two runs. `ETag` names the run; with `If-None-Match` an unchanged statement is 304.
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/statement", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), responses(
    (status = 200, body = Statement), (status = 304), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn statement(asked: Asked, headers: HeaderMap, Path((payee, period)): Path<(String, String)>) -> Result<Response, Problem> {
    let view = asked.view().await?;
    let mut statement = view.statement(&asked.caller, &payee, &period)?;
    statement.paid_in = asked.instance.paid_in(&view, &asked.caller, &payee, &period).await?.pop();
    // Names and titles come from the record, payments from the payouts, all else from the run.
    let paid = statement.paid_in.as_ref().map_or("", |own| own.batch_id.as_str());
    let tag = format!("\"{}-{}-{}-{paid}\"", statement.run_id, statement.as_of.state, view.versions.company);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], Json(statement)).into_response())
}

/// Why a statement says what it says, down to source rows
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/explanation", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path), LineQuery), responses(
    (status = 200, body = Node), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn explanation(
    asked: Asked,
    Path((payee, period)): Path<(String, String)>,
    Query(query): Query<LineQuery>,
) -> Result<Json<Node>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.explanation(&view, &asked.caller, &payee, &period, query.line).await?))
}

/// The credits that a line adds up, largest first
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/lines/{line}/credits", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path), ("line" = usize, Path), PageQuery), responses(
    (status = 200, body = Page<CreditLine>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn line_credits(
    asked: Asked,
    Path((payee, period, line)): Path<(String, String, usize)>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CreditLine>>, Problem> {
    let view = asked.view().await?;
    Ok(Json(page.cut(asked.instance.line_credits(&view, &asked.caller, &payee, &period, line).await?)?))
}

/// The rule and the formula behind a line, word by word
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/lines/{line}/rule", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path), ("line" = usize, Path)), responses(
    (status = 200, body = Rule), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn line_rule(asked: Asked, Path((payee, period, line)): Path<(String, String, usize)>) -> Result<Json<Rule>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.line_rule(&view, &asked.caller, &payee, &period, line).await?))
}

/// The open deals of a payee
#[utoipa::path(get, path = "/payees/{payee_id}/pipeline", tag = "pay", params(("payee_id" = String, Path)), responses(
    (status = 200, body = Pipeline), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn pipeline(asked: Asked, Path(payee): Path<String>) -> Result<Json<Pipeline>, Problem> {
    let view = asked.view().await?;
    Ok(Json(Pipeline { items: view.pipeline(&asked.caller, &payee)? }))
}
