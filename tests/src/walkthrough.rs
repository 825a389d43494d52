//! The README's walk-through for plugin authors, executed as written: its commands are read from the page.

use crate::stage::root;
use std::path::PathBuf;
use std::process::Command;

pub fn binary() -> PathBuf {
    std::env::var_os("ATTAIN_BINARY").map_or_else(|| root().join("target/debug/attain"), PathBuf::from)
}

/// The lines of the fenced block that follows the heading.
fn commands(page: &str, heading: &str) -> Vec<String> {
    let after = page.split_once(heading).unwrap_or_else(|| panic!("no heading `{heading}`")).1;
    let block = after.split("```").nth(1).expect("a fenced block");
    block.lines().skip(1).map(str::trim).filter(|line| line.starts_with("attain ")).map(str::to_owned).collect()
}

#[test]
fn a_newcomer_has_a_working_plugin_by_following_the_readme() {
    let binary = binary();
    assert!(binary.exists(), "{} is missing; run `cargo xtask test`, which builds it", binary.display());
    let page = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let commands = commands(&page, "## A plugin in five minutes");
    assert!(commands.len() >= 3, "{commands:?}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for line in commands {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let output = Command::new(&binary)
            .args(&words)
            .current_dir(folder.path())
            .env("ATTAIN_SDK", root().join("sdk/rust"))
            .env("ATTAIN_DATABASE", "sqlite:attain.db")
            .env("ATTAIN_LOG", "error")
            .env_remove("ATTAIN_PLUGINS")
            .output()
            .expect("the command starts");
        assert!(
            output.status.success(),
            "`{line}` failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
