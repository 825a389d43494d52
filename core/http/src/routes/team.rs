//! A manager's team.

use crate::ask::{Asked, Json, Query};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::pay::Team;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(team))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TeamQuery {
    period: String,
    /// Whose team; one's own by default.
    of: Option<String>,
}

/// Attainment of a team, rolled up the tree
#[utoipa::path(get, path = "/team", tag = "pay", params(TeamQuery), responses(
    (status = 200, body = Team), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn team(asked: Asked, Query(query): Query<TeamQuery>) -> Result<Json<Team>, Problem> {
    let view = asked.view().await?;
    Ok(Json(view.team(&asked.caller, query.of.as_deref(), &query.period)?))
}
