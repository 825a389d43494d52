//! What one server keeps in memory beside the record, and what it tells those who listen.

use crate::kept::Memory;
use crate::view::View;
use attain_store::versions::Versions;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use tokio::sync::broadcast;

/// How many messages a slow listener may be behind before it is told to ask again.
const WAITING_MAX: usize = 256;

/// What happened. Never holds pay: a listener asks for what it may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A part of the record has a new version.
    Record { company: i64, runs: i64, extensions: i64, work: i64 },
    /// A calculation under way: `stage` of `stages` is done.
    Progress { job_id: String, stage: String, done: u64, stages: u64 },
    /// A job began, ended or failed.
    Job { job_id: String, state: String },
    /// An extension's file was saved: swapped in, or kept out with the reason.
    Reload { name: String, accepted: bool, message: String },
}

/// Shared by all clones of an instance.
pub(crate) struct Live {
    pub view: Mutex<Option<View>>,
    pub loading: tokio::sync::Mutex<()>,
    /// The record calculated as it is, for comparing drafts with it.
    pub base: Mutex<Option<std::sync::Arc<crate::impact::Base>>>,
    pub calculating: tokio::sync::Mutex<()>,
    pub kept: Memory,
    events: broadcast::Sender<Event>,
}

impl Default for Live {
    fn default() -> Live {
        Live {
            view: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
            base: Mutex::default(),
            calculating: tokio::sync::Mutex::default(),
            kept: Memory::default(),
            events: broadcast::channel(WAITING_MAX).0,
        }
    }
}

impl Live {
    /// The view where it is of these versions.
    pub fn kept(&self, versions: Versions) -> Option<View> {
        let kept = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|view| view.versions.company == versions.company && view.versions.runs == versions.runs).cloned()
    }

    pub fn tell(&self, event: Event) {
        // Nobody listening is no failure.
        let _ = self.events.send(event);
    }

    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}
