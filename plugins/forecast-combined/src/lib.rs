//! Continues series by the mean of four simple models, with intervals from its own errors.

pub mod combine;
pub mod models;
pub mod season;

use attain_sdk::{Forecast, ForecastBatch, Forecasts, NULL};
use combine::{Model, Options};
use serde::Deserialize;

/// More would be no forecast, and each series costs time in proportion.
const STEPS_MAX: usize = 1_000;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    models: Option<Vec<String>>,
    keeps_sign: bool,
    #[serde(deserialize_with = "attain_sdk::exact::money")]
    step: i64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { models: None, keeps_sign: true, step: 100 }
    }
}

pub struct ForecastCombined {
    models: Vec<Model>,
    keeps_sign: bool,
    step: i64,
}

impl Forecast for ForecastCombined {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<ForecastCombined, String> {
        let mut models = Vec::new();
        for name in settings.models.unwrap_or_else(|| ["theta", "damped-trend", "dynamic-theta", "seasonal"].map(str::to_owned).to_vec()) {
            let model = Model::from_name(&name)
                .ok_or_else(|| format!("`{name}` is no model; write some of theta, damped-trend, dynamic-theta, seasonal"))?;
            if !models.contains(&model) {
                models.push(model);
            }
        }
        if models.is_empty() {
            return Err("`models` is empty; name at least one or leave it out".to_owned());
        }
        if settings.step <= 0 {
            return Err("`step` must be above zero, for example \"0.01\"".to_owned());
        }
        Ok(ForecastCombined { models, keeps_sign: settings.keeps_sign, step: settings.step })
    }

    fn forecast(&mut self, batch: &ForecastBatch, forecasts: &mut Forecasts) -> Result<(), String> {
        if batch.steps > STEPS_MAX {
            return Err(format!("a horizon of `{}` steps is too far; ask for at most {STEPS_MAX}", batch.steps));
        }
        let coverage = batch.coverage as f64 / 1e8;
        if !(coverage > 0.0 && coverage < 1.0) {
            return Err("the coverage is not between 0 and 1; write for example \"0.8\"".to_owned());
        }
        let options =
            Options { season: batch.season, steps: batch.steps, coverage, models: self.models.clone(), keeps_sign: self.keeps_sign };
        for series in &batch.series {
            let values: Vec<Option<f64>> = series.values.iter().map(|value| value.map(|value| value as f64 / 1e4)).collect();
            let steps = combine::forecast(&values, &options);
            for step in 0..batch.steps {
                let known = steps.get(step);
                let rounded = |value: f64| self.rounded(value);
                forecasts.push(
                    &series.id,
                    step + 1,
                    known.and_then(|known| rounded(known.value)),
                    known.and_then(|known| rounded(known.low)),
                    known.and_then(|known| rounded(known.high)),
                );
            }
        }
        Ok(())
    }
}

impl ForecastCombined {
    /// As a multiple of the step; `None` when it does not fit an amount.
    fn rounded(&self, value: f64) -> Option<i64> {
        let steps = libm::round(value * 1e4 / self.step as f64);
        if steps.abs() > 9e15 {
            return None;
        }
        (steps as i64).checked_mul(self.step).filter(|amount| *amount != NULL)
    }
}

attain_sdk::register!(forecast: ForecastCombined);

#[cfg(test)]
attain_sdk::test_cases!(forecast: ForecastCombined);
