//! The record on both databases: loading, comparing, exporting, imports that repeat, history, audit, replay.

use crate::cases::copy_folder;
use crate::stage::{Stage, cell, root, small_company, write};
use attain_app::refusal::{Refusal, RefusalKind};
use std::path::{Path, PathBuf};

fn refusal(error: &anyhow::Error) -> &Refusal {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}"))
}

/// Every file below a folder with its bytes, in order.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut open = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(dir) = open.pop() {
        for path in std::fs::read_dir(&dir).expect("a folder").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_none_or(|ending| ending != "md") {
                found.push((path.strip_prefix(folder).expect("below").to_owned(), std::fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_loaded_is_exported_as_the_same_folder() {
    for stage in Stage::each().await {
        let source = root().join("examples/meridian");
        stage.instance.load(&source).await.expect("the demo company loads");
        assert_eq!(stage.instance.diff(&source).await.expect("a comparison"), Vec::<String>::new());
        let out = stage.home.path().join("export");
        stage.instance.export(&out).await.expect("an export");
        let (have, want) = (content(&out), content(&source));
        let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(names(&have), names(&want));
        for ((path, have), (_, want)) in have.iter().zip(&want) {
            assert!(have == want, "{} differs after the round trip", path.display());
        }
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_a_changed_folder_writes_only_the_difference_and_keeps_history() {
    for stage in Stage::each().await {
        let mut files = small_company();
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        let again = stage.instance.load(write(&files).path()).await.expect_err("a second load");
        assert_eq!(refusal(&again).kind, RefusalKind::Conflict);

        files.insert("payees.csv", "payee_id,hired_on\nana,\nben,2026-01-01\nmia,\nzoe,\n".to_owned());
        let wanted = write(&files);
        let changes = stage.instance.diff(wanted.path()).await.expect("a comparison");
        assert!(!changes.is_empty());
        let receipt = stage.instance.apply(wanted.path()).await.expect("the change applies");
        let payees: Vec<_> = receipt.changes.iter().filter(|own| own.inserted + own.changed + own.removed > 0).collect();
        assert_eq!(payees.len(), 1, "{payees:?}");
        assert_eq!((payees[0].entity.as_str(), payees[0].inserted, payees[0].changed, payees[0].removed), ("payees", 1, 1, 0));
        assert!(stage.instance.apply(wanted.path()).await.expect("again").is_empty(), "the second time changes nothing");
        assert_eq!(stage.instance.history("payees", &["ben"]).await.expect("a history").len(), 2);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resent_row_changes_nothing_and_a_changed_one_supersedes() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let file = stage.home.path().join("more.csv");
        let import = async |text: &str| {
            std::fs::write(&file, text).expect("a file");
            stage.instance.import("transactions", &file, "crm").await
        };
        let head = "transaction_id,kind,ordered_on,amount,currency,payee_id\n";
        let first = import(&format!("{head}t9,order,2026-01-28,50,USD,ana\n")).await.expect("an import");
        assert_eq!((first.changes[0].inserted, first.changes[0].changed), (1, 0));
        let count = stage.instance.verify_audit().await.expect("a report").entries;
        assert!(import(&format!("{head}t9,order,2026-01-28,50,USD,ana\n")).await.expect("the same").is_empty());
        assert_eq!(stage.instance.verify_audit().await.expect("a report").entries, count, "what changes nothing leaves no entry");
        let second = import(&format!("{head}t9,order,2026-01-28,60,USD,ana\n")).await.expect("a change");
        assert_eq!((second.changes[0].inserted, second.changes[0].changed), (0, 1));
        assert_eq!(stage.instance.history("transactions", &["t9"]).await.expect("a history").len(), 2);

        // All or nothing: one bad row and the good one is not there either.
        let bad =
            import(&format!("{head}t10,order,2026-01-28,1,USD,ana\nt11,order,2026-02-30,1,USD,nobody\n")).await.expect_err("bad rows");
        let refusal = refusal(&bad);
        assert_eq!(refusal.kind, RefusalKind::Invalid);
        assert!(refusal.details.iter().any(|line| line.contains(":3") && line.contains("2026-02-30")), "{refusal}");
        assert!(stage.instance.history("transactions", &["t10"]).await.expect("a history").is_empty());
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_posts_nothing_and_a_correction_posts_the_difference() {
    for stage in Stage::each().await {
        let mut files = small_company();
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        let first = stage.instance.run(&|_| {}).await.expect("a run");
        assert!(first.complete && first.posted_count > 0, "{first:?}");
        let second = stage.instance.run(&|_| {}).await.expect("a run");
        assert_eq!((second.posted_count, second.posted_amount.as_str()), (0, "0"));
        let third = stage.instance.run(&|_| {}).await.expect("a run");
        assert!(third.repeated, "the same inputs are the same run");
        assert_eq!(third.run_id, second.run_id);

        // 100 more for ana at her second tier: 8; and for her manager, below quota: 5.
        let sales = files["transactions.csv"].replace("t2,order,2026-01-09,700", "t2,order,2026-01-09,800");
        files.insert("transactions.csv", sales);
        stage.instance.apply(write(&files).path()).await.expect("the correction applies");
        let corrected = stage.instance.run(&|_| {}).await.expect("a run");
        assert_eq!(corrected.posted_amount, "13");
        files = small_company();
        stage.instance.apply(write(&files).path()).await.expect("the correction is taken back");
        assert_eq!(stage.instance.run(&|_| {}).await.expect("a run").posted_amount, "-13");
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_run_replays_to_the_same_hash_after_data_and_extensions_changed() {
    for stage in Stage::each().await {
        let mut files = small_company();
        files.insert("plans/seller.toml", files["plans/seller.toml"].replace("comp-tiered", "house-rate"));
        let script =
            |rate: &str| format!("//! name = \"house-rate\"\n//! point = \"compensation\"\n//! version = \"1.0.0\"\n\ncredited * {rate}\n");
        files.insert("scripts/house-rate.rhai", script("0.10"));
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        let before = stage.instance.run(&|_| {}).await.expect("a run");
        let tables = stage.instance.results(&before.run_id).await.expect("results");
        assert_eq!(cell(&tables["earnings"], &[("payee_id", "ana")], "amount").as_deref(), Some("180"));

        files.insert("scripts/house-rate.rhai", script("0.20"));
        files.insert("transactions.csv", files["transactions.csv"].replace("800", "999"));
        stage.instance.apply(write(&files).path()).await.expect("the change applies");
        let after = stage.instance.run(&|_| {}).await.expect("a run");
        assert_ne!(before.run_id, after.run_id);
        for run in [&before, &after] {
            let verdict = stage.again().await.replay(&run.run_id).await.expect("a verdict");
            assert!(verdict.equal, "{verdict:?}");
        }
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cent_is_explained_down_to_its_source_row() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
    stage.instance.run(&|_| {}).await.expect("a run");
    let node = stage.instance.explain("ana", "2026-01", None, None).await.expect("an explanation");
    let text = serde_json::to_string(&node).expect("JSON");
    // 800 + 700 + 300.01 over a quota of 1000: 50 + 64.0008.
    assert!(node.text.contains("114"), "{}", node.text);
    for step in ["payout", "earning", "rule", "extension", "slice", "credits", "credit", "transaction", "source"] {
        assert!(text.contains(&format!("\"step\":\"{step}\"")), "no step {step} in {text}");
    }
    let line = stage.instance.explain("ana", "2026-01", Some(1), None).await.expect("a line");
    assert_eq!(line.children.len(), 1);
    let unknown = stage.instance.explain("nobody", "2026-01", None, None).await.expect_err("nobody");
    assert_eq!(refusal(&unknown).kind, RefusalKind::NotFound);
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_leaves_an_entry_and_the_trail_verifies() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        stage.instance.run(&|_| {}).await.expect("a run");
        let report = stage.instance.verify_audit().await.expect("a report");
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        assert_eq!(report.entries, 2, "one for the load, one for the run");
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_folder_loads_nothing_and_names_every_problem() {
    let stage = Stage::sqlite().await;
    let broken = tempfile::tempdir().expect("a temporary folder");
    copy_folder(write(&small_company()).path(), broken.path());
    std::fs::write(
        broken.path().join("quotas.csv"),
        "payee_id,measure_id,period_id,amount\nana,bookings,2026-01,NaN\nnobody,bookings,2026-99,1\n",
    )
    .expect("a file");
    let error = stage.instance.load(broken.path()).await.expect_err("a refusal");
    assert!(refusal(&error).details.len() >= 3, "{error}");
    let none = stage.instance.company().await.expect_err("no company");
    assert_eq!(refusal(&none).kind, RefusalKind::NotFound);
    stage.remove().await;
}
