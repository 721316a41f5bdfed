//! Files taken in, files given out, saved searches, columns, newer rows, and lists that are longer than a page.

use std::io::Read as _;
use std::sync::Arc;

use axum::http::{StatusCode, header};
use mngntime_model::UtcMillis;
use mngntime_store::{
    Act, NewAdministrator, NewDepartment, NewEmployee, QuarantineReason, Quarantined, Role,
};

use super::super::router;
use super::{NOW, Site, contract, times};

const ROW: &str = "<!-- partial: punch row -->";

async fn site() -> (Site, String) {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=3).await;
    site.punches(site.contract, terminal, ("D", "v"), 4..=4).await;
    (site, cookie)
}

async fn codes(site: &Site) -> Vec<String> {
    let all = site.store.list_employees(site.contract.into(), None, 1000).await.unwrap();
    all.into_iter().map(|employee| employee.data.code).collect()
}

#[tokio::test]
async fn employees_come_from_a_spreadsheet_in_shift_jis_and_twice_is_once() {
    let (site, cookie) = site().await;
    site.post(&cookie, "/departments", &[("code", "D1"), ("name", "総務部")]).await;
    let text = "社員コード,氏名,フリガナ,所属,入社日,退職日\r\nE1,小川 拓海,オガワ タクミ,総務部,2026/4/1,\r\n\
                E2,\"佐藤, 美咲\",,,,\r\n";
    let bytes: Vec<u8> = encoding_rs::SHIFT_JIS.encode(text).0.into_owned();
    let sent = site.upload(&cookie, "/employees/import", &bytes).await;
    let report = sent.header(header::LOCATION).to_owned();
    let page = site.get(&cookie, &report).await.text;
    assert!(page.contains("Shift_JIS として読み取りました。") && page.contains("全2行: 追加2"), "{page}");
    assert!(codes(&site).await.is_empty(), "only looked at");
    let taken = site.post(&cookie, &report, &[("take", "all")]).await;
    assert_eq!((taken.status, taken.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/employees"));
    assert_eq!(codes(&site).await, ["E1", "E2"]);
    let list = site.get(&cookie, "/employees").await.text;
    assert!(list.contains("追加2、変更0、変更なし0") && list.contains("佐藤, 美咲"), "{list}");
    let twice = site.post(&cookie, &report, &[("take", "all")]).await;
    assert_eq!((twice.status, twice.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/employees"));
    let list = site.get(&cookie, "/employees").await.text;
    assert!(list.contains("このファイルは、すでに取り込んであります。"), "{list}");
    let gone = site.get(&cookie, &report).await;
    assert_eq!(gone.header(header::LOCATION), "/employees", "used up");
    let other = site.person("other", mngntime_store::Role::HumanResources, Some(site.contract)).await;
    assert_eq!(site.get(&other, &report).await.status, StatusCode::NOT_FOUND, "somebody else took it");

    let again = site.upload(&cookie, "/employees/import", &bytes).await;
    let page = site.get(&cookie, again.header(header::LOCATION)).await.text;
    assert!(page.contains("追加0、変更0、変更なし2") && !page.contains("value=\"all\""), "{page}");
}

#[tokio::test]
async fn one_wrong_line_keeps_all_out_unless_the_right_ones_are_asked_for() {
    let (site, cookie) = site().await;
    let text = "社員コード,氏名,入社日\nE1,一,2026-04-01\n,二,\nE3,三,2026-13-01\nE1,別人,\nE5,<b>五</b>,\n";
    let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
    let report = sent.header(header::LOCATION).to_owned();
    let page = site.get(&cookie, &report).await.text;
    assert!(page.contains("追加2、変更0、変更なし0、誤り3"), "{page}");
    for part in
        ["「社員コード」が空です。", "「2026-13-01」という日付はありません。", "2行目と矛盾しています。"]
    {
        assert!(page.contains(part), "{part}");
    }
    let page = site.get(&cookie, &format!("{report}?show=all")).await.text;
    assert!(page.contains("&#60;b&#62;五") && !page.contains("<b>五"), "escaped");
    let refused = site.post(&cookie, &report, &[("take", "all")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("まだ何も取り込んでいません。") && codes(&site).await.is_empty());
    site.post(&cookie, &report, &[("take", "right")]).await;
    assert_eq!(codes(&site).await, ["E1", "E5"]);
}

#[tokio::test]
async fn links_from_a_file_judge_the_punches_again() {
    let (site, cookie) = site().await;
    site.post(&cookie, "/employees", &[("code", "E1"), ("name", "小川 拓海")]).await;
    let text = "\u{feff}ドメイン,ユーザー,SID,UPN,社員コード,開始日,終了日\nＤ,ｕ,,,Ｅ１,2026/6/1,\n\
                ,,S-1-5-21-D-v,,E1,2026-06-01,2026-06-30\n";
    let sent = site.upload(&cookie, "/accounts/import", text.as_bytes()).await;
    let report = sent.header(header::LOCATION).to_owned();
    assert!(site.get(&cookie, &report).await.text.contains("全2行: 追加2"));
    site.post(&cookie, &report, &[("take", "all")]).await;
    let page = site.get(&cookie, "/accounts").await.text;
    assert!(
        page.contains("4件の打刻を再判定しました。") && page.contains("2026-06-01〜2026-06-30"),
        "{page}"
    );
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, "<a class=\"maru\""), 0);
    let other = "user,社員コード,from\nu,E9,2026-06-01\nu,E1,2026-06-10\nw,E1,2026-06-01\n";
    let sent = site.upload(&cookie, "/accounts/import", other.as_bytes()).await;
    let page = site.get(&cookie, sent.header(header::LOCATION)).await.text;
    for part in [
        "社員コード E9 の社員がいません。",
        "すでに社員 E1 に結び付いています。",
        "当てはまるWindowsユーザーがありません。",
    ] {
        assert!(page.contains(part), "{part} {page}");
    }
    let entries = site.store.audit_log(Some(site.contract), None, 50).await.unwrap();
    let import = entries.iter().find(|entry| entry.action == "import_links").expect("noted");
    assert_eq!(import.detail, r#"{"lines":2,"written":2}"#);
}

#[tokio::test]
async fn files_that_cannot_be_read_say_why() {
    let (site, cookie) = site().await;
    let (large, larger) = (vec![b'x'; 2 * 1024 * 1024 + 1], vec![b'x'; 3 * 1024 * 1024]);
    let many = format!("社員コード,氏名\n{}", "E1,x\n".repeat(10_001));
    let files: [(&[u8], u16, &str); 9] = [
        (b"", 422, "CSVファイルを選んでください。"),
        (b"\xff\xfe\x3e\x79", 422, "文字コードがUTF-8でもShift_JISでもありません。"),
        (b"a,b\n1,2\n", 422, "1行目に「社員コード」の見出しがありません。"),
        ("社員コード\t氏名\nE1\tx\n".as_bytes(), 422, "カンマ区切りのファイルではありません。"),
        ("社員コード;氏名\nE1;x\n".as_bytes(), 422, "カンマ区切りのファイルではありません。"),
        ("社員コード,氏名,氏名\nE1,x,y\n".as_bytes(), 422, "「氏名」に当たる見出しが2つあります。"),
        (many.as_bytes(), 422, "行が多すぎます。10000行までに分けてください。"),
        (&large, 413, "ファイルが大きすぎます。2048 KBまでに分けてください。"),
        (&larger, 413, "ファイルが大きすぎます。2048 KBまでに分けてください。"),
    ];
    for (bytes, status, text) in files {
        let sent = site.upload(&cookie, "/employees/import", bytes).await;
        assert_eq!(sent.status.as_u16(), status, "{text}");
        assert!(sent.text.contains(text) && sent.text.contains("role=\"alert\""), "{text}: {}", sent.text);
        assert!(sent.text.contains("type=\"file\""), "the form is there again");
    }
    let id = "00000000-0000-7000-8000-000000000001";
    assert_eq!(site.get(&cookie, &format!("/employees/import/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_template_is_in_the_readers_language_and_in_either_encoding_and_is_read_again() {
    let (site, cookie) = site().await;
    let english = format!("{cookie}; mngntime_language=en");
    let japanese = "ドメイン,ユーザー,SID,UPN,社員コード,開始日,終了日\r\n";
    let template = site.get(&cookie, "/accounts/import.csv").await;
    assert_eq!(template.text, format!("\u{feff}{japanese}"));
    let template = site.get(&cookie, "/accounts/import.csv?encoding=shift_jis").await;
    assert_eq!(template.header(header::CONTENT_TYPE), "text/csv; charset=Shift_JIS");
    assert_eq!(encoding_rs::SHIFT_JIS.decode(&template.bytes).0, japanese);
    let template = site.get(&english, "/accounts/import.csv").await.text;
    assert_eq!(template, "\u{feff}Domain,User,SID,UPN,Employee code,From,To\r\n");
    let template = site.get(&english, "/employees/import.csv").await.text;
    assert_eq!(template, "\u{feff}Employee code,Name,Reading,Department,First day,Last day,UPN,SID\r\n");
    let form = site.get(&english, "/employees/import").await.text;
    assert!(form.contains("Employee code, Name, Reading") && !form.contains("社員コード"), "{form}");
    let text = format!("{template}E1,Ogawa,,,2026-04-01,,,\r\nE2,,,,,,,\r\n");
    let sent = site.upload(&english, "/employees/import", text.as_bytes()).await;
    let page = site.get(&english, sent.header(header::LOCATION)).await.text;
    assert!(page.contains("“Name” is empty.") && page.contains("2 lines: 1 new, 0 changed"), "{page}");
    let wrong = site.upload(&english, "/employees/import", b"a,b\n1,2\n").await.text;
    assert!(wrong.contains("no column “Employee code”"), "{wrong}");
}

#[tokio::test]
async fn a_report_says_what_becomes_of_punches_and_that_is_what_becomes_of_them() {
    let (site, cookie) = site().await;
    site.post(&cookie, "/employees", &[("code", "E1"), ("name", "小川 拓海")]).await;
    let report = async |list: &str, text: &str| {
        let sent = site.upload(&cookie, &format!("/{list}/import"), text.as_bytes()).await;
        let address = sent.header(header::LOCATION).to_owned();
        let page = site.get(&cookie, &address).await.text;
        site.post(&cookie, &address, &[("take", "all")]).await;
        (page, site.get(&cookie, &format!("/{list}")).await.text)
    };
    let (look, done) = report("accounts", "user,社員コード,from\nu,E1,2026-06-01\n").await;
    assert!(look.contains("取り込むと、打刻 3件のエラーが解消します。"), "{look}");
    assert!(done.contains("3件の打刻を再判定しました。"), "{done}");
    let (look, done) = report("employees", "社員コード,氏名,退職日\nE1,小川 拓海,2026-06-16\n").await;
    assert!(look.contains("取り込むと、打刻 3件がエラーになります（在籍外）。"), "{look}");
    assert!(
        look.contains("退職日 （なし） → 2026-06-16") || look.contains("（なし） → 2026-06-16"),
        "{look}"
    );
    assert!(done.contains("3件の打刻を再判定しました。"), "{done}");
    let (look, done) = report("employees", "社員コード,氏名,退職日\nE1,改名,2026-06-16\nE2,x,\n").await;
    assert!(look.contains("打刻の判定は変わりません。") && done.contains("0件の打刻を"), "{look}");
    // Back again, in a department that is not there yet.
    let text = "社員コード,氏名,所属,退職日\nE1,改名,新設部,\n";
    let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
    let address = sent.header(header::LOCATION).to_owned();
    let look = site.get(&cookie, &address).await.text;
    assert!(look.contains("打刻の判定は変わりません。"), "{look}");
    assert!(look.contains("登録して取り込むと、さらに打刻 3件の判定が変わります。"), "{look}");
    site.post(&cookie, &address, &[("take", "all"), ("departments", "1")]).await;
    let done = site.get(&cookie, "/employees").await.text;
    assert!(done.contains("3件の打刻を再判定しました。"), "{done}");
}

#[tokio::test]
async fn a_long_report_is_looked_at_by_fate_and_in_pages() {
    let (site, cookie) = site().await;
    many_employees(&site).await;
    let known: String = (0..60).map(|n| format!("E{n:04},社員 {n}\n")).collect();
    let changed: String = (60..120).map(|n| format!("E{n:04},改名 {n}\n")).collect();
    let new: String = (0..10_000 - 121).map(|n| format!("N{n:04},新入 {n}\n")).collect();
    let text = format!("社員コード,氏名\n{known}{changed}{new},名無し\n");
    let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
    let address = sent.header(header::LOCATION).to_owned();
    let page = async |query: &str| site.get(&cookie, &format!("{address}{query}")).await.text;
    let lines = |page: &str| times(page, "role=\"rowheader\"");
    let first = page("").await;
    assert!(first.contains("全10000行: 追加9879、変更60、変更なし60、誤り1。"), "{first}");
    assert!(first.contains("「社員コード」が空です。") && first.contains("1〜1件目 / 全1件"), "{first}");
    assert_eq!((lines(&first), times(&first, "rel=\"next\"")), (1, 0), "the wrong ones come first");
    let written = page("?show=written").await;
    assert_eq!((lines(&written), times(&written, "rel=\"prev\"")), (50, 0));
    let next = written.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let next = site.get(&cookie, &next.replace("&#38;", "&")).await.text;
    assert!(next.contains("改名 119") && next.contains("N0000") && next.contains("51〜100件目 / 全9939件"));
    assert_eq!((times(&next, "rel=\"prev\""), times(&next, "rel=\"next\"")), (1, 1));
    let last = page("?show=all&page=999999").await;
    assert!(last.contains("9951〜10000件目 / 全10000件") && times(&last, "rel=\"next\"") == 0, "{last}");
    assert_eq!(lines(&page("?show=same&page=2").await), 10);
    assert_eq!(lines(&page("?show=x&page=x").await), 1, "what means nothing is the first page");
    let taken = site.post(&cookie, &address, &[("take", "right")]).await;
    assert_eq!(taken.header(header::LOCATION), "/employees");
    let list = site.get(&cookie, "/employees").await.text;
    assert!(list.contains("追加9879、変更60、変更なし60"), "{list}");
}

#[tokio::test]
async fn a_workbook_has_times_texts_and_a_head_that_stays() {
    let (site, cookie) = site().await;
    let terminal = site.terminal("A-1", "=1+1", 9).await;
    site.punches(site.contract, terminal, ("D", "0123"), 9..=9).await;
    let answer = site.get(&cookie, "/punches.xlsx?account=D%5C0123").await;
    assert!(answer.header(header::CONTENT_DISPOSITION).contains("punches-20260617.xlsx"));
    let mut book = zip::ZipArchive::new(std::io::Cursor::new(answer.bytes)).unwrap();
    let mut sheet = String::new();
    book.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut sheet).unwrap();
    assert!(sheet.contains("ySplit=\"1\"") && sheet.contains("state=\"frozen\""), "{sheet}");
    assert_eq!(times(&sheet, "<row "), 2);
    // 2026-06-17 is day 46190 of a workbook's calendar.
    assert!(sheet.contains("<v>46190."), "{sheet}");
    assert!(
        sheet.contains("t=\"inlineStr\"") && sheet.contains(">0123<") && sheet.contains(">=1+1<"),
        "{sheet}"
    );
    assert!(!sheet.contains("<f>"), "no formula");
    let entries = site.store.evidence_entries(site.contract, 0, 100).await.unwrap();
    let detail = entries.last().unwrap().record.detail.get();
    assert!(detail.contains("\"form\":\"xlsx\"") && detail.contains("\"lines\":1"), "{detail}");
}

#[tokio::test]
async fn a_file_of_more_than_one_page_of_the_store_has_every_punch_once() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=1_201).await;
    let file = site.get(&cookie, "/punches.csv").await.text;
    let mut lines: Vec<&str> = file.lines().skip(1).collect();
    assert_eq!(lines.len(), 1_201);
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 1_201, "no line stands twice");
    let book = site.get(&cookie, "/punches.xlsx").await;
    assert!(book.bytes.starts_with(b"PK"));
    let log = site.store.audit_log(Some(site.contract), None, 1).await.unwrap();
    assert!(log[0].detail.contains("\"lines\":1201"), "{}", log[0].detail);
}

#[tokio::test]
async fn columns_are_each_persons_own_in_the_list_and_in_files() {
    let (site, cookie) = site().await;
    let other = site.person("other", Role::HumanResources, Some(site.contract)).await;
    let fields = [("query", "errors=1&open=x"), ("column", "res"), ("column", "employee")];
    let set = site.post(&cookie, "/punches/columns", &fields).await;
    assert_eq!(set.header(header::LOCATION), "/punches?errors=1");
    let page = site.get(&cookie, "/punches").await.text;
    assert!(!page.contains("class=\"c-term\"") && page.contains("class=\"c-emp\""), "{page}");
    assert!(page.contains("colspan=\"6\""));
    let head = site.get(&cookie, "/punches.csv").await.text;
    let head = head.lines().next().unwrap().trim_start_matches('\u{feff}').to_owned();
    let expected =
        "\"打刻日時\",\"ユーザー\",\"社員コード\",\"氏名\",\"エラー\",\"res\",\"メッセージ\",\"通し番号\"";
    assert_eq!(head, expected);
    assert!(site.get(&other, "/punches").await.text.contains("class=\"c-term\""));
}

#[tokio::test]
async fn a_search_is_saved_shared_and_deleted_by_its_owner_only() {
    let (site, cookie) = site().await;
    let auditor = site.person("auditor", Role::Auditor, Some(site.contract)).await;
    let theirs = contract(&site.store, "B-2").await;
    let stranger = site.person("stranger", Role::HumanResources, Some(theirs)).await;
    let save = async |cookie: &str, name: &str, shared: &str| {
        let fields = [("name", name), ("query", "errors=1&after=1_2_3&kind=logon"), ("shared", shared)];
        site.post(cookie, "/punches/searches", &fields).await
    };
    let here = "/punches?errors=1&kind=logon";
    let saved = save(&cookie, "<月末>", "1").await;
    assert_eq!(saved.header(header::LOCATION), here, "without the place in the list");
    save(&auditor, "監査用", "1").await;
    let mine = site.get(&cookie, here).await.text;
    assert!(mine.contains("&#60;月末&#62;") && !mine.contains("監査用"), "an auditor shares nothing: {mine}");
    let delete = mine.split("action=\"/punches/searches/").nth(1).unwrap().split('"').next().unwrap();
    let delete = format!("/punches/searches/{delete}");
    let seen = site.get(&auditor, here).await.text;
    assert!(seen.contains("月末") && seen.contains("監査用") && !seen.contains(&delete));
    assert!(!site.get(&stranger, "/punches").await.text.contains("月末"), "another contract");
    site.post(&auditor, &delete, &[]).await;
    assert!(site.get(&cookie, "/punches").await.text.contains("月末"), "not theirs to delete");
    site.post(&cookie, &delete, &[]).await;
    assert!(site.get(&cookie, "/punches").await.text.contains("保存した検索を削除しました。"));
    assert!(!site.get(&cookie, "/punches").await.text.contains("月末"));
    let nameless = save(&cookie, "", "").await;
    assert_eq!(nameless.status, StatusCode::SEE_OTHER);
    assert!(site.get(&cookie, "/punches").await.text.contains("保存していません。"));
    // A name that is taken is taken over, and that is said, with the way back to what it asked for.
    let save = async |query: &str| {
        let fields = [("name", "上書き"), ("query", query)];
        let at = site.post(&cookie, "/punches/searches", &fields).await.header(header::LOCATION).to_owned();
        site.get(&cookie, &at).await.text
    };
    assert!(save("kind=logon").await.contains("「上書き」を保存しました。"));
    assert!(
        save("kind=logon").await.contains("「上書き」を保存しました。"),
        "the same again takes nothing away"
    );
    let page = save("kind=logoff").await;
    assert!(page.contains("「上書き」を今の条件で上書きしました。"), "{page}");
    assert!(page.contains("href=\"/punches?kind=logon\">前の条件で表示する"), "{page}");
}

#[tokio::test]
async fn a_saved_search_is_current_in_any_order_and_names_nobody_beyond_the_readers_reach() {
    let (site, cookie) = site().await;
    let act = || Act::server(NOW);
    let department = |code: &str| NewDepartment { code: code.into(), name: code.into(), parent: None };
    let near = site.store.add_department(site.contract, department("NEAR"), act()).await.unwrap();
    let far = site.store.add_department(site.contract, department("FAR"), act()).await.unwrap();
    let new = NewEmployee::named("E1", "小川 拓海");
    let employee = site.store.add_employee(site.contract, new, act()).await.unwrap();
    site.store.set_employee_department(site.contract, employee, Some(near), act()).await.unwrap();
    let approver = async |login: &str, department| {
        let department = Some(department);
        let new = NewAdministrator {
            department,
            ..NewAdministrator::new(login, Role::Approver, Some(site.contract))
        };
        site.somebody(new).await
    };
    let (near, far) = (approver("near", near).await, approver("far", far).await);
    for (name, query) in [
        ("小川の検索", "employee=E1+%E5%B0%8F%E5%B7%9D+%E6%8B%93%E6%B5%B7&kind=logon"),
        ("誰でも", "errors=1&kind=logon"),
    ] {
        let fields = [("name", name), ("query", query), ("shared", "1")];
        site.post(&cookie, "/punches/searches", &fields).await;
    }
    for (who, sees) in [(&cookie, true), (&near, true), (&far, false)] {
        let page = site.get(who, "/punches").await.text;
        assert_eq!((page.contains("小川の検索"), page.contains("誰でも")), (sees, true), "{page}");
        assert!(sees || !page.contains("E1"), "{page}");
    }
    for query in ["errors=1&kind=logon", "kind=logon&errors=1"] {
        let page = site.get(&cookie, &format!("/punches?{query}")).await.text;
        assert!(page.contains("aria-current=\"true\">誰でも"), "{query}: {page}");
    }
    assert!(!site.get(&cookie, "/punches?errors=1").await.text.contains("aria-current=\"true\">誰でも"));
}

#[tokio::test]
async fn errors_are_counted_where_they_are_what_is_asked_for() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=120).await;
    let count = async |query: &str| {
        let page = site.get(&cookie, &format!("/punches?{query}")).await.text;
        page.split("<p data-live-count>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    assert_eq!(count("errors=1").await, "エラー 120件");
    assert_eq!(count("cause=unlinked").await, "エラー 120件");
    let [on, off] = [count("kind=logon&errors=1").await, count("kind=logoff&errors=1&period=month").await];
    let number = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u32>().unwrap_or_default()
    };
    assert_eq!(number(&on) + number(&off), 120, "{on} {off}");
    assert_eq!(count("terminal=PC-1&errors=1").await, "", "no index of these alone");
}

#[tokio::test]
async fn the_first_page_is_given_again_with_new_and_late_punches_and_the_counts_of_its_head() {
    let (site, cookie) = site().await;
    let page = site.get(&cookie, "/punches?account=D%5Cu&errors=1").await.text;
    assert!(
        page.contains("<a href=\"/punches?account=D%5Cu&#38;errors=1\">最新の一覧を表示</a>"),
        "without a script"
    );
    let ask = page.split("data-live=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let part = |text: &str, class: &str| {
        text.split(&format!("<{class}"))
            .nth(1)
            .unwrap()
            .split(&format!("</{}", class.split(' ').next().unwrap()))
            .next()
            .unwrap()
            .to_owned()
    };
    let before = site.get(&cookie, &ask).await;
    assert_eq!(before.status, StatusCode::OK);
    assert!(!before.text.contains("<html") && before.text.contains("data-live-fragment"));
    assert_eq!((times(&before.text, ROW), times(&page, ROW)), (3, 3));
    assert_eq!(part(&before.text, "section class=\"strip\""), part(&page, "section class=\"strip\""));
    assert_eq!(part(&before.text, "tr role=\"row\" data-href"), part(&page, "tr role=\"row\" data-href"));
    let terminal = site.terminal("A-1", "PC-2", 2).await;
    // Late: the oldest of all comes in last.
    site.punches(site.contract, terminal, ("D", "u"), 1..=9).await;
    site.punches(site.contract, terminal, ("D", "v"), 10..=10).await;
    let after = site.get(&cookie, &ask).await.text;
    assert_eq!(times(&after, ROW), 12);
    let sequence = |n: u64| after.find(&format!("id=\"r-{terminal}.{n}\"")).unwrap();
    assert!(sequence(9) < sequence(8) && sequence(2) < sequence(1), "in their place");
    assert_ne!(part(&after, "section class=\"strip\""), part(&page, "section class=\"strip\""));
    assert!(after.contains("エラー 12件"), "{}", part(&after, "p data-live-count"));
    // A later page, and what means nothing, are no such page.
    for other in ["/punches/newer?from=2026-13-45", "/punches/newer?than=x"] {
        assert_eq!(site.get(&cookie, other).await.status, StatusCode::NO_CONTENT, "{other}");
    }
}

async fn many_employees(site: &Site) {
    for n in 0..120 {
        let new = NewEmployee {
            kana: Some(format!("シャイン {n}")),
            ..NewEmployee::named(format!("E{n:04}"), format!("社員 {n}"))
        };
        site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
    }
}

/// Address of the first link of a page with this `rel`.
fn link(page: &str, rel: &str) -> Option<String> {
    let after = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
    Some(after.split('"').next()?.replace("&#38;", "&"))
}

/// The rows of a list, without the addresses that lead back to the page.
fn shown_rows(page: &str) -> Vec<String> {
    let body = page.split("<tbody").nth(1).and_then(|rest| rest.split("</tbody>").next()).expect("rows");
    let plain =
        |row: &str| row.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    body.split("<tr").skip(1).map(plain).collect()
}

/// Walks the list at `address` to its end and back; how many pages it has.
async fn walk(site: &Site, cookie: &str, address: &str) -> usize {
    let mut pages = vec![site.get(cookie, address).await.text];
    assert!(link(&pages[0], "prev").is_none() && link(&pages[0], "first").is_none(), "{address}");
    while let Some(next) = link(pages.last().unwrap(), "next") {
        pages.push(site.get(cookie, &next).await.text);
    }
    let (mut here, count) = (pages.last().unwrap().clone(), pages.len());
    for number in (0..count - 1).rev() {
        assert_eq!(link(&here, "first").as_deref(), Some(address));
        let back = link(&here, "prev").unwrap_or_else(|| panic!("{address}, page {number}: {here}"));
        let mut answer = site.get(cookie, &back).await;
        if number == 0 {
            assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, address));
            answer = site.get(cookie, address).await;
        }
        here = answer.text;
        assert_eq!(shown_rows(&here), shown_rows(&pages[number]), "{address}, page {number} on the way back");
        assert!(link(&here, "next").is_some());
    }
    count
}

