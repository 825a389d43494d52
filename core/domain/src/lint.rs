//! What is allowed in a plan but seldom meant: holes, overlaps and gaps between bounds, and bounds at which pay jumps or falls.

use crate::finding::Severity;
use crate::plan::{Component, Plan};
use crate::rate_table::{Choice, Dimension, DimensionKind, Key, RangeBound, RateTable};
use crate::tiers::{TierBy, TierTable};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Cells of a table that are looked at; a larger table is not searched for holes.
const CELLS_MAX: usize = 20_000;
/// Lints of one kind and place that are told one by one.
const TOLD_MAX: usize = 5;

/// Something to look at. `code` is kebab-case and stable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    pub severity: Severity,
    pub code: &'static str,
    /// The component, or the table as `tables.<name>`.
    pub place: String,
    pub message: String,
}

/// All there is to look at in a plan, in the order of its components and then of its tables.
pub fn lint(plan: &Plan) -> Vec<Lint> {
    let mut lints = Vec::new();
    for component in &plan.components {
        tiers(component, plan.cliff_share(), &mut lints);
    }
    for (name, table) in &plan.tables {
        if table.defects().is_empty() {
            Linter { place: format!("tables.{name}"), table, cliff: plan.cliff_share(), lints: &mut lints }.lint();
        }
    }
    lints
}

fn told(lints: &mut Vec<Lint>, severity: Severity, code: &'static str, place: &str, messages: Vec<String>) {
    let more = messages.len().saturating_sub(TOLD_MAX);
    for message in messages.into_iter().take(TOLD_MAX) {
        lints.push(Lint { severity, code, place: place.to_owned(), message });
    }
    if more > 0 {
        lints.push(Lint { severity, code, place: place.to_owned(), message: format!("{more} more of this kind are not listed") });
    }
}

/// Whether `until` is written as the last number below `from`: 9999.99 below 10000.
fn is_gap(until: Decimal, from: Decimal) -> bool {
    from.checked_sub(until).is_some_and(|width| width > Decimal::ZERO && width <= Decimal::ONE)
}

fn shown(value: Decimal) -> Decimal {
    value.round_dp(4).normalize()
}

/// The jump at a bound, as a lint, where it is one: pay that falls, or rises by more than the share `cliff`.
fn jump(at: String, below: Decimal, above: Decimal, unit: &str, cliff: Decimal) -> Option<(Severity, &'static str, String)> {
    let (low, high) = (shown(below), shown(above));
    if above < below {
        return Some((Severity::Warning, "pay-falls", format!("at {at} pay falls from {low} to {high}{unit}: more is worth less")));
    }
    let allowed = below.checked_mul(cliff)?;
    (above.checked_sub(below)? > allowed).then(|| (Severity::Info, "pay-cliff", format!("at {at} pay jumps from {low} to {high}{unit}")))
}

fn tiers(component: &Component, cliff: Decimal, lints: &mut Vec<Lint>) {
    if component.settings.get("tiers").is_none() {
        return;
    }
    let Ok(table) = serde_json::from_value::<TierTable>(component.settings.clone()) else { return };
    if !table.defects().is_empty() {
        return;
    }
    let mut add = |severity, code, messages| told(lints, severity, code, &component.id, messages);
    let by_attainment = table.by == TierBy::Attainment;
    if by_attainment && component.quota.is_none() {
        let message = "its tiers are by attainment, but it has no `quota`: they pay nothing".to_owned();
        add(Severity::Warning, "tiers-without-quota", vec![message]);
    }
    let (mut holes, mut gaps) = (Vec::new(), Vec::new());
    for (tier, next) in table.tiers.iter().zip(table.tiers.iter().skip(1)) {
        let Some(until) = tier.until.filter(|until| *until < next.from) else { continue };
        if is_gap(until, next.from) && !by_attainment {
            gaps.push(format!("what lies between {until} and {} is in no tier; leave `until` out, the next tier ends it", next.from));
        } else {
            holes.push(format!("what lies between {until} and {} is in no tier and pays nothing", next.from));
        }
    }
    add(Severity::Warning, "tier-gap", gaps);
    add(Severity::Warning, "tier-hole", holes);
    let quota = by_attainment.then_some(Decimal::ONE);
    let mut jumps = Vec::new();
    let mut bounds: Vec<Decimal> = table.tiers.iter().flat_map(|tier| [Some(tier.from), tier.until]).flatten().collect();
    bounds.sort_unstable();
    bounds.dedup();
    for bound in bounds.into_iter().filter(|bound| *bound > Decimal::ZERO) {
        let near = |position: Option<Decimal>| table.pay(Decimal::ZERO, position?, quota).map(|paid| paid.amount);
        let Some(trifle) = bound.checked_mul(Decimal::new(1, 9)) else { continue };
        let (Some(below), Some(above)) = (near(bound.checked_sub(trifle)), near(bound.checked_add(trifle))) else { continue };
        let is_smooth = bound.checked_mul(Decimal::new(1, 6)).is_none_or(|most| (above - below).abs() <= most);
        if !is_smooth {
            jumps.extend(jump(bound.to_string(), below, above, if by_attainment { " of the quota" } else { "" }, cliff));
        }
    }
    tell_jumps(jumps, &component.id, lints);
}

