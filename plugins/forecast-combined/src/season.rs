//! Classical decomposition: how strong a season is, and its indices.

/// Seasonal indices of a series, to be added or multiplied.
#[derive(Debug, Clone, PartialEq)]
pub struct Season {
    pub is_multiplicative: bool,
    /// One for each place in the season, starting at the first value.
    pub indices: Vec<f64>,
}

impl Season {
    /// Season of `values` with `length` places, else with the largest part of `length` (three places or more) that is seen: a
    /// company whose quarters end high shows it in months long before two whole years show the year.
    pub fn find_within(values: &[f64], length: usize) -> Option<Season> {
        let parts = (3..length).rev().filter(|part| length.is_multiple_of(*part));
        std::iter::once(length).chain(parts).find_map(|length| Season::find(values, length))
    }

    /// Season of `values` with `length` places; `None` where two full rounds are missing or a test at 90 % sees no season.
    pub fn find(values: &[f64], length: usize) -> Option<Season> {
        if length < 2 || values.len() < 2 * length || values.len() < 8 || !is_seasonal(values, length) {
            return None;
        }
        let trend = centred_average(values, length);
        let is_multiplicative = values.iter().all(|value| *value > 0.0) && trend.iter().flatten().all(|value| *value > 0.0);
        let neutral = if is_multiplicative { 1.0 } else { 0.0 };
        let mut sums = vec![(0.0, 0u32); length];
        for (place, (value, trend)) in values.iter().zip(&trend).enumerate() {
            if let Some(trend) = trend {
                let (sum, count) = &mut sums[place % length];
                *sum += if is_multiplicative { value / trend } else { value - trend };
                *count += 1;
            }
        }
        let mut indices: Vec<f64> = sums.iter().map(|(sum, count)| if *count > 0 { sum / f64::from(*count) } else { neutral }).collect();
        let mean = indices.iter().sum::<f64>() / length as f64;
        for index in &mut indices {
            if is_multiplicative { *index /= mean } else { *index -= mean }
        }
        // A season that takes nearly everything away cannot be divided out.
        if is_multiplicative && indices.iter().any(|index| *index < 0.01) {
            return None;
        }
        Some(Season { is_multiplicative, indices })
    }

    pub fn remove(&self, value: f64, place: usize) -> f64 {
        let index = self.indices[place % self.indices.len()];
        if self.is_multiplicative { value / index } else { value - index }
    }

    pub fn apply(&self, value: f64, place: usize) -> f64 {
        let index = self.indices[place % self.indices.len()];
        if self.is_multiplicative { value * index } else { value + index }
    }
}

/// Autocorrelation at the season's lag against its limit at 90 %, as in the Theta method.
fn is_seasonal(values: &[f64], length: usize) -> bool {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    if variance <= 0.0 {
        return false;
    }
    let correlation = |lag: usize| -> f64 {
        (lag..values.len()).map(|place| (values[place] - mean) * (values[place - lag] - mean)).sum::<f64>() / variance
    };
    let earlier: f64 = (1..length).map(|lag| correlation(lag) * correlation(lag)).sum();
    correlation(length).abs() > 1.645 * libm::sqrt((1.0 + 2.0 * earlier) / count)
}

/// Average over one season around each value; `None` near the ends.
fn centred_average(values: &[f64], length: usize) -> Vec<Option<f64>> {
    let half = length / 2;
    (0..values.len())
        .map(|place| {
            if place < half || place + half >= values.len() {
                return None;
            }
            let window = &values[place - half..=place + half];
            let sum: f64 = window.iter().sum();
            Some(if length % 2 == 1 { sum / length as f64 } else { (sum - 0.5 * (window[0] + window[length])) / length as f64 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_found_removed_and_applied() {
        let values: Vec<f64> = (0..24).map(|place| (100.0 + place as f64) * [0.8, 1.0, 1.3, 0.9][place % 4]).collect();
        let season = Season::find(&values, 4).expect("a season");
        assert!(season.is_multiplicative && (season.indices[2] - 1.3).abs() < 0.02, "{season:?}");
        assert!((season.apply(season.remove(values[5], 5), 5) - values[5]).abs() < 1e-9);
    }

    #[test]
    fn a_series_that_crosses_zero_has_an_additive_season() {
        let values: Vec<f64> = (0..24).map(|place| [-5.0, 1.0, 6.0, -2.0][place % 4]).collect();
        assert!(Season::find(&values, 4).is_some_and(|season| !season.is_multiplicative));
    }

    #[test]
    fn high_ends_of_quarters_are_seen_in_two_years_of_months() {
        let values: Vec<f64> =
            (0..24).map(|place| [6.5, 8.0, 12.5][place % 3] + 0.05 * place as f64 + 0.3 * ((place * 7 % 5) as f64)).collect();
        let season = Season::find_within(&values, 12).expect("a season");
        assert!(season.indices.len().is_multiple_of(3) && season.indices.len() < 12, "{season:?}");
        assert!(season.indices[2] > season.indices[0] && season.indices[2] > season.indices[1], "{season:?}");
    }

    #[test]
    fn constant_and_short_series_have_no_season() {
        assert_eq!(Season::find(&[5.0; 24], 4), None);
        assert_eq!(Season::find(&[1.0, 2.0, 1.0, 2.0], 2), None);
    }
}
