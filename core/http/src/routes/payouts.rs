//! Payout batches, their file and journal, and the pay ledger in double entry.

use crate::ask::{Asked, Json, Path, Query, Versioned};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::changes::Approval;
use attain_app::payouts::{Confirmation, JournalForm, NewMark, NewPayout, NewReturn, PaidIn, PayoutHead, PayoutView, Reason};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(payouts, draft))
        .routes(routes!(payout))
        .routes(routes!(refresh))
        .routes(routes!(mark))
        .routes(routes!(review))
        .routes(routes!(approve))
        .routes(routes!(export))
        .routes(routes!(file))
        .routes(routes!(confirm))
        .routes(routes!(send_back))
        .routes(routes!(cancel))
        .routes(routes!(journal))
        .routes(routes!(period_journal))
        .routes(routes!(ledger))
        .routes(routes!(paid_in))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PayoutQuery {
    /// `draft`, `reviewed`, `approved`, `exported`, `paid` or `cancelled`.
    state: Option<String>,
    /// At most so many items, 1 to 1000; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JournalQuery {
    /// `csv` (default) or `hledger`.
    #[serde(default)]
    format: JournalForm,
}

#[derive(Debug, Serialize, ToSchema)]
struct PaidInList {
    items: Vec<PaidIn>,
}

fn versioned(payout: PayoutView) -> Versioned<PayoutView> {
    Versioned(payout.head.version, payout)
}

/// Payouts, newest first
#[utoipa::path(get, path = "/payouts", tag = "payouts", params(PayoutQuery), responses(
    (status = 200, body = Page<PayoutHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn payouts(asked: Asked, Query(query): Query<PayoutQuery>) -> Result<Json<Page<PayoutHead>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(page::decode).transpose()?;
    let mut items = asked.instance.payouts(&asked.caller, query.state.as_deref(), after.as_deref(), limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| page::encode(&last.batch_id));
    Ok(Json(Page { items, next_cursor }))
}

/// Draft a payout
///
/// Freezes what the payees of a pay group are due up to and with a period and is in no payout yet.
#[utoipa::path(post, path = "/payouts", tag = "payouts", request_body = NewPayout, responses(
    (status = 201, body = PayoutView, headers(("etag" = String), ("location" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn draft(asked: Asked, Json(new): Json<NewPayout>) -> Result<impl IntoResponse, Problem> {
    let payout = asked.instance.draft_payout(&asked.caller, &new).await?;
    let place = format!("/api/v1/payouts/{}", payout.head.batch_id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], versioned(payout)))
}

/// A payout
#[utoipa::path(get, path = "/payouts/{batch_id}", tag = "payouts", params(("batch_id" = String, Path)), responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn payout(asked: Asked, Path(batch_id): Path<String>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.payout(&asked.caller, &batch_id).await?))
}

/// Take what was posted since into a payout that is not exported
///
/// As `[payouts]` of the company's settings says. Where lines change it is a draft again.
#[utoipa::path(post, path = "/payouts/{batch_id}/refresh", tag = "payouts", params(("batch_id" = String, Path)), responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn refresh(asked: Asked, Path(batch_id): Path<String>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.refresh_payout(&asked.caller, &batch_id).await?))
}

/// Leave a payee out, or say that hers is disputed or on hold
#[utoipa::path(post, path = "/payouts/{batch_id}/marks", tag = "payouts", params(("batch_id" = String, Path)), request_body = NewMark,
    responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn mark(asked: Asked, Path(batch_id): Path<String>, Json(new): Json<NewMark>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.mark_payout(&asked.caller, &batch_id, &new).await?))
}

/// Say that the lines of a draft were looked at
#[utoipa::path(post, path = "/payouts/{batch_id}/review", tag = "payouts", params(("batch_id" = String, Path)), responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn review(asked: Asked, Path(batch_id): Path<String>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.review_payout(&asked.caller, &batch_id).await?))
}

/// Approve a payout
///
/// By somebody who had no hand in it, for the content that she has read.
#[utoipa::path(post, path = "/payouts/{batch_id}/approval", tag = "payouts", params(("batch_id" = String, Path)), request_body = Approval,
    responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn approve(asked: Asked, Path(batch_id): Path<String>, Json(approval): Json<Approval>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.approve_payout(&asked.caller, &batch_id, &approval).await?))
}

