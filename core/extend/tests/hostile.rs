//! Guests that misbehave: each ends with the right fault in time, and the host goes on serving a good one.

#[path = "wasm/guest.rs"]
mod guest;

use attain_domain::point::{Answer, Fault, FaultKind};
use attain_domain::{Column, NULL_NUMBER, Table};
use attain_extend::Limits;
use attain_extend::wasm::{Grant, Host, HostOptions, WasmExtension};
use guest::{batch, call};
use std::time::{Duration, Instant};

const WALL: Duration = Duration::from_millis(1_000);

/// Small budgets, so that a test is over soon; fuel is ample where time is what is tested.
fn limits() -> Limits {
    Limits { wall: WALL, wall_per_row: Duration::ZERO, memory_bytes: 64 << 20, ..Limits::default() }
}

fn load(host: &Host, limits: Limits) -> WasmExtension {
    host.load_with(guest::hostile(), Grant::default(), Some(limits)).expect("the guest loads")
}

/// Runs one kind of misbehaviour; afterwards a good batch must be answered by the same host.
fn misbehave_with(kind: &str, limits: Limits) -> Result<Answer, Fault> {
    let host = Host::new(HostOptions::default()).expect("a host");
    let extension = load(&host, limits);
    let started = Instant::now();
    let result = call(&extension, kind, &batch(100));
    let took = started.elapsed();
    assert!(took <= limits.wall + Duration::from_millis(100), "`{kind}` took {took:?}");
    let good = call(&extension, "good", &batch(100)).expect("a good batch after a bad one");
    assert_eq!(good.table("credits").map(Table::row_count), Some(100));
    result
}

fn misbehave(kind: &str) -> Fault {
    misbehave_with(kind, limits()).expect_err("a fault")
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    assert_eq!(misbehave("loop").kind, FaultKind::Fuel);
}

#[test]
fn an_endless_loop_with_fuel_runs_out_of_time() {
    let limits = Limits { fuel: u64::MAX / 4, ..limits() };
    assert_eq!(misbehave_with("loop", limits).expect_err("a fault").kind, FaultKind::Deadline);
}

#[test]
fn a_memory_bomb_hits_the_limit() {
    assert_eq!(misbehave("memory").kind, FaultKind::Memory);
}

#[test]
fn a_stack_overflow_is_a_trap() {
    let fault = misbehave("stack");
    assert_eq!(fault.kind, FaultKind::Trap);
}

#[test]
fn a_trap_is_a_trap() {
    assert_eq!(misbehave("trap").kind, FaultKind::Trap);
}

#[test]
fn a_panic_tells_its_message() {
    let fault = misbehave("panic");
    assert_eq!(fault.kind, FaultKind::Trap);
    assert!(fault.message.contains("the sky fell on row 100"), "{fault}");
}

#[test]
fn a_refusal_is_told_in_the_guests_words() {
    let fault = misbehave("refuse");
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Refused, "this input is not to my taste"));
}

#[test]
fn lying_lengths_and_codes_and_missing_columns_are_invalid_answers() {
    for kind in ["lengths", "codes", "no-column"] {
        assert_eq!(misbehave(kind).kind, FaultKind::InvalidAnswer, "{kind}");
    }
}

#[test]
fn huge_output_hits_the_limit() {
    for kind in ["output", "one-text-often"] {
        // Filling memory costs fuel, and here it is the output that is tested.
        let limits = Limits { memory_bytes: 256 << 20, fuel: u64::MAX / 4, wall: 10 * WALL, ..limits() };
        assert_eq!(misbehave_with(kind, limits).expect_err("a fault").kind, FaultKind::OutputSize, "{kind}");
    }
}

#[test]
fn a_flood_of_host_calls_hits_the_limit() {
    assert_eq!(misbehave("log-flood").kind, FaultKind::HostCalls);
}

#[test]
fn a_long_log_is_cut_and_says_so() {
    let answer = misbehave_with("long-log", limits()).expect("an answer");
    assert_eq!(answer.log.len(), 7);
    assert!(answer.log[6].contains("dropped"), "{:?}", answer.log[6]);
}

