//! What all pages share: messages from the page before, what stands in the log, questions before what cannot be undone.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use mngntime_store::{NewAdministrator, Role};

use super::{NOW, Site, times};
use crate::web::chrome::{Banner, Tone};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_names_the_route_and_not_what_stood_in_the_address() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for address in
        ["/days/E0002/2026-11-25", "/employees/E0002", "/punches/E0002/1", "/setup/SECRET", "/E0002"]
    {
        assert_eq!(site.get(&cookie, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(
        times(&log, "a page was refused"),
        3,
        "a set-up link that is over has a page of its own, and an employee who is not there the list: {log}"
    );
    assert!(log.contains("/punches/{terminal}/{sequence}"), "{log}");
    assert!(!log.contains("E0002") && !log.contains("SECRET"), "{log}");
}

#[tokio::test]
async fn a_message_is_shown_once_by_whatever_page_comes_next() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let pages = ["/days", "/me/security", "/employees", "/terminals/enroll", "/contracts/x", "/punches"];
    for (number, page) in pages.iter().enumerate() {
        leave(&site, &cookie, &format!("伝言{number}")).await;
        // A file, a script and a page that leads on show nothing to anybody.
        site.get(&cookie, "/punches.csv").await;
        site.get(&cookie, "/").await;
        let script =
            Request::get("/punches/newer").header(header::COOKIE, &cookie).header("sec-fetch-dest", "empty");
        let script = site.send(script.body(Body::empty()).unwrap()).await;
        assert!(!script.text.contains("伝言"), "{}", script.text);
        let found = site.get(&cookie, page).await;
        if found.status == StatusCode::OK {
            assert_eq!(times(&found.text, &format!("伝言{number}")), 1, "{page}");
            assert!(!site.get(&cookie, page).await.text.contains("伝言"), "{page}");
        }
    }
}

/// Leaves a message in the session behind `cookie`.
async fn leave(site: &Site, cookie: &str, text: &str) {
    use tower_sessions::SessionStore as _;
    let id: tower_sessions::session::Id = cookie.split('=').nth(1).unwrap().parse().unwrap();
    let sessions = crate::sessions::Sessions(site.store.clone());
    let mut record = sessions.load(&id).await.unwrap().unwrap();
    let banner = Banner::new(Tone::Warn, text.to_owned(), String::new());
    record.data.insert("banner".to_owned(), serde_json::to_value(banner).unwrap());
    sessions.save(&record).await.unwrap();
}

#[tokio::test]
async fn an_auditor_needs_a_last_date_and_one_without_is_pointed_out() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let fields = [("login", "audit1"), ("name", "監査 花子"), ("role", "auditor"), ("from", "2026-06-01")];
    let refused = site.post(&cookie, "/administrators", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("監査者には最終日が必要です。"), "{}", refused.text);
    assert!(site.store.administrator("audit1").await.unwrap().is_none());
    let made =
        site.post(&cookie, "/administrators", &[&fields[..], &[("until", "2026-07-31")]].concat()).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert!(!made.text.contains("最終日なし"), "{}", made.text);
    let old = NewAdministrator::new("audit0", Role::Auditor, Some(site.contract));
    let old = site.store.create_administrator(old, mngntime_store::Act::server(NOW)).await.unwrap();
    assert_eq!(times(&site.get(&cookie, "/administrators").await.text, "最終日なし"), 1);
    let address = format!("/administrators/{old}");
    assert!(site.get(&cookie, &address).await.text.contains("この監査者には最終日がありません。"));
    let kept = site.post(&cookie, &address, &[("name", "n"), ("role", "auditor")]).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY);
    let hr = site.post(&cookie, &address, &[("name", "n"), ("role", "hr")]).await;
    assert_eq!(hr.status, StatusCode::SEE_OTHER, "others may be without");
}

#[tokio::test]
async fn nobody_is_given_a_role_by_a_form_that_was_not_looked_at() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let page = site.get(&cookie, "/administrators").await.text;
    let select = page.split("<select id=\"p-role\"").nth(1).unwrap().split("</select>").next().unwrap();
    assert!(select.starts_with(" name=\"role\" required"), "{select}");
    assert!(
        select.contains("<option value=\"\" selected disabled>") && times(select, "selected") == 1,
        "{select}"
    );
}

