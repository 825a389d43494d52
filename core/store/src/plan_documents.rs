//! Plans as documents that were sent to payees, and what they answered.

use attain_database::sqlx;
use attain_database::{Connection, Tx};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanDocument {
    pub document_id: String,
    pub plan_id: String,
    pub payee_id: String,
    /// First day of the plan's version.
    pub version_on: Option<i64>,
    /// SHA-256 of the text, in lower-case hexadecimal.
    pub digest: String,
    pub text: String,
    /// The same as JSON.
    pub content: String,
    pub state: String,
    pub hold_id: Option<String>,
    pub sent_by: String,
    pub sent_at: i64,
    pub answered_by: Option<String>,
    pub answered_at: Option<i64>,
    pub comment: Option<String>,
}

type Row = (String, String, String, Option<i64>, String, String, Option<String>, String, i64, Option<String>, Option<i64>, Option<String>);

fn document(row: Row, text: String, content: String) -> PlanDocument {
    let (document_id, plan_id, payee_id, version_on, digest, state, hold_id, sent_by, sent_at, answered_by, answered_at, comment) = row;
    PlanDocument {
        document_id,
        plan_id,
        payee_id,
        version_on,
        digest,
        text,
        content,
        state,
        hold_id,
        sent_by,
        sent_at,
        answered_by,
        answered_at,
        comment,
    }
}

pub async fn add(tx: &mut Tx, own: &PlanDocument) -> anyhow::Result<()> {
    sqlx::query(
        "insert into plan_documents (document_id, plan_id, payee_id, version_on, digest, text, content, state, hold_id, sent_by, sent_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(own.document_id.clone())
    .bind(own.plan_id.clone())
    .bind(own.payee_id.clone())
    .bind(own.version_on)
    .bind(own.digest.clone())
    .bind(own.text.clone())
    .bind(own.content.clone())
    .bind(own.state.clone())
    .bind(own.hold_id.clone())
    .bind(own.sent_by.clone())
    .bind(own.sent_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All of them without their texts, newest first.
pub async fn list(connection: &mut Connection) -> anyhow::Result<Vec<PlanDocument>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select document_id, plan_id, payee_id, version_on, digest, state, hold_id, sent_by, sent_at, answered_by, answered_at, comment \
         from plan_documents order by sent_at desc, plan_id, payee_id, document_id",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| document(row, String::new(), String::new())).collect())
}

pub async fn get(connection: &mut Connection, document_id: &str) -> anyhow::Result<Option<PlanDocument>> {
    let row: Option<Row> = sqlx::query_as(
        "select document_id, plan_id, payee_id, version_on, digest, state, hold_id, sent_by, sent_at, answered_by, answered_at, comment \
         from plan_documents where document_id = $1",
    )
    .bind(document_id.to_owned())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let texts: (String, String) = sqlx::query_as("select text, content from plan_documents where document_id = $1")
        .bind(document_id.to_owned())
        .fetch_one(connection)
        .await?;
    Ok(Some(document(row, texts.0, texts.1)))
}

/// Ends a document that waits for an answer. Answers whether it still waited.
pub async fn answer(
    tx: &mut Tx,
    document_id: &str,
    state: &str,
    by: Option<&str>,
    at: Option<i64>,
    comment: Option<&str>,
) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update plan_documents set state = $1, answered_by = $2, answered_at = $3, comment = $4 where document_id = $5 and state = 'sent'",
    )
    .bind(state.to_owned())
    .bind(by.map(str::to_owned))
    .bind(at)
    .bind(comment.map(str::to_owned))
    .bind(document_id.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
