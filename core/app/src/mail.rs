//! Mail: what is needed to send it, and the few texts that are sent. A mail says that there is something to read and where, never what.

use crate::notices::NoticeKind;
use crate::outbox::Letter;
use crate::refusal::Refusal;
use anyhow::Result;
use lettre::message::{Mailbox, Message, header};
use lettre::{SmtpTransport, Transport as _};
use std::fmt;
use std::time::Duration;

/// One attempt takes at most so long.
const WAIT_MAX: Duration = Duration::from_secs(15);
/// What a server says of an address that will never be one.
const NO_SUCH_ADDRESS: [&str; 3] = ["550", "551", "553"];

/// How mail is sent. `smtp_url` may hold a password, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// `smtp://host:port`, `smtps://user:password@host`, `smtp://…?tls=required`
    pub smtp_url: String,
    /// The sender, for example `Attain <pay@example.com>`.
    pub from: String,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MailConfig").field("from", &self.from).finish_non_exhaustive()
    }
}

pub(crate) struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
}

/// Why a mail was not taken.
pub(crate) struct NotSent {
    pub status: Option<i64>,
    pub message: String,
    /// Whether another attempt may go better.
    pub again: bool,
}

/// An address as it is kept: one address, without a name.
pub(crate) fn address_of(text: &str) -> Result<String, Refusal> {
    let address: lettre::Address = text.parse().map_err(|_| Refusal::invalid(format!("`{text}` is no mail address")))?;
    Ok(address.to_string())
}

impl Mailer {
    pub fn new(config: &MailConfig) -> Result<Mailer, Refusal> {
        let wrong = |error: &dyn fmt::Display| Refusal::invalid(format!("mail cannot be sent with this --smtp-url: {error}"));
        let builder = SmtpTransport::from_url(&config.smtp_url).map_err(|error| wrong(&error))?;
        let from = config
            .from
            .parse()
            .map_err(|_| Refusal::invalid(format!("`{}` is no sender; write --mail-from 'Attain <pay@example.com>'", config.from)))?;
        Ok(Mailer { transport: builder.timeout(Some(WAIT_MAX)).build(), from })
    }

    /// Sends on this thread. The message's id is that of the outbox, so that a second copy is seen to be one.
    pub fn send(&self, outbox_id: &str, to: &str, letter: &Letter, public_url: &str) -> Result<(), NotSent> {
        let lasting = |message: String| NotSent { status: None, message, again: false };
        let to: Mailbox = to.parse().map_err(|_| lasting("the address is none".to_owned()))?;
        let message = self.message(outbox_id, to, letter, public_url).map_err(|error| lasting(error.to_string()))?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(error) => {
                let code = error.status().map(|code| code.to_string());
                let again = code.as_deref().is_none_or(|code| !NO_SUCH_ADDRESS.contains(&code));
                Err(NotSent { status: code.and_then(|code| code.parse().ok()), message: error.to_string(), again })
            }
        }
    }

    fn message(&self, outbox_id: &str, to: Mailbox, letter: &Letter, public_url: &str) -> Result<Message, lettre::error::Error> {
        let host = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.kind.sentence())
            .message_id(Some(format!("<{outbox_id}@{host}>")))
            .header(header::ContentType::TEXT_PLAIN)
            .body(text(letter.kind, &format!("{}{}", public_url.trim_end_matches('/'), letter.link)))
    }
}

fn text(kind: NoticeKind, address: &str) -> String {
    format!("{}.\n\nRead it at {address}\n\nYou can stop these mails on your account's page.\n", kind.sentence())
}
