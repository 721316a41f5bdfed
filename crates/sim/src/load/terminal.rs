//! A terminal: its key, its chain, and the events it makes.

use anyhow::Context as _;
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Event, EventKind, Evidence, Moment, SessionIdentity, TerminalId, UtcMillis,
};
use mngntime_wire::{Batch, BatchItem, EncodedEvent, EnrollmentRequest, SecretKey};
use serde_json::value::RawValue;

use crate::random::Chance;

/// Offset of the simulated PCs' clocks: Tokyo's.
const OFFSET_SECONDS: i32 = 9 * 3600;

/// Where a chain has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain {
    sequence: u64,
    previous: Digest,
    counter_ms: u64,
}

/// A terminal of a load. Its key comes from seed and number alone, so it can be had again.
pub struct Terminal {
    number: usize,
    key: SecretKey,
    contract: String,
    id: String,
    boot: BootId,
    pub(super) chain: Chain,
}

impl Terminal {
    /// Terminal `number` of the load `seed`, not enrolled yet.
    ///
    /// # Errors
    /// Never in practice.
    pub fn new(seed: u64, number: usize, contract: &str) -> anyhow::Result<Self> {
        let mut chance = Chance::new(seed ^ 0x10ad, number as u64);
        let mut bytes = [0; 32];
        bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&chance.next().to_le_bytes()));
        Ok(Self {
            number,
            key: SecretKey::from_seed(&bytes),
            contract: contract.to_owned(),
            id: String::new(),
            boot: BootId::new(&format!("load-{seed}"))?,
            chain: Chain { sequence: 0, previous: Digest::GENESIS, counter_ms: 1 },
        })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Its PC name.
    #[must_use]
    pub fn host_name(&self) -> String {
        format!("LOAD-{:06}", self.number)
    }

    /// The name of the one account that logs on to it.
    #[must_use]
    pub fn account(&self) -> String {
        format!("user{:06}", self.number)
    }

    /// What names the hardware.
    #[must_use]
    pub fn makeup(&self) -> String {
        format!("load-{}", self.number)
    }

    /// Takes the id that the server has given it.
    pub fn enrolled_as(&mut self, id: TerminalId) {
        self.id = id.to_string();
    }

    /// The request by which it becomes a terminal.
    #[must_use]
    pub fn enrollment(&self, enrollment_key: &str) -> EnrollmentRequest {
        EnrollmentRequest {
            v: 1,
            contract: self.contract.clone(),
            enrollment_key: enrollment_key.to_owned(),
            public_key: self.key.public().to_string(),
            host_name: self.host_name(),
            os: "Windows 11 Pro 24H2 (simulated)".to_owned(),
            makeup: self.makeup(),
            key_class: "file".to_owned(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The next event: logons and logoffs in turn.
    ///
    /// # Errors
    /// Never in practice.
    pub fn next_event(&mut self, now: UtcMillis) -> anyhow::Result<EncodedEvent> {
        self.chain.sequence += 1;
        self.chain.counter_ms += 1;
        let sequence = self.chain.sequence;
        let event = Event {
            sequence,
            boot: self.boot.clone(),
            kind: if sequence % 2 == 1 { EventKind::Logon } else { EventKind::Logoff },
            evidence: Evidence::Notice,
            occurred_at: now,
            bounds: None,
            recorded_at: self.moment(now),
            session: Some(SessionIdentity {
                boot: self.boot.clone(),
                session_id: "2".into(),
                logon_identity: format!("0x{:x}", 0x3e7 + sequence.div_ceil(2)),
            }),
            account: Some(AccountIdentity {
                key: format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1_000 + self.number),
                domain: "EXAMPLE".into(),
                name: self.account(),
                upn: Some(format!("{}@example.co.jp", self.account())),
            }),
            remote: Some(false),
            client: None,
            cause: None,
            supersedes: None,
        };
        let encoded = EncodedEvent::encode(event, self.chain.previous)?;
        self.chain.previous = encoded.digest;
        Ok(encoded)
    }

    /// A batch with its next events.
    ///
    /// # Errors
    /// Never in practice.
    pub fn next_batch(&mut self, events: usize, now: UtcMillis) -> anyhow::Result<Batch> {
        let item = |event: EncodedEvent| -> anyhow::Result<BatchItem> {
            let event = RawValue::from_string(event.json).context("an event is JSON")?;
            Ok(BatchItem { resent: false, event })
        };
        let events: Vec<_> =
            (0..events).map(|_| self.next_event(now).and_then(item)).collect::<anyhow::Result<_>>()?;
        Ok(Batch {
            v: 1,
            contract: self.contract.clone(),
            terminal: self.id.clone(),
            sent_at: self.moment(now).into(),
            boot: self.boot.to_string(),
            waiting: events.len() as u64,
            makeup: self.makeup(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            events,
        })
    }

    fn moment(&self, wall: UtcMillis) -> Moment {
        let since_boot = self.chain.counter_ms;
        Moment { wall, offset_seconds: OFFSET_SECONDS, biased_ms: since_boot, unbiased_ms: since_boot }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_key_and_another_number_another_one() {
        let key = |seed, number| Terminal::new(seed, number, "demo").unwrap().key().public().to_string();
        assert_eq!(key(1, 2), key(1, 2));
        assert_ne!(key(1, 2), key(1, 3));
        assert_ne!(key(1, 2), key(2, 2));
    }

    #[test]
    fn events_continue_the_chain_and_a_batch_has_as_many_as_asked() {
        let mut terminal = Terminal::new(1, 7, "demo").unwrap();
        let first = terminal.next_event(UtcMillis(1)).unwrap();
        let batch = terminal.next_batch(3, UtcMillis(2)).unwrap();
        assert_eq!(batch.events.len(), 3);
        let second = EncodedEvent::decode(batch.events[0].event.get()).unwrap();
        assert_eq!((second.previous, second.event.sequence), (first.digest, 2));
        assert_eq!([first.event.kind, second.event.kind], [EventKind::Logon, EventKind::Logoff]);
    }
}
