//! The message file `MngnTimeMsg1.dll`: the texts of the event log's lines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// Its name.
const FILE: &str = "MngnTimeMsg1.dll";

/// Two ids, each "the insert and nothing else".
const SOURCE: &str = "MessageIdTypedef=DWORD\r\nLanguageNames=(English=0x409:MSG00409)\r\nLanguageNames=(Japanese=0x411:MSG00411)\r\n\r\nMessageId=1\r\nSymbolicName=INFORMATION\r\nLanguage=English\r\n%1\r\n.\r\nLanguage=Japanese\r\n%1\r\n.\r\n\r\nMessageId=2\r\nSymbolicName=WARNING\r\nLanguage=English\r\n%1\r\n.\r\nLanguage=Japanese\r\n%1\r\n.\r\n";

/// Builds the message file in `folder`.
///
/// # Errors
/// When a tool fails.
pub fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let folder = folder.canonicalize().with_context(|| format!("find {}", folder.display()))?;
    let work = folder.join("message-file");
    fs::create_dir_all(&work).context("create a folder for the message file")?;
    fs::write(work.join("messages.mc"), SOURCE).context("write messages.mc")?;
    let file = folder.join(FILE);
    run(&work, "x86_64-w64-mingw32-windmc", &["-C", "65001", "-U", "messages.mc"])?;
    run(&work, "x86_64-w64-mingw32-windres", &["messages.rc", "messages.o"])?;
    let output = file.to_str().context("a path that is no UTF-8")?;
    run(
        &work,
        "x86_64-w64-mingw32-gcc",
        &["-s", "-shared", "-nostdlib", "-Wl,--entry=0,--no-insert-timestamp", "-o", output, "messages.o"],
    )?;
    fs::remove_dir_all(&work).context("remove the message file's folder")?;
    Ok(file)
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program).args(arguments).current_dir(folder).status();
    ensure!(status.with_context(|| format!("start {program}"))?.success(), "{program} failed");
    Ok(())
}
