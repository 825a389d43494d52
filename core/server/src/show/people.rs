//! How disputes, adjustments, delegations and webhooks look on a terminal.

use super::{Output, right, shortened, table};
use anyhow::Result;
use attain_app::adjustments::AdjustmentView;
use attain_app::changes::ChangeHead;
use attain_app::delegations::DelegationView;
use attain_app::disputes::{DisputeHead, DisputeView};
use attain_app::webhooks::WebhookView;
use comfy_table::Cell;

fn or_dash(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}

/// The line, the transaction, or the statement as a whole.
fn about(own: &DisputeHead) -> String {
    match (&own.line, &own.transaction_id) {
        (Some(line), _) => format!("line {line}"),
        (None, Some(transaction)) => format!("no credit for {transaction}"),
        (None, None) => own.about.clone(),
    }
}

impl Output {
    pub fn disputes(self, all: &[DisputeHead]) -> Result<()> {
        self.either(&all, || {
            let mut table = table(&["dispute", "payee", "period", "about", "paid", "expected", "state", "due", "subject"]);
            for own in all {
                let due = if own.overdue { format!("{} OVERDUE", own.due_at) } else { own.due_at.clone() };
                table.add_row([
                    Cell::new(&own.dispute_id),
                    Cell::new(&own.payee_id),
                    Cell::new(&own.period_id),
                    Cell::new(about(own)),
                    right(or_dash(own.paid.as_ref())),
                    right(or_dash(own.expected.as_ref())),
                    Cell::new(&own.state),
                    Cell::new(due),
                    Cell::new(shortened(&own.subject)),
                ]);
            }
            table.to_string()
        })
    }

    pub fn dispute(self, own: &DisputeView) -> Result<()> {
        self.either(own, || {
            let head = &own.head;
            let mut lines = vec![
                format!("{} is {}: {} {}, {}, {}", head.dispute_id, head.state, head.payee_id, head.period_id, about(head), head.subject),
                format!("paid {}, expected {}, due {}", or_dash(head.paid.as_ref()), or_dash(head.expected.as_ref()), head.due_at),
            ];
            if let Some(outcome) = &head.outcome {
                lines.push(format!("{outcome}, granted {}", or_dash(head.granted.as_ref())));
            }
            if let (Some(change), Some(state)) = (&own.change_id, &own.change_state) {
                lines.push(format!("change {change} is {state}"));
            }
            lines.extend(own.attachments.iter().map(|file| format!("file {} {}", file.attachment_id, file.name)));
            lines.extend(own.messages.iter().map(|message| format!("{} {}: {}", message.written_at, message.author_name, message.body)));
            lines.join("\n")
        })
    }

    pub fn adjustments(self, all: &[AdjustmentView]) -> Result<()> {
        self.either(&all, || {
            let mut table = table(&["adjustment", "payee", "period", "amount", "reason", "state", "change", "note"]);
            for own in all {
                table.add_row([
                    Cell::new(&own.adjustment_id),
                    Cell::new(&own.payee_id),
                    Cell::new(&own.period_id),
                    right(&own.amount),
                    Cell::new(&own.reason),
                    Cell::new(&own.state),
                    Cell::new(or_dash(own.change_id.as_ref())),
                    Cell::new(shortened(own.note.as_deref().unwrap_or_default())),
                ]);
            }
            table.to_string()
        })
    }

    /// With the head of the change that brings it.
    pub fn adjustment(self, own: &AdjustmentView, change: Option<&ChangeHead>) -> Result<()> {
        let value = serde_json::json!({ "adjustment": own, "change": change });
        self.either(&value, || {
            let mut lines = vec![format!(
                "{} is {}: {} to {} in {}, {}{}",
                own.adjustment_id,
                own.state,
                own.amount,
                own.payee_id,
                own.period_id,
                own.reason,
                own.note.as_ref().map_or_else(String::new, |note| format!(", {note}"))
            )];
            if let Some(change) = change {
                lines.push(format!("change {} by {}", change.change_id, change.author_name));
                lines.push(format!("content hash {}", change.content_hash));
            }
            lines.join("\n")
        })
    }

    pub fn delegations(self, all: &[DelegationView]) -> Result<()> {
        self.either(&all, || {
            let mut table = table(&["delegation", "from", "to", "from day", "until day", "state", "reason"]);
            for own in all {
                let cells =
                    [&own.delegation_id, &own.from_name, &own.to_name, &own.from_on, &own.until_on, own.state, &shortened(&own.reason)];
                table.add_row(cells.map(Cell::new));
            }
            table.to_string()
        })
    }

    pub fn webhooks(self, all: &[WebhookView]) -> Result<()> {
        self.either(&all, || {
            let mut table = table(&["webhook", "address", "events", "state", "failures", "last error"]);
            for own in all {
                let events = if own.events.is_empty() { "all".to_owned() } else { own.events.join(" ") };
                table.add_row([
                    Cell::new(&own.webhook_id),
                    Cell::new(&own.url),
                    Cell::new(events),
                    Cell::new(&own.state),
                    right(own.failures),
                    Cell::new(shortened(own.last_error.as_deref().unwrap_or("-"))),
                ]);
            }
            table.to_string()
        })
    }
}
