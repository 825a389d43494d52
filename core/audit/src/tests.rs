use crate::{Entry, Seal, append, checkpoint, encode, entries, inclusion_root, merkle, proof, verify};
use attain_database::sqlx::{self, AssertSqlSafe, Row as _};
use attain_database::trial::Trial;
use attain_database::{Access, Database, Kind};
use std::path::Path;

fn entry(number: i64) -> Entry {
    let entry = Entry::new("ana", "apply", &format!("plan-{number}")).reason("because");
    if number % 2 == 0 { entry.before("old").after("new") } else { entry }
}

/// A trail of eight entries, sealed after five and after eight.
async fn fill(database: &Database, seal: &Seal) -> anyhow::Result<()> {
    for number in 1..=8 {
        let mut tx = database.begin().await?;
        assert_eq!(append(&mut tx, entry(number), 1_000 + number).await?, number);
        tx.commit().await?;
        if number == 5 || number == 8 {
            let sealed = checkpoint(database, seal, 2_000 + number).await?.expect("entries were added");
            assert_eq!(sealed.size, number);
        }
    }
    assert_eq!(checkpoint(database, seal, 3_000).await?, None, "nothing was added");
    Ok(())
}

/// What someone can do who has the whole database: the guards are taken away first.
async fn tamper(database: &Database, sql: &str) -> anyhow::Result<()> {
    let mut tx = database.begin().await?;
    let guards = match database.kind() {
        Kind::Sqlite => {
            "drop trigger if exists audit_entries_no_update; drop trigger if exists audit_entries_no_delete; \
             drop trigger if exists audit_checkpoints_no_update; drop trigger if exists audit_checkpoints_no_delete"
        }
        Kind::Postgres => {
            "drop trigger if exists audit_entries_keep on audit_entries; drop trigger if exists audit_checkpoints_keep on audit_checkpoints"
        }
    };
    sqlx::raw_sql(guards).execute(&mut *tx).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await?;
    tx.commit().await
}

fn literal(kind: Kind, bytes: &[u8]) -> String {
    let hex = crate::seal::hex(bytes);
    if kind == Kind::Sqlite { format!("x'{hex}'") } else { format!("'\\x{hex}'") }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

async fn expect_found(database: &Database, seal: &Seal, what: &str) -> anyhow::Result<()> {
    let report = verify(database, seal).await?;
    assert!(!report.clean(), "{what} on {:?} was not found", database.kind());
    Ok(())
}

#[tokio::test]
async fn an_untouched_trail_verifies() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let folder = folder();
        let seal = Seal::open(folder.path())?;
        assert!(verify(&trial.database, &seal).await?.clean(), "an empty trail is clean");
        fill(&trial.database, &seal).await?;
        let mut tx = trial.database.begin().await?;
        append(&mut tx, entry(9), 9).await?;
        tx.commit().await?;
        let report = verify(&trial.database, &Seal::open(folder.path())?).await?;
        assert_eq!((report.entries, report.checkpoints, report.unsealed, report.faults.len()), (9, 2, 1, 0));
        let mut read = trial.database.read().await?;
        let found = entries(&mut read, 6, 10).await?;
        assert_eq!(found.iter().map(|own| own.sequence).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(found[1].entry, entry(8));
        let (body, path) = proof(&mut read, 3, 8).await?;
        let sealed = crate::verify::checkpoints(&mut read).await?;
        assert_eq!(inclusion_root(2, 8, &body, &path), Some(sealed[1].root));
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_trail() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let folder = folder();
        fill(&trial.database, &Seal::open(folder.path())?).await?;
        for sql in [
            "update audit_entries set actor = 'bob'",
            "delete from audit_entries",
            "update audit_checkpoints set recorded_at = 1",
            "delete from audit_checkpoints",
        ] {
            let mut tx = trial.database.begin().await?;
            let refused = sqlx::raw_sql(sql).execute(&mut *tx).await.expect_err(sql).to_string();
            assert!(refused.contains("only ever added"), "{refused}");
        }
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_entry_that_was_rolled_back_leaves_no_gap() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let folder = folder();
        let mut tx = trial.database.begin().await?;
        append(&mut tx, entry(1), 1).await?;
        tx.rollback().await?;
        fill(&trial.database, &Seal::open(folder.path())?).await?;
        trial.remove().await?;
    }
    Ok(())
}

