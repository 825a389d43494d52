//! A run that leaves the house: exported, found again by a program that knows nothing of the record, and every change of it found.

use crate::stage::{Stage, root, small_company, write};
use crate::walkthrough::binary;
use attain_app::access::{Caller, Role};
use attain_app::refusal::{Refusal, RefusalKind};
use attain_domain::{Column, NULL_NUMBER, Table};
use attain_verify::{Manifest, TableManifest, Unfit, Verdict, Writer};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::process::Command;

const BLOCK: usize = 512;

/// A bundle taken apart, to be changed by somebody who can mend its hashes.
#[derive(Clone)]
struct Apart {
    manifest: Manifest,
    documents: BTreeMap<String, String>,
    extensions: BTreeMap<String, Vec<u8>>,
    inputs: BTreeMap<String, Table>,
    results: BTreeMap<String, Table>,
}

fn file_at(bytes: &[u8], at: usize) -> Option<(String, std::ops::Range<usize>)> {
    let text = |range: std::ops::Range<usize>| {
        String::from_utf8(bytes[at + range.start..at + range.end].iter().copied().take_while(|byte| *byte != 0).collect()).expect("UTF-8")
    };
    let (name, prefix) = (text(0..100), text(345..500));
    let size = usize::from_str_radix(&text(124..135), 8).ok()?;
    let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
    Some((path, at + BLOCK..at + BLOCK + size))
}

/// Path and place of every file in the archive.
fn places(bytes: &[u8]) -> Vec<(String, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((path, range)) = file_at(bytes, at) {
        at = range.end.next_multiple_of(BLOCK);
        found.push((path, range));
    }
    found
}

impl Apart {
    fn new(bytes: &[u8]) -> Apart {
        let files = places(bytes);
        let content = |range: &std::ops::Range<usize>| bytes[range.clone()].to_vec();
        let below = |folder: &str| -> BTreeMap<String, Vec<u8>> {
            files.iter().filter_map(|(path, range)| Some((path.strip_prefix(folder)?.to_owned(), content(range)))).collect()
        };
        let tables = |folder: &str| -> BTreeMap<String, Table> {
            let table = |(file, bytes): (String, Vec<u8>)| {
                let name = file.strip_suffix(".tsv").expect("a table").to_owned();
                let table = attain_verify::text::read(&name, &bytes).expect("a table");
                (name, table)
            };
            below(folder).into_iter().map(table).collect()
        };
        let text = |(path, bytes): (String, Vec<u8>)| (path, String::from_utf8(bytes).expect("UTF-8"));
        Apart {
            manifest: serde_json::from_slice(&content(&files[0].1)).expect("a manifest"),
            documents: below("documents/").into_iter().map(text).collect(),
            extensions: below("extensions/"),
            inputs: tables("inputs/"),
            results: tables("results/"),
        }
    }

    /// The bundle with every hash as it has to be for what it holds now.
    fn mended(mut self) -> Vec<u8> {
        for (path, text) in &self.documents {
            self.manifest.documents.insert(path.clone(), attain_store::digest(text.as_bytes()));
        }
        let renamed: BTreeMap<String, String> =
            self.extensions.iter().map(|(name, bytes)| (name.clone(), attain_store::digest(bytes))).collect();
        for digest in self.manifest.extensions.values_mut() {
            *digest = renamed[digest].clone();
        }
        let list = |listed: &mut Vec<TableManifest>, tables: &BTreeMap<String, Table>| {
            for own in listed.iter_mut() {
                let table = tables.get(&own.name).cloned().unwrap_or_default();
                own.row_count = table.row_count() as u64;
                own.chunks = attain_verify::digests(&table);
            }
        };
        list(&mut self.manifest.inputs, &self.inputs);
        if self.manifest.payee_id.is_none() {
            list(&mut self.manifest.results, &self.results);
        }
        self.manifest.root = attain_verify::root(&self.manifest);
        let mut writer = Writer::new(Vec::new(), &self.manifest).expect("it is written");
        for (path, text) in &self.documents {
            writer.document(path, text).expect("it is written");
        }
        let by_digest: BTreeMap<&String, &Vec<u8>> = self.extensions.iter().map(|(name, bytes)| (&renamed[name], bytes)).collect();
        let mut written = std::collections::BTreeSet::new();
        for digest in self.manifest.extensions.values() {
            if written.insert(digest) {
                writer.extension(digest, by_digest[digest]).expect("it is written");
            }
        }
        for own in &self.manifest.inputs {
            if let Some(table) = self.inputs.get(&own.name) {
                writer.input(table).expect("it is written");
            }
        }
        for own in &self.manifest.results {
            if let Some(table) = self.results.get(&own.name) {
                writer.result(table).expect("it is written");
            }
        }
        writer.finish().expect("it is written")
    }
}

