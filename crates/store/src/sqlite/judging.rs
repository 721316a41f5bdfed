//! Gathering the facts for [`crate::judge`] and keeping what it says.

use std::collections::BTreeMap;

use crate::sql::{Connection, Many, Params, Row, params};
use jiff::civil::Date;
use mngntime_model::{EventKind, PunchResult, TerminalId, UtcMillis};

use super::figures::{self, Change};
use super::{Work, WorkError, rows};
use crate::judge::{Circumstances, Facts, LinkSpan, employee_on, hindrance, judge};
use crate::ports::{Act, Rejudged, Why};
use crate::{AccountId, ContractId, EmployeeId, Refusal};

/// Punches whose judgements are written by one statement.
const TOGETHER_MAX: usize = 1_000;

/// A stored punch, as far as judging needs it.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) occurred_at: UtcMillis,
    pub(super) kind: EventKind,
    pub(super) terminal: TerminalId,
    pub(super) sequence: u64,
    pub(super) account: AccountId,
    pub(super) date: Date,
    pub(super) makeup_changed: bool,
    pub(super) hindrance: Option<PunchResult>,
    pub(super) employee: Option<EmployeeId>,
    pub(super) result: PunchResult,
}

/// Whether the terminal and contract are looked at again, or only the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A hindrance is lifted when its cause is gone. One is never imposed on a punch that had none.
    Everything,
    /// The hindrance stays as it is.
    Person,
}

const STORED: &str =
    "SELECT occurred_at, terminal_id, seq, account_id, local_date, makeup_changed, hindrance,
    employee_id, res, kind, contract_id FROM punches";

/// Reads the columns of [`STORED`], which are the first ones.
pub(super) fn read_stored(row: &Row<'_>) -> Work<Stored> {
    Ok(Stored {
        occurred_at: rows::millis(row, 0)?,
        terminal: rows::terminal_id(row, 1)?,
        sequence: rows::number(row, 2)?,
        account: AccountId(rows::uuid(row, 3)?),
        date: rows::date(&row.get::<_, String>(4)?)?,
        makeup_changed: row.get(5)?,
        hindrance: rows::hindrance(row, 6)?,
        employee: rows::uuid_or_none(row, 7)?.map(EmployeeId),
        result: rows::result(row, 8)?,
        kind: rows::kind(row, 9)?,
    })
}

/// Stored punches that meet `condition`, which continues after `FROM punches`.
pub(super) fn stored(tx: &Connection, condition: &str, params: impl Params) -> Work<Vec<Stored>> {
    rows::all(tx, &format!("{STORED} {condition}"), params, read_stored)
}

/// Punches with res=9 that can be read, by contract and account.
pub(super) fn unjudged(tx: &Connection) -> Work<BTreeMap<(ContractId, AccountId), Vec<Stored>>> {
    let sql = format!("{STORED} INDEXED BY punches_unjudged WHERE res = 9");
    let all = rows::all(tx, &sql, [], |row| Ok((ContractId(row.get(10)?), read_stored(row))))?;
    let mut unjudged: BTreeMap<_, Vec<Stored>> = BTreeMap::new();
    for (contract, punch) in all {
        match punch {
            Ok(punch) => unjudged.entry((contract, punch.account)).or_default().push(punch),
            Err(error) => tracing::error!(%error, "a punch that is not judged cannot be read"),
        }
    }
    Ok(unjudged)
}

/// How contract and terminal stand now; the make-up is a matter of each batch.
pub(super) fn circumstances(
    tx: &Connection,
    contract: ContractId,
    terminal: &TerminalId,
) -> Work<Circumstances> {
    rows::one(
        tx,
        "SELECT c.status, c.logon_punch_option, t.status FROM contracts c
         JOIN terminals t ON t.contract_id = c.id WHERE c.id = ?1 AND t.id = ?2",
        params![contract.0, rows::terminal_bytes(terminal)?],
        |row| {
            Ok(Circumstances {
                contract: rows::contract_status(row, 0)?,
                logon_punch_option: row.get(1)?,
                terminal: rows::terminal_status(row, 2)?,
                makeup_changed: false,
            })
        },
    )?
    .ok_or_else(|| Refusal::Missing { what: "terminal" }.into())
}

/// The links of account ?2 that count.
pub(super) const LINKS: &str =
    "SELECT l.employee_id, l.from_date, l.to_date, e.active_from, e.active_to FROM account_links l
     INDEXED BY account_links_now JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
     WHERE l.contract_id = ?1 AND l.account_id = ?2 AND l.void = 0";

