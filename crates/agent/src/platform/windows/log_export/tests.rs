//! Queries and rows; what Wine lacks is told. Real logs are read on a real Windows only.

use super::*;

/// 2026-11-01T00:00:00Z.
const SINCE: UtcMillis = UtcMillis(1_793_491_200_000);

#[test]
fn only_our_source_is_taken_from_application() {
    assert_eq!(
        query(WindowsLog::Application, SINCE),
        "<QueryList><Query Id=\"0\" Path=\"Application\"><Select Path=\"Application\">*[System[Provider[@Name='MngnTime'] and TimeCreated[@SystemTime&gt;='2026-11-01T00:00:00.000Z']]]</Select></Query></QueryList>"
    );
}

#[test]
fn from_system_only_the_pcs_own_and_our_services_events_are_taken() {
    let query = query(WindowsLog::System, SINCE);
    assert!(query.contains("*[System[Provider[@Name='EventLog'] and (EventID=6005 or EventID=6006 or EventID=6008 or EventID=6009 or EventID=6013) and TimeCreated["), "{query}");
    let service = "*[System[Provider[@Name='Service Control Manager'] and (EventID=7031 or EventID=7034 or EventID=7036 or EventID=7040) and TimeCreated[@SystemTime&gt;='2026-11-01T00:00:00.000Z']] and EventData[Data[@Name='param1']='MngnTimeCliSvc']]</Select>";
    assert!(query.contains(service), "{query}");
    let selects: Vec<&str> = query.split("<Select").skip(1).collect();
    assert_eq!(selects.len(), SYSTEM_EVENTS.len() + 4);
    for select in selects {
        assert_eq!(select.matches('[').count(), select.matches(']').count(), "{select}");
        assert!(select.contains("TimeCreated") && select.contains("EventID="), "{select}");
        assert!(!select.contains("Service Control") || select.contains("EventData[Data["), "{select}");
    }
}

#[test]
fn a_row_has_event_viewers_columns() {
    let values = SystemValues {
        provider: "MngnTime".to_owned(),
        event_id: 300,
        level: 2,
        task: 0,
        time: 134_000_000_000_000_000,
    };
    let words =
        Words { level: None, task: None, message: "LOGON[A\\b]:打刻失敗\r\n二行目\r\n".to_owned() };
    let row = row(&values, &words, Language::Japanese);
    let fields: Vec<&str> = row.split('\t').collect();
    assert_eq!(fields[0], "エラー");
    assert!(fields[1].starts_with("2025/08/1") && fields[1].len() >= 18, "{}", fields[1]);
    assert_eq!(fields[2..], ["MngnTime", "300", "なし", "\"LOGON[A\\b]:打刻失敗\n二行目\"\n"]);
    assert_eq!(header(Language::Japanese).matches('\t').count() + 1, fields.len() - 1);
}

/// Wine answers the functions with failure; each part is then told with the way to get it by hand.
#[test]
fn what_this_windows_cannot_export_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let parts = export_os_logs(SINCE, Language::Japanese, folder.path());
    for name in ["Application.evtx", "Application.txt", "System.evtx", "System.txt"] {
        let part = parts.iter().find(|part| match part {
            ExportedPart::File(file) => file == name,
            ExportedPart::Problem(problem) => problem.part == name,
        });
        match part.unwrap() {
            ExportedPart::File(file) => assert!(folder.path().join(file).is_file(), "{file}"),
            ExportedPart::Problem(problem) => {
                assert!(!problem.why.is_empty(), "{problem:?}");
                assert!(matches!(problem.by_hand, ByHand::EventViewer(_)), "{problem:?}");
                assert!(!folder.path().join(name).exists(), "{name} is said to be missing");
            }
        }
    }
}
