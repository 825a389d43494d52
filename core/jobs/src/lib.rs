//! A durable queue with a schedule. A job is done under a lease: whoever holds it renews it, whoever lets it expire loses the
//! job to another, and what a late holder still wants to write is refused in its own transaction. Knows nothing of sales.
//!
//! Time comes in as an argument, in milliseconds since 1970; only [`Clock`] reads one.

mod clock;
mod history;
mod queue;
mod schedule;
mod timetable;
mod worker;

pub use clock::Clock;
pub use history::{Filter, JobRecord, Progress, job, list};
pub use queue::{
    ATTEMPTS_MAX, BACKOFF_MAX, Claimed, Enqueued, Job, Lease, Lost, State, anything_to_do, backoff, claim, enqueue, fail, fence, finish,
    progress, release, renew,
};
pub use schedule::{
    Edited, LATE_MS, Schedule, ScheduleEdit, add, add_standing, change, due, is_known, last_jobs, remove, schedule, schedules,
};
pub use timetable::{NotATime, Timetable};
pub use worker::{Ended, Failure, Handler, Options, work};

/// An id that sorts by the moment of its making.
fn new_id(now: i64) -> anyhow::Result<String> {
    let mut bytes = [0u8; 6];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    let random = bytes.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
    Ok(format!("{now:012x}{random:012x}"))
}

/// Whether a text can be the id of a job or of a schedule.
pub fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
