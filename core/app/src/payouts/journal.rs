//! The pay ledger in double entry: what a period earned, what a batch paid, and all of it, as CSV and as a journal of plain-text
//! accounting. Every transaction sums to zero in each currency, and the same record gives the same bytes.

use super::{no_payout, store};
use crate::Instance;
use crate::access::{Action, Caller};
use crate::refusal::Refusal;
use crate::view::View;
use anyhow::{Context, Result, ensure};
use attain_domain::payouts::Payouts;
use attain_domain::{Day, MONEY_SCALE, fixed};
use attain_store::payouts::{Batch, Line, Posting, Return};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JournalForm {
    #[default]
    Csv,
    /// Plain-text accounting, as `hledger` and its kin read it.
    Hledger,
}

impl JournalForm {
    pub fn from_name(name: &str) -> Option<JournalForm> {
        match name {
            "csv" => Some(JournalForm::Csv),
            "hledger" => Some(JournalForm::Hledger),
            _ => None,
        }
    }

    pub fn ending(self) -> &'static str {
        match self {
            JournalForm::Csv => "csv",
            JournalForm::Hledger => "journal",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            JournalForm::Csv => "text/csv; charset=utf-8",
            JournalForm::Hledger => "text/plain; charset=utf-8",
        }
    }
}

/// Account and currency to amount at 10⁻⁴: debits above zero, credits below.
type Rows = BTreeMap<(String, String), i128>;

/// Ordered by day, then by what it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Transaction {
    on: Day,
    title: String,
    /// Name and value, for those who look for it.
    tags: Vec<(&'static str, String)>,
    rows: Rows,
}

/// An id as a level of an account: letters, digits, `-`, `_` and `.` stay, all else is percent-encoded, so that two ids never become one.
fn written(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for own in id.chars() {
        if own.is_alphanumeric() || matches!(own, '-' | '_' | '.') {
            text.push(own);
        } else {
            let mut bytes = [0; 4];
            for byte in own.encode_utf8(&mut bytes).bytes() {
                write!(text, "%{byte:02X}").expect("a text can be written to");
            }
        }
    }
    text
}

fn add(rows: &mut Rows, account: String, currency: &str, amount: i128) {
    *rows.entry((account, currency.to_owned())).or_default() += amount;
}

impl Transaction {
    /// Without rows of nothing; `None` where none is left. An imbalance is a defect of the ledger.
    fn checked(mut self) -> Result<Option<Transaction>> {
        self.rows.retain(|_, amount| *amount != 0);
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for ((_, currency), amount) in &self.rows {
            *sums.entry(currency).or_default() += amount;
        }
        for (currency, sum) in sums {
            ensure!(sum == 0, "`{}` of {} does not balance by {sum}e-4 {currency}: look at the run that posted it", self.title, self.on);
        }
        Ok((!self.rows.is_empty()).then_some(self))
    }
}

/// What postings say in double entry. With `by_payee` the accounts of what is owed have a level for each payee.
fn accrued(options: &Payouts, currency: &str, postings: &[Posting], by_payee: bool) -> Rows {
    let accounts = &options.accounts;
    let of = |base: &str, payee: &str| if by_payee { format!("{base}:{}", written(payee)) } else { base.to_owned() };
    let mut rows = Rows::new();
    for own in postings {
        let amount = i128::from(own.amount);
        match own.account.as_str() {
            "earned" => add(&mut rows, options.expense_of(&own.plan_id, &own.component_id, written), currency, amount),
            "paid" => add(&mut rows, of(&accounts.payable, &own.payee_id), currency, -amount),
            "held" => add(&mut rows, of(&accounts.held, &own.payee_id), currency, -amount),
            _ => add(&mut rows, of(&accounts.carried, &own.payee_id), currency, -amount),
        }
    }
    rows
}

