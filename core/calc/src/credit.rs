//! Stage 2: calls the crediting extensions batch by batch, checks all they return, removes duplicates and rolls credit up
//! the hierarchy of the tested date.

use crate::book::{Book, NO_PERIOD};
use crate::by_hand::ByHand;
use crate::credits::{Base, Credits, NO_CHAIN, TransactionPicker, difference};
use crate::findings::Findings;
use crate::hierarchy::Chains;
use crate::lookup::{ONE, Step};
use crate::names::{Names, Picker};
use crate::{Run, fault_finding, house, windfall};
use attain_domain::fixed::from_decimal;
use attain_domain::plan::CreditKind;
use attain_domain::point::{Answer, Call, Extension, Fault, FaultKind, Point, check_answer};
use attain_domain::settings::{Crediting, Duplicates, Rollup, RollupDuplicates, Settings};
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Severity, Table, cut};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const THREADS: usize = 2;
/// Credit of one kind may be at most this many times the transaction.
const SHARE_MAX: i64 = 10 * ONE;

pub fn stage(run: &mut Run<'_>) {
    let settings = &run.inputs.settings;
    let mut rules = Vec::new();
    for step in &settings.crediting.rules {
        match run.extension(Point::Crediting, &step.extension) {
            Some(extension) => rules.push(Rule { name: &step.extension, settings: &step.settings, extension }),
            None => return,
        }
    }
    let batches = batches(&run.book);
    let outcomes = credit_all(&run.book, settings, &rules, &batches);
    let mut base = Base::default();
    let mut labels: BTreeMap<String, u16> = BTreeMap::new();
    let mut outcomes = outcomes.into_iter().collect::<Vec<_>>();
    let by_hand = ByHand::new(settings, run.inputs.table("manual_credits"), &run.book, &mut run.findings);
    let own_labels = by_hand.labels().map(str::to_owned);
    for label in outcomes.iter().flat_map(|outcome| outcome.labels.iter().cloned()).chain(own_labels) {
        labels.entry(label).or_default();
    }
    if labels.len() > usize::from(u16::MAX) {
        run.findings.add(Severity::Error, "too-many-rules", "extensions", "crediting", "more than 65,535 labels of rules; use fewer");
        return;
    }
    for (code, slot) in labels.values_mut().enumerate() {
        *slot = code as u16;
    }
    let total: usize = outcomes.iter().map(|outcome| outcome.base.len()).sum();
    base.reserve(total);
    for outcome in outcomes.drain(..) {
        for (rule, fuel_used) in rules.iter().zip(&outcome.fuel_used) {
            run.account_for(Point::Crediting, rule.name, 1, *fuel_used);
        }
        let mapping: Vec<u16> = outcome.labels.iter().map(|label| labels[label]).collect();
        let mut part = outcome.base;
        for rule in &mut part.rule {
            *rule = mapping[usize::from(*rule)];
        }
        base.append(part);
        run.findings.append(outcome.findings);
        // Later batches may or may not have run; what is reported must not depend on it.
        if !run.findings.complete() {
            return;
        }
    }
    let base = by_hand.merge(&run.book, settings, base, &labels, &mut run.findings);
    totals(run, &base, labels.get(house::LABEL).copied());
    let windfall = windfall::find(run.inputs, &run.book, &base, &mut run.findings);
    let rules = Names(labels.into_keys().collect());
    let mut credits = roll_up(&run.book, settings, base, rules, &mut run.findings);
    credits.windfall = windfall;
    run.row_count = credits.len();
    run.credits = Arc::new(credits);
}

struct Rule<'a> {
    name: &'a str,
    settings: &'a serde_json::Value,
    extension: &'a dyn Extension,
}

