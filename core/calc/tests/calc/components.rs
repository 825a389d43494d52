//! Laws of what components take from each other and from others: pools add up, ranks are ranks, stacks are sums, once is once, and none of
//! it depends on the order of the input.

use crate::company::{Company, SETTINGS, codes, rows, run, shuffled};
use attain_calc::Inputs;
use attain_domain::fixed;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A company of `count` payees `p0`, `p1`… on one plan, whose sales are (payee, day of January or February, amount in cents).
fn company(plan: &str, count: usize, sales: &[(usize, u32, i64)]) -> Company {
    let each = |line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>().join("\n");
    let lines = sales.iter().enumerate().map(|(place, (payee, day, cents))| {
        let day = if *day <= 28 { format!("2026-01-{day:02}") } else { format!("2026-02-{:02}", day - 28) };
        let amount = fixed::format(cents * 100, 4);
        format!("transaction_id=t{place:03} kind=order ordered_on={day} amount={amount} currency=USD payee_id=p{}", payee % count)
    });
    Company::new(&SETTINGS.replace("credit-standard", "own").replace("mode = \"gross\"", "mode = \"none\""), &[plan])
        .add("payees", &each(&|payee| format!("payee_id=p{payee}")))
        .add(
            "plan_assignments",
            &each(&|payee| format!("payee_id=p{payee} plan_id=plan from_on=2026-01-01 until_on=2026-03-01 target={}", 100 * (payee + 1))),
        )
        .add("teams", "team_id=north\nteam_id=south")
        .add(
            "team_members",
            &each(&|payee| format!("team_id={} payee_id=p{payee} from_on=2026-01-01 share=0.{}", ["north", "south"][payee % 2], payee + 1)),
        )
        .add("transactions", &lines.collect::<Vec<_>>().join("\n"))
}

fn component(rest: &str) -> String {
    format!("id = \"plan\"\n[[components]]\nid = \"own\"\nmeasure = \"bookings\"\n{rest}\n")
}

fn sales() -> impl Strategy<Value = Vec<(usize, u32, i64)>> {
    proptest::collection::vec((0usize..6, 1u32..56, -200_000i64..500_000), 1..25)
}

