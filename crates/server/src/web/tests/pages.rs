//! The list, its filters and pages; every page in both languages.

use axum::http::{StatusCode, header};
use mngntime_model::EventKind;
use mngntime_store::Role;

use super::{Site, first_account, times};

const ROW: &str = "<!-- partial: punch row -->";

fn next(page: &str) -> Option<String> {
    let link = page.split("rel=\"next\" href=\"").nth(1)?;
    Some(link.split('"').next()?.replace("&#38;", "&"))
}

#[tokio::test]
async fn pages_follow_each_other_and_begin_with_their_day() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=120).await;
    let (mut address, mut counts) = (Some("/punches?kind=&errors=1".to_owned()), Vec::new());
    while let Some(here) = address {
        let page = site.get(&cookie, &here).await.text;
        counts.push(times(&page, ROW));
        assert!(page.find("class=\"dayrow\"").unwrap() < page.find(ROW).unwrap());
        address = next(&page);
        assert!(address.as_deref().is_none_or(|next| next.contains("errors=1")), "filters go along");
    }
    assert_eq!(counts, [50, 50, 20]);
}

#[tokio::test]
async fn filters_choose_rows() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let (one, two) = (site.terminal("A-1", "PC-1", 1).await, site.terminal("A-1", "PC-2", 2).await);
    site.punches(site.contract, one, ("D", "u"), 1..=4).await;
    site.punches(site.contract, two, ("D", "v"), 1..=3).await;
    let rows = async |query: &str| times(&site.get(&cookie, &format!("/punches?{query}")).await.text, ROW);
    assert_eq!(rows("").await, 7);
    assert_eq!(rows("terminal=pc-1").await, 4);
    assert_eq!(rows(&format!("terminal={two}")).await, 3);
    assert_eq!(rows("account=D%5Cv").await, 3);
    assert_eq!(rows("kind=logon").await, 4);
    assert_eq!(rows("from=2026-06-17&to=2026-06-17").await, 7);
    assert_eq!(rows("to=2026-06-16").await, 0);
    assert_eq!(rows("errors=1&terminal=PC-2").await, 3);
    let csv = site.get(&cookie, "/punches.csv?terminal=PC-2").await.text;
    assert_eq!(csv.lines().count(), 4, "a head and three rows");
    // Who took rows along, and which, stands in the contract's log.
    let entries = site.store.evidence_entries(site.contract, 0, 100).await.unwrap();
    let export = &entries.last().unwrap().record;
    assert_eq!((export.action.as_str(), export.by.as_str()), ("export_punches", "administrator:admin"));
    assert!(export.detail.get().contains("terminal=PC-2"), "{export:?}");
}

#[tokio::test]
async fn cells_of_a_good_punch_are_truly_empty_and_a_bad_one_says_who_acts() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=1).await;
    let account = first_account(&site.get(&cookie, "/punches").await.text);
    let detail = site.get(&cookie, &format!("/punches/{terminal}/1")).await.text;
    for part in
        ["res=7", "このユーザーは使えません。", "MINAGINE側", "労務担当", "−94.6 秒", "60秒を超えています"]
    {
        assert!(detail.contains(part), "{part}");
    }
    let fields = [
        ("account", account.as_str()),
        ("mode-0", "new"),
        ("code-0", "E1"),
        ("name-0", "n"),
        ("from-0", "2026-01-01"),
        ("step", "save"),
    ];
    site.post(&cookie, "/accounts/link", &fields).await;
    let page = site.get(&cookie, "/punches").await.text;
    assert!(page.contains("class=\"c-err\"></td>") && page.contains("class=\"c-res\"></td>"));
    let drawer = site.get(&cookie, &format!("/punches?open={terminal}.1")).await.text;
    assert!(drawer.contains("id=\"drawer\"") && drawer.contains("is-open") && !drawer.contains("res=7"));
}

#[tokio::test]
async fn a_logon_without_a_person_is_marked_and_says_what_counts_instead() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let english = format!("{cookie}; mngntime_language=en");
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let detail = format!("/punches/{terminal}/1");
    let arso = [(EventKind::Logon, None), (EventKind::Lock, Some("unattended_logon"))];
    site.stay(terminal, &arso).await;
    assert!(site.get(&cookie, "/punches").await.text.contains("無人ログオン"));
    assert!(site.get(&cookie, &detail).await.text.contains("まだロックは解除されていません。"));
    assert!(site.get(&english, &detail).await.text.contains("The session has not been unlocked yet."));

    let came = [arso[0], arso[1], (EventKind::Unlock, Some("presence_begins"))];
    site.stay(terminal, &came).await;
    let list = site.get(&cookie, "/punches").await.text;
    assert!(list.contains("無人ログオン</span><span class=\"time\">11:24〜</span>"), "{list}");
    assert_eq!(times(&list, ROW), 1, "it stays one punch at its own time");
    let text = site.get(&cookie, &detail).await.text;
    assert!(text.contains("出勤とみなされる時刻は最初のロック解除 11:24 です。"), "{text}");
    let list = site.get(&english, "/punches").await.text;
    assert!(list.contains("Unattended</span>"), "{list}");
    assert!(site.get(&english, &detail).await.text.contains("the first unlock, at 11:24."));
    let csv = site.get(&cookie, "/punches.csv").await.text;
    assert!(csv.lines().nth(1).unwrap().ends_with("\"○\",\"2026-06-17 11:24:31\",\"\",\"\""), "{csv}");
}

