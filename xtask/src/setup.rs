//! What a machine needs: each step says what it looks for, does what is missing, and can be run again at any time.

use crate::process::{self, find, quiet};
use crate::say;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The console's tools need it.
const NODE_MAJOR_MIN: u32 = 20;
const DEBIAN_WASM: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];

/// Which compiler builds Wasm plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WasmToolchain {
    Rustup,
    Debian,
}

impl WasmToolchain {
    /// As `attain plugin build --toolchain` calls it.
    pub fn name(self) -> &'static str {
        match self {
            WasmToolchain::Rustup => "rustup",
            WasmToolchain::Debian => "debian",
        }
    }
}

pub fn compiler() -> Result<()> {
    let version = quiet(process::cargo().arg("--version")).context("cargo is needed; install Rust with rustup")?;
    say(&format!("set-up: {version} with {}", quiet(Command::new("rustc").arg("--version"))?));
    if find("cc").is_none() {
        say("set-up: no C compiler `cc`, which the bundled SQLite is compiled with");
        apt_install(&["gcc", "libc6-dev"], "a C compiler")?;
    }
    Ok(())
}

/// Finds or installs a compiler for Wasm: rustup's target where it can be had, else Debian's second toolchain.
pub fn wasm(wanted: Option<WasmToolchain>) -> Result<WasmToolchain> {
    if wanted != Some(WasmToolchain::Debian) {
        if has_rustup_target() {
            say(&format!("set-up: {WASM_TARGET} of rustup is there"));
            return Ok(WasmToolchain::Rustup);
        }
        if wanted.is_none() && has_debian_wasm() {
            say(&format!("set-up: {WASM_TARGET} of Debian's toolchain is there"));
            return Ok(WasmToolchain::Debian);
        }
        if find("rustup").is_some() {
            say(&format!("set-up: {WASM_TARGET} is missing; adding it with rustup (a download of about 20 MB)"));
            if process::passes(Command::new("rustup").args(["target", "add", WASM_TARGET]).stdin(Stdio::null()))? && has_rustup_target() {
                return Ok(WasmToolchain::Rustup);
            }
        }
        anyhow::ensure!(
            wanted.is_none(),
            "rustup could not add {WASM_TARGET}; run `rustup target add {WASM_TARGET}` by hand, or use --toolchain debian"
        );
        say("set-up: rustup cannot add the target; using Debian's second toolchain instead");
    }
    if !has_debian_wasm() {
        apt_install(&DEBIAN_WASM, "a Rust compiler for Wasm")?;
        anyhow::ensure!(
            has_debian_wasm(),
            "Debian's Wasm toolchain is installed but incomplete; look at the packages {}",
            DEBIAN_WASM.join(" ")
        );
    }
    say(&format!("set-up: {WASM_TARGET} of Debian's toolchain is there"));
    Ok(WasmToolchain::Debian)
}

/// The target's library lies in the sysroot of the compiler that cargo uses, whoever installed it.
fn has_rustup_target() -> bool {
    quiet(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))
        .is_ok_and(|folder| std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some()))
}

fn has_debian_wasm() -> bool {
    ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/bin/wasm-ld-22", "/usr/lib/rustlib/src/rust"].iter().all(|file| Path::new(file).exists())
}

/// Whether `cargo nextest` is there; without it `cargo test` does, more slowly.
pub fn nextest() -> bool {
    let found = find("cargo-nextest").is_some();
    say(if found {
        "set-up: cargo-nextest is there"
    } else {
        "set-up: no cargo-nextest; `cargo test` does (cargo install cargo-nextest --locked is faster)"
    });
    found
}

/// The folder with PostgreSQL's programs, the newest where there are several.
pub fn postgres() -> Result<PathBuf> {
    if let Some(found) = find_postgres() {
        say(&format!("set-up: PostgreSQL is in {}", found.display()));
        return Ok(found);
    }
    say("set-up: no PostgreSQL");
    apt_install(&["postgresql"], "PostgreSQL")?;
    find_postgres().context("PostgreSQL is installed, but `initdb` is not under /usr/lib/postgresql; put its folder on the PATH")
}

