//! Whose sessions there are.
//!
//! A [`RawSession`] is what Windows says about one session; [`People`] turns it into a person's session or
//! leaves it out (nobody logged on, service accounts, the window manager's and font driver's accounts).
//!
//! A stay's identity must come out the same at every reading, or a gap in what Windows can say would look
//! like a logoff and a new logon. Windows can fail to give the token for a moment (a logon that is still
//! going on, an agent without the right), and with it SID and LUID. So [`People`] remembers what it said
//! about a session and keeps to it while nothing contradicts: same names, and the LUID or, without one, the
//! logon time still equal.
//!
//! | part | first choice | else | else |
//! |---|---|---|---|
//! | account key | SID of the user's token | SID by name (may ask a domain controller) | `name:DOMAIN\user` |
//! | logon identity | LUID of the token | logon time of WTS | `session:<id>` |
//! | logon time | WTS | LSA's, of the token's LUID | unknown |
//!
//! WTS and LSA give logon times that differ by moments. What was said first stays, and each is compared
//! only with its own kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use mngntime_agent_core::input::OsSession;
use mngntime_model::AccountIdentity;

use super::clocks::utc_millis;
use super::ffi::sessions::{Times, UserToken};
use super::ffi::{accounts, machine, sessions as table};
use crate::pseudo_accounts::is_pseudo;

/// Services live in session 0; people have sessions from 1 on (Vista and later).
const SERVICES_SESSION: u32 = 0;
/// Kinds of logon that are never a person's stay, whatever session they name: network, batch, service
/// (ntsecapi.h `SECURITY_LOGON_TYPE`). People's are 2 interactive, 7 unlock, 10 remote, 11 to 13 the same
/// from cached credentials.
const PEOPLELESS_LOGON_KINDS: [u32; 3] = [3, 4, 5];
/// `WTSClientProtocolType` of a session at the PC itself.
const PROTOCOL_CONSOLE: u16 = 0;
/// The same of a remote desktop.
const PROTOCOL_RDP: u16 = 2;

/// What Windows says about one session, as far as it says anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RawSession {
    /// Windows' session number, reused within a boot.
    pub(super) id: u32,
    /// Short name of the user; `None` when nobody is logged on.
    pub(super) user: Option<String>,
    /// Domain or PC name of the user.
    pub(super) domain: Option<String>,
    /// The user's SID, `S-1-…`.
    pub(super) sid: Option<String>,
    /// The logon's LUID.
    pub(super) luid: Option<u64>,
    /// User principal name.
    pub(super) upn: Option<String>,
    /// When the user logged on: 100 ns since 1601, UTC.
    pub(super) logon_filetime: Option<i64>,
    /// The same by LSA, which has it where WTS does not.
    pub(super) lsa_logon_filetime: Option<i64>,
    /// `SECURITY_LOGON_TYPE` of the logon, by LSA.
    pub(super) logon_kind: Option<u32>,
    /// Whether the session has ever had input; see [`input_seen`].
    pub(super) input_seen: Option<bool>,
    /// `WTSClientProtocolType`: 0 console, 2 RDP.
    pub(super) protocol: Option<u16>,
    /// Name of the PC it is used from.
    pub(super) client: Option<String>,
    /// `WTSINFOEX_LEVEL1.SessionFlags`: 0 locked, 1 unlocked, -1 unknown.
    pub(super) lock_flag: Option<i32>,
}

/// What was said about the sessions so far, for the whole process: the list and the notices must agree.
static PEOPLE: Mutex<People> = Mutex::new(People(BTreeMap::new()));

/// People's sessions now.
///
/// # Errors
/// When Windows refuses the list.
pub fn list_sessions() -> anyhow::Result<Vec<OsSession>> {
    let raw = read_all()?;
    Ok(PEOPLE.lock().unwrap_or_else(PoisonError::into_inner).of_list(&raw))
}

/// One session as it is now; `None` when it is gone or nobody's.
pub(super) fn describe(session: u32) -> Option<OsSession> {
    let raw = read_one(session)?;
    PEOPLE.lock().unwrap_or_else(PoisonError::into_inner).of_one(&raw)
}

/// The session of the calling user. Everything comes from the process's own token, which needs no special
/// right.
///
/// # Errors
/// When the token cannot be read, or its account has no name.
pub fn current_session() -> anyhow::Result<OsSession> {
    let id = machine::own_session()?;
    let token = accounts::own_token()?;
    let (domain, user) = accounts::names_of_token(&token)?;
    let sid = Some(accounts::sid_of_token(&token)?);
    let raw = RawSession { user: Some(user), domain: Some(domain), sid, ..rest_of(id, Some(&token)) };
    let session = People::default().of_one(&raw);
    session.with_context(|| format!("session {id} belongs to {:?}, who is not a person", raw.user))
}

