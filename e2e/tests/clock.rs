//! The real agent on a PC whose clock is wrong, or is set while people work.
//!
//! libfaketime stands between the agent (and the mock of logind) and the wall clock; the counters that nobody can
//! set stay the kernel's. A reboot is a time namespace with a young boot clock and another boot id.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::office::{Office, kinds_and_how};
use mngntime_e2e::server::text;
use mngntime_e2e::stored::Stored;
use mngntime_e2e::wait_for;
use serde_json::Value;

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const DAY_MS: i64 = 86_400_000;
/// The tests' programs need seconds between two looks at a clock.
const ABOUT_MS: i64 = 20_000;

/// The clock of the PC, to be set.
struct PcClock(PathBuf);

impl PcClock {
    fn in_directory(directory: &Path) -> Self {
        Self(directory.join("clock"))
    }

    /// In libfaketime's words: `+0` is right, `+86400` a day ahead, `@2009-01-01 00:00:00` starts there.
    ///
    /// A file that is written in place can be read half written; renamed over, it is the old or the new one.
    fn set(&self, to: &str) -> Result<()> {
        let new = self.0.with_extension("new");
        fs::write(&new, to)?;
        Ok(fs::rename(new, &self.0)?)
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let fixed = [
            ("LD_PRELOAD", LIBRARY),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ];
        let file = ("FAKETIME_TIMESTAMP_FILE", self.0.display().to_string());
        fixed.map(|(name, value)| (name, value.to_owned())).into_iter().chain([file]).collect()
    }
}

/// An office whose PC has a clock to be set, which is right.
fn office() -> Result<(Office, PcClock)> {
    ensure!(Path::new(LIBRARY).exists(), "{LIBRARY} is missing; run the tests with: cargo xtask test");
    let office = Office::open_with(|directory| {
        let clock = PcClock::in_directory(directory);
        clock.set("+0")?;
        Ok(clock.variables())
    })?;
    let clock = PcClock::in_directory(office.directory.path());
    Ok((office, clock))
}

/// The agent as it runs on a PC with that clock.
fn on_this_clock(office: &Office, clock: &PcClock) -> Result<Command> {
    let mut command = office.agent.command()?;
    command.envs(clock.variables());
    Ok(command)
}

/// The same after a reboot: another boot id, and a boot clock that has begun within this second.
fn after_a_reboot(office: &Office, clock: &PcClock) -> Result<Command> {
    let boot_id = office.directory.path().join("boot_id");
    fs::write(&boot_id, "00000000-0000-4000-8000-000000000009\n")?;
    let uptime = fs::read_to_string("/proc/uptime")?;
    let seconds: f64 = uptime.split(' ').next().context("no uptime")?.parse()?;
    let agent = on_this_clock(office, clock)?;
    let mut command = Command::new("unshare");
    command
        .args(["--time", "--boottime", &format!("-{:.0}", seconds.floor())])
        .args(["--mount", "--fork", "--kill-child=KILL", "sh", "-c"])
        .arg("mount --bind \"$1\" /proc/sys/kernel/random/boot_id && shift && exec env \"$@\"")
        .arg("sh")
        .arg(boot_id);
    // For the agent alone: unshare and the shell are not on this PC.
    for (name, value) in agent.get_envs() {
        let value = value.context("a variable without a value")?;
        command.arg(format!("{}={}", name.display(), value.display()));
    }
    command.arg(agent.get_program()).args(agent.get_args());
    Ok(command)
}

/// What the server has stored, in the terminal's own order.
fn events(office: &Office) -> Result<Vec<Value>> {
    Stored::read(&office.server.data())?.events()
}

/// Waits for a `time_change` of about `by_ms` under the word `cause`.
fn wait_for_time_change(office: &Office, cause: &str, by_ms: i64) -> Result<Value> {
    let fits = |event: &&Value| {
        let told = text(event, "cause").strip_prefix(cause).and_then(|rest| rest.parse::<i64>().ok());
        text(event, "kind") == "time_change" && told.is_some_and(|told| (told - by_ms).abs() < ABOUT_MS)
    };
    wait_for(&format!("a time_change {cause}{by_ms}"), || Ok(events(office)?.iter().find(fits).cloned()))
        .with_context(|| format!("{:#?}", events(office)))
}

