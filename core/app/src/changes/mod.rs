//! What moves money is changed by two people: one drafts and submits, another approves. An approval counts for one content on one
//! base, and writes in the transaction in which it is given.

mod at_once;
mod lines;
mod payload;
mod second;

pub(crate) use at_once::Readied;
pub use lines::Line;
pub use payload::ChangeKind;
pub(crate) use payload::{Payload, hash};
pub(crate) use second::{deciders, deciding, told_of};

use crate::access::{Action, Caller, Role};
use crate::folder::Company;
use crate::impact::{Draft, Impact, Scope};
use crate::plan_lint::{self, PlanLint};
use crate::refusal::{Refusal, RefusalKind};
use crate::users::new_id;
use crate::view::View;
use crate::work::{RunOrder, enqueue_run};
use crate::{Instance, now_ms, shown_ms};
use anyhow::{Context, Result};
use attain_audit::Entry;
use attain_database::{Connection, Tx};
use attain_domain::point::Origin;
use attain_extend::Loaded;
use attain_store::changes::{self as store, Change, Revision};
use attain_store::versions::{self, Part};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const COMMENT_LENGTH_MAX: usize = 2_000;
/// Undecided changes of one author.
const OPEN_MAX: i64 = 200;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChange {
    pub kind: ChangeKind,
    /// A formula's or an extension's name, a plan's file, an entity, or a word for a whole company.
    pub object: String,
    /// formula `{source, cases?}`, plan `{file, text}`, extension `{name, digest}`, import `{entity, csv, source}`, company
    /// `{files}`, table `{entity, csv, reason?}`.
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
    #[serde(default)]
    pub comment: String,
    /// The `base_digest` that the author saw; refused where something else is in force meanwhile.
    #[serde(default)]
    pub base_digest: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEdit {
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
    #[serde(default)]
    pub comment: String,
    /// The change's `current_digest`, to say that the edit takes what is in force now into account. Without it the base stays.
    #[serde(default)]
    pub base_digest: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What the approver has read; other content is not approved.
    pub content_hash: String,
    #[serde(default)]
    pub comment: String,
    /// The user who gave the caller her approvals for these days.
    #[serde(default)]
    pub on_behalf_of: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    pub comment: String,
    /// The user who gave the caller her approvals for these days.
    #[serde(default)]
    pub on_behalf_of: Option<String>,
}

/// A change in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangeHead {
    pub change_id: String,
    pub kind: String,
    pub object: String,
    /// `draft`, `submitted`, `approved`, `rejected` or `withdrawn`.
    pub state: String,
    pub author: String,
    pub author_name: String,
    pub created_at: String,
    pub submitted_at: Option<String>,
    pub decided_by: Option<String>,
    pub decided_by_name: Option<String>,
    pub decided_at: Option<String>,
    pub comment: String,
    pub decision_comment: Option<String>,
    pub base_digest: String,
    pub content_hash: String,
    pub version: i64,
}

/// What was saved at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RevisionView {
    pub revision: i64,
    pub editor: String,
    pub content_hash: String,
    pub recorded_at: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangeView {
    #[serde(flatten)]
    pub head: ChangeHead,
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
    /// The digest of what is in force now; other than `base_digest` where it changed since the draft.
    pub current_digest: String,
    pub text_diff: Vec<Line>,
    /// What is to be looked at in the plans that it brings.
    pub lints: Vec<PlanLint>,
    /// As it was at the submission, and at the approval once approved; for those who see everybody's pay.
    pub impact: Option<Impact>,
    pub revisions: Vec<RevisionView>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Approved {
    pub change: ChangeView,
    /// The calculation that follows.
    pub job_id: String,
}

fn no_change(change_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no change `{change_id}`"))
}

fn stale() -> Refusal {
    Refusal::stale("the change was edited meanwhile; read it again")
}

fn decided(change: &Change) -> Refusal {
    Refusal::conflict(format!("the change is {} already", change.state))
}

fn moved(object: &str) -> Refusal {
    Refusal::conflict(format!(
        "`{object}` was changed since this was drafted; look at what is in force now, take it over, and save the change again with its \
         `current_digest` as `base_digest`"
    ))
}

fn comment_of(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > COMMENT_LENGTH_MAX {
        return Err(Refusal::invalid(format!("a comment has at most {COMMENT_LENGTH_MAX} characters")));
    }
    Ok(text.to_owned())
}

/// Who may draft a change of that kind.
fn drafters(kind: ChangeKind) -> &'static [Action] {
    match kind {
        ChangeKind::Formula | ChangeKind::Plan | ChangeKind::Company => &[Action::DraftChanges],
        ChangeKind::Extension => &[Action::DraftChanges, Action::ManageExtensions],
        ChangeKind::Import => &[Action::DraftChanges, Action::Import],
        ChangeKind::Table => &[Action::DraftChanges, Action::Plan],
    }
}

