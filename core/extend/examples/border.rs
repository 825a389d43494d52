//! Measures a crediting component on batches of columns: `cargo run -p attain-extend --example border -- FILE.wasm [SETTINGS [BATCHES]]`.
#![expect(clippy::print_stdout, reason = "printing figures is the job")]

use anyhow::Context;
use attain_domain::point::{Call, Extension};
use attain_domain::{Column, NULL_NUMBER, RATE_SCALE, Table};
use attain_extend::wasm::{Grant, Host, HostOptions};
use std::time::{Duration, Instant};

const ROWS: usize = 10_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("name the component to measure")?;
    let settings: serde_json::Value = serde_json::from_str(&arguments.next().unwrap_or_else(|| "{}".to_owned()))?;
    let batches: usize = arguments.next().map_or(Ok(50), |count| count.parse())?;
    let bytes = std::fs::read(&path).with_context(|| format!("`{path}` cannot be read"))?;
    let host = Host::new(HostOptions::default())?;
    let loading = Instant::now();
    let extension = host.load(&bytes, Grant::default())?;
    println!("{:<28}{:>10.1} ms", "load (compile)", loading.elapsed().as_secs_f64() * 1e3);

    let input = batch();
    let call = Call { settings: &settings, input: &input };
    let sandboxed = median(batches, || extension.run(&call).map(|answer| answer.fuel_used).context("the component gave no answer"))?;
    let native = median(batches, || Ok(whole_amounts(&input).row_count() as u64))?;
    let fuel = extension.run(&call)?.fuel_used;
    println!("{:<28}{:>10.1} ns a row, {} units of fuel a row", "sandboxed", per_row(sandboxed), fuel / ROWS as u64);
    println!("{:<28}{:>10.1} ns a row", "whole amounts, native", per_row(native));
    let empty: Vec<Table> = input.iter().map(|table| table.take(&[])).collect();
    let fresh = median(batches, || {
        extension.run(&Call { settings: &settings, input: &empty }).map(|answer| answer.fuel_used).context("no answer")
    })?;
    println!("{:<28}{:>10.1} µs", "an empty batch", fresh.as_secs_f64() * 1e6);
    Ok(())
}

fn per_row(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9 / ROWS as f64
}

fn median(batches: usize, mut run: impl FnMut() -> anyhow::Result<u64>) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..batches.max(1) {
        let started = Instant::now();
        std::hint::black_box(run()?);
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn texts(prefix: &str, distinct: usize) -> Column {
    Column::text(&(0..ROWS).map(|row| Some(format!("{prefix}{:05}", row * 7 % distinct))).collect::<Vec<_>>())
}

/// One owner for each transaction and an overlay for every other one.
fn batch() -> Vec<Table> {
    let count = ROWS as i64;
    let mut claims: (Vec<Option<&str>>, Vec<Option<String>>) = Default::default();
    let mut bounds = vec![0];
    for row in 0..ROWS {
        claims.0.push(Some("owner"));
        claims.1.push(Some(format!("payee-{:04}", row * 13 % 1_000)));
        if row % 2 == 0 {
            claims.0.push(Some("overlay"));
            claims.1.push(Some(format!("payee-{:04}", row % 50)));
        }
        bounds.push(claims.0.len() as i64);
    }
    let shares = Column::Number { scale: RATE_SCALE, values: vec![NULL_NUMBER; claims.0.len()] };
    vec![
        Table::new("transactions")
            .with("transaction_id", texts("t", ROWS))
            .with("kind", texts("k", 1))
            .with("tested_on", Column::integer((0..count).map(|row| 20_000 + row % 90).collect()))
            .with("account_id", texts("a", 1_500))
            .with("territory_id", texts("r", 60))
            .with("product_id", texts("p", 40))
            .with("family_id", texts("f", 8))
            .with("tag", texts("g", 1))
            .with("amount", Column::money((0..count).map(|row| (row * 7_919 % 100_000) * 100).collect()))
            .with("quantity", Column::money(vec![10_000; ROWS]))
            .with("margin", Column::money(vec![NULL_NUMBER; ROWS]))
            .with("discount", Column::rate(vec![NULL_NUMBER; ROWS]))
            .with("claims_from", Column::integer(bounds[..ROWS].to_vec()))
            .with("claims_until", Column::integer(bounds[1..].to_vec())),
        Table::new("claims").with("role", Column::text(&claims.0)).with("payee_id", Column::text(&claims.1)).with("share", shares),
        Table::new("rounding").with("mode", Column::text(&[Some("half-even")])).with("step", Column::money(vec![100])),
    ]
}

/// The least that crediting can do: what a native function makes of the same columns.
fn whole_amounts(input: &[Table]) -> Table {
    let (transactions, claims) = (&input[0], &input[1]);
    let number = |name: &str| transactions.numbers(name).unwrap_or_default();
    let (amounts, from, until) = (number("amount"), number("claims_from"), number("claims_until"));
    let (roles, payees) = (claims.texts("role"), claims.texts("payee_id"));
    let (mut rows, mut codes, mut given) = (Vec::new(), Vec::new(), Vec::new());
    if let (Some(roles), Some(payees)) = (roles, payees) {
        let owner = roles.dictionary.iter().position(|role| role == "owner").map(|code| code as u32);
        for (row, amount) in amounts.iter().enumerate() {
            for claim in from[row] as usize..until[row] as usize {
                if Some(roles.codes[claim]) == owner {
                    rows.push(row as i64);
                    codes.push(payees.codes[claim]);
                    given.push(*amount);
                }
            }
        }
        let payee_id = attain_domain::TextColumn { dictionary: payees.dictionary.clone(), codes };
        return Table::new("credits")
            .with("row", Column::integer(rows))
            .with("payee_id", Column::Text(payee_id))
            .with("amount", Column::money(given));
    }
    Table::new("credits")
}
