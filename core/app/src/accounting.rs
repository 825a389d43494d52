//! What finance books for a period: the roll-forward of costs to obtain contracts, what is accrued, and both as journal lines. A period
//! that is approved or closed shows what the run that stands for it made; what would be otherwise now is a correction of the next one.

use crate::Instance;
use crate::access::{Action, Caller};
use crate::bundle::BundleFile;
use crate::refusal::Refusal;
use crate::view::{RunView, View};
use anyhow::{Context, Result};
use attain_domain::accounting::Accounts;
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::ids::RunId;
use attain_domain::{NULL_NUMBER, Table};
use attain_print::{Column, Document, Kind, Section};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// How an asset came from the beginning of the period to its end: opening + correction + addition − amortized − impaired = closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RollForward {
    pub opening: String,
    /// What earlier periods would have closed with now, less what they were closed with.
    pub correction: String,
    pub addition: String,
    pub amortized: String,
    pub impaired: String,
    pub closing: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContractLine {
    pub contract_id: String,
    #[serde(flatten)]
    pub amounts: RollForward,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccrualLine {
    pub payee_id: String,
    pub plan_id: String,
    pub component_id: String,
    pub earned: String,
    /// What the period costs: earned + accrual + reversal.
    pub expected: String,
    pub accrual: String,
    /// The accrual of the period before, turned back.
    pub reversal: String,
    /// `expected`: at the payee's expected attainment; `run-rate`: the result so far, continued. Nothing where nothing is accrued, as at
    /// the end of a span; so is what follows.
    pub basis: Option<String>,
    /// The result that is supposed at the end of the span.
    pub result: Option<String>,
    /// Of the span.
    pub quota: Option<String>,
    /// That the result comes from, as a fraction of the quota.
    pub attainment: Option<String>,
    /// What the component will have paid by the end of the span.
    pub by_the_end: Option<String>,
    /// The share of the span's days that is gone by.
    pub elapsed: Option<String>,
}

/// Debits and credits of a journal are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JournalLine {
    pub dated_on: String,
    pub account: String,
    pub debit: Option<String>,
    pub credit: Option<String>,
    pub text: String,
}

/// Which run says it, and of which period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountingHead {
    pub period_id: String,
    pub run_id: String,
    pub currency: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Amortization {
    pub head: AccountingHead,
    pub totals: RollForward,
    pub journal: Vec<JournalLine>,
    pub contracts: Vec<ContractLine>,
}

#[derive(Debug, Clone, Serialize)]
pub struct AccrualReport {
    pub head: AccountingHead,
    /// All lines together; without payee, plan and component.
    pub totals: AccrualTotals,
    pub journal: Vec<JournalLine>,
    pub lines: Vec<AccrualLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccrualTotals {
    pub earned: String,
    pub expected: String,
    pub accrual: String,
    pub reversal: String,
}

/// What is taken along as CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    Amortization,
    Accruals,
    Journal,
}

/// Opening, correction, addition, amortized, impaired, closing.
type Six = [i64; 6];
/// Earned, accrual, reversal.
type Three = [i64; 3];

fn shown(value: i128) -> String {
    i64::try_from(value).map_or_else(|_| format!("{value}e-4"), |value| fixed::format(value, MONEY_SCALE))
}

fn roll_forward(six: [i128; 6]) -> RollForward {
    let [opening, correction, addition, amortized, impaired, closing] = six.map(shown);
    RollForward { opening, correction, addition, amortized, impaired, closing }
}

fn sums<const N: usize>(all: impl Iterator<Item = [i64; N]>) -> [i128; N] {
    let mut sum = [0i128; N];
    for own in all {
        for (sum, value) in sum.iter_mut().zip(own) {
            *sum += i128::from(value);
        }
    }
    sum
}

/// The numbers of a period's rows by their key.
fn of_period<const K: usize, const N: usize>(
    table: &Table,
    period_id: &str,
    key: [&str; K],
    columns: [&str; N],
) -> BTreeMap<[String; K], [i64; N]> {
    let mut rows = BTreeMap::new();
    let Some(periods) = table.texts("period_id") else { return rows };
    for row in (0..table.row_count()).filter(|row| periods.get(*row) == Some(period_id)) {
        let text = |name: &str| table.texts(name).and_then(|own| own.get(row)).unwrap_or_default().to_owned();
        let number = |name: &str| table.numbers(name).map_or(0, |own| own[row]);
        let values = columns.map(|name| Some(number(name)).filter(|value| *value != NULL_NUMBER).unwrap_or(0));
        rows.insert(key.map(text), values);
    }
    rows
}

