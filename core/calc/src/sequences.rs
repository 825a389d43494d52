//! Random companies through random years: deals come late, change and are cancelled, customers pay, periods close and open again, rates and
//! hires are corrected. After every calculation the laws of the pay ledger are checked. One seed is one sequence, the same everywhere.

use crate::{Inputs, Outcome, calculate};
use attain_domain::fixed::{self, Rounding, RoundingMode};
use attain_domain::ids::ExtensionDigest;
use attain_domain::plan::Plan;
use attain_domain::point::{Answer, Call, Extension, Extensions, Fault, FaultKind, Identity, Origin, Point};
use attain_domain::settings::Settings;
use attain_domain::tiers::TierTable;
use attain_domain::{Column, NULL_NUMBER, Table};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const PERIODS: usize = 6;
/// First days of the periods and the end, as days since 1970; the year is 2026.
const STARTS: [i64; PERIODS + 1] = [20_454, 20_485, 20_513, 20_544, 20_574, 20_605, 20_635];
const PAYEES: u64 = 4;
const STEPS: u64 = 60;
/// One cent in a column.
const CENT: i64 = 100;

/// What a sequence went through.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    pub steps: u64,
    pub runs: u64,
    pub postings: u64,
    pub closings: u64,
    pub reopenings: u64,
    pub corrections: u64,
    pub clawbacks: u64,
    pub guarantees: u64,
    pub shuffles: u64,
}

