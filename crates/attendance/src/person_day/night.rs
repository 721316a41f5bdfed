//! Which day a logon or a logoff is of: the one rule, for every page, file and remark.
//!
//! - What happens before midnight is of its date.
//! - After midnight a logoff is of the day before as long as it comes before the day boundary and its stay began before
//!   midnight, or continues that night.
//! - After midnight a logon is of the day before when it comes within [`NIGHT_PAUSE_MS`] of a stay of that night and its
//!   own stay ends before the boundary, too: a restart at 0:10 begins no new day.
//! - So it is with an account that is the person's on both dates, in one employment: whose the punches of a stay that begins
//!   after midnight are is judged by its own date. The end of a night on an account that was somebody else's in the evening is
//!   theirs, and on nobody else's day.
//! - Everything else is of its own date: a logon at 4:30 with no night before it begins a day, whatever the boundary is,
//!   and from the boundary on nothing is of the day before.
//!
//! So the boundary is no beginning of days. It says until when a night that nobody interrupted may last, and days without
//! a night over midnight are the same with any boundary.

use mngntime_model::UtcMillis;

use super::stays::{Punch, Stay};
use super::sums::counted_until;
use super::{Borders, EventId, NIGHT_PAUSE_MS, Role};

/// A stay up to this long that goes on beyond the day boundary is a night's work: the longest shift in two, and two hours beyond
/// it. A longer one is a PC that was left on.
const NIGHT_MAX_MS: i64 = 18 * 3_600_000;

/// When a night that began on the day ended beyond its boundary; the latest, of several. A later boundary would keep it whole.
pub(super) fn cut(borders: Borders, stays: &[(&Stay, Role)]) -> Option<UtcMillis> {
    let end = |(stay, part): &(&Stay, Role)| {
        let end = stay.end.filter(|_| *part == Role::Own && stay.presence.is_some())?.at;
        let is_night = end >= borders.boundary && end.0.saturating_sub(stay.begin.at.0) <= NIGHT_MAX_MS;
        is_night.then_some(end)
    };
    stays.iter().filter_map(end).max()
}

/// What happened after a midnight and is of the day before.
#[derive(Debug)]
pub(super) struct Night {
    midnight: UtcMillis,
    boundary: UtcMillis,
    /// Logons of stays that continue the night.
    continued: Vec<EventId>,
}

impl Night {
    /// The night after `midnight`; `stays` are those of the evening's accounts, in the order of their beginning, and those of
    /// `going_on` may go on with it after midnight. A stay that goes on beyond the boundary is no night's work.
    pub fn of(stays: &[&Stay], midnight: UtcMillis, boundary: UtcMillis, going_on: &[&str]) -> Self {
        let ends_in_time = |stay: &&&Stay| stay.end.is_some_and(|end| end.at < boundary);
        let before = stays.iter().filter(|stay| stay.begin.at < midnight).filter(ends_in_time);
        let mut end = before.filter_map(|stay| stay.end).map(|end| end.latest.min(boundary)).max();
        let mut continued = Vec::new();
        let may_go_on = |stay: &&&Stay| going_on.contains(&stay.account.key.as_str());
        let later = stays.iter().filter(|stay| (midnight..boundary).contains(&stay.begin.at));
        for stay in later.filter(may_go_on) {
            let Some(latest) = end.filter(|end| stay.begin.at <= end.plus(NIGHT_PAUSE_MS)) else { break };
            if let Some(own) = stay.end.filter(|end| end.at < boundary) {
                continued.push(stay.begin.event);
                end = Some(latest.max(own.latest.min(boundary)));
            }
        }
        Self { midnight, boundary, continued }
    }

    /// Whether a stay ends the night, on whoever's account it is.
    pub fn is_ended_by(&self, stay: &Stay) -> bool {
        let in_time = stay.end.is_some_and(|end| (self.midnight..self.boundary).contains(&end.at));
        in_time && stay.begin.at < self.midnight
    }

    /// Whether the logon of a stay is of the day before.
    pub fn takes_logon(&self, stay: &Stay) -> bool {
        self.continued.contains(&stay.begin.event)
    }

    /// Whether the logoff of a stay is of the day before.
    pub fn takes_logoff(&self, stay: &Stay) -> bool {
        self.is_ended_by(stay) || self.takes_logon(stay)
    }

    /// Until when a stay is counted on the day before.
    pub fn counts_until(&self, stay: &Stay) -> UtcMillis {
        if stay.begin.at < self.midnight || self.takes_logon(stay) {
            counted_until(stay, self.midnight, self.boundary)
        } else {
            self.midnight
        }
    }

    /// Logons and logoffs of these stays that happened after midnight and are of the day before.
    pub fn punches(&self, stays: &[&Stay]) -> Vec<EventId> {
        let mut found = Vec::new();
        for stay in stays {
            let (logon, logoff) = (self.takes_logon(stay), self.takes_logoff(stay));
            let taken = |punch: &&Punch| {
                let in_time = (self.midnight..self.boundary).contains(&punch.at);
                in_time && if punch.logon { logon } else { logoff }
            };
            found.extend(stay.punches.iter().filter(taken).map(|punch| punch.event));
        }
        found
    }
}
