//! One punch as a row of the list.

use mngntime_attendance::arrival::{Arrival, delay_ms, is_ahead};
use mngntime_model::{EventKind, Evidence, PunchResult};
use mngntime_store::{PageKey, Punch, Unattended};

use super::super::chrome::Chrome;
use super::super::times;

/// Key of the name of a kind of punch.
#[must_use]
pub fn kind_key(kind: EventKind) -> &'static str {
    if kind == EventKind::Logon { "kind-logon" } else { "kind-logoff" }
}

/// Key of how the agent knew; what it knew at once came at once, or was sent again.
#[must_use]
pub fn how_key(evidence: Evidence, resent: bool) -> &'static str {
    match (evidence, resent) {
        (Evidence::Notice, false) => "how-notice",
        (Evidence::Notice, true) => "how-resent",
        (Evidence::Reconciled, _) => "how-reconciled",
        (Evidence::FoundAtStart, _) => "how-found",
        (Evidence::BackFilled, _) => "how-back-filled",
        (Evidence::Inferred, _) => "how-inferred",
        (Evidence::Script, _) => "how-script",
    }
}

/// Key of 取得方法: what was told at its moment and came late is neither 即時 nor 再送, what had not happened when it was
/// received is 未来の時刻, and what a clock years off has stamped サーバーの時計, however the agent knew.
#[must_use]
pub fn arrival_key(arrival: Arrival) -> &'static str {
    if arrival.is_by_the_servers_clock() {
        return "how-clock";
    }
    if arrival.is_future() {
        return "how-future";
    }
    if arrival.is_delayed() { "how-late" } else { how_key(arrival.evidence, arrival.resent) }
}

/// How a punch came.
#[must_use]
pub fn arrival_of(punch: &Punch) -> Arrival {
    let delay_ms = delay_ms(punch.occurred_at, punch.clock_offset_ms, punch.received_at);
    let ahead = is_ahead(punch.occurred_at, punch.received_at);
    let by_the_servers_clock = punch.stamped_at.is_some();
    Arrival { evidence: punch.evidence, resent: punch.resent, delay_ms, ahead, by_the_servers_clock }
}

/// 取得方法 of one punch.
#[derive(Debug, Clone)]
pub struct How {
    /// In words.
    pub text: String,
    /// Whether it is a guess and wears a badge.
    pub guess: bool,
    /// Whether its time had not come when it was received, or is by the server's clock, and wears a badge.
    pub look: bool,
    /// What the PC's clock showed, where that was years off.
    pub stamped: Option<String>,
    /// Earliest and latest time, where only these are known.
    pub range: Option<String>,
    /// 無人ログオン.
    pub unattended: Option<Nobody>,
}

/// 無人ログオン: what to say about a logon without a person.
#[derive(Debug, Clone)]
pub struct Nobody {
    /// When somebody came, for the list: `08:55〜`.
    pub since: Option<String>,
    /// What it is and what counts instead, in a sentence.
    pub note: String,
}

impl Nobody {
    fn of(found: &Unattended, c: &Chrome) -> Self {
        let interval = found.present_bounds.map(|bounds| times::range(bounds.not_before, bounds.not_after));
        let exact = found.present_from.map(times::clock_short);
        let since = interval.clone().or_else(|| exact.as_ref().map(|time| format!("{time}〜")));
        let time = interval.or(exact);
        let note = match &time {
            Some(time) => c.v("unattended-since", "time", time.as_str()),
            None => c.t("unattended-still"),
        };
        Self { since, note }
    }
}

impl How {
    /// 取得方法 of `punch`.
    #[must_use]
    pub fn of(punch: &Punch, c: &Chrome) -> Self {
        Self {
            text: c.t(arrival_key(arrival_of(punch))),
            guess: punch.evidence == Evidence::Inferred,
            look: arrival_of(punch).is_of_a_wrong_clock(),
            stamped: punch.stamped_at.map(|at| c.v("how-stamped", "time", times::full(at))),
            range: punch.bounds.map(|bounds| times::range(bounds.not_before, bounds.not_after)),
            unattended: punch.unattended.as_ref().map(|found| Nobody::of(found, c)),
        }
    }
}

