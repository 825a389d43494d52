//! The HTTP interface: routes, wire types, the event stream and the embedded console. A handler calls one use case and knows
//! no SQL. All routes stand in [`routes::all`].

mod ask;
mod console;
mod events;
mod guard;
mod idempotency;
mod page;
mod problem;
mod routes;
mod serve;

pub use serve::{Options, openapi, serve};
