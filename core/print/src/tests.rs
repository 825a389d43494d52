//! What leaves the house: the same bytes every time, nothing that runs, money as it was.

use crate::{COLUMN_COUNT_MAX, Column, Document, Kind, ROW_COUNT_MAX, Section, cell, csv, guarded, pdf, unguarded, xlsx};
use std::io::Read;

const KINDS: [Kind; 4] = [Kind::Text, Kind::Amount, Kind::Rate, Kind::Day];

/// Every start that a spreadsheet may run, and texts around it.
fn payloads() -> Vec<String> {
    let starts = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"];
    let rests = [
        "1+1",
        "cmd|'/C calc'!A0",
        "HYPERLINK(\"http://127.0.0.1/?\"&A1,\"open\")",
        "SUM(1,2)",
        "=1+1",
        "1,\"=2\"",
        "",
        "DDE(\"a\";\"b\")",
    ];
    let mut all: Vec<String> = starts.iter().flat_map(|start| rests.iter().map(move |rest| format!("{start}{rest}"))).collect();
    all.extend(["'=1+1", "''=1+1", "a=1", "_x003D_1+1", "-1-1", "-1e3", "--1", "1.", ".5", "-", "2026-13-01"].map(str::to_owned));
    all
}

fn text(own: &str) -> Option<String> {
    Some(own.to_owned())
}

/// One row a payload, with the payload in every column of every kind; it is also every name and label.
fn hostile(payload: &str) -> Document {
    Document {
        issuer: payload.to_owned(),
        title: payload.to_owned(),
        subtitle: payload.to_owned(),
        facts: vec![(payload.to_owned(), payload.to_owned())],
        totals: vec![(payload.to_owned(), payload.to_owned())],
        sections: vec![Section {
            heading: payload.to_owned(),
            aside: payload.to_owned(),
            columns: KINDS.map(|kind| Column::new(payload, kind)).to_vec(),
            rows: vec![vec![text(payload); KINDS.len()]],
            total: Some(vec![text(payload); KINDS.len()]),
            note: payload.to_owned(),
        }],
        footer: payload.to_owned(),
        link: payload.to_owned(),
        dated_on: None,
    }
}

fn statement(line_count: usize) -> Document {
    let amount = |name: &str| Column::new(name, Kind::Amount);
    let words = |own: &str| Column::new(own, Kind::Text);
    let credits = (1..=line_count).map(|number| {
        let amount = format!("{}.{:02}", 1_000 + number * 37, number % 100);
        let account = ["Bellwether Therapeutics", "Zürich Analytik AG", "Łódź Chemia", "Ωmega Εργαστήρια", "Институт Воды"][number % 5];
        vec![text(&format!("TX-{number:06}")), text("2026-09-17"), text(account), text("new-business"), text(&amount), text("0.6")]
    });
    Document {
        issuer: "Meridian Instruments".to_owned(),
        title: "Zoë Łukasiewicz-Nguyễn".to_owned(),
        subtitle: "Commission statement, September 2026".to_owned(),
        facts: [
            ("Period", "1 Sep 2026 to 30 Sep 2026"),
            ("State", "Final, posted"),
            ("Currency", "USD"),
            ("Title", "Account Executive, Great Lakes"),
            ("Plan", "Field sales 2026"),
            ("Data through", "30 Sep 2026"),
        ]
        .map(|(label, value)| (label.to_owned(), value.to_owned()))
        .to_vec(),
        totals: [("Earned", "11784.04"), ("Held", "-250"), ("Carried in", "0"), ("Carried out", "0.00"), ("Paid", "11534.04")]
            .map(|(label, value)| (label.to_owned(), value.to_owned()))
            .to_vec(),
        sections: vec![
            Section {
                heading: "New business commission".to_owned(),
                aside: "8784.04".to_owned(),
                columns: vec![words("Slice"), amount("Input"), Column::new("Rate", Kind::Rate), amount("Amount")],
                rows: vec![
                    vec![text("Up to 100 % of quota"), text("182500"), text("0.042"), text("7665")],
                    vec![text("100 % to 150 % of quota"), text("15986.2857"), text("0.07"), text("1119.04")],
                ],
                total: Some(vec![text("Total"), text("198486.2857"), None, text("8784.04")]),
                note: "Clause 4.2: the rate of each slice applies to what lies in it.".to_owned(),
            },
            Section {
                heading: "Credits".to_owned(),
                columns: vec![
                    words("Transaction"),
                    Column::new("On", Kind::Day),
                    words("Account"),
                    words("Kind"),
                    amount("Amount"),
                    Column::new("Share", Kind::Rate),
                ],
                rows: credits.collect(),
                ..Section::default()
            },
        ],
        footer: "Run 7f3a9c0e51d24b88a6b1c2d3e4f5a6b7. Check it with: attain replay 7f3a9c0e".to_owned(),
        link: "https://attain.example.com/statements/zoe/2026-09".to_owned(),
        dated_on: Some("2026-09-30".to_owned()),
    }
}

