//! What becomes of a batch after its draft: marks of reviewers, review, approval by a second person, export, confirmation, payments
//! that came back, cancellation. What was done already and is asked for again changes nothing.

use super::{PayoutView, VersionPart, day, file, no_payout, open_periods, reasons, stale, store, versions};
use crate::access::{Action, Caller, Role};
use crate::changes::Approval;
use crate::refusal::Refusal;
use crate::{Instance, now_ms};
use anyhow::Result;
use attain_database::Tx;
use attain_domain::point::{Call, Extensions as _, Point};
use attain_domain::{Day, settings::Step};
use attain_store::payouts::{Batch, File, Mark, Return};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

const REASON_LENGTH_MAX: usize = 500;
const REFERENCE_LENGTH_MAX: usize = 100;
/// So many reasons stand in the note of a review.
const NAMED_MAX: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// Not in this batch; what is due waits.
    Excluded,
    /// As it is until the dispute is settled; the batch is not approved before.
    Disputed,
    /// Raised and flagged by a refresh; the batch is not approved before it is released.
    OnHold,
    /// Takes the mark away.
    None,
}

impl MarkKind {
    fn name(self) -> &'static str {
        match self {
            MarkKind::Excluded => "excluded",
            MarkKind::Disputed => "disputed",
            MarkKind::OnHold => "on-hold",
            MarkKind::None => "none",
        }
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMark {
    pub payee_id: String,
    pub kind: MarkKind,
    pub reason: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// What the bank calls the payment.
    pub reference: String,
    /// `YYYY-MM-DD`
    pub paid_on: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReturn {
    pub payee_id: String,
    /// `YYYY-MM-DD`
    pub returned_on: String,
    pub reason: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub reason: String,
}

fn said(what: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if !(1..=max).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!("`{what}` has 1 to {max} characters, no control characters")));
    }
    Ok(text.to_owned())
}

fn wrong_state(batch: &Batch, wanted: &str, verb: &str) -> Refusal {
    Refusal::conflict(format!("the payout is {}; only a payout that is {wanted} can be {verb}", batch.state))
}

/// Refuses whoever had a hand in the batch, by user and by payee, and whoever may not approve by what the record says now.
async fn independent(tx: &mut Tx, batch: &Batch, caller: &Caller) -> Result<()> {
    let refused = |message: &str| Err(Refusal::forbidden(message).into());
    let user = attain_store::users::by_id(tx, &caller.user_id).await?.filter(|user| !user.disabled);
    let Some(user) = user else { return refused("only somebody who signs in can approve; sign in") };
    let roles = user.roles.iter().filter_map(|name| Role::from_name(name));
    Caller::new(&user.user_id, &user.name, None, roles, None).require(Action::ManagePayouts)?;
    let own_payees = [user.payee_id.as_deref(), caller.payee_id.as_deref()];
    // Whoever approved what the batch was before made nothing of it.
    let hands = store::hands(tx, &batch.batch_id).await?.into_iter().filter(|hand| hand.action != "approve-payout");
    for hand in hands {
        if hand.user_id == user.user_id {
            return refused("a payout needs a second person; you drafted or reviewed this one");
        }
        let now = attain_store::users::by_id(tx, &hand.user_id).await?.and_then(|user| user.payee_id);
        let is_same = |payee: &Option<String>| payee.is_some() && own_payees.contains(&payee.as_deref());
        if is_same(&hand.payee_id) || is_same(&now) {
            return refused("a payout needs a second person; another account of yours drafted or reviewed this one");
        }
    }
    Ok(())
}

