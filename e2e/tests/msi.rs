//! The installer's life on a PC, under Wine's Windows Installer and service manager, against the real server:
//! installed, upgraded, refused, removed, installed again, purged; and the agent that it installed, killed and
//! restarted at every stage, with a spool that is full, read-only, damaged or asked for twice.
//!
//! Four things Wine 8 does otherwise than Windows, and what that means here:
//! - its installer asks the service to end, but does not wait until it has, and then cannot delete the program;
//!   the tests end the service first;
//! - its installer deletes no wildcards, so after `PURGE=1` segments of the journal are left;
//! - the removal of the old product in an upgrade makes Wine forget that the new one belongs to the same
//!   family; the downgrade is therefore tried on a fresh installation, not after an upgrade;
//! - it ignores `MsiServiceConfig`, `MsiServiceConfigFailureActions` and `MsiLockPermissionsEx`; that the
//!   package has them is tested in `msi_tables.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::server::{CONTRACT, Server, text};
use mngntime_e2e::windows_pc::{
    EXE, LOGOFF, LOGON, NAME, READ_SESSIONS, SESSIONS, service_process, tell_sessions,
};
use mngntime_e2e::wine::{ServiceState, Wine, prefix_from_environment, windows_path};
use mngntime_e2e::{root, wait_for};
use serde_json::{Value, json};

const MESSAGE_FILE: &str = r"C:\Program Files\MngnTime\MngnTimeMsg1.dll";
const DATA: &str = r"C:\ProgramData\MngnTime";
const STATE: &str = r"C:\ProgramData\MngnTime\state";
const JOURNAL: &str = r"C:\ProgramData\MngnTime\state\journal";
const CONFIG: &str = r"C:\ProgramData\MngnTime\config.toml";
const SETTINGS_KEY: &str = r"HKLM\SOFTWARE\MngnTime\Agent";
const SECRET_KEY: &str = r"HKLM\SOFTWARE\MngnTime\Agent\Secret";
const SETUP_KEY: &str = r"HKLM\SOFTWARE\MngnTime\Setup";
const SERVICE_KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\MngnTimeCliSvc";
const EVENT_SOURCE_KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\MngnTime";
const PRODUCTS_KEY: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
/// What makes tests quick; no word of where to send, which is the installer's business.
const TEMPO: &str = "retry_cap_seconds = 2\nreconcile_seconds = 2\nheartbeat_seconds = 1\n";
/// ERROR_INSTALL_FAILURE as a status of this machine, which keeps the lowest eight bits.
const INSTALL_FAILURE: i32 = 1603 & 0xff;

/// A Windows on which nothing of ours is installed at first.
struct Pc {
    wine: Wine,
}

/// A session as the side file tells of it: its number and user. The logon's identity follows from the number.
type Session<'a> = (u32, &'a str);

/// This version, or the next one that an upgrade brings.
fn version(is_next: bool) -> String {
    let own = env!("CARGO_PKG_VERSION");
    let (head, patch) = own.rsplit_once('.').unwrap_or((own, "0"));
    format!("{head}.{}", patch.parse::<u32>().unwrap_or(0) + u32::from(is_next))
}

fn package(is_next: bool, culture: &str) -> Result<PathBuf> {
    let name = format!("MngnTime-{}-x64-{culture}.msi", version(is_next));
    let path = root().join("dist/windows-test").join(name);
    ensure!(path.exists(), "{} is missing; run the tests with: cargo xtask test", path.display());
    Ok(path)
}

fn properties(server: &Server) -> Vec<String> {
    vec![
        format!("SERVER_URL={}", server.url()),
        format!("CONTRACT_CODE={CONTRACT}"),
        format!("ENROLLMENT_KEY={}", server.enrollment_key),
        "PROXY=none".to_owned(),
    ]
}

impl Pc {
    fn open() -> Result<Self> {
        let pc = Self { wine: Wine::start(&prefix_from_environment(&root()))? };
        pc.clean()?;
        pc.wine.write(CONFIG, TEMPO.as_bytes())?;
        Ok(pc)
    }

