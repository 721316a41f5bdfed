//! A Windows PC under Wine with the agent installed as a service by its own `install` command.
//!
//! Wine 8 lists no sessions, so the test build takes them from a side file (feature `simulated-sessions`);
//! everything behind that list is what is shipped.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::root;
use crate::server::{CONTRACT, Server};
use crate::wine::{ServiceState, Wine, prefix_from_environment};

/// The installed program.
pub const EXE: &str = r"C:\Program Files\MngnTime\MngnTimeCliSvc.exe";
/// The service.
pub const NAME: &str = "MngnTimeCliSvc";
const CONFIG: &str = r"C:\ProgramData\MngnTime\config.toml";
/// The device key, or where it is.
pub const DEVICE_KEY: &str = r"C:\ProgramData\MngnTime\state\device.key";
/// Switches the TPM on that `e2e/wine/ncrypt.c` puts into Wine.
pub const TPM: &str = r"C:\mngntime-test-tpm";
/// Switches its software key store on.
pub const SOFTWARE_STORE: &str = r"C:\mngntime-test-cng";
/// Where it keeps keys.
pub const STORED_KEYS: &str = r"C:\mngntime-test-keys";
/// The side file of the test build.
pub const SESSIONS: &str = r"C:\ProgramData\MngnTime\state\simulated-sessions.json";
/// SCM code of the test build: read the side file.
pub const READ_SESSIONS: u32 = 200;
/// SCM code of the test build: deliver the notice in the side file.
pub const NOTICE: u32 = 201;
/// `WTS_SESSION_LOGON`
pub const LOGON: u32 = 5;
/// `WTS_SESSION_UNLOCK`
pub const UNLOCK: u32 = 8;
/// `WTS_SESSION_LOGOFF`
pub const LOGOFF: u32 = 6;

/// The test build of the agent.
///
/// # Errors
/// When it has not been built.
pub fn program() -> Result<PathBuf> {
    let path = root().join("dist/windows-test/MngnTimeCliSvc.exe");
    ensure!(path.exists(), "{} is missing; run the tests with: cargo xtask test", path.display());
    Ok(path)
}

/// The PC.
pub struct Pc {
    /// Its Windows.
    pub wine: Wine,
}

impl Pc {
    /// Installs the agent afresh, on a PC without a key store, as Wine is.
    ///
    /// # Errors
    /// When Wine is not prepared or a step fails.
    pub fn install(server: &Server) -> Result<Self> {
        Self::install_with(server, &[])
    }

    /// Installs the agent afresh on a PC whose new keys are made in the first of `stores`, and waits until the
    /// service runs.
    ///
    /// # Errors
    /// When Wine is not prepared or a step fails.
    pub fn install_with(server: &Server, stores: &[&str]) -> Result<Self> {
        let wine = Wine::start(&prefix_from_environment(&root()))?;
        // Of an earlier run that was cut off.
        let _ = wine.run(EXE, &["uninstall"]);
        let _ = fs::remove_dir_all(wine.file(r"C:\ProgramData\MngnTime")?);
        let _ = fs::remove_dir_all(wine.file(STORED_KEYS)?);
        for store in [TPM, SOFTWARE_STORE] {
            let _ = fs::remove_file(wine.file(store)?);
        }
        for store in stores {
            wine.write(store, b"")?;
        }
        wine.put(&program()?, EXE)?;
        let config = format!(
            "server_url = \"{}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{}\"\nproxy = \"none\"\nretry_cap_seconds = 2\nreconcile_seconds = 2\nheartbeat_seconds = 1\n",
            server.url(),
            server.enrollment_key
        );
        wine.write(CONFIG, config.as_bytes())?;
        let installed = wine.run(EXE, &["install"])?;
        ensure!(installed.status.success(), "install: {}", String::from_utf8_lossy(&installed.stderr));
        wine.wait_for_service(NAME, ServiceState::Running)?;
        Ok(Self { wine })
    }

    /// What a command of the program prints, whatever its exit code.
    ///
    /// # Errors
    /// When it does not end.
    pub fn said(&self, command: &str) -> Result<String> {
        let output = self.wine.run(EXE, &[command])?;
        Ok([output.stdout, output.stderr].iter().map(|part| String::from_utf8_lossy(part)).collect())
    }

    /// Waits for an event log line with this beginning.
    ///
    /// # Errors
    /// When none comes.
    pub fn wait_for_line(&self, beginning: &str) -> Result<()> {
        self.wine.wait_for_line(beginning, |line| line.text.starts_with(beginning)).map(|_| ())
    }

    /// What the session list shows from now on, and the notice (session, reason) that comes with it.
    ///
    /// # Errors
    /// When the service does not take the controls.
    pub fn sessions(&self, names: &[&str], notice: Option<(u32, u32)>) -> Result<()> {
        let sessions: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(number, name)| {
                json!({"id": number + 3, "user": name, "domain": "EXAMPLE", "sid": format!("S-1-5-21-1-2-3-{name}"),
                       "luid": 1000 + number, "logon_at_ms": 1_764_000_000_000_i64, "protocol": 0, "lock_flag": 1})
            })
            .collect();
        tell_sessions(&self.wine, &sessions, notice)
    }
}

/// Writes the side file and has the service read it: the sessions that are listed from now on, and the notice
/// (session, reason) that comes with them.
///
/// # Errors
/// When the service does not take the controls.
pub fn tell_sessions(wine: &Wine, sessions: &[Value], notice: Option<(u32, u32)>) -> Result<()> {
    let mut file = json!({ "sessions": sessions });
    if let Some((session, reason)) = notice {
        file["notice"] = json!({"kind": "session", "session": session, "reason": reason});
    }
    wine.write(SESSIONS, file.to_string().as_bytes())?;
    wine.control(NAME, READ_SESSIONS)?;
    if notice.is_some() {
        wine.control(NAME, NOTICE)?;
    }
    Ok(())
}

/// `/proc/<pid>` of the one process that runs as the service.
///
/// # Errors
/// When there is none, or more than one.
pub fn service_process() -> Result<PathBuf> {
    let processes = fs::read_dir("/proc").context("read /proc")?.flatten().map(|process| process.path());
    let mut found: Vec<PathBuf> = processes.filter(|process| runs_the_service(process)).collect();
    ensure!(found.len() == 1, "one process runs as the service, not {found:?}");
    found.pop().context("no process")
}

fn runs_the_service(process: &Path) -> bool {
    // Whatever cannot be read is gone or somebody else's.
    let line = fs::read(process.join("cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    words.iter().any(|word| word.ends_with(b"MngnTimeCliSvc.exe"))
        && words.iter().any(|word| *word == b"service")
}
