//! A change that another use case makes, in that one's transaction: an adjustment, the case of a dispute.

use super::{ChangeKind, ChangeView, NewChange, OPEN_MAX, Payload, active, comment_of, drafters, moved, store};
use crate::access::Caller;
use crate::folder::Company;
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::view::View;
use crate::{Instance, now_ms};
use anyhow::Result;
use attain_database::Tx;
use attain_store::changes::Change;
use attain_store::versions::{self, Part};

/// A change that was read and checked, with what it would cost.
pub(crate) struct Readied {
    new: NewChange,
    payload: Payload,
    impact: Option<String>,
}

impl Instance {
    /// Reads and checks a change before the transaction that writes it.
    pub(crate) async fn ready_change(&self, caller: &Caller, view: &View, new: NewChange) -> Result<Readied> {
        caller.require_one(drafters(new.kind))?;
        let payload = Payload::read(new.kind, &new.object, &new.payload)?;
        let want: Company = payload.applied(self, &new.object, &view.company.company)?;
        if let Payload::Formula(formula) = &payload {
            crate::formulas::load_draft(&new.object, &formula.source, formula.cases.as_deref().unwrap_or_default())?;
        }
        let impact = self.impact_of_change(view, &payload, &new.object, &want).await;
        Ok(Readied { new, payload, impact })
    }

    /// Drafts and submits in one transaction: a crash leaves both or neither.
    pub(crate) async fn submit_new_change(&self, caller: &Caller, new: NewChange) -> Result<ChangeView> {
        let view = self.view().await?;
        let readied = self.ready_change(caller, &view, new).await?;
        let mut tx = self.database.begin().await?;
        versions::bump(&mut tx, Part::Work).await?;
        let change = self.change_within(&mut tx, caller, &view.company.company, &readied, true, now_ms()).await?;
        self.note_new_change(&mut tx, caller, &change).await?;
        tx.commit().await?;
        self.seal().await?;
        self.change(caller, &change.change_id).await
    }

    /// Writes it as a draft, or submitted at once. `Part::Work` was counted by the caller, who seals after it.
    pub(crate) async fn change_within(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        have: &Company,
        readied: &Readied,
        is_submitted: bool,
        now: i64,
    ) -> Result<Change> {
        let Readied { new, payload, impact } = readied;
        if store::open_count(tx, &caller.user_id).await? >= OPEN_MAX {
            return Err(Refusal::conflict(format!("you have {OPEN_MAX} undecided changes; withdraw some")).into());
        }
        let kind: ChangeKind = new.kind;
        let active = active(tx, kind, &new.object).await?;
        let base_digest = payload.base(self, &new.object, have, active.as_deref())?;
        if new.base_digest.as_ref().is_some_and(|base| *base != base_digest) {
            return Err(moved(&new.object).into());
        }
        let revision = self.revision(caller, kind, &new.object, payload, &base_digest, have, active.as_deref(), now)?;
        let change = Change {
            change_id: new_id("change")?,
            kind: kind.name().to_owned(),
            object: new.object.clone(),
            state: if is_submitted { "submitted" } else { "draft" }.to_owned(),
            author: caller.user_id.clone(),
            comment: comment_of(&new.comment)?,
            base_digest,
            content_hash: revision.content_hash.clone(),
            revision: 1,
            version: 1,
            created_at: now,
            submitted_at: is_submitted.then_some(now),
            decided_by: None,
            decided_at: None,
            decision_comment: None,
            impact: if is_submitted { impact.clone() } else { None },
        };
        store::add(tx, &change, &revision).await?;
        if let Some(impact) = change.impact.as_deref() {
            store::set_impact(tx, &change.change_id, impact).await?;
        }
        Ok(change)
    }

    /// Its entries in the trail and what follows, once all rows of the transaction are written.
    pub(crate) async fn note_new_change(&self, tx: &mut Tx, caller: &Caller, change: &Change) -> Result<()> {
        if change.state == "submitted" {
            // Who is asked is told before the trail is taken.
            self.follow_change(tx, "submit-change", change).await?;
        }
        self.note_only(tx, caller, "draft-change", change, &change.comment).await?;
        if change.state == "submitted" {
            self.note_only(tx, caller, "submit-change", change, "").await?;
        }
        Ok(())
    }
}
