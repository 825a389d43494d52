//! Balanced, compact territories over several measures, with locked accounts and a price on moves.

pub mod balance;
pub mod random;

use attain_sdk::{Assignments, NumberColumn, Territory, TerritoryBatch};
use balance::{Options, Place, Problem};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    weights: BTreeMap<String, Number>,
    tolerance: Number,
    compactness: Number,
    move_price: Number,
    seed: u64,
    iterations: Option<u64>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            weights: BTreeMap::new(),
            tolerance: Number(5_000_000),
            compactness: Number(100_000_000),
            move_price: Number(0),
            seed: 1,
            iterations: None,
        }
    }
}

/// A decimal of 10⁻⁸, written in quotes or as a whole number.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
struct Number(#[serde(deserialize_with = "attain_sdk::exact::rate")] i64);

impl Number {
    fn float(self) -> f64 {
        self.0 as f64 / 1e8
    }
}

pub struct TerritoryBalance(Settings);

impl Territory for TerritoryBalance {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<TerritoryBalance, String> {
        let named = [("tolerance", settings.tolerance), ("compactness", settings.compactness), ("move_price", settings.move_price)];
        let weights = settings.weights.iter().map(|(name, weight)| (name.as_str(), *weight));
        for (name, number) in named.into_iter().chain(weights) {
            if number.0 < 0 {
                return Err(format!("`{name}` is negative; write zero or more"));
            }
        }
        Ok(TerritoryBalance(settings))
    }

    fn assign(&mut self, batch: &TerritoryBatch, assignments: &mut Assignments) -> Result<(), String> {
        if batch.accounts.is_empty() {
            return Ok(());
        }
        if batch.territories.is_empty() {
            return Err("there is no territory to assign accounts to; add one".to_owned());
        }
        // Everything happens in order of ids, so that the order of rows cannot change the answer.
        let accounts = order(batch.accounts.len(), |row| batch.accounts.row(row).account_id());
        let territories = order(batch.territories.len(), |row| batch.territories.row(row).territory_id());
        let problem = problem(batch, &self.0, &accounts, &territories)?;
        let options = Options {
            tolerance: self.0.tolerance.float(),
            compactness: self.0.compactness.float(),
            move_price: self.0.move_price.float(),
            seed: self.0.seed,
            iterations: self.0.iterations,
        };
        let owners = balance::assign(&problem, &options);
        for (account, owner) in accounts.iter().zip(&owners) {
            assignments.assign(*account, territories[*owner]);
        }
        let quality = balance::quality(&problem, &owners);
        attain_sdk::log(&format!(
            "the largest deviation from the mean is {} %, {} accounts moved",
            libm::round(quality.worst_deviation * 1000.0) / 10.0,
            quality.moved_count
        ));
        Ok(())
    }
}

fn order<'a>(count: usize, id: impl Fn(usize) -> Option<&'a str>) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..count).collect();
    rows.sort_by_key(|row| id(*row));
    rows
}

fn problem(batch: &TerritoryBatch, settings: &Settings, accounts: &[usize], territories: &[usize]) -> Result<Problem, String> {
    if let Some(unknown) = settings.weights.keys().find(|name| !batch.measures.iter().any(|(own, _)| own == *name)) {
        return Err(format!("`weights` names the measure `{unknown}`, which accounts do not have"));
    }
    let mut rank = vec![0; territories.len()];
    for (place, row) in territories.iter().enumerate() {
        rank[*row] = place;
    }
    let present_rows = batch.present();
    let present: Vec<Option<usize>> = accounts.iter().map(|row| present_rows[*row].map(|row| rank[row])).collect();
    let locked: Vec<bool> = accounts.iter().map(|row| batch.accounts.row(*row).locked() == Some(1)).collect();
    for (index, row) in accounts.iter().enumerate() {
        if locked[index] && present[index].is_none() {
            let id = batch.accounts.row(*row).account_id().unwrap_or_default();
            return Err(format!(
                "account `{id}` is locked and its territory is not among those to assign to; unlock it or add the territory"
            ));
        }
    }
    let (mut measures, mut weights) = (Vec::new(), Vec::new());
    for (name, column) in &batch.measures {
        let weight = settings.weights.get(name).map_or(1.0, |weight| weight.float());
        let values = values(name, column, accounts, batch)?;
        // What nobody has cannot be balanced.
        if weight > 0.0 && values.iter().any(|value| *value > 0) {
            measures.push(values);
            weights.push(weight);
        }
    }
    Ok(Problem {
        places: accounts.iter().map(|row| place(batch.accounts.latitude.get(*row), batch.accounts.longitude.get(*row))).collect(),
        present,
        locked,
        measures,
        weights,
        centres: territories.iter().map(|row| place(batch.territories.latitude.get(*row), batch.territories.longitude.get(*row))).collect(),
    })
}

fn values(name: &str, column: &NumberColumn, accounts: &[usize], batch: &TerritoryBatch) -> Result<Vec<i64>, String> {
    accounts
        .iter()
        .map(|row| match column.get(*row).unwrap_or(0) {
            value if value < 0 => {
                let id = batch.accounts.row(*row).account_id().unwrap_or_default();
                Err(format!("account `{id}` has a negative `{name}`; a measure to balance is zero or more"))
            }
            value => Ok(value),
        })
        .collect()
}

fn place(latitude: Option<i64>, longitude: Option<i64>) -> Option<Place> {
    Some(balance::place(latitude? as f64 / 1e8, longitude? as f64 / 1e8))
}

attain_sdk::register!(territory: TerritoryBalance);

#[cfg(test)]
attain_sdk::test_cases!(territory: TerritoryBalance);
