//! One page of records: the request, its retries, and every field checked against what the company folder expects.

use crate::json::Json;
use crate::paging::Position;
use attain_sdk::{Http, Page, Response};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    #[default]
    Text,
    Number,
    Day,
    Flag,
}

/// Where a field is found: a JSON pointer alone, or with what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Field {
    Pointer(String),
    Full(FullField),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullField {
    pub at: String,
    #[serde(default)]
    pub kind: FieldKind,
    #[serde(default)]
    pub required: bool,
    /// Words of the source and what they are called here; other words stay.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
}

impl Field {
    fn full(&self) -> FullField {
        match self {
            Field::Pointer(at) => FullField { at: at.clone(), kind: FieldKind::Text, required: false, words: BTreeMap::new() },
            Field::Full(full) => full.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `{entity}` stands for the name of the entity asked for.
    pub url: String,
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Query parameter that takes the cursor.
    #[serde(default)]
    pub cursor_parameter: Option<String>,
    /// Where the answer names the next cursor, or the whole address of the next page. No paging where absent.
    #[serde(default)]
    pub cursor_path: Option<String>,
    /// Where the list of records is; the whole answer where empty.
    #[serde(default)]
    pub records_path: String,
    pub fields: BTreeMap<String, Field>,
    /// Fields that hold the same text in every record.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    #[serde(default = "page_limit")]
    pub page_limit: u32,
    #[serde(default = "retries")]
    pub retries: u32,
}

fn page_limit() -> u32 {
    1_000
}

fn retries() -> u32 {
    3
}

impl Settings {
    pub fn defect(&self) -> Option<String> {
        if origin(&self.url).is_none() {
            return Some(format!("`url` is `{}`; write an address that starts with `https://` or `http://`", self.url));
        }
        if let Some(name) = self.constants.keys().find(|name| self.fields.contains_key(*name)) {
            return Some(format!("`{name}` is in `fields` and in `constants`; write it once"));
        }
        if self.fields.is_empty() {
            return Some("`fields` is empty; name at least one field of the entity and where it is found".to_owned());
        }
        let pointers = self.fields.values().map(|field| field.full().at).chain([self.records_path.clone()]).chain(self.cursor_path.clone());
        for pointer in pointers {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return Some(format!("`{pointer}` is no JSON pointer; write for example `/{pointer}`"));
            }
        }
        if self.cursor_parameter.is_some() != self.cursor_path.is_some() && self.cursor_path.is_none() {
            return Some("`cursor_parameter` needs `cursor_path`: where the answer names the next cursor".to_owned());
        }
        (self.page_limit == 0).then(|| "`page_limit` is 0; write at least 1".to_owned())
    }
}

/// The page at `cursor` and where to go on.
pub fn fetch(settings: &Settings, entity: &str, cursor: &str, http: &dyn Http) -> Result<Page, String> {
    let position = Position::read(cursor)?;
    let url = address(settings, entity, &position.cursor)?;
    let body = get(settings, &url, http)?;
    let document = Json::parse(&body).map_err(|message| format!("`{url}`: {message}"))?;
    let records = document
        .at(&settings.records_path)
        .and_then(Json::list)
        .ok_or_else(|| format!("`{url}`: there is no list at `{}`; check `records_path`", settings.records_path))?;
    let mut columns = Vec::with_capacity(settings.fields.len());
    for (name, field) in &settings.fields {
        let field = field.full();
        let mut values = Vec::with_capacity(records.len());
        for (number, record) in records.iter().enumerate() {
            let value = read(&field, *record).map_err(|message| format!("`{url}`: record {}: field `{name}`: {message}", number + 1))?;
            values.push(value);
        }
        columns.push((name.clone(), values));
    }
    for (name, text) in &settings.constants {
        columns.push((name.clone(), vec![Some(text.clone()); records.len()]));
    }
    let next = match next_cursor(settings, document) {
        Some(cursor) => position.follow(cursor, settings.page_limit)?.write(),
        None => String::new(),
    };
    Ok(Page { columns, cursor: next })
}

fn next_cursor(settings: &Settings, document: Json<'_>) -> Option<String> {
    let value = document.at(settings.cursor_path.as_deref()?)?;
    if value.is_null() || value.raw() == "false" {
        return None;
    }
    let cursor = value.text().unwrap_or_else(|| value.raw().to_owned());
    (!cursor.is_empty()).then_some(cursor)
}

/// Temporary refusals are tried again, a bounded number of times; the host spaces the calls out.
fn get(settings: &Settings, url: &str, http: &dyn Http) -> Result<Vec<u8>, String> {
    let headers: Vec<(&str, &str)> = settings.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut last = String::new();
    for _ in 0..=settings.retries {
        match http.get(url, &headers) {
            Ok(Response { status: 200..=299, body }) => return Ok(body),
            Ok(Response { status: status @ (429 | 500..=599), .. }) => last = format!("status {status}"),
            Ok(Response { status: status @ (401 | 403), .. }) => {
                return Err(format!("`{url}` answers with status {status}; check the secret that the host adds"));
            }
            Ok(Response { status, .. }) => return Err(format!("`{url}` answers with status {status}; check `url` and `query`")),
            // No answer at all is the host's own refusal (a host not granted, say) and does not get better.
            Err(message) => return Err(format!("`{url}`: {message}")),
        }
    }
    Err(format!("`{url}` still answers with {last} after {} tries; try again later", settings.retries + 1))
}

/// `scheme://host:port` of an address.
fn origin(url: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme))?;
    let end = url[scheme.len()..].find(['/', '?', '#']).map_or(url.len(), |end| scheme.len() + end);
    (end > scheme.len()).then(|| &url[..end])
}

