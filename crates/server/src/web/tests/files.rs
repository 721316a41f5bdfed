//! Files that a careless hand has written, and files that are given out to be filled in and come back.

use axum::http::{StatusCode, header};
use jiff::civil::date;
use mngntime_store::{AccountFilter, Act, NewEmployee};

use super::{NOW, Site, times};

#[tokio::test]
async fn a_quote_that_swallows_lines_is_refused_with_its_line() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let people: String =
        (0..300).map(|n| format!("X{n:04},名前{n},,{}\n", if n == 3 { "\"" } else { "" })).collect();
    let text = format!("社員コード,氏名,フリガナ,メモ\n{people}");
    let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(sent.text.contains("5行目の引用符（&#34;）が正しくありません。"), "{}", sent.text);
    let closed = text.replace(",\"\n", ",\"\"\n");
    let sent = site.upload(&cookie, "/employees/import", closed.as_bytes()).await;
    let report = site.get(&cookie, sent.header(header::LOCATION)).await.text;
    assert!(report.contains("全300行: 追加300"), "{report}");
    let links = "ユーザー,社員コード,開始日\nu,E1,2026-06-01\nv\"w,E1,2026-06-01\n";
    let sent = site.upload(&cookie, "/accounts/import", links.as_bytes()).await;
    assert!(sent.text.contains("3行目の引用符"), "{}", sent.text);
}

