//! What stands on paper: of each list what it is, of the punch log everything that was asked for.

use axum::http::{StatusCode, header};
use mngntime_store::Role;

use super::{Site, times};

/// The line for paper of a page.
fn line(page: &str) -> &str {
    page.split("<p class=\"printed on-paper\">")
        .nth(1)
        .expect("a line for paper")
        .split("</p>")
        .next()
        .unwrap()
}

#[tokio::test]
async fn a_printed_list_says_what_it_is_of_whom_how_much_and_by_whom() {
    let site = Site::new().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "hanako"), 1..=60).await;
    let admin = site.administrator().await;
    site.post(&admin, "/employees", &[("code", "E-1"), ("name", "佐藤 花子")]).await;
    let page = site.get(&admin, "/punches?from=2026-06-17&to=2026-06-17&errors=1&terminal=PC-1").await.text;
    for part in [
        "条件: 6月17日 · エラーのみ · PC-1",
        "先頭の50件（続きがあります）",
        "試験 一郎 (admin) 2026-06-17 09:24:31",
    ] {
        assert!(line(&page).contains(part), "{part}: {}", line(&page));
    }
    let next =
        page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    assert!(line(&site.get(&admin, &next).await.text).contains("最後の10件（前に続きがあります）"));
    let counted = site.get(&admin, "/punches?from=2026-06-17&to=2026-06-17").await.text;
    assert!(line(&counted).contains("60件"), "the whole where it is known: {}", line(&counted));
    for (address, part) in [
        ("/terminals?q=PC", "すべて（引退を除く） · PC"),
        ("/audit", "すべての期間"),
        ("/accounts?show=waiting", "条件: "),
        ("/employees?q=%3Cb%3E", "&#60;b&#62;"),
        ("/administrators", "条件: すべて / 全1件"),
        ("/administrators?q=adm", "条件: adm / 全1件"),
        ("/days", "2026年6月 · 条件: この月の社員 / 全1件"),
        ("/days?show=gone&q=x", "2026年6月 · 条件: この月より前に退職 · x / 全0件"),
        ("/days/remarks", "条件: 未確認 / 全0件"),
        ("/days?employee=E-1&month=2026-06", "印刷: "),
        ("/days/E%2D1/2026-06-17", "印刷: "),
        ("/departments", "印刷: "),
        ("/terminals/keys", "印刷: "),
    ] {
        let page = site.get(&admin, address).await.text;
        assert!(line(&page).contains(part) && line(&page).contains("(admin)"), "{address}: {}", line(&page));
    }
    let csv = "社員コード,氏名\nE-2,佐藤\n,名のみ".as_bytes();
    let report = site.upload(&admin, "/employees/import", csv).await;
    let page = site.get(&admin, report.header(header::LOCATION)).await.text;
    for part in ["条件: 誤り · 全2行: 追加1", "全1件", "(admin)"] {
        assert!(line(&page).contains(part), "{part}: {}", line(&page));
    }
    let operator = site.person("root", Role::Operator, None).await;
    for (address, part) in [
        ("/contracts", "条件: すべて / 全1件"),
        ("/contracts?q=none", "条件: none / 全0件"),
        ("/contracts/quarantine", "条件: すべて / 全0件"),
    ] {
        let page = site.get(&operator, address).await.text;
        assert!(line(&page).contains(part) && line(&page).contains("(root)"), "{address}: {}", line(&page));
    }
}

#[tokio::test]
async fn everything_that_was_asked_for_is_printed_in_one_table_and_noted() {
    let site = Site::new().await;
    let terminal = site.terminal("A-1", "PC-<1>", 1).await;
    site.punches(site.contract, terminal, ("D", "<!-- sum -->"), 1..=620).await;
    let admin = site.administrator().await;
    let list = site.get(&admin, "/punches?kind=logon").await.text;
    assert!(list.contains("href=\"/punches?kind=logon&#38;print=1\""), "the way there");
    let page = site.get(&admin, "/punches?kind=logon&print=1").await;
    assert_eq!(
        (page.status, times(&page.text, "<tr><td>")),
        (StatusCode::OK, 310),
        "more than is read at once"
    );
    assert!(page.text.contains("以上、全310件") && !page.text.contains("<!--sum"));
    assert!(page.text.trim_end().ends_with("</html>") && page.text.contains("PC-&#60;1&#62;"));
    assert_eq!(times(&page.text, "<!-- sum -->") + times(&page.text, "<!-- rows -->"), 0);
    let log = site.store.audit_log(Some(site.contract), None, 1).await.unwrap();
    let told = (log[0].action.as_str(), log[0].detail.as_str());
    assert_eq!(told, ("export_punches", r#"{"conditions":"kind=logon","form":"print"}"#));
    let wrong = site.get(&admin, "/punches?print=2").await.text;
    assert!(wrong.contains("「print=2」は使えません"), "{wrong}");
    let wrong = site.get(&admin, "/punches?print=1&from=2026-13-45").await.text;
    assert!(wrong.contains("role=\"alert\"") && times(&wrong, "<tr><td>") == 0);
}
