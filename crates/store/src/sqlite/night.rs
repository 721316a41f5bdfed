//! By which date a punch is judged: the rule of [`crate::judge`], with the store's help.
//!
//! Next to no punch needs more than its own time: only a logoff between midnight and the day boundary is looked at, and a
//! logon for whose logoff that was done before it came.

use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::{Event, EventKind, UtcMillis};

use super::intake::Arrival;
use super::judging::{self, Look, Stored};
use super::{Work, presence, rows};
use crate::judge::{ended_on, may_end_a_night};
use crate::ports::{IncomingBatch, Why};
use crate::sql::{Connection, params};
use crate::{AccountId, ContractId, date, local_date};

/// A stay whose logon lies longer ago is not looked for: no night lasts as long.
const LOOK_BACK_MS: i64 = 62 * 86_400_000;

pub(super) const BOUNDARY: &str = "SELECT day_begins_minutes FROM contract_settings WHERE contract_id = ?1";
/// The last logon of a stay before a time. Scripts know no sessions: theirs is the last one without.
pub(super) const LOGON: &str = "SELECT occurred_at FROM punches INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at >= ?3 AND occurred_at <= ?4 AND terminal_id = ?5
    AND kind = 'logon' AND stay IS NOT DISTINCT FROM ?6 ORDER BY occurred_at DESC LIMIT 1";
/// Logoffs of a stay after a time.
pub(super) const LOGOFFS: &str = "INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at > ?3 AND occurred_at <= ?4 AND terminal_id = ?5
    AND kind = 'logoff' AND stay = ?6";
const MOVE: &str = "UPDATE punches SET local_date = ?5
    WHERE contract_id = ?1 AND occurred_at = ?2 AND terminal_id = ?3 AND seq = ?4";

/// The day boundary of a batch's contract, in minutes after midnight; `chosen` is what the contract says.
pub(super) fn boundary_of(batch: &IncomingBatch, chosen: Option<u16>) -> u32 {
    chosen.map_or(batch.day_begins_minutes, u32::from)
}

/// Where punches lie whose date is looked for.
pub(super) struct Place<'a> {
    pub(super) contract: ContractId,
    /// Bytes of the terminal's id.
    pub(super) terminal: &'a [u8; 16],
    /// The day boundary, in minutes after midnight.
    pub(super) boundary: u32,
}

impl<'a> Place<'a> {
    fn of(tx: &Connection, arrival: &'a Arrival<'_>) -> Work<Self> {
        let contract = arrival.batch.contract;
        let chosen = rows::one(tx, BOUNDARY, params![contract.0], |row| Ok(row.get::<_, Option<u16>>(0)?))?;
        let boundary = boundary_of(arrival.batch, chosen.flatten());
        Ok(Self { contract, terminal: &arrival.terminal, boundary })
    }
}

/// The date by which a new punch is judged.
pub(super) fn date_of(
    tx: &Connection,
    arrival: &Arrival<'_>,
    event: &Event,
    account: AccountId,
) -> Work<Date> {
    // A logon is of its own date.
    if event.kind != EventKind::Logoff {
        return Ok(local_date(event.occurred_at));
    }
    let logoff =
        Logoff { account, kind: event.kind, occurred_at: event.occurred_at, stay: presence::stay(event) };
    logoff.date(tx, &Place::of(tx, arrival)?)
}

/// A logoff whose date is looked for.
pub(super) struct Logoff {
    account: AccountId,
    kind: EventKind,
    occurred_at: UtcMillis,
    stay: Option<Digest>,
}

impl Logoff {
    pub(super) fn of(punch: &Stored, stay: Option<Digest>) -> Self {
        Self { account: punch.account, kind: punch.kind, occurred_at: punch.occurred_at, stay }
    }

    pub(super) fn date(&self, tx: &Connection, place: &Place<'_>) -> Work<Date> {
        let own = local_date(self.occurred_at);
        if !may_end_a_night(self.kind, self.occurred_at, place.boundary) {
            return Ok(own);
        }
        let key = params![
            place.contract.0,
            self.account.0.as_bytes(),
            looked_for_from(own).0,
            self.occurred_at.0,
            place.terminal,
            self.stay.as_ref().map(Digest::as_bytes),
        ];
        Ok(ended_on(own, rows::one(tx, LOGON, key, |row| rows::millis(row, 0))?))
    }
}

/// From when on the logon is looked for of a logoff that happened on the date `own`.
pub(super) fn looked_for_from(own: Date) -> UtcMillis {
    UtcMillis(date::begins(own).0.saturating_sub(LOOK_BACK_MS))
}

/// Keeps another date of a stored punch.
pub(super) fn keep_date(tx: &Connection, place: &Place<'_>, punch: &Stored, date: Date) -> Work<()> {
    let number = rows::column(punch.sequence);
    let key = params![place.contract.0, punch.occurred_at.0, place.terminal, number, date.to_string()];
    rows::run(tx, MOVE, key).map(drop)
}

/// Puts the dates of logoffs right whose logon comes only now, and judges them again.
pub(super) fn logon_came(
    tx: &Connection,
    arrival: &Arrival<'_>,
    logon: &Event,
    account: AccountId,
) -> Work<()> {
    let Some(stay) = presence::stay(logon) else { return Ok(()) };
    let place = Place::of(tx, arrival)?;
    let key = params![
        place.contract.0,
        account.0.as_bytes(),
        logon.occurred_at.0,
        logon.occurred_at.0.saturating_add(LOOK_BACK_MS),
        place.terminal,
        stay.as_bytes(),
    ];
    for punch in judging::stored(tx, LOGOFFS, key)? {
        let date = Logoff::of(&punch, Some(stay)).date(tx, &place)?;
        if date != punch.date {
            keep_date(tx, &place, &punch, date)?;
            let moved = Stored { date, ..punch };
            judging::rejudge(tx, place.contract, &[moved], Look::Person, Why::Received, &arrival.act)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_goes_by_an_index() {
        let directory = tempfile::tempdir().unwrap();
        let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let logoffs = format!("SELECT seq FROM punches {LOGOFFS}");
        for sql in [BOUNDARY, LOGON, logoffs.as_str(), MOVE] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values: Vec<_> = (0..statement.parameter_count()).map(|_| 1_i64).collect();
            let plan = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3));
            let plan: Vec<String> = plan.unwrap().map(Result::unwrap).collect();
            assert!(plan.len() == 1 && plan[0].starts_with("SEARCH"), "{sql}: {plan:?}");
        }
    }
}