impl Instance {
    /// Everybody who had a hand in a batch but for its approval.
    pub(crate) async fn hands_of_payout(
        &self,
        connection: &mut attain_database::Connection,
        batch_id: &str,
    ) -> Result<std::collections::BTreeSet<String>> {
        store::get(connection, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        let hands = store::hands(connection, batch_id).await?.into_iter();
        Ok(hands.filter(|hand| hand.action != "approve-payout").map(|hand| hand.user_id).collect())
    }

    /// A transaction in which nobody else works on payouts, and the batch.
    async fn payout_tx(&self, caller: &Caller, batch_id: &str) -> Result<(Tx, Batch)> {
        caller.require(Action::ManagePayouts)?;
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, VersionPart::Work).await?;
        let batch = store::get(&mut tx, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        Ok((tx, batch))
    }

    async fn step_payout(&self, mut tx: Tx, caller: &Caller, was: &Batch, next: &Batch, action: &str, note: &str) -> Result<PayoutView> {
        if !store::replace(&mut tx, next, &was.state).await? {
            return Err(stale().into());
        }
        self.note_payout(tx, caller, action, next, "", note).await?;
        self.payout(caller, &next.batch_id).await
    }

    /// Leaves a payee out of a batch, or says that hers is disputed or on hold. Where lines change the batch is a draft again.
    pub async fn mark_payout(&self, caller: &Caller, batch_id: &str, new: &NewMark) -> Result<PayoutView> {
        let reason = said("reason", &new.reason, REASON_LENGTH_MAX)?;
        let view = self.view().await?;
        let (mut tx, batch) = self.payout_tx(caller, batch_id).await?;
        let payees = view.company.company.tables["payees"].texts("payee_id");
        if !payees.is_some_and(|ids| ids.dictionary.contains(&new.payee_id)) {
            return Err(Refusal::not_found(format!("there is no payee `{}`", new.payee_id)).into());
        }
        let before = store::marks(&mut tx, batch_id).await?.into_iter().find(|own| own.payee_id == new.payee_id);
        if before.as_ref().map_or("none", |own| own.kind.as_str()) == new.kind.name() {
            drop(tx);
            return self.payout(caller, batch_id).await;
        }
        let mark = (new.kind != MarkKind::None).then(|| Mark {
            payee_id: new.payee_id.clone(),
            kind: new.kind.name().to_owned(),
            reason: reason.clone(),
            actor: caller.user_id.clone(),
            recorded_at: now_ms(),
        });
        store::set_mark(&mut tx, batch_id, &new.payee_id, mark.as_ref()).await?;
        self.lay_out_again(&mut tx, &view, &batch).await?;
        let note = format!("{}: {}: {reason}", new.payee_id, new.kind.name());
        self.note_payout(tx, caller, "mark-payout", &batch, &batch.content_hash, &note).await?;
        self.payout(caller, batch_id).await
    }

    /// Says that somebody looked at the lines; names the disputes and holds of those who are paid.
    pub async fn review_payout(&self, caller: &Caller, batch_id: &str) -> Result<PayoutView> {
        let view = self.view().await?;
        let (mut tx, batch) = self.payout_tx(caller, batch_id).await?;
        if batch.state != "draft" {
            return Err(wrong_state(&batch, "a draft", "reviewed").into());
        }
        let next =
            Batch { state: "reviewed".to_owned(), reviewed_by: Some(caller.user_id.clone()), reviewed_at: Some(now_ms()), ..batch.clone() };
        let lines = store::lines(&mut tx, batch_id).await?;
        let known = reasons::of_batch(&mut tx, &view, &batch, &lines).await?;
        let named = reasons::named(&known, &lines, |_| true);
        let more = named.len().saturating_sub(NAMED_MAX);
        let mut note = named.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join("; ");
        if more > 0 {
            note = format!("{note}; and {more} more");
        }
        self.step_payout(tx, caller, &batch, &next, "review-payout", &note).await
    }

    /// By a second person, for the content that she has read.
    pub async fn approve_payout(&self, caller: &Caller, batch_id: &str, approval: &Approval) -> Result<PayoutView> {
        let view = self.view().await?;
        let (mut tx, batch) = self.payout_tx(caller, batch_id).await?;
        if batch.state != "reviewed" {
            return Err(wrong_state(&batch, "reviewed", "approved").into());
        }
        if batch.content_hash != approval.content_hash {
            return Err(Refusal::conflict("the payout is not the one that you read; read it again and approve its `content_hash`").into());
        }
        independent(&mut tx, &batch, caller).await?;
        let open: Vec<String> = store::marks(&mut tx, batch_id)
            .await?
            .into_iter()
            .filter(|own| own.kind != "excluded")
            .map(|own| format!("{}: {}: {}", own.payee_id, own.kind, own.reason))
            .collect();
        if !open.is_empty() {
            let refusal = Refusal::conflict("payees of the payout are disputed or on hold; settle it, or exclude them");
            return Err(refusal.with_details(open).into());
        }
        reasons::check(&mut tx, &view, &batch).await?;
        let next =
            Batch { state: "approved".to_owned(), approved_by: Some(caller.user_id.clone()), approved_at: Some(now_ms()), ..batch.clone() };
        self.step_payout(tx, caller, &batch, &next, "approve-payout", approval.comment.trim()).await
    }

    /// Makes the file, once. Asked again it answers the batch with the file that there is.
    pub async fn export_payout(&self, caller: &Caller, batch_id: &str) -> Result<PayoutView> {
        caller.require(Action::ManagePayouts)?;
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let read_batch = store::get(&mut read, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        let lines = store::lines(&mut read, batch_id).await?;
        drop(read);
        if matches!(read_batch.state.as_str(), "exported" | "paid") {
            return self.payout(caller, batch_id).await;
        }
        let made = if read_batch.state == "approved" { Some(self.payout_file_of(&view, &read_batch, &lines)?) } else { None };
        let mut tx = self.database.begin().await?;
        // In the order in which others take them: no period is opened meanwhile.
        for part in [VersionPart::Company, VersionPart::Work] {
            versions::hold(&mut tx, part).await?;
        }
        let batch = store::get(&mut tx, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        if matches!(batch.state.as_str(), "exported" | "paid") {
            drop(tx);
            return self.payout(caller, batch_id).await;
        }
        if batch.state != "approved" {
            return Err(wrong_state(&batch, "approved", "exported").into());
        }
        let Some(made) = made.filter(|_| batch.version == read_batch.version) else { return Err(stale().into()) };
        let open = open_periods(&mut tx, batch_id, view.company.company.settings.payouts.requires).await?;
        if !open.is_empty() {
            let message = format!("the pay of {} is not approved; approve the period, or set `requires` in `[payouts]`", open.join(", "));
            return Err(Refusal::conflict(message).into());
        }
        reasons::check(&mut tx, &view, &batch).await?;
        store::add_file(&mut tx, batch_id, &made).await?;
        let next =
            Batch { state: "exported".to_owned(), exported_by: Some(caller.user_id.clone()), exported_at: Some(now_ms()), ..batch.clone() };
        self.step_payout(tx, caller, &batch, &next, "export-payout", &format!("sha256 {}", made.sha256)).await
    }

    fn payout_file_of(&self, view: &crate::view::View, batch: &Batch, lines: &[attain_store::payouts::Line]) -> Result<File> {
        let company = &view.company.company;
        let options = &company.settings.payouts;
        let Step { extension: name, settings } = &options.export;
        let failed = |fault: attain_domain::point::Fault| Refusal::extension(name, &fault);
        let set = self.extensions_for(company)?;
        let extension = set.get(Point::Payout, name).map_err(failed)?;
        let pay_on = Day(i32::try_from(batch.pay_on)?).to_string();
        let input = [file::input(batch, &pay_on, lines, options.names.then_some(&view.company.names))];
        let answer = tokio::task::block_in_place(|| extension.run(&Call { settings, input: &input })).map_err(failed)?;
        let body = file::bytes(name, &answer, input[0].row_count())?;
        let sha256: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        let mapping_digest = extension.identity().digest.0.clone();
        Ok(File { name: file::name(batch), sha256, mapping: name.clone(), mapping_digest, body, recorded_at: now_ms() })
    }

    /// Name and bytes of the file, as they were made.
    pub async fn payout_file(&self, caller: &Caller, batch_id: &str) -> Result<(String, Vec<u8>)> {
        caller.require(Action::SeePayouts)?;
        let mut read = self.database.read().await?;
        let batch = store::get(&mut read, batch_id).await?.ok_or_else(|| no_payout(batch_id))?;
        let file = store::file(&mut read, batch_id).await?;
        let file =
            file.ok_or_else(|| Refusal::not_found(format!("the payout is {}; it has no file before it is exported", batch.state)))?;
        Ok((file.name, file.body))
    }

    /// Says that the payment was made. Said again it changes nothing.
    pub async fn confirm_payout(&self, caller: &Caller, batch_id: &str, confirmation: &Confirmation) -> Result<PayoutView> {
        let reference = said("reference", &confirmation.reference, REFERENCE_LENGTH_MAX)?;
        let paid_on = day(&confirmation.paid_on, "paid_on")?;
        let (tx, batch) = self.payout_tx(caller, batch_id).await?;
        if batch.state == "paid" {
            drop(tx);
            return self.payout(caller, batch_id).await;
        }
        if batch.state != "exported" {
            return Err(wrong_state(&batch, "exported", "confirmed").into());
        }
        let note = format!("{reference} on {paid_on}");
        let next = Batch {
            state: "paid".to_owned(),
            paid_by: Some(caller.user_id.clone()),
            paid_at: Some(now_ms()),
            paid_on: Some(i64::from(paid_on.0)),
            reference: Some(reference),
            ..batch.clone()
        };
        self.step_payout(tx, caller, &batch, &next, "confirm-payout", &note).await
    }

    /// Says that the bank sent the payment of one payee back: it is due again in a new batch.
    pub async fn return_payout(&self, caller: &Caller, batch_id: &str, new: &NewReturn) -> Result<PayoutView> {
        let reason = said("reason", &new.reason, REASON_LENGTH_MAX)?;
        let returned_on = day(&new.returned_on, "returned_on")?;
        let (mut tx, batch) = self.payout_tx(caller, batch_id).await?;
        if batch.state != "paid" {
            return Err(wrong_state(&batch, "paid", "sent back").into());
        }
        let lines = store::lines(&mut tx, batch_id).await?;
        if !lines.iter().any(|line| line.payee_id == new.payee_id && line.state == "due") {
            return Err(Refusal::not_found(format!("the payout paid nothing to `{}`", new.payee_id)).into());
        }
        if store::returns(&mut tx, batch_id).await?.iter().any(|own| own.payee_id == new.payee_id) {
            drop(tx);
            return self.payout(caller, batch_id).await;
        }
        let own = Return {
            payee_id: new.payee_id.clone(),
            returned_on: i64::from(returned_on.0),
            reason: reason.clone(),
            actor: caller.user_id.clone(),
            recorded_at: now_ms(),
        };
        store::add_return(&mut tx, batch_id, &own).await?;
        let note = format!("{} on {returned_on}: {reason}", new.payee_id);
        self.note_payout(tx, caller, "return-payout", &batch, "", &note).await?;
        self.payout(caller, batch_id).await
    }

    /// Gives up a batch that is not exported: its postings are due again.
    pub async fn cancel_payout(&self, caller: &Caller, batch_id: &str, reason: &Reason) -> Result<PayoutView> {
        let reason = said("reason", &reason.reason, REASON_LENGTH_MAX)?;
        let (mut tx, batch) = self.payout_tx(caller, batch_id).await?;
        match batch.state.as_str() {
            "draft" | "reviewed" | "approved" => {}
            "cancelled" => {
                drop(tx);
                return self.payout(caller, batch_id).await;
            }
            _ => return Err(wrong_state(&batch, "not exported", "cancelled").into()),
        }
        store::unclaim(&mut tx, batch_id).await?;
        let next = Batch { state: "cancelled".to_owned(), ..batch.clone() };
        self.step_payout(tx, caller, &batch, &next, "cancel-payout", &reason).await
    }
}
