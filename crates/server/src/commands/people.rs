//! `mngntime admin list|disable|enable|setup-link|reset-means`: what is done about somebody who signs in when no page helps,
//! beside a running server. It is the way for operators, who belong to no contract, and for the last administrator of one.
//!
//! All of it counts at once: the server asks the store with every request.

use std::path::PathBuf;

use mngntime_store::{Administrator, Beside, ContractId, Refusal, Store, StoreError, local_date};

use super::contracts::refusal_is_bad_use;
use super::{BadUse, OWN_URL, act, block_on, open_existing, print};
use crate::access::Subject;
use crate::app::system_clock;
use crate::invitation::{self, InviteError};
use crate::tries;
use crate::web::visible::in_one_line;

/// People read in one go.
const PAGE: usize = 500;

/// Arguments of `admin list`.
#[derive(Debug, clap::Args)]
pub struct ListArguments {
    /// The server's data directory.
    #[arg(long)]
    data: PathBuf,
    /// Code of a contract: only its people; without it operators first, then everybody by contract.
    #[arg(long)]
    contract: Option<String>,
}

/// Whom it is about.
#[derive(Debug, clap::Args)]
pub struct One {
    /// The server's data directory.
    #[arg(long)]
    data: PathBuf,
    /// Whose.
    #[arg(long)]
    login: String,
}

/// Arguments of `admin setup-link`.
#[derive(Debug, clap::Args)]
pub struct LinkArguments {
    #[command(flatten)]
    one: One,
    /// The server's address for that link, as their browser reaches it.
    #[arg(long, default_value = OWN_URL)]
    url: String,
}

/// Prints one line for each person.
pub fn list(arguments: &ListArguments) -> anyhow::Result<()> {
    let store = open_existing(&arguments.data)?;
    let lines = block_on(lines(&*store, arguments.contract.as_deref()))?;
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))
}

async fn lines(store: &dyn Store, code: Option<&str>) -> anyhow::Result<Vec<String>> {
    let contracts = store.list_contracts().await?;
    let mut places: Vec<_> = contracts.iter().map(|found| (Some(found.id), found.code.as_str())).collect();
    match code {
        Some(code) => places.retain(|(_, found)| *found == code),
        None => places.insert(0, (None, "-")),
    }
    if places.is_empty() {
        return Err(BadUse(format!("there is no contract {}", code.unwrap_or_default())).into());
    }
    let mut lines = Vec::new();
    for (contract, code) in places {
        lines.extend(read_all(store, contract).await?.iter().map(|person| line(person, code)));
    }
    Ok(lines)
}

async fn read_all(store: &dyn Store, contract: Option<ContractId>) -> anyhow::Result<Vec<Administrator>> {
    let (mut people, mut at) = (Vec::new(), None);
    loop {
        let page = store.administrator_page(contract, String::new(), at, PAGE).await?;
        people.extend(page.rows.into_iter().map(|row| row.person));
        match page.next {
            Some(next) => at = Some(Beside::After(next)),
            None => return Ok(people),
        }
    }
}

fn line(person: &Administrator, code: &str) -> String {
    let data = &person.data;
    let (login, role) = (in_one_line(&data.login), data.role.name());
    format!("{login} role={role} contract={code} state={}", state(person))
}

/// Whether somebody signs in, in one word.
fn state(person: &Administrator) -> &'static str {
    if person.disabled_at.is_some() {
        "disabled"
    } else if Subject::of(person).in_force(local_date(system_clock()())).is_err() {
        "out-of-dates"
    } else if person.data.password_hash.is_none() {
        "without-password"
    } else {
        "active"
    }
}

/// Somebody by their login, as it stands or as it is meant.
async fn find(store: &dyn Store, login: &str) -> anyhow::Result<Administrator> {
    let (_, found) = tries::whose(store, login).await?;
    let nobody = || BadUse(format!("there is no login {}; see: mngntime admin list", in_one_line(login)));
    Ok(found.ok_or_else(nobody)?)
}

/// Lets somebody sign in no more, or again.
pub fn set_disabled(one: &One, disabled: bool) -> anyhow::Result<()> {
    let store = open_existing(&one.data)?;
    block_on(async {
        let person = find(&*store, &one.login).await?;
        let done = store.set_disabled(person.data.contract, person.id, disabled, act()).await;
        done.map_err(refusal_is_bad_use)?;
        println!("{}={}", if disabled { "disabled" } else { "enabled" }, in_one_line(&person.data.login));
        Ok(())
    })
}

/// Prints a link with which somebody chooses a new password.
pub fn setup_link(arguments: &LinkArguments) -> anyhow::Result<()> {
    let store = open_existing(&arguments.one.data)?;
    block_on(async {
        let person = find(&*store, &arguments.one.login).await?;
        let made = match invitation::invite(&*store, person.data.contract, person.id, act()).await {
            Err(InviteError::Store(StoreError::Refused(Refusal::Missing { .. }))) => {
                let login = in_one_line(&person.data.login);
                return Err(BadUse(format!("{login} is disabled; first: mngntime admin enable")).into());
            }
            made => made?,
        };
        println!("admin={}", in_one_line(&person.data.login));
        println!("setup-link={}", made.address(&arguments.url));
        eprintln!(
            "The link works once, for {} hours, and is not shown again. The password of before works until it is used.",
            invitation::HOURS
        );
        Ok(())
    })
}

/// Takes second factors, recovery codes, links to providers and tokens from somebody: the way back in for operators,
/// and for the last administrator of a contract.
pub fn reset_means(one: &One) -> anyhow::Result<()> {
    let store = open_existing(&one.data)?;
    block_on(async {
        let person = find(&*store, &one.login).await?;
        let done = store.reset_means(person.data.contract, person.id, act()).await;
        done.map_err(refusal_is_bad_use)?;
        println!("reset={}", in_one_line(&person.data.login));
        eprintln!("The password stays as it is. A new one: mngntime admin setup-link");
        Ok(())
    })
}
