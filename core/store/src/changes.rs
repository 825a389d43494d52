//! Changes that two people make: their state, every revision of them, and which documents they wrote.

use attain_database::sqlx::{self, Row as _};
use attain_database::{Connection, Tx};

/// A change without what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub change_id: String,
    pub kind: String,
    pub object: String,
    pub state: String,
    pub author: String,
    pub comment: String,
    pub base_digest: String,
    pub content_hash: String,
    pub revision: i64,
    pub version: i64,
    pub created_at: i64,
    pub submitted_at: Option<i64>,
    pub decided_by: Option<String>,
    pub decided_at: Option<i64>,
    pub decision_comment: Option<String>,
    pub impact: Option<String>,
}

/// What was saved at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub editor: String,
    pub payee_id: Option<String>,
    pub payload: String,
    pub text_diff: String,
    pub content_hash: String,
    pub recorded_at: i64,
}

/// Which change wrote a version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub version: i64,
    pub change_id: String,
    pub author: String,
}

fn change(row: &sqlx::any::AnyRow) -> anyhow::Result<Change> {
    Ok(Change {
        change_id: row.try_get(0)?,
        kind: row.try_get(1)?,
        object: row.try_get(2)?,
        state: row.try_get(3)?,
        author: row.try_get(4)?,
        comment: row.try_get(5)?,
        base_digest: row.try_get(6)?,
        content_hash: row.try_get(7)?,
        revision: row.try_get(8)?,
        version: row.try_get(9)?,
        created_at: row.try_get(10)?,
        submitted_at: row.try_get(11)?,
        decided_by: row.try_get(12)?,
        decided_at: row.try_get(13)?,
        decision_comment: row.try_get(14)?,
        impact: row.try_get(15)?,
    })
}

pub async fn get(connection: &mut Connection, change_id: &str) -> anyhow::Result<Option<Change>> {
    let row = sqlx::query(
        "select change_id, kind, object, state, author, comment, base_digest, content_hash, revision, version, created_at, submitted_at, \
         decided_by, decided_at, decision_comment, impact from changes where change_id = $1",
    )
    .bind(change_id.to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(change).transpose()
}

/// Newest first, without their impact; those of one state where it is named. `after` is the id of the last one of the page before.
pub async fn list(connection: &mut Connection, state: Option<&str>, after: Option<&str>, limit: i64) -> anyhow::Result<Vec<Change>> {
    let rows = sqlx::query(
        "select change_id, kind, object, state, author, comment, base_digest, content_hash, revision, version, created_at, submitted_at, \
         decided_by, decided_at, decision_comment, cast(null as text) from changes \
         where ($1 = '' or state = $1) and ($2 = '' or change_id < $2) order by change_id desc limit $3",
    )
    .bind(state.unwrap_or_default().to_owned())
    .bind(after.unwrap_or_default().to_owned())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(change).collect()
}

/// How many changes of an author are not decided.
pub async fn open_count(connection: &mut Connection, author: &str) -> anyhow::Result<i64> {
    let sql = "select count(*) from changes where author = $1 and state in ('draft', 'submitted')";
    Ok(sqlx::query_scalar(sql).bind(author.to_owned()).fetch_one(connection).await?)
}

/// The newest change of an object that is not decided.
pub async fn open_of(connection: &mut Connection, kind: &str, object: &str) -> anyhow::Result<Option<String>> {
    let sql = "select max(change_id) from changes where kind = $1 and object = $2 and state in ('draft', 'submitted')";
    Ok(sqlx::query_scalar(sql).bind(kind.to_owned()).bind(object.to_owned()).fetch_one(connection).await?)
}

/// All revisions, oldest first, the first being number 1.
pub async fn revisions(connection: &mut Connection, change_id: &str) -> anyhow::Result<Vec<Revision>> {
    type Row = (String, Option<String>, String, String, String, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "select editor, payee_id, payload, text_diff, content_hash, recorded_at from change_revisions where change_id = $1 order by revision",
    )
    .bind(change_id.to_owned())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(revision_of).collect())
}

pub async fn revision(connection: &mut Connection, change_id: &str, revision: i64) -> anyhow::Result<Option<Revision>> {
    let row: Option<(String, Option<String>, String, String, String, i64)> = sqlx::query_as(
        "select editor, payee_id, payload, text_diff, content_hash, recorded_at from change_revisions \
         where change_id = $1 and revision = $2",
    )
    .bind(change_id.to_owned())
    .bind(revision)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(revision_of))
}

