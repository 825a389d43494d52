//! Disputes and questions: what somebody holds to be wrong in a statement or asks about it, the thread, what is attached to it.

use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Tx};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub dispute_id: String,
    /// `question` or `dispute`.
    pub kind: String,
    pub payee_id: String,
    pub period_id: String,
    pub about: String,
    pub line: Option<i64>,
    pub plan_id: Option<String>,
    pub component_id: Option<String>,
    pub transaction_id: Option<String>,
    pub subject: String,
    /// What the line or the statement said.
    pub paid: Option<i64>,
    pub expected: Option<i64>,
    /// The explanation as it was, in JSON.
    pub trace: Option<String>,
    pub run_id: Option<String>,
    pub state: String,
    pub outcome: Option<String>,
    pub granted: Option<i64>,
    pub change_id: Option<String>,
    pub case_change_id: Option<String>,
    pub raised_by: String,
    pub raised_at: i64,
    pub assigned_to: Option<String>,
    pub due_at: i64,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<i64>,
    /// No payout pays the payee before it is settled.
    pub holds_pay: bool,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub author: String,
    pub author_name: String,
    pub body: String,
    pub written_at: i64,
}

/// What is known of a file without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub attachment_id: String,
    pub name: String,
    pub media_type: String,
    pub size: i64,
    pub sha256: String,
    pub added_by: String,
    pub added_at: i64,
}

fn dispute(row: &sqlx::any::AnyRow) -> anyhow::Result<Dispute> {
    Ok(Dispute {
        dispute_id: row.try_get(0)?,
        payee_id: row.try_get(1)?,
        period_id: row.try_get(2)?,
        about: row.try_get(3)?,
        line: row.try_get(4)?,
        plan_id: row.try_get(5)?,
        component_id: row.try_get(6)?,
        transaction_id: row.try_get(7)?,
        subject: row.try_get(8)?,
        paid: row.try_get(9)?,
        expected: row.try_get(10)?,
        trace: row.try_get(11)?,
        run_id: row.try_get(12)?,
        state: row.try_get(13)?,
        outcome: row.try_get(14)?,
        granted: row.try_get(15)?,
        change_id: row.try_get(16)?,
        case_change_id: row.try_get(17)?,
        raised_by: row.try_get(18)?,
        raised_at: row.try_get(19)?,
        assigned_to: row.try_get(20)?,
        due_at: row.try_get(21)?,
        resolved_by: row.try_get(22)?,
        resolved_at: row.try_get(23)?,
        kind: row.try_get(24)?,
        holds_pay: row.try_get::<i64, _>(25)? != 0,
        version: row.try_get(26)?,
    })
}

