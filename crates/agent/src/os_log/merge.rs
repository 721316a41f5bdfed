//! Several records of one thing become one fact.
//!
//! | what | from |
//! |---|---|
//! | session, time, names | LocalSessionManager before Winlogon before Security |
//! | SID | the Winlogon record of the same session within [`SAME_MS`]; else a Security record with the same names; else the PC's account database |
//! | LUID | the Security record of the same logon, where logons are audited |
//! | lock, unlock | Security alone, where audited |
//!
//! The account database is asked while its time lasts, and for each account once; an account it was not asked
//! about stays as its records have it.
//!
//! A logon that only the Security log has is no session when LocalSessionManager could be read: it is
//! somebody's `runas` or a program that checked a password.

use std::collections::{BTreeMap, BTreeSet};

use mngntime_agent_core::log::{LogEvent, LogFact, LogSession, LogSource};
use mngntime_model::{AccountIdentity, EventKind, UtcMillis};

use super::record::{LogRecord, RecordedFact, RecordedSession};

/// Records of one thing are written within this, in milliseconds (windows.md 2).
const SAME_MS: i64 = 5_000;
/// Look-ups in the account database: each may ask a domain controller.
const LOOKUPS_MAX: usize = 32;

/// The PC's account database.
pub struct Accounts<'a> {
    /// Domain and name of a SID.
    pub names_of_sid: &'a dyn Fn(&str) -> Option<(String, String)>,
    /// SID of a domain and a name.
    pub sid_of_names: &'a dyn Fn(&str, &str) -> Option<String>,
    /// Whether there is still time to ask: who reads the logs is waited for.
    pub in_time: &'a dyn Fn() -> bool,
}

/// Joins the records into facts in the order of time. `sessions_read`: LocalSessionManager's log was read.
#[must_use]
pub fn merge(records: &[LogRecord], sessions_read: bool, accounts: &Accounts<'_>) -> Vec<LogFact> {
    let mut said: Vec<Said> = records.iter().filter_map(Said::of).collect();
    said.sort_by_key(|said| (said.at, said.source, said.record_id));
    find_sids(&mut said);
    let mut known = KnownAccounts::of(&said, accounts);
    let mut sessions: Vec<Session> = said.into_iter().map(|said| known.identify(said)).collect();
    join_luids(&mut sessions);
    let unique = without_repetition(&sessions);
    let reasons = reasons(records);
    let mut facts: Vec<LogFact> = unique
        .filter(|session| !(sessions_read && session.is_security_logon()))
        .map(|session| session.fact(&reasons))
        .collect();
    facts.extend(of_the_pc(records));
    facts.sort_by_key(|fact| fact.at);
    facts
}

/// A session record with where it stands.
#[derive(Debug, Clone)]
struct Said {
    at: UtcMillis,
    source: LogSource,
    record_id: u64,
    session: RecordedSession,
}

impl Said {
    fn of(record: &LogRecord) -> Option<Self> {
        let Some(RecordedFact::Session(session)) = &record.fact else {
            return None;
        };
        Some(Self {
            at: record.written_at,
            source: record.source(),
            record_id: record.record_id,
            session: session.clone(),
        })
    }

    fn names(&self) -> Option<(String, String)> {
        let name = self.session.name.as_ref()?;
        let domain = self.session.domain.as_deref().unwrap_or_default();
        Some((domain.to_lowercase(), name.to_lowercase()))
    }
}

/// Whatever lies within [`SAME_MS`] of element `index`, by position. The elements are in order of time.
fn near<T>(all: &[T], index: usize, at: impl Fn(&T) -> UtcMillis) -> impl Iterator<Item = usize> {
    let now = at(&all[index]).0;
    let close = |element: &T| (at(element).0 - now).abs() <= SAME_MS;
    let first = all[..index].iter().rposition(|element| !close(element)).map_or(0, |far| far + 1);
    let last = all[index..].iter().position(|element| !close(element)).map_or(all.len(), |far| index + far);
    (first..last).filter(move |other| *other != index)
}

