//! `mngntime up`: everything on this PC with one command, to try the product.
//!
//! Standard output gets exactly one line, when the server answers. A second start on the same directory
//! finds the contract, the administrator and their secrets again.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mngntime_model::ContractCode;
use mngntime_store::{Act, ContractId, KeyHash, NewAdministrator, Role, Store};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::serve::{check_listen, prepare, runtime, serve, stop_signal};
use super::{administrators, child, contracts, files, start_logging};
use crate::app::{Shared, system_clock};
use crate::passwords;
use crate::settings::{Settings, Sources};

const CONTRACT: &str = "demo";
const LOGIN: &str = "admin";

/// Secrets of a trial, kept so that the next start prints the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Credentials {
    enrollment_key: String,
    password: String,
}

/// Runs a trial until SIGTERM or SIGINT.
pub fn run(directory: &Path, listen: Option<String>) -> anyhow::Result<()> {
    let settings = settings(directory, listen)?;
    start_logging(&settings.log)?;
    runtime()?.block_on(async {
        let stop = stop_signal()?;
        let (app, bound) = prepare(settings).await?;
        let credentials = set_up(&app, directory).await?;
        let (stopping, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(app.clone(), bound, wait_for(stopped.clone())));
        announce(&app, &credentials);
        let agent = start_agent(&app, directory, &credentials, stopped)?;
        stop.await;
        stopping.send_replace(true);
        if let Some(agent) = agent {
            agent.await.context("the agent's keeper failed")?;
        }
        serving.await.context("the server's task failed")?
    })
}

async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // The sender lives as long as the server; should it be gone, stopping is right too.
    drop(stopped.wait_for(|stopped| *stopped).await);
}

fn settings(directory: &Path, listen: Option<String>) -> anyhow::Result<Settings> {
    if let Some(listen) = &listen {
        check_listen(listen)?;
    }
    // A trial is as quiet as its one line allows; MNGNTIME_LOG turns the log up.
    let sources = Sources::defaults()
        .with_argument("log", Some("warn".into()))?
        .with_environment(|name| std::env::var(name).ok())?
        .with_argument("listen", listen)?
        .with_argument("data_dir", Some(directory.display().to_string()))?;
    Ok(sources.settle()?)
}

/// Makes what is missing of contract, administrator and credentials.
async fn set_up(app: &Shared, directory: &Path) -> anyhow::Result<Credentials> {
    let file = directory.join("credentials");
    let kept = read_credentials(&file)?;
    let credentials = match kept.clone() {
        Some(kept) => kept,
        None => Credentials { enrollment_key: files::new_secret()?, password: files::new_secret()? },
    };
    let contract = set_up_contract(&*app.store, &credentials, kept.is_none()).await?;
    set_up_administrator(&*app.store, contract, &credentials, kept.is_none()).await?;
    if kept.is_none() {
        files::write_private(&file, &toml::to_string(&credentials)?)?;
    }
    Ok(credentials)
}

fn read_credentials(file: &Path) -> anyhow::Result<Option<Credentials>> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let hint = || format!("{} is damaged; remove it and new secrets are made", file.display());
            Ok(Some(toml::from_str(&text).with_context(hint)?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", file.display())),
    }
}

/// Somebody who has removed the credentials gets new ones for what is there.
async fn set_up_contract(
    store: &dyn Store,
    credentials: &Credentials,
    renew: bool,
) -> anyhow::Result<ContractId> {
    let key = KeyHash::of(&credentials.enrollment_key);
    match store.contract(CONTRACT).await? {
        Some(contract) if renew => {
            store.revoke_enrollment_keys(contract.id, act()).await?;
            store.add_enrollment_key(contract.id, key, act()).await?;
            Ok(contract.id)
        }
        Some(contract) => Ok(contract.id),
        None => {
            let code = ContractCode::new(CONTRACT)?;
            let new = mngntime_store::NewContract { code, name: "Demo".into(), key };
            store.create_contract(new, act()).await.map_err(contracts::refusal_is_bad_use)
        }
    }
}

async fn set_up_administrator(
    store: &dyn Store,
    contract: ContractId,
    credentials: &Credentials,
    renew: bool,
) -> anyhow::Result<()> {
    match store.administrator(LOGIN).await? {
        Some(found) if renew => {
            let hash = passwords::hash_new(&credentials.password)?;
            Ok(store.set_password(found.id, hash, true, act()).await?)
        }
        Some(_) => Ok(()),
        None => {
            let role = Role::Administrator;
            let new = NewAdministrator {
                display_name: "Administrator".into(),
                ..NewAdministrator::new(LOGIN, role, Some(contract))
            };
            administrators::make(store, new, &credentials.password).await
        }
    }
}

fn act() -> Act {
    Act::command_line(system_clock()())
}

/// The one line. Connections are accepted from here on: the socket has been listening since it was bound.
fn announce(app: &Shared, credentials: &Credentials) {
    println!(
        "ready url={} contract={CONTRACT} enrollment-key={} admin={LOGIN} password={}",
        app.url(),
        credentials.enrollment_key,
        credentials.password
    );
}

/// Writes the agent's configuration and starts it, where that is possible.
fn start_agent(
    app: &Shared,
    directory: &Path,
    credentials: &Credentials,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<Option<tokio::task::JoinHandle<()>>> {
    let config = write_agent_config(app, directory, credentials)?;
    let Some(executable) = child::agent_executable() else {
        eprintln!(
            "mngntime: no mngntime-agent beside this executable and none in MNGNTIME_AGENT: serving without an agent"
        );
        return Ok(None);
    };
    if !child::has_system_bus() {
        eprintln!("mngntime: no system bus here, so no logind to listen to: serving without an agent");
        return Ok(None);
    }
    Ok(Some(tokio::spawn(child::keep_running(executable, config, stopped))))
}

#[derive(Serialize)]
struct AgentConfig<'a> {
    server_url: String,
    contract_code: &'a str,
    enrollment_key: &'a str,
    state_dir: PathBuf,
}

fn write_agent_config(app: &Shared, directory: &Path, credentials: &Credentials) -> anyhow::Result<PathBuf> {
    let home = std::path::absolute(directory)?.join("agent");
    files::make_private_directory(&home.join("state"))?;
    let config = AgentConfig {
        server_url: app.url(),
        contract_code: CONTRACT,
        enrollment_key: &credentials.enrollment_key,
        state_dir: home.join("state"),
    };
    let file = home.join("config.toml");
    files::write_private(&file, &toml::to_string(&config)?)?;
    Ok(file)
}
