//! Whose plan it is and from when, as a plan says it: versions, what its assignments replace, what becomes of leavers, ramps, and
//! targets that follow from on-target earnings.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What happens to results that accumulate over a quarter or a year on the first day of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum OnStart {
    /// They go on: what came before counts.
    #[default]
    Continue,
    /// They start again from nothing.
    Restart,
}

/// What an assignment to this plan does to assignments to other plans that are less specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// It replaces them on its days, and is replaced by what is more specific.
    #[default]
    Instead,
    /// Neither: it is paid beside them.
    Beside,
}

/// Which credits count that are tested after a payee has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AfterLeaving {
    /// None.
    #[default]
    Stop,
    /// Those of transactions booked (ordered, where no booking is known) before that day.
    PayBooked,
}

/// What a ramp or a leave makes smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum RampOf {
    #[default]
    Quota,
    Target,
    Both,
}

impl RampOf {
    pub fn quota(self) -> bool {
        self != RampOf::Target
    }

    pub fn target(self) -> bool {
        self != RampOf::Quota
    }
}

/// How the steps of a ramp follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum RampBy {
    /// The period in which the assignment starts is the first step, whatever is left of it.
    #[default]
    Periods,
    /// The first whole period is the first step; what is left of the one before has its factor too.
    FullPeriods,
    /// A step is a month from the day of the start; a period that has days of two steps has a share of each.
    Months,
}

/// From which day a ramp counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum RampFrom {
    /// The first of the days on end on which the payee is on the plan.
    #[default]
    Assignment,
    /// `hired_on` of the payee; the assignment where that is not known.
    Hire,
}

/// Smaller quotas or targets for who is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    #[serde(default)]
    pub of: RampOf,
    #[serde(default)]
    pub by: RampBy,
    #[serde(default)]
    pub from: RampFrom,
    /// The factor of each step; 1 after the last.
    pub factors: Vec<Decimal>,
}

/// The target of an assignment without one: a parameter of the payee, such as on-target earnings a year, times its variable
/// share, by the periods of a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFrom {
    pub param: String,
    /// The variable share of the pay mix.
    pub variable: Decimal,
    pub periods_per_year: u32,
}
