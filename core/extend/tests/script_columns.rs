//! Columns and rows give the same answer, to the byte: for generated formulas and for every bundled script.

use attain_domain::point::{Answer, Call, Fault};
use attain_domain::{Column, NULL_NUMBER, Table};
use attain_extend::script::{self, Evaluate, Script, ScriptLimits};
use proptest::prelude::*;
use std::path::Path;

fn formula(body: &str) -> Script {
    let source = format!("//! name = \"generated\"\n//! point = \"compensation\"\n{body}");
    // Generated formulas nest deeper than anybody would write.
    let limits = ScriptLimits { expression_depth: 250, ..ScriptLimits::FORMULA };
    script::compile_with("generated", &source, limits).unwrap_or_else(|fault| panic!("{fault}\n{body}"))
}

fn compare(script: &Script, settings: &serde_json::Value, input: &[Table]) -> Result<(), TestCaseError> {
    let call = Call { settings, input };
    let run = |evaluate| -> Result<Answer, Fault> { script.run_as(&call, evaluate) };
    match (run(Evaluate::Columns), run(Evaluate::Rows)) {
        (Ok(columns), Ok(rows)) => prop_assert_eq!(columns.tables, rows.tables),
        (Err(columns), Err(rows)) => prop_assert_eq!(columns, rows),
        (columns, rows) => prop_assert!(false, "columns: {:?}\nrows: {:?}", columns, rows),
    }
    Ok(())
}

/// Whether columns alone could do it: an answer that only the rows gave compares nothing.
fn by_columns(script: &Script, settings: &serde_json::Value, input: &[Table]) -> bool {
    script.run_as(&Call { settings, input }, Evaluate::ColumnsOnly).is_ok()
}

