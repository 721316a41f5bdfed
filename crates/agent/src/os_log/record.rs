//! One record: which log, which number, when, and what it says to us.
//!
//! Event numbers are only unique for their provider (System has an event 1 of four different providers), so
//! a fact is looked up by channel, provider and number together.

use jiff::Timestamp;
use mngntime_agent_core::input::PowerOn;
use mngntime_agent_core::log::{LogChannel, LogEvent, LogPosition, LogSource};
use mngntime_model::{EventKind, UtcMillis};

use super::xml::RenderedEvent;
use crate::pseudo_accounts::is_pseudo;

/// A clock that is set by less is corrected by the time service, as often as every minute, in milliseconds.
const CLOCK_STEP_MS: i64 = 2_000;
/// Sessions of people; session 0 is that of the services.
const SERVICES_SESSION: u32 = 0;

/// One record of a log of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// The log.
    pub channel: LogChannel,
    /// Who wrote it, as Windows names the provider.
    pub provider: String,
    /// The provider's number for this kind of event.
    pub event_id: u32,
    /// The record's number in its log; never given twice.
    pub record_id: u64,
    /// When it was written.
    pub written_at: UtcMillis,
    /// What it says; `None` for what we have no use for.
    pub fact: Option<RecordedFact>,
}

/// What one record says, before it is joined with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedFact {
    /// Something happened to a session.
    Session(RecordedSession),
    /// Why the session's next disconnection or logoff happens (LocalSessionManager 40).
    SessionReason {
        /// Which session.
        session_id: u32,
        /// Remote Desktop Services' number of the reason.
        reason: u32,
    },
    /// A log of ours was cleared.
    Cleared(LogChannel),
    /// Something happened to the PC. Never [`LogEvent::Session`].
    Pc {
        /// When: the time in the record where it has one of its own.
        at: UtcMillis,
        /// What.
        what: LogEvent,
    },
}

/// A session as one record describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSession {
    /// What happened: logon, logoff, lock, unlock, connect or disconnect.
    pub kind: EventKind,
    /// Windows' session number.
    pub session_id: Option<u32>,
    /// The account's SID.
    pub sid: Option<String>,
    /// Domain or PC name.
    pub domain: Option<String>,
    /// Short user name.
    pub name: Option<String>,
    /// The logon's LUID.
    pub luid: Option<u64>,
    /// Whether the logon is the elevated one of the two that an administrator gets.
    pub elevated: bool,
    /// Address of the remote side, or `LOCAL`.
    pub address: Option<String>,
}

impl RecordedSession {
    fn of(kind: EventKind) -> Self {
        Self {
            kind,
            session_id: None,
            sid: None,
            domain: None,
            name: None,
            luid: None,
            elevated: false,
            address: None,
        }
    }
}

impl LogRecord {
    /// Reads one event's XML; `None` when it is no record of a log of ours.
    #[must_use]
    pub fn parse(xml: &str) -> Option<Self> {
        let event = RenderedEvent::parse(xml)?;
        let channel = channel(&event.channel)?;
        let event_id = event.event_id.trim().parse().ok()?;
        let written_at = time(&event.system_time)?;
        Some(Self {
            channel,
            event_id,
            record_id: event.record_id.trim().parse().ok()?,
            written_at,
            fact: fact(channel, event_id, written_at, &event),
            provider: event.provider,
        })
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition { channel: self.channel, record_id: self.record_id, written_at: self.written_at }
    }

    /// Whose word a session record is.
    pub(super) fn source(&self) -> LogSource {
        match self.channel {
            LogChannel::LocalSessionManager => LogSource::LocalSessionManager,
            LogChannel::Security => LogSource::Security,
            LogChannel::System if self.provider == WINLOGON => LogSource::Winlogon,
            LogChannel::System => LogSource::System,
        }
    }
}

/// How the PC came to be running and when, from a Kernel-Boot 27 as XML; `None` for every other record.
#[must_use]
pub fn power_on(xml: &str) -> Option<(PowerOn, UtcMillis)> {
    let event = RenderedEvent::parse(xml)?;
    if event.provider != KERNEL_BOOT || event.event_id.trim() != "27" {
        return None;
    }
    let how = match event.value("BootType").and_then(number)? {
        COLD => PowerOn::Cold,
        HYBRID => PowerOn::FastStartup,
        HIBERNATED => PowerOn::Hibernation,
        _ => return None,
    };
    Some((how, time(&event.system_time)?))
}

/// Windows' name of the channel.
#[must_use]
pub fn windows_name(channel: LogChannel) -> &'static str {
    match channel {
        LogChannel::LocalSessionManager => {
            "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"
        }
        LogChannel::System => "System",
        LogChannel::Security => "Security",
    }
}

fn channel(name: &str) -> Option<LogChannel> {
    LogChannel::ALL.into_iter().find(|channel| windows_name(*channel) == name.trim())
}

