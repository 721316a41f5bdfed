//! What somebody has to show before they change what they sign in with, and what they cannot lose by it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mngntime_store::{Act, FAILURES_FREE, NewAdministrator, NewPasskey, ProviderSubject, Role};
use tower::ServiceExt as _;

use super::means::{House, OTHER, PASSWORD, api, cookie, with_api};
use super::{NOW, Site, times};
use crate::second_factor::passkeys::Passkeys;
use crate::second_factor::totp::code_at;
use crate::web::router;

/// Longer than a change may wait for, in seconds.
const LONG: i64 = 31 * 60;

/// Lets 労務担当 have to have a second factor.
async fn require(house: &House) {
    let act = Act::server(house.now());
    house
        .site
        .store
        .require_second_factor(house.site.contract, vec![Role::HumanResources], act)
        .await
        .unwrap();
}

fn passkey(name: &str) -> NewPasskey {
    NewPasskey { credential_id: name.as_bytes().to_vec(), name: name.into(), credential: "{}".into() }
}

/// What the store has for the id of this session.
fn kept(cookie: &str) -> Option<String> {
    cookie.split_once('=').map(|(_, id)| crate::sessions::stored(&id.parse().unwrap()))
}

fn with_passkeys(house: &mut House) {
    house.site.state.passkeys = Passkeys::new("https://time.example", "MngnTime").map(Arc::new);
    house.site.app = router(house.site.state.clone());
}

#[tokio::test]
async fn a_token_is_no_way_round_a_second_factor_that_must_be_there() {
    let house = House::new().await;
    let app = with_api(&house);
    let before = house.bearer().await;
    assert_eq!(api(&app, "GET", &before).await, StatusCode::OK);
    require(&house).await;
    assert_eq!(api(&app, "GET", &before).await, StatusCode::FORBIDDEN, "one of before waits");
    let request = Request::get("/api/v1/punches").header(header::AUTHORIZATION, &before);
    let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["error"], "second_factor_required");
    assert!(told["message"].as_str().unwrap().contains("/me/security"), "{told}");

    let session = house.sign_in().await;
    let page = house.site.get(&session, "/me/security").await.text;
    assert!(!page.contains("name=\"days\"") && page.contains("トークンを作れません"), "{page}");
    let made = house.site.post(&session, "/me/security/tokens", &[("name", "x"), ("days", "30")]).await;
    assert_eq!(made.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        made.text.contains("トークンは作れません。") && !made.text.contains("mngntime_"),
        "{}",
        made.text
    );

    let (session, ..) = house.set_up_totp(&session).await;
    assert_eq!(api(&app, "GET", &before).await, StatusCode::OK, "it has come back");
    let made = house.site.post(&session, "/me/security/tokens", &[("name", "x"), ("days", "30")]).await;
    assert!(made.status == StatusCode::OK && made.text.contains("mngntime_"));
}

