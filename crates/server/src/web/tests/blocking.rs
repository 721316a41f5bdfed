//! Blocking a PC: who did it and why, and that it does not come back in another way unseen.

use axum::http::StatusCode;
use mngntime_model::TerminalId;
use mngntime_store::{EnrollmentOutcome, Enrolment, KeyHash, Role};

use super::{NOW, Site, times};

/// Its files deleted, a PC of this name makes another key.
async fn again(site: &Site, host: &str, n: u8) -> TerminalId {
    let enrolment = Enrolment {
        contract: "A-1".into(),
        key: KeyHash::of("A-1"),
        public_key: format!("another key {n}"),
        host_name: host.into(),
        os: "Windows 11".into(),
        makeup: "m".into(),
        key_class: "software".into(),
        agent_version: "0.1.0".into(),
        proposed: TerminalId::from_random([n; 16]),
        at: NOW.plus(60_000),
    };
    let outcome = site.store.enroll(enrolment).await.unwrap();
    let EnrollmentOutcome::EnrolledBlocked(id) = outcome else { panic!("{outcome:?}") };
    id
}

#[tokio::test]
async fn the_question_names_the_enrolment_key_and_takes_a_reason_that_everybody_sees_with_who_and_when() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "PC-1", 1).await;
    let address = format!("/terminals/{terminal}");
    let question = site.get(&admin, &format!("{address}/block")).await.text;
    assert!(question.contains("登録キーはPCの設定に残っています"), "{question}");
    assert!(question.contains("href=\"/terminals/keys\"") && question.contains("name=\"reason\""));
    let too_long = "あ".repeat(mngntime_store::REASON_MAX + 1);
    let back = site.post(&admin, &format!("{address}/block"), &[("reason", &too_long)]).await;
    assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(back.text.contains(&too_long) && back.text.contains("role=\"alert\""), "{}", back.text);
    site.post(&admin, &format!("{address}/block"), &[("reason", "盗難届を出したため")]).await;
    let done = site.get(&admin, &address).await.text;
    assert!(done.contains("PC-1 の使用を停止しました。"), "{done}");
    assert!(done.contains("登録キーを交換するか失効させてください"), "{done}");
    for (login, role) in [("hr", Role::HumanResources), ("it", Role::InformationTechnology)] {
        let cookie = site.person(login, role, Some(site.contract)).await;
        let page = site.get(&cookie, &address).await.text;
        // Among the facts, and in the history.
        assert_eq!(times(&page, "admin（盗難届を出したため）"), 2, "{login}: {page}");
        assert!(page.contains("2026-06-17 09:24:31 admin（盗難届を出したため）"), "{login}: {page}");
        assert_eq!(page.contains("「使用を再開する」を選びます"), role != Role::HumanResources, "{login}");
        assert_eq!(
            page.contains("使用を再開できるのは、契約の管理者とIT管理者です"),
            role == Role::HumanResources
        );
    }
}

#[tokio::test]
async fn a_blocked_pc_that_is_enrolled_anew_is_blocked_and_both_pages_say_so() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let hr = site.person("hr", Role::HumanResources, Some(site.contract)).await;
    let old = site.terminal("A-1", "PC-1", 1).await;
    site.post(&admin, &format!("/terminals/{old}/block"), &[]).await;
    let new = again(&site, "pc-1", 2).await;
    let page = site.get(&admin, &format!("/terminals/{new}")).await.text;
    let named = format!("使用停止中の端末 PC-1 {}", &old.to_string()[..8]);
    assert!(page.contains(&named) && page.contains("停止した状態で登録されました"), "{page}");
    assert!(
        page.contains(&format!("サーバー（使用停止中の端末 {} と名前か構成が同じ）", &old.to_string()[..8]))
    );
    assert!(page.contains(&format!("href=\"/terminals/{old}\"")), "{page}");
    let page = site.get(&hr, &format!("/terminals/{new}")).await.text;
    assert!(page.contains("使ってよいPCかどうかは") && !page.contains("「使用を再開する」を選び"), "{page}");
    // Somebody lets it in: the other one is still blocked, which the page of each says.
    site.post(&admin, &format!("/terminals/{new}/unblock"), &[]).await;
    let page = site.get(&admin, &format!("/terminals/{new}")).await.text;
    assert!(page.contains("は使用停止中です。同じPCが登録し直されたのなら"), "{page}");
    let page = site.get(&admin, &format!("/terminals/{old}")).await.text;
    assert!(page.contains("は停止されていません。同じPCなら、その端末も停止し"), "{page}");
}

#[tokio::test]
async fn what_was_blocked_before_it_was_retired_comes_back_blocked_and_that_is_said() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let address = format!("/terminals/{}", site.terminal("A-1", "PC-1", 1).await);
    site.post(&admin, &format!("{address}/block"), &[]).await;
    let question = site.get(&admin, &format!("{address}/retire")).await.text;
    assert!(question.contains("使用に戻すと、使用停止に戻ります"), "{question}");
    site.post(&admin, &format!("{address}/retire"), &[]).await;
    site.post(&admin, &format!("{address}/unretire"), &[]).await;
    let page = site.get(&admin, &address).await.text;
    assert!(page.contains("PC-1 は、引退の前と同じく使用停止中です。"), "{page}");
    assert!(!page.contains("PC-1 を使用に戻しました"), "{page}");
}

#[tokio::test]
async fn a_bulk_change_says_what_became_of_each() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let mut ids = Vec::new();
    for (n, change) in [(1, None), (2, Some("retire")), (3, Some("block"))] {
        let id = site.terminal("A-1", &format!("PC-{n}"), n).await.to_string();
        if let Some(change) = change {
            site.post(&admin, &format!("/terminals/{id}/{change}"), &[]).await;
        }
        ids.push(id);
    }
    let chosen: Vec<_> = ids.iter().map(|id| format!("&terminal={id}")).collect();
    let question = site.get(&admin, &format!("/terminals/bulk?do=block{}", chosen.concat())).await.text;
    assert!(question.contains("<li>PC-1</li>") && question.contains("name=\"reason\""), "{question}");
    assert!(
        question.contains("PC-2（引退のまま）") && question.contains("PC-3（使用停止のまま）"),
        "{question}"
    );
    let mut fields = vec![("do", "block"), ("back", "/terminals"), ("reason", "棚卸しで見つからない")];
    fields.extend(ids.iter().map(|id| ("terminal", id.as_str())));
    site.post(&admin, "/terminals/bulk", &fields).await;
    let page = site.get(&admin, "/terminals").await.text;
    assert!(page.contains("1台の使用を停止しました。") && !page.contains("再判定しました"), "{page}");
    assert!(page.contains("引退している1台は、そのままです。"), "{page}");
    assert!(page.contains("1台は、すでに「使用停止」でした。"), "{page}");
    let detail = site.get(&admin, &format!("/terminals/{}", ids[0])).await.text;
    assert!(detail.contains("admin（棚卸しで見つからない）"), "{detail}");
    // Back into use: the one that was blocked, and the one that was retired.
    fields[0] = ("do", "activate");
    site.post(&admin, "/terminals/bulk", &fields).await;
    let page = site.get(&admin, "/terminals").await.text;
    assert!(page.contains("3台を使用に戻しました。") && page.contains("再判定しました"), "{page}");
}
