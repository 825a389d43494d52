//! How people work together: the policy in force, who acts for whom, adjustments on their way, statements that were published and
//! acknowledged, anomalies that were looked at.

use attain_database::sqlx;
use attain_database::{Connection, Tx, Value, insert};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub version: i64,
    pub body: String,
    pub state: String,
    pub proposed_by: String,
    pub proposed_payee_id: Option<String>,
    pub proposed_at: i64,
    pub decided_by: Option<String>,
    pub decided_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    pub delegation_id: String,
    pub from_user: String,
    pub to_user: String,
    pub from_on: i64,
    pub until_on: i64,
    pub reason: String,
    pub created_by: String,
    pub created_at: i64,
    pub revoked_at: Option<i64>,
}

/// An adjustment and the change by which it is to come into the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentDraft {
    pub adjustment_id: String,
    pub change_id: String,
    pub payee_id: String,
    pub period_id: String,
    pub amount: i64,
    pub reason: String,
    pub note: Option<String>,
    pub dispute_id: Option<String>,
    pub author: String,
    pub created_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedStatement {
    pub payee_id: String,
    pub period_id: String,
    pub sequence: i64,
    pub content_hash: String,
    pub run_id: String,
    pub published_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub payee_id: String,
    pub period_id: String,
    pub content_hash: String,
    pub user_id: String,
    pub acknowledged_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub review_id: String,
    pub period_id: String,
    pub payee_id: String,
    pub kind: String,
    pub fact: String,
    pub comment: String,
    pub reviewed_by: String,
    pub reviewed_at: i64,
}

type PolicyRow = (i64, String, String, String, Option<String>, i64, Option<String>, Option<i64>);

fn policy((version, body, state, proposed_by, proposed_payee_id, proposed_at, decided_by, decided_at): PolicyRow) -> Policy {
    Policy { version, body, state, proposed_by, proposed_payee_id, proposed_at, decided_by, decided_at }
}

/// Every version of the policy, newest first.
pub async fn policies(connection: &mut Connection) -> anyhow::Result<Vec<Policy>> {
    let rows: Vec<PolicyRow> = sqlx::query_as(
        "select version, body, state, proposed_by, proposed_payee_id, proposed_at, decided_by, decided_at from work_policies \
         order by version desc",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(policy).collect())
}

/// The text of the policy in force.
pub async fn policy_in_force(connection: &mut Connection) -> anyhow::Result<Option<String>> {
    let sql = "select body from work_policies where state = 'approved' order by version desc limit 1";
    Ok(sqlx::query_scalar(sql).fetch_optional(connection).await?)
}

