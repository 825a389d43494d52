//! What an explanation asks of the calculation afterwards: which credits count for which measure, and at which rate.

use crate::Inputs;
use crate::condition;
use crate::credits::Credits;
use crate::findings::Findings;
use crate::lookup::{ONE, Rates, rate_days};
use crate::names::{Names, texts};
use crate::resolve::resolve;
use attain_domain::plan::CreditKind;
use attain_domain::{Calendar, Day, NULL_CODE, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// For each measure, whether the rows of `credits` (columns as in the result of that name) count for it. Only the transactions
/// of these credits are looked at, so the price is that of one payee.
pub fn counted(inputs: &Inputs, credits: &Table) -> BTreeMap<String, Vec<bool>> {
    let ids = texts(credits, "transaction_id");
    let wanted: BTreeSet<&str> = (0..credits.row_count()).filter_map(|row| ids.get(row)).collect();
    let all = inputs.table("transactions");
    let own = texts(all, "transaction_id");
    let keep: Vec<bool> = own.dictionary.iter().map(|id| wanted.contains(id.as_str())).collect();
    let rows: Vec<usize> = (0..all.row_count()).filter(|row| keep.get(own.codes[*row] as usize).copied().unwrap_or(false)).collect();
    let mut part = inputs.clone();
    part.tables.insert("transactions".to_owned(), Arc::new(all.take(&rows)));
    let mut findings = Findings::default();
    let Ok(book) = resolve(&part, &mut findings) else { return BTreeMap::new() };
    let place: BTreeMap<&str, usize> = (0..book.transactions.len()).map(|row| (book.transactions.id(row as u32), row)).collect();
    let known = Credits { rules: Names::union(&[texts(credits, "rule")]), ..Credits::default() };
    let (kinds, rules) = (texts(credits, "kind"), texts(credits, "rule"));
    let mut counted = BTreeMap::new();
    for measure in &inputs.settings.measures {
        let filter = condition::compile(measure, &part, &book, &known, &mut findings);
        let counts = |row: usize| {
            let kind = kinds.get(row).and_then(CreditKind::from_name);
            let transaction = ids.get(row).and_then(|id| place.get(id)).copied();
            let rule = known.rules.code_of(rules.get(row));
            kind.is_some_and(|kind| measure.credits.is_empty() || measure.credits.contains(&kind))
                && transaction.is_some_and(|row| filter.transactions.as_ref().is_none_or(|passing| passing[row]))
                && filter.rules.as_ref().is_none_or(|passing| passing.get(rule as usize).copied().unwrap_or(false))
        };
        counted.insert(measure.id.clone(), (0..credits.row_count()).map(counts).collect());
    }
    counted
}

/// The rates by which a run converts, under the company's policy.
#[derive(Debug)]
pub struct Conversion {
    currencies: Names,
    rates: Rates,
    calendar: Calendar,
    days: Option<Vec<i32>>,
    company_currency: String,
}

impl Conversion {
    /// `None` where the company's calendar is not valid.
    pub fn new(inputs: &Inputs) -> Option<Conversion> {
        let settings = &inputs.settings;
        let calendar = Calendar::new(&settings.calendar).ok()?;
        let table = inputs.table("fx_rates");
        let currencies = Names::union(&[texts(table, "currency")]);
        let rates = Rates::new(settings.fx, &currencies, &settings.currency, table);
        let days = rate_days(settings.fx, &calendar);
        Some(Conversion { currencies, rates, calendar, days, company_currency: settings.currency.clone() })
    }

    /// Company currency for one unit of `currency` for a transaction tested on `day`, scaled 10⁻⁸.
    pub fn rate(&self, currency: &str, day: Day) -> Option<i64> {
        if currency == self.company_currency {
            return Some(ONE);
        }
        let code = self.currencies.code(currency);
        let day = match &self.days {
            None => day.0,
            Some(days) => *days.get(self.calendar.find(day)?)?,
        };
        if code == NULL_CODE { None } else { self.rates.on(code, day) }
    }
}
