//! Which transactions belong to the house: no crediting rule sees them, and they are counted by themselves.

use crate::Inputs;
use crate::book::{Book, NO_PERIOD};
use crate::condition;
use crate::findings::Findings;
use attain_domain::Severity;
use attain_domain::plan::ConditionField;

/// The label of the rule by which a named payee of the house is credited.
pub const LABEL: &str = "house";

/// Of each transaction the entry of `crediting.house` that it belongs to, from 1; 0 for none. Empty where there are no entries.
pub fn of(inputs: &Inputs, book: &Book, findings: &mut Findings) -> Vec<u16> {
    let houses = &inputs.settings.crediting.house;
    if houses.is_empty() {
        return Vec::new();
    }
    let mut entries = vec![0u16; book.transactions.len()];
    for (place, house) in houses.iter().enumerate().take(usize::from(u16::MAX) - 1) {
        let record = format!("crediting.house.{place}");
        // Everybody's transactions by mistake would be a silent disaster, and which rule would credit is not known yet.
        if house.conditions.is_empty() || house.conditions.iter().any(|condition| condition.field == ConditionField::Rule) {
            let message = "it needs conditions of the transaction or its account; correct `where`";
            findings.add(Severity::Error, "house-conditions", "settings", &record, message);
            continue;
        }
        let Some(passing) = condition::transactions(&house.conditions, &record, inputs, book, findings) else { continue };
        for (row, entry) in entries.iter_mut().enumerate() {
            if *entry == 0 && passing[row] && book.transactions.period[row] != NO_PERIOD {
                *entry = place as u16 + 1;
            }
        }
    }
    entries
}