#[tokio::test]
async fn a_file_takes_nobody_whom_a_form_would_refuse() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let long = "あ".repeat(150);
    let wrong = [
        ("E1", "\u{200b}\u{3164}", "空です", "氏名を入れてください"),
        ("E2", long.as_str(), "「氏名」: 100文字まで", "100文字まで"),
        ("E3\u{200b}", "山田", "「社員コード」: 目に見えない文字 U+200B は使えません", "U+200B は使えません"),
        ("E4\u{200d}", "山田", "目に見えない文字 U+200D は使えません", "U+200D は使えません"),
        ("..", "山田", "「社員コード」: コードに「..」だけは使えません", "コードに「..」だけは使えません"),
    ];
    let lines: String = wrong.iter().map(|(code, name, ..)| format!("{code},{name}\n")).collect();
    let text = format!("社員コード,氏名\n{lines}E5,葛\u{e0100}城 👩\u{200d}💻\n");
    let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
    let address = sent.header(header::LOCATION).to_owned();
    let report = site.get(&cookie, &address).await.text;
    assert!(report.contains("追加1、変更0、変更なし0、誤り5"), "{report}");
    for (code, name, of_file, of_form) in wrong {
        assert!(report.contains(of_file), "{of_file}: {report}");
        let answer = site.post(&cookie, "/employees", &[("code", code), ("name", name)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{code:?}");
        assert!(answer.text.contains(of_form), "{of_form}: {}", answer.text);
    }
    site.post(&cookie, &address, &[("take", "right")]).await;
    // Whoever came by the file is saved again by the form.
    let id = site.store.list_employees(site.contract.into(), None, 9).await.unwrap()[0].id;
    let fields = [("code", "E5"), ("name", "葛\u{e0100}城 👩\u{200d}💻"), ("kana", "カツラギ")];
    let saved = site.post(&cookie, &format!("/employees/{id}"), &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
}

#[tokio::test]
async fn a_file_of_employees_has_what_a_directory_says() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let look = async |text: &str| {
        let sent = site.upload(&cookie, "/employees/import", text.as_bytes()).await;
        let address = sent.header(header::LOCATION).to_owned();
        (site.get(&cookie, &format!("{address}?show=all")).await.text, address)
    };
    let template = site.get(&cookie, "/employees/import.csv").await.text;
    assert!(template.ends_with("退職日,UPN,SID\r\n"), "{template}");
    // As a directory exports it.
    let text = "\"Code\",\"Name\",\"userPrincipalName\",\"objectSid\"\n\"E1\",\"a\",\"A@x.jp\",\"S-1-5-21-9-1\"\nE2,b,b@x.jp,\n";
    let (report, address) = look(text).await;
    assert!(report.contains("追加2、変更0、変更なし0、誤り0"), "{report}");
    site.post(&cookie, &address, &[("take", "all")]).await;
    assert!(look(text).await.0.contains("追加0、変更0、変更なし2、誤り0"), "taken in twice");
    assert!(look("社員コード,氏名\nE1,a\n").await.0.contains("変更なし1"), "what it lacks stays");
    let text = "社員コード,氏名,UPN,SID\nE1,a,c@x.jp,\nE2,b,b@x.jp,S-1-5-21-9-1\nE3,c,x,\nE4,d,,S-1-5\nE5,e,b@x.jp,\n";
    let (report, address) = look(text).await;
    for told in [
        "UPN a@x.jp → c@x.jp / SID S-1-5-21-9-1 → （なし）",
        "SID （なし） → S-1-5-21-9-1",
        "「UPN」: 「名前@ドメイン」の形",
        "「SID」: 「S-1-」に続けて",
        "このUPNは社員 E2 に登録されています",
        "追加0、変更2、変更なし0、誤り3",
    ] {
        assert!(report.contains(told), "{told}: {report}");
    }
    site.post(&cookie, &address, &[("take", "right")]).await;
    let log = site.get(&cookie, "/audit").await.text;
    assert!(log.contains("c@x.jp") && log.contains("S-1-5-21-9-1"), "{log}");
}

/// What a file would do, and its address.
async fn look(site: &Site, cookie: &str, list: &str, text: &str) -> (String, String) {
    let sent = site.upload(cookie, &format!("/{list}/import"), text.as_bytes()).await;
    let address = sent.header(header::LOCATION).to_owned();
    (site.get(cookie, &format!("{address}?show=all")).await.text, address)
}

#[tokio::test]
async fn a_line_without_all_its_cells_clears_nothing() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let left = [("code", "N003"), ("name", "退職 三郎"), ("from", "2024-04-01"), ("to", "2026-05-31")];
    site.post(&cookie, "/employees", &left).await;
    let head = "社員コード,氏名,フリガナ,入社日,退職日";
    let short = format!("{head}\nN003,退職 三郎,\nX901,小川 拓海,オガワ タクミ,2026-04-01,,\n");
    let (report, address) = look(&site, &cookie, "employees", &short).await;
    assert!(report.contains("セルが3個で、見出しの5列に足りません。"), "{report}");
    assert!(report.contains("N003,退職 三郎,<"), "as it stands: {report}");
    assert!(report.contains("追加1、変更0、変更なし0、誤り1"), "an empty cell beyond the head: {report}");
    let many = format!("{head}\nX901,小川, 拓海,オガワ タクミ,2026-04-01,2026-05-31\n");
    let (report, _) = look(&site, &cookie, "employees", &many).await;
    assert!(report.contains("セルが6個で、見出しの5列より多くなっています。"), "{report}");
    site.post(&cookie, &address, &[("take", "right")]).await;
    let all = site.store.list_employees(site.contract.into(), None, 9).await.unwrap();
    assert_eq!(all[0].data.active_to, Some(date(2026, 5, 31)), "who has left stays away");

    let clears = format!("{head}\nN003,退職 三郎,,,\n");
    let (report, address) = look(&site, &cookie, "employees", &clears).await;
    assert!(report.contains("消える値 2件") && report.contains("値が消える行 <b>1</b>"), "{report}");
    let erasing = site.get(&cookie, &format!("{address}?show=erasing")).await.text;
    assert!(erasing.contains("退職日 2026-05-31 → （なし）"), "{erasing}");
    let (report, _) = look(&site, &cookie, "employees", "社員コード,氏名\nN003,改名\n").await;
    assert!(!report.contains("消える値") && !report.contains("値が消える行"), "{report}");
}

#[tokio::test]
async fn a_report_names_the_columns_that_are_read_and_those_that_are_not() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    site.post(&cookie, "/departments", &[("code", "D2"), ("name", "開発部")]).await;
    let text = "社員番号,社員名,所属部署,入社年月日,雇用区分,\nE1,小川 拓海,D2,20260401,正,\n";
    let (report, _) = look(&site, &cookie, "employees", text).await;
    for told in [
        "読み取る列: 社員番号、社員名、所属部署、入社年月日",
        "読み取らない列: 雇用区分",
        "読み取らない見出しがあります: 雇用区分",
        "追加します: 氏名 小川 拓海 / 所属 開発部 / 入社日 2026-04-01",
    ] {
        assert!(report.contains(told), "{told}: {report}");
    }
    let warned = report.find("読み取らない見出しがあります").unwrap();
    assert!(warned < report.find("name=\"take\"").unwrap(), "before anything is decided");
    let links = "ユーザー,社員コード,開始日,終了予定,候補\nu,E1,2026-04-01,2026-05-31,\n";
    let (report, _) = look(&site, &cookie, "accounts", links).await;
    assert!(report.contains("読み取らない見出しがあります: 終了予定<"), "ours is none of them: {report}");
    assert!(report.contains("読み取らない列: 終了予定、候補"), "{report}");
    let (report, _) = look(&site, &cookie, "employees", "社員コード,氏名\nE1,x\n").await;
    assert!(!report.contains("読み取らない"), "{report}");
}

