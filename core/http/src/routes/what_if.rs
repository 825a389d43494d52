//! The estimator: what somebody would be paid if.

use crate::ask::{Asked, Json, Path};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::what_if::{WhatIf, WhatIfRequest};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(what_if))
}

/// What a payee would be paid if
///
/// The real plan runs on the record with the deals that are supposed; nothing is stored.
#[utoipa::path(post, path = "/payees/{payee_id}/periods/{period_id}/what-if", tag = "pay",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), request_body = WhatIfRequest, responses(
    (status = 200, body = WhatIf), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn what_if(
    asked: Asked,
    Path((payee_id, period_id)): Path<(String, String)>,
    Json(request): Json<WhatIfRequest>,
) -> Result<Json<WhatIf>, Problem> {
    Ok(Json(asked.instance.what_if(&asked.caller, &payee_id, &period_id, &request).await?))
}
