use crate::migrations::migrate_until;
use crate::trial::Trial;
use crate::{Access, Database, Kind, Rider, SCHEMA_VERSION, Value, insert, schema_version};
use sqlx::AssertSqlSafe;

async fn run(database: &Database, sql: &str) -> anyhow::Result<()> {
    let mut tx = database.begin().await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await?;
    tx.commit().await
}

#[tokio::test]
async fn a_second_server_on_a_sqlite_file_is_refused_and_a_command_is_not() -> anyhow::Result<()> {
    let trial = Trial::sqlite().await?;
    let server = Database::open(&trial.url, Access::Server).await?;
    let refused = Database::open(&trial.url, Access::Server).await.expect_err("the first server holds the lock").to_string();
    assert!(refused.contains("in use by a running server"), "{refused}");
    let command = Database::open(&trial.url, Access::Command).await?;
    let mut read = command.read().await?;
    assert_eq!(schema_version(&mut read).await?, SCHEMA_VERSION);
    drop((read, command));
    drop(server);
    Database::open(&trial.url, Access::Server).await?.close().await;
    trial.remove().await
}

#[tokio::test]
async fn a_schema_from_the_future_is_refused_in_words() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        run(&trial.database, "insert into migrations (version, name, digest, applied_at) values (9000, 'future', '', 0)").await?;
        let refused = Database::open(&trial.url, Access::Command).await.expect_err("version 9000 is not known").to_string();
        assert!(refused.contains("schema version 9000"), "{refused}");
        run(&trial.database, "delete from migrations where version = 9000; update migrations set digest = 'other'").await?;
        let refused = Database::open(&trial.url, Access::Command).await.expect_err("the text differs").to_string();
        assert!(refused.contains("another text"), "{refused}");
        trial.remove().await?;
    }
    Ok(())
}

/// The address of a database that an older program left: of the schema's version `last`, with these rows.
async fn left_by_an_older_program(trial: &Trial, last: i64, rows: &str) -> anyhow::Result<String> {
    let url = match trial.database.kind() {
        Kind::Sqlite => trial.url.replace("attain.db", "older.db"),
        Kind::Postgres => {
            run(&trial.database, "drop schema public cascade; create schema public").await?;
            trial.url.clone()
        }
    };
    let address = if trial.database.kind() == Kind::Sqlite { format!("{url}?mode=rwc") } else { url.clone() };
    let pool = sqlx::any::AnyPoolOptions::new().max_connections(1).connect(&address).await?;
    migrate_until(&pool, trial.database.kind(), last).await?;
    sqlx::raw_sql(AssertSqlSafe(rows.to_owned())).execute(&pool).await?;
    pool.close().await;
    Ok(url)
}

/// Id, kind, what it is about, line, state, when it is due, version.
type DisputeRow = (String, String, String, Option<i64>, String, i64, i64);

