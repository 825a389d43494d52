//! A document as pages: a head with facts and totals, tables that break with their header repeated, and a foot on every page.

mod face;
mod page;
mod table;

use crate::{Document, Section, cell, check};
use anyhow::{Context, Result, ensure};
use face::{WEIGHTS, settable};
use page::{BLACK, BLUE, GREY, HAIR, Pages, TINT, Type, WHITE, font_id};
use printpdf::{OffsetDateTime, PdfDocument, PdfFont, PdfSaveOptions};
use table::{Place, Style, lines, lines_up_to, places};

/// A4, in points.
const SHORT_SIDE: f32 = 595.28;
const LONG_SIDE: f32 = 841.89;
const MARGIN: f32 = 48.0;
const MARGIN_TOP: f32 = 46.0;
/// What the foot takes of every page.
const FOOT: f32 = 62.0;

const FACTS_IN_A_ROW: usize = 3;
const TOTALS_IN_A_ROW: usize = 5;

/// The forms a document is tried in until its widest table fits: upright before lying, large type before small.
const FORMS: [(bool, f32); 5] = [(false, 8.6), (false, 7.6), (true, 8.6), (true, 7.6), (true, 6.4)];

pub fn pdf(document: &Document) -> Result<Vec<u8>> {
    check(document)?;
    for (lying, size) in FORMS {
        let (width, height) = if lying { (LONG_SIDE, SHORT_SIDE) } else { (SHORT_SIDE, LONG_SIDE) };
        let style = Style::of(size);
        let room = width - 2.0 * MARGIN;
        let all: Option<Vec<Vec<Place>>> = document.sections.iter().map(|section| places(section, &style, MARGIN, room)).collect();
        if let Some(all) = all {
            let mut flow = Flow { pages: Pages::new(width, height), document, style, at: 0.0 };
            flow.head();
            for (section, places) in document.sections.iter().zip(&all) {
                flow.section(section, places);
            }
            flow.feet();
            return save(document, flow.pages);
        }
    }
    let widest = document.sections.iter().map(|section| section.columns.len()).max().unwrap_or(0);
    anyhow::bail!("a table of {widest} columns is too wide for a page; take the workbook or the CSV instead")
}

struct Flow<'a> {
    pages: Pages,
    document: &'a Document,
    style: Style,
    /// Where the next thing goes, from the top of the page.
    at: f32,
}

