//! `Idempotency-Key`: a request that makes something is answered once. Sent again with the same content it gets the first
//! answer; with other content it is refused.

use crate::ask::Known;
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::Kept;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY_LENGTH_MAX: usize = 100;
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// A longer one is not kept; the request is then refused when it is sent again.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Whether the answer holds a secret, which is shown once and kept nowhere.
fn gives_secret(route: &str) -> bool {
    ["/api/v1/tokens", "/api/v1/webhooks"].contains(&route) || (route.starts_with("/api/v1/users/") && route.ends_with("/link"))
}

pub async fn once(served: &Arc<Served>, request: Request, next: Next, limit: usize) -> Response {
    let key = request.headers().get(KEY).cloned();
    let known = request.extensions().get::<Known>().cloned();
    let (Some(key), Some(known), &Method::POST) = (key, known, request.method()) else { return next.run(request).await };
    match kept(served, &known, &key, request, next, limit).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn kept(
    served: &Arc<Served>,
    known: &Known,
    key: &HeaderValue,
    request: Request,
    next: Next,
    limit: usize,
) -> Result<Response, Problem> {
    let key = key.to_str().ok().filter(|key| (1..=KEY_LENGTH_MAX).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::invalid(format!("`Idempotency-Key` has 1 to {KEY_LENGTH_MAX} visible characters")))?.to_owned();
    let (parts, body) = request.into_parts();
    let too_long = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("the body is longer than {limit} bytes"));
    let body = to_bytes(body, limit).await.map_err(too_long)?;
    // The path without its query names what is made; the query belongs to the content.
    let route = parts.uri.path().to_owned();
    let content = [parts.uri.query().unwrap_or_default().as_bytes(), b"\n", &body].concat();
    let user = known.caller.user_id.clone();
    let rider = match served.instance.begin_once(&user, &route, &key, &content).await? {
        Kept::New(rider) => rider,
        Kept::Lost => {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "answer-lost",
                "this request was done, but the server stopped before it could answer; look at what it made",
            ));
        }
        Kept::Running => {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "still-running",
                "the first request with this key is still at work; ask again later",
            ));
        }
        Kept::Other => return Err(Problem::invalid("this `Idempotency-Key` was used for another request; take a new one")),
        Kept::Answered { status, answer } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
            return Ok((status, [(header::CONTENT_TYPE, kind)], [(REPLAYED, "true")], answer).into_response());
        }
    };
    // The work goes on when the client hangs up, so that its answer is kept.
    let instance = served.instance.clone();
    let worked = tokio::spawn(async move {
        // Ends with the request, however that ends.
        let mut at_work = tokio::task::JoinSet::new();
        at_work.spawn({
            let (instance, rider) = (instance.clone(), rider.clone());
            async move { instance.keep_once(&rider).await }
        });
        let response = rider.under(next.run(Request::from_parts(parts, Body::from(body)))).await;
        drop(at_work);
        let (head, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await?;
        // What went wrong on our side may be tried again with the same key.
        if head.status.is_server_error() || head.status == StatusCode::TOO_MANY_REQUESTS {
            instance.forget_once(&user, &route, &key).await?;
        } else if head.status.is_success() && (gives_secret(&route) || body.len() > KEPT_BYTES_MAX) {
            let why =
                "this request was answered already, and its answer is not kept: it holds a secret or is too long; look at what it made";
            let problem = Problem::new(StatusCode::CONFLICT, "answered-once", why);
            instance.end_once(&user, &route, &key, problem.status, &serde_json::to_string(&problem)?).await?;
        } else {
            instance.end_once(&user, &route, &key, head.status.as_u16(), &String::from_utf8_lossy(&body)).await?;
        }
        anyhow::Ok(Response::from_parts(head, Body::from(body)))
    });
    Ok(worked.await.map_err(|error| anyhow::anyhow!("a request ended in a panic: {error}"))??)
}
