//! Starting, serving and stopping.

use crate::guard::{self, Limits};
use crate::{console, problem, routes};
use anyhow::Context as _;
use attain_app::Instance;
use axum::extract::State;
use axum::middleware;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address and port.
    pub listen: String,
    /// The address that people type, for links and for the check of where a request comes from; from the request where `None`.
    pub public_url: Option<String>,
    /// Cookies without `Secure`, for a network without TLS.
    pub plain_cookies: bool,
}

/// What handlers share.
pub struct Served {
    pub instance: Instance,
    pub options: Options,
    pub limits: Limits,
    pub metrics: PrometheusHandle,
    /// Becomes true when the server is to stop: streams end then.
    pub stopping: tokio::sync::watch::Receiver<bool>,
}

pub type Shared = State<Arc<Served>>;

/// Open requests get so long to end after a signal to stop.
const GRACE: Duration = Duration::from_secs(25);

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Attain",
    description = "Sales performance management: territories, quotas, credits and pay. Amounts are decimal strings in the company's currency, days are `YYYY-MM-DD`, instants RFC 3339.",
    version = "1"
))]
struct Document;

/// The routes and the OpenAPI document of the interface.
fn interface() -> (Router<Arc<Served>>, utoipa::openapi::OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", routes::all()).split_for_parts();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten() {
            also_answers(operation);
        }
    }
    (router, document)
}

/// What the guard may answer before any handler is asked.
fn also_answers(operation: &mut utoipa::openapi::path::Operation) {
    use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
    let has_body = operation.request_body.is_some();
    let always = [
        (400, "it cannot be read"),
        (401, "the token is not known"),
        (403, "not from here, or not by this role"),
        (429, "too often"),
        (503, "it took too long"),
    ];
    let of_bodies = [(409, "the same key is at work"), (413, "too long"), (415, "of another type"), (422, "it does not fit")];
    for (status, description) in always.iter().chain(of_bodies.iter().filter(|_| has_body)) {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(*description).content("application/problem+json", content).build();
        operation.responses.responses.entry(status.to_string()).or_insert(RefOr::T(response));
    }
}

/// The OpenAPI document of the interface.
pub fn openapi() -> utoipa::openapi::OpenApi {
    interface().1
}

/// One recorder for the process: a second server in one process shares it.
fn recorder() -> anyhow::Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder().context("the recorder of metrics could not be set up")?;
    Ok(RECORDER.get_or_init(|| handle).clone())
}

/// Serves until a signal to stop, or until `stop` is done. `listening` is told the address.
pub async fn serve(
    instance: Instance,
    options: Options,
    stop: impl Future<Output = ()> + Send + 'static,
    listening: impl FnOnce(std::net::SocketAddr),
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(&options.listen)
        .await
        .with_context(|| format!("`{}` cannot be listened on; choose another address with --listen", options.listen))?;
    listening(listener.local_addr()?);
    let (tell, stopping) = tokio::sync::watch::channel(false);
    let served = Arc::new(Served { instance, options, limits: Limits::default(), metrics: recorder()?, stopping });
    let router = router(Arc::clone(&served)).into_make_service_with_connect_info::<std::net::SocketAddr>();
    let graceful = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        // Event streams watch this and end; other requests are answered.
        let _ = tell.send(true);
    });
    let mut stopped = served.stopping.clone();
    tokio::select! {
        done = graceful => done?,
        () = async {
            // An error means that the sender is gone with the server.
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        } => tracing::warn!("some requests did not end within {} s and were cut off", GRACE.as_secs()),
    }
    Ok(())
}

/// The table of contents: the interface below `/api/v1`, what an operator's tools ask, and the console for all else.
fn router(served: Arc<Served>) -> Router {
    let (api, document) = interface();
    let api = api
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .route_layer(middleware::from_fn_with_state(Arc::clone(&served), guard::known_caller));
    let router = Router::new()
        .merge(api)
        .route("/api/openapi.json", get(async move || Json(document)))
        .route("/api/docs", get(console::docs))
        .route("/health", get(async || "ok"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(console::asset)
        // The guard limits bodies itself, by what they are.
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(&served), guard::every_request))
        .layer(tower_http::compression::CompressionLayer::new().gzip(true))
        .with_state(served);
    if attain_app::crash_is_watched() { router.layer(middleware::from_fn(crash_points)) } else { router }
}

/// The answers of a crash test: it may end before one leaves, and once it has left.
async fn crash_points(request: axum::extract::Request, next: middleware::Next) -> axum::response::Response {
    /// On the same machine an answer is read by then.
    const READ: Duration = Duration::from_millis(25);
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let response = next.run(request).await;
    attain_app::crash_point("before-ack");
    tokio::spawn(async {
        tokio::time::sleep(READ).await;
        attain_app::crash_point("after-ack");
    });
    response
}

async fn ready(State(served): Shared) -> Result<&'static str, problem::Problem> {
    served.instance.ready().await?;
    Ok("ready")
}

async fn metrics(State(served): Shared) -> String {
    served.metrics.render()
}
