//! Adjustments of pay: an amount with a reason, which two people bring into the record; the next run posts it.

use crate::access::{Action, Caller};
use crate::changes::{ChangeKind, NewChange};
use crate::pay::money;
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::view::View;
use crate::work_policy::amount;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_domain::NULL_NUMBER;
use attain_store::teamwork::{self as store, AdjustmentDraft, Decided};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

const NOTE_LENGTH_MAX: usize = 500;

/// Why pay is adjusted by hand. `dispute` is given by the resolution of one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AdjustmentReason {
    Correction,
    Dispute,
    Goodwill,
    Guarantee,
    Referral,
    Spif,
    WriteOff,
    Other,
}

impl AdjustmentReason {
    pub fn name(self) -> &'static str {
        match self {
            AdjustmentReason::Correction => "correction",
            AdjustmentReason::Dispute => "dispute",
            AdjustmentReason::Goodwill => "goodwill",
            AdjustmentReason::Guarantee => "guarantee",
            AdjustmentReason::Referral => "referral",
            AdjustmentReason::Spif => "spif",
            AdjustmentReason::WriteOff => "write-off",
            AdjustmentReason::Other => "other",
        }
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdjustment {
    pub payee_id: String,
    pub period_id: String,
    /// Negative takes away.
    pub amount: String,
    pub reason: AdjustmentReason,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub plan_id: Option<String>,
    #[serde(default)]
    pub component_id: Option<String>,
    #[serde(default)]
    pub transaction_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdjustmentView {
    pub adjustment_id: String,
    pub payee_id: String,
    pub payee_name: String,
    pub period_id: String,
    pub amount: String,
    pub reason: String,
    pub note: Option<String>,
    pub dispute_id: Option<String>,
    /// `submitted`, `approved`, `rejected` or `withdrawn`; only an approved one is paid.
    pub state: String,
    pub plan_id: Option<String>,
    pub component_id: Option<String>,
    pub transaction_id: Option<String>,
    /// `null` where it came with the company's data.
    pub change_id: Option<String>,
    pub author: Option<String>,
    pub author_name: Option<String>,
    pub created_at: Option<String>,
    /// Who approved or rejected it.
    pub decided_by_name: Option<String>,
    pub decided_at: Option<String>,
}

/// Which adjustments are listed; all where nothing is named.
#[derive(Debug, Clone, Default)]
pub struct AdjustmentFilter<'a> {
    pub payee_id: Option<&'a str>,
    pub period_id: Option<&'a str>,
    /// `submitted`, `approved`, `rejected` or `withdrawn`.
    pub state: Option<&'a str>,
    pub reason: Option<AdjustmentReason>,
}

/// What the row of an adjustment says.
pub(crate) struct Row<'a> {
    pub payee_id: &'a str,
    pub period_id: &'a str,
    pub amount: i64,
    pub reason: AdjustmentReason,
    pub note: Option<&'a str>,
    pub plan_id: Option<&'a str>,
    pub component_id: Option<&'a str>,
    pub transaction_id: Option<&'a str>,
    pub dispute_id: Option<&'a str>,
}

/// The change that brings one row, with the id of the adjustment.
pub(crate) fn change_of(row: &Row<'_>) -> Result<(String, NewChange)> {
    let adjustment_id = new_id("adjustment")?;
    let mut text = csv::Writer::from_writer(Vec::new());
    text.write_record([
        "adjustment_id",
        "payee_id",
        "period_id",
        "amount",
        "reason",
        "note",
        "plan_id",
        "component_id",
        "transaction_id",
        "dispute_id",
    ])?;
    let amount = money(row.amount);
    let may = |value: Option<&str>| value.unwrap_or_default().to_owned();
    text.write_record([
        adjustment_id.clone(),
        row.payee_id.to_owned(),
        row.period_id.to_owned(),
        amount,
        row.reason.name().to_owned(),
        may(row.note),
        may(row.plan_id),
        may(row.component_id),
        may(row.transaction_id),
        may(row.dispute_id),
    ])?;
    let csv = String::from_utf8(text.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?)?;
    let new = NewChange {
        kind: ChangeKind::Import,
        object: "adjustments".to_owned(),
        payload: serde_json::json!({ "entity": "adjustments", "csv": csv, "source": row.dispute_id.unwrap_or("adjustment") }),
        comment: format!("{} of {} in {}", row.reason.name(), row.payee_id, row.period_id),
        base_digest: None,
    };
    Ok((adjustment_id, new))
}

