//! The calculation, seen from outside: small companies in, pay and findings out.

mod accounting;
mod company;
mod components;
mod credit_laws;
mod credit_options;
mod crediting;
mod laws;
mod pay;
mod prepared;
mod sequences;
mod versions;
mod workload;
