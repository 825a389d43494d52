//! The reference workload in small; the whole of it is measured elsewhere.

use attain_calc::{RESULTS, calculate, reference};

#[test]
fn a_hundredth_of_the_reference_workload_keeps_its_checksum_and_its_totals() {
    let outcome = calculate(&reference::inputs(10_000), &reference::Native::default(), &mut |_| {});
    assert!(outcome.complete, "{:?}", outcome.findings);
    assert_eq!(
        reference::checksum(&outcome),
        "lines=57506 credit_cents=3978640469 mix=2004907587785 earn_cents=159173556 earn_mix=55773064495"
    );
}

#[test]
fn chunks_hold_all_rows_in_order() {
    let outcome = calculate(&reference::inputs(20_000), &reference::Native::default(), &mut |_| {});
    let whole = outcome.table("credits");
    let mut row = 0;
    for chunk in outcome.chunks("credits") {
        assert!(chunk.defect().is_none());
        for own in 0..chunk.row_count() {
            for (name, column) in &chunk.columns {
                assert_eq!(column.show(own), whole.column(name).and_then(|column| column.show(row)), "{name} of row {row}");
            }
            row += 1;
        }
    }
    assert_eq!(row, whole.row_count());
    let chunks: Vec<_> = outcome.chunks("credits").collect();
    assert_eq!(outcome.chunks("credits").nth(1).as_ref(), chunks.get(1));
    for (stored, chunk) in outcome.stored("credits").zip(&chunks) {
        assert!(stored.column("transaction_id").is_none());
        assert_eq!(&attain_calc::with_transaction_ids(&stored), chunk);
    }
    let stored = attain_domain::Table::concat("credits", &outcome.stored("credits").collect::<Vec<_>>().iter().collect::<Vec<_>>());
    assert_eq!(attain_domain::cut::of_table(&stored), outcome.stored("credits").pieces(), "cut where the stored table would be");
    for name in RESULTS {
        assert_eq!(outcome.chunks(name).map(|chunk| chunk.row_count()).sum::<usize>(), outcome.row_count(name), "{name}");
    }
}

/// Whatever is added, changed or taken away: chunks that say the same hold the same, others do not.
#[test]
fn what_chunks_of_credits_are_told_by_tells_them_apart() {
    let told = |outcome: &attain_calc::Outcome| -> Vec<(Vec<u8>, attain_domain::Table)> {
        let pieces = outcome.stored("credits").pieces().to_vec();
        let tell = |rows: std::ops::Range<usize>| {
            let mut bytes = outcome.tell_rollup().into_bytes();
            for (payee, bases, levels) in outcome.lines(rows) {
                bytes.extend_from_slice(payee.as_bytes());
                bases.iter().for_each(|base| outcome.tell_base(*base as usize, &mut bytes));
                bytes.extend_from_slice(levels);
            }
            bytes
        };
        pieces.into_iter().map(tell).zip(outcome.stored("credits")).collect()
    };
    let inputs = reference::inputs(40_000);
    let before = told(&calculate(&inputs, &reference::Native::default(), &mut |_| {}));
    let mut other = inputs.clone();
    let rows: Vec<usize> = (0..40_000).filter(|row| *row != 12_345).collect();
    let fewer = std::sync::Arc::new(inputs.tables["transactions"].take(&rows));
    other.tables.insert("transactions".to_owned(), fewer);
    let after = told(&calculate(&other, &reference::Native::default(), &mut |_| {}));
    let mut same = 0;
    for (bytes, table) in &after {
        let twin = before.iter().find(|(own, _)| own == bytes);
        assert_eq!(twin.is_some(), before.iter().any(|(_, own)| own == table));
        if let Some((_, own)) = twin {
            assert_eq!(own, table);
            same += 1;
        }
    }
    assert!(same > 0 && same < after.len(), "{same} of {} are as they were", after.len());
}
