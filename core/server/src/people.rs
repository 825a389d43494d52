//! The commands about what people decide with one another: the states of periods, disputes, adjustments, delegations, and whom webhooks
//! tell. What needs a second person takes her API token, as `payout approve` does.

use crate::cli::PeriodCommand;
use crate::show;
use anyhow::Result;
use attain_app::Instance;
use attain_app::access::Caller;
use attain_app::adjustments::{AdjustmentFilter, AdjustmentView};
use attain_app::changes::{Approval, Rejection};
use attain_app::disputes::{DisputeFilter, DisputeState};
use attain_app::periods::{PeriodState, Reopening, Step};
use attain_app::refusal::Refusal;
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Who approves what the operator does.
#[derive(Debug, Args)]
pub struct Second {
    /// API token of who approves
    #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Without a second person, where nobody else can: needs a reason, and the trail says so
    #[arg(long)]
    pub break_glass: bool,
}

#[derive(Debug, Subcommand)]
pub enum DisputeCommand {
    /// Disputes, newest first
    List {
        /// open, assigned, resolved, closed or withdrawn
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        payee: Option<String>,
        /// Only those past their day
        #[arg(long)]
        overdue: bool,
    },
    /// A dispute with its thread
    Show { dispute: String },
    /// Say that a line, a statement or a missing credit is wrong
    Raise {
        payee: String,
        period: String,
        #[arg(long)]
        subject: String,
        /// Why
        #[arg(long)]
        body: String,
        /// Number of the line; the whole statement where it is left out
        #[arg(long, conflicts_with = "transaction")]
        line: Option<usize>,
        /// The transaction for which there is no credit
        #[arg(long)]
        transaction: Option<String>,
        /// What it should be
        #[arg(long, allow_negative_numbers = true)]
        expected: Option<String>,
        /// API token of who raises it; the operator does otherwise
        #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
    /// Write to the thread of a dispute
    Answer {
        dispute: String,
        text: String,
        /// API token of who writes; the operator does otherwise
        #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
    /// Say who is to look at it
    Assign {
        dispute: String,
        login: String,
        /// Until when; by the company's policy otherwise
        #[arg(long)]
        due_on: Option<String>,
    },
    /// Decide; what is granted is an adjustment that a second person approves
    Resolve {
        dispute: String,
        /// accepted, partly or rejected
        outcome: String,
        #[arg(long)]
        comment: String,
        /// What is granted
        #[arg(long, allow_negative_numbers = true)]
        amount: Option<String>,
        /// The period in which it is paid; that of the dispute where it is left out
        #[arg(long)]
        period: Option<String>,
        /// API token of who decides; the operator does otherwise
        #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
    /// Close a resolved dispute, open it again, or withdraw one: closed, open, withdrawn
    Set {
        dispute: String,
        state: String,
        #[arg(long, default_value = "")]
        comment: String,
        /// API token of whose word it is; the operator's otherwise
        #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum AdjustmentCommand {
    /// Adjustments, newest first
    List {
        #[arg(long)]
        payee: Option<String>,
        #[arg(long)]
        period: Option<String>,
    },
    /// An adjustment, with the content hash that is approved
    Show { adjustment: String },
    /// Draft and submit one; a second person approves it
    Propose {
        payee: String,
        period: String,
        /// Negative takes away
        #[arg(allow_negative_numbers = true)]
        amount: String,
        /// correction, goodwill, guarantee, referral, spif, write-off or other
        #[arg(long)]
        reason: String,
        #[arg(long)]
        note: Option<String>,
        #[arg(long)]
        plan: Option<String>,
        #[arg(long)]
        component: Option<String>,
        #[arg(long)]
        transaction: Option<String>,
    },
    /// Approve what a second person has read; signed by her API token
    Approve {
        adjustment: String,
        /// The `content_hash` that was read
        #[arg(long)]
        content_hash: String,
        #[arg(long, default_value = "")]
        comment: String,
        /// API token of the approver
        #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
        token: String,
    },
    /// Refuse one; signed by the API token of who does
    Reject {
        adjustment: String,
        #[arg(long)]
        comment: String,
        /// API token of who refuses
        #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
        token: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum DelegationCommand {
    /// Delegations, newest first
    List,
    /// Give the approvals of one person to another for some days
    Add {
        /// Login of who is away
        from: String,
        /// Login of who acts for her
        to: String,
        #[arg(long)]
        from_on: String,
        /// The first day on which it counts no more
        #[arg(long)]
        until_on: String,
        #[arg(long)]
        reason: String,
    },
    /// End one now
    End { delegation: String },
}

#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Where webhooks go, and how they fare
    List,
}

/// What a use case is given, as the interface would read it.
pub fn read<T: DeserializeOwned>(given: Value) -> Result<T, Refusal> {
    serde_json::from_value(given).map_err(|error| Refusal::invalid(error.to_string()))
}

/// The instance in the name of the person whose API token it is.
pub async fn of_token(instance: &Instance, token: &str) -> Result<(Instance, Caller)> {
    let known = instance.caller_of_token(token).await?;
    let (caller, _) = known.ok_or_else(|| Refusal::unauthenticated("the API token is not valid; make one with `attain user token`"))?;
    Ok((instance.acting_as(&caller), caller))
}

/// As [`of_token`]; the operator where there is none.
async fn who(instance: &Instance, token: Option<&str>) -> Result<(Instance, Caller)> {
    match token {
        Some(token) => of_token(instance, token).await,
        None => Ok((instance.clone(), Caller::operator(instance.actor()))),
    }
}

pub async fn period(command: PeriodCommand, instance: &Instance, out: show::Output) -> Result<()> {
    let operator = Caller::operator(instance.actor());
    let nobody = || {
        Refusal::forbidden(
            "this needs a second person: give her API token with --token, or, where nobody else can, --break-glass with a --reason",
        )
    };
    out.periods(&match command {
        PeriodCommand::List => instance.periods(&operator).await?,
        PeriodCommand::Set { period, state, reason, second } => {
            let to = [PeriodState::Open, PeriodState::InReview, PeriodState::Approved, PeriodState::Closed];
            let to = to
                .into_iter()
                .find(|own| own.name() == state)
                .ok_or_else(|| Refusal::invalid(format!("`{state}` is no state; there are open, in-review, approved and closed")))?;
            let step = Step { to, reason };
            match (to, second) {
                (PeriodState::Approved, Second { break_glass: true, .. }) => {
                    instance.break_glass_on_period(&operator, &period, &step).await?
                }
                (PeriodState::Approved, Second { token: Some(token), .. }) => {
                    let (instance, caller) = of_token(instance, &token).await?;
                    instance.step_period(&caller, &period, &step).await?
                }
                (PeriodState::Approved, _) => return Err(nobody().into()),
                // What is not an approval is done by one person over the interface too.
                _ => instance.step_period(&operator, &period, &step).await?,
            }
        }
        PeriodCommand::Reopen { period, reason, second: Second { break_glass: true, .. } } => {
            instance.break_glass_to_reopen(&operator, &period, &reason).await?
        }
        PeriodCommand::Reopen { period, reason, second } => {
            let token = second.token.ok_or_else(nobody)?;
            let (approving, caller) = of_token(instance, &token).await?;
            let drafted = instance.draft_reopening(&operator, &period, &Reopening { reason }).await?.head;
            let approval = Approval { content_hash: drafted.content_hash, comment: String::new(), on_behalf_of: None };
            if let Err(error) = approving.approve_change(&caller, &drafted.change_id, &approval).await {
                // What was not let through does not wait for somebody who has not asked for it.
                instance.withdraw_change(&operator, &drafted.change_id).await?;
                return Err(error);
            }
            instance.periods(&operator).await?
        }
    })
}

fn state_of(name: &str) -> Result<DisputeState, Refusal> {
    read(json!(name))
}

pub async fn dispute(command: DisputeCommand, instance: &Instance, out: show::Output) -> Result<()> {
    let operator = Caller::operator(instance.actor());
    let view = instance.view().await?;
    let shown = match command {
        DisputeCommand::List { state, payee, overdue } => {
            let state = state.as_deref().map(state_of).transpose()?;
            let filter = DisputeFilter { state, payee_id: payee.as_deref(), is_overdue: overdue, ..DisputeFilter::default() };
            return out.disputes(&instance.disputes(&view, &operator, &filter).await?);
        }
        DisputeCommand::Show { dispute } => instance.dispute(&view, &operator, &dispute).await?,
        DisputeCommand::Raise { payee, period, subject, body, line, transaction, expected, token } => {
            let (instance, caller) = who(instance, token.as_deref()).await?;
            let new = json!({ "line": line, "transaction_id": transaction, "subject": subject, "body": body, "expected": expected });
            instance.raise_dispute(&view, &caller, &payee, &period, &read(new)?).await?
        }
        DisputeCommand::Answer { dispute, text, token } => {
            let (instance, caller) = who(instance, token.as_deref()).await?;
            instance.answer_dispute(&view, &caller, &dispute, &text).await?
        }
        DisputeCommand::Assign { dispute, login, due_on } => {
            let user = instance.user_by_login(&login).await?;
            let version = instance.dispute(&view, &operator, &dispute).await?.version;
            let assignment = read(json!({ "user_id": user.user_id, "due_on": due_on }))?;
            instance.assign_dispute(&view, &operator, &dispute, version, &assignment).await?
        }
        DisputeCommand::Resolve { dispute, outcome, comment, amount, period, token } => {
            let (instance, caller) = who(instance, token.as_deref()).await?;
            let version = instance.dispute(&view, &caller, &dispute).await?.version;
            let resolution = read(json!({ "outcome": outcome, "amount": amount, "period_id": period, "comment": comment }))?;
            instance.resolve_dispute(&view, &caller, &dispute, version, &resolution).await?
        }
        DisputeCommand::Set { dispute, state, comment, token } => {
            let (instance, caller) = who(instance, token.as_deref()).await?;
            let version = instance.dispute(&view, &caller, &dispute).await?.version;
            let step = read(json!({ "state": state, "comment": comment }))?;
            instance.move_dispute(&view, &caller, &dispute, version, &step).await?
        }
    };
    out.dispute(&shown)
}

/// An adjustment, with the change that brings it.
async fn found(instance: &Instance, caller: &Caller, adjustment_id: &str) -> Result<(AdjustmentView, Option<String>)> {
    let view = instance.view().await?;
    let all = instance.adjustments(&view, caller, &AdjustmentFilter::default()).await?;
    let own = all.into_iter().find(|own| own.adjustment_id == adjustment_id);
    let own = own.ok_or_else(|| Refusal::not_found(format!("there is no adjustment `{adjustment_id}`")))?;
    let change_id = own.change_id.clone();
    Ok((own, change_id))
}

fn came_with_data(adjustment_id: &str) -> Refusal {
    Refusal::conflict(format!("adjustment `{adjustment_id}` came with the company's data; it waits for nobody"))
}

pub async fn adjustment(command: AdjustmentCommand, instance: &Instance, out: show::Output) -> Result<()> {
    let operator = Caller::operator(instance.actor());
    match command {
        AdjustmentCommand::List { payee, period } => {
            let view = instance.view().await?;
            let filter = AdjustmentFilter { payee_id: payee.as_deref(), period_id: period.as_deref(), ..AdjustmentFilter::default() };
            out.adjustments(&instance.adjustments(&view, &operator, &filter).await?)
        }
        AdjustmentCommand::Show { adjustment } => {
            let (own, change_id) = found(instance, &operator, &adjustment).await?;
            let change = match change_id {
                Some(change_id) => Some(instance.change(&operator, &change_id).await?.head),
                None => None,
            };
            out.adjustment(&own, change.as_ref())
        }
        AdjustmentCommand::Propose { payee, period, amount, reason, note, plan, component, transaction } => {
            let view = instance.view().await?;
            let new = read(json!({
                "payee_id": payee, "period_id": period, "amount": amount, "reason": reason, "note": note, "plan_id": plan,
                "component_id": component, "transaction_id": transaction,
            }))?;
            let own = instance.adjust(&view, &operator, &new).await?;
            let change = match &own.change_id {
                Some(change_id) => Some(instance.change(&operator, change_id).await?.head),
                None => None,
            };
            out.adjustment(&own, change.as_ref())
        }
        AdjustmentCommand::Approve { adjustment, content_hash, comment, token } => {
            let (approving, caller) = of_token(instance, &token).await?;
            let (_, change_id) = found(instance, &operator, &adjustment).await?;
            let change_id = change_id.ok_or_else(|| came_with_data(&adjustment))?;
            let approval = Approval { content_hash, comment, on_behalf_of: None };
            let approved = approving.approve_change(&caller, &change_id, &approval).await?;
            out.line(&format!("`{adjustment}` is {}; the next run posts it", approved.change.head.state))
        }
        AdjustmentCommand::Reject { adjustment, comment, token } => {
            let (rejecting, caller) = of_token(instance, &token).await?;
            let (_, change_id) = found(instance, &operator, &adjustment).await?;
            let change_id = change_id.ok_or_else(|| came_with_data(&adjustment))?;
            let rejected = rejecting.reject_change(&caller, &change_id, &Rejection { comment, on_behalf_of: None }).await?;
            out.line(&format!("`{adjustment}` is {}", rejected.head.state))
        }
    }
}

pub async fn delegation(command: DelegationCommand, instance: &Instance, out: show::Output) -> Result<()> {
    let operator = Caller::operator(instance.actor());
    let all = match command {
        DelegationCommand::List => instance.delegations(&operator).await?,
        DelegationCommand::Add { from, to, from_on, until_on, reason } => {
            let (from, to) = (instance.user_by_login(&from).await?, instance.user_by_login(&to).await?);
            let new = json!({ "from": from.user_id, "to": to.user_id, "from_on": from_on, "until_on": until_on, "reason": reason });
            vec![instance.delegate(&operator, &read(new)?).await?]
        }
        DelegationCommand::End { delegation } => vec![instance.revoke_delegation(&operator, &delegation).await?],
    };
    out.delegations(&all)
}

pub async fn webhook(command: WebhookCommand, instance: &Instance, out: show::Output) -> Result<()> {
    let WebhookCommand::List = command;
    out.webhooks(&instance.webhooks(&Caller::operator(instance.actor())).await?)
}
