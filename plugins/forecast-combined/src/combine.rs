//! The mean of the models, put back into season, with intervals from the errors that the mean itself made in the sample.

use crate::models::{self, Fit};
use crate::season::Season;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    Theta,
    DampedTrend,
    DynamicTheta,
    Seasonal,
}

impl Model {
    pub const ALL: [Model; 4] = [Model::Theta, Model::DampedTrend, Model::DynamicTheta, Model::Seasonal];

    pub fn from_name(name: &str) -> Option<Model> {
        Some(match name {
            "theta" => Model::Theta,
            "damped-trend" => Model::DampedTrend,
            "dynamic-theta" => Model::DynamicTheta,
            "seasonal" => Model::Seasonal,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone)]
pub struct Options {
    /// Values per season; 1 is none.
    pub season: usize,
    pub steps: usize,
    /// Part of the outcomes that the interval shall hold, above 0 and below 1.
    pub coverage: f64,
    pub models: Vec<Model>,
    /// A series without negative values gets no negative forecast.
    pub keeps_sign: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// In-sample errors flatter a model that was fitted to them; by this factor intervals hold on the M3 series what they promise.
const FLATTERY: f64 = 1.25;
/// Fewer values than this tell no model anything.
const MODEL_VALUES_MIN: usize = 5;

/// The next `steps` values of a series; `None` is a missing observation. Empty where nothing was ever observed.
pub fn forecast(series: &[Option<f64>], options: &Options) -> Vec<Step> {
    let Some(first) = series.iter().position(Option::is_some) else { return Vec::new() };
    let last = series.iter().rposition(Option::is_some).unwrap_or(first);
    // What is missing at the end lies in the future of what is known: it is forecast and not reported.
    let unknown = series.len() - 1 - last;
    let values = filled(&series[first..=last]);
    let steps = unknown + options.steps;
    let (centre, errors) = if values.len() < MODEL_VALUES_MIN { naive(&values, steps) } else { combined(&values, steps, options) };
    let deviation = FLATTERY * spread(&errors);
    let quantile = normal_quantile(0.5 + options.coverage / 2.0);
    let is_bounded = options.keeps_sign && values.iter().all(|value| *value >= 0.0);
    let bounded = |value: f64| if is_bounded && value < 0.0 { 0.0 } else { value };
    centre
        .into_iter()
        .enumerate()
        .skip(unknown)
        .map(|(step, value)| {
            let reach = quantile * deviation * libm::sqrt((step + 1) as f64);
            Step { value: bounded(value), low: bounded(value - reach), high: bounded(value + reach) }
        })
        .collect()
}

/// Missing values between two observations on the line between them. The first and the last are there.
fn filled(series: &[Option<f64>]) -> Vec<f64> {
    let mut values: Vec<f64> = Vec::with_capacity(series.len());
    for (place, value) in series.iter().enumerate() {
        let value = value.or_else(|| {
            let before = *values.last()?;
            let (distance, after) =
                series[place..].iter().enumerate().find_map(|(distance, value)| value.map(|value| (distance, value)))?;
            Some(before + (after - before) / (distance + 1) as f64)
        });
        values.extend(value);
    }
    values
}

/// The last value goes on.
fn naive(values: &[f64], steps: usize) -> (Vec<f64>, Vec<f64>) {
    let last = values[values.len() - 1];
    (vec![last; steps], values.windows(2).map(|pair| pair[1] - pair[0]).collect())
}

fn combined(values: &[f64], steps: usize, options: &Options) -> (Vec<f64>, Vec<f64>) {
    let season = Season::find_within(values, options.season);
    let plain: Vec<f64> = match &season {
        Some(season) => values.iter().enumerate().map(|(place, value)| season.remove(*value, place)).collect(),
        None => values.to_vec(),
    };
    let in_season = |fit: Fit| -> Fit {
        match &season {
            Some(season) => Fit {
                fitted: fit.fitted.iter().enumerate().map(|(place, value)| season.apply(*value, place)).collect(),
                ahead: fit.ahead.iter().enumerate().map(|(step, value)| season.apply(*value, values.len() + step)).collect(),
            },
            None => fit,
        }
    };
    let mut fits: Vec<Fit> = Vec::with_capacity(options.models.len());
    for model in &options.models {
        match model {
            Model::Theta => fits.push(in_season(models::theta(&plain, steps))),
            Model::DampedTrend => fits.push(in_season(models::damped_trend(&plain, steps))),
            Model::DynamicTheta => fits.push(in_season(models::dynamic_theta(&plain, steps))),
            // Without a season it has nothing to say that the others do not say better.
            Model::Seasonal => {
                if let Some(season) = &season
                    && values.len() >= 2 * season.indices.len() + 4
                {
                    fits.push(models::seasonal(values, season.indices.len(), season.is_multiplicative, steps));
                }
            }
        }
    }
    fits.retain(|fit| fit.ahead.iter().chain(&fit.fitted).all(|value| value.is_finite()));
    if fits.is_empty() {
        return naive(values, steps);
    }
    let mean = |pick: &dyn Fn(&Fit) -> f64| fits.iter().map(pick).sum::<f64>() / fits.len() as f64;
    let ahead = (0..steps).map(|step| mean(&|fit| fit.ahead[step])).collect();
    // The first two values are where the models start from.
    let errors = (2..values.len()).map(|place| values[place] - mean(&|fit| fit.fitted[place])).collect();
    (ahead, errors)
}

/// Root mean square.
fn spread(errors: &[f64]) -> f64 {
    if errors.is_empty() {
        return 0.0;
    }
    libm::sqrt(errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64)
}

/// The value below which a standard normal variable lies with the probability given (0.5 to 1), by bisection on `erf`.
fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if 0.5 * (1.0 + libm::erf(middle / std::f64::consts::SQRT_2)) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { season: 4, steps: 4, coverage: 0.8, models: Model::ALL.to_vec(), keeps_sign: true }
    }

    fn some(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn a_constant_series_stays_constant_without_doubt() {
        for value in [0.0, 5.0, -3.0] {
            for count in [1, 2, 4, 5, 9, 40] {
                for step in forecast(&vec![Some(value); count], &options()) {
                    assert!((step.value - value).abs() < 1e-9 && (step.high - step.low).abs() < 1e-9, "{count} of {value}: {step:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_observed_nothing_forecast() {
        assert!(forecast(&[], &options()).is_empty());
        assert!(forecast(&[None, None], &options()).is_empty());
    }

    #[test]
    fn a_missing_value_inside_is_bridged_and_one_at_the_end_is_skipped() {
        let whole: Vec<f64> = (0..16).map(|place| 10.0 + place as f64).collect();
        let mut holed = some(&whole);
        holed[7] = None;
        assert_eq!(forecast(&holed, &options()), forecast(&some(&whole), &options()));
        let mut cut = some(&whole);
        cut.push(None);
        let longer = forecast(&some(&whole), &Options { steps: 5, ..options() });
        assert_eq!(forecast(&cut, &options()), longer[1..]);
    }

    #[test]
    fn intervals_grow_with_the_horizon_and_with_coverage() {
        let values: Vec<f64> = (0..20).map(|place| 100.0 + [3.0, -4.0, 1.0, 5.0, -2.0][place % 5] + place as f64).collect();
        let steps = forecast(&some(&values), &options());
        assert!(steps.windows(2).all(|pair| pair[1].high - pair[1].low > pair[0].high - pair[0].low), "{steps:?}");
        let wide = forecast(&some(&values), &Options { coverage: 0.95, ..options() });
        assert!(
            steps.iter().zip(&wide).all(|(narrow, wide)| wide.low < narrow.low && narrow.low < narrow.value && narrow.value < narrow.high)
        );
    }

    #[test]
    fn sales_do_not_become_negative_and_what_was_negative_may() {
        let falling: Vec<f64> = (0..12).map(|place| 60.0 - 5.0 * place as f64).collect();
        assert!(forecast(&some(&falling), &options()).iter().all(|step| step.value >= 0.0 && step.low >= 0.0));
        let crossing: Vec<f64> = falling.iter().map(|value| value - 30.0).collect();
        assert!(forecast(&some(&crossing), &options()).iter().all(|step| step.value < 0.0));
    }

    #[test]
    fn a_season_goes_on() {
        let values: Vec<f64> = (0..24).map(|place| (100.0 + place as f64) * [0.7, 1.0, 1.4, 0.9][place % 4]).collect();
        let steps = forecast(&some(&values), &options());
        assert!(steps[2].value > 1.5 * steps[0].value && steps[2].value > steps[3].value, "{steps:?}");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        assert!((normal_quantile(0.9) - 1.281_551_6).abs() < 1e-6);
        assert!((normal_quantile(0.975) - 1.959_964).abs() < 1e-6);
    }
}
