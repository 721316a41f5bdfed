//! Several nodes on one PostgreSQL write at once: what is numbered without gaps is, and what one node decides holds on the
//! others from its commit on.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "suite/cluster.rs"]
#[allow(dead_code, reason = "this test asks less of it")]
mod cluster;
#[path = "suite/fixture.rs"]
#[allow(dead_code, reason = "this test asks less of it")]
mod fixture;

use std::sync::Arc;

use mngntime_model::{AccountIdentity, EventKind, PunchResult, TerminalId};
use mngntime_store::sqlite::SqlStore;
use mngntime_store::{
    ContractId, ContractSettings, Contracts as _, Directory, EnrollmentOutcome, Intake as _,
    LINKS_BY_SID_MAX, LinksBySid as _, Log as _, LogLook, NewEmployee, People as _, Sender, Sid, StoreError,
    TerminalStatus, Terminals as _, postgres,
};

use cluster::Cluster;
use fixture::{NOW, Office, act, contract, day, employee, enrolment, event, identity, logon, terminal};

/// Batches of each terminal, a punch each.
const BATCHES: u64 = 12;

/// Every so many batches a terminal sends other bytes under a number that is taken, which is counted for all contracts.
const OTHER_BYTES_EVERY: u64 = 4;

fn node(cluster: &Cluster) -> Arc<SqlStore> {
    Arc::new(postgres::open(&cluster.url("empty")).unwrap())
}

async fn sends(node: Arc<SqlStore>, office: Office) {
    for number in 1..=BATCHES {
        let items = office.receive(node.as_ref(), vec![logon(number, "hanako", NOW)]).await;
        assert!(items[0].stored);
        if number % OTHER_BYTES_EVERY == 0 {
            let items = office.receive(node.as_ref(), vec![logon(number, "taro", NOW)]).await;
            assert!(!items[0].stored);
        }
    }
}

