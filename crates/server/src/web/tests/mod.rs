//! The pages through the real router and the real store.

mod addresses;
mod attack;
mod audit;
mod blocking;
mod causes;
mod chrome;
mod clocks;
mod contracts;
mod days;
mod evidence;
mod files;
mod finding;
mod fleet;
mod idle;
mod linking;
mod lists;
mod matrix;
mod me;
mod means;
mod nodes;
mod pages;
mod paper;
mod people;
mod provider;
mod redating;
mod rollout;
mod safety;
mod settings;
mod showing;
mod signing_in;
mod texts;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, ContractCode, Event, EventKind, Evidence, Moment, SessionIdentity, TerminalId,
    UtcMillis,
};
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{
    Act, AdministratorId, ContractId, ContractSettings, EnrollmentOutcome, Enrolment, IncomingBatch,
    IncomingEvent, KeyHash, NewAdministrator, NewContract, Role, SignedBatch, Store,
};
use tower::ServiceExt as _;
use tower_sessions::SessionStore as _;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::session::{Id, Record};

use super::{FootLinks, WebState, router};
use crate::condition::{Certificate, Condition, Disk, Rate};
use crate::evidence::on_request::Packs;
use crate::metrics::SignIns;
use crate::passwords::Passwords;
use crate::second_factor::seal::Sealer;
use crate::sessions::Sessions;
use mngntime_wire::SecretKey;

/// 2026-06-17T09:24:31+09:00
pub const NOW: UtcMillis = UtcMillis(1_781_655_871_000);

/// One hash for all tests: it is slow on purpose.
fn passwords() -> Passwords {
    static PASSWORDS: OnceLock<Passwords> = OnceLock::new();
    PASSWORDS.get_or_init(|| Passwords::new().unwrap()).clone()
}

/// A server that is well, with an hour and a half behind it.
fn condition() -> Condition {
    let rate =
        |span_ms, stored| Some(Rate { span_ms, counts: [("stored", stored), ("batch_stored", 1)].into() });
    Condition {
        rates: [rate(60_000, 3), rate(3_600_000, 40), rate(5_400_000, 55)],
        log_is_whole: true,
        months_ahead: Vec::new(),
        disk: Some(Disk { free: 80_000_000_000, total: 100_000_000_000 }),
        database_elsewhere: false,
        certificate: Certificate::None,
        terminals: 2,
        standings: vec![("missing", 0)],
    }
}

/// Evidence packs of the key of all tests.
fn packs(store: &Arc<dyn Store>, directory: &std::path::Path) -> Arc<Packs> {
    let (key, patience) = (SecretKey::from_seed(&[42; 32]), std::time::Duration::from_secs(60));
    let (heads, clock, directory) = (Arc::default(), Arc::new(|| NOW), directory.to_owned());
    Arc::new(Packs::new(store.clone(), heads, key, clock, directory, patience, 300))
}

/// A store of the test's own: a file, or, with `MNGNTIME_TEST_POSTGRES=postgres://USER@HOST:PORT`, a new database of that
/// PostgreSQL, so that every page can be seen on it: `cargo nextest run -p mngntime-server --lib`.
fn store(directory: &std::path::Path) -> Arc<dyn Store> {
    static MADE: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let Ok(server) = std::env::var("MNGNTIME_TEST_POSTGRES") else {
        return Arc::new(SqliteStore::open(directory).unwrap());
    };
    let number = MADE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("web_{}_{number}", std::process::id());
    let mut create = std::process::Command::new("createdb");
    let created =
        create.arg("--maintenance-db").arg(format!("{server}/postgres")).arg(&name).output().unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    Arc::new(mngntime_store::postgres::open(&format!("{server}/{name}")).unwrap())
}

/// A server with a store of its own.
pub struct Site {
    pub store: Arc<dyn Store>,
    pub state: WebState,
    pub app: Router,
    pub contract: ContractId,
    pub directory: tempfile::TempDir,
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Site {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let contract = contract(&store, "A-1").await;
        let state = WebState {
            store: store.clone(),
            clock: Arc::new(|| NOW),
            contact_seconds: 900,
            day_boundary_minutes: 300,
            display_name: "MINAGINE".into(),
            public_url: "https://time.example".into(),
            chosen_url: Some("https://time.example".into()),
            tls: false,
            secure: false,
            operators_second_factor: false,
            operators_idle_minutes: Some(60),
            foot: FootLinks::default(),
            packages: Arc::default(),
            packs: packs(&store, directory.path()),
            passwords: passwords(),
            client: Arc::new(|peer, _| peer),
            sealer: Arc::new(Sealer::new(&SecretKey::from_seed(&[42; 32]))),
            passkeys: None,
            provider: None,
            limiter: Arc::default(),
            sign_ins: SignIns::default(),
            condition: Arc::new(condition),
        };
        Self { store, app: router(state.clone()), state, contract, directory }
    }