/// All parts of a workbook that are XML, by name.
fn parts(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip file");
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).expect("a part");
            let mut content = String::new();
            file.read_to_string(&mut content).expect("text");
            (file.name().expect("a name").into_owned(), content)
        })
        .collect()
}

#[test]
fn no_cell_of_a_csv_starts_a_formula() {
    let mut count = 0;
    for payload in payloads() {
        let columns = KINDS.map(|kind| Column::new(&payload, kind));
        let bytes = csv(&columns, &[vec![text(&payload); KINDS.len()]]).expect("rows");
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        for record in reader.records() {
            let record = record.expect("a row");
            assert_eq!(record.len(), KINDS.len());
            for own in &record {
                count += 1;
                let is_number = own.parse::<f64>().is_ok() && cell::Decimal::read(own).is_some();
                assert!(is_number || !own.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠']), "{own:?}");
                assert!(own == payload || unguarded(own) == payload, "{own:?} is not {payload:?}");
            }
        }
    }
    assert_eq!(count, payloads().len() * KINDS.len() * 2);
}

#[test]
fn a_negative_amount_stays_a_number() {
    let columns = [Column::new("amount", Kind::Amount), Column::new("note", Kind::Text)];
    let rows = [vec![text("-5.00"), text("-5.00")], vec![text("-5+1"), None]];
    assert_eq!(csv(&columns, &rows).expect("rows"), b"amount,note\n-5.00,'-5.00\n'-5+1,\n");
}

#[test]
fn every_guarded_text_can_be_read_back() {
    for payload in payloads() {
        assert_eq!(unguarded(&guarded(&payload)), payload);
        assert_eq!(unguarded(&guarded(&guarded(&payload))), guarded(&payload));
    }
    assert_eq!(guarded("O'Neill"), "O'Neill");
    assert_eq!(guarded("'tis"), "'tis");
}

#[test]
fn a_workbook_holds_no_formula_and_no_link_whatever_the_texts_say() {
    let mut cell_count = 0;
    for payload in payloads() {
        for (name, content) in parts(&xlsx(&hostile(&payload)).expect("a workbook")) {
            assert!(!name.contains("externalLink") && !name.contains("connections"), "{name}");
            if name.starts_with("xl/worksheets/") {
                cell_count += content.matches("<c ").count();
                for forbidden in ["<f>", "<f ", "<f/", "<hyperlink", "t=\"str\"", "<ddeLink"] {
                    assert!(!content.contains(forbidden), "{payload:?}: {forbidden} in {name}");
                }
            }
        }
    }
    assert!(cell_count > payloads().len() * 12, "only {cell_count} cells were looked at");
}

#[test]
fn a_workbook_has_numbers_as_numbers_and_texts_as_texts() {
    let section = Section {
        heading: "Rows".to_owned(),
        columns: KINDS.map(|kind| Column::new("c", kind)).to_vec(),
        rows: vec![
            vec![text("-5.00"), text("-5.00"), text("0.042"), text("2026-09-30")],
            // More digits than a spreadsheet's number holds: kept as text.
            vec![text("=1"), text("90071992547409931.25"), text("=1"), text("30.9.2026")],
        ],
        ..Section::default()
    };
    let all = parts(&xlsx(&Document { sections: vec![section], ..Document::default() }).expect("a workbook"));
    let (_, sheet) = all.iter().find(|(name, _)| name == "xl/worksheets/sheet2.xml").expect("the second sheet");
    assert!(sheet.contains(r#"<c r="A2" t="s">"#), "{sheet}");
    assert!(sheet.contains("<v>-5</v>"), "{sheet}");
    assert!(sheet.contains("<v>0.042</v>"), "{sheet}");
    assert!(sheet.contains("<v>46295</v>"), "{sheet}");
    for own in ["A3", "B3", "C3", "D3"] {
        let start = sheet.find(&format!(r#"<c r="{own}""#)).expect("the cell");
        let head = &sheet[start..start + sheet[start..].find('>').expect("its end")];
        assert!(head.contains(r#"t="s""#), "{head}");
    }
    let (_, strings) = all.iter().find(|(name, _)| name == "xl/sharedStrings.xml").expect("the texts");
    assert!(strings.contains("<t>90071992547409931.25</t>"), "{strings}");
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let document = statement(120);
    let (page, book) = (pdf(&document).expect("a PDF"), xlsx(&document).expect("a workbook"));
    for _ in 0..5 {
        assert!(pdf(&document).expect("a PDF") == page);
        assert!(xlsx(&document).expect("a workbook") == book);
    }
    let mut other = document;
    other.rows_changed();
    assert_ne!(id(&pdf(&other).expect("a PDF")), id(&page));
}

impl Document {
    fn rows_changed(&mut self) {
        self.sections[1].rows[0][4] = text("1.00");
    }
}

/// What the trailer of a PDF says to tell files apart.
fn id(bytes: &[u8]) -> String {
    let shown = String::from_utf8_lossy(bytes);
    let at = shown.rfind("/ID[(").expect("an id");
    shown[at..at + 40].to_owned()
}

#[test]
fn a_file_carries_the_day_of_its_document_and_no_clock() {
    let page = pdf(&statement(3)).expect("a PDF");
    assert!(String::from_utf8_lossy(&page).contains("D:20260930120000"));
    let book = parts(&xlsx(&statement(3)).expect("a workbook"));
    let (_, core) = book.iter().find(|(name, _)| name == "docProps/core.xml").expect("the properties");
    assert!(core.contains("2026-09-30T00:00:00Z"), "{core}");
}

#[test]
fn an_amount_is_printed_with_separators_and_a_rate_in_per_cent() {
    let printed = |kind, own| cell::printed(kind, own);
    assert_eq!(printed(Kind::Amount, "8784.0400"), "8,784.04");
    assert_eq!(printed(Kind::Amount, "-1234567.5"), "-1,234,567.50");
    assert_eq!(printed(Kind::Amount, "0.1234"), "0.1234");
    assert_eq!(printed(Kind::Amount, "-0.00"), "0.00");
    assert_eq!(printed(Kind::Amount, "007"), "7.00");
    assert_eq!(printed(Kind::Amount, "none"), "none");
    assert_eq!(printed(Kind::Rate, "0.042"), "4.2\u{a0}%");
    assert_eq!(printed(Kind::Rate, "1"), "100\u{a0}%");
    assert_eq!(printed(Kind::Rate, "-12.5"), "-1,250\u{a0}%");
    assert_eq!(printed(Kind::Rate, "0.00333333"), "0.333333\u{a0}%");
    assert_eq!(printed(Kind::Day, "2026-02-29"), "2026-02-29");
    assert_eq!(printed(Kind::Day, "2028-02-29"), "29\u{a0}Feb\u{a0}2028");
}

#[test]
fn a_table_longer_than_a_page_breaks_into_numbered_pages() {
    let page_count = |bytes: &[u8]| String::from_utf8_lossy(bytes).matches("/Type/Page/").count();
    assert_eq!(page_count(&pdf(&statement(5)).expect("a PDF")), 1);
    let long = page_count(&pdf(&statement(200)).expect("a PDF"));
    assert!((4..=7).contains(&long), "{long} pages");
}

#[test]
fn more_than_a_document_may_hold_is_refused_in_words() {
    let columns = vec![Column::new("a", Kind::Text)];
    let rows = vec![vec![None]; ROW_COUNT_MAX + 1];
    let message = csv(&columns, &rows).map(|bytes| bytes.len()).expect_err("too many rows").to_string();
    assert!(message.contains("100001 rows"), "{message}");
    let mut document = Document { sections: vec![Section { columns, rows, ..Section::default() }], ..Document::default() };
    for refused in [pdf(&document), xlsx(&document)] {
        assert!(refused.expect_err("too many rows").to_string().contains("100001 rows"));
    }
    document.sections[0].columns = vec![Column::new("a", Kind::Text); COLUMN_COUNT_MAX + 1];
    document.sections[0].rows = Vec::new();
    for refused in [pdf(&document), xlsx(&document), csv(&document.sections[0].columns, &[])] {
        assert!(refused.expect_err("too many columns").to_string().contains("201 columns"));
    }
    document.sections[0].columns.truncate(100);
    let message = pdf(&document).expect_err("too wide").to_string();
    assert!(message.contains("too wide for a page"), "{message}");
    document.sections[0].rows = vec![vec![None]];
    assert!(xlsx(&document).expect_err("a short row").to_string().contains("1 cells for 100 columns"));
}

#[test]
fn no_text_breaks_a_page() {
    for payload in payloads() {
        assert!(pdf(&hostile(&payload)).expect("a PDF").starts_with(b"%PDF-"));
    }
    let strange = "e\u{301} \u{202e}gpj\u{202c} 佐藤 )(\\ %\u{7} \u{1f600} ".repeat(400);
    assert!(pdf(&hostile(&strange)).expect("a PDF").starts_with(b"%PDF-"));
    assert!(xlsx(&hostile(&strange)).is_ok());
    let too_long = "x".repeat(32_768);
    assert!(format!("{:#}", xlsx(&hostile(&too_long)).expect_err("too long")).contains("32767"));
}
