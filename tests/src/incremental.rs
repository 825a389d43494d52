//! A server remembers what it has read, encoded and stored. Whatever happens, a run is that of a server that remembers nothing.

use crate::stage::{Stage, small_company, write};
use attain_app::Instance;
use attain_database::{Access, Database, Kind, sqlx};
use attain_domain::{Column, Table, schema};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const SELLERS: usize = 40;
/// With two credit lines each, more than fit into one chunk.
const TRANSACTIONS: usize = 36_000;

/// The small company with more sellers and many transactions.
fn company() -> BTreeMap<&'static str, String> {
    let mut files = small_company();
    let mut more = |file: &'static str, line: &dyn Fn(usize) -> String| {
        let text = files.get_mut(file).expect("the file is there");
        (0..SELLERS).for_each(|seller| writeln!(text, "{}", line(seller)).expect("a text takes text"));
    };
    more("payees.csv", &|seller| format!("s{seller:02}"));
    more("positions.csv", &|seller| format!("desk-{seller:02},Seller"));
    more("occupancies.csv", &|seller| format!("desk-{seller:02},s{seller:02},2026-01-01"));
    more("hierarchy.csv", &|seller| format!("desk-{seller:02},2026-01-01,lead"));
    more("plan_assignments.csv", &|seller| format!("s{seller:02},seller,2026-01-01"));
    let transactions = files.get_mut("transactions.csv").expect("the file is there");
    for at in 0..TRANSACTIONS {
        let (month, day, amount, seller) = (1 + at % 3, 1 + at % 28, 10 + at % 991, at * 7 % SELLERS);
        writeln!(transactions, "u{at:05},order,2026-{month:02}-{day:02},{amount},USD,s{seller:02}").expect("a text takes text");
    }
    files
}

fn transaction(id: &str, amount: i64, payee: &str) -> Table {
    let text = |value: &str| Column::text(&[Some(value)]);
    Table::new("transactions")
        .with("transaction_id", text(id))
        .with("kind", text("order"))
        .with("ordered_on", Column::integer(vec!["2026-01-15".parse::<attain_domain::Day>().expect("a day").0.into()]))
        .with("amount", Column::money(vec![amount]))
        .with("currency", text("USD"))
        .with("payee_id", text(payee))
}

async fn import(instance: &Instance, rows: &Table, source: &str) -> anyhow::Result<()> {
    let entity = schema::entity(&rows.name).expect("an entity");
    instance.import_table(entity, rows, source).await.map(|_| ())
}

