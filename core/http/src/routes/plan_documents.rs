//! Plans: which one applies to whom and why, and the documents that payees read and accept.

use crate::ask::{Asked, Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::plan_documents::{DocumentDraft, DocumentHead, DocumentState, DocumentView, NewDocuments, Sent};
use attain_app::plan_versions::PlanReasons;
use attain_domain::Day;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(plans_of_payee))
        .routes(routes!(draft))
        .routes(routes!(documents, send))
        .routes(routes!(document))
        .routes(routes!(document_pdf))
        .routes(routes!(accept))
        .routes(routes!(give_back))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OnQuery {
    /// A day, `YYYY-MM-DD`; today by default.
    on: Option<String>,
}

impl OnQuery {
    fn day(&self) -> Result<Option<Day>, Problem> {
        let day = |text: &str| text.parse::<Day>().map_err(|()| Problem::invalid(format!("`{text}` is not a day; write YYYY-MM-DD")));
        self.on.as_deref().map(day).transpose()
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DocumentsQuery {
    plan: Option<String>,
    payee: Option<String>,
    state: Option<DocumentState>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// Of the text that was read.
    sha256: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlanReturn {
    comment: String,
}

/// Which plans a payee is on on a day, and why not on others
#[utoipa::path(get, path = "/payees/{payee_id}/plans", tag = "plans", params(("payee_id" = String, Path), OnQuery), responses(
    (status = 200, body = PlanReasons), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn plans_of_payee(asked: Asked, Path(payee): Path<String>, Query(query): Query<OnQuery>) -> Result<Json<PlanReasons>, Problem> {
    let view = asked.view().await?;
    Ok(Json(view.plan_reasons(&asked.caller, &payee, query.day()?)?))
}

/// A plan as a payee would read it, before it is sent
#[utoipa::path(get, path = "/payees/{payee_id}/plans/{plan_id}/document", tag = "plans",
    params(("payee_id" = String, Path), ("plan_id" = String, Path), OnQuery), responses(
    (status = 200, body = DocumentDraft), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn draft(
    asked: Asked,
    Path((payee, plan)): Path<(String, String)>,
    Query(query): Query<OnQuery>,
) -> Result<Json<DocumentDraft>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.plan_draft(&view, &asked.caller, &payee, &plan, query.day()?)?))
}

/// Plan documents that one may see, newest first
#[utoipa::path(get, path = "/plan-documents", tag = "plans", params(DocumentsQuery), responses(
    (status = 200, body = Page<DocumentHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn documents(asked: Asked, Query(query): Query<DocumentsQuery>) -> Result<Json<Page<DocumentHead>>, Problem> {
    let view = asked.view().await?;
    let (plan, payee) = (query.plan.as_deref(), query.payee.as_deref());
    let all = asked.instance.plan_documents(&view, &asked.caller, plan, payee, query.state).await?;
    Ok(Json(PageQuery { limit: query.limit, cursor: query.cursor }.cut(all)?))
}

/// Send a plan to those who are on it
///
/// Who has this very text already is passed over. Where the plan requires acceptance, pay is held until then.
#[utoipa::path(post, path = "/plan-documents", tag = "plans", request_body = NewDocuments, responses(
    (status = 201, body = Sent), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn send(asked: Asked, Json(new): Json<NewDocuments>) -> Result<(StatusCode, Json<Sent>), Problem> {
    let view = asked.view().await?;
    Ok((StatusCode::CREATED, Json(asked.instance.send_plan(&view, &asked.caller, &new).await?)))
}

/// A plan document
#[utoipa::path(get, path = "/plan-documents/{document_id}", tag = "plans", params(("document_id" = String, Path)), responses(
    (status = 200, body = DocumentView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn document(asked: Asked, Path(id): Path<String>) -> Result<Json<DocumentView>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.plan_document(&view, &asked.caller, &id).await?))
}

/// A plan document as a page to print
#[utoipa::path(get, path = "/plan-documents/{document_id}/document.pdf", tag = "plans", params(("document_id" = String, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn document_pdf(asked: Asked, Path(id): Path<String>) -> Result<Response, Problem> {
    let view = asked.view().await?;
    let own = asked.instance.plan_document_pdf(&view, &asked.caller, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", own.name)),
    ];
    Ok((headers, own.bytes).into_response())
}

/// Accept one's plan
#[utoipa::path(post, path = "/plan-documents/{document_id}/accept", tag = "plans", params(("document_id" = String, Path)),
    request_body = Acceptance, responses(
    (status = 200, body = DocumentView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn accept(asked: Asked, Path(id): Path<String>, Json(new): Json<Acceptance>) -> Result<Json<DocumentView>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.accept_plan(&view, &asked.caller, &id, &new.sha256).await?))
}

/// Return one's plan with a comment
#[utoipa::path(post, path = "/plan-documents/{document_id}/return", tag = "plans", params(("document_id" = String, Path)),
    request_body = PlanReturn, responses(
    (status = 200, body = DocumentView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn give_back(asked: Asked, Path(id): Path<String>, Json(new): Json<PlanReturn>) -> Result<Json<DocumentView>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.return_plan(&view, &asked.caller, &id, &new.comment).await?))
}
