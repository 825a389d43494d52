//! Four simple models, each fitted by its own squared one-step errors on a fixed grid that is then refined: no starting point,
//! no tolerance and no order of evaluation can change the answer.

/// What a model says: the value expected at each place from what lay before it, and beyond the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    pub fitted: Vec<f64>,
    pub ahead: Vec<f64>,
}

/// The parameters in `bounds` with the least `loss`: a grid of `points` per axis, refined around the best one four times.
fn search<const N: usize>(bounds: [(f64, f64); N], points: usize, mut loss: impl FnMut(&[f64; N]) -> f64) -> [f64; N] {
    let mut ranges = bounds;
    let mut best = (f64::INFINITY, bounds.map(|(low, high)| (low + high) / 2.0));
    for _ in 0..5 {
        let centre_of_round = ranges;
        for number in 0..points.pow(N as u32) {
            let mut rest = number;
            let mut candidate = [0.0; N];
            for (value, (low, high)) in candidate.iter_mut().zip(centre_of_round) {
                *value = low + (high - low) * (rest % points) as f64 / (points - 1) as f64;
                rest /= points;
            }
            let own = loss(&candidate);
            if own < best.0 {
                best = (own, candidate);
            }
        }
        for axis in 0..N {
            let width = (ranges[axis].1 - ranges[axis].0) / (points - 1) as f64;
            ranges[axis] = ((best.1[axis] - width).max(bounds[axis].0), (best.1[axis] + width).min(bounds[axis].1));
        }
    }
    best.1
}

/// Intercept and slope of the least-squares line through the values at 0, 1, 2, …
fn line(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let (mut over, mut under) = (0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        over += (place as f64 - middle) * (value - mean);
        under += (place as f64 - middle) * (place as f64 - middle);
    }
    let slope = if under > 0.0 { over / under } else { 0.0 };
    (mean - slope * middle, slope)
}

/// Theta (Assimakopoulos and Nikolopoulos 2000) in the form of Hyndman and Billah: exponential smoothing with half the slope as drift.
pub fn theta(values: &[f64], steps: usize) -> Fit {
    let (_, slope) = line(values);
    let drift = slope / 2.0;
    // What the drift adds to the smoothed level one step ahead, after `seen` values.
    let reach = |alpha: f64, seen: usize| drift * (1.0 - libm::pow(1.0 - alpha, seen as f64)) / alpha;
    let run = |alpha: f64, mut fitted: Option<&mut Vec<f64>>| -> (f64, f64) {
        let (mut level, mut loss) = (values[0], 0.0);
        for (place, value) in values.iter().enumerate() {
            let expected = level + reach(alpha, place);
            if let Some(fitted) = fitted.as_deref_mut() {
                fitted.push(expected);
            }
            loss += (value - expected) * (value - expected);
            level += alpha * (value - level);
        }
        (level, loss)
    };
    let [alpha] = search([(0.02, 1.0)], 15, |[alpha]| run(*alpha, None).1);
    let mut fitted = Vec::with_capacity(values.len());
    let (level, _) = run(alpha, Some(&mut fitted));
    Fit { fitted, ahead: (0..steps).map(|step| level + drift * step as f64 + reach(alpha, values.len())).collect() }
}

/// Holt's linear trend, damped (Gardner and McKenzie 1985).
pub fn damped_trend(values: &[f64], steps: usize) -> Fit {
    let first_trend = {
        let count = values.len().min(5);
        line(&values[..count]).1
    };
    let run = |[alpha, beta, phi]: &[f64; 3], mut fitted: Option<&mut Vec<f64>>| -> (f64, f64, f64) {
        let (mut level, mut trend, mut loss) = (values[0], first_trend, 0.0);
        for value in &values[1..] {
            let expected = level + phi * trend;
            if let Some(fitted) = fitted.as_deref_mut() {
                fitted.push(expected);
            }
            let error = value - expected;
            loss += error * error;
            level = expected + alpha * error;
            trend = phi * trend + alpha * beta * error;
        }
        (level, trend, loss)
    };
    let parameters = search([(0.05, 0.99), (0.01, 0.6), (0.8, 0.98)], 5, |parameters| run(parameters, None).2);
    let mut fitted = vec![values[0]];
    let (level, trend, _) = run(&parameters, Some(&mut fitted));
    let phi = parameters[2];
    let (mut damping, mut reach) = (1.0, 0.0);
    let ahead = (0..steps)
        .map(|_| {
            damping *= phi;
            reach += damping;
            level + reach * trend
        })
        .collect();
    Fit { fitted, ahead }
}