fn entry(dated_on: &str, debit: &str, credit: &str, amount: i128, text: &str) -> Vec<JournalLine> {
    let (debit, credit) = if amount < 0 { (credit, debit) } else { (debit, credit) };
    let line = |account: &str, side: bool| JournalLine {
        dated_on: dated_on.to_owned(),
        account: account.to_owned(),
        debit: side.then(|| shown(amount.abs())),
        credit: (!side).then(|| shown(amount.abs())),
        text: text.to_owned(),
    };
    if amount == 0 { Vec::new() } else { vec![line(debit, true), line(credit, false)] }
}

impl Instance {
    /// The result of a run that is not the one in the view.
    async fn result_of(&self, run: &RunView, period_id: &str, name: &str) -> Result<Table> {
        let run_id = run.run_of(period_id);
        if run_id == run.run_id {
            return Ok(run.table(name).cloned().unwrap_or_else(|| Table::new(name)));
        }
        let mut read = self.database.read().await?;
        let saved = attain_store::runs::load(&mut read, &RunId(run_id.to_owned())).await?;
        match saved.as_ref().and_then(|saved| saved.manifest.result(name)) {
            Some(table) => attain_store::runs::read_table(&mut read, table).await,
            None => Ok(Table::new(name)),
        }
    }

    /// The roll-forward of a period; the last one with statements where none is named.
    pub async fn amortization(&self, view: &View, caller: &Caller, period: Option<&str>) -> Result<Amortization> {
        let (run, period_id, before) = asked(view, caller, period)?;
        let columns = ["opening", "addition", "amortized", "impaired", "closing"];
        let now = of_period(&self.result_of(run, &period_id, "amortization").await?, &period_id, ["contract_id"], columns);
        let closed: BTreeMap<[String; 1], [i64; 1]> = match &before {
            Some(before) => of_period(&self.result_of(run, before, "amortization").await?, before, ["contract_id"], ["closing"]),
            None => now.iter().map(|(key, own)| (key.clone(), [own[0]])).collect(),
        };
        let keys: BTreeSet<&[String; 1]> = now.keys().chain(closed.keys()).collect();
        let mut rows: Vec<(String, Six)> = Vec::new();
        for key in keys {
            let [start, addition, amortized, impaired, closing] = now.get(key).copied().unwrap_or_default();
            let [opening] = closed.get(key).copied().unwrap_or_default();
            let six = [opening, start.saturating_sub(opening), addition, amortized, impaired, closing];
            if six != [0; 6] {
                rows.push((key[0].clone(), six));
            }
        }
        let total = sums(rows.iter().map(|(_, six)| *six));
        let [_, correction, addition, amortized, impaired, _] = total;
        let (accounts, dated_on) = (accounts(run), last_day(view, &period_id)?);
        let (asset, expense) = (accounts.asset.as_str(), accounts.amortization.as_str());
        let journal = [
            entry(&dated_on, asset, expense, correction, "correction of closed periods"),
            entry(&dated_on, asset, &accounts.expense, addition, "costs to obtain contracts capitalised"),
            entry(&dated_on, expense, asset, amortized, "amortisation of the period"),
            entry(&dated_on, &accounts.impairment, asset, impaired, "impairment of contracts that ended"),
        ];
        Ok(Amortization {
            head: head(run, &period_id),
            totals: roll_forward(total),
            journal: journal.concat(),
            contracts: rows
                .into_iter()
                .map(|(contract_id, six)| ContractLine { contract_id, amounts: roll_forward(six.map(i128::from)) })
                .collect(),
        })
    }

