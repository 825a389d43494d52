//! Statements to take along: the same value as on screen, as a page, a workbook and rows.

use crate::ask::{Asked, Path};
use crate::problem::Problem;
use crate::serve::{Served, Shared};
use attain_app::statement_document::Form;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(statement_pdf)).routes(routes!(statement_xlsx)).routes(routes!(statement_csv))
}

/// A statement as a page to print
///
/// Totals, the parts of every line, its largest credits, and how to check it.
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/statement.pdf", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn statement_pdf(asked: Asked, served: Shared, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    file(asked, served, of, Form::Pdf).await
}

/// A statement as a workbook
///
/// Lines, their parts and all of their credits, each on a sheet. No cell is a formula.
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/statement.xlsx", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn statement_xlsx(asked: Asked, served: Shared, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    file(asked, served, of, Form::Xlsx).await
}

/// The lines of a statement as CSV
///
/// Texts that a spreadsheet would run as a formula begin with `'`.
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/statement.csv", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn statement_csv(asked: Asked, served: Shared, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    file(asked, served, of, Form::Csv).await
}

async fn file(asked: Asked, State(served): Shared, (payee, period): (String, String), form: Form) -> Result<Response, Problem> {
    let view = asked.view().await?;
    let url = served.options.public_url.as_deref().unwrap_or_default();
    let own = asked.instance.statement_file(&view, &asked.caller, &payee, &period, form, url).await?;
    let headers =
        [(header::CONTENT_TYPE, form.media_type().to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", own.name))];
    Ok((headers, own.bytes).into_response())
}
