//! A small script at every point that plans: `run(input, settings)`, and `map(record)` for a connector.

use attain_domain::point::{Answer, Call, Extension, Fault, FaultKind, Point};
use attain_domain::{Column, Table};
use attain_extend::script;

fn run(point: Point, body: &str, input: &[Table]) -> Result<Answer, Fault> {
    let source = format!("//! name = \"small\"\n//! point = \"{point}\"\n{body}");
    let script = script::compile("small", &source)?;
    script.run(&Call { settings: &serde_json::json!({ "step": "0.5" }), input })
}

#[test]
fn a_territory_script_assigns_accounts() {
    let accounts = Table::new("accounts")
        .with("account_id", Column::text(&[Some("a1"), Some("a2"), Some("a3")]))
        .with("territory_id", Column::text(&[Some("west"), None, Some("west")]))
        .with("locked", Column::integer(vec![1, 0, 0]))
        .with("measure.revenue", Column::money(vec![10_000, 20_000, 5_000]));
    let territories = Table::new("territories").with("territory_id", Column::text(&[Some("east"), Some("west")]));
    let body = "fn run(input) {
        let load = #{};
        for territory in input.territories { load[territory.territory_id] = 0; }
        let answer = [];
        for account in input.accounts {
            let to = account.territory_id;
            if account.locked != 1 {
                for territory in input.territories {
                    if is_null(to) || load[territory.territory_id] < load[to] { to = territory.territory_id; }
                }
            }
            load[to] += account.measure.revenue;
            answer.push(#{account_id: account.account_id, territory_id: to});
        }
        answer
    }";
    let answer = run(Point::Territory, body, &[accounts, territories]).expect("runs");
    let assigned = answer.tables[0].texts("territory_id").expect("a column");
    assert_eq!((0..3).map(|row| assigned.get(row)).collect::<Vec<_>>(), [Some("west"), Some("east"), Some("west")]);
}

#[test]
fn a_quota_script_spreads_a_total() {
    let nodes =
        Table::new("nodes").with("payee_id", Column::text(&[Some("ana"), Some("ben")])).with("weight", Column::money(vec![10_000, 30_000]));
    let periods = Table::new("periods").with("period_id", Column::text(&[Some("2026-Q1")]));
    let total = Table::new("total").with("amount", Column::money(vec![1_000_000])).with("step", Column::money(vec![100]));
    let body = "fn run(input, settings) {
        let weights = 0;
        for node in input.nodes { weights += node.weight; }
        let quotas = [];
        for period in input.periods {
            for node in input.nodes {
                let amount = round(input.total[0].amount * node.weight / weights, settings.step);
                quotas.push(#{payee_id: node.payee_id, period_id: period.period_id, amount: amount});
            }
        }
        #{quotas: quotas}
    }";
    let answer = run(Point::Quota, body, &[nodes, periods, total]).expect("runs");
    assert_eq!(answer.tables[0].numbers("amount"), Some(&[250_000, 750_000][..]));
}

#[test]
fn a_forecast_script_continues_a_series() {
    let series =
        Table::new("series").with("series_id", Column::text(&[Some("s"), Some("s")])).with("value", Column::money(vec![10_000, 30_000]));
    let horizon = Table::new("horizon")
        .with("steps", Column::integer(vec![2]))
        .with("season", Column::integer(vec![1]))
        .with("coverage", Column::rate(vec![80_000_000]));
    let body = "fn run(input) {
        let last = input.series[input.series.len() - 1];
        let answer = [];
        for step in 1..=input.horizon[0].steps {
            answer.push(#{series_id: last.series_id, step: step, value: last.value, low: last.value / 2, high: last.value * 2});
        }
        answer
    }";
    let answer = run(Point::Forecast, body, &[series, horizon]).expect("runs");
    assert_eq!(answer.tables[0].numbers("step"), Some(&[1, 2][..]));
    assert_eq!(answer.tables[0].numbers("low"), Some(&[15_000, 15_000][..]));
}

#[test]
fn an_insight_script_points_at_rows() {
    let rows =
        Table::new("rows").with("payee_id", Column::text(&[Some("ana"), Some("ben")])).with("earned", Column::money(vec![0, 90_000]));
    let body = "fn run(input) {
        let answer = [];
        let row = 0;
        for line in input.rows {
            if line.earned > 5 { answer.push(#{row: row, code: \"high-pay\", score: line.earned / 5, message: `${line.payee_id} earned ${line.earned}`}); }
            row += 1;
        }
        answer
    }";
    let answer = run(Point::Insight, body, &[rows]).expect("runs");
    assert_eq!(answer.tables[0].column("message").and_then(|column| column.show(0)), Some("ben earned 9".to_owned()));
    assert_eq!(answer.tables[0].numbers("score"), Some(&[180_000_000][..]));
}

#[test]
fn a_connector_script_maps_records_and_cannot_fetch() {
    let body = "fn map(record) { if record.Stage == \"draft\" { return (); } #{account_id: record.Id, name: `${record.Name}!`} }";
    let records = Table::new("records")
        .with("Id", Column::text(&[Some("1"), Some("2")]))
        .with("Name", Column::text(&[Some("Acme"), Some("Zed")]))
        .with("Stage", Column::text(&[None, Some("draft")]));
    let answer = run(Point::Connector, body, &[records]).expect("runs");
    assert_eq!(answer.tables[0].column("name").and_then(|column| column.show(0)), Some("Acme!".to_owned()));
    assert_eq!(answer.tables[0].row_count(), 1);
    let request = Table::new("request").with("entity", Column::text(&[Some("accounts")])).with("cursor", Column::text(&[Some("")]));
    let fault = run(Point::Connector, body, &[request]).expect_err("no records");
    assert_eq!(fault.kind, FaultKind::Refused);
}

#[test]
fn an_answer_that_is_not_the_contracts_is_named() {
    let rows = || [Table::new("rows").with("payee_id", Column::text(&[Some("ana")]))];
    for (body, part) in [
        ("fn run(input) { 5 }", "a map with `insights`"),
        ("fn run(input) { #{} }", "no list `insights`"),
        ("fn run(input) { [1] }", "is no map"),
        ("fn run(input) { [#{row: 0, code: \"a\", scores: 1}] }", "did you mean `score`"),
        ("fn run(input) { [#{row: \"x\", code: \"a\"}] }", "not a number"),
    ] {
        let fault = run(Point::Insight, body, &rows()).expect_err(body);
        assert_eq!(fault.kind, FaultKind::InvalidAnswer, "{fault}");
        assert!(fault.message.contains(part), "{fault}");
    }
}
