//! What `attain test` does with payouts before it compares: the steps of `payouts.toml`, taken by two people of its own through the use
//! cases that anybody else takes, and what the batches hold afterwards as result tables.

use crate::access::{Caller, Role};
use crate::changes::Approval;
use crate::payouts::{Confirmation, DEFAULT_GROUP, MarkKind, NewMark, NewPayout, NewReturn, PayoutView, Reason};
use crate::refusal::Refusal;
use crate::{Instance, users::NewUser};
use anyhow::{Context, Result, bail};
use attain_domain::fixed;
use attain_domain::{Column, MONEY_SCALE, NULL_NUMBER, RATE_SCALE, Table};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the file with the steps.
pub(crate) const FILE: &str = "payouts.toml";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Do {
    Draft,
    Refresh,
    Mark,
    Review,
    Approve,
    Export,
    Confirm,
    Return,
    Cancel,
}

/// One step, with what it says about the batch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(rename = "do")]
    action: Do,
    /// The batch in the order in which they were drafted, from 1; the last one where it is not named.
    batch: Option<usize>,
    /// Whether the step must be refused.
    #[serde(default)]
    refused: bool,
    pay_group_id: Option<String>,
    period_id: Option<String>,
    /// The day of payment; of `return` and `confirm` the day on which it happened.
    on: Option<String>,
    payee_id: Option<String>,
    kind: Option<MarkKind>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    steps: Vec<Step>,
}

/// Who takes the steps, and the batches that there are.
#[derive(Debug, Default)]
pub(super) struct Payroll {
    people: Option<(Caller, Caller)>,
    batches: Vec<String>,
}

/// Why the step is taken; everybody who reads the trail sees it.
const REASON: &str = "as the test says";

impl Payroll {
    /// Takes the steps of the folder, where it has any.
    pub async fn walk(&mut self, instance: &Instance, dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(());
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("{FILE} could not be read"))?;
        let steps: Steps = toml::from_str(&text).with_context(|| format!("{FILE} could not be understood"))?;
        for (index, step) in steps.steps.iter().enumerate() {
            let place = || format!("{FILE}: step {} ({:?})", index + 1, step.action);
            match self.take(instance, step).await {
                Ok(()) if step.refused => bail!("{} was not refused", place()),
                Ok(()) => {}
                Err(error) if step.refused && error.is::<Refusal>() => {}
                Err(error) => return Err(error.context(place())),
            }
        }
        Ok(())
    }

    async fn people(&mut self, instance: &Instance) -> Result<(Caller, Caller)> {
        if self.people.is_none() {
            let operator = Caller::operator("test");
            let mut made = Vec::new();
            for (login, role) in [("maker", Role::Finance), ("checker", Role::CompAdmin)] {
                let new = NewUser { login: login.to_owned(), name: login.to_owned(), payee_id: None, roles: vec![role] };
                let user = instance.add_user(&operator, &new).await?;
                made.push(Caller::new(&user.user_id, login, None, [role], None));
            }
            self.people = made.pop().and_then(|checker| Some((made.pop()?, checker)));
        }
        self.people.clone().context("two people")
    }

    async fn take(&mut self, instance: &Instance, step: &Step) -> Result<()> {
        let (maker, checker) = self.people(instance).await?;
        let asked = |what: &Option<String>, name: &str| what.clone().with_context(|| format!("`{name}` is missing"));
        if step.action == Do::Draft {
            let new = NewPayout {
                pay_group_id: step.pay_group_id.clone().unwrap_or_else(|| DEFAULT_GROUP.to_owned()),
                period_id: asked(&step.period_id, "period_id")?,
                pay_on: asked(&step.on, "on")?,
            };
            self.batches.push(instance.draft_payout(&maker, &new).await?.head.batch_id);
            return Ok(());
        }
        let place = step.batch.unwrap_or(self.batches.len());
        let batch = place.checked_sub(1).and_then(|at| self.batches.get(at)).with_context(|| format!("there is no batch {place}"))?;
        match step.action {
            Do::Draft => {}
            Do::Refresh => drop(instance.refresh_payout(&maker, batch).await?),
            Do::Mark => {
                let kind = step.kind.context("`kind` is missing: `excluded`, `disputed`, `on-hold` or `none`")?;
                let new = NewMark { payee_id: asked(&step.payee_id, "payee_id")?, kind, reason: REASON.to_owned() };
                instance.mark_payout(&maker, batch, &new).await?;
            }
            Do::Review => drop(instance.review_payout(&maker, batch).await?),
            Do::Approve => {
                let content_hash = instance.payout(&checker, batch).await?.head.content_hash;
                let approval = Approval { content_hash, comment: String::new(), on_behalf_of: None };
                instance.approve_payout(&checker, batch, &approval).await?;
            }
            Do::Export => drop(instance.export_payout(&maker, batch).await?),
            Do::Confirm => {
                let own = Confirmation { reference: "test".to_owned(), paid_on: asked(&step.on, "on")? };
                instance.confirm_payout(&maker, batch, &own).await?;
            }
            Do::Return => {
                let returned_on = asked(&step.on, "on")?;
                let new = NewReturn { payee_id: asked(&step.payee_id, "payee_id")?, returned_on, reason: REASON.to_owned() };
                instance.return_payout(&maker, batch, &new).await?;
            }
            Do::Cancel => drop(instance.cancel_payout(&maker, batch, &Reason { reason: REASON.to_owned() }).await?),
        }
        Ok(())
    }

    /// The results `payouts` and `payout_parts` of all batches.
    pub async fn tables(&self, instance: &Instance) -> Result<BTreeMap<String, Table>> {
        let mut views = Vec::new();
        for batch in &self.batches {
            views.push(instance.payout(&Caller::operator("test"), batch).await?);
        }
        let all = [lines(&views)?, parts(&views)?];
        Ok(all.into_iter().map(|table| (table.name.clone(), table)).collect())
    }
}