fn tell_jumps(jumps: Vec<(Severity, &'static str, String)>, place: &str, lints: &mut Vec<Lint>) {
    for code in ["pay-falls", "pay-cliff"] {
        let own: Vec<&(Severity, &'static str, String)> = jumps.iter().filter(|jump| jump.1 == code).collect();
        if let Some(first) = own.first() {
            told(lints, first.0, code, place, own.iter().map(|jump| jump.2.clone()).collect());
        }
    }
}

/// One value of a dimension that stands for all that the table treats alike.
#[derive(Debug, Clone)]
struct Sample {
    key: SampleKey,
    shown: String,
    /// The bounds next to it, where it lies between two.
    between: Option<(Decimal, Decimal)>,
}

#[derive(Debug, Clone)]
enum SampleKey {
    Nothing,
    Number(Decimal),
    Text(String),
}

impl SampleKey {
    fn key(&self, kind: DimensionKind) -> Key<'_> {
        match self {
            SampleKey::Nothing => Key::Nothing,
            SampleKey::Number(value) => Key::Number(*value),
            SampleKey::Text(text) if kind == DimensionKind::Tree => Key::Lineage(vec![text]),
            SampleKey::Text(text) => Key::Text(text),
        }
    }
}

fn samples(dimension: &Dimension, table: &RateTable) -> Vec<Sample> {
    let name = &dimension.name;
    let cells: Vec<Option<&crate::rate_table::Cell>> = table.rows.iter().map(|row| row.when.get(name)).collect();
    let mut found = Vec::new();
    if dimension.kind == DimensionKind::Range {
        let ranges: Vec<&crate::rate_table::CellRange> = cells
            .iter()
            .filter_map(|cell| match cell {
                Some(crate::rate_table::Cell::Range(range)) => Some(range),
                _ => None,
            })
            .collect();
        let bounds: BTreeSet<Decimal> =
            ranges.iter().flat_map(|range| [range.from, range.until]).flatten().map(|bound| bound.normalize()).collect();
        let bounds: Vec<Decimal> = bounds.into_iter().collect();
        let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
            return vec![Sample { key: SampleKey::Nothing, shown: format!("any {name}"), between: None }];
        };
        let (open_below, open_above) = (ranges.iter().any(|range| range.from.is_none()), ranges.iter().any(|range| range.until.is_none()));
        let number = |value: Decimal, shown: String, between| Sample { key: SampleKey::Number(value), shown, between };
        if open_below {
            found.push(number(first - Decimal::ONE, format!("{name} below {first}"), None));
        }
        for (index, bound) in bounds.iter().enumerate() {
            let is_outside = (index == 0 && !open_below && dimension.bound == RangeBound::UpperInclusive)
                || (bound == last && !open_above && dimension.bound == RangeBound::LowerInclusive);
            if !is_outside {
                found.push(number(*bound, format!("{name} {bound}"), None));
            }
            let Some(next) = bounds.get(index + 1) else { continue };
            let inside = match dimension.step {
                // The first multiple after the bound, if it lies before the next.
                Some(step) => bound.checked_add(step).filter(|value| value < next),
                None => bound.checked_add(*next).and_then(|sum| sum.checked_div(Decimal::TWO)),
            };
            if let Some(inside) = inside {
                found.push(number(inside, format!("{name} between {bound} and {next}"), Some((*bound, *next))));
            }
        }
        if open_above {
            found.push(number(last + Decimal::ONE, format!("{name} above {last}"), None));
        }
        return found;
    }
    let words: BTreeSet<&str> = cells
        .iter()
        .flat_map(|cell| match cell {
            Some(crate::rate_table::Cell::One(word)) => std::slice::from_ref(word),
            Some(crate::rate_table::Cell::AnyOf(words)) => words.as_slice(),
            _ => &[],
        })
        .map(String::as_str)
        .collect();
    found.extend(words.into_iter().map(|word| Sample {
        key: SampleKey::Text(word.to_owned()),
        shown: format!("{name} {word}"),
        between: None,
    }));
    if cells.iter().any(Option::is_none) {
        found.push(Sample { key: SampleKey::Nothing, shown: format!("any other {name}"), between: None });
    }
    found
}