#[tokio::test]
async fn every_page_is_written_in_both_languages() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let operator = site.person("ops", Role::Operator, None).await;
    let empty = ["/punches", "/terminals", "/employees", "/accounts"]
        .map(|address| (cookie.clone(), address.to_owned()));
    check(&site, &empty).await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=60).await;
    let account = first_account(&site.get(&cookie, "/punches").await.text);
    let link = format!("/accounts/link?account={account}");
    let detail = format!("/punches/{terminal}/1");
    let open = format!("/punches?open={terminal}.1");
    let terminal = format!("/terminals/{terminal}");
    let changes = ["", "/block", "/retire", "/unretire", "/clear-conflict", "/reenroll", "/days"];
    let changes = changes.map(|change| format!("{terminal}{change}"));
    let full = [
        "/login",
        "/punches",
        "/punches?kind=logoff&to=2020-01-01",
        "/employees",
        "/employees?q=zzz",
        "/accounts",
        "/accounts?show=ended",
        "/terminals",
        "/terminals?q=zzz",
        "/terminals?show=silent&sort=name",
        "/terminals?show=nonsense",
        "/terminals/enroll",
        "/terminals/keys",
        "/terminals/keys/1/rotate",
        "/terminals/keys/1/revoke",
        "/audit",
        "/audit?who=nobody",
        "/settings",
        "/health",
        "/nothing",
        &link,
        &detail,
        &open,
    ];
    let full = full.into_iter().chain(changes.iter().map(String::as_str));
    let full: Vec<_> = full.map(|address| (cookie.clone(), address.to_owned())).collect();
    check(&site, &full).await;
    check(&site, &[(operator.clone(), "/contracts".to_owned()), (operator, "/punches".to_owned())]).await;
}

/// Every address answers in the language asked for, with every text found.
pub(super) async fn check(site: &Site, addresses: &[(String, String)]) {
    for (cookie, address) in addresses {
        for (tag, skip) in [("ja", "本文へ進む"), ("en", "Skip to content")] {
            let answer = site.get(&format!("{cookie}; mngntime_language={tag}"), address).await;
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{address}");
            assert!(answer.text.contains(&format!("<html lang=\"{tag}\">")), "{address} {tag}");
            assert!(answer.text.contains(skip) && answer.text.ends_with("</html>"), "{address} {tag}");
            assert!(!answer.text.contains("Unknown localization"), "{address} {tag}");
        }
    }
}

#[tokio::test]
async fn the_language_is_kept_and_only_local_addresses_are_followed() {
    let site = Site::new().await;
    let answer = site.get("", "/language?to=en&back=%2Flogin").await;
    assert_eq!(answer.header(header::LOCATION), "/login");
    assert!(answer.header(header::SET_COOKIE).starts_with("mngntime_language=en;"));
    let away = site.get("", "/language?to=ja&back=https%3A%2F%2Fevil.example").await;
    assert_eq!(away.header(header::LOCATION), "/");
    assert_eq!(site.get("", "/language?to=fr").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_day_of_which_nothing_is_known_is_never_shown_as_one_without_work() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let days = format!("/terminals/{terminal}/days");
    let detail = site.get(&cookie, &format!("/terminals/{terminal}")).await.text;
    assert!(detail.contains(&days));
    let empty = site.get(&cookie, &days).await.text;
    assert!(empty.contains("PC-1 の記録の状況") && empty.contains("記録開始前"), "{empty}");
    assert!(
        empty.contains("status--before") && !empty.contains("status--ok"),
        "grey, as in a month: {empty}"
    );
    site.punches(site.contract, terminal, ("D", "u"), 1..=3).await;
    let page = site.get(&cookie, &days).await.text;
    assert!(
        page.contains("導入前") && page.contains("記録がないことは、勤務がなかったことを意味しません。"),
        "{page}"
    );
    let english = site.get(&format!("{cookie}; mngntime_language=en"), &days).await.text;
    assert!(
        english.contains("before the record began") && english.contains("No record does not mean no work.")
    );
    assert_eq!(times(&page, "role=\"rowheader\""), times(&english, "role=\"rowheader\""));
    let unknown = "/terminals/0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b/days";
    assert_eq!(site.get(&cookie, unknown).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn codes_typed_full_width_are_found_and_kept_narrow() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=2).await;
    let list = site.get(&cookie, "/punches?terminal=%EF%BC%B0%EF%BC%A3%EF%BC%8D%EF%BC%91").await.text;
    assert_eq!(times(&list, ROW), 2, "ＰＣ－１ is PC-1");
    site.post(
        &cookie,
        "/employees",
        &[("code", "Ｅ００１"), ("name", "山田　花子"), ("from", "２０２６－０４－０１")],
    )
    .await;
    let employees = site.store.list_employees(site.contract.into(), None, 10).await.unwrap();
    assert_eq!((employees[0].data.code.as_str(), employees[0].data.name.as_str()), ("E001", "山田　花子"));
    assert!(employees[0].data.active_from.is_some());
}
