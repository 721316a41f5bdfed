//! `mngntime admin create`.

use std::io::Read;
use std::path::PathBuf;

use mngntime_store::{ContractId, NewAdministrator, Role, Store};

use super::contracts::refusal_is_bad_use;
use super::{BadUse, act, block_on, files, open_existing};
use crate::passwords;

/// Arguments of `admin create`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The server's data directory.
    #[arg(long)]
    data: PathBuf,
    /// Login: 1 to 64 printable characters without ':'.
    #[arg(long)]
    login: String,
    /// Name for reading; the login when absent.
    #[arg(long)]
    name: Option<String>,
    /// What they may do: administrator, hr, it, auditor or operator.
    #[arg(long, default_value = "administrator")]
    role: String,
    /// Code of the contract they belong to; needed when there are several.
    #[arg(long)]
    contract: Option<String>,
    /// Read the password from standard input. Without it one is made and printed.
    #[arg(long)]
    password_stdin: bool,
}

/// Makes somebody who can sign in.
pub fn create(arguments: &Arguments) -> anyhow::Result<()> {
    check_login(&arguments.login)?;
    let role = role(&arguments.role)?;
    let store = open_existing(&arguments.data)?;
    let contract = block_on(contract_of(&*store, role, arguments.contract.as_deref()))?;
    let (password, made) =
        if arguments.password_stdin { (password_from_stdin()?, false) } else { (files::new_secret()?, true) };
    let name = arguments.name.as_deref().unwrap_or(&arguments.login);
    block_on(make(&*store, &arguments.login, name, &password, role, contract))?;
    println!("admin={}", arguments.login);
    if made {
        println!("password={password}");
        eprintln!("Write the password down: it is not shown again.");
    }
    Ok(())
}

/// Makes an administrator.
pub async fn make(
    store: &dyn Store,
    login: &str,
    name: &str,
    password: &str,
    role: Role,
    contract: Option<ContractId>,
) -> anyhow::Result<()> {
    let password_hash = passwords::hash_new(password).map_err(|error| BadUse(error.to_string()))?;
    let new = NewAdministrator {
        login: login.to_owned(),
        display_name: name.to_owned(),
        password_hash,
        role,
        contract,
    };
    store.create_administrator(new, act()).await.map(drop).map_err(refusal_is_bad_use)
}

/// A login travels in HTTP Basic, where ':' ends it.
fn check_login(login: &str) -> Result<(), BadUse> {
    let length = login.chars().count();
    let fits =
        (1..=64).contains(&length) && !login.chars().any(|c| c.is_control() || c.is_whitespace() || c == ':');
    if fits {
        Ok(())
    } else {
        Err(BadUse("a login needs 1 to 64 printable characters without space or ':'".into()))
    }
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
        (Role::Administrator | Role::HumanResources | Role::InformationTechnology | Role::Auditor, code) => {
            Ok(Some(choose_contract(store, code).await?))
        }
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
    let password = text.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(BadUse("no password came on standard input".into()).into());
    }
    Ok(password)
}
