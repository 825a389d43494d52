//! Builds the bundled plugins with the product's own `attain plugin build`, as an outsider would, when their sources changed.

use crate::setup::{self, WasmToolchain};
use crate::{process, root, say, target};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What the built plugins depend on.
const SOURCES: [&str; 4] = ["Cargo.lock", "plugins", "sdk", "core/extend/src/package"];

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let wanted = match arguments {
        [] => None,
        [flag, name] if flag == "--toolchain" => match name.as_str() {
            "auto" => None,
            "rustup" => Some(WasmToolchain::Rustup),
            "debian" => Some(WasmToolchain::Debian),
            other => anyhow::bail!("`{other}` is no toolchain; write auto, rustup or debian"),
        },
        _ => anyhow::bail!("write --toolchain auto, rustup or debian, or nothing"),
    };
    setup::compiler()?;
    let toolchain = setup::wasm(wanted)?;
    let attain = binary()?;
    build(&attain, toolchain, wanted.is_some())?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the server; the same way everywhere, so that chores share what is built.
pub fn binary() -> Result<PathBuf> {
    say("build: the server `attain` (some minutes the first time)");
    process::run(process::cargo().args(["build", "--workspace", "--bin", "attain"]))?;
    Ok(target().join("debug/attain"))
}

/// The folder of the built plugins.
pub fn folder() -> PathBuf {
    target().join("plugins")
}

/// Builds all of `plugins/` unless nothing changed since the last time. `always` builds them anyway.
pub fn build(attain: &Path, toolchain: WasmToolchain, always: bool) -> Result<()> {
    let folders = folders()?;
    let out = folder();
    let stamp_file = out.join("sources.stamp");
    let stamp = format!("{} {:032x}\n", toolchain.name(), content_hash(&SOURCES.map(|source| root().join(source)))?);
    let is_built = |plugin: &PathBuf| plugin.file_name().is_some_and(|name| out.join(name).with_extension("wasm").exists());
    if !always && std::fs::read_to_string(&stamp_file).is_ok_and(|last| last == stamp) && folders.iter().all(is_built) {
        say(&format!("build: {} plugins are up to date", folders.len()));
        return Ok(());
    }
    std::fs::create_dir_all(&out).with_context(|| format!("`{}` could not be made", out.display()))?;
    for (index, plugin) in folders.iter().enumerate() {
        let name = plugin.file_name().unwrap_or_default().to_string_lossy();
        say(&format!("build: plugin {} of {}: {name}", index + 1, folders.len()));
        process::run(
            Command::new(attain)
                .current_dir(root())
                .args(["plugin", "build", "--toolchain", toolchain.name(), "--out"])
                .arg(&out)
                .arg(plugin)
                .stdin(Stdio::null()),
        )?;
        anyhow::ensure!(is_built(plugin), "`attain plugin build` left no {name}.wasm in {}", out.display());
    }
    std::fs::write(&stamp_file, stamp).with_context(|| format!("`{}` could not be written", stamp_file.display()))
}

fn folders() -> Result<Vec<PathBuf>> {
    let all = root().join("plugins");
    let entries = std::fs::read_dir(&all).with_context(|| format!("`{}` could not be read", all.display()))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").exists()).collect();
    folders.sort();
    Ok(folders)
}

/// FNV-1a of the names and the bytes of all files under `paths`, in order of their names. It notices edits; it does not resist attacks.
pub fn content_hash(paths: &[PathBuf]) -> Result<u128> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut open: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            // Build output of a plugin that somebody built in its folder is no source.
            let entries = std::fs::read_dir(&path).with_context(|| format!("`{}` could not be read", path.display()))?;
            open.extend(entries.flatten().map(|entry| entry.path()).filter(|own| own.file_name().is_none_or(|name| name != "target")));
        } else {
            files.push(path);
        }
    }
    files.sort();
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for file in files {
        let bytes = std::fs::read(&file).with_context(|| format!("`{}` could not be read", file.display()))?;
        for byte in file.as_os_str().as_encoded_bytes().iter().chain(&(bytes.len() as u64).to_le_bytes()).chain(&bytes) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_edit_and_any_new_name_changes_the_hash() {
        let folder = std::env::temp_dir().join(format!("attain-content-hash-{}", std::process::id()));
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
        let hash = || content_hash(std::slice::from_ref(&folder)).expect("hashed");
        std::fs::create_dir_all(folder.join("target")).expect("a temporary folder");
        write("a", "one");
        let first = hash();
        write("a", "two");
        let edited = hash();
        std::fs::rename(folder.join("a"), folder.join("b")).expect("renamed");
        let renamed = hash();
        write("target/built", "no source");
        let built = hash();
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_ne!(first, edited);
        assert_ne!(edited, renamed);
        assert_eq!(renamed, built);
    }
}