    /// Removes what an earlier run that was cut off has left.
    fn clean(&self) -> Result<()> {
        for (is_next, culture) in [(true, "en-US"), (true, "ja-JP"), (false, "ja-JP")] {
            if self.has_key(SETUP_KEY)? {
                self.msiexec("/x", &package(is_next, culture)?, &[])?;
            }
        }
        // By the command of the same name, for other tests use it.
        let _not_there = self.wine.run(EXE, &["uninstall"]);
        for key in [r"HKLM\SOFTWARE\MngnTime", EVENT_SOURCE_KEY] {
            let _not_there = self.wine.run("reg", &["delete", key, "/f"]);
        }
        for folder in [DATA, r"C:\Program Files\MngnTime"] {
            let _not_there = fs::remove_dir_all(self.wine.file(folder)?);
        }
        Ok(())
    }

    fn msiexec(&self, action: &str, package: &Path, properties: &[String]) -> Result<i32> {
        let package = windows_path(package)?;
        let mut arguments = vec![action, &package, "/qn"];
        arguments.extend(properties.iter().map(String::as_str));
        let output = self.wine.run_tracing("-all,err+all", "msiexec", &arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        // A test that fails shows what Wine had to say; its status alone has once been a mere 1.
        eprintln!("msiexec {action}: {} {}", output.status, said.trim());
        output.status.code().with_context(|| said.into_owned())
    }

    fn install(&self, is_next: bool, culture: &str, properties: &[String]) -> Result<()> {
        self.stop_if_there()?;
        let status = self.msiexec("/i", &package(is_next, culture)?, properties)?;
        ensure!(status == 0, "msiexec /i {} {culture}: status {status}", version(is_next));
        self.wine.wait_for_service(NAME, ServiceState::Running)
    }

    fn uninstall(&self, is_next: bool, culture: &str, properties: &[String]) -> Result<()> {
        self.stop_if_there()?;
        let status = self.msiexec("/x", &package(is_next, culture)?, properties)?;
        ensure!(status == 0, "msiexec /x {} {culture}: status {status}", version(is_next));
        // The SCM keeps a deleted service until its process has ended.
        wait_for("the service is gone", || Ok(self.wine.service_state(NAME)?.is_none().then_some(())))?;
        Ok(())
    }

    fn stop_if_there(&self) -> Result<()> {
        if self.wine.service_state(NAME)? == Some(ServiceState::Running) {
            self.wine.stop_service(NAME)?;
        }
        Ok(())
    }

    fn has_key(&self, key: &str) -> Result<bool> {
        Ok(self.wine.run("reg", &["query", key])?.status.success())
    }

    /// A value's text; empty when it is not there.
    fn value(&self, key: &str, name: &str) -> Result<String> {
        let output = self.wine.run("reg", &["query", key, "/v", name])?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
        Ok(line.splitn(4, "    ").nth(3).unwrap_or_default().trim().to_owned())
    }

    /// Versions and languages under which the product is listed for the user.
    fn products(&self) -> Result<Vec<String>> {
        let output = self.wine.run("reg", &["query", PRODUCTS_KEY, "/s"])?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let named = |line: &&str| line.contains(" DisplayVersion ") || line.contains(" Language ");
        Ok(said
            .lines()
            .filter(named)
            .filter_map(|line| line.split_whitespace().last())
            .map(str::to_owned)
            .collect())
    }

    /// What the session list shows from now on, and the notice that comes with it.
    fn sessions(&self, sessions: &[Session<'_>], notice: Option<(u32, u32)>) -> Result<()> {
        let listed: Vec<Value> = sessions.iter().map(session).collect();
        tell_sessions(&self.wine, &listed, notice)
    }

    fn wait_for_line(&self, beginning: &str) -> Result<()> {
        self.wine.wait_for_line(beginning, |line| line.text.starts_with(beginning)).map(|_| ())
    }

    /// `kill -9` for the service's process, and a start by hand: Wine restarts nothing and goes on showing the
    /// dead service as running.
    fn kill_and_restart(&self) -> Result<()> {
        let process = service_process()?;
        let id = process.file_name().context("a process without an id")?;
        ensure!(Command::new("kill").arg("-9").arg(id).status()?.success(), "kill -9 {}", id.display());
        let gone = || Ok((!process.exists()).then_some(()));
        wait_for("the killed process to be gone", gone)?;
        self.wine.start_service(NAME)
    }

    fn restart(&self) -> Result<()> {
        self.wine.stop_service(NAME)?;
        self.wine.start_service(NAME)
    }

    /// A line of `status`, without its name.
    fn status(&self, name: &str) -> Result<String> {
        let output = self.wine.run(EXE, &["status"])?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        Ok(line.with_context(|| format!("status does not tell {name}: {said}"))?.trim().to_owned())
    }

    fn wait_until_idle(&self) -> Result<()> {
        wait_for("every event to have its receipt", || Ok((self.status("waiting")? == "0").then_some(())))
    }

    fn check_journal(&self) -> Result<()> {
        let fsck = self.wine.run(EXE, &["fsck"])?;
        ensure!(fsck.status.success(), "fsck: {}", String::from_utf8_lossy(&fsck.stdout));
        Ok(())
    }

    fn exists(&self, path: &str) -> Result<bool> {
        Ok(self.wine.file(path)?.exists())
    }
}

fn session((id, user): &Session<'_>) -> Value {
    json!({"id": id, "user": user, "domain": "EXAMPLE", "sid": format!("S-1-5-21-1-2-3-{}", 1000 + id),
           "luid": 1000 + id, "logon_at_ms": 1_764_000_000_000_i64, "protocol": 0, "lock_flag": 1})
}

fn kinds(punches: &[Value]) -> Vec<&str> {
    let mut rows: Vec<_> = punches.iter().map(|punch| (punch["seq"].as_u64(), text(punch, "kind"))).collect();
    rows.sort_by_key(|(sequence, _)| *sequence);
    rows.into_iter().map(|(_, kind)| kind).collect()
}

fn started_server(directory: &Path) -> Result<Server> {
    let mut server = Server::create(directory, false)?;
    server.start()?;
    Ok(server)
}

#[test]
fn installed_upgraded_removed_and_installed_again_nothing_is_lost_and_nothing_doubled() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = started_server(directory.path())?;
    let pc = Pc::open()?;
    before_enrolment(&pc, &mut server)?;
    at_a_notice_and_in_an_outage(&pc, &mut server)?;
    let terminal = pc.status("terminal")?;
    upgraded_while_somebody_works(&pc, &mut server)?;
    assert_eq!(pc.status("terminal")?, terminal, "an upgrade keeps the identity");
    removed_and_installed_again(&pc, &server)?;
    assert_eq!(pc.status("terminal")?, terminal, "the spool kept the identity");
    a_newer_version_stays_and_the_other_language_takes_over(&pc)?;
    assert_eq!(kinds(&server.wait_for_punches("hanako", 1)?), ["logon"], "she never logged on again");
    assert_eq!(kinds(&server.wait_for_punches("taro", 2)?), ["logon", "logoff"]);
    assert_eq!(kinds(&server.wait_for_punches("jiro", 1)?), ["logon"]);
    assert_eq!(server.punches()?.len(), 4);
    pc.check_journal()?;
    purged(&pc)
}

fn before_enrolment(pc: &Pc, server: &mut Server) -> Result<()> {
    server.stop()?;
    pc.install(false, "ja-JP", &properties(server))?;
    assert!(pc.exists(MESSAGE_FILE)?);
    assert_eq!(pc.value(SETTINGS_KEY, "server_url")?, server.url());
    assert_eq!(pc.value(SETTINGS_KEY, "contract_code")?, CONTRACT);
    assert_eq!(pc.value(SETTINGS_KEY, "proxy")?, "none");
    assert_eq!(pc.value(SECRET_KEY, "enrollment_key")?, server.enrollment_key);
    assert_eq!(pc.value(EVENT_SOURCE_KEY, "EventMessageFile")?, MESSAGE_FILE);
    assert_eq!(pc.value(EVENT_SOURCE_KEY, "TypesSupported")?, "0x7");
    assert_eq!(pc.value(SERVICE_KEY, "Start")?, "0x2", "automatic");
    assert_eq!(pc.value(SERVICE_KEY, "ObjectName")?, "LocalSystem");
    let command_line = pc.value(SERVICE_KEY, "ImagePath")?;
    assert_eq!(
        command_line,
        format!("\"{EXE}\" service"),
        "Wine's installer quotes nothing; the service does"
    );

    pc.sessions(&[(3, "hanako")], Some((3, LOGON)))?;
    pc.wait_for_line(r"LOGON[EXAMPLE\hanako]:打刻失敗")?;
    pc.restart()?;
    pc.kill_and_restart()?;
    server.start()?;
    server.wait_for_punches("hanako", 1)?;
    pc.wait_until_idle()
}

fn at_a_notice_and_in_an_outage(pc: &Pc, server: &mut Server) -> Result<()> {
    pc.sessions(&[(3, "hanako"), (4, "taro")], Some((4, LOGON)))?;
    pc.kill_and_restart()?;
    server.wait_for_punches("taro", 1)?;
    pc.restart()?;
    server.stop()?;
    pc.sessions(&[(3, "hanako")], Some((4, LOGOFF)))?;
    pc.wait_for_line(r"LOGOFF[EXAMPLE\taro]:打刻失敗")?;
    pc.kill_and_restart()?;
    pc.restart()?;
    server.start()?;
    let taro = server.wait_for_punches("taro", 2)?;
    assert_eq!(kinds(&taro), ["logon", "logoff"]);
    pc.wait_until_idle()
}

fn upgraded_while_somebody_works(pc: &Pc, server: &mut Server) -> Result<()> {
    server.stop()?;
    pc.sessions(&[(3, "hanako"), (5, "jiro")], Some((5, LOGON)))?;
    pc.wait_for_line(r"LOGON[EXAMPLE\jiro]:打刻失敗")?;
    let waiting = pc.status("waiting")?;
    assert_ne!(waiting, "0");
    let url = pc.value(SETTINGS_KEY, "server_url")?;
    pc.install(true, "ja-JP", &["PROXY=system".to_owned()])?;
    assert_eq!(pc.products()?, [version(true).as_str(), "0x411"], "the old product is gone");
    assert_eq!(pc.value(SETTINGS_KEY, "proxy")?, "system", "the command line wins");
    assert_eq!(pc.value(SETTINGS_KEY, "server_url")?, url, "what it does not say stays");
    assert_eq!(pc.value(SECRET_KEY, "enrollment_key")?, server.enrollment_key);
    server.start()?;
    server.wait_for_punches("jiro", 1)?;
    pc.wait_until_idle()
}

fn removed_and_installed_again(pc: &Pc, server: &Server) -> Result<()> {
    pc.uninstall(true, "ja-JP", &[])?;
    assert!(!pc.exists(EXE)?);
    assert!(!pc.has_key(SETTINGS_KEY)? && !pc.has_key(SECRET_KEY)?, "the values are gone");
    assert!(pc.exists(MESSAGE_FILE)? && pc.has_key(EVENT_SOURCE_KEY)?, "old lines stay readable");
    assert!(pc.exists(&format!(r"{STATE}\device.key"))? && pc.exists(CONFIG)?, "the spool stays");
    assert_eq!(pc.products()?, Vec::<String>::new());
    pc.install(true, "ja-JP", &properties(server)[..3])?;
    assert_eq!(pc.value(SETTINGS_KEY, "proxy")?, "", "nothing is written for what was not given");
    pc.wait_until_idle()
}

fn a_newer_version_stays_and_the_other_language_takes_over(pc: &Pc) -> Result<()> {
    let refused = pc.msiexec("/i", &package(false, "en-US")?, &[])?;
    assert_eq!(refused, INSTALL_FAILURE, "a downgrade");
    assert_eq!(pc.products()?, [version(true).as_str(), "0x411"]);
    assert_eq!(pc.wine.service_state(NAME)?, Some(ServiceState::Running));
    // Wine's SCM refuses a start while the process of the stop before is still ending.
    pc.stop_if_there()?;
    assert_eq!(pc.msiexec("/i", &package(true, "ja-JP")?, &[])?, 0, "the same package once more");
    assert_eq!(pc.wine.service_state(NAME)?, Some(ServiceState::Running));
    assert_eq!(pc.products()?, [version(true).as_str(), "0x411"]);
    pc.install(true, "en-US", &[])?;
    assert_eq!(pc.products()?, [version(true).as_str(), "0x409"], "the same version in the other language");
    Ok(())
}

fn purged(pc: &Pc) -> Result<()> {
    pc.uninstall(true, "en-US", &["PURGE=1".to_owned()])?;
    assert!(!pc.has_key(SETTINGS_KEY)? && !pc.has_key(SETUP_KEY)? && !pc.has_key(EVENT_SOURCE_KEY)?);
    assert!(!pc.exists(r"C:\Program Files\MngnTime")? && !pc.exists(CONFIG)?);
    for path in [format!(r"{STATE}\device.key"), format!(r"{STATE}\lock"), format!(r"{JOURNAL}\reserve")] {
        assert!(!pc.exists(&path)?, "{path}");
    }
    // Wine deletes no wildcards; what is left fell to one of them.
    let left = fs::read_dir(pc.wine.file(JOURNAL)?)?.flatten().map(|entry| entry.path());
    let strange: Vec<PathBuf> = left.filter(|path| path.extension().is_none_or(|e| e != "journal")).collect();
    assert!(strange.is_empty(), "{strange:?}");
    Ok(())
}

/// An agent that is enrolled and has sent hanako's logon.
fn working(server: &Server) -> Result<Pc> {
    let pc = Pc::open()?;
    pc.install(false, "ja-JP", &properties(server))?;
    pc.sessions(&[(3, "hanako")], Some((3, LOGON)))?;
    server.wait_for_punches("hanako", 1)?;
    pc.wait_until_idle()?;
    Ok(pc)
}

fn done(pc: &Pc) -> Result<()> {
    pc.uninstall(false, "ja-JP", &["PURGE=1".to_owned()])
}

#[test]
fn a_second_agent_is_refused_and_the_first_goes_on() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let server = started_server(directory.path())?;
    let pc = working(&server)?;
    let second = pc.wine.run(EXE, &["run"])?;
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && said.contains("another MngnTime agent is using"), "{said}");
    assert_eq!(pc.wine.service_state(NAME)?, Some(ServiceState::Running));
    pc.sessions(&[(3, "hanako"), (4, "taro")], Some((4, LOGON)))?;
    server.wait_for_punches("taro", 1)?;
    pc.wait_until_idle()?;
    assert_eq!(server.punches()?.len(), 2);
    pc.check_journal()?;
    done(&pc)
}

