//! All tests that need more than one crate: case folders, real data, the record on both databases, extensions under load, the
//! rules of the house. One package, one binary.
#![cfg(test)]

mod cases;
mod extensions;
mod house;
mod pay;
mod program;
mod real_data;
mod real_input;
mod record;
mod stage;
mod walkthrough;
