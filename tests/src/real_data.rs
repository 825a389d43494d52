//! Real public data end to end, on both databases: AdventureWorks to the cent with Rhai and with Wasm, Northwind rolled up.

use crate::real_input::{adventureworks, data_folder, northwind};
use crate::stage::Stage;
use attain_app::{expected, folder};
use std::path::Path;

/// Loads and calculates the folder on every database; answers the differences to its `expected/`.
async fn differences(dir: &Path) -> Vec<String> {
    let company = folder::read(dir).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!company.expected.is_empty());
    let mut found = Vec::new();
    let mut roots = Vec::new();
    for stage in Stage::each().await {
        stage.instance.load(dir).await.expect("the company loads");
        let report = stage.instance.run(&|_| {}).await.expect("the run is stored");
        assert!(report.complete, "{:?}", report.findings);
        let tables = stage.instance.results(&report.run_id).await.expect("the results are there");
        for (name, own) in &company.expected {
            found.extend(expected::compare(&own.table, tables.get(name)).iter().map(|row| format!("{row:?}")));
        }
        roots.push(report.run_id);
        stage.remove().await;
    }
    assert!(roots.windows(2).all(|pair| pair[0] == pair[1]), "both databases give the same run");
    found
}

async fn adventureworks_equals_its_reference(engine: adventureworks::Engine) {
    let Some(data) = data_folder("adventureworks") else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let count = adventureworks::write_company(&data, dir.path(), engine).expect("the company is written");
    assert_eq!(count, 163, "person-quarters");
    assert_eq!(differences(dir.path()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn adventureworks_is_paid_to_the_cent_by_rhai_formulas() {
    adventureworks_equals_its_reference(adventureworks::Engine::Rhai).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adventureworks_is_paid_to_the_cent_by_the_wasm_plugin() {
    adventureworks_equals_its_reference(adventureworks::Engine::Wasm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn northwind_rolls_up_its_hierarchy_to_the_reference() {
    let Some(data) = data_folder("northwind") else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let written = northwind::write_company(&data, dir.path()).expect("the company is written");
    assert_eq!(written.net_cents, 126_579_329, "the net total of the reference");
    assert_eq!(differences(dir.path()).await, Vec::<String>::new());
}