/// LocalSessionManager knows names, Winlogon the SID: the same session at the same time is the same account.
fn find_sids(said: &mut [Said]) {
    for index in 0..said.len() {
        if said[index].session.sid.is_some() || said[index].session.session_id.is_none() {
            continue;
        }
        let session = &said[index].session;
        let partner = near(said, index, |said| said.at).find(|other| {
            let other = &said[*other];
            other.source == LogSource::Winlogon
                && other.session.kind == session.kind
                && other.session.session_id == session.session_id
        });
        if let Some(partner) = partner {
            let names = (session.domain.clone(), session.name.clone());
            said[index].session.sid = said[partner].session.sid.clone();
            (said[partner].session.domain, said[partner].session.name) = names;
        }
    }
}

/// Names and SIDs of this reading.
struct KnownAccounts<'a> {
    sids: BTreeMap<(String, String), BTreeSet<String>>,
    /// `None`: asked for, and nobody knows.
    names: BTreeMap<String, Option<(String, String)>>,
    accounts: &'a Accounts<'a>,
    lookups: usize,
}

impl<'a> KnownAccounts<'a> {
    fn of(said: &[Said], accounts: &'a Accounts<'a>) -> Self {
        let mut known = Self { sids: BTreeMap::new(), names: BTreeMap::new(), accounts, lookups: 0 };
        for said in said {
            if let Some((names, sid)) = said.names().zip(said.session.sid.clone()) {
                known.sids.entry(names).or_default().insert(sid.clone());
                let domain = said.session.domain.clone().unwrap_or_default();
                let name = said.session.name.clone().unwrap_or_default();
                known.names.insert(sid, Some((domain, name)));
            }
        }
        known
    }

    fn identify(&mut self, said: Said) -> Session {
        let sid = said.session.sid.clone().or_else(|| self.sid(&said));
        let own =
            said.session.name.clone().map(|name| (said.session.domain.clone().unwrap_or_default(), name));
        let names = own.or_else(|| sid.as_deref().and_then(|sid| self.names(sid)));
        let (domain, name) = names.unwrap_or_else(|| (String::new(), sid.clone().unwrap_or_default()));
        let key = sid.unwrap_or_else(|| format!("name:{domain}\\{name}"));
        Session { account: AccountIdentity { key, domain, name, upn: None }, said }
    }

    /// The SID of these names, if they have only one.
    fn sid(&mut self, said: &Said) -> Option<String> {
        let names = said.names()?;
        let found = match self.sids.get(&names) {
            Some(sids) if sids.len() > 1 => return None,
            Some(sids) => sids.first().cloned(),
            None => {
                let domain = said.session.domain.as_deref().unwrap_or_default();
                let name = said.session.name.as_deref()?;
                self.may_ask().then(|| (self.accounts.sid_of_names)(domain, name))?
            }
        };
        self.sids.entry(names).or_default().extend(found.clone());
        found
    }

    fn names(&mut self, sid: &str) -> Option<(String, String)> {
        if let Some(known) = self.names.get(sid) {
            return known.clone();
        }
        let found = self.may_ask().then(|| (self.accounts.names_of_sid)(sid))?;
        self.names.insert(sid.to_owned(), found.clone());
        found
    }

    fn may_ask(&mut self) -> bool {
        self.lookups += 1;
        self.lookups <= LOOKUPS_MAX && (self.accounts.in_time)()
    }
}

/// A session record whose account is known.
#[derive(Debug, Clone)]
struct Session {
    said: Said,
    account: AccountIdentity,
}

impl Session {
    /// Whether the other record can be about the same session.
    fn same_session(&self, other: &Self) -> bool {
        let ids = self.said.session.session_id.zip(other.said.session.session_id);
        self.account.key == other.account.key && ids.is_none_or(|(one, other)| one == other)
    }

    fn is(&self, kind: EventKind) -> bool {
        self.said.session.kind == kind
    }

    fn is_security_logon(&self) -> bool {
        self.said.source == LogSource::Security && self.said.session.kind.is_punch()
    }

