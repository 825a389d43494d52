//! Windfalls: transactions so large that somebody should look at them before what is earned from them is paid.

use crate::book::Book;
use crate::credits::Base;
use crate::findings::Findings;
use crate::names::{number, numbers, texts};
use crate::{Inputs, Run};
use attain_domain::fixed;
use attain_domain::settings::{WINDFALL_RELEASED, Windfall, WindfallOf, WindfallThen};
use attain_domain::{NULL_CODE, Severity};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of the credited transactions that are windfalls and about which nobody has decided yet, ascending; a finding each.
pub fn find(inputs: &Inputs, book: &Book, base: &Base, findings: &mut Findings) -> Vec<u32> {
    let Some(windfall) = &inputs.settings.crediting.windfall else { return Vec::new() };
    let mut rows: Vec<u32> = match windfall.of {
        WindfallOf::Amount => by_amount(windfall, book, base),
        WindfallOf::QuotaShare => by_quota_share(windfall, inputs, book, base, findings),
    };
    rows.dedup();
    let decided = decided(inputs);
    rows.retain(|row| !decided.contains(book.transactions.id(*row)));
    let then = match windfall.then {
        WindfallThen::Hold => "what is earned from it is held until it is released",
        WindfallThen::Flag => "look at it before it is paid",
    };
    for row in &rows {
        let shown = fixed::format(book.transactions.amount[*row as usize], fixed::MONEY_SCALE);
        let least = windfall.at_least.normalize();
        let message = match windfall.of {
            WindfallOf::Amount => format!("its amount {shown} is at least {least}; {then}"),
            WindfallOf::QuotaShare => format!("a credit of its amount {shown} is at least {least} of a quota; {then}"),
        };
        findings.add(Severity::Warning, "windfall", "transactions", book.transactions.id(*row), message);
    }
    rows
}

/// The transactions whose pay is held because they are windfalls: until there is a row of `holds` about them with the reason
/// `windfall-released` and an `until_on`.
pub fn windfall_held(run: &Run<'_>) -> BTreeSet<u32> {
    let holds = run.inputs.settings.crediting.windfall.as_ref().is_some_and(|windfall| windfall.then == WindfallThen::Hold);
    if holds { run.credits.windfall.iter().copied().collect() } else { BTreeSet::new() }
}

/// The ids of the transactions that were decided about.
fn decided(inputs: &Inputs) -> BTreeSet<&str> {
    let holds = inputs.table("holds");
    let (ids, reasons, until_on) = (texts(holds, "transaction_id"), texts(holds, "reason"), numbers(holds, "until_on"));
    (0..holds.row_count())
        .filter(|row| reasons.get(*row) == Some(WINDFALL_RELEASED) && number(until_on, *row).is_some())
        .filter_map(|row| ids.get(row))
        .collect()
}

fn by_amount(windfall: &Windfall, book: &Book, base: &Base) -> Vec<u32> {
    let reaches = |row: &u32| fixed::to_decimal(book.transactions.amount[*row as usize], fixed::MONEY_SCALE) >= windfall.at_least;
    base.transaction.iter().copied().filter(reaches).collect()
}

fn by_quota_share(windfall: &Windfall, inputs: &Inputs, book: &Book, base: &Base, findings: &mut Findings) -> Vec<u32> {
    let measures = &inputs.settings.measures;
    let measure_id = windfall.measure.as_deref().or_else(|| measures.first().map(|measure| measure.id.as_str()));
    if measure_id.is_none_or(|id| measures.iter().all(|measure| measure.id != id)) {
        let message = "a share of a quota needs a measure; name one of the company's";
        findings.add(Severity::Error, "windfall-measure", "settings", "crediting.windfall", message);
        return Vec::new();
    }
    let quotas = inputs.table("quotas");
    let (payees, periods, own_measures) = (texts(quotas, "payee_id"), texts(quotas, "period_id"), texts(quotas, "measure_id"));
    let amounts = numbers(quotas, "amount");
    let mut known: BTreeMap<(u32, usize), i64> = BTreeMap::new();
    for row in (0..quotas.row_count()).filter(|row| own_measures.get(*row) == measure_id) {
        let (payee, period) = (book.payees.code_of(payees.get(row)), periods.get(row).and_then(|id| book.calendar.index_of(id)));
        if let (Some(period), Some(amount)) = (period, number(amounts, row).filter(|amount| *amount > 0))
            && payee != NULL_CODE
        {
            known.insert((payee, period), amount);
        }
    }
    let reaches = |line: &usize| {
        let period = usize::from(book.transactions.period[base.transaction[*line] as usize]);
        let quota = known.get(&(base.payee[*line], period)).map(|quota| fixed::to_decimal(*quota, fixed::MONEY_SCALE));
        let credit: Decimal = fixed::to_decimal(base.amount[*line], fixed::MONEY_SCALE);
        quota.and_then(|quota| quota.checked_mul(windfall.at_least)).is_some_and(|bound| credit >= bound && credit > Decimal::ZERO)
    };
    (0..base.len()).filter(reaches).map(|line| base.transaction[line]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credits::Credits;
    use attain_domain::Table;
    use attain_domain::point::{Extension, Extensions, Fault, FaultKind, Point};
    use std::sync::Arc;

    struct Nothing;

    impl Extensions for Nothing {
        fn get(&self, _: Point, name: &str) -> Result<&dyn Extension, Fault> {
            Err(Fault::new(FaultKind::NotAnExtension, name))
        }
    }

    #[test]
    fn pay_is_held_where_the_company_says_so_and_nowhere_else() {
        let held = |windfall: &str| {
            let settings = format!(
                "format = 1\nname = \"w\"\ncurrency = \"USD\"\ncalendar = {{ pattern = \"months\", first = \"2026-01-01\", years = 1 }}\n\
                 [crediting]\nrules = []\n{windfall}"
            );
            let inputs = Inputs {
                settings: toml::from_str(&settings).expect("settings"),
                plans: Vec::new(),
                tables: BTreeMap::new(),
                posted: Table::new("postings"),
                periods: None,
            };
            let mut run = Run::new(&inputs, &Nothing);
            run.credits = Arc::new(Credits { windfall: vec![3, 8], ..Credits::default() });
            windfall_held(&run).into_iter().collect::<Vec<u32>>()
        };
        assert_eq!(held("windfall = { at_least = \"1000\" }"), [3, 8]);
        assert_eq!(held("windfall = { at_least = \"1000\", then = \"flag\" }"), Vec::<u32>::new());
        assert_eq!(held(""), Vec::<u32>::new());
    }
}
