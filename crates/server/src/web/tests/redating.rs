//! Another day boundary: the list, the verdicts and the pages of days follow it together.

use axum::http::StatusCode;
use mngntime_store::{Act, ContractSettings, EmployeeId, NewEmployee, PunchFilter};

use super::days::{at, stays};
use super::{NOW, Site};

/// Two nights from 22:00 to 6:00, the second the last before she leaves, when she does.
async fn office(leaves: bool) -> (Site, String) {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    site.record(terminal, stays(&[(at(-26, 0), at(-18, 0)), (at(-2, 0), at(6, 0))])).await;
    site.linked(site.contract, "E-1", "佐藤 花子").await;
    if leaves {
        let left = NewEmployee {
            active_to: "2026-06-15".parse().ok(),
            ..NewEmployee::named("E-1", "佐藤 花子")
        };
        site.store.change_employee(site.contract, hanako(&site).await, left, Act::server(NOW)).await.unwrap();
    }
    // What the server does by itself once it has started.
    while !site.store.redate_some(site.contract, 300, NOW).await.unwrap() {}
    (site, admin)
}

async fn hanako(site: &Site) -> EmployeeId {
    site.store.list_employees(site.contract.into(), None, 9).await.unwrap()[0].id
}

async fn choose(site: &Site, admin: &str, day: &str) {
    let fields =
        [("name", "n"), ("day", day), ("retention", "5"), ("language", ""), ("idle", "60"), ("agreed", day)];
    assert_eq!(site.post(admin, "/settings", &fields).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_last_night_of_a_leaver_is_hers_when_the_boundary_comes_after_it() {
    let (site, admin) = office(true).await;
    let errors = async || {
        let filter = PunchFilter { errors_only: true, ..PunchFilter::default() };
        site.store.count_punches(site.contract.into(), filter, 99).await.unwrap()
    };
    assert_eq!(errors().await, 1, "the logoff at 6:00 is of the date after she left");
    choose(&site, &admin, "07:00").await;
    assert_eq!(errors().await, 0);
    let noted = site.get(&admin, "/audit?action=redate_nights").await.text;
    for text in ["日付の区切りの変更により打刻の日付を見直し", "日付が変わった打刻", "判定が変わった打刻"]
    {
        assert!(noted.contains(text), "{text}");
    }
    let page = site.get(&admin, "/settings").await.text;
    assert!(!page.contains("順に見直しています"), "nothing is left");
    choose(&site, &admin, "05:00").await;
    assert_eq!(errors().await, 1, "and back");
}

#[tokio::test]
async fn the_list_counts_the_days_that_the_month_shows() {
    let (site, admin) = office(false).await;
    let who = vec![hanako(&site).await];
    let counted = async |boundary| {
        let june = (at(-15 * 24, 0), at(15 * 24, 0));
        site.store.punched(site.contract, who.clone(), june, boundary).await.unwrap()[0].dates
    };
    assert_eq!(counted(300).await, 3, "the boundary cuts each night");
    choose(&site, &admin, "07:00").await;
    assert_eq!(counted(420).await, 2);
}

#[tokio::test]
async fn what_takes_longer_is_said_where_the_boundary_stands() {
    let (site, admin) = office(false).await;
    let chosen = ContractSettings { day_begins_minutes: Some(420), ..ContractSettings::default() };
    site.store.change_settings(site.contract, "n".to_owned(), chosen, Act::server(NOW)).await.unwrap();
    let is_said = async || site.get(&admin, "/settings").await.text.contains("順に見直しています");
    assert!(is_said().await);
    while !site.store.redate_some(site.contract, 300, NOW).await.unwrap() {}
    assert!(!is_said().await);
}
