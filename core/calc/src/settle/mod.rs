//! Stage 7: turns earnings into what is paid. Shares fall due later, holds defer, reversals take back; what a period owes is carried on;
//! draws advance and are recovered. A period that is frozen keeps what was posted: what it would be now goes to the next open one.

mod clawback;
mod draws;
mod items;
mod posted;
mod shares;

pub use posted::Posted;
pub use shares::Shares;

use crate::Run;
use crate::book::Book;
use crate::earn::{Earning, EarningKind, settled_periods};
use crate::measure::period_column;
use crate::names::{Picker, texts};
use crate::spans::parameters;
use attain_domain::{Column, NULL_CODE, NULL_NUMBER, Severity, Table};
use clawback::Events;
use draws::{DrawTerms, Due};
use items::{Calendar, Item, Terms};
use posted::PostedRow;
use std::collections::{BTreeMap, BTreeSet};

/// The accounts of the pay ledger, in the order of their codes.
pub const ACCOUNTS: [&str; 4] = ["earned", "held", "carried", "paid"];
const EARNED: u8 = 0;
const HELD: u8 = 1;
const CARRIED: u8 = 2;
const PAID: u8 = 3;

/// Payee, period, origin period, plan, component and account; plan and component are `NULL_CODE` for what concerns a whole statement.
pub type Key = (u32, u32, u32, u32, u32, u8);

/// What a component earned in a period: the origin period, the plan, the component.
type Source = (u32, u32, u32);

/// The balances that the ledger should have for the periods that get statements and are not frozen.
#[derive(Debug, Default)]
pub struct Ledger {
    pub balances: BTreeMap<Key, i64>,
    pub posted: Posted,
    /// Which periods are approved or closed.
    pub frozen: Vec<bool>,
}

/// What a payee sees for a period: `earned = paid + held + carried`, where `held` and `carried` are the changes of those balances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Statement {
    payee: u32,
    period: u32,
    earned: i64,
    held: i64,
    carried: i64,
    /// The part of `carried` that is drawn and recovered.
    drawn: i64,
    paid: i64,
    held_balance: i64,
    carried_balance: i64,
}

/// Earned and released by period.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Movement {
    earned: i128,
    released: i128,
}

/// By source, the movements of each period.
type Movements = BTreeMap<Source, BTreeMap<u32, Movement>>;

/// What is the same for every payee.
struct Settling<'a> {
    /// Who is on which plan under which terms.
    plans: &'a crate::terms::Terms,
    /// By plan, place of its document and component.
    terms: BTreeMap<(u32, usize, u32), Terms<'a>>,
    calendar: Calendar<'a>,
    events: Events,
    frozen: Vec<bool>,
    settled: Vec<bool>,
    /// Periods up to here are calculated.
    until: usize,
    parameters: crate::spans::Parameters,
    recoverable: BTreeSet<(u32, u32)>,
}

/// Why a payee cannot be settled, in words.
struct DoesNotFit(String);

fn pay_does_not_fit() -> DoesNotFit {
    DoesNotFit("its pay does not fit; correct the amounts".to_owned())
}