#[tokio::test]
async fn every_list_leads_back_page_by_page_to_its_plain_address() {
    let (site, cookie) = site().await;
    many_employees(&site).await;
    let operator = site.person("root", Role::Operator, None).await;
    for n in 0..110 {
        let code = format!("C-{n:03}");
        contract(&site.store, &code).await;
        site.person(&format!("user{n:03}"), Role::Auditor, Some(site.contract)).await;
        let (body, received_at) = (vec![1], NOW.plus(n));
        let reason = QuarantineReason::UnknownContract;
        let held = Quarantined { received_at, reason, contract: code, terminal: "t".into(), body };
        site.store.quarantine(held).await.unwrap();
    }
    for n in 10..130 {
        let terminal = site.terminal("A-1", &format!("PC-{n}"), n).await;
        site.punches(site.contract, terminal, ("D", &format!("user{n:03}")), 1..=1).await;
    }
    for (who, address, pages) in [
        (&cookie, "/punches", 3),
        (&cookie, "/punches?kind=logon", 3),
        (&cookie, "/accounts", 3),
        (&cookie, "/accounts?show=waiting&q=user", 3),
        (&cookie, "/employees", 3),
        (&cookie, "/employees?q=E00", 2),
        (&cookie, "/days?month=2026-06", 3),
        (&cookie, "/terminals", 3),
        (&cookie, "/terminals?sort=name", 3),
        (&cookie, "/administrators", 3),
        (&cookie, "/audit?action=add_employee", 3),
        (&operator, "/contracts", 3),
        (&operator, "/contracts/quarantine", 3),
    ] {
        assert_eq!(walk(&site, who, address).await, pages, "{address}");
    }
    for address in
        ["/punches?before=x", "/audit?before=x", "/accounts?before=x", "/terminals?after=1&before=2"]
    {
        let wrong = site.get(&cookie, address).await;
        assert!(wrong.status == StatusCode::OK && wrong.text.contains("role=\"alert\""), "{address}");
    }
}