    /// Makes a person and signs them in without a password; returns the cookie.
    pub async fn person(&self, login: &str, role: Role, contract: Option<ContractId>) -> String {
        let new = NewAdministrator {
            display_name: "試験 一郎".into(),
            ..NewAdministrator::new(login, role, contract)
        };
        self.somebody(new).await
    }

    /// The same, with department, employee and dates.
    pub async fn somebody(&self, new: NewAdministrator) -> String {
        let id = self.store.create_administrator(new, Act::server(NOW)).await.unwrap();
        self.session(id).await
    }

    /// Signs somebody in without a password; returns the cookie.
    pub async fn session(&self, id: AdministratorId) -> String {
        let data = [("person".to_owned(), serde_json::json!(id.to_string()))].into();
        let expiry_date = OffsetDateTime::now_utc() + Duration::hours(1);
        let mut record = Record { id: Id::default(), data, expiry_date };
        Sessions(self.store.clone()).create(&mut record).await.unwrap();
        format!("mngntime_session={}", record.id)
    }

    /// Lets a contract's sessions end after so many minutes without use, or never.
    pub async fn idle_after(&self, contract: ContractId, minutes: Option<u16>) {
        let found = self.store.contract_by_id(contract).await.unwrap().unwrap();
        let settings = ContractSettings { idle_minutes: minutes, ..found.settings };
        let act = Act::server((self.state.clock)());
        self.store.change_settings(contract, found.name, settings, act).await.unwrap();
    }