impl Walked {
    pub fn add(&mut self, other: Walked) {
        self.steps += other.steps;
        self.runs += other.runs;
        self.postings += other.postings;
        self.closings += other.closings;
        self.reopenings += other.reopenings;
        self.corrections += other.corrections;
        self.clawbacks += other.clawbacks;
        self.guarantees += other.guarantees;
        self.shuffles += other.shuffles;
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: u64) -> u64 {
        self.roll() % count.max(1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    fn day(&mut self) -> i64 {
        STARTS[0] + self.below((STARTS[PERIODS] - STARTS[0]) as u64) as i64
    }
}

#[derive(Debug, Clone)]
struct Deal {
    kind: &'static str,
    day: i64,
    amount: i64,
    payee: u64,
    paid_on: Option<i64>,
    tag: Option<&'static str>,
    reverses: Option<u64>,
}

/// A company under way.
struct World {
    settings: Settings,
    plans: Vec<Value>,
    deals: BTreeMap<u64, Deal>,
    receipts: Vec<(u64, i64, i64)>,
    holds: Vec<Hold>,
    adjustments: Vec<(u64, usize, i64)>,
    hired: Vec<i64>,
    frozen: [bool; PERIODS],
    ledger: Vec<Posting>,
    next: u64,
}

#[derive(Debug, Clone)]
struct Hold {
    payee: Option<u64>,
    deal: Option<u64>,
    from: i64,
    until: Option<i64>,
    share: Option<i64>,
}

/// A row of the ledger: payee, period, origin, plan, component, account, revision and amount.
pub type Posting = (String, String, String, String, String, String, i64, i64);

fn period_id(period: usize) -> String {
    format!("2026-{:02}", period + 1)
}

fn payee_id(payee: u64) -> String {
    format!("p{payee}")
}

fn deal_id(deal: u64) -> String {
    format!("t{deal:05}")
}

fn decimal(dice: &mut Dice, hundredths: u64) -> String {
    format!("0.{:02}", 1 + dice.below(hundredths.min(99)))
}

/// Plans whose options are drawn.
fn plans(dice: &mut Dice) -> Vec<Value> {
    let shares = |dice: &mut Dice| match dice.below(7) {
        0 => json!([]),
        1 => json!([{ "share": "1", "installments": 1 + dice.below(4) }]),
        2 => json!([{ "share": "0.6" }, { "share": "0.4", "when": "received" }]),
        3 => json!([{ "share": "0.3333" }, { "share": "0.6667", "when": "paid", "after_periods": dice.below(2) }]),
        4 => json!([{ "share": "0.5" }, { "share": "0.5", "when": "quarter-end" }]),
        5 => json!([{ "share": "1", "when": "received" }]),
        _ => json!([{ "share": "0.75" }, { "share": "0.25", "when": "year-end" }]),
    };
    let clawback = |dice: &mut Dice| {
        let unpaid = *dice.pick(&["lapse", "keep"]);
        match dice.below(4) {
            0 => Value::Null,
            1 => json!({ "rate": decimal(dice, 99), "unpaid": unpaid, "revive": ["revive"] }),
            2 => {
                json!({ "method": "pro-rata", "full_until": 10, "until": 60 + dice.below(60), "from": dice.pick(&["sale", "payout"]), "unpaid": unpaid })
            }
            _ => json!({ "method": "bands", "unit": "months", "unpaid": unpaid, "revive": ["revive"], "bands": [
                { "until": 1, "rate": "0.9" }, { "until": 3, "rate": "0.45", "tags": ["lapse"] }, { "until": 3, "rate": "0.4" }] }),
        }
    };
    let draws = |dice: &mut Dice| {
        let amount = format!("{}.{:02}", dice.below(400), dice.below(100));
        let pays = *dice.pick(&["floor", "on-top"]);
        match dice.below(4) {
            0 => json!([]),
            1 => {
                json!([{ "id": "guarantee", "amount": amount, "pays": pays, "periods": 1 + dice.below(6), "prorate": dice.pick(&["none", "calendar-days"]) }])
            }
            2 => {
                json!([{ "id": "draw", "amount": amount, "pays": pays, "recoverable": true, "periods": 1 + dice.below(6), "recover_after": dice.below(4),
                "recover_share": dice.pick(&["1", "0.5", "0.333"]) }])
            }
            _ => json!([
                { "id": "draw", "amount": amount, "recoverable": true, "periods": 2, "recover_after": 1, "recover_for": 2, "at_end": dice.pick(&["keep", "forgive"]) },
                { "id": "guarantee", "amount": "77.77", "periods": 3 }]),
        }
    };
    let cap = |dice: &mut Dice| match dice.below(3) {
        0 => Value::Null,
        _ => {
            json!({ "amount": format!("{}", 50 + dice.below(400)), "per": dice.pick(&["period", "quarter"]), "refundable": dice.one_in(2) })
        }
    };
    let optional = |mut component: Value, name: &str, value: Value| {
        if !value.is_null() {
            component[name] = value;
        }
        component
    };
    let deal = json!({ "id": "deal", "measure": "sales", "formula": "tiers", "accumulate": "transaction", "pay": shares(dice),
        "settings": { "tiers": [{ "from": "0", "rate": decimal(dice, 20) }] } });
    let deal = optional(deal, "clawback", clawback(dice));
    let volume = json!({ "id": "volume", "measure": "sales", "formula": "tiers", "accumulate": dice.pick(&["period", "quarter", "year"]), "true_up": dice.one_in(2),
        "pay": shares(dice), "rounding": { "mode": dice.pick(&["half-even", "half-up", "down"]), "step": dice.pick(&["0.01", "1"]) },
        "settings": { "method": dice.pick(&["marginal", "whole-amount"]), "tiers": [
            { "from": "0", "rate": decimal(dice, 10) }, { "from": "900", "rate": decimal(dice, 20) }, { "from": "2500.50", "rate": decimal(dice, 30) }] } });
    let cap = cap(dice);
    let volume = optional(optional(volume, "cap", cap), "clawback", clawback(dice));
    vec![
        json!({ "id": "deals", "components": [deal], "draws": draws(dice) }),
        json!({ "id": "volume", "components": [volume], "draws": draws(dice) }),
    ]
}

impl World {
    fn new(dice: &mut Dice) -> World {
        let settings = json!({
            "format": 1, "name": "Random", "currency": "USD", "calendar": { "pattern": "custom", "periods": (0..PERIODS).map(|period| json!({
                "id": period_id(period), "from": attain_domain::Day(STARTS[period] as i32).to_string(), "until": attain_domain::Day(STARTS[period + 1] as i32).to_string(),
                "quarter": format!("Q{}", period / 3), "year": "2026" })).collect::<Vec<_>>() },
            "crediting": { "rules": [{ "extension": "own" }] },
            "measures": [{ "id": "sales", "where": [{ "field": "kind", "not_in": ["cancellation"] }] }],
        });
        World {
            settings: serde_json::from_value(settings).expect("the settings are valid"),
            plans: plans(dice),
            deals: BTreeMap::new(),
            receipts: Vec::new(),
            holds: Vec::new(),
            adjustments: Vec::new(),
            hired: (0..PAYEES).map(|_| if dice.one_in(2) { STARTS[0] } else { dice.day() }).collect(),
            frozen: [false; PERIODS],
            ledger: Vec::new(),
            next: 0,
        }
    }

    fn inputs(&self) -> Inputs {
        let text = |values: Vec<Option<String>>| Column::text(&values);
        let texts = |values: Vec<String>| Column::text(&values.into_iter().map(Some).collect::<Vec<_>>());
        let deals: Vec<(&u64, &Deal)> = self.deals.iter().collect();
        let number = |value: Option<i64>| value.unwrap_or(NULL_NUMBER);
        let transactions = Table::new("transactions")
            .with("transaction_id", texts(deals.iter().map(|(id, _)| deal_id(**id)).collect()))
            .with("kind", texts(deals.iter().map(|(_, deal)| deal.kind.to_owned()).collect()))
            .with("ordered_on", Column::integer(deals.iter().map(|(_, deal)| deal.day).collect()))
            .with("paid_on", Column::integer(deals.iter().map(|(_, deal)| number(deal.paid_on)).collect()))
            .with("amount", Column::money(deals.iter().map(|(_, deal)| deal.amount).collect()))
            .with("currency", texts(deals.iter().map(|_| "USD".to_owned()).collect()))
            .with("payee_id", texts(deals.iter().map(|(_, deal)| payee_id(deal.payee)).collect()))
            .with("tag", text(deals.iter().map(|(_, deal)| deal.tag.map(str::to_owned)).collect()))
            .with("reverses_id", text(deals.iter().map(|(_, deal)| deal.reverses.map(deal_id)).collect()));
        let known = |deal: &u64| self.deals.contains_key(deal);
        let receipts: Vec<&(u64, i64, i64)> = self.receipts.iter().filter(|(deal, _, _)| known(deal)).collect();
        let receipts = Table::new("receipts")
            .with("receipt_id", texts((0..receipts.len()).map(|at| format!("r{at:04}")).collect()))
            .with("transaction_id", texts(receipts.iter().map(|own| deal_id(own.0)).collect()))
            .with("received_on", Column::integer(receipts.iter().map(|own| own.1).collect()))
            .with("amount", Column::money(receipts.iter().map(|own| own.2).collect()));
        let holds = Table::new("holds")
            .with("hold_id", texts((0..self.holds.len()).map(|at| format!("h{at:04}")).collect()))
            .with("payee_id", text(self.holds.iter().map(|hold| hold.payee.map(payee_id)).collect()))
            .with("transaction_id", text(self.holds.iter().map(|hold| hold.deal.map(deal_id)).collect()))
            .with("from_on", Column::integer(self.holds.iter().map(|hold| hold.from).collect()))
            .with("until_on", Column::integer(self.holds.iter().map(|hold| number(hold.until)).collect()))
            .with("share", Column::rate(self.holds.iter().map(|hold| number(hold.share)).collect()));
        let adjustments = Table::new("adjustments")
            .with("adjustment_id", texts((0..self.adjustments.len()).map(|at| format!("a{at:04}")).collect()))
            .with("payee_id", texts(self.adjustments.iter().map(|own| payee_id(own.0)).collect()))
            .with("period_id", texts(self.adjustments.iter().map(|own| period_id(own.1)).collect()))
            .with("amount", Column::money(self.adjustments.iter().map(|own| own.2).collect()))
            .with("reason", texts(self.adjustments.iter().map(|_| "other".to_owned()).collect()));
        let state = |frozen: bool| if frozen { "closed" } else { "open" }.to_owned();
        let tables = [
            transactions,
            receipts,
            holds,
            adjustments,
            Table::new("payees").with("payee_id", texts((0..PAYEES).map(payee_id).collect())),
            Table::new("plan_assignments")
                .with("payee_id", texts((0..PAYEES).map(payee_id).collect()))
                .with("plan_id", texts((0..PAYEES).map(|payee| if payee % 2 == 0 { "deals" } else { "volume" }.to_owned()).collect()))
                .with("from_on", Column::integer(self.hired.clone())),
            Table::new("periods")
                .with("period_id", texts((0..PERIODS).map(period_id).collect()))
                .with("state", texts(self.frozen.iter().map(|frozen| state(*frozen)).collect())),
        ];
        Inputs {
            settings: self.settings.clone(),
            plans: self.plans.iter().map(|plan| serde_json::from_value::<Plan>(plan.clone()).expect("the plan is valid")).collect(),
            tables: tables.into_iter().map(|table| (table.name.clone(), Arc::new(table))).collect(),
            posted: posted(&self.ledger),
            periods: None,
        }
    }

    /// Something happens; what depends on a calculation calls for one first.
    fn step(&mut self, dice: &mut Dice, walked: &mut Walked) -> Result<(), String> {
        let ids: Vec<u64> = self.deals.keys().copied().collect();
        match dice.below(20) {
            0..=5 => {
                let amount = (1 + dice.below(300_000) as i64) * CENT;
                let kind = if dice.one_in(8) { "return" } else { "order" };
                let deal = Deal {
                    kind,
                    day: dice.day(),
                    amount: if kind == "return" { -amount } else { amount },
                    payee: dice.below(PAYEES),
                    paid_on: if dice.one_in(3) { Some(dice.day()) } else { None },
                    tag: None,
                    reverses: None,
                };
                self.deals.insert(self.next, deal);
                self.next += 1;
            }
            6 if !ids.is_empty() => {
                let deal = self.deals.get_mut(dice.pick(&ids)).expect("it is one of them");
                deal.amount = deal.amount.signum() * (1 + dice.below(300_000) as i64) * CENT;
            }
            7 if !ids.is_empty() => self.deals.get_mut(dice.pick(&ids)).expect("it is one of them").day = dice.day(),
            8 if !ids.is_empty() => {
                let gone = *dice.pick(&ids);
                self.deals.retain(|id, deal| *id != gone && deal.reverses != Some(gone));
            }
            9 | 10 if !ids.is_empty() => {
                let original = *dice.pick(&ids);
                let of = self.deals[&original].clone();
                if of.reverses.is_none() {
                    let amount = if dice.one_in(3) { -of.amount / (1 + dice.below(4) as i64) } else { 0 };
                    let tag = *dice.pick(&[None, None, Some("lapse"), Some("revive")]);
                    let day = dice.day().max(of.day);
                    let deal = Deal { kind: "cancellation", day, amount, payee: of.payee, paid_on: None, tag, reverses: Some(original) };
                    self.deals.insert(self.next, deal);
                    self.next += 1;
                }
            }
            11 if !ids.is_empty() => {
                let deal = *dice.pick(&ids);
                let amount = self.deals[&deal].amount / (1 + dice.below(4) as i64);
                self.receipts.push((deal, dice.day(), amount));
            }
            12 => {
                let (payee, deal) =
                    if dice.one_in(2) || ids.is_empty() { (Some(dice.below(PAYEES)), None) } else { (None, Some(*dice.pick(&ids))) };
                let from = dice.day();
                let until = if dice.one_in(2) { Some(dice.day().max(from + 1)) } else { None };
                let share = if dice.one_in(2) { Some(1 + dice.below(100_000_000) as i64) } else { None };
                self.holds.push(Hold { payee, deal, from, until, share });
            }
            13 if !self.holds.is_empty() => {
                let place = dice.below(self.holds.len() as u64) as usize;
                let from = self.holds[place].from;
                self.holds[place].until = Some(dice.day().max(from + 1));
            }
            14 => {
                let open: Vec<usize> = (0..PERIODS).filter(|period| !self.frozen[*period]).collect();
                if !open.is_empty() {
                    let amount = (dice.below(40_000) as i64 - 20_000) * CENT;
                    self.adjustments.push((dice.below(PAYEES), *dice.pick(&open), amount));
                }
            }
            15 => {
                let payee = dice.below(PAYEES) as usize;
                self.hired[payee] = dice.day();
            }
            16 => {
                let plan = dice.below(2) as usize;
                self.plans[plan]["components"][0]["settings"]["tiers"][0]["rate"] = json!(decimal(dice, 20));
            }
            17 => {
                // A period closes on what was calculated, in any order, but one stays open.
                let open: Vec<usize> = (0..PERIODS).filter(|period| !self.frozen[*period]).collect();
                if open.len() > 1 {
                    self.calculate(dice, walked)?;
                    self.frozen[*dice.pick(&open)] = true;
                    walked.closings += 1;
                }
            }
            18 => {
                let closed: Vec<usize> = (0..PERIODS).filter(|period| self.frozen[*period]).collect();
                if !closed.is_empty() {
                    self.frozen[*dice.pick(&closed)] = false;
                    walked.reopenings += 1;
                }
            }
            _ => self.calculate(dice, walked)?,
        }
        Ok(())
    }

    /// Runs, checks the laws and posts.
    fn calculate(&mut self, dice: &mut Dice, walked: &mut Walked) -> Result<(), String> {
        let inputs = self.inputs();
        let outcome = calculate(&inputs, &Native::default(), &mut |_| {});
        walked.runs += 1;
        if !outcome.complete {
            return Err(format!("the run is incomplete: {:?}", outcome.findings));
        }
        if dice.one_in(4) {
            walked.shuffles += 1;
            self.order_does_not_matter(dice, &inputs, &outcome)?;
        }
        let postings = rows(&outcome.table("postings"));
        if let Some(posting) =
            postings.iter().find(|own| self.frozen.iter().enumerate().any(|(period, frozen)| *frozen && period_id(period) == own.1))
        {
            return Err(format!("something was posted to a closed period: {posting:?}"));
        }
        walked.postings += postings.len() as u64;
        self.ledger.extend(postings);
        let keys: BTreeSet<_> = self.ledger.iter().map(|own| (&own.0, &own.1, &own.2, &own.3, &own.4, &own.5, own.6)).collect();
        if keys.len() != self.ledger.len() {
            return Err("a posting was made twice".to_owned());
        }
        self.statements_tie(&outcome)?;
        self.clawback_takes_only_what_was_paid(&outcome, walked)?;
        self.equals_a_calculation_from_scratch(&outcome)?;
        let kinds = outcome.table("earnings");
        let kinds = kinds.texts("kind");
        let count =
            |kind: &str| (0..outcome.row_count("earnings")).filter(|row| kinds.and_then(|own| own.get(*row)) == Some(kind)).count() as u64;
        walked.corrections += count("retro");
        walked.guarantees += count("guarantee");
        let again = calculate(&Inputs { posted: posted(&self.ledger), ..inputs }, &Native::default(), &mut |_| {});
        match again.row_count("postings") {
            0 => Ok(()),
            count => Err(format!("running again posts {count} rows: {:?}", rows(&again.table("postings")))),
        }
    }

    /// Earned = paid + held + carried in every statement; balances are the sums of their changes; the ledger says the same.
    fn statements_tie(&self, outcome: &Outcome) -> Result<(), String> {
        let table = outcome.table("statements");
        let (payees, periods) = (table.texts("payee_id"), table.texts("period_id"));
        let number = |name: &str, row: usize| i128::from(table.numbers(name).map_or(0, |own| own[row]));
        let mut balances: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
        for row in 0..table.row_count() {
            let (payee, period) = (payees.and_then(|own| own.get(row)).unwrap_or(""), periods.and_then(|own| own.get(row)).unwrap_or(""));
            let of = |account: &str| -> i128 {
                self.ledger.iter().filter(|own| own.0 == payee && own.1 == period && own.5 == account).map(|own| i128::from(own.7)).sum()
            };
            let (earned, held, carried, paid) = (number("earned", row), number("held", row), number("carried", row), number("paid", row));
            if earned != held + carried + paid {
                return Err(format!("{payee} {period}: earned {earned} is not paid {paid} + held {held} + carried {carried}"));
            }
            if [earned, held, carried, paid] != [of("earned"), of("held"), of("carried"), of("paid")] {
                return Err(format!("{payee} {period}: the ledger does not say what the statement says"));
            }
            let balance = balances.entry(payee).or_default();
            balance.0 += held;
            balance.1 += carried;
            if (number("held_balance", row), number("carried_balance", row)) != *balance {
                return Err(format!("{payee} {period}: a balance is not the sum of its changes"));
            }
            if paid < 0 && !self.frozen.iter().enumerate().any(|(at, frozen)| *frozen && period_id(at) == period) {
                return Err(format!("{payee} {period}: {paid} would be paid"));
            }
        }
        let shown: i128 = (0..table.row_count()).map(|row| number("earned", row)).sum();
        let ledger: i128 = self.ledger.iter().filter(|own| own.5 == "earned").map(|own| i128::from(own.7)).sum();
        if shown == ledger { Ok(()) } else { Err(format!("statements show {shown}, the ledger holds {ledger}")) }
    }

    fn clawback_takes_only_what_was_paid(&self, outcome: &Outcome, walked: &mut Walked) -> Result<(), String> {
        let table = outcome.table("earnings");
        let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).unwrap_or("").to_owned();
        let amounts = table.numbers("amount").unwrap_or(&[]);
        let mut paid: BTreeMap<(String, String), i128> = BTreeMap::new();
        let mut taken: BTreeMap<(String, String), i128> = BTreeMap::new();
        for (row, amount) in amounts.iter().enumerate() {
            let (payee, id) = (text("payee_id", row), text("transaction_id", row));
            match text("kind", row).as_str() {
                "formula" if !id.is_empty() => *paid.entry((payee, id)).or_default() += i128::from(*amount),
                "clawback" => {
                    walked.clawbacks += 1;
                    let reversal = self.deals.iter().find(|(own, _)| deal_id(**own) == id).and_then(|(_, deal)| deal.reverses);
                    *taken.entry((payee, deal_id(reversal.unwrap_or(u64::MAX)))).or_default() -= i128::from(*amount);
                }
                _ => {}
            }
        }
        for ((payee, id), taken) in taken {
            // What a component pays for a period is shared out over its deals and is no row of its own.
            let Some(most) = paid.get(&(payee.clone(), id.clone())) else { continue };
            if taken > (*most).max(0) || taken < 0 {
                return Err(format!("{taken} of {most} that were earned from {id} was taken back from {payee}"));
            }
        }
        Ok(())
    }

    /// Over all periods everybody earned, holds and was paid what a calculation that never closed anything gives.
    fn equals_a_calculation_from_scratch(&self, outcome: &Outcome) -> Result<(), String> {
        if self.frozen.iter().all(|frozen| *frozen) {
            return Ok(());
        }
        let fresh = World {
            frozen: [false; PERIODS],
            ledger: Vec::new(),
            settings: self.settings.clone(),
            plans: self.plans.clone(),
            deals: self.deals.clone(),
            receipts: self.receipts.clone(),
            holds: self.holds.clone(),
            adjustments: self.adjustments.clone(),
            hired: self.hired.clone(),
            next: self.next,
        };
        let scratch = calculate(&fresh.inputs(), &Native::default(), &mut |_| {});
        clawback_follows_payment(&scratch)?;
        let totals = |outcome: &Outcome| -> BTreeMap<String, (i128, i128)> {
            let statements = outcome.table("statements");
            let mut totals: BTreeMap<String, (i128, i128)> = BTreeMap::new();
            for row in 0..statements.row_count() {
                let payee = statements.texts("payee_id").and_then(|own| own.get(row)).unwrap_or("").to_owned();
                let number = |name: &str| i128::from(statements.numbers(name).map_or(0, |own| own[row]));
                let total = totals.entry(payee).or_default();
                total.0 += number("earned");
                total.1 += number("held");
            }
            totals
        };
        // What a draw forgave depends on what was owed when, and stays as it was posted.
        let forgiven = |outcome: &Outcome| {
            let table = outcome.table("earnings");
            let kinds = table.texts("kind");
            (0..table.row_count()).any(|row| kinds.and_then(|own| own.get(row)) == Some("forgiven"))
        };
        let forgives = self.plans.iter().any(|plan| plan["draws"].to_string().contains("forgive\""));
        if forgives || forgiven(outcome) {
            return Ok(());
        }
        let (now, then) = (totals(outcome), totals(&scratch));
        let payees: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
        for payee in payees {
            let of = |all: &BTreeMap<String, (i128, i128)>| all.get(payee).copied().unwrap_or_default();
            if of(&now) != of(&then) {
                return Err(format!("{payee} earned and holds {:?}; calculated from scratch {:?}", of(&now), of(&then)));
            }
        }
        Ok(())
    }

    fn order_does_not_matter(&self, dice: &mut Dice, inputs: &Inputs, outcome: &Outcome) -> Result<(), String> {
        let mut other = inputs.clone();
        let mut shuffle = |table: &Table| {
            let mut order: Vec<usize> = (0..table.row_count()).collect();
            for place in (1..order.len()).rev() {
                order.swap(place, dice.below(place as u64 + 1) as usize);
            }
            table.take(&order)
        };
        for table in other.tables.values_mut() {
            *table = Arc::new(shuffle(table));
        }
        other.posted = shuffle(&other.posted);
        let shuffled = calculate(&other, &Native::default(), &mut |_| {});
        for name in ["credits", "measures", "earnings", "slices", "statements", "postings", "findings"] {
            if outcome.table(name) != shuffled.table(name) {
                return Err(format!("the order of the input changes `{name}`"));
            }
        }
        Ok(())
    }
}

/// Of no component more is taken back than was released in the periods before. Of a calculation without closed periods, for payees who
/// have no negative deal.
fn clawback_follows_payment(outcome: &Outcome) -> Result<(), String> {
    let table = outcome.table("earnings");
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).unwrap_or("").to_owned();
    let amounts = table.numbers("amount").unwrap_or(&[]);
    let mut negative: BTreeSet<String> = BTreeSet::new();
    let mut taken: BTreeMap<(String, String, String), i128> = BTreeMap::new();
    for (row, amount) in amounts.iter().enumerate() {
        match text("kind", row).as_str() {
            "formula" if *amount < 0 => drop(negative.insert(text("payee_id", row))),
            "clawback" => {
                *taken.entry((text("payee_id", row), text("component_id", row), text("period_id", row))).or_default() -= i128::from(*amount)
            }
            _ => {}
        }
    }
    let ledger = rows(&outcome.table("postings"));
    for (payee, component) in taken.keys().map(|(payee, component, _)| (payee, component)).collect::<BTreeSet<_>>() {
        if negative.contains(payee) {
            continue;
        }
        let (mut clawed, mut released) = (0i128, 0i128);
        for period in (0..PERIODS).map(period_id) {
            let now = taken.get(&(payee.clone(), component.clone(), period.clone())).copied().unwrap_or(0);
            clawed += now;
            if clawed > released {
                return Err(format!("{clawed} was taken back of {component} of {payee} by {period}, when {released} had been paid"));
            }
            let own = ledger.iter().filter(|own| own.0 == *payee && own.1 == period && own.4 == *component);
            let moved: i128 = own.map(|own| if own.5 == "held" { -i128::from(own.7) } else { i128::from(own.7) }).sum();
            released += moved + now;
        }
    }
    Ok(())
}

