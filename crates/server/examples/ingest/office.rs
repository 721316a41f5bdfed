//! Contracts with terminals and linked accounts, and what their PCs send.

use std::time::Instant;

use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, ContractCode, Event, EventKind, Evidence, Moment, SessionIdentity, TerminalId,
    UtcMillis,
};
use mngntime_server::app::system_clock;
use mngntime_store::{
    AccountFilter, Act, ContractId, EmployeeChoice, Enrolment, IncomingBatch, IncomingEvent, KeyHash,
    LinkRequest, NewContract, NewEmployee, SignedBatch, Store,
};
use mngntime_wire::{Batch, BatchItem, Context, EncodedEvent, SecretKey, Signed};

const KEY: &str = "enrolment-key";

/// A PC with its key and chain.
pub struct Pc {
    pub key: SecretKey,
    pub contract: String,
    pub terminal: TerminalId,
    account: String,
    sequence: u64,
    previous: Digest,
    counter: u64,
}

/// The id of terminal `number`: what [`super::reference`] can say in SQL.
fn id(number: usize) -> TerminalId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&u32::try_from(number).unwrap().to_be_bytes());
    TerminalId::from_random(bytes)
}

pub struct Office {
    pub pcs: Vec<Pc>,
}

impl Office {
    /// Enrols the PCs, has each seen once, and links its account.
    pub fn make(store: &dyn Store, terminals: usize, contracts: usize) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut all = Vec::new();
            for n in 0..contracts {
                let code = format!("office{n}");
                let act = Act::command_line(system_clock()());
                let new = NewContract {
                    code: ContractCode::new(&code).unwrap(),
                    name: code.clone(),
                    key: KeyHash::of(KEY),
                };
                let contract = store.create_contract(new, act.clone()).await.unwrap();
                let mut pcs: Vec<Pc> =
                    (n..terminals).step_by(contracts).map(|number| Pc::new(number, &code)).collect();
                for group in pcs.chunks_mut(500) {
                    futures_util::future::join_all(group.iter_mut().map(|pc| pc.begin(store, contract)))
                        .await;
                }
                let accounts =
                    store.list_accounts(contract.into(), AccountFilter::All, terminals).await.unwrap();
                let from = mngntime_store::local_date(UtcMillis(0));
                let link = |account: &mngntime_store::Account| LinkRequest {
                    account: account.id,
                    employee: EmployeeChoice::New(NewEmployee {
                        code: account.name.clone(),
                        name: account.name.clone(),
                        kana: None,
                        department: None,
                        active_from: None,
                        active_to: None,
                    }),
                    from,
                    to: None,
                };
                store.link_accounts(contract, accounts.iter().map(link).collect(), act).await.unwrap();
                all.extend(pcs);
            }
            Self { pcs: all }
        })
    }
}

impl Pc {
    fn new(number: usize, contract: &str) -> Self {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
        Self {
            key: SecretKey::from_seed(&seed),
            contract: contract.to_owned(),
            terminal: id(number),
            account: format!("user{number}"),
            sequence: 0,
            previous: Digest::GENESIS,
            counter: 1,
        }
    }

    async fn begin(&mut self, store: &dyn Store, contract: ContractId) {
        let at = system_clock()();
        let enrolment = Enrolment {
            contract: self.contract.clone(),
            key: KeyHash::of(KEY),
            public_key: self.key.public().to_string(),
            host_name: format!("PC-{}", self.account),
            os: "Windows 11".to_owned(),
            makeup: "makeup-1".to_owned(),
            key_class: "file".to_owned(),
            agent_version: "0.1.0".to_owned(),
            proposed: self.terminal,
            at,
        };
        store.enroll(enrolment).await.unwrap();
        let EncodedEvent { json, digest, event, .. } = self.event();
        let signed = SignedBatch { digest, signature: String::new(), payload: "{}".to_owned() };
        let events = vec![IncomingEvent { resent: false, digest, json, event }];
        let batch = IncomingBatch {
            contract,
            terminal: self.terminal,
            received_at: at,
            clock_offset_ms: 0,
            waiting: 1,
            makeup: "makeup-1".to_owned(),
            agent_version: "0.1.0".to_owned(),
            boot: "boot-1".to_owned(),
            boot_counter_ms: self.counter,
            events,
            signed,
        };
        store.receive(batch).await.unwrap();
    }

