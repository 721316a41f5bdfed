//! `mngntime terminal list|block|unblock`.

use std::path::{Path, PathBuf};

use mngntime_model::TerminalId;
use mngntime_store::{Act, ContractId, Store, Terminal, TerminalStatus};

use super::administrators::choose_contract;
use super::{BadUse, act, block_on, open_existing, print};
use crate::punch_line::rfc3339;

/// Terminals read in one go: the page size of the store.
const PAGE: usize = 500;

/// Which contract's terminals.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// The server's data directory.
    #[arg(long)]
    data: PathBuf,
    /// Code of the contract; needed when there are several.
    #[arg(long)]
    contract: Option<String>,
}

/// Which terminal.
#[derive(Debug, clap::Args)]
pub struct One {
    #[command(flatten)]
    place: Place,
    /// Its id, as `terminal list` shows it.
    #[arg(long)]
    terminal: String,
}

/// Prints one line for each terminal.
pub fn list(place: &Place) -> anyhow::Result<()> {
    let store = open_existing(&place.data)?;
    let terminals = block_on(async {
        let contract = choose_contract(&*store, place.contract.as_deref()).await?;
        read_all(&*store, contract).await
    })?;
    print(|out| terminals.iter().try_for_each(|terminal| writeln!(out, "{}", line(terminal))))
}

async fn read_all(store: &dyn Store, contract: ContractId) -> anyhow::Result<Vec<Terminal>> {
    let (mut terminals, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_terminals(contract, after, PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|last| (last.host_name.clone(), last.id));
        terminals.extend(page);
        if !full {
            return Ok(terminals);
        }
    }
}

fn line(terminal: &Terminal) -> String {
    format!(
        "{} {} {} head={} waiting={} last_contact={} agent={} key={} standing={} missing={} rollbacks={}",
        terminal.id,
        terminal.host_name,
        terminal.status.name(),
        terminal.head,
        terminal.waiting,
        terminal.last_contact_at.map_or_else(|| "-".to_owned(), rfc3339),
        terminal.agent_version,
        terminal.key_class,
        terminal.standing().name(),
        missing(terminal),
        terminal.rollbacks,
    )
}

/// How many numbers are missing, and between which: `3(5-9)`.
fn missing(terminal: &Terminal) -> String {
    let missing = terminal.missing;
    if missing.count == 0 {
        return "0".to_owned();
    }
    format!("{}({}-{})", missing.count, missing.first, missing.last)
}

/// Sets a terminal's status and says how many stored punches changed by it.
pub fn set(one: &One, status: TerminalStatus) -> anyhow::Result<()> {
    let terminal = TerminalId::parse(&one.terminal).map_err(|error| BadUse(error.to_string()))?;
    let store = open_existing(&one.place.data)?;
    let (changed, now) = block_on(async {
        let contract = choose_contract(&*store, one.place.contract.as_deref()).await?;
        let changed = change(&*store, contract, terminal, status, &one.place.data).await?;
        // One that was blocked before it was retired comes back as blocked.
        let now = store.terminal(contract, terminal).await?.map_or(status, |found| found.status);
        anyhow::Ok((changed, now))
    })?;
    println!("terminal={terminal} status={} rejudged={changed}", now.name());
    Ok(())
}

async fn change(
    store: &dyn Store,
    contract: ContractId,
    terminal: TerminalId,
    status: TerminalStatus,
    data: &Path,
) -> anyhow::Result<u64> {
    if store.terminal(contract, terminal).await?.is_none() {
        let hint = format!("no terminal {terminal} in {}; see: mngntime terminal list", data.display());
        return Err(BadUse(hint).into());
    }
    let act: Act = act();
    Ok(store.set_terminal_status(contract, terminal, status, act).await?)
}
