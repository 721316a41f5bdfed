//! Enrolling terminals.

use mngntime_ledger::audit::{ENROLL_TERMINAL, ENROLL_TERMINAL_AGAIN, Enrolled};
use mngntime_model::TerminalId;
use rusqlite::{Connection, params};
use subtle::{Choice, ConstantTimeEq};

use super::judging::{self, Look};
use super::{Work, audit, contracts, rows};
use crate::ContractId;
use crate::ports::{Act, ContractStatus, EnrollmentOutcome, Enrolment, KeyHash, TerminalStatus, Why};

pub(super) fn enroll(tx: &Connection, enrolment: &Enrolment) -> Work<EnrollmentOutcome> {
    let contract = contracts::by_code(tx, &enrolment.contract)?
        .filter(|contract| contract.status == ContractStatus::Active && contract.logon_punch_option);
    let Some(contract) = contract else {
        return Ok(EnrollmentOutcome::ContractUnusable);
    };
    if !opens(tx, contract.id, &enrolment.key)? {
        return Ok(EnrollmentOutcome::WrongKey);
    }
    match known(tx, contract.id, &enrolment.public_key)? {
        None => enroll_new(tx, contract.id, enrolment),
        Some((id, TerminalStatus::Active)) => enroll_again(tx, contract.id, id, enrolment),
        Some((_, TerminalStatus::Blocked | TerminalStatus::Retired)) => {
            Ok(EnrollmentOutcome::TerminalUnusable)
        }
    }
}

/// Whether one of the contract's keys has this hash. Every key is compared, and each in constant time.
fn opens(tx: &Connection, contract: ContractId, offered: &KeyHash) -> Work<bool> {
    let keys = rows::all(
        tx,
        "SELECT key_hash FROM enrollment_keys WHERE contract_id = ?1 AND revoked_at IS NULL",
        [contract.0],
        |row| Ok(row.get::<_, [u8; 32]>(0)?),
    )?;
    let matching = keys.iter().fold(Choice::from(0), |found, key| found | key.ct_eq(&offered.0));
    Ok(matching.into())
}

fn known(
    tx: &Connection,
    contract: ContractId,
    public_key: &str,
) -> Work<Option<(TerminalId, TerminalStatus)>> {
    rows::one(
        tx,
        "SELECT id, status FROM terminals WHERE contract_id = ?1 AND public_key = ?2",
        params![contract.0, public_key],
        |row| Ok((rows::terminal_id(row, 0)?, rows::terminal_status(row, 1)?)),
    )
}

fn enroll_new(tx: &Connection, contract: ContractId, enrolment: &Enrolment) -> Work<EnrollmentOutcome> {
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
    note(tx, contract, ENROLL_TERMINAL, enrolment.proposed, enrolment)?;
    Ok(EnrollmentOutcome::Enrolled(enrolment.proposed))
}

fn enroll_again(
    tx: &Connection,
    contract: ContractId,
    id: TerminalId,
    enrolment: &Enrolment,
) -> Work<EnrollmentOutcome> {
    let bytes = rows::terminal_bytes(&id)?;
    rows::run(
        tx,
        "UPDATE terminals SET host_name = ?3, os = ?4, makeup = ?5, key_class = ?6, agent_version = ?7,
         makeup_changed = 0 WHERE contract_id = ?1 AND id = ?2",
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
    note(tx, contract, ENROLL_TERMINAL_AGAIN, id, enrolment)?;
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
}

fn note(
    tx: &Connection,
    contract: ContractId,
    action: &str,
    id: TerminalId,
    enrolment: &Enrolment,
) -> Work<()> {
    let act = Act::server(enrolment.at);
    let detail = Enrolled {
        terminal: id.to_string(),
        public_key: enrolment.public_key.clone(),
        key_class: enrolment.key_class.clone(),
        host_name: enrolment.host_name.clone(),
        os: enrolment.os.clone(),
        makeup: enrolment.makeup.clone(),
        agent_version: enrolment.agent_version.clone(),
    };
    audit::note(tx, Some(contract), action, &format!("terminal {id}"), &detail, &act)
}
