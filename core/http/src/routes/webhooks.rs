//! Webhooks, and how each of their deliveries went.

use crate::ask::{Asked, IfMatch, Json, Path, Query, Versioned};
use crate::page::{Page, PageQuery, decode, encode};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::webhook_keys::SecretRotation;
use attain_app::webhooks::{DeliveryView, NewWebhook, WebhookEdit, WebhookView};
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(webhooks, add))
        .routes(routes!(edit, remove))
        .routes(routes!(rotate))
        .routes(routes!(deliveries))
        .routes(routes!(delivery))
        .routes(routes!(again))
}

#[derive(Debug, Serialize, ToSchema)]
struct Webhooks {
    items: Vec<WebhookView>,
}

/// Webhooks
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", responses(
    (status = 200, body = Webhooks), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn webhooks(asked: Asked) -> Result<Json<Webhooks>, Problem> {
    Ok(Json(Webhooks { items: asked.instance.webhooks(&asked.caller).await? }))
}

/// Register a webhook
///
/// Its secret is in this answer only. A delivery has the headers of Standard Webhooks: `webhook-id`, `webhook-timestamp` (unix seconds) and
/// `webhook-signature: v1,<base64>`, HMAC-SHA-256 over id, instant and body, joined by dots, with what follows `whsec_` in the secret, decoded
/// from base64. While a secret is being replaced there are several signatures, parted by spaces.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", request_body = NewWebhook, responses(
    (status = 201, body = WebhookView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn add(asked: Asked, Json(new): Json<NewWebhook>) -> Result<(StatusCode, Versioned<WebhookView>), Problem> {
    let webhook = asked.instance.add_webhook(&asked.caller, &new).await?;
    Ok((StatusCode::CREATED, Versioned(webhook.version, webhook)))
}

/// Change a webhook, or switch it on or off
#[utoipa::path(patch, path = "/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = String, Path), ("if-match" = String, Header)), request_body = WebhookEdit, responses(
    (status = 200, body = WebhookView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn edit(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(edit): Json<WebhookEdit>,
) -> Result<Versioned<WebhookView>, Problem> {
    let webhook = asked.instance.edit_webhook(&asked.caller, &id, version, &edit).await?;
    Ok(Versioned(webhook.version, webhook))
}

/// Give a webhook a new secret
///
/// It is in this answer only. The one of before signs along until it ends.
#[utoipa::path(put, path = "/webhooks/{webhook_id}/secret", tag = "webhooks",
    params(("webhook_id" = String, Path), ("if-match" = String, Header)), request_body = SecretRotation, responses(
    (status = 200, body = WebhookView, headers(("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn rotate(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(new): Json<SecretRotation>,
) -> Result<Versioned<WebhookView>, Problem> {
    let webhook = asked.instance.rotate_webhook(&asked.caller, &id, version, &new).await?;
    Ok(Versioned(webhook.version, webhook))
}

/// Remove a webhook
#[utoipa::path(delete, path = "/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json")))]
async fn remove(asked: Asked, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    asked.instance.remove_webhook(&asked.caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a webhook was told, newest first
#[utoipa::path(get, path = "/webhooks/{webhook_id}/deliveries", tag = "webhooks",
    params(("webhook_id" = String, Path), PageQuery), responses(
    (status = 200, body = Page<DeliveryView>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn deliveries(asked: Asked, Path(id): Path<String>, Query(query): Query<PageQuery>) -> Result<Json<Page<DeliveryView>>, Problem> {
    let limit = query.limit()?;
    let after = query.cursor.as_deref().map(decode).transpose()?.unwrap_or_default();
    let mut items = asked.instance.deliveries(&asked.caller, &id, &after, limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| encode(&last.delivery_id));
    Ok(Json(Page { items, next_cursor }))
}

/// A delivery with its attempts
#[utoipa::path(get, path = "/webhooks/{webhook_id}/deliveries/{delivery_id}", tag = "webhooks",
    params(("webhook_id" = String, Path), ("delivery_id" = String, Path)), responses(
    (status = 200, body = DeliveryView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn delivery(asked: Asked, Path((id, delivery_id)): Path<(String, String)>) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(asked.instance.delivery(&asked.caller, &id, &delivery_id).await?))
}

/// Send a delivery once more, under the same id
#[utoipa::path(post, path = "/webhooks/{webhook_id}/deliveries/{delivery_id}/again", tag = "webhooks",
    params(("webhook_id" = String, Path), ("delivery_id" = String, Path)), responses(
    (status = 202, body = DeliveryView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn again(asked: Asked, Path((id, delivery_id)): Path<(String, String)>) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(asked.instance.send_again(&asked.caller, &id, &delivery_id).await?)))
}
