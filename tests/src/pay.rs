//! The demo company: twins pay the same to the cent, planning answers what it must, the whole main job runs.

use crate::stage::{Stage, root};
use attain_app::planning::QuotaRequest;
use attain_app::{folder, runs};
use attain_calc::{Inputs, calculate};
use attain_domain::plan::Component;
use attain_domain::settings::Step;
use attain_domain::{Day, Table};
use rust_decimal::Decimal;

fn demo() -> folder::Company {
    folder::read(&root().join("examples/meridian")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn results(inputs: &Inputs, set: &attain_app::extensions::Set) -> Vec<Table> {
    let outcome = calculate(inputs, set, &mut |_| {});
    assert!(outcome.complete, "{:?}", outcome.findings);
    ["credits", "measures", "earnings", "slices", "postings", "statements"].iter().map(|name| outcome.table(name)).collect()
}

fn scripts_only(inputs: &mut Inputs) {
    let residue = inputs.settings.crediting.rules.iter().find_map(|step| step.settings.get("residue").cloned());
    let split = residue.map_or_else(|| serde_json::json!({}), |residue| serde_json::json!({ "residue": residue }));
    let old = inputs
        .settings
        .crediting
        .rules
        .iter()
        .find(|step| step.extension == "credit-standard")
        .expect("the demo uses the plugin")
        .settings
        .clone();
    let mut overlay = serde_json::json!({});
    for (from, to) in [("overlay_role", "role"), ("overlay_rate", "rate"), ("families", "families")] {
        if let Some(value) = old.get(from) {
            overlay[to] = value.clone();
        }
    }
    let others: Vec<Step> = inputs.settings.crediting.rules.iter().filter(|step| step.extension != "credit-standard").cloned().collect();
    let step = |name: &str, settings: serde_json::Value| Step { extension: name.to_owned(), settings };
    inputs.settings.crediting.rules =
        [step("credit-direct", serde_json::json!({})), step("credit-split", split), step("credit-overlay", overlay)]
            .into_iter()
            .chain(others)
            .collect();
    each_component(inputs, |component| {
        if component.formula == "comp-tiers" {
            let formula = component.settings.get("formula").and_then(|formula| formula.as_str()).unwrap_or("tiered").to_owned();
            if let Some(settings) = component.settings.as_object_mut() {
                settings.remove("formula");
            }
            component.formula = format!("comp-{formula}");
        }
    });
}

fn plugins_only(inputs: &mut Inputs) {
    each_component(inputs, |component| {
        if let Some(formula @ ("tiered" | "flat" | "threshold-bonus" | "accelerator")) = component.formula.clone().strip_prefix("comp-") {
            component.formula = "comp-tiers".to_owned();
            if let Some(settings) = component.settings.as_object_mut() {
                settings.insert("formula".to_owned(), serde_json::json!(formula));
            }
        }
    });
}

fn each_component(inputs: &mut Inputs, mut change: impl FnMut(&mut Component)) {
    inputs.plans.iter_mut().flat_map(|plan| &mut plan.components).for_each(&mut change);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_and_their_wasm_twins_pay_the_same_to_the_cent() {
    let stage = Stage::sqlite().await;
    let company = demo();
    let set = stage.instance.extensions_for(&company).expect("extensions");
    let inputs = runs::inputs_of(&company, Table::new("posted"));
    let (mut scripted, mut compiled) = (inputs.clone(), inputs);
    scripts_only(&mut scripted);
    plugins_only(&mut compiled);
    let count =
        |inputs: &Inputs, name: &str| inputs.plans.iter().flat_map(|plan| &plan.components).filter(|own| own.formula == name).count();
    assert!(count(&scripted, "comp-tiered") > 0 && count(&scripted, "comp-tiers") == 0);
    assert!(count(&compiled, "comp-tiers") > count(&compiled, "comp-tiered"));
    for (left, right) in results(&scripted, &set).into_iter().zip(results(&compiled, &set)) {
        assert!(left.row_count() > 0, "{} is empty", left.name);
        assert!(left == right, "`{}` differs between scripts and plugins", left.name);
    }
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_runs_from_territories_to_forecast_on_every_database() {
    let mut ids = Vec::new();
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(&root().join("examples/meridian")).await.expect("the demo company loads");
        let from: Day = "2026-10-01".parse().expect("a day");
        let territories = instance.propose_territories(from).await.expect("a proposal");
        for (measure, before, after) in territories.imbalance() {
            assert!(after < before && after < 1_150, "{measure}: {before} before, {after} after, per mille of the mean");
        }
        instance.apply_table("account_territories", &territories.wanted, "test").await.expect("applied");
        let run = instance.run(&|_| {}).await.expect("a run");
        assert!(run.complete, "{:?}", run.findings);
        let request = QuotaRequest {
            measure_id: "bookings".to_owned(),
            year: "2027".to_owned(),
            base_year: "2026".to_owned(),
            total: None,
            growth: Decimal::new(108, 2),
            step: Decimal::ONE_HUNDRED,
        };
        let quotas = instance.propose_quotas(&request).await.expect("a proposal");
        assert_eq!(quotas.payees.iter().map(|(_, _, quota)| quota).sum::<i64>(), quotas.total, "the parts sum to the total");
        let receipt = instance.apply_table("quotas", &quotas.wanted, "test").await.expect("applied");
        assert_eq!((receipt.changes[0].changed, receipt.changes[0].removed), (0, 0), "a new year changes no old quota");
        let forecast = instance.forecast("bookings", 6).await.expect("a forecast");
        assert!(forecast.steps.iter().filter(|step| step.series_id == "company").count() == 6);
        let summary = instance.summary().await.expect("a summary");
        assert!(summary.payee_count > 50 && summary.example.is_some() && !summary.kpis.is_empty());
        assert!(instance.replay(&run.run_id).await.expect("a verdict").equal);
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        ids.push(run.run_id);
        stage.remove().await;
    }
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "both databases give the same run");
}
