//! Retention as strangers see it: the jobs delete what is due, packs say so, and both what stays and what went is proven.

use jiff::civil::{Date, date};
use mngntime_attendance::completeness::State;
use mngntime_attendance::person_day::Silence;
use mngntime_evidence::against::{Contents, compare};
use mngntime_evidence::format::Line;
use mngntime_evidence::verify::FaultKind;
use mngntime_evidence::{Report, Verifier};
use mngntime_model::{EventKind, UtcMillis};
use mngntime_server::days;
use mngntime_server::evidence::record::{RecordError, Request, Writer};
use mngntime_server::jobs;
use mngntime_server::person_days::PersonDays;
use mngntime_store::{
    AccountFilter, ContractSettings, EmployeeChoice, LinkRequest, NewEmployee, NewHold, RetentionMonths,
    Scope,
};

use crate::day_lines;
use crate::support::{DAY_MS, NOW, Pc, Server, all_stored};

const HOUR_MS: i64 = 3_600_000;

impl Server {
    /// Sets the clock.
    pub(crate) fn go_to(&self, date: Date) {
        let at = date.to_zoned(mngntime_store::date::zone()).unwrap().timestamp().as_millisecond();
        self.pass(at + 9 * HOUR_MS - self.app.now().0);
    }

    pub(crate) async fn retires(&self, retires: bool) {
        let settings = ContractSettings { retires, retention_years: 3, ..ContractSettings::default() };
        self.app.store.change_settings(self.contract, "demo".into(), settings, self.act()).await.unwrap();
    }

    /// So many days go by, each with its round of jobs.
    pub(crate) async fn live(&self, days: i64) {
        for _ in 0..days {
            jobs::round(&self.app).await;
            self.pass(DAY_MS);
        }
    }

    async fn months(&self) -> RetentionMonths {
        self.app.store.retention_months(self.contract).await.unwrap()
    }

    async fn record_request(&self, employee: Option<&str>, dates: Option<(Date, Date)>) -> Request {
        self.app.log_heads.sign_all(&*self.app.store, &self.app.key, || self.app.now()).await.unwrap();
        Request {
            contract: self.app.store.contract("demo").await.unwrap().unwrap(),
            employee: employee.map(str::to_owned),
            dates,
            server_key: self.app.key.public().to_string(),
            made_at: self.app.now(),
            day_boundary_minutes: 300,
        }
    }

