//! What extensions say: the last lines of each, kept in memory, and what each was asked in one calculation.

use crate::answers::Answers;
use crate::now_ms;
use attain_domain::point::{Answer, Call, Extension, Fault, Identity, Point};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// So many lines are kept of each extension.
const LINES_MAX: usize = 200;
/// Of what is kept of a line.
const CHARS_MAX: usize = 2_000;

/// One line of an extension's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub at: i64,
    /// `log` for what it wrote itself, `fault` for a call that failed, `reload` for a version that came or stayed out.
    pub kind: &'static str,
    pub message: String,
}

/// Shared by all who call extensions of one instance.
#[derive(Default)]
pub struct Logs {
    lines: Mutex<BTreeMap<(Point, String), VecDeque<Line>>>,
}

impl Logs {
    pub fn add(&self, point: Point, name: &str, kind: &'static str, messages: impl IntoIterator<Item = String>) {
        let mut messages = messages.into_iter().peekable();
        if messages.peek().is_none() {
            return;
        }
        let at = now_ms();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let own = lines.entry((point, name.to_owned())).or_default();
        for message in messages {
            if own.len() == LINES_MAX {
                own.pop_front();
            }
            own.push_back(Line { at, kind, message: message.chars().take(CHARS_MAX).collect() });
        }
    }

    /// Oldest first.
    pub fn of(&self, point: Point, name: &str) -> Vec<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(&(point, name.to_owned())).map(|own| own.iter().cloned().collect()).unwrap_or_default()
    }
}

/// An extension that is listened to while it answers.
pub struct Listening {
    inner: Arc<dyn Extension>,
    logs: Arc<Logs>,
    /// What it has answered before, where that is remembered.
    pub(crate) answers: Option<Arc<Answers>>,
    calls: AtomicU64,
    fuel: AtomicU64,
}

impl Listening {
    pub fn new(inner: Arc<dyn Extension>, logs: Arc<Logs>) -> Listening {
        Listening { inner, logs, answers: None, calls: AtomicU64::new(0), fuel: AtomicU64::new(0) }
    }

    /// Calls and fuel so far.
    pub fn used(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.fuel.load(Ordering::Relaxed))
    }
}

impl Extension for Listening {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        match &self.answers {
            Some(answers) => answers.of(self.inner.identity(), call, || self.ask(call)),
            None => self.ask(call),
        }
    }
}

impl Listening {
    fn ask(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let answer = self.inner.run(call);
        let identity = self.inner.identity();
        self.calls.fetch_add(1, Ordering::Relaxed);
        match &answer {
            Ok(answer) => {
                self.fuel.fetch_add(answer.fuel_used, Ordering::Relaxed);
                self.logs.add(identity.point, &identity.name, "log", answer.log.iter().cloned());
            }
            Err(fault) => self.logs.add(identity.point, &identity.name, "fault", [fault.to_string()]),
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_of_each_extension_are_kept() {
        let logs = Logs::default();
        logs.add(Point::Kpi, "one", "log", (0..LINES_MAX + 5).map(|number| format!("line {number}")));
        logs.add(Point::Kpi, "two", "log", ["x".repeat(CHARS_MAX + 1)]);
        let own = logs.of(Point::Kpi, "one");
        assert_eq!((own.len(), own[0].message.as_str()), (LINES_MAX, "line 5"));
        assert_eq!(logs.of(Point::Kpi, "two")[0].message.len(), CHARS_MAX);
        assert!(logs.of(Point::Quota, "one").is_empty());
    }
}