fn rows(table: &Table) -> Vec<Posting> {
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).unwrap_or("").to_owned();
    let number = |name: &str, row: usize| table.numbers(name).map_or(0, |own| own[row]);
    (0..table.row_count())
        .map(|row| {
            (
                text("payee_id", row),
                text("period_id", row),
                text("origin_period_id", row),
                text("plan_id", row),
                text("component_id", row),
                text("account", row),
                number("revision", row),
                number("amount", row),
            )
        })
        .collect()
}

fn posted(ledger: &[Posting]) -> Table {
    let text = |of: fn(&Posting) -> &String| {
        Column::text(&ledger.iter().map(|own| Some(of(own).as_str()).filter(|text| !text.is_empty())).collect::<Vec<_>>())
    };
    Table::new("posted")
        .with("payee_id", text(|own| &own.0))
        .with("period_id", text(|own| &own.1))
        .with("origin_period_id", text(|own| &own.2))
        .with("plan_id", text(|own| &own.3))
        .with("component_id", text(|own| &own.4))
        .with("account", text(|own| &own.5))
        .with("revision", Column::integer(ledger.iter().map(|own| own.6).collect()))
        .with("amount", Column::money(ledger.iter().map(|own| own.7).collect()))
}

/// Walks one sequence and answers what it went through and the ledger at its end, or the law that was broken.
pub fn walk(seed: u64) -> Result<(Walked, Vec<Posting>), String> {
    let mut dice = Dice(seed.wrapping_mul(0xD1B5_4A32_D192_ED03) ^ 0x5EED);
    let mut walked = Walked::default();
    let mut world = World::new(&mut dice);
    let steps = 10 + dice.below(STEPS - 10);
    for step in 0..steps {
        walked.steps += 1;
        world.step(&mut dice, &mut walked).map_err(|broken| format!("seed {seed}, step {step}: {broken}"))?;
    }
    world.calculate(&mut dice, &mut walked).map_err(|broken| format!("seed {seed}, at the end: {broken}"))?;
    Ok((walked, world.ledger))
}

