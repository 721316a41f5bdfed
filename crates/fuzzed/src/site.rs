//! A real server in this process: its router, its store in a directory in memory, a clock that stands.
//!
//! One server serves many executions, each of which has a contract of its own with two terminals of its own: nothing of
//! what was played before is in it, and nothing it does can be seen by the next one. The contracts are made some dozens
//! at a time, which the store's writer commits together, and the log of no other one is signed with theirs; so an
//! execution costs what it plays. (What executions share is the server: numbers of the audit log, and the quarantine's
//! room.)

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;
use mngntime_model::{ContractCode, TerminalId, UtcMillis};
use mngntime_server::app::{App, router};
use mngntime_server::passwords::Passwords;
use mngntime_server::settings::Settings;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{
    Act, Contract, ContractId, EnrollmentOutcome, Enrolment, EvidenceScope, KeyHash, NewContract, StoredEvent,
};
use mngntime_wire::{Context, EnrollmentAnswer, EnrollmentRequest, PublicKey, SecretKey, Signed};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::make::NOW;

pub(crate) const ENROLLMENT_KEY: &str = "the-key-of-demo";
/// Contracts that are made together: a part of what the store's writer takes into one commit.
const MADE_AT_ONCE: u64 = 32;
/// Far more than any answer has.
const ANSWER_BYTES_MAX: usize = 10_000_000;

/// A server.
pub(crate) struct Site {
    pub(crate) app: Arc<App>,
    router: Router,
    runtime: Runtime,
    clock: Arc<AtomicI64>,
    contracts: AtomicU64,
    made: RefCell<Vec<(Contract, [TerminalId; 2])>>,
    _directory: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

/// One contract on it.
pub(crate) struct Tenant<'a> {
    pub(crate) site: &'a Site,
    pub(crate) id: ContractId,
    pub(crate) code: String,
    contract: Contract,
}

/// The keys of the terminals that each contract of [`Site::furnished`] has.
pub(crate) fn keys() -> &'static [SecretKey; 2] {
    static KEYS: OnceLock<[SecretKey; 2]> = OnceLock::new();
    KEYS.get_or_init(|| [1, 2].map(|seed| SecretKey::from_seed(&[seed; 32])))
}

impl Site {
    pub(crate) fn start() -> Self {
        static PASSWORDS: OnceLock<Passwords> = OnceLock::new();
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let directory = directory.expect("a scratch directory");
        let clock = Arc::new(AtomicI64::new(NOW));
        let time = clock.clone();
        let app = App::new(
            Arc::new(SqliteStore::open(directory.path()).expect("a store")),
            SecretKey::from_seed(&[42; 32]),
            Settings::for_directory(directory.path()).expect("settings"),
            PASSWORDS.get_or_init(|| Passwords::new().expect("passwords")).clone(),
            Arc::new(move || UtcMillis(time.load(Ordering::Relaxed))),
        );
        Self {
            router: router(app.clone()),
            app,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
            clock,
            contracts: AtomicU64::new(0),
            made: RefCell::default(),
            _directory: directory,
        }
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.app.key.public()
    }

    pub(crate) fn pass(&self, milliseconds: i64) {
        self.clock.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A contract of its own, so that nothing is left of what was played before.
    pub(crate) fn tenant(&self) -> Tenant<'_> {
        self.clock.store(NOW, Ordering::Relaxed);
        let contract = self.wait(self.make_contract());
        self.tenant_of(contract)
    }

    /// A contract of its own with a terminal for each of [`keys`].
    pub(crate) fn furnished(&self) -> (Tenant<'_>, [String; 2]) {
        self.clock.store(NOW, Ordering::Relaxed);
        let next = self.made.borrow_mut().pop();
        let (contract, terminals) = next.unwrap_or_else(|| {
            let many = (0..MADE_AT_ONCE).map(|_| self.make_furnished());
            let mut made = self.wait(join_all(many));
            // The one that was made first is played first.
            made.reverse();
            let next = made.pop().expect("some were made");
            *self.made.borrow_mut() = made;
            next
        });
        (self.tenant_of(contract), terminals.map(|terminal| terminal.to_string()))
    }

