//! How series go on.

use crate::column::{TextBuilder, take_table};
use crate::{Column, NULL, Table};

pub trait Forecast: Sized {
    type Settings: serde::de::DeserializeOwned;

    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Continues each series of the batch.
    fn forecast(&mut self, batch: &ForecastBatch, forecasts: &mut Forecasts) -> Result<(), String>;
}

/// One series: its observations (10^-4) in order of time, `None` where one is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    pub id: String,
    pub values: Vec<Option<i64>>,
}

#[derive(Debug, Clone)]
pub struct ForecastBatch {
    /// In order of first appearance.
    pub series: Vec<Series>,
    pub steps: usize,
    /// Observations in a season; 1 without one.
    pub season: usize,
    /// 10^-8: how often a value should lie between `low` and `high`.
    pub coverage: i64,
}

impl ForecastBatch {
    pub fn read(mut input: Vec<Table>) -> Result<ForecastBatch, String> {
        let mut rows = take_table(&mut input, "series");
        let (ids, values) = (rows.take_texts("series_id")?, rows.take_numbers("value", 4)?);
        let mut series: Vec<Series> = Vec::new();
        let mut known = vec![usize::MAX; ids.dictionary.len()];
        for row in 0..ids.codes.len() {
            let id = ids.get(row).ok_or_else(|| format!("row {row} of table `series` has no `series_id`"))?;
            let place = &mut known[ids.codes[row] as usize];
            if *place == usize::MAX {
                *place = series.len();
                series.push(Series { id: id.to_owned(), values: Vec::new() });
            }
            series[*place].values.push(values.get(row));
        }
        let mut horizon = take_table(&mut input, "horizon");
        let mut one = |name: &str, scale| horizon.take_numbers(name, scale).map(|column| column.get(0));
        let (steps, season, coverage) = (one("steps", 0)?, one("season", 0)?, one("coverage", 8)?);
        let count = |value: Option<i64>, least: usize| value.and_then(|value| usize::try_from(value).ok()).unwrap_or(least).max(least);
        Ok(ForecastBatch { series, steps: count(steps, 0), season: count(season, 1), coverage: coverage.unwrap_or(80_000_000) })
    }
}

/// The values to come, each with the interval it should lie in.
#[derive(Debug, Default)]
pub struct Forecasts {
    ids: TextBuilder,
    steps: Vec<i64>,
    values: Vec<i64>,
    lows: Vec<i64>,
    highs: Vec<i64>,
}

impl Forecasts {
    /// `step` counts from 1; the rest are integers of 10^-4, and `None` says that nothing can be said.
    pub fn push(&mut self, series: &str, step: usize, value: Option<i64>, low: Option<i64>, high: Option<i64>) {
        self.ids.push(Some(series));
        self.steps.push(step as i64);
        self.values.push(value.unwrap_or(NULL));
        self.lows.push(low.unwrap_or(NULL));
        self.highs.push(high.unwrap_or(NULL));
    }
}

pub(crate) fn answer<T: Forecast>(extension: &mut T, input: Vec<Table>) -> Result<Vec<Table>, String> {
    let batch = ForecastBatch::read(input)?;
    let mut forecasts = Forecasts::default();
    extension.forecast(&batch, &mut forecasts)?;
    Ok(vec![
        Table::new("forecast")
            .with("series_id", Column::Text(forecasts.ids.finish()))
            .with("step", Column::number(0, forecasts.steps))
            .with("value", Column::number(4, forecasts.values))
            .with("low", Column::number(4, forecasts.lows))
            .with("high", Column::number(4, forecasts.highs)),
    ])
}
