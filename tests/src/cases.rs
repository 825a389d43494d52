//! The case folders and the examples: each is loaded, calculated and compared with what an analyst signed.

use crate::stage::{plugins, root};
use attain_app::{Config, check};
use std::path::{Path, PathBuf};

fn folders(under: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(under).expect("the folder of cases can be read");
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.join("company.toml").exists()).collect();
    folders.sort();
    folders
}

async fn failures(dirs: &[PathBuf]) -> Vec<String> {
    let config = Config {
        database: String::new(),
        home: None,
        plugins: vec![plugins()],
        actor: "tester".to_owned(),
        oidc: None,
        outward: attain_app::outbox::OutwardConfig::default(),
    };
    let report = check::test(&config, dirs, &|_| {}).await.expect("the cases can be run");
    assert_eq!(report.cases.len(), dirs.len());
    report
        .cases
        .iter()
        .filter(|case| !case.passed())
        .map(|case| format!("{}\n  {:?}\n  {:?}", case.folder, case.problems, case.differences))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_folder_pays_what_its_analyst_signed() {
    let dirs = folders(&root().join("tests/cases"));
    assert!(dirs.len() >= 40, "only {} case folders were found", dirs.len());
    let failures = failures(&dirs).await;
    assert!(failures.is_empty(), "{} of {} cases failed:\n{}", failures.len(), dirs.len(), failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_that_a_newcomer_edits_passes_and_a_wrong_expectation_fails() {
    let example = root().join("examples/first-plan");
    assert_eq!(failures(std::slice::from_ref(&example)).await, Vec::<String>::new());

    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_folder(&example, copy.path());
    let expected = copy.path().join("expected/earnings.csv");
    let text = std::fs::read_to_string(&expected).expect("expected earnings");
    let last = text.trim_end().rfind(|digit: char| digit.is_ascii_digit()).expect("a digit");
    let wrong = if &text[last..=last] == "1" { "2" } else { "1" };
    std::fs::write(&expected, format!("{}{wrong}{}", &text[..last], &text[last + 1..])).expect("a file");
    assert_eq!(failures(&[copy.path().to_owned()]).await.len(), 1);
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
