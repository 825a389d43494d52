//! The console's files: read from `console/dist` in a debug build, inside the binary in a release.

use crate::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Files;

/// A file, or the console's page for every path that is one of its screens. What looks like a file and is not there is a 404,
/// never the page.
pub async fn asset(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return crate::problem::no_such_route(uri).await.into_response();
    }
    if let Some(file) = Files::get(path) {
        let forever = path.starts_with("assets/");
        return answer(file, path, if forever { "public, max-age=31536000, immutable" } else { "no-cache" });
    }
    if path.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no file `{path}`")).into_response();
    }
    match Files::get("index.html") {
        Some(file) => answer(file, "index.html", "no-cache"),
        None => Html(include_str!("unbuilt.html")).into_response(),
    }
}

fn answer(file: rust_embed::EmbeddedFile, path: &str, cache: &'static str) -> Response {
    let mime = file.metadata.mimetype().to_owned();
    let kind = if path.ends_with(".html") { "text/html; charset=utf-8" } else { mime.as_str() };
    let mut response = Body::from(file.data.into_owned()).into_response();
    if let Ok(kind) = HeaderValue::from_str(kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// The interface's documentation, by Scalar's viewer, which the console's build puts beside it.
pub async fn docs() -> Html<&'static str> {
    Html(include_str!("docs.html"))
}
