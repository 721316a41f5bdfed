//! What the journal remembers, compared with the boot that is running.

use mngntime_model::{Bounds, EventKind, Evidence, Moment};

use super::{Agent, Draft};
use crate::message::Message;

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
}
