//! Evidence packs of an honest server whose clock was set, and of PCs whose clocks show anything.

use crate::evidence::kind;
use crate::support::{DAY_MS, NOW, Pc, Server};
use jiff::civil::{Date, date};
use mngntime_evidence::format::Line;
use mngntime_evidence::verify::{FaultKind, Oddity, Stamped};
use mngntime_evidence::{Report, words};
use mngntime_model::{EventKind, Language, UtcMillis};
use mngntime_server::evidence::lettering::FontFile;
use mngntime_server::evidence::pack;
use mngntime_server::evidence::record::Request;
use mngntime_store::{AccountFilter, EmployeeChoice, LinkRequest, NewEmployee};
use mngntime_wire::EncodedEvent;

const MINUTE_MS: i64 = 60_000;

impl Server {
    /// What the reader of a pack finds that is made as `export` does.
    async fn exported(&self, request: &Request) -> Report {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pack.zip");
        let font = FontFile::read(None).unwrap();
        let made = pack::make(&*self.app.store, request, &self.app.key, &font, &path).await;
        made.unwrap().publish().unwrap();
        pack::check(&std::fs::read(path).unwrap(), &self.app.key.public()).unwrap().1
    }

    async fn exported_all(&self) -> Report {
        self.sign().await;
        self.exported(&self.request(None).await).await
    }
}

/// A PC with a start at [`NOW`], and the server ten minutes later.
async fn started() -> (Server, Pc) {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let start = pc.event(EventKind::ServiceStart, None, NOW);
    server.deliver(&pc.batch(&[start])).await;
    server.pass(10 * MINUTE_MS);
    pc.wall = server.app.now();
    (server, pc)
}

#[tokio::test]
async fn a_batch_that_is_sent_again_after_the_clock_was_set_back_spoils_no_pack() {
    for (minutes, odd) in [(1, 0), (5, 0), (6, 1)] {
        let (server, mut pc) = started().await;
        let logon = pc.logon("hanako");
        let batch = pc.batch(&[logon]);
        let first = server.deliver(&batch).await;
        server.pass(-minutes * MINUTE_MS);
        let again = server.deliver(&batch).await;
        assert_eq!(first.received_at - again.received_at, minutes * MINUTE_MS);
        server.pass(minutes * MINUTE_MS);
        let report = server.exported_all().await;
        assert_eq!((report.faults, report.receipts, report.odd_time_count), (vec![], 3, odd), "{minutes}");
        let told = report.odd_times.first().map(|odd| (odd.of.clone(), odd.oddity));
        let terminal = pc.terminal.clone();
        let expected = (
            Stamped::Receipt { terminal, sequence: 2 },
            Oddity::BeforeItsEvent { received: first.received_at },
        );
        assert_eq!(told, (odd > 0).then_some(expected));
    }
}

/// Several threads of one program, or several nodes: times are taken before the batches wait for the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_batches_from_many_sides_at_once_spoil_no_pack() {
    let (server, mut pc) = started().await;
    let mut crossed = 0;
    for _ in 0..20 {
        pc.wall = server.app.now();
        let events: Vec<String> =
            (0..10).map(|_| pc.event(EventKind::Lock, Some("hanako"), pc.wall)).collect();
        let batches: Vec<_> = (0..4).map(|left_out| pc.batch(&events[..10 - left_out])).collect();
        // Each has a clock of its own, and that of the first one is ahead.
        let sent = |index: usize| {
            let (server, batch) = (&server, &batches[index]);
            async move {
                server.pass(if index == 0 { 40 } else { -10 });
                server.deliver(batch).await
            }
        };
        let (one, two, three, four) = tokio::join!(sent(0), sent(1), sent(2), sent(3));
        crossed += [&two, &three, &four].iter().filter(|later| later.received_at < one.received_at).count();
        server.pass(1_000);
    }
    assert_eq!(crossed, 60, "each but the first was given a time before it");
    let report = server.exported_all().await;
    assert_eq!((report.faults.clone(), report.events, report.odd_time_count), (vec![], 201, 0));
    assert_eq!(words::verdict(&report, Language::English), "AUTHENTIC");
}

