//! Stage 7: turns earnings into what is paid. A period whose total with what was carried into it is negative pays nothing and
//! carries the balance on; holds and draws have their account and are always zero here.

use crate::Run;
use crate::earn::settled_periods;
use crate::measure::period_column;
use crate::names::Picker;
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Severity, Table};
use std::collections::BTreeMap;

/// The accounts of the pay ledger, in the order of their codes.
pub const ACCOUNTS: [&str; 4] = ["earned", "held", "carried", "paid"];
const EARNED: u8 = 0;
const CARRIED: u8 = 2;
const PAID: u8 = 3;

/// Payee, period, plan, component and account; plan and component are `NULL_CODE` for what concerns a whole statement.
pub type Key = (u32, u32, u32, u32, u8);

/// The balances that the ledger should have for the settled periods.
#[derive(Debug, Default)]
pub struct Ledger {
    pub balances: BTreeMap<Key, i64>,
}

/// What a payee sees for a period: `earned = paid + held + carried`, where `carried` is the change of the balance carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Statement {
    payee: u32,
    period: u32,
    earned: i64,
    held: i64,
    carried: i64,
    paid: i64,
}

pub fn stage(run: &mut Run<'_>) {
    let settled = settled_periods(run.inputs, &run.book);
    let mut ledger = Ledger::default();
    let mut statements = Vec::new();
    for earnings in run.earnings.rows.chunk_by(|left, right| left.payee == right.payee) {
        let payee = earnings[0].payee;
        let mut earned: BTreeMap<u32, i128> = BTreeMap::new();
        for earning in earnings {
            *earned.entry(earning.period).or_default() += i128::from(earning.amount);
            if settled[earning.period as usize] {
                let key = (payee, earning.period, earning.plan, earning.component, EARNED);
                let balance = ledger.balances.entry(key).or_default();
                *balance = balance.saturating_add(earning.amount);
            }
        }
        let Some(own) = statements_of(payee, &earned) else {
            let name = run.book.payees.get(payee).to_owned();
            run.findings.add(Severity::Error, "overflow", "statements", &name, "its pay does not fit; correct the amounts");
            return;
        };
        for statement in own.into_iter().filter(|statement| settled[statement.period as usize]) {
            assert_eq!(statement.earned, statement.paid + statement.held + statement.carried, "earned = paid + held + carried");
            for (account, amount) in [(CARRIED, statement.carried), (PAID, statement.paid)] {
                ledger.balances.insert((payee, statement.period, NULL_CODE, NULL_CODE, account), amount);
            }
            statements.push(statement);
        }
    }
    let mut picker = Picker::default();
    let money = |value: fn(&Statement) -> i64| Column::money(statements.iter().map(value).collect());
    let table = Table::new("statements")
        .with("payee_id", picker.pick(&run.book.payees.0, statements.iter().map(|statement| statement.payee)))
        .with("period_id", period_column(&run.book, &mut picker, statements.iter().map(|statement| statement.period)))
        .with("earned", money(|statement| statement.earned))
        .with("held", money(|statement| statement.held))
        .with("carried", money(|statement| statement.carried))
        .with("paid", money(|statement| statement.paid));
    run.row_count = statements.len();
    run.tables.insert("statements", table);
    run.ledger = ledger;
}

/// A payee's statements in order: each carries its negative balance into the next one that there is.
fn statements_of(payee: u32, earned: &BTreeMap<u32, i128>) -> Option<Vec<Statement>> {
    let mut statements = Vec::new();
    let mut balance = 0i128;
    for (period, amount) in earned {
        let before = balance;
        balance = (before + amount).min(0);
        let paid = (before + amount).max(0);
        let fits = |value: i128| i64::try_from(value).ok().filter(|value| *value != NULL_NUMBER);
        statements.push(Statement {
            payee,
            period: *period,
            earned: fits(*amount)?,
            held: 0,
            carried: fits(balance - before)?,
            paid: fits(paid)?,
        });
    }
    Some(statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_period_is_carried_until_later_pay_covers_it() {
        let earned = BTreeMap::from([(0, 100), (1, -250), (3, 200), (4, 80)]);
        let statements = statements_of(7, &earned).expect("fits");
        let shown: Vec<(u32, i64, i64, i64)> = statements.iter().map(|own| (own.period, own.earned, own.carried, own.paid)).collect();
        assert_eq!(shown, [(0, 100, 0, 100), (1, -250, -250, 0), (3, 200, 200, 0), (4, 80, 50, 30)]);
    }
}
