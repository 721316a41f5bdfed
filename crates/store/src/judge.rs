//! What the server thinks of a punch. Pure: facts in, result out.
//!
//! The order is that of the specification (product.md, The server, 1; the number 8 is explained in
//! `mngntime_model::result`): 9 when the facts could not be had, then 5, 6, 8, 7, accepted.
//!
//! A punch is judged in two halves, because they live differently:
//!
//! - A **hindrance** (5, 6, 8) comes from the contract and the terminal *at the moment of receipt*. It is
//!   looked at again when its cause is put right or the punch is sent again, and it is only ever lifted:
//!   blocking a stolen PC today does not take back what it honestly recorded last month.
//! - The **person** (7 or accepted) follows from links and employment *on the date of the punch*, and is
//!   looked at again whenever these change, in either direction.
//!
//! # The date of a punch
//! A punch is judged by the date on which it happened in Tokyo, but for one: a logoff before the contract's day boundary
//! ([`may_end_a_night`]) whose stay began before that midnight is judged by the date before. It ends the work of that
//! evening, and the page of a day says so; whoever leaves, or hands an account over, on that date has worked that evening to
//! its end. A logon is always judged by its own date, however late the evening was, and so is the logoff of its stay: after
//! midnight nobody begins a stay with an account that is not theirs any more. A stay that goes on beyond the boundary has a
//! logoff on its own date.
//!
//! The date is found when the punch is taken in, from what is stored then: its stay's logon. It is kept beside the punch
//! (`local_date`), and every judgement of later, every preview and every count of what waits for a link goes by what is
//! kept. So judging needs no other facts than before, and says the same whenever it is asked. A logon of a session that comes after
//! its logoff puts the date of that right and has it judged again. When a contract chooses another boundary, the dates of
//! the punches that are there are put right and what got another date is judged again, a piece at a time (`sqlite/redating.rs`);
//! so are those of punches that were taken in by rules of version 1, once.
//!
//! Lives in the store because a change and the re-judging it causes are one transaction.

use jiff::civil::Date;
use mngntime_model::{EventKind, PunchResult, UtcMillis};

use crate::ports::{ContractStatus, TerminalStatus};
use crate::{EmployeeId, date, local_date};

/// Version of these rules: what evidence packs name.
pub const RULES_VERSION: u32 = 2;

/// State of contract and terminal when a punch is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The contract's status.
    pub contract: ContractStatus,
    /// Whether the contract includes logon punches.
    pub logon_punch_option: bool,
    /// The terminal's status.
    pub terminal: TerminalStatus,
    /// Whether the terminal was made of something else than at its last enrolment.
    pub makeup_changed: bool,
}

/// One link of the punch's account, together with its employee's dates. All dates are inclusive; an absent
/// one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkSpan {
    /// Whom the account belongs to.
    pub employee: EmployeeId,
    /// First date of the link.
    pub from: Date,
    /// Last date of the link.
    pub to: Option<Date>,
    /// First date of employment.
    pub employed_from: Option<Date>,
    /// Last date of employment.
    pub employed_to: Option<Date>,
}

/// Everything a judgement rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What stands in the way, see [`hindrance`].
    pub hindrance: Option<PunchResult>,
    /// The active employee whose account it was on that date, see [`employee_on`].
    pub employee: Option<EmployeeId>,
}

/// The result of a punch; `None` when the facts could not be had.
#[must_use]
pub fn judge(facts: Option<&Facts>) -> PunchResult {
    match facts {
        None => PunchResult::ServerFailed,
        Some(Facts { hindrance: Some(hindrance), .. }) => *hindrance,
        Some(Facts { employee: None, .. }) => PunchResult::UserUnusable,
        Some(Facts { employee: Some(_), .. }) => PunchResult::Accepted,
    }
}

/// Whether a punch may be the end of the night of the date before: a logoff before the day boundary, which lies so many
/// minutes after midnight.
#[must_use]
pub fn may_end_a_night(kind: EventKind, occurred_at: UtcMillis, boundary_minutes: u32) -> bool {
    let midnight = date::begins(local_date(occurred_at));
    let into_the_day = occurred_at.0.saturating_sub(midnight.0);
    kind == EventKind::Logoff && into_the_day < i64::from(boundary_minutes) * 60_000
}

/// The date of a logoff before the day boundary of `own`, whose stay has this logon: that of the evening, where it was one.
#[must_use]
pub fn ended_on(own: Date, logon: Option<UtcMillis>) -> Date {
    let of_the_night = logon.is_some_and(|logon| logon < date::begins(own));
    if of_the_night { own.yesterday().unwrap_or(own) } else { own }
}

/// What stands in the way of every punch under these circumstances, whosever it is.
#[must_use]
pub fn hindrance(now: &Circumstances) -> Option<PunchResult> {
    if now.contract != ContractStatus::Active || !now.logon_punch_option {
        return Some(PunchResult::ContractUnusable);
    }
    if now.terminal != TerminalStatus::Active {
        return Some(PunchResult::TerminalUnusable);
    }
    now.makeup_changed.then_some(PunchResult::ReenrollmentRequired)
}

