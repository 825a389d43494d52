//! What is wrong with a company folder: one value per defect, with its place and what to do.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// As many problems of one file are listed; the rest is counted.
const PER_FILE_MAX: usize = 100;

/// One defect. `line` and `position` count from one; `position` is that of the column in its line (of the character in TOML).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    pub file: String,
    pub line: Option<u64>,
    pub position: Option<u64>,
    pub column: Option<String>,
    /// The offending value, shortened.
    pub value: Option<String>,
    pub message: String,
}

impl Problem {
    pub fn new(file: &str, message: impl Into<String>) -> Problem {
        Problem { file: file.to_owned(), line: None, position: None, column: None, value: None, message: message.into() }
    }

    #[must_use]
    pub fn at(mut self, line: Option<u64>) -> Problem {
        self.line = line;
        self
    }

    #[must_use]
    pub fn column(mut self, name: &str, position: Option<u64>) -> Problem {
        self.column = Some(name.to_owned());
        self.position = position;
        self
    }

    #[must_use]
    pub fn value(mut self, value: &str) -> Problem {
        self.value = Some(shortened(value));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        match (&self.column, self.position) {
            (Some(column), _) => write!(formatter, ", column {column}")?,
            (None, Some(position)) => write!(formatter, ":{position}")?,
            (None, None) => {}
        }
        formatter.write_str(": ")?;
        if let Some(value) = &self.value {
            write!(formatter, "`{value}` ")?;
        }
        formatter.write_str(&self.message)
    }
}

/// Every problem found, in the order of files and lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Problems {
    pub listed: Vec<Problem>,
    /// Files with more problems than are listed, and how many more.
    pub unlisted: Vec<(String, u64)>,
    /// How many of each file are listed.
    #[serde(skip)]
    counts: BTreeMap<String, usize>,
    /// As many of one file are listed at most; [`PER_FILE_MAX`] where 0.
    #[serde(skip)]
    per_file_max: usize,
}

impl Problems {
    /// No problem yet; at most `per_file_max` of one file will be listed.
    pub fn listing(per_file_max: usize) -> Problems {
        Problems { per_file_max, ..Problems::default() }
    }

    /// How many there are, listed or not.
    pub fn count(&self) -> u64 {
        self.listed.len() as u64 + self.unlisted.iter().map(|(_, count)| count).sum::<u64>()
    }

    pub fn push(&mut self, problem: Problem) {
        let most = if self.per_file_max == 0 { PER_FILE_MAX } else { self.per_file_max };
        let listed = self.counts.get(&problem.file).copied().unwrap_or(0);
        if let Some((_, more)) = self.unlisted.iter_mut().find(|(file, _)| *file == problem.file) {
            *more += 1;
        } else if listed < most {
            self.counts.insert(problem.file.clone(), listed + 1);
            self.listed.push(problem);
        } else {
            self.unlisted.push((problem.file, 1));
        }
    }

    pub fn append(&mut self, other: Problems) {
        for problem in other.listed {
            self.push(problem);
        }
        for (file, more) in other.unlisted {
            match self.unlisted.iter_mut().find(|(own, _)| *own == file) {
                Some((_, count)) => *count += more,
                None => self.unlisted.push((file, more)),
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// `value`, or the problems in their order where there are any.
    pub fn or<T>(mut self, value: T) -> Result<T, Problems> {
        if self.is_empty() {
            return Ok(value);
        }
        self.listed.sort();
        self.unlisted.sort();
        Err(self)
    }

    /// One line a problem.
    pub fn lines(&self) -> Vec<String> {
        let more = self.unlisted.iter().map(|(file, count)| format!("{file}: and {count} more problems"));
        self.listed.iter().map(ToString::to_string).chain(more).collect()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.lines().join("\n"))
    }
}

impl std::error::Error for Problems {}

/// At most 60 characters of a value on one line; control characters are escaped.
pub(super) fn shortened(value: &str) -> String {
    let mut text = String::new();
    for (count, character) in value.chars().enumerate() {
        if count == 60 {
            text.push('…');
            break;
        }
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

/// The candidate most like `word`, where one is like it at all.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const CANDIDATES_MAX: usize = 20_000;
    let letters: Vec<char> = word.chars().flat_map(char::to_lowercase).take(101).collect();
    let allowed = ((letters.len() + 1) / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(CANDIDATES_MAX) {
        if candidate.len().abs_diff(word.len()) > 4 * allowed {
            continue;
        }
        let distance = distance(&letters, candidate);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// `; did you mean …?`, or `; ` and what else to do.
pub(super) fn advice<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    nearest(word, candidates).map_or_else(|| format!("; {otherwise}"), |near| format!("; did you mean `{near}`?"))
}

/// Levenshtein distance without regard to case.
fn distance(word: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (index, letter) in other.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for at in 0..word.len() {
            let changed = diagonal + usize::from(word[at] != letter);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[word.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_recognised_and_a_different_word_is_not() {
        assert_eq!(nearest("amuont", ["account_id", "amount"]), Some("amount"));
        assert_eq!(nearest("Payee_ID", ["payee_id", "paid_on"]), Some("payee_id"));
        assert_eq!(nearest("colour", ["amount", "currency"]), None);
    }

    #[test]
    fn a_flood_of_problems_is_counted_and_not_kept() {
        let mut problems = Problems::default();
        for line in 1..=250 {
            problems.push(Problem::new("a.csv", "is wrong").at(Some(line)));
        }
        problems.push(Problem::new("b.csv", "is wrong"));
        assert_eq!(problems.listed.len(), 101);
        assert_eq!(problems.lines().last().map(String::as_str), Some("a.csv: and 150 more problems"));
    }
}
