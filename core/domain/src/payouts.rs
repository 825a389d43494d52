//! How pay is paid out: what becomes of a payout when its result changes, at which rate it is converted, in which layout payroll
//! gets it and to which accounts it is booked. `[payouts]` of `company.toml`.

use crate::fixed::{self, MONEY_SCALE, RATE_SCALE, Rounding, RoundingMode};
use crate::settings::{Step, empty_object};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a period must be before its pay leaves the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Requires {
    /// Approved or closed.
    #[default]
    Approved,
    None,
}

/// What becomes of a payout whose result is lower now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum OnDecrease {
    /// It is lowered; what was paid already is taken off what is paid next.
    #[default]
    Recover,
    /// It stays as it is and is flagged: nobody gets less without a decision.
    KeepAndFlag,
}

/// What becomes of a payout that is not paid yet and whose result is higher now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnIncrease {
    Raise,
    RaiseAndFlag,
    /// It stays; the difference waits for the next batch.
    Keep,
}

/// The same, by where the payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OnIncreases {
    pub draft: OnIncrease,
    pub reviewed: OnIncrease,
    pub approved: OnIncrease,
    pub on_hold: OnIncrease,
}

impl Default for OnIncreases {
    fn default() -> Self {
        let flagged = OnIncrease::RaiseAndFlag;
        OnIncreases { draft: OnIncrease::Raise, reviewed: flagged, approved: flagged, on_hold: flagged }
    }
}

/// Which rate converts a payout to the currency of its pay group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum PayoutRate {
    /// The `spot` rate in force on the day of payment.
    #[default]
    PayDate,
    /// The `average` rate in force on the first day of the period that is paid.
    PeriodAverage,
    /// The `plan` rate in force on the first day of the fiscal year of that period.
    PlanRate,
}

impl PayoutRate {
    pub fn name(self) -> &'static str {
        match self {
            PayoutRate::PayDate => "pay-date",
            PayoutRate::PeriodAverage => "period-average",
            PayoutRate::PlanRate => "plan-rate",
        }
    }

    /// The kind of row of `fx_rates` that it takes.
    pub fn kind(self) -> &'static str {
        match self {
            PayoutRate::PayDate => "spot",
            PayoutRate::PeriodAverage => "average",
            PayoutRate::PlanRate => "plan",
        }
    }
}

/// Accounts of the general ledger, in the notation of plain-text accounting: levels parted by `:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// Plan and component follow it.
    pub expense: String,
    /// The whole account of a component, by `component` or `plan/component`.
    pub components: BTreeMap<String, String>,
    pub payable: String,
    /// Earned and held back: an accrued liability.
    pub held: String,
    /// What payees owe: a receivable.
    pub carried: String,
    /// What payments are made from.
    pub cash: String,
    /// Stands between the company currency and that of a payout.
    pub exchange: String,
}

impl Default for Accounts {
    fn default() -> Self {
        Accounts {
            expense: "expenses:commission".to_owned(),
            components: BTreeMap::new(),
            payable: "liabilities:payable".to_owned(),
            held: "liabilities:held".to_owned(),
            carried: "assets:carried".to_owned(),
            cash: "assets:payroll".to_owned(),
            exchange: "equity:exchange".to_owned(),
        }
    }
}

fn payroll_csv() -> Step {
    Step { extension: "payroll-csv".to_owned(), settings: empty_object() }
}

/// `[payouts]` of `company.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Payouts {
    pub requires: Requires,
    pub on_decrease: OnDecrease,
    pub on_increase: OnIncreases,
    pub fx: PayoutRate,
    /// Another rate for what a component earned, by `component` or `plan/component`.
    pub component_fx: BTreeMap<String, PayoutRate>,
    /// The extension that lays the file out.
    pub export: Step,
    /// Whether that extension is told names.
    pub names: bool,
    pub accounts: Accounts,
}

impl Default for Payouts {
    fn default() -> Self {
        Payouts {
            requires: Requires::default(),
            on_decrease: OnDecrease::default(),
            on_increase: OnIncreases::default(),
            fx: PayoutRate::default(),
            component_fx: BTreeMap::new(),
            export: payroll_csv(),
            names: false,
            accounts: Accounts::default(),
        }
    }
}

/// The value for a component: that of `plan/component` goes before that of `component`.
fn of_component<'a, T>(map: &'a BTreeMap<String, T>, plan_id: &str, component_id: &str) -> Option<&'a T> {
    map.get(&format!("{plan_id}/{component_id}")).or_else(|| map.get(component_id))
}

impl Payouts {
    pub fn rate_of(&self, plan_id: &str, component_id: &str) -> PayoutRate {
        of_component(&self.component_fx, plan_id, component_id).copied().unwrap_or(self.fx)
    }

