//! A Debian machine with real systemd, logind and PAM: what happens to a person's session there must become
//! rows on the server, whatever happens in between.
//!
//! One machine, one story in chapters, because each boot takes half a minute. The agent is the one that is
//! shipped (profile `agent`), under its real unit; the server shows a certificate of its own over HTTPS.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mngntime_e2e::server::{CONTRACT, Server, text};
use mngntime_e2e::stored::Stored;
use mngntime_e2e::vm::{self, Vm};
use mngntime_e2e::{program, root, soak, wait_for};
use serde_json::Value;

const BOOT: Duration = Duration::from_secs(180);
const AGENT: &str = "/usr/bin/mngntime-agent";

fn image() -> Result<PathBuf> {
    let path = std::env::var_os("MNGNTIME_VM_IMAGE").map_or_else(|| root().join("target/vm"), PathBuf::from);
    ensure!(path.join("root.img").exists(), "there is no VM image; run the tests with: cargo xtask test");
    Ok(path)
}

struct Machine {
    disk: PathBuf,
    vm: Option<Vm>,
}

impl Machine {
    fn boot(&mut self) -> Result<()> {
        let mut vm = Vm::boot(&image()?, &self.disk, vm::free_port()?)?;
        vm.wait_ssh(BOOT)?;
        self.vm = Some(vm);
        Ok(())
    }

    fn vm(&self) -> Result<&Vm> {
        self.vm.as_ref().context("the machine is off")
    }

    fn power_cut(&mut self) -> Result<()> {
        self.vm.take().context("the machine is off")?.power_cut()
    }

    fn shut_down(&mut self) -> Result<()> {
        self.vm.take().context("the machine is off")?.shutdown()
    }

    /// The agent compares with logind's list when it starts and then no more (`tests/agent.rs` has what it finds between): what
    /// it found just before logind told it would stand there as found.
    fn install_agent(&self, server: &Server, directory: &std::path::Path) -> Result<()> {
        let config = directory.join("config.toml");
        fs::write(
            &config,
            format!(
                "server_url = \"https://{}:{}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{}\"\nca_file = \"/etc/mngntime/ca.pem\"\nproxy = \"none\"\nheartbeat_seconds = 2\nreconcile_seconds = 3600\nretry_cap_seconds = 3\n",
                vm::HOST,
                server.port(),
                server.enrollment_key
            ),
        )?;
        let vm = self.vm()?;
        vm.control("mkdir -p /etc/mngntime")?;
        vm.copy_in(&program("agent", "mngntime-agent")?, AGENT, 0o755)?;
        vm.copy_in(&config, "/etc/mngntime/config.toml", 0o600)?;
        vm.copy_in(&server.ca_file(), "/etc/mngntime/ca.pem", 0o644)?;
        let unit = root().join("packaging/linux/mngntime-agent.service");
        vm.copy_in(&unit, "/etc/systemd/system/mngntime-agent.service", 0o644)?;
        vm.control("systemctl enable --now mngntime-agent.service")?;
        Ok(())
    }

    /// The agent's lines in the system journal.
    fn notices(&self) -> Result<String> {
        self.vm()?.control("journalctl --identifier=MngnTime --output=cat --no-pager")
    }

    /// Whether the agent of this boot has compared with logind's list.
    fn has_looked(&self) -> Result<bool> {
        let told = self.vm()?.control("journalctl --boot --identifier=MngnTime --output=cat --no-pager")?;
        Ok(told.contains("現在ログオン中のユーザーはいません。") || told.contains("打刻"))
    }

    fn wait_for_notice(&self, words: &[&str]) -> Result<()> {
        self.wait_for_line(&format!("a notice with {words:?}"), |line| {
            words.iter().all(|word| line.contains(word))
        })
    }

    /// Waits until the agent has said of a punch that it did not reach the server. Nobody here is registered, so what
    /// reaches it fails too, but with the server's result.
    fn wait_until_unreached(&self, kind: &str, name: &str) -> Result<()> {
        self.wait_for_line(&format!("{kind} of {name} that did not reach the server"), |line| {
            line.contains(&format!("{kind}["))
                && line.contains(&format!("\\{name}]:打刻失敗"))
                && !line.contains("[res=")
        })
    }