#[tokio::test]
async fn the_pages_of_a_months_people_stay_in_it_when_another_month_begins() {
    let (mut site, cookie) = site().await;
    many_employees(&site).await;
    // 2026-06-30T23:59:31+09:00, and two minutes later.
    let evening = NOW.plus((13 * 24 * 60 + 14 * 60 + 35) * 60_000);
    let mut at = |now: UtcMillis| {
        site.state.clock = Arc::new(move || now);
        site.app = router(site.state.clone());
        site.app.clone()
    };
    let (evening, night) = (at(evening), at(evening.plus(120_000)));
    site.app = evening;
    let june = site.get(&cookie, "/days").await.text;
    let next = link(&june, "next").unwrap();
    site.app = night;
    let later = site.get(&cookie, &next).await.text;
    assert!(later.contains("<b>2026年6月</b>"), "{next}: {later}");
    for way in ["prev", "first"] {
        let back = link(&later, way).unwrap();
        assert!(back.starts_with("/days?month=2026-06"), "{way}: {back}");
    }
    let found = site.get(&cookie, "/days?q=E00&show=wrong").await.text;
    assert_eq!(link(&found, "next").unwrap(), "/days?q=E00&month=2026-07&after=E0049");
}

#[tokio::test]
async fn employees_are_paged_behind_a_key_and_found_by_wide_input() {
    let (site, cookie) = site().await;
    many_employees(&site).await;
    let (mut address, mut seen) = (Some("/employees".to_owned()), Vec::new());
    while let Some(here) = address {
        let page = site.get(&cookie, &here).await.text;
        let cells = page.split("<td role=\"cell\" class=\"mono at-end\">").skip(1);
        seen.extend(cells.map(|cell| cell[..5].to_owned()));
        let next = page.split("rel=\"next\" href=\"").nth(1).and_then(|link| link.split('"').next());
        address = next.map(|next| next.replace("&#38;", "&"));
    }
    assert_eq!(seen, codes(&site).await, "every one once, in order");
    let found = async |q: &str| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
        times(&site.get(&cookie, &format!("/employees?{query}")).await.text, "rowheader")
    };
    assert_eq!((found("Ｅ００４２").await, found("しゃいん 42").await, found("%").await), (1, 1, 0));
    let wrong = site.get(&cookie, "/accounts?after=nonsense").await.text;
    assert!(wrong.contains("role=\"alert\""));
}

