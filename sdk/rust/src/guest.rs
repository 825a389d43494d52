//! What stands between the generated exports and an author's type: settings, the log, panics.

use crate::Table;
use serde::de::DeserializeOwned;
use std::sync::OnceLock;

static LOG: OnceLock<fn(&str)> = OnceLock::new();

/// Writes a line to the log of the host; to standard error where there is none.
pub fn log(message: &str) {
    match LOG.get() {
        Some(write) => write(message),
        None => eprintln!("{message}"),
    }
}

/// Sends the log and the message of a panic to the host.
pub fn set_log(write: fn(&str)) {
    if LOG.set(write).is_ok() {
        std::panic::set_hook(Box::new(|panic| log(&format!("panic: {panic}"))));
    }
}

pub(crate) fn settings<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("settings: {error}"))
}

/// The one form in which all points are called.
pub trait Extension: Sized {
    fn configure(settings: &str) -> Result<Self, String>;
    fn run(&mut self, input: Vec<Table>) -> Result<Vec<Table>, String>;
}

macro_rules! points {
    ($($point:ident : $trait:path),+ $(,)?) => {
        /// For each point the type that gives an implementation of its trait the common form.
        pub mod adapter {
            $(
                #[expect(non_camel_case_types, reason = "named after its point, so that a macro can name it")]
                pub struct $point<T>(T);

                impl<T: $trait> super::Extension for $point<T> {
                    fn configure(settings: &str) -> Result<Self, String> {
                        T::configure(super::settings(settings)?).map($point)
                    }

                    fn run(&mut self, input: Vec<crate::Table>) -> Result<Vec<crate::Table>, String> {
                        crate::$point::answer(&mut self.0, input)
                    }
                }
            )+
        }
    };
}

points!(
    territory: crate::Territory,
    quota: crate::Quota,
    crediting: crate::Crediting,
    compensation: crate::Compensation,
    kpi: crate::Kpi,
    forecast: crate::Forecast,
    insight: crate::Insight,
    connector: crate::Connector,
    payout: crate::Payout,
);
