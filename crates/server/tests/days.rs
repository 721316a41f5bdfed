//! What a terminal's last contact vouches for, on the pages and in packs, and how far a stay reaches.

use crate::support::{DAY_MS, NOW, Pc, Server};
use jiff::ToSpan as _;
use mngntime_attendance::completeness::Why;
use mngntime_attendance::person_day::{First, Level, PersonDay, Silence};
use mngntime_evidence::{Line, Verifier};
use mngntime_model::{EventKind, TerminalId, UtcMillis};
use mngntime_server::days;
use mngntime_server::evidence::record::{Request, Writer};
use mngntime_server::person_days::PersonDays;
use mngntime_store::{AccountFilter, EmployeeChoice, LinkRequest, NewEmployee, local_date};
use mngntime_wire::EncodedEvent;

const HOUR_MS: i64 = 3_600_000;

/// What is known of a terminal's day: each stretch's reason and end, in hours since [`NOW`].
async fn day(server: &Server, pc: &Pc) -> Vec<(Why, i64)> {
    let id = TerminalId::parse(&pc.terminal).unwrap();
    let terminal = server.app.store.terminal(server.contract, id).await.unwrap().unwrap();
    let date = mngntime_store::local_date(NOW);
    let store = &*server.app.store;
    let days = days::of_terminal(store, server.contract, &terminal, (date, date), server.app.now()).await;
    let parts = days.unwrap().remove(0).day.parts;
    parts.iter().map(|part| (part.why, (part.to.0 - NOW.0) / HOUR_MS)).collect()
}

/// A sign of life of an OS run.
async fn sign_of_life(server: &Server, pc: &mut Pc, boot: &str) {
    pc.wall = server.app.now();
    pc.boot = boot.to_owned();
    pc.biased_ms += 60_000;
    server.deliver(&pc.batch(&[])).await;
}

/// A PC that began to be watched at [`NOW`], and its server four hours later.
async fn watched_pc() -> (Server, Pc) {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.event(EventKind::ServiceStart, None, NOW), pc.logon("hanako")];
    server.deliver(&pc.batch(&events)).await;
    server.pass(4 * HOUR_MS);
    (server, pc)
}

#[tokio::test]
async fn a_sign_of_life_vouches_for_the_run_that_gave_it() {
    let (server, mut pc) = watched_pc().await;
    sign_of_life(&server, &mut pc, "boot-1").await;
    server.pass(2 * HOUR_MS);
    assert_eq!(day(&server, &pc).await, [(Why::BeforeFirstStart, 0), (Why::Watched, 4), (Why::Silent, 6)]);
}

#[tokio::test]
async fn a_sign_of_life_of_another_os_run_does_not() {
    let (server, mut pc) = watched_pc().await;
    // A second PC with its identity, or a restart whose records this server has lost.
    sign_of_life(&server, &mut pc, "boot-2").await;
    assert_eq!(day(&server, &pc).await, [(Why::BeforeFirstStart, 0), (Why::Silent, 4)]);
    // The record of the start says what there was to say.
    let start = pc.event(EventKind::ServiceStart, None, server.app.now());
    let mut start = EncodedEvent::decode(&start).unwrap();
    start.event.boot = mngntime_model::BootId::new("boot-2").unwrap();
    start.event.cause = Some("after_power_loss".to_owned());
    let start = EncodedEvent::encode(start.event, start.previous).unwrap().json;
    server.deliver(&pc.batch(&[start])).await;
    server.pass(HOUR_MS / 2);
    sign_of_life(&server, &mut pc, "boot-2").await;
    let parts = day(&server, &pc).await;
    assert_eq!(parts[..2], [(Why::BeforeFirstStart, 0), (Why::Off, 4)]);
    assert_eq!(parts[2].0, Why::Watched);
}

#[tokio::test]
async fn a_message_that_is_played_back_vouches_for_nothing_new() {
    let (server, mut pc) = watched_pc().await;
    pc.wall = server.app.now();
    pc.biased_ms += 60_000;
    let sign = pc.batch(&[]);
    server.deliver(&sign).await;
    server.pass(4 * HOUR_MS);
    server.deliver(&sign).await;
    assert_eq!(day(&server, &pc).await, [(Why::BeforeFirstStart, 0), (Why::Watched, 4), (Why::Silent, 8)]);
}

