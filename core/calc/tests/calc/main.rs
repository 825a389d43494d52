//! The calculation, seen from outside: small companies in, pay and findings out.

mod company;
mod components;
mod crediting;
mod laws;
mod pay;
mod prepared;
mod sequences;
mod workload;
