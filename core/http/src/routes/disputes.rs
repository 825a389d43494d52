//! Disputes and questions about statements: raised, answered, assigned, decided, with what is attached to them.

use crate::ask::{Asked, IfMatch, Json, Path, Query, Versioned};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::disputes::{
    AttachmentView, DisputeAssignment, DisputeFilter, DisputeHead, DisputeKind, DisputeResolution, DisputeState, DisputeStep, DisputeView,
    Escalation, FILE_BYTES_MAX, NewDispute, PayHold,
};
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(disputes))
        .routes(routes!(raise))
        .routes(routes!(dispute, set_state))
        .routes(routes!(answer))
        .routes(routes!(assign))
        .routes(routes!(resolve))
        .routes(routes!(escalate))
        .routes(routes!(hold))
        .routes(routes!(make_case))
        .routes(routes!(attach))
        .routes(routes!(attachment))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DisputesQuery {
    /// Both where it is left out.
    kind: Option<DisputeKind>,
    state: Option<DisputeState>,
    payee: Option<String>,
    period: Option<String>,
    /// Only those that nobody looks at yet.
    #[serde(default)]
    unassigned: bool,
    /// Only those that payouts wait for.
    #[serde(default)]
    holding: bool,
    /// Only those that should have been decided.
    #[serde(default)]
    overdue: bool,
    /// Only those that are assigned to the caller.
    #[serde(default)]
    mine: bool,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// Its name with its ending.
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDisputeMessage {
    body: String,
}

/// Disputes and questions that one may see, newest first
#[utoipa::path(get, path = "/disputes", tag = "disputes",
    params(DisputesQuery), responses(
    (status = 200, body = Page<DisputeHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn disputes(asked: Asked, Query(query): Query<DisputesQuery>) -> Result<Json<Page<DisputeHead>>, Problem> {
    let view = asked.view().await?;
    let filter = DisputeFilter {
        kind: query.kind,
        state: query.state,
        payee_id: query.payee.as_deref(),
        period_id: query.period.as_deref(),
        is_unassigned: query.unassigned,
        is_holding: query.holding,
        is_overdue: query.overdue,
        is_mine: query.mine,
    };
    let all = asked.instance.disputes(&view, &asked.caller, &filter).await?;
    Ok(Json(PageQuery { limit: query.limit, cursor: query.cursor }.cut(all)?))
}

/// Dispute a statement, one of its lines, or a credit that is missing; or ask about it
///
/// A question (`kind`) expects no amount and is answered; it can become a dispute.
#[utoipa::path(post, path = "/payees/{payee_id}/periods/{period_id}/disputes", tag = "disputes",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), request_body = NewDispute, responses(
    (status = 201, body = DisputeView, headers(("etag" = String), ("location" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn raise(
    asked: Asked,
    Path((payee, period)): Path<(String, String)>,
    Json(new): Json<NewDispute>,
) -> Result<impl IntoResponse, Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.raise_dispute(&view, &asked.caller, &payee, &period, &new).await?;
    let place = format!("/api/v1/disputes/{}", dispute.head.dispute_id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Versioned(dispute.version, dispute)))
}

/// A dispute with its thread
#[utoipa::path(get, path = "/disputes/{dispute_id}", tag = "disputes",
    params(("dispute_id" = String, Path)), responses(
    (status = 200, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn dispute(asked: Asked, Path(id): Path<String>) -> Result<Versioned<DisputeView>, Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.dispute(&view, &asked.caller, &id).await?;
    Ok(Versioned(dispute.version, dispute))
}

/// Close a dispute or a question, open it again or withdraw it
#[utoipa::path(patch, path = "/disputes/{dispute_id}", tag = "disputes",
    params(("dispute_id" = String, Path), ("if-match" = String, Header)), request_body = DisputeStep, responses(
    (status = 200, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn set_state(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(step): Json<DisputeStep>,
) -> Result<Versioned<DisputeView>, Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.move_dispute(&view, &asked.caller, &id, version, &step).await?;
    Ok(Versioned(dispute.version, dispute))
}

/// Write in a thread
///
/// A question is answered by whoever may answer; whoever else writes opens it again.
#[utoipa::path(post, path = "/disputes/{dispute_id}/messages", tag = "disputes",
    params(("dispute_id" = String, Path)), request_body = NewDisputeMessage, responses(
    (status = 201, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn answer(
    asked: Asked,
    Path(id): Path<String>,
    Json(new): Json<NewDisputeMessage>,
) -> Result<(StatusCode, Versioned<DisputeView>), Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.answer_dispute(&view, &asked.caller, &id, &new.body).await?;
    Ok((StatusCode::CREATED, Versioned(dispute.version, dispute)))
}

/// Give a dispute or a question to somebody, and say until when it is to be decided
#[utoipa::path(put, path = "/disputes/{dispute_id}/assignment", tag = "disputes",
    params(("dispute_id" = String, Path), ("if-match" = String, Header)), request_body = DisputeAssignment, responses(
    (status = 200, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn assign(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(assignment): Json<DisputeAssignment>,
) -> Result<Versioned<DisputeView>, Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.assign_dispute(&view, &asked.caller, &id, version, &assignment).await?;
    Ok(Versioned(dispute.version, dispute))
}

/// Decide on a dispute
///
/// Never by the payee herself. An amount that is granted waits as a change for a second person; the dispute ends with its approval.
#[utoipa::path(put, path = "/disputes/{dispute_id}/resolution", tag = "disputes",
    params(("dispute_id" = String, Path), ("if-match" = String, Header)), request_body = DisputeResolution, responses(
    (status = 200, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn resolve(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(resolution): Json<DisputeResolution>,
) -> Result<Versioned<DisputeView>, Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.resolve_dispute(&view, &asked.caller, &id, version, &resolution).await?;
    Ok(Versioned(dispute.version, dispute))
}

/// Make a dispute of a question
///
/// By who asked or who answers, where the answer is not enough. The thread stays.
#[utoipa::path(put, path = "/disputes/{dispute_id}/escalation", tag = "disputes",
    params(("dispute_id" = String, Path), ("if-match" = String, Header)), request_body = Escalation, responses(
    (status = 200, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn escalate(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(new): Json<Escalation>,
) -> Result<Versioned<DisputeView>, Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.escalate_question(&view, &asked.caller, &id, version, &new).await?;
    Ok(Versioned(dispute.version, dispute))
}

/// Let payouts of the payee wait for a dispute, or wait no longer
///
/// While it holds pay, no payout that pays her is approved or exported; she can be excluded from it.
#[utoipa::path(put, path = "/disputes/{dispute_id}/hold", tag = "disputes",
    params(("dispute_id" = String, Path), ("if-match" = String, Header)), request_body = PayHold, responses(
    (status = 200, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn hold(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(new): Json<PayHold>,
) -> Result<Versioned<DisputeView>, Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.hold_for_dispute(&view, &asked.caller, &id, version, &new).await?;
    Ok(Versioned(dispute.version, dispute))
}

/// Make a dispute a case of its formula
///
/// Drafts a change of the formula whose cases have what the formula was given for the line, and what was expected.
#[utoipa::path(post, path = "/disputes/{dispute_id}/case", tag = "disputes",
    params(("dispute_id" = String, Path)), responses(
    (status = 201, body = DisputeView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn make_case(asked: Asked, Path(id): Path<String>) -> Result<(StatusCode, Versioned<DisputeView>), Problem> {
    let view = asked.view().await?;
    let dispute = asked.instance.case_of_dispute(&view, &asked.caller, &id).await?;
    Ok((StatusCode::CREATED, Versioned(dispute.version, dispute)))
}

/// Attach a file to a dispute
///
/// PDF, PNG, JPEG, XLSX, DOCX, CSV or text, at most 2 MiB; at most 10 MiB a dispute.
#[utoipa::path(post, path = "/disputes/{dispute_id}/attachments", tag = "disputes",
    params(("dispute_id" = String, Path), FileQuery), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 201, body = AttachmentView), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn attach(
    asked: Asked,
    Path(id): Path<String>,
    Query(query): Query<FileQuery>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<AttachmentView>), Problem> {
    if bytes.len() > FILE_BYTES_MAX {
        let detail = format!("a file has at most {} MiB", FILE_BYTES_MAX >> 20);
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail));
    }
    let view = asked.view().await?;
    Ok((StatusCode::CREATED, Json(asked.instance.attach(&view, &asked.caller, &id, &query.name, &bytes).await?)))
}

/// A file that is attached to a dispute, to be saved
#[utoipa::path(get, path = "/disputes/{dispute_id}/attachments/{attachment_id}", tag = "disputes",
    params(("dispute_id" = String, Path), ("attachment_id" = String, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn attachment(asked: Asked, Path((id, attachment_id)): Path<(String, String)>) -> Result<Response, Problem> {
    let view = asked.view().await?;
    let own = asked.instance.attachment(&view, &asked.caller, &id, &attachment_id).await?;
    // Saved, never shown: what somebody sent is not run in our name.
    let headers = [
        (header::CONTENT_TYPE, own.media_type),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", own.name)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, own.bytes).into_response())
}
