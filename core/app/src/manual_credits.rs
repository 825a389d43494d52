//! Credit by hand and decisions about windfalls: each a row that waits for a second person, with the reason why.

use crate::Instance;
use crate::access::{Action, Caller};
use crate::changes::{ChangeKind, ChangeView, NewChange};
use crate::credit_preview::csv_of;
use crate::refusal::Refusal;
use crate::users::new_id;
use anyhow::Result;
use attain_domain::settings::WINDFALL_RELEASED;
use attain_domain::{Day, NULL_NUMBER};
use serde::Deserialize;
use utoipa::ToSchema;

/// A row of `manual_credits` to be; its id is given here.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewManualCredit {
    pub transaction_id: String,
    pub payee_id: String,
    /// `direct`, `split` or `overlay`.
    pub kind: String,
    /// `add` beside what the rules give, `replace` in place of it.
    pub mode: String,
    /// `0.2` is 20 % of the transaction; negative takes away.
    pub share: String,
    /// A reason code, for example `agreed-share`.
    pub reason: String,
    #[serde(default)]
    pub note: String,
}

/// That what is earned from a windfall is paid from a day on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWindfallRelease {
    pub transaction_id: String,
    pub release_on: String,
    #[serde(default)]
    pub note: String,
}

impl Instance {
    /// Drafts and submits a credit by hand.
    pub async fn draft_manual_credit(&self, caller: &Caller, new: &NewManualCredit) -> Result<ChangeView> {
        let row = [
            ("credit_id", new_id("credit")?),
            ("transaction_id", new.transaction_id.clone()),
            ("payee_id", new.payee_id.clone()),
            ("kind", new.kind.clone()),
            ("mode", new.mode.clone()),
            ("share", new.share.clone()),
            ("reason", new.reason.clone()),
            ("note", new.note.trim().to_owned()),
        ];
        let comment = format!("credit by hand for `{}`: {} {}", new.transaction_id, new.reason, new.note.trim());
        self.draft_row(caller, "manual_credits", "credit by hand", &row, &comment).await
    }

    /// Drafts and submits the decision about a windfall.
    pub async fn draft_windfall_release(&self, caller: &Caller, new: &NewWindfallRelease) -> Result<ChangeView> {
        caller.require_one(&[Action::DraftChanges, Action::Import])?;
        let view = self.view().await?;
        let transactions = &view.company.company.tables["transactions"];
        let row = transactions.texts("transaction_id").and_then(|ids| {
            let code = ids.dictionary.iter().position(|id| *id == new.transaction_id)?;
            ids.codes.iter().position(|own| *own as usize == code)
        });
        let ordered_on = row.zip(transactions.numbers("ordered_on")).map(|(row, days)| days[row]).filter(|day| *day != NULL_NUMBER);
        let from = ordered_on
            .and_then(|day| i32::try_from(day).ok())
            .map(Day)
            .ok_or_else(|| Refusal::not_found(format!("there is no transaction `{}`", new.transaction_id)))?;
        let row = [
            ("hold_id", new_id("hold")?),
            ("transaction_id", new.transaction_id.clone()),
            ("from_on", from.to_string()),
            ("until_on", new.release_on.clone()),
            ("reason", WINDFALL_RELEASED.to_owned()),
        ];
        let comment = format!("release of windfall `{}` on {}: {}", new.transaction_id, new.release_on, new.note.trim());
        self.draft_row(caller, "holds", "windfall review", &row, &comment).await
    }

    async fn draft_row(&self, caller: &Caller, entity: &str, source: &str, row: &[(&str, String)], comment: &str) -> Result<ChangeView> {
        let (header, line): (Vec<&str>, Vec<String>) = row.iter().map(|(name, value)| (*name, value.clone())).unzip();
        let csv = csv_of(&header, &[line])?;
        let payload = serde_json::json!({ "entity": entity, "csv": csv, "source": source });
        let new = NewChange {
            kind: ChangeKind::Import,
            object: entity.to_owned(),
            payload,
            comment: comment.trim().to_owned(),
            base_digest: None,
        };
        self.submit_new_change(caller, new).await
    }
}
