//! Disputes: somebody holds a statement to be wrong, says what she expects and why; somebody else looks at it and decides. What is granted
//! becomes an adjustment, which a second person approves, and the dispute ends with that. A question is one that expects no amount and ends
//! with its answer.

mod attachments;
mod case;
mod kind;

pub use attachments::{AttachmentFile, AttachmentView, FILE_BYTES_MAX};
pub use kind::{DisputeKind, Escalation, PayHold};

use crate::access::{Action, Caller};
use crate::adjustments::{AdjustmentReason, Row, change_of, check_open, note_of};
use crate::explain::Node;
use crate::notices::{Everybody, Happening, NoticeKind};
use crate::pay::money;
use crate::refusal::{Refusal, RefusalKind};
use crate::users::new_id;
use crate::view::View;
use crate::work_policy::{amount, in_force};
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_database::Tx;
use attain_store::changes::Change;
use attain_store::disputes::{self as store, Dispute};
use attain_store::teamwork::AdjustmentDraft;
use attain_store::versions::{Part, bump};
use kind::{after_message, is_question, waiting};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

const SUBJECT_LENGTH_MAX: usize = 200;
const BODY_LENGTH_MAX: usize = 5_000;
const ID_LENGTH_MAX: usize = 100;
const MESSAGES_MAX: usize = 500;
/// Not decided yet, of one user.
const OPEN_MAX: usize = 200;
const DAY_MS: i64 = 24 * 3_600_000;

/// How far a dispute is. `answered` is of a question, `resolved` of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DisputeState {
    Open,
    Assigned,
    Answered,
    Resolved,
    Closed,
    Withdrawn,
}

impl DisputeState {
    pub fn name(self) -> &'static str {
        match self {
            DisputeState::Open => "open",
            DisputeState::Assigned => "assigned",
            DisputeState::Answered => "answered",
            DisputeState::Resolved => "resolved",
            DisputeState::Closed => "closed",
            DisputeState::Withdrawn => "withdrawn",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DisputeOutcome {
    Accepted,
    Partly,
    Rejected,
}

impl DisputeOutcome {
    fn name(self) -> &'static str {
        match self {
            DisputeOutcome::Accepted => "accepted",
            DisputeOutcome::Partly => "partly",
            DisputeOutcome::Rejected => "rejected",
        }
    }
}

/// A line, the whole statement where neither is named, or a credit that is missing.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDispute {
    /// `dispute` where it is left out.
    #[serde(default)]
    pub kind: DisputeKind,
    /// Number of the line.
    #[serde(default)]
    pub line: Option<usize>,
    /// The transaction for which there is no credit.
    #[serde(default)]
    pub transaction_id: Option<String>,
    pub subject: String,
    /// Why, or what is asked.
    pub body: String,
    /// Of a dispute: what the line, or the statement, or the missing credit's pay should be.
    #[serde(default)]
    pub expected: Option<String>,
}

/// Who is to look at it. What is left out stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeAssignment {
    pub user_id: String,
    /// Until when; by the company's policy otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub due_on: Option<attain_domain::Day>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeResolution {
    pub outcome: DisputeOutcome,
    /// What is granted, for what is accepted, wholly or partly; left out, nothing is adjusted by it (a plan or data are corrected instead).
    #[serde(default)]
    pub amount: Option<String>,
    /// The period in which it is paid; that of the dispute where it is left out.
    #[serde(default)]
    pub period_id: Option<String>,
    pub comment: String,
}

