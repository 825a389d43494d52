//! Extensions: Wasm components and Rhai scripts behind the one trait of `attain_domain::point`, with their manifests, cases,
//! limits, registry and hot reload. The only crate that names wasmtime or rhai.

pub mod cases;
pub mod limits;
pub mod manifest;
pub mod registry;
pub mod script;

#[cfg(feature = "wasm")]
pub mod package;
#[cfg(feature = "wasm")]
pub mod wasm;
#[cfg(feature = "wasm")]
pub mod watch;

pub use limits::Limits;
pub use manifest::Manifest;
pub use registry::{Kind, Loaded, Pinned, Registry, Swap};