/// Make the file of an approved payout
///
/// It is made once; asked again the answer is the same.
#[utoipa::path(post, path = "/payouts/{batch_id}/export", tag = "payouts", params(("batch_id" = String, Path)), responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn export(asked: Asked, Path(batch_id): Path<String>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.export_payout(&asked.caller, &batch_id).await?))
}

fn attachment(name: &str, media_type: &str, bytes: impl IntoResponse) -> Response {
    let headers =
        [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    (headers, bytes).into_response()
}

/// The file of a payout, as it was made
#[utoipa::path(get, path = "/payouts/{batch_id}/file", tag = "payouts", params(("batch_id" = String, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "text/csv"), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn file(asked: Asked, Path(batch_id): Path<String>) -> Result<Response, Problem> {
    let (name, bytes) = asked.instance.payout_file(&asked.caller, &batch_id).await?;
    Ok(attachment(&name, "text/csv; charset=utf-8", bytes))
}

/// Say that the payment was made
///
/// Said again it changes nothing.
#[utoipa::path(post, path = "/payouts/{batch_id}/confirmation", tag = "payouts", params(("batch_id" = String, Path)),
    request_body = Confirmation, responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn confirm(asked: Asked, Path(batch_id): Path<String>, Json(own): Json<Confirmation>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.confirm_payout(&asked.caller, &batch_id, &own).await?))
}

/// Say that the bank sent the payment of a payee back
///
/// It is due again in a new payout.
#[utoipa::path(post, path = "/payouts/{batch_id}/returns", tag = "payouts", params(("batch_id" = String, Path)), request_body = NewReturn,
    responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn send_back(asked: Asked, Path(batch_id): Path<String>, Json(new): Json<NewReturn>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.return_payout(&asked.caller, &batch_id, &new).await?))
}

/// Give up a payout that is not exported
#[utoipa::path(post, path = "/payouts/{batch_id}/cancellation", tag = "payouts", params(("batch_id" = String, Path)), request_body = Reason,
    responses(
    (status = 200, body = PayoutView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn cancel(asked: Asked, Path(batch_id): Path<String>, Json(reason): Json<Reason>) -> Result<Versioned<PayoutView>, Problem> {
    Ok(versioned(asked.instance.cancel_payout(&asked.caller, &batch_id, &reason).await?))
}

/// The payment in double entry
#[utoipa::path(get, path = "/payouts/{batch_id}/journal", tag = "payouts", params(("batch_id" = String, Path), JournalQuery), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn journal(asked: Asked, Path(batch_id): Path<String>, Query(query): Query<JournalQuery>) -> Result<Response, Problem> {
    let text = asked.instance.payout_journal(&asked.caller, &batch_id, query.format).await?;
    Ok(attachment(&format!("payout.{}", query.format.ending()), query.format.media_type(), text))
}

/// What a period earned, in double entry
#[utoipa::path(get, path = "/periods/{period_id}/journal", tag = "payouts", params(("period_id" = String, Path), JournalQuery), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn period_journal(asked: Asked, Path(period_id): Path<String>, Query(query): Query<JournalQuery>) -> Result<Response, Problem> {
    let text = asked.instance.period_journal(&asked.caller, &period_id, query.format).await?;
    Ok(attachment(&format!("commissions.{}", query.format.ending()), query.format.media_type(), text))
}

/// The whole pay ledger in double entry
#[utoipa::path(get, path = "/ledger", tag = "payouts", params(JournalQuery), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn ledger(asked: Asked, Query(query): Query<JournalQuery>) -> Result<Response, Problem> {
    let text = asked.instance.ledger_journal(&asked.caller, query.format).await?;
    Ok(attachment(&format!("ledger.{}", query.format.ending()), query.format.media_type(), text))
}

/// When and in which payouts a statement was paid
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/payouts", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), responses(
    (status = 200, body = PaidInList), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn paid_in(asked: Asked, Path((payee, period)): Path<(String, String)>) -> Result<Json<PaidInList>, Problem> {
    let view = asked.view().await?;
    Ok(Json(PaidInList { items: asked.instance.paid_in(&view, &asked.caller, &payee, &period).await? }))
}
