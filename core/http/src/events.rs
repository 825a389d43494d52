//! Server-sent events: what happened, never what somebody is paid. A listener asks for what she may see.

use crate::ask::Asked;
use crate::problem::Problem;
use crate::serve::{Served, Shared};
use attain_app::access::Action;
use attain_app::live::Event;
use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::Stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const STILL_THERE: Duration = Duration::from_secs(15);

fn name(event: &Event) -> &'static str {
    match event {
        Event::Record { .. } => "record",
        Event::Progress { .. } => "progress",
        Event::Job { .. } => "job",
        Event::Reload { .. } => "reload",
    }
}

fn may_hear(asked: &Asked, event: &Event) -> bool {
    match event {
        Event::Record { .. } => true,
        Event::Progress { .. } | Event::Job { .. } => asked.caller.may(Action::SeeRuns) || asked.caller.may(Action::SeeJobs),
        Event::Reload { .. } => asked.caller.may(Action::SeeExtensions),
    }
}

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(stream))
}

/// What happens, as server-sent events
///
/// `record` with the versions of the record's parts, `progress` and `job` of calculations, `reload` of extensions. The stream begins with
/// the versions of now, so that one who was away knows what to ask for again.
#[utoipa::path(get, path = "/events", tag = "events", responses(
    (status = 200, body = String, content_type = "text/event-stream"),
    (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn stream(State(served): Shared, asked: Asked) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    let stopping = served.stopping.clone();
    let listener = served.instance.listen();
    let first = served.instance.record_event().await?;
    let state = (listener, Some(first), asked, 0u64);
    let events = futures_util::stream::unfold(state, move |(mut listener, mut waiting, asked, count)| {
        let mut stopping = stopping.clone();
        async move {
            loop {
                let event = match waiting.take() {
                    Some(event) => event,
                    None => tokio::select! {
                        heard = listener.recv() => match heard {
                            Ok(event) => event,
                            // Some were missed: a listener must ask for everything again.
                            Err(RecvError::Lagged(_)) => asked.instance.record_event().await.ok()?,
                            Err(RecvError::Closed) => return None,
                        },
                        () = async { drop(stopping.wait_for(|stop| *stop).await) } => return None,
                    },
                };
                if may_hear(&asked, &event) {
                    let shown = sse::Event::default().id(count.to_string()).event(name(&event)).json_data(&event).ok()?;
                    return Some((Ok(shown), (listener, None, asked, count + 1)));
                }
            }
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(STILL_THERE)))
}