#[tokio::test]
async fn a_pack_says_the_same_as_the_page_and_its_verifier_agrees() {
    let (server, mut pc) = watched_pc().await;
    for (boot, heard) in [("boot-2", None), ("boot-1", Some(NOW.plus(5 * HOUR_MS)))] {
        if heard.is_some() {
            server.pass(HOUR_MS);
        }
        sign_of_life(&server, &mut pc, boot).await;
        let now = || server.app.now();
        server.app.log_heads.sign_all(&*server.app.store, &server.app.key, now).await.unwrap();
        let request = Request {
            contract: server.app.store.contract("demo").await.unwrap().unwrap(),
            employee: None,
            dates: None,
            server_key: server.app.key.public().to_string(),
            made_at: server.app.now(),
            day_boundary_minutes: 300,
        };
        let mut out = Vec::new();
        Writer::new(&*server.app.store, &request, &mut out).await.unwrap().write().await.unwrap();
        let mut verifier = Verifier::new(server.app.key.public());
        let text = String::from_utf8(out).unwrap();
        text.lines().for_each(|line| verifier.read(line));
        assert_eq!(verifier.finish().faults, []);
        let found = text.lines().find_map(|line| match serde_json::from_str(line) {
            Ok(Line::Terminal(terminal)) => Some(terminal.last_contact_at.map(UtcMillis)),
            _ => None,
        });
        assert_eq!(found, Some(heard), "{boot}");
    }
}

/// The days of whoever has the one account that there is, from three days before [`NOW`] to today.
async fn person(server: &Server) -> Vec<PersonDay> {
    let (store, contract) = (&server.app.store, server.contract);
    let account = store.list_accounts(contract.into(), AccountFilter::All, 9).await.unwrap().remove(0);
    let new = NewEmployee::named("E1", "花子");
    let employee = store.add_employee(contract, new, server.act()).await.unwrap();
    let (choice, from) = (EmployeeChoice::Existing(employee), jiff::civil::date(1990, 1, 1));
    let request = LinkRequest { account: account.id, employee: choice, from, to: None };
    store.link_accounts(contract, vec![request], server.act()).await.unwrap();
    let (first, last) = (local_date(NOW).saturating_sub(3.days()), local_date(server.app.now()));
    let read = PersonDays::read(store.as_ref(), contract, employee, (first, last), 300, server.app.now());
    read.await.unwrap().days.into_iter().map(|dated| dated.day).collect()
}

/// 1999, by a clock without a battery.
const DEAD: UtcMillis = UtcMillis(NOW.0 - 27 * 366 * DAY_MS);

#[tokio::test]
async fn who_signs_in_by_a_dead_clock_was_there_when_the_server_heard_of_it() {
    let server = Server::start().await;
    let mut pc = Pc { wall: DEAD, ..Pc::enrolled(&server, 1).await };
    let events = [pc.event(EventKind::ServiceStart, None, DEAD), pc.logon("hanako")];
    server.deliver(&pc.batch(&events)).await;
    server.pass(HOUR_MS / 2);
    let days = person(&server).await;
    assert!(days[..3].iter().all(|day| day.silence == Some(Silence::BeforeFirstStart)), "{days:?}");
    let First::At { edge, .. } = days[3].first else { panic!("{:?}", days[3]) };
    assert_eq!((edge.at, edge.level), (NOW, Level::Estimated));
    let punch = &server.punches().await[0];
    assert_eq!((punch.occurred_at, punch.stamped_at), (NOW, Some(DEAD)), "what the PC told stands beside it");
}

#[tokio::test]
async fn a_logon_of_1999_that_nothing_explains_fills_no_days() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [
        pc.event(EventKind::ServiceStart, None, NOW),
        pc.event(EventKind::Logon, Some("hanako"), DEAD),
        pc.event(EventKind::Lock, Some("hanako"), NOW.plus(1)),
    ];
    server.deliver(&pc.batch(&events)).await;
    server.pass(DAY_MS);
    let days = person(&server).await;
    let there: Vec<_> = days.iter().map(|day| day.silence.is_none()).collect();
    assert_eq!(there, [false, false, false, true, false], "{days:?}");
}

#[tokio::test]
async fn of_the_days_after_a_pc_was_heard_last_nothing_is_known() {
    let (server, mut pc) = watched_pc().await;
    sign_of_life(&server, &mut pc, "boot-1").await;
    server.pass(3 * DAY_MS);
    let days = person(&server).await;
    let silence: Vec<_> = days[3..].iter().map(|day| day.silence).collect();
    let unknown = Some(Silence::Unknown);
    assert_eq!(silence, [None, unknown, unknown, unknown], "{days:?}");
}
