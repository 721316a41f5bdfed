//! What closing a month asks of the pages: who had joined and left, where to look, and a file of what they say.

use super::*;
use mngntime_store::Employee;

/// The one employee, with the dates of employment.
async fn employed(site: &Site, from: Option<&str>, to: Option<&str>) -> Employee {
    let one = site.store.list_employees(site.contract.into(), None, 9).await.unwrap().remove(0);
    let [active_from, active_to] = [from, to].map(|date| date.map(|date| date.parse().unwrap()));
    let data = NewEmployee { active_from, active_to, ..one.data.clone() };
    site.store.change_employee(site.contract, one.id, data, Act::server(NOW)).await.unwrap();
    one
}

/// The row of a date in a month.
fn row(page: &str, date: &str) -> String {
    let row = page.split(&format!("{date}\"><span class=\"sr\">")).nth(1).unwrap();
    row.split("</tr>").next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_recorded_after_somebody_has_left_is_no_day_of_theirs() {
    let (site, cookie, _) = office().await;
    employed(&site, Some("2026-06-05"), Some("2026-06-15")).await;
    let account = site.store.list_accounts(site.contract.into(), AccountFilter::All, 2).await.unwrap()[0].id;
    let month = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-06").await.text;
    let punches = |date: &str| format!("/punches?account={account}&#38;from={date}&#38;to={date}");
    for date in ["2026-06-16", "2026-06-17"] {
        let row = row(&month, date);
        assert!(row.contains("status--outside") && row.contains("</svg>退職後の記録</span>"), "{row}");
        assert!(row.contains(&format!("href=\"{}\">打刻は res=7</a>", punches(date))), "{row}");
        let day = site.get(&cookie, &format!("/days/E%201%2F7/{date}")).await.text;
        assert!(day.contains("退職後の記録") && day.contains(&punches(date)), "{day}");
        let list = site.get(&cookie, &punches(date).replace("&#38;", "&")).await.text;
        assert!(list.contains("期間外") && list.contains("hanako"), "the link leads to the punch: {list}");
    }
    assert!(!month.contains("status--ok") && month.contains("ログオンの記録がある日 0日"), "{month}");
    let state = |date: &str| row(&month, date).split("status--").nth(1).unwrap().to_owned();
    assert!(state("2026-06-04").starts_with("joining") && state("2026-06-04").contains("入社前"));
    assert!(state("2026-06-05").starts_with("before"), "employed and linked, and the PC was not there yet");
    assert!(state("2026-06-18").starts_with("left"), "a day to come, on which they are not here any more");
    // Who sees their own people only has no way to punches of nobody; the person neither.
    let approver = approver(&site).await;
    let own = hanako_herself(&site).await;
    for (who, address) in
        [(&approver, "/days?employee=E+1%2F7&month=2026-06"), (&own, "/me/days?month=2026-06")]
    {
        let page = site.get(who, address).await.text;
        assert!(
            page.contains("<span class=\"tag\">打刻は res=7</span>") && !page.contains("/punches?"),
            "{page}"
        );
    }
    assert!(!site.get(&own, "/me?month=2026-06").await.text.contains("datetime=\"2026-06-16\""));
}

#[tokio::test]
async fn what_is_recorded_before_somebody_has_joined_is_no_day_of_theirs() {
    let (site, cookie, _) = office().await;
    employed(&site, Some("2026-06-17"), None).await;
    let month = site.get(&cookie, "/days?employee=E+1%2F7&month=2026-06").await.text;
    let before = row(&month, "2026-06-16");
    assert!(before.contains("</svg>入社前の記録</span>") && before.contains("打刻は res=7"), "{before}");
    assert!(!row(&month, "2026-06-17").contains("status--outside"), "{month}");
    let day = site.get(&cookie, "/days/E%201%2F7/2026-06-10").await.text;
    assert!(day.contains("入社日より前です。") && day.contains("status--joining"), "{day}");
}