const WINLOGON: &str = "Microsoft-Windows-Winlogon";
const KERNEL_GENERAL: &str = "Microsoft-Windows-Kernel-General";
const KERNEL_POWER: &str = "Microsoft-Windows-Kernel-Power";
const KERNEL_BOOT: &str = "Microsoft-Windows-Kernel-Boot";
const EVENT_LOG: &str = "Microsoft-Windows-Eventlog";
const ERROR_REPORTING: &str = "Microsoft-Windows-WER-SystemErrorReporting";

fn fact(channel: LogChannel, id: u32, written_at: UtcMillis, event: &RenderedEvent) -> Option<RecordedFact> {
    let pc = |what| Some(RecordedFact::Pc { at: written_at, what });
    match (channel, event.provider.as_str(), id) {
        (LogChannel::LocalSessionManager, _, 21 | 23 | 24 | 25 | 40) => session_manager(id, event),
        (LogChannel::System, WINLOGON, 7001) => winlogon(EventKind::Logon, event),
        (LogChannel::System, WINLOGON, 7002) => winlogon(EventKind::Logoff, event),
        (LogChannel::System, KERNEL_GENERAL, 1) => clock_set(written_at, event),
        (LogChannel::System, KERNEL_GENERAL, 12) => {
            at_own_time(event, "StartTime", written_at, LogEvent::Booted)
        }
        (LogChannel::System, KERNEL_GENERAL, 13) => {
            at_own_time(event, "StopTime", written_at, LogEvent::WentDown)
        }
        (LogChannel::System, KERNEL_POWER, 41) => {
            let bugcheck = event.value("BugcheckCode").and_then(number).is_some_and(|code| code != 0);
            pc(LogEvent::Unclean { bugcheck, alive_at: None })
        }
        (LogChannel::System, KERNEL_POWER, 42 | 506) => pc(LogEvent::Suspended),
        (LogChannel::System, KERNEL_POWER, 107 | 507) => pc(LogEvent::Resumed),
        (LogChannel::System, KERNEL_POWER, 109) => pc(LogEvent::WentDown),
        (LogChannel::System, KERNEL_BOOT, 27) => match event.value("BootType").and_then(number) {
            Some(HYBRID | HIBERNATED) => pc(LogEvent::Resumed),
            Some(_) | None => None,
        },
        (LogChannel::System, ERROR_REPORTING, 1001) => {
            pc(LogEvent::Unclean { bugcheck: true, alive_at: None })
        }
        (LogChannel::System, "EventLog", 6006) => pc(LogEvent::WentDown),
        (LogChannel::System, "EventLog", 6008) => {
            pc(LogEvent::Unclean { bugcheck: false, alive_at: alive_at(&event.binary) })
        }
        // Windows 10 calls the provider User32, older servers USER32.
        (LogChannel::System, "User32" | "USER32", 1074) => pc(LogEvent::EndRequested),
        (LogChannel::System, EVENT_LOG, 104) => {
            event.value("Channel").and_then(self::channel).map(RecordedFact::Cleared)
        }
        (LogChannel::Security, EVENT_LOG, 1102) => Some(RecordedFact::Cleared(LogChannel::Security)),
        (LogChannel::Security, _, _) => security(id, event),
        (LogChannel::LocalSessionManager | LogChannel::System, _, _) => None,
    }
}

/// Kernel-Boot 27: after Fast Startup, and after hibernation. 0 is a cold start.
const COLD: u64 = 0;
const HYBRID: u64 = 1;
const HIBERNATED: u64 = 2;

fn session_manager(id: u32, event: &RenderedEvent) -> Option<RecordedFact> {
    if id == 40 {
        return Some(RecordedFact::SessionReason {
            session_id: number_at(event, "Session")?,
            reason: number_at(event, "Reason")?,
        });
    }
    let kind = match id {
        21 => EventKind::Logon,
        23 => EventKind::Logoff,
        24 => EventKind::Disconnect,
        _ => EventKind::Connect,
    };
    let (domain, name) = split(event.value("User")?);
    person(RecordedSession {
        session_id: number_at(event, "SessionID"),
        domain,
        name: Some(name),
        address: event.value("Address").map(str::to_owned),
        ..RecordedSession::of(kind)
    })
}

fn winlogon(kind: EventKind, event: &RenderedEvent) -> Option<RecordedFact> {
    person(RecordedSession {
        session_id: number_at(event, "TSId"),
        sid: Some(event.value("UserSid")?.to_owned()),
        ..RecordedSession::of(kind)
    })
}

