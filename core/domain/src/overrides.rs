//! Values of a plan that are others for one payee: found by their path, put in place, the plan read again.
//!
//! A path is the id of a component and the keys below it, `commission.settings.rate`; items of lists are counted from 1 or named
//! by their `id`: `commission.settings.tiers.2.rate`. What belongs to the whole plan begins with its key: `cap.amount`.

use crate::plan::Plan;
use serde_json::{Map, Value};

/// Keys of a plan that stand for themselves at the start of a path.
const PLAN_KEYS: [&str; 6] = ["cap", "caps", "draws", "ramp", "tables", "target_from"];
/// Tables of the author's own keys: what is not there cannot be overridden.
const FREE_TABLES: [&str; 3] = ["settings", "params", "inputs"];

/// Why a value cannot be put at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// Nothing stands there; these are the paths of single values.
    Path { known: Vec<String> },
    /// The plan cannot be read with this value.
    Value { message: String },
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unfit::Path { .. } => formatter.write_str("is no value of the plan"),
            Unfit::Value { message } => write!(formatter, "does not fit the plan: {message}"),
        }
    }
}

/// The plan with `value` at `path`, as it would be read with it.
pub fn with_value(plan: &Plan, path: &str, value: &str) -> Result<Plan, Unfit> {
    let wrong = |message: String| Unfit::Value { message };
    let document = serde_json::to_value(plan).map_err(|error| wrong(error.to_string()))?;
    let unknown = || Unfit::Path { known: paths(plan) };
    let (root, rest, in_component) = root(&document, path).ok_or_else(unknown)?;
    if rest.is_empty() || (in_component && rest == ["id"]) {
        return Err(unknown());
    }
    let mut message = String::new();
    // Where nothing stands yet, its key decides what it has to be: a text first, for numbers with a point are texts.
    let number = value.parse::<u64>().ok().map(Value::from);
    let flag = value.parse::<bool>().ok().map(Value::from);
    for candidate in [Some(Value::from(value)), number, flag].into_iter().flatten() {
        let mut changed = document.clone();
        let Some(node) = changed.pointer_mut(&root) else { return Err(unknown()) };
        match put(node, &rest, &candidate, in_component) {
            None => return Err(unknown()),
            Some(false) => continue,
            Some(true) => {}
        }
        match serde_json::from_value::<Plan>(changed) {
            Ok(plan) => return Ok(plan),
            Err(error) if error.to_string().starts_with("unknown field") => return Err(unknown()),
            Err(error) if message.is_empty() => message = error.to_string(),
            Err(_) => {}
        }
    }
    Err(wrong(if message.is_empty() { "it is not of the kind of the value that stands there".to_owned() } else { message }))
}

/// The place where the path starts as a JSON pointer, what is left of it, and whether that is a component.
fn root<'a>(document: &Value, path: &'a str) -> Option<(String, Vec<&'a str>, bool)> {
    let components = document.get("components")?.as_array()?;
    let own = components.iter().enumerate().filter_map(|(place, component)| {
        let id = component.get("id")?.as_str()?;
        let rest = path.strip_prefix(id)?.strip_prefix('.')?;
        Some((id.len(), place, rest))
    });
    if let Some((_, place, rest)) = own.max() {
        return Some((format!("/components/{place}"), rest.split('.').collect(), true));
    }
    let first = path.split('.').next()?;
    PLAN_KEYS.contains(&first).then(|| (String::new(), path.split('.').collect(), false))
}

/// Puts the value at the end of the path. `None` where there is no such place; `Some(false)` where a value of another kind stands there.
fn put(node: &mut Value, path: &[&str], value: &Value, is_typed: bool) -> Option<bool> {
    let (first, rest) = path.split_first()?;
    let is_typed_below = !(is_typed && FREE_TABLES.contains(first));
    let next = match node {
        Value::Array(items) => {
            let by_id = items.iter().position(|item| item.get("id").and_then(Value::as_str) == Some(first));
            let place = by_id.or_else(|| first.parse::<usize>().ok()?.checked_sub(1))?;
            items.get_mut(place)?
        }
        Value::Object(table) => {
            if !table.contains_key(*first) {
                if in_free(is_typed, path) {
                    return None;
                }
                table.insert((*first).to_owned(), if rest.is_empty() { Value::Null } else { Value::Object(Map::new()) });
            }
            table.get_mut(*first)?
        }
        _ => return None,
    };
    if !rest.is_empty() {
        return if is_typed_below { put(next, rest, value, is_typed) } else { put_free(next, rest, value) };
    }
    replace(next, value)
}

fn in_free(is_component: bool, path: &[&str]) -> bool {
    is_component && path.first().is_some_and(|first| FREE_TABLES.contains(first))
}

/// As [`put`], in a table of the author's own keys.
fn put_free(node: &mut Value, path: &[&str], value: &Value) -> Option<bool> {
    let (first, rest) = path.split_first()?;
    let next = match node {
        Value::Array(items) => items.get_mut(first.parse::<usize>().ok()?.checked_sub(1)?)?,
        Value::Object(table) => table.get_mut(*first)?,
        _ => return None,
    };
    if rest.is_empty() { replace(next, value) } else { put_free(next, rest, value) }
}

