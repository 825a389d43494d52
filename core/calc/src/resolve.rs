//! Stage 1: validates transactions, finds their period, territory, rate and claims, and sets aside what cannot be credited.

use crate::beside::{Relationships, Stages};
use crate::book::{Book, Claims, InputTotals, NO_PERIOD, Sparse, SparseCodes, Transactions};
use crate::findings::Findings;
use crate::hierarchy::{Dated, Hierarchy};
use crate::lookup::{Coverage, ONE, Rates, Step, account_territories, rate_days};
use crate::names::{Names, Tree, number, numbers, texts};
use crate::{Inputs, Run};
use attain_domain::calendar::Calendar;
use attain_domain::settings::{OWN_ROLES, Settings};
use attain_domain::{Day, NULL_CODE, NULL_NUMBER, Severity, Table, TextColumn};
use std::sync::Arc;

pub fn stage(run: &mut Run<'_>) {
    for (entity, table) in &run.inputs.tables {
        if let Some(defect) = table.defect() {
            run.findings.add(Severity::Error, "invalid-input", entity, "", defect);
        }
    }
    if !run.findings.complete() {
        return;
    }
    match resolve(run.inputs, &mut run.findings) {
        Ok(book) => {
            run.row_count = book.transactions.len();
            run.book = Arc::new(book);
        }
        Err(message) => run.findings.add(Severity::Error, "calendar-invalid", "settings", "calendar", message),
    }
}

/// Why a transaction is set aside.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    DuplicateId,
    NoAmount,
    NoTestedDate,
    OutsideCalendar,
    NoRate,
    Overflow,
    SplitNot100,
}