/// Cents by the texts of the columns asked for.
fn sums(company: &Company, columns: &str) -> BTreeMap<String, i64> {
    let outcome = company.run();
    assert!(outcome.complete, "{:?}", outcome.findings);
    let mut sums = BTreeMap::new();
    for row in rows(&outcome, "earnings", &format!("{columns} amount")) {
        let (key, amount) = row.rsplit_once(' ').expect("an amount");
        *sums.entry(key.to_owned()).or_insert(0) += fixed::parse(amount, 4).expect("a number") / 100;
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shares_of_a_pool_add_up_to_it(
        sales in sales(),
        count in 1usize..6,
        share in prop_oneof![Just("equal"), Just("target"), Just("measure"), Just("team-share")],
        rate in 1i64..500,
    ) {
        let plan = component(&format!("formula = \"pool\"\npool = {{ rate = \"0.{rate:04}\", share = \"{share}\" }}"));
        let paid = sums(&company(&plan, count, &sales), "period_id");
        for (period, days) in [("2026-01", 1..=28), ("2026-02", 29..=56)] {
            let own: i64 = sales.iter().filter(|(_, day, _)| days.contains(day)).map(|(_, _, cents)| cents).sum();
            let pool = fixed::divide(i128::from(own) * i128::from(rate), 10_000, fixed::RoundingMode::HalfEven) as i64;
            let nobody = share == "measure" && (0..count).all(|payee| {
                sales.iter().filter(|(own, day, _)| own % count == payee && days.contains(day)).map(|(_, _, cents)| cents).sum::<i64>() <= 0
            });
            prop_assert_eq!(paid.get(period).copied().unwrap_or(0), if nobody { 0 } else { pool }, "{} {}", period, share);
        }
    }

    #[test]
    fn a_rank_is_one_more_than_those_who_are_better(sales in sales(), count in 1usize..6, dense in any::<bool>(), team in any::<bool>()) {
        let (ties, among) = (if dense { "dense" } else { "competition" }, if team { "team" } else { "plan" });
        let plan = component(&format!("formula = \"rank\"\nrank = {{ by = \"value\", ties = \"{ties}\", among = \"{among}\" }}"));
        let ranks = sums(&company(&plan, count, &sales), "payee_id period_id");
        for (period, days) in [("2026-01", 1..=28), ("2026-02", 29..=56)] {
            let value = |payee: usize| -> i64 {
                sales.iter().filter(|(own, day, _)| own % count == payee && days.contains(day)).map(|(_, _, cents)| cents).sum()
            };
            for payee in 0..count {
                let mut better: Vec<i64> = (0..count).filter(|other| !team || other % 2 == payee % 2).map(value).filter(|other| *other > value(payee)).collect();
                better.sort_unstable();
                if dense {
                    better.dedup();
                }
                prop_assert_eq!(ranks[&format!("p{payee} {period}")], 100 * (better.len() as i64 + 1));
            }
        }
    }

    /// Marginal tiers with rates of whole per cents on whole hundreds: no part is rounded, so parts add up to the whole.
    #[test]
    fn credits_that_are_stacked_pay_together_what_the_year_pays(sales in sales(), count in 1usize..4) {
        let whole: Vec<(usize, u32, i64)> = sales.iter().map(|(payee, day, cents)| (*payee, *day, cents / 10_000 * 10_000)).collect();
        let tiers = "formula = \"tiers\"\nsettings = { tiers = [{ from = \"0\", rate = \"0.04\" }, { from = \"1000\", rate = \"0.07\" }] }";
        let stacked = sums(&company(&component(&format!("accumulate = \"year\"\nstacked = true\n{tiers}")), count, &whole), "payee_id");
        let together = sums(&company(&component(&format!("accumulate = \"year\"\n{tiers}")), count, &whole), "payee_id");
        for (payee, amount) in &together {
            prop_assert_eq!(stacked.get(payee).copied().unwrap_or(0), *amount);
        }
    }

    #[test]
    fn what_is_paid_once_is_never_more_than_one_result(sales in sales(), count in 1usize..4) {
        let tiers = "accumulate = \"transaction\"\nformula = \"tiers\"\nsettings = { tiers = [{ from = \"0\", rate = \"0.1\" }] }";
        let company = company(&component(&format!("{tiers}\nonce = true")), count, &sales);
        let outcome = company.run();
        let most: BTreeMap<usize, i64> = sales.iter().fold(BTreeMap::new(), |mut most, (payee, _, cents)| {
            let own = most.entry(payee % count).or_insert(0i64);
            *own = (*own).max(cents / 10 + 1);
            most
        });
        let mut paid: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows(&outcome, "earnings", "payee_id amount") {
            let (payee, amount) = row.split_once(' ').expect("two columns");
            *paid.entry(payee.to_owned()).or_default() += fixed::parse(amount, 4).expect("a number") / 100;
        }
        for (payee, most) in most {
            let paid = paid.get(&format!("p{payee}")).copied().unwrap_or(0);
            prop_assert!((0..=most).contains(&paid), "{} of {}", paid, most);
        }
    }

    #[test]
    fn the_order_of_the_input_changes_nothing(sales in sales(), seed in any::<u64>()) {
        let plan = r#"
            id = "plan"
            caps = [{ components = ["own", "share"], per = "year", amount = "900" }]
            [[components]]
            id = "built"
            measure = "bookings"
            accumulate = "year"
            true_up = true
            formula = "base"
            uses = { base = "own" }
            requires = ["share"]
            [[components]]
            id = "share"
            measure = "bookings"
            formula = "pool"
            pool = { rate = "0.013", share = "target", among = "team", prorate = "calendar-days" }
            gates = [{ by = "earned", component = "own", at_least = "10", otherwise = "rate", rate = "0.333" }]
            [[components]]
            id = "own"
            measure = "bookings"
            accumulate = "year"
            stacked = true
            formula = "tiers"
            settings = { tiers = [{ from = "0", rate = "0.04" }, { from = "1000", rate = "0.07" }] }
            multipliers = [{ by = "value", between = "linear", steps = [{ from = "0", factor = "1" }, { from = "3000", factor = "1.5" }] }]
            once = true
            [[components]]
            id = "contest"
            measure = "team"
            formula = "rank"
            rank = { by = "value" }
            floor = { amount = "2" }
        "#;
        let mut company = company(plan, 5, &sales);
        company.settings.measures.push(toml::from_str("id = \"team\"\nof = \"team\"").expect("a measure"));
        let inputs = company.inputs();
        let mixed = Inputs {
            tables: inputs.tables.iter().map(|(name, table)| (name.clone(), Arc::new(shuffled(table, seed)))).collect(),
            ..inputs.clone()
        };
        let (one, other) = (run(&inputs), run(&mixed));
        for name in attain_calc::RESULTS {
            prop_assert_eq!(one.table(name), other.table(name), "{}", name);
        }
        prop_assert!(one.complete, "{:?}", one.findings);
    }
}

#[test]
fn components_of_two_plans_that_wait_for_each_other_pay_nothing_and_say_so() {
    let plan = |id: &str, other: &str| {
        format!(
            "id = \"{id}\"\n[[components]]\nid = \"{id}\"\nformula = \"base\"\nearnings = {{ component = \"{other}\", of = \"reports\" }}\n"
        )
    };
    let mut company = company(&component("formula = \"rank\"\nrank = { by = \"value\" }"), 1, &[]);
    company.plans = [plan("a", "b"), plan("b", "a")].iter().map(|plan| toml::from_str(plan).expect("a plan")).collect();
    let outcome = company.run();
    assert!(!outcome.complete);
    assert!(codes(&outcome).contains(&"error component-cycle a".to_owned()), "{:?}", codes(&outcome));
}

#[test]
fn a_pool_that_nobody_has_a_share_of_is_told() {
    let plan = component("formula = \"pool\"\npool = { amount = \"100\", share = \"measure\" }");
    let outcome = company(&plan, 2, &[(0, 1, 50_000)]).run();
    assert_eq!(rows(&outcome, "earnings", "payee_id period_id amount"), ["p0 2026-01 100", "p0 2026-02 0", "p1 2026-01 0", "p1 2026-02 0"]);
    assert_eq!(codes(&outcome), ["warning pool-without-shares plan, own, 2026-02"]);
}

#[test]
fn a_table_without_a_row_pays_nothing_and_says_so_as_it_is_told_to() {
    let plan = |no_match: &str| {
        component("accumulate = \"transaction\"\nformula = \"param-rate\"\nlookups = { rate = \"rates\" }")
            + &format!(
                "[tables.rates]\nno_match = \"{no_match}\"\ndimensions = [{{ name = \"amount\", kind = \"range\" }}]\nrows = [{{ when = {{ amount = {{ from = \"100\" }} }}, result = \"0.1\" }}]\n"
            )
    };
    let run = |no_match| company(&plan(no_match), 1, &[(0, 1, 50_000), (0, 2, 5_000)]).run();
    for no_match in ["zero", "finding"] {
        assert_eq!(rows(&run(no_match), "earnings", "transaction_id amount"), ["t000 50", "t001 0"]);
    }
    assert!(codes(&run("zero")).is_empty());
    assert_eq!(codes(&run("finding")), ["warning rate-no-match p0, t001, plan, own"]);
    let outcome = run("error");
    assert_eq!((outcome.complete, codes(&outcome)), (false, vec!["error rate-no-match p0, t001, plan, own".to_owned()]));
}

#[test]
fn a_table_that_asks_for_what_a_row_does_not_have_is_an_error() {
    let plan = component("formula = \"param-rate\"\nlookups = { rate = \"rates\" }")
        + "[tables.rates]\ndimensions = [{ name = \"product\" }]\nrows = [{ result = \"0.1\" }]\n";
    let outcome = company(&plan, 1, &[(0, 1, 50_000)]).run();
    assert_eq!(codes(&outcome), ["error table-unknown-field plan, tables.rates"]);
}
