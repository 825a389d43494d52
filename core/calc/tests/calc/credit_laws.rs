//! Laws of crediting, on random companies that have everything that crediting knows.

use crate::company::{Company, run, shuffled};
use crate::laws::{Sale, company, date, numbers, sale};
use attain_calc::RESULTS;
use attain_domain::plan::{Condition, ConditionField};
use attain_domain::settings::{Duplicates, House, RollupDuplicates, Step, Windfall, WindfallOf, WindfallThen};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a random company differs from a plain one.
#[derive(Debug, Clone)]
struct Options {
    duplicates: u8,
    once: bool,
    allow: bool,
    house: u8,
    windfall: u8,
    /// Position, payee, first day, share in hundredths; `None` for what the rule says.
    relationships: Vec<(u32, u32, u32, Option<u32>)>,
    /// Sale, payee, day.
    stages: Vec<(usize, u32, u32)>,
    /// Sale, payee, kind, whether it replaces, share in hundredths.
    by_hand: Vec<(usize, u32, usize, bool, i32)>,
}

fn options() -> impl Strategy<Value = Options> {
    let relationships = proptest::collection::vec((0..5u32, 0..5u32, 0..150u32, proptest::option::of(0..100u32)), 0..6);
    let stages = proptest::collection::vec((0..20usize, 0..5u32, 0..150u32), 0..12);
    let by_hand = proptest::collection::vec((0..20usize, 0..5u32, 0..3usize, any::<bool>(), -60..130i32), 0..12);
    (0..3u8, any::<bool>(), any::<bool>(), 0..3u8, 0..3u8, relationships, stages, by_hand).prop_map(
        |(duplicates, once, allow, house, windfall, relationships, stages, by_hand)| Options {
            duplicates,
            once,
            allow,
            house,
            windfall,
            relationships,
            stages,
            by_hand,
        },
    )
}

fn with(sales: &[Sale], moved: u32, joined: u32, rollup: u8, options: &Options) -> Company {
    let mut company = company(sales, moved, joined, rollup).add("payees", "payee_id=house");
    let crediting = &mut company.settings.crediting;
    for role in ["mentor", "stage"] {
        crediting.rules.push(Step { extension: "each-claim".to_owned(), settings: serde_json::json!({ "role": role }) });
    }
    crediting.duplicates = [Duplicates::Once, Duplicates::OncePerRule, Duplicates::Each][usize::from(options.duplicates)];
    crediting.rollup_duplicates = if options.once { RollupDuplicates::Once } else { RollupDuplicates::Each };
    crediting.allow_over_allocation = options.allow;
    let account = Condition {
        field: ConditionField::Account,
        any_of: Some(vec!["a1".to_owned()]),
        not_in: None,
        exact: false,
        at_least: None,
        below: None,
    };
    if options.house > 0 {
        let payee = (options.house == 2).then(|| "house".to_owned());
        crediting.house.push(House { conditions: vec![account], payee });
    }
    let of = if options.windfall == 1 { WindfallOf::Amount } else { WindfallOf::QuotaShare };
    crediting.windfall = (options.windfall > 0).then_some(Windfall { at_least: Decimal::ONE, of, measure: None, then: WindfallThen::Hold });
    let mut seen = BTreeMap::new();
    for (position, payee, day, share) in &options.relationships {
        // Spans of one position, name and payee may not overlap.
        if seen.insert((*position, *payee), ()).is_none() {
            let share = share.map_or_else(String::new, |share| format!(" share=0.{share:02}"));
            let row = format!("position_id=s{position} name=mentor payee_id=p{payee} from_on={}{share}", date(*day));
            company = company.add("relationships", &row);
        }
    }
    for (place, (sale, payee, day)) in options.stages.iter().enumerate().filter(|(_, own)| own.0 < sales.len()) {
        let row = format!("transaction_id=t{sale:03} stage=g{place:02} entered_on={} payee_id=p{payee}", date(*day));
        company = company.add("transaction_stages", &row);
    }
    for (place, (sale, payee, kind, replaces, share)) in options.by_hand.iter().enumerate().filter(|(_, own)| own.0 < sales.len()) {
        let (kind, mode) = (["direct", "split", "overlay"][*kind], if *replaces { "replace" } else { "add" });
        let sign = if *share < 0 { "-" } else { "" };
        let row = format!(
            "credit_id=m{place:02} transaction_id=t{sale:03} payee_id=p{payee} kind={kind} mode={mode} share={sign}{}.{:02} reason=r{}\n\
             credit_id=n{place:02} transaction_id=t{sale:03} payee_id=p{} kind={kind} mode={mode} share={}{}.{:02} reason=r",
            share.abs() / 100,
            share.abs() % 100,
            place % 3,
            (payee + 1) % 5,
            if *replaces || *share < 0 { "" } else { "-" },
            if *replaces { (100 - share).max(0) / 100 } else { share.abs() / 100 },
            if *replaces { (100 - share).max(0) % 100 } else { share.abs() % 100 },
        );
        company = company.add("manual_credits", &row);
    }
    company
}

