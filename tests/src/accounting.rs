//! What finance books: schedules and accruals of a run, by period, as a journal, and what becomes of them when a period is closed.

use crate::stage::{Stage, write};
use attain_app::access::{Caller, Role};
use attain_app::accounting::{JournalLine, RollForward, Sheet};
use attain_app::periods::{PeriodState, Step};
use attain_app::refusal::{Refusal, RefusalKind};
use std::collections::BTreeMap;

/// A flat tenth; C1 costs what was earned from T1.
fn company() -> BTreeMap<&'static str, String> {
    let text = |text: &str| text.to_owned();
    BTreeMap::from([
        (
            "company.toml",
            text(
                "format = 1\nname = \"Contracts\"\ncurrency = \"USD\"\n\n[calendar]\npattern = \"months\"\nfirst = \"2026-01-01\"\n\
                 years = 2\n\n[[crediting.rules]]\nextension = \"credit-direct\"\n\n[[measures]]\nid = \"sales\"\n",
            ),
        ),
        (
            "plans/plan.toml",
            text(
                "id = \"plan\"\n\n[[components]]\nid = \"commission\"\nmeasure = \"sales\"\naccumulate = \"transaction\"\n\
                 formula = \"comp-flat\"\nsettings = { rate = \"0.1\" }\n",
            ),
        ),
        ("payees.csv", text("payee_id\nana\nben\n")),
        ("plan_assignments.csv", text("payee_id,plan_id,from_on\nana,plan,2026-01-01\nben,plan,2026-01-01\n")),
        (
            "transactions.csv",
            text(
                "transaction_id,kind,ordered_on,amount,currency,payee_id\nT1,order,2026-01-05,12000,USD,ana\n\
                 T2,order,2026-02-05,1000,USD,ben\n",
            ),
        ),
        ("contracts.csv", text("contract_id,transaction_id,start_on,life_months,cost\nC1,T1,2026-01-01,12,\nC2,,2026-02-01,10,50\n")),
    ])
}

fn caller(role: Role) -> Caller {
    Caller::new(role.name(), role.name(), None, [role], None)
}

fn row(own: &RollForward) -> [&str; 6] {
    [&own.opening, &own.correction, &own.addition, &own.amortized, &own.impaired, &own.closing].map(String::as_str)
}

/// Debits and credits of a journal, in ten-thousandths.
fn sides(journal: &[JournalLine]) -> (i64, i64) {
    let sum = |side: fn(&JournalLine) -> Option<&String>| {
        journal.iter().filter_map(side).map(|amount| attain_domain::fixed::parse(amount, 4).expect("an amount")).sum()
    };
    (sum(|line| line.debit.as_ref()), sum(|line| line.credit.as_ref()))
}

