//! From postings to payments: each posting once, by two people, in a file that never changes, in any currency, and in books that balance.

use crate::changes::person;
use crate::http::Server;
use crate::program::run as attain;
use crate::stage::{Stage, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::changes::Approval;
use attain_app::payouts::{Confirmation, JournalForm, MarkKind, NewMark, NewPayout, NewReturn, PayoutView, Reason};
use attain_app::periods::{PeriodState, Step};
use attain_app::refusal::{Refusal, RefusalKind};
use attain_database::{Access, Database};
use attain_domain::fixed;
use attain_store::payouts as store;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

type Files = BTreeMap<&'static str, String>;

const DEALS: &str = "t1,order,2026-01-05,1000,USD,ana\nt2,order,2026-01-09,500,USD,ben\n";

/// Sellers who get a tenth of what they sell.
fn company(payouts: &str, deals: &str) -> Files {
    let text = |text: &str| text.to_owned();
    BTreeMap::from([
        (
            "company.toml",
            format!(
                "format = 1\nname = \"Payers\"\ncurrency = \"USD\"\n\n[calendar]\npattern = \"months\"\nfirst = \"2026-01-01\"\nyears = 1\n\n\
                 [crediting]\nrules = [{{ extension = \"credit-direct\" }}]\n\n[[measures]]\nid = \"bookings\"\n\n[payouts]\n{payouts}\n"
            ),
        ),
        (
            "plans/flat.toml",
            text(
                "id = \"flat\"\n\n[[components]]\nid = \"commission\"\nmeasure = \"bookings\"\nformula = \"comp-flat\"\n\
                 settings = { rate = \"0.10\" }\n",
            ),
        ),
        ("payees.csv", text("payee_id\nana\nben\n")),
        ("people.csv", text("payee_id,name\nana,Ana Torres\nben,Ben Okafor\n")),
        ("plan_assignments.csv", text("payee_id,plan_id,from_on\nana,flat,2026-01-01\nben,flat,2026-01-01\n")),
        ("transactions.csv", format!("transaction_id,kind,ordered_on,amount,currency,payee_id\n{deals}")),
    ])
}

async fn calculate(instance: &Instance, files: &Files) {
    match instance.company().await {
        Ok(_) => instance.apply(write(files).path()).await.expect("the company is applied"),
        Err(_) => instance.load(write(files).path()).await.expect("the company loads"),
    };
    assert!(instance.run(&|_| {}).await.expect("a run").complete);
}

fn new(group: &str, period: &str) -> NewPayout {
    NewPayout { pay_group_id: group.to_owned(), period_id: period.to_owned(), pay_on: "2026-02-10".to_owned() }
}

fn kind(error: &anyhow::Error) -> RefusalKind {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}")).kind
}

fn approval(payout: &PayoutView) -> Approval {
    Approval { content_hash: payout.head.content_hash.clone(), comment: String::new(), on_behalf_of: None }
}

/// Payee, state, amount, what is left, flags.
fn lines(payout: &PayoutView) -> Vec<String> {
    let line = |own: &attain_app::payouts::PayoutLine| {
        format!("{} {} {} {} {}", own.payee_id, own.state, own.amount, own.left_amount, own.flags.join(",")).trim_end().to_owned()
    };
    payout.lines.iter().map(line).collect()
}

struct People {
    maker: Caller,
    checker: Caller,
}

async fn people(instance: &Instance) -> People {
    People {
        maker: person(instance, "finn", None, &[Role::Finance]).await,
        checker: person(instance, "cora", None, &[Role::CompAdmin]).await,
    }
}

async fn approve_period(instance: &Instance, first: &Caller, second: &Caller, period: &str) {
    for (who, to) in [(first, PeriodState::InReview), (second, PeriodState::Approved)] {
        crate::periods::look_at_all(instance, second, period).await;
        instance.step_period(who, period, &Step { to, reason: "the month is over".to_owned() }).await.expect("a step");
    }
}

