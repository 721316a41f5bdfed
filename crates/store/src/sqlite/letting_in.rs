//! Employees who are to see their own records: many at once, each with a set-up link of their own.
//!
//! Who signs in already is left as they are. A login belongs to one person of the whole server, so each employee comes
//! with some, and gets the first that nobody has. All of it is one transaction: either every link of the answer counts or
//! none does. Of the tokens only hashes are kept, as always; the audit log has the same two entries for each of them as
//! for somebody who is added by hand.

use std::collections::BTreeMap;

use mngntime_model::UtcMillis;

use super::{Work, administrators, people, rows};
use crate::ports::{Act, LetIn, LetInOutcome, NewAdministrator, Role};
use crate::sql::Connection;
use crate::typed::folded;
use crate::{AdministratorId, ContractId, EmployeeId};

/// Who of the contract's employees signs in; the last column: whether a new link is what they lack.
const THERE: &str = "SELECT employee_id, id, login,
    CASE WHEN role = 'employee' AND disabled_at IS NULL AND password_hash IS NULL
        AND NOT EXISTS (SELECT 1 FROM passkeys k WHERE k.administrator_id = administrators.id)
        AND NOT EXISTS (SELECT 1 FROM provider_subjects s WHERE s.administrator_id = administrators.id)
    THEN 1 ELSE 0 END
    FROM administrators INDEXED BY administrators_in_order
    WHERE contract_id = ?1 AND employee_id IS NOT NULL";

/// Somebody who signs in.
struct There {
    id: AdministratorId,
    login: String,
    waits: bool,
}

fn there(tx: &Connection, contract: ContractId) -> Work<BTreeMap<EmployeeId, There>> {
    let found = rows::all(tx, THERE, [contract.0], |row| {
        let there = There {
            id: AdministratorId(rows::uuid(row, 1)?),
            login: row.get(2)?,
            waits: row.get::<_, i64>(3)? == 1,
        };
        Ok((EmployeeId(rows::uuid(row, 0)?), there))
    })?;
    Ok(found.into_iter().collect())
}

pub(super) fn let_in(
    tx: &Connection,
    contract: ContractId,
    all: &[LetIn],
    again: bool,
    expires_at: UtcMillis,
    act: &Act,
) -> Work<Vec<LetInOutcome>> {
    let mut there = there(tx, contract)?;
    let mut taken = administrators::logins_in_use(tx)?;
    let mut outcomes = Vec::with_capacity(all.len());
    for one in all {
        if let Some(found) = there.get(&one.employee) {
            let login = found.login.clone();
            if !again || !found.waits {
                outcomes.push(LetInOutcome::There { login });
                continue;
            }
            administrators::start_setup(tx, Some(contract), found.id, &one.token, expires_at, act)?;
            outcomes.push(LetInOutcome::Made { login });
            continue;
        }
        let employee = people::employee(tx, contract, one.employee)?;
        let Some(login) = one.logins.iter().find(|login| !taken.contains(&folded(login))).cloned() else {
            outcomes.push(LetInOutcome::NoLogin);
            continue;
        };
        let new = NewAdministrator {
            display_name: employee.data.name,
            employee: Some(one.employee),
            ..NewAdministrator::new(&login, Role::Employee, Some(contract))
        };
        let id = administrators::create_unlike(tx, &new, act)?;
        administrators::start_setup(tx, Some(contract), id, &one.token, expires_at, act)?;
        taken.insert(folded(&login));
        there.insert(one.employee, There { id, login: login.clone(), waits: false });
        outcomes.push(LetInOutcome::Made { login });
    }
    Ok(outcomes)
}
