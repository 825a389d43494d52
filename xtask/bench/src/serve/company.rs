//! A company of two thousand payees in five levels and twelve periods, the same every time.

use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::path::Path;

pub const PAYEE_COUNT: u32 = 2_000;
pub const PERIOD_COUNT: u32 = 12;
/// Everybody reports to this one, directly or through others.
pub const HEAD: u32 = 1;
const FIRST_SELLER: u32 = 251;
/// Of one seller in one period.
const DEAL_COUNT: u32 = 5;

pub fn payee_id(number: u32) -> String {
    format!("p{number:04}")
}

pub fn period_id(number: u32) -> String {
    format!("2026-{number:02}")
}

fn manager(payee: u32) -> Option<u32> {
    match payee {
        HEAD => None,
        2..=10 => Some(HEAD),
        11..=50 => Some(2 + (payee - 11) % 9),
        51..FIRST_SELLER => Some(11 + (payee - 51) % 40),
        _ => Some(51 + (payee - FIRST_SELLER) % 200),
    }
}

/// A number that looks like chance and is always the same.
pub fn mixed(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const SETTINGS: &str = r#"format = 1
name = "Load"
currency = "USD"

[calendar]
pattern = "months"
first = "2026-01-01"
years = 1

[crediting]
rules = [{ extension = "credit-direct" }]
rollup = { mode = "gross" }

[[measures]]
id = "bookings"
credits = ["direct"]

[[measures]]
id = "team-bookings"
credits = ["rollup"]
"#;

const SELLERS_PLAN: &str = r#"id = "seller"
name = "Seller"

[[components]]
id = "commission"
name = "Commission on own bookings"
clause = "2.1"
measure = "bookings"
quota = "bookings"
accumulate = "year"
formula = "comp-tiers"

[components.settings]
by = "attainment"
tiers = [
    { from = "0", rate = "0.03" },
    { from = "0.5", rate = "0.045" },
    { from = "1", rate = "0.07" },
    { from = "1.3", rate = "0.05" },
]

[[components]]
id = "bonus"
name = "Bonus for reaching the quarter's quota"
clause = "2.2"
measure = "bookings"
quota = "bookings"
accumulate = "quarter"
formula = "comp-threshold-bonus"
settings = { threshold = "1", amount = "1500" }
"#;

const MANAGERS_PLAN: &str = r#"id = "manager"
name = "Manager"

[[components]]
id = "override"
name = "Override on the bookings of the team"
clause = "3.1"
measure = "team-bookings"
formula = "comp-flat"
settings = { rate = "0.0035" }
"#;

pub fn write(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("plans"))?;
    let mut payees = "payee_id\n".to_owned();
    let mut people = "payee_id,name\n".to_owned();
    let mut positions = "position_id,title\n".to_owned();
    let mut occupancies = "position_id,payee_id,from_on\n".to_owned();
    let mut hierarchy = "position_id,from_on,manager_position_id\n".to_owned();
    let mut assignments = "payee_id,plan_id,from_on\n".to_owned();
    let mut quotas = "payee_id,measure_id,period_id,amount\n".to_owned();
    let mut transactions = "transaction_id,kind,ordered_on,amount,currency,payee_id\n".to_owned();
    for payee in 1..=PAYEE_COUNT {
        let id = payee_id(payee);
        let is_seller = payee >= FIRST_SELLER;
        writeln!(payees, "{id}")?;
        writeln!(people, "{id},Person {payee}")?;
        writeln!(positions, "seat-{id},{}", if is_seller { "Seller" } else { "Manager" })?;
        writeln!(occupancies, "seat-{id},{id},2026-01-01")?;
        if let Some(manager) = manager(payee) {
            writeln!(hierarchy, "seat-{id},2026-01-01,seat-{}", payee_id(manager))?;
        }
        writeln!(assignments, "{id},{},2026-01-01", if is_seller { "seller" } else { "manager" })?;
        for period in (1..=PERIOD_COUNT).filter(|_| is_seller) {
            writeln!(quotas, "{id},bookings,{},{}", period_id(period), 20_000 + mixed(1, u64::from(payee)) % 20_000)?;
            for deal in 0..DEAL_COUNT {
                let number = u64::from((payee * PERIOD_COUNT + period) * DEAL_COUNT + deal);
                let (day, cents) = (1 + mixed(2, number) % 28, 50_000 + mixed(3, number) % 1_200_000);
                let on = format!("{}-{day:02}", period_id(period));
                writeln!(transactions, "t{number:07},order,{on},{}.{:02},USD,{id}", cents / 100, cents % 100)?;
            }
        }
    }
    let files = [
        ("company.toml", SETTINGS),
        ("plans/seller.toml", SELLERS_PLAN),
        ("plans/manager.toml", MANAGERS_PLAN),
        ("payees.csv", &payees),
        ("people.csv", &people),
        ("positions.csv", &positions),
        ("occupancies.csv", &occupancies),
        ("hierarchy.csv", &hierarchy),
        ("plan_assignments.csv", &assignments),
        ("quotas.csv", &quotas),
        ("transactions.csv", &transactions),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("`{}` could not be written", path.display()))?;
    }
    Ok(())
}