/// Dynamic optimised Theta (Fiorucci and others 2016): the trend line follows the data, and how far its slope counts is fitted too.
pub fn dynamic_theta(values: &[f64], steps: usize) -> Fit {
    struct State {
        level: f64,
        mean: f64,
        slope: f64,
        seen: f64,
    }
    let expect = |state: &State, alpha: f64, theta: f64| -> f64 {
        let kept = libm::pow(1.0 - alpha, state.seen);
        let intercept = state.mean - state.slope * (state.seen + 1.0) / 2.0;
        // Coefficients of the dynamic line: its intercept fades, its slope reaches 1 ÷ alpha.
        state.level + (1.0 - 1.0 / theta) * (kept * intercept + (1.0 - kept * (1.0 - alpha)) / alpha * state.slope)
    };
    let update = |state: &mut State, alpha: f64, value: f64| {
        state.level += alpha * (value - state.level);
        let seen = state.seen + 1.0;
        let mean = (state.seen * state.mean + value) / seen;
        state.slope = if seen < 2.0 { 0.0 } else { ((seen - 2.0) * state.slope + 6.0 * (value - state.mean) / seen) / (seen + 1.0) };
        state.mean = mean;
        state.seen = seen;
    };
    let run = |[alpha, theta]: &[f64; 2], mut fitted: Option<&mut Vec<f64>>| -> (State, f64) {
        // The state after the first value, started so that a constant series is expected to stay constant.
        let level = values[0] * (alpha + (1.0 - alpha) / theta);
        let mut state = State { level, mean: values[0], slope: 0.0, seen: 1.0 };
        let mut loss = 0.0;
        for (place, value) in values.iter().enumerate().skip(1) {
            let expected = expect(&state, *alpha, *theta);
            if let Some(fitted) = fitted.as_deref_mut() {
                fitted.push(expected);
            }
            // The first values determine the line, so they cannot judge it.
            if place >= 3 {
                loss += (value - expected) * (value - expected);
            }
            update(&mut state, *alpha, *value);
        }
        (state, loss)
    };
    let parameters = search([(0.1, 0.99), (1.0, 4.0)], 9, |parameters| run(parameters, None).1);
    let mut fitted = vec![values[0]];
    let (mut state, _) = run(&parameters, Some(&mut fitted));
    let [alpha, theta] = parameters;
    let mut ahead = Vec::with_capacity(steps);
    for _ in 0..steps {
        let expected = expect(&state, alpha, theta);
        ahead.push(expected);
        update(&mut state, alpha, expected);
    }
    Fit { fitted, ahead }
}

/// Exponential smoothing with an additive season and a damped trend, on logs where `is_multiplicative`. Needs two full seasons.
pub fn seasonal(values: &[f64], length: usize, is_multiplicative: bool, steps: usize) -> Fit {
    let working: Vec<f64> = values.iter().map(|value| if is_multiplicative { libm::log(*value) } else { *value }).collect();
    let round = |from: usize| working[from..from + length].iter().sum::<f64>() / length as f64;
    let (first, second) = (round(0), round(length));
    let first_trend = (second - first) / length as f64;
    let middle = (length as f64 - 1.0) / 2.0;
    let mut start: Vec<f64> = (0..length)
        .map(|place| {
            let detrended = |place: usize| working[place] - (first + first_trend * (place as f64 - middle));
            (detrended(place) + detrended(place + length)) / 2.0
        })
        .collect();
    let mean = start.iter().sum::<f64>() / length as f64;
    start.iter_mut().for_each(|index| *index -= mean);
    let first_level = first - first_trend * (middle + 1.0);
    let run = |[alpha, beta, gamma, phi]: &[f64; 4], mut fitted: Option<&mut Vec<f64>>| -> (f64, f64, Vec<f64>, f64) {
        let (mut level, mut trend, mut season, mut loss) = (first_level, first_trend, start.clone(), 0.0);
        for (place, value) in working.iter().enumerate() {
            let at = place % length;
            let base = level + phi * trend;
            let expected = base + season[at];
            if let Some(fitted) = fitted.as_deref_mut() {
                fitted.push(expected);
            }
            let error = value - expected;
            loss += error * error;
            level = base + alpha * error;
            trend = phi * trend + alpha * beta * error;
            season[at] += gamma * (1.0 - alpha) * error;
        }
        (level, trend, season, loss)
    };
    let parameters = search([(0.05, 0.95), (0.01, 0.4), (0.02, 0.5), (0.8, 0.98)], 4, |parameters| run(parameters, None).3);
    let mut fitted = Vec::with_capacity(values.len());
    let (level, trend, season, _) = run(&parameters, Some(&mut fitted));
    let (mut damping, mut reach) = (1.0, 0.0);
    let mut ahead = Vec::with_capacity(steps);
    for step in 0..steps {
        damping *= parameters[3];
        reach += damping;
        ahead.push(level + reach * trend + season[(working.len() + step) % length]);
    }
    if is_multiplicative {
        fitted.iter_mut().chain(&mut ahead).for_each(|value| *value = libm::exp(*value));
    }
    Fit { fitted, ahead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_continues_a_straight_line() {
        let values: Vec<f64> = (0..20).map(|place| 100.0 + 3.0 * place as f64).collect();
        // Theta keeps half the slope by design; the damped trend loses some of it.
        for (fit, slope_min, slope_max) in
            [(theta(&values, 4), 1.4, 1.6), (damped_trend(&values, 4), 2.5, 3.1), (dynamic_theta(&values, 4), 1.4, 3.1)]
        {
            let slope = fit.ahead[3] - fit.ahead[2];
            assert!((slope_min..=slope_max).contains(&slope), "{fit:?}");
            assert!((fit.ahead[0] - 160.0).abs() < 3.0, "{fit:?}");
            assert_eq!(fit.fitted.len(), values.len());
        }
    }

    #[test]
    fn the_seasonal_model_repeats_the_season() {
        let values: Vec<f64> = (0..24).map(|place| 50.0 + [4.0, -3.0, 1.0, -2.0][place % 4]).collect();
        let fit = seasonal(&values, 4, false, 4);
        for (ahead, expected) in fit.ahead.iter().zip([54.0, 47.0, 51.0, 48.0]) {
            assert!((ahead - expected).abs() < 0.5, "{fit:?}");
        }
    }

    #[test]
    fn a_search_finds_the_bottom() {
        let [x, y] = search([(0.0, 1.0), (-3.0, 3.0)], 9, |[x, y]| (x - 0.3) * (x - 0.3) + (y - 1.7) * (y - 1.7));
        assert!((x - 0.3).abs() < 0.001 && (y - 1.7).abs() < 0.01, "{x} {y}");
    }
}
