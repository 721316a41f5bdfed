//! From the facts of the logs to drafts of events: pure, and without any memory beyond one reading.
//!
//! The facts are cut into runs of the OS. Within a run, stays are followed by session id and account; at its
//! end every stay that is left ends too, at a time bounded by what the log says about that end.

use mngntime_model::{AccountIdentity, BootId, Bounds, EventKind, Evidence, SessionIdentity, UtcMillis};

use super::super::Draft;
use super::clock::was_there;
use super::{BOOT_TOLERANCE_MS, BackFill, SAME_MS, agrees, boot_in_log, same_person};
use crate::input::OsSession;
use crate::log::{LogEvent, LogFact, LogSession};
use crate::settings::CLOCK_BEHIND_MS;
use crate::stays::{Stay, Stays};

/// A request to go down that comes longer before the end than this was called off.
const END_REQUEST_MS: i64 = 600_000;
/// Session id of a stay whose records name none.
const NO_SESSION_ID: &str = "unknown";

/// One run of the OS, as far as the log knows it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) boot: BootId,
    pub(super) from: UtcMillis,
    /// When the next run began; `None` for the running one.
    pub(super) to: Option<UtcMillis>,
    pub(super) end: RunEnd,
    facts: Vec<LogFact>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunEnd {
    /// Windows went down as it should.
    InOrder { requested: Option<UtcMillis>, down: UtcMillis },
    /// Windows said at the next start that it had not gone down in order.
    PowerLoss { alive_at: Option<UtcMillis> },
    /// The same, by a bug check.
    BugCheck { alive_at: Option<UtcMillis> },
    /// The log says nothing about it.
    Unknown,
}

/// A stay without an end so far.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) stay: Stay,
    /// The record of its logon; `None` for a stay that the journal or a notice told of.
    logon_cause: Option<String>,
    /// Whether the last run of the agent left it open.
    from_journal: bool,
    /// What happened in it, not yet recorded.
    pub(super) events: Vec<Draft>,
}

impl Open {
    /// Whether this is the listed session.
    pub(super) fn is_session(&self, session: &OsSession) -> bool {
        self.is(&session.session_id, &session.account)
    }

    /// Whether this is that stay of the same boot.
    pub(super) fn is_stay(&self, stay: &Stay) -> bool {
        self.stay.session.boot == stay.session.boot && self.is(&stay.session.session_id, &stay.account)
    }

    fn is(&self, session_id: &str, account: &AccountIdentity) -> bool {
        let own = self.stay.session.session_id.as_str();
        (own == session_id || own == NO_SESSION_ID) && same_person(&self.stay.account, account)
    }

    /// Whether the log's last word is that it is locked.
    pub(super) fn locked(&self) -> Option<bool> {
        self.events.iter().rev().find_map(|draft| match draft.kind {
            EventKind::Lock => Some(true),
            EventKind::Unlock => Some(false),
            EventKind::Logon
            | EventKind::Logoff
            | EventKind::Connect
            | EventKind::Disconnect
            | EventKind::Suspend
            | EventKind::Resume
            | EventKind::Boot
            | EventKind::Shutdown
            | EventKind::TimeChange
            | EventKind::DisplayOff
            | EventKind::DisplayOn
            | EventKind::ServiceStart
            | EventKind::ServiceStop
            | EventKind::Gap => None,
        })
    }

    /// The last time at which the stay is known to have gone on.
    pub(super) fn last_known_at(&self) -> UtcMillis {
        self.events.last().map_or(self.stay.began_at, |draft| draft.occurred_at)
    }

    /// The stay's events with an end somewhere in `bounds`.
    pub(super) fn ended_within(self, bounds: Bounds, cause: &str) -> Vec<Draft> {
        // Of a stay that the journal knew, `bounds` say more: its beginning may be told by another clock.
        let known_at = self.logon_cause.is_some().then(|| self.last_known_at());
        let bounds = after(bounds.not_before, known_at, bounds.not_after);
        let end = Draft::within(EventKind::Logoff, Evidence::Inferred, bounds).of(&self.stay).because(cause);
        self.ended_by(end)
    }

    fn ended_by(self, end: Draft) -> Vec<Draft> {
        let logon = self.logon_cause.map(|cause| {
            Draft::at(EventKind::Logon, Evidence::BackFilled, self.stay.began_at)
                .of(&self.stay)
                .because(&cause)
        });
        logon.into_iter().chain(self.events).chain([end]).collect()
    }
}

/// What came of a reading.
pub(super) struct Told {
    pub(super) drafts: Vec<Draft>,
    /// Stays of the running OS whose logon the log has and whose end it has not.
    pub(super) open: Vec<Open>,
    pub(super) runs: Vec<Run>,
}

