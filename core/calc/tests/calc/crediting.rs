//! Who is credited: claims, splits, roll-up, what is set aside, and what extensions may not do.

use crate::company::{Company, SETTINGS, codes, rows};

/// Ana reports to Bo, whose own manager position is vacant, under Cy. Ana owns territory `west` with its child `coast`.
fn company() -> Company {
    Company::new(SETTINGS, &[])
        .add("payees", "payee_id=ana\npayee_id=bo\npayee_id=cy\npayee_id=dee")
        .add("positions", "position_id=rep\nposition_id=lead\nposition_id=vacant\nposition_id=head\nposition_id=expert")
        .add(
            "occupancies",
            "position_id=rep payee_id=ana from_on=2026-01-01
             position_id=lead payee_id=bo from_on=2026-01-01
             position_id=head payee_id=cy from_on=2026-01-01
             position_id=expert payee_id=dee from_on=2026-02-01",
        )
        .add(
            "hierarchy",
            "position_id=rep from_on=2026-01-01 until_on=2026-06-01 manager_position_id=lead
             position_id=rep from_on=2026-06-01 manager_position_id=head
             position_id=lead from_on=2026-01-01 manager_position_id=vacant
             position_id=vacant from_on=2026-01-01 manager_position_id=head",
        )
        .add("territories", "territory_id=west\nterritory_id=coast parent_id=west\nterritory_id=east")
        .add("families", "family_id=hard\nfamily_id=chips parent_id=hard\nfamily_id=soft")
        .add("products", "product_id=cpu family_id=chips\nproduct_id=app family_id=soft")
        .add("accounts", "account_id=acme\naccount_id=bolt")
        .add(
            "account_territories",
            "account_id=acme from_on=2026-01-01 territory_id=coast\naccount_id=bolt from_on=2026-01-01 territory_id=east",
        )
        .add(
            "coverage",
            "coverage_id=1 position_id=rep role=owner territory_id=west from_on=2026-01-01
             coverage_id=2 position_id=expert role=overlay family_id=hard from_on=2026-01-01",
        )
}

const CREDIT: &str = "payee_id transaction_id kind rule origin_payee_id period_id amount share";

#[test]
fn credit_follows_territory_family_and_the_hierarchy_of_the_day() {
    let outcome = company()
        .add(
            "transactions",
            "transaction_id=t1 kind=order ordered_on=2026-02-10 account_id=acme product_id=cpu amount=100 currency=USD
             transaction_id=t2 kind=order ordered_on=2026-06-01 account_id=acme product_id=app amount=7.5 currency=USD
             transaction_id=t3 kind=order ordered_on=2026-01-31 account_id=bolt product_id=cpu amount=9 currency=USD",
        )
        .run();
    assert_eq!(
        rows(&outcome, "credits", CREDIT),
        [
            "ana t1 direct direct ana 2026-02 100 1",
            "ana t2 direct direct ana 2026-06 7.5 1",
            "bo t1 rollup direct ana 2026-02 100 1",
            "cy t1 rollup direct ana 2026-02 100 1",
            "cy t2 rollup direct ana 2026-06 7.5 1",
            "dee t1 overlay overlay dee 2026-02 100 1",
        ]
    );
    assert!(outcome.complete);
    assert!(codes(&outcome).contains(&"info uncredited t3".to_owned()), "the expert's seat was vacant in January");
    assert_eq!(
        rows(&outcome, "totals", "name value"),
        [
            "in-count 3",
            "in-amount 116.5",
            "credited-count 2",
            "credited-amount 107.5",
            "uncredited-count 1",
            "uncredited-amount 9",
            "quarantined-count 0",
            "quarantined-amount 0"
        ]
    );
}

#[test]
fn what_cannot_be_credited_is_set_aside_with_a_reason() {
    let outcome = company()
        .add("fx_rates", "kind=spot currency=EUR from_on=2026-01-10 rate=1.1")
        .add(
            "transactions",
            "transaction_id=a kind=order ordered_on=2026-01-09 account_id=acme amount=1 currency=EUR
             transaction_id=b kind=order ordered_on=2026-01-10 account_id=acme amount=10.05 currency=EUR
             transaction_id=c kind=order ordered_on=2025-12-31 account_id=acme amount=1 currency=USD
             transaction_id=d kind=order ordered_on=2026-01-10 account_id=acme amount=1 currency=USD
             transaction_id=e kind=return ordered_on=2026-01-11 account_id=acme amount=-10.05 currency=EUR reverses_id=zz",
        )
        .add("splits", "transaction_id=d payee_id=ana share=0.5\ntransaction_id=d payee_id=bo share=0.4")
        .run();
    assert_eq!(
        codes(&outcome).into_iter().filter(|code| !code.contains("unassigned")).collect::<Vec<_>>(),
        ["info outside-calendar c", "warning reversed-unknown e", "warning split-not-100 d", "warning unknown-rate a"]
    );
    // 10.05 × 1.1 = 11.055, to the even cent.
    assert_eq!(rows(&outcome, "measures", "payee_id value"), ["ana 0", "bo 0", "cy 0"]);
    assert_eq!(rows(&outcome, "credits", "payee_id transaction_id amount")[..2], ["ana b 11.06", "ana e -11.06"]);
}

#[test]
fn splits_add_up_and_each_part_rolls_up_by_itself() {
    let outcome = company()
        .add("transactions", "transaction_id=t kind=order ordered_on=2026-03-01 account_id=acme amount=0.05 currency=USD")
        .add("splits", "transaction_id=t payee_id=ana share=0.5\ntransaction_id=t payee_id=bo share=0.5")
        .run();
    assert_eq!(
        rows(&outcome, "credits", "payee_id kind origin_payee_id amount share"),
        ["ana split ana 0.02 0.5", "bo rollup ana 0.02 0.5", "bo split bo 0.03 0.5", "cy rollup ana 0.02 0.5", "cy rollup bo 0.03 0.5"]
    );
}