#[tokio::test]
async fn whoever_has_a_second_factor_shows_it_again_before_a_change() {
    let house = House::new().await;
    let (session, secret, recovery) = house.set_up_totp(&house.sign_in().await).await;
    house.wait(LONG);
    let confirm = async |session: &str, password: &str, code: &str| {
        house.site.post(session, "/me/security/confirm", &[("password", password), ("code", code)]).await
    };
    let remove = async |session: &str| house.site.post(session, "/me/security/totp/remove", &[]).await;
    let page = house.site.get(&session, "/me/security").await.text;
    assert!(
        page.contains("id=\"confirm-code\"") && !page.contains("action=\"/me/security/password\""),
        "{page}"
    );
    let alone = house.site.post(&session, "/me/security/confirm", &[("password", PASSWORD)]).await;
    assert!(alone.status == StatusCode::UNPROCESSABLE_ENTITY && alone.text.contains("confirm-code-e"));
    let wrong = confirm(&session, "wrong", &code_at(&secret, house.now()).unwrap()).await;
    assert!(wrong.text.contains("confirm-e\"") && !wrong.text.contains("confirm-code-e"), "{}", wrong.text);
    let change = [("password", PASSWORD), ("new", OTHER), ("again", OTHER)];
    let changed = house.site.post(&session, "/me/security/password", &change).await;
    assert_eq!(changed.header(header::LOCATION), "/me/security?confirm=1", "nor by a new password");
    assert_eq!(remove(&session).await.header(header::LOCATION), "/me/security?confirm=1");
    assert!(house.site.store.means(house.hanako).await.unwrap().totp.is_some());

    let fresh = cookie(&confirm(&session, PASSWORD, &code_at(&secret, house.now()).unwrap()).await);
    assert!(house.works(&fresh).await && !house.works(&session).await);
    house.wait(LONG);
    let fresh = cookie(&confirm(&fresh, PASSWORD, &recovery[2]).await);
    assert!(house.actions().await.contains(&"use_recovery_code".to_owned()));
    house.wait(LONG - 120);
    let changed = house.site.post(&fresh, "/me/security/password", &change).await;
    let fresh = cookie(&changed);
    assert!(house.works(&fresh).await);
    house.wait(180);
    assert_eq!(
        remove(&fresh).await.header(header::LOCATION),
        "/me/security?confirm=1",
        "a new password has not made it last longer"
    );
    let fresh = cookie(&confirm(&fresh, OTHER, &code_at(&secret, house.now()).unwrap()).await);
    assert_eq!(remove(&fresh).await.status, StatusCode::SEE_OTHER);
    assert!(house.site.store.means(house.hanako).await.unwrap().totp.is_none());
}

