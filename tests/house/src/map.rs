//! The map must not lie: every path that it names exists.

use super::{read, root};

const MAPS: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"];

/// What stands in backticks and looks like a path of the repository: parts with slashes between them and no placeholder.
/// Fenced examples are skipped.
fn paths(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        for span in line.split('`').skip(1).step_by(2) {
            let plain = span.chars().all(|own| own.is_ascii_alphanumeric() || "._-/".contains(own));
            // What is built is not there in a fresh clone.
            if plain && span.contains('/') && !span.starts_with('/') && !span.starts_with("target/") {
                found.push(span.trim_end_matches('/').to_owned());
            }
        }
    }
    found
}

#[test]
fn every_path_on_the_map_exists() {
    let mut count = 0;
    let mut missing = Vec::new();
    for map in MAPS {
        for path in paths(&read(&root().join(map))) {
            count += 1;
            if !root().join(&path).exists() {
                missing.push(format!("{map}: `{path}`"));
            }
        }
    }
    assert!(count > 10, "only {count} paths were found; is the map still written in backticks?");
    assert!(missing.is_empty(), "paths that do not exist:\n{}", missing.join("\n"));
}

#[test]
fn only_what_looks_like_a_path_is_one() {
    let text = "`core/domain` and `attain test DIR`, `attain:crediting@1`, `a/<name>/b`\n```\n`not/this`\n```\n`docs/` `/usr/bin` `plain`";
    assert_eq!(paths(text), ["core/domain", "docs"]);
}
