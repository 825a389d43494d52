//! The reference workload through the product's own path (input chunks in SQLite, sandboxed extensions with limits, results
//! durably stored), side by side with the same arithmetic in plain Rust, stored and not stored. `serve`: the server under load.
//! `incremental`: what one change costs.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

mod crash;
mod incremental;
mod plain;
mod serve;

use anyhow::{Context, Result, ensure};
use attain_app::extensions::{self, Set};
use attain_calc::{Inputs, calculate, reference};
use attain_database::{Access, Database};
use attain_domain::Table;
use attain_domain::ids::RunId;
use attain_store::chunks;
use attain_store::runs::{Manifest, RunRecord, TableManifest};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Each is run so often, in turn; the median counts.
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((what, rest)) if what == "serve" => serve::run(rest).await,
        Some((what, rest)) if what == "crash" => crash::run(rest),
        Some((what, rest)) if what == "incremental" => incremental::run(rest).await,
        _ => calculation(&arguments).await,
    }
}

async fn calculation(arguments: &[String]) -> Result<()> {
    let plugins = std::env::var_os("ATTAIN_PLUGINS").map(PathBuf::from).context("set ATTAIN_PLUGINS to the folder of built plugins")?;
    let count = arguments.first().map_or(Ok(reference::TRANSACTION_COUNT), |count| count.parse())?;
    // The data folder should be on a real disk, or a commit costs nothing.
    let folder = tempfile::Builder::new().prefix("attain-bench").tempdir_in(std::env::current_dir()?)?;
    println!("generating {count} transactions and storing them as chunks");
    let inputs = reference::inputs(count);
    let stored = store_inputs(&folder.path().join("inputs.db"), &inputs).await?;
    let (settings, plans) = (inputs.settings.clone(), inputs.plans.clone());
    drop(inputs);
    let set = Set::new(&extensions::bundled(&[plugins])?);

    let mut product = Vec::new();
    let mut yardstick = Vec::new();
    let mut bare = Vec::new();
    let mut checksum = String::new();
    for round in 0..ROUNDS {
        let (times, sum) = run_product(&folder.path().join(format!("product{round}.db")), &stored, &settings, &plans, &set).await?;
        println!("round {}: product    {}", round + 1, shown(&times));
        product.push(times);
        let (times, own) = run_plain(&folder.path().join(format!("plain{round}.db")), &stored, true).await?;
        println!("round {}: plain+store {}", round + 1, shown(&times));
        yardstick.push(times);
        ensure!(own == sum, "the product's checksum differs from plain Rust's:\n{sum}\n{own}");
        let (times, _) = run_plain(&folder.path().join(format!("bare{round}.db")), &stored, false).await?;
        println!("round {}: plain      {}", round + 1, shown(&times));
        bare.push(times);
        checksum = sum;
    }
    let (product, yardstick, bare) = (median(product), median(yardstick), median(bare));
    print_table("product (median round)", &product);
    print_table("plain Rust, lines stored as chunks", &yardstick);
    print_table("plain Rust, nothing stored", &bare);
    println!("\nproduct ÷ plain with chunks = {:.2}", total(&product) / total(&yardstick));
    println!("{checksum}");
    if count == reference::TRANSACTION_COUNT {
        println!("{}  {}", reference::EXPECTED, if checksum == reference::EXPECTED { "as expected" } else { "EXPECTED, NOT REACHED" });
        ensure!(checksum == reference::EXPECTED, "the checksum is not the expected one");
    }
    Ok(())
}

/// What one step took: its name, seconds, and the peak of resident memory during it in MB.
type Times = Vec<(String, f64, u64)>;

/// Takes the time and the peak of memory from one step to the next.
struct Laps {
    times: Times,
    clock: Instant,
}

impl Laps {
    fn start() -> Laps {
        forget_peak();
        Laps { times: Vec::new(), clock: Instant::now() }
    }

    fn take(&mut self, name: &str) {
        self.times.push((name.to_owned(), self.clock.elapsed().as_secs_f64(), peak_mb()));
        forget_peak();
        self.clock = Instant::now();
    }
}

struct Stored {
    database: Database,
    tables: Vec<TableManifest>,
}

async fn open(path: &std::path::Path) -> Result<Database> {
    Database::open(&format!("sqlite:{}", path.display()), Access::Command).await
}