pub fn resolve(inputs: &Inputs, findings: &mut Findings) -> Result<Book, String> {
    let settings = &inputs.settings;
    let calendar = Calendar::new(&settings.calendar)?;
    if calendar.periods.len() >= usize::from(NO_PERIOD) {
        return Err(format!("the calendar has {} periods; at most {} are possible", calendar.periods.len(), NO_PERIOD - 1));
    }
    let table = |entity: &str| inputs.table(entity);
    let source = inputs.tables.get("transactions").cloned().unwrap_or_default();
    let (coverage, splits, relationships) = (table("coverage"), table("splits"), table("relationships"));

    let houses: Vec<Option<&str>> = settings.crediting.house.iter().map(|house| house.payee.as_deref()).collect();
    let payees = Names::union(&[
        &TextColumn::from_values(&houses),
        texts(relationships, "payee_id"),
        texts(table("transaction_stages"), "payee_id"),
        texts(table("manual_credits"), "payee_id"),
        texts(table("payees"), "payee_id"),
        texts(table("occupancies"), "payee_id"),
        texts(splits, "payee_id"),
        texts(&source, "payee_id"),
        texts(table("quotas"), "payee_id"),
        texts(table("plan_assignments"), "payee_id"),
        texts(table("parameters"), "payee_id"),
        texts(&inputs.posted, "payee_id"),
    ]);
    let accounts = Names::union(&[
        texts(table("accounts"), "account_id"),
        texts(table("account_territories"), "account_id"),
        texts(coverage, "account_id"),
        texts(&source, "account_id"),
    ]);
    let products = Names::union(&[texts(table("products"), "product_id"), texts(&source, "product_id")]);
    let tree = |entity: &str, id: &str, others: &[&TextColumn]| {
        let own = table(entity);
        let mut columns = vec![texts(own, id), texts(own, "parent_id")];
        columns.extend_from_slice(others);
        Tree::new(Names::union(&columns), own, id)
    };
    let families = tree("families", "family_id", &[texts(table("products"), "family_id"), texts(coverage, "family_id")]);
    let territories =
        tree("territories", "territory_id", &[texts(table("account_territories"), "territory_id"), texts(coverage, "territory_id")]);
    let mut roles = Names::union(&[texts(coverage, "role"), texts(relationships, "name")]);
    roles.0.extend(OWN_ROLES.map(str::to_owned));
    roles.0.sort();
    roles.0.dedup();
    let mut currencies = Names::union(&[texts(&source, "currency"), texts(table("fx_rates"), "currency")]);
    if currencies.code(&settings.currency) == NULL_CODE {
        currencies.0.push(settings.currency.clone());
        currencies.0.sort();
    }
    let mut family_of = vec![NULL_CODE; products.len()];
    let (product_ids, family_ids) = (texts(table("products"), "product_id"), texts(table("products"), "family_id"));
    for row in 0..table("products").row_count() {
        if let Some(slot) = family_of.get_mut(products.code_of(product_ids.get(row)) as usize) {
            *slot = families.names.code_of(family_ids.get(row));
        }
    }
    let hierarchy = Hierarchy::new(&payees, table("positions"), table("occupancies"), table("hierarchy"), coverage, relationships);

    let (mut transactions, duplicates) = arrange(source, &accounts, &products, &currencies, settings);
    let own_payee = gather_codes(&transactions, "payee_id", &payees);
    let shares = Shares::new(splits, &transactions, &payees, findings);
    let relationships = Relationships::new(relationships, &hierarchy, &roles, &payees, findings);
    let stages = Stages::new(table("transaction_stages"), &transactions, &payees);
    let finder = Finder {
        settings,
        calendar: &calendar,
        rates: Rates::new(settings.fx, &currencies, &settings.currency, table("fx_rates")),
        rate_days: rate_days(settings.fx, &calendar),
        step: Step::new(&settings.rounding),
        territories: account_territories(table("account_territories"), &accounts, &territories.names),
        coverage: Coverage::new(coverage, &hierarchy, &roles, &territories, &accounts, &families),
        hierarchy: &hierarchy,
        family_of: &family_of,
        currencies: &currencies,
        split_role: roles.code("split") as u16,
        payee_role: roles.code("payee") as u16,
        own_payee,
        shares,
        duplicates,
        cost: gather_numbers(&transactions, "cost"),
        stage_role: roles.code("stage") as u16,
        detailed: !relationships.is_empty() || !stages.rows.is_empty(),
        relationships,
        stages,
    };
    let claims = finder.run(&mut transactions, findings);
    let stages = finder.stages.names;
    check_reversals(&transactions, findings);
    let mut book = Book {
        calendar,
        payees,
        accounts,
        products,
        currencies,
        tags: tags_of(&transactions),
        roles,
        territories,
        families,
        family_of,
        hierarchy,
        transactions,
        claims,
        stages,
        house: Vec::new(),
    };
    book.house = crate::house::of(inputs, &book, findings);
    Ok(book)
}

/// Puts the columns of the input in order of transaction id. Also says which rows share their id with another.
fn arrange(source: Arc<Table>, accounts: &Names, products: &Names, currencies: &Names, settings: &Settings) -> (Transactions, Vec<bool>) {
    let ids = texts(&source, "transaction_id");
    let count = ids.codes.len();
    let ascending = ids.dictionary.is_sorted_by(|left, right| left < right);
    let in_order = ascending && ids.codes.is_sorted();
    let order: Option<Vec<u32>> = (!in_order).then(|| {
        let ranks = Names::union(&[ids]).mapping(ids);
        let mut rows: Vec<u32> = (0..count as u32).collect();
        rows.sort_by_key(|row| ranks.get(ids.codes[*row as usize] as usize).copied().unwrap_or(NULL_CODE));
        rows
    });
    let id_codes: Vec<u32> = match &order {
        None => ids.codes.clone(),
        Some(order) => order.iter().map(|row| ids.codes[*row as usize]).collect(),
    };
    let mut duplicates = Vec::new();
    let same = |left: u32, right: u32| left == right || ids.dictionary.get(left as usize) == ids.dictionary.get(right as usize);
    for row in 1..id_codes.len() {
        let equal = if in_order { id_codes[row - 1] == id_codes[row] } else { same(id_codes[row - 1], id_codes[row]) };
        if equal {
            duplicates.resize(count, false);
            duplicates[row - 1] = true;
            duplicates[row] = true;
        }
    }
    let kinds = Names::union(&[texts(&source, "kind")]);
    let mut transactions = Transactions { source: Arc::clone(&source), id_codes, order, kinds, ..Transactions::default() };
    let kind = gather_codes(&transactions, "kind", &transactions.kinds);
    transactions.kind = (0..count).map(|row| kind.get(row) as u8).collect();
    transactions.account = gather_codes(&transactions, "account_id", accounts);
    transactions.product = gather_codes(&transactions, "product_id", products);
    transactions.currency = gather_codes(&transactions, "currency", currencies);
    transactions.tag = gather_codes(&transactions, "tag", &tags_of(&transactions));
    transactions.quantity = gather_numbers(&transactions, "quantity");
    transactions.discount = gather_numbers(&transactions, "discount");
    transactions.recorded = gather_numbers(&transactions, "amount").0;
    transactions.recorded.resize(count, NULL_NUMBER);
    let tested = gather_numbers(&transactions, settings.crediting.date.field());
    transactions.tested_on = (0..count).map(|row| tested.get(row).map_or(i32::MIN, |day| day as i32)).collect();
    transactions.period = vec![NO_PERIOD; count];
    transactions.territory = vec![NULL_CODE; count];
    transactions.amount = vec![0; count];
    (transactions, duplicates)
}