    fn tenant_of(&self, contract: Contract) -> Tenant<'_> {
        Tenant { site: self, id: contract.id, code: contract.code.clone(), contract }
    }

    async fn make_contract(&self) -> Contract {
        let code = format!("demo{}", self.contracts.fetch_add(1, Ordering::Relaxed));
        let new = NewContract {
            code: ContractCode::new(&code).expect("a code"),
            name: code.clone(),
            key: KeyHash::of(ENROLLMENT_KEY),
        };
        let made = self.app.store.create_contract(new, Act::command_line(UtcMillis(NOW))).await;
        made.expect("a new contract");
        self.app.store.contract(&code).await.expect("the store reads").expect("it was made")
    }

    async fn make_furnished(&self) -> (Contract, [TerminalId; 2]) {
        let contract = self.make_contract().await;
        let mut terminals = Vec::new();
        for key in keys() {
            let enrolment = Enrolment {
                contract: contract.code.clone(),
                key: KeyHash::of(ENROLLMENT_KEY),
                public_key: key.public().to_string(),
                host_name: "PC-0231".into(),
                os: "Windows 11".into(),
                makeup: "makeup-1".into(),
                key_class: "file".into(),
                agent_version: "0.1.0".into(),
                proposed: proposed(&contract, terminals.len()),
                at: UtcMillis(NOW),
            };
            let outcome = self.app.store.enroll(enrolment).await.expect("the store writes");
            let EnrollmentOutcome::Enrolled(terminal) = outcome else {
                panic!("a new key of a new contract: {outcome:?}")
            };
            terminals.push(terminal);
        }
        (contract, terminals.try_into().expect("two keys"))
    }

    /// How many contracts there are.
    pub(crate) fn contracts(&self) -> u64 {
        self.contracts.load(Ordering::Relaxed)
    }

    /// Posts JSON. Whatever it is, the server does not fail.
    pub(crate) fn post(&self, path: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(body.into()).expect("a request");
        let router = self.router.clone();
        let reply = self.wait(async {
            let response = router.oneshot(request).await.expect("an answer");
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.expect("a body");
            Reply { status, body: String::from_utf8(body.to_vec()).expect("text") }
        });
        assert!(!reply.status.is_server_error(), "{}: {}", reply.status, reply.body);
        reply
    }
}

impl Tenant<'_> {
    /// Enrols a key; the terminal's id.
    pub(crate) fn enroll(&self, key: &SecretKey) -> String {
        let request = EnrollmentRequest {
            v: 1,
            contract: self.code.clone(),
            enrollment_key: ENROLLMENT_KEY.into(),
            public_key: key.public().to_string(),
            host_name: "PC-0231".into(),
            os: "Windows 11".into(),
            makeup: "makeup-1".into(),
            key_class: "file".into(),
            agent: "0.1.0".into(),
        };
        let request = Signed::seal(Context::EnrollmentRequest, &request, key).expect("a key in memory");
        let reply = self.site.post("/api/v1/terminals", request.to_json().expect("JSON"));
        let answer: EnrollmentAnswer = open(&reply, Context::EnrollmentAnswer, &self.site.key());
        assert_eq!(answer.request, request.payload_digest().to_string());
        answer.terminal.expect("the key and the contract are right")
    }

    /// Signs the contract's log as it stands.
    pub(crate) fn sign(&self) {
        let app = &self.site.app;
        let signed = app.log_heads.sign_contract(&*app.store, &app.key, || app.now(), &self.contract);
        self.site.wait(signed).expect("the log is what was written");
    }

    /// The contract's terminals that have events.
    pub(crate) fn holders(&self) -> Vec<String> {
        let scope = EvidenceScope { contract: self.id, accounts: None, terminal: None, span: None };
        let terminals =
            self.site.wait(self.site.app.store.evidence_terminals(scope)).expect("the store reads");
        let holds = terminals.into_iter().filter(|found| found.last > 0);
        holds.map(|found| found.terminal.id.to_string()).collect()
    }

    /// All events of a terminal.
    pub(crate) fn stored(&self, terminal: &str) -> Vec<StoredEvent> {
        let terminal = mngntime_model::TerminalId::parse(terminal).expect("an id");
        let events = self.site.app.store.evidence_events(self.id, terminal, 0, 10_000);
        self.site.wait(events).expect("the store reads")
    }
}

/// An id that no other contract's terminal has, and that is the same in each run.
fn proposed(contract: &Contract, number: usize) -> TerminalId {
    let mut bytes = [0x40 + u8::try_from(number).expect("few"); 16];
    bytes[..8].copy_from_slice(&contract.id.0.to_be_bytes());
    TerminalId::from_random(bytes)
}

/// Opens a signed answer.
pub(crate) fn open<T: for<'a> serde::Deserialize<'a>>(reply: &Reply, context: Context, key: &PublicKey) -> T {
    let envelope = Signed::parse(reply.body.as_bytes()).expect("an envelope");
    envelope.check(context, key).expect("the server's signature");
    envelope.peek().expect("the contract's JSON")
}
