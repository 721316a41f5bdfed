//! `mngntime backup` beside a real server under load, on a disk that is full, and killed at its work.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::server::{Server, mngntime};
use mngntime_e2e::soak;
use mngntime_e2e::stored::Stored;
use mngntime_e2e::strace::{Injection, injected};
use mngntime_e2e::terminal::{Sent, Terminal};
use mngntime_e2e::tmpfs::{Tmpfs, fill, private_directory};

fn backup(server: &Server, out: &Path) -> Result<Command> {
    let mut command = Command::new(mngntime()?);
    command.args(["backup", "--language", "en", "--data"]).arg(server.data()).arg("--out").arg(out);
    Ok(command)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

fn run(mut command: Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", said(&output));
    Ok(said(&output))
}

fn verify(backup: &Path) -> Result<String> {
    let mut command = Command::new(mngntime()?);
    command.args(["backup", "--verify"]).arg(backup);
    run(command)
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(directory)?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn open(directory: &Path) -> Result<(Server, Vec<Terminal>)> {
    let mut server = Server::create(&directory.join("server"), false)?;
    server.start()?;
    let terminals = (1..=4).map(|seed| Terminal::enroll(&server, seed)).collect::<Result<_>>()?;
    Ok((server, terminals))
}

/// What one terminal held receipts for at each moment when a backup began.
type Marks = Vec<usize>;

/// Four terminals send without a pause while backups are made. Each backup, put into a server of its own, holds
/// every event whose receipt was there before it began; and the last one goes on where it stopped.
#[test]
fn backups_under_load_lose_nothing_that_had_a_receipt_when_they_began() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let (mut server, terminals) = open(&path)?;
    let rounds = 3 * soak();
    let stop = AtomicBool::new(false);
    let marks: Vec<AtomicUsize> = terminals.iter().map(|_| AtomicUsize::default()).collect();
    let (mut terminals, taken) = std::thread::scope(|scope| -> Result<_> {
        let (stop, marks) = (&stop, &marks);
        let sending: Vec<_> = terminals
            .into_iter()
            .zip(marks)
            .map(|(terminal, mark)| scope.spawn(move || send_until(terminal, stop, mark)))
            .collect();
        let taken = (0..rounds).map(|round| take(&server, &path, round, marks)).collect::<Result<Vec<_>>>();
        stop.store(true, Ordering::Relaxed);
        let joined = |sender: ScopedJoinHandle<'_, Result<Terminal>>| match sender.join() {
            Ok(terminal) => terminal,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let terminals = sending.into_iter().map(joined).collect::<Result<Vec<_>>>()?;
        Ok((terminals, taken?))
    })?;
    server.stop()?;
    for (round, (backup, marks)) in taken.iter().enumerate() {
        verify(backup)?;
        let data = path.join(format!("restored{round}"));
        let mut restore = Command::new(mngntime()?);
        restore.args(["restore", "--from"]).arg(backup).arg("--data").arg(&data);
        run(restore)?;
        let stored = Stored::read(&data)?;
        stored.is_whole()?;
        for (terminal, mark) in terminals.iter().zip(marks) {
            stored.holds_receipted(terminal, *mark).with_context(|| format!("backup {round}"))?;
        }
    }
    let all: usize = terminals.iter().map(|terminal| terminal.receipted.len()).sum();
    ensure!(all > 40, "hardly any load: {all} events");
    // The last backup takes the old server's place; what it lacks comes again, as from an agent's journal.
    std::fs::remove_dir_all(server.data())?;
    std::fs::rename(path.join(format!("restored{}", taken.len() - 1)), server.data())?;
    server.start()?;
    for terminal in &mut terminals {
        terminal.send_everything_again();
        terminal.deliver_all()?;
    }
    server.stop()?;
    let stored = Stored::read(&server.data())?;
    stored.is_whole()?;
    ensure!(stored.len() == all, "{} of {all} events, each once", stored.len());
    println!("{rounds} backups during {all} events, lost 0, doubled 0");
    Ok(())
}

fn send_until(mut terminal: Terminal, stop: &AtomicBool, mark: &AtomicUsize) -> Result<Terminal> {
    while !stop.load(Ordering::Relaxed) {
        terminal.log_on("hanako")?;
        let sent = terminal.send()?;
        ensure!(matches!(sent, Sent::Receipted(_)), "a backup disturbs the server: {sent:?}");
        mark.store(terminal.receipted.len(), Ordering::SeqCst);
    }
    Ok(terminal)
}

fn take(server: &Server, path: &Path, round: u32, marks: &[AtomicUsize]) -> Result<(PathBuf, Marks)> {
    std::thread::sleep(Duration::from_millis(300));
    let marks = marks.iter().map(|mark| mark.load(Ordering::SeqCst)).collect();
    let out = path.join(format!("backup{round}"));
    run(backup(server, &out)?)?;
    Ok((out, marks))
}

/// No room for the backup: told, the old backup is as it was, and nothing else is there.
#[test]
fn a_full_disk_leaves_the_old_backup_and_no_half_one() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let (server, mut terminals) = open(&path)?;
    terminals[0].log_on("hanako")?;
    terminals[0].deliver_all()?;
    let disk = path.join("backups");
    private_directory(&disk)?;
    let _mount = Tmpfs::mount(&disk, "2m")?;
    run(backup(&server, &disk.join("old"))?)?;
    let filler = disk.join("filler");
    // Room for a part of the database only.
    fill(&filler)?;
    std::fs::File::options()
        .write(true)
        .open(&filler)?
        .set_len(std::fs::metadata(&filler)?.len() - 64 * 1024)?;
    let full = backup(&server, &disk.join("new"))?.output()?;
    ensure!(full.status.code() == Some(1) && said(&full).contains("full"), "{}", said(&full));
    assert_eq!(names(&disk)?, ["filler", "old"]);
    verify(&disk.join("old"))?;
    std::fs::remove_file(&filler)?;
    run(backup(&server, &disk.join("new"))?)?;
    Ok(())
}

