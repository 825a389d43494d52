//! Secrets of webhooks and the signatures made with them, as Standard Webhooks (https://www.standardwebhooks.com) has them. A secret is kept
//! nowhere: it follows from a key of the server's home and from an id in the database, so that neither alone can sign.

use crate::access::{Action, Caller};
use crate::instance::home_key;
use crate::refusal::Refusal;
use crate::users::new_secret;
use crate::webhooks::{WebhookView, shown, stale, unknown};
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_store::outbox::{self as store, Webhook, WebhookKey};
use attain_store::versions::{Part, bump};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use std::path::Path;
use utoipa::ToSchema;

const PREFIX: &str = "whsec_";
/// Names the use of the key, so that it never signs anything else.
const CONTEXT: &str = "attain webhook secret 1";
const HOUR_MS: i64 = 3_600_000;
/// So long an older secret signs along at most: 30 days.
const HOURS_MAX: i64 = 720;
const HOURS: i64 = 24;
/// Secrets of one webhook that sign at once.
const KEYS_MAX: usize = 5;

/// How long the secret of before signs along.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// 24 where it is left out; 0 ends it at once, 720 is the most.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 720)]
    pub old_valid_hours: Option<i64>,
}

fn hmac(key: &[u8], texts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for text in texts {
        mac.update(text);
    }
    mac.finalize().into_bytes().into()
}

/// `v1,<base64 of HMAC-SHA-256 over "id.timestamp.body">`. The instant is signed too, so that an old delivery cannot be sent again.
pub fn signature(secret: &str, id: &str, seconds: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let code = hmac(&key, &[id.as_bytes(), b".", seconds.to_string().as_bytes(), b".", body.as_bytes()]);
    Some(format!("v1,{}", STANDARD.encode(code)))
}

/// The key of this server's home.
pub(crate) struct WebhookKeys([u8; 32]);

impl WebhookKeys {
    /// Made on first use. Servers of one record share their home, so they share it.
    pub fn open(home: &Path) -> Result<WebhookKeys> {
        home_key(&home.join("webhooks.key"), "restore it, or remove it and give every webhook a new secret").map(WebhookKeys)
    }

    fn secret(&self, webhook_id: &str, key_id: &str) -> String {
        let key = hmac(&self.0, &[CONTEXT.as_bytes(), b"\n", webhook_id.as_bytes(), b"\n", key_id.as_bytes()]);
        format!("{PREFIX}{}", STANDARD.encode(key))
    }

    /// A new secret with what is kept of it.
    pub fn make(&self, webhook_id: &str, now: i64) -> Result<(String, WebhookKey)> {
        let key_id = new_secret()?;
        let secret = self.secret(webhook_id, &key_id);
        let kept = WebhookKey { key_id, secret_hash: crate::users::secret_hash(&secret), created_at: now, valid_until: None };
        Ok((secret, kept))
    }

    /// The header of a delivery: a signature for each secret that counts, the newest first. `None` where the key of the home is another
    /// one than that with which they were made.
    pub fn header(&self, webhook_id: &str, keys: &[WebhookKey], id: &str, seconds: i64, body: &str) -> Option<String> {
        let mut signatures = Vec::new();
        for own in keys {
            let secret = self.secret(webhook_id, &own.key_id);
            if crate::users::secret_hash(&secret) != own.secret_hash {
                return None;
            }
            signatures.push(signature(&secret, id, seconds, body)?);
        }
        (!signatures.is_empty()).then(|| signatures.join(" "))
    }
}

impl Instance {
    /// Gives a webhook a new secret, which is in this answer and in no other; the one of before signs along for a while.
    pub async fn rotate_webhook(&self, caller: &Caller, webhook_id: &str, version: i64, new: &SecretRotation) -> Result<WebhookView> {
        caller.require(Action::ManageExtensions)?;
        let hours = new.old_valid_hours.unwrap_or(HOURS);
        if !(0..=HOURS_MAX).contains(&hours) {
            return Err(Refusal::invalid(format!("`old_valid_hours` is {hours}; write 0 to {HOURS_MAX}")).into());
        }
        let now = now_ms();
        let valid_until = now + hours * HOUR_MS;
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let own = store::webhook_of(&mut tx, webhook_id).await?.ok_or_else(|| unknown(webhook_id))?;
        if own.version != version {
            return Err(stale().into());
        }
        if hours > 0 && store::keys_of(&mut tx, webhook_id, now).await?.len() >= KEYS_MAX {
            let message = format!("{KEYS_MAX} secrets sign at once already; write 0 as `old_valid_hours`, or wait until one has ended");
            return Err(Refusal::conflict(message).into());
        }
        let (secret, key) = self.outward.webhook_keys()?.make(webhook_id, now)?;
        store::end_keys(&mut tx, webhook_id, valid_until).await?;
        store::add_key(&mut tx, webhook_id, &key).await?;
        if !store::replace_webhook(&mut tx, &own).await? {
            return Err(stale().into());
        }
        let keys = store::keys_of(&mut tx, webhook_id, now).await?;
        let entry = Entry::new(&self.actor, "rotate-webhook-secret", webhook_id).after(&key.key_id);
        let entry = entry.reason(&format!("the one of before counts until {}", shown_ms(valid_until)));
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(shown(Webhook { version: version + 1, ..own }, &keys, Some(secret)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_standard() {
        // The example of the specification's reference libraries.
        let made =
            signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(made.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(signature("secret", "a", 1, "x"), None, "a secret of another form");
    }

    #[test]
    fn a_secret_follows_from_the_home_and_the_id_and_from_nothing_less() {
        let (one, other) = (WebhookKeys([1; 32]), WebhookKeys([2; 32]));
        let (secret, kept) = one.make("webhook-1", 5).expect("a secret");
        assert_eq!(secret.len(), PREFIX.len() + 44);
        assert_eq!(one.secret("webhook-1", &kept.key_id), secret);
        assert_ne!(one.secret("webhook-2", &kept.key_id), secret);
        assert!(!secret.contains(&kept.key_id) && !secret.contains(&kept.secret_hash));
        let keys = std::slice::from_ref(&kept);
        assert_eq!(one.header("webhook-1", keys, "id", 1, "x"), signature(&secret, "id", 1, "x"));
        assert_eq!(other.header("webhook-1", keys, "id", 1, "x"), None, "another home signs nothing");
        assert_eq!(one.header("webhook-1", &[], "id", 1, "x"), None);
    }
}
