//! A document as a workbook: a first sheet with what the head of the page says, then one sheet a section.
//! Text is written as string cells only; nothing is ever a formula or an address to follow.

use crate::cell::{self, Decimal};
use crate::{Column, Document, Kind, Section, check};
use anyhow::{Context, Result, ensure};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet};
use std::collections::BTreeSet;

/// Characters of one cell, as spreadsheets count them.
const CELL_LENGTH_MAX: usize = 32_767;
const SHEET_NAME_LENGTH_MAX: usize = 31;
/// In characters of the standard font.
const COLUMN_WIDTH: std::ops::RangeInclusive<usize> = 8..=60;

struct Formats {
    title: Format,
    head: Format,
    label: Format,
    text: Format,
    amount: Format,
    rate: Format,
    day: Format,
}

impl Formats {
    fn new() -> Formats {
        let head = Format::new().set_bold().set_border_bottom(FormatBorder::Thin).set_text_wrap().set_align(FormatAlign::Top);
        Formats {
            title: Format::new().set_bold().set_font_size(14),
            head,
            label: Format::new().set_bold(),
            text: Format::new(),
            amount: Format::new().set_num_format("#,##0.00##"),
            rate: Format::new().set_num_format("0.00##%"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        }
    }
}

pub fn xlsx(document: &Document) -> Result<Vec<u8>> {
    check(document)?;
    let formats = Formats::new();
    let mut book = Workbook::new();
    book.set_properties(&properties(document)?);
    let mut names = BTreeSet::new();
    let mut head = Worksheet::new();
    head.set_name(sheet_name("Summary", &mut names))?;
    write_head(&mut head, document, &formats)?;
    book.push_worksheet(head);
    for section in document.sections.iter().filter(|section| !section.columns.is_empty()) {
        let mut sheet = Worksheet::new();
        sheet.set_name(sheet_name(&section.heading, &mut names))?;
        write_section(&mut sheet, section, &formats).with_context(|| format!("section `{}`", section.heading))?;
        book.push_worksheet(sheet);
    }
    book.save_to_buffer().context("the workbook could not be written")
}

fn properties(document: &Document) -> Result<DocProperties> {
    let (year, month, day) = document.dated_on.as_deref().and_then(cell::day).unwrap_or((2000, 1, 1));
    let made = ExcelDateTime::from_ymd(year, month, day)?;
    Ok(DocProperties::new()
        .set_title(&document.title)
        .set_subject(&document.subtitle)
        .set_author(&document.issuer)
        .set_creation_datetime(&made))
}

fn write_head(sheet: &mut Worksheet, document: &Document, formats: &Formats) -> Result<()> {
    sheet.set_column_width(0, 24)?.set_column_width(1, 44)?.set_column_width(2, 60)?;
    let mut row = 0;
    for (text, format) in [(&document.issuer, &formats.text), (&document.title, &formats.title), (&document.subtitle, &formats.text)] {
        if !text.is_empty() {
            write_text(sheet, row, 0, text, format)?;
            row += 1;
        }
    }
    row += 1;
    for (label, value) in &document.facts {
        write_text(sheet, row, 0, label, &formats.label)?;
        write_text(sheet, row, 1, value, &formats.text)?;
        row += 1;
    }
    row += 1;
    for (label, amount) in &document.totals {
        write_text(sheet, row, 0, label, &formats.label)?;
        write_cell(sheet, row, 1, Kind::Amount, amount, formats)?;
        row += 1;
    }
    row += 1;
    for section in document.sections.iter().filter(|section| !section.note.is_empty() || !section.aside.is_empty()) {
        write_text(sheet, row, 0, &section.heading, &formats.label)?;
        write_cell(sheet, row, 1, Kind::Amount, &section.aside, formats)?;
        write_text(sheet, row, 2, &section.note, &formats.text)?;
        row += 1;
    }
    for text in [&document.footer, &document.link] {
        if !text.is_empty() {
            row += 1;
            write_text(sheet, row, 0, text, &formats.text)?;
        }
    }
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    Ok(())
}

fn write_section(sheet: &mut Worksheet, section: &Section, formats: &Formats) -> Result<()> {
    for (index, column) in section.columns.iter().enumerate() {
        let at = u16::try_from(index)?;
        write_text(sheet, 0, at, &column.name, &formats.head)?;
        sheet.set_column_width(at, u32::try_from(width(section, index, column))?)?;
    }
    for (row, cells) in (1..).zip(section.rows.iter().chain(&section.total)) {
        for (index, (column, own)) in section.columns.iter().zip(cells).enumerate() {
            if let Some(text) = own {
                write_cell(sheet, row, u16::try_from(index)?, column.kind, text, formats)
                    .with_context(|| format!("row {row}, column `{}`", column.name))?;
            }
        }
    }
    if let Some(last) = section.columns.len().checked_sub(1) {
        let rows = u32::try_from(section.rows.len())?;
        sheet.autofilter(0, 0, rows, u16::try_from(last)?)?.set_freeze_panes(1, 0)?;
        sheet.set_repeat_rows(0, 0)?;
    }
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    Ok(())
}

fn width(section: &Section, index: usize, column: &Column) -> usize {
    let cells = section.rows.iter().chain(&section.total).filter_map(|row| row[index].as_deref());
    let widest = cells.map(|text| cell::printed(column.kind, text).chars().count()).chain([column.name.chars().count() + 3]).max();
    widest.unwrap_or_default().clamp(*COLUMN_WIDTH.start(), *COLUMN_WIDTH.end())
}

fn write_cell(sheet: &mut Worksheet, row: u32, at: u16, kind: Kind, text: &str, formats: &Formats) -> Result<()> {
    match kind {
        Kind::Amount | Kind::Rate => {
            let format = if kind == Kind::Amount { &formats.amount } else { &formats.rate };
            if let Some(number) = exact_number(text) {
                sheet.write_number_with_format(row, at, number, format)?;
                return Ok(());
            }
        }
        Kind::Day => {
            if let Some((year, month, day)) = cell::day(text) {
                sheet.write_datetime_with_format(row, at, ExcelDateTime::from_ymd(year, month, day)?, &formats.day)?;
                return Ok(());
            }
        }
        Kind::Text => {}
    }
    write_text(sheet, row, at, text, &formats.text)
}

/// Spreadsheets compute with binary fractions; a decimal that these do not give back digit for digit stays text.
fn exact_number(text: &str) -> Option<f64> {
    let plain = Decimal::read(text)?.plain();
    plain.parse::<f64>().ok().filter(|number| number.to_string() == plain)
}

fn write_text(sheet: &mut Worksheet, row: u32, at: u16, text: &str, format: &Format) -> Result<()> {
    let length = text.encode_utf16().count();
    ensure!(
        length <= CELL_LENGTH_MAX,
        "a text of {length} characters is longer than the {CELL_LENGTH_MAX} that a spreadsheet's cell holds; take the CSV instead"
    );
    if !text.is_empty() {
        sheet.write_string_with_format(row, at, text, format)?;
    }
    Ok(())
}

/// A name that spreadsheets accept, not yet given to another sheet; they do not tell capitals from small letters.
fn sheet_name(heading: &str, names: &mut BTreeSet<String>) -> String {
    let plain: String = heading.chars().map(|own| if own.is_control() || "[]:*?/\\".contains(own) { ' ' } else { own }).collect();
    let plain = plain.trim_matches(|own: char| own == '\'' || own.is_whitespace());
    let plain = if plain.is_empty() || plain.eq_ignore_ascii_case("history") { "Table" } else { plain };
    let mut number = 1;
    loop {
        let ending = if number == 1 { String::new() } else { format!(" ({number})") };
        let mut name = String::new();
        for own in plain.chars() {
            if name.encode_utf16().count() + own.len_utf16() + ending.len() > SHEET_NAME_LENGTH_MAX {
                break;
            }
            name.push(own);
        }
        let name = format!("{}{ending}", name.trim_end_matches(|own: char| own == '\'' || own.is_whitespace()));
        if names.insert(name.to_lowercase()) {
            return name;
        }
        number += 1;
    }
}