/// The creditable rows in the batches in which they are handed to an extension; those of the house are not handed to rules. Cut like
/// tables, so that a row more or less leaves the other batches as they are.
fn batches(book: &Book) -> Vec<Vec<u32>> {
    let periods = book.transactions.period.iter().enumerate();
    let rows: Vec<u32> =
        periods.filter(|(row, period)| **period != NO_PERIOD && book.house(*row).is_none()).map(|(row, _)| row as u32).collect();
    let pieces = cut::pieces(rows.len(), |place| cut::ends(cut::of_text(0, book.transactions.id(rows[place]))));
    pieces.into_iter().map(|places| rows[places].to_vec()).collect()
}

#[derive(Debug, Default)]
struct BatchOutcome {
    base: Base,
    /// `Base::rule` counts these until the run's labels are known.
    labels: Vec<String>,
    /// By rule.
    fuel_used: Vec<u64>,
    findings: Findings,
}

/// Credits all batches on a few threads. The outcomes are in the order of batches; after a fault the later ones are missing.
fn credit_all(book: &Book, settings: &Settings, rules: &[Rule<'_>], batches: &[Vec<u32>]) -> Vec<BatchOutcome> {
    let next = AtomicUsize::new(0);
    let failed = AtomicUsize::new(usize::MAX);
    let work = || {
        let mut done = Vec::new();
        let mut desk = Desk::default();
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            // Batches are taken in order, so every batch before a failed one is done or under way.
            if index >= batches.len() || index > failed.load(Ordering::SeqCst) {
                return done;
            }
            let outcome = desk.credit(book, settings, rules, &batches[index]);
            if !outcome.findings.complete() {
                failed.fetch_min(index, Ordering::SeqCst);
            }
            done.push((index, outcome));
        }
    };
    let mut outcomes: Vec<(usize, BatchOutcome)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..THREADS.min(batches.len())).map(|_| scope.spawn(work)).collect();
        let mut outcomes = work();
        for other in others {
            outcomes.extend(other.join().expect("a panic in a batch is a defect of the calculation"));
        }
        outcomes
    });
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// One credit as returned, checked but not yet compared with the others of its transaction.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Row of the batch.
    row: u32,
    payee: u32,
    label: u16,
    /// Which of the rules gave it.
    step: u8,
    kind: CreditKind,
    amount: i64,
    share: i64,
}

/// A thread's buffers.
#[derive(Default)]
struct Desk {
    picker: Picker,
    transactions: TransactionPicker,
}

