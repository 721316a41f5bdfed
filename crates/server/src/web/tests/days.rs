//! A person's month and day, and the page of an event that is no punch.

use axum::http::StatusCode;
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Bounds, Event, EventKind, Evidence, Moment, SessionIdentity, TerminalId,
    UtcMillis,
};
use mngntime_store::{
    AccountFilter, Act, ContractId, EmployeeChoice, IncomingEvent, LinkRequest, NewDepartment, NewEmployee,
};
use mngntime_wire::EncodedEvent;

use super::{NOW, Site, contract, times};

/// 2026-06-16T00:00:00+09:00, the day before [`NOW`].
const MIDNIGHT: UtcMillis = UtcMillis(1_781_535_600_000);

/// A time of that day, or of another with hours beyond it.
fn at(hour: i64, minute: i64) -> UtcMillis {
    MIDNIGHT.plus((hour * 60 + minute) * 60_000)
}

/// An event as a PC sends it.
fn event(sequence: u64, kind: EventKind, time: UtcMillis, name: &str) -> IncomingEvent {
    let of_session = !matches!(kind, EventKind::ServiceStart | EventKind::Suspend | EventKind::Resume);
    let boot = BootId::new("b1").unwrap();
    let event = Event {
        sequence,
        boot: boot.clone(),
        kind,
        evidence: Evidence::Notice,
        occurred_at: time,
        bounds: None,
        recorded_at: Moment { wall: time, offset_seconds: 32_400, biased_ms: 1, unbiased_ms: 1 },
        session: of_session.then(|| SessionIdentity {
            boot,
            session_id: "1".into(),
            logon_identity: "luid:1".into(),
        }),
        account: of_session.then(|| AccountIdentity {
            key: "S-1-5-21-7".into(),
            domain: "EXAMPLE".into(),
            name: name.into(),
            upn: None,
        }),
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    };
    encoded(event)
}

fn encoded(event: Event) -> IncomingEvent {
    let encoded = EncodedEvent::encode(event, Digest::of(b"")).unwrap();
    IncomingEvent { resent: false, digest: encoded.digest, json: encoded.json, event: encoded.event }
}

/// A day until half past one in the night, with a lunch and a sleep.
fn night(name: &str) -> Vec<IncomingEvent> {
    let story = [
        (EventKind::ServiceStart, at(0, 0)),
        (EventKind::Logon, at(9, 2)),
        (EventKind::Lock, at(12, 0)),
        (EventKind::Unlock, at(13, 0)),
        (EventKind::Suspend, at(15, 0)),
        (EventKind::Resume, at(15, 30)),
        (EventKind::Logoff, at(25, 30)),
    ];
    (1..).zip(story).map(|(number, (kind, time))| event(number, kind, time, name)).collect()
}

impl Site {
    async fn record(&self, terminal: TerminalId, events: Vec<IncomingEvent>) {
        self.store.receive(self.batch(self.contract, terminal, events)).await.unwrap();
    }

    /// Links the one account there is to a new employee.
    async fn linked(&self, contract: ContractId, code: &str, name: &str) {
        let accounts = self.store.list_accounts(contract.into(), AccountFilter::All, 10).await.unwrap();
        let new = NewDepartment { code: "D1".into(), name: "開発部".into(), parent: None };
        self.store.add_department(contract, new, Act::server(NOW)).await.unwrap();
        let employee = NewEmployee {
            code: code.into(),
            name: name.into(),
            kana: None,
            department: Some("開発部".into()),
            active_from: None,
            active_to: None,
        };
        let from = "2026-06-01".parse().unwrap();
        let employee = EmployeeChoice::New(employee);
        let request = LinkRequest { account: accounts[0].id, employee, from, to: None };
        self.store.link_accounts(contract, vec![request], Act::server(NOW)).await.unwrap();
    }
}

/// A site whose one person worked into the night of yesterday.
async fn office() -> (Site, String, TerminalId) {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    site.record(terminal, night("hanako")).await;
    site.linked(site.contract, "E 1/7", "佐藤 花子").await;
    (site, cookie, terminal)
}

const DAY: &str = "/days/E%201%2F7/2026-06-16";

