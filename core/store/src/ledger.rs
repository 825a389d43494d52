//! The pay ledger: postings are added, never changed; what was posted is their sum.

use anyhow::{Context, ensure};
use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Tx, Value, insert};
use attain_domain::ids::RunId;
use attain_domain::{Column, Table};
use futures_util::TryStreamExt as _;
use std::collections::BTreeMap;

/// A posting counts in `period_id`; `origin_period_id` is the period whose result it is about, another one where that is closed.
const KEY: [&str; 6] = ["payee_id", "period_id", "origin_period_id", "plan_id", "component_id", "account"];

/// What was posted so far: one row per payee, period, origin, plan, component and account, with the sum and the last revision.
/// Columns as in the result `postings`, sorted by them; no plan and no component where a posting concerns a whole statement.
pub async fn posted(connection: &mut Connection) -> anyhow::Result<Table> {
    let sql = "select payee_id, period_id, origin_period_id, plan_id, component_id, account, cast(max(revision) as bigint), \
               cast(sum(amount) as bigint) from postings \
               group by payee_id, period_id, origin_period_id, plan_id, component_id, account";
    let mut found: Vec<([String; 6], i64, i64)> = Vec::new();
    let mut rows = sqlx::query(sql).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let text = |index: usize| row.try_get::<String, _>(index);
        found.push(([text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?], row.try_get(6)?, row.try_get(7)?));
    }
    found.sort();
    let mut table = Table::new("postings");
    for (index, name) in KEY.iter().enumerate() {
        let texts: Vec<Option<&str>> = found.iter().map(|row| Some(row.0[index].as_str()).filter(|text| !text.is_empty())).collect();
        table = table.with(name, Column::text(&texts));
    }
    Ok(table
        .with("revision", Column::integer(found.iter().map(|row| row.1).collect()))
        .with("amount", Column::money(found.iter().map(|row| row.2).collect())))
}

/// What [`posted`] answers after `postings` were added to what it answered before.
pub fn with(posted: &Table, postings: &Table) -> Table {
    if postings.row_count() == 0 {
        return posted.clone();
    }
    // Columns in the order of `posted`, which has none before the first posting.
    let named = |table: &Table| {
        KEY.iter().chain(&["revision", "amount"]).filter_map(|name| Some(((*name).to_owned(), table.column(name)?.clone()))).collect()
    };
    let parts: Vec<Table> = [posted, postings].iter().map(|table| Table { name: posted.name.clone(), columns: named(table) }).collect();
    let all = Table::concat(&posted.name, &parts.iter().filter(|part| part.row_count() > 0).collect::<Vec<_>>());
    let codes: Vec<&[u32]> = KEY.iter().filter_map(|name| all.texts(name)).map(|column| column.codes.as_slice()).collect();
    // No plan and no component stand first: in the ledger they are an empty text.
    let key = |row: usize| codes.iter().map(|codes| codes[row].wrapping_add(1)).collect::<Vec<u32>>();
    let keys: Vec<Vec<u32>> = (0..all.row_count()).map(key).collect();
    let mut order: Vec<usize> = (0..all.row_count()).collect();
    order.sort_by(|left, right| keys[*left].cmp(&keys[*right]));
    let (revisions, amounts) = (all.numbers("revision").unwrap_or(&[]), all.numbers("amount").unwrap_or(&[]));
    let (mut first, mut revision, mut amount): (Vec<usize>, Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new(), Vec::new());
    for row in order {
        match (first.last(), revision.last_mut(), amount.last_mut()) {
            (Some(last), Some(revision), Some(amount)) if keys[*last] == keys[row] => {
                *revision = (*revision).max(revisions[row]);
                *amount += amounts[row];
            }
            _ => {
                first.push(row);
                revision.push(revisions[row]);
                amount.push(amounts[row]);
            }
        }
    }
    let mut whole = all.take(&first);
    for (name, column) in &mut whole.columns {
        match name.as_str() {
            "revision" => *column = Column::integer(std::mem::take(&mut revision)),
            "amount" => *column = Column::money(std::mem::take(&mut amount)),
            _ => {}
        }
    }
    whole
}

/// Adds the postings of a run. A posting that is there already is an error: nothing is paid twice.
pub async fn insert_postings(tx: &mut Tx, run_id: &RunId, postings: &Table, now: i64) -> anyhow::Result<u64> {
    if let Some(defect) = postings.defect() {
        anyhow::bail!(defect);
    }
    let count = postings.row_count();
    if count == 0 {
        return Ok(0);
    }
    let texts = KEY.map(|name| postings.texts(name));
    let revisions = postings.numbers("revision").context("postings need a column `revision`")?;
    ensure!(matches!(postings.column("amount"), Some(Column::Number { scale: 4, .. })), "postings need a column `amount` of scale 4");
    let amounts = postings.numbers("amount").context("postings need a column `amount`")?;
    let mut values = Vec::with_capacity(count * 10);
    for row in 0..count {
        values.push(Value::from(run_id.as_str()));
        for (name, column) in KEY.iter().zip(&texts) {
            // What concerns a whole statement (paid, held, carried) has no plan and no component; null would not be unique.
            let text = match column.and_then(|column| column.get(row)) {
                None if matches!(*name, "plan_id" | "component_id") => "",
                text => text.with_context(|| format!("posting {row} has no `{name}`"))?,
            };
            values.push(Value::from(text));
        }
        values.extend([Value::from(revisions[row]), Value::from(amounts[row]), Value::from(now)]);
    }
    let target = "postings (run_id, payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, amount, recorded_at)";
    insert(tx, target, 10, values, "").await.context("a posting is in the ledger already: run again on what was posted since")
}

/// A posting as it stands in the ledger: its key, its revision, its amount, when it was posted.
pub type PostingRow = ([String; 6], i64, i64, i64);

/// The rows that posting this result of a run at this instant makes, sorted.
pub fn rows_of(postings: &Table, recorded_at: i64) -> Vec<PostingRow> {
    let texts = KEY.map(|name| postings.texts(name));
    let number = |name: &str, row: usize| postings.numbers(name).and_then(|own| own.get(row)).copied().unwrap_or(0);
    let key = |row: usize| texts.map(|column| column.and_then(|column| column.get(row)).unwrap_or_default().to_owned());
    let mut rows: Vec<PostingRow> =
        (0..postings.row_count()).map(|row| (key(row), number("revision", row), number("amount", row), recorded_at)).collect();
    rows.sort();
    rows
}

/// What stands in the ledger of a run, sorted.
pub async fn of_run(connection: &mut Connection, run_id: &RunId) -> anyhow::Result<Vec<PostingRow>> {
    let sql = "select payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, amount, recorded_at from postings \
               where run_id = $1";
    let mut found = Vec::new();
    let mut rows = sqlx::query(sql).bind(run_id.0.clone()).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let text = |index: usize| row.try_get::<String, _>(index);
        let key = [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?];
        found.push((key, row.try_get(6)?, row.try_get(7)?, row.try_get(8)?));
    }
    found.sort();
    Ok(found)
}

/// How many postings each run has in the ledger, by its id.
pub async fn counts(connection: &mut Connection) -> anyhow::Result<BTreeMap<String, i64>> {
    let sql = "select run_id, cast(count(*) as bigint) from postings group by run_id";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}
