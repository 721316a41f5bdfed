//! Who signs in, departments, and the small things of a contract, by the store itself.

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use mngntime_model::{ContractCode, UtcMillis};
use mngntime_server::passwords;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{
    Act, ContractId, Contracts as _, Departments as _, EnrollmentKeys as _, Imports as _, Intake as _,
    KeyHash, Lists as _, NewAdministrator, NewContract, NewDepartment, NewEnrollmentKey, NewRemark,
    Operators as _, QuarantineReason, Quarantined, Remarks as _, Role, Scope, Searches as _, StagedFile,
};

use super::company::{self, DEPARTMENTS, ENROLMENT_KEY, Size, draw};

/// Password of everybody whom the measurement signs in.
pub const PASSWORD: &str = "correct horse battery staple";

/// Contracts besides the large one.
const OTHER_CONTRACTS: u64 = 300;

/// Changes that wait for one commit.
const AT_ONCE: usize = 500;

/// Login of the one who plays `role`.
pub fn login(role: Role) -> String {
    format!("bench-{}", role.name())
}

fn act(at: UtcMillis) -> Act {
    Act::administrator("officer0", at)
}

/// The contracts and the departments of the large one: what is there before its terminals.
pub async fn found(store: &SqliteStore, size: Size, at: UtcMillis) -> Result<ContractId> {
    let new = |code: &str, name: String, key: &str| -> Result<NewContract> {
        Ok(NewContract { code: ContractCode::new(code)?, name, key: KeyHash::of(key) })
    };
    let large = new(company::CONTRACT, "株式会社サンプル".into(), ENROLMENT_KEY)?;
    let contract = store.create_contract(large, act(at)).await?;
    let others = OTHER_CONTRACTS.min(size.employees);
    for number in 0..others {
        let code = format!("C-{number:04}");
        store.create_contract(new(&code, format!("株式会社 {number}"), &code)?, act(at)).await?;
    }
    let mut above = None;
    for number in 0..DEPARTMENTS {
        let division = number % 20 == 0;
        let new = NewDepartment {
            code: company::department_code(number),
            name: company::department_name(number),
            parent: above.filter(|_| !division),
        };
        let made = store.add_department(contract, new, act(at)).await?;
        if division {
            above = Some(made);
        }
    }
    for number in 0..30 {
        let hash = KeyHash::of(&format!("key {number}"));
        let new =
            NewEnrollmentKey { hash, label: format!("{number} 号機"), expires_at: None, uses_max: None };
        store.make_enrollment_key(contract, new, act(at)).await?;
    }
    Ok(contract)
}

/// Everybody who signs in, and what people leave behind: when the history is over.
pub async fn settle(store: &SqliteStore, size: Size, contract: ContractId) -> Result<()> {
    let now = size.now;
    let hash = passwords::hash_new(PASSWORD)?;
    let departments = store.list_departments(contract).await?;
    let department = departments.iter().find(|found| found.data.code == company::department_code(20));
    let department = department.context("there is no department for the approver")?.id;
    let whole: Scope = contract.into();
    let own = store.find_employees(whole, company::employee_code(1)).await?;
    let own = own.first().context("there is no employee for the self-service")?.id;
    let mut administrator = None;
    for role in Role::ALL {
        let new = NewAdministrator {
            password_hash: Some(hash.clone()),
            department: (role == Role::Approver).then_some(department),
            employee: (role == Role::Employee).then_some(own),
            ..NewAdministrator::new(&login(role), role, (role != Role::Operator).then_some(contract))
        };
        let made = store.create_administrator(new, act(now)).await?;
        if role == Role::Administrator {
            administrator = Some(made);
        }
    }
    let person = administrator.context("there is no administrator")?;
    sign_ins_of_employees(store, size, contract).await?;
    for (name, query) in [("エラー", "errors=1"), ("ログオン", "kind=logon")] {
        store.save_search(contract, person, name.into(), query.into(), true, act(now)).await?;
    }
    for (kind, content) in [("employees", new_people()), ("accounts", new_links(size))] {
        let file = StagedFile { kind: kind.into(), encoding: "UTF-8".into(), content };
        store.stage_import(contract, person, file, now, UtcMillis(0)).await?;
    }
    quarantined(store, now).await
}

/// Every employee sees their own record; some have said something about a day.
async fn sign_ins_of_employees(store: &SqliteStore, size: Size, contract: ContractId) -> Result<()> {
    let now = size.now;
    let today = mngntime_store::local_date(now);
    let numbers: Vec<u64> = (0..size.employees).collect();
    for some in numbers.chunks(AT_ONCE) {
        let one = async |number: u64| -> Result<()> {
            let code = company::employee_code(number);
            let found = store.find_employees(contract.into(), code.clone()).await?;
            let employee = found.first().context("an employee is gone")?.id;
            let new = NewAdministrator {
                employee: Some(employee),
                ..NewAdministrator::new(&code.to_lowercase(), Role::Employee, Some(contract))
            };
            store.create_administrator(new, act(now)).await?;
            if number % 5 == 1 {
                let date =
                    today.checked_sub(jiff::Span::new().days(i64::try_from(draw(30, number, 0) % 60)?))?;
                let text = "客先から直帰しました。".into();
                let new = NewRemark { employee, date, from_minutes: 540, to_minutes: 600, text };
                store.add_remark(contract, None, new, act(now)).await?;
            }
            Ok(())
        };
        try_join_all(some.iter().map(|number| one(*number))).await?;
    }
    Ok(())
}

fn new_people() -> String {
    let line = |number: u64| format!("X{number:04},新入 社員{number},シンニュウ シャイン\n");
    std::iter::once("社員コード,氏名,カナ\n".to_owned()).chain((0..1000).map(line)).collect()
}

fn new_links(size: Size) -> String {
    let line = |number: u64| {
        let account = company::stranger(size, number % size.strangers());
        let employee = company::employee_code(number % size.employees);
        format!("{}\\{},{employee},2026-06-01\n", account.domain, account.name)
    };
    std::iter::once("user,社員コード,from\n".to_owned()).chain((0..1000).map(line)).collect()
}

async fn quarantined(store: &SqliteStore, at: UtcMillis) -> Result<()> {
    for number in 0..500 {
        let entry = Quarantined {
            received_at: at,
            reason: QuarantineReason::UnknownContract,
            contract: format!("Z-{}", number % 50),
            terminal: format!("PC-{number}"),
            body: b"{}".to_vec(),
        };
        store.quarantine(entry).await?;
    }
    Ok(())
}
