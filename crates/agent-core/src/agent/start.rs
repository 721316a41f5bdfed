//! What the journal remembers, compared with the boot that is running.

use mngntime_model::{Bounds, Declared, EventKind, Evidence, Moment, UtcMillis};

use super::time::by_the_clock_of;
use super::{Agent, Draft};
use crate::message::Message;
use crate::recovered::LastSeen;

impl Agent {
    pub(super) fn declare_lost(&mut self, lost: &[(u64, u64)], now: &Moment) {
        for (first, last) in lost {
            self.notice(Message::lost(*first, *last), now);
            let bounds = Bounds::between(self.last_alive, now.wall);
            let draft = Draft::within(EventKind::Gap, Evidence::Inferred, bounds);
            self.upload.held.note_declared((*first, *last));
            let declared = Declared::Unreadable { first: *first, last: *last };
            self.record(draft.because(&declared.to_string()), now);
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

    /// What this run's clock shows against the last run's: in the same boot the counters tell a step, after
    /// another one a clock that went back is not believed yet.
    pub(super) fn compare_clock_with_earlier_runs(&mut self, last_seen: Option<&LastSeen>, now: &Moment) {
        match last_seen {
            Some(seen) if seen.boot == self.boot => self.compare_clock_with_last_run(seen, now),
            Some(seen) => self.doubt_clock_behind(seen, now),
            None => {}
        }
    }

    /// When the list was last compared in this boot, by the clock that shows now; nothing earlier can be the
    /// beginning of a session than the boot.
    pub(super) fn last_list_of_this_boot(&self, compared: Option<&LastSeen>, now: &Moment) -> UtcMillis {
        let here = compared.filter(|seen| seen.boot == self.boot);
        here.map_or(now.boot_began(), |seen| by_the_clock_of(now, &seen.moment))
    }
}