/// The token's LUID. Zero is none: Wine answers so.
fn luid_of(token: &UserToken) -> Option<u64> {
    accounts::logon_luid(token).ok().filter(|luid| *luid != 0)
}

/// Everything but whose it is.
fn rest_of(id: u32, token: Option<&UserToken>) -> RawSession {
    let luid = token.and_then(luid_of);
    let logon = luid.and_then(accounts::logon);
    let times = table::times(id);
    let protocol = table::client_protocol(id);
    RawSession {
        id,
        luid,
        upn: logon.as_ref().and_then(|logon| logon.upn.clone()),
        logon_filetime: times.map(|times| times.logon).filter(|time| *time > 0),
        lsa_logon_filetime: logon.as_ref().and_then(|logon| logon.filetime),
        logon_kind: logon.map(|logon| logon.kind),
        input_seen: times.and_then(|times| input_seen(times, protocol)),
        protocol,
        client: table::client_name(id),
        lock_flag: table::lock_flag(id),
        ..RawSession::default()
    }
}

/// Whether there has been input. No time: none yet (windows.md 1.6). A console's time that is the moment of
/// the question says nothing: some versions of Windows answer so whatever happens there (field reports).
fn input_seen(times: Times, protocol: Option<u16>) -> Option<bool> {
    match times.last_input {
        0 => Some(false),
        time if time == times.current && protocol != Some(PROTOCOL_RDP) => None,
        _ => Some(true),
    }
}

/// Every session in which somebody is logged on. Test builds add those of their side file.
fn read_all() -> anyhow::Result<Vec<RawSession>> {
    let listed = table::enumerate()?;
    let sessions = listed.into_iter().filter_map(read_from_windows);
    #[cfg(feature = "simulated-sessions")]
    let sessions = sessions.chain(super::simulated::sessions()?);
    Ok(sessions.collect())
}

/// One session; `None` when nobody is logged on in it.
fn read_one(id: u32) -> Option<RawSession> {
    #[cfg(feature = "simulated-sessions")]
    if let Some(found) = super::simulated::sessions().ok()?.into_iter().find(|session| session.id == id) {
        return Some(found);
    }
    read_from_windows(id)
}

fn read_from_windows(id: u32) -> Option<RawSession> {
    let user = table::user_name(id).filter(|_| id != SERVICES_SESSION)?;
    let domain = table::domain_name(id);
    let token = table::user_token(id);
    let sid = match &token {
        Some(token) => accounts::sid_of_token(token).ok(),
        None => accounts::sid_of_name(domain.as_deref().unwrap_or_default(), &user).ok(),
    };
    Some(RawSession { user: Some(user), domain, sid, ..rest_of(id, token.as_ref()) })
}

/// What was last said about each session that is a person's.
#[derive(Debug, Default)]
struct People(BTreeMap<u32, Known>);

/// One session's identity and what it was made from.
#[derive(Debug, Clone)]
struct Known {
    user: String,
    domain: String,
    luid: Option<u64>,
    logon_filetime: Option<i64>,
    lsa_logon_filetime: Option<i64>,
    /// The logon time that was said first.
    said_logon_filetime: Option<i64>,
    logon_kind: Option<u32>,
    account_key: String,
    logon_identity: String,
    upn: Option<String>,
}

impl People {
    /// The people in a complete list. Sessions that are not in it are forgotten: their numbers may come
    /// again for somebody else.
    fn of_list(&mut self, list: &[RawSession]) -> Vec<OsSession> {
        self.0.retain(|id, _| list.iter().any(|raw| raw.id == *id && raw.user.is_some()));
        list.iter().filter_map(|raw| self.of_one(raw)).collect()
    }

    fn of_one(&mut self, raw: &RawSession) -> Option<OsSession> {
        let user = raw.user.as_deref().filter(|user| !user.is_empty())?;
        if raw.id == SERVICES_SESSION || raw.sid.as_deref().is_some_and(is_pseudo) {
            return None;
        }
        let known = match self.0.get(&raw.id) {
            Some(known) if known.goes_on_in(raw, user) => known.completed_by(raw),
            Some(_) | None => Known::of(raw, user),
        };
        self.0.insert(raw.id, known.clone());
        let peopleless = known.logon_kind.is_some_and(|kind| PEOPLELESS_LOGON_KINDS.contains(&kind));
        (!peopleless).then(|| known.session(raw))
    }
}

