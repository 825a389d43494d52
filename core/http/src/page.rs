//! Lists in pages: `?limit=…&cursor=…`, answered as `{items, next_cursor}`.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// `cursor` is what the page before answered as `next_cursor`.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most so many items, 1 to 1000; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
}

impl PageQuery {
    pub fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit)
    }

    /// The position after which the page begins; 0 for the first. For lists that only grow at their end.
    pub fn after(&self) -> Result<usize, Problem> {
        match &self.cursor {
            None => Ok(0),
            Some(cursor) => decode(cursor)?.parse().map_err(|_| bad(cursor)),
        }
    }

    /// The page of a list that is held in memory.
    pub fn cut<T>(&self, items: impl IntoIterator<Item = T>) -> Result<Page<T>, Problem> {
        let (limit, after) = (self.limit()?, self.after()?);
        let mut items: Vec<T> = items.into_iter().skip(after).take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, next_cursor: more.then(|| encode(&(after + limit).to_string())) })
    }
}

pub fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(limit) => Err(Problem::invalid(format!("`limit` is {limit}; write 1 to {LIMIT_MAX}"))),
    }
}

fn bad(cursor: &str) -> Problem {
    Problem::invalid(format!("`{cursor}` is no cursor; take `next_cursor` of the page before as it is"))
}

/// Opaque to clients: what it holds may change.
pub fn encode(position: &str) -> String {
    position.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub fn decode(cursor: &str) -> Result<String, Problem> {
    if !cursor.is_ascii() || !cursor.len().is_multiple_of(2) {
        return Err(bad(cursor));
    }
    let bytes: Result<Vec<u8>, _> = (0..cursor.len()).step_by(2).map(|at| u8::from_str_radix(&cursor[at..at + 2], 16)).collect();
    String::from_utf8(bytes.map_err(|_| bad(cursor))?).map_err(|_| bad(cursor))
}