fn address(settings: &Settings, entity: &str, cursor: &str) -> Result<String, String> {
    let url = settings.url.replace("{entity}", &encoded(entity));
    if origin(cursor).is_some() {
        // Followed only where the settings point anyway: an answer must not choose the host.
        return if origin(cursor) == origin(&url) {
            Ok(cursor.to_owned())
        } else {
            Err(format!("the next page `{cursor}` is not at the host of `{url}`; it is not followed"))
        };
    }
    let mut parameters: Vec<String> = settings.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    if !cursor.is_empty() {
        let name = settings
            .cursor_parameter
            .as_deref()
            .ok_or_else(|| format!("the answer names the cursor `{cursor}`; write `cursor_parameter`: which query parameter takes it"))?;
        parameters.push(format!("{}={}", encoded(name), encoded(cursor)));
    }
    if parameters.is_empty() {
        return Ok(url);
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{separator}{}", parameters.join("&")))
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The field of one record as it stands in a CSV file of the company folder.
fn read(field: &FullField, record: Json<'_>) -> Result<Option<String>, String> {
    let Some(value) = record.at(&field.at).filter(|value| !value.is_null()) else {
        return if field.required { Err(format!("there is nothing at `{}`, and it is required", field.at)) } else { Ok(None) };
    };
    let text = match value.text() {
        Some(text) => text,
        None if value.is_number() || value.is_flag() => value.raw().to_owned(),
        None => return Err(format!("there is a list or an object at `{}`; point at a value in it", field.at)),
    };
    let text = field.words.get(&text).cloned().unwrap_or(text);
    if text.is_empty() {
        return if field.required { Err(format!("the text at `{}` is empty, and it is required", field.at)) } else { Ok(None) };
    }
    match field.kind {
        FieldKind::Text => Ok(Some(text)),
        FieldKind::Number if is_plain_number(&text) => Ok(Some(text)),
        FieldKind::Number => Err(format!("`{text}` is no plain number such as `-1234.5`")),
        FieldKind::Flag if matches!(text.as_str(), "true" | "false") => Ok(Some(text)),
        FieldKind::Flag => Err(format!("`{text}` is neither `true` nor `false`; translate it with `words`")),
        FieldKind::Day => day(&text).map(|day| Some(day.to_owned())).ok_or_else(|| format!("`{text}` is no day such as `2026-03-31`")),
    }
}

fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `YYYY-MM-DD`, alone or at the start of a timestamp.
fn day(text: &str) -> Option<&str> {
    let (day, rest) = text.split_at_checked(10)?;
    let bytes = day.as_bytes();
    let is_digit = |place: &usize| bytes[*place].is_ascii_digit();
    if ![0, 1, 2, 3, 5, 6, 8, 9].iter().all(is_digit)
        || bytes[4] != b'-'
        || bytes[7] != b'-'
        || !(rest.is_empty() || rest.starts_with('T') || rest.starts_with(' '))
    {
        return None;
    }
    let (year, month, number): (u32, u32, u32) = (day[..4].parse().ok()?, day[5..7].parse().ok()?, day[8..].parse().ok()?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=length).contains(&number).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Answers in order and keeps what was asked.
    struct Script {
        answers: RefCell<Vec<(u16, &'static str)>>,
        asked: RefCell<Vec<String>>,
    }

    impl Http for Script {
        fn get(&self, url: &str, _headers: &[(&str, &str)]) -> Result<Response, String> {
            self.asked.borrow_mut().push(url.to_owned());
            if self.answers.borrow().is_empty() {
                return Err("no connection".to_owned());
            }
            let (status, body) = self.answers.borrow_mut().remove(0);
            Ok(Response { status, body: body.as_bytes().to_vec() })
        }
    }

    fn script(answers: &[(u16, &'static str)]) -> Script {
        Script { answers: RefCell::new(answers.to_vec()), asked: RefCell::default() }
    }

    fn settings(extra: &str) -> Settings {
        let text = format!(
            r#"{{"url":"https://crm.example/api/{{entity}}","query":{{"page size":"2"}},"cursor_parameter":"after","cursor_path":"/next",
                "records_path":"/items","fields":{{"account_id":{{"at":"/id","required":true}},"name":"/profile/name"}}{extra}}}"#
        );
        serde_json::from_str(&text).expect("settings")
    }

    fn column(page: &Page, name: &str) -> Vec<Option<String>> {
        page.columns.iter().find(|(own, _)| own == name).map(|(_, values)| values.clone()).expect("a column")
    }

    #[test]
    fn pages_follow_the_cursor_to_the_end() {
        let http = script(&[
            (200, r#"{"items":[{"id":1,"profile":{"name":"Ada"}},{"id":2,"profile":null}],"next":"b&2"}"#),
            (200, r#"{"items":[{"id":"x","profile":{"name":""}}],"next":null}"#),
        ]);
        let settings = settings("");
        let first = fetch(&settings, "accounts", "", &http).expect("a page");
        assert_eq!(column(&first, "account_id"), [Some("1".to_owned()), Some("2".to_owned())]);
        assert_eq!(column(&first, "name"), [Some("Ada".to_owned()), None]);
        let second = fetch(&settings, "accounts", &first.cursor, &http).expect("a page");
        assert_eq!((column(&second, "account_id"), second.cursor.as_str()), (vec![Some("x".to_owned())], ""));
        assert_eq!(
            *http.asked.borrow(),
            ["https://crm.example/api/accounts?page%20size=2", "https://crm.example/api/accounts?page%20size=2&after=b%262"]
        );
    }

    #[test]
    fn busy_servers_are_asked_again_but_not_for_ever() {
        let settings = settings(r#","retries":2"#);
        let http = script(&[(429, ""), (503, ""), (200, r#"{"items":[]}"#)]);
        assert!(fetch(&settings, "accounts", "", &http).is_ok());
        let http = script(&[(500, ""), (500, ""), (500, ""), (200, r#"{"items":[]}"#)]);
        assert!(fetch(&settings, "accounts", "", &http).is_err_and(|message| message.contains("after 3 tries")));
        let http = script(&[(404, "")]);
        assert!(fetch(&settings, "accounts", "", &http).is_err_and(|message| message.contains("status 404")));
        assert_eq!(http.asked.borrow().len(), 1);
    }

    #[test]
    fn the_next_address_is_followed_at_the_same_host_only() {
        let settings = settings("");
        let http = script(&[
            (200, r#"{"items":[],"next":"https://crm.example/api/accounts?p=2"}"#),
            (200, r#"{"items":[],"next":"https://evil.example/"}"#),
        ]);
        let first = fetch(&settings, "accounts", "", &http).expect("a page");
        let second = fetch(&settings, "accounts", &first.cursor, &http).expect("a page");
        assert_eq!(http.asked.borrow()[1], "https://crm.example/api/accounts?p=2");
        assert!(fetch(&settings, "accounts", &second.cursor, &http).is_err_and(|message| message.contains("not followed")));
    }

    #[test]
    fn a_cursor_that_comes_again_is_refused() {
        let settings = settings("");
        let page = (200, r#"{"items":[],"next":"same"}"#);
        let http = script(&[page, page]);
        let first = fetch(&settings, "accounts", "", &http).expect("a page");
        assert!(fetch(&settings, "accounts", &first.cursor, &http).is_err_and(|message| message.contains("circle")));
    }

    #[test]
    fn fields_are_checked_and_errors_name_the_record() {
        let mut settings = settings("");
        settings.fields = serde_json::from_str(
            r#"{"amount":{"at":"/a","kind":"number"},"ordered_on":{"at":"/d","kind":"day"},"locked":{"at":"/l","kind":"flag","words":{"Y":"true"}}}"#,
        )
        .expect("fields");
        let ask = |body: &'static str| fetch(&settings, "transactions", "", &script(&[(200, body)]));
        let good = ask(r#"{"items":[{"a":"-12.50","d":"2024-02-29T23:00:00Z","l":"Y"},{"a":0.1}]}"#).expect("a page");
        assert_eq!(column(&good, "amount"), [Some("-12.50".to_owned()), Some("0.1".to_owned())]);
        assert_eq!(column(&good, "ordered_on")[0].as_deref(), Some("2024-02-29"));
        assert_eq!(column(&good, "locked")[0].as_deref(), Some("true"));
        for (body, part) in [
            (r#"{"items":[{},{"a":1e5}]}"#, "record 2: field `amount`: `1e5`"),
            (r#"{"items":[{"d":"2023-02-29"}]}"#, "field `ordered_on`: `2023-02-29`"),
            (r#"{"items":[{"l":"maybe"}]}"#, "`maybe` is neither"),
            (r#"{"items":[{"a":[1]}]}"#, "a list or an object"),
            (r#"{"rows":[]}"#, "check `records_path`"),
            (r#"<html>"#, "no JSON"),
        ] {
            assert!(ask(body).is_err_and(|message| message.contains(part)), "{body}");
        }
    }

    #[test]
    fn missing_required_fields_and_bad_settings_are_named() {
        let missing = fetch(&settings(""), "accounts", "", &script(&[(200, r#"{"items":[{"profile":{}}]}"#)]));
        assert!(missing.is_err_and(|message| message.contains("record 1: field `account_id`: there is nothing at `/id`")));
        let defect = |change: &dyn Fn(&mut Settings)| {
            let mut settings = settings("");
            change(&mut settings);
            settings.defect().unwrap_or_default()
        };
        assert!(defect(&|settings| settings.url = "ftp://x".to_owned()).contains("`ftp://x`"));
        assert!(defect(&|settings| settings.records_path = "items".to_owned()).contains("`/items`"));
        assert!(defect(&|settings| settings.cursor_path = None).contains("`cursor_path`"));
        assert_eq!(defect(&|_| ()), "");
    }
}
