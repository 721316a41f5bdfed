//! Two nodes on one store: what one begins the other ends.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use data_encoding::BASE64URL_NOPAD;
use mngntime_store::{Act, AdministratorId, NewAdministrator, Role};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_sessions::SessionStore as _;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::session::{Id, Record};

use super::{NOW, Site};
use crate::provider::Provider;
use crate::second_factor::passkeys::Passkeys;
use crate::sessions::Sessions;
use crate::settings::ProviderSettings;
use crate::web::router;

const URL: &str = "https://time.example";

/// A site with two nodes.
struct Nodes {
    site: Site,
    nodes: [Router; 2],
}

impl Nodes {
    /// `issuer`: of the provider, where there is one.
    async fn new(issuer: Option<&str>) -> Self {
        let site = Site::new().await;
        let nodes = [(); 2].map(|()| {
            let mut state = site.state.clone();
            state.passkeys = Passkeys::new(URL, "MngnTime").map(Arc::new);
            state.provider = issuer.map(|issuer| Arc::new(Provider::new(provider_settings(issuer), URL)));
            router(state)
        });
        Self { site, nodes }
    }

    /// A session in which somebody has just shown who they are.
    async fn fresh_session(&self, id: AdministratorId) -> String {
        let about = json!({ "at": NOW.0, "since": NOW.0, "second": false, "address": null, "agent": "" });
        let data = [("person".to_owned(), json!(id.to_string())), ("about".to_owned(), about)].into();
        let expiry_date = OffsetDateTime::now_utc() + Duration::hours(1);
        let mut record = Record { id: Id::default(), data, expiry_date };
        Sessions(self.site.store.clone()).create(&mut record).await.unwrap();
        format!("mngntime_session={}", record.id)
    }

    /// Asks a node: status, the first cookie that it sets, where it leads to, and the body.
    async fn ask(&self, node: usize, request: Request<Body>) -> (StatusCode, String, String, String) {
        let answer = self.nodes[node].clone().oneshot(request).await.unwrap();
        let text = |name| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (status, location) = (answer.status(), text(header::LOCATION));
        let cookie = text(header::SET_COOKIE).split(';').next().unwrap().to_owned();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, cookie, location, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn post(&self, node: usize, cookie: &str, path: &str, body: &Value) -> (StatusCode, String, Value) {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::HOST, "time.example")
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        let (status, cookie, _, text) =
            self.ask(node, request.body(Body::from(body.to_string())).unwrap()).await;
        (status, cookie, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

fn provider_settings(issuer: &str) -> ProviderSettings {
    ProviderSettings {
        issuer: issuer.to_owned(),
        name: "ID".into(),
        client_id: "mngntime".into(),
        client_secret_file: None,
        scopes: Vec::new(),
        login_claim: None,
        contract: "A-1".into(),
        second_factor: Vec::new(),
    }
}

/// An authenticator with one key, which verifies its owner and knows whose it is.
struct Authenticator {
    key: EcdsaKeyPair,
    owner: String,
}

const CREDENTIAL: &[u8] = b"one credential id";

impl Authenticator {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self { key, owner: String::new() }
    }

    fn client_data(kind: &str, question: &Value) -> Vec<u8> {
        let challenge = &question["publicKey"]["challenge"];
        json!({ "type": kind, "challenge": challenge, "origin": URL, "crossOrigin": false })
            .to_string()
            .into()
    }

    /// Data of the authenticator: for which host, that somebody was there and was verified, and how often it was used.
    fn data(flags: u8, used: u32) -> Vec<u8> {
        let host = digest(&SHA256, b"time.example");
        [host.as_ref(), &[0x05 | flags], &used.to_be_bytes()].concat()
    }

    /// What the browser sends when a passkey was made (WebAuthn 6.5.1, attestation "none").
    fn made(&mut self, question: &Value) -> Value {
        question["publicKey"]["user"]["id"].as_str().unwrap().clone_into(&mut self.owner);
        let point = self.key.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..]);
        // COSE: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let key = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], x, &[0x22, 0x58, 32], y].concat();
        let length = u16::try_from(CREDENTIAL.len()).unwrap().to_be_bytes();
        let data = [&Self::data(0x40, 0)[..], &[0; 16], &length, CREDENTIAL, &key].concat();
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": data}
        let object = [
            &b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"[..],
            &[u8::try_from(data.len()).unwrap()],
            &data,
        ]
        .concat();
        let id = BASE64URL_NOPAD.encode(CREDENTIAL);
        let response = json!({
            "attestationObject": BASE64URL_NOPAD.encode(&object),
            "clientDataJSON": BASE64URL_NOPAD.encode(&Self::client_data("webauthn.create", question)),
        });
        json!({ "credential": { "id": id, "rawId": id, "type": "public-key", "response": response }, "name": "x" })
    }

