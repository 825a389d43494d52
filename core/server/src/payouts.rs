//! The commands about payouts and the pay ledger.

use crate::cli::Exit;
use crate::people;
use crate::show::Output;
use anyhow::{Context, Result};
use attain_app::Instance;
use attain_app::access::Caller;
use attain_app::changes::Approval;
use attain_app::payouts::{Confirmation, DEFAULT_GROUP, JournalForm, NewPayout};
use attain_app::refusal::Refusal;
use clap::Subcommand;
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum PayoutCommand {
    /// Payouts, newest first
    List {
        /// draft, reviewed, approved, exported, paid or cancelled
        #[arg(long)]
        state: Option<String>,
    },
    /// Freeze what a pay group is due up to a period
    Draft {
        period: String,
        #[arg(long, default_value = DEFAULT_GROUP)]
        group: String,
        /// The day of payment
        #[arg(long)]
        pay_on: String,
    },
    /// A payout with its lines
    Show { payout: String },
    /// Take in what was posted since
    Refresh { payout: String },
    /// Leave a payee out, or say that hers is disputed or on hold; the payout is a draft again where lines change
    Mark {
        payout: String,
        payee: String,
        /// excluded, disputed or on-hold
        kind: String,
        #[arg(long)]
        reason: String,
    },
    /// Take a mark away
    Unmark {
        payout: String,
        payee: String,
        #[arg(long)]
        reason: String,
    },
    /// Say that the lines were looked at
    Review { payout: String },
    /// Approve what a second person has read; signed by her API token
    Approve {
        payout: String,
        /// The `content_hash` that was read
        #[arg(long)]
        content_hash: String,
        #[arg(long, default_value = "")]
        comment: String,
        /// API token of the approver
        #[arg(long, env = "ATTAIN_TOKEN", hide_env_values = true)]
        token: String,
    },
    /// Make the file, once, and write it
    Export {
        payout: String,
        /// Where it is written; to standard output where absent
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Say that the payment was made
    Confirm {
        payout: String,
        /// What the bank calls it
        #[arg(long)]
        reference: String,
        #[arg(long)]
        paid_on: String,
    },
    /// Say that the bank sent the payment of one payee back: it is due again
    Return {
        payout: String,
        payee: String,
        /// The day on which it came back
        #[arg(long)]
        on: String,
        #[arg(long)]
        reason: String,
    },
    /// Give up a payout that is not exported: what it held is due again
    Cancel {
        payout: String,
        #[arg(long)]
        reason: String,
    },
    /// A payout, or what a period earned, in double entry
    Journal {
        #[arg(required_unless_present = "period", conflicts_with = "period")]
        payout: Option<String>,
        #[arg(long)]
        period: Option<String>,
        /// csv or hledger
        #[arg(long, default_value = "csv")]
        format: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Write the whole pay ledger in double entry
    Export {
        /// hledger or csv
        #[arg(long, default_value = "hledger")]
        format: String,
        /// A file, or a folder in which `ledger.journal` or `ledger.csv` is written
        path: PathBuf,
    },
}

fn form(name: &str) -> Result<JournalForm, Refusal> {
    JournalForm::from_name(name).ok_or_else(|| Refusal::invalid(format!("`{name}` is no format; write csv or hledger")))
}

fn written(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("`{}` cannot be written", path.display()))
}

fn to_output(bytes: &[u8]) -> Result<()> {
    match std::io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

pub async fn payout(command: PayoutCommand, instance: &Instance, out: Output) -> Result<Exit> {
    let operator = Caller::operator(instance.actor());
    let view = match command {
        PayoutCommand::List { state } => {
            let all = instance.payouts(&operator, state.as_deref(), None, 1_000).await?;
            out.payouts(&all)?;
            return Ok(Exit::Ok);
        }
        PayoutCommand::Draft { period, group, pay_on } => {
            instance.draft_payout(&operator, &NewPayout { pay_group_id: group, period_id: period, pay_on }).await?
        }
        PayoutCommand::Show { payout } => instance.payout(&operator, &payout).await?,
        PayoutCommand::Refresh { payout } => instance.refresh_payout(&operator, &payout).await?,
        PayoutCommand::Mark { payout, payee, kind, reason } => {
            let mark = people::read(json!({ "payee_id": payee, "kind": kind, "reason": reason }))?;
            instance.mark_payout(&operator, &payout, &mark).await?
        }
        PayoutCommand::Unmark { payout, payee, reason } => {
            let mark = people::read(json!({ "payee_id": payee, "kind": "none", "reason": reason }))?;
            instance.mark_payout(&operator, &payout, &mark).await?
        }
        PayoutCommand::Return { payout, payee, on, reason } => {
            let new = people::read(json!({ "payee_id": payee, "returned_on": on, "reason": reason }))?;
            instance.return_payout(&operator, &payout, &new).await?
        }
        PayoutCommand::Cancel { payout, reason } => {
            instance.cancel_payout(&operator, &payout, &people::read(json!({ "reason": reason }))?).await?
        }
        PayoutCommand::Review { payout } => instance.review_payout(&operator, &payout).await?,
        PayoutCommand::Approve { payout, content_hash, comment, token } => {
            let (instance, caller) = people::of_token(instance, &token).await?;
            instance.approve_payout(&caller, &payout, &Approval { content_hash, comment, on_behalf_of: None }).await?
        }
        PayoutCommand::Export { payout, out: target } => {
            let view = instance.export_payout(&operator, &payout).await?;
            let (name, bytes) = instance.payout_file(&operator, &payout).await?;
            let Some(target) = target else {
                to_output(&bytes)?;
                return Ok(Exit::Ok);
            };
            let target = if target.is_dir() { target.join(name) } else { target };
            written(&target, &bytes)?;
            let sha256 = view.file.map(|own| own.sha256).unwrap_or_default();
            out.line(&format!("written to {}, sha256 {sha256}", target.display()))?;
            return Ok(Exit::Ok);
        }
        PayoutCommand::Confirm { payout, reference, paid_on } => {
            instance.confirm_payout(&operator, &payout, &Confirmation { reference, paid_on }).await?
        }
        PayoutCommand::Journal { payout, period, format } => {
            let form = form(&format)?;
            let text = match (payout, period) {
                (Some(payout), _) => instance.payout_journal(&operator, &payout, form).await?,
                (None, period) => instance.period_journal(&operator, &period.unwrap_or_default(), form).await?,
            };
            to_output(text.as_bytes())?;
            return Ok(Exit::Ok);
        }
    };
    out.payout(&view)?;
    Ok(Exit::Ok)
}

pub async fn ledger(command: LedgerCommand, instance: &Instance, out: Output) -> Result<Exit> {
    let LedgerCommand::Export { format, path } = command;
    let form = form(&format)?;
    let text = instance.ledger_journal(&Caller::operator(instance.actor()), form).await?;
    let path = if path.is_dir() { path.join(format!("ledger.{}", form.ending())) } else { path };
    written(&path, text.as_bytes())?;
    out.line(&format!("written to {}", path.display()))?;
    Ok(Exit::Ok)
}