/// What the one who raised it, or who answers, makes of it: `closed`, `open` again, or `withdrawn`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeStep {
    pub state: DisputeState,
    #[serde(default)]
    pub comment: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DisputeHead {
    pub dispute_id: String,
    /// `question` or `dispute`.
    pub kind: String,
    pub payee_id: String,
    pub payee_name: String,
    pub period_id: String,
    /// `line`, `statement` or `credit`.
    pub about: String,
    pub line: Option<i64>,
    pub plan_id: Option<String>,
    pub component_id: Option<String>,
    pub transaction_id: Option<String>,
    pub subject: String,
    /// What it said when the dispute was raised.
    pub paid: Option<String>,
    pub expected: Option<String>,
    pub state: String,
    pub outcome: Option<String>,
    pub granted: Option<String>,
    pub raised_by: String,
    pub raised_by_name: String,
    pub raised_at: String,
    pub assigned_to: Option<String>,
    pub assigned_to_name: Option<String>,
    pub due_at: String,
    pub overdue: bool,
    /// Whether payouts of the payee wait for it.
    pub holds_pay: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DisputeMessage {
    pub author: String,
    pub author_name: String,
    pub body: String,
    pub written_at: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DisputeView {
    #[serde(flatten)]
    pub head: DisputeHead,
    pub run_id: Option<String>,
    /// The explanation as it was when the dispute was raised; `null` where there was no statement.
    #[schema(value_type = Option<Node>)]
    pub trace: Option<serde_json::Value>,
    pub messages: Vec<DisputeMessage>,
    pub attachments: Vec<AttachmentView>,
    /// The change that is to pay what was granted, and its state.
    pub change_id: Option<String>,
    pub change_state: Option<String>,
    /// The change by which its line becomes a case of the formula.
    pub case_change_id: Option<String>,
    pub version: i64,
}

/// Which disputes are listed; all where nothing is named.
#[derive(Debug, Clone, Default)]
pub struct DisputeFilter<'a> {
    pub kind: Option<DisputeKind>,
    pub state: Option<DisputeState>,
    pub payee_id: Option<&'a str>,
    pub period_id: Option<&'a str>,
    /// Those that nobody was given yet.
    pub is_unassigned: bool,
    /// Those that payouts wait for.
    pub is_holding: bool,
    pub is_overdue: bool,
    /// Those that are assigned to the caller.
    pub is_mine: bool,
}

fn within(what: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if (1..=max).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::invalid(format!("{what} has 1 to {max} characters")))
    }
}

fn unknown(dispute_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no dispute `{dispute_id}`"))
}

fn stale() -> Refusal {
    Refusal::stale("the dispute was changed meanwhile; read it again")
}

fn is_undecided(own: &Dispute) -> bool {
    matches!(own.state.as_str(), "open" | "assigned")
}

/// User to name.
type Users = std::collections::BTreeMap<String, String>;

async fn users(connection: &mut attain_database::Connection) -> Result<Users> {
    Ok(attain_store::users::list(connection).await?.into_iter().map(|user| (user.user_id, user.name)).collect())
}

/// Whether it is unsettled and payouts wait for it.
fn is_holding(own: &Dispute) -> bool {
    own.holds_pay && matches!(own.state.as_str(), "open" | "assigned" | "resolved")
}

fn head(view: &View, own: &Dispute, users: &Users, now: i64) -> DisputeHead {
    let name = |user: &String| users.get(user).unwrap_or(user).clone();
    DisputeHead {
        dispute_id: own.dispute_id.clone(),
        kind: own.kind.clone(),
        raised_by_name: name(&own.raised_by),
        assigned_to_name: own.assigned_to.as_ref().map(name),
        holds_pay: is_holding(own),
        payee_id: own.payee_id.clone(),
        payee_name: view.company.name(&own.payee_id).to_owned(),
        period_id: own.period_id.clone(),
        about: own.about.clone(),
        line: own.line,
        plan_id: own.plan_id.clone(),
        component_id: own.component_id.clone(),
        transaction_id: own.transaction_id.clone(),
        subject: own.subject.clone(),
        paid: own.paid.map(money),
        expected: own.expected.map(money),
        state: own.state.clone(),
        outcome: own.outcome.clone(),
        granted: own.granted.map(money),
        raised_by: own.raised_by.clone(),
        raised_at: shown_ms(own.raised_at),
        assigned_to: own.assigned_to.clone(),
        due_at: shown_ms(own.due_at),
        overdue: is_undecided(own) && own.due_at < now,
    }
}

