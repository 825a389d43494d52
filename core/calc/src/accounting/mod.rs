//! What finance books: costs to obtain contracts spread over their lives (ASC 340-40), and the expense of spans that are not over.

mod accruals;
mod contracts;
mod costs;
mod schedule;

pub(crate) use accruals::accruals;
pub(crate) use contracts::amortization;
