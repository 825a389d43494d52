//! Plans: their texts, and what is to be looked at in them; what changes them is a change.

use crate::ask::{Asked, Json, Path};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::plan_lint::{PlanCheck, PlanSource, PlanSummary, PlanView};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(plans)).routes(routes!(plan)).routes(routes!(check))
}

#[derive(Debug, Serialize, ToSchema)]
struct Plans {
    items: Vec<PlanSummary>,
}

/// Every plan, with how much there is to look at in it
#[utoipa::path(get, path = "/plans", tag = "plans", responses(
    (status = 200, body = Plans), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn plans(asked: Asked) -> Result<Json<Plans>, Problem> {
    Ok(Json(Plans { items: asked.instance.plans(&asked.caller).await? }))
}

/// A plan with the texts of its versions and their lints
///
/// A lint is what is allowed but seldom meant: holes between tiers, pay that jumps or falls at a bound.
#[utoipa::path(get, path = "/plans/{plan_id}", tag = "plans", params(("plan_id" = String, Path)), responses(
    (status = 200, body = PlanView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn plan(asked: Asked, Path(plan_id): Path<String>) -> Result<Json<PlanView>, Problem> {
    Ok(Json(asked.instance.plan(&asked.caller, &plan_id).await?))
}

/// What is wrong with a text of a plan, and what is to be looked at
///
/// Nothing is stored; submit it as a change of kind `plan`.
#[utoipa::path(post, path = "/plan-checks", tag = "plans", request_body = PlanSource, responses(
    (status = 200, body = PlanCheck), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn check(asked: Asked, Json(text): Json<PlanSource>) -> Result<Json<PlanCheck>, Problem> {
    Ok(Json(asked.instance.check_plan(&asked.caller, &text).await?))
}
