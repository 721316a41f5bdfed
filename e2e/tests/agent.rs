//! The Linux agent, its real D-Bus code and the real server; what stands behind the bus is a mock.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::fake_server::{FakeServer, http};
use mngntime_e2e::office::{Office, kinds_and_how, values};
use mngntime_e2e::server::{CONTRACT, Server};
use mngntime_e2e::tmpfs::{Tmpfs, fill, private_directory};
use mngntime_e2e::wait_for;

/// `punch` of this kind ends with `status` and prints a line with all of `words`.
fn punches(office: &Office, kind: &str, status: i32, words: &[&str]) -> Result<()> {
    let output = office.agent.run(&["punch", kind])?;
    let printed = String::from_utf8(output.stdout)?;
    let told = printed.lines().any(|line| words.iter().all(|word| line.contains(word)));
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(status) && told, "{:?}: {printed}{problem}", output.status);
    Ok(())
}

#[test]
fn a_logon_and_a_logoff_become_two_rows() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_for_line(&["LOGON[-]:現在ログオン中のユーザーはいません。"])?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.server.wait_for_punches("hanako", 1)?;
    office.bus.close_session("1")?;
    let punches = office.server.wait_for_punches("hanako", 2)?;
    assert_eq!(kinds_and_how(&punches), [("logon", "immediate"), ("logoff", "immediate")]);
    assert!(punches.iter().all(|punch| punch["res"] == 7), "nobody has linked the account: {punches:?}");
    office.agent.wait_for_line(&["LOGON[", "\\hanako]:打刻失敗 [res=7] このユーザーは使えません。"])?;
    assert!(office.agent.stop()?);
    let fsck = office.agent.run(&["fsck"])?;
    assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
    Ok(())
}

#[test]
fn rows_arrive_by_themselves_when_the_server_returns_and_are_marked() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    office.server.stop()?;
    office.bus.open_session("1", 1000, "hanako")?;
    let failed = office.agent.wait_for_line(&["LOGON[", "\\hanako]:打刻失敗"])?;
    assert!(!failed.contains("res="), "nobody answered: {failed}");
    office.bus.close_session("1")?;
    office.agent.wait_for_line(&["LOGOFF[", "\\hanako]:打刻失敗"])?;
    office.server.start()?;
    let punches = office.server.wait_for_punches("hanako", 2)?;
    assert_eq!(kinds_and_how(&punches), [("logon", "resent"), ("logoff", "resent")]);
    let lines = office.agent.lines();
    let told =
        lines.iter().filter(|line| line.contains("LOGON[") && line.contains("打刻失敗 ネットワーク")).count();
    assert_eq!(told, 1, "the same reason is told once: {lines:?}");
    Ok(())
}

#[test]
fn killed_between_any_two_steps_nothing_is_lost_and_nothing_doubled() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    for round in 0..12_u64 {
        let id = format!("r{round}");
        office.bus.open_session(&id, 1000, "hanako")?;
        std::thread::sleep(Duration::from_millis(round * 7 % 40));
        office.agent.kill()?;
        office.agent.start()?;
        office.server.wait_for_punches("hanako", usize::try_from(round * 2 + 1)?)?;
        office.bus.close_session(&id)?;
        std::thread::sleep(Duration::from_millis(round * 11 % 40));
        office.agent.kill()?;
        office.agent.start()?;
        office.server.wait_for_punches("hanako", usize::try_from(round * 2 + 2)?)?;
    }
    office.agent.stop()?;
    let punches = office.server.punches()?;
    assert_eq!(punches.len(), 24, "one logon and one logoff for each session");
    let kinds: Vec<&str> = kinds_and_how(&punches).iter().map(|(kind, _)| *kind).collect();
    assert!(kinds.chunks(2).all(|pair| pair == ["logon", "logoff"]), "{kinds:?}");
    assert!(office.agent.run(&["fsck"])?.status.success());
    Ok(())
}

