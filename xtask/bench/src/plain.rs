//! The yardstick: the arithmetic of the reference workload in plain Rust over integers, without extensions, rules or findings.

use attain_domain::{Column, Table};

const PAYEES: usize = 2_000;
const FIRST_REP: u32 = 251;
const REPS: u32 = 1_720;
const FIRST_DAY: i64 = 20_454;
/// EUR, GBP, USD by month, in millionths.
const RATES: [[i64; 3]; 3] = [[1_084_300, 1_079_150, 1_091_275], [1_267_500, 1_259_375, 1_271_225], [1_000_000; 3]];

fn h(seed: u64, index: u64) -> u64 {
    let x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index.wrapping_mul(0xD1B5_4A32_D192_ED03));
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn manager(payee: u32) -> u32 {
    match payee {
        1 => 0,
        2..=10 => 1,
        11..=50 => 2 + (payee - 11) % 9,
        51..=250 => 11 + (payee - 51) % 40,
        _ => 51 + (payee - 251) % 200,
    }
}

fn owner(territory: u32) -> u32 {
    FIRST_REP + ((u64::from(territory) * 7_919) % u64::from(REPS)) as u32
}

/// `n / d` rounded half-even.
fn half_even(n: i64, d: i64) -> i64 {
    let (quotient, rest) = (n.div_euclid(d), n.rem_euclid(d));
    quotient + i64::from(rest > d - rest || (rest == d - rest && quotient % 2 != 0))
}

/// The transactions as integers.
pub struct Read {
    day: Vec<i64>,
    account: Vec<u32>,
    product: Vec<u32>,
    currency: Vec<u32>,
    cents: Vec<i64>,
}

impl Read {
    pub fn new(table: &Table) -> Option<Read> {
        let codes = |name: &str| {
            let column = table.texts(name)?;
            let meaning: Vec<u32> =
                column.dictionary.iter().map(|text| text.trim_start_matches(char::is_alphabetic).parse().unwrap_or(0)).collect();
            Some(column.codes.iter().map(|code| meaning[*code as usize]).collect::<Vec<u32>>())
        };
        Some(Read {
            day: table.numbers("ordered_on")?.to_vec(),
            account: codes("account_id")?,
            product: codes("product_id")?,
            currency: table.texts("currency")?.codes.clone(),
            cents: table.numbers("amount")?.iter().map(|amount| amount / 100).collect(),
        })
    }
}

/// Lines sorted by payee, then transaction; and what each payee earned.
pub struct Outcome {
    transaction: Vec<u32>,
    payee: Vec<u16>,
    rule: Vec<u8>,
    period: Vec<u8>,
    cents: Vec<i64>,
    earned: Vec<i64>,
}

pub fn run(read: &Read) -> Outcome {
    let territory: Vec<u32> = (0..=20_000u64).map(|account| 1 + (h(11, account) % 1_000) as u32).collect();
    let count = read.cents.len();
    let mut base: Vec<(u32, u16, u8, u8, i64)> = Vec::with_capacity(count * 6);
    let mut attained = vec![0i64; PAYEES + 1];
    let mut overlay = vec![0i64; PAYEES + 1];
    for row in 0..count {
        let id = row as u64 + 1;
        let day = read.day[row] - FIRST_DAY;
        let month = usize::from(day > 30) + usize::from(day > 58);
        let amount = half_even(read.cents[row] * RATES[read.currency[row] as usize][month], 1_000_000);
        let own_territory = territory[read.account[row] as usize];
        let own = owner(own_territory);
        let mut give = |payee: u32, rule: u8, cents: i64| {
            base.push((id as u32, payee as u16, rule, month as u8, cents));
            attained[payee as usize] += cents;
            let mut next = manager(payee);
            let mut level_rule = 5;
            while next != 0 {
                base.push((id as u32, next as u16, level_rule, month as u8, cents));
                attained[next as usize] += cents;
                next = manager(next);
                level_rule += 1;
            }
        };
        if h(28, id).is_multiple_of(10) {
            let rep = (h(29, id) % u64::from(REPS)) as u32;
            let second = if FIRST_REP + rep == own { FIRST_REP + (rep + 1) % REPS } else { FIRST_REP + rep };
            let first_part = half_even(amount * 60, 100);
            give(own, 2, first_part);
            give(second, 3, amount - first_part);
        } else {
            give(own, 1, amount);
        }
        if let Some(place) = match 1 + (read.product[row] - 1) % 12 {
            3 => Some(0),
            7 => Some(1),
            11 => Some(2),
            _ => None,
        } {
            let specialist = 1_971 + 10 * place + own_territory % 10;
            base.push((id as u32, specialist as u16, 4, month as u8, amount));
            overlay[specialist as usize] += amount;
        }
    }
    // Counting sort by payee; transactions stay in order.
    let mut starts = vec![0usize; PAYEES + 2];
    for line in &base {
        starts[usize::from(line.1) + 1] += 1;
    }
    for payee in 0..=PAYEES {
        starts[payee + 1] += starts[payee];
    }
    let total = base.len();
    let mut outcome = Outcome {
        transaction: vec![0; total],
        payee: vec![0; total],
        rule: vec![0; total],
        period: vec![0; total],
        cents: vec![0; total],
        earned: vec![0; PAYEES + 1],
    };
    for (transaction, payee, rule, period, cents) in base {
        let at = starts[usize::from(payee)];
        starts[usize::from(payee)] += 1;
        outcome.transaction[at] = transaction;
        outcome.payee[at] = payee;
        outcome.rule[at] = rule;
        outcome.period[at] = period + 1;
        outcome.cents[at] = cents;
    }
    let quota = quotas();
    for payee in 1..=PAYEES {
        let specialist = payee as u32 >= FIRST_REP + REPS;
        let (value, quota) = (if specialist { overlay[payee] } else { attained[payee] }, quota[payee] * 10_000);
        let gross = half_even(percent_cents(value, quota), 200);
        let cap = if (payee as u32) < FIRST_REP { half_even(quota * 8, 100) } else { i64::MAX };
        outcome.earned[payee] = gross.min(cap);
    }
    outcome
}

