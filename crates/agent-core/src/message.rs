//! The lines of the event log, as data (`seed.txt`; spec: The agent, 1, 2 and 6).
//!
//! A [`Message`] is an id and its inserts. The id has a number that never changes, a level and a text in both
//! languages; the inserts are names, numbers and error details. So one table makes the lines of a Linux
//! PC, what `punch` prints, and the message file of Windows' event log, where every viewer reads the event in
//! the language of *his* Windows.
//!
//! Numbers: 1xx information, 2xx warning, 3xx error. They are the event ids that administrators filter by;
//! a number is never given to another message, and `docs/events/` has a page for each. They stay below 1000
//! and carry no severity bits, so that a PC without our message file can show them through Windows'
//! `EventCreate.exe`, whose messages 1 to 1000 are the first insert and nothing else. The first insert is
//! therefore always the whole line; the texts of the table begin with the second.

mod table;

use std::fmt;

use mngntime_model::{AccountIdentity, EnrollmentRefusal, EventKind, FailureCause, Language, PunchResult};

use crate::command::NoticeLevel;

pub use table::MessageId;

/// One line for the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    id: MessageId,
    inserts: Vec<String>,
}

impl Message {
    /// A line with its inserts: `%2`, `%3` and so on of the text.
    #[must_use]
    pub fn new(id: MessageId, inserts: Vec<String>) -> Self {
        Self { id, inserts }
    }

    /// Which line it is.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }

    /// Its level.
    #[must_use]
    pub fn level(&self) -> NoticeLevel {
        self.id.level()
    }

    /// The inserts from `%2` on.
    #[must_use]
    pub fn inserts(&self) -> &[String] {
        &self.inserts
    }

    /// The whole line.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        let mut rest = self.id.template(language);
        while let Some((before, after)) = rest.split_once('%') {
            text.push_str(before);
            let number = after.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or(0) as usize;
            text.push_str(
                number.checked_sub(2).and_then(|at| self.inserts.get(at)).map_or("", String::as_str),
            );
            rest = after.get(1..).unwrap_or_default();
        }
        text + rest
    }

    /// `LOGON[DOMAIN\user]:打刻完了`, and for a punch that did not go through at once, that it was re-sent.
    pub(crate) fn completed(punch: &Punch, resent: bool) -> Self {
        let id = if resent { MessageId::PunchCompletedAfterResend } else { MessageId::PunchCompleted };
        Self::new(id, vec![punch.to_string()])
    }

    /// `LOGON[DOMAIN\user]:打刻失敗 [res=N] …`; `[res=N]` if and only if the server answered with a result.
    pub(crate) fn failed(punch: &Punch, server: &str, cause: &FailureCause) -> Self {
        let (id, mut inserts) = of_cause(cause, server, &PUNCH);
        inserts.insert(0, punch.to_string());
        Self::new(id, inserts)
    }

    /// Enrolment failed; said once for each cause, for the case that nobody has punched.
    pub(crate) fn cannot_enroll(
        server: &str,
        cause: &FailureCause,
        reason: Option<EnrollmentRefusal>,
    ) -> Self {
        if let Some(reason) = reason {
            return Self::new(of_reason(reason), vec![]);
        }
        let (id, inserts) = of_cause(cause, server, &ENROLLMENT);
        Self::new(id, inserts)
    }

    /// The disk does not take records.
    pub(crate) fn cannot_store(detail: &str) -> Self {
        Self::new(MessageId::CannotStore, vec![detail.to_owned()])
    }

    /// Records `first` to `last` are missing, and we say so.
    pub(crate) fn lost(first: u64, last: u64) -> Self {
        Self::new(MessageId::RecordsLost, vec![first.to_string(), last.to_string()])
    }
}