fn replace(place: &mut Value, value: &Value) -> Option<bool> {
    let fits = match place {
        Value::Null => true,
        Value::String(_) => value.is_string(),
        Value::Bool(_) => value.is_boolean(),
        // A whole number may become one with a point, which is a text.
        Value::Number(_) => value.is_number() || value.as_str().is_some_and(|text| text.contains('.')),
        Value::Array(_) | Value::Object(_) => return None,
    };
    if fits {
        *place = value.clone();
    }
    Some(fits)
}

/// The paths of all single values of a plan, in the order in which they stand there.
pub fn paths(plan: &Plan) -> Vec<String> {
    let Ok(document) = serde_json::to_value(plan) else { return Vec::new() };
    let mut found = Vec::new();
    for component in document.get("components").and_then(Value::as_array).into_iter().flatten() {
        let id = component.get("id").and_then(Value::as_str).unwrap_or_default();
        let inner = component.as_object().into_iter().flatten().filter(|(key, _)| *key != "id");
        inner.for_each(|(key, value)| leaves(&format!("{id}.{key}"), value, &mut found));
    }
    for key in PLAN_KEYS {
        if let Some(value) = document.get(key) {
            leaves(key, value, &mut found);
        }
    }
    found
}

fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(table) => table.iter().for_each(|(key, value)| leaves(&format!("{path}.{key}"), value, found)),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let name = item.get("id").and_then(Value::as_str).map_or_else(|| (place + 1).to_string(), str::to_owned);
                leaves(&format!("{path}.{name}"), item, found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// The single value at a path as it stands in the plan; `None` where none stands there.
pub fn value_at(plan: &Plan, path: &str) -> Option<String> {
    let document = serde_json::to_value(plan).ok()?;
    let (root, rest, _) = root(&document, path)?;
    let mut node = document.pointer(&root)?;
    for part in rest {
        node = match node {
            Value::Array(items) => {
                let by_id = items.iter().find(|item| item.get("id").and_then(Value::as_str) == Some(part));
                by_id.or_else(|| items.get(part.parse::<usize>().ok()?.checked_sub(1)?))?
            }
            Value::Object(table) => table.get(part)?,
            _ => return None,
        };
    }
    match node {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(node.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        serde_json::from_value(serde_json::json!({
            "id": "p",
            "components": [
                { "id": "a", "measure": "m", "formula": "f", "params": { "floor": "3" },
                  "settings": { "rate": "0.1", "steps": 4, "deep": { "yes": true }, "tiers": [{ "from": "0", "rate": "0.1" }, { "from": "5", "rate": "0.2" }] } },
                { "id": "a.b", "measure": "m", "formula": "f", "settings": { "rate": "0.3" } },
            ],
            "draws": [{ "id": "start", "amount": "100" }],
        }))
        .expect("a plan")
    }

    fn changed(path: &str, value: &str) -> Result<Plan, Unfit> {
        with_value(&plan(), path, value)
    }

    #[test]
    fn a_value_is_put_where_its_path_leads() {
        let own = changed("a.settings.tiers.2.rate", "0.25").expect("it fits");
        assert_eq!(own.components[0].settings["tiers"][1]["rate"], "0.25");
        assert_eq!(own.components[1], plan().components[1]);
        assert_eq!(changed("a.b.settings.rate", "0.4").expect("the longest id").components[1].settings["rate"], "0.4");
        assert_eq!(changed("a.settings.steps", "7").expect("a number").components[0].settings["steps"], 7);
        assert_eq!(changed("a.settings.deep.yes", "false").expect("a flag").components[0].settings["deep"]["yes"], false);
        assert_eq!(changed("a.params.floor", "4.5").expect("a parameter").components[0].params["floor"].to_string(), "4.5");
        assert_eq!(
            changed("draws.start.amount", "250").expect("a draw").draws[0].amount.map(|own| own.to_string()).as_deref(),
            Some("250")
        );
    }

    #[test]
    fn what_the_format_knows_can_be_added_and_nothing_else() {
        let capped = changed("a.cap.amount", "50").expect("a cap where there was none");
        assert_eq!(capped.components[0].cap.as_ref().and_then(|cap| cap.amount).map(|own| own.to_string()).as_deref(), Some("50"));
        assert!(changed("a.true_up", "true").expect("a flag").components[0].true_up);
        for path in [
            "a.settings.rat",
            "a.settings.tiers.3.rate",
            "a.settings.tiers.0.rate",
            "a.params.ceiling",
            "a.capp.amount",
            "a.id",
            "c.settings.rate",
            "a",
            "name",
            "a.settings.tiers",
        ] {
            assert!(matches!(changed(path, "1"), Err(Unfit::Path { .. })), "{path}: {:?}", changed(path, "1"));
        }
        for (path, value) in
            [("a.accumulate", "decade"), ("a.cap.amount", "much"), ("a.settings.deep.yes", "perhaps"), ("a.settings.steps", "x")]
        {
            assert!(matches!(changed(path, value), Err(Unfit::Value { .. })), "{path}: {:?}", changed(path, value));
        }
        assert!(
            paths(&plan()).contains(&"a.settings.tiers.2.rate".to_owned()) && paths(&plan()).contains(&"draws.start.amount".to_owned())
        );
    }

    #[test]
    fn every_path_that_is_named_leads_to_its_value() {
        for path in paths(&plan()) {
            if let Some(value) = value_at(&plan(), &path) {
                assert_eq!(with_value(&plan(), &path, &value).as_ref(), Ok(&plan()), "{path}");
            }
        }
        assert_eq!(value_at(&plan(), "a.settings.rate").as_deref(), Some("0.1"));
    }
}
