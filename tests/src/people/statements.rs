//! Published statements and who acknowledged them; what is unusual in them and who looked at it.

use super::{agree, job, kind, told};
use crate::changes::person;
use crate::stage::{Stage, small_company, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::acknowledgements::NewAcknowledgement;
use attain_app::anomalies::{Anomaly, AnomalyKey, AnomalyKind, NewAnomalyReview, Thresholds};
use attain_app::refusal::RefusalKind;
use attain_app::work_policy::{AnomalySettings, WorkPolicy};

async fn import(instance: &Instance, entity: &str, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, text).expect("a file");
    instance.import(entity, &file, "test").await.expect("imported");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_acknowledged_by_its_payee_and_anew_when_it_changes() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ben = person(instance, "ben", Some("ben"), &[Role::Seller]).await;
        let mia = person(instance, "mia", Some("mia"), &[Role::Manager]).await;
        agree(instance, &ada, &finn, &WorkPolicy { acknowledgement_wanted: true, ..WorkPolicy::default() }).await;
        let view = instance.view().await.expect("a view");
        let before = instance.acknowledgement(&view, &ana, "ana", "2026-01").await.expect("an answer");
        assert_eq!((before.content_hash, before.published_at), (None, None));
        let none = NewAcknowledgement { content_hash: "none".to_owned() };
        let refused = instance.acknowledge(&view, &ana, "ana", "2026-01", &none).await.expect_err("not published");
        assert_eq!(kind(&refused), RefusalKind::NotFound);

        job(&stage, "publish").await;
        let notice = told(instance, &ana).await.remove(0);
        assert_eq!((notice.kind.as_str(), notice.link.as_str()), ("statement-to-acknowledge", "/statements/2026-01"));
        job(&stage, "publish").await;
        assert_eq!(told(instance, &ana).await.len(), 1, "the same run again");
        let view = instance.view().await.expect("a view");
        let own = instance.acknowledgement(&view, &ana, "ana", "2026-01").await.expect("an answer");
        let given = NewAcknowledgement { content_hash: own.content_hash.expect("a hash") };
        assert_eq!(kind(&instance.acknowledge(&view, &ana, "ana", "2026-01", &none).await.expect_err("another")), RefusalKind::Stale);
        let by_manager = instance.acknowledge(&view, &mia, "ana", "2026-01", &given).await.expect_err("not for her");
        assert_eq!(kind(&by_manager), RefusalKind::Forbidden);
        let by_other = instance.acknowledge(&view, &ben, "ana", "2026-01", &given).await.expect_err("unknown");
        assert_eq!(kind(&by_other), RefusalKind::NotFound);
        let list = instance.acknowledgements(&view, &mia, "2026-01").await.expect("a list");
        assert_eq!((list.published, list.acknowledged), (3, 0));
        assert_eq!(kind(&instance.acknowledgements(&view, &ana, "2026-01").await.expect_err("no list")), RefusalKind::Forbidden);
        let done = instance.acknowledge(&view, &ana, "ana", "2026-01", &given).await.expect("acknowledged");
        assert_eq!(done.acknowledged_by.as_deref(), Some(ana.user_id.as_str()));
        let again = instance.acknowledge(&view, &ana, "ana", "2026-01", &given).await.expect("again");
        assert_eq!(again.acknowledged_at, done.acknowledged_at, "the first one counts");
        let list = instance.acknowledgements(&view, &ada, "2026-01").await.expect("a list");
        assert_eq!((list.acknowledged, list.items[2].payee_id.as_str()), (1, "ana"), "those first who have not");

        // Another deal of Ben's: his statement and his manager's change, Ana's stays as it was acknowledged.
        import(instance, "transactions", "transaction_id,kind,ordered_on,amount,currency,payee_id\nt5,order,2026-01-30,50,USD,ben\n").await;
        instance.run(&|_| {}).await.expect("a run");
        let view = instance.view().await.expect("a view");
        let ben_hash = instance.acknowledgement(&view, &ben, "ben", "2026-01").await.expect("an answer").content_hash.expect("a hash");
        let refused = instance.acknowledge(&view, &ben, "ben", "2026-01", &NewAcknowledgement { content_hash: ben_hash }).await;
        assert_eq!(kind(&refused.expect_err("what is calculated now is not published")), RefusalKind::Stale);
        job(&stage, "publish").await;
        let view = instance.view().await.expect("a view");
        assert!(instance.acknowledgement(&view, &ana, "ana", "2026-01").await.expect("an answer").acknowledged_at.is_some());
        assert_eq!(told(instance, &ana).await.len(), 1, "nothing new for her");
        assert_eq!(told(instance, &ben).await.len(), 2);

        import(instance, "transactions", "transaction_id,kind,ordered_on,amount,currency,payee_id\nt6,order,2026-01-30,50,USD,ana\n").await;
        instance.run(&|_| {}).await.expect("a run");
        job(&stage, "publish").await;
        let view = instance.view().await.expect("a view");
        let own = instance.acknowledgement(&view, &ana, "ana", "2026-01").await.expect("an answer");
        assert_eq!((own.acknowledged_at, own.acknowledged_before), (None, true), "it changed since");
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

fn thresholds(percent: i64, times: &str, adjustment: &str) -> Thresholds {
    Thresholds { percent: Some(percent), target_times: Some(times.to_owned()), adjustment_at_least: Some(adjustment.to_owned()) }
}

async fn listed(instance: &Instance, caller: &Caller, period: &str, with: &Thresholds) -> Vec<Anomaly> {
    let view = instance.view().await.expect("a view");
    instance.anomalies(&view, caller, period, with).await.expect("a list")
}

fn kinds(anomalies: &[Anomaly], payee: &str) -> Vec<AnomalyKind> {
    anomalies.iter().filter(|own| own.payee_id == payee).map(|own| own.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unusual_is_listed_and_looked_at() {
    for stage in Stage::each().await {
        let instance = &stage.instance;
        let mut files = small_company();
        // A tenth of what is sold: Ana 10, 30, 20, then 31; Ben 10, 10, 10, then nothing; Mia, without deals of her own, nothing at all.
        let plan = "id = \"seller\"\n\n[[components]]\nid = \"commission\"\nmeasure = \"bookings\"\nformula = \"comp-flat\"\n\n\
                    [components.settings]\nrate = \"0.1\"\n";
        files.insert("plans/seller.toml", plan.to_owned());
        files.insert(
            "company.toml",
            files["company.toml"].replace("credits = [\"direct\", \"split\", \"rollup\"]", "credits = [\"direct\"]"),
        );
        let sold = "transaction_id,kind,ordered_on,amount,currency,payee_id\n\
                    a1,order,2026-01-05,100,USD,ana\na2,order,2026-02-05,300,USD,ana\na3,order,2026-03-05,200,USD,ana\n\
                    a4,order,2026-04-05,310,USD,ana\nb1,order,2026-01-05,100,USD,ben\nb2,order,2026-02-05,100,USD,ben\n\
                    b3,order,2026-03-05,100,USD,ben\n";
        files.insert("transactions.csv", sold.to_owned());
        files.remove("splits.csv");
        files.remove("quotas.csv");
        files.insert("payees.csv", "payee_id\nana\nben\nmia\nnew\n".to_owned());
        files.insert("positions.csv", "position_id,title\nlead,Lead\nseat-1,Seller\nseat-2,Seller\nseat-3,Seller\n".to_owned());
        files.insert(
            "occupancies.csv",
            "position_id,payee_id,from_on\nlead,mia,2026-01-01\nseat-1,ana,2026-01-01\nseat-2,ben,2026-01-01\nseat-3,new,2026-04-10\n"
                .to_owned(),
        );
        files.insert(
            "plan_assignments.csv",
            "payee_id,plan_id,from_on,target\nana,seller,2026-01-01,10\nben,seller,2026-01-01,\nmia,seller,2026-01-01,\n".to_owned(),
        );
        files.insert(
            "adjustments.csv",
            "adjustment_id,payee_id,period_id,amount,reason\nx1,mia,2026-04,-250,correction\nx2,mia,2026-04,249.99,correction\n".to_owned(),
        );
        instance.load(write(&files).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", Some("ben"), &[Role::Finance]).await;
        let otto = person(instance, "otto", None, &[Role::Auditor]).await;
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let view = instance.view().await.expect("a view");
        assert_eq!(
            kind(&instance.anomalies(&view, &ana, "2026-04", &Thresholds::default()).await.expect_err("no")),
            RefusalKind::Forbidden
        );

        // The median of Ana's three months is 20: 31 lies 55 % above it, and is 3.1 times her target of 10.
        let list = listed(instance, &otto, "2026-04", &thresholds(55, "3.2", "250")).await;
        assert!(kinds(&list, "ana").is_empty(), "{list:?}");
        let list = listed(instance, &otto, "2026-04", &thresholds(54, "3.1", "250")).await;
        assert_eq!(kinds(&list, "ana"), [AnomalyKind::OffTrend, AnomalyKind::AboveTarget]);
        assert_eq!((list[0].value.as_deref(), list[0].against.as_deref()), (Some("31"), Some("20")));
        assert_eq!(kinds(&list, "ben"), [AnomalyKind::OffTrend, AnomalyKind::ZeroAfterPay]);
        assert_eq!(kinds(&list, "new"), [AnomalyKind::WithoutPlan]);
        let large: Vec<Option<&str>> =
            list.iter().filter(|own| own.kind == AnomalyKind::LargeAdjustment).map(|own| own.against.as_deref()).collect();
        assert_eq!(large, [Some("x1")]);

        // A review counts for these figures; the period's approval asks what is left.
        let settings = AnomalySettings { percent: 54, target_times: "3.1".to_owned(), adjustment_at_least: "250".to_owned() };
        agree(instance, &ada, &finn, &WorkPolicy { anomalies: settings, ..WorkPolicy::default() }).await;
        let left = |view: attain_app::view::View| async move { instance.unreviewed_anomalies(&view, "2026-04").await.expect("a list") };
        let all = left(view.clone()).await;
        let key = |own: &Anomaly| AnomalyKey { payee_id: own.payee_id.clone(), kind: own.kind, fact: own.fact.clone() };
        let review = |own: &Anomaly, comment: &str| NewAnomalyReview { anomalies: vec![key(own)], comment: comment.to_owned() };
        let none = Thresholds::default();
        let of_ana = review(&all[0], "two large deals");
        for (who, expected) in [(&ana, RefusalKind::Forbidden), (&otto, RefusalKind::Forbidden)] {
            let refused = instance.review_anomalies(&view, who, "2026-04", &none, &of_ana).await.expect_err("refused");
            assert_eq!(kind(&refused), expected, "{}", who.name);
        }
        let of_ben = all.iter().find(|own| own.payee_id == "ben").expect("an anomaly");
        let refused = instance.review_anomalies(&view, &finn, "2026-04", &none, &review(of_ben, "fine")).await.expect_err("his own");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        let refused =
            instance.review_anomalies(&view, &ada, "2026-04", &none, &NewAnomalyReview { comment: " ".to_owned(), ..of_ana.clone() }).await;
        assert_eq!(kind(&refused.expect_err("say why")), RefusalKind::Invalid);
        let done = instance.review_anomalies(&view, &ada, "2026-04", &none, &of_ana).await.expect("reviewed");
        let of_ana_now = done.iter().find(|own| key(own) == of_ana.anomalies[0]).expect("the anomaly");
        assert_eq!(of_ana_now.review.as_ref().map(|own| own.comment.as_str()), Some("two large deals"));
        assert_eq!(left(view.clone()).await.len(), all.len() - 1);
        // Several with the same words: one that is not there keeps all of them from being marked.
        let others: Vec<AnomalyKey> = all[1..].iter().map(key).collect();
        let mut with_wrong = others.clone();
        with_wrong[0].fact = "other figures".to_owned();
        let several = |anomalies: Vec<AnomalyKey>| NewAnomalyReview { anomalies, comment: "looked at together".to_owned() };
        let refused = instance.review_anomalies(&view, &ada, "2026-04", &none, &several(with_wrong)).await.expect_err("not there");
        assert_eq!(kind(&refused), RefusalKind::NotFound);
        assert_eq!(left(view.clone()).await.len(), all.len() - 1);
        let refused = instance.review_anomalies(&view, &finn, "2026-04", &none, &several(others.clone())).await.expect_err("his own");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        assert_eq!(
            kind(&instance.review_anomalies(&view, &ada, "2026-04", &none, &several(Vec::new())).await.expect_err("none")),
            RefusalKind::Invalid
        );
        let done = instance.review_anomalies(&view, &ada, "2026-04", &none, &several(others)).await.expect("reviewed");
        assert!(done.iter().all(|own| own.review.is_some()) && left(view).await.is_empty(), "{done:?}");

        import(instance, "transactions", "transaction_id,kind,ordered_on,amount,currency,payee_id\na5,order,2026-04-06,10,USD,ana\n").await;
        instance.run(&|_| {}).await.expect("a run");
        let view = instance.view().await.expect("a view");
        let again = left(view.clone()).await;
        assert!(again.len() == 2 && again.iter().all(|own| own.payee_id == "ana"), "other figures are looked at again: {again:?}");
        let refused = instance.review_anomalies(&view, &ada, "2026-04", &none, &of_ana).await.expect_err("the old figures");
        assert_eq!(kind(&refused), RefusalKind::NotFound);
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}
