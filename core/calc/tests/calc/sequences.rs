//! A few of the sequences that `cargo xtask torture money` walks by the hundred thousand.

use attain_calc::sequences::{Walked, walk};

#[test]
fn the_laws_of_the_ledger_hold_through_random_years() {
    let mut all = Walked::default();
    for seed in 0..150 {
        all.add(walk(seed).unwrap_or_else(|broken| panic!("{broken}")).0);
    }
    assert!(all.closings > 100 && all.reopenings > 50 && all.corrections > 100 && all.clawbacks > 50 && all.guarantees > 50, "{all:?}");
}

/// What was guaranteed in a month is corrected in a later one, which is closed; the month is opened again and takes the correction back.
#[test]
fn a_correction_that_comes_back_to_its_own_month_is_not_paid_below_zero() {
    walk(18_622).unwrap_or_else(|broken| panic!("{broken}"));
}