impl Known {
    fn of(raw: &RawSession, user: &str) -> Self {
        let domain = raw.domain.clone().unwrap_or_default();
        let account_key = raw.sid.clone().unwrap_or_else(|| format!("name:{domain}\\{user}"));
        let logon_identity = match (raw.luid, raw.logon_filetime) {
            (Some(luid), _) => format!("luid:{luid:#x}"),
            (None, Some(filetime)) => format!("logon:{filetime}"),
            (None, None) => format!("session:{}", raw.id),
        };
        Self {
            user: user.to_owned(),
            domain,
            luid: raw.luid,
            logon_filetime: raw.logon_filetime,
            lsa_logon_filetime: raw.lsa_logon_filetime,
            said_logon_filetime: raw.logon_filetime.or(raw.lsa_logon_filetime),
            logon_kind: raw.logon_kind,
            account_key,
            logon_identity,
            upn: raw.upn.clone(),
        }
    }

    /// Whether `raw` is the same stay, as far as both readings say anything.
    fn goes_on_in(&self, raw: &RawSession, user: &str) -> bool {
        let names_agree = self.user == user && self.domain == raw.domain.as_deref().unwrap_or_default();
        let logons_agree = match (self.luid, raw.luid) {
            (Some(before), Some(now)) => before == now,
            (Some(_), None) | (None, Some(_)) | (None, None) => {
                self.logon_filetime.zip(raw.logon_filetime).is_none_or(|(before, now)| before == now)
            }
        };
        names_agree && logons_agree
    }

    /// The same identity, with facts that could not be read before.
    fn completed_by(&self, raw: &RawSession) -> Self {
        Self {
            luid: self.luid.or(raw.luid),
            logon_filetime: self.logon_filetime.or(raw.logon_filetime),
            lsa_logon_filetime: self.lsa_logon_filetime.or(raw.lsa_logon_filetime),
            said_logon_filetime: self.said_logon_filetime.or(raw.logon_filetime).or(raw.lsa_logon_filetime),
            logon_kind: self.logon_kind.or(raw.logon_kind),
            upn: self.upn.clone().or_else(|| raw.upn.clone()),
            ..self.clone()
        }
    }

    fn session(self, raw: &RawSession) -> OsSession {
        let remote = raw.protocol.map(|protocol| protocol != PROTOCOL_CONSOLE);
        OsSession {
            session_id: raw.id.to_string(),
            logon_identity: self.logon_identity,
            account: AccountIdentity {
                key: self.account_key,
                domain: self.domain,
                name: self.user,
                upn: self.upn,
            },
            logon_at: self.said_logon_filetime.map(utc_millis),
            remote,
            client: raw.client.clone().filter(|_| remote != Some(false)),
            locked: locked(raw.lock_flag),
            input_seen: raw.input_seen,
        }
    }
}

