//! The extension points: the slots of the core that Wasm components and Rhai scripts fill, and the one trait they share.
//!
//! To add a point: add it to [`Point`] and [`CONTRACTS`], its WIT package under `sdk/wit/<point>/v1/`, its trait to the SDK,
//! and the caller that builds its tables and checks its answer.

use crate::ids::ExtensionDigest;
use crate::table::Table;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    Territory,
    Quota,
    Crediting,
    Compensation,
    Kpi,
    Forecast,
    Insight,
    Connector,
    Payout,
}

impl Point {
    pub const ALL: [Point; 9] = [
        Point::Territory,
        Point::Quota,
        Point::Crediting,
        Point::Compensation,
        Point::Kpi,
        Point::Forecast,
        Point::Insight,
        Point::Connector,
        Point::Payout,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Point::Territory => "territory",
            Point::Quota => "quota",
            Point::Crediting => "crediting",
            Point::Compensation => "compensation",
            Point::Kpi => "kpi",
            Point::Forecast => "forecast",
            Point::Insight => "insight",
            Point::Connector => "connector",
            Point::Payout => "payout",
        }
    }

    pub fn from_name(name: &str) -> Option<Point> {
        Point::ALL.into_iter().find(|point| point.name() == name)
    }

    pub fn contract(self) -> &'static Contract {
        &CONTRACTS[self as usize]
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What kind of values a column of a contract holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// Scale 0. Days are integers counted from 1970-01-01, flags are 0 or 1.
    Integer,
    /// Scale 4.
    Money,
    /// Scale 8.
    Rate,
}

/// One table of a contract. A column whose name ends in `.*` stands for any number of columns of that prefix.
#[derive(Debug, Clone, Copy)]
pub struct TableContract {
    pub name: &'static str,
    pub columns: &'static [(&'static str, ColumnKind)],
}

/// What crosses the border at one point. The first input table is the one whose rows a Rhai script is written for.
/// Columns may be added to inputs within a version; columns of answers may not.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    pub point: Point,
    pub version: u32,
    pub input: &'static [TableContract],
    pub answer: &'static [TableContract],
}

use ColumnKind::{Integer, Money, Rate, Text};