/// A row, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Day in machine form and in words, when it differs from the row's before.
    pub day: Option<(String, String)>,
    /// Anchor of the row.
    pub anchor: String,
    /// The account, for selecting.
    pub account: String,
    /// Address of the drawer with this punch.
    pub open: String,
    /// Address of this punch's page.
    pub href: String,
    /// When, for machines.
    pub machine: String,
    /// When, for people.
    pub clock: String,
    /// When it was received.
    pub received: String,
    /// Whether it is a logon.
    pub logon: bool,
    /// Domain.
    pub domain: String,
    /// Name.
    pub name: String,
    /// Code and name of the employee.
    pub employee: Option<(String, String)>,
    /// PC name.
    pub host: String,
    /// The number of an error with its message.
    pub error: Option<(u8, String)>,
    /// Why nobody gets it, in two or three words; empty when that says no more than the message.
    pub cause: String,
    /// 取得方法.
    pub how: How,
    /// Classes of the row.
    pub class: String,
    /// Whether the employee said something about this day.
    pub remarked: bool,
}

impl Row {
    /// The row of `punch`; `open` is the page key of the punch in the drawer, `list` the list's address up to
    /// where `open=` can follow.
    #[must_use]
    pub fn of(punch: &Punch, c: &Chrome, list: &str, open: Option<&str>) -> Self {
        let anchor = anchor(punch);
        let error = error(punch.result, c);
        let is_open = open == Some(anchor.as_str());
        Self {
            day: None,
            account: punch.account.to_string(),
            open: format!("{list}open={anchor}#r-{anchor}"),
            href: format!("/punches/{}/{}", punch.terminal, punch.sequence),
            machine: times::machine(punch.occurred_at),
            clock: times::clock(punch.occurred_at),
            received: times::received(punch.received_at, punch.occurred_at),
            logon: punch.kind == EventKind::Logon,
            domain: punch.domain.clone(),
            name: punch.name.clone(),
            employee: punch.employee_code.clone().zip(punch.employee_name.clone()),
            host: punch.host_name.clone(),
            how: How::of(punch, c),
            class: classes(error.is_some(), arrival_of(punch).is_immediate(), is_open),
            error,
            cause: String::new(),
            anchor,
            remarked: false,
        }
    }
}

/// Place of a punch in the list.
#[must_use]
pub fn key(punch: &Punch) -> PageKey {
    PageKey { occurred_at: punch.occurred_at, terminal: punch.terminal, sequence: punch.sequence }
}

/// Name of a punch inside addresses: terminal and number.
#[must_use]
pub fn anchor(punch: &Punch) -> String {
    format!("{}.{}", punch.terminal, punch.sequence)
}

/// The `res` number with the message; `None` for an accepted punch.
#[must_use]
pub fn error(result: PunchResult, c: &Chrome) -> Option<(u8, String)> {
    result.res().map(|number| (number, result.message(c.language()).to_owned()))
}

fn classes(error: bool, now: bool, open: bool) -> String {
    let all = [(error, "is-error"), (now, "is-now"), (open, "is-open")];
    all.into_iter().filter(|(on, _)| *on).map(|(_, class)| class).collect::<Vec<_>>().join(" ")
}

/// The rows of a page, with the day before the first row of each day. Every page begins with its day.
#[must_use]
pub fn rows(punches: &[Punch], c: &Chrome, list: &str, open: Option<&str>) -> Vec<Row> {
    let mut day = None;
    let mut rows = Vec::with_capacity(punches.len());
    for punch in punches {
        let mut row = Row::of(punch, c, list, open);
        let date = times::tokyo(punch.occurred_at).date();
        if day != Some(date) {
            row.day = Some((date.to_string(), c.long_date(date)));
            day = Some(date);
        }
        rows.push(row);
    }
    rows
}
