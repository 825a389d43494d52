//! What was sold: transactions with splits and returns, exchange rates, quotas that follow from it, and the pipeline.

use super::company::{Company, MONTHS, Member, month_of, month_start};
use super::random::Random;
use super::sheet::{Sheet, civil, day, iso, money, number};
use std::collections::BTreeMap;

/// Share of each month of the fiscal year, October first; quarters end strong.
const SEASON: [i64; 12] = [70, 85, 130, 65, 80, 120, 75, 85, 125, 70, 80, 135];
/// How sellers share a deal, of 10⁻⁸.
const SHARES: [&[i64]; 4] =
    [&[50_000_000, 50_000_000], &[60_000_000, 40_000_000], &[75_000_000, 25_000_000], &[40_000_000, 33_333_333, 26_666_667]];
const STAGES: [&str; 4] = ["qualify", "develop", "propose", "negotiate"];

struct Transaction {
    kind: &'static str,
    ordered_on: i64,
    received_on: i64,
    account: usize,
    product: usize,
    /// Cents of `currency`.
    amount: i64,
    cost: i64,
    quantity: i64,
    /// Per mille.
    discount: i64,
    tag: &'static str,
    /// Index of the transaction that it takes back.
    reverses: Option<usize>,
    splits: Vec<(String, i64)>,
}

pub struct Sales {
    transactions: Vec<Transaction>,
    /// Ids of `transactions`, numbered in order of days.
    ids: Vec<String>,
    rates: Rates,
}

/// Dollars for one unit, of 10⁻⁴, by month.
struct Rates {
    spot: [Vec<i64>; 2],
}

const FOREIGN: [&str; 2] = ["EUR", "GBP"];

impl Rates {
    fn new(random: &mut Random) -> Rates {
        let mut walk = |start: i64, low: i64, high: i64| {
            let mut rate = start;
            (0..MONTHS)
                .map(|_| {
                    rate = (rate + random.between(-160, 175)).clamp(low, high);
                    rate
                })
                .collect()
        };
        Rates { spot: [walk(10_900, 10_300, 11_900), walk(13_000, 12_300, 13_900)] }
    }

    /// The mean of a month lies between its first day and that of the next.
    fn average(&self, currency: usize, month: usize) -> i64 {
        let own = &self.spot[currency];
        (own[month] + own[(month + 1).min(MONTHS - 1)]) / 2
    }

    fn to_dollars(&self, cents: i64, currency: &str, month: usize) -> i64 {
        match FOREIGN.iter().position(|own| *own == currency) {
            Some(index) => cents * self.average(index, month) / 10_000,
            None => cents,
        }
    }

    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new("fx_rates", 3, "kind,currency,from_on,rate");
        for (index, currency) in FOREIGN.iter().enumerate() {
            for month in 0..MONTHS {
                let from = iso(month_start(month));
                sheet.add(&["spot", currency, &from, &number(self.spot[index][month], 4)]);
                sheet.add(&["average", currency, &from, &number(self.average(index, month), 4)]);
                if month % 12 == 0 {
                    // Budgets use round figures.
                    sheet.add(&["plan", currency, &from, &number(self.spot[index][month] / 100 * 100, 4)]);
                }
            }
        }
        sheet
    }
}

impl Sales {
    pub fn new(company: &Company, count: usize, random: &mut Random) -> Sales {
        let rates = Rates::new(random);
        let (return_count, cancel_count) = (count / 50, count / 300);
        let mut transactions = orders(company, count - return_count - cancel_count, random);
        take_back(&mut transactions, "return", return_count, (10, 60), random);
        take_back(&mut transactions, "cancellation", cancel_count, (1, 9), random);
        let mut order: Vec<usize> = (0..transactions.len()).collect();
        order.sort_by_key(|index| (transactions[*index].ordered_on, *index));
        let mut ids = vec![String::new(); transactions.len()];
        for (number, index) in order.into_iter().enumerate() {
            ids[index] = format!("T{:05}", number + 1);
        }
        Sales { transactions, ids, rates }
    }