/// `WTSINFOEX_LEVEL1.SessionFlags` (Windows 8 and later; Windows 7 had them swapped and is not supported).
fn locked(flag: Option<i32>) -> Option<bool> {
    match flag {
        Some(0) => Some(true),
        Some(1) => Some(false),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Session 3 of EXAMPLE\hanako, everything readable.
    fn hanako() -> RawSession {
        RawSession {
            id: 3,
            user: Some("hanako".into()),
            domain: Some("EXAMPLE".into()),
            sid: Some("S-1-5-21-1-2-3-1001".into()),
            luid: Some(0x1a2b3),
            upn: Some("hanako@example.co.jp".into()),
            logon_filetime: Some(116_444_736_000_000_000),
            lsa_logon_filetime: Some(116_444_735_999_000_000),
            logon_kind: Some(2),
            input_seen: Some(true),
            protocol: Some(0),
            client: None,
            lock_flag: Some(1),
        }
    }

    /// The same, but Windows gave no token this time.
    fn hanako_without_token() -> RawSession {
        RawSession {
            sid: None,
            luid: None,
            upn: None,
            lsa_logon_filetime: None,
            logon_kind: None,
            ..hanako()
        }
    }

    #[test]
    fn a_person_is_described_with_everything_windows_says() {
        let found = People::default().of_list(&[hanako()]);
        assert_eq!(
            found,
            [OsSession {
                session_id: "3".into(),
                logon_identity: "luid:0x1a2b3".into(),
                account: AccountIdentity {
                    key: "S-1-5-21-1-2-3-1001".into(),
                    domain: "EXAMPLE".into(),
                    name: "hanako".into(),
                    upn: Some("hanako@example.co.jp".into()),
                },
                logon_at: Some(mngntime_model::UtcMillis(0)),
                remote: Some(false),
                client: None,
                locked: Some(false),
                input_seen: Some(true),
            }]
        );
    }

    #[test]
    fn services_window_manager_and_empty_sessions_are_left_out() {
        let with_sid = |sid: &str| RawSession { sid: Some(sid.into()), ..hanako() };
        let nobody = RawSession { id: 1, ..RawSession::default() };
        let services = RawSession { id: 0, ..hanako() };
        let list =
            [with_sid("S-1-5-18"), with_sid("S-1-5-90-0-3"), with_sid("S-1-5-96-0-3"), nobody, services];
        assert_eq!(People::default().of_list(&list), []);
    }

    #[test]
    fn a_token_that_cannot_be_read_for_a_moment_changes_nothing() {
        let mut people = People::default();
        let before = people.of_list(&[hanako()]);
        assert_eq!(people.of_list(&[hanako_without_token()]), before);
        assert_eq!(people.of_list(&[hanako()]), before);
    }

    #[test]
    fn an_identity_once_given_stays_even_when_a_better_one_comes() {
        let mut people = People::default();
        let before = people.of_list(&[hanako_without_token()]);
        assert_eq!(before[0].account.key, "name:EXAMPLE\\hanako");
        assert_eq!(before[0].logon_identity, "logon:116444736000000000");
        let after = people.of_list(&[hanako()]);
        assert_eq!(after[0].account.key, before[0].account.key);
        assert_eq!(after[0].logon_identity, before[0].logon_identity);
        assert_eq!(after[0].account.upn.as_deref(), Some("hanako@example.co.jp"));
    }

    #[test]
    fn a_new_logon_in_a_reused_session_is_a_new_identity() {
        let mut people = People::default();
        let first = people.of_list(&[hanako()]);
        let again = RawSession { luid: Some(0x9999), ..hanako() };
        assert_ne!(people.of_list(&[again])[0].logon_identity, first[0].logon_identity);
        let later = RawSession { logon_filetime: Some(116_444_737_000_000_000), ..hanako_without_token() };
        assert_eq!(people.of_list(&[later])[0].logon_identity, "logon:116444737000000000");
    }

    #[test]
    fn network_batch_and_service_logons_are_nobodys_stay() {
        let of_kind = |kind| RawSession { logon_kind: Some(kind), ..hanako() };
        for kind in [3, 4, 5] {
            assert_eq!(People::default().of_list(&[of_kind(kind)]), [], "kind {kind}");
        }
        for kind in [2, 7, 10, 11, 12, 13] {
            assert_eq!(People::default().of_list(&[of_kind(kind)]).len(), 1, "kind {kind}");
        }
        let mut people = People::default();
        people.of_list(&[of_kind(4)]);
        assert_eq!(people.of_list(&[hanako_without_token()]), [], "still the same logon");
    }

    #[test]
    fn the_logon_time_of_lsa_serves_where_wts_has_none_and_then_stays() {
        let mut people = People::default();
        let without = RawSession { logon_filetime: None, ..hanako() };
        let before = people.of_list(&[without]);
        assert_eq!(before[0].logon_at, Some(mngntime_model::UtcMillis(-100)));
        assert_eq!(people.of_list(&[hanako()]), before, "another clock's word changes nothing");
        assert_eq!(people.of_list(&[hanako_without_token()]), before);
    }

    #[test]
    fn input_is_claimed_or_denied_only_on_windows_word() {
        let at = |last_input| Times { logon: 5, last_input, current: 9 };
        assert_eq!(input_seen(at(0), Some(0)), Some(false));
        assert_eq!(input_seen(at(7), Some(0)), Some(true));
        assert_eq!(input_seen(at(9), Some(0)), None, "a console that repeats the present");
        assert_eq!(input_seen(at(9), Some(2)), Some(true));
    }

    #[test]
    fn a_session_that_left_the_list_is_forgotten() {
        let mut people = People::default();
        people.of_list(&[hanako()]);
        assert_eq!(people.of_list(&[]), []);
        let bare = RawSession { logon_filetime: None, ..hanako_without_token() };
        assert_eq!(people.of_list(&[bare])[0].logon_identity, "session:3");
    }

    #[test]
    fn remote_sessions_name_their_client_and_console_sessions_do_not() {
        let remote = RawSession { protocol: Some(2), client: Some("LAPTOP".into()), ..hanako() };
        let found = People::default().of_list(&[remote]);
        assert_eq!((found[0].remote, found[0].client.as_deref()), (Some(true), Some("LAPTOP")));
        let console = RawSession { client: Some("LAPTOP".into()), ..hanako() };
        assert_eq!(People::default().of_list(&[console])[0].client, None);
    }

    #[test]
    fn the_calling_user_can_be_named() {
        let session = current_session().unwrap();
        assert!(session.account.is_well_formed(), "{session:?}");
    }
}