#[test]
fn a_read_only_spool_is_named_and_nothing_is_lost_when_it_is_mended() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let server = started_server(directory.path())?;
    let pc = working(&server)?;
    pc.wine.stop_service(NAME)?;
    let listed: Vec<Value> = [(3, "hanako"), (4, "taro")].iter().map(session).collect();
    pc.wine.write(SESSIONS, json!({ "sessions": listed }).to_string().as_bytes())?;
    let mount = Mount::read_only(&pc.wine.file(STATE)?)?;
    let _refused = pc.wine.run("sc", &["start", NAME])?;
    pc.wine.wait_for_line("the folder", |line| line.text.starts_with(NAME) && line.text.contains("state"))?;
    pc.wine.wait_for_service(NAME, ServiceState::Stopped)?;
    drop(mount);
    pc.wine.start_service(NAME)?;
    let taro = server.wait_for_punches("taro", 1)?;
    assert_eq!(text(&taro[0], "how"), "found_at_start", "{taro:?}");
    pc.wait_until_idle()?;
    assert_eq!(server.punches()?.len(), 2);
    done(&pc)
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let server = started_server(directory.path())?;
    let pc = working(&server)?;
    pc.wine.stop_service(NAME)?;
    let state = pc.wine.file(STATE)?;
    let mount = Mount::small(&state, "4m")?;
    pc.wine.start_service(NAME)?;
    fill(&state.join("filler"))?;
    // What the reserve gives back is taken too.
    fs::remove_file(state.join("journal/reserve"))?;
    fill(&state.join("filler"))?;
    // The last page of the journal has room for some records, but not for twenty.
    let names: Vec<String> = (0..20).map(|number| format!("user{number}")).collect();
    let many: Vec<Session<'_>> = (10..).zip(names.iter().map(String::as_str)).collect();
    let side_file = directory.path().join("sessions.json");
    let listed: Vec<Value> = many.iter().map(session).collect();
    fs::write(&side_file, json!({ "sessions": listed }).to_string())?;
    // The side file lies on the full disk: its old text makes room for nothing, so it is a link to elsewhere.
    fs::remove_file(pc.wine.file(SESSIONS)?)?;
    std::os::unix::fs::symlink(&side_file, pc.wine.file(SESSIONS)?)?;
    fill(&state.join("filler"))?;
    pc.wine.control(NAME, READ_SESSIONS)?;
    pc.wait_for_line("記録をディスクに保存できません")?;
    assert!(server.punches()?.len() < 21, "nothing is sent before it is on disk");
    fs::remove_file(state.join("filler"))?;
    for name in &names {
        server.wait_for_punches(name, 1)?;
    }
    pc.wait_for_line("記録をディスクに保存できるようになりました")?;
    pc.wait_until_idle()?;
    let logons = server.punches()?.iter().filter(|punch| text(punch, "kind") == "logon").count();
    assert_eq!(logons, 21, "and nothing twice");
    pc.wine.stop_service(NAME)?;
    drop(mount);
    done(&pc)
}

