//! Questions about lines of statements.

use crate::ask::{Asked, IfMatch, Json, Path, Query, Versioned};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::serve::Served;
use attain_app::questions::{NewQuestion, QuestionHead, QuestionState, QuestionView};
use axum::http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new().routes(routes!(questions)).routes(routes!(ask)).routes(routes!(question, set_state)).routes(routes!(answer))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QuestionsQuery {
    state: Option<QuestionState>,
    payee: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    body: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewState {
    state: QuestionState,
}

/// Questions that one may see, newest first
#[utoipa::path(get, path = "/questions", tag = "questions", params(QuestionsQuery), responses(
    (status = 200, body = Page<QuestionHead>), (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn questions(asked: Asked, Query(query): Query<QuestionsQuery>) -> Result<Json<Page<QuestionHead>>, Problem> {
    let view = asked.view().await?;
    let all = asked.instance.questions(&view, &asked.caller, query.state, query.payee.as_deref()).await?;
    Ok(Json(PageQuery { limit: query.limit, cursor: query.cursor }.cut(all)?))
}

/// Ask about a statement or one of its lines
#[utoipa::path(post, path = "/payees/{payee_id}/periods/{period_id}/questions", tag = "questions",
    params(("payee_id" = String, Path), ("period_id" = String, Path)), request_body = NewQuestion, responses(
    (status = 201, body = QuestionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn ask(
    asked: Asked,
    Path((payee, period)): Path<(String, String)>,
    Json(new): Json<NewQuestion>,
) -> Result<(StatusCode, Versioned<QuestionView>), Problem> {
    let view = asked.view().await?;
    let question = asked.instance.ask(&view, &asked.caller, &payee, &period, &new).await?;
    Ok((StatusCode::CREATED, Versioned(question.version, question)))
}

/// A question with its thread
#[utoipa::path(get, path = "/questions/{question_id}", tag = "questions", params(("question_id" = String, Path)), responses(
    (status = 200, body = QuestionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn question(asked: Asked, Path(id): Path<String>) -> Result<Versioned<QuestionView>, Problem> {
    let view = asked.view().await?;
    let question = asked.instance.question(&view, &asked.caller, &id).await?;
    Ok(Versioned(question.version, question))
}

/// Write in a thread
#[utoipa::path(post, path = "/questions/{question_id}/messages", tag = "questions", params(("question_id" = String, Path)),
    request_body = NewMessage, responses(
    (status = 201, body = QuestionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn answer(
    asked: Asked,
    Path(id): Path<String>,
    Json(new): Json<NewMessage>,
) -> Result<(StatusCode, Versioned<QuestionView>), Problem> {
    let view = asked.view().await?;
    let question = asked.instance.answer(&view, &asked.caller, &id, &new.body).await?;
    Ok((StatusCode::CREATED, Versioned(question.version, question)))
}

/// Open or close a question
#[utoipa::path(patch, path = "/questions/{question_id}", tag = "questions",
    params(("question_id" = String, Path), ("if-match" = String, Header)), request_body = NewState, responses(
    (status = 200, body = QuestionView), (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn set_state(
    asked: Asked,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(new): Json<NewState>,
) -> Result<Versioned<QuestionView>, Problem> {
    let view = asked.view().await?;
    let question = asked.instance.set_question_state(&view, &asked.caller, &id, version, new.state).await?;
    Ok(Versioned(question.version, question))
}