#[tokio::test]
async fn codes_cannot_be_gone_through_in_a_browser_that_was_left_open() {
    let house = House::new().await;
    let (session, secret, _) = house.set_up_totp(&house.sign_in().await).await;
    house.wait(LONG);
    let confirm = async |code: &str| {
        let fields = [("password", PASSWORD), ("code", code)];
        house.site.post(&session, "/me/security/confirm", &fields).await
    };
    for _ in 0..FAILURES_FREE {
        assert_eq!(confirm("000000").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let right = confirm(&code_at(&secret, house.now()).unwrap()).await;
    assert!(right.text.contains("試せません"), "{}", right.text);
    assert!(house.actions().await.contains(&"lock_out".to_owned()));
}

#[tokio::test]
async fn a_passkey_confirms_by_itself_and_its_refusal_reaches_the_script_in_words() {
    let mut house = House::new().await;
    with_passkeys(&mut house);
    let (session, ..) = house.set_up_totp(&house.sign_in().await).await;
    house
        .site
        .store
        .add_passkey(house.hanako, passkey("PC"), kept(&session), Act::server(NOW))
        .await
        .unwrap();
    house.wait(LONG);
    let page = house.site.get(&session, "/me/security").await.text;
    assert!(page.contains("data-finish=\"/me/security/confirm/passkey\""), "{page}");
    let credential = serde_json::json!({
        "id": "AA", "rawId": "AA", "type": "public-key", "extensions": {},
        "response": { "authenticatorData": "AA", "clientDataJSON": "AA", "signature": "AA", "userHandle": null },
    });
    let body = serde_json::json!({ "credential": credential }).to_string();
    for (cookie, address, says) in [
        (session.as_str(), "/me/security/confirm/passkey", "このパスキーでは、本人を確認できませんでした。"),
        ("", "/login/passkey/finish", "このパスキーでは、サインインできませんでした。"),
    ] {
        let request = Request::post(address)
            .header(header::COOKIE, cookie)
            .header(header::HOST, "time.example")
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        let answer = house.site.send(request.body(Body::from(body.clone())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        assert!(answer.header(header::CONTENT_TYPE).starts_with("application/json"), "{address}");
        let told: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(told["error"], says);
    }
    let removed = house.site.post(&session, "/me/security/totp/remove", &[]).await;
    assert_eq!(removed.header(header::LOCATION), "/me/security?confirm=1");
}

#[tokio::test]
async fn whoever_has_as_many_passkeys_as_may_be_is_told_before_the_browser_asks() {
    let mut house = House::new().await;
    with_passkeys(&mut house);
    for number in 0..mngntime_store::PASSKEYS_MAX {
        let key = passkey(&number.to_string());
        house.site.store.add_passkey(house.hanako, key, None, Act::server(NOW)).await.unwrap();
    }
    let waiting = house.waiting().await;
    let codes = vec![mngntime_store::KeyHash::of("abcd")];
    house.site.store.set_recovery_codes(house.hanako, codes, Act::server(NOW)).await.unwrap();
    let session = cookie(&house.second_step(&waiting, "abcd").await);
    let asked = house.site.post(&session, "/me/security/passkeys/start", &[]).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asked.text.starts_with("{\"error\":\"パスキーは20個までです。"), "{}", asked.text);
}

#[tokio::test]
async fn recovery_codes_are_not_replaced_by_a_click_nor_by_loading_the_page_again() {
    let house = House::new().await;
    let session = house.sign_in().await;
    let refused = house.site.post(&session, "/me/security/recovery-codes", &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "there is nothing that they stand in for");
    let (session, _, first) = house.set_up_totp(&session).await;
    let page = house.site.get(&session, "/me/security/recovery-codes").await.text;
    assert!(!page.contains("前の回復コードは使えなくなりました"), "there were none: {page}");
    assert_eq!(house.codes(&session).await, first, "loaded again");

    let page = house.site.get(&session, "/me/security").await.text;
    let form = page.split("action=\"/me/security/recovery-codes\"").nth(1).unwrap();
    assert!(form.split("</form>").next().unwrap().contains("すべて使えなくなり"), "{form}");
    let gone = house.site.get(&session, "/me/security/recovery-codes").await;
    assert_eq!(gone.header(header::LOCATION), "/me/security", "whoever has gone on sees them no more");

    let once = page.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let send = async || house.site.post(&session, "/me/security/recovery-codes", &[("once", once)]).await;
    assert_eq!(send().await.header(header::LOCATION), "/me/security/recovery-codes");
    let made = house.codes(&session).await;
    assert!(made.len() == 10 && made != first);
    let shown = house.site.get(&session, "/me/security/recovery-codes").await.text;
    assert!(shown.contains("前の回復コードは使えなくなりました"), "{shown}");
    send().await;
    assert_eq!(house.codes(&session).await, made, "the form sent twice");
    let sets = house.actions().await.iter().filter(|action| *action == "make_recovery_codes").count();
    assert_eq!(sets, 2);
    let waiting = house.waiting().await;
    assert_eq!(house.second_step(&waiting, &made[7]).await.status, StatusCode::SEE_OTHER, "they count");
    house.site.get(&session, "/me/security").await;
    send().await;
    assert_eq!(house.codes(&session).await, [""; 0], "nor are they made again");
    let waiting = house.waiting().await;
    let used = house.second_step(&waiting, &made[7]).await;
    assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY, "what was used stays so");
}

#[tokio::test]
async fn the_codes_that_are_left_are_counted_where_they_stand_in_for_something() {
    let house = House::new().await;
    let (session, _, codes) = house.set_up_totp(&house.sign_in().await).await;
    for code in &codes {
        let waiting = house.waiting().await;
        house.second_step(&waiting, code).await;
    }
    let page = house.site.get(&session, "/me/security").await.text;
    assert!(page.contains("残りはありません。新しく作ってください。"), "{page}");
    assert_eq!(house.make_codes(&session).await.status, StatusCode::SEE_OTHER);
    let shown = house.site.get(&session, "/me/security/recovery-codes").await.text;
    assert!(!shown.contains("前の回復コードは使えなくなりました"), "{shown}");
    assert!(house.site.get(&session, "/me/security").await.text.contains("残り10個"));
    house.site.post(&session, "/me/security/totp/remove", &[]).await;
    let page = house.site.get(&session, "/me/security").await.text;
    assert!(
        !page.contains("残り10個") && page.contains("認証アプリかパスキーを設定すると作れます"),
        "{page}"
    );
}

/// Somebody who has never set a password up and is linked to the site's provider.
async fn linked(house: &mut House) -> String {
    let issuer = "https://id.example".to_owned();
    let settings = crate::settings::ProviderSettings {
        issuer: issuer.clone(),
        name: "ID".into(),
        client_id: "mngntime".into(),
        client_secret_file: None,
        scopes: Vec::new(),
        login_claim: None,
        contract: "A-1".into(),
        second_factor: Vec::new(),
    };
    let provider = crate::provider::Provider::new(settings, "https://time.example");
    house.site.state.provider = Some(Arc::new(provider));
    with_passkeys(house);
    let site = &house.site;
    let new = NewAdministrator::new("oidc", Role::HumanResources, Some(site.contract));
    let id = site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
    house.hanako = id;
    let subject = ProviderSubject { issuer, subject: "s".into() };
    site.store.link_subject(id, subject, Act::server(NOW)).await.unwrap();
    fresh_session(site, id).await
}

/// A session of somebody who has just come from the provider.
async fn fresh_session(site: &Site, id: mngntime_store::AdministratorId) -> String {
    use tower_sessions::SessionStore as _;
    use tower_sessions::cookie::time::{Duration, OffsetDateTime};
    use tower_sessions::session::{Id, Record};
    let about = serde_json::json!({ "at": NOW.0, "second": true, "address": null, "agent": "" });
    let data = [("person".to_owned(), id.to_string().into()), ("about".to_owned(), about)].into();
    let expiry_date = OffsetDateTime::now_utc() + Duration::hours(1);
    let mut record = Record { id: Id::default(), data, expiry_date };
    crate::sessions::Sessions(site.store.clone()).create(&mut record).await.unwrap();
    format!("mngntime_session={}", record.id)
}

#[tokio::test]
async fn nobody_takes_their_only_way_in_away() {
    let mut house = House::new().await;
    let session = linked(&mut house).await;
    let site = &house.site;
    let page = site.get(&session, "/me/security").await.text;
    assert!(!page.contains("パスワードだけでサインインしています"), "{page}");
    assert!(page.contains("外部のサインインだけでサインインしています"), "{page}");
    assert!(!page.contains("action=\"/me/security/provider/remove\"") && page.contains("設定リンクを頼んで"));
    let refused = site.post(&session, "/me/security/provider/remove", &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("先にパスキーを追加するか"), "{}", refused.text);
    assert_eq!(site.store.means(house.hanako).await.unwrap().subjects.len(), 1);

    let first =
        site.store.add_passkey(house.hanako, passkey("a"), kept(&session), Act::server(NOW)).await.unwrap();
    let page = site.get(&session, "/me/security").await.text;
    assert!(
        page.contains("次からはパスキーでサインインしてください") && !page.contains("次からはパスワードで")
    );
    assert_eq!(site.post(&session, "/me/security/provider/remove", &[]).await.status, StatusCode::SEE_OTHER);
    let refused = site.post(&session, &format!("/me/security/passkeys/{first}/remove"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "nor the passkey then");
    assert_eq!(site.store.means(house.hanako).await.unwrap().passkeys.len(), 1);
}

#[tokio::test]
async fn the_password_that_somebody_has_is_no_new_one() {
    let house = House::new().await;
    let session = house.sign_in().await;
    let same = [("password", PASSWORD), ("new", PASSWORD), ("again", PASSWORD)];
    let refused = house.site.post(&session, "/me/security/password", &same).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("今と同じパスワードです"), "{}", refused.text);
    let wrong = [("password", OTHER), ("new", OTHER), ("again", OTHER)];
    let refused = house.site.post(&session, "/me/security/password", &wrong).await.text;
    assert!(!refused.contains("今と同じ") && refused.contains("パスワードが違います"), "{refused}");
    assert!(house.works(&session).await);
}

#[tokio::test]
async fn who_comes_back_to_a_session_that_was_ended_is_told_so() {
    let house = House::new().await;
    let (here, there) = (house.sign_in().await, house.sign_in().await);
    house.site.post(&here, "/me/security/sessions/end-others", &[]).await;
    let looked = house.site.get(&there, "/employees").await;
    assert_eq!(looked.header(header::LOCATION), "/login?next=%2Femployees&over=ended");
    let sent = house.site.post(&there, "/employees", &[("code", "1"), ("name", "x")]).await;
    assert_eq!(sent.header(header::LOCATION), "/login?next=%2F&over=ended-form");
    let page = house.site.get(&there, "/login?over=ended-form").await.text;
    assert!(page.contains("このサインインは終わっています") && page.contains("保存されていません"), "{page}");
    let (store, contract) = (&house.site.store, Some(house.site.contract));
    store.set_disabled(contract, house.hanako, true, Act::server(NOW)).await.unwrap();
    let looked = house.site.get(&here, "/employees").await;
    assert_eq!(looked.header(header::LOCATION), "/login?next=%2Femployees&over=ended");
    store.set_disabled(contract, house.hanako, false, Act::server(NOW)).await.unwrap();
    assert!(!house.works(&here).await, "it does not come back");
    let fields = [("user", "hanako"), ("password", PASSWORD)];
    let again = cookie(&house.site.post(&here, "/login", &fields).await);
    assert!(house.works(&again).await, "and is no hindrance");
}

#[tokio::test]
async fn the_second_step_says_why_it_is_over_and_which_field_is_wrong() {
    let house = House::new().await;
    house.set_up_totp(&house.sign_in().await).await;
    let waiting = house.waiting().await;
    let page = house.site.get(&waiting, "/login/second").await.text;
    assert!(!page.contains("aria-invalid"), "{page}");
    let wrong = house.second_step(&waiting, "000000").await.text;
    let field = wrong.split("id=\"code\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(field.contains("aria-invalid=\"true\"") && field.contains("code-h code-e"), "{field}");
    assert_eq!(times(&wrong, "コードが違うか、すでに使われています"), 1);
    house.wait(10 * 60);
    let late = house.site.get(&waiting, "/login/second").await;
    assert_eq!(late.header(header::LOCATION), "/login?next=%2Femployees&over=second");
    let page = house.site.get(&waiting, late.header(header::LOCATION)).await.text;
    assert!(page.contains("確認の時間（10分）が過ぎた") && page.contains("value=\"/employees\""), "{page}");
    let done = house.site.administrator().await;
    assert_eq!(house.site.get(&done, "/login/second").await.header(header::LOCATION), "/");
}

#[tokio::test]
async fn a_login_that_has_to_wait_is_marked_for_administrators() {
    let house = House::new().await;
    let admin = house.site.administrator().await;
    let list = async || house.site.get(&admin, "/administrators").await.text;
    assert!(!list().await.contains("失敗が続き一時停止"));
    for _ in 0..FAILURES_FREE {
        house.first_step("wrong").await;
    }
    let page = list().await;
    assert_eq!(times(&page, "失敗が続き一時停止（09:25:01まで）"), 1, "{page}");
    let one = house.site.get(&admin, &format!("/administrators/{}", house.hanako)).await.text;
    assert!(one.contains("失敗が続き一時停止（09:25:01まで）"), "{one}");
    house.wait(30);
    assert!(!list().await.contains("失敗が続き一時停止"));
}

#[tokio::test]
async fn the_page_after_signing_in_can_be_opened_whatever_form_was_sent() {
    let house = House::new().await;
    let session = house.sign_in().await;
    for (form, page) in [
        ("/accounts/7/change", "/accounts/7"),
        ("/me/security/tokens", "/me/security"),
        ("/me/security/password", "/me/security"),
        ("/me/security/confirm", "/me/security"),
        ("/me/security/sessions/end-others", "/me/security"),
        ("/punches/searches/7/delete", "/punches"),
        ("/logout", "/"),
    ] {
        let opened = house.site.get(&session, form).await;
        assert_eq!((opened.status, opened.header(header::LOCATION)), (StatusCode::SEE_OTHER, page), "{form}");
    }
    let put = Request::put("/me/security/tokens").header(header::HOST, "time.example");
    let put = put.header("sec-fetch-site", "same-origin").body(Body::empty()).unwrap();
    assert_eq!(house.site.send(put).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
