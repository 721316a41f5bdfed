//! A PC whose clock is years off: what the pages and the files say of its punches.

use axum::http::StatusCode;
use mngntime_model::UtcMillis;
use mngntime_store::{IncomingBatch, IncomingEvent};

use super::{NOW, Site, event};

/// What the PC's clock showed: 2055-03-04 05:06:07 in Japan.
const SHOWN: UtcMillis = UtcMillis(2_687_717_167_000);

async fn office() -> (Site, String) {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    let wrong = IncomingEvent { stamped_at: Some(SHOWN), ..event(1, NOW, ("D", "hanako")) };
    let batch = site.batch(site.contract, terminal, vec![wrong, event(2, NOW, ("D", "taro"))]);
    site.store.receive(batch).await.unwrap();
    (site, admin)
}

#[tokio::test]
async fn the_list_and_the_detail_say_what_the_clock_of_the_pc_showed() {
    let (site, admin) = office().await;
    let list = site.get(&admin, "/punches").await.text;
    for (text, times) in [("サーバーの時計", 1), ("PCの時計: 2055-03-04 05:06:07", 1)] {
        assert_eq!(list.matches(text).count(), times, "{text}");
    }
    let terminal = site.store.list_punches(site.contract.into(), Default::default(), None, 9).await.unwrap();
    let terminal = terminal.rows[0].terminal;
    let of = async |number: u64| site.get(&admin, &format!("/punches/{terminal}/{number}")).await.text;
    let detail = of(1).await;
    for text in ["PCの時計: 2055-03-04 05:06:07", "内蔵電池", "サーバーの時計"] {
        assert!(detail.contains(text), "{text}");
    }
    assert!(!of(2).await.contains("PCの時計"), "nothing of it where the clock was right");
}

#[tokio::test]
async fn the_file_has_the_time_of_the_wrong_clock_in_its_last_column() {
    let (site, admin) = office().await;
    let file = site.get(&admin, "/punches.csv").await;
    assert_eq!(file.status, StatusCode::OK);
    let lines: Vec<&str> = file.text.lines().collect();
    assert!(lines[0].ends_with("\"PCの時計の時刻(1年以上のずれ)\""), "{}", lines[0]);
    let ends: Vec<bool> = lines[1..].iter().map(|line| line.ends_with("\"2055-03-04 05:06:07\"")).collect();
    assert_eq!(ends.iter().filter(|ends| **ends).count(), 1, "{lines:?}");
}

#[tokio::test]
async fn who_looks_for_a_link_where_the_clock_is_wrong_is_told_of_the_clock() {
    let site = Site::new().await;
    let admin = site.administrator().await;
    let terminal = site.terminal("A-1", "DESK-1", 1).await;
    let (month, second) = (30 * 86_400_000, 1_000);
    for (number, name, ahead) in [(1, "hanako", month), (2, "taro", second)] {
        let batch = site.batch(site.contract, terminal, vec![event(number, NOW.plus(ahead), ("D", name))]);
        site.store.receive(IncomingBatch { clock_offset_ms: -ahead, ..batch }).await.unwrap();
    }
    let of = async |number: u64| site.get(&admin, &format!("/punches/{terminal}/{number}")).await.text;
    assert!(of(1).await.contains("PCの時計は +30 日 ずれていました"), "{}", of(1).await);
    assert!(!of(2).await.contains("ずれていました"));
    let inbox = site.get(&admin, "/accounts").await.text;
    assert_eq!(inbox.matches("受信した日より後の日付の打刻です").count(), 1);
}
