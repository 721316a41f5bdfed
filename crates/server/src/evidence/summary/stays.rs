//! Stays out of the punches that a summary has: which logon, which logoff, and where a stay was cut.
//!
//! A stay is shown as far as the record may show it. Where the account was linked to the employee for a part of it only,
//! it ends (or begins) with the link, and nobody may take that for a logoff: what the person did afterwards is not theirs
//! to be shown, or was somebody else's. A stay whose logoff is not there is just that; why it is not, nobody knows here.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mngntime_attendance::completeness::{Received, Why};
use mngntime_model::{AccountIdentity, Event, EventKind, Evidence, SessionIdentity, UtcMillis};
use mngntime_store::{EvidenceLink, local_date};

use super::super::record::{Request, Written, WrittenTerminal};
use crate::web::times::{end_of, start_of};

/// How a stay began.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin<'a> {
    /// With this logon.
    Logon(&'a Received),
    /// The account was linked from this date on; the logon was before.
    Cut(Date),
    /// Its logon is not there.
    Unrecorded,
}

/// How a stay ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    /// With this logoff.
    Logoff(&'a Received),
    /// The account was linked until this date; a later logoff is not shown.
    Cut(Date),
    /// Its logoff is not there.
    Unrecorded,
}

/// One stay of an account on one terminal.
#[derive(Debug)]
pub(super) struct Stay<'a> {
    /// Whose account.
    pub account: &'a AccountIdentity,
    /// How it began.
    pub begin: Begin<'a>,
    /// How it ended.
    pub end: End<'a>,
    /// From when to when it is shown: of an interval the earliest times. A stay without a logoff is shown up to where
    /// something says that it was over, or to the end of what the summary is about.
    pub span: (UtcMillis, UtcMillis),
}

/// What makes a stay. Scripts know no session: theirs are told apart by their order.
type Key<'a> = (Option<&'a SessionIdentity>, &'a str, u32);

/// The punches of one stay.
#[derive(Default, Clone, Copy)]
struct Told<'a> {
    logon: Option<&'a Received>,
    logoff: Option<&'a Received>,
    /// A script's next logon, which shows that this stay was over.
    next: Option<&'a Received>,
}

/// The stays on `terminal`, by their beginning.
pub(super) fn of<'a>(
    request: &Request,
    written: &'a Written,
    terminal: &'a WrittenTerminal,
) -> Vec<Stay<'a>> {
    let told = by_stay(terminal.punches());
    let bounds = Limits { links: &written.people.links, terminal, end: end(request) };
    let mut stays: Vec<_> =
        told.iter().filter_map(|((session, key, _), told)| bounds.stay(*session, key, *told)).collect();
    stays.sort_by_key(|stay| stay.span);
    stays
}

/// Where the dates of a summary end; at the latest now.
fn end(request: &Request) -> UtcMillis {
    let last = request.dates.and_then(|(_, to)| end_of(to));
    last.map_or(request.made_at, |last| last.min(request.made_at))
}

fn by_stay<'a>(punches: impl Iterator<Item = &'a Received>) -> BTreeMap<Key<'a>, Told<'a>> {
    let mut by_time: Vec<&Received> = punches.collect();
    by_time.sort_by_key(|received| (received.event.occurred_at, received.event.sequence));
    let mut stays: BTreeMap<Key<'a>, Told<'a>> = BTreeMap::new();
    let mut scripts: BTreeMap<&str, u32> = BTreeMap::new();
    for received in by_time {
        let event = &received.event;
        let Some(account) = event.account.as_ref().map(|account| account.key.as_str()) else { continue };
        let mut number = 0;
        if event.session.is_none() {
            let script = scripts.entry(account).or_default();
            if event.kind == EventKind::Logon
                && let Some(open) = stays.get_mut(&(None, account, *script))
            {
                open.next = Some(received);
                *script += 1;
            }
            number = *script;
        }
        let told = stays.entry((event.session.as_ref(), account, number)).or_default();
        let known = if event.kind == EventKind::Logon { &mut told.logon } else { &mut told.logoff };
        *known = better(*known, received);
    }
    stays
}

/// Of two statements about the same thing (the OS's notice and its log): the exact one, else the earlier.
fn better<'a>(known: Option<&'a Received>, received: &'a Received) -> Option<&'a Received> {
    match known {
        Some(known) if is_estimate(&known.event) <= is_estimate(&received.event) => Some(known),
        Some(_) | None => Some(received),
    }
}

/// 推定: the time is not known as a point.
pub(super) fn is_estimate(event: &Event) -> bool {
    event.bounds.is_some() || event.evidence == Evidence::Inferred
}

