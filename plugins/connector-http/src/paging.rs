//! Where the import stands, as one opaque text that goes out with every page and comes back with the next call. It carries a mark
//! of an earlier position (Brent's method), so that an API that leads in a circle of any length is noticed without memory.

/// What the next call has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Pages fetched before.
    pub page: u32,
    /// Digest of the position at the last page number that was a power of two.
    mark: u64,
    /// What the API said; empty on the first page.
    pub cursor: String,
}

impl Position {
    pub fn first() -> Position {
        Position { page: 0, mark: 0, cursor: String::new() }
    }

    /// Reads a text made by [`Position::write`]; the empty text is the start.
    pub fn read(text: &str) -> Result<Position, String> {
        if text.is_empty() {
            return Ok(Position::first());
        }
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next();
        let position = (|| {
            let page = next()?.parse().ok()?;
            let mark = u64::from_str_radix(next()?, 16).ok()?;
            Some(Position { page, mark, cursor: next()?.to_owned() })
        })();
        position.ok_or_else(|| format!("`{text}` is no position of this import; start without a cursor"))
    }

    pub fn write(&self) -> String {
        format!("{}.{:016x}.{}", self.page, self.mark, self.cursor)
    }

    /// The position after a page that named `cursor` as the next. Refuses one where the import was before.
    pub fn follow(&self, cursor: String, page_limit: u32) -> Result<Position, String> {
        let page = self.page + 1;
        if page >= page_limit {
            return Err(format!("there are more than `{page_limit}` pages; raise `page_limit` if the source really is that large"));
        }
        let digest = digest(&cursor);
        if cursor == self.cursor || (page > 1 && digest == self.mark) {
            return Err(format!("the API leads in a circle: page {page} names the cursor `{cursor}` again; check `cursor_path`"));
        }
        let mark = if page.is_power_of_two() { digest } else { self.mark };
        Ok(Position { page, mark, cursor })
    }
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_the_border_with_any_cursor() {
        let position = Position::first().follow("a.b.c==&?".to_owned(), 10).expect("a second page");
        assert_eq!(Position::read(&position.write()), Ok(position));
        assert!(Position::read("nonsense").is_err());
    }

    #[test]
    fn circles_of_every_length_are_noticed_soon() {
        for (lead, circle) in [(0, 1), (0, 2), (3, 5), (10, 33), (100, 7)] {
            let mut position = Position::first();
            let mut turns = 0;
            loop {
                let number = if turns < lead { turns } else { lead + (turns - lead) % circle };
                turns += 1;
                match Position::read(&position.write()).expect("a position").follow(format!("c{number}"), 1_000) {
                    Ok(next) => position = next,
                    Err(message) => break assert!(message.contains("circle"), "{message}"),
                }
            }
            assert!(turns <= 4 * (lead + circle) + 4, "{turns} turns for a circle of {circle} after {lead}");
        }
    }

    #[test]
    fn endless_pages_end_at_the_limit() {
        let mut position = Position::first();
        for page in 0..4 {
            position = position.follow(format!("c{page}"), 5).expect("below the limit");
        }
        assert!(position.follow("last".to_owned(), 5).is_err_and(|message| message.contains("`5` pages")));
    }
}