pub async fn add(tx: &mut Tx, own: &Dispute) -> anyhow::Result<()> {
    sqlx::query(
        "insert into disputes (dispute_id, payee_id, period_id, about, line, plan_id, component_id, transaction_id, subject, paid, \
         expected, trace, run_id, state, raised_by, raised_at, assigned_to, due_at, kind, holds_pay, version) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
    )
    .bind(own.dispute_id.clone())
    .bind(own.payee_id.clone())
    .bind(own.period_id.clone())
    .bind(own.about.clone())
    .bind(own.line)
    .bind(own.plan_id.clone())
    .bind(own.component_id.clone())
    .bind(own.transaction_id.clone())
    .bind(own.subject.clone())
    .bind(own.paid)
    .bind(own.expected)
    .bind(own.trace.clone())
    .bind(own.run_id.clone())
    .bind(own.state.clone())
    .bind(own.raised_by.clone())
    .bind(own.raised_at)
    .bind(own.assigned_to.clone())
    .bind(own.due_at)
    .bind(own.kind.clone())
    .bind(i64::from(own.holds_pay))
    .bind(own.version)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All disputes, newest first, without their traces.
pub async fn list(connection: &mut Connection) -> anyhow::Result<Vec<Dispute>> {
    let rows = sqlx::query(
        "select dispute_id, payee_id, period_id, about, line, plan_id, component_id, transaction_id, subject, paid, expected, \
         cast(null as text), run_id, state, outcome, granted, change_id, case_change_id, raised_by, raised_at, assigned_to, due_at, \
         resolved_by, resolved_at, kind, holds_pay, version from disputes order by raised_at desc, dispute_id desc",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(dispute).collect()
}

pub async fn get(connection: &mut Connection, dispute_id: &str) -> anyhow::Result<Option<Dispute>> {
    let row = sqlx::query(
        "select dispute_id, payee_id, period_id, about, line, plan_id, component_id, transaction_id, subject, paid, expected, \
         trace, run_id, state, outcome, granted, change_id, case_change_id, raised_by, raised_at, assigned_to, due_at, \
         resolved_by, resolved_at, kind, holds_pay, version from disputes where dispute_id = $1",
    )
    .bind(dispute_id.to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(dispute).transpose()
}

/// Those that are not settled and hold pay.
pub async fn holding(connection: &mut Connection) -> anyhow::Result<Vec<Dispute>> {
    let all = list(connection).await?;
    Ok(all.into_iter().filter(|own| own.holds_pay && matches!(own.state.as_str(), "open" | "assigned" | "resolved")).collect())
}

/// The dispute that a change is to settle.
pub async fn of_change(connection: &mut Connection, change_id: &str) -> anyhow::Result<Option<Dispute>> {
    let sql = "select dispute_id from disputes where change_id = $1";
    let id: Option<String> = sqlx::query_scalar(sql).bind(change_id.to_owned()).fetch_optional(&mut *connection).await?;
    match id {
        Some(id) => get(connection, &id).await,
        None => Ok(None),
    }
}

/// Writes what can change of a dispute, whose `version` is the one that was read. Answers whether it was still the current one.
pub async fn replace(tx: &mut Tx, own: &Dispute) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update disputes set state = $1, outcome = $2, granted = $3, change_id = $4, case_change_id = $5, assigned_to = $6, due_at = $7, \
         resolved_by = $8, resolved_at = $9, kind = $10, expected = $11, holds_pay = $12, version = version + 1 \
         where dispute_id = $13 and version = $14",
    )
    .bind(own.state.clone())
    .bind(own.outcome.clone())
    .bind(own.granted)
    .bind(own.change_id.clone())
    .bind(own.case_change_id.clone())
    .bind(own.assigned_to.clone())
    .bind(own.due_at)
    .bind(own.resolved_by.clone())
    .bind(own.resolved_at)
    .bind(own.kind.clone())
    .bind(own.expected)
    .bind(i64::from(own.holds_pay))
    .bind(own.dispute_id.clone())
    .bind(own.version)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn add_message(tx: &mut Tx, dispute_id: &str, author: &str, body: &str, now: i64) -> anyhow::Result<()> {
    sqlx::query(
        "insert into dispute_messages (dispute_id, position, author, body, written_at) \
         select $1, count(*) + 1, $2, $3, $4 from dispute_messages where dispute_id = $1",
    )
    .bind(dispute_id.to_owned())
    .bind(author.to_owned())
    .bind(body.to_owned())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// In the order in which they were written.
pub async fn messages(connection: &mut Connection, dispute_id: &str) -> anyhow::Result<Vec<Message>> {
    let rows: Vec<(String, Option<String>, String, i64)> = sqlx::query_as(
        "select m.author, u.name, m.body, m.written_at from dispute_messages m left join users u on u.user_id = m.author \
         where m.dispute_id = $1 order by m.position",
    )
    .bind(dispute_id.to_owned())
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

pub async fn add_attachment(tx: &mut Tx, dispute_id: &str, own: &Attachment, body: &[u8]) -> anyhow::Result<()> {
    sqlx::query(
        "insert into dispute_attachments (attachment_id, dispute_id, name, media_type, size, sha256, body, added_by, added_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(own.attachment_id.clone())
    .bind(dispute_id.to_owned())
    .bind(own.name.clone())
    .bind(own.media_type.clone())
    .bind(own.size)
    .bind(own.sha256.clone())
    .bind(body.to_vec())
    .bind(own.added_by.clone())
    .bind(own.added_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// In the order in which they were added.
pub async fn attachments(connection: &mut Connection, dispute_id: &str) -> anyhow::Result<Vec<Attachment>> {
    let rows: Vec<(String, String, String, i64, String, String, i64)> = sqlx::query_as(
        "select attachment_id, name, media_type, size, sha256, added_by, added_at from dispute_attachments where dispute_id = $1 \
         order by added_at, attachment_id",
    )
    .bind(dispute_id.to_owned())
    .fetch_all(connection)
    .await?;
    let attachment = |(attachment_id, name, media_type, size, sha256, added_by, added_at)| Attachment {
        attachment_id,
        name,
        media_type,
        size,
        sha256,
        added_by,
        added_at,
    };
    Ok(rows.into_iter().map(attachment).collect())
}

/// The bytes of an attachment of that dispute.
pub async fn attachment_body(connection: &mut Connection, dispute_id: &str, attachment_id: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let sql = "select body from dispute_attachments where dispute_id = $1 and attachment_id = $2";
    let query = sqlx::query_scalar(sql).bind(dispute_id.to_owned()).bind(attachment_id.to_owned());
    Ok(query.fetch_optional(connection).await?)
}
