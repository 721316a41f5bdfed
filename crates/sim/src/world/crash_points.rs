//! Every crash point of every short workload, with everything that a disk may make of it.
//!
//! For each workload of a few journal operations, the process or the PC ends in each disk operation in turn
//! (after ALICE, Pillai et al. 2014). A power cut leaves each prefix and each subset of the sectors of what was
//! not synced; what is missing in between reads as zeros. From each such state the journal is opened and used,
//! and must keep what it promised:
//!
//! - every event whose storing was reported is there, byte for byte, or its receipt is;
//! - nothing is there that was not asked for, and no promised number is declared lost;
//! - what it gives away to be sent is on the platter, whatever the crash left in the page cache;
//! - it can be written to again, and its next event follows the last one.

use std::collections::BTreeMap;

use mngntime_agent::journal::{Enrollment, Heartbeat, Journal};
use mngntime_agent_core::log::{LogChannel, LogPosition};
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};
use mngntime_wire::{Context, EncodedEvent, Receipt, ReceiptItem, SecretKey, Signed};

use super::branch::Branch;
use super::disk::{Crash, FaultyDisk, File};
use crate::random::Chance;

/// Sectors into which an unsynced write is cut for its subsets.
const SECTORS: usize = 6;
const TERMINAL: &str = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b";

/// One operation of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Append,
    Acknowledge,
    Enroll,
    Positions,
    Beat,
    /// The next sync fails.
    SyncFails,
    /// The process is started again.
    Restart,
}

const OPERATIONS: [Operation; 7] = [
    Operation::Append,
    Operation::Acknowledge,
    Operation::SyncFails,
    Operation::Restart,
    Operation::Enroll,
    Operation::Positions,
    Operation::Beat,
];

/// How much has been tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Workloads.
    pub workloads: u64,
    /// Disk operations in which something ended.
    pub crash_points: u64,
    /// States of the disk from which the journal was opened.
    pub states: u64,
}

/// How thorough to be.
#[derive(Debug, Clone, Copy)]
pub struct Thoroughness {
    /// Operations in the longest workload.
    pub operations_max: usize,
    /// Of the seven operations, how many are used.
    pub kinds: usize,
    /// Distance between two prefixes of an unsynced write, in bytes.
    pub stride_bytes: usize,
}

/// Tries everything.
///
/// # Errors
/// Workload, crash point and state that broke a promise, in words.
pub fn enumerate(thoroughness: Thoroughness) -> Result<Counted, String> {
    let mut counted = Counted::default();
    let kinds = &OPERATIONS[..thoroughness.kinds.min(OPERATIONS.len())];
    let mut workloads: Vec<Vec<Operation>> = vec![Vec::new()];
    for _ in 0..thoroughness.operations_max {
        workloads = workloads
            .iter()
            .flat_map(|workload| kinds.iter().map(|kind| [&workload[..], &[*kind]].concat()))
            .collect();
        for workload in &workloads {
            counted.workloads += 1;
            crash_everywhere(workload, thoroughness.stride_bytes, &mut counted)
                .map_err(|what| format!("{workload:?}: {what}"))?;
        }
    }
    Ok(counted)
}

fn crash_everywhere(workload: &[Operation], stride: usize, counted: &mut Counted) -> Result<(), String> {
    for crash in [Crash::Power, Crash::Process] {
        for at in 1.. {
            let disk = FaultyDisk::new(Chance::new(at, workload.len() as u64));
            let mut user = User::new(disk.clone())?;
            disk.crash_in(at, crash);
            workload.iter().try_for_each(|operation| user.perform(*operation))?;
            if disk.crashed().is_none() {
                break;
            }
            counted.crash_points += 1;
            for files in left_by(crash, &disk.files(), stride) {
                counted.states += 1;
                user.check(&FaultyDisk::with_files(files))
                    .map_err(|what| format!("{crash:?} {at}: {what}"))?;
            }
        }
    }
    Ok(())
}

/// All states of the disk that the crash may leave.
fn left_by(crash: Crash, files: &BTreeMap<String, File>, stride: usize) -> Vec<BTreeMap<String, File>> {
    if crash == Crash::Process {
        return vec![files.clone()];
    }
    let mut states = vec![BTreeMap::new()];
    let mut first = true;
    for (name, file) in files {
        let contents = if file.unsynced.is_empty() {
            vec![file.durable.clone()]
        } else if std::mem::take(&mut first) {
            every_content(file, stride)
        } else {
            // A second unsynced file exists only behind a failed sync: with all or nothing of it.
            vec![file.durable.clone(), file.with_unsynced(&|_| true)]
        };
        states = contents
            .iter()
            .flat_map(|bytes| {
                states.iter().map(|state| {
                    let mut state = state.clone();
                    state.insert(name.clone(), File::of(bytes.clone()));
                    state
                })
            })
            .collect();
    }
    states
}

