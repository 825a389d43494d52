//! Routes and wire types. All routes stand in [`router`]; a handler calls one use case and knows no SQL.

mod problem;

use attain_app::Instance;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use problem::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

/// The instance and the token that every route below `/api` asks for.
struct Served {
    instance: Instance,
    token: String,
}

type Shared = State<Arc<Served>>;
type Answer = Result<Json<Value>, Problem>;

/// Serves until Ctrl-C. The token is new at every start and is printed once, to standard error.
pub async fn serve(instance: Instance, listen: &str) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("`{listen}` cannot be listened on; choose another address with --listen"))?;
    let token = instance.new_token()?;
    let address = listener.local_addr()?;
    eprintln!("serving on http://{address}  (stop with Ctrl-C)\n  token of this start: {token}");
    eprintln!("  curl -H 'authorization: Bearer {token}' http://{address}/api/v1/summary");
    let served = Arc::new(Served { instance, token });
    axum::serve(listener, router(served)).with_graceful_shutdown(stopped()).await?;
    Ok(())
}

async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without signals the server runs until it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The table of contents of the interface.
fn router(served: Arc<Served>) -> Router {
    let api = Router::new()
        .route("/summary", get(summary))
        .route("/runs", get(runs))
        .route("/payees/{payee}/periods/{period}/explanation", get(explanation))
        .route("/extensions", get(extensions))
        .route_layer(middleware::from_fn_with_state(served.clone(), authorized));
    Router::new()
        .route("/", get(welcome))
        .route("/health", get(async || "ok"))
        .route("/ready", get(ready))
        .nest("/api/v1", api)
        .fallback(async || Problem::not_found("there is no such page"))
        .layer(middleware::from_fn(private))
        .with_state(served)
}

/// Nothing that is served may be kept by a cache or shown inside another site.
async fn private(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}

async fn authorized(State(served): Shared, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if attain_app::token_equal(given, &served.token) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "send the token printed at the start as `authorization: Bearer …`")
            .into_response()
    }
}

async fn welcome() -> Html<&'static str> {
    Html(include_str!("welcome.html"))
}

async fn ready(State(served): Shared) -> Result<&'static str, Problem> {
    served.instance.ready().await?;
    Ok("ready")
}

async fn summary(State(served): Shared) -> Answer {
    Ok(Json(serde_json::to_value(served.instance.summary().await?)?))
}

async fn runs(State(served): Shared) -> Answer {
    Ok(Json(json!({ "items": served.instance.runs().await? })))
}

async fn explanation(State(served): Shared, Path((payee, period)): Path<(String, String)>) -> Answer {
    Ok(Json(serde_json::to_value(served.instance.explain(&payee, &period, None, None).await?)?))
}

async fn extensions(State(served): Shared) -> Answer {
    Ok(Json(json!({ "items": served.instance.extensions().await? })))
}
