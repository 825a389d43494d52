//! The reference workload: a million transactions of two thousand payees in five levels, generated bit by bit the same
//! everywhere, with native extensions for it and a checksum over its result. Floats exist in the generator only.

use crate::{Inputs, Outcome};
use attain_domain::calendar::CalendarSettings;
use attain_domain::fixed::divide;
use attain_domain::ids::{ExtensionDigest, PeriodId};
use attain_domain::plan::{Accumulate, Cap, CapOf, Component, CreditKind, Measure, MeasureValue, Plan};
use attain_domain::point::{Answer, Call, Extension, Extensions, Fault, FaultKind, Identity, Origin, Point};
use attain_domain::settings::{Crediting, FxPolicy, Rollup, Settings, Step, TestedDate};
use attain_domain::{Column, Day, NULL_NUMBER, Rounding, RoundingMode, Table, TextColumn};
use rust_decimal::Decimal;
use serde_json::json;
use std::sync::Arc;

/// Transactions of the full workload.
pub const TRANSACTION_COUNT: u64 = 1_000_000;
/// What [`checksum`] says of the full workload.
pub const EXPECTED: &str = "lines=5751649 credit_cents=385534695736 mix=194231245964187 earn_cents=21045215957 earn_mix=7312295267777";

const PAYEES: u64 = 2_000;
const FIRST_REP: u64 = 251;
const REPS: u64 = 1_720;
const FIRST_DAY: i64 = 20_454;
/// Euro and pound to dollar by month, in 10⁻⁸.
const RATES: [(&str, [i64; 3]); 2] = [("EUR", [108_430_000, 107_915_000, 109_127_500]), ("GBP", [126_750_000, 125_937_500, 127_122_500])];
const MONTH_STARTS: [i64; 3] = [0, 31, 59];
const OVERLAY_FAMILIES: [u64; 3] = [3, 7, 11];

fn h(seed: u64, index: u64) -> u64 {
    let x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index.wrapping_mul(0xD1B5_4A32_D192_ED03));
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Level of a payee and its manager.
fn place(payee: u64) -> (u64, Option<u64>) {
    match payee {
        1 => (1, None),
        2..=10 => (2, Some(1)),
        11..=50 => (3, Some(2 + (payee - 11) % 9)),
        51..=250 => (4, Some(11 + (payee - 51) % 40)),
        _ => (5, Some(51 + (payee - 251) % 200)),
    }
}

fn owner(territory: u64) -> u64 {
    FIRST_REP + (territory * 7_919) % REPS
}

fn territory_of(account: u64) -> u64 {
    1 + h(11, account) % 1_000
}

/// Quotas in units of 100.00, by payee.
fn quota_units() -> Vec<i64> {
    let mut owns = vec![false; PAYEES as usize + 1];
    for territory in 1..=1_000 {
        owns[owner(territory) as usize] = true;
    }
    let mut units = vec![0i64; PAYEES as usize + 1];
    for payee in FIRST_REP..=PAYEES {
        units[payee as usize] = if payee > FIRST_REP + REPS - 1 {
            40_000 + (h(31, payee) % 40_001) as i64
        } else if owns[payee as usize] {
            3_000 + (h(31, payee) % 9_001) as i64
        } else {
            100 + (h(31, payee) % 201) as i64
        };
    }
    for manager in (1..FIRST_REP).rev() {
        // Specialists are on another measure and not part of their managers' quota.
        let reports = (1..FIRST_REP + REPS).filter(|payee| place(*payee).1 == Some(manager));
        units[manager as usize] = reports.map(|payee| units[payee as usize]).sum::<i64>() * 95 / 100;
    }
    units
}

fn payee_id(payee: u64) -> String {
    format!("p{payee:04}")
}

/// The seller who is credited for account 1, the largest.
pub fn owner_of_first_account() -> String {
    payee_id(owner(territory_of(1)))
}

fn position_id(payee: u64) -> String {
    format!("s{payee:04}")
}