/// Twice the sum of slices × per cent, so that half quotas stay whole numbers.
fn percent_cents(value: i64, quota: i64) -> i64 {
    let twice = 2 * value;
    let bounds = [0, quota, 2 * quota, 3 * quota, i64::MAX];
    [4, 6, 9, 12].iter().enumerate().map(|(tier, percent)| (twice.clamp(bounds[tier], bounds[tier + 1]) - bounds[tier]) * percent).sum()
}

/// In units of 100.00.
fn quotas() -> Vec<i64> {
    let mut owns = vec![false; PAYEES + 1];
    for territory in 1..=1_000 {
        owns[owner(territory) as usize] = true;
    }
    let mut units = vec![0i64; PAYEES + 1];
    for payee in FIRST_REP..=PAYEES as u32 {
        let own = u64::from(payee);
        units[payee as usize] = if payee >= FIRST_REP + REPS {
            40_000 + (h(31, own) % 40_001) as i64
        } else if owns[payee as usize] {
            3_000 + (h(31, own) % 9_001) as i64
        } else {
            100 + (h(31, own) % 201) as i64
        };
    }
    for boss in (1..FIRST_REP).rev() {
        units[boss as usize] =
            (boss + 1..FIRST_REP + REPS).filter(|payee| manager(*payee) == boss).map(|payee| units[payee as usize]).sum::<i64>() * 95 / 100;
    }
    units
}

impl Outcome {
    /// The lines as chunks of 64 Ki rows of integers.
    pub fn chunks(&self) -> impl Iterator<Item = Table> + Send + '_ {
        const ROWS: usize = 65_536;
        (0..self.cents.len().div_ceil(ROWS)).map(move |index| {
            let rows = index * ROWS..((index + 1) * ROWS).min(self.cents.len());
            Table::new("lines")
                .with("transaction", Column::integer(self.transaction[rows.clone()].iter().map(|own| i64::from(*own)).collect()))
                .with("payee", Column::integer(self.payee[rows.clone()].iter().map(|own| i64::from(*own)).collect()))
                .with("rule", Column::integer(self.rule[rows.clone()].iter().map(|own| i64::from(*own)).collect()))
                .with("period", Column::integer(self.period[rows.clone()].iter().map(|own| i64::from(*own)).collect()))
                .with("amount", Column::money(self.cents[rows].to_vec()))
        })
    }

    /// As the specification of the workload defines it.
    pub fn checksum(&self) -> String {
        let credit: i64 = self.cents.iter().sum();
        let mix: i64 = (0..self.cents.len())
            .map(|line| {
                let weight =
                    (i64::from(self.transaction[line]) * 7 + i64::from(self.payee[line]) * 13 + i64::from(self.rule[line]) * 17) % 1009;
                weight * self.cents[line]
            })
            .sum();
        let earned: i64 = self.earned.iter().sum();
        let earned_mix: i64 = self.earned.iter().enumerate().map(|(payee, earned)| (payee as i64 * 31 % 1009) * earned).sum();
        format!("lines={} credit_cents={credit} mix={mix} earn_cents={earned} earn_mix={earned_mix}", self.cents.len())
    }
}
