//! Payout batches: which postings they claim, their lines, and everything that became of them. A posting is claimed once, by
//! constraint; what is exported is kept by trigger.

use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Tx, Value, insert};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub batch_id: String,
    pub pay_group_id: String,
    pub period_id: String,
    pub pay_on: i64,
    pub state: String,
    pub currency: String,
    pub company_currency: String,
    pub content_hash: String,
    pub version: i64,
    pub made_by: String,
    pub made_at: i64,
    pub reviewed_by: Option<String>,
    pub reviewed_at: Option<i64>,
    pub approved_by: Option<String>,
    pub approved_at: Option<i64>,
    pub exported_by: Option<String>,
    pub exported_at: Option<i64>,
    pub paid_by: Option<String>,
    pub paid_at: Option<i64>,
    pub paid_on: Option<i64>,
    pub reference: Option<String>,
}

/// A row of the pay ledger. `attempt` counts how often it was to be paid, where that matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    pub payee_id: String,
    pub period_id: String,
    pub origin_period_id: String,
    pub plan_id: String,
    pub component_id: String,
    pub account: String,
    pub revision: i64,
    pub attempt: i64,
    pub run_id: String,
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub payee_id: String,
    /// `due`, `left` or `excluded`.
    pub state: String,
    pub company_amount: i64,
    pub left_amount: i64,
    pub amount: i64,
    pub residue: i64,
    pub before_amount: Option<i64>,
    pub flags: String,
    pub reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub payee_id: String,
    pub plan_id: String,
    pub component_id: String,
    pub policy: String,
    pub rate_on: i64,
    pub quote: String,
    pub rate: i64,
    pub company_amount: i64,
    pub converted: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    pub kind: String,
    pub rate_on: i64,
    pub quote: String,
    pub rate: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub payee_id: String,
    pub kind: String,
    pub reason: String,
    pub actor: String,
    pub recorded_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    pub user_id: String,
    pub payee_id: Option<String>,
    pub action: String,
    pub note: String,
    pub recorded_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub sha256: String,
    pub mapping: String,
    pub mapping_digest: String,
    pub body: Vec<u8>,
    pub recorded_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    pub payee_id: String,
    pub returned_on: i64,
    pub reason: String,
    pub actor: String,
    pub recorded_at: i64,
}

/// Whether an error says that a posting is claimed already.
pub fn is_claimed_twice(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
        .any(|cause| cause.as_database_error().is_some_and(|own| own.is_unique_violation()))
}

fn posting(row: &sqlx::any::AnyRow) -> anyhow::Result<Posting> {
    Ok(Posting {
        payee_id: row.try_get(0)?,
        period_id: row.try_get(1)?,
        origin_period_id: row.try_get(2)?,
        plan_id: row.try_get(3)?,
        component_id: row.try_get(4)?,
        account: row.try_get(5)?,
        revision: row.try_get(6)?,
        attempt: row.try_get(7)?,
        run_id: row.try_get(8)?,
        amount: row.try_get(9)?,
    })
}

