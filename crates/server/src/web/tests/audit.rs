//! The audit log as it is read, and looks at records that get into it.

use axum::http::StatusCode;
use jiff::civil::date;
use mngntime_store::{
    AccountFilter, Act, EmployeeChoice, EmployeeId, LinkRequest, NewAdministrator, NewEmployee, Role,
};

use super::{NOW, Site, contract, times};

/// Two punches of 花子, linked; returns her and the address of the first.
async fn hanako(site: &Site) -> (EmployeeId, String) {
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "hanako"), 1..=2).await;
    let account =
        site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap().remove(0);
    let new = NewEmployee::named("E-1", "山田 花子");
    let request = LinkRequest {
        account: account.id,
        employee: EmployeeChoice::New(new),
        from: date(2026, 6, 1),
        to: None,
    };
    site.store.link_accounts(site.contract, vec![request], Act::server(NOW)).await.unwrap();
    let employee = site.store.list_employees(site.contract.into(), None, 9).await.unwrap().remove(0).id;
    (employee, format!("/punches/{terminal}/1"))
}

async fn views(site: &Site) -> usize {
    let log = site.store.audit_log(Some(site.contract), None, 100).await.unwrap();
    log.iter().filter(|entry| entry.action == "view_record").count()
}

#[tokio::test]
async fn a_look_at_somebodys_record_is_noted_once_and_told_in_words() {
    let site = Site::new().await;
    let (employee, punch) = hanako(&site).await;
    let admin = site.administrator().await;
    site.get(&admin, "/punches").await;
    assert_eq!(views(&site).await, 0, "a list of everybody is nobody's record");
    assert_eq!(lists(&site).await, [r#"punches {"conditions":""}"#], "but it is noted that it was opened");
    site.get(&admin, "/punches/newer?employee=E-1").await;
    assert_eq!(views(&site).await, 1, "rows that a script asks for are looked at, too");
    for _ in 0..3 {
        assert_eq!(site.get(&admin, &punch).await.status, StatusCode::OK);
        assert_eq!(site.get(&admin, "/punches?employee=E-1").await.status, StatusCode::OK);
        assert_eq!(site.get(&admin, "/days/E-1/2026-06-17").await.status, StatusCode::OK);
        assert_eq!(site.get(&admin, "/days?employee=E-1").await.status, StatusCode::OK);
    }
    assert_eq!(views(&site).await, 4, "once for each page");
    let own = NewAdministrator {
        employee: Some(employee),
        ..NewAdministrator::new("hanako", Role::HumanResources, Some(site.contract))
    };
    let own = site.somebody(own).await;
    assert_eq!(site.get(&own, &punch).await.status, StatusCode::OK);
    assert_eq!(views(&site).await, 4, "one's own record is nobody's business");
    let page = site.get(&admin, "/audit?action=view_record").await.text;
    assert_eq!(times(&page, "社員の記録を閲覧</th>"), 4);
    for text in ["打刻ログ", "打刻の詳細", "1日の記録", "月の記録", ">admin<", "E-1"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(
        page.contains("署名待ち") && page.contains("2026-06 #"),
        "each with its place in the evidence log"
    );
}

/// The lists that were opened, oldest first.
async fn lists(site: &Site) -> Vec<String> {
    let log = site.store.audit_log(Some(site.contract), None, 100).await.unwrap();
    let opened = log.iter().rev().filter(|entry| entry.action == "view_list");
    opened.map(|entry| format!("{} {}", entry.object, entry.detail)).collect()
}

#[tokio::test]
async fn no_way_to_somebodys_punches_goes_unnoted() {
    let site = Site::new().await;
    let (employee, _) = hanako(&site).await;
    let all = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    let account = all[0].id;
    let admin = site.administrator().await;
    let by_account = format!("/punches?account={account}");
    let (one, other) = (format!("/accounts/{account}"), format!("/employees/{employee}"));
    let ways = [by_account.as_str(), "/punches/newer?terminal=PC-1", one.as_str(), other.as_str()];
    let mut noted = Vec::new();
    for way in ways {
        for _ in 0..2 {
            assert_eq!(site.get(&admin, way).await.status, StatusCode::OK, "{way}");
        }
        noted.push(views(&site).await);
    }
    assert_eq!(noted, [1, 1, 2, 3], "whose punches an account's and a PC's are is one page");
    site.get(&admin, "/punches?terminal=PC-1&errors=1").await;
    site.get(&admin, "/employees?q=E-1").await;
    site.get(&admin, "/punches?terminal=nowhere").await;
    let account = format!(r#"punches {{"conditions":"account={account}"}}"#);
    let opened = [
        account.as_str(),
        r#"punches {"conditions":"terminal=PC-1"}"#,
        r#"punches {"conditions":"terminal=PC-1&errors=1"}"#,
        r#"employees {"conditions":"q=E-1"}"#,
    ];
    assert_eq!(lists(&site).await, opened, "each once; what shows nothing is not opened");
    let page = site.get(&admin, "/audit?action=view_list").await.text;
    assert_eq!(times(&page, "の一覧を閲覧</th>"), 4);
    assert!(page.contains("端末 PC-1、エラーのみ"), "{page}");
}

#[tokio::test]
async fn entries_are_found_by_who_what_on_what_and_when() {
    let site = Site::new().await;
    hanako(&site).await;
    let admin = site.administrator().await;
    let other = contract(&site.store, "B-22").await;
    site.store.note(Some(other), "sign_in".into(), "THEIRS".into(), Act::server(NOW)).await.unwrap();
    let rows = async |query: &str| {
        let page = site.get(&admin, &format!("/audit?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(!page.text.contains("THEIRS"), "{query}");
        times(&page.text, "scope=\"row\"")
    };
    let all = rows("").await;
    assert!(all >= 4, "{all}");
    assert_eq!(rows("object=E-1").await, 1, "a code means the employee");
    assert_eq!(rows("action=link_account").await, 1);
    assert_eq!(rows("by=server").await + rows("who=nobody").await, all);
    assert_eq!(rows("from=2026-06-17&to=2026-06-17").await, all);
    assert_eq!(rows("to=2026-06-16").await, 0);
    for wrong in
        ["from=2026-13-45", "from=2026-06-18&to=2026-06-17", "action=x", "after=x", "by=x", "by=server&who=a"]
    {
        let page = site.get(&admin, &format!("/audit?{wrong}")).await;
        assert!(page.status == StatusCode::OK && page.text.contains("role=\"alert\""), "{wrong}");
    }
}

#[tokio::test]
async fn the_log_goes_on_page_by_page_and_out_as_a_file_that_is_noted() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    for number in 0..60 {
        let act = Act::administrator("admin", NOW.plus(number));
        let object = format!("=x<script>{number}");
        site.store.note(Some(site.contract), "sign_in".into(), object, act).await.unwrap();
    }
    let page = site.get(&admin, "/audit?action=sign_in").await.text;
    assert_eq!(times(&page, "scope=\"row\""), 50);
    assert!(!page.contains("<script>5") && page.contains("&#60;script&#62;59"), "escaped");
    let next =
        page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let second = site.get(&admin, &next).await.text;
    assert_eq!(times(&second, "scope=\"row\""), 10);
    assert!(!second.contains("rel=\"next\""));
    let file = site.get(&admin, "/audit.csv?action=sign_in").await;
    assert_eq!((file.status, file.text.lines().count()), (StatusCode::OK, 61));
    assert!(file.text.contains("\"'=x<script>0\""), "no formula");
    let newest = &site.store.audit_log(Some(site.contract), None, 1).await.unwrap()[0];
    assert_eq!(newest.action, "export_audit");
    assert!(newest.detail.contains("action=sign_in"), "{}", newest.detail);
    let wrong = site.get(&admin, "/audit.csv?from=x").await;
    assert_eq!(wrong.status, StatusCode::SEE_OTHER, "back to the list, which says why");
    // Objects are in the reader's words, as on the page, and as they are recorded.
    let terminal = site.terminal("A-1", "PC-77", 1).await;
    site.post(&admin, &format!("/terminals/{terminal}/block"), &[]).await;
    let raw = format!("\"terminal {terminal}\"");
    for (cookie, words) in
        [(admin.clone(), "\"端末 PC-77\""), (format!("{admin}; mngntime_language=en"), "\"Terminal PC-77\"")]
    {
        let file = site.get(&cookie, "/audit.csv?action=block_terminal").await.text;
        let line = file.lines().nth(1).unwrap();
        assert!(line.contains(words) && line.contains(&format!(",{raw},")), "{file}");
    }
}

#[tokio::test]
async fn details_are_told_in_both_languages_with_what_was_before() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let fields = [
        ("name", "改名"),
        ("day", "４：３０"),
        ("years", "1"),
        ("retention", "3"),
        ("language", ""),
        ("idle", "0"),
    ];
    assert_eq!(site.post(&admin, "/settings", &fields).await.status, StatusCode::SEE_OTHER);
    let page = site.get(&admin, "/audit?action=change_settings").await.text;
    for text in [
        "日付の区切り</span> 04:30",
        "変更前の名称・氏名</span> 契約 A-1",
        "和暦で表示する</span> はい",
        "無操作によるサインアウト</span> しない",
        "変更前の無操作によるサインアウト</span> 60分",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let english = format!("{admin}; mngntime_language=en");
    let page = site.get(&english, "/audit?action=change_settings").await.text;
    assert!(page.contains("Changed the settings") && page.contains("Name before"), "{page}");
}

#[tokio::test]
async fn operators_see_what_belongs_to_no_contract() {
    let site = Site::new().await;
    let operator = site.person("root", Role::Operator, None).await;
    let page = site.get(&operator, "/audit").await.text;
    assert_eq!(times(&page, "scope=\"row\""), 1, "that the operator was made");
    assert!(page.contains("契約に属さない操作") && !page.contains("A-1"));
}

#[tokio::test]
async fn what_a_login_did_is_never_shown_as_the_servers() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    // Of before such logins were refused.
    for login in ["サーバー", "Server"] {
        let act = Act::administrator(login, NOW);
        site.store.note(Some(site.contract), "sign_out".into(), "x".into(), act).await.unwrap();
    }
    site.store.note(Some(site.contract), "sign_out".into(), "x".into(), Act::server(NOW)).await.unwrap();
    site.store
        .note(Some(site.contract), "sign_out".into(), "x".into(), Act::command_line(NOW))
        .await
        .unwrap();
    let page = site.get(&admin, "/audit?action=sign_out").await.text;
    let server = "#i-server\"/></svg>サーバー</span>";
    assert_eq!((times(&page, server), times(&page, "利用者「サーバー」")), (1, 1), "{page}");
    assert!(
        page.contains("利用者「Server」") && page.contains("#i-command\"/></svg>サーバーのコマンド</span>")
    );
    let rows = async |query: &str| {
        let page = site.get(&admin, &format!("/audit?action=sign_out&{query}")).await.text;
        assert!(!page.contains("role=\"alert\""), "{query}");
        times(&page, "scope=\"row\"")
    };
    let found = [
        rows("who=%E3%82%B5%E3%83%BC%E3%83%90%E3%83%BC").await,
        rows("who=server").await,
        rows("by=server").await,
    ];
    assert_eq!(found, [1, 0, 1], "a word that is typed is a login, the server is a choice");
    assert!(
        site.get(&admin, "/audit?who=%E3%82%B5%E3%83%BC%E3%83%90%E3%83%BC")
            .await
            .text
            .contains("利用者「サーバー」")
    );
    let file = site.get(&admin, "/audit.csv?action=sign_out").await.text;
    let raw: Vec<_> = file.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
    let expected =
        ["\"command-line\"", "\"server\"", "\"administrator:Server\"", "\"administrator:サーバー\""];
    assert_eq!(raw, expected);
}