#[tokio::test]
async fn a_day_shows_first_and_last_with_their_events_and_the_night_as_25_30() {
    let (site, cookie, terminal) = office().await;
    let page = site.get(&cookie, DAY).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text;
    for part in [
        format!("<a class=\"big time\" href=\"/punches/{terminal}/2\">09:02</a>"),
        format!("<a class=\"big time\" href=\"/punches/{terminal}/7\">25:30</a>"),
        "09:02:00–12:00:00".into(),
        "15:30:00–25:30:00".into(),
        // 16:28 less the hour of lunch and the half hour of sleep.
        "<span class=\"big time\">14:58</span>".into(),
        "勤務時間ではありません".into(),
        "2026年6月16日（火）".into(),
        "佐藤 花子".into(),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
    let kinds = ["b-active", "b-locked", "b-active", "b-asleep", "b-active"];
    let drawn: Vec<_> = text.split("height=\"24\"><rect class=\"edge ").skip(1).collect();
    let drawn: Vec<_> = drawn.iter().map(|part| part.split('"').next().unwrap()).collect();
    assert_eq!(drawn, kinds);
    assert_eq!(times(&text, "<tr role=\"row\" id=\"b-"), 5, "the table says the same");
    let events = text.split("id=\"d-events\"").nth(1).unwrap();
    for number in 1..=7 {
        assert!(events.contains(&format!("href=\"/punches/{terminal}/{number}\"")), "{number}");
    }
}

#[tokio::test]
async fn the_day_after_shows_the_night_and_has_no_logon_of_its_own() {
    let (site, cookie, _) = office().await;
    let text = site.get(&cookie, "/days/E%201%2F7/2026-06-17").await.text;
    assert!(text.contains("00:00:00–01:30:00"), "{text}");
    assert_eq!(times(&text, "class=\"big big--none\">記録なし"), 2, "{text}");
}

#[tokio::test]
async fn a_month_has_a_row_for_each_day_and_never_an_empty_one_without_a_reason() {
    let (site, cookie, _) = office().await;
    let text = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-06").await.text;
    assert_eq!(times(&text, "role=\"rowheader\""), 30);
    assert!(text.contains(&format!("href=\"{DAY}\"")) && text.contains(">25:30<"), "{text}");
    assert_eq!(times(&text, "</svg>これから</span>"), 13, "{text}");
    assert_eq!(times(&text, "PCの記録が始まる前です。"), 15);
    assert_eq!(times(&text, "class=\"m-why\""), 28, "all but yesterday and the night of today");
    let before = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-05").await.text;
    assert_eq!(times(&before, "この日に結び付いたWindowsユーザーがありません"), 31, "before the link");
}

#[tokio::test]
async fn a_day_without_a_stay_has_no_sum_that_could_be_read_as_no_work() {
    let (site, cookie, _) = office().await;
    let text = site.get(&cookie, "/days/E%201%2F7/2026-06-10").await.text;
    assert!(text.contains("PCの記録が始まる前です。") && !text.contains(">0:00<"), "{text}");
    assert!(text.contains("記録がないことは、勤務がなかったことを意味しません。"));
}

#[tokio::test]
async fn an_interval_is_shown_as_one() {
    let (site, cookie, terminal) = office().await;
    let guess = |hours: (i64, i64), mut incoming: IncomingEvent| {
        let bounds = Bounds { not_before: at(hours.0, 4), not_after: at(hours.1, 6) };
        (incoming.event.bounds, incoming.event.evidence) = (Some(bounds), Evidence::Inferred);
        incoming.event.session.as_mut().unwrap().logon_identity = "luid:2".into();
        encoded(incoming.event)
    };
    let mut on = event(8, EventKind::Logon, at(32, 0), "hanako");
    on.event.session.as_mut().unwrap().logon_identity = "luid:2".into();
    let off = guess((32, 33), event(9, EventKind::Logoff, at(32, 4), "hanako"));
    site.record(terminal, vec![encoded(on.event), off]).await;
    let text = site.get(&cookie, "/days/E%201%2F7/2026-06-17").await.text;
    assert!(
        text.contains(">08:04〜09:06</a><span class=\"big__src\"><span class=\"tag tag--guess\">推定</span>"),
        "{text}"
    );
    assert!(text.contains("edge b-estimated"));
}

#[tokio::test]
async fn any_event_opens_and_those_of_another_contract_do_not() {
    let (site, cookie, terminal) = office().await;
    let lock = site.get(&cookie, &format!("/punches/{terminal}/3")).await;
    assert_eq!(lock.status, StatusCode::OK);
    assert!(lock.text.contains("イベントの詳細") && lock.text.contains("&#34;lock&#34;"), "{}", lock.text);
    let suspend = site.get(&cookie, &format!("/punches/{terminal}/5")).await.text;
    assert!(suspend.contains("スリープ開始") && !suspend.contains("S-1-5-21-7"));
    site.get(&cookie, &format!("/punches/{terminal}/3")).await;
    let log = site.store.audit_log(Some(site.contract), None, 100).await.unwrap();
    let looks: Vec<_> = log.iter().filter(|entry| entry.action == "view_record").collect();
    assert_eq!(looks.len(), 1, "hanako's lock once, the PC's own sleep not at all");
    assert_eq!(
        (looks[0].object.as_str(), looks[0].detail.as_str()),
        ("employee E 1/7", r#"{"page":"event"}"#)
    );
    assert!(site.get(&cookie, "/audit?action=view_record").await.text.contains("イベントの詳細"));
    let logon = site.get(&cookie, &format!("/punches/{terminal}/2")).await.text;
    assert!(logon.contains("打刻の詳細") && logon.contains(&format!("href=\"{DAY}\"")), "{logon}");
    assert_eq!(site.get(&cookie, &format!("/punches/{terminal}/8")).await.status, StatusCode::NOT_FOUND);
    let other = contract(&site.store, "B-2").await;
    let stranger = site.person("b", mngntime_store::Role::Administrator, Some(other)).await;
    for address in [&format!("/punches/{terminal}/3"), DAY, "/days?employee=E+1%2F7"] {
        assert_eq!(site.get(&stranger, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    assert!(!site.get(&stranger, "/days").await.text.contains("花子"));
}

#[tokio::test]
async fn wrong_months_and_dates_get_a_message() {
    let (site, cookie, _) = office().await;
    for (address, message) in [
        ("/days?employee=E+1%2F7&month=2026-13", "「2026-13」という月はありません。"),
        ("/days?employee=E+1%2F7&month=%3Cb%3E", "という月はありません。"),
        ("/days/E%201%2F7/2026-02-30", "「2026-02-30」という日付はありません。"),
        ("/days/E%201%2F7/yesterday", "「yesterday」という日付はありません。"),
    ] {
        let answer = site.get(&cookie, address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        assert!(answer.text.contains("role=\"alert\"") && answer.text.contains(message), "{address}");
        assert!(answer.text.contains("2026年6月") && !answer.text.contains("<b>」"), "{address}");
    }
    for edge in ["1900-01-01", "9990-12-31"] {
        assert_eq!(
            site.get(&cookie, &format!("/days/E%201%2F7/{edge}")).await.status,
            StatusCode::OK,
            "{edge}"
        );
    }
    for nobody in ["/days?employee=E9", "/days/E9/2026-06-16", "/days/%00/2026-06-16"] {
        assert_eq!(site.get(&cookie, nobody).await.status, StatusCode::NOT_FOUND, "{nobody}");
    }
}

#[tokio::test]
async fn names_are_never_markup_on_the_pages_of_days() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "<b>PC</b>", 1).await;
    site.record(terminal, night("<script>alert(1)</script>")).await;
    site.linked(site.contract, "<i>\"'&", "\"><img src=x>").await;
    let code = "%3Ci%3E%22%27%26";
    let event = format!("/punches/{terminal}/3");
    let addresses = [
        "/days".to_owned(),
        format!("/days?employee={code}&month=2026-06"),
        format!("/days/{code}/2026-06-16"),
        event,
    ];
    for address in addresses {
        let answer = site.get(&cookie, &address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let bad = ["<script>a", "<img", "<b>PC", "<i>\""];
        assert!(bad.iter().all(|bad| !answer.text.contains(bad)), "{address}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_pages_of_days_are_written_in_both_languages() {
    let (site, cookie, terminal) = office().await;
    let pages = [
        "/days".to_owned(),
        "/days?q=zzz".to_owned(),
        "/days?employee=E+1%2F7&month=2026-06".to_owned(),
        DAY.to_owned(),
        "/days/E%201%2F7/2026-06-10".to_owned(),
        format!("/punches/{terminal}/1"),
    ];
    let pages: Vec<_> = pages.into_iter().map(|address| (cookie.clone(), address)).collect();
    super::pages::check(&site, &pages).await;
    let english = site.get(&format!("{cookie}; mngntime_language=en"), DAY).await.text;
    assert!(english.contains("First logon") && english.contains("Not working time."), "{english}");
}

#[tokio::test]
async fn people_are_found_by_a_part_of_their_name() {
    let (site, cookie, _) = office().await;
    assert!(
        site.get(&cookie, "/days?q=花子").await.text.contains("/days?employee=E+1%2F7&#38;month=2026-06")
    );
    assert!(!site.get(&cookie, "/days?q=太郎").await.text.contains("花子"));
}
