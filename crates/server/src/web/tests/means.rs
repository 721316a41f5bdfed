//! Second factors, lock-out, sessions and tokens: every way in, and every way that is none.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use mngntime_model::UtcMillis;
use mngntime_store::{Act, AdministratorId, FAILURES_FREE, NewAdministrator, NewPasskey, Role};

use super::{Answer, NOW, Site, times};
use crate::limiter::{Login, PER_ADDRESS, REFILL_MS};
use crate::metrics::Metrics;
use crate::passwords::hash_new;
use crate::second_factor::passkeys::Passkeys;
use crate::second_factor::totp::code_at;
use crate::web::router;

pub const PASSWORD: &str = "correct horse";
pub const OTHER: &str = "battery staple";

/// A site whose clock the test moves, with one person.
pub struct House {
    pub site: Site,
    clock: Arc<AtomicI64>,
    pub hanako: AdministratorId,
}

impl House {
    pub async fn of(role: Role) -> Self {
        let mut site = Site::new().await;
        let clock = Arc::new(AtomicI64::new(NOW.0));
        let read = clock.clone();
        site.state.clock = Arc::new(move || UtcMillis(read.load(Ordering::SeqCst)));
        site.app = router(site.state.clone());
        let new = NewAdministrator {
            password_hash: Some(hash_new(PASSWORD).unwrap()),
            display_name: "花子".into(),
            ..NewAdministrator::new("hanako", role, Some(site.contract))
        };
        let hanako = site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
        Self { site, clock, hanako }
    }

    pub async fn new() -> Self {
        Self::of(Role::HumanResources).await
    }

    /// The same, with visitors who come from this address.
    fn seen_from(mut self, address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        self.site.state.client = Arc::new(move |_, _| Some(address));
        self.site.app = router(self.site.state.clone());
        self
    }