/// The summary of the question that `action` stands behind.
fn question<'a>(page: &'a str, action: &str) -> &'a str {
    let form = page.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no {action}"));
    let before = &page[..form];
    let open = before
        .rfind("<details class=\"menu ask\">")
        .unwrap_or_else(|| panic!("nothing asks before {action}"));
    assert!(!before[open..].contains("</details>"), "nothing asks before {action}");
    &before[open..]
}

#[tokio::test]
async fn what_takes_something_away_for_good_asks_first() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let taro = NewAdministrator::new("taro", Role::HumanResources, Some(site.contract));
    let taro = site.store.create_administrator(taro, mngntime_store::Act::server(NOW)).await.unwrap();
    let address = format!("/administrators/{taro}");
    question(&site.get(&cookie, &address).await.text, &format!("{address}/disable"));
    let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let of = |name: &str| std::fs::read_to_string(templates.join(name)).unwrap();
    question(&of("administrator.html"), "{{ address }}/reset-means");
    for action in [
        "totp/remove",
        "recovery-codes",
        "provider/remove",
        "passkeys/{{ row.id }}/remove",
        "tokens/{{ row.id }}/remove",
    ] {
        question(&of("security.html"), &format!("/me/security/{action}"));
    }
}

#[tokio::test]
async fn what_an_address_asks_for_in_vain_is_said() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for (address, said) in [
        ("/punches?res=99", "「res」という条件はありません。"),
        ("/punches?errors=yes", "errorsに「yes」は使えません。"),
        ("/audit?act=xx", "「act」という条件はありません。"),
        ("/punches?res=", "「res」という条件はありません。"),
    ] {
        let page = site.get(&cookie, address).await;
        assert!(page.status == StatusCode::OK && page.text.contains(said), "{address}: {}", page.text);
    }
    for fine in ["/punches?errors=1&kind=&employee=", "/audit?who=&action="] {
        assert!(!site.get(&cookie, fine).await.text.contains("banner--error"), "{fine}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_tls_itself_says_that_it_always_does() {
    let site = Site::new().await;
    let named = |headers: &axum::http::HeaderMap| headers.get(header::STRICT_TRANSPORT_SECURITY).cloned();
    assert_eq!(named(&site.get("", "/login").await.headers), None);
    let tls = crate::web::WebState { tls: true, secure: true, ..site.state.clone() };
    let site = Site { app: crate::web::router(tls.clone()), state: tls, ..site };
    assert_eq!(named(&site.get("", "/login").await.headers).unwrap(), "max-age=31536000");
    assert!(named(&site.get("", "/nowhere").await.headers).is_some());
}

#[tokio::test]
async fn what_is_a_roles_job_stands_in_the_main_menu_and_once() {
    let site = Site::new().await;
    let menu = async |role, page: &str| {
        let contract = (role != Role::Operator).then_some(site.contract);
        let cookie = site.person(&format!("{role:?}"), role, contract).await;
        let text = site.get(&cookie, page).await.text;
        let main = text.split("<nav class=\"mainnav\"").nth(1).unwrap().split("</nav>").next().unwrap();
        let main: Vec<_> =
            main.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap().to_owned()).collect();
        let header = text.split("</header>").next().unwrap();
        (main, [times(header, "href=\"/audit\""), times(header, "href=\"/health\"")])
    };
    let (main, often) = menu(Role::Auditor, "/punches").await;
    assert_eq!((main[0].as_str(), often), ("/audit", [1, 1]), "{main:?}");
    let (main, often) = menu(Role::InformationTechnology, "/terminals").await;
    assert!(main.contains(&"/health".to_owned()) && often == [0, 1], "{main:?} {often:?}");
    let (main, often) = menu(Role::Operator, "/contracts").await;
    assert_eq!(
        (main, often),
        (["/contracts", "/administrators", "/health", "/audit"].map(str::to_owned).to_vec(), [1, 1])
    );
    let (main, often) = menu(Role::Administrator, "/punches").await;
    assert!(!main.contains(&"/audit".to_owned()) && often == [1, 1], "under their own name: {main:?}");
}