/// What ends the stays of a terminal, but for logoffs.
struct Limits<'a> {
    links: &'a [EvidenceLink],
    terminal: &'a WrittenTerminal,
    end: UtcMillis,
}

impl<'a> Limits<'a> {
    fn stay(&self, session: Option<&SessionIdentity>, key: &str, told: Told<'a>) -> Option<Stay<'a>> {
        let any = told.logon.or(told.logoff)?;
        let (first, account) = (any.event.occurred_at, any.event.account.as_ref()?);
        let (begin, from) = match told.logon {
            Some(logon) => (Begin::Logon(logon), first),
            None => self.begun_before(key, any),
        };
        let (end, to) = match told.logoff {
            Some(logoff) => (End::Logoff(logoff), logoff.event.occurred_at),
            None => self.left_open(session, key, any, told.next),
        };
        // A clock that was set back puts the end before the beginning: then the beginning is all that is shown.
        Some(Stay { account, begin, end, span: (from, to.max(from)) })
    }

    /// Of a stay of which only the logoff is there: whether its logon lies before the link.
    fn begun_before(&self, key: &str, logoff: &Received) -> (Begin<'a>, UtcMillis) {
        let at = logoff.event.occurred_at;
        let mut date = local_date(at);
        // A link may follow another one on the next day.
        while let Some(link) = self.link(key, date) {
            date = link.from;
            match date.yesterday() {
                Ok(before) if self.link(key, before).is_some() => date = before,
                Ok(_) | Err(_) => break,
            }
        }
        let cut = start_of(date).filter(|from| self.was_on_through(*from, logoff));
        cut.map_or((Begin::Unrecorded, at), |from| (Begin::Cut(date), from))
    }

    /// Whether the OS run of a logoff was there at `from` already, within the dates that are shown.
    fn was_on_through(&self, from: UtcMillis, logoff: &Received) -> bool {
        let event = &logoff.event;
        let same_run = event.session.as_ref().is_some_and(|session| session.boot == event.boot);
        let began = if same_run { event.recorded_at.boot_began() } else { from };
        let is_shown = self.terminal.days.first().is_some_and(|day| day.span[0] < from.0);
        is_shown
            && began <= from
            && !self.ends_of_runs().any(|off| (from.0..event.occurred_at.0).contains(&off))
    }

    /// Of a stay without a logoff: up to when it is shown, and why no longer.
    fn left_open(
        &self,
        session: Option<&SessionIdentity>,
        key: &str,
        logon: &Received,
        next: Option<&Received>,
    ) -> (End<'a>, UtcMillis) {
        let at = logon.event.occurred_at;
        let mut date = local_date(at);
        let mut last = None;
        while let Some(link) = self.link(key, date) {
            last = link.to;
            match last.and_then(|to| to.tomorrow().ok()) {
                Some(after) if self.link(key, after).is_some() => date = after,
                Some(_) | None => break,
            }
        }
        let off = self.ends_of_runs().filter(|off| *off >= at.0).min().map(UtcMillis);
        let over = next.map(|next| next.event.occurred_at).or_else(|| self.next_run(session, logon));
        let until = [over, off].into_iter().flatten().min().unwrap_or(self.end);
        match last.and_then(|date| Some((date, end_of(date)?))) {
            Some((date, cut)) if cut <= until => (End::Cut(date), cut),
            Some(_) | None => (End::Unrecorded, until),
        }
    }

    /// When the OS began to run anew: no session is older than that.
    fn next_run(&self, session: Option<&SessionIdentity>, logon: &Received) -> Option<UtcMillis> {
        let session = session?;
        let later = |received: &&Received| {
            received.event.sequence > logon.event.sequence && received.event.boot != session.boot
        };
        let next = self.terminal.punches().filter(later).min_by_key(|received| received.event.sequence)?;
        Some(next.event.recorded_at.boot_began().max(logon.event.occurred_at))
    }

    /// Times by which the PC was off: no session lives on over one.
    fn ends_of_runs(&self) -> impl Iterator<Item = i64> {
        let names = [Why::ShutDown, Why::Off, Why::PowerLost].map(Why::name);
        let parts = self.terminal.days.iter().flat_map(|day| &day.parts);
        // Of a loss of power only its latest time is sure.
        let by = move |(from, to, name): &(i64, i64, String)| if name == names[2] { *to } else { *from };
        parts.filter(move |part| names.contains(&part.2.as_str())).map(by)
    }

    /// A link of the account that holds on `date`.
    fn link(&self, key: &str, date: Date) -> Option<&'a EvidenceLink> {
        let holds = |link: &&EvidenceLink| {
            !link.void && link.account == key && link.from <= date && link.to.is_none_or(|to| date <= to)
        };
        self.links.iter().find(holds)
    }
}
