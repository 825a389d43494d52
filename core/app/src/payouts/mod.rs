//! Payout batches: what the ledger says is paid becomes payments, each posting once. A batch is drafted, reviewed, approved by a second
//! person, exported as one file that never changes, and confirmed. Nothing of an exported batch is edited: what changes later is in
//! the next one.

pub(crate) mod check;
mod compute;
mod file;
mod journal;
mod rates;
mod reasons;
mod steps;

pub use journal::JournalForm;
pub use reasons::PayoutReason;
pub use steps::{Confirmation, MarkKind, NewMark, NewReturn, Reason};

use crate::access::{Action, Caller};
use crate::changes::hash;
use crate::pay::money;
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::view::View;
use crate::{Instance, now_ms, shown_ms};
use anyhow::{Context, Result};
use attain_audit::Entry;
use attain_database::{Connection, Tx};
use attain_domain::payouts::{Payouts, Requires, Standing, rounded};
use attain_domain::table::{NULL_NUMBER, Table};
use attain_domain::{Calendar, Day, RATE_SCALE, fixed, schema};
use attain_store::payouts::{self as store, Batch, Hand, Line, Part, Posting};
use attain_store::versions::{self, Part as VersionPart};
use compute::{Settled, settle, shares, total};
use rates::Rates;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The group of those who are in none.
pub const DEFAULT_GROUP: &str = "default";

fn default_group() -> String {
    DEFAULT_GROUP.to_owned()
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPayout {
    /// `default` for those who are in no group.
    #[serde(default = "default_group")]
    pub pay_group_id: String,
    /// Everything up to and with this period that is in no batch yet.
    pub period_id: String,
    /// The day of payment, `YYYY-MM-DD`. Rates are those of now, for that day.
    pub pay_on: String,
}

/// A batch in a list. Amounts are what is paid: in the currency of the payout, and in that of the company.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayoutHead {
    pub batch_id: String,
    pub pay_group_id: String,
    pub period_id: String,
    pub pay_on: String,
    /// `draft`, `reviewed`, `approved`, `exported`, `paid` or `cancelled`.
    pub state: String,
    pub currency: String,
    pub company_currency: String,
    pub payee_count: i64,
    pub amount: String,
    pub company_amount: String,
    pub made_by: String,
    pub made_at: String,
    pub reviewed_by: Option<String>,
    pub reviewed_at: Option<String>,
    pub approved_by: Option<String>,
    pub approved_at: Option<String>,
    pub exported_by: Option<String>,
    pub exported_at: Option<String>,
    pub paid_by: Option<String>,
    pub paid_on: Option<String>,
    pub reference: Option<String>,
    /// What is approved: the lines and the postings behind them.
    pub content_hash: String,
    pub version: i64,
}