/// A dispute is seen by who sees the statement that it is about.
fn sees(view: &View, caller: &Caller, own: &Dispute) -> bool {
    view.visible_period(caller, &own.payee_id, &own.period_id).is_ok()
}

fn happening<'a>(kind: NoticeKind, own: &'a Dispute, body: String) -> Happening<'a> {
    Happening {
        kind,
        object: &own.dispute_id,
        body,
        link: format!("/disputes/{}", own.dispute_id),
        once_key: None,
        payee_id: Some(&own.payee_id),
        period_id: Some(&own.period_id),
        state: serde_json::json!({
            "kind": own.kind,
            "state": own.state,
            "outcome": own.outcome,
            "about": own.about,
            "line": own.line,
            "assigned_to": own.assigned_to,
            "due_at": shown_ms(own.due_at),
            "holds_pay": is_holding(own),
            "change_id": own.change_id,
        }),
    }
}

/// The dispute that a decided change was to settle: closed with the approval, open again otherwise.
pub(crate) async fn follow(instance: &Instance, tx: &mut Tx, change: &Change, now: i64) -> Result<()> {
    let Some(mut own) = store::of_change(tx, &change.change_id).await? else { return Ok(()) };
    if own.state != "resolved" {
        return Ok(());
    }
    let by = change.decided_by.as_deref().unwrap_or(&change.author);
    let why = change.decision_comment.as_deref().map_or_else(String::new, |comment| format!(": {comment}"));
    let text = if change.state == "approved" {
        DisputeState::Closed.name().clone_into(&mut own.state);
        format!("The adjustment was approved; the next run posts it{why}")
    } else {
        waiting(&own).name().clone_into(&mut own.state);
        (own.outcome, own.granted, own.change_id, own.resolved_by, own.resolved_at) = (None, None, None, None, None);
        format!("The adjustment was {}; the dispute is open again{why}", change.state)
    };
    if !store::replace(tx, &own).await? {
        return Err(stale().into());
    }
    store::add_message(tx, &own.dispute_id, by, &text, now).await?;
    let told: BTreeSet<String> =
        [Some(own.raised_by.clone()), own.assigned_to.clone()].into_iter().flatten().filter(|user| user != by).collect();
    let body = format!("{}: {}", own.subject, if change.state == "approved" { "closed" } else { "open again" });
    instance.announce(tx, &happening(NoticeKind::DisputeResolved, &own, body), &told, now).await.map(drop)
}

