//! The Linux agent whose system calls fail, one after the other: each session has its two rows all the same, and
//! `fsck` finds no damage that nobody has declared.
//!
//! strace tells the agent an error and the kernel nothing, at the n-th call of one kind on the agent's own files,
//! or on its sockets. The short version takes a sample; `cargo xtask soak faults` takes every n.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::office::{Office, kinds_and_how};
use mngntime_e2e::soak;
use mngntime_e2e::stored::Stored;
use mngntime_e2e::strace::{Injection, counted, injected};

/// A call, the errors it is given, and what fails besides.
type Fault = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

/// Calls on the agent's files in its daily life.
const FILE_FAULTS: [Fault; 7] = [
    ("openat", &["EIO", "EMFILE", "EACCES"], &[]),
    ("write", &["EIO", "ENOSPC", "EINTR"], &[]),
    // Neither can the torn write be taken back nor the reserve be given.
    ("write", &["ENOSPC"], &[("ftruncate", "EIO")]),
    ("write", &["ENOSPC"], &[("unlink", "EIO")]),
    ("fdatasync", &["EIO", "ENOSPC", "EINTR"], &[]),
    ("lseek", &["EIO"], &[]),
    ("read", &["EIO", "EINTR"], &[]),
];

/// Calls on its files when there are none yet: directory, key, first segment, reserve.
const FIRST_START_FAULTS: [Fault; 4] = [
    ("openat", &["EIO", "ENOSPC", "EMFILE"], &[]),
    ("write", &["EIO", "ENOSPC"], &[]),
    ("fsync", &["EIO", "ENOSPC", "EINTR"], &[]),
    ("fdatasync", &["EIO"], &[]),
];

/// Calls on all its sockets: those to the server and those to the bus alike.
const NETWORK_FAULTS: [Fault; 5] = [
    ("socket", &["EMFILE"], &[]),
    ("connect", &["ECONNREFUSED", "ETIMEDOUT"], &[]),
    ("sendto", &["ECONNRESET", "EPIPE"], &[]),
    ("recvfrom", &["ECONNRESET", "ETIMEDOUT"], &[]),
    ("sendmsg", &["EPIPE"], &[]),
];

/// What the rounds have shown.
#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    injected: usize,
    sessions: usize,
    died: usize,
}

/// The agent's files, which need not be there yet: strace compares names.
fn files(state: &Path) -> Vec<PathBuf> {
    let journal = state.join("journal");
    let segments = (1..200).map(|number| journal.join(format!("{number:06}.journal")));
    let others = ["heartbeat", "reserve"].map(|name| journal.join(name));
    let keys = ["device.key", "lock", "makeup"].map(|name| state.join(name));
    segments.chain(others).chain(keys).chain([state.to_owned(), journal.clone()]).collect()
}

/// What is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Files of an agent that has been enrolled.
    Files,
    /// Files of one that has never run on this PC: each round begins with none.
    FirstFiles,
    /// Sockets.
    Sockets,
}

struct Scene {
    what: What,
    office: Office,
    tally: Tally,
}

impl Scene {
    fn open(what: What) -> Result<Self> {
        let mut office = Office::open()?;
        office.agent.start()?;
        office.agent.wait_until_idle()?;
        office.agent.stop()?;
        Ok(Self { what, office, tally: Tally::default() })
    }

    fn injection(&self, (syscall, _, besides): Fault, error: &'static str, first: u32) -> Injection {
        let files = if self.what == What::Sockets { Vec::new() } else { files(&self.office.agent.state()) };
        Injection { syscall, error, first, every: None, besides, files }
    }

    /// How often the call is made in one round, when it does not fail.
    fn count(&mut self, (syscall, errors, _): Fault) -> Result<u32> {
        let log = self.office.directory.path().join("count");
        // The largest number that strace takes; no thread comes so far here.
        let never = self.injection((syscall, errors, &[]), "EIO", 65_535);
        self.session(&never, &log)?;
        counted(&log, syscall)
    }

    /// One session, seen by an agent one of whose calls fails and, after that one's death, by one that is well.
    fn session(&mut self, injection: &Injection, log: &Path) -> Result<()> {
        let Office { bus, server, agent, .. } = &mut self.office;
        let number = self.tally.sessions;
        let (id, name) = (format!("s{number}"), format!("user{number}"));
        if self.what == What::FirstFiles {
            std::fs::remove_dir_all(agent.state())?;
        }
        agent.start_failing(injection, log)?;
        // Long enough for a start; whether it has come to its list by then makes rounds of both kinds.
        let dead = agent.has_died_within(Duration::from_millis(150))?;
        bus.open_session(&id, 2000 + u32::try_from(number)?, &name)?;
        let dead = dead || agent.has_died_within(Duration::from_millis(150))?;
        // Every second logoff happens before the eyes of the failing agent, if it has seen the logon.
        let closed = number % 2 == 1 && !dead && !server.punches_of(&name)?.is_empty();
        if closed {
            bus.close_session(&id)?;
            agent.has_died_within(Duration::from_millis(150))?;
        }
        self.tally.died += usize::from(agent.has_died_within(Duration::ZERO)?);
        agent.kill()?;
        agent.start()?;
        if !closed {
            server.wait_for_punches(&name, 1)?;
            bus.close_session(&id)?;
        }
        server.wait_for_punches(&name, 2)?;
        agent.wait_until_idle()?;
        ensure!(agent.stop()?, "the sound agent did not end well");
        let punches = server.punches_of(&name)?;
        let kinds: Vec<_> = kinds_and_how(&punches).into_iter().map(|(kind, _)| kind).collect();
        ensure!(kinds == ["logon", "logoff"], "{punches:?}");
        let fsck = agent.run(&["fsck"])?;
        ensure!(fsck.status.success(), "fsck: {}", String::from_utf8_lossy(&fsck.stdout));
        self.tally.sessions += 1;
        Ok(())
    }

