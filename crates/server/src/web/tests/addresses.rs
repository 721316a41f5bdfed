//! Names in addresses: what means nothing is told on every list and for every file, and no way of ours leads to such an
//! address.

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use mngntime_model::EventKind;
use mngntime_store::{Act, NewAdministrator, NewEmployee, Role};

use super::{NOW, Site, contract};

/// What every such message says, in both languages.
const TOLD: [&str; 2] = ["という条件はありません。", "There is no condition"];

const LISTS: [&str; 15] = [
    "/punches",
    "/employees",
    "/employees?show=alone&q=E",
    "/accounts",
    "/accounts?show=suggested",
    "/terminals",
    "/days",
    "/days?employee=E1&month=2026-06",
    "/days/remarks",
    "/departments",
    "/administrators",
    "/audit",
    "/accounts/import",
    "/employees/import",
    "/employees/self-service?do=all",
];

const FILES: [(&str, &str); 8] = [
    ("/days.csv", "/days"),
    ("/terminals.csv", "/terminals"),
    ("/accounts/waiting.csv", "/accounts/import"),
    ("/accounts.csv", "/accounts/import"),
    ("/employees.csv", "/employees/import"),
    ("/accounts/import.csv", "/accounts/import"),
    ("/employees/import.csv", "/employees/import"),
    ("/days.csv?month=2026-05&q=x", "/days?month=2026-05&q=x"),
];

fn with(address: &str, more: &str) -> String {
    format!("{address}{}{more}", if address.contains('?') { '&' } else { '?' })
}

/// A contract with something in every list; the cookies of an administrator, an operator and an employee.
async fn office() -> (Site, [String; 3]) {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let operator = site.person("root", Role::Operator, None).await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.stay(terminal, &[(EventKind::Logon, None), (EventKind::Logoff, None)]).await;
    for n in 0..60 {
        let new = NewEmployee::named(format!("E{n}"), format!("社員 {n}"));
        site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
        site.person(&format!("user{n}"), Role::Auditor, Some(site.contract)).await;
        contract(&site.store, &format!("C-{n}")).await;
    }
    site.post(&admin, "/departments", &[("code", "D1"), ("name", "営業部")]).await;
    let search = [("name", "今月"), ("query", "period=month&errors=1&how=inferred")];
    site.post(&admin, "/punches/searches", &search).await;
    let all = site.store.list_employees(site.contract.into(), None, 1).await.unwrap();
    let own = NewAdministrator {
        employee: Some(all[0].id),
        ..NewAdministrator::new("own", Role::Employee, Some(site.contract))
    };
    let own = site.somebody(own).await;
    (site, [admin, operator, own])
}

/// The rows of a page, without the addresses that lead back to it.
fn shown(page: &str) -> Vec<&str> {
    let rows = page.split("<tbody").nth(1).and_then(|rest| rest.split("</tbody>").next()).unwrap_or_default();
    rows.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim()).collect()
}

#[tokio::test]
async fn a_name_that_a_list_does_not_know_is_told_and_the_list_is_as_without_it() {
    let (site, [admin, operator, own]) = office().await;
    let theirs = [(&operator, "/contracts"), (&operator, "/contracts/quarantine"), (&own, "/me")];
    let theirs = theirs.into_iter().chain([(&own, "/me/days?month=2026-06")]);
    for (who, list) in LISTS.map(|list| (&admin, list)).into_iter().chain(theirs) {
        let plain = site.get(who, list).await;
        assert!(plain.status == StatusCode::OK && !plain.text.contains(TOLD[0]), "{list}: {}", plain.text);
        let page = site.get(who, &with(list, "foo=1")).await;
        assert_eq!(page.status, StatusCode::OK, "{list}");
        assert!(page.text.contains("「foo」という条件はありません。"), "{list}: {}", page.text);
        let english = site.get(&format!("{who}; mngntime_language=en"), &with(list, "foo=1")).await.text;
        assert!(english.contains("There is no condition &#34;foo&#34;."), "{list}: {english}");
        // The logs of punches and of what was done show no rows of something else.
        if !["/punches", "/audit"].contains(&list) {
            assert!(page.text.contains("その指定を除いて表示しています。"), "{list}");
            assert_eq!(shown(&page.text), shown(&plain.text), "{list}");
            let next = |page: &str| {
                let link = page.split("rel=\"next\" href=\"").nth(1)?.split('"').next()?;
                Some(link.to_owned())
            };
            assert_eq!(next(&page.text), next(&plain.text), "{list}: the name is not carried on");
        }
    }
    let empty = site.get(&admin, "/employees?foo=&q=").await.text;
    assert!(empty.contains("「foo」という条件はありません。"), "a value makes no difference: {empty}");
    let long = format!("/employees?{}%3Cb%3E{}=1", "x".repeat(20), "y".repeat(1_000));
    let page = site.get(&admin, &long).await.text;
    assert!(page.contains(&format!("「{}&#60;b&#62;yyyyyyy…」", "x".repeat(20))), "{page}");
}