struct Linter<'a> {
    place: String,
    table: &'a RateTable,
    cliff: Decimal,
    lints: &'a mut Vec<Lint>,
}

impl Linter<'_> {
    fn lint(&mut self) {
        let table = self.table;
        let samples: Vec<Vec<Sample>> = table.dimensions.iter().map(|dimension| samples(dimension, table)).collect();
        let count = samples.iter().try_fold(1usize, |count, own| count.checked_mul(own.len()));
        let Some(count) = count.filter(|count| *count <= CELLS_MAX) else {
            let message = "the table is too large to be searched for holes and overlaps".to_owned();
            told(self.lints, Severity::Info, "table-not-searched", &self.place, vec![message]);
            return;
        };
        let (mut holes, mut gaps) = (Vec::new(), Vec::new());
        let mut cells_of_row: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); table.rows.len()];
        let mut is_reached = vec![false; table.rows.len()];
        let mut equals = BTreeSet::new();
        for cell in 0..count {
            let picked = pick(&samples, cell);
            let keys: Vec<Key<'_>> =
                picked.iter().zip(&table.dimensions).map(|(sample, dimension)| sample.key.key(dimension.kind)).collect();
            let matching = table.matching(&keys);
            for row in &matching {
                cells_of_row[*row].insert(cell);
            }
            if table.lookup == Choice::Narrowest {
                let widths: Vec<_> = matching.iter().map(|row| table.rows[*row].width(&table.dimensions, &keys)).collect();
                if let Some(narrowest) = widths.iter().min() {
                    let ties: Vec<usize> =
                        matching.iter().zip(&widths).filter(|(_, width)| *width == narrowest).map(|(row, _)| *row).collect();
                    equals.extend(ties.windows(2).map(|pair| (pair[0], pair[1])));
                }
            }
            match table.look(&keys) {
                Some(looked) => looked.rows.iter().for_each(|row| is_reached[*row] = true),
                None if matching.is_empty() => {
                    let place: Vec<&str> = picked.iter().map(|sample| sample.shown.as_str()).collect();
                    let message = format!("no row holds {}", place.join(", "));
                    match picked.iter().filter_map(|sample| sample.between).find(|(until, from)| is_gap(*until, *from)) {
                        Some((until, from)) => gaps.push(format!(
                            "{message}; let the row that ends at {until} end at {from}, or give the dimension a `step` if there is nothing between"
                        )),
                        None => holes.push(message),
                    }
                }
                None => {}
            }
        }
        let mut overlaps: Vec<String> = equals.iter().map(|(one, other)| overlap(*one, *other)).collect();
        if table.lookup == Choice::First {
            for one in 0..table.rows.len() {
                for other in one + 1..table.rows.len() {
                    let (left, right) = (&cells_of_row[one], &cells_of_row[other]);
                    if !left.is_disjoint(right) && !left.is_subset(right) && !right.is_subset(left) {
                        overlaps.push(overlap(one, other));
                    }
                }
            }
        }
        let unreached: Vec<String> = is_reached
            .iter()
            .enumerate()
            .filter(|(row, reached)| !**reached && !cells_of_row[*row].is_empty())
            .map(|(row, _)| format!("row {} is never used; the rows before it hold all that it holds", row + 1))
            .collect();
        let jumps = self.jumps(&samples, count);
        told(self.lints, Severity::Warning, "table-gap", &self.place, gaps);
        told(self.lints, Severity::Warning, "table-hole", &self.place, holes);
        told(self.lints, Severity::Warning, "table-overlap", &self.place, overlaps);
        told(self.lints, Severity::Warning, "table-row-unused", &self.place, unreached);
        tell_jumps(jumps, &self.place, self.lints);
    }

    /// Where a rate changes at a bound of what it is a rate of.
    fn jumps(&self, samples: &[Vec<Sample>], count: usize) -> Vec<(Severity, &'static str, String)> {
        let mut jumps = Vec::new();
        let mut stride = 1;
        for (place, dimension) in self.table.dimensions.iter().enumerate() {
            let own = samples[place].len();
            let is_basis = dimension.kind == DimensionKind::Range && matches!(dimension.field(), "credited" | "to-date" | "amount");
            for cell in (0..count).filter(|_| is_basis) {
                let index = cell / stride % own;
                if index + 1 >= own {
                    continue;
                }
                let look = |cell: usize| {
                    let picked = pick(samples, cell);
                    let keys: Vec<Key<'_>> =
                        picked.iter().zip(&self.table.dimensions).map(|(sample, dimension)| sample.key.key(dimension.kind)).collect();
                    self.table.look(&keys).map(|looked| looked.result)
                };
                let (Some(below), Some(above)) = (look(cell), look(cell + stride)) else { continue };
                let bound = match (&samples[place][index], &samples[place][index + 1]) {
                    (Sample { key: SampleKey::Number(bound), between: None, .. }, Sample { between: Some(_), .. }) => *bound,
                    (_, Sample { key: SampleKey::Number(bound), .. }) => *bound,
                    _ => continue,
                };
                let (Some(low), Some(high)) = (bound.checked_mul(below), bound.checked_mul(above)) else { continue };
                if below != above && bound > Decimal::ZERO {
                    let others: Vec<String> = pick(samples, cell)
                        .iter()
                        .enumerate()
                        .filter(|(other, _)| *other != place)
                        .map(|(_, sample)| format!(", {}", sample.shown))
                        .collect();
                    jumps.extend(jump(format!("{} {bound}{}", dimension.name, others.concat()), low, high, "", self.cliff));
                }
            }
            stride *= own;
        }
        jumps
    }
}

