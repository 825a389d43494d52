//! Good and bad company folders. The corpus of bad input is a table: what is written where, and what is said about it.

use super::*;
use proptest::prelude::*;
use std::time::Instant;

const SETTINGS: &str = r#"format = 1
name = "Small"
currency = "EUR"

[calendar]
pattern = "months"
first = "2026-01-01"
years = 1

[crediting]
rules = [{ extension = "credit-direct" }]

[[measures]]
id = "bookings"
"#;

const PLAN: &str = r#"id = "reps"

[[components]]
id = "commission"
measure = "bookings"
quota = "bookings"
formula = "comp-tiered"
settings = { tiers = [{ from = "0", rate = "0.05" }, { from = "1000", rate = "0.08" }] }
"#;

fn small() -> BTreeMap<String, String> {
    let files = [
        ("company.toml", SETTINGS),
        ("plans/reps.toml", PLAN),
        ("scripts/own.rhai", "//! name = \"own\"\ncredited\n"),
        ("scripts/own.cases.toml", "[[cases]]\nname = \"one\"\n"),
        ("payees.csv", "payee_id,kind\nana,person\nben,partner\n"),
        ("positions.csv", "position_id,title\nrep,\"Representative, \"\"field\"\"\"\nvp,\n"),
        ("occupancies.csv", "position_id,payee_id,from_on,until_on\nrep,ana,2026-01-01,2026-02-01\nrep,ben,2026-02-01,\n"),
        ("hierarchy.csv", "position_id,from_on,manager_position_id\nrep,2026-01-01,vp\n"),
        ("families.csv", "family_id,parent_id\nhard,\nsoft,hard\n"),
        ("products.csv", "product_id,family_id\np1,soft\n"),
        ("accounts.csv", "account_id,latitude,locked\na1,52.5200066,true\n"),
        ("fx_rates.csv", "kind,currency,from_on,rate\nspot,USD,2026-01-01,0.9\n"),
        (
            "transactions.csv",
            "transaction_id,kind,ordered_on,amount,currency\nt1,order,2026-01-05,100,EUR\nt2,return,2026-01-06,-5.25,USD\n",
        ),
        ("quotas.csv", "payee_id,measure_id,period_id,amount\nana,bookings,2026-01,1000\n"),
        ("plan_assignments.csv", "payee_id,plan_id,from_on\nana,reps,2026-01-01\n"),
        ("expected/statements.csv", "payee_id,paid\nana,5\n"),
    ];
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

fn put_all(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (path, bytes) in files {
        let target = dir.path().join(path);
        fs::create_dir_all(target.parent().expect("a parent")).expect("created");
        fs::write(target, bytes).expect("written");
    }
    dir
}

fn bytes(files: BTreeMap<String, String>) -> BTreeMap<String, Vec<u8>> {
    files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect()
}

/// The lines of problems of the small company with one file replaced.
fn complaints(path: &str, content: &[u8]) -> Vec<String> {
    let mut files = bytes(small());
    files.insert(path.to_owned(), content.to_vec());
    match read(put_all(&files).path()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.lines(),
    }
}

#[test]
fn the_small_company_is_read() {
    let company = read(put_all(&bytes(small())).path()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(company.settings.currency, "EUR");
    assert_eq!(company.plans[0].plan.components[0].formula, "comp-tiered");
    assert_eq!(company.tables.len(), ENTITIES.len());
    assert_eq!(company.tables["positions"].texts("title").and_then(|column| column.get(0)), Some("Representative, \"field\""));
    assert_eq!(company.tables["transactions"].numbers("amount"), Some(&[1_000_000, -52_500][..]));
    assert!(company.scripts["own"].cases.is_some());
    assert_eq!(company.expected["statements"].table.numbers("paid"), Some(&[50_000][..]));
}

#[test]
fn every_kind_of_bad_rows_is_named_with_its_place() {
    let rows = |text: &str| format!("transaction_id,kind,ordered_on,amount,currency\n{text}\n").into_bytes();
    let corpus: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "transactions.csv",
            rows("t1,order,2026-01-05,\"1,234.56\",EUR"),
            "transactions.csv:2, column amount: `1,234.56` is not a number; write 1234.56",
        ),
        ("transactions.csv", rows("t1,order,2026-01-05,NaN,EUR"), "transactions.csv:2, column amount: `NaN` is not a number"),
        (
            "transactions.csv",
            rows("t1,order,2026-01-05,1e3,EUR"),
            "transactions.csv:2, column amount: `1e3` is written with an exponent; write 1000",
        ),
        ("transactions.csv", rows("t1,order,2026-01-05, 5,EUR"), "column amount: ` 5` has a space before or after it"),
        ("transactions.csv", rows("t1,order,2026-01-05,0.00001,EUR"), "round it to 4"),
        (
            "transactions.csv",
            rows("t1,order,2026-02-30,5,EUR"),
            "transactions.csv:2, column ordered_on: `2026-02-30` is no day of the calendar",
        ),
        ("transactions.csv", rows("t1,order,5.1.2026,5,EUR"), "column ordered_on: `5.1.2026` is not a day; write it as YYYY-MM-DD"),
        (
            "transactions.csv",
            rows("t1,ordr,2026-01-05,5,EUR"),
            "column kind: `ordr` is not one of `order`, `invoice`, `payment`, `return`, `cancellation`; did you mean `order`?",
        ),
        ("transactions.csv", rows("t1,order,2026-01-05,5"), "transactions.csv:2: the line has 4 values, the header has 5"),
        (
            "transactions.csv",
            rows("t1,order,2026-01-05,1,000,EUR"),
            "transactions.csv:2: the line has 6 values, the header has 5; put a value that contains a comma into double quotes",
        ),
        ("transactions.csv", rows("t1,order,2026-01-05,,EUR"), "transactions.csv:2, column amount: is required and empty"),
        ("transactions.csv", rows("t1 ,order,2026-01-05,5,EUR"), "column transaction_id: `t1 ` has a space"),
        ("transactions.csv", rows("t\u{7},order,2026-01-05,5,EUR"), "control character U+0007"),
        ("transactions.csv", rows(&format!("{},order,2026-01-05,5,EUR", "x".repeat(101))), "is 101 characters long; write at most 100"),
        (
            "transactions.csv",
            rows("t1,order,2026-01-05,5,EUR\nt2,order,2026-01-05,5,EUR\nt1,order,2026-01-06,5,EUR"),
            "transactions.csv:4, column transaction_id: `t1` is on line 2 too",
        ),
        ("transactions.csv", rows("t1,order,2026-01-05,5,CHF"), "transactions.csv:2, column currency: `CHF` has no `spot` rate to EUR"),
        ("transactions.csv", rows("\"t1,order,2026-01-05,5,EUR"), "transactions.csv:2:1: a quote is opened and not closed"),
        ("transactions.csv", rows("t\"1,order,2026-01-05,5,EUR"), "transactions.csv:2:1: a quote stands inside a value"),
        ("transactions.csv", rows("\"t\"1,order,2026-01-05,5,EUR"), "something follows the closing quote"),
        (
            "transactions.csv",
            rows("t1,order,2026-01-05,\"5\n6\",EUR"),
            "transactions.csv:2:4: a quote is opened and not closed on this line",
        ),
        (
            "transactions.csv",
            b"transaction_id,kind,ordered_on,amuont,currency\nt1,order,2026-01-05,5,EUR\n".to_vec(),
            "transactions.csv:1:4: `amuont` is not a column of this file; did you mean `amount`?",
        ),
        (
            "transactions.csv",
            b"transaction_id,kind,ordered_on,amuont,currency\n".to_vec(),
            "transactions.csv:1: `amount` is missing; add the column",
        ),
        (
            "transactions.csv",
            b"transaction_id,kind,ordered_on,amount,currency,amount\n".to_vec(),
            "`amount` is a column twice, in positions 4 and 6",
        ),
        ("transactions.csv", b"transaction_id;kind;ordered_on;amount;currency\n".to_vec(), "not separated by commas"),
        ("transactions.csv", b"".to_vec(), "transactions.csv: the file is empty"),
        ("transactions.csv", b"\xff\xfet\0r\0a\0".to_vec(), "transactions.csv:1: the file is UTF-16; save it as UTF-8"),
        ("transactions.csv", rows("t\0,order,2026-01-05,5,EUR"), "transactions.csv:2: byte 2 of the line is NUL"),
        (
            "transactions.csv",
            b"transaction_id,kind,ordered_on,amount,currency\nt1,order,2026-01-05,5,EUR\ncaf\xe9,order,2026-01-05,5,EUR\n".to_vec(),
            "transactions.csv:3: byte 4 of the line, 0xE9, is not UTF-8",
        ),
        (
            "products.csv",
            b"product_id,family_id\np1,sofft\n".to_vec(),
            "products.csv:2, column family_id: `sofft` is not in families.csv; did you mean `soft`?",
        ),
        ("products.csv", b"product_id,family_id\np1,cars\n".to_vec(), "add it to families.csv"),
        (
            "splits.csv",
            b"transaction_id,payee_id,share\nt1,anna,1\n".to_vec(),
            "splits.csv:2, column payee_id: `anna` is not in payees.csv; did you mean `ana`?",
        ),
        (
            "occupancies.csv",
            b"position_id,payee_id,from_on,until_on\nrep,ana,2026-01-01,2026-02-02\nrep,ben,2026-02-01,\n".to_vec(),
            "occupancies.csv:3, column from_on: `2026-02-01` of `rep` overlaps the span on line 2 from 2026-01-01 until 2026-02-02; end that one with until_on 2026-02-01",
        ),
        (
            "occupancies.csv",
            b"position_id,payee_id,from_on,until_on\nrep,ana,2026-01-01,2026-01-01\n".to_vec(),
            "column until_on: `2026-01-01` is not after from_on 2026-01-01",
        ),
        (
            "hierarchy.csv",
            b"position_id,from_on,until_on,manager_position_id\nrep,2026-01-01,2026-03-01,vp\nrep,2026-03-01,,vp\nvp,2026-02-01,,rep\n"
                .to_vec(),
            "hierarchy.csv:4, column manager_position_id: `rep` reports to itself on 2026-02-01: `vp` → `rep` → `vp`",
        ),
        (
            "hierarchy.csv",
            b"position_id,from_on,manager_position_id\nrep,2026-01-01,rep\n".to_vec(),
            "`rep` reports to itself on 2026-01-01",
        ),
        (
            "families.csv",
            b"family_id,parent_id\nhard,soft\nsoft,hard\n".to_vec(),
            "families.csv:2, column parent_id: `soft` makes a circle of families: `hard` → `soft` → `hard`",
        ),
        ("territories.csv", b"territory_id,parent_id\nx,x\n".to_vec(), "makes a circle of territories"),
        (
            "quotas.csv",
            b"payee_id,measure_id,period_id,amount\nana,booking,2026-01,1\n".to_vec(),
            "quotas.csv:2, column measure_id: `booking` is no measure in company.toml; did you mean `bookings`?",
        ),
        (
            "quotas.csv",
            b"payee_id,measure_id,period_id,amount\nana,bookings,2027-01,1\n".to_vec(),
            "column period_id: `2027-01` is no period of the calendar",
        ),
        (
            "plan_assignments.csv",
            b"payee_id,plan_id,from_on\nana,rep,2026-01-01\n".to_vec(),
            "column plan_id: `rep` is no plan in plans/; did you mean `reps`?",
        ),
        (
            "parameters.csv",
            b"payee_id,plan_id,name,from_on,value\nana,vps,rate,2026-01-01,1\n".to_vec(),
            "parameters.csv:2, column plan_id: `vps` is no plan",
        ),
        ("accounts.csv", b"account_id,latitude,locked\na1,152.5,yes\n".to_vec(), "column latitude: `152.5` is out of range"),
        (
            "accounts.csv",
            b"account_id,latitude,locked\na1,52.5,yes\n".to_vec(),
            "column locked: `yes` is not a flag; write `true` or `false`",
        ),
        ("fx_rates.csv", b"kind,currency,from_on,rate\nspot,USD,2026-01-01,0\n".to_vec(), "column rate: `0` is out of range"),
        (
            "expected/statements.csv",
            b"payee_id,payed\nana,5\n".to_vec(),
            "expected/statements.csv:1:2: `payed` is not a column of this file; did you mean `paid`?",
        ),
    ];
    for (path, content, wanted) in corpus {
        let lines = complaints(path, &content);
        assert!(lines.iter().any(|line| line.contains(wanted)), "{path}: wanted `{wanted}`, got {lines:#?}");
    }
}

