//! Files that a careless hand has written, and files that are given out to be filled in and come back.

use axum::http::{StatusCode, header};

use super::Site;

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
