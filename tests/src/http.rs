//! The interface as a program sees it: a server over a stage, people with their tokens, requests and answers.

use crate::stage::{Stage, small_company, write};
use attain_app::Instance;
use attain_app::access::{Caller, Role};
use attain_app::users::{NewToken, NewUser};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a port of its own.
pub struct Server {
    pub url: String,
    instance: Instance,
    agent: ureq::Agent,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
    /// By login.
    tokens: Mutex<BTreeMap<String, String>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the answer is text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{} is not JSON ({error}): {}", self.status, self.text()))
    }

    /// The answer's JSON where it has this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Server {
    /// Serves the stage's record on a free port.
    pub async fn start(stage: &Stage) -> Server {
        let options = attain_http::Options { listen: "127.0.0.1:0".to_owned(), public_url: None, plain_cookies: true };
        let (tell, told) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let instance = stage.instance.clone();
        let task = tokio::spawn(attain_http::serve(
            instance.clone(),
            options,
            async {
                // The sender going away is a signal to stop too.
                let _ = stopped.await;
            },
            move |address| {
                let _ = tell.send(address);
            },
        ));
        let address = told.await.expect("the server listens");
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).max_idle_connections(0).proxy(None).build();
        let agent = ureq::Agent::new_with_config(config);
        Server { url: format!("http://{address}"), instance, agent, stop, task, tokens: Mutex::default() }
    }

    /// An API token of a user with that role; she is added when she is first asked for.
    pub async fn token(&self, role: Role) -> String {
        self.token_of(role.name(), &[role], None).await
    }

    /// An API token of a user who may be a payee.
    pub async fn token_of(&self, login: &str, roles: &[Role], payee_id: Option<&str>) -> String {
        if let Some(token) = self.tokens.lock().expect("the lock").get(login) {
            return token.clone();
        }
        let operator = Caller::operator("tester");
        let new = NewUser { login: login.to_owned(), name: login.to_owned(), payee_id: payee_id.map(str::to_owned), roles: roles.to_vec() };
        let user = self.instance.add_user(&operator, &new).await.expect("a user");
        let token = NewToken { name: "test".to_owned(), scopes: Vec::new(), days: 1 };
        let secret = self.instance.add_token_for(&operator, &user.user_id, &token).await.expect("a token").secret.expect("a secret");
        self.tokens.lock().expect("the lock").insert(login.to_owned(), secret.clone());
        secret
    }

    /// `path` as it stands behind `/api/v1`; without a token where that is empty.
    pub fn send(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}/api/v1{path}", self.url));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // The server runs on the same threads: a blocking call must not keep one of them.
        let answered = tokio::task::block_in_place(|| match body {
            Some(body) => self.agent.run(request.body(body).expect("a request")),
            None => self.agent.run(request.body(()).expect("a request")),
        });
        let mut response = answered.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
        let body = tokio::task::block_in_place(|| response.body_mut().with_config().limit(256 << 20).read_to_vec()).expect("a body");
        Answer { status: response.status().as_u16(), headers, body }
    }

    pub fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, token, &[], None)
    }

    pub fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send("POST", path, token, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
    }

    pub fn post_csv(&self, token: &str, path: &str, text: &str) -> Answer {
        self.send("POST", path, token, &[("content-type", "text/csv")], Some(text.as_bytes()))
    }

    /// Edits an object of which `version` was read.
    pub fn patch(&self, token: &str, path: &str, version: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("if-match", version)];
        self.send("PATCH", path, token, &headers, Some(body.to_string().as_bytes()))
    }

    pub async fn stop(self) {
        let _ = self.stop.send(());
        drop(self.agent);
        self.task.await.expect("the server ends").expect("the server ends well");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_managed_by_who_may_and_nobody_overwrites_unseen() {
    for stage in Stage::each().await {
        stage.instance.load(write(&small_company()).path()).await.expect("the company loads");
        let server = Server::start(&stage).await;
        let platform = server.token(Role::Platform).await;
        for role in [Role::Seller, Role::Manager, Role::CompAdmin, Role::Finance, Role::Auditor] {
            assert_eq!(server.get(&server.token(role).await, "/users").status, 403, "{}", role.name());
        }
        assert_eq!(server.get("", "/users").status, 401);

        let new = json!({ "login": "Ana", "name": "Ana Torres", "payee_id": "ana", "roles": ["seller"] });
        let added = server.post(&platform, "/users", &new).expect(201);
        assert_eq!(added["login"], "ana");
        assert_eq!(server.post(&platform, "/users", &new).status, 409);
        assert_eq!(server.post(&platform, "/users", &json!({ "login": "x", "name": "X", "roles": [], "version": 9 })).status, 422);
        let path = format!("/users/{}", added["user_id"].as_str().expect("an id"));
        let read = server.get(&platform, &path);
        read.expect(200);
        let version = read.header("etag").expect("a version");
        assert_eq!(server.send("PATCH", &path, &platform, &[("content-type", "application/json")], Some(b"{}")).status, 428);
        let edited = server.patch(&platform, &path, version, &json!({ "disabled": true }));
        assert_eq!(edited.expect(200)["disabled"], true);
        assert_eq!(server.patch(&platform, &path, version, &json!({ "name": "B" })).status, 412);
        assert_eq!(server.post(&platform, &format!("{path}/link"), &json!({})).status, 404, "no link for a disabled user");
        server.patch(&platform, &path, edited.header("etag").expect("a version"), &json!({ "disabled": false })).expect(200);
        let link = server.post(&platform, &format!("{path}/link"), &json!({})).expect(201);
        let (address, token) = link["url"].as_str().and_then(|url| url.split_once("/sign-in#token=")).expect("a link");
        assert_eq!(address, server.url);
        let page = [("content-type", "application/json"), ("x-attain", "console"), ("origin", server.url.as_str())];
        let body = json!({ "token": token }).to_string();
        assert_eq!(server.send("POST", "/session/link", "", &page, Some(body.as_bytes())).expect(200)["payee_id"], "ana");
        assert_eq!(server.send("POST", "/session/link", "", &page, Some(body.as_bytes())).status, 401, "a link works once");
        server.stop().await;
        stage.remove().await;
    }
}
