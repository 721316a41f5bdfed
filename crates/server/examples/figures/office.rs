//! Many terminals at once, straight into a store.
//!
//! Enrolling a hundred thousand PCs one by one over TLS takes minutes, in which nothing is measured. Here they come through
//! the store's own ports, as the server would bring them: each is enrolled, has sent one event, and has its account linked
//! to an employee, so that its punches are judged as those of an office are.

use anyhow::{Context as _, Result};
use mngntime_model::{ContractCode, TerminalId, UtcMillis};
use mngntime_server::app::system_clock;
use mngntime_sim::load::Terminal;
use mngntime_store::{
    AccountFilter, Act, ContractId, ContractSettings, EmployeeChoice, Enrolment, IncomingBatch,
    IncomingEvent, KeyHash, LinkRequest, NewContract, NewEmployee, SignedBatch, Store,
};

/// Contracts among which the terminals are shared out in turn; in a new store their ids are 1 to this.
pub const CONTRACTS: usize = 4;

pub const ENROLLMENT_KEY: &str = "key-of-the-bench";
const SEED: u64 = 1;

/// Terminals on their way into the store at the same time.
const AT_ONCE: usize = 500;

/// The id of terminal `number`: one that [`super::reference`] can write in SQL.
fn id(number: usize) -> Result<TerminalId> {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&u32::try_from(number)?.to_be_bytes());
    Ok(TerminalId::from_random(bytes))
}

/// Accounts that the store links in one go, at most.
const LINKS_AT_ONCE: usize = 1_000;

/// Makes `terminals` of them in an empty store.
pub fn make(store: &dyn Store, terminals: usize) -> Result<Vec<Terminal>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut all = Vec::with_capacity(terminals);
        for first in 0..CONTRACTS {
            all.extend(of_contract(store, (first..terminals).step_by(CONTRACTS)).await?);
        }
        // In turn again, as their numbers say.
        all.sort_by_key(|(number, _)| *number);
        Ok(all.into_iter().map(|(_, terminal)| terminal).collect())
    })
}

async fn of_contract(
    store: &dyn Store,
    numbers: impl Iterator<Item = usize>,
) -> Result<Vec<(usize, Terminal)>> {
    let numbers: Vec<usize> = numbers.collect();
    let code = format!("office{}", numbers.first().copied().unwrap_or_default() % CONTRACTS);
    let act = Act::command_line(system_clock()());
    let new =
        NewContract { code: ContractCode::new(&code)?, name: code.clone(), key: KeyHash::of(ENROLLMENT_KEY) };
    let contract = store.create_contract(new, act.clone()).await?;
    // The load happens now, whenever that is: without a night a figure is the same at any time of the day.
    let settings = ContractSettings { day_begins_minutes: Some(0), ..ContractSettings::default() };
    store.change_settings(contract, code.clone(), settings, act.clone()).await?;
    let mut made = Vec::with_capacity(numbers.len());
    for some in numbers.chunks(AT_ONCE) {
        let beginning = some.iter().map(|number| begin(store, contract, &code, *number));
        made.extend(futures_util::future::try_join_all(beginning).await?);
    }
    let accounts = store.list_accounts(contract.into(), AccountFilter::All, made.len()).await?;
    for some in accounts.chunks(LINKS_AT_ONCE) {
        store.link_accounts(contract, some.iter().map(link).collect(), act.clone()).await?;
    }
    Ok(made)
}

fn link(account: &mngntime_store::Account) -> LinkRequest {
    LinkRequest {
        account: account.id,
        employee: EmployeeChoice::New(NewEmployee::named(account.name.clone(), account.name.clone())),
        from: mngntime_store::local_date(UtcMillis(0)),
        to: None,
    }
}

/// Enrols a terminal, and takes its first event.
async fn begin(
    store: &dyn Store,
    contract: ContractId,
    code: &str,
    number: usize,
) -> Result<(usize, Terminal)> {
    let mut terminal = Terminal::new(SEED, number, code)?;
    let (at, id) = (system_clock()(), id(number)?);
    terminal.enrolled_as(id);
    let asked = terminal.enrollment(ENROLLMENT_KEY);
    let enrolment = Enrolment {
        contract: asked.contract,
        key: KeyHash::of(ENROLLMENT_KEY),
        public_key: asked.public_key,
        host_name: asked.host_name,
        os: asked.os,
        makeup: asked.makeup,
        key_class: asked.key_class,
        agent_version: asked.agent.clone(),
        proposed: id,
        at,
    };
    store.enroll(enrolment).await.context("could not enrol")?;
    let event = terminal.next_event(at)?;
    let signed = SignedBatch { digest: event.digest, signature: String::new(), payload: "{}".to_owned() };
    let batch = IncomingBatch {
        contract,
        terminal: id,
        received_at: at,
        clock_offset_ms: 0,
        waiting: 1,
        makeup: terminal.makeup(),
        agent_version: asked.agent,
        boot: event.event.boot.to_string(),
        boot_counter_ms: 1,
        day_begins_minutes: 300,
        events: vec![IncomingEvent {
            resent: false,
            digest: event.digest,
            json: event.json,
            event: event.event,
            stamped_at: None,
        }],
        signed,
    };
    store.receive(batch).await.context("could not take the first event")?;
    Ok((number, terminal))
}