fn kind_of(change: &Change) -> Result<ChangeKind> {
    ChangeKind::from_name(&change.kind).with_context(|| format!("change {} is of an unknown kind", change.change_id))
}

/// What is approved: kind, object, payload and base together.
fn content_hash(kind: ChangeKind, object: &str, payload: &str, base: &str) -> String {
    hash(&[kind.name(), object, payload, base])
}

/// The active version of an extension in the record.
async fn active(connection: &mut Connection, kind: ChangeKind, object: &str) -> Result<Option<String>> {
    if kind != ChangeKind::Extension {
        return Ok(None);
    }
    let known = attain_store::extensions::list(connection).await?;
    Ok(known.into_iter().find(|own| own.active && own.name == object).map(|own| own.digest.0))
}

/// Refuses whoever wrote a part of the change, by user and by payee, and whoever may not approve by what the record says now.
async fn independent(tx: &mut Tx, change: &Change, caller: &Caller) -> Result<()> {
    let refused = |message: &str| Err(Refusal::forbidden(message).into());
    let user = attain_store::users::by_id(tx, &caller.user_id).await?.filter(|user| !user.disabled);
    let Some(user) = user else { return refused("only somebody who signs in can approve; sign in") };
    let roles = user.roles.iter().filter_map(|name| Role::from_name(name));
    Caller::new(&user.user_id, &user.name, None, roles, None).require(Action::ApproveChanges)?;
    let own_payees = [user.payee_id.as_deref(), caller.payee_id.as_deref()];
    let mut editors = store::editors(tx, &change.change_id).await?;
    editors.push((change.author.clone(), None));
    for (editor, payee) in editors {
        if editor == user.user_id {
            return refused("a change needs a second person; you wrote a part of this one");
        }
        let now = attain_store::users::by_id(tx, &editor).await?.and_then(|editor| editor.payee_id);
        let is_same = |payee: &Option<String>| payee.is_some() && own_payees.contains(&payee.as_deref());
        if is_same(&payee) || is_same(&now) {
            return refused("a change needs a second person; this one was written by another account of yours");
        }
    }
    Ok(())
}