/// Every prefix and every subset of the sectors of what was not synced.
fn every_content(file: &File, stride: usize) -> Vec<Vec<u8>> {
    let bytes: usize = file.unsynced.iter().map(|write| write.bytes.len()).sum();
    let prefix = |kept: usize| file.with_unsynced(&|place| place < kept);
    let mut contents: Vec<_> = (0..bytes).step_by(stride.max(1)).chain([bytes]).map(prefix).collect();
    let sector = bytes.div_ceil(SECTORS).max(1);
    let subset = |mask: usize| file.with_unsynced(&|place| mask >> (place / sector) & 1 == 1);
    contents.extend((1..1 << SECTORS).map(subset));
    contents.dedup();
    contents
}

impl File {
    /// What is on the platter when it has those of the unsynced bytes, counted in order, that `kept` says.
    fn with_unsynced(&self, kept: &dyn Fn(usize) -> bool) -> Vec<u8> {
        let mut content = self.durable.clone();
        let mut place = 0;
        for write in &self.unsynced {
            for (number, byte) in write.bytes.iter().enumerate() {
                if kept(place) {
                    let at = write.offset + number;
                    content.resize(content.len().max(at + 1), 0);
                    content[at] = *byte;
                }
                place += 1;
            }
        }
        content
    }
}

/// Somebody who uses a journal and remembers what it said.
struct User {
    disk: FaultyDisk,
    journal: Option<Journal<FaultyDisk>>,
    heartbeat: Heartbeat,
    promised: BTreeMap<u64, Digest>,
    acknowledged: Vec<u64>,
    asked: Vec<Digest>,
}

impl User {
    fn new(disk: FaultyDisk) -> Result<Self, String> {
        let (journal, _) = Journal::open(disk.clone()).map_err(|error| error.to_string())?;
        let heartbeat = Heartbeat::open(&disk);
        let (promised, acknowledged, asked) = Default::default();
        Ok(Self { disk, journal: Some(journal), heartbeat, promised, acknowledged, asked })
    }

    fn perform(&mut self, operation: Operation) -> Result<(), String> {
        let Some(journal) = self.journal.as_mut().filter(|_| self.disk.crashed().is_none()) else {
            return Ok(());
        };
        match operation {
            Operation::Append => self.append(),
            Operation::Acknowledge => {
                let numbers: Vec<u64> = journal.pending().map(|event| event.sequence).collect();
                // From here on either is right: the receipt exists.
                self.acknowledged.extend(&numbers);
                let _ = receipt(journal, &numbers).map(|receipt| journal.acknowledge(&numbers, &receipt));
            }
            Operation::Enroll => {
                let _ = journal.enroll(enrollment());
            }
            Operation::Positions => {
                let written_at = UtcMillis(1);
                let position = LogPosition { channel: LogChannel::System, record_id: 1, written_at };
                let _ = journal.keep_log_positions(&[position]);
            }
            Operation::Beat => {
                let moment = event(1).recorded_at;
                let _ = self.heartbeat.beat(&self.disk, &event(1).boot, moment, &journal.chain());
            }
            Operation::SyncFails => self.disk.fail_syncs(1),
            Operation::Restart => {
                self.journal = None;
                self.journal = Journal::open(self.disk.clone()).ok().map(|(journal, _)| journal);
            }
        }
        Ok(())
    }

    /// As the core does: the same event again until the disk takes it, three times at most.
    fn append(&mut self) {
        let Some(journal) = &mut self.journal else {
            return;
        };
        let event = event(journal.recovered(None).last_sequence + 1);
        for _ in 0..3 {
            if let Ok(encoded) = EncodedEvent::encode(event.clone(), journal.chain().head) {
                self.asked.push(encoded.digest);
                if journal.append(&event).is_ok() {
                    self.promised.insert(event.sequence, encoded.digest);
                    return;
                }
            }
        }
    }

