//! What the operating system says, and what the clocks show.

use mngntime_model::{Bounds, EventKind, Evidence, Moment};

use super::{Agent, Draft};
use crate::clock_watch::ClockFinding;
use crate::command::Command;
use crate::input::{Input, OsFact, OsSession, SessionChange};
use crate::message::{Message, MessageId};
use crate::stays::{Stay, Stays};

impl Agent {
    pub(super) fn os_fact(&mut self, fact: OsFact, now: &Moment) {
        match fact {
            // Asked for again after the logs.
            OsFact::Sessions(_) if self.awaits_log() => {}
            OsFact::Sessions(list) => self.reconcile(&list, now),
            OsFact::SessionsUnavailable { detail } => self.list_unavailable(&detail, now),
            OsFact::SessionNotice { session_id, change, session } => {
                self.session_notice(&session_id, change, session.as_deref(), now);
                self.ask_for_list();
            }
            OsFact::SuspendAnnounced => self.suspend(now),
            OsFact::Resumed { user_present } => self.resumed(user_present, now),
            OsFact::ShutdownAnnounced => self.shutdown_announced(now),
            OsFact::ShutdownCancelled => self.shutdown_announced_at = None,
            OsFact::ClockSet { from, to } => self.clock_set(to.0 - from.0, Evidence::Notice, now),
            OsFact::LogRead(reading) => self.log_read(Some(*reading), now),
            OsFact::LogUnavailable { .. } => self.log_read(None, now),
        }
    }

    pub(super) fn session_notice(
        &mut self,
        id: &str,
        change: SessionChange,
        session: Option<&OsSession>,
        now: &Moment,
    ) {
        let known = self.stays.with_session_id(&self.boot, id).cloned();
        match (change, known, session) {
            (SessionChange::Began, _, Some(session)) => self.began(session, Evidence::Notice, now),
            (SessionChange::Ended, Some(stay), _) => {
                self.record(Draft::at(EventKind::Logoff, Evidence::Notice, now.wall).of(&stay), now);
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

    pub(super) fn stay_event(&mut self, kind: EventKind, stay: &Stay, now: &Moment) {
        self.record(Draft::at(kind, Evidence::Notice, now.wall).of(stay), now);
    }

    /// A session that is there. Records its logon unless that stay is known.
    pub(super) fn began(&mut self, session: &OsSession, evidence: Evidence, now: &Moment) {
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
            (None, Evidence::Reconciled | Evidence::BackFilled | Evidence::Inferred) => {
                Draft::within(EventKind::Logon, evidence, Bounds::between(self.last_list_at, now.wall))
            }
        };
        self.record(draft.of(&stay), now);
        self.stays.note_locked(&stay, session.locked.unwrap_or(false));
    }

    /// Compares the table with the OS's list: whatever notice was lost, this finds it.
    pub(super) fn reconcile(&mut self, list: &[OsSession], now: &Moment) {
        let at_start = std::mem::take(&mut self.awaiting_first_list);
        let list = &self.completed_by_log(list);
        let evidence = if at_start { Evidence::FoundAtStart } else { Evidence::Reconciled };
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
        self.settle_back_fill(now);
        self.last_list_at = now.wall;
        self.list_failed = false;
        if at_start && list.is_empty() {
            self.notice(Message::new(MessageId::NobodyLoggedOn, vec![]), now);
        }
    }

    pub(super) fn vanished(&mut self, stay: &Stay, while_away: bool, now: &Moment) {
        let bounds = Bounds::between(self.last_list_at, now.wall);
        let draft = if while_away {
            Draft::within(EventKind::Logoff, Evidence::Inferred, bounds).because("while_agent_was_away")
        } else {
            Draft::within(EventKind::Logoff, Evidence::Reconciled, bounds)
        };
        self.record(draft.of(stay), now);
    }

    pub(super) fn compare_lock(&mut self, session: &OsSession, now: &Moment) {
        let known = self.stays.with_session_id(&self.boot, &session.session_id).cloned();
        let Some((stay, locked)) = known.zip(session.locked) else {
            return;
        };
        if stay.locked != locked {
            let kind = if locked { EventKind::Lock } else { EventKind::Unlock };
            let bounds = Bounds::between(self.last_list_at, now.wall);
            self.record(Draft::within(kind, Evidence::Reconciled, bounds).of(&stay), now);
        }
    }

    pub(super) fn list_unavailable(&mut self, detail: &str, now: &Moment) {
        if !std::mem::replace(&mut self.list_failed, true) {
            self.notice(Message::new(MessageId::NoSessionList, vec![detail.to_owned()]), now);
        }
    }

    pub(super) fn ask_for_list(&mut self) {
        if !self.commands.contains(&Command::ListSessions) {
            self.commands.push_back(Command::ListSessions);
        }
    }

    pub(super) fn suspend(&mut self, now: &Moment) {
        self.asleep = true;
        let sequence = self.record(Draft::at(EventKind::Suspend, Evidence::Notice, now.wall), now);
        self.release_sleep_after = Some(sequence);
    }

    pub(super) fn resumed(&mut self, user_present: bool, now: &Moment) {
        self.asleep = false;
        let mut draft = Draft::at(EventKind::Resume, Evidence::Notice, now.wall);
        if user_present {
            draft = draft.because("user_present");
        }
        self.record(draft, now);
        self.upload.network_changed(now.biased_ms);
        self.ask_for_list();
    }

    pub(super) fn shutdown_announced(&mut self, now: &Moment) {
        self.shutdown_announced_at = Some(now.wall);
        let sequence = self.record(Draft::at(EventKind::Shutdown, Evidence::Notice, now.wall), now);
        self.release_shutdown_after = Some(sequence);
    }

    pub(super) fn script(&mut self, kind: EventKind, session: &OsSession, now: &Moment) {
        let stay = Stay::of(session, &self.boot, now.wall);
        self.record(Draft::at(kind, Evidence::Script, now.wall).of(&stay), now);
    }

    pub(super) fn look_at_clocks(&mut self, input: &Input, now: &Moment) {
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

    pub(super) fn slept_unannounced(&mut self, before: &Moment, for_ms: i64, now: &Moment) {
        let bounds = Bounds::between(before.wall, now.wall.plus(-for_ms));
        self.record(Draft::within(EventKind::Suspend, Evidence::Inferred, bounds), now);
        let bounds = Bounds::between(before.wall.plus(for_ms), now.wall);
        self.record(Draft::within(EventKind::Resume, Evidence::Inferred, bounds), now);
    }

    pub(super) fn clock_set(&mut self, by_ms: i64, evidence: Evidence, now: &Moment) {
        let draft = Draft::at(EventKind::TimeChange, evidence, now.wall);
        self.record(draft.because(&format!("by_ms:{by_ms}")), now);
    }
}
