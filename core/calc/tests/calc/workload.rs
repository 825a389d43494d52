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
    let inputs = reference::inputs(20_000);
    let shuffled: Vec<usize> = (0..20_000).map(|row| row * 7_919 % 20_000).collect();
    for transactions in [inputs.tables["transactions"].as_ref().clone(), inputs.tables["transactions"].take(&shuffled)] {
        for (stored, chunk) in outcome.stored("credits").zip(&chunks) {
            assert!(stored.column("transaction_id").is_none());
            assert_eq!(&attain_calc::with_transaction_ids(&stored, &transactions), chunk, "the row is counted in the order of ids");
        }
    }
    for name in RESULTS {
        assert_eq!(outcome.chunks(name).map(|chunk| chunk.row_count()).sum::<usize>(), outcome.row_count(name), "{name}");
    }
}
