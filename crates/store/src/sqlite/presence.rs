//! Logons without a person, and when somebody came.
//!
//! The terminal says both in its events (`mngntime_model::event::cause`). They belong to one stay, but come in
//! any order and perhaps days apart; so each only adds to what is known of the stay.

use crate::sql::{Connection, Row, params};
use mngntime_ledger::Digest;
use mngntime_model::event::cause;
use mngntime_model::{Bounds, Event, EventKind, TerminalId};

use super::{Work, rows};
use crate::ContractId;
use crate::ports::Unattended;

/// The stay of `event` as the key it is kept under; `None` when it belongs to none.
pub(super) fn stay(event: &Event) -> Option<Digest> {
    let (session, account) = event.session.as_ref().zip(event.account.as_ref())?;
    let parts = [session.boot.as_str(), &session.session_id, &session.logon_identity, &account.key];
    // No part holds a control character: the wire refuses them.
    Some(Digest::of(parts.join("\0").as_bytes()))
}

/// What an event says about presence.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) stay: Digest,
    /// When somebody came; absent when the event says that nobody was there.
    pub(super) from: Option<i64>,
    /// The end of its interval, when only that is known.
    pub(super) not_after: Option<i64>,
}

/// What `event`, which belongs to `stay`, says about presence.
pub(super) fn said(event: &Event, stay: Option<Digest>) -> Option<Said> {
    let from = match (event.kind, event.cause.as_deref()) {
        (EventKind::Logon, Some(cause::UNATTENDED)) | (EventKind::Lock, Some(cause::UNATTENDED_LOGON)) => {
            None
        }
        (EventKind::Unlock, Some(cause::PRESENCE_BEGINS)) => Some(event.occurred_at.0),
        _ => return None,
    };
    let not_after = event.bounds.filter(|_| from.is_some()).map(|bounds| bounds.not_after.0);
    Some(Said { stay: stay?, from, not_after })
}

/// Takes in what an event says.
pub(super) const NOTE: &str =
    "INSERT INTO unattended_stays AS u (contract_id, terminal_id, stay, present_from, present_not_after)
     VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (contract_id, terminal_id, stay) DO UPDATE SET present_from = excluded.present_from,
     present_not_after = excluded.present_not_after
     WHERE excluded.present_from < coalesce(u.present_from, 9223372036854775807)";

/// Takes in what a new event says about presence.
pub(super) fn note(tx: &Connection, contract: ContractId, terminal: &TerminalId, event: &Event) -> Work<()> {
    let Some(said) = said(event, stay(event)) else {
        return Ok(());
    };
    let terminal = rows::terminal_bytes(terminal)?;
    rows::run(tx, NOTE, params![contract.0, terminal, said.stay.as_bytes(), said.from, said.not_after])
        .map(drop)
}

/// Reads the three columns from `column` on: the stay of the row in `unattended_stays`, and its times.
pub(super) fn read(row: &Row<'_>, column: usize) -> Work<Option<Unattended>> {
    if row.get::<_, Option<Vec<u8>>>(column)?.is_none() {
        return Ok(None);
    }
    let from = rows::millis_or_none(row, column + 1)?;
    let not_after = rows::millis_or_none(row, column + 2)?;
    let present_bounds = from.zip(not_after).map(|(not_before, not_after)| Bounds { not_before, not_after });
    Ok(Some(Unattended { present_from: from, present_bounds }))
}