#[tokio::test]
async fn questions_of_an_older_program_are_disputes_with_their_threads() -> anyhow::Result<()> {
    let rows = "insert into questions (question_id, payee_id, period_id, line, subject, trace, run_id, state, asked_by, asked_at, version) values \
                ('question-1', 'ana', '2026-01', 3, 'why', '{}', 'r', 'answered', 'u-ana', 5000, 4), \
                ('question-2', 'ben', '2026-02', null, 'all of it', '{}', 'r', 'closed', 'u-ben', 6000, 2); \
                insert into question_messages (question_id, position, author, body, written_at) values \
                ('question-1', 1, 'u-ana', 'why is this so?', 5000), ('question-1', 2, 'u-ada', 'because', 5500), \
                ('question-2', 1, 'u-ben', 'is this right?', 6000); \
                insert into disputes (dispute_id, payee_id, period_id, about, line, subject, state, outcome, granted, raised_by, raised_at, due_at, version) \
                values ('dispute-1', 'ana', '2026-01', 'line', 1, 'too little', 'resolved', 'partly', 850000, 'u-ana', 7000, 9000, 5); \
                insert into dispute_messages (dispute_id, position, author, body, written_at) values ('dispute-1', 1, 'u-ana', 'it counts', 7000); \
                insert into webhooks (webhook_id, url, events, state, failures, created_by, created_at, version) \
                values ('w', 'https://a.example/', '', 'active', 0, 'u', 1, 1); insert into webhook_secrets (webhook_id, secret) values ('w', 'readable')";
    for trial in Trial::each().await? {
        let url = left_by_an_older_program(&trial, 11, rows).await?;
        let database = Database::open(&url, Access::Command).await?;
        let mut read = database.read().await?;
        assert_eq!(schema_version(&mut read).await?, SCHEMA_VERSION);
        let sql = "select dispute_id, kind, about, line, state, due_at, version from disputes order by dispute_id";
        let disputes: Vec<DisputeRow> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        let row = |id: &str, kind: &str, about: &str, line, state: &str, due_at, version| {
            (id.to_owned(), kind.to_owned(), about.to_owned(), line, state.to_owned(), due_at, version)
        };
        let ten_days = 10 * 24 * 3_600_000;
        assert_eq!(
            disputes,
            [
                row("dispute-1", "dispute", "line", Some(1), "resolved", 9000, 5),
                row("question-1", "question", "line", Some(3), "answered", 5000 + ten_days, 4),
                row("question-2", "question", "statement", None, "closed", 6000 + ten_days, 2),
            ]
        );
        let sql = "select dispute_id, position, author, body from dispute_messages order by dispute_id, position";
        let messages: Vec<(String, i64, String, String)> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        let said: Vec<&str> = messages.iter().map(|own| own.3.as_str()).collect();
        assert_eq!(said, ["it counts", "why is this so?", "because", "is this right?"]);
        let hooks: Vec<(String, i64)> =
            sqlx::query_as("select state, (select count(*) from webhook_keys) from webhooks").fetch_all(&mut *read).await?;
        assert_eq!(hooks, [("disabled".to_owned(), 0)], "no readable secret is kept; each is made anew");
        drop(read);
        // A question is not decided, and a message belongs to a thread that there is.
        for wrong in [
            "update disputes set expected = 1 where dispute_id = 'question-1'",
            "update disputes set holds_pay = 1 where dispute_id = 'question-1'",
            "update disputes set state = 'answered' where dispute_id = 'dispute-1'",
            "insert into dispute_messages (dispute_id, position, author, body, written_at) values ('none', 1, 'u', 'x', 1)",
            "delete from disputes where dispute_id = 'question-1'",
        ] {
            assert!(run(&database, wrong).await.is_err(), "{wrong}");
        }
        database.close().await;
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_may_lose_commits_is_refused() -> anyhow::Result<()> {
    let Some(trial) = Trial::postgres().await? else { return Ok(()) };
    let name = trial.url.rsplit('/').next().and_then(|rest| rest.split('?').next()).expect("a database name");
    run(&trial.database, &format!("alter database {name} set synchronous_commit = off")).await?;
    let refused = Database::open(&trial.url, Access::Command).await.expect_err("commits are not durable").to_string();
    assert!(refused.contains("set `synchronous_commit = on`"), "{refused}");
    trial.remove().await
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    for (url, word) in [
        ("mysql://x/y", "is not known"),
        ("sqlite::memory:", "needs a file"),
        ("sqlite:/no/such/folder/x.db", "create it"),
        ("postgres://127.0.0.1:1/x", "cannot reach"),
    ] {
        let refused = Database::open(url, Access::Command).await.expect_err(url).to_string();
        assert!(refused.contains(word), "{url}: {refused}");
    }
}

#[tokio::test]
async fn many_rows_go_in_at_once_with_their_nulls_and_bytes() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        run(&trial.database, "create table things (id bigint primary key, name text, size bigint, body blob)").await?;
        let mut tx = trial.database.begin().await?;
        let mut values = Vec::new();
        for id in 0..3_001i64 {
            let name = (id % 3 != 0).then(|| format!("name {id}"));
            values.extend([id.into(), Value::Text(name), Value::Integer((id % 2 == 0).then_some(id)), Value::Bytes(vec![id as u8; 3])]);
        }
        assert_eq!(insert(&mut tx, "things (id, name, size, body)", 4, values.clone(), "").await?, 3_001);
        assert_eq!(insert(&mut tx, "things (id, name, size, body)", 4, values, "on conflict do nothing").await?, 0);
        tx.commit().await?;
        let mut read = trial.database.read().await?;
        let row: (String, Option<i64>, Vec<u8>) =
            sqlx::query_as("select name, size, body from things where id = $1").bind(2_999i64).fetch_one(&mut *read).await?;
        assert_eq!(row, ("name 2999".to_owned(), None, vec![183u8; 3]));
        let nulls: i64 = sqlx::query_scalar("select count(*) from things where name is null").fetch_one(&mut *read).await?;
        assert_eq!(nulls, 1_001);
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_dropped_transaction_changes_nothing_and_a_reader_sees_one_moment() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        run(&trial.database, "create table things (id bigint primary key)").await?;
        let mut tx = trial.database.begin().await?;
        insert(&mut tx, "things (id)", 1, vec![1i64.into()], "").await?;
        drop(tx);
        let count = "select count(*) from things";
        let mut read = trial.database.read().await?;
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *read).await?, 0);
        run(&trial.database, "insert into things values (2)").await?;
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *read).await?, 0, "the reader began before");
        drop(read);
        let mut read = trial.database.read().await?;
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *read).await?, 1);
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn every_sqlite_connection_has_the_safe_settings() -> anyhow::Result<()> {
    let trial = Trial::sqlite().await?;
    assert_eq!(trial.database.kind(), Kind::Sqlite);
    let mut readers = Vec::new();
    for _ in 0..4 {
        let mut read = trial.database.read().await?;
        assert_eq!(sqlx::query_scalar::<_, i64>("pragma synchronous").fetch_one(&mut *read).await?, 2);
        assert_eq!(sqlx::query_scalar::<_, i64>("pragma foreign_keys").fetch_one(&mut *read).await?, 1);
        assert_eq!(sqlx::query_scalar::<_, i64>("pragma trusted_schema").fetch_one(&mut *read).await?, 0);
        readers.push(read);
    }
    drop(readers);
    trial.remove().await
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_wait_their_turn() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        run(&trial.database, "create table counters (id bigint primary key, value bigint not null); insert into counters values (1, 0)")
            .await?;
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let database = trial.database.clone();
            tasks.push(tokio::spawn(async move {
                for _ in 0..10 {
                    run(&database, "update counters set value = value + 1").await?;
                }
                anyhow::Ok(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        let mut read = trial.database.read().await?;
        assert_eq!(sqlx::query_scalar::<_, i64>("select value from counters").fetch_one(&mut *read).await?, 80);
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_rides_with_a_commit_is_written_with_it_or_nothing_is() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let database = &trial.database;
        let mut tx = database.begin().await?;
        sqlx::query("create table claims (claim text not null, done bigint not null)").execute(&mut *tx).await?;
        sqlx::query("create table effects (name text not null)").execute(&mut *tx).await?;
        sqlx::query("insert into claims (claim, done) values ('second', 0)").execute(&mut *tx).await?;
        tx.commit().await?;
        let effect = |claim: &str| {
            let rider = Rider { sql: "update claims set done = 1 where claim = $1", values: vec![claim.to_owned()] };
            rider.under(async {
                let mut tx = database.begin().await?;
                sqlx::query("insert into effects (name) values ('made')").execute(&mut *tx).await?;
                tx.commit().await
            })
        };
        let overtaken = effect("first").await.expect_err("another holds the claim");
        assert!(overtaken.to_string().contains("sent again"), "{overtaken}");
        effect("second").await?;
        let mut read = database.read().await?;
        let counts: (i64, i64) = sqlx::query_as("select (select count(*) from effects), (select cast(sum(done) as bigint) from claims)")
            .fetch_one(&mut *read)
            .await?;
        assert_eq!(counts, (1, 1));
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}
