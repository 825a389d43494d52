//! The table of contents of the interface, a room a line.

mod accounting;
mod adjustments;
mod changes;
mod company;
mod credits;
mod data;
mod disputes;
mod extensions;
mod formulas;
mod imports;
mod jobs;
mod notices;
mod oidc;
mod pay;
mod pay_documents;
mod payouts;
mod periods;
mod plan_documents;
mod planning;
mod plans;
mod runs;
mod session;
mod standing;
mod team;
mod teamwork;
mod trail;
mod users;
mod webhooks;
mod what_if;

use crate::serve::Served;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// Every route below `/api/v1`.
pub fn all() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .merge(crate::events::routes())
        .merge(session::routes())
        .merge(oidc::routes())
        .merge(users::routes())
        .merge(pay::routes())
        .merge(pay_documents::routes())
        .merge(payouts::routes())
        .merge(periods::routes())
        .merge(accounting::routes())
        .merge(team::routes())
        .merge(formulas::routes())
        .merge(changes::routes())
        .merge(runs::routes())
        .merge(jobs::routes())
        .merge(extensions::routes())
        .merge(data::routes())
        .merge(imports::routes())
        .merge(trail::routes())
        .merge(company::routes())
        .merge(planning::routes())
        .merge(plan_documents::routes())
        .merge(plans::routes())
        .merge(what_if::routes())
        .merge(credits::routes())
        .merge(disputes::routes())
        .merge(adjustments::routes())
        .merge(notices::routes())
        .merge(webhooks::routes())
        .merge(teamwork::routes())
        .merge(standing::routes())
}
