//! Scripts that try to hang, to eat memory or to reach what they must not: each ends in an error, soon, and always the same one.

use attain_domain::point::{Call, FaultKind, Point};
use attain_domain::{Column, Table};
use attain_extend::script;
use std::time::{Duration, Instant};

/// The limit of 200 ms of a formula and what a busy machine adds.
const WALL_MAX: Duration = Duration::from_millis(1_500);

fn run(body: &str) -> Result<(), attain_domain::point::Fault> {
    let source = format!("//! name = \"hostile\"\n//! point = \"compensation\"\n{body}");
    let script = script::compile("hostile", &source)?;
    let rows = Table::new("rows").with("payee_id", Column::text(&[Some("ana")])).with("credited", Column::money(vec![1_000_000]));
    assert_eq!(Point::Compensation.contract().input[0].name, rows.name);
    let settings = serde_json::json!({});
    script.run_as(&Call { settings: &settings, input: &[rows] }, script::Evaluate::Columns).map(|_| ())
}

#[test]
fn every_hostile_script_is_stopped_in_time_with_the_same_error() {
    use FaultKind::{Deadline, Fuel, Memory, NotAnExtension, Trap};
    let parentheses = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let nested = format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let nested_lists = format!("let x = {}{}; 1", "[".repeat(20_000), "]".repeat(20_000));
    let minus = format!("{}1", "-".repeat(20_000));
    let blocks = format!("{}1{}", "{".repeat(20_000), "}".repeat(20_000));
    let identifier = format!("let {} = 1;", "a".repeat(5_000_000));
    let literal = format!("let x = \"{}\"; 1", "x".repeat(60_000));
    let any = &[Deadline, Fuel, Memory, NotAnExtension, Trap][..];
    let table: Vec<(&str, &str, &[FaultKind])> = vec![
        ("an endless loop", "loop {} 1", &[Fuel, Deadline]),
        ("an endless while", "let x = 0; while true { x += 1 } x", &[Fuel, Deadline]),
        ("an endless do", "do { } while true; 1", &[Fuel, Deadline]),
        ("a huge range", "let x = 0; for i in 0..9000000000000 { x += i } x", &[Fuel, Deadline]),
        (
            "a range over the largest integer",
            "let n = 0; for i in 9223372036854775800..=9223372036854775807 { n += 1 } loop {}",
            &[Fuel, Deadline],
        ),
        ("recursion", "fn f(x) { f(x + 1) } f(1)", &[Memory]),
        ("mutual recursion", "fn f(x) { g(x) } fn g(x) { f(x) } f(1)", &[Memory]),
        ("a doubled text", "let s = \"x\"; loop { s += s } 1", &[Trap, Memory]),
        ("an interpolated text", "let s = \"x\"; loop { s = `${s}${s}` } 1", &[Trap, Memory]),
        ("a doubled list", "let a = [1]; loop { a = [a, a] } 1", &[Memory]),
        ("a pushed list", "let a = []; loop { a.push(a) } 1", &[Memory, Fuel, Deadline]),
        (
            "a list of lists",
            "let a = []; let i = 0; loop { let b = []; for j in 0..900 { b.push(j) } a.push(b) } 1",
            &[Memory, Fuel, Deadline],
        ),
        (
            "a list in a list in a list",
            "let a = []; for i in 0..900 { a.push([]) } let j = 0; loop { a[j % 900].push(a[(j + 1) % 900]); j += 1; } 1",
            &[Memory, Fuel, Deadline],
        ),
        ("a nested map", "let m = #{}; loop { m = #{a: m, b: m} } 1", &[Memory]),
        ("a map that grows", "let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1 } 1", &[NotAnExtension]),
        ("a changed element", "let a = [1]; a[0] = a; 1", &[NotAnExtension]),
        ("many variables", "let i = 0; loop { let a = 1; let b = a; i += b } 1", &[Fuel, Deadline]),
        ("a hundred thousand parentheses", &parentheses, &[NotAnExtension]),
        ("twenty thousand parentheses", &nested, &[NotAnExtension]),
        ("twenty thousand brackets", &nested_lists, &[NotAnExtension]),
        ("twenty thousand minus signs", &minus, &[NotAnExtension]),
        ("twenty thousand blocks", &blocks, &[NotAnExtension]),
        ("a huge identifier", &identifier, &[NotAnExtension]),
        ("a huge literal", &literal, &[NotAnExtension]),
        ("sort", "let a = [3, 1]; loop { a.sort() } 1", &[Trap]),
        ("index_of", "let a = [3, 1]; a.index_of(1)", &[Trap]),
        ("replace", "let s = \"x\"; s.replace(\"x\", \"xx\"); 1", &[Trap]),
        ("split", "\"x\".split(\"\"); 1", &[Trap]),
        ("pad", "let s = \"x\"; s.pad(1000000000, \"x\"); 1", &[Trap]),
        ("pad of a list", "let a = []; a.pad(1000000000, 1); 1", &[Trap]),
        ("range with a step", "let n = 0; for i in range(0, 9000000000000, 1) { n += 1 } n", &[Fuel, Deadline, Trap]),
        ("sleep", "sleep(10); 1", &[NotAnExtension]),
        ("timestamp", "timestamp(); 1", &[NotAnExtension]),
        ("eval", "eval(\"1\")", &[NotAnExtension]),
        ("import", "import \"os\" as os; 1", &[NotAnExtension]),
        ("export", "let x = 1; export x; 1", &[NotAnExtension]),
        ("a flood of prints", "loop { print(\"x\") } 1", &[NotAnExtension]),
        ("a flood of log lines", "loop { log(\"x\") } 1", &[Fuel, Deadline]),
        ("a flood of slices", "loop { explain(\"x\", 1) } 1", &[FaultKind::OutputSize]),
        ("a closure", "let f = |x| x + 1; f.call(1)", &[NotAnExtension]),
        ("a function pointer", "let f = Fn(\"abs\"); f.call(1)", &[NotAnExtension]),
        ("try and catch", "loop { try { loop {} } catch { } } 1", &[NotAnExtension]),
        ("throw", "throw 1;", &[NotAnExtension]),
        ("a decimal overflow", "let x = 10; loop { x *= x } 1", &[Trap]),
        ("an overflowing product", "79228162514264337593543950335 * 2", any),
        ("a shift", "1 << 100", &[NotAnExtension]),
        ("a power", "2 ** 100", &[NotAnExtension]),
        ("division by zero", "credited / 0", &[Trap]),
        ("remainder of zero", "credited % 0", &[Trap]),
        ("a number that is text", "credited * \"2\"", &[Trap]),
        ("a missing result", "let x = quota * 2; x", &[FaultKind::InvalidAnswer]),
        ("a text result", "\"a lot\"", &[FaultKind::InvalidAnswer]),
        ("a global module", "global::x", &[Trap]),
        ("this", "this", &[NotAnExtension]),
        ("debug", "debug(1)", &[NotAnExtension]),
    ];
    let mut failures = Vec::new();
    for (what, body, kinds) in table {
        let started = Instant::now();
        let first = run(body);
        let took = started.elapsed();
        if took > WALL_MAX {
            failures.push(format!("{what}: took {took:?}"));
        }
        match first {
            Ok(()) => failures.push(format!("{what}: not stopped")),
            Err(fault) if !kinds.contains(&fault.kind) => failures.push(format!("{what}: {:?} {fault}", fault.kind)),
            Err(fault) => {
                // Time alone is not the same twice; everything else is.
                let second = run(body).expect_err("stopped before");
                if fault.kind != Deadline && second.kind != Deadline && second != fault {
                    failures.push(format!("{what}: {fault} and then {second}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_error_has_its_place_and_says_what_was_meant() {
    let fault = run("let rate = 0.05;\ncredted * rate").expect_err("an unknown variable");
    assert_eq!((fault.line, fault.column), (Some(4), Some(1)), "{fault}");
    assert!(fault.message.contains("did you mean `credited`"), "{fault}");
    let fault = run("maxx(credited, 1)").expect_err("an unknown function");
    assert!(fault.message.contains("did you mean `max`"), "{fault}");
    let fault = run("max(credited)").expect_err("too few values");
    assert!(fault.message.contains("2 or 3"), "{fault}");
    let fault = run("1 +\n   (credited / 0)").expect_err("a division by zero");
    assert_eq!(fault.line, Some(4), "{fault}");
    assert!(fault.message.contains("for `ana`"), "{fault}");
    let fault = run("fail(\"not for partners\")").expect_err("a refusal");
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.message.contains("not for partners"), "{fault}");
    let fault = run("1 +* 2").expect_err("a syntax error");
    assert_eq!((fault.kind, fault.line), (FaultKind::NotAnExtension, Some(3)), "{fault}");
}

#[test]
fn a_manifest_is_asked_for_and_checked() {
    for (source, part) in [
        ("1", "no manifest"),
        ("//! name = \"a\"\n1", "point"),
        ("//! name = \"b\"\n//! point = \"kpi\"\n1", "make them equal"),
        ("//! name = \"a\"\n//! point = \"kpis\"\n1", "manifest"),
        ("//! name = \"a\"\n//! point = \"quota\"\n1", "run(input, settings)"),
        ("//! name = \"a\"\n//! point = \"kpi\"\n//! [settings.properties.rate]\nsettings.rte", "did you mean `rate`"),
    ] {
        let fault = script::compile("a", source).err().unwrap_or_else(|| panic!("{source} compiles"));
        assert!(fault.message.contains(part), "{fault}");
    }
}
