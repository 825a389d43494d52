use crate::chunks::{self, Chunk};
use crate::runs::{self, Manifest, RunRecord, TableManifest};
use crate::{batches, documents, entities, extensions, ledger};
use attain_database::Database;
use attain_database::sqlx::{self, AssertSqlSafe};
use attain_database::trial::Trial;
use attain_domain::cut::CHUNK_ROWS;
use attain_domain::ids::{ExtensionDigest, RunId};
use attain_domain::schema::{ENTITIES, Entity, Kind, entity};
use attain_domain::{Column, Finding, NULL_CODE, NULL_NUMBER, Severity, Table, TextColumn};
use std::collections::BTreeMap;

fn quotas(rows: &[(&str, &str, i64)]) -> Table {
    Table::new("quotas")
        .with("payee_id", Column::text(&rows.iter().map(|row| Some(row.0)).collect::<Vec<_>>()))
        .with("measure_id", Column::text(&rows.iter().map(|_| Some("bookings")).collect::<Vec<_>>()))
        .with("period_id", Column::text(&rows.iter().map(|row| Some(row.1)).collect::<Vec<_>>()))
        .with("amount", Column::money(rows.iter().map(|row| row.2).collect()))
}

fn quota_entity() -> &'static Entity {
    entity("quotas").expect("quotas are an entity")
}

async fn fails(database: &Database, sql: &str) -> String {
    let mut tx = database.begin().await.expect("a transaction");
    let error = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await.expect_err(sql);
    error.to_string()
}

#[tokio::test]
async fn the_migrated_columns_are_those_of_the_schema_list() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let mut read = trial.database.read().await?;
        for entity in ENTITIES {
            let sql = match trial.database.kind() {
                attain_database::Kind::Sqlite => {
                    format!("select name, lower(type), cast(\"notnull\" as bigint) from pragma_table_info('{}') order by cid", entity.name)
                }
                attain_database::Kind::Postgres => format!(
                    "select cast(column_name as text), cast(data_type as text), cast(case is_nullable when 'NO' then 1 else 0 end as bigint) \
                     from information_schema.columns where table_schema = 'public' and table_name = '{}' order by ordinal_position",
                    entity.name
                ),
            };
            let found: Vec<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *read).await?;
            let mut wanted: Vec<(String, String, i64)> = entity
                .fields
                .iter()
                .map(|field| {
                    let kind = if field.kind.scale().is_none() { "text" } else { "bigint" };
                    (field.name.to_owned(), kind.to_owned(), i64::from(field.required))
                })
                .collect();
            for (name, kind, required) in [
                ("version", "bigint", 1),
                ("source", "text", 1),
                ("batch_id", "bigint", 0),
                ("recorded_at", "bigint", 1),
                ("superseded_at", "bigint", 0),
            ] {
                wanted.push((name.to_owned(), kind.to_owned(), required));
            }
            assert_eq!(found, wanted, "{}", entity.name);
        }
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

/// Two rows of any entity: one with every value, one with the required ones only.
fn sample(entity: &'static Entity) -> Table {
    let mut table = Table::new(entity.name);
    for (index, field) in entity.fields.iter().enumerate() {
        let column = match field.kind.scale() {
            Some(scale) => {
                let other = if field.required { 7 } else { NULL_NUMBER };
                Column::Number { scale, values: vec![1_000 + index as i64, other] }
            }
            None => {
                let word = if let Kind::Choice(words) = field.kind { words[0].to_owned() } else { format!("ä \"{index}\" 'x'") };
                Column::text(&[Some(word), field.required.then(|| "Z".to_owned())])
            }
        };
        table = table.with(field.name, column);
    }
    table
}