fn judged(bytes: &[u8]) -> Result<Verdict, Unfit> {
    attain_verify::verify(bytes)
}

/// The first difference in words.
fn difference(bytes: &[u8]) -> String {
    let verdict = judged(bytes).unwrap_or_else(|unfit| panic!("not judged: {unfit}"));
    verdict.difference.unwrap_or_else(|| panic!("no difference was found")).to_string()
}

fn house_company() -> BTreeMap<&'static str, String> {
    let mut files = small_company();
    files.insert(
        "plans/seller.toml",
        files["plans/seller.toml"].clone() + "\n[[components]]\nid = \"extra\"\nmeasure = \"bookings\"\nformula = \"house-rate\"\n",
    );
    let script = "//! name = \"house-rate\"\n//! point = \"compensation\"\n//! version = \"1.0.0\"\n\ncredited * 0.01\n";
    files.insert("scripts/house-rate.rhai", script.to_owned());
    files
}

async fn exported(stage: &Stage, payee: Option<&str>) -> Vec<u8> {
    let file = stage.home.path().join(format!("{}.tar", payee.unwrap_or("all")));
    stage.instance.write_bundle("last", payee, &file).await.expect("a bundle");
    std::fs::read(&file).expect("the bundle")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_run_is_found_again_without_the_record() {
    for stage in Stage::each().await {
        stage.instance.load(write(&house_company()).path()).await.expect("the company loads");
        stage.instance.run(&|_| {}).await.expect("a run");
        // The second run reads what the first one posted.
        let run = stage.instance.run(&|_| {}).await.expect("a run");
        let all = exported(&stage, None).await;
        let verdict = judged(&all).expect("a bundle");
        assert_eq!((verdict.difference.clone(), verdict.root.as_str()), (None, run.run_id.as_str()));
        assert!(verdict.values_compared > 300, "{verdict:?}");
        assert!(verdict.text().starts_with(&format!("yes {}", run.run_id)), "{}", verdict.text());
        assert_eq!(verdict.clone().of_run(&run.run_id[..12]).difference, None);
        assert!(verdict.of_run("0123").difference.is_some());
        assert!(Apart::new(&all).inputs["posted"].row_count() > 0);

        let own = exported(&stage, Some("ana")).await;
        let verdict = judged(&own).expect("a bundle");
        assert_eq!((verdict.difference.clone(), verdict.root.as_str()), (None, run.run_id.as_str()));
        assert!(verdict.values_compared > 50, "{verdict:?}");
        for (name, table) in &Apart::new(&own).results {
            let payees = &table.texts("payee_id").unwrap_or_else(|| panic!("`{name}` speaks of payees")).dictionary;
            assert_eq!(payees, &["ana"], "{name}");
        }
        for bytes in [&all, &own] {
            for personal in ["Torres", "ana@example.com", "people"] {
                assert!(!bytes.windows(personal.len()).any(|part| part == personal.as_bytes()), "{personal} is in the bundle");
            }
        }
        let caller = |role| Caller::new("u", "U", None, [role], None);
        for role in [Role::Auditor, Role::Finance, Role::CompAdmin] {
            let file = stage.instance.run_bundle(&caller(role), &run.run_id, None).await.expect("a bundle");
            assert!(file.bytes == all, "the same bytes by every door");
        }
        let refused = |error: anyhow::Error| error.downcast::<Refusal>().expect("a refusal").kind;
        for role in [Role::Seller, Role::Manager, Role::Platform] {
            let error = stage.instance.run_bundle(&caller(role), &run.run_id, None).await.err().expect("a refusal");
            assert_eq!(refused(error), RefusalKind::Forbidden);
        }
        let nobody = stage.instance.run_bundle(&caller(Role::Auditor), &run.run_id, Some("nobody")).await.err().expect("a refusal");
        assert_eq!(refused(nobody), RefusalKind::NotFound);
        let twice = stage.instance.write_bundle("last", None, &stage.home.path().join("all.tar")).await.expect_err("a refusal");
        assert_eq!(refused(twice), RefusalKind::Conflict);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_with_components_of_all_kinds_is_found_again() {
    let stage = Stage::sqlite().await;
    stage.instance.load(&root().join("examples/meridian")).await.expect("the demo company loads");
    let run = stage.instance.run(&|_| {}).await.expect("a run");
    let bytes = exported(&stage, None).await;
    let verdict = judged(&bytes).expect("a bundle");
    assert_eq!((verdict.difference, verdict.root), (None, run.run_id));
    assert!(Apart::new(&bytes).extensions.values().any(|file| file.starts_with(b"\0asm")), "a component is among them");
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_could_not_be_completed_is_found_again_as_it_was() {
    let stage = Stage::sqlite().await;
    let mut files = house_company();
    files.insert("scripts/house-rate.rhai", files["scripts/house-rate.rhai"].replace("credited * 0.01", "credited / (quota - quota)"));
    stage.instance.load(write(&files).path()).await.expect("the company loads");
    let run = stage.instance.run(&|_| {}).await.expect("a run");
    assert!(!run.complete);
    let verdict = judged(&exported(&stage, None).await).expect("a bundle");
    assert_eq!((verdict.difference, verdict.root), (None, run.run_id));
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_can_be_another_one() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&house_company()).path()).await.expect("the company loads");
    stage.instance.run(&|_| {}).await.expect("a run");
    for payee in [None, Some("ana")] {
        let bytes = exported(&stage, payee).await;
        let clean = judged(&bytes).expect("a bundle");
        assert_eq!(clean.difference, None);
        let mut changed = bytes.clone();
        let mut flipped: BTreeMap<String, usize> = BTreeMap::new();
        for (path, range) in places(&bytes) {
            // Of every file its header, bytes here and there, its last one and its padding.
            let step = (range.len() / 8).max(1);
            let end = range.end.next_multiple_of(BLOCK);
            let chosen = [range.start - BLOCK, range.start - BLOCK + 100, range.start - BLOCK + 140, range.end.saturating_sub(1), end - 1];
            for at in range.clone().step_by(step).chain(chosen) {
                changed[at] ^= 0x01;
                if let Ok(verdict) = judged(&changed) {
                    assert!(verdict.difference.is_some(), "byte {at} of {path} was changed unseen");
                }
                *flipped.entry(path.split('/').next().unwrap_or_default().to_owned()).or_default() += 1;
                changed[at] = bytes[at];
            }
        }
        for part in ["manifest.json", "README.txt", "documents", "extensions", "inputs", "results"] {
            assert!(flipped.get(part).is_some_and(|count| *count >= 10), "{part}: {flipped:?}");
        }
        assert!(judged(&bytes[..bytes.len() - 1]).is_err());
        assert!(judged(&[&bytes[..], &[0]].concat()).is_err());
        assert_eq!(judged(&changed), Ok(clean), "all is as it was");
    }
    stage.remove().await;
}

/// Another value in one cell.
fn altered(table: &Table, column: usize, row: usize) -> Table {
    let mut other = table.clone();
    other.columns[column].1 = match &other.columns[column].1 {
        Column::Number { scale, values } => {
            let mut values = values.clone();
            values[row] = if values[row] == NULL_NUMBER { 1 } else { values[row] + 1 };
            Column::Number { scale: *scale, values }
        }
        Column::Text(text) => {
            let mut texts: Vec<Option<String>> = (0..table.row_count()).map(|row| text.get(row).map(str::to_owned)).collect();
            texts[row] = Some(format!("{}x", texts[row].as_deref().unwrap_or_default()));
            Column::text(&texts)
        }
    };
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_mends_the_hashes_is_found_by_the_calculation() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&house_company()).path()).await.expect("the company loads");
    stage.instance.run(&|_| {}).await.expect("a run");
    let all = exported(&stage, None).await;
    let apart = Apart::new(&all);
    assert!(apart.clone().mended() == all, "what was taken apart and put together is the same");

    // Every column of every result.
    let mut results = 0;
    for (name, table) in &apart.results {
        for (column, (title, _)) in table.columns.iter().enumerate() {
            let row = table.row_count() - 1;
            let mut forged = apart.clone();
            forged.results.insert(name.clone(), altered(table, column, row));
            let words = difference(&forged.mended());
            let place = format!("results/{name}.tsv, row {} (", row + 1);
            assert!(words.starts_with(&place) && words.contains(&format!(", column {title}: expected ")), "{words}");
            results += 1;
        }
        let mut forged = apart.clone();
        forged.results.insert(name.clone(), table.take(&(0..table.row_count() - 1).collect::<Vec<_>>()));
        assert!(difference(&forged.mended()).contains("rows"), "a row less of {name}");
    }
    assert!(results > 50, "only {results} columns of results");

    // What pay depends on: each change shows in a result.
    let mut inputs = 0;
    for (entity, title) in [("transactions", "amount"), ("splits", "share"), ("quotas", "amount"), ("posted", "amount")] {
        let Some(table) = apart.inputs.get(entity) else { continue };
        let column = table.columns.iter().position(|(name, _)| name == title).expect("a column");
        for row in 0..table.row_count() {
            let mut forged = apart.clone();
            // More than rounding hides.
            let mut other = table.clone();
            if let Column::Number { values, .. } = &mut other.columns[column].1 {
                values[row] += 10_000_000;
            }
            forged.inputs.insert(entity.to_owned(), other);
            let words = difference(&forged.mended());
            assert!(words.starts_with("results/"), "{entity}: {words}");
            inputs += 1;
        }
    }
    assert!(inputs >= 9, "only {inputs} values of inputs");

    // A plan, a setting, a script.
    for (path, from, to) in [
        ("plans/seller.toml", "rate = \"0.05\"", "rate = \"0.06\""),
        ("plans/seller.toml", "from = \"1\"", "from = \"0.9\""),
        ("company.toml", "mode = \"gross\"", "mode = \"none\""),
    ] {
        let mut forged = apart.clone();
        let text = forged.documents[path].replace(from, to);
        assert_ne!(text, forged.documents[path], "{from} is in {path}");
        forged.documents.insert(path.to_owned(), text);
        assert!(difference(&forged.mended()).starts_with("results/"), "{path}: {to}");
    }
    let mut forged = apart.clone();
    let script = forged.extensions.values_mut().find(|file| file.windows(4).any(|part| part == b"0.01")).expect("the script is in it");
    *script = String::from_utf8(script.clone()).expect("UTF-8").replace("0.01", "0.02").into_bytes();
    assert!(difference(&forged.mended()).starts_with("results/"), "another formula");

    // And in the bundle of one payee, where the rest of the results is known by hash only.
    let own = Apart::new(&exported(&stage, Some("ana")).await);
    let earnings = &own.results["earnings"];
    let amount = earnings.columns.iter().position(|(name, _)| name == "amount").expect("a column");
    let mut forged = own.clone();
    forged.results.insert("earnings".to_owned(), altered(earnings, amount, 0));
    let words = difference(&forged.mended());
    assert!(words.starts_with("results/earnings.tsv, row 1 (payee_id ana, period_id 2026-01"), "{words}");
    stage.remove().await;
}