impl Flow<'_> {
    fn right(&self) -> f32 {
        self.pages.width - MARGIN
    }

    fn room(&self) -> f32 {
        self.pages.width - 2.0 * MARGIN
    }

    fn bottom(&self) -> f32 {
        self.pages.height - FOOT
    }

    fn head(&mut self) {
        const ISSUER: Type = Type::bold(9.0, BLUE);
        const TITLE: Type = Type::bold(21.0, BLACK);
        const SUBTITLE: Type = Type::regular(11.0, GREY);
        self.pages.add();
        self.at = MARGIN_TOP;
        let document = self.document;
        let texts = [(1, &document.issuer, ISSUER, 6.0), (3, &document.title, TITLE, 1.0), (3, &document.subtitle, SUBTITLE, 4.0)];
        for (count, text, own, below) in texts {
            if text.is_empty() {
                continue;
            }
            for line in lines_up_to(count, text, own, self.room()) {
                self.pages.text(MARGIN, self.at, own, &line);
                self.at += own.leading();
            }
            self.at += below;
        }
        self.at += 6.0;
        self.facts();
        self.totals();
    }

    fn facts(&mut self) {
        const LABEL: Type = Type::regular(7.6, GREY);
        const VALUE: Type = Type::regular(9.4, BLACK);
        if self.document.facts.is_empty() {
            return;
        }
        self.pages.line(MARGIN, self.right(), self.at, 0.5, HAIR);
        self.at += 8.0;
        let width = self.room() / FACTS_IN_A_ROW as f32;
        for row in self.document.facts.chunks(FACTS_IN_A_ROW) {
            let values: Vec<Vec<String>> = row.iter().map(|(_, value)| lines(value, VALUE, width - 14.0)).collect();
            let line_count = values.iter().map(Vec::len).max().unwrap_or(0);
            let height = LABEL.leading() + line_count as f32 * VALUE.leading() + 6.0;
            if self.at + height > self.bottom() {
                self.next_page();
            }
            for (index, ((label, _), value)) in row.iter().zip(&values).enumerate() {
                let left = MARGIN + index as f32 * width;
                self.pages.text(left, self.at, LABEL, &lines_up_to(1, label, LABEL, width - 14.0).concat());
                for (number, line) in value.iter().enumerate() {
                    self.pages.text(left, self.at + LABEL.leading() + number as f32 * VALUE.leading(), VALUE, line);
                }
            }
            self.at += height;
        }
        self.at += 4.0;
    }

    /// A band with one field a total; the last one stands out.
    fn totals(&mut self) {
        const HEIGHT: f32 = 46.0;
        const PADDING: f32 = 10.0;
        const LABEL: Type = Type::regular(7.8, GREY);
        let count = self.document.totals.len();
        for (number, row) in self.document.totals.chunks(TOTALS_IN_A_ROW).enumerate() {
            let width = self.room() / row.len() as f32;
            for (index, (label, amount)) in row.iter().enumerate() {
                let is_last = number * TOTALS_IN_A_ROW + index + 1 == count;
                let (ground, label_ink, ink) = if is_last { (BLUE, WHITE, WHITE) } else { (TINT, GREY, BLACK) };
                let left = MARGIN + index as f32 * width;
                self.pages.area([left, self.at, width, HEIGHT], ground);
                self.pages.text(
                    left + PADDING,
                    self.at + 8.0,
                    LABEL.with(label_ink),
                    &lines_up_to(1, label, LABEL, width - 2.0 * PADDING).concat(),
                );
                let shown = cell::printed(crate::Kind::Amount, amount);
                let large = Type::bold(14.0, ink);
                let fit = (width - 2.0 * PADDING) / large.width(&settable(&shown)).max(1.0);
                let own = Type { size: large.size * fit.min(1.0), ..large };
                self.pages.text(left + PADDING, self.at + 20.0 + (large.size - own.size) / 2.0, own, &shown);
            }
            self.at += HEIGHT + 2.0;
        }
        self.at += 4.0;
    }

    fn next_page(&mut self) {
        const RUNNING: Type = Type::regular(8.0, GREY);
        self.pages.add();
        let words = [&self.document.title, &self.document.subtitle].into_iter().filter(|own| !own.is_empty()).map(String::as_str);
        let words = words.collect::<Vec<_>>().join(" · ");
        self.pages.text(MARGIN, 30.0, RUNNING, &lines_up_to(1, &words, RUNNING, self.room()).concat());
        self.pages.line(MARGIN, self.right(), 44.0, 0.5, HAIR);
        self.at = 54.0;
    }

    fn section(&mut self, section: &Section, places: &[Place]) {
        const NOTE: Type = Type::regular(7.8, GREY);
        self.at += 12.0;
        let rows: Vec<Row> = section.rows.iter().take(2).map(|row| self.row(section, row, places, self.style.body)).collect();
        let head = self.row_of_names(section, places);
        // A heading never stands alone at the foot of a page.
        let first: f32 = rows.iter().map(|row| row.height).sum();
        if self.at + 24.0 + head.height + first > self.bottom() {
            self.next_page();
        }
        self.heading(section, "");
        self.draw_head(&head, places);
        let count = section.rows.len();
        for (index, cells) in section.rows.iter().enumerate() {
            let row = self.row(section, cells, places, self.style.body);
            let sum = (index + 1 == count).then_some(section.total.as_ref()).flatten();
            let below = sum.map_or(0.0, |sum| self.row(section, sum, places, self.style.sum).height);
            self.break_before(row.height + below, section, &head, places);
            self.draw_row(&row, places, self.style.body);
            if index + 1 < count {
                self.pages.line(MARGIN, self.right(), self.at, 0.35, HAIR);
            }
        }
        if count == 0 && !section.columns.is_empty() {
            self.pages.text(MARGIN, self.at + 3.0, self.style.body.with(GREY), "None");
            self.at += self.style.body.leading() + 6.0;
        }
        if let Some(sum) = &section.total {
            let row = self.row(section, sum, places, self.style.sum);
            self.break_before(row.height, section, &head, places);
            self.pages.line(MARGIN, self.right(), self.at, 0.8, BLACK);
            self.draw_row(&row, places, self.style.sum);
        } else if !section.columns.is_empty() {
            self.pages.line(MARGIN, self.right(), self.at, 0.35, HAIR);
        }
        if !section.note.is_empty() {
            self.at += 4.0;
            for line in lines(&section.note, NOTE, self.room()) {
                if self.at + NOTE.leading() > self.bottom() {
                    self.next_page();
                }
                self.pages.text(MARGIN, self.at, NOTE, &line);
                self.at += NOTE.leading();
            }
        }
        self.at += 4.0;
    }

    fn heading(&mut self, section: &Section, ending: &str) {
        const HEADING: Type = Type::bold(11.0, BLACK);
        let aside = cell::printed(crate::Kind::Amount, &section.aside);
        let room = self.room() - HEADING.width(&settable(&aside)) - 12.0;
        let heading = format!("{}{ending}", section.heading);
        self.pages.text_to(self.right(), self.at, HEADING, &aside);
        for line in lines_up_to(2, &heading, HEADING, room) {
            self.pages.text(MARGIN, self.at, HEADING, &line);
            self.at += HEADING.leading();
        }
        self.at += 3.0;
    }

    fn break_before(&mut self, height: f32, section: &Section, head: &Row, places: &[Place]) {
        if self.at + height > self.bottom() {
            self.next_page();
            self.heading(section, " (continued)");
            self.draw_head(head, places);
        }
    }

    fn row_of_names(&self, section: &Section, places: &[Place]) -> Row {
        let cells = section.columns.iter().zip(places).map(|(column, place)| lines(&column.name, self.style.head, place.width));
        Row::new(cells.collect(), self.style.head, self.style.padding)
    }

    fn row(&self, section: &Section, cells: &[Option<String>], places: &[Place], own: Type) -> Row {
        let cells = section.columns.iter().zip(cells).zip(places).map(|((column, text), place)| {
            text.as_deref().map(|text| lines(&cell::printed(column.kind, text), own, place.width)).unwrap_or_default()
        });
        Row::new(cells.collect(), own, self.style.padding)
    }

    fn draw_head(&mut self, head: &Row, places: &[Place]) {
        if !places.is_empty() {
            self.draw_row(head, places, self.style.head);
            self.pages.line(MARGIN, self.right(), self.at, 0.8, GREY);
        }
    }

    fn draw_row(&mut self, row: &Row, places: &[Place], own: Type) {
        for (cell, place) in row.cells.iter().zip(places) {
            for (number, line) in cell.iter().enumerate() {
                let top = self.at + self.style.padding + number as f32 * own.leading();
                if place.to_the_right {
                    self.pages.text_to(place.left + place.width, top, own, line);
                } else {
                    self.pages.text(place.left, top, own, line);
                }
            }
        }
        self.at += row.height;
    }

    /// The foot of every page, which needs to know how many there are.
    fn feet(&mut self) {
        const FOOT_TYPE: Type = Type::regular(7.2, GREY);
        const LINK: Type = Type::regular(7.2, BLUE);
        let count = self.pages.count();
        for page in 0..count {
            let top = self.pages.height - FOOT + 16.0;
            self.pages.line_on(page, MARGIN, self.right(), top, 0.5, HAIR);
            let number = format!("page {} of {count}", page + 1);
            let number_left = self.right() - FOOT_TYPE.width(&number);
            self.pages.text_on(page, number_left, top + 6.0, FOOT_TYPE, &number);
            let width = number_left - MARGIN - 16.0;
            let mut at = top + 6.0;
            for line in lines_up_to(2, &self.document.footer, FOOT_TYPE, width) {
                self.pages.text_on(page, MARGIN, at, FOOT_TYPE, &line);
                at += FOOT_TYPE.leading();
            }
            let link = self.document.link.as_str();
            if let Some(line) = lines_up_to(1, link, LINK, width).first() {
                self.pages.text_on(page, MARGIN, at, LINK, line);
                if link.starts_with("https://") || link.starts_with("http://") {
                    self.pages.link_on(page, [MARGIN, at, LINK.width(line), LINK.leading()], link);
                }
            }
        }
    }
}