impl Instance {
    /// Drafts a change. It changes nothing until somebody else has approved it.
    pub async fn draft_change(&self, caller: &Caller, new: &NewChange) -> Result<ChangeView> {
        caller.require_one(drafters(new.kind))?;
        let payload = Payload::read(new.kind, &new.object, &new.payload)?;
        let comment = comment_of(&new.comment)?;
        let have = self.view().await?.company;
        let mut tx = self.database.begin().await?;
        if store::open_count(&mut tx, &caller.user_id).await? >= OPEN_MAX {
            return Err(Refusal::conflict(format!("you have {OPEN_MAX} undecided changes; withdraw some")).into());
        }
        let active = active(&mut tx, new.kind, &new.object).await?;
        let base_digest = payload.base(self, &new.object, &have.company, active.as_deref())?;
        if new.base_digest.as_ref().is_some_and(|base| *base != base_digest) {
            return Err(moved(&new.object).into());
        }
        let now = now_ms();
        let revision = self.revision(caller, new.kind, &new.object, &payload, &base_digest, &have.company, active.as_deref(), now)?;
        let change = Change {
            change_id: new_id("change")?,
            kind: new.kind.name().to_owned(),
            object: new.object.clone(),
            state: "draft".to_owned(),
            author: caller.user_id.clone(),
            comment,
            base_digest,
            content_hash: revision.content_hash.clone(),
            revision: 1,
            version: 1,
            created_at: now,
            submitted_at: None,
            decided_by: None,
            decided_at: None,
            decision_comment: None,
            impact: None,
        };
        store::add(&mut tx, &change, &revision).await?;
        self.note(&mut tx, caller, "draft-change", &change, &change.comment).await?;
        tx.commit().await?;
        self.seal().await?;
        self.change(caller, &change.change_id).await
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a revision, from two calls")]
    fn revision(
        &self,
        caller: &Caller,
        kind: ChangeKind,
        object: &str,
        payload: &Payload,
        base_digest: &str,
        have: &Company,
        active: Option<&str>,
        now: i64,
    ) -> Result<Revision> {
        let text = payload.text()?;
        Ok(Revision {
            editor: caller.user_id.clone(),
            payee_id: caller.payee_id.clone(),
            text_diff: serde_json::to_string(&payload.lines(self, object, have, active)?)?,
            content_hash: content_hash(kind, object, &text, base_digest),
            payload: text,
            recorded_at: now,
        })
    }

    /// What follows a step, the entry in the trail and the version of what people work on.
    async fn note(&self, tx: &mut Tx, caller: &Caller, action: &str, change: &Change, reason: &str) -> Result<()> {
        self.follow_change(tx, action, change).await?;
        self.note_only(tx, caller, action, change, reason).await
    }

    async fn note_only(&self, tx: &mut Tx, caller: &Caller, action: &str, change: &Change, reason: &str) -> Result<()> {
        let entry = Entry::new(&caller.user_id, action, &change.change_id).after(&change.content_hash).reason(reason);
        versions::bump(tx, Part::Work).await?;
        attain_audit::append(tx, entry, now_ms()).await.map(drop)
    }

    /// Saves the author's edit as a new revision. A submitted change is a draft again.
    pub async fn edit_change(&self, caller: &Caller, change_id: &str, version: i64, edit: &ChangeEdit) -> Result<ChangeView> {
        let have = self.view().await?.company;
        let mut tx = self.database.begin().await?;
        let mut change = self.visible_change(&mut tx, caller, change_id).await?;
        let kind = kind_of(&change)?;
        caller.require_one(drafters(kind))?;
        own(&change, caller, "edit")?;
        if change.version != version {
            return Err(stale().into());
        }
        let was = change.state.clone();
        if !matches!(was.as_str(), "draft" | "submitted") {
            return Err(decided(&change).into());
        }
        let payload = Payload::read(kind, &change.object, &edit.payload)?;
        let active = active(&mut tx, kind, &change.object).await?;
        if let Some(base) = &edit.base_digest {
            if payload.base(self, &change.object, &have.company, active.as_deref())? != *base {
                return Err(moved(&change.object).into());
            }
            change.base_digest.clone_from(base);
        }
        let (object, base) = (change.object.clone(), change.base_digest.clone());
        let revision = self.revision(caller, kind, &object, &payload, &base, &have.company, active.as_deref(), now_ms())?;
        change.state = "draft".to_owned();
        change.comment = comment_of(&edit.comment)?;
        change.content_hash.clone_from(&revision.content_hash);
        change.revision += 1;
        change.submitted_at = None;
        change.impact = None;
        if !store::replace(&mut tx, &change, &was, Some(&revision)).await? {
            return Err(stale().into());
        }
        self.note(&mut tx, caller, "edit-change", &change, &change.comment).await?;
        tx.commit().await?;
        self.seal().await?;
        self.change(caller, change_id).await
    }

    /// Asks for a second person. What cannot be understood is refused here already; a red case is not, so that it can be discussed.
    pub async fn submit_change(&self, caller: &Caller, change_id: &str) -> Result<ChangeView> {
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let change = self.visible_change(&mut read, caller, change_id).await?;
        let kind = kind_of(&change)?;
        caller.require_one(drafters(kind))?;
        own(&change, caller, "submit")?;
        if change.state != "draft" {
            return Err(Refusal::conflict(format!("the change is {}; only a draft can be submitted", change.state)).into());
        }
        let payload = self.payload(&mut read, &change, kind).await?;
        let active = active(&mut read, kind, &change.object).await?;
        drop(read);
        if payload.base(self, &change.object, &view.company.company, active.as_deref())? != change.base_digest {
            return Err(moved(&change.object).into());
        }
        let want = payload.applied(self, &change.object, &view.company.company)?;
        if let Payload::Formula(formula) = &payload {
            crate::formulas::load_draft(&change.object, &formula.source, formula.cases.as_deref().unwrap_or_default())?;
        }
        let impact = self.impact_of_change(&view, &payload, &change.object, &want).await;
        self.move_change(caller, &change, Move { to: "submitted", action: "submit-change", comment: None, impact, on_behalf_of: None })
            .await
    }

    /// Takes a change back.
    pub async fn withdraw_change(&self, caller: &Caller, change_id: &str) -> Result<ChangeView> {
        let mut read = self.database.read().await?;
        let change = self.visible_change(&mut read, caller, change_id).await?;
        drop(read);
        own(&change, caller, "withdraw")?;
        let impact = change.impact.clone();
        let step = Move { to: "withdrawn", action: "withdraw-change", comment: None, impact, on_behalf_of: None };
        self.move_change(caller, &change, step).await
    }

    /// Says no, and why.
    pub async fn reject_change(&self, caller: &Caller, change_id: &str, rejection: &Rejection) -> Result<ChangeView> {
        if rejection.on_behalf_of.is_none() {
            caller.require(Action::ApproveChanges)?;
        }
        let comment = comment_of(&rejection.comment)?;
        if comment.is_empty() {
            return Err(Refusal::invalid("say in `comment` why the change is rejected").into());
        }
        let mut read = self.database.read().await?;
        let change = self.visible_change(&mut read, caller, change_id).await?;
        drop(read);
        if change.state != "submitted" {
            return Err(Refusal::conflict(format!("the change is {}; only a submitted one can be rejected", change.state)).into());
        }
        if change.author == caller.user_id {
            return Err(Refusal::forbidden("you are its author; withdraw the change").into());
        }
        let impact = change.impact.clone();
        let on_behalf_of = rejection.on_behalf_of.as_deref();
        self.move_change(caller, &change, Move { to: "rejected", action: "reject-change", comment: Some(comment), impact, on_behalf_of })
            .await
    }

    async fn move_change(&self, caller: &Caller, change: &Change, step: Move<'_>) -> Result<ChangeView> {
        if !matches!(change.state.as_str(), "draft" | "submitted") {
            return Err(decided(change).into());
        }
        let now = now_ms();
        let mut next = Change { state: step.to.to_owned(), impact: step.impact, ..change.clone() };
        if step.to == "submitted" {
            next.submitted_at = Some(now);
        } else {
            next.decided_by = Some(caller.user_id.clone());
            next.decided_at = Some(now);
            next.decision_comment = step.comment.clone();
        }
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, Part::Work).await?;
        let mut reason = step.comment.clone().unwrap_or_default();
        if step.on_behalf_of.is_some() {
            reason = second::standing(&mut tx, change, caller, step.on_behalf_of).await?.reason(&reason);
        }
        if !store::replace(&mut tx, &next, &change.state, None).await? {
            return Err(stale().into());
        }
        if matches!(step.to, "rejected" | "withdrawn") {
            attain_store::imports::decide(&mut tx, &change.change_id, "rejected", None).await?;
        }
        self.note(&mut tx, caller, step.action, &next, &reason).await?;
        tx.commit().await?;
        self.seal().await?;
        self.change(caller, &change.change_id).await
    }