#[tokio::test]
async fn every_entity_comes_back_as_it_was_written() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        for entity in ENTITIES {
            let wanted = sample(entity);
            let mut tx = trial.database.begin().await?;
            let empty = entities::load(&mut tx, entity).await?;
            assert_eq!(empty.columns.len(), entity.fields.len(), "an empty table has its columns");
            let counts = entities::write(&mut tx, entity, &empty, &wanted, "test", 1).await?;
            assert_eq!((counts.inserted, counts.changed, counts.removed), (2, 0, 0));
            tx.commit().await?;
            let mut read = trial.database.read().await?;
            let found = entities::load(&mut read, entity).await?;
            let changes = entities::diff(entity, &found, &wanted)?;
            assert_eq!(changes.unchanged_count, 2, "{}", entity.name);
            assert_eq!(found, found.take(&[0, 1]), "text columns are canonical");
        }
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_row_supersedes_with_its_history_and_a_resent_one_changes_nothing() -> anyhow::Result<()> {
    let entity = quota_entity();
    for trial in Trial::each().await? {
        let first = quotas(&[("bob", "Q1", 100), ("ana", "Q1", 200), ("ana", "Q2", 300)]);
        let mut tx = trial.database.begin().await?;
        entities::write(&mut tx, entity, &Table::new("quotas"), &first, "file one", 1).await?;
        let found = entities::load(&mut tx, entity).await?;
        assert_eq!(found, quotas(&[("ana", "Q1", 200), ("ana", "Q2", 300), ("bob", "Q1", 100)]), "in order of the key");
        let again = entities::write(&mut tx, entity, &found, &first, "file one", 2).await?;
        assert_eq!((again.inserted, again.changed, again.removed, again.unchanged), (0, 0, 0, 3));
        let second = quotas(&[("ana", "Q1", 250), ("bob", "Q1", 100), ("cyn", "Q1", 5)]);
        let counts = entities::write(&mut tx, entity, &found, &second, "file two", 3).await?;
        assert_eq!((counts.inserted, counts.changed, counts.removed, counts.unchanged), (1, 1, 1, 1));
        assert_eq!(entities::load(&mut tx, entity).await?, second);
        let stale = entities::write(&mut tx, entity, &found, &quotas(&[]), "file three", 4).await;
        assert!(stale.expect_err("ana's Q2 is gone already").to_string().contains("by somebody else"));
        tx.rollback().await?;

        let mut tx = trial.database.begin().await?;
        entities::write(&mut tx, entity, &Table::new("quotas"), &first, "file one", 1).await?;
        entities::write(&mut tx, entity, &first, &quotas(&[("ana", "Q1", 250)]), "file two", 2).await?;
        entities::write(&mut tx, entity, &quotas(&[("ana", "Q1", 250)]), &first, "file one again", 3).await?;
        let history = entities::history(&mut tx, entity, &["bob", "bookings", "Q1"]).await?;
        let shown: Vec<(&str, Option<i64>)> = history.iter().map(|version| (version.source.as_str(), version.superseded_at)).collect();
        assert_eq!(shown, [("file one", Some(2)), ("file one again", None)], "removed and then put in again");
        let history = entities::history(&mut tx, entity, &["ana", "bookings", "Q1"]).await?;
        let amounts: Vec<Option<&str>> = history.iter().map(|version| version.values[3].1.as_deref()).collect();
        assert_eq!(amounts, [Some("0.02"), Some("0.025"), Some("0.02")]);
        tx.rollback().await?;
        trial.remove().await?;
    }
    Ok(())
}

#[test]
fn two_rows_with_one_key_are_refused() {
    let wanted = quotas(&[("ana", "Q1", 1), ("ana", "Q1", 2)]);
    let refused = entities::diff(quota_entity(), &Table::new("quotas"), &wanted).expect_err("one key twice").to_string();
    assert!(refused.contains("`ana`, `bookings`, `Q1`"), "{refused}");
}