async fn store_inputs(path: &std::path::Path, inputs: &Inputs) -> Result<Stored> {
    let database = open(path).await?;
    let mut tables = Vec::new();
    let mut tx = database.begin().await?;
    for (name, table) in &inputs.tables {
        let own = chunks::encode_table(table)?;
        tables.push(TableManifest::of(name, &own));
        chunks::put(&mut tx, own).await?;
    }
    tx.commit().await?;
    Ok(Stored { database, tables })
}

async fn load(stored: &Stored) -> Result<BTreeMap<String, Arc<Table>>> {
    let mut read = stored.database.read().await?;
    let mut tables = BTreeMap::new();
    for table in &stored.tables {
        tables.insert(table.name.clone(), Arc::new(attain_store::runs::read_table(&mut read, table).await?));
    }
    Ok(tables)
}

async fn run_product(
    path: &std::path::Path,
    stored: &Stored,
    settings: &attain_domain::settings::Settings,
    plans: &[attain_domain::plan::Plan],
    set: &Set,
) -> Result<(Times, String)> {
    let database = open(path).await?;
    let mut laps = Laps::start();
    let tables = load(stored).await?;
    let inputs = Inputs { settings: settings.clone(), plans: plans.to_vec(), tables, posted: Table::new("posted"), periods: None };
    laps.take("load");
    let outcome = calculate(&inputs, set, &mut |stage| laps.take(stage.name));
    ensure!(outcome.complete, "the run is incomplete: {:?}", outcome.findings.first());
    let mut manifest = Manifest { engine_version: attain_domain::ENGINE_VERSION.to_owned(), ..Manifest::default() };
    let mut results = Vec::new();
    for name in attain_calc::RESULTS {
        let own = attain_app::runs::encode(&outcome, name)?;
        manifest.results.push(TableManifest::of(name, &own));
        results.push(own);
    }
    laps.take("encode");
    let record = RunRecord {
        run_id: RunId(manifest.root().0),
        complete: true,
        manifest,
        note: String::new(),
        created_at: 0,
        inputs: Vec::new(),
        results,
        findings: outcome.findings.clone(),
        postings: Some(outcome.table("postings")),
    };
    let mut tx = database.begin().await?;
    attain_store::runs::save(&mut tx, record).await?;
    tx.commit().await?;
    laps.take("store");
    Ok((laps.times, reference::checksum(&outcome)))
}

/// `stored` says whether the lines are kept as chunks too.
async fn run_plain(path: &std::path::Path, inputs: &Stored, stored: bool) -> Result<(Times, String)> {
    let database = open(path).await?;
    let mut laps = Laps::start();
    let tables = load(inputs).await?;
    let read = plain::Read::new(&tables["transactions"]).context("the transactions have another form")?;
    laps.take("load");
    let outcome = plain::run(&read);
    laps.take("compute");
    if stored {
        let own = chunks::encode_all(outcome.chunks(), |_| false)?;
        laps.take("encode");
        let mut tx = database.begin().await?;
        chunks::put(&mut tx, own).await?;
        tx.commit().await?;
        laps.take("store");
    }
    Ok((laps.times, outcome.checksum()))
}

fn total(times: &Times) -> f64 {
    times.iter().map(|(_, seconds, _)| seconds).sum()
}

fn median(mut rounds: Vec<Times>) -> Times {
    rounds.sort_by(|left, right| total(left).total_cmp(&total(right)));
    rounds.swap_remove(rounds.len() / 2)
}

fn shown(times: &Times) -> String {
    let parts: Vec<String> = times.iter().map(|(name, seconds, _)| format!("{name} {seconds:.3}")).collect();
    format!("{:.3} s = {}", total(times), parts.join(" + "))
}

fn print_table(what: &str, times: &Times) {
    println!("\n{what}: {:.3} s, peak {} MB", total(times), times.iter().map(|(_, _, peak)| *peak).max().unwrap_or(0));
    println!("  {:<10} {:>8} {:>9}", "stage", "seconds", "peak MB");
    for (name, seconds, peak) in times {
        println!("  {name:<10} {seconds:>8.3} {peak:>9}");
    }
}

/// The high-water mark of resident memory since it was last forgotten.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).and_then(|line| line.split_whitespace().nth(1));
    line.and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Where the system cannot forget it, peaks are those of everything so far.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
