//! The options of crediting: who stands beside whom, stages, the house, windfalls, credit by hand, and what counts as double.

use crate::company::{Company, Native, codes, rows};
use attain_calc::{NotCredited, Path, Preview, WhyNot, preview};
use attain_domain::plan::CreditKind;

const SETTINGS: &str = r#"
format = 1
name = "Options"
currency = "USD"
calendar = { pattern = "months", first = "2026-01-01", years = 1 }
measures = [{ id = "bookings" }]
[crediting]
rules = [{ extension = "credit-standard" }, { extension = "each-claim", settings = { role = "ROLE" } }]
rollup = { mode = "gross" }
"#;

/// Ana and Ben report to Mia. Ana owns `west`; Mo mentors her seat until June, and Ben's from March on with a fifth.
fn company(role: &str, option: &str) -> Company {
    Company::new(&format!("{}{option}", SETTINGS.replace("ROLE", role)), &[])
        .add("payees", "payee_id=ana\npayee_id=ben\npayee_id=mia\npayee_id=mo\npayee_id=house")
        .add("positions", "position_id=rep\nposition_id=other\nposition_id=lead\nposition_id=empty")
        .add(
            "occupancies",
            "position_id=rep payee_id=ana from_on=2026-01-01
             position_id=other payee_id=ben from_on=2026-01-01
             position_id=lead payee_id=mia from_on=2026-01-01",
        )
        .add(
            "hierarchy",
            "position_id=rep from_on=2026-01-01 manager_position_id=lead
             position_id=other from_on=2026-01-01 manager_position_id=lead",
        )
        .add("territories", "territory_id=west")
        .add("accounts", "account_id=acme segment=key\naccount_id=own segment=house")
        .add("account_territories", "account_id=acme from_on=2026-01-01 territory_id=west")
        .add(
            "coverage",
            "coverage_id=1 position_id=rep role=owner territory_id=west from_on=2026-01-01
             coverage_id=2 position_id=empty role=owner territory_id=west from_on=2026-01-01
             coverage_id=3 position_id=other role=owner territory_id=west from_on=2026-06-01
             coverage_id=4 position_id=other role=owner territory_id=west from_on=2026-01-01 until_on=2026-02-01
             coverage_id=5 position_id=other role=overlay account_id=own from_on=2026-01-01",
        )
        .add(
            "relationships",
            "position_id=rep name=mentor payee_id=mo from_on=2026-01-01 until_on=2026-06-01
             position_id=other name=mentor payee_id=mo from_on=2026-03-01 share=0.2",
        )
}

fn order(id: &str, day: &str, rest: &str) -> String {
    format!("transaction_id={id} kind=order ordered_on={day} amount=100 currency=USD {rest}")
}

#[test]
fn whoever_stands_beside_a_claim_on_the_tested_date_has_one_too() {
    let outcome = company("mentor", "")
        .add("transactions", &order("t1", "2026-02-10", "account_id=acme"))
        .add("transactions", &order("t2", "2026-06-01", "account_id=acme"))
        .add("transactions", &order("t3", "2026-03-01", "payee_id=ben"))
        .run();
    let own: Vec<String> =
        rows(&outcome, "credits", "payee_id transaction_id kind rule").into_iter().filter(|row| row.starts_with("mo")).collect();
    // On 1 June Ana's mentor is gone, and Ben owns the territory too.
    assert_eq!(own, ["mo t1 overlay ana/owner/-/-/-", "mo t2 overlay ben/owner/-/-/0.2", "mo t3 overlay ben/payee/-/-/0.2"]);
}

#[test]
fn stages_are_claims_in_the_order_in_which_they_were_entered() {
    let outcome = company("stage", "duplicates = \"each\"")
        .add("transactions", &order("t1", "2026-02-10", "account_id=acme"))
        .add(
            "transaction_stages",
            "transaction_id=t1 stage=b entered_on=2026-01-05 payee_id=ben
             transaction_id=t1 stage=a entered_on=2026-01-06 payee_id=ana
             transaction_id=t1 stage=c entered_on=2026-01-05 payee_id=ben",
        )
        .run();
    let own: Vec<String> = rows(&outcome, "credits", "payee_id kind rule").into_iter().filter(|row| row.contains("overlay")).collect();
    assert_eq!(own, ["ana overlay -/-/a/20459/-", "ben overlay -/-/b/20458/-", "ben overlay -/-/c/20458/-"]);
}

