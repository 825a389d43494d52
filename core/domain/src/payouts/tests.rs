//! Each side of each option, and the worked examples behind them.

use super::*;

fn options(on_decrease: OnDecrease) -> Payouts {
    Payouts { on_decrease, ..Payouts::default() }
}

/// Standing, existing, new, adjustment; then the amount without the adjustment, the whole, what is paid beside it, and the flag.
type Row = (Standing, i64, i64, i64, i64, i64, i64, Option<Flag>);

#[test]
fn a_result_that_changes_does_to_a_payout_what_the_company_decided() {
    use Standing::*;
    let keep: &[Row] = &[
        (Draft, 1000, 1500, 0, 1500, 1500, 0, None),
        (Draft, 1000, 1000, 0, 1000, 1000, 0, None),
        (Draft, 1000, 700, 0, 1000, 1000, 0, Some(Flag::LowerResult)),
        (Draft, 1000, 1500, 200, 1500, 1700, 0, None),
        (Reviewed, 1000, 1500, 0, 1500, 1500, 0, Some(Flag::Raised)),
        (Approved, 1000, 1500, 0, 1500, 1500, 0, Some(Flag::Raised)),
        (Approved, 1000, 800, 0, 1000, 1000, 0, Some(Flag::LowerResult)),
        (OnHold, 1000, 2500, 0, 2500, 2500, 0, Some(Flag::Raised)),
        (OnHold, 1000, 500, 0, 1000, 1000, 0, Some(Flag::LowerResult)),
        (Disputed, 1000, 2000, 0, 1000, 1000, 0, Some(Flag::Disputed)),
        (Disputed, 1000, 500, 0, 1000, 1000, 0, Some(Flag::Disputed)),
        (Paid, 1000, 1500, 0, 1000, 1000, 500, None),
        (Paid, 1000, 700, 0, 1000, 1000, 0, Some(Flag::LowerResult)),
        (Paid, 1000, 1000, 0, 1000, 1000, 0, None),
    ];
    let recover: &[Row] = &[
        (Draft, 1000, 700, 0, 700, 700, 0, Some(Flag::Lowered)),
        (Draft, 1000, 700, 200, 700, 900, 0, Some(Flag::Lowered)),
        (Approved, 1000, 800, 0, 800, 800, 0, Some(Flag::Lowered)),
        (Disputed, 1000, 500, 0, 1000, 1000, 0, Some(Flag::Disputed)),
        (Paid, 1000, 700, 0, 1000, 1000, -300, Some(Flag::Lowered)),
        (Paid, 1000, 1500, 0, 1000, 1000, 500, None),
    ];
    for (on_decrease, rows) in [(OnDecrease::KeepAndFlag, keep), (OnDecrease::Recover, recover)] {
        for row @ (standing, existing, new, adjustment, amount, whole, difference, flag) in rows {
            let found = rerun(&options(on_decrease), *standing, existing + adjustment, new + adjustment);
            assert_eq!(found, Rerun { amount: *whole, difference: *difference, flag: *flag }, "{on_decrease:?} {row:?}");
            assert_eq!(found.amount - adjustment, *amount, "{on_decrease:?} {row:?}");
        }
    }
}

#[test]
fn an_increase_can_wait_for_the_next_batch() {
    let mut own = options(OnDecrease::Recover);
    own.on_increase.approved = OnIncrease::Keep;
    assert_eq!(rerun(&own, Standing::Approved, 10, 12), Rerun { amount: 10, difference: 0, flag: Some(Flag::Waits) });
    assert_eq!(rerun(&own, Standing::Draft, 10, 12).amount, 12);
}

#[test]
fn pay_elements_are_converted_at_rates_of_their_own() {
    let base = Quote::PerCompany(83_00000000).convert(100_000_000).expect("fits");
    let commission = Quote::PerCompany(84_50000000).convert(30_000_000).expect("fits");
    assert_eq!((base, commission), (Decimal::from(830_000), Decimal::from(253_500)));
    assert_eq!(rounded(&[base, commission], "INR"), Some(Converted { amount: 10_835_000_000, residue: 0 }));
}

#[test]
fn a_payout_has_the_digits_of_its_currency_and_rounding_is_shown() {
    let exact = |text: &str| text.parse::<Decimal>().expect("a decimal");
    for (value, currency, amount, residue) in [
        ("10.005", "EUR", 100_000, 500_000),
        ("10.015", "EUR", 100_200, -500_000),
        ("10.5", "JPY", 100_000, 50_000_000),
        ("11.5", "JPY", 120_000, -50_000_000),
        ("1.2345", "KWD", 12_340, 50_000),
        ("-10.005", "EUR", -100_000, -500_000),
        ("0.1234", "CLF", 1_234, 0),
    ] {
        assert_eq!(rounded(&[exact(value)], currency), Some(Converted { amount, residue }), "{value} {currency}");
    }
    let third = Quote::PerPayout(3_00000000).convert(1_000_000).expect("fits");
    assert_eq!(rounded(&[third, third, third], "EUR").map(|own| own.amount), Some(1_000_000), "rounded once, not three times");
}

#[test]
fn a_component_of_one_plan_goes_before_one_of_that_name_anywhere() {
    let mut own = Payouts::default();
    own.component_fx.insert("base".to_owned(), PayoutRate::PlanRate);
    own.component_fx.insert("special/base".to_owned(), PayoutRate::PeriodAverage);
    assert_eq!(own.rate_of("plan", "base"), PayoutRate::PlanRate);
    assert_eq!(own.rate_of("special", "base"), PayoutRate::PeriodAverage);
    assert_eq!(own.rate_of("special", "other"), PayoutRate::PayDate);
}