/// Reads a row of [`LINKS`].
pub(super) fn read_link(row: &Row<'_>) -> Work<LinkSpan> {
    Ok(LinkSpan {
        employee: EmployeeId(rows::uuid(row, 0)?),
        from: rows::date(&row.get::<_, String>(1)?)?,
        to: rows::date_or_none(row, 2)?,
        employed_from: rows::date_or_none(row, 3)?,
        employed_to: rows::date_or_none(row, 4)?,
    })
}

/// The links of an account that count.
pub(super) fn links(tx: &Connection, contract: ContractId, account: AccountId) -> Work<Vec<LinkSpan>> {
    rows::all(tx, LINKS, params![contract.0, account.0.as_bytes()], read_link)
}

/// Judges punches again; returns what that has changed.
pub(super) fn rejudge(
    tx: &Connection,
    contract: ContractId,
    punches: &[Stored],
    look: Look,
    why: Why,
    act: &Act,
) -> Work<Rejudged> {
    let mut otherwise = Vec::new();
    let mut known: Option<(AccountId, Vec<LinkSpan>)> = None;
    for punch in punches {
        if known.as_ref().is_none_or(|(account, _)| *account != punch.account) {
            known = Some((punch.account, links(tx, contract, punch.account)?));
        }
        let spans = known.as_ref().map_or(&[][..], |(_, spans)| spans);
        let facts = facts_anew(tx, contract, punch, look, spans)?;
        otherwise.extend((!is_same(punch, &facts)).then_some((punch, facts)));
    }
    settle(tx, contract, &otherwise, why, act)
}

/// Judges one stored punch again; returns its result.
pub(super) fn rejudge_one(
    tx: &Connection,
    contract: ContractId,
    punch: &Stored,
    why: Why,
    act: &Act,
) -> Work<PunchResult> {
    let spans = links(tx, contract, punch.account)?;
    let facts = facts_anew(tx, contract, punch, Look::Everything, &spans)?;
    let result = judge(Some(&facts));
    if !is_same(punch, &facts) {
        settle(tx, contract, &[(punch, facts)], why, act)?;
    }
    Ok(result)
}

fn facts_anew(
    tx: &Connection,
    contract: ContractId,
    punch: &Stored,
    look: Look,
    spans: &[LinkSpan],
) -> Work<Facts> {
    let hindrance = if is_hindered(punch) && look == Look::Everything {
        let now = circumstances(tx, contract, &punch.terminal)?;
        hindrance(&Circumstances { makeup_changed: punch.makeup_changed, ..now })
    } else {
        punch.hindrance
    };
    Ok(Facts { hindrance, employee: employee_on(punch.date, spans) })
}

fn is_hindered(punch: &Stored) -> bool {
    punch.hindrance.is_some() || punch.result == PunchResult::ServerFailed
}

/// Whether a punch that comes again under these circumstances is judged as it was.
pub(super) fn stands(punch: &Stored, now: &Circumstances, spans: &[LinkSpan]) -> bool {
    let hindrance = if is_hindered(punch) { hindrance(now) } else { punch.hindrance };
    let facts = Facts { hindrance, employee: employee_on(punch.date, spans) };
    is_same(punch, &facts)
}

fn is_same(punch: &Stored, facts: &Facts) -> bool {
    (punch.result, punch.hindrance, punch.employee) == (judge(Some(facts)), facts.hindrance, facts.employee)
}

/// Keeps judgements that differ from what is stored, a piece at a time; returns what has changed.
fn settle(
    tx: &Connection,
    contract: ContractId,
    otherwise: &[(&Stored, Facts)],
    why: Why,
    act: &Act,
) -> Work<Rejudged> {
    let (mut changed, mut counted) = (Rejudged::default(), Vec::new());
    for part in otherwise.chunks(TOGETHER_MAX) {
        write(tx, contract, part)?;
        let results: Vec<_> = part.iter().map(|(punch, facts)| (*punch, judge(Some(facts)))).collect();
        let other: Vec<_> = results.into_iter().filter(|(punch, result)| punch.result != *result).collect();
        append_all(tx, contract, &other, why, act)?;
        let moved = |(punch, facts): &&(&Stored, Facts)| {
            punch.employee != facts.employee && punch.result == judge(Some(facts))
        };
        changed.results += other.len() as u64;
        changed.moved += part.iter().filter(moved).count() as u64;
        for (punch, facts) in part {
            let of = |employee, result| Change::of(employee, punch.occurred_at, punch.kind, result);
            counted.push(of(punch.employee, punch.result).taken());
            counted.push(of(facts.employee, judge(Some(facts))));
        }
    }
    figures::add(tx, contract, &counted, act.at)?;
    Ok(changed)
}

