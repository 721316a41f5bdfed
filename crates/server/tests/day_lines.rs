//! `GET /api/v1/days`: people's punches by date, for programs.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use data_encoding::BASE64;
use jiff::civil::Date;
use mngntime_model::EventKind;
use mngntime_server::api::days::DayLine;
use mngntime_server::passwords::hash_new;
use mngntime_store::{
    AccountFilter, AuditFilter, EmployeeChoice, LinkRequest, NewAdministrator, NewDepartment, NewEmployee,
    Role, ScopedPeople, TerminalStatus, local_date,
};

use crate::support::{Answer, DAY_MS, NOW, PASSWORD, Pc, Server};

const HOUR_MS: i64 = 3_600_000;

pub(crate) async fn ask(server: &Server, query: &str, login: &str) -> Answer {
    let credentials = BASE64.encode(format!("{login}:{PASSWORD}").as_bytes());
    let request = Request::get(format!("/api/v1/days?{query}"))
        .header("authorization", format!("Basic {credentials}"))
        .body(Body::empty())
        .unwrap();
    server.send(request).await
}

pub(crate) fn lines(answer: &Answer) -> Vec<DayLine> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/jsonl");
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The codes of the lines.
fn codes(answer: &Answer) -> String {
    lines(answer).into_iter().map(|line| line.employee).collect::<Vec<_>>().join(" ")
}

fn today() -> Date {
    local_date(NOW)
}

/// The 23rd to the 25th.
const DAYS: &str = "from=2026-11-23&to=2026-11-25";

/// Links each account to an employee of that code.
async fn link(server: &Server, names: &[(&str, &str)]) {
    let store = &server.app.store;
    let accounts = store.list_accounts(server.contract.into(), AccountFilter::All, 9).await.unwrap();
    let request = |(name, code): &(&str, &str)| LinkRequest {
        account: accounts.iter().find(|account| account.name == *name).unwrap().id,
        employee: EmployeeChoice::New(NewEmployee::named(*code, *name)),
        from: today(),
        to: None,
    };
    let requests = names.iter().map(request).collect();
    store.link_accounts(server.contract, requests, server.act()).await.unwrap();
}

/// 花子, 太郎 and 次郎, who come at nine.
async fn office() -> Server {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = ["hanako", "taro", "jiro"].map(|name| pc.logon(name));
    server.deliver(&pc.batch(&events)).await;
    link(&server, &[("hanako", "100"), ("taro", "社員 2"), ("jiro", "社員 3")]).await;
    server
}

#[tokio::test]
async fn a_date_is_a_line_with_its_edges_and_what_is_wrong() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let logoff =
        |pc: &mut Pc, hours: i64| pc.event(EventKind::Logoff, Some("hanako"), NOW.plus(hours * HOUR_MS));
    let events = [pc.logon("hanako"), logoff(&mut pc, 9), logoff(&mut pc, 16)];
    server.deliver(&pc.batch(&events)).await;
    link(&server, &[("hanako", "100")]).await;
    let terminal = server.punches().await.remove(0).terminal;
    let (store, act) = (&server.app.store, server.act());
    store.set_terminal_status(server.contract, terminal, TerminalStatus::Blocked, act).await.unwrap();
    let late = [logoff(&mut pc, 17)];
    server.deliver(&pc.batch(&late)).await;
    let answer = ask(&server, DAYS, "admin").await;
    assert_eq!(lines(&answer).len(), 2);
    let expected = [
        r#"{"employee":"100","date":"2026-11-23","punches":2,"first_logon":{"at":"2026-11-23T00:00:00.000Z","inferred":false},"last_logoff":{"at":"2026-11-23T09:00:00.000Z","inferred":false},"inferred":0,"errors":[]}"#,
        r#"{"employee":"100","date":"2026-11-24","punches":2,"last_logoff":{"at":"2026-11-23T17:00:00.000Z","inferred":false},"inferred":0,"errors":[{"res":6,"error":"terminal_unusable","punches":1}]}"#,
    ];
    assert_eq!(
        answer.body.lines().collect::<Vec<_>>(),
        expected,
        "what is after midnight is of the next date"
    );
    assert!(!answer.headers.contains_key("mngntime-next"));
    assert!(!answer.headers.contains_key("mngntime-deleted-months"));
    let day = ask(&server, "from=2026-11-24&to=2026-11-24&employee=100", "admin").await;
    assert_eq!(day.body.lines().collect::<Vec<_>>(), [expected[1]]);
}