fn postings(rows: &[sqlx::any::AnyRow]) -> anyhow::Result<Vec<Posting>> {
    let mut found = rows.iter().map(posting).collect::<anyhow::Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// What was paid by the ledger and is in no batch: never, or only in batches from which it came back. In order of payee and period.
pub async fn due(connection: &mut Connection) -> anyhow::Result<Vec<Posting>> {
    let rows = sqlx::query(
        "select p.payee_id, p.period_id, p.origin_period_id, p.plan_id, p.component_id, p.account, p.revision, \
             cast(1 + (select count(*) from payout_releases r where r.payee_id = p.payee_id and r.period_id = p.period_id \
                 and r.origin_period_id = p.origin_period_id and r.plan_id = p.plan_id and r.component_id = p.component_id \
                 and r.account = p.account and r.revision = p.revision) as bigint), p.run_id, p.amount \
         from postings p where p.account = 'paid' and p.amount <> 0 \
             and (select count(*) from payout_items i where i.payee_id = p.payee_id and i.period_id = p.period_id \
                 and i.origin_period_id = p.origin_period_id and i.plan_id = p.plan_id and i.component_id = p.component_id \
                 and i.account = p.account and i.revision = p.revision) \
             = (select count(*) from payout_releases r where r.payee_id = p.payee_id and r.period_id = p.period_id \
                 and r.origin_period_id = p.origin_period_id and r.plan_id = p.plan_id and r.component_id = p.component_id \
                 and r.account = p.account and r.revision = p.revision)",
    )
    .fetch_all(connection)
    .await?;
    postings(&rows)
}

/// What a batch claims, in order.
pub async fn claims(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Posting>> {
    let rows = sqlx::query(
        "select payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, attempt, run_id, amount \
         from payout_items where batch_id = $1",
    )
    .bind(batch_id.to_owned())
    .fetch_all(connection)
    .await?;
    postings(&rows)
}

/// What was earned in the same runs, by the same payees and in the same periods as what a batch claims.
pub async fn earned_with(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Posting>> {
    let rows = sqlx::query(
        "select p.payee_id, p.period_id, p.origin_period_id, p.plan_id, p.component_id, p.account, p.revision, cast(1 as bigint), \
             p.run_id, p.amount \
         from postings p where p.account = 'earned' and exists (select 1 from payout_items i where i.batch_id = $1 \
             and i.run_id = p.run_id and i.payee_id = p.payee_id and i.period_id = p.period_id)",
    )
    .bind(batch_id.to_owned())
    .fetch_all(connection)
    .await?;
    postings(&rows)
}

/// The pay ledger, whole or of one period, in order.
pub async fn ledger(connection: &mut Connection, period_id: Option<&str>) -> anyhow::Result<Vec<Posting>> {
    let rows = sqlx::query(
        "select payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, cast(1 as bigint), run_id, amount \
         from postings where $1 = '' or period_id = $1",
    )
    .bind(period_id.unwrap_or_default().to_owned())
    .fetch_all(connection)
    .await?;
    postings(&rows)
}

fn batch(row: &sqlx::any::AnyRow) -> anyhow::Result<Batch> {
    Ok(Batch {
        batch_id: row.try_get(0)?,
        pay_group_id: row.try_get(1)?,
        period_id: row.try_get(2)?,
        pay_on: row.try_get(3)?,
        state: row.try_get(4)?,
        currency: row.try_get(5)?,
        company_currency: row.try_get(6)?,
        content_hash: row.try_get(7)?,
        version: row.try_get(8)?,
        made_by: row.try_get(9)?,
        made_at: row.try_get(10)?,
        reviewed_by: row.try_get(11)?,
        reviewed_at: row.try_get(12)?,
        approved_by: row.try_get(13)?,
        approved_at: row.try_get(14)?,
        exported_by: row.try_get(15)?,
        exported_at: row.try_get(16)?,
        paid_by: row.try_get(17)?,
        paid_at: row.try_get(18)?,
        paid_on: row.try_get(19)?,
        reference: row.try_get(20)?,
    })
}

pub async fn get(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Option<Batch>> {
    let row = sqlx::query(
        "select batch_id, pay_group_id, period_id, pay_on, state, currency, company_currency, content_hash, version, made_by, made_at, \
         reviewed_by, reviewed_at, approved_by, approved_at, exported_by, exported_at, paid_by, paid_at, paid_on, reference \
         from payout_batches where batch_id = $1",
    )
    .bind(batch_id.to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(batch).transpose()
}

/// Newest first; those of one state where it is named. `after` is the id of the last one of the page before.
pub async fn list(connection: &mut Connection, state: Option<&str>, after: Option<&str>, limit: i64) -> anyhow::Result<Vec<Batch>> {
    let rows = sqlx::query(
        "select batch_id, pay_group_id, period_id, pay_on, state, currency, company_currency, content_hash, version, made_by, made_at, \
         reviewed_by, reviewed_at, approved_by, approved_at, exported_by, exported_at, paid_by, paid_at, paid_on, reference \
         from payout_batches where ($1 = '' or state = $1) and ($2 = '' or batch_id < $2) order by batch_id desc limit $3",
    )
    .bind(state.unwrap_or_default().to_owned())
    .bind(after.unwrap_or_default().to_owned())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(batch).collect()
}

pub async fn add(tx: &mut Tx, batch: &Batch) -> anyhow::Result<()> {
    sqlx::query(
        "insert into payout_batches (batch_id, pay_group_id, period_id, pay_on, state, currency, company_currency, content_hash, version, \
         made_by, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(batch.batch_id.clone())
    .bind(batch.pay_group_id.clone())
    .bind(batch.period_id.clone())
    .bind(batch.pay_on)
    .bind(batch.state.clone())
    .bind(batch.currency.clone())
    .bind(batch.company_currency.clone())
    .bind(batch.content_hash.clone())
    .bind(batch.version)
    .bind(batch.made_by.clone())
    .bind(batch.made_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes `changed`, whose `version` is the one that was read, and counts it up. Answers whether it was still current.
pub async fn replace(tx: &mut Tx, changed: &Batch, was: &str) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update payout_batches set state = $1, content_hash = $2, reviewed_by = $3, reviewed_at = $4, approved_by = $5, approved_at = $6, \
         exported_by = $7, exported_at = $8, paid_by = $9, paid_at = $10, paid_on = $11, reference = $12, version = version + 1 \
         where batch_id = $13 and version = $14 and state = $15",
    )
    .bind(changed.state.clone())
    .bind(changed.content_hash.clone())
    .bind(changed.reviewed_by.clone())
    .bind(changed.reviewed_at)
    .bind(changed.approved_by.clone())
    .bind(changed.approved_at)
    .bind(changed.exported_by.clone())
    .bind(changed.exported_at)
    .bind(changed.paid_by.clone())
    .bind(changed.paid_at)
    .bind(changed.paid_on)
    .bind(changed.reference.clone())
    .bind(changed.batch_id.clone())
    .bind(changed.version)
    .bind(was.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives the claims of a batch back.
pub async fn unclaim(tx: &mut Tx, batch_id: &str) -> anyhow::Result<()> {
    sqlx::query("delete from payout_items where batch_id = $1").bind(batch_id.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

/// Claims postings for a batch. One that is claimed already is an error; see [`is_claimed_twice`].
pub async fn claim(tx: &mut Tx, batch_id: &str, postings: &[Posting]) -> anyhow::Result<()> {
    let mut values = Vec::with_capacity(postings.len() * 12);
    for own in postings {
        values.push(Value::from(batch_id));
        let texts = [&own.run_id, &own.payee_id, &own.period_id, &own.origin_period_id, &own.plan_id, &own.component_id, &own.account];
        values.extend(texts.map(|text| Value::from(text.as_str())));
        values.extend([Value::from(own.revision), Value::from(own.attempt)]);
        values.extend([Value::from((own.attempt > 1).then_some(own.attempt - 1)), Value::from(own.amount)]);
    }
    let target = "payout_items (batch_id, run_id, payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, attempt, \
                  released_attempt, amount)";
    insert(tx, target, 12, values, "").await?;
    Ok(())
}

/// Replaces the lines of a batch and their parts.
pub async fn write_lines(tx: &mut Tx, batch_id: &str, lines: &[Line], parts: &[Part]) -> anyhow::Result<()> {
    sqlx::query("delete from payout_parts where batch_id = $1").bind(batch_id.to_owned()).execute(&mut **tx).await?;
    sqlx::query("delete from payout_lines where batch_id = $1").bind(batch_id.to_owned()).execute(&mut **tx).await?;
    let mut values = Vec::with_capacity(lines.len() * 10);
    for line in lines {
        values.extend([batch_id, &line.payee_id, &line.state].map(Value::from));
        values.extend([line.company_amount, line.left_amount, line.amount, line.residue].map(Value::from));
        values.push(Value::from(line.before_amount));
        values.extend([line.flags.as_str(), line.reference.as_str()].map(Value::from));
    }
    let target = "payout_lines (batch_id, payee_id, state, company_amount, left_amount, amount, residue, before_amount, flags, reference)";
    insert(tx, target, 10, values, "").await?;
    let mut values = Vec::with_capacity(parts.len() * 11);
    for (position, part) in parts.iter().enumerate() {
        values.extend([batch_id, &part.payee_id].map(Value::from));
        values.push(Value::from(i64::try_from(position)?));
        values.extend([&part.plan_id, &part.component_id, &part.policy].map(|text| Value::from(text.as_str())));
        values.extend([Value::from(part.rate_on), Value::from(part.quote.as_str())]);
        values.extend([part.rate, part.company_amount, part.converted].map(Value::from));
    }
    let target =
        "payout_parts (batch_id, payee_id, position, plan_id, component_id, policy, rate_on, quote, rate, company_amount, converted)";
    insert(tx, target, 11, values, "").await?;
    Ok(())
}

/// In order of payee.
pub async fn lines(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Line>> {
    let rows = sqlx::query(
        "select payee_id, state, company_amount, left_amount, amount, residue, before_amount, flags, reference from payout_lines \
         where batch_id = $1",
    )
    .bind(batch_id.to_owned())
    .fetch_all(connection)
    .await?;
    let line = |row: &sqlx::any::AnyRow| {
        anyhow::Ok(Line {
            payee_id: row.try_get(0)?,
            state: row.try_get(1)?,
            company_amount: row.try_get(2)?,
            left_amount: row.try_get(3)?,
            amount: row.try_get(4)?,
            residue: row.try_get(5)?,
            before_amount: row.try_get(6)?,
            flags: row.try_get(7)?,
            reference: row.try_get(8)?,
        })
    };
    let mut found = rows.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?;
    found.sort_by(|left, right| left.payee_id.cmp(&right.payee_id));
    Ok(found)
}

/// In order of payee and as they were written.
pub async fn parts(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Part>> {
    let rows = sqlx::query(
        "select payee_id, plan_id, component_id, policy, rate_on, quote, rate, company_amount, converted from payout_parts \
         where batch_id = $1 order by position",
    )
    .bind(batch_id.to_owned())
    .fetch_all(connection)
    .await?;
    let part = |row: &sqlx::any::AnyRow| {
        anyhow::Ok(Part {
            payee_id: row.try_get(0)?,
            plan_id: row.try_get(1)?,
            component_id: row.try_get(2)?,
            policy: row.try_get(3)?,
            rate_on: row.try_get(4)?,
            quote: row.try_get(5)?,
            rate: row.try_get(6)?,
            company_amount: row.try_get(7)?,
            converted: row.try_get(8)?,
        })
    };
    rows.iter().map(part).collect()
}

pub async fn rates(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Rate>> {
    let rows: Vec<(String, i64, String, i64)> =
        sqlx::query_as("select kind, rate_on, quote, rate from payout_rates where batch_id = $1 order by rate_on, kind")
            .bind(batch_id.to_owned())
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(kind, rate_on, quote, rate)| Rate { kind, rate_on, quote, rate }).collect())
}

pub async fn add_rates(tx: &mut Tx, batch_id: &str, rates: &[Rate]) -> anyhow::Result<()> {
    let mut values = Vec::with_capacity(rates.len() * 5);
    for own in rates {
        values.extend([Value::from(batch_id), Value::from(own.kind.as_str()), Value::from(own.rate_on)]);
        values.extend([Value::from(own.quote.as_str()), Value::from(own.rate)]);
    }
    insert(tx, "payout_rates (batch_id, kind, rate_on, quote, rate)", 5, values, "on conflict do nothing").await?;
    Ok(())
}

pub async fn marks(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Mark>> {
    let rows: Vec<(String, String, String, String, i64)> =
        sqlx::query_as("select payee_id, kind, reason, actor, recorded_at from payout_marks where batch_id = $1")
            .bind(batch_id.to_owned())
            .fetch_all(connection)
            .await?;
    let mut found: Vec<Mark> =
        rows.into_iter().map(|(payee_id, kind, reason, actor, recorded_at)| Mark { payee_id, kind, reason, actor, recorded_at }).collect();
    found.sort_by(|left, right| left.payee_id.cmp(&right.payee_id));
    Ok(found)
}

/// Puts a mark in place of the one before; takes it away where there is none.
pub async fn set_mark(tx: &mut Tx, batch_id: &str, payee_id: &str, mark: Option<&Mark>) -> anyhow::Result<()> {
    sqlx::query("delete from payout_marks where batch_id = $1 and payee_id = $2")
        .bind(batch_id.to_owned())
        .bind(payee_id.to_owned())
        .execute(&mut **tx)
        .await?;
    if let Some(mark) = mark {
        sqlx::query("insert into payout_marks (batch_id, payee_id, kind, reason, actor, recorded_at) values ($1, $2, $3, $4, $5, $6)")
            .bind(batch_id.to_owned())
            .bind(payee_id.to_owned())
            .bind(mark.kind.clone())
            .bind(mark.reason.clone())
            .bind(mark.actor.clone())
            .bind(mark.recorded_at)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// In order of time.
pub async fn hands(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Hand>> {
    let rows: Vec<(String, Option<String>, String, String, i64)> =
        sqlx::query_as("select user_id, payee_id, action, note, recorded_at from payout_hands where batch_id = $1 order by sequence")
            .bind(batch_id.to_owned())
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(user_id, payee_id, action, note, recorded_at)| Hand { user_id, payee_id, action, note, recorded_at })
        .collect())
}

pub async fn add_hand(tx: &mut Tx, batch_id: &str, hand: &Hand) -> anyhow::Result<()> {
    sqlx::query(
        "insert into payout_hands (batch_id, sequence, user_id, payee_id, action, note, recorded_at) \
         select $1, cast(count(*) + 1 as bigint), $2, $3, $4, $5, $6 from payout_hands where batch_id = $7",
    )
    .bind(batch_id.to_owned())
    .bind(hand.user_id.clone())
    .bind(hand.payee_id.clone())
    .bind(hand.action.clone())
    .bind(hand.note.clone())
    .bind(hand.recorded_at)
    .bind(batch_id.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn file(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Option<File>> {
    type Row = (String, String, String, String, Vec<u8>, i64);
    let row: Option<Row> =
        sqlx::query_as("select name, sha256, mapping, mapping_digest, body, recorded_at from payout_files where batch_id = $1")
            .bind(batch_id.to_owned())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(name, sha256, mapping, mapping_digest, body, recorded_at)| File {
        name,
        sha256,
        mapping,
        mapping_digest,
        body,
        recorded_at,
    }))
}

pub async fn add_file(tx: &mut Tx, batch_id: &str, file: &File) -> anyhow::Result<()> {
    sqlx::query(
        "insert into payout_files (batch_id, name, sha256, mapping, mapping_digest, body, recorded_at) values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(batch_id.to_owned())
    .bind(file.name.clone())
    .bind(file.sha256.clone())
    .bind(file.mapping.clone())
    .bind(file.mapping_digest.clone())
    .bind(file.body.clone())
    .bind(file.recorded_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn returns(connection: &mut Connection, batch_id: &str) -> anyhow::Result<Vec<Return>> {
    let rows: Vec<(String, i64, String, String, i64)> =
        sqlx::query_as("select payee_id, returned_on, reason, actor, recorded_at from payout_returns where batch_id = $1")
            .bind(batch_id.to_owned())
            .fetch_all(connection)
            .await?;
    let mut found: Vec<Return> = rows
        .into_iter()
        .map(|(payee_id, returned_on, reason, actor, recorded_at)| Return { payee_id, returned_on, reason, actor, recorded_at })
        .collect();
    found.sort_by(|left, right| left.payee_id.cmp(&right.payee_id));
    Ok(found)
}

/// Notes that a payment came back: what it was for is due again.
pub async fn add_return(tx: &mut Tx, batch_id: &str, own: &Return) -> anyhow::Result<()> {
    sqlx::query("insert into payout_returns (batch_id, payee_id, returned_on, reason, actor, recorded_at) values ($1, $2, $3, $4, $5, $6)")
        .bind(batch_id.to_owned())
        .bind(own.payee_id.clone())
        .bind(own.returned_on)
        .bind(own.reason.clone())
        .bind(own.actor.clone())
        .bind(own.recorded_at)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "insert into payout_releases (payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, attempt, batch_id) \
         select payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, attempt, batch_id \
         from payout_items where batch_id = $1 and payee_id = $2",
    )
    .bind(batch_id.to_owned())
    .bind(own.payee_id.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Of a payee: what was paid of each period, in which batch. Payments that came back are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    pub batch_id: String,
    pub period_id: String,
    pub paid_on: i64,
    pub company_currency: String,
    pub company_amount: i64,
}

/// Newest last.
pub async fn paid_to(connection: &mut Connection, payee_id: &str) -> anyhow::Result<Vec<Paid>> {
    let rows: Vec<(String, String, i64, String, i64)> = sqlx::query_as(
        "select b.batch_id, i.period_id, b.paid_on, b.company_currency, cast(sum(i.amount) as bigint) \
         from payout_items i join payout_batches b on b.batch_id = i.batch_id \
         where i.payee_id = $1 and b.state = 'paid' \
             and not exists (select 1 from payout_returns r where r.batch_id = b.batch_id and r.payee_id = $1) \
         group by b.batch_id, i.period_id, b.paid_on, b.company_currency",
    )
    .bind(payee_id.to_owned())
    .fetch_all(connection)
    .await?;
    let mut found: Vec<Paid> = rows
        .into_iter()
        .map(|(batch_id, period_id, paid_on, company_currency, company_amount)| Paid {
            batch_id,
            period_id,
            paid_on,
            company_currency,
            company_amount,
        })
        .collect();
    found.sort_by(|left, right| (left.paid_on, &left.batch_id, &left.period_id).cmp(&(right.paid_on, &right.batch_id, &right.period_id)));
    Ok(found)
}

/// Of every batch: how many payees it pays, how much, and how much of the company currency that is.
pub async fn totals(connection: &mut Connection) -> anyhow::Result<Vec<(String, i64, i64, i64)>> {
    let sql = "select batch_id, count(*), cast(sum(amount) as bigint), cast(sum(company_amount) as bigint) from payout_lines \
               where state = 'due' group by batch_id";
    Ok(sqlx::query_as(sql).fetch_all(connection).await?)
}
