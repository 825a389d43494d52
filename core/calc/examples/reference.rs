//! Calculates the reference workload with native extensions and prints seconds per stage, peak memory and the checksum.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use attain_calc::{calculate, reference};
use std::time::Instant;

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(reference::TRANSACTION_COUNT);
    let started = Instant::now();
    let inputs = reference::inputs(count);
    println!("generate {:>8.3} s  {}", started.elapsed().as_secs_f64(), cost());
    let started = Instant::now();
    let mut last = started;
    let outcome = calculate(&inputs, &reference::Native::default(), &mut |report| {
        println!("{:<8} {:>8.3} s  {:>9} rows  {}", report.name, last.elapsed().as_secs_f64(), report.row_count, cost());
        last = Instant::now();
    });
    println!("compute  {:>8.3} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let chunks: usize = outcome.stored("credits").map(|chunk| chunk.row_count()).sum();
    println!("chunks   {:>8.3} s  {chunks:>9} rows  {}", started.elapsed().as_secs_f64(), cost());
    for finding in outcome.findings.iter().take(5) {
        println!("{finding:?}");
    }
    println!("{}", reference::checksum(&outcome));
    println!("{}", reference::EXPECTED);
}

/// Processor seconds of all threads and peak memory.
fn cost() -> String {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: f64 = stat.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"));
    let memory = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("  ");
    format!("cpu so far {:.2} s  {memory}", ticks / 100.0)
}