    fn round(&mut self, injection: &Injection) -> Result<()> {
        let log = self.office.directory.path().join("strace");
        self.session(injection, &log)
            .with_context(|| format!("{} {} at call {}", injection.syscall, injection.error, injection.first))
            .with_context(|| self.office.agent.lines().join("\n"))?;
        self.tally.injected += injected(&log)?;
        self.tally.rounds += 1;
        Ok(())
    }

    /// Every call of these kinds, or a sample, fails once.
    fn all(&mut self, faults: &[Fault]) -> Result<()> {
        for fault in faults {
            let (syscall, errors, _) = *fault;
            let count = self.count(*fault)?;
            ensure!(count > 0, "the agent makes no call {syscall}: the test looks at the wrong files");
            for (number, first) in chosen(count).into_iter().enumerate() {
                let errors = if soak() > 1 { errors } else { &errors[number % errors.len()..][..1] };
                for error in errors {
                    self.round(&self.injection(*fault, error, first))?;
                }
            }
        }
        Ok(())
    }

    /// Nobody has three rows or one, and everything was delivered.
    fn finish(self) -> Result<()> {
        let punches = self.office.server.punches()?;
        ensure!(punches.len() == self.tally.sessions * 2, "{} rows: {:?}", punches.len(), self.tally);
        let stored = Stored::read(&self.office.server.data())?;
        stored.is_whole()?;
        ensure!(stored.unpaired()?.is_empty(), "{:?}", stored.unpaired()?);
        println!("{} events, lost 0, doubled 0; {:?}", punches.len(), self.tally);
        ensure!(self.tally.injected * 2 > self.tally.rounds, "hardly anything has failed: {:?}", self.tally);
        Ok(())
    }
}

/// Every call in the long version; in the short one one early and one late.
fn chosen(count: u32) -> Vec<u32> {
    if soak() > 1 { (1..=count).collect() } else { vec![1 + count / 3, count.div_ceil(5) * 4] }
}

fn play(what: What, faults: &[Fault]) -> Result<()> {
    let mut scene = Scene::open(what)?;
    scene.all(faults)?;
    scene.finish()
}

#[test]
fn whatever_call_on_its_files_fails_every_session_has_its_two_rows() -> Result<()> {
    play(What::Files, &FILE_FAULTS)
}

#[test]
fn whatever_call_fails_at_the_very_first_start_every_session_has_its_two_rows() -> Result<()> {
    play(What::FirstFiles, &FIRST_START_FAULTS)
}

/// The disk never gives back the first segment: its records were delivered or are declared, those in the next one are
/// there, and recording goes on. Who is logged on is known from the checkpoint.
#[test]
fn a_segment_that_the_disk_never_gives_back_stops_nobody() -> Result<()> {
    let mut scene = Scene::open(What::Files)?;
    let Office { bus, server, agent, directory } = &mut scene.office;
    let segment = agent.state().join("journal/000001.journal");
    bus.open_session("a", 2000, "hanako")?;
    agent.start()?;
    server.wait_for_punches("hanako", 1)?;
    agent.wait_until_idle()?;
    ensure!(agent.stop()?, "it did not end well");
    // A torn write behind it: the next run begins another segment.
    std::fs::OpenOptions::new().append(true).open(&segment).map(|mut file| file.write_all(b"MNF1\x01"))??;
    agent.start()?;
    agent.wait_until_idle()?;
    ensure!(agent.stop()?, "it did not end well");
    let before = std::fs::read(&segment)?;

    let log = directory.path().join("strace");
    let (syscall, besides, files) = ("read", &[][..], vec![segment.clone()]);
    let lasting = Injection { syscall, error: "EIO", first: 1, every: Some(1), besides, files };
    let told = lasting.around(agent.command()?.arg("fsck"), &log).output()?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    ensure!(told.status.code() == Some(1) && text.contains("unreadable segment=000001"), "{text}");
    ensure!(text.contains("segments=2") && !text.contains("events=0"), "the other segment is read: {text}");

    agent.start_failing(&lasting, &log)?;
    bus.open_session("b", 2001, "taro")?;
    server.wait_for_punches("taro", 1)?;
    bus.close_session("a")?;
    server.wait_for_punches("hanako", 2)?;
    agent.wait_for_line(&["000001.journal"])?;
    ensure!(agent.stop()?, "it did not end well");
    ensure!(injected(&log)? >= 3, "the disk was not asked again");
    ensure!(std::fs::read(&segment)? == before, "it is never written to");

    // The disk gives it back: nothing is sent again, nothing is doubled.
    agent.start()?;
    bus.close_session("b")?;
    server.wait_for_punches("taro", 2)?;
    agent.wait_until_idle()?;
    ensure!(agent.stop()?, "it did not end well");
    for name in ["hanako", "taro"] {
        let punches = server.punches_of(name)?;
        let kinds: Vec<_> = kinds_and_how(&punches).into_iter().map(|(kind, _)| kind).collect();
        ensure!(kinds == ["logon", "logoff"], "{punches:?}");
    }
    let fsck = agent.run(&["fsck"])?;
    ensure!(fsck.status.success(), "fsck: {}", String::from_utf8_lossy(&fsck.stdout));
    Ok(())
}

#[test]
fn whatever_call_on_its_sockets_fails_every_session_has_its_two_rows() -> Result<()> {
    play(What::Sockets, &NETWORK_FAULTS)
}
