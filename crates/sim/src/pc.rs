//! One simulated PC: a real core, a real journal, a made-up operating system.

use anyhow::Context;
use mngntime_agent::config::Config;
use mngntime_agent::journal::{Heartbeat, Journal};
use mngntime_agent::transport::{self, BatchParts, Client, Finished, prepare_batch, prepare_enrollment};
use mngntime_agent_core::input::{EnrollOutcome, OsFact, OsSession, SendOutcome, SessionChange};
use mngntime_agent_core::{Agent, Command, Input, Mode, Settings};
use mngntime_ledger::Digest;
use mngntime_model::{BootId, FailureCause, Moment, UtcMillis};
use mngntime_wire::{EnrollmentRequest, SecretKey};

use crate::disk::MemoryDisk;
use crate::random::Chance;
use crate::script::{Action, Step};

/// Compare less often than a real PC: nothing is ever lost here, and a month passes in a moment.
const RECONCILE_MS: u64 = 30 * 60_000;

/// What one PC has done.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) receipted: u64,
    pub(crate) requests: u64,
    pub(crate) failed_requests: u64,
}

pub(crate) struct Pc<'a> {
    config: &'a Config,
    client: &'a Client,
    name: String,
    key: SecretKey,
    seed: u64,
    disk: MemoryDisk,
    journal: Journal<MemoryDisk>,
    heartbeat: Heartbeat,
    core: Option<Agent>,
    boots: u64,
    boot: BootId,
    booted_at: i64,
    now: i64,
    sessions: Vec<OsSession>,
    network: bool,
    last_receipt: Option<String>,
    finished: bool,
    pub(crate) tally: Tally,
}