/// Not at random moments but at each step: every sync to disk and every packet to the server, one after the
/// other, is the agent's last. The next run makes it good.
#[test]
fn killed_at_each_sync_and_each_packet_every_session_has_its_two_rows() -> Result<()> {
    let mut office = Office::open()?;
    let mut sessions = 0;
    for (syscall, last) in [("fdatasync", 8), ("sendto", 4)] {
        for number in 1..=last {
            let id = format!("{syscall}{number}");
            office.agent.start_to_die(syscall, number)?;
            // Long enough for bus, list and the steps that are left.
            std::thread::sleep(Duration::from_millis(400));
            office.bus.open_session(&id, 1000, "hanako")?;
            office.agent.has_died_within(Duration::from_secs(2))?;
            office.agent.kill()?;
            office.agent.start()?;
            sessions += 1;
            office.server.wait_for_punches("hanako", sessions * 2 - 1)?;
            office.bus.close_session(&id)?;
            office.server.wait_for_punches("hanako", sessions * 2)?;
            assert!(office.agent.stop()?);
        }
    }
    let punches = office.server.punches()?;
    assert_eq!(punches.len(), sessions * 2, "one logon and one logoff for each session");
    let fsck = office.agent.run(&["fsck"])?;
    assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
    Ok(())
}

/// Four copies are started in the same moment; which of them wins is chance.
#[test]
fn agents_that_race_for_one_state_directory_leave_one_and_no_doubled_row() -> Result<()> {
    let office = Office::open()?;
    let start = || Ok::<_, anyhow::Error>(office.agent.command()?.arg("run").stderr(Stdio::piped()).spawn()?);
    let mut racers = (0..4).map(|_| start()).collect::<Result<Vec<_>>>()?;
    let mut losers = Vec::new();
    wait_for("all but one to give up", || {
        let ended = racers.extract_if(.., |racer| matches!(racer.try_wait(), Ok(Some(_))));
        losers.extend(ended);
        Ok((racers.len() <= 1).then_some(()))
    })?;
    for loser in losers {
        let output = loser.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("another MngnTime agent is using"), "{said}");
    }
    office.bus.open_session("1", 1000, "hanako")?;
    office.server.wait_for_punches("hanako", 1)?;
    office.bus.close_session("1")?;
    let punches = office.server.wait_for_punches("hanako", 2)?;
    assert_eq!(kinds_and_how(&punches), [("logon", "immediate"), ("logoff", "immediate")]);
    let fsck = office.agent.command()?.arg("fsck").output()?;
    assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
    for mut winner in racers {
        winner.kill()?;
        winner.wait()?;
    }
    Ok(())
}

#[test]
fn a_restarted_logind_is_asked_again_and_watched_again() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_for_line(&["LOGON[-]:現在ログオン中のユーザーはいません。"])?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.server.wait_for_punches("hanako", 1)?;
    // 花子's session ends with nobody there to tell it.
    office.bus.restart_logind()?;
    let hanako = office.server.wait_for_punches("hanako", 2)?;
    assert_eq!(kinds_and_how(&hanako), [("logon", "immediate"), ("logoff", "reconciled")]);
    office.bus.open_session("2", 1001, "taro")?;
    let taro = office.server.wait_for_punches("taro", 1)?;
    assert_eq!(kinds_and_how(&taro), [("logon", "immediate")]);
    Ok(())
}

/// A busy PC: when the agent gets to run, logind's word is there and a comparison is due. Whichever of its threads is
/// first, the logoff has its time.
#[test]
fn a_logoff_that_was_told_before_the_list_was_made_is_recorded_as_told() -> Result<()> {
    let mut office = Office::open()?;
    let config = fs::read_to_string(office.agent.config())?;
    fs::write(office.agent.config(), config.replace("reconcile_seconds = 30", "reconcile_seconds = 1"))?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    for round in 1..=4 {
        office.bus.open_session("1", 1000, "hanako")?;
        office.server.wait_for_punches("hanako", 2 * round - 1)?;
        let pid = office.agent.pid().context("the agent does not run")?;
        signal(pid, "STOP")?;
        office.bus.close_session("1")?;
        std::thread::sleep(Duration::from_millis(1_500));
        signal(pid, "CONT")?;
        let punches = office.server.wait_for_punches("hanako", 2 * round)?;
        let story = kinds_and_how(&punches);
        assert_eq!(
            story[2 * round - 2..],
            [("logon", "immediate"), ("logoff", "immediate")],
            "round {round}"
        );
    }
    Ok(())
}