/// Of a clock that begins in 2009 since its battery is dead: whether it is set right when it is heard.
async fn of_2009(is_heard: bool) -> Report {
    let (server, _) = started().await;
    let mut pc = Pc::enrolled(&server, 2).await;
    let begins = 1_230_768_000_000;
    pc.wall = UtcMillis(begins);
    let start = pc.event(EventKind::ServiceStart, None, pc.wall);
    if !is_heard {
        pc.wall = server.app.now();
    }
    server.deliver(&pc.batch(&[start])).await;
    server.pass(MINUTE_MS);
    pc.wall = server.app.now();
    let event = pc.event(EventKind::TimeChange, None, pc.wall);
    let mut set = EncodedEvent::decode(&event).unwrap();
    set.event.cause = Some(format!("by_ms:{}", server.app.now().0 - begins));
    set.event.session = None;
    let set = EncodedEvent::encode(set.event, set.previous).unwrap();
    pc.previous = set.digest;
    let logon = pc.logon("hanako");
    server.deliver(&pc.batch(&[set.json, logon])).await;
    server.exported_all().await
}

#[tokio::test]
async fn a_pc_that_began_in_2009_by_its_clock_has_the_days_of_today() {
    let report = of_2009(true).await;
    assert_eq!((report.faults, report.days_cut), (vec![], vec![]));
    assert_eq!(report.days.iter().sum::<u64>(), 2, "today, of each PC");
}

#[tokio::test]
async fn of_too_many_days_the_newest_are_in_the_pack_and_it_says_which_are_not() {
    let report = of_2009(false).await;
    assert_eq!((report.faults.clone(), report.days_cut.len()), (vec![], 1));
    assert_eq!(report.days.iter().sum::<u64>(), 1 + 2_196);
    let cut = &report.days_cut[0];
    assert_eq!((cut.dates[0].as_str(), cut.dates[1].as_str(), cut.days), ("2009-01-01", "2020-11-18", 4_340));
    assert!(words::verdict(&report, Language::English).contains("1 terminal(s) whose oldest days"));
}

#[tokio::test]
async fn a_pack_that_was_made_before_what_it_holds_says_so() {
    let (server, mut pc) = started().await;
    let logon = pc.logon("hanako");
    server.deliver(&pc.batch(&[logon])).await;
    server.sign().await;
    let newest = server.app.now();
    for (minutes, odd) in [(0, 0), (5, 0), (6, 1), (3 * 24 * 60, 1)] {
        let made_at = newest.plus(-minutes * MINUTE_MS);
        let request = Request { made_at, ..server.request(None).await };
        let report = server.exported(&request).await;
        assert_eq!((report.faults.clone(), report.odd_time_count), (vec![], odd), "{minutes}");
        let told = report.odd_times.first().map(|odd| (odd.of.clone(), odd.at, odd.oddity));
        let expected = (Stamped::Pack, made_at.0, Oddity::BeforeItsContents { newest: newest.0 });
        assert_eq!(told, (odd > 0).then_some(expected));
        assert_eq!(words::verdict(&report, Language::Japanese) == "真正", odd == 0);
    }
}

/// Times at which something ends: of a calendar, of a time zone, of the numbers themselves.
const ENDS: [i64; 12] = [
    i64::MIN,
    -377_705_116_800_001,
    -70_000_000_000_000,
    -62_000_000_000_000,
    -11_644_473_600_000,
    -620_000_000_000,
    -32_400_001,
    NOW.0 - 400 * DAY_MS,
    32_503_647_600_000,
    253_402_207_200_000,
    253_500_000_000_000,
    i64::MAX,
];

#[tokio::test]
async fn no_time_that_a_pc_may_tell_keeps_anybody_from_a_pack() {
    let server = Server::start().await;
    let end = |at: usize| UtcMillis(ENDS[at % ENDS.len()]);
    let mut seed = 10;
    for at in 0..ENDS.len() {
        for (wall, sent, occurred) in
            [(end(at), end(at), end(at + 1)), (end(at), NOW, end(at)), (end(at), end(at + 5), end(at + 7))]
        {
            seed += 1;
            let mut pc = Pc::enrolled(&server, seed).await;
            pc.wall = wall;
            let events = [
                pc.event(EventKind::ServiceStart, None, occurred),
                pc.event(EventKind::Logon, Some("hanako"), occurred),
                pc.event(EventKind::Logoff, Some("hanako"), wall),
            ];
            pc.wall = sent;
            server.deliver(&pc.batch(&events)).await;
        }
    }
    server.link("hanako", "E1").await;
    let report = server.exported_all().await;
    assert_eq!((report.faults, report.events), (vec![], 3 * report.terminals));
    assert_eq!(report.terminals, 36);
    let one = server.exported(&server.request(Some("E1")).await).await;
    assert_eq!((one.faults, one.terminals > 0), (vec![], true));
}

/// A setting of the clock by so much, told as the account's where there is one.
fn set_by(pc: &mut Pc, milliseconds: i64, account: Option<&str>) -> String {
    let event = pc.event(EventKind::TimeChange, account, pc.wall);
    let mut set = EncodedEvent::decode(&event).unwrap();
    set.event.cause = Some(format!("by_ms:{milliseconds}"));
    set.event.session = set.event.session.filter(|_| account.is_some());
    let set = EncodedEvent::encode(set.event, set.previous).unwrap();
    pc.previous = set.digest;
    set.json
}