impl<'a> Pc<'a> {
    pub(crate) fn new(
        number: usize,
        seed: u64,
        config: &'a Config,
        client: &'a Client,
    ) -> anyhow::Result<Self> {
        let mut chance = Chance::new(seed ^ 0x5eed, number as u64);
        let mut key_seed = [0; 32];
        key_seed.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&chance.next().to_le_bytes()));
        let disk = MemoryDisk::default();
        let (journal, _) = Journal::open(disk.clone())?;
        Ok(Self {
            config,
            client,
            name: format!("PC-{:04}", number + 1),
            key: SecretKey::from_seed(&key_seed),
            seed: chance.next(),
            heartbeat: Heartbeat::open(&disk),
            disk,
            journal,
            core: None,
            boots: 0,
            boot: BootId::new("never")?,
            booted_at: 0,
            now: 0,
            sessions: Vec::new(),
            network: true,
            last_receipt: None,
            finished: false,
            tally: Tally::default(),
        })
    }

    /// Plays the whole script, then waits (in simulated time) until everything has its receipt or the
    /// server has failed often.
    pub(crate) fn play(&mut self, steps: &[Step]) -> anyhow::Result<()> {
        for step in steps {
            self.pass_time_until(step.at.0)?;
            self.act(&step.action)?;
        }
        self.network = true;
        self.power_on_if_off()?;
        let until = self.now + 24 * 3_600_000;
        while self.core.as_ref().is_some_and(|core| core.waiting() > 0) && self.now < until {
            let next = self.next_wakeup();
            self.pass_time_until(next)?;
        }
        Ok(())
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.journal.pending().count() as u64
    }

    fn moment(&self) -> Moment {
        let since_boot = u64::try_from(self.now - self.booted_at).unwrap_or(0);
        Moment {
            wall: UtcMillis(self.now),
            offset_seconds: 9 * 3600,
            biased_ms: since_boot,
            unbiased_ms: since_boot,
        }
    }

    fn next_wakeup(&self) -> i64 {
        let wakeup = self.core.as_ref().map_or(i64::MAX, |core| {
            self.booted_at.saturating_add(i64::try_from(core.next_wakeup()).unwrap_or(i64::MAX))
        });
        wakeup.max(self.now + 1)
    }

    fn pass_time_until(&mut self, until: i64) -> anyhow::Result<()> {
        while self.core.is_some() && self.next_wakeup() <= until {
            self.now = self.next_wakeup();
            self.give(Input::Tick)?;
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn act(&mut self, action: &Action) -> anyhow::Result<()> {
        match action {
            Action::PowerOn => self.power_on_if_off(),
            Action::Logon(session) => self.logon(session),
            Action::Lock(id) => self.lock(id, true),
            Action::Unlock(id) => self.lock(id, false),
            Action::Logoff(id) => self.logoff(id),
            Action::ShutDown => self.shut_down(),
            Action::PowerCut => {
                self.core = None;
                self.sessions.clear();
                Ok(())
            }
            Action::NetworkDown => {
                self.network = false;
                Ok(())
            }
            Action::NetworkUp => {
                self.network = true;
                self.give(Input::NetworkChanged)
            }
        }
    }

    fn power_on_if_off(&mut self) -> anyhow::Result<()> {
        if self.core.is_some() {
            return Ok(());
        }
        self.boots += 1;
        self.boot = BootId::new(&format!("{}-{}", self.name, self.boots))?;
        // The agent starts twenty seconds into the boot.
        self.booted_at = self.now - 20_000;
        let (journal, _) = Journal::open(self.disk.clone())?;
        self.journal = journal;
        self.heartbeat = Heartbeat::open(&self.disk);
        let settings = Settings { reconcile_ms: RECONCILE_MS, ..Settings::new(self.seed ^ self.boots) };
        let recovered = self.journal.recovered(Some(&self.heartbeat));
        self.core = Some(Agent::start(Mode::Watch, settings, recovered, self.boot.clone(), self.moment()));
        self.finished = false;
        self.perform()
    }

    fn logon(&mut self, session: &OsSession) -> anyhow::Result<()> {
        self.power_on_if_off()?;
        self.sessions.push(session.clone());
        self.notice(&session.session_id, SessionChange::Began, Some(session.clone()))
    }

    fn lock(&mut self, id: &str, locked: bool) -> anyhow::Result<()> {
        self.sessions.iter_mut().filter(|s| s.session_id == id).for_each(|s| s.locked = Some(locked));
        let change = if locked { SessionChange::Locked } else { SessionChange::Unlocked };
        self.notice(id, change, None)
    }

    fn logoff(&mut self, id: &str) -> anyhow::Result<()> {
        self.sessions.retain(|session| session.session_id != id);
        self.notice(id, SessionChange::Ended, None)
    }

    fn shut_down(&mut self) -> anyhow::Result<()> {
        self.give(Input::Os(OsFact::ShutdownAnnounced))?;
        self.give(Input::Stop { system_is_going_down: true })?;
        let until = self.now + 10_000;
        while !self.finished && self.now < until {
            let next = self.next_wakeup();
            self.pass_time_until(next)?;
        }
        self.core = None;
        self.sessions.clear();
        Ok(())
    }

    fn notice(&mut self, id: &str, change: SessionChange, session: Option<OsSession>) -> anyhow::Result<()> {
        let session = session.map(Box::new);
        self.give(Input::Os(OsFact::SessionNotice { session_id: id.to_owned(), change, session }))
    }

    fn give(&mut self, input: Input) -> anyhow::Result<()> {
        let now = self.moment();
        if let Some(core) = &mut self.core {
            core.handle(input, now);
        }
        self.perform()
    }

    fn perform(&mut self) -> anyhow::Result<()> {
        while let Some(command) = self.core.as_mut().and_then(Agent::next_command) {
            let input = self.command(command)?;
            if let Some((core, input)) = self.core.as_mut().zip(input) {
                let since_boot = u64::try_from(self.now - self.booted_at).unwrap_or(0);
                let now = Moment {
                    wall: UtcMillis(self.now),
                    offset_seconds: 9 * 3600,
                    biased_ms: since_boot,
                    unbiased_ms: since_boot,
                };
                core.handle(input, now);
            }
        }
        Ok(())
    }

    /// Performs one command; what the core hears of it.
    fn command(&mut self, command: Command) -> anyhow::Result<Option<Input>> {
        Ok(match command {
            Command::Append(event) => {
                self.journal.append(&event)?;
                self.tally.events += 1;
                Some(Input::Stored { sequence: event.sequence })
            }
            // The simulated PC keeps no event log.
            Command::ReadLog(_) => Some(Input::Os(OsFact::LogUnavailable)),
            Command::ListSessions => Some(Input::Os(OsFact::Sessions(self.sessions.clone()))),
            Command::Enroll => Some(Input::Enrolled(self.enroll()?)),
            Command::Send { events, waiting } => Some(Input::Sent(self.send(&events, waiting)?)),
            Command::Acknowledge { sequences } => {
                let receipt = self.last_receipt.take().context("an acknowledgement without a receipt")?;
                self.journal.acknowledge(&sequences, &receipt)?;
                self.tally.receipted += sequences.len() as u64;
                None
            }
            Command::Recall { sequences } => {
                let events = sequences.iter().map(|sequence| self.journal.recall(*sequence));
                Some(Input::Recalled { events: events.collect::<Result<_, _>>()? })
            }
            Command::Heartbeat => {
                self.heartbeat.beat(&self.disk, &self.boot, self.moment(), &self.journal.chain())?;
                None
            }
            Command::Finished => {
                self.finished = true;
                None
            }
            Command::Notice { .. }
            | Command::ReleaseSleep
            | Command::ReleaseShutdown
            | Command::KeepLogPositions(_)
            | Command::NoteLogPositions => None,
        })
    }

    fn enroll(&mut self) -> anyhow::Result<EnrollOutcome> {
        if !self.network {
            return Ok(EnrollOutcome::Failed {
                cause: FailureCause::NotConnected,
                reason: None,
                retry_after_seconds: None,
            });
        }
        let request = EnrollmentRequest {
            v: 1,
            contract: self.config.contract_code.as_ref().map(ToString::to_string).unwrap_or_default(),
            enrollment_key: self.config.enrollment_key.clone().unwrap_or_default(),
            public_key: self.key.public().to_string(),
            host_name: self.name.clone(),
            os: "Windows 11 Pro 24H2 (simulated)".to_owned(),
            makeup: self.makeup(),
            key_class: "file".to_owned(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let url = self.config.server_url.clone().unwrap_or_default();
        let prepared = prepare_enrollment(&request, &url, None, &self.key)?;
        self.tally.requests += 1;
        match transport::enroll(self.client, &prepared) {
            Finished::Enrolled(outcome, enrollment) => {
                self.tally.failed_requests += u64::from(enrollment.is_none());
                enrollment.map(|enrollment| self.journal.enroll(enrollment)).transpose()?;
                Ok(outcome)
            }
            Finished::Sent(..) => anyhow::bail!("an enrolment was answered like a batch"),
        }
    }

    fn send(&mut self, events: &[(u64, bool)], waiting: u64) -> anyhow::Result<SendOutcome> {
        if !self.network {
            return Ok(SendOutcome::Failed { cause: FailureCause::NotConnected, retry_after_seconds: None });
        }
        let enrollment = self.journal.enrollment().context("sending without an enrolment")?;
        let events = events
            .iter()
            .map(|(sequence, resent)| Ok((*sequence, self.journal.read(*sequence)?, *resent)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        // The clock of a PC is right whenever it sends; only its story is of the past.
        let sent_at = Moment { wall: UtcMillis(jiff::Timestamp::now().as_millisecond()), ..self.moment() };
        let parts = BatchParts {
            enrollment,
            contract: &enrollment.contract,
            now: sent_at,
            boot: self.boot.as_str(),
            makeup: &self.makeup(),
            waiting,
            events,
        };
        let prepared = prepare_batch(parts, &self.key)?;
        self.tally.requests += 1;
        match transport::send(self.client, &prepared) {
            Finished::Sent(outcome, receipt) => {
                self.tally.failed_requests += u64::from(receipt.is_none());
                self.last_receipt = receipt;
                Ok(outcome)
            }
            Finished::Enrolled(..) => anyhow::bail!("a batch was answered like an enrolment"),
        }
    }

    fn makeup(&self) -> String {
        Digest::of(self.name.as_bytes()).to_string()
    }
}