type Body = fn(&Call<'_>) -> Result<Answer, Fault>;

struct NativeExtension(Identity, Body);

impl Extension for NativeExtension {
    fn identity(&self) -> &Identity {
        &self.0
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        (self.1)(call)
    }
}

struct Native([NativeExtension; 2]);

impl Default for Native {
    fn default() -> Native {
        let extension = |name: &str, point, body| {
            let identity = Identity {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
                point,
                origin: Origin::Rhai,
                digest: ExtensionDigest(format!("native-{name}")),
            };
            NativeExtension(identity, body)
        };
        Native([extension("own", Point::Crediting, own_payee as Body), extension("tiers", Point::Compensation, tiers)])
    }
}

impl Extensions for Native {
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault> {
        let found = self.0.iter().find(|own| own.0.point == point && own.0.name == name);
        found.map(|own| own as &dyn Extension).ok_or_else(|| Fault::new(FaultKind::Refused, "there is no such extension"))
    }
}

/// The whole amount to the transaction's own payee.
fn own_payee(call: &Call<'_>) -> Result<Answer, Fault> {
    let (transactions, claims) = (&call.input[0], &call.input[1]);
    let amounts = transactions.numbers("amount").expect("contract");
    let (starts, ends) = (transactions.numbers("claims_from").expect("contract"), transactions.numbers("claims_until").expect("contract"));
    let (roles, payees) = (claims.texts("role").expect("contract"), claims.texts("payee_id").expect("contract"));
    let claim = |row: usize| (starts[row] as usize..ends[row] as usize).find(|claim| roles.get(*claim) == Some("payee"));
    let given: Vec<(usize, &str, i64)> = (0..amounts.len()).filter_map(|row| Some((row, payees.get(claim(row)?)?, amounts[row]))).collect();
    let text = |values: Vec<&str>| Column::text(&values.into_iter().map(Some).collect::<Vec<_>>());
    let table = Table::new("credits")
        .with("row", Column::integer(given.iter().map(|credit| credit.0 as i64).collect()))
        .with("payee_id", text(given.iter().map(|credit| credit.1).collect()))
        .with("kind", text(vec!["direct"; given.len()]))
        .with("rule", text(vec!["own"; given.len()]))
        .with("amount", Column::money(given.iter().map(|credit| credit.2).collect()))
        .with("share", Column::rate(vec![100_000_000; given.len()]));
    Ok(Answer { tables: vec![table], log: vec![], fuel_used: given.len() as u64 })
}

/// The tier table of the settings, rounded as the component says.
fn tiers(call: &Call<'_>) -> Result<Answer, Fault> {
    let table: TierTable = serde_json::from_value(call.settings.clone()).expect("a tier table");
    let rows = &call.input[0];
    let (prior, to_date) = (rows.numbers("prior").expect("contract"), rows.numbers("to_date").expect("contract"));
    let step = fixed::to_decimal(call.input[1].numbers("step").expect("contract")[0], 8);
    let mode = match call.input[1].texts("mode").and_then(|own| own.get(0)) {
        Some("half-up") => RoundingMode::HalfUp,
        Some("down") => RoundingMode::Down,
        _ => RoundingMode::HalfEven,
    };
    let (mut amounts, mut slices) = (vec![], vec![]);
    for row in 0..prior.len() {
        let tiered = table.pay(fixed::to_decimal(prior[row], 4), fixed::to_decimal(to_date[row], 4), None).expect("fits");
        let rounded = Rounding { mode, step }.apply(tiered.amount).expect("fits");
        amounts.push(fixed::from_decimal(rounded, 4).expect("fits"));
        slices.extend(tiered.slices.into_iter().map(|slice| (row as i64, slice)));
    }
    let wide = |value| fixed::from_decimal_rounded(value, 8).expect("fits");
    let slice_table = Table::new("slices")
        .with("row", Column::integer(slices.iter().map(|slice| slice.0).collect()))
        .with("label", Column::text(&slices.iter().map(|slice| Some(&slice.1.label)).collect::<Vec<_>>()))
        .with("input", Column::rate(slices.iter().map(|slice| wide(slice.1.input)).collect()))
        .with("rate", Column::rate(slices.iter().map(|slice| wide(slice.1.rate)).collect()))
        .with("amount", Column::rate(slices.iter().map(|slice| wide(slice.1.amount)).collect()));
    let earnings =
        Table::new("earnings").with("row", Column::integer((0..amounts.len() as i64).collect())).with("amount", Column::money(amounts));
    Ok(Answer { tables: vec![earnings, slice_table], log: vec![], fuel_used: 1 })
}