fn tags_of(transactions: &Transactions) -> Names {
    Names::union(&[texts(&transactions.source, "tag")])
}

fn gather_codes(transactions: &Transactions, name: &str, names: &Names) -> SparseCodes {
    let column = texts(&transactions.source, name);
    let mapping = names.mapping(column);
    if mapping.is_empty() {
        return SparseCodes::default();
    }
    let code = |code: u32| mapping.get(code as usize).copied().unwrap_or(NULL_CODE);
    SparseCodes(match &transactions.order {
        None => column.codes.iter().map(|own| code(*own)).collect(),
        Some(order) => order.iter().map(|row| code(column.codes[*row as usize])).collect(),
    })
}

fn gather_numbers(transactions: &Transactions, name: &str) -> Sparse {
    let values = numbers(&transactions.source, name);
    if values.iter().all(|value| *value == NULL_NUMBER) {
        return Sparse::default();
    }
    Sparse(match &transactions.order {
        None => values.to_vec(),
        Some(order) => order.iter().map(|row| values[*row as usize]).collect(),
    })
}

/// For each entry of `column`'s dictionary the row of the transaction with that id. Both sides are walked in ascending order once.
pub(crate) fn rows_of(column: &TextColumn, transactions: &Transactions) -> Vec<u32> {
    let mut order: Vec<u32> = (0..column.dictionary.len() as u32).collect();
    order.sort_by(|left, right| column.dictionary[*left as usize].cmp(&column.dictionary[*right as usize]));
    let mut found = vec![NULL_CODE; column.dictionary.len()];
    let mut row = 0u32;
    for entry in order {
        let name = column.dictionary[entry as usize].as_str();
        while (row as usize) < transactions.len() && transactions.id(row) < name {
            row += 1;
        }
        if (row as usize) < transactions.len() && transactions.id(row) == name {
            found[entry as usize] = row;
        }
    }
    found
}

fn check_reversals(transactions: &Transactions, findings: &mut Findings) {
    let reverses = texts(&transactions.source, "reverses_id");
    if reverses.dictionary.is_empty() {
        return;
    }
    let found = rows_of(reverses, transactions);
    for row in 0..transactions.len() {
        let source_row = transactions.order.as_ref().map_or(row, |order| order[row] as usize);
        let Some(code) = reverses.codes.get(source_row).filter(|code| **code != NULL_CODE) else { continue };
        if found[*code as usize] == NULL_CODE {
            let message = format!(
                "it reverses `{}`, which is not among the transactions; correct `reverses_id`",
                reverses.dictionary[*code as usize]
            );
            findings.add(Severity::Warning, "reversed-unknown", "transactions", transactions.id(row as u32), message);
        }
    }
}

/// Explicit splits by transaction, in order of payee.
#[derive(Debug)]
struct Shares {
    /// Row of the transaction, payee, share; ascending.
    rows: Vec<(u32, u32, i64)>,
}