fn companies() -> impl Strategy<Value = (Company, Options)> {
    (proptest::collection::vec(sale(), 0..20), 1..180u32, 1..120u32, 0..3u8, options())
        .prop_map(|(sales, moved, joined, rollup, options)| (with(&sales, moved, joined, rollup, &options), options))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shuffling_every_table_changes_no_byte((company, _) in companies(), seed in any::<u64>()) {
        let inputs = company.inputs();
        let mut other = inputs.clone();
        for table in other.tables.values_mut() {
            *table = Arc::new(shuffled(table, seed));
        }
        other.plans.reverse();
        let (left, right) = (run(&inputs), run(&other));
        prop_assert!(left.complete, "{:?}", left.findings);
        for name in RESULTS {
            prop_assert_eq!(left.table(name), right.table(name), "{}", name);
        }
    }

    #[test]
    fn what_comes_in_is_credited_uncredited_the_houses_or_set_aside((company, _) in companies()) {
        let outcome = company.run();
        prop_assert!(outcome.complete, "{:?}", outcome.findings);
        let totals = numbers(&outcome, "totals", "value");
        let house = |place: usize| totals.get(place).copied().unwrap_or(0);
        prop_assert_eq!(totals[0], totals[2] + totals[4] + totals[6] + house(8));
        prop_assert_eq!(totals[1], totals[3] + totals[5] + totals[7] + house(9));
    }

    #[test]
    fn direct_and_split_credit_comes_to_the_transaction_and_measures_to_their_credits((company, options) in companies()) {
        let outcome = company.run();
        let credits = outcome.table("credits");
        let text = |name: &str, row: usize| credits.texts(name).and_then(|text| text.get(row)).unwrap_or("").to_owned();
        let mut parts: BTreeMap<String, i64> = BTreeMap::new();
        let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
        for (row, amount) in numbers(&outcome, "credits", "amount").into_iter().enumerate() {
            *sums.entry((text("payee_id", row), text("period_id", row))).or_default() += amount;
            if ["direct", "split"].contains(&text("kind", row).as_str()) {
                *parts.entry(text("transaction_id", row)).or_default() += amount;
            }
        }
        let inputs = company.inputs();
        let transactions = inputs.tables.get("transactions").cloned().unwrap_or_default();
        for (id, sum) in parts.into_iter().filter(|_| !options.allow) {
            let of = |row: &usize| transactions.texts("transaction_id").and_then(|ids| ids.get(*row)) == Some(id.as_str());
            let row = (0..transactions.row_count()).find(of).expect("credited");
            if transactions.texts("currency").and_then(|currencies| currencies.get(row)) == Some("USD") {
                prop_assert_eq!(sum, transactions.numbers("amount").expect("amounts")[row], "{}", id);
            }
        }
        let measures = outcome.table("measures");
        let text = |name: &str, row: usize| measures.texts(name).and_then(|text| text.get(row)).unwrap_or("").to_owned();
        let found: BTreeMap<(String, String), i64> = numbers(&outcome, "measures", "value")
            .into_iter()
            .enumerate()
            .filter(|(row, _)| text("measure_id", *row) == "bookings")
            .map(|(row, value)| ((text("payee_id", row), text("period_id", row)), value))
            .collect();
        prop_assert_eq!(found, sums);
    }
}