#[test]
fn a_second_credit_is_left_out_by_payee_and_kind_or_by_rule_or_not_at_all() {
    let credited = |option: &str| {
        let outcome = company("mentor", option)
            .add("transactions", &order("t1", "2026-03-10", "account_id=acme"))
            .add("splits", "transaction_id=t1 payee_id=ana share=0.5\ntransaction_id=t1 payee_id=ben share=0.5")
            .add("coverage", "coverage_id=6 position_id=rep role=owner account_id=acme from_on=2026-01-01")
            .run();
        rows(&outcome, "credits", "payee_id").iter().filter(|payee| *payee == "mo").count()
    };
    // Ana's seat is reached by two rows of coverage and by her split, Ben's by his split.
    assert_eq!(credited(""), 1);
    assert_eq!(credited("duplicates = \"once-per-rule\""), 3);
    assert_eq!(credited("duplicates = \"each\""), 4);
}

#[test]
fn what_the_house_keeps_is_counted_by_itself_and_by_hand_it_can_be_given_away() {
    let house = "[[crediting.house]]\nwhere = [{ field = \"segment\", in = [\"house\"] }]\n";
    let company = |payee: &str| {
        company("none", &format!("{house}{payee}"))
            .add("transactions", &order("t1", "2026-02-10", "account_id=acme"))
            .add("transactions", &order("t2", "2026-02-10", "account_id=own payee_id=ana"))
            .add("transactions", &order("t3", "2027-02-10", "account_id=own"))
    };
    let totals = ["in-count 3", "in-amount 300", "credited-count 1", "credited-amount 100", "uncredited-count 0", "uncredited-amount 0"];
    let rest = ["quarantined-count 1", "quarantined-amount 100", "house-count 1", "house-amount 100"];
    let expected: Vec<&str> = totals.into_iter().chain(rest).collect();
    let nobody = company("").run();
    assert_eq!(rows(&nobody, "totals", "name value"), expected);
    assert!(!rows(&nobody, "credits", "transaction_id").contains(&"t2".to_owned()));
    let named = company("payee = \"house\"").run();
    assert_eq!(rows(&named, "totals", "name value"), expected);
    assert!(rows(&named, "credits", "payee_id transaction_id kind rule").contains(&"house t2 direct house".to_owned()));
    let given = company("payee = \"house\"")
        .add("manual_credits", "credit_id=m transaction_id=t2 payee_id=ben kind=direct mode=replace share=1 reason=won-back")
        .run();
    assert!(given.complete, "{:?}", given.findings);
    assert_eq!(rows(&given, "credits", "payee_id transaction_id rule")[1], "ben t2 manual:won-back");
    assert_eq!(rows(&given, "totals", "name value")[2], "credited-count 2");
    assert!(rows(&given, "totals", "name value").contains(&"house-count 0".to_owned()));
}

#[test]
fn credit_by_hand_of_what_is_set_aside_is_a_finding() {
    let outcome = company("none", "")
        .add("transactions", &order("t1", "2027-02-10", "account_id=acme"))
        .add("manual_credits", "credit_id=m1 transaction_id=t1 payee_id=ben kind=direct mode=add share=1 reason=x")
        .add("manual_credits", "credit_id=m2 transaction_id=gone payee_id=ben kind=direct mode=add share=1 reason=x")
        .run();
    assert!(outcome.complete);
    assert!(codes(&outcome).contains(&"warning manual-without-transaction m1".to_owned()));
}

#[test]
fn credit_by_hand_rolls_up_and_what_is_taken_away_rolls_up_too() {
    let outcome = company("none", "")
        .add("transactions", &order("t1", "2026-02-10", "account_id=acme"))
        .add(
            "manual_credits",
            "credit_id=m1 transaction_id=t1 payee_id=ana kind=split mode=add share=-0.33333333 reason=moved
             credit_id=m2 transaction_id=t1 payee_id=ben kind=split mode=add share=0.33333333 reason=moved",
        )
        .run();
    assert_eq!(
        rows(&outcome, "credits", "payee_id kind rule origin_payee_id amount"),
        [
            "ana direct direct ana 100",
            "ana split manual:moved ana -33.33",
            "ben split manual:moved ben 33.33",
            "mia rollup direct ana 100",
            "mia rollup manual:moved ana -33.33",
            "mia rollup manual:moved ben 33.33"
        ]
    );
    assert_eq!(rows(&outcome, "measures", "payee_id value"), ["ana 66.67", "ben 33.33", "mia 100"]);
}