pub async fn propose_policy(tx: &mut Tx, own: &Policy) -> anyhow::Result<()> {
    sqlx::query(
        "insert into work_policies (version, body, state, proposed_by, proposed_payee_id, proposed_at) values ($1, $2, 'proposed', $3, $4, $5)",
    )
    .bind(own.version)
    .bind(own.body.clone())
    .bind(own.proposed_by.clone())
    .bind(own.proposed_payee_id.clone())
    .bind(own.proposed_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Answers whether it was still a proposal.
pub async fn decide_policy(tx: &mut Tx, version: i64, state: &str, by: &str, now: i64) -> anyhow::Result<bool> {
    let sql = "update work_policies set state = $1, decided_by = $2, decided_at = $3 where version = $4 and state = 'proposed'";
    let query = sqlx::query(sql).bind(state.to_owned()).bind(by.to_owned()).bind(now).bind(version);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

type DelegationRow = (String, String, String, i64, i64, String, String, i64, Option<i64>);

/// All of them, newest first.
pub async fn delegations(connection: &mut Connection) -> anyhow::Result<Vec<Delegation>> {
    let rows: Vec<DelegationRow> = sqlx::query_as(
        "select delegation_id, from_user, to_user, from_on, until_on, reason, created_by, created_at, revoked_at from delegations \
         order by delegation_id desc",
    )
    .fetch_all(connection)
    .await?;
    let delegation = |(delegation_id, from_user, to_user, from_on, until_on, reason, created_by, created_at, revoked_at)| Delegation {
        delegation_id,
        from_user,
        to_user,
        from_on,
        until_on,
        reason,
        created_by,
        created_at,
        revoked_at,
    };
    Ok(rows.into_iter().map(delegation).collect())
}

pub async fn add_delegation(tx: &mut Tx, own: &Delegation) -> anyhow::Result<()> {
    sqlx::query(
        "insert into delegations (delegation_id, from_user, to_user, from_on, until_on, reason, created_by, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(own.delegation_id.clone())
    .bind(own.from_user.clone())
    .bind(own.to_user.clone())
    .bind(own.from_on)
    .bind(own.until_on)
    .bind(own.reason.clone())
    .bind(own.created_by.clone())
    .bind(own.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Answers whether it was not revoked before.
pub async fn revoke_delegation(tx: &mut Tx, delegation_id: &str, by: &str, now: i64) -> anyhow::Result<bool> {
    let sql = "update delegations set revoked_at = $1, revoked_by = $2 where delegation_id = $3 and revoked_at is null";
    let query = sqlx::query(sql).bind(now).bind(by.to_owned()).bind(delegation_id.to_owned());
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

pub async fn add_adjustment(tx: &mut Tx, own: &AdjustmentDraft) -> anyhow::Result<()> {
    sqlx::query(
        "insert into adjustment_drafts (adjustment_id, change_id, payee_id, period_id, amount, reason, note, dispute_id, author, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(own.adjustment_id.clone())
    .bind(own.change_id.clone())
    .bind(own.payee_id.clone())
    .bind(own.period_id.clone())
    .bind(own.amount)
    .bind(own.reason.clone())
    .bind(own.note.clone())
    .bind(own.dispute_id.clone())
    .bind(own.author.clone())
    .bind(own.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What became of the change that brings an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub state: String,
    pub by: Option<String>,
    pub at: Option<i64>,
}

type AdjustmentRow =
    (String, String, String, String, i64, String, Option<String>, Option<String>, String, i64, String, Option<String>, Option<i64>);

/// With what became of their change, newest first; that of one change where it is named.
pub async fn adjustments(connection: &mut Connection, change_id: &str) -> anyhow::Result<Vec<(AdjustmentDraft, Decided)>> {
    let rows: Vec<AdjustmentRow> = sqlx::query_as(
        "select a.adjustment_id, a.change_id, a.payee_id, a.period_id, a.amount, a.reason, a.note, a.dispute_id, a.author, a.created_at, \
         c.state, c.decided_by, c.decided_at from adjustment_drafts a join changes c on c.change_id = a.change_id \
         where ($1 = '' or a.change_id = $1) order by a.adjustment_id desc",
    )
    .bind(change_id.to_owned())
    .fetch_all(connection)
    .await?;
    let adjustment = |row: AdjustmentRow| {
        let (adjustment_id, change_id, payee_id, period_id, amount, reason, note, dispute_id, author, created_at, state, by, at) = row;
        let own = AdjustmentDraft { adjustment_id, change_id, payee_id, period_id, amount, reason, note, dispute_id, author, created_at };
        (own, Decided { state, by, at })
    };
    Ok(rows.into_iter().map(adjustment).collect())
}

/// The adjustment that a change is to bring.
pub async fn adjustment_of(connection: &mut Connection, change_id: &str) -> anyhow::Result<Option<AdjustmentDraft>> {
    Ok(adjustments(connection, change_id).await?.into_iter().next().map(|(own, _)| own))
}

/// The newest content of every statement that was published, by payee and period; of one period where it is named.
pub async fn published(connection: &mut Connection, period_id: &str) -> anyhow::Result<BTreeMap<(String, String), PublishedStatement>> {
    let rows: Vec<(String, String, i64, String, String, i64)> = sqlx::query_as(
        "select payee_id, period_id, sequence, content_hash, run_id, published_at from published_statements \
         where ($1 = '' or period_id = $1) order by payee_id, period_id, sequence",
    )
    .bind(period_id.to_owned())
    .fetch_all(connection)
    .await?;
    let statement = |(payee_id, period_id, sequence, content_hash, run_id, published_at): (String, String, i64, String, String, i64)| {
        let key = (payee_id.clone(), period_id.clone());
        (key, PublishedStatement { payee_id, period_id, sequence, content_hash, run_id, published_at })
    };
    // The last one of a key stays.
    Ok(rows.into_iter().map(statement).collect())
}

pub async fn add_published(tx: &mut Tx, statements: &[PublishedStatement]) -> anyhow::Result<()> {
    let mut rows = Vec::with_capacity(statements.len() * 6);
    for own in statements {
        rows.extend([Value::from(own.payee_id.as_str()), Value::from(own.period_id.as_str()), Value::from(own.sequence)]);
        rows.extend([Value::from(own.content_hash.as_str()), Value::from(own.run_id.as_str()), Value::from(own.published_at)]);
    }
    insert(tx, "published_statements (payee_id, period_id, sequence, content_hash, run_id, published_at)", 6, rows, "").await?;
    Ok(())
}

/// Answers whether that content was not acknowledged before.
pub async fn acknowledge(tx: &mut Tx, own: &Acknowledgement) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "insert into acknowledgements (payee_id, period_id, content_hash, user_id, acknowledged_at) values ($1, $2, $3, $4, $5) \
         on conflict do nothing",
    )
    .bind(own.payee_id.clone())
    .bind(own.period_id.clone())
    .bind(own.content_hash.clone())
    .bind(own.user_id.clone())
    .bind(own.acknowledged_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Of one period, oldest first.
pub async fn acknowledgements(connection: &mut Connection, period_id: &str) -> anyhow::Result<Vec<Acknowledgement>> {
    let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
        "select payee_id, period_id, content_hash, user_id, acknowledged_at from acknowledgements where period_id = $1 \
         order by acknowledged_at, payee_id",
    )
    .bind(period_id.to_owned())
    .fetch_all(connection)
    .await?;
    let own = |(payee_id, period_id, content_hash, user_id, acknowledged_at)| Acknowledgement {
        payee_id,
        period_id,
        content_hash,
        user_id,
        acknowledged_at,
    };
    Ok(rows.into_iter().map(own).collect())
}

pub async fn add_review(tx: &mut Tx, own: &Review) -> anyhow::Result<()> {
    sqlx::query(
        "insert into anomaly_reviews (review_id, period_id, payee_id, kind, fact, comment, reviewed_by, reviewed_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(own.review_id.clone())
    .bind(own.period_id.clone())
    .bind(own.payee_id.clone())
    .bind(own.kind.clone())
    .bind(own.fact.clone())
    .bind(own.comment.clone())
    .bind(own.reviewed_by.clone())
    .bind(own.reviewed_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

type ReviewRow = (String, String, String, String, String, String, String, i64);

/// Of one period, oldest first.
pub async fn reviews(connection: &mut Connection, period_id: &str) -> anyhow::Result<Vec<Review>> {
    let rows: Vec<ReviewRow> = sqlx::query_as(
        "select review_id, period_id, payee_id, kind, fact, comment, reviewed_by, reviewed_at from anomaly_reviews where period_id = $1 \
         order by review_id",
    )
    .bind(period_id.to_owned())
    .fetch_all(connection)
    .await?;
    let own = |(review_id, period_id, payee_id, kind, fact, comment, reviewed_by, reviewed_at)| Review {
        review_id,
        period_id,
        payee_id,
        kind,
        fact,
        comment,
        reviewed_by,
        reviewed_at,
    };
    Ok(rows.into_iter().map(own).collect())
}

/// Changes that wait for a second person since before `submitted_before`.
pub async fn waiting_since(connection: &mut Connection, submitted_before: i64) -> anyhow::Result<Vec<String>> {
    let sql = "select change_id from changes where state = 'submitted' and submitted_at <= $1 order by change_id";
    Ok(sqlx::query_scalar(sql).bind(submitted_before).fetch_all(connection).await?)
}