#[test]
fn every_kind_of_bad_document_is_named_with_its_place() {
    let settings = |from: &str, to: &str| {
        assert!(SETTINGS.contains(from), "{from}");
        ("company.toml", SETTINGS.replace(from, to))
    };
    let plan = |from: &str, to: &str| {
        assert!(PLAN.contains(from), "{from}");
        ("plans/reps.toml", PLAN.replace(from, to))
    };
    let corpus = [
        (settings("name = \"Small\"", "name = \"Small"), "company.toml:2:"),
        (settings("currency", "curency"), "company.toml:3:1: `curency` is not a key here; did you mean `currency`?"),
        (settings("currency = \"EUR\"\n", ""), "the key `currency` is missing; add it"),
        (settings("\"EUR\"", "\"euro\""), "company.toml:3:12: `euro` is not a currency"),
        (settings("format = 1", "format = 7"), "company.toml:1:10: `7` is no format this version knows; write 1"),
        (settings("years = 1", "years = 1\nweeks = 3"), "company.toml:9:1: `weeks` is not a key here; the keys are"),
        (settings("years = 1", "years = 0"), "`years` is 0; write a number from 1 to 50"),
        (settings("\"2026-01-01\"", "2026-01-01"), "company.toml:7:9: `2026-01-01` is a TOML date; write it in quotes"),
        (settings("\"months\"", "\"month\""), "unknown variant `month`"),
        (
            settings("id = \"bookings\"", "id = \"bookings\"\n[[measures]]\nid = \"bookings\""),
            "company.toml:16:6: `bookings` is the id of another measure too",
        ),
        (
            settings("id = \"bookings\"", "id = \"bookings\"\nwhere = [{ field = \"family\", in = [\"sof\"] }]"),
            "company.toml:15:36: `sof` is not in families.csv; did you mean `soft`?",
        ),
        (settings("id = \"bookings\"", "id = \"bookings\"\nwhere = [{ field = \"amount\", in = [\"5\"] }]"), "the field is a number"),
        (settings("id = \"bookings\"", "id = \"bookings\"\nwhere = [{ field = \"tag\", below = \"5\" }]"), "the field is a text"),
        (settings("id = \"bookings\"", "id = \"bookings\"\nwhere = [{ field = \"tag\" }]"), "the condition tests nothing"),
        (
            settings("id = \"bookings\"", "id = \"bookings\"\nwhere = [{ field = \"kind\", in = [\"orders\"] }]"),
            "`orders` is no kind of transaction",
        ),
        (plan("\"0.08\"", "0.08"), "plans/reps.toml:8:78: `0.08` is a floating-point number; write it in quotes: \"0.08\""),
        (plan("measure = \"bookings\"", "measure = \"boking\""), "plans/reps.toml:5:11: `boking` is no measure; did you mean `bookings`?"),
        (plan("quota = \"bookings\"", "quota = \"margin\""), "plans/reps.toml:6:9: `margin` is no measure"),
        (plan("measure = \"bookings\"", "measure = \"bookings\"\ninputs = { x = \"y\" }"), "plans/reps.toml:6:16: `y` is no measure"),
        (plan("\"1000\"", "\"0\""), "plans/reps.toml:8:22: tier 2 starts at or before tier 1"),
        (plan("from = \"1000\"", "from = \"1000\", upto = \"5\""), "is not a tier table"),
        (plan("measure = \"bookings\"", "measure = \"bookings\"\ncap = { per = \"year\" }"), "plans/reps.toml:6:7: the cap limits nothing"),
        (plan("measure = \"bookings\"", "measure = \"bookings\"\ncap = { rate = \"2\" }"), "the cap has a `rate` of nothing"),
        (plan("measure = \"bookings\"", "measure = \"bookings\"\ncap = { amount = \"-2\" }"), "`-2` is negative"),
        (plan("id = \"reps\"\n", "id = \"reps\"\ncomponents = []\nx = 1\n# "), "plans/reps.toml"),
        (("plans/twin.toml", PLAN.to_owned()), "plans/twin.toml: `reps` is the id of the plan in `plans/reps.toml` too"),
        (("plans/none.toml", "id = \"none\"\ncomponents = []\n".to_owned()), "plans/none.toml:2:14: the plan has no components"),
        (("scripts/own.cases.toml", "[[cases]\n".to_owned()), "scripts/own.cases.toml:1:"),
        (("scripts/lost.cases.toml", String::new()), "belongs to no script; add `scripts/lost.rhai`"),
        (("transaction.csv", String::new()), "transaction.csv: is not a file of the format; did you mean `transactions.csv`?"),
        (("expected/statement.csv", String::new()), "expected/statement.csv: is not a file of the format"),
        (("notes/x.txt", String::new()), "notes: is not a folder of the format"),
    ];
    for ((path, content), wanted) in corpus {
        let lines = complaints(path, content.as_bytes());
        assert!(lines.iter().any(|line| line.contains(wanted)), "{path}: wanted `{wanted}`, got {lines:#?}\n{content}");
    }
}

