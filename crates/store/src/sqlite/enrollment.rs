//! Enrolling terminals.

use crate::sql::{Connection, params};
use mngntime_ledger::Digest;
use mngntime_ledger::audit::{ENROLL_TERMINAL, ENROLL_TERMINAL_AGAIN, Enrolled};
use mngntime_model::{TerminalId, UtcMillis};

use super::judging::{self, Look};
use super::terminals::{self, Because};
use super::{Work, audit, contact_days, contracts, enrollment_keys, rows, standing};
use crate::ContractId;
use crate::ports::{
    Act, ContractStatus, EnrollmentKey, EnrollmentOutcome, Enrolment, KeyEnd, TerminalChange,
    TerminalHistory, TerminalStatus, Why,
};

pub(super) fn enroll(tx: &Connection, enrolment: &Enrolment) -> Work<EnrollmentOutcome> {
    let contract = contracts::by_code(tx, &enrolment.contract)?
        .filter(|contract| contract.status == ContractStatus::Active && contract.logon_punch_option);
    let Some(contract) = contract else {
        return Ok(EnrollmentOutcome::ContractUnusable);
    };
    let key = enrollment_keys::matching(tx, contract.id, &enrolment.key)?;
    match known(tx, contract.id, &enrolment.public_key)? {
        None => enroll_new(tx, contract.id, enrolment, key.as_ref()),
        Some(known) => enroll_known(tx, contract.id, &known, enrolment, key.as_ref()),
    }
}

/// A terminal whose public key is pinned.
struct Known {
    id: TerminalId,
    status: TerminalStatus,
    reenroll_until: Option<UtcMillis>,
}

fn known(tx: &Connection, contract: ContractId, public_key: &str) -> Work<Option<Known>> {
    rows::one(
        tx,
        "SELECT id, status, reenroll_until FROM terminals WHERE contract_id = ?1 AND public_key = ?2",
        params![contract.0, public_key],
        |row| {
            Ok(Known {
                id: rows::terminal_id(row, 0)?,
                status: rows::terminal_status(row, 1)?,
                reenroll_until: rows::millis_or_none(row, 2)?,
            })
        },
    )
}

/// The sender has proved to hold the pinned key, so a person's word is enough: no enrolment key is needed then.
fn enroll_known(
    tx: &Connection,
    contract: ContractId,
    known: &Known,
    enrolment: &Enrolment,
    key: Option<&EnrollmentKey>,
) -> Work<EnrollmentOutcome> {
    let allowed = known.reenroll_until.is_some_and(|until| enrolment.at.0 < until.0);
    let end = match key {
        Some(key) => key.end(enrolment.at).filter(|end| *end != KeyEnd::UsedUp),
        None if allowed => None,
        None => return Ok(EnrollmentOutcome::WrongKey),
    };
    match (end, known.status) {
        (Some(end), _) if !allowed => Ok(EnrollmentOutcome::KeyEnded(end)),
        (_, TerminalStatus::Blocked | TerminalStatus::Retired) => Ok(EnrollmentOutcome::TerminalUnusable),
        (end, TerminalStatus::Active) => {
            // A key that has ended opened nothing: the person did.
            enroll_again(tx, contract, known.id, enrolment, key.filter(|_| end.is_none()))
        }
    }
}

fn enroll_new(
    tx: &Connection,
    contract: ContractId,
    enrolment: &Enrolment,
    key: Option<&EnrollmentKey>,
) -> Work<EnrollmentOutcome> {
    let Some(key) = key else {
        return Ok(EnrollmentOutcome::WrongKey);
    };
    if let Some(end) = key.end(enrolment.at) {
        return Ok(EnrollmentOutcome::KeyEnded(end));
    }
    let like = blocked_like(tx, contract, enrolment)?;
    enrollment_keys::count_use(tx, contract, key.number, true, enrolment.at)?;
    rows::run(
        tx,
        "INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class, agent_version,
         status, enrolled_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'active', ?9)",
        params![
            contract.0,
            rows::terminal_bytes(&enrolment.proposed)?,
            enrolment.public_key,
            enrolment.host_name,
            enrolment.os,
            enrolment.makeup,
            enrolment.key_class,
            enrolment.agent_version,
            enrolment.at.0,
        ],
    )?;
    let new = enrolment.proposed;
    note(tx, contract, TerminalChange::Enrolled, new, enrolment, Some(key))?;
    let Some(like) = like else { return Ok(EnrollmentOutcome::Enrolled(new)) };
    let (because, act) = (Because { reason: "", like: Some(like) }, Act::server(enrolment.at));
    terminals::set_status(tx, contract, &new, TerminalStatus::Blocked, because, &act)?;
    Ok(EnrollmentOutcome::EnrolledBlocked(new))
}

