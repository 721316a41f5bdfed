//! A person's month and day, and the page of an event that is no punch.

use axum::http::StatusCode;
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Bounds, Event, EventKind, Evidence, Moment, SessionIdentity, TerminalId,
    UtcMillis,
};
use mngntime_store::{
    AccountFilter, Act, ContractId, EmployeeChoice, IncomingEvent, LinkRequest, NewAdministrator,
    NewDepartment, NewEmployee, Role,
};
use mngntime_wire::EncodedEvent;

use super::{NOW, Site, contract, times};

/// 2026-06-16T00:00:00+09:00, the day before [`NOW`].
const MIDNIGHT: UtcMillis = UtcMillis(1_781_535_600_000);

/// A time of that day, or of another with hours beyond it.
pub(super) fn at(hour: i64, minute: i64) -> UtcMillis {
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
    IncomingEvent {
        resent: false,
        digest: encoded.digest,
        json: encoded.json,
        event: encoded.event,
        stamped_at: None,
    }
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
    pub(super) async fn record(&self, terminal: TerminalId, events: Vec<IncomingEvent>) {
        self.store.receive(self.batch(self.contract, terminal, events)).await.unwrap();
    }

    /// Links the one account there is to a new employee.
    pub(super) async fn linked(&self, contract: ContractId, code: &str, name: &str) {
        let accounts = self.store.list_accounts(contract.into(), AccountFilter::All, 10).await.unwrap();
        let new = NewDepartment { code: "D1".into(), name: "開発部".into(), parent: None };
        self.store.add_department(contract, new, Act::server(NOW)).await.unwrap();
        let employee = NewEmployee { department: Some("開発部".into()), ..NewEmployee::named(code, name) };
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
    assert_eq!(times(&text, "big big--none\">前日の夜のみ<"), 1, "{text}");
    assert_eq!(times(&text, "class=\"big big--none\">"), 2, "in place of both times: {text}");
    assert!(text.contains("big big--none\">–<") && !text.contains("big--none\">記録なし"), "{text}");
}

#[tokio::test]
async fn a_month_has_a_row_for_each_day_and_never_an_empty_one_without_a_reason() {
    let (site, cookie, _) = office().await;
    let text = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-06").await.text;
    assert_eq!(times(&text, "class=\"m-date\""), 30);
    assert!(text.contains(&format!("href=\"{DAY}\"")) && text.contains(">25:30<"), "{text}");
    assert_eq!(times(&text, "</svg>これから</span>"), 13, "{text}");
    assert_eq!(times(&text, "PCの記録が始まる前です。"), 15);
    assert_eq!(times(&text, "class=\"m-why\""), 29, "all but yesterday; of today there is its night");
    assert_eq!(times(&text, "class=\"m-why\" colspan=\"3\">前日の夜の続きのみ（前日に含む）<"), 1, "{text}");
    let before = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-05").await.text;
    assert_eq!(times(&before, "この社員のWindowsユーザーの結び付けが始まる前です。"), 31, "before the link");
    assert!(
        !before.contains("status--unlinked") && times(&before, "</svg>記録開始前</span>") == 31,
        "{before}"
    );
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
async fn a_time_that_has_not_come_is_called_one_and_its_day_holds_nothing_yet() {
    let (site, cookie, terminal) = office().await;
    let ahead = |sequence, kind, (day, hour): (i64, i64), name: &str| {
        let mut event = event(sequence, kind, at(24 * day + hour, 0), "hanako").event;
        event.session.as_mut().unwrap().logon_identity = name.to_owned();
        encoded(event)
    };
    let (on, off) = (EventKind::Logon, EventKind::Logoff);
    let told = [(8, on, (120, 9), "luid:2"), (9, off, (121, 18), "luid:2"), (10, on, (123, 9), "luid:3")];
    let told = told.map(|(sequence, kind, time, name)| ahead(sequence, kind, time, name));
    site.record(terminal, told.into()).await;
    let list = site.get(&cookie, "/punches").await.text;
    assert_eq!(times(&list, "<span class=\"tag tag--look\">未来の時刻</span>"), 3, "{list}");
    let detail = site.get(&cookie, &format!("/punches/{terminal}/8")).await.text;
    assert!(detail.contains("未来の時刻") && !detail.contains("即時"), "{detail}");
    assert!(site.get(&cookie, "/punches.csv").await.text.contains("\"未来の時刻\""));
    for date in ["2026-10-14", "2026-10-15", "2026-10-17"] {
        let day = site.get(&cookie, &format!("/days/E%201%2F7/{date}")).await.text;
        let (head, _) = day.split_once("</dl>").unwrap();
        assert_eq!(times(head, "まだ来ていない日の記録"), 3, "{date}: {head}");
        assert!(!head.contains("前日から継続") && !head.contains("09:00"), "{date}: {head}");
    }
    let nothing = site.get(&cookie, "/days/E%201%2F7/2026-10-16").await.text;
    assert!(nothing.contains("これから") && !nothing.contains("まだ来ていない日の記録"), "{nothing}");
    assert!(!site.get(&cookie, DAY).await.text.contains("まだ来ていない日の記録"));
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
    let event = format!("/days/E9/2026-05-16/events/{}/1", mngntime_model::TerminalId::from_random([7; 16]));
    for nobody in ["/days?employee=E9&month=2026-05", "/days/E9/2026-05-16", &event] {
        let answer = site.get(&cookie, nobody).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{nobody}");
        for words in
            ["社員コード「E9」の社員は見つかりません。", "name=\"month\" value=\"2026-05\"", "value=\"E9\""]
        {
            assert!(answer.text.contains(words), "{nobody}, {words}: {}", answer.text);
        }
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

/// Stays of one account from when to when, each a session of its own, behind a start of the agent two days before.
pub(super) fn stays(times: &[(UtcMillis, UtcMillis)]) -> Vec<IncomingEvent> {
    let begins = times.first().map_or(at(-48, 0), |(on, _)| on.plus(-48 * 3_600_000).min(at(-48, 0)));
    let mut all = vec![event(1, EventKind::ServiceStart, begins, "hanako")];
    for (number, (on, off)) in (1_u64..).zip(times) {
        for (kind, time) in [(EventKind::Logon, *on), (EventKind::Logoff, *off)] {
            let mut plain = event(all.len() as u64 + 1, kind, time, "hanako").event;
            plain.session.as_mut().unwrap().logon_identity = format!("luid:{number}");
            all.push(encoded(plain));
        }
    }
    all
}

/// 花子 as an employee who signs in; returns the cookie.
async fn hanako_herself(site: &Site) -> String {
    let all = site.store.list_employees(site.contract.into(), None, 9).await.unwrap();
    let new = NewAdministrator {
        employee: Some(all[0].id),
        ..NewAdministrator::new("hanako", Role::Employee, Some(site.contract))
    };
    site.somebody(new).await
}

/// The times in the row of a date: on 自分の記録, and in the month that others see.
fn times_of(page: &str, mark: &str) -> Vec<String> {
    let row = page.split(mark).nth(1).unwrap_or_default().split("</tr>").next().unwrap();
    let time = |part: &str| part.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
    row.split("<span class=\"dt time").skip(1).map(time).collect()
}

#[tokio::test]
async fn employee_and_office_see_the_same_first_and_last_at_and_around_the_boundary() {
    let mut site = Site::new().await;
    let hr = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    let nights = [
        (at(-15, 0), at(-6, 12)),
        // Alone before the boundary: a day begins.
        (at(4, 30), at(4, 50)),
        (at(9, 3), at(18, 0)),
        (at(22, 0), at(25, 30)),
        // Continues the night, and ends a minute before the boundary.
        (at(25, 40), at(28, 59)),
        (at(33, 3), at(33, 20)),
    ];
    site.record(terminal, stays(&nights)).await;
    site.linked(site.contract, "E-1", "佐藤 花子").await;
    let own = hanako_herself(&site).await;
    let expected = |boundary: u32| match boundary {
        // The evening goes on beyond midnight: the day has no last logoff.
        0 => [vec!["09:00", "18:12"], vec!["04:30"], vec!["01:40", "09:20"]],
        _ => [vec!["09:00", "18:12"], vec!["04:30", "28:59"], vec!["09:03", "09:20"]],
    };
    for boundary in [0, 300, 600, 720] {
        site.state.day_boundary_minutes = boundary;
        site.app = crate::web::router(site.state.clone());
        let month = site.get(&hr, "/days?employee=E-1&month=2026-06").await.text;
        let mine = site.get(&own, "/me?month=2026-06").await.text;
        for (date, expected) in ["2026-06-15", "2026-06-16", "2026-06-17"].iter().zip(expected(boundary)) {
            let of_office = times_of(&month, &format!("class=\"m-date\"><a href=\"/days/E%2D1/{date}\""));
            assert_eq!(of_office, expected, "{boundary} {date}");
            assert_eq!(times_of(&mine, &format!("<time datetime=\"{date}\"")), expected, "{boundary} {date}");
            let whole = async |cookie: &str, address: String| {
                let page = site.get(cookie, &address).await.text;
                let head = page.split("<dl class=\"dayhead\">").nth(1).unwrap();
                head.split("</main>").next().unwrap().replace("/me/punches/", "/punches/")
            };
            let (one, other) = (
                whole(&hr, format!("/days/E-1/{date}")).await,
                whole(&own, format!("/me/days/{date}")).await,
            );
            assert_eq!(one, other, "the whole day, with all its events");
        }
    }
}

#[tokio::test]
async fn a_remark_on_a_night_stands_beside_the_punches_of_that_night() {
    let site = Site::new().await;
    let hr = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    site.record(terminal, stays(&[(at(-2, 0), at(1, 30)), (at(4, 30), at(4, 50))])).await;
    site.linked(site.contract, "E-1", "佐藤 花子").await;
    let own = hanako_herself(&site).await;
    let remark = [("date", "2026-06-15"), ("from", "22:00"), ("to", "25:30"), ("text", "障害対応")];
    assert_eq!(site.post(&own, "/me/remarks", &remark).await.status, StatusCode::SEE_OTHER);
    let list = site.get(&hr, "/punches").await.text;
    assert_eq!(times(&list, ">本人の申告</span>"), 2, "logon 22:00 and logoff 25:30, not the logon at 4:30");
    for (number, date, said) in [(3, "2026-06-15", true), (4, "2026-06-16", false)] {
        let page = site.get(&hr, &format!("/punches/{terminal}/{number}")).await.text;
        assert!(page.contains(&format!("href=\"/days/E%2D1/{date}\"")), "{number}");
        assert_eq!(page.contains("障害対応"), said, "{number}");
        let page = site.get(&own, &format!("/me/punches/{terminal}/{number}")).await.text;
        assert!(page.contains(&format!("href=\"/me/days/{date}\"")), "{number}");
    }
}

#[tokio::test]
async fn own_days_are_ones_own_and_their_events_open() {
    let (site, admin, terminal) = office().await;
    let own = hanako_herself(&site).await;
    let month = site.get(&own, "/me/days?employee=nobody&month=2026-06").await;
    assert_eq!(month.status, StatusCode::OK);
    assert!(month.text.contains("佐藤 花子") && month.text.contains("href=\"/me/days/2026-06-16\""));
    assert!(!month.text.contains("href=\"/days"), "no way to pages that are closed");
    let day = site.get(&own, "/me/days/2026-06-16").await.text;
    assert!(day.contains("href=\"/me?month=2026-06&#38;date=2026-06-16#r-head\""), "{day}");
    assert!(!day.contains("href=\"/punches/") && !day.contains("href=\"/days"));
    // The start of the agent, a lock and the PC's sleep: everything that stands there opens.
    for number in 1..=7 {
        assert!(day.contains(&format!("href=\"/me/punches/{terminal}/{number}\"")), "{number}");
        let event = site.get(&own, &format!("/me/punches/{terminal}/{number}")).await;
        assert_eq!(event.status, StatusCode::OK, "{number}");
        assert!(
            !event.text.contains("href=\"/terminals") && !event.text.contains("href=\"/days"),
            "{number}"
        );
    }
    let me = site.get(&own, "/me?date=2026-06-16").await.text;
    assert!(me.contains("href=\"/me/days/2026-06-16\"") && me.contains("value=\"2026-06-16\""));
    for bad in ["/me/days?month=x", "/me/days/2026-02-30"] {
        let page = site.get(&own, bad).await;
        assert!(page.status == StatusCode::OK && page.text.contains("role=\"alert\""), "{bad}");
    }
    assert_eq!(site.get(&admin, "/me/days").await.status, StatusCode::FORBIDDEN, "no employee, no days");
    let log = site.store.audit_log(Some(site.contract), None, 100).await.unwrap();
    assert!(log.iter().all(|entry| entry.action != "view_record"), "looking at oneself is not noted");
}

/// The addresses of events on a page.
fn events_of(page: &str) -> Vec<String> {
    let mut all: Vec<_> = page
        .split("href=\"")
        .skip(1)
        .map(|part| part.split('"').next().unwrap().to_owned())
        .filter(|address| address.contains("/events/") || address.contains("/punches/"))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// An approver of the one department there is.
async fn approver(site: &Site) -> String {
    let departments = site.store.list_departments(site.contract).await.unwrap();
    let department = Some(departments[0].id);
    let new = NewAdministrator::new("approver", Role::Approver, Some(site.contract));
    site.somebody(NewAdministrator { department, ..new }).await
}

#[tokio::test]
async fn everything_on_a_day_opens_for_an_approver_and_nothing_else_of_that_pc() {
    let (site, admin, terminal) = office().await;
    let approver = approver(&site).await;
    let day = site.get(&approver, DAY).await.text;
    let events = events_of(&day);
    let numbered: Vec<_> = (1..=7).map(|number| format!("{DAY}/events/{terminal}/{number}")).collect();
    assert_eq!(events, numbered, "the start of the agent, the stay, a lock and the PC's sleep");
    for address in &events {
        let page = site.get(&approver, address).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        assert!(page.text.contains(&format!("href=\"{DAY}\"")), "the way back to the day: {address}");
        assert!(!page.text.contains("href=\"/terminals"), "{address}");
    }
    let month = site.get(&approver, "/days?employee=E+1%2F7&month=2026-06").await.text;
    assert!(month.contains(&format!("href=\"{DAY}\"")) && events_of(&month).is_empty(), "by way of the day");
    let log = site.store.audit_log(Some(site.contract), None, 100).await.unwrap();
    let noted = |page: &str| log.iter().any(|entry| entry.detail.contains(&format!("\"page\":\"{page}\"")));
    assert!(noted("event") && noted("punch") && noted("day"), "{log:?}");
    // Somebody else's lock on the same PC, the PC's sleep on a day without her, another day, another person, no date.
    let mut lock = event(8, EventKind::Lock, at(32, 0), "taro").event;
    lock.account.as_mut().unwrap().key = "S-1-5-21-8".into();
    lock.session.as_mut().unwrap().logon_identity = "luid:8".into();
    let sleep = event(9, EventKind::Suspend, at(-20, 0), "taro");
    site.record(terminal, vec![encoded(lock), sleep]).await;
    let other = NewEmployee { department: Some("開発部".into()), ..NewEmployee::named("E2", "別の人") };
    site.store.add_employee(site.contract, other, Act::server(NOW)).await.unwrap();
    for address in [
        format!("/days/E%201%2F7/2026-06-17/events/{terminal}/8"),
        format!("/days/E%201%2F7/2026-06-15/events/{terminal}/9"),
        format!("/days/E%201%2F7/2026-06-10/events/{terminal}/5"),
        format!("/days/E2/2026-06-16/events/{terminal}/2"),
        format!("/days/E2/2026-06-16/events/{terminal}/5"),
        format!("/days/E%201%2F7/x/events/{terminal}/5"),
        format!("{DAY}/events/{terminal}/99"),
        format!("{DAY}/events/x/5"),
    ] {
        assert_eq!(site.get(&approver, &address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    let far = NewDepartment { code: "D2".into(), name: "営業部".into(), parent: None };
    let far = site.store.add_department(site.contract, far, Act::server(NOW)).await.unwrap();
    let stranger = NewAdministrator::new("far", Role::Approver, Some(site.contract));
    let stranger = site.somebody(NewAdministrator { department: Some(far), ..stranger }).await;
    for address in &events {
        assert_eq!(site.get(&stranger, address).await.status, StatusCode::NOT_FOUND, "{address}");
        assert_eq!(site.get(&admin, address).await.status, StatusCode::OK, "{address}");
    }
}

#[tokio::test]
async fn what_others_did_on_the_same_pc_does_not_open() {
    let (site, _, terminal) = office().await;
    let own = hanako_herself(&site).await;
    let mut lock = event(8, EventKind::Lock, at(32, 0), "taro").event;
    lock.account.as_mut().unwrap().key = "S-1-5-21-8".into();
    lock.session.as_mut().unwrap().logon_identity = "luid:8".into();
    // The PC sleeps on a day on which she was not there.
    let sleep = event(9, EventKind::Suspend, at(-20, 0), "taro");
    site.record(terminal, vec![encoded(lock), sleep]).await;
    for number in [8, 9] {
        let answer = site.get(&own, &format!("/me/punches/{terminal}/{number}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{number}");
    }
    let csv = site.get(&own, "/me/events.csv").await.text;
    assert!(!csv.contains("taro"), "{csv}");
}

#[tokio::test]
async fn all_own_events_can_be_taken_away() {
    let (site, _, terminal) = office().await;
    let own = hanako_herself(&site).await;
    let csv = site.get(&own, "/me/events.csv").await;
    assert!(csv.header(axum::http::header::CONTENT_TYPE).contains("csv"));
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 8, "the head and every event once, the night's as well: {}", csv.text);
    for (line, parts) in
        [(1, ["2026-06-17", "01:30:00", "ログオフ"]), (5, ["2026-06-16", "12:00:00", "ロック"])]
    {
        assert!(parts.iter().all(|part| lines[line].contains(part)), "{}", lines[line]);
    }
    let json = site.get(&own, "/me.json").await.text;
    let record: serde_json::Value = serde_json::from_str(&json).unwrap();
    let days = record["days"].as_array().unwrap();
    assert_eq!(
        (days.len(), &days[0]["date"], &days[1]["date"]),
        (17, &"2026-06-17".into(), &"2026-06-16".into())
    );
    assert_eq!(days[1]["first_logon"]["time"]["at"], "2026-06-16T00:02:00.000Z");
    assert_eq!(days[1]["last_logoff"]["time"]["at"], "2026-06-16T16:30:00.000Z");
    assert_eq!(days[1]["events"].as_array().unwrap().len(), 6);
    let night = &days[0]["events"][0];
    assert_eq!((&night["kind"], &night["of_the_day_before"]), (&"logoff".into(), &true.into()));
    assert_eq!(
        (night["seq"].as_u64(), night["terminal"].as_str()),
        (Some(7), Some(terminal.to_string().as_str()))
    );
    let log = site.store.audit_log(Some(site.contract), None, 2).await.unwrap();
    assert!(log.iter().all(|entry| entry.action == "export_own_record"));
    assert!(log[1].detail.contains("events, csv"), "{}", log[1].detail);
}

#[tokio::test]
async fn one_power_cut_is_told_alike_on_both_days() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    let on = event(2, EventKind::Logon, at(9, 0), "hanako");
    let lock = event(3, EventKind::Lock, at(20, 1), "hanako");
    let boot = BootId::new("b2").unwrap();
    let mut start = event(4, EventKind::ServiceStart, at(33, 21), "hanako").event;
    (start.boot, start.cause) = (boot.clone(), Some("after_power_loss".into()));
    let mut off = event(5, EventKind::Logoff, at(20, 1), "hanako").event;
    let bounds = Bounds { not_before: at(20, 1), not_after: at(33, 21) };
    (off.boot, off.bounds, off.evidence) = (boot, Some(bounds), Evidence::Inferred);
    (off.cause, off.recorded_at.wall) = (Some("power_loss".into()), at(33, 21));
    let first = event(1, EventKind::ServiceStart, at(0, 0), "hanako");
    site.record(terminal, vec![first, on, lock, encoded(start), encoded(off)]).await;
    site.linked(site.contract, "E 1/7", "佐藤 花子").await;
    let before = site.get(&cookie, DAY).await.text;
    let cut = "</span> この間に電源が切れました";
    assert!(before.contains(&format!("<span class=\"time\">20:01〜33:21{cut}")), "{before}");
    assert!(before.contains(">20:01:00〜33:21:00</a>") && !before.contains("翌0"), "{before}");
    let after = site.get(&cookie, "/days/E%201%2F7/2026-06-17").await.text;
    assert!(after.contains(&format!("<span class=\"time\">06-16 20:01〜09:21{cut}")), "{after}");
    assert!(!after.contains("00:00〜09:21"));
    // Why it is so is told in words; the agent's own word stands beside them on the page.
    let event = site.get(&cookie, &format!("/punches/{terminal}/4")).await.text;
    assert!(event.contains("前回は電源断で終了") && event.contains(">after_power_loss<"), "{event}");
    let own = hanako_herself(&site).await;
    let file = site.get(&own, "/me/events.csv").await.text;
    assert!(file.contains("\"前回は電源断で終了\"") && !file.contains("power_loss"), "{file}");
}

#[tokio::test]
async fn what_came_late_did_not_come_at_once() {
    let (site, cookie, terminal) = office().await;
    let events = async |date: &str| {
        let page = site.get(&cookie, &format!("/days/E%201%2F7/{date}")).await.text;
        page.split("id=\"d-events\"").nth(1).unwrap_or_default().to_owned()
    };
    let late = events("2026-06-16").await;
    assert_eq!((times(&late, "<td role=\"cell\">遅延</td>"), times(&late, "即時")), (7, 0), "{late}");
    // The list, the file and the punch's own page say the same by the same rule.
    for address in ["/punches", "/punches?print=1", "/punches.csv", &format!("/punches/{terminal}/2")] {
        let text = site.get(&cookie, address).await.text;
        assert!(text.contains("遅延") && !text.contains("即時"), "{address}: {text}");
    }
    // Received at 9:24:31.
    let mut on = event(8, EventKind::Logon, at(33, 20), "hanako").event;
    on.session.as_mut().unwrap().logon_identity = "luid:8".into();
    site.record(terminal, vec![encoded(on)]).await;
    let today = events("2026-06-17").await;
    assert_eq!(times(&today, "<td role=\"cell\">即時</td>"), 1, "{today}");
    // Four and a half minutes by the two clocks, three by the server's alone: the terminal's is behind.
    let list = site.get(&cookie, "/punches?from=2026-06-17&kind=logon").await.text;
    assert_eq!((times(&list, "即時"), times(&list, "遅延")), (1, 0), "{list}");
}

#[tokio::test]
async fn days_to_come_before_the_record_and_without_a_logon_have_signs_of_their_own() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    site.record(terminal, stays(&[(at(-39, 0), at(-30, 0)), (at(9, 0), at(18, 0)), (at(33, 0), at(33, 20))]))
        .await;
    site.linked(site.contract, "E-1", "佐藤 花子").await;
    let text = site.get(&cookie, "/days?employee=E-1&month=2026-06").await.text;
    let row = |date: &str| {
        let row = text.split(&format!("class=\"m-date\"><a href=\"/days/E%2D1/{date}\"")).nth(1).unwrap();
        row.split("</tr>").next().unwrap().to_owned()
    };
    assert!(row("2026-06-15").contains("status--quiet") && row("2026-06-15").contains("ログオンの記録なし"));
    assert!(!row("2026-06-15").contains("status--ok"), "no green beside a day without a logon");
    assert!(row("2026-06-16").contains("status--ok"));
    assert!(row("2026-06-10").contains("status--before") && row("2026-06-18").contains("status--to-come"));
    let key = text.split("bandkey--states").nth(1).unwrap().split("</ul>").next().unwrap();
    for state in ["欠けなし", "記録あり", "これから", "記録開始前"] {
        assert_eq!(times(key, state), 1, "{state}: on a phone the rows have the signs alone");
    }
}

#[tokio::test]
async fn a_month_leads_to_the_people_beside_whom_its_reader_may_see() {
    let (site, admin, _) = office().await;
    let approver = approver(&site).await;
    for (code, name, department) in [("E0", "前の人", None), ("E2", "次の人", Some("開発部"))] {
        let new = NewEmployee { department: department.map(str::to_owned), ..NewEmployee::named(code, name) };
        site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
    }
    let month = "/days?employee=E+1%2F7&month=2026-05";
    let page = site.get(&admin, month).await.text;
    let codes: Vec<_> = ["E0", "E2"]
        .iter()
        .filter(|code| page.contains(&format!("href=\"/days?employee={code}&#38;month=2026-05\"")))
        .collect();
    assert_eq!(codes.len(), 1, "the codes stand in the order E 1/7, E0, E2: {page}");
    let page = site.get(&admin, "/days?employee=E0&month=2026-05").await.text;
    for (words, name) in [("前の社員", "佐藤 花子"), ("次の社員", "次の人")] {
        assert!(page.contains(&format!("{words} <span class=\"muted\">{name}")), "{words}: {page}");
    }
    let page = site.get(&approver, month).await.text;
    assert!(page.contains("次の社員 <span class=\"muted\">次の人") && !page.contains("前の社員"), "{page}");
    let list = site.get(&approver, "/days").await.text;
    assert!(
        list.contains("打刻のある日") && times(&list, ">1日</td>") == 1 && times(&list, ">未登録</td>") == 1,
        "{list}"
    );
    let page = site.get(&admin, "/days?employee=E2").await.text;
    assert!(page.contains("前の社員") && !page.contains("次の社員"), "the last one");
}

mod closing;
mod nights;