#[tokio::test]
async fn people_come_in_pages_by_code() {
    let server = office().await;
    let (mut seen, mut query) = (Vec::new(), format!("{DAYS}&limit=1"));
    loop {
        let page = ask(&server, &query, "admin").await;
        seen.push(codes(&page));
        match page.headers.get("mngntime-next") {
            Some(next) => query = format!("{DAYS}&limit=1&after={}", next.to_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, ["100", "社員 2", "社員 3"]);
    assert_eq!(codes(&ask(&server, DAYS, "admin").await), "100 社員 2 社員 3");
    assert_eq!(
        codes(&ask(&server, &format!("{DAYS}&employee=%E7%A4%BE%E5%93%A1%202"), "admin").await),
        "社員 2"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let server = office().await;
    for query in [
        "",
        "from=2026-11-23",
        "to=2026-11-23",
        "from=2026-11-23&to=2026-11-22",
        "from=2026-11-01&to=2026-12-02",
        "from=2026-11-31&to=2026-12-02",
        "from=23.11.2026&to=2026-11-23",
        &format!("{DAYS}&limit=0"),
        &format!("{DAYS}&limit=1001"),
        &format!("{DAYS}&after=x"),
        &format!("{DAYS}&after="),
        &format!("{DAYS}&month=2026-11"),
        &format!("{DAYS}&from=2026-11-23"),
    ] {
        let answer = ask(&server, query, "admin").await;
        let told = (answer.status, answer.problem().error);
        assert_eq!(told, (StatusCode::BAD_REQUEST, "bad_query".to_owned()), "{query}");
    }
    for code in ["101", "", "%00"] {
        let answer = ask(&server, &format!("{DAYS}&employee={code}"), "admin").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{code:?}");
    }
}

#[tokio::test]
async fn whoever_asks_sees_their_people_and_stands_in_the_audit_log() {
    let server = office().await;
    let store = &server.app.store;
    let department = NewDepartment { code: "M".into(), name: "M".into(), parent: None };
    let department = store.add_department(server.contract, department, server.act()).await.unwrap();
    let hanako = store.employee_by_code(server.contract.into(), "100".into()).await.unwrap().unwrap().id;
    store.set_employee_department(server.contract, hanako, Some(department), server.act()).await.unwrap();
    let hash = hash_new(PASSWORD).unwrap();
    let elsewhere = server.make_contract("other", "another-enrolment-key").await;
    for (login, role, contract) in [
        ("approver", Role::Approver, Some(server.contract)),
        ("auditor", Role::Auditor, Some(server.contract)),
        ("it", Role::InformationTechnology, Some(server.contract)),
        ("employee", Role::Employee, Some(server.contract)),
        ("operator", Role::Operator, None),
        ("elsewhere", Role::Administrator, Some(elsewhere)),
    ] {
        let new = NewAdministrator {
            password_hash: Some(hash.clone()),
            department: (role == Role::Approver).then_some(department),
            employee: (role == Role::Employee).then_some(hanako),
            ..NewAdministrator::new(login, role, contract)
        };
        store.create_administrator(new, server.act()).await.unwrap();
    }
    for (login, seen) in [("approver", "100"), ("auditor", "100 社員 2 社員 3"), ("elsewhere", "")] {
        assert_eq!(codes(&ask(&server, DAYS, login).await), seen, "{login}");
    }
    for login in ["it", "employee", "operator"] {
        assert_eq!(ask(&server, DAYS, login).await.status, StatusCode::FORBIDDEN, "{login}");
    }
    assert_eq!(server.get(&format!("/api/v1/days?{DAYS}")).await.status, StatusCode::UNAUTHORIZED);
    let one =
        async |login: &str, code: &str| ask(&server, &format!("{DAYS}&employee={code}"), login).await.status;
    assert_eq!(one("approver", "100").await, StatusCode::OK);
    let other = "%E7%A4%BE%E5%93%A1%202";
    assert_eq!(one("approver", other).await, StatusCode::NOT_FOUND, "not among theirs");
    assert_eq!(one("auditor", other).await, StatusCode::OK);
    assert_eq!(one("elsewhere", "100").await, StatusCode::NOT_FOUND);
    let filter = AuditFilter { actions: vec!["read_punches".into()], ..AuditFilter::default() };
    let page = store.search_audit(Some(server.contract), filter, None, 10).await.unwrap();
    let mut noted: Vec<_> =
        page.rows.iter().map(|row| (row.entry.by.as_str(), row.entry.object.as_str())).collect();
    noted.sort_unstable();
    let once = ["administrator:approver", "administrator:auditor"].map(|by| (by, "/api/v1/days"));
    assert_eq!(noted, once, "once for each hour");
}

#[tokio::test]
async fn punches_of_nobody_and_of_before_the_link_are_no_lines() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let before = pc.event(EventKind::Logon, Some("hanako"), NOW.plus(-DAY_MS));
    let events = [before, pc.logon("hanako"), pc.logon("nobody")];
    server.deliver(&pc.batch(&events)).await;
    link(&server, &[("hanako", "100")]).await;
    let dates: Vec<_> = lines(&ask(&server, "from=2026-11-20&to=2026-11-25", "admin").await)
        .into_iter()
        .map(|line| (line.employee, line.date, line.punches))
        .collect();
    assert_eq!(dates, [("100".to_owned(), "2026-11-23".to_owned(), 1)]);
    let scope = mngntime_store::Scope { contract: server.contract, people: ScopedPeople::Everybody };
    let all = server.app.store.day_summaries(scope, None, 10, (today(), today())).await.unwrap();
    assert_eq!(all.rows.len(), 1, "nobody is no employee");
}
