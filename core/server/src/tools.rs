//! Writing, building and testing plugins; needs no record.

use anyhow::{Context, Result};
use attain_app::extensions::CaseReport;
use attain_app::refusal::Refusal;
use attain_domain::point::Point;
use attain_extend::package::{self, Toolchain};
use attain_extend::wasm::{Host, HostOptions};
use attain_extend::{Loaded, watch};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub fn new_plugin(name: &str, point: &str, dir: &Path, sdk: Option<PathBuf>) -> Result<String> {
    let point = Point::from_name(point).ok_or_else(|| {
        let known: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        Refusal::invalid(format!("`{point}` is no extension point; there are {}", known.join(", ")))
    })?;
    let sdk = match sdk {
        Some(sdk) => sdk,
        None => find_sdk()?,
    };
    let sdk = std::fs::canonicalize(&sdk).with_context(|| format!("there is no SDK at `{}`", sdk.display()))?;
    let folder = dir.join(name);
    package::new(&folder, name, point, &sdk)?;
    let shown = folder.display();
    Ok(format!("written to {shown}\nnext: attain plugin test {shown}"))
}

/// The SDK in the sources around the working folder or the binary.
fn find_sdk() -> Result<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let found = starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join("sdk/rust"))
        .find(|path| path.join("Cargo.toml").exists());
    found.ok_or_else(|| Refusal::not_found("the SDK was not found; name its folder with --sdk").into())
}

fn toolchain(name: &str) -> Result<Toolchain> {
    match name {
        "auto" => Toolchain::find(),
        "rustup" => Ok(Toolchain::Installed),
        "debian" => Toolchain::find_debian().ok_or_else(|| Refusal::not_found("Debian's Wasm toolchain is not installed").into()),
        other => Err(Refusal::invalid(format!("`{other}` is no toolchain; write auto, rustup or debian")).into()),
    }
}

pub fn build_plugin(dir: &Path, out: &Path, wanted: &str) -> Result<String> {
    let built = package::build_with(dir, out, &toolchain(wanted)?, None)?;
    Ok(built.display().to_string())
}

fn load(path: &Path) -> Result<Loaded> {
    let host = Host::new(HostOptions::default())?;
    let file = if path.is_dir() { package::build(path, &path.join("target/plugins"))? } else { path.to_owned() };
    let loaded = watch::load_unchecked(&file, &host, &BTreeMap::new());
    Ok(loaded.map_err(|fault| Refusal::extension(&file.display().to_string(), &fault))?)
}

pub fn test_plugin(path: &Path) -> Result<CaseReport> {
    Ok(CaseReport::of(&load(path)?))
}

pub fn inspect(file: &Path) -> Result<serde_json::Value> {
    let loaded = load(file)?;
    Ok(serde_json::json!({
        "identity": loaded.extension.identity(),
        "manifest": loaded.manifest,
        "bytes": loaded.bytes.len(),
        "cases": loaded.cases.iter().map(|case| &case.name).collect::<Vec<_>>(),
        "signed": false,
    }))
}
