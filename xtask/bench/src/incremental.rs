//! What one change costs: the reference workload in a record, one change, the run after it, and the statement that shows it. Each kind of
//! change is made twice: with what a server remembers, and by one that remembers nothing. The last run is calculated again from what it
//! pinned, so that the figures are those of right results.

use anyhow::{Context, Result, ensure};
use attain_app::access::Caller;
use attain_app::folder::Company;
use attain_app::outbox::OutwardConfig;
use attain_app::{Config, Instance};
use attain_calc::reference;
use attain_domain::{Column, Day, Table, schema};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Each kind of change is made so often with memory; the median counts.
const ROUNDS: usize = 5;
/// A late transaction is to be seen in the statement within so many seconds.
const AIM_SECONDS: f64 = 1.0;
/// Of which statement is read: a seller's whose territory the late transactions are in.
const PERIOD: &str = "2026-04";

struct Figures {
    change: f64,
    run: f64,
    statement: f64,
    written: u64,
    posted: usize,
    /// Of the run, in milliseconds.
    stages: String,
}

impl Figures {
    fn total(&self) -> f64 {
        self.change + self.run + self.statement
    }
}

pub async fn run(arguments: &[String]) -> Result<()> {
    let plugins = std::env::var_os("ATTAIN_PLUGINS").map(PathBuf::from).context("set ATTAIN_PLUGINS to the folder of built plugins")?;
    let count = arguments.first().map_or(Ok(reference::TRANSACTION_COUNT), |count| count.parse())?;
    let folder = tempfile::Builder::new().prefix("attain-bench").tempdir_in(std::env::current_dir()?)?;
    println!("generating {count} transactions and loading them into a record on SQLite");
    let company = folder.path().join("company");
    attain_app::folder::write(&reference_company(count)?, &company)?;
    let config = Config {
        database: format!("sqlite:{}", folder.path().join("attain.db").display()),
        home: Some(folder.path().join("home")),
        plugins: vec![plugins],
        actor: "bench".to_owned(),
        oidc: None,
        outward: OutwardConfig::default(),
    };
    let instance = Instance::open_server(&config).await?;
    let clock = Instant::now();
    instance.load(&company).await?;
    println!("load                                {:>8.2} s", clock.elapsed().as_secs_f64());
    let bench = Bench { instance, caller: Caller::operator("bench") };
    bench.instance.forget();
    let first = bench.measured("nothing", async || Ok(())).await?;
    println!("first run of all                    {:>8.2} s  {:>10} rows written", first.total(), first.written);

    println!("\n{:<34} {:>9} {:>9} {:>9} {:>9} {:>12} {:>8}", "", "change s", "run s", "shown s", "all s", "rows written", "posted");
    let late = bench.kind("one late transaction", late_transaction).await?;
    bench.kind("one exchange rate", exchange_rate).await?;
    bench.kind("one hire, three periods back", hire).await?;

    let last = bench.instance.runs().await?.into_iter().next().context("there are runs")?;
    let verdict = bench.instance.replay(&last.run_id).await?;
    ensure!(verdict.equal, "the last run does not come out again: {:?}", verdict.differences);
    println!("\nthe last run calculated again from what it pinned, all of it: the same hash, {}", verdict.recomputed);
    let reached = if late <= AIM_SECONDS { "reached" } else { "NOT REACHED" };
    println!("aim: a late transaction is in the statement within {AIM_SECONDS:.0} s: {late:.2} s, {reached}");
    Ok(())
}

/// The workload as a company folder has it, with one transaction in a fourth period, so that changes of the first one are three back.
fn reference_company(count: u64) -> Result<Company> {
    let inputs = reference::inputs(count);
    let mut documents = BTreeMap::from([("company.toml".to_owned(), toml::to_string(&inputs.settings)?)]);
    for plan in &inputs.plans {
        documents.insert(format!("plans/{}.toml", plan.id), toml::to_string(plan)?);
    }
    let mut tables: Vec<Table> = inputs.tables.values().map(|table| table.as_ref().clone()).collect();
    let transactions = tables.iter_mut().find(|table| table.name == "transactions").context("the workload has transactions")?;
    *transactions = Table::concat("transactions", &[transactions, &transaction("y0000000", day("2026-04-01")?)]);
    Company::assemble(&documents, tables).map_err(|problems| anyhow::anyhow!("{}", problems.lines().join("\n")))
}

fn day(text: &str) -> Result<i64> {
    Ok(i64::from(text.parse::<Day>().ok().context("a day")?.0))
}

