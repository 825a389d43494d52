//! Which periods have begun, and so get statements: something lies in them or in a later one. Later periods are planned, not paid.

use crate::Inputs;
use attain_domain::plan::Plan;
use attain_domain::settings::Settings;
use attain_domain::{Calendar, NULL_NUMBER, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// States in which what was posted for a period stays as it is.
const FROZEN: [&str; 2] = ["approved", "closed"];

/// The last day that a period must have begun by to get statements: of a transaction, a receipt, a period with an adjustment, a state of
/// its own or a posting, and of the first open period after a closed one.
pub fn begun<'a>(settings: &Settings, table: &dyn Fn(&str) -> Option<&'a Table>, posted: &Table) -> Option<i64> {
    let days = |entity: &str, column: &str| {
        let days = table(entity).and_then(|table| table.numbers(column)).unwrap_or(&[]);
        days.iter().filter(|day| **day != NULL_NUMBER).max().copied()
    };
    let calendar = Calendar::new(&settings.calendar).ok()?;
    let named = |table: Option<&Table>| {
        let ids = table.and_then(|table| table.texts("period_id"));
        ids.into_iter().flat_map(|ids| &ids.dictionary).filter_map(|id| calendar.index_of(id)).max()
    };
    let states = table("periods");
    let frozen = |table: &Table| {
        let (ids, states) = (table.texts("period_id")?, table.texts("state")?);
        let rows = (0..table.row_count()).filter(|row| states.get(*row).is_some_and(|state| FROZEN.contains(&state)));
        rows.filter_map(|row| calendar.index_of(ids.get(row)?)).max()
    };
    let after = states.and_then(frozen).map(|last| (last + 1).min(calendar.periods.len() - 1));
    let periods = [named(table("adjustments")), named(states), named(Some(posted)), after];
    let begun = periods.into_iter().flatten().max().map(|index| i64::from(calendar.periods[index].from.0));
    [days("transactions", settings.crediting.date.field()), days("receipts", "received_on"), begun].into_iter().flatten().max()
}

impl Inputs {
    /// With statements for every period that has begun.
    pub fn new(settings: Settings, plans: Vec<Plan>, tables: BTreeMap<String, Arc<Table>>, posted: Table) -> Inputs {
        let last = begun(&settings, &|entity| tables.get(entity).map(AsRef::as_ref), &posted);
        let periods = Calendar::new(&settings.calendar).map_or_else(|_| Vec::new(), |calendar| calendar.periods);
        let begun = periods.into_iter().filter(|period| last.is_some_and(|last| i64::from(period.from.0) <= last));
        let periods = Some(begun.map(|period| period.id).collect());
        Inputs { settings, plans, tables, posted, periods }
    }
}
