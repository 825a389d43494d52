//! What leaves the house: it is written with what it tells of, and a job sends it. An attempt that is marked as sent is never made again;
//! one whose mark was lost with the server is made again under the same id.

use crate::access::{Action, Caller};
use crate::mail::{MailConfig, Mailer, NotSent};
use crate::notices::{Happening, NoticeKind};
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::webhook_keys::WebhookKeys;
use crate::work::{Kind, job_of};
use crate::{Instance, shown_ms};
use anyhow::{Context as _, Result};
use attain_audit::Entry;
use attain_database::Tx;
use attain_jobs::Lease;
use attain_store::outbox::{self as store, Attempt, Outgoing};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Then a message is given up.
const ATTEMPTS_MAX: i64 = 10;
/// A webhook that failed so often in a row is switched off.
const FAILURES_MAX: i64 = 20;
const AT_ONCE: i64 = 50;
/// Who answers this wants nothing more: its webhook is switched off.
const GONE: u16 = 410;
const ERROR_CHARS_MAX: usize = 500;

/// How this server reaches others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutwardConfig {
    pub mail: Option<MailConfig>,
    /// The address that people type, for links.
    pub public_url: Option<String>,
    /// `host` or `host:port` of our own network that webhooks may go to, also without TLS.
    pub webhook_hosts: Vec<String>,
}

/// [`OutwardConfig`], ready.
#[derive(Default)]
pub(crate) struct Outward {
    mailer: Option<Mailer>,
    public_url: String,
    pub webhook_hosts: Vec<String>,
    home: PathBuf,
    keys: OnceLock<WebhookKeys>,
}

impl Outward {
    /// `home` is the folder of keys.
    pub fn new(config: &OutwardConfig, home: &Path) -> Result<Outward, Refusal> {
        Ok(Outward {
            mailer: config.mail.as_ref().map(Mailer::new).transpose()?,
            public_url: config.public_url.clone().unwrap_or_default(),
            webhook_hosts: config.webhook_hosts.clone(),
            home: home.to_owned(),
            keys: OnceLock::new(),
        })
    }

    /// What the secrets of webhooks follow from.
    pub fn webhook_keys(&self) -> Result<&WebhookKeys> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let keys = WebhookKeys::open(&self.home)?;
        Ok(self.keys.get_or_init(|| keys))
    }

    pub fn sends_mail(&self) -> bool {
        self.mailer.is_some()
    }
}

/// What a mail is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub kind: NoticeKind,
    pub link: String,
}

pub(crate) enum Posted<'a> {
    Mail { user_id: &'a str, letter: &'a Letter },
    Webhook { webhook_id: &'a str, happening: &'a Happening<'a> },
}