    fn fact(&self, reasons: &[(UtcMillis, u32, u32)]) -> LogFact {
        let RecordedSession { kind, session_id, luid, address, .. } = &self.said.session;
        let is_local = |address: &&str| matches!(*address, "LOCAL" | "127.0.0.1" | "::1");
        let address = address.as_deref();
        let ends = matches!(kind, EventKind::Logoff | EventKind::Disconnect);
        let reason = reasons.iter().rfind(|(at, id, _)| {
            ends && Some(*id) == *session_id && (0..=SAME_MS).contains(&(self.said.at.0 - at.0))
        });
        LogFact {
            at: self.said.at,
            source: self.said.source,
            record_id: self.said.record_id,
            what: LogEvent::Session(Box::new(LogSession {
                kind: *kind,
                session_id: session_id.map(|id| id.to_string()),
                logon_identity: luid.map(|luid| format!("luid:{luid:#x}")),
                account: self.account.clone(),
                remote: address.map(|address| !is_local(&address)),
                client: address.filter(|address| !is_local(address)).map(str::to_owned),
                reason: reason.map(|(_, _, reason)| *reason),
            })),
        }
    }
}

/// The Security record of a logon knows its LUID. Of an administrator's two, the session has the one that
/// is not elevated.
fn join_luids(sessions: &mut [Session]) {
    for index in 0..sessions.len() {
        let session = &sessions[index];
        if session.said.session.luid.is_some() || !session.is(EventKind::Logon) {
            continue;
        }
        let partner = near(sessions, index, |session| session.said.at)
            .map(|other| &sessions[other])
            .filter(|other| other.is(EventKind::Logon) && other.same_session(session))
            .filter(|other| other.said.session.luid.is_some())
            .min_by_key(|other| other.said.session.elevated);
        let luid = partner.and_then(|partner| partner.said.session.luid);
        sessions[index].said.session.luid = luid;
    }
}

/// Leaves out what a better record says, and the disconnection that follows every logoff.
fn without_repetition(sessions: &[Session]) -> impl Iterator<Item = &Session> {
    let keeps = |index: &usize| {
        let session = &sessions[*index];
        !near(sessions, *index, |session| session.said.at).any(|other| {
            let better = (sessions[other].said.source, other) < (session.said.source, *index);
            let other_source = sessions[other].said.source != session.said.source
                || session.said.source == LogSource::Security;
            let other = &sessions[other];
            let same = other.said.session.kind == session.said.session.kind && better && other_source;
            let after_logoff = session.is(EventKind::Disconnect)
                && other.is(EventKind::Logoff)
                && other.said.at <= session.said.at;
            (same || after_logoff) && other.same_session(session)
        })
    };
    (0..sessions.len()).filter(keeps).map(|index| &sessions[index]).collect::<Vec<_>>().into_iter()
}

/// When, which session, why.
fn reasons(records: &[LogRecord]) -> Vec<(UtcMillis, u32, u32)> {
    let reason = |record: &LogRecord| match record.fact {
        Some(RecordedFact::SessionReason { session_id, reason }) => {
            Some((record.written_at, session_id, reason))
        }
        Some(RecordedFact::Session(_) | RecordedFact::Cleared(_) | RecordedFact::Pc { .. }) | None => None,
    };
    records.iter().filter_map(reason).collect()
}

/// What happened to the PC, each thing once: Modern Standby and sleep, kernel and boot loader may both tell.
fn of_the_pc(records: &[LogRecord]) -> Vec<LogFact> {
    let fact = |record: &LogRecord| match &record.fact {
        Some(RecordedFact::Pc { at, what }) => Some(LogFact {
            at: *at,
            source: record.source(),
            record_id: record.record_id,
            what: what.clone(),
        }),
        Some(RecordedFact::Session(_) | RecordedFact::SessionReason { .. } | RecordedFact::Cleared(_))
        | None => None,
    };
    let mut facts: Vec<LogFact> = records.iter().filter_map(fact).collect();
    facts.sort_by_key(|fact| fact.at);
    facts.dedup_by(|later, earlier| {
        matches!(later.what, LogEvent::Suspended | LogEvent::Resumed)
            && later.what == earlier.what
            && later.at.0 - earlier.at.0 <= SAME_MS
    });
    facts
}

#[cfg(test)]
mod tests;
