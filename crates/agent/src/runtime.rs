//! The loop that joins the core to this PC.
//!
//! One thread owns journal and core. It takes one event at a time, gives it to the core, and performs what
//! the core asks before it looks at the next: there is one order of things, and it is the order on disk.
//! The session list is read only when no event is waiting, so that a list never overtakes the notices that
//! were sent before it.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mngntime_agent_core::input::{EnrollOutcome, OsFact, OsSession, SendOutcome};
use mngntime_agent_core::log::{LogPosition, LogWanted};
use mngntime_agent_core::{Agent, Command, Input, Message, MessageId, Mode, Settings};
use mngntime_model::{BootId, FailureCause, Language};
use mngntime_wire::{EnrollmentRequest, PublicKey, Signer as _};

use crate::config::{Config, ConfigProblem};
use crate::identity::{self, DeviceKey, KeyTrouble, Loaded};
use crate::journal::disk::Directory;
use crate::journal::{Enrollment, Finding, Heartbeat, Journal, JournalError, Reading};
use crate::platform::{self, Host, Listed, Notices, SettleFor, ShellEvent, Watch};
use crate::transport::{BatchParts, Finished, Job, Prepared, Transport, prepare_batch, prepare_enrollment};

/// The source of our lines in the OS's event log.
pub const EVENT_SOURCE: &str = "MngnTime";
/// How long a second process waits for the one that holds the state directory: longer than the last
/// attempt to send of one that is ending.
const LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_POLL: Duration = Duration::from_millis(50);
/// How often to look whether the configuration has changed. One small file and some values of the registry;
/// short enough for somebody who waits at the help desk.
const CONFIG_CHECK: Duration = Duration::from_secs(15);

/// What ended the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Events that still have no receipt.
    pub waiting: u64,
    /// Those among them that never reached the disk and are lost.
    pub unstored: u64,
}

/// The agent at work.
pub struct Runtime {
    config: Config,
    journal: Journal<Directory>,
    heartbeat: Heartbeat,
    disk: Directory,
    core: Agent,
    /// The terminal's key as soon as it can be used; it is needed for sending only.
    key: Option<DeviceKey>,
    /// What was last told of a key that cannot be used.
    key_trouble: Option<Message>,
    host: Host,
    boot: BootId,
    notices: Notices,
    transport: Transport,
    inbox: Receiver<ShellEvent>,
    outbox: Sender<ShellEvent>,
    watch: Option<Watch>,
    last_receipt: Option<String>,
    list_wanted: bool,
    log_wanted: Option<Box<LogWanted>>,
    finished: bool,
    lines: Vec<String>,
    _lock: File,
}

impl Runtime {
    /// Opens the journal and starts the core. A key that cannot be used is told and keeps nothing from being
    /// recorded.
    ///
    /// # Errors
    /// When the state directory cannot be used, or another process uses it.
    pub fn open(config: Config, mode: Mode) -> anyhow::Result<Self> {
        let notices = Notices::open(EVENT_SOURCE);
        for problem in &config.problems {
            notices.write(&wrong(problem, &config), config.language);
        }
        let lock = lock_state(&config.state_dir)?;
        let (disk, journal, reading) = open_journal(&config.state_dir)?;
        for finding in &reading.findings {
            tell_unreadable(finding, &notices, config.language);
        }
        let heartbeat = Heartbeat::open(&disk);
        let boot = platform::boot_id()?;
        let now = platform::clocks();
        let mut recovered = journal.recovered(Some(&heartbeat));
        recovered.enrolled = enrollment_in_force(journal.enrollment(), &config).is_some();
        let core = Agent::start(mode, settings(&config)?, recovered, boot.clone(), now);
        let (outbox, inbox) = channel();
        let transport = Transport::start(config.clone(), outbox.clone())?;
        let mut runtime = Self {
            config,
            journal,
            heartbeat,
            disk,
            core,
            key: None,
            key_trouble: None,
            host: platform::host(),
            boot,
            notices,
            transport,
            inbox,
            outbox,
            watch: None,
            last_receipt: None,
            list_wanted: false,
            log_wanted: None,
            finished: false,
            lines: Vec::new(),
            _lock: lock,
        };
        // Told already; tried again before each attempt to send.
        let _ = runtime.load_key();
        Ok(runtime)
    }

