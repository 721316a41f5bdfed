//! A contract with terminals and people to play with.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, ContractCode, Event, EventKind, Evidence, Moment, PunchResult, TerminalId,
    UtcMillis,
};
use mngntime_store::{
    Account, AccountFilter, Act, Beside, ContractId, EmployeeChoice, EnrollmentOutcome, Enrolment,
    IncomingBatch, IncomingEvent, ItemOutcome, KeyHash, LinkRequest, NewContract, NewEmployee, Page, Punch,
    PunchFilter, SignedBatch, Store,
};

/// 2026-11-23 09:00 in Tokyo.
pub const NOW: UtcMillis = UtcMillis(1_795_392_000_000);
pub const DAY_MS: i64 = 86_400_000;
pub const KEY: &str = "enrolment-key";

pub fn act() -> Act {
    Act::administrator("kimura", NOW)
}

/// All rows of a list, walked page by page to its end and back; the way back shows the same pages.
pub async fn walked<T, K>(page: impl AsyncFn(Option<Beside<K>>) -> Page<T, K>) -> Vec<T>
where
    T: std::fmt::Debug,
    K: Clone,
{
    let mut pages = vec![page(None).await];
    assert!(pages[0].previous.is_none());
    while let Some(next) = pages.last().and_then(Page::further) {
        pages.push(page(Some(next)).await);
    }
    for number in (1..pages.len()).rev() {
        let key = pages[number].previous.clone().expect("a page that does not begin the list");
        let back = page(Some(Beside::Before(key))).await;
        let told = |page: &Page<T, K>| format!("{:#?}", page.rows);
        assert_eq!(told(&back), told(&pages[number - 1]), "page {number} on the way back");
        assert_eq!((back.previous.is_some(), back.next.is_some()), (number > 1, true));
    }
    pages.into_iter().flat_map(|page| page.rows).collect()
}

/// Numbers that look drawn and are the same in every run (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// From 0 up to, and without, `limit`.
    pub fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// The date `days` after the day of [`NOW`].
pub fn day(days: i64) -> Date {
    mngntime_store::local_date(NOW.plus(days * DAY_MS))
}

pub async fn contract(store: &dyn Store, code: &str) -> ContractId {
    let new =
        NewContract { code: ContractCode::new(code).unwrap(), name: code.to_owned(), key: KeyHash::of(KEY) };
    store.create_contract(new, act()).await.unwrap()
}

pub fn enrolment(contract: &str, public_key: &str) -> Enrolment {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let mut random = [0; 16];
    random[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Enrolment {
        contract: contract.to_owned(),
        key: KeyHash::of(KEY),
        public_key: public_key.to_owned(),
        host_name: format!("PC-{public_key}"),
        os: "Windows 11".to_owned(),
        makeup: "makeup-1".to_owned(),
        key_class: "software".to_owned(),
        agent_version: "0.1.0".to_owned(),
        proposed: TerminalId::from_random(random),
        at: NOW,
    }
}

pub async fn terminal(store: &dyn Store, contract: &str, public_key: &str) -> TerminalId {
    let outcome = store.enroll(enrolment(contract, public_key)).await.unwrap();
    let EnrollmentOutcome::Enrolled(id) = outcome else { panic!("{outcome:?}") };
    id
}

/// A contract with one terminal.
pub struct Office {
    pub contract: ContractId,
    pub terminal: TerminalId,
}

pub async fn office(store: &dyn Store) -> Office {
    let contract = contract(store, "demo").await;
    Office { contract, terminal: terminal(store, "demo", "1").await }
}

pub fn identity(name: &str) -> AccountIdentity {
    AccountIdentity {
        key: format!("S-1-5-21-{name}"),
        domain: "EXAMPLE".to_owned(),
        name: name.to_owned(),
        upn: None,
    }
}

/// An event of `account` at `occurred_at`; the digest is over made-up bytes that name all of it.
pub fn event(
    sequence: u64,
    kind: EventKind,
    account: Option<AccountIdentity>,
    occurred_at: UtcMillis,
) -> IncomingEvent {
    let moment = Moment { wall: occurred_at, offset_seconds: 32_400, biased_ms: 1, unbiased_ms: 1 };
    let event = Event {
        sequence,
        boot: BootId::new("boot").unwrap(),
        kind,
        evidence: Evidence::Notice,
        occurred_at,
        bounds: None,
        recorded_at: moment,
        session: None,
        account,
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    };
    let json = format!("{event:?}");
    IncomingEvent { resent: false, digest: Digest::of(json.as_bytes()), json, event, stamped_at: None }
}

pub fn logon(sequence: u64, name: &str, occurred_at: UtcMillis) -> IncomingEvent {
    event(sequence, EventKind::Logon, Some(identity(name)), occurred_at)
}

/// What proves a batch, made up of its events.
fn signed(events: &[IncomingEvent]) -> SignedBatch {
    let digests: String = events.iter().map(|event| event.digest.to_string()).collect();
    SignedBatch { digest: Digest::of(digests.as_bytes()), signature: "signature".into(), payload: digests }
}

impl Office {
    pub fn batch(&self, events: Vec<IncomingEvent>) -> IncomingBatch {
        IncomingBatch {
            contract: self.contract,
            terminal: self.terminal,
            received_at: NOW,
            clock_offset_ms: 0,
            waiting: 0,
            makeup: "makeup-1".to_owned(),
            agent_version: "0.1.0".to_owned(),
            signed: signed(&events),
            boot: "boot".to_owned(),
            boot_counter_ms: 1,
            day_begins_minutes: 300,
            events,
        }
    }

    pub async fn receive(&self, store: &dyn Store, events: Vec<IncomingEvent>) -> Vec<ItemOutcome> {
        store.receive(self.batch(events)).await.unwrap().items
    }

    /// `res` of each event.
    pub async fn results(&self, store: &dyn Store, events: Vec<IncomingEvent>) -> Vec<Option<u8>> {
        let items = self.receive(store, events).await;
        items.into_iter().map(|item| item.result.and_then(PunchResult::res)).collect()
    }

    pub async fn list(&self, store: &dyn Store, filter: PunchFilter) -> Vec<Punch> {
        store.list_punches(self.contract.into(), filter, None, 1000).await.unwrap().rows
    }

    /// `(seq, res)` of all punches, by number.
    pub async fn punches(&self, store: &dyn Store) -> Vec<(u64, Option<u8>)> {
        let all = self.list(store, PunchFilter::default()).await;
        let mut all: Vec<_> = all.into_iter().map(|punch| (punch.sequence, punch.result.res())).collect();
        all.sort_unstable();
        all
    }

    pub async fn account(&self, store: &dyn Store, name: &str) -> Account {
        let all = store.list_accounts(self.contract.into(), AccountFilter::All, 1000).await.unwrap();
        all.into_iter().find(|account| account.key == identity(name).key).expect(name)
    }

    /// A link of `name` to a new employee whose code is the name.
    pub async fn request(&self, store: &dyn Store, name: &str, from: Date, to: Option<Date>) -> LinkRequest {
        let account = self.account(store, name).await.id;
        LinkRequest { account, employee: EmployeeChoice::New(employee(name)), from, to }
    }
}

pub fn employee(code: &str) -> NewEmployee {
    NewEmployee::named(code, format!("社員 {code}"))
}
