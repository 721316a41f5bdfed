//! A server on a scratch directory, asked through its real router, and PCs that speak the real contract.

#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

pub mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use data_encoding::BASE64;
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, ContractCode, Declared, Event, EventKind, Evidence, Moment, SessionIdentity,
    TerminalId, UtcMillis,
};
use mngntime_server::app::{App, Shared, router};
use mngntime_server::passwords::{Passwords, hash_new};
use mngntime_server::settings::Settings;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Act, ContractId, KeyHash, NewAdministrator, NewContract, Role};
use mngntime_wire::{
    Batch, BatchItem, Context, EncodedEvent, EnrollmentAnswer, EnrollmentRequest, Problem, PublicKey,
    Receipt, SecretKey, Signed, Signer, SigningFailed,
};
use serde::Serialize;
use tower::ServiceExt as _;

/// 2026-11-23 09:00 in Tokyo.
pub const NOW: UtcMillis = UtcMillis(1_795_392_000_000);
pub const DAY_MS: i64 = 86_400_000;
pub const ENROLLMENT_KEY: &str = "the-key-of-demo";
pub const PASSWORD: &str = "a long password";

pub struct Server {
    pub app: Shared,
    pub router: Router,
    pub directory: tempfile::TempDir,
    pub contract: ContractId,
    clock: Arc<AtomicI64>,
}

