//! Measures what a person at a PC waits for without noticing: from a logon to the record on disk, and to the
//! receipt in the journal. Prints medians and 99th percentiles; judges nothing.
//!
//! ```sh
//! cargo build --release && cargo build --profile agent --package mngntime-agent
//! MNGNTIME_E2E_PROFILE=release MNGNTIME_AGENT=target/agent/mngntime-agent \
//!     cargo run --release --package mngntime-e2e --bin latency
//! ```

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mngntime_agent::journal::Journal;
use mngntime_agent::journal::disk::Directory;
use mngntime_e2e::agent::Agent;
use mngntime_e2e::bus::{Bus, short_directory};
use mngntime_e2e::server::{CONTRACT, Server, text};
use mngntime_model::{
    AccountIdentity, BootId, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};

const LOGONS: u32 = 100;
const APPENDS: u64 = 1000;

fn main() -> Result<()> {
    let mut appends = append_times()?;
    print("append to the journal, written and synced", &mut appends);
    let (mut received, mut receipted, memory) = logon_times()?;
    print("logon to the server's clock at receipt", &mut received);
    print("logon to the receipt checked and kept on the PC", &mut receipted);
    println!("resident memory of the agent, idle before and after {LOGONS} logons: {memory}");
    Ok(())
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!("{what}: median {:.2} ms, p99 {:.2} ms, n={}", at(50), at(99), times.len());
}

/// What stands between the core's decision and a durable record.
fn append_times() -> Result<Vec<Duration>> {
    let directory = tempfile::tempdir()?;
    let (mut journal, _) = Journal::open(Directory::new(directory.path()))?;
    (1..=APPENDS)
        .map(|sequence| {
            let event = event(sequence)?;
            let began = Instant::now();
            journal.append(&event)?;
            Ok(began.elapsed())
        })
        .collect()
}

fn event(sequence: u64) -> Result<Event> {
    let boot = BootId::new("latency")?;
    Ok(Event {
        sequence,
        boot: boot.clone(),
        kind: EventKind::Logon,
        evidence: Evidence::Notice,
        occurred_at: UtcMillis(1_764_000_000_000),
        bounds: None,
        recorded_at: Moment {
            wall: UtcMillis(1_764_000_000_000),
            offset_seconds: 0,
            biased_ms: 1,
            unbiased_ms: 1,
        },
        session: Some(SessionIdentity { boot, session_id: "1".into(), logon_identity: sequence.to_string() }),
        account: Some(AccountIdentity {
            key: "uid:1000@latency".into(),
            domain: "latency".into(),
            name: "hanako".into(),
            upn: None,
        }),
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    })
}

/// Logon by logon: the OS's logon time against the server's time of receipt, and against the moment the
/// agent tells the result, which it does after the receipt is checked and on disk.
fn logon_times() -> Result<(Vec<Duration>, Vec<Duration>, String)> {
    let (_directory, path) = short_directory()?;
    let bus = Bus::start(&path.join("bus"))?;
    let mut server = Server::create(&path.join("server"), true)?;
    server.start()?;
    let values = format!(
        "server_url = \"{}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{}\"\nca_file = \"{}\"\n",
        server.url(),
        server.enrollment_key,
        server.ca_file().display()
    );
    let mut agent = Agent::create(&path.join("agent"), bus.address(), &values)?;
    agent.start()?;
    agent.wait_until_idle()?;
    let memory_before = resident(&agent)?;
    let mut receipted = Vec::new();
    for number in 0..LOGONS {
        let name = format!("user{number}");
        let began = Instant::now();
        bus.open_session(&number.to_string(), 1000 + number, &name)?;
        let called = began.elapsed();
        let line = format!("\\{name}]:");
        while !agent.lines().iter().any(|text| text.contains(&line)) {
            std::thread::sleep(Duration::from_micros(200));
        }
        // The tool that tells the mock takes longer than the agent; only what comes after it is certain.
        receipted.push(began.elapsed().max(called));
    }
    let received = server
        .punches()?
        .iter()
        .map(|punch| {
            let millis = |field| -> Result<i64> {
                let time: jiff::Timestamp = text(punch, field).parse().context("not a time")?;
                Ok(time.as_millisecond())
            };
            Ok(Duration::from_millis(
                u64::try_from(millis("received_at")? - millis("occurred_at")?).unwrap_or(0),
            ))
        })
        .collect::<Result<_>>()?;
    Ok((received, receipted, format!("{memory_before}, {}", resident(&agent)?)))
}

/// The kernel's word on a process's resident memory: all of it, and the part that is the process's own (the
/// rest are pages of program and libraries, which the kernel can drop at any time).
fn resident(agent: &Agent) -> Result<String> {
    let pid = agent.pid().context("the agent does not run")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).context("no such line");
    Ok(format!("{} (own {})", value("VmRSS:")?.trim(), value("RssAnon:")?.trim()))
}