    /// Begins to watch the PC and its signals to end.
    ///
    /// # Errors
    /// When the OS grants no thread.
    pub fn watch_the_pc(&mut self) -> anyhow::Result<()> {
        platform::stop_signals(self.outbox.clone())?;
        self.watch = Some(platform::watch(self.outbox.clone())?);
        Ok(())
    }

    /// Gives the core one input from outside the loop.
    pub fn give(&mut self, input: Input) {
        self.core.handle(input, platform::clocks());
        self.perform();
    }

    /// Lines written to the event log since the last call: `punch` prints them.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// Runs until the core is done.
    pub fn run(&mut self) -> Ended {
        self.perform();
        self.read_log_if_wanted();
        self.list_if_wanted();
        while !self.finished {
            match self.inbox.recv_timeout(self.time_to_wakeup()) {
                Ok(event) => self.shell_event(event),
                Err(RecvTimeoutError::Timeout) => self.tick(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Ok(event) = self.inbox.try_recv() {
                self.shell_event(event);
            }
            self.list_if_wanted();
        }
        Ended { waiting: self.core.waiting(), unstored: self.core.unstored() }
    }

    fn time_to_wakeup(&self) -> Duration {
        let now = platform::clocks().biased_ms;
        // Never zero: should the core ever ask for a wake-up that nothing comes of, the loop must not spin.
        Duration::from_millis(self.core.next_wakeup().saturating_sub(now).max(1)).min(CONFIG_CHECK)
    }

    fn tick(&mut self) {
        self.reload_changed_config();
        // A disk that is still full has been told of already.
        let _still_refused = self.journal.keep_receipts();
        self.give(Input::Tick);
    }

    fn shell_event(&mut self, event: ShellEvent) {
        let input = match event {
            ShellEvent::Os(fact) => Input::Os(fact),
            ShellEvent::NetworkChanged => {
                self.transport.give(Job::NetworkChanged);
                Input::NetworkChanged
            }
            ShellEvent::Stop { system_is_going_down } => Input::Stop { system_is_going_down },
            ShellEvent::Transport(finished) => self.transport_finished(finished),
            ShellEvent::Checkpoint(number) => {
                return self.watch.iter().for_each(|watch| watch.reached(number));
            }
        };
        self.give(input);
    }

    fn transport_finished(&mut self, finished: Finished) -> Input {
        match finished {
            Finished::Sent(outcome, receipt) => {
                self.last_receipt = receipt;
                Input::Sent(outcome)
            }
            Finished::Enrolled(outcome, enrollment) => {
                // The enrolment is on disk before the core may count on it.
                let kept = enrollment.map(|enrollment| self.journal.enroll(enrollment)).transpose();
                if matches!(kept, Ok(Some(true))) {
                    self.give(Input::NewTerminal);
                }
                Input::Enrolled(match kept {
                    Ok(_) => outcome,
                    Err(error) => EnrollOutcome::Failed {
                        cause: local_failure(&error),
                        reason: None,
                        retry_after_seconds: None,
                    },
                })
            }
        }
    }

    fn read_log_if_wanted(&mut self) {
        if let Some(wanted) = self.log_wanted.take() {
            let fact = match platform::read_log(&wanted) {
                Ok(reading) => OsFact::LogRead(Box::new(reading)),
                // Nobody is told why: it is how every Linux is, and the gaps say that no log was read.
                Err(_) => OsFact::LogUnavailable,
            };
            self.give(Input::Os(fact));
        }
    }

    fn list_if_wanted(&mut self) {
        while std::mem::take(&mut self.list_wanted) {
            let fact = match self.listed() {
                Ok(sessions) => OsFact::Sessions(sessions),
                Err(error) => OsFact::SessionsUnavailable { detail: format!("{error:#}") },
            };
            self.give(Input::Os(fact));
        }
    }

    /// The list, when everything has been dealt with that was noticed before it was made: what the OS has told is
    /// recorded as told, and not as found by comparison.
    fn listed(&mut self) -> anyhow::Result<Vec<OsSession>> {
        let Some(watch) = &self.watch else { return platform::list_sessions() };
        let Listed { sessions, checkpoint } = watch.list_sessions()?;
        while let Some(number) = checkpoint
            && let Ok(event) = self.inbox.try_recv()
            && !matches!(event, ShellEvent::Checkpoint(passed) if passed == number)
        {
            self.shell_event(event);
        }
        Ok(sessions)
    }

    fn perform(&mut self) {
        while let Some(command) = self.core.next_command() {
            match command {
                Command::Append(event) => self.append(&event),
                Command::ListSessions => self.list_wanted = true,
                Command::ReadLog(wanted) => self.log_wanted = Some(wanted),
                Command::KeepLogPositions(positions) => self.keep_log_positions(&positions),
                Command::NoteLogPositions => self.note_log_positions(),
                Command::Enroll => self.enroll(),
                Command::Send { events, waiting } => self.send(&events, waiting),
                Command::Acknowledge { sequences } => self.acknowledge(&sequences),
                Command::Recall { sequences } => self.recall(&sequences),
                Command::Notice(message) => self.notice(&message),
                Command::Heartbeat => self.beat(),
                Command::ReleaseSleep => self.settle(SettleFor::Sleep),
                Command::ReleaseShutdown => self.settle(SettleFor::Shutdown),
                Command::Finished => self.finished = true,
            }
        }
    }

    fn append(&mut self, event: &mngntime_model::Event) {
        let sequence = event.sequence;
        let input = match self.journal.append(event) {
            Ok(()) => {
                // The next event tries again: without the file, a cut at the journal's end is not seen.
                let _ = self.heartbeat.begin(&self.disk, platform::clocks(), &self.journal.chain());
                Input::Stored { sequence }
            }
            Err(error) => Input::StoreFailed { sequence, detail: chain(&error) },
        };
        self.core.handle(input, platform::clocks());
    }

    fn acknowledge(&mut self, sequences: &[u64]) {
        let Some(receipt) = self.last_receipt.take() else {
            return;
        };
        if let Err(error) = self.journal.acknowledge(sequences, &receipt) {
            // Tried again at every tick; sent again after a restart, which has no effect on the server.
            let message = Message::new(MessageId::ReceiptNotKept, vec![chain(&error)]);
            self.notices.write(&message, self.config.language);
        }
    }

    /// What cannot be read now for a passing reason is refused by the server again, and asked for again.
    fn recall(&mut self, sequences: &[u64]) {
        let mut events = Vec::new();
        for sequence in sequences {
            match self.journal.recall(*sequence) {
                Ok(event) => events.push(event),
                Err(JournalError::Unreadable(sequence)) => {
                    self.core.handle(Input::Unreadable { sequence }, platform::clocks());
                }
                Err(JournalError::Disk { .. } | JournalError::Encode { .. } | JournalError::Unknown(_)) => {}
            }
        }
        self.core.handle(Input::Recalled { events }, platform::clocks());
    }

    fn keep_log_positions(&mut self, positions: &[LogPosition]) {
        if let Err(error) = self.journal.keep_log_positions(positions) {
            // Read again at the next start; what is recorded already is recognised.
            let message = Message::new(MessageId::LogPositionNotKept, vec![chain(&error)]);
            self.notices.write(&message, self.config.language);
        }
    }

    /// A channel that cannot be asked now keeps its older position: the next reading is longer, no more.
    fn note_log_positions(&mut self) {
        let positions = platform::log_positions(self.journal.log_positions());
        if positions != self.journal.log_positions() {
            self.keep_log_positions(&positions);
        }
    }

    fn beat(&mut self) {
        let now = platform::clocks();
        // A missed beat only widens the bounds of a logoff that may have to be inferred.
        let _ = self.heartbeat.beat(&self.disk, &self.boot, now, &self.journal.chain());
        if let Ok(Some(last)) = self.journal.prune(&now) {
            self.core.handle(Input::Pruned { last }, now);
        }
    }

    fn settle(&self, kind: SettleFor) {
        if let Some(watch) = &self.watch {
            watch.settle(kind);
        }
    }

    fn notice(&mut self, message: &Message) {
        self.notices.write(message, self.config.language);
        self.lines.push(message.text(self.config.language));
        self.lines.drain(..self.lines.len().saturating_sub(100));
    }

    // ---- exchanges --------------------------------------------------------------------------------

    /// Loads the terminal's key, or makes it, until that has worked once. Each trouble is told once, not at
    /// each attempt.
    fn load_key(&mut self) -> Result<(), KeyTrouble> {
        if self.key.is_some() {
            return Ok(());
        }
        match identity::load_or_make_key(&self.config.state_dir, self.journal.enrollment()) {
            Ok(Loaded { key, warning }) => {
                (self.key, self.key_trouble) = (Some(key), None);
                warning.iter().for_each(|warning| self.notice(warning));
                Ok(())
            }
            Err(trouble) => {
                let told = self.key_trouble.replace(trouble.message());
                if told != self.key_trouble {
                    self.notice(&trouble.message());
                }
                Err(trouble)
            }
        }
    }

    fn usable_key(&self) -> anyhow::Result<&DeviceKey> {
        self.key.as_ref().context("the terminal's key is not loaded")
    }

    fn enroll(&mut self) {
        let prepared = self.load_key().map_err(Into::into).and_then(|()| self.prepare_enrollment());
        match prepared {
            Ok(prepared) => self.transport.give(Job::Enroll(Box::new(prepared))),
            Err(error) => {
                let cause = FailureCause::Network { http_status: None, detail: format!("{error:#}") };
                let outcome = EnrollOutcome::Failed { cause, reason: None, retry_after_seconds: None };
                let _ = self.outbox.send(ShellEvent::Transport(Finished::Enrolled(outcome, None)));
            }
        }
    }

    fn prepare_enrollment(&self) -> anyhow::Result<Prepared> {
        let key = self.usable_key()?;
        let request = enrollment_request(&self.config, &self.host, key)?;
        let url = self.config.server_url.clone().unwrap_or_default();
        let server_key = pinned_server_key(self.journal.enrollment(), &self.config);
        prepare_enrollment(&request, &url, server_key, key)
    }

    fn send(&mut self, events: &[(u64, bool)], waiting: u64) {
        let prepared = self.load_key().map_err(Into::into).and_then(|()| self.prepare(events, waiting));
        match prepared {
            Ok((prepared, without)) => {
                self.transport.give(Job::Send(Box::new(prepared)));
                // What follows from it is among the commands that are being performed.
                without.into_iter().for_each(|input| self.core.handle(input, platform::clocks()));
            }
            Err(error) => {
                let cause = FailureCause::Network { http_status: None, detail: format!("{error:#}") };
                let outcome = SendOutcome::Failed { cause, retry_after_seconds: None };
                let _ = self.outbox.send(ShellEvent::Transport(Finished::Sent(outcome, None)));
            }
        }
    }

    /// Makes the batch of what can be read; the second value says which events cannot, for good or for now.
    fn prepare(&self, wanted: &[(u64, bool)], waiting: u64) -> anyhow::Result<(Prepared, Vec<Input>)> {
        let enrollment = enrollment_in_force(self.journal.enrollment(), &self.config)
            .context("the terminal is not enrolled with this configuration")?;
        let (mut events, mut without) = (Vec::new(), Vec::new());
        for (sequence, resent) in wanted {
            match self.journal.read(*sequence) {
                Ok(json) => events.push((*sequence, json, *resent)),
                Err(JournalError::Unreadable(sequence) | JournalError::Unknown(sequence)) => {
                    without.push(Input::Unreadable { sequence });
                }
                Err(error) => {
                    without.push(Input::NotReadNow { sequence: *sequence, detail: chain(&error) });
                }
            }
        }
        let prepared = prepare_batch(
            BatchParts {
                enrollment,
                contract: contract_in_force(enrollment, &self.config),
                now: platform::clocks(),
                boot: self.boot.as_str(),
                makeup: &identity::makeup(&self.host),
                waiting,
                events,
            },
            self.usable_key()?,
        )?;
        Ok((prepared, without))
    }

    /// A changed source is taken over without a restart: the employee at the help desk sees the cure work.
    fn reload_changed_config(&mut self) {
        let Some(config) = self.config.reloaded() else {
            return;
        };
        for problem in &config.problems {
            self.notices.write(&wrong(problem, &config), config.language);
        }
        self.config = config.clone();
        self.transport.give(Job::Configure(Box::new(config)));
        let enrolled = enrollment_in_force(self.journal.enrollment(), &self.config).is_some();
        self.give(Input::ConfigurationChanged { enrolled });
    }
}

/// The line about a fault of the configuration.
fn wrong(problem: &ConfigProblem, config: &Config) -> Message {
    Message::new(MessageId::ConfigurationWrong, vec![problem.text(config.language)])
}

/// The journal's enrolment, if it is with the contract, the server and the server's key of the configuration.
/// What the configuration leaves out is not contradicted by it.
#[must_use]
pub fn enrollment_in_force<'a>(
    enrollment: Option<&'a Enrollment>,
    config: &Config,
) -> Option<&'a Enrollment> {
    let contract = config.contract_code.as_ref().map(|code| code.as_str());
    let server_url = config.server_url.as_deref();
    enrollment.filter(|enrollment| {
        contract.is_none_or(|code| code == enrollment.contract)
            && server_url.is_none_or(|url| url == enrollment.server_url)
            && config.server_key.is_none_or(|key| PublicKey::parse(&enrollment.server_key) == Ok(key))
    })
}

