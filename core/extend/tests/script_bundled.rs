//! Runs the cases of every bundled script, over columns and row by row.

#[path = "script/tables.rs"]
mod tables;

use attain_domain::point::{Call, Extension, Point};
use attain_extend::script::{self, Evaluate};
use std::path::Path;

#[test]
fn every_bundled_script_passes_its_cases_over_columns_and_row_by_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder of scripts")
        .filter_map(|entry| entry.expect("an entry").file_name().to_str().and_then(|name| name.strip_suffix(".rhai")).map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 11, "{names:?}");
    let mut failures = Vec::new();
    for name in &names {
        let source = std::fs::read_to_string(folder.join(format!("{name}.rhai"))).expect("a script");
        let script = script::compile(name, &source).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        // A payout is laid out as a whole.
        let is_formula = script.identity().point != Point::Payout;
        assert!(script.is_columnar() || !is_formula, "{name} does not run over columns");
        let cases = std::fs::read_to_string(folder.join(format!("{name}.cases.toml"))).expect("its cases");
        attain_extend::Loaded::script(&source, &cases)
            .and_then(attain_extend::Loaded::checked)
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let cases = tables::cases(&cases);
        assert!(cases.len() >= 3, "{name} has only {} cases", cases.len());
        let contract = script.identity().point.contract();
        for case in &cases {
            let input = tables::input(contract, &case.input);
            let call = Call { settings: &case.settings, input: &input };
            // A refusal is worded by the rows.
            let columns = if case.refused.is_some() { Evaluate::Columns } else { Evaluate::ColumnsOnly };
            for evaluate in [columns, Evaluate::Rows] {
                let what = format!("{name}: {} ({evaluate:?})", case.name);
                match (script.run_as(&call, evaluate), &case.refused) {
                    (Ok(answer), None) => failures
                        .extend(tables::differences(&answer, &case.answer).into_iter().map(|difference| format!("{what}: {difference}"))),
                    (Err(fault), Some(refused)) if fault.to_string().contains(refused.as_str()) => {}
                    (Ok(_), Some(refused)) => failures.push(format!("{what}: not refused with `{refused}`")),
                    (Err(fault), _) => failures.push(format!("{what}: {fault}")),
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
