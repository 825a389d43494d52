//! The words of sales performance management: amounts, days, periods, tables, plans, findings and extension points.
//! Knows no input or output, no clock, no randomness and no floating point.

pub mod accounting;
pub mod calendar;
pub mod component;
pub mod cut;
pub mod date;
pub mod finding;
pub mod fixed;
pub mod ids;
pub mod lint;
pub mod overrides;
pub mod payouts;
pub mod plan;
pub mod plan_defects;
pub mod point;
pub mod rate_table;
pub mod schema;
pub mod settings;
pub mod settlement;
pub mod table;
pub mod terms;
pub mod tiers;

pub use calendar::{Calendar, Period};
pub use date::{Day, Span};
pub use finding::{Finding, Severity};
pub use fixed::{MONEY_SCALE, RATE_SCALE, Rounding, RoundingMode};
pub use table::{Column, NULL_CODE, NULL_NUMBER, Table, TextColumn};

/// Version of the calculation. It is part of every run's manifest: a change that alters any result changes it.
pub const ENGINE_VERSION: &str = "1";
