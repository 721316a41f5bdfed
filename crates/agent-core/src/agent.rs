//! The machine itself: inputs in, commands out.
//!
//! This file holds the state and gives every event its number; the rest of the machine is beside it:
//! `start` (what the journal remembers), `back_fill` (what the OS's logs say of the time without us), `facts`
//! (what the OS says about sessions), `presence` (sessions without a person), `power` (sleep), `time` (what the
//! clocks show), `exchange` (sending), `healing` (what the server remembers of us), `ending` (what is due, and
//! the end).

mod back_fill;
mod ending;
mod exchange;
mod facts;
mod healing;
mod power;
mod presence;
mod start;
mod time;

use std::collections::VecDeque;

use mngntime_model::{
    AccountIdentity, BootId, Bounds, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};

use crate::clock_watch::ClockWatch;
use crate::command::Command;
use crate::held::Held;
use crate::input::Input;
use crate::log::LogPosition;
use crate::message::{Message, MessageId};
use crate::notices::NoticeLimit;
use crate::recovered::{PendingEvent, Recovered};
use crate::settings::{STORE_RETRY_AT_STOP_MS, Settings, UNSTORED_MAX};
use crate::stays::{Stay, Stays};
use crate::upload::Upload;
use back_fill::BackFill;

/// The PC's recorder. See the crate's documentation for the contract with its shell.
#[derive(Debug)]
pub struct Agent {
    settings: Settings,
    boot: BootId,
    stays: Stays,
    upload: Upload,
    clocks: ClockWatch,
    commands: VecDeque<Command>,
    last_sequence: u64,
    /// Records not yet on disk, oldest first. Only the first is ever asked for, so numbers reach the disk
    /// in order.
    unstored: VecDeque<Event>,
    store_asked: bool,
    store_failures: u32,
    store_retry_at: Option<u64>,
    dropped: u64,
    awaiting_first_list: bool,
    list_failed: bool,
    /// The stays whose ends were recorded lately, with the biased counter then.
    recent_ends: Vec<(Stay, u64)>,
    /// Ends told by a notice that may be about another stay, with the wall clock then: the next list confirms them.
    unconfirmed_ends: Vec<(Stay, UtcMillis, u64)>,
    /// The next comparison with the list is to be noted as a sign of life.
    beat_wanted: bool,
    /// The list has been compared; the beat waits for what came of it to be stored.
    beat_due: bool,
    last_alive: UtcMillis,
    last_list_at: UtcMillis,
    reconcile_at: u64,
    heartbeat_at: u64,
    healing: healing::Healing,
    power: power::Power,
    step_seen: Option<time::StepSeen>,
    clock_doubt: Option<time::ClockDoubt>,
    shutdown_announced_at: Option<UtcMillis>,
    release_sleep_after: Option<u64>,
    release_shutdown_after: Option<u64>,
    stopping_until: Option<u64>,
    enroll_failure: Option<(mngntime_model::FailureCause, Option<mngntime_model::EnrollmentRefusal>)>,
    notices: NoticeLimit,
    /// The start's comparison with the OS's logs, until it is done.
    back_fill: Option<BackFill>,
    /// The same, while the clock is not believed: no conclusion is drawn.
    doubted_task: Option<Box<BackFill>>,
    /// How far the logs are dealt with, and the event that must be stored before that is noted.
    keep_positions: Option<(u64, Vec<LogPosition>)>,
    log_readable: bool,
    positions_at: u64,
    mode: Mode,
    finished: bool,
}

/// What the agent is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Watch the PC until told to stop.
    Watch,
    /// Record what a logon or logoff script says, try to send it, end.
    Script,
}

/// An event before it has a number.
#[derive(Debug)]
struct Draft {
    kind: EventKind,
    evidence: Evidence,
    occurred_at: UtcMillis,
    bounds: Option<Bounds>,
    stay: Option<Stay>,
    cause: Option<String>,
}

impl Draft {
    fn at(kind: EventKind, evidence: Evidence, occurred_at: UtcMillis) -> Self {
        Self { kind, evidence, occurred_at, bounds: None, stay: None, cause: None }
    }

    fn within(kind: EventKind, evidence: Evidence, bounds: Bounds) -> Self {
        Self { bounds: Some(bounds), ..Self::at(kind, evidence, bounds.not_before) }
    }

    fn of(self, stay: &Stay) -> Self {
        Self { stay: Some(stay.clone()), ..self }
    }

    fn because(self, cause: &str) -> Self {
        self.because_if(Some(cause))
    }

    fn because_if(self, cause: Option<&str>) -> Self {
        Self { cause: cause.map(str::to_owned), ..self }
    }
}

