//! Another day boundary: the dates that logoffs keep are put right, and what is judged by another date is judged again.
//!
//! The date of a punch is kept beside it ([`super::night`]), so that judging, lists and previews need no other facts. It
//! follows from the boundary, and when that changes, by a contract's settings or by the server's, the logoffs between the old
//! and the new one are looked at once more. There may be a million of them: that is done in pieces, each a transaction, and
//! `night_dates` keeps how far it has come. A server that is ended in the middle goes on where it was; a boundary that changes
//! in the middle begins anew, with the times of day of both changes. What comes in meanwhile is dated by the new boundary.
//!
//! The audit log has an entry for each change that has put punches on another date, with how many: of one that another took
//! the place of, when it did, and with that boundary. What the second puts back is counted by the second, so no entry
//! adds moves there and back, and each is of whoever chose it.
//!
//! A contract of which nothing is kept was never looked at: its punches may come from a version that knew no nights. All
//! logoffs of its mornings are looked at once.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use serde_json::json;

use super::judging::{self, Look, Stored};
use super::night::{self, Logoff, Place};
use super::{SqliteStore, Work, audit, rows};
use crate::date::begins;
use crate::ports::{Act, Answer, DAY_BOUNDARY_MAX_MINUTES, Redating, Why};
use crate::sql::{Connection, Row, params};
use crate::{ContractId, local_date};

/// Dates of one piece of work.
const DATES_AT_ONCE: usize = 100;

/// Logoffs of one piece of work, but for those of its last date.
const LOGOFFS_AT_ONCE: usize = 1_000;

/// Contracts of which a part is left, or whose dates go by another boundary than that which holds now.
const LEFT: &str = "SELECT c.id FROM contracts c
    LEFT JOIN contract_settings s ON s.contract_id = c.id
    LEFT JOIN night_dates n ON n.contract_id = c.id
    WHERE n.contract_id IS NULL OR n.next_at IS NOT NULL
    OR n.boundary_minutes <> coalesce(s.day_begins_minutes, ?1) ORDER BY c.id";
const KEPT: &str = "SELECT boundary_minutes, from_minutes, to_minutes, next_at, moved, judged, changed_by
    FROM night_dates WHERE contract_id = ?1";
const KEEP: &str = "INSERT INTO night_dates (contract_id, boundary_minutes, from_minutes, to_minutes, next_at, moved, judged,
        changed_by)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (contract_id) DO UPDATE SET boundary_minutes = excluded.boundary_minutes,
    from_minutes = excluded.from_minutes, to_minutes = excluded.to_minutes, next_at = excluded.next_at,
    moved = excluded.moved, judged = excluded.judged, changed_by = excluded.changed_by";
const NEXT: &str = "SELECT occurred_at FROM punches WHERE contract_id = ?1 AND occurred_at >= ?2
    ORDER BY occurred_at LIMIT 1";
const LOGOFFS: &str =
    "SELECT occurred_at, terminal_id, seq, account_id, local_date, makeup_changed, hindrance,
    employee_id, res, kind, stay FROM punches
    WHERE contract_id = ?1 AND occurred_at >= ?2 AND occurred_at < ?3 AND kind = 'logoff'";

#[async_trait]
impl Redating for SqliteStore {
    async fn contracts_to_redate(&self, default_minutes: u32) -> Answer<Vec<ContractId>> {
        self.read("look whose day boundary has changed", move |connection| {
            rows::all(connection, LEFT, [default_minutes], |row| Ok(ContractId(row.get(0)?)))
        })
        .await
    }

    async fn redate_some(&self, contract: ContractId, default_minutes: u32, at: UtcMillis) -> Answer<bool> {
        self.write_alone("put dates right for another day boundary", move |tx| {
            some(tx, contract, default_minutes, at)
        })
        .await
    }
}

/// How far it has come.
#[derive(Debug, Clone)]
struct State {
    boundary: u32,
    /// Times of day, in minutes after midnight.
    between: (u32, u32),
    next: Option<UtcMillis>,
    /// How many got another date.
    moved: u64,
    /// How many of these are judged otherwise.
    judged: u64,
    by: String,
}

impl State {
    /// Of everything, for a boundary.
    fn anew(boundary: u32, by: String) -> Self {
        let between = (0, DAY_BOUNDARY_MAX_MINUTES.max(boundary));
        Self { boundary, between, next: Some(UtcMillis(i64::MIN)), moved: 0, judged: 0, by }
    }

    /// For another boundary; what was left of the change before is done with it.
    fn of_another(&self, boundary: u32, by: String) -> Self {
        let (low, high) = (self.boundary.min(boundary), self.boundary.max(boundary));
        let left = self.next.is_some();
        let between = if left { (self.between.0.min(low), self.between.1.max(high)) } else { (low, high) };
        Self { boundary, between, next: Some(UtcMillis(i64::MIN)), moved: 0, judged: 0, by }
    }

