//! What leaves the house: mail to a real SMTP server, webhooks to a real HTTP server; what is sent twice, late, or not at all.

use super::sinks::{Hook, HookSink, SmtpSink};
use super::{a_day_passes, job, kind, record, told, until};
use crate::changes::person;
use crate::http::Server;
use crate::stage::{Stage, small_company, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::disputes::{DisputeKind, NewDispute};
use attain_app::mail::MailConfig;
use attain_app::notices::{MailEdit, NoticeKind};
use attain_app::outbox::OutwardConfig;
use attain_app::refusal::RefusalKind;
use attain_app::webhook_keys::SecretRotation;
use attain_app::webhooks::{NewWebhook, WebhookEdit};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn outward(sink: &SmtpSink) -> OutwardConfig {
    let mail = MailConfig { smtp_url: sink.url.clone(), from: "Attain <pay@example.com>".to_owned() };
    OutwardConfig { mail: Some(mail), public_url: Some("https://attain.example.com".to_owned()), webhook_hosts: Vec::new() }
}

fn dispute(subject: &str) -> NewDispute {
    let body = "1234.56 was agreed".to_owned();
    NewDispute {
        kind: DisputeKind::Dispute,
        line: None,
        transaction_id: None,
        subject: subject.to_owned(),
        body,
        expected: Some("1234.56".to_owned()),
    }
}

async fn raise(instance: &Instance, caller: &Caller, subject: &str) -> String {
    let view = instance.view().await.expect("a view");
    let payee = caller.payee_id.clone().expect("a payee");
    instance.raise_dispute(&view, caller, &payee, "2026-01", &dispute(subject)).await.expect("a dispute").head.dispute_id
}

async fn has_address(instance: &Instance, caller: &Caller, address: &str) {
    let edit = MailEdit { address: Some(address.to_owned()), opted_out: None };
    instance.edit_mail_preference(caller, 0, &edit).await.expect("an address");
}

/// The state of every message and what was answered to each attempt, oldest first.
async fn attempts(stage: &Stage) -> Vec<(String, Vec<Option<i64>>)> {
    let database = record(stage).await;
    let mut read = database.read().await.expect("a connection");
    let all: Vec<(String, String)> = attain_database::sqlx::query_as("select outbox_id, state from outbox order by created_at, outbox_id")
        .fetch_all(&mut *read)
        .await
        .expect("messages");
    let mut found = Vec::new();
    for (outbox_id, state) in all {
        let own = attain_store::outbox::attempts(&mut read, &outbox_id).await.expect("attempts");
        found.push((state, own.iter().map(|own| own.status).collect()));
    }
    drop(read);
    database.close().await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_says_where_to_read_and_no_figure_and_is_sent_once() {
    let sink = SmtpSink::start();
    for stage in Stage::each_with(&outward(&sink)).await {
        let before = sink.mails().len();
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let finn = person(instance, "finn", None, &[Role::Finance]).await;
        let nell = person(instance, "nell", None, &[Role::Finance]).await;
        has_address(instance, &ada, "ada@example.com").await;
        has_address(instance, &finn, "finn@example.com").await;
        let no = MailEdit { address: None, opted_out: Some(true) };
        instance.edit_mail_preference(&finn, 1, &no).await.expect("no mail");
        let refused = instance.edit_mail_preference(&finn, 1, &no).await.expect_err("stale");
        assert_eq!(kind(&refused), RefusalKind::Stale);
        let bad = MailEdit { address: Some("ada@example.com\r\nBcc: all@example.com".to_owned()), opted_out: None };
        assert_eq!(kind(&instance.edit_mail_preference(&nell, 0, &bad).await.expect_err("no address")), RefusalKind::Invalid);
        // The seller's own address is that of her payee.
        assert_eq!(instance.mail_preference(&ana).await.expect("a preference").address.as_deref(), Some("ana@example.com"));

        let id = raise(instance, &ana, "the bonus of 1234.56").await;
        assert_eq!(told(instance, &finn).await.len(), 1, "who wants no mail is told in the console all the same");
        let outcome = job(&stage, "deliver").await;
        let counted: u64 = ["sent", "failed", "dropped"].iter().map(|name| outcome[*name].as_u64().expect("a count")).sum();
        let mails = sink.mails().split_off(before);
        assert_eq!(mails.len(), 1, "one wants no mail, one has no address: {mails:?} {counted}");
        let mail = &mails[0];
        assert_eq!((mail.from.as_str(), mail.to.as_str()), ("pay@example.com", "ada@example.com"));
        assert_eq!(mail.header("Subject"), Some("A statement is asked about or disputed"));
        let message_id = mail.header("Message-ID").expect("an id").to_owned();
        assert!(message_id.starts_with("<message-") && message_id.ends_with("@example.com>"), "{message_id}");
        // Long lines are folded in the mail.
        let unfolded = mail.text.replace("=\r\n", "").replace("=\n", "");
        assert!(unfolded.contains(&format!("https://attain.example.com/disputes/{id}")), "{}", mail.text);
        for figure in ["1234.56", "bonus", "USD", "Ana"] {
            assert!(!mail.text.contains(figure), "{figure}: {}", mail.text);
        }
        // What was marked as sent is never sent again.
        a_day_passes(&stage).await;
        job(&stage, "deliver").await;
        assert_eq!(sink.mails().len(), before + 1);

        // The answer goes to the seller.
        let view = instance.view().await.expect("a view");
        instance.answer_dispute(&view, &ada, &id, "it is 1234.56 indeed").await.expect("an answer");
        job(&stage, "deliver").await;
        let mails = sink.mails().split_off(before + 1);
        assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["ana@example.com"]);
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_not_taken_is_tried_again_unless_there_is_no_such_address() {
    let sink = SmtpSink::start();
    for stage in Stage::each_with(&outward(&sink)).await {
        let before = sink.mails().len();
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        has_address(instance, &ada, "ada@example.com").await;
        sink.say(&["451 later", "451 later"]);
        raise(instance, &ana, "first").await;
        // As soon as it is due again, which may be within one of these jobs.
        for _ in 0..3 {
            job(&stage, "deliver").await;
            a_day_passes(&stage).await;
        }
        assert_eq!(sink.mails().len(), before + 1);
        assert_eq!(attempts(&stage).await, [("sent".to_owned(), vec![Some(451), Some(451), None])]);
        sink.say(&["550 nobody here"]);
        raise(instance, &ana, "second").await;
        job(&stage, "deliver").await;
        a_day_passes(&stage).await;
        job(&stage, "deliver").await;
        assert_eq!(sink.mails().len(), before + 1);
        let now = attempts(&stage).await;
        assert_eq!(now[1], ("failed".to_owned(), vec![Some(550)]), "an address that will never be one is not tried again");
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_sends_by_itself_and_tries_again_after_a_while() {
    let sink = SmtpSink::start();
    for stage in Stage::each_with(&outward(&sink)).await {
        let before = sink.mails().len();
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        has_address(instance, &ada, "ada@example.com").await;
        sink.say(&["451 later"]);
        let worker = super::Worker::start(instance);
        raise(instance, &ana, "first").await;
        until("the mail is there", || sink.mails().len() == before + 1).await;
        worker.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_retried_sent_again_and_switched_off() {
    let sink = HookSink::start();
    let outward = OutwardConfig { mail: None, public_url: None, webhook_hosts: vec![sink.address.clone()] };
    for stage in Stage::each_with(&outward).await {
        let before = sink.hooks().len();
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
        let pat = person(instance, "pat", None, &[Role::Platform]).await;
        let new = |url: &str| NewWebhook { url: url.to_owned(), events: vec![NoticeKind::DisputeRaised] };
        let url = format!("http://{}/attain", sink.address);
        assert_eq!(kind(&instance.add_webhook(&ana, &new(&url)).await.expect_err("not by a seller")), RefusalKind::Forbidden);
        for url in ["http://hooks.example.com/", "https://127.0.0.1/", "https://169.254.169.254/", "https://localhost/", "ftp://a.b/"] {
            assert_eq!(kind(&instance.add_webhook(&ada, &new(url)).await.expect_err("not public")), RefusalKind::Invalid, "{url}");
        }
        let made = instance.add_webhook(&pat, &new(&url)).await.expect("a webhook");
        let (secret, id) = (made.secret.expect("a secret"), made.webhook_id);
        let list = serde_json::to_string(&instance.webhooks(&ada).await.expect("a list")).expect("JSON");
        assert!(!list.contains(&secret), "a secret is shown once");

        sink.say(&["500 Oops", "302 Found"]);
        let dispute_id = raise(instance, &ana, "the bonus").await;
        for _ in 0..3 {
            job(&stage, "deliver").await;
            a_day_passes(&stage).await;
        }
        assert_eq!(sink.hooks().len(), before + 3);
        let hooks = sink.hooks().split_off(before);
        let last = &hooks[2];
        assert_eq!(last.path, "/attain");
        let ids: Vec<&str> = hooks.iter().map(|hook| hook.headers["webhook-id"].as_str()).collect();
        assert!(ids.iter().all(|own| *own == ids[0]), "the same message each time: {ids:?}");
        assert_eq!(signed(last), [signature_by_hand(&secret, last)]);
        let body: Value = serde_json::from_str(&last.body).expect("JSON");
        let data = &body["data"];
        assert_eq!(body["type"], "dispute-raised");
        assert_eq!((&data["object"], &data["payee_id"], &data["period_id"]), (&json!(dispute_id), &json!("ana"), &json!("2026-01")));
        // The state is told, what it is worth and what people wrote is not.
        assert_eq!((&data["kind"], &data["state"], &data["holds_pay"]), (&json!("dispute"), &json!("open"), &json!(false)));
        assert!(!last.body.contains("1234.56") && !last.body.contains("the bonus"), "no figure, no word: {}", last.body);

        let log = instance.deliveries(&ada, &id, "", 10).await.expect("a log");
        assert_eq!((log.len(), log[0].state.as_str()), (1, "sent"));
        let delivery = instance.delivery(&ada, &id, &log[0].delivery_id).await.expect("a delivery");
        let statuses: Vec<Option<i64>> = delivery.attempts.iter().map(|own| own.status).collect();
        assert_eq!(statuses, [Some(500), Some(302), Some(204)], "a redirect is not followed");
        instance.send_again(&ada, &id, &log[0].delivery_id).await.expect("once more");
        job(&stage, "deliver").await;
        assert_eq!(sink.hooks().len(), before + 4);
        assert_eq!(sink.hooks()[before + 3].headers["webhook-id"], ids[0]);

        // Another kind of event is not told; one that fails too often in a row is switched off.
        let view = instance.view().await.expect("a view");
        instance.answer_dispute(&view, &ada, &dispute_id, "which one?").await.expect("an answer");
        job(&stage, "deliver").await;
        assert_eq!(sink.hooks().len(), before + 4);
        sink.say(&["503 Busy"; 20]);
        for number in 0..21 {
            raise(instance, &ana, &format!("number {number}")).await;
        }
        job(&stage, "deliver").await;
        let now = instance.webhooks(&ada).await.expect("a list").remove(0);
        assert_eq!((now.state.as_str(), now.failures), ("disabled", 20));
        let asked = sink.hooks().len();
        assert_eq!(asked, before + 24);
        a_day_passes(&stage).await;
        job(&stage, "deliver").await;
        assert_eq!(sink.hooks().len(), asked, "nothing goes to what is switched off");
        let edit = WebhookEdit { url: None, events: None, active: Some(true) };
        let now = instance.edit_webhook(&pat, &id, now.version, &edit).await.expect("on again");
        assert_eq!((now.state.as_str(), now.failures), ("active", 0));
        raise(instance, &ana, "the last one").await;
        job(&stage, "deliver").await;
        assert_eq!(sink.hooks().len(), asked + 1);
        instance.remove_webhook(&pat, &id).await.expect("removed");
        assert!(instance.webhooks(&ada).await.expect("a list").is_empty());
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());
        stage.remove().await;
    }
}

/// The bytes of base64, by its definition.
fn bytes_of(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u32> = text.trim_end_matches('=').chars().map(|own| DIGITS.find(own).expect("a digit") as u32).collect();
    let mut found = Vec::new();
    let (mut held, mut count) = (0u32, 0);
    for own in bits {
        held = (held << 6) | own;
        count += 6;
        if count >= 8 {
            count -= 8;
            found.push((held >> count) as u8);
            held &= (1 << count) - 1;
        }
    }
    found
}

/// HMAC by RFC 2104 over the plain hash, compared as bytes: nothing of the server's own code.
fn signature_by_hand(secret: &str, hook: &Hook) -> Vec<u8> {
    let mut key = bytes_of(secret.strip_prefix("whsec_").expect("the form of a secret"));
    assert_eq!(key.len(), 32);
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let text = format!("{}.{}.{}", hook.headers["webhook-id"], hook.headers["webhook-timestamp"], hook.body);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text.as_bytes()).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// The signatures of a delivery, whose instant is one of now.
fn signed(hook: &Hook) -> Vec<Vec<u8>> {
    let seconds: u64 = hook.headers["webhook-timestamp"].parse().expect("seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    assert!(now.abs_diff(seconds) < 300, "{seconds} is not of now");
    let one = |own: &str| bytes_of(own.strip_prefix("v1,").expect("the first scheme"));
    hook.headers["webhook-signature"].split(' ').map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_replaced_while_the_old_one_still_signs() {
    let sink = HookSink::start();
    let outward = OutwardConfig { mail: None, public_url: None, webhook_hosts: vec![sink.address.clone()] };
    for stage in Stage::each_with(&outward).await {
        let before = sink.hooks().len();
        let instance = &stage.instance;
        instance.load(write(&small_company()).path()).await.expect("the company loads");
        instance.run(&|_| {}).await.expect("a run");
        let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
        let pat = person(instance, "pat", None, &[Role::Platform]).await;
        let url = format!("http://{}/", sink.address);
        let made = instance.add_webhook(&pat, &NewWebhook { url, events: Vec::new() }).await.expect("a webhook");
        let (first, id) = (made.secret.expect("a secret"), made.webhook_id);
        let rotate = |hours| SecretRotation { old_valid_hours: hours };
        let refused = instance.rotate_webhook(&ana, &id, made.version, &rotate(None)).await.expect_err("not by a seller");
        assert_eq!(kind(&refused), RefusalKind::Forbidden);
        let refused = instance.rotate_webhook(&pat, &id, made.version + 1, &rotate(None)).await.expect_err("stale");
        assert_eq!(kind(&refused), RefusalKind::Stale);
        assert_eq!(
            kind(&instance.rotate_webhook(&pat, &id, made.version, &rotate(Some(721))).await.expect_err("too long")),
            RefusalKind::Invalid
        );
        let now = instance.rotate_webhook(&pat, &id, made.version, &rotate(None)).await.expect("a new secret");
        let second = now.secret.expect("a secret");
        assert_ne!(first, second);
        assert_eq!(now.secrets.iter().map(|own| own.valid_until.is_some()).collect::<Vec<_>>(), [false, true]);

        // Both sign; then the old one has ended, and one that ends at once does not sign along.
        raise(instance, &ana, "first").await;
        job(&stage, "deliver").await;
        let hook = sink.hooks().split_off(before).pop().expect("a delivery");
        assert_eq!(signed(&hook), [signature_by_hand(&second, &hook), signature_by_hand(&first, &hook)]);
        let database = record(&stage).await;
        let mut tx = database.begin().await.expect("a transaction");
        let ended = "update webhook_keys set valid_until = 1 where valid_until is not null";
        attain_database::sqlx::query(ended).execute(&mut *tx).await.expect("time passes");
        tx.commit().await.expect("committed");
        raise(instance, &ana, "second").await;
        job(&stage, "deliver").await;
        let hook = sink.hooks().split_off(before).pop().expect("a delivery");
        assert_eq!(signed(&hook), [signature_by_hand(&second, &hook)]);
        let now = instance.rotate_webhook(&pat, &id, now.version, &rotate(Some(0))).await.expect("a new secret");
        let third = now.secret.expect("a secret");
        raise(instance, &ana, "third").await;
        job(&stage, "deliver").await;
        let hook = sink.hooks().split_off(before).pop().expect("a delivery");
        assert_eq!(signed(&hook), [signature_by_hand(&third, &hook)]);

        // No secret lies in the database, and the trail says who replaced it without saying it.
        let mut read = database.read().await.expect("a connection");
        let kept: Vec<(String, String)> =
            attain_database::sqlx::query_as("select key_id, secret_hash from webhook_keys").fetch_all(&mut *read).await.expect("keys");
        assert_eq!(kept.len(), 3);
        for secret in [&first, &second, &third] {
            let raw = secret.strip_prefix("whsec_").expect("a form");
            assert!(kept.iter().all(|(id, hash)| !id.contains(raw) && !hash.contains(raw)));
        }
        drop(read);
        database.close().await;
        assert!(instance.verify_audit().await.expect("a report").faults.is_empty());

        // Who answers that it is gone is asked nothing more.
        sink.say(&["410 Gone"]);
        let asked = sink.hooks().len();
        raise(instance, &ana, "fourth").await;
        job(&stage, "deliver").await;
        raise(instance, &ana, "fifth").await;
        job(&stage, "deliver").await;
        assert_eq!(sink.hooks().len(), asked + 1);
        assert_eq!(instance.webhooks(&pat).await.expect("a list")[0].state, "disabled");
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_into_our_own_network_is_not_connected_to() {
    let stage = Stage::sqlite().await;
    let instance = &stage.instance;
    instance.load(write(&small_company()).path()).await.expect("the company loads");
    instance.run(&|_| {}).await.expect("a run");
    let ana = person(instance, "ana", Some("ana"), &[Role::Seller]).await;
    let ada = person(instance, "ada", None, &[Role::CompAdmin]).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    // With the dot at its end it is a name like any other, which leads to this machine.
    let url = format!("https://localhost.:{}/", listener.local_addr().expect("an address").port());
    let new = NewWebhook { url, events: Vec::new() };
    let id = instance.add_webhook(&ada, &new).await.expect("a name says nothing").webhook_id;
    raise(instance, &ana, "the bonus").await;
    job(&stage, "deliver").await;
    let log = instance.deliveries(&ada, &id, "", 10).await.expect("a log");
    assert_eq!((log.len(), log[0].state.as_str()), (1, "waiting"));
    assert!(listener.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "nobody connected");
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_counted_and_read_by_their_reader_alone() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        stage.instance.run(&|_| {}).await.expect("a run");
        let server = Server::start(&stage).await;
        let ana = server.token_of("ana", &[Role::Seller], Some("ana")).await;
        let ada = server.token_of("ada", &[Role::CompAdmin], None).await;
        let finn = server.token_of("finn", &[Role::Finance], None).await;
        let new = json!({ "subject": "all of it", "body": "see the contract" });
        for _ in 0..3 {
            server.post(&ana, "/payees/ana/periods/2026-01/disputes", &new).expect(201);
        }
        assert_eq!(server.get(&ada, "/notices/count").expect(200)["unread"], 3);
        assert_eq!(server.get(&ana, "/notices/count").expect(200)["unread"], 0, "nobody is told of what she did herself");
        let page = server.get(&ada, "/notices?limit=2").expect(200);
        assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
        let cursor = page["next_cursor"].as_str().expect("a cursor");
        let rest = server.get(&ada, &format!("/notices?limit=2&cursor={cursor}")).expect(200);
        assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next_cursor"]), (Some(1), &Value::Null));
        let first = page["items"][0]["notice_id"].as_str().expect("an id");
        server.post(&finn, "/notices/read", &json!({ "notice_ids": [first] })).expect(200);
        assert_eq!(server.get(&ada, "/notices/count").expect(200)["unread"], 3, "somebody else's");
        assert_eq!(server.post(&ada, "/notices/read", &json!({ "notice_ids": [first] })).expect(200)["unread"], 2);
        assert_eq!(server.get(&ada, "/notices?unread=true").expect(200)["items"].as_array().map(Vec::len), Some(2));
        assert_eq!(server.post(&ada, "/notices/read", &json!({})).expect(200)["unread"], 0);
        assert_eq!(server.get(&finn, "/notices/count").expect(200)["unread"], 3);
        server.stop().await;
        stage.remove().await;
    }
}