    /// Makes a submitted change count: checks it again against what is in force, writes it and its approval in one transaction, and
    /// asks for a calculation.
    pub async fn approve_change(&self, caller: &Caller, change_id: &str, approval: &Approval) -> Result<Approved> {
        if approval.on_behalf_of.is_none() {
            caller.require(Action::ApproveChanges)?;
        }
        let comment = comment_of(&approval.comment)?;
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let change = self.visible_change(&mut read, caller, change_id).await?;
        let kind = kind_of(&change)?;
        submitted_as(&change, approval)?;
        let payload = self.payload(&mut read, &change, kind).await?;
        let extension = match &payload {
            Payload::Extension(own) => Some(self.installed_version(&mut read, &change.object, &own.digest).await?),
            _ => None,
        };
        drop(read);
        let impact = match payload.applied(self, &change.object, &view.company.company) {
            Ok(want) => self.impact_of_change(&view, &payload, &change.object, &want).await,
            // What is wrong is said below, where it counts.
            Err(_) => None,
        };

        let acting = self.acting_as(caller);
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        // In the order in which others take them; the trail comes last.
        for part in [Part::Company, Part::Extensions, Part::Work] {
            versions::hold(&mut tx, part).await?;
        }
        let change = store::get(&mut tx, change_id).await?.ok_or_else(|| no_change(change_id))?;
        submitted_as(&change, approval)?;
        let standing = second::standing(&mut tx, &change, caller, approval.on_behalf_of.as_deref()).await?;
        let text = payload.text()?;
        if content_hash(kind, &change.object, &text, &change.base_digest) != approval.content_hash {
            return Err(anyhow::anyhow!("change {change_id} does not hold what its hash says"));
        }
        let current = versions::current(&mut tx).await?;
        let have = if current.company == view.versions.company {
            view.company.company.clone()
        } else {
            self.company_at(&mut tx).await?.ok_or_else(crate::company::no_company)?
        };
        let active = active(&mut tx, kind, &change.object).await?;
        if payload.base(self, &change.object, &have, active.as_deref())? != change.base_digest {
            return Err(moved(&change.object).into());
        }
        let want = payload.applied(self, &change.object, &have)?;
        second::check_route(&mut tx, &standing, &change, impact.as_deref(), &have, &want).await?;
        tokio::task::block_in_place(|| self.check_extensions(&want))?;
        let order = RunOrder { change_id: Some(change_id.to_owned()), ..RunOrder::default() };
        let enqueued = enqueue_run(&mut tx, &caller.user_id, &order, now).await?;
        match (&payload, &extension) {
            (Payload::Extension(_), Some(loaded)) => {
                let digest = &loaded.extension.identity().digest;
                attain_store::extensions::activate(&mut tx, &change.object, digest).await?;
                let entry = Entry::new(&caller.user_id, "activate", &change.object);
                let entry = entry.before(active.as_deref().unwrap_or_default()).after(digest.as_str()).reason(change_id);
                attain_audit::append(&mut tx, entry, now_ms()).await?;
                versions::bump(&mut tx, Part::Extensions).await?;
            }
            _ => {
                let source = payload.source(change_id);
                let receipt = acting.write_by(&mut tx, Some(&have), &want, "apply", &source, crate::periods::Door::Decided).await?;
                store::wrote(&mut tx, change_id, &receipt.documents).await?;
                // The file that waited as this change, where it came as one.
                attain_store::imports::decide(&mut tx, change_id, "applied", None).await?;
            }
        }
        let approved = Change {
            state: "approved".to_owned(),
            decided_by: Some(caller.user_id.clone()),
            decided_at: Some(now_ms()),
            decision_comment: Some(comment.clone()).filter(|comment| !comment.is_empty()),
            impact,
            ..change.clone()
        };
        if !store::replace(&mut tx, &approved, "submitted", None).await? {
            return Err(Refusal::conflict("somebody else decided on the change at this moment; read it again").into());
        }
        self.note(&mut tx, caller, "approve-change", &approved, &standing.reason(&comment)).await?;
        tx.commit().await?;
        self.seal().await?;
        if extension.is_some() {
            self.load_installed().await?;
        }
        Ok(Approved { change: self.change(caller, change_id).await?, job_id: enqueued.job_id })
    }