pub fn stage(run: &mut Run<'_>) {
    let inputs = run.inputs;
    let book = run.book.clone();
    let settled = settled_periods(inputs, &book);
    let draw_names = inputs.plans.iter().flat_map(|plan| plan.draws.iter().map(|draw| draw.id.as_str()));
    let known = [texts(&inputs.posted, "component_id"), texts(inputs.table("holds"), "component_id")];
    let components: Vec<&str> =
        draw_names.chain(known.into_iter().flat_map(|column| column.dictionary.iter().map(String::as_str))).collect();
    run.earnings.extend_names(&texts(&inputs.posted, "plan_id").dictionary, components);
    let posted = posted::read(run);
    let frozen = frozen_periods(run, &book);
    let plans = run.terms.clone();
    let settling = Settling::new(run, &book, &plans, settled, frozen);
    let mut payees: BTreeSet<u32> = run.earnings.rows.iter().map(|row| row.payee).chain(posted.by_payee.keys().copied()).collect();
    payees.extend(settling.drawing());
    payees.remove(&NULL_CODE);
    let mut rows: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (place, row) in run.earnings.rows.iter().enumerate() {
        rows.entry(row.payee).or_default().push(place as u32);
    }
    let mut ledger = Ledger::default();
    let mut statements = Vec::new();
    run.shares = Shares::new(inputs.settings.accounting.shares != attain_domain::accounting::Shares::None);
    for payee in payees {
        let own = rows.get(&payee).map_or(&[][..], Vec::as_slice);
        let before = posted.by_payee.get(&payee).map_or(&[][..], Vec::as_slice);
        match settling.settle(run, payee, own, before, &mut ledger) {
            Ok(own) => statements.extend(own),
            Err(DoesNotFit(message)) => {
                let name = book.payees.get(payee).to_owned();
                run.findings.add(Severity::Error, "overflow", "statements", &name, message);
                return;
            }
        }
    }
    if run.shares.wanted() {
        let table = run.shares.table(run, &settling.frozen, &settling.settled);
        run.tables.insert("shares", table);
    }
    ledger.posted = posted;
    ledger.frozen = settling.frozen;
    crate::earning_table::build(run);
    let mut picker = Picker::default();
    let money = |value: fn(&Statement) -> i64| Column::money(statements.iter().map(value).collect());
    let table = Table::new("statements")
        .with("payee_id", picker.pick(&book.payees.0, statements.iter().map(|statement| statement.payee)))
        .with("period_id", period_column(&book, &mut picker, statements.iter().map(|statement| statement.period)))
        .with("earned", money(|statement| statement.earned))
        .with("held", money(|statement| statement.held))
        .with("carried", money(|statement| statement.carried))
        .with("drawn", money(|statement| statement.drawn))
        .with("paid", money(|statement| statement.paid))
        .with("held_balance", money(|statement| statement.held_balance))
        .with("carried_balance", money(|statement| statement.carried_balance));
    run.row_count = statements.len();
    run.tables.insert("statements", table);
    run.ledger = ledger;
}

/// Which periods keep what was posted: those that are approved or closed.
fn frozen_periods(run: &mut Run<'_>, book: &Book) -> Vec<bool> {
    let table = run.inputs.table("periods");
    let (ids, states) = (texts(table, "period_id"), texts(table, "state"));
    let mut frozen = vec![false; book.calendar.periods.len()];
    for row in 0..table.row_count() {
        let id = ids.get(row).unwrap_or_default();
        match book.calendar.index_of(id) {
            Some(period) => frozen[period] = matches!(states.get(row), Some("approved" | "closed")),
            None => {
                let message = format!("the calendar has no period `{id}`; correct `period_id`");
                run.findings.add(Severity::Warning, "period-unknown", "periods", id, message);
            }
        }
    }
    frozen
}