/// From a draft to a payment.
async fn pay(instance: &Instance, people: &People, draft: &PayoutView) -> PayoutView {
    let id = &draft.head.batch_id;
    let reviewed = instance.review_payout(&people.maker, id).await.expect("a review");
    instance.approve_payout(&people.checker, id, &approval(&reviewed)).await.expect("an approval");
    instance.export_payout(&people.maker, id).await.expect("a file");
    let own = Confirmation { reference: "bank 1".to_owned(), paid_on: "2026-02-11".to_owned() };
    instance.confirm_payout(&people.maker, id, &own).await.expect("a payment")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_pay_once_with_a_file_that_never_changes() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let mut files = company("", DEALS);
        files.insert("payees.csv", "payee_id\nana\nben\nfay\n".to_owned());
        calculate(instance, &files).await;
        let maker = person(instance, "finn", Some("fay"), &[Role::Finance]).await;
        let same_person = person(instance, "finn-admin", Some("fay"), &[Role::CompAdmin]).await;
        let checker = person(instance, "cora", None, &[Role::CompAdmin]).await;
        let auditor = person(instance, "otto", None, &[Role::Auditor]).await;
        let seller = person(instance, "sam", Some("ana"), &[Role::Seller]).await;
        approve_period(instance, &maker, &checker, "2026-01").await;

        let draft = instance.draft_payout(&maker, &new("default", "2026-01")).await.expect("a draft");
        assert_eq!(lines(&draft), ["ana due 100 0", "ben due 50 0"]);
        assert_eq!((draft.head.amount.as_str(), draft.head.payee_count), ("150", 2));
        let id = draft.head.batch_id.clone();
        for outsider in [&auditor, &seller] {
            assert_eq!(kind(&instance.review_payout(outsider, &id).await.expect_err("a review")), RefusalKind::Forbidden);
        }
        assert_eq!(kind(&instance.payout(&seller, &id).await.expect_err("a look")), RefusalKind::Forbidden);
        assert_eq!(instance.payouts(&auditor, Some("draft"), None, 10).await.expect("a list").len(), 1);
        let early = instance.approve_payout(&checker, &id, &approval(&draft)).await.expect_err("nobody reviewed it");
        assert_eq!(kind(&early), RefusalKind::Conflict);
        let reviewed = instance.review_payout(&maker, &id).await.expect("a review");
        for (who, why) in [(&maker, "the maker"), (&same_person, "another account of hers"), (&Caller::operator("root"), "nobody")] {
            let refused = instance.approve_payout(who, &id, &approval(&reviewed)).await.expect_err(why);
            assert_eq!(kind(&refused), RefusalKind::Forbidden, "{why}");
        }
        let other = Approval { content_hash: "other".to_owned(), comment: String::new(), on_behalf_of: None };
        assert_eq!(kind(&instance.approve_payout(&checker, &id, &other).await.expect_err("other content")), RefusalKind::Conflict);
        assert_eq!(kind(&instance.export_payout(&maker, &id).await.expect_err("not approved")), RefusalKind::Conflict);
        instance.approve_payout(&checker, &id, &approval(&reviewed)).await.expect("an approval");

        let exported = instance.export_payout(&maker, &id).await.expect("a file");
        let (name, bytes) = instance.payout_file(&auditor, &id).await.expect("the file");
        let text = String::from_utf8(bytes.clone()).expect("text");
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "payee_id,amount,currency,period_id,reference");
        assert!(rows[1].starts_with("ana,100.00,USD,2026-01,2026-01-") && rows[2].starts_with("ben,50.00,USD,"), "{text}");
        assert_eq!(rows.len(), 3);
        assert!(name.ends_with(".csv"), "{name}");
        let again = instance.export_payout(&checker, &id).await.expect("the same file");
        assert_eq!(again.file.as_ref().map(|own| &own.sha256), exported.file.as_ref().map(|own| &own.sha256));
        assert_eq!((again.head.version, again.hands.len()), (exported.head.version, exported.hands.len()), "nothing was done");
        assert_eq!(stage.again().await.payout_file(&auditor, &id).await.expect("the file").1, bytes);

        let own = Confirmation { reference: "bank 1".to_owned(), paid_on: "2026-02-11".to_owned() };
        let paid = instance.confirm_payout(&maker, &id, &own).await.expect("a payment");
        let second = Confirmation { reference: "bank 2".to_owned(), paid_on: "2026-02-12".to_owned() };
        let confirmed = instance.confirm_payout(&maker, &id, &second).await.expect("again");
        assert_eq!((confirmed.head.reference.as_deref(), confirmed.head.version), (Some("bank 1"), paid.head.version));
        assert_eq!(kind(&instance.refresh_payout(&maker, &id).await.expect_err("it is paid")), RefusalKind::Conflict);
        assert_eq!(kind(&instance.draft_payout(&maker, &new("default", "2026-01")).await.expect_err("all is paid")), RefusalKind::Conflict);
        let view = instance.view().await.expect("a view");
        let seen = instance.paid_in(&view, &seller, "ana", "2026-01").await.expect("her own");
        assert_eq!((seen[0].batch_id.as_str(), seen[0].paid_on.as_str(), seen[0].amount.as_str()), (id.as_str(), "2026-02-11", "100"));
        assert_eq!(kind(&instance.paid_in(&view, &seller, "ben", "2026-01").await.expect_err("not hers")), RefusalKind::NotFound);
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pay_of_approved_periods_leaves_the_house() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let deals = format!("{DEALS}t3,order,2026-02-05,100,USD,ana\n");
        calculate(instance, &company("", &deals)).await;
        let people = people(instance).await;
        approve_period(instance, &people.maker, &people.checker, "2026-01").await;
        let draft = instance.draft_payout(&people.maker, &new("default", "2026-02")).await.expect("a draft");
        assert_eq!(lines(&draft), ["ana due 110 0", "ben due 50 0"]);
        assert_eq!(draft.open_periods, ["2026-02"]);
        let reviewed = instance.review_payout(&people.maker, &draft.head.batch_id).await.expect("a review");
        instance.approve_payout(&people.checker, &draft.head.batch_id, &approval(&reviewed)).await.expect("an approval");
        let refused = instance.export_payout(&people.maker, &draft.head.batch_id).await.expect_err("an open period");
        assert_eq!(kind(&refused), RefusalKind::Conflict);
        let reason = Reason { reason: "only January".to_owned() };
        instance.cancel_payout(&people.maker, &draft.head.batch_id, &reason).await.expect("a cancellation");
        let cancelled = instance.cancel_payout(&people.maker, &draft.head.batch_id, &reason).await.expect("again");
        assert_eq!(cancelled.hands.iter().filter(|own| own.action == "cancel-payout").count(), 1);
        let january = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("its postings are free again");
        assert_eq!(pay(instance, &people, &january).await.head.amount, "150");

        // A deal of January that came late: the month is frozen, the difference is paid with February.
        let mut files = company("", &format!("{deals}t4,order,2026-01-20,200,USD,ben\n"));
        files.insert("periods.csv", "period_id,state\n2026-01,approved\n".to_owned());
        calculate(instance, &files).await;
        approve_period(instance, &people.maker, &people.checker, "2026-02").await;
        let february = instance.draft_payout(&people.maker, &new("default", "2026-02")).await.expect("a draft");
        assert_eq!(lines(&february), ["ana due 10 0", "ben due 20 0"]);
        pay(instance, &people, &february).await;
        books_agree(&stage).await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_drafts_at_once_claim_a_posting_once() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        calculate(instance, &company("requires = \"none\"", DEALS)).await;
        let people = people(instance).await;
        let other = stage.again().await;
        let wanted = new("default", "2026-01");
        let (first, second) = tokio::join!(instance.draft_payout(&people.maker, &wanted), other.draft_payout(&people.checker, &wanted));
        let (won, lost) = match (first, second) {
            (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
            other => panic!("one draft should win: {other:?}"),
        };
        assert_eq!(kind(&lost), RefusalKind::Conflict);

        // By constraint: whoever goes around the use case is refused by the database.
        let database = Database::open(&stage.config.database, Access::Command).await.expect("the database opens");
        let mut tx = database.begin().await.expect("a transaction");
        let batch = store::get(&mut tx, &won.head.batch_id).await.expect("a look").expect("the batch");
        let claims = store::claims(&mut tx, &won.head.batch_id).await.expect("claims");
        store::add(&mut tx, &store::Batch { batch_id: "another".to_owned(), ..batch }).await.expect("a second batch");
        let error = store::claim(&mut tx, "another", &claims).await.expect_err("claimed twice");
        assert!(store::is_claimed_twice(&error), "{error:#}");
        drop(tx);
        let mut tx = database.begin().await.expect("a transaction");
        let batch = store::get(&mut tx, &won.head.batch_id).await.expect("a look").expect("the batch");
        store::add(&mut tx, &store::Batch { batch_id: "another".to_owned(), ..batch }).await.expect("a second batch");
        let later: Vec<store::Posting> = claims.iter().map(|own| store::Posting { attempt: 2, ..own.clone() }).collect();
        let early = store::claim(&mut tx, "another", &later).await;
        assert!(early.is_err(), "a further attempt before the first came back");
        drop(tx);

        pay(instance, &people_of(&won, &people), &won).await;
        let mut tx = database.begin().await.expect("a transaction");
        assert!(store::unclaim(&mut tx, &won.head.batch_id).await.is_err(), "what is exported is kept");
        drop(tx);
        database.close().await;
        other.close().await;
        stage.remove().await;
    }
}

