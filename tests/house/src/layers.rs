//! Who may use whom. A new arrow between crates is a decision: it is made here, not in a manifest.

use super::{files, read, shown};
use std::collections::{BTreeMap, BTreeSet};

/// A crate and the crates of ours that it may depend on, from the ground up.
const MAY_USE: &[(&str, &[&str])] = &[
    ("attain-domain", &[]),
    ("attain-calc", &["attain-domain"]),
    ("attain-extend", &["attain-domain"]),
    // Judges what the server hands out, so it knows nothing of how the server keeps it.
    ("attain-verify", &["attain-domain", "attain-calc", "attain-extend"]),
    ("attain-database", &[]),
    ("attain-store", &["attain-domain", "attain-database"]),
    ("attain-audit", &["attain-database"]),
    ("attain-jobs", &["attain-database"]),
    ("attain-print", &[]),
    (
        "attain-app",
        &[
            "attain-domain",
            "attain-calc",
            "attain-extend",
            "attain-database",
            "attain-store",
            "attain-audit",
            "attain-jobs",
            "attain-print",
            "attain-verify",
        ],
    ),
    ("attain-http", &["attain-app", "attain-domain"]),
    ("attain-server", &["attain-app", "attain-domain", "attain-extend", "attain-http", "attain-verify"]),
    ("attain-sdk", &[]),
    ("attain-bench", &["attain-app", "attain-calc", "attain-database", "attain-domain", "attain-store"]),
    // Chores call the programs that they build.
    ("xtask", &[]),
];

/// Crates from outside that only some rooms may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["attain-database", "attain-store", "attain-audit", "attain-jobs"]),
    ("croner", &["attain-jobs"]),
    ("wasmtime", &["attain-extend"]),
    ("rhai", &["attain-extend"]),
    ("axum", &["attain-http"]),
    ("arrow-array", &["attain-store"]),
    ("clap", &["attain-server"]),
    ("lettre", &["attain-app"]),
];

/// Crates with an input, an output, a clock or chance in them, which what computes pay must not name.
const IMPURE: &[&str] = &["tokio", "rand", "ureq", "notify", "tracing"];
const PURE: &[&str] = &["attain-domain", "attain-calc"];

struct Manifest {
    path: String,
    name: String,
    dependencies: BTreeSet<String>,
}

impl Manifest {
    fn is_plugin(&self) -> bool {
        self.path.starts_with("plugins/")
    }
}

/// The members but for the tests, which may see everything.
fn manifests() -> Vec<Manifest> {
    let paths = files(&["core", "sdk/rust", "plugins", "xtask"], "Cargo.toml");
    assert!(paths.len() > 15, "only {} manifests were found", paths.len());
    let parse = |path: &std::path::PathBuf| {
        let table: toml::Table = read(path).parse().unwrap_or_else(|error| panic!("{}: {error}", shown(path)));
        let keys = |section: &toml::Table, key: &str| -> Vec<String> {
            section.get(key).and_then(toml::Value::as_table).map(|table| table.keys().cloned().collect()).unwrap_or_default()
        };
        let mut dependencies: BTreeSet<String> =
            keys(&table, "dependencies").into_iter().chain(keys(&table, "build-dependencies")).collect();
        for target in table.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|targets| targets.values()) {
            dependencies.extend(target.as_table().map(|target| keys(target, "dependencies")).unwrap_or_default());
        }
        let name = table["package"]["name"].as_str().expect("a package has a name").to_owned();
        Manifest { path: shown(path), name, dependencies }
    };
    paths.iter().map(parse).collect()
}

#[test]
fn a_crate_uses_only_crates_below_it() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut faults = Vec::new();
    for manifest in manifests() {
        let may: &[&str] = match allowed.get(manifest.name.as_str()) {
            Some(may) => may,
            None if manifest.is_plugin() => &["attain-sdk"],
            None => {
                faults.push(format!("`{}` has no line in the table; add it", manifest.name));
                continue;
            }
        };
        let ours = manifest.dependencies.iter().filter(|name| name.starts_with("attain-") || *name == "xtask");
        faults.extend(ours.filter(|name| !may.contains(&name.as_str())).map(|name| format!("`{}` uses `{name}`", manifest.path)));
    }
    assert!(faults.is_empty(), "arrows that the table does not allow:\n{}", faults.join("\n"));
}

#[test]
fn the_table_names_only_crates_that_exist() {
    let names: BTreeSet<String> = manifests().into_iter().map(|manifest| manifest.name).collect();
    let stale: Vec<&str> =
        MAY_USE.iter().flat_map(|(name, may)| may.iter().chain([name])).copied().filter(|name| !names.contains(*name)).collect();
    assert!(stale.is_empty(), "{stale:?}");
}

#[test]
fn no_crate_stands_below_itself() {
    for (index, (name, may)) in MAY_USE.iter().enumerate() {
        for below in *may {
            assert!(MAY_USE[..index].iter().any(|(own, _)| own == below), "`{name}` may use `{below}`, which does not stand below it");
        }
    }
}

#[test]
fn a_heavy_library_is_named_in_its_own_room_only() {
    let manifests = manifests();
    for (library, rooms) in ONLY_IN {
        let users: Vec<&str> =
            manifests.iter().filter(|manifest| manifest.dependencies.contains(*library)).map(|manifest| manifest.name.as_str()).collect();
        let strangers: Vec<&&str> = users.iter().filter(|name| !rooms.contains(name)).collect();
        assert!(strangers.is_empty(), "`{library}` belongs to {rooms:?} and is named by {strangers:?}");
        assert!(!users.is_empty(), "nobody uses `{library}` any more; remove its line");
    }
}

#[test]
fn what_computes_pay_has_no_clock_and_no_input() {
    for manifest in manifests().iter().filter(|manifest| PURE.contains(&manifest.name.as_str())) {
        let impure: Vec<&String> = manifest.dependencies.iter().filter(|name| IMPURE.contains(&name.as_str())).collect();
        assert!(impure.is_empty(), "{} uses {impure:?}", manifest.path);
    }
}