/// How an attempt ended.
enum End {
    Sent(Option<i64>),
    Failed(NotSent),
    /// There is nobody to send it to.
    Dropped(&'static str),
}

impl Instance {
    /// Writes down what is to be sent and asks for a job. The caller's transaction has counted `Part::Work` already.
    pub(crate) async fn send_later(&self, tx: &mut Tx, posted: Posted<'_>, now: i64) -> Result<()> {
        let outbox_id = new_id("message")?;
        let (channel, user_id, webhook_id, kind, body) = match posted {
            Posted::Mail { user_id, letter } => ("mail", Some(user_id), None, letter.kind, serde_json::to_string(letter)?),
            Posted::Webhook { webhook_id, happening } => {
                let mut data = json!({
                    "object": happening.object,
                    "payee_id": happening.payee_id,
                    "period_id": happening.period_id,
                    "link": format!("{}{}", self.outward.public_url.trim_end_matches('/'), happening.link),
                });
                if let (Some(data), Some(state)) = (data.as_object_mut(), happening.state.as_object()) {
                    data.extend(state.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                let body = json!({ "type": happening.kind.name(), "timestamp": shown_ms(now), "data": data });
                ("webhook", None, Some(webhook_id), happening.kind, body.to_string())
            }
        };
        let outgoing = Outgoing {
            outbox_id,
            channel: channel.to_owned(),
            user_id: user_id.map(str::to_owned),
            webhook_id: webhook_id.map(str::to_owned),
            kind: kind.name().to_owned(),
            body,
            state: "waiting".to_owned(),
            attempts: 0,
            next_at: now,
            created_at: now,
            ended_at: None,
            last_error: None,
        };
        store::add(tx, &outgoing).await?;
        self.ask_for_delivery(tx, now).await
    }

    /// One job that waits is enough: it sends all that is due when it begins.
    pub(crate) async fn ask_for_delivery(&self, tx: &mut Tx, now: i64) -> Result<()> {
        attain_jobs::enqueue(tx, &job_of(Kind::Deliver, json!({}), &self.actor).key("deliver"), now).await.map(drop)
    }

    /// Sends what is due, within a job.
    pub(crate) async fn deliver(&self, lease: &Lease) -> Result<()> {
        let mut counts = [0u64; 3];
        loop {
            let now = self.job_now().await?;
            let mut read = self.database.read().await?;
            let due = store::due(&mut read, now, AT_ONCE, self.outward.sends_mail()).await?;
            drop(read);
            if due.is_empty() {
                break;
            }
            for outgoing in due {
                attain_database::crash_point("before-send");
                let end = self.attempt(&outgoing).await?;
                attain_database::crash_point("after-send");
                let place = match &end {
                    End::Sent(_) => 0,
                    End::Failed(_) => 1,
                    End::Dropped(_) => 2,
                };
                counts[place] += 1;
                self.attempted(lease, outgoing, end).await?;
            }
        }
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        attain_jobs::fence(&mut tx, lease).await?;
        bump(&mut tx, Part::Work).await?;
        if let Some(next_at) = store::next_due(&mut tx, self.outward.sends_mail()).await? {
            // One job a second at most, however many messages wait for it.
            let job = job_of(Kind::Deliver, json!({}), &self.actor).key(&format!("deliver-{}", next_at.div_euclid(1_000)));
            attain_jobs::enqueue(&mut tx, &job, next_at.max(now)).await?;
        }
        let [sent, failed, dropped] = counts;
        attain_jobs::finish(&mut tx, lease, &json!({ "sent": sent, "failed": failed, "dropped": dropped }), now).await?;
        tx.commit().await
    }

    async fn attempt(&self, outgoing: &Outgoing) -> Result<End> {
        match (&outgoing.user_id, &outgoing.webhook_id) {
            (Some(user_id), _) => self.attempt_mail(outgoing, user_id).await,
            (None, Some(webhook_id)) => self.attempt_webhook(outgoing, webhook_id).await,
            (None, None) => Ok(End::Dropped("it names nobody")),
        }
    }

    async fn attempt_mail(&self, outgoing: &Outgoing, user_id: &str) -> Result<End> {
        let mut read = self.database.read().await?;
        let user = attain_store::users::by_id(&mut read, user_id).await?.filter(|user| !user.disabled);
        let Some(user) = user else { return Ok(End::Dropped("the user is disabled")) };
        let own = attain_store::notices::mail_preference(&mut read, user_id).await?;
        if own.opted_out {
            return Ok(End::Dropped("the user wants no mail"));
        }
        let address = match (own.address, &user.payee_id) {
            (Some(address), _) => Some(address),
            (None, Some(payee_id)) => attain_store::notices::address_of_payee(&mut read, payee_id).await?,
            (None, None) => None,
        };
        drop(read);
        let Some(address) = address.filter(|address| !address.is_empty()) else { return Ok(End::Dropped("the user has no address")) };
        let letter: Letter = serde_json::from_str(&outgoing.body).context("a mail of the outbox cannot be read")?;
        let (outward, outbox_id) = (Arc::clone(&self.outward), outgoing.outbox_id.clone());
        let sent = tokio::task::spawn_blocking(move || match &outward.mailer {
            Some(mailer) => mailer.send(&outbox_id, &address, &letter, &outward.public_url),
            None => Err(NotSent { status: None, message: "this server sends no mail".to_owned(), again: true }),
        });
        Ok(sent.await?.map_or_else(End::Failed, |()| End::Sent(None)))
    }

    async fn attempt_webhook(&self, outgoing: &Outgoing, webhook_id: &str) -> Result<End> {
        let mut read = self.database.read().await?;
        let webhook = store::webhook_of(&mut read, webhook_id).await?.filter(|own| own.state == "active");
        let now = self.job_now().await?;
        let keys = store::keys_of(&mut read, webhook_id, now).await?;
        drop(read);
        let Some(webhook) = webhook else { return Ok(End::Dropped("the webhook is not active")) };
        let (id, seconds) = (&outgoing.outbox_id, now.div_euclid(1_000));
        let Some(signatures) = self.outward.webhook_keys()?.header(webhook_id, &keys, id, seconds, &outgoing.body) else {
            let message = "`webhooks.key` of this server's home is not the one that its secret was made with; restore it, or give the webhook a \
                           new secret";
            return Ok(End::Failed(NotSent { status: None, message: message.to_owned(), again: true }));
        };
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("user-agent".to_owned(), "attain".to_owned()),
            ("webhook-id".to_owned(), id.clone()),
            ("webhook-timestamp".to_owned(), seconds.to_string()),
            ("webhook-signature".to_owned(), signatures),
        ];
        let (outward, body) = (Arc::clone(&self.outward), outgoing.body.clone());
        let answered = tokio::task::spawn_blocking(move || {
            crate::fetch::post(&webhook.url, &headers, body.as_bytes(), &outward.webhook_hosts, crate::webhooks::WAIT_MAX)
        });
        Ok(match answered.await? {
            Ok(status) if (200..300).contains(&status) => End::Sent(Some(i64::from(status))),
            Ok(GONE) => End::Failed(NotSent { status: Some(i64::from(GONE)), message: "it answered 410: gone".to_owned(), again: false }),
            Ok(status) => End::Failed(NotSent { status: Some(i64::from(status)), message: format!("it answered {status}"), again: true }),
            Err(message) => End::Failed(NotSent { status: None, message, again: true }),
        })
    }

    /// Marks an attempt in a transaction that only the holder of the lease can write.
    async fn attempted(&self, lease: &Lease, mut own: Outgoing, end: End) -> Result<()> {
        let now = self.job_now().await?;
        own.attempts += 1;
        let mut attempt = Attempt { attempt: own.attempts, attempted_at: now, status: None, error: None };
        let is_sent = matches!(end, End::Sent(_));
        match end {
            End::Sent(status) => {
                attempt.status = status;
                (own.state, own.ended_at, own.last_error) = ("sent".to_owned(), Some(now), None);
            }
            End::Dropped(why) => {
                attempt.error = Some(why.to_owned());
                (own.state, own.ended_at, own.last_error) = ("dropped".to_owned(), Some(now), Some(why.to_owned()));
            }
            End::Failed(failed) => {
                let message: String = failed.message.chars().take(ERROR_CHARS_MAX).collect();
                attempt.status = failed.status;
                attempt.error = Some(message.clone());
                own.last_error = Some(message);
                if failed.again && own.attempts < ATTEMPTS_MAX {
                    own.next_at = now + attain_jobs::backoff(own.attempts);
                } else {
                    (own.state, own.ended_at) = ("failed".to_owned(), Some(now));
                }
            }
        }
        let mut tx = self.database.begin().await?;
        attain_jobs::fence(&mut tx, lease).await?;
        let is_marked = store::attempted(&mut tx, &own, &attempt).await?;
        let mut disabled = None;
        if let Some(webhook_id) = own.webhook_id.as_deref().filter(|_| is_marked && own.state != "dropped")
            && let Some(mut webhook) = store::webhook_of(&mut tx, webhook_id).await?
        {
            let before = (webhook.failures, webhook.last_error.clone());
            webhook.failures = if is_sent { 0 } else { webhook.failures + 1 };
            webhook.last_error.clone_from(&own.last_error);
            let is_gone = attempt.status == Some(i64::from(GONE));
            if (is_gone || webhook.failures >= FAILURES_MAX) && webhook.state == "active" {
                "disabled".clone_into(&mut webhook.state);
                store::drop_of_webhook(&mut tx, webhook_id, "the webhook was switched off", now).await?;
                let why = if is_gone { "it answered that it is gone" } else { "it failed too often in a row" };
                disabled = Some((webhook_id.to_owned(), why));
            }
            // Somebody who edits it at this moment has the newer word; the next attempt counts again.
            if before != (webhook.failures, webhook.last_error.clone()) {
                store::replace_webhook(&mut tx, &webhook).await?;
            }
        }
        if let Some((webhook_id, why)) = &disabled {
            bump(&mut tx, Part::Work).await?;
            let entry = Entry::new(&self.actor, "disable-webhook", webhook_id).reason(why);
            attain_audit::append(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        if disabled.is_some() {
            self.seal().await?;
        }
        Ok(())
    }

    /// Lets what was sent, or was given up, be sent once more, under the same id.
    pub async fn send_again(&self, caller: &Caller, webhook_id: &str, outbox_id: &str) -> Result<crate::webhooks::DeliveryView> {
        caller.require(Action::ManageExtensions)?;
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let own = store::get(&mut tx, outbox_id).await?.filter(|own| own.webhook_id.as_deref() == Some(webhook_id));
        if own.is_none() {
            return Err(Refusal::not_found(format!("webhook `{webhook_id}` has no delivery `{outbox_id}`")).into());
        }
        if !store::again(&mut tx, outbox_id, now).await? {
            return Err(Refusal::conflict("it waits to be sent already").into());
        }
        self.ask_for_delivery(&mut tx, now).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "send-again", outbox_id).reason(webhook_id), now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.delivery(caller, webhook_id, outbox_id).await
    }
}
