//! Moving a store from SQLite's file into PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "suite/cluster.rs"]
mod cluster;
#[allow(dead_code, reason = "the fixture is the contract suite's")]
#[path = "suite/fixture.rs"]
mod fixture;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use cluster::Cluster;
use fixture::{NOW, Office, act, contract, day, employee, logon, office};
use mngntime_model::EventKind;
use mngntime_store::moving::{MoveError, Moved, Moving};
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{
    AccountFilter, Departments as _, Directory, EmployeeChoice, Intake as _, NewAdministrator, NewDepartment,
    NewEmployee, Operators as _, People as _, PunchFilter, Role, Scope, Sid, Store, Upn, postgres,
};

/// Two people, one of them linked, below a department; an administrator, a remark's worth of tables.
async fn filled(directory: &Path) -> Office {
    let store = SqliteStore::open(directory).unwrap();
    let office = office(&store).await;
    let events = (1..=40).map(|n| logon(n, if n % 2 == 0 { "hanako" } else { "taro" }, NOW.plus(n as i64)));
    office.receive(&store, events.collect()).await;
    let mut request = office.request(&store, "hanako", day(-30), None).await;
    let directory = Directory { upn: Upn::parse("hanako@example.co.jp"), sid: Sid::parse("S-1-5-21-1") };
    request.employee = EmployeeChoice::New(NewEmployee { directory, ..employee("hanako") });
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    // A parent with a later id than its child: rows go in the order of their keys.
    let child = NewDepartment { code: "D1".into(), name: "課".into(), parent: None };
    let child = store.add_department(office.contract, child, act()).await.unwrap();
    let parent = NewDepartment { code: "D2".into(), name: "部".into(), parent: None };
    let parent = store.add_department(office.contract, parent, act()).await.unwrap();
    store.move_department(office.contract, child, Some(parent), act()).await.unwrap();
    let person = NewAdministrator::new("kimura", Role::Administrator, Some(office.contract));
    store.create_administrator(person, act()).await.unwrap();
    office
}

/// A thread of its own: a move waits for the network, as no thread of an asynchronous runtime may.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

fn moved(directory: &Path, url: &str) -> Result<Moved, MoveError> {
    aside(|| {
        let mut moving = Moving::begin(directory, url)?;
        let moved = moving.copy(&mut |_| {})?;
        moving.close_source()?;
        Ok(moved)
    })
}

/// What two stores show.
async fn shown(store: &dyn Store, office: &Office) -> String {
    let scope = Scope::from(office.contract);
    let punches = store.list_punches(scope, PunchFilter::default(), None, 100).await.unwrap();
    let figures = store.day_figures(scope, NOW).await.unwrap();
    let accounts = store.list_accounts(scope, AccountFilter::All, 100).await.unwrap();
    let employees = store.list_employees(scope, None, 100).await.unwrap();
    let departments = store.list_departments(office.contract).await.unwrap();
    let months = store.unsigned_months(None).await.unwrap();
    format!("{punches:?} {figures:?} {accounts:?} {employees:?} {departments:?} {months:?}")
}

#[tokio::test]
async fn everything_is_moved_and_the_new_database_goes_on_where_the_file_ended() {
    let cluster = Cluster::start(&[]);
    cluster.create("office", None);
    let url = cluster.url("office");
    let directory = tempfile::tempdir().unwrap();
    let office = filled(directory.path()).await;
    let still_open = SqliteStore::open(directory.path()).unwrap();
    let before = shown(&still_open, &office).await;
    let told = moved(directory.path(), &url).unwrap();
    assert_eq!(
        (told.events, told.found),
        (40, 1),
        "the row of the quarantine's counts is there from the beginning"
    );

    let store = postgres::open(&url).unwrap();
    assert_eq!(shown(&store, &office).await, before);
    let next = logon(41, "taro", NOW.plus(41));
    assert_eq!(office.results(&store, vec![next.clone()]).await, [Some(7)], "it goes on");
    let waiting = office.account(&store, "taro").await.waiting;
    assert_eq!(waiting, 21, "what waits was counted once, and is counted on");
    let other = contract(&store, "other").await;
    assert_ne!(other, office.contract, "a new contract gets a number of its own");
    assert_eq!(
        cluster.ask("office", "SELECT count(*) = max(leaf) + 1 FROM log_leaves WHERE contract_id = 1"),
        "t"
    );
    let references = "SELECT count(*) > 30 FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(cluster.ask("office", references), "t", "references are there again");
    assert!(
        cluster.ask("office", "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'")
            == "0"
    );

    let places = "SELECT (SELECT count(*) FROM batches_2026_11) = (SELECT count(*) FROM batches), (SELECT count(*) > 0 FROM batches)";
    assert_eq!(cluster.ask("office", places), "t|t", "everything lies in its month");

    assert!(still_open.receive(office.batch(vec![next])).await.is_err(), "the file takes nothing more");
    assert_eq!(shown(&still_open, &office).await, before, "and can be read");
    assert!(matches!(moved(directory.path(), &url), Err(MoveError::MovedAlready { .. })));
}

#[tokio::test]
async fn a_move_that_was_interrupted_goes_on_also_when_the_file_has_changed_meanwhile() {
    let cluster = Cluster::start(&[]);
    cluster.create("office", None);
    let url = cluster.url("office");
    let directory = tempfile::tempdir().unwrap();
    let office = filled(directory.path()).await;
    let interrupted = |until: &str| {
        let ended = aside(|| {
            let mut moving = Moving::begin(directory.path(), &url).unwrap();
            catch_unwind(AssertUnwindSafe(|| {
                moving.copy(&mut |progress| assert!(progress.table < until, "the power goes"))
            }))
        });
        assert!(ended.is_err());
    };
    interrupted("judgements");
    assert!(matches!(postgres::open(&url), Err(postgres::OpenError::Unfinished)), "no server begins on it");
    let store = SqliteStore::open(directory.path()).unwrap();
    let more = fixture::event(41, EventKind::Logoff, Some(fixture::identity("hanako")), NOW.plus(41));
    office.receive(&store, vec![more]).await;
    let before = shown(&store, &office).await;
    interrupted("punches");
    let told = moved(directory.path(), &url).unwrap();
    assert!(told.found > 40 && told.events == 41, "{told:?}");
    assert_eq!(shown(&postgres::open(&url).unwrap(), &office).await, before);
}

#[tokio::test]
async fn of_two_moves_into_one_database_the_second_is_told_of_the_first() {
    let cluster = Cluster::start(&[]);
    cluster.create("office", None);
    let url = cluster.url("office");
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(one.path()).await;
    filled(other.path()).await;
    aside(|| {
        let first = Moving::begin(one.path(), &url).unwrap();
        let second = Moving::begin(other.path(), &url);
        assert!(matches!(second, Err(MoveError::AnotherMove)), "{second:?}");
        drop(first);
        assert!(Moving::begin(other.path(), &url).is_ok(), "it has ended");
    });
}

#[tokio::test]
async fn nothing_is_begun_on_a_database_in_use_or_while_somebody_writes() {
    let cluster = Cluster::start(&[]);
    cluster.create("office", None);
    let url = cluster.url("office");
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(moved(directory.path(), &url), Err(MoveError::NoFile { .. })));
    filled(directory.path()).await;
    office(&postgres::open(&url).unwrap()).await;
    let refused = moved(directory.path(), &url);
    assert!(matches!(refused, Err(MoveError::NotEmpty)), "{refused:?}");
    let store = SqliteStore::open(directory.path()).unwrap();
    contract(&store, "later").await;
}
