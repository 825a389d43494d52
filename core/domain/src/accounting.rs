//! How a company accounts for what it pays to sellers: `[accounting]` of `company.toml`.

use crate::fixed::Rounding;
use serde::{Deserialize, Serialize};

/// How much of a month counts, where a contract starts or ends within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// All of the month in which it starts, nothing of the one in which it ends.
    #[default]
    FullMonth,
    /// Half of either.
    MidMonth,
    /// By days.
    Daily,
}

/// What becomes of the asset of a contract that is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Renewals {
    /// It goes on over its own life, the renewal over its own.
    #[default]
    Own,
    /// What is left of it joins the cost of the renewal and is spread over the renewal's life.
    Extend,
}

/// At which results the expense of a span that is not over is accrued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Accruals {
    /// Nothing is accrued.
    #[default]
    None,
    /// The result so far, continued to the end of the span.
    RunRate,
    /// The payee's parameter `expected` times the quota of the span; the result so far, continued, where there is none.
    Expected,
}

/// What belongs to the cost of a contract where no transaction stands behind it: guarantees, draws that are forgiven, and adjustments
/// that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutTransaction {
    /// It is expense of its period.
    #[default]
    Expense,
    /// It is spread over the payee's transactions of the period by what she earned from each.
    Spread,
}

/// Whether the result `margins` says what was left of each sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Margins {
    #[default]
    None,
    /// Revenue less cost of sales.
    Plain,
    /// The commissions of a sale are part of its cost.
    WithCommissions,
}

/// Whether the result `shares` says through which states each payee's share of a transaction goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Shares {
    #[default]
    None,
    /// Ordered, booked, invoiced; due, settled.
    States,
}

/// The names of the accounts of journal lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    pub asset: String,
    pub amortization: String,
    pub impairment: String,
    pub expense: String,
    pub liability: String,
}

impl Default for Accounts {
    fn default() -> Self {
        Accounts {
            asset: "contract-costs".to_owned(),
            amortization: "contract-cost-amortization".to_owned(),
            impairment: "contract-cost-impairment".to_owned(),
            expense: "commission-expense".to_owned(),
            liability: "accrued-commissions".to_owned(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounting {
    pub convention: Convention,
    pub renewals: Renewals,
    /// Whether the cost of a contract with a life of twelve months or less is expense at once (ASC 340-40-25-4).
    pub expedient: bool,
    /// Of every month's amortisation, of shares of earnings and of accruals.
    pub rounding: Rounding,
    pub accruals: Accruals,
    /// The name in `parameters.csv` of a payee's expected attainment.
    pub expected: String,
    pub without_transaction: WithoutTransaction,
    pub margins: Margins,
    pub shares: Shares,
    pub accounts: Accounts,
}

impl Default for Accounting {
    fn default() -> Self {
        Accounting {
            convention: Convention::default(),
            renewals: Renewals::default(),
            expedient: false,
            rounding: Rounding::default(),
            accruals: Accruals::default(),
            expected: "expected-attainment".to_owned(),
            without_transaction: WithoutTransaction::default(),
            margins: Margins::default(),
            shares: Shares::default(),
            accounts: Accounts::default(),
        }
    }
}
