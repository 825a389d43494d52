//! The tooling of plugin authors: a new crate, a built component with its manifest and cases inside, a test.

mod template;

use crate::cases::{self, Outcome};
use crate::manifest::{CASES_SECTION, MANIFEST_SECTION, Manifest};
use crate::registry::Loaded;
use crate::wasm::{Grant, Host};
use anyhow::{Context, bail, ensure};
use attain_domain::point::Point;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_encoder::{ComponentSection, CustomSection};

pub const TARGET: &str = "wasm32-unknown-unknown";

/// As the profile `plugin` of this repository's own workspace: small, fast, and a panic is a trap.
const PROFILE: [&str; 6] = [
    "profile.plugin.inherits=\"release\"",
    "profile.plugin.opt-level=3",
    "profile.plugin.lto=true",
    "profile.plugin.codegen-units=1",
    "profile.plugin.panic=\"abort\"",
    "profile.plugin.strip=\"debuginfo\"",
];

/// Writes a crate that builds and passes its cases. `sdk` is the folder of the SDK's crate.
pub fn new(dir: &Path, name: &str, point: Point, sdk: &Path) -> anyhow::Result<()> {
    Manifest::parse(&format!("name = {name:?}\npoint = \"{point}\"\n"))?;
    ensure!(
        !dir.exists() || dir.read_dir().is_ok_and(|mut entries| entries.next().is_none()),
        "`{}` is not an empty folder; choose another or remove it",
        dir.display()
    );
    let sdk = sdk.canonicalize().with_context(|| format!("there is no SDK at `{}`", sdk.display()))?;
    std::fs::create_dir_all(dir.join("src"))?;
    for (file, text) in template::files(name, point, &sdk) {
        std::fs::write(dir.join(file), text).with_context(|| format!("`{file}` cannot be written"))?;
    }
    Ok(())
}

/// A way to compile Rust to Wasm that was found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// The toolchain in use has the target.
    Installed,
    /// Debian's own toolchain, which builds the standard library with the plugin.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// An error says what to install.
    pub fn find() -> anyhow::Result<Toolchain> {
        let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().ok().filter(|output| output.status.success());
        if let Some(output) = sysroot {
            let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            if sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
                return Ok(Toolchain::Installed);
            }
        }
        Toolchain::find_debian().context(
            "no Rust toolchain here can target Wasm; run `rustup target add wasm32-unknown-unknown`, or on Debian \
             `apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src rust-web-llvm lld-22`",
        )
    }

    pub fn find_debian() -> Option<Toolchain> {
        if !Path::new("/usr/bin/cargo").exists() || !Path::new("/usr/bin/rustc").exists() {
            return None;
        }
        let output = Command::new("/usr/bin/rustc").args(["--print", "sysroot"]).output().ok()?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if !sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").exists() {
            return None;
        }
        let linker = (14..40).rev().map(|version| PathBuf::from(format!("/usr/bin/wasm-ld-{version}"))).find(|path| path.exists())?;
        Some(Toolchain::Debian { linker })
    }

    fn cargo(&self) -> Command {
        match self {
            Toolchain::Installed => Command::new("cargo"),
            Toolchain::Debian { linker } => {
                let mut cargo = Command::new("/usr/bin/cargo");
                let path = std::env::var_os("PATH").unwrap_or_default();
                let mut folders = vec![PathBuf::from("/usr/bin")];
                folders.extend(std::env::split_paths(&path));
                if let Ok(path) = std::env::join_paths(folders) {
                    cargo.env("PATH", path);
                }
                cargo
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .env_remove("RUSTUP_TOOLCHAIN");
                cargo
            }
        }
    }
}

/// Builds the plugin in `dir` and writes `<out>/<name>.wasm`; gives its path.
pub fn build(dir: &Path, out: &Path) -> anyhow::Result<PathBuf> {
    build_with(dir, out, &Toolchain::find()?, None)
}

