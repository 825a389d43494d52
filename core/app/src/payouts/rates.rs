//! The rates of a batch: as they were when they were first needed, else those in force.

use super::compute::Share;
use crate::refusal::Refusal;
use attain_domain::payouts::{PayoutRate, Quote};
use attain_domain::table::Table;
use attain_domain::{Calendar, Day};
use attain_store::payouts::Rate;
use std::collections::BTreeMap;

pub(super) struct Rates<'a> {
    company: &'a str,
    payout: &'a str,
    pay_on: Day,
    calendar: &'a Calendar,
    table: &'a Table,
    /// By kind and day.
    frozen: BTreeMap<(String, i64), Rate>,
}

impl<'a> Rates<'a> {
    pub fn new(company: &'a str, payout: &'a str, pay_on: Day, calendar: &'a Calendar, table: &'a Table, frozen: Vec<Rate>) -> Rates<'a> {
        let frozen = frozen.into_iter().map(|own| ((own.kind.clone(), own.rate_on), own)).collect();
        Rates { company, payout, pay_on, calendar, table, frozen }
    }

    /// The day whose rate a policy takes for a period.
    fn day(&self, policy: PayoutRate, period_id: &str) -> Option<Day> {
        let period = || self.calendar.index_of(period_id).map(|at| &self.calendar.periods[at]);
        match policy {
            PayoutRate::PayDate => Some(self.pay_on),
            PayoutRate::PeriodAverage => period().map(|own| own.from),
            PayoutRate::PlanRate => {
                let year = &period()?.year;
                self.calendar.periods.iter().find(|own| own.year == *year).map(|own| own.from)
            }
        }
    }

    /// The last row of that kind and currency that begins on the day or before.
    fn in_force(&self, kind: &str, currency: &str, day: Day) -> Option<i64> {
        let (kinds, currencies) = (self.table.texts("kind")?, self.table.texts("currency")?);
        let (from, rates) = (self.table.numbers("from_on")?, self.table.numbers("rate")?);
        (0..self.table.row_count())
            .filter(|row| kinds.get(*row) == Some(kind) && currencies.get(*row) == Some(currency) && from[*row] <= i64::from(day.0))
            .max_by_key(|row| from[*row])
            .map(|row| rates[row])
            .filter(|rate| *rate > 0)
    }

    /// The rate of a part, kept from now on. `None` where both currencies are the same.
    pub fn of(&mut self, share: &Share) -> Result<Option<Rate>, Refusal> {
        if self.company == self.payout {
            return Ok(None);
        }
        let unknown = || Refusal::conflict(format!("period `{}` is not in the calendar any more; put it back", share.period_id));
        let day = self.day(share.policy, &share.period_id).ok_or_else(unknown)?;
        let kind = share.policy.kind();
        let key = (kind.to_owned(), i64::from(day.0));
        if let Some(known) = self.frozen.get(&key) {
            return Ok(Some(known.clone()));
        }
        let direct = format!("{}/{}", self.company, self.payout);
        let inverse = format!("{}/{}", self.payout, self.company);
        let found = self
            .in_force(kind, &direct, day)
            .map(|rate| (direct.clone(), rate))
            .or_else(|| self.in_force(kind, self.payout, day).map(|rate| (inverse, rate)));
        let Some((quote, rate)) = found else {
            return Err(Refusal::invalid(format!(
                "there is no `{kind}` rate on {day} from {} to {}; add a row with currency `{direct}` or `{}` to fx_rates",
                self.company, self.payout, self.payout
            )));
        };
        let own = Rate { kind: key.0.clone(), rate_on: key.1, quote, rate };
        self.frozen.insert(key, own.clone());
        Ok(Some(own))
    }

    pub fn quote(&self, rate: Option<&Rate>) -> Quote {
        match rate {
            None => Quote::One,
            Some(own) if own.quote.starts_with(&format!("{}/", self.company)) => Quote::PerCompany(own.rate),
            Some(own) => Quote::PerPayout(own.rate),
        }
    }

    /// All rates that were needed.
    pub fn kept(self) -> Vec<Rate> {
        self.frozen.into_values().collect()
    }
}
