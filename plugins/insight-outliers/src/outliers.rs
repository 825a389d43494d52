//! Pay that its peers do not explain: the effective rate (earned ÷ credited) on a log scale against the median of peers, in
//! robust deviations, and plain rules for what no rate can say. Pay itself is heavy-tailed and tells nothing.

use std::collections::BTreeMap;

/// The number that stands for "no value".
pub const NULL: i64 = i64::MIN;
/// Makes the median absolute deviation of a normal distribution its standard deviation.
const NORMAL: f64 = 1.4826;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Codes of plan and component.
    pub plan: u32,
    pub component: u32,
    pub credited: i64,
    /// 10⁻⁸
    pub attainment: i64,
    pub earned: i64,
}

#[derive(Debug, Clone)]
pub struct Options {
    /// Robust deviations from which a rate is reported.
    pub threshold: f64,
    /// Fewer peers than this say nothing.
    pub peer_count_min: usize,
    /// Relative deviation that is never an outlier, however equal the peers are.
    pub spread_min: f64,
    /// Ascending bounds of attainment bands, 10⁻⁸.
    pub bands: Vec<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    RateHigh,
    RateLow,
    PayWithoutCredit,
    NegativePay,
    CreditWithoutPay,
}

impl Code {
    pub const ALL: [Code; 5] = [Code::RateHigh, Code::RateLow, Code::PayWithoutCredit, Code::NegativePay, Code::CreditWithoutPay];

    pub fn name(self) -> &'static str {
        match self {
            Code::RateHigh => "effective-rate-high",
            Code::RateLow => "effective-rate-low",
            Code::PayWithoutCredit => "pay-without-credit",
            Code::NegativePay => "negative-pay",
            Code::CreditWithoutPay => "credit-without-pay",
        }
    }
}

/// `peers` is absent for the plain rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlier {
    pub row: usize,
    pub code: Code,
    pub score: f64,
    pub peers: Option<Peers>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peers {
    pub count: usize,
    /// Their median effective rate.
    pub rate: f64,
    /// Bounds of the attainment band, where they are of one.
    pub band: Option<(Option<i64>, Option<i64>)>,
}

struct Group {
    /// Logs of effective rates, ascending.
    logs: Vec<f64>,
    unpaid_count: usize,
}

impl Group {
    fn of(rows: &[Row], indexes: &[usize]) -> Group {
        let mut logs: Vec<f64> = indexes.iter().filter_map(|index| log_rate(&rows[*index])).collect();
        logs.sort_by(f64::total_cmp);
        let unpaid_count = indexes.iter().filter(|index| rows[**index].credited > 0 && rows[**index].earned == 0).count();
        Group { logs, unpaid_count }
    }

    /// Median and robust deviation of the logs.
    fn spread(&self) -> (f64, f64) {
        let middle = median(&self.logs);
        let mut deviations: Vec<f64> = self.logs.iter().map(|log| (log - middle).abs()).collect();
        deviations.sort_by(f64::total_cmp);
        (middle, NORMAL * median(&deviations))
    }
}

/// Outliers, the largest score first; of equal ones the earlier row first.
pub fn find(rows: &[Row], options: &Options) -> Vec<Outlier> {
    // Peers are all with the same plan and component, those in the same attainment band where they are enough.
    let mut by_band: BTreeMap<(u32, u32, usize), Vec<usize>> = BTreeMap::new();
    let mut by_component: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        by_band.entry((row.plan, row.component, band(row.attainment, &options.bands))).or_default().push(index);
        by_component.entry((row.plan, row.component)).or_default().push(index);
    }
    let mut outliers = Vec::new();
    let mut whole_groups: BTreeMap<(u32, u32), Group> = BTreeMap::new();
    for ((plan, component, band), indexes) in &by_band {
        let own = Group::of(rows, indexes);
        let of_band = own.logs.len() >= options.peer_count_min;
        let group = if of_band {
            &own
        } else {
            whole_groups.entry((*plan, *component)).or_insert_with(|| Group::of(rows, &by_component[&(*plan, *component)]))
        };
        if group.logs.len() < options.peer_count_min {
            continue;
        }
        let (middle, deviation) = group.spread();
        let deviation = deviation.max(libm::log1p(options.spread_min));
        let peers =
            Peers { count: group.logs.len(), rate: libm::exp(middle), band: of_band.then(|| limits(*band, &options.bands)).flatten() };
        // Where nearly all peers are paid, no pay at all is an outlier too, one that has no logarithm.
        let pays_nearly_all = group.unpaid_count * 10 <= group.logs.len();
        for index in indexes {
            let row = &rows[*index];
            if let Some(log) = log_rate(row) {
                let score = (log - middle) / deviation;
                if score.abs() >= options.threshold {
                    let code = if score > 0.0 { Code::RateHigh } else { Code::RateLow };
                    outliers.push(Outlier { row: *index, code, score: score.abs(), peers: Some(peers) });
                }
            } else if row.credited > 0 && row.earned == 0 && pays_nearly_all {
                let score = options.threshold + magnitude(row.credited);
                outliers.push(Outlier { row: *index, code: Code::CreditWithoutPay, score, peers: Some(peers) });
            }
        }
    }
    for (index, row) in rows.iter().enumerate() {
        let credited = if row.credited == NULL { 0 } else { row.credited };
        let code = match (row.earned, credited) {
            (NULL, _) => continue,
            (earned, credited) if earned > 0 && credited <= 0 => Code::PayWithoutCredit,
            (earned, credited) if earned < 0 && credited >= 0 => Code::NegativePay,
            _ => continue,
        };
        // Nothing explains such pay, so it stands above the rates; the larger the amount the higher.
        outliers.push(Outlier { row: index, code, score: 2.0 * options.threshold + magnitude(row.earned), peers: None });
    }
    outliers.sort_by(|left, right| right.score.total_cmp(&left.score).then(left.row.cmp(&right.row)));
    outliers
}