#[test]
fn all_problems_of_all_files_are_listed_at_once() {
    let mut files = small();
    files.insert("payees.csv".to_owned(), "payee_id,kind,hired_on\nana,human,2026-13-01\nben,partner,soon\n".to_owned());
    files.insert("company.toml".to_owned(), SETTINGS.replace("name =", "nam =").replace("years", "yeers"));
    files.insert("plans/reps.toml".to_owned(), PLAN.replace("formula", "formla").replace("quota", "quotta"));
    let problems = read(put_all(&bytes(files)).path()).expect_err("much is wrong");
    let lines = problems.lines();
    for wanted in ["`human`", "`2026-13-01`", "`soon`", "`nam`", "`quotta`", "`formla`"] {
        assert!(lines.iter().any(|line| line.contains(wanted)), "{wanted}: {lines:#?}");
    }
}

#[test]
fn bom_crlf_blank_lines_and_any_order_of_columns_are_read() {
    let plain = "payee_id,kind\nana,person\nben,partner\n";
    let dressed = "\u{feff}\"kind\",payee_id\r\n\r\npartner,ben\r\n\"person\",\"ana\"\r\n";
    let entity = schema::entity("payees").expect("an entity");
    let read = |text: &str| read_rows(entity, "payees.csv", text.as_bytes()).expect("good rows");
    assert_eq!(read(plain), read(dressed));
}

