//! What the corpora begin with: made by the real encoders where there are some.

use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Declared, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};
use mngntime_server::evidence::record::{Request, Writer};
use mngntime_store::{AccountFilter, EmployeeChoice, LinkRequest, NewEmployee};
use mngntime_wire::{
    Batch, BatchItem, Context, EncodedEvent, EnrollmentRequest, Receipt, ReceiptItem, SecretKey, Signed,
};
use serde::Serialize;

use crate::make::NOW;
use crate::site::{Site, Tenant};

const HOUR_MS: i64 = 3_600_000;
/// Made-up conversations, journals and trees: enough that every step is in one of them.
const RANDOM_SEEDS: u64 = 12;

/// A seed: of which target, its name, its bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// All that need no file.
pub fn all() -> Vec<Seed> {
    let mut seeds = vec![
        ("seal", "sealed".to_owned(), crate::seal::sealed().to_vec()),
        ("seal", "no-seal".to_owned(), crate::seal::sealed()[..22].to_vec()),
        ("config", "good".to_owned(), CONFIG.into()),
        ("config", "bad".to_owned(), BAD_CONFIG.into()),
        ("evidence", "whole".to_owned(), crate::evidence::record().join("\n").into_bytes()),
        ("envelope", "enrollment".to_owned(), enrollment()),
        ("envelope", "receipt".to_owned(), receipt()),
        ("envelope", "batch".to_owned(), batch()),
    ];
    let kinds = EventKind::ALL.iter().zip(1..);
    seeds.extend(kinds.map(|(kind, n)| ("event", kind.name().to_owned(), event(*kind, n).json.into_bytes())));
    for (target, bytes) in [("ingest", 700), ("journal", 400), ("log", 160), ("evidence", 90), ("event", 120)]
    {
        seeds.extend((0..RANDOM_SEEDS).map(|n| (target, format!("random-{n:02}"), random(n, bytes))));
    }
    seeds
}

const CONFIG: &str = "server_url = \"https://mngntime.example.co.jp/\"\ncontract_code = \"demo\"\n\
    enrollment_key = \"SECRET-0123456789\"\nstate_dir = \"/var/lib/x\"\nproxy = \"http://proxy.example:3128\"\n\
    language = \"en\"\nreconcile_seconds = 30\nheartbeat_seconds = 30\nretry_cap_seconds = 60\n";
const BAD_CONFIG: &str = "server_url = \"ftp://x\"\nenrolment_key = \"SECRET-0123456789\"\nproxy = 5\n\
    server_key = \"p256:BA==\"\nallow_plain_http = \"yes\"\nreconcile_seconds = 0\n[table]\nx = [1, 2]\n";