    async fn kept_record(&self, employee: Option<&str>, dates: Option<(Date, Date)>) -> Vec<String> {
        let request = self.record_request(employee, dates).await;
        let mut out = Vec::new();
        Writer::new(&*self.app.store, &request, &mut out).await.unwrap().write().await.unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    fn judged(&self, lines: &[String]) -> Report {
        let mut verifier = Verifier::new(self.app.key.public()).keeping_contents();
        lines.iter().for_each(|line| verifier.read(line));
        verifier.finish()
    }
}

/// A day at a PC: Hanako comes and goes.
async fn office_day(server: &Server, pc: &mut Pc) {
    pc.wall = server.app.now();
    let mut events = vec![pc.event(EventKind::ServiceStart, None, pc.wall), pc.logon("hanako")];
    pc.wall = pc.wall.plus(9 * HOUR_MS);
    for (kind, who) in
        [(EventKind::Logoff, Some("hanako")), (EventKind::Shutdown, None), (EventKind::ServiceStop, None)]
    {
        events.push(pc.event(kind, who, pc.wall));
    }
    server.pass(9 * HOUR_MS);
    assert!(all_stored(&server.deliver(&pc.batch(&events)).await));
    jobs::round(&server.app).await;
}

/// One PC that is used in each month, and one that was used in November only. Deletion is switched on.
async fn office() -> (Server, Pc) {
    let server = Server::start().await;
    let (mut pc, mut left) = (Pc::enrolled(&server, 1).await, Pc::enrolled(&server, 2).await);
    office_day(&server, &mut pc).await;
    office_day(&server, &mut left).await;
    let account =
        server.app.store.list_accounts(server.contract.into(), AccountFilter::All, 9).await.unwrap()[0].id;
    let employee = NewEmployee::named("E1", "山田 花子");
    let from = date(2026, 1, 1);
    let request = LinkRequest { account, employee: EmployeeChoice::New(employee), from, to: None };
    server.app.store.link_accounts(server.contract, vec![request], server.act()).await.unwrap();
    for day in [date(2026, 12, 10), date(2027, 1, 12)] {
        server.go_to(day);
        office_day(&server, &mut pc).await;
    }
    server.retires(true).await;
    (server, pc)
}

async fn retired() -> (Server, Pc) {
    let (server, pc) = office().await;
    server.go_to(date(2030, 2, 1));
    server.live(9).await;
    (server, pc)
}

#[tokio::test]
async fn the_jobs_delete_what_is_due_where_somebody_said_so_and_what_no_hold_keeps() {
    let (server, _) = office().await;
    server.retires(false).await;
    server.go_to(date(2030, 1, 20));
    server.live(11).await;
    assert!(server.months().await.retired.is_empty(), "nobody has said so");
    server.retires(true).await;
    jobs::round(&server.app).await;
    assert!(server.months().await.retired.is_empty(), "not on the 31st of January");
    let hold = NewHold { employee: None, from: None, to: None, reason: "訴訟".into() };
    let hold = server.app.store.set_hold(server.contract, hold, server.act()).await.unwrap();
    server.pass(DAY_MS);
    server.live(1).await;
    assert!(server.months().await.retired.is_empty(), "held");
    server.app.store.release_hold(server.contract, hold, server.act()).await.unwrap();
    jobs::round(&server.app).await;
    let retired = server.months().await.retired;
    let told: Vec<_> = retired.iter().map(|month| (month.month.as_str(), month.events)).collect();
    assert_eq!(told, [("2026-11", 10)], "December's time is not over");
    assert!(retired[0].emptied_at.is_some());
    assert!(server.app.metrics.page().unwrap().contains("mngntime_broken_log 0"));
}

#[tokio::test]
async fn a_clock_that_jumped_years_ahead_deletes_nothing_for_a_week() {
    let (server, _) = office().await;
    server.go_to(date(2035, 6, 1));
    server.live(6).await;
    assert!(server.months().await.retired.is_empty());
    server.live(3).await;
    assert!(!server.months().await.retired.is_empty(), "then it is the time");
}

#[tokio::test]
async fn a_month_that_is_not_what_was_signed_stays() {
    let (server, _) = office().await;
    let database = rusqlite::Connection::open(server.directory.path().join("mngntime.db")).unwrap();
    let change =
        "DROP TRIGGER events_are_not_changed; UPDATE events SET json = replace(json, 'hanako', 'hanaka')
        WHERE seq = 2 AND occurred_at < 1796000000000";
    database.execute_batch(change).unwrap();
    server.go_to(date(2030, 2, 1));
    server.live(9).await;
    assert!(server.months().await.retired.is_empty(), "it shows what was done");
    let forged = "DROP TRIGGER log_heads_are_not_changed; UPDATE log_heads SET envelope = '{}' WHERE month = '2026-11';
        UPDATE events SET json = replace(json, 'hanaka', 'hanako')";
    database.execute_batch(forged).unwrap();
    server.live(2).await;
    assert!(server.months().await.retired.is_empty(), "its head is not ours");
}

#[tokio::test]
async fn a_pack_about_everything_proves_what_stays_and_says_what_went() {
    let (server, mut pc) = retired().await;
    office_day(&server, &mut pc).await;
    let lines = server.kept_record(None, None).await;
    let report = server.judged(&lines);
    assert_eq!(report.faults, []);
    let (months, at) = (&report.retired_months, UtcMillis(report.retired_months[0].1));
    assert_eq!((months.len(), months[0].0.as_str(), report.retired), (1, "2026-11", 10));
    assert_eq!(at, server.months().await.retired[0].retired_at);
    assert!(report.missing.is_empty() && report.events == 15 && report.terminals == 2, "{report:?}");
    assert!(report.retired_days > 0 && report.unbacked_keys == 0);
    if let Ok(path) = std::env::var("MNGNTIME_RETIRED_RECORD") {
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
}

#[tokio::test]
async fn what_was_given_out_before_a_month_went_contradicts_nothing_that_is_given_out_afterwards() {
    let (server, mut pc) = office().await;
    let lines = server.kept_record(None, None).await;
    let old = *server.judged(&lines).contents.unwrap();
    server.go_to(date(2030, 2, 1));
    server.live(9).await;
    office_day(&server, &mut pc).await;
    let new = *server.judged(&server.kept_record(None, None).await).contents.unwrap();
    let receipt = |line: &String| {
        let line: Line = serde_json::from_str(line).unwrap();
        if let Line::Receipt(receipt) = line { receipt.envelope + "\n" } else { String::new() }
    };
    let receipts: String = lines.iter().map(receipt).collect();
    let kept = Contents::of_receipts(receipts.lines(), &server.app.key.public(), &new);
    for (one, other) in [(&new, &old), (&old, &new), (&new, &kept)] {
        let found = compare(one, other);
        assert_eq!(found.contradictions, []);
        assert_eq!((found.retired, found.events), (10, 10), "{found:?}");
    }
    let dates = (date(2026, 11, 20), date(2026, 12, 20));
    let one = server.judged(&server.kept_record(Some("E1"), Some(dates)).await);
    assert_eq!(compare(&one.contents.unwrap(), &old).contradictions, []);
}

/// Its events would be neither shown nor called retired, but missing: what was given out before would contradict it for ever.
#[tokio::test]
async fn a_month_that_is_deleted_while_a_pack_is_written_stops_the_pack() {
    let dates = Some((date(2026, 11, 1), date(2026, 12, 31)));
    for (employee, dates) in [(None, None), (None, dates), (Some("E1"), dates)] {
        let (server, _) = office().await;
        server.go_to(date(2030, 2, 1));
        let request = server.record_request(employee, dates).await;
        let mut out = Vec::new();
        let writer = Writer::new(&*server.app.store, &request, &mut out).await.unwrap();
        server.live(9).await;
        assert_eq!(server.months().await.retired.len(), 1);
        let written = writer.write().await;
        assert!(matches!(written, Err(RecordError::RetiredMeanwhile)), "{:?}", written.map(|_| ()));
    }
}

#[tokio::test]
async fn what_is_called_retired_and_was_not_is_seen() {
    let (server, _) = retired().await;
    let lines = server.kept_record(None, None).await;
    let at = |kind: &str| {
        lines.iter().position(|line| line.starts_with(&format!(r#"{{"type":"{kind}""#))).unwrap()
    };
    let entry = |action: &str| {
        lines.iter().position(|line| line.contains(&format!(r#"\"action\":\"{action}\""#))).unwrap()
    };
    let faults = |change: &dyn Fn(&mut Vec<String>)| -> Vec<FaultKind> {
        let mut forged = lines.clone();
        change(&mut forged);
        let end = forged.len() - 1;
        forged[end] = format!(r#"{{"type":"end","lines":{end}}}"#);
        server.judged(&forged).faults.into_iter().map(|fault| fault.kind).collect()
    };
    let first = at("retired");
    // Without its days, which are all wrong then, and of which only so many are named.
    let left_out = faults(&|lines| {
        lines.remove(first);
        lines.retain(|line| !line.starts_with(r#"{"type":"day""#));
    });
    assert!(
        left_out.contains(&FaultKind::LeftOut { sequence: 1 })
            && left_out.contains(&FaultKind::NotEverything),
        "{left_out:?}"
    );
    for (from, to) in
        [(r#""last":5"#, r#""last":6"#), ("2026-11", "2026-12"), (r#""retired_at":1"#, r#""retired_at":2"#)]
    {
        let wrong = faults(&|lines| lines[first] = lines[first].replace(from, to));
        assert!(wrong.contains(&FaultKind::NotRetired { sequence: 1 }), "{from}: {wrong:?}");
    }
    for action in ["retire_month", "retire_numbers"] {
        let place = entry(action);
        let wrong = faults(&|lines| drop(lines.remove(place)));
        assert!(wrong.contains(&FaultKind::NotEverything) && wrong.len() > 1, "{action}: {wrong:?}");
    }
    // An event of December called retired, as November's are.
    let event = at("event");
    let called = faults(&|lines| {
        lines[event] = lines[first].replace(r#""first":1,"last":5"#, r#""first":6,"last":6"#);
    });
    assert!(called.contains(&FaultKind::NotRetired { sequence: 6 }), "{called:?}");
    let watched = faults(&|lines| {
        let day = lines.iter().position(|line| line.contains(r#""state":"retired""#)).unwrap();
        lines[day] = lines[day].replace(r#""retired""#, r#""watched""#);
    });
    assert!(watched.contains(&FaultKind::WrongDay), "{watched:?}");
}

#[tokio::test]
async fn a_pack_about_somebody_in_a_retired_month_says_so_and_is_no_day_without_work() {
    let (server, _) = retired().await;
    let dates = (date(2026, 11, 20), date(2026, 12, 20));
    let lines = server.kept_record(Some("E1"), Some(dates)).await;
    let report = server.judged(&lines);
    assert_eq!((report.faults.clone(), report.retired_months.len()), (vec![], 1));
    assert!(report.retired_days > 0, "{report:?}");
    let mut states = Vec::new();
    for line in &lines {
        if let Line::Day(day) = serde_json::from_str(line).unwrap()
            && day.date.starts_with("2026-11-2")
        {
            states.push(day.state);
        }
    }
    assert!(
        !states.is_empty() && states.iter().all(|state| state == "retired" || state == "unknown"),
        "{states:?}"
    );
    // A month that is there is shown as before.
    assert!(report.events >= 5);
}

#[tokio::test]
async fn pages_show_retired_days_as_such() {
    let (server, _) = retired().await;
    let store = &*server.app.store;
    let scope: Scope = server.contract.into();
    let employee = store.employee_by_code(scope, "E1".into()).await.unwrap().unwrap();
    let day = mngntime_store::local_date(NOW);
    let read = async |dates| {
        PersonDays::read(store, server.contract, employee.id, dates, 0, server.app.now()).await.unwrap().days
    };
    let days = read((day, day)).await;
    assert_eq!((days[0].day.silence, days[0].day.state), (Some(Silence::Retired), State::Retired));
    let december = date(2026, 12, 10);
    let days = read((december, december)).await;
    assert_eq!((days[0].day.silence, days[0].day.lanes.len()), (None, 1));
    let terminals = store.list_terminals(server.contract, None, 9).await.unwrap();
    for terminal in terminals {
        let judged =
            days::of_terminal(store, server.contract, &terminal, (day, day), server.app.now()).await.unwrap();
        assert!(judged[0].day.parts.iter().any(|part| part.why.name() == "retired"), "{judged:?}");
        assert!(!judged[0].day.parts.iter().any(|part| part.why.name() == "numbers_missing"), "{judged:?}");
    }
}

#[tokio::test]
async fn a_program_is_told_that_no_line_of_a_deleted_month_does_not_mean_no_punch() {
    let (server, _) = retired().await;
    let answer = day_lines::ask(&server, "from=2026-11-15&to=2026-12-15", "admin").await;
    let dates: Vec<_> =
        day_lines::lines(&answer).into_iter().map(|line| (line.date, line.partly_deleted)).collect();
    assert_eq!(dates, [("2026-12-10".to_owned(), None)]);
    assert_eq!(answer.headers["mngntime-deleted-months"], "2026-11");
    let later = day_lines::ask(&server, "from=2026-12-01&to=2026-12-15", "admin").await;
    assert!(!later.headers.contains_key("mngntime-deleted-months"));
}
