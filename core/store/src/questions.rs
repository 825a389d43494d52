//! What people ask about lines of statements, and the answers.

use attain_database::sqlx;
use attain_database::{Connection, Tx};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub question_id: String,
    pub payee_id: String,
    pub period_id: String,
    pub line: Option<i64>,
    pub subject: String,
    /// The line's explanation as it was, in JSON.
    pub trace: String,
    pub run_id: String,
    pub state: String,
    pub asked_by: String,
    pub asked_at: i64,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub author: String,
    pub author_name: String,
    pub body: String,
    pub written_at: i64,
}

type QuestionRow = (String, String, String, Option<i64>, String, String, String, String, String, i64, i64);

fn question(row: QuestionRow) -> Question {
    let (question_id, payee_id, period_id, line, subject, trace, run_id, state, asked_by, asked_at, version) = row;
    Question { question_id, payee_id, period_id, line, subject, trace, run_id, state, asked_by, asked_at, version }
}

pub async fn add(tx: &mut Tx, question: &Question) -> anyhow::Result<()> {
    sqlx::query(
        "insert into questions (question_id, payee_id, period_id, line, subject, trace, run_id, state, asked_by, asked_at, version) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(question.question_id.clone())
    .bind(question.payee_id.clone())
    .bind(question.period_id.clone())
    .bind(question.line)
    .bind(question.subject.clone())
    .bind(question.trace.clone())
    .bind(question.run_id.clone())
    .bind(question.state.clone())
    .bind(question.asked_by.clone())
    .bind(question.asked_at)
    .bind(question.version)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All questions, newest first, without their traces.
pub async fn list(connection: &mut Connection) -> anyhow::Result<Vec<Question>> {
    let rows: Vec<QuestionRow> = sqlx::query_as(
        "select question_id, payee_id, period_id, line, subject, '', run_id, state, asked_by, asked_at, version from questions \
         order by asked_at desc, question_id",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(question).collect())
}

pub async fn get(connection: &mut Connection, question_id: &str) -> anyhow::Result<Option<Question>> {
    let row: Option<QuestionRow> = sqlx::query_as(
        "select question_id, payee_id, period_id, line, subject, trace, run_id, state, asked_by, asked_at, version from questions \
         where question_id = $1",
    )
    .bind(question_id.to_owned())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(question))
}

/// Answers whether `version` was still the current one.
pub async fn set_state(tx: &mut Tx, question_id: &str, state: &str, version: i64) -> anyhow::Result<bool> {
    let done = sqlx::query("update questions set state = $1, version = version + 1 where question_id = $2 and version = $3")
        .bind(state.to_owned())
        .bind(question_id.to_owned())
        .bind(version)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn add_message(tx: &mut Tx, question_id: &str, author: &str, body: &str, now: i64) -> anyhow::Result<()> {
    sqlx::query(
        "insert into question_messages (question_id, position, author, body, written_at) \
         select $1, count(*) + 1, $2, $3, $4 from question_messages where question_id = $1",
    )
    .bind(question_id.to_owned())
    .bind(author.to_owned())
    .bind(body.to_owned())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// In the order in which they were written.
pub async fn messages(connection: &mut Connection, question_id: &str) -> anyhow::Result<Vec<Message>> {
    let rows: Vec<(String, Option<String>, String, i64)> = sqlx::query_as(
        "select m.author, u.name, m.body, m.written_at from question_messages m left join users u on u.user_id = m.author \
         where m.question_id = $1 order by m.position",
    )
    .bind(question_id.to_owned())
    .fetch_all(connection)
    .await?;
    let message = |(author, name, body, written_at): (String, Option<String>, String, i64)| Message {
        author_name: name.unwrap_or_else(|| author.clone()),
        author,
        body,
        written_at,
    };
    Ok(rows.into_iter().map(message).collect())
}
