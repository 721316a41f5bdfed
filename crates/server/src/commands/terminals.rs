//! `mngntime terminal list|block|unblock`.

use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::{ContractId, Store, Terminal, TerminalStatus};

use super::administrators::choose_contract;
use super::contracts::refusal_is_bad_use;
use super::{BadUse, ContractChoice, TerminalChoice, TerminalCommand, act, block_on, open_existing, print};
use crate::punch_line::rfc3339;

/// Terminals read at once.
const PAGE: usize = 1_000;

/// Runs one of the commands.
pub fn run(command: &TerminalCommand) -> anyhow::Result<()> {
    match command {
        TerminalCommand::List(choice) => list(choice),
        TerminalCommand::Block(choice) => set(choice, TerminalStatus::Blocked),
        TerminalCommand::Unblock(choice) => set(choice, TerminalStatus::Active),
    }
}

const HEAD: &str = "terminal                              status   conflict  waiting  head  last_contact_at           host_name";

fn list(choice: &ContractChoice) -> anyhow::Result<()> {
    let store = open_existing(&choice.data)?;
    let terminals = block_on(async {
        let contract = choose_contract(&*store, choice.contract.as_deref()).await?;
        read_all(&*store, contract).await
    })?;
    print(|out| {
        writeln!(out, "{HEAD}")?;
        terminals
            .iter()
            .try_for_each(|terminal| writeln!(out, "{}", line(terminal)))
    })
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
    let conflict = if terminal.conflict { "yes" } else { "no" };
    let contact = terminal
        .last_contact_at
        .map_or_else(|| "never".to_owned(), |at: UtcMillis| rfc3339(at));
    format!(
        "{:<36}  {:<7}  {conflict:<8}  {:<7}  {:<4}  {contact:<24}  {}",
        terminal.id.to_string(),
        terminal.status.name(),
        terminal.waiting,
        terminal.head,
        terminal.host_name
    )
}

fn set(choice: &TerminalChoice, status: TerminalStatus) -> anyhow::Result<()> {
    let terminal = TerminalId::parse(&choice.terminal).map_err(|error| BadUse(error.to_string()))?;
    let store = open_existing(&choice.contract.data)?;
    let rejudged = block_on(async {
        let contract = choose_contract(&*store, choice.contract.contract.as_deref()).await?;
        store
            .set_terminal_status(contract, terminal, status, act())
            .await
            .map_err(refusal_is_bad_use)
    })?;
    println!("terminal={terminal} status={} rejudged={rejudged}", status.name());
    Ok(())
}
