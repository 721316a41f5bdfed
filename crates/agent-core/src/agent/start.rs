//! What the journal remembers, compared with the boot that is running.

use mngntime_model::{Bounds, EventKind, Evidence, Moment};

use super::{Agent, Draft};
use crate::message::Message;
use crate::recovered::LastSeen;
use crate::stays::Stay;

impl Agent {
    pub(super) fn declare_lost(&mut self, lost: &[(u64, u64)], now: &Moment) {
        for (first, last) in lost {
            self.notice(Message::lost(*first, *last), now);
            let bounds = Bounds::between(self.last_alive, now.wall);
            let draft = Draft::within(EventKind::Gap, Evidence::Inferred, bounds);
            self.record(draft.because(&format!("unreadable:{first}-{last}")), now);
        }
    }

    pub(super) fn record_start(
        &mut self,
        rebooted: bool,
        ran_before: bool,
        ended_in_order: bool,
        now: &Moment,
    ) {
        if rebooted {
            self.record(Draft::at(EventKind::Boot, Evidence::FoundAtStart, now.boot_began()), now);
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
    pub(super) fn continue_after(
        &mut self,
        last_seen: Option<&LastSeen>,
        ended_in_order: bool,
        now: &Moment,
    ) {
        if let Some(seen) = last_seen.filter(|seen| seen.boot == self.boot) {
            self.compare_clock_with_last_run(seen, now);
        } else if !last_seen.is_some_and(|seen| self.doubts_clock(seen, now)) {
            let cause = if ended_in_order { "shutdown" } else { "power_loss" };
            let bounds = Bounds::between(self.last_alive, now.boot_began());
            self.close_stays_of_earlier_boots(cause, bounds, now);
        }
    }

    pub(super) fn close_stays_of_earlier_boots(&mut self, cause: &str, bounds: Bounds, now: &Moment) {
        let orphans: Vec<Stay> =
            self.stays.iter().filter(|stay| stay.session.boot != self.boot).cloned().collect();
        for stay in orphans {
            let draft = Draft::within(EventKind::Logoff, Evidence::Inferred, bounds);
            self.record(draft.of(&stay).because(cause), now);
        }
    }
}
