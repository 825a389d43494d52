//! The difference of two texts, or of two companies, as lines that are kept, gone or new.

use crate::folder::{self, Change, Company};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// More lines are not kept; the last one says so.
const LINES_MAX: usize = 5_000;
/// Above this many pairs of lines, the part that differs is shown as replaced whole.
const PAIRS_MAX: usize = 4_000_000;

/// `tag` is a space for a line that stays, `-` for one that goes, `+` for one that comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    pub tag: String,
    pub text: String,
}

impl Line {
    fn of(tag: &str, text: &str) -> Line {
        Line { tag: tag.to_owned(), text: text.to_owned() }
    }

    pub fn same(text: &str) -> Line {
        Line::of(" ", text)
    }

    pub fn gone(text: &str) -> Line {
        Line::of("-", text)
    }

    pub fn new(text: &str) -> Line {
        Line::of("+", text)
    }
}

fn limited(mut lines: Vec<Line>) -> Vec<Line> {
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(Line::same(&format!("… and {more} more lines")));
    }
    lines
}

/// The longest common subsequence of lines stays.
pub fn document_lines(before: &str, after: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(old, new)| old == new).count();
    let (left, right) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let mut lines: Vec<Line> = old[..start].iter().map(|line| Line::same(line)).collect();
    if left.len().saturating_mul(right.len()) > PAIRS_MAX {
        lines.extend(left.iter().map(|line| Line::gone(line)));
        lines.extend(right.iter().map(|line| Line::new(line)));
    } else {
        // `common[i][j]`: how many lines `left[i..]` and `right[j..]` share.
        let width = right.len() + 1;
        let mut common = vec![0u32; (left.len() + 1) * width];
        for i in (0..left.len()).rev() {
            for j in (0..right.len()).rev() {
                common[i * width + j] = if left[i] == right[j] {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < left.len() || j < right.len() {
            if i < left.len() && j < right.len() && left[i] == right[j] {
                lines.push(Line::same(left[i]));
                (i, j) = (i + 1, j + 1);
            } else if j == right.len() || (i < left.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
                lines.push(Line::gone(left[i]));
                i += 1;
            } else {
                lines.push(Line::new(right[j]));
                j += 1;
            }
        }
    }
    lines.extend(old[old.len() - end..].iter().map(|line| Line::same(line)));
    limited(lines)
}

/// Records and documents that differ, a line for each side.
pub fn row_lines(have: &Company, want: &Company) -> Vec<Line> {
    let mut lines = Vec::new();
    for change in folder::diff(have, want) {
        if lines.len() > LINES_MAX + 1 {
            break;
        }
        let text = change.to_string();
        match change {
            Change::Inserted { .. } | Change::DocumentAdded { .. } => lines.push(Line::new(&text)),
            Change::Removed { .. } | Change::DocumentRemoved { .. } => lines.push(Line::gone(&text)),
            Change::Changed { entity, key, fields } => {
                let shown = |value: fn(&folder::FieldChange) -> &Option<String>| {
                    let fields: Vec<String> =
                        fields.iter().map(|own| format!("{} = {}", own.field, value(own).as_deref().unwrap_or("-"))).collect();
                    format!("{entity} {key}: {}", fields.join(", "))
                };
                lines.push(Line::gone(&shown(|own| &own.old)));
                lines.push(Line::new(&shown(|own| &own.new)));
            }
            Change::DocumentChanged { path, line, old, new } => {
                lines.push(Line::same(&format!("{path}, line {line}")));
                lines.extend(old.iter().map(|line| Line::gone(line)));
                lines.extend(new.iter().map(|line| Line::new(line)));
            }
        }
    }
    limited(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> String {
        document_lines(before, after).iter().map(|line| format!("{}{}", line.tag, line.text)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn lines_that_stay_are_kept_between_those_that_differ() {
        assert_eq!(shown("a\nb\nc\nd\n", "a\nx\nc\ny\nd\n"), " a\n-b\n+x\n c\n+y\n d");
        assert_eq!(shown("", "a\n"), "+a");
        assert_eq!(shown("a\n", "a\n"), " a");
        assert_eq!(shown("a\na\n", "a\n"), " a\n-a");
    }
}