impl Agent {
    /// Starts recording with what the journal remembers.
    #[must_use]
    pub fn start(
        mode: Mode,
        mut settings: Settings,
        recovered: Recovered,
        boot: BootId,
        now: Moment,
    ) -> Self {
        if let Some(name) = &recovered.display_name {
            settings.display_name.clone_from(name);
        }
        let task = BackFill::new(&recovered, &boot, settings.sign_every_ms(), &now);
        let last_alive = recovered.last_seen.as_ref().map_or(now.wall, |seen| seen.moment.wall);
        let declared = recovered.declared.iter().filter(|declared| declared.gives_up());
        let held = Held::new(recovered.kept.clone(), declared.map(|declared| declared.range()).collect());
        let mut agent = Self {
            healing: healing::Healing::new(&recovered, &now),
            upload: Upload::new(&settings, recovered.pending, held, recovered.enrolled, now.biased_ms),
            boot,
            stays: recovered.stays,
            clocks: ClockWatch::new(now),
            commands: VecDeque::new(),
            last_sequence: recovered.last_sequence,
            unstored: VecDeque::new(),
            store_asked: false,
            store_failures: 0,
            store_retry_at: None,
            dropped: 0,
            awaiting_first_list: true,
            list_failed: false,
            recent_ends: Vec::new(),
            unconfirmed_ends: Vec::new(),
            beat_wanted: false,
            beat_due: false,
            last_alive,
            last_list_at: now.boot_began(),
            reconcile_at: now.biased_ms + settings.reconcile_ms,
            heartbeat_at: now.biased_ms + settings.heartbeat_ms,
            power: power::Power::default(),
            step_seen: None,
            clock_doubt: None,
            shutdown_announced_at: None,
            release_sleep_after: None,
            release_shutdown_after: None,
            stopping_until: None,
            enroll_failure: None,
            notices: NoticeLimit::default(),
            back_fill: None,
            doubted_task: None,
            keep_positions: None,
            log_readable: false,
            positions_at: now.biased_ms + settings.log_positions_ms,
            mode,
            finished: false,
            settings,
        };
        agent.declare_lost(&recovered.lost, &now);
        let rebooted = recovered.last_seen.as_ref().is_none_or(|seen| seen.boot != agent.boot);
        agent.compare_clock_with_earlier_runs(recovered.last_seen.as_ref(), &now);
        agent.last_list_at = agent.last_list_of_this_boot(recovered.last_compared.as_ref(), &now);
        match mode {
            Mode::Watch => {
                agent.notice(Message::new(MessageId::MonitoringStarted, vec![]), &now);
                agent.record_start(rebooted, recovered.last_seen.is_some(), recovered.ended_in_order, &now);
                agent.ask_for_log(task);
            }
            Mode::Script => agent.close_stays_of_earlier_boots(task, &now),
        }
        agent
    }

    /// Takes one input in.
    pub fn handle(&mut self, input: Input, now: Moment) {
        self.look_at_clocks(&input, &now);
        match input {
            Input::Os(fact) => self.os_fact(fact, &now),
            Input::Stored { sequence } => self.stored(sequence, &now),
            Input::StoreFailed { sequence, detail } => self.store_failed(sequence, &detail, &now),
            Input::Unreadable { sequence } => self.unreadable(sequence, &now),
            Input::NotReadNow { sequence, detail } => self.not_read_now(sequence, detail, &now),
            Input::Recalled { events } => self.recalled(events),
            Input::Pruned { last } => self.upload.held.forget_up_to(last),
            Input::NewTerminal => self.new_terminal(),
            Input::Sent(outcome) => self.sent(outcome, &now),
            Input::Enrolled(outcome) => self.enroll_ended(outcome, &now),
            Input::NetworkChanged => self.upload.network_changed(now.biased_ms),
            Input::ConfigurationChanged { enrolled } => {
                self.upload.configuration_changed(enrolled, now.biased_ms);
            }
            Input::Script { kind, session } => self.script(kind, &session, &now),
            Input::Tick => {}
            Input::Stop { system_is_going_down } => self.stop(system_is_going_down, &now),
        }
        self.last_alive = now.wall;
        self.on_time(&now);
    }

    /// The next thing to do, in order; `None` until the next input.
    pub fn next_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When to send [`Input::Tick`] at the latest, on the biased counter ([`Moment::biased_ms`]).
    #[must_use]
    pub fn next_wakeup(&self) -> u64 {
        if let Some(until) = self.stopping_until {
            return self.store_retry_at.map_or(until, |retry| retry.min(until));
        }
        let heartbeat = (!self.stays.is_empty()).then_some(self.heartbeat_at);
        [
            Some(self.reconcile_at),
            heartbeat,
            self.store_retry_at,
            self.clock_doubt.map(|doubt| doubt.until),
            self.notices.next_wakeup(),
            self.upload.next_wakeup(),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(self.reconcile_at)
    }

    /// The open stays.
    #[must_use]
    pub fn stays(&self) -> &Stays {
        &self.stays
    }

    /// Events without a receipt, those not yet on disk included.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.upload.waiting() + self.unstored.len() as u64
    }