#[test]
fn most_generated_formulas_are_answered_by_columns_alone() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let settings = serde_json::json!({ "rate": "0.0725" });
    let mut answered = 0;
    for _ in 0..200 {
        let (body, input) = (body(), rows()).new_tree(&mut runner).expect("a formula").current();
        answered += usize::from(by_columns(&formula(&body), &settings, &input));
    }
    assert!(answered >= 60, "columns answered {answered} of 200");
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("credited".to_owned()),
        Just("prior".to_owned()),
        Just("to_date".to_owned()),
        Just("or(quota, 0)".to_owned()),
        Just("quota".to_owned()),
        Just("attainment".to_owned()),
        Just("params.rate".to_owned()),
        Just("inputs.units".to_owned()),
        Just("settings.rate".to_owned()),
        Just("0".to_owned()),
        Just("7".to_owned()),
        Just("0.05".to_owned()),
        Just("1000000".to_owned()),
        Just("123456789.12345678".to_owned()),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    number().prop_recursive(5, 40, 4, |inner| {
        let flag = (inner.clone(), prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("=="), Just("!=")], inner.clone())
            .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"));
        let flags = prop_oneof![
            flag.clone(),
            (flag.clone(), flag.clone()).prop_map(|(left, right)| format!("({left} && {right})")),
            (flag.clone(), flag.clone()).prop_map(|(left, right)| format!("({left} || {right})")),
            (flag.clone(), flag.clone()).prop_map(|(left, right)| format!("({left} & {right})")),
            flag.prop_map(|one| format!("!{one}")),
            Just("(payee_id == \"p1\")".to_owned()),
            inner.clone().prop_map(|one| format!("is_null({one})")),
        ];
        prop_oneof![
            (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/"), Just("%")], inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("min({left}, {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("max({left}, {right}, 3)")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("or({left}, {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} ?? {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("clamp({left}, 0, {right})")),
            inner.clone().prop_map(|one| format!("round({one}, 0.01, \"half-up\")")),
            inner.clone().prop_map(|one| format!("floor({one})")),
            inner.clone().prop_map(|one| format!("abs(-{one})")),
            (inner.clone(), inner.clone()).prop_map(|(input, rate)| format!("slice(\"part\", {input}, {rate})")),
            (flags.clone(), inner.clone(), inner.clone())
                .prop_map(|(condition, left, right)| format!("(if {condition} {{ {left} }} else {{ {right} }})")),
            (flags.clone(), inner.clone()).prop_map(|(condition, left)| format!("(if {condition} {{ let x = {left}; x }})")),
            (flags, inner.clone(), inner).prop_map(|(condition, left, right)| format!("select({condition}, {left}, {right})")),
        ]
    })
}

fn body() -> impl Strategy<Value = String> {
    (expression(), expression(), expression()).prop_map(|(first, second, third)| {
        format!(
            "fn part(x, y) {{ if x > y {{ return x; }} y }}\nlet a = {first};\nif a > 100 {{ a -= 1; }} else if is_null(a) {{ a = 2; }}\nlet b = {second};\nif b == 7 {{ return explain(\"early\", 5); }}\nor(part(or(a, 0), or(b, 1)), 0) + or({third}, 0)"
        )
    })
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -2_000_000_000i64..20_000_000_000,
        1 => Just(0i64),
        1 => Just(1_000_000i64),
        1 => Just(NULL_NUMBER),
        1 => Just(4_000_000_000_000_000_000i64),
    ]
}

prop_compose! {
    fn rows()(values in proptest::collection::vec((amount(), amount(), amount(), amount(), amount()), 1..9)) -> Vec<Table> {
        let column = |pick: fn(&(i64, i64, i64, i64, i64)) -> i64| values.iter().map(pick).collect::<Vec<i64>>();
        let payees: Vec<Option<String>> = (0..values.len()).map(|row| (row != 3).then(|| format!("p{}", row % 3))).collect();
        let rows = Table::new("rows")
            .with("payee_id", Column::text(&payees))
            .with("credited", Column::money(column(|row| row.0)))
            .with("prior", Column::money(column(|row| row.1)))
            .with("to_date", Column::money(column(|row| row.2)))
            .with("quota", Column::money(column(|row| row.3)))
            .with("attainment", Column::rate(column(|row| row.4)))
            .with("target", Column::money(column(|row| row.4)))
            .with("inputs.units", Column::money(column(|row| row.1)))
            .with("params.rate", Column::rate(column(|row| row.3)));
        let rounding = Table::new("rounding")
            .with("mode", Column::text(&[Some("half-even")]))
            .with("step", Column::rate(vec![1_000_000]));
        vec![rows, rounding]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_and_rows_agree_on_every_formula(body in body(), input in rows()) {
        let script = formula(&body);
        prop_assert!(script.is_columnar());
        compare(&script, &serde_json::json!({ "rate": "0.0725" }), &input)?;
    }

    #[test]
    fn columns_and_rows_agree_on_tiers(
        input in rows(),
        by in prop_oneof![Just("amount"), Just("attainment")],
        method in prop_oneof![Just("marginal"), Just("marginal"), Just("whole-amount"), Just("interpolated-rate"), Just("overage-multiplier")],
        negative in prop_oneof![Just("reverse"), Just("zero")],
        pay in prop_oneof![Just("credited"), Just("target")],
        start in prop_oneof![Just("0"), Just("0.25")],
    ) {
        let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/comp-tiered.rhai")).expect("a script");
        let script = script::compile("comp-tiered", &source).expect("compiles");
        let settings = serde_json::json!({
            "by": by, "method": method, "negative": negative, "pay": pay, "rate": "0.03",
            "tiers": [{ "from": start, "rate": "0.04" }, { "from": "0.5", "rate": "0.0625" }, { "from": "1.25", "until": "1000.5", "rate": "0.1" }],
        });
        compare(&script, &settings, &input)?;
    }

    #[test]
    fn columns_and_rows_agree_on_the_other_bundled_formulas(
        input in rows(),
        name in prop_oneof![Just("comp-flat"), Just("comp-threshold-bonus"), Just("comp-accelerator")],
        flag in any::<bool>(),
    ) {
        let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../scripts/{name}.rhai"))).expect("a script");
        let script = script::compile(name, &source).expect("compiles");
        let settings = match name {
            "comp-flat" => serde_json::json!({ "rate": "0.05" }),
            "comp-threshold-bonus" => serde_json::json!({ "threshold": "0.9", "strictly": flag, "rate": "0.1" }),
            _ => serde_json::json!({ "rate": "0.05", "accelerated_rate": "0.08", "retroactive": flag }),
        };
        compare(&script, &settings, &input)?;
    }
}

#[test]
fn loops_run_row_by_row_and_see_the_same_values() {
    let script = formula("let total = 0; for part in [1, 2, 3] { total += part * credited; } total / 3");
    assert!(!script.is_columnar());
    let rows = Table::new("rows").with("credited", Column::money(vec![10_000, 30_000]));
    let answer = script.run_as(&Call { settings: &serde_json::json!({}), input: &[rows] }, Evaluate::Columns).expect("runs");
    assert_eq!(answer.tables[0].numbers("amount"), Some(&[20_000, 60_000][..]));
}

#[test]
fn integers_divide_to_decimals_and_do_not_wrap() {
    for (body, amount) in [
        ("1 / 4", 2_500),
        ("7 % 4 + 0.5", 35_000),
        ("let x = 1; x /= 8; x * 2", 2_500),
        ("(9223372036854775807 + 1) / 9223372036854775808", 10_000),
    ] {
        for evaluate in [Evaluate::Columns, Evaluate::Rows] {
            let rows = Table::new("rows").with("credited", Column::money(vec![0]));
            let answer = formula(body).run_as(&Call { settings: &serde_json::json!({}), input: &[rows] }, evaluate).expect(body);
            assert_eq!(answer.tables[0].numbers("amount"), Some(&[amount][..]), "{body} {evaluate:?}");
        }
    }
}

#[test]
fn the_same_call_gives_the_same_bytes_and_the_same_fuel() {
    let script = formula("if credited > 1 { slice(`to ${payee_id}`, credited, 0.05) } else { 0 }");
    let rows =
        Table::new("rows").with("payee_id", Column::text(&[Some("b"), Some("a")])).with("credited", Column::money(vec![10_000, 30_000]));
    let settings = serde_json::json!({});
    for evaluate in [Evaluate::Columns, Evaluate::Rows] {
        let call = Call { settings: &settings, input: std::slice::from_ref(&rows) };
        let first = script.run_as(&call, evaluate).expect("runs");
        assert!(first.fuel_used > 0);
        for _ in 0..20 {
            assert_eq!(script.run_as(&call, evaluate).expect("runs"), first);
        }
    }
}
