//! Drawing on pages: text, lines, areas and links, measured in points from the upper left corner.

use super::face::{Weight, settable};
use printpdf::{
    Actions, BorderArray, Color, FontId, LinkAnnotation, Op, PaintMode, PdfFontHandle, PdfPage, Point, Pt, Rect, Rgb, TextItem,
};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy)]
pub struct Ink(f32, f32, f32);

pub const BLACK: Ink = Ink(0.09, 0.11, 0.15);
pub const GREY: Ink = Ink(0.38, 0.42, 0.48);
pub const HAIR: Ink = Ink(0.85, 0.87, 0.89);
pub const TINT: Ink = Ink(0.953, 0.961, 0.973);
pub const BLUE: Ink = Ink(0.08, 0.27, 0.5);
pub const WHITE: Ink = Ink(1.0, 1.0, 1.0);

impl Ink {
    fn color(self) -> Color {
        Color::Rgb(Rgb::new(self.0, self.1, self.2, None))
    }
}

/// How text is set.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    pub weight: Weight,
    /// In points.
    pub size: f32,
    pub ink: Ink,
}

impl Type {
    pub const fn regular(size: f32, ink: Ink) -> Type {
        Type { weight: Weight::Regular, size, ink }
    }

    pub const fn bold(size: f32, ink: Ink) -> Type {
        Type { weight: Weight::Bold, size, ink }
    }

    pub const fn with(self, ink: Ink) -> Type {
        Type { ink, ..self }
    }

    pub fn width(&self, text: &str) -> f32 {
        self.weight.face().width(text, self.size)
    }

    /// From one line to the next.
    pub fn leading(&self) -> f32 {
        self.size * 1.36
    }

    /// From the top of a line to where its letters stand.
    fn ascent(&self) -> f32 {
        self.size * 1.02
    }
}

pub struct Pages {
    pub width: f32,
    pub height: f32,
    pages: Vec<Vec<Op>>,
    /// Letters set so far, in each weight.
    pub used: [BTreeSet<char>; 2],
}

impl Pages {
    pub fn new(width: f32, height: f32) -> Pages {
        Pages { width, height, pages: Vec::new(), used: Default::default() }
    }

    pub fn add(&mut self) {
        self.pages.push(Vec::new());
    }

    pub fn count(&self) -> usize {
        self.pages.len()
    }

    fn last(&mut self) -> usize {
        self.pages.len().saturating_sub(1)
    }

    /// `top` is that of the line.
    pub fn text(&mut self, left: f32, top: f32, own: Type, text: &str) {
        let page = self.last();
        self.text_on(page, left, top, own, text);
    }

    /// The text ends at `right`.
    pub fn text_to(&mut self, right: f32, top: f32, own: Type, text: &str) {
        self.text(right - own.width(&settable(text)), top, own, text);
    }

    pub fn text_on(&mut self, page: usize, left: f32, top: f32, own: Type, text: &str) {
        let text = settable(text);
        if text.trim().is_empty() {
            return;
        }
        self.used[own.weight as usize].extend(text.chars());
        let y = self.height - top - own.ascent();
        let font = PdfFontHandle::External(font_id(own.weight));
        self.pages[page].extend([
            Op::StartTextSection,
            Op::SetFont { font, size: Pt(own.size) },
            Op::SetFillColor { col: own.ink.color() },
            Op::SetTextCursor { pos: Point { x: rounded(left), y: rounded(y) } },
            Op::ShowText { items: vec![TextItem::Text(text)] },
            Op::EndTextSection,
        ]);
    }

    pub fn line(&mut self, left: f32, right: f32, top: f32, thickness: f32, ink: Ink) {
        let page = self.last();
        self.line_on(page, left, right, top, thickness, ink);
    }

    pub fn line_on(&mut self, page: usize, left: f32, right: f32, top: f32, thickness: f32, ink: Ink) {
        self.area_on(page, [left, top - thickness / 2.0, right - left, thickness], ink);
    }

    /// `[left, top, width, height]`
    pub fn area(&mut self, place: [f32; 4], ink: Ink) {
        let page = self.last();
        self.area_on(page, place, ink);
    }

    fn area_on(&mut self, page: usize, place: [f32; 4], ink: Ink) {
        let rectangle = Rect { mode: Some(PaintMode::Fill), ..self.rectangle(place) };
        self.pages[page].extend([Op::SetFillColor { col: ink.color() }, Op::DrawRectangle { rectangle }]);
    }

    pub fn link_on(&mut self, page: usize, place: [f32; 4], address: &str) {
        let border = Some(BorderArray::Solid([0.0, 0.0, 0.0]));
        let link = LinkAnnotation::new(self.rectangle(place), Actions::uri(address.to_owned()), border, None, None);
        self.pages[page].push(Op::LinkAnnotation { link });
    }

    fn rectangle(&self, [left, top, width, height]: [f32; 4]) -> Rect {
        Rect::from_xywh(rounded(left), rounded(self.height - top - height), rounded(width), rounded(height))
    }

    pub fn into_pages(self) -> Vec<PdfPage> {
        let (width, height) = (Pt(self.width), Pt(self.height));
        self.pages.into_iter().map(|ops| PdfPage::new(width.into(), height.into(), ops)).collect()
    }
}

pub fn font_id(weight: Weight) -> FontId {
    FontId(format!("{weight:?}"))
}

/// Hundredths of a point are finer than any printer.
fn rounded(points: f32) -> Pt {
    Pt((points * 100.0).round() / 100.0)
}