    /// What is accrued at the end of a period, and what of the period before is turned back.
    pub async fn accruals(&self, view: &View, caller: &Caller, period: Option<&str>) -> Result<AccrualReport> {
        let (run, period_id, before) = asked(view, caller, period)?;
        let key = ["payee_id", "plan_id", "component_id"];
        let now = of_period(&self.result_of(run, &period_id, "accruals").await?, &period_id, key, ["earned", "accrual"]);
        // What was booked, not what would be now.
        let booked: BTreeMap<[String; 3], [i64; 1]> = match &before {
            Some(before) => of_period(&self.result_of(run, before, "accruals").await?, before, key, ["accrual"]),
            None => BTreeMap::new(),
        };
        let keys: BTreeSet<&[String; 3]> = now.keys().chain(booked.keys()).collect();
        let mut rows: Vec<(&[String; 3], Three)> = Vec::new();
        for key in keys {
            let [earned, accrual] = now.get(key).copied().unwrap_or_default();
            let [then] = booked.get(key).copied().unwrap_or_default();
            if [earned, accrual, then] != [0; 3] {
                rows.push((key, [earned, accrual, -then]));
            }
        }
        let expected = |[earned, accrual, reversal]: [i128; 3]| earned + accrual + reversal;
        let total = sums(rows.iter().map(|(_, three)| *three));
        let (accounts, dated_on) = (accounts(run), last_day(view, &period_id)?);
        let (expense, liability) = (accounts.expense.as_str(), accounts.liability.as_str());
        let journal = [
            entry(&dated_on, expense, liability, total[2], "accrual of the period before, turned back"),
            entry(&dated_on, expense, liability, total[1], "accrual at expected results"),
        ];
        let totals = AccrualTotals {
            earned: shown(total[0]),
            expected: shown(expected(total)),
            accrual: shown(total[1]),
            reversal: shown(total[2]),
        };
        let mut details = details(&self.result_of(run, &period_id, "accruals").await?, &period_id, key);
        let line = |(key, three): (&[String; 3], Three)| {
            let [payee_id, plan_id, component_id] = key.clone();
            let [earned, accrual, reversal] = three.map(i128::from);
            let [basis, result, quota, attainment, by_the_end, elapsed] = details.remove(key).unwrap_or_default();
            AccrualLine {
                payee_id,
                plan_id,
                component_id,
                earned: shown(earned),
                expected: shown(expected([earned, accrual, reversal])),
                accrual: shown(accrual),
                reversal: shown(reversal),
                basis,
                result,
                quota,
                attainment,
                by_the_end,
                elapsed,
            }
        };
        let lines = rows.into_iter().map(line).collect();
        Ok(AccrualReport { head: head(run, &period_id), totals, journal: journal.concat(), lines })
    }

    /// Both, as what is booked.
    pub async fn accounting_journal(&self, view: &View, caller: &Caller, period: Option<&str>) -> Result<Vec<JournalLine>> {
        let mut journal = self.amortization(view, caller, period).await?.journal;
        journal.extend(self.accruals(view, caller, period).await?.journal);
        Ok(journal)
    }

    /// The name, columns and rows of a sheet.
    async fn sheet(&self, view: &View, caller: &Caller, period: Option<&str>, sheet: Sheet) -> Result<Rows> {
        let amount = |name: &str| Column::new(name, Kind::Amount);
        let text = |name: &str| Column::new(name, Kind::Text);
        Ok(match sheet {
            Sheet::Amortization => {
                let report = self.amortization(view, caller, period).await?;
                let amounts = ["opening", "correction", "addition", "amortized", "impaired", "closing"].map(amount);
                let row = |own: ContractLine| {
                    let RollForward { opening, correction, addition, amortized, impaired, closing } = own.amounts;
                    [own.contract_id, opening, correction, addition, amortized, impaired, closing].map(Some).to_vec()
                };
                let columns = std::iter::once(text("contract_id")).chain(amounts).collect();
                ("amortization", columns, report.contracts.into_iter().map(row).collect())
            }
            Sheet::Accruals => {
                let report = self.accruals(view, caller, period).await?;
                let row = |own: AccrualLine| {
                    let amounts = [own.payee_id, own.plan_id, own.component_id, own.earned, own.expected, own.accrual, own.reversal];
                    let details = [own.basis, own.result, own.quota, own.attainment, own.by_the_end, own.elapsed];
                    amounts.map(Some).into_iter().chain(details).collect()
                };
                let keys = ["payee_id", "plan_id", "component_id"].map(text);
                let amounts = ["earned", "expected", "accrual", "reversal"].map(amount);
                let rate = |name: &str| Column::new(name, Kind::Rate);
                let details = [text("basis"), amount("result"), amount("quota"), rate("attainment"), amount("by_the_end"), rate("elapsed")];
                let columns = keys.into_iter().chain(amounts).chain(details).collect();
                ("accruals", columns, report.lines.into_iter().map(row).collect())
            }
            Sheet::Journal => {
                let lines = self.accounting_journal(view, caller, period).await?;
                let row = |own: JournalLine| vec![Some(own.dated_on), Some(own.account), own.debit, own.credit, Some(own.text)];
                let columns = vec![Column::new("dated_on", Kind::Day), text("account"), amount("debit"), amount("credit"), text("text")];
                ("journal", columns, lines.into_iter().map(row).collect())
            }
        })
    }