#[tokio::test]
async fn dates_are_read_as_other_systems_write_them_and_the_way_to_write_them_is_told() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let text = "社員コード,氏名,入社日\nE1,a,20260401\nE2,b,2026/4/1 0:00\nE3,c,46113\n";
    let (report, _) = look(&site, &cookie, "employees", text).await;
    assert!(report.contains("追加2、変更0、変更なし0、誤り1"), "{report}");
    let told = "「46113」という日付はありません。2026-04-01の形で書いてください。";
    assert!(report.contains(told) && times(&report, "入社日 2026-04-01") == 2, "{report}");
}

#[tokio::test]
async fn a_report_of_links_names_users_employees_and_dates() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "ogawa"), 1..=1).await;
    site.post(&cookie, "/employees", &[("code", "E0061"), ("name", "小川 拓海")]).await;
    let file = site.get(&cookie, "/accounts/waiting.csv").await.text;
    let file = file.replace("\"\",\"2026-06-17\",\"\"", "\"E0061\",\"2026-06-17\",\"2026-06-30\"");
    let (report, _) = look(&site, &cookie, "accounts", &file).await;
    assert!(report.contains("D\\ogawa → E0061 小川 拓海 (2026-06-17〜2026-06-30)"), "{report}");
    assert!(!report.contains("S-1-5-21"), "{report}");
    let by_key = "SID,社員コード,開始日\nS-1-5-21-D-ogawa,E0061,2026-06-17\nS-1-5-21-9,E9,2026-06-17\n";
    let (report, _) = look(&site, &cookie, "accounts", by_key).await;
    assert!(report.contains("D\\ogawa → E0061 小川 拓海 (2026-06-17〜)"), "{report}");
    assert!(report.contains("S-1-5-21-9 → E9 (2026-06-17〜)"), "where nothing else is known: {report}");
}

#[tokio::test]
async fn a_code_that_differs_in_case_only_is_warned_of() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    site.post(&cookie, "/employees", &[("code", "E0004"), ("name", "林 明里")]).await;
    let (report, _) = look(&site, &cookie, "employees", "社員コード,氏名\ne0004,林 明里\nE5,x\n").await;
    assert!(report.contains("（登録済みの E0004 と大文字・小文字だけが違います）"), "{report}");
    assert!(report.contains("大文字・小文字だけが違う行があります: 1行"), "{report}");
}

#[tokio::test]
async fn accounts_of_leavers_are_handed_over_by_a_file() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "pool"), 1..=2).await;
    let gone = [("code", "E0006"), ("name", "去 人"), ("to", "2026-06-10")];
    site.post(&cookie, "/employees", &gone).await;
    site.post(&cookie, "/employees", &[("code", "E7"), ("name", "後 任")]).await;
    let old = "user,社員コード,from\npool,E0006,2026-04-01\n";
    let (_, address) = look(&site, &cookie, "accounts", old).await;
    site.post(&cookie, &address, &[("take", "all")]).await;
    // The file offers them from the day after; filled in, it is taken.
    let file = site.get(&cookie, "/accounts/waiting.csv").await.text;
    assert!(file.contains("\"\",\"2026-06-11\",\"\""), "{file}");
    let filled = file.replace("\"\",\"2026-06-11\"", "\"E7\",\"2026-06-11\"");
    let (report, address) = look(&site, &cookie, "accounts", &filled).await;
    let told = "引き継ぎます。この期間に在籍していない E0006 の結び付きは 2026-06-10 で終わります。";
    assert!(report.contains(told) && report.contains("追加0、変更1、変更なし0、誤り0"), "{report}");
    assert!(report.contains("取り込むと、打刻 2件のエラーが解消します。"), "{report}");
    site.post(&cookie, &address, &[("take", "all")]).await;
    let page = site.get(&cookie, "/accounts").await.text;
    assert!(
        page.contains("追加0、変更1、変更なし0") && page.contains("2件の打刻を再判定しました。"),
        "{page}"
    );
    assert!(page.contains("後 任") && page.contains("2026-06-11〜"), "{page}");
    // Whoever is here loses nothing.
    let third = "user,社員コード,from\npool,E0006,2026-06-12\n";
    let (report, _) = look(&site, &cookie, "accounts", third).await;
    assert!(report.contains("すでに社員 E7 に結び付いています。"), "{report}");
}

