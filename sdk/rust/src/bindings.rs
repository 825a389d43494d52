//! Generated bindings, a module for each point. All share the hand-written tables of `column`.

macro_rules! bindings {
    ($($point:ident, $inline:literal, $path:literal, $types:literal;)+) => {$(
        pub mod $point {
            wit_bindgen::generate!({
                inline: $inline,
                path: $path,
                with: { $types: crate::column },
                generate_all,
                pub_export_macro: true,
            });

            pub use self::exports::attain::$point::extension::Guest;
            pub use self::attain::$point::log::write;
        }
    )+};
}

bindings! {
    territory, "package attain:sdk-territory; world territory-plugin { include attain:territory/plugin@1.0.0; }", "../wit/territory/v1", "attain:territory/types@1.0.0";
    quota, "package attain:sdk-quota; world quota-plugin { include attain:quota/plugin@1.0.0; }", "../wit/quota/v1", "attain:quota/types@1.0.0";
    crediting, "package attain:sdk-crediting; world crediting-plugin { include attain:crediting/plugin@1.0.0; }", "../wit/crediting/v1", "attain:crediting/types@1.0.0";
    compensation, "package attain:sdk-compensation; world compensation-plugin { include attain:compensation/plugin@1.0.0; }", "../wit/compensation/v1", "attain:compensation/types@1.0.0";
    kpi, "package attain:sdk-kpi; world kpi-plugin { include attain:kpi/plugin@1.0.0; }", "../wit/kpi/v1", "attain:kpi/types@1.0.0";
    forecast, "package attain:sdk-forecast; world forecast-plugin { include attain:forecast/plugin@1.0.0; }", "../wit/forecast/v1", "attain:forecast/types@1.0.0";
    insight, "package attain:sdk-insight; world insight-plugin { include attain:insight/plugin@1.0.0; }", "../wit/insight/v1", "attain:insight/types@1.0.0";
    connector, "package attain:sdk-connector; world connector-plugin { include attain:connector/plugin@1.0.0; }", "../wit/connector/v1", "attain:connector/types@1.0.0";
    payout, "package attain:sdk-payout; world payout-plugin { include attain:payout/plugin@1.0.0; }", "../wit/payout/v1", "attain:payout/types@1.0.0";
}