    pub fn sheets(&self, company: &Company, random: &mut Random) -> Vec<Sheet> {
        let header =
            "transaction_id,kind,ordered_on,received_on,account_id,product_id,amount,currency,quantity,cost,discount,tag,reverses_id";
        let mut transactions = Sheet::new("transactions", 1, header);
        let mut splits = Sheet::new("splits", 2, "transaction_id,payee_id,share");
        for (own, id) in self.transactions.iter().zip(&self.ids) {
            let account = &company.accounts[own.account];
            let discount = if own.discount == 0 { String::new() } else { number(own.discount, 3) };
            transactions.add(&[
                id,
                own.kind,
                &iso(own.ordered_on),
                &iso(own.received_on),
                &account.id,
                &company.products[own.product].0,
                &money(own.amount),
                account.currency,
                &own.quantity.to_string(),
                &money(own.cost),
                &discount,
                own.tag,
                own.reverses.map_or("", |index| &self.ids[index]),
            ]);
            for (payee, share) in &own.splits {
                splits.add(&[id, payee, &number(*share, 8)]);
            }
        }
        let (opportunities, history) = self.pipeline(company, random);
        vec![self.rates.sheet(), transactions, splits, self.quotas(company, random), opportunities, history]
    }

    /// Results by payee and month in cents of dollars, as quotas see them.
    fn results(&self, company: &Company) -> BTreeMap<(String, &'static str), Vec<i64>> {
        let mut results: BTreeMap<(String, &'static str), Vec<i64>> = BTreeMap::new();
        let mut add = |payee: &str, measure, month: usize, cents| {
            results.entry((payee.to_owned(), measure)).or_insert_with(|| vec![0; MONTHS])[month] += cents;
        };
        for own in &self.transactions {
            let account = &company.accounts[own.account];
            let (month, Some(seat)) = (month_of(own.ordered_on), account.seat(own.ordered_on)) else { continue };
            let seat = &company.seats[seat];
            let cents = self.rates.to_dollars(own.amount, account.currency, month);
            let (_, manager, region) = &company.managers[seat.manager(own.ordered_on)];
            if own.splits.is_empty() {
                add(seat.occupant(own.ordered_on).unwrap_or(manager), "bookings", month, cents);
            }
            for (payee, share) in &own.splits {
                add(payee, "bookings", month, (i128::from(cents) * i128::from(*share) / 100_000_000) as i64);
            }
            for leader in [manager.as_str(), &format!("E{}", 1002 + region), "E1001"] {
                add(leader, "team-bookings", month, cents);
            }
            if let Some(specialist) = company.specialist(seat.region, company.products[own.product].1.family) {
                add(&specialist, "specialty-bookings", month, cents);
                add("E1005", "specialist-bookings", month, cents);
            }
        }
        results
    }

    /// Quotas that give attainments from about 60 to 140 per cent and grow from year to year.
    fn quotas(&self, company: &Company, random: &mut Random) -> Sheet {
        let mut sheet = Sheet::new("quotas", 3, "payee_id,measure_id,period_id,amount");
        let results = self.results(company);
        for own in &company.members {
            let Some(by_month) = results.get(&(own.payee.clone(), own.measure)) else { continue };
            let mut before: Option<i64> = None;
            for year in 0..2 {
                let active: Vec<usize> = (year * 12..year * 12 + 12).filter(|month| is_active(own, *month)).collect();
                let result: i64 = active.iter().map(|month| by_month[*month]).sum::<i64>().max(20_000_000);
                // Per mille; teams spread less than single sellers.
                let spread = if own.measure == "bookings" { 270 } else { 90 };
                let attained = 985 + [0; 3].iter().map(|_| random.between(-spread / 2, spread / 2)).sum::<i64>();
                let fitting = result * 1000 / attained;
                let grown = before.map(|before| before * random.between(1050, 1140) / 1000);
                let believable = if own.measure == "bookings" { 620..=1420 } else { 850..=1150 };
                let total = grown.filter(|grown| believable.contains(&(result * 1000 / grown))).unwrap_or(fitting);
                before = (active.len() == 12).then_some(total);
                let season: i64 = active.iter().map(|month| SEASON[month % 12]).sum();
                for month in active {
                    let (calendar_year, calendar_month, _) = civil(month_start(month));
                    let hundreds = (total * SEASON[month % 12] / season + 5_000) / 10_000;
                    let period = format!("{calendar_year:04}-{calendar_month:02}");
                    sheet.add(&[&own.payee, own.measure, &period, &money(hundreds * 10_000)]);
                }
            }
        }
        sheet
    }

    fn pipeline(&self, company: &Company, random: &mut Random) -> (Sheet, Sheet) {
        let header = "opportunity_id,account_id,payee_id,product_id,stage,outcome,amount,currency,created_on,close_on";
        let mut sheet = Sheet::new("opportunities", 1, header);
        let mut history = Sheet::new("stage_history", 3, "opportunity_id,entered_on,stage");
        let today = day(2026, 9, 30);
        let large: Vec<usize> = (0..self.transactions.len())
            .filter(|index| self.transactions[*index].kind == "order" && self.transactions[*index].amount > 1_500_000)
            .collect();
        let mut number = 0;
        for (outcome, count) in [("won", 700), ("lost", 900), ("open", 600)] {
            for _ in 0..count {
                let model = &self.transactions[*random.pick(&large)];
                let length = random.between(25, 210);
                let (close, reached) = match outcome {
                    "open" => (today + random.between(3, 170), random.weighted(&[30, 32, 24, 14])),
                    "lost" => (model.ordered_on, random.weighted(&[25, 30, 30, 15])),
                    _ => (model.ordered_on, 3),
                };
                let created = if outcome == "open" { today - random.between(2, 190) } else { close - length };
                let account = &company.accounts[model.account];
                let on = close.min(today);
                let Some(payee) = account.seat(on).and_then(|seat| company.seats[seat].occupant(on)) else { continue };
                number += 1;
                let id = format!("O{number:04}");
                let stage = match outcome {
                    "won" => "closed-won",
                    "lost" => "closed-lost",
                    _ => STAGES[reached],
                };
                let amount = if outcome == "won" { model.amount } else { model.amount * random.between(700, 1600) / 100_000 * 100 };
                sheet.add(&[
                    &id,
                    &account.id,
                    payee,
                    &company.products[model.product].0,
                    stage,
                    outcome,
                    &money(amount),
                    account.currency,
                    &iso(created),
                    &iso(close),
                ]);
                // Stages are entered evenly from the first day up to now or to the end.
                let span = on - created;
                let steps = reached as i64 + if outcome == "open" { 1 } else { 2 };
                let mut entered = created;
                for (index, stage) in STAGES.iter().enumerate().take(reached + 1) {
                    history.add(&[&id, &iso(entered), stage]);
                    entered = created + span * (index as i64 + 1) / steps + i64::from(span > 40) * random.between(0, 4);
                }
                if outcome != "open" {
                    history.add(&[&id, &iso(on), stage]);
                }
            }
        }
        (sheet, history)
    }
}

fn is_active(own: &Member, month: usize) -> bool {
    own.from < month_start(month + 1) && own.until.is_none_or(|until| until > month_start(month))
}

/// A working day of a month, often one of its last.
fn working_day(month: usize, random: &mut Random) -> i64 {
    let (first, next) = (month_start(month), month_start(month + 1));
    let on = if random.per_mille(320) { random.between(next - 7, next - 1) } else { random.between(first, next - 1) };
    // 1970-01-01 was a Thursday.
    let weekend = ((on + 3).rem_euclid(7) - 4).max(0);
    if on - weekend >= first { on - weekend } else { on + 2 }
}

fn received(on: i64, random: &mut Random) -> i64 {
    if random.per_mille(30) { on + random.between(20, 75) } else { on + random.between(0, 2) }
}

fn orders(company: &Company, count: usize, random: &mut Random) -> Vec<Transaction> {
    let demand: Vec<i64> = (0..MONTHS).map(|month| SEASON[month % 12] * (1000 + 9 * month as i64)).collect();
    let total: i64 = demand.iter().sum();
    let activity: Vec<i64> = company
        .accounts
        .iter()
        .scan(0, |sum, account| {
            *sum += account.activity;
            Some(*sum)
        })
        .collect();
    let product_weights: Vec<i64> = company.products.iter().map(|(_, product)| product.weight).collect();
    let mut is_known: Vec<bool> = company.accounts.iter().map(|account| !account.is_new).collect();
    let mut days: Vec<i64> = Vec::with_capacity(count);
    let mut so_far = 0;
    for (month, own) in demand.iter().enumerate() {
        so_far += own;
        while days.len() < (count as i64 * so_far / total) as usize {
            days.push(working_day(month, random));
        }
    }
    days.sort_unstable();
    let mut incomplete = 0;
    let mut transactions = Vec::with_capacity(count);
    for on in days {
        let account = loop {
            let at = random.between(0, activity[activity.len() - 1] - 1);
            let index = activity.partition_point(|sum| *sum <= at);
            if company.accounts[index].customer_from <= on {
                break index;
            }
        };
        let product = random.weighted(&product_weights);
        let (_, sold) = &company.products[product];
        let quantity = match sold.price {
            0..3_000 => [1, 2, 3, 4, 6, 10, 20][random.weighted(&[20, 22, 16, 14, 14, 10, 4])],
            3_000..15_000 => [1, 2, 3, 4][random.weighted(&[58, 26, 10, 6])],
            _ => [1, 2][random.weighted(&[90, 10])],
        };
        let discount = [0, 25, 50, 75, 100, 150][random.weighted(&[44, 12, 18, 10, 11, 5])];
        let in_currency = match company.accounts[account].currency {
            "EUR" => 92,
            "GBP" => 79,
            _ => 100,
        };
        let list = sold.price * in_currency * quantity;
        let amount = list * (1000 - discount) / 1000;
        let tag = if is_known[account] { "" } else { "new-logo" };
        is_known[account] = true;
        let mut splits = if random.per_mille(80) { share_out(company, account, on, random) } else { Vec::new() };
        // Two deals whose shares were never completed.
        if splits.len() == 2 && on > day(2026, 6, 1) && incomplete < 2 {
            incomplete += 1;
            splits[1].1 -= 10_000_000;
        }
        transactions.push(Transaction {
            kind: "order",
            ordered_on: on,
            received_on: received(on, random),
            account,
            product,
            amount,
            cost: list * sold.cost / 100,
            quantity,
            discount,
            tag,
            reverses: None,
            splits,
        });
    }
    transactions
}

/// Shares of the owner of an account and of colleagues who helped.
fn share_out(company: &Company, account: usize, on: i64, random: &mut Random) -> Vec<(String, i64)> {
    let Some(seat) = company.accounts[account].seat(on) else { return Vec::new() };
    let Some(owner) = company.seats[seat].occupant(on) else { return Vec::new() };
    let shares = SHARES[random.weighted(&[40, 30, 20, 10])];
    let mut splits = vec![(owner.to_owned(), shares[0])];
    while splits.len() < shares.len() {
        let helper = random.between(0, company.seats.len() as i64 - 1) as usize;
        if let Some(payee) = company.seats[helper].occupant(on).filter(|payee| splits.iter().all(|(own, _)| own != payee)) {
            splits.push((payee.to_owned(), shares[splits.len()]));
        }
    }
    splits
}

/// Returns and cancellations of orders: a second transaction with opposite signs; some take back one unit of several.
fn take_back(transactions: &mut Vec<Transaction>, kind: &'static str, count: usize, after: (i64, i64), random: &mut Random) {
    let last = month_start(MONTHS) - 1;
    let mut is_reversed = vec![false; transactions.len()];
    for own in transactions.iter() {
        if let Some(index) = own.reverses {
            is_reversed[index] = true;
        }
    }
    let mut done = 0;
    while done < count {
        let index = random.between(0, transactions.len() as i64 - 1) as usize;
        let order = &transactions[index];
        let on = order.ordered_on + random.between(after.0, after.1);
        if order.kind != "order" || is_reversed[index] || on > last {
            continue;
        }
        let quantity = if kind == "return" && order.quantity > 1 && random.per_mille(600) { 1 } else { order.quantity };
        let reversal = Transaction {
            kind,
            ordered_on: on,
            received_on: received(on, random),
            account: order.account,
            product: order.product,
            amount: -order.amount * quantity / order.quantity,
            cost: -order.cost * quantity / order.quantity,
            quantity: -quantity,
            discount: order.discount,
            tag: if kind == "cancellation" { order.tag } else { "" },
            reverses: Some(index),
            splits: order.splits.clone(),
        };
        is_reversed[index] = true;
        transactions.push(reversal);
        is_reversed.push(true);
        done += 1;
    }
}