    pub async fn accounting_file(&self, view: &View, caller: &Caller, period: Option<&str>, sheet: Sheet) -> Result<BundleFile> {
        let (_, period_id, _) = asked(view, caller, period)?;
        let (name, columns, rows) = self.sheet(view, caller, period, sheet).await?;
        let bytes = attain_print::csv(&columns, &rows).map_err(|error| Refusal::invalid(format!("{error:#}")))?;
        Ok(BundleFile { name: format!("{name}-{period_id}.csv"), bytes })
    }

    /// All sheets in one workbook; the first one says what it is about.
    pub async fn accounting_workbook(&self, view: &View, caller: &Caller, period: Option<&str>) -> Result<BundleFile> {
        let (run, period_id, _) = asked(view, caller, period)?;
        let AccountingHead { run_id, currency, .. } = head(run, &period_id);
        let totals = self.amortization(view, caller, period).await?.totals;
        let accrued = self.accruals(view, caller, period).await?.totals;
        let mut document = Document {
            issuer: run.company.settings.name.clone(),
            title: format!("Accounting of {period_id}"),
            facts: vec![("Currency".to_owned(), currency), ("Run".to_owned(), run_id)],
            totals: [
                ("Contract costs, opening", totals.opening),
                ("Corrections of closed periods", totals.correction),
                ("Capitalised", totals.addition),
                ("Amortised", totals.amortized),
                ("Impaired", totals.impaired),
                ("Contract costs, closing", totals.closing),
                ("Accrued", accrued.accrual),
                ("Accruals turned back", accrued.reversal),
            ]
            .map(|(label, amount)| (label.to_owned(), amount))
            .to_vec(),
            dated_on: Some(last_day(view, &period_id)?),
            ..Document::default()
        };
        for sheet in [Sheet::Amortization, Sheet::Accruals, Sheet::Journal] {
            let (name, columns, rows) = self.sheet(view, caller, period, sheet).await?;
            document.sections.push(Section { heading: name.to_owned(), columns, rows, ..Section::default() });
        }
        let bytes = tokio::task::spawn_blocking(move || attain_print::xlsx(&document)).await.context("the workbook could not be made")?;
        let bytes = bytes.map_err(|error| Refusal::invalid(format!("{error:#}")))?;
        Ok(BundleFile { name: format!("accounting-{period_id}.xlsx"), bytes })
    }
}

/// The name of a sheet, its columns and its rows.
type Rows = (&'static str, Vec<Column>, Vec<Vec<Option<String>>>);

/// How each balance of a period came about, by the key of its row: basis, result, quota, attainment, what is paid by the end, elapsed.
fn details<const K: usize>(table: &Table, period_id: &str, key: [&str; K]) -> BTreeMap<[String; K], [Option<String>; 6]> {
    let mut rows = BTreeMap::new();
    let Some(periods) = table.texts("period_id") else { return rows };
    for row in (0..table.row_count()).filter(|row| periods.get(*row) == Some(period_id)) {
        let text = |name: &str| table.texts(name).and_then(|own| own.get(row)).unwrap_or_default().to_owned();
        let shown = |name: &str| table.column(name).and_then(|own| own.show(row));
        rows.insert(key.map(text), ["basis", "result", "quota", "attainment", "by_the_end", "elapsed"].map(shown));
    }
    rows
}

/// The run, the period that is asked for, and the one before it.
fn asked<'a>(view: &'a View, caller: &Caller, period: Option<&str>) -> Result<(&'a RunView, String, Option<String>), Refusal> {
    caller.require(Action::SeeAllPay)?;
    let run = view.run()?;
    let periods = &view.company.calendar.periods;
    let index = match period {
        Some(id) => {
            view.company.period(id)?;
            view.company.calendar.index_of(id).unwrap_or_default()
        }
        None => {
            let with_statements = run.table("statements").and_then(|table| table.texts("period_id"));
            let known = with_statements.map_or(&[] as &[String], |own| &own.dictionary);
            let last = periods.iter().rposition(|period| known.contains(&period.id.0));
            last.ok_or_else(|| Refusal::not_found("the last run has no statements; name a period"))?
        }
    };
    let before = index.checked_sub(1).map(|before| periods[before].id.0.clone());
    Ok((run, periods[index].id.0.clone(), before))
}

fn accounts(run: &RunView) -> &Accounts {
    &run.company.settings.accounting.accounts
}

fn head(run: &RunView, period_id: &str) -> AccountingHead {
    let currency = run.company.settings.currency.clone();
    AccountingHead { period_id: period_id.to_owned(), run_id: run.run_of(period_id).to_owned(), currency }
}

fn last_day(view: &View, period_id: &str) -> Result<String, Refusal> {
    Ok(attain_domain::Day(view.company.period(period_id)?.until.0 - 1).to_string())
}