    fn wait_for_line(&self, what: &str, is_it: impl Fn(&str) -> bool) -> Result<()> {
        wait_for(what, || Ok(self.notices()?.lines().any(&is_it).then_some(())))
            .with_context(|| self.notices().unwrap_or_default())
    }
}

/// `(kind, how)` in the terminal's own order.
fn story(punches: &[Value]) -> Vec<(String, String)> {
    let mut rows: Vec<_> = punches
        .iter()
        .map(|p| (p["seq"].as_u64(), (text(p, "kind").to_owned(), text(p, "how").to_owned())))
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, row)| row).collect()
}

fn pair(kind: &str, how: &str) -> (String, String) {
    (kind.to_owned(), how.to_owned())
}

#[test]
fn a_real_logon_becomes_a_row_and_survives_everything_in_between() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::create(&directory.path().join("server"), true)?;
    server.start()?;
    let mut machine = Machine { disk: directory.path().join("disk.qcow2"), vm: None };
    Vm::fresh_disk(&image()?, &machine.disk)?;
    machine.boot()?;
    machine.install_agent(&server, directory.path())?;
    machine.wait_for_notice(&["LOGON[-]:現在ログオン中のユーザーはいません。"])?;

    ordinary_session(&server, &machine)?;
    server_away(&mut server, &machine)?;
    agent_killed(&server, &machine)?;
    power_cut(&server, &mut machine)?;
    shutdown_with_somebody_logged_on(&server, &mut machine)?;
    power_cuts_during_activity(&server, &mut machine, soak())?;

    let fsck = machine.vm()?.control("mngntime-agent fsck")?;
    ensure!(fsck.contains("events="), "fsck: {fsck}");
    machine.power_cut()?;
    server.stop()
}

/// ssh in, ssh out: two rows with the right account, kind and time.
fn ordinary_session(server: &Server, machine: &Machine) -> Result<()> {
    let before = now_ms()?;
    let session = machine.vm()?.spawn_session("hanako", "exec bash -i")?;
    server.wait_for_punches("hanako", 1)?;
    vm::close_session(session)?;
    let punches = server.wait_for_punches("hanako", 2)?;
    let after = now_ms()?;
    assert_eq!(story(&punches), [pair("logon", "immediate"), pair("logoff", "immediate")]);
    for punch in &punches {
        let at = millis(punch, "occurred_at")?;
        // The guest's clock follows the host's to the second.
        ensure!((before - 2000..=after + 2000).contains(&at), "{punch} is not within {before}..{after}");
    }
    Ok(())
}

/// The server is stopped meanwhile: the rows come by themselves, marked, none twice.
fn server_away(server: &mut Server, machine: &Machine) -> Result<()> {
    server.stop()?;
    let session = machine.vm()?.spawn_session("hanako", "exec bash -i")?;
    machine.wait_until_unreached("LOGON", "hanako")?;
    vm::close_session(session)?;
    machine.wait_until_unreached("LOGOFF", "hanako")?;
    server.start()?;
    let punches = server.wait_for_punches("hanako", 4)?;
    assert_eq!(story(&punches)[2..], [pair("logon", "resent"), pair("logoff", "resent")]);
    Ok(())
}

/// `kill -9` while a session is open and again while it closes; systemd starts the agent anew.
fn agent_killed(server: &Server, machine: &Machine) -> Result<()> {
    let vm = machine.vm()?;
    let session = vm.spawn_session("taro", "exec bash -i")?;
    vm.control("systemctl kill --signal=KILL mngntime-agent.service")?;
    server.wait_for_punches("taro", 1)?;
    vm.control("systemctl kill --signal=KILL mngntime-agent.service")?;
    vm::close_session(session)?;
    let punches = server.wait_for_punches("taro", 2)?;
    let kinds: Vec<String> = story(&punches).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["logon", "logoff"]);
    assert_eq!(server.wait_for_punches("hanako", 4)?.len(), 4, "no row twice");
    Ok(())
}