    pub async fn administrator(&self) -> String {
        self.person("admin", Role::Administrator, Some(self.contract)).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.to_vec(),
        }
    }

    pub async fn get(&self, cookie: &str, address: &str) -> Answer {
        self.send(Request::get(address).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, cookie: &str, address: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        fields.iter().for_each(|(name, value)| {
            body.append_pair(name, value);
        });
        let request = Request::post(address)
            .header(header::COOKIE, cookie)
            .header(header::HOST, "time.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body.finish())).unwrap()).await
    }

    /// Sends a file as a browser does.
    pub async fn upload(&self, cookie: &str, address: &str, content: &[u8]) -> Answer {
        let head = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\
                    content-type: text/csv\r\n\r\n";
        let body = [head.as_bytes(), content, b"\r\n--b--\r\n"].concat();
        let request = Request::post(address)
            .header(header::COOKIE, cookie)
            .header(header::HOST, "time.example")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Enrols a PC.
    pub async fn terminal(&self, code: &str, host: &str, n: u8) -> TerminalId {
        self.terminal_with(code, host, n, "key", "software").await
    }

    /// Enrols a PC whose public key begins with `key`.
    pub async fn terminal_with(
        &self,
        code: &str,
        host: &str,
        n: u8,
        key: &str,
        key_class: &str,
    ) -> TerminalId {
        let enrolment = Enrolment {
            contract: code.into(),
            key: KeyHash::of(code),
            public_key: format!("{key} {code} {n}"),
            host_name: host.into(),
            os: "Windows 11".into(),
            makeup: "m".into(),
            key_class: key_class.into(),
            agent_version: "0.1.0".into(),
            proposed: TerminalId::from_random([n; 16]),
            at: NOW,
        };
        let outcome = self.store.enroll(enrolment).await.unwrap();
        let EnrollmentOutcome::Enrolled(id) = outcome else { panic!("{outcome:?}") };
        id
    }

    /// Stores events of one stay of one account, the first at [`NOW`], an hour apart: kind and cause.
    pub async fn stay(&self, terminal: TerminalId, events: &[(EventKind, Option<&str>)]) {
        let events = (1..).zip(events).map(|(number, (kind, cause))| {
            let at = NOW.plus(3_600_000 * (number as i64 - 1));
            let plain = event(number, at, ("D", "u"));
            let session = SessionIdentity {
                boot: plain.event.boot.clone(),
                session_id: "1".into(),
                logon_identity: "luid:0x1".into(),
            };
            let cause = cause.map(str::to_owned);
            let event = Event { kind: *kind, session: Some(session), cause, ..plain.event.clone() };
            IncomingEvent { event, ..plain }
        });
        let batch = self.batch(self.contract, terminal, events.collect());
        self.store.receive(batch).await.unwrap();
    }

    fn batch(&self, contract: ContractId, terminal: TerminalId, events: Vec<IncomingEvent>) -> IncomingBatch {
        IncomingBatch {
            contract,
            terminal,
            received_at: NOW,
            clock_offset_ms: 94_600,
            waiting: 0,
            makeup: "m".into(),
            agent_version: "0.1.0".into(),
            signed: SignedBatch {
                digest: Digest::of(format!("{events:?}").as_bytes()),
                signature: String::new(),
                payload: String::new(),
            },
            boot: "boot".into(),
            boot_counter_ms: 1,
            day_begins_minutes: 300,
            events,
        }
    }

    /// Stores a gap with this cause.
    pub async fn gap(&self, terminal: TerminalId, number: u64, cause: &str) {
        let plain = event(number, NOW, ("D", "u"));
        let gap = Event { kind: EventKind::Gap, account: None, cause: Some(cause.into()), ..plain.event };
        let batch = self.batch(self.contract, terminal, vec![IncomingEvent { event: gap, ..plain }]);
        self.store.receive(batch).await.unwrap();
    }

    /// A sign of life from this OS run, `minutes` after [`NOW`] and after the run began.
    pub async fn contact(&self, terminal: TerminalId, boot: &str, minutes: u64) {
        let plain = self.batch(self.contract, terminal, vec![]);
        let ms = minutes * 60_000;
        let received_at = NOW.plus(i64::try_from(ms).unwrap());
        let batch = IncomingBatch { boot: boot.into(), boot_counter_ms: ms, received_at, ..plain };
        self.store.receive(batch).await.unwrap();
    }

    /// Stores punches of one account, a minute apart, the last one `days` after [`NOW`].
    pub async fn punches_on(
        &self,
        terminal: TerminalId,
        user: (&str, &str),
        numbers: std::ops::RangeInclusive<u64>,
        days: i64,
    ) {
        let last = NOW.plus(days * 86_400_000);
        let at = |n: u64| last.plus(-60_000 * i64::try_from(numbers.end() - n).unwrap());
        let events = numbers.clone().map(|n| event(n, at(n), user)).collect();
        self.store.receive(self.batch(self.contract, terminal, events)).await.unwrap();
    }

    /// Stores a logon at [`NOW`] of each account, by its SID, name and UPN.
    pub async fn logons(&self, terminal: TerminalId, accounts: &[(&str, &str, Option<&str>)]) {
        let account = |(key, name, upn): (&str, &str, Option<&str>)| AccountIdentity {
            key: key.to_owned(),
            domain: "D".to_owned(),
            name: name.to_owned(),
            upn: upn.map(str::to_owned),
        };
        let events = (0..).zip(accounts).map(|(n, one)| event_of(2 * n + 1, NOW, account(*one))).collect();
        self.store.receive(self.batch(self.contract, terminal, events)).await.unwrap();
    }

    /// Stores punches of one account, a minute apart, the last one at [`NOW`].
    pub async fn punches(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        user: (&str, &str),
        numbers: std::ops::RangeInclusive<u64>,
    ) {
        let last = *numbers.end();
        let at = |n: u64| NOW.plus(-60_000 * i64::try_from(last - n).unwrap());
        let events = numbers.map(|n| event(n, at(n), user)).collect();
        self.store.receive(self.batch(contract, terminal, events)).await.unwrap();
    }
}

/// Makes a contract whose enrolment key is its code.
pub async fn contract(store: &Arc<dyn Store>, code: &str) -> ContractId {
    let new = NewContract {
        code: ContractCode::new(code).unwrap(),
        name: format!("契約 {code}"),
        key: KeyHash::of(code),
    };
    store.create_contract(new, Act::server(NOW)).await.unwrap()
}

fn event(sequence: u64, at: UtcMillis, (domain, name): (&str, &str)) -> IncomingEvent {
    let account = AccountIdentity {
        key: format!("S-1-5-21-{domain}-{name}"),
        domain: domain.into(),
        name: name.into(),
        upn: None,
    };
    event_of(sequence, at, account)
}

fn event_of(sequence: u64, at: UtcMillis, account: AccountIdentity) -> IncomingEvent {
    let (domain, name) = (&account.domain, &account.name);
    let json = serde_json::json!({ "seq": sequence, "domain": domain, "name": name }).to_string();
    let kind = if sequence % 2 == 1 { EventKind::Logon } else { EventKind::Logoff };
    let event = Event {
        sequence,
        boot: BootId::new("boot").unwrap(),
        kind,
        evidence: Evidence::Notice,
        occurred_at: at,
        bounds: None,
        recorded_at: Moment { wall: at, offset_seconds: 32_400, biased_ms: 1, unbiased_ms: 1 },
        session: None,
        account: Some(account),
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    };
    IncomingEvent { resent: false, digest: Digest::of(json.as_bytes()), json, event, stamped_at: None }
}

/// How often `part` stands in `text`.
pub fn times(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// The value of the first `name="account"` of a page.
pub fn first_account(page: &str) -> String {
    let after = page.split("name=\"account\" value=\"").nth(1).expect("an account");
    after.split('"').next().unwrap().to_owned()
}