/// Refuses a period that is closed: nothing is posted to it any more.
pub(crate) fn check_open(view: &View, period_id: &str) -> Result<(), Refusal> {
    view.company.period(period_id)?;
    let Some(table) = view.company.company.tables.get("periods") else { return Ok(()) };
    let is = |name: &str, row: usize, value: &str| table.texts(name).and_then(|own| own.get(row)) == Some(value);
    if (0..table.row_count()).any(|row| is("period_id", row, period_id) && is("state", row, "closed")) {
        return Err(Refusal::conflict(format!("period {period_id} is closed; name an open one, where the amount is to be paid")));
    }
    Ok(())
}

/// A note of one line: line ends become spaces.
pub(crate) fn note_of(text: Option<&str>) -> Result<Option<String>, Refusal> {
    let words: Vec<&str> = text.unwrap_or_default().split_whitespace().collect();
    let note = words.join(" ");
    if note.chars().count() > NOTE_LENGTH_MAX || note.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!("a note has at most {NOTE_LENGTH_MAX} characters, all of them visible")));
    }
    Ok(Some(note).filter(|note| !note.is_empty()))
}

impl Instance {
    /// Drafts an adjustment and submits it to a second person. Nobody adjusts her own pay.
    pub async fn adjust(&self, view: &View, caller: &Caller, new: &NewAdjustment) -> Result<AdjustmentView> {
        caller.require_one(&[Action::DraftChanges, Action::Import])?;
        view.visible_period(caller, &new.payee_id, &new.period_id)?;
        check_open(view, &new.period_id)?;
        if caller.payee_id.as_deref() == Some(new.payee_id.as_str()) {
            return Err(Refusal::forbidden("this is your own pay; somebody else has to adjust it").into());
        }
        if new.reason == AdjustmentReason::Dispute {
            return Err(Refusal::invalid("`dispute` is the reason of a dispute's resolution; resolve the dispute").into());
        }
        let value = amount("`amount`", &new.amount)?;
        if value == 0 {
            return Err(Refusal::invalid("an adjustment of nothing changes nothing").into());
        }
        let note = note_of(new.note.as_deref())?;
        let row = Row {
            payee_id: &new.payee_id,
            period_id: &new.period_id,
            amount: value,
            reason: new.reason,
            note: note.as_deref(),
            plan_id: new.plan_id.as_deref(),
            component_id: new.component_id.as_deref(),
            transaction_id: new.transaction_id.as_deref(),
            dispute_id: None,
        };
        let (adjustment_id, change) = change_of(&row)?;
        let readied = self.ready_change(caller, view, change).await?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let change = self.change_within(&mut tx, caller, &view.company.company, &readied, true, now).await?;
        let draft = AdjustmentDraft {
            adjustment_id: adjustment_id.clone(),
            change_id: change.change_id.clone(),
            payee_id: new.payee_id.clone(),
            period_id: new.period_id.clone(),
            amount: value,
            reason: new.reason.name().to_owned(),
            note,
            dispute_id: None,
            author: caller.user_id.clone(),
            created_at: now,
        };
        store::add_adjustment(&mut tx, &draft).await?;
        self.note_new_change(&mut tx, caller, &change).await?;
        let entry = Entry::new(&caller.user_id, "adjust", &adjustment_id).after(&change.change_id);
        let entry = entry.reason(&format!("{}/{} {}", new.payee_id, new.period_id, new.reason.name()));
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        let mut own = shown(view, draft, Decided { state: change.state, by: None, at: None }, &|_| None);
        own.author_name = Some(caller.name.clone());
        (own.plan_id, own.component_id, own.transaction_id) = (new.plan_id.clone(), new.component_id.clone(), new.transaction_id.clone());
        Ok(own)
    }

