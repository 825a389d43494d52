//! Builds the web console when its sources changed: packages when the lock changed, then types and bundle.

use crate::{flags, plugins, process, root, say, setup, target};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// In the console's folder, but no sources.
const NOT_SOURCES: [&str; 5] = ["node_modules", "dist", "coverage", "tests", "README.md"];
/// The script that draws the interface's documentation, from its package to where the server finds it.
const DOCS_PACKAGE: &str = "@scalar/api-reference";
const DOCS_SCRIPT: &str = "dist/browser/standalone.js";
const DOCS_TARGET: &str = "dist/docs/scalar.js";

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    flags(arguments, &["--always"])?;
    build(!arguments.is_empty())?;
    Ok(ExitCode::SUCCESS)
}

pub fn folder() -> PathBuf {
    root().join("console")
}

/// Builds `console/dist` unless nothing changed since the last time. `always` builds it anyway.
pub fn build(always: bool) -> Result<()> {
    let node = packages()?;
    let folder = folder();
    let stamp = Stamp::of("sources", &sources(&folder)?)?;
    if !always && stamp.is_current() && folder.join("dist/index.html").exists() {
        say("build: the console is up to date");
        return Ok(());
    }
    say("build: the console");
    process::run(node.npm().current_dir(&folder).args(["run", "build"]))?;
    copy_docs(&folder)?;
    stamp.write()
}

/// The console's packages as its lock file says, and the Node.js to run them with.
pub fn packages() -> Result<setup::Node> {
    let folder = folder();
    anyhow::ensure!(folder.join("package-lock.json").exists(), "`console/package-lock.json` is missing; run `npm install` in `console`");
    let node = setup::node()?;
    let stamp = Stamp::of("packages", &["package.json", "package-lock.json"].map(|name| folder.join(name)))?;
    if stamp.is_current() && folder.join("node_modules").is_dir() {
        say("build: the console's packages are up to date");
        return Ok(node);
    }
    say("build: the console's packages (a download, a minute or two)");
    process::run(node.npm().current_dir(&folder).args(["ci", "--no-audit", "--no-fund"]))?;
    stamp.write()?;
    Ok(node)
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("`{}` could not be read", folder.display()))?;
    let is_source = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| !NOT_SOURCES.contains(&name));
    Ok(entries.flatten().map(|entry| entry.path()).filter(is_source).collect())
}

/// Where the console names the package, its script is served by our own server instead of by somebody else's.
fn copy_docs(folder: &Path) -> Result<()> {
    let manifest = folder.join("package.json");
    let named = std::fs::read_to_string(&manifest).with_context(|| format!("`{}` could not be read", manifest.display()))?;
    if !named.contains(&format!("\"{DOCS_PACKAGE}\"")) {
        return Ok(());
    }
    let (from, to) = (folder.join("node_modules").join(DOCS_PACKAGE).join(DOCS_SCRIPT), folder.join(DOCS_TARGET));
    let parent = to.parent().expect("the script lies in a folder");
    std::fs::create_dir_all(parent).with_context(|| format!("`{}` could not be made", parent.display()))?;
    std::fs::copy(&from, &to).with_context(|| format!("`{}` could not be copied; does {DOCS_PACKAGE} still hold it?", from.display()))?;
    Ok(())
}

/// What something was built from, kept beside what was built.
struct Stamp {
    file: PathBuf,
    text: String,
}

impl Stamp {
    fn of(name: &str, paths: &[PathBuf]) -> Result<Stamp> {
        let text = format!("{:032x}\n", plugins::content_hash(paths)?);
        Ok(Stamp { file: target().join("console").join(format!("{name}.stamp")), text })
    }

    fn is_current(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|last| last == self.text)
    }

    fn write(&self) -> Result<()> {
        let parent = self.file.parent().expect("a stamp lies in a folder");
        std::fs::create_dir_all(parent).with_context(|| format!("`{}` could not be made", parent.display()))?;
        std::fs::write(&self.file, &self.text).with_context(|| format!("`{}` could not be written", self.file.display()))
    }
}

/// A script of the console's tests, with the server it looks at.
pub fn script(node: &setup::Node, name: &str) -> Command {
    let mut command = node.node();
    command.current_dir(folder()).arg(Path::new("tests").join(name)).stdin(Stdio::null());
    command
}
