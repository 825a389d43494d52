//! What credit pays: accumulation, quotas, caps, parameters, and how pay is posted.

use crate::company::{Company, SETTINGS, codes, rows};
use attain_domain::ids::PeriodId;

const TIERS: &str = r#"formula = "tiers"
settings = { tiers = [{ from = "0", rate = "0.1" }, { from = "1000", rate = "0.2" }] }"#;

/// Ana sells by herself; each line is a transaction of hers.
fn company(component: &str, transactions: &[(&str, &str)]) -> Company {
    let plan = format!("id = \"plan\"\n[[components]]\nid = \"commission\"\nmeasure = \"bookings\"\n{component}");
    let lines: Vec<String> = transactions
        .iter()
        .enumerate()
        .map(|(place, (day, amount))| {
            format!("transaction_id=t{place} kind=order ordered_on={day} amount={amount} currency=USD payee_id=ana")
        })
        .collect();
    Company::new(&SETTINGS.replace("credit-standard", "own"), &[&plan])
        .add("payees", "payee_id=ana")
        .add("plan_assignments", "payee_id=ana plan_id=plan from_on=2026-01-01 until_on=2026-05-01 target=500")
        .add("transactions", &lines.join("\n"))
}

fn amounts(company: &Company) -> Vec<String> {
    let outcome = company.run();
    assert!(outcome.complete, "{:?}", outcome.findings);
    rows(&outcome, "earnings", "amount")
}

#[test]
fn a_period_starts_again_where_a_quarter_goes_on() {
    let sales = [("2026-01-10", "800"), ("2026-02-10", "800"), ("2026-04-01", "800")];
    assert_eq!(amounts(&company(TIERS, &sales)), ["80", "80", "0", "80"]);
    // The tier of 20 % starts at 1,000 within the quarter: 200 at 10 %, 600 at 20 %.
    assert_eq!(amounts(&company(&format!("accumulate = \"quarter\"\n{TIERS}"), &sales)), ["80", "140", "0", "80"]);
    assert_eq!(amounts(&company(&format!("accumulate = \"year\"\n{TIERS}"), &sales)), ["80", "140", "0", "160"]);
}

#[test]
fn true_up_pays_the_rate_now_reached_on_what_came_before() {
    let formula = TIERS.replace("settings = {", "settings = { method = \"whole-amount\",");
    let company = company(
        &format!("accumulate = \"quarter\"\ntrue_up = true\n{formula}"),
        &[("2026-01-10", "800"), ("2026-02-10", "800"), ("2026-03-10", "-700")],
    );
    // 10 % of 800; then 20 % of 1,600 less 80; then 10 % of 900 less 320.
    assert_eq!(amounts(&company), ["80", "240", "-230", "0"]);
    let outcome = company.run();
    assert_eq!(rows(&outcome, "slices", "period_id position label amount")[1..3], ["2026-02 0 tier 2 320", "2026-02 1 already earned -80"]);
    assert_eq!(
        rows(&outcome, "statements", "period_id earned held carried paid"),
        ["2026-01 80 0 0 80", "2026-02 240 0 0 240", "2026-03 -230 0 -230 0", "2026-04 0 0 0 0"]
    );
}

#[test]
fn every_credit_stands_alone_where_a_component_says_so() {
    let company = company(&format!("accumulate = \"transaction\"\n{TIERS}"), &[("2026-01-10", "800"), ("2026-01-11", "1500")]);
    assert_eq!(rows(&company.run(), "earnings", "transaction_id to_date amount"), ["t0 800 80", "t1 1500 200"]);
}

#[test]
fn a_cap_limits_the_sum_of_its_span() {
    let sales = [("2026-01-10", "800"), ("2026-02-10", "800"), ("2026-03-10", "-300"), ("2026-04-10", "1000")];
    let capped = format!("{TIERS}\ncap = {{ per = \"quarter\", amount = \"100\" }}");
    // 80; 20 of 80; nothing back, for 130 of the quarter are above the cap still; 100 in the next quarter.
    assert_eq!(amounts(&company(&capped, &sales)), ["80", "20", "0", "100"]);
    let by_target = format!("{TIERS}\ncap = {{ rate = \"0.1\", of = \"target\" }}");
    assert_eq!(amounts(&company(&by_target, &sales)), ["50", "50", "-30", "50"]);
}

#[test]
fn a_plan_cap_is_shared_out_by_amount() {
    let second = format!(
        "{TIERS}\n[[components]]\nid = \"extra\"\nmeasure = \"bookings\"\nformula = \"tiers\"\nsettings = {{ tiers = [{{ from = \"0\", rate = \"0.3\" }}] }}"
    );
    let mut company = company(&second, &[("2026-01-10", "100")]);
    company.plans[0].cap = toml::from_str("amount = \"30\"").expect("a cap");
    let outcome = company.run();
    assert_eq!(rows(&outcome, "earnings", "component_id formula_amount amount")[..2], ["commission 10 7.5", "extra 30 22.5"]);
    assert_eq!(rows(&outcome, "slices", "component_id label amount")[1], "commission plan cap -2.5");
}

