//! Facts that people ask for before they act: whether the last run is of what is there now, and who may do something next.

use crate::ask::{Asked, Json, Query};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::run_standing::RunStanding;
use attain_app::who_may::{Candidate, Deed};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(run_standing)).routes(routes!(who_may))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhoQuery {
    deed: Deed,
    /// The change, dispute, user, payout or period that it is about.
    object: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Candidates {
    items: Vec<Candidate>,
}

/// Whether the last run is of what the record holds now, and since which change it is not
#[utoipa::path(get, path = "/run-standing", tag = "runs", responses(
    (status = 200, body = RunStanding), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn run_standing(asked: Asked) -> Result<Json<RunStanding>, Problem> {
    Ok(Json(asked.instance.run_standing(&asked.caller).await?))
}

/// Who may do something next
///
/// Users who have the right and are not the maker, by user and by payee.
#[utoipa::path(get, path = "/who-may", tag = "teamwork", params(WhoQuery), responses(
    (status = 200, body = Candidates), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn who_may(asked: Asked, Query(query): Query<WhoQuery>) -> Result<Json<Candidates>, Problem> {
    Ok(Json(Candidates { items: asked.instance.who_may(&asked.caller, query.deed, query.object.as_deref()).await? }))
}