#[test]
fn a_difference_leaves_less_to_every_level() {
    let mut company =
        company().add("transactions", "transaction_id=t kind=order ordered_on=2026-03-01 account_id=acme amount=10 currency=USD");
    company.settings =
        toml::from_str(&SETTINGS.replace(r#"{ mode = "gross" }"#, r#"{ mode = "difference", rate = "0.25" }"#)).expect("settings");
    let outcome = company.run();
    // 10 less a quarter is 7.50; 7.50 less a quarter is 5.625, to the even cent.
    assert_eq!(rows(&outcome, "credits", "payee_id kind amount share"), ["ana direct 10 1", "bo rollup 7.5 0.75", "cy rollup 5.62 0.5625"]);
}

#[test]
fn the_earlier_rule_wins() {
    let mut company = company()
        .add("transactions", "transaction_id=t kind=order ordered_on=2026-03-01 account_id=acme amount=10 currency=USD payee_id=bo");
    company.settings = toml::from_str(
        &SETTINGS.replace(r#"{ extension = "credit-standard" }"#, r#"{ extension = "own" }, { extension = "credit-standard" }"#),
    )
    .expect("settings");
    let outcome = company.run();
    assert_eq!(rows(&outcome, "credits", "payee_id kind rule"), ["bo direct own", "cy rollup own"]);
    assert!(codes(&outcome).contains(&"info duplicate-credit t".to_owned()));
}

#[test]
fn a_lying_rule_makes_the_run_incomplete_and_nothing_is_posted() {
    for (extension, code) in [
        ("inventor", "error invented-payee t"),
        ("short", "error unbalanced-credit t"),
        ("trap", "error extension-trap trap"),
        ("gone", "error not-an-extension gone"),
    ] {
        let mut company =
            company().add("transactions", "transaction_id=t kind=order ordered_on=2026-03-01 account_id=acme amount=10 currency=USD");
        company.settings = toml::from_str(&SETTINGS.replace("credit-standard", extension)).expect("settings");
        let outcome = company.run();
        assert!(!outcome.complete);
        assert!(codes(&outcome).contains(&code.to_owned()), "{extension}: {:?}", outcome.findings);
        assert_eq!((outcome.row_count("credits"), outcome.row_count("postings")), (0, 0));
    }
}

#[test]
fn a_hierarchy_that_bites_its_tail_is_an_error() {
    let outcome = company()
        .add("hierarchy", "position_id=head from_on=2026-01-01 manager_position_id=lead")
        .add("transactions", "transaction_id=t kind=order ordered_on=2026-03-01 account_id=acme amount=10 currency=USD")
        .run();
    assert!(codes(&outcome).contains(&"error hierarchy-cycle lead".to_owned()));
    assert!(!outcome.complete);
}

#[test]
fn an_id_that_comes_twice_is_an_error() {
    let line = "transaction_id=t kind=order ordered_on=2026-03-01 account_id=acme amount=10 currency=USD";
    let outcome = company().add("transactions", &format!("{line}\n{line}")).run();
    assert!(!outcome.complete);
    assert_eq!(codes(&outcome).iter().filter(|code| *code == "error duplicate-transaction t").count(), 2);
}

#[test]
fn a_measure_counts_what_its_conditions_let_pass() {
    let mut company = company().add(
        "transactions",
        "transaction_id=t1 kind=order ordered_on=2026-03-01 account_id=acme product_id=cpu amount=100 currency=USD quantity=3 cost=60 tag=spring
         transaction_id=t2 kind=order ordered_on=2026-03-02 account_id=acme product_id=app amount=50 currency=USD quantity=2 cost=45
         transaction_id=t3 kind=return ordered_on=2026-03-03 account_id=acme product_id=cpu amount=-20 currency=USD quantity=-1 cost=-12",
    );
    let measures = r#"[
        { id = "all" },
        { id = "direct", credits = ["direct"] },
        { id = "hardware", where = [{ field = "family", in = ["hard"] }] },
        { id = "exact", where = [{ field = "family", in = ["hard"], exact = true }] },
        { id = "units", value = "units" },
        { id = "margin", value = "margin" },
        { id = "rich", where = [{ field = "margin-rate", at_least = "0.4" }] },
        { id = "large", where = [{ field = "amount", at_least = "50", below = "100" }] },
        { id = "untagged", where = [{ field = "tag", not_in = ["spring"] }] },
        { id = "coast", where = [{ field = "territory", in = ["west"] }], value = "count" },
        { id = "deals", value = "transactions", credits = ["rollup"] },
    ]"#;
    company.settings = toml::from_str(&SETTINGS.replace(r#"[{ id = "bookings" }]"#, measures)).expect("settings");
    let outcome = company.run();
    let of = |payee: &str| -> Vec<String> {
        rows(&outcome, "measures", "payee_id measure_id value")
            .into_iter()
            .filter_map(|row| row.strip_prefix(&format!("{payee} ")).map(str::to_owned))
            .collect()
    };
    assert_eq!(
        of("ana"),
        ["all 130", "coast 3", "direct 130", "hardware 80", "large 50", "margin 37", "rich 80", "units 4", "untagged 30"]
    );
    assert_eq!(of("bo"), ["all 130", "coast 3", "deals 3", "hardware 80", "large 50", "margin 37", "rich 80", "units 4", "untagged 30"]);
}