/// Whoever drafted is the maker.
fn people_of(payout: &PayoutView, people: &People) -> People {
    let (maker, checker) = if payout.head.made_by == "finn" { (&people.maker, &people.checker) } else { (&people.checker, &people.maker) };
    People { maker: maker.clone(), checker: checker.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_payment_only_the_difference_is_paid_and_less_is_recovered_or_flagged() {
    for (option, february) in [("recover", "ana due 70 0"), ("keep-and-flag", "ana due 100 -30 lower-result")] {
        for stage in Stage::each().await {
            let instance = &stage.instance;
            let settings = format!("requires = \"none\"\non_decrease = \"{option}\"");
            calculate(instance, &company(&settings, DEALS)).await;
            let people = people(instance).await;
            let first = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
            pay(instance, &people, &first).await;

            // A deal that came late.
            calculate(instance, &company(&settings, &format!("{DEALS}t3,order,2026-01-20,200,USD,ana\n"))).await;
            let late = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
            assert_eq!(lines(&late), ["ana due 20 0"], "{option}: only the difference");
            pay(instance, &people, &late).await;
            calculate(instance, &company(&settings, &format!("{DEALS}t3,order,2026-01-20,200,USD,ana\n"))).await;
            let nothing = instance.draft_payout(&people.maker, &new("default", "2026-12")).await.expect_err("nothing new");
            assert_eq!(kind(&nothing), RefusalKind::Conflict);

            // A deal that is worth less than was paid for it.
            let less = "t1,order,2026-01-05,700,USD,ana\nt2,order,2026-01-09,500,USD,ben\nt3,order,2026-01-20,200,USD,ana\n";
            calculate(instance, &company(&settings, less)).await;
            let refused = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect_err("nothing to pay");
            let refusal = refused.downcast_ref::<Refusal>().expect("a refusal");
            assert_eq!(refusal.details, ["ana: -30 is left for a later payout"]);
            calculate(instance, &company(&settings, &format!("{less}t4,order,2026-02-03,1000,USD,ana\n"))).await;
            let next = instance.draft_payout(&people.maker, &new("default", "2026-02")).await.expect("a draft");
            assert_eq!(lines(&next), [february], "{option}");
            pay(instance, &people, &next).await;
            assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
            stage.remove().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_refreshed_marked_and_sent_to_two_people_again() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let settings = "requires = \"none\"\non_decrease = \"keep-and-flag\"";
        calculate(instance, &company(settings, DEALS)).await;
        let people = people(instance).await;
        let draft = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
        let id = draft.head.batch_id.clone();
        let same = instance.refresh_payout(&people.maker, &id).await.expect("a refresh");
        assert_eq!((same.head.version, same.hands.len()), (draft.head.version, draft.hands.len()), "nothing came since");

        let mark = async |payee: &str, kind: MarkKind| {
            let new = NewMark { payee_id: payee.to_owned(), kind, reason: "dispute 7".to_owned() };
            instance.mark_payout(&people.maker, &id, &new).await.expect("a mark")
        };
        let excluded = mark("ben", MarkKind::Excluded).await;
        assert_eq!(lines(&excluded), ["ana due 100 0", "ben excluded 0 50"]);
        let other = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("what was left out is free");
        assert_eq!(lines(&other), ["ben due 50 0"]);
        let reason = Reason { reason: "a trial".to_owned() };
        instance.cancel_payout(&people.maker, &other.head.batch_id, &reason).await.expect("a cancellation");
        assert_eq!(lines(&mark("ben", MarkKind::None).await), ["ana due 100 0", "ben due 50 0"]);

        let disputed = mark("ben", MarkKind::Disputed).await;
        instance.review_payout(&people.maker, &id).await.expect("a review");
        let refused = instance.approve_payout(&people.checker, &id, &approval(&disputed)).await.expect_err("a dispute");
        assert_eq!(kind(&refused), RefusalKind::Conflict);
        let more = "t1,order,2026-01-05,1500,USD,ana\nt2,order,2026-01-09,700,USD,ben\n";
        calculate(instance, &company(settings, more)).await;
        let refreshed = instance.refresh_payout(&people.maker, &id).await.expect("a refresh");
        assert_eq!(
            lines(&refreshed),
            ["ana due 150 0 raised", "ben due 50 20 disputed"],
            "reviewed: raised and flagged; disputed: untouched"
        );
        assert_eq!(refreshed.lines[0].before_amount.as_deref(), Some("100"));
        assert_eq!((refreshed.head.state.as_str(), refreshed.head.reviewed_by.as_deref()), ("draft", None));
        let settled = mark("ben", MarkKind::None).await;
        assert_eq!(lines(&settled), ["ana due 150 0 raised", "ben due 70 0"]);

        let reviewed = instance.review_payout(&people.maker, &id).await.expect("a review");
        instance.approve_payout(&people.checker, &id, &approval(&reviewed)).await.expect("an approval");
        let less = "t1,order,2026-01-05,900,USD,ana\nt2,order,2026-01-09,800,USD,ben\n";
        calculate(instance, &company(settings, less)).await;
        let again = instance.refresh_payout(&people.maker, &id).await.expect("a refresh");
        assert_eq!(lines(&again), ["ana due 150 -60 raised,lower-result", "ben due 80 0 raised"], "never lowered by itself");
        assert_eq!((again.head.state.as_str(), again.head.approved_by.as_deref()), ("draft", None), "approved for other content");
        let stale = instance.approve_payout(&people.checker, &id, &approval(&reviewed)).await.expect_err("a draft");
        assert_eq!(kind(&stale), RefusalKind::Conflict);
        let paid = pay(instance, &people, &again).await;
        assert_eq!(paid.head.amount, "230");
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_came_back_is_due_again() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        calculate(instance, &company("requires = \"none\"", DEALS)).await;
        let people = people(instance).await;
        let first = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
        let id = first.head.batch_id.clone();
        let back = NewReturn { payee_id: "ana".to_owned(), returned_on: "2026-02-13".to_owned(), reason: "account closed".to_owned() };
        let early = instance.return_payout(&people.maker, &id, &back).await.expect_err("not paid yet");
        assert_eq!(kind(&early), RefusalKind::Conflict);
        let paid = pay(instance, &people, &first).await;
        let returned = instance.return_payout(&people.maker, &id, &back).await.expect("a return");
        assert_eq!(lines(&returned), ["ana returned 100 0", "ben due 50 0"]);
        assert_ne!(returned.head.version, paid.head.version);
        let twice = instance.return_payout(&people.maker, &id, &back).await.expect("again");
        assert_eq!(twice.hands.len(), returned.hands.len());
        let view = instance.view().await.expect("a view");
        assert_eq!(instance.paid_in(&view, &people.maker, "ana", "2026-01").await.expect("a look"), []);
        let second = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
        assert_eq!(lines(&second), ["ana due 100 0"]);
        pay(instance, &people, &second).await;
        assert!(instance.draft_payout(&people.maker, &new("default", "2026-01")).await.is_err(), "nothing is due");
        let journal = instance.payout_journal(&people.maker, &id, JournalForm::Csv).await.expect("a journal");
        let found: Vec<&str> = journal.lines().skip(1).map(|line| line.split_once("liabilities").map_or("", |(_, rest)| rest)).collect();
        assert_eq!(found.iter().filter(|line| !line.is_empty()).count(), 2, "{journal}");
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_in_other_currencies_keep_their_rates() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let settings = "requires = \"none\"\ncomponent_fx = { base = \"plan-rate\", commission = \"period-average\" }";
        let deals = "t1,order,2026-03-05,10000,USD,ana\nt2,order,2026-03-05,10,USD,ben\n";
        let mut files = company(settings, deals);
        files.insert(
            "plans/flat.toml",
            "id = \"flat\"\n\n[[components]]\nid = \"base\"\nmeasure = \"bookings\"\nformula = \"comp-flat\"\nsettings = { rate = \"1\" }\n\n\
             [[components]]\nid = \"commission\"\nmeasure = \"bookings\"\nformula = \"comp-flat\"\nsettings = { rate = \"0.3\" }\n"
                .to_owned(),
        );
        files.insert("pay_groups.csv", "pay_group_id,currency\nindia,INR\njapan,JPY\n".to_owned());
        files.insert("pay_group_members.csv", "payee_id,from_on,pay_group_id\nana,2026-01-01,india\nben,2026-01-01,japan\n".to_owned());
        calculate(instance, &files).await;
        let people = people(instance).await;
        let missing = instance.draft_payout(&people.maker, &new("india", "2026-03")).await.expect_err("no rates");
        assert_eq!(missing.downcast_ref::<Refusal>().map(|own| (own.kind, own.details.len())), Some((RefusalKind::Invalid, 2)));
        assert_eq!(
            kind(&instance.draft_payout(&people.maker, &new("nowhere", "2026-03")).await.expect_err("no group")),
            RefusalKind::NotFound
        );
        assert_eq!(
            kind(&instance.draft_payout(&people.maker, &new("default", "2026-03")).await.expect_err("nobody")),
            RefusalKind::Conflict
        );

        files.insert(
            "fx_rates.csv",
            "kind,currency,from_on,rate\nplan,USD/INR,2026-01-01,83\naverage,USD/INR,2026-03-01,84.5\naverage,USD/INR,2026-04-01,99\n\
             plan,JPY,2026-01-01,0.007\naverage,JPY,2026-03-01,0.0065\n"
                .to_owned(),
        );
        calculate(instance, &files).await;
        let draft = instance.draft_payout(&people.maker, &new("india", "2026-03")).await.expect("a draft");
        let line = &draft.lines[0];
        assert_eq!((line.amount.as_str(), line.company_amount.as_str(), draft.head.currency.as_str()), ("1083500", "13000", "INR"));
        let shown: Vec<[&str; 5]> = line
            .rates
            .iter()
            .map(|own| [&own.component_id, &own.quote, &own.rate, &own.company_amount, &own.converted].map(String::as_str))
            .collect();
        assert_eq!(shown, [["base", "USD/INR", "83", "10000", "830000"], ["commission", "USD/INR", "84.5", "3000", "253500"]]);

        let yen = instance.draft_payout(&people.maker, &new("japan", "2026-03")).await.expect("a draft");
        // 10 ÷ 0.007 + 3 ÷ 0.0065 = 1428.5714… + 461.5384… = 1890.1098…
        assert_eq!((yen.lines[0].amount.as_str(), yen.lines[0].residue.as_str()), ("1890", "0.10989011"));

        // The rates of a draft stay as they were.
        files.insert("fx_rates.csv", files["fx_rates.csv"].replace(",83\n", ",50\n").replace(",84.5\n", ",50\n"));
        calculate(instance, &files).await;
        let same = instance.refresh_payout(&people.maker, &draft.head.batch_id).await.expect("a refresh");
        assert_eq!((same.lines[0].amount.as_str(), same.head.version), ("1083500", draft.head.version));
        pay(instance, &people, &same).await;
        pay(instance, &people, &yen).await;
        let (_, bytes) = instance.payout_file(&people.maker, &yen.head.batch_id).await.expect("the file");
        assert!(String::from_utf8(bytes).expect("text").contains("ben,1890,JPY,2026-03,"));
        let journal = instance.payout_journal(&people.maker, &draft.head.batch_id, JournalForm::Csv).await.expect("a journal");
        for row in
            ["liabilities:payable,USD,13000,", "equity:exchange,USD,,13000", "equity:exchange,INR,1083500,", "assets:payroll,INR,,1083500"]
        {
            assert!(journal.lines().any(|line| line.ends_with(row)), "{row} is not in\n{journal}");
        }
        books_agree(&stage).await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_is_a_script_and_no_text_is_run_as_a_formula() {
    let stage = Stage::sqlite().await;
    let instance = &stage.instance;
    let mut deals = String::new();
    let ids = ["=cmd|' /C calc'!A0", "+1-800", "-2+3", "-5", "@SUM(A1)", "plain"];
    let mut payees = String::from("payee_id\n");
    let mut plans = String::from("payee_id,plan_id,from_on\n");
    for (number, id) in ids.iter().enumerate() {
        writeln!(payees, "{id}").expect("a line");
        writeln!(plans, "{id},flat,2026-01-01").expect("a line");
        writeln!(deals, "t{number},order,2026-01-05,1234.56,USD,{id}").expect("a line");
    }
    let layout = "requires = \"none\"\nnames = true\nexport = { extension = \"own-layout\", settings = { delimiter = \";\" } }";
    let mut files = company(layout, &deals);
    files.insert("payees.csv", payees);
    files.insert("people.csv", "payee_id,name\nplain,\"Torres, Ana\"\n".to_owned());
    files.insert("plan_assignments.csv", plans);
    files.insert(
        "scripts/own-layout.rhai",
        "//! name = \"own-layout\"\n//! point = \"payout\"\n\nfn run(input, settings) {\n    let records = [];\n    for line in input.lines {\n        \
         records.push(#{who: line.payee_id, name: line.name, sum: line.shown});\n    }\n    #{columns: [#{name: \"sum\", title: \"=Sum\"}, \
         #{name: \"who\", title: \"Who\"}, #{name: \"name\", title: \"Name\"}], records: records, \
         form: [#{delimiter: settings.delimiter, header: 1, line_end: \"crlf\"}]}\n}\n"
            .to_owned(),
    );
    calculate(instance, &files).await;
    let people = people(instance).await;
    let draft = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
    let paid = pay(instance, &people, &draft).await;
    assert_eq!(paid.file.as_ref().map(|own| own.mapping.as_str()), Some("own-layout"));
    let (_, bytes) = instance.payout_file(&people.maker, &draft.head.batch_id).await.expect("the file");
    let text = String::from_utf8(bytes).expect("text");
    let expected = "'=Sum;Who;Name\r\n123.46;'+1-800;\r\n123.46;'-2+3;\r\n123.46;-5;\r\n123.46;'=cmd|' /C calc'!A0;\r\n\
                    123.46;'@SUM(A1);\r\n123.46;plain;Torres, Ana\r\n";
    assert_eq!(text, expected);
    let csv = instance.ledger_journal(&people.maker, JournalForm::Csv).await.expect("a ledger");
    assert!(csv.lines().flat_map(|line| line.split(',')).all(|cell| !cell.starts_with(['=', '+', '@'])), "{csv}");
    books_agree(&stage).await;

    // A layout that loses payees makes no file.
    files.insert("transactions.csv", format!("{}t9,order,2026-01-05,100,USD,plain\n", files["transactions.csv"]));
    files.insert("scripts/own-layout.rhai", files["scripts/own-layout.rhai"].replace("records: records", "records: []"));
    calculate(instance, &files).await;
    let next = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
    let reviewed = instance.review_payout(&people.maker, &next.head.batch_id).await.expect("a review");
    instance.approve_payout(&people.checker, &next.head.batch_id, &approval(&reviewed)).await.expect("an approval");
    let refused = instance.export_payout(&people.maker, &next.head.batch_id).await.expect_err("no records");
    assert!(refused.to_string().contains("0 records for 1 lines"), "{refused:#}");
    assert_eq!(instance.payout(&people.maker, &next.head.batch_id).await.expect("a look").head.state, "approved");
    stage.remove().await;
}

/// Sums of the ledger by account, without its last levels.
async fn ledger_sums(stage: &Stage) -> BTreeMap<&'static str, i64> {
    let database = Database::open(&stage.config.database, Access::Command).await.expect("the database opens");
    let mut read = database.read().await.expect("a snapshot");
    let mut sums: BTreeMap<&'static str, i64> = BTreeMap::new();
    for own in store::ledger(&mut read, None).await.expect("the ledger") {
        let (name, sign) = match own.account.as_str() {
            "earned" => ("expenses", 1),
            "held" => ("liabilities:held", -1),
            "carried" => ("assets:carried", -1),
            _ => ("liabilities:payable", -1),
        };
        *sums.entry(name).or_default() += sign * own.amount;
    }
    for batch in store::list(&mut read, Some("paid"), None, 1_000).await.expect("batches") {
        let returned = store::returns(&mut read, &batch.batch_id).await.expect("returns");
        for line in store::lines(&mut read, &batch.batch_id).await.expect("lines") {
            if !returned.iter().any(|own| own.payee_id == line.payee_id) {
                *sums.entry("liabilities:payable").or_default() += line.company_amount;
            }
        }
    }
    drop(read);
    database.close().await;
    sums
}

/// The exported ledger is the same every time, and an independent checker accepts it and finds the sums of the record.
async fn books_agree(stage: &Stage) {
    let operator = Caller::operator("tester");
    let text = stage.instance.ledger_journal(&operator, JournalForm::Hledger).await.expect("a ledger");
    assert_eq!(stage.instance.ledger_journal(&operator, JournalForm::Hledger).await.expect("a ledger"), text);
    let hledger = |arguments: &[&str]| {
        let path = stage.home.path().join("ledger.journal");
        std::fs::write(&path, &text).expect("a file");
        Command::new("hledger").arg("-f").arg(path).args(arguments).env("LANG", "C.UTF-8").output()
    };
    let Ok(checked) = hledger(&["check", "-s"]) else { return };
    assert!(checked.status.success(), "{}\n{text}", String::from_utf8_lossy(&checked.stderr));
    for (account, sum) in ledger_sums(stage).await {
        let found =
            hledger(&["balance", "--no-total", "--depth", &account.split(':').count().to_string(), "-O", "csv", account]).expect("it ran");
        let found = String::from_utf8(found.stdout).expect("text");
        let shown: i64 = found
            .lines()
            .skip(1)
            .filter_map(|line| line.split("USD ").nth(1))
            .map(|rest| rest.trim_end_matches('"').split(',').next().unwrap_or_default().to_owned())
            .map(|amount| fixed::parse(&amount, 4).unwrap_or_else(|| panic!("`{amount}` in {found}")))
            .sum();
        assert_eq!(shown, sum, "{account}: {found}\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_independent_checker_accepts_the_ledger() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let settings = "requires = \"none\"";
        let mut files = company(settings, DEALS);
        files.insert("payees.csv", "payee_id\nana\nben\n\"zoë; a:b  (c)\"\n".to_owned());
        files.insert(
            "plan_assignments.csv",
            "payee_id,plan_id,from_on\nana,flat,2026-01-01\nben,flat,2026-01-01\n\"zoë; a:b  (c)\",flat,2026-01-01\n".to_owned(),
        );
        let deals = format!(
            "{}t3,order,2026-01-07,33.37,USD,zoë; a:b  (c)\nt4,return,2026-02-07,-700,USD,ben\nt5,order,2026-03-02,100,USD,ben\n",
            files["transactions.csv"]
        );
        files.insert("transactions.csv", deals.clone());
        calculate(instance, &files).await;
        books_agree(&stage).await;
        let people = people(instance).await;
        let draft = instance.draft_payout(&people.maker, &new("default", "2026-01")).await.expect("a draft");
        pay(instance, &people, &draft).await;
        let back = NewReturn { payee_id: "ana".to_owned(), returned_on: "2026-02-13".to_owned(), reason: "closed".to_owned() };
        instance.return_payout(&people.maker, &draft.head.batch_id, &back).await.expect("a return");
        files.insert("transactions.csv", deals.replace(",1000,", ",2000,"));
        calculate(instance, &files).await;
        books_agree(&stage).await;

        // A month in the books: ben's return is carried, not paid.
        let february = instance.period_journal(&people.maker, "2026-02", JournalForm::Csv).await.expect("a journal");
        let rows: Vec<&str> = february.lines().collect();
        assert_eq!(
            rows,
            [
                "date,text,account,currency,debit,credit",
                "2026-02-28,commissions 2026-02,assets:carried,USD,70,",
                "2026-02-28,commissions 2026-02,expenses:commission:flat:commission,USD,,70",
            ]
        );
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_pays_once_however_often_it_is_asked() {
    for stage in Stage::each().await {
        calculate(&stage.instance, &company("requires = \"none\"", DEALS)).await;
        let server = Server::start(&stage).await;
        let (maker, checker) = (server.token(Role::Finance).await, server.token(Role::CompAdmin).await);
        let body = json!({ "period_id": "2026-01", "pay_on": "2026-02-10" });
        for role in [Role::Seller, Role::Manager, Role::Auditor, Role::Platform] {
            assert_eq!(server.post(&server.token(role).await, "/payouts", &body).status, 403, "{}", role.name());
        }
        let headers = [("content-type", "application/json"), ("idempotency-key", "january")];
        let drafted = server.send("POST", "/payouts", &maker, &headers, Some(body.to_string().as_bytes())).expect(201);
        let again = server.send("POST", "/payouts", &maker, &headers, Some(body.to_string().as_bytes()));
        assert_eq!(
            (again.header("idempotent-replayed"), again.expect(201)["batch_id"].clone()),
            (Some("true"), drafted["batch_id"].clone())
        );
        assert_eq!(server.post(&maker, "/payouts", &body).status, 409, "nothing is due any more");
        let place = format!("/payouts/{}", drafted["batch_id"].as_str().expect("an id"));
        let reviewed = server.post(&maker, &format!("{place}/review"), &json!({})).expect(200);
        let hash = json!({ "content_hash": reviewed["content_hash"] });
        assert_eq!(server.post(&maker, &format!("{place}/approval"), &hash).status, 403);
        server.post(&checker, &format!("{place}/approval"), &hash).expect(200);
        assert_eq!(server.get(&maker, &format!("{place}/file")).status, 404);
        server.post(&maker, &format!("{place}/export"), &json!({})).expect(200);
        let file = server.get(&maker, &format!("{place}/file"));
        assert_eq!((file.status, file.header("content-type")), (200, Some("text/csv; charset=utf-8")));
        server.post(&maker, &format!("{place}/export"), &json!({})).expect(200);
        assert_eq!(server.get(&checker, &format!("{place}/file")).body, file.body);
        let seller = server.token_of("sam", &[Role::Seller], Some("ana")).await;
        let statement = "/payees/ana/periods/2026-01/statement";
        let before = server.get(&seller, statement);
        assert_eq!(before.expect(200)["paid_in"], json!(null));
        let own = json!({ "reference": "bank 1", "paid_on": "2026-02-11" });
        for _ in 0..2 {
            assert_eq!(server.post(&maker, &format!("{place}/confirmation"), &own).expect(200)["state"], "paid");
        }
        let after = server.get(&seller, statement);
        assert_eq!(after.expect(200)["paid_in"]["paid_on"], "2026-02-11");
        assert_ne!(before.header("etag"), after.header("etag"));
        assert_eq!(server.get(&seller, "/payees/ana/periods/2026-01/payouts").expect(200)["items"][0]["amount"], "100");
        assert_eq!(server.get(&seller, "/payees/ben/periods/2026-01/payouts").status, 404);
        assert_eq!(server.get(&maker, "/payouts?state=paid").expect(200)["items"].as_array().map(Vec::len), Some(1));
        assert!(server.get(&maker, &format!("{place}/journal?format=hledger")).text().contains("liabilities:payable"));
        assert!(server.get(&maker, "/ledger?format=csv").text().contains("expenses:commission:flat:commission"));
        assert_eq!(server.get(&seller, "/ledger").status, 403);
        server.stop().await;
        stage.remove().await;
    }
}

#[test]
fn the_program_pays_from_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = write(&company("requires = \"none\"", DEALS));
    let done = |arguments: &[&str]| {
        let output = attain(folder.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    done(&["load", files.path().to_str().expect("a path")]);
    done(&["run"]);
    let draft: serde_json::Value =
        serde_json::from_str(&done(&["payout", "draft", "2026-01", "--pay-on", "2026-02-10", "--json"])).expect("JSON");
    let id = draft["batch_id"].as_str().expect("an id");
    let hash = draft["content_hash"].as_str().expect("a hash");
    done(&["payout", "review", id]);
    done(&["user", "add", "cora", "--role", "finance"]);
    let token = done(&["user", "token", "cora"]);
    let approve = ["payout", "approve", id, "--content-hash", hash, "--token"];
    assert_eq!(attain(folder.path(), &[&approve[..], &["none"]].concat()).status.code(), Some(6));
    done(&[&approve[..], &[token.trim()]].concat());
    let file = done(&["payout", "export", id]);
    assert!(file.contains("ana,100.00,USD,2026-01,"), "{file}");
    assert_eq!(done(&["payout", "export", id]), file);
    done(&["payout", "confirm", id, "--reference", "bank 1", "--paid-on", "2026-02-11"]);
    assert!(done(&["payout", "list", "--state", "paid"]).contains(id));
    assert!(done(&["payout", "journal", id]).contains("assets:payroll,USD,,150"));
    assert!(
        done(&["payout", "journal", "--period", "2026-01", "--format", "hledger"]).contains("expenses:commission:flat:commission  USD 150")
    );
    done(&["ledger", "export", folder.path().to_str().expect("a path")]);
    assert!(std::fs::read_to_string(folder.path().join("ledger.journal")).expect("a file").contains("liabilities:payable:ana"));
}
