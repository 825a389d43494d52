//! The statement of a payee for a period, and the list of her statements.

use super::{AsOf, PayeeName, PeriodSpan, as_of, component_name, is_period, money, number, payee_name, rows_of, text, visible_periods};
use crate::access::Caller;
use crate::refusal::Refusal;
use crate::view::{RunView, View};
use attain_domain::{Day, RATE_SCALE, fixed};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanHead {
    pub plan_id: String,
    pub name: String,
}

/// Earned = paid + held + carried, where held and carried are what the period changes of those balances.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Totals {
    pub earned: String,
    pub held: String,
    /// The balance at the start of the period, draws included; negative where the payee owes.
    pub carried_in: String,
    pub carried: String,
    /// The part of `carried` that is drawn (negative) and recovered.
    pub drawn: String,
    pub paid: String,
    /// At the end of the period.
    pub held_balance: String,
    pub carried_balance: String,
}

/// A part of an earning: input × rate = amount.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SliceLine {
    pub label: String,
    pub input: Option<String>,
    pub rate: Option<String>,
    pub amount: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ComponentLine {
    /// Number of the line on the statement, from 1.
    pub line: usize,
    pub plan_id: String,
    pub component_id: String,
    pub name: String,
    pub clause: Option<String>,
    pub measure_id: Option<String>,
    /// Of one transaction, where the component pays each alone.
    pub transaction_id: Option<String>,
    /// `formula`, `adjustment`, `guarantee`, `clawback`, `lapse`, `forgiven` or `retro`.
    pub kind: String,
    /// The period that it corrects, where that is another one.
    pub origin_period_id: Option<String>,
    pub credited: Option<String>,
    pub to_date: Option<String>,
    pub quota: Option<String>,
    pub attainment: Option<String>,
    pub amount: String,
    pub slices: Vec<SliceLine>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Statement {
    pub payee: PayeeName,
    pub period: PeriodSpan,
    pub as_of: AsOf,
    pub currency: String,
    pub plans: Vec<PlanHead>,
    pub totals: Totals,
    pub components: Vec<ComponentLine>,
    pub period_state: crate::periods::PeriodState,
    pub run_id: String,
    /// The last payout that paid some of it; `null` while nothing is paid.
    pub paid_in: Option<crate::payouts::PaidIn>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatementHead {
    pub period_id: String,
    pub earned: String,
    pub held: String,
    pub carried: String,
    pub paid: String,
    pub state: String,
}

impl View {
    /// Refuses what the caller may not know of; a period without statement too.
    pub fn statement(&self, caller: &Caller, payee_id: &str, period_id: &str) -> Result<Statement, Refusal> {
        let period = self.visible_period(caller, payee_id, period_id)?;
        let run = self.run()?;
        let last_day = Day(period.until.0 - 1);
        let Some((statements, row)) = rows_of(run, "statements", payee_id, period_id).next() else {
            return Err(Refusal::not_found(format!("payee `{payee_id}` has no statement for {period_id}")));
        };
        let amount = |name: &str| number(statements, name, row).unwrap_or(0);
        let (earned, held, carried, paid) = (amount("earned"), amount("held"), amount("carried"), amount("paid"));
        let components = component_lines(run, payee_id, period_id);
        let mut plans: Vec<PlanHead> = Vec::new();
        for line in &components {
            if plans.iter().all(|plan| plan.plan_id != line.plan_id) {
                let plan = run.company.plan_in(&line.plan_id, period_id);
                let name = plan.map(|file| file.plan.name.clone()).filter(|name| !name.is_empty());
                plans.push(PlanHead { plan_id: line.plan_id.clone(), name: name.unwrap_or_else(|| line.plan_id.clone()) });
            }
        }
        Ok(Statement {
            payee: payee_name(&self.company, payee_id, last_day),
            period: PeriodSpan { period_id: period_id.to_owned(), from: period.from.to_string(), until: period.until.to_string() },
            as_of: as_of(run),
            currency: run.company.settings.currency.clone(),
            plans,
            totals: Totals {
                earned: money(earned),
                held: money(held),
                carried_in: money(amount("carried_balance").saturating_sub(carried)),
                carried: money(carried),
                drawn: money(amount("drawn")),
                paid: money(paid),
                held_balance: money(amount("held_balance")),
                carried_balance: money(amount("carried_balance")),
            },
            components,
            period_state: crate::periods::states(&self.company.company)
                .get(period_id)
                .copied()
                .unwrap_or(crate::periods::PeriodState::Open),
            run_id: run.run_of(period_id).to_owned(),
            paid_in: None,
        })
    }

    /// Newest first.
    pub fn statements(&self, caller: &Caller, payee_id: &str) -> Result<Vec<StatementHead>, Refusal> {
        let periods = visible_periods(self, caller, payee_id)?;
        let run = self.run()?;
        let Some(table) = run.table("statements") else { return Ok(Vec::new()) };
        let mut heads = Vec::new();
        for period in periods.iter().rev() {
            let row = run.rows("statements", payee_id).find(|row| is_period(table, *row, period.id.as_str()));
            let Some(row) = row else { continue };
            let amount = |name: &str| money(number(table, name, row).unwrap_or(0));
            heads.push(StatementHead {
                period_id: period.id.0.clone(),
                earned: amount("earned"),
                held: amount("held"),
                carried: amount("carried"),
                paid: amount("paid"),
                state: as_of(run).state,
            });
        }
        Ok(heads)
    }
}

/// The earnings of a period with their slices, numbered as on the statement.
pub(super) fn component_lines(run: &RunView, payee_id: &str, period_id: &str) -> Vec<ComponentLine> {
    let company = &run.company;
    let mut lines = Vec::new();
    for (number_of_line, (earnings, row)) in rows_of(run, "earnings", payee_id, period_id).enumerate() {
        let (plan_id, component_id) = (text(earnings, "plan_id", row).unwrap_or(""), text(earnings, "component_id", row).unwrap_or(""));
        let plan = company.plan_in(plan_id, period_id);
        let component = plan.and_then(|file| file.plan.components.iter().find(|own| own.id == component_id));
        let transaction = text(earnings, "transaction_id", row);
        let (kind, origin) = (text(earnings, "kind", row), text(earnings, "origin_period_id", row));
        let slices = rows_of(run, "slices", payee_id, period_id)
            .filter(|(table, own)| {
                text(table, "plan_id", *own) == Some(plan_id)
                    && text(table, "component_id", *own) == Some(component_id)
                    && text(table, "transaction_id", *own) == transaction
                    && text(table, "kind", *own) == kind
                    && text(table, "origin_period_id", *own) == origin
            })
            .map(|(table, own)| SliceLine {
                label: text(table, "label", own).unwrap_or_default().to_owned(),
                input: number(table, "input", own).map(|value| fixed::format(value, RATE_SCALE)),
                rate: number(table, "rate", own).map(|value| fixed::format(value, RATE_SCALE)),
                amount: fixed::format(number(table, "amount", own).unwrap_or(0), RATE_SCALE),
            })
            .collect();
        let shown = |name: &str| number(earnings, name, row).map(money);
        lines.push(ComponentLine {
            line: number_of_line + 1,
            plan_id: plan_id.to_owned(),
            component_id: component_id.to_owned(),
            name: component_name(company, plan_id, component_id),
            clause: component.and_then(|own| own.clause.clone()),
            measure_id: component.map(|own| own.measure.clone()),
            transaction_id: transaction.map(str::to_owned),
            kind: kind.unwrap_or("formula").to_owned(),
            origin_period_id: origin.filter(|own| *own != period_id).map(str::to_owned),
            credited: shown("credited"),
            to_date: shown("to_date"),
            quota: shown("quota"),
            attainment: number(earnings, "attainment", row).map(|value| fixed::format(value, RATE_SCALE)),
            amount: shown("amount").unwrap_or_default(),
            slices,
        });
    }
    lines
}
