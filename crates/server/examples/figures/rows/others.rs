//! The same punches sent to what else takes events.
//!
//! rsyslog is given a disk queue that is synced for every message, the closest it has to a durable punch; it confirms
//! nothing to the sender, checks no signature, and TLS is not asked of it. Its rate is from the first byte sent until the
//! last message stands in its file.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mngntime_model::UtcMillis;
use mngntime_sim::load::Terminal;

use super::super::figure::{Figure, Goal};
use super::super::served::{Served, doubts, maximum};
use super::super::setting::{Bench, Kind};
use super::agent::Running;

/// Connections that send to rsyslog.
const SENDERS: usize = 8;

/// The longest wait for its last message.
const PATIENCE: Duration = Duration::from_secs(300);

pub fn rsyslog(bench: &Bench) -> Result<Vec<Figure>> {
    let (served, mut terminals) = Served::start(bench, Kind::Sqlite, bench.pick(128, 2_000))?;
    let plan = maximum(bench, bench.pick(32, 256), 1);
    let (mut reports, mut references) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        references.push(messages_per_second(bench, bench.pick(300, 20_000))?);
        reports.push(served.load(&mut terminals, &plan)?);
    }
    let rates: Vec<f64> = reports.iter().map(|report| report.main.events_per_second).collect();
    let figure = Figure::of("durable single punches, SQLite, beside rsyslog", "events/s", &rates)
        .beside("rsyslog, TCP, disk queue synced for each message; nothing confirmed", &references)
        .with_goal(Goal::TimesAtLeast(1.0));
    Ok(vec![match doubts(&reports) {
        Some(doubts) => figure.with_note(doubts),
        None => figure,
    }])
}

fn messages_per_second(bench: &Bench, count: usize) -> Result<f64> {
    let directory = bench.scratch()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let (out, config) = (directory.path().join("out"), directory.path().join("rsyslog.conf"));
    std::fs::write(&config, configuration(directory.path(), port))?;
    let mut command = Command::new("/usr/sbin/rsyslogd");
    let _running =
        Running::start(command.arg("-n").arg("-f").arg(config).arg("-i").arg(directory.path().join("pid")))?;
    let mut senders = connections(port)?;
    let messages = messages(count)?;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let sending: Vec<_> = senders
            .iter_mut()
            .enumerate()
            .map(|(number, stream)| {
                let own = messages.iter().skip(number).step_by(SENDERS);
                scope.spawn(move || own.into_iter().try_for_each(|message| stream.write_all(message)))
            })
            .collect();
        sending.into_iter().try_for_each(|sender| match sender.join() {
            Ok(sent) => Ok(sent?),
            Err(_) => anyhow::bail!("a sender has panicked"),
        })
    })?;
    let wanted: usize = messages.iter().map(Vec::len).sum();
    while written(&out) < wanted as u64 {
        ensure!(begun.elapsed() < PATIENCE, "rsyslog wrote {} of {wanted} bytes", written(&out));
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

fn written(file: &Path) -> u64 {
    // It is not there before the first message.
    std::fs::metadata(file).map_or(0, |about| about.len())
}

fn configuration(directory: &Path, port: u16) -> String {
    format!(
        "global(workDirectory=\"{0}\" maxMessageSize=\"16k\")\nmodule(load=\"imtcp\")\n\
         template(name=\"raw\" type=\"string\" string=\"%rawmsg%\\n\")\n\
         ruleset(name=\"kept\" queue.type=\"Disk\" queue.filename=\"queue\" queue.syncQueueFiles=\"on\" \
         queue.checkpointInterval=\"1\") {{ action(type=\"omfile\" file=\"{0}/out\" template=\"raw\") }}\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"kept\")\n",
        directory.display()
    )
}

/// Connections, as soon as it listens.
fn connections(port: u16) -> Result<Vec<TcpStream>> {
    let begun = Instant::now();
    loop {
        match (0..SENDERS).map(|_| TcpStream::connect(("127.0.0.1", port))).collect() {
            Ok(connected) => return Ok(connected),
            Err(error) if begun.elapsed() > PATIENCE => return Err(std::io::Error::into(error)),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Our events as messages of RFC 5424, a line each.
fn messages(count: usize) -> Result<Vec<Vec<u8>>> {
    let mut terminal = Terminal::new(1, 0, "office0")?;
    let message = |_| {
        let event = terminal.next_event(UtcMillis(1_764_000_000_000))?;
        Ok(format!("<14>1 - - - - - - {}\n", event.json).into_bytes())
    };
    (0..count).map(message).collect()
}

pub fn aw_server(_: &Bench) -> Result<Vec<Figure>> {
    Ok(vec![Figure::not_measured(
        "durable single punches beside aw-server-rust",
        "events/s",
        "it is no package of Debian and no crate of the registry, and cannot be installed from there; what was measured of \
         it before the product existed is in the project's notes, acknowledged before the commit, without TLS or signature",
    )])
}