#[test]
fn files_that_are_not_ours_but_usual_are_passed_over() {
    let mut files = bytes(small());
    for name in ["README.txt", ".gitignore", "notes.md", ".git/HEAD"] {
        files.insert(name.to_owned(), vec![0xff]);
    }
    assert!(read(put_all(&files).path()).is_ok());
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused() {
    let dir = put_all(&bytes(small()));
    let outside = tempfile::NamedTempFile::new().expect("a file");
    std::os::unix::fs::symlink(outside.path(), dir.path().join("coverage.csv")).expect("linked");
    std::os::unix::fs::symlink(outside.path().parent().expect("a folder"), dir.path().join("notes")).expect("linked");
    let lines = read(dir.path()).expect_err("links").lines();
    assert_eq!(
        lines,
        [
            "coverage.csv: is a link out of the folder; put the file itself there",
            "notes: is a link out of the folder; put the file itself there"
        ]
    );
}

/// A header, then one line that does not end.
struct EndlessLine {
    start: &'static [u8],
    given: u64,
}

impl Read for EndlessLine {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        const LENGTH: u64 = 1 << 30;
        let count = if self.start.is_empty() {
            buffer.fill(b'x');
            usize::try_from(LENGTH.saturating_sub(self.given)).unwrap_or(usize::MAX).min(buffer.len())
        } else {
            let count = self.start.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.start[..count]);
            self.start = &self.start[count..];
            count
        };
        self.given += count as u64;
        Ok(count)
    }
}

