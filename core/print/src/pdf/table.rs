//! A table on a page: how wide its columns are and how its text breaks into lines.

use super::face::settable;
use super::page::{BLACK, GREY, Type};
use crate::{Column, Kind, Section, cell};

const GAP: f32 = 12.0;
/// A word longer than that is broken rather than making its column wider.
const WORD_WIDTH_MAX: f32 = 130.0;
/// Of one cell; what is longer ends with an ellipsis.
const LINE_COUNT_MAX: usize = 20;

/// Sizes of a table's type.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub head: Type,
    pub body: Type,
    pub sum: Type,
    /// Above and below the lines of a row.
    pub padding: f32,
}

impl Style {
    pub fn of(size: f32) -> Style {
        Style { head: Type::bold(size - 0.8, GREY), body: Type::regular(size, BLACK), sum: Type::bold(size, BLACK), padding: size * 0.36 }
    }
}

/// A column's place on the page.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub left: f32,
    pub width: f32,
    pub to_the_right: bool,
}

pub fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Amount | Kind::Rate)
}

/// Where the columns stand between `left` and `left + room`; nothing when they do not fit.
pub fn places(section: &Section, style: &Style, left: f32, room: f32) -> Option<Vec<Place>> {
    let wishes: Vec<Wish> = section.columns.iter().enumerate().map(|(index, column)| Wish::of(section, index, column, style)).collect();
    let gaps = GAP * wishes.len().saturating_sub(1) as f32;
    let least: f32 = wishes.iter().map(|wish| wish.least).sum::<f32>() + gaps;
    if least > room {
        return None;
    }
    let wished: f32 = wishes.iter().map(|wish| wish.whole - wish.least).sum();
    // Up to what the texts wish for; what is left over goes to the columns of text.
    let share = if wished > 0.0 { ((room - least) / wished).min(1.0) } else { 0.0 };
    let over = (room - least - wished).max(0.0);
    let text_count = section.columns.iter().filter(|column| column.kind == Kind::Text).count();
    let mut at = left;
    let places = section.columns.iter().zip(wishes).map(|(column, wish)| {
        let extra = match column.kind {
            Kind::Text => over / text_count as f32,
            _ if text_count == 0 => over / section.columns.len() as f32,
            _ => 0.0,
        };
        let width = wish.least + share * (wish.whole - wish.least) + extra;
        let place = Place { left: at, width, to_the_right: is_number(column.kind) };
        at += width + GAP;
        place
    });
    Some(places.collect())
}

struct Wish {
    least: f32,
    whole: f32,
}

impl Wish {
    fn of(section: &Section, index: usize, column: &Column, style: &Style) -> Wish {
        let longest_word = |own: Type, text: &str| text.split(' ').map(|word| own.width(word)).fold(0.0, f32::max);
        let name = settable(&column.name);
        let mut least = longest_word(style.head, &name).min(WORD_WIDTH_MAX);
        let mut whole = style.head.width(&name).min(least.max(WORD_WIDTH_MAX));
        let rows = section.rows.iter().map(|row| (style.body, row)).chain(section.total.iter().map(|row| (style.sum, row)));
        for (own, row) in rows {
            let Some(text) = &row[index] else { continue };
            let text = settable(&cell::printed(column.kind, text));
            let width = own.width(&text);
            whole = whole.max(width);
            // Numbers and days stay on one line.
            let unbroken = if cell::is_of_kind(column.kind, &text) { width } else { longest_word(own, &text) };
            least = least.max(unbroken.min(WORD_WIDTH_MAX));
        }
        // A hair more than measured, so that no rounding breaks a line.
        Wish { least: least + 0.1, whole: whole.max(least) + 0.1 }
    }
}

/// Breaks at blanks, and within a word where it is wider than the line.
pub fn lines(text: &str, own: Type, width: f32) -> Vec<String> {
    lines_up_to(LINE_COUNT_MAX, text, own, width)
}

/// The same, with an ellipsis in place of what does not fit on `count` lines.
pub fn lines_up_to(count: usize, text: &str, own: Type, width: f32) -> Vec<String> {
    let text = settable(text);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let wider = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if own.width(&wider) <= width {
            line = wider;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.chars() {
            line.push(letter);
            if own.width(&line) > width && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, letter.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > count {
        lines.truncate(count);
        if let Some(last) = lines.last_mut() {
            while own.width(&format!("{last}…")) > width && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines
}
