//! The server whose disk fails, fills and whose process is killed: what it has given a receipt for is there
//! afterwards, once, and it says 5xx rather than lie.
//!
//! The short version runs with all tests; `cargo xtask soak faults` runs the long one.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::server::Server;
use mngntime_e2e::soak;
use mngntime_e2e::stored::Stored;
use mngntime_e2e::strace::{Injection, injected};
use mngntime_e2e::terminal::{Sent, Terminal};
use mngntime_e2e::tmpfs::{Tmpfs, fill, private_directory};

/// What fails: the calls with which SQLite writes, in the order of their use, and those with which it reads and
/// opens. `EINTR` is what a signal makes of a call: nothing has failed, it is to be called again.
const FAULTS: [(&str, &str); 9] = [
    ("pwrite64", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EINTR"),
    ("fdatasync", "EIO"),
    ("fdatasync", "ENOSPC"),
    ("ftruncate", "EIO"),
    ("pread64", "EIO"),
    ("openat", "EIO"),
    ("openat", "EMFILE"),
];

/// What the rounds have shown.
#[derive(Debug, Default)]
struct Tally {
    rounds: u32,
    injected: usize,
    starts_refused: u32,
    receipted: usize,
    refused: usize,
    broken: usize,
}

struct Scene {
    server: Server,
    terminals: Vec<Terminal>,
    tally: Tally,
}

impl Scene {
    fn open(directory: &Path) -> Result<Self> {
        let mut server = Server::create(&directory.join("server"), false)?;
        server.start()?;
        let terminals = (1..=2).map(|seed| Terminal::enroll(&server, seed)).collect::<Result<_>>()?;
        server.stop()?;
        Ok(Self { server, terminals, tally: Tally::default() })
    }

    /// Every terminal logs somebody on and sends what waits, so many times.
    fn work(&mut self, batches: u32) -> Result<()> {
        for _ in 0..batches {
            for terminal in &mut self.terminals {
                terminal.log_on("hanako")?;
                match terminal.send()? {
                    Sent::Receipted(count) => self.tally.receipted += count,
                    Sent::Refused(status) => {
                        ensure!((500..600).contains(&status), "a server in trouble answers {status}");
                        self.tally.refused += 1;
                    }
                    Sent::Broken => self.tally.broken += 1,
                }
            }
        }
        Ok(())
    }

    /// Nothing that has a receipt is missing; then a sound server takes the rest.
    fn check_and_mend(&mut self) -> Result<()> {
        let stored = Stored::read(&self.server.data())?;
        self.terminals.iter().try_for_each(|terminal| stored.holds_all_receipted(terminal))?;
        self.server.start()?;
        self.terminals.iter_mut().try_for_each(Terminal::deliver_all)?;
        self.server.stop()
    }

    /// Everything that was ever made is stored, and nothing else; one row for each.
    fn check_all(&self) -> Result<u64> {
        let stored = Stored::read(&self.server.data())?;
        self.terminals.iter().try_for_each(|terminal| stored.holds_all_receipted(terminal))?;
        let made: u64 = self.terminals.iter().map(Terminal::made).sum();
        ensure!(self.terminals.iter().all(|terminal| terminal.waiting() == 0), "something still waits");
        ensure!(stored.len() as u64 == made, "{} events stored of {made}", stored.len());
        ensure!(self.server.punches()?.len() as u64 == made, "one row for each");
        Ok(made)
    }
}

/// One call in the server's life fails, and then every so many: at its start, while it takes events in, and at
/// its end. It is killed every second time instead of ended in order.
fn round(scene: &mut Scene, (syscall, error): (&'static str, &'static str), first: u32) -> Result<()> {
    let data = scene.server.data();
    let files =
        ["mngntime.db", "mngntime.db-wal", "mngntime.db-shm", "server-key"].map(|name| data.join(name));
    let every = first.is_multiple_of(3).then_some(11 + first % 7);
    let injection =
        Injection { syscall, error, first, every, besides: &[], files: [&files[..], &[data]].concat() };
    let directory = short_directory()?;
    let log = directory.1.join("strace");
    match scene.server.start_failing(&injection, &log) {
        Ok(()) => scene.work(8)?,
        // A fault so early that it does not serve is as good an answer.
        Err(_) => scene.tally.starts_refused += 1,
    }
    if first.is_multiple_of(2) {
        scene.server.kill()?
    } else {
        scene.server.stop_somehow()?
    }
    scene.tally.injected += injected(&log)?;
    scene.tally.rounds += 1;
    scene.check_and_mend()
}

#[test]
fn whatever_call_of_the_database_fails_no_receipted_event_is_lost_and_none_doubled() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let mut scene = Scene::open(&path)?;
    for number in 0..3 * soak() {
        for (place, fault) in FAULTS.into_iter().enumerate() {
            // Spread over the calls of a start (about 40) and of the work after it.
            let first = 1 + (number * 23 + u32::try_from(place)? * 5) % 150;
            round(&mut scene, fault, first).with_context(|| format!("{fault:?} from call {first} on"))?;
        }
    }
    let made = scene.check_all()?;
    println!("{made} events, lost 0, doubled 0; {:?}", scene.tally);
    ensure!(scene.tally.injected > 20 && scene.tally.refused > 0, "nothing has failed: {:?}", scene.tally);
    Ok(())
}

