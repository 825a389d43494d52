//! Accuracy on the quarterly series of the M3 competition, against seasonal naive and against Theta alone. The data are not part
//! of this repository: `ATTAIN_M3_DIR` names a folder with `quarterly_train.csv` and `quarterly_test.csv` (`id,category,horizon,values…`).
#![expect(clippy::print_stdout, reason = "the figures are what the test is for")]

use forecast_combined::combine::{Model, Options, forecast};
use std::path::{Path, PathBuf};

const SEASON: usize = 4;

/// Values per series, or `None` where the file is absent.
fn read(path: &Path) -> Option<Vec<Vec<f64>>> {
    let text = std::fs::read_to_string(path).ok()?;
    let row =
        |line: &str| line.split(',').skip(3).filter(|field| !field.is_empty()).map(|field| field.parse().expect("a number")).collect();
    Some(text.lines().map(row).collect())
}

#[derive(Default)]
struct Accuracy {
    smape: f64,
    mase: f64,
    inside: usize,
    count: usize,
}

fn measure(train: &[Vec<f64>], test: &[Vec<f64>], predict: impl Fn(&[f64]) -> Vec<(f64, f64, f64)>) -> Accuracy {
    let mut accuracy = Accuracy::default();
    for (known, actual) in train.iter().zip(test) {
        let scale =
            (SEASON..known.len()).map(|place| (known[place] - known[place - SEASON]).abs()).sum::<f64>() / (known.len() - SEASON) as f64;
        let (mut smape, mut mase) = (0.0, 0.0);
        for ((value, low, high), actual) in predict(known).into_iter().zip(actual) {
            smape += 200.0 * (value - actual).abs() / (value.abs() + actual.abs());
            mase += (value - actual).abs() / scale;
            accuracy.inside += usize::from((low..=high).contains(actual));
            accuracy.count += 1;
        }
        accuracy.smape += smape / actual.len() as f64 / train.len() as f64;
        accuracy.mase += mase / actual.len() as f64 / train.len() as f64;
    }
    accuracy
}

#[test]
fn the_mean_of_the_models_beats_theta_alone_and_its_intervals_hold() {
    let folder = std::env::var_os("ATTAIN_M3_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/m3_quarterly"), PathBuf::from);
    let (Some(train), Some(test)) = (read(&folder.join("quarterly_train.csv")), read(&folder.join("quarterly_test.csv"))) else {
        println!("skipped: no M3 series in `{}`; name their folder in ATTAIN_M3_DIR", folder.display());
        return;
    };
    let horizon = test[0].len();
    let with = |models: Vec<Model>| {
        measure(&train, &test, |known| {
            let options = Options { season: SEASON, steps: horizon, coverage: 0.8, models: models.clone(), keeps_sign: true };
            let known: Vec<Option<f64>> = known.iter().copied().map(Some).collect();
            forecast(&known, &options).into_iter().map(|step| (step.value, step.low, step.high)).collect()
        })
    };
    let naive = measure(&train, &test, |known| {
        (0..horizon).map(|step| known[known.len() - SEASON + step % SEASON]).map(|value| (value, value, value)).collect()
    });
    let owa = |accuracy: &Accuracy| (accuracy.smape / naive.smape + accuracy.mase / naive.mase) / 2.0;
    println!("{} series; OWA against seasonal naive (sMAPE {:.3}, MASE {:.3})", train.len(), naive.smape, naive.mase);
    for model in Model::ALL {
        let own = with(vec![model]);
        println!("{model:?} alone: sMAPE {:.3} MASE {:.3} OWA {:.4}", own.smape, own.mase, owa(&own));
    }
    let (theta, all) = (with(vec![Model::Theta]), with(Model::ALL.to_vec()));
    let coverage = all.inside as f64 / all.count as f64;
    println!(
        "combined: sMAPE {:.3} MASE {:.3} OWA {:.4}; {:.1} % inside the 80 % interval",
        all.smape,
        all.mase,
        owa(&all),
        100.0 * coverage
    );
    assert!(owa(&all) < owa(&theta), "combined {} against theta {}", owa(&all), owa(&theta));
    assert!((0.75..0.85).contains(&coverage), "{coverage}");
}
