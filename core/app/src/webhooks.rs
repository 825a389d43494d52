//! Webhooks: programs elsewhere that are told what happens. Each delivery is signed, so that its receiver knows whom it is from.

use crate::access::{Action, Caller};
use crate::notices::NoticeKind;
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_store::outbox::{self as store, Outgoing, Webhook, WebhookKey};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// An answer is waited for so long.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);
const WEBHOOKS_MAX: usize = 50;
const URL_LENGTH_MAX: usize = 1_000;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookView {
    pub webhook_id: String,
    pub url: String,
    /// Empty for all.
    pub events: Vec<String>,
    /// `active` or `disabled`.
    pub state: String,
    /// Failed attempts in a row.
    pub failures: i64,
    pub last_error: Option<String>,
    pub created_by: String,
    pub created_at: String,
    pub version: i64,
    /// Its secrets that sign, the newest first.
    pub secrets: Vec<SecretView>,
    /// Only in the answer that made it: `whsec_` and the key of the signatures in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What is told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecretView {
    pub made_at: String,
    /// `null` for the one of now; an older one signs along until then.
    pub valid_until: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// `https` and public, or on a host that the server was started with `--webhook-host` for.
    pub url: String,
    /// What it is told; empty for all.
    #[serde(default)]
    pub events: Vec<NoticeKind>,
}

/// What is left out stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookEdit {
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub events: Option<Vec<NoticeKind>>,
    /// Switches it on, with its failures forgotten, or off.
    #[serde(default)]
    pub active: Option<bool>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryAttempt {
    pub attempt: i64,
    pub attempted_at: String,
    pub status: Option<i64>,
    pub error: Option<String>,
}

/// Something that was told, or is to be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryView {
    pub delivery_id: String,
    pub event: String,
    /// `waiting`, `sent`, `failed` or `dropped`.
    pub state: String,
    pub created_at: String,
    pub ended_at: Option<String>,
    /// Of one that waits.
    pub next_at: Option<String>,
    pub last_error: Option<String>,
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
    /// Only where one delivery is asked for.
    pub attempts: Vec<DeliveryAttempt>,
}

pub(crate) fn shown(own: Webhook, keys: &[WebhookKey], secret: Option<String>) -> WebhookView {
    WebhookView {
        webhook_id: own.webhook_id,
        url: own.url,
        events: own.events.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        state: own.state,
        failures: own.failures,
        last_error: own.last_error,
        created_by: own.created_by,
        created_at: shown_ms(own.created_at),
        version: own.version,
        secrets: keys
            .iter()
            .map(|key| SecretView { made_at: shown_ms(key.created_at), valid_until: key.valid_until.map(shown_ms) })
            .collect(),
        secret,
    }
}

fn delivery(own: Outgoing, attempts: Vec<store::Attempt>) -> Result<DeliveryView> {
    Ok(DeliveryView {
        next_at: (own.state == "waiting").then(|| shown_ms(own.next_at)),
        body: serde_json::from_str(&own.body)?,
        delivery_id: own.outbox_id,
        event: own.kind,
        state: own.state,
        created_at: shown_ms(own.created_at),
        ended_at: own.ended_at.map(shown_ms),
        last_error: own.last_error,
        attempts: attempts
            .into_iter()
            .map(|own| DeliveryAttempt {
                attempt: own.attempt,
                attempted_at: shown_ms(own.attempted_at),
                status: own.status,
                error: own.error,
            })
            .collect(),
    })
}

pub(crate) fn unknown(webhook_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no webhook `{webhook_id}`"))
}

pub(crate) fn stale() -> Refusal {
    Refusal::stale("the webhook was changed meanwhile; read it again")
}

fn names(events: &[NoticeKind]) -> String {
    let names: std::collections::BTreeSet<&str> = events.iter().map(|event| event.name()).collect();
    names.into_iter().collect::<Vec<_>>().join(",")
}

impl Instance {
    fn webhook_url(&self, url: &str) -> Result<String, Refusal> {
        if url.len() > URL_LENGTH_MAX || url.chars().any(char::is_control) {
            return Err(Refusal::invalid(format!("a webhook's URL has at most {URL_LENGTH_MAX} characters, all of them visible")));
        }
        crate::fetch::may_post(url, &self.outward.webhook_hosts).map_err(Refusal::invalid)?;
        Ok(url.to_owned())
    }

    pub async fn webhooks(&self, caller: &Caller) -> Result<Vec<WebhookView>> {
        caller.require(Action::ManageExtensions)?;
        let mut connection = self.database.glance().await?;
        let now = now_ms();
        let mut all = Vec::new();
        for own in store::webhooks(&mut connection).await? {
            let keys = store::keys_of(&mut connection, &own.webhook_id, now).await?;
            all.push(shown(own, &keys, None));
        }
        Ok(all)
    }

