//! What an extension says about itself: TOML in a custom section of a component or in the leading `//!` lines of a script.

use attain_domain::point::{Contract, Fault, FaultKind, Point};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The custom section that holds the manifest of a component.
pub const MANIFEST_SECTION: &str = "attain:manifest";
/// The custom section that holds its cases.
pub const CASES_SECTION: &str = "attain:cases";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: String,
    #[serde(default = "first_version")]
    pub version: String,
    pub point: Point,
    /// The version of the point's contract that it is written for.
    #[serde(default = "first_contract")]
    pub contract: u32,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// Hosts that a connector asks for; an administrator grants them.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Input table to the columns that are read. A table named here crosses the border with these columns only, which
    /// saves most of the time of a batch; one that is not named crosses whole.
    #[serde(default)]
    pub reads: BTreeMap<String, Vec<String>>,
    /// JSON Schema of the settings.
    #[serde(default)]
    pub settings: serde_json::Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    Http,
}

fn first_version() -> String {
    "0.0.0".to_owned()
}

fn first_contract() -> u32 {
    1
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Manifest, Fault> {
        let invalid = |message: String, line: Option<usize>, column: Option<usize>| Fault {
            kind: FaultKind::NotAnExtension,
            message: format!("the manifest is wrong: {message}"),
            line,
            column,
        };
        let manifest: Manifest = toml::from_str(text).map_err(|error| {
            let place = error.span().map(|span| place_of(text, span.start));
            invalid(error.message().to_owned(), place.map(|(line, _)| line), place.map(|(_, column)| column))
        })?;
        manifest.check().map_err(|message| invalid(message, None, None))?;
        Ok(manifest)
    }

    /// The manifest of a script, from its leading `//!` lines.
    pub fn of_script(source: &str) -> Result<Manifest, Fault> {
        let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
        let text: String = lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
        if text.is_empty() {
            let message = "the script has no manifest; begin it with lines such as `//! name = \"…\"` and `//! point = \"compensation\"`";
            return Err(Fault { kind: FaultKind::NotAnExtension, message: message.to_owned(), line: Some(1), column: Some(1) });
        }
        Manifest::parse(&text)
    }

    fn check(&self) -> Result<(), String> {
        let legal = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if self.name.is_empty() || self.name.len() > 64 || !legal(&self.name) {
            return Err(format!("`{}` is no name; use up to 64 small letters, digits and hyphens", self.name));
        }
        let contract = self.point.contract();
        if self.contract != contract.version {
            return Err(format!(
                "it is written for version {} of the contract `{}`; this server knows version {}",
                self.contract, self.point, contract.version
            ));
        }
        if self.point != Point::Connector && (!self.capabilities.is_empty() || !self.hosts.is_empty()) {
            return Err(format!("only connectors may ask for capabilities or hosts; `{}` is at point `{}`", self.name, self.point));
        }
        for (table, columns) in &self.reads {
            check_reads(contract, table, columns)?;
        }
        Ok(())
    }
}

fn check_reads(contract: &Contract, table: &str, columns: &[String]) -> Result<(), String> {
    let Some(known) = contract.input.iter().find(|known| known.name == table) else {
        return Err(format!("`reads` names table `{table}`, which point `{}` does not have", contract.point));
    };
    for column in columns {
        let is_known =
            known.columns.iter().any(|(name, _)| name == column || name.strip_suffix('*').is_some_and(|prefix| column.starts_with(prefix)));
        if !is_known {
            return Err(format!("`reads` names column `{column}` of `{table}`, which point `{}` does not have", contract.point));
        }
    }
    Ok(())
}

/// Line and column of a byte, counted from one.
pub(crate) fn place_of(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_is_named_with_its_line() {
        let fault = Manifest::parse("name = \"a\"\npoint = \"creditin\"\n").expect_err("refused");
        assert_eq!((fault.kind, fault.line), (FaultKind::NotAnExtension, Some(2)));
        let fault = Manifest::parse("name = \"a\"\npoint = \"kpi\"\ncapabilities = [\"http\"]\n").expect_err("refused");
        assert!(fault.message.contains("only connectors"), "{fault}");
        let fault = Manifest::parse("name = \"a\"\npoint = \"kpi\"\ncontract = 2\n").expect_err("refused");
        assert!(fault.message.contains("version 2"), "{fault}");
        let fault = Manifest::parse("name = \"a\"\npoint = \"kpi\"\nreads = { rows = [\"nose\"] }\n").expect_err("refused");
        assert!(fault.message.contains("`nose`"), "{fault}");
    }

    #[test]
    fn a_script_carries_its_manifest_in_its_first_lines() {
        let manifest = Manifest::of_script("//! name = \"flat\"\n//! point = \"compensation\"\ncredited * 0.1\n").expect("a manifest");
        assert_eq!((manifest.name.as_str(), manifest.point, manifest.contract), ("flat", Point::Compensation, 1));
        assert!(Manifest::of_script("credited * 0.1").is_err());
    }
}