#[test]
fn a_manager_gets_no_more_than_the_whole_where_roll_up_counts_once() {
    let credited = |option: &str| {
        company("none", &format!("allow_over_allocation = true\n{option}"))
            .add("transactions", &order("t1", "2026-02-10", ""))
            .add("transactions", &order("t2", "2026-02-10", ""))
            .add(
                "splits",
                "transaction_id=t1 payee_id=ana share=1\ntransaction_id=t1 payee_id=ben share=0.5
                 transaction_id=t2 payee_id=ana share=0.7\ntransaction_id=t2 payee_id=mia share=0.5",
            )
            .run()
    };
    assert_eq!(rows(&credited(""), "measures", "payee_id value"), ["ana 170", "ben 50", "mia 270"]);
    let once = credited("rollup_duplicates = \"once\"");
    // Of the second deal she has a half of her own, and 0.7 more would be 1.2.
    assert_eq!(rows(&once, "measures", "payee_id value"), ["ana 170", "ben 50", "mia 150"]);
    let findings: Vec<String> = codes(&once).into_iter().filter(|code| code.contains("duplicate")).collect();
    assert_eq!(findings, ["info duplicate-rollup t1", "info duplicate-rollup t2"]);
}

fn preview_of(company: &Company, about: Option<&str>) -> Preview {
    preview(&company.inputs(), &Native::default(), about)
}

#[test]
fn a_preview_says_by_which_path_somebody_is_credited_and_why_others_are_not() {
    let company = company("mentor", "").add("transactions", &order("deal", "2026-03-10", "account_id=acme"));
    let found = preview_of(&company, None);
    assert!(found.complete && !found.is_house && !found.is_windfall);
    assert_eq!((found.period_id.as_deref(), found.territory_id.as_deref(), found.amount), (Some("2026-03"), Some("west"), 1_000_000));
    let coverage = |id: &str, position: &str| Path::Coverage {
        coverage_id: id.to_owned(),
        position_id: position.to_owned(),
        role: "owner".to_owned(),
    };
    let credits: Vec<(&str, CreditKind, &[Path])> =
        found.credits.iter().map(|own| (own.payee_id.as_str(), own.kind, own.via.as_slice())).collect();
    let beside = Path::Relationship { name: "mentor".to_owned(), of_payee_id: "ana".to_owned() };
    assert_eq!(
        credits,
        [
            ("ana", CreditKind::Direct, &[coverage("1", "rep")][..]),
            ("mia", CreditKind::Rollup, &[Path::Hierarchy { from: vec!["ana".to_owned()] }][..]),
            ("mo", CreditKind::Overlay, &[beside][..]),
        ]
    );
    let not = |payee: Option<&str>, via: Path, why: WhyNot| NotCredited { payee_id: payee.map(str::to_owned), via, why: vec![why] };
    assert_eq!(
        found.not_credited,
        [
            not(None, coverage("2", "empty"), WhyNot::Vacant),
            not(Some("ben"), coverage("3", "other"), WhyNot::NotYet),
            not(Some("ben"), coverage("4", "other"), WhyNot::NoLonger),
        ]
    );
    let about = preview_of(&company, Some("ben"));
    assert_eq!(about.not_credited.len(), 4, "{:?}", about.not_credited);
    assert!(about.not_credited.iter().any(|own| own.why == [WhyNot::OtherAccount]));
}

#[test]
fn a_preview_of_what_the_house_keeps_says_so() {
    let house = "[[crediting.house]]\nwhere = [{ field = \"account\", in = [\"acme\"] }]\n[crediting.windfall]\nat_least = \"100\"\n";
    let company = company("none", house).add("transactions", &order("deal", "2026-03-10", "account_id=acme payee_id=ben"));
    let found = preview_of(&company, None);
    assert!(found.is_house && found.credits.is_empty() && !found.is_windfall);
    assert!(found.not_credited.iter().any(|own| own.via == Path::Payee && own.why == [WhyNot::House]));
}

#[test]
fn a_windfall_is_held_until_somebody_has_released_it() {
    let windfall = "[crediting.windfall]\nat_least = \"100\"\n";
    let company = company("none", windfall).add("transactions", &order("deal", "2026-03-10", "account_id=acme"));
    assert!(preview_of(&company, None).is_windfall);
    let undecided = company.clone().add("holds", "hold_id=h transaction_id=deal from_on=2026-03-10 reason=windfall-released");
    assert!(preview_of(&undecided, None).is_windfall, "a decision has a day of release");
    let other = company.clone().add("holds", "hold_id=h transaction_id=deal from_on=2026-03-10 until_on=2026-03-11 reason=dispute");
    assert!(preview_of(&other, None).is_windfall);
    let released = company.add("holds", "hold_id=h transaction_id=deal from_on=2026-03-10 until_on=2026-03-11 reason=windfall-released");
    assert!(!preview_of(&released, None).is_windfall);
}