#[tokio::test]
async fn a_day_before_the_linked_employee_comes_is_given_to_somebody_else_by_a_file() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches_on(terminal, ("D", "pool"), 1..=2, 0).await;
    site.punches_on(terminal, ("D", "pool"), 3..=3, 1).await;
    let comes = [("code", "E8"), ("name", "新 人"), ("from", "2026-06-18")];
    site.post(&cookie, "/employees", &comes).await;
    site.post(&cookie, "/employees", &[("code", "E7"), ("name", "先 任")]).await;
    let early = "user,社員コード,from\npool,E8,2026-06-17\n";
    let (_, address) = look(&site, &cookie, "accounts", early).await;
    site.post(&cookie, &address, &[("take", "all")]).await;
    let file = site.get(&cookie, "/accounts/waiting.csv").await.text;
    assert!(file.contains("\"\",\"2026-06-17\",\"2026-06-17\""), "{file}");
    let filled = file.replace("\"\",\"2026-06-17\"", "\"E7\",\"2026-06-17\"");
    let (report, address) = look(&site, &cookie, "accounts", &filled).await;
    let told = "引き継ぎます。この期間に在籍していない E8 の結び付きは 2026-06-18 からになります。";
    assert!(report.contains(told) && report.contains("追加0、変更1、変更なし0、誤り0"), "{report}");
    assert!(report.contains("取り込むと、打刻 2件のエラーが解消します。"), "{report}");
    site.post(&cookie, &address, &[("take", "all")]).await;
    let accounts = site.store.list_accounts(site.contract.into(), AccountFilter::All, 9).await.unwrap();
    let links = accounts[0].links.iter();
    let links: Vec<_> = links.map(|link| (link.employee_code.as_str(), link.from, link.to)).collect();
    let (day, next) = (date(2026, 6, 17), date(2026, 6, 18));
    assert_eq!(links, [("E7", day, Some(day)), ("E8", next, None)]);
    assert_eq!(times(&site.get(&cookie, "/punches").await.text, "<a class=\"maru\""), 0, "nothing waits");
}

#[tokio::test]
async fn a_code_of_old_that_looks_like_another_is_told_from_it() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for code in ["E1", "E1\u{200b}"] {
        let new = NewEmployee::named(code, "林 明里");
        site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
    }
    let list = site.get(&cookie, "/employees").await.text;
    assert_eq!((times(&list, ">E1<"), times(&list, ">E1⟨U+200B⟩<")), (1, 1), "{list}");
}