    pub fn now(&self) -> UtcMillis {
        UtcMillis(self.clock.load(Ordering::SeqCst))
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub async fn first_step(&self, password: &str) -> Answer {
        let fields = [("user", "hanako"), ("password", password), ("next", "/employees")];
        self.site.post("", "/login", &fields).await
    }

    /// Signs in with the password alone; returns the cookie.
    pub async fn sign_in(&self) -> String {
        let answer = self.first_step(PASSWORD).await;
        assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/employees"));
        cookie(&answer)
    }

    /// Does the first step where a second is needed; returns the cookie of the waiting session.
    pub async fn waiting(&self) -> String {
        let answer = self.first_step(PASSWORD).await;
        assert_eq!(answer.header(header::LOCATION), "/login/second");
        cookie(&answer)
    }

    pub async fn second_step(&self, cookie: &str, code: &str) -> Answer {
        self.site.post(cookie, "/login/second", &[("code", code)]).await
    }

    /// Sets one-time codes up; returns the cookie afterwards, the secret and the recovery codes.
    pub async fn set_up_totp(&self, session: &str) -> (String, Vec<u8>, Vec<String>) {
        let start = self.site.post(session, "/me/security/totp/start", &[]).await;
        assert_eq!(start.header(header::LOCATION), "/me/security/totp");
        let page = self.site.get(session, "/me/security/totp").await.text;
        let text = page.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
        let secret = data_encoding::BASE32_NOPAD.decode(text.replace(' ', "").as_bytes()).unwrap();
        let code = code_at(&secret, self.now()).unwrap();
        let done = self.site.post(session, "/me/security/totp", &[("code", &code)]).await;
        assert_eq!(done.header(header::LOCATION), "/me/security/recovery-codes", "{}", done.text);
        let session = cookie(&done);
        let codes = self.codes(&session).await;
        assert_eq!(codes.len(), 10);
        (session, secret, codes)
    }

    /// The recovery codes that are shown now.
    pub async fn codes(&self, session: &str) -> Vec<String> {
        let page = self.site.get(session, "/me/security/recovery-codes").await.text;
        let codes = page.split("<li><code>").skip(1);
        codes.map(|part| part.split('<').next().unwrap().to_owned()).collect()
    }

    /// Sends the form for new recovery codes as it stands on the page.
    pub async fn make_codes(&self, session: &str) -> Answer {
        let page = self.site.get(session, "/me/security").await.text;
        let once = page.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        self.site.post(session, "/me/security/recovery-codes", &[("once", once)]).await
    }

    /// Makes a token of a year and returns it as a header.
    pub async fn bearer(&self) -> String {
        let fields = [("name", "x"), ("days", "365")];
        let made = self.site.post(&self.sign_in().await, "/me/security/tokens", &fields).await;
        let token = made.text.split("mngntime_").nth(1).unwrap().split('<').next().unwrap();
        format!("Bearer mngntime_{token}")
    }

    pub async fn actions(&self) -> Vec<String> {
        let log = self.site.store.audit_log(Some(self.site.contract), None, 100).await.unwrap();
        log.into_iter().rev().map(|entry| entry.action).filter(|word| !word.starts_with("create_")).collect()
    }

    /// Who did it and the detail of every such entry of the contract's log, oldest first.
    async fn entries(&self, action: &str) -> Vec<(String, String)> {
        let log = self.site.store.audit_log(Some(self.site.contract), None, 100).await.unwrap();
        let found = log.into_iter().rev().filter(|entry| entry.action == action);
        found.map(|entry| (entry.by, entry.detail)).collect()
    }

    pub async fn works(&self, cookie: &str) -> bool {
        self.site.get(cookie, "/employees").await.status == StatusCode::OK
    }
}

pub fn cookie(answer: &Answer) -> String {
    answer.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_ends_a_working_day_after_signing_in_whatever_is_done_in_it() {
    let house = House::new().await;
    house.site.idle_after(house.site.contract, None).await;
    let session = house.sign_in().await;
    for _ in 0..11 {
        house.wait(3_600);
        let add = [("code", "1"), ("name", "x")];
        house.site.post(&session, "/employees", &add).await;
        assert!(house.works(&session).await, "and what it says to the next page is kept in the session");
    }
    house.wait(3_599);
    assert!(house.works(&session).await);
    house.wait(1);
    let over = house.site.get(&session, "/employees").await;
    assert_eq!(over.status, StatusCode::SEE_OTHER);
    assert!(over.header(header::LOCATION).contains("over="), "{}", over.header(header::LOCATION));
}

#[tokio::test]
async fn what_a_script_asks_for_is_no_use_of_a_session_and_its_list_says_when_each_ends() {
    let house = House::new().await;
    house.site.idle_after(house.site.contract, None).await;
    let session = house.sign_in().await;
    let seen = async || {
        let sessions = house.site.store.sessions_of(house.hanako, house.now()).await.unwrap();
        sessions[0].seen_at.map(|at| (at.0 - NOW.0) / 60_000)
    };
    assert!(house.works(&session).await);
    assert_eq!(seen().await, Some(0));
    house.wait(59);
    assert!(house.works(&session).await);
    assert_eq!(seen().await, Some(0), "a page is not a write");
    house.wait(3_781);
    let poll = Request::get("/punches/newer").header(header::COOKIE, &session);
    let poll = poll.header("sec-fetch-dest", "empty").body(Body::empty()).unwrap();
    assert_eq!(house.site.send(poll).await.status, StatusCode::OK);
    assert_eq!(seen().await, Some(0), "nobody sits there");
    let page = house.site.get(&session, "/me/security").await.text;
    assert_eq!(seen().await, Some(64));
    assert!(page.contains("2026-06-17 21:24:31"), "twelve hours after signing in: {page}");
    let confirm = [("password", PASSWORD)];
    let renewed = cookie(&house.site.post(&session, "/me/security/confirm", &confirm).await);
    let page = house.site.get(&renewed, "/me/security").await.text;
    for text in ["2026-06-17 22:28:31", "2026-06-17 09:24:31"] {
        assert!(page.contains(text), "{text}: twelve hours after showing it again: {page}");
    }
    house.wait(11 * 3_600);
    let other = house.sign_in().await;
    house.wait(3_601);
    let page = house.site.get(&other, "/me/security").await.text;
    assert!(!page.contains("/me/security/sessions/end\""), "one that is over is no session: {page}");
}

#[tokio::test]
async fn somebody_sees_when_and_from_where_they_signed_in_before_and_what_failed_meanwhile() {
    let house = House::new().await.seen_from("192.0.2.7");
    let first = house.sign_in().await;
    let page = house.site.get(&first, "/me/security").await.text;
    assert!(page.contains("今回のサインイン") && !page.contains("前回のサインイン"), "{page}");
    house.wait(3_600);
    for _ in 0..3 {
        house.first_step("wrong").await;
    }
    let house = house.seen_from("198.51.100.9");
    let second = house.sign_in().await;
    let page = house.site.get(&second, "/me/security").await.text;
    let told = page.split("<dl class=\"facts\">").nth(1).unwrap().split("</dl>").next().unwrap();
    let (this, before) = told.split_once("前回のサインイン").unwrap();
    assert!(this.contains("198.51.100.9") && this.contains("その前に3回失敗"), "{this}");
    assert!(before.contains("2026-06-17 09:24:31") && before.contains("192.0.2.7"), "{before}");
    assert!(!before.contains("回失敗"), "{before}");
    let page = house.site.get(&first, "/me/security").await.text;
    assert!(!page.contains("前回のサインイン"), "of this session, and not of any");
}

#[tokio::test]
async fn the_log_says_from_where_somebody_signed_in_and_that_a_lock_out_is_not_their_doing() {
    let house = House::of(Role::Administrator).await.seen_from("::ffff:192.0.2.7");
    for _ in 0..FAILURES_FREE {
        house.first_step("wrong").await;
    }
    let lock_out = ("server".to_owned(), r#"{"address":"192.0.2.7","failures":10}"#.to_owned());
    assert_eq!(house.entries("lock_out").await, [lock_out]);
    house.wait(30);
    let form = format!("user=hanako&password={}", PASSWORD.replace(' ', "+"));
    let request = Request::post("/login")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::USER_AGENT, "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0")
        .header("sec-fetch-site", "same-origin");
    let session = cookie(&house.site.send(request.body(Body::from(form)).unwrap()).await);
    let detail = r#"{"address":"192.0.2.7","agent":"Edge · Windows","failures":10,"how":"password"}"#;
    assert_eq!(house.entries("sign_in").await, [("administrator:hanako".to_owned(), detail.to_owned())]);
    let page = house.site.get(&session, "/audit").await.text;
    for part in ["アドレス", "192.0.2.7", "Edge · Windows", "失敗が続きサインインを一時停止", ">サーバー<"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let out = house.site.post(&session, "/logout", &[]).await;
    assert_eq!(out.header(header::LOCATION), "/login");
    assert_eq!(house.entries("sign_out").await, [("administrator:hanako".to_owned(), "{}".to_owned())]);
    assert!(!house.works(&session).await);
}

#[tokio::test]
async fn an_address_that_is_closed_is_told_to_the_operators_once_an_hour_and_every_try_is_counted() {
    let mut house = House::new().await;
    let metrics = Metrics::default();
    house.site.state.sign_ins = metrics.sign_ins.clone();
    let house = house.seen_from("192.0.2.7");
    let operator = house.site.person("operator", Role::Operator, None).await;
    let told = async || {
        let log = house.site.store.audit_log(None, None, 100).await.unwrap();
        let found = log.into_iter().rev().filter(|entry| entry.action == "refuse_address");
        found.map(|entry| format!("{} {} {}", entry.by, entry.object, entry.detail)).collect::<Vec<_>>()
    };
    let guess = async || house.site.post("", "/login", &[("user", "nobody"), ("password", "x")]).await.text;
    let before = async || {
        for _ in 1..PER_ADDRESS {
            let address = (house.site.state.client)(None, &HeaderMap::new());
            assert_eq!(house.site.state.limiter.failed(address, Login::Known, house.now()), None);
        }
    };
    before().await;
    assert_eq!(told().await, [""; 0]);
    guess().await;
    let entry = r#"server address 192.0.2.7 {"address":"192.0.2.7","tries":50}"#;
    assert_eq!(told().await, [entry]);
    assert!(guess().await.contains("試せません"), "closed");
    let sign_in = house.first_step(PASSWORD).await;
    assert_eq!(sign_in.status, StatusCode::UNPROCESSABLE_ENTITY, "for everybody there");
    house.wait(2 * REFILL_MS / 1000);
    assert!(house.works(&house.sign_in().await).await);
    before().await;
    guess().await;
    assert_eq!(told().await.len(), 1, "once an hour");
    assert_eq!(house.actions().await, ["sign_in", "view_list"], "it is nobody's contract");
    let page = house.site.get(&operator, "/audit?object=192.0.2.7").await.text;
    assert!(page.contains("失敗が続いたアドレスを一時停止") && page.contains("192.0.2.7"), "{page}");
    let figures = metrics.page().unwrap();
    for (outcome, count) in [("right", 1), ("wrong", 2), ("waiting", 2)] {
        let line = format!("mngntime_sign_ins_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(figures.contains(&line), "{line}{figures}");
    }
}

#[tokio::test]
async fn an_office_that_slips_now_and_then_is_not_closed_while_its_people_sign_in() {
    let house = House::new().await.seen_from("192.0.2.7");
    let address: Option<IpAddr> = Some("192.0.2.7".parse().unwrap());
    for number in 0..3 * PER_ADDRESS {
        let person = format!("00000000-0000-4000-8000-{number:012}");
        assert_eq!(house.site.state.limiter.failed(address, Login::Known, house.now()), None, "{number}");
        house.site.state.limiter.right(address, AdministratorId::parse(&person).unwrap(), house.now());
    }
    assert!(house.works(&house.sign_in().await).await);
    for _ in 0..PER_ADDRESS {
        house.site.state.limiter.failed(address, Login::Known, house.now());
    }
    assert_eq!(house.first_step(PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    house.wait(REFILL_MS / 1000 / i64::from(PER_ADDRESS));
    assert!(house.works(&house.sign_in().await).await, "one more, not after a quarter of an hour");
}

#[tokio::test]
async fn signing_in_gives_a_failure_back_to_the_address() {
    let house = House::new().await.seen_from("192.0.2.7");
    let address: Option<IpAddr> = Some("192.0.2.7".parse().unwrap());
    let fail = || house.site.state.limiter.failed(address, Login::Known, house.now());
    (1..PER_ADDRESS).for_each(|_| drop(fail()));
    house.sign_in().await;
    assert_eq!(fail(), None, "without it, this one would have closed the address");
    assert!(house.site.state.limiter.closed_until(address, house.now()).is_none());
}

#[tokio::test]
async fn a_passkey_gets_another_name_from_its_owner_in_a_fresh_session() {
    let house = House::new().await;
    let key = mngntime_store::NewPasskey {
        credential_id: b"k".to_vec(),
        name: "古い".into(),
        credential: "{}".into(),
    };
    let session = house.sign_in().await;
    let (session, secret, _) = house.set_up_totp(&session).await;
    let keep = session.split_once('=').map(|(_, id)| crate::sessions::stored(&id.parse().unwrap()));
    let id = house.site.store.add_passkey(house.hanako, key, keep, Act::server(NOW)).await.unwrap();
    house.wait(31 * 60);
    let address = format!("/me/security/passkeys/{id}/rename");
    let stale = house.site.post(&session, &address, &[("name", "x")]).await;
    assert_eq!(stale.header(header::LOCATION), "/me/security?confirm=1");
    let code = code_at(&secret, house.now()).unwrap();
    let both = [("password", PASSWORD), ("code", code.as_str())];
    let session = cookie(&house.site.post(&session, "/me/security/confirm", &both).await);
    let name = async || house.site.store.means(house.hanako).await.unwrap().passkeys[0].data.name.clone();
    for (typed, kept) in
        [("<b>会社 PC", "<b>会社 PC"), (&"長".repeat(80), &"長".repeat(60)), ("  ", "名前のないパスキー")]
    {
        let renamed = house.site.post(&session, &address, &[("name", typed)]).await;
        assert_eq!(renamed.header(header::LOCATION), "/me/security", "{}", renamed.text);
        assert_eq!(name().await, kept);
        let page = house.site.get(&session, "/me/security").await.text;
        assert!(page.contains("パスキーの名前を変更しました") && !page.contains("<b>会社"));
    }
    let log = house.site.store.audit_log(Some(house.site.contract), None, 10).await.unwrap();
    let noted: Vec<_> = log.iter().filter(|entry| entry.action == "rename_passkey").collect();
    assert_eq!(noted.len(), 3);
    assert!(noted[2].detail.contains("古い") && noted[2].detail.contains("会社 PC"), "{}", noted[2].detail);
    let taro = NewAdministrator::new("taro", Role::HumanResources, Some(house.site.contract));
    let taro = NewAdministrator { password_hash: Some(hash_new(PASSWORD).unwrap()), ..taro };
    let taro = house.site.somebody(taro).await;
    let taro = cookie(&house.site.post(&taro, "/me/security/confirm", &[("password", PASSWORD)]).await);
    assert_eq!(house.site.post(&taro, &address, &[("name", "x")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn with_one_time_codes_a_password_alone_opens_nothing_and_a_code_counts_once() {
    let house = House::new().await;
    let session = house.sign_in().await;
    let elsewhere = house.sign_in().await;
    let (here, secret, _) = house.set_up_totp(&session).await;
    assert!(house.works(&here).await && !house.works(&session).await, "the id has changed");
    assert!(!house.works(&elsewhere).await, "what was opened without the second factor has ended");

    let waiting = house.waiting().await;
    assert!(!house.works(&waiting).await, "the first step opens nothing");
    assert_eq!(house.site.get(&waiting, "/me/security").await.status, StatusCode::SEE_OTHER);
    let page = house.site.get(&waiting, "/login/second").await;
    assert!(page.status == StatusCode::OK && page.text.contains("花子"));
    let used = code_at(&secret, house.now()).unwrap();
    let replayed = house.second_step(&waiting, &used).await;
    assert_eq!(replayed.status, StatusCode::UNPROCESSABLE_ENTITY, "the code that set it up has been used");
    house.wait(30);
    let code = code_at(&secret, house.now()).unwrap();
    let wide: String = code.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
    let right = house.second_step(&waiting, &wide).await;
    assert_eq!((right.status, right.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/employees"));
    let session = cookie(&right);
    assert_ne!(session, waiting, "a new id at the second step");
    assert!(house.works(&session).await && !house.works(&waiting).await);
    let again = house.waiting().await;
    let replayed = house.second_step(&again, &code).await;
    assert_eq!(replayed.status, StatusCode::UNPROCESSABLE_ENTITY, "nor twice");
    let expected = ["sign_in", "sign_in", "set_up_totp", "make_recovery_codes", "view_list", "sign_in"];
    assert_eq!(house.actions().await, expected);
}

#[tokio::test]
async fn wrong_codes_are_answered_alike_and_the_second_step_has_ten_minutes() {
    let house = House::new().await;
    let session = house.sign_in().await;
    let (_, secret, recovery) = house.set_up_totp(&session).await;
    house.wait(60);
    let waiting = house.waiting().await;
    let wrong = house.second_step(&waiting, "000000").await;
    let unknown = house.second_step(&waiting, "abcd-efgh").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.text, unknown.text);
    house.wait(10 * 60);
    let code = code_at(&secret, house.now()).unwrap();
    for late in [code.as_str(), recovery[0].as_str()] {
        let answer = house.second_step(&waiting, late).await;
        assert_eq!(answer.header(header::LOCATION), "/login?next=%2Femployees&over=second");
    }
    assert!(!house.works(&waiting).await);
    assert_eq!(
        house.second_step("", &code).await.header(header::LOCATION),
        "/login?over=second",
        "nor without the first"
    );
}

#[tokio::test]
async fn a_recovery_code_gets_in_once_and_new_ones_replace_the_old() {
    let house = House::new().await;
    let session = house.sign_in().await;
    let (here, _, codes) = house.set_up_totp(&session).await;
    let waiting = house.waiting().await;
    let right = house.second_step(&waiting, &codes[3].to_uppercase().replace('-', " ")).await;
    assert_eq!(right.status, StatusCode::SEE_OTHER);
    let page = house.site.get(&cookie(&right), "/me/security").await;
    assert!(page.text.contains("残り9個"), "{}", page.text);
    let waiting = house.waiting().await;
    let again = house.second_step(&waiting, &codes[3]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.make_codes(&here).await.status, StatusCode::SEE_OTHER);
    let anew = house.codes(&here).await;
    assert!(anew.len() == 10 && !anew.contains(&codes[0]));
    let old = house.second_step(&waiting, &codes[0]).await;
    assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(house.actions().await.contains(&"use_recovery_code".to_owned()));
}

#[tokio::test]
async fn codes_cannot_be_gone_through_even_by_somebody_with_the_password() {
    let house = House::new().await;
    let session = house.sign_in().await;
    let (_, secret, _) = house.set_up_totp(&session).await;
    house.wait(60);
    for _ in 0..FAILURES_FREE {
        // The first step being right does not let the count begin again.
        let waiting = house.waiting().await;
        assert_eq!(house.second_step(&waiting, "000000").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let locked = house.first_step(PASSWORD).await;
    assert_eq!(locked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(house.actions().await.contains(&"lock_out".to_owned()));
    house.wait(31);
    let waiting = house.waiting().await;
    let code = code_at(&secret, house.now()).unwrap();
    assert_eq!(house.second_step(&waiting, &code).await.header(header::LOCATION), "/employees");
}

#[tokio::test]
async fn ten_failures_make_a_login_wait_even_with_the_right_password_and_nobody_learns_whether_it_exists() {
    let house = House::new().await;
    for _ in 0..FAILURES_FREE {
        assert_eq!(house.first_step("wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        house.site.post("", "/login", &[("user", "nobody"), ("password", "wrong")]).await;
    }
    let known = house.first_step(PASSWORD).await;
    let fields = [("user", "nobody"), ("password", "wrong"), ("next", "/employees")];
    let unknown = house.site.post("", "/login", &fields).await;
    assert_eq!(known.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(known.text.contains("あと1分ほど試せません"), "{}", known.text);
    assert_eq!(known.text.replace("hanako", "nobody"), unknown.text);
    assert_eq!(house.actions().await, ["lock_out"]);
    house.wait(30);
    assert_eq!(house.first_step("wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    house.wait(59);
    assert!(house.first_step(PASSWORD).await.text.contains("試せません"), "the wait has doubled");
    house.wait(1);
    assert!(house.works(&house.sign_in().await).await);
    assert_eq!(house.actions().await, ["lock_out", "sign_in", "view_list"]);
}

#[tokio::test]
async fn what_somebody_signs_in_with_is_changed_only_shortly_after_showing_who_they_are() {
    let house = House::new().await;
    let session = house.sign_in().await;
    house.wait(30 * 60 + 1);
    for address in [
        "/me/security/totp/start",
        "/me/security/totp/remove",
        "/me/security/recovery-codes",
        "/me/security/tokens",
    ] {
        let answer = house.site.post(&session, address, &[("name", "x"), ("days", "30")]).await;
        assert_eq!(answer.header(header::LOCATION), "/me/security?confirm=1", "{address}");
    }
    let page = house.site.get(&session, "/me/security?confirm=1").await.text;
    assert!(page.contains("/me/security/confirm") && !page.contains("/me/security/totp/start"));
    let wrong = house.site.post(&session, "/me/security/confirm", &[("password", "wrong")]).await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains("confirm-e"));
    let right = house.site.post(&session, "/me/security/confirm", &[("password", PASSWORD)]).await;
    let fresh = cookie(&right);
    assert!(house.site.get(&fresh, "/me/security").await.text.contains("/me/security/totp/start"));
    assert!(!house.works(&session).await, "under a new id");
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one_and_ends_other_sessions() {
    let house = House::new().await;
    let (session, elsewhere) = (house.sign_in().await, house.sign_in().await);
    let change = async |old: &str, new: &str, again: &str| {
        let fields = [("password", old), ("new", new), ("again", again)];
        house.site.post(&session, "/me/security/password", &fields).await
    };
    for (old, new, again) in [
        ("wrong", "battery staple", "battery staple"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "battery staple", "battery stable"),
    ] {
        assert_eq!(change(old, new, again).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{old} {new}");
    }
    let done = change(PASSWORD, "battery staple", "battery staple").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(house.works(&cookie(&done)).await, "this one goes on");
    assert!(!house.works(&session).await && !house.works(&elsewhere).await);
    assert_eq!(house.first_step(PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.first_step("battery staple").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_that_was_ended_is_out_at_once() {
    let house = House::new().await;
    let (here, there, third) = (house.sign_in().await, house.sign_in().await, house.sign_in().await);
    let page = house.site.get(&here, "/me/security").await.text;
    let handles: Vec<_> = page.split("name=\"session\" value=\"").skip(1).collect();
    assert_eq!(handles.len(), 2, "this one has no button");
    for session in [&here, &there, &third] {
        let id = session.split('=').nth(1).unwrap();
        assert!(!page.contains(id), "an id never stands on a page");
    }
    let handle = handles[0].split('"').next().unwrap();
    let ended = house.site.post(&here, "/me/security/sessions/end", &[("session", handle)]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    let left = [house.works(&there).await, house.works(&third).await];
    assert_eq!(left.iter().filter(|works| **works).count(), 1);
    house.site.post(&here, "/me/security/sessions/end", &[("session", handle)]).await;
    let left = [house.works(&there).await, house.works(&third).await];
    assert_eq!(left.iter().filter(|works| **works).count(), 1, "the same again ends nothing else");
    house.site.post(&here, "/me/security/sessions/end-others", &[]).await;
    assert!(house.works(&here).await && !house.works(&there).await && !house.works(&third).await);
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let house = House::new().await;
    let session = house.sign_in().await;
    let page = house.site.get(&house.sign_in().await, "/me/security").await.text;
    let handle = page.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let taro = house.site.person("taro", Role::HumanResources, Some(house.site.contract)).await;
    house.site.post(&taro, "/me/security/sessions/end", &[("session", handle)]).await;
    assert!(house.works(&session).await);
}

#[tokio::test]
async fn a_role_that_must_have_a_second_factor_sees_nothing_else_until_it_has_one() {
    let house = House::new().await;
    let session = house.sign_in().await;
    assert!(house.works(&session).await);
    let admin = house.site.administrator().await;
    let saved = house.site.post(&admin, "/administrators/second-factor", &[("role", "hr")]).await;
    assert_eq!(saved.header(header::LOCATION), "/administrators");
    let page = house.site.get(&admin, "/administrators").await.text;
    assert_eq!(times(&page, "value=\"hr\" checked"), 1);
    let answer = house.site.get(&session, "/employees").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/me/security"));
    assert!(house.site.get(&session, "/me/security").await.text.contains("設定が必要です"));
    let (session, ..) = house.set_up_totp(&session).await;
    assert!(house.works(&session).await);
    let last = house.site.post(&session, "/me/security/totp/remove", &[]).await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY, "the last one stays");
    assert!(house.site.store.means(house.hanako).await.unwrap().totp.is_some());
    let wrong = house.site.post(&admin, "/administrators/second-factor", &[("role", "operator")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    house.site.post(&admin, "/administrators/second-factor", &[]).await;
    let removed = house.site.post(&session, "/me/security/totp/remove", &[]).await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    assert_eq!(house.first_step(PASSWORD).await.header(header::LOCATION), "/employees");
}

#[tokio::test]
async fn an_administrator_resets_what_somebody_has_lost_and_ends_their_sessions() {
    let house = House::new().await;
    let (session, _, codes) = house.set_up_totp(&house.sign_in().await).await;
    let waiting = house.waiting().await;
    let admin = house.site.administrator().await;
    let address = format!("/administrators/{}", house.hanako);
    assert!(house.site.get(&admin, &address).await.text.contains("reset-means"));
    let done = house.site.post(&admin, &format!("{address}/reset-means"), &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(!house.works(&session).await);
    let late = house.second_step(&waiting, &codes[0]).await;
    assert_eq!(late.header(header::LOCATION), "/login?over=second", "the waiting session has ended, too");
    let session = house.sign_in().await;
    assert!(!house.site.get(&admin, &address).await.text.contains("reset-means"), "nothing is left");
    house.site.post(&admin, &format!("{address}/end-sessions"), &[]).await;
    assert!(!house.works(&session).await);
    let log = house.actions().await;
    assert!(log.contains(&"reset_second_factors".to_owned()) && log.contains(&"end_sessions".to_owned()));
}

#[tokio::test]
async fn a_planted_session_id_is_worth_nothing_at_either_step() {
    let house = House::new().await;
    let stranger = house.site.person("stranger", Role::HumanResources, Some(house.site.contract)).await;
    let (_, secret, _) = house.set_up_totp(&house.sign_in().await).await;
    let fields = [("user", "hanako"), ("password", PASSWORD)];
    let first = house.site.post(&stranger, "/login", &fields).await;
    let waiting = cookie(&first);
    assert_ne!(waiting, stranger);
    assert!(!house.works(&stranger).await, "the planted session has ended");
    house.wait(60);
    let second = house.second_step(&waiting, &code_at(&secret, house.now()).unwrap()).await;
    assert!(house.works(&cookie(&second)).await && !house.works(&waiting).await);
}

#[tokio::test]
async fn somebody_whose_time_is_over_does_not_pass_the_second_step() {
    let house = House::new().await;
    let (_, secret, _) = house.set_up_totp(&house.sign_in().await).await;
    let waiting = house.waiting().await;
    house
        .site
        .store
        .set_disabled(Some(house.site.contract), house.hanako, true, Act::server(NOW))
        .await
        .unwrap();
    house.wait(60);
    let code = code_at(&secret, house.now()).unwrap();
    assert_eq!(house.second_step(&waiting, &code).await.header(header::LOCATION), "/login?over=second");
}

#[tokio::test]
async fn a_secret_does_not_lie_in_the_database_in_the_clear() {
    let house = House::new().await;
    let (_, secret, codes) = house.set_up_totp(&house.sign_in().await).await;
    let kept = house.site.store.means(house.hanako).await.unwrap().totp.unwrap().sealed;
    assert!(!kept.windows(secret.len()).any(|part| part == secret.as_slice()));
    let opened = house.site.state.sealer.open(&house.hanako.to_string(), &kept).unwrap();
    assert_eq!(opened, secret);
    let directory = house.site.directory.path();
    for file in std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).filter(|p| p.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        let clear = |part: &[u8]| bytes.windows(part.len()).any(|found| found == part);
        assert!(!clear(&secret) && !clear(codes[0].as_bytes()), "{}", file.display());
    }
}

#[tokio::test]
async fn administrators_are_advised_to_have_a_second_factor() {
    let house = House::of(Role::Administrator).await;
    let session = house.sign_in().await;
    assert!(house.site.get(&session, "/administrators").await.text.contains("おすすめします"));
    let officer = House::new().await;
    let session = officer.sign_in().await;
    assert!(!officer.site.get(&session, "/employees").await.text.contains("おすすめします"));
}

#[tokio::test]
async fn operators_must_set_one_up_where_the_server_says_so_and_nobody_else() {
    let mut site = Site::new().await;
    let new = NewAdministrator {
        password_hash: Some(hash_new(PASSWORD).unwrap()),
        ..NewAdministrator::new("hanako", Role::Operator, None)
    };
    let operator = site.somebody(new).await;
    assert_eq!(site.get(&operator, "/contracts").await.status, StatusCode::OK);
    let api_says = async |site: &Site| api(&api_of(site), "GET", &basic(PASSWORD)).await;
    assert_eq!(api_says(&site).await, StatusCode::FORBIDDEN, "signed in, but no attendance for operators");
    site.state.operators_second_factor = true;
    site.app = router(site.state.clone());
    assert_eq!(site.get(&operator, "/contracts").await.header(header::LOCATION), "/me/security");
    let page = site.get(&operator, "/me/security").await.text;
    assert!(page.contains("あなたの権限では、2段階のサインインの設定が必要です"), "{page}");
    assert_eq!(api_says(&site).await, StatusCode::UNAUTHORIZED);
    let admin = site.administrator().await;
    assert_eq!(site.get(&admin, "/employees").await.status, StatusCode::OK);
}

/// The whole server around the same store, for the API.
pub fn with_api(house: &House) -> axum::Router {
    api_of(&house.site)
}

fn api_of(site: &Site) -> axum::Router {
    let settings = crate::settings::Settings::for_directory(site.directory.path()).unwrap();
    let operators_second_factor = site.state.operators_second_factor;
    let settings = crate::settings::Settings { operators_second_factor, ..settings };
    let key = mngntime_wire::SecretKey::from_seed(&[42; 32]);
    let clock = site.state.clock.clone();
    crate::app::router(crate::app::App::new(site.store.clone(), key, settings, super::passwords(), clock))
}

pub async fn api(app: &axum::Router, method: &str, authorization: &str) -> StatusCode {
    use tower::ServiceExt as _;
    let request = axum::http::Request::builder()
        .method(method)
        .uri("/api/v1/punches")
        .header(header::AUTHORIZATION, authorization)
        .body(axum::body::Body::empty())
        .unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

fn basic(password: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(format!("hanako:{password}").as_bytes()))
}

#[tokio::test]
async fn the_api_takes_a_token_and_no_password_of_somebody_with_a_second_factor() {
    let house = House::new().await;
    let app = with_api(&house);
    assert_eq!(api(&app, "GET", &basic(PASSWORD)).await, StatusCode::OK);
    let (session, ..) = house.set_up_totp(&house.sign_in().await).await;
    assert_eq!(api(&app, "GET", &basic(PASSWORD)).await, StatusCode::UNAUTHORIZED);
    let fields = [("name", "給与 <取り込み>"), ("days", "30")];
    let made = house.site.post(&session, "/me/security/tokens", &fields).await;
    assert_eq!(made.status, StatusCode::OK);
    assert!(made.text.contains("給与 &#60;取り込み&#62;"), "escaped");
    let token = made.text.split("mngntime_").nth(1).unwrap().split('<').next().unwrap();
    let bearer = format!("Bearer mngntime_{token}");
    assert_eq!(api(&app, "GET", &bearer).await, StatusCode::OK);
    assert_eq!(api(&app, "POST", &bearer).await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(api(&app, "GET", &format!("{bearer}x")).await, StatusCode::UNAUTHORIZED);
    assert!(!house.site.get(&session, "/me/security").await.text.contains(token), "shown once");
    house.wait(30 * 86_400);
    assert_eq!(api(&app, "GET", &bearer).await, StatusCode::UNAUTHORIZED, "it has ended");
    assert!(house.actions().await.contains(&"make_api_token".to_owned()));
}

#[tokio::test]
async fn a_token_ends_with_its_owner_and_when_it_is_removed() {
    let house = House::new().await;
    let (app, session) = (with_api(&house), house.sign_in().await);
    for (name, days) in [("", "30"), ("x", "31"), ("x", "-1")] {
        let answer =
            house.site.post(&session, "/me/security/tokens", &[("name", name), ("days", days)]).await;
        assert!(answer.status.is_client_error(), "{name} {days}");
    }
    let made = house.site.post(&session, "/me/security/tokens", &[("name", "x"), ("days", "365")]).await;
    let token = made.text.split("mngntime_").nth(1).unwrap().split('<').next().unwrap();
    let bearer = format!("Bearer mngntime_{token}");
    let (store, contract) = (&house.site.store, Some(house.site.contract));
    store.set_disabled(contract, house.hanako, true, Act::server(NOW)).await.unwrap();
    assert_eq!(api(&app, "GET", &bearer).await, StatusCode::UNAUTHORIZED);
    store.set_disabled(contract, house.hanako, false, Act::server(NOW)).await.unwrap();
    assert_eq!(api(&app, "GET", &bearer).await, StatusCode::UNAUTHORIZED, "it does not come back");
    assert_eq!(house.entries("disable_administrator").await[0].1, r#"{"tokens":1}"#);
    let bearer = house.bearer().await;
    assert_eq!(api(&app, "GET", &bearer).await, StatusCode::OK);
    let page = house.site.get(&house.sign_in().await, "/me/security").await.text;
    let id = page.split("/me/security/tokens/").nth(1).unwrap().split('/').next().unwrap();
    let address = format!("/me/security/tokens/{id}/remove");
    let taro = house.site.person("taro", Role::HumanResources, contract).await;
    house.site.post(&taro, &address, &[]).await;
    assert_eq!(api(&app, "GET", &bearer).await, StatusCode::OK, "another's stays");
    house.site.post(&house.sign_in().await, &address, &[]).await;
    assert_eq!(api(&app, "GET", &bearer).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_end_with_every_measure_of_an_emergency_and_others_see_how_many_there_are() {
    let house = House::new().await;
    let (app, store) = (with_api(&house), &house.site.store);
    let works = async |bearer: &str| api(&app, "GET", bearer).await == StatusCode::OK;
    let admin = house.site.administrator().await;
    let page = format!("/administrators/{}", house.hanako);
    // A password changed: only when asked for.
    let change = async |more: &[(&str, &str)]| {
        let new = [("password", PASSWORD), ("new", OTHER), ("again", OTHER)];
        let address = "/me/security/password";
        let done = house.site.post(&house.sign_in().await, address, &[&new, more].concat()).await;
        let back = [("password", OTHER), ("new", PASSWORD), ("again", PASSWORD)];
        assert_eq!(house.site.post(&cookie(&done), address, &back).await.status, StatusCode::SEE_OTHER);
    };
    let bearer = house.bearer().await;
    assert!(
        house
            .site
            .get(&house.sign_in().await, "/me/security")
            .await
            .text
            .contains("（1個）もすべて失効させる")
    );
    change(&[]).await;
    assert!(works(&bearer).await);
    change(&[("tokens", "1")]).await;
    assert!(!works(&bearer).await);
    assert!(
        !house.site.get(&house.sign_in().await, "/me/security").await.text.contains("もすべて失効させる")
    );
    // A set-up link that was used.
    let bearer = house.bearer().await;
    let made = house.site.post(&admin, &format!("{page}/setup-link"), &[]).await.text;
    assert!(works(&bearer).await, "not yet");
    let setup = made.split("https://time.example").nth(1).unwrap().split('<').next().unwrap();
    house.site.post("", setup, &[("password", PASSWORD), ("again", PASSWORD)]).await;
    assert!(!works(&bearer).await);
    assert_eq!(house.entries("use_setup_link").await[0].1, r#"{"tokens":1}"#);
    // An administrator.
    let bearer = house.bearer().await;
    assert!(house.site.get(&admin, &page).await.text.contains("APIトークン：1個"));
    house.site.post(&admin, &format!("{page}/end-tokens"), &[]).await;
    assert!(!works(&bearer).await);
    assert!(house.site.get(&admin, &page).await.text.contains("APIトークン：0個"));
    house.site.post(&admin, &format!("{page}/end-tokens"), &[]).await;
    let noted = house.entries("revoke_api_tokens").await;
    assert_eq!(noted, [("administrator:admin".to_owned(), r#"{"tokens":1}"#.to_owned())], "only what it did");
    // What the command line does.
    let bearer = house.bearer().await;
    store.reset_means(Some(house.site.contract), house.hanako, Act::command_line(NOW)).await.unwrap();
    assert!(!works(&bearer).await);
}

#[tokio::test]
async fn the_api_waits_after_ten_failures_and_counts_together_with_the_pages() {
    let house = House::new().await;
    let app = with_api(&house);
    for n in 0..FAILURES_FREE {
        if n % 2 == 0 {
            assert_eq!(api(&app, "GET", &basic("wrong")).await, StatusCode::UNAUTHORIZED);
        } else {
            house.first_step("wrong").await;
        }
    }
    assert_eq!(api(&app, "GET", &basic(PASSWORD)).await, StatusCode::TOO_MANY_REQUESTS);
    house.wait(30);
    assert_eq!(api(&app, "GET", &basic(PASSWORD)).await, StatusCode::OK);
}

#[tokio::test]
async fn the_second_step_leads_with_the_passkey_and_has_no_field_for_codes_that_nobody_has() {
    let mut house = House::new().await;
    house.site.state.passkeys = Passkeys::new("https://time.example", "MngnTime").map(Arc::new);
    house.site.app = router(house.site.state.clone());
    let key =
        NewPasskey { credential_id: b"k".to_vec(), name: "会社のPC".into(), credential: "{}".into() };
    house.site.store.add_passkey(house.hanako, key, None, Act::server(NOW)).await.unwrap();
    let second = async || {
        let waiting = cookie(&house.first_step(PASSWORD).await);
        house.site.get(&waiting, "/login/second").await.text
    };
    let page = second().await;
    assert!(page.contains("data-passkey-do=\"sign-in\"") && !page.contains("name=\"code\""), "{page}");
    assert!(page.contains("管理者に2段階のサインインを取り除いてもらいます。"), "{page}");
    let codes = vec![mngntime_store::KeyHash::of("x")];
    house.site.store.set_recovery_codes(house.hanako, codes, Act::server(NOW)).await.unwrap();
    let page = second().await;
    let (button, field) = (page.find("data-passkey-do"), page.find("name=\"code\""));
    assert!(button.is_some() && button < field, "{page}");
    let field = page.split("<input").nth(1).unwrap().split('>').next().unwrap();
    assert!(!field.contains("autofocus"), "the passkey has the focus: {field}");
}
