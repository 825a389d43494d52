//! Which territory an account belongs to.

use super::rows;
use crate::column::take_table;
use crate::{Column, NULL_CODE, NumberColumn, Table, TextColumn};

pub trait Territory: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Assigns every account of the batch.
    fn assign(&mut self, batch: &TerritoryBatch, assignments: &mut Assignments) -> Result<(), String>;
}

rows! {
    /// The accounts; `territory_id` is the present one.
    Accounts, Account, "accounts";
    text { account_id = "account_id", territory_id = "territory_id" }
    numbers { latitude = "latitude": 8, longitude = "longitude": 8, locked = "locked": 0 }
}

rows! {
    /// The territories to choose from.
    Territories, TerritoryRow, "territories";
    text { territory_id = "territory_id" }
    numbers { latitude = "latitude": 8, longitude = "longitude": 8 }
}

#[derive(Debug, Clone)]
pub struct TerritoryBatch {
    pub accounts: Accounts,
    pub territories: Territories,
    /// What is to be balanced, by name: a value (10^-4) for each account.
    pub measures: Vec<(String, NumberColumn)>,
}

impl TerritoryBatch {
    pub fn read(mut input: Vec<Table>) -> Result<TerritoryBatch, String> {
        let (accounts, mut rest) = Accounts::read(take_table(&mut input, "accounts"))?;
        let (territories, _) = Territories::read(take_table(&mut input, "territories"))?;
        Ok(TerritoryBatch { accounts, territories, measures: rest.take_prefixed("measure.") })
    }

    /// For each account the row of its present territory in `territories`.
    pub fn present(&self) -> Vec<Option<usize>> {
        let known: std::collections::HashMap<&str, usize> =
            self.territories.iter().filter_map(|row| Some((row.territory_id()?, row.index()))).collect();
        self.accounts.iter().map(|account| known.get(account.territory_id()?).copied()).collect()
    }
}

/// The territory of each account; without one until assigned.
#[derive(Debug)]
pub struct Assignments {
    chosen: Vec<Option<usize>>,
}

impl Assignments {
    /// Both are row numbers.
    pub fn assign(&mut self, account: usize, territory: usize) {
        if let Some(chosen) = self.chosen.get_mut(account) {
            *chosen = Some(territory);
        }
    }
}

pub(crate) fn answer<T: Territory>(extension: &mut T, input: Vec<Table>) -> Result<Vec<Table>, String> {
    let batch = TerritoryBatch::read(input)?;
    let mut assignments = Assignments { chosen: vec![None; batch.accounts.len()] };
    extension.assign(&batch, &mut assignments)?;
    let codes = assignments
        .chosen
        .iter()
        .map(|chosen| chosen.and_then(|row| batch.territories.territory_id.text(row)).map_or(NULL_CODE, |text| text.0))
        .collect();
    let territory_id = TextColumn { dictionary: batch.territories.territory_id.dictionary, codes };
    Ok(vec![
        Table::new("assignments")
            .with("account_id", Column::Text(batch.accounts.account_id))
            .with("territory_id", Column::Text(territory_id)),
    ])
}