fn signal(pid: u32, name: &str) -> Result<()> {
    let status = std::process::Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status()?;
    anyhow::ensure!(status.success(), "no signal {name} to {pid}");
    Ok(())
}

#[test]
fn a_user_who_logged_on_before_the_start_is_found() -> Result<()> {
    let mut office = Office::open()?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.agent.start()?;
    let punches = office.server.wait_for_punches("hanako", 1)?;
    assert_eq!(kinds_and_how(&punches), [("logon", "found_at_start")]);
    Ok(())
}

#[test]
fn wrong_contract_and_wrong_key_are_named_and_cured_without_a_restart() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.configure(&values(&office.server.url(), "no-such-contract", "x"))?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.agent.start()?;
    office.agent.wait_for_line(&["LOGON[", "\\hanako]:打刻失敗 [res=5] この契約主コードは使えません。"])?;
    office.agent.configure(&values(&office.server.url(), CONTRACT, "wrong-key"))?;
    office.agent.wait_for_line(&["[res=6] この端末は使えません。"])?;
    assert!(office.server.punches()?.is_empty());
    office.agent.configure(&office.good())?;
    office.server.wait_for_punches("hanako", 1)?;
    Ok(())
}

#[test]
fn another_server_gets_what_waits_and_enrols_the_terminal_by_itself() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    office.server.stop()?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.agent.wait_for_line(&["LOGON[", "\\hanako]:打刻失敗"])?;
    let (_directory, path) = short_directory()?;
    let mut other = Server::create(&path, false)?;
    other.start()?;
    office.agent.configure(&values(&other.url(), CONTRACT, &other.enrollment_key))?;
    let punches = other.wait_for_punches("hanako", 1)?;
    assert_eq!(kinds_and_how(&punches), [("logon", "resent")]);
    Ok(())
}

#[test]
fn a_broken_configuration_is_named_and_the_recording_goes_on() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.configure(
        "server_url = \"ftp://example.co.jp\"\ncontract_code = \"demo\"\nenrollment_key = \"k\"\n",
    )?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.agent.start()?;
    office.agent.wait_for_line(&["error", "server_url = \"ftp://example.co.jp\""])?;
    office.agent.wait_for_line(&["LOGON[", "\\hanako]:打刻失敗"])?;
    assert!(office.agent.waiting()? > 0);
    office.agent.configure(&office.good())?;
    office.server.wait_for_punches("hanako", 1)?;
    Ok(())
}

/// What answers, how, and a word of the line that tells of it.
type Impostor = (&'static str, fn(u16) -> Vec<u8>, &'static str);

fn impostors() -> Vec<Impostor> {
    vec![
        (
            "a login page",
            |_| http("200 OK", "content-type: text/html\r\n", "<html>Welcome to the hotel"),
            "Welcome to the hotel",
        ),
        (
            "JSON that is no receipt",
            |_| http("200 OK", "content-type: application/json\r\n", "{\"ok\":true}"),
            "200",
        ),
        (
            "a forged receipt",
            |_| {
                http(
                    "200 OK",
                    "content-type: application/json\r\n",
                    "{\"payload\":{\"v\":1},\"signature\":\"AAAA\"}",
                )
            },
            "signature",
        ),
        (
            "a cut body",
            |_| {
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"pay"
                    .to_vec()
            },
            "途切れました",
        ),
        (
            "a redirect to itself",
            |port| http("302 Found", &format!("location: http://127.0.0.1:{port}/api/v1/events\r\n"), ""),
            "302",
        ),
        (
            "a proxy's error",
            |_| http("502 Bad Gateway", "content-type: text/html\r\n", "<h1>Bad Gateway</h1>"),
            "502",
        ),
        (
            "our own server in trouble",
            |_| http("500 Internal Server Error", "mngntime-server: 1\r\n", ""),
            "サーバー内部エラーです。HTTPステータスコード:500",
        ),
        ("silence", |_| Vec::new(), "打刻失敗"),
    ]
}