#[tokio::test]
async fn an_employee_has_a_page_and_is_changed_there() {
    let (site, cookie) = site().await;
    many_employees(&site).await;
    let page = site.get(&cookie, "/employees?q=E0042").await.text;
    let one = page.split("href=\"/employees/").find(|part| part.contains("社員 42</a>")).unwrap();
    let address = format!("/employees/{}", one.split('"').next().unwrap());
    let detail = site.get(&cookie, &address).await.text;
    assert!(detail.contains("社員 42") && detail.contains("/punches?employee=E0042"), "{detail}");
    let fields =
        [("code", "E0042"), ("name", "改名 太郎"), ("from", "２０２６／０４／０１"), ("to", "2026-03-01")];
    let wrong = site.post(&cookie, &address, &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    site.post(&cookie, &address, &fields[..3]).await;
    let detail = site.get(&cookie, &address).await.text;
    assert!(detail.contains("改名 太郎 を変更しました。") && detail.contains("2026-04-01〜"), "{detail}");
}

#[tokio::test]
async fn every_list_comes_in_shift_jis_too_and_names_what_it_replaced() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-髙", 1).await;
    site.punches(site.contract, terminal, ("D", "𠮷野"), 1..=1).await;
    site.punches(site.contract, terminal, ("D", "吉野"), 2..=2).await;
    let page = site.get(&cookie, "/punches?errors=1").await.text;
    assert!(
        page.contains("href=\"/punches.csv?errors=1&#38;encoding=shift_jis\"")
            && page.contains("最後の列に元の文字の番号"),
        "{page}"
    );
    let file = site.get(&cookie, "/punches.csv?errors=1&encoding=shift_jis").await;
    assert_eq!(file.header(header::CONTENT_TYPE), "text/csv; charset=Shift_JIS");
    let text = encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&file.bytes);
    let text = text.expect("Shift_JIS").into_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with(",\"置き換えた文字\"") && lines.len() == 3, "{text}");
    assert!(lines[1].contains("\"吉野\"") && lines[1].contains("PC-髙") && lines[1].ends_with(",\"\""));
    assert!(lines[2].contains("\"〓野\"") && lines[2].ends_with(",\"U+20BB7\""));
    let plain = site.get(&cookie, "/punches.csv").await;
    assert!(
        plain.bytes.starts_with(b"\xef\xbb\xbf")
            && plain.text.contains("𠮷野")
            && !plain.text.contains("置き換えた文字")
    );
    for list in ["/terminals", "/audit"] {
        let shown = site.get(&cookie, list).await.text;
        let address = shown.split("href=\"").find(|part| part.contains("encoding=shift_jis")).unwrap();
        let address = address.split('"').next().unwrap().replace("&#38;", "&");
        let file = site.get(&cookie, &address).await;
        assert_eq!(file.header(header::CONTENT_TYPE), "text/csv; charset=Shift_JIS", "{address}");
        assert!(
            encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&file.bytes).is_some()
        );
    }
    let log = site.store.audit_log(Some(site.contract), None, 20).await.unwrap();
    assert!(
        log.iter().any(|entry| entry.action == "export_punches" && entry.detail.contains("csv, Shift_JIS"))
    );
}

