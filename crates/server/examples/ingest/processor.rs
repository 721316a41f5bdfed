//! Processor time by thread and process, as Linux counts it.

use std::collections::BTreeMap;

/// Microseconds of a tick of `/proc/*/stat` (`USER_HZ` is 100 on every Linux this runs on).
const TICK_MICROS: u64 = 10_000;

/// Processor time in microseconds by what runs: this process's threads by name, PostgreSQL's processes together.
pub fn used() -> BTreeMap<String, u64> {
    let mut used = BTreeMap::new();
    let threads =
        std::fs::read_dir("/proc/self/task").unwrap().map_while(Result::ok).map(|entry| entry.path());
    let processes = std::fs::read_dir("/proc").unwrap().map_while(Result::ok).map(|entry| entry.path());
    for (path, is_own) in threads.map(|path| (path, true)).chain(processes.map(|path| (path, false))) {
        let Some((name, micros)) = std::fs::read_to_string(path.join("stat")).ok().as_deref().and_then(read)
        else {
            continue;
        };
        if is_own || name == "postgres" {
            *used.entry(name).or_default() += micros;
        }
    }
    used
}

/// Name and processor time of a line `pid (name) state …`.
fn read(line: &str) -> Option<(String, u64)> {
    let (head, tail) = line.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let mut times = tail.split_whitespace().skip(11).map_while(|word| word.parse::<u64>().ok());
    Some((name, (times.next()? + times.next()?) * TICK_MICROS))
}

/// What was used between two looks, for each of `events`.
pub fn told(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, events: u64) -> String {
    let spent = |(name, micros): (&String, &u64)| {
        let spent = micros.saturating_sub(before.get(name).copied().unwrap_or_default());
        (name.clone(), spent as f64 / events.max(1) as f64)
    };
    let mut all: Vec<_> = after.iter().map(spent).filter(|(_, micros)| *micros >= 0.5).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let words: Vec<String> = all.iter().map(|(name, micros)| format!("{name} {micros:.0}")).collect();
    words.join(", ")
}