impl Desk {
    fn credit(&mut self, book: &Book, settings: &Settings, rules: &[Rule<'_>], rows: &[u32]) -> BatchOutcome {
        let mut outcome = BatchOutcome::default();
        let input = self.input(book, settings, rows);
        let mut lines: Vec<Line> = Vec::with_capacity(rows.len() + rows.len() / 4);
        for (step, rule) in rules.iter().enumerate() {
            let answer = rule.extension.run(&Call { settings: rule.settings, input: &input }).and_then(|answer| {
                check_answer(Point::Crediting.contract(), &answer.tables)?;
                Ok(answer)
            });
            let checked = answer.and_then(|answer| {
                outcome.fuel_used.push(answer.fuel_used);
                Reader { book, rows, rule: rule.name, step: step as u8 }.read(&answer, &mut outcome, &mut lines)
            });
            if let Err(fault) = checked {
                outcome.findings.push(fault_finding(rule.name, &fault));
            }
            if !outcome.findings.complete() {
                return outcome;
            }
        }
        if !lines.is_sorted_by_key(|line| line.row) {
            lines.sort_by_key(|line| line.row);
        }
        settle_lines(book, &settings.crediting, rows, &mut lines, &mut outcome);
        outcome
    }

    /// The tables of the crediting contract for a batch.
    fn input(&mut self, book: &Book, settings: &Settings, rows: &[u32]) -> Vec<Table> {
        let transactions = &book.transactions;
        let each = || rows.iter().map(|row| *row as usize);
        let numbers = |value: &dyn Fn(usize) -> i64| each().map(value).collect::<Vec<i64>>();
        let picker = &mut self.picker;
        let mut starts = Vec::with_capacity(rows.len());
        let mut ends = Vec::with_capacity(rows.len());
        let mut claim_rows: Vec<u32> = Vec::with_capacity(rows.len() + rows.len() / 2);
        for row in each() {
            starts.push(claim_rows.len() as i64);
            claim_rows.extend(book.claims.of(row).map(|claim| claim as u32));
            ends.push(claim_rows.len() as i64);
        }
        let claims = || claim_rows.iter().map(|claim| *claim as usize);
        let batch = Table::new("transactions")
            .with("transaction_id", self.transactions.pick(transactions, rows))
            .with("kind", picker.pick(&transactions.kinds.0, each().map(|row| u32::from(transactions.kind[row]))))
            .with("tested_on", Column::integer(numbers(&|row| i64::from(transactions.tested_on[row]))))
            .with("account_id", picker.pick(&book.accounts.0, each().map(|row| transactions.account.get(row))))
            .with("territory_id", picker.pick(&book.territories.names.0, each().map(|row| transactions.territory[row])))
            .with("product_id", picker.pick(&book.products.0, each().map(|row| transactions.product.get(row))))
            .with("family_id", picker.pick(&book.families.names.0, each().map(|row| book.family(row))))
            .with("tag", picker.pick(&book.tags.0, each().map(|row| transactions.tag.get(row))))
            .with("amount", Column::money(numbers(&|row| transactions.amount[row])))
            .with("quantity", Column::money(numbers(&|row| transactions.quantity.raw(row))))
            .with("margin", Column::money(numbers(&|row| transactions.margin.raw(row))))
            .with("discount", Column::rate(numbers(&|row| transactions.discount.raw(row))))
            .with("claims_from", Column::integer(starts))
            .with("claims_until", Column::integer(ends));
        let mut table = Table::new("claims")
            .with("role", picker.pick(&book.roles.0, claims().map(|claim| u32::from(book.claims.role[claim]))))
            .with("payee_id", picker.pick(&book.payees.0, claims().map(|claim| book.claims.payee[claim])))
            .with("share", Column::rate(claims().map(|claim| book.claims.share[claim]).collect()));
        let details = &book.claims.details;
        if !details.is_empty() {
            table = table
                .with("of_payee_id", picker.pick(&book.payees.0, claims().map(|claim| details.of_payee[claim])))
                .with("of_role", picker.pick(&book.roles.0, claims().map(|claim| details.of_role[claim])))
                .with("stage", picker.pick(&book.stages.0, claims().map(|claim| details.stage[claim])))
                .with("from_on", Column::integer(claims().map(|claim| details.from_on[claim]).collect()));
        }
        vec![batch, table, rounding_table(settings)]
    }
}

fn rounding_table(settings: &Settings) -> Table {
    let step = Step::new(&settings.rounding);
    Table::new("rounding")
        .with("mode", Column::text(&[Some(mode_name(settings.rounding.mode))]))
        .with("step", Column::money(vec![step.step]))
}

/// The name of a rounding mode as written in plans.
pub fn mode_name(mode: attain_domain::RoundingMode) -> String {
    match serde_json::to_value(mode) {
        Ok(serde_json::Value::String(name)) => name,
        other => unreachable!("a rounding mode is written as its name, not as {other:?}"),
    }
}

/// Reads and checks the answer of one rule to one batch.
struct Reader<'a> {
    book: &'a Book,
    rows: &'a [u32],
    rule: &'a str,
    step: u8,
}