    /// A version of an extension that the record holds, loaded, its cases green.
    async fn installed_version(&self, read: &mut Connection, name: &str, digest: &str) -> Result<Loaded> {
        let known = attain_store::extensions::list(read).await?;
        let Some(own) = known.into_iter().find(|own| own.name == name && own.digest.as_str() == digest) else {
            return Err(Refusal::not_found(format!("extension `{name}` has no version {digest}; upload it first")).into());
        };
        let bytes = attain_store::extensions::blob(read, &own.digest).await?;
        let bytes = bytes.with_context(|| format!("the record lost the file of extension `{name}`"))?;
        let origin = if own.origin == "wasm" { Origin::Wasm } else { Origin::Rhai };
        let loaded = tokio::task::block_in_place(|| {
            self.bundle.load(origin, &bytes, attain_extend::wasm::Grant::default()).and_then(Loaded::checked)
        });
        Ok(loaded.map_err(|fault| Refusal::extension(name, &fault))?)
    }

    /// In money, as JSON; `None` where it cannot be calculated.
    async fn impact_of_change(&self, view: &View, payload: &Payload, object: &str, want: &Company) -> Option<String> {
        let draft = match payload {
            Payload::Formula(formula) => Draft::Formula(Box::new(crate::formulas::load_draft(object, &formula.source, "").ok()?)),
            Payload::Extension(extension) => {
                let mut read = self.database.read().await.ok()?;
                Draft::Formula(Box::new(self.installed_version(&mut read, object, &extension.digest).await.ok()?))
            }
            _ => Draft::Company(want),
        };
        match self.impact_of(view, draft, Scope::default()).await {
            Ok(impact) => serde_json::to_string(&impact).ok(),
            Err(error) => {
                tracing::info!("the impact of a change of `{object}` could not be calculated: {error:#}");
                None
            }
        }
    }