/// The reading under way.
pub(super) struct Story<'a> {
    task: &'a BackFill,
    own_boot: &'a BootId,
    /// Whether nothing is missing in the logs, so that no logoff in them means no logoff.
    whole: bool,
    open: Vec<Open>,
    drafts: Vec<Draft>,
}

impl<'a> Story<'a> {
    pub(super) fn new(task: &'a BackFill, own_boot: &'a BootId, stays: &Stays, whole: bool) -> Self {
        let known = |stay: &Stay| Open {
            stay: stay.clone(),
            logon_cause: None,
            from_journal: task.journal.holds(stay),
            events: Vec::new(),
        };
        Self { task, own_boot, whole, open: stays.iter().map(known).collect(), drafts: Vec::new() }
    }

    pub(super) fn of(mut self, facts: Vec<LogFact>) -> Told {
        let facts = facts.into_iter().filter(|fact| self.is_news(fact)).collect();
        let facts = match self.task.step {
            Some(step) => step.in_order(facts),
            None => facts,
        };
        let mut runs = self.runs(facts);
        for run in &mut runs {
            for fact in std::mem::take(&mut run.facts) {
                self.fact(run, &fact);
            }
            if let Some(to) = run.to {
                self.run_ended(run, to);
            }
        }
        self.close_orphans();
        if self.task.base.is_none() {
            self.drafts.clear();
        }
        // After a clock that was set back, an end may show an earlier time than its beginning.
        if self.task.step.is_none() {
            self.drafts.sort_by_key(|draft| draft.occurred_at);
        }
        self.open.retain(|open| open.logon_cause.is_some());
        Told { drafts: self.drafts, open: self.open, runs }
    }

    /// Whether the fact lies in the time in which the agent was away. Records of a session may be written a
    /// moment after the notice that the agent has recorded.
    fn is_news(&self, fact: &LogFact) -> bool {
        let tolerance = match (&self.task.base, &fact.what) {
            (None, _) => BOOT_TOLERANCE_MS,
            (Some(_), LogEvent::Session(_)) => SAME_MS,
            (Some(_), _) => 0,
        };
        let in_time = self.task.since().plus(-tolerance) < fact.at && fact.at <= self.task.started.wall;
        self.task.step.map_or(in_time, |step| {
            (in_time || step.covers(fact.at, tolerance)) && !was_there(&self.task.asked_for.positions, fact)
        })
    }

    /// Cuts the facts at every start of the OS. The last start is that of the running OS.
    fn runs(&self, facts: Vec<LogFact>) -> Vec<Run> {
        let began = self.task.started.boot_began();
        let new = |boot: BootId, from| Run { boot, from, to: None, end: RunEnd::Unknown, facts: Vec::new() };
        let earlier = self.task.base.as_ref().filter(|seen| seen.boot != *self.own_boot);
        let Some(earlier) = earlier else {
            return vec![Run { facts, ..new(self.own_boot.clone(), began) }];
        };
        let is_start = |fact: &LogFact| fact.what == LogEvent::Booted;
        let own_start =
            facts.iter().rposition(|fact| is_start(fact) && began.plus(-BOOT_TOLERANCE_MS) <= fact.at);
        let mut before = new(earlier.boot.clone(), self.task.since());
        let mut runs = Vec::new();
        for (index, fact) in facts.into_iter().enumerate() {
            let unmarked = own_start.is_none() && began <= fact.at && before.boot != *self.own_boot;
            if own_start == Some(index) || unmarked {
                runs.push(std::mem::replace(&mut before, new(self.own_boot.clone(), fact.at)));
            } else if is_start(&fact) {
                let boot = boot_in_log(fact.at, self.own_boot);
                runs.push(std::mem::replace(&mut before, new(boot, fact.at)));
            }
            before.facts.push(fact);
        }
        if before.boot != *self.own_boot {
            runs.push(std::mem::replace(&mut before, new(self.own_boot.clone(), began)));
        }
        runs.push(before);
        find_ends(&mut runs);
        runs
    }

    fn fact(&mut self, run: &Run, fact: &LogFact) {
        match &fact.what {
            LogEvent::Session(session) => self.session(run, fact, session),
            LogEvent::Booted if run.boot == *self.own_boot => {}
            LogEvent::Booted => self.of_the_pc(EventKind::Boot, fact, ""),
            LogEvent::Suspended => self.of_the_pc(EventKind::Suspend, fact, ""),
            LogEvent::Resumed => self.of_the_pc(EventKind::Resume, fact, ""),
            LogEvent::ClockSet { by_ms } => {
                self.of_the_pc(EventKind::TimeChange, fact, &format!(";by_ms={by_ms}"));
            }
            LogEvent::WentDown if run.end_is(fact.at) => self.of_the_pc(EventKind::Shutdown, fact, ""),
            LogEvent::WentDown | LogEvent::EndRequested | LogEvent::Unclean { .. } => {}
        }
    }