    /// Those of the payees and periods that the caller may see, newest first: with `see-all-pay` also what is not approved.
    pub async fn adjustments(&self, view: &View, caller: &Caller, filter: &AdjustmentFilter<'_>) -> Result<Vec<AdjustmentView>> {
        caller.require_one(&[Action::SeeOwnPay, Action::SeeTeamPay, Action::SeeAllPay])?;
        let mut connection = self.database.glance().await?;
        let drafts = store::adjustments(&mut connection, "").await?;
        let users: BTreeMap<String, String> =
            attain_store::users::list(&mut connection).await?.into_iter().map(|user| (user.user_id, user.name)).collect();
        drop(connection);
        let name = |user: &str| users.get(user).cloned();
        let in_force: BTreeMap<String, AdjustmentView> = loaded(view).into_iter().map(|own| (own.adjustment_id.clone(), own)).collect();
        let known: BTreeSet<String> = drafts.iter().map(|(own, _)| own.adjustment_id.clone()).collect();
        let mut all: Vec<AdjustmentView> = drafts
            .into_iter()
            .filter(|(_, decided)| decided.state == "approved" || caller.may(Action::SeeAllPay))
            .map(|(own, decided)| {
                let row = in_force.get(&own.adjustment_id);
                let mut own = shown(view, own, decided, &name);
                if let Some(row) = row {
                    (own.plan_id, own.component_id) = (row.plan_id.clone(), row.component_id.clone());
                    own.transaction_id.clone_from(&row.transaction_id);
                }
                own
            })
            .collect();
        all.extend(in_force.into_values().filter(|own| !known.contains(&own.adjustment_id)));
        all.retain(|own| {
            filter.payee_id.is_none_or(|payee| own.payee_id == payee)
                && filter.period_id.is_none_or(|period| own.period_id == period)
                && filter.state.is_none_or(|state| own.state == state)
                && filter.reason.is_none_or(|reason| own.reason == reason.name())
                && view.visible_period(caller, &own.payee_id, &own.period_id).is_ok()
        });
        Ok(all)
    }
}

fn shown(view: &View, own: AdjustmentDraft, decided: Decided, name: &dyn Fn(&str) -> Option<String>) -> AdjustmentView {
    AdjustmentView {
        author_name: name(&own.author),
        decided_by_name: decided.by.as_deref().and_then(name),
        decided_at: decided.at.map(shown_ms),
        plan_id: None,
        component_id: None,
        transaction_id: None,
        payee_name: view.company.name(&own.payee_id).to_owned(),
        adjustment_id: own.adjustment_id,
        payee_id: own.payee_id,
        period_id: own.period_id,
        amount: money(own.amount),
        reason: own.reason,
        note: own.note,
        dispute_id: own.dispute_id,
        state: decided.state,
        change_id: Some(own.change_id),
        author: Some(own.author),
        created_at: Some(shown_ms(own.created_at)),
    }
}

/// The adjustments of the record.
pub(crate) fn loaded(view: &View) -> Vec<AdjustmentView> {
    let Some(table) = view.company.company.tables.get("adjustments") else { return Vec::new() };
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).map(str::to_owned);
    let amounts = table.numbers("amount").unwrap_or(&[]);
    (0..table.row_count())
        .map(|row| {
            let payee_id = text("payee_id", row).unwrap_or_default();
            AdjustmentView {
                payee_name: view.company.name(&payee_id).to_owned(),
                adjustment_id: text("adjustment_id", row).unwrap_or_default(),
                payee_id,
                period_id: text("period_id", row).unwrap_or_default(),
                amount: money(amounts.get(row).copied().filter(|amount| *amount != NULL_NUMBER).unwrap_or(0)),
                reason: text("reason", row).unwrap_or_default(),
                note: text("note", row),
                dispute_id: text("dispute_id", row),
                state: "approved".to_owned(),
                plan_id: text("plan_id", row),
                component_id: text("component_id", row),
                transaction_id: text("transaction_id", row),
                change_id: None,
                author: None,
                author_name: None,
                created_at: None,
                decided_by_name: None,
                decided_at: None,
            }
        })
        .collect()
}