    async fn payload(&self, read: &mut Connection, change: &Change, kind: ChangeKind) -> Result<Payload> {
        let revision = store::revision(read, &change.change_id, change.revision).await?;
        Payload::parse(kind, &revision.with_context(|| format!("change {} lost its revision", change.change_id))?.payload)
    }

    /// A change that the caller may know of: her own, or any where she sees the rules.
    pub(crate) async fn visible_change(&self, connection: &mut Connection, caller: &Caller, change_id: &str) -> Result<Change> {
        caller.require_one(&[Action::SeeRules, Action::ApproveChanges, Action::DraftChanges, Action::ManageExtensions])?;
        let change = store::get(connection, change_id).await?.ok_or_else(|| no_change(change_id))?;
        let sees_rows = !kind_of(&change)?.holds_rows() || caller.may(Action::SeeData);
        if change.author == caller.user_id || (caller.may(Action::SeeRules) && sees_rows) {
            return Ok(change);
        }
        Err(no_change(change_id).into())
    }

    /// Changes from the newest, of one state where it is named; after the change with the id `after`.
    pub async fn changes(&self, caller: &Caller, state: Option<&str>, after: Option<&str>, limit: usize) -> Result<Vec<ChangeHead>> {
        caller.require(Action::SeeRules)?;
        if let Some(state) = state.filter(|state| !["draft", "submitted", "approved", "rejected", "withdrawn"].contains(state)) {
            return Err(Refusal::invalid(format!("`{state}` is no state; write draft, submitted, approved, rejected or withdrawn")).into());
        }
        let mut connection = self.database.glance().await?;
        let found = store::list(&mut connection, state, after, i64::try_from(limit)?).await?;
        let names = names(&mut connection).await?;
        Ok(found.into_iter().map(|change| head(change, &names)).collect())
    }