/// Bytes that look like nothing and are always the same (xorshift64).
fn random(seed: u64, count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ (seed + 1);
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn seal<T: Serialize>(context: Context, payload: &T) -> Signed {
    Signed::seal(context, payload, &SecretKey::from_seed(&[1; 32])).expect("a key in memory")
}

fn body(envelope: &Signed) -> Vec<u8> {
    envelope.to_json().expect("JSON").into_bytes()
}

fn happened(kind: EventKind, sequence: u64, account: &str, at: i64) -> Event {
    let boot = BootId::new("boot-1").expect("a boot id");
    Event {
        sequence,
        boot: boot.clone(),
        kind,
        evidence: Evidence::Notice,
        occurred_at: UtcMillis(at),
        bounds: None,
        recorded_at: Moment {
            wall: UtcMillis(at),
            offset_seconds: 32_400,
            biased_ms: 60_000,
            unbiased_ms: 60_000,
        },
        session: Some(SessionIdentity { boot, session_id: "2".into(), logon_identity: "0x3e7".into() }),
        account: kind.is_punch().then(|| AccountIdentity {
            key: format!("S-1-5-21-{account}"),
            domain: "EXAMPLE".into(),
            name: account.into(),
            upn: Some(format!("{account}@example.co.jp")),
        }),
        remote: Some(false),
        client: None,
        cause: None,
        supersedes: None,
    }
}

fn event(kind: EventKind, sequence: u64) -> EncodedEvent {
    let cause = (kind == EventKind::Gap).then(|| Declared::NotHeld { first: 1, last: 2 }.to_string());
    let event = Event { cause, ..happened(kind, sequence, "花子", NOW) };
    EncodedEvent::encode(event, Digest::GENESIS).expect("an event")
}

fn batch() -> Vec<u8> {
    let item = |(kind, n)| BatchItem {
        resent: n == 2,
        event: serde_json::from_str(&event(kind, n).json).expect("JSON"),
    };
    let events = [(EventKind::ServiceStart, 1), (EventKind::Logon, 2)].map(item).into();
    body(&seal(Context::Batch, &unsigned("demo", "1f6b9d1e-6a6c-4b8e-8a54-0d7b4f3f8a11", NOW, events)))
}

fn unsigned(contract: &str, terminal: &str, at: i64, events: Vec<BatchItem>) -> Batch {
    let moment = happened(EventKind::Boot, 1, "", at).recorded_at;
    Batch {
        v: 1,
        contract: contract.into(),
        terminal: terminal.into(),
        sent_at: moment.into(),
        boot: "boot-1".into(),
        waiting: 1,
        makeup: "makeup-1".into(),
        agent: "0.1.0".into(),
        events,
    }
}

fn receipt() -> Vec<u8> {
    let item = ReceiptItem { seq: 1, hash: "00".repeat(32), stored: true, res: Some(7), log: None };
    let receipt = Receipt {
        v: 1,
        request: "00".repeat(32),
        terminal: "1f6b9d1e-6a6c-4b8e-8a54-0d7b4f3f8a11".into(),
        received_at: NOW,
        refused: None,
        items: vec![item],
        head: 5,
        missing: vec![[2, 4]],
        spread_seconds: 0,
        contact_seconds: 900,
        display_name: "MINAGINE".into(),
        log: None,
        contract: None,
    };
    body(&seal(Context::Receipt, &receipt))
}

fn enrollment() -> Vec<u8> {
    let request = EnrollmentRequest {
        v: 1,
        contract: "demo".into(),
        enrollment_key: "k".into(),
        public_key: SecretKey::from_seed(&[1; 32]).public().to_string(),
        host_name: "PC-0231".into(),
        os: "Windows 11".into(),
        makeup: "makeup-1".into(),
        key_class: "file".into(),
        agent: "0.1.0".into(),
    };
    body(&seal(Context::EnrollmentRequest, &request))
}

/// A record about one of two employees who share a PC, over the end of a month, with a number that never came.
/// The ids of the terminals are drawn, so each call makes another one.
pub fn record() -> String {
    let site = Site::start();
    let tenant = site.tenant();
    let key = SecretKey::from_seed(&[7; 32]);
    let terminal = tenant.enroll(&key);
    let days = [(EventKind::ServiceStart, ""), (EventKind::Logon, "hanako"), (EventKind::Logon, "taro")];
    let (mut previous, mut at) = (Digest::GENESIS, NOW);
    for (sequence, (kind, account)) in (1..).zip(days.iter().cycle().take(6)) {
        let event = EncodedEvent::encode(happened(*kind, sequence, account, at), previous).expect("an event");
        previous = event.digest;
        if sequence != 4 {
            let item = BatchItem { resent: false, event: serde_json::from_str(&event.json).expect("JSON") };
            let batch = unsigned(&tenant.code, &terminal, at, vec![item]);
            let batch = Signed::seal(Context::Batch, &batch, &key).expect("a key in memory");
            site.post("/api/v1/events", batch.to_json().expect("JSON"));
            tenant.sign();
        }
        let pause = if sequence == 3 { 10 * 24 * HOUR_MS } else { HOUR_MS };
        site.pass(pause);
        at += pause;
    }
    link(&tenant);
    tenant.sign();
    written(&tenant)
}

fn link(tenant: &Tenant<'_>) {
    let store = &tenant.site.app.store;
    let accounts =
        tenant.site.wait(store.list_accounts(tenant.id.into(), AccountFilter::All, 100)).expect("reads");
    let requests = [("hanako", "E1"), ("taro", "E2")].map(|(name, code)| LinkRequest {
        account: accounts.iter().find(|account| account.name == name).expect("it logged on").id,
        employee: EmployeeChoice::New(NewEmployee::named(code, format!("社員 {code}"))),
        from: jiff::civil::date(2026, 1, 1),
        to: None,
    });
    let act = mngntime_store::Act::command_line(tenant.site.app.now());
    tenant.site.wait(store.link_accounts(tenant.id, requests.into(), act)).expect("links");
}

fn written(tenant: &Tenant<'_>) -> String {
    let (site, store) = (tenant.site, &*tenant.site.app.store);
    let request = Request {
        contract: site.wait(store.contract(&tenant.code)).expect("reads").expect("is there"),
        employee: Some("E1".into()),
        dates: Some((jiff::civil::date(2026, 11, 23), jiff::civil::date(2026, 12, 4))),
        server_key: site.key().to_string(),
        made_at: site.app.now(),
        day_boundary_minutes: 300,
    };
    let mut out = Vec::new();
    site.wait(async { Writer::new(store, &request, &mut out).await.expect("reads").write().await })
        .expect("writes");
    String::from_utf8(out).expect("JSON")
}