/// A text column over names that are made in ascending order.
fn coded(dictionary: Vec<String>, codes: Vec<u32>) -> Column {
    Column::Text(TextColumn { dictionary, codes }.canonical())
}

fn text(values: Vec<String>) -> Column {
    Column::text(&values.into_iter().map(Some).collect::<Vec<_>>())
}

/// Tables of the company as far as they do not depend on the number of transactions.
fn company() -> Vec<Table> {
    let payees = || (1..=PAYEES).map(payee_id).collect::<Vec<_>>();
    let since = |count: u64| Column::integer(vec![FIRST_DAY; count as usize]);
    let managed: Vec<u64> = (1..=PAYEES).filter(|payee| place(*payee).1.is_some()).collect();
    let mut tables = vec![
        Table::new("payees").with("payee_id", text(payees())),
        Table::new("positions").with("position_id", text((1..=PAYEES).map(position_id).collect())),
        Table::new("occupancies")
            .with("position_id", text((1..=PAYEES).map(position_id).collect()))
            .with("payee_id", text(payees()))
            .with("from_on", since(PAYEES)),
        Table::new("hierarchy")
            .with("position_id", text(managed.iter().map(|payee| position_id(*payee)).collect()))
            .with("from_on", since(managed.len() as u64))
            .with("manager_position_id", text(managed.iter().filter_map(|payee| place(*payee).1).map(position_id).collect())),
        Table::new("families").with("family_id", text((1..=12).map(|family| format!("f{family:02}")).collect())),
        Table::new("products")
            .with("product_id", text((1..=500).map(|product| format!("g{product:03}")).collect()))
            .with("family_id", text((1..=500).map(|product| format!("f{:02}", 1 + (product - 1) % 12)).collect())),
        Table::new("territories").with("territory_id", text((1..=1_000).map(|territory| format!("t{territory:04}")).collect())),
        Table::new("accounts").with("account_id", text((1..=20_000).map(|account| format!("a{account:05}")).collect())),
        Table::new("account_territories")
            .with("account_id", text((1..=20_000).map(|account| format!("a{account:05}")).collect()))
            .with("from_on", since(20_000))
            .with("territory_id", text((1..=20_000).map(|account| format!("t{:04}", territory_of(account))).collect())),
    ];
    let (mut ids, mut seats, mut roles, mut territories, mut families) = (vec![], vec![], vec![], vec![], vec![]);
    for territory in 1..=1_000 {
        ids.push(format!("c{territory:04}"));
        seats.push(position_id(owner(territory)));
        roles.push("owner".to_owned());
        territories.push(format!("t{territory:04}"));
        families.push(None);
        for (place, family) in OVERLAY_FAMILIES.into_iter().enumerate() {
            ids.push(format!("c{territory:04}-{family:02}"));
            seats.push(position_id(1_971 + 10 * place as u64 + territory % 10));
            roles.push("overlay".to_owned());
            territories.push(format!("t{territory:04}"));
            families.push(Some(format!("f{family:02}")));
        }
    }
    let count = ids.len() as u64;
    tables.push(
        Table::new("coverage")
            .with("coverage_id", text(ids))
            .with("position_id", text(seats))
            .with("role", text(roles))
            .with("territory_id", text(territories))
            .with("family_id", Column::text(&families))
            .with("from_on", since(count)),
    );
    let (mut currencies, mut from_on, mut rates) = (vec![], vec![], vec![]);
    for (currency, by_month) in RATES {
        for (rate, start) in by_month.into_iter().zip(MONTH_STARTS) {
            currencies.push(currency.to_owned());
            from_on.push(FIRST_DAY + start);
            rates.push(rate);
        }
    }
    tables.push(
        Table::new("fx_rates")
            .with("kind", text(vec!["spot".to_owned(); rates.len()]))
            .with("currency", text(currencies))
            .with("from_on", Column::integer(from_on))
            .with("rate", Column::rate(rates)),
    );
    let units = quota_units();
    let plan = |payee: u64| match payee {
        1..FIRST_REP => "managers",
        payee if payee < FIRST_REP + REPS => "reps",
        _ => "specialists",
    };
    tables.push(
        Table::new("quotas")
            .with("payee_id", text(payees()))
            .with(
                "measure_id",
                text((1..=PAYEES).map(|payee| if plan(payee) == "specialists" { "overlay" } else { "bookings" }.to_owned()).collect()),
            )
            .with("period_id", text(vec!["2026-01".to_owned(); PAYEES as usize]))
            .with("amount", Column::money((1..=PAYEES).map(|payee| units[payee as usize] * 1_000_000).collect())),
    );
    tables.push(
        Table::new("plan_assignments")
            .with("payee_id", text(payees()))
            .with("plan_id", text((1..=PAYEES).map(|payee| plan(payee).to_owned()).collect()))
            .with("from_on", since(PAYEES)),
    );
    tables
}