/// `target` is the folder of intermediate files; by default `target/wasm` of the workspace that `dir` belongs to.
pub fn build_with(dir: &Path, out: &Path, toolchain: &Toolchain, target: Option<&Path>) -> anyhow::Result<PathBuf> {
    let dir = dir.canonicalize().with_context(|| format!("there is no folder `{}`", dir.display()))?;
    let manifest_path = dir.join("attain.toml");
    let manifest_text = read(&manifest_path)?;
    let manifest = Manifest::parse(&manifest_text).with_context(|| format!("in `{}`", manifest_path.display()))?;
    let cases_path = dir.join("cases.toml");
    let cases_text = if cases_path.exists() { read(&cases_path)? } else { String::new() };
    cases::parse(&cases_text).with_context(|| format!("in `{}`", cases_path.display()))?;

    let package = package_name(&dir)?;
    let target = target.map_or_else(|| workspace_of(&dir).join("target/wasm"), Path::to_owned);
    let module = compile(&dir, &package, toolchain, &target)?;
    let bytes = std::fs::read(&module).with_context(|| format!("the build left no `{}`; is its crate-type `cdylib`?", module.display()))?;
    let component = assemble(&bytes, &manifest_text, &cases_text).with_context(|| format!("plugin `{}`", manifest.name))?;

    std::fs::create_dir_all(out)?;
    let built = out.join(format!("{}.wasm", manifest.name));
    let partial = out.join(format!(".{}.{}.partial", manifest.name, std::process::id()));
    std::fs::write(&partial, component)?;
    std::fs::rename(&partial, &built)?;
    Ok(built)
}

fn compile(dir: &Path, package: &str, toolchain: &Toolchain, target: &Path) -> anyhow::Result<PathBuf> {
    // Each toolchain has a folder of its own, since neither can use what the other compiled.
    let target = match toolchain {
        Toolchain::Installed => target.to_owned(),
        Toolchain::Debian { .. } => target.join("debian"),
    };
    let mut cargo = toolchain.cargo();
    cargo
        .current_dir(dir)
        .args(["build", "--quiet", "--lib", "--package", package, "--profile", "plugin", "--target", TARGET, "--target-dir"])
        .arg(&target);
    for setting in PROFILE {
        cargo.args(["--config", setting]);
    }
    if matches!(toolchain, Toolchain::Debian { .. }) {
        cargo.arg("-Zbuild-std=std,panic_abort");
    }
    // What a surrounding `cargo run` or `cargo test` sets for itself is nothing to this build.
    for name in
        ["CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
    {
        cargo.env_remove(name);
    }
    let output = cargo.output().context("cargo cannot be started; install a Rust toolchain")?;
    if !output.status.success() {
        bail!("plugin `{package}` does not build:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(target.join(TARGET).join("plugin").join(format!("{}.wasm", package.replace('-', "_"))))
}

/// Makes a component of a core module and puts the manifest and the cases inside.
pub fn assemble(module: &[u8], manifest: &str, cases: &str) -> anyhow::Result<Vec<u8>> {
    let mut component = wit_component::ComponentEncoder::default()
        .module(module)
        .context("the module was not built with the SDK")?
        .validate(true)
        .encode()
        .context("the module does not fit the contract; it may use clocks, files or randomness, which extensions do not have")?;
    embed(&mut component, manifest, cases);
    Ok(component)
}

/// Appends the manifest and the cases to a component.
pub fn embed(component: &mut Vec<u8>, manifest: &str, cases: &str) {
    for (name, text) in [(MANIFEST_SECTION, manifest), (CASES_SECTION, cases)] {
        CustomSection { name: name.into(), data: text.as_bytes().into() }.append_to_component(component);
    }
}

/// Builds the plugin in `dir`, loads it and runs its cases.
pub fn test(dir: &Path, host: &Host) -> anyhow::Result<Vec<Outcome>> {
    let out = workspace_of(&dir.canonicalize()?).join("target/plugins");
    let built = build(dir, &out)?;
    let loaded = Loaded::wasm(host, &std::fs::read(built)?, Grant::default())?;
    Ok(cases::run(loaded.extension.as_ref(), &loaded.cases))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))
}

fn package_name(dir: &Path) -> anyhow::Result<String> {
    let path = dir.join("Cargo.toml");
    let cargo: toml::Table = read(&path)?.parse().with_context(|| format!("in `{}`", path.display()))?;
    let name = cargo.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str());
    Ok(name.with_context(|| format!("`{}` names no package", path.display()))?.to_owned())
}

/// The nearest folder upwards whose Cargo.toml has a workspace; `dir` itself where there is none.
fn workspace_of(dir: &Path) -> PathBuf {
    let has_workspace = |folder: &&Path| {
        let cargo = std::fs::read_to_string(folder.join("Cargo.toml")).ok().and_then(|text| text.parse::<toml::Table>().ok());
        cargo.is_some_and(|cargo| cargo.contains_key("workspace"))
    };
    dir.ancestors().find(has_workspace).unwrap_or(dir).to_owned()
}