fn log_rate(row: &Row) -> Option<f64> {
    if row.credited == NULL || row.earned == NULL || row.credited.signum() * row.earned.signum() != 1 {
        return None;
    }
    Some(libm::log(row.earned as f64 / row.credited as f64))
}

/// Decimal places of an amount before the point, not rounded.
fn magnitude(amount: i64) -> f64 {
    libm::log10(1.0 + amount.unsigned_abs() as f64 / 10_000.0)
}

/// Number of the band; rows without attainment have one of their own, the last.
fn band(attainment: i64, bands: &[i64]) -> usize {
    if attainment == NULL { bands.len() + 1 } else { bands.partition_point(|bound| *bound <= attainment) }
}

fn limits(band: usize, bands: &[i64]) -> Option<(Option<i64>, Option<i64>)> {
    (band <= bands.len()).then(|| (band.checked_sub(1).map(|lower| bands[lower]), bands.get(band).copied()))
}

/// `sorted` ascends and is not empty.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { threshold: 3.5, peer_count_min: 8, spread_min: 0.02, bands: vec![50_000_000, 100_000_000] }
    }

    fn row(credited: i64, attainment: i64, earned: i64) -> Row {
        Row { plan: 0, component: 0, credited, attainment, earned }
    }

    /// Ten peers near four per cent in the top band.
    fn peers() -> Vec<Row> {
        (0..10).map(|index| row(1_000_000 * (index + 1), 120_000_000, 40_000 * (index + 1) + 300 * (index % 3 - 1) * (index + 1))).collect()
    }

    #[test]
    fn a_rate_three_times_that_of_peers_is_found_and_large_pay_at_the_same_rate_is_not() {
        let mut rows = peers();
        rows.push(row(500_000_000, 120_000_000, 20_000_000));
        assert_eq!(find(&rows, &options()), []);
        rows.push(row(1_000_000, 120_000_000, 120_000));
        let found = find(&rows, &options());
        assert_eq!((found.len(), found[0].row, found[0].code), (1, 11, Code::RateHigh));
        assert!(found[0].peers.is_some_and(|peers| (peers.rate - 0.04).abs() < 0.001 && peers.band == Some((Some(100_000_000), None))));
    }

    #[test]
    fn another_band_has_its_own_usual_rate() {
        let mut rows = peers();
        rows.extend(peers().into_iter().map(|peer| Row { attainment: 10_000_000, earned: peer.earned / 2, ..peer }));
        assert_eq!(find(&rows, &options()), []);
        rows[0].earned /= 2;
        assert_eq!(find(&rows, &options()).iter().map(|outlier| (outlier.row, outlier.code)).collect::<Vec<_>>(), [(0, Code::RateLow)]);
    }

    #[test]
    fn few_peers_say_nothing_and_a_thin_band_is_compared_with_the_whole_component() {
        let lone = [row(1_000_000, 120_000_000, 900_000), row(1_000_000, 120_000_000, 1)];
        assert_eq!(find(&lone, &options()), []);
        let mut rows = peers();
        rows.push(row(1_000_000, 10_000_000, 500_000));
        let found = find(&rows, &options());
        assert_eq!(found.len(), 1);
        assert!(found[0].peers.is_some_and(|peers| peers.band.is_none()));
    }

    #[test]
    fn equal_peers_leave_room_for_a_rounded_cent() {
        let mut rows: Vec<Row> = (0..10).map(|_| row(1_000_000, 120_000_000, 40_000)).collect();
        rows.push(row(1_000_000, 120_000_000, 40_100));
        assert_eq!(find(&rows, &options()), []);
    }

    #[test]
    fn plain_rules_need_no_peers() {
        let rows =
            [row(0, NULL, 50_000), row(NULL, NULL, 70_000_000), row(10_000, NULL, -50_000), row(-10_000, NULL, -400), row(0, NULL, 0)];
        let found: Vec<_> = find(&rows, &options()).iter().map(|outlier| (outlier.row, outlier.code)).collect();
        assert_eq!(found, [(1, Code::PayWithoutCredit), (0, Code::PayWithoutCredit), (2, Code::NegativePay)]);
    }

    #[test]
    fn no_pay_where_all_peers_are_paid_is_found() {
        let mut rows = peers();
        rows.push(row(9_000_000, 120_000_000, 0));
        assert_eq!(find(&rows, &options())[0].code, Code::CreditWithoutPay);
        rows.extend((0..5).map(|_| row(1_000_000, 120_000_000, 0)));
        assert_eq!(find(&rows, &options()), []);
    }
}