/// The amount of transaction `i` in cents; log-normal, never negative here.
fn cents(i: u64) -> i64 {
    let u1 = ((h(25, i) >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
    let u2 = (h(26, i) >> 11) as f64 / 9_007_199_254_740_992.0;
    let z = libm::sqrt(-2.0 * libm::log(u1)) * libm::cos(2.0 * std::f64::consts::PI * u2);
    let amount = libm::round(100.0 * libm::exp(libm::log(400.0) + 1.1 * z));
    (amount as i64).clamp(1, 1_000_000_000)
}

fn transactions(count: u64) -> (Table, Table) {
    let rows = count as usize;
    let (mut days, mut accounts, mut products, mut amounts, mut currencies) =
        (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut ids = Vec::with_capacity(rows);
    let (mut split_ids, mut split_codes, mut split_payees, mut shares) = (vec![], vec![], vec![], vec![]);
    for i in 1..=count {
        ids.push(format!("x{i:07}"));
        days.push(FIRST_DAY + (h(21, i) % 90) as i64);
        let u = h(22, i) >> 32;
        let account = 1 + ((((u128::from(u) * u128::from(u)) >> 32) as u64 * 20_000) >> 32);
        accounts.push(account as u32 - 1);
        products.push((h(23, i) % 500) as u32);
        let currency = h(24, i) % 100;
        // In the order EUR, GBP, USD.
        currencies.push(if currency < 70 { 2 } else { u32::from(currency >= 90) });
        let sign = if h(27, i).is_multiple_of(50) { -1 } else { 1 };
        amounts.push(sign * cents(i) * 100);
        if h(28, i).is_multiple_of(10) {
            let rep = h(29, i) % REPS;
            let own = owner(territory_of(account));
            let second = if FIRST_REP + rep == own { FIRST_REP + (rep + 1) % REPS } else { FIRST_REP + rep };
            let code = split_ids.len() as u32;
            split_ids.push(format!("x{i:07}"));
            let mut pair = [(own, 60_000_000), (second, 40_000_000)];
            pair.sort_unstable();
            for (payee, share) in pair {
                split_codes.push(code);
                split_payees.push(payee as u32 - 1);
                shares.push(share);
            }
        }
    }
    let kinds = amounts.iter().map(|amount| u32::from(*amount < 0)).collect();
    let table = Table::new("transactions")
        .with("transaction_id", Column::Text(TextColumn { dictionary: ids, codes: (0..count as u32).collect() }))
        .with("kind", coded(vec!["order".to_owned(), "return".to_owned()], kinds))
        .with("ordered_on", Column::integer(days))
        .with("account_id", coded((1..=20_000).map(|account| format!("a{account:05}")).collect(), accounts))
        .with("product_id", coded((1..=500).map(|product| format!("g{product:03}")).collect(), products))
        .with("amount", Column::money(amounts))
        .with("currency", coded(["EUR", "GBP", "USD"].map(str::to_owned).to_vec(), currencies));
    let splits = Table::new("splits")
        .with("transaction_id", Column::Text(TextColumn { dictionary: split_ids, codes: split_codes }))
        .with("payee_id", coded((1..=PAYEES).map(payee_id).collect(), split_payees))
        .with("share", Column::rate(shares));
    (table, splits)
}

fn plan(id: &str, measure: &str, cap: Option<Cap>) -> Plan {
    let settings = json!({
        "formula": "tiered", "method": "marginal", "by": "attainment", "negative": "zero",
        "tiers": [{"from": "0", "rate": "0.04"}, {"from": "0.5", "rate": "0.06"}, {"from": "1", "rate": "0.09"}, {"from": "1.5", "rate": "0.12"}],
    });
    let component = Component {
        id: "commission".to_owned(),
        measure: measure.to_owned(),
        quota: Some(measure.to_owned()),
        accumulate: Accumulate::Quarter,
        true_up: true,
        formula: "comp-tiers".to_owned(),
        settings,
        cap,
        ..Component::default()
    };
    Plan { id: id.to_owned(), components: vec![component], ..Plan::default() }
}

fn settings() -> Settings {
    let measure =
        |id: &str, credits: Vec<CreditKind>| Measure { id: id.to_owned(), value: MeasureValue::Amount, credits, ..Measure::default() };
    Settings {
        format: 1,
        name: "Reference".to_owned(),
        currency: "USD".to_owned(),
        rounding: Rounding::default(),
        fx: FxPolicy::TransactionDate,
        calendar: CalendarSettings::Months { first: Day(FIRST_DAY as i32), years: 1 },
        crediting: Crediting {
            date: TestedDate::Order,
            rules: vec![Step {
                extension: "credit-standard".to_owned(),
                settings: json!({"residue": "last", "owner_role": "owner", "overlay_role": "overlay", "overlay_rate": "1"}),
            }],
            rollup: Rollup::Gross,
            ..Crediting::default()
        },
        measures: vec![
            measure("bookings", vec![CreditKind::Direct, CreditKind::Split, CreditKind::Rollup]),
            measure("overlay", vec![CreditKind::Overlay]),
        ],
        kpis: vec![],
        territory: None,
        quota: None,
        forecast: None,
        insights: vec![],
        accounting: attain_domain::accounting::Accounting::default(),
        payouts: attain_domain::payouts::Payouts::default(),
    }
}

/// The workload with `count` transactions; [`TRANSACTION_COUNT`] is the full one.
pub fn inputs(count: u64) -> Inputs {
    let (transactions, splits) = transactions(count);
    let cap = Cap { per: Accumulate::Quarter, amount: None, rate: Some(Decimal::new(8, 2)), of: Some(CapOf::Quota), refundable: false };
    let tables = company().into_iter().chain([transactions, splits]);
    Inputs {
        settings: settings(),
        plans: vec![plan("managers", "bookings", Some(cap)), plan("reps", "bookings", None), plan("specialists", "overlay", None)],
        tables: tables.map(|table| (table.name.clone(), Arc::new(table))).collect(),
        posted: Table::new("postings"),
        periods: Some(["2026-01", "2026-02", "2026-03"].map(PeriodId::from).to_vec()),
    }
}

fn digits(id: &str) -> i64 {
    id.bytes().filter(u8::is_ascii_digit).fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

/// One line over all credits and earnings, independent of their order.
pub fn checksum(outcome: &Outcome) -> String {
    let mut lines = 0i64;
    let (mut credit, mut mix) = (0i128, 0i128);
    for chunk in outcome.chunks("credits") {
        let column = |name: &str| {
            let text = chunk.texts(name).expect("credits have this column");
            let numbers: Vec<i64> = text.dictionary.iter().map(|id| digits(id)).collect();
            text.codes.iter().map(|code| numbers[*code as usize]).collect::<Vec<i64>>()
        };
        let (payees, transactions) = (column("payee_id"), column("transaction_id"));
        let kinds = chunk.texts("kind").expect("credits have a kind");
        let (amounts, shares) =
            (chunk.numbers("amount").expect("credits have an amount"), chunk.numbers("share").expect("credits have a share"));
        for row in 0..chunk.row_count() {
            let rule = match kinds.get(row).and_then(CreditKind::from_name) {
                Some(CreditKind::Direct) => 1,
                Some(CreditKind::Split) => {
                    if shares[row] == 60_000_000 {
                        2
                    } else {
                        3
                    }
                }
                Some(CreditKind::Overlay) => 4,
                _ => 9 - place(payees[row] as u64).0 as i64,
            };
            let cents = i128::from(amounts[row] / 100);
            lines += 1;
            credit += cents;
            mix += i128::from((transactions[row] * 7 + payees[row] * 13 + rule * 17) % 1_009) * cents;
        }
    }
    let (mut earned, mut earned_mix) = (0i128, 0i128);
    for chunk in outcome.chunks("earnings") {
        let payees = chunk.texts("payee_id").expect("earnings have a payee");
        for (row, amount) in chunk.numbers("amount").expect("earnings have an amount").iter().enumerate() {
            let cents = i128::from(amount / 100);
            earned += cents;
            earned_mix += i128::from(digits(payees.get(row).unwrap_or("")) * 31 % 1_009) * cents;
        }
    }
    format!("lines={lines} credit_cents={credit} mix={mix} earn_cents={earned} earn_mix={earned_mix}")
}

/// `credit-standard` and `comp-tiers` as native code, as far as the workload needs them.
pub struct Native {
    crediting: CreditStandard,
    compensation: CompTiers,
}

struct CreditStandard(Identity);
struct CompTiers(Identity);

impl Default for Native {
    fn default() -> Self {
        let identity = |name: &str, point| Identity {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            point,
            origin: Origin::Wasm,
            digest: ExtensionDigest(format!("native-{name}")),
        };
        Native {
            crediting: CreditStandard(identity("credit-standard", Point::Crediting)),
            compensation: CompTiers(identity("comp-tiers", Point::Compensation)),
        }
    }
}

impl Extensions for Native {
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault> {
        match (point, name) {
            (Point::Crediting, "credit-standard") => Ok(&self.crediting),
            (Point::Compensation, "comp-tiers") => Ok(&self.compensation),
            _ => Err(Fault::new(FaultKind::NotAnExtension, format!("there is no {point} extension `{name}`"))),
        }
    }
}

fn refused(what: &str) -> Fault {
    Fault::new(FaultKind::Refused, format!("the input has no {what}"))
}

impl Extension for CreditStandard {
    fn identity(&self) -> &Identity {
        &self.0
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let [transactions, claims, ..] = call.input else { return Err(refused("tables")) };
        let number = |name: &str| transactions.numbers(name).ok_or_else(|| refused(name));
        let (amounts, starts, ends) = (number("amount")?, number("claims_from")?, number("claims_until")?);
        let roles = claims.texts("role").ok_or_else(|| refused("role"))?;
        let payees = claims.texts("payee_id").ok_or_else(|| refused("payee_id"))?;
        let shares = claims.numbers("share").ok_or_else(|| refused("share"))?;
        let role = |name: &str| roles.dictionary.iter().position(|own| own == name).map_or(u32::MAX - 1, |code| code as u32);
        let (owner, overlay, split) = (role("owner"), role("overlay"), role("split"));
        let capacity = amounts.len() + amounts.len() / 2;
        let (mut rows, mut codes, mut kinds) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        let (mut given, mut parts) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        for (row, amount) in amounts.iter().enumerate() {
            let range = starts[row] as usize..ends[row] as usize;
            let mut put = |claim: usize, kind: u32, amount: i64, share: i64| {
                rows.push(row as i64);
                codes.push(payees.codes[claim]);
                kinds.push(kind);
                given.push(amount);
                parts.push(share);
            };
            let last = range.clone().rfind(|claim| roles.codes[*claim] == split);
            match last {
                Some(last) => {
                    let mut left = *amount;
                    let splits = range.clone().filter(|claim| roles.codes[*claim] == split);
                    let is_whole = splits.map(|claim| shares[claim]).sum::<i64>() == 100_000_000;
                    for claim in range.clone().filter(|claim| roles.codes[*claim] == split) {
                        let exact = i128::from(*amount) * i128::from(shares[claim]);
                        let own = || divide(exact, 10_000_000_000, RoundingMode::HalfEven) as i64 * 100;
                        let part = if is_whole && claim == last { left } else { own() };
                        left -= part;
                        put(claim, 2, part, shares[claim]);
                    }
                }
                None => {
                    if let Some(claim) = range.clone().find(|claim| roles.codes[*claim] == owner) {
                        put(claim, 0, *amount, 100_000_000);
                    }
                }
            }
            for claim in range.filter(|claim| roles.codes[*claim] == overlay) {
                put(claim, 1, *amount, 100_000_000);
            }
        }
        let kinds = TextColumn { dictionary: ["direct", "overlay", "split"].map(str::to_owned).to_vec(), codes: kinds };
        let credits = Table::new("credits")
            .with("row", Column::integer(rows))
            .with("payee_id", Column::Text(TextColumn { dictionary: payees.dictionary.clone(), codes }))
            .with("kind", Column::Text(kinds.clone()))
            .with("rule", Column::Text(kinds))
            .with("amount", Column::money(given))
            .with("share", Column::rate(parts));
        Ok(Answer { tables: vec![credits], log: vec![], fuel_used: 0 })
    }
}

impl Extension for CompTiers {
    fn identity(&self) -> &Identity {
        &self.0
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let rows = call.input.first().ok_or_else(|| refused("table"))?;
        let to_date = rows.numbers("to_date").ok_or_else(|| refused("to_date"))?;
        let quotas = rows.numbers("quota").ok_or_else(|| refused("quota"))?;
        let (mut row_numbers, mut labels, mut inputs, mut rates, mut slices) = (vec![], vec![], vec![], vec![], vec![]);
        let mut amounts = Vec::with_capacity(to_date.len());
        for (row, (result, quota)) in to_date.iter().zip(quotas).enumerate() {
            if *quota == NULL_NUMBER || *quota <= 0 {
                amounts.push(0);
                continue;
            }
            let bounds = [(0, quota / 2, 4), (quota / 2, *quota, 6), (*quota, quota / 2 * 3, 9), (quota / 2 * 3, i64::MAX, 12)];
            let mut sum = 0i128;
            for (tier, (from, until, percent)) in bounds.into_iter().enumerate() {
                let part = (*result).min(until) - from;
                if part > 0 {
                    sum += i128::from(part) * percent;
                    row_numbers.push(row as i64);
                    labels.push(tier as u32);
                    inputs.push(part * 10_000);
                    rates.push(percent as i64 * 1_000_000);
                    slices.push((i128::from(part) * percent * 100) as i64);
                }
            }
            amounts.push(divide(sum, 10_000, RoundingMode::HalfEven) as i64 * 100);
        }
        let earnings =
            Table::new("earnings").with("row", Column::integer((0..amounts.len() as i64).collect())).with("amount", Column::money(amounts));
        let names = (1..=4).map(|tier| format!("tier {tier}")).collect();
        let slices = Table::new("slices")
            .with("row", Column::integer(row_numbers))
            .with("label", Column::Text(TextColumn { dictionary: names, codes: labels }))
            .with("input", Column::rate(inputs))
            .with("rate", Column::rate(rates))
            .with("amount", Column::rate(slices));
        Ok(Answer { tables: vec![earnings, slices], log: vec![], fuel_used: 0 })
    }
}
