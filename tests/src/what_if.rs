//! The estimator tells what importing the deal and running would pay.

use crate::changes::person;
use crate::stage::{Stage, cell, root, small_company, write};
use attain_app::access::Role;
use attain_app::refusal::{Refusal, RefusalKind};
use attain_app::what_if::{SupposedDeal, SupposedOpportunity, SupposedTransaction, WhatIf, WhatIfRequest};

fn deal(amount: &str, close_on: &str) -> SupposedDeal {
    SupposedDeal { amount: amount.to_owned(), product_id: None, account_id: None, close_on: close_on.to_owned() }
}

fn kind(error: &anyhow::Error) -> RefusalKind {
    error.downcast_ref::<Refusal>().unwrap_or_else(|| panic!("not a refusal: {error:#}")).kind
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supposed_deal_pays_what_the_imported_one_pays() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let mut files = small_company();
        files.insert(
            "opportunities.csv",
            "opportunity_id,payee_id,stage,outcome,amount,currency,created_on,close_on\n\
             o1,ana,propose,open,400,USD,2026-01-02,2026-01-30\no2,ben,propose,open,400,USD,2026-01-02,2026-01-30\n"
                .to_owned(),
        );
        let quotas = format!("{}ana,bookings,2026-02,1000\nana,bookings,2026-03,1000\n", files["quotas.csv"]);
        files.insert("quotas.csv", quotas);
        instance.load(write(&files).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let mia = person(instance, "mia", Some("mia"), &[Role::Manager]).await;
        let request = WhatIfRequest {
            deals: vec![deal("250.50", "2026-01-28"), deal("100", "2026-03-02")],
            opportunities: vec![SupposedOpportunity { opportunity_id: "o1".to_owned(), amount: Some("500".to_owned()), close_on: None }],
            transactions: vec![SupposedTransaction {
                transaction_id: "t1".to_owned(),
                ordered_on: Some("2026-02-03".to_owned()),
                amount: None,
            }],
        };
        let count = instance.verify_audit().await.expect("a report").entries;
        let answer = instance.what_if(&ana, "ana", "2026-01", &request).await.expect("an answer");
        assert_eq!(instance.verify_audit().await.expect("a report").entries, count, "nothing is stored");
        let mut other = request.clone();
        other.deals.reverse();
        let reversed = instance.what_if(&mia, "ana", "2026-01", &other).await.expect("an answer");
        let timeless = |answer: &WhatIf| WhatIf { millis: 0, ..answer.clone() };
        assert_eq!(timeless(&answer), timeless(&reversed), "the order of deals is nothing");
        assert_eq!(answer.periods.iter().map(|own| own.period_id.as_str()).collect::<Vec<_>>(), ["2026-01", "2026-02", "2026-03"]);
        // The last deal is in March, where 100 stand against a quota of 1,000.
        assert_eq!(answer.marginal_rate.as_deref(), Some("0.05"));

        let file = stage.home.path().join("deals.csv");
        let rows = "transaction_id,kind,ordered_on,amount,currency,payee_id\n\
                    n1,order,2026-01-28,250.50,USD,ana\nn2,order,2026-03-02,100,USD,ana\nn3,order,2026-01-30,500,USD,ana\n\
                    t1,order,2026-02-03,800,USD,ana\n";
        std::fs::write(&file, rows).expect("a file");
        instance.import("transactions", &file, "crm").await.expect("an import");
        let run = instance.run(&|_| {}).await.expect("a run");
        let tables = instance.results(&run.run_id).await.expect("results");
        for period in &answer.periods {
            let key = [("payee_id", "ana"), ("period_id", period.period_id.as_str())];
            assert_eq!(cell(&tables["statements"], &key, "earned").as_ref(), Some(&period.after), "{period:?}");
        }

        let none = WhatIfRequest::default();
        let hidden = instance.what_if(&ana, "ben", "2026-01", &none).await.expect_err("a peer");
        assert_eq!(kind(&hidden), RefusalKind::NotFound);
        let foreign = WhatIfRequest {
            opportunities: vec![SupposedOpportunity { opportunity_id: "o2".to_owned(), amount: None, close_on: None }],
            ..WhatIfRequest::default()
        };
        assert_eq!(kind(&instance.what_if(&ana, "ana", "2026-01", &foreign).await.expect_err("a peer's")), RefusalKind::NotFound);
        let foreign = WhatIfRequest {
            transactions: vec![SupposedTransaction { transaction_id: "t4".to_owned(), ordered_on: None, amount: None }],
            ..WhatIfRequest::default()
        };
        assert_eq!(kind(&instance.what_if(&ana, "ana", "2026-01", &foreign).await.expect_err("a peer's")), RefusalKind::NotFound);
        let many = WhatIfRequest { deals: vec![deal("1", "2026-01-28"); 201], ..WhatIfRequest::default() };
        assert_eq!(kind(&instance.what_if(&ana, "ana", "2026-01", &many).await.expect_err("too many")), RefusalKind::Invalid);
        let late = WhatIfRequest { deals: vec![deal("1", "2036-01-28")], ..WhatIfRequest::default() };
        let late = instance.what_if(&ana, "ana", "2026-01", &late).await.expect("an answer");
        assert_eq!(late.findings[0].record, "deals/0", "{:?}", late.findings);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_demo_company_the_estimate_equals_the_run_for_a_seller_and_for_the_vice_president() {
    let stage = Stage::sqlite().await;
    let instance = &stage.instance;
    instance.load(&root().join("examples/meridian")).await.expect("the demo company loads");
    let admin = person(instance, "ada", None, &[Role::CompAdmin]).await;
    let request = WhatIfRequest {
        opportunities: vec![SupposedOpportunity {
            opportunity_id: "O1600".to_owned(),
            amount: None,
            close_on: Some("2026-09-29".to_owned()),
        }],
        ..WhatIfRequest::default()
    };
    let owner = instance.company().await.expect("the company");
    let opportunities = &owner.tables["opportunities"];
    let of = |column: &str| cell(opportunities, &[("opportunity_id", "O1600")], column);
    let seller = of("payee_id").expect("its seller");
    instance.what_if(&admin, &seller, "2026-09", &request).await.expect("the first answer, which prepares");
    let answer = instance.what_if(&admin, &seller, "2026-09", &request).await.expect("an answer");
    let nothing = WhatIfRequest::default();
    let idle = instance.what_if(&admin, "E1001", "2026-09", &nothing).await.expect("an answer");
    assert_eq!((idle.difference.as_str(), idle.periods.len()), ("0", 1));
    #[expect(clippy::print_stderr, reason = "a figure for those who watch it")]
    {
        eprintln!("what-if on the demo company: seller {} ms, vice president {} ms", answer.millis, idle.millis);
    }
    assert!(answer.millis < 1_000, "{} ms", answer.millis);
    let file = stage.home.path().join("deals.csv");
    let row = format!(
        "transaction_id,kind,ordered_on,amount,currency,payee_id,account_id,product_id\nZ1,order,2026-09-29,{},{},{seller},{},{}\n",
        of("amount").expect("an amount"),
        of("currency").expect("a currency"),
        of("account_id").expect("an account"),
        of("product_id").unwrap_or_default(),
    );
    std::fs::write(&file, row).expect("a file");
    instance.import("transactions", &file, "crm").await.expect("an import");
    let run = instance.run(&|_| {}).await.expect("a run");
    let tables = instance.results(&run.run_id).await.expect("results");
    for period in &answer.periods {
        let key = [("payee_id", seller.as_str()), ("period_id", period.period_id.as_str())];
        assert_eq!(cell(&tables["statements"], &key, "earned").as_ref(), Some(&period.after), "{period:?}");
    }
    let idle_after = instance.what_if(&admin, "E1001", "2026-09", &nothing).await.expect("an answer");
    let key = [("payee_id", "E1001"), ("period_id", "2026-09")];
    assert_eq!(cell(&tables["statements"], &key, "earned").as_ref(), Some(&idle_after.after.earned));
    stage.remove().await;
}
