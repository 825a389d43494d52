//! Signing in: what a stranger cannot do, what a cookie alone cannot do, and what ends a session.

use crate::http::{Answer, Server};
use crate::stage::{Stage, small_company, write};
use attain_app::access::{Action, Caller, Role};
use attain_app::users::{NewToken, NewUser, UserEdit};
use serde_json::json;

/// A request as the console sends it: with the cookie, from its own page.
fn by_cookie(server: &Server, method: &str, path: &str, cookie: &str, body: &str) -> Answer {
    let headers = [
        ("cookie", cookie),
        ("x-attain", "console"),
        ("origin", server.url.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/json"),
    ];
    server.send(method, path, "", &headers, Some(body.as_bytes()))
}

fn cookie_of(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").expect("a cookie is set");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
    cookie.split(';').next().expect("a value").to_owned()
}

async fn with_admin(stage: &Stage) -> (Server, String) {
    stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
    let server = Server::start(stage).await;
    let secret = stage.instance.new_setup_link().await.expect("a link").expect("nobody can sign in yet");
    let body = json!({ "token": secret, "login": "Root", "name": "Root", "password": "correct horse battery" }).to_string();
    let answer = by_cookie(&server, "POST", "/setup", "", &body);
    answer.expect(200);
    let cookie = cookie_of(&answer);
    (server, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setup_link_makes_one_first_user_and_then_nothing() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let first = stage.instance.new_setup_link().await.expect("a link").expect("a secret");
        let second = stage.instance.new_setup_link().await.expect("a link").expect("a secret");
        let body = |token: &str, login: &str| {
            json!({ "token": token, "login": login, "name": login, "password": "correct horse battery" }).to_string()
        };
        by_cookie(&server, "POST", "/setup", "", &body(&first, "a")).expect(401);
        by_cookie(&server, "POST", "/setup", "", &body(&second, "b")).expect(200);
        by_cookie(&server, "POST", "/setup", "", &body(&second, "c")).expect(401);
        assert!(stage.instance.new_setup_link().await.expect("an answer").is_none(), "there is a user, so there is no link any more");
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_changes_at_every_sign_in_and_ends_for_good() {
    for stage in Stage::each().await {
        let (server, first) = with_admin(&stage).await;
        let body = json!({ "login": "root", "password": "correct horse battery" }).to_string();
        let answer = by_cookie(&server, "POST", "/session", &first, &body);
        answer.expect(200);
        let second = cookie_of(&answer);
        assert_ne!(first, second);
        by_cookie(&server, "GET", "/session", &first, "").expect(401);
        by_cookie(&server, "GET", "/session", &second, "").expect(200);
        let answer = by_cookie(
            &server,
            "PUT",
            "/session/password",
            &second,
            &json!({ "current": "correct horse battery", "new": "another good one" }).to_string(),
        );
        answer.expect(200);
        let third = cookie_of(&answer);
        by_cookie(&server, "GET", "/session", &second, "").expect(401);
        by_cookie(&server, "DELETE", "/session", &third, "").expect(204);
        by_cookie(&server, "GET", "/session", &third, "").expect(401);
        by_cookie(&server, "POST", "/session", "", &body).expect(401);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_roles_and_a_disabled_account_count_from_the_next_request() {
    for stage in Stage::each().await {
        let (server, _) = with_admin(&stage).await;
        let operator = Caller::operator("tester");
        let new = NewUser { login: "fin".to_owned(), name: "Fin".to_owned(), payee_id: None, roles: vec![Role::Finance] };
        let user = stage.instance.add_user(&operator, &new).await.expect("a user");
        let (link, _) = stage.instance.new_link(&operator, &user.user_id, true).await.expect("a link");
        let answer = by_cookie(&server, "POST", "/session/link", "", &json!({ "token": link }).to_string());
        answer.expect(200);
        let cookie = cookie_of(&answer);
        // Another node on the same record.
        let other = stage.again().await;
        let edit = UserEdit { roles: Some(vec![Role::Auditor]), ..UserEdit::default() };
        let edited = other.edit_user(&operator, &user.user_id, user.version, &edit).await.expect("an edit");
        by_cookie(&server, "GET", "/session", &cookie, "").expect(401);
        let answer = by_cookie(&server, "POST", "/session/link", "", &json!({ "token": link }).to_string());
        assert_eq!(answer.expect(200)["roles"], json!(["auditor"]));
        let cookie = cookie_of(&answer);
        let edit = UserEdit { disabled: Some(true), ..UserEdit::default() };
        other.edit_user(&operator, &user.user_id, edited.version, &edit).await.expect("an edit");
        by_cookie(&server, "GET", "/session", &cookie, "").expect(401);
        by_cookie(&server, "POST", "/session/link", "", &json!({ "token": link }).to_string()).expect(401);
        other.close().await;
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_alone_changes_nothing() {
    let stage = Stage::sqlite().await;
    let (server, cookie) = with_admin(&stage).await;
    let own = server.url.clone();
    let body = json!({ "name": "t", "scopes": [], "days": 1 }).to_string();
    let with = |headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend(headers);
        server.send("POST", "/tokens", "", &all, Some(body.as_bytes())).status
    };
    let json = ("content-type", "application/json");
    let console = ("x-attain", "console");
    for headers in [
        vec![json],
        vec![json, console],
        vec![json, console, ("origin", "null")],
        vec![json, console, ("origin", "https://evil.example")],
        vec![json, console, ("origin", "http://sub.127.0.0.1")],
        vec![json, ("origin", own.as_str())],
        vec![json, console, ("origin", own.as_str()), ("sec-fetch-site", "same-site")],
        vec![("content-type", "text/plain"), ("origin", own.as_str())],
    ] {
        assert_eq!(with(&headers), 403, "{headers:?}");
    }
    assert_eq!(with(&[json, console, ("origin", own.as_str())]), 201);
    server.stop().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_a_password_soon_has_to_wait_and_locks_nobody_out() {
    let stage = Stage::sqlite().await;
    let (server, cookie) = with_admin(&stage).await;
    let guess = |login: &str| by_cookie(&server, "POST", "/session", "", &json!({ "login": login, "password": "a wrong one" }).to_string());
    let mut evaluated = 0;
    for _ in 0..40 {
        let answer = guess("root");
        match answer.status {
            401 => evaluated += 1,
            429 => assert!(answer.header("retry-after").is_some(), "it says when to try again"),
            status => panic!("{status}: {}", answer.text()),
        }
    }
    assert!((1..=20).contains(&evaluated), "{evaluated} guesses were evaluated");
    // Whoever is signed in goes on working.
    by_cookie(&server, "GET", "/session", &cookie, "").expect(200);
    server.stop().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_login_and_a_wrong_password_look_the_same() {
    let stage = Stage::sqlite().await;
    let (server, _) = with_admin(&stage).await;
    let guess = |login: &str| by_cookie(&server, "POST", "/session", "", &json!({ "login": login, "password": "a wrong one" }).to_string());
    assert_eq!(guess("root").expect(401), guess("nobody").expect(401));
    server.stop().await;
    stage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_limited_to_its_scopes_ends_and_is_not_taken_from_an_address() {
    for stage in Stage::each().await {
        let (server, _) = with_admin(&stage).await;
        let operator = Caller::operator("tester");
        let new = NewUser { login: "fin".to_owned(), name: "Fin".to_owned(), payee_id: None, roles: vec![Role::Finance] };
        let user = stage.instance.add_user(&operator, &new).await.expect("a user");
        let scoped = NewToken { name: "audit".to_owned(), scopes: vec![Action::SeeAudit], days: 1 };
        let token = stage.instance.add_token_for(&operator, &user.user_id, &scoped).await.expect("a token");
        let secret = token.secret.clone().expect("a secret");
        assert_eq!(server.get(&secret, "/session").expect(200)["actions"], json!(["see-audit"]));
        assert_eq!(server.get(&secret, "/payees/ana/statements").status, 403);
        assert_eq!(server.get("", &format!("/session?token={secret}")).status, 401);
        assert_eq!(server.get(&secret[..secret.len() - 1], "/session").status, 401);
        let caller = Caller::new(&user.user_id, "", None, [Role::Finance], None);
        stage.instance.revoke_token(&caller, &token.token_id).await.expect("it is revoked");
        assert_eq!(server.get(&secret, "/session").status, 401);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_key_is_answered_once_and_refused_with_other_content() {
    for stage in Stage::each().await {
        let (server, _) = with_admin(&stage).await;
        let token = server.token(Role::Platform).await;
        let count = || server.get(&token, "/users").expect(200)["items"].as_array().map_or(0, Vec::len);
        let before = count();
        let send = |key: &str, login: &str| {
            let body = json!({ "login": login, "name": login, "roles": ["auditor"] }).to_string();
            server.send("POST", "/users", &token, &[("content-type", "application/json"), ("idempotency-key", key)], Some(body.as_bytes()))
        };
        let first = send("one", "a");
        let again = send("one", "a");
        assert_eq!(first.expect(201), again.expect(201), "the very same answer");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(first.header("idempotent-replayed"), None);
        send("one", "b").expect(422);
        send("two", "b").expect(201);
        assert_eq!(count(), before + 2);
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_even_when_its_request_is_sent_again() {
    for stage in Stage::each().await {
        let (server, _) = with_admin(&stage).await;
        let token = server.token(Role::Finance).await;
        let send = || {
            let body = json!({ "name": "a", "scopes": [], "days": 1 }).to_string();
            server.send(
                "POST",
                "/tokens",
                &token,
                &[("content-type", "application/json"), ("idempotency-key", "one")],
                Some(body.as_bytes()),
            )
        };
        let secret = send().expect(201)["secret"].as_str().expect("a secret").to_owned();
        let again = send();
        assert_eq!(again.expect(409)["code"], "answered-once");
        assert!(!again.text().contains(&secret));
        let made = server.get(&token, "/tokens").expect(200)["items"].as_array().map(Vec::len);
        assert_eq!(made, Some(2), "one by the key, one of the harness");
        server.stop().await;
        stage.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_fit_is_a_problem_and_never_plain_text() {
    let stage = Stage::sqlite().await;
    let (server, _) = with_admin(&stage).await;
    let token = server.token(Role::Platform).await;
    let json = ("content-type", "application/json");
    let long = "x".repeat(2 << 20);
    for (method, path, headers, body, status) in [
        ("GET", "/nothing", vec![], None, 404),
        ("PUT", "/users", vec![], None, 405),
        ("GET", "/payees?limit=x", vec![], None, 400),
        ("GET", "/users/none?x=1", vec![], None, 404),
        ("POST", "/users", vec![json], Some("{"), 400),
        ("POST", "/users", vec![], Some("{}"), 415),
        ("POST", "/users", vec![json], Some(r#"{"login":"x","name":"X","roles":[],"version":9}"#), 422),
        ("POST", "/users", vec![json], Some(long.as_str()), 413),
        ("PATCH", "/users/none", vec![json], Some("{}"), 428),
        ("PATCH", "/users/none", vec![json, ("if-match", "\"x\"")], Some("{}"), 412),
    ] {
        let answer = server.send(method, path, &token, &headers, body.map(str::as_bytes));
        let problem = answer.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{method} {path}");
        assert_eq!(problem["status"], json!(status), "{method} {path}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{method} {path}: {problem}");
        assert!(answer.header("x-request-id").is_some());
    }
    server.stop().await;
    stage.remove().await;
}
