//! Conditions on credits, compiled to one answer per dictionary entry, so that a row costs a lookup.

use crate::Inputs;
use crate::book::Book;
use crate::credits::Credits;
use crate::findings::Findings;
use crate::names::{Names, Tree, number, numbers, texts};
use attain_domain::plan::{Condition, ConditionField, Measure};
use attain_domain::{NULL_CODE, Severity, Table};
use rust_decimal::Decimal;

/// What of a measure's conditions is known: per transaction and per rule. `None` lets all pass.
#[derive(Debug, Default)]
pub struct Filter {
    pub transactions: Option<Vec<bool>>,
    pub rules: Option<Vec<bool>>,
}

/// Which transactions pass conditions that are no measure's; `None` for all. `record` names them in findings.
pub fn transactions(conditions: &[Condition], record: &str, inputs: &Inputs, book: &Book, findings: &mut Findings) -> Option<Vec<bool>> {
    let measure = Measure {
        id: record.to_owned(),
        name: String::new(),
        value: attain_domain::plan::MeasureValue::Amount,
        credits: Vec::new(),
        conditions: conditions.to_vec(),
        of: attain_domain::plan::MeasureOf::default(),
        full: None,
    };
    compile(&measure, inputs, book, &Credits::default(), findings).transactions
}

pub fn compile(measure: &Measure, inputs: &Inputs, book: &Book, credits: &Credits, findings: &mut Findings) -> Filter {
    let mut filter = Filter::default();
    for condition in &measure.conditions {
        let numeric = condition.field.is_number();
        let misplaced = if numeric {
            condition.any_of.is_some() || condition.not_in.is_some()
        } else {
            condition.at_least.is_some() || condition.below.is_some()
        };
        if misplaced {
            let advice = if numeric { "test a number with `at_least` and `below`" } else { "test a text with `in` and `not_in`" };
            findings.add(Severity::Error, "condition-not-applicable", "measures", &measure.id, advice);
            continue;
        }
        if condition.field == ConditionField::Rule {
            let allowed = Allowed::new(condition, &credits.rules, |code| vec![code]);
            narrow(&mut filter.rules, credits.rules.len(), |rule| allowed.passes(rule as u32));
            continue;
        }
        let passes: Box<dyn Fn(usize) -> bool + '_> =
            if numeric { number_test(condition, book) } else { text_test(measure, condition, inputs, book, findings) };
        narrow(&mut filter.transactions, book.transactions.len(), passes);
    }
    filter
}

fn narrow(passing: &mut Option<Vec<bool>>, count: usize, passes: impl Fn(usize) -> bool) {
    match passing {
        None => *passing = Some((0..count).map(passes).collect()),
        Some(passing) => passing.iter_mut().enumerate().for_each(|(row, own)| *own = *own && passes(row)),
    }
}

/// For each code whether it passes; a row without value passes where only `not_in` is asked.
struct Allowed {
    codes: Vec<bool>,
    without_value: bool,
}

impl Allowed {
    fn new(condition: &Condition, names: &Names, lineage: impl Fn(u32) -> Vec<u32>) -> Allowed {
        let listed = |list: &[String], code: u32| lineage(code).iter().any(|ancestor| list.iter().any(|name| name == names.get(*ancestor)));
        let codes = (0..names.len() as u32)
            .map(|code| {
                condition.any_of.as_ref().is_none_or(|list| listed(list, code))
                    && !condition.not_in.as_ref().is_some_and(|list| listed(list, code))
            })
            .collect();
        Allowed { codes, without_value: condition.any_of.is_none() }
    }

    fn passes(&self, code: u32) -> bool {
        self.codes.get(code as usize).copied().unwrap_or(self.without_value)
    }
}

