//! The hostile guest, built once, and batches for it.

use attain_domain::point::{Answer, Call, Extension, Fault};
use attain_domain::{Column, Table};
use attain_extend::package;
use std::path::Path;
use std::sync::OnceLock;

/// Its bytes. `tests/guests/hostile` lists the kinds of misbehaviour.
pub fn hostile() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = tempfile::tempdir().expect("a folder");
        let built = package::build(&root.join("tests/guests/hostile"), folder.path()).unwrap_or_else(|error| panic!("{error:#}"));
        std::fs::read(built).expect("the component")
    })
}

/// Transactions of growing amounts with one claim each, of ten payees.
pub fn batch(rows: usize) -> Vec<Table> {
    let count = rows as i64;
    let payees: Vec<Option<String>> = (0..rows).map(|row| Some(format!("payee-{}", row % 10))).collect();
    vec![
        Table::new("transactions")
            .with("amount", Column::money((0..count).map(|row| row * 12_345).collect()))
            .with("claims_from", Column::integer((0..count).collect()))
            .with("claims_until", Column::integer((1..=count).collect())),
        Table::new("claims")
            .with("role", Column::text(&vec![Some("owner"); rows]))
            .with("payee_id", Column::text(&payees))
            .with("share", Column::rate(vec![attain_domain::NULL_NUMBER; rows])),
        Table::new("rounding").with("mode", Column::text(&[Some("half-even")])).with("step", Column::money(vec![100])),
    ]
}

pub fn call(extension: &dyn Extension, kind: &str, input: &[Table]) -> Result<Answer, Fault> {
    extension.run(&Call { settings: &serde_json::json!({ "kind": kind }), input })
}