fn transaction(id: &str, day: i64) -> Table {
    let text = |value: &str| Column::text(&[Some(value)]);
    Table::new("transactions")
        .with("transaction_id", text(id))
        .with("kind", text("order"))
        .with("ordered_on", Column::integer(vec![day]))
        .with("account_id", text("a00001"))
        .with("product_id", text("g001"))
        .with("amount", Column::money(vec![12_345_600]))
        .with("currency", text("USD"))
}

enum Change {
    Import(&'static str, Table),
    /// The row of this key gets this first day in place of the one it has.
    Redate {
        position: String,
        from_on: i64,
    },
}

fn late_transaction(round: usize) -> Result<Change> {
    // Somewhere among the others, as ids of another system fall.
    let id = format!("x{:07}-late", 1 + round * 176_543);
    Ok(Change::Import("transactions", transaction(&id, day("2026-01-15")?)))
}

fn exchange_rate(round: usize) -> Result<Change> {
    let text = |value: &str| Column::text(&[Some(value)]);
    let rate = 109_127_500 + round as i64;
    let row = Table::new("fx_rates")
        .with("kind", text("spot"))
        .with("currency", text("EUR"))
        .with("from_on", Column::integer(vec![day("2026-03-01")?]))
        .with("rate", Column::rate(vec![rate]));
    Ok(Change::Import("fx_rates", row))
}

fn hire(round: usize) -> Result<Change> {
    Ok(Change::Redate { position: format!("{}", 300 + round), from_on: day("2026-01-20")? })
}

struct Bench {
    instance: Instance,
    caller: Caller,
}

impl Bench {
    /// One kind of change, with memory and without, in turn; the seconds with memory.
    async fn kind(&self, name: &str, change: impl Fn(usize) -> Result<Change>) -> Result<f64> {
        let mut warm = Vec::new();
        for round in 0..ROUNDS {
            let change = change(round)?;
            warm.push(self.measured(name, async || self.make(&change).await).await?);
        }
        warm.sort_by(|left, right| left.total().total_cmp(&right.total()));
        let warm = warm.swap_remove(ROUNDS / 2);
        let change = change(ROUNDS)?;
        self.instance.forget();
        let cold = self.measured(name, async || self.make(&change).await).await?;
        for (what, own) in [("", &warm), ("  everything", &cold)] {
            let what = if what.is_empty() { name } else { what };
            println!(
                "{what:<34} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>12} {:>8}",
                own.change,
                own.run,
                own.statement,
                own.total(),
                own.written,
                own.posted
            );
        }
        println!("{:<34} {:>39.0} times as fast; {}", "", cold.total() / warm.total(), warm.stages);
        Ok(warm.total())
    }

    async fn make(&self, change: &Change) -> Result<()> {
        match change {
            Change::Import(entity, rows) => {
                let entity = schema::entity(entity).context("an entity")?;
                self.instance.import_table(entity, rows, "bench").await?;
            }
            Change::Redate { position, from_on } => {
                let mut table = self.instance.company().await?.tables["occupancies"].clone();
                let row = (0..table.row_count())
                    .find(|row| {
                        table.texts("position_id").and_then(|own| own.get(*row)).is_some_and(|own| own.ends_with(position.as_str()))
                    })
                    .context("the position is there")?;
                for (name, column) in &mut table.columns {
                    if let (true, Column::Number { values, .. }) = (name == "from_on", column) {
                        values[row] = *from_on;
                    }
                }
                self.instance.apply_table("occupancies", &table, "re-dated").await?;
            }
        }
        Ok(())
    }

    async fn measured(&self, name: &str, change: impl AsyncFnOnce() -> Result<()>) -> Result<Figures> {
        let clock = Instant::now();
        change().await.with_context(|| name.to_owned())?;
        let changed = clock.elapsed().as_secs_f64();
        let report = self.instance.run(&|_| {}).await?;
        ensure!(report.complete && !report.repeated, "{name}: the run is not a new complete one: {:?}", report.findings.first());
        let run = clock.elapsed().as_secs_f64() - changed;
        // As the route of the statement does it.
        let view = self.instance.view().await?;
        view.statement(&self.caller, &reference::owner_of_first_account(), PERIOD)?;
        let statement = clock.elapsed().as_secs_f64() - changed - run;
        let stages = report.stages.iter().map(|(name, millis)| format!("{name} {millis}")).collect::<Vec<_>>().join(", ");
        Ok(Figures { change: changed, run, statement, written: report.written_row_count, posted: report.posted_count, stages })
    }
}
