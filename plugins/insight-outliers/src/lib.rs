//! Points at pay that its peers do not explain.

pub mod outliers;

use attain_sdk::exact::format;
use attain_sdk::{Insight, InsightBatch, Insights, NULL, NULL_CODE};
use outliers::{Code, Options, Outlier, Row};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    threshold: Number,
    peer_count_min: usize,
    spread_min: Number,
    bands: Vec<Number>,
    count_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            threshold: Number(350_000_000),
            peer_count_min: 8,
            spread_min: Number(2_000_000),
            bands: [50, 80, 100, 120, 150].map(|percent| Number(percent * 1_000_000)).to_vec(),
            count_max: 200,
        }
    }
}

/// A decimal of 10⁻⁸, written in quotes or as a whole number.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
struct Number(#[serde(deserialize_with = "attain_sdk::exact::rate")] i64);

pub struct InsightOutliers {
    options: Options,
    count_max: usize,
}

impl Insight for InsightOutliers {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<InsightOutliers, String> {
        if settings.threshold.0 <= 0 || settings.spread_min.0 <= 0 {
            return Err("`threshold` and `spread_min` must be above zero".to_owned());
        }
        if settings.peer_count_min < 3 {
            return Err("`peer_count_min` is below 3; fewer peers have no middle to speak of".to_owned());
        }
        let bands: Vec<i64> = settings.bands.iter().map(|bound| bound.0).collect();
        if bands.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err("`bands` must ascend, for example [\"0.5\", \"1\"]".to_owned());
        }
        Ok(InsightOutliers {
            options: Options {
                threshold: settings.threshold.0 as f64 / 1e8,
                peer_count_min: settings.peer_count_min,
                spread_min: settings.spread_min.0 as f64 / 1e8,
                bands,
            },
            count_max: settings.count_max,
        })
    }

    fn look(&mut self, batch: &InsightBatch, insights: &mut Insights) -> Result<(), String> {
        let code = |codes: &[u32], row: usize| codes.get(row).copied().unwrap_or(NULL_CODE);
        let rows: Vec<Row> = batch
            .iter()
            .map(|row| Row {
                plan: code(&batch.plan_id.codes, row.index()),
                component: code(&batch.component_id.codes, row.index()),
                credited: row.credited().unwrap_or(NULL),
                attainment: row.attainment().unwrap_or(NULL),
                earned: row.earned().unwrap_or(NULL),
            })
            .collect();
        for outlier in outliers::find(&rows, &self.options).iter().take(self.count_max) {
            // A score says how much, so two digits are enough; a limit keeps it within its column.
            let score = libm::round(outlier.score.min(1e6) * 100.0) as i64 * 1_000_000;
            insights.push(outlier.row, outlier.code.name(), score, &message(&rows[outlier.row], outlier));
        }
        Ok(())
    }
}

fn message(row: &Row, outlier: &Outlier) -> String {
    let credited = if row.credited == NULL { 0 } else { row.credited };
    let (earned, credit) = (amount(row.earned), amount(credited));
    let peers = outlier.peers.map_or_else(String::new, |peers| {
        let band = match peers.band {
            Some((Some(from), Some(until))) => format!(" at {} to {} attainment", percent_of(from), percent_of(until)),
            Some((Some(from), None)) => format!(" from {} attainment on", percent_of(from)),
            Some((None, Some(until))) => format!(" below {} attainment", percent_of(until)),
            _ => String::new(),
        };
        format!("{} peers{band} are at {}", peers.count, percent(peers.rate))
    });
    match outlier.code {
        Code::RateHigh | Code::RateLow => {
            let rate = row.earned as f64 / credited as f64;
            format!("an effective rate of {} ({earned} earned on {credit} credited), while {peers}", percent(rate))
        }
        Code::CreditWithoutPay => format!("nothing was earned on {credit} credited, while {peers}"),
        Code::PayWithoutCredit if credited == 0 => format!("{earned} was earned on no credit"),
        Code::PayWithoutCredit => format!("{earned} was earned on a credit of {credit}"),
        Code::NegativePay => format!("negative pay of {earned} stands against {credit} credited"),
    }
}

/// An amount (10⁻⁴) with commas between thousands.
fn amount(value: i64) -> String {
    let text = format(value, 4);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut grouped = String::with_capacity(text.len() + 6);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction:0<2}"),
        None => format!("{sign}{grouped}"),
    }
}

fn percent(rate: f64) -> String {
    let hundredths = libm::round(rate.clamp(-1e9, 1e9) * 10_000.0) as i64;
    format!("{} %", format(hundredths, 2))
}

fn percent_of(bound: i64) -> String {
    format!("{} %", format(bound, 6))
}

attain_sdk::register!(insight: InsightOutliers);

#[cfg(test)]
attain_sdk::test_cases!(insight: InsightOutliers);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_rates_are_written_for_people() {
        assert_eq!([amount(12_345_678_500), amount(-70_000_000), amount(0), amount(5_000)], ["1,234,567.85", "-7,000", "0", "0.50"]);
        assert_eq!([percent(0.12), percent(0.03333), percent_of(80_000_000)], ["12 %", "3.33 %", "80 %"]);
    }
}
