//! What resolving makes: the company's dictionaries and its transactions as columns of codes, in order of transaction id.

use crate::hierarchy::Hierarchy;
use crate::names::{Names, Tree};
use attain_domain::calendar::Calendar;
use attain_domain::{NULL_CODE, NULL_NUMBER, Table};
use std::sync::Arc;

/// A period code that stands for none.
pub const NO_PERIOD: u16 = u16::MAX;

#[derive(Debug)]
pub struct Book {
    pub calendar: Calendar,
    pub payees: Names,
    pub accounts: Names,
    pub products: Names,
    pub currencies: Names,
    pub tags: Names,
    pub roles: Names,
    pub territories: Tree,
    pub families: Tree,
    /// Of each product.
    pub family_of: Vec<u32>,
    pub hierarchy: Hierarchy,
    pub transactions: Transactions,
    pub claims: Claims,
    /// Names of stages, see [`Claims::details`].
    pub stages: Names,
    /// Which transactions belong to the house, and as which entry of the settings (from 1); empty where none can.
    pub house: Vec<u16>,
}

impl Default for Book {
    fn default() -> Self {
        Book {
            calendar: Calendar { periods: Vec::new() },
            payees: Names::default(),
            accounts: Names::default(),
            products: Names::default(),
            currencies: Names::default(),
            tags: Names::default(),
            roles: Names::default(),
            territories: Tree::default(),
            families: Tree::default(),
            family_of: Vec::new(),
            hierarchy: Hierarchy::default(),
            transactions: Transactions::default(),
            claims: Claims::default(),
            stages: Names::default(),
            house: Vec::new(),
        }
    }
}

impl Book {
    /// The entry of the settings that makes a transaction the house's.
    pub fn house(&self, row: usize) -> Option<usize> {
        self.house.get(row).and_then(|entry| usize::from(*entry).checked_sub(1))
    }

    /// The product family of a transaction.
    pub fn family(&self, row: usize) -> u32 {
        self.family_of.get(self.transactions.product.get(row) as usize).copied().unwrap_or(NULL_CODE)
    }
}

/// A column that is often not there at all: empty stands for "no value anywhere".
#[derive(Debug, Default)]
pub struct Sparse(pub Vec<i64>);

impl Sparse {
    pub fn get(&self, row: usize) -> Option<i64> {
        self.0.get(row).copied().filter(|value| *value != NULL_NUMBER)
    }

    pub fn raw(&self, row: usize) -> i64 {
        self.0.get(row).copied().unwrap_or(NULL_NUMBER)
    }
}

/// Where a text column of transactions is often not there at all: empty stands for "no value anywhere".
#[derive(Debug, Default)]
pub struct SparseCodes(pub Vec<u32>);

impl SparseCodes {
    pub fn get(&self, row: usize) -> u32 {
        self.0.get(row).copied().unwrap_or(NULL_CODE)
    }
}

/// Transactions in order of their id; a row number is the transaction's code everywhere.
#[derive(Debug, Default)]
pub struct Transactions {
    /// The input, whose dictionary holds the ids.
    pub source: Arc<Table>,
    /// Of each row, its row in `source`; `None` where that is in order already.
    pub order: Option<Vec<u32>>,
    /// Of each row, the code of its id in `source`.
    pub id_codes: Vec<u32>,
    pub kinds: Names,
    pub kind: Vec<u8>,
    pub tested_on: Vec<i32>,
    /// `NO_PERIOD` for a transaction that is quarantined.
    pub period: Vec<u16>,
    pub account: SparseCodes,
    pub product: SparseCodes,
    pub tag: SparseCodes,
    pub currency: SparseCodes,
    pub territory: Vec<u32>,
    /// Converted to the company's currency.
    pub amount: Vec<i64>,
    pub margin: Sparse,
    pub quantity: Sparse,
    pub discount: Sparse,
    /// Totals of the input as it came: rows and amounts, all and quarantined.
    pub totals: InputTotals,
    /// Amounts as they came, in the order of rows.
    pub recorded: Vec<i64>,
}

#[derive(Debug, Default, Clone, Copy)]
pub struct InputTotals {
    pub count: i128,
    pub amount: i128,
    pub quarantined_count: i128,
    pub quarantined_amount: i128,
}

impl Transactions {
    pub fn len(&self) -> usize {
        self.id_codes.len()
    }

    pub fn ids(&self) -> &[String] {
        self.source.texts("transaction_id").map_or(&[], |column| &column.dictionary)
    }

    /// The row of an id; `NULL_CODE` for one that is not there.
    pub fn find(&self, id: &str) -> u32 {
        let (mut low, mut high) = (0u32, self.len() as u32);
        while low < high {
            let middle = low.midpoint(high);
            if self.id(middle) < id { low = middle + 1 } else { high = middle }
        }
        if (low as usize) < self.len() && self.id(low) == id { low } else { NULL_CODE }
    }

    pub fn id(&self, row: u32) -> &str {
        self.id_codes.get(row as usize).and_then(|code| self.ids().get(*code as usize)).map_or("", String::as_str)
    }
}

/// Who may be credited for a transaction, in the order of the crediting contract.
#[derive(Debug, Default)]
pub struct Claims {
    /// The claims of row `r` are `starts[r]..starts[r + 1]`.
    pub starts: Vec<u32>,
    pub role: Vec<u16>,
    pub payee: Vec<u32>,
    /// Null but for explicit splits and some relationships.
    pub share: Vec<i64>,
    pub details: Details,
}

/// What relationships and stages say about claims, one entry a claim; empty where the company has neither.
#[derive(Debug, Default)]
pub struct Details {
    /// Beside whose claim it stands, and in which role that one claims.
    pub of_payee: Vec<u32>,
    pub of_role: Vec<u32>,
    pub stage: Vec<u32>,
    pub from_on: Vec<i64>,
}

impl Details {
    pub fn is_empty(&self) -> bool {
        self.of_payee.is_empty()
    }

    pub fn push(&mut self, of_payee: u32, of_role: u32, stage: u32, from_on: i64) {
        self.of_payee.push(of_payee);
        self.of_role.push(of_role);
        self.stage.push(stage);
        self.from_on.push(from_on);
    }

    /// Nothing more to say about the claims before `count`.
    pub fn pad(&mut self, count: usize) {
        self.of_payee.resize(count, NULL_CODE);
        self.of_role.resize(count, NULL_CODE);
        self.stage.resize(count, NULL_CODE);
        self.from_on.resize(count, NULL_NUMBER);
    }

    pub fn append(&mut self, other: &mut Details) {
        self.of_payee.append(&mut other.of_payee);
        self.of_role.append(&mut other.of_role);
        self.stage.append(&mut other.stage);
        self.from_on.append(&mut other.from_on);
    }
}

impl Claims {
    pub fn of(&self, row: usize) -> std::ops::Range<usize> {
        self.starts[row] as usize..self.starts[row + 1] as usize
    }
}
