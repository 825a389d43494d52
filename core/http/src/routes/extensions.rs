//! Extensions: what is active, what each may; uploads, which are not active until a second person says so.

use crate::ask::{Asked, Json, Path};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::extension_views::{ExtensionDetail, ExtensionLine, NewGrant, UPLOAD_BYTES_MAX, Uploaded};
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(extensions, upload))
        .routes(routes!(extension))
        .routes(routes!(grant))
        .routes(routes!(revoke))
        .layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX))
}

#[derive(Debug, Serialize, ToSchema)]
struct Extensions {
    items: Vec<ExtensionLine>,
}

/// Extensions by point and name
#[utoipa::path(get, path = "/extensions", tag = "extensions", responses(
    (status = 200, body = Extensions), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn extensions(asked: Asked) -> Result<Json<Extensions>, Problem> {
    Ok(Json(Extensions { items: asked.instance.extension_lines(&asked.caller).await? }))
}

/// An extension with its versions, cases and log
#[utoipa::path(get, path = "/extensions/{point}/{name}", tag = "extensions", params(("point" = String, Path), ("name" = String, Path)), responses(
    (status = 200, body = ExtensionDetail), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn extension(asked: Asked, Path((point, name)): Path<(String, String)>) -> Result<Json<ExtensionDetail>, Problem> {
    Ok(Json(asked.instance.extension_detail(&asked.caller, &point, &name).await?))
}

/// Upload a component or a script
///
/// It is checked, its cases are run and it is kept, not active. At most 16 MiB.
#[utoipa::path(post, path = "/extensions", tag = "extensions",
    request_body(content((Vec<u8> = "application/wasm"), (String = "text/x-rhai"))), responses(
    (status = 201, body = Uploaded), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"), (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn upload(asked: Asked, headers: HeaderMap, body: Body) -> Result<(StatusCode, Json<Uploaded>), Problem> {
    asked.caller.require(attain_app::access::Action::ManageExtensions)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_wasm = kind.starts_with("application/wasm");
    if !is_wasm && !kind.starts_with("text/x-rhai") {
        let detail = "send the bytes of the file as `application/wasm` or `text/x-rhai`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-an-extension", detail));
    }
    let too_long = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("the file has more than {} MiB", UPLOAD_BYTES_MAX >> 20));
    let bytes = to_bytes(body, UPLOAD_BYTES_MAX).await.map_err(too_long)?;
    if is_wasm != bytes.starts_with(b"\0asm") {
        return Err(Problem::invalid(format!("the file is not what `{kind}` says")));
    }
    Ok((StatusCode::CREATED, Json(asked.instance.install_inactive(&asked.caller, &bytes).await?)))
}

/// Let a connector reach a host
#[utoipa::path(post, path = "/extensions/{name}/grants", tag = "extensions", params(("name" = String, Path)), request_body = NewGrant, responses(
    (status = 204), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn grant(asked: Asked, Path(name): Path<String>, Json(new): Json<NewGrant>) -> Result<StatusCode, Problem> {
    asked.instance.grant_host(&asked.caller, &name, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a host away from a connector
#[utoipa::path(delete, path = "/extensions/{name}/grants/{host}", tag = "extensions", params(("name" = String, Path), ("host" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn revoke(asked: Asked, Path((name, host)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    asked.instance.revoke_host(&asked.caller, &name, &host).await?;
    Ok(StatusCode::NO_CONTENT)
}
