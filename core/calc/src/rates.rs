//! Rates that a component looks up: in tables of its plan by what is known of a row, and in ordered rules by the transaction of a credit.

use crate::Run;
use crate::book::Book;
use crate::condition::{compile, days_to_payment};
use crate::earning_rows::{Rows, Subject};
use crate::findings::Findings;
use crate::measure::part;
use crate::names::texts;
use attain_domain::component::{RateRule, RateRules};
use attain_domain::fixed::{from_decimal_rounded, to_decimal};
use attain_domain::plan::{ConditionField, Measure};
use attain_domain::rate_table::{Choice, DimensionKind, Key, NoMatch, RateTable};
use attain_domain::{Column, MONEY_SCALE, NULL_CODE, NULL_NUMBER, RATE_SCALE, Severity, TextColumn};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Fills what `lookups` and `rates` of the component ask for.
pub fn fill(run: &mut Run<'_>, subject: &Subject<'_>, rows: &mut Rows) {
    let component = subject.component;
    let mut labels: Vec<Vec<String>> = Vec::new();
    if !component.lookups.is_empty() || component.rates.is_some() {
        labels.resize(rows.len(), Vec::new());
    }
    for (param, name) in &component.lookups {
        if let Some(table) = subject.part.tables.get(name) {
            let own = std::mem::take(rows.param(param));
            let values = look(run, subject, rows, name, table, &own, &mut labels);
            *rows.param(param) = values;
        }
    }
    if let Some(rates) = &component.rates {
        by_rules(run, subject, rates, rows, &mut labels);
    }
    if !labels.is_empty() {
        let joined: Vec<Option<String>> = labels.iter().map(|own| (!own.is_empty()).then(|| own.join(", "))).collect();
        if let Column::Text(TextColumn { dictionary, codes }) = Column::text(&joined) {
            rows.rate_labels = (dictionary, codes);
        }
    }
}

fn record(book: &Book, subject: &Subject<'_>, rows: &Rows, row: usize) -> String {
    let of = if rows.transaction[row] == NULL_CODE {
        book.calendar.periods[rows.period[row] as usize].id.to_string()
    } else {
        book.transactions.id(rows.transaction[row]).to_owned()
    };
    format!("{}, {of}, {}, {}", book.payees.get(rows.payee[row]), subject.plan_id, subject.component.id)
}

/// Says that nothing matches, where that is to be said. The result is zero.
fn no_match(findings: &mut Findings, policy: NoMatch, record: impl Fn() -> String, what: &str) {
    let severity = match policy {
        NoMatch::Zero => return,
        NoMatch::Finding => Severity::Warning,
        NoMatch::Error => Severity::Error,
    };
    let message = format!("{what}; it counts as zero. Add a row, or say so with `no_match = \"zero\"`");
    findings.add(severity, "rate-no-match", "earnings", &record(), message);
}

/// What a table gives in each row that has no value of its own yet.
fn look(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    rows: &Rows,
    name: &str,
    table: &RateTable,
    own: &[i64],
    labels: &mut [Vec<String>],
) -> Vec<i64> {
    let book = std::sync::Arc::clone(&run.book);
    let place = format!("{}, tables.{name}", subject.plan_id);
    let mut readers = Vec::with_capacity(table.dimensions.len());
    for dimension in &table.dimensions {
        match reader(run, &book, rows, dimension.field(), dimension.kind == DimensionKind::Tree) {
            Ok(reader) => readers.push(reader),
            Err(message) => {
                run.findings.add(Severity::Error, "table-unknown-field", "plans", &place, message);
                return vec![0; rows.len()];
            }
        }
    }
    let mut values = Vec::with_capacity(rows.len());
    let mut findings = Findings::default();
    for row in 0..rows.len() {
        if own[row] != NULL_NUMBER {
            values.push(own[row]);
            continue;
        }
        let keys: Vec<Key<'_>> = readers.iter().map(|reader| reader(row)).collect();
        let looked = table.look(&keys);
        let value = match &looked {
            Some(looked) => {
                labels[row].push(table.label(name, &looked.rows));
                from_decimal_rounded(looked.result, RATE_SCALE)
            }
            None => {
                if subject.settled[rows.period[row] as usize] {
                    let what = format!("no row of table `{name}` holds {}", shown(table, &keys));
                    no_match(&mut findings, table.no_match, || record(&book, subject, rows, row), &what);
                }
                Some(0)
            }
        };
        values.push(value.unwrap_or_else(|| {
            findings.add(Severity::Error, "overflow", "plans", &place, "a result of the table does not fit; correct it");
            0
        }));
    }
    run.findings.append(findings);
    values
}

