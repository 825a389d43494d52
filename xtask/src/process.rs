//! Running other programs: what is run is said, a failure names the program and its arguments.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(name.into()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// `cargo` with the toolchain that runs this.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::root()).stdin(Stdio::null());
    command
}

/// Runs with output to the terminal; whether it succeeded.
pub fn passes(command: &mut Command) -> Result<bool> {
    crate::say(&format!("  $ {}", shown(command)));
    let status = command.status().with_context(|| format!("`{}` could not be started", shown(command)))?;
    Ok(status.success())
}

pub fn run(command: &mut Command) -> Result<()> {
    anyhow::ensure!(passes(command)?, "`{}` failed", shown(command));
    Ok(())
}

/// Runs without output to the terminal; an error holds what the program said.
pub fn quiet(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("`{}` could not be started", shown(command)))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    anyhow::ensure!(output.status.success(), "`{}` failed: {said}{complaint}", shown(command));
    Ok(said)
}

/// The program on the search path.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

pub fn is_root() -> bool {
    quiet(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}