fn statements(kind: Kind) -> Vec<(&'static str, String)> {
    let bytes = literal(kind, &[7; 32]);
    let long = literal(kind, &[7; 64]);
    let mut list: Vec<(&'static str, String)> = Vec::new();
    for sequence in [1, 4, 8] {
        for (column, value) in [
            ("sequence", "100"),
            ("actor", "'bob'"),
            ("action", "'x'"),
            ("object", "'x'"),
            ("before_state", "'x'"),
            ("after_state", "'x'"),
            ("reason", "''"),
            ("recorded_at", "1"),
            ("body", bytes.as_str()),
            ("hash", bytes.as_str()),
        ] {
            list.push(("an edited column", format!("update audit_entries set {column} = {value} where sequence = {sequence}")));
        }
        list.push(("a removed entry", format!("delete from audit_entries where sequence = {sequence}")));
    }
    for (column, value) in [("size", "7"), ("root", &bytes), ("recorded_at", "1"), ("key_id", "'x'"), ("signature", &long)] {
        list.push(("an edited checkpoint", format!("update audit_checkpoints set {column} = {value} where size = 8")));
    }
    list.push(("a removed checkpoint", "delete from audit_checkpoints where size = 5".into()));
    list.push((
        "two swapped entries",
        "update audit_entries set sequence = 100 where sequence = 3; update audit_entries set sequence = 3 where sequence = 4; \
         update audit_entries set sequence = 4 where sequence = 100"
            .into(),
    ));
    list.push((
        "a gap closed by renumbering",
        "delete from audit_entries where sequence = 3; update audit_entries set sequence = sequence + 100 where sequence > 3; \
         update audit_entries set sequence = sequence - 101 where sequence > 100"
            .into(),
    ));
    list.push((
        "an inserted entry",
        format!(
            "insert into audit_entries (sequence, actor, action, object, before_state, after_state, reason, recorded_at, body, hash) \
             values (9, 'a', 'b', 'c', null, null, '', 1, {bytes}, {bytes})"
        ),
    ));
    list.push(("a tail cut off", "delete from audit_entries where sequence > 6".into()));
    list.push((
        "a tail cut off with its checkpoint",
        "delete from audit_entries where sequence > 5; delete from audit_checkpoints where size > 5".into(),
    ));
    list.push(("everything emptied", "delete from audit_entries; delete from audit_checkpoints".into()));
    list
}

#[tokio::test]
async fn every_kind_of_tampering_is_found_on_sqlite() -> anyhow::Result<()> {
    let trial = Trial::sqlite().await?;
    let folder = folder();
    let seal = Seal::open(folder.path())?;
    fill(&trial.database, &seal).await?;
    trial.database.close().await;
    for (number, (what, sql)) in statements(Kind::Sqlite).iter().enumerate() {
        let copy = folder.path().join(format!("{number}.db"));
        std::fs::copy(trial.url.strip_prefix("sqlite:").expect("a SQLite address"), &copy)?;
        let database = Database::open(&format!("sqlite:{}", copy.display()), Access::Command).await?;
        assert!(verify(&database, &seal).await?.clean(), "clean before");
        tamper(&database, sql).await?;
        expect_found(&database, &seal, what).await?;
        database.close().await;
    }
    trial.remove().await
}

#[tokio::test]
async fn every_kind_of_tampering_is_found_on_postgres() -> anyhow::Result<()> {
    // A database of its own costs more there: each kind once.
    let mut seen = std::collections::BTreeSet::new();
    for (what, sql) in statements(Kind::Postgres).iter().filter(|(what, _)| seen.insert(*what)) {
        let Some(trial) = Trial::postgres().await? else { return Ok(()) };
        let folder = folder();
        let seal = Seal::open(folder.path())?;
        fill(&trial.database, &seal).await?;
        assert!(verify(&trial.database, &seal).await?.clean(), "clean before");
        tamper(&trial.database, sql).await?;
        expect_found(&trial.database, &seal, what).await?;
        trial.remove().await?;
    }
    Ok(())
}

/// Writes the whole trail anew, hashes and all, with `change` made to one entry; only the key is missing.
async fn rechain(database: &Database, with_checkpoints: Option<&Seal>) -> anyhow::Result<()> {
    let mut read = database.read().await?;
    let mut recorded = entries(&mut read, 0, 1_000).await?;
    drop(read);
    recorded[2].entry.actor = "nobody".into();
    tamper(database, "delete from audit_entries").await?;
    let mut tx = database.begin().await?;
    let mut previous = [0; 32];
    for own in &recorded {
        assert_eq!(append(&mut tx, own.entry.clone(), own.recorded_at).await?, own.sequence);
        previous = merkle::leaf(&encode(own.sequence, &previous, own.recorded_at, &own.entry));
    }
    let last: Vec<u8> =
        sqlx::query("select hash from audit_entries order by sequence desc limit 1").fetch_one(&mut *tx).await?.try_get(0)?;
    assert_eq!(last, previous, "the chain is consistent again");
    tx.commit().await?;
    if let Some(other) = with_checkpoints {
        tamper(database, "delete from audit_checkpoints").await?;
        checkpoint(database, other, 5_000).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_trail_rewritten_without_the_key_is_found() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let (own, foreign) = (folder(), folder());
        let seal = Seal::open(own.path())?;
        fill(&trial.database, &seal).await?;
        rechain(&trial.database, None).await?;
        expect_found(&trial.database, &seal, "a trail chained anew").await?;
        rechain(&trial.database, Some(&Seal::open(foreign.path())?)).await?;
        expect_found(&trial.database, &seal, "a trail chained anew and sealed with another key").await?;
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_old_copy_of_the_database_is_found() -> anyhow::Result<()> {
    let trial = Trial::sqlite().await?;
    let folder = folder();
    let seal = Seal::open(folder.path())?;
    fill(&trial.database, &seal).await?;
    trial.database.close().await;
    let path = trial.url.strip_prefix("sqlite:").expect("a SQLite address");
    std::fs::copy(path, folder.path().join("old.db"))?;
    let database = Database::open(&trial.url, Access::Command).await?;
    let mut tx = database.begin().await?;
    append(&mut tx, entry(9), 9).await?;
    tx.commit().await?;
    checkpoint(&database, &seal, 9).await?;
    assert!(verify(&database, &seal).await?.clean());
    database.close().await;
    let old = Database::open(&format!("sqlite:{}", folder.path().join("old.db").display()), Access::Command).await?;
    expect_found(&old, &seal, "an old copy").await?;
    // A new entry over the old tail does not hide it.
    let mut tx = old.begin().await?;
    append(&mut tx, entry(10), 10).await?;
    tx.commit().await?;
    expect_found(&old, &seal, "an old copy that went on").await?;
    old.close().await;
    trial.remove().await
}

#[tokio::test]
async fn a_crash_before_the_anchor_is_caught_up_and_raises_no_alarm() -> anyhow::Result<()> {
    let trial = Trial::sqlite().await?;
    let folder = folder();
    let seal = Seal::open(folder.path())?;
    fill(&trial.database, &seal).await?;
    let anchor = folder.path().join("audit.anchor");
    let text = std::fs::read_to_string(&anchor)?;
    // The last line was being written when the machine stopped.
    std::fs::write(&anchor, &text[..text.len() - 20])?;
    assert!(verify(&trial.database, &seal).await?.clean());
    assert_eq!(checkpoint(&trial.database, &seal, 1).await?, None);
    assert_eq!(seal.anchored()?.iter().map(|checkpoint| checkpoint.size).collect::<Vec<_>>(), [5, 8]);
    assert!(verify(&trial.database, &seal).await?.clean());
    trial.remove().await
}

#[test]
fn the_key_is_private_and_is_not_made_anew_beside_an_anchor() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let seal = Seal::open(folder.path())?;
    let key = folder.path().join("audit.key");
    assert_eq!(std::fs::metadata(&key)?.permissions().mode() & 0o777, 0o600);
    assert_eq!(Seal::open(folder.path())?.key_id(), seal.key_id());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644))?;
    assert!(Seal::open(folder.path()).expect_err("others can read it").to_string().contains("chmod 600"));
    std::fs::remove_file(&key)?;
    std::fs::write(Path::new(&folder.path().join("audit.anchor")), "")?;
    assert!(Seal::open(folder.path()).expect_err("the key is gone").to_string().contains("restore the key"));
    Ok(())
}

#[test]
fn a_key_is_made_once_and_whole() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("host.key");
    // What a crash left of an earlier attempt.
    std::fs::write(folder.path().join("host.key.1-0.partial"), "ha")?;
    assert!(crate::write_once(&path, b"one")?);
    assert!(!crate::write_once(&path, b"two")?, "another process was first");
    assert_eq!(std::fs::read(&path)?, b"one");
    Ok(())
}
