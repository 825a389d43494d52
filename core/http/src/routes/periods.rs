//! Periods and the steps from one state to the next.

use crate::ask::{Asked, Json, Path};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::changes::ChangeView;
use attain_app::periods::{PeriodView, Reopening, Step};
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(periods)).routes(routes!(step_period)).routes(routes!(reopen_period))
}

#[derive(Debug, Serialize, ToSchema)]
struct Periods {
    items: Vec<PeriodView>,
}

/// Periods of the calendar with their states
#[utoipa::path(get, path = "/periods", tag = "periods", responses(
    (status = 200, body = Periods), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn periods(asked: Asked) -> Result<Json<Periods>, Problem> {
    Ok(Json(Periods { items: asked.instance.periods(&asked.caller).await? }))
}

/// Bring a period to its next state
///
/// open → in-review → approved → closed, and from in-review back to open. Whoever asked for the review does not approve it, and an
/// approval needs a run of what is there now.
#[utoipa::path(post, path = "/periods/{period_id}/state", tag = "periods", request_body = Step, params(("period_id" = String, Path)), responses(
    (status = 200, body = Periods), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn step_period(asked: Asked, Path(period_id): Path<String>, Json(step): Json<Step>) -> Result<Json<Periods>, Problem> {
    Ok(Json(Periods { items: asked.instance.step_period(&asked.caller, &period_id, &step).await? }))
}

/// Ask for a closed period to be opened again
///
/// Drafts and submits a change; the period is open once a second person has approved it.
#[utoipa::path(post, path = "/periods/{period_id}/reopening", tag = "periods", request_body = Reopening, params(("period_id" = String, Path)), responses(
    (status = 201, body = ChangeView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn reopen_period(
    asked: Asked,
    Path(period_id): Path<String>,
    Json(reopening): Json<Reopening>,
) -> Result<(StatusCode, Json<ChangeView>), Problem> {
    Ok((StatusCode::CREATED, Json(asked.instance.draft_reopening(&asked.caller, &period_id, &reopening).await?)))
}