/// The lines of each cell, and the height of all.
struct Row {
    cells: Vec<Vec<String>>,
    height: f32,
}

impl Row {
    fn new(cells: Vec<Vec<String>>, own: Type, padding: f32) -> Row {
        let line_count = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        Row { cells, height: line_count as f32 * own.leading() + 2.0 * padding }
    }
}

fn save(document: &Document, pages: Pages) -> Result<Vec<u8>> {
    let mut own = PdfDocument::new(&document.title);
    own.metadata.info.author = document.issuer.clone();
    own.metadata.info.subject = document.subtitle.clone();
    own.metadata.info.producer = "Attain".to_owned();
    let day = OffsetDateTime::from_unix_timestamp(epoch_seconds(document)).map_err(anyhow::Error::msg)?;
    own.metadata.info.creation_date = day;
    own.metadata.info.modification_date = day;
    own.metadata.info.metadata_date = day;
    for weight in WEIGHTS {
        let part = weight.face().part(&pages.used[weight as usize])?;
        own.resources.fonts.map.insert(font_id(weight), PdfFont::new(part));
    }
    own.with_pages(pages.into_pages());
    let mut warnings = Vec::new();
    let options = PdfSaveOptions { subset_fonts: false, image_optimization: None, ..PdfSaveOptions::default() };
    let mut file = printpdf::to_lopdf_doc(&own, &options, &mut warnings);
    // The library says of every file that it follows a standard for printing presses.
    let info = file.trailer.get(b"Info").and_then(|own| own.as_reference())?;
    file.get_object_mut(info).and_then(|own| own.as_dict_mut())?.remove(b"GTS_PDFXVersion");
    file.compress();
    let mut bytes = Vec::new();
    file.save_to(&mut bytes)?;
    with_own_id(bytes)
}

/// Noon of the document's day.
fn epoch_seconds(document: &Document) -> i64 {
    let (year, month, day) = document.dated_on.as_deref().and_then(cell::day).unwrap_or((2000, 1, 1));
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    // Days of the civil calendar, counted in years that begin in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day - 1 - 719_468;
    days * 86_400 + 43_200
}

/// The library numbers its files by a counter of the process. A file's id is the hash of its content instead.
fn with_own_id(mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    const START: &[u8] = b"/ID[(";
    const LENGTH: usize = 32;
    let at = bytes.windows(START.len()).rposition(|own| own == START).context("the file has no id to replace")? + START.len();
    let ids = [at..at + LENGTH, at + LENGTH + 2..at + 2 * LENGTH + 2];
    let between = bytes.get(ids[0].end..ids[1].start).zip(bytes.get(ids[1].end..ids[1].end + 1));
    ensure!(between == Some((&b")("[..], &b")"[..])), "the file's id has another form");
    for id in &ids {
        bytes[id.clone()].fill(b'0');
    }
    let hash = blake3::hash(&bytes).to_hex();
    for id in ids {
        bytes[id].copy_from_slice(&hash.as_bytes()[..LENGTH]);
    }
    Ok(bytes)
}
