//! Splits leave nothing over: the credits of a transaction sum to it exactly, whatever its shares, sign and step.

use attain_domain::point::{Call, Extension};
use attain_domain::{Column, NULL_NUMBER, Table, fixed};
use attain_extend::script;
use std::path::Path;
use std::time::Instant;

const ONE: i64 = 100_000_000;
const TRANSACTIONS: usize = 100_000;
const BATCH: usize = 500;
const PARTS_MAX: u64 = 50;

/// A sequence that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}

/// 1 to 50 shares that total one, with nothing, thirds and the smallest possible among them.
fn shares(dice: &mut Dice) -> Vec<i64> {
    let count = 1 + dice.below(PARTS_MAX) as usize;
    let weights: Vec<i64> = (0..count)
        .map(|_| match dice.below(5) {
            0 => 0,
            1 => 33_333_333,
            2 => 1,
            _ => dice.below(ONE as u64) as i64,
        })
        .collect();
    if weights.iter().all(|weight| *weight == 0) {
        return std::iter::once(ONE).chain(weights.into_iter().skip(1)).collect();
    }
    fixed::split(ONE, &weights, 1)
}

struct Batch {
    tables: Vec<Table>,
    amounts: Vec<i64>,
}

fn batch(dice: &mut Dice, mode: &str, step: i64) -> Batch {
    let (mut amounts, mut from, mut until) = (Vec::new(), Vec::new(), Vec::new());
    let (mut payees, mut all_shares) = (Vec::new(), Vec::new());
    for _ in 0..BATCH {
        let size = [100u64, 1_000_000, 10_000_000_000_000][dice.below(3) as usize];
        let amount = dice.below(size) as i64 * [1, -1][dice.below(2) as usize];
        amounts.push(amount);
        from.push(payees.len() as i64);
        for (place, share) in shares(dice).into_iter().enumerate() {
            payees.push(Some(format!("p{place:02}")));
            all_shares.push(share);
        }
        until.push(payees.len() as i64);
    }
    let count = payees.len();
    let transactions = Table::new("transactions")
        .with("amount", Column::money(amounts.clone()))
        .with("tested_on", Column::integer(vec![20_500; BATCH]))
        .with("claims_from", Column::integer(from))
        .with("claims_until", Column::integer(until));
    let claims = Table::new("claims")
        .with("role", Column::text(&vec![Some("split"); count]))
        .with("payee_id", Column::text(&payees))
        .with("share", Column::rate(all_shares));
    let rounding = Table::new("rounding").with("mode", Column::text(&[Some(mode)])).with("step", Column::money(vec![step]));
    Batch { tables: vec![transactions, claims, rounding], amounts }
}

#[test]
fn the_parts_of_a_hundred_thousand_transactions_sum_to_them() {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/credit-split.rhai")).expect("a script");
    let script = script::compile("credit-split", &source).expect("it compiles");
    let started = Instant::now();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut parts, mut residues, mut negative) = (0usize, 0usize, 0usize);
    for round in 0..TRANSACTIONS / BATCH {
        let (mode, step) = [("half-even", 10_000), ("half-up", 100), ("down", 10), ("ceiling", 1)][round % 4];
        let residue = ["largest-remainder", "last"][round / 4 % 2];
        let batch = batch(&mut dice, mode, step);
        let settings = serde_json::json!({ "residue": residue });
        let answer = script.run(&Call { settings: &settings, input: &batch.tables }).expect("credits");
        let credits = answer.table("credits").expect("credits");
        let (rows, amounts) = (credits.numbers("row").expect("rows"), credits.numbers("amount").expect("amounts"));
        let mut sums = vec![0i64; BATCH];
        for (row, amount) in rows.iter().zip(amounts) {
            assert_ne!(*amount, NULL_NUMBER);
            sums[*row as usize] += amount;
        }
        parts += rows.len();
        negative += batch.amounts.iter().filter(|amount| **amount < 0).count();
        residues += sums.iter().zip(&batch.amounts).filter(|(sum, amount)| sum != amount).count();
    }
    #[expect(clippy::print_stderr, reason = "a figure for those who watch it")]
    {
        eprintln!(
            "splits: {TRANSACTIONS} transactions, {residues} residues (nonvacuous: {parts} parts, {negative} of them negative transactions) in {:?}",
            started.elapsed()
        );
    }
    assert_eq!(residues, 0);
    assert!(parts > 10 * TRANSACTIONS && negative > TRANSACTIONS / 3);
}

#[test]
fn parts_by_weight_sum_to_the_amount_and_are_one_for_each_payee() {
    let source = "//! name = \"by-weight\"\n//! point = \"crediting\"\n//! version = \"1.0.0\"\n//! contract = 1\n\
        let parts = [];\n\
        for claim in claims(\"split\") { parts.push(#{ payee: claim.payee, weight: 1 }); }\n\
        parts.push(#{ payee: \"p00\", weight: 1 });\n\
        parts.push(#{ payee: \"p09\", weight: 0 });\n\
        credit_parts(parts, amount, \"split\", \"own\");\n";
    let script = script::compile("by-weight", source).expect("it compiles");
    let transactions = Table::new("transactions")
        .with("amount", Column::money(vec![1_000_000, -100, NULL_NUMBER]))
        .with("claims_from", Column::integer(vec![0, 0, 0]))
        .with("claims_until", Column::integer(vec![2, 2, 2]));
    let claims = Table::new("claims")
        .with("role", Column::text(&[Some("split"), Some("split")]))
        .with("payee_id", Column::text(&[Some("p00"), Some("p01")]))
        .with("share", Column::rate(vec![0, 0]));
    let rounding = Table::new("rounding").with("mode", Column::text(&[Some("half-even")])).with("step", Column::money(vec![100]));
    let settings = serde_json::json!({});
    let answer = script.run(&Call { settings: &settings, input: &[transactions, claims, rounding] }).expect("credits");
    let credits = answer.table("credits").expect("credits");
    assert_eq!(credits.numbers("amount"), Some(&[666_700, 333_300, -100, 0][..]));
    assert_eq!(credits.numbers("share"), Some(&[66_666_667, 33_333_333, 66_666_667, 33_333_333][..]));
}