/// Their form is right, so that only the caller, who knows the batch, can tell.
#[test]
fn invented_payees_unbalanced_money_and_rows_that_are_not_there_pass_the_border() {
    for kind in ["payees", "unbalanced", "rows", "duplicates"] {
        let answer = misbehave_with(kind, limits()).expect("an answer");
        let good = misbehave_with("good", limits()).expect("an answer");
        assert_ne!(answer.tables, good.tables, "{kind}");
    }
}

#[test]
fn truncated_and_random_bytes_are_no_extension() {
    let host = Host::new(HostOptions::default()).expect("a host");
    let bytes = guest::hostile();
    for length in [0, 1, 8, 9, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let fault = host.load(&bytes[..length], Grant::default()).map(|_| ()).expect_err("a fault");
        assert_eq!(fault.kind, FaultKind::NotAnExtension, "{length} bytes: {fault}");
    }
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..50 {
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // Half of the rounds are noise, half a component with some bytes changed.
        let mut noise: Vec<u8> = if round % 2 == 0 { (0..1_000).map(|_| random() as u8).collect() } else { bytes.to_vec() };
        if round % 2 == 1 {
            for _ in 0..200 {
                let place = random() as usize % noise.len();
                noise[place] = random() as u8;
            }
        }
        if let Err(fault) = host.load(&noise, Grant::default()).map(|_| ()) {
            assert!(matches!(fault.kind, FaultKind::NotAnExtension | FaultKind::NotGranted), "{fault}");
        } else {
            assert_eq!(round % 2, 1, "noise was loaded");
        }
    }
    call(&load(&host, limits()), "good", &batch(10)).expect("a good batch");
}

#[test]
fn imports_beyond_the_contract_are_refused_by_name() {
    let host = Host::new(HostOptions::default()).expect("a host");
    let mut bytes = wat::parse_str(r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance)))"#).expect("a component");
    attain_extend::package::embed(&mut bytes, "name = \"clock\"\npoint = \"kpi\"\n", "");
    let fault = host.load(&bytes, Grant::default()).map(|_| ()).expect_err("a fault");
    assert_eq!(fault.kind, FaultKind::NotAnExtension);
    assert!(fault.message.contains("wasi:clocks/wall-clock@0.2.0"), "{fault}");
}

#[test]
fn a_component_without_the_exports_of_its_point_is_refused() {
    let host = Host::new(HostOptions::default()).expect("a host");
    let mut bytes = wat::parse_str("(component)").expect("a component");
    assert!(host.load(&bytes, Grant::default()).map(|_| ()).expect_err("a fault").message.contains("no manifest"));
    attain_extend::package::embed(&mut bytes, "name = \"empty\"\npoint = \"kpi\"\n", "");
    let fault = host.load(&bytes, Grant::default()).map(|_| ()).expect_err("a fault");
    assert!(fault.message.contains("does not export `configure`"), "{fault}");
    let module = wat::parse_str("(module)").expect("a module");
    assert!(host.load(&module, Grant::default()).map(|_| ()).expect_err("a fault").message.contains("core module"));
}

#[test]
fn the_same_batch_uses_the_same_fuel_and_gives_the_same_bytes() {
    let host = Host::new(HostOptions::default()).expect("a host");
    let extension = load(&host, limits());
    let first = call(&extension, "good", &batch(1_000)).expect("an answer");
    let second = call(&extension, "good", &batch(1_000)).expect("an answer");
    assert_eq!(first, second);
    assert!(first.fuel_used > 0);
}

#[test]
fn no_value_crosses_the_border_unchanged() {
    let host = Host::new(HostOptions::default()).expect("a host");
    let mut input = batch(2);
    for (name, column) in &mut input[0].columns {
        if name == "amount" {
            *column = Column::money(vec![NULL_NUMBER, i64::MAX]);
        }
    }
    let answer = call(&load(&host, limits()), "good", &input).expect("an answer");
    assert_eq!(answer.table("credits").and_then(|table| table.numbers("amount")), Some([NULL_NUMBER, i64::MAX].as_slice()));
}