    fn of_the_pc(&mut self, kind: EventKind, fact: &LogFact, addition: &str) {
        let cause = format!("{}{addition}", fact.cause());
        // The agent hears of a shutdown when it is announced; the log tells when it was done.
        let announced = kind == EventKind::Shutdown
            && self
                .task
                .recent
                .iter()
                .any(|event| event.kind == kind && agrees(event, fact.at, END_REQUEST_MS));
        if !announced && !self.task.is_recorded(kind, None, fact.at, &cause) {
            self.drafts.push(Draft::at(kind, Evidence::BackFilled, fact.at).because(&cause));
        }
    }

    fn session(&mut self, run: &Run, fact: &LogFact, session: &LogSession) {
        let cause = fact.cause();
        if self.task.is_recorded(session.kind, Some(session), fact.at, &cause) {
            return;
        }
        let known = self.known(run, session);
        match (session.kind, known) {
            (EventKind::Logon, Some(known)) if self.is_its_logon(known, fact.at) => {}
            (EventKind::Logon, _) => self.logon(run, fact, session, cause),
            (EventKind::Logoff, Some(known)) => {
                let open = self.open.remove(known);
                let end = Draft::at(EventKind::Logoff, Evidence::BackFilled, fact.at);
                let end = end.of(&open.stay).because(&cause);
                self.drafts.extend(open.ended_by(end));
            }
            // Its logon is among what is missing; where nothing is, the logoff was seen and recorded.
            (EventKind::Logoff, None) if self.whole => {}
            (EventKind::Logoff, None) => {
                let stay = stay_of(run, fact, session);
                let end = Draft::at(EventKind::Logoff, Evidence::BackFilled, fact.at);
                self.drafts.push(end.of(&stay).because(&cause));
            }
            (kind, Some(known)) => {
                let Open { stay, logon_cause, events, .. } = &mut self.open[known];
                let draft = Draft::at(kind, Evidence::BackFilled, fact.at).of(stay).because(&cause);
                let to = if logon_cause.is_some() { events } else { &mut self.drafts };
                to.push(draft);
            }
            (_, None) => {}
        }
    }

    fn logon(&mut self, run: &Run, fact: &LogFact, session: &LogSession, cause: String) {
        let stay = stay_of(run, fact, session);
        if stay.account.is_well_formed() {
            self.open.push(Open { stay, logon_cause: Some(cause), from_journal: false, events: Vec::new() });
        }
    }

    /// The open stay that the record is about: the one that began last.
    fn known(&self, run: &Run, session: &LogSession) -> Option<usize> {
        let matches = |open: &Open| {
            let id = session.session_id.as_deref().unwrap_or(&open.stay.session.session_id);
            open.stay.session.boot == run.boot && open.is(id, &session.account)
        };
        let found = self.open.iter().enumerate().filter(|(_, open)| matches(open));
        found.max_by_key(|(_, open)| open.stay.began_at).map(|(index, _)| index)
    }

    /// Whether a logon at that time is the beginning of the known stay. A session has no second logon before
    /// its logoff, so where no record is missing a stay that the last run left open began with it, however
    /// long Windows took to write it down.
    fn is_its_logon(&self, known: usize, at: UtcMillis) -> bool {
        let Open { stay, from_journal, .. } = &self.open[known];
        (*from_journal && self.whole) || (stay.began_at.0 - at.0).abs() <= SAME_MS
    }

    /// Nobody stays logged on beyond the end of the OS.
    fn run_ended(&mut self, run: &Run, to: UtcMillis) {
        let here = |open: &mut Open| open.stay.session.boot == run.boot;
        for open in self.open.extract_if(.., here).collect::<Vec<_>>() {
            let lower = self.last_sign(run, &open.stay);
            let (bounds, cause) = match run.end {
                RunEnd::InOrder { requested, down } => {
                    (Bounds::between(lower.max(requested.unwrap_or(lower)).min(down), down), "shutdown")
                }
                RunEnd::PowerLoss { alive_at } => (after(lower, alive_at, to), "power_loss"),
                RunEnd::BugCheck { alive_at } => (after(lower, alive_at, to), "bugcheck"),
                RunEnd::Unknown => self.between(lower, to),
            };
            self.drafts.extend(open.ended_within(bounds, cause));
        }
    }

