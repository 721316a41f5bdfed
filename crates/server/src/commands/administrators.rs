//! `mngntime admin create`.

use std::io::Read;
use std::path::PathBuf;

use jiff::civil::Date;
use mngntime_model::Language;
use mngntime_store::{ContractId, DepartmentId, EmployeeId, NewAdministrator, Role, Store};

use super::contracts::refusal_is_bad_use;
use super::{BadUse, OWN_URL, act, block_on, files, open_existing};
use crate::web::texts::Words;
use crate::web::visible::in_one_line;
use crate::{invitation, logins, passwords};

/// Arguments of `admin create`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The server's data directory.
    #[arg(long)]
    data: PathBuf,
    /// Login: 1 to 64 characters that can be seen, without space or ':', of which one is a letter or digit.
    #[arg(long)]
    login: String,
    /// Name for reading; the login when absent.
    #[arg(long)]
    name: Option<String>,
    /// What they may do: administrator, hr, it, approver, auditor, employee or operator.
    #[arg(long, default_value = "administrator")]
    role: String,
    /// Code of the contract they belong to; needed when there are several.
    #[arg(long)]
    contract: Option<String>,
    /// Code of the department an approver is responsible for.
    #[arg(long)]
    department: Option<String>,
    /// Code of the employee whose own record they see; needed for the role employee.
    #[arg(long)]
    employee: Option<String>,
    /// First date on which they may sign in (YYYY-MM-DD).
    #[arg(long)]
    valid_from: Option<Date>,
    /// Last date on which they may sign in (YYYY-MM-DD); needed for the role auditor.
    #[arg(long)]
    valid_until: Option<Date>,
    /// Read the password from standard input. Without this and --setup-link one is made and printed.
    #[arg(long, conflicts_with = "setup_link")]
    password_stdin: bool,
    /// Print a link, good once and for 72 hours, with which they choose their password in the browser.
    #[arg(long)]
    setup_link: bool,
    /// The server's address for that link, as their browser reaches it.
    #[arg(long, default_value = OWN_URL, requires = "setup_link")]
    url: String,
}

/// Makes somebody who can sign in.
pub fn create(arguments: &Arguments) -> anyhow::Result<()> {
    let login = logins::meant(&arguments.login);
    let wrong = logins::error(&login, Words(Language::English));
    if !wrong.is_empty() {
        return Err(BadUse(format!("--login {}: {wrong}", in_one_line(&arguments.login))).into());
    }
    let role = role(&arguments.role)?;
    let store = open_existing(&arguments.data)?;
    let new = block_on(wanted(&*store, role, &login, arguments))?;
    if arguments.setup_link {
        return block_on(create_with_link(&*store, new, &arguments.url));
    }
    let (password, made) =
        if arguments.password_stdin { (password_from_stdin()?, false) } else { (files::new_secret()?, true) };
    block_on(make(&*store, new, &password))?;
    println!("admin={login}");
    if made {
        println!("password={password}");
        eprintln!("Write the password down: it is not shown again.");
    }
    Ok(())
}

/// The person as the arguments have it, without a password.
async fn wanted(
    store: &dyn Store,
    role: Role,
    login: &str,
    arguments: &Arguments,
) -> anyhow::Result<NewAdministrator> {
    let contract = contract_of(store, role, arguments.contract.as_deref()).await?;
    let mut new = NewAdministrator::new(login, role, contract);
    new.display_name = arguments.name.clone().unwrap_or_else(|| login.to_owned());
    new.valid_from = arguments.valid_from;
    new.valid_until = arguments.valid_until;
    if let Some(code) = &arguments.department {
        new.department = Some(department(store, contract, code).await?);
    }
    if let Some(code) = &arguments.employee {
        new.employee = Some(employee(store, contract, code).await?);
    }
    if (role == Role::Approver) != new.department.is_some() {
        return Err(BadUse("an approver, and nobody else, needs --department".into()).into());
    }
    if role == Role::Employee && new.employee.is_none() {
        return Err(BadUse("an employee needs --employee".into()).into());
    }
    if role == Role::Auditor && new.valid_until.is_none() {
        let message = "an auditor looks for a time: name the last date with --valid-until YYYY-MM-DD";
        return Err(BadUse(message.into()).into());
    }
    Ok(new)
}