    /// Notes what this change has done: all of it, or what it had when another boundary took its place.
    fn note(&self, tx: &Connection, contract: ContractId, left_for: Option<u32>, at: UtcMillis) -> Work<()> {
        if self.moved == 0 {
            return Ok(());
        }
        let mut detail = json!({
            "day_begins_minutes": self.boundary,
            "moved": self.moved,
            "judged": self.judged,
        });
        if let Some(boundary) = left_for {
            detail["left_for_minutes"] = boundary.into();
        }
        let act = Act { by: self.by.clone(), at };
        audit::note(tx, Some(contract), "redate_nights", "contract", &detail, &act)
    }

    fn read(row: &Row<'_>) -> Work<Self> {
        Ok(Self {
            boundary: row.get(0)?,
            between: (row.get(1)?, row.get(2)?),
            next: row.get::<_, Option<i64>>(3)?.map(UtcMillis),
            moved: rows::number(row, 4)?,
            judged: rows::number(row, 5)?,
            by: row.get(6)?,
        })
    }

    fn keep(&self, tx: &Connection, contract: ContractId) -> Work<()> {
        let (from, to) = self.between;
        let next = self.next.map(|next| next.0);
        let [moved, judged] = [self.moved, self.judged].map(rows::column);
        rows::run(tx, KEEP, params![contract.0, self.boundary, from, to, next, moved, judged, self.by])
            .map(drop)
    }
}

fn kept(tx: &Connection, contract: ContractId) -> Work<Option<State>> {
    rows::one(tx, KEPT, [contract.0], State::read)
}

/// Notes that another boundary was chosen by `act`: in the transaction that changes it, so that it is known by whom.
pub(super) fn begin(tx: &Connection, contract: ContractId, boundary: u32, act: &Act) -> Work<()> {
    let state = match kept(tx, contract)? {
        Some(state) if state.boundary == boundary => return Ok(()),
        Some(state) => {
            if state.next.is_some() {
                state.note(tx, contract, Some(boundary), act.at)?;
            }
            state.of_another(boundary, act.by.clone())
        }
        None => State::anew(boundary, act.by.clone()),
    };
    state.keep(tx, contract)
}

/// Does a piece; whether nothing is left.
fn some(tx: &Connection, contract: ContractId, default_minutes: u32, at: UtcMillis) -> Work<bool> {
    let chosen = rows::one(tx, night::BOUNDARY, [contract.0], |row| Ok(row.get::<_, Option<u32>>(0)?))?;
    begin(tx, contract, chosen.flatten().unwrap_or(default_minutes), &Act::server(at))?;
    let Some(mut state) = kept(tx, contract)? else { return Ok(true) };
    let Some(mut next) = state.next else { return Ok(true) };
    let act = Act { by: state.by.clone(), at };
    let mut looked_at = 0;
    for _ in 0..DATES_AT_ONCE {
        state.next = rows::one(tx, NEXT, params![contract.0, next.0], |row| rows::millis(row, 0))?;
        let Some(date) = state.next.map(local_date).filter(|_| looked_at < LOGOFFS_AT_ONCE) else { break };
        looked_at += of_a_date(tx, contract, date, &mut state, &act)?;
        // After the last date that there is nothing can come.
        state.next = date.tomorrow().ok().map(begins).filter(|tomorrow| *tomorrow > next);
        let Some(tomorrow) = state.next else { break };
        next = tomorrow;
    }
    let is_done = state.next.is_none();
    if is_done {
        state.note(tx, contract, None, at)?;
    }
    state.keep(tx, contract)?;
    Ok(is_done)
}

/// Looks at the logoffs of a date; returns how many.
fn of_a_date(tx: &Connection, contract: ContractId, date: Date, state: &mut State, act: &Act) -> Work<usize> {
    let at = |minutes: u32| begins(date).plus(i64::from(minutes) * 60_000).0;
    let span = params![contract.0, at(state.between.0), at(state.between.1)];
    let found =
        rows::all(tx, LOGOFFS, span, |row| Ok((judging::read_stored(row)?, rows::digest_or_none(row, 10)?)))?;
    let looked_at = found.len();
    let mut moved = Vec::new();
    for (punch, stay) in found {
        let terminal = rows::terminal_bytes(&punch.terminal)?;
        let place = Place { contract, terminal: &terminal, boundary: state.boundary };
        let date = Logoff::of(&punch, stay).date(tx, &place)?;
        if date != punch.date {
            night::keep_date(tx, &place, &punch, date)?;
            moved.push(Stored { date, ..punch });
        }
    }
    state.moved += moved.len() as u64;
    // The links are looked up once for each account.
    moved.sort_by_key(|punch| punch.account.0);
    let judged = judging::rejudge(tx, contract, &moved, Look::Person, Why::BoundaryChanged, act)?;
    state.judged += judged.results + judged.moved;
    Ok(looked_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_found_and_read_by_the_order_of_time() {
        let directory = tempfile::tempdir().unwrap();
        let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        for sql in [NEXT, LOGOFFS] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = (0..statement.parameter_count()).map(|_| 1_i64);
            let plan = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3));
            let plan: Vec<String> = plan.unwrap().map(Result::unwrap).collect();
            assert!(plan.len() == 1 && plan[0].starts_with("SEARCH"), "{sql}: {plan:?}");
            assert!(plan[0].contains("PRIMARY KEY (contract_id=? AND occurred_at>?"), "{plan:?}");
        }
    }
}
