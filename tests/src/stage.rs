//! What the tests stand on: instances over throw-away databases of both kinds, and companies to put in them.

use attain_app::outbox::OutwardConfig;
use attain_app::{Config, Instance};
use attain_database::trial::Trial;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

/// The folder of built plugins. Without it the tests of plugins cannot run, so its absence is a failure with advice.
pub fn plugins() -> PathBuf {
    let folder = std::env::var_os("ATTAIN_PLUGINS").map_or_else(|| root().join("target/plugins"), PathBuf::from);
    assert!(folder.join("credit-standard.wasm").exists(), "no plugins in {}; run `cargo xtask plugins`", folder.display());
    folder
}

fn bundle() -> attain_app::extensions::Bundle {
    static BUNDLE: OnceLock<attain_app::extensions::Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| attain_app::extensions::bundled(&[plugins()]).expect("the bundled extensions load")).clone()
}

/// An instance and the throw-away things under it.
pub struct Stage {
    pub instance: Instance,
    pub config: Config,
    trial: Trial,
    pub home: TempDir,
}

impl Stage {
    async fn new(trial: Trial) -> Stage {
        Stage::with(trial, &OutwardConfig::default()).await
    }

    async fn with(trial: Trial, outward: &OutwardConfig) -> Stage {
        let home = tempfile::tempdir().expect("a temporary folder");
        let config = Config {
            database: trial.url.clone(),
            home: Some(home.path().to_owned()),
            plugins: vec![plugins()],
            actor: "tester".to_owned(),
            oidc: None,
            outward: outward.clone(),
        };
        let instance = Instance::open_with(&config, bundle()).await.expect("the instance opens");
        Stage { instance, config, trial, home }
    }

    pub async fn sqlite() -> Stage {
        Stage::new(Trial::sqlite().await.expect("a SQLite database")).await
    }

    /// One on each kind of database that there is.
    pub async fn each() -> Vec<Stage> {
        let mut stages = Vec::new();
        for trial in Trial::each().await.expect("databases") {
            stages.push(Stage::new(trial).await);
        }
        stages
    }

    /// As [`Stage::each`], reaching others in this way.
    pub async fn each_with(outward: &OutwardConfig) -> Vec<Stage> {
        let mut stages = Vec::new();
        for trial in Trial::each().await.expect("databases") {
            stages.push(Stage::with(trial, outward).await);
        }
        stages
    }

    /// A second instance over the same record.
    pub async fn again(&self) -> Instance {
        Instance::open_with(&self.config, bundle()).await.expect("the instance opens")
    }

    pub async fn remove(self) {
        self.instance.close().await;
        self.trial.remove().await.expect("the database can be removed");
    }
}

/// A small company as files: path to content. Two sellers and their manager, one quota, tiers, a split and an overlay.
pub fn small_company() -> BTreeMap<&'static str, String> {
    let text = |text: &str| text.to_owned();
    BTreeMap::from([
        (
            "company.toml",
            text(
                r#"format = 1
name = "Small"
currency = "USD"
kpis = [{ extension = "kpi-attainment" }]

[calendar]
pattern = "months"
first = "2026-01-01"
years = 1

[crediting]
rollup = { mode = "gross" }
rules = [{ extension = "credit-direct" }, { extension = "credit-split" }]

[[measures]]
id = "bookings"
credits = ["direct", "split", "rollup"]
"#,
            ),
        ),
        (
            "plans/seller.toml",
            text(
                r#"id = "seller"

[[components]]
id = "commission"
measure = "bookings"
quota = "bookings"
formula = "comp-tiered"

[components.settings]
by = "attainment"
tiers = [{ from = "0", rate = "0.05" }, { from = "1", rate = "0.08" }]
"#,
            ),
        ),
        ("payees.csv", text("payee_id\nana\nben\nmia\n")),
        ("people.csv", text("payee_id,name,email\nana,Ana Torres,ana@example.com\nben,Ben Okafor,\nmia,Mia Lind,\n")),
        ("positions.csv", text("position_id,title\nlead,Lead\nseat-1,Seller\nseat-2,Seller\n")),
        ("occupancies.csv", text("position_id,payee_id,from_on\nlead,mia,2026-01-01\nseat-1,ana,2026-01-01\nseat-2,ben,2026-01-01\n")),
        ("hierarchy.csv", text("position_id,from_on,manager_position_id\nseat-1,2026-01-01,lead\nseat-2,2026-01-01,lead\n")),
        ("plan_assignments.csv", text("payee_id,plan_id,from_on\nana,seller,2026-01-01\nben,seller,2026-01-01\nmia,seller,2026-01-01\n")),
        (
            "quotas.csv",
            text("payee_id,measure_id,period_id,amount\nana,bookings,2026-01,1000\nben,bookings,2026-01,1000\nmia,bookings,2026-01,3000\n"),
        ),
        (
            "transactions.csv",
            text(
                "transaction_id,kind,ordered_on,amount,currency,payee_id\n\
                 t1,order,2026-01-05,800,USD,ana\n\
                 t2,order,2026-01-09,700,USD,ana\n\
                 t3,order,2026-01-20,600.01,USD,ben\n\
                 t4,return,2026-01-25,-100,USD,ben\n",
            ),
        ),
        ("splits.csv", text("transaction_id,payee_id,share\nt3,ana,0.5\nt3,ben,0.5\n")),
    ])
}

/// Writes files into a new temporary folder.
pub fn write(files: &BTreeMap<&'static str, String>) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// The value of `column` in the first row whose texts are `key`.
pub fn cell(table: &attain_domain::Table, key: &[(&str, &str)], column: &str) -> Option<String> {
    let row = (0..table.row_count())
        .find(|row| key.iter().all(|(name, value)| table.texts(name).and_then(|own| own.get(*row)) == Some(value)))?;
    table.column(column)?.show(row)
}
