//! Processor time and memory by process, as Linux counts them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// Microseconds of a tick of `/proc/*/stat` (`USER_HZ` is 100 on every Linux this runs on).
const TICK_MICROS: u64 = 10_000;

/// Processor time in microseconds by what runs: the threads of a process by name, PostgreSQL's processes together.
pub type Used = BTreeMap<String, u64>;

/// What process `pid` and PostgreSQL have used so far.
pub fn used(pid: u32) -> Result<Used> {
    let mut used = Used::new();
    let mut add = |name: String, micros: u64| *used.entry(name).or_default() += micros;
    for entry in std::fs::read_dir(format!("/proc/{pid}/task"))?.map_while(Result::ok) {
        if let Some((name, micros)) = stat(&entry.path()) {
            add(format!("server {name}"), micros);
        }
    }
    for entry in std::fs::read_dir("/proc")?.map_while(Result::ok) {
        match stat(&entry.path()) {
            Some((name, micros)) if name == "postgres" => add(name, micros),
            Some(_) | None => {}
        }
    }
    Ok(used)
}

/// Processor time of one process in seconds.
pub fn seconds(pid: u32) -> Result<f64> {
    let (_, micros) =
        stat(format!("/proc/{pid}").as_ref()).with_context(|| format!("there is no process {pid}"))?;
    Ok(micros as f64 / 1e6)
}

fn stat(directory: &std::path::Path) -> Option<(String, u64)> {
    read(&std::fs::read_to_string(directory.join("stat")).ok()?)
}

/// Name and processor time of a line `pid (name) state …`: utime and stime are its 14th and 15th fields (proc(5)).
fn read(line: &str) -> Option<(String, u64)> {
    let (head, tail) = line.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let mut times = tail.split_whitespace().skip(11).map_while(|word| word.parse::<u64>().ok());
    Some((name, (times.next()? + times.next()?) * TICK_MICROS))
}

/// Adds what was used between two looks.
pub fn add_spent(sum: &mut Used, before: &Used, after: &Used) {
    for (name, micros) in after {
        let spent = micros.saturating_sub(before.get(name).copied().unwrap_or_default());
        *sum.entry(name.clone()).or_default() += spent;
    }
}

/// What was spent for each of `events`, in microseconds, the largest first.
pub fn told(spent: &Used, events: u64) -> String {
    let mut all: Vec<_> =
        spent.iter().map(|(name, micros)| (name, *micros as f64 / events.max(1) as f64)).collect();
    all.retain(|(_, micros)| *micros >= 0.5);
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let words: Vec<String> = all.iter().map(|(name, micros)| format!("{name} {micros:.0}")).collect();
    format!("processor time for each event in µs: {}", words.join(", "))
}

/// A line of `/proc/PID/status` in MB (10⁶ bytes), such as `VmRSS` or `VmHWM`.
pub fn memory_mb(pid: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    kib(&status, line).map(|kib| kib * 1024.0 / 1e6).with_context(|| format!("no {line} of process {pid}"))
}

fn kib(status: &str, line: &str) -> Option<f64> {
    let value = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything_and_the_times_are_behind_it() {
        let line = "12 (a) b) (c) S 1 12 12 0 -1 4194560 200 0 0 0 7 5 0 0 20 0 4 0 99 1 1";
        assert_eq!(read(line), Some(("a) b) (c".to_owned(), 120_000)));
        assert_eq!(read("12 (short) S 1"), None);
    }

    #[test]
    fn memory_is_read_from_its_own_line() {
        let status = "Name:\tx\nVmHWM:\t    2000 kB\nVmRSS:\t    1000 kB\n";
        assert_eq!(
            (kib(status, "VmRSS"), kib(status, "VmHWM"), kib(status, "Vm")),
            (Some(1000.0), Some(2000.0), None)
        );
    }

    #[test]
    fn time_is_shared_out_among_events() {
        let before = Used::from([("server tokio".to_owned(), 1_000)]);
        let after = Used::from([
            ("server tokio".to_owned(), 5_000),
            ("postgres".to_owned(), 9_000),
            ("idle".to_owned(), 1),
        ]);
        let mut spent = Used::new();
        add_spent(&mut spent, &before, &after);
        assert_eq!(told(&spent, 100), "processor time for each event in µs: postgres 90, server tokio 40");
        add_spent(&mut spent, &after, &after);
        assert_eq!(spent["postgres"], 9_000, "nothing was used between two looks at the same time");
    }
}
