//! What a handler takes out of a request: who asks, and what. A request that does not fit is a problem, never plain text.

use crate::problem::Problem;
use crate::serve::Served;
use attain_app::access::Caller;
use attain_app::refusal::Refusal;
use attain_app::{Instance, Versions};
use axum::body::{Body, Bytes};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What the guard found out about a request.
#[derive(Debug, Clone)]
pub struct Known {
    pub caller: Caller,
    pub versions: Versions,
}

/// Who asks, and the instance acting in her name. A request without a known caller is refused before the handler runs.
pub struct Asked {
    pub caller: Caller,
    pub versions: Versions,
    pub instance: Instance,
}

impl Asked {
    /// The picture of the record that this request is answered from.
    pub async fn view(&self) -> anyhow::Result<attain_app::view::View> {
        self.instance.view_at(self.versions).await
    }
}

impl FromRequestParts<Arc<Served>> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Arc<Served>) -> Result<Asked, Problem> {
        let Some(known) = parts.extensions.get::<Known>().cloned() else {
            return Err(Refusal::unauthenticated("sign in, or send an API token as `authorization: Bearer …`").into());
        };
        let instance = served.instance.acting_as(&known.caller);
        Ok(Asked { caller: known.caller, versions: known.versions, instance })
    }
}

/// JSON in and out; unknown fields are refused by the types themselves (`deny_unknown_fields`).
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Problem> {
        let (parts, body) = request.into_parts();
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let body = body.map_err(|rejection| unread(rejection.status(), rejection.body_text()))?;
        if names_nul(&body) {
            return Err(Problem::invalid("a text holds the character NUL (`\\u0000`); leave it out"));
        }
        match axum::Json::<T>::from_request(Request::from_parts(parts, Body::from(body)), state).await {
            Ok(axum::Json(value)) => Ok(Json(value)),
            Err(rejection) => {
                let status = rejection.status();
                let code = match rejection {
                    JsonRejection::MissingJsonContentType(_) => "not-json",
                    _ if status == StatusCode::PAYLOAD_TOO_LARGE => "too-large",
                    _ => "invalid",
                };
                Err(Problem::new(status, code, rejection.body_text()))
            }
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A text cannot hold the character NUL in PostgreSQL; nothing that is sent needs it.
fn names_nul(json: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"\\u0000";
    let is_escape = |at: usize| json[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0;
    json.windows(ESCAPE.len()).enumerate().any(|(at, part)| part == ESCAPE && is_escape(at))
}

/// A file of rows, as it came.
pub struct Csv(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Csv {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Csv, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("text/csv") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-csv", "send the rows as `content-type: text/csv`"));
        }
        let body = Bytes::from_request(request, state).await;
        Ok(Csv(body.map_err(|rejection| unread(rejection.status(), rejection.body_text()))?))
    }
}

fn unread(status: StatusCode, detail: String) -> Problem {
    Problem::new(status, if status == StatusCode::PAYLOAD_TOO_LARGE { "too-large" } else { "invalid" }, detail)
}

pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, Problem> {
        let value = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        let value = value.map_err(|rejection: PathRejection| Problem::new(StatusCode::NOT_FOUND, "not-found", rejection.body_text()))?;
        Ok(Path(value.0))
    }
}

pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Query<T>, Problem> {
        let value = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let value = value.map_err(|rejection: QueryRejection| Problem::new(StatusCode::BAD_REQUEST, "invalid", rejection.body_text()))?;
        Ok(Query(value.0))
    }
}

/// The version that an edit names in `If-Match`; an edit without one is refused, so that nobody overwrites unseen.
pub struct IfMatch(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<IfMatch, Problem> {
        let Some(given) = parts.headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()) else {
            let detail = "send `If-Match` with the `ETag` of what you edit";
            return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if-match-needed", detail));
        };
        let version = given.trim().trim_matches('"').parse();
        version.map(IfMatch).map_err(|_| Problem::new(StatusCode::PRECONDITION_FAILED, "stale", format!("`{given}` is no version of this")))
    }
}

/// An answer with the version of what it shows as `ETag`.
pub struct Versioned<T>(pub i64, pub T);

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, format!("\"{}\"", self.0))], axum::Json(self.1)).into_response()
    }
}
