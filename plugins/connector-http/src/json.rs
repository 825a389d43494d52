//! JSON as it stands: numbers keep their digits, because an amount that went through a float is another amount.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A value of a document, read no further than somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct Json<'a>(&'a RawValue);

impl<'a> Json<'a> {
    pub fn parse(body: &'a [u8]) -> Result<Json<'a>, String> {
        serde_json::from_slice(body).map(Json).map_err(|error| format!("the answer is no JSON: {error}"))
    }

    /// The value at a JSON pointer (RFC 6901); `None` where there is none.
    pub fn at(self, pointer: &str) -> Option<Json<'a>> {
        let mut value = self;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            value = match value.0.get().as_bytes().first()? {
                b'{' => Json(
                    serde_json::from_str::<BTreeMap<std::borrow::Cow<'_, str>, &'a RawValue>>(value.0.get()).ok()?.get(part.as_str())?,
                ),
                b'[' => Json(serde_json::from_str::<Vec<&'a RawValue>>(value.0.get()).ok()?.get(part.parse::<usize>().ok()?)?),
                _ => return None,
            };
        }
        Some(value)
    }

    /// The elements of a list; `None` where it is none.
    pub fn list(self) -> Option<Vec<Json<'a>>> {
        if !self.0.get().starts_with('[') {
            return None;
        }
        serde_json::from_str::<Vec<&'a RawValue>>(self.0.get()).ok().map(|values| values.into_iter().map(Json).collect())
    }

    pub fn is_null(self) -> bool {
        self.0.get() == "null"
    }

    pub fn is_number(self) -> bool {
        self.0.get().starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    pub fn is_flag(self) -> bool {
        matches!(self.0.get(), "true" | "false")
    }

    /// A text without its quotes; `None` for anything else.
    pub fn text(self) -> Option<String> {
        if self.0.get().starts_with('"') { serde_json::from_str(self.0.get()).ok() } else { None }
    }

    /// As it stands in the document.
    pub fn raw(self) -> &'a str {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_all_their_digits() {
        let body = br#"{"a": [{"b/c": 12345678901234567.8900}]}"#;
        assert_eq!(Json::parse(body).expect("json").at("/a/0/b~1c").map(Json::raw), Some("12345678901234567.8900"));
    }

    #[test]
    fn a_pointer_into_nothing_finds_nothing() {
        let json = Json::parse(br#"{"a": "x"}"#).expect("json");
        assert!(json.at("/a/b").is_none() && json.at("/c").is_none() && json.at("").is_some());
    }
}