/// The blocked terminal that this PC may be: whoever deletes the agent's files has it make another key, and the enrolment
/// key lies on the PC. Its name is the same, or its make-up. Asked of the blocked ones alone, however many PCs there are.
fn blocked_like(tx: &Connection, contract: ContractId, enrolment: &Enrolment) -> Work<Option<TerminalId>> {
    rows::one(
        tx,
        "SELECT id FROM terminals INDEXED BY terminals_blocked WHERE contract_id = ?1 AND status = 'blocked'
         AND (host_name = ?2 COLLATE NOCASE OR makeup = ?3) ORDER BY enrolled_at DESC, id LIMIT 1",
        params![contract.0, enrolment.host_name, telling_makeup(&enrolment.makeup)],
        |row| rows::terminal_id(row, 0),
    )
}

/// The make-up, where it tells PCs apart: a digest, and not that of nothing, which PCs without a machine identity have.
fn telling_makeup(makeup: &str) -> Option<&str> {
    let digest = Digest::parse(makeup).ok()?;
    (digest != Digest::of(b"")).then_some(makeup)
}

fn enroll_again(
    tx: &Connection,
    contract: ContractId,
    id: TerminalId,
    enrolment: &Enrolment,
    key: Option<&EnrollmentKey>,
) -> Work<EnrollmentOutcome> {
    if let Some(key) = key {
        enrollment_keys::count_use(tx, contract, key.number, false, enrolment.at)?;
    }
    let bytes = rows::terminal_bytes(&id)?;
    rows::run(
        tx,
        "UPDATE terminals SET host_name = ?3, os = ?4, makeup = ?5, key_class = ?6, agent_version = ?7,
         makeup_changed = 0, reenroll_until = NULL WHERE contract_id = ?1 AND id = ?2",
        params![
            contract.0,
            bytes,
            enrolment.host_name,
            enrolment.os,
            enrolment.makeup,
            enrolment.key_class,
            enrolment.agent_version,
        ],
    )?;
    lift_changed_makeup(tx, contract, &bytes, &Act::server(enrolment.at))?;
    note(tx, contract, TerminalChange::EnrolledAgain, id, enrolment, key)?;
    Ok(EnrollmentOutcome::EnrolledAgain(id))
}

fn lift_changed_makeup(tx: &Connection, contract: ContractId, terminal: &[u8; 16], act: &Act) -> Work<u64> {
    rows::run(
        tx,
        "UPDATE punches INDEXED BY punches_by_terminal SET makeup_changed = 0
         WHERE contract_id = ?1 AND terminal_id = ?2 AND makeup_changed = 1",
        params![contract.0, terminal],
    )?;
    let hindered =
        "INDEXED BY punches_by_terminal WHERE contract_id = ?1 AND terminal_id = ?2 AND hindrance = 8";
    let punches = judging::stored(tx, hindered, params![contract.0, terminal])?;
    judging::rejudge(tx, contract, &punches, Look::Everything, Why::TerminalEnrolled, act)
        .map(|done| done.results)
}

/// Into the terminal's history and the audit log.
fn note(
    tx: &Connection,
    contract: ContractId,
    what: TerminalChange,
    id: TerminalId,
    enrolment: &Enrolment,
    key: Option<&EnrollmentKey>,
) -> Work<()> {
    let entry = TerminalHistory {
        at: enrolment.at,
        what,
        host_name: enrolment.host_name.clone(),
        agent_version: enrolment.agent_version.clone(),
    };
    let bytes = rows::terminal_bytes(&id)?;
    contact_days::append(tx, &standing::Terminal { contract, id: &bytes }, &entry)?;
    let first = what == TerminalChange::Enrolled;
    let action = if first { ENROLL_TERMINAL } else { ENROLL_TERMINAL_AGAIN };
    let detail = Enrolled {
        terminal: id.to_string(),
        public_key: enrolment.public_key.clone(),
        key_class: enrolment.key_class.clone(),
        host_name: enrolment.host_name.clone(),
        os: enrolment.os.clone(),
        makeup: enrolment.makeup.clone(),
        agent_version: enrolment.agent_version.clone(),
        enrollment_key: key.map(|key| key.number),
    };
    audit::note(tx, Some(contract), action, &format!("terminal {id}"), &detail, &Act::server(enrolment.at))
}
