//! Somebody with all of SQL edits, removes or adds a row past every door: `audit verify` finds it and names the row. What was put back as
//! it was raises no alarm.

use crate::changes::person;
use crate::stage::{Stage, small_company, write};
use attain_app::access::{Caller, Role};
use attain_app::changes::Approval;
use attain_app::payouts::{Confirmation, DEFAULT_GROUP, NewPayout, NewReturn, Reason};
use attain_app::periods::{PeriodState, Step};
use attain_database::{Access, Database, Kind, execute};

/// A deed, how it is undone, and what the report must name.
struct Deed {
    what: &'static str,
    deed: &'static [&'static str],
    undo: &'static [&'static str],
    named: &'static str,
}

const fn deed(what: &'static str, deed: &'static [&'static str], undo: &'static [&'static str], named: &'static str) -> Deed {
    Deed { what, deed, undo, named }
}

const DEEDS: &[Deed] = &[
    deed(
        "an amount in force is edited",
        &["update transactions set amount = amount + 10000 where transaction_id = 't2'"],
        &["update transactions set amount = amount - 10000 where transaction_id = 't2'"],
        "transactions `t2`",
    ),
    deed(
        "an amount that counts no more is edited",
        &["update transactions set amount = amount + 1 where transaction_id = 't1' and superseded_at is not null"],
        &["update transactions set amount = amount - 1 where transaction_id = 't1' and superseded_at is not null"],
        "transactions `t1`",
    ),
    deed(
        "a row is given to somebody else",
        &["update transactions set payee_id = 'mia' where transaction_id = 't2'"],
        &["update transactions set payee_id = 'ana' where transaction_id = 't2'"],
        "transactions `t2`",
    ),
    deed(
        "a row is called otherwise",
        &["update transactions set transaction_id = 't8' where transaction_id = 't2'"],
        &["update transactions set transaction_id = 't2' where transaction_id = 't8'"],
        "transactions `t8`",
    ),
    deed(
        "a row is removed",
        &[
            "create table aside as select * from transactions where transaction_id = 't3'",
            "delete from transactions where transaction_id = 't3'",
        ],
        &["insert into transactions select * from aside", "drop table aside"],
        "transactions `t2`: of the rows that the change wrote, the one after this is gone",
    ),
    deed(
        "a row is added to a change",
        &[
            "create table aside as select * from transactions where transaction_id = 't2'",
            "update aside set transaction_id = 't99'",
            "insert into transactions select * from aside",
        ],
        &["delete from transactions where transaction_id = 't99'", "drop table aside"],
        "transactions `t99`",
    ),
    deed(
        "a row is added at an instant of its own",
        &[
            "create table aside as select * from transactions where transaction_id = 't2'",
            "update aside set transaction_id = 't99', recorded_at = recorded_at + 1",
            "insert into transactions select * from aside",
        ],
        &["delete from transactions where transaction_id = 't99'", "drop table aside"],
        "transactions `t99`: no entry",
    ),
    deed(
        "a row is ended",
        &["update transactions set superseded_at = 5 where transaction_id = 't2'"],
        &["update transactions set superseded_at = null where transaction_id = 't2'"],
        "transactions `t2`: no entry",
    ),
    deed(
        "a row is ended by a change that did not end it",
        &["update transactions set superseded_at = (select max(superseded_at) from transactions) where transaction_id = 't2'"],
        &["update transactions set superseded_at = null where transaction_id = 't2'"],
        "transactions `t2`: the row is superseded, but not by",
    ),
    deed(
        "a removed row is in force again",
        &[
            "create table aside as select * from transactions where transaction_id = 't4'",
            "update transactions set superseded_at = null where transaction_id = 't4'",
        ],
        &["delete from transactions where transaction_id = 't4'", "insert into transactions select * from aside", "drop table aside"],
        "is gone or in force again",
    ),
    deed(
        "a version is numbered otherwise",
        &["update transactions set version = version + 70 where transaction_id = 't2'"],
        &["update transactions set version = version - 70 where transaction_id = 't2'"],
        "transactions `t2`",
    ),
    deed(
        "a source is another one",
        &[
            "create table aside as select * from transactions where transaction_id = 't2'",
            "update transactions set source = 'x' where transaction_id = 't2'",
        ],
        &["delete from transactions where transaction_id = 't2'", "insert into transactions select * from aside", "drop table aside"],
        "transactions `t2`",
    ),
    deed(
        "a quota is lowered",
        &["update quotas set amount = amount - 10000 where payee_id = 'ben'"],
        &["update quotas set amount = amount + 10000 where payee_id = 'ben'"],
        "quotas `ben bookings 2026-01`",
    ),
    deed(
        "a share grows",
        &["update splits set share = share + 1 where payee_id = 'ana'"],
        &["update splits set share = share - 1 where payee_id = 'ana'"],
        "splits `t3 ana`",
    ),
    deed(
        "a day is moved",
        &["update hierarchy set from_on = from_on + 1 where position_id = 'seat-1'"],
        &["update hierarchy set from_on = from_on - 1 where position_id = 'seat-1'"],
        "hierarchy `seat-1 2026-01-02`",
    ),
    deed(
        "an address is edited",
        &["update people set email = 'x@example.com' where payee_id = 'ana'"],
        &["update people set email = 'ana@example.com' where payee_id = 'ana'"],
        "people `ana`",
    ),
    deed(
        "what was empty is filled in",
        &["update people set email = 'ben@example.com' where payee_id = 'ben'"],
        &["update people set email = null where payee_id = 'ben'"],
        "people `ben`",
    ),
    deed(
        "a plan is edited",
        &[
            "create table aside as select * from documents where path = 'plans/seller.toml' and superseded_at is null",
            "update documents set body = 'x' where path = 'plans/seller.toml' and superseded_at is null",
        ],
        &[
            "delete from documents where path = 'plans/seller.toml' and superseded_at is null",
            "insert into documents select * from aside",
            "drop table aside",
        ],
        "documents `plans/seller.toml`",
    ),
    deed(
        "a row and the hashes are edited",
        &[
            "create table aside as select * from row_hashes",
            "delete from row_hashes",
            "update quotas set amount = amount - 10000 where payee_id = 'ben'",
        ],
        &[
            "update quotas set amount = amount + 10000 where payee_id = 'ben'",
            "insert into row_hashes select * from aside",
            "drop table aside",
        ],
        "the kept hashes are altered too",
    ),
    deed(
        "a posting is edited",
        &["update postings set amount = amount + 1 where payee_id = 'ben' and account = 'earned'"],
        &["update postings set amount = amount - 1 where payee_id = 'ben' and account = 'earned'"],
        "the posting of `ben` in 2026-01, earned",
    ),
    deed(
        "a posting is removed",
        &[
            "create table aside as select * from postings where payee_id = 'ben' and account = 'earned'",
            "delete from postings where payee_id = 'ben' and account = 'earned'",
        ],
        &["insert into postings select * from aside", "drop table aside"],
        "is gone or altered",
    ),
    deed(
        "a posting is added",
        &[
            "create table aside as select * from postings where payee_id = 'ben' and account = 'earned'",
            "update aside set revision = revision + 9",
            "insert into postings select * from aside",
        ],
        &["delete from postings where revision >= 9", "drop table aside"],
        "was not posted by it",
    ),
    deed(
        "a run is dated otherwise",
        &["update runs set created_at = created_at + 1"],
        &["update runs set created_at = created_at - 1"],
        "its instant is not that of the trail",
    ),
    deed("what a run made is edited", &["update runs set root = 'x'"], &["update runs set root = run_id"], "does not have its root hash"),
];

const DEEDS_ON_A_PAYOUT: &[Deed] = &[
    deed(
        "a payment is raised",
        &["update payout_lines set amount = amount + 10000 where payee_id = 'ana'"],
        &["update payout_lines set amount = amount - 10000 where payee_id = 'ana'"],
        "its lines, or the postings that it pays",
    ),
    deed(
        "what is paid is another posting",
        &["update payout_items set amount = amount + 1 where payee_id = 'ana'"],
        &["update payout_items set amount = amount - 1 where payee_id = 'ana'"],
        "its lines, or the postings that it pays",
    ),
    deed(
        "a payment goes elsewhere, hash and all",
        &["update payout_batches set content_hash = 'x' where state = 'paid'"],
        &[
            "update payout_batches set content_hash = (select max(after_state) from audit_entries where action = 'export-payout') where state = 'paid'",
        ],
        "its content hash is not that of the trail",
    ),
    deed(
        "the file is another one",
        &[
            "create table aside as select * from payout_files",
            "update payout_files set body = (select body from audit_entries where sequence = 1)",
        ],
        &["delete from payout_files", "insert into payout_files select * from aside", "drop table aside"],
        "its file is not the one that was exported",
    ),
    deed(
        "it was never paid",
        &["update payout_batches set state = 'exported' where state = 'paid'"],
        &["update payout_batches set state = 'paid' where state = 'exported'"],
        "it is exported, which is not what the trail says",
    ),
    deed(
        "nothing came back",
        &["create table aside as select * from payout_returns", "delete from payout_returns"],
        &["insert into payout_returns select * from aside", "drop table aside"],
        "what came back from the bank",
    ),
];

async fn commit(database: &Database, statements: &[&str]) {
    let mut tx = database.begin().await.expect("a transaction");
    for sql in statements {
        execute(&mut tx, (*sql).to_owned(), Vec::new()).await.unwrap_or_else(|error| panic!("{sql}: {error:#}"));
    }
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_edited_past_the_trail_is_found_and_named() {
    for stage in Stage::each().await {
        let mut files = small_company();
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        stage.instance.run(&|_| {}).await.expect("a run");
        let sales = files["transactions.csv"].replace("t1,order,2026-01-05,800", "t1,order,2026-01-05,900");
        files.insert("transactions.csv", sales.lines().filter(|line| !line.starts_with("t4")).map(|line| format!("{line}\n")).collect());
        let plan = files["plans/seller.toml"].replace("0.08", "0.09");
        files.insert("plans/seller.toml", plan);
        stage.instance.apply(write(&files).path()).await.expect("the change applies");
        stage.instance.run(&|_| {}).await.expect("a run");
        let clean = stage.instance.verify_audit().await.expect("a report");
        assert!(clean.faults.is_empty(), "{:?}", clean.faults);
        assert!(clean.rows > 30, "only {} rows were compared", clean.rows);

        let database = Database::open(&stage.config.database, Access::Command).await.expect("the record opens");
        match database.kind() {
            Kind::Sqlite => commit(&database, &["drop trigger postings_no_update", "drop trigger postings_no_delete"]).await,
            Kind::Postgres => commit(&database, &["alter table postings disable trigger user"]).await,
        }
        found_and_undone(&stage, &database, DEEDS).await;
        database.close().await;
        stage.remove().await;
    }
}

async fn found_and_undone(stage: &Stage, database: &Database, deeds: &[Deed]) {
    for own in deeds {
        commit(database, own.deed).await;
        let found = stage.instance.verify_audit().await.expect("a report").faults;
        assert!(found.iter().any(|fault| fault.contains(own.named)), "{}: {found:?}", own.what);
        commit(database, own.undo).await;
        let after = stage.instance.verify_audit().await.expect("a report").faults;
        assert!(after.is_empty(), "{} and undone: {after:?}", own.what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_was_edited_past_the_trail_is_found() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let operator = Caller::operator("operator");
        let finance = person(instance, "fin", None, &[Role::Finance]).await;
        let step = |to: PeriodState| Step { to, reason: "month end".to_owned() };
        instance.step_period(&operator, "2026-01", &step(PeriodState::InReview)).await.expect("a review");
        crate::periods::look_at_all(instance, &finance, "2026-01").await;
        instance.step_period(&finance, "2026-01", &step(PeriodState::Approved)).await.expect("an approval");
        let new = NewPayout { pay_group_id: DEFAULT_GROUP.to_owned(), period_id: "2026-01".to_owned(), pay_on: "2026-02-10".to_owned() };
        let draft = instance.draft_payout(&operator, &new).await.expect("a draft");
        let cancelled = instance.cancel_payout(&operator, &draft.head.batch_id, &Reason { reason: "not yet".to_owned() }).await;
        assert_eq!(cancelled.expect("cancelled").head.state, "cancelled");
        // Only the other one is edited below: this one is out of the way, and it has to verify as it is.
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        let database = Database::open(&stage.config.database, Access::Command).await.expect("the record opens");
        match database.kind() {
            Kind::Sqlite => {
                let table = ["payout_files", "payout_returns"]
                    .map(|own| [format!("drop trigger {own}_no_update"), format!("drop trigger {own}_no_delete")]);
                let mut all: Vec<String> = table.into_iter().flatten().collect();
                all.extend(
                    ["payout_lines_no_update", "payout_items_no_update", "payout_batches_no_way_back"]
                        .map(|own| format!("drop trigger {own}")),
                );
                commit(&database, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
            }
            Kind::Postgres => {
                let tables = ["payout_files", "payout_returns", "payout_lines", "payout_items", "payout_batches"];
                let all = tables.map(|own| format!("alter table {own} disable trigger user"));
                commit(&database, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
            }
        }
        let batch = instance.draft_payout(&operator, &new).await.expect("a draft").head;
        instance.review_payout(&operator, &batch.batch_id).await.expect("a review");
        let approval = Approval { content_hash: batch.content_hash, comment: String::new(), on_behalf_of: None };
        instance.approve_payout(&finance, &batch.batch_id, &approval).await.expect("an approval");
        instance.export_payout(&operator, &batch.batch_id).await.expect("a file");
        let paid = Confirmation { reference: "bank 1".to_owned(), paid_on: "2026-02-10".to_owned() };
        instance.confirm_payout(&operator, &batch.batch_id, &paid).await.expect("paid");
        let back = NewReturn { payee_id: "ana".to_owned(), returned_on: "2026-02-12".to_owned(), reason: "closed".to_owned() };
        instance.return_payout(&operator, &batch.batch_id, &back).await.expect("a return");
        found_and_undone(&stage, &database, DEEDS_ON_A_PAYOUT).await;
        database.close().await;
        stage.remove().await;
    }
}