/// An answer of the server.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn problem(&self) -> Problem {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A file in `directory`, or, with `MNGNTIME_TEST_POSTGRES=postgres://USER@HOST:PORT`, a new database of that PostgreSQL.
/// Tests that lay hands on the file themselves fail then.
fn store(directory: &std::path::Path) -> SqliteStore {
    static MADE: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let Ok(server) = std::env::var("MNGNTIME_TEST_POSTGRES") else {
        return SqliteStore::open(directory).unwrap();
    };
    let name = format!("server_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut create = std::process::Command::new("createdb");
    let created =
        create.arg("--maintenance-db").arg(format!("{server}/postgres")).arg(&name).output().unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    mngntime_store::postgres::open(&format!("{server}/{name}")).unwrap()
}

impl Server {
    /// A server with the contract `demo` and the administrator `admin`.
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let server = Self::with(store, directory, ContractId(0));
        let contract = server.make_contract("demo", ENROLLMENT_KEY).await;
        let server = Self { contract, ..server };
        server.make_administrator("admin", Role::Administrator, Some(contract)).await;
        server
    }

    /// A server on a store that has everything already.
    pub fn on(store: SqliteStore, contract: ContractId) -> Self {
        Self::with(store, tempfile::tempdir().unwrap(), contract)
    }

    fn with(store: SqliteStore, directory: tempfile::TempDir, contract: ContractId) -> Self {
        let store = Arc::new(store);
        let clock = Arc::new(AtomicI64::new(NOW.0));
        let time = clock.clone();
        let app = App::new(
            store,
            SecretKey::from_seed(&[42; 32]),
            Settings::for_directory(directory.path()).unwrap(),
            Passwords::new().unwrap(),
            Arc::new(move || UtcMillis(time.load(Ordering::Relaxed))),
        );
        Self { router: router(app.clone()), contract, app, directory, clock }
    }

    pub fn act(&self) -> Act {
        Act::command_line(self.app.now())
    }

    pub fn pass(&self, milliseconds: i64) {
        self.clock.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub async fn make_contract(&self, code: &str, key: &str) -> ContractId {
        let new =
            NewContract { code: ContractCode::new(code).unwrap(), name: code.into(), key: KeyHash::of(key) };
        self.app.store.create_contract(new, self.act()).await.unwrap()
    }

    pub async fn make_administrator(&self, login: &str, role: Role, contract: Option<ContractId>) {
        let new = NewAdministrator {
            password_hash: Some(hash_new(PASSWORD).unwrap()),
            ..NewAdministrator::new(login, role, contract)
        };
        self.app.store.create_administrator(new, self.act()).await.unwrap();
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = axum::body::to_bytes(response.into_body(), 10_000_000).await.unwrap();
        Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header("content-type", "application/json").body(body.into());
        self.send(request.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a batch and checks the receipt's signature and what it answers to.
    pub async fn deliver(&self, batch: &Signed) -> Receipt {
        let answer = self.post("/api/v1/events", batch.to_json().unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let receipt: Receipt = self.open(Context::Receipt, &answer);
        assert_eq!(receipt.request, batch.payload_digest().to_string());
        receipt
    }

    pub async fn enroll(&self, request: &Signed) -> EnrollmentAnswer {
        let answer = self.post("/api/v1/terminals", request.to_json().unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let opened: EnrollmentAnswer = self.open(Context::EnrollmentAnswer, &answer);
        assert_eq!(opened.request, request.payload_digest().to_string());
        opened
    }

    fn open<T: serde::de::DeserializeOwned>(&self, context: Context, answer: &Answer) -> T {
        assert_eq!(answer.headers["mngntime-server"], "1");
        let envelope = Signed::parse(answer.body.as_bytes()).unwrap();
        envelope.check(context, &self.app.key.public()).expect("the server's signature");
        envelope.peek().unwrap()
    }

    /// Rows in the punch list of the contract.
    pub async fn punches(&self) -> Vec<mngntime_store::Punch> {
        let filter = mngntime_store::PunchFilter::default();
        self.app.store.list_punches(self.contract.into(), filter, None, 1000).await.unwrap().rows
    }

    /// A second connection to the database, to break things and to count.
    pub async fn quarantined(&self) -> mngntime_store::QuarantineReport {
        self.app.store.quarantine_report(100).await.unwrap()
    }
}

/// A PC with its own key and chain.
pub struct Pc {
    pub key: Box<dyn Signer + Send>,
    pub terminal: String,
    pub contract: String,
    pub makeup: String,
    pub wall: UtcMillis,
    pub sequence: u64,
    pub previous: Digest,
    pub boot: String,
    /// Counter of the running boot.
    pub biased_ms: u64,
}

impl Pc {
    pub fn new(seed: u8) -> Self {
        Self {
            key: Box::new(SecretKey::from_seed(&[seed; 32])),
            terminal: TerminalId::from_random([seed; 16]).to_string(),
            contract: "demo".into(),
            makeup: "makeup-1".into(),
            wall: NOW,
            sequence: 0,
            previous: Digest::GENESIS,
            boot: "boot-1".into(),
            biased_ms: 60_000,
        }
    }

    /// A PC that the server knows.
    pub async fn enrolled(server: &Server, seed: u8) -> Self {
        let mut pc = Self::new(seed);
        pc.terminal = server.enroll(&pc.enrollment(ENROLLMENT_KEY)).await.terminal.expect("enrolled");
        pc
    }

    /// Another PC with the disk of this one, whose key was made from `seed`.
    pub fn copy(&self, seed: u8) -> Self {
        Self {
            key: Box::new(SecretKey::from_seed(&[seed; 32])),
            terminal: self.terminal.clone(),
            contract: self.contract.clone(),
            makeup: self.makeup.clone(),
            boot: self.boot.clone(),
            ..*self
        }
    }

    pub fn enrollment(&self, enrollment_key: &str) -> Signed {
        let request = EnrollmentRequest {
            v: 1,
            contract: self.contract.clone(),
            enrollment_key: enrollment_key.into(),
            public_key: self.key.public().to_string(),
            host_name: "PC-0231".into(),
            os: "Windows 11".into(),
            makeup: self.makeup.clone(),
            key_class: "file".into(),
            agent: "0.1.0".into(),
        };
        seal(Context::EnrollmentRequest, &request, &*self.key)
    }

    fn moment(&self) -> Moment {
        Moment {
            wall: self.wall,
            offset_seconds: 32_400,
            biased_ms: self.biased_ms,
            unbiased_ms: self.biased_ms,
        }
    }

    /// The next event: a logon of `account` now.
    pub fn logon(&mut self, account: &str) -> String {
        self.event(EventKind::Logon, Some(account), self.wall)
    }

    pub fn event(&mut self, kind: EventKind, account: Option<&str>, occurred_at: UtcMillis) -> String {
        self.sequence += 1;
        let event = Event {
            sequence: self.sequence,
            boot: BootId::new("boot-1").unwrap(),
            kind,
            evidence: Evidence::Notice,
            occurred_at,
            bounds: None,
            recorded_at: self.moment(),
            session: Some(SessionIdentity {
                boot: BootId::new("boot-1").unwrap(),
                session_id: "2".into(),
                logon_identity: "0x3e7".into(),
            }),
            account: account.map(identity),
            remote: Some(false),
            client: None,
            cause: None,
            supersedes: None,
        };
        let encoded = EncodedEvent::encode(event, self.previous).unwrap();
        self.previous = encoded.digest;
        encoded.json
    }

    /// A gap that declares something.
    pub fn gap(&mut self, declared: Declared) -> String {
        let mut event = EncodedEvent::decode(&self.event(EventKind::Gap, None, self.wall)).unwrap();
        event.event.cause = Some(declared.to_string());
        event.event.session = None;
        let encoded = EncodedEvent::encode(event.event, event.previous).unwrap();
        self.previous = encoded.digest;
        encoded.json
    }

    /// Goes back, so that the next event takes a number again.
    pub fn forget_last(&mut self) {
        self.sequence -= 1;
    }

    pub fn batch(&self, events: &[String]) -> Signed {
        self.batch_with(events, false)
    }

    pub fn batch_with(&self, events: &[String], resent: bool) -> Signed {
        seal(Context::Batch, &self.unsigned(events, resent), &*self.key)
    }

    pub fn unsigned(&self, events: &[String], resent: bool) -> Batch {
        let item = |json: &String| BatchItem { resent, event: serde_json::from_str(json).unwrap() };
        Batch {
            v: 1,
            contract: self.contract.clone(),
            terminal: self.terminal.clone(),
            sent_at: self.moment().into(),
            boot: self.boot.clone(),
            waiting: events.len() as u64,
            makeup: self.makeup.clone(),
            agent: "0.1.0".into(),
            events: events.iter().map(item).collect(),
        }
    }
}

/// A key such as a TPM holds.
pub struct P256Key(EcdsaKeyPair);

impl P256Key {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }
}

impl Signer for P256Key {
    fn public(&self) -> PublicKey {
        PublicKey::from_p256_point(self.0.public_key().as_ref()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Result<String, SigningFailed> {
        Ok(BASE64.encode(self.0.sign(&SystemRandom::new(), message).unwrap().as_ref()))
    }
}

pub fn identity(account: &str) -> AccountIdentity {
    AccountIdentity {
        key: format!("S-1-5-21-{account}"),
        domain: "EXAMPLE".into(),
        name: account.into(),
        upn: Some(format!("{account}@example.co.jp")),
    }
}

pub fn seal<T: Serialize>(context: Context, payload: &T, key: &dyn Signer) -> Signed {
    Signed::seal(context, payload, key).unwrap()
}

/// `res` of every item.
pub fn results(receipt: &Receipt) -> Vec<Option<u8>> {
    receipt.items.iter().map(|item| item.res).collect()
}

pub fn all_stored(receipt: &Receipt) -> bool {
    receipt.items.iter().all(|item| item.stored)
}

pub fn public(text: &str) -> PublicKey {
    PublicKey::parse(text).unwrap()
}