/// The contract that batches name: the configuration's, where it names one.
#[must_use]
pub fn contract_in_force<'a>(enrollment: &'a Enrollment, config: &'a Config) -> &'a str {
    config.contract_code.as_ref().map_or(enrollment.contract.as_str(), |code| code.as_str())
}

/// The only server that may enrol us by itself: the configured one, or the one this address had before.
/// Another key behind the same address needs a person who runs `enroll`.
#[must_use]
pub fn pinned_server_key(enrollment: Option<&Enrollment>, config: &Config) -> Option<PublicKey> {
    let same = enrollment.filter(|known| Some(&known.server_url) == config.server_url.as_ref());
    config.server_key.or_else(|| PublicKey::parse(&same?.server_key).ok())
}

fn local_failure(error: &JournalError) -> FailureCause {
    FailureCause::Network { http_status: None, detail: chain(error) }
}

/// An error with what caused it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// What this PC says of itself to be enrolled.
///
/// # Errors
/// When the configuration lacks what enrolment needs; names the key.
pub fn enrollment_request(
    config: &Config,
    host: &Host,
    key: &DeviceKey,
) -> anyhow::Result<EnrollmentRequest> {
    let missing = |key: &str| {
        let path = config.path.display();
        format!(
            "{key} is missing, wrong, or not readable by this account; `status` names its source, {path} is the place to set it"
        )
    };
    config.server_url.as_ref().with_context(|| missing("server_url"))?;
    let contract = config.contract_code.as_ref().with_context(|| missing("contract_code"))?;
    let enrollment_key = config.enrollment_key.clone().with_context(|| missing("enrollment_key"))?;
    Ok(EnrollmentRequest {
        v: 1,
        contract: contract.to_string(),
        enrollment_key,
        public_key: key.public().to_string(),
        host_name: host.name.clone(),
        os: host.os.clone(),
        makeup: identity::makeup(host),
        key_class: key.class().name().to_owned(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).context("the OS gives no random numbers")?;
    Ok(Settings {
        reconcile_ms: u64::from(config.reconcile_seconds) * 1000,
        heartbeat_ms: u64::from(config.heartbeat_seconds) * 1000,
        retry_cap_ms: u64::from(config.retry_cap_seconds) * 1000,
        ..Settings::new(u64::from_le_bytes(seed))
    })
}

/// Opens the journal below the state directory.
///
/// # Errors
/// When it may not be read, or cannot for now.
pub fn open_journal(state_dir: &Path) -> anyhow::Result<(Directory, Journal<Directory>, Reading)> {
    let path = state_dir.join("journal");
    platform::protect_directory(&path)?;
    let disk = Directory::new(&path);
    let (journal, reading) = Journal::open(disk.clone())
        .with_context(|| format!("cannot open the journal in {}", path.display()))?;
    Ok((disk, journal, reading))
}

/// A segment that the disk does not give back is for who looks after the PC: which numbers it held, the core says.
fn tell_unreadable(finding: &Finding, notices: &Notices, language: Language) {
    if let Finding::Unreadable { segment, what } = finding {
        let detail = format!("{segment:06}.journal: {what}");
        notices.write(&Message::new(MessageId::RecordsNotRead, vec![detail]), language);
    }
}

/// Makes sure that no other process writes here. Two agents on one journal would tear it.
///
/// # Errors
/// When the directory cannot be used, or another process holds it for longer than [`LOCK_WAIT`].
pub fn lock_state(state_dir: &Path) -> anyhow::Result<File> {
    platform::protect_directory(state_dir)?;
    let path = state_dir.join("lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path).with_context(|| {
        format!("cannot open {}; the agent needs to write to its state directory", path.display())
    })?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(LOCK_POLL)
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                bail!("another MngnTime agent is using {}; only one may", state_dir.display())
            }
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
