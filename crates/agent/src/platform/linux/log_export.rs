//! The agent's own lines of the systemd journal, copied for support by `journalctl`.
//!
//! Nothing else is taken: logind's lines about sleep and shutdown stand between lines that name everybody who
//! logged on, and no filter of journalctl tells them apart. When the PC ran is in the list of boots.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mngntime_model::{Language, UtcMillis};

use crate::platform::{ByHand, ExportProblem, ExportedPart};

const PROGRAM: &str = "journalctl";
/// Under which name the agent writes (`Notices::open`).
const IDENTIFIER: &str = "MngnTime";
/// Newest lines that are taken: at a hundred a day more than a year.
const LINES_MAX: usize = 50_000;
/// Longest output that is taken, in bytes.
const OUTPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A journal of many gigabytes on an old disk is searched in less.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Writes `journal.txt` and `journal-boots.txt` into `folder`. The journal has one language, the agent's.
pub fn export_os_logs(since: UtcMillis, _language: Language, folder: &Path) -> Vec<ExportedPart> {
    export_with(PROGRAM, since, folder)
}

fn export_with(program: &str, since: UtcMillis, folder: &Path) -> Vec<ExportedPart> {
    let since = format!("--since=@{}", since.0.div_euclid(1000));
    let lines = format!("--lines={LINES_MAX}");
    let identifier = format!("--identifier={IDENTIFIER}");
    let journal = ["--output=short-iso-precise", &identifier, &since, &lines];
    let mut parts = export(program, &journal, "journal.txt", folder);
    parts.extend(export(program, &["--list-boots"], "journal-boots.txt", folder));
    parts
}

fn export(program: &str, arguments: &[&str], part: &str, folder: &Path) -> Vec<ExportedPart> {
    let problem = |why: String| {
        ExportedPart::Problem(ExportProblem { part: part.to_owned(), why, by_hand: ByHand::Journalctl })
    };
    let output = match run(program, arguments, TIME_MAX) {
        Ok(output) => output,
        Err(error) => return vec![problem(format!("{error:#}"))],
    };
    let mut parts = Vec::new();
    if !output.text.is_empty() {
        parts.push(match std::fs::write(folder.join(part), &output.text) {
            Ok(()) => ExportedPart::File(part.to_owned()),
            Err(error) => problem(format!("cannot write it to {}: {error}", folder.display())),
        });
    }
    // With whatever it says there (rights that are missing, damaged files), the text is not all there is.
    if !output.status.success() || !output.complaint.is_empty() {
        let ended = if output.status.success() { String::new() } else { format!(" ({})", output.status) };
        parts.push(problem(format!("{program} says{ended}: {}", output.complaint)));
    }
    parts
}

struct Output {
    text: Vec<u8>,
    /// What it said on standard error.
    complaint: String,
    status: ExitStatus,
}

fn run(program: &str, arguments: &[&str], time_max: Duration) -> anyhow::Result<Output> {
    let mut child = Command::new(program)
        .arg("--no-pager")
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let texts = (drain(child.stdout.take()), drain(child.stderr.take()));
    let read = finish(program, &texts, time_max);
    if read.is_err() {
        // It may still run, or write into a pipe that nobody empties.
        let _ = child.kill();
    }
    let status = child.wait().with_context(|| format!("cannot wait for {program}"))?;
    let (text, complaint) = read?;
    let complaint = String::from_utf8_lossy(&complaint).trim().replace('\n', "; ");
    Ok(Output { text, complaint, status })
}

type Drained = Receiver<std::io::Result<Vec<u8>>>;

/// Both texts, once both pipes are closed.
fn finish(
    program: &str,
    (text, complaint): &(Drained, Drained),
    time_max: Duration,
) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let deadline = Instant::now() + time_max;
    let take = |pipe: &Drained| {
        let left = deadline.saturating_duration_since(Instant::now());
        let read =
            pipe.recv_timeout(left).with_context(|| format!("{program} did not end in {time_max:?}"))?;
        read.with_context(|| format!("cannot read what {program} says"))
    };
    let text = take(text)?;
    if text.len() as u64 > OUTPUT_BYTES_MAX {
        bail!("{program} says more than {OUTPUT_BYTES_MAX} bytes");
    }
    Ok((text, take(complaint)?))
}

/// Empties a pipe on a thread of its own, up to one byte beyond the limit.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Drained {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map_or(Ok(0), |pipe| pipe.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes));
        // Nobody waits any more when the time is over.
        let _ = sender.send(read.map(|_| bytes));
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A journalctl that runs `script`.
    fn program(folder: &Path, script: &str) -> String {
        let path = folder.join("journalctl");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    fn export(script: &str) -> (tempfile::TempDir, Vec<ExportedPart>) {
        let temp = tempfile::tempdir().unwrap();
        let program = program(temp.path(), script);
        let parts = export_with(&program, UtcMillis(1_790_000_000_123), temp.path());
        (temp, parts)
    }

    #[test]
    fn only_our_own_lines_are_asked_for() {
        let (temp, parts) = export("echo \"$@\"");
        let files = ["journal.txt", "journal-boots.txt"].map(|name| ExportedPart::File(name.to_owned()));
        assert_eq!(parts, files);
        let asked = fs::read_to_string(temp.path().join("journal.txt")).unwrap();
        assert_eq!(
            asked,
            "--no-pager --output=short-iso-precise --identifier=MngnTime --since=@1790000000 --lines=50000\n"
        );
        let boots = fs::read_to_string(temp.path().join("journal-boots.txt")).unwrap();
        assert_eq!(boots, "--no-pager --list-boots\n");
    }

    #[test]
    fn without_journalctl_both_parts_are_told() {
        let temp = tempfile::tempdir().unwrap();
        let parts = export_with("/nonexistent/journalctl", UtcMillis(0), temp.path());
        let [ExportedPart::Problem(journal), ExportedPart::Problem(boots)] = parts.as_slice() else {
            panic!("{parts:?}")
        };
        assert_eq!((journal.part.as_str(), boots.part.as_str()), ("journal.txt", "journal-boots.txt"));
        assert!(journal.why.contains("cannot run /nonexistent/journalctl"), "{}", journal.why);
        assert_eq!(journal.by_hand, ByHand::Journalctl);
    }

    #[test]
    fn what_it_complains_about_is_told_and_what_it_says_is_kept() {
        let (_temp, parts) = export("echo some; echo 'Hint: not all' >&2; exit 1");
        assert_eq!(parts[0], ExportedPart::File("journal.txt".to_owned()));
        let ExportedPart::Problem(problem) = &parts[1] else { panic!("{parts:?}") };
        assert!(problem.why.contains("says (exit status: 1): Hint: not all"), "{}", problem.why);
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let temp = tempfile::tempdir().unwrap();
        let program = program(temp.path(), "echo begun; exec sleep 600");
        let began = Instant::now();
        let error = run(&program, &[], Duration::from_millis(50)).err().unwrap();
        assert!(error.to_string().contains("did not end in 50ms"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(300), "it was waited for");
    }
}