async fn step(stage: &Stage, who: &str, to: PeriodState) {
    let caller = Caller::new(who, who, None, [Role::CompAdmin, Role::Finance], None);
    stage.instance.step_period(&caller, "2026-01", &Step { to, reason: String::new() }).await.expect("a step");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roll_forward_ties_and_a_closed_period_stays_as_it_was() {
    for stage in Stage::each().await {
        let mut files = company();
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        let first = stage.instance.run(&|_| {}).await.expect("a run");
        let finance = caller(Role::Finance);
        let view = stage.instance.view().await.expect("a view");
        let january = stage.instance.amortization(&view, &finance, Some("2026-01")).await.expect("a report");
        assert_eq!(row(&january.totals), ["0", "0", "1200", "100", "0", "1100"]);
        let february = stage.instance.amortization(&view, &finance, None).await.expect("a report");
        assert_eq!(february.head.period_id, "2026-02");
        let contracts: Vec<(&str, [&str; 6])> =
            february.contracts.iter().map(|own| (own.contract_id.as_str(), row(&own.amounts))).collect();
        assert_eq!(contracts, [("C1", ["1100", "0", "0", "100", "0", "1000"]), ("C2", ["0", "0", "50", "5", "0", "45"])]);
        assert_eq!(row(&february.totals), ["1100", "0", "50", "105", "0", "1045"]);
        // 50 capitalised, 105 amortised.
        assert_eq!(sides(&february.journal), (1_550_000, 1_550_000));

        step(&stage, "one", PeriodState::InReview).await;
        step(&stage, "two", PeriodState::Approved).await;
        files.insert("transactions.csv", files["transactions.csv"].replace("12000", "18000"));
        files.insert("periods.csv", "period_id,state\n2026-01,approved\n".to_owned());
        stage.instance.apply(write(&files).path()).await.expect("the correction applies");
        let second = stage.instance.run(&|_| {}).await.expect("a run");
        let view = stage.instance.view().await.expect("a view");
        let then = stage.instance.amortization(&view, &finance, Some("2026-01")).await.expect("a report");
        assert_eq!((row(&then.totals), then.head.run_id.as_str()), (row(&january.totals), first.run_id.as_str()));
        // 1,800 over twelve months is 150 a month: January would have closed with 1,650 and was closed with 1,100.
        let now = stage.instance.amortization(&view, &finance, Some("2026-02")).await.expect("a report");
        assert_eq!(row(&now.contracts[0].amounts), ["1100", "550", "0", "150", "0", "1500"]);
        assert_eq!(now.head.run_id, second.run_id);
        let (debits, credits) = sides(&now.journal);
        assert!(debits == credits && debits == 5_500_000 + 500_000 + 1_550_000, "{:?}", now.journal);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accrual_is_turned_back_in_the_next_period() {
    for stage in Stage::each().await {
        let mut files = company();
        files.insert(
            "company.toml",
            files["company.toml"].clone()
                + "\n[accounting]\naccruals = \"run-rate\"\nmargins = \"with-commissions\"\nshares = \"states\"\n",
        );
        files.insert(
            "plans/plan.toml",
            "id = \"plan\"\n\n[[components]]\nid = \"commission\"\nmeasure = \"sales\"\nquota = \"sales\"\naccumulate = \"quarter\"\n\
             true_up = true\nformula = \"comp-tiered\"\n\n[components.settings]\nby = \"attainment\"\n\
             tiers = [{ from = \"0\", rate = \"0.1\" }, { from = \"1\", rate = \"0.2\" }]\n"
                .to_owned(),
        );
        files.insert("quotas.csv", "payee_id,measure_id,period_id,amount\nana,sales,2026-01,3000\n".to_owned());
        files.insert(
            "transactions.csv",
            "transaction_id,kind,ordered_on,amount,currency,payee_id\nT1,order,2026-01-15,1000,USD,ana\n\
             T2,order,2026-02-15,2000,USD,ana\nT3,order,2026-03-15,3000,USD,ana\n"
                .to_owned(),
        );
        stage.instance.load(write(&files).path()).await.expect("the company loads");
        stage.instance.run(&|_| {}).await.expect("a run");
        let (view, auditor) = (stage.instance.view().await.expect("a view"), caller(Role::Auditor));
        let february = stage.instance.accruals(&view, &auditor, Some("2026-02")).await.expect("a report");
        let [line] = february.lines.as_slice() else { panic!("{:?}", february.lines) };
        // 3,000 after 59 of 90 days go on to 4,576.2712, of which 3,000 are paid at 10 % and the rest at 20 %.
        let details = [&line.basis, &line.result, &line.quota, &line.attainment, &line.by_the_end, &line.elapsed];
        let wanted = [Some("run-rate"), Some("4576.2712"), Some("3000"), None, Some("615.25"), Some("0.65555556")];
        assert_eq!(details.map(Option::as_deref), wanted);
        let amounts = |own: &attain_app::accounting::AccrualTotals| {
            [own.earned.clone(), own.accrual.clone(), own.reversal.clone(), own.expected.clone()]
        };
        assert_eq!(amounts(&february.totals), ["200", "103.33", "0", "303.33"]);
        let march = stage.instance.accruals(&view, &auditor, Some("2026-03")).await.expect("a report");
        assert_eq!(amounts(&march.totals), ["600", "0", "-103.33", "496.67"]);
        for (report, expense) in [(&february, "debit"), (&march, "credit")] {
            let (debits, credits) = sides(&report.journal);
            assert!(debits == credits && debits == 1_033_300, "{:?}", report.journal);
            let own = report.journal.iter().find(|line| line.account == "commission-expense").expect("a line");
            assert_eq!(own.debit.is_some(), expense == "debit", "{own:?}");
        }
        // What was accrued can be checked from outside too.
        let file = stage.home.path().join("run.tar");
        stage.instance.write_bundle("last", None, &file).await.expect("a bundle");
        assert_eq!(attain_verify::verify_file(&file).expect("a bundle").difference, None);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn finance_admins_and_auditors_see_it_as_rows_too_and_nobody_else() {
    let stage = Stage::sqlite().await;
    stage.instance.load(write(&company()).path()).await.expect("the company loads");
    stage.instance.run(&|_| {}).await.expect("a run");
    let view = stage.instance.view().await.expect("a view");
    for role in [Role::Finance, Role::CompAdmin, Role::Auditor] {
        let file = stage.instance.accounting_file(&view, &caller(role), Some("2026-02"), Sheet::Amortization).await.expect("a file");
        assert_eq!(file.name, "amortization-2026-02.csv");
        let text = String::from_utf8(file.bytes).expect("UTF-8");
        assert_eq!(text, "contract_id,opening,correction,addition,amortized,impaired,closing\nC1,1100,0,0,100,0,1000\nC2,0,0,50,5,0,45\n");
    }
    let workbook = stage.instance.accounting_workbook(&view, &caller(Role::Finance), Some("2026-02")).await.expect("a workbook");
    let again = stage.instance.accounting_workbook(&view, &caller(Role::Auditor), None).await.expect("a workbook");
    assert_eq!(workbook.name, "accounting-2026-02.xlsx");
    assert!(workbook.bytes.starts_with(b"PK") && workbook.bytes == again.bytes, "the same bytes every time");
    let journal = stage.instance.accounting_file(&view, &caller(Role::Finance), Some("2026-02"), Sheet::Journal).await.expect("a file");
    let text = String::from_utf8(journal.bytes).expect("UTF-8");
    assert!(text.starts_with("dated_on,account,debit,credit,text\n2026-02-28,contract-costs,50,,"), "{text}");
    let kind = |error: anyhow::Error| error.downcast::<Refusal>().expect("a refusal").kind;
    for role in [Role::Seller, Role::Manager, Role::Platform] {
        let error = stage.instance.amortization(&view, &caller(role), Some("2026-02")).await.expect_err("a refusal");
        assert_eq!(kind(error), RefusalKind::Forbidden);
        let workbook = stage.instance.accounting_workbook(&view, &caller(role), Some("2026-02")).await.map(|own| own.name);
        let error = workbook.expect_err("a refusal");
        assert_eq!(kind(error), RefusalKind::Forbidden);
        let error = stage.instance.accruals(&view, &caller(role), Some("2026-02")).await.expect_err("a refusal");
        assert_eq!(kind(error), RefusalKind::Forbidden);
    }
    let error = stage.instance.amortization(&view, &caller(Role::Finance), Some("2031-01")).await.expect_err("a refusal");
    assert_eq!(kind(error), RefusalKind::NotFound);
    // What is wrong with a contract is said, and the others have their schedules.
    let mut files = company();
    files.insert(
        "contracts.csv",
        "contract_id,transaction_id,renews_id,start_on,life_months,cost\nC1,T1,,2026-01-01,0,\nC2,T1,,2026-01-01,12,\n\
         C3,T1,,2026-01-01,12,\nC4,,C2,2026-01-01,12,12\nC5,,,2026-01-01,12,\n"
            .to_owned(),
    );
    stage.instance.apply(write(&files).path()).await.expect("the change applies");
    let run = stage.instance.run(&|_| {}).await.expect("a run");
    assert!(run.complete);
    let codes: Vec<&str> = run.findings.iter().map(|own| own.code.as_str()).collect();
    for code in ["contract-life", "contract-cost-twice", "renewal-not-later", "contract-without-cost"] {
        assert!(codes.contains(&code), "{code} is not in {codes:?}");
    }
    let view = stage.instance.view().await.expect("a view");
    let report = stage.instance.amortization(&view, &caller(Role::Finance), Some("2026-01")).await.expect("a report");
    let ids: Vec<&str> = report.contracts.iter().map(|own| own.contract_id.as_str()).collect();
    assert_eq!(ids, ["C2", "C4"]);
    stage.remove().await;
}
