//! What is due by now, and the end of the agent.

use mngntime_model::{Bounds, EventKind, Evidence, Moment};

use super::{Agent, Draft, Mode};
use crate::command::Command;
use crate::stays::Stay;
use crate::upload::Wish;

impl Agent {
    pub(super) fn stop(&mut self, system_is_going_down: bool, now: &Moment) {
        if self.stopping_until.is_some() {
            return;
        }
        self.give_up_log(now);
        if !system_is_going_down {
            self.note_positions();
        }
        self.give_up_on_clock(now);
        if system_is_going_down || self.shutdown_announced_at.is_some() {
            self.close_stays_at_shutdown(now);
        }
        if self.mode == Mode::Watch {
            self.record(Draft::at(EventKind::ServiceStop, Evidence::Notice, now.wall), now);
        }
        self.stopping_until = Some(now.biased_ms + self.settings.last_send_ms);
        // Whatever the disk refused before gets its chance now: there is no later one.
        self.store_retry_at = None;
        self.ask_to_store();
    }

    /// Do not wait for logoffs that the OS may not deliver any more: nobody stays logged on beyond this.
    pub(super) fn close_stays_at_shutdown(&mut self, now: &Moment) {
        // Who was there by the last list may have gone before the announcement, if no list came after it.
        let since = self.shutdown_announced_at.unwrap_or(now.wall).min(self.last_list_at);
        let open: Vec<Stay> = self.stays.iter().cloned().collect();
        for stay in open {
            // Told to have ended just now, with no list since: not later than that, then, if it was this one.
            let told = self.unconfirmed_ends.iter().find(|(ended, ..)| ended.session == stay.session);
            let since = told.map_or(since, |(_, at, _)| since.min(*at));
            let draft =
                Draft::within(EventKind::Logoff, Evidence::Inferred, Bounds::between(since, now.wall));
            // A notice of its beginning may still be under way, and must not begin it once more.
            self.recent_ends.push((stay.clone(), now.biased_ms));
            self.record(draft.of(&stay).because("shutdown"), now);
        }
    }

    pub(super) fn finish(&mut self, now: &Moment) {
        if !std::mem::replace(&mut self.finished, true) {
            self.tell_repeats(true, now);
            self.commands.push_back(Command::Finished);
        }
    }

    pub(super) fn on_time(&mut self, now: &Moment) {
        let now_ms = now.biased_ms;
        if let Some(until) = self.stopping_until {
            self.on_time_stopping(until, now);
            return;
        }
        self.retry_store(now_ms);
        if self.clock_doubt.is_some_and(|doubt| doubt.until <= now_ms) {
            self.give_up_on_clock(now);
        }
        if self.reconcile_at <= now_ms {
            self.reconcile_at = now_ms + self.settings.reconcile_ms;
            self.ask_for_list();
        }
        if self.heartbeat_at <= now_ms {
            self.heartbeat_at = now_ms + self.settings.heartbeat_ms;
            if !self.stays.is_empty() {
                self.beat_wanted = true;
                self.ask_for_list();
            }
        }
        self.tell_repeats(false, now);
        if self.positions_at <= now_ms {
            self.positions_at = now_ms + self.settings.log_positions_ms;
            self.note_positions();
        }
        self.try_to_send(now_ms);
    }

    /// A beat bounds the logoffs that will have to be inferred after a power loss: whoever is logged on by the
    /// table must be so by the OS's list, and what the list showed must be stored, or the bound would lie behind
    /// the truth.
    pub(super) fn beat_if_due(&mut self) {
        if self.unstored.is_empty() && std::mem::take(&mut self.beat_due) && !self.stays.is_empty() {
            self.commands.push_back(Command::Heartbeat);
        }
    }

    fn retry_store(&mut self, now_ms: u64) {
        if self.store_retry_at.take_if(|at| *at <= now_ms).is_some() {
            self.ask_to_store();
        }
    }

    pub(super) fn on_time_stopping(&mut self, until: u64, now: &Moment) {
        let now_ms = now.biased_ms;
        self.retry_store(now_ms);
        if until <= now_ms {
            self.finish(now);
        } else if self.unstored.is_empty() && !self.finished {
            // After the last record is stored, one attempt to send is granted; its end is ours.
            match self.upload.last_attempt(self.mode == Mode::Script, now_ms) {
                Some(wish) => self.fulfil(wish),
                None if self.upload.is_idle() => self.finish(now),
                None => {}
            }
        }
    }

    pub(super) fn try_to_send(&mut self, now_ms: u64) {
        // What is on its way to the disk, and what the start is about to find, goes into the same batch.
        let starting = self.mode == Mode::Watch && self.awaiting_first_list && !self.list_failed;
        if self.store_asked || starting {
            return;
        }
        if let Some(wish) = self.upload.next(now_ms) {
            self.fulfil(wish);
        }
    }

    pub(super) fn fulfil(&mut self, wish: Wish) {
        let waiting = self.upload.waiting();
        self.commands.push_back(match wish {
            Wish::Enroll => Command::Enroll,
            Wish::Send(events) => Command::Send { events, waiting },
        });
    }
}
