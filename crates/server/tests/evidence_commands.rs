//! `mngntime export evidence` and `mngntime verify` as they are called: their words, how they end, and what they leave.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{Pc, Server};
use mngntime_model::EventKind;

/// A server's data directory with a few events, and a directory for what is exported.
struct Office {
    server: Server,
    out: tempfile::TempDir,
    /// Id of its one terminal, and the digest of the first event.
    terminal: String,
    first: String,
}

impl Office {
    async fn new() -> Self {
        let server = Server::start().await;
        let mut pc = Pc::enrolled(&server, 1).await;
        let events = [pc.event(EventKind::ServiceStart, None, pc.wall), pc.logon("hanako"), pc.logon("taro")];
        server.deliver(&pc.batch(&events)).await;
        // The key with which the server of these tests signs.
        let mut key = std::fs::OpenOptions::new();
        let file =
            key.write(true).create_new(true).mode(0o600).open(server.directory.path().join("server-key"));
        std::io::Write::write_all(&mut file.unwrap(), &[42; 32]).unwrap();
        let first = mngntime_ledger::Digest::of(events[0].as_bytes()).to_string();
        Self { server, out: tempfile::tempdir().unwrap(), terminal: pc.terminal, first }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.out.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.out.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn export(&self, what: &[&str], out: &str, key: &str, language: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mngntime"));
        command
            .args(["export", "evidence", "--language", language, "--data"])
            .arg(self.server.directory.path());
        command.args(what).arg("--out").arg(self.at(out)).arg("--public-key-out").arg(self.at(key));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn verify(file: &Path, key: &Path, language: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mngntime"));
    command.arg("verify").arg(file).arg("--key").arg(key).args(["--language", language]).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn has_japanese(text: &str) -> bool {
    text.chars().any(|letter| ('\u{3040}'..='\u{30ff}').contains(&letter))
}

#[tokio::test]
async fn verify_tells_what_cannot_be_read_from_what_is_no_pack() {
    let office = Office::new().await;
    assert!(office.export(&["--all"], "pack.zip", "key.pub", "ja").output().unwrap().status.success());
    for (name, bytes) in [("empty", ""), ("text", "no pack"), ("wrong.pub", "no key"), ("wav", "RIFF")] {
        std::fs::write(office.at(name), bytes).unwrap();
    }
    let pack = std::fs::read(office.at("pack.zip")).unwrap();
    std::fs::write(office.at("half.zip"), &pack[..pack.len() / 2]).unwrap();
    // As an editor of Windows saves it.
    let key = std::fs::read_to_string(office.at("key.pub")).unwrap();
    std::fs::write(office.at("bom.pub"), format!("\u{feff}{key}")).unwrap();
    // Another server's key, and the pack in the place of a key.
    std::fs::write(office.at("other.pub"), "ezwqNN1XMhxt0NHsIyWlM42VfKNhkX0YPO2w8M3q47w=\n").unwrap();
    for (file, key, status, japanese, english) in [
        ("pack.zip", "key.pub", 0, "真正", "AUTHENTIC"),
        ("empty", "key.pub", 1, "ファイルが空です", "The file is empty"),
        ("text", "key.pub", 1, "封印がありません", "no seal"),
        ("half.zip", "key.pub", 1, "封印がありません", "no seal"),
        ("pack.zip", "other.pub", 1, "指定された鍵で署名されていません", "not signed by the key"),
        (".", "key.pub", 2, "ファイルではありません", "is no file"),
        ("nothing", "key.pub", 2, "ファイルまたはフォルダーがありません", "No such file"),
        ("pack.zip", "nothing", 2, "鍵ファイル", "the key file"),
        ("pack.zip", ".", 2, "ファイルではありません", "is no file"),
        ("pack.zip", "bom.pub", 0, "真正", "AUTHENTIC"),
        ("pack.zip", "wrong.pub", 2, "公開鍵がありません", "holds no public key"),
        ("pack.zip", "pack.zip", 2, "公開鍵がありません", "holds no public key"),
        ("pack.zip", "empty", 2, "公開鍵がありません", "holds no public key"),
    ] {
        let (file, key) = (office.at(file), office.at(key));
        for (language, words) in [("ja", japanese), ("en", english)] {
            let output = verify(&file, &key, language);
            let text = said(&output);
            assert_eq!(output.status.code(), Some(status), "{} {language}: {text}", file.display());
            assert!(text.contains(words), "{words}: {text}");
            assert_eq!(has_japanese(&text), language == "ja", "{text}");
            // Status 1 says so on both streams, and status 2 says nothing about the pack.
            let proves = text.contains("何も証明しません") || text.contains("proves nothing");
            assert_eq!(proves, status == 1, "{text}");
        }
    }
}

#[tokio::test]
async fn an_export_that_fails_leaves_no_file_and_says_why_in_the_readers_language() {
    let office = Office::new().await;
    std::fs::write(office.at("taken.zip"), "something else").unwrap();
    std::fs::write(office.at("taken.pub"), "something else").unwrap();
    std::os::unix::fs::symlink(".", office.at("here")).unwrap();
    let before = office.names();
    let one = ["--employee", "E9", "--from", "2026-11-01", "--to", "2026-11-30"];
    let backwards = ["--employee", "E9", "--from", "2026-11-30", "--to", "2026-11-01"];
    let elsewhere = ["--all", "--contract", "other"];
    let font = ["--all", "--font", "/nonexistent.ttf"];
    for (what, out, key, japanese, english) in [
        (&one[..], "a.zip", "a.pub", "社員 E9 はいません", "no employee E9"),
        (&backwards[..], "a.zip", "a.pub", "--to が --from より前", "--to lies before"),
        (&elsewhere[..], "a.zip", "a.pub", "契約主 other はありません", "no contract other"),
        (&font[..], "a.zip", "a.pub", "フォント /nonexistent.ttf を読み取れません", "cannot be read"),
        (&["--all"], "taken.zip", "a.pub", "すでにあります", "exists already"),
        (&["--all"], "a.zip", "taken.pub", "別の内容があります", "holds something else"),
        (&["--all"], "a.zip", "a.zip", "同じファイル", "the same file"),
        (&["--all"], "no/a.zip", "a.pub", "--out に別の場所", "another place with --out"),
        (
            &["--all"],
            "a.zip",
            "no/a.pub",
            "--public-key-out に別の場所",
            "another place with --public-key-out",
        ),
        // The same file by another name: the pack is there already when the key is to be written.
        (&["--all"], "a.zip", "here/a.zip", "別の内容があります", "holds something else"),
    ] {
        for (language, words) in [("ja", japanese), ("en", english)] {
            let output = office.export(what, out, key, language).output().unwrap();
            let text = said(&output);
            assert_eq!(output.status.code(), Some(2), "{out} {key}: {text}");
            assert!(text.contains(words), "{words}: {text}");
            assert_eq!(has_japanese(&text), language == "ja", "{text}");
            assert_eq!(office.names(), before, "{text}");
        }
    }
    assert_eq!(std::fs::read_to_string(office.at("taken.zip")).unwrap(), "something else");
}

#[tokio::test]
async fn what_contradicts_the_log_is_not_exported_and_leaves_no_key() {
    let office = Office::new().await;
    let app = &office.server.app;
    app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await.unwrap();
    let database = rusqlite::Connection::open(office.server.directory.path().join("mngntime.db")).unwrap();
    let change = "DROP TRIGGER events_are_not_changed;
                  UPDATE events SET json = replace(json, 'taro', 'jiro') WHERE seq = 3";
    database.execute_batch(change).unwrap();
    for (language, words) in [("ja", "署名されたものと矛盾しています"), ("en", "contradicts what was signed")]
    {
        let output = office.export(&["--all"], "a.zip", "a.pub", language).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert_eq!(office.names(), [""; 0]);
    }
}

#[tokio::test]
async fn of_exports_to_one_name_at_the_same_time_one_is_there_whole() {
    let office = Office::new().await;
    let start = |_| office.export(&["--all"], "pack.zip", "key.pub", "en").spawn().unwrap();
    let running: Vec<_> = (0..4).map(start).collect();
    let ended: Vec<Output> = running.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let codes = |code| ended.iter().filter(|output| output.status.code() == Some(code)).count();
    let all: Vec<_> = ended.iter().map(said).collect();
    assert_eq!((codes(0), codes(2)), (1, 3), "{all:?}");
    assert!(!all.concat().contains("os error"), "{all:?}");
    assert_eq!(office.names(), ["key.pub", "pack.zip"]);
    let checked = verify(&office.at("pack.zip"), &office.at("key.pub"), "en");
    assert!(checked.status.success(), "{}", said(&checked));
}

#[tokio::test]
async fn dates_without_records_are_refused_with_how_to_write_them() {
    let office = Office::new().await;
    for (from, to) in [
        ("1000-01-01", "9999-12-31"),
        ("-000500-01-01", "2026-11-30"),
        ("2026-11-01", "3000-01-01"),
        ("2026-11-1", "2026-11-30"),
        ("20261101", "2026-11-30"),
    ] {
        let from = format!("--from={from}");
        let what = ["--employee", "E1", &from, "--to", to];
        let output = office.export(&what, "a.zip", "a.pub", "en").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{from} {to}: {}", said(&output));
        assert!(said(&output).contains("2026-11-01"), "{from} {to}: {}", said(&output));
        assert_eq!(office.names(), [""; 0]);
    }
}

#[tokio::test]
async fn a_server_that_never_started_has_no_key_and_the_export_says_how_to_get_one() {
    let office = Office::new().await;
    std::fs::remove_file(office.server.directory.path().join("server-key")).unwrap();
    for (language, words) in [("ja", "最初の起動"), ("en", "first start of the server makes it")] {
        let output = office.export(&["--all"], "a.zip", "a.pub", language).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert_eq!(office.names(), [""; 0]);
    }
}

/// As on a disk without room, here by the limit of a process on the size of its files.
#[tokio::test]
async fn a_full_disk_is_told_once_and_leaves_nothing() {
    let office = Office::new().await;
    // Under way before: the database must not grow here.
    assert!(office.export(&["--all"], "first.zip", "key.pub", "en").output().unwrap().status.success());
    let export = office.export(&["--all"], "a.zip", "key.pub", "en");
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]);
    limited.arg(export.get_program()).args(export.get_args());
    let output = limited.stdin(Stdio::null()).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains("ZipWriter") && !text.contains("finalize"), "{text}");
    assert_eq!(office.names(), ["first.zip", "key.pub"]);
}

#[tokio::test]
async fn what_is_wrong_with_the_log_is_told_with_what_to_do_and_not_to_try_again() {
    for (change, japanese, english) in [
        ("DELETE FROM log_heads", "先頭（head）がなくなっています", "a head of the log that was signed"),
        ("DELETE FROM log_leaves WHERE seq = 3", "ログからなくなっています", "no longer tells of it"),
        (
            "UPDATE events SET json = replace(json, 'taro', 'jiro') WHERE seq = 3",
            "署名されたものと矛盾しています",
            "contradicts what was signed",
        ),
    ] {
        let office = Office::new().await;
        let app = &office.server.app;
        app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await.unwrap();
        let database =
            rusqlite::Connection::open(office.server.directory.path().join("mngntime.db")).unwrap();
        database
            .execute_batch(
                "DROP TRIGGER events_are_not_changed; DROP TRIGGER log_leaves_are_not_deleted;
                 DROP TRIGGER log_heads_are_not_deleted",
            )
            .unwrap();
        database.execute_batch(change).unwrap();
        for (language, words, cure) in [("ja", japanese, "バックアップ"), ("en", english, "with a backup")]
        {
            let output = office.export(&["--all"], "a.zip", "a.pub", language).output().unwrap();
            let text = said(&output);
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(text.contains(words) && text.contains(cure), "{change}: {text}");
            assert!(!text.contains("try again") && !text.contains("もう一度"), "{text}");
            assert_eq!(office.names(), [""; 0]);
        }
    }
}

fn verify_with(office: &Office, file: &str, more: &[&str], language: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mngntime"));
    command.arg("verify").arg(office.at(file)).arg("--key").arg(office.at("key.pub"));
    let output = command.args(more).args(["--language", language]).output().unwrap();
    (output.status.code(), said(&output))
}

#[tokio::test]
async fn a_pack_is_held_against_an_older_one_or_against_receipts_and_says_what_came_of_it() {
    let office = Office::new().await;
    assert!(office.export(&["--all"], "old.zip", "key.pub", "ja").output().unwrap().status.success());
    assert!(office.export(&["--all"], "new.zip", "key.pub", "ja").output().unwrap().status.success());
    // A receipt of another event under the same number: as if the log had been written anew since.
    let receipt_of = |contract: &str, hash: &str| {
        let receipt = format!(
            "{{{contract}\"v\":1,\"request\":\"{0}\",\"terminal\":\"{1}\",\"received_at\":0,\"items\":[{{\"seq\":1,\"hash\":\"{hash}\",\"stored\":true}}],\"head\":1,\"spread_seconds\":0,\"contact_seconds\":60,\"display_name\":\"x\"}}",
            "0".repeat(64),
            office.terminal,
        );
        let receipt: mngntime_wire::Receipt = serde_json::from_str(&receipt).unwrap();
        let sealed =
            crate::support::seal(mngntime_wire::Context::Receipt, &receipt, office.server.app.key.as_ref());
        sealed.to_json().unwrap() + "\n"
    };
    let receipt = |hash: &str| receipt_of("", hash);
    let another = receipt_of("\"contract\":\"beta\",", &"0".repeat(64));
    std::fs::write(office.at("beta.jsonl"), &another).unwrap();
    std::fs::write(office.at("moved.jsonl"), another + &receipt(&office.first)).unwrap();
    std::fs::write(office.at("empty.jsonl"), "\n").unwrap();
    office.server.make_contract("beta", "the-key-of-beta").await;
    let beta = ["--all", "--contract", "beta"];
    assert!(office.export(&beta, "beta.zip", "key.pub", "ja").output().unwrap().status.success());
    std::fs::write(office.at("wrong.jsonl"), receipt(&"0".repeat(64))).unwrap();
    std::fs::write(office.at("right.jsonl"), receipt(&office.first) + "no receipt\n").unwrap();
    std::fs::write(office.at("none.jsonl"), "no receipt\n").unwrap();
    // As an editor of Windows saves it.
    std::fs::write(office.at("bom.jsonl"), format!("\u{feff}{}", receipt(&office.first))).unwrap();
    for (file, status, japanese, english) in [
        ("old.zip", 0, "比べたもの: イベント3件", "Compared: 3 events"),
        ("right.jsonl", 0, "このサーバーの受領証ではない行1行", "1 line(s) are no receipts"),
        (
            "bom.jsonl",
            0,
            "受領証1通を読み取りました。このサーバーの受領証ではない行0行",
            "1 receipts were read; 0 line(s)",
        ),
        ("wrong.jsonl", 1, "番号1: 内容が異なります", "event 1: the bytes are others"),
        ("moved.jsonl", 0, "別の契約主の受領証1通", "1 receipts are of another contract"),
        ("beta.jsonl", 2, "別の契約主の受領証だけがあります", "its receipts are of another contract"),
        ("beta.zip", 2, "別の契約主のものです（beta。", "it is of another contract (beta;"),
        ("empty.jsonl", 2, "受領証が1通もありません", "it holds no receipt"),
        ("none.jsonl", 2, "このサーバーの受領証のファイル", "a file of receipts of this server"),
        ("nothing", 2, "ファイルまたはフォルダーがありません", "No such file"),
    ] {
        let against = office.at(file);
        for (language, words) in [("ja", japanese), ("en", english)] {
            let more = ["--against", against.to_str().unwrap()];
            let (code, text) = verify_with(&office, "new.zip", &more, language);
            assert_eq!(code, Some(status), "{file}: {text}");
            assert!(text.contains(words), "{words}: {text}");
            assert_eq!(has_japanese(&text), language == "ja", "{text}");
            let contradicted = text.starts_with("矛盾あり") || text.starts_with("CONTRADICTED");
            assert_eq!(contradicted, status == 1, "{text}");
        }
    }
    let bytes = std::fs::read(office.at("old.zip")).unwrap();
    std::fs::write(office.at("half.zip"), &bytes[..bytes.len() / 2]).unwrap();
    let half = office.at("half.zip");
    let (code, text) = verify_with(&office, "new.zip", &["--against", half.to_str().unwrap()], "en");
    assert!(code == Some(2) && text.contains("cannot be compared with"), "{code:?}: {text}");
}

#[tokio::test]
async fn what_was_verified_is_printed_punch_by_punch() {
    let office = Office::new().await;
    assert!(office.export(&["--all"], "pack.zip", "key.pub", "ja").output().unwrap().status.success());
    let (code, text) = verify_with(&office, "pack.zip", &["--print"], "ja");
    let punches: Vec<_> = text.lines().filter(|line| line.contains(" ログオン ")).collect();
    assert_eq!((code, punches.len()), (Some(0), 2), "{text}");
    // Nobody has linked the account.
    let result = "res=7 このユーザーは使えません";
    let parts = ["2026-11-23 09:00", "番号2", "hanako", result, "署名あり", "受信 2026-11-23 09:00"];
    assert!(parts.iter().all(|part| punches[0].contains(part)), "{text}");
    let (_, text) = verify_with(&office, "pack.zip", &[], "ja");
    assert!(!text.contains(" ログオン "), "{text}");
}

/// Whoever has the server's key signs any month into a receipt, and the first line names the months: what is none is no receipt.
#[tokio::test]
async fn a_month_in_a_receipt_writes_no_first_line_of_its_own() {
    let office = Office::new().await;
    assert!(office.export(&["--all"], "pack.zip", "key.pub", "ja").output().unwrap().status.success());
    let receipt = |month: &str| {
        let receipt = serde_json::json!({
            "v": 1, "contract": "demo", "request": "0".repeat(64), "terminal": office.terminal, "received_at": 0,
            "items": [], "head": 1, "spread_seconds": 0, "contact_seconds": 60, "display_name": "x",
            "log": { "month": month, "size": 978, "root": "0".repeat(64) },
        });
        let receipt: mngntime_wire::Receipt = serde_json::from_value(receipt).unwrap();
        let key = office.server.app.key.as_ref();
        crate::support::seal(mngntime_wire::Context::Receipt, &receipt, key).to_json().unwrap() + "\n"
    };
    let forged = receipt("2028-12\u{1b}[2K\r真正");
    let file = office.at("forged.jsonl");
    for language in ["ja", "en"] {
        let verify = || verify_with(&office, "pack.zip", &["--against", file.to_str().unwrap()], language);
        std::fs::write(&file, &forged).unwrap();
        let (code, alone) = verify();
        std::fs::write(&file, receipt("2027-01") + &forged).unwrap();
        let (_, text) = verify();
        let first = text.lines().next().unwrap();
        assert!(code == Some(2) && first.contains("2027-01") && first.contains("978"), "{alone}{text}");
        for text in [alone, text] {
            assert!(!text.contains("2028-12"), "{text:?}");
            assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
        }
    }
}

#[tokio::test]
async fn the_name_of_a_pack_writes_no_line_of_its_own() {
    let office = Office::new().await;
    let output = office.export(&["--all"], "a\npack=b\u{202e}.zip", "key.pub", "en").output().unwrap();
    let (out, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}{errors}");
    assert!(out.lines().count() == 1 && out.contains("a⟨U+000A⟩pack=b⟨U+202E⟩.zip terminals="), "{out}");
    assert!(!errors.contains('\u{202e}'), "{errors}");
}

#[tokio::test]
async fn punches_of_other_days_that_are_shown_are_marked() {
    let office = Office::new().await;
    office.server.link("hanako", "E1").await;
    let of = |day: &'static str| ["--employee", "E1", "--from", day, "--to", day];
    for (day, name, marked) in [("2026-11-23", "own.zip", false), ("2026-11-24", "next.zip", true)] {
        let output = office.export(&of(day), name, "key.pub", "en").output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let (code, text) = verify_with(&office, name, &["--print"], "en");
        let punches: Vec<_> = text.lines().filter(|line| line.contains(" logon ")).collect();
        assert!(code == Some(0) && !punches.is_empty(), "{text}");
        let are_marked = punches.iter().all(|line| line.contains("outside of the dates that were asked for"));
        assert_eq!(are_marked, marked, "{text}");
        // Linked since: the newest result counts.
        assert!(punches.iter().all(|line| line.contains("Punch accepted, ")), "{text}");
    }
}

#[tokio::test]
async fn an_export_says_which_times_do_not_fit_the_log() {
    let office = Office::new().await;
    office.server.link("hanako", "E1").await;
    let export = |name| office.export(&["--all"], name, "key.pub", "ja").output().unwrap();
    let (before, _) = (export("before.zip"), crate::against::add_backdated_link(&office.server, "taro"));
    assert!(before.status.success() && !said(&before).contains("注意"), "{}", said(&before));
    let after = export("after.zip");
    assert!(after.status.success() && said(&after).contains("注意: 監査記録"), "{}", said(&after));
}