#[test]
fn a_line_of_a_gigabyte_is_refused_after_its_first_megabyte() {
    for start in [&b"payee_id,kind\nana,person\n"[..], b"payee_id,kind\n\"", b"payee_id,\"", b""] {
        let mut source = EndlessLine { start, given: 0 };
        let problems = read_rows(schema::entity("payees").expect("an entity"), "payees.csv", &mut source).expect_err("too long");
        assert!(problems.to_string().contains("the line is longer than 1048576 bytes"), "{problems}");
        assert!(source.given < 2 * LINE_BYTES_MAX as u64, "{} bytes were taken", source.given);
    }
}

#[test]
fn a_file_of_nothing_but_defects_lists_a_hundred_and_counts_the_rest() {
    let text = format!("payee_id,kind\n{}", "x,y\n".repeat(50_000));
    let problems = read_rows(schema::entity("payees").expect("an entity"), "payees.csv", text.as_bytes()).expect_err("all bad");
    assert_eq!(problems.listed.len(), 100);
    assert_eq!(problems.unlisted, [("payees.csv".to_owned(), 50_000 + 49_999 - 100)]);
}

#[test]
fn a_canonical_folder_comes_back_byte_for_byte() {
    let files = small();
    let company = read(put_all(&bytes(files.clone())).path()).unwrap_or_else(|problems| panic!("{problems}"));
    let target = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        write(&company, target.path()).expect("written");
        for (path, text) in &files {
            assert_eq!(&fs::read_to_string(target.path().join(path)).expect("there"), text, "{path}");
        }
    }
    assert_eq!(read(target.path()).expect("good"), company);
}

