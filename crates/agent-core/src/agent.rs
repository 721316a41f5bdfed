//! The machine itself: inputs in, commands out.

use std::collections::VecDeque;

use mngntime_model::{
    AccountIdentity, BootId, Bounds, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};

use crate::clock_watch::{ClockFinding, ClockWatch};
use crate::command::{Command, NoticeLevel};
use crate::input::{EnrollOutcome, Input, OsFact, OsSession, SendOutcome, SessionChange};
use crate::recovered::{PendingEvent, Recovered};
use crate::settings::{Settings, UNSTORED_MAX};
use crate::stays::{Stay, Stays};
use crate::texts;
use crate::upload::{Told, Upload, Wish};

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
    last_alive: UtcMillis,
    last_list_at: UtcMillis,
    reconcile_at: u64,
    heartbeat_at: u64,
    asleep: bool,
    shutdown_announced_at: Option<UtcMillis>,
    release_sleep_after: Option<u64>,
    release_shutdown_after: Option<u64>,
    stopping_until: Option<u64>,
    enroll_failure: Option<mngntime_model::FailureCause>,
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
        Self {
            kind,
            evidence,
            occurred_at,
            bounds: None,
            stay: None,
            cause: None,
        }
    }

    fn within(kind: EventKind, evidence: Evidence, bounds: Bounds) -> Self {
        Self {
            bounds: Some(bounds),
            ..Self::at(kind, evidence, bounds.not_before)
        }
    }

    fn of(self, stay: &Stay) -> Self {
        Self {
            stay: Some(stay.clone()),
            ..self
        }
    }

    fn because(self, cause: &str) -> Self {
        Self {
            cause: Some(cause.to_owned()),
            ..self
        }
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
        let last_alive = recovered
            .last_seen
            .as_ref()
            .map_or(now.wall, |seen| seen.moment.wall);
        let mut agent = Self {
            upload: Upload::new(&settings, recovered.pending, recovered.enrolled, now.biased_ms),
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
            last_alive,
            last_list_at: recovered
                .last_seen
                .as_ref()
                .map_or(now.boot_began(), |seen| seen.moment.wall),
            reconcile_at: now.biased_ms + settings.reconcile_ms,
            heartbeat_at: now.biased_ms + settings.heartbeat_ms,
            asleep: false,
            shutdown_announced_at: None,
            release_sleep_after: None,
            release_shutdown_after: None,
            stopping_until: None,
            enroll_failure: None,
            mode,
            finished: false,
            settings,
        };
        agent.declare_lost(&recovered.lost, &now);
        let rebooted = recovered
            .last_seen
            .as_ref()
            .is_none_or(|seen| seen.boot != agent.boot);
        if rebooted {
            agent.close_stays_of_earlier_boots(recovered.ended_in_order, &now);
        }
        if mode == Mode::Watch {
            agent.notice(NoticeLevel::Information, texts::watching(agent.settings.language));
            agent.record_start(
                rebooted,
                recovered.last_seen.is_some(),
                recovered.ended_in_order,
                &now,
            );
            agent.commands.push_back(Command::ListSessions);
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
            Input::Sent(outcome) => self.sent(outcome, &now),
            Input::Enrolled(outcome) => self.enroll_ended(outcome, &now),
            Input::NetworkChanged => self.upload.network_changed(now.biased_ms),
            Input::ConfigurationChanged => self.upload.configuration_changed(now.biased_ms),
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
        let heartbeat = (!self.stays.is_empty()).then_some(self.heartbeat_at);
        [
            Some(self.reconcile_at),
            heartbeat,
            self.store_retry_at,
            self.stopping_until,
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

    // ---- start ------------------------------------------------------------------------------------

    fn declare_lost(&mut self, lost: &[(u64, u64)], now: &Moment) {
        for (first, last) in lost {
            self.notice(
                NoticeLevel::Error,
                texts::lost(self.settings.language, *first, *last),
            );
            let bounds = Bounds::between(self.last_alive, now.wall);
            let draft = Draft::within(EventKind::Gap, Evidence::Inferred, bounds);
            self.record(draft.because(&format!("unreadable:{first}-{last}")), now);
        }
    }

    fn record_start(&mut self, rebooted: bool, ran_before: bool, ended_in_order: bool, now: &Moment) {
        if rebooted {
            self.record(
                Draft::at(EventKind::Boot, Evidence::FoundAtStart, now.boot_began()),
                now,
            );
        }
        let cause = match (ran_before, ended_in_order) {
            (false, _) => "first_start",
            (true, true) => "in_order",
            (true, false) if rebooted => "after_power_loss",
            (true, false) => "after_crash",
        };
        let draft = Draft::at(EventKind::ServiceStart, Evidence::Notice, now.wall);
        self.record(draft.because(cause), now);
    }

    /// No logoff was seen before the PC went dark: it lies between the last sign of life and the boot.
    fn close_stays_of_earlier_boots(&mut self, ended_in_order: bool, now: &Moment) {
        let cause = if ended_in_order { "shutdown" } else { "power_loss" };
        let bounds = Bounds::between(self.last_alive, now.boot_began());
        let orphans: Vec<Stay> = self
            .stays
            .iter()
            .filter(|stay| stay.session.boot != self.boot)
            .cloned()
            .collect();
        for stay in orphans {
            let draft = Draft::within(EventKind::Logoff, Evidence::Inferred, bounds);
            self.record(draft.of(&stay).because(cause), now);
        }
    }

    // ---- what the OS says -------------------------------------------------------------------------

    fn os_fact(&mut self, fact: OsFact, now: &Moment) {
        match fact {
            OsFact::Sessions(list) => self.reconcile(&list, now),
            OsFact::SessionsUnavailable { detail } => self.list_unavailable(&detail),
            OsFact::SessionNotice {
                session_id,
                change,
                session,
            } => {
                self.session_notice(&session_id, change, session.as_deref(), now);
                self.ask_for_list();
            }
            OsFact::SuspendAnnounced => self.suspend(now),
            OsFact::Resumed { user_present } => self.resumed(user_present, now),
            OsFact::ShutdownAnnounced => self.shutdown_announced(now),
            OsFact::ShutdownCancelled => self.shutdown_announced_at = None,
            OsFact::ClockSet { from, to } => self.clock_set(to.0 - from.0, Evidence::Notice, now),
        }
    }

    fn session_notice(&mut self, id: &str, change: SessionChange, session: Option<&OsSession>, now: &Moment) {
        let known = self.stays.with_session_id(&self.boot, id).cloned();
        match (change, known, session) {
            (SessionChange::Began, _, Some(session)) => self.began(session, Evidence::Notice, now),
            (SessionChange::Ended, Some(stay), _) => {
                self.record(
                    Draft::at(EventKind::Logoff, Evidence::Notice, now.wall).of(&stay),
                    now,
                );
            }
            (SessionChange::Locked, Some(stay), _) if !stay.locked => {
                self.stay_event(EventKind::Lock, &stay, now)
            }
            (SessionChange::Unlocked, Some(stay), _) if stay.locked => {
                self.stay_event(EventKind::Unlock, &stay, now);
                self.upload.network_changed(now.biased_ms);
            }
            (SessionChange::Connected, Some(stay), _) => self.stay_event(EventKind::Connect, &stay, now),
            (SessionChange::Disconnected, Some(stay), _) => {
                self.stay_event(EventKind::Disconnect, &stay, now)
            }
            // Nothing to record yet: the list that is now asked for shows what is behind it.
            (
                SessionChange::Began
                | SessionChange::Ended
                | SessionChange::Locked
                | SessionChange::Unlocked
                | SessionChange::Connected
                | SessionChange::Disconnected
                | SessionChange::Other,
                _,
                _,
            ) => {}
        }
    }

    fn stay_event(&mut self, kind: EventKind, stay: &Stay, now: &Moment) {
        self.record(Draft::at(kind, Evidence::Notice, now.wall).of(stay), now);
    }

    /// A session that is there. Records its logon unless that stay is known.
    fn began(&mut self, session: &OsSession, evidence: Evidence, now: &Moment) {
        let stay = Stay::of(session, &self.boot, session.logon_at.unwrap_or(now.wall));
        if self.stays.holds(&stay) || !session.account.is_well_formed() {
            return;
        }
        let draft = match (session.logon_at, evidence) {
            (Some(at), _) => Draft::at(EventKind::Logon, evidence, at),
            (None, Evidence::Notice | Evidence::Script) => Draft::at(EventKind::Logon, evidence, now.wall),
            (None, Evidence::FoundAtStart) => {
                let earliest = now.boot_began().max(self.last_list_at);
                Draft::within(EventKind::Logon, evidence, Bounds::between(earliest, now.wall))
            }
            (None, Evidence::Reconciled | Evidence::BackFilled | Evidence::Inferred) => Draft::within(
                EventKind::Logon,
                evidence,
                Bounds::between(self.last_list_at, now.wall),
            ),
        };
        self.record(draft.of(&stay), now);
        self.stays.note_locked(&stay, session.locked.unwrap_or(false));
    }

    /// Compares the table with the OS's list: whatever notice was lost, this finds it.
    fn reconcile(&mut self, list: &[OsSession], now: &Moment) {
        let at_start = std::mem::take(&mut self.awaiting_first_list);
        let evidence = if at_start {
            Evidence::FoundAtStart
        } else {
            Evidence::Reconciled
        };
        let listed: Vec<Stay> = list.iter().map(|s| Stay::of(s, &self.boot, now.wall)).collect();
        let mut there = Stays::default();
        listed.iter().cloned().for_each(|stay| there.restore(stay));
        let gone: Vec<Stay> = self
            .stays
            .iter()
            .filter(|stay| stay.session.boot == self.boot && !there.holds(stay))
            .cloned()
            .collect();
        for stay in gone {
            self.vanished(&stay, at_start, now);
        }
        for session in list {
            self.began(session, evidence, now);
            self.compare_lock(session, now);
        }
        self.last_list_at = now.wall;
        self.list_failed = false;
        if at_start && list.is_empty() {
            self.notice(
                NoticeLevel::Information,
                texts::nobody_logged_on(self.settings.language),
            );
        }
    }

    fn vanished(&mut self, stay: &Stay, while_away: bool, now: &Moment) {
        let bounds = Bounds::between(self.last_list_at, now.wall);
        let draft = if while_away {
            Draft::within(EventKind::Logoff, Evidence::Inferred, bounds).because("while_agent_was_away")
        } else {
            Draft::within(EventKind::Logoff, Evidence::Reconciled, bounds)
        };
        self.record(draft.of(stay), now);
    }

    fn compare_lock(&mut self, session: &OsSession, now: &Moment) {
        let known = self
            .stays
            .with_session_id(&self.boot, &session.session_id)
            .cloned();
        let Some((stay, locked)) = known.zip(session.locked) else {
            return;
        };
        if stay.locked != locked {
            let kind = if locked {
                EventKind::Lock
            } else {
                EventKind::Unlock
            };
            let bounds = Bounds::between(self.last_list_at, now.wall);
            self.record(Draft::within(kind, Evidence::Reconciled, bounds).of(&stay), now);
        }
    }

    fn list_unavailable(&mut self, detail: &str) {
        if !std::mem::replace(&mut self.list_failed, true) {
            self.notice(
                NoticeLevel::Warning,
                texts::no_session_list(self.settings.language, detail),
            );
        }
    }

    fn ask_for_list(&mut self) {
        if !self.commands.contains(&Command::ListSessions) {
            self.commands.push_back(Command::ListSessions);
        }
    }

    fn suspend(&mut self, now: &Moment) {
        self.asleep = true;
        let sequence = self.record(Draft::at(EventKind::Suspend, Evidence::Notice, now.wall), now);
        self.release_sleep_after = Some(sequence);
    }

    fn resumed(&mut self, user_present: bool, now: &Moment) {
        self.asleep = false;
        let mut draft = Draft::at(EventKind::Resume, Evidence::Notice, now.wall);
        if user_present {
            draft = draft.because("user_present");
        }
        self.record(draft, now);
        self.upload.network_changed(now.biased_ms);
        self.ask_for_list();
    }

    fn shutdown_announced(&mut self, now: &Moment) {
        self.shutdown_announced_at = Some(now.wall);
        let sequence = self.record(Draft::at(EventKind::Shutdown, Evidence::Notice, now.wall), now);
        self.release_shutdown_after = Some(sequence);
    }

    fn script(&mut self, kind: EventKind, session: &OsSession, now: &Moment) {
        let stay = Stay::of(session, &self.boot, now.wall);
        self.record(Draft::at(kind, Evidence::Script, now.wall).of(&stay), now);
    }

    // ---- clocks -----------------------------------------------------------------------------------

    fn look_at_clocks(&mut self, input: &Input, now: &Moment) {
        let before = self.clocks.last();
        let announced = matches!(input, Input::Os(OsFact::Resumed { .. })) || self.asleep;
        let told = matches!(input, Input::Os(OsFact::ClockSet { .. }));
        for finding in self.clocks.look(*now) {
            match finding {
                ClockFinding::Slept { .. } if announced => {}
                ClockFinding::Slept { for_ms } => self.slept_unannounced(&before, for_ms, now),
                ClockFinding::Stepped { .. } if told => {}
                ClockFinding::Stepped { by_ms } => self.clock_set(by_ms, Evidence::Reconciled, now),
            }
        }
    }

    fn slept_unannounced(&mut self, before: &Moment, for_ms: i64, now: &Moment) {
        let bounds = Bounds::between(before.wall, now.wall.plus(-for_ms));
        self.record(Draft::within(EventKind::Suspend, Evidence::Inferred, bounds), now);
        let bounds = Bounds::between(before.wall.plus(for_ms), now.wall);
        self.record(Draft::within(EventKind::Resume, Evidence::Inferred, bounds), now);
    }

    fn clock_set(&mut self, by_ms: i64, evidence: Evidence, now: &Moment) {
        let draft = Draft::at(EventKind::TimeChange, evidence, now.wall);
        self.record(draft.because(&format!("by_ms:{by_ms}")), now);
    }

    // ---- records ----------------------------------------------------------------------------------

    /// Gives the draft its number and asks for it to be stored.
    fn record(&mut self, draft: Draft, now: &Moment) -> u64 {
        if self.unstored.len() >= UNSTORED_MAX && !draft.kind.is_punch() {
            self.dropped += 1;
            return self.last_sequence;
        }
        self.last_sequence += 1;
        let event = event(draft, self.last_sequence, &self.boot, now);
        self.stays.apply(&event);
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
            self.notice(
                NoticeLevel::Information,
                texts::can_store_again(self.settings.language),
            );
        }
        self.upload.stored(
            PendingEvent {
                sequence,
                kind: event.kind,
                account: event.account,
            },
            now.biased_ms,
        );
        self.release_delays(sequence);
        self.declare_dropped(now);
        self.ask_to_store();
    }

    fn store_failed(&mut self, sequence: u64, detail: &str, now: &Moment) {
        if self
            .unstored
            .front()
            .is_none_or(|event| event.sequence != sequence)
        {
            return;
        }
        self.store_asked = false;
        if self.store_failures == 0 {
            self.notice(
                NoticeLevel::Error,
                texts::cannot_store(self.settings.language, detail),
            );
        }
        let wait = (500_u64 << self.store_failures.min(7)).min(60_000);
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

    // ---- sending ----------------------------------------------------------------------------------

    fn sent(&mut self, outcome: SendOutcome, now: &Moment) {
        let told = match outcome {
            SendOutcome::Answered(answer) => {
                self.settings.display_name.clone_from(&answer.wishes.display_name);
                let settled = self.upload.answered(&answer, now.biased_ms);
                if !settled.released.is_empty() {
                    self.commands.push_back(Command::Acknowledge {
                        sequences: settled.released,
                    });
                }
                settled.told
            }
            SendOutcome::Failed {
                cause,
                retry_after_seconds,
            } => self.upload.failed(&cause, retry_after_seconds, now.biased_ms),
        };
        self.tell(told);
    }

    fn enroll_ended(&mut self, outcome: EnrollOutcome, now: &Moment) {
        match outcome {
            EnrollOutcome::Done { display_name } => {
                self.settings.display_name = display_name;
                self.enroll_failure = None;
                let text = texts::enrolled(self.settings.language, &self.settings.display_name);
                self.notice(NoticeLevel::Information, text);
                self.upload.enrolled(now.biased_ms);
            }
            EnrollOutcome::Failed {
                cause,
                retry_after_seconds,
            } => {
                let told = self
                    .upload
                    .enrollment_failed(&cause, retry_after_seconds, now.biased_ms);
                let known = self.enroll_failure.replace(cause.clone());
                if !known.is_some_and(|last| last.same_reason(&cause)) {
                    let server = &self.settings.display_name;
                    let text = texts::cannot_enroll(self.settings.language, server, &cause);
                    self.notice(NoticeLevel::Error, text);
                }
                self.tell(told);
            }
        }
    }

    fn tell(&mut self, told: Vec<Told>) {
        for told in told {
            let (language, server) = (self.settings.language, &self.settings.display_name);
            let (level, text) = match told {
                Told::Completed { punch, resent } => (
                    NoticeLevel::Information,
                    texts::completed(language, &punch, resent),
                ),
                Told::Failed { punch, cause } => (
                    NoticeLevel::Error,
                    texts::failed(language, server, &punch, &cause),
                ),
            };
            self.notice(level, text);
        }
    }

    fn notice(&mut self, level: NoticeLevel, text: String) {
        self.commands.push_back(Command::Notice { level, text });
    }

    // ---- end --------------------------------------------------------------------------------------

    fn stop(&mut self, system_is_going_down: bool, now: &Moment) {
        if self.stopping_until.is_some() {
            return;
        }
        if system_is_going_down || self.shutdown_announced_at.is_some() {
            self.close_stays_at_shutdown(now);
        }
        if self.mode == Mode::Watch {
            self.record(Draft::at(EventKind::ServiceStop, Evidence::Notice, now.wall), now);
        }
        self.stopping_until = Some(now.biased_ms + self.settings.last_send_ms);
    }

    /// Do not wait for logoffs that the OS may not deliver any more: nobody stays logged on beyond this.
    fn close_stays_at_shutdown(&mut self, now: &Moment) {
        let since = self.shutdown_announced_at.unwrap_or(now.wall);
        let open: Vec<Stay> = self.stays.iter().cloned().collect();
        for stay in open {
            let draft = Draft::within(
                EventKind::Logoff,
                Evidence::Inferred,
                Bounds::between(since, now.wall),
            );
            self.record(draft.of(&stay).because("shutdown"), now);
        }
    }

    fn finish(&mut self) {
        if !std::mem::replace(&mut self.finished, true) {
            self.commands.push_back(Command::Finished);
        }
    }

    fn on_time(&mut self, now: &Moment) {
        let now_ms = now.biased_ms;
        if let Some(until) = self.stopping_until {
            self.on_time_stopping(until, now_ms);
            return;
        }
        if self.store_retry_at.is_some_and(|at| at <= now_ms) {
            self.store_retry_at = None;
            self.ask_to_store();
        }
        if self.reconcile_at <= now_ms {
            self.reconcile_at = now_ms + self.settings.reconcile_ms;
            self.ask_for_list();
        }
        if self.heartbeat_at <= now_ms {
            self.heartbeat_at = now_ms + self.settings.heartbeat_ms;
            if !self.stays.is_empty() {
                self.commands.push_back(Command::Heartbeat);
            }
        }
        self.try_to_send(now_ms);
    }

    fn on_time_stopping(&mut self, until: u64, now_ms: u64) {
        if until <= now_ms {
            self.finish();
        } else if self.unstored.is_empty() && !self.finished {
            // After the last record is stored, one attempt to send is granted; its end is ours.
            match self.upload.last_attempt(self.mode == Mode::Script, now_ms) {
                Some(wish) => self.fulfil(wish),
                None if self.upload.is_idle() => self.finish(),
                None => {}
            }
        }
    }

    fn try_to_send(&mut self, now_ms: u64) {
        // What is on its way to the disk goes into the same batch.
        if self.store_asked {
            return;
        }
        if let Some(wish) = self.upload.next(now_ms) {
            self.fulfil(wish);
        }
    }

    fn fulfil(&mut self, wish: Wish) {
        let waiting = self.upload.waiting();
        self.commands.push_back(match wish {
            Wish::Enroll => Command::Enroll,
            Wish::Send(events) => Command::Send { events, waiting },
        });
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
    }
}

#[cfg(test)]
mod tests;