fn find_postgres() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").exists() && folder.join("postgres").exists())
        .collect();
    versions.sort();
    let on_path = || find("initdb").and_then(|file| file.parent().map(PathBuf::from)).filter(|folder| folder.join("postgres").exists());
    versions.pop().map(|(_, folder)| folder).or_else(on_path)
}

/// A double-entry checker that the exported ledger is held against.
pub fn hledger() -> Result<()> {
    if find("hledger").is_some() {
        say("set-up: hledger is there");
        return Ok(());
    }
    say("set-up: no hledger");
    apt_install(&["hledger"], "hledger")
}

/// Node.js, which builds the console and runs its tests.
pub struct Node {
    node: PathBuf,
    npm: PathBuf,
}

impl Node {
    pub fn node(&self) -> Command {
        Command::new(&self.node)
    }

    pub fn npm(&self) -> Command {
        let mut command = Command::new(&self.npm);
        command.stdin(Stdio::null());
        command
    }
}

pub fn node() -> Result<Node> {
    if find("node").is_none() || find("npm").is_none() {
        say("set-up: no Node.js with npm, which builds the console");
        apt_install(&["nodejs", "npm"], "Node.js")?;
    }
    let own = find("node").zip(find("npm")).map(|(node, npm)| Node { node, npm });
    let own = own.context("Node.js is installed, but `node` and `npm` are not on the PATH")?;
    let version = quiet(own.node().arg("--version"))?;
    let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    anyhow::ensure!(
        major >= NODE_MAJOR_MIN,
        "Node.js {version} at {} is too old for the console; install {NODE_MAJOR_MIN} or later and put it first on the PATH",
        own.node.display()
    );
    say(&format!("set-up: Node.js {version} is there"));
    Ok(own)
}

/// The browser that the console is tested with.
pub fn chromium() -> Result<PathBuf> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
    let found = || NAMES.into_iter().find_map(find);
    if found().is_none() {
        say("set-up: no Chromium, which tests the console");
        apt_install(&["chromium"], "Chromium")?;
    }
    let own = found().context("Chromium is installed, but `chromium` is not on the PATH")?;
    say(&format!("set-up: the browser is {}", own.display()));
    Ok(own)
}

/// A Python of our own in `folder`, with its `pip`.
pub fn python(folder: &Path) -> Result<PathBuf> {
    let own = folder.join("bin/python");
    if quiet(Command::new(&own).args(["-m", "pip", "--version"])).is_ok() {
        say(&format!("set-up: Python is in {}", folder.display()));
        return Ok(own);
    }
    let make = || quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
    if find("python3").is_none() || make().is_err() {
        say("set-up: no Python that can make environments");
        apt_install(&["python3", "python3-venv"], "Python")?;
        make()?;
    }
    say(&format!("set-up: a new Python in {}", folder.display()));
    Ok(own)
}

/// Installs Debian packages, as root or with a sudo that asks no password.
fn apt_install(packages: &[&str], what: &str) -> Result<()> {
    let by_hand = format!("{what} is missing and could not be installed; install by hand: apt-get install {}", packages.join(" "));
    anyhow::ensure!(find("apt-get").is_some(), "{by_hand} (or what your system calls these packages)");
    let prefix: &[&str] = if process::is_root() {
        &[]
    } else if quiet(Command::new("sudo").args(["-n", "true"])).is_ok() {
        &["sudo", "-n"]
    } else {
        anyhow::bail!("{by_hand} (root is needed)");
    };
    say(&format!("set-up: installing {what}: {} (a download, a minute or two)", packages.join(" ")));
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"], arguments].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        process::passes(&mut command)
    };
    let install = [&["install", "--no-install-recommends"], packages].concat();
    // A fresh machine has no package lists, and old lists name packages that are gone.
    let done = apt(&install)? || (apt(&["update"])? && apt(&install)?);
    anyhow::ensure!(done, "{by_hand}");
    Ok(())
}