/// The employee to whom the account is linked on `date` and who is employed on it. Links of one account
/// never overlap, so there is at most one.
#[must_use]
pub fn employee_on(date: Date, links: &[LinkSpan]) -> Option<EmployeeId> {
    links
        .iter()
        .find(|link| {
            within(date, Some(link.from), link.to) && within(date, link.employed_from, link.employed_to)
        })
        .map(|link| link.employee)
}

fn within(date: Date, from: Option<Date>, to: Option<Date>) -> bool {
    from.is_none_or(|from| from <= date) && to.is_none_or(|to| date <= to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const FINE: Circumstances = Circumstances {
        contract: ContractStatus::Active,
        logon_punch_option: true,
        terminal: TerminalStatus::Active,
        makeup_changed: false,
    };

    fn employee() -> EmployeeId {
        EmployeeId(uuid::Uuid::from_bytes([1; 16]))
    }

    fn link() -> LinkSpan {
        LinkSpan {
            employee: employee(),
            from: date(2026, 4, 1),
            to: Some(date(2026, 9, 30)),
            employed_from: Some(date(2026, 4, 1)),
            employed_to: None,
        }
    }

    #[test]
    fn the_order_is_9_5_6_8_7_accepted() {
        let everything_wrong = Circumstances {
            contract: ContractStatus::Suspended,
            logon_punch_option: false,
            terminal: TerminalStatus::Blocked,
            makeup_changed: true,
        };
        let contract_right =
            Circumstances { contract: ContractStatus::Active, logon_punch_option: true, ..everything_wrong };
        let terminal_right = Circumstances { terminal: TerminalStatus::Active, ..contract_right };
        let res =
            |now: &Circumstances, employee| judge(Some(&Facts { hindrance: hindrance(now), employee })).res();
        assert_eq!(judge(None).res(), Some(9));
        assert_eq!(res(&everything_wrong, None), Some(5));
        assert_eq!(res(&contract_right, None), Some(6));
        assert_eq!(res(&terminal_right, None), Some(8));
        assert_eq!(res(&FINE, None), Some(7));
        assert_eq!(res(&FINE, Some(employee())), None);
    }

    #[test]
    fn a_contract_without_the_option_and_a_retired_terminal_hinder_too() {
        let no_option = Circumstances { logon_punch_option: false, ..FINE };
        assert_eq!(hindrance(&no_option), Some(PunchResult::ContractUnusable));
        let retired = Circumstances { terminal: TerminalStatus::Retired, ..FINE };
        assert_eq!(hindrance(&retired), Some(PunchResult::TerminalUnusable));
    }

    #[test]
    fn a_link_holds_from_its_first_to_its_last_date_inclusive() {
        let on = |day| employee_on(day, &[link()]).is_some();
        assert!(!on(date(2026, 3, 31)));
        assert!(on(date(2026, 4, 1)));
        assert!(on(date(2026, 9, 30)));
        assert!(!on(date(2026, 10, 1)));
    }

    #[test]
    fn a_linked_employee_who_has_left_counts_no_more() {
        let left = LinkSpan { to: None, employed_to: Some(date(2026, 5, 31)), ..link() };
        assert!(employee_on(date(2026, 5, 31), &[left]).is_some());
        assert!(employee_on(date(2026, 6, 1), &[left]).is_none());
    }

    #[test]
    fn a_night_is_of_its_evening_when_it_began_before_midnight() {
        let own = jiff::civil::date(2026, 11, 1);
        let ended = |after_midnight_ms: i64| ended_on(own, Some(date::begins(own).plus(after_midnight_ms)));
        assert_eq!((ended(-1), ended(0), ended_on(own, None)), (jiff::civil::date(2026, 10, 31), own, own));
    }

    #[test]
    fn a_logoff_may_end_a_night_up_to_the_boundary_and_a_logon_never() {
        let at = |minutes: i64| date::begins(jiff::civil::date(2026, 11, 1)).plus(minutes * 60_000);
        let ends = |minutes, boundary| may_end_a_night(EventKind::Logoff, at(minutes), boundary);
        assert_eq!([ends(0, 300), ends(299, 300), ends(300, 300)], [true, true, false]);
        assert_eq!([ends(-1, 300), ends(-1, 0), ends(0, 0)], [false; 3]);
        assert!(!may_end_a_night(EventKind::Logon, at(90), 300));
    }

    #[test]
    fn the_link_of_the_date_wins() {
        let other = EmployeeId(uuid::Uuid::from_bytes([2; 16]));
        let later = LinkSpan { employee: other, from: date(2026, 10, 1), to: None, ..link() };
        assert_eq!(employee_on(date(2026, 9, 30), &[later, link()]), Some(employee()));
        assert_eq!(employee_on(date(2026, 10, 1), &[link(), later]), Some(other));
    }
}
