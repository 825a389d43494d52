//! Questions and disputes: one thread, one queue. A question asks and is answered; it becomes a dispute where the answer is not enough. A
//! dispute may hold pay until it is settled.

use super::{BODY_LENGTH_MAX, DAY_MS, DisputeState, DisputeView, happening, stale, store, within};
use crate::access::{Action, Caller};
use crate::notices::NoticeKind;
use crate::refusal::Refusal;
use crate::view::View;
use crate::work_policy::{amount, in_force};
use crate::{Instance, now_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_store::disputes::Dispute;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody wants: to know, or to have it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DisputeKind {
    /// Expects no amount; an answer is all that it needs.
    Question,
    #[default]
    Dispute,
}

impl DisputeKind {
    pub fn name(self) -> &'static str {
        match self {
            DisputeKind::Question => "question",
            DisputeKind::Dispute => "dispute",
        }
    }
}

pub(super) fn is_question(own: &Dispute) -> bool {
    own.kind == DisputeKind::Question.name()
}

/// A question whose answer is not enough.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// What the line, or the statement, or the missing credit's pay should be.
    #[serde(default)]
    pub expected: Option<String>,
    /// What is wrong.
    pub comment: String,
}

/// Whether payouts wait for a dispute.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayHold {
    pub holds_pay: bool,
    pub reason: String,
}

/// The state of a thread that waits for an answer or a decision.
pub(super) fn waiting(own: &Dispute) -> DisputeState {
    if own.assigned_to.is_some() { DisputeState::Assigned } else { DisputeState::Open }
}

/// What a message makes of a question: answered by who answers, open again by whoever else writes, who asked included.
pub(super) fn after_message(own: &Dispute, caller: &Caller) -> Option<DisputeState> {
    let answers = caller.may(Action::AnswerQuestions) && own.raised_by != caller.user_id;
    is_question(own).then(|| if answers { DisputeState::Answered } else { waiting(own) })
}

impl Instance {
    /// Makes a dispute of a question, by who asked or who answers.
    pub async fn escalate_question(
        &self,
        view: &View,
        caller: &Caller,
        dispute_id: &str,
        version: i64,
        new: &Escalation,
    ) -> Result<DisputeView> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions])?;
        let comment = within("the comment", &new.comment, BODY_LENGTH_MAX)?;
        let expected = new.expected.as_deref().map(|text| amount("`expected`", text)).transpose()?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let mut own = self.own_dispute(&mut tx, view, caller, dispute_id).await?;
        if own.version != version {
            return Err(stale().into());
        }
        if own.raised_by != caller.user_id && !caller.may(Action::AnswerQuestions) {
            return Err(Refusal::forbidden("only who asked, or who answers, can do that").into());
        }
        if !is_question(&own) {
            return Err(Refusal::conflict("this is a dispute already").into());
        }
        if matches!(own.state.as_str(), "closed" | "withdrawn") {
            return Err(Refusal::conflict(format!("this question is {}; open it again first", own.state)).into());
        }
        DisputeKind::Dispute.name().clone_into(&mut own.kind);
        own.expected = expected;
        waiting(&own).name().clone_into(&mut own.state);
        own.due_at = now + in_force(&mut tx).await?.dispute_days * DAY_MS;
        if !store::replace(&mut tx, &own).await? {
            return Err(stale().into());
        }
        store::add_message(&mut tx, dispute_id, &caller.user_id, &comment, now).await?;
        let told = self.concerned(&mut tx, &own, &caller.user_id).await?;
        let text = format!("{} disputes {}: {}", caller.name, own.period_id, own.subject);
        self.announce(&mut tx, &happening(NoticeKind::DisputeRaised, &own, text), &told, now).await?;
        let entry = Entry::new(&self.actor, "escalate-question", dispute_id).before("question").after("dispute");
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.dispute(view, caller, dispute_id).await
    }

    /// Lets payouts of the payee wait until the dispute is settled, or wait no longer. Not by the payee herself.
    pub async fn hold_for_dispute(
        &self,
        view: &View,
        caller: &Caller,
        dispute_id: &str,
        version: i64,
        new: &PayHold,
    ) -> Result<DisputeView> {
        caller.require(Action::AnswerQuestions)?;
        let reason = within("the reason", &new.reason, BODY_LENGTH_MAX)?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let mut own = self.own_dispute(&mut tx, view, caller, dispute_id).await?;
        if own.version != version {
            return Err(stale().into());
        }
        let user = attain_store::users::by_id(&mut tx, &caller.user_id).await?;
        let payees = [caller.payee_id.as_deref(), user.as_ref().and_then(|user| user.payee_id.as_deref())];
        if payees.contains(&Some(own.payee_id.as_str())) {
            return Err(Refusal::forbidden("it is about your own pay; somebody else has to do that").into());
        }
        if is_question(&own) {
            return Err(Refusal::conflict("a question holds no pay; make a dispute of it first").into());
        }
        if !matches!(own.state.as_str(), "open" | "assigned" | "resolved") {
            return Err(Refusal::conflict(format!("this dispute is {}; open it again first", own.state)).into());
        }
        if own.holds_pay == new.holds_pay {
            drop(tx);
            return self.dispute(view, caller, dispute_id).await;
        }
        let word = |holds: bool| if holds { "held" } else { "released" };
        let before = word(own.holds_pay);
        own.holds_pay = new.holds_pay;
        if !store::replace(&mut tx, &own).await? {
            return Err(stale().into());
        }
        let said = if own.holds_pay { "Payouts wait for this" } else { "Payouts wait no longer" };
        store::add_message(&mut tx, dispute_id, &caller.user_id, &format!("{said}: {reason}"), now).await?;
        let told = self.concerned(&mut tx, &own, &caller.user_id).await?;
        let text = format!("{} {} pay for: {}", caller.name, word(own.holds_pay), own.subject);
        self.announce(&mut tx, &happening(NoticeKind::DisputeAnswered, &own, text), &told, now).await?;
        let entry = Entry::new(&self.actor, "hold-for-dispute", dispute_id).before(before).after(word(own.holds_pay)).reason(&reason);
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.dispute(view, caller, dispute_id).await
    }
}