#[test]
fn a_damaged_record_does_not_hold_up_the_others() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = started_server(directory.path())?;
    let pc = working(&server)?;
    server.stop()?;
    pc.sessions(&[(3, "hanako"), (4, "taro")], Some((4, LOGON)))?;
    pc.wait_for_line(r"LOGON[EXAMPLE\taro]:打刻失敗")?;
    pc.sessions(&[(3, "hanako"), (4, "taro"), (5, "jiro")], Some((5, LOGON)))?;
    pc.wait_for_line(r"LOGON[EXAMPLE\jiro]:打刻失敗")?;
    pc.wine.stop_service(NAME)?;
    flip_a_bit(&newest_segment(&pc.wine.file(JOURNAL)?)?, b"taro")?;
    let fsck = pc.wine.run(EXE, &["fsck"])?;
    let said = String::from_utf8_lossy(&fsck.stdout);
    assert!(!fsck.status.success() && said.contains("damaged segment="), "{said}");
    pc.wine.start_service(NAME)?;
    server.start()?;
    assert_eq!(kinds(&server.wait_for_punches("jiro", 1)?), ["logon"], "what came after the damage");
    let taro = server.wait_for_punches("taro", 1)?;
    assert_eq!(text(&taro[0], "how"), "found_at_start", "he is still logged on: {taro:?}");
    pc.sessions(&[(3, "hanako"), (4, "taro")], Some((5, LOGOFF)))?;
    server.wait_for_punches("jiro", 2)?;
    assert_eq!(server.punches()?.len(), 4, "hanako, taro, jiro twice");
    done(&pc)
}

