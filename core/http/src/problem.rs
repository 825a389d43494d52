//! Refusals and failures as RFC 9457 problems. A broken world tells the client an incident and the log everything.

use attain_app::refusal::{Refusal, RefusalKind};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong in one place of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    pub message: String,
}

/// RFC 9457. `code` is stable; `errors` lists every fault found; `trace_id` is in the server's log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    pub title: &'static str,
    pub status: u16,
    pub code: &'static str,
    pub detail: String,
    pub errors: Vec<Fault>,
    /// Seconds after which to try again.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:attain:problem:{code}").into_boxed_str(),
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    pub fn invalid(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    pub fn limited(detail: impl Into<String>, retry_after: u64) -> Problem {
        Problem { retry_after: Some(retry_after), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail) }
    }
}

pub async fn no_such_route(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no `{}`; /api/docs lists what there is", uri.path()))
}

pub async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", format!("`{}` does not answer to {method}", uri.path()))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let (status, code) = match refusal.kind {
            RefusalKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            RefusalKind::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            RefusalKind::Conflict => (StatusCode::CONFLICT, "conflict"),
            RefusalKind::Extension => (StatusCode::UNPROCESSABLE_ENTITY, "extension-failed"),
            RefusalKind::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            RefusalKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            RefusalKind::Stale => (StatusCode::PRECONDITION_FAILED, "stale"),
            RefusalKind::Limited => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"),
        };
        let errors = refusal.details.into_iter().map(|message| Fault { message }).collect();
        let retry_after = (refusal.kind == RefusalKind::Limited).then_some(60);
        Problem { errors, retry_after, ..Problem::new(status, code, refusal.message) }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        match error.downcast::<Refusal>() {
            Ok(refusal) => refusal.into(),
            Err(error) => {
                let incident = attain_app::incident_id();
                tracing::error!(incident, "{error:#}");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "incident",
                    format!("something broke; tell the operator incident {incident}"),
                )
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