fn text_test<'a>(
    measure: &Measure,
    condition: &Condition,
    inputs: &Inputs,
    book: &'a Book,
    findings: &mut Findings,
) -> Box<dyn Fn(usize) -> bool + 'a> {
    let itself = |code: u32| vec![code];
    let climb = |tree: &'a Tree| move |code: u32| if condition.exact { vec![code] } else { tree.lineage(code) };
    let transactions = &book.transactions;
    let mut check = |names: &Names| {
        for name in condition.any_of.iter().chain(&condition.not_in).flatten().filter(|name| names.code(name) == NULL_CODE) {
            let message = format!("its condition names `{name}`, which does not exist; correct the name");
            findings.add(Severity::Warning, "condition-unknown-value", "measures", &measure.id, message);
        }
    };
    match condition.field {
        ConditionField::Kind => {
            let allowed = Allowed::new(condition, &transactions.kinds, itself);
            Box::new(move |row| allowed.passes(u32::from(transactions.kind[row])))
        }
        ConditionField::Account => {
            check(&book.accounts);
            let allowed = Allowed::new(condition, &book.accounts, itself);
            Box::new(move |row| allowed.passes(transactions.account.get(row)))
        }
        ConditionField::Product => {
            check(&book.products);
            let allowed = Allowed::new(condition, &book.products, itself);
            Box::new(move |row| allowed.passes(transactions.product.get(row)))
        }
        ConditionField::Family => {
            check(&book.families.names);
            let allowed = Allowed::new(condition, &book.families.names, climb(&book.families));
            Box::new(move |row| allowed.passes(book.family(row)))
        }
        ConditionField::Territory => {
            check(&book.territories.names);
            let allowed = Allowed::new(condition, &book.territories.names, climb(&book.territories));
            Box::new(move |row| allowed.passes(transactions.territory[row]))
        }
        ConditionField::Currency => {
            let allowed = Allowed::new(condition, &book.currencies, itself);
            Box::new(move |row| allowed.passes(transactions.currency.get(row)))
        }
        ConditionField::Tag => {
            let allowed = Allowed::new(condition, &book.tags, itself);
            Box::new(move |row| allowed.passes(transactions.tag.get(row)))
        }
        ConditionField::Industry => by_account(condition, inputs.table("accounts"), "industry", book),
        ConditionField::Segment => by_account(condition, inputs.table("accounts"), "segment", book),
        ConditionField::Rule
        | ConditionField::Amount
        | ConditionField::Quantity
        | ConditionField::Discount
        | ConditionField::MarginRate
        | ConditionField::DaysToPayment => {
            unreachable!("tested elsewhere")
        }
    }
}

/// A test of an attribute that the transaction's account has.
fn by_account<'a>(condition: &Condition, accounts: &Table, attribute: &str, book: &'a Book) -> Box<dyn Fn(usize) -> bool + 'a> {
    let values = texts(accounts, attribute);
    let names = Names::union(&[values]);
    let allowed = Allowed::new(condition, &names, |code| vec![code]);
    let mut passing = vec![allowed.without_value; book.accounts.len()];
    let ids = texts(accounts, "account_id");
    for row in 0..accounts.row_count() {
        if let Some(slot) = passing.get_mut(book.accounts.code_of(ids.get(row)) as usize) {
            *slot = allowed.passes(names.code_of(values.get(row)));
        }
    }
    Box::new(move |row| passing.get(book.transactions.account.get(row) as usize).copied().unwrap_or(allowed.without_value))
}

/// A bound as an exact fraction of integers; more than eighteen digits are not compared.
fn fraction(bound: Decimal) -> (i128, i128) {
    let bound = bound.round_dp(18).normalize();
    (bound.mantissa(), 10i128.pow(bound.scale()))
}

/// Days from the invoice of a transaction to its payment.
pub fn days_to_payment(book: &Book, row: usize) -> Option<i64> {
    let transactions = &book.transactions;
    let place = transactions.order.as_ref().map_or(Some(row), |order| order.get(row).map(|place| *place as usize))?;
    let day = |name: &str| number(numbers(&transactions.source, name), place);
    day("paid_on")?.checked_sub(day("invoiced_on")?)
}

fn number_test<'a>(condition: &Condition, book: &'a Book) -> Box<dyn Fn(usize) -> bool + 'a> {
    let transactions = &book.transactions;
    let at_least = condition.at_least.map(fraction);
    let below = condition.below.map(fraction);
    // value / unit against mantissa / power, with unit and power positive; products that do not fit compare as if endless.
    let compare = move |value: i128, unit: i128| {
        let left = |power: i128| value.checked_mul(power).unwrap_or(if value < 0 { i128::MIN } else { i128::MAX });
        let right = |mantissa: i128| mantissa.checked_mul(unit).unwrap_or(if mantissa < 0 { i128::MIN } else { i128::MAX });
        at_least.is_none_or(|(mantissa, power)| left(power) >= right(mantissa))
            && below.is_none_or(|(mantissa, power)| left(power) < right(mantissa))
    };
    let test = move |value: Option<i64>, unit: i128| value.is_some_and(|value| compare(i128::from(value), unit));
    match condition.field {
        ConditionField::Amount => Box::new(move |row| test(Some(transactions.amount[row]), 10_000)),
        ConditionField::Quantity => Box::new(move |row| test(transactions.quantity.get(row), 10_000)),
        ConditionField::Discount => Box::new(move |row| test(transactions.discount.get(row), 100_000_000)),
        ConditionField::DaysToPayment => Box::new(move |row| test(days_to_payment(book, row), 1)),
        _ => Box::new(move |row| {
            let amount = i128::from(transactions.amount[row]);
            let margin = transactions.margin.get(row).map(i128::from);
            amount != 0 && margin.is_some_and(|margin| compare(margin * amount.signum(), amount.abs()))
        }),
    }
}