#[tokio::test]
async fn accounts_that_wait_come_as_a_file_that_is_filled_in_and_taken_in() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    // More than one page of them; a name that a spreadsheet would run, and one that Shift_JIS does not hold.
    for number in 1..=205 {
        site.punches(site.contract, terminal, ("D", &format!("a{number:03}")), number..=number).await;
    }
    site.punches_on(terminal, ("D", "e0341"), 206..=206, -3).await;
    site.punches(site.contract, terminal, ("D", "=1+1"), 207..=207).await;
    site.punches(site.contract, terminal, ("D", "𠮷野"), 208..=208).await;
    for (code, name) in [("E0341", "小川 拓海"), ("-7", "山田 花子")] {
        site.post(&cookie, "/employees", &[("code", code), ("name", name)]).await;
    }
    for page in ["/accounts?show=waiting", "/accounts/import"] {
        let page = site.get(&cookie, page).await.text;
        for file in ["/accounts/waiting.csv", "/accounts/waiting.csv?encoding=shift_jis"] {
            assert!(page.contains(&format!("href=\"{file}\"")), "{file}: {page}");
        }
    }
    let answer = site.get(&cookie, "/accounts/waiting.csv").await;
    let text = answer.text.strip_prefix('\u{feff}').unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(
        lines[0],
        "\"ドメイン\",\"ユーザー\",\"SID\",\"UPN\",\"社員コード\",\"開始日\",\"終了日\",\"候補\""
    );
    assert_eq!(lines.len(), 209);
    let sure = "\"D\",\"e0341\",\"S-1-5-21-D-e0341\",\"\",\"E0341\",\"2026-06-14\",\"\",\"E0341 小川 拓海 [社員コードと一致]\"";
    assert!(lines.contains(&sure), "{text}");
    assert!(
        text.contains("\"D\",\"'=1+1\",\"S-1-5-21-D-=1+1\",\"\",\"\",\"2026-06-17\",\"\",\"（なし）\""),
        "{text}"
    );

    let shift_jis = site.get(&cookie, "/accounts/waiting.csv?encoding=shift_jis").await;
    assert_eq!(shift_jis.header(header::CONTENT_TYPE), "text/csv; charset=Shift_JIS");
    let narrow = encoding_rs::SHIFT_JIS.decode(&shift_jis.bytes).0.into_owned();
    assert!(narrow.contains("\"〓野\"") && narrow.contains("\"U+20BB7 U+20BB7\""), "{narrow}");
    let strange = site.get(&cookie, "/accounts/waiting.csv?encoding=zz").await;
    assert_eq!(strange.header(header::LOCATION), "/accounts/import?encoding=zz");

    // As a spreadsheet gives them back, filled in; a code with an apostrophe from a file of ours. A key that Shift_JIS does not
    // hold names nobody.
    let fill = |text: &str| text.replace("\"\",\"\",\"2026-06-17\"", "\"\",\"'-7\",\"2026-06-17\"");
    let in_shift_jis = encoding_rs::SHIFT_JIS.encode(&fill(&narrow)).0.into_owned();
    for (bytes, new, wrong) in [(fill(text).into_bytes(), 208, 0), (in_shift_jis, 207, 1)] {
        let sent = site.upload(&cookie, "/accounts/import", &bytes).await;
        let page = site.get(&cookie, sent.header(header::LOCATION)).await.text;
        assert!(page.contains(&format!("全208行: 追加{new}、変更0、変更なし0、誤り{wrong}")), "{page}");
    }
    let sent = site.upload(&cookie, "/accounts/import", fill(text).as_bytes()).await;
    site.post(&cookie, sent.header(header::LOCATION), &[("take", "all")]).await;
    let counts = site.store.account_counts(site.contract, date(2026, 6, 17)).await.unwrap();
    assert_eq!(counts.waiting, 0, "everybody is linked");
    let entries = site.store.audit_log(Some(site.contract), None, 999).await.unwrap();
    let forms: Vec<_> =
        entries.iter().filter(|one| one.action == "export_accounts").map(|one| one.detail.as_str()).collect();
    assert_eq!(forms, [r#"{"form":"csv, Shift_JIS"}"#, r#"{"form":"csv"}"#]);
}

#[tokio::test]
async fn what_is_registered_comes_as_a_file_that_changes_nothing_when_it_comes_back() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for (code, name, parent) in
        [("D1", "一部", ""), ("D2", "二部", ""), ("D11", "課", "D1"), ("D21", "課", "D2")]
    {
        site.post(&cookie, "/departments", &[("code", code), ("name", name), ("parent", parent)]).await;
    }
    let full = [("department", "D21"), ("from", "2024-04-01"), ("to", "2026-05-31"), ("kana", "ハヤシ")];
    let said = [("upn", "e1@x.jp"), ("sid", "S-1-5-21-9-1")];
    for (code, name) in [("E1", "林 明里"), ("-7", "=1+1"), ("E3", "𠮷野")] {
        let who = [("code", code), ("name", name)];
        let more: Vec<_> = if code == "E1" { [&full[..], &said[..]].concat() } else { Vec::new() };
        let added = site.post(&cookie, "/employees", &[&who[..], &more].concat()).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.text);
    }
    for n in 0..205 {
        let new = NewEmployee::named(format!("N{n:03}"), "多数");
        site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
    }
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    site.punches(site.contract, terminal, ("D", "u"), 1..=2).await;
    let links = "user,社員コード,from,to\nu,E1,2026-04-01,2026-05-31\nu,'-7,2026-06-01,\n";
    let (_, address) = look(&site, &cookie, "accounts", links).await;
    site.post(&cookie, &address, &[("take", "all")]).await;

    let file = site.get(&cookie, "/employees.csv").await;
    assert!(file.header(header::CONTENT_DISPOSITION).contains("employees-20260617.csv"));
    let lines: Vec<&str> = file.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 209, "more than one page of them");
    assert_eq!(
        lines[0].trim_start_matches('\u{feff}'),
        "\"社員コード\",\"氏名\",\"フリガナ\",\"所属\",\"入社日\",\"退職日\",\"UPN\",\"SID\",\"状態\""
    );
    assert!(lines.contains(
        &"\"E1\",\"林 明里\",\"ハヤシ\",\"D21 課\",\"2024-04-01\",\"2026-05-31\",\"e1@x.jp\",\"S-1-5-21-9-1\",\"退職\""
    ));
    assert!(lines.contains(&"\"'-7\",\"'=1+1\",\"\",\"\",\"\",\"\",\"\",\"\",\"在籍\""), "{}", file.text);
    let (report, _) = look(&site, &cookie, "employees", &file.text).await;
    assert!(report.contains("全208行: 追加0、変更0、変更なし208、誤り0"), "{report}");
    assert!(!report.contains("読み取らない見出しがあります"), "{report}");

    let file = site.get(&cookie, "/accounts.csv").await;
    assert!(file.header(header::CONTENT_DISPOSITION).contains("links-20260617.csv"));
    let lines: Vec<&str> = file.text.split_terminator("\r\n").skip(1).collect();
    assert_eq!(
        lines,
        [
            "\"D\",\"u\",\"S-1-5-21-D-u\",\"\",\"E1\",\"2026-04-01\",\"2026-05-31\",\"林 明里\"",
            "\"D\",\"u\",\"S-1-5-21-D-u\",\"\",\"'-7\",\"2026-06-01\",\"\",\"'=1+1\""
        ]
    );
    let (report, _) = look(&site, &cookie, "accounts", &file.text).await;
    assert!(report.contains("全2行: 追加0、変更0、変更なし2、誤り0"), "{report}");

    // What Shift_JIS does not hold is never taken for a new name.
    let narrow = site.get(&cookie, "/employees.csv?encoding=shift_jis").await;
    let sent = site.upload(&cookie, "/employees/import", &narrow.bytes).await;
    let report = site.get(&cookie, sent.header(header::LOCATION)).await.text;
    assert!(report.contains("変更0、変更なし207、誤り1") && report.contains("（U+20BB7）が〓に"), "{report}");
    let entries = site.store.audit_log(Some(site.contract), None, 9).await.unwrap();
    let noted = |action: &str| entries.iter().filter(|one| one.action == action).count();
    assert_eq!((noted("export_employees"), noted("export_accounts")), (2, 1));
    for page in ["/employees", "/employees/import"] {
        let page = site.get(&cookie, page).await.text;
        assert!(page.contains("href=\"/employees.csv?encoding=shift_jis\""), "{page}");
    }
    let auditor = site.person("auditor", mngntime_store::Role::Auditor, Some(site.contract)).await;
    assert!(!site.get(&auditor, "/employees").await.text.contains("/employees.csv"));
}