    /// What the browser sends when the passkey was used.
    fn used(&self, question: &Value) -> Value {
        let (client, data) = (Self::client_data("webauthn.get", question), Self::data(0, 1));
        let signed = [&data[..], digest(&SHA256, &client).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let id = BASE64URL_NOPAD.encode(CREDENTIAL);
        let response = json!({
            "authenticatorData": BASE64URL_NOPAD.encode(&data),
            "clientDataJSON": BASE64URL_NOPAD.encode(&client),
            "signature": BASE64URL_NOPAD.encode(signature.as_ref()),
            "userHandle": self.owner,
        });
        json!({ "credential": { "id": id, "rawId": id, "type": "public-key", "response": response } })
    }
}

#[tokio::test]
async fn a_passkey_is_added_and_used_though_question_and_answer_go_to_different_nodes() {
    let nodes = Nodes::new(None).await;
    let new = NewAdministrator::new("hanako", Role::HumanResources, Some(nodes.site.contract));
    let id = nodes.site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    let session = nodes.fresh_session(id).await;
    let mut key = Authenticator::new();

    let (status, cookie, question) =
        nodes.post(0, &session, "/me/security/passkeys/start", &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{question}");
    let (both, made) = (format!("{session}; {cookie}"), key.made(&question));
    let (status, _, told) = nodes.post(1, &both, "/me/security/passkeys/finish", &made).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(nodes.site.store.means(id).await.unwrap().passkeys.len(), 1);

    let (status, cookie, question) = nodes.post(1, "", "/login/passkey/start", &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{question}");
    let used = key.used(&question);
    let (status, _, told) = nodes.post(0, &cookie, "/login/passkey/finish", &used).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert!(told["to"].is_string(), "{told}");
    for node in [0, 1] {
        let (status, _, told) = nodes.post(node, &cookie, "/login/passkey/finish", &used).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "an answer counts once at all nodes: {told}");
    }
}

/// Reads one request whole and answers it.
fn answer(mut line: TcpStream, status: &str, body: &str) -> String {
    let mut read = String::new();
    loop {
        let mut bytes = [0; 4096];
        let count = line.read(&mut bytes).unwrap();
        read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        let Some((head, rest)) = read.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || rest.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    line.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).unwrap();
    read
}

/// A provider that describes itself, and refuses every code; answers what was sent with the codes.
fn provider() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let (sent, received) = std::sync::mpsc::channel();
    let described = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    std::thread::spawn(move || {
        for line in listener.incoming().map_while(Result::ok) {
            let mut begin = [0; 5];
            line.peek(&mut begin).unwrap();
            if begin.starts_with(b"POST") {
                sent.send(answer(line, "400 Bad Request", r#"{"error":"invalid_grant"}"#)).ok();
                continue;
            }
            let mut path = [0; 10];
            line.peek(&mut path).unwrap();
            let keys = path.starts_with(b"GET /keys");
            let body = if keys { json!({ "keys": [] }) } else { described.clone() };
            answer(line, "200 OK", &body.to_string());
        }
    });
    (issuer, received)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_went_to_another_provider_comes_back_to_another_node() {
    let (issuer, codes) = provider();
    let nodes = Nodes::new(Some(&issuer)).await;
    let away = Request::get("/login/provider").body(Body::empty()).unwrap();
    let (status, cookie, address, text) = nodes.ask(0, away).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    let query = address.split_once('?').unwrap().1.to_owned();
    let given = |name: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name);
        found.unwrap().1.into_owned()
    };
    let back = |state: &str| {
        let address = format!("/login/provider/back?code=the-code&state={state}");
        Request::get(address).header(header::COOKIE, &cookie).body(Body::empty()).unwrap()
    };
    nodes.ask(1, back(&given("state"))).await;
    let sent = codes.recv_timeout(std::time::Duration::from_secs(10)).expect("the code was brought");
    let form = sent.split_once("\r\n\r\n").unwrap().1;
    let verifier = form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "code_verifier");
    let challenge = BASE64URL_NOPAD.encode(digest(&SHA256, verifier.unwrap().1.as_bytes()).as_ref());
    assert_eq!(challenge, given("code_challenge"), "with what the first node has made for it");
    nodes.ask(0, back(&given("state"))).await;
    assert!(codes.try_recv().is_err(), "it counts once at all nodes");
}