/// The payment of some lines: what was payable is paid, in the currency of the payout. `sign` is -1 for what came back.
fn paid(options: &Payouts, batch: &Batch, lines: &[&Line], sign: i128, by_payee: bool) -> Rows {
    let accounts = &options.accounts;
    let mut rows = Rows::new();
    for line in lines {
        let payable = if by_payee { format!("{}:{}", accounts.payable, written(&line.payee_id)) } else { accounts.payable.clone() };
        let (company, amount) = (sign * i128::from(line.company_amount), sign * i128::from(line.amount));
        add(&mut rows, payable, &batch.company_currency, company);
        add(&mut rows, accounts.cash.clone(), &batch.currency, -amount);
        // Stands between two currencies, and takes what rounding left within one.
        add(&mut rows, accounts.exchange.clone(), &batch.company_currency, -company);
        add(&mut rows, accounts.exchange.clone(), &batch.currency, amount);
    }
    rows
}

/// What was paid in a batch, and what came back of it.
fn payments(options: &Payouts, batch: &Batch, lines: &[Line], returns: &[Return], by_payee: bool) -> Result<Vec<Transaction>> {
    let due: Vec<&Line> = lines.iter().filter(|line| line.state == "due").collect();
    let tags = vec![("batch", batch.batch_id.clone()), ("group", batch.pay_group_id.clone())];
    let on = |day: i64| i32::try_from(day).map(Day).context("a day of the payout does not fit");
    let mut found = vec![Transaction {
        on: on(batch.paid_on.unwrap_or(batch.pay_on))?,
        title: format!("payout {}", written(&batch.batch_id)),
        tags: tags.clone(),
        rows: paid(options, batch, &due, 1, by_payee),
    }];
    for own in returns {
        let lines: Vec<&Line> = due.iter().copied().filter(|line| line.payee_id == own.payee_id).collect();
        found.push(Transaction {
            on: on(own.returned_on)?,
            title: format!("payout {} returned {}", written(&batch.batch_id), written(&own.payee_id)),
            tags: tags.clone(),
            rows: paid(options, batch, &lines, -1, by_payee),
        });
    }
    Ok(found)
}

fn finished(transactions: Vec<Transaction>) -> Result<Vec<Transaction>> {
    let checked: Result<Vec<Option<Transaction>>> = transactions.into_iter().map(Transaction::checked).collect();
    let mut found: Vec<Transaction> = checked?.into_iter().flatten().collect();
    found.sort();
    Ok(found)
}

fn amount(value: i128) -> Result<String> {
    let value = i64::try_from(value).map_err(|_| Refusal::invalid("a sum of the journal does not fit"))?;
    Ok(fixed::format(value, MONEY_SCALE))
}

fn as_hledger(transactions: &[Transaction]) -> Result<String> {
    let mut text = String::from("decimal-mark .\n\n");
    let keys = || transactions.iter().flat_map(|own| own.rows.keys());
    let currencies: BTreeSet<&String> = keys().map(|(_, currency)| currency).collect();
    for currency in currencies {
        writeln!(text, "commodity {currency} 1000.0000")?;
    }
    text.push('\n');
    let accounts: BTreeSet<&String> = keys().map(|(account, _)| account).collect();
    for account in accounts {
        writeln!(text, "account {account}")?;
    }
    for own in transactions {
        write!(text, "\n{} * {}", own.on, own.title)?;
        let tags: Vec<String> = own.tags.iter().map(|(name, value)| format!("{name}:{}", written(value))).collect();
        writeln!(text, "  ; {}", tags.join(", "))?;
        for ((account, currency), value) in &own.rows {
            writeln!(text, "    {account}  {currency} {}", amount(*value)?)?;
        }
    }
    Ok(text)
}

fn as_csv(transactions: &[Transaction]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["date", "text", "account", "currency", "debit", "credit"])?;
    for own in transactions {
        for ((account, currency), value) in &own.rows {
            let (debit, credit) = if *value > 0 { (amount(*value)?, String::new()) } else { (String::new(), amount(-*value)?) };
            let texts = [&own.title, account, currency].map(|text| attain_print::guarded(text));
            writer.write_record([&own.on.to_string(), &texts[0], &texts[1], &texts[2], &debit, &credit])?;
        }
    }
    String::from_utf8(writer.into_inner().context("the journal could not be written")?).context("the journal is no text")
}