/// A part of a line that was converted at a rate of its own.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RateLine {
    /// Empty for what belongs to the payment as a whole.
    pub plan_id: String,
    pub component_id: String,
    /// `pay-date`, `period-average` or `plan-rate`.
    pub policy: String,
    pub rate_on: String,
    /// `USD/INR`: the rate is INR for one USD.
    pub quote: String,
    pub rate: String,
    pub company_amount: String,
    /// Before rounding.
    pub converted: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayoutLine {
    pub payee_id: String,
    pub payee_name: String,
    /// `due`: is paid. `left`: waits for the next batch. `excluded`: by a reviewer. `returned`: came back from the bank.
    pub state: String,
    pub amount: String,
    pub company_amount: String,
    /// What is due to the payee and not in the batch.
    pub left_amount: String,
    /// What rounding to the digits of the currency left.
    pub residue: String,
    /// `company_amount` before the last refresh that changed it.
    pub before_amount: Option<String>,
    /// `raised`, `lowered`, `lower-result`, `waits`, `disputed`, `negative`
    pub flags: Vec<String>,
    pub reference: String,
    pub mark: Option<MarkView>,
    /// Disputes that are not settled and holds that meet the period, those that the batch waits for first.
    pub reasons: Vec<PayoutReason>,
    pub rates: Vec<RateLine>,
    pub returned: Option<ReturnView>,
    #[serde(skip)]
    amount_raw: i64,
    #[serde(skip)]
    company_raw: i64,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MarkView {
    /// `excluded`, `disputed` or `on-hold`.
    pub kind: String,
    pub reason: String,
    pub actor: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReturnView {
    pub returned_on: String,
    pub reason: String,
}

/// Who did what.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HandView {
    pub user_id: String,
    pub user_name: String,
    pub action: String,
    pub note: String,
    pub recorded_at: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayoutFileHead {
    pub name: String,
    pub sha256: String,
    pub byte_count: usize,
    /// The extension that laid it out, and its digest.
    pub mapping: String,
    pub mapping_digest: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayoutView {
    #[serde(flatten)]
    pub head: PayoutHead,
    /// In order of payee.
    pub lines: Vec<PayoutLine>,
    pub hands: Vec<HandView>,
    pub file: Option<PayoutFileHead>,
    /// Periods that must be approved before the batch can be exported.
    pub open_periods: Vec<String>,
}

/// In which batch something was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaidIn {
    pub batch_id: String,
    pub paid_on: String,
    /// Of that period, in company currency.
    pub amount: String,
}

fn no_payout(batch_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no payout `{batch_id}`"))
}

fn stale() -> Refusal {
    Refusal::conflict("somebody else worked on the payout at this moment; read it again")
}

fn too_large() -> Refusal {
    Refusal::invalid("a sum of the payout does not fit; look at the amounts of its payees")
}

pub(crate) fn day(text: &str, what: &str) -> Result<Day, Refusal> {
    text.parse().map_err(|()| Refusal::invalid(format!("`{what}` is `{text}`; write a day as YYYY-MM-DD")))
}

fn shown_day(day: i64) -> String {
    i32::try_from(day).map_or_else(|_| day.to_string(), |day| Day(day).to_string())
}

async fn load(connection: &mut Connection, entity: &str) -> Result<Table> {
    let known = schema::entity(entity).with_context(|| format!("there is no entity `{entity}`"))?;
    attain_store::entities::load(connection, known).await
}

/// What a batch is computed from, beside the ledger.
struct Basis {
    options: Payouts,
    calendar: Calendar,
    /// Payee to group on the last day of the batch's period.
    groups: BTreeMap<String, String>,
    fx_rates: Table,
}

impl Basis {
    async fn read(tx: &mut Tx, view: &View, last_day: Day) -> Result<Basis> {
        let members = load(tx, "pay_group_members").await?;
        let mut groups = BTreeMap::new();
        if let (Some(payees), Some(own), Some(from)) =
            (members.texts("payee_id"), members.texts("pay_group_id"), members.numbers("from_on"))
        {
            let until = members.numbers("until_on");
            for (row, from) in from.iter().enumerate() {
                let end = until.map_or(NULL_NUMBER, |until| until[row]);
                let day = i64::from(last_day.0);
                if *from <= day
                    && (end == NULL_NUMBER || day < end)
                    && let (Some(payee), Some(group)) = (payees.get(row), own.get(row))
                {
                    groups.insert(payee.to_owned(), group.to_owned());
                }
            }
        }
        Ok(Basis {
            options: view.company.company.settings.payouts.clone(),
            calendar: view.company.calendar.clone(),
            groups,
            fx_rates: load(tx, "fx_rates").await?,
        })
    }

    fn group_of(&self, payee_id: &str) -> &str {
        self.groups.get(payee_id).map_or(DEFAULT_GROUP, String::as_str)
    }
}

/// The currency of a group; refuses one that there is not.
async fn group_currency(tx: &mut Tx, pay_group_id: &str, company: &str) -> Result<String> {
    let groups = load(tx, "pay_groups").await?;
    let ids = groups.texts("pay_group_id");
    let row = (0..groups.row_count()).find(|row| ids.and_then(|ids| ids.get(*row)) == Some(pay_group_id));
    match row {
        Some(row) => Ok(groups.texts("currency").and_then(|own| own.get(row)).unwrap_or(company).to_owned()),
        None if pay_group_id == DEFAULT_GROUP => Ok(company.to_owned()),
        None => Err(Refusal::not_found(format!("there is no pay group `{pay_group_id}`; add it to pay_groups")).into()),
    }
}

/// What a refresh or a mark made of a batch.
struct LaidOut {
    lines: Vec<Line>,
    content_hash: String,
    /// Whether anything at all is otherwise than before.
    changed: bool,
}

fn by_payee(postings: Vec<Posting>) -> BTreeMap<String, Vec<Posting>> {
    let mut found: BTreeMap<String, Vec<Posting>> = BTreeMap::new();
    for own in postings {
        found.entry(own.payee_id.clone()).or_default().push(own);
    }
    found
}

/// What two people agree on: who gets how much, for which postings.
fn content_hash(batch: &Batch, lines: &[Line], claims: &[Posting]) -> String {
    let claims: BTreeSet<&Posting> = claims.iter().collect();
    let mut texts = vec![
        batch.batch_id.clone(),
        batch.pay_group_id.clone(),
        batch.period_id.clone(),
        batch.pay_on.to_string(),
        batch.currency.clone(),
        batch.company_currency.clone(),
    ];
    for line in lines.iter().filter(|line| line.state != "left") {
        texts.extend([line.payee_id.clone(), line.state.clone(), line.company_amount.to_string(), line.amount.to_string()]);
        texts.extend([line.residue.to_string(), line.reference.clone()]);
    }
    for own in claims {
        let key = [&own.payee_id, &own.period_id, &own.origin_period_id, &own.plan_id, &own.component_id, &own.account];
        texts.extend(key.map(String::clone));
        texts.extend([own.revision, own.attempt, own.amount].map(|number| number.to_string()));
    }
    hash(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Short enough for a bank, the same every time.
fn reference(batch: &Batch, payee_id: &str) -> String {
    let own = hash(&[&batch.batch_id, payee_id]);
    format!("{}-{}", batch.period_id, own.get(..10).unwrap_or(&own))
}

/// Claims for a batch what its payees are due, and writes its lines and rates.
async fn lay_out(tx: &mut Tx, batch: &Batch, basis: &Basis, standing: Standing) -> Result<LaidOut> {
    let last = basis.calendar.index_of(&batch.period_id);
    let before: BTreeMap<String, Line> =
        store::lines(tx, &batch.batch_id).await?.into_iter().map(|line| (line.payee_id.clone(), line)).collect();
    let old_claims = store::claims(tx, &batch.batch_id).await?;
    let mut claimed = by_payee(old_claims.clone());
    let due = store::due(tx).await?.into_iter().filter(|own| {
        let at = basis.calendar.index_of(&own.period_id);
        at.is_some() && at <= last && basis.group_of(&own.payee_id) == batch.pay_group_id
    });
    let mut due = by_payee(due.collect());
    let marks: BTreeMap<String, String> =
        store::marks(tx, &batch.batch_id).await?.into_iter().map(|own| (own.payee_id, own.kind)).collect();
    let payees: BTreeSet<String> = claimed.keys().chain(due.keys()).chain(marks.keys()).cloned().collect();
    let mut settled: BTreeMap<String, Settled> = BTreeMap::new();
    for payee in payees {
        let (claimed, due) = (claimed.remove(&payee).unwrap_or_default(), due.remove(&payee).unwrap_or_default());
        let mark = marks.get(&payee).map(String::as_str);
        if let Some(own) = settle(&basis.options, standing, mark, &claimed, &due).ok_or_else(too_large)? {
            settled.insert(payee, own);
        }
    }
    let claims: Vec<Posting> = settled.values().flat_map(|own| own.claims.iter().cloned()).collect();
    reclaim(tx, batch, &claims).await?;
    let earned = by_payee(store::earned_with(tx, &batch.batch_id).await?);
    let frozen = store::rates(tx, &batch.batch_id).await?;
    let pay_on = Day(i32::try_from(batch.pay_on)?);
    let mut rates = Rates::new(&batch.company_currency, &batch.currency, pay_on, &basis.calendar, &basis.fx_rates, frozen);
    let (mut lines, mut parts, mut missing) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (payee, own) in &mut settled {
        let nothing = Vec::new();
        let own_shares = shares(&basis.options, &own.claims, earned.get(payee).unwrap_or(&nothing)).ok_or_else(too_large)?;
        let mut exact: Vec<Decimal> = Vec::new();
        let mut own_parts = Vec::new();
        for share in &own_shares {
            let rate = match rates.of(share) {
                Ok(rate) => rate,
                Err(refusal) => {
                    missing.insert(refusal.message);
                    continue;
                }
            };
            let converted = rates.quote(rate.as_ref()).convert(share.amount).ok_or_else(too_large)?;
            exact.push(converted);
            if let Some(rate) = rate {
                own_parts.push(Part {
                    payee_id: payee.clone(),
                    plan_id: share.plan_id.clone(),
                    component_id: share.component_id.clone(),
                    policy: share.policy.name().to_owned(),
                    rate_on: rate.rate_on,
                    quote: rate.quote,
                    rate: rate.rate,
                    company_amount: share.amount,
                    converted: fixed::from_decimal_rounded(converted, RATE_SCALE).ok_or_else(too_large)?,
                });
            }
        }
        let company_amount = total(&own.claims).ok_or_else(too_large)?;
        let paid = rounded(&exact, &batch.currency).ok_or_else(too_large)?;
        let is_paid = own.state == "due" && paid.amount > 0;
        if own.state == "due" && !is_paid {
            // Less than the smallest coin: it waits.
            own.leave(company_amount).ok_or_else(too_large)?;
        }
        let old = before.get(payee);
        let company_amount = if is_paid { company_amount } else { 0 };
        let before_amount = match old {
            Some(old) if old.company_amount != company_amount => Some(old.company_amount),
            Some(old) => old.before_amount,
            None => None,
        };
        if is_paid {
            parts.extend(own_parts);
        }
        lines.push(Line {
            payee_id: payee.clone(),
            state: own.state.to_owned(),
            company_amount,
            left_amount: own.left,
            amount: if is_paid { paid.amount } else { 0 },
            residue: if is_paid { paid.residue } else { 0 },
            before_amount,
            flags: own.flags(old.filter(|old| old.company_amount == company_amount).map_or("", |old| old.flags.as_str())),
            reference: reference(batch, payee),
        });
    }
    if !missing.is_empty() {
        let refusal = Refusal::invalid("rates are missing; nothing was drafted");
        return Err(refusal.with_details(missing.into_iter().collect()).into());
    }
    let kept: Vec<Posting> = settled.values().flat_map(|own| own.claims.iter().cloned()).collect();
    if kept.len() != claims.len() {
        reclaim(tx, batch, &kept).await?;
    }
    store::add_rates(tx, &batch.batch_id, &rates.kept()).await?;
    store::write_lines(tx, &batch.batch_id, &lines, &parts).await?;
    let changed = kept != old_claims || lines.iter().ne(before.values());
    Ok(LaidOut { content_hash: content_hash(batch, &lines, &kept), lines, changed })
}

async fn reclaim(tx: &mut Tx, batch: &Batch, claims: &[Posting]) -> Result<()> {
    store::unclaim(tx, &batch.batch_id).await?;
    match store::claim(tx, &batch.batch_id, claims).await {
        Err(error) if store::is_claimed_twice(&error) => {
            Err(Refusal::conflict("another payout took some of these postings at this moment; draft it again").into())
        }
        other => other,
    }
}

fn standing_of(batch: &Batch) -> Result<Standing, Refusal> {
    match batch.state.as_str() {
        "draft" => Ok(Standing::Draft),
        "reviewed" => Ok(Standing::Reviewed),
        "approved" => Ok(Standing::Approved),
        state => Err(Refusal::conflict(format!("the payout is {state}; draft a new one, it holds what came since"))),
    }
}

type Names = BTreeMap<String, String>;

impl Instance {
    /// Freezes what the payees of a group are due up to a period, in a new batch.
    pub async fn draft_payout(&self, caller: &Caller, new: &NewPayout) -> Result<PayoutView> {
        caller.require(Action::ManagePayouts)?;
        let view = self.view().await?;
        let pay_on = day(&new.pay_on, "pay_on")?;
        let last_day = Day(view.company.period(&new.period_id)?.until.0 - 1);
        let company = &view.company.company.settings.currency;
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, VersionPart::Work).await?;
        let mut batch = Batch {
            batch_id: new_id("payout")?,
            pay_group_id: new.pay_group_id.clone(),
            period_id: new.period_id.clone(),
            pay_on: i64::from(pay_on.0),
            state: "draft".to_owned(),
            currency: group_currency(&mut tx, &new.pay_group_id, company).await?,
            company_currency: company.clone(),
            content_hash: String::new(),
            version: 1,
            made_by: caller.user_id.clone(),
            made_at: now_ms(),
            reviewed_by: None,
            reviewed_at: None,
            approved_by: None,
            approved_at: None,
            exported_by: None,
            exported_at: None,
            paid_by: None,
            paid_at: None,
            paid_on: None,
            reference: None,
        };
        let basis = Basis::read(&mut tx, &view, last_day).await?;
        store::add(&mut tx, &batch).await?;
        let laid = lay_out(&mut tx, &batch, &basis, Standing::Draft).await?;
        if laid.lines.iter().all(|line| line.state != "due") {
            let details =
                laid.lines.iter().map(|line| format!("{}: {} is left for a later payout", line.payee_id, money(line.left_amount)));
            let message = format!("nothing is due to group `{}` up to {}; nothing was drafted", new.pay_group_id, new.period_id);
            return Err(Refusal::conflict(message).with_details(details.collect()).into());
        }
        batch.content_hash = laid.content_hash;
        if !store::replace(&mut tx, &batch, "draft").await? {
            return Err(stale().into());
        }
        self.note_payout(tx, caller, "draft-payout", &batch, "", &format!("{}/{}", batch.pay_group_id, batch.period_id)).await?;
        self.payout(caller, &batch.batch_id).await
    }

    /// Takes what came since into a batch that is not exported, as the company's options say. Where lines change it is a draft again.
    pub async fn refresh_payout(&self, caller: &Caller, batch_id: &str) -> Result<PayoutView> {
        caller.require(Action::ManagePayouts)?;
        let view = self.view().await?;
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, VersionPart::Work).await?;
        let batch = store::get(&mut tx, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        if self.lay_out_again(&mut tx, &view, &batch).await? {
            self.note_payout(tx, caller, "refresh-payout", &batch, &batch.content_hash, "").await?;
        }
        self.payout(caller, batch_id).await
    }

    /// Lays a batch out anew in the caller's transaction. Answers whether anything changed.
    async fn lay_out_again(&self, tx: &mut Tx, view: &View, batch: &Batch) -> Result<bool> {
        let standing = standing_of(batch)?;
        let last_day = Day(view.company.period(&batch.period_id)?.until.0 - 1);
        let basis = Basis::read(tx, view, last_day).await?;
        let laid = lay_out(tx, batch, &basis, standing).await?;
        if !laid.changed {
            return Ok(false);
        }
        let mut next = Batch { content_hash: laid.content_hash, ..batch.clone() };
        if next.content_hash != batch.content_hash {
            next = Batch { state: "draft".to_owned(), reviewed_by: None, reviewed_at: None, approved_by: None, approved_at: None, ..next };
        }
        if !store::replace(tx, &next, &batch.state).await? {
            return Err(stale().into());
        }
        Ok(true)
    }

    /// Writes down who did it, ends the transaction with the entry in the trail, and seals.
    async fn note_payout(&self, mut tx: Tx, caller: &Caller, action: &str, batch: &Batch, before: &str, note: &str) -> Result<()> {
        let now = now_ms();
        let hand = Hand {
            user_id: caller.user_id.clone(),
            payee_id: caller.payee_id.clone(),
            action: action.to_owned(),
            note: note.to_owned(),
            recorded_at: now,
        };
        store::add_hand(&mut tx, &batch.batch_id, &hand).await?;
        versions::bump(&mut tx, VersionPart::Work).await?;
        let after = store::get(&mut tx, &batch.batch_id).await?.map(|own| own.content_hash).unwrap_or_default();
        let mut entry = Entry::new(&caller.user_id, action, &batch.batch_id).after(&after).reason(note);
        if !before.is_empty() && before != after {
            entry = entry.before(before);
        }
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await
    }

    /// Batches from the newest, of one state where it is named; after the batch with the id `after`.
    pub async fn payouts(&self, caller: &Caller, state: Option<&str>, after: Option<&str>, limit: usize) -> Result<Vec<PayoutHead>> {
        caller.require(Action::SeePayouts)?;
        const STATES: [&str; 6] = ["draft", "reviewed", "approved", "exported", "paid", "cancelled"];
        if let Some(state) = state.filter(|state| !STATES.contains(state)) {
            return Err(Refusal::invalid(format!("`{state}` is no state; write one of {}", STATES.join(", "))).into());
        }
        let mut read = self.database.read().await?;
        let found = store::list(&mut read, state, after, i64::try_from(limit)?).await?;
        let sums: BTreeMap<String, (i64, i64, i64)> =
            store::totals(&mut read).await?.into_iter().map(|(id, count, amount, company)| (id, (count, amount, company))).collect();
        let names = user_names(&mut read).await?;
        Ok(found
            .into_iter()
            .map(|batch| {
                let (count, amount, company) = sums.get(&batch.batch_id).copied().unwrap_or_default();
                head(batch, count, amount, company, &names)
            })
            .collect())
    }

    pub async fn payout(&self, caller: &Caller, batch_id: &str) -> Result<PayoutView> {
        caller.require(Action::SeePayouts)?;
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let mut batch = store::get(&mut read, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        let lines = self.payout_lines(&mut read, &view, &batch).await?;
        let names = user_names(&mut read).await?;
        let hands = store::hands(&mut read, batch_id).await?.into_iter().map(|own| HandView {
            user_name: names.get(&own.user_id).unwrap_or(&own.user_id).clone(),
            user_id: own.user_id,
            action: own.action,
            note: own.note,
            recorded_at: shown_ms(own.recorded_at),
        });
        let file = store::file(&mut read, batch_id).await?.map(|own| PayoutFileHead {
            byte_count: own.body.len(),
            name: own.name,
            sha256: own.sha256,
            mapping: own.mapping,
            mapping_digest: own.mapping_digest,
        });
        let requires = view.company.company.settings.payouts.requires;
        let open_periods = if matches!(batch.state.as_str(), "draft" | "reviewed" | "approved") {
            open_periods(&mut read, batch_id, requires).await?
        } else {
            Vec::new()
        };
        // What came back is not in the batch's own row, which is kept as it was paid.
        batch.version += i64::try_from(lines.iter().filter(|line| line.returned.is_some()).count())?;
        let sum = |value: fn(&PayoutLine) -> i64| i64::try_from(file::sum(&lines, value)).map_err(|_| too_large());
        let count = i64::try_from(lines.iter().filter(|line| line.state == "due").count())?;
        let (amount, company) = (sum(|line| line.amount_raw)?, sum(|line| line.company_raw)?);
        Ok(PayoutView { head: head(batch, count, amount, company, &names), lines, hands: hands.collect(), file, open_periods })
    }

    async fn payout_lines(&self, read: &mut Connection, view: &View, batch: &Batch) -> Result<Vec<PayoutLine>> {
        let lines = store::lines(read, &batch.batch_id).await?;
        let mut rates: BTreeMap<String, Vec<RateLine>> = BTreeMap::new();
        for part in store::parts(read, &batch.batch_id).await? {
            rates.entry(part.payee_id.clone()).or_default().push(RateLine {
                plan_id: part.plan_id,
                component_id: part.component_id,
                policy: part.policy,
                rate_on: shown_day(part.rate_on),
                quote: part.quote,
                rate: fixed::format(part.rate, RATE_SCALE),
                company_amount: money(part.company_amount),
                converted: fixed::format(part.converted, RATE_SCALE),
            });
        }
        let mut marks: BTreeMap<String, MarkView> = store::marks(read, &batch.batch_id)
            .await?
            .into_iter()
            .map(|own| (own.payee_id, MarkView { kind: own.kind, reason: own.reason, actor: own.actor }))
            .collect();
        let mut returns: BTreeMap<String, ReturnView> = store::returns(read, &batch.batch_id)
            .await?
            .into_iter()
            .map(|own| (own.payee_id, ReturnView { returned_on: shown_day(own.returned_on), reason: own.reason }))
            .collect();
        // What was paid is no longer to be looked at.
        let is_open = matches!(batch.state.as_str(), "draft" | "reviewed" | "approved");
        let mut known = if is_open { reasons::of_batch(read, view, batch, &lines).await? } else { BTreeMap::new() };
        Ok(lines
            .into_iter()
            .map(|line| {
                let returned = returns.remove(&line.payee_id);
                PayoutLine {
                    payee_name: view.company.name(&line.payee_id).to_owned(),
                    state: if returned.is_some() { "returned".to_owned() } else { line.state },
                    amount: money(line.amount),
                    company_amount: money(line.company_amount),
                    left_amount: money(line.left_amount),
                    residue: fixed::format(line.residue, RATE_SCALE),
                    before_amount: line.before_amount.map(money),
                    flags: line.flags.split(',').filter(|flag| !flag.is_empty()).map(str::to_owned).collect(),
                    reference: line.reference,
                    mark: marks.remove(&line.payee_id),
                    reasons: known.remove(&line.payee_id).unwrap_or_default(),
                    rates: rates.remove(&line.payee_id).unwrap_or_default(),
                    returned,
                    payee_id: line.payee_id,
                    amount_raw: line.amount,
                    company_raw: line.company_amount,
                }
            })
            .collect())
    }

    /// When and in which batches the pay of a period was paid, oldest first; for whoever may see that statement.
    pub async fn paid_in(&self, view: &View, caller: &Caller, payee_id: &str, period_id: &str) -> Result<Vec<PaidIn>> {
        view.visible_period(caller, payee_id, period_id)?;
        let mut connection = self.database.glance().await?;
        let paid = store::paid_to(&mut connection, payee_id).await?;
        Ok(paid
            .into_iter()
            .filter(|own| own.period_id == period_id)
            .map(|own| PaidIn { batch_id: own.batch_id, paid_on: shown_day(own.paid_on), amount: money(own.company_amount) })
            .collect())
    }
}

/// Periods of the claims that are neither approved nor closed, where the company wants that.
async fn open_periods(connection: &mut Connection, batch_id: &str, requires: Requires) -> Result<Vec<String>> {
    if requires == Requires::None {
        return Ok(Vec::new());
    }
    let states = load(connection, "periods").await?;
    let (ids, own) = (states.texts("period_id"), states.texts("state"));
    let ready: BTreeSet<&str> = (0..states.row_count())
        .filter(|row| matches!(own.and_then(|own| own.get(*row)), Some("approved" | "closed")))
        .filter_map(|row| ids.and_then(|ids| ids.get(row)))
        .collect();
    let claimed: BTreeSet<String> = store::claims(connection, batch_id).await?.into_iter().map(|own| own.period_id).collect();
    Ok(claimed.into_iter().filter(|period| !ready.contains(period.as_str())).collect())
}

async fn user_names(connection: &mut Connection) -> Result<Names> {
    Ok(attain_store::users::list(connection).await?.into_iter().map(|user| (user.user_id, user.name)).collect())
}

fn head(batch: Batch, payee_count: i64, amount: i64, company_amount: i64, names: &Names) -> PayoutHead {
    let named = |user: Option<String>| user.map(|user| names.get(&user).unwrap_or(&user).clone());
    PayoutHead {
        pay_on: shown_day(batch.pay_on),
        payee_count,
        amount: money(amount),
        company_amount: money(company_amount),
        made_by: named(Some(batch.made_by)).unwrap_or_default(),
        made_at: shown_ms(batch.made_at),
        reviewed_by: named(batch.reviewed_by),
        reviewed_at: batch.reviewed_at.map(shown_ms),
        approved_by: named(batch.approved_by),
        approved_at: batch.approved_at.map(shown_ms),
        exported_by: named(batch.exported_by),
        exported_at: batch.exported_at.map(shown_ms),
        paid_by: named(batch.paid_by),
        paid_on: batch.paid_on.map(shown_day),
        batch_id: batch.batch_id,
        pay_group_id: batch.pay_group_id,
        period_id: batch.period_id,
        state: batch.state,
        currency: batch.currency,
        company_currency: batch.company_currency,
        reference: batch.reference,
        content_hash: batch.content_hash,
        version: batch.version,
    }
}