#[test]
fn no_impostor_makes_the_agent_forget_an_event() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    office.agent.stop()?;
    office.server.stop()?;
    let rounds = impostors();
    for (number, (what, answer, word)) in rounds.iter().enumerate() {
        let fake = FakeServer::start(office.server.port(), *answer)?;
        let name = format!("user{number}");
        office.bus.open_session(&number.to_string(), 2000 + u32::try_from(number)?, &name)?;
        office.agent.start()?;
        office
            .agent
            .wait_for_line(&["LOGON[", &format!("\\{name}]:打刻失敗"), word])
            .with_context(|| format!("answer: {what}"))?;
        wait_for("a second try", || Ok((fake.requests() > 1).then_some(())))?;
        office.agent.stop()?;
        assert!(office.agent.waiting()? > 0, "{what}");
    }
    assert!(office.server.punches()?.is_empty());
    office.server.start()?;
    office.agent.start()?;
    for number in 0..rounds.len() {
        office.server.wait_for_punches(&format!("user{number}"), 1)?;
    }
    Ok(())
}

/// One who never comes to an end: name, what it begins with, what it goes on with, and its pause.
type Drip = (&'static str, &'static str, &'static str, Duration);

const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const BODY: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{";

/// Neither a byte a second, which keeps every single read alive, nor a body without end holds the agent: the
/// exchange has an end of its own, and the event waits for a better answer. Side by side, because each takes
/// as long as the agent allows.
#[test]
fn an_answer_without_an_end_is_given_up_and_the_event_is_kept() -> Result<()> {
    let second = Duration::from_secs(1);
    let rounds: [Drip; 3] = [
        ("a head that drips", JSON, "x", second),
        ("a body that drips", BODY, " ", second),
        ("a body without end", BODY, " ", Duration::ZERO),
    ];
    std::thread::scope(|scope| {
        let running = rounds.map(|round| scope.spawn(move || gives_up(round).context(round.0)));
        running.into_iter().try_for_each(|round| round.join().expect("a round panicked"))
    })
}

fn gives_up((_, beginning, rest, pause): Drip) -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    office.server.stop()?;
    let fake = FakeServer::start_endless(office.server.port(), beginning, rest, pause)?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.agent.wait_for_line(&["LOGON[", "\\hanako]:打刻失敗"])?;
    wait_for("a second try", || Ok((fake.requests() > 1).then_some(())))?;
    assert!(office.agent.waiting()? > 0);
    drop(fake);
    office.server.start()?;
    let punches = office.server.wait_for_punches("hanako", 1)?;
    assert_eq!(kinds_and_how(&punches), [("logon", "resent")]);
    assert!(office.agent.stop()?);
    Ok(())
}

#[test]
fn a_blocked_terminal_keeps_its_events_and_unblocking_makes_them_good() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    let terminals = office.server.command(&["terminal", "list", "--contract", CONTRACT], None)?;
    let listed = String::from_utf8(terminals.stdout)?;
    let id = listed.split_whitespace().find(|word| word.len() == 36).context(listed.clone())?.to_owned();
    office.server.command(&["terminal", "block", "--contract", CONTRACT, "--terminal", &id], None)?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.agent.wait_for_line(&["LOGON[", "[res=6] この端末は使えません。"])?;
    assert!(office.agent.waiting()? > 0);
    let punches = office.server.wait_for_punches("hanako", 1)?;
    assert_eq!(punches[0]["res"], 6, "stored all the same");
    office.server.command(&["terminal", "unblock", "--contract", CONTRACT, "--terminal", &id], None)?;
    wait_for("the punch to be judged again", || Ok((office.server.punches()?[0]["res"] == 7).then_some(())))?;
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

#[test]
fn a_state_directory_that_is_open_to_others_or_no_directory_is_refused_with_the_cure() -> Result<()> {
    let office = Office::open()?;
    fs::create_dir_all(office.agent.state())?;
    set_mode(&office.agent.state(), 0o777)?;
    let output = office.agent.run(&["run"])?;
    let message = String::from_utf8(output.stderr)?;
    assert!(!output.status.success() && message.contains("chmod 700"), "{message}");
    fs::remove_dir_all(office.agent.state())?;
    fs::write(office.agent.state(), "a file")?;
    let output = office.agent.run(&["run"])?;
    let message = String::from_utf8(output.stderr)?;
    assert!(!output.status.success() && message.contains("state"), "{message}");
    Ok(())
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() -> Result<()> {
    let mut office = Office::open()?;
    private_directory(&office.agent.state())?;
    let mount = Tmpfs::mount(&office.agent.state(), "2m")?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    let filler = office.agent.state().join("filler");
    // Takes what is free, and then what the reserve gives back.
    fill(&filler)?;
    fs::remove_file(office.agent.state().join("journal/reserve"))?;
    fill(&filler)?;
    // The last page of the journal still has room for some records, but not for twenty.
    for number in 0..20 {
        office.bus.open_session(&number.to_string(), 1000 + number, &format!("user{number}"))?;
    }
    office.agent.wait_for_line(&["error", "記録をディスクに保存できません"])?;
    assert!(office.server.punches()?.len() < 20, "nothing is sent before it is on disk");
    fs::remove_file(&filler)?;
    for number in 0..20 {
        office.server.wait_for_punches(&format!("user{number}"), 1)?;
    }
    assert_eq!(office.server.punches()?.len(), 20, "and nothing twice");
    office.agent.wait_for_line(&["記録をディスクに保存できるようになりました"])?;
    office.agent.stop()?;
    drop(mount);
    Ok(())
}

#[test]
fn a_spoilt_heartbeat_does_not_confuse_the_start() -> Result<()> {
    let mut office = Office::open()?;
    office.agent.start()?;
    office.agent.wait_until_idle()?;
    office.agent.kill()?;
    fs::write(office.agent.state().join("journal/heartbeat"), vec![0xff; 1024])?;
    office.bus.open_session("1", 1000, "hanako")?;
    office.agent.start()?;
    office.server.wait_for_punches("hanako", 1)?;
    Ok(())
}

#[test]
fn a_read_only_state_directory_is_named_and_nothing_is_lost_when_it_is_mended() -> Result<()> {
    let mut office = Office::open()?;
    private_directory(&office.agent.state())?;
    let mount = Tmpfs::mount(&office.agent.state(), "2m,ro")?;
    office.bus.open_session("1", 1000, "hanako")?;
    let output = office.agent.run(&["run"])?;
    let message = String::from_utf8(output.stderr)?;
    assert!(!output.status.success() && message.contains("Read-only"), "{message}");
    assert!(message.contains(&office.agent.state().display().to_string()), "{message}");
    drop(mount);
    office.agent.start()?;
    let punches = office.server.wait_for_punches("hanako", 1)?;
    assert_eq!(kinds_and_how(&punches), [("logon", "found_at_start")]);
    Ok(())
}

#[test]
fn punch_prints_the_line_of_the_event_log_and_says_by_its_status_what_became_of_it() -> Result<()> {
    let mut office = Office::open()?;
    // Without a session, logind's answer is an error.
    let output = office.agent.run(&["punch", "logon"])?;
    let message = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("session"), "{message}");
    let output = office.agent.run(&["punch", "lunch"])?;
    assert_eq!(output.status.code(), Some(2), "bad use");
    office.bus.open_session("1", 1000, "hanako")?;
    punches(&office, "logon", 3, &["LOGON[", "\\hanako]:打刻失敗 [res=7] このユーザーは使えません。"])?;
    office.server.link_account("E0341")?;
    punches(&office, "logoff", 0, &["LOGOFF[", "\\hanako]:打刻完了"])?;
    office.server.stop()?;
    punches(&office, "logon", 4, &["LOGON[", "\\hanako]:打刻失敗 ネットワーク"])?;
    assert!(office.agent.waiting()? > 0, "kept");
    office.server.start()?;
    punches(&office, "logoff", 0, &["LOGOFF[", "\\hanako]:打刻完了"])?;
    let punches = office.server.wait_for_punches("hanako", 4)?;
    let kinds = ["logon", "logoff", "logon", "logoff"];
    assert!(kinds_and_how(&punches).iter().map(|(kind, _)| *kind).eq(kinds), "{punches:?}");
    Ok(())
}

#[test]
fn doctor_says_which_stage_fails_and_what_to_do() -> Result<()> {
    let mut office = Office::open()?;
    let fine = office.agent.run(&["doctor"])?;
    let report = String::from_utf8(fine.stdout)?;
    assert!(report.contains("ok    server"), "{report}");
    office.server.stop()?;
    let wrong = office.agent.run(&["doctor"])?;
    let report = String::from_utf8(wrong.stdout)?;
    assert!(!wrong.status.success() && report.contains("WRONG server") && report.contains("-> "), "{report}");
    Ok(())
}