#[tokio::test]
async fn documents_keep_what_a_run_pinned() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let one = BTreeMap::from([("company.toml".to_owned(), "a".to_owned()), ("plans/x.toml".to_owned(), "b".to_owned())]);
        let two = BTreeMap::from([("company.toml".to_owned(), "a".to_owned()), ("plans/x.toml".to_owned(), "c".to_owned())]);
        let mut tx = trial.database.begin().await?;
        assert_eq!(documents::write(&mut tx, &BTreeMap::new(), &one, 1).await?, ["company.toml", "plans/x.toml"]);
        assert_eq!(documents::write(&mut tx, &one, &two, 2).await?, ["plans/x.toml"]);
        assert_eq!(documents::current(&mut tx).await?, two);
        assert_eq!(documents::by_digest(&mut tx, &crate::digest(b"b")).await?.as_deref(), Some("b"));
        assert!(documents::write(&mut tx, &two, &BTreeMap::new(), 3).await?.len() == 2);
        assert!(documents::current(&mut tx).await?.is_empty());
        assert!(documents::write(&mut tx, &two, &BTreeMap::new(), 4).await.is_err(), "what is compared must be in force");
        drop(tx);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn one_version_of_an_extension_is_active_and_rolling_back_is_activating() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let mut tx = trial.database.begin().await?;
        let version = |bytes: &[u8], at: i64| extensions::Installed {
            name: "comp-tiers".into(),
            point: "compensation".into(),
            digest: ExtensionDigest(crate::digest(bytes)),
            origin: "test".into(),
            version: "1".into(),
            manifest: "{}".into(),
            active: false,
            installed_at: at,
        };
        let (one, two) = (version(b"one", 1), version(b"two", 2));
        assert!(extensions::install(&mut tx, &one, b"one").await?);
        assert!(extensions::install(&mut tx, &two, b"two").await?);
        assert!(!extensions::install(&mut tx, &two, b"two").await?, "the same bytes are one version");
        assert!(extensions::install(&mut tx, &two, b"other").await.is_err(), "a digest is checked");
        for active in [&two, &one] {
            extensions::activate(&mut tx, "comp-tiers", &active.digest).await?;
            let list = extensions::list(&mut tx).await?;
            let found: Vec<(&str, bool)> = list.iter().map(|own| (own.digest.as_str(), own.digest == active.digest)).collect();
            assert_eq!(found, list.iter().map(|own| (own.digest.as_str(), own.active)).collect::<Vec<_>>());
            assert_eq!(list.len(), 2);
        }
        assert!(extensions::activate(&mut tx, "comp-tiers", &ExtensionDigest("none".into())).await.is_err());
        assert_eq!(extensions::blob(&mut tx, &two.digest).await?.as_deref(), Some(&b"two"[..]));
        let grant = extensions::Grant {
            name: "connector-http".into(),
            capability: "http".into(),
            subject: "api.example.com:443".into(),
            granted_by: "admin".into(),
            granted_at: 5,
        };
        extensions::grant(&mut tx, &grant).await?;
        extensions::grant(&mut tx, &grant).await?;
        assert_eq!(extensions::grants(&mut tx, "connector-http").await?, [grant]);
        assert!(extensions::revoke(&mut tx, "connector-http", "http", "api.example.com:443").await?);
        assert!(extensions::grants(&mut tx, "connector-http").await?.is_empty());
        drop(tx);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn batches_come_back_with_their_totals() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let mut tx = trial.database.begin().await?;
        let batch = batches::Batch {
            batch_id: batches::next_id(&mut tx).await?,
            source: "crm".into(),
            entity: "quotas".into(),
            digest: "d".into(),
            counts: crate::Counts { inserted: 1, changed: 2, removed: 3, unchanged: 4 },
            totals: BTreeMap::from([("amount".to_owned(), "12.5".to_owned())]),
            recorded_at: 9,
        };
        assert_eq!(batch.batch_id, 1);
        batches::write(&mut tx, &batch).await?;
        assert_eq!(batches::next_id(&mut tx).await?, 2);
        assert_eq!(batches::list(&mut tx).await?, [batch]);
        drop(tx);
        trial.remove().await?;
    }
    Ok(())
}

fn credits(rows: usize) -> Table {
    let payee = |row: usize| format!("payee-{:03}", row * 40 / rows.max(1));
    let text = |values: Vec<String>| Column::text(&values.into_iter().map(Some).collect::<Vec<_>>());
    Table::new("credits")
        .with("payee_id", text((0..rows).map(payee).collect()))
        .with("kind", Column::text(&(0..rows).map(|row| (row % 5 != 0).then_some("direct")).collect::<Vec<_>>()))
        .with("amount", Column::money((0..rows).map(|row| if row % 7 == 0 { NULL_NUMBER } else { row as i64 * 100 - 5_000 }).collect()))
        .with("share", Column::rate((0..rows).map(|row| row as i64).collect()))
}

fn body(chunk: &Chunk) -> &[u8] {
    &chunk.body.as_ref().expect("it was encoded").bytes
}