fn shown(table: &RateTable, keys: &[Key<'_>]) -> String {
    let each = table.dimensions.iter().zip(keys).map(|(dimension, key)| match key {
        Key::Nothing => format!("no {}", dimension.name),
        Key::Number(value) => format!("{} {}", dimension.name, value.normalize()),
        Key::Text(text) => format!("{} {text}", dimension.name),
        Key::Owned(text) => format!("{} {text}", dimension.name),
        Key::Lineage(lineage) => format!("{} {}", dimension.name, lineage.first().unwrap_or(&"")),
        Key::OwnedLineage(lineage) => format!("{} {}", dimension.name, lineage.join(" ")),
    });
    each.collect::<Vec<_>>().join(", ")
}

type Reader<'a> = Box<dyn Fn(usize) -> Key<'a> + 'a>;

fn number_key<'a>(value: Option<i64>, scale: u8) -> Key<'a> {
    value.filter(|value| *value != NULL_NUMBER).map_or(Key::Nothing, |value| Key::Number(to_decimal(value, scale)))
}

fn text_key(text: &str) -> Key<'_> {
    if text.is_empty() { Key::Nothing } else { Key::Text(text) }
}

const FIELDS: &str = "credited, prior, to-date, quota, attainment, target, payee, position, role, inputs.<name>, params.<name>, and of a \
    single credit kind, account, industry, segment, product, family, territory, currency, tag, rule, amount, quantity, discount, margin-rate, \
    days-to-payment";

/// How a field is read from a row, or why it is not.
fn reader<'a>(run: &Run<'_>, book: &'a Book, rows: &'a Rows, field: &str, is_tree: bool) -> Result<Reader<'a>, String> {
    let money = |values: &'a [i64]| -> Reader<'a> { Box::new(move |row| number_key(values.get(row).copied(), MONEY_SCALE)) };
    let named = |list: &'a [(String, Vec<i64>)], name: &str, scale: u8| -> Result<Reader<'a>, String> {
        let found = list.iter().find(|(own, _)| own == name).ok_or_else(|| format!("there is no `{field}`; the fields are {FIELDS}"))?;
        Ok(Box::new(move |row| number_key(found.1.get(row).copied(), scale)))
    };
    if let Some(name) = field.strip_prefix("inputs.") {
        return named(&rows.inputs, name, MONEY_SCALE);
    }
    if let Some(name) = field.strip_prefix("params.") {
        return named(&rows.params, name, RATE_SCALE);
    }
    match field {
        "credited" => {
            return Ok(Box::new(move |row| number_key(Some(rows.to_date[row].saturating_sub(rows.prior[row])), MONEY_SCALE)));
        }
        "prior" => return Ok(money(&rows.prior)),
        "to-date" => return Ok(money(&rows.to_date)),
        "quota" => return Ok(money(&rows.quota)),
        "target" => return Ok(money(&rows.target)),
        "attainment" => return Ok(Box::new(move |row| number_key(Some(rows.attainment(row)), RATE_SCALE))),
        "payee" => return Ok(Box::new(move |row| text_key(book.payees.get(rows.payee[row])))),
        "position" => {
            return Ok(Box::new(move |row| text_key(book.hierarchy.position(rows.payee[row], rows.day[row]))));
        }
        "role" => {
            let table = run.inputs.table("positions");
            let (ids, roles) = (texts(table, "position_id"), texts(table, "role"));
            let of: BTreeMap<String, String> =
                (0..table.row_count()).filter_map(|row| Some((ids.get(row)?.to_owned(), roles.get(row)?.to_owned()))).collect();
            let held = (0..rows.len()).map(|row| of.get(book.hierarchy.position(rows.payee[row], rows.day[row])).cloned());
            return Ok(owned(held.collect()));
        }
        _ => {}
    }
    if rows.credit.len() != rows.len() {
        let message = format!("there is no `{field}` of a whole period; the fields are {FIELDS}");
        return Err(message);
    }
    of_transaction(run, book, rows, field, is_tree).ok_or_else(|| format!("there is no `{field}`; the fields are {FIELDS}"))
}

