//! Sleep, the ways back from it, and a display that goes dark.
//!
//! A PC that is "shut down" with Fast Startup logs its users off and then sleeps: the agent hears a suspend,
//! no shutdown, and goes on in the same boot the next morning (windows.md 1.4; table A 4, 5). What a suspend
//! was is known for certain only later, from the OS's log, and a record cannot wait for that. So:
//!
//! | at the suspend | cause of `suspend` and of the `resume` after it |
//! |---|---|
//! | somebody is logged on, or Fast Startup is switched off | `sleep` |
//! | the last user logged off moments before | `presumed_fast_startup` |
//! | nobody has been logged on for longer | none: both would look like this |
//!
//! When the log has spoken ([`crate::input::OsFact::PoweredOn`]), one more event says so: `boot` with cause
//! `fast_startup`, or `resume` with cause `hibernation` where Fast Startup had been presumed; both with the
//! log as evidence. A resume that a person caused has the cause `user_present` instead; the OS tells it after
//! the plain one.

use mngntime_model::{EventKind, Evidence, Moment, UtcMillis};

use super::{Agent, Draft};
use crate::input::PowerOn;
use crate::settings::{LOGOFF_BEFORE_SUSPEND_MS, RESUME_TO_LOG_MS};

const SLEEP: &str = "sleep";
const PRESUMED_FAST_STARTUP: &str = "presumed_fast_startup";

/// What is known about power.
#[derive(Debug, Clone, Default)]
pub(super) struct Power {
    /// Between a suspend that was announced and the resume after it.
    pub(super) asleep: bool,
    /// Whether Fast Startup is switched on, where known.
    pub(super) fast_startup: Option<bool>,
    /// The display is known to be dark.
    pub(super) display_is_dark: bool,
    /// Biased counter at the last logoff.
    last_logoff_ms: Option<u64>,
    /// What the last suspend was taken for.
    sleep_cause: Option<&'static str>,
    /// The last resume, until the log has said how it came.
    resumed_at: Option<UtcMillis>,
}

impl Power {
    pub(super) fn note_logoff(&mut self, now: &Moment) {
        self.last_logoff_ms = Some(now.biased_ms);
    }

    fn cause_of_suspend(&self, nobody_logged_on: bool, now: &Moment) -> Option<&'static str> {
        let just_logged_off = self
            .last_logoff_ms
            .is_some_and(|then| now.biased_ms.saturating_sub(then) <= LOGOFF_BEFORE_SUSPEND_MS);
        match (nobody_logged_on, self.fast_startup) {
            (false, _) | (_, Some(false)) => Some(SLEEP),
            (true, Some(true) | None) => just_logged_off.then_some(PRESUMED_FAST_STARTUP),
        }
    }
}

impl Agent {
    pub(super) fn suspend(&mut self, now: &Moment) {
        self.power.asleep = true;
        self.power.sleep_cause = self.power.cause_of_suspend(self.stays.is_empty(), now);
        let draft = Draft::at(EventKind::Suspend, Evidence::Notice, now.wall);
        let sequence = self.record(draft.because_if(self.power.sleep_cause), now);
        self.release_sleep_after = Some(sequence);
    }

    pub(super) fn resumed(&mut self, user_present: bool, now: &Moment) {
        if std::mem::take(&mut self.power.asleep) {
            self.power.resumed_at = Some(now.wall);
        }
        let cause = if user_present { Some("user_present") } else { self.power.sleep_cause };
        self.record(Draft::at(EventKind::Resume, Evidence::Notice, now.wall).because_if(cause), now);
        self.upload.network_changed(now.biased_ms);
        self.ask_for_list();
    }

    /// The log's word on the last resume. A word on anything else (the log is read from further back) says
    /// nothing new.
    pub(super) fn powered_on(&mut self, how: PowerOn, at: UtcMillis, now: &Moment) {
        let about_last = |resumed: &UtcMillis| (resumed.0 - at.0).abs() <= RESUME_TO_LOG_MS;
        if self.power.resumed_at.take_if(|resumed| about_last(resumed)).is_none() {
            return;
        }
        let presumed = self.power.sleep_cause == Some(PRESUMED_FAST_STARTUP);
        let (kind, cause) = match how {
            PowerOn::FastStartup => (EventKind::Boot, "fast_startup"),
            PowerOn::Hibernation if presumed => (EventKind::Resume, "hibernation"),
            PowerOn::Hibernation | PowerOn::Cold => return,
        };
        self.record(Draft::at(kind, Evidence::BackFilled, at).because(cause), now);
    }

    /// A dark display ends no stay; it explains why the agent may be given no time for a while. Of interest
    /// only while somebody is logged on.
    pub(super) fn display(&mut self, on: bool, now: &Moment) {
        if std::mem::replace(&mut self.power.display_is_dark, !on) == on && !self.stays.is_empty() {
            let kind = if on { EventKind::DisplayOn } else { EventKind::DisplayOff };
            self.record(Draft::at(kind, Evidence::Notice, now.wall), now);
        }
    }
}
