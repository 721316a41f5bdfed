//! A real server in this process: its router, its store in a directory in memory, a clock that stands.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use mngntime_model::{ContractCode, UtcMillis};
use mngntime_server::app::{App, router};
use mngntime_server::passwords::Passwords;
use mngntime_server::settings::Settings;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Act, ContractId, KeyHash, NewContract, StoredEvent};
use mngntime_wire::{Context, EnrollmentAnswer, EnrollmentRequest, PublicKey, SecretKey, Signed};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::make::NOW;

pub(crate) const ENROLLMENT_KEY: &str = "the-key-of-demo";
/// Far more than any answer has.
const ANSWER_BYTES_MAX: usize = 10_000_000;

/// A server.
pub(crate) struct Site {
    pub(crate) app: Arc<App>,
    router: Router,
    runtime: Runtime,
    clock: Arc<AtomicI64>,
    contracts: AtomicU64,
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
        let code = format!("demo{}", self.contracts.fetch_add(1, Ordering::Relaxed));
        let new = NewContract {
            code: ContractCode::new(&code).expect("a code"),
            name: code.clone(),
            key: KeyHash::of(ENROLLMENT_KEY),
        };
        let made = self.wait(self.app.store.create_contract(new, Act::command_line(UtcMillis(NOW))));
        Tenant { site: self, id: made.expect("a new contract"), code }
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

    /// Signs the log as it stands.
    pub(crate) fn sign(&self) {
        let app = &self.site.app;
        let signed = self.site.wait(app.log_heads.sign_all(&*app.store, &app.key, || app.now()));
        signed.expect("the log is what was written");
    }

    /// All events of a terminal.
    pub(crate) fn stored(&self, terminal: &str) -> Vec<StoredEvent> {
        let terminal = mngntime_model::TerminalId::parse(terminal).expect("an id");
        let events = self.site.app.store.evidence_events(self.id, terminal, 0, 10_000);
        self.site.wait(events).expect("the store reads")
    }
}

/// Opens a signed answer.
pub(crate) fn open<T: for<'a> serde::Deserialize<'a>>(reply: &Reply, context: Context, key: &PublicKey) -> T {
    let envelope = Signed::parse(reply.body.as_bytes()).expect("an envelope");
    envelope.check(context, key).expect("the server's signature");
    envelope.peek().expect("the contract's JSON")
}
