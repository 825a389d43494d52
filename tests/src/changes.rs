//! What moves money is changed by two people: every way around it is refused, and what is approved is what was read.

use crate::stage::{Stage, cell, root, small_company, write};
use attain_app::Instance;
use attain_app::access::{Action, Caller, Role};
use attain_app::changes::{Approval, ChangeEdit, ChangeKind, ChangeView, NewChange, Rejection};
use attain_app::formulas::CheckRequest;
use attain_app::impact::{ImpactRequest, TracesRequest};
use attain_app::refusal::{Refusal, RefusalKind};
use attain_app::users::{NewToken, NewUser, UserEdit};
use serde_json::json;
use std::time::{Duration, Instant};

fn kind(error: &anyhow::Error) -> RefusalKind {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}")).kind
}

/// A user with these roles, signed in.
pub async fn person(instance: &Instance, login: &str, payee_id: Option<&str>, roles: &[Role]) -> Caller {
    let operator = Caller::operator("tester");
    let new = NewUser { login: login.to_owned(), name: login.to_owned(), payee_id: payee_id.map(str::to_owned), roles: roles.to_vec() };
    let user = instance.add_user(&operator, &new).await.expect("a user");
    let (secret, _) = instance.new_link(&operator, &user.user_id, true).await.expect("a link");
    instance.sign_in_by_link(&secret).await.expect("a session").caller
}

fn script(rate: &str) -> String {
    format!("//! name = \"house-rate\"\n//! point = \"compensation\"\n//! version = \"1.0.0\"\n\nslice(\"all\", credited, {rate})\n")
}

fn cases(amount: &str) -> String {
    format!(
        "[[cases]]\nname = \"a thousand\"\n[cases.input.rows]\npayee_id = [\"ana\"]\ncredited = [\"1000\"]\n\
         [cases.answer.earnings]\namount = [\"{amount}\"]\n"
    )
}

fn company() -> std::collections::BTreeMap<&'static str, String> {
    let mut files = small_company();
    files.insert("plans/seller.toml", files["plans/seller.toml"].replace("comp-tiered", "house-rate"));
    files.insert("scripts/house-rate.rhai", script("0.10"));
    files.insert("scripts/house-rate.cases.toml", cases("100"));
    files
}

fn formula(rate: &str, amount: &str) -> NewChange {
    NewChange {
        kind: ChangeKind::Formula,
        object: "house-rate".to_owned(),
        payload: json!({ "source": script(rate), "cases": cases(amount) }),
        comment: "a better rate".to_owned(),
        base_digest: None,
    }
}

fn approval(change: &ChangeView) -> Approval {
    Approval { content_hash: change.head.content_hash.clone(), comment: String::new(), on_behalf_of: None }
}

async fn submitted(instance: &Instance, author: &Caller, new: &NewChange) -> ChangeView {
    let draft = instance.draft_change(author, new).await.expect("a draft");
    instance.submit_change(author, &draft.head.change_id).await.expect("a submission")
}

/// Does the jobs that wait until there is one more run.
async fn run_after(instance: &Instance, before: usize) {
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut options = attain_jobs::Options::new("worker");
    options.poll = Duration::from_millis(20);
    let own = instance.clone();
    let worker = tokio::spawn(async move { own.work_with(options, stopping).await });
    let deadline = Instant::now() + Duration::from_secs(60);
    while instance.runs().await.expect("runs").len() == before {
        assert!(Instant::now() < deadline, "no calculation followed");
        tokio::task::yield_now().await;
    }
    stop.send(true).expect("the worker listens");
    worker.await.expect("the worker ends");
}