/// The backup's own calls fail, one after the other: it ends with an error and leaves nothing, or it is whole.
#[test]
fn whatever_call_of_a_backup_fails_there_is_a_whole_one_or_none() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let (server, mut terminals) = open(&path)?;
    (0..20).try_for_each(|_| terminals[0].log_on("hanako"))?;
    terminals[0].deliver_all()?;
    let disk = path.join("backups");
    private_directory(&disk)?;
    let (mut made, mut given_up, mut failed) = (0, 0, 0);
    for (syscall, error, last) in [
        ("pwrite64", "EIO", 60),
        ("write", "ENOSPC", 6),
        ("fsync", "EIO", 12),
        ("fdatasync", "EIO", 4),
        ("rename", "EIO", 1),
        ("openat", "EIO", 30),
    ] {
        for first in (last.min(if soak() > 1 { 1 } else { 2 })..=last).step_by(if soak() > 1 {
            1
        } else {
            usize::try_from(last)?.div_ceil(4)
        }) {
            let (out, log) = (disk.join("backup"), path.join("strace"));
            let unfinished = disk.join("backup.mngntime-unfinished");
            let inside = ["mngntime.db", "mngntime.db-journal", "server-key", "manifest.json", "SHA256SUMS"];
            let files =
                inside.iter().map(|name| unfinished.join(name)).chain([unfinished.clone(), disk.clone()]);
            let injection =
                Injection { syscall, error, first, every: None, besides: &[], files: files.collect() };
            let output = injection.around(&backup(&server, &out)?, &log).output()?;
            failed += injected(&log)?;
            if output.status.success() {
                verify(&out).with_context(|| format!("{syscall} {first}"))?;
                std::fs::remove_dir_all(&out)?;
                made += 1;
            } else {
                given_up += 1;
                if out.exists() {
                    ensure!(said(&output).contains("is whole"), "{}", said(&output));
                    verify(&out).with_context(|| format!("{syscall} {first}: {}", said(&output)))?;
                    std::fs::remove_dir_all(&out)?;
                }
            }
            ensure!(names(&disk)?.is_empty(), "{syscall} {first} leaves {:?}", names(&disk)?);
        }
    }
    println!("{failed} calls failed: {given_up} backups given up, {made} made");
    ensure!(given_up > 5 && failed > 5, "nothing has failed");
    Ok(())
}