    fn event(&mut self) -> EncodedEvent {
        self.sequence += 1;
        self.counter += 1;
        let kind = if self.sequence % 2 == 1 { EventKind::Logon } else { EventKind::Logoff };
        let boot = BootId::new("boot-1").unwrap();
        let event = Event {
            sequence: self.sequence,
            boot: boot.clone(),
            kind,
            evidence: Evidence::Notice,
            occurred_at: system_clock()(),
            bounds: None,
            recorded_at: self.moment(),
            session: Some(SessionIdentity { boot, session_id: "2".into(), logon_identity: "0x3e7".into() }),
            account: Some(AccountIdentity {
                key: format!("S-1-5-21-1004336348-1177238915-682003330-{}", self.account),
                domain: "EXAMPLE".into(),
                name: self.account.clone(),
                upn: Some(format!("{}@example.co.jp", self.account)),
            }),
            remote: Some(false),
            client: None,
            cause: None,
            supersedes: None,
        };
        let encoded = EncodedEvent::encode(event, self.previous).unwrap();
        self.previous = encoded.digest;
        encoded
    }

    fn moment(&self) -> Moment {
        let wall = system_clock()();
        Moment { wall, offset_seconds: 32_400, biased_ms: self.counter, unbiased_ms: self.counter }
    }

    /// The body of a request with the next events.
    pub fn body(&mut self, events: usize) -> String {
        let item = |encoded: EncodedEvent| BatchItem {
            resent: false,
            event: serde_json::value::RawValue::from_string(encoded.json).unwrap(),
        };
        let events: Vec<_> = (0..events).map(|_| item(self.event())).collect();
        let batch = Batch {
            v: 1,
            contract: self.contract.clone(),
            terminal: self.terminal.to_string(),
            sent_at: self.moment().into(),
            boot: "boot-1".into(),
            waiting: events.len() as u64,
            makeup: "makeup-1".into(),
            agent: "0.1.0".into(),
            events,
        };
        Signed::seal(Context::Batch, &batch, &self.key).unwrap().to_json().unwrap()
    }
}

/// What the steps of the processor cost by themselves, each alone on one thread.
pub fn parts(office: &Office) {
    let mut pc = Pc::new(1_000_000, &office.pcs[0].contract);
    let bodies: Vec<String> = (0..2_000).map(|_| pc.body(1)).collect();
    let public = pc.key.public();
    let parsed: Vec<Signed> = bodies.iter().map(|body| Signed::parse(body.as_bytes()).unwrap()).collect();
    let batches: Vec<Batch> = parsed.iter().map(|envelope| envelope.peek().unwrap()).collect();
    println!(
        "| step, alone | µs |\n|---|---|\n| bytes of a body with one event | {} bytes |",
        bodies[0].len()
    );
    told("parse envelope and batch", || {
        for body in &bodies {
            let envelope = Signed::parse(body.as_bytes()).unwrap();
            std::hint::black_box(envelope.peek::<Batch>().unwrap());
        }
    });
    told("read the event", || {
        for batch in &batches {
            std::hint::black_box(EncodedEvent::decode(batch.events[0].event.get()).unwrap());
        }
    });
    told("check the signature", || {
        parsed.iter().for_each(|envelope| envelope.check(Context::Batch, &public).unwrap());
    });
    told("read the key's text", || {
        let text = public.to_string();
        parsed.iter().for_each(|_| drop(std::hint::black_box(mngntime_wire::PublicKey::parse(&text))));
    });
    told("sign a receipt", || {
        for batch in &batches {
            std::hint::black_box(Signed::seal(Context::Receipt, batch, &pc.key).unwrap());
        }
    });
    println!();
}

fn told(name: &str, work: impl Fn()) {
    let begun = Instant::now();
    work();
    println!("| {name} | {:.1} |", begun.elapsed().as_secs_f64() * 1e6 / 2_000.0);
}