#[test]
fn writing_removes_what_is_no_longer_part_and_spares_what_is_not_ours() {
    let dir = put_all(&bytes(small()));
    let mut company = read(dir.path()).expect("good");
    fs::write(dir.path().join("README.md"), "mine").expect("written");
    company.scripts.clear();
    company.tables.insert("products".to_owned(), canonical(schema::entity("products").expect("an entity"), &Table::new("products")));
    write(&company, dir.path()).expect("written");
    assert!(!dir.path().join("scripts/own.rhai").exists() && !dir.path().join("products.csv").exists());
    assert!(dir.path().join("README.md").exists());
    assert_eq!(read(dir.path()).expect("good"), company);
    let strange = tempfile::tempdir().expect("a folder");
    fs::write(strange.path().join("photo.jpg"), "").expect("written");
    assert!(write(&company, strange.path()).is_err_and(|error| error.to_string().contains("neither empty nor a company folder")));
}

#[test]
fn a_company_is_assembled_from_what_the_record_keeps() {
    let company = read(put_all(&bytes(small())).path()).expect("good");
    let again = Company::assemble(&company.documents(), company.tables.values().cloned()).expect("good");
    assert_eq!(again, company);
    let mut documents = company.documents();
    documents.insert("plans/../../x.toml".to_owned(), PLAN.to_owned());
    assert!(Company::assemble(&documents, company.tables.values().cloned()).is_err());
}

