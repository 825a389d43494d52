//! How people work together: the policy, who acts for whom, who has acknowledged what, what is unusual.

use crate::ask::{Asked, Json, Path, Query};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::acknowledgements::{AcknowledgementView, Acknowledgements, NewAcknowledgement};
use attain_app::anomalies::{Anomaly, NewAnomalyReview, Thresholds};
use attain_app::delegations::{DelegationView, NewDelegation};
use attain_app::work_policy::{PolicyDecision, PolicyView, WorkPolicy};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(work_policy, propose_policy))
        .routes(routes!(decide_policy))
        .routes(routes!(delegations, delegate))
        .routes(routes!(revoke))
        .routes(routes!(acknowledgement, acknowledge))
        .routes(routes!(acknowledgements))
        .routes(routes!(anomalies))
        .routes(routes!(review))
}

#[derive(Debug, Serialize, ToSchema)]
struct Delegations {
    items: Vec<DelegationView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Anomalies {
    items: Vec<Anomaly>,
    /// How many nobody has looked at.
    unreviewed: usize,
}

/// Thresholds in place of the policy's.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AnomalyQuery {
    /// Further from the median of the three periods before, in per cent of it.
    percent: Option<i64>,
    /// So many times the target and more.
    target_times: Option<String>,
    /// An adjustment of so much and more, up or down.
    adjustment_at_least: Option<String>,
}

impl From<AnomalyQuery> for Thresholds {
    fn from(own: AnomalyQuery) -> Thresholds {
        Thresholds { percent: own.percent, target_times: own.target_times, adjustment_at_least: own.adjustment_at_least }
    }
}

/// The policy in force, and its versions
#[utoipa::path(get, path = "/work-policy", tag = "teamwork", responses(
    (status = 200, body = PolicyView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn work_policy(asked: Asked) -> Result<Json<PolicyView>, Problem> {
    Ok(Json(asked.instance.work_policy(&asked.caller).await?))
}

/// Propose a policy
///
/// It is in force once somebody else has approved it.
#[utoipa::path(post, path = "/work-policy", tag = "teamwork", request_body = WorkPolicy, responses(
    (status = 201, body = PolicyView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn propose_policy(asked: Asked, Json(policy): Json<WorkPolicy>) -> Result<(StatusCode, Json<PolicyView>), Problem> {
    Ok((StatusCode::CREATED, Json(asked.instance.propose_policy(&asked.caller, &policy).await?)))
}

/// Approve or reject a policy that somebody else proposed
#[utoipa::path(post, path = "/work-policy/{version}/decision", tag = "teamwork",
    params(("version" = i64, Path)), request_body = PolicyDecision, responses(
    (status = 200, body = PolicyView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn decide_policy(asked: Asked, Path(version): Path<i64>, Json(decision): Json<PolicyDecision>) -> Result<Json<PolicyView>, Problem> {
    Ok(Json(asked.instance.decide_policy(&asked.caller, version, &decision).await?))
}

/// Who acts for whom
#[utoipa::path(get, path = "/delegations", tag = "teamwork", responses(
    (status = 200, body = Delegations), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn delegations(asked: Asked) -> Result<Json<Delegations>, Problem> {
    Ok(Json(Delegations { items: asked.instance.delegations(&asked.caller).await? }))
}

/// Give one's approvals to somebody else for some days
///
/// Neither of the two can approve what the other has written.
#[utoipa::path(post, path = "/delegations", tag = "teamwork", request_body = NewDelegation, responses(
    (status = 201, body = DelegationView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn delegate(asked: Asked, Json(new): Json<NewDelegation>) -> Result<(StatusCode, Json<DelegationView>), Problem> {
    Ok((StatusCode::CREATED, Json(asked.instance.delegate(&asked.caller, &new).await?)))
}

/// Take approvals back
#[utoipa::path(delete, path = "/delegations/{delegation_id}", tag = "teamwork",
    params(("delegation_id" = String, Path)), responses(
    (status = 200, body = DelegationView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn revoke(asked: Asked, Path(id): Path<String>) -> Result<Json<DelegationView>, Problem> {
    Ok(Json(asked.instance.revoke_delegation(&asked.caller, &id).await?))
}

/// Whether a payee has acknowledged her statement
#[utoipa::path(get, path = "/payees/{payee_id}/periods/{period_id}/acknowledgement", tag = "teamwork",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), responses(
    (status = 200, body = AcknowledgementView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn acknowledgement(asked: Asked, Path((payee, period)): Path<(String, String)>) -> Result<Json<AcknowledgementView>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.acknowledgement(&view, &asked.caller, &payee, &period).await?))
}

/// Acknowledge one's own published statement
#[utoipa::path(post, path = "/payees/{payee_id}/periods/{period_id}/acknowledgement", tag = "teamwork",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), request_body = NewAcknowledgement, responses(
    (status = 200, body = AcknowledgementView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn acknowledge(
    asked: Asked,
    Path((payee, period)): Path<(String, String)>,
    Json(new): Json<NewAcknowledgement>,
) -> Result<Json<AcknowledgementView>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.acknowledge(&view, &asked.caller, &payee, &period, &new).await?))
}

/// Who has acknowledged a period's statement, those first who have not
#[utoipa::path(get, path = "/periods/{period_id}/acknowledgements", tag = "teamwork",
    params(("period_id" = String, Path)), responses(
    (status = 200, body = Acknowledgements), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn acknowledgements(asked: Asked, Path(period): Path<String>) -> Result<Json<Acknowledgements>, Problem> {
    let view = asked.view().await?;
    Ok(Json(asked.instance.acknowledgements(&view, &asked.caller, &period).await?))
}

/// What is unusual in the statements of a period
#[utoipa::path(get, path = "/periods/{period_id}/anomalies", tag = "teamwork",
    params(("period_id" = String, Path), AnomalyQuery), responses(
    (status = 200, body = Anomalies), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn anomalies(asked: Asked, Path(period): Path<String>, Query(query): Query<AnomalyQuery>) -> Result<Json<Anomalies>, Problem> {
    let view = asked.view().await?;
    let items = asked.instance.anomalies(&view, &asked.caller, &period, &query.into()).await?;
    Ok(Json(anomalies_of(items)))
}

/// Say that one has looked at what is unusual
///
/// One anomaly or several with the same words: all of them, or none.
#[utoipa::path(post, path = "/periods/{period_id}/anomalies/reviews", tag = "teamwork",
    params(("period_id" = String, Path), AnomalyQuery), request_body = NewAnomalyReview, responses(
    (status = 201, body = Anomalies), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn review(
    asked: Asked,
    Path(period): Path<String>,
    Query(query): Query<AnomalyQuery>,
    Json(new): Json<NewAnomalyReview>,
) -> Result<(StatusCode, Json<Anomalies>), Problem> {
    let view = asked.view().await?;
    let items = asked.instance.review_anomalies(&view, &asked.caller, &period, &query.into(), &new).await?;
    Ok((StatusCode::CREATED, Json(anomalies_of(items))))
}

fn anomalies_of(items: Vec<Anomaly>) -> Anomalies {
    let unreviewed = items.iter().filter(|own| own.review.is_none()).count();
    Anomalies { items, unreviewed }
}
