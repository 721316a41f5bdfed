//! Measures the Windows agent as a service under Wine: what an idle one holds, how long its handler keeps the
//! service control manager waiting, and how soon after its start the first event is stored. Prints; judges
//! nothing. Wine's own overhead is inside every figure.
//!
//! ```sh
//! cargo xtask dist windows --features simulated-sessions && e2e/wine/setup.sh
//! cargo run --package mngntime-e2e --bin wine_figures
//! ```

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use mngntime_agent::journal::Journal;
use mngntime_agent::journal::disk::Directory;
use mngntime_e2e::server::Server;
use mngntime_e2e::wait_for;
use mngntime_e2e::windows_pc::{LOGON, NAME, Pc, service_process};
use mngntime_e2e::wine::ServiceState;
use serde_json::Value;

/// Locks and unlocks that the handler is given: one session change each.
const NOTICES: u32 = 100;
/// Starts of the service.
const STARTS: u32 = 10;
/// `WTS_SESSION_LOCK` and `WTS_SESSION_UNLOCK`.
const LOCK: u32 = 7;
const UNLOCK: u32 = 8;
/// SCM code of the test build: write `handler-times.json`.
const WRITE_HANDLER_TIMES: u32 = 202;
const STATE: &str = r"C:\ProgramData\MngnTime\state";
/// Ticks of the kernel's process times in a second (`USER_HZ`, fixed on x86-64).
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::create(directory.path(), false)?;
    server.start()?;
    let pc = Pc::install(&server)?;
    print_starts(&pc)?;
    print_handler(&pc)?;
    print_memory()
}

fn print_starts(pc: &Pc) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        pc.wine.stop_service(NAME)?;
        pc.wine.wait_for_service(NAME, ServiceState::Stopped)?;
        let before = last_sequence(pc)?;
        pc.wine.start_service(NAME)?;
        pc.wine.wait_for_service(NAME, ServiceState::Running)?;
        let stored = first_after(pc, before)?;
        times.push(stored.saturating_sub(process_started()?).as_millis());
    }
    times.sort_unstable();
    println!(
        "process start to first event recorded: median {} ms, max {} ms, n={STARTS} (±10 ms)",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    Ok(())
}

fn print_handler(pc: &Pc) -> Result<()> {
    pc.sessions(&["hanako"], Some((3, LOGON)))?;
    for number in 0..NOTICES {
        pc.sessions(&["hanako"], Some((3, if number % 2 == 0 { LOCK } else { UNLOCK })))?;
    }
    pc.wine.control(NAME, WRITE_HANDLER_TIMES)?;
    let file = pc.wine.file(&format!("{STATE}\\handler-times.json"))?;
    let times: Value = serde_json::from_slice(&fs::read(&file).context("read the handler's times")?)?;
    let mut recent: Vec<u64> =
        times["recent_us"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    recent.sort_unstable();
    ensure!(recent.len() > NOTICES as usize, "only {} controls were handled", recent.len());
    println!(
        "time in the handler, record stored: p50 {} µs, p99 {} µs, max {} µs, n={}",
        recent[recent.len() / 2],
        recent[recent.len() * 99 / 100],
        times["max_us"],
        recent.len()
    );
    Ok(())
}

fn print_memory() -> Result<()> {
    let process = service_process()?;
    let value = |file: &str, key: &str| -> Result<u64> {
        let text = fs::read_to_string(process.join(file))?;
        let line = text.lines().find(|line| line.starts_with(key)).with_context(|| format!("no {key}"))?;
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).context("no number")
    };
    let private = value("smaps_rollup", "Private_Clean:")? + value("smaps_rollup", "Private_Dirty:")?;
    println!(
        "idle service: private {private} kB, of which dirty {} kB; resident {} kB; threads {} (Wine's included)",
        value("smaps_rollup", "Private_Dirty:")?,
        value("status", "VmRSS:")?,
        value("status", "Threads:")?
    );
    Ok(())
}

/// When the service's process began, since 1970.
fn process_started() -> Result<Duration> {
    let stat = fs::read_to_string(service_process()?.join("stat"))?;
    let after_name = stat.rsplit_once(')').context("no process name")?.1;
    // Field 22 of proc(5), counted from the third.
    let ticks: f64 = after_name.split_whitespace().nth(19).context("no start time")?.parse()?;
    let uptime = fs::read_to_string("/proc/uptime")?;
    let uptime: f64 = uptime.split_whitespace().next().context("no uptime")?.parse()?;
    let age = Duration::from_secs_f64((uptime - ticks / TICKS_PER_SECOND).max(0.0));
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.saturating_sub(age))
}

fn journal(pc: &Pc) -> Result<Journal<Directory>> {
    Ok(Journal::open_to_read(Directory::new(&pc.wine.file(&format!("{STATE}\\journal"))?))?.0)
}

fn last_sequence(pc: &Pc) -> Result<u64> {
    Ok(journal(pc)?.chain().sequence)
}

/// When the event after `sequence` was recorded, since 1970. Looked for in the segments' bytes: it may have its
/// receipt already.
fn first_after(pc: &Pc, sequence: u64) -> Result<Duration> {
    let folder = pc.wine.file(&format!("{STATE}\\journal"))?;
    let beginning = format!("{{\"v\":1,\"seq\":{},", sequence + 1);
    let event = wait_for("the first event of this start", || {
        let segments = fs::read_dir(&folder)?.flatten().filter_map(|entry| fs::read(entry.path()).ok());
        Ok(segments.filter_map(|bytes| event_in(&bytes, beginning.as_bytes())).next())
    })?;
    let recorded = event["recorded_at"]["wall"].as_u64().context("no time of recording")?;
    Ok(Duration::from_millis(recorded))
}

fn event_in(bytes: &[u8], beginning: &[u8]) -> Option<Value> {
    let at = bytes.windows(beginning.len()).position(|window| window == beginning)?;
    serde_json::Deserializer::from_slice(&bytes[at..]).into_iter().next()?.ok()
}