impl Reader<'_> {
    fn read(&self, answer: &Answer, outcome: &mut BatchOutcome, lines: &mut Vec<Line>) -> Result<(), Fault> {
        let invalid = |message: String| Fault::new(FaultKind::InvalidAnswer, message);
        let table = answer.table("credits").ok_or_else(|| invalid("the answer has no table `credits`".to_owned()))?;
        let missing = |name: &str| invalid(format!("table `credits` has no column `{name}`"));
        let number = |name: &str| table.numbers(name).ok_or_else(|| missing(name));
        let text = |name: &str| table.texts(name).ok_or_else(|| missing(name));
        let (row_numbers, amounts, shares) = (number("row")?, number("amount")?, number("share")?);
        let (payee_ids, kind_names, rule_names) = (text("payee_id")?, text("kind")?, text("rule")?);
        let payees = self.book.payees.mapping(payee_ids);
        let kinds: Vec<Option<CreditKind>> =
            kind_names.dictionary.iter().map(|name| CreditKind::from_name(name).filter(|kind| *kind != CreditKind::Rollup)).collect();
        let mut labels = Vec::with_capacity(rule_names.dictionary.len());
        for name in &rule_names.dictionary {
            let known = outcome.labels.iter().position(|own| own == name).unwrap_or_else(|| {
                outcome.labels.push(name.clone());
                outcome.labels.len() - 1
            });
            labels.push(u16::try_from(known).map_err(|_| invalid("the answer has more than 65,535 labels of rules".to_owned()))?);
        }
        for at in 0..row_numbers.len() {
            let row = usize::try_from(row_numbers[at]).ok().filter(|row| *row < self.rows.len());
            let Some(row) = row else {
                return Err(invalid(format!("credit {at} is for row {}, the batch has {} rows", row_numbers[at], self.rows.len())));
            };
            let transaction = self.rows[row] as usize;
            let name = || self.book.transactions.id(transaction as u32);
            let payee = payees.get(payee_ids.codes[at] as usize).copied().unwrap_or(NULL_CODE);
            let claims = self.book.claims.of(transaction);
            if payee == NULL_CODE || !self.book.claims.payee[claims].contains(&payee) {
                let shown = payee_ids.get(at).unwrap_or_default();
                let message = format!("`{}` credits payee `{shown}`, who has no claim to it; correct the extension", self.rule);
                outcome.findings.add(Severity::Error, "invented-payee", "transactions", name(), message);
                return Ok(());
            }
            let Some(kind) = kinds.get(kind_names.codes[at] as usize).copied().flatten() else {
                return Err(invalid(format!(
                    "credit {at} for `{}` is of kind `{}`; write direct, split or overlay",
                    name(),
                    kind_names.get(at).unwrap_or_default()
                )));
            };
            let Some(label) = labels.get(rule_names.codes[at] as usize) else {
                return Err(invalid(format!("credit {at} for `{}` names no rule", name())));
            };
            let (amount, share) = (amounts[at], shares[at]);
            let whole = i128::from(self.book.transactions.amount[transaction]);
            let in_range = amount != NULL_NUMBER
                && (0..=SHARE_MAX).contains(&share)
                && i128::from(amount).abs() <= whole.abs() * i128::from(SHARE_MAX / ONE)
                && (i128::from(amount).signum() * whole.signum()) >= 0;
            if !in_range {
                return Err(invalid(format!("credit {at} for `{}` has an amount or a share out of range", name())));
            }
            lines.push(Line { row: row as u32, payee, label: *label, step: self.step, kind, amount, share });
        }
        Ok(())
    }
}