#[tokio::test]
async fn a_spreadsheets_own_file_is_told_to_be_saved_as_csv() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let xlsx = [&b"PK\x03\x04\x14\x00\x06\x00"[..], &[0xff; 40]].concat();
    let xls = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 40]].concat();
    for (bytes, list) in [(&xlsx, "employees"), (&xlsx, "accounts"), (&xls, "employees")] {
        let sent = site.upload(&cookie, &format!("/{list}/import"), bytes).await;
        assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "{list}");
        let told = "（.xlsx、.xls）は読み取れません。Excelで「CSV UTF-8（コンマ区切り）」として保存し";
        assert!(sent.text.contains(told) && !sent.text.contains("文字コード"), "{}", sent.text);
    }
}

#[tokio::test]
async fn reversed_dates_of_an_employment_are_called_by_the_names_of_their_fields() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    let told = "退職日が入社日より前です。";
    let fields = [("code", "E1"), ("name", "山田"), ("from", "2026-04-02"), ("to", "2026-04-01")];
    let answer = site.post(&cookie, "/employees", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains(told) && !answer.text.contains("終了日が"), "{}", answer.text);
    let text = "社員コード,氏名,入社日,退職日\nE1,山田,2026-04-02,2026-04-01\n";
    let (report, address) = look(&site, &cookie, "employees", text).await;
    assert!(report.contains(told) && !report.contains("終了日が"), "{report}");
    // A page of the report without a line counts none.
    let none = site.get(&cookie, &format!("{address}?show=written")).await.text;
    assert!(none.contains("当てはまる行はありません") && !none.contains("件目"), "{none}");
    assert!(report.contains("1〜1件目 / 全1件"), "{report}");
}
