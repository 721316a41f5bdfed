//! Files that a careless hand has written, and files that are given out to be filled in and come back.

use axum::http::{StatusCode, header};
use mngntime_store::{Act, NewEmployee};

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
async fn a_code_of_old_that_looks_like_another_is_told_from_it() {
    let site = Site::new().await;
    let cookie = site.administrator().await;
    for code in ["E1", "E1\u{200b}"] {
        let new = NewEmployee {
            code: code.to_owned(),
            name: "林 明里".to_owned(),
            kana: None,
            department: None,
            active_from: None,
            active_to: None,
        };
        site.store.add_employee(site.contract, new, Act::server(NOW)).await.unwrap();
    }
    let list = site.get(&cookie, "/employees").await.text;
    assert_eq!((times(&list, ">E1<"), times(&list, ">E1⟨U+200B⟩<")), (1, 1), "{list}");
}