impl Shares {
    fn new(splits: &Table, transactions: &Transactions, payees: &Names, findings: &mut Findings) -> Shares {
        let (ids, payee_ids, shares) = (texts(splits, "transaction_id"), texts(splits, "payee_id"), numbers(splits, "share"));
        let found = rows_of(ids, transactions);
        let payee_codes = payees.mapping(payee_ids);
        let mut rows = Vec::with_capacity(splits.row_count());
        let mut unknown = Vec::new();
        for row in 0..splits.row_count() {
            let transaction = found.get(ids.codes[row] as usize).copied().unwrap_or(NULL_CODE);
            let payee = payee_ids.codes.get(row).and_then(|code| payee_codes.get(*code as usize)).copied().unwrap_or(NULL_CODE);
            if transaction == NULL_CODE || payee == NULL_CODE {
                unknown.push(ids.get(row).unwrap_or_default());
            } else {
                rows.push((transaction, payee, number(shares, row).unwrap_or(0)));
            }
        }
        unknown.sort_unstable();
        for id in unknown {
            findings.add(
                Severity::Warning,
                "split-unknown-transaction",
                "splits",
                id,
                "no transaction has this id; correct or remove the split",
            );
        }
        rows.sort_unstable();
        Shares { rows }
    }
}

/// What is known about the company when transactions are looked at one by one.
struct Finder<'a> {
    settings: &'a Settings,
    calendar: &'a Calendar,
    rates: Rates,
    rate_days: Option<Vec<i32>>,
    step: Step,
    territories: Dated,
    coverage: Coverage,
    hierarchy: &'a Hierarchy,
    family_of: &'a [u32],
    currencies: &'a Names,
    split_role: u16,
    payee_role: u16,
    own_payee: SparseCodes,
    shares: Shares,
    duplicates: Vec<bool>,
    cost: Sparse,
    stage_role: u16,
    relationships: Relationships,
    stages: Stages,
    /// Whether claims have details.
    detailed: bool,
}

/// A part of the rows, written by one thread.
struct Part<'a> {
    first: usize,
    period: &'a mut [u16],
    territory: &'a mut [u32],
    amount: &'a mut [i64],
    margin: &'a mut [i64],
}

#[derive(Default)]
struct PartResult {
    claims: Claims,
    totals: InputTotals,
    findings: Findings,
}