#[tokio::test]
async fn a_name_that_a_file_does_not_know_leads_to_the_page_that_says_so() {
    let (site, [admin, _, own]) = office().await;
    let own = ["/me.csv", "/me/events.csv", "/me.json"].map(|file| (&own, file, "/me"));
    for (who, file, page) in FILES.map(|(file, page)| (&admin, file, page)).into_iter().chain(own) {
        let answer = site.get(who, &with(file, "employe=E01")).await;
        assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, page), "{file}");
        let said = site.get(who, page).await.text;
        assert!(said.contains("「employe」という条件はありません。"), "{file}: {said}");
        assert!(!site.get(who, page).await.text.contains(TOLD[0]), "{page}: once");
    }
    for (file, page) in
        [("/punches.csv", "/punches"), ("/punches.xlsx", "/punches"), ("/audit.csv", "/audit")]
    {
        let answer = site.get(&admin, &format!("{file}?employe=E01")).await;
        assert_eq!(answer.header(header::LOCATION), format!("{page}?employe=E01"));
    }
    let print = site.get(&admin, "/punches?print=1&employe=E01").await.text;
    assert!(print.contains("「employe」という条件はありません。"), "{print}");
    let log = site.store.audit_log(Some(site.contract), None, 999).await.unwrap();
    assert!(!log.iter().any(|entry| entry.action.starts_with("export_")), "no file was given");
}

#[tokio::test]
async fn the_message_of_the_page_before_waits_behind_one_about_the_address() {
    let (site, [admin, ..]) = office().await;
    site.post(&admin, "/employees", &[("code", "N1"), ("name", "新人")]).await;
    let wrong = site.get(&admin, "/employees?foo=1").await.text;
    assert!(wrong.contains(TOLD[0]) && !wrong.contains("N1 新人 を"), "{wrong}");
    assert!(site.get(&admin, "/employees").await.text.contains("N1 新人"), "not lost");
}

/// Addresses of this server that a page leads to: its links, and what its forms that only ask would send with every field of
/// theirs.
fn ways(page: &str, here: &str) -> Vec<String> {
    let value = |text: &str, name: &str| {
        let value = text.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
        Some(value.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\""))
    };
    let links = page.split("<a ").skip(1).filter_map(|part| value(&format!(" {part}"), "href"));
    let mut all: Vec<_> = links.filter(|link| link.starts_with('/')).collect();
    for form in page.split("<form ").skip(1) {
        let (head, rest) = form.split_once('>').unwrap();
        if value(&format!(" {head}"), "method").as_deref() != Some("get") {
            continue;
        }
        let path = here.split('?').next().unwrap();
        let action = value(&format!(" {head}"), "action").unwrap_or_else(|| path.to_owned());
        let mut query = form_urlencoded::Serializer::new(String::new());
        for tag in rest.split("</form>").next().unwrap().split('<').skip(1) {
            let field = ["input", "select", "button"].iter().any(|kind| tag.starts_with(kind));
            if let Some(name) = value(tag, "name").filter(|_| field) {
                query.append_pair(&name, &value(tag, "value").unwrap_or_default());
            }
        }
        all.push(format!("{action}?{}", query.finish()));
    }
    all.into_iter().map(|way| way.split('#').next().unwrap().to_owned()).collect()
}

/// What addresses of one sort have in common: one page of one person or day is enough.
fn shape(address: &str) -> (String, BTreeSet<String>) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let named = |part: &str| if part.contains(|c: char| c.is_ascii_digit()) { "*" } else { part }.to_owned();
    let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned());
    (path.split('/').map(named).collect::<Vec<_>>().join("/"), names.collect())
}

/// Pages that one walk looks at, at most.
const WALK_MAX: usize = 400;

#[tokio::test]
async fn no_way_of_ours_leads_to_a_name_that_means_nothing() {
    let (site, [admin, operator, own]) = office().await;
    let mut met = BTreeSet::new();
    for (who, starts) in [
        (&admin, &LISTS[..]),
        (&operator, &["/contracts", "/audit", "/health"]),
        (&own, &["/me", "/me/days"]),
    ] {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<String> = starts.iter().map(|start| (*start).to_owned()).collect();
        while let Some(here) = waiting.pop().filter(|_| seen.len() < WALK_MAX) {
            let ends = here.starts_with("/assets/") || here.starts_with("/language");
            if ends || !seen.insert(shape(&here)) {
                continue;
            }
            let mut answer = site.get(who, &here).await;
            if answer.status == StatusCode::SEE_OTHER {
                let to = answer.header(header::LOCATION).to_owned();
                answer = site.get(who, &to).await;
            }
            assert!(TOLD.iter().all(|told| !answer.text.contains(told)), "{here}: {}", answer.text);
            met.insert(here.split('?').next().unwrap().to_owned());
            waiting.extend(ways(&answer.text, &here));
        }
        assert!(seen.len() < WALK_MAX, "{} shapes", seen.len());
    }
    for list in
        ["/days.csv", "/terminals.csv", "/punches.xlsx", "/audit.csv", "/me.csv", "/contracts/quarantine"]
    {
        assert!(met.contains(list), "{list}: {met:?}");
    }
}