/// Compares the credits of each transaction with each other, drops what an earlier rule has given, and keeps the rest.
fn settle_lines(book: &Book, crediting: &Crediting, rows: &[u32], lines: &mut [Line], outcome: &mut BatchOutcome) {
    let mut kept: Vec<Line> = Vec::new();
    outcome.base.reserve(lines.len());
    for group in lines.chunk_by_mut(|left, right| left.row == right.row) {
        let transaction = rows[group[0].row as usize];
        let amount = book.transactions.amount[transaction as usize];
        kept.clear();
        let mut given = 0i128;
        let mut divided = false;
        for of_rule in group.chunk_by(|left, right| left.step == right.step) {
            let total: i128 = of_rule.iter().filter(|line| divides(line.kind)).map(|line| i128::from(line.amount)).sum();
            let exceeds = divided && !crediting.allow_over_allocation && (given + total).abs() > i128::from(amount).abs();
            for line in of_rule {
                let is_same = |own: &Line| own.payee == line.payee && own.kind == line.kind;
                let known = match crediting.duplicates {
                    Duplicates::Once => kept.iter().any(is_same),
                    Duplicates::OncePerRule => kept.iter().any(|own| is_same(own) && own.label == line.label),
                    Duplicates::Each => false,
                };
                if known || (exceeds && divides(line.kind)) {
                    let message = format!(
                        "a second {} credit of payee `{}` by rule `{}` was left out",
                        line.kind.name(),
                        book.payees.get(line.payee),
                        outcome.labels[usize::from(line.label)]
                    );
                    outcome.findings.add(Severity::Info, "duplicate-credit", "transactions", book.transactions.id(transaction), message);
                    continue;
                }
                if divides(line.kind) {
                    given += i128::from(line.amount);
                    divided = true;
                }
                kept.push(*line);
            }
        }
        if divided && given != i128::from(amount) && !crediting.allow_over_allocation {
            let message = format!(
                "direct and split credit add up to {}, its amount is {}; correct the crediting rules or allow over-allocation",
                i64::try_from(given).map_or_else(|_| "too much".to_owned(), |given| attain_domain::fixed::format(given, 4)),
                attain_domain::fixed::format(amount, 4)
            );
            outcome.findings.add(Severity::Error, "unbalanced-credit", "transactions", book.transactions.id(transaction), message);
            return;
        }
        // Stable: several credits of one payee stay in the order in which they were given.
        kept.sort_by_key(|line| (line.payee, line.kind));
        for line in &kept {
            outcome.base.push(transaction, line.payee, line.kind, line.label, line.amount, line.share);
        }
    }
}

/// Whether credit of this kind is a part of the transaction, not something beside it.
fn divides(kind: CreditKind) -> bool {
    matches!(kind, CreditKind::Direct | CreditKind::Split)
}

/// Control totals, counted from the results and compared with the input.
fn totals(run: &mut Run<'_>, base: &Base, house_label: Option<u16>) {
    let transactions = &run.book.transactions;
    let recorded = |row: usize| i128::from(transactions.recorded[row]);
    let (mut credited_count, mut credited_amount) = (0i128, 0i128);
    let mut uncredited: Vec<u32> = Vec::new();
    let (mut uncredited_count, mut uncredited_amount) = (0i128, 0i128);
    let (mut house_count, mut house_amount) = (0i128, 0i128);
    let mut next = 0;
    for (row, period) in transactions.period.iter().enumerate() {
        let mut credited = false;
        // The house's own credit leaves a transaction the house's; one by hand does not.
        let mut is_house = run.book.house(row).is_some();
        while base.transaction.get(next) == Some(&(row as u32)) {
            credited = true;
            is_house = is_house && Some(base.rule[next]) == house_label;
            next += 1;
        }
        if is_house {
            house_count += 1;
            house_amount += recorded(row);
        } else if credited {
            credited_count += 1;
            credited_amount += recorded(row);
        } else if *period != NO_PERIOD {
            uncredited_count += 1;
            uncredited_amount += recorded(row);
            uncredited.push(row as u32);
        }
    }
    let input = transactions.totals;
    for row in uncredited {
        run.findings.push(attain_domain::Finding::new(
            Severity::Info,
            "uncredited",
            "transactions",
            transactions.id(row),
            "no crediting rule gave credit for it",
        ));
    }
    if input.count != credited_count + uncredited_count + house_count + input.quarantined_count
        || input.amount != credited_amount + uncredited_amount + house_amount + input.quarantined_amount
        || next != base.len()
    {
        run.findings.add(
            Severity::Error,
            "control-totals",
            "transactions",
            "",
            "what came in is not what was credited, uncredited, the house's and quarantined",
        );
    }
    let mut rows = vec![
        ("in-count", input.count * 10_000),
        ("in-amount", input.amount),
        ("credited-count", credited_count * 10_000),
        ("credited-amount", credited_amount),
        ("uncredited-count", uncredited_count * 10_000),
        ("uncredited-amount", uncredited_amount),
        ("quarantined-count", input.quarantined_count * 10_000),
        ("quarantined-amount", input.quarantined_amount),
    ];
    if !run.book.house.is_empty() {
        rows.extend([("house-count", house_count * 10_000), ("house-amount", house_amount)]);
    }
    let mut values = Vec::with_capacity(rows.len());
    for (name, value) in &rows {
        match i64::try_from(*value) {
            Ok(value) => values.push(value),
            Err(_) => {
                run.findings.add(Severity::Error, "overflow", "totals", name, "the total does not fit; correct the amounts");
                values.push(NULL_NUMBER);
            }
        }
    }
    let table = Table::new("totals")
        .with("name", Column::text(&rows.iter().map(|(name, _)| Some(*name)).collect::<Vec<_>>()))
        .with("value", Column::money(values));
    run.tables.insert("totals", table);
}

