//! The two faces that documents are set in: how wide text is, which letters there are, and the part of a face that a document uses.

use allsorts::binary::read::ReadScope;
use allsorts::font_data::FontData;
use allsorts::subset::{CmapTarget, SubsetProfile, subset};
use anyhow::{Context, Result, anyhow};
use printpdf::ParsedFont;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

pub const WEIGHTS: [Weight; 2] = [Weight::Regular, Weight::Bold];

/// Stands for a letter that the faces do not have.
const MISSING: char = '\u{fffd}';

pub struct Face {
    bytes: &'static [u8],
    /// Of the font, after the tag of six letters that marks a part of it.
    name: &'static str,
    /// Glyph and advance by character; the faces hold nothing beyond the basic plane.
    glyphs: Vec<Option<(u16, u16)>>,
    units_per_em: u16,
}

static REGULAR: LazyLock<Face> = LazyLock::new(|| Face::new(include_bytes!("../../fonts/NotoSans-Regular.ttf"), "ATTAIN+NotoSans-Regular"));
static BOLD: LazyLock<Face> = LazyLock::new(|| Face::new(include_bytes!("../../fonts/NotoSans-Bold.ttf"), "ATTAIN+NotoSans-Bold"));

impl Weight {
    pub fn face(self) -> &'static Face {
        match self {
            Weight::Regular => &REGULAR,
            Weight::Bold => &BOLD,
        }
    }
}

impl Face {
    fn new(bytes: &'static [u8], name: &'static str) -> Face {
        let parsed = ParsedFont::from_bytes(bytes, 0, &mut Vec::new()).expect("the committed font is one");
        let mut glyphs = vec![None; 0x1_0000];
        for (codepoint, glyph) in &parsed.codepoint_to_glyph {
            if let Some(place) = glyphs.get_mut(*codepoint as usize) {
                *place = Some((*glyph, parsed.glyph_widths.get(glyph).copied().unwrap_or(0)));
            }
        }
        Face { bytes, name, glyphs, units_per_em: parsed.units_per_em }
    }

    fn glyph(&self, own: char) -> Option<(u16, u16)> {
        self.glyphs.get(own as usize).copied().flatten()
    }

    /// In points, at a size in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        let units: u32 = text.chars().map(|own| self.glyph(own).map_or(0, |(_, advance)| u32::from(advance))).sum();
        units as f32 * size / f32::from(self.units_per_em)
    }

    /// A font with the letters `used` alone.
    pub fn part(&self, used: &BTreeSet<char>) -> Result<ParsedFont> {
        let mut glyphs: BTreeSet<u16> = used.iter().filter_map(|own| self.glyph(*own)).map(|(glyph, _)| glyph).collect();
        // What stands for no glyph comes first, and once.
        glyphs.insert(0);
        let ids: Vec<u16> = glyphs.into_iter().collect();
        let font = ReadScope::new(self.bytes).read::<FontData>().map_err(|error| anyhow!("{}: {error}", self.name))?;
        let provider = font.table_provider(0).map_err(|error| anyhow!("{}: {error}", self.name))?;
        let bytes = subset(&provider, &ids, &SubsetProfile::Pdf, CmapTarget::Unicode).map_err(|error| anyhow!("{}: {error}", self.name))?;
        let mut part = ParsedFont::from_bytes(&bytes, 0, &mut Vec::new()).with_context(|| format!("a part of {} is no font", self.name))?;
        part.font_name = Some(self.name.to_owned());
        Ok(part)
    }
}

/// The text as the faces can set it: letters with their accents as one, blanks for controls, nothing for marks that only steer the
/// direction or the joining of letters, and a sign for each letter that is not there.
pub fn settable(text: &str) -> String {
    text.nfc().filter(|own| !is_invisible(*own)).map(|own| if own.is_control() { ' ' } else { own }).map(present).collect()
}

fn present(own: char) -> char {
    let is_there = WEIGHTS.iter().all(|weight| weight.face().glyph(own).is_some());
    if is_there { own } else { MISSING }
}

fn is_invisible(own: char) -> bool {
    matches!(own, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}