#[tokio::test]
async fn a_column_that_the_file_lacks_changes_nothing_and_the_report_names_what_does() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let known = [
        ("code", "E3"),
        ("name", "社員 3郎"),
        ("kana", "サブロウ"),
        ("department", "開発部"),
        ("from", "2020-04-01"),
    ];
    site.post(&cookie, "/departments", &[("code", "D1"), ("name", "開発部")]).await;
    site.post(&cookie, "/employees", &known).await;
    let take = async |text: &str| {
        let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
        let address = sent.header(header::LOCATION).to_owned();
        let report = site.get(&cookie, &address).await.text;
        site.post(&cookie, &address, &[("take", "all")]).await;
        let data = site.store.list_employees(site.contract.into(), None, 9).await.unwrap().remove(0).data;
        (report, data)
    };
    let (report, data) = take("社員コード,氏名\nE3,社員 三郎").await;
    assert!(report.contains("氏名 社員 3郎 → 社員 三郎") && !report.contains("サブロウ"), "{report}");
    assert_eq!((data.name.as_str(), data.kana.as_deref()), ("社員 三郎", Some("サブロウ")));
    assert_eq!((data.department.as_deref(), data.active_from.is_some()), (Some("開発部"), true));
    let (report, data) = take("社員コード,氏名,フリガナ\nE3,社員 三郎,").await;
    assert!(report.contains("サブロウ → （なし）"), "{report}");
    assert_eq!((data.kana, data.department.as_deref()), (None, Some("開発部")));
}

