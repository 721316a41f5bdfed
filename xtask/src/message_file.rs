//! The message file of Windows' event log: `MngnTimeMsg1.dll`, nothing but texts.
//!
//! It is made from the agent's own table, so that it cannot differ from what the agent writes. windmc and
//! windres (Debian: binutils-mingw-w64-x86-64) turn the table into a resource, gcc into a DLL without code.
//!
//! What windmc wants, found by trying: UTF-8 without a byte order mark, lines that end with CR LF (they go
//! into the messages), facilities and severities named even if they are zero.
//!
//! The name carries a number: viewers keep the file open, so a later version of it that a running viewer must
//! not lock gets another name. Ids are never removed: old events must stay readable.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use mngntime_agent_core::MessageId;
use mngntime_model::Language;

/// The DLL's name; also in `registration.rs` of the agent and in the MSI.
pub const NAME: &str = "MngnTimeMsg1.dll";
const WINDMC: &str = "x86_64-w64-mingw32-windmc";
const WINDRES: &str = "x86_64-w64-mingw32-windres";
const GCC: &str = "x86_64-w64-mingw32-gcc";

/// Builds the message file in `folder`.
///
/// # Errors
/// When a tool is missing or refuses.
pub fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let work = folder.join("message-file");
    fs::create_dir_all(&work).with_context(|| format!("create {}", work.display()))?;
    let source = work.join("messages.mc");
    fs::write(&source, source_text()).with_context(|| format!("write {}", source.display()))?;
    run(&work, WINDMC, &["-C", "65001", "-U", "-h", ".", "-r", ".", "messages.mc"])?;
    let resource = work.join("messages.rc");
    let texts = fs::read_to_string(&resource).with_context(|| format!("read {}", resource.display()))?;
    fs::write(&resource, texts + &version_resource(env!("CARGO_PKG_VERSION"))?)
        .with_context(|| format!("write {}", resource.display()))?;
    run(&work, WINDRES, &["messages.rc", "-O", "coff", "-o", "messages.o"])?;
    let flags = ["-shared", "-nostdlib", "-s", "-Wl,--entry,0", "-Wl,--no-insert-timestamp"];
    run(&work, GCC, &[&flags[..], &["-o", NAME, "messages.o"]].concat())?;
    let file = folder.join(NAME);
    fs::copy(work.join(NAME), &file).with_context(|| format!("copy {NAME} to {}", folder.display()))?;
    fs::remove_dir_all(&work).with_context(|| format!("remove {}", work.display()))?;
    Ok(file)
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .status()
        .with_context(|| format!("start {program} (Debian: binutils-mingw-w64-x86-64)"))?;
    ensure!(status.success(), "{program} {} failed", arguments.join(" "));
    Ok(())
}

/// Windows Installer replaces an installed file only by one with a higher version.
fn version_resource(version: &str) -> anyhow::Result<String> {
    let numbers: Vec<&str> = version.split('.').collect();
    ensure!(numbers.len() == 3, "the version {version} is not three numbers");
    let comma = numbers.join(",");
    Ok(format!(
        "\n1 VERSIONINFO\nFILEVERSION {comma},0\nPRODUCTVERSION {comma},0\nBEGIN\n\
         BLOCK \"StringFileInfo\"\nBEGIN\nBLOCK \"040904b0\"\nBEGIN\n\
         VALUE \"FileDescription\", \"MngnTime event log messages\"\n\
         VALUE \"FileVersion\", \"{version}\"\nVALUE \"ProductName\", \"MngnTime\"\n\
         VALUE \"ProductVersion\", \"{version}\"\nEND\nEND\n\
         BLOCK \"VarFileInfo\"\nBEGIN\nVALUE \"Translation\", 0x409, 1200\nEND\nEND\n"
    ))
}

/// The table in windmc's language.
fn source_text() -> String {
    let mut text = String::from(
        "MessageIdTypedef=DWORD\n\
         SeverityNames=(Plain=0x0)\n\
         FacilityNames=(MngnTime=0x0)\n\
         LanguageNames=(Japanese=0x411:MSG00411)\n\
         LanguageNames=(English=0x409:MSG00409)\n\n",
    );
    for id in MessageId::ALL {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "MessageId={number}\nSymbolicName=MNGNTIME_{number}\nSeverity=Plain\nFacility=MngnTime\n\
             Language=Japanese\n{}\n.\nLanguage=English\n{}\n.\n\n",
            id.template(Language::Japanese),
            id.template(Language::English),
            number = id.number(),
        );
    }
    text.replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_the_source_in_both_languages() {
        let text = source_text();
        for id in MessageId::ALL {
            assert!(text.contains(&format!("MessageId={}\r\n", id.number())));
            for language in [Language::Japanese, Language::English] {
                assert!(text.contains(&format!("\r\n{}\r\n.\r\n", id.template(language))), "{id:?}");
            }
        }
    }

    #[test]
    fn every_event_id_has_a_page_with_its_texts() {
        let folder = crate::process::root().join("docs/events");
        let index = fs::read_to_string(folder.join("README.md")).unwrap();
        for id in MessageId::ALL {
            let page = fs::read_to_string(folder.join(format!("{}.md", id.number()))).unwrap();
            for language in [Language::Japanese, Language::English] {
                assert!(page.contains(&format!("\n> {}\n", id.template(language))), "{id:?} {language:?}");
            }
            let parts = ["**意味**", "**原因**", "**対応**", "**Meaning**", "**Cause**", "**Who does what**"];
            assert!(parts.iter().all(|part| page.contains(part)), "{id:?}");
            assert!(index.contains(&format!("]({}.md)", id.number())), "{id:?} is not in the index");
        }
        let pages = fs::read_dir(folder).unwrap().count();
        assert_eq!(pages, MessageId::ALL.len() + 1, "a page of an id that does not exist");
    }

    /// Every message of the original's table (`seed.txt`, メッセージ一覧), and its start-up lines.
    const SEED: &[&str] = &[
        "LOGON/LOGOFF監視を開始しました。",
        "LOGON[-]:現在ログオン中のユーザーはいません。",
        "打刻完了",
        "この契約主コードは使えません。",
        "この端末は使えません。",
        "このユーザーは使えません。",
        "サーバーエラーです。",
        "接続しました。",
        "ステータスが不正です。",
        "MINAGINEサーバー内部エラーです。HTTPステータスコード:",
        "端末がネットワークに接続されていません。LANケーブルが抜けていないか、Wi-FiがOFFになっていないか確認してください。打刻処理は実行されていません。",
        "端末がローカルネットワークに接続されていますが、インターネットには接続されていません。ネットワークの経路状況を確認してください。",
        "ネットワークエラーです。HTTPステータスコード:",
    ];

    #[test]
    fn the_troubleshooting_guides_cover_every_message_of_the_original() {
        for language in ["ja", "en"] {
            let path = format!("packaging/windows/guides/troubleshooting.{language}.md");
            let guide = fs::read_to_string(crate::process::root().join(&path)).unwrap();
            for message in SEED {
                assert!(guide.contains(message), "{path} says nothing about {message}");
            }
            for res in [5, 6, 7, 9] {
                assert!(guide.contains(&format!("| {res} |")), "{path} has no row for res={res}");
            }
        }
    }
}