#[test]
fn a_chunk_gives_back_exactly_its_table() -> anyhow::Result<()> {
    for table in [credits(0), credits(1), credits(1_000), Table::new("credits")] {
        let chunk = chunks::encode(&table)?;
        assert_eq!(chunks::decode("credits", &chunk.digest, body(&chunk))?, table);
        assert_eq!(chunk.row_count as usize, table.row_count());
    }
    let messy = Table::new("t").with(
        "a",
        Column::Text(TextColumn { dictionary: vec!["b".into(), "unused".into(), "a".into(), "b".into()], codes: vec![3, 2, 0, NULL_CODE] }),
    );
    let chunk = chunks::encode(&messy)?;
    let tidy = Table::new("t").with("a", Column::text(&[Some("b"), Some("a"), Some("b"), None]));
    assert_eq!(chunks::decode("t", &chunk.digest, body(&chunk))?, tidy);
    assert_eq!(chunk.digest, chunks::digest(&tidy)?, "the digest is of the values, not of their coding");
    Ok(())
}

#[test]
fn every_width_of_numbers_and_codes_comes_back() -> anyhow::Result<()> {
    for largest in [0, 127, 128, 32_767, 32_768, i64::from(i32::MAX), i64::from(i32::MAX) + 1, i64::MAX] {
        for values in [vec![largest, -largest, 0], vec![NULL_NUMBER, largest], vec![-largest, NULL_NUMBER, NULL_NUMBER]] {
            let table = Table::new("t").with("a", Column::integer(values));
            let chunk = chunks::encode(&table)?;
            assert_eq!(chunks::decode("t", &chunk.digest, body(&chunk))?, table);
        }
    }
    for words in [0, 1, 254, 255, 256, 65_534, 65_535, 65_536] {
        let mut values: Vec<Option<String>> = (0..words).map(|word| Some(format!("{word:05}"))).collect();
        for with_null in [false, true] {
            if with_null {
                values.insert(words / 2, None);
            }
            let table = Table::new("t").with("a", Column::text(&values));
            let chunk = chunks::encode(&table)?;
            assert_eq!(chunks::decode("t", &chunk.digest, body(&chunk))?, table, "{words} words");
        }
    }
    Ok(())
}

#[test]
fn any_change_of_a_value_a_name_or_a_kind_gives_another_digest() -> anyhow::Result<()> {
    let number = |name: &str, scale: u8, values: Vec<i64>| Table::new("t").with(name, Column::Number { scale, values });
    let tables = [
        number("a", 0, vec![1, 2]),
        number("a", 0, vec![2, 1]),
        number("b", 0, vec![1, 2]),
        number("a", 4, vec![1, 2]),
        number("a", 0, vec![1, NULL_NUMBER]),
        Table::new("t").with("a", Column::text(&[Some("1"), Some("2")])),
        Table::new("t").with("a", Column::text(&[Some("1"), None])),
        Table::new("t"),
    ];
    let digests = tables.iter().map(chunks::digest).collect::<anyhow::Result<std::collections::BTreeSet<_>>>()?;
    assert_eq!(digests.len(), tables.len());
    // Pinned: a library upgrade must not change it.
    assert_eq!(chunks::digest(&credits(10))?.as_str(), CREDITS_DIGEST);
    Ok(())
}

const CREDITS_DIGEST: &str = "7c2561b573b01ab986d40def0de3aebee2787b290f50d1f92df668fe627a7d9a";