    /// Its secret is in this answer and in no other.
    pub async fn add_webhook(&self, caller: &Caller, new: &NewWebhook) -> Result<WebhookView> {
        caller.require(Action::ManageExtensions)?;
        let own = Webhook {
            webhook_id: new_id("webhook")?,
            url: self.webhook_url(&new.url)?,
            events: names(&new.events),
            state: "active".to_owned(),
            failures: 0,
            last_error: None,
            created_by: caller.user_id.clone(),
            created_at: now_ms(),
            version: 1,
        };
        let (secret, key) = self.outward.webhook_keys()?.make(&own.webhook_id, own.created_at)?;
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        if store::webhooks(&mut tx).await?.len() >= WEBHOOKS_MAX {
            return Err(Refusal::conflict(format!("there are {WEBHOOKS_MAX} webhooks; remove some")).into());
        }
        store::add_webhook(&mut tx, &own).await?;
        store::add_key(&mut tx, &own.webhook_id, &key).await?;
        let entry = Entry::new(&self.actor, "add-webhook", &own.webhook_id).after(&own.url).reason(&own.events);
        attain_audit::append(&mut tx, entry, own.created_at).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(shown(own, &[key], Some(secret)))
    }

    pub async fn edit_webhook(&self, caller: &Caller, webhook_id: &str, version: i64, edit: &WebhookEdit) -> Result<WebhookView> {
        caller.require(Action::ManageExtensions)?;
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let mut own = store::webhook_of(&mut tx, webhook_id).await?.ok_or_else(|| unknown(webhook_id))?;
        if own.version != version {
            return Err(stale().into());
        }
        let before = format!("{} {}", own.state, own.url);
        if let Some(url) = &edit.url {
            own.url = self.webhook_url(url)?;
        }
        if let Some(events) = &edit.events {
            own.events = names(events);
        }
        match edit.active {
            Some(true) => {
                "active".clone_into(&mut own.state);
                own.failures = 0;
            }
            Some(false) => "disabled".clone_into(&mut own.state),
            None => {}
        }
        if !store::replace_webhook(&mut tx, &own).await? {
            return Err(stale().into());
        }
        let now = now_ms();
        let keys = store::keys_of(&mut tx, webhook_id, now).await?;
        if edit.active == Some(true) && keys.is_empty() {
            return Err(Refusal::conflict("it has no secret; give it a new one first").into());
        }
        let entry = Entry::new(&self.actor, "edit-webhook", webhook_id).before(&before).after(&format!("{} {}", own.state, own.url));
        attain_audit::append(&mut tx, entry.reason(&own.events), now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(shown(Webhook { version: version + 1, ..own }, &keys, None))
    }

    /// Its secret is forgotten, and what waits for it is not sent.
    pub async fn remove_webhook(&self, caller: &Caller, webhook_id: &str) -> Result<()> {
        caller.require(Action::ManageExtensions)?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let own = store::webhook_of(&mut tx, webhook_id).await?.ok_or_else(|| unknown(webhook_id))?;
        if !store::replace_webhook(&mut tx, &Webhook { state: "removed".to_owned(), ..own.clone() }).await? {
            return Err(stale().into());
        }
        store::drop_keys(&mut tx, webhook_id).await?;
        store::drop_of_webhook(&mut tx, webhook_id, "the webhook was removed", now).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "remove-webhook", webhook_id).before(&own.url), now).await?;
        tx.commit().await?;
        self.seal().await
    }

    /// What it was told, newest first, after the delivery with the id `after`.
    pub async fn deliveries(&self, caller: &Caller, webhook_id: &str, after: &str, limit: usize) -> Result<Vec<DeliveryView>> {
        caller.require(Action::ManageExtensions)?;
        let mut connection = self.database.glance().await?;
        store::webhook_of(&mut connection, webhook_id).await?.ok_or_else(|| unknown(webhook_id))?;
        let found = store::of_webhook(&mut connection, webhook_id, after, i64::try_from(limit)?).await?;
        found.into_iter().map(|own| delivery(own, Vec::new())).collect()
    }

    pub async fn delivery(&self, caller: &Caller, webhook_id: &str, delivery_id: &str) -> Result<DeliveryView> {
        caller.require(Action::ManageExtensions)?;
        let mut read = self.database.read().await?;
        let own = store::get(&mut read, delivery_id).await?.filter(|own| own.webhook_id.as_deref() == Some(webhook_id));
        let own = own.ok_or_else(|| Refusal::not_found(format!("webhook `{webhook_id}` has no delivery `{delivery_id}`")))?;
        let attempts = store::attempts(&mut read, delivery_id).await?;
        delivery(own, attempts)
    }
}