/// Writes what is thought of these punches now.
fn write(tx: &Connection, contract: ContractId, part: &[(&Stored, Facts)]) -> Work<()> {
    let results = part.iter().map(|(_, facts)| judge(Some(facts)).res());
    let hindrances = part.iter().map(|(_, facts)| facts.hindrance.and_then(PunchResult::res));
    let terminals = terminals_of(part.iter().map(|(punch, _)| *punch))?;
    let rows = Many::default()
        .some_integers(results.map(|res| res.map(i64::from)))
        .some_integers(hindrances.map(|res| res.map(i64::from)))
        .some_blobs(
            part.iter().map(|(_, facts)| facts.employee.as_ref().map(|id| id.0.as_bytes().as_slice())),
        )
        .integers(part.iter().map(|_| contract.0))
        .integers(part.iter().map(|(punch, _)| punch.occurred_at.0))
        .blobs(terminals.iter().map(|bytes| bytes.as_slice()))
        .integers(part.iter().map(|(punch, _)| rows::column(punch.sequence)));
    let touched = rows::run_many(
        tx,
        "UPDATE punches SET res = ?1, hindrance = ?2, employee_id = ?3
         WHERE contract_id = ?4 AND occurred_at = ?5 AND terminal_id = ?6 AND seq = ?7",
        &rows,
    )?;
    if touched != part.len() {
        return Err(WorkError::Unreadable("a punch that is judged is gone"));
    }
    Ok(())
}

fn terminals_of<'a>(punches: impl Iterator<Item = &'a Stored>) -> Work<Vec<[u8; 16]>> {
    punches.map(|punch| rows::terminal_bytes(&punch.terminal)).collect()
}

/// What a punch came to when it arrived is its first judgement, and needs no row of its own as long as it is the only one: time
/// and result stand in the punch. Parameters: contract, terminal, number, `occurred_at`, and the result until now.
const KEEP_FIRST: &str = "INSERT INTO judgements
     (contract_id, terminal_id, seq, number, judged_at, res, why, judged_by)
     VALUES (?1, ?2, ?3, 1, (SELECT p.received_at FROM punches p WHERE p.contract_id = ?1 AND p.occurred_at = ?4
        AND p.terminal_id = ?2 AND p.seq = ?3), ?5, 'received', 'server') ON CONFLICT DO NOTHING";

/// The first judgements of punches that have no other, as columns of `judgements`: of events `e` whose punch is `p`. What
/// follows are further conditions.
pub(super) const ONLY_JUDGEMENTS: &str = "SELECT p.seq, 1, p.received_at, p.res, 'received', 'server'
     FROM events e JOIN punches p ON p.contract_id = e.contract_id
         AND p.occurred_at = coalesce(e.placed_at, e.occurred_at) AND p.terminal_id = e.terminal_id AND p.seq = e.seq
     WHERE NOT EXISTS (SELECT 1 FROM judgements j
         WHERE j.contract_id = p.contract_id AND j.terminal_id = p.terminal_id AND j.seq = p.seq)";

/// Appends to the histories of punches.
fn append_all(
    tx: &Connection,
    contract: ContractId,
    part: &[(&Stored, PunchResult)],
    why: Why,
    act: &Act,
) -> Work<()> {
    let terminals = terminals_of(part.iter().map(|(punch, _)| *punch))?;
    let keys = || {
        Many::default()
            .integers(part.iter().map(|_| contract.0))
            .blobs(terminals.iter().map(|bytes| bytes.as_slice()))
            .integers(part.iter().map(|(punch, _)| rows::column(punch.sequence)))
    };
    let until_now = keys()
        .integers(part.iter().map(|(punch, _)| punch.occurred_at.0))
        .some_integers(part.iter().map(|(punch, _)| punch.result.res().map(i64::from)));
    rows::run_many(tx, KEEP_FIRST, &until_now)?;
    let rows = keys()
        .integers(part.iter().map(|_| act.at.0))
        .some_integers(part.iter().map(|(_, result)| result.res().map(i64::from)))
        .texts(part.iter().map(|_| why.name()))
        .texts(part.iter().map(|_| act.by.as_str()));
    rows::run_many(
        tx,
        "INSERT INTO judgements (contract_id, terminal_id, seq, number, judged_at, res, why, judged_by)
         VALUES (?1, ?2, ?3, (SELECT coalesce(max(j.number), 0) + 1 FROM judgements j
            WHERE j.contract_id = ?1 AND j.terminal_id = ?2 AND j.seq = ?3), ?4, ?5, ?6, ?7)",
        &rows,
    )
    .map(drop)
}
