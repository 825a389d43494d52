//! What is told of a run but is no part of its hash: who asked for it, how long it took, what it cost, whether it was published.

use attain_database::sqlx;
use attain_database::{Connection, Tx, Value, insert};
use std::collections::BTreeMap;

/// What one extension was asked in a run, and what it used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionUse {
    pub point: String,
    pub name: String,
    pub digest: String,
    pub calls: i64,
    pub fuel: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// `command`, `request`, `schedule` or `change`.
    pub trigger: String,
    pub job_id: Option<String>,
    pub requested_by: String,
    /// Of all statements of the run.
    pub earned: i64,
    pub posted_count: i64,
    pub finding_count: i64,
    /// Milliseconds by stage, in order.
    pub stages: Vec<(String, i64)>,
    pub uses: Vec<ExtensionUse>,
}

/// In the transaction that saves the run.
pub async fn write(tx: &mut Tx, run_id: &str, facts: &Facts) -> anyhow::Result<()> {
    sqlx::query(
        "insert into run_facts (run_id, trigger_kind, job_id, requested_by, earned, posted_count, finding_count) values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(run_id.to_owned())
    .bind(facts.trigger.clone())
    .bind(facts.job_id.clone())
    .bind(facts.requested_by.clone())
    .bind(facts.earned)
    .bind(facts.posted_count)
    .bind(facts.finding_count)
    .execute(&mut **tx)
    .await?;
    let mut rows = Vec::new();
    for (position, (name, millis)) in facts.stages.iter().enumerate() {
        rows.extend([Value::from(run_id), Value::from(position as i64), Value::from(name.as_str()), Value::from(*millis)]);
    }
    insert(tx, "run_stages (run_id, position, name, millis)", 4, rows, "").await?;
    let mut rows = Vec::new();
    for own in &facts.uses {
        rows.push(Value::from(run_id));
        rows.extend([&own.point, &own.name, &own.digest].map(|text| Value::from(text.as_str())));
        rows.extend([Value::from(own.calls), Value::from(own.fuel)]);
    }
    insert(tx, "run_extensions (run_id, point, name, digest, calls, fuel)", 6, rows, "").await?;
    Ok(())
}

type FactsRow = (String, String, Option<String>, String, i64, i64, i64);

fn facts((run_id, trigger, job_id, requested_by, earned, posted_count, finding_count): FactsRow) -> (String, Facts) {
    (run_id, Facts { trigger, job_id, requested_by, earned, posted_count, finding_count, ..Facts::default() })
}

/// Of all runs, without stages and uses.
pub async fn all(connection: &mut Connection) -> anyhow::Result<BTreeMap<String, Facts>> {
    let sql = "select run_id, trigger_kind, job_id, requested_by, earned, posted_count, finding_count from run_facts";
    let rows: Vec<FactsRow> = sqlx::query_as(sql).fetch_all(connection).await?;
    Ok(rows.into_iter().map(facts).collect())
}

/// `None` for a run of before they were kept.
pub async fn of(connection: &mut Connection, run_id: &str) -> anyhow::Result<Option<Facts>> {
    let sql = "select run_id, trigger_kind, job_id, requested_by, earned, posted_count, finding_count from run_facts where run_id = $1";
    let row: Option<FactsRow> = sqlx::query_as(sql).bind(run_id.to_owned()).fetch_optional(&mut *connection).await?;
    let Some((_, mut own)) = row.map(facts) else { return Ok(None) };
    own.stages = sqlx::query_as("select name, millis from run_stages where run_id = $1 order by position")
        .bind(run_id.to_owned())
        .fetch_all(&mut *connection)
        .await?;
    own.uses = uses(connection, run_id).await?;
    Ok(Some(own))
}

/// In order of point and name.
pub async fn uses(connection: &mut Connection, run_id: &str) -> anyhow::Result<Vec<ExtensionUse>> {
    let sql = "select point, name, digest, calls, fuel from run_extensions where run_id = $1";
    let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(sql).bind(run_id.to_owned()).fetch_all(connection).await?;
    let mut uses: Vec<ExtensionUse> =
        rows.into_iter().map(|(point, name, digest, calls, fuel)| ExtensionUse { point, name, digest, calls, fuel }).collect();
    uses.sort_by(|left, right| (&left.point, &left.name).cmp(&(&right.point, &right.name)));
    Ok(uses)
}

/// Publishes a run; answers whether it was not published before.
pub async fn publish(tx: &mut Tx, run_id: &str, by: &str, now: i64) -> anyhow::Result<bool> {
    let sql = "insert into publications (run_id, published_at, published_by) values ($1, $2, $3) on conflict do nothing";
    let done = sqlx::query(sql).bind(run_id.to_owned()).bind(now).bind(by.to_owned()).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

/// When a run was published and by whom.
pub async fn publication(connection: &mut Connection, run_id: &str) -> anyhow::Result<Option<(i64, String)>> {
    let sql = "select published_at, published_by from publications where run_id = $1";
    Ok(sqlx::query_as(sql).bind(run_id.to_owned()).fetch_optional(connection).await?)
}

/// What a run posted, a row each: payee, period, origin period, plan, component, account, revision and amount.
pub type Posting = (String, String, String, String, String, String, i64, i64);

/// In order of payee, period, origin period, plan, component and account.
pub async fn posted_by(connection: &mut Connection, run_id: &str) -> anyhow::Result<Vec<Posting>> {
    let sql =
        "select payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, amount from postings where run_id = $1";
    let mut rows: Vec<Posting> = sqlx::query_as(sql).bind(run_id.to_owned()).fetch_all(connection).await?;
    rows.sort();
    Ok(rows)
}