impl<'a> Settling<'a> {
    fn new(run: &Run<'a>, book: &'a Book, plans_terms: &'a crate::terms::Terms, settled: Vec<bool>, frozen: Vec<bool>) -> Settling<'a> {
        let inputs = run.inputs;
        let (plans, components) = (&run.earnings.plans, &run.earnings.components);
        let calendar = Calendar::new(inputs, book, plans, components, &crate::windfall::windfall_held(run));
        let mut terms = BTreeMap::new();
        let mut recoverable = BTreeSet::new();
        for (plan_id, own) in &plans_terms.plans {
            let code = plans.code(plan_id);
            for (document, plan) in own.documents.iter().enumerate() {
                for component in &plan.components {
                    terms.insert((code, document, components.code(&component.id)), calendar.terms(component, &run.measures));
                }
                for draw in plan.draws.iter().filter(|draw| draw.recoverable) {
                    recoverable.insert((code, components.code(&draw.id)));
                }
            }
        }
        Settling {
            plans: plans_terms,
            events: if terms.values().any(|terms| terms.component.clawback.is_some()) { Events::new(book) } else { Events::default() },
            terms,
            calendar,
            until: settled.iter().rposition(|settled| *settled).map_or(0, |last| last + 1),
            frozen,
            settled,
            parameters: parameters(inputs, book),
            recoverable,
        }
    }

    /// Payees on plans with draws: they are paid without any earning.
    fn drawing(&self) -> impl Iterator<Item = u32> {
        let with_draws = self.plans.plans.iter().filter(|(_, own)| own.documents.iter().any(|plan| !plan.draws.is_empty()));
        with_draws.filter_map(|(id, _)| self.plans.assignments.get(id)).flat_map(|payees| payees.keys().copied())
    }

    fn draws(&self, run: &Run<'_>, payee: u32) -> Result<Vec<DrawTerms>, DoesNotFit> {
        let (plans, components) = (&run.earnings.plans, &run.earnings.components);
        let mut all: Vec<DrawTerms> = Vec::new();
        for (plan_id, plan) in &self.plans.plans {
            let Some(assignments) = self.plans.assignments.get(plan_id).and_then(|payees| payees.get(&payee)) else { continue };
            let own = self.parameters.get(plan_id);
            let params = |name: &str, day: i32| {
                let dated = own.and_then(|own| own.get(&(payee, name.to_owned())));
                dated.and_then(|dated| dated.iter().find(|(from, until, _)| *from <= day && day < *until)).map(|(_, _, value)| *value)
            };
            for place in plan.documents_of(payee) {
                let document = &plan.documents[place];
                // A draw pays in the periods in which its document is in force; the last one says how it is recovered.
                let in_force = |period: usize| plan.document_in(payee, &run.book.calendar.periods[period]) == Some(place);
                if document.draws.is_empty() || !(0..self.until).any(in_force) {
                    continue;
                }
                for draw in &document.draws {
                    let codes = (plans.code(plan_id), components.code(&draw.id));
                    let terms = draws::terms(run, draw, codes, assignments, &params, self.until).ok_or_else(|| {
                        DoesNotFit(format!("draw `{}` of plan `{plan_id}` does not fit; correct its amount or the target", draw.id))
                    })?;
                    let terms = terms.only(in_force);
                    match all.iter_mut().find(|own| (own.plan, own.component) == codes) {
                        Some(own) => *own = terms.with_amounts_of(own),
                        None => all.push(terms),
                    }
                }
            }
        }
        all.retain(draws::is_in_force);
        all.sort_by_key(DrawTerms::place);
        Ok(all)
    }

    /// The component of an earning as it holds for the payee in the period that it is about.
    fn terms(&self, run: &Run<'_>, row: &Earning) -> Option<&Terms<'a>> {
        let plan = self.plans.plans.get(run.earnings.plans.get(row.plan))?;
        let document = plan.document_in(row.payee, &run.book.calendar.periods[row.origin as usize])?;
        self.terms.get(&(row.plan, document, row.component))
    }

    /// Settles one payee: adds earnings, movements of the ledger, and answers her statements.
    fn settle(
        &self,
        run: &mut Run<'_>,
        payee: u32,
        rows: &[u32],
        before: &[PostedRow],
        ledger: &mut Ledger,
    ) -> Result<Vec<Statement>, DoesNotFit> {
        let mut movements = Movements::new();
        let mut touched: BTreeSet<u32> = before.iter().map(|row| row.period).collect();
        for place in rows {
            let row = run.earnings.rows[*place as usize];
            touched.insert(row.period);
            self.earn(run, payee, &row, &mut movements);
        }
        let draws = self.draws(run, payee)?;
        let guarantees = draws.iter().any(|draw| !draw.recoverable);
        if guarantees {
            self.guarantee(run, payee, &draws, &mut movements)
                .ok_or_else(|| DoesNotFit("what is guaranteed to it does not fit; correct the amounts of its guarantees".to_owned()))?;
        }
        let posted = posted_movements(before);
        if before.iter().any(|row| self.frozen[row.period as usize]) || self.frozen.iter().any(|frozen| *frozen) {
            self.forward(run, payee, &posted, &mut movements).ok_or_else(pay_does_not_fit)?;
        }
        self.balance(run, payee, before, &draws, &movements, &posted, &touched, ledger).ok_or_else(pay_does_not_fit)
    }

    /// Adds what an earning brings in and when it is released, and what reversals take back of it.
    fn earn(&self, run: &mut Run<'_>, payee: u32, row: &Earning, movements: &mut Movements) {
        let terms = self.terms(run, row);
        let source = (row.origin, row.plan, row.component);
        add(movements, source, row.period, i128::from(row.amount), 0);
        let plain = terms.is_none_or(|terms| terms.component.pay.is_empty() && terms.component.clawback.is_none());
        if plain && !self.calendar.has_holds() {
            let released = i128::from(row.amount) - i128::from(row.withheld);
            add(movements, source, row.period, 0, released);
            if run.shares.wanted() {
                let pieces = [(row.period, i64::try_from(released).unwrap_or(row.amount))];
                self.share(run, payee, row, row.transaction, terms, pieces[0].1, &pieces);
            }
            return;
        }
        for mut item in self.calendar.items(run, row, terms) {
            let earned = item.amount;
            self.calendar.schedule(payee, &mut item, terms);
            if let Some(terms) = terms.filter(|_| row.kind == EarningKind::Formula && item.transaction != NULL_CODE) {
                self.take_back(run, payee, &mut item, terms, movements);
            }
            for piece in &item.pieces {
                if let Some(due) = piece.due {
                    add(movements, source, due, 0, i128::from(piece.amount));
                }
            }
            if run.shares.wanted() {
                let pieces: Vec<(u32, i64)> = item.pieces.iter().filter_map(|piece| Some((piece.due?, piece.amount))).collect();
                self.share(run, payee, row, item.transaction, terms, earned, &pieces);
            }
        }
    }

    /// Notes for the result `shares` what was earned and when it is released: of the transaction, or of each that counted for it.
    #[expect(clippy::too_many_arguments, reason = "one call: the parts of a share")]
    fn share(
        &self,
        run: &mut Run<'_>,
        payee: u32,
        row: &Earning,
        transaction: u32,
        terms: Option<&Terms<'_>>,
        earned: i64,
        pieces: &[(u32, i64)],
    ) {
        let share = (payee, row.plan, row.component, transaction);
        let terms = terms.filter(|_| transaction == NULL_CODE && row.kind == EarningKind::Formula);
        let weights = terms.map(|terms| (self.calendar.weights(run, row, terms), terms.step.step)).filter(|(own, _)| !own.is_empty());
        match weights {
            Some((weights, step)) => run.shares.spread(share, &weights, step, earned, pieces),
            None => {
                run.shares.earn(share, earned);
                for (period, amount) in pieces {
                    run.shares.release(share, *period, i128::from(*amount));
                }
            }
        }
    }

    fn take_back(&self, run: &mut Run<'_>, payee: u32, item: &mut Item, terms: &Terms<'_>, movements: &mut Movements) {
        let book = run.book.clone();
        for taken in self.events.apply(&book, item, terms) {
            let head = |kind, amount| Earning {
                plan: item.plan,
                component: item.component,
                transaction: taken.transaction,
                ..Earning::other(payee, taken.period, kind, amount)
            };
            let original = book.transactions.id(item.transaction);
            let share = (payee, item.plan, item.component, taken.transaction);
            run.shares.earn(share, taken.clawed.saturating_add(taken.lapsed).saturating_neg());
            run.shares.release(share, taken.period, -i128::from(taken.clawed));
            if taken.clawed != 0 {
                let place = run.earnings.push(head(EarningKind::Clawback, -taken.clawed));
                let label = format!("paid of {original}");
                run.earnings.explain_rate(place, &label, taken.paid, -taken.rate, -taken.clawed);
                let source = (taken.period, item.plan, item.component);
                add(movements, source, taken.period, -i128::from(taken.clawed), -i128::from(taken.clawed));
            }
            if taken.lapsed != 0 {
                let row = Earning { origin: item.origin, ..head(EarningKind::Lapse, -taken.lapsed) };
                let place = run.earnings.push(row);
                run.earnings.explain(place, &format!("not paid yet of {original}"), -taken.lapsed);
                add(movements, (item.origin, item.plan, item.component), taken.period, -i128::from(taken.lapsed), 0);
            }
        }
    }

    /// Guarantees are earned: what they add is computed as if no period had ever been posted, so that a correction of what was earned
    /// corrects the guarantee too. `None` where an amount does not fit.
    fn guarantee(&self, run: &mut Run<'_>, payee: u32, draws: &[DrawTerms], movements: &mut Movements) -> Option<()> {
        let open = |released| Due::Open { released, guaranteed: Vec::new() };
        let due: Vec<Due> = released(movements, self.until).into_iter().map(open).collect();
        for (period, step) in draws::chain(&due, draws, true).into_iter().enumerate() {
            for (draw, amount) in draws.iter().zip(step.guarantees) {
                let amount = i64::try_from(amount).ok()?;
                if amount == 0 {
                    continue;
                }
                let row = Earning {
                    plan: draw.plan,
                    component: draw.component,
                    ..Earning::other(payee, period as u32, EarningKind::Guarantee, amount)
                };
                let place = run.earnings.push(row);
                run.earnings.explain(place, "guarantee", amount);
                add(movements, (period as u32, draw.plan, draw.component), period as u32, i128::from(amount), i128::from(amount));
            }
        }
        Some(())
    }

    /// Moves what frozen periods would be now, less what was posted for them, to the next open period. `None` where that does not fit.
    fn forward(&self, run: &mut Run<'_>, payee: u32, posted: &Movements, movements: &mut Movements) -> Option<()> {
        let sources: BTreeSet<Source> = movements.keys().chain(posted.keys()).copied().collect();
        let mut waiting = 0i128;
        for source in sources {
            if self.recoverable.contains(&(source.1, source.2)) {
                continue;
            }
            // By open period: earned now, posted before, released more than was.
            let mut forwarded: BTreeMap<u32, (i128, i128, i128)> = BTreeMap::new();
            for period in (0..self.until).filter(|period| self.frozen[*period]).map(|period| period as u32) {
                let find = |all: &Movements| all.get(&source).and_then(|own| own.get(&period)).copied().unwrap_or_default();
                let (now, then) = (find(movements), find(posted));
                if now == then {
                    continue;
                }
                let share = (payee, source.1, source.2, NULL_CODE);
                run.shares.release(share, period, then.released - now.released);
                match self.open_after(period) {
                    Some(open) => {
                        run.shares.release(share, open, now.released - then.released);
                        let entry = forwarded.entry(open).or_default();
                        entry.0 += now.earned;
                        entry.1 += then.earned;
                        entry.2 += now.released - then.released;
                    }
                    None => waiting += now.earned - then.earned,
                }
            }
            if let Some(own) = movements.get_mut(&source) {
                own.retain(|period, _| !self.frozen.get(*period as usize).copied().unwrap_or(false));
            }
            for (open, (now, then, released)) in forwarded {
                let earned = now - then;
                add(movements, source, open, earned, released);
                let [amount, now, then] = [earned, now, then].map(i64::try_from);
                let (amount, now, then) = (amount.ok()?, now.ok()?, then.ok()?);
                if amount != 0 {
                    let row = Earning {
                        origin: source.0,
                        plan: source.1,
                        component: source.2,
                        ..Earning::other(payee, open, EarningKind::Retro, amount)
                    };
                    let place = run.earnings.push(row);
                    run.earnings.explain(place, "calculated now", now);
                    run.earnings.explain(place, "posted before", -then);
                }
            }
        }
        if waiting != 0 {
            let amount = i64::try_from(waiting).map_or_else(|_| "much".to_owned(), |own| attain_domain::fixed::format(own, 4));
            let message = format!("{amount} of closed periods waits for an open one; open a period or extend the calendar");
            let name = run.book.payees.get(payee).to_owned();
            run.findings.add(Severity::Warning, "no-open-period", "payees", &name, message);
        }
        Some(())
    }

    /// The first open period after a frozen one; any open one where all later ones are frozen.
    fn open_after(&self, period: u32) -> Option<u32> {
        let open = |period: &usize| !self.frozen[*period];
        let after = (period as usize + 1..self.frozen.len()).find(open);
        after.or_else(|| (0..self.frozen.len()).find(open)).map(|period| period as u32)
    }

    #[expect(clippy::too_many_arguments, reason = "one call: the parts of a payee's settlement")]
    fn balance(
        &self,
        run: &mut Run<'_>,
        payee: u32,
        before: &[PostedRow],
        draws: &[DrawTerms],
        movements: &Movements,
        posted: &Movements,
        touched: &BTreeSet<u32>,
        ledger: &mut Ledger,
    ) -> Option<Vec<Statement>> {
        let frozen = |period: usize| self.frozen[period];
        let (released, guaranteed) = apart(movements, draws, self.until);
        let old = |period: usize, account: u8| before.iter().filter(move |row| row.period as usize == period && row.account == account);
        let sum = |rows: &mut dyn Iterator<Item = &PostedRow>| rows.map(|row| i128::from(row.amount)).sum::<i128>();
        let due: Vec<Due> = (0..self.until)
            .map(|period| {
                if !frozen(period) {
                    return Due::Open { released: released[period], guaranteed: guaranteed[period].clone() };
                }
                let of_draw = |draw: &DrawTerms| {
                    sum(&mut old(period, CARRIED).filter(|row| (row.plan, row.component) == (draw.plan, draw.component)))
                };
                let of_draws: Vec<i128> = draws.iter().map(of_draw).collect();
                let all = sum(&mut old(period, CARRIED));
                Due::Frozen { carried: all - of_draws.iter().sum::<i128>(), draws: of_draws, paid: sum(&mut old(period, PAID)) }
            })
            .collect();
        let steps = draws::chain(&due, draws, false);
        let mut statements = Vec::new();
        let (mut held_balance, mut carried_balance) = (0i128, 0i128);
        let fits = |value: i128| i64::try_from(value).ok().filter(|value| *value != NULL_NUMBER);
        for (period, step) in steps.into_iter().enumerate() {
            let source = if frozen(period) { posted } else { movements };
            let key = period as u32;
            let mut statement = Statement { payee, period: key, ..Statement::default() };
            let (mut earned, mut held) = (0i128, 0i128);
            let post = self.settled[period] && !frozen(period);
            for ((origin, plan, component), own) in source {
                let Some(movement) = own.get(&key) else { continue };
                earned += movement.earned;
                held += movement.earned - movement.released;
                if post {
                    for (account, amount) in [(EARNED, movement.earned), (HELD, movement.earned - movement.released)] {
                        if amount != 0 || account == EARNED {
                            ledger.balances.insert((payee, key, *origin, *plan, *component, account), fits(amount)?);
                        }
                    }
                }
            }
            let drawn: i128 = step.draws.iter().sum();
            for (draw, forgiven) in draws.iter().zip(&step.forgiven).filter(|(_, forgiven)| **forgiven != 0) {
                earned += forgiven;
                let amount = fits(*forgiven)?;
                let row =
                    Earning { plan: draw.plan, component: draw.component, ..Earning::other(payee, key, EarningKind::Forgiven, amount) };
                let place = run.earnings.push(row);
                run.earnings.explain(place, "draw balance", amount);
                if post {
                    ledger.balances.insert((payee, key, key, draw.plan, draw.component, EARNED), amount);
                }
            }
            held_balance += held;
            carried_balance += step.carried + drawn;
            statement.earned = fits(earned)?;
            statement.held = fits(held)?;
            statement.carried = fits(step.carried + drawn)?;
            statement.drawn = fits(drawn)?;
            statement.paid = fits(step.paid)?;
            statement.held_balance = fits(held_balance)?;
            statement.carried_balance = fits(carried_balance)?;
            let ties = earned == step.paid + held + step.carried + drawn;
            if !ties {
                let record = format!("{}, {}", run.book.payees.get(payee), run.book.calendar.periods[period].id);
                let message = "what was posted for it does not add up: earned is not paid + held + carried; restore the ledger";
                run.findings.add(Severity::Error, "posted-untied", "postings", &record, message);
            }
            if post {
                ledger.balances.insert((payee, key, key, NULL_CODE, NULL_CODE, CARRIED), fits(step.carried)?);
                ledger.balances.insert((payee, key, key, NULL_CODE, NULL_CODE, PAID), statement.paid);
                for (draw, change) in draws.iter().zip(&step.draws).filter(|(_, change)| **change != 0) {
                    ledger.balances.insert((payee, key, key, draw.plan, draw.component, CARRIED), fits(*change)?);
                }
            }
            let moves = earned != 0 || held != 0 || step.paid != 0 || step.carried != 0 || drawn != 0;
            if self.settled[period] && (moves || touched.contains(&key)) {
                statements.push(statement);
            }
        }
        Some(statements)
    }
}

fn add(movements: &mut Movements, source: Source, period: u32, earned: i128, released: i128) {
    let movement = movements.entry(source).or_default().entry(period).or_default();
    movement.earned += earned;
    movement.released += released;
}

/// What is released in each period, of all sources.
fn released(movements: &Movements, until: usize) -> Vec<i128> {
    let mut all = vec![0i128; until];
    for (period, movement) in movements.values().flatten() {
        if let Some(slot) = all.get_mut(*period as usize) {
            *slot += movement.released;
        }
    }
    all
}

/// What is released in each period, without what guarantees pay for that period itself, which is apart by draw. A correction of an earlier
/// guarantee is released like any other.
fn apart(movements: &Movements, draws: &[DrawTerms], until: usize) -> (Vec<i128>, Vec<Vec<i128>>) {
    let mut all = released(movements, until);
    let mut guaranteed = vec![vec![0i128; draws.len()]; until];
    for (at, draw) in draws.iter().enumerate().filter(|(_, draw)| !draw.recoverable) {
        for (period, amounts) in guaranteed.iter_mut().enumerate() {
            let own = movements.get(&(period as u32, draw.plan, draw.component)).and_then(|own| own.get(&(period as u32)));
            // A correction that comes back to this period can be of more than it guarantees: that is owed, not paid.
            amounts[at] = own.map_or(0, |own| own.released.max(0));
            all[period] -= amounts[at];
        }
    }
    (all, guaranteed)
}

/// Earned and released by source and period, as they were posted.
fn posted_movements(rows: &[PostedRow]) -> Movements {
    let mut movements = Movements::new();
    for row in rows {
        let amount = i128::from(row.amount);
        match row.account {
            EARNED => add(&mut movements, (row.origin, row.plan, row.component), row.period, amount, amount),
            HELD => add(&mut movements, (row.origin, row.plan, row.component), row.period, 0, -amount),
            _ => {}
        }
    }
    movements
}