#[test]
fn who_joins_in_mid_period_has_a_share_of_the_quota_and_only_the_credit_since() {
    let mut company = company(
        &format!("quota = \"bookings\"\nprorate_quota = \"calendar-days\"\n{TIERS}"),
        &[("2026-01-10", "400"), ("2026-01-25", "600")],
    )
    .add("quotas", "payee_id=ana measure_id=bookings period_id=2026-01 amount=3100");
    company.rows.insert("plan_assignments".to_owned(), vec!["payee_id=ana plan_id=plan from_on=2026-01-22 until_on=2026-03-01".to_owned()]);
    let outcome = company.run();
    assert_eq!(rows(&outcome, "earnings", "period_id to_date quota attainment amount"), ["2026-01 600 1000 0.6 60", "2026-02 0 - - 0"]);
    assert_eq!(codes(&outcome), ["info unassigned-credit ana", "warning quota-missing ana, 2026-02"]);
    assert_eq!(rows(&outcome, "attainments", "value quota attainment"), ["1000 3100 0.32258065"]);
}

#[test]
fn a_quota_to_date_grows_with_the_quarter() {
    let with_basis = |basis: &str| {
        company(&format!("quota = \"bookings\"\naccumulate = \"quarter\"\nquota_basis = \"{basis}\"\n{TIERS}"), &[("2026-01-10", "400")])
            .add("quotas", "payee_id=ana measure_id=bookings period_id=2026-01 amount=100\npayee_id=ana measure_id=bookings period_id=2026-02 amount=300")
            .run()
    };
    assert_eq!(rows(&with_basis("span"), "earnings", "quota attainment")[..3], ["400 1", "400 1", "400 1"]);
    assert_eq!(rows(&with_basis("to-date"), "earnings", "quota attainment")[..3], ["100 4", "400 1", "400 1"]);
}

#[test]
fn a_parameter_of_the_payee_replaces_the_component_s() {
    let company = company(
        "formula = \"param-rate\"\nparams = { rate = \"0.1\" }\ninputs = { extra = \"bookings\" }",
        &[("2026-01-10", "100"), ("2026-02-10", "100")],
    )
    .add("parameters", "payee_id=ana plan_id=plan name=rate from_on=2026-02-01 value=0.5");
    assert_eq!(amounts(&company)[..2], ["110", "150"]);
}

#[test]
fn an_earning_that_is_no_multiple_of_the_step_is_refused() {
    for (formula, code) in [("half-cents", "error extension-invalid-answer half-cents"), ("trap", "error extension-trap trap")] {
        let outcome = company(&format!("formula = \"{formula}\""), &[("2026-01-10", "100")]).run();
        assert!(codes(&outcome).contains(&code.to_owned()), "{:?}", outcome.findings);
        assert!(!outcome.complete);
        assert_eq!((outcome.row_count("earnings"), outcome.row_count("statements"), outcome.row_count("postings")), (0, 0, 0));
    }
}

#[test]
fn a_correction_and_its_undoing_post_equal_and_opposite_differences() {
    let first = company(TIERS, &[("2026-01-10", "100"), ("2026-02-10", "100")]);
    let posting = "payee_id period_id plan_id component_id account revision amount";
    let before = first.run();
    assert_eq!(
        rows(&before, "postings", posting),
        [
            "ana 2026-01 plan commission earned 1 10",
            "ana 2026-01 - - paid 1 10",
            "ana 2026-02 plan commission earned 1 10",
            "ana 2026-02 - - paid 1 10"
        ]
    );
    let mut again = first.clone();
    again.posted = before.table("postings");
    assert_eq!(again.run().row_count("postings"), 0);
    let mut corrected = company(TIERS, &[("2026-01-10", "100"), ("2026-02-10", "60")]);
    corrected.posted = again.posted.clone();
    let correction = corrected.run();
    assert_eq!(rows(&correction, "postings", posting), ["ana 2026-02 plan commission earned 2 -4", "ana 2026-02 - - paid 2 -4"]);
    let mut inputs = again.inputs();
    inputs.posted = joined(&[before.table("postings"), correction.table("postings")]);
    let undone = crate::company::run(&inputs);
    assert_eq!(rows(&undone, "postings", posting), ["ana 2026-02 plan commission earned 3 4", "ana 2026-02 - - paid 3 4"]);
    inputs.periods = Some(vec![PeriodId::from("2026-01")]);
    assert_eq!(crate::company::run(&inputs).row_count("postings"), 0, "February is not settled");
}

fn joined(tables: &[attain_domain::Table]) -> attain_domain::Table {
    let mut all = attain_domain::Table::new("postings");
    for (name, column) in &tables[0].columns {
        let column = match column {
            attain_domain::Column::Text(_) => {
                let values: Vec<Option<String>> = tables
                    .iter()
                    .flat_map(|table| (0..table.row_count()).map(|row| table.texts(name).and_then(|text| text.get(row)).map(str::to_owned)))
                    .collect();
                attain_domain::Column::text(&values)
            }
            attain_domain::Column::Number { scale, .. } => attain_domain::Column::Number {
                scale: *scale,
                values: tables.iter().flat_map(|table| table.numbers(name).unwrap_or(&[]).to_vec()).collect(),
            },
        };
        all = all.with(name, column);
    }
    all
}

#[test]
fn an_unknown_plan_and_a_quota_of_zero_are_found() {
    let outcome = company(&format!("quota = \"bookings\"\n{TIERS}"), &[("2026-01-10", "100")])
        .add("plan_assignments", "payee_id=ana plan_id=gone from_on=2026-01-01")
        .add(
            "quotas",
            "payee_id=ana measure_id=bookings period_id=2026-01 amount=0\npayee_id=ana measure_id=other period_id=2026-01 amount=0",
        )
        .run();
    let found = codes(&outcome);
    for code in ["warning plan-missing gone", "warning quota-zero ana, 2026-01", "warning quota-unknown-measure ana, other, 2026-01"] {
        assert!(found.contains(&code.to_owned()), "{code} in {found:?}");
    }
    assert!(outcome.complete);
}