/// The ids for the failures of one undertaking, in the order of [`of_cause`].
struct FailureIds {
    contract: MessageId,
    terminal: MessageId,
    user: MessageId,
    reenrollment: MessageId,
    server: MessageId,
    unknown: MessageId,
    internal: MessageId,
    not_connected: MessageId,
    local_only: MessageId,
    network: MessageId,
}

const PUNCH: FailureIds = FailureIds {
    contract: MessageId::PunchContractUnusable,
    terminal: MessageId::PunchTerminalUnusable,
    user: MessageId::PunchUserUnusable,
    reenrollment: MessageId::PunchReenrollmentRequired,
    server: MessageId::PunchServerFailed,
    unknown: MessageId::PunchUnknownResult,
    internal: MessageId::PunchServerInternal,
    not_connected: MessageId::PunchNotConnected,
    local_only: MessageId::PunchLocalNetworkOnly,
    network: MessageId::PunchNetworkError,
};

const ENROLLMENT: FailureIds = FailureIds {
    contract: MessageId::EnrollContractUnusable,
    terminal: MessageId::EnrollTerminalUnusable,
    user: MessageId::EnrollUserUnusable,
    reenrollment: MessageId::EnrollReenrollmentRequired,
    server: MessageId::EnrollServerFailed,
    unknown: MessageId::EnrollUnknownResult,
    internal: MessageId::EnrollServerInternal,
    not_connected: MessageId::EnrollNotConnected,
    local_only: MessageId::EnrollLocalNetworkOnly,
    network: MessageId::EnrollNetworkError,
};

/// Which line a refused enrolment has whose reason is known.
fn of_reason(reason: EnrollmentRefusal) -> MessageId {
    match reason {
        EnrollmentRefusal::KeyUnknown => MessageId::EnrollKeyUnknown,
        EnrollmentRefusal::KeyExpired => MessageId::EnrollKeyExpired,
        EnrollmentRefusal::KeyUsedUp => MessageId::EnrollKeyUsedUp,
        EnrollmentRefusal::KeyRevoked => MessageId::EnrollKeyRevoked,
        EnrollmentRefusal::TerminalBlocked => MessageId::EnrollTerminalBlocked,
    }
}

/// Which line a cause has, and its inserts after the one that says whose it is.
fn of_cause(cause: &FailureCause, server: &str, ids: &FailureIds) -> (MessageId, Vec<String>) {
    let named = || vec![server.to_owned()];
    match cause {
        FailureCause::Result(PunchResult::ContractUnusable) => (ids.contract, vec![]),
        FailureCause::Result(PunchResult::TerminalUnusable) => (ids.terminal, vec![]),
        FailureCause::Result(PunchResult::UserUnusable) => (ids.user, named()),
        FailureCause::Result(PunchResult::ReenrollmentRequired) => (ids.reenrollment, vec![]),
        FailureCause::Result(PunchResult::ServerFailed) => (ids.server, named()),
        // Never a failure; a caller's bug must still give a line.
        FailureCause::Result(PunchResult::Accepted) => (ids.unknown, vec!["0".to_owned()]),
        FailureCause::UnknownResult(number) => (ids.unknown, vec![number.to_string()]),
        FailureCause::ServerInternal { http_status } => {
            (ids.internal, vec![server.to_owned(), http_status.to_string()])
        }
        FailureCause::NotConnected => (ids.not_connected, vec![]),
        FailureCause::LocalNetworkOnly => (ids.local_only, vec![]),
        FailureCause::Network { http_status, detail } => {
            let status = http_status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            (ids.network, vec![status, detail.clone()])
        }
    }
}

/// Whose punch a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Punch {
    pub(crate) kind: EventKind,
    pub(crate) account: AccountIdentity,
}

/// `LOGON[DOMAIN\user]` or `LOGOFF[DOMAIN\user]`.
impl fmt::Display for Punch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.kind == EventKind::Logoff { "LOGOFF" } else { "LOGON" };
        write!(f, "{word}[{}]", self.account)
    }
}

#[cfg(test)]
mod tests;
