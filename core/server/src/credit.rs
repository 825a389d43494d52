//! The commands about credit: who would get it, and giving it by hand.

use crate::show;
use anyhow::Result;
use attain_app::Instance;
use attain_app::access::Caller;
use attain_app::credit_preview::{CreditPreviewRequest, PreviewSplit};
use attain_app::manual_credits::{NewManualCredit, NewWindfallRelease};
use attain_app::refusal::Refusal;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum CreditCommand {
    /// Who would get credit for a deal, and why others would not
    Who(WhoArgs),
    /// Draft credit by hand; a second person approves it
    Give {
        transaction: String,
        payee: String,
        /// Share of the transaction, for example 0.2; negative takes away
        #[arg(allow_negative_numbers = true)]
        share: String,
        /// direct, split or overlay
        #[arg(long, default_value = "split")]
        kind: String,
        /// add to what the rules give, or replace it
        #[arg(long, default_value = "add")]
        mode: String,
        /// Reason code
        #[arg(long)]
        reason: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Draft the release of what a windfall earns; a second person approves it
    Release {
        transaction: String,
        /// Day from which it is paid
        #[arg(long)]
        on: String,
        #[arg(long, default_value = "")]
        note: String,
    },
}

#[derive(Debug, Args)]
pub struct WhoArgs {
    /// Day of the deal, YYYY-MM-DD
    #[arg(long)]
    pub on: String,
    #[arg(long, allow_negative_numbers = true)]
    pub amount: String,
    /// The company's by default
    #[arg(long)]
    pub currency: Option<String>,
    #[arg(long)]
    pub kind: Option<String>,
    #[arg(long)]
    pub account: Option<String>,
    #[arg(long)]
    pub product: Option<String>,
    /// The deal's own payee
    #[arg(long)]
    pub payee: Option<String>,
    #[arg(long)]
    pub tag: Option<String>,
    /// Explicit shares: payee=share
    #[arg(long = "split")]
    pub splits: Vec<String>,
    /// Tell of this payee every row of coverage that does not match
    #[arg(long)]
    pub about: Option<String>,
}

fn split_of(text: &str) -> Result<PreviewSplit, Refusal> {
    let (payee_id, share) =
        text.rsplit_once('=').ok_or_else(|| Refusal::invalid(format!("`{text}` is no split; write payee=share, for example ana=0.6")))?;
    Ok(PreviewSplit { payee_id: payee_id.to_owned(), share: share.to_owned() })
}

pub async fn execute(command: CreditCommand, instance: &Instance, out: show::Output) -> Result<()> {
    let operator = Caller::operator(instance.actor());
    let drafted = match command {
        CreditCommand::Who(args) => {
            let request = CreditPreviewRequest {
                on: args.on,
                amount: args.amount,
                currency: args.currency,
                kind: args.kind,
                account_id: args.account,
                product_id: args.product,
                payee_id: args.payee,
                tag: args.tag,
                splits: args.splits.iter().map(|text| split_of(text)).collect::<Result<_, _>>()?,
                about: args.about,
                ..CreditPreviewRequest::default()
            };
            return out.credit_preview(&instance.who_is_credited(&operator, &request).await?);
        }
        CreditCommand::Give { transaction, payee, share, kind, mode, reason, note } => {
            let new = NewManualCredit { transaction_id: transaction, payee_id: payee, kind, mode, share, reason, note };
            instance.draft_manual_credit(&operator, &new).await?
        }
        CreditCommand::Release { transaction, on, note } => {
            let new = NewWindfallRelease { transaction_id: transaction, release_on: on, note };
            instance.draft_windfall_release(&operator, &new).await?
        }
    };
    out.line(&format!("`{}` waits for a second person to approve it", drafted.head.change_id))
}
