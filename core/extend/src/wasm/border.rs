//! Tables as they cross the border: going in they are slices of our columns, coming out they are owned.

use attain_domain::{Column, Table, TextColumn};
use std::collections::BTreeMap;
use wasmtime::component::{ComponentType, Lift, Lower};

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct TextIn<'a> {
    dictionary: &'a [String],
    codes: &'a [u32],
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct NumberIn<'a> {
    scale: u8,
    values: &'a [i64],
}

#[derive(ComponentType, Lower)]
#[component(variant)]
pub enum ColumnIn<'a> {
    #[component(name = "number")]
    Number(NumberIn<'a>),
    #[component(name = "text")]
    Text(TextIn<'a>),
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct NamedIn<'a> {
    name: &'a str,
    column: ColumnIn<'a>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct TableIn<'a> {
    name: &'a str,
    columns: Vec<NamedIn<'a>>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct TextOut {
    dictionary: Vec<String>,
    codes: Vec<u32>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct NumberOut {
    scale: u8,
    values: Vec<i64>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum ColumnOut {
    #[component(name = "number")]
    Number(NumberOut),
    #[component(name = "text")]
    Text(TextOut),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct NamedOut {
    name: String,
    column: ColumnOut,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct TableOut {
    name: String,
    columns: Vec<NamedOut>,
}

/// The input as seen by the guest: of a table that `reads` names only the columns named.
pub fn lower<'a>(input: &'a [Table], reads: &BTreeMap<String, Vec<String>>) -> Vec<TableIn<'a>> {
    input
        .iter()
        .map(|table| {
            let wanted = reads.get(&table.name);
            let columns = table
                .columns
                .iter()
                .filter(|(name, _)| wanted.is_none_or(|wanted| wanted.contains(name)))
                .map(|(name, column)| {
                    let column = match column {
                        Column::Number { scale, values } => ColumnIn::Number(NumberIn { scale: *scale, values }),
                        Column::Text(text) => ColumnIn::Text(TextIn { dictionary: &text.dictionary, codes: &text.codes }),
                    };
                    NamedIn { name, column }
                })
                .collect();
            TableIn { name: &table.name, columns }
        })
        .collect()
}

pub fn lift(answer: Vec<TableOut>) -> Vec<Table> {
    answer
        .into_iter()
        .map(|table| {
            let columns = table.columns.into_iter().map(|named| {
                let column = match named.column {
                    ColumnOut::Number(number) => Column::Number { scale: number.scale, values: number.values },
                    ColumnOut::Text(text) => Column::Text(TextColumn { dictionary: text.dictionary, codes: text.codes }),
                };
                (named.name, column)
            });
            Table { name: table.name, columns: columns.collect() }
        })
        .collect()
}