fn security(id: u32, event: &RenderedEvent) -> Option<RecordedFact> {
    let kind = match id {
        4624 if is_at_the_screen(event) && event.value("LogonProcessName") == Some(SIGN_IN) => {
            EventKind::Logon
        }
        4634 if is_at_the_screen(event) => EventKind::Logoff,
        4647 => EventKind::Logoff,
        4778 => EventKind::Connect,
        4779 => EventKind::Disconnect,
        4800 => EventKind::Lock,
        4801 => EventKind::Unlock,
        _ => return None,
    };
    let either = |one, other| event.value(one).or_else(|| event.value(other)).map(str::to_owned);
    person(RecordedSession {
        kind,
        session_id: number_at(event, "SessionId"),
        sid: either("TargetUserSid", "UserSid"),
        domain: either("TargetDomainName", "AccountDomain"),
        name: either("TargetUserName", "AccountName"),
        luid: either("TargetLogonId", "LogonID").as_deref().and_then(number).filter(|luid| *luid != 0),
        elevated: event.value("ElevatedToken") == Some(YES),
        address: either("ClientAddress", "IpAddress"),
    })
}

/// The process that lets people in. Others (`seclogo` of runas, `Advapi`, `CredPro`, `Chrome`) check a
/// password without opening a session.
const SIGN_IN: &str = "User32";
/// Message 1842, "Yes", in Security records.
const YES: &str = "%%1842";

/// Logon types of people who open a session: 2 interactive, 10 remote, 11 with cached credentials. Type 7
/// unlocks a session that is there already; 3, 4 and 5 are networks, batches and services.
fn is_at_the_screen(event: &RenderedEvent) -> bool {
    matches!(event.value("LogonType"), Some("2" | "10" | "11"))
}

/// The session, unless it is a pseudo account's or nobody's.
fn person(session: RecordedSession) -> Option<RecordedFact> {
    let pseudo = session.sid.as_deref().is_some_and(is_pseudo);
    let services = session.session_id == Some(SERVICES_SESSION);
    let nobody = session.sid.is_none() && session.name.is_none();
    (!pseudo && !services && !nobody).then_some(RecordedFact::Session(session))
}

fn clock_set(written_at: UtcMillis, event: &RenderedEvent) -> Option<RecordedFact> {
    // 2: taken from the hardware clock, as at every wake-up. Nobody set anything.
    if event.value("Reason") == Some("2") {
        return None;
    }
    let by_ms = time(event.value("NewTime")?)?.0.saturating_sub(time(event.value("OldTime")?)?.0);
    let what = LogEvent::ClockSet { by_ms };
    (by_ms.saturating_abs() > CLOCK_STEP_MS).then_some(RecordedFact::Pc { at: written_at, what })
}

/// The record's own time where it is there and sane: the kernel knows the start before the log runs.
fn at_own_time(
    event: &RenderedEvent,
    name: &str,
    written_at: UtcMillis,
    what: LogEvent,
) -> Option<RecordedFact> {
    let own = event.value(name).and_then(time).filter(|at| *at <= written_at);
    Some(RecordedFact::Pc { at: own.unwrap_or(written_at), what })
}

/// Event 6008 carries its time as text in the PC's own format, which is not read, and as two SYSTEMTIMEs in
/// its binary part: local time, then UTC.
fn alive_at(binary: &str) -> Option<UtcMillis> {
    let hex = binary.trim().as_bytes();
    let word = |index: usize| -> Option<i16> {
        let digits = std::str::from_utf8(hex.get(index * 4..index * 4 + 4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()?.swap_bytes().try_into().ok()
    };
    let (year, month) = (word(8)?, i8::try_from(word(9)?).ok()?);
    let narrow = |index| word(index).and_then(|number| i8::try_from(number).ok());
    let civil = jiff::civil::DateTime::new(
        year,
        month,
        narrow(11)?,
        narrow(12)?,
        narrow(13)?,
        narrow(14)?,
        i32::from(word(15)?).checked_mul(1_000_000)?,
    );
    let at = jiff::tz::Offset::UTC.to_timestamp(civil.ok()?).ok()?;
    Some(UtcMillis(at.as_millisecond()))
}

/// `2026-10-05T11:46:09.8088735Z`. Some tools put marks for the direction of writing between the digits.
fn time(text: &str) -> Option<UtcMillis> {
    let plain: String = text.trim().chars().filter(|c| !matches!(c, '\u{200e}' | '\u{200f}')).collect();
    plain.parse::<Timestamp>().ok().map(|at| UtcMillis(at.as_millisecond()))
}

/// Decimal, or hexadecimal with `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The number under this name: of a session, of a reason.
fn number_at(event: &RenderedEvent, name: &str) -> Option<u32> {
    event.value(name).and_then(number).and_then(|number| u32::try_from(number).ok())
}

/// `DOMAIN\name`, or a name alone.
fn split(user: &str) -> (Option<String>, String) {
    match user.split_once('\\') {
        Some((domain, name)) => (Some(domain.to_owned()), name.to_owned()),
        None => (None, user.to_owned()),
    }
}

#[cfg(test)]
mod tests;
