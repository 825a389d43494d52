//! Adjustments of pay by hand.

use crate::ask::{Asked, Json, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::adjustments::{AdjustmentFilter, AdjustmentReason, AdjustmentView, NewAdjustment};
use axum::http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(adjustments, adjust))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AdjustmentsQuery {
    payee: Option<String>,
    period: Option<String>,
    /// `submitted`, `approved`, `rejected` or `withdrawn`.
    state: Option<String>,
    reason: Option<AdjustmentReason>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Adjustments of those whose pay one may see
///
/// What is not approved is for who sees everybody's pay.
#[utoipa::path(get, path = "/adjustments", tag = "adjustments",
    params(AdjustmentsQuery), responses(
    (status = 200, body = Page<AdjustmentView>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn adjustments(asked: Asked, Query(query): Query<AdjustmentsQuery>) -> Result<Json<Page<AdjustmentView>>, Problem> {
    let view = asked.view().await?;
    let filter = AdjustmentFilter {
        payee_id: query.payee.as_deref(),
        period_id: query.period.as_deref(),
        state: query.state.as_deref(),
        reason: query.reason,
    };
    let all = asked.instance.adjustments(&view, &asked.caller, &filter).await?;
    Ok(Json(PageQuery { limit: query.limit, cursor: query.cursor }.cut(all)?))
}

/// Adjust somebody's pay
///
/// It waits as a change for a second person.
#[utoipa::path(post, path = "/adjustments", tag = "adjustments", request_body = NewAdjustment, responses(
    (status = 201, body = AdjustmentView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn adjust(asked: Asked, Json(new): Json<NewAdjustment>) -> Result<(StatusCode, Json<AdjustmentView>), Problem> {
    let view = asked.view().await?;
    Ok((StatusCode::CREATED, Json(asked.instance.adjust(&view, &asked.caller, &new).await?)))
}