/// The power goes while somebody is logged on: after the next boot there is a logoff with its range.
fn power_cut(server: &Server, machine: &mut Machine) -> Result<()> {
    let session = machine.vm()?.spawn_session("hanako", "exec bash -i")?;
    server.wait_for_punches("hanako", 5)?;
    // Two heartbeats.
    std::thread::sleep(Duration::from_secs(5));
    let cut_at = now_ms()?;
    machine.power_cut()?;
    drop(session);
    machine.boot()?;
    let punches = server.wait_for_punches("hanako", 6)?;
    let logoff = punches.iter().max_by_key(|punch| punch["seq"].as_u64()).context("no punch")?;
    assert_eq!((text(logoff, "kind"), text(logoff, "how")), ("logoff", "inferred"), "{logoff}");
    let (not_before, not_after) = (millis(logoff, "not_before")?, millis(logoff, "not_after")?);
    ensure!(not_before <= cut_at + 2000, "the range {not_before}..{not_after} begins after the cut {cut_at}");
    ensure!(
        not_before >= cut_at - 15_000,
        "the heartbeat before the cut bounds it: {not_before} for {cut_at}"
    );
    ensure!(not_after >= cut_at - 2000, "the range {not_before}..{not_after} ends before the cut {cut_at}");
    Ok(())
}

/// The power goes at moments that a seed decides (MNGNTIME_SEED), while people come and go; `cargo xtask soak
/// faults` does it often. Every stay that left the PC has one logon and one logoff, and no event is missing
/// between two others: what the agent had synced and sent, it still knows.
fn power_cuts_during_activity(server: &Server, machine: &mut Machine, cuts: u32) -> Result<()> {
    let seed = std::env::var("MNGNTIME_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let mut moments = seed;
    let mut logins = 0;
    for cut in 1..=cuts {
        // Knuth's MMIX generator: any spread of moments will do, as long as it can be had again.
        moments = moments.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let cut_after = Duration::from_millis(3_000 + (moments >> 33) % 9_000);
        logins += people_until(machine, Instant::now() + cut_after)?;
        machine.power_cut()?;
        machine.boot()?;
        let told = || format!("after cut {cut}, {cut_after:?} into the activity (seed {seed})");
        wait_for("the agent's first look after the boot", || Ok(machine.has_looked()?.then_some(())))
            .with_context(told)?;
        wait_for("one logon and one logoff of every stay", || {
            let unpaired = Stored::read(&server.data())?.unpaired()?;
            Ok(unpaired.is_empty().then_some(()))
        })
        .with_context(told)
        .with_context(|| {
            format!("{:?}", Stored::read(&server.data()).and_then(|stored| stored.unpaired()))
        })?;
        Stored::read(&server.data())?.is_whole().with_context(told)?;
    }
    let rows = server.punches_of("taro")?.len();
    println!("{cuts} power cuts, seed {seed}: {logins} logins begun, {rows} rows in all, lost 0, doubled 0");
    Ok(())
}

/// Logs in every half second and out a little later, until `end`; the last ones stay.
fn people_until(machine: &Machine, end: Instant) -> Result<u32> {
    let (mut logins, mut open) = (0, VecDeque::new());
    while Instant::now() < end {
        open.push_back(machine.vm()?.spawn_session("taro", "exec bash -i")?);
        logins += 1;
        std::thread::sleep(Duration::from_millis(500));
        if open.len() > 3
            && let Some(oldest) = open.pop_front()
        {
            vm::close_session(oldest)?;
        }
    }
    // Clients without a machine end by themselves.
    std::thread::spawn(move || open.into_iter().for_each(|mut client| drop(client.wait())));
    Ok(logins)
}

/// An orderly shutdown does not leave a stay open.
fn shutdown_with_somebody_logged_on(server: &Server, machine: &mut Machine) -> Result<()> {
    let session = machine.vm()?.spawn_session("taro", "exec bash -i")?;
    server.wait_for_punches("taro", 3)?;
    machine.shut_down()?;
    drop(session);
    machine.boot()?;
    let punches = server.wait_for_punches("taro", 4)?;
    assert_eq!(story(&punches)[3].0, "logoff");
    Ok(())
}

fn now_ms() -> Result<i64> {
    Ok(jiff::Timestamp::now().as_millisecond())
}

/// A time of a punch in UTC milliseconds.
fn millis(punch: &Value, field: &str) -> Result<i64> {
    let time: jiff::Timestamp = text(punch, field).parse().with_context(|| format!("{field} of {punch}"))?;
    Ok(time.as_millisecond())
}