const fn table(name: &'static str, columns: &'static [(&'static str, ColumnKind)]) -> TableContract {
    TableContract { name, columns }
}

/// In the order of [`Point::ALL`].
pub const CONTRACTS: [Contract; 9] = [
    // Assign every account to a territory. `territory_id` is the present one, `locked` accounts must keep it.
    // Measures to balance are `measure.<name>`. Answer: one row per account, in any order.
    Contract {
        point: Point::Territory,
        version: 1,
        input: &[
            table(
                "accounts",
                &[
                    ("account_id", Text),
                    ("latitude", Rate),
                    ("longitude", Rate),
                    ("territory_id", Text),
                    ("locked", Integer),
                    ("measure.*", Money),
                ],
            ),
            table("territories", &[("territory_id", Text), ("latitude", Rate), ("longitude", Rate)]),
        ],
        answer: &[table("assignments", &[("account_id", Text), ("territory_id", Text)])],
    },
    // Spread a total over nodes and periods. `floor` and `ceiling` bound a node's sum over all periods; null is no bound.
    // Answer: one row per node and period; the rows sum to the total exactly.
    Contract {
        point: Point::Quota,
        version: 1,
        input: &[
            table("nodes", &[("payee_id", Text), ("weight", Money), ("floor", Money), ("ceiling", Money)]),
            table("periods", &[("period_id", Text), ("season", Rate)]),
            table("total", &[("amount", Money), ("step", Money)]),
        ],
        answer: &[table("quotas", &[("payee_id", Text), ("period_id", Text), ("amount", Money)])],
    },
    // Give credit for transactions. The claims of row r are rows `claims_from[r]..claims_until[r]` of `claims`: who covers it
    // in which role (share null), then explicit splits (role `split`, with share), then the transaction's own payee (role
    // `payee`), then who owned it in which stage (role `stage`, with `stage` and the day `from_on` on which it was entered, in that
    // order), then who stands beside one of these (role: the name of the relationship; `of_payee_id` and `of_role` are the claim of
    // that one, share null for what the rule says). The last four columns are there only where the company has such rows.
    // `share` in the answer is what part of the transaction the credit stands for; `kind` is direct, split or overlay.
    Contract {
        point: Point::Crediting,
        version: 1,
        input: &[
            table(
                "transactions",
                &[
                    ("transaction_id", Text),
                    ("kind", Text),
                    ("tested_on", Integer),
                    ("account_id", Text),
                    ("territory_id", Text),
                    ("product_id", Text),
                    ("family_id", Text),
                    ("tag", Text),
                    ("amount", Money),
                    ("quantity", Money),
                    ("margin", Money),
                    ("discount", Rate),
                    ("claims_from", Integer),
                    ("claims_until", Integer),
                ],
            ),
            table(
                "claims",
                &[
                    ("role", Text),
                    ("payee_id", Text),
                    ("share", Rate),
                    ("of_payee_id", Text),
                    ("of_role", Text),
                    ("stage", Text),
                    ("from_on", Integer),
                ],
            ),
            // One row: rounding of parts (`mode` as in plans).
            table("rounding", &[("mode", Text), ("step", Money)]),
        ],
        answer: &[table(
            "credits",
            &[("row", Integer), ("payee_id", Text), ("kind", Text), ("rule", Text), ("amount", Money), ("share", Rate)],
        )],
    },
    // What one component pays, a row per payee and period (or credit). `credited` is `to_date - prior`; `quota` and
    // `attainment` (`to_date / quota`) are null without a quota; `rate_label` is there where rates are looked up and says in what. Answer: `amount` per row, a multiple of the row's rounding
    // step; slices explain it: `input × rate = amount` before rounding.
    Contract {
        point: Point::Compensation,
        version: 1,
        input: &[
            table(
                "rows",
                &[
                    ("payee_id", Text),
                    ("period_id", Text),
                    ("transaction_id", Text),
                    ("credited", Money),
                    ("prior", Money),
                    ("to_date", Money),
                    ("quota", Money),
                    ("attainment", Rate),
                    ("target", Money),
                    ("inputs.*", Money),
                    ("params.*", Rate),
                    ("rate_label", Text),
                ],
            ),
            table("rounding", &[("mode", Text), ("step", Rate)]),
        ],
        answer: &[
            table("earnings", &[("row", Integer), ("amount", Money)]),
            table("slices", &[("row", Integer), ("label", Text), ("input", Rate), ("rate", Rate), ("amount", Rate)]),
        ],
    },
    // A figure per payee and period.
    Contract {
        point: Point::Kpi,
        version: 1,
        input: &[table(
            "rows",
            &[
                ("payee_id", Text),
                ("period_id", Text),
                ("attained", Money),
                ("quota", Money),
                ("earned", Money),
                ("won_count", Integer),
                ("won_amount", Money),
                ("won_days", Integer),
                ("lost_count", Integer),
                ("open_count", Integer),
                ("open_amount", Money),
            ],
        )],
        answer: &[table("values", &[("row", Integer), ("value", Rate)])],
    },
    // Continue each series by `horizon` steps; `value` null is a missing observation. Rows of a series are in order of time.
    Contract {
        point: Point::Forecast,
        version: 1,
        input: &[
            table("series", &[("series_id", Text), ("value", Money)]),
            table("horizon", &[("steps", Integer), ("season", Integer), ("coverage", Rate)]),
        ],
        answer: &[table("forecast", &[("series_id", Text), ("step", Integer), ("value", Money), ("low", Money), ("high", Money)])],
    },
    // Point at what somebody should look at. `score` orders the answers, larger first.
    Contract {
        point: Point::Insight,
        version: 1,
        input: &[table(
            "rows",
            &[
                ("payee_id", Text),
                ("period_id", Text),
                ("plan_id", Text),
                ("component_id", Text),
                ("credited", Money),
                ("quota", Money),
                ("attainment", Rate),
                ("earned", Money),
            ],
        )],
        answer: &[table("insights", &[("row", Integer), ("code", Text), ("score", Rate), ("message", Text)])],
    },
    // Fetch one page of records from outside. `cursor` is empty on the first call; an empty cursor in the answer ends the
    // import. Columns of `records` are named after the fields of the entity asked for and hold text as in its CSV file.
    Contract {
        point: Point::Connector,
        version: 1,
        input: &[table("request", &[("entity", Text), ("cursor", Text)])],
        answer: &[table("records", &[("*", Text)]), table("next", &[("cursor", Text)])],
    },
    // Lay the file of a payout batch out. `shown` is `amount` with all digits of the currency, `name` is empty unless the company
    // grants names, `pay_on` is `YYYY-MM-DD`. Answer: the columns of the file in order, each the name of a column of `records`
    // and its title; a record a line; one row of form: `delimiter` of one character, `header` 0 or 1, `line_end` `lf` or `crlf`.
    // The host quotes, and guards texts against being run as formulas.
    Contract {
        point: Point::Payout,
        version: 1,
        input: &[table(
            "lines",
            &[
                ("batch_id", Text),
                ("pay_group_id", Text),
                ("period_id", Text),
                ("pay_on", Text),
                ("payee_id", Text),
                ("name", Text),
                ("currency", Text),
                ("amount", Money),
                ("shown", Text),
                ("reference", Text),
            ],
        )],
        answer: &[
            table("columns", &[("name", Text), ("title", Text)]),
            table("records", &[("*", Text)]),
            table("form", &[("delimiter", Text), ("header", Integer), ("line_end", Text)]),
        ],
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Wasm,
    Rhai,
}

/// Which extension answered: its digest pins it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub name: String,
    pub version: String,
    pub point: Point,
    pub origin: Origin,
    pub digest: ExtensionDigest,
}

/// One batch handed to an extension. `settings` is a JSON object.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub settings: &'a serde_json::Value,
    pub input: &'a [Table],
}

/// What came back. The shape is that of the point's contract; the values are still to be checked by the caller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub tables: Vec<Table>,
    /// What the extension wrote to its log, one entry a line.
    pub log: Vec<String>,
    /// Fuel or operations used; the same in every run of the same digest on the same input.
    pub fuel_used: u64,
}