    fn check(&self, disk: &FaultyDisk) -> Result<(), String> {
        let (mut journal, reading) = Journal::open(disk.clone()).map_err(|error| error.to_string())?;
        self.check_content(&journal, disk).map_err(|what| format!("{what}; {:?}", reading.findings))?;
        let next = journal.recovered(None).last_sequence + 1;
        if self.promised.last_key_value().is_some_and(|(last, _)| next <= *last) {
            return Err(format!("the next event would be {next} again"));
        }
        journal.append(&event(next)).map_err(|error| format!("cannot go on: {error}"))?;
        let chain = journal.chain();
        disk.cut_power_to_nothing();
        let (again, _) = Journal::open(disk.clone()).map_err(|error| error.to_string())?;
        if again.chain() != chain || again.read(next).is_err() {
            return Err(format!("what was appended afterwards, {next}, is not there"));
        }
        self.check_content(&again, disk)
    }

    fn check_content(&self, journal: &Journal<FaultyDisk>, disk: &FaultyDisk) -> Result<(), String> {
        let recovered = journal.recovered(None);
        let mut platter = Branch::default();
        platter.read_platter(disk);
        let pending: Vec<u64> = journal.pending().map(|event| event.sequence).collect();
        for (number, digest) in &self.promised {
            let there = journal.read(*number).is_ok_and(|json| Digest::of(json.as_bytes()) == *digest);
            if !there && !self.acknowledged.contains(number) {
                return Err(format!("{number} was promised and is not there"));
            }
            let declared = recovered.lost.iter().any(|(first, last)| (first..=last).contains(&number));
            if declared && !self.acknowledged.contains(number) {
                return Err(format!("{number} is declared lost"));
            }
        }
        for number in pending.iter().filter(|number| !self.promised.contains_key(number)) {
            let Ok(json) = journal.read(*number) else { continue };
            let digest = Digest::of(json.as_bytes());
            let own = digest == digest_after(journal, *number);
            if !self.asked.contains(&digest) && !own {
                return Err(format!("{number} is there and nobody asked for it"));
            }
            if !platter.is_on_platter(&digest) {
                return Err(format!("{number} is given away and not on the platter"));
            }
        }
        Ok(())
    }
}

/// The digest at the head of the chain, if that is the event with this number: the one that a check appended.
fn digest_after(journal: &Journal<FaultyDisk>, number: u64) -> Digest {
    let chain = journal.chain();
    if chain.sequence == number { chain.head } else { Digest::GENESIS }
}

/// What the server says of these events. It counts at the next start if the enrolment is on the disk before it.
fn receipt(journal: &Journal<FaultyDisk>, numbers: &[u64]) -> Option<String> {
    let held = |number: &u64| {
        let hash = Digest::of(journal.read(*number).ok()?.as_bytes()).to_string();
        Some(ReceiptItem { seq: *number, hash, stored: true, res: None, log: None })
    };
    let receipt = Receipt {
        v: 1,
        request: Digest::GENESIS.to_string(),
        terminal: TERMINAL.to_owned(),
        received_at: 1,
        refused: None,
        items: numbers.iter().map(held).collect::<Option<_>>()?,
        head: numbers.last().copied().unwrap_or(0),
        missing: Vec::new(),
        spread_seconds: 60,
        contact_seconds: 900,
        display_name: "MINAGINE".to_owned(),
        log: None,
        contract: None,
    };
    Signed::seal(Context::Receipt, &receipt, &SecretKey::from_seed(&[42; 32])).ok()?.to_json().ok()
}

fn enrollment() -> Enrollment {
    Enrollment {
        contract: "demo".to_owned(),
        server_url: "https://world".to_owned(),
        terminal: TERMINAL.to_owned(),
        server_key: SecretKey::from_seed(&[42; 32]).public().to_string(),
        display_name: "MINAGINE".to_owned(),
        public_key: None,
    }
}

fn event(sequence: u64) -> Event {
    // Any text is a boot id of this shape.
    let boot = BootId::new("boot").unwrap_or_else(|_| unreachable!("a constant"));
    Event {
        sequence,
        boot: boot.clone(),
        kind: if sequence % 2 == 1 { EventKind::Logon } else { EventKind::Logoff },
        evidence: Evidence::Notice,
        occurred_at: UtcMillis(1_764_000_000_000),
        bounds: None,
        recorded_at: Moment {
            wall: UtcMillis(1_764_000_000_000),
            offset_seconds: 0,
            biased_ms: sequence,
            unbiased_ms: sequence,
        },
        session: Some(SessionIdentity { boot, session_id: "2".into(), logon_identity: "2@1".into() }),
        account: Some(AccountIdentity {
            key: "S-1-5-21-1".into(),
            domain: "EXAMPLE".into(),
            name: "hanako".into(),
            upn: None,
        }),
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    }
}
