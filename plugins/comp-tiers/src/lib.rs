//! Tiers, flat rates, threshold bonuses and accelerators: the fast twin of the scripts `comp-tiered`, `comp-flat`,
//! `comp-threshold-bonus` and `comp-accelerator`.

pub mod exact;
pub mod formula;
pub mod settings;

use attain_sdk::{Compensation, CompensationBatch, Earnings, NULL, NumberColumn, Text};
use formula::{Formula, Paid, Rounding, Row};
use settings::Settings;

pub struct CompTiers(Formula);

impl Compensation for CompTiers {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<CompTiers, String> {
        Formula::new(&settings).map(CompTiers)
    }

    fn pay(&mut self, batch: &CompensationBatch, earnings: &mut Earnings) -> Result<(), String> {
        let (own_rates, own_bonuses) = (batch.param("rate"), batch.param("bonus"));
        let at = |column: &NumberColumn, row: usize| column.values.get(row).copied().unwrap_or(NULL);
        let columns = &batch.rows;
        let rows = (0..columns.len()).map(|row| Row {
            credited: at(&columns.credited, row),
            prior: at(&columns.prior, row),
            to_date: at(&columns.to_date, row),
            quota: at(&columns.quota, row),
            target: at(&columns.target, row),
            param_rate: own_rates.map_or(NULL, |column| at(column, row)),
            param_bonus: own_bonuses.map_or(NULL, |column| at(column, row)),
        });
        let paid = self.0.pay(rows, |row| {
            let rounding = batch.rounding(row);
            Rounding { mode: rounding.mode, step: rounding.step.to_rate(rounding.mode).unwrap_or(0) }
        })?;
        report(&paid, &self.0.labels, earnings);
        Ok(())
    }
}

fn report(paid: &Paid, labels: &[String], earnings: &mut Earnings) {
    for (row, amount) in paid.amounts.iter().enumerate() {
        earnings.pay_rounded(row, *amount);
    }
    let labels: Vec<Text> = labels.iter().map(|label| earnings.label(label)).collect();
    for index in 0..paid.rows.len() {
        let label = labels[paid.labels[index] as usize];
        earnings.slice_rates(paid.rows[index] as usize, label, paid.inputs[index], paid.rates[index], paid.slice_amounts[index]);
    }
}

attain_sdk::register!(compensation: CompTiers);

#[cfg(test)]
attain_sdk::test_cases!(compensation: CompTiers);