impl Instance {
    pub async fn raise_dispute(
        &self,
        view: &View,
        caller: &Caller,
        payee_id: &str,
        period_id: &str,
        new: &NewDispute,
    ) -> Result<DisputeView> {
        caller.require(Action::Ask)?;
        view.visible_period(caller, payee_id, period_id)?;
        let is_asked = new.kind == DisputeKind::Question;
        let what = if is_asked { "the question" } else { "the reason" };
        let (subject, body) = (within("the subject", &new.subject, SUBJECT_LENGTH_MAX)?, within(what, &new.body, BODY_LENGTH_MAX)?);
        if is_asked && new.expected.is_some() {
            return Err(Refusal::invalid("a question expects no amount; raise a dispute, or leave `expected` out").into());
        }
        let expected = new.expected.as_deref().map(|text| amount("`expected`", text)).transpose()?;
        let transaction_id = new.transaction_id.as_deref().map(|id| within("a transaction's id", id, ID_LENGTH_MAX)).transpose()?;
        let about = match (new.line, &transaction_id) {
            (Some(_), Some(_)) => return Err(Refusal::invalid("name a line, or a transaction without credit, not both").into()),
            (Some(_), None) => "line",
            (None, Some(_)) => "credit",
            (None, None) => "statement",
        };
        let trace = match self.explanation(view, caller, payee_id, period_id, new.line).await {
            Ok(node) => Some(serde_json::to_string(&node)?),
            // Who misses a credit may have no statement at all.
            Err(error) if about == "credit" && error.downcast_ref::<Refusal>().is_some_and(|own| own.kind == RefusalKind::NotFound) => None,
            Err(error) => return Err(error),
        };
        let statement = view.statement(caller, payee_id, period_id).ok();
        let line = new.line.and_then(|line| statement.as_ref()?.components.iter().find(|own| own.line == line));
        let paid = match about {
            "line" => line.map(|own| own.amount.as_str()),
            _ => statement.as_ref().map(|own| own.totals.earned.as_str()),
        };
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let policy = in_force(&mut tx).await?;
        let all = store::list(&mut tx).await?;
        if all.iter().filter(|own| own.raised_by == caller.user_id && is_undecided(own)).count() >= OPEN_MAX {
            return Err(Refusal::conflict(format!("you have {OPEN_MAX} open disputes; withdraw some")).into());
        }
        let own = Dispute {
            dispute_id: new_id(new.kind.name())?,
            kind: new.kind.name().to_owned(),
            payee_id: payee_id.to_owned(),
            period_id: period_id.to_owned(),
            about: about.to_owned(),
            line: new.line.map(i64::try_from).transpose()?,
            plan_id: line.map(|own| own.plan_id.clone()),
            component_id: line.map(|own| own.component_id.clone()),
            transaction_id: transaction_id.or_else(|| line.and_then(|own| own.transaction_id.clone())),
            subject,
            paid: paid.filter(|_| about != "credit").map(|text| amount("the line", text)).transpose()?,
            expected,
            trace,
            run_id: view.run.as_ref().map(|run| run.run_id.clone()),
            state: DisputeState::Open.name().to_owned(),
            outcome: None,
            granted: None,
            change_id: None,
            case_change_id: None,
            raised_by: caller.user_id.clone(),
            raised_at: now,
            assigned_to: None,
            due_at: now + policy.dispute_days * DAY_MS,
            resolved_by: None,
            resolved_at: None,
            holds_pay: false,
            version: 1,
        };
        store::add(&mut tx, &own).await?;
        store::add_message(&mut tx, &own.dispute_id, &caller.user_id, &body, now).await?;
        let everybody = Everybody::read(&mut tx).await?;
        let mut told = everybody.who_may(Action::AnswerQuestions);
        told.remove(&caller.user_id);
        let does = if is_asked { "asks about" } else { "disputes" };
        let text = format!("{} {does} {period_id}: {}", everybody.name(&caller.user_id), own.subject);
        self.announce(&mut tx, &happening(NoticeKind::DisputeRaised, &own, text), &told, now).await?;
        let action = if is_asked { "ask" } else { "raise-dispute" };
        let entry = Entry::new(&self.actor, action, &own.dispute_id).reason(&format!("{payee_id}/{period_id} {about}"));
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.dispute(view, caller, &own.dispute_id).await
    }

    /// Those that the caller may see, newest first.
    pub async fn disputes(&self, view: &View, caller: &Caller, filter: &DisputeFilter<'_>) -> Result<Vec<DisputeHead>> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions, Action::SeeAllPay])?;
        let mut connection = self.database.glance().await?;
        let all = store::list(&mut connection).await?;
        let users = users(&mut connection).await?;
        let now = now_ms();
        Ok(all
            .iter()
            .filter(|own| filter.kind.is_none_or(|kind| own.kind == kind.name()))
            .filter(|own| filter.period_id.is_none_or(|period| own.period_id == period))
            .filter(|own| !filter.is_unassigned || (own.assigned_to.is_none() && is_undecided(own)))
            .filter(|own| !filter.is_holding || is_holding(own))
            .filter(|own| filter.state.is_none_or(|state| own.state == state.name()))
            .filter(|own| filter.payee_id.is_none_or(|payee| own.payee_id == payee))
            .filter(|own| !filter.is_mine || own.assigned_to.as_deref() == Some(caller.user_id.as_str()))
            .filter(|own| sees(view, caller, own))
            .map(|own| head(view, own, &users, now))
            .filter(|own| !filter.is_overdue || own.overdue)
            .collect())
    }

