//! What extensions have answered in the last run. An extension is a function of what it is handed and of nothing else, so an answer to the
//! same question by the same digest is the same answer. Kept for crediting, whose questions are batches of transactions: after a change,
//! only the batches that it touches are asked again.

use attain_domain::point::{Answer, Call, Fault, Identity};
use attain_domain::{Column, Table};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Kept = HashMap<blake3::Hash, Answer>;

/// Answers of this run and of the one before.
#[derive(Default)]
pub(crate) struct Answers {
    now: Mutex<Kept>,
    before: Mutex<Kept>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Feeds a hasher what tells a question apart: each text and list with its length before it.
fn told(identity: &Identity, call: &Call<'_>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let text = |hasher: &mut blake3::Hasher, text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    text(&mut hasher, identity.point.name());
    text(&mut hasher, identity.digest.as_str());
    text(&mut hasher, &call.settings.to_string());
    let mut bytes = Vec::new();
    for Table { name, columns } in call.input {
        text(&mut hasher, name);
        hasher.update(&(columns.len() as u64).to_le_bytes());
        for (name, column) in columns {
            text(&mut hasher, name);
            hasher.update(&(column.len() as u64).to_le_bytes());
            bytes.clear();
            match column {
                Column::Number { scale, values } => {
                    hasher.update(&[1, *scale]);
                    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                }
                Column::Text(column) => {
                    hasher.update(&[0]);
                    bytes.extend_from_slice(&(column.dictionary.len() as u64).to_le_bytes());
                    for word in &column.dictionary {
                        bytes.extend_from_slice(&(word.len() as u64).to_le_bytes());
                        bytes.extend_from_slice(word.as_bytes());
                    }
                    bytes.extend(column.codes.iter().flat_map(|code| code.to_le_bytes()));
                }
            }
            hasher.update(&bytes);
        }
    }
    hasher.finalize()
}

impl Answers {
    /// The answer to a question; `ask` is called where it is not known. What was logged is logged once.
    pub fn of(&self, identity: &Identity, call: &Call<'_>, ask: impl FnOnce() -> Result<Answer, Fault>) -> Result<Answer, Fault> {
        let told = told(identity, call);
        if let Some(known) = held(&self.now).get(&told) {
            return Ok(known.clone());
        }
        let known = held(&self.before).remove(&told);
        let answer = match known {
            Some(known) => known,
            None => Answer { log: Vec::new(), ..ask()? },
        };
        held(&self.now).insert(told, answer.clone());
        Ok(answer)
    }

    /// A run ends: what it did not ask is forgotten.
    pub fn turn(&self) {
        *held(&self.before) = std::mem::take(&mut *held(&self.now));
    }

    pub fn forget(&self) {
        held(&self.now).clear();
        held(&self.before).clear();
    }
}