#[test]
fn the_program_says_yes_or_no_in_its_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let company = write(&house_company());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        command.current_dir(folder.path()).env("ATTAIN_DATABASE", "sqlite:attain.db").env("ATTAIN_PLUGINS", crate::stage::plugins());
        command.env_remove("ATTAIN_HOME").args(arguments).output().expect("the program starts")
    };
    let code = |arguments: &[&str]| run(arguments).status.code();
    assert_eq!(code(&["load", company.path().to_str().expect("a path")]), Some(0));
    assert_eq!(code(&["bundle", "last", "run.tar"]), Some(4), "nothing was calculated yet");
    assert_eq!(code(&["run"]), Some(0));
    assert_eq!(code(&["bundle", "last", "run.tar"]), Some(0));
    assert_eq!(code(&["bundle", "last", "ana.tar", "--payee", "ana"]), Some(0));
    assert_eq!(code(&["bundle", "last", "nobody.tar", "--payee", "nobody"]), Some(4));
    assert!(!folder.path().join("nobody.tar").exists(), "half a bundle is none");
    let yes = run(&["verify", "run.tar"]);
    assert_eq!(yes.status.code(), Some(0));
    assert!(yes.stdout.starts_with(b"yes "), "{}", String::from_utf8_lossy(&yes.stdout));
    assert_eq!(code(&["verify", "ana.tar"]), Some(0));
    assert_eq!(code(&["verify", "run.tar", "--root", "abc123"]), Some(1));
    assert_eq!(code(&["verify", "none.tar"]), Some(4));
    let bytes = std::fs::read(folder.path().join("run.tar")).expect("the bundle");
    let mut forged = Apart::new(&bytes);
    let statements = forged.results["statements"].clone();
    let paid = statements.columns.iter().position(|(name, _)| name == "paid").expect("a column");
    forged.results.insert("statements".to_owned(), altered(&statements, paid, 0));
    std::fs::write(folder.path().join("forged.tar"), forged.mended()).expect("a file");
    let no = run(&["verify", "forged.tar"]);
    let words = String::from_utf8(no.stdout).expect("UTF-8");
    assert_eq!(no.status.code(), Some(1));
    assert!(words.starts_with("no ") && words.contains("results/statements.tsv, row 1 (payee_id ana"), "{words}");
    std::fs::write(folder.path().join("half.tar"), &bytes[..bytes.len() / 2]).expect("a file");
    assert_eq!(code(&["verify", "half.tar"]), Some(3));
    let mut newer = Apart::new(&bytes);
    newer.manifest.engine_version = "999".to_owned();
    std::fs::write(folder.path().join("newer.tar"), newer.mended()).expect("a file");
    assert_eq!(code(&["verify", "newer.tar"]), Some(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// The store and the program that judges it have each a code of their own for the one canonical form.
    #[test]
    fn two_codes_give_one_hash(
        rows in proptest::collection::vec((proptest::option::of("[a-d]{0,2}"), prop_oneof![Just(NULL_NUMBER), -300i64..300, any::<i64>()]), 0..400),
        scale in 0u8..9,
    ) {
        let table = Table::new("t")
            .with("payee_id", Column::text(&rows.iter().map(|row| row.0.as_deref()).collect::<Vec<_>>()))
            .with("row", Column::text(&(0..rows.len()).map(|row| Some(format!("{}", row % 300))).collect::<Vec<_>>()))
            .with("value", Column::Number { scale, values: rows.iter().map(|row| row.1).collect() });
        prop_assert_eq!(attain_store::chunks::digest(&table).expect("a hash").0, attain_verify::chunk_digest(&table));
    }
}

#[test]
fn a_long_table_is_cut_at_the_same_rows_by_both() {
    let rows = attain_domain::cut::CHUNK_ROWS * 2 + 5;
    let table = Table::new("t")
        .with("payee_id", Column::text(&(0..rows).map(|row| Some(format!("p{}", row % 70_000))).collect::<Vec<_>>()))
        .with("amount", Column::money((0..rows as i64).map(|row| row * row).collect()));
    let stored: Vec<String> = attain_store::chunks::encode_table(&table).expect("chunks").into_iter().map(|chunk| chunk.digest.0).collect();
    assert!(stored.len() > 2);
    assert_eq!(stored, attain_verify::digests(&table));
}
