//! `summary.pdf` as a reader sees it: its text is read back by another program (poppler).

use std::io::Read as _;
use std::process::Command;

use crate::support::{NOW, Pc, Server};
use mngntime_model::{Bounds, EventKind, UtcMillis};
use mngntime_server::evidence::lettering::FontFile;
use mngntime_server::evidence::pack;
use mngntime_server::evidence::record::Request;
use mngntime_store::{AccountFilter, EmployeeChoice, LinkRequest, NewEmployee};
use mngntime_wire::EncodedEvent;

const MINUTE_MS: i64 = 60_000;

impl Server {
    async fn link_hanako(&self, from: jiff::civil::Date) {
        let accounts =
            self.app.store.list_accounts(self.contract.into(), AccountFilter::All, 100).await.unwrap();
        let account = accounts.iter().find(|found| found.name == "hanako").unwrap().id;
        let employee = NewEmployee {
            code: "E1".into(),
            name: "佐藤 花子".into(),
            kana: None,
            department: None,
            active_from: None,
            active_to: None,
        };
        let request = LinkRequest { account, employee: EmployeeChoice::New(employee), from, to: None };
        self.app.store.link_accounts(self.contract, vec![request], self.act()).await.unwrap();
    }

    /// The summary's text, and that without any space: where a cell goes on in the next line, poppler has a line's end.
    async fn summary(&self, employee: Option<&str>) -> (String, String) {
        self.app.log_heads.sign_all(&*self.app.store, &self.app.key, || self.app.now()).await.unwrap();
        let day = jiff::civil::date(2026, 11, 23);
        let request = Request {
            contract: self.app.store.contract("demo").await.unwrap().unwrap(),
            employee: employee.map(str::to_owned),
            dates: employee.map(|_| (day, day)),
            server_key: self.app.key.public().to_string(),
            made_at: self.app.now(),
        };
        let directory = tempfile::tempdir().unwrap();
        let (path, pdf) = (directory.path().join("pack.zip"), directory.path().join("summary.pdf"));
        let font = FontFile::read(None).unwrap();
        let finished = pack::make(&*self.app.store, &request, &self.app.key, &font, &path).await.unwrap();
        finished.publish().unwrap();
        let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        let mut bytes = Vec::new();
        archive.by_name("summary.pdf").unwrap().read_to_end(&mut bytes).unwrap();
        std::fs::write(&pdf, bytes).unwrap();
        let read = Command::new("pdftotext").args(["-raw", "-enc", "UTF-8"]).arg(&pdf).arg("-").output();
        let read = read.expect("pdftotext (Debian: apt install poppler-utils)");
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let text = String::from_utf8(read.stdout).unwrap();
        let dense = text.split_whitespace().collect();
        (text, dense)
    }
}

/// The agent says, when it is back, that it was away.
fn absent(pc: &mut Pc, from: UtcMillis, to: UtcMillis) -> String {
    pc.wall = to;
    let mut gap = EncodedEvent::decode(&pc.event(EventKind::Gap, None, to)).unwrap();
    (gap.event.bounds, gap.event.session) = (Some(Bounds::between(from, to)), None);
    gap.event.cause = Some("agent_absent".to_owned());
    let encoded = EncodedEvent::encode(gap.event, gap.previous).unwrap();
    pc.previous = encoded.digest;
    encoded.json
}

/// 花子 and Taro share a PC whose agent was away `absences` times, three minutes in every ten.
async fn office(absences: i64) -> Server {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let mut events = vec![pc.event(EventKind::ServiceStart, None, NOW), pc.logon("hanako"), pc.logon("taro")];
    for absence in 0..absences {
        let from = NOW.plus((10 * absence + 5) * MINUTE_MS);
        events.push(absent(&mut pc, from, from.plus(3 * MINUTE_MS)));
    }
    server.pass(10 * 60 * MINUTE_MS);
    pc.wall = server.app.now();
    events.push(pc.event(EventKind::Logoff, Some("hanako"), pc.wall));
    for events in events.chunks(50) {
        server.deliver(&pc.batch(events)).await;
    }
    server.link_hanako(jiff::civil::date(2026, 1, 1)).await;
    server
}

#[tokio::test]
async fn the_summary_says_in_japanese_whom_it_is_about_and_how_many_events_are_hidden() {
    let server = office(0).await;
    let (text, dense) = server.summary(Some("E1")).await;
    for word in
        ["打刻記録証拠要約", "社員:E1佐藤花子", "期間:2026-11-23～2026-11-23", "アカウントの関連付け（履歴）"]
    {
        assert!(dense.contains(word), "{word}: {text}");
    }
    assert!(dense.contains("内容を示さないイベント:1件"), "Taro's logon: {text}");
    let row = text.lines().find(|line| line.starts_with("PC-0231 ")).expect("the terminal's row");
    assert!(row.starts_with("PC-0231 3 1 0 "), "shown, hidden, missing: {row}");
    assert!(dense.contains(&server.app.key.public().to_string()), "{text}");
    let (text, dense) = server.summary(None).await;
    assert!(dense.contains("対象:契約主の全端末・全社員") && !dense.contains("内容を示さない"), "{text}");
}

#[tokio::test]
async fn a_day_without_a_link_is_no_day_without_work_and_what_waited_is_called_that() {
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = vec![pc.event(EventKind::ServiceStart, None, NOW), pc.logon("hanako")];
    server.deliver(&pc.batch_with(&events, true)).await;
    server.link_hanako(jiff::civil::date(2026, 11, 23)).await;
    let (text, dense) = server.summary(Some("E1")).await;
    assert!(dense.contains("再送") && !dense.contains("即時") && !dense.contains("対象外"), "{text}");
    let server = Server::start().await;
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon("hanako")];
    server.deliver(&pc.batch(&events)).await;
    server.link_hanako(jiff::civil::date(2026, 11, 24)).await;
    let (text, dense) = server.summary(Some("E1")).await;
    assert!(dense.contains("PC-0231対象外この日にはアカウントの関連付けがなく"), "{text}");
}

#[tokio::test]
async fn every_reason_of_a_bad_day_is_shown_whole() {
    let (text, dense) = office(8).await.summary(Some("E1")).await;
    for absence in 0..8_i64 {
        let minute = 10 * absence + 5;
        let (hour, begins, ends) = (9 + minute / 60, minute % 60, minute % 60 + 3);
        let part = format!("{hour:02}:{begins:02}〜{hour:02}:{ends:02}エージェント停止");
        assert!(dense.contains(&part), "{part}: {text}");
    }
    assert!(!text.contains('…'), "nothing is cut off: {text}");
}

#[tokio::test]
async fn of_too_many_reasons_the_summary_says_how_many_more_there_are() {
    let (text, dense) = office(50).await.summary(Some("E1")).await;
    // Before the first start nobody watched: that is the first of 51, of which 40 are named; after the last contact
    // the day ends.
    assert!(dense.contains("ほか11件はrecord.jsonlにあります"), "{text}");
}
