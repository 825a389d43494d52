//! A guest that misbehaves on purpose. It speaks to the raw border, below the SDK's builders, since those cannot lie.
#![cfg(target_arch = "wasm32")]

use attain_sdk::bindings::crediting::Guest;
use attain_sdk::{Column, Table, TextColumn, guest, log};
use std::cell::RefCell;
use std::hint::black_box;

struct Hostile;

thread_local! {
    static KIND: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Guest for Hostile {
    fn configure(settings: String) -> Result<(), String> {
        guest::set_log(attain_sdk::bindings::crediting::write);
        let kind = settings.split("\"kind\":\"").nth(1).and_then(|rest| rest.split('"').next()).ok_or("no `kind`")?;
        KIND.with(|own| *own.borrow_mut() = kind.to_owned());
        Ok(())
    }

    fn run(input: Vec<Table>) -> Result<Vec<Table>, String> {
        let good = Credits::of(&input);
        let kind = KIND.with(|own| own.borrow().clone());
        match kind.as_str() {
            "good" => Ok(good.tables()),
            "refuse" => Err("this input is not to my taste".to_owned()),
            "loop" => loop {
                black_box(());
            },
            "memory" => {
                let mut kept: Vec<Vec<u8>> = Vec::new();
                loop {
                    kept.push(black_box(Vec::with_capacity(1 << 20)));
                }
            }
            "stack" => Err(format!("the stack held {}", deeper(1))),
            "trap" => core::arch::wasm32::unreachable(),
            "panic" => panic!("the sky fell on row {}", good.rows.len()),
            "lengths" => Ok(Credits { amounts: vec![1], ..good }.tables()),
            "codes" => Ok(Credits { payee_codes: vec![77; good.rows.len()], ..good }.tables()),
            "rows" => Ok(Credits { rows: vec![1_000_000; good.rows.len()], ..good }.tables()),
            "no-column" => {
                let mut tables = good.tables();
                tables[0].columns.retain(|named| named.name != "amount");
                Ok(tables)
            }
            "payees" => Ok(Credits { payees: vec!["nobody".to_owned()], payee_codes: vec![0; good.rows.len()], ..good }.tables()),
            "unbalanced" => Ok(Credits { amounts: good.amounts.iter().map(|amount| amount * 2 + 1).collect(), ..good }.tables()),
            "duplicates" => Ok(good.twice().tables()),
            "output" => {
                let count = 4_000_000;
                let table =
                    Table::new("credits").with("row", Column::number(0, vec![0; count])).with("amount", Column::number(4, vec![0; count]));
                Ok(vec![table])
            }
            // Each entry is small in the guest's memory and large in the host's.
            "one-text-often" => Ok(vec![
                Table::new("credits")
                    .with("payee_id", Column::Text(TextColumn { dictionary: vec!["x".repeat(1_000); 30_000], codes: vec![] })),
            ]),
            "log-flood" => loop {
                log("again");
            },
            "long-log" => {
                for _ in 0..100 {
                    log(&"x".repeat(10_000));
                }
                Ok(good.tables())
            }
            other => Err(format!("`{other}` is no kind of misbehaviour")),
        }
    }
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let page = black_box([depth; 64]);
    if black_box(true) { deeper(depth + 1) + page[(depth % 64) as usize] } else { depth }
}

/// The whole amount of each transaction to its first claim.
struct Credits {
    rows: Vec<i64>,
    payees: Vec<String>,
    payee_codes: Vec<u32>,
    amounts: Vec<i64>,
}

impl Credits {
    fn of(input: &[Table]) -> Credits {
        let table = |name: &str| input.iter().find(|table| table.name == name);
        let numbers = |name: &str| match table("transactions").and_then(|table| table.column(name)) {
            Some(Column::Number(number)) => number.values.clone(),
            _ => Vec::new(),
        };
        let (amounts, from, until) = (numbers("amount"), numbers("claims_from"), numbers("claims_until"));
        let payee_id = match table("claims").and_then(|table| table.column("payee_id")) {
            Some(Column::Text(text)) => text.clone(),
            _ => TextColumn::default(),
        };
        let mut credits = Credits { rows: Vec::new(), payees: payee_id.dictionary, payee_codes: Vec::new(), amounts: Vec::new() };
        for (row, amount) in amounts.iter().enumerate().filter(|(row, _)| from[*row] < until[*row]) {
            credits.rows.push(row as i64);
            credits.payee_codes.push(payee_id.codes[from[row] as usize]);
            credits.amounts.push(*amount);
        }
        credits
    }

    fn twice(mut self) -> Credits {
        self.rows.extend_from_within(..);
        self.payee_codes.extend_from_within(..);
        self.amounts.extend_from_within(..);
        self
    }

    fn tables(self) -> Vec<Table> {
        let count = self.rows.len();
        let same = |text: &str| Column::Text(TextColumn { dictionary: vec![text.to_owned()], codes: vec![0; count] });
        vec![
            Table::new("credits")
                .with("row", Column::number(0, self.rows))
                .with("payee_id", Column::Text(TextColumn { dictionary: self.payees, codes: self.payee_codes }))
                .with("kind", same("direct"))
                .with("rule", same("first"))
                .with("amount", Column::number(4, self.amounts))
                .with("share", Column::number(8, vec![100_000_000; count])),
        ]
    }
}

attain_sdk::bindings::crediting::export!(Hostile with_types_in attain_sdk::bindings::crediting);
