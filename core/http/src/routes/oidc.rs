//! Signing in through a provider: the browser is sent there and comes back.

use crate::ask::{Known, Query};
use crate::guard::cookie_name;
use crate::problem::Problem;
use crate::routes::session::cookie;
use crate::serve::{Served, Shared};
use attain_app::oidc::Flow;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(callback))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Returned {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    /// What the provider says where it refuses.
    error: Option<String>,
}

fn flow_name(served: &Served) -> &'static str {
    if served.options.plain_cookies { "attain-oidc" } else { "__Host-attain-oidc" }
}

/// Where the provider sends the browser back to.
fn redirect(served: &Served, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let base = served.options.public_url.clone().unwrap_or_else(|| format!("http://{host}"));
    format!("{}/api/v1/oidc/callback", base.trim_end_matches('/'))
}

/// Begin a sign-in through the provider
#[utoipa::path(get, path = "/oidc/start", tag = "session", responses(
    (status = 303), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn start(
    State(served): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    jar: CookieJar,
) -> Result<(CookieJar, Redirect), Problem> {
    served.limits.sign_in_from(from.ip())?;
    let (url, flow) = served.instance.begin_oidc(&redirect(&served, &headers)).await?;
    let mut cookie = Cookie::new(flow_name(&served), flow.cookie());
    cookie.set_http_only(true);
    cookie.set_secure(!served.options.plain_cookies);
    // Lax is sent along when the provider sends the browser back.
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    Ok((jar.add(cookie), Redirect::to(&url)))
}

/// End a sign-in through the provider
#[utoipa::path(get, path = "/oidc/callback", tag = "session", params(Returned), responses(
    (status = 303), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn callback(
    State(served): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    known: Option<axum::Extension<Known>>,
    jar: CookieJar,
    Query(returned): Query<Returned>,
) -> Result<Response, Problem> {
    served.limits.sign_in_from(from.ip())?;
    if let Some(error) = returned.error {
        return Err(attain_app::refusal::Refusal::unauthenticated(format!("the provider refused: `{error}`")).into());
    }
    let flow = jar.get(flow_name(&served)).and_then(|cookie| Flow::from_cookie(cookie.value()));
    let caller = known.as_ref().map(|known| &known.caller);
    let session = served.instance.end_oidc(&redirect(&served, &headers), flow, &returned.state, &returned.code, caller).await?;
    if let Some(old) = jar.get(cookie_name(served.options.plain_cookies)) {
        served.instance.sign_out(old.value()).await?;
    }
    let mut over = Cookie::new(flow_name(&served), "");
    over.set_path("/");
    over.set_secure(!served.options.plain_cookies);
    over.make_removal();
    let jar = jar.add(over).add(cookie(&served, Some(session.secret)));
    // Always to our own first page: no address that came with the request is followed.
    Ok((jar, Redirect::to("/")).into_response())
}