#[tokio::test]
async fn codes_of_departments_are_narrow_and_an_empty_name_is_called_that() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    site.post(&cookie, "/departments", &[("code", "Ｄ５"), ("name", "総務部")]).await;
    let all = site.store.list_departments(site.contract).await.unwrap();
    assert_eq!(all.iter().map(|found| found.data.code.as_str()).collect::<Vec<_>>(), ["D5"]);
    let twice = site.post(&cookie, "/departments", &[("code", "D5"), ("name", "別")]).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "it is the same code");
    let empty = site.post(&cookie, "/departments", &[("code", "D6"), ("name", "")]).await;
    assert!(empty.text.contains("部署名を入力してください") && !empty.text.contains("氏名を入れて"));
}

#[tokio::test]
async fn a_department_that_is_not_there_is_named_with_the_nearest_and_the_way_to_make_it() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for (code, name, parent) in
        [("D1", "営業部", ""), ("D2", "開発部", ""), ("D11", "第一課", "D1"), ("D21", "第一課", "D2")]
    {
        site.post(&cookie, "/departments", &[("code", code), ("name", name), ("parent", parent)]).await;
    }
    let add = async |code: &str, department: &str| {
        let fields = [("code", code), ("name", "小川 拓海"), ("department", department)];
        site.post(&cookie, "/employees", &fields).await
    };
    let slip = add("E1", "営業郡").await;
    assert_eq!(slip.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(slip.text.contains("「営業郡」という部署はありません。近い部署: D1 営業部"), "{}", slip.text);
    let making = slip.text.split("href=\"/departments?").nth(1).unwrap().split('"').next().unwrap();
    let page = site.get(&cookie, &format!("/departments?{making}")).await.text;
    assert!(page.contains("value=\"営業郡\""), "the form there has the name");
    let several = add("E1", "第一課").await.text;
    assert!(several.contains("D11 第一課（営業部）、D21 第一課（開発部）"), "{several}");
    assert_eq!(add("E1", "Ｄ２１").await.status, StatusCode::SEE_OTHER, "a code is enough");
    let all = site.store.list_departments(site.contract).await.unwrap();
    assert_eq!(all.len(), 4, "nothing was made");
    let employee = site.store.list_employees(site.contract.into(), None, 9).await.unwrap().remove(0);
    let page = site.get(&cookie, &format!("/employees/{}", employee.id)).await.text;
    assert!(page.contains("value=\"D21 第一課\""), "{page}");
}