fn number(text: &str, scale: u8) -> Result<i64> {
    fixed::parse(text, scale).with_context(|| format!("`{text}` is not a number"))
}

fn texts(rows: &[Vec<String>], place: usize) -> Column {
    Column::text(&rows.iter().map(|row| Some(row[place].as_str()).filter(|text| !text.is_empty())).collect::<Vec<_>>())
}

fn named(mut table: Table, names: &[&str], rows: &[Vec<String>]) -> Table {
    for (place, name) in names.iter().enumerate() {
        table = table.with(name, texts(rows, place));
    }
    table
}

/// A line of a batch for each of its payees.
fn lines(views: &[PayoutView]) -> Result<Table> {
    let mut rows = Vec::new();
    let mut amounts: [Vec<i64>; 5] = Default::default();
    for (index, view) in views.iter().enumerate() {
        for line in &view.lines {
            let (head, batch, flags) = (&view.head, (index + 1).to_string(), line.flags.join(" "));
            let own = [&batch, &head.state, &head.pay_group_id, &head.period_id, &line.payee_id, &line.state, &head.currency, &flags];
            rows.push(own.map(String::clone).to_vec());
            let before = line.before_amount.as_deref().map_or(Ok(NULL_NUMBER), |text| number(text, MONEY_SCALE))?;
            let own = [
                number(&line.company_amount, MONEY_SCALE)?,
                number(&line.amount, MONEY_SCALE)?,
                number(&line.left_amount, MONEY_SCALE)?,
                before,
                number(&line.residue, RATE_SCALE)?,
            ];
            for (column, value) in amounts.iter_mut().zip(own) {
                column.push(value);
            }
        }
    }
    let names = ["batch", "batch_state", "pay_group_id", "period_id", "payee_id", "state", "currency", "flags"];
    let [company, amount, left, before, residue] = amounts;
    Ok(named(Table::new("payouts"), &names, &rows)
        .with("company_amount", Column::money(company))
        .with("amount", Column::money(amount))
        .with("left_amount", Column::money(left))
        .with("before_amount", Column::money(before))
        .with("residue", Column::rate(residue)))
}

/// The parts of payments that are converted at rates of their own.
fn parts(views: &[PayoutView]) -> Result<Table> {
    let mut rows = Vec::new();
    let mut numbers: [Vec<i64>; 3] = Default::default();
    for (index, view) in views.iter().enumerate() {
        for line in &view.lines {
            for part in &line.rates {
                let batch = (index + 1).to_string();
                let own = [&batch, &line.payee_id, &part.plan_id, &part.component_id, &part.policy, &part.rate_on, &part.quote];
                rows.push(own.map(String::clone).to_vec());
                let own =
                    [number(&part.rate, RATE_SCALE)?, number(&part.company_amount, MONEY_SCALE)?, number(&part.converted, RATE_SCALE)?];
                for (column, value) in numbers.iter_mut().zip(own) {
                    column.push(value);
                }
            }
        }
    }
    let [rate, company, converted] = numbers;
    let names = ["batch", "payee_id", "plan_id", "component_id", "policy", "rate_on", "quote"];
    Ok(named(Table::new("payout_parts"), &names, &rows)
        .with("rate", Column::rate(rate))
        .with("company_amount", Column::money(company))
        .with("converted", Column::rate(converted)))
}