    pub async fn dispute(&self, view: &View, caller: &Caller, dispute_id: &str) -> Result<DisputeView> {
        let mut read = self.database.read().await?;
        let own = store::get(&mut read, dispute_id).await?.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(dispute_id))?;
        let messages = store::messages(&mut read, dispute_id).await?;
        let attachments = store::attachments(&mut read, dispute_id).await?;
        let change = match &own.change_id {
            Some(change_id) => attain_store::changes::get(&mut read, change_id).await?,
            None => None,
        };
        Ok(DisputeView {
            head: head(view, &own, &users(&mut read).await?, now_ms()),
            run_id: own.run_id,
            trace: own.trace.as_deref().map(serde_json::from_str).transpose()?,
            messages: messages
                .into_iter()
                .map(|own| DisputeMessage {
                    author: own.author,
                    author_name: own.author_name,
                    body: own.body,
                    written_at: shown_ms(own.written_at),
                })
                .collect(),
            attachments: attachments.into_iter().map(AttachmentView::from).collect(),
            change_id: own.change_id,
            change_state: change.map(|change| change.state),
            case_change_id: own.case_change_id,
            version: own.version,
        })
    }

    /// A dispute that the caller sees.
    pub(crate) async fn seen_dispute(
        &self,
        connection: &mut attain_database::Connection,
        view: &View,
        caller: &Caller,
        dispute_id: &str,
    ) -> Result<Dispute> {
        let own = store::get(connection, dispute_id).await?.filter(|own| sees(view, caller, own));
        Ok(own.ok_or_else(|| unknown(dispute_id))?)
    }

    /// The dispute in a transaction that holds the part, where the caller sees it.
    async fn own_dispute(&self, tx: &mut Tx, view: &View, caller: &Caller, dispute_id: &str) -> Result<Dispute> {
        bump(tx, Part::Work).await?;
        let own = store::get(tx, dispute_id).await?.filter(|own| sees(view, caller, own));
        Ok(own.ok_or_else(|| unknown(dispute_id))?)
    }

    /// Those who are to hear of what `by` did: who raised it, and who looks at it or could.
    async fn concerned(&self, tx: &mut Tx, own: &Dispute, by: &str) -> Result<BTreeSet<String>> {
        let mut told = match &own.assigned_to {
            Some(user) => BTreeSet::from([user.clone()]),
            None => Everybody::read(tx).await?.who_may(Action::AnswerQuestions),
        };
        told.insert(own.raised_by.clone());
        told.remove(by);
        Ok(told)
    }

    pub async fn answer_dispute(&self, view: &View, caller: &Caller, dispute_id: &str, body: &str) -> Result<DisputeView> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions])?;
        let body = within("the message", body, BODY_LENGTH_MAX)?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let mut own = self.own_dispute(&mut tx, view, caller, dispute_id).await?;
        if matches!(own.state.as_str(), "closed" | "withdrawn") {
            return Err(Refusal::conflict(format!("this {} is {}; open it again or raise a new one", own.kind, own.state)).into());
        }
        if store::messages(&mut tx, dispute_id).await?.len() >= MESSAGES_MAX {
            return Err(Refusal::conflict(format!("this {} has {MESSAGES_MAX} messages; raise a new one", own.kind)).into());
        }
        let before = own.state.clone();
        if let Some(state) = after_message(&own, caller) {
            state.name().clone_into(&mut own.state);
        }
        store::add_message(&mut tx, dispute_id, &caller.user_id, &body, now).await?;
        if !store::replace(&mut tx, &own).await? {
            return Err(Refusal::conflict("somebody else wrote at the same time; send it again").into());
        }
        let told = self.concerned(&mut tx, &own, &caller.user_id).await?;
        let text = format!("{} wrote about: {}", caller.name, own.subject);
        self.announce(&mut tx, &happening(NoticeKind::DisputeAnswered, &own, text), &told, now).await?;
        let mut entry = Entry::new(&self.actor, "answer-dispute", dispute_id);
        if before != own.state {
            entry = entry.before(&before).after(&own.state);
        }
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.dispute(view, caller, dispute_id).await
    }

    /// Gives it to somebody who may decide on it: not to the payee whose pay it is.
    pub async fn assign_dispute(
        &self,
        view: &View,
        caller: &Caller,
        dispute_id: &str,
        version: i64,
        assignment: &DisputeAssignment,
    ) -> Result<DisputeView> {
        caller.require(Action::AnswerQuestions)?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let mut own = self.own_dispute(&mut tx, view, caller, dispute_id).await?;
        if own.version != version {
            return Err(stale().into());
        }
        if !is_undecided(&own) {
            return Err(Refusal::conflict(format!("this {} is {}; open it again before it is assigned", own.kind, own.state)).into());
        }
        let everybody = Everybody::read(&mut tx).await?;
        let user = everybody.get(&assignment.user_id);
        let user = user.ok_or_else(|| Refusal::invalid(format!("there is no user `{}` who signs in", assignment.user_id)))?;
        if !everybody.who_may(Action::AnswerQuestions).contains(&user.user_id) {
            return Err(Refusal::invalid(format!("`{}` may not decide on disputes", user.name)).into());
        }
        if user.payee_id.as_deref() == Some(own.payee_id.as_str()) {
            return Err(Refusal::forbidden("it is about that person's own pay; assign it to somebody else").into());
        }
        let before = own.assigned_to.clone().unwrap_or_default();
        own.assigned_to = Some(user.user_id.clone());
        DisputeState::Assigned.name().clone_into(&mut own.state);
        if let Some(due_on) = assignment.due_on {
            // The whole of that day.
            own.due_at = (i64::from(due_on.0) + 1) * DAY_MS - 1;
        }
        if !store::replace(&mut tx, &own).await? {
            return Err(stale().into());
        }
        let told = BTreeSet::from([user.user_id.clone()]).into_iter().filter(|user| *user != caller.user_id).collect();
        let text = format!("{} gives you: {}", caller.name, own.subject);
        self.announce(&mut tx, &happening(NoticeKind::DisputeAssigned, &own, text), &told, now).await?;
        let entry = Entry::new(&self.actor, "assign-dispute", dispute_id).before(&before).after(&user.user_id);
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.dispute(view, caller, dispute_id).await
    }

    /// Decides. What is granted becomes a change that brings an adjustment and waits for a second person.
    pub async fn resolve_dispute(
        &self,
        view: &View,
        caller: &Caller,
        dispute_id: &str,
        version: i64,
        resolution: &DisputeResolution,
    ) -> Result<DisputeView> {
        caller.require(Action::AnswerQuestions)?;
        let comment = within("the comment", &resolution.comment, BODY_LENGTH_MAX)?;
        let mut read = self.database.read().await?;
        let own = store::get(&mut read, dispute_id).await?.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(dispute_id))?;
        let user = attain_store::users::by_id(&mut read, &caller.user_id).await?;
        drop(read);
        let payees = [caller.payee_id.as_deref(), user.as_ref().and_then(|user| user.payee_id.as_deref())];
        if payees.contains(&Some(own.payee_id.as_str())) {
            return Err(Refusal::forbidden("it is about your own pay; somebody else has to decide").into());
        }
        if is_question(&own) {
            return Err(Refusal::conflict("a question is answered, not decided; make a dispute of it first").into());
        }
        let granted = resolution.amount.as_deref().map(|text| amount("`amount`", text)).transpose()?;
        match (resolution.outcome, granted) {
            (DisputeOutcome::Rejected, Some(_)) => return Err(Refusal::invalid("what is rejected is granted no amount").into()),
            (DisputeOutcome::Accepted | DisputeOutcome::Partly, Some(0)) => {
                return Err(Refusal::invalid("an adjustment of nothing changes nothing; leave `amount` out").into());
            }
            _ => {}
        }
        let period_id = resolution.period_id.as_deref().unwrap_or(&own.period_id).to_owned();
        let note = note_of(Some(&format!("dispute of {}", own.period_id)))?;
        let readied = match granted {
            None => None,
            Some(granted) => {
                check_open(view, &period_id)?;
                let transactions = &view.company.company.tables["transactions"];
                let is_known =
                    |id: &str| transactions.texts("transaction_id").is_some_and(|own| own.dictionary.iter().any(|known| known == id));
                let row = Row {
                    payee_id: &own.payee_id,
                    period_id: &period_id,
                    amount: granted,
                    reason: AdjustmentReason::Dispute,
                    note: note.as_deref(),
                    plan_id: own.plan_id.as_deref(),
                    component_id: own.component_id.as_deref(),
                    transaction_id: own.transaction_id.as_deref().filter(|id| is_known(id)),
                    dispute_id: Some(dispute_id),
                };
                let (adjustment_id, change) = change_of(&row)?;
                Some((adjustment_id, granted, self.ready_change(caller, view, change).await?))
            }
        };
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let mut own = self.own_dispute(&mut tx, view, caller, dispute_id).await?;
        if own.version != version {
            return Err(stale().into());
        }
        if !is_undecided(&own) {
            return Err(Refusal::conflict(format!("this dispute is {} already", own.state)).into());
        }
        let before = own.state.clone();
        let mut change = None;
        if let Some((adjustment_id, granted, readied)) = readied {
            let made = self.change_within(&mut tx, caller, &view.company.company, &readied, true, now).await?;
            let draft = AdjustmentDraft {
                adjustment_id,
                change_id: made.change_id.clone(),
                payee_id: own.payee_id.clone(),
                period_id,
                amount: granted,
                reason: AdjustmentReason::Dispute.name().to_owned(),
                note,
                dispute_id: Some(dispute_id.to_owned()),
                author: caller.user_id.clone(),
                created_at: now,
            };
            attain_store::teamwork::add_adjustment(&mut tx, &draft).await?;
            own.change_id = Some(made.change_id.clone());
            change = Some(made);
        }
        // What is decided without an amount is settled; with one, pay waits for the second person.
        own.holds_pay = own.holds_pay && change.is_some();
        own.granted = granted;
        own.outcome = Some(resolution.outcome.name().to_owned());
        DisputeState::Resolved.name().clone_into(&mut own.state);
        own.resolved_by = Some(caller.user_id.clone());
        own.resolved_at = Some(now);
        if !store::replace(&mut tx, &own).await? {
            return Err(stale().into());
        }
        store::add_message(&mut tx, dispute_id, &caller.user_id, &comment, now).await?;
        let told = BTreeSet::from([own.raised_by.clone()]).into_iter().filter(|user| *user != caller.user_id).collect();
        let text = format!("{}: {}", own.subject, resolution.outcome.name());
        self.announce(&mut tx, &happening(NoticeKind::DisputeResolved, &own, text), &told, now).await?;
        if let Some(change) = &change {
            self.note_new_change(&mut tx, caller, change).await?;
        }
        let entry = Entry::new(&self.actor, "resolve-dispute", dispute_id).before(&before).after(resolution.outcome.name());
        let entry = entry.reason(own.change_id.as_deref().unwrap_or_default());
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.dispute(view, caller, dispute_id).await
    }

    /// Closes, opens again or withdraws. Withdrawing is for who raised it; while a granted amount waits for its second person, nothing of this.
    pub async fn move_dispute(
        &self,
        view: &View,
        caller: &Caller,
        dispute_id: &str,
        version: i64,
        step: &DisputeStep,
    ) -> Result<DisputeView> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions])?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let mut own = self.own_dispute(&mut tx, view, caller, dispute_id).await?;
        if own.version != version {
            return Err(stale().into());
        }
        let is_raiser = own.raised_by == caller.user_id;
        if !is_raiser && !caller.may(Action::AnswerQuestions) {
            return Err(Refusal::forbidden("only who raised it, or who answers it, can do that").into());
        }
        if let Some(change_id) = &own.change_id
            && attain_store::changes::get(&mut tx, change_id)
                .await?
                .is_some_and(|change| matches!(change.state.as_str(), "draft" | "submitted"))
        {
            let message = "what was granted waits for its second person; withdraw that change first, or have it decided";
            return Err(Refusal::conflict(message).into());
        }
        let before = own.state.clone();
        let next = match (before.as_str(), step.state) {
            ("open" | "assigned" | "answered", DisputeState::Withdrawn) if is_raiser => DisputeState::Withdrawn,
            ("open" | "assigned" | "answered", DisputeState::Closed) if is_question(&own) => DisputeState::Closed,
            (_, DisputeState::Withdrawn) if !is_raiser => return Err(Refusal::forbidden("only who raised it can withdraw it").into()),
            ("resolved", DisputeState::Closed) => DisputeState::Closed,
            ("answered" | "resolved" | "closed" | "withdrawn", DisputeState::Open) => {
                let policy = in_force(&mut tx).await?;
                own.due_at = now + policy.dispute_days * DAY_MS;
                (own.outcome, own.granted, own.change_id, own.resolved_by, own.resolved_at) = (None, None, None, None, None);
                waiting(&own)
            }
            (before, to) => {
                let message = format!("a {} that is {before} cannot become {}", own.kind, to.name());
                return Err(Refusal::conflict(message).into());
            }
        };
        next.name().clone_into(&mut own.state);
        if !store::replace(&mut tx, &own).await? {
            return Err(stale().into());
        }
        if !step.comment.trim().is_empty() {
            store::add_message(&mut tx, dispute_id, &caller.user_id, &within("the comment", &step.comment, BODY_LENGTH_MAX)?, now).await?;
        }
        let told = self.concerned(&mut tx, &own, &caller.user_id).await?;
        let text = format!("{} made {}: {}", caller.name, next.name(), own.subject);
        self.announce(&mut tx, &happening(NoticeKind::DisputeAnswered, &own, text), &told, now).await?;
        let entry = Entry::new(&self.actor, "dispute-state", dispute_id).before(&before).after(next.name());
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.dispute(view, caller, dispute_id).await
    }

    /// Tells who looks at disputes, or could, of those that are overdue: once a day each. Answers how many were told.
    pub(crate) async fn remind_of_disputes(&self, tx: &mut Tx, now: i64) -> Result<usize> {
        let mut told = 0;
        let everybody = Everybody::read(tx).await?;
        for own in store::list(tx).await?.iter().filter(|own| is_undecided(own) && own.due_at < now) {
            let asked = match &own.assigned_to {
                Some(user) => BTreeSet::from([user.clone()]),
                None => everybody.who_may(Action::AnswerQuestions),
            };
            let mut overdue = happening(NoticeKind::DisputeOverdue, own, format!("overdue: {}", own.subject));
            overdue.once_key = Some(format!("dispute-overdue/{}/{}", own.dispute_id, crate::delegations::day_of(now)));
            told += self.announce(tx, &overdue, &asked, now).await?;
        }
        Ok(told)
    }
}
