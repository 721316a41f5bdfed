//! Signing out whoever does nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use mngntime_model::UtcMillis;
use mngntime_store::{Act, AdministratorId, NewAdministrator, NewEmployee, Role};

use super::{Answer, NOW, Site, contract};
use crate::passwords::hash_new;
use crate::web::router;

const MINUTE_MS: i64 = 60_000;

/// A site whose clock the test moves.
struct House {
    site: Site,
    clock: Arc<AtomicI64>,
}

impl House {
    async fn new() -> Self {
        let mut site = Site::new().await;
        let clock = Arc::new(AtomicI64::new(NOW.0));
        let read = clock.clone();
        site.state.clock = Arc::new(move || UtcMillis(read.load(Ordering::SeqCst)));
        site.app = router(site.state.clone());
        Self { site, clock }
    }

    /// A house whose contract signs out after so many minutes.
    async fn idling(minutes: Option<u16>) -> Self {
        let house = Self::new().await;
        house.site.idle_after(house.site.contract, minutes).await;
        house
    }

    fn wait_ms(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    fn wait(&self, minutes: i64) {
        self.wait_ms(minutes * MINUTE_MS);
    }

    async fn hr(&self) -> (AdministratorId, String) {
        let new = NewAdministrator::new("hr", Role::HumanResources, Some(self.site.contract));
        let id = self.site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
        (id, self.site.session(id).await)
    }

    async fn works(&self, cookie: &str) -> bool {
        self.site.get(cookie, "/employees").await.status == StatusCode::OK
    }

    /// Where a person who opens a page is sent.
    async fn sent_to(&self, cookie: &str) -> String {
        self.site.get(cookie, "/employees?q=x").await.header(header::LOCATION).to_owned()
    }

    /// What the list of punches asks for by itself, as a browser without TLS does.
    async fn poll(&self, cookie: &str) -> Answer {
        self.site.get(cookie, "/punches/newer").await
    }
}

const IDLED: &str = "/login?next=%2Femployees%3Fq%3Dx&over=idle";

#[tokio::test]
async fn a_session_ends_at_the_millisecond_and_says_why_and_leads_back() {
    let house = House::idling(Some(15)).await;
    let (hr, session) = house.hr().await;
    assert!(house.works(&session).await);
    house.wait_ms(15 * MINUTE_MS - 1);
    assert!(house.works(&session).await, "and that is a use of it");
    house.wait_ms(15 * MINUTE_MS - 1);
    assert!(house.works(&session).await);
    house.wait(15);
    assert_eq!(house.sent_to(&session).await, IDLED);
    assert!(!house.works(&session).await);
    assert!(house.site.store.sessions_of(hr, NOW).await.unwrap().is_empty(), "nobody's any more");
    let page = house.site.get(&session, IDLED).await.text;
    assert!(page.contains("一定時間操作がなかったため、自動的にサインアウトしました"), "{page}");
    assert!(page.contains("name=\"next\" value=\"/employees?q=x\"") && !page.contains("保存されていません"));
    let english = format!("{session}; mngntime_language=en");
    let page = house.site.get(&english, IDLED).await.text;
    assert!(page.contains("You were signed out because nothing was done for a while."), "{page}");
    let log = house.site.store.audit_log(Some(house.site.contract), None, 99).await.unwrap();
    assert!(log.iter().all(|entry| !entry.action.contains("sign_out") && !entry.action.contains("session")));
}

#[tokio::test]
async fn a_form_that_comes_too_late_is_not_saved_and_says_so() {
    let house = House::idling(Some(15)).await;
    let (_, session) = house.hr().await;
    assert!(house.works(&session).await);
    house.wait(15);
    let request = Request::post("/employees")
        .header(header::COOKIE, &session)
        .header(header::HOST, "time.example")
        .header(header::REFERER, "https://time.example/employees?q=x")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    let answer = house.site.send(request.body(Body::from("code=E-1&name=n")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let to = answer.header(header::LOCATION);
    assert_eq!(to, "/login?next=%2Femployees%3Fq%3Dx&over=idle-form");
    let page = house.site.get(&session, to).await.text;
    for text in ["自動的にサインアウトしました", "送信した内容は保存されていません"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    let saved = house.site.store.employee_by_code(house.site.contract.into(), "E-1".into()).await.unwrap();
    assert!(saved.is_none());
}

#[tokio::test]
async fn what_a_page_asks_for_by_itself_keeps_nothing_open_and_does_not_hide_why() {
    let house = House::idling(Some(15)).await;
    let (_, session) = house.hr().await;
    assert!(house.works(&session).await);
    for _ in 0..14 {
        house.wait(1);
        assert_eq!(house.poll(&session).await.status, StatusCode::OK);
    }
    house.wait(1);
    let over = house.poll(&session).await;
    assert_eq!(over.status, StatusCode::SEE_OTHER);
    assert!(over.header(header::LOCATION).starts_with("/login?"), "the page takes that for the end");
    house.wait(60);
    assert_eq!(house.sent_to(&session).await, IDLED, "whoever comes after lunch is told why");
}

/// What a page's script is told about the session: seconds left, seconds before the end when it is said, and why.
async fn told(house: &House, cookie: &str) -> (i64, i64, String) {
    let answer = house.site.get(cookie, "/session").await;
    assert_eq!(answer.status, StatusCode::OK);
    read_told(&answer)
}

fn read_told(answer: &Answer) -> (i64, i64, String) {
    let told: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    let number = |name: &str| told[name].as_i64().unwrap();
    assert!(told["who"].is_string());
    (number("left"), number("warned"), told["why"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn asking_how_long_a_session_goes_on_is_no_use_and_going_on_with_it_is() {
    let house = House::idling(Some(15)).await;
    let (_, session) = house.hr().await;
    assert!(house.works(&session).await);
    for minute in 0..14 {
        assert_eq!(told(&house, &session).await, (900 - 60 * minute, 180, "idle".to_owned()));
        house.wait(1);
    }
    let stayed = house.site.post(&session, "/session", &[]).await;
    assert_eq!((stayed.status, read_told(&stayed)), (StatusCode::OK, (900, 180, "idle".to_owned())));
    house.wait_ms(30_000);
    let stayed = house.site.post(&session, "/session", &[]).await;
    assert_eq!(read_told(&stayed).0, 900, "to the moment, not once a minute");
    house.wait_ms(15 * MINUTE_MS - 1);
    assert_eq!(told(&house, &session).await.0, 0);
    house.wait_ms(1);
    for over in [house.site.get(&session, "/session").await, house.site.post(&session, "/session", &[]).await]
    {
        assert_eq!(over.status, StatusCode::SEE_OTHER, "nobody goes on with what is over");
    }
    assert!(!house.works(&session).await);
}

#[tokio::test]
async fn going_on_does_not_prolong_the_twelve_hours() {
    let house = House::idling(None).await;
    house.site.idle_after(house.site.contract, Some(240)).await;
    let new = NewAdministrator {
        password_hash: Some(hash_new("correct horse").unwrap()),
        ..NewAdministrator::new("hanako", Role::HumanResources, Some(house.site.contract))
    };
    house.site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    let fields = [("user", "hanako"), ("password", "correct horse")];
    let answer = house.site.post("", "/login", &fields).await;
    let session = answer.header(header::SET_COOKIE).split(';').next().unwrap().to_owned();
    for _ in 0..3 {
        house.wait(229);
        house.site.post(&session, "/session", &[]).await;
    }
    assert_eq!(told(&house, &session).await, (33 * 60, 300, "day".to_owned()));
    house.wait(32);
    let stayed = house.site.post(&session, "/session", &[]).await;
    assert_eq!(read_told(&stayed), (60, 300, "day".to_owned()));
    house.wait(1);
    assert_eq!(house.site.post(&session, "/session", &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_page_of_a_person_can_say_when_the_session_ends_and_how_to_go_on() {
    let house = House::idling(Some(30)).await;
    let (_, session) = house.hr().await;
    for (language, on, foot) in [
        ("ja", "続ける</button>", "30分間操作がないと、サインアウトします。"),
        ("en", "Stay signed in</button>", "You are signed out after 30 minutes without activity."),
    ] {
        let cookie = format!("{session}; mngntime_language={language}");
        let page = house.site.get(&cookie, "/employees?q=x").await.text;
        assert!(page.contains("data-left=\"1800\" data-warned=\"300\" data-who=\"hr\""), "{page}");
        assert!(page.contains(on) && page.contains(&format!("<noscript><p>{foot}")), "{page}");
        assert!(page.contains("href=\"/login?next=%2Femployees%3Fq%3Dx\" target=\"_blank\""), "{page}");
    }
    let login = house.site.get("", "/login").await.text;
    assert!(!login.contains("data-stay") && !login.contains("<noscript>"), "nobody is signed in");
    house.site.idle_after(house.site.contract, None).await;
    let page = house.site.get(&session, "/employees").await.text;
    assert!(!page.contains("<noscript>"), "never is never");
}

#[tokio::test]
async fn whoever_has_to_set_up_a_second_factor_first_goes_on_meanwhile() {
    let mut house = House::idling(Some(15)).await;
    house.site.state.operators_second_factor = true;
    house.site.app = router(house.site.state.clone());
    let operator = house.site.person("root", Role::Operator, None).await;
    assert_eq!(house.site.get(&operator, "/contracts").await.header(header::LOCATION), "/me/security");
    assert_eq!(house.site.get(&operator, "/session").await.status, StatusCode::OK);
    assert_eq!(house.site.post(&operator, "/session", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute() {
    let house = House::idling(Some(15)).await;
    let (hr, session) = house.hr().await;
    let seen = async || house.site.store.sessions_of(hr, NOW).await.unwrap()[0].seen_at.unwrap().0 - NOW.0;
    for (wait, expected) in [(0, 0), (59_999, 0), (1, 60_000), (59_999, 60_000), (90_000, 209_999)] {
        house.wait_ms(wait);
        assert!(house.works(&session).await);
        assert_eq!(seen().await, expected);
    }
}

#[tokio::test]
async fn a_session_in_which_no_page_was_opened_ends_too() {
    let house = House::idling(Some(30)).await;
    let new = NewAdministrator {
        password_hash: Some(hash_new("correct horse").unwrap()),
        ..NewAdministrator::new("hanako", Role::HumanResources, Some(house.site.contract))
    };
    house.site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    let sign_in = async |cookie: &str| {
        let fields = [("user", "hanako"), ("password", "correct horse"), ("next", "/employees?q=x")];
        let answer = house.site.post(cookie, "/login", &fields).await;
        assert_eq!(answer.header(header::LOCATION), "/employees?q=x");
        answer.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
    };
    let session = sign_in("").await;
    house.wait(30);
    assert_eq!(house.sent_to(&session).await, IDLED);
    let again = sign_in(&session).await;
    assert_ne!(again, session);
    assert!(house.works(&again).await && !house.works(&session).await);
}

#[tokio::test]
async fn only_the_own_contract_counts_and_for_everybody_in_it() {
    let house = House::idling(None).await;
    let other = contract(&house.site.store, "B-2").await;
    house.site.idle_after(other, Some(15)).await;
    let (_, ours) = house.hr().await;
    let theirs = house.site.person("theirs", Role::HumanResources, Some(other)).await;
    let new = NewEmployee::named("E-1", "氏名".to_owned());
    let record = house.site.store.add_employee(other, new, Act::server(NOW)).await.unwrap();
    let new = NewAdministrator {
        employee: Some(record),
        ..NewAdministrator::new("employee", Role::Employee, Some(other))
    };
    let employee = house.site.somebody(new).await;
    let security = async |cookie: &str| house.site.get(cookie, "/me/security").await;
    for cookie in [&ours, &theirs, &employee] {
        assert_eq!(security(cookie).await.status, StatusCode::OK);
    }
    assert!(security(&theirs).await.text.contains("15分間操作がないと"));
    assert!(!security(&ours).await.text.contains("操作がないと"));
    house.wait(15);
    for cookie in [&theirs, &employee] {
        assert_eq!(security(cookie).await.header(header::LOCATION), "/login?next=%2Fme%2Fsecurity&over=idle");
    }
    house.wait(11 * 60);
    assert!(house.works(&ours).await, "off is off");
}

#[tokio::test]
async fn operators_follow_the_server() {
    for (minutes, open) in [(Some(60), false), (Some(61), true), (None, true)] {
        let mut house = House::idling(Some(15)).await;
        house.site.state.operators_idle_minutes = minutes;
        house.site.app = router(house.site.state.clone());
        let operator = house.site.person("root", Role::Operator, None).await;
        let status = async || house.site.get(&operator, "/contracts").await.status;
        assert_eq!(status().await, StatusCode::OK);
        house.wait(60);
        assert_eq!(status().await == StatusCode::OK, open, "{minutes:?}");
    }
}

#[tokio::test]
async fn another_setting_counts_for_open_sessions_and_brings_none_back() {
    let house = House::idling(Some(60)).await;
    let ((_, early), admin) = (house.hr().await, house.site.administrator().await);
    assert!(house.works(&early).await);
    let change = async |minutes: &str| {
        let fields =
            [("name", "n"), ("day", "05:00"), ("retention", "5"), ("language", ""), ("idle", minutes)];
        assert_eq!(house.site.post(&admin, "/settings", &fields).await.header(header::LOCATION), "/settings");
    };
    house.wait(20);
    change("15").await;
    assert_eq!(house.sent_to(&early).await, IDLED);
    change("0").await;
    assert_eq!(house.sent_to(&early).await, IDLED, "what has ended has ended");

    change("15").await;
    let late = house.site.person("late", Role::HumanResources, Some(house.site.contract)).await;
    assert!(house.works(&late).await);
    house.wait(10);
    assert!(house.works(&admin).await);
    house.wait(5);
    change("240").await;
    let to = house.sent_to(&late).await;
    assert!(to.ends_with("over=session"), "over before anybody asked, and before more was allowed: {to}");
    assert!(house.works(&admin).await);
}

#[tokio::test]
async fn a_session_that_has_idled_out_is_not_listed() {
    let house = House::idling(Some(15)).await;
    let (hr, left) = house.hr().await;
    assert!(house.works(&left).await);
    let here = house.site.session(hr).await;
    let others = async || {
        house.site.get(&here, "/me/security").await.text.contains("action=\"/me/security/sessions/end\"")
    };
    assert!(others().await);
    house.wait(14);
    assert!(others().await);
    house.wait(1);
    assert!(!others().await);
}
