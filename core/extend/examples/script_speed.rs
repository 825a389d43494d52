//! Nanoseconds per row of a tiered commission: native decimals, the same as a formula over columns, and row by row.
//! `cargo run --release -p attain-extend --no-default-features --example script_speed`
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use attain_domain::point::Call;
use attain_domain::tiers::TierTable;
use attain_domain::{Column, Rounding, Table, fixed};
use attain_extend::script::{self, Evaluate};
use std::time::Instant;

const ROWS: usize = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let credited: Vec<i64> = (0..ROWS as i64).map(|row| (row * 7_919) % 300_000 * 10_000 + 37).collect();
    let rows = Table::new("rows")
        .with("credited", Column::money(credited.clone()))
        .with("prior", Column::money(vec![0; ROWS]))
        .with("to_date", Column::money(credited.clone()))
        .with("quota", Column::money(vec![1_000_000_000; ROWS]));
    let settings = serde_json::json!({ "by": "attainment", "tiers": [
        { "from": "0", "rate": "0.05" }, { "from": "0.5", "rate": "0.07" }, { "from": "1", "rate": "0.1" } ] });
    let table: TierTable = serde_json::from_value(settings.clone())?;

    let native = best(|| {
        let rounding = Rounding::default();
        let paid = credited.iter().filter_map(|amount| {
            let tiered = table.pay(0.into(), fixed::to_decimal(*amount, 4), Some(100_000.into()))?;
            fixed::from_decimal(rounding.apply(tiered.amount)?, 4)
        });
        paid.sum::<i64>()
    });
    println!("native decimals with their slices  {native:>6} ns per row");

    let tiered = script::compile("comp-tiered", include_str!("../../../scripts/comp-tiered.rhai"))?;
    let own = "//! name = \"own\"\n//! point = \"compensation\"\n\
        min(to_date, quota / 2) * 0.05 + clamp(to_date - quota / 2, 0, quota / 2) * 0.07 + max(to_date - quota, 0) * 0.1";
    let own = script::compile("own", own)?;
    let none = serde_json::json!({});
    for (name, script, settings) in [("comp-tiered", &tiered, &settings), ("written out with min, max and clamp", &own, &none)] {
        for evaluate in [Evaluate::Columns, Evaluate::Rows] {
            let call = Call { settings, input: std::slice::from_ref(&rows) };
            let time = best(|| script.run_as(&call, evaluate).map_or(0, |answer| answer.fuel_used as i64));
            println!("{name}, {evaluate:?}  {time:>6} ns per row, {:.2} of native", time as f64 / native as f64);
        }
    }
    Ok(())
}

fn best(mut run: impl FnMut() -> i64) -> u128 {
    let mut best = u128::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        std::hint::black_box(run());
        best = best.min(started.elapsed().as_nanos() / ROWS as u128);
    }
    best
}