fn revision_of(
    (editor, payee_id, payload, text_diff, content_hash, recorded_at): (String, Option<String>, String, String, String, i64),
) -> Revision {
    Revision { editor, payee_id, payload, text_diff, content_hash, recorded_at }
}

/// Everybody who saved a revision, and the payee whom she was then.
pub async fn editors(connection: &mut Connection, change_id: &str) -> anyhow::Result<Vec<(String, Option<String>)>> {
    let sql = "select distinct editor, payee_id from change_revisions where change_id = $1";
    Ok(sqlx::query_as(sql).bind(change_id.to_owned()).fetch_all(connection).await?)
}

/// A new change with its first revision.
pub async fn add(tx: &mut Tx, change: &Change, first: &Revision) -> anyhow::Result<()> {
    sqlx::query(
        "insert into changes (change_id, kind, object, state, author, comment, base_digest, content_hash, revision, version, created_at, \
         submitted_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(change.change_id.clone())
    .bind(change.kind.clone())
    .bind(change.object.clone())
    .bind(change.state.clone())
    .bind(change.author.clone())
    .bind(change.comment.clone())
    .bind(change.base_digest.clone())
    .bind(change.content_hash.clone())
    .bind(change.revision)
    .bind(change.version)
    .bind(change.created_at)
    .bind(change.submitted_at)
    .execute(&mut **tx)
    .await?;
    add_revision(tx, &change.change_id, change.revision, first).await
}

async fn add_revision(tx: &mut Tx, change_id: &str, number: i64, revision: &Revision) -> anyhow::Result<()> {
    sqlx::query(
        "insert into change_revisions (change_id, revision, editor, payee_id, payload, text_diff, content_hash, recorded_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(change_id.to_owned())
    .bind(number)
    .bind(revision.editor.clone())
    .bind(revision.payee_id.clone())
    .bind(revision.payload.clone())
    .bind(revision.text_diff.clone())
    .bind(revision.content_hash.clone())
    .bind(revision.recorded_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes `changed`, whose `version` is the one that was read, and counts it up; with `revision`, its number is that of `changed`.
/// Answers whether the version was still the current one and the state still `was`: of two who try, one is.
pub async fn replace(tx: &mut Tx, changed: &Change, was: &str, revision: Option<&Revision>) -> anyhow::Result<bool> {
    let done = sqlx::query(
        "update changes set state = $1, comment = $2, base_digest = $3, content_hash = $4, revision = $5, submitted_at = $6, \
         decided_by = $7, decided_at = $8, decision_comment = $9, impact = $10, version = version + 1 \
         where change_id = $11 and version = $12 and state = $13",
    )
    .bind(changed.state.clone())
    .bind(changed.comment.clone())
    .bind(changed.base_digest.clone())
    .bind(changed.content_hash.clone())
    .bind(changed.revision)
    .bind(changed.submitted_at)
    .bind(changed.decided_by.clone())
    .bind(changed.decided_at)
    .bind(changed.decision_comment.clone())
    .bind(changed.impact.clone())
    .bind(changed.change_id.clone())
    .bind(changed.version)
    .bind(was.to_owned())
    .execute(&mut **tx)
    .await?;
    let won = done.rows_affected() == 1;
    if let (true, Some(revision)) = (won, revision) {
        add_revision(tx, &changed.change_id, changed.revision, revision).await?;
    }
    Ok(won)
}

/// Notes that a change wrote the versions of these documents that are in force now.
pub async fn wrote(tx: &mut Tx, change_id: &str, paths: &[String]) -> anyhow::Result<()> {
    for path in paths {
        sqlx::query(
            "insert into change_documents (path, version, change_id) \
             select path, version, $1 from documents where path = $2 and superseded_at is null",
        )
        .bind(change_id.to_owned())
        .bind(path.clone())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The changes that wrote versions of a document.
pub async fn origins(connection: &mut Connection, path: &str) -> anyhow::Result<Vec<Origin>> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "select d.version, d.change_id, c.author from change_documents d join changes c on c.change_id = d.change_id where d.path = $1",
    )
    .bind(path.to_owned())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(version, change_id, author)| Origin { version, change_id, author }).collect())
}

/// The impact of a change that was submitted when it was made.
pub async fn set_impact(tx: &mut Tx, change_id: &str, impact: &str) -> anyhow::Result<()> {
    let sql = "update changes set impact = $1 where change_id = $2";
    sqlx::query(sql).bind(impact.to_owned()).bind(change_id.to_owned()).execute(&mut **tx).await?;
    Ok(())
}
