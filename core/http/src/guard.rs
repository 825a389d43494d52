//! What stands before every handler: request ids, limits, who asks, where the request came from, headers of every answer,
//! figures for `/metrics`.

use crate::ask::Known;
use crate::idempotency;
use crate::problem::Problem;
use crate::serve::{Served, Shared};
use attain_app::refusal::Refusal;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use futures_util::{FutureExt as _, StreamExt as _};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What the console sends with everything that changes something; a form of another site cannot.
const CONSOLE: HeaderName = HeaderName::from_static("x-attain");

/// A body is at most this long; files of rows and extensions have routes with a limit of their own.
const BODY_BYTES_MAX: usize = 1 << 20;
const FILE_BYTES_MAX: usize = 64 << 20;
/// One byte more than an attachment may have, so that its route says what is wrong.
const ATTACHMENT_BYTES_MAX: usize = attain_app::disputes::FILE_BYTES_MAX + 1;
/// A request other than a stream is answered within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How often somebody may ask. All are token buckets in memory: a node counts for itself, a restart begins anew.
pub struct Limits {
    /// Requests of one user.
    user: DefaultKeyedRateLimiter<String>,
    /// Requests of one address without a known user.
    stranger: DefaultKeyedRateLimiter<IpAddr>,
    /// Attempts to sign in, by address, by login, and of all together.
    sign_in_address: DefaultKeyedRateLimiter<IpAddr>,
    sign_in_login: DefaultKeyedRateLimiter<String>,
    sign_in_all: DefaultKeyedRateLimiter<()>,
    clock: DefaultClock,
}

/// The statement of the load test comes 6,000 times a second from one user; a person never comes near this.
const USER_PER_SECOND: u32 = 20_000;
const STRANGER_PER_SECOND: u32 = 50;

fn per_second(count: u32) -> Quota {
    Quota::per_second(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

/// `burst` at once, then one each `every`.
fn one_each(every: Duration, burst: u32) -> Quota {
    Quota::with_period(every).unwrap_or_else(|| per_second(1)).allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            user: RateLimiter::keyed(per_second(USER_PER_SECOND)),
            stranger: RateLimiter::keyed(per_second(STRANGER_PER_SECOND)),
            sign_in_address: RateLimiter::keyed(one_each(Duration::from_secs(6), 20)),
            // 10 at once and one in 40 s: at most 100 in an hour, and nobody is locked out for good.
            sign_in_login: RateLimiter::keyed(one_each(Duration::from_secs(40), 10)),
            sign_in_all: RateLimiter::keyed(one_each(Duration::from_millis(100), 100)),
            clock: DefaultClock::default(),
        }
    }
}

impl Limits {
    fn check<K: Clone + Eq + std::hash::Hash>(&self, limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Problem> {
        limiter.check_key(key).map_err(|wait| {
            let seconds = wait.wait_time_from(self.clock.now()).as_secs() + 1;
            Problem::limited(format!("too many requests; try again in {seconds} s"), seconds)
        })
    }

    /// Before a link or a provider's answer is looked at. Nobody can be locked out by it, so there is no bucket by name.
    pub fn sign_in_from(&self, address: IpAddr) -> Result<(), Problem> {
        self.check(&self.sign_in_all, &())?;
        self.check(&self.sign_in_address, &address)
    }

    /// Before a password is looked at. The answer does not depend on whether the login exists.
    pub fn sign_in(&self, address: IpAddr, login: &str) -> Result<(), Problem> {
        self.sign_in_from(address)?;
        self.check(&self.sign_in_login, &login.to_lowercase())
    }
}

/// The address that the connection came from.
pub fn address(request: &Request) -> IpAddr {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip())
}

/// The cookie's name: with TLS it is bound to this very host.
pub fn cookie_name(plain: bool) -> &'static str {
    if plain { "attain" } else { "__Host-attain" }
}

/// Everything that is served: an id, a limit of time, panics caught, headers, figures.
pub async fn every_request(State(served): Shared, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    if let Ok(value) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let is_stream = path == "/api/v1/events";
    let span = tracing::info_span!("request", id, %method, path);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answered = async {
        if is_stream {
            return answer.await;
        }
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(answered) => answered,
            Err(_) => Ok(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "this took too long; ask for less").into_response()),
        }
    }
    .instrument(span.clone())
    .await;
    let mut response = answered.unwrap_or_else(|_| {
        let incident = attain_app::incident_id();
        tracing::error!(parent: &span, incident, "a handler panicked");
        let detail = format!("something broke; tell the operator incident {incident}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "incident", detail).into_response()
    });
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    let labels = [("method", method.to_string()), ("route", route), ("status", status.to_string())];
    metrics::counter!("attain_requests_total", &labels).increment(1);
    metrics::histogram!("attain_request_seconds", &labels[..2]).record(seconds);
    if status >= 500 {
        tracing::warn!(parent: &span, status, millis = (seconds * 1000.0) as u64, "answered");
    } else {
        tracing::debug!(parent: &span, status, millis = (seconds * 1000.0) as u64, "answered");
    }
    headers(&served, &path, &id, response.headers_mut());
    response
}

fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let fits = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    given.filter(fits).map_or_else(attain_app::incident_id, str::to_owned)
}

/// Nothing that is served may be shown inside another site, and no pay may be kept by a cache.
fn headers(served: &Served, path: &str, id: &str, headers: &mut HeaderMap) {
    let fixed = HeaderValue::from_static;
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(fixed("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(header::REFERRER_POLICY, fixed("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), fixed("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), fixed("same-origin"));
    let policy = if path == "/api/docs" {
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'"
    } else {
        // The editor and the charts set styles from script.
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, fixed(policy));
    if !served.options.plain_cookies {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000"));
    }
}

/// The interface: who asks, that a change comes from our own pages, how often, how much; and answers that are sent again.
pub async fn known_caller(State(served): Shared, jar: CookieJar, mut request: Request, next: Next) -> Response {
    let is_file = request.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        ["text/csv", "application/wasm", "text/x-rhai"].iter().any(|kind| value.as_bytes().starts_with(kind.as_bytes()))
    });
    // A whole company is sent as JSON, alone or as a change.
    let is_company = ["/api/v1/changes", "/api/v1/company"].iter().any(|path| request.uri().path().starts_with(path));
    let is_attachment = request.uri().path().starts_with("/api/v1/disputes/") && request.uri().path().ends_with("/attachments");
    let limit = match (is_file || is_company, is_attachment) {
        (_, true) => ATTACHMENT_BYTES_MAX,
        (true, false) => FILE_BYTES_MAX,
        (false, false) => BODY_BYTES_MAX,
    };
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if limit < FILE_BYTES_MAX || length.is_some_and(|length| length <= BODY_BYTES_MAX) {
        // Read before anything is refused: a connection whose request was not read to its end cannot be used again.
        let (parts, body) = request.into_parts();
        let Some(body) = whole(body, limit).await else {
            let detail = format!("the body is longer than {limit} bytes, or broke off");
            // What was not read makes the connection useless; the client is told so.
            let close = [(header::CONNECTION, "close")];
            return (close, Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)).into_response();
        };
        request = Request::from_parts(parts, Body::from(body));
    }
    match admitted(&served, &jar, &mut request).await {
        Ok(()) => {}
        Err(problem) => return problem.into_response(),
    }
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts, Body::new(http_body_util::Limited::new(body, limit)));
    idempotency::once(&served, request, next, limit).await
}

/// A body of at most `limit` bytes. What is longer is read and thrown away, so that the client hears the answer while it still sends.
async fn whole(body: Body, limit: usize) -> Option<Vec<u8>> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        length = length.saturating_add(chunk.len());
        if length <= limit {
            kept.extend_from_slice(&chunk);
        } else if length > FILE_BYTES_MAX {
            break;
        }
    }
    (length <= limit).then_some(kept)
}

async fn admitted(served: &Arc<Served>, jar: &CookieJar, request: &mut Request) -> Result<(), Problem> {
    // PostgreSQL has no place for the character NUL in a text, and no name or filter needs it.
    let named = [Some(request.uri().path()), request.uri().query()];
    if named.into_iter().flatten().any(|text| text.contains("%00")) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid", "the address holds the character NUL (`%00`); leave it out"));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let known = if let Some(token) = token {
        let secret = token.strip_prefix("Bearer ").unwrap_or_default();
        let found = served.instance.caller_of_token(secret).await?;
        Some(found.ok_or_else(|| Refusal::unauthenticated("this API token is not known, expired or revoked; make a new one"))?)
    } else {
        if changes {
            own_page(served, request.headers())?;
        }
        match jar.get(cookie_name(served.options.plain_cookies)) {
            Some(cookie) => served.instance.caller_of_session(cookie.value()).await?,
            None => None,
        }
    };
    match known {
        Some((caller, versions)) => {
            served.limits.check(&served.limits.user, &caller.user_id)?;
            request.extensions_mut().insert(Known { caller, versions });
        }
        None => served.limits.check(&served.limits.stranger, &address(request))?,
    }
    Ok(())
}

/// A change that a cookie vouches for must come from our own pages: the browser says so, and the console's header, which no
/// form can send, is there.
fn own_page(served: &Served, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let refused = |detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, "other-origin", detail));
    if text(CONSOLE).is_none() {
        return refused("a change by cookie needs the header `x-attain: console`; programs use an API token");
    }
    if text(HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin") {
        return refused("the request comes from another site");
    }
    let Some(origin) = text(header::ORIGIN) else { return refused("the request names no `Origin`") };
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let own = match &served.options.public_url {
        Some(url) => url.split_once("://").is_some_and(|(_, own)| own.trim_end_matches('/') == host),
        None => text(header::HOST).is_some_and(|own| own == host),
    };
    if own { Ok(()) } else { refused("the request comes from another origin") }
}