fn newest_segment(journal: &Path) -> Result<PathBuf> {
    let files = fs::read_dir(journal)?.flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|e| e == "journal")).max().context("no segment")
}

/// Spoils the last place where `word` stands.
fn flip_a_bit(path: &Path, word: &[u8]) -> Result<()> {
    let mut bytes = fs::read(path)?;
    let place = bytes.windows(word.len()).rposition(|window| window == word);
    bytes[place.with_context(|| format!("{} does not hold the word", path.display()))?] ^= 1;
    fs::write(path, bytes).context("write the damaged segment")
}

fn fill(path: &Path) -> Result<()> {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    while file.write(&[0; 512]).is_ok_and(|written| written > 0) {}
    Ok(())
}

/// A file system over a folder, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    /// The folder itself, read-only.
    fn read_only(folder: &Path) -> Result<Self> {
        mount(&["--bind".as_ref(), folder.as_os_str(), folder.as_os_str()])?;
        let mounted = Self(folder.to_owned());
        mount(&["-o".as_ref(), "remount,bind,ro".as_ref(), folder.as_os_str()])?;
        Ok(mounted)
    }

    /// A small one that holds what the folder holds.
    fn small(folder: &Path, size: &str) -> Result<Self> {
        let aside = folder.with_extension("aside");
        ensure!(Command::new("cp").arg("-a").arg(folder).arg(&aside).status()?.success(), "copy the spool");
        let options = format!("size={size},mode=700");
        mount(&[
            "-t".as_ref(),
            "tmpfs".as_ref(),
            "-o".as_ref(),
            options.as_ref(),
            "tmpfs".as_ref(),
            folder.as_os_str(),
        ])?;
        let mounted = Self(folder.to_owned());
        let contents = aside.join(".");
        ensure!(
            Command::new("cp").arg("-a").arg(&contents).arg(folder).status()?.success(),
            "copy the spool"
        );
        fs::remove_dir_all(&aside)?;
        Ok(mounted)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ended = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(arguments: &[&std::ffi::OsStr]) -> Result<()> {
    let status = Command::new("mount").args(arguments).status()?;
    ensure!(status.success(), "mount {arguments:?}: {status}; the tests run as root");
    Ok(())
}
