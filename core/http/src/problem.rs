//! Refusals and failures as RFC 9457 problems. A broken world tells the client an incident and the log everything.

use attain_app::refusal::{Refusal, RefusalKind};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<String>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, detail: detail.into(), errors: Vec::new() }
    }

    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        let Some(refusal) = error.downcast_ref::<Refusal>() else {
            let incident = attain_app::incident_id();
            tracing::error!(incident, "{error:#}");
            return Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "incident",
                format!("something broke; tell the operator incident {incident}"),
            );
        };
        let (status, code) = match refusal.kind {
            RefusalKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            RefusalKind::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            RefusalKind::Conflict => (StatusCode::CONFLICT, "conflict"),
            RefusalKind::Extension => (StatusCode::UNPROCESSABLE_ENTITY, "extension-failed"),
        };
        Problem { status, code, detail: refusal.message.clone(), errors: refusal.details.clone() }
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Problem {
        anyhow::Error::new(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:attain:problem:{}", self.code),
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "errors": self.errors,
        });
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
