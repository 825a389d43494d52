//! The manifest of a script: TOML in its leading `//!` lines.

use super::host::Trouble;
use super::rows::unknown_name;
use attain_domain::point::{Fault, FaultKind, Point};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub name: String,
    pub point: Point,
    #[serde(default = "first_version")]
    pub version: String,
    #[serde(default)]
    pub description: String,
    /// JSON Schema: `settings.properties.<name>.default` is what a setting has where it is not given.
    #[serde(default)]
    settings: Value,
}

fn first_version() -> String {
    "0.0.0".to_owned()
}

impl Header {
    pub fn parse(name: &str, source: &str) -> Result<Header, Fault> {
        let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
        let text: String = lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
        let invalid =
            |message: String, line: Option<usize>| Fault { kind: FaultKind::NotAnExtension, message, line, column: line.map(|_| 1) };
        if text.is_empty() {
            let message = "the script has no manifest; begin it with lines such as `//! name = \"…\"` and `//! point = \"compensation\"`";
            return Err(invalid(message.to_owned(), Some(1)));
        }
        let header: Header = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
            invalid(format!("the manifest is wrong: {}", error.message()), line)
        })?;
        if header.name != name {
            return Err(invalid(format!("the manifest says `{}`, the file is called `{name}`; make them equal", header.name), Some(1)));
        }
        Ok(header)
    }

    pub fn properties(&self) -> Option<&Map<String, Value>> {
        self.settings.get("properties")?.as_object()
    }

    /// The settings that the manifest declares; `None` where it declares none.
    pub fn setting_names(&self) -> Option<Vec<String>> {
        self.properties().map(|properties| properties.keys().cloned().collect())
    }

    /// `given` with the defaults of what it leaves out.
    pub fn settings(&self, given: &Value) -> Result<Value, Trouble> {
        let refused = |message: String| Trouble { kind: FaultKind::Refused, message };
        let mut settings = match given {
            Value::Null => Map::new(),
            Value::Object(object) => object.clone(),
            _ => return Err(refused("settings must be an object".to_owned())),
        };
        let Some(properties) = self.properties() else { return Ok(Value::Object(settings)) };
        for name in settings.keys() {
            if !properties.contains_key(name) {
                let known: Vec<String> = properties.keys().cloned().collect();
                return Err(refused(unknown_name("setting", name, &known)));
            }
        }
        for (name, property) in properties {
            if let (Some(default), false) = (property.get("default"), settings.contains_key(name)) {
                settings.insert(name.clone(), default.clone());
            }
        }
        Ok(Value::Object(settings))
    }
}