#[tokio::test]
async fn departments_of_a_file_are_registered_by_a_tick_only() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    site.post(&cookie, "/departments", &[("code", "D1"), ("name", "営業部")]).await;
    let text = "社員コード,氏名,所属\nE1,小川,D1\nE2,佐藤,<i>新設部\nE3,鈴木,<i>新設部\n";
    let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
    let address = sent.header(header::LOCATION).to_owned();
    let report = site.get(&cookie, &address).await.text;
    assert_eq!(times(&report, "という部署はありません"), 2, "{report}");
    assert!(report.contains("このファイルにある新しい部署を登録する: 1件"), "{report}");
    assert!(report.contains("<b class=\"break\">&#60;i&#62;新設部</b>") && report.contains("2行"));
    let refused = site.post(&cookie, &address, &[("take", "all")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let names = async || {
        let all = site.store.list_departments(site.contract).await.unwrap();
        all.into_iter().map(|found| (found.data.name, found.employees)).collect::<Vec<_>>()
    };
    assert_eq!(names().await, [("営業部".to_owned(), 0)]);
    let taken = site.post(&cookie, &address, &[("take", "all"), ("departments", "1")]).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER);
    assert_eq!(names().await, [("<i>新設部".to_owned(), 2), ("営業部".to_owned(), 1)]);
}