/// A single failure is over when it is over: the same process goes on serving.
#[test]
fn after_one_failed_write_or_sync_the_same_server_goes_on() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let mut scene = Scene::open(&path)?;
    for (syscall, error) in [("pwrite64", "EIO"), ("fdatasync", "EIO"), ("pwrite64", "ENOSPC")] {
        let mut refused_in_all = 0;
        // Some calls store a batch; others sign the log or keep a copy of a receipt, and nobody waits for those. Which
        // is which depends on when the first head was signed, so calls are tried until one was a batch's.
        for first in 3..40 {
            if first >= 7 && refused_in_all > 0 {
                break;
            }
            let log = path.join(format!("{syscall}{error}{first}"));
            // The write-ahead log is written by nobody but the writer; its first call comes with the first batch.
            let files = vec![scene.server.data().join("mngntime.db-wal")];
            let injection = Injection { syscall, error, first, every: None, besides: &[], files };
            scene.server.start_failing(&injection, &log)?;
            scene.work(10)?;
            ensure!(injected(&log)? == 1, "{syscall} {error} {first}: not injected");
            let refused = std::mem::take(&mut scene.tally.refused);
            ensure!(refused <= 1, "{syscall} {error} {first}: the one failure failed {refused} batches");
            refused_in_all += refused;
            scene.terminals.iter_mut().try_for_each(Terminal::deliver_all)?;
            scene.server.stop()?;
        }
        ensure!(refused_in_all > 0, "{syscall} {error}: no failure was told to anybody");
    }
    scene.check_all().map(drop)
}

/// The log is moved into the database while the server runs, and that fails at one of its calls: nobody who sends
/// is told of it, nothing is lost when the process is killed right after, and the next start moves it.
#[test]
fn a_checkpoint_that_fails_disturbs_nobody_and_loses_nothing() -> Result<()> {
    let faults = [("pwrite64", 40), ("fdatasync", 1), ("pwrite64", 1), ("ftruncate", 1)];
    let (_directory, path) = short_directory()?;
    let mut scene = Scene::open(&path)?;
    for (syscall, first) in faults.into_iter().take(if soak() > 1 { faults.len() } else { 1 }) {
        let data = scene.server.data();
        // Nothing but a checkpoint writes to the database itself, or sets its length.
        let files = vec![data.join("mngntime.db")];
        let injection = Injection { syscall, error: "EIO", first, every: None, besides: &[], files };
        let log = path.join(format!("{syscall}{first}"));
        scene.server.start_failing(&injection, &log)?;
        let mut batches = 0;
        while injected(&log)? == 0 {
            ensure!(batches < 2000, "{syscall} {first}: no checkpoint after {batches} batches");
            let terminal = &mut scene.terminals[batches % 2];
            (0..50).try_for_each(|_| terminal.log_on("hanako"))?;
            let sent = terminal.send()?;
            ensure!(sent == Sent::Receipted(50), "{syscall} {first}: {sent:?}");
            batches += 1;
        }
        scene.server.kill()?;
        scene.check_and_mend().with_context(|| format!("{syscall} {first}"))?;
    }
    scene.check_all().map(drop)
}

/// The data directory is full: refused in words, nothing lost, and good again as soon as there is room.
#[test]
fn a_full_disk_is_refused_and_loses_nothing_that_has_a_receipt() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let data = path.join("server/data");
    private_directory(&data)?;
    let mount = Tmpfs::mount(&data, "3m")?;
    let mut scene = Scene::open(&path)?;
    scene.server.start()?;
    scene.work(5)?;
    let filler = data.join("filler");
    fill(&filler)?;
    // The log's last page has room left; twenty batches do not fit into it.
    scene.work(20)?;
    ensure!(scene.tally.refused > 10, "the disk was not full: {:?}", scene.tally);
    std::fs::remove_file(&filler)?;
    scene.work(1)?;
    scene.terminals.iter_mut().try_for_each(Terminal::deliver_all)?;
    scene.server.stop()?;
    scene.check_all()?;
    drop(mount);
    Ok(())
}