async fn department(
    store: &dyn Store,
    contract: Option<ContractId>,
    code: &str,
) -> anyhow::Result<DepartmentId> {
    let all = match contract {
        Some(contract) => store.list_departments(contract).await?,
        None => Vec::new(),
    };
    let found = all.iter().find(|found| found.data.code == code);
    Ok(found.map(|found| found.id).ok_or_else(|| BadUse(format!("there is no department {code}")))?)
}

async fn employee(store: &dyn Store, contract: Option<ContractId>, code: &str) -> anyhow::Result<EmployeeId> {
    let all = match contract {
        Some(contract) => store.find_employees(contract.into(), code.to_owned()).await?,
        None => Vec::new(),
    };
    let found = all.iter().find(|found| found.data.code == code);
    Ok(found.map(|found| found.id).ok_or_else(|| BadUse(format!("there is no employee {code}")))?)
}

async fn create_with_link(store: &dyn Store, new: NewAdministrator, url: &str) -> anyhow::Result<()> {
    let (login, contract) = (new.login.clone(), new.contract);
    let id = store.create_administrator(new, act()).await.map_err(refusal_is_bad_use)?;
    let made = invitation::invite(store, contract, id, act()).await?;
    println!("admin={login}");
    println!("setup-link={}", made.address(url));
    eprintln!("The link works once, for {} hours, and is not shown again.", invitation::HOURS);
    Ok(())
}

/// Makes somebody with a password.
pub async fn make(store: &dyn Store, new: NewAdministrator, password: &str) -> anyhow::Result<()> {
    if passwords::is_guessable(password, &new.login) {
        return Err(BadUse(passwords::PasswordError::Guessable.to_string()).into());
    }
    let password_hash = passwords::hash_new(password).map_err(|error| BadUse(error.to_string()))?;
    let new = NewAdministrator { password_hash: Some(password_hash), ..new };
    store.create_administrator(new, act()).await.map(drop).map_err(refusal_is_bad_use)
}

fn role(name: &str) -> Result<Role, BadUse> {
    Role::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        BadUse(format!("there is no role {name}; the roles are: {}", known.join(", ")))
    })
}

async fn contract_of(
    store: &dyn Store,
    role: Role,
    code: Option<&str>,
) -> anyhow::Result<Option<ContractId>> {
    match (role, code) {
        (Role::Operator, None) => Ok(None),
        (Role::Operator, Some(_)) => {
            Err(BadUse("an operator belongs to no contract: leave --contract out".into()).into())
        }
        (
            Role::Administrator
            | Role::HumanResources
            | Role::InformationTechnology
            | Role::Approver
            | Role::Auditor
            | Role::Employee,
            code,
        ) => Ok(Some(choose_contract(store, code).await?)),
    }
}

/// The contract with `code`, or the only one there is.
pub async fn choose_contract(store: &dyn Store, code: Option<&str>) -> anyhow::Result<ContractId> {
    let contracts = store.list_contracts().await?;
    let found = match code {
        Some(code) => contracts.iter().find(|contract| contract.code == code),
        None if contracts.len() == 1 => contracts.first(),
        None => None,
    };
    found.map(|contract| contract.id).ok_or_else(|| {
        let codes: Vec<_> = contracts.iter().map(|contract| contract.code.as_str()).collect();
        let there = if codes.is_empty() {
            "none: make one with `mngntime contract create`".into()
        } else {
            codes.join(", ")
        };
        match code {
            Some(code) => BadUse(format!("there is no contract {code}; there is {there}")).into(),
            None => BadUse(format!("name the contract with --contract; there is {there}")).into(),
        }
    })
}

/// The password on standard input, without the line's end.
pub fn password_from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    // One byte more than allowed shows a longer one without reading all of it.
    std::io::stdin().take(passwords::PASSWORD_BYTES_MAX as u64 + 3).read_to_string(&mut text)?;
    let password = without_line_end(&text).to_owned();
    if password.is_empty() {
        return Err(BadUse("no password came on standard input".into()).into());
    }
    Ok(password)
}

/// Spaces are part of a password, as in the forms of the web pages.
fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_ends_with_its_line_and_not_before() {
        assert_eq!(without_line_end(" correct horse \r\n"), " correct horse ");
        assert_eq!(without_line_end("\u{3000}x\u{3000}"), "\u{3000}x\u{3000}");
    }
}
