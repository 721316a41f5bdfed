//! A server's data directory with a year of punches, by the real router.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, ContractCode, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};
use mngntime_server::app::{App, Shared, router};
use mngntime_server::passwords::Passwords;
use mngntime_server::server_key;
use mngntime_server::settings::Settings;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Act, KeyHash, NewContract};
use mngntime_wire::{
    Batch, BatchItem, Context, EncodedEvent, EnrollmentAnswer, EnrollmentRequest, Receipt, SecretKey, Signed,
};
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

const ENROLLMENT_KEY: &str = "the-key-of-the-measurement";
/// 2026-01-05 09:00 in Tokyo.
const BEGIN: i64 = 1_767_571_200_000;
const YEAR_MS: i64 = 365 * 86_400_000;
/// PCs that send at the same time: so many that the writer has something to gather.
const PCS: u64 = 100;
/// Events of one batch: a logon, and the logoff that ended it.
const BATCH_EVENTS: u64 = 2;
/// Rounds after which the log is signed: about a head for a thousand events.
const ROUNDS_PER_HEAD: u64 = 5;

/// Fills `directory` with `events` events, or some more: rounds are whole.
pub fn fill(directory: &Path, events: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let clock = Arc::new(AtomicI64::new(BEGIN));
    let time = clock.clone();
    let app = App::new(
        Arc::new(SqliteStore::open(directory)?),
        server_key::load_or_make(directory)?,
        Settings::for_directory(directory)?,
        Passwords::new()?,
        Arc::new(move || UtcMillis(time.load(Ordering::Relaxed))),
    );
    runtime.block_on(send(&app, &clock, events))?;
    drop(app);
    // Waits for what still runs: afterwards nobody has the database open.
    drop(runtime);
    Ok(())
}

async fn send(app: &Shared, clock: &AtomicI64, events: u64) -> Result<()> {
    let new = NewContract {
        code: ContractCode::new("demo").context("a code")?,
        name: "demo".into(),
        key: KeyHash::of(ENROLLMENT_KEY),
    };
    app.store.create_contract(new, Act::command_line(app.now())).await?;
    let routes = router(app.clone());
    let mut pcs = Vec::new();
    for number in 0..PCS {
        pcs.push(Pc::enrolled(&routes, number).await?);
    }
    let rounds = events.div_ceil(PCS * BATCH_EVENTS);
    for round in 0..rounds {
        clock.store(BEGIN + i64::try_from(round)? * (YEAR_MS / i64::try_from(rounds)?), Ordering::Relaxed);
        let now = app.now();
        let mut sending = JoinSet::new();
        for mut pc in std::mem::take(&mut pcs) {
            let routes = routes.clone();
            sending.spawn(async move { pc.send(&routes, now).await.map(|()| pc) });
        }
        while let Some(sent) = sending.join_next().await {
            pcs.push(sent??);
        }
        if round % ROUNDS_PER_HEAD == 0 || round + 1 == rounds {
            app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await?;
        }
        if round % 500 == 0 {
            eprintln!("{} of {events} events", round * PCS * BATCH_EVENTS);
        }
    }
    Ok(())
}

/// A PC and its chain.
struct Pc {
    number: u64,
    key: SecretKey,
    terminal: String,
    sequence: u64,
    previous: Digest,
}

async fn post(routes: &Router, path: &str, envelope: &Signed) -> Result<Signed> {
    let request = Request::post(path).header("content-type", "application/json");
    let response = routes.clone().oneshot(request.body(Body::from(envelope.to_json()?))?).await?;
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await?;
    ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    Ok(Signed::parse(&body)?)
}

impl Pc {
    async fn enrolled(routes: &Router, number: u64) -> Result<Self> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(number + 1).to_be_bytes());
        let key = SecretKey::from_seed(&seed);
        let request = EnrollmentRequest {
            v: 1,
            contract: "demo".into(),
            enrollment_key: ENROLLMENT_KEY.into(),
            public_key: key.public().to_string(),
            host_name: format!("PC-{number:04}"),
            os: "Windows 11".into(),
            makeup: format!("makeup-{number}"),
            key_class: "file".into(),
            agent: "0.1.0".into(),
        };
        let request = Signed::seal(Context::EnrollmentRequest, &request, &key)?;
        let answer: EnrollmentAnswer = post(routes, "/api/v1/terminals", &request).await?.peek()?;
        let terminal = answer.terminal.context("the key is right")?;
        Ok(Self { number, key, terminal, sequence: 0, previous: Digest::GENESIS })
    }

    /// A logon and a logoff, and their batch.
    async fn send(&mut self, routes: &Router, now: UtcMillis) -> Result<()> {
        let mut events = Vec::new();
        for number in 0..BATCH_EVENTS {
            let kind = if number % 2 == 0 { EventKind::Logon } else { EventKind::Logoff };
            events.push(BatchItem { resent: false, event: RawValue::from_string(self.event(kind, now)?)? });
        }
        let batch = Batch {
            v: 1,
            contract: "demo".into(),
            terminal: self.terminal.clone(),
            sent_at: moment(now).into(),
            boot: "boot-1".into(),
            waiting: BATCH_EVENTS,
            makeup: format!("makeup-{}", self.number),
            agent: "0.1.0".into(),
            events,
        };
        let batch = Signed::seal(Context::Batch, &batch, &self.key)?;
        let receipt: Receipt = post(routes, "/api/v1/events", &batch).await?.peek()?;
        ensure!(receipt.refused.is_none() && receipt.items.iter().all(|item| item.stored), "{receipt:?}");
        Ok(())
    }

    fn event(&mut self, kind: EventKind, now: UtcMillis) -> Result<String> {
        self.sequence += 1;
        let boot = BootId::new("boot-1")?;
        let name = format!("user{:04}", self.number);
        let event = Event {
            sequence: self.sequence,
            boot: boot.clone(),
            kind,
            evidence: Evidence::Notice,
            occurred_at: now,
            bounds: None,
            recorded_at: moment(now),
            session: Some(SessionIdentity {
                boot,
                session_id: "2".into(),
                logon_identity: format!("0x{:x}", self.sequence.div_ceil(2)),
            }),
            account: Some(AccountIdentity {
                key: format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1000 + self.number),
                domain: "EXAMPLE".into(),
                upn: Some(format!("{name}@example.co.jp")),
                name,
            }),
            remote: Some(false),
            client: None,
            cause: None,
            supersedes: None,
        };
        let encoded = EncodedEvent::encode(event, self.previous)?;
        self.previous = encoded.digest;
        Ok(encoded.json)
    }
}

fn moment(now: UtcMillis) -> Moment {
    let since_boot = (now.0 - BEGIN).unsigned_abs() + 60_000;
    Moment { wall: now, offset_seconds: 32_400, biased_ms: since_boot, unbiased_ms: since_boot }
}