async fn in_force(instance: &Instance, caller: &Caller) -> String {
    instance.formula(caller, "house-rate").await.expect("a formula").source_text.expect("a script")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_change_a_formula_and_the_pay_follows() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&company()).path()).await.expect("the company loads");
        let before = instance.run(&|_| {}).await.expect("a run");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let change = submitted(instance, &ada, &formula("0.12", "120")).await;
        assert_eq!((change.head.state.as_str(), change.head.author_name.as_str()), ("submitted", "ada"));
        let diff: Vec<String> = change.text_diff.iter().map(|line| format!("{}{}", line.tag, line.text)).collect();
        assert!(diff.contains(&"-slice(\"all\", credited, 0.10)".to_owned()), "{diff:?}");
        assert!(diff.contains(&"+slice(\"all\", credited, 0.12)".to_owned()), "{diff:?}");
        assert!(diff.contains(&"-amount = [\"100\"]".to_owned()), "{diff:?}");
        let expected = change.impact.clone().expect("an impact");
        assert_eq!(in_force(instance, &ada).await, script("0.10"), "a submission changes nothing");

        let request = ImpactRequest { source: script("0.12"), ..ImpactRequest::default() };
        let impact = instance.impact(&ada, "house-rate", &request).await.expect("an impact");
        assert_eq!((impact.totals.clone(), impact.complete), (expected.totals, true));
        let runs = instance.runs().await.expect("runs").len();
        let approved = instance.approve_change(&finn, &change.head.change_id, &approval(&change)).await.expect("an approval");
        assert_eq!((approved.change.head.state.as_str(), approved.change.head.decided_by_name.as_deref()), ("approved", Some("finn")));
        assert_eq!(in_force(instance, &ada).await, script("0.12"));
        run_after(instance, runs).await;
        let after = instance.runs().await.expect("runs")[0].run_id.clone();

        // The money diff is the difference of the two runs, payee by payee and in all.
        let (old, new) = (instance.results(&before.run_id).await.expect("results"), instance.results(&after).await.expect("results"));
        for payee in &impact.largest {
            let key = [("payee_id", payee.payee_id.as_str()), ("period_id", "2026-01")];
            assert_eq!(cell(&old["statements"], &key, "earned").as_ref(), Some(&payee.before), "{payee:?}");
            assert_eq!(cell(&new["statements"], &key, "earned").as_ref(), Some(&payee.after), "{payee:?}");
        }
        let total = |table: &attain_domain::Table| table.numbers("earned").expect("earned").iter().sum::<i64>();
        let difference = total(&new["statements"]) - total(&old["statements"]);
        assert_eq!(impact.totals.difference, attain_domain::fixed::format(difference, 4));
        assert_eq!((impact.totals.gain_count, impact.largest.len()), (3, 3));
        assert_eq!(impact.histogram.iter().map(|bar| bar.count).sum::<usize>(), 3);

        let history = instance.formula_history(&ada, "house-rate").await.expect("a history");
        assert_eq!(history.len(), 2);
        assert_eq!((history[0].change_id.as_deref(), history[1].change_id.as_deref()), (None, Some(change.head.change_id.as_str())));
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_around_the_second_person_is_refused() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&company()).path()).await.expect("the company loads");
        let operator = Caller::operator("tester");
        let ada = person(instance, "ada", Some("mia"), &[Role::CompAdmin]).await;
        let second_ada = person(instance, "ada-finance", Some("mia"), &[Role::Finance]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let auditor = person(instance, "otto", None, &[Role::Auditor]).await;
        let seller = person(instance, "sam", Some("ana"), &[Role::Seller]).await;
        let change = submitted(instance, &ada, &formula("0.12", "120")).await;
        let id = change.head.change_id.clone();
        let refused = async |caller: &Caller, approval: &Approval| {
            let error = instance.approve_change(caller, &id, approval).await.expect_err("an approval");
            assert_eq!(in_force(instance, &ada).await, script("0.10"));
            kind(&error)
        };

        assert_eq!(refused(&ada, &approval(&change)).await, RefusalKind::Forbidden, "her own");
        let token = NewToken { name: "robot".to_owned(), scopes: vec![], days: 1 };
        let secret = instance.add_token(&ada, &token).await.expect("a token").secret.expect("a secret");
        let (robot, _) = instance.caller_of_token(&secret).await.expect("a look").expect("a caller");
        assert_eq!(refused(&robot, &approval(&change)).await, RefusalKind::Forbidden, "by a token of hers");
        assert_eq!(refused(&second_ada, &approval(&change)).await, RefusalKind::Forbidden, "a second account of the same payee");
        assert_eq!(refused(&auditor, &approval(&change)).await, RefusalKind::Forbidden, "a role that may not");
        assert_eq!(refused(&seller, &approval(&change)).await, RefusalKind::Forbidden, "a role that may not");
        assert_eq!(refused(&Caller::operator("ghost"), &approval(&change)).await, RefusalKind::Forbidden, "nobody who signs in");
        let scoped = Caller::new(&finn.user_id, "finn", None, [Role::Finance], Some(&[Action::SeeRules]));
        assert_eq!(refused(&scoped, &approval(&change)).await, RefusalKind::Forbidden, "a token without that scope");

        // The second account loses its payee for the approval; the author's own payee is taken away: what was is remembered.
        let users = instance.users(&operator).await.expect("users");
        let user = users.iter().find(|user| user.user_id == ada.user_id).expect("ada");
        let edit = UserEdit { payee_id: Some(String::new()), ..UserEdit::default() };
        instance.edit_user(&operator, &ada.user_id, user.version, &edit).await.expect("an edit");
        assert_eq!(refused(&second_ada, &approval(&change)).await, RefusalKind::Forbidden, "whom the author was when she wrote it");

        // A role that was taken away since the session began.
        let finn_view = users.iter().find(|user| user.user_id == finn.user_id).expect("finn");
        let edit = UserEdit { roles: Some(vec![Role::Auditor]), ..UserEdit::default() };
        let edited = instance.edit_user(&operator, &finn.user_id, finn_view.version, &edit).await.expect("an edit");
        assert_eq!(refused(&finn, &approval(&change)).await, RefusalKind::Forbidden, "a role that she no longer has");
        let edit = UserEdit { roles: Some(vec![Role::Finance]), ..UserEdit::default() };
        instance.edit_user(&operator, &finn.user_id, edited.version, &edit).await.expect("an edit");

        // Edited after the submission: a draft again, and what was read is not what would be approved.
        let edit =
            ChangeEdit { payload: json!({ "source": script("0.5"), "cases": cases("500") }), comment: String::new(), base_digest: None };
        let stale = instance.edit_change(&ada, &id, change.head.version - 1, &edit).await.expect_err("an edit of an old version");
        assert_eq!(kind(&stale), RefusalKind::Stale);
        assert_eq!(
            kind(&instance.edit_change(&finn, &id, change.head.version, &edit).await.expect_err("not hers")),
            RefusalKind::Forbidden
        );
        let edited = instance.edit_change(&ada, &id, change.head.version, &edit).await.expect("an edit");
        assert_eq!((edited.head.state.as_str(), edited.impact.is_none(), edited.revisions.len()), ("draft", true, 2));
        assert_eq!(refused(&finn, &approval(&change)).await, RefusalKind::Conflict, "an edit after the submission");
        let again = instance.submit_change(&ada, &id).await.expect("a submission");
        assert_eq!(refused(&finn, &approval(&change)).await, RefusalKind::Conflict, "the hash of what it was");

        // What it is based on is changed by somebody else.
        let mut files = company();
        files.insert("scripts/house-rate.cases.toml", cases("100.00"));
        instance.apply(write(&files).path()).await.expect("the company changes");
        assert_eq!(refused(&finn, &approval(&again)).await, RefusalKind::Conflict, "the base changed");
        let seen = instance.change(&ada, &id).await.expect("the change");
        assert_ne!(seen.current_digest, seen.head.base_digest);
        let edit = ChangeEdit { base_digest: Some(seen.current_digest), ..edit };
        instance.edit_change(&ada, &id, again.head.version, &edit).await.expect("an edit on what is in force");
        let again = instance.submit_change(&ada, &id).await.expect("a submission");

        let no = Rejection { comment: "too much".to_owned(), on_behalf_of: None };
        assert_eq!(kind(&instance.reject_change(&ada, &id, &no).await.expect_err("her own")), RefusalKind::Forbidden);
        let rejected = instance.reject_change(&finn, &id, &no).await.expect("a rejection");
        assert_eq!((rejected.head.state.as_str(), rejected.head.decision_comment.as_deref()), ("rejected", Some("too much")));
        assert_eq!(refused(&finn, &approval(&again)).await, RefusalKind::Conflict, "what was decided");

        assert_eq!(kind(&instance.change(&seller, &id).await.expect_err("a seller")), RefusalKind::Forbidden);
        assert_eq!(kind(&instance.draft_change(&auditor, &formula("0.2", "200")).await.expect_err("an auditor")), RefusalKind::Forbidden);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_case_and_a_missing_extension_are_not_approved() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&company()).path()).await.expect("the company loads");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::CompAdmin]).await;
        let red = submitted(instance, &ada, &formula("0.12", "100")).await;
        let error = instance.approve_change(&finn, &red.head.change_id, &approval(&red)).await.expect_err("a red case");
        assert_eq!(kind(&error), RefusalKind::Extension);
        assert!(error.to_string().contains("a thousand"), "{error}");
        assert_eq!(in_force(instance, &ada).await, script("0.10"));
        assert_eq!(instance.change(&ada, &red.head.change_id).await.expect("the change").head.state, "submitted");

        let draft = instance.draft_change(&ada, &formula("0.12 +", "100")).await.expect("a draft may be broken");
        let error = instance.submit_change(&ada, &draft.head.change_id).await.expect_err("a text that does not compile");
        assert_eq!(kind(&error), RefusalKind::Extension);

        let plan = small_company()["plans/seller.toml"].replace("comp-tiered", "nowhere");
        let new = NewChange {
            kind: ChangeKind::Plan,
            object: "seller.toml".to_owned(),
            payload: json!({ "file": "seller.toml", "text": plan }),
            comment: String::new(),
            base_digest: None,
        };
        let change = submitted(instance, &ada, &new).await;
        let error = instance.approve_change(&finn, &change.head.change_id, &approval(&change)).await.expect_err("a plan without formula");
        assert_eq!(kind(&error), RefusalKind::Invalid);
        assert!(format!("{error}").contains("nowhere"), "{error}");
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_approvers_at_one_moment_one_wins() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&company()).path()).await.expect("the company loads");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let mut approvers = Vec::new();
        for login in ["finn", "gil", "hal", "ida"] {
            approvers.push(person(instance, login, None, &[Role::Finance]).await);
        }
        let other = stage.again().await;
        for round in 0..5 {
            let change = submitted(instance, &ada, &formula(&format!("0.1{}", round + 1), &format!("1{}0", round + 1))).await;
            let tasks: Vec<_> = approvers
                .iter()
                .enumerate()
                .map(|(place, caller)| {
                    let instance = if place % 2 == 0 { instance.clone() } else { other.clone() };
                    let (caller, id, approval) = (caller.clone(), change.head.change_id.clone(), approval(&change));
                    tokio::spawn(async move { instance.approve_change(&caller, &id, &approval).await })
                })
                .collect();
            let mut won = 0;
            for task in tasks {
                match task.await.expect("no panic") {
                    Ok(_) => won += 1,
                    Err(error) => assert_eq!(kind(&error), RefusalKind::Conflict, "{error:#}"),
                }
            }
            assert_eq!(won, 1, "round {round}");
            let change = instance.change(&ada, &change.head.change_id).await.expect("the change");
            assert_eq!(change.head.state, "approved");
        }
        assert_eq!(instance.formula_history(&ada, "house-rate").await.expect("a history").len(), 6);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_edit_of_several_at_once_is_lost() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&company()).path()).await.expect("the company loads");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let draft = instance.draft_change(&ada, &formula("0.12", "120")).await.expect("a draft");
        let id = draft.head.change_id.clone();
        let editors: Vec<_> = (0..8)
            .map(|editor| {
                let (instance, ada, id) = (instance.clone(), ada.clone(), id.clone());
                tokio::spawn(async move {
                    let (mut accepted, mut stale) = (Vec::new(), 0);
                    for edit in 0..6 {
                        let version = instance.change(&ada, &id).await.expect("the change").head.version;
                        let source = format!("{}// {editor} {edit}\n", script("0.12"));
                        let own = ChangeEdit { payload: json!({ "source": source }), comment: String::new(), base_digest: None };
                        match instance.edit_change(&ada, &id, version, &own).await {
                            Ok(change) => accepted.push(change.head.content_hash),
                            Err(error) => {
                                assert_eq!(kind(&error), RefusalKind::Stale, "{error:#}");
                                stale += 1;
                            }
                        }
                    }
                    (accepted, stale)
                })
            })
            .collect();
        let (mut accepted, mut stale) = (Vec::new(), 0);
        for editor in editors {
            let (own, lost) = editor.await.expect("no panic");
            accepted.extend(own);
            stale += lost;
        }
        let change = instance.change(&ada, &id).await.expect("the change");
        assert_eq!(change.head.version as usize, accepted.len() + 1, "one version for each accepted edit");
        assert_eq!(accepted.len() + stale, 48);
        assert!(stale > 0, "nobody met anybody; the test shows nothing");
        for hash in accepted {
            assert!(change.revisions.iter().any(|revision| revision.content_hash == hash), "an accepted edit is not in the history");
        }
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_brings_the_text_back_and_needs_a_second_person() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&company()).path()).await.expect("the company loads");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::CompAdmin]).await;
        let change = submitted(instance, &ada, &formula("0.12", "120")).await;
        instance.approve_change(&finn, &change.head.change_id, &approval(&change)).await.expect("an approval");
        let first = instance.formula_history(&ada, "house-rate").await.expect("a history")[0].clone();
        let back = instance.roll_formula_back(&ada, "house-rate", &first.digest).await.expect("a rollback");
        assert_eq!((back.head.state.as_str(), in_force(instance, &ada).await), ("submitted", script("0.12")));
        let own = instance.approve_change(&ada, &back.head.change_id, &approval(&back)).await.expect_err("her own");
        assert_eq!(kind(&own), RefusalKind::Forbidden);
        instance.approve_change(&finn, &back.head.change_id, &approval(&back)).await.expect("an approval");
        let formula = instance.formula(&ada, "house-rate").await.expect("a formula");
        assert_eq!((formula.source_text, formula.cases_text), (Some(script("0.10")), Some(cases("100"))));
        assert_eq!(formula.head.digest, first.digest);
        let unknown = instance.roll_formula_back(&ada, "house-rate", "beef").await.expect_err("an unknown digest");
        assert_eq!(kind(&unknown), RefusalKind::NotFound);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundled_formula_becomes_the_companys_own_and_rows_change_by_two_people() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::CompAdmin]).await;
        let bundled = instance.formula(&ada, "comp-tiered").await.expect("a formula");
        assert_eq!((bundled.head.source.as_str(), bundled.head.editable), ("bundled", true));
        assert_eq!(bundled.head.used_by[0].plan_id.as_deref(), Some("seller"));
        let source = format!("{}// ours\n", bundled.source_text.expect("a script"));
        let new = NewChange {
            kind: ChangeKind::Formula,
            object: "comp-tiered".to_owned(),
            payload: json!({ "source": source }),
            comment: String::new(),
            base_digest: Some(bundled.base_digest),
        };
        let change = submitted(instance, &ada, &new).await;
        instance.approve_change(&finn, &change.head.change_id, &approval(&change)).await.expect("an approval");
        let own = instance.formula(&ada, "comp-tiered").await.expect("a formula");
        assert_eq!((own.head.source.as_str(), own.source_text.as_deref()), ("company", Some(source.as_str())));
        assert_eq!(own.cases_text, bundled.cases_text, "its cases came along");
        let late = instance.draft_change(&ada, &new).await.expect_err("a draft on what is no longer in force");
        assert_eq!(kind(&late), RefusalKind::Conflict);
        let wasm = NewChange { object: "comp-tiers".to_owned(), base_digest: None, ..new };
        assert!(
            instance.draft_change(&ada, &wasm).await.is_err() || {
                let draft = instance.changes(&ada, Some("draft"), None, 1).await.expect("changes").remove(0);
                instance.submit_change(&ada, &draft.change_id).await.is_err()
            }
        );

        let csv = "payee_id,measure_id,period_id,amount\nana,bookings,2026-01,1500\n";
        let new = NewChange {
            kind: ChangeKind::Import,
            object: "quotas".to_owned(),
            payload: json!({ "entity": "quotas", "csv": csv, "source": "planning" }),
            comment: String::new(),
            base_digest: None,
        };
        let (first, second) = (submitted(instance, &ada, &new).await, submitted(instance, &ada, &new).await);
        assert_eq!(first.text_diff.len(), 2, "{:?}", first.text_diff);
        instance.approve_change(&finn, &first.head.change_id, &approval(&first)).await.expect("an approval");
        let history = instance.history("quotas", &["ana", "bookings", "2026-01"]).await.expect("a history");
        assert_eq!((history.len(), history[1].source.as_str()), (2, "planning"));
        let moved = instance.approve_change(&finn, &second.head.change_id, &approval(&second)).await.expect_err("the rows moved");
        assert_eq!(kind(&moved), RefusalKind::Conflict);

        let mut files = small_company();
        files.insert("payees.csv", "payee_id\nana\nben\nmia\nzoe\n".to_owned());
        let new = NewChange {
            kind: ChangeKind::Company,
            object: "Small".to_owned(),
            payload: json!({ "files": files }),
            comment: String::new(),
            base_digest: None,
        };
        let change = submitted(instance, &ada, &new).await;
        instance.approve_change(&finn, &change.head.change_id, &approval(&change)).await.expect("an approval");
        assert_eq!(instance.diff(write(&files).path()).await.expect("a comparison"), Vec::<String>::new());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_line_and_column_and_runs_the_cases() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&company()).path()).await.expect("the company loads");
    let ada = person(&stage.instance, "ada", None, &[Role::CompAdmin]).await;
    let check = async |source: String, cases: String| {
        stage.instance.check_formula(&ada, "house-rate", &CheckRequest { source, cases }).await.expect("a check")
    };
    let good = check(script("0.10"), cases("100")).await;
    assert!(good.ok && good.cases[0].passed, "{good:?}");
    assert!(good.millis < 300, "{} ms", good.millis);
    let red = check(script("0.12"), cases("100")).await;
    assert_eq!((red.ok, red.errors.len(), red.cases[0].passed), (false, 0, false));
    assert!(red.cases[0].differences[0].contains("expected `100`, got `120`"), "{red:?}");
    for (text, line, column, part) in
        [("0.1 * credted", 5, 30, "credted"), ("0.1 * rond(credited)", 5, 30, "rond"), ("min(credited)", 5, 24, "takes 2 or 3")]
    {
        let wrong = check(script(text), String::new()).await;
        assert!(!wrong.ok, "{text}");
        let error = &wrong.errors[0];
        assert_eq!((error.file, error.line, error.column), ("source", line, column), "{text}: {error:?}");
        assert!(error.message.contains(part), "{error:?}");
    }
    let wrong = check(script("0.1"), "[[cases]]\nnam = \"x\"\n".to_owned()).await;
    assert_eq!((wrong.errors[0].file, wrong.errors[0].line), ("cases", 2));
    let endless = check(script("0.1 }; loop { } if true { 0.1"), String::new()).await;
    assert!(!endless.ok);
    let names = stage.instance.formula_language(&ada, "compensation", Some("comp-tiered")).await.expect("names");
    for name in ["credited", "tiers", "if", "settings"] {
        assert!(names.iter().any(|own| own.name == name), "no `{name}`");
    }
    assert!(stage.instance.formula_language(&ada, "compensatio", None).await.is_err());
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impact_on_the_demo_company_is_quick_and_its_traces_stand_side_by_side() {
    let stage = Stage::sqlite().await;
    stage.instance.load(&root().join("examples/meridian")).await.expect("the demo company loads");
    let ada = person(&stage.instance, "ada", None, &[Role::CompAdmin]).await;
    let formula = stage.instance.formula(&ada, "comp-flat").await.expect("a formula");
    let source = formula.source_text.expect("a script").replace("credited", "credited * 1.1");
    let request = ImpactRequest { source: source.clone(), ..ImpactRequest::default() };
    let first = stage.instance.impact(&ada, "comp-flat", &request).await.expect("an impact");
    assert!(first.complete && first.totals.gain_count > 0, "{:?}", first.totals);
    let again = stage.instance.impact(&ada, "comp-flat", &request).await.expect("an impact");
    assert_eq!(first.totals, again.totals);
    assert!(again.millis < 1_000, "{} ms", again.millis);
    #[expect(clippy::print_stderr, reason = "a figure for those who watch it")]
    {
        eprintln!("impact on the demo company: {} ms", again.millis);
    }
    let period = ImpactRequest { period: Some("2026-09".to_owned()), ..request };
    let one = stage.instance.impact(&ada, "comp-flat", &period).await.expect("an impact");
    assert_ne!(one.totals.before, first.totals.before);
    let payee = one.largest[0].payee_id.clone();
    let request = TracesRequest { source, payee_id: payee, period: "2026-09".to_owned() };
    let traces = stage.instance.traces(&ada, "comp-flat", &request).await.expect("traces");
    assert!(traces.before.text.contains(&one.largest[0].before) && traces.after.text.contains(&one.largest[0].after), "{traces:?}");
    assert!(!traces.after.children.is_empty());
    let trap = "//! name = \"comp-flat\"\n//! point = \"compensation\"\nfail(\"no\")\n".to_owned();
    let broken = ImpactRequest { source: trap, ..ImpactRequest::default() };
    let broken = stage.instance.impact(&ada, "comp-flat", &broken).await.expect("an impact");
    assert!(!broken.complete && broken.findings.iter().any(|finding| finding.code == "extension-refused"), "{:?}", broken.findings);
    assert_eq!(broken.totals.before, broken.totals.after);
    stage.remove().await;
}
