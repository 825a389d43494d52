//! The sandbox: a component of any point is loaded once and answers every batch in a fresh instance, within limits.

mod border;
mod cache;
mod grant;
mod sandbox;

pub use cache::{Cache, tell_steps};
pub use grant::{Fetch, Fetched, Grant};
pub use sandbox::{Host, HostOptions, WasmExtension};

use crate::manifest::{CASES_SECTION, MANIFEST_SECTION};
use attain_domain::point::{Fault, FaultKind};
use wasmparser::{Encoding, Parser, Payload};

/// The text of the sections that a component carries about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections {
    pub manifest: Option<String>,
    pub cases: Option<String>,
}

/// Reads the sections without compiling anything. Only those of the component itself count, not those of what it contains.
pub fn sections(bytes: &[u8]) -> Result<Sections, Fault> {
    let invalid = |message: String| Fault::new(FaultKind::NotAnExtension, message);
    let mut sections = Sections::default();
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| invalid(format!("the bytes are no component: {error}")))? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(invalid("the bytes are a core module, not a component; build it with `attain plugin build`".to_owned()));
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 1 => {
                let place = match section.name() {
                    MANIFEST_SECTION => &mut sections.manifest,
                    CASES_SECTION => &mut sections.cases,
                    _ => continue,
                };
                let text =
                    std::str::from_utf8(section.data()).map_err(|_| invalid(format!("section `{}` is not UTF-8 text", section.name())))?;
                if place.replace(text.to_owned()).is_some() {
                    return Err(invalid(format!("section `{}` is there twice", section.name())));
                }
            }
            _ => {}
        }
    }
    Ok(sections)
}

/// The interfaces that a component imports, in its order. Nothing is compiled.
pub fn imports(bytes: &[u8]) -> Result<Vec<String>, Fault> {
    let invalid =
        |error: wasmparser::BinaryReaderError| Fault::new(FaultKind::NotAnExtension, format!("the bytes are no component: {error}"));
    let mut names = Vec::new();
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(invalid)? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    names.push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}
