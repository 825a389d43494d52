//! Walks random sequences of events and checks the laws of the pay ledger after every calculation; `cargo xtask torture money` runs it.
//! With a file's name, the ledgers of the first sequences are written there as a journal for `hledger`, their balances beside it.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use attain_calc::sequences::{Posting, Walked, walk};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sequences whose ledgers are written.
const WRITTEN: u64 = 500;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let number = |text: Option<String>, default: u64| text.and_then(|text| text.parse().ok()).unwrap_or(default);
    let count = number(arguments.next(), 1_000);
    let first = number(arguments.next(), 0);
    let journal = arguments.next();
    let (next, all, broken) = (AtomicU64::new(0), Mutex::new(Walked::default()), Mutex::new(Vec::new()));
    let ledgers: Mutex<BTreeMap<u64, Vec<Posting>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= count {
                        break;
                    }
                    match walk(first + place) {
                        Ok((walked, ledger)) => {
                            all.lock().expect("nobody panics with it").add(walked);
                            if place < WRITTEN && journal.is_some() {
                                ledgers.lock().expect("nobody panics with it").insert(first + place, ledger);
                            }
                        }
                        Err(law) => broken.lock().expect("nobody panics with it").push(law),
                    }
                    if place % 5_000 == 4_999 {
                        eprintln!("{} of {count} sequences", place + 1);
                    }
                }
            });
        }
    });
    if let Some(path) = journal {
        let ledgers = ledgers.into_inner().expect("nobody panics with it");
        let written = write(&ledgers);
        if std::fs::write(&path, written.0).and_then(|()| std::fs::write(format!("{path}.balances"), written.1)).is_err() {
            eprintln!("`{path}` could not be written");
            return ExitCode::FAILURE;
        }
    }
    let broken = broken.into_inner().expect("nobody panics with it");
    for law in broken.iter().take(20) {
        println!("BROKEN {law}");
    }
    let all = all.into_inner().expect("nobody panics with it");
    println!(
        "torture money: {}/{count} sequences hold, seeds {first} to {} (nonvacuous: {} steps, {} runs, {} shuffles, {} postings, {} closings, {} \
         reopenings, {} corrections of closed periods, {} clawbacks, {} guarantees)",
        count - broken.len() as u64,
        first + count.max(1) - 1,
        all.steps,
        all.runs,
        all.shuffles,
        all.postings,
        all.closings,
        all.reopenings,
        all.corrections,
        all.clawbacks,
        all.guarantees
    );
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn amount(scaled: i128) -> String {
    let sign = if scaled < 0 { "-" } else { "" };
    let whole = scaled.unsigned_abs();
    format!("{sign}{}.{:04} USD", whole / 10_000, whole % 10_000)
}

/// A transaction for each payee, period and revision of a sequence, and the balance of every account as the calculation sees it.
fn write(ledgers: &BTreeMap<u64, Vec<Posting>>) -> (String, String) {
    let (mut journal, mut lines) = (String::new(), String::new());
    let mut balances: BTreeMap<String, i128> = BTreeMap::new();
    for (seed, ledger) in ledgers {
        let mut groups: BTreeMap<(&str, &str, i64), Vec<&Posting>> = BTreeMap::new();
        for posting in ledger {
            groups.entry((&posting.1, &posting.0, posting.6)).or_default().push(posting);
        }
        for ((period, payee, revision), postings) in groups {
            let _ = writeln!(journal, "{period}-01 s{seed} {payee} revision {revision}");
            for posting in postings {
                let (account, sign) = match posting.5.as_str() {
                    "earned" => ("expenses:commission", 1),
                    "held" => ("liabilities:held", -1),
                    "carried" => ("assets:carried", -1),
                    _ => ("liabilities:payable", -1),
                };
                let account = format!("{account}:s{seed}:{payee}");
                let value = sign * i128::from(posting.7);
                *balances.entry(account.clone()).or_default() += value;
                let _ = writeln!(journal, "    {account}  {}", amount(value));
            }
            journal.push('\n');
        }
    }
    let declared: String = balances.keys().map(|account| format!("account {account}\n")).collect();
    let journal = format!("commodity 1.0000 USD\n{declared}\n{journal}");
    for (account, balance) in balances.iter().filter(|(_, balance)| **balance != 0) {
        let _ = writeln!(lines, "{account},{}", amount(*balance));
    }
    (journal, lines)
}
