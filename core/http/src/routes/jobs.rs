//! Jobs, and the schedules that make them.

use crate::ask::{Asked, IfMatch, Json, Path, Query, Versioned};
use crate::page::{Page, PageQuery, decode, encode};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::schedules::{JobView, NewSchedule, ScheduleChange, ScheduleView};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(jobs))
        .routes(routes!(job))
        .routes(routes!(schedules, add_schedule))
        .routes(routes!(schedule, change_schedule, remove_schedule))
        .routes(routes!(history))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// `waiting`, `running`, `done` or `failed`; all where it is left out.
    state: Option<String>,
    /// At most so many items, 1 to 1000; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Schedules {
    items: Vec<ScheduleView>,
}

/// A page of jobs of which one more than `limit` was read. The cursor is the last one's id.
fn page(mut jobs: Vec<JobView>, limit: usize) -> Page<JobView> {
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next_cursor = jobs.last().filter(|_| more).map(|last| encode(&last.job_id));
    Page { items: jobs, next_cursor }
}

/// Jobs, newest first
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobQuery), responses(
    (status = 200, body = Page<JobView>), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn jobs(asked: Asked, Query(query): Query<JobQuery>) -> Result<Json<Page<JobView>>, Problem> {
    let limit = crate::page::limit(query.limit)?;
    let before = query.cursor.as_deref().map(decode).transpose()?;
    Ok(Json(page(asked.instance.jobs(&asked.caller, query.state.as_deref(), before.as_deref(), limit).await?, limit)))
}

/// A job
#[utoipa::path(get, path = "/jobs/{job_id}", tag = "jobs", params(("job_id" = String, Path)), responses(
    (status = 200, body = JobView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn job(asked: Asked, Path(job_id): Path<String>) -> Result<Json<JobView>, Problem> {
    Ok(Json(asked.instance.job(&asked.caller, &job_id).await?))
}

/// Schedules
///
/// A slot makes one job, however many nodes there are. Slots that pass while no node runs are made up for by one job together,
/// those that pass while a schedule is paused by none.
#[utoipa::path(get, path = "/schedules", tag = "jobs", responses(
    (status = 200, body = Schedules), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn schedules(asked: Asked) -> Result<Json<Schedules>, Problem> {
    Ok(Json(Schedules { items: asked.instance.schedules(&asked.caller).await? }))
}

/// A schedule
#[utoipa::path(get, path = "/schedules/{schedule_id}", tag = "jobs", params(("schedule_id" = String, Path)), responses(
    (status = 200, body = ScheduleView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn schedule(asked: Asked, Path(schedule_id): Path<String>) -> Result<Versioned<ScheduleView>, Problem> {
    let own = asked.instance.schedule(&asked.caller, &schedule_id).await?;
    Ok(Versioned(own.version, own))
}

/// Make a schedule
///
/// Its jobs are done in the name of whoever makes it, who needs the permission for what they do.
#[utoipa::path(post, path = "/schedules", tag = "jobs", request_body = NewSchedule, responses(
    (status = 201, body = ScheduleView, headers(("location" = String), ("etag" = String))),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn add_schedule(asked: Asked, Json(new): Json<NewSchedule>) -> Result<impl IntoResponse, Problem> {
    let own = asked.instance.add_schedule(&asked.caller, &new).await?;
    let place = [(header::LOCATION, format!("/api/v1/schedules/{}", own.schedule_id))];
    Ok((StatusCode::CREATED, place, Versioned(own.version, own)))
}

/// Pause, resume or change a schedule
#[utoipa::path(patch, path = "/schedules/{schedule_id}", tag = "jobs", params(("schedule_id" = String, Path), ("if-match" = String, Header)),
    request_body = ScheduleChange, responses(
    (status = 200, body = ScheduleView, headers(("etag" = String))), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn change_schedule(
    asked: Asked,
    Path(schedule_id): Path<String>,
    IfMatch(version): IfMatch,
    Json(change): Json<ScheduleChange>,
) -> Result<Versioned<ScheduleView>, Problem> {
    let own = asked.instance.change_schedule(&asked.caller, &schedule_id, version, &change).await?;
    Ok(Versioned(own.version, own))
}

/// Remove a schedule
///
/// Its jobs stay in the history.
#[utoipa::path(delete, path = "/schedules/{schedule_id}", tag = "jobs", params(("schedule_id" = String, Path), ("if-match" = String, Header)), responses(
    (status = 204), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"), (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn remove_schedule(asked: Asked, Path(schedule_id): Path<String>, IfMatch(version): IfMatch) -> Result<StatusCode, Problem> {
    asked.instance.remove_schedule(&asked.caller, &schedule_id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The jobs that a schedule made, newest first
#[utoipa::path(get, path = "/schedules/{schedule_id}/history", tag = "jobs", params(("schedule_id" = String, Path), PageQuery), responses(
    (status = 200, body = Page<JobView>), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn history(asked: Asked, Path(schedule_id): Path<String>, Query(query): Query<PageQuery>) -> Result<Json<Page<JobView>>, Problem> {
    let limit = query.limit()?;
    let before = query.cursor.as_deref().map(decode).transpose()?;
    Ok(Json(page(asked.instance.schedule_history(&asked.caller, &schedule_id, before.as_deref(), limit).await?, limit)))
}
