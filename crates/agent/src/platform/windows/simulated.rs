//! Test builds only: sessions from a side file, controls of the service control manager from user codes.
//!
//! Wine 8 lists no sessions and refuses to deliver session-change controls, but passes user codes. With
//! this module everything behind those two calls runs as on a real PC: control queue, translation, identity
//! of sessions, journal, sender.
//!
//! The file is `simulated-sessions.json` in the default state directory, or the one that the variable
//! `MNGNTIME_SIMULATED_SESSIONS` names (foreground only: a service does not see a test's variables):
//!
//! ```json
//! {
//!   "sessions": [{"id": 3, "user": "hanako", "domain": "EXAMPLE", "sid": "S-1-5-21-1-2-3-1001",
//!                 "luid": 107187, "upn": null, "logon_at_ms": 1764000000000, "protocol": 0,
//!                 "client": null, "lock_flag": 1, "logon_kind": 2, "input_seen": true}],
//!   "notice": {"kind": "session", "session": 3, "reason": 5},
//!   "log": ["<Event xmlns='…'>…</Event>"]
//! }
//! ```
//!
//! With `log`, these rendered events are what the event logs hold; without it, Wine's logs are asked, which
//! cannot be read. Every field of a session but `id` may be missing. Code 200 reads the list (it is also read at start);
//! code 202 writes `handler-times.json`; code 201 delivers `notice`, whose other kinds are `preshutdown`, `power` (with `event`, a `PBT_…` number)
//! and `time_change` (with `from_ms` and `to_ms`).

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use serde::Deserialize;

use super::clocks::{FILETIME_PER_MS, UNIX_EPOCH_FILETIME};
use super::ffi::handler_times::handler_times;
use super::ffi::service::Control;
use super::paths::default_state_dir;
use super::sessions::RawSession;

/// User code: read the list again.
pub(super) const READ_LIST: u32 = 200;
/// User code: deliver the file's notice.
pub(super) const DELIVER_NOTICE: u32 = 201;
/// User code: write down how long the handler took.
pub(super) const WRITE_HANDLER_TIMES: u32 = 202;
/// Names the side file.
const PATH_VARIABLE: &str = "MNGNTIME_SIMULATED_SESSIONS";

/// The list as last read; `None` before the first time.
static LIST: Mutex<Option<Vec<RawSession>>> = Mutex::new(None);

/// The simulated list of sessions. Without a file: no sessions, as in Wine.
pub(super) fn sessions() -> anyhow::Result<Vec<RawSession>> {
    let mut list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
    if list.is_none() {
        *list = Some(read()?.sessions.into_iter().map(RawSession::from).collect());
    }
    Ok(list.clone().unwrap_or_default())
}

/// Forgets the list, so that the next reading takes it from the file.
pub(super) fn read_list_again() {
    *LIST.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The file's notice as the control that Windows would send.
pub(super) fn notice() -> anyhow::Result<Option<Control>> {
    Ok(read()?.notice.map(Control::from))
}

/// Writes `handler-times.json` beside the side file: `{"count": 9, "max_us": 700, "recent_us": […]}`.
pub(super) fn write_handler_times() -> anyhow::Result<()> {
    let times = handler_times();
    let json = serde_json::json!({
        "count": times.count, "max_us": times.max_us, "recent_us": times.recent_us,
    });
    let path = default_state_dir().join("handler-times.json");
    fs::write(&path, json.to_string()).with_context(|| format!("cannot write {}", path.display()))
}

/// What the event logs hold, as rendered events; `None` when the file says nothing about them.
pub(super) fn log() -> anyhow::Result<Option<Vec<String>>> {
    Ok(read()?.log)
}

fn read() -> anyhow::Result<SideFile> {
    let path = std::env::var_os(PATH_VARIABLE)
        .map_or_else(|| default_state_dir().join("simulated-sessions.json"), PathBuf::from);
    if !path.exists() {
        return Ok(SideFile::default());
    }
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", path.display()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SideFile {
    #[serde(default)]
    sessions: Vec<SideSession>,
    notice: Option<SideNotice>,
    log: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SideSession {
    id: u32,
    user: Option<String>,
    domain: Option<String>,
    sid: Option<String>,
    luid: Option<u64>,
    upn: Option<String>,
    logon_at_ms: Option<i64>,
    protocol: Option<u16>,
    client: Option<String>,
    lock_flag: Option<i32>,
    logon_kind: Option<u32>,
    input_seen: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum SideNotice {
    Session { session: u32, reason: u32 },
    Preshutdown,
    Power { event: u32 },
    TimeChange { from_ms: i64, to_ms: i64 },
}

impl From<SideSession> for RawSession {
    fn from(side: SideSession) -> Self {
        Self {
            id: side.id,
            user: side.user,
            domain: side.domain,
            sid: side.sid,
            luid: side.luid,
            upn: side.upn,
            logon_filetime: side.logon_at_ms.map(filetime),
            protocol: side.protocol,
            client: side.client,
            lock_flag: side.lock_flag,
            lsa_logon_filetime: None,
            logon_kind: side.logon_kind,
            input_seen: side.input_seen,
        }
    }
}

impl From<SideNotice> for Control {
    fn from(notice: SideNotice) -> Self {
        match notice {
            SideNotice::Session { session, reason } => Self::Session { reason, session },
            SideNotice::Preshutdown => Self::Preshutdown,
            SideNotice::Power { event } => Self::Power { event },
            SideNotice::TimeChange { from_ms, to_ms } => {
                Self::TimeChanged { from_filetime: filetime(from_ms), to_filetime: filetime(to_ms) }
            }
        }
    }
}

fn filetime(unix_ms: i64) -> i64 {
    unix_ms * FILETIME_PER_MS + UNIX_EPOCH_FILETIME
}
