//! Routes: imports.

use crate::serve::Served;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
}