    /// Events that the disk has not taken: gone when the process ends.
    #[must_use]
    pub fn unstored(&self) -> u64 {
        self.unstored.len() as u64
    }

    /// Gives the draft its number and asks for it to be stored.
    fn record(&mut self, draft: Draft, now: &Moment) -> u64 {
        if self.unstored.len() >= UNSTORED_MAX && !draft.kind.is_punch() {
            self.dropped += 1;
            return self.last_sequence;
        }
        self.pass_used_numbers(now);
        self.last_sequence += 1;
        let event = event(draft, self.last_sequence, &self.boot, now);
        self.stays.apply(&event);
        if event.kind == EventKind::Logoff {
            self.power.note_logoff(now);
        }
        self.unstored.push_back(event);
        self.ask_to_store();
        self.last_sequence
    }

    fn ask_to_store(&mut self) {
        if self.store_asked || self.store_retry_at.is_some() {
            return;
        }
        if let Some(event) = self.unstored.front() {
            self.store_asked = true;
            self.commands.push_back(Command::Append(Box::new(event.clone())));
        }
    }

    fn stored(&mut self, sequence: u64, now: &Moment) {
        let Some(event) = self.unstored.pop_front_if(|event| event.sequence == sequence) else {
            return;
        };
        self.store_asked = false;
        if std::mem::take(&mut self.store_failures) > 0 {
            self.notice(Message::new(MessageId::CanStoreAgain, vec![]), now);
        }
        let pending = PendingEvent { sequence, kind: event.kind, account: event.account };
        self.upload.stored(pending, event.supersedes, now.biased_ms);
        self.release_delays(sequence);
        self.release_positions();
        self.declare_dropped(now);
        self.beat_if_due();
        self.ask_to_store();
    }

    fn store_failed(&mut self, sequence: u64, detail: &str, now: &Moment) {
        if self.unstored.front().is_none_or(|event| event.sequence != sequence) {
            return;
        }
        self.store_asked = false;
        if self.store_failures == 0 {
            self.notice(Message::cannot_store(detail), now);
        }
        let wait = match self.stopping_until {
            Some(_) => STORE_RETRY_AT_STOP_MS,
            None => (500_u64 << self.store_failures.min(7)).min(60_000),
        };
        self.store_failures = self.store_failures.saturating_add(1);
        self.store_retry_at = Some(now.biased_ms + wait);
    }

    fn declare_dropped(&mut self, now: &Moment) {
        if self.dropped > 0 && self.unstored.is_empty() {
            let dropped = std::mem::take(&mut self.dropped);
            let draft = Draft::at(EventKind::Gap, Evidence::Notice, now.wall);
            self.record(draft.because(&format!("could_not_store:{dropped}")), now);
        }
    }

    fn unreadable(&mut self, sequence: u64, now: &Moment) {
        if self.upload.forget(sequence) {
            self.declare_lost(&[(sequence, sequence)], now);
        } else {
            self.cannot_send_again(sequence, now);
        }
    }

    fn release_delays(&mut self, sequence: u64) {
        if self.release_sleep_after.is_some_and(|after| after <= sequence) {
            self.release_sleep_after = None;
            self.commands.push_back(Command::ReleaseSleep);
        }
        if self.release_shutdown_after.is_some_and(|after| after <= sequence) {
            self.release_shutdown_after = None;
            self.commands.push_back(Command::ReleaseShutdown);
        }
    }
}

fn event(draft: Draft, sequence: u64, boot: &BootId, now: &Moment) -> Event {
    let stay = draft.stay;
    let of_stay =
        |stay: &Stay| -> (SessionIdentity, AccountIdentity) { (stay.session.clone(), stay.account.clone()) };
    let (session, account) = stay.as_ref().map(of_stay).unzip();
    Event {
        sequence,
        boot: boot.clone(),
        kind: draft.kind,
        evidence: draft.evidence,
        occurred_at: draft.occurred_at,
        bounds: draft.bounds,
        recorded_at: *now,
        session,
        account,
        remote: stay.as_ref().and_then(|stay| stay.remote),
        client: stay.and_then(|stay| stay.client),
        cause: draft.cause,
        supersedes: None,
    }
}

#[cfg(test)]
mod tests;
