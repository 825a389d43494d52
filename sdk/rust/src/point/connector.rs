//! How records come in.

use crate::column::take_table;
use crate::{Column, Table, TextColumn};

pub trait Connector: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Fetches one page of records; `http` reaches the granted hosts.
    fn page(&mut self, request: &Request, http: &dyn Http) -> Result<Page, String>;
}

/// What is asked for. `cursor` is empty for the first page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub entity: String,
    pub cursor: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A way to the granted hosts; a test gives one of its own.
pub trait Http {
    /// Sends a GET request. A status of 400 and above is a response, not an error.
    fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Response, String>;
}

/// One page of records as text, as they would stand in the CSV file of the entity. An empty `cursor` ends the import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    pub columns: Vec<(String, Vec<Option<String>>)>,
    pub cursor: String,
}

impl Page {
    pub fn new(fields: &[&str]) -> Page {
        Page { columns: fields.iter().map(|field| ((*field).to_owned(), Vec::new())).collect(), cursor: String::new() }
    }

    /// Adds a record with a value for each field, in their order.
    pub fn push(&mut self, record: impl IntoIterator<Item = Option<String>>) {
        for ((_, values), value) in self.columns.iter_mut().zip(record) {
            values.push(value);
        }
    }
}

struct HostHttp;

impl Http for HostHttp {
    #[cfg(target_arch = "wasm32")]
    fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Response, String> {
        let headers: Vec<(String, String)> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        crate::bindings::connector::attain::connector::http::fetch(url, &headers)
            .map(|response| Response { status: response.status, body: response.body })
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn get(&self, url: &str, _: &[(&str, &str)]) -> Result<Response, String> {
        Err(format!("`{url}` cannot be fetched outside a host; hand the test an `Http` of its own"))
    }
}

fn request(mut input: Vec<Table>) -> Result<Request, String> {
    let mut table = take_table(&mut input, "request");
    let (entity, cursor) = (table.take_texts("entity")?, table.take_texts("cursor")?);
    let entity = entity.get(0).ok_or("table `request` has no `entity`")?.to_owned();
    Ok(Request { entity, cursor: cursor.get(0).unwrap_or_default().to_owned() })
}

pub(crate) fn answer<T: Connector>(extension: &mut T, input: Vec<Table>) -> Result<Vec<Table>, String> {
    answer_with(extension, input, &HostHttp)
}

/// One call with an `Http` of the caller's.
pub fn answer_with<T: Connector>(extension: &mut T, input: Vec<Table>, http: &dyn Http) -> Result<Vec<Table>, String> {
    let page = extension.page(&request(input)?, http)?;
    let mut records = Table::new("records");
    for (name, values) in &page.columns {
        records = records.with(name, Column::Text(TextColumn::from_values(values)));
    }
    let next = Table::new("next").with("cursor", Column::Text(TextColumn::from_values(&[Some(&page.cursor)])));
    Ok(vec![records, next])
}