#[test]
fn a_difference_names_records_and_fields() {
    let have = read(put_all(&bytes(small())).path()).expect("good");
    let mut files = small();
    files.insert("payees.csv".to_owned(), "payee_id,kind,hired_on\nana,partner,2026-01-01\nben,partner,\ncem,,\n".to_owned());
    files.insert("transactions.csv".to_owned(), "transaction_id,kind,ordered_on,amount,currency\nt1,order,2026-01-05,100,EUR\n".to_owned());
    files.insert("plans/reps.toml".to_owned(), PLAN.replace("0.08", "0.09"));
    files.remove("expected/statements.csv");
    let want = read(put_all(&bytes(files)).path()).unwrap_or_else(|problems| panic!("{problems}"));
    let lines: Vec<String> = diff(&have, &want).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "~ plans/reps.toml from line 8\n    - settings = { tiers = [{ from = \"0\", rate = \"0.05\" }, { from = \"1000\", rate = \"0.08\" }] }\n    + settings = { tiers = [{ from = \"0\", rate = \"0.05\" }, { from = \"1000\", rate = \"0.09\" }] }",
            "- expected/statements.csv",
            "+ payees cem",
            "~ payees ana: kind person → partner, hired_on (empty) → 2026-01-01",
            "- transactions t2",
        ]
    );
    assert_eq!(diff(&want, &want), []);
}

fn transactions(count: usize) -> String {
    let mut text = "transaction_id,kind,ordered_on,booked_on,amount,currency,quantity,tag\n".to_owned();
    for index in 0..count {
        let day = index % 28 + 1;
        text.push_str(&format!(
            "t{:07},order,2026-01-{day:02},2026-02-{day:02},{}.25,EUR,{},tag{}\n",
            (index * 7919) % count,
            index % 100_000,
            index % 9,
            index % 50
        ));
    }
    text
}

