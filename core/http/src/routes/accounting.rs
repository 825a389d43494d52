//! What finance books: amortisation of costs to obtain contracts, accruals, and both as a journal.

use crate::ask::{Asked, Json, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::accounting::{AccountingHead, AccrualLine, AccrualTotals, ContractLine, JournalLine, RollForward, Sheet};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(amortization))
        .routes(routes!(accruals))
        .routes(routes!(amortization_csv))
        .routes(routes!(accruals_csv))
        .routes(routes!(journal_csv))
        .routes(routes!(workbook))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PeriodQuery {
    /// The last period with statements by default.
    period: Option<String>,
    /// At most so many lines, 1 to 1000; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

impl PeriodQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// The last period with statements by default.
    period: Option<String>,
}

/// Of all contracts together, and the page of contracts that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct AmortizationView {
    #[serde(flatten)]
    head: AccountingHead,
    totals: RollForward,
    journal: Vec<JournalLine>,
    contracts: Page<ContractLine>,
}

/// Of all payees together, and the page of lines that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct AccrualsView {
    #[serde(flatten)]
    head: AccountingHead,
    totals: AccrualTotals,
    journal: Vec<JournalLine>,
    lines: Page<AccrualLine>,
}

/// The roll-forward of costs to obtain contracts (ASC 340-40)
///
/// A period that is approved or closed is shown as it was; what would be otherwise now is the correction of the next one.
#[utoipa::path(get, path = "/accounting/amortization", tag = "accounting", params(PeriodQuery), responses(
    (status = 200, body = AmortizationView), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn amortization(asked: Asked, Query(query): Query<PeriodQuery>) -> Result<Json<AmortizationView>, Problem> {
    let view = asked.view().await?;
    let own = asked.instance.amortization(&view, &asked.caller, query.period.as_deref()).await?;
    let contracts = query.page().cut(own.contracts)?;
    Ok(Json(AmortizationView { head: own.head, totals: own.totals, journal: own.journal, contracts }))
}

/// Expense accrued at expected results, and turned back
#[utoipa::path(get, path = "/accounting/accruals", tag = "accounting", params(PeriodQuery), responses(
    (status = 200, body = AccrualsView), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn accruals(asked: Asked, Query(query): Query<PeriodQuery>) -> Result<Json<AccrualsView>, Problem> {
    let view = asked.view().await?;
    let own = asked.instance.accruals(&view, &asked.caller, query.period.as_deref()).await?;
    let lines = query.page().cut(own.lines)?;
    Ok(Json(AccrualsView { head: own.head, totals: own.totals, journal: own.journal, lines }))
}

/// The roll-forward as CSV
#[utoipa::path(get, path = "/accounting/amortization.csv", tag = "accounting", params(FileQuery), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn amortization_csv(asked: Asked, Query(query): Query<FileQuery>) -> Result<Response, Problem> {
    file(asked, query, Sheet::Amortization).await
}

/// Accruals as CSV
#[utoipa::path(get, path = "/accounting/accruals.csv", tag = "accounting", params(FileQuery), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn accruals_csv(asked: Asked, Query(query): Query<FileQuery>) -> Result<Response, Problem> {
    file(asked, query, Sheet::Accruals).await
}

/// The journal lines of both as CSV
#[utoipa::path(get, path = "/accounting/journal.csv", tag = "accounting", params(FileQuery), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn journal_csv(asked: Asked, Query(query): Query<FileQuery>) -> Result<Response, Problem> {
    file(asked, query, Sheet::Journal).await
}

/// Roll-forward, accruals and journal lines as a workbook
#[utoipa::path(get, path = "/accounting/workbook.xlsx", tag = "accounting", params(FileQuery), responses(
    (status = 200, body = String, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn workbook(asked: Asked, Query(query): Query<FileQuery>) -> Result<Response, Problem> {
    let view = asked.view().await?;
    let own = asked.instance.accounting_workbook(&view, &asked.caller, query.period.as_deref()).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", own.name)),
    ];
    Ok((headers, own.bytes).into_response())
}

async fn file(asked: Asked, query: FileQuery, sheet: Sheet) -> Result<Response, Problem> {
    let view = asked.view().await?;
    let own = asked.instance.accounting_file(&view, &asked.caller, query.period.as_deref(), sheet).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", own.name)),
    ];
    Ok((headers, own.bytes).into_response())
}
