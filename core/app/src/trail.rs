//! The audit trail for people: searched, one entry with what proves it, the whole of it verified.

use crate::access::{Action, Caller};
use crate::refusal::Refusal;
use crate::{AuditReport, Instance, shown_ms};
use anyhow::Result;
use attain_audit::Recorded;
pub use attain_audit::Search;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

const TEXT_LENGTH_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntryHead {
    pub sequence: i64,
    pub recorded_at: String,
    /// A user's id, or the name that the command line was given.
    pub actor: String,
    /// The user's name; `actor` where there is no such user.
    pub actor_name: String,
    pub action: String,
    pub object: String,
    pub reason: String,
}

/// What proves that an entry is in the trail: hashing `body` up along `path` gives `root`, which a checkpoint has signed. The tree
/// is that of RFC 6962 over SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Proof {
    /// Entries under the checkpoint.
    pub size: i64,
    /// All hashes and bytes are hexadecimal.
    pub root: String,
    /// The hashes beside the way to the root, lowest first.
    pub path: Vec<String>,
    pub sealed_at: String,
    pub key_id: String,
    /// Ed25519 over size, root, instant and key.
    pub signature: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntryView {
    #[serde(flatten)]
    pub head: EntryHead,
    pub before: Option<String>,
    pub after: Option<String>,
    /// Of `body`.
    pub hash: String,
    /// The stored bytes that are chained and hashed, hexadecimal.
    pub body: String,
    /// `null` until the entry is sealed, which is done right after it is written.
    pub proof: Option<Proof>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn head(own: &Recorded, names: &BTreeMap<String, String>) -> EntryHead {
    let entry = &own.entry;
    EntryHead {
        sequence: own.sequence,
        recorded_at: shown_ms(own.recorded_at),
        actor: entry.actor.clone(),
        actor_name: names.get(&entry.actor).unwrap_or(&entry.actor).clone(),
        action: entry.action.clone(),
        object: entry.object.clone(),
        reason: entry.reason.clone(),
    }
}

impl Instance {
    /// Entries before a sequence that fit, newest first.
    pub async fn audit_entries(&self, caller: &Caller, search: &Search, before: i64, limit: usize) -> Result<Vec<EntryHead>> {
        caller.require(Action::SeeAudit)?;
        for text in [&search.actor, &search.action, &search.object, &search.containing] {
            if text.chars().count() > TEXT_LENGTH_MAX || text.contains('\0') {
                return Err(Refusal::invalid(format!("a filter has at most {TEXT_LENGTH_MAX} characters")).into());
            }
        }
        let mut read = self.database.read().await?;
        let names = self.user_names(&mut read).await?;
        let found = attain_audit::search(&mut read, search, before, i64::try_from(limit)?).await?;
        Ok(found.iter().map(|own| head(own, &names)).collect())
    }

    pub async fn audit_entry(&self, caller: &Caller, sequence: i64) -> Result<EntryView> {
        caller.require(Action::SeeAudit)?;
        let mut read = self.database.read().await?;
        let found = attain_audit::entry(&mut read, sequence).await?;
        let (own, hash) = found.ok_or_else(|| Refusal::not_found(format!("the trail has no entry {sequence}")))?;
        let sealed = attain_audit::last_checkpoint(&mut read).await?.filter(|checkpoint| checkpoint.size >= sequence);
        // An entry that is not sealed yet still has its bytes.
        let size = sealed.as_ref().map_or(sequence, |checkpoint| checkpoint.size);
        let (body, path) = attain_audit::proof(&mut read, sequence, size).await?;
        let proof = sealed.map(|checkpoint| Proof {
            size: checkpoint.size,
            root: hex(&checkpoint.root),
            path: path.iter().map(|hash| hex(hash)).collect(),
            sealed_at: shown_ms(checkpoint.recorded_at),
            key_id: checkpoint.key_id,
            signature: hex(&checkpoint.signature),
        });
        let names = self.user_names(&mut read).await?;
        Ok(EntryView {
            head: head(&own, &names),
            before: own.entry.before,
            after: own.entry.after,
            hash: hex(&hash),
            body: hex(&body),
            proof,
        })
    }

    /// As [`Instance::verify_audit`], for who may see the trail.
    pub async fn verify_trail(&self, caller: &Caller) -> Result<AuditReport> {
        caller.require(Action::SeeAudit)?;
        self.verify_audit().await
    }
}
