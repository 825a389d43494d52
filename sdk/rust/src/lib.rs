//! Write an extension for Attain: implement the trait of one point, name the type in [`register!`], and build it to Wasm.
//! Batches cross the border as columns of exact integers; the traits show them as rows. Knows nothing of the server.
//!
//! To add a point: its WIT package under `sdk/wit`, its entry in `bindings.rs`, a module with its trait, and its arm in
//! [`register!`] and in `guest::points!`.

#[doc(hidden)]
pub mod bindings;
pub mod column;
pub mod exact;
#[doc(hidden)]
pub mod guest;
mod point;
#[cfg(not(target_arch = "wasm32"))]
pub mod testkit;

pub use column::{Column, NULL, NULL_CODE, NamedColumn, NumberColumn, Table, Text, TextColumn};
pub use exact::{Exact, Rounding, RoundingMode};
pub use guest::log;
pub use point::{compensation, connector, crediting, forecast, insight, kpi, payout, quota, territory};

pub use point::compensation::{Compensation, CompensationBatch, Earnings};
pub use point::connector::{Connector, Http, Page, Request, Response};
pub use point::crediting::{CreditKind, Crediting, CreditingBatch, Credits};
pub use point::forecast::{Forecast, ForecastBatch, Forecasts};
pub use point::insight::{Insight, InsightBatch, Insights};
pub use point::kpi::{Kpi, KpiBatch, Values};
pub use point::payout::{Payout, PayoutBatch, PayoutFile};
pub use point::quota::{Quota, QuotaBatch, Quotas};
pub use point::territory::{Assignments, Territory, TerritoryBatch};

/// Registers the one extension of this crate: `attain_sdk::register!(crediting: MyType);`.
///
/// `MyType` implements the trait of that point. On other targets than Wasm this only checks that it does.
#[macro_export]
macro_rules! register {
    ($point:ident : $extension:ty) => {
        const _: () = {
            type Adapter = $crate::guest::adapter::$point<$extension>;

            const fn implements_the_point<T: $crate::guest::Extension>() {}
            implements_the_point::<Adapter>();

            #[cfg(target_arch = "wasm32")]
            struct Component;

            #[cfg(target_arch = "wasm32")]
            thread_local! {
                static STATE: ::std::cell::RefCell<Option<Adapter>> = const { ::std::cell::RefCell::new(None) };
            }

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::$point::Guest for Component {
                fn configure(settings: String) -> Result<(), String> {
                    $crate::guest::set_log($crate::bindings::$point::write);
                    let configured = <Adapter as $crate::guest::Extension>::configure(&settings)?;
                    STATE.with(|state| *state.borrow_mut() = Some(configured));
                    Ok(())
                }

                fn run(input: Vec<$crate::Table>) -> Result<Vec<$crate::Table>, String> {
                    STATE.with(|state| match state.borrow_mut().as_mut() {
                        Some(configured) => $crate::guest::Extension::run(configured, input),
                        None => Err("`run` was called before `configure`".to_owned()),
                    })
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::$point::export!(Component with_types_in $crate::bindings::$point);
        };
    };
}