/// Which lines of a roll-up are left out, by base credit and level.
type LeftOut = BTreeSet<(u32, u8)>;

/// The lines that would give a manager more of one transaction than the whole of it, her own direct and split credit counted first.
fn left_out(base: &Base, chain: &[u32], chains: &Chains, left: i64) -> LeftOut {
    let mut left_out = LeftOut::new();
    let exact = Step { mode: attain_domain::RoundingMode::HalfEven, step: 1 };
    let mut shares: Vec<(u32, i128)> = Vec::new();
    let mut start = 0;
    while start < base.len() {
        let transaction = base.transaction[start];
        let end = start + base.transaction[start..].partition_point(|own| *own == transaction);
        shares.clear();
        let mut add = |payee: u32, share: i64, is_own: bool| {
            let known = shares.iter().position(|(own, _)| *own == payee).unwrap_or_else(|| {
                shares.push((payee, 0));
                shares.len() - 1
            });
            let fits = is_own || shares[known].1 + i128::from(share) <= i128::from(ONE);
            if fits {
                shares[known].1 += i128::from(share);
            }
            fits
        };
        for index in (start..end).filter(|index| divides(base.kind[*index])) {
            add(base.payee[index], base.share[index], true);
        }
        for index in (start..end).filter(|index| chain[*index] != NO_CHAIN) {
            let mut share = base.share[index];
            for (level, manager) in chains.get(chain[index]).iter().enumerate() {
                share = exact.scale(share, left).unwrap_or(share);
                // Above that, levels are no longer told apart.
                if level < 254 && !add(*manager, share, false) {
                    left_out.insert((index as u32, level_of(level)));
                }
            }
        }
        start = end;
    }
    left_out
}

/// The level of a line by its place in the chain.
fn level_of(place: usize) -> u8 {
    (place + 1).min(255) as u8
}

