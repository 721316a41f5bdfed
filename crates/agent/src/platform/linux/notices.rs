//! The event log of a Linux PC: the systemd journal under the identifier `MngnTime`, else syslog, else
//! standard error. A line that cannot be written is not an error of the agent: the record is in the
//! journal of ours, not here.

use std::io::Write;
use std::os::unix::net::UnixDatagram;

use mngntime_agent_core::{Message, NoticeLevel};
use mngntime_model::Language;

const JOURNALD: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";

/// Where notices go.
#[derive(Debug)]
pub struct Notices {
    /// `MngnTime`.
    source: String,
    socket: Option<UnixDatagram>,
    /// Whether standard error is read by the journal already, in which case a copy there would be doubled.
    stderr_is_journal: bool,
}

impl Notices {
    /// Opens the event log; works without one, too.
    #[must_use]
    pub fn open(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            socket: UnixDatagram::unbound().ok(),
            stderr_is_journal: std::env::var_os("JOURNAL_STREAM").is_some(),
        }
    }

    /// Writes one line.
    pub fn write(&self, message: &Message, language: Language) {
        let (level, text) = (message.level(), message.text(language));
        let logged = self.to_journald(message, &text) || self.to_syslog(level, &text);
        if !(logged && self.stderr_is_journal) {
            let _ = writeln!(std::io::stderr(), "{}: {text}", name(level));
        }
    }

    /// The journal's own protocol: `KEY=value` lines in one datagram (systemd: JOURNAL_NATIVE_PROTOCOL).
    fn to_journald(&self, message: &Message, text: &str) -> bool {
        let entry = format!(
            "SYSLOG_IDENTIFIER={}\nPRIORITY={}\nMNGNTIME_EVENT_ID={}\nMESSAGE={}\n",
            self.source,
            priority(message.level()),
            message.id().number(),
            single_line(text)
        );
        self.socket.as_ref().is_some_and(|socket| socket.send_to(entry.as_bytes(), JOURNALD).is_ok())
    }

    fn to_syslog(&self, level: NoticeLevel, text: &str) -> bool {
        const FACILITY_DAEMON: u8 = 3;
        let priority = FACILITY_DAEMON * 8 + priority(level);
        let entry = format!("<{priority}>{}: {}", self.source, single_line(text));
        self.socket.as_ref().is_some_and(|socket| socket.send_to(entry.as_bytes(), SYSLOG).is_ok())
    }
}

fn single_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// syslog(3)
fn priority(level: NoticeLevel) -> u8 {
    match level {
        NoticeLevel::Error => 3,
        NoticeLevel::Warning => 4,
        NoticeLevel::Information => 6,
    }
}

fn name(level: NoticeLevel) -> &'static str {
    match level {
        NoticeLevel::Error => "error",
        NoticeLevel::Warning => "warning",
        NoticeLevel::Information => "information",
    }
}