fn owned<'a>(values: Vec<Option<String>>) -> Reader<'a> {
    Box::new(move |row| values.get(row).and_then(Option::as_ref).map_or(Key::Nothing, |text| Key::Owned(text.clone())))
}

fn of_transaction<'a>(run: &Run<'_>, book: &'a Book, rows: &'a Rows, field: &str, is_tree: bool) -> Option<Reader<'a>> {
    let at = move |row: usize| rows.transaction[row] as usize;
    let transactions = &book.transactions;
    Some(match field {
        "amount" => Box::new(move |row| number_key(transactions.amount.get(at(row)).copied(), MONEY_SCALE)),
        "quantity" => Box::new(move |row| number_key(transactions.quantity.get(at(row)), MONEY_SCALE)),
        "discount" => Box::new(move |row| number_key(transactions.discount.get(at(row)), RATE_SCALE)),
        "days-to-payment" => Box::new(move |row| number_key(days_to_payment(book, at(row)), 0)),
        "margin-rate" => Box::new(move |row| {
            let (margin, amount) = (transactions.margin.get(at(row)), transactions.amount[at(row)]);
            let rate = margin.and_then(|margin| Decimal::from(margin).checked_div(Decimal::from(amount)));
            rate.map_or(Key::Nothing, Key::Number)
        }),
        "kind" => Box::new(move |row| text_key(transactions.kinds.get(u32::from(transactions.kind[at(row)])))),
        "account" => Box::new(move |row| text_key(book.accounts.get(transactions.account.get(at(row))))),
        "product" => Box::new(move |row| text_key(book.products.get(transactions.product.get(at(row))))),
        "currency" => Box::new(move |row| text_key(book.currencies.get(transactions.currency.get(at(row))))),
        "tag" => Box::new(move |row| text_key(book.tags.get(transactions.tag.get(at(row))))),
        "rule" => {
            let credits = std::sync::Arc::clone(&run.credits);
            owned((0..rows.len()).map(|row| Some(credits.rules.get(u32::from(credits.base.rule[rows.credit[row].0])).to_owned())).collect())
        }
        "industry" | "segment" => {
            let accounts = run.inputs.table("accounts");
            let (ids, values) = (texts(accounts, "account_id"), texts(accounts, field));
            let of: BTreeMap<u32, String> = (0..accounts.row_count())
                .filter_map(|row| Some((book.accounts.code_of(ids.get(row)), values.get(row)?.to_owned())))
                .collect();
            owned((0..rows.len()).map(|row| of.get(&transactions.account.get(at(row))).cloned()).collect())
        }
        "family" | "territory" => {
            let tree = if field == "family" { &book.families } else { &book.territories };
            let code =
                move |row: usize| if std::ptr::eq(tree, &book.families) { book.family(at(row)) } else { transactions.territory[at(row)] };
            Box::new(move |row| match code(row) {
                NULL_CODE => Key::Nothing,
                code if is_tree => Key::Lineage(tree.lineage(code).into_iter().map(|code| tree.names.get(code)).collect()),
                code => text_key(tree.names.get(code)),
            })
        }
        _ => return None,
    })
}