/// Gives each manager of the tested date the credit of those below: once per manager and origin credit, overlays excepted.
fn roll_up(book: &Book, settings: &Settings, base: Base, rules: Names, findings: &mut Findings) -> Credits {
    let payee_count = book.payees.len();
    let (rolls, rate) = match settings.crediting.rollup {
        Rollup::None => (false, 0),
        Rollup::Gross => (true, 0),
        Rollup::Difference { rate } => (true, from_decimal(rate, 8).unwrap_or(-1)),
    };
    let step = Step::new(&settings.rounding);
    let taken = difference(rate, step);
    if taken.is_none() {
        findings.add(
            Severity::Error,
            "rollup-rate",
            "settings",
            "crediting.rollup",
            "the rate of the difference must lie between 0 and 1, with at most eight digits",
        );
        return Credits::default();
    }
    let once = rolls && settings.crediting.rollup_duplicates == RollupDuplicates::Once;
    let mut chains = Chains::new(&book.hierarchy, payee_count);
    let mut counts = vec![0usize; payee_count + 1];
    let mut chain = vec![NO_CHAIN; base.len()];
    let days = DayIntervals::new(book);
    for (index, chain) in chain.iter_mut().enumerate() {
        let payee = base.payee[index];
        counts[payee as usize + 1] += 1;
        if rolls && divides(base.kind[index]) {
            let day = book.transactions.tested_on[base.transaction[index] as usize];
            let interval = days.of(book, day) as usize;
            *chain = chains.resolve(&book.hierarchy, interval, payee, day, &book.payees, findings);
            for manager in chains.get(*chain) {
                counts[*manager as usize + 1] += 1;
            }
        }
    }
    let left_out = match taken {
        Some(taken) if once => left_out(&base, &chain, &chains, taken.left),
        _ => LeftOut::new(),
    };
    for (index, level) in &left_out {
        let manager = chains.get(chain[*index as usize])[usize::from(*level) - 1];
        counts[manager as usize + 1] -= 1;
        let message = format!(
            "credit of payee `{}` that rolls up from `{}` was left out, because it would come to more than the whole",
            book.payees.get(manager),
            book.payees.get(base.payee[*index as usize])
        );
        let transaction = book.transactions.id(base.transaction[*index as usize]);
        findings.add(Severity::Info, "duplicate-rollup", "transactions", transaction, message);
    }
    for payee in 0..payee_count {
        counts[payee + 1] += counts[payee];
    }
    let starts = counts;
    let total = starts[payee_count];
    let mut lines = vec![0u32; total];
    let mut levels = vec![0u8; total];
    // Two halves of the payees, each filled by its own thread that looks at all base credits.
    let middle = starts.partition_point(|start| *start < total / 2).min(payee_count);
    let (line_parts, level_parts) = (lines.split_at_mut(starts[middle]), levels.split_at_mut(starts[middle]));
    let fill = |payees: std::ops::Range<usize>, lines: &mut [u32], levels: &mut [u8]| {
        let offset = starts[payees.start];
        let mut next: Vec<usize> = starts[payees.clone()].iter().map(|start| start - offset).collect();
        let mut put = |payee: u32, index: usize, level: u8| {
            if let Some(next) = (payee as usize).checked_sub(payees.start).and_then(|place| next.get_mut(place)) {
                lines[*next] = index as u32;
                levels[*next] = level;
                *next += 1;
            }
        };
        for (index, chain) in chain.iter().enumerate() {
            put(base.payee[index], index, 0);
            if *chain != NO_CHAIN {
                for (level, manager) in chains.get(*chain).iter().enumerate() {
                    if left_out.is_empty() || !left_out.contains(&(index as u32, level_of(level))) {
                        put(*manager, index, level_of(level));
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let fill = &fill;
        scope.spawn(move || fill(middle..payee_count, line_parts.1, level_parts.1));
        fill(0..middle, line_parts.0, level_parts.0);
    });
    let difference = if matches!(settings.crediting.rollup, Rollup::Difference { .. }) { taken } else { None };
    let uneven = !left_out.is_empty();
    Credits { base, rules, starts, lines, levels, difference, chains, chain, uneven, windfall: Vec::new() }
}

/// The interval of the hierarchy for each day of the calendar, by index.
struct DayIntervals {
    first: i32,
    intervals: Vec<u32>,
}

impl DayIntervals {
    fn new(book: &Book) -> DayIntervals {
        let periods = &book.calendar.periods;
        let first = periods.first().map_or(0, |period| period.from.0);
        let until = periods.last().map_or(0, |period| period.until.0);
        DayIntervals { first, intervals: (first..until).map(|day| book.hierarchy.interval(day) as u32).collect() }
    }

    /// Only days of the calendar are credited.
    fn of(&self, book: &Book, day: i32) -> u32 {
        let known = usize::try_from(day - self.first).ok().and_then(|place| self.intervals.get(place));
        known.copied().unwrap_or_else(|| book.hierarchy.interval(day) as u32)
    }
}
