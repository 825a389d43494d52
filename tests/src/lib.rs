//! All tests that need more than one crate: case folders, real data, the record on both databases, extensions, the program. One
//! binary.
#![cfg(test)]

mod access;
mod accounting;
mod bundle;
mod cases;
mod changes;
mod crediting;
mod data;
mod documents;
mod extensions;
mod http;
mod incremental;
mod pay;
mod payout_reasons;
mod payouts;
mod people;
mod periods;
mod plan_documents;
mod plans;
mod program;
mod real_data;
mod real_input;
mod record;
mod sign_in;
mod stage;
mod tampering;
mod two_servers;
mod walkthrough;
mod what_if;
mod work;