impl Server {
    /// Gives an account to somebody new on these dates.
    async fn give(&self, account: &str, code: &str, from: Date, to: Option<Date>) {
        let all = self.app.store.list_accounts(self.contract.into(), AccountFilter::All, 100).await.unwrap();
        let account = all.iter().find(|found| found.name == account).unwrap().id;
        let employee = EmployeeChoice::New(NewEmployee::named(code, code));
        let request = LinkRequest { account, employee, from, to };
        self.app.store.link_accounts(self.contract, vec![request], self.act()).await.unwrap();
    }

    /// The numbers of the logons and logoffs that a pack of one employee and date shows, once it was found authentic.
    async fn shown_on(&self, code: &str, day: Date) -> Vec<u64> {
        let request = Request { dates: Some((day, day)), ..self.request(Some(code)).await };
        self.sign().await;
        assert_eq!(self.exported(&request).await.faults, []);
        let lines = self.record_of(request).await;
        let shown = lines.iter().filter_map(|line| match serde_json::from_str(line) {
            Ok(Line::Event(line)) => EncodedEvent::decode(&line.json).ok(),
            _ => None,
        });
        shown.filter(|it| it.event.kind.is_punch()).map(|it| it.event.sequence).collect()
    }
}

/// The day of [`NOW`], which is at 9:00 in Japan.
const TODAY: Date = date(2026, 11, 23);
const TOMORROW: Date = date(2026, 11, 24);
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A working day of Hanako by a clock that shows 2000 or 2055, until somebody sets it in the afternoon.
async fn a_day_by(years: i64) -> (Server, Pc) {
    let (server, mut pc) = started().await;
    let offset = years * 365 * DAY_MS;
    pc.wall = server.app.now().plus(offset);
    let morning = [pc.event(EventKind::ServiceStart, None, pc.wall), pc.logon("hanako")];
    server.deliver(&pc.batch(&morning)).await;
    server.pass(60 * MINUTE_MS);
    pc.wall = pc.wall.plus(60 * MINUTE_MS);
    let lock = pc.event(EventKind::Lock, Some("hanako"), pc.wall);
    pc.wall = server.app.now();
    let set = set_by(&mut pc, -offset, None);
    server.deliver(&pc.batch(&[lock, set])).await;
    server.pass(60 * MINUTE_MS);
    pc.wall = server.app.now();
    let logoff = pc.event(EventKind::Logoff, Some("hanako"), pc.wall);
    server.deliver(&pc.batch(&[logoff])).await;
    server.link("hanako", "E1").await;
    (server, pc)
}

#[tokio::test]
async fn a_day_by_a_clock_years_off_is_one_day_on_the_list_on_the_pages_and_in_the_pack() {
    for years in [-26, 29] {
        let (server, _) = a_day_by(years).await;
        let now = server.app.now();
        let punches = server.punches().await;
        let stood: Vec<_> = punches.iter().map(|punch| (now.0 - punch.occurred_at.0) / MINUTE_MS).collect();
        assert_eq!(stood, [0, 120], "{years}: newest first, each at the server's time");
        let stamped: Vec<_> = punches.iter().map(|punch| punch.stamped_at.is_some()).collect();
        assert_eq!(stamped, [false, true]);
        assert!(punches.iter().all(|punch| punch.result.res().is_none()), "{punches:?}");
        server.sign().await;
        let report = server.exported(&server.request(Some("E1")).await).await;
        assert_eq!((report.faults.clone(), report.hidden), (vec![], 0), "{years}");
        assert_eq!(report.events, 6, "the start before, and all of the day");
    }
}

/// Who forges a link so that it ends before the day shows what is somebody else's, whatever a clock of 2055 says.
#[tokio::test]
async fn what_is_somebody_elses_by_the_servers_clock_too_is_a_fault() {
    let (server, _) = a_day_by(29).await;
    let lines = server.record(Some("E1")).await;
    assert_eq!(server.verify(&lines).faults, []);
    let faults_until = |to: &str| {
        let ended = lines.iter().map(|line| match kind(line) {
            "link" => line.replace("\"2026-01-01\",null", &format!("\"2026-01-01\",\"{to}\"")),
            _ => line.clone(),
        });
        let faults = server.verify(&ended.collect::<Vec<_>>()).faults.into_iter();
        faults.filter(|fault| matches!(fault.kind, FaultKind::SomebodyElse { .. })).count()
    };
    let (today, yesterday) = ("2026-11-23", "2026-11-22");
    assert_eq!((faults_until(today), faults_until(yesterday)), (0, 3));
}

