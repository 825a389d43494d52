//! `attain-verify`: is this bundle true? Prints `yes` and the root hash, or `no` and the first difference. See [`Exit`] for the codes.

use attain_verify::{Exit, Verdict, verify_file};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: attain-verify BUNDLE [--root HASH] [--json]

Checks every hash in an exported bundle, calculates everything again and compares value by value.

  --root HASH  the run that the bundle must be of, or the beginning of its hash
  --json       one JSON document instead of text

exit codes: 0 yes, 1 no, 2 wrong usage, 3 not a whole bundle, 4 the file cannot be read, 5 another version made it";

#[derive(Default)]
struct Asked {
    bundle: Option<PathBuf>,
    root: Option<String>,
    json: bool,
}

fn asked() -> Option<Asked> {
    let mut asked = Asked::default();
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--json") => asked.json = true,
            Some("--root") => asked.root = Some(words.next()?.into_string().ok()?),
            Some(option) if option.starts_with("--") => return None,
            _ if asked.bundle.is_none() => asked.bundle = Some(word.into()),
            _ => return None,
        }
    }
    Some(asked)
}

fn main() -> ExitCode {
    let Some(Asked { bundle: Some(bundle), root, json }) = asked() else {
        eprintln!("{USAGE}");
        return ExitCode::from(Exit::Usage as u8);
    };
    match verify_file(&bundle) {
        Ok(verdict) => {
            let verdict = match root {
                Some(root) => verdict.of_run(&root),
                None => verdict,
            };
            say(&verdict, json);
            ExitCode::from(verdict.exit() as u8)
        }
        Err(unfit) => {
            eprintln!("error: {unfit}");
            ExitCode::from(unfit.exit() as u8)
        }
    }
}

fn say(verdict: &Verdict, json: bool) {
    let text = if json { serde_json::to_string_pretty(verdict).expect("texts and numbers are JSON") } else { verdict.text() };
    // A closed pipe does not change the verdict, which is in the exit code too.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
