//! New plugins, their cases, the cache of compiled components, and hot reload with real files.

#[path = "wasm/guest.rs"]
mod guest;

use attain_domain::point::{Call, Extensions, Point};
use attain_extend::wasm::{Cache, Grant, Host, HostOptions};
use attain_extend::watch::{Event, Watcher};
use attain_extend::{Registry, package};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

#[test]
fn every_new_plugin_builds_and_passes_its_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let host = Host::new(HostOptions::default()).expect("a host");
    let folder = tempfile::tempdir().expect("a folder");
    for point in Point::ALL {
        let name = format!("new-{point}");
        let dir = folder.path().join(&name);
        package::new(&dir, &name, point, &root.join("sdk/rust")).expect("a new plugin");
        // One folder of intermediate files for all, so that the SDK is compiled once.
        let target = root.join("tests/guests/hostile/target/wasm");
        let built = package::build_with(&dir, folder.path(), &package::Toolchain::find().expect("a toolchain"), Some(&target))
            .unwrap_or_else(|error| panic!("{error:#}"));
        let loaded = attain_extend::Loaded::wasm(&host, &std::fs::read(built).expect("bytes"), Grant::default()).expect("loads");
        assert!(!loaded.cases.is_empty(), "{name} has no cases");
        assert_eq!(loaded.manifest.name, name);
        if let Err(fault) = loaded.checked() {
            panic!("{name}: {fault}");
        }
    }
    assert!(package::new(folder.path(), "again", Point::Kpi, &root.join("sdk/rust")).is_err(), "a full folder is left alone");
}

#[test]
fn a_damaged_or_foreign_entry_of_the_cache_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = |key: u8| Host::new(HostOptions { cache: Some(Cache::new(folder.path(), [key; 32])), fetch: None }).expect("a host");
    let serves = |key: u8| {
        let extension = host(key).load(guest::hostile(), Grant::default()).expect("loads");
        guest::call(&extension, "good", &guest::batch(10)).expect("an answer")
    };
    let fresh = serves(1);
    let entries = || std::fs::read_dir(folder.path()).expect("the folder").map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>();
    assert_eq!(entries().len(), 1);
    let kept = std::fs::read(&entries()[0]).expect("the entry");
    assert_eq!(serves(1), fresh, "from the cache");

    let mut damaged = kept.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&entries()[0], &damaged).expect("damage");
    assert_eq!(serves(1), fresh, "compiled again");
    assert_eq!(std::fs::read(&entries()[0]).expect("the entry"), kept, "and kept again");
    assert_eq!(serves(2), fresh, "of another host");
    assert_ne!(std::fs::read(&entries()[0]).expect("the entry"), kept);
}

const FLAT: &str = "//! name = \"flat\"\n//! point = \"compensation\"\ncredited * 0.10\n";

#[test]
fn a_saved_script_is_swapped_in_and_a_broken_one_stays_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("flat.rhai");
    let registry = Arc::new(Registry::new());
    let host = Arc::new(Host::new(HostOptions::default()).expect("a host"));
    let (sender, events) = channel();
    let watcher = Watcher::start(&[folder.path().to_owned()], host, Arc::clone(&registry), BTreeMap::new(), move |event| {
        sender.send(event).expect("the test listens");
    })
    .expect("a watcher");
    let next = || events.recv_timeout(Duration::from_secs(20)).expect("an event");

    std::fs::write(&script, FLAT).expect("written");
    let Event::Swapped(first) = next() else { panic!("refused") };
    assert_eq!((first.name.as_str(), first.old.clone()), ("flat", None));
    let pinned = registry.pin();

    std::fs::write(&script, "//! name = \"flat\"\n//! point = \"compensation\"\n\ncredited * * 0.10\n").expect("written");
    let Event::Refused { path, line, .. } = next() else { panic!("a broken script was swapped in") };
    assert_eq!((path.file_name(), line), (script.file_name(), Some(4)));

    std::fs::write(&script, FLAT.replace("0.10", "0.20")).expect("written");
    let Event::Swapped(second) = next() else { panic!("refused") };
    assert_eq!(second.old, Some(first.new.clone()));

    std::fs::write(
        folder.path().join("flat.cases.toml"),
        "[[cases]]\nname = \"ten\"\ninput.rows = { credited = [\"100\"] }\nanswer.earnings = { amount = [\"10\"] }\n",
    )
    .expect("written");
    let Event::Refused { message, .. } = next() else { panic!("a red case was passed over") };
    assert!(message.contains("case `ten`"), "{message}");

    let digest = |extensions: &dyn Extensions| extensions.get(Point::Compensation, "flat").map(|own| own.identity().digest.clone());
    assert_eq!(digest(&pinned), Ok(first.new.clone()), "a calculation keeps what it pinned");
    assert_eq!(digest(&registry.pin()), Ok(second.new));
    registry.roll_back(&first.new).expect("a rollback");
    assert_eq!(digest(&registry.pin()), Ok(first.new));
    drop(watcher);
}

#[test]
fn a_component_is_swapped_in_while_a_calculation_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = Arc::new(Registry::new());
    let host = Arc::new(Host::new(HostOptions::default()).expect("a host"));
    let (sender, events) = channel();
    let _watcher = Watcher::start(&[folder.path().to_owned()], host, Arc::clone(&registry), BTreeMap::new(), move |event| {
        sender.send(event).expect("the test listens");
    })
    .expect("a watcher");
    std::fs::write(folder.path().join("hostile.wasm"), guest::hostile()).expect("written");
    let Ok(Event::Swapped(first)) = events.recv_timeout(Duration::from_secs(60)) else { panic!("no swap") };
    let pinned = registry.pin();
    let running = pinned.get(Point::Crediting, "hostile").expect("active");

    let mut changed = guest::hostile().to_vec();
    attain_extend::package::embed(&mut changed, "", "");
    // The manifest is there twice now.
    std::fs::write(folder.path().join("hostile.wasm"), &changed).expect("written");
    let Ok(Event::Refused { message, .. }) = events.recv_timeout(Duration::from_secs(60)) else { panic!("no refusal") };
    assert!(message.contains("twice"), "{message}");
    assert_eq!(running.identity().digest, first.new);
    let settings = serde_json::json!({ "kind": "good" });
    running.run(&Call { settings: &settings, input: &guest::batch(10) }).expect("the pinned one still answers");
}