fn millis(punch: &Value, field: &str) -> Result<i64> {
    let time: jiff::Timestamp = text(punch, field).parse().with_context(|| format!("{field} of {punch}"))?;
    Ok(time.as_millisecond())
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Numbers and counters tell the order, whatever the wall clock says.
fn the_counters_go_on(events: &[Value]) -> Result<()> {
    let counter = |event: &Value| event["recorded_at"]["biased"].as_u64();
    let counters: Vec<_> = events.iter().map(counter).collect::<Option<_>>().context("no counter")?;
    ensure!(counters.is_sorted(), "{counters:?}");
    Ok(())
}

#[test]
fn a_clock_that_is_set_a_day_forward_and_back_is_told_and_loses_nothing() -> Result<()> {
    let (mut office, clock) = office()?;
    office.agent.start_with(on_this_clock(&office, &clock)?)?;
    office.agent.wait_until_idle()?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.server.wait_for_punches("hanako", 1)?;
    clock.set("+86400")?;
    let forward = wait_for_time_change(&office, "by_ms:", DAY_MS)?;
    ensure!(text(&forward, "evidence") == "reconciled", "seen by comparison: {forward}");
    office.bus.open_session("2", 1001, "taro")?;
    let tomorrow = office.server.wait_for_punches("taro", 1)?;
    let ahead = millis(&tomorrow[0], "occurred_at")? - now_ms();
    ensure!((ahead - DAY_MS).abs() < ABOUT_MS, "what the PC's clock showed is kept: {tomorrow:?}");
    office.bus.close_session("1")?;
    office.server.wait_for_punches("hanako", 2)?;
    clock.set("+0")?;
    wait_for_time_change(&office, "by_ms:", -DAY_MS)?;
    office.bus.close_session("2")?;
    office.server.wait_for_punches("taro", 2)?;
    ensure!(office.agent.stop()?, "the agent did not end well");
    for name in ["hanako", "taro"] {
        let punches = office.server.punches_of(name)?;
        assert_eq!(kinds_and_how(&punches), [("logon", "immediate"), ("logoff", "immediate")], "{name}");
    }
    the_counters_go_on(&events(&office)?)?;
    Stored::read(&office.server.data())?.is_whole()?;
    // The server knows by how much the PC's clock was off when it sent.
    let offsets = office.server.clock_offsets()?;
    let (least, most) =
        (offsets.iter().min().context("no events")?, offsets.iter().max().context("no events")?);
    ensure!(least.abs().max(most.abs()).abs_diff(DAY_MS) < ABOUT_MS.unsigned_abs(), "{offsets:?}");
    ensure!(offsets.iter().any(|offset| offset.abs() < ABOUT_MS), "{offsets:?}");
    let fsck = office.agent.run(&["fsck"])?;
    ensure!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
    Ok(())
}

/// The battery of the clock is dead: after a power loss the PC believes it is 2009, until somebody sets the clock.
#[test]
fn a_start_in_2009_is_doubted_and_the_power_loss_gets_its_bounds_when_the_clock_is_right() -> Result<()> {
    let (mut office, clock) = office()?;
    office.agent.start_with(on_this_clock(&office, &clock)?)?;
    office.agent.wait_until_idle()?;
    let before_ms = now_ms();
    office.bus.open_session("1", 1000, "hanako")?;
    office.server.wait_for_punches("hanako", 1)?;
    office.agent.kill()?;
    let lost_ms = now_ms();
    office.bus.restart_logind()?;
    // unshare sets the boot clock to the second: the PC is off for longer than that.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    clock.set("@2009-01-01 00:00:00")?;
    office.agent.start_with(after_a_reboot(&office, &clock)?)?;
    let in_2009 = "2009-01-01T00:00:00Z".parse::<jiff::Timestamp>()?.as_millisecond();
    wait_for_time_change(&office, "behind_last_seen_ms:", lost_ms - in_2009)?;
    office.bus.open_session("2", 1001, "taro")?;
    let taro = office.server.wait_for_punches("taro", 1)?;
    ensure!(text(&taro[0], "stamped_at").starts_with("2009-01-01"), "what its clock showed: {taro:?}");
    let stands_at = millis(&taro[0], "occurred_at")?;
    ensure!((lost_ms..=now_ms()).contains(&stands_at), "by the server's clock: {taro:?}");
    ensure!(
        office.server.punches_of("hanako")?.len() == 1,
        "nothing is concluded while the clock is doubted"
    );
    clock.set("+0")?;
    wait_for_time_change(&office, "by_ms:", now_ms() - in_2009)?;
    let hanako = office.server.wait_for_punches("hanako", 2)?;
    assert_eq!(kinds_and_how(&hanako), [("logon", "immediate"), ("logoff", "inferred")]);
    let logoff = hanako.iter().find(|punch| text(punch, "kind") == "logoff").context("no logoff")?;
    let (not_before, not_after) = (millis(logoff, "not_before")?, millis(logoff, "not_after")?);
    ensure!(
        before_ms - 2000 <= not_before
            && not_before <= lost_ms
            && not_after >= not_before
            && not_after <= now_ms(),
        "lost at {lost_ms}: {logoff}"
    );
    office.bus.close_session("2")?;
    let taro = office.server.wait_for_punches("taro", 2)?;
    assert_eq!(kinds_and_how(&taro), [("logon", "immediate"), ("logoff", "immediate")]);
    office.agent.wait_until_idle()?;
    office.agent.kill()?;
    ensure!(office.server.punches()?.len() == 4, "two sessions, four rows");
    Stored::read(&office.server.data())?.is_whole()?;
    let fsck = office.agent.run(&["fsck"])?;
    ensure!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
    Ok(())
}