#[tokio::test]
async fn a_chunk_without_a_body_is_one_that_is_there() -> anyhow::Result<()> {
    let chunk = chunks::encode(&credits(100))?;
    for trial in Trial::each().await? {
        let mut tx = trial.database.begin().await?;
        let missing = chunks::put(&mut tx, vec![chunk.head()]).await.expect_err("nobody has put it there");
        assert!(missing.downcast_ref::<chunks::Missing>().is_some_and(|missing| missing.0 == chunk.digest));
        assert_eq!(chunks::put(&mut tx, vec![chunk.clone()]).await?, chunks::Written { chunks: 1, rows: 100 });
        assert_eq!(chunks::put(&mut tx, vec![chunk.head()]).await?, chunks::Written::default());
        drop(tx);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_damaged_chunk_is_never_read() -> anyhow::Result<()> {
    let (chunk, other) = (chunks::encode(&credits(100))?, chunks::encode(&credits(99))?);
    assert!(chunks::decode("credits", &chunk.digest, body(&other)).is_err());
    for trial in Trial::each().await? {
        let mut tx = trial.database.begin().await?;
        chunks::put(&mut tx, vec![chunk.clone()]).await?;
        assert_eq!(chunks::get(&mut tx, "credits", &chunk.digest).await?, credits(100));
        let mut damaged = 0;
        for at in (0..body(&chunk).len()).step_by(37) {
            let mut body = body(&chunk).to_vec();
            body[at] ^= 0x10;
            sqlx::query("update chunks set body = $1").bind(body).execute(&mut *tx).await?;
            assert!(chunks::get(&mut tx, "credits", &chunk.digest).await.is_err(), "byte {at}");
            damaged += 1;
        }
        assert!(damaged > 20);
        // Whole, but not what it claims to be.
        sqlx::query("update chunks set body = $1, body_digest = $2")
            .bind(body(&other).to_vec())
            .bind(crate::digest(body(&other)))
            .execute(&mut *tx)
            .await?;
        assert!(chunks::get(&mut tx, "credits", &chunk.digest).await.is_err());
        drop(tx);
        trial.remove().await?;
    }
    Ok(())
}

fn record(run_id: &str, rows: usize, postings: Option<Table>) -> anyhow::Result<RunRecord> {
    let (inputs, results) = (chunks::encode_table(&quotas(&[("ana", "Q1", 1)]))?, chunks::encode_table(&credits(rows))?);
    let manifest = Manifest {
        engine_version: "1".into(),
        options: BTreeMap::from([("periods".to_owned(), "all".to_owned())]),
        inputs: vec![TableManifest::of("quotas", &inputs)],
        results: vec![TableManifest::of("credits", &results)],
        ..Manifest::default()
    };
    Ok(RunRecord {
        run_id: RunId::from(run_id),
        complete: true,
        manifest,
        note: String::new(),
        created_at: 7,
        inputs: vec![inputs],
        results: vec![results],
        findings: vec![Finding::new(Severity::Warning, "no-quota", "payees", "bob", "has no quota")],
        postings,
    })
}

fn postings(rows: &[(&str, i64, i64)]) -> Table {
    let same = |word: &'static str| Column::text(&vec![Some(word); rows.len()]);
    Table::new("postings")
        .with("payee_id", Column::text(&rows.iter().map(|row| Some(row.0)).collect::<Vec<_>>()))
        .with("period_id", same("Q1"))
        .with("origin_period_id", same("Q1"))
        .with("plan_id", same("plan"))
        .with("component_id", same("base"))
        .with("account", same("paid"))
        .with("revision", Column::integer(rows.iter().map(|row| row.1).collect()))
        .with("amount", Column::money(rows.iter().map(|row| row.2).collect()))
}

#[tokio::test]
async fn a_run_comes_back_whole_and_by_payee() -> anyhow::Result<()> {
    let rows = CHUNK_ROWS + 4_000;
    let whole = credits(rows);
    for trial in Trial::each().await? {
        let mut tx = trial.database.begin().await?;
        let run = record("one", rows, None)?;
        let (run_id, manifest) = (run.run_id.clone(), run.manifest.clone());
        assert!(manifest.results[0].chunks.len() > 1);
        assert!(runs::save(&mut tx, run.clone()).await?.is_some_and(|written| written.rows == rows as u64 + 1));
        assert!(runs::save(&mut tx, run).await?.is_none(), "a run is saved once");
        tx.commit().await?;
        let mut read = trial.database.read().await?;
        let saved = runs::load(&mut read, &run_id).await?.expect("it was saved");
        assert_eq!(saved.manifest, manifest);
        assert_eq!(saved.summary.root, manifest.root());
        assert_eq!(saved.findings.len(), 1);
        assert_eq!(runs::list(&mut read).await?, [saved.summary]);
        assert_eq!(runs::read_table(&mut read, &manifest.results[0]).await?, whole);
        let mut found = 0;
        for payee in ["payee-000", "payee-037", "payee-038", "payee-039", "payee-999"] {
            let slice = runs::read_payee_slice(&mut read, &run_id, "credits", payee).await?;
            let payees = whole.texts("payee_id").expect("credits have payees");
            let order: Vec<usize> = (0..rows).filter(|row| payees.get(*row) == Some(payee)).collect();
            assert_eq!(slice.row_count(), order.len(), "{payee}");
            if !order.is_empty() {
                assert_eq!(slice, whole.take(&order));
            }
            found += order.len();
        }
        assert!(found > 6_000);
        drop(read);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn chunks_are_stored_once_and_nothing_is_posted_twice() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let mut tx = trial.database.begin().await?;
        runs::save(&mut tx, record("one", 10, Some(postings(&[("ana", 0, 500), ("bob", 0, 300)])))?).await?;
        runs::save(&mut tx, record("two", 10, Some(postings(&[("ana", 1, -200)])))?).await?;
        let stored: i64 = sqlx::query_scalar("select count(*) from chunks").fetch_one(&mut *tx).await?;
        assert_eq!(stored, 2, "two runs share their chunks");
        assert_eq!(ledger::posted(&mut tx).await?, postings(&[("ana", 1, 300), ("bob", 0, 300)]));
        let first = ledger::with(&Table::new("postings"), &postings(&[("bob", 0, 300), ("ana", 0, 500)]));
        assert_eq!(ledger::with(&first, &postings(&[("ana", 1, -200)])), ledger::posted(&mut tx).await?);
        assert_eq!(ledger::with(&first, &Table::new("postings")), first);
        tx.commit().await?;
        let mut tx = trial.database.begin().await?;
        let again = runs::save(&mut tx, record("three", 10, Some(postings(&[("ana", 1, -200)])))?).await;
        assert!(format!("{:#}", again.expect_err("revision 1 is there")).contains("in the ledger already"));
        drop(tx);
        let mut incomplete = record("four", 10, Some(postings(&[("ana", 2, 1)])))?;
        incomplete.complete = false;
        let mut tx = trial.database.begin().await?;
        assert!(runs::save(&mut tx, incomplete).await.is_err(), "an incomplete run posts nothing");
        drop(tx);
        for sql in ["update postings set amount = 1", "delete from postings"] {
            let refused = fails(&trial.database, sql).await;
            assert!(refused.contains("only ever added"), "{refused}");
        }
        let mut read = trial.database.read().await?;
        assert_eq!(ledger::posted(&mut read).await?.row_count(), 2);
        drop(read);
        // A frozen period takes no posting, whoever writes it.
        let sql = "insert into periods (period_id, state, version, source, recorded_at) values ('Q1', 'approved', 1, 'test', 1)";
        let mut tx = trial.database.begin().await?;
        sqlx::query(sql).execute(&mut *tx).await?;
        let late = ledger::insert_postings(&mut tx, &RunId::from("two"), &postings(&[("ana", 7, 1)]), 9).await;
        assert!(format!("{:#}", late.expect_err("the period is frozen")).contains("closed"));
        drop(tx);
        trial.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_posting_of_a_whole_statement_comes_back_without_plan_and_is_not_posted_twice() -> anyhow::Result<()> {
    for trial in Trial::each().await? {
        let mut whole = postings(&[("ana", 0, 500)]);
        for (name, column) in &mut whole.columns {
            if name == "plan_id" || name == "component_id" {
                *column = Column::text::<&str>(&[None]);
            }
        }
        let mut tx = trial.database.begin().await?;
        runs::save(&mut tx, record("one", 1, Some(whole.clone()))?).await?;
        assert_eq!(ledger::posted(&mut tx).await?, whole);
        let of_parts = postings(&[("ana", 0, 7), ("aba", 0, 1)]);
        ledger::insert_postings(&mut tx, &RunId::from("one"), &of_parts, 8).await?;
        assert_eq!(ledger::with(&whole, &of_parts), ledger::posted(&mut tx).await?);
        assert!(ledger::insert_postings(&mut tx, &RunId::from("one"), &whole, 8).await.is_err());
        drop(tx);
        trial.remove().await?;
    }
    Ok(())
}

#[test]
fn a_manifest_has_another_root_when_anything_in_it_differs() -> anyhow::Result<()> {
    let base = record("one", 10, None)?.manifest;
    let mut others = vec![base.clone(); 6];
    others[0].engine_version = "2".into();
    others[1].options.insert("periods".into(), "Q1".into());
    others[2].documents.insert("periods".into(), "Q1".into());
    others[3].extensions.insert("periods".into(), "Q1".into());
    others[4].inputs.clear();
    others[5].results[0].row_count += 1;
    let roots: std::collections::BTreeSet<RunId> = others.iter().chain([&base]).map(Manifest::root).collect();
    assert_eq!(roots.len(), 7);
    Ok(())
}
