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

#[cfg(test)]
mod tests {
    use super::*;
    use attain_domain::point::{FaultKind, Origin, Point};
    use std::cell::Cell;

    #[test]
    fn a_question_is_asked_once_and_any_other_is_another() {
        let identity = |digest: &str| Identity {
            point: Point::Crediting,
            name: "own".to_owned(),
            version: "1".to_owned(),
            digest: digest.into(),
            origin: Origin::Rhai,
        };
        let table =
            |amount: i64, text: &str| vec![Table::new("t").with("a", Column::money(vec![amount])).with("b", Column::text(&[Some(text)]))];
        let (answers, asked) = (Answers::default(), Cell::new(0));
        let of = |digest: &str, settings: i64, input: &[Table]| {
            let settings = serde_json::json!({ "rate": settings });
            let ask = || {
                asked.set(asked.get() + 1);
                Ok(Answer { tables: table(asked.get(), "x"), log: vec!["said".to_owned()], fuel_used: 7 })
            };
            let answer = answers.of(&identity(digest), &Call { settings: &settings, input }, ask).expect("an answer");
            answer.tables[0].numbers("a").expect("a column")[0]
        };
        let one = table(1, "x");
        assert_eq!((of("d", 1, &one), of("d", 1, &one), asked.get()), (1, 1, 1));
        let others = [of("e", 1, &one), of("d", 2, &one), of("d", 1, &table(2, "x")), of("d", 1, &table(1, "y")), of("d", 1, &[])];
        assert_eq!((others, asked.get()), ([2, 3, 4, 5, 6], 6));
        answers.turn();
        assert_eq!((of("d", 1, &one), asked.get()), (1, 6), "the answers of the run before are known");
        answers.turn();
        assert_eq!((of("d", 2, &one), asked.get()), (7, 7), "what the last run did not ask is forgotten");
        let faulty = |count: &Cell<i64>| {
            let settings = serde_json::Value::Null;
            let ask = || {
                count.set(count.get() + 1);
                Err(Fault::new(FaultKind::InvalidAnswer, "no".to_owned()))
            };
            answers.of(&identity("d"), &Call { settings: &settings, input: &[] }, ask).is_err()
        };
        assert!(faulty(&asked) && faulty(&asked) && asked.get() == 9, "a fault is no answer");
    }
}