    /// The account of what a component earned; plan and component as the caller wants them written.
    pub fn expense_of(&self, plan_id: &str, component_id: &str, written: impl Fn(&str) -> String) -> String {
        match of_component(&self.accounts.components, plan_id, component_id) {
            Some(account) => account.clone(),
            None if plan_id.is_empty() => format!("{}:other", self.accounts.expense),
            None => format!("{}:{}:{}", self.accounts.expense, written(plan_id), written(component_id)),
        }
    }
}

/// Where a payout stands when its result changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Draft,
    Reviewed,
    Approved,
    OnHold,
    /// Nothing touches it until the dispute is settled.
    Disputed,
    Paid,
}

/// What somebody should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    Raised,
    Lowered,
    /// The result is lower than what is paid.
    LowerResult,
    /// The result is higher; the difference waits.
    Waits,
    Disputed,
    /// More is to be recovered than there is to pay.
    Negative,
}

impl Flag {
    pub fn name(self) -> &'static str {
        match self {
            Flag::Raised => "raised",
            Flag::Lowered => "lowered",
            Flag::LowerResult => "lower-result",
            Flag::Waits => "waits",
            Flag::Disputed => "disputed",
            Flag::Negative => "negative",
        }
    }
}

/// What becomes of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rerun {
    /// What it comes to.
    pub amount: i64,
    /// What is paid beside it, in a new payout; below zero where that is taken off the next one.
    pub difference: i64,
    pub flag: Option<Flag>,
}

/// What becomes of a payout of `existing` whose result is `new` now. Amounts by hand are part of both: they survive.
pub fn rerun(options: &Payouts, standing: Standing, existing: i64, new: i64) -> Rerun {
    let stays = |flag| Rerun { amount: existing, difference: 0, flag };
    let becomes = |flag| Rerun { amount: new, difference: 0, flag };
    let difference = new.saturating_sub(existing);
    if difference == 0 {
        return stays(None);
    }
    let increase = match standing {
        Standing::Disputed => return stays(Some(Flag::Disputed)),
        Standing::Paid => {
            return match options.on_decrease {
                _ if difference > 0 => Rerun { amount: existing, difference, flag: None },
                OnDecrease::Recover => Rerun { amount: existing, difference, flag: Some(Flag::Lowered) },
                OnDecrease::KeepAndFlag => stays(Some(Flag::LowerResult)),
            };
        }
        Standing::Draft => options.on_increase.draft,
        Standing::Reviewed => options.on_increase.reviewed,
        Standing::Approved => options.on_increase.approved,
        Standing::OnHold => options.on_increase.on_hold,
    };
    match (options.on_decrease, increase) {
        (OnDecrease::Recover, _) if difference < 0 => becomes(Some(Flag::Lowered)),
        (OnDecrease::KeepAndFlag, _) if difference < 0 => stays(Some(Flag::LowerResult)),
        (_, OnIncrease::Raise) => becomes(None),
        (_, OnIncrease::RaiseAndFlag) => becomes(Some(Flag::Raised)),
        (_, OnIncrease::Keep) => stays(Some(Flag::Waits)),
    }
}

/// A rate at 10⁻⁸ and what it is for one unit of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quote {
    /// Both currencies are the same.
    One,
    /// Payout currency for one unit of company currency.
    PerCompany(i64),
    /// Company currency for one unit of payout currency.
    PerPayout(i64),
}

impl Quote {
    /// The exact amount in the payout currency; `None` where it does not fit.
    pub fn convert(self, amount: i64) -> Option<Decimal> {
        let amount = fixed::to_decimal(amount, MONEY_SCALE);
        match self {
            Quote::One => Some(amount),
            Quote::PerCompany(rate) => amount.checked_mul(fixed::to_decimal(rate, RATE_SCALE)),
            Quote::PerPayout(rate) => amount.checked_div(fixed::to_decimal(rate, RATE_SCALE)),
        }
    }
}

/// What is paid, and what rounding left: exact = amount + residue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converted {
    /// 10⁻⁴.
    pub amount: i64,
    /// 10⁻⁸.
    pub residue: i64,
}

/// The sum of exact parts in a currency's own digits, a tie to the even one. Rounded once.
pub fn rounded(parts: &[Decimal], currency: &str) -> Option<Converted> {
    let exact = parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(*part))?;
    let rounding = Rounding { mode: RoundingMode::HalfEven, step: Decimal::new(1, u32::from(digits(currency))) };
    let rounded = rounding.apply(exact)?;
    Some(Converted {
        amount: fixed::from_decimal(rounded, MONEY_SCALE)?,
        residue: fixed::from_decimal_rounded(exact.checked_sub(rounded)?, RATE_SCALE)?,
    })
}

/// Digits after the point in which a currency is paid, by ISO 4217.
pub fn digits(currency: &str) -> u8 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND" | "VUV" | "XAF" | "XOF"
        | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests;