    pub async fn change(&self, caller: &Caller, change_id: &str) -> Result<ChangeView> {
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let change = self.visible_change(&mut read, caller, change_id).await?;
        let kind = kind_of(&change)?;
        let revisions = store::revisions(&mut read, change_id).await?;
        let names = names(&mut read).await?;
        let active = active(&mut read, kind, &change.object).await?;
        drop(read);
        let latest = revisions.get(usize::try_from(change.revision - 1)?);
        let latest = latest.with_context(|| format!("change {change_id} lost its revision"))?;
        let payload = Payload::parse(kind, &latest.payload)?;
        let is_open = matches!(change.state.as_str(), "draft" | "submitted");
        let current_digest = match payload.base(self, &change.object, &view.company.company, active.as_deref()) {
            Ok(digest) if is_open => digest,
            Err(error) if is_open && error.downcast_ref::<Refusal>().is_none_or(|own| own.kind != RefusalKind::Conflict) => {
                return Err(error);
            }
            _ => change.base_digest.clone(),
        };
        let impact = change.impact.as_deref().filter(|_| caller.may(Action::SeeAllPay)).map(serde_json::from_str).transpose()?;
        let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX) + 1;
        let history = revisions.iter().enumerate().map(|(at, own)| RevisionView {
            revision: number(at),
            editor: own.editor.clone(),
            content_hash: own.content_hash.clone(),
            recorded_at: shown_ms(own.recorded_at),
        });
        let payload: serde_json::Value = serde_json::from_str(&latest.payload)?;
        Ok(ChangeView {
            lints: plan_lint::of_change(kind, &payload, &view.company.company),
            payload,
            text_diff: serde_json::from_str(&latest.text_diff)?,
            current_digest,
            impact,
            revisions: history.collect(),
            head: head(change, &names),
        })
    }

    /// A submitted change that brings an earlier text of a formula back.
    pub async fn roll_formula_back(&self, caller: &Caller, name: &str, digest: &str) -> Result<ChangeView> {
        let history = self.formula_history(caller, name).await?;
        let Some(earlier) = history.iter().rfind(|version| version.digest == digest) else {
            return Err(Refusal::not_found(format!("formula `{name}` has no version {digest}; its history lists them")).into());
        };
        let payload = serde_json::json!({ "source": earlier.source_text, "cases": earlier.cases_text.clone().unwrap_or_default() });
        let comment = format!("back to version {} ({})", earlier.version, digest.get(..12).unwrap_or(digest));
        let new = NewChange { kind: ChangeKind::Formula, object: name.to_owned(), payload, comment, base_digest: None };
        self.submit_new_change(caller, new).await
    }
}

/// A step of a change that writes nothing else.
struct Move<'a> {
    to: &'static str,
    action: &'static str,
    comment: Option<String>,
    impact: Option<String>,
    on_behalf_of: Option<&'a str>,
}

fn own(change: &Change, caller: &Caller, verb: &str) -> Result<(), Refusal> {
    if change.author == caller.user_id {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("only its author can {verb} a change; draft one of your own")))
}

fn submitted_as(change: &Change, approval: &Approval) -> Result<(), Refusal> {
    if change.state != "submitted" {
        return Err(Refusal::conflict(format!("the change is {}; only a submitted one can be approved", change.state)));
    }
    if change.content_hash != approval.content_hash {
        return Err(Refusal::conflict("the change is not the one that you read; read it again and approve its `content_hash`"));
    }
    Ok(())
}

type Names = std::collections::BTreeMap<String, String>;

async fn names(connection: &mut Connection) -> Result<Names> {
    Ok(attain_store::users::list(connection).await?.into_iter().map(|user| (user.user_id, user.name)).collect())
}

fn head(change: Change, names: &Names) -> ChangeHead {
    let name = |user: &String| names.get(user).unwrap_or(user).clone();
    ChangeHead {
        author_name: name(&change.author),
        decided_by_name: change.decided_by.as_ref().map(name),
        change_id: change.change_id,
        kind: change.kind,
        object: change.object,
        state: change.state,
        author: change.author,
        created_at: shown_ms(change.created_at),
        submitted_at: change.submitted_at.map(shown_ms),
        decided_by: change.decided_by,
        decided_at: change.decided_at.map(shown_ms),
        comment: change.comment,
        decision_comment: change.decision_comment,
        base_digest: change.base_digest,
        content_hash: change.content_hash,
        version: change.version,
    }
}