/// How much a rule says: the product, then the depth of its family, the account, the segment or industry, the depth of its territory,
/// and then the number of its further conditions.
fn narrowness(rule: &RateRule, book: &Book) -> [usize; 6] {
    let mut says = [0; 6];
    let deepest = |tree: &crate::names::Tree, words: &[String]| {
        words
            .iter()
            .map(|word| tree.names.code(word))
            .filter(|code| *code != NULL_CODE)
            .map(|code| tree.lineage(code).len())
            .max()
            .unwrap_or(1)
    };
    for condition in &rule.conditions {
        let words = condition.any_of.as_deref().unwrap_or_default();
        match condition.field {
            ConditionField::Product if !words.is_empty() => says[0] = 1,
            ConditionField::Family if !words.is_empty() => says[1] = says[1].max(deepest(&book.families, words)),
            ConditionField::Account if !words.is_empty() => says[2] = 1,
            ConditionField::Segment | ConditionField::Industry if !words.is_empty() => says[3] += 1,
            ConditionField::Territory if !words.is_empty() => says[4] = says[4].max(deepest(&book.territories, words)),
            _ => says[5] += 1,
        }
    }
    says
}

fn by_rules(run: &mut Run<'_>, subject: &Subject<'_>, rates: &RateRules, rows: &mut Rows, labels: &mut [Vec<String>]) {
    let book = std::sync::Arc::clone(&run.book);
    let credits = std::sync::Arc::clone(&run.credits);
    let place = format!("{}, {}", subject.plan_id, subject.component.id);
    let filters: Vec<_> = rates
        .rules
        .iter()
        .map(|rule| {
            let asked = Measure { id: place.clone(), conditions: rule.conditions.clone(), ..Measure::default() };
            compile(&asked, run.inputs, &book, &credits, &mut run.findings)
        })
        .collect();
    // Narrower ones first; of equals the earlier.
    let mut order: Vec<usize> = (0..rates.rules.len()).collect();
    if rates.choice == Choice::Narrowest {
        order.sort_by_key(|index| (std::cmp::Reverse(narrowness(&rates.rules[*index], &book)), *index));
    }
    let scaled = |value: Option<Decimal>| value.map_or(Some(0), |value| from_decimal_rounded(value, RATE_SCALE));
    let (mut rate, mut per_unit, mut fee, mut units) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut findings = Findings::default();
    for row in 0..rows.len() {
        let (base, level) = rows.credit.get(row).copied().unwrap_or((usize::MAX, 0));
        let transaction = rows.transaction[row] as usize;
        let passes = |index: &usize| {
            let filter = &filters[*index];
            filter.transactions.as_ref().is_none_or(|passing| passing.get(transaction).copied().unwrap_or(false))
                && filter.rules.as_ref().is_none_or(|passing| {
                    credits.base.rule.get(base).is_some_and(|rule| passing.get(usize::from(*rule)).copied().unwrap_or(false))
                })
        };
        let mut found: Vec<usize> = order.iter().copied().filter(passes).collect();
        if rates.choice != Choice::All {
            found.truncate(1);
        }
        if found.is_empty() && subject.settled[rows.period[row] as usize] {
            no_match(&mut findings, rates.no_match, || record(&book, subject, rows, row), "no rate rule holds it");
        }
        let (mut sums, mut names) = ([Some(0i64); 3], Vec::new());
        for index in found {
            let rule = &rates.rules[index];
            for (sum, value) in sums.iter_mut().zip([rule.rate, rule.amount_per_unit, rule.amount]) {
                *sum = sum.and_then(|sum| sum.checked_add(scaled(value)?));
            }
            names.push(if rule.label.is_empty() { format!("rule {}", index + 1) } else { rule.label.clone() });
        }
        if !names.is_empty() {
            labels[row].push(names.join(" + "));
        }
        let mut take = |sum: Option<i64>| {
            sum.unwrap_or_else(|| {
                findings.add(Severity::Error, "overflow", "plans", &place, "a rate does not fit; correct it");
                0
            })
        };
        rate.push(take(sums[0]));
        per_unit.push(take(sums[1]));
        fee.push(take(sums[2]));
        units.push(if base == usize::MAX { 0 } else { part(book.transactions.quantity.get(transaction), credits.share(base, level)) });
    }
    run.findings.append(findings);
    *rows.param("rate") = rate;
    *rows.param("per_unit") = per_unit;
    *rows.param("fee") = fee;
    rows.inputs.push(("units".to_owned(), units));
}