    /// Stays of boots that neither the last run of the agent nor the log belongs to.
    fn close_orphans(&mut self) {
        let began = self.task.started.boot_began();
        let orphaned = |open: &mut Open| open.stay.session.boot != *self.own_boot;
        for open in self.open.extract_if(.., orphaned).collect::<Vec<_>>() {
            let (bounds, cause) = self.between(self.task.last_sign(&open.stay), began);
            self.drafts.extend(open.ended_within(bounds, cause));
        }
    }

    /// The PC ran and nobody had logged off: where the log is whole, its last record proves it too.
    fn last_sign(&self, run: &Run, stay: &Stay) -> UtcMillis {
        let sign = self.task.last_sign(stay);
        // The going down itself is no sign of somebody's presence.
        let is_sign =
            |draft: &&Draft| draft.evidence == Evidence::BackFilled && draft.kind != EventKind::Shutdown;
        let in_log = self.drafts.iter().rev().find(is_sign);
        let in_log = in_log.map(|draft| draft.occurred_at).filter(|at| self.whole && run.from <= *at);
        in_log.map_or(sign, |at| at.max(sign))
    }

    /// Between the last sign of a stay and the boot after it. Where the clock of now shows less than that sign did,
    /// the end is soon after the sign by the one clock, and before the boot by the other.
    fn between(&self, sign: UtcMillis, boot: UtcMillis) -> (Bounds, &'static str) {
        if sign <= boot {
            return (Bounds::between(sign, boot), self.usual_cause());
        }
        let contradicts = sign.0.saturating_sub(boot.0) > CLOCK_BEHIND_MS;
        let cause = if contradicts { "clock_unreliable" } else { self.usual_cause() };
        (Bounds::between(boot, sign.plus(self.task.sign_every_ms)), cause)
    }

    fn usual_cause(&self) -> &'static str {
        if self.task.ended_in_order { "shutdown" } else { "power_loss" }
    }
}

impl Run {
    fn end_is(&self, at: UtcMillis) -> bool {
        matches!(self.end, RunEnd::InOrder { down, .. } if down == at)
    }
}

/// A later sign of life narrows the interval, if it lies in it at all.
fn after(lower: UtcMillis, alive_at: Option<UtcMillis>, to: UtcMillis) -> Bounds {
    let alive_at = alive_at.filter(|at| lower < *at && *at < to);
    Bounds::between(alive_at.unwrap_or(lower), to)
}

fn find_ends(runs: &mut [Run]) {
    for next in 1..runs.len() {
        let (ended, begun) = runs.split_at_mut(next);
        if let Some((run, next)) = ended.last_mut().zip(begun.first()) {
            run.to = Some(next.from);
            run.end = end_of(&run.facts, &next.facts);
        }
    }
}

fn end_of(facts: &[LogFact], next: &[LogFact]) -> RunEnd {
    let last_at = |what: &LogEvent| facts.iter().rfind(|fact| fact.what == *what).map(|fact| fact.at);
    if let Some(down) = last_at(&LogEvent::WentDown) {
        let requested = last_at(&LogEvent::EndRequested).filter(|at| down.0 - at.0 <= END_REQUEST_MS);
        return RunEnd::InOrder { requested, down };
    }
    let unclean = next.iter().filter_map(|fact| match fact.what {
        LogEvent::Unclean { bugcheck, alive_at } => Some((bugcheck, alive_at)),
        LogEvent::Session(_)
        | LogEvent::Booted
        | LogEvent::EndRequested
        | LogEvent::WentDown
        | LogEvent::Suspended
        | LogEvent::Resumed
        | LogEvent::ClockSet { .. } => None,
    });
    let alive_at = unclean.clone().find_map(|(_, alive_at)| alive_at);
    match unclean.map(|(bugcheck, _)| bugcheck).reduce(|one, other| one || other) {
        None => RunEnd::Unknown,
        Some(true) => RunEnd::BugCheck { alive_at },
        Some(false) => RunEnd::PowerLoss { alive_at },
    }
}

fn stay_of(run: &Run, fact: &LogFact, session: &LogSession) -> Stay {
    let from_record = || format!("log:{}:{}", fact.source.word(), fact.record_id);
    Stay {
        session: SessionIdentity {
            boot: run.boot.clone(),
            session_id: session.session_id.clone().unwrap_or_else(|| NO_SESSION_ID.to_owned()),
            logon_identity: session.logon_identity.clone().unwrap_or_else(from_record),
        },
        account: session.account.clone(),
        began_at: fact.at,
        remote: session.remote,
        client: session.client.clone(),
        locked: false,
        // Only who watches a session can tell that nobody is at it.
        unattended: false,
        told_at: None,
    }
}