fn as_text(transactions: &[Transaction], form: JournalForm) -> Result<String> {
    match form {
        JournalForm::Csv => as_csv(transactions),
        JournalForm::Hledger => as_hledger(transactions),
    }
}

/// The last day of a period of the ledger.
fn last_day(view: &View, period_id: &str) -> Result<Day> {
    let at = view.company.calendar.index_of(period_id);
    let at = at.with_context(|| format!("period `{period_id}` of the ledger is not in the calendar any more: put it back"))?;
    Ok(Day(view.company.calendar.periods[at].until.0 - 1))
}

impl Instance {
    /// The payment of a batch: what was payable is paid, and what came back is payable again.
    pub async fn payout_journal(&self, caller: &Caller, batch_id: &str, form: JournalForm) -> Result<String> {
        caller.require(Action::SeePayouts)?;
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let batch = store::get(&mut read, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        if batch.state == "cancelled" {
            return Err(Refusal::conflict("the payout is cancelled; it pays nothing").into());
        }
        let lines = store::lines(&mut read, batch_id).await?;
        let returns = store::returns(&mut read, batch_id).await?;
        let options = &view.company.company.settings.payouts;
        as_text(&finished(payments(options, &batch, &lines, &returns, false)?)?, form)
    }

    /// What a period earned: expense by component against what is payable, held and carried.
    pub async fn period_journal(&self, caller: &Caller, period_id: &str, form: JournalForm) -> Result<String> {
        caller.require(Action::SeePayouts)?;
        let view = self.view().await?;
        view.company.period(period_id)?;
        let mut read = self.database.read().await?;
        let postings = store::ledger(&mut read, Some(period_id)).await?;
        let settings = &view.company.company.settings;
        let own = Transaction {
            on: last_day(&view, period_id)?,
            title: format!("commissions {}", written(period_id)),
            tags: vec![("period", period_id.to_owned())],
            rows: accrued(&settings.payouts, &settings.currency, &postings, false),
        };
        as_text(&finished(vec![own])?, form)
    }

    /// The whole ledger: a transaction for every run, payee and period, and for every payment.
    pub async fn ledger_journal(&self, caller: &Caller, form: JournalForm) -> Result<String> {
        caller.require(Action::SeePayouts)?;
        let view = self.view().await?;
        let settings = &view.company.company.settings;
        let mut read = self.database.read().await?;
        let mut groups: BTreeMap<(String, String, String), Vec<Posting>> = BTreeMap::new();
        for own in store::ledger(&mut read, None).await? {
            groups.entry((own.period_id.clone(), own.payee_id.clone(), own.run_id.clone())).or_default().push(own);
        }
        let mut transactions = Vec::with_capacity(groups.len());
        for ((period_id, payee_id, run_id), postings) in groups {
            transactions.push(Transaction {
                on: last_day(&view, &period_id)?,
                title: format!("pay of {} for {}", written(&payee_id), written(&period_id)),
                tags: vec![("payee", payee_id), ("period", period_id), ("run", run_id)],
                rows: accrued(&settings.payouts, &settings.currency, &postings, true),
            });
        }
        for batch in store::list(&mut read, Some("paid"), None, i64::MAX).await? {
            let lines = store::lines(&mut read, &batch.batch_id).await?;
            let returns = store::returns(&mut read, &batch.batch_id).await?;
            transactions.extend(payments(&settings.payouts, &batch, &lines, &returns, true)?);
        }
        as_text(&finished(transactions)?, form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ids_never_become_one_account() {
        assert_eq!(written("ana-1.x_y"), "ana-1.x_y");
        assert_eq!(written("a:b  c;d"), "a%3Ab%20%20c%3Bd");
        assert_eq!(written("a%3Ab"), "a%253Ab");
        assert_eq!(written("zoë"), "zoë");
    }

    #[test]
    fn what_does_not_balance_is_not_written() {
        let mut rows = Rows::new();
        add(&mut rows, "expenses:x".to_owned(), "EUR", 5);
        let own = Transaction { on: Day(0), title: "t".to_owned(), tags: Vec::new(), rows };
        assert!(own.checked().is_err());
    }
}
