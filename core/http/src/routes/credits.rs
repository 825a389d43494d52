//! Crediting: who would get credit for a deal, credit by hand, and decisions about windfalls.

use crate::ask::{Asked, Json, Versioned};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::changes::ChangeView;
use attain_app::credit_preview::{CreditPreview, CreditPreviewRequest};
use attain_app::manual_credits::{NewManualCredit, NewWindfallRelease};
use axum::http::StatusCode;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(preview)).routes(routes!(draft_credit)).routes(routes!(draft_release))
}

/// Who would get credit for a deal, and why others would not
///
/// The real rules run on that deal alone; nothing is stored. Payees of whom one may not know are `null`.
#[utoipa::path(post, path = "/credit-preview", tag = "pay", request_body = CreditPreviewRequest, responses(
    (status = 200, body = CreditPreview), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn preview(asked: Asked, Json(request): Json<CreditPreviewRequest>) -> Result<Json<CreditPreview>, Problem> {
    Ok(Json(asked.instance.who_is_credited(&asked.caller, &request).await?))
}

/// Give credit by hand
///
/// It is a change that waits for a second person.
#[utoipa::path(post, path = "/manual-credits", tag = "changes", request_body = NewManualCredit, responses(
    (status = 201, body = ChangeView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn draft_credit(asked: Asked, Json(new): Json<NewManualCredit>) -> Result<(StatusCode, Versioned<ChangeView>), Problem> {
    let change = asked.instance.draft_manual_credit(&asked.caller, &new).await?;
    Ok((StatusCode::CREATED, Versioned(change.head.version, change)))
}

/// Release what a windfall earns
///
/// It is a change that waits for a second person.
#[utoipa::path(post, path = "/windfall-releases", tag = "changes", request_body = NewWindfallRelease, responses(
    (status = 201, body = ChangeView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn draft_release(asked: Asked, Json(new): Json<NewWindfallRelease>) -> Result<(StatusCode, Versioned<ChangeView>), Problem> {
    let change = asked.instance.draft_windfall_release(&asked.caller, &new).await?;
    Ok((StatusCode::CREATED, Versioned(change.head.version, change)))
}