impl Answer {
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// Why an extension gave no answer. The batch is lost, the run becomes incomplete, nothing is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It refused its settings or its input, in its own words.
    Refused,
    /// Out of fuel or operations.
    Fuel,
    /// Out of memory.
    Memory,
    /// Out of wall-clock time.
    Deadline,
    /// A trap, a panic, or an error of the script.
    Trap,
    /// The answer is larger than allowed.
    OutputSize,
    /// Too many calls to the host.
    HostCalls,
    /// The answer does not have the form of the contract, or says what cannot be.
    InvalidAnswer,
    /// The bytes are no component or script of a known contract.
    NotAnExtension,
    /// It needs a capability that is not granted.
    NotGranted,
}

impl FaultKind {
    /// The code of the finding that reports it.
    pub fn code(self) -> &'static str {
        match self {
            FaultKind::Refused => "extension-refused",
            FaultKind::Fuel => "extension-out-of-fuel",
            FaultKind::Memory => "extension-out-of-memory",
            FaultKind::Deadline => "extension-deadline",
            FaultKind::Trap => "extension-trap",
            FaultKind::OutputSize => "extension-output-too-large",
            FaultKind::HostCalls => "extension-too-many-host-calls",
            FaultKind::InvalidAnswer => "extension-invalid-answer",
            FaultKind::NotAnExtension => "not-an-extension",
            FaultKind::NotGranted => "extension-not-granted",
        }
    }
}

/// A fault and where it happened; `line` and `column` count from one and exist for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    pub message: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
}

impl Fault {
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Fault {
        Fault { kind, message: message.into(), line: None, column: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(formatter, "line {line}, column {column}: {}", self.message),
            (Some(line), None) => write!(formatter, "line {line}: {}", self.message),
            _ => formatter.write_str(&self.message),
        }
    }
}

impl std::error::Error for Fault {}

/// What fills a point, whatever it is written in. Pure: the same digest and the same call give the same answer.
pub trait Extension: Send + Sync {
    fn identity(&self) -> &Identity;

    /// Answers one batch within the limits of the host.
    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault>;
}

/// Where a calculation finds the extensions it has pinned.
pub trait Extensions: Sync {
    /// The extension of that point and name; a `Fault` of kind `NotAnExtension` says that there is none and what to do.
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault>;
}

/// Whether `tables` have the form that `contract` gives them: all tables and columns there, of their kind, equal in length.
pub fn check_answer(contract: &Contract, tables: &[Table]) -> Result<(), Fault> {
    let invalid = |message: String| Err(Fault::new(FaultKind::InvalidAnswer, message));
    for wanted in contract.answer {
        let Some(found) = tables.iter().find(|table| table.name == wanted.name) else {
            return invalid(format!("the answer has no table `{}`", wanted.name));
        };
        if let Some(defect) = found.defect() {
            return invalid(defect);
        }
        for (name, kind) in wanted.columns.iter().filter(|(name, _)| !name.ends_with('*')) {
            let scale = match kind {
                Text => None,
                Integer => Some(0),
                Money => Some(crate::MONEY_SCALE),
                Rate => Some(crate::RATE_SCALE),
            };
            let fits = match (found.column(name), scale) {
                (Some(crate::Column::Text(_)), None) => true,
                (Some(crate::Column::Number { scale: own, .. }), Some(scale)) => *own == scale,
                _ => false,
            };
            if !fits {
                return invalid(format!("table `{}` of the answer has no column `{name}` of kind {kind:?}", wanted.name));
            }
        }
    }
    Ok(())
}