/// Runs; holds the run against the same calculated by a server that has just started, and against itself replayed.
async fn run_and_compare(stage: &Stage, what: &str) -> attain_app::runs::RunReport {
    let report = stage.instance.run(&|_| {}).await.expect("a run");
    assert!(report.complete, "{what}: {:?}", report.findings);
    let fresh = stage.again().await;
    let again = fresh.run(&|_| {}).await.expect("a run");
    if report.posted_count == 0 {
        assert_eq!(again.run_id, report.run_id, "{what}");
        assert!(again.repeated, "{what}");
    }
    assert_eq!(again.posted_count, 0, "{what}: what was posted is not posted again");
    let verdict = stage.instance.replay(&report.run_id).await.expect("a verdict");
    assert!(verdict.equal, "{what}: {:?}", verdict.differences);
    assert_eq!(
        stage.instance.view().await.expect("a view").company.company,
        fresh.view().await.expect("a view").company.company,
        "{what}: the company is what the record holds"
    );
    fresh.close().await;
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_server_that_remembers_is_that_of_one_that_does_not() {
    let folder = write(&company());
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(folder.path()).await.expect("loaded");
        let first = run_and_compare(&stage, "all").await;
        assert!(first.written_row_count * 10 > first.row_count * 9, "{} of {}", first.written_row_count, first.row_count);

        import(instance, &transaction("u12345-late", 55_500, "s07"), "late").await.expect("imported");
        let late = run_and_compare(&stage, "a late transaction").await;
        assert!(
            late.posted_count > 0 && late.written_row_count * 4 < late.row_count * 3,
            "{} of {}",
            late.written_row_count,
            late.row_count
        );

        import(instance, &transaction("u00777", 99_900, "s31"), "changed").await.expect("imported");
        run_and_compare(&stage, "a transaction that is another's").await;

        let mut occupancies = instance.company().await.expect("a company").tables["occupancies"].clone();
        for (name, column) in &mut occupancies.columns {
            if let (true, Column::Number { values, .. }) = (name == "from_on", column) {
                values[3] += 20;
            }
        }
        instance.apply_table("occupancies", &occupancies, "re-dated").await.expect("applied");
        run_and_compare(&stage, "a hire that came later").await;

        let transactions = instance.company().await.expect("a company").tables["transactions"].clone();
        let kept: Vec<usize> = (0..transactions.row_count()).filter(|row| *row != 20_000).collect();
        instance.apply_table("transactions", &transactions.take(&kept), "one less").await.expect("applied");
        run_and_compare(&stage, "a transaction less").await;

        let exported = tempfile::tempdir().expect("a folder");
        let exported = exported.path().join("company");
        instance.export(&exported).await.expect("exported");
        let plan = std::fs::read_to_string(exported.join("plans/seller.toml")).expect("the plan").replace("0.08", "0.09");
        std::fs::write(exported.join("plans/seller.toml"), plan).expect("written");
        instance.apply(&exported).await.expect("applied");
        run_and_compare(&stage, "another rate").await;

        // Another process changes the record; this one is told by the record alone.
        let other = stage.again().await;
        import(&other, &transaction("u30000", 1_000, "s02"), "elsewhere").await.expect("imported");
        other.close().await;
        run_and_compare(&stage, "what another server took in").await;

        import(instance, &transaction("u12345-late", 55_501, "s07"), "late again").await.expect("imported");
        import(instance, &transaction("u12345-late", 55_500, "s07"), "and back").await.expect("imported");
        run_and_compare(&stage, "there and back").await;
        // Two runs without anybody in between: what the first one posted is known to the second.
        import(instance, &transaction("u22222-late", 10_100, "s11"), "two runs").await.expect("imported");
        assert!(instance.run(&|_| {}).await.expect("a run").posted_count > 0);
        run_and_compare(&stage, "a run after a run").await;
        let nothing = instance.run(&|_| {}).await.expect("a run");
        assert_eq!((nothing.posted_count, nothing.written_row_count), (0, 0), "nothing was changed");
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_committed_is_not_remembered() {
    let folder = write(&small_company());
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(folder.path()).await.expect("loaded");
        let before = instance.company().await.expect("a company");
        let database = Database::open(&stage.config.database, Access::Command).await.expect("the database");
        let doomed: &[&str] = match database.kind() {
            Kind::Sqlite => &[
                "create trigger doomed before insert on audit_entries when new.reason = 'doomed' begin select raise(abort, 'doomed'); end",
            ],
            Kind::Postgres => &[
                "create function doom() returns trigger language plpgsql as $$ begin raise exception 'doomed'; end $$",
                "create trigger doomed before insert on audit_entries for each row when (new.reason = 'doomed') execute function doom()",
            ],
        };
        for sql in doomed {
            let mut tx = database.begin().await.expect("a transaction");
            sqlx::query(*sql).execute(&mut *tx).await.expect("made");
            tx.commit().await.expect("committed");
        }
        database.close().await;
        // More often than companies are remembered: the one that is in force is never pushed out for good.
        for round in 0..6 {
            let refused = import(instance, &transaction("t9", 10_000 + round, "ana"), "doomed").await;
            assert!(format!("{:#}", refused.expect_err("the trail takes no entry")).contains("doomed"));
            assert_eq!(instance.company().await.expect("a company"), before);
        }
        import(instance, &transaction("t9", 777, "ana"), "good").await.expect("imported");
        let after = instance.company().await.expect("a company");
        assert_eq!(after.tables["transactions"].row_count(), before.tables["transactions"].row_count() + 1);
        run_and_compare(&stage, "after what failed").await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_that_somebody_removed_are_written_again() {
    let folder = write(&company());
    let stage = Stage::sqlite().await;
    let instance = &stage.instance;
    instance.load(folder.path()).await.expect("loaded");
    instance.run(&|_| {}).await.expect("a run");
    let database = Database::open(&stage.config.database, Access::Command).await.expect("the database");
    let mut tx = database.begin().await.expect("a transaction");
    // Runs hold on to their chunks, so who removes them has to go behind that too.
    sqlx::query("delete from run_chunks").execute(&mut *tx).await.expect("removed");
    let gone = sqlx::query("delete from chunks").execute(&mut *tx).await.expect("removed").rows_affected();
    tx.commit().await.expect("committed");
    database.close().await;
    assert!(gone > 4);
    import(instance, &transaction("u12345-late", 55_500, "s07"), "late").await.expect("imported");
    let report = instance.run(&|_| {}).await.expect("a run");
    assert!(report.written_row_count * 10 > report.row_count * 9, "{} of {}", report.written_row_count, report.row_count);
    assert!(instance.replay(&report.run_id).await.expect("a verdict").equal);
    stage.remove().await;
}