#[tokio::test]
async fn a_department_is_closed_after_its_people_were_shown_and_opened_again() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    site.post(&cookie, "/departments", &[("code", "D1"), ("name", "営業部")]).await;
    site.post(&cookie, "/departments", &[("code", "D2"), ("name", "一課"), ("parent", "D1")]).await;
    let person = async |code: &str, department: &str| {
        let fields = [("code", code), ("name", "小川 拓海"), ("department", department)];
        site.post(&cookie, "/employees", &fields).await
    };
    person("E1", "D1").await;
    let id = site.store.list_departments(site.contract).await.unwrap()[0].id;
    let address = format!("/departments/{id}/close");
    let ask = site.get(&cookie, &address).await.text;
    for part in
        ["在籍中 1名", "小川 拓海", "在籍中の1名は、この部署のまま残ります", "下位の1部署は廃止されません"]
    {
        assert!(ask.contains(part), "{part}: {ask}");
    }
    let wrong = site.post(&cookie, &address, &[("step", "close"), ("last", "2026-02-31")]).await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains("2026-02-31"));
    let empty = site.post(&cookie, &address, &[("step", "close"), ("last", "")]).await;
    assert!(empty.text.contains("最後の日を入力してください"));
    site.post(&cookie, &address, &[("step", "close"), ("last", "２０２６／０３／３１")]).await;
    let page = site.get(&cookie, "/departments").await.text;
    assert!(page.contains("2026-03-31 廃止") && page.contains("を 2026-03-31 で廃止しました"), "{page}");
    assert!(!site.get(&cookie, "/employees").await.text.contains("<option value=\"D1 営業部\">"));
    let late = person("E2", "D1").await;
    assert!(late.text.contains("部署「D1」は 2026-03-31 で廃止されています"), "{}", late.text);
    let below = site.post(&cookie, "/departments", &[("code", "D3"), ("name", "x"), ("parent", "D1")]).await;
    assert_eq!(below.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(site.get(&cookie, "/employees?q=E1").await.text.contains("営業部"), "who is there stays");
    site.post(&cookie, &address, &[("step", "open")]).await;
    assert_eq!(person("E2", "D1").await.status, StatusCode::SEE_OTHER);
    let log = site.get(&cookie, "/audit").await.text;
    assert!(log.contains("部署を廃止") && log.contains("部署を再開"));
}