#[tokio::test]
async fn the_last_night_of_a_link_is_hers_though_it_began_by_a_clock_of_2055() {
    let (server, mut pc) = started().await;
    let offset = 29 * 365 * DAY_MS;
    server.pass(13 * HOUR_MS);
    pc.wall = server.app.now().plus(offset);
    let logon = pc.logon("hanako");
    server.deliver(&pc.batch(&[logon])).await;
    server.pass(HOUR_MS);
    pc.wall = server.app.now();
    let set = set_by(&mut pc, -offset, None);
    server.deliver(&pc.batch(&[set])).await;
    server.pass(3 * HOUR_MS);
    pc.wall = server.app.now();
    let logoff = pc.event(EventKind::Logoff, Some("hanako"), pc.wall);
    server.deliver(&pc.batch(&[logoff])).await;
    server.give("hanako", "E1", date(2026, 1, 1), Some(TODAY)).await;
    assert_eq!(server.shown_on("E1", TODAY).await, [2, 4], "with the logoff at 2:10 of the day after");
}

#[tokio::test]
async fn a_setting_that_a_pc_calls_somebodys_moves_nothing_and_keeps_nobody_from_a_pack() {
    let (server, mut pc) = started().await;
    let years = 26 * 365 * DAY_MS;
    for account in [Some("taro"), None] {
        let logon = pc.event(EventKind::Logon, Some("hanako"), pc.wall.plus(-years));
        let set = set_by(&mut pc, years, account);
        server.deliver(&pc.batch(&[logon, set])).await;
        server.pass(MINUTE_MS);
        pc.wall = server.app.now();
    }
    // One that puts a logon into tomorrow.
    let logon = pc.event(EventKind::Logon, Some("hanako"), pc.wall.plus(-years));
    let set = set_by(&mut pc, years + 24 * HOUR_MS, None);
    server.deliver(&pc.batch(&[logon, set])).await;
    let mut placed: Vec<_> =
        server.punches().await.iter().map(|punch| (punch.sequence, punch.stamped_at.is_some())).collect();
    placed.sort_unstable();
    assert_eq!(placed, [(2, false), (4, true), (6, false)]);
    server.give("hanako", "E1", TODAY, None).await;
    assert_eq!(server.shown_on("E1", TODAY).await, [4]);
}

/// What a PC does to its numbers and batches makes no database look changed, and so keeps nobody from a pack.
#[tokio::test]
async fn settings_in_any_order_and_in_several_batches_at_once_keep_nobody_from_a_pack() {
    let (server, mut pc) = started().await;
    let years = 26 * 365 * DAY_MS;
    let logon = pc.event(EventKind::Logon, Some("hanako"), pc.wall.plus(-years));
    let [first, second] = [years, 2 * MINUTE_MS].map(|by| set_by(&mut pc, by, None));
    server.deliver(&pc.batch(&[first, logon])).await;
    server.deliver(&pc.batch(&[second])).await;
    server.give("hanako", "E1", TODAY, None).await;
    let placed: Vec<_> = server.punches().await.iter().map(|punch| punch.stamped_at.is_some()).collect();
    assert_eq!(placed, [true], "by its number it is before the setting");
    assert_eq!(server.exported_all().await.faults, []);
}

/// A PC of several was offline with a clock of 2055, and sends all at once after it was set: with the first logon of whoever
/// has the account from then on.
#[tokio::test]
async fn whose_a_punch_is_follows_from_a_setting_behind_the_dates_of_the_pack() {
    let (server, mut pc) = started().await;
    let offset = 29 * 365 * DAY_MS;
    let wrong = |hours: i64| NOW.plus(offset + hours * HOUR_MS);
    let mut events = vec![
        pc.event(EventKind::Logon, Some("pool"), wrong(1)),
        pc.event(EventKind::Logoff, Some("pool"), wrong(8)),
    ];
    pc.wall = wrong(20);
    events.push(pc.event(EventKind::ServiceStart, None, pc.wall));
    server.pass(24 * HOUR_MS);
    pc.wall = server.app.now();
    events.push(set_by(&mut pc, -offset, None));
    events.push(pc.logon("pool"));
    server.deliver(&pc.batch(&events)).await;
    server.give("pool", "E1", date(2026, 1, 1), Some(TODAY)).await;
    server.give("pool", "E2", TOMORROW, None).await;
    assert_eq!(
        (server.shown_on("E1", TODAY).await, server.shown_on("E2", TODAY).await),
        (vec![2, 3], vec![])
    );
    assert_eq!(server.shown_on("E2", TOMORROW).await, [6]);
}