impl Finder<'_> {
    fn run(&self, transactions: &mut Transactions, findings: &mut Findings) -> Claims {
        let count = transactions.len();
        let middle = count / 2;
        let mut period = std::mem::take(&mut transactions.period);
        let mut territory = std::mem::take(&mut transactions.territory);
        let mut amount = std::mem::take(&mut transactions.amount);
        let mut margin = if self.cost.0.is_empty() { Vec::new() } else { vec![NULL_NUMBER; count] };
        let at_margin = if margin.is_empty() { 0 } else { middle };
        let parts = {
            let (periods, territories, amounts) =
                (period.split_at_mut(middle), territory.split_at_mut(middle), amount.split_at_mut(middle));
            let margins = margin.split_at_mut(at_margin);
            let left = Part { first: 0, period: periods.0, territory: territories.0, amount: amounts.0, margin: margins.0 };
            let right = Part { first: middle, period: periods.1, territory: territories.1, amount: amounts.1, margin: margins.1 };
            let transactions = &*transactions;
            std::thread::scope(|scope| {
                let right = scope.spawn(move || self.part(transactions, right));
                let left = self.part(transactions, left);
                [left, right.join().expect("a panic in a part of the rows is a defect of the calculation")]
            })
        };
        transactions.period = period;
        transactions.territory = territory;
        transactions.amount = amount;
        transactions.margin = Sparse(margin);
        let mut claims = Claims { starts: Vec::with_capacity(count + 1), ..Claims::default() };
        for mut part in parts {
            let base = claims.payee.len() as u32;
            claims.starts.extend(part.claims.starts.iter().map(|start| start + base));
            if claims.payee.is_empty() {
                let starts = std::mem::take(&mut claims.starts);
                claims = Claims { starts, ..part.claims };
            } else {
                claims.role.append(&mut part.claims.role);
                claims.payee.append(&mut part.claims.payee);
                claims.share.append(&mut part.claims.share);
                claims.details.append(&mut part.claims.details);
            }
            let totals = &mut transactions.totals;
            totals.count += part.totals.count;
            totals.amount += part.totals.amount;
            totals.quarantined_count += part.totals.quarantined_count;
            totals.quarantined_amount += part.totals.quarantined_amount;
            findings.append(part.findings);
        }
        claims.starts.push(claims.payee.len() as u32);
        claims
    }

    fn part(&self, transactions: &Transactions, part: Part<'_>) -> PartResult {
        let mut result = PartResult::default();
        let count = part.period.len();
        result.claims.starts.reserve(count);
        result.claims.payee.reserve(count + count / 2);
        result.claims.role.reserve(count + count / 2);
        result.claims.share.reserve(count + count / 2);
        // Role, payee and, where it is coverage's, position of the claims that a relationship can stand beside.
        let mut beside: Vec<(u16, u32, u32)> = Vec::new();
        let mut next_share = self.shares.rows.partition_point(|(row, _, _)| (*row as usize) < part.first);
        for place in 0..count {
            let row = part.first + place;
            let first_share = next_share;
            while self.shares.rows.get(next_share).is_some_and(|(own, _, _)| *own as usize == row) {
                next_share += 1;
            }
            let shares = &self.shares.rows[first_share..next_share];
            result.claims.starts.push(result.claims.payee.len() as u32);
            let recorded = transactions.recorded[row];
            let recorded_amount = if recorded == NULL_NUMBER { 0 } else { i128::from(recorded) };
            result.totals.count += 1;
            result.totals.amount += recorded_amount;
            match self.value(transactions, row, shares) {
                Ok(value) => {
                    let day = transactions.tested_on[row];
                    let account = transactions.account.get(row);
                    let territory = self.territories.on(account, day);
                    part.period[place] = value.period;
                    part.territory[place] = territory;
                    part.amount[place] = value.amount;
                    if let Some(slot) = part.margin.get_mut(place) {
                        *slot = value.margin;
                    }
                    let family = self.family_of.get(transactions.product.get(row) as usize).copied().unwrap_or(NULL_CODE);
                    let claims = &mut result.claims;
                    let mut claim = |role: u16, payee: u32, share: i64| {
                        claims.role.push(role);
                        claims.payee.push(payee);
                        claims.share.push(share);
                    };
                    beside.clear();
                    self.coverage.claims(self.hierarchy, account, territory, family, day, |role, payee, position| {
                        claim(role as u16, payee, NULL_NUMBER);
                        if self.detailed {
                            beside.push((role as u16, payee, position));
                        }
                    });
                    for (_, payee, share) in shares {
                        claim(self.split_role, *payee, *share);
                    }
                    let own = self.own_payee.get(row);
                    if own != NULL_CODE {
                        claim(self.payee_role, own, NULL_NUMBER);
                    }
                    if self.detailed {
                        self.add_detailed(row as u32, day, beside.len(), &mut beside, claims);
                    }
                }
                Err(refusal) => {
                    result.totals.quarantined_count += 1;
                    result.totals.quarantined_amount += recorded_amount;
                    self.report(transactions, row, shares, refusal, &mut result.findings);
                }
            }
        }
        result
    }

    /// Claims of stages, then of those who stand beside the claims so far; `covered` of them, in `beside`, come from coverage.
    fn add_detailed(&self, row: u32, day: i32, covered: usize, beside: &mut Vec<(u16, u32, u32)>, claims: &mut Claims) {
        let first_own = claims.starts.last().map_or(0, |start| *start as usize) + covered;
        claims.details.pad(claims.payee.len());
        for stage in self.stages.of(row) {
            claims.role.push(self.stage_role);
            claims.payee.push(stage.payee);
            claims.share.push(NULL_NUMBER);
            claims.details.push(NULL_CODE, NULL_CODE, stage.stage, i64::from(stage.entered_on));
        }
        beside.extend((first_own..claims.payee.len()).map(|claim| (claims.role[claim], claims.payee[claim], NULL_CODE)));
        for (role, payee, position) in beside.iter().copied() {
            let mut claim = |name: u32, other: u32, share: i64| {
                claims.role.push(name as u16);
                claims.payee.push(other);
                claims.share.push(share);
                claims.details.push(payee, u32::from(role), NULL_CODE, NULL_NUMBER);
            };
            if position != NULL_CODE {
                self.relationships.of(position, day, &mut claim);
            } else {
                for seat in self.hierarchy.seats(payee, day) {
                    self.relationships.of(seat, day, &mut claim);
                }
            }
        }
    }

    fn value(&self, transactions: &Transactions, row: usize, shares: &[(u32, u32, i64)]) -> Result<Value, Refusal> {
        if self.duplicates.get(row) == Some(&true) {
            return Err(Refusal::DuplicateId);
        }
        let recorded = transactions.recorded[row];
        if recorded == NULL_NUMBER {
            return Err(Refusal::NoAmount);
        }
        let day = transactions.tested_on[row];
        if day == i32::MIN {
            return Err(Refusal::NoTestedDate);
        }
        let period = self.calendar.find(Day(day)).ok_or(Refusal::OutsideCalendar)?;
        let rate_day = self.rate_days.as_ref().map_or(day, |days| days[period]);
        let rate = self.rates.on(transactions.currency.get(row), rate_day).ok_or(Refusal::NoRate)?;
        let convert = |value: i64| if rate == ONE { Some(value) } else { self.step.scale(value, rate) };
        let amount = convert(recorded).ok_or(Refusal::Overflow)?;
        let margin = match self.cost.get(row) {
            None => NULL_NUMBER,
            Some(cost) => recorded.checked_sub(cost).and_then(convert).ok_or(Refusal::Overflow)?,
        };
        if !shares.is_empty() && !self.settings.crediting.allow_over_allocation {
            let total: i128 = shares.iter().map(|(_, _, share)| i128::from(*share)).sum();
            if total != i128::from(ONE) || shares.iter().any(|(_, _, share)| *share < 0) {
                return Err(Refusal::SplitNot100);
            }
        }
        Ok(Value { period: period as u16, amount, margin })
    }

    fn report(&self, transactions: &Transactions, row: usize, shares: &[(u32, u32, i64)], refusal: Refusal, findings: &mut Findings) {
        let date = self.settings.crediting.date.field();
        let day = Day(transactions.tested_on[row]);
        let currency = self.currencies.get(transactions.currency.get(row));
        let (severity, code, message) = match refusal {
            Refusal::DuplicateId => {
                (Severity::Error, "duplicate-transaction", "more than one transaction has this id; keep one".to_owned())
            }
            Refusal::NoAmount => (Severity::Warning, "no-amount", "it has no amount; set one".to_owned()),
            Refusal::NoTestedDate => (Severity::Info, "no-tested-date", format!("it has no `{date}` and is not credited until it has one")),
            Refusal::OutsideCalendar => {
                (Severity::Info, "outside-calendar", format!("its `{date}` {day} lies in no period of the calendar"))
            }
            Refusal::NoRate => (
                Severity::Warning,
                "unknown-rate",
                format!("there is no rate for `{currency}` on {day}; add one to `fx_rates` or correct the currency"),
            ),
            Refusal::Overflow => (Severity::Warning, "amount-too-large", "its amount does not fit after conversion; correct it".to_owned()),
            Refusal::SplitNot100 => {
                let total: i128 = shares.iter().map(|(_, _, share)| i128::from(*share)).sum();
                let shown = i64::try_from(total).map_or_else(|_| "too much".to_owned(), |total| attain_domain::fixed::format(total, 8));
                (Severity::Warning, "split-not-100", format!("its shares add up to {shown}, not 1; correct its splits"))
            }
        };
        findings.add(severity, code, "transactions", transactions.id(row as u32), message);
    }
}

struct Value {
    period: u16,
    amount: i64,
    margin: i64,
}