/// Makes entries in the audit log of a contract: they are numbered for all contracts and are leaves of its log.
async fn changes(node: Arc<SqlStore>, contract: ContractId, terminal: TerminalId) {
    for _ in 0..BATCHES {
        for status in [TerminalStatus::Blocked, TerminalStatus::Active] {
            node.set_terminal_status(contract, terminal, status, act()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_write_at_once_number_everything_without_a_gap() {
    // The thread that starts the cluster must live as long as it.
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    let nodes = [node(&cluster), node(&cluster)];
    let (mut tasks, mut contracts) = (Vec::new(), Vec::new());
    for code in ["a", "b", "c"] {
        let id = contract(nodes[0].as_ref(), code).await;
        contracts.push(id);
        for number in 0..4 {
            let terminal = terminal(nodes[0].as_ref(), code, &format!("{code}{number}")).await;
            let node = nodes[number % 2].clone();
            tasks.push(tokio::spawn(sends(node, Office { contract: id, terminal })));
        }
        let changed = terminal(nodes[1].as_ref(), code, &format!("{code}-changed")).await;
        tasks.push(tokio::spawn(changes(nodes[1].clone(), id, changed)));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let leaves = "SELECT bool_and(whole) FROM (SELECT count(*) = max(leaf) + 1 AS whole FROM log_leaves GROUP BY contract_id, month) x";
    assert_eq!(cluster.ask("empty", leaves), "t", "leaves of each contract and month");
    assert_eq!(cluster.ask("empty", "SELECT count(*) = max(id) FROM audit"), "t", "entries of the audit log");
    assert_eq!(cluster.ask("empty", "SELECT count(*) FROM events"), (12 * BATCHES).to_string());
    let kept = "SELECT kept = (SELECT count(*) FROM quarantine), kept FROM quarantine_counts";
    assert_eq!(cluster.ask("empty", kept), format!("t|{}", 12 * BATCHES / OTHER_BYTES_EVERY));
    for id in contracts {
        assert_eq!(nodes[0].log_gap(id, LogLook::Places).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_blocked_on_one_node_is_blocked_on_the_other_with_the_next_punch() {
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    let (here, there) = (node(&cluster), node(&cluster));
    let office = fixture::office(here.as_ref()).await;
    let result = async |number| {
        let items = office.receive(there.as_ref(), vec![logon(number, "hanako", NOW)]).await;
        items[0].result.and_then(PunchResult::res)
    };
    assert_eq!(result(1).await, Some(7), "nobody knows the account");
    for number in [2, 4, 6] {
        here.set_terminal_status(office.contract, office.terminal, TerminalStatus::Blocked, act())
            .await
            .unwrap();
        assert_eq!(result(number).await, Some(6));
        here.set_terminal_status(office.contract, office.terminal, TerminalStatus::Active, act())
            .await
            .unwrap();
        assert_eq!(result(number + 1).await, Some(7));
    }
    // Enrolled on the one, known to the other at once.
    let outcome = here.enroll(enrolment("demo", "2")).await.unwrap();
    let EnrollmentOutcome::Enrolled(new) = outcome else { panic!("{outcome:?}") };
    let sender = there.identify("demo", &new.to_string()).await.unwrap();
    assert!(matches!(sender, Sender::Known { terminal, .. } if terminal == new));
}

/// One of them does the jobs; should both ever think so, the second finds what the first has done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_two_nodes_link_by_its_sid_is_linked_once() {
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    let nodes = [node(&cluster), node(&cluster)];
    let office = fixture::office(nodes[0].as_ref()).await;
    let settings = ContractSettings { links_by_sid: true, ..ContractSettings::default() };
    nodes[0].change_settings(office.contract, "x".to_owned(), settings, act()).await.unwrap();
    let mut events = Vec::new();
    for number in 1..=LINKS_BY_SID_MAX as u64 {
        let key = format!("S-1-12-1-1-2-3-{number}");
        let directory = Directory { upn: None, sid: Sid::parse(&key) };
        let new = NewEmployee { directory, ..employee(&key) };
        nodes[0].add_employee(office.contract, new, act()).await.unwrap();
        let account = AccountIdentity { key: key.clone(), ..identity(&key) };
        events.push(event(number, EventKind::Logon, Some(account), NOW));
    }
    office.receive(nodes[0].as_ref(), events).await;
    let found = nodes[1].accounts_to_link_by_sid(day(0)).await.unwrap();
    let [(contract, accounts)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((*contract, accounts.len()), (office.contract, LINKS_BY_SID_MAX));
    let link = |node: &Arc<SqlStore>| {
        let (node, contract, accounts) = (node.clone(), *contract, accounts.clone());
        tokio::spawn(async move { node.link_by_sid(contract, accounts, NOW).await.unwrap().links })
    };
    let [here, there] = nodes.each_ref().map(link);
    let links = [here.await.unwrap(), there.await.unwrap()];
    assert_eq!(links.iter().sum::<u64>(), LINKS_BY_SID_MAX as u64, "{links:?}");
    let most = "SELECT max(links) FROM (SELECT count(*) AS links FROM account_links GROUP BY account_id) x";
    assert_eq!(cluster.ask("empty", most), "1");
}

/// What a reader, the writer and a batch of a PC get from a database that hangs: an answer, in a time that a person waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_away_and_what_was_asked_may_have_been_done() {
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    let node = node(&cluster);
    let office = fixture::office(node.as_ref()).await;
    let hanging = cluster.hangs();
    let begun = std::time::Instant::now();
    let batch = office.batch(vec![logon(1, "hanako", NOW)]);
    let (read, written, received) = tokio::join!(
        node.list_contracts(),
        node.rename_contract(office.contract, "新しい名前".to_owned(), act()),
        node.receive(batch)
    );
    let took = begun.elapsed();
    for error in [read.unwrap_err(), written.unwrap_err(), received.unwrap_err()] {
        assert!(matches!(error, StoreError::Away { .. }), "{error:?}");
    }
    assert!(took < std::time::Duration::from_secs(15), "{took:?}");
    drop(hanging);
    // The writer has gone on meanwhile or does so now; the PC, which has no receipt, sends the same again.
    let items = office.receive(node.as_ref(), vec![logon(1, "hanako", NOW)]).await;
    assert!(items[0].stored);
    assert_eq!(cluster.ask("empty", "SELECT count(*) FROM events"), "1");
}

/// A question that takes its time is no database that hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_slow_is_waited_for() {
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    let node = node(&cluster);
    let office = fixture::office(node.as_ref()).await;
    let locked = std::thread::scope(|scope| {
        let held = scope.spawn(|| {
            cluster.ask(
                "empty",
                "BEGIN; LOCK TABLE contracts IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(12); COMMIT",
            )
        });
        std::thread::sleep(std::time::Duration::from_millis(500));
        let listed =
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(node.list_contracts()));
        held.join().unwrap();
        listed
    });
    assert!(locked.unwrap().iter().any(|contract| contract.id == office.contract));
}