fn overlap(one: usize, other: usize) -> String {
    format!("rows {} and {} hold some of the same and neither holds all of the other; the first one counts there", one + 1, other + 1)
}

/// The samples of a cell; the first dimension turns fastest.
fn pick(samples: &[Vec<Sample>], cell: usize) -> Vec<&Sample> {
    let mut rest = cell;
    samples
        .iter()
        .map(|own| {
            let sample = &own[rest % own.len()];
            rest /= own.len();
            sample
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(toml: &str) -> Vec<String> {
        let plan: Plan = toml::from_str(toml).expect("a plan");
        lint(&plan).into_iter().map(|lint| format!("{} {} {}", lint.code, lint.place, lint.message)).collect()
    }

    fn tiers(settings: &str) -> Vec<String> {
        codes(&format!("id = \"p\"\n[[components]]\nid = \"c\"\nmeasure = \"m\"\nformula = \"comp-tiered\"\nsettings = {settings}"))
    }

    fn table(table: &str) -> Vec<String> {
        codes(&format!("id = \"p\"\ncomponents = []\n[tables.t]\n{table}"))
    }

    #[test]
    fn tiers_that_end_a_cent_early_are_seen() {
        let found = tiers(r#"{ tiers = [{ from = "0", until = "9999.99", rate = "0.05" }, { from = "10000", rate = "0.06" }] }"#);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("tier-gap c what lies between 9999.99 and 10000"), "{found:?}");
        assert!(tiers(r#"{ tiers = [{ from = "0", rate = "0.05" }, { from = "10000", rate = "0.06" }] }"#).is_empty());
    }

    #[test]
    fn pay_that_jumps_or_falls_at_a_bound_is_told_in_money() {
        let found = tiers(r#"{ method = "whole-amount", tiers = [{ from = "0", rate = "0.05" }, { from = "10000", rate = "0.08" }] }"#);
        assert_eq!(found, ["pay-cliff c at 10000 pay jumps from 500 to 800"]);
        let found = tiers(r#"{ method = "whole-amount", tiers = [{ from = "0", rate = "0.05" }, { from = "10000", rate = "0.03" }] }"#);
        assert_eq!(found, ["pay-falls c at 10000 pay falls from 500 to 300: more is worth less"]);
        let small = tiers(r#"{ method = "whole-amount", tiers = [{ from = "0", rate = "0.05" }, { from = "10000", rate = "0.055" }] }"#);
        assert!(small.is_empty(), "{small:?}");
    }

    #[test]
    fn tables_are_searched_for_holes_gaps_overlaps_and_rows_without_use() {
        let rows = |rows: &str| {
            table(&format!("dimensions = [{{ name = \"product\" }}, {{ name = \"units\", kind = \"range\" }}]\nrows = [{rows}]"))
        };
        let row = |product: &str, from: &str, until: &str| {
            format!("{{ when = {{ product = \"{product}\", units = {{ from = \"{from}\", until = \"{until}\" }} }}, result = \"1\" }}")
        };
        assert!(rows(&[row("a", "0", "10"), row("a", "10", "20")].join(", ")).is_empty());
        let hole = rows(&[row("a", "0", "10"), row("a", "15", "20")].join(", "));
        assert_eq!(hole.len(), 2, "{hole:?}");
        assert!(hole[0].starts_with("table-hole tables.t no row holds product a, units 10"), "{hole:?}");
        let gap = rows(&[row("a", "0", "9.99"), row("a", "10", "20")].join(", "));
        assert!(gap.iter().any(|lint| lint.starts_with("table-gap")), "{gap:?}");
        let overlap = rows(&[row("a", "0", "10"), row("a", "5", "20")].join(", "));
        assert!(overlap.iter().any(|lint| lint.starts_with("table-overlap tables.t rows 1 and 2")), "{overlap:?}");
        let unused = rows(&[row("a", "0", "10"), row("a", "5", "8")].join(", "));
        assert_eq!(unused, ["table-row-unused tables.t row 2 is never used; the rows before it hold all that it holds"]);
        let one_sided = rows(&[row("a", "0", "20"), row("b", "0", "10")].join(", "));
        assert!(one_sided.iter().any(|lint| lint.contains("product b")), "{one_sided:?}");
    }

    #[test]
    fn whole_numbers_have_nothing_between_them() {
        let days = |step: &str| {
            table(&format!(
                "dimensions = [{{ name = \"days\", kind = \"range\", bound = \"both-inclusive\"{step} }}]\nrows = [{{ when = {{ days = {{ from = \"0\", until = \"30\" }} }}, result = \"1\" }}, {{ when = {{ days = {{ from = \"31\", until = \"60\" }} }}, result = \"2\" }}]"
            ))
        };
        assert!(days(", step = \"1\"").is_empty());
        assert_eq!(days("").len(), 1);
    }

    proptest! {
        /// A row that is taken out of a table without holes leaves a hole that is seen, whichever row it is.
        #[test]
        fn a_seeded_hole_is_found(bounds in proptest::collection::btree_set(0i64..1_000, 4..9), words in 1usize..4, taken in any::<prop::sample::Index>()) {
            let bounds: Vec<i64> = bounds.into_iter().collect();
            let names = ["a", "b", "c"];
            let mut rows = Vec::new();
            for word in &names[..words] {
                for pair in bounds.windows(2) {
                    rows.push(format!("{{ when = {{ w = \"{word}\", n = {{ from = \"{}\", until = \"{}\" }} }}, result = \"1\" }}", pair[0] * 10, pair[1] * 10));
                }
            }
            let whole = |rows: &[String]| table(&format!("dimensions = [{{ name = \"w\" }}, {{ name = \"n\", kind = \"range\" }}]\nrows = [{}]", rows.join(", ")));
            prop_assert!(whole(&rows).is_empty(), "{:?}", whole(&rows));
            let place = taken.index(rows.len());
            // The ends of the only word are no holes: the table is narrower then.
            let at = place % (bounds.len() - 1);
            prop_assume!(words > 1 || (at > 0 && at + 2 < bounds.len()));
            rows.remove(place);
            prop_assert!(whole(&rows).iter().any(|lint| lint.starts_with("table-hole")), "{:?}", whole(&rows));
        }
    }
}
