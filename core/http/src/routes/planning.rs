//! Proposals for territories and quotas, and forecasts. Nothing is changed here: a proposal is submitted as a change.

use crate::ask::{Asked, Json, Query};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::parity::{ForecastView, QuotaAsk, QuotaProposalView, TerritoryAsk, TerritoryProposalView};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const STEPS_DEFAULT: usize = 6;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(territories)).routes(routes!(quotas)).routes(routes!(forecast))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ForecastQuery {
    /// The company's first measure where absent.
    measure: Option<String>,
    /// Periods to continue by, 1 to 60; 6 by default.
    #[param(minimum = 1, maximum = 60)]
    steps: Option<usize>,
}

/// Balance accounts over territories
#[utoipa::path(post, path = "/territory-proposals", tag = "planning", request_body = TerritoryAsk, responses(
    (status = 200, body = TerritoryProposalView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn territories(asked: Asked, Json(ask): Json<TerritoryAsk>) -> Result<Json<TerritoryProposalView>, Problem> {
    Ok(Json(asked.instance.territory_proposal(&asked.caller, &ask).await?))
}

/// Spread a yearly total over payees and periods
#[utoipa::path(post, path = "/quota-proposals", tag = "planning", request_body = QuotaAsk, responses(
    (status = 200, body = QuotaProposalView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn quotas(asked: Asked, Json(ask): Json<QuotaAsk>) -> Result<Json<QuotaProposalView>, Problem> {
    Ok(Json(asked.instance.quota_proposal(&asked.caller, &ask).await?))
}

/// A measure, continued
#[utoipa::path(get, path = "/forecasts", tag = "planning", params(ForecastQuery), responses(
    (status = 200, body = ForecastView), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn forecast(asked: Asked, Query(query): Query<ForecastQuery>) -> Result<Json<ForecastView>, Problem> {
    Ok(Json(asked.instance.forecast_view(&asked.caller, query.measure, query.steps.unwrap_or(STEPS_DEFAULT)).await?))
}