#[test]
fn a_million_rows_are_read_and_written_in_seconds() {
    let entity = schema::entity("transactions").expect("an entity");
    // 7919 is prime and divides neither count, so ids are distinct and unsorted. Bounds are generous for slow, shared machines.
    for (count, seconds_max) in [(20_000, 5), (1_000_000, 60)] {
        let text = transactions(count);
        let start = Instant::now();
        let table = read_rows(entity, "transactions.csv", text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
        let read = start.elapsed();
        let written = csv_text(entity, &table);
        let both = start.elapsed();
        assert_eq!((table.row_count(), written.lines().count()), (count, count + 1));
        assert!(both.as_secs() < seconds_max, "{count} rows: {read:?} to read, {both:?} in all");
        eprintln!("{count} rows: {read:?} to read, {both:?} in all");
    }
}

/// Any table that the schema allows by itself, with distinct keys.
fn any_table(entity: &'static Entity) -> impl Strategy<Value = Table> {
    let cells = prop::collection::vec((any::<u32>(), any::<i64>(), "[a-zA-Z0-9,\"'; äß€→=-]{1,12}", any::<bool>()), entity.fields.len());
    prop::collection::vec(cells, 0..12).prop_map(move |rows| {
        let mut table = Table::new(entity.name);
        for (index, field) in entity.fields.iter().enumerate() {
            let is_key = index < entity.key_count;
            let number = |row: usize| {
                let (word, large, _, _) = &rows[row][index];
                match field.kind {
                    // One day for each row: no key twice, no span that overlaps another, and `until_on` after `from_on`.
                    schema::Kind::Day => 20_000 + 2 * row as i64 + i64::from(field.name == "until_on"),
                    schema::Kind::Flag => i64::from(*word % 2),
                    _ => large.saturating_add(1),
                }
            };
            let text = |row: usize| {
                let (word, _, text, _) = &rows[row][index];
                match field.kind {
                    schema::Kind::Choice(words) => words[*word as usize % words.len()].to_owned(),
                    _ if is_key => format!("{row}{}", text.trim()),
                    _ => {
                        if text.trim().is_empty() {
                            "x".to_owned()
                        } else {
                            text.trim().to_owned()
                        }
                    }
                }
            };
            let is_there = |row: usize| field.required || rows[row][index].3;
            let column = match field.kind.scale() {
                Some(scale) => {
                    let values = (0..rows.len()).map(|row| if is_there(row) { number(row) } else { NULL_NUMBER }).collect();
                    Column::Number { scale, values }
                }
                None => Column::text(&(0..rows.len()).map(|row| is_there(row).then(|| text(row))).collect::<Vec<_>>()),
            };
            table.columns.push((field.name.to_owned(), column));
        }
        canonical(entity, &table)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_again(tables in ENTITIES.iter().map(any_table).collect::<Vec<_>>()) {
        for (entity, table) in ENTITIES.iter().zip(tables) {
            let text = csv_text(entity, &table);
            let read = read_rows(entity, "x.csv", text.as_bytes());
            prop_assert!(read.is_ok(), "{}\n{}", read.err().map(|problems| problems.to_string()).unwrap_or_default(), text);
            let read = read.unwrap_or_default();
            prop_assert_eq!(&csv_text(entity, &read), &text);
            prop_assert_eq!(read, table);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(content in prop::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200)) {
        let mut file = b"payee_id,kind,hired_on\n".to_vec();
        file.extend(&content);
        let entity = schema::entity("payees").expect("an entity");
        if let Ok(table) = read_rows(entity, "payees.csv", file.as_slice()) {
            prop_assert_eq!(table.defect(), None);
        }
        let _ = read_rows(entity, "payees.csv", content.as_slice());
    }
}

#[test]
fn the_document_describes_every_file_and_column() {
    let document = include_str!("../../../../docs/company-folder.md");
    let section = |file: &str| {
        let start = document.find(&format!("\n### `{file}`")).unwrap_or_else(|| panic!("docs/company-folder.md has no section `{file}`"));
        let rest = &document[start + 1..];
        rest.find("\n#").map_or(rest, |end| &rest[..end])
    };
    for entity in ENTITIES {
        let section = section(&format!("{}.csv", entity.name));
        for field in entity.fields {
            let row = section.lines().find(|line| line.starts_with(&format!("| `{}` |", field.name)));
            let row = row.unwrap_or_else(|| panic!("{}.csv: no row for `{}`", entity.name, field.name));
            let kind = match field.kind {
                schema::Kind::Text => "text".to_owned(),
                schema::Kind::Id => "id".to_owned(),
                schema::Kind::Reference(target) => format!("id of `{target}.csv`"),
                schema::Kind::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
                schema::Kind::Day => "day".to_owned(),
                schema::Kind::Money => "amount".to_owned(),
                schema::Kind::Rate => "rate".to_owned(),
                schema::Kind::Flag => "flag".to_owned(),
            };
            let needed = match (entity.key().iter().any(|key| key.name == field.name), field.required) {
                (true, _) => "key",
                (false, true) => "required",
                (false, false) => "optional",
            };
            assert!(row.contains(&format!("| {kind} | {needed} |")), "{}.csv: `{row}` should say `{kind}`, `{needed}`", entity.name);
        }
    }
    for (table, fields) in expected::RESULTS {
        let row = document.lines().find(|line| line.starts_with(&format!("| `expected/{table}.csv` |")));
        let row = row.unwrap_or_else(|| panic!("docs/company-folder.md has no row for `expected/{table}.csv`"));
        for field in *fields {
            assert!(row.contains(&format!("`{}`", field.name)), "expected/{table}.csv: no `{}`", field.name);
        }
    }
}

#[test]
fn the_smallest_company_of_the_document_is_one() {
    let document = include_str!("../../../../docs/company-folder.md");
    let start = document.find("## The smallest company").expect("the section is there");
    let blocks: Vec<&str> = document[start..].split("```").skip(1).step_by(2).take(6).collect();
    let paths = ["company.toml", "plans/reps.toml", "payees.csv", "plan_assignments.csv", "transactions.csv", "expected/statements.csv"];
    let texts = blocks.iter().map(|block| block.split_once('\n').map_or("", |(_, text)| text).to_owned());
    let files: BTreeMap<String, String> = paths.map(str::to_owned).into_iter().zip(texts).collect();
    let company = read(put_all(&bytes(files)).path()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((company.tables["transactions"].row_count(), company.expected["statements"].table.row_count()), (1, 1));
}
